/* The fast compressor that tables use. Where the project compiles lz4 itself, for Linux targets, it is one with a larger hash
 * table than runs have, whose bytes are the same on all targets; elsewhere it is liblz4's. */
#ifndef TICKLOG_CLZ4_TABLES_H
#define TICKLOG_CLZ4_TABLES_H

#ifdef TICKLOG_LZ4_TABLES
int tables_lz4_state_bytes(void);
void *tables_lz4_init(void *state, int bytes);
void tables_lz4_reset(void *state);
int tables_lz4_load(void *state, const char *bytes, int count);
int tables_lz4_save(void *state, char *to, int most);
int tables_lz4_compress(void *state, const char *from, char *to, int count, int room, int acceleration);
#else
static inline int tables_lz4_state_bytes(void) { return (int)sizeof(LZ4_stream_t); }
static inline void *tables_lz4_init(void *state, int bytes) { return LZ4_initStream(state, (size_t)bytes); }
static inline void tables_lz4_reset(void *state) { LZ4_resetStream_fast((LZ4_stream_t *)state); }
static inline int tables_lz4_load(void *state, const char *bytes, int count)
{
    return LZ4_loadDict((LZ4_stream_t *)state, bytes, count);
}
static inline int tables_lz4_save(void *state, char *to, int most) { return LZ4_saveDict((LZ4_stream_t *)state, to, most); }
static inline int tables_lz4_compress(void *state, const char *from, char *to, int count, int room, int acceleration)
{
    return LZ4_compress_fast_continue((LZ4_stream_t *)state, from, to, count, room, acceleration);
}
#endif

#endif
