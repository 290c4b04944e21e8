/* HMAC-SHA-256 by OpenSSL's libcrypto, which is loaded at run time, or by the kernel's AF_ALG. */
#ifndef TICKLOG_CPOSIX_HMAC_H
#define TICKLOG_CPOSIX_HMAC_H

#include <dlfcn.h>
#include <linux/if_alg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>

/* Of openssl/hmac.h and openssl/evp.h, the same in every libcrypto.so.3. */
typedef struct cposix_hmac {
    const void *(*sha256)(void);
    unsigned char *(*hmac)(const void *kind, const void *key, int key_bytes, const unsigned char *message, size_t bytes,
                           unsigned char *code, unsigned *code_bytes);
} cposix_hmac;

/* 0, or -1 and what the loader says. */
static inline int cposix_load_hmac(cposix_hmac *hmac, const char *library, char *reason, size_t room)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    const char *text = handle == NULL ? dlerror() : NULL;
    if (handle != NULL) {
        hmac->sha256 = (const void *(*)(void))dlsym(handle, "EVP_sha256");
        hmac->hmac = (unsigned char *(*)(const void *, const void *, int, const unsigned char *, size_t, unsigned char *,
                                         unsigned *))dlsym(handle, "HMAC");
        if (hmac->sha256 != NULL && hmac->hmac != NULL) return 0; /* and stays loaded */
        text = "it has no HMAC";
        hmac->sha256 = NULL;
        hmac->hmac = NULL;
        dlclose(handle);
    }
    snprintf(reason, room, "%s", text != NULL ? text : "no reason");
    return -1;
}

/* 32 bytes of code; 0, or the error as a negative number. */
static inline int cposix_hmac_sha256(const cposix_hmac *hmac, const void *key, size_t key_bytes, const void *message,
                                     size_t bytes, uint8_t *code)
{
    unsigned made = 0;
    if (key_bytes > INT32_MAX) return -EINVAL;
    if (hmac->hmac(hmac->sha256(), key, (int)key_bytes, (const unsigned char *)message, bytes, code, &made) == NULL) return -EIO;
    return made == 32 ? 0 : -EIO;
}

/* The same by the kernel, if it has it: -EAFNOSUPPORT or -ENOENT if not. */
static inline int cposix_kernel_hmac_sha256(const void *key, size_t key_bytes, const void *message, size_t bytes, uint8_t *code)
{
    struct sockaddr_alg address;
    memset(&address, 0, sizeof address);
    address.salg_family = AF_ALG;
    memcpy(address.salg_type, "hash", 5);
    memcpy(address.salg_name, "hmac(sha256)", 13);
    int made = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (made < 0) return -errno;
    if (bind(made, (struct sockaddr *)&address, sizeof address) != 0 ||
        setsockopt(made, 279 /* SOL_ALG */, ALG_SET_KEY, key, (socklen_t)key_bytes) != 0) {
        int error = errno;
        close(made);
        return -error;
    }
    int operation = accept(made, NULL, NULL);
    int error = operation < 0 ? errno : 0;
    if (error == 0 && send(operation, message, bytes, MSG_NOSIGNAL) != (ssize_t)bytes) error = EIO;
    if (error == 0 && read(operation, code, 32) != 32) error = EIO;
    if (operation >= 0) close(operation);
    close(made);
    return -error;
}

/* Random bytes of the kernel; waits until it has been seeded. At most 256: then it gives all or nothing. */
static inline int cposix_random(void *bytes, size_t count)
{
    ssize_t got;
    if (count > 256) return -EINVAL;
    do got = getrandom(bytes, count, 0);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)count ? 0 : got < 0 ? -errno : -EIO;
}

#endif
