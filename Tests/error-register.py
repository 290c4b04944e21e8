#!/usr/bin/env python3
"""error-register.py OBJDUMP FILE...: finds functions that throw and end with a jump to a function of C.

Swift gives a thrown error back in a register, which is 0 if there is none. Its compiler turns a call of memset or the like at a
function's end into a jump, also where that register has been used for something else meanwhile: the caller then sees an error that
nobody has thrown, and crashes. Found are functions that write the register, do not restore it, as those would for which it is no
error's, and jump. What helps: an access to memory behind the call.
"""
import re
import subprocess
import sys

# By architecture: the register that is written; restored from the stack; the jump to a function of C.
RULES = {
    "x86-64": (r"\t(?!cmp|test|push|call)\S+ +\S.*,%r12d?$", r"\tpop +%r12$", r"\tjmp +\S+ <(\w+)@plt>"),
    "aarch64": (r"\t(?!cmp|tst|st|cb|tb)\S+\t[xw]21, (?!\[sp)", r"\tld[pr]\t.*\bx21\b.*\[sp", r"\tb\t\S+ <(\w+)@plt>"),
}


def functions(objdump, path):
    text = subprocess.run([objdump, "-d", "--no-show-raw-insn", path], capture_output=True, text=True, check=True, timeout=300).stdout
    kind = "x86-64" if "x86-64" in text[:2000] else "aarch64"
    name, lines = None, []
    for line in text.splitlines():
        if line.endswith(">:"):
            if name:
                yield kind, name, lines
            name, lines = line.split("<", 1)[1][:-2], []
        else:
            lines.append(line)
    if name:
        yield kind, name, lines


def main():
    objdump, *paths = sys.argv[1:]
    found = seen = jumps = 0
    for path in paths:
        for kind, name, lines in functions(objdump, path):
            seen += 1
            written, restored, jump = (re.compile(rule) for rule in RULES[kind])
            target = next((match.group(1) for line in lines if (match := jump.search(line))), None)
            if target is None:
                continue
            jumps += 1
            if any(restored.search(line) for line in lines) or not name.startswith("$e"):
                continue
            if any(written.search(line) for line in lines):
                print(f"{path}: {name} jumps to {target}", file=sys.stderr)
                found += 1
    print(f"error register: {len(paths)} files, {seen} functions, {jumps} that end with a jump to C, {found} that lose an error")
    return 1 if found or not seen or not jumps else 0


if __name__ == "__main__":
    sys.exit(main())
