/* A logger under FreeRTOS: a sampler task that the kernel's tick wakes, and a writer task below it.
 *
 *   task      priority  calls
 *   sampler   3         ticklog_tick, every tick; tells the writer every eighth time
 *   control   2         ticklog_emit, on an event stream with a queue of its own
 *   writer    1         ticklog_start, _service, _stop: whatever the card does, the other two go on
 *
 * No call of TickLog's needs a kernel object: between the tasks there is only the run's ring. Static allocation only; there is
 * no heap. The names are FreeRTOS's. The folder standin has a tiny scheduler with the same names for the test; the Makefile
 * says how to build with the kernel instead.
 *
 * To look like a card, storage now and then takes 20 ms for a write. The sampler interrupts it; at the end the program tells how
 * often, and how much of each stack was used.
 *
 *   make BUNDLE=PATH BOARD=mps2 run ARGUMENTS="1000 . run"
 *
 * Arguments: ticks, root directory (it exists; default "."), run name (default "rtos"; it must not exist). */
#include <FreeRTOS.h>
#include <task.h>
#include <ticklog.h>

#include "semihost.h"
#include "semihosting.h"

#define TICK_NS (1000000000u / configTICK_RATE_HZ)
#define STACK_WORDS 1536u /* of the writer: see the table in docs/PORTING.md; service and storage run on it */

static struct motor {
    float current;
    float speed;
    uint16_t position;
    uint8_t state;
} motor;
struct fault {
    uint8_t code;
    uint32_t cycle;
};
static const ticklog_field motor_fields[] = {
    TICKLOG_FIELD(struct motor, current, TICKLOG_F32, "A"),
    TICKLOG_FIELD(struct motor, speed, TICKLOG_F32, "rad/s"),
    TICKLOG_FIELD(struct motor, position, TICKLOG_U16, "count"),
    TICKLOG_FIELD(struct motor, state, TICKLOG_U8, NULL),
};
static const ticklog_field fault_fields[] = {
    TICKLOG_FIELD(struct fault, code, TICKLOG_U8, NULL),
    TICKLOG_FIELD(struct fault, cycle, TICKLOG_U32, NULL),
};

static uint64_t logger_memory[2048 / sizeof(uint64_t)];
static uint64_t run_memory[32 * 1024 / sizeof(uint64_t)];
static ticklog_logger *logger;
static ticklog_stream *faults;
static ticklog_run *volatile running; /* set by the writer when there is one; the sampler's and control's to read */

static StackType_t sampler_stack[384], control_stack[256], writer_stack[STACK_WORDS], idle_stack[configMINIMAL_STACK_SIZE];
static StaticTask_t sampler_memory, control_memory, writer_memory, idle_memory;
static TaskHandle_t sampler, control, writer;

static uint32_t wanted = 1000;
static const char *root = ".", *name = "rtos";
static volatile uint32_t ticks, full, preempted; /* preempted: ticks that were sampled while the writer was in storage */
static volatile uint8_t in_storage, stopping;

void vApplicationGetIdleTaskMemory(StaticTask_t **task, StackType_t **stack, uint32_t *stack_words)
{
    *task = &idle_memory;
    *stack = idle_stack;
    *stack_words = configMINIMAL_STACK_SIZE;
}

static void stop(const char *what, ticklog_status status)
{
    semihost_print(what);
    semihost_print(": ");
    semihost_print(ticklog_status_text(status));
    semihost_print("\n");
    semihost_exit(1);
}

static void show(const char *text, uint64_t value)
{
    semihost_print(text);
    semihost_number(value);
}

/* Every 24th write the card is busy for 20 ms. A driver with DMA would wait for a notification here; this one burns the time, so
 * that only preemption lets the others run. */
static ticklog_status card_write(void *context, ticklog_file file, uint64_t offset, const void *bytes, uint32_t count, uint32_t *accepted)
{
    static uint32_t writes;
    in_storage = 1;
    if (++writes % 24u == 0) {
        const TickType_t since = xTaskGetTickCount();
        while (xTaskGetTickCount() - since < pdMS_TO_TICKS(20)) {}
    }
    const ticklog_status status = semihosting_storage.write(context, file, offset, bytes, count, accepted);
    in_storage = 0;
    return status;
}

static void sampler_task(void *parameters)
{
    (void)parameters;
    TickType_t last = xTaskGetTickCount(), logged = last;
    while (!stopping) {
        vTaskDelayUntil(&last, 1);
        ticklog_run *run = running;
        const TickType_t now = xTaskGetTickCount();
        if (!run) {
            logged = now;
            continue;
        }
        if (now == logged) continue;
        const uint32_t tick = ticks;
        motor.current = (float)(int32_t)(tick % 200u) * 0.0625f;
        motor.speed = (float)(int32_t)(tick / 16u % 100u) * 0.5f;
        motor.position = (uint16_t)(tick * 3u);
        motor.state = (uint8_t)(tick % 400u > 20u);
        /* More than one period has gone by if something above this task took that long: TickLog declares those ticks late. */
        if (ticklog_tick(run, now - logged) == TICKLOG_RING_FULL) full++;
        if (in_storage) preempted++;
        ticks = tick + (now - logged);
        logged = now;
        if (tick % 8u == 7u || ticks >= wanted) (void)xTaskNotifyGive(writer);
    }
    (void)xTaskNotifyGive(writer); /* the last tick was made */
    vTaskSuspend(NULL);
    for (;;) {}
}

