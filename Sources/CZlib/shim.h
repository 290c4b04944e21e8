/* zlib, loaded at run time: what of its interface (zlib.h, stable since 1.2 for all of libz.so.1) is used. Its header is not
 * needed for building, nor is the library for running what reads no .gz files. */
#ifndef TICKLOG_CZLIB_SHIM_H
#define TICKLOG_CZLIB_SHIM_H

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct czlib_stream { /* z_stream */
    const uint8_t *next_in;
    unsigned available_in;
    unsigned long total_in;
    uint8_t *next_out;
    unsigned available_out;
    unsigned long total_out;
    const char *message;
    void *state;
    void *(*allocate)(void *opaque, unsigned items, unsigned size); /* NULL: malloc */
    void (*release)(void *opaque, void *address);
    void *opaque;
    int data_type;
    unsigned long adler;
    unsigned long reserved;
} czlib_stream;

static const int CZLIB_OK = 0;
static const int CZLIB_STREAM_END = 1;
static const int CZLIB_BUFFER_ERROR = -5;
static const int CZLIB_NO_FLUSH = 0;
static const int CZLIB_FINISH = 4;

/* F(NAME, RESULT, ARGUMENTS): the functions. */
#define CZLIB_FUNCTIONS(F) \
    F(inflateInit2_, int, (czlib_stream *, int window_bits, const char *version, int stream_size)) \
    F(inflate, int, (czlib_stream *, int flush)) \
    F(inflateReset, int, (czlib_stream *)) \
    F(inflateEnd, int, (czlib_stream *)) \
    F(deflateInit2_, int, (czlib_stream *, int level, int method, int window_bits, int memory_level, int strategy, \
                           const char *version, int stream_size)) \
    F(deflate, int, (czlib_stream *, int flush)) \
    F(deflateEnd, int, (czlib_stream *))

typedef struct czlib {
#define CZLIB_FIELD(name, result, arguments) result(*name) arguments;
    CZLIB_FUNCTIONS(CZLIB_FIELD)
#undef CZLIB_FIELD
} czlib;

/* Fills the table. 0, or -1 with the reason in `text`. */
static inline int czlib_load(czlib *table, const char *library, char *text, size_t room)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char *reason = dlerror();
        snprintf(text, room, "%s", reason ? reason : "unknown");
        return -1;
    }
#define CZLIB_FIND(name, result, arguments) \
    if (!(*(void **)&table->name = dlsym(handle, #name))) { \
        snprintf(text, room, "%s has no function %s", library, #name); \
        return -1; \
    }
    CZLIB_FUNCTIONS(CZLIB_FIND)
#undef CZLIB_FIND
    return 0;
}

/* gzip, with its header and trailer: 15 bits of window, and 16. The version must begin as the library's. */
static inline int czlib_begin_inflate(const czlib *table, czlib_stream *stream)
{
    return table->inflateInit2_(stream, 15 + 16, "1.2.0", (int)sizeof(czlib_stream));
}
static inline int czlib_begin_deflate(const czlib *table, czlib_stream *stream, int level)
{
    return table->deflateInit2_(stream, level, 8, 15 + 16, 8, 0, "1.2.0", (int)sizeof(czlib_stream));
}

#endif
