/* ARM semihosting: the debugger's (or QEMU's) files, console and exit code, by breakpoint. No C library, no allocation.
 * Without a debugger attached, a real chip stops at the first of these calls. */
#ifndef SEMIHOST_H
#define SEMIHOST_H

#include <stdint.h>

#define SEMIHOST_OPEN 0x01
#define SEMIHOST_CLOSE 0x02
#define SEMIHOST_WRITE0 0x04
#define SEMIHOST_WRITE 0x05
#define SEMIHOST_SEEK 0x0A
#define SEMIHOST_REMOVE 0x0E
#define SEMIHOST_SYSTEM 0x12
#define SEMIHOST_ERRNO 0x13
#define SEMIHOST_GET_CMDLINE 0x15
#define SEMIHOST_EXIT_EXTENDED 0x20

static inline int semihost(int operation, const void *parameters)
{
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = parameters;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

/* Prints a text, or a number, on the host's console. */
static inline void semihost_print(const char *text) { (void)semihost(SEMIHOST_WRITE0, text); }

static inline void semihost_number(uint64_t value)
{
    char text[21];
    char *digit = text + sizeof text - 1;
    *digit = 0;
    do {
        *--digit = (char)('0' + value % 10u);
        value /= 10u;
    } while (value);
    semihost_print(digit);
}

static inline void semihost_exit(int code)
{
    const uintptr_t parameters[2] = { 0x20026 /* ADP_Stopped_ApplicationExit */, (uintptr_t)code };
    for (;;) (void)semihost(SEMIHOST_EXIT_EXTENDED, parameters);
}

#endif
