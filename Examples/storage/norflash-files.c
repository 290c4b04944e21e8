/* Gets the files out of an image of flash that norflash.c wrote: on the PC.
 *
 *     cc -o norflash-files norflash-files.c
 *     norflash-files IMAGE SLOT_BYTES FOLDER
 *
 * Files that were never closed (a power cut) end at the last byte that is not FF; `ticklog repair` brings them to their end. */
#define _POSIX_C_SOURCE 200809L
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static uint32_t word(const uint8_t *at) { return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24; }

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: norflash-files IMAGE SLOT_BYTES FOLDER\n");
        return 64;
    }
    const unsigned long slot_bytes = strtoul(argv[2], NULL, 0);
    FILE *image = fopen(argv[1], "rb");
    uint8_t *slot = slot_bytes >= 512 && slot_bytes <= 1ul << 30 ? malloc(slot_bytes) : NULL;
    if (!image || !slot) {
        fprintf(stderr, "%s: no such image, or slots of %lu bytes\n", argv[1], slot_bytes);
        return 1;
    }
    int files = 0;
    while (fread(slot, 1, slot_bytes, image) == slot_bytes) {
        if (memcmp(slot, "TLF1", 4) != 0 || word(slot + 252) != 0xffffffffu) continue;
        slot[247] = 0;
        const char *path = (const char *)slot + 4;
        size_t length = word(slot + 248);
        const int closed = length != 0xffffffffu;
        if (!closed)
            for (length = slot_bytes - 256; length > 0 && slot[256 + length - 1] == 0xff;) length--;
        while (*path == '/' || strncmp(path, "./", 2) == 0) path++;
        if (strstr(path, "..") || !*path || length > slot_bytes - 256) {
            fprintf(stderr, "a slot with a path or length that cannot be: left out\n");
            continue;
        }
        char out[1024];
        if (snprintf(out, sizeof out, "%s/%s", argv[3], path) >= (int)sizeof out) return 1;
        for (char *part = strchr(out + 1, '/'); part; part = strchr(part + 1, '/')) {
            *part = 0;
            (void)mkdir(out, 0755);
            *part = '/';
        }
        FILE *file = fopen(out, "wb");
        if (!file || fwrite(slot + 256, 1, length, file) != length || fclose(file) != 0) {
            fprintf(stderr, "%s: cannot be written\n", out);
            return 1;
        }
        printf("%s: %zu bytes%s\n", out, length, closed ? "" : ", never closed");
        files++;
    }
    return files ? 0 : 1;
}
