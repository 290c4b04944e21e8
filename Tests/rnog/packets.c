/* RNO-G packets and records of its own, written, read and read back from old versions, with what is the same on every target:
 * a line for each, with the Adler-32 of the packet and of the structure. */
#include <stdio.h>
#include <string.h>

#include <ticklog_rnog.h>

static uint8_t packet[1024];
static union {
    ticklog_rnog_header header;
    ticklog_rnog_daqstatus daqstatus;
    uint8_t bytes[512];
} record, again;
static int failed;

static void check(int good, const char *what)
{
    if (!good) {
        printf("FAILED %s\n", what);
        failed = 1;
    }
}

static void frame(uint16_t magic, uint16_t version, size_t payload)
{
    uint32_t sum = ticklog_adler32(1, packet + 4, payload);
    memcpy(packet, &magic, 2);
    memcpy(packet + 2, &version, 2);
    memcpy(packet + 4 + payload, &sum, 4);
}

static void read(uint16_t magic, uint16_t version, size_t payload)
{
    ticklog_record found;
    size_t needed, bytes, size = ticklog_rnog_size(magic);
    for (size_t i = 0; i < payload; i++) packet[4 + i] = (uint8_t)(i * 7 + version);
    frame(magic, version, payload);
    check(ticklog_rnog_next(packet, payload + 8, &needed, &found) == TICKLOG_OK, "next");
    check(found.payload_bytes == payload && found.version == version, "packet");
    check(ticklog_rnog_read(&found, &record, sizeof record) == TICKLOG_OK, "read");
    check(ticklog_rnog_write(magic, &record, packet, sizeof packet, &bytes) == TICKLOG_OK && bytes == size + 8, "write");
    check(ticklog_rnog_next(packet, bytes, &needed, &found) == TICKLOG_OK, "again");
    check(ticklog_rnog_read(&found, &again, sizeof again) == TICKLOG_OK && !memcmp(&record, &again, size), "the same");
    printf("%s %u, %u bytes: %08lx %08lx\n", ticklog_rnog_name(magic), version, (unsigned)payload,
           (unsigned long)ticklog_adler32(1, &record, size), (unsigned long)found.checksum);
    packet[20] ^= 1;
    check(ticklog_rnog_next(packet, bytes, &needed, &found) == TICKLOG_DAMAGED, "damage");
}

typedef struct {
    uint32_t a;
    double b;
} pair;

static ticklog_status from_1(void *context, const void *payload, uint32_t bytes, void *out)
{
    uint16_t a;
    (void)context;
    if (bytes != sizeof a) return TICKLOG_BAD_SIZE;
    memcpy(&a, payload, sizeof a);
    ((pair *)out)->a = a;
    ((pair *)out)->b = 0.5;
    return TICKLOG_OK;
}

static void records(void)
{
    static const ticklog_field fields[] = {TICKLOG_FIELD(pair, a, TICKLOG_U32, NULL), TICKLOG_FIELD(pair, b, TICKLOG_F64, NULL)};
    static const ticklog_record_form forms[] = {
        {.version = 1, .bytes = 2, .upconvert = from_1},
        {.version = 2, .bytes = sizeof(pair)},
    };
    static const ticklog_record_kind kinds[] = {{.size = sizeof kinds[0], .magic = 0x7052, .version = 2, .name = "pair",
        .record_bytes = sizeof(pair), .form_count = 2, .forms = forms, .field_count = 2, .fields = fields}};
    ticklog_record found;
    pair value;
    size_t needed, bytes;
    check(ticklog_record_check(kinds, 1) == TICKLOG_OK, "kinds");
    memset(&value, 0, sizeof value);
    value.a = 7;
    value.b = -1.25;
    check(ticklog_record_write(kinds, &value, packet, sizeof packet, &bytes) == TICKLOG_OK && bytes == 24, "record");
    printf("pair: %08lx\n", (unsigned long)ticklog_adler32(1, packet, bytes));
    packet[4] = 0xCD;
    packet[5] = 0xAB;
    frame(0x7052, 1, 2);
    check(ticklog_record_next(kinds, 1, packet, 10, &needed, &found) == TICKLOG_OK, "old record");
    check(ticklog_record_read(kinds, &found, &value, sizeof value) == TICKLOG_OK && value.a == 0xABCD && value.b == 0.5, "upconverted");
}

int main(void)
{
    static const uint16_t daqstatus[][2] = {{0, 184}, {1, 184}, {2, 272}, {2, 280}, {3, 280}, {3, 288}, {4, 296}, {4, 304}, {5, 296}, {5, 304}, {6, 504}};
    static const uint16_t header[][2] = {{0, 112}, {1, 132}, {2, 136}};
    for (size_t i = 0; i < sizeof header / sizeof header[0]; i++) read(TICKLOG_RNOG_HEADER, header[i][0], header[i][1]);
    for (size_t i = 0; i < sizeof daqstatus / sizeof daqstatus[0]; i++) read(TICKLOG_RNOG_DAQSTATUS, daqstatus[i][0], daqstatus[i][1]);
    records();
    puts(failed ? "failed" : "ok");
    return failed;
}
