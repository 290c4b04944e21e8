/* The log buffer between processes and threads at full speed.
 *
 *     stress processes RECORDS    one writer and one reader process: every record is whole, read + lost = written
 *     stress threads RECORDS      the same with three reader threads in one process, for ThreadSanitizer
 *     stress killed ROUNDS        three readers attach by name while a writer runs; one is killed with -9 in the middle
 *     stress crash ROUNDS         the writer is killed with -9, again and again, and another one goes on
 *     stress rights               mode 0600, read-only for readers, names, one owner
 *     stress hostile ROUNDS       random bytes as a buffer, its last byte in front of a page that nobody may read
 *
 * The last line says "ok" and what was counted. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ticklog.h"

enum { CAPACITY = 1 << 16, SMALL = 1 << 11, LARGE = 1 << 20, MOST = 240 };

#define REQUIRE(condition, ...)                                        \
    do {                                                               \
        if (!(condition)) {                                            \
            printf("line %d: %s: ", __LINE__, #condition);             \
            printf(__VA_ARGS__);                                       \
            printf("\n");                                              \
            fflush(stdout);                                            \
            _exit(1);                                                  \
        }                                                              \
    } while (0)

static char name[64];

#ifdef NO_SHARED_MEMORY /* linked to the core alone */
ticklog_status ticklog_log_buffer_create_shared(const char *n, uint32_t c, ticklog_log_share **s, ticklog_log_writer *w)
{
    return (void)n, (void)c, (void)s, (void)w, TICKLOG_UNSUPPORTED;
}
ticklog_status ticklog_log_buffer_open_shared(const char *n, uint32_t f, ticklog_log_share **s, ticklog_log_reader *r)
{
    return (void)n, (void)f, (void)s, (void)r, TICKLOG_UNSUPPORTED;
}
ticklog_status ticklog_log_buffer_close(ticklog_log_share *s) { return (void)s, TICKLOG_UNSUPPORTED; }
#endif

static uint64_t mix(uint64_t v)
{
    v += 0x9E3779B97F4A7C15u;
    v = (v ^ v >> 30) * 0xBF58476D1CE4E5B9u;
    v = (v ^ v >> 27) * 0x94D049BB133111EBu;
    return v ^ v >> 31;
}

static uint64_t seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec;
}

static void sleep_ms(unsigned ms)
{
    struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

/* What record `n` is follows from n: its size, and its bytes with their checksum in front. */
static size_t size_of(uint64_t n) { return 4 + mix(n) % (MOST - 3); }

static size_t make(uint64_t n, uint8_t *out)
{
    size_t size = size_of(n);
    for (size_t i = 4; i < size; i += 8) {
        uint64_t word = mix(n * 31 + i);
        memcpy(out + i, &word, size - i < 8 ? size - i : 8);
    }
    uint32_t crc = ticklog_crc32c(0, out + 4, size - 4);
    memcpy(out, &crc, 4);
    return size;
}

static void check(const ticklog_log_record *record, const uint8_t *bytes, uint64_t n)
{
    uint32_t crc;
    memcpy(&crc, bytes, 4);
    REQUIRE(record->sequence == (uint32_t)n, "%u", (unsigned)record->sequence);
    REQUIRE(record->bytes == size_of(n), "record %u: %u", record->sequence, record->bytes);
    REQUIRE(record->timestamp == n * 3, "record %u", record->sequence);
    REQUIRE(crc == ticklog_crc32c(0, bytes + 4, record->bytes - 4), "record %u is not whole", record->sequence);
}

static ticklog_log_reader_statistics statistics(const ticklog_log_reader *reader)
{
    ticklog_log_reader_statistics s = {.size = sizeof s};
    REQUIRE(ticklog_log_buffer_reader_statistics(reader, &s) == TICKLOG_OK, "statistics");
    return s;
}

/* Reads to the end. `first` is the record that the reader begins at, or UINT64_MAX: the first one that it reads. The records
 * that are read, and those that the sequence says were passed over, are counted here and by the reader. */
static ticklog_log_reader_statistics read_all(ticklog_log_reader *reader, uint64_t first, uint64_t pace)
{
    uint8_t bytes[MOST];
    ticklog_log_record record;
    uint64_t next = first, read = 0, lost = 0, idle = 0, began = seconds();
    uint64_t before = statistics(reader).lost;
    for (;;) {
        ticklog_status status = ticklog_log_buffer_read(reader, bytes, sizeof bytes, &record);
        if (status == TICKLOG_END) {
            if (++idle % 100 == 0) {
                REQUIRE(seconds() - began < 200, "nothing comes any more");
                sched_yield();
            }
            continue;
        }
        if (status == TICKLOG_CLOSED) break;
        REQUIRE(status == TICKLOG_OK, "%d", (int)status);
        if (next == UINT64_MAX) {
            uint64_t now = statistics(reader).lost - before;
            next = record.sequence - now;
        }
        uint64_t n = next + (uint32_t)(record.sequence - (uint32_t)next);
        check(&record, bytes, n);
        lost += n - next;
        read++;
        next = n + 1;
        if (pace && read % pace == 0) sleep_ms(1);
    }
    ticklog_log_reader_statistics s = statistics(reader);
    REQUIRE(s.read == read && s.lost - before == lost, "read %llu lost %llu", (unsigned long long)s.read, (unsigned long long)s.lost);
    REQUIRE(next == UINT64_MAX || s.written == next, "the end");
    REQUIRE(first == UINT64_MAX || first + read + lost == s.written, "they add up");
    return s;
}

static void write_all(ticklog_log_writer *writer, uint64_t from, uint64_t records)
{
    uint8_t bytes[MOST];
    for (uint64_t n = from; n < from + records; n++) {
        size_t size = make(n, bytes);
        REQUIRE(ticklog_log_buffer_write(writer, n * 3, bytes, size) == TICKLOG_OK, "write");
    }
}

/* A process that ends when this one does. */
static pid_t child_process(void)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
    return child;
}

