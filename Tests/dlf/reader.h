/* The C reader of DLF, read in every way that there is, each compared with the samples in file order. */
#ifndef TICKLOG_TESTS_DLF_READER_H
#define TICKLOG_TESTS_DLF_READER_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ticklog.h"

typedef struct {
    uint32_t stream, count;
    uint64_t tick, offset;
    size_t at; /* of the bytes, in list_t.bytes */
} entry_t;

typedef struct {
    entry_t *entries;
    size_t count, room;
    uint8_t *bytes;
    size_t used, size;
    ticklog_status end; /* END, or DAMAGED behind the last */
} list_t;

static const char *path = "";
static uint64_t random_state = 1;

static uint64_t random64(void) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return random_state >> 20;
}

static uint32_t random_below(uint32_t limit) { return limit == 0 ? 0 : (uint32_t)(random64() % limit); }

static _Noreturn void differs(const char *what, uint64_t a, uint64_t b) {
    fprintf(stderr, "%s: %s (%llu, %llu)\n", path, what, (unsigned long long)a, (unsigned long long)b);
    exit(3);
}

static void *need(void *p) {
    if (p == NULL) differs("no memory", 0, 0);
    return p;
}

/* ---- Sources ---- */

typedef struct {
    const uint8_t *bytes;
    size_t count;
} image_t;

static ticklog_status read_image(void *context, uint64_t offset, void *bytes, uint32_t count) {
    const image_t *image = context;
    if (offset > image->count || count > image->count - offset) differs("reads behind the end", offset, count);
    if (count > 0) memcpy(bytes, image->bytes + offset, count);
    return TICKLOG_OK;
}

typedef struct {
    ticklog_dlf *dlf;
    ticklog_source source;
    image_t image;
    uint8_t *memory;
    size_t bytes;
    ticklog_status status;
} opened_t;

enum { GUARD = 32, MOST_MEMORY = 64 << 20 };

/* Opens in memory that is exactly as large as the reader says, with a guard behind. window 0: mapped; 1: the default. */
static void open_dlf(opened_t *o, const uint8_t *bytes, size_t count, uint32_t window) {
    memset(o, 0, sizeof *o);
    o->image = (image_t){bytes, count};
    o->source = (ticklog_source){.size = sizeof o->source, .bytes = count, .mapped = window == 0 && count > 0 ? bytes : NULL,
                                 .context = &o->image, .read = read_image};
    ticklog_dlf_config config = {.size = sizeof config, .window_bytes = window > 1 ? window : 0, .source = &o->source};
    o->status = ticklog_dlf_size(&config, &o->bytes);
    if (o->status != TICKLOG_OK) {
        if (o->status < TICKLOG_TOO_LARGE || o->status > TICKLOG_WRONG_FORMAT) differs("status of ticklog_dlf_size", (uint64_t)-o->status, 0);
        return;
    }
    if (o->bytes > MOST_MEMORY || (window != 1 && o->bytes > 100 * 70000 + count + window + 8192)) differs("memory", o->bytes, count);
    o->memory = need(malloc(o->bytes + GUARD));
    memset(o->memory, 0xA5, o->bytes + GUARD);
    o->status = ticklog_dlf_open(&config, o->memory, o->bytes, &o->dlf);
    if (o->status != TICKLOG_OK) differs("opens not what it sized", (uint64_t)-o->status, 0);
}

static void close_dlf(opened_t *o) {
    if (o->memory == NULL) return;
    for (int i = 0; i < GUARD; i++)
        if (o->memory[o->bytes + (size_t)i] != 0xA5) differs("wrote behind its memory", o->bytes, (uint64_t)i);
    free(o->memory);
}

/* ---- What is in the file ---- */

static void add(list_t *list, const ticklog_dlf_sample *s) {
    if (list->count == list->room) {
        list->room = list->room * 2 + 64;
        list->entries = need(realloc(list->entries, list->room * sizeof *list->entries));
    }
    if (list->used + s->count > list->size) {
        list->size = (list->used + s->count) * 2;
        list->bytes = need(realloc(list->bytes, list->size));
    }
    if (s->count > 0) memcpy(list->bytes + list->used, s->bytes, s->count);
    list->entries[list->count++] = (entry_t){s->stream, s->count, s->tick, s->offset, list->used};
    list->used += s->count;
}

