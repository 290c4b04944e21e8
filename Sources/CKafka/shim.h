/* librdkafka, loaded at run time: what of its interface (rdkafka.h, stable since 1.6 for all of librdkafka.so.1) is used.
 * Its header is not needed for building, nor is the library for running what does not use Kafka. */
#ifndef TICKLOG_CKAFKA_SHIM_H
#define TICKLOG_CKAFKA_SHIM_H

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct rd_kafka_s rd_kafka_t;
typedef struct rd_kafka_conf_s rd_kafka_conf_t;
typedef struct rd_kafka_topic_s rd_kafka_topic_t;
typedef struct rd_kafka_topic_conf_s rd_kafka_topic_conf_t;
typedef struct rd_kafka_error_s rd_kafka_error_t;

typedef struct ckafka_message { /* rd_kafka_message_t */
    int error;
    rd_kafka_topic_t *topic;
    int32_t partition;
    void *value;
    size_t value_bytes;
    void *key;
    size_t key_bytes;
    int64_t offset;
    void *private_;
} ckafka_message;

typedef struct ckafka_partition { /* rd_kafka_topic_partition_t */
    char *topic;
    int32_t partition;
    int64_t offset;
    void *metadata; /* freed with the list, by free() */
    size_t metadata_bytes;
    void *opaque;
    int error;
    void *private_;
} ckafka_partition;

typedef struct ckafka_partitions { /* rd_kafka_topic_partition_list_t */
    int count;
    int size;
    ckafka_partition *elements;
} ckafka_partitions;

/* rd_kafka_resp_err_t */
static const int CKAFKA_ALL_BROKERS_DOWN = -187;
static const int CKAFKA_QUEUE_FULL = -184;
static const int CKAFKA_ASSIGN_PARTITIONS = -175;
static const int CKAFKA_FATAL = -150;
static const int CKAFKA_REBALANCE_IN_PROGRESS = 27;
/* rd_kafka_type_t */
static const int CKAFKA_PRODUCER = 0;
static const int CKAFKA_CONSUMER = 1;

static const int16_t CKAFKA_JOIN_GROUP = 11; /* a request's key in Kafka's protocol */
static const int CKAFKA_COPY = 2; /* a flag of produce: the library makes a copy */
static const int32_t CKAFKA_ANY_PARTITION = -1;
static const int64_t CKAFKA_OFFSET_INVALID = -1001;

typedef void (*ckafka_error_cb)(rd_kafka_t *client, int error, const char *reason, void *opaque);
typedef void (*ckafka_log_cb)(const rd_kafka_t *client, int level, const char *facility, const char *text);
typedef void (*ckafka_delivery_cb)(rd_kafka_t *client, const ckafka_message *message, void *opaque);
/* Of rebalances, and of commits. */
typedef void (*ckafka_partitions_cb)(rd_kafka_t *client, int error, ckafka_partitions *partitions, void *opaque);
typedef int32_t (*ckafka_partitioner)(const rd_kafka_topic_t *topic, const void *key, size_t key_bytes, int32_t partitions,
                                      void *topic_opaque, void *message_opaque);

/* Interceptors: of a client that is being made, and of its requests, in the library's own threads. */
typedef int (*ckafka_new_cb)(rd_kafka_t *client, const rd_kafka_conf_t *, void *opaque, char *text, size_t room);
typedef int (*ckafka_request_cb)(rd_kafka_t *client, int socket, const char *broker, int32_t id, int16_t key, int16_t version,
                                 int32_t correlation, size_t bytes, void *opaque);

