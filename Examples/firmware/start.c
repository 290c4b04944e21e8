/* Start-up of a Cortex-M4F or M7F: vectors, FPU, .data, .bss, arguments, main, exit code.
 *
 * The program defines the handlers that it needs (SysTick_Handler, IRQ0_Handler, a kernel's SVC_Handler and
 * PendSV_Handler); the others stop the program with exit code 99, so that a fault does not look like a long run. Nothing
 * here needs a C library; a program that uses stdio adds stdio.c. */
#include <stdint.h>

#include "semihost.h"

extern uint32_t start_of_stack[], load_of_data[], start_of_data[], end_of_data[], start_of_bss[], end_of_bss[];
extern void (*__preinit_array_start[])(void), (*__preinit_array_end[])(void);
extern void (*__init_array_start[])(void), (*__init_array_end[])(void);

int main(int argc, char **argv);
void before_exit(void);
__attribute__((weak)) void before_exit(void) {}

void Reset_Handler(void) __attribute__((noreturn));
void Unexpected_Handler(void);
void SVC_Handler(void) __attribute__((weak, alias("Unexpected_Handler")));
void PendSV_Handler(void) __attribute__((weak, alias("Unexpected_Handler")));
void SysTick_Handler(void) __attribute__((weak, alias("Unexpected_Handler")));
void IRQ0_Handler(void) __attribute__((weak, alias("Unexpected_Handler")));

typedef void (*vector)(void);
extern const vector vectors[];

__attribute__((section(".isr_vector"), used)) const vector vectors[16 + 1] = {
    (vector)(uintptr_t)start_of_stack, /* initial stack pointer */
    Reset_Handler,
    Unexpected_Handler, /* NMI */
    Unexpected_Handler, /* HardFault */
    Unexpected_Handler, /* MemManage */
    Unexpected_Handler, /* BusFault */
    Unexpected_Handler, /* UsageFault */
    0, 0, 0, 0,
    SVC_Handler,
    Unexpected_Handler, /* DebugMonitor */
    0,
    PendSV_Handler,
    SysTick_Handler,
    IRQ0_Handler, /* the first of the chip's interrupts; a real project lists all of them */
};

void Unexpected_Handler(void)
{
    semihost_print("unexpected exception\n");
    semihost_exit(99);
}

/* Splits the command line that QEMU or the debugger gives; quotes are not known. */
static int arguments(char *line, char **argv, int capacity)
{
    int argc = 0;
    while (argc < capacity - 1) {
        while (*line == ' ') *line++ = 0;
        if (!*line) break;
        argv[argc++] = line;
        while (*line && *line != ' ') line++;
    }
    argv[argc] = 0;
    return argc;
}

void Reset_Handler(void)
{
    *(volatile uint32_t *)0xE000ED08u = (uint32_t)(uintptr_t)vectors; /* VTOR */
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20;                  /* CPACR: the FPU is on */
    __asm__ volatile("dsb\n isb" ::: "memory");

    const uint32_t *from = load_of_data;
    for (uint32_t *to = start_of_data; to < end_of_data;) *to++ = *from++;
    for (uint32_t *to = start_of_bss; to < end_of_bss;) *to++ = 0;

    static char line[256];
    static char *argv[16];
    const uintptr_t command[2] = { (uintptr_t)line, sizeof line - 1 };
    int argc = semihost(SEMIHOST_GET_CMDLINE, command) == 0 ? arguments(line, argv, 16) : 0;

    for (vector *f = __preinit_array_start; f < __preinit_array_end; f++) (*f)();
    for (vector *f = __init_array_start; f < __init_array_end; f++) (*f)();
    int code = main(argc, argv);
    before_exit();
    semihost_exit(code);
    for (;;) {}
}
