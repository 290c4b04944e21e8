/* ticklog.h: log on the microcontroller, open it in pandas.
 *
 * SPDX-License-Identifier: MIT
 *
 * A logger has streams: variables of yours that it samples. A run is one recording of them: a directory of standard
 * files, BCSV (PyPI's pybcsv opens it) or DLF. One context of yours samples, another one writes:
 *
 *     timer interrupt or sampler thread          main loop or writer thread
 *     ---------------------------------          --------------------------
 *     ticklog_tick(run, 1);                      ticklog_service(run);
 *
 * Three promises:
 *   1. The sampler never waits. ticklog_tick and ticklog_emit allocate nothing, block on nothing, do no I/O and run a
 *      bounded number of instructions. They may be called from an interrupt.
 *   2. Nothing is lost in silence. For every stream, at every moment:
 *      offered = written + declared lost + still in the ring.
 *   3. What was flushed is there, after a power cut, a full disk or kill -9.
 *
 * Memory. Nothing here allocates. A logger and every run live in memory that you bring; ticklog_logger_size and
 * ticklog_run_size tell how much. What you describe a stream with (its name, fields, source) is referred to, not
 * copied: it must stay as it is while the logger exists. Configurations are read during the call and not kept, but for
 * what they point to, where the field says so.
 *
 * Structures that you fill begin with `size`, their own sizeof, so that they can grow. Set what you need, leave the
 * rest 0: 0 is the default everywhere, and the comment says what it means. A program that was compiled with an older
 * header gives a smaller size: nothing behind it is read or written, and what it lacks is 0. A larger size, of a newer
 * header, is refused (BAD_SIZE). Structures without `size` stay as they are.
 *
 *     ticklog_config config = { .size = sizeof config };          (C: the rest is zero)
 *
 * Status. Every call answers 0 (TICKLOG_OK) or one of the negative numbers below. A call that refuses its arguments has
 * changed nothing.
 *
 * Contexts. Each function names who may call it:
 *   [ticker]     the one context that calls ticklog_tick on the run: an interrupt or a thread
 *   [service]    the one context that does the run's I/O: ticklog_service, _flush, _stop
 *   [any]        any context at any time
 *   [set-up]     no other call on the same logger is under way
 *
 * Integers and floats are little-endian, as the host's: big-endian targets do not compile. Names of streams and fields
 * match [A-Za-z_][A-Za-z0-9_]{0,30}; `ticklog` is reserved.
 */
#ifndef TICKLOG_H
#define TICKLOG_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "TickLog writes samples in host byte order and needs a little-endian target"
#endif

/* ------------------------------------------------------------------------------------------------------------------
 * Versions
 * ------------------------------------------------------------------------------------------------------------------ */

#define TICKLOG_VERSION "1.0.0"
#define TICKLOG_ABI 1

/* [any] The library's version as text, "1.0.0". */
const char *ticklog_version(void);

/* [any] The ABI that the library was built with. It is compatible with this header if it equals TICKLOG_ABI. */
uint32_t ticklog_abi(void);

/* ------------------------------------------------------------------------------------------------------------------
 * Status
 * ------------------------------------------------------------------------------------------------------------------ */

typedef int32_t ticklog_status;

#define TICKLOG_OK 0

/* Arguments */
#define TICKLOG_NULL (-1)              /* a pointer that must not be NULL is */
#define TICKLOG_BAD_SIZE (-2)          /* a structure's `size` is not one that this library knows, or a byte count is not the stream's */
#define TICKLOG_NO_MEMORY (-3)         /* less memory than ticklog_logger_size or ticklog_run_size said */
#define TICKLOG_MISALIGNED (-4)        /* memory is not aligned to 8 bytes */
#define TICKLOG_OVERLAP (-5)           /* memory overlaps the logger, an open run, or the result pointer */
#define TICKLOG_BAD_HANDLE (-6)        /* not a logger, run or stream, or one of another logger */
#define TICKLOG_BAD_ARGUMENT (-7)      /* a value outside its range: see the field's comment */
#define TICKLOG_BAD_NAME (-8)          /* a name is empty, has an illegal character or is reserved */
#define TICKLOG_NAME_TOO_LONG (-9)     /* a name, unit, note or path is longer than its limit */
#define TICKLOG_DUPLICATE_NAME (-10)   /* the logger has a stream of this name, or the stream a field of this name */
#define TICKLOG_BAD_TYPE (-11)         /* not a type code, or not one that the run's format can hold (strings in DLF, opaque in BCSV) */
#define TICKLOG_BAD_FIELD (-12)        /* a field's offset, size or count does not lie within the source */
#define TICKLOG_BELOW_TICK (-13)       /* an interval is shorter than the run's tick */
#define TICKLOG_NOT_MULTIPLE (-14)     /* an interval or phase is not a multiple of the run's tick */
#define TICKLOG_BAD_TICK (-15)         /* tick_ns is 0 or one that the format cannot hold; elapsed is out of range; a tick lies in the future */
#define TICKLOG_TOO_MANY (-16)         /* more streams, runs, columns or bytes a row than configured or possible */
#define TICKLOG_BAD_STORAGE (-17)      /* the storage table lacks a callback, or its block sizes are illegal */
#define TICKLOG_UNSUPPORTED (-18)      /* the format cannot do this: notes and clock in DLF, flat rows of differing intervals, no_tick_column without a polled stream */

/* State */
#define TICKLOG_CLOSED (-20)           /* the run was stopped, or no run is open */
#define TICKLOG_RUN_OPEN (-21)         /* not while a run is open */
#define TICKLOG_NO_ENTROPY (-22)       /* neither a run name nor a source of random bytes was given */
#define TICKLOG_RING_FULL (-23)        /* the sample was dropped; it is counted and will be declared in the file */
#define TICKLOG_BUSY (-24)             /* storage is busy (a storage callback may answer this); call again later */
#define TICKLOG_FULL (-25)             /* max_bytes is reached: the run has stopped itself, cleanly */
#define TICKLOG_END (-26)              /* there is no further row */

/* Storage: what its callbacks answer and service, flush, start and stop report */
#define TICKLOG_IO (-30)               /* the medium failed */
#define TICKLOG_NO_SPACE (-31)         /* the medium is full */
#define TICKLOG_EXISTS (-32)           /* the run or file exists already */
#define TICKLOG_NOT_FOUND (-33)        /* no such file or directory */
#define TICKLOG_DENIED (-34)           /* not permitted, or read-only */

/* What is read: ticklog_reader_damage tells where, what was found and what was expected */
#define TICKLOG_WRONG_FORMAT (-40)     /* not a file of this format, or a version or codec of it that is not read */
#define TICKLOG_DAMAGED (-41)          /* bytes contradict their checksum, the schema or the limits */
#define TICKLOG_TOO_LARGE (-42)        /* a packet or row needs more memory than the reader or writer was given */

/* Network */
#define TICKLOG_TIMED_OUT (-50)        /* it did not happen within the time limit */
#define TICKLOG_DISCONNECTED (-51)     /* the other side closed the connection, or nobody listens there */

/* [any] A short English text for a status; never NULL, "unknown status" for a number not listed. */
const char *ticklog_status_text(ticklog_status status);

/* ------------------------------------------------------------------------------------------------------------------
 * Storage: the callbacks through which a run writes its files
 *
 *  1. Every callback gets `context` first and is called from the run's [service] context only (or from ticklog_start).
 *  2. A callback answers TICKLOG_OK or a negative status. It never blocks for ever; a medium that is busy answers
 *     TICKLOG_BUSY, and is asked again at the next service (ticklog_start asks write and sync again at once, up to
 *     100000 times; the other callbacks it asks once).
 *  3. Paths are the logger's root, '/', the run's name, '/', a file's name; NUL-terminated, valid during the call.
 *  4. make_directory creates one directory whose parent exists; TICKLOG_EXISTS if there is something of that name.
 *  5. open creates a new file for writing; TICKLOG_EXISTS if there is one. It stores a handle of its choice.
 *  6. write stores bytes[0..<count] at `offset` and says in *accepted how many it took: all, fewer, or 0 with
 *     TICKLOG_BUSY. `offset` is the file's end, but for two cases: a retry after a failure repeats the same bytes at
 *     the same offset, and a DLF run patches 8 bytes at offset 3 (never if TICKLOG_APPEND_ONLY is set).
 *  7. `bytes` is aligned to block_alignment, and offset and count are multiples of block_size, except around a flush
 *     and for the patch. A write that was accepted is finished with its bytes: DMA from them needs a copy or BUSY.
 *     Bytes that a write answered BUSY for stay as and where they are until they are accepted (not the patch's), and a
 *     retry has at least as many.
 *  8. sync returns when all accepted bytes, and the file's directory entry, survive a power cut. NULL: not needed.
 *  9. close ends the handle whatever it answers; it is not used again.
 * 10. remove deletes a file, or an empty directory. It is called for LOCK at the end of a run, and to clear away a run
 *     that could not start.
 * 11. free_bytes tells the room on the medium that holds the directory `path`, the logger's root; NULL: unknown.
 *     ticklog_start asks once.
 * ------------------------------------------------------------------------------------------------------------------ */

typedef void *ticklog_file;

#define TICKLOG_APPEND_ONLY 1u /* storage flag: bytes once written cannot be changed */

typedef struct ticklog_storage {
    uint32_t size;            /* sizeof(ticklog_storage) */
    uint32_t flags;           /* 0 or TICKLOG_APPEND_ONLY */
    uint32_t block_size;      /* bytes; a power of two, 16 to 65536; 0: 512 */
    uint32_t block_alignment; /* bytes; a power of two, 1 to 4096; 0: 32 */
    void *context;
    ticklog_status (*make_directory)(void *context, const char *path);
    ticklog_status (*open)(void *context, const char *path, ticklog_file *file);
    ticklog_status (*write)(void *context, ticklog_file file, uint64_t offset, const void *bytes, uint32_t count,
                            uint32_t *accepted);
    ticklog_status (*sync)(void *context, ticklog_file file);
    ticklog_status (*close)(void *context, ticklog_file file);
    ticklog_status (*remove)(void *context, const char *path);
    ticklog_status (*free_bytes)(void *context, const char *path, uint64_t *bytes);
} ticklog_storage;

/* [any] Files of a POSIX system: openat, complete writes, fsync, and fsync of the directory. In Linux builds of the
 * library only. The table is constant and is never NULL. */
const ticklog_storage *ticklog_posix_storage(void);

/* ------------------------------------------------------------------------------------------------------------------
 * Logger
 * ------------------------------------------------------------------------------------------------------------------ */

typedef struct ticklog_logger ticklog_logger;
typedef struct ticklog_run ticklog_run;
typedef struct ticklog_stream ticklog_stream;

typedef struct ticklog_config {
    uint32_t size;                  /* sizeof(ticklog_config) */
    uint16_t max_streams;           /* streams that will be added; 0: 16; at most 65000 */
    uint16_t max_runs;              /* runs open at once; 0: 2 (rotation without a gap needs two); at most 64 */
    const char *root;               /* directory that holds the runs; it exists; at most 200 bytes; kept */
    const ticklog_storage *storage; /* kept */
    ticklog_status (*random)(void *context, void *bytes, size_t count); /* entropy for run ids; NULL: runs need names */
    void *random_context;
} ticklog_config;

/* [any] Bytes of memory that ticklog_logger_init needs for this configuration; 0 if the configuration is invalid. */
size_t ticklog_logger_size(const ticklog_config *config);

/* [set-up] Makes a logger in `memory` (aligned to 8, `bytes` long) and stores it in *logger. The memory is the logger's
 * until you stop using it; there is nothing to close.
 * Errors: NULL, BAD_SIZE, BAD_ARGUMENT, BAD_STORAGE, NAME_TOO_LONG, MISALIGNED, OVERLAP, NO_MEMORY. */
ticklog_status ticklog_logger_init(void *memory, size_t bytes, const ticklog_config *config, ticklog_logger **logger);

/* ------------------------------------------------------------------------------------------------------------------
 * Streams
 * ------------------------------------------------------------------------------------------------------------------ */

/* Types, with BCSV's codes. A string field is a char array: the text ends at its first NUL or its capacity. */
#define TICKLOG_BOOL 0u
#define TICKLOG_U8 1u
#define TICKLOG_U16 2u
#define TICKLOG_U32 3u
#define TICKLOG_U64 4u
#define TICKLOG_I8 5u
#define TICKLOG_I16 6u
#define TICKLOG_I32 7u
#define TICKLOG_I64 8u
#define TICKLOG_F32 9u
#define TICKLOG_F64 10u
#define TICKLOG_STRING 11u
#define TICKLOG_TEXT 64u    /* a string of any length and content: the member is a ticklog_text; in tables only */
#define TICKLOG_OPAQUE 255u /* bytes without a meaning; a whole stream, in DLF runs only */

