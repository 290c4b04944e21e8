/* See fatfs.h. */
#include "fatfs.h"

#include <string.h>

static ticklog_status status_of(FRESULT result)
{
    switch (result) {
    case FR_OK: return TICKLOG_OK;
    case FR_NO_FILE:
    case FR_NO_PATH: return TICKLOG_NOT_FOUND;
    case FR_EXIST: return TICKLOG_EXISTS;
    case FR_DENIED: /* f_open, f_mkdir: the directory or the volume is full; f_unlink: not empty, read-only */
    case FR_WRITE_PROTECTED: return TICKLOG_DENIED;
    case FR_INVALID_NAME: return TICKLOG_BAD_NAME;
    case FR_TIMEOUT: /* FF_FS_REENTRANT: another task holds the volume */
    case FR_LOCKED: return TICKLOG_BUSY;
    case FR_TOO_MANY_OPEN_FILES: return TICKLOG_TOO_MANY;
    default: return TICKLOG_IO; /* FR_DISK_ERR, FR_INT_ERR, FR_NOT_READY, FR_NO_FILESYSTEM, ... */
    }
}

static ticklog_status make_directory(void *context, const char *path)
{
    (void)context;
    return status_of(f_mkdir(path));
}

static ticklog_status open_new(void *context, const char *path, ticklog_file *file)
{
    fatfs_storage_context *self = context;
    if (strlen(path) >= FATFS_STORAGE_PATH) return TICKLOG_NAME_TOO_LONG;
    for (int i = 0; i < FATFS_STORAGE_FILES; i++) {
        fatfs_storage_file *slot = &self->files[i];
        if (slot->used) continue;
        FRESULT result = f_open(&slot->file, path, FA_WRITE | FA_CREATE_NEW);
        if (result != FR_OK) return status_of(result);
        slot->used = 1;
        slot->broken = 0;
        strcpy(slot->path, path);
        *file = slot;
        return TICKLOG_OK;
    }
    return TICKLOG_TOO_MANY;
}

/* After a hard error FatFs refuses everything with the FIL but f_close. The file is opened again, so that a retry can
 * succeed once the card answers again. */
static FRESULT mended(fatfs_storage_file *slot)
{
    if (!slot->broken) return FR_OK;
    FRESULT result = f_open(&slot->file, slot->path, FA_WRITE | FA_OPEN_EXISTING);
    if (result == FR_OK) slot->broken = 0;
    return result;
}

static void note_failure(fatfs_storage_file *slot, FRESULT result)
{
    if (result == FR_DISK_ERR || result == FR_INT_ERR || result == FR_INVALID_OBJECT) slot->broken = 1;
}

static ticklog_status write_at(void *context, ticklog_file file, uint64_t offset, const void *bytes, uint32_t count,
                               uint32_t *accepted)
{
    (void)context;
    fatfs_storage_file *slot = file;
    UINT written = 0;
    *accepted = 0;
    if (offset + count > 0xffffffffu) return TICKLOG_NO_SPACE; /* the longest file of FAT */
    FRESULT result = mended(slot);
    if (result == FR_OK && f_tell(&slot->file) != (FSIZE_t)offset) {
        result = f_lseek(&slot->file, (FSIZE_t)offset);
        /* On a full volume f_lseek stops early and says FR_OK. */
        if (result == FR_OK && f_tell(&slot->file) != (FSIZE_t)offset) return TICKLOG_NO_SPACE;
    }
    if (result == FR_OK) result = f_write(&slot->file, bytes, count, &written);
    if (result != FR_OK) {
        note_failure(slot, result);
        return status_of(result);
    }
    *accepted = written;
    return written == 0 && count != 0 ? TICKLOG_NO_SPACE : TICKLOG_OK; /* fewer than asked, and FR_OK: full */
}

static ticklog_status sync_file(void *context, ticklog_file file)
{
    (void)context;
    fatfs_storage_file *slot = file;
    FRESULT result = mended(slot);
    if (result == FR_OK) result = f_sync(&slot->file); /* data, FAT and directory entry */
    if (result != FR_OK) note_failure(slot, result);
    return status_of(result);
}

static ticklog_status close_file(void *context, ticklog_file file)
{
    (void)context;
    fatfs_storage_file *slot = file;
    FRESULT result = f_close(&slot->file);
    slot->used = 0;
    return status_of(result);
}

static ticklog_status remove_path(void *context, const char *path)
{
    (void)context;
    return status_of(f_unlink(path));
}

static ticklog_status free_bytes(void *context, const char *path, uint64_t *bytes)
{
    (void)context;
    FATFS *volume;
    DWORD clusters;
    /* The first call after mounting may read the whole FAT: a second or more on a large card. */
    FRESULT result = f_getfree(path, &clusters, &volume);
    if (result != FR_OK) return status_of(result);
#if FF_MAX_SS != FF_MIN_SS
    *bytes = (uint64_t)clusters * volume->csize * volume->ssize;
#else
    *bytes = (uint64_t)clusters * volume->csize * FF_MAX_SS;
#endif
    return TICKLOG_OK;
}

void fatfs_storage_make(ticklog_storage *storage, fatfs_storage_context *context)
{
    memset(storage, 0, sizeof *storage);
    storage->size = sizeof *storage;
    storage->block_size = FF_MAX_SS;
    storage->block_alignment = 32;
    storage->context = context;
    storage->make_directory = make_directory;
    storage->open = open_new;
    storage->write = write_at;
    storage->sync = sync_file;
    storage->close = close_file;
    storage->remove = remove_path;
    storage->free_bytes = free_bytes;
}
