/* What a reader of a growing file sees, after every write of storage: whole samples, and no tick_span that lies. */
#include "reader.h"

void observe(const char *name, const uint8_t *bytes, size_t count, bool append_only, uint64_t ticks);

void observe(const char *name, const uint8_t *bytes, size_t count, bool append_only, uint64_t ticks) {
    if (strcmp(name, "polled.dlf") != 0 && strcmp(name, "event.dlf") != 0 && strcmp(name, "loss.dlf") != 0) return;
    path = name;
    opened_t o;
    open_dlf(&o, bytes, count, 0);
    if (o.status != TICKLOG_OK) return; /* its header is not whole yet */
    ticklog_dlf_header h = {.size = sizeof h};
    ticklog_dlf_extent x = {.size = sizeof x};
    if (ticklog_dlf_get_header(o.dlf, &h) || ticklog_dlf_measure(o.dlf, &x)) differs("a growing file", count, ticks);
    if (x.status == TICKLOG_DAMAGED || x.tail_offset + x.tail_bytes != count) differs("a growing file is damaged", count, x.tail_bytes);
    if (x.samples > 0 && x.last_tick >= ticks && ticks > 0) differs("a tick that has not been", x.last_tick, ticks);
    if (append_only && h.tick_span != 0) differs("tick_span on append-only storage", h.tick_span, 0);
    if (h.tick_span > 0 && h.tick_span >= ticks) differs("tick_span of a tick that has not been", h.tick_span, ticks);
    /* Of a polled file every sample up to tick_span is there. */
    for (uint32_t i = 0; !h.is_events && h.tick_span > 0 && i < h.streams; i++) {
        ticklog_dlf_sample s;
        ticklog_status status = ticklog_dlf_sample_at(o.dlf, i, h.tick_span, &s);
        if (status != TICKLOG_OK && status != TICKLOG_NOT_FOUND) differs("tick_span is beyond the data", h.tick_span, i);
    }
    close_dlf(&o);
}
