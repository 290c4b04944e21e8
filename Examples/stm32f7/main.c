/* A logger on an STM32F7: many fast channels, and events from an interrupt of their own.
 *
 * Shows, beyond Examples/stm32f4: an array of channels sampled at 5 kHz, a slow stream beside it, an event stream with a
 * queue of its own, so that an interrupt above the ticker's priority may emit (a frame came in, a comparator fired),
 * values of yours in the run's metadata, a wall-clock time, a note, and buffers aligned to the data cache's lines.
 *
 *   Cross/cc.sh cortex-m7f build/stm32f7.elf Examples/stm32f7/main.c Examples/storage/semihosting.c -- -I Examples/storage
 *   Cross/run.sh cortex-m7f build/stm32f7.elf 5000
 *
 * or here, from a release bundle, without Swift:  make BOARD=mps2 run ARGUMENTS="5000 . run"
 *
 * (after `make cross`; MACHINE=stm32f7 before the first command links for the chip itself). Arguments: ticks, root
 * directory (it exists; default "."), run name (default "f7-demo"; it must not exist). */
#include <stddef.h>

#include <ticklog.h>

#include "semihost.h"
#include "semihosting.h"

#define TICK_HZ 5000u
#define CHANNELS 32u

#ifndef CORE_HZ
#define CORE_HZ 25000000u /* mps2-an500; an STM32F767 runs at 216 MHz */
#endif

static int16_t adc[CHANNELS];
static struct supply {
    float voltage;
    float current;
    char state[12];
} supply = { 24.0f, 0.0f, "idle" };

struct trigger {
    uint8_t line;
    uint32_t count;
};

static const ticklog_field adc_fields[] = {
    { .name = "channel", .unit = "count", .type = TICKLOG_I16, .count = CHANNELS, .size = sizeof adc },
};
static const ticklog_field supply_fields[] = {
    TICKLOG_FIELD(struct supply, voltage, TICKLOG_F32, "V"),
    TICKLOG_FIELD(struct supply, current, TICKLOG_F32, "A"),
    TICKLOG_FIELD(struct supply, state, TICKLOG_STRING, NULL),
};
static const ticklog_field trigger_fields[] = {
    TICKLOG_FIELD(struct trigger, line, TICKLOG_U8, NULL),
    TICKLOG_FIELD(struct trigger, count, TICKLOG_U32, NULL),
};

/* Goes into meta.bcsv as user.firmware and user.serial. */
static const struct build {
    char firmware[16];
    uint32_t serial;
} build = { "demo 1.0", 4711 };
static const ticklog_field build_fields[] = {
    TICKLOG_FIELD(struct build, firmware, TICKLOG_STRING, NULL),
    TICKLOG_FIELD(struct build, serial, TICKLOG_U32, NULL),
};

/* Aligned to a cache line, so that the buffers in it can be cleaned for DMA without touching a neighbour. */
static _Alignas(32) unsigned char logger_memory[4096];
static _Alignas(32) unsigned char run_memory[72 * 1024];
static ticklog_stream *trigger_stream;
static ticklog_run *volatile running;
static volatile uint32_t ticks;

#define SYSTICK(offset) (*(volatile uint32_t *)(0xE000E010u + (offset)))
#define NVIC_ENABLE (*(volatile uint32_t *)0xE000E100u)
#define NVIC_PEND (*(volatile uint32_t *)0xE000E200u)
#define NVIC_PRIORITY_0 (*(volatile uint8_t *)0xE000E400u)
#define SYSTICK_PRIORITY (*(volatile uint8_t *)0xE000ED23u)

void IRQ0_Handler(void);
void IRQ0_Handler(void) /* above SysTick: it interrupts ticklog_tick, which is why the stream has its own queue */
{
    static uint32_t count;
    const struct trigger event = { .line = 3, .count = ++count };
    if (running) (void)ticklog_emit(trigger_stream, &event, sizeof event);
}

