#!/bin/bash
# complete.bash FILE: asks the completion of bash as the shell does, and compares what it offers.
set -u
. "$1"
failed=0
offers() { # EXPECTED WORDS...: the last word is the one to complete
    local expected=$1
    shift
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _ticklog
    local found
    found=$(printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort | tr '\n' ' ')
    found=${found% }
    [ "$found" = "$expected" ] || { echo "FAILED: bash, $*: found '$found', expected '$expected'"; failed=1; }
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
mkdir folder
touch table.bcsv 'two words.csv'
complete -p ticklog > /dev/null || failed=1
offers 'receive repair replay rnog' ticklog r
offers '--version' ticklog --v
offers '--format --from' ticklog cat --f
offers 'csv jsonl' ticklog cat --format ''
offers 'jsonl' ticklog cat --format = j
offers 'csv jsonl' ticklog cat --format =
offers '' ticklog cat --stream ''
offers 'folder table.bcsv two words.csv' ticklog cat ''
offers 'table.bcsv' ticklog convert ta
offers 'folder' ticklog receive --out ''
offers 'two words.csv' ticklog repair -o tw
offers 'cat convert index info' ticklog rnog ''
offers '' ticklog nonsense --f
[ "$failed" = 0 ]
