/* Before a program: its writes to frame files are held up, or refused, while a file named by the environment exists.
 * HOLD_WRITES: pwritev and pwrite wait. REFUSE_WRITES: they fail with ENOSPC, after a part of it was written. FAIL_SYNC: fdatasync
 * fails with EIO, once, as the system does. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_set(const char *name)
{
    const char *path = getenv(name);
    return path != NULL && access(path, F_OK) == 0;
}

static __thread int refusals;

/* Waits, or answers what a medium does that becomes full in the middle of a frame: a part, and then nothing. 0: the call is made. */
static ssize_t refused(int descriptor, const void *bytes, size_t count, off_t offset)
{
    while (is_set("HOLD_WRITES")) usleep(1000);
    if (!is_set("REFUSE_WRITES")) {
        refusals = 0;
        return 0;
    }
    if (refusals++ == 0 && count > 1) return syscall(SYS_pwrite64, descriptor, bytes, count / 2, offset);
    errno = ENOSPC;
    return -1;
}

ssize_t pwritev(int descriptor, const struct iovec *pieces, int count, off_t offset)
{
    static ssize_t (*next)(int, const struct iovec *, int, off_t);
    if (next == NULL) next = (ssize_t(*)(int, const struct iovec *, int, off_t))dlsym(RTLD_NEXT, "pwritev");
    ssize_t answer = refused(descriptor, pieces[0].iov_base, pieces[0].iov_len, offset);
    return answer != 0 ? answer : next(descriptor, pieces, count, offset);
}

/* Past the page cache. */
ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset)
{
    while (is_set("HOLD_WRITES")) usleep(1000);
    if (is_set("REFUSE_WRITES")) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_pwrite64, descriptor, bytes, count, offset);
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
