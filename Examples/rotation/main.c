/* Rotation without a gap: the next run is opened before the old one is stopped.
 *
 * Shows: two runs of one logger at once, a sampler that ticks both for a moment, and how the old one's memory becomes free
 * for the run after the next. The sampled variable is the sampler's own count; it tells which samples each run has, and
 * that the next run begins before the old one ends.
 *
 *   Cross/cc.sh host build/rotation Examples/rotation/main.c
 *   build/rotation . 4
 *
 * (after `make cross`). Arguments: root directory (it exists; default "."), number of runs (default 4), what their names
 * begin with (default "rotation"; none of the runs may exist). */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <ticklog.h>

#define RUNS 2 /* open at once */

static uint64_t count; /* what is sampled */

/* A run and the counts that its sampler gave it. The sampler ticks a slot while `run` is set. It says that it is done
 * with a slot that it found empty by `seen`: only then is the run's memory anybody else's. */
static struct slot {
    _Atomic(ticklog_run *) run;
    atomic_ulong seen; /* rounds of the sampler that are over */
    uint64_t first, last;
    void *memory;
} slots[RUNS];
static atomic_bool stopping;
static atomic_ulong dropped;

static void pause_ns(long ns)
{
    const struct timespec time = { 0, ns };
    nanosleep(&time, NULL);
}

static void *sample(void *unused)
{
    (void)unused;
    while (!atomic_load(&stopping)) {
        count++;
        for (int i = 0; i < RUNS; i++) {
            ticklog_run *run = atomic_load(&slots[i].run);
            if (run) {
                if (slots[i].first == 0) slots[i].first = count;
                slots[i].last = count;
                if (ticklog_tick(run, 1) != TICKLOG_OK) atomic_fetch_add(&dropped, 1);
            }
            atomic_fetch_add(&slots[i].seen, 1);
        }
        pause_ns(200000);
    }
    return NULL;
}

static int failed(const char *what, ticklog_status status)
{
    fprintf(stderr, "%s: %s\n", what, ticklog_status_text(status));
    return 1;
}

int main(int argc, char **argv)
{
    const char *root = argc > 1 ? argv[1] : ".";
    const int runs = argc > 2 ? atoi(argv[2]) : 4;
    const char *prefix = argc > 3 ? argv[3] : "rotation";

    const ticklog_config config = { .size = sizeof config, .max_streams = 1, .max_runs = RUNS, .root = root,
                                    .storage = ticklog_posix_storage() };
    ticklog_logger *logger;
    const size_t logger_bytes = ticklog_logger_size(&config);
    ticklog_status status = ticklog_logger_init(malloc(logger_bytes), logger_bytes, &config, &logger);
    if (status) return failed("logger", status);
    const ticklog_stream_config stream = { .size = sizeof stream, .kind = TICKLOG_POLL, .type = TICKLOG_U64,
                                           .name = "count", .source = &count };
    status = ticklog_add(logger, &stream, NULL);
    if (status) return failed("add", status);

    char name[37];
    ticklog_run_config run_config = { .size = sizeof run_config, .tick_ns = 200000, .name = name, .ring_bytes = 65536 };
    snprintf(name, sizeof name, "%s-0", prefix);
    const size_t run_bytes = ticklog_run_size(logger, &run_config);
    for (int i = 0; i < RUNS; i++) slots[i].memory = malloc(run_bytes);

    pthread_t sampler;
    if (pthread_create(&sampler, NULL, sample, NULL)) return 1;

    uint64_t end_of_last = 0;
    int gaps = 0;
    ticklog_run *open[RUNS] = { NULL, NULL };
    for (int number = 0; number <= runs; number++) {
        if (number < runs) { /* open the new one */
            struct slot *slot = &slots[number % RUNS];
            snprintf(name, sizeof name, "%s-%d", prefix, number);
            status = ticklog_start(logger, &run_config, slot->memory, run_bytes, &open[number % RUNS]);
            if (status) return failed("start", status);
            slot->first = slot->last = 0;
            const unsigned long seen = atomic_load(&slot->seen);
            atomic_store(&slot->run, open[number % RUNS]); /* from its next round on, the sampler ticks it */
            while (atomic_load(&slot->seen) < seen + 2) pause_ns(100000);
        }
        if (number > 0) { /* then close the old one */
            struct slot *slot = &slots[(number - 1) % RUNS];
            ticklog_run *run = open[(number - 1) % RUNS];
            const unsigned long seen = atomic_load(&slot->seen);
            atomic_store(&slot->run, NULL);
            while (atomic_load(&slot->seen) < seen + 2) pause_ns(100000); /* the sampler has let go of it */
            do status = ticklog_stop(run);
            while (status == TICKLOG_BUSY);
            if (status) return failed("stop", status);
            ticklog_run_statistics s = { .size = sizeof s };
            (void)ticklog_statistics(run, &s);
            const int gap = end_of_last != 0 && slot->first > end_of_last + 1;
            gaps += gap;
            printf("run %s: counts %llu to %llu, written %llu, lost %llu%s\n", ticklog_run_name(run),
                   (unsigned long long)slot->first, (unsigned long long)slot->last, (unsigned long long)s.written,
                   (unsigned long long)s.lost, gap ? ", a gap before it" : "");
            end_of_last = slot->last;
        }
        if (number < runs) { /* log for a while */
            for (int turn = 0; turn < 100; turn++) {
                status = ticklog_service(open[number % RUNS]);
                if (status) (void)failed("service", status);
                pause_ns(2000000);
            }
        }
    }
    atomic_store(&stopping, 1);
    pthread_join(sampler, NULL);
    printf("%d runs, %d gaps, %lu ticks refused\n", runs, gaps, atomic_load(&dropped));
    for (int i = 0; i < RUNS; i++) free(slots[i].memory);
    return gaps || atomic_load(&dropped) ? 2 : 0;
}
