/* liblz4, as it is. */
#ifndef TICKLOG_CLZ4_SHIM_H
#define TICKLOG_CLZ4_SHIM_H

#include <lz4.h>
#ifndef BARE_METAL
#include <lz4hc.h>
#endif

/* Bytes of the history before `end` are not what they were: LZ4 must not refer to them. */
static inline void clz4_forget_before(LZ4_stream_t *stream, const void *end)
{
    LZ4_stream_t_internal *state = &stream->internal_donotuse;
    const LZ4_byte *from = (const LZ4_byte *)end, *last = state->dictionary + state->dictSize;
    if (state->dictSize == 0 || from <= state->dictionary) return;
    state->dictSize = from < last ? (LZ4_u32)(last - from) : 0;
    state->dictionary = last - state->dictSize;
}

#endif