/* Bytes of one value of a type; 1 for strings (whose size is their capacity). */
#define TICKLOG_TYPE_SIZE(type)                                                                                        \
    ((type) == TICKLOG_TEXT                                                    ? (unsigned)sizeof(ticklog_text)        \
     : (type) == TICKLOG_U64 || (type) == TICKLOG_I64 || (type) == TICKLOG_F64   ? 8u                                    \
     : (type) == TICKLOG_U32 || (type) == TICKLOG_I32 || (type) == TICKLOG_F32 ? 4u                                    \
     : (type) == TICKLOG_U16 || (type) == TICKLOG_I16                          ? 2u                                    \
                                                                               : 1u)

/* One member of the sampled structure. */
typedef struct ticklog_field {
    const char *name; /* unique in the stream */
    const char *unit; /* at most 31 bytes, UTF-8; NULL: none */
    uint16_t type;    /* TICKLOG_BOOL to TICKLOG_STRING */
    uint16_t count;   /* more than 1: an array, whose columns are name[0], name[1], ...; 0 is 1 */
    uint32_t offset;  /* bytes from the start of the source; need not be aligned */
    uint32_t size;    /* bytes of the whole member; for a string its capacity, 1 to 65535. 0: count times the type's size */
} ticklog_field;

/* Describes `member` of structure `T`: { "member", unit, type, count, offset, size }, arrays included. A type whose size
 * does not fit the member is refused by ticklog_add. */
#define TICKLOG_FIELD(T, member, type, unit)                                                                           \
    {                                                                                                                  \
        #member, unit, (uint16_t)(type),                                                                               \
            (uint16_t)((type) == TICKLOG_STRING ? 1u : sizeof(((T *)0)->member) / TICKLOG_TYPE_SIZE(type)),            \
            (uint32_t)offsetof(T, member), (uint32_t)sizeof(((T *)0)->member)                                          \
    }

/* What makes a stream be logged. */
#define TICKLOG_POLL 1u  /* at every tick with (tick + phase) mod interval = 0, from its source */
#define TICKLOG_WATCH 2u /* at a tick at which the bytes of its source differ from those last logged, and at the first */
#define TICKLOG_EMIT 3u  /* when you call ticklog_emit */

typedef struct ticklog_stream_config {
    uint32_t size;               /* sizeof(ticklog_stream_config) */
    uint16_t kind;               /* TICKLOG_POLL, TICKLOG_WATCH or TICKLOG_EMIT */
    uint16_t type;               /* of a stream without fields: a single primitive, or TICKLOG_OPAQUE */
    const char *name;            /* unique in the logger */
    const char *unit;            /* of a stream without fields; at most 31 bytes; NULL: none */
    const char *notes;           /* free text, at most 127 bytes, UTF-8; NULL: none */
    const char *type_name;       /* DLF's name of the structure; NULL: the stream's name */
    const void *source;          /* what is sampled; POLL and WATCH; EMIT: ignored */
    uint32_t source_size;        /* bytes of the source, or of an emitted event; 0 with a type: the type's size */
    uint32_t field_count;        /* members of the structure; 0: the stream is a single value of `type` */
    const ticklog_field *fields; /* field_count of them */
    uint64_t interval_ns;        /* POLL: time between samples, a multiple of the run's tick; 0: every tick */
    uint64_t phase_ns;           /* POLL: a multiple of the run's tick */
    uint32_t queue_bytes;        /* EMIT: 0: ticklog_emit is called from the [ticker] context; otherwise each run has a queue of
                                    this size for the stream, raised to what two events need, and one context of its own may
                                    emit */
    uint32_t reserved;           /* 0 */
    int32_t (*try_lock)(void *lock_context); /* guards the source. 0: it is yours now, as pthread_mutex_trylock says
                                                it; else another one has it. It must not wait. POLL: a refusal keeps the last
                                                value, declared as BUSY; WATCH: the next tick looks again. NULL: no guard.
                                                Both or neither */
    void (*unlock)(void *lock_context);
    void *lock_context;
} ticklog_stream_config;

/* [set-up] Adds a stream. Its index in every file is the order of adding, from 0. `stream` may be NULL if it is not
 * emitted. Time: in proportion to the streams there are, plus the square of its fields.
 * Errors: NULL, BAD_HANDLE, BAD_SIZE, BAD_ARGUMENT, BAD_NAME, NAME_TOO_LONG, DUPLICATE_NAME, BAD_TYPE, BAD_FIELD,
 * TOO_MANY, RUN_OPEN. */
ticklog_status ticklog_add(ticklog_logger *logger, const ticklog_stream_config *config, ticklog_stream **stream);

/* ------------------------------------------------------------------------------------------------------------------
 * Runs
 * ------------------------------------------------------------------------------------------------------------------ */

/* Formats */
#define TICKLOG_BCSV 0u /* meta.bcsv, streams.bcsv, polled.bcsv, event.bcsv */
#define TICKLOG_DLF 1u  /* meta.dlf, polled.dlf, event.dlf, loss.dlf */

/* Row codecs; event.bcsv is always ZOH */
#define TICKLOG_ZOH 1u   /* zero-order hold: only what changed is stored */
#define TICKLOG_FLAT 2u  /* every value of every row is stored */
#define TICKLOG_DELTA 3u /* differences to the row before; version 1.5 only */

/* File codecs */
#define TICKLOG_PACKET 1u     /* checksummed packets, not compressed */
#define TICKLOG_PACKET_LZ4 2u /* each row LZ4-compressed against the packet's earlier rows */
#define TICKLOG_BATCH 3u      /* each packet is one LZ4 block; needs memory for two packets; version 1.5 only */
#define TICKLOG_STREAM 4u     /* rows with a checksum each, no packets, no footer; tables only */
#define TICKLOG_STREAM_LZ4 5u /* the same, each row LZ4-compressed; tables only */

/* BCSV versions, the stamp in the file header */
#define TICKLOG_BCSV_1_5 15u
#define TICKLOG_BCSV_1_3 13u

typedef struct ticklog_run_config {
    uint32_t size;              /* sizeof(ticklog_run_config) */
    uint8_t format;             /* TICKLOG_BCSV or TICKLOG_DLF */
    uint8_t row_codec;          /* of polled.bcsv; 0: TICKLOG_ZOH */
    uint8_t file_codec;         /* of polled.bcsv: PACKET, PACKET_LZ4 or BATCH; 0: TICKLOG_PACKET_LZ4 */
    uint8_t event_codec;        /* of event.bcsv: as file_codec; 0: TICKLOG_PACKET (small rows do not compress) */
    uint64_t tick_ns;           /* length of a tick; required. DLF: a multiple of 1000 below 2^32 microseconds */
    int64_t epoch_ns;           /* Unix time of tick 0 in nanoseconds; 0: unknown */
    const char *name;           /* the run's directory, 1 to 36 of [0-9A-Za-z-] (8 with short_names); NULL: a random UUID */
    uint8_t short_names;        /* 1: 8.3 names for FAT without long names (META.BCS, POLLED.BCS, ...) */
    uint8_t no_tick_column;     /* 1: polled.bcsv has no `tick` column. Row i is the schedule's i-th due tick; lost rows repeat
                                   the row before, and are declared */
    uint8_t allow_wide;         /* 1: TICKLOG_FLAT although intervals differ */
    uint8_t level;              /* LZ4: 1 (fastest) to 9; 0: 1. BATCH: from 6 on LZ4-HC, as in ticklog_table_config */
    uint8_t bcsv_version;       /* 0: TICKLOG_BCSV_1_5 */
    uint8_t reserved[3];        /* 0 */
    uint32_t ring_bytes;        /* the ring between tick and service; 0: eight polled rows and 2048 bytes. A sampled row takes
                                   its bytes, each stream rounded up to 4 (and 4 more if guarded), plus 16. Raised to what
                                   two of the longest records need */
    uint32_t note_bytes;        /* ring of ticklog_note; 0: 512 */
    uint32_t buffer_bytes;      /* write buffer of each file; 0: the least that holds a row (BATCH: a packet and two rows) and
                                   two blocks, at least 2048 */
    uint32_t window_bytes;      /* LZ4 history of PACKET_LZ4, 4096 to 65536; 0: 4096 */
    uint32_t packet_bytes;      /* a packet is closed when it has as many (BATCH: before compression), in both files; 512 to
                                   2^30; 0: 65536, or 16384 if either file is BATCH. Each file that is BATCH collects a packet
                                   in memory, and its write buffer is raised to hold another: twice packet_bytes and three
                                   rows in all */
    uint32_t index_entries;     /* of each file's footer, 2 to 65536; 0: 256. When full, every second one is dropped; of DELTA rows, all */
    uint32_t flush_ms;          /* a packet is closed, written and synced after as many ticks, if there is something new; 0: 1000 */
    uint64_t roll_bytes;        /* BCSV: the file is continued in a new one when it has as many; 0: 2^31; at most 4000000000 */
    uint64_t max_bytes;         /* the run stops itself, cleanly, before its files take more; 0: no limit */
    const void *metadata;       /* your own values for meta.bcsv (as user.<field>) or meta.dlf; NULL: none. Read by ticklog_start */
    uint32_t metadata_size;     /* bytes of *metadata */
    uint32_t metadata_field_count;
    const ticklog_field *metadata_fields;
    const char *metadata_type_name; /* DLF's name of the structure, or without fields of the primitive ("double"); NULL: "meta" */
} ticklog_run_config;

/* [any, not during ticklog_add] Bytes of memory that ticklog_start needs for a run of these streams and this
 * configuration, exactly; 0 if it is invalid (ticklog_start then tells why, whatever memory it is given). */
size_t ticklog_run_size(const ticklog_logger *logger, const ticklog_run_config *config);

/* [service] Creates the run's directory and files, and opens it for ticks and events. `memory` (aligned to 8) is the
 * run's until ticklog_stop has returned. A run that is already open goes on: open the next one before stopping the old
 * for rotation without a gap. Tick 0 is the first one that ticklog_tick makes, and epoch_ns is its time: since creating
 * and syncing the files takes a while, choose it a little ahead, or leave it 0 and call ticklog_set_time.
 * If storage refuses, what was created is removed again as far as storage lets it.
 * Errors: those of the configuration, BAD_HANDLE, TOO_MANY (runs), NO_ENTROPY, MISALIGNED, OVERLAP, NO_MEMORY, and
 * storage's (EXISTS if the run's directory is there already). */
ticklog_status ticklog_start(ticklog_logger *logger, const ticklog_run_config *config, void *memory, size_t bytes,
                             ticklog_run **run);

/* [ticker] Advances the run's tick counter by `elapsed` timer periods (1 to 2^31 - 1, normally 1) and samples what is due at the newest
 * tick: all polled values as one row, then the watched streams that changed. Samples due in skipped ticks are declared
 * as LATE. Time: proportional to the bytes sampled and the number of streams; never waits.
 * Errors: NULL, BAD_HANDLE, BAD_TICK (elapsed), CLOSED, RING_FULL (something was dropped; it is declared, go on). */
ticklog_status ticklog_tick(ticklog_run *run, uint32_t elapsed);

/* [ticker], or with queue_bytes the stream's own context. Logs one event, stamped with the newest tick, in every open
 * run. `bytes` holds `count` = source_size bytes. Time: proportional to count, for each open run.
 * Errors: NULL, BAD_HANDLE, BAD_SIZE (count), BAD_ARGUMENT (not an EMIT stream), CLOSED, RING_FULL. */
ticklog_status ticklog_emit(ticklog_stream *stream, const void *bytes, size_t count);

/* [one context of its own, or service] Logs a text as the event `ticklog.note`: `level` is yours (0 debug ... 255), text
 * is NUL-terminated, at most 120 bytes. BCSV runs.
 * Errors: NULL, BAD_HANDLE, NAME_TOO_LONG (nothing is logged), UNSUPPORTED, CLOSED, RING_FULL. */
ticklog_status ticklog_note(ticklog_run *run, uint8_t level, const char *text);

