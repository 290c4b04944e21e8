/* For programs that use newlib's stdio over semihosting (rdimon): sets it up before main and flushes it after. It brings an
 * allocator, which is why it is not part of start.c. Cross/cc.sh adds it to programs that include <stdio.h>. */
#include <stdio.h>

void initialise_monitor_handles(void);
void before_exit(void);

__attribute__((constructor)) static void before_main(void) { initialise_monitor_handles(); }

void before_exit(void) { (void)fflush(NULL); }