static void ends_well(pid_t child)
{
    int status;
    REQUIRE(waitpid(child, &status, 0) == child, "wait");
    REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a process ended with %x", (unsigned)status);
}

static void tell(const char *who, ticklog_log_reader_statistics s)
{
    printf("%s: read %llu, lost %llu, lapped %llu times\n", who, (unsigned long long)s.read, (unsigned long long)s.lost,
           (unsigned long long)s.lapped);
    fflush(stdout);
}

static void processes(uint64_t records)
{
    ticklog_log_share *share;
    ticklog_log_writer writer;
    REQUIRE(ticklog_log_buffer_create_shared(name, LARGE, &share, &writer) == TICKLOG_OK, "create");
    pid_t child = child_process();
    if (child == 0) {
        ticklog_log_share *view;
        ticklog_log_reader reader;
        REQUIRE(ticklog_log_buffer_open_shared(name, TICKLOG_FROM_OLDEST, &view, &reader) == TICKLOG_OK, "open");
        kill(getppid(), SIGUSR1);
        tell("reader", read_all(&reader, 0, 0));
        REQUIRE(ticklog_log_buffer_close(view) == TICKLOG_OK, "close");
        REQUIRE(ticklog_log_buffer_skip(&reader) == TICKLOG_BAD_HANDLE, "the reader outlives its memory");
        _exit(0);
    }
    sigset_t set;
    int got;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigwait(&set, &got);
    /* Where there are fewer processors than processes, the reader has its turns: most is read, and some is lost. */
    for (uint64_t n = 0; n < records; n += 1000) {
        write_all(&writer, n, records - n < 1000 ? records - n : 1000);
        sched_yield();
    }
    REQUIRE(ticklog_log_buffer_finish(&writer) == TICKLOG_OK, "finish");
    ends_well(child);
    REQUIRE(ticklog_log_buffer_close(share) == TICKLOG_OK, "close");
    printf("ok: %llu records\n", (unsigned long long)records);
}

static void *thread_reads(void *argument)
{
    static ticklog_log_reader_statistics results[3];
    ticklog_log_reader *reader = argument;
    static int count;
    int mine = __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
    results[mine] = read_all(reader, 0, mine == 2 ? 1000 : 0);
    return &results[mine];
}

