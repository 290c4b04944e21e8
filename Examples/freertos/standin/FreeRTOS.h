/* Not FreeRTOS: the part of its interface that ../main.c uses, with the same names and signatures, so that the example runs in
 * a test. Take the real kernel for a device: its include folder, its port and your FreeRTOSConfig.h in place of this one. */
#ifndef STANDIN_FREERTOS_H
#define STANDIN_FREERTOS_H

#include <stddef.h>
#include <stdint.h>

#include "FreeRTOSConfig.h"

typedef uint32_t TickType_t;
typedef uint32_t StackType_t;
typedef long BaseType_t;
typedef unsigned long UBaseType_t;

#define portMAX_DELAY ((TickType_t)0xffffffffu)
#define pdFALSE ((BaseType_t)0)
#define pdTRUE ((BaseType_t)1)
#define pdPASS pdTRUE
#define pdMS_TO_TICKS(ms) ((TickType_t)(((uint64_t)(ms) * configTICK_RATE_HZ) / 1000u))

/* What a task is. FreeRTOS hides it in a structure of the same name and purpose. */
typedef struct xSTATIC_TCB {
    uint32_t *top; /* of its stack; the first member: PendSV_Handler knows */
    struct xSTATIC_TCB *next;
    StackType_t *stack;
    UBaseType_t priority;
    TickType_t wakes; /* at this tick, unless portMAX_DELAY */
    volatile uint32_t notified;
    volatile uint8_t blocked; /* 0: ready, 1: until `wakes`, 2: until notified or `wakes`, 3: for ever */
} StaticTask_t;

/* Called in an interrupt: a switch follows it. */
void standin_yield(void);
#define portYIELD_FROM_ISR(woken) do { if (woken) standin_yield(); } while (0)

#endif
