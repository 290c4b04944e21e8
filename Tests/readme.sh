#!/bin/sh
# The README's complete C programs compile without a warning and run, and pybcsv opens what they wrote.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# program NUMBER: the C block with a main of that number.
program() {
    awk -v number="$1" '/^```c[[:space:]]*$/ { block = ""; inside = 1; next }
         /^```/ && inside { inside = 0; if (block ~ /int main/ && ++found == number) { printf "%s", block; exit } next }
         inside { block = block $0 "\n" }' "$root/README.md" > "$work/readme$1.c"
    [ -s "$work/readme$1.c" ] || { echo "README.md has no C block number $1 with a main"; exit 1; }
    "$root/Cross/cc.sh" linux-x86_64 "$work/readme$1" "$work/readme$1.c" -- -std=c11 -Wall -Wextra -Wpedantic -Werror
    (cd "$work" && timeout 60 "./readme$1")
}
"$root/Tests/python/setup.sh"
program 1
program 2
cp -r "$root/Tests/Vectors/dlf/real_structs" "$work/run"
program 3 | tee "$work/dlf.txt"
grep -q '^18 samples, ticks 0 to 9, 0 bytes torn$' "$work/dlf.txt" || { echo "README: the DLF program told something else"; exit 1; }
program 4 | tee "$work/packets.txt"
[ "$(cat "$work/packets.txt")" = "2 words, 28 bytes
record 0: 28 bytes" ] || { echo "README: the packets' program told something else"; exit 1; }
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
timeout 60 "$root/.venv/bin/python" - "$work/table.bcsv" <<'EOF'
import sys
import pybcsv
columns = pybcsv.read_columns(sys.argv[1])
assert list(columns) == ["t", "x[0]", "x[1]", "x[2]", "state"], list(columns)
assert len(columns["t"]) == 1000 and columns["x[0]"][999] == 499.5 and columns["state"][0] == "running"
print("README: a table of 1000 rows")
EOF
