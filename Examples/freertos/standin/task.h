/* See FreeRTOS.h. What each does is FreeRTOS's documentation of it. */
#ifndef STANDIN_TASK_H
#define STANDIN_TASK_H

#include "FreeRTOS.h"

typedef void (*TaskFunction_t)(void *parameters);
typedef struct xSTATIC_TCB *TaskHandle_t;

TaskHandle_t xTaskCreateStatic(TaskFunction_t code, const char *const name, const uint32_t stack_words,
                               void *const parameters, UBaseType_t priority, StackType_t *const stack,
                               StaticTask_t *const task);
void vTaskStartScheduler(void);
TickType_t xTaskGetTickCount(void);
void vTaskDelay(const TickType_t ticks);
void vTaskDelayUntil(TickType_t *const previous, const TickType_t increment);
void vTaskSuspend(TaskHandle_t task); /* here: NULL only, the caller */
BaseType_t xTaskNotifyGive(TaskHandle_t task);
void vTaskNotifyGiveFromISR(TaskHandle_t task, BaseType_t *woken);
uint32_t ulTaskNotifyTake(BaseType_t clear, TickType_t ticks);
UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t task); /* words that were never used */

/* The program gives the idle task its memory. */
void vApplicationGetIdleTaskMemory(StaticTask_t **task, StackType_t **stack, uint32_t *stack_words);

#endif
