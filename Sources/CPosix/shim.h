/* The system calls that the host code uses, without Glibc's Swift overlay, so that the same code compiles as Embedded
 * Swift. No _GNU_SOURCE here: it clashes with Glibc where a test imports both. */
#ifndef TICKLOG_CPOSIX_SHIM_H
#define TICKLOG_CPOSIX_SHIM_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static inline int cposix_errno(void) { return errno; }
static inline FILE *cposix_stdout(void) { return stdout; }
static inline FILE *cposix_stderr(void) { return stderr; }

#endif
