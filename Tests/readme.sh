#!/bin/sh
# The README's first complete C program compiles without a warning, runs, and pybcsv opens what it wrote.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk '/^```c[[:space:]]*$/ { block = ""; inside = 1; next }
     /^```/ && inside { inside = 0; if (block ~ /int main/) { printf "%s", block; exit } next }
     inside { block = block $0 "\n" }' "$root/README.md" > "$work/readme.c"
[ -s "$work/readme.c" ] || { echo "README.md has no C block with a main"; exit 1; }
"$root/Tests/python/setup.sh"
"$root/Cross/cc.sh" linux-x86_64 "$work/readme" "$work/readme.c" -- -std=c11 -Wall -Wextra -Wpedantic -Werror
(cd "$work" && timeout 60 ./readme)
# The newest run: anywhere below the folder, or where the program says that it logs.
found=$(find "$work" -name polled.bcsv | head -1)
[ -n "$found" ] || { echo "the README's program left no polled.bcsv in its folder"; exit 1; }
[ ! -e "$(dirname "$found")/LOCK" ] || { echo "LOCK is there"; exit 1; }
timeout 60 "$root/.venv/bin/python" - "$found" <<'EOF'
import sys
import pybcsv
reader = pybcsv.Reader()
assert reader.open(sys.argv[1])
names = reader.layout().get_column_names()
rows = 0
while reader.read_row() is not None:
    rows += 1
assert names and rows, (names, rows)
print("README: %d rows of %s" % (rows, ", ".join(names)))
EOF
"$root/.venv/bin/python" "$root/Tests/python/run.py" "$(dirname "$found")"
