/* The reports of ticklog.h for a program that compares them with the command's. Reads a line each:
 *     info PATH | meta PATH | validate PATH | repair FLAGS OUT PATH      OUT: a path without spaces, or "-": in place
 *     cut N BYTES                     the N-th file that is mapped from now on is cut to so many bytes right behind
 * and answers "STATUS BYTES" and the text; to `cut`, whether the one before came to that. First it checks by itself what needs
 * no file, last that no signal was taken. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ticklog.h"

static int failures;

static void check(int holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "report: %s\n", what);
    failures++;
}

static int cut_in;
static long cut_to;

/* The library's calls come here: so a file becomes shorter between being mapped and being read. */
void *mmap64(void *address, size_t bytes, int protection, int flags, int descriptor, off64_t offset)
{
#ifdef SYS_mmap2
    void *memory = (void *)syscall(SYS_mmap2, address, bytes, protection, flags, descriptor, (long)(offset >> 12));
#else
    void *memory = (void *)syscall(SYS_mmap, address, bytes, protection, flags, descriptor, offset);
#endif
    if (descriptor >= 0 && cut_in > 0 && --cut_in == 0) {
        char link[64], path[4096];
        ssize_t count;
        snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
        count = readlink(link, path, sizeof path - 1);
        if (count < 0) abort();
        path[count] = 0;
        if (truncate(path, cut_to) != 0) abort();
    }
    return memory;
}

static void check_arguments(void)
{
    char *text = (char *)1;
    check(ticklog_info_json(NULL, &text) == TICKLOG_NULL && ticklog_validate_json(NULL, &text) == TICKLOG_NULL &&
              ticklog_meta_json(NULL, &text) == TICKLOG_NULL && ticklog_repair_json(NULL, NULL, 0, &text) == TICKLOG_NULL,
          "a path of NULL");
    check(ticklog_info_json("/", NULL) == TICKLOG_NULL && ticklog_validate_json("/", NULL) == TICKLOG_NULL &&
              ticklog_meta_json("/", NULL) == TICKLOG_NULL && ticklog_repair_json("/", NULL, 0, NULL) == TICKLOG_NULL,
          "no place for the text");
    check(text == (char *)1, "a refused call stores nothing");
    check(ticklog_repair_json("/nothing", NULL, 4, &text) == TICKLOG_BAD_ARGUMENT && text == NULL, "an unknown flag");
    text = (char *)1;
    check(ticklog_repair_json("-", NULL, 0, &text) == TICKLOG_BAD_ARGUMENT && text == NULL, "repair of standard input");
    ticklog_text_free(NULL);
}

struct work {
    const char *path;
    char *info, *validation;
};

static void *work(void *argument)
{
    struct work *work = argument;
    (void)ticklog_info_json(work->path, &work->info);
    (void)ticklog_validate_json(work->path, &work->validation);
    return NULL;
}

/* Four threads ask for the same. */
static void check_threads(const char *path)
{
    struct work works[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        works[i].path = path;
        if (pthread_create(&threads[i], NULL, work, &works[i]) != 0) abort();
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        check(strcmp(works[i].info, works[0].info) == 0, "info in several threads");
        check(strcmp(works[i].validation, works[0].validation) == 0, "validate in several threads");
    }
    for (int i = 0; i < 4; i++) {
        ticklog_text_free(works[i].info);
        ticklog_text_free(works[i].validation);
    }
}

static void (*handler(int number))(int)
{
    struct sigaction action;
    if (sigaction(number, NULL, &action) != 0) abort();
    return action.sa_handler;
}

int main(int count, char **arguments)
{
    static char line[1 << 16];
    const int signals[4] = {SIGINT, SIGTERM, SIGHUP, SIGXFSZ};
    void (*before[4])(int);
    for (int i = 0; i < 4; i++) before[i] = handler(signals[i]);
    check_arguments();
    if (count > 1) check_threads(arguments[1]);
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = 0;
        char *text = (char *)1;
        ticklog_status status = 1;
        if (strncmp(line, "info ", 5) == 0) {
            status = ticklog_info_json(line + 5, &text);
        } else if (strncmp(line, "meta ", 5) == 0) {
            status = ticklog_meta_json(line + 5, &text);
        } else if (strncmp(line, "cut ", 4) == 0) {
            char *bytes;
            status = cut_in == 0;
            cut_in = (int)strtol(line + 4, &bytes, 10);
            cut_to = strtol(bytes, NULL, 10);
            text = NULL;
        } else if (strncmp(line, "validate ", 9) == 0) {
            status = ticklog_validate_json(line + 9, &text);
        } else if (strncmp(line, "repair ", 7) == 0) {
            char *out, *path;
            unsigned long flags = strtoul(line + 7, &out, 10);
            path = strchr(++out, ' ');
            *path++ = 0;
            status = ticklog_repair_json(path, strcmp(out, "-") == 0 ? NULL : out, (uint32_t)flags, &text);
        }
        printf("%d %zu\n%s", status, text == NULL ? 0 : strlen(text), text == NULL ? "" : text);
        fflush(stdout);
        ticklog_text_free(text);
    }
    for (int i = 0; i < 4; i++) check(handler(signals[i]) == before[i], "a signal was taken");
    return failures != 0;
}
