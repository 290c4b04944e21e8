/* See norflash.h. A slot's header: "TLF1", the file's path, at 248 its length (all ones until it is closed), at 252 all ones (0
 * when it was removed). */
#include "norflash.h"

#include <string.h>

#define FILES 8u
#define LENGTH 248u
#define REMOVED 252u

static const char magic[4] = { 'T', 'L', 'F', '1' };

static ticklog_status program(norflash *flash, uint32_t address, const void *bytes, uint32_t count)
{
    const int result = flash->program(flash->context, address, bytes, count);
    return result == 0 ? TICKLOG_OK : result > 0 ? TICKLOG_BUSY : TICKLOG_IO;
}

/* Looks through the slots: *found is that of the path (or, `below`, of a file in that directory), *free the first that was
 * never used; `slots` if there is none. */
static ticklog_status look(norflash *flash, const char *path, int below, uint32_t *found, uint32_t *free)
{
    const size_t length = strlen(path);
    *found = *free = flash->slots;
    for (uint32_t slot = 0; slot < flash->slots; slot++) {
        uint8_t header[NORFLASH_HEADER];
        uint32_t removed;
        if (flash->read(flash->context, slot * flash->slot_bytes, header, sizeof header) != 0) return TICKLOG_IO;
        if (memcmp(header, magic, sizeof magic) != 0) {
            if (*free == flash->slots) *free = slot;
            continue;
        }
        memcpy(&removed, header + REMOVED, sizeof removed);
        if (removed != 0xffffffffu || length >= NORFLASH_PATH || memcmp(header + 4, path, length) != 0) continue;
        if (header[4 + length] == (below ? '/' : 0)) *found = slot;
    }
    return TICKLOG_OK;
}

static ticklog_status make_directory(void *context, const char *path)
{
    norflash *flash = context;
    uint32_t found, free;
    const ticklog_status status = look(flash, path, 1, &found, &free); /* a directory is what has files in it */
    return status ? status : found < flash->slots ? TICKLOG_EXISTS : TICKLOG_OK;
}

static ticklog_status open_new(void *context, const char *path, ticklog_file *file)
{
    norflash *flash = context;
    uint32_t found, free, index = 0;
    uint8_t header[4 + NORFLASH_PATH];
    const size_t length = strlen(path);
    if (length >= NORFLASH_PATH) return TICKLOG_NAME_TOO_LONG;
    ticklog_status status = look(flash, path, 0, &found, &free);
    if (status) return status;
    if (found < flash->slots) return TICKLOG_EXISTS;
    if (free == flash->slots) return TICKLOG_NO_SPACE;
    while (index < FILES && flash->slot[index]) index++;
    if (index == FILES) return TICKLOG_TOO_MANY;
    memcpy(header, magic, sizeof magic);
    memcpy(header + 4, path, length + 1);
    status = program(flash, free * flash->slot_bytes, header, (uint32_t)(4 + length + 1));
    if (status) return status;
    flash->slot[index] = (uint16_t)(free + 1);
    flash->end[index] = 0;
    *file = (ticklog_file)(uintptr_t)(index + 1);
    return TICKLOG_OK;
}

static ticklog_status write_at(void *context, ticklog_file file, uint64_t offset, const void *bytes, uint32_t count, uint32_t *accepted)
{
    norflash *flash = context;
    const uint32_t index = (uint32_t)(uintptr_t)file - 1u;
    *accepted = 0;
    if (offset > flash->slot_bytes - NORFLASH_HEADER || count > flash->slot_bytes - NORFLASH_HEADER - offset) return TICKLOG_NO_SPACE;
    const ticklog_status status = program(flash, (flash->slot[index] - 1u) * flash->slot_bytes + NORFLASH_HEADER + (uint32_t)offset, bytes, count);
    if (status) return status;
    *accepted = count;
    if (offset + count > flash->end[index]) flash->end[index] = (uint32_t)offset + count;
    return TICKLOG_OK;
}

static ticklog_status close_file(void *context, ticklog_file file)
{
    norflash *flash = context;
    const uint32_t index = (uint32_t)(uintptr_t)file - 1u;
    const uint32_t slot = flash->slot[index] - 1u;
    flash->slot[index] = 0;
    return program(flash, slot * flash->slot_bytes + LENGTH, &flash->end[index], 4);
}

static ticklog_status remove_path(void *context, const char *path)
{
    norflash *flash = context;
    uint32_t found, free;
    const uint32_t removed = 0;
    const ticklog_status status = look(flash, path, 0, &found, &free);
    if (status) return status;
    if (found == flash->slots) return TICKLOG_OK; /* an empty directory, which is nothing here */
    return program(flash, found * flash->slot_bytes + REMOVED, &removed, 4);
}

static ticklog_status free_bytes(void *context, const char *path, uint64_t *bytes)
{
    norflash *flash = context;
    uint32_t found, free;
    (void)path;
    const ticklog_status status = look(flash, "", 0, &found, &free);
    *bytes = (uint64_t)(flash->slots - free) * flash->slot_bytes;
    return status;
}

void norflash_storage_make(ticklog_storage *storage, norflash *flash)
{
    memset(storage, 0, sizeof *storage);
    storage->size = sizeof *storage;
    storage->flags = TICKLOG_APPEND_ONLY;
    storage->block_size = 256; /* a page */
    storage->context = flash;
    storage->make_directory = make_directory;
    storage->open = open_new;
    storage->write = write_at; /* bytes are there when program has returned: no sync */
    storage->close = close_file;
    storage->remove = remove_path;
    storage->free_bytes = free_bytes;
}