/* F(NAME, RESULT, ARGUMENTS): the functions, each found as rd_kafka_NAME. */
#define CKAFKA_FUNCTIONS(F) \
    F(version_str, const char *, (void)) \
    F(err2str, const char *, (int error)) \
    F(last_error, int, (void)) \
    F(conf_new, rd_kafka_conf_t *, (void)) \
    F(conf_destroy, void, (rd_kafka_conf_t *)) \
    F(conf_set, int, (rd_kafka_conf_t *, const char *name, const char *value, char *text, size_t room)) \
    F(conf_set_opaque, void, (rd_kafka_conf_t *, void *opaque)) \
    F(conf_set_error_cb, void, (rd_kafka_conf_t *, ckafka_error_cb)) \
    F(conf_set_log_cb, void, (rd_kafka_conf_t *, ckafka_log_cb)) \
    F(conf_set_dr_msg_cb, void, (rd_kafka_conf_t *, ckafka_delivery_cb)) \
    F(conf_set_rebalance_cb, void, (rd_kafka_conf_t *, ckafka_partitions_cb)) \
    F(conf_set_offset_commit_cb, void, (rd_kafka_conf_t *, ckafka_partitions_cb)) \
    F(conf_interceptor_add_on_new, int, (rd_kafka_conf_t *, const char *name, ckafka_new_cb, void *opaque)) \
    F(interceptor_add_on_request_sent, int, (rd_kafka_t *, const char *name, ckafka_request_cb, void *opaque)) \
    F(new, rd_kafka_t *, (int kind, rd_kafka_conf_t *, char *text, size_t room)) \
    F(destroy, void, (rd_kafka_t *)) \
    F(fatal_error, int, (rd_kafka_t *, char *text, size_t room)) \
    F(poll, int, (rd_kafka_t *, int milliseconds)) \
    F(flush, int, (rd_kafka_t *, int milliseconds)) \
    F(outq_len, int, (rd_kafka_t *)) \
    F(default_topic_conf_dup, rd_kafka_topic_conf_t *, (rd_kafka_t *)) \
    F(topic_conf_set_partitioner_cb, void, (rd_kafka_topic_conf_t *, ckafka_partitioner)) \
    F(topic_new, rd_kafka_topic_t *, (rd_kafka_t *, const char *name, rd_kafka_topic_conf_t *)) \
    F(topic_destroy, void, (rd_kafka_topic_t *)) \
    F(topic_name, const char *, (const rd_kafka_topic_t *)) \
    F(produce, int, (rd_kafka_topic_t *, int32_t partition, int flags, void *value, size_t value_bytes, const void *key, \
                     size_t key_bytes, void *opaque)) \
    F(poll_set_consumer, int, (rd_kafka_t *)) \
    F(subscribe, int, (rd_kafka_t *, const ckafka_partitions *)) \
    F(consumer_poll, ckafka_message *, (rd_kafka_t *, int milliseconds)) \
    F(consumer_close, int, (rd_kafka_t *)) \
    F(message_destroy, void, (ckafka_message *)) \
    F(topic_partition_list_new, ckafka_partitions *, (int size)) \
    F(topic_partition_list_destroy, void, (ckafka_partitions *)) \
    F(topic_partition_list_add, ckafka_partition *, (ckafka_partitions *, const char *topic, int32_t partition)) \
    F(rebalance_protocol, const char *, (rd_kafka_t *)) \
    F(assign, int, (rd_kafka_t *, const ckafka_partitions *)) \
    F(incremental_assign, rd_kafka_error_t *, (rd_kafka_t *, const ckafka_partitions *)) \
    F(incremental_unassign, rd_kafka_error_t *, (rd_kafka_t *, const ckafka_partitions *)) \
    F(assignment_lost, int, (rd_kafka_t *)) \
    F(error_code, int, (const rd_kafka_error_t *)) \
    F(error_destroy, void, (rd_kafka_error_t *)) \
    F(committed, int, (rd_kafka_t *, ckafka_partitions *, int milliseconds)) \
    F(commit, int, (rd_kafka_t *, const ckafka_partitions *, int asynchronous)) \
    F(pause_partitions, int, (rd_kafka_t *, ckafka_partitions *)) \
    F(resume_partitions, int, (rd_kafka_t *, ckafka_partitions *))

typedef struct ckafka {
#define CKAFKA_FIELD(name, result, arguments) result(*name) arguments;
    CKAFKA_FUNCTIONS(CKAFKA_FIELD)
#undef CKAFKA_FIELD
} ckafka;

/* Fills the table. 0, or -1 with the reason in `text`. The library stays loaded: its threads may outlive its clients. */
static inline int ckafka_load(ckafka *table, const char *library, char *text, size_t room)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char *reason = dlerror();
        snprintf(text, room, "%s", reason ? reason : "unknown");
        return -1;
    }
#define CKAFKA_FIND(name, result, arguments) \
    if (!(*(void **)&table->name = dlsym(handle, "rd_kafka_" #name))) { \
        snprintf(text, room, "%s has no function rd_kafka_%s", library, #name); \
        return -1; \
    }
    CKAFKA_FUNCTIONS(CKAFKA_FIND)
#undef CKAFKA_FIND
    return 0;
}

#endif