void SysTick_Handler(void);
void SysTick_Handler(void)
{
    ticklog_run *run = running;
    if (!run) return;
    const uint32_t tick = ticks;
    for (uint32_t i = 0; i < CHANNELS; i++)
        if (i % 8u == tick % 8u) adc[i] = (int16_t)(tick * (i + 1u) % 4096u);
    supply.current = (float)(int32_t)(tick % 512u) * 0.00390625f;
    (void)ticklog_tick(run, 1);
    if (tick % 1000u == 400u) NVIC_PEND = 1; /* stands for the outside world */
    ticks = tick + 1;
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
    const uint32_t wanted = argc > 1 ? number(argv[1]) : 5000u;

    /* 32-byte lines: what storage is given is aligned to them; 4 KB blocks suit an SD card better than 512 bytes. */
    ticklog_storage storage = semihosting_storage;
    storage.block_size = 4096;
    storage.block_alignment = 32;

    const ticklog_config config = { .size = sizeof config, .max_streams = 3, .max_runs = 1,
                                    .root = argc > 2 ? argv[2] : ".", .storage = &storage };
    ticklog_logger *logger;
    ticklog_status status = ticklog_logger_init(logger_memory, sizeof logger_memory, &config, &logger);
    if (status) return failed("logger", status);

    const ticklog_stream_config adc_config = {
        .size = sizeof adc_config, .kind = TICKLOG_POLL, .name = "adc", .source = adc, .source_size = sizeof adc,
        .fields = adc_fields, .field_count = 1 };
    const ticklog_stream_config supply_config = {
        .size = sizeof supply_config, .kind = TICKLOG_POLL, .name = "supply", .source = &supply,
        .source_size = sizeof supply, .fields = supply_fields, .field_count = 3, .interval_ns = 10000000u };
    const ticklog_stream_config trigger_config = {
        .size = sizeof trigger_config, .kind = TICKLOG_EMIT, .name = "trigger", .source_size = sizeof(struct trigger),
        .fields = trigger_fields, .field_count = 2, .queue_bytes = 512 };
    status = ticklog_add(logger, &adc_config, NULL);
    if (!status) status = ticklog_add(logger, &supply_config, NULL);
    if (!status) status = ticklog_add(logger, &trigger_config, &trigger_stream);
    if (status) return failed("streams", status);

    const ticklog_run_config run_config = {
        .size = sizeof run_config, .tick_ns = 1000000000u / TICK_HZ, .name = argc > 3 ? argv[3] : "f7-demo",
        .ring_bytes = 8192, .metadata = &build, .metadata_size = sizeof build, .metadata_fields = build_fields,
        .metadata_field_count = 2 };
    const size_t run_size = ticklog_run_size(logger, &run_config);
    ticklog_run *run;
    status = ticklog_start(logger, &run_config, run_memory, sizeof run_memory, &run);
    if (status) return failed("start", status);

    SYSTICK_PRIORITY = 0x80;
    NVIC_PRIORITY_0 = 0x40; /* a lower number is a higher priority */
    NVIC_ENABLE = 1;
    running = run;
    SYSTICK(4) = CORE_HZ / TICK_HZ - 1;
    SYSTICK(8) = 0;
    SYSTICK(0) = 7;

    (void)ticklog_note(run, 1, "logging starts");
    int timed = 0;
    while (ticks < wanted) {
        status = ticklog_service(run);
        if (status && status != TICKLOG_BUSY) (void)failed("service", status);
        if (!timed && ticks >= wanted / 2) { /* stands for the first fix of a GPS: this tick was that time */
            timed = 1;
            (void)ticklog_set_time(run, wanted / 4, INT64_C(1735689600000000000), 1000, 2);
        }
        __asm__ volatile("wfi");
    }
    running = NULL;
    SYSTICK(0) = 0;

    do status = ticklog_stop(run);
    while (status == TICKLOG_BUSY);
    if (status) return failed("stop", status);

    ticklog_run_statistics statistics = { .size = sizeof statistics };
    ticklog_stream_statistics triggers = { .size = sizeof triggers };
    (void)ticklog_statistics(run, &statistics);
    (void)ticklog_statistics_of(run, trigger_stream, &triggers);
    semihost_print("run ");
    semihost_print(ticklog_run_name(run));
    show(": ticks ", statistics.ticks);
    show(", offered ", statistics.offered);
    show(", written ", statistics.written);
    show(", lost ", statistics.lost);
    show(", bytes ", statistics.bytes);
    show("\ntriggers ", triggers.offered);
    show(", run memory ", run_size);
    show(", most in the ring ", statistics.ring_high_water);
    show(" of ", statistics.ring_bytes);
    semihost_print("\n");
    return statistics.offered == statistics.written + statistics.lost && triggers.lost == 0 ? 0 : 2;
}