/* [one context of its own, or service] Tells which wall-clock time a tick had, as the event `ticklog.clock`; readers
 * interpolate between these. `tick` is not in the future. `source` is yours (1 RTC, 2 GPS PPS, 3 PTP, 4 SNTP, ...).
 * BCSV runs. Errors: NULL, BAD_HANDLE, BAD_TICK, UNSUPPORTED, CLOSED, RING_FULL. */
ticklog_status ticklog_set_time(ticklog_run *run, uint64_t tick, int64_t epoch_ns, uint32_t uncertainty_ns,
                                uint8_t source);

/* [service] Encodes what is in the rings, writes what fills blocks, closes a packet and syncs every flush_ms, rolls
 * files. Call it as often as you like, at least once for each ring's worth of ticks. If storage fails, nothing that is
 * encoded is dropped, and the next call tries again. Time: bounded by the rings' content and storage's calls.
 * Errors: NULL, BAD_HANDLE, CLOSED, FULL (max_bytes: the run has stopped itself and is closed), or what storage
 * answered. If storage fails while the run stops itself, that is answered instead of FULL; LOCK stays, and every later
 * call answers CLOSED. */
ticklog_status ticklog_service(ticklog_run *run);

/* [service] As service, and everything sampled before the call is on storage and synced when it returns TICKLOG_OK.
 * Errors: as service, and BUSY: storage made no progress, or ticks came so fast that not all was taken; call again. */
ticklog_status ticklog_flush(ticklog_run *run);

/* [service] Ends the run: ticks and events are refused from now on, the rings are drained, gaps that are still open are
 * declared, the files get their footers and are synced and closed; LOCK is removed last, and only if all of it
 * succeeded. Silence the ticker and emitters before you reuse the run's memory. Never hangs.
 * Errors: NULL, BAD_HANDLE, CLOSED (already stopped), BUSY (storage is, or a tick or event is under way: let it go on and
 * call again; the run is not stopped yet), or the failure that keeps LOCK in place: storage's last answer. The run is
 * then ended as well. */
ticklog_status ticklog_stop(ticklog_run *run);

/* ------------------------------------------------------------------------------------------------------------------
 * Losses, statistics
 * ------------------------------------------------------------------------------------------------------------------ */

/* Losses are declared in the event stream `ticklog.loss` = { stream u16, reason u8, first_tick u64, last_tick u64,
 * samples u32 }; in a DLF run in loss.dlf. BCSV: `stream` is the stream_index of streams.bcsv. DLF: it counts the streams
 * of polled.dlf, then those of event.dlf. Reasons: */
#define TICKLOG_LOSS_RING_FULL 1u /* service did not keep up: storage stalled */
#define TICKLOG_LOSS_LATE 2u      /* due in a tick that ticklog_tick skipped */
#define TICKLOG_LOSS_BUSY 3u      /* the guard refused: the last value stands in its place */
#define TICKLOG_LOSS_STORAGE 4u   /* accepted by storage, but a sync failed since; or dropped because max_bytes was reached */

typedef struct ticklog_run_statistics {
    uint32_t size;              /* in: sizeof(ticklog_run_statistics) */
    int32_t last_error;         /* storage's last failure; 0: none so far */
    uint64_t ticks;             /* ticks so far, skipped ones included */
    uint64_t offered;           /* samples and events, of all streams */
    uint64_t written;           /* of these, given to storage's files */
    uint64_t lost;              /* of these, declared lost */
    uint64_t pending;           /* of these, still in the rings: offered - written - lost */
    uint64_t lost_by_reason[8]; /* by TICKLOG_LOSS_; those of no reason are 0 */
    uint64_t rows;              /* rows (BCSV) or records (DLF) written to the polled and event files */
    uint64_t bytes;             /* accepted by storage, all files */
    uint64_t packets;           /* closed */
    uint64_t syncs;             /* successful flushes of a file */
    uint64_t storage_errors;    /* callbacks that failed; BUSY is none */
    uint64_t longest_gap;       /* ticks: the longest polled range lost in one piece */
    uint32_t ring_bytes;        /* capacity of the ticker's ring */
    uint32_t ring_high_water;   /* most bytes that were ever in it */
} ticklog_run_statistics;

typedef struct ticklog_stream_statistics {
    uint32_t size; /* in: sizeof(ticklog_stream_statistics) */
    uint32_t index;
    uint64_t offered, written, lost, pending; /* as above, of this stream in this run */
} ticklog_stream_statistics;

/* [any] What the run has done so far. It may be called after ticklog_stop, until the memory is reused. Each number is
 * one that held at some moment of the call. Time: proportional to the number of streams.
 * Errors: NULL, BAD_HANDLE, BAD_SIZE. */
ticklog_status ticklog_statistics(const ticklog_run *run, ticklog_run_statistics *statistics);

/* [any] The same of one stream. Time: constant. Errors: NULL, BAD_HANDLE, BAD_SIZE. */
ticklog_status ticklog_statistics_of(const ticklog_run *run, const ticklog_stream *stream,
                                     ticklog_stream_statistics *statistics);

/* [any] The run's directory name (a UUID if none was given); valid as long as the run's memory. NULL for NULL. */
const char *ticklog_run_name(const ticklog_run *run);

/* ------------------------------------------------------------------------------------------------------------------
 * Tables: writing BCSV files of your own rows, without a run
 *
 *     typedef struct { uint64_t t; float x[3]; char state[16]; } row_t;
 *     static const ticklog_field fields[] = { TICKLOG_FIELD(row_t, t, TICKLOG_U64, "us"), ... };
 *     ticklog_table_config config = { .size = sizeof config, .row_bytes = sizeof(row_t), .fields = fields, .field_count = 3,
 *                                     .storage = ticklog_posix_storage() };
 *     ticklog_table_create(&config, "out.bcsv", memory, ticklog_table_size(&config), &table);
 *     ticklog_write_row(table, &row);  ...  ticklog_table_close(table);
 *
 * One context uses a table or reader at a time: [owner] below. Different ones are independent.
 * ------------------------------------------------------------------------------------------------------------------ */

typedef struct ticklog_table ticklog_table;

/* A string of any length and content, in a row of yours (type TICKLOG_TEXT) or read from a file. */
typedef struct ticklog_text {
    const char *bytes; /* not NUL-terminated; NULL only if count is 0 */
    size_t count;      /* written: at most 65535 */
} ticklog_text;

typedef struct ticklog_table_config {
    uint32_t size;               /* sizeof(ticklog_table_config) */
    uint32_t row_bytes;          /* sizeof your row */
    const ticklog_field *fields; /* columns, in their order in the file; units are not stored; names are at most 65535 bytes, any
                                    but NUL, and need not be unique; kept until close */
    uint32_t field_count;
    uint8_t row_codec;           /* 0: TICKLOG_ZOH */
    uint8_t file_codec;          /* 0: TICKLOG_PACKET */
    uint8_t level;               /* of the codecs with LZ4: 1 (fastest) to 9; 0: 1. TICKLOG_BATCH: from 6 on LZ4-HC, which
                                    needs 256 KiB more memory and is not in bare-metal builds (TICKLOG_UNSUPPORTED) */
    uint8_t bcsv_version;        /* 0: TICKLOG_BCSV_1_5 */
    uint32_t packet_bytes;       /* a packet is closed when it has as many; 512 to 2^30; 0: 65536 */
    uint32_t index_entries;      /* of the footer, 2 to 2^24; 0: 256. When full, every second one is dropped; in a delta file, all */
    uint32_t text_bytes;         /* the most that the TICKLOG_TEXT cells of one row have together; 0: 65536 if there are any */
    uint32_t buffer_bytes;       /* write buffer; 0: 2048, in Linux builds 262144. Raised to what a row (BATCH: two packets) and two
                                    blocks need */
    uint32_t window_bytes;       /* LZ4 history of PACKET_LZ4 and STREAM_LZ4, 4096 to 65536; 0: 65536. In Linux builds four times as
                                    much memory is taken, so that it is seldom moved */
    uint64_t creation_time;      /* Unix seconds, for the header of version 1.5; 0: unknown */
    const ticklog_storage *storage; /* make_directory, remove and free_bytes are not used; kept until close */
} ticklog_table_config;

/* [any] Bytes of memory that a table of this configuration needs, exactly; 0 if it is invalid. */
size_t ticklog_table_size(const ticklog_table_config *config);

/* [owner] Creates the file `path` through storage's open and makes its table in `memory` (aligned to 8), which is the
 * table's until ticklog_table_close has returned. Nothing is written before the first row, flush or close.
 * Errors: NULL, BAD_SIZE, BAD_ARGUMENT, BAD_TYPE, BAD_FIELD, NAME_TOO_LONG, TOO_MANY, UNSUPPORTED, BAD_STORAGE, MISALIGNED,
 * NO_MEMORY, and what storage's open answers. */
ticklog_status ticklog_table_create(const ticklog_table_config *config, const char *path, void *memory, size_t bytes,
                                    ticklog_table **table);

/* [owner] Appends one row of row_bytes bytes. Bools: any byte but 0 is true. Time: proportional to row_bytes, and
 * storage's calls; a batch packet is compressed when it is full.
 * Errors: NULL (also a text of NULL with a count), BAD_HANDLE, CLOSED, TOO_LARGE (texts: nothing was written), or what
 * storage answered: the row was not taken, and may be offered again. */
ticklog_status ticklog_write_row(ticklog_table *table, const void *row);

/* [owner] Appends `count` rows that lie row_bytes apart. *written, which may be NULL, tells how many were taken: fewer
 * than count only with an error, which is as in ticklog_write_row. */
ticklog_status ticklog_write_rows(ticklog_table *table, const void *rows, size_t count, size_t *written);

/* [owner] Closes the open packet, and gives all to storage and syncs it: what was written before survives a power cut.
 * Errors: NULL, BAD_HANDLE, CLOSED, and storage's. */
ticklog_status ticklog_table_flush(ticklog_table *table);

/* [owner] Flushes, writes the footer, syncs and closes the file. If storage fails, the file stays open, without a whole
 * footer, takes no more rows (CLOSED), and close may be called again; ticklog_table_abandon gives up.
 * Errors: as ticklog_table_flush. */
ticklog_status ticklog_table_close(ticklog_table *table);

/* [owner] Closes the file as it is, without a footer: readers take it for one that was never closed. */
ticklog_status ticklog_table_abandon(ticklog_table *table);

/* [owner] Rows taken so far; in a file that is appended to, those that were there are counted. 0 for NULL. */
uint64_t ticklog_table_rows(const ticklog_table *table);

/* [any] Stores in *bytes how much memory ticklog_table_append needs for the file `path`. In Linux builds only.
 * Errors: as ticklog_table_append. */
ticklog_status ticklog_table_append_size(const ticklog_table_config *config, const char *path, size_t *bytes);

/* [owner] As ticklog_table_create, for a file that exists, closed or not, of any version and codec: the configuration's
 * codecs, level, version, packet_bytes and storage are those of the file and of ticklog_posix_storage, whatever it says;
 * the columns must be the file's. The whole file is verified. Its footer is cut off and written anew at close; until
 * then it is an unclosed file with all its rows. Of a torn last packet the whole rows are kept, and *unverified, which
 * may be NULL, tells how many these were. In Linux builds only.
 * Errors: as create, BAD_FIELD (other columns), WRONG_FORMAT, DAMAGED (before the last packet: repair it first), BUSY
 * (another process appends; a table of ticklog_table_create that is still open on the file is not noticed: close it
 * first), IO, NOT_FOUND, DENIED. */
ticklog_status ticklog_table_append(const ticklog_table_config *config, const char *path, void *memory, size_t bytes,
                                    uint64_t *unverified, ticklog_table **table);

/* ------------------------------------------------------------------------------------------------------------------
 * Reading BCSV files: versions 1.3 to 1.5, every codec
 *
 * A packet's checksum is verified before a row of it is handed out. A file that was never closed is a normal file.
 * ------------------------------------------------------------------------------------------------------------------ */

typedef struct ticklog_reader ticklog_reader;

/* Where the bytes of a file come from. */
typedef struct ticklog_source {
    uint32_t size;          /* sizeof(ticklog_source) */
    uint32_t reserved;      /* 0 */
    uint64_t bytes;         /* length of the file */
    const void *mapped;     /* the whole file in memory; NULL: `read` is called */
    void *context;
    ticklog_status (*read)(void *context, uint64_t offset, void *bytes, uint32_t count); /* all of them, or an error */
} ticklog_source;

