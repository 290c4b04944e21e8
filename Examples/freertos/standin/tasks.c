/* A scheduler of a page: static tasks, fixed priorities, preemption by SysTick and PendSV, FPU registers kept. For tests only;
 * tasks of one priority do not share time, and a list of tasks is searched, not sorted. */
#include "FreeRTOS.h"
#include "task.h"

#define SYSTICK(offset) (*(volatile uint32_t *)(0xE000E010u + (offset)))
#define ICSR (*(volatile uint32_t *)0xE000ED04u)
#define SHPR3 (*(volatile uint32_t *)0xE000ED20u) /* priorities of PendSV and SysTick */
#define PAINT 0xa5a5a5a5u

enum { ready, delayed, waiting, suspended };

void PendSV_Handler(void);
void SysTick_Handler(void);
void standin_choose(void);

StaticTask_t *standin_current;
static StaticTask_t *tasks;
static volatile TickType_t now;

/* Interrupts off and on again as they were. A barrier for the compiler, too. */
static inline uint32_t lock(void)
{
    uint32_t before;
    __asm__ volatile("mrs %0, primask\n cpsid i" : "=r"(before)::"memory");
    return before;
}
static inline void unlock(uint32_t before) { __asm__ volatile("msr primask, %0\n isb" ::"r"(before) : "memory"); }

void standin_yield(void)
{
    ICSR = 1u << 28; /* PendSV: as soon as no interrupt is active */
    __asm__ volatile("dsb\n isb" ::: "memory");
}

/* The task of the highest priority that is ready; the idle task always is. Interrupts are off. */
void standin_choose(void)
{
    StaticTask_t *best = NULL;
    for (StaticTask_t *task = tasks; task; task = task->next)
        if (task->blocked == ready && (!best || task->priority > best->priority)) best = task;
    standin_current = best;
}

/* A task's stack holds, from its top: r4-r11 and EXC_RETURN, then s16-s31 if the task uses the FPU, then what the exception
 * entry pushed. */
__attribute__((naked)) void PendSV_Handler(void)
{
    __asm__ volatile(
        "cpsid i\n"
        "mrs r0, psp\n"
        "tst lr, #0x10\n"
        "it eq\n"
        "vstmdbeq r0!, {s16-s31}\n"
        "stmdb r0!, {r4-r11, lr}\n"
        "ldr r4, =standin_current\n"
        "ldr r1, [r4]\n"
        "str r0, [r1]\n"
        "bl standin_choose\n"
        "ldr r1, [r4]\n"
        "ldr r0, [r1]\n"
        "ldmia r0!, {r4-r11, lr}\n"
        "tst lr, #0x10\n"
        "it eq\n"
        "vldmiaeq r0!, {s16-s31}\n"
        "msr psp, r0\n"
        "cpsie i\n"
        "isb\n"
        "bx lr\n"
        ".ltorg\n");
}

void SysTick_Handler(void)
{
    const uint32_t before = lock();
    now++;
    for (StaticTask_t *task = tasks; task; task = task->next)
        if ((task->blocked == delayed || task->blocked == waiting) && task->wakes != portMAX_DELAY && (int32_t)(now - task->wakes) >= 0)
            task->blocked = ready;
    unlock(before);
    standin_yield();
}

static void ended(void)
{
    for (;;) vTaskSuspend(NULL); /* a task must not return; FreeRTOS stops there, too */
}

TaskHandle_t xTaskCreateStatic(TaskFunction_t code, const char *const name, const uint32_t stack_words,
                               void *const parameters, UBaseType_t priority, StackType_t *const stack,
                               StaticTask_t *const task)
{
    (void)name;
    for (uint32_t i = 0; i < stack_words; i++) stack[i] = PAINT;
    uint32_t *top = (uint32_t *)((uintptr_t)(stack + stack_words) & ~(uintptr_t)7);
    *--top = 0x01000000u; /* xPSR: Thumb */
    *--top = (uint32_t)(uintptr_t)code & ~1u;
    *--top = (uint32_t)(uintptr_t)ended;
    top -= 4; /* r12, r3, r2, r1 */
    *--top = (uint32_t)(uintptr_t)parameters;
    *--top = 0xfffffffdu; /* EXC_RETURN: thread mode, process stack, no FPU state yet */
    top -= 8;             /* r11 to r4 */
    *task = (StaticTask_t){ .top = top, .next = tasks, .stack = stack, .priority = priority, .wakes = portMAX_DELAY };
    const uint32_t before = lock();
    tasks = task;
    unlock(before);
    return task;
}

