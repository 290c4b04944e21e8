/* A ticklog_storage over ARM semihosting, by direct calls: no C library's stdio, and so no allocator.
 *
 * What semihosting lacks:
 *   - directories: made by the host's shell (SYS_SYSTEM "mkdir ..."), which QEMU has. The root must not contain blanks or
 *     quotes; the names of runs never do.
 *   - exclusive creation: looked for first, then created. Nobody else writes there.
 *   - sync: the host's file system has the bytes when the call returns; what a power cut of the host does is not tested
 *     with this storage. */
#include "semihosting.h"

#include <string.h>

#include "semihost.h"

/* File modes are indices into "r", "rb", "r+", "r+b", "w", "wb", ... */
#define MODE_READ_BINARY 1u
#define MODE_WRITE_BINARY 5u

/* The host's errno values that matter, as Linux numbers them. */
static ticklog_status status_of_errno(void)
{
    switch (semihost(SEMIHOST_ERRNO, 0)) {
    case 2: return TICKLOG_NOT_FOUND; /* ENOENT */
    case 1:                           /* EPERM */
    case 13:                          /* EACCES */
    case 30: return TICKLOG_DENIED;   /* EROFS */
    case 17:                          /* EEXIST */
    case 39: return TICKLOG_EXISTS;   /* ENOTEMPTY */
    case 28: return TICKLOG_NO_SPACE; /* ENOSPC */
    default: return TICKLOG_IO;
    }
}

static int open_file(const char *path, uint32_t mode)
{
    const uintptr_t parameters[3] = { (uintptr_t)path, mode, strlen(path) };
    return semihost(SEMIHOST_OPEN, parameters);
}

static void close_file(int handle)
{
    const uintptr_t parameters[1] = { (uintptr_t)handle };
    (void)semihost(SEMIHOST_CLOSE, parameters);
}

/* Runs `words` on the host; 0 if the command succeeded. */
static int shell(const char *first, const char *second, const char *third)
{
    char command[3 * 256];
    size_t used = 0;
    const char *words[3] = { first, second, third };
    for (int i = 0; i < 3; i++) {
        size_t count = strlen(words[i]);
        if (used + count >= sizeof command) return -1;
        memcpy(command + used, words[i], count);
        used += count;
    }
    command[used] = 0;
    const uintptr_t parameters[2] = { (uintptr_t)command, used };
    return semihost(SEMIHOST_SYSTEM, parameters);
}

static ticklog_status make_directory(void *context, const char *path)
{
    (void)context;
    if (shell("mkdir '", path, "' 2>/dev/null") == 0) return TICKLOG_OK;
    if (shell("test -e '", path, "'") == 0) return TICKLOG_EXISTS;
    return TICKLOG_IO;
}

static ticklog_status open_new(void *context, const char *path, ticklog_file *file)
{
    (void)context;
    int handle = open_file(path, MODE_READ_BINARY);
    if (handle >= 0) {
        close_file(handle);
        return TICKLOG_EXISTS;
    }
    handle = open_file(path, MODE_WRITE_BINARY);
    if (handle < 0) return status_of_errno();
    *file = (ticklog_file)(uintptr_t)handle;
    return TICKLOG_OK;
}

static ticklog_status write_at(void *context, ticklog_file file, uint64_t offset, const void *bytes, uint32_t count,
                               uint32_t *accepted)
{
    (void)context;
    *accepted = 0;
    if (offset > 0x7fffffffu) return TICKLOG_NO_SPACE; /* semihosting's positions are 32 bits */
    const uintptr_t place[2] = { (uintptr_t)file, (uintptr_t)offset };
    if (semihost(SEMIHOST_SEEK, place) != 0) return status_of_errno();
    const uintptr_t parameters[3] = { (uintptr_t)file, (uintptr_t)bytes, count };
    int left = semihost(SEMIHOST_WRITE, parameters); /* answers what was NOT written */
    if (left < 0 || (uint32_t)left > count) return TICKLOG_IO;
    *accepted = count - (uint32_t)left;
    if (*accepted == 0 && count != 0) return status_of_errno();
    return TICKLOG_OK;
}

static ticklog_status close_handle(void *context, ticklog_file file)
{
    (void)context;
    close_file((int)(uintptr_t)file);
    return TICKLOG_OK;
}

static ticklog_status remove_path(void *context, const char *path)
{
    (void)context;
    const uintptr_t parameters[2] = { (uintptr_t)path, strlen(path) };
    return semihost(SEMIHOST_REMOVE, parameters) == 0 ? TICKLOG_OK : status_of_errno();
}

const ticklog_storage semihosting_storage = {
    .size = sizeof(ticklog_storage),
    .make_directory = make_directory,
    .open = open_new,
    .write = write_at,
    .close = close_handle,
    .remove = remove_path,
};