static void threads(uint64_t records)
{
    size_t bytes = ticklog_log_buffer_size(SMALL);
    void *memory = aligned_alloc(64, bytes);
    ticklog_log_writer writer;
    ticklog_log_reader readers[3];
    pthread_t ids[3];
    REQUIRE(memory && ticklog_log_buffer_create(memory, bytes, SMALL, &writer) == TICKLOG_OK, "create");
    for (int i = 0; i < 3; i++) {
        REQUIRE(ticklog_log_buffer_open(memory, bytes, TICKLOG_FROM_OLDEST, &readers[i]) == TICKLOG_OK, "open");
        REQUIRE(pthread_create(&ids[i], NULL, thread_reads, &readers[i]) == 0, "thread");
    }
    write_all(&writer, 0, records);
    ticklog_log_buffer_finish(&writer);
    for (int i = 0; i < 3; i++) {
        void *result;
        pthread_join(ids[i], &result);
        tell("thread", *(ticklog_log_reader_statistics *)result);
    }
    free(memory);
    printf("ok: %llu records\n", (unsigned long long)records);
}

/* A process that attaches by name, says so, and reads until the buffer is closed. */
static pid_t start_reader(uint32_t from, uint64_t pace, int said)
{
    pid_t child = child_process();
    if (child != 0) return child;
    ticklog_log_share *view;
    ticklog_log_reader reader;
    ticklog_status status;
    uint64_t began = seconds();
    while ((status = ticklog_log_buffer_open_shared(name, from, &view, &reader)) != TICKLOG_OK) {
        REQUIRE(status == TICKLOG_NOT_FOUND || status == TICKLOG_WRONG_FORMAT || status == TICKLOG_BUSY, "%d", (int)status);
        REQUIRE(seconds() - began < 60, "no buffer");
        sched_yield();
    }
    REQUIRE(write(said, "", 1) == 1, "pipe");
    ticklog_log_reader_statistics s = read_all(&reader, UINT64_MAX, pace);
    tell("reader", s);
    REQUIRE(s.read > 0, "nothing was read");
    _exit(0);
}

static void killed(uint64_t rounds)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    for (uint64_t round = 0; round < rounds; round++) {
        int said[2];
        char byte;
        REQUIRE(pipe(said) == 0, "pipe");
        pid_t writer_process = child_process();
        if (writer_process == 0) {
            ticklog_log_share *share;
            ticklog_log_writer writer;
            struct timespec now = {0, 0};
            uint64_t n = 0;
            REQUIRE(ticklog_log_buffer_create_shared(name, CAPACITY, &share, &writer) == TICKLOG_OK, "create");
            do {
                write_all(&writer, n, 1000);
                n += 1000;
            } while (sigtimedwait(&set, NULL, &now) != SIGUSR1);
            REQUIRE(ticklog_log_buffer_close(share) == TICKLOG_OK, "close");
            printf("writer: %llu records\n", (unsigned long long)n);
            fflush(stdout);
            _exit(0);
        }
        pid_t readers[3] = {start_reader(TICKLOG_FROM_OLDEST, 0, said[1]), start_reader(TICKLOG_FROM_NEWEST, 0, said[1]),
                            start_reader(TICKLOG_FROM_OLDEST, 2000, said[1])};
        close(said[1]);
        for (int i = 0; i < 3; i++) REQUIRE(read(said[0], &byte, 1) == 1, "a reader has not attached");
        sleep_ms(100 + (unsigned)(mix(round) % 300));
        REQUIRE(kill(readers[round % 3], SIGKILL) == 0, "kill");
        int status;
        REQUIRE(waitpid(readers[round % 3], &status, 0) > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "killed %x",
                (unsigned)status);
        sleep_ms(100);
        REQUIRE(kill(writer_process, SIGUSR1) == 0, "the writer has ended");
        ends_well(writer_process);
        for (int i = 0; i < 3; i++) {
            if ((uint64_t)i != round % 3) ends_well(readers[i]);
        }
        close(said[0]);
    }
    printf("ok: %llu readers killed\n", (unsigned long long)rounds);
}

