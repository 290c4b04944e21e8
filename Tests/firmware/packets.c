/* BMS packets and the log buffer on every target: the same bytes everywhere, told by a checksum.
 *
 *     packets              prints "packets ok CHECKSUM"
 *     packets N            builds a DIFF of 16 words N times, for counting instructions
 *     packets N buffer     writes and reads a record of 84 bytes N times
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ticklog.h"

#define IS(condition) (sizeof(char[(condition) ? 1 : -1]) != 0)
static const int sizes_hold = IS(sizeof(ticklog_packet) == 16 + 2 * sizeof(void *)) &&
                              IS(sizeof(ticklog_legacy_packet) == 16 + 2 * sizeof(void *)) &&
                              IS(sizeof(ticklog_log_writer) == 96) && IS(sizeof(ticklog_log_reader) == 128) &&
                              IS(sizeof(ticklog_log_record) == 16) && IS(sizeof(ticklog_log_reader_statistics) == 48) &&
                              IS(sizeof(ticklog_log_writer_statistics) == 32);

enum { WORDS = 512, CAPACITY = 1024 };

static uint16_t sent[WORDS], now[WORDS], received[WORDS];
static uint16_t control[64], data[64];
static uint8_t message[20 + 4 * 64 + 1];
static uint64_t memory[(128 + CAPACITY) / 8];
static uint32_t checksum;
static int failures;

static void expect(int line, ticklog_status got, ticklog_status want)
{
    if (got == want) return;
    failures++;
    printf("line %d: %d (%s), not %d\n", line, (int)got, ticklog_status_text(got), (int)want);
}
#define EXPECT(call, want) expect(__LINE__, (call), (want))

static void add(const void *bytes, size_t count) { checksum = ticklog_crc32c(checksum, bytes, count); }

/* Changes go out as DIFFs of up to 64 words, through a log buffer that is read late, into the image of a receiver. */
static void packets(void)
{
    ticklog_log_writer writer;
    ticklog_log_reader keen, late;
    EXPECT(ticklog_log_buffer_create(memory, sizeof memory, CAPACITY, &writer), TICKLOG_OK);
    EXPECT(ticklog_log_buffer_open(memory, sizeof memory, TICKLOG_FROM_OLDEST, &keen), TICKLOG_OK);
    EXPECT(ticklog_log_buffer_open(memory, sizeof memory, TICKLOG_FROM_OLDEST, &late), TICKLOG_OK);
    uint32_t random = 1, written = 0;
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < round % 90; i++) {
            random = random * 1664525u + 1013904223u;
            now[random >> 23] = (uint16_t)(random >> 4);
        }
        for (uint32_t from = 0; from < WORDS;) {
            uint32_t count = 0;
            size_t bytes = 0, consumed = 0, needed = 0;
            EXPECT(ticklog_image_diff(sent, now, WORDS, &from, control, data, 64, &count), TICKLOG_OK);
            ticklog_packet packet = {.timestamp_us = 1718928471200000u + (uint64_t)round, .control = control, .data = data,
                                     .count = count, .source = 3, .command = TICKLOG_PACKET_DIFF,
                                     .type = TICKLOG_SOURCE_RACK, .sequence = (uint8_t)round};
            /* At an odd address, as it may come from a stream. */
            uint8_t *out = message + round % 2;
            EXPECT(ticklog_packet_build(&packet, out, 20 + 4 * 64, &bytes), TICKLOG_OK);
            EXPECT(ticklog_image_apply(sent, WORDS, &packet), TICKLOG_OK);
            add(out, bytes);
            EXPECT(ticklog_log_buffer_write(&writer, packet.timestamp_us, out, bytes), TICKLOG_OK);
            written++;
            EXPECT(ticklog_packet_read(out, bytes - 1, &consumed, &needed, &packet, NULL), TICKLOG_END);
            EXPECT(needed == bytes ? TICKLOG_OK : TICKLOG_DAMAGED, TICKLOG_OK);
        }
        uint8_t copy[20 + 4 * 64];
        ticklog_log_record record;
        ticklog_status status;
        while ((status = ticklog_log_buffer_read(&keen, copy, sizeof copy, &record)) == TICKLOG_OK) {
            ticklog_packet packet;
            size_t consumed = 0, needed = 0;
            EXPECT(ticklog_packet_read(copy, record.bytes, &consumed, &needed, &packet, NULL), TICKLOG_OK);
            EXPECT(consumed == record.bytes && packet.timestamp_us == record.timestamp ? TICKLOG_OK : TICKLOG_DAMAGED, TICKLOG_OK);
            EXPECT(ticklog_image_apply(received, WORDS, &packet), TICKLOG_OK);
        }
        EXPECT(status, TICKLOG_END);
        EXPECT(memcmp(received, now, sizeof now) == 0 ? TICKLOG_OK : TICKLOG_DAMAGED, TICKLOG_OK);
        if (round % 50 == 49) {
            while (ticklog_log_buffer_read(&late, copy, sizeof copy, &record) == TICKLOG_OK) add(copy, record.bytes);
            ticklog_log_reader_statistics s = {.size = sizeof s};
            EXPECT(ticklog_log_buffer_reader_statistics(&late, &s), TICKLOG_OK);
            EXPECT(s.read + s.lost == written && s.lost > 0 && s.written == written ? TICKLOG_OK : TICKLOG_DAMAGED, TICKLOG_OK);
            add(&s.lost, sizeof s.lost);
            EXPECT(ticklog_log_buffer_attach(memory, sizeof memory, &writer), TICKLOG_OK);
        }
    }
    /* The ring's bytes are the same on every target; the header tells the word. */
    add((uint8_t *)memory + 128, CAPACITY);

    double time = -0.0;
    size_t bytes = 0, consumed = 0, needed = 0;
    ticklog_legacy_packet legacy = {.time = time, .control = control, .data = data, .rack = -1, .count = 64}, back;
    EXPECT(ticklog_legacy_build(&legacy, message + 1, sizeof message - 1, &bytes), TICKLOG_OK);
    add(message + 1, bytes);
    EXPECT(ticklog_legacy_read(message + 1, bytes, &consumed, &needed, &back, NULL), TICKLOG_OK);
    EXPECT(memcmp(&time, &back.time, 8) == 0 && back.rack == -1 ? TICKLOG_OK : TICKLOG_DAMAGED, TICKLOG_OK);
    message[16] = 255;
    ticklog_damage damage = {.size = sizeof damage};
    EXPECT(ticklog_legacy_read(message + 1, 16, &consumed, &needed, &back, &damage), TICKLOG_DAMAGED);
    EXPECT(damage.offset == 12 && damage.found_number == 0xFF000040u ? TICKLOG_OK : TICKLOG_DAMAGED, TICKLOG_OK);
}

int main(int argc, char **argv)
{
    unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    if (!sizes_hold) return 2;
    if (argc == 1) {
        packets();
        printf("packets %s %08lx\n", failures ? "FAILED" : "ok", (unsigned long)checksum);
        return failures != 0;
    }
    ticklog_packet packet = {.control = control, .data = data, .count = 16, .type = TICKLOG_SOURCE_RACK};
    ticklog_log_writer writer;
    ticklog_log_reader reader;
    ticklog_log_record record;
    size_t bytes;
    EXPECT(ticklog_log_buffer_create(memory, sizeof memory, CAPACITY, &writer), TICKLOG_OK);
    EXPECT(ticklog_log_buffer_open(memory, sizeof memory, TICKLOG_FROM_OLDEST, &reader), TICKLOG_OK);
    while (n-- > 0) {
        if (argc == 2) {
            EXPECT(ticklog_packet_build(&packet, message, sizeof message, &bytes), TICKLOG_OK);
        } else {
            EXPECT(ticklog_log_buffer_write(&writer, 1, message, 84), TICKLOG_OK);
            EXPECT(ticklog_log_buffer_read(&reader, message, 84, &record), TICKLOG_OK);
        }
    }
    return failures != 0;
}
