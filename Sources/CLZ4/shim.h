/* liblz4, as it is. In Linux archives it is there twice (Cross/build-lz4.sh): for runs with a small hash table, whose bytes
 * are the same on all targets, and for tables with lz4's own. `table` says which one is meant. */
#ifndef TICKLOG_CLZ4_SHIM_H
#define TICKLOG_CLZ4_SHIM_H

#include <stdbool.h>
#include <stddef.h>

#include <lz4.h>
#ifndef BARE_METAL
#include <lz4hc.h>
#endif

#ifdef TICKLOG_TWO_LZ4
extern LZ4_stream_t *table_LZ4_initStream(void *state, size_t bytes);
extern void table_LZ4_resetStream_fast(LZ4_stream_t *stream);
extern int table_LZ4_compress_fast_continue(LZ4_stream_t *stream, const char *from, char *to, int count, int room, int acceleration);
extern int table_LZ4_loadDict(LZ4_stream_t *stream, const char *bytes, int count);
extern int table_LZ4_saveDict(LZ4_stream_t *stream, char *to, int most);
extern int table_LZ4_compress_fast_extState(void *state, const char *from, char *to, int count, int room, int acceleration);
extern int table_LZ4_sizeofState(void);
#define CLZ4_CALL(function, ...) (table ? table_##function(__VA_ARGS__) : function(__VA_ARGS__))
#else
#define CLZ4_CALL(function, ...) ((void)table, function(__VA_ARGS__))
#endif

static inline int clz4_state_bytes(bool table) { return CLZ4_CALL(LZ4_sizeofState); }

static inline LZ4_stream_t *clz4_init(bool table, void *state)
{
    return CLZ4_CALL(LZ4_initStream, state, (size_t)clz4_state_bytes(table));
}

static inline void clz4_reset(bool table, LZ4_stream_t *stream) { CLZ4_CALL(LZ4_resetStream_fast, stream); }

static inline int clz4_compress(bool table, LZ4_stream_t *stream, const void *from, int count, void *to, int room, int acceleration)
{
    return CLZ4_CALL(LZ4_compress_fast_continue, stream, (const char *)from, (char *)to, count, room, acceleration);
}

#ifndef BARE_METAL
static inline void clz4_load(bool table, LZ4_stream_t *stream, const void *bytes, int count)
{
    (void)CLZ4_CALL(LZ4_loadDict, stream, (const char *)bytes, count);
}

static inline int clz4_save(bool table, LZ4_stream_t *stream, void *to, int most)
{
    return CLZ4_CALL(LZ4_saveDict, stream, (char *)to, most);
}

static inline int clz4_compress_whole(bool table, void *state, const void *from, int count, void *to, int room, int acceleration)
{
    return CLZ4_CALL(LZ4_compress_fast_extState, state, (const char *)from, (char *)to, count, room, acceleration);
}
#endif

#endif
