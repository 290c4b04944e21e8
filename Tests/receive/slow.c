/* Before a program: its writes to frame files are held up, or refused, while a file named by the environment exists.
 * HOLD_WRITES: writev waits. REFUSE_WRITES: writev fails with ENOSPC, after a part of it was written. FAIL_SYNC: fdatasync
 * fails with EIO, once, as the system does. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_set(const char *name)
{
    const char *path = getenv(name);
    return path != NULL && access(path, F_OK) == 0;
}

ssize_t writev(int descriptor, const struct iovec *pieces, int count)
{
    static ssize_t (*next)(int, const struct iovec *, int);
    static __thread int refusals;
    if (next == NULL) next = (ssize_t(*)(int, const struct iovec *, int))dlsym(RTLD_NEXT, "writev");
    while (is_set("HOLD_WRITES")) usleep(1000);
    if (is_set("REFUSE_WRITES")) {
        /* As a medium does that becomes full in the middle of a frame. */
        if (refusals++ == 0 && pieces[0].iov_len > 1) return write(descriptor, pieces[0].iov_base, pieces[0].iov_len / 2);
        errno = ENOSPC;
        return -1;
    }
    refusals = 0;
    return next(descriptor, pieces, count);
}

int fdatasync(int descriptor)
{
    static int (*next)(int);
    static int failures;
    if (next == NULL) next = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    if (is_set("FAIL_SYNC") && failures++ == 0) {
        errno = EIO;
        return -1;
    }
    return next(descriptor);
}
