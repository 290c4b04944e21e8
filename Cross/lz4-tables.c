/* lz4 for tables on Linux, under names of its own: see build-lz4.sh. */
#include "lz4-original.c"

#define TICKLOG_LZ4_TABLES
#include "tables.h"

int tables_lz4_state_bytes(void) { return (int)sizeof(LZ4_stream_t); }
void *tables_lz4_init(void *state, int bytes) { return LZ4_initStream(state, (size_t)bytes); }
void tables_lz4_reset(void *state) { LZ4_resetStream_fast(state); }
int tables_lz4_load(void *state, const char *bytes, int count) { return LZ4_loadDict(state, bytes, count); }
int tables_lz4_save(void *state, char *to, int most) { return LZ4_saveDict(state, to, most); }
int tables_lz4_compress(void *state, const char *from, char *to, int count, int room, int acceleration)
{
    return LZ4_compress_fast_continue(state, from, to, count, room, acceleration);
}