#define TICKLOG_SALVAGE 1u    /* reader flag: damage does not end the reading; see ticklog_reader_damage */
#define TICKLOG_UNVERIFIED 2u /* reader flag: the whole rows of a torn last packet come as well, which no checksum covers */

typedef struct ticklog_reader_config {
    uint32_t size;  /* sizeof(ticklog_reader_config) */
    uint32_t flags; /* TICKLOG_SALVAGE, TICKLOG_UNVERIFIED */
    const ticklog_source *source; /* kept until the reader is no longer used */
    uint32_t packet_bytes; /* the most that a packet may have, as stored, and of BATCH unpacked as well; 0: what the file's header
                              says and its largest row, at most the file's length (stored) */
    uint32_t text_bytes;   /* the most that the strings of one row have together; 0: 65535 for each string column, at most
                              2^24 */
} ticklog_reader_config;

/* [any] Stores in *bytes how much memory a reader of this file needs, exactly. Reads the file's header.
 * Errors: NULL, BAD_SIZE, BAD_ARGUMENT, WRONG_FORMAT, DAMAGED, TOO_LARGE (the file, for a 32-bit machine), and what the
 * source's read answers. */
ticklog_status ticklog_reader_size(const ticklog_reader_config *config, size_t *bytes);

/* [owner] Makes a reader in `memory` (aligned to 8) that stands before row 0. There is nothing to close.
 * Errors: as ticklog_reader_size, MISALIGNED, NO_MEMORY. */
ticklog_status ticklog_reader_open(const ticklog_reader_config *config, void *memory, size_t bytes,
                                   ticklog_reader **reader);

/* [owner] Opens a file by its path: maps it, and allocates the memory. `flags` as in the configuration. Linux builds only.
 * Errors: as ticklog_reader_open, IO, NOT_FOUND, DENIED. */
ticklog_status ticklog_reader_open_path(const char *path, uint32_t flags, ticklog_reader **reader);

/* [owner] Unmaps and frees what ticklog_reader_open_path took. */
ticklog_status ticklog_reader_close(ticklog_reader *reader);

typedef struct ticklog_column {
    ticklog_text name; /* valid as long as the reader; of a column without a name "Column_<index>" */
    uint32_t type;     /* TICKLOG_BOOL to TICKLOG_STRING */
    uint32_t size;     /* bytes of a value; 0 for strings */
} ticklog_column;

/* [owner] How many columns there are; 0 for NULL. */
uint32_t ticklog_reader_columns(const ticklog_reader *reader);

/* [owner] One column. Errors: NULL, BAD_HANDLE, BAD_ARGUMENT (no such column). */
ticklog_status ticklog_reader_column(const ticklog_reader *reader, uint32_t index, ticklog_column *column);

/* [owner] How many rows the file has. Time: constant if there is a footer; otherwise what stands behind the last packet
 * header is read, found by scanning backwards; of a stream file, all is read.
 * Errors: NULL, BAD_HANDLE, DAMAGED, TOO_LARGE, the source's. */
ticklog_status ticklog_reader_rows(ticklog_reader *reader, uint64_t *rows);

/* [owner] Goes to a row, so that it is the next to be read; until it is, there is no current row. Time: the packet is
 * found in O(log packets), by the footer's index or, where that is thin, empty or missing, by the packet headers; then
 * the packet's rows are decoded up to it. A stream file is read from its start.
 * Errors: NULL, BAD_HANDLE, END (not so many rows), DAMAGED, TOO_LARGE, the source's. */
ticklog_status ticklog_reader_seek(ticklog_reader *reader, uint64_t row);

/* [owner] Moves to the next row, whose values the next two functions tell.
 * Errors: NULL, BAD_HANDLE, END, DAMAGED (without TICKLOG_SALVAGE: every further call answers the same), TOO_LARGE, the
 * source's. */
ticklog_status ticklog_reader_next(ticklog_reader *reader);

/* [owner] The index of the current row: rows that are missing are counted. */
uint64_t ticklog_reader_row(const ticklog_reader *reader);

/* [owner] 1 if a checksum covers the current row, 0 if it is one of a torn last packet (TICKLOG_UNVERIFIED). */
int32_t ticklog_reader_is_verified(const ticklog_reader *reader);

/* [owner] The current row's value in a column that is no string: `size` bytes, aligned to nothing, valid until the next
 * row; a bool is 0 or 1. NULL if there is no such value. */
const void *ticklog_reader_value(const ticklog_reader *reader, uint32_t column);

/* [owner] The current row's string; count 0 if there is none. Valid until the next row. */
ticklog_text ticklog_reader_text(const ticklog_reader *reader, uint32_t column);

/* [owner] Chooses the columns, by name, and where ticklog_read_rows puts them in a row of row_bytes bytes. Types must be the
 * file's; a string goes to a char array (cut to its capacity, NUL-filled) or a ticklog_text. `fields` are kept.
 * Errors: NULL, BAD_HANDLE, NOT_FOUND (no such column), BAD_TYPE, BAD_FIELD, TOO_MANY (more fields than the file has
 * columns). */
ticklog_status ticklog_reader_bind(ticklog_reader *reader, const ticklog_field *fields, uint32_t field_count,
                                   uint32_t row_bytes);

/* [owner] Reads up to `most` rows into `rows`, row_bytes apart; *count tells how many. Bytes between the fields are left
 * alone. If there is a ticklog_text among the fields, one row at a time is read: the text is valid until the next.
 * Answers OK with at least one row, or with none as ticklog_reader_next, or BAD_ARGUMENT (nothing bound, most 0). Rows
 * of different packets or behind a gap never come in one call: ticklog_reader_row is the last one's index. */
ticklog_status ticklog_read_rows(ticklog_reader *reader, void *rows, size_t most, size_t *count);

/* Where the values of a column go. */
typedef struct ticklog_column_array {
    uint32_t column;    /* index in the file */
    uint32_t reserved;  /* 0 */
    void *values;       /* room for `most` values of the column's type, aligned to it; of strings: for `most` ticklog_text */
    char *text;         /* strings: room for their bytes; otherwise NULL */
    size_t text_bytes;  /* strings: how much; at least 65535 */
} ticklog_column_array;

/* [owner] Reads up to `most` rows, by columns. Answers as ticklog_read_rows; fewer rows come as well where a column's text
 * is full. Also BAD_ARGUMENT (no such column, text_bytes, a string column twice), MISALIGNED (values). */
ticklog_status ticklog_read_columns(ticklog_reader *reader, const ticklog_column_array *arrays, uint32_t array_count,
                                    size_t most, size_t *count);

/* Something that is wrong with a file. */
typedef struct ticklog_damage {
    uint32_t size;        /* in: sizeof(ticklog_damage) */
    int32_t status;       /* TICKLOG_DAMAGED, TICKLOG_END (a torn tail: the file was never closed), ... */
    uint64_t offset;      /* of what is wrong, from the start of the file */
    uint64_t skipped_from, skipped_bytes; /* what is left out */
    uint64_t first_row, rows; /* which rows are missing; rows is 0 if that is not known, or none are */
    const char *expected; /* what was expected at offset; never NULL */
    const char *found;    /* what was found there, or NULL: found_number was */
    uint64_t found_number;
} ticklog_damage;

/* [owner] What went wrong in the last call that answered DAMAGED, TOO_LARGE or WRONG_FORMAT; with TICKLOG_SALVAGE, the newest damage
 * that was skipped. *count, which may be NULL, tells how many there have been: compare it after each call.
 * Errors: NULL, BAD_HANDLE, BAD_SIZE, NOT_FOUND (nothing has gone wrong). */
ticklog_status ticklog_reader_damage(const ticklog_reader *reader, ticklog_damage *damage, uint64_t *count);

/* ------------------------------------------------------------------------------------------------------------------
 * Frames: a header of 40 bytes and a payload, each with a CRC-32C, on a socket or in a .dat file
 *
 * A producer numbers its frames for each stream from 0; a receiver finds them in any stream of bytes, tells what is
 * damaged, and, from the numbers, what is missing. `ticklog receive` is such a receiver.
 * ------------------------------------------------------------------------------------------------------------------ */

#define TICKLOG_FRAME_HEADER_BYTES 40u
#define TICKLOG_FRAME_FIRST_CHUNK 0x0001u /* flags: the first chunk of a periodic */
#define TICKLOG_FRAME_LAST_CHUNK 0x0002u  /* the last */
#define TICKLOG_FRAME_STARTED 0x2000u     /* the first frame since the producer started */
#define TICKLOG_FRAME_PTP 0x8000u         /* the timestamp comes from PTP */

typedef struct ticklog_frame {
    uint64_t sequence;      /* of the stream, from 0 */
    uint64_t timestamp_ns;  /* since the Unix epoch */
    const void *payload;
    uint32_t payload_bytes; /* 1 to 2^32 - 1; receivers take 2^20, unless told otherwise */
    uint16_t flags;         /* TICKLOG_FRAME_... */
    uint8_t stream;         /* the channel */
    uint8_t reserved;       /* 0 */
} ticklog_frame;

/* [any] Builds a frame in `out`: the header, and behind it the payload, which is copied unless it lies there already, at
 * out + 40. *bytes tells the length of the whole frame. Time: linear in the payload.
 * Errors: NULL, BAD_ARGUMENT (no payload, reserved flags), NO_MEMORY (`room` is less than the frame). */
ticklog_status ticklog_frame_build(const ticklog_frame *frame, void *out, size_t room, size_t *bytes);

/* [any] The header alone, 40 bytes, of a payload that is sent from where it lies. Errors: NULL, BAD_ARGUMENT. */
ticklog_status ticklog_frame_header(const ticklog_frame *frame, void *out);

/* A payload that is a part of a radar periodic begins with these 24 bytes. */
#define TICKLOG_CHUNK_HEADER_BYTES 24u

typedef struct ticklog_chunk {
    uint64_t periodic;
    uint32_t index;    /* from 0 */
    uint32_t count;    /* chunks of the periodic */
    uint32_t bytes;    /* behind the header */
    uint32_t reserved; /* 0 */
} ticklog_chunk;

/* [any] Stores the 24 bytes. The frame's flags must tell the first and the last chunk.
 * Errors: NULL, BAD_ARGUMENT (index, count, reserved). */
ticklog_status ticklog_chunk_build(const ticklog_chunk *chunk, void *out);

/* [any] What the payload of a frame says of its chunk. Errors: NULL, NOT_FOUND (it is no chunk: too short, or its header
 * contradicts itself, the payload's length or the frame's flags). */
ticklog_status ticklog_chunk_read(const ticklog_frame *frame, ticklog_chunk *chunk);

typedef struct ticklog_scanner ticklog_scanner;

/* [any] Memory for a scanner, in bytes. */
size_t ticklog_scanner_size(void);

/* [any] Makes a scanner in `memory` (aligned to 8) for payloads of up to max_payload bytes (0: 2^20).
 * Errors: NULL, MISALIGNED, NO_MEMORY. */
ticklog_status ticklog_scanner_create(uint32_t max_payload, void *memory, size_t bytes, ticklog_scanner **scanner);

/* [owner] Looks for the next frame in `bytes`, which continue what the calls before have consumed. OK: *frame is one, its
 * payload lies in `bytes`, and *consumed covers it. END: nothing more can be said; what was not consumed must come again
 * with at least *needed bytes in all. Time: linear in what is consumed. Errors: NULL, BAD_HANDLE. */
ticklog_status ticklog_scan(ticklog_scanner *scanner, const void *bytes, size_t count, size_t *consumed, size_t *needed,
                            ticklog_frame *frame);

typedef struct ticklog_scan_counts {
    uint32_t size;           /* in: sizeof(ticklog_scan_counts) */
    uint32_t reserved;
    uint64_t frames;         /* good ones */
    uint64_t frame_bytes;    /* of those, headers included */
    uint64_t skipped_bytes;  /* that belong to no frame with a good header */
    uint64_t header_crc;     /* magics with a header whose checksum is wrong */
    uint64_t version_errors; /* good headers of another version */
    uint64_t length_errors;  /* good headers with a payload of 0 bytes, or of too many */
    uint64_t payload_crc;    /* frames that were left out: their payload's checksum is wrong */
} ticklog_scan_counts;

/* [owner] What there was so far. Errors: NULL, BAD_HANDLE, BAD_SIZE. */
ticklog_status ticklog_scanner_counts(const ticklog_scanner *scanner, ticklog_scan_counts *counts);

/* [any] CRC-32C of bytes, or of bytes behind others whose CRC-32C is `before` (0: none). By the processor's instruction
 * where it has one. */
