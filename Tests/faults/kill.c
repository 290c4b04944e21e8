/* A library for LD_PRELOAD that ends the process at its n-th call that changes a file, as kill -9 would:
 *
 *     KILL_AT=n KILL_HALF=1 LD_PRELOAD=./kill.so ticklog append ...
 *
 * Calls are write, pwrite, writev, pwritev, ftruncate, truncate, fsync, fdatasync, rename, renameat, renameat2, unlink, link
 * and open with O_CREAT or O_TRUNC, but for those of descriptors 1 and 2. Without KILL_HALF the call has done nothing;
 * with it a write has written the first half. KILL_COUNT=FILE: what was counted is written there when the process ends. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static long calls;

static void die(void) { _exit(137); }

/* Counts a call; 1: it is the one to die at. */
static int is_last(void)
{
    const char *at = getenv("KILL_AT");
    calls++;
    return at != NULL && atol(at) == calls;
}

static int half(void) { return getenv("KILL_HALF") != NULL; }

__attribute__((destructor)) static void tell(void)
{
    const char *path = getenv("KILL_COUNT");
    if (path == NULL) return;
    FILE *file = fopen(path, "w");
    if (file == NULL) return;
    fprintf(file, "%ld\n", calls);
    fclose(file);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t count)
{
    if (fd > 2 && is_last()) {
        if (half()) syscall(SYS_write, fd, bytes, count / 2);
        die();
    }
    return syscall(SYS_write, fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    if (fd > 2 && is_last()) {
        if (half()) syscall(SYS_pwrite64, fd, bytes, count / 2, offset);
        die();
    }
    return syscall(SYS_pwrite64, fd, bytes, count, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t offset) { return pwrite(fd, bytes, count, offset); }

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    if (fd > 2 && is_last()) {
        if (half()) syscall(SYS_write, fd, parts[0].iov_base, parts[0].iov_len / 2);
        die();
    }
    return syscall(SYS_writev, fd, parts, count);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    if (fd > 2 && is_last()) {
        if (half()) syscall(SYS_pwrite64, fd, parts[0].iov_base, parts[0].iov_len / 2, offset);
        die();
    }
    return REAL(pwritev)(fd, parts, count, offset);
}

#define DIES_AT(type, name, parameters, arguments)                                                                       \
    type name parameters                                                                                                 \
    {                                                                                                                    \
        if (is_last()) die();                                                                                            \
        return REAL(name) arguments;                                                                                     \
    }

DIES_AT(int, ftruncate, (int fd, off_t length), (fd, length))
DIES_AT(int, ftruncate64, (int fd, off_t length), (fd, length))
DIES_AT(int, truncate, (const char *path, off_t length), (path, length))
DIES_AT(int, fsync, (int fd), (fd))
DIES_AT(int, fdatasync, (int fd), (fd))
DIES_AT(int, rename, (const char *from, const char *to), (from, to))
DIES_AT(int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to))
DIES_AT(int, renameat2, (int a, const char *from, int b, const char *to, unsigned flags), (a, from, b, to, flags))
DIES_AT(int, unlink, (const char *path), (path))
DIES_AT(int, unlinkat, (int fd, const char *path, int flags), (fd, path, flags))
DIES_AT(int, link, (const char *from, const char *to), (from, to))

static int opened(int directory, const char *path, int flags, mode_t mode)
{
    if ((flags & (O_CREAT | O_TRUNC)) != 0 && is_last()) die();
    return (int)syscall(SYS_openat, directory, path, flags, mode);
}

#define OPEN(name, directory, parameters)                                                                                \
    int name parameters                                                                                                  \
    {                                                                                                                    \
        va_list rest;                                                                                                    \
        va_start(rest, flags);                                                                                           \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                                          \
        va_end(rest);                                                                                                    \
        return opened(directory, path, flags, mode);                                                              \
    }

OPEN(open, AT_FDCWD, (const char *path, int flags, ...))
OPEN(open64, AT_FDCWD, (const char *path, int flags, ...))
OPEN(openat, fd, (int fd, const char *path, int flags, ...))
OPEN(openat64, fd, (int fd, const char *path, int flags, ...))