static void free_list(list_t *list) {
    free(list->entries);
    free(list->bytes);
    *list = (list_t){0};
}

static void check_same(const list_t *list, size_t k, const ticklog_dlf_sample *s, const char *how) {
    const entry_t *e = &list->entries[k];
    if (s->stream != e->stream || s->tick != e->tick || s->offset != e->offset || s->count != e->count ||
        (e->count > 0 && memcmp(s->bytes, list->bytes + e->at, e->count) != 0))
        differs(how, s->tick, s->offset);
}

/* Every sample, in order. Bounded: samples of no bytes take ten bytes of an event file each. */
static void read_all(opened_t *o, list_t *list) {
    ticklog_dlf_sample s;
    memset(&s, 0, sizeof s);
    while ((list->end = ticklog_dlf_next(o->dlf, &s)) == TICKLOG_OK) {
        if (s.offset > o->image.count || s.count > o->image.count - s.offset) differs("a sample behind the end", s.offset, s.count);
        add(list, &s);
        if (list->count > o->image.count) differs("more samples than bytes", list->count, 0);
    }
    if (list->end != TICKLOG_END && list->end != TICKLOG_DAMAGED) differs("next", (uint64_t)-list->end, list->count);
    if (ticklog_dlf_next(o->dlf, &s) != list->end) differs("next behind the end", list->count, 0);
}

/* ---- Each way of reading ---- */

static void check_chosen(opened_t *o, const list_t *list, uint32_t stream, uint64_t from, uint64_t to) {
    ticklog_status status = ticklog_dlf_choose(o->dlf, stream, from, to);
    if (status != TICKLOG_OK) differs("choose", (uint64_t)-status, stream);
    size_t k = 0;
    for (;; k++) {
        while (k < list->count && ((stream != TICKLOG_ALL_STREAMS && list->entries[k].stream != stream) ||
                                   list->entries[k].tick < from || list->entries[k].tick >= to)) k++;
        ticklog_dlf_sample s;
        status = ticklog_dlf_next(o->dlf, &s);
        if (status != TICKLOG_OK) break;
        if (k >= list->count) differs("a window has more samples", from, to);
        check_same(list, k, &s, "a window has another sample");
    }
    if (k < list->count) differs("a window lacks samples", from, to);
    if (status != TICKLOG_END && status != list->end) differs("the end of a window", (uint64_t)-status, from);
}

static void check_blocks(opened_t *o, const list_t *list, uint32_t stream, uint32_t size, uint64_t from, uint64_t to) {
    ticklog_status status = ticklog_dlf_choose(o->dlf, stream, from, to);
    if (status != TICKLOG_OK) differs("choose", (uint64_t)-status, stream);
    size_t most = 1 + random_below(70), found = 0, k = 0;
    uint8_t *samples = need(malloc(most * size + 1));
    uint64_t ticks[70];
    bool with_ticks = random_below(4) > 0;
    while ((status = ticklog_dlf_read(o->dlf, samples, with_ticks ? ticks : NULL, most, &found)) == TICKLOG_OK) {
        if (found == 0 || found > most) differs("count of a block", found, most);
        for (size_t i = 0; i < found; i++, k++) {
            while (k < list->count && (list->entries[k].stream != stream || list->entries[k].tick < from || list->entries[k].tick >= to)) k++;
            if (k == list->count) differs("blocks have more samples", stream, from);
            if (with_ticks && ticks[i] != list->entries[k].tick) differs("tick of a block", ticks[i], list->entries[k].tick);
            if (size > 0 && memcmp(samples + i * size, list->bytes + list->entries[k].at, size) != 0) differs("bytes of a block", stream, list->entries[k].tick);
        }
    }
    for (; k < list->count; k++)
        if (list->entries[k].stream == stream && list->entries[k].tick >= from && list->entries[k].tick < to) differs("blocks lack samples", stream, from);
    if (status != TICKLOG_END && status != list->end) differs("the end of blocks", (uint64_t)-status, stream);
    free(samples);
}

