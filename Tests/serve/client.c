/* The BMS clients of ticklog.h against a server: client PORT [TOKEN_FILE]. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ticklog.h"

#define CHECK(call, expected) check((call), (expected), #call, __LINE__)
static ticklog_client *client;
static void check(ticklog_status found, ticklog_status expected, const char *call, int line)
{
    if (found == expected) return;
    const char *error = ticklog_client_error(client);
    fprintf(stderr, "line %d: %s: found %s (%s), expected %s\n", line, call, ticklog_status_text(found), error ? error : "",
            ticklog_status_text(expected));
    exit(1);
}

int main(int argc, char **argv)
{
    ticklog_client_config config;
    uint16_t control[3] = {10, 11, 40000}, data[3] = {1, 2, 3}, values[4], ranges[4] = {10, 12, 40000, 65535};
    uint16_t offsets[4] = {40000, 10, 10, 12};
    ticklog_packet packet, found;
    memset(&config, 0, sizeof config);
    memset(&packet, 0, sizeof packet);
    if (argc < 2) return 2;
    config.size = sizeof config;
    config.port = (uint32_t)atoi(argv[1]);
    config.token_file = argc > 2 ? argv[2] : NULL;
    CHECK(ticklog_client_open(NULL, &client), TICKLOG_NULL);
    config.size = 3;
    CHECK(ticklog_client_open(&config, &client), TICKLOG_BAD_SIZE);
    config.size = sizeof config;
    CHECK(ticklog_client_open(&config, &client), TICKLOG_OK);

    packet.command = TICKLOG_PACKET_FULL;
    packet.type = TICKLOG_SOURCE_SBMU;
    packet.source = 77;
    packet.control = control;
    packet.data = data;
    packet.count = 3;
    CHECK(ticklog_client_send(client, &packet), TICKLOG_OK);
    CHECK(ticklog_client_query(client, TICKLOG_SOURCE_SBMU, 77, offsets, values, 4), TICKLOG_OK);
    if (values[0] != 3 || values[1] != 1 || values[2] != 1 || values[3] != 0) return 1;
    CHECK(ticklog_client_query(client, TICKLOG_SOURCE_SBMU, 77, NULL, NULL, 0), TICKLOG_OK);
    CHECK(ticklog_client_sync(client), TICKLOG_OK);

    CHECK(ticklog_client_subscribe(client, TICKLOG_SOURCE_SBMU, 77, ranges, 2, 0), TICKLOG_OK);
    unsigned initial = 0;
    while (initial < 3 + 25536) {
        CHECK(ticklog_client_next(client, 5000, &found), TICKLOG_OK);
        if (found.command != TICKLOG_PACKET_REPLY || found.source != 77 || found.type != TICKLOG_SOURCE_SBMU) return 1;
        initial += found.count;
    }
    CHECK(ticklog_client_next(client, 10, &found), TICKLOG_TIMED_OUT);
    /* A change that comes while an ACK is waited for is not lost. */
    packet.command = TICKLOG_PACKET_DIFF;
    data[1] = 999;
    CHECK(ticklog_client_send(client, &packet), TICKLOG_OK);
    CHECK(ticklog_client_sync(client), TICKLOG_OK);
    CHECK(ticklog_client_next(client, 5000, &found), TICKLOG_OK);
    uint16_t pair[2];
    if (found.command != TICKLOG_PACKET_DIFF || found.count != 1) return 1;
    memcpy(&pair[0], found.control, 2);
    memcpy(&pair[1], found.data, 2);
    if (pair[0] != 11 || pair[1] != 999) return 1;
    CHECK(ticklog_client_subscribe(client, TICKLOG_SOURCE_SBMU, 77, NULL, 0, 0), TICKLOG_OK);

    packet.command = TICKLOG_PACKET_QUERY;
    CHECK(ticklog_client_send(client, &packet), TICKLOG_UNSUPPORTED);
    packet.command = TICKLOG_PACKET_DIFF;
    packet.type = 4;
    CHECK(ticklog_client_send(client, &packet), TICKLOG_BAD_ARGUMENT);
    if (strstr(ticklog_client_error(client), "expected 0 to 3") == NULL) return 1;
    packet.type = 1;
    packet.count = 65537;
    CHECK(ticklog_client_send(client, &packet), TICKLOG_BAD_ARGUMENT);
    ranges[0] = 13;
    CHECK(ticklog_client_subscribe(client, 1, 77, ranges, 2, 0), TICKLOG_BAD_ARGUMENT);
    CHECK(ticklog_client_sync(client), TICKLOG_OK);
    CHECK(ticklog_client_close((ticklog_client *)values), TICKLOG_BAD_HANDLE);
    CHECK(ticklog_client_close(client), TICKLOG_OK);
    CHECK(ticklog_client_close(NULL), TICKLOG_NULL);
    client = NULL;
    config.token_file = "/nothing/there";
    CHECK(ticklog_client_open(&config, &client), TICKLOG_DENIED);
    config.token_file = NULL;
    config.port = 1; /* nobody listens there */
    CHECK(ticklog_client_open(&config, &client), TICKLOG_DISCONNECTED);
    config.port = 65536;
    CHECK(ticklog_client_open(&config, &client), TICKLOG_BAD_ARGUMENT);
    puts("client: ok");
    return 0;
}
