/* What the example asks of a FreeRTOSConfig.h; a real one has a page more. The three handlers' names map FreeRTOS's port to
 * the vectors of ../../firmware/start.c, whose names are CMSIS's. */
#ifndef FREERTOS_CONFIG_H
#define FREERTOS_CONFIG_H

#ifndef CORE_HZ
#define CORE_HZ 25000000u
#endif
#define configCPU_CLOCK_HZ CORE_HZ
#define configTICK_RATE_HZ 1000u
#define configUSE_PREEMPTION 1
#define configSUPPORT_STATIC_ALLOCATION 1
#define configSUPPORT_DYNAMIC_ALLOCATION 0 /* no heap_x.c */
#define configMAX_PRIORITIES 5
#define configMINIMAL_STACK_SIZE 128u /* words */
#define configUSE_TASK_NOTIFICATIONS 1
#define configUSE_IDLE_HOOK 0
#define configUSE_TICK_HOOK 0
#define configCHECK_FOR_STACK_OVERFLOW 0 /* 2 while developing */
#define INCLUDE_vTaskDelayUntil 1
#define INCLUDE_vTaskDelay 1
#define INCLUDE_uxTaskGetStackHighWaterMark 1

#define vPortSVCHandler SVC_Handler
#define xPortPendSVHandler PendSV_Handler
#define xPortSysTickHandler SysTick_Handler

#endif