static void crash(uint64_t rounds)
{
    ticklog_log_reader reader;
    ticklog_log_share *view = NULL;
    uint8_t bytes[MOST];
    ticklog_log_record record;
    uint64_t next = 0, total = 0, base = 0;
    struct stat first, now;
    char path[96];
    snprintf(path, sizeof path, "/dev/shm%s", name);
    for (uint64_t round = 0; round < rounds; round++) {
        pid_t child = child_process();
        if (child == 0) {
            ticklog_log_share *share;
            ticklog_log_writer writer;
            ticklog_log_writer_statistics s = {.size = sizeof s};
            REQUIRE(ticklog_log_buffer_create_shared(name, CAPACITY, &share, &writer) == TICKLOG_OK, "take over");
            REQUIRE(ticklog_log_buffer_writer_statistics(&writer, &s) == TICKLOG_OK, "statistics");
            for (uint64_t n = s.written;; n++) write_all(&writer, n, 1);
        }
        uint64_t began = seconds();
        while (!view && ticklog_log_buffer_open_shared(name, TICKLOG_FROM_OLDEST, &view, &reader) != TICKLOG_OK) {
            REQUIRE(seconds() - began < 60, "no buffer");
        }
        sleep_ms(5 + (unsigned)(mix(round) % 20));
        REQUIRE(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child, "kill");
        REQUIRE(stat(path, round ? &now : &first) == 0, "the name is gone");
        REQUIRE(round == 0 || now.st_ino == first.st_ino, "another buffer was made");
        /* All that was published is whole, and there is nothing else. */
        ticklog_status status;
        while ((status = ticklog_log_buffer_read(&reader, bytes, sizeof bytes, &record)) == TICKLOG_OK) {
            if (next == 0) base = next = record.sequence - statistics(&reader).lost;
            next += (uint32_t)(record.sequence - (uint32_t)next);
            check(&record, bytes, next++);
        }
        REQUIRE(status == TICKLOG_END, "%d", (int)status);
        ticklog_log_reader_statistics s = statistics(&reader);
        REQUIRE(base + s.read + s.lost == next, "they add up");
        REQUIRE(s.written == next || s.written + 1 == next, "written %llu", (unsigned long long)s.written);
        total = next;
    }
    ticklog_log_share *share;
    ticklog_log_writer writer;
    REQUIRE(ticklog_log_buffer_create_shared(name, CAPACITY, &share, &writer) == TICKLOG_OK, "take over");
    REQUIRE(ticklog_log_buffer_close(share) == TICKLOG_OK, "close");
    REQUIRE(ticklog_log_buffer_read(&reader, bytes, sizeof bytes, &record) == TICKLOG_CLOSED, "closed");
    REQUIRE(ticklog_log_buffer_close(view) == TICKLOG_OK, "close");
    tell("reader", (ticklog_log_reader_statistics){.read = total});
    printf("ok: %llu writers killed\n", (unsigned long long)rounds);
}