static void check_at(opened_t *o, const list_t *list, const ticklog_dlf_stream *d, uint32_t stream, uint64_t tick, bool events) {
    ticklog_status want = TICKLOG_NOT_FOUND;
    size_t at = 0;
    uint64_t newest = 0;
    for (size_t k = 0; k < list->count; k++)
        if (list->entries[k].stream == stream && list->entries[k].tick <= tick && (want == TICKLOG_NOT_FOUND || list->entries[k].tick >= newest))
            want = TICKLOG_OK, at = k, newest = list->entries[k].tick;
    if (!events) {
        uint64_t past = (tick % d->interval + d->phase) % d->interval;
        if (past > tick) want = TICKLOG_NOT_FOUND; /* before the first */
        else if (want != TICKLOG_OK || list->entries[at].tick != tick - past) want = TICKLOG_END;
    }
    ticklog_dlf_sample s;
    ticklog_status status = ticklog_dlf_sample_at(o->dlf, stream, tick, &s);
    if (events && list->end == TICKLOG_DAMAGED && status == TICKLOG_DAMAGED) return;
    if (status != want) differs("sample_at answers another status", (uint64_t)-status, tick);
    if (status == TICKLOG_OK) check_same(list, at, &s, "sample_at has another sample");
}

static void check_measure(opened_t *o, const list_t *list, const ticklog_dlf_header *header) {
    ticklog_dlf_extent x = {.size = sizeof x};
    ticklog_status status = ticklog_dlf_measure(o->dlf, &x);
    if (status != TICKLOG_OK) differs("measure", (uint64_t)-status, 0);
    uint64_t last = 0, end = header->data_offset;
    for (size_t k = 0; k < list->count; k++) {
        const entry_t *e = &list->entries[k];
        if (e->tick > last) last = e->tick;
        if (e->offset + e->count + (header->is_events ? 10 : 0) > end) end = e->offset + e->count + (header->is_events ? 10 : 0);
    }
    if (x.samples != list->count || x.first_tick != (list->count ? list->entries[0].tick : 0) || x.last_tick != last) differs("measure: samples", x.samples, x.last_tick);
    if (x.tail_offset != end || x.tail_bytes != o->image.count - end) differs("measure: tail", x.tail_offset, x.tail_bytes);
    int32_t want = list->end == TICKLOG_DAMAGED ? TICKLOG_DAMAGED : x.tail_bytes ? TICKLOG_END : TICKLOG_OK;
    if (x.status != want && !(x.tail_bytes && header->streams == 0)) differs("measure: status", (uint64_t)-x.status, (uint64_t)-want);
}

/* Streams and their members lie within the header and the sample. */
static void check_streams(opened_t *o, const ticklog_dlf_header *header) {
    for (uint32_t i = 0; i < header->streams; i++) {
        ticklog_dlf_stream d = {.size = sizeof d};
        ticklog_status status = ticklog_dlf_get_stream(o->dlf, i, &d);
        if (status != TICKLOG_OK) differs("get_stream", (uint64_t)-status, i);
        if (!header->is_events && (d.interval == 0 || d.phase >= d.interval || d.sample_bytes == 0)) differs("schedule", d.interval, d.phase);
        uint64_t sum = 0;
        for (size_t k = 0; k < d.name.count; k++) sum += (uint8_t)d.name.bytes[k];
        for (size_t k = 0; k < d.notes.count; k++) sum += (uint8_t)d.notes.bytes[k];
        for (size_t k = 0; k < d.type_text.count; k++) sum += (uint8_t)d.type_text.bytes[k];
        if (sum == 0x123456789) printf(" "); /* they are read */
        uint32_t k = 0;
        ticklog_dlf_member m;
        for (; k < 3000 && (status = ticklog_dlf_get_member(d.type_text, d.sample_bytes, k, &m)) == TICKLOG_OK; k++)
            if (m.type > TICKLOG_F64 || m.offset > d.sample_bytes || TICKLOG_TYPE_SIZE(m.type) > d.sample_bytes - m.offset) differs("a member outside", k, m.offset);
        if (status == TICKLOG_NOT_FOUND && k != d.members) differs("number of members", k, d.members);
    }
    ticklog_dlf_stream d = {.size = sizeof d};
    if (ticklog_dlf_get_stream(o->dlf, header->streams, &d) != TICKLOG_NOT_FOUND) differs("a stream too many", header->streams, 0);
    if (ticklog_dlf_choose(o->dlf, header->streams, 0, 1) != TICKLOG_NOT_FOUND) differs("chooses a stream too many", header->streams, 0);
}

