#!/usr/bin/env python3
"""A Kafka cluster of librdkafka's own mock brokers, in this process, listening on loopback ports that the system chose.

    mock.py BROKERS TOPIC:PARTITIONS...

Prints the brokers' addresses in one line, then obeys lines on standard input, and answers each with one:
    down N, up N            broker N (from 1) goes away, comes back
    put TOPIC PARTITION KEY HEX     a message, as it stands ('-': no key)
    committed GROUP TOPIC PARTITION     the committed offset and its metadata
    end TOPIC PARTITION     the offset behind the last message
Ends when standard input does.
"""
import ctypes
import sys

lib = ctypes.CDLL("librdkafka.so.1")
P, S, I, L = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int64


class Partition(ctypes.Structure):
    _fields_ = [("topic", S), ("partition", ctypes.c_int32), ("offset", L), ("metadata", P), ("metadata_size", ctypes.c_size_t),
                ("opaque", P), ("error", I), ("private", P)]


class Partitions(ctypes.Structure):
    _fields_ = [("count", I), ("size", I), ("elements", ctypes.POINTER(Partition))]


def function(name, result, *arguments):
    f = getattr(lib, "rd_kafka_" + name)
    f.restype, f.argtypes = result, arguments
    return f


conf_new = function("conf_new", P)
conf_set = function("conf_set", I, P, S, S, S, ctypes.c_size_t)
new = function("new", P, I, P, S, ctypes.c_size_t)
cluster_new = function("mock_cluster_new", P, P, I)
bootstraps = function("mock_cluster_bootstraps", S, P)
topic_create = function("mock_topic_create", I, P, S, I, I)
set_down = function("mock_broker_set_down", I, P, ctypes.c_int32)
set_up = function("mock_broker_set_up", I, P, ctypes.c_int32)
err2str = function("err2str", S, I)
topic_new = function("topic_new", P, P, S, P)
produce = function("produce", I, P, ctypes.c_int32, I, P, ctypes.c_size_t, P, ctypes.c_size_t, P)
flush = function("flush", I, P, I)
last_error = function("last_error", I)
list_new = function("topic_partition_list_new", ctypes.POINTER(Partitions), I)
list_add = function("topic_partition_list_add", ctypes.POINTER(Partition), ctypes.POINTER(Partitions), S, ctypes.c_int32)
list_destroy = function("topic_partition_list_destroy", None, ctypes.POINTER(Partitions))
committed = function("committed", I, P, ctypes.POINTER(Partitions), I)
watermarks = function("query_watermark_offsets", I, P, S, ctypes.c_int32, ctypes.POINTER(L), ctypes.POINTER(L), I)


def client(kind, **settings):
    conf = conf_new()
    text = ctypes.create_string_buffer(256)
    for name, value in settings.items():
        if conf_set(conf, name.replace("_", ".").encode(), str(value).encode(), text, 256):
            sys.exit(text.value.decode())
    made = new(kind, conf, text, 256)
    return made or sys.exit(text.value.decode())


def check(error):
    return "ok" if error == 0 else "error: " + err2str(error).decode()


host = client(0)
cluster = cluster_new(host, int(sys.argv[1]))
brokers = bootstraps(cluster).decode()
for argument in sys.argv[2:]:
    name, partitions = argument.rsplit(":", 1)
    answer = check(topic_create(cluster, name.encode(), int(partitions), min(int(sys.argv[1]), 3)))
    if answer != "ok":
        sys.exit(answer)
print(brokers, flush=True)

groups = {}
producer = None
for line in sys.stdin:
    words = line.split()
    if words[0] == "down":
        answer = check(set_down(cluster, int(words[1])))
    elif words[0] == "up":
        answer = check(set_up(cluster, int(words[1])))
    elif words[0] == "put":
        producer = producer or client(0, bootstrap_servers=brokers)
        topic = topic_new(producer, words[1].encode(), None)
        key = b"" if words[3] == "-" else words[3].encode()
        value = bytes.fromhex(words[4]) if len(words) > 4 else b""
        failed = produce(topic, int(words[2]), 2, value, len(value), key or None, len(key), None)
        answer = check(last_error()) if failed else check(flush(producer, 10000))
    elif words[0] == "committed":
        group = words[1]
        if group not in groups:
            groups[group] = client(1, bootstrap_servers=brokers, group_id=group)
        wanted = list_new(1)
        list_add(wanted, words[2].encode(), int(words[3]))
        answer = check(committed(groups[group], wanted, 10000))
        if answer == "ok":
            found = wanted.contents.elements[0]
            note = ctypes.string_at(found.metadata, found.metadata_size).decode() if found.metadata else ""
            answer = "%d %s" % (found.offset, note)
        list_destroy(wanted)
    elif words[0] == "end":
        groups.setdefault("", None)
        groups[""] = groups[""] or client(1, bootstrap_servers=brokers, group_id="nobody")
        low, high = L(), L()
        answer = check(watermarks(groups[""], words[1].encode(), int(words[2]), low, high, 10000))
        if answer == "ok":
            answer = str(high.value)
    else:
        answer = "error: " + line.strip()
    print(answer, flush=True)
