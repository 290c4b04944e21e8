/* Reading on behind the end of a mapped file that has become shorter gets SIGBUS. The handler puts zeros where the file was,
 * and notes it; a fault anywhere else it hands to the handler before. To be used from one source file alone: what is static
 * here is there once for each. */
#ifndef TICKLOG_CPOSIX_GUARD_H
#define TICKLOG_CPOSIX_GUARD_H

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define CPOSIX_GUARDED 1024

struct cposix_guard {
    struct {
        uintptr_t start; /* 0: free; 1: being filled */
        uintptr_t bytes;
        int shorter;
    } files[CPOSIX_GUARDED];
    struct sigaction before;
    int state;
    uintptr_t page;
};

/* Variables of a file would not come along into Swift. */
static inline struct cposix_guard *cposix_guard(void)
{
    static struct cposix_guard guard;
    return &guard;
}

/* How often this thread has read on behind the end of a file. Of the TLS model that needs no call and no memory where it is
 * used: that is in the handler. */
static inline unsigned *cposix_guard_found(void)
{
    static __thread unsigned found __attribute__((tls_model("initial-exec")));
    return &found;
}

static inline void cposix_on_bus(int number, siginfo_t *info, void *context)
{
    struct cposix_guard *guard = cposix_guard();
    int error = errno, i;
    uintptr_t at = (uintptr_t)info->si_addr;
    for (i = 0; i < CPOSIX_GUARDED; i++) {
        uintptr_t start = __atomic_load_n(&guard->files[i].start, __ATOMIC_ACQUIRE);
        uintptr_t bytes = guard->files[i].bytes, page;
        if (start < 2 || at < start || at - start >= bytes) continue;
        page = at & ~(guard->page - 1);
        if (mmap((void *)page, start + bytes - page, PROT_READ, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) break;
        __atomic_store_n(&guard->files[i].shorter, 1, __ATOMIC_RELEASE);
        *(volatile unsigned *)cposix_guard_found() += 1;
        errno = error;
        return;
    }
    if (guard->before.sa_flags & SA_SIGINFO) {
        guard->before.sa_sigaction(number, info, context);
    } else if (guard->before.sa_handler == SIG_DFL || guard->before.sa_handler == SIG_IGN) {
        /* The same instruction faults again, and ends the process. */
        signal(number, SIG_DFL);
    } else {
        guard->before.sa_handler(number);
    }
    errno = error;
}

/* Installs the handler, once. */
static inline void cposix_guard_install(void)
{
    struct cposix_guard *guard = cposix_guard();
    struct sigaction own;
    int none = 0;
    if (!__atomic_compare_exchange_n(&guard->state, &none, 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return;
    guard->page = (uintptr_t)sysconf(_SC_PAGESIZE);
    sigaction(SIGBUS, NULL, &guard->before);
    own.sa_sigaction = cposix_on_bus;
    sigemptyset(&own.sa_mask);
    own.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigaction(SIGBUS, &own, NULL);
    __atomic_store_n(&guard->state, 2, __ATOMIC_RELEASE);
}

static inline int cposix_guard_is_on(void) { return __atomic_load_n(&cposix_guard()->state, __ATOMIC_ACQUIRE) == 2; }

/* A place in the table, or -1: there is none, and the mapping is not guarded. */
static inline int cposix_guard_add(const void *start, size_t bytes)
{
    struct cposix_guard *guard = cposix_guard();
    int i;
    for (i = 0; i < CPOSIX_GUARDED; i++) {
        uintptr_t none = 0;
        if (!__atomic_compare_exchange_n(&guard->files[i].start, &none, 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) continue;
        guard->files[i].bytes = bytes;
        guard->files[i].shorter = 0;
        __atomic_store_n(&guard->files[i].start, (uintptr_t)start, __ATOMIC_RELEASE);
        return i;
    }
    return -1;
}

static inline int cposix_guard_is_shorter(int place)
{
    return place >= 0 && __atomic_load_n(&cposix_guard()->files[place].shorter, __ATOMIC_ACQUIRE);
}

/* Of this thread, since the last time. */
static inline void cposix_guard_forget(void) { *(volatile unsigned *)cposix_guard_found() = 0; }

static inline int cposix_guard_has_found(void) { return *(volatile unsigned *)cposix_guard_found() != 0; }

/* Before the mapping goes. */
static inline void cposix_guard_remove(int place)
{
    if (place >= 0) __atomic_store_n(&cposix_guard()->files[place].start, 0, __ATOMIC_RELEASE);
}

#endif
