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

static struct {
    uintptr_t start; /* 0: free; 1: being filled */
    uintptr_t bytes;
    int shorter;
} cposix_guarded[CPOSIX_GUARDED];
static struct sigaction cposix_bus_before;
static int cposix_bus_state;
static uintptr_t cposix_page;

static void cposix_on_bus(int number, siginfo_t *info, void *context)
{
    int error = errno, i;
    uintptr_t at = (uintptr_t)info->si_addr;
    for (i = 0; i < CPOSIX_GUARDED; i++) {
        uintptr_t start = __atomic_load_n(&cposix_guarded[i].start, __ATOMIC_ACQUIRE);
        uintptr_t bytes = cposix_guarded[i].bytes, page;
        if (start < 2 || at < start || at - start >= bytes) continue;
        page = at & ~(cposix_page - 1);
        if (mmap((void *)page, start + bytes - page, PROT_READ, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) break;
        __atomic_store_n(&cposix_guarded[i].shorter, 1, __ATOMIC_RELEASE);
        errno = error;
        return;
    }
    if (cposix_bus_before.sa_flags & SA_SIGINFO) {
        cposix_bus_before.sa_sigaction(number, info, context);
    } else if (cposix_bus_before.sa_handler == SIG_DFL || cposix_bus_before.sa_handler == SIG_IGN) {
        /* The same instruction faults again, and ends the process. */
        signal(number, SIG_DFL);
    } else {
        cposix_bus_before.sa_handler(number);
    }
    errno = error;
}

/* Installs the handler, once. */
static inline void cposix_guard_install(void)
{
    struct sigaction own;
    int none = 0;
    if (!__atomic_compare_exchange_n(&cposix_bus_state, &none, 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return;
    cposix_page = (uintptr_t)sysconf(_SC_PAGESIZE);
    sigaction(SIGBUS, NULL, &cposix_bus_before);
    own.sa_sigaction = cposix_on_bus;
    sigemptyset(&own.sa_mask);
    own.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigaction(SIGBUS, &own, NULL);
    __atomic_store_n(&cposix_bus_state, 2, __ATOMIC_RELEASE);
}

static inline int cposix_guard_is_on(void) { return __atomic_load_n(&cposix_bus_state, __ATOMIC_ACQUIRE) == 2; }

/* A place in the table, or -1: there is none, and the mapping is not guarded. */
static inline int cposix_guard_add(const void *start, size_t bytes)
{
    int i;
    for (i = 0; i < CPOSIX_GUARDED; i++) {
        uintptr_t none = 0;
        if (!__atomic_compare_exchange_n(&cposix_guarded[i].start, &none, 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) continue;
        cposix_guarded[i].bytes = bytes;
        cposix_guarded[i].shorter = 0;
        __atomic_store_n(&cposix_guarded[i].start, (uintptr_t)start, __ATOMIC_RELEASE);
        return i;
    }
    return -1;
}

static inline int cposix_guard_is_shorter(int place)
{
    return place >= 0 && __atomic_load_n(&cposix_guarded[place].shorter, __ATOMIC_ACQUIRE);
}

/* Before the mapping goes. */
static inline void cposix_guard_remove(int place)
{
    if (place >= 0) __atomic_store_n(&cposix_guarded[place].start, 0, __ATOMIC_RELEASE);
}

#endif