uint32_t ticklog_crc32c(uint32_t before, const void *bytes, size_t count);

/* ------------------------------------------------------------------------------------------------------------------
 * BMS packets: words of a battery's controllers, each with its offset, as `ticklog serve` takes them (docs/PACKETS.md)
 *
 *     uint16_t control[64], data[64];                       the words that have changed since the last DIFF
 *     uint32_t from = 0, count;
 *     ticklog_image_diff(sent, now, WORDS, &from, control, data, 64, &count);
 *     ticklog_packet packet = { .command = TICKLOG_PACKET_DIFF, .type = TICKLOG_SOURCE_RACK, .source = 3, .timestamp_us = t,
 *                               .control = control, .data = data, .count = count };
 *     if (ticklog_packet_build(&packet, message, sizeof message, &bytes) == TICKLOG_OK && send(message, bytes))
 *         ticklog_image_apply(sent, WORDS, &packet);
 *
 * Nothing here allocates or keeps a state: every function may be called in any context. An image is an array of yours
 * with a word for each offset, 65536 of them, or fewer where memory is short.
 * ------------------------------------------------------------------------------------------------------------------ */

#define TICKLOG_PACKET_WORDS 65536u    /* the most words of a packet */
#define TICKLOG_PACKET_HEADER_BYTES 20u /* in front of the words, the length included */
#define TICKLOG_LEGACY_HEADER_BYTES 16u

/* command */
#define TICKLOG_PACKET_DIFF 0u         /* words that have changed */
#define TICKLOG_PACKET_FULL 1u         /* words; all others become 0 */
#define TICKLOG_PACKET_QUERY 2u        /* asks for words: data is 0 */
#define TICKLOG_PACKET_REPLY 3u        /* the answer, with the same control */
#define TICKLOG_PACKET_SYNC 4u         /* asks for an ACK; no words */
#define TICKLOG_PACKET_ACK 5u          /* all packets before the SYNC are on storage */
#define TICKLOG_PACKET_SUBSCRIBE 6u    /* control: pairs of first and last offset; data[0]: the greatest rate in Hz */
#define TICKLOG_PACKET_CHALLENGE 7u    /* data: 32 random bytes */
#define TICKLOG_PACKET_LOGIN 8u        /* data: HMAC-SHA-256 of them */

/* type */
#define TICKLOG_SOURCE_UNKNOWN 0u
#define TICKLOG_SOURCE_SBMU 1u
#define TICKLOG_SOURCE_RACK 2u
#define TICKLOG_SOURCE_RTOS 3u

typedef struct ticklog_packet {
    uint64_t timestamp_us; /* since the Unix epoch */
    const void *control;   /* `count` offsets, uint16_t, aligned to nothing; may be NULL if there are none */
    const void *data;      /* their values */
    uint32_t count;        /* up to 65536 */
    uint8_t source;        /* which one of its type */
    uint8_t command;       /* TICKLOG_PACKET_DIFF, ... */
    uint8_t type;          /* TICKLOG_SOURCE_... */
    uint8_t sequence;      /* wraps */
} ticklog_packet;

/* [any] Builds a message in `out`: the length, the header, control and data. They are copied from where they lie, unless
 * that is their place in `out` already: control at out + 20, data at out + 20 + 2 count. *bytes tells the length of it all,
 * 20 + 4 count. Time: linear in count.
 * Errors: NULL, BAD_ARGUMENT (count, command, type), NO_MEMORY (`room` is less; *bytes tells how much is needed). */
ticklog_status ticklog_packet_build(const ticklog_packet *packet, void *out, size_t room, size_t *bytes);

/* [any] The first 20 bytes of the message alone; control and data follow them on the wire, and are sent from where they
 * lie. Errors: NULL, BAD_ARGUMENT. */
ticklog_status ticklog_packet_header(const ticklog_packet *packet, void *out);

/* [any] Reads the message at the start of `bytes`, of which `count` are there. OK: *packet is it, its words lie in `bytes`,
 * and *consumed covers it. END: at least *needed bytes are needed from the same place. DAMAGED: this will not become a
 * message; nothing behind it can be found, so the connection is to be closed. Any command and type is read. Time: constant.
 * Errors: NULL, BAD_SIZE (damage), DAMAGED (the length is not 16 + 4 count, or count is above 65536; *damage, which may be
 * NULL, tells where, counted from `bytes`). */
ticklog_status ticklog_packet_read(const void *bytes, size_t count, size_t *consumed, size_t *needed,
                                   ticklog_packet *packet, ticklog_damage *damage);

/* [any] The same of the protocol's first form, "v0": a length, command, type, sequence, a byte that became the source,
 * control and data. It has no time (0), and count follows from the length, 4 + 4 count. */
ticklog_status ticklog_packet_build_v0(const ticklog_packet *packet, void *out, size_t room, size_t *bytes);
ticklog_status ticklog_packet_read_v0(const void *bytes, size_t count, size_t *consumed, size_t *needed,
                                      ticklog_packet *packet, ticklog_damage *damage);

/* The Packet of older racks, without a length in front: 16 + 4 count bytes. */
typedef struct ticklog_legacy_packet {
    double time;         /* seconds, bit for bit as on the wire */
    const void *control; /* as in ticklog_packet */
    const void *data;
    int32_t rack;
    uint32_t count;      /* up to 65536 */
} ticklog_legacy_packet;

/* [any] As ticklog_packet_build; control's place is out + 16. */
ticklog_status ticklog_legacy_build(const ticklog_legacy_packet *packet, void *out, size_t room, size_t *bytes);

/* [any] As ticklog_packet_read. DAMAGED: count is above 65536. */
ticklog_status ticklog_legacy_read(const void *bytes, size_t count, size_t *consumed, size_t *needed,
                                   ticklog_legacy_packet *packet, ticklog_damage *damage);

/* [any] Takes a DIFF, or a FULL, for which all words become 0 first, into an image of word_count words, 1 to 65536. Of
 * words that the packet has twice the last wins. Time: linear in count, and for a FULL in word_count.
 * Errors: NULL, BAD_ARGUMENT (word_count, count), UNSUPPORTED (another command), NOT_FOUND (an offset is not in the image:
 * nothing is applied). */
ticklog_status ticklog_image_apply(uint16_t *words, uint32_t word_count, const ticklog_packet *packet);

/* [any] The same with a legacy packet's words. Its rack is yours to look at. */
ticklog_status ticklog_image_apply_legacy(uint16_t *words, uint32_t word_count, const ticklog_legacy_packet *packet);

/* [any] Stores the values of `count` offsets at `control`, as a REPLY has them, at `data`, aligned to nothing.
 * Errors: NULL, BAD_ARGUMENT, NOT_FOUND (an offset is not in the image: nothing is stored). */
ticklog_status ticklog_image_values(const uint16_t *words, uint32_t word_count, const void *control, uint32_t count,
                                    void *data);

/* [any] Lists the words of the image `now` that differ from the image `sent`, both of word_count words, from offset *from
 * on: up to `most` offsets to `control`, as many values to `data`, and how many to *count. *from becomes the offset to go on
 * from: word_count when all were looked at. Neither image changes: ticklog_image_apply takes into `sent` what was sent.
 * Time: linear in the words looked at. Errors: NULL, BAD_ARGUMENT (word_count, *from, most 0). */
ticklog_status ticklog_image_diff(const uint16_t *sent, const uint16_t *now, uint32_t word_count, uint32_t *from,
                                  uint16_t *control, uint16_t *data, uint32_t most, uint32_t *count);

/* [any] Keeps of `count` new words, at `control` and `data`, those that differ from the image: they are moved to the front,
 * in their order, and *changed tells how many. Time: linear in count.
 * Errors: NULL, BAD_ARGUMENT, NOT_FOUND (an offset is not in the image: nothing is moved). */
ticklog_status ticklog_image_changes(const uint16_t *sent, uint32_t word_count, uint16_t *control, uint16_t *data,
                                     uint32_t count, uint32_t *changed);

/* ------------------------------------------------------------------------------------------------------------------
 * Log buffer: the newest records in memory, for one writer and any number of readers (docs/PACKETS.md, 6)
 *
 *     ticklog_log_writer writer;                             ticklog_log_reader reader;
 *     ticklog_log_buffer_create(memory, bytes, 65536,        ticklog_log_buffer_open(memory, bytes, TICKLOG_FROM_OLDEST,
 *                               &writer);                                            &reader);
 *     ticklog_log_buffer_write(&writer, t, p, n);            while (ticklog_log_buffer_read(&reader, out, sizeof out,
 *                                                                                           &record) == TICKLOG_OK) ...
 *
 * The buffer is a ring in memory of yours: between an interrupt and tasks, between threads, or, in shared memory, between
 * processes; readers need no right to write to it. The writer never waits for a reader: it overwrites what is oldest. A
 * reader that is too slow goes on with a later record and knows how many it has missed. Nobody sees a part of a record.
 *
 *   [writer]  the one context that writes; may be an interrupt
 *   [reader]  the one context that uses this ticklog_log_reader; others have their own
 *
 * A reader trusts nothing that the memory says: it reads only inside of it, and no call takes unbounded time.
 * ------------------------------------------------------------------------------------------------------------------ */

#define TICKLOG_LOG_BUFFER_HEADER_BYTES 128u

/* Yours to place, the library's to fill; not copied while in use. */
typedef struct ticklog_log_writer {
    uint64_t state[12];
} ticklog_log_writer;
typedef struct ticklog_log_reader {
    uint64_t state[16];
} ticklog_log_reader;

/* [any] Bytes of memory of a buffer: 128 and the capacity, which is a power of two from 64 to 2^30; otherwise 0. */
size_t ticklog_log_buffer_size(uint32_t capacity);

/* [writer] Makes an empty buffer in `memory` (aligned to 8), which no reader uses. A record takes 16 bytes and its payload,
 * rounded up to 8, and at most half of the capacity.
 * Errors: NULL, BAD_ARGUMENT (capacity), MISALIGNED, NO_MEMORY. */
ticklog_status ticklog_log_buffer_create(void *memory, size_t bytes, uint32_t capacity, ticklog_log_writer *writer);

/* [writer] Goes on with a buffer whose writer is gone, in the middle of a record or not: all that was published stays, the
 * sequence goes on, and readers notice nothing. Time: linear in the records that are there.
 * Errors: NULL, MISALIGNED, WRONG_FORMAT (no buffer, or one of another machine), DAMAGED (it contradicts itself). */
ticklog_status ticklog_log_buffer_attach(void *memory, size_t bytes, ticklog_log_writer *writer);

/* [writer] Writes a record. `timestamp` is yours to define. Never waits. Time: linear in `count`, and in the number of
 * records that are overwritten.
 * Errors: NULL (also a payload of NULL with a count), BAD_HANDLE, TOO_LARGE (16 + count is above half of the capacity). */
ticklog_status ticklog_log_buffer_write(ticklog_log_writer *writer, uint64_t timestamp, const void *payload, size_t count);

/* [writer] Tells the readers that no more comes. ticklog_log_buffer_attach takes that back. Errors: NULL, BAD_HANDLE. */
ticklog_status ticklog_log_buffer_finish(ticklog_log_writer *writer);

#define TICKLOG_FROM_OLDEST 0u /* the oldest record that is there */
#define TICKLOG_FROM_NEWEST 1u /* the next one that is written */

/* [reader] Begins to read. The buffer's memory may be read-only. `from`: TICKLOG_FROM_...
 * Errors: NULL, BAD_ARGUMENT (from), MISALIGNED, WRONG_FORMAT (no buffer), DAMAGED, BUSY (the writer was faster at every
 * try: try again). */
ticklog_status ticklog_log_buffer_open(const void *memory, size_t bytes, uint32_t from, ticklog_log_reader *reader);

/* [reader] Moves the cursor; what is passed over does not count as lost. Errors: NULL, BAD_HANDLE, BAD_ARGUMENT, DAMAGED, BUSY. */
ticklog_status ticklog_log_buffer_seek(ticklog_log_reader *reader, uint32_t from);

typedef struct ticklog_log_record {
    uint64_t timestamp;
    uint32_t bytes;    /* of the payload */
    uint32_t sequence; /* of the record, from 0; wraps */
} ticklog_log_record;

