#!/bin/sh
# ticklog.h alone compiles as C99, C11 and C++11 without a warning, with short enums too, and says the same sizes. So does
# ticklog_rnog.h, whose structures have the offsets of the packets on every target, or it does not compile.
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
cat > "$work/rnog.c" <<'EOF'
#include "ticklog_rnog.h"
extern uint64_t all(const ticklog_rnog_header *h, const ticklog_rnog_pedestal *p, const ticklog_rnog_daqstatus *d);
uint64_t all(const ticklog_rnog_header *h, const ticklog_rnog_pedestal *p, const ticklog_rnog_daqstatus *d)
{
    return TICKLOG_RNOG_TRIGGER_MASK(h->radiant_trigger_cfg[0]) + TICKLOG_RNOG_TRIGGER_NCOINC(h->radiant_trigger_cfg[1]) +
           TICKLOG_RNOG_TRIGGER_WINDOW(h->radiant_trigger_cfg[1]) + TICKLOG_RNOG_LT_NUM_COINC(*h) + TICKLOG_RNOG_LT_VPP_MODE(*h) +
           TICKLOG_RNOG_LT_CHANNEL_MASK(*h) + TICKLOG_RNOG_PEDESTAL_MASK(*p) + TICKLOG_RNOG_NCYCLES(d->lt_scalers) +
           (uint64_t)TICKLOG_RNOG_CAL_T_TIMES_16(*d) + TICKLOG_RNOG_CAL_MODE(*d) + TICKLOG_RNOG_CAL_ENABLED(*d) +
           TICKLOG_RNOG_CAL_ATTEN_TIMES_2(*d) + TICKLOG_RNOG_CAL_OUT(*d) + TICKLOG_RNOG_CAL_REV(*d);
}
EOF
cp "$work/rnog.c" "$work/rnog.cc"

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
            check "$compiler" "-std=$standard" -Wc++-compat $enums "$work/rnog.c"
        done
    done
done
for compiler in g++ clang++; do
    command -v "$compiler" > /dev/null || continue
    echo 'int main() {}' > "$work/works.cc"
    "$compiler" -include cstddef -c -o "$work/o.o" "$work/works.cc" 2> /dev/null || continue # no C++ library here
    for enums in "" -fshort-enums; do
        check "$compiler" -std=c++11 $enums "$work/cc.cc"
        check "$compiler" -std=c++11 $enums "$work/rnog.cc"
    done
done
echo "header: $passed passed, $failed failed"
[ "$failed" = 0 ]
