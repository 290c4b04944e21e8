/* A logger on Linux: one thread samples on a timer, another one writes.
 *
 * Shows: the timer's expirations as `elapsed`, so that a late thread declares what it missed; storage on POSIX files; a
 * random run name; the wall-clock time of tick 0; a clean stop at SIGINT, SIGTERM or after some seconds; statistics.
 *
 *   Cross/cc.sh host build/posix-logger Examples/posix-logger/main.c
 *   build/posix-logger . 5
 *
 * (after `make cross`; linux-aarch64 or linux-armv7 instead of host for a board). Arguments: root directory (it exists;
 * default "."), seconds (default 5; 0: until a signal), tick rate in Hz (default 1000). */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <ticklog.h>

static struct engine {
    float speed;
    float torque;
    int16_t temperature[4];
    uint8_t running;
} engine;
static uint32_t load_cycles;
static uint8_t gear;

static const ticklog_field engine_fields[] = {
    TICKLOG_FIELD(struct engine, speed, TICKLOG_F32, "1/min"),
    TICKLOG_FIELD(struct engine, torque, TICKLOG_F32, "Nm"),
    TICKLOG_FIELD(struct engine, temperature, TICKLOG_I16, "0.1 degC"),
    TICKLOG_FIELD(struct engine, running, TICKLOG_BOOL, NULL),
};

static ticklog_run *run;
static atomic_bool stopping;
static long rate = 1000;
static int64_t begin; /* when tick 0 is, by CLOCK_MONOTONIC */

static void read_sensors(uint64_t tick)
{
    engine.speed = 800.0f + (float)(tick % 4000u) * 0.5f;
    engine.torque = (float)(tick / 10u % 100u) * 0.25f;
    for (unsigned i = 0; i < 4; i++) engine.temperature[i] = (int16_t)(900 + tick / 1000u * (i + 1));
    engine.running = 1;
    load_cycles = (uint32_t)(tick / 50u);
    gear = (uint8_t)(tick / 1500u % 6u);
}

static void *sample(void *unused)
{
    (void)unused;
    const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    const long period = 1000000000L / rate;
    const struct itimerspec every = { .it_interval = { (time_t)(period / 1000000000L), period % 1000000000L },
                                      .it_value = { (time_t)(begin / 1000000000), (long)(begin % 1000000000) } };
    if (timer < 0 || timerfd_settime(timer, TFD_TIMER_ABSTIME, &every, NULL) != 0) {
        perror("timerfd");
        atomic_store(&stopping, 1);
        return NULL;
    }
    uint64_t tick = 0;
    while (!atomic_load(&stopping)) {
        uint64_t expirations = 0; /* more than one if this thread came late */
        if (read(timer, &expirations, sizeof expirations) != sizeof expirations) {
            if (errno == EINTR) continue;
            break;
        }
        tick += expirations;
        read_sensors(tick);
        (void)ticklog_tick(run, (uint32_t)expirations);
    }
    close(timer);
    return NULL;
}

static void *write_out(void *unused)
{
    (void)unused;
    const struct timespec nap = { 0, 2000000 };
    ticklog_status last = TICKLOG_OK;
    while (!atomic_load(&stopping)) {
        ticklog_status status = ticklog_service(run);
        if (status != last && status != TICKLOG_OK) fprintf(stderr, "service: %s\n", ticklog_status_text(status));
        last = status;
        nanosleep(&nap, NULL);
    }
    return NULL;
}

static ticklog_status entropy(void *context, void *bytes, size_t count)
{
    (void)context;
    return getrandom(bytes, count, 0) == (ssize_t)count ? TICKLOG_OK : TICKLOG_NO_ENTROPY;
}

static int64_t now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int failed(const char *what, ticklog_status status)
{
    fprintf(stderr, "%s: %s\n", what, ticklog_status_text(status));
    return 1;
}

static void *allocated(size_t bytes) { return aligned_alloc(64, (bytes + 63) & ~(size_t)63); }