/* [reader] Copies the payload of the next record to `out`. Time: linear in the payload; a few times that if the writer
 * overtakes. No payload is larger than half of the capacity less 16.
 * Errors: NULL, BAD_HANDLE, END (there is none now, or the writer was faster at every try: later there may be), CLOSED (none
 * will come), NO_MEMORY (`room` is less than record->bytes; it stays the next one), DAMAGED (the memory contradicts itself,
 * or a new buffer was made in it). After an error, what `out` holds means nothing. */
ticklog_status ticklog_log_buffer_read(ticklog_log_reader *reader, void *out, size_t room, ticklog_log_record *record);

/* [reader] Passes over the next record, which counts as read. Errors: as ticklog_log_buffer_read, without NO_MEMORY. */
ticklog_status ticklog_log_buffer_skip(ticklog_log_reader *reader);

typedef struct ticklog_log_reader_statistics {
    uint32_t size;         /* in: sizeof(ticklog_log_reader_statistics) */
    uint32_t capacity;     /* of the buffer */
    uint64_t read;         /* records that this reader has read */
    uint64_t lost;         /* that were overwritten before it could, exactly (if fewer than 2^32 at once); known when the next
                              one is read */
    uint64_t lapped;       /* how often the writer has overtaken it */
    uint64_t behind_bytes; /* of the ring, from the cursor to the newest record's end */
    uint64_t written;      /* records that the writer has written since the buffer was made */
} ticklog_log_reader_statistics;

/* [reader] Errors: NULL, BAD_HANDLE, BAD_SIZE. */
ticklog_status ticklog_log_buffer_reader_statistics(const ticklog_log_reader *reader,
                                                    ticklog_log_reader_statistics *statistics);

typedef struct ticklog_log_writer_statistics {
    uint32_t size;         /* in: sizeof(ticklog_log_writer_statistics) */
    uint32_t capacity;
    uint64_t written;      /* records since the buffer was made */
    uint64_t held_bytes;   /* of the ring, that can be read now */
    uint32_t most_bytes;   /* the largest payload */
    uint32_t reserved;
} ticklog_log_writer_statistics;

/* [writer] Errors: NULL, BAD_HANDLE, BAD_SIZE. */
ticklog_status ticklog_log_buffer_writer_statistics(const ticklog_log_writer *writer,
                                                    ticklog_log_writer_statistics *statistics);

/* A buffer in POSIX shared memory, by a name such as "/ticklog-rack3": '/', and 1 to 250 characters without another.
 * Linux builds only. */
typedef struct ticklog_log_share ticklog_log_share;

/* [writer] Creates the shared memory, of mode 0600, and is its owner until ticklog_log_buffer_close. If there is one of that
 * name already:
 *   - its owner is alive: EXISTS. (Whoever owns it holds a lock on it, which ends with the process.)
 *   - its owner is gone, and it is a whole buffer of this capacity: it is taken over, as by ticklog_log_buffer_attach.
 *   - its owner is gone, and it is something else: its name is removed, and it is made anew. Readers that still have it see
 *     no more of it.
 *   - it belongs to another user, or others may use it: DENIED.
 * Errors: NULL, BAD_ARGUMENT (capacity), BAD_NAME, NAME_TOO_LONG, EXISTS, DENIED, NO_SPACE, IO. */
ticklog_status ticklog_log_buffer_create_shared(const char *name, uint32_t capacity, ticklog_log_share **share,
                                                ticklog_log_writer *writer);

/* [reader] Maps it read-only and begins to read. When its owner has closed it, reading answers CLOSED after the last record,
 * and one that is made later is another one: open it again.
 * Errors: NULL, BAD_ARGUMENT, BAD_NAME, NAME_TOO_LONG, NOT_FOUND, DENIED, IO, WRONG_FORMAT (also while it is being made),
 * DAMAGED, BUSY. */
ticklog_status ticklog_log_buffer_open_shared(const char *name, uint32_t from, ticklog_log_share **share,
                                              ticklog_log_reader *reader);

/* [writer, reader] Ends the use of the reader or writer, and unmaps the memory; the owner tells its readers that no more
 * comes and removes the name. Errors: NULL. */
ticklog_status ticklog_log_buffer_close(ticklog_log_share *share);

/* ------------------------------------------------------------------------------------------------------------------
 * Records: structures of yours one behind the other, each as
 *
 *     magic u16 | version u16 | payload | Adler-32 of the payload u32
 *
 * Little-endian, without a length: magic and version tell it, or the first bytes of the payload. You describe each kind
 * once, with every version that there ever was; from then on old records are read as the newest structure:
 *
 *     static const ticklog_record_form forms[] = {
 *         { .version = 1, .bytes = sizeof(gps_v1), .upconvert = gps_from_v1 },
 *         { .version = 2, .bytes = sizeof(gps) },
 *     };
 *     static const ticklog_record_kind kinds[] = {
 *         { .size = sizeof kinds[0], .magic = 0x6770, .version = 2, .name = "gps", .record_bytes = sizeof(gps),
 *           .form_count = 2, .forms = forms, .field_count = 3, .fields = gps_fields },
 *     };
 *
 * All kinds of an array have the same `size`; it is also how far apart they lie.
 *
 * The checksum covers neither magic nor version. Two versions of the same size are told apart by nothing else, so give
 * a new version another size. ticklog_rnog.h has the records of the RNO-G detector, read and written in the same way.
 * ------------------------------------------------------------------------------------------------------------------ */

/* One version of a kind of record, as it is stored. */
typedef struct ticklog_record_form {
    uint16_t version;
    uint16_t reserved; /* 0 */
    uint32_t bytes;    /* of the payload; with `measure`, how many of its first bytes tell the size */
    uint32_t (*measure)(void *context, const void *payload); /* the payload's bytes, at least `bytes`; 0: they cannot be
                                                                right. NULL: always `bytes` */
    ticklog_status (*upconvert)(void *context, const void *payload, uint32_t bytes, void *record); /* fills the newest
                                    structure, which is zero. NULL: the payload is its beginning (not with `measure`) */
} ticklog_record_form;

/* A kind of record, with all its versions. Functions get a payload that is aligned to nothing. */
typedef struct ticklog_record_kind {
    uint32_t size;                    /* sizeof(ticklog_record_kind) */
    uint16_t magic;
    uint16_t version;                 /* the newest, which is written; one of the forms' */
    const char *name;
    uint32_t record_bytes;            /* sizeof the newest structure */
    uint32_t form_count;
    const ticklog_record_form *forms; /* a version that had several sizes has as many forms, smallest first: the checksum
                                         tells which it is */
    uint32_t (*store)(void *context, const void *record, void *payload, uint32_t room); /* makes the payload; answers its
                                         bytes, more than `room` if it does not fit, 0 if the record cannot be stored.
                                         NULL: the structure as it is, padding included */
    void *context;
    uint32_t most_bytes;              /* that a payload may have; 0: 2^20 */
    uint32_t field_count;             /* of the newest structure, for tables: see ticklog_record_table; 0: none */
    const ticklog_field *fields;
} ticklog_record_kind;

/* A record that was found. */
typedef struct ticklog_record {
    uint16_t magic;
    uint16_t version;       /* as it is stored */
    uint32_t payload_bytes;
    uint32_t bytes;         /* of the whole record: 8 more */
    uint32_t checksum;      /* which holds */
    const void *payload;    /* in the bytes that were looked at; aligned to nothing */
} ticklog_record;

/* [any] Checks descriptions; the other functions trust them. Errors: NULL, BAD_SIZE, BAD_ARGUMENT (a form larger than the
 * structure without upconvert, forms in the wrong order, no form of the version that is written), DUPLICATE_NAME (two of
 * one magic), and those of fields: BAD_TYPE, BAD_FIELD, NAME_TOO_LONG, TOO_MANY. */
ticklog_status ticklog_record_check(const ticklog_record_kind *kinds, uint32_t kind_count);

/* [any] The record at the start of `bytes`, whose checksum is verified. END: there must be at least *needed bytes, the
 * same ones and more; at the end of a file it is torn. Time: linear in the record.
 * Errors: NULL, END, WRONG_FORMAT (not a magic of these kinds), UNSUPPORTED (a version without a form), DAMAGED (the
 * checksum is wrong, or the size impossible). */
ticklog_status ticklog_record_next(const ticklog_record_kind *kinds, uint32_t kind_count, const void *bytes, size_t count,
                                   size_t *needed, ticklog_record *record);

/* [any] The first record in `bytes`, wherever it begins: *skipped tells how many bytes before it are none. END: as above,
 * without the skipped ones. Errors: NULL, END. */
ticklog_status ticklog_record_find(const ticklog_record_kind *kinds, uint32_t kind_count, const void *bytes, size_t count,
                                   size_t *skipped, size_t *needed, ticklog_record *record);

/* [any] Stores a record that was found as the newest structure of its kind, in `out`, aligned as that needs.
 * Errors: NULL, BAD_ARGUMENT (of another kind), BAD_SIZE, NO_MEMORY (room is less than record_bytes), and what upconvert
 * answers. */
ticklog_status ticklog_record_read(const ticklog_record_kind *kind, const ticklog_record *record, void *out, size_t room);

/* [any] Stores a structure as a record of the newest version: *bytes of them. Errors: NULL, NO_MEMORY, BAD_ARGUMENT (store
 * refused it). */
ticklog_status ticklog_record_write(const ticklog_record_kind *kind, const void *record, void *out, size_t room,
                                    size_t *bytes);

/* [any] Sets what a table of this kind's structures needs: row_bytes, fields and field_count. Each record that was read is
 * then a row for ticklog_write_row. Errors: NULL, BAD_SIZE, BAD_FIELD (the kind has no fields). */
ticklog_status ticklog_record_table(const ticklog_record_kind *kind, ticklog_table_config *config);

/* [any] Adler-32 of bytes, or of bytes behind others whose Adler-32 is `before` (1: none). */
uint32_t ticklog_adler32(uint32_t before, const void *bytes, size_t count);

/* ------------------------------------------------------------------------------------------------------------------
 * Reading DLF files: meta.dlf, and polled.dlf, event.dlf and loss.dlf
 *
 * A polled file has samples without any framing: which stream and which tick they are of follows from the schedule in
 * the header, and so does the place of every sample. An event file has records. DLF has no checksums. A file that was
 * never closed is a normal file: a part of a sample at its end is passed over, and ticklog_dlf_measure tells of it. So
 * are files of other writers (docs/SPEC.md, 4.6), those with the headers of dlflib's intermediate revision, which have
 * no notes at all where there are none, among them. No polled stream is due at tick 2^64 - 1.
 * ------------------------------------------------------------------------------------------------------------------ */

typedef struct ticklog_dlf ticklog_dlf;

typedef struct ticklog_dlf_config {
    uint32_t size;         /* sizeof(ticklog_dlf_config) */
    uint32_t window_bytes; /* of a source that is not mapped, how much is read at once, 512 to 2^30; 0: 4096, or the largest
                              sample with its 10 bytes of record header, at most the file */
    const ticklog_source *source; /* kept until the reader is no longer used */
} ticklog_dlf_config;

/* [any] Stores in *bytes how much memory a reader of this file needs, exactly: about 140 bytes for each stream and, of a
 * source that is not mapped, the file's header and the window. Reads the file's header.
 * Errors: NULL, BAD_SIZE, BAD_ARGUMENT, WRONG_FORMAT, DAMAGED (the header is torn, or contradicts itself), TOO_LARGE (the
 * file, for a 32-bit machine; a sample, for the window), and what the source's read answers. */
ticklog_status ticklog_dlf_size(const ticklog_dlf_config *config, size_t *bytes);

/* [owner] Makes a reader in `memory` (aligned to 8) that stands before the first sample. There is nothing to close.
 * Errors: as ticklog_dlf_size, MISALIGNED, NO_MEMORY. */
ticklog_status ticklog_dlf_open(const ticklog_dlf_config *config, void *memory, size_t bytes, ticklog_dlf **dlf);

/* [owner] Opens a file by its path: maps it, and allocates the memory. `run` is a run's directory or an archive of it (an
 * uncompressed tar), and `file` one of its files, "polled.dlf", "event.dlf" or "loss.dlf"; or `file` is NULL and `run` the
 * path of the file itself. Linux builds only. Errors: as ticklog_dlf_open, IO, NOT_FOUND, DENIED. */
ticklog_status ticklog_dlf_open_path(const char *run, const char *file, ticklog_dlf **dlf);

/* [owner] Unmaps and frees what ticklog_dlf_open_path took. */
ticklog_status ticklog_dlf_close(ticklog_dlf *dlf);