static void idle(void *parameters)
{
    (void)parameters;
    for (;;) __asm__ volatile("wfi");
}

void vTaskStartScheduler(void)
{
    StaticTask_t *task;
    StackType_t *stack;
    uint32_t words;
    vApplicationGetIdleTaskMemory(&task, &stack, &words);
    (void)xTaskCreateStatic(idle, "IDLE", words, NULL, 0, stack, task);
    (void)lock();
    SHPR3 |= 0xffff0000u; /* both at the lowest priority: a switch never interrupts an interrupt */
    SYSTICK(4) = configCPU_CLOCK_HZ / configTICK_RATE_HZ - 1u;
    SYSTICK(8) = 0;
    SYSTICK(0) = 7;
    /* The first switch leaves a task that is in no list, whose state goes to a stack that nobody needs again. */
    static StaticTask_t before;
    static uint64_t nowhere[16];
    standin_current = &before;
    __asm__ volatile("msr psp, %0" ::"r"(nowhere + 16) : "memory");
    ICSR = 1u << 28;
    __asm__ volatile("cpsie i\n isb" ::: "memory");
    for (;;) {}
}

TickType_t xTaskGetTickCount(void) { return now; }

/* Takes the caller off the processor until it is woken. */
static void block(uint8_t why, TickType_t wakes)
{
    const uint32_t before = lock();
    standin_current->wakes = wakes;
    standin_current->blocked = why;
    unlock(before);
    standin_yield();
}

void vTaskDelay(const TickType_t ticks) { if (ticks) block(delayed, now + ticks); else standin_yield(); }

void vTaskDelayUntil(TickType_t *const previous, const TickType_t increment)
{
    *previous += increment;
    const uint32_t before = lock();
    if ((int32_t)(*previous - now) > 0) {
        standin_current->wakes = *previous;
        standin_current->blocked = delayed;
    }
    unlock(before);
    standin_yield();
}

void vTaskSuspend(TaskHandle_t task)
{
    (void)task;
    block(suspended, portMAX_DELAY);
}

static BaseType_t give(TaskHandle_t task)
{
    const uint32_t before = lock();
    task->notified++;
    BaseType_t woken = pdFALSE;
    if (task->blocked == waiting) {
        task->blocked = ready;
        woken = task->priority > standin_current->priority ? pdTRUE : pdFALSE;
    }
    unlock(before);
    return woken;
}

BaseType_t xTaskNotifyGive(TaskHandle_t task)
{
    if (give(task)) standin_yield();
    return pdPASS;
}

void vTaskNotifyGiveFromISR(TaskHandle_t task, BaseType_t *woken)
{
    if (give(task) && woken) *woken = pdTRUE;
}

uint32_t ulTaskNotifyTake(BaseType_t clear, TickType_t ticks)
{
    uint32_t before = lock();
    if (standin_current->notified == 0 && ticks != 0) {
        standin_current->wakes = ticks == portMAX_DELAY ? portMAX_DELAY : now + ticks;
        standin_current->blocked = waiting;
        unlock(before);
        standin_yield(); /* goes on here when notified or late */
        before = lock();
    }
    const uint32_t count = standin_current->notified;
    if (count) standin_current->notified = clear ? 0 : count - 1u;
    unlock(before);
    return count;
}

UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t task)
{
    UBaseType_t words = 0;
    const StackType_t *stack = (task ? task : standin_current)->stack;
    while (stack[words] == PAINT) words++;
    return words;
}