int main(int argc, char **argv)
{
    const char *root = argc > 1 ? argv[1] : ".";
    const long seconds = argc > 2 ? strtol(argv[2], NULL, 10) : 5;
    if (argc > 3) rate = strtol(argv[3], NULL, 10);
    if (rate < 1 || rate > 100000 || seconds < 0) {
        fprintf(stderr, "usage: %s [ROOT [SECONDS [HZ]]]\n", argv[0]);
        return 64;
    }

    /* The signals are taken by sigtimedwait below, in this thread only. */
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);

    const ticklog_config config = { .size = sizeof config, .root = root, .storage = ticklog_posix_storage(),
                                    .random = entropy };
    const size_t logger_bytes = ticklog_logger_size(&config);
    ticklog_logger *logger = NULL;
    void *memory = allocated(logger_bytes);
    ticklog_status status = ticklog_logger_init(memory, logger_bytes, &config, &logger);
    if (status) return failed("logger", status);

    const ticklog_stream_config streams[] = {
        { .size = sizeof streams[0], .kind = TICKLOG_POLL, .name = "engine", .source = &engine,
          .source_size = sizeof engine, .fields = engine_fields, .field_count = sizeof engine_fields / sizeof *engine_fields },
        { .size = sizeof streams[0], .kind = TICKLOG_POLL, .type = TICKLOG_U32, .name = "load_cycles",
          .source = &load_cycles },
        { .size = sizeof streams[0], .kind = TICKLOG_WATCH, .type = TICKLOG_U8, .name = "gear", .source = &gear },
    };
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        status = ticklog_add(logger, &streams[i], NULL);
        if (status) return failed(streams[i].name, status);
    }

    /* Tick 0 comes in 100 ms, by when the files are there. If they are not, the first call of ticklog_tick has missed some. */
    begin = now(CLOCK_MONOTONIC) + 100000000;
    const ticklog_run_config run_config = { .size = sizeof run_config, .tick_ns = (uint64_t)(1000000000L / rate),
                                            .epoch_ns = now(CLOCK_REALTIME) + 100000000, .ring_bytes = 1u << 20 };
    const size_t run_bytes = ticklog_run_size(logger, &run_config);
    void *run_memory = allocated(run_bytes ? run_bytes : 64);
    status = ticklog_start(logger, &run_config, run_memory, run_bytes, &run);
    if (status) return failed("start", status);
    printf("run %s\n", ticklog_run_name(run));
    fflush(stdout);

    pthread_t sampler, writer;
    if (pthread_create(&sampler, NULL, sample, NULL) || pthread_create(&writer, NULL, write_out, NULL)) return 1;

    const int64_t end = now(CLOCK_MONOTONIC) + (int64_t)seconds * 1000000000;
    while (!atomic_load(&stopping)) {
        const struct timespec moment = { 0, 100000000 };
        if (sigtimedwait(&signals, NULL, &moment) > 0) break;
        if (seconds != 0 && now(CLOCK_MONOTONIC) >= end) break;
    }
    atomic_store(&stopping, 1);
    pthread_join(sampler, NULL); /* first silence the ticker, */
    pthread_join(writer, NULL);  /* then this thread is the run's [service] context, */
    do status = ticklog_stop(run); /* and closes the files. */
    while (status == TICKLOG_BUSY);
    if (status) (void)failed("stop", status);

    ticklog_run_statistics s = { .size = sizeof s };
    (void)ticklog_statistics(run, &s);
    printf("ticks %llu, offered %llu, written %llu, lost %llu (late %llu, ring full %llu)\n", (unsigned long long)s.ticks,
           (unsigned long long)s.offered, (unsigned long long)s.written, (unsigned long long)s.lost,
           (unsigned long long)s.lost_by_reason[TICKLOG_LOSS_LATE],
           (unsigned long long)s.lost_by_reason[TICKLOG_LOSS_RING_FULL]);
    printf("rows %llu, bytes %llu, packets %llu, syncs %llu; most in the ring %u of %u; memory: logger %zu, run %zu\n",
           (unsigned long long)s.rows, (unsigned long long)s.bytes, (unsigned long long)s.packets,
           (unsigned long long)s.syncs, (unsigned)s.ring_high_water, (unsigned)s.ring_bytes, logger_bytes, run_bytes);
    free(run_memory);
    free(memory);
    return status == TICKLOG_OK && s.offered == s.written + s.lost ? 0 : 2;
}
