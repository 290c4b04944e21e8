/* Sockets, and other calls of Linux that need _GNU_SOURCE, under names of their own. */
#ifndef TICKLOG_CPOSIX_SOCKETS_H
#define TICKLOG_CPOSIX_SOCKETS_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <stddef.h>
#include <sys/uio.h>
#include <sys/un.h>

/* What recvmmsg calls struct mmsghdr. */
struct cposix_message {
    struct msghdr header;
    unsigned bytes;
};

int cposix_receive_messages(int socket, struct cposix_message *messages, unsigned count, int flags, void *timeout) __asm__("recvmmsg");
int cposix_send_messages(int socket, struct cposix_message *messages, unsigned count, int flags) __asm__("sendmmsg");
int cposix_memory_file(const char *name, unsigned flags) __asm__("memfd_create");

int cposix_affinity(int process, size_t bytes, void *mask) __asm__("sched_getaffinity");

/* Processors that this process may run on; at least 1. */
static inline int cposix_processors(void)
{
    unsigned long mask[1024 / sizeof(long)] = {0};
    int count = 0;
    if (cposix_affinity(0, sizeof mask, mask) < 0) return 1;
    for (size_t i = 0; i < sizeof mask / sizeof mask[0]; i++) count += __builtin_popcountl(mask[i]);
    return count > 0 ? count : 1;
}

/* How the calls below tell of an error. */
static inline int cposix_socket_failed(int socket)
{
    int error = errno;
    if (socket >= 0) close(socket);
    return -error;
}

/* The address, IPv4 or IPv6, as the system's; its length, or 0 if the text is none. */
static inline socklen_t cposix_address(const char *text, unsigned port, struct sockaddr_storage *address)
{
    struct sockaddr_in *four = (struct sockaddr_in *)address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)port);
        return sizeof *four;
    }
    if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons((uint16_t)port);
        return sizeof *six;
    }
    return 0;
}

/* A socket that never blocks, bound to an address of this machine; of a stream, it listens. Port 0: the system chooses.
 * The descriptor, or the error as a negative number. */
static inline int cposix_bound_socket(const char *text, unsigned *port, int is_stream)
{
    struct sockaddr_storage address;
    socklen_t length = cposix_address(text, *port, &address);
    int one = 1;
    if (length == 0) return -EINVAL;
    int made = socket(address.ss_family, (is_stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (made < 0) return -errno;
    /* A stream's port may still be held by connections that have ended. */
    if (is_stream) (void)setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(made, (struct sockaddr *)&address, length) != 0) return cposix_socket_failed(made);
    if (is_stream && listen(made, 128) != 0) return cposix_socket_failed(made);
    if (getsockname(made, (struct sockaddr *)&address, &length) != 0) return cposix_socket_failed(made);
    *port = ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
                                               : ((struct sockaddr_in6 *)&address)->sin6_port);
    return made;
}

/* The next connection of a socket that listens; -1 if there is none. */
static inline int cposix_accept(int listener)
{
    int made = accept(listener, NULL, NULL);
    if (made < 0) return -1;
    (void)fcntl(made, F_SETFL, fcntl(made, F_GETFL) | O_NONBLOCK);
    (void)fcntl(made, F_SETFD, FD_CLOEXEC);
    return made;
}

/* Asks for so much memory for what a socket has received: beyond the limit for users, if it may. */
static inline void cposix_set_receive_room(int socket, int bytes)
{
    if (setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
        (void)setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

/* Every datagram shall tell how many were dropped before it. */
static inline int cposix_ask_for_drops(int socket)
{
    int one = 1;
    return setsockopt(socket, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof one);
}

/* How many datagrams the socket had dropped when this one came; 0: it does not tell. */
static inline unsigned cposix_drops(struct cposix_message *message, unsigned *drops)
{
    struct msghdr *header = &message->header;
    for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control != NULL; control = CMSG_NXTHDR(header, control)) {
        if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SO_RXQ_OVFL) {
            memcpy(drops, CMSG_DATA(control), sizeof *drops);
            return 1;
        }
    }
    return 0;
}

/* The same, now. */
static inline unsigned cposix_drops_until_now(int socket, unsigned *drops)
{
    uint32_t numbers[16]; /* SO_MEMINFO: the drops are the ninth */
    socklen_t length = sizeof numbers;
    if (getsockopt(socket, SOL_SOCKET, 55, numbers, &length) != 0 || length < 36) return 0;
    *drops = numbers[8];
    return 1;
}

/* Sends a text to the service manager's socket, whose path begins with / or, for an abstract one, with @. A manager that
 * does not listen does not keep the service waiting. */
static inline int cposix_notify(const char *path, const char *text, size_t count)
{
    struct sockaddr_un address;
    size_t length = strlen(path);
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    if ((path[0] != '/' && path[0] != '@') || length >= sizeof address.sun_path) return -EINVAL;
    memcpy(address.sun_path, path, length);
    if (path[0] == '@') address.sun_path[0] = 0;
    int made = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (made < 0) return -errno;
    ssize_t sent = sendto(made, text, count, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
    int error = errno;
    close(made);
    return sent == (ssize_t)count ? 0 : -error;
}

/* Sends without SIGPIPE; -1 and errno as `send`. */
static inline ssize_t cposix_send(int socket, const void *bytes, size_t count)
{
    return send(socket, bytes, count, MSG_NOSIGNAL);
}

/* A socket that is connected to an address; it blocks. The descriptor, or the error as a negative number. */
static inline int cposix_connected_socket(const char *text, unsigned port, int is_stream)
{
    struct sockaddr_storage address;
    socklen_t length = cposix_address(text, port, &address);
    if (length == 0) return -EINVAL;
    int made = socket(address.ss_family, (is_stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
    if (made < 0) return -errno;
    if (connect(made, (struct sockaddr *)&address, length) != 0) return cposix_socket_failed(made);
    return made;
}

#endif