static void rights(void)
{
    char path[96];
    struct stat found;
    ticklog_log_share *share, *view;
    ticklog_log_writer writer, second;
    ticklog_log_reader reader;
    snprintf(path, sizeof path, "/dev/shm%s", name);
    umask(0);
    REQUIRE(ticklog_log_buffer_open_shared(name, TICKLOG_FROM_OLDEST, &view, &reader) == TICKLOG_NOT_FOUND, "before");
    REQUIRE(ticklog_log_buffer_create_shared(name, 4096, &share, &writer) == TICKLOG_OK, "create");
    REQUIRE(stat(path, &found) == 0 && (found.st_mode & 07777) == 0600, "mode %o", found.st_mode & 07777u);
    REQUIRE(found.st_size == 4096 + 128 && found.st_blocks * 512 >= found.st_size, "its bytes are taken");
    REQUIRE(ticklog_log_buffer_create_shared(name, 4096, &view, &second) == TICKLOG_EXISTS, "a second owner");
    uint8_t bytes[64] = {1, 2, 3};
    REQUIRE(ticklog_log_buffer_write(&writer, 5, bytes, 3) == TICKLOG_OK, "write");

    /* Whoever maps it as a reader does cannot write to it. The mapping is found by what it is of. */
    pid_t child = child_process();
    if (child == 0) {
        REQUIRE(ticklog_log_buffer_open_shared(name, TICKLOG_FROM_OLDEST, &view, &reader) == TICKLOG_OK, "open");
        FILE *maps = fopen("/proc/self/maps", "r");
        char line[512], use[8];
        unsigned long from = 0, to, start;
        int views = 0;
        REQUIRE(maps != NULL, "maps");
        while (fgets(line, sizeof line, maps)) {
            if (!strstr(line, name + 1)) continue;
            REQUIRE(sscanf(line, "%lx-%lx %7s", &start, &to, use) == 3, "%s", line);
            if (use[1] == 'w') continue; /* the parent's, inherited */
            REQUIRE(strcmp(use, "r--s") == 0, "%s", line);
            from = start;
            views++;
        }
        REQUIRE(views == 1, "%d", views);
        ticklog_log_record record;
        REQUIRE(ticklog_log_buffer_read(&reader, bytes, sizeof bytes, &record) == TICKLOG_OK && record.bytes == 3, "read");
        *(volatile uint8_t *)(from + 200) = 1;
        _exit(0); /* not reached */
    }
    int status;
    REQUIRE(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "a reader wrote: %x",
            (unsigned)status);

    /* The owner goes without a word: the same buffer goes on. The child must not keep the lock. */
    REQUIRE(ticklog_log_buffer_close(share) == TICKLOG_OK, "close");
    REQUIRE(stat(path, &found) != 0 && errno == ENOENT, "the name is left");
    child = child_process();
    if (child == 0) {
        REQUIRE(ticklog_log_buffer_create_shared(name, 4096, &share, &writer) == TICKLOG_OK, "create");
        REQUIRE(ticklog_log_buffer_write(&writer, 5, bytes, 3) == TICKLOG_OK, "write");
        _exit(0);
    }
    ends_well(child);
    REQUIRE(stat(path, &found) == 0, "left behind");
    ino_t old = found.st_ino;
    REQUIRE(ticklog_log_buffer_create_shared(name, 4096, &share, &writer) == TICKLOG_OK, "take over");
    ticklog_log_writer_statistics s = {.size = sizeof s};
    REQUIRE(ticklog_log_buffer_writer_statistics(&writer, &s) == TICKLOG_OK && s.written == 1, "goes on");
    REQUIRE(stat(path, &found) == 0 && found.st_ino == old, "the same");
    REQUIRE(ticklog_log_buffer_close(share) == TICKLOG_OK, "close");

    /* What else may lie there without an owner is made anew: another capacity, too few bytes, no buffer. */
    for (int kind = 0; kind < 3; kind++) {
        child = child_process();
        if (child == 0) {
            if (kind == 0) {
                REQUIRE(ticklog_log_buffer_create_shared(name, 64, &share, &writer) == TICKLOG_OK, "create");
            } else {
                int file = open(path, O_RDWR | O_CREAT, 0600);
                REQUIRE(file >= 0 && ftruncate(file, kind == 1 ? 100 : 4096 + 128) == 0, "file");
            }
            _exit(0);
        }
        ends_well(child);
        REQUIRE(ticklog_log_buffer_create_shared(name, 4096, &share, &writer) == TICKLOG_OK, "kind %d", kind);
        REQUIRE(ticklog_log_buffer_writer_statistics(&writer, &s) == TICKLOG_OK && s.written == 0 && s.capacity == 4096, "anew");
        REQUIRE(ticklog_log_buffer_open_shared(name, TICKLOG_FROM_OLDEST, &view, &reader) == TICKLOG_OK, "open");
        REQUIRE(ticklog_log_buffer_close(view) == TICKLOG_OK && stat(path, &found) == 0, "a reader does not remove it");
        REQUIRE(ticklog_log_buffer_close(share) == TICKLOG_OK, "close");
    }
    int file = open(path, O_RDWR | O_CREAT, 0640);
    REQUIRE(file >= 0 && fchmod(file, 0640) == 0, "file");
    REQUIRE(ticklog_log_buffer_create_shared(name, 4096, &share, &writer) == TICKLOG_DENIED, "open to others");
    REQUIRE(ticklog_log_buffer_open_shared(name, TICKLOG_FROM_OLDEST, &view, &reader) == TICKLOG_WRONG_FORMAT, "empty");
    close(file);
    unlink(path);

    REQUIRE(ticklog_log_buffer_create_shared("ticklog", 64, &share, &writer) == TICKLOG_BAD_NAME, "no slash");
    REQUIRE(ticklog_log_buffer_create_shared("/", 64, &share, &writer) == TICKLOG_BAD_NAME, "empty");
    REQUIRE(ticklog_log_buffer_create_shared("/..", 64, &share, &writer) == TICKLOG_BAD_NAME, "dots");
    REQUIRE(ticklog_log_buffer_create_shared("/a/b", 64, &share, &writer) == TICKLOG_BAD_NAME, "two slashes");
    char wide[300];
    memset(wide, 'a', sizeof wide);
    wide[0] = '/';
    wide[299] = 0;
    REQUIRE(ticklog_log_buffer_create_shared(wide, 64, &share, &writer) == TICKLOG_NAME_TOO_LONG, "long");
    REQUIRE(ticklog_log_buffer_create_shared(name, 65, &share, &writer) == TICKLOG_BAD_ARGUMENT, "capacity");
    REQUIRE(ticklog_log_buffer_close(NULL) == TICKLOG_NULL, "null");
    printf("ok: rights\n");
}