typedef struct ticklog_dlf_header {
    uint32_t size;        /* in: sizeof(ticklog_dlf_header) */
    uint32_t streams;     /* how many */
    uint64_t tick_span;   /* as it stands there: the last tick that was sampled, or 0, or, in other writers' files that were
                             never closed, any bytes */
    uint64_t data_offset; /* where the samples begin, from the start of the file */
    uint64_t data_bytes;  /* from there to the end of the file */
    uint32_t is_events;   /* 1: an event file; 0: a polled one */
    uint32_t reserved;
} ticklog_dlf_header;

/* [owner] What the header says. Errors: NULL, BAD_HANDLE, BAD_SIZE. */
ticklog_status ticklog_dlf_get_header(const ticklog_dlf *dlf, ticklog_dlf_header *header);

#define TICKLOG_STRUCTURE 254u /* a stream's type: members at offsets, see ticklog_dlf_get_member */

typedef struct ticklog_dlf_stream {
    uint32_t size;         /* in: sizeof(ticklog_dlf_stream) */
    uint32_t type;         /* TICKLOG_BOOL to TICKLOG_F64; TICKLOG_STRUCTURE; TICKLOG_OPAQUE: bytes without a meaning, also those
                              of a text that is no type */
    ticklog_text name;     /* these three are valid as long as the reader */
    ticklog_text notes;    /* empty if there are none, or if they are "N/A" */
    ticklog_text type_text; /* as in the file: "uint8_t", "gps;lat:double:0;lng:double:8", "!blob" */
    uint32_t sample_bytes; /* of each sample, with padding */
    uint32_t members;      /* of a structure; of a primitive 1; of opaque bytes 0 */
    uint64_t interval;     /* polled: ticks, at least 1 (a stored 0 means 1); events: 0 */
    uint64_t phase;        /* polled: ticks, less than the interval; due at tick t if (t + phase) mod interval is 0 */
} ticklog_dlf_stream;

/* [owner] One stream, by its place in the header. Errors: NULL, BAD_HANDLE, BAD_SIZE, NOT_FOUND (no such stream). */
ticklog_status ticklog_dlf_get_stream(const ticklog_dlf *dlf, uint32_t index, ticklog_dlf_stream *stream);

/* [owner] The place of the first stream of that name. Errors: NULL, BAD_HANDLE, NOT_FOUND. */
ticklog_status ticklog_dlf_find_stream(const ticklog_dlf *dlf, const char *name, uint32_t *index);

typedef struct ticklog_dlf_member {
    ticklog_text name; /* points into the type's text; of a primitive empty */
    uint32_t type;     /* TICKLOG_BOOL to TICKLOG_F64 */
    uint32_t offset;   /* in the sample */
} ticklog_dlf_member;

/* [any] Member `index` of a type's text, of samples (or metadata) of sample_bytes bytes. Time: the text.
 * Errors: NULL, NOT_FOUND (behind the last; opaque bytes have none), DAMAGED (the text is no type, for example because of a
 * member of an unknown type; or a primitive or member does not fit sample_bytes). */
ticklog_status ticklog_dlf_get_member(ticklog_text type_text, uint32_t sample_bytes, uint32_t index,
                                      ticklog_dlf_member *member);

typedef struct ticklog_dlf_sample {
    uint32_t stream;   /* its place in the header */
    uint32_t count;    /* bytes of the sample */
    uint64_t tick;
    uint64_t offset;   /* of the sample (polled) or of its record (events), from the start of the file */
    const void *bytes; /* aligned to nothing. Mapped: valid as long as the file is; otherwise until the next call */
} ticklog_dlf_sample;

/* [owner] The next sample in file order, of those that were chosen (all, at first). Time: polled O(streams).
 * Errors: NULL, BAD_HANDLE, END, DAMAGED (an event of a stream that there is not: every further call answers the same),
 * the source's (the next call tries the same sample again). */
ticklog_status ticklog_dlf_next(ticklog_dlf *dlf, ticklog_dlf_sample *sample);

#define TICKLOG_ALL_STREAMS UINT32_MAX

/* [owner] Chooses what ticklog_dlf_next and ticklog_dlf_read tell from now on: the samples of one stream, or of all, with
 * from <= tick < to, from the first on; UINT64_MAX as `to`: without an end. Time: polled O(streams), nothing is read;
 * events: O(1), and the next call reads from the start of the file. Errors: NULL, BAD_HANDLE, NOT_FOUND (no such stream). */
ticklog_status ticklog_dlf_choose(ticklog_dlf *dlf, uint32_t stream, uint64_t from, uint64_t to);

/* [owner] The sample that a stream has at a tick: that of the tick or, if it is not due then, its latest before it. What
 * was chosen stays, and so does what ticklog_dlf_next tells next. Time: polled O(streams), by arithmetic, with one read;
 * events: reads the whole file, in which ticks need not be in order.
 * Errors: NULL, BAD_HANDLE, NOT_FOUND (no such stream; none yet at that tick), END (polled: the file ends before the end
 * of that sample), DAMAGED (events: not if a later tick stands before the damage), the source's. */
ticklog_status ticklog_dlf_sample_at(ticklog_dlf *dlf, uint32_t stream, uint64_t tick, ticklog_dlf_sample *sample);

/* [owner] Copies the next samples of the one stream that was chosen: up to `most` to `samples`, sample_bytes apart, and
 * their ticks to `ticks`, which may be NULL; *count tells how many. Answers OK with at least one, or with none as
 * ticklog_dlf_next, or BAD_ARGUMENT (not one stream is chosen, most 0). Time: polled, for each sample, O(streams) at most:
 * streams whose interval divides the chosen one's cost nothing. */
ticklog_status ticklog_dlf_read(ticklog_dlf *dlf, void *samples, uint64_t *ticks, size_t most, size_t *count);

typedef struct ticklog_dlf_extent {
    uint32_t size;        /* in: sizeof(ticklog_dlf_extent) */
    int32_t status;       /* TICKLOG_OK; TICKLOG_END: a part of a sample stands at the end; TICKLOG_DAMAGED: an event of a
                             stream that there is not */
    uint64_t samples;     /* whole ones */
    uint64_t first_tick;  /* of the first sample, and the latest of all; 0 without samples */
    uint64_t last_tick;
    uint64_t tail_offset; /* from the start of the file: where the whole samples end */
    uint64_t tail_bytes;  /* behind them */
} ticklog_dlf_extent;

/* [owner] How much data there is. What was chosen stays, and so does what ticklog_dlf_next tells next. Time: polled
 * O(streams x log ticks), by arithmetic; events: reads the file. Errors: NULL, BAD_HANDLE, BAD_SIZE, the source's. */
ticklog_status ticklog_dlf_measure(ticklog_dlf *dlf, ticklog_dlf_extent *extent);

/* [owner] Why the last call answered DAMAGED or WRONG_FORMAT, or what a torn tail is. Rows are 0.
 * Errors: NULL, BAD_HANDLE, BAD_SIZE, NOT_FOUND (nothing has gone wrong). */
ticklog_status ticklog_dlf_get_damage(const ticklog_dlf *dlf, ticklog_damage *damage);

typedef struct ticklog_dlf_meta {
    uint32_t size;          /* in: sizeof(ticklog_dlf_meta) */
    uint32_t epoch_s;       /* Unix time of tick 0; 0: unknown */
    uint32_t tick_us;       /* microseconds in a tick */
    uint32_t metadata_size;
    ticklog_text type_text; /* of the metadata, see ticklog_dlf_get_member */
    const void *metadata;   /* metadata_size bytes; aligned to nothing */
} ticklog_dlf_meta;

/* [any] Reads meta.dlf. Of a source that is not mapped, the whole file goes to `memory`, of `bytes` bytes; otherwise both
 * may be 0. What *meta points to lies there, or in the mapped file.
 * Errors: NULL, BAD_SIZE, BAD_ARGUMENT, NO_MEMORY (less than the file), WRONG_FORMAT, DAMAGED, the source's. */
ticklog_status ticklog_dlf_read_meta(const ticklog_source *source, void *memory, size_t bytes, ticklog_dlf_meta *meta);

/* [any] Finds a file in an archive of a run, an uncompressed tar (ustar, with the long names of pax and GNU tar): the first
 * whose name's last part is this one, upper or lower case. Its bytes are those of the archive from *offset on. Time: a read of 512 bytes for each file before it.
 * Errors: NULL, BAD_SIZE, BAD_ARGUMENT, NOT_FOUND, WRONG_FORMAT (no archive), DAMAGED, the source's. */
ticklog_status ticklog_archive_find(const ticklog_source *archive, const char *name, uint64_t *offset, uint64_t *bytes);

/* ------------------------------------------------------------------------------------------------------------------
 * BMS clients: programs that send to `ticklog serve`, ask it and follow what changes (docs/BMS.md). Linux builds only.
 *
 *     ticklog_client_config config = { .size = sizeof config, .host = "127.0.0.1", .port = 9000 };
 *     ticklog_client *client;
 *     if (ticklog_client_open(&config, &client) == TICKLOG_OK) {
 *         ticklog_client_send(client, &packet);
 *         ticklog_client_sync(client);                      now it is on the server's medium
 *         ticklog_client_query(client, TICKLOG_SOURCE_RACK, 3, offsets, values, 2);
 *         ticklog_client_close(client);
 *     }
 *
 * One thread at a time uses a client. Every call ends within the configured time. A call that answers DISCONNECTED, DENIED,
 * DAMAGED or IO ends the use of the client: it is to be closed. After TIMED_OUT it may go on: what could not be sent
 * yet is sent by the next call. A client takes about 2 MiB, and up to 16 MiB more while a call waits for an answer
 * and changes come.
 * ------------------------------------------------------------------------------------------------------------------ */

typedef struct ticklog_client ticklog_client;

typedef struct ticklog_client_config {
    uint32_t size;          /* sizeof(ticklog_client_config) */
    uint32_t timeout_ms;    /* how long a call may wait; 0: 5000 */
    const char *host;       /* a name, or an IPv4 or IPv6 address; NULL: 127.0.0.1 */
    const char *token_file; /* the secret that the server asks for: its first line, of a file that only its owner may read;
                               NULL: none */
    uint32_t port;          /* 0: 9000 */
    uint32_t reserved;      /* 0 */
} ticklog_client_config;

/* [any] Connects, and logs in if there is a token file. Allocates.
 * Errors: NULL, BAD_SIZE, BAD_ARGUMENT (port, reserved), NOT_FOUND (the host), DISCONNECTED (nobody listens there), TIMED_OUT, DENIED
 * (the token, or its file), NO_MEMORY, IO. */
ticklog_status ticklog_client_open(const ticklog_client_config *config, ticklog_client **client);

/* [one thread] Sends a DIFF or FULL: command, type, source, count, control and data of *packet; its time too, unless that is
 * 0, which means now. The sequence is the client's own. It returns when the system has taken the packet.
 * Errors: NULL, BAD_HANDLE, BAD_ARGUMENT (count, type), UNSUPPORTED (another command), TIMED_OUT, DISCONNECTED, DENIED, DAMAGED,
 * IO. */
ticklog_status ticklog_client_send(ticklog_client *client, const ticklog_packet *packet);

/* [one thread] Returns when everything that was sent before is on the server's medium.
 * Errors: NULL, BAD_HANDLE, TIMED_OUT, DISCONNECTED, DENIED, DAMAGED, IO. */
ticklog_status ticklog_client_sync(ticklog_client *client);

/* [one thread] Stores the newest values of `count` words at `offsets`, at most 65536, in `values`. A word that never came is 0.
 * Errors: as ticklog_client_send. */
ticklog_status ticklog_client_query(ticklog_client *client, uint8_t type, uint8_t source, const uint16_t *offsets,
                                    uint16_t *values, uint32_t count);

/* [one thread] Follows the words of a source from now on: `ranges` has for each of range_count ranges, at most 32, its first and
 * its last offset. rate_hz: at most so many messages a second, 0: as changes come. An earlier subscription to the source ends;
 * range_count 0: there is no new one. At most 16 sources. ticklog_client_next has what comes.
 * Errors: as ticklog_client_send, and BAD_ARGUMENT (range_count, a last offset before its first, more sources). */
ticklog_status ticklog_client_subscribe(ticklog_client *client, uint8_t type, uint8_t source, const uint16_t *ranges,
                                        uint32_t range_count, uint16_t rate_hz);

