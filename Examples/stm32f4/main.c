/* A complete logger on an STM32F4: SysTick samples, the main loop writes.
 *
 * Shows: a polled structure with several fields, a polled counter at a longer interval, a watched switch, an emitted
 * event, run names by number, stopping, statistics. Memory is static; there is no allocator in the firmware. Storage is
 * semihosting: the run is a directory on the host. A real device takes Examples/storage/fatfs.c instead.
 *
 *   Cross/cc.sh cortex-m4f build/stm32f4.elf Examples/stm32f4/main.c Examples/storage/semihosting.c -- -I Examples/storage
 *   Cross/run.sh cortex-m4f build/stm32f4.elf 2000
 *
 * or here, from a release bundle, without Swift:  make run ARGUMENTS="2000 . run"
 *
 * (after `make cross`; with MACHINE=netduinoplus2 before both commands: QEMU's STM32F405). Arguments: ticks, root
 * directory (it exists; default "."), run name (default: the first free one of run-001, run-002, ...). */
#include <stddef.h>
#include <string.h>

#include <ticklog.h>

#include "semihost.h"
#include "semihosting.h"

#define TICK_HZ 1000u

#ifndef CORE_HZ
#define CORE_HZ 25000000u /* mps2-an386; an STM32F405 runs at 168 MHz */
#endif

/* What is logged. Whoever writes these variables runs at the same or at a lower priority than SysTick. */
static struct imu {
    float acceleration[3];
    float rotation[3];
    int16_t temperature;
    uint8_t status;
} imu;
static uint32_t loops;
static uint8_t button;
struct overrun {
    uint16_t code;
    float value;
};

static const ticklog_field imu_fields[] = {
    TICKLOG_FIELD(struct imu, acceleration, TICKLOG_F32, "m/s2"),
    TICKLOG_FIELD(struct imu, rotation, TICKLOG_F32, "rad/s"),
    TICKLOG_FIELD(struct imu, temperature, TICKLOG_I16, "0.01 degC"),
    TICKLOG_FIELD(struct imu, status, TICKLOG_U8, NULL),
};
static const ticklog_field overrun_fields[] = {
    TICKLOG_FIELD(struct overrun, code, TICKLOG_U16, NULL),
    TICKLOG_FIELD(struct overrun, value, TICKLOG_F32, "V"),
};

static uint64_t memory[64 * 1024 / sizeof(uint64_t)];
static ticklog_stream *overrun_stream;
static ticklog_run *volatile running;
static volatile uint32_t ticks;

/* Stands for the sensors: whole numbers scaled by powers of two, so that every target makes the same values. */
static void read_sensors(uint32_t tick)
{
    for (int axis = 0; axis < 3; axis++) {
        imu.acceleration[axis] = (float)(int32_t)((tick * (uint32_t)(axis + 1)) % 2000u) * 0.0078125f;
        if (tick % 10u == 0) imu.rotation[axis] = (float)(int32_t)(tick % 300u) * 0.03125f - 4.0f;
    }
    imu.temperature = (int16_t)(2500 + tick / 256u);
    imu.status = (uint8_t)(tick % 1000u < 990u);
    button = (uint8_t)(tick / 300u % 2u);
}

void SysTick_Handler(void);
void SysTick_Handler(void)
{
    ticklog_run *run = running;
    if (!run) return;
    uint32_t tick = ticks;
    read_sensors(tick);
    (void)ticklog_tick(run, 1); /* RING_FULL is counted and declared in the file: nothing to do here */
    if (tick % 500u == 499u) {
        const struct overrun event = { .code = (uint16_t)(tick / 500u), .value = (float)tick * 0.5f };
        (void)ticklog_emit(overrun_stream, &event, sizeof event);
    }
    ticks = tick + 1;
}

static void systick(uint32_t period)
{
    *(volatile uint32_t *)0xE000E014u = period - 1;       /* reload */
    *(volatile uint32_t *)0xE000E018u = 0;                /* current */
    *(volatile uint32_t *)0xE000E010u = period ? 7u : 0u; /* core clock, interrupt, on */
}

static int failed(const char *what, ticklog_status status)
{
    semihost_print(what);
    semihost_print(": ");
    semihost_print(ticklog_status_text(status));
    semihost_print("\n");
    return 1;
}

