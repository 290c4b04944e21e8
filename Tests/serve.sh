#!/bin/sh
# The BMS server and its clients as processes, beside a model in Python: see serve/kills.py and serve/check_clients.py.
#     Tests/serve.sh [quick]      quick: fewer kills
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root/Tests/python/setup.sh"
python=$root/.venv/bin/python
"$root/Tests/built.sh"
tool=$root/.build/debug/ticklog
"$python" "$root/Tests/serve/vectors.py" --check
gcc -O2 -shared -fPIC -std=gnu11 -Wall -Wextra -Werror "$root/Tests/serve/crc32c.c" -o "$work/crc32c.so"
rounds="30 2.5 20"
[ "${1:-}" != quick ] || rounds="5 2 4"
"$root/Cross/cc.sh" host "$work/client" "$root/Tests/serve/client.c"
mkdir "$work/clients"
timeout 300 "$python" "$root/Tests/serve/check_clients.py" "$tool" "$work/crc32c.so" "$work/clients" "$work/client"
mkdir "$work/kills"
# shellcheck disable=SC2086
timeout 600 "$python" "$root/Tests/serve/kills.py" "$tool" "$work/crc32c.so" "$work/kills" $rounds
timeout 600 "$python" "$root/Tests/serve/check_serve.py" "$tool" "$work"