/* [one thread] The next message of a subscription: first REPLYs with the values as they are, then DIFFs with words that have
 * changed. Its words stay where they are until the next call with this client. Waits for timeout_ms at most; 0: not at all.
 * Errors: as ticklog_client_sync; TIMED_OUT: nothing has changed. */
ticklog_status ticklog_client_next(ticklog_client *client, uint32_t timeout_ms, ticklog_packet *packet);

/* [one thread] A sentence about the last call that failed, for the user; "" if none has. Valid until the next call. NULL for
 * NULL and for what is no client. */
const char *ticklog_client_error(const ticklog_client *client);

/* [one thread] Closes the connection and frees the client. What was sent is taken by the server, but only after
 * ticklog_client_sync is it known to be kept. Errors: NULL, BAD_HANDLE. */
ticklog_status ticklog_client_close(ticklog_client *client);

/* ------------------------------------------------------------------------------------------------------------------
 * Reports: what a file or a run is, whether it is sound, and its repair, as JSON (docs/COMMAND.md). Linux builds only.
 *
 *     char *text;
 *     if (ticklog_validate_json("runs/2f1c...", &text) != TICKLOG_OK) puts("not sound");
 *     if (text != NULL) fputs(text, stdout);
 *     ticklog_text_free(text);
 *
 * A text is what the command prints with --json, the end of its line included: the same bytes. If there is no report, since
 * the path cannot be opened, is nothing that is read, or cannot be repaired, it is
 * {"error":"the sentence for the user","path":"of the file","offset":17}, the offset null if it is none of a byte. It is NULL
 * after NULL, NO_MEMORY and a BAD_ARGUMENT for `flags`; otherwise it is to be given to ticklog_text_free.
 *
 * The status is OK where the command's exit code is 0. WRONG_FORMAT and DAMAGED are its 1, a system's error its 3.
 *
 * Paths are those of files, of the directories of runs, or of archives of runs; "-" is standard input, but not to be
 * repaired. Files are told by their content. Hostile ones get an answer, never a crash; but files are mapped, so one that
 * another process cuts meanwhile ends this one by SIGBUS. A pipe is read to its end: then the caller waits for its writer.
 * Any threads may call at the same time; a path that one of them repairs, no other one may use. Signals and standard output
 * are left alone. Memory comes from malloc; an allocation within the library that fails ends the process.
 * ------------------------------------------------------------------------------------------------------------------ */

/* [any] What a file or run is: format, columns or streams, counts, times, the run's own metadata ("user") and its losses,
 * damage. A torn end of what was never closed is none. Reads all of it, polled DLF data apart. Time: proportional to the
 * bytes.
 * Errors: NULL, NOT_FOUND, DENIED, WRONG_FORMAT, DAMAGED, NO_MEMORY, IO. */
ticklog_status ticklog_info_json(const char *path, char **text);

/* [any] Checks every checksum, length and row. What was not closed but ends behind a whole packet or sample is sound. Time:
 * proportional to the bytes; behind damage the next good packet is looked for, in BMS logs and frames within a bound.
 * Errors: NULL, NOT_FOUND, DENIED, WRONG_FORMAT, DAMAGED (torn as well), NO_MEMORY, IO. */
ticklog_status ticklog_validate_json(const char *path, char **text);

#define TICKLOG_REPAIR_KEEP_UNVERIFIED 1u /* of a torn last BCSV packet, keep the whole rows, which no checksum covers */
#define TICKLOG_REPAIR_ONLY_IF_NEEDED 2u  /* what is sound and closed is not copied to `out` */

/* [any] Makes a sound file or run of what verifies. `out`: where, and where nothing may be; NULL: in place, the original
 * staying as PATH.orig. The result is written beside its place, put on the medium and read before it gets its name; in a run,
 * LOCK goes last. Killed at any moment, a call leaves what was there, and perhaps a file .ticklog-PID-N. What is sound and
 * closed stays as it is. Time: as ticklog_validate_json two or three times, and the medium's.
 * Errors: NULL, BAD_ARGUMENT (flags, "-"; KEEP_UNVERIFIED of what is neither BCSV nor DLF), EXISTS (`out` or PATH.orig),
 * NOT_FOUND, DENIED, WRONG_FORMAT or DAMAGED (it cannot be repaired; nothing was written), NO_SPACE, NO_MEMORY, IO. */
ticklog_status ticklog_repair_json(const char *path, const char *out, uint32_t flags, char **text);

/* [any] Frees a text of this section. NULL: nothing is done. */
void ticklog_text_free(char *text);

/* ------------------------------------------------------------------------------------------------------------------
 * Any file: every format that is read, as Arrow record batches, and Arrow record batches as files. Linux builds only.
 *
 * The structures are those of the Arrow C data and C stream interfaces: pyarrow, pandas, polars, duckdb, R and others take
 * them as they are, without a copy of the values.
 *
 *     char why[256];
 *     ticklog_arrow_config config = { .size = sizeof config, .message = why, .message_bytes = sizeof why };
 *     struct ArrowArrayStream stream;
 *     if (ticklog_arrow_open("runs/2f1c", &config, &stream) == TICKLOG_OK) {
 *         struct ArrowArray batch;
 *         while (stream.get_next(&stream, &batch) == 0 && batch.release) {
 *             ...
 *             batch.release(&batch);
 *         }
 *         stream.release(&stream);
 *     }
 * ------------------------------------------------------------------------------------------------------------------ */

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

#endif /* ARROW_C_DATA_INTERFACE */

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

#endif /* ARROW_C_STREAM_INTERFACE */

#define TICKLOG_ARROW_SALVAGE 1u       /* damage of a BCSV file, of frames or packets is left out; it is no error then */
#define TICKLOG_ARROW_EVENTS 2u        /* of a run, the event file instead of the polled one */
#define TICKLOG_ARROW_NO_DICTIONARY 4u /* strings are never encoded by a dictionary */
#define TICKLOG_ARROW_BINARY 8u        /* strings are any bytes ("z"), not text ("u"): there are files that need it */

typedef struct ticklog_arrow_config {
    uint32_t size;              /* sizeof(ticklog_arrow_config) */
    uint32_t flags;             /* TICKLOG_ARROW_SALVAGE, _EVENTS, _NO_DICTIONARY, _BINARY */
    const char *stream;         /* of a run or a DLF file, the rows of one stream: its ticks, time_ns, its columns; of the event
                                   file if the polled one has none of that name. NULL: the whole table */
    const char *const *columns; /* names of the columns, in the order wanted; only these are decoded. NULL: all */
    uint32_t column_count;      /* of `columns` */
    uint32_t batch_rows;        /* rows of a batch, at most; 0: 65536 */
    uint64_t first_row;         /* rows before are passed over; where the format has an index, in no time. Rows that were lost
                                   count, unless ticks are chosen or a stream is */
    uint64_t row_count;         /* how many, at most; 0: to the end */
    uint64_t from_tick;         /* rows with from_tick <= tick < to_tick alone; of a table that has a column `tick` of u64. */
    uint64_t to_tick;           /* 0: to the end */
    char *message;              /* where the reason of a refusal goes: a text with offset, expectation and finding. NULL: nowhere */
    size_t message_bytes;       /* its room; the text is cut to fit, and ends with a NUL */
} ticklog_arrow_config;

/* [any] Opens a BCSV, DLF, CSV or JSON Lines file, frames, RNO-G packets, a BMS log, or a run's directory or archive, found out
 * from the content as by `ticklog convert`, as a stream of record batches with the rows that `ticklog cat` prints, and makes
 * *stream, which was nothing before: end it with its release. `config` may be NULL. CSV and JSON Lines files are read once
 * to find the types of their columns.
 *
 * Types: bool "b", u8 "C", u16 "S", u32 "I", u64 "L", i8 "c", i16 "s", i32 "i", i64 "l", f32 "f", f64 "g", string "u" (with
 * TICKLOG_ARROW_BINARY "z"). A string column whose values repeat in the first batch (its different values are at most a
 * quarter of the rows) is a dictionary of "i" to "u"; each batch has a dictionary of its own. A value that is unknown,
 * before the first sample of its stream, is null. A bool is a bit, and NaNs keep their bits.
 *
 * The schema's metadata: `format` (bcsv, dlf, csv, jsonl, frames, bms, rnog; of a run its files'); of a run `run_id`,
 * `tick_ns`, `epoch_ns` (Unix time of tick 0; 0: unknown); a column's: `stream`, `unit`, `notes`, of polled streams
 * `interval` and `phase` in ticks; each only where it is known.
 *
 * Errors on the way: get_next answers EIO (damage, or the file became shorter), ENOMEM, or EINVAL (a string that is no
 * UTF-8), after the batches with all rows before, and get_last_error tells where and why, until the next call. Each further
 * get_next answers the same. Behind the last row it gives a released batch. A torn tail, of a file that was never closed, is
 * no error.
 *
 * Memory: the batch that is made, which is the consumer's then, and what reading the format needs, not the file: files are
 * mapped. Batches stay valid after the stream is released.
 * Threads: one at a time uses a stream; batches may be released by any. *stream and batches may be moved by copying.
 *
 * To notice that a mapped file becomes shorter while it is read, the first call installs a handler for SIGBUS, which
 * hands on, to the handler before it, every fault that is none of a file that is open here.
 *
 * Errors: NULL, BAD_SIZE, BAD_ARGUMENT (an unknown flag, ticks of a table without, `stream` of a table that has none),
 * NOT_FOUND (the path, a column, a stream, the run's file), DENIED, IO, NO_MEMORY, WRONG_FORMAT, DAMAGED. */
ticklog_status ticklog_arrow_open(const char *path, const ticklog_arrow_config *config, struct ArrowArrayStream *stream);

#define TICKLOG_ARROW_REPLACE 1u /* replaces the file if it is there */

typedef struct ticklog_arrow_write_config {
    uint32_t size;          /* sizeof(ticklog_arrow_write_config) */
    uint32_t flags;         /* 0 or TICKLOG_ARROW_REPLACE */
    const char *format;     /* "bcsv", "csv", "jsonl" or "parquet"; NULL: what the path's extension says */
    const char *row_codec;  /* of BCSV: "flat", "zoh", "delta", "auto": what makes the first 4096 rows smallest; NULL: "auto" */
    const char *file_codec; /* of BCSV: "packet", "packet-lz4", "batch", "stream", "stream-lz4"; NULL: "batch". Of Parquet: "lz4" or
                               "none"; NULL: "lz4" */
    uint32_t level;         /* of the codecs with LZ4: 1 to 9; 0: 6 */
    uint32_t packet_bytes;  /* of BCSV: 512 to 2^30; 0: 8388608 */
    char *message;          /* as in ticklog_arrow_config */
    size_t message_bytes;
} ticklog_arrow_write_config;

/* [any] Writes all batches of a stream as a file, which appears whole or not at all, and releases the stream, whatever it
 * answers (but not for NULL). `config` may be NULL. Extensions: .bcsv .bcs, .csv .tsv, .jsonl .ndjson, .parquet .parq .pq.
 *
 * Taken: bool, the integers, f32, f64; strings "u", "U", "z", "Z" of at most 65535 bytes each in BCSV; dictionaries of
 * strings; date32 and time32 as i32, date64, time64, timestamp and duration as i64, of which only Parquet's metadata keep
 * the unit, as `unit.<column>`; nulls in float columns as NaN, and columns of the type null as f32 of NaN. A dictionary may
 * be of any of these types. CSV and JSON Lines have every null as an empty cell or null.
 * Refused: nulls in other columns of BCSV and Parquet (in the message: column and row), float16, decimals, string views, and all that is
 * nested. A hostile or broken structure (lengths below 0, buffers that are missing, a wrong number of them, offsets that
 * go back, indices beyond the dictionary) is an error; that buffers are as long as the structure says cannot be checked.
 *
 * Errors: NULL, BAD_SIZE, BAD_ARGUMENT (an option, a null, the extension), BAD_TYPE (a column's type), DAMAGED (a
 * broken structure, or strings that are no UTF-8 to JSON Lines or Parquet), TOO_LARGE (a string), TOO_MANY (columns),
 * DUPLICATE_NAME (two columns of one name, to JSON Lines or Parquet), EXISTS, NOT_FOUND, DENIED, NO_SPACE, NO_MEMORY, IO
 * (also: the stream's own error, with its text). */
ticklog_status ticklog_arrow_write(struct ArrowArrayStream *stream, const char *path,
                                   const ticklog_arrow_write_config *config);

#ifdef __cplusplus
}
#endif

#endif /* TICKLOG_H */