static void show(const char *name, uint64_t value)
{
    semihost_print(name);
    semihost_number(value);
}

static uint32_t number(const char *text)
{
    uint32_t value = 0;
    while (*text >= '0' && *text <= '9') value = value * 10u + (uint32_t)(*text++ - '0');
    return value;
}

int main(int argc, char **argv)
{
    const uint32_t wanted = argc > 1 ? number(argv[1]) : 2000u;
    const char *root = argc > 2 ? argv[2] : ".";

    /* The logger and its streams, once. */
    const ticklog_config config = { .size = sizeof config, .max_streams = 4, .max_runs = 1, .root = root,
                                    .storage = &semihosting_storage };
    const size_t logger_size = (ticklog_logger_size(&config) + 7) & ~(size_t)7;
    ticklog_logger *logger;
    ticklog_status status = ticklog_logger_init(memory, sizeof memory, &config, &logger);
    if (status) return failed("logger", status);

    const ticklog_stream_config streams[] = {
        { .size = sizeof streams[0], .kind = TICKLOG_POLL, .name = "imu", .source = &imu, .source_size = sizeof imu,
          .fields = imu_fields, .field_count = sizeof imu_fields / sizeof *imu_fields },
        { .size = sizeof streams[0], .kind = TICKLOG_POLL, .type = TICKLOG_U32, .name = "loops", .source = &loops,
          .interval_ns = 100000000u, .notes = "turns of the main loop" },
        { .size = sizeof streams[0], .kind = TICKLOG_WATCH, .type = TICKLOG_BOOL, .name = "button", .source = &button },
        { .size = sizeof streams[0], .kind = TICKLOG_EMIT, .name = "overrun", .source_size = sizeof(struct overrun),
          .fields = overrun_fields, .field_count = sizeof overrun_fields / sizeof *overrun_fields },
    };
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        status = ticklog_add(logger, &streams[i], i == 3 ? &overrun_stream : NULL);
        if (status) return failed(streams[i].name, status);
    }

    /* A run. Without entropy it needs a name that is not taken. */
    char name[] = "run-000";
    ticklog_run_config run_config = { .size = sizeof run_config, .tick_ns = 1000000000u / TICK_HZ,
                                      .name = argc > 3 ? argv[3] : name };
    const size_t run_size = ticklog_run_size(logger, &run_config);
    ticklog_run *run = NULL;
    for (unsigned i = 1; i < 1000; i++) {
        name[4] = (char)('0' + i / 100u);
        name[5] = (char)('0' + i / 10u % 10u);
        name[6] = (char)('0' + i % 10u);
        status = ticklog_start(logger, &run_config, (char *)memory + logger_size, sizeof memory - logger_size, &run);
        if (status != TICKLOG_EXISTS || run_config.name != name) break;
    }
    if (status) return failed("start", status);

    running = run;
    systick(CORE_HZ / TICK_HZ);
    while (ticks < wanted) {
        loops++;
        status = ticklog_service(run);
        if (status && status != TICKLOG_BUSY) (void)failed("service", status); /* nothing is dropped; it tries again */
        __asm__ volatile("wfi");
    }
    running = NULL;
    *(volatile uint32_t *)0xE000E010u = 0; /* SysTick off: silence the ticker, then stop */

    do status = ticklog_stop(run);
    while (status == TICKLOG_BUSY);
    if (status) return failed("stop", status);

    ticklog_run_statistics statistics = { .size = sizeof statistics };
    status = ticklog_statistics(run, &statistics);
    if (status) return failed("statistics", status);
    semihost_print("run ");
    semihost_print(ticklog_run_name(run));
    show(": ticks ", statistics.ticks);
    show(", offered ", statistics.offered);
    show(", written ", statistics.written);
    show(", lost ", statistics.lost);
    show(", rows ", statistics.rows);
    show(", bytes ", statistics.bytes);
    show("\nmemory: logger ", logger_size);
    show(", run ", run_size);
    show(", most in the ring ", statistics.ring_high_water);
    show(" of ", statistics.ring_bytes);
    semihost_print("\n");
    return statistics.offered == statistics.written + statistics.lost ? 0 : 2;
}
