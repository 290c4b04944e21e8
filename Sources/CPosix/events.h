/* What an event loop needs of Linux: epoll, event descriptors, accept4. */
#ifndef TICKLOG_CPOSIX_EVENTS_H
#define TICKLOG_CPOSIX_EVENTS_H

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/resource.h>

#include "sockets.h"

/* The system's own needs _GNU_SOURCE. */
int cposix_accept4(int listener, struct sockaddr *address, socklen_t *length, int flags) __asm__("accept4");

static inline int cposix_epoll(void) { return epoll_create1(EPOLL_CLOEXEC); }

enum { cposix_readable = EPOLLIN, cposix_writable = EPOLLOUT, cposix_broken = EPOLLERR | EPOLLHUP };

/* Watches a descriptor (how 1), changes what is waited for (2), or ends it (0). 0, or -1 and errno. */
static inline int cposix_epoll_set(int epoll, int how, int descriptor, uint32_t events, uint64_t tag)
{
    struct epoll_event event;
    memset(&event, 0, sizeof event);
    event.events = events;
    event.data.u64 = tag;
    return epoll_ctl(epoll, how == 1 ? EPOLL_CTL_ADD : how == 2 ? EPOLL_CTL_MOD : EPOLL_CTL_DEL, descriptor, &event);
}

enum { cposix_epoll_most = 128 };

/* Waits for events; at most cposix_epoll_most of them. */
static inline int cposix_epoll_wait(int epoll, uint64_t *tags, uint32_t *events, int milliseconds)
{
    struct epoll_event found[cposix_epoll_most];
    int count = epoll_wait(epoll, found, cposix_epoll_most, milliseconds);
    for (int i = 0; i < count; i++) {
        tags[i] = found[i].data.u64;
        events[i] = found[i].events;
    }
    return count;
}

static inline int cposix_event_descriptor(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

/* A descriptor that can be read when a file, or something in a directory, was changed; -1: the system cannot tell. */
static inline int cposix_watch(const char *path)
{
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    uint32_t events = IN_MODIFY | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;
    if (watch < 0) return -1;
    if (inotify_add_watch(watch, path, events) < 0) {
        (void)close(watch);
        return -1;
    }
    return watch;
}

/* The next connection, which never blocks and sends without delay, with its peer's address and port as text. The
 * descriptor, or the error as a negative number. */
static inline int cposix_accept_from(int listener, char *text, size_t room)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char host[INET6_ADDRSTRLEN] = "";
    int one = 1;
    int made = cposix_accept4(listener, (struct sockaddr *)&address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (made < 0) return -errno;
    if (address.ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&address;
        (void)inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host);
        (void)snprintf(text, room, "[%s]:%u", host, (unsigned)ntohs(six->sin6_port));
    } else {
        const struct sockaddr_in *four = (const struct sockaddr_in *)&address;
        (void)inet_ntop(AF_INET, &four->sin_addr, host, sizeof host);
        (void)snprintf(text, room, "%s:%u", host, (unsigned)ntohs(four->sin_port));
    }
    (void)setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    (void)setsockopt(made, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    return made;
}

/* Reads into two places, the first one first. */
static inline ssize_t cposix_read_into(int socket, void *first, size_t first_room, void *second, size_t second_room)
{
    struct iovec places[2] = {{first, first_room}, {second, second_room}};
    return readv(socket, places, 2);
}

/* Lets the process open so many files, as far as it may; how many it may. */
static inline uint64_t cposix_allow_files(uint64_t wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    if (limit.rlim_cur < wanted) {
        struct rlimit more = {wanted, limit.rlim_max < wanted ? wanted : limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &more) == 0) return wanted;
        more.rlim_cur = more.rlim_max = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &more) == 0) return limit.rlim_max;
    }
    return limit.rlim_cur;
}

#endif
