/* CRC-32C (RFC 3720, B.4) for the Python model: a table, a byte at a time, and nothing of the product's. */
#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(uint32_t before, const uint8_t *bytes, size_t count)
{
    static uint32_t table[256];
    uint32_t crc = ~before;
    if (table[1] == 0) {
        for (uint32_t n = 0; n < 256; n++) {
            uint32_t c = n;
            for (int bit = 0; bit < 8; bit++) c = c & 1 ? c >> 1 ^ 0x82F63B78 : c >> 1;
            table[n] = c;
        }
    }
    while (count--) crc = crc >> 8 ^ table[(crc ^ *bytes++) & 255];
    return ~crc;
}
