#!/usr/bin/env python3
"""What ticklog.h and ticklog_rnog.h promise to compiled programs, read from the headers themselves.

    header.py names INCLUDE                     the functions, one a line
    header.py sized INCLUDE                     the structures that begin with `size`, one a line
    header.py takers INCLUDE                    the functions that take one of those
    header.py witness INCLUDE                   a C source that defines every function: what describes the library's types
    header.py layout INCLUDE COMPILER FLAGS...  types of functions and members, and as that compiler sees them sizes, offsets
                                                and constants
    header.py compare BASELINE                  fails if standard input, a layout, takes away or changes what BASELINE has

Nothing is run: the numbers come from the compiler's assembly text. Needs Python's standard library only.
"""
import os
import re
import subprocess
import sys
import tempfile

HEADERS = ("ticklog.h", "ticklog_rnog.h")


def source(include):
    """The text of the headers without comments and without lines that continue."""
    text = ""
    for name in HEADERS:
        with open(os.path.join(include, name)) as file:
            text += file.read() + "\n"
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S).replace("\\\n", " ")
    return re.sub(r"//[^\n]*", "", text)


def code(include):
    """Declarations without the preprocessor's lines."""
    text = re.sub(r"^\s*#[^\n]*", "", source(include), flags=re.M)
    return re.sub(r'extern "C" \{', "", text)


def spaced(text):
    """A type with one space between its words."""
    return re.sub(r"\s*([*\[\]()])\s*", r" \1", " ".join(text.split())).strip()


def nameless(text):
    """The type of a function, (*) and parameters without names."""
    before, parameters = re.match(r"(.*)\(([^()]*)\)\s*$", text, re.S).groups()
    types = [re.sub(r"(?<=[\s*])\w+$", "", one.strip()) if " " in one.strip() else one for one in parameters.split(",")]
    return spaced(before) + " (" + ", ".join(spaced(one) for one in types) + ")"


def structures(include):
    """Of each structure: how C calls it, and its members in order, each with its type."""
    found = {}
    for match in re.finditer(r"(typedef )?struct\s*(\w*)\s*\{([^{}]*)\}[^;{}]*?(\w*)\s*;", code(include)):
        is_type, tag, body, name = match.groups()
        members = []
        for part in body.split(";"):
            if not part.strip():
                continue
            function = re.search(r"\(\s*\*\s*(\w+)\s*\)", part)
            if function:
                members.append((function.group(1), nameless(part.replace(function.group(0), "(*)"))))
                continue
            first, *others = part.split(",")
            match = re.match(r"\s*(.*?)(\w+)\s*((\[[^\]]*\]\s*)*)$", first, re.S)
            stars = re.match(r"(.*?)([*\s]*)$", match.group(1), re.S)
            members.append((match.group(2), spaced(match.group(1) + match.group(3))))
            for other in others:
                match = re.match(r"([*\s]*)(\w+)\s*(.*)$", other, re.S)
                members.append((match.group(2), spaced(stars.group(1) + " " + match.group(1) + match.group(3))))
        found[name if is_type else "struct " + tag] = members
    return found


def prototypes(include):
    """Of each function: its declaration, on one line."""
    found = {}
    text = re.sub(r"\{[^{}]*\}", "", code(include))
    for statement in text.split(";"):
        line = " ".join(statement.replace("}", " ").split())
        match = re.search(r"\b(ticklog_\w+)\s*\(", line)
        if match and not line.startswith("typedef") and "(*" not in line[:match.start() + 2]:
            found[match.group(1)] = line
    return found


def sized(include):
    return {name: members for name, members in structures(include).items() if members[0][0] == "size"}


def constants(include):
    """Names of the macros that are numbers. The package's version changes with each release and is none of them."""
    names = re.findall(r"^\s*#define\s+((?:TICKLOG|ARROW)_\w+)[ \t]+\S", source(include), re.M)
    return [name for name in names if name != "TICKLOG_VERSION"]


