// Loaded before a program: it has used up what the system gives a user of inotify.
#include <errno.h>

int inotify_init1(int flags);
int inotify_init1(int flags) {
    (void)flags;
    errno = EMFILE;
    return -1;
}
