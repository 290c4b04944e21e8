#!/bin/sh
# ticklog.h alone compiles as C99, C11 and C++11 without a warning, with short enums too, and says the same sizes.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

printf '#include "ticklog.h"\n#include "ticklog.h"\n' > "$work/one.h"
cat "$work/one.h" > "$work/c.c"
cat >> "$work/c.c" <<'EOF'
typedef struct { unsigned char a; float b[3]; char s[5]; } sample_t;
extern const ticklog_field fields[];
const ticklog_field fields[] = {
    TICKLOG_FIELD(sample_t, a, TICKLOG_U8, NULL),
    TICKLOG_FIELD(sample_t, b, TICKLOG_F32, "V"),
    TICKLOG_FIELD(sample_t, s, TICKLOG_STRING, NULL),
};
typedef char status_is_32_bits[sizeof(ticklog_status) == 4 ? 1 : -1];
EOF
cp "$work/c.c" "$work/cc.cc"

check() {
    if "$@" -Wall -Wextra -Wpedantic -Werror -I "$root/include" -c -o "$work/o.o"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $*"
    fi
}

for compiler in gcc clang arm-none-eabi-gcc aarch64-linux-gnu-gcc arm-linux-gnueabihf-gcc; do
    command -v "$compiler" > /dev/null || continue
    for enums in "" -fshort-enums; do
        for standard in c99 c11; do
            check "$compiler" "-std=$standard" -Wc++-compat $enums "$work/c.c"
        done
    done
done
for compiler in g++ clang++; do
    command -v "$compiler" > /dev/null || continue
    echo 'int main() {}' > "$work/works.cc"
    "$compiler" -include cstddef -c -o "$work/o.o" "$work/works.cc" 2> /dev/null || continue # no C++ library here
    for enums in "" -fshort-enums; do
        check "$compiler" -std=c++11 $enums "$work/cc.cc"
    done
done
echo "header: $passed passed, $failed failed"
[ "$failed" = 0 ]
