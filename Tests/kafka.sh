#!/bin/bash
# Kafka: the command against librdkafka's mock cluster. librdkafka1 alone is needed, its headers are not.
#     Tests/kafka.sh [CASE...]    TICKLOG: the command, .build/debug/ticklog unless given
set -eu
cd "$(dirname "$0")/.."
if [ -z "${TICKLOG:-}" ]; then
    Tests/built.sh
    TICKLOG=.build/debug/ticklog
fi
exec timeout 600 python3 Tests/kafka/run.py "$TICKLOG" "$@"
