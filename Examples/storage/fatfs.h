/* A ticklog_storage over FatFs, for SD cards and the like.
 *
 * Mount the volume, and give the table that fatfs_storage_make fills to the logger:
 *
 *     static FATFS volume;
 *     static fatfs_storage_context card;
 *     static ticklog_storage storage;
 *     f_mount(&volume, "", 1);
 *     fatfs_storage_make(&storage, &card);
 *
 * In ffconf.h: FF_FS_READONLY 0, FF_FS_MINIMIZE 0; FF_USE_LFN may be 0 (run_config.short_names = 1). FF_FS_TINY 0 lets whole
 * sectors go from TickLog's buffers to the card without a copy. */
#ifndef FATFS_STORAGE_H
#define FATFS_STORAGE_H

#include <ff.h>
#include <ticklog.h>

#ifndef FATFS_STORAGE_FILES
#define FATFS_STORAGE_FILES 5 /* open at once: LOCK, meta, streams, polled and event of one run */
#endif
#ifndef FATFS_STORAGE_PATH
#define FATFS_STORAGE_PATH 64 /* root, '/', the run's name, '/', the file's name, NUL */
#endif

typedef struct fatfs_storage_file {
    FIL file;
    BYTE used;
    BYTE broken; /* a hard error: FatFs wants the file opened anew */
    char path[FATFS_STORAGE_PATH];
} fatfs_storage_file;

typedef struct fatfs_storage_context {
    fatfs_storage_file files[FATFS_STORAGE_FILES];
} fatfs_storage_context;

void fatfs_storage_make(ticklog_storage *storage, fatfs_storage_context *context);

#endif
