/* See ff.h. */
#define _POSIX_C_SOURCE 200809L
#include "ff.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

unsigned ff_standin_failures;
uint64_t ff_standin_room = UINT64_MAX;
static FATFS *mounted;

static FRESULT result_of_errno(void)
{
    switch (errno) {
    case ENOENT: return FR_NO_PATH;
    case EEXIST: return FR_EXIST;
    case ENOTEMPTY:
    case EACCES: return FR_DENIED;
    case EROFS: return FR_WRITE_PROTECTED;
    default: return FR_DISK_ERR;
    }
}

/* A hard error stays with the file, as in FatFs. */
static FRESULT usable(FIL *fp)
{
    if (fp->err) return (FRESULT)fp->err;
    if (ff_standin_failures == 0) return FR_OK;
    ff_standin_failures--;
    fp->err = FR_DISK_ERR;
    (void)close(fp->descriptor);
    fp->descriptor = -1;
    return FR_DISK_ERR;
}

FRESULT f_mount(FATFS *fs, const TCHAR *path, BYTE opt)
{
    (void)path;
    (void)opt;
    fs->csize = 64;
    mounted = fs;
    return FR_OK;
}

FRESULT f_open(FIL *fp, const TCHAR *path, BYTE mode)
{
    int flags = O_WRONLY | (mode & FA_CREATE_NEW ? O_CREAT | O_EXCL : 0);
    fp->descriptor = open(path, flags, 0644);
    fp->err = 0;
    fp->fptr = 0;
    return fp->descriptor < 0 ? result_of_errno() : FR_OK;
}

FRESULT f_close(FIL *fp)
{
    if (fp->err) return (FRESULT)fp->err;
    return close(fp->descriptor) == 0 ? FR_OK : FR_DISK_ERR;
}

FRESULT f_write(FIL *fp, const void *buff, UINT btw, UINT *bw)
{
    *bw = 0;
    FRESULT result = usable(fp);
    if (result != FR_OK) return result;
    UINT count = btw < ff_standin_room ? btw : (UINT)ff_standin_room;
    ssize_t written = pwrite(fp->descriptor, buff, count, (off_t)fp->fptr);
    if (written < 0) return FR_DISK_ERR;
    *bw = (UINT)written;
    fp->fptr += (FSIZE_t)written;
    if (ff_standin_room != UINT64_MAX) ff_standin_room -= (uint64_t)written;
    return FR_OK;
}

FRESULT f_lseek(FIL *fp, FSIZE_t ofs)
{
    if (fp->err) return (FRESULT)fp->err;
    fp->fptr = ofs;
    return FR_OK;
}

FRESULT f_sync(FIL *fp)
{
    FRESULT result = usable(fp);
    if (result != FR_OK) return result;
    return fsync(fp->descriptor) == 0 ? FR_OK : FR_DISK_ERR;
}

FRESULT f_mkdir(const TCHAR *path) { return mkdir(path, 0755) == 0 ? FR_OK : result_of_errno(); }

FRESULT f_unlink(const TCHAR *path) { return remove(path) == 0 ? FR_OK : result_of_errno(); }

FRESULT f_getfree(const TCHAR *path, DWORD *nclst, FATFS **fatfs)
{
    (void)path;
    uint64_t room = ff_standin_room < (UINT64_C(1) << 34) ? ff_standin_room : UINT64_C(1) << 34;
    *nclst = (DWORD)(room / (64u * FF_MAX_SS));
    *fatfs = mounted;
    return FR_OK;
}