def layout(include, compiler):
    lines = ["#include <stddef.h>"] + ['#include "%s"' % name for name in HEADERS] + ["void layout(void); void layout(void) {"]

    def ask(label, value):
        # As 16 bits at a time: what an immediate operand can hold on every target.
        parts = ", ".join('"i"((unsigned)(((unsigned long long)(%s)) >> %d & 0xffff))' % (value, bits) for bits in (48, 32, 16, 0))
        lines.append('__asm__ volatile("\\n@@ %s %%c0 %%c1 %%c2 %%c3" :: %s);' % (label, parts))

    found = structures(include)
    for name, members in found.items():
        ask("struct:%s" % name.replace("struct ", "struct_"), "sizeof(%s)" % name)
        for member, _ in members:
            ask("offset:%s" % member, "offsetof(%s, %s)" % (name, member))
            ask("bytes:%s" % member, "sizeof(((%s *)0)->%s)" % (name, member))
    for name in constants(include):
        ask("constant:%s" % name, "(long long)(%s)" % name)
    lines.append("}")
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "layout.c")
        with open(path, "w") as file:
            file.write("\n".join(lines) + "\n")
        text = subprocess.run([*compiler, "-std=gnu11", "-O1", "-S", "-I", include, "-o", "-", path], check=True,
                              stdout=subprocess.PIPE, text=True, timeout=120).stdout
    for name, line in prototypes(include).items():
        print("%s = %s" % (name, nameless(line.replace(name, "", 1))))
    offset = 0
    types = {}
    for line in text.splitlines():
        match = re.match(r"@@ (\w+):(\w+) (\d+) (\d+) (\d+) (\d+)$", line)
        if not match:
            continue
        kind, name = match.group(1, 2)
        value = 0
        for part in match.group(3, 4, 5, 6):
            value = value << 16 | int(part)
        if kind == "struct":
            print("%s: %d bytes" % (name, value))
            types = dict(found.get(name.replace("struct_", "struct "), []))
        elif kind == "offset":
            offset = value
        elif kind == "bytes":
            print("    %s at %d, %d: %s" % (name, offset, value, types[name]))
        else:
            print("%s = %d" % (name, value if value < 1 << 63 else value - (1 << 64)))


def parse(text):
    """A layout: structures as (bytes, [members]), and constants."""
    structs, numbers, members = {}, {}, []
    for line in text.splitlines():
        if line.startswith("    "):
            members.append(line.strip())
        elif ":" in line:
            name, size = line.split(": ")
            members = []
            structs[name] = (size, members)
        elif line:
            name, value = line.split(" = ")
            numbers[name] = value
    return structs, numbers


def compare(baseline, text):
    with open(baseline) as file:
        old_structs, old_numbers = parse(file.read())
    structs, numbers = parse(text)
    faults = []
    if len(old_structs) < 10 or len(old_numbers) < 50:
        faults.append("%s is no layout" % baseline)
    for name, (size, members) in old_structs.items():
        if name not in structs:
            faults.append("%s is gone" % name)
            continue
        new_size, new_members = structs[name]
        for i, member in enumerate(members):
            if i >= len(new_members) or new_members[i] != member:
                faults.append("%s: '%s' was '%s'" % (name, new_members[i] if i < len(new_members) else "nothing", member))
        if len(new_members) > len(members):
            if not members[0].startswith("size at 0, 4"):
                faults.append("%s has no `size` and got a member: '%s'" % (name, new_members[len(members)]))
            elif new_size == size:
                faults.append("%s: '%s' lies in what was padding, which older programs leave undefined" % (
                    name, new_members[len(members)]))
        elif new_size != size:
            faults.append("%s has %s, had %s" % (name, new_size, size))
    for name, value in old_numbers.items():
        if numbers.get(name) != value:
            faults.append("%s is %s, was %s" % (name, numbers.get(name, "gone"), value))
    for fault in faults:
        print("layout: " + fault)
    return not faults


def main():
    what, argument = sys.argv[1], sys.argv[2]
    if what == "names":
        print("\n".join(sorted(prototypes(argument))))
    elif what == "sized":
        print("\n".join(sized(argument)))
    elif what == "takers":
        names = "|".join(sized(argument))
        print("\n".join(name for name, line in prototypes(argument).items() if re.search(r"\((.*\W)?(%s)\s*\*" % names, line)))
    elif what == "witness":
        print("\n".join('#include "%s"' % name for name in HEADERS))
        for line in prototypes(argument).values():
            print(line + " { __builtin_trap(); }")
    elif what == "layout":
        layout(argument, sys.argv[3:])
    elif what == "compare":
        sys.exit(0 if compare(argument, sys.stdin.read()) else 1)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
