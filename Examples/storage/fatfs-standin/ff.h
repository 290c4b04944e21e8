/* Not FatFs: the part of its interface that Examples/storage/fatfs.c uses, with the same names and signatures, over the
 * files of a POSIX system, so that the code runs in a test without a card. Take the real one for a device. */
#ifndef FF_STANDIN_H
#define FF_STANDIN_H

#include <stdint.h>

#define FF_MIN_SS 512
#define FF_MAX_SS 512

typedef unsigned int UINT;
typedef unsigned char BYTE;
typedef uint16_t WORD;
typedef uint32_t DWORD;
typedef DWORD FSIZE_t;
typedef char TCHAR;

typedef enum {
    FR_OK = 0, FR_DISK_ERR, FR_INT_ERR, FR_NOT_READY, FR_NO_FILE, FR_NO_PATH, FR_INVALID_NAME, FR_DENIED, FR_EXIST,
    FR_INVALID_OBJECT, FR_WRITE_PROTECTED, FR_INVALID_DRIVE, FR_NOT_ENABLED, FR_NO_FILESYSTEM, FR_MKFS_ABORTED, FR_TIMEOUT,
    FR_LOCKED, FR_NOT_ENOUGH_CORE, FR_TOO_MANY_OPEN_FILES, FR_INVALID_PARAMETER
} FRESULT;

typedef struct { WORD csize; } FATFS;
typedef struct { int descriptor; BYTE err; FSIZE_t fptr; } FIL;

#define FA_READ 0x01
#define FA_WRITE 0x02
#define FA_OPEN_EXISTING 0x00
#define FA_CREATE_NEW 0x04

FRESULT f_mount(FATFS *fs, const TCHAR *path, BYTE opt);
FRESULT f_open(FIL *fp, const TCHAR *path, BYTE mode);
FRESULT f_close(FIL *fp);
FRESULT f_write(FIL *fp, const void *buff, UINT btw, UINT *bw);
FRESULT f_lseek(FIL *fp, FSIZE_t ofs);
FRESULT f_sync(FIL *fp);
FRESULT f_mkdir(const TCHAR *path);
FRESULT f_unlink(const TCHAR *path);
FRESULT f_getfree(const TCHAR *path, DWORD *nclst, FATFS **fatfs);

#define f_tell(fp) ((fp)->fptr)

/* Test only. The next `count` calls of f_write or f_sync fail with FR_DISK_ERR; as with FatFs, the file is then unusable
 * until it is opened again. `room` bytes are left on the volume: writes beyond are short, and FR_OK. */
extern unsigned ff_standin_failures;
extern uint64_t ff_standin_room;

#endif