static void control_task(void *parameters)
{
    (void)parameters;
    for (uint32_t cycle = 0;; cycle++) {
        vTaskDelay(pdMS_TO_TICKS(5));
        if (!running || stopping || cycle % 10u != 9u) continue;
        const struct fault fault = { .code = (uint8_t)(cycle / 10u), .cycle = cycle };
        (void)ticklog_emit(faults, &fault, sizeof fault); /* its own queue: no lock against the sampler */
    }
}

static void writer_task(void *parameters)
{
    (void)parameters;
    const ticklog_run_config config = { .size = sizeof config, .tick_ns = TICK_NS, .name = name, .ring_bytes = 8192 };
    ticklog_run *run;
    ticklog_status status = ticklog_start(logger, &config, run_memory, sizeof run_memory, &run);
    if (status) stop("start", status);
    running = run;
    while (ticks < wanted) {
        /* At the latest after 100 ms, so that what is due to be flushed is. */
        (void)ulTaskNotifyTake(pdTRUE, pdMS_TO_TICKS(100));
        status = ticklog_service(run);
        if (status && status != TICKLOG_BUSY) break; /* nothing is dropped; a device would try again */
    }
    stopping = 1;
    (void)ulTaskNotifyTake(pdTRUE, pdMS_TO_TICKS(10)); /* lets the sampler end its round */
    do {
        status = ticklog_stop(run);
        if (status == TICKLOG_BUSY) vTaskDelay(1); /* control is in ticklog_emit, or storage is busy */
    } while (status == TICKLOG_BUSY);
    if (status) stop("stop", status);

    ticklog_run_statistics statistics = { .size = sizeof statistics };
    status = ticklog_statistics(run, &statistics);
    if (status) stop("statistics", status);
    semihost_print("run ");
    semihost_print(ticklog_run_name(run));
    show(": ticks ", statistics.ticks);
    show(", offered ", statistics.offered);
    show(", written ", statistics.written);
    show(", lost ", statistics.lost);
    show(", sampled during a write ", preempted);
    show(", most in the ring ", statistics.ring_high_water);
    show(" of ", statistics.ring_bytes);
    show("\nstacks in bytes: sampler ", 4u * (sizeof sampler_stack / 4u - uxTaskGetStackHighWaterMark(sampler)));
    show(", control ", 4u * (sizeof control_stack / 4u - uxTaskGetStackHighWaterMark(control)));
    show(", writer ", 4u * (sizeof writer_stack / 4u - uxTaskGetStackHighWaterMark(writer)));
    semihost_print("\n");
    const int well = statistics.offered == statistics.written + statistics.lost && statistics.lost == 0 && full == 0;
    const int fits = uxTaskGetStackHighWaterMark(sampler) && uxTaskGetStackHighWaterMark(control) && uxTaskGetStackHighWaterMark(writer);
    semihost_exit(well && fits && preempted > 0 ? 0 : 2);
}

static uint32_t number(const char *text)
{
    uint32_t value = 0;
    while (*text >= '0' && *text <= '9') value = value * 10u + (uint32_t)(*text++ - '0');
    return value;
}

int main(int argc, char **argv)
{
    if (argc > 1) wanted = number(argv[1]);
    if (argc > 2) root = argv[2];
    if (argc > 3) name = argv[3];

    static ticklog_storage card;
    card = semihosting_storage;
    card.write = card_write;
    const ticklog_config config = { .size = sizeof config, .max_streams = 2, .max_runs = 1, .root = root, .storage = &card };
    ticklog_status status = ticklog_logger_init(logger_memory, sizeof logger_memory, &config, &logger);
    if (status) stop("logger", status);
    const ticklog_stream_config streams[] = {
        { .size = sizeof streams[0], .kind = TICKLOG_POLL, .name = "motor", .source = &motor, .source_size = sizeof motor,
          .fields = motor_fields, .field_count = sizeof motor_fields / sizeof *motor_fields },
        { .size = sizeof streams[0], .kind = TICKLOG_EMIT, .name = "fault", .source_size = sizeof(struct fault),
          .fields = fault_fields, .field_count = sizeof fault_fields / sizeof *fault_fields, .queue_bytes = 1024 },
    };
    status = ticklog_add(logger, &streams[0], NULL);
    if (!status) status = ticklog_add(logger, &streams[1], &faults);
    if (status) stop("streams", status);

    sampler = xTaskCreateStatic(sampler_task, "sampler", sizeof sampler_stack / sizeof *sampler_stack, NULL, 3, sampler_stack, &sampler_memory);
    control = xTaskCreateStatic(control_task, "control", sizeof control_stack / sizeof *control_stack, NULL, 2, control_stack, &control_memory);
    writer = xTaskCreateStatic(writer_task, "writer", STACK_WORDS, NULL, 1, writer_stack, &writer_memory);
    vTaskStartScheduler();
    return 1;
}