/* All of it, `thorough` times at random windows, streams and ticks. */
static void check_ways(opened_t *o, const list_t *list, unsigned thorough) {
    ticklog_dlf_header header = {.size = sizeof header};
    if (ticklog_dlf_get_header(o->dlf, &header) != TICKLOG_OK) differs("get_header", 0, 0);
    check_measure(o, list, &header);
    check_streams(o, &header);
    uint64_t last = list->count ? list->entries[list->count - 1].tick : 0;
    check_chosen(o, list, TICKLOG_ALL_STREAMS, 0, UINT64_MAX);
    for (unsigned n = 0; n < thorough; n++) {
        uint64_t from = last < UINT64_MAX - 3 ? random64() % (last + 3) : random64(), to = from + random_below(random_below(3) ? 5 : 500);
        check_chosen(o, list, TICKLOG_ALL_STREAMS, from, to < from ? UINT64_MAX : to);
        if (header.streams == 0) continue;
        uint32_t stream = random_below(header.streams);
        ticklog_dlf_stream d = {.size = sizeof d};
        (void)ticklog_dlf_get_stream(o->dlf, stream, &d);
        check_chosen(o, list, stream, random_below(2) ? 0 : from, random_below(2) ? UINT64_MAX : from + 100 < from ? UINT64_MAX : from + 100);
        if (d.sample_bytes < 1 << 20) check_blocks(o, list, stream, d.sample_bytes, random_below(2) ? 0 : from, UINT64_MAX);
        for (int k = 0; k < 6; k++) {
            uint64_t tick = last < UINT64_MAX - 3 ? random64() % (last + 3) : random64();
            check_at(o, list, &d, stream, k == 5 ? (random_below(2) ? UINT64_MAX : random64() << random_below(20)) : tick, header.is_events);
        }
        /* What was chosen stays over a sample_at. */
        ticklog_dlf_sample s, t;
        if (list->count >= 2 && ticklog_dlf_choose(o->dlf, TICKLOG_ALL_STREAMS, 0, UINT64_MAX) == TICKLOG_OK && ticklog_dlf_next(o->dlf, &s) == TICKLOG_OK) {
            (void)ticklog_dlf_sample_at(o->dlf, stream, from, &t);
            if (ticklog_dlf_next(o->dlf, &s) != TICKLOG_OK) differs("next behind sample_at", 0, 0);
            check_same(list, 1, &s, "next behind sample_at");
        }
        if (n == 0) check_measure(o, list, &header);
    }
}

/* The whole file by one source, compared with `list` (or, if it is empty, stored there). Answers how opening it ended. */
static inline ticklog_status read_file(const uint8_t *bytes, size_t count, uint32_t window, list_t *list, unsigned thorough) {
    opened_t o;
    open_dlf(&o, bytes, count, window);
    ticklog_status status = o.status;
    if (status == TICKLOG_OK) {
        list_t mine = {0};
        read_all(&o, &mine);
        if (window == 0) {
            *list = mine;
        } else {
            if (mine.count != list->count || mine.used != list->used || mine.end != list->end) differs("sources disagree", mine.count, list->count);
            for (size_t k = 0; k < mine.count; k++)
                if (mine.entries[k].offset != list->entries[k].offset || mine.entries[k].tick != list->entries[k].tick) differs("sources disagree at", k, 0);
            if (mine.used > 0 && memcmp(mine.bytes, list->bytes, mine.used) != 0) differs("sources disagree about bytes", 0, 0);
            free_list(&mine);
        }
        check_ways(&o, list, thorough);
    }
    close_dlf(&o);
    return status;
}

#endif
