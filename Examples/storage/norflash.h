/* A ticklog_storage on raw NOR flash (the chip's own, or a serial one), without a file system.
 *
 * Flash is cut into slots of the same size, one for each file; a slot begins with 256 bytes that say whose it is. Nothing is
 * ever erased here: a slot is used once, and when all are used storage is full, until you erase the region. What the files
 * need is to be appended to, closed and, for LOCK, removed; each is bits that become 0. norflash-files.c gets the files out of
 * an image on the PC.
 *
 *     static norflash flash = { .slot_bytes = 65536, .slots = 32, .program = my_program, .read = my_read };
 *     static ticklog_storage storage;
 *     norflash_storage_make(&storage, &flash);
 *
 * A run takes a slot for each of LOCK, meta, streams, polled and event, and one more for each time that a file is rolled: let
 * run_config.roll_bytes be at most slot_bytes - 8192. Flash that can be programmed once only for each word (ECC, as on an
 * STM32H7) is not for this. */
#ifndef NORFLASH_STORAGE_H
#define NORFLASH_STORAGE_H

#include <ticklog.h>

#define NORFLASH_HEADER 256u
#define NORFLASH_PATH 244u /* with its NUL */

typedef struct norflash {
    uint32_t slot_bytes; /* a multiple of what is erased at once, so that a run can be erased alone */
    uint32_t slots;
    /* Both get addresses from 0, the first byte of the region. Program: 0: done, 1: busy, try again later (nothing was done),
     * negative: failed. Bytes of any count and alignment; what was programmed before stays as it is where the new bits are 1. */
    int (*program)(void *context, uint32_t address, const void *bytes, uint32_t count);
    int (*read)(void *context, uint32_t address, void *bytes, uint32_t count);
    void *context;
    uint32_t end[8]; /* of open files: bytes written; private */
    uint16_t slot[8]; /* of open files: 1 + the slot; private */
} norflash;

void norflash_storage_make(ticklog_storage *storage, norflash *flash);

#endif