static uint64_t random_state;

static uint64_t below(uint64_t n)
{
    random_state = mix(random_state);
    return random_state % n;
}

static void hostile(uint64_t rounds)
{
    uint64_t seed = (uint64_t)time(NULL) * 1000003 + (uint64_t)getpid(), records = 0, damaged = 0;
    const char *given = getenv("TICKLOG_TEST_SEED");
    if (given) seed = strtoull(given, NULL, 10);
    printf("seed %llu\n", (unsigned long long)seed);
    long page = sysconf(_SC_PAGESIZE);
    uint8_t *pages = mmap(NULL, (size_t)page * 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(pages != MAP_FAILED && mprotect(pages, (size_t)page, PROT_NONE) == 0 && mprotect(pages + 3 * page, (size_t)page, PROT_NONE) == 0, "pages");
    random_state = seed;
    for (uint64_t round = 0; round < rounds; round++) {
        uint32_t capacity = 64u << below(6);
        size_t bytes = ticklog_log_buffer_size(capacity);
        uint8_t *memory = below(2) ? pages + page : pages + 3 * page - bytes;
        uint8_t payload[1024] = {0}, out[1024];
        ticklog_log_writer writer;
        ticklog_log_reader reader;
        ticklog_log_record record;
        REQUIRE(ticklog_log_buffer_create(memory, bytes, capacity, &writer) == TICKLOG_OK, "create");
        for (uint64_t n = below(40); n > 0; n--) ticklog_log_buffer_write(&writer, n, payload, below(capacity / 2 - 15));
        uint32_t from = (uint32_t)below(2);
        bool open = ticklog_log_buffer_open(memory, bytes, from, &reader) == TICKLOG_OK;
        for (uint64_t n = below(12); n > 0; n--) memory[below(2) ? 20 + below(108) : below(bytes)] = (uint8_t)below(256);
        for (uint64_t n = below(12); n > 0; n--) { /* where a record's size may stand, a size that may be one */
            uint32_t size = (uint32_t)below(capacity / 2 - 15);
            memcpy(memory + 128 + 8 * below(capacity / 8), &size, 4);
        }
        if (below(4) == 0) for (size_t i = 128; i < bytes; i++) memory[i] = (uint8_t)below(256);
        if (below(2)) open = ticklog_log_buffer_open(memory, bytes, from, &reader) == TICKLOG_OK;
        for (int i = 0; open && i < 300; i++) {
            ticklog_status status = ticklog_log_buffer_read(&reader, out, sizeof out, &record);
            if (status == TICKLOG_OK) records++;
            else if (status == TICKLOG_DAMAGED) damaged++;
            if (status != TICKLOG_OK) break;
            REQUIRE(record.bytes <= capacity / 2 - 16, "%u", record.bytes);
        }
        for (int i = 0; i < 20; i++) ticklog_log_buffer_write(&writer, 1, payload, below(capacity / 2 - 15));
        if (ticklog_log_buffer_attach(memory, bytes, &writer) == TICKLOG_OK)
            for (int i = 0; i < 20; i++) ticklog_log_buffer_write(&writer, 1, payload, below(capacity / 2 - 15));
    }
    REQUIRE(records > rounds / 2 && damaged > rounds / 50, "records %llu, damaged %llu", (unsigned long long)records, (unsigned long long)damaged);
    printf("ok: %llu records, %llu damaged\n", (unsigned long long)records, (unsigned long long)damaged);
}

int main(int argc, char **argv)
{
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    sigset_t set;
    if (argc < 2) return 64;
    const char *given = getenv("TICKLOG_TEST_NAME"); /* the script removes what a failure leaves */
    if (given) snprintf(name, sizeof name, "%s", given);
    else snprintf(name, sizeof name, "/ticklog-stress-%ld", (long)getpid());
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    if (!strcmp(argv[1], "processes")) processes(count);
    else if (!strcmp(argv[1], "threads")) threads(count);
    else if (!strcmp(argv[1], "killed")) killed(count);
    else if (!strcmp(argv[1], "crash")) crash(count);
    else if (!strcmp(argv[1], "rights")) rights();
    else if (!strcmp(argv[1], "hostile")) hostile(count);
    else return 64;
    return 0;
}
