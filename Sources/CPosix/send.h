/* Sockets of a sender. */
#ifndef TICKLOG_CPOSIX_SEND_H
#define TICKLOG_CPOSIX_SEND_H

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

/* A socket that never blocks, for an address that getaddrinfo has found; -1 and errno. */
static inline int cposix_socket_for(const struct addrinfo *address)
{
    return socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address->ai_protocol);
}

static inline int cposix_socket_type(int is_stream) { return is_stream ? SOCK_STREAM : SOCK_DGRAM; }

/* Why a connection that was waited for failed; 0: it did not. */
static inline int cposix_connection_error(int socket)
{
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

/* Small messages are not held back for others. */
static inline void cposix_send_at_once(int socket)
{
    int one = 1;
    (void)setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* As much as there is room for, without waiting and without SIGPIPE; -1 and errno. */
static inline ssize_t cposix_send_now(int socket, const void *bytes, size_t count)
{
    return send(socket, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static inline void cposix_end_sending(int socket) { (void)shutdown(socket, SHUT_WR); }

#endif
