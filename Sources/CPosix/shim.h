/* The system calls that the host code uses, without Glibc's Swift overlay, so that the same code compiles as Embedded
 * Swift. No _GNU_SOURCE here: it clashes with Glibc where a test imports both. */
#ifndef TICKLOG_CPOSIX_SHIM_H
#define TICKLOG_CPOSIX_SHIM_H

/* Files of more than 2 GiB on 32-bit targets too. Elsewhere it would differ from Glibc, which tests import. */
#if !defined(__LP64__) && !defined(_FILE_OFFSET_BITS)
#define _FILE_OFFSET_BITS 64
#endif

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "events.h"
#include "guard.h"
#include "hmac.h"
#include "send.h"
#include "sockets.h"

/* Swift does not import variadic functions. */
static inline int cposix_open(const char *path, int flags, unsigned mode) { return open(path, flags, mode); }
/* Opens a file that exists for writes past the page cache. */
static inline int cposix_open_direct(const char *path)
{
#ifdef __O_DIRECT
    return open(path, O_WRONLY | O_CLOEXEC | __O_DIRECT);
#else
    (void)path;
    errno = EINVAL;
    return -1;
#endif
}
#ifdef __GLIBC__
/* Declared there for _GNU_SOURCE only. */
extern int renameat2(int, const char *, int, const char *, unsigned int);
#endif
/* A rename that fails with EEXIST where there is something; EINVAL or ENOSYS if the system cannot tell. */
static inline int cposix_rename_new(const char *old, const char *path)
{
#ifdef __GLIBC__
    return renameat2(AT_FDCWD, old, AT_FDCWD, path, 1 /* RENAME_NOREPLACE */);
#else
    (void)old;
    (void)path;
    errno = ENOSYS;
    return -1;
#endif
}
static inline int cposix_openat(int directory, const char *path, int flags, unsigned mode)
{
    return openat(directory, path, flags, mode);
}

/* The name is an array of no fixed length: not a pointer, in Swift. */
static inline const char *cposix_name(const struct dirent *entry) { return entry->d_name; }

static inline char *cposix_optarg(void) { return optarg; }
static inline int cposix_optind(void) { return optind; }
/* 0 makes glibc start anew, also after a scan that was left half done. */
static inline void cposix_reset_options(void) { optind = 0; }

/* A number with so many significant digits, in scientific notation. */
static inline int cposix_print_digits(char *text, size_t room, int digits, double value)
{
    return snprintf(text, room, "%.*e", digits - 1, value);
}

/* A handler for a signal that nobody has decided to ignore. */
static inline void cposix_catch(int number, void (*handler)(int))
{
    if (signal(number, handler) == SIG_IGN) signal(number, SIG_IGN);
}

/* The calls that would get the signal fail instead. */
static inline void cposix_ignore(int number) { signal(number, SIG_IGN); }

/* In a handler: ends the process as the signal would have done. */
static inline void cposix_die_of(int number)
{
    signal(number, SIG_DFL);
    raise(number);
}

/* Lines of a terminal; 0: it does not tell. */
static inline unsigned cposix_terminal_lines(int descriptor)
{
    struct winsize size;
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
}
static inline unsigned cposix_terminal_columns(int descriptor)
{
    struct winsize size;
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static inline int cposix_errno(void) { return errno; }
static inline FILE *cposix_stdout(void) { return stdout; }
static inline FILE *cposix_stderr(void) { return stderr; }

#endif
