#!/usr/bin/env python3
"""pages.py OUT COMMAND...: writes man pages and shell completion to OUT, a share folder, from what `COMMAND --help` and
`COMMAND SUBCOMMAND --help` print. COMMAND is the command ticklog, with whatever runs it in front.

pages.py --table COMMAND... prints the table that all of it is made of: subcommand, option, its argument (or nothing), the
words that the argument may be.
"""

import os
import re
import subprocess
import sys


def told(command, *words):
    result = subprocess.run([*command, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    if result.returncode != 0 or not result.stdout:
        sys.exit("pages.py: %s: exit code %d: %s" % (" ".join([*command, *words]), result.returncode, result.stderr))
    return result.stdout


class Option:
    def __init__(self, name, short, argument, text):
        self.name, self.short, self.argument, self.text = name, short, argument, text

    @property
    def words(self):
        """What the argument may be, if it is one of a few words."""
        if self.argument is None or ":" in self.argument:
            return []
        if re.fullmatch(r"[a-z0-9-]+(\|[a-z0-9-]+)*", self.argument) and self.name != "payload":
            return self.argument.split("|")
        if self.name == "payload":
            return [self.argument]
        item = r"[a-z0-9][a-z0-9.-]*(?: \(the default\))?"
        listed = re.match(r"%s(?:, %s)*(?: or %s(?=$|[\s,:;])|, %s(?=$|:))" % (item, item, item, item), self.text)
        if listed is None or " " in re.sub(r" \(the default\)|, | or ", "", listed.group()):
            return []
        return [word for word in re.split(r", | or ", listed.group().replace(" (the default)", "")) if word]

    @property
    def kind(self):
        """none, words, directory, file, text"""
        if self.argument is None:
            return "none"
        if self.words:
            return "words"
        if self.argument in ("DIR", "RUN"):
            return "directory"
        return "file" if self.argument in ("FILE", "OUT", "F", "PATH") else "text"

    @property
    def summary(self):
        """The help's first clause."""
        return re.split(r"[.;:](?:\s|$)", self.text, maxsplit=1)[0]


class Subcommand:
    def __init__(self, name, summary, help):
        self.name, self.summary = name, summary
        lines = help.rstrip("\n").split("\n")
        count = 0
        while lines[count].startswith(("Usage:", "       ticklog")):
            count += 1
        self.usage = [line[7:].strip() for line in lines[:count]]
        self.words = [line.split()[2] for line in self.usage if re.match(r"[a-z]+$", line.split()[2] if len(line.split()) > 2 else "")]
        self.blocks = []  # ("text", lines), ("options", [(term, text)]), ("list", [(term, text)]), ("examples", lines)
        self.options = []
        self.read(lines[count:])
        names = [option.name for option in self.options]
        if len(names) != len(set(names)):
            sys.exit("pages.py: %s: an option is there twice" % name)

    def read(self, lines):
        i = 0
        while i < len(lines):
            line = lines[i]
            if line.startswith("Examples:"):
                self.blocks.append(("examples", [text.strip() for text in lines[i + 1:] if text.strip()]))
                return
            if re.match(r"  \S", line):
                kind = "options" if line.startswith("  -") else "list"
                entries = []
                while i < len(lines) and lines[i].startswith("  "):
                    parts = re.match(r"  (\S.*?)(?:  +(.*))?$", lines[i])
                    if lines[i].startswith("   "):
                        entries[-1][1].append(lines[i].strip())
                    elif kind == "list" and parts.group(2) is None:  # no gap: the first word is the term
                        term, _, text = parts.group(1).partition(" ")
                        entries.append((term, [text]))
                    else:
                        entries.append((parts.group(1), [parts.group(2)] if parts.group(2) else []))
                    i += 1
                self.blocks.append((kind, [(term, " ".join(text)) for term, text in entries]))
                if kind == "options":
                    for term, text in self.blocks[-1][1]:
                        self.take(term, text)
            elif line.strip():
                text = []
                while i < len(lines) and re.match(r"\S", lines[i]) and not lines[i].startswith("Examples:"):
                    text.append(lines[i])
                    i += 1
                self.blocks.append(("text", text))
            else:
                i += 1

    def take(self, term, text):
        for part in term.split(", "):
            if re.fullmatch(r"-[a-z](?: \S+)?", part):
                continue
            parts = re.fullmatch(r"--([a-z0-9-]+)(?: (\S+))?", part)
            if parts is None:
                sys.exit("pages.py: %s: found '%s', expected --NAME or --NAME ARGUMENT" % (self.name, part))
            # As in Arguments.swift.
            short = {"out": "o", "lines": "n", "follow": "f"}.get(parts.group(1))
            if parts.group(1) not in ("help", "version"):
                self.options.append(Option(parts.group(1), short, parts.group(2), text))
        # `--header   ...; --no-header: ...`
        for parts in re.finditer(r"; --([a-z-]+): ([^;]*)", text):
            self.options.append(Option(parts.group(1), None, None, parts.group(2)))


def read(command):
    usage = told(command, "--help")
    version = told(command, "--version").split()[1]
    commands = []
    for name, summary in re.findall(r"^  ([a-z][a-z-]*) +(\S.*)$", usage.split("Examples:")[0], re.M):
        commands.append(Subcommand(name, summary, told(command, name, "--help")))
    if not commands:
        sys.exit("pages.py: found no command in what --help tells")
    return version, usage, commands


# --------------------------------------------------------------------------------------------------------------- man


def roff(text):
    """A line of prose, with options in bold and no character that roff takes for its own."""
    text = text.replace("\\", "\\e").replace("'", "\\(aq").replace("`", "\\(ga").replace("^", "\\(ha").replace("~", "\\(ti")
    text = re.sub(r"(?<![\w-])(--[a-z][a-z0-9-]*)", lambda m: "\\fB" + m.group(1).replace("-", "\\-") + "\\fR", text)
    text = breakable(text)
    return "\\&" + text if text.startswith((".", "\\(aq")) else text


def breakable(text):
    """Words that are longer than a line may break behind commas."""
    return re.sub(r"\S{40,}", lambda m: m.group().replace(",", ",\\:"), text)


def literal(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    text = text.replace("^", "\\(ha").replace("~", "\\(ti")
    return "\\&" + text if text.startswith((".", "\\(aq")) else text


def term_of(term):
    def one(part):
        name, _, argument = part.partition(" ")
        return "\\fB" + literal(name) + "\\fR" + (" \\fI" + literal(argument) + "\\fR" if argument else "")
    return ", ".join(one(part) for part in term.split(", "))


def head(title, version, name, summary):
    date = os.environ.get("PAGE_DATE", "")
    return ['.TH "%s" "1" "%s" "ticklog %s" "User Commands"' % (literal(title.upper()), date, version), ".nh", ".ad l", ".SH NAME",
            "%s \\- %s" % (literal(name), roff(summary))]


def synopsis(lines):
    out = [".SH SYNOPSIS"]
    for i, line in enumerate(lines):
        out += [".br"] if i else []
        words = line.split()
        bold = 2 if len(words) > 1 and re.match(r"[a-z]", words[1]) else 1
        out.append("\\fB" + literal(" ".join(words[:bold])) + "\\fR " + literal(" ".join(words[bold:])))
    return out


def sentences(lines):
    """roff wants a new line behind a sentence."""
    return [roff(part) for part in re.split(r"(?<=[.!?]) +(?=[A-Z-])", " ".join(lines))]


def man_of(command, version):
    out = head("ticklog-" + command.name, version, "ticklog-" + command.name, command.summary)
    out += synopsis(command.usage)
    section = None

    def enter(name):
        nonlocal section
        if section != name:
            out.append(".SH " + name)
            section = name
            return True
        return False

    for kind, content in command.blocks:
        if kind == "text":
            if section is None:
                enter("DESCRIPTION")
            else:
                out.append(".PP")
            out.extend(sentences(content))
        elif kind in ("options", "list"):
            if kind == "options" and section == "DESCRIPTION":
                enter("OPTIONS")
            for term, text in content:
                out += [".TP", term_of(term) if kind == "options" else "\\fB" + literal(term) + "\\fR"]
                out += sentences([text]) if text else ["\\&"] if term != "--help, --version" else ["Print this, or the version."]
        else:
            enter("EXAMPLES")
            out += [".nf"] + [literal(line) for line in content] + [".fi"]
    out += [".SH SEE ALSO", ".BR ticklog (1)"]
    return "\n".join(out) + "\n"


def man_of_all(version, usage, commands):
    lines = usage.split("\n")
    out = head("ticklog", version, "ticklog", "logs on microcontrollers and Linux, and reads what they logged")
    out += synopsis([lines[0][7:]]) + [".SH DESCRIPTION",
            "Data loggers write standard files: BCSV tables, DLF runs, streams of frames.",
            "This command makes, checks, repairs, converts, sends and receives them.",
            "Data goes to standard output, everything else to standard error; where a file is read, \\- is standard input.",
            "What a file is, its content says.", ".SH COMMANDS"]
    for command in commands:
        out += [".TP", ".BR %s (1)" % literal("ticklog-" + command.name), roff(command.summary)]
    out += [".SH OPTIONS", ".TP", "\\fB\\-\\-help\\fR, \\fB\\-\\-version\\fR",
            "Print the commands, or the version; behind a command, its options."]
    out += [".SH EXIT STATUS"]
    for code, text in (("0", "ok"), ("1", "the data is damaged or differs"), ("2", "wrong usage"), ("3", "I/O error")):
        out += [".TP", "\\fB%s\\fR" % code, text]
    examples = usage.split("Examples:")[1].strip("\n").split("\n")
    out += [".SH EXAMPLES", ".nf"] + [literal(line.strip()) for line in examples] + [".fi", ".SH SEE ALSO"]
    out += [".BR %s (1)%s" % (literal("ticklog-" + c.name), "," if c is not commands[-1] else "") for c in commands]
    return "\n".join(out) + "\n"


# -------------------------------------------------------------------------------------------------------- completion


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def bash(commands):
    out = ["# Completion of ticklog for bash, made by Packaging/pages.py.", "_ticklog()", "{",
           "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} options= words=",
           "    COMPREPLY=()",
           "    if [ \"$COMP_CWORD\" = 1 ]; then",
           "        mapfile -t COMPREPLY < <(compgen -W %s -- \"$word\")" % quoted(" ".join([c.name for c in commands] + ["--help", "--version"])),
           "        return", "    fi",
           "    # --name=value comes as three words.",
           "    if [ \"$word\" = = ]; then word=; elif [ \"$before\" = = ]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi",
           "    case $command in"]
    for c in commands:
        names = ["--" + option.name for option in c.options] + ["--help", "--version"]
        out.append("    %s) options=%s" % (c.name, quoted(" ".join(names))))
        if c.words:
            out.append("        [ \"$COMP_CWORD\" != 2 ] || words=%s" % quoted(" ".join(c.words)))
        cases = {}
        for option in c.options:
            if option.kind != "none":
                does = {"words": "words=%s options=-" % quoted(" ".join(option.words)), "directory": "options=/", "file": "options=.",
                        "text": "options=-"}[option.kind]
                cases.setdefault(does, []).extend(["--" + option.name] + (["-" + option.short] if option.short else []))
        if cases:
            out.append("        case $before in")
            out += ["        %s) %s ;;" % (" | ".join(names), does) for does, names in cases.items()]
            out.append("        esac")
        out.append("        ;;")
    out += ["    *) return ;;", "    esac",
            "    case $options in",
            "    -) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\") ;;",
            "    /) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- \"$word\") ;;",
            "    .) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$word\") ;;",
            "    *)",
            "        case $word in",
            "        -*) mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\") ;;",
            "        *)",
            "            if [ -n \"$words\" ]; then",
            "                mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")",
            "            else",
            "                compopt -o filenames 2>/dev/null",
            "                mapfile -t COMPREPLY < <(compgen -f -- \"$word\")",
            "            fi ;;",
            "        esac ;;",
            "    esac", "}", "complete -F _ticklog ticklog"]
    return "\n".join(out) + "\n"


def zsh(commands):
    def described(text):
        return re.sub(r"([\[\]:\\])", r"\\\1", text)
    out = ["#compdef ticklog", "# Completion of ticklog for zsh, made by Packaging/pages.py.", "local -a commands", "commands=("]
    out += ["    %s" % quoted("%s:%s" % (c.name, described(c.summary))) for c in commands]
    out += [")", "if (( CURRENT == 2 )); then",
            "    _describe -t commands 'command' commands",
            "    _arguments '--help[print the commands]' '--version[print the version]'",
            "    return", "fi", "shift words", "(( CURRENT-- ))", "case $words[1] in"]
    for c in commands:
        out.append("%s)" % c.name)
        out.append("    _arguments -s \\")
        for option in c.options:
            after = {"none": "", "words": ":%s:(%s)" % (described(option.argument or ""), " ".join(option.words)),
                     "directory": ":%s:_files -/" % described(option.argument or ""), "file": ":%s:_files" % described(option.argument or ""),
                     "text": ":%s: " % described(option.argument or "")}[option.kind]
            takes = "" if option.kind == "none" else "="
            out.append("        %s \\" % quoted("*--%s%s[%s]%s" % (option.name, takes, described(option.summary), after)))
            if option.short:
                out.append("        %s \\" % quoted("*-%s+[%s]%s" % (option.short, described(option.summary), after)))
        if c.words:
            out.append("        '1:what:(%s)' \\" % " ".join(c.words))
        out += ["        '--help[print the options]' '--version[print the version]' '*:file:_files'", "    ;;"]
    out += ["esac"]
    return "\n".join(out) + "\n"


def fish(commands):
    def q(text):
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    out = ["# Completion of ticklog for fish, made by Packaging/pages.py.",
           "complete -c ticklog -n __fish_use_subcommand -f -l help -d 'print the commands'",
           "complete -c ticklog -n __fish_use_subcommand -f -l version -d 'print the version'"]
    out += ["complete -c ticklog -n __fish_use_subcommand -f -a %s -d %s" % (c.name, q(c.summary)) for c in commands]
    for c in commands:
        seen = "complete -c ticklog -n %s" % q("__fish_seen_subcommand_from " + c.name)
        for option in c.options:
            after = {"none": "", "words": " -x -a %s" % q(" ".join(option.words)), "file": " -r",
                     "directory": " -x -a '(__fish_complete_directories)'", "text": " -x"}[option.kind]
            short = " -s " + option.short if option.short else ""
            out.append("%s%s -l %s%s -d %s" % (seen, short, option.name, after, q(option.summary)))
        if c.words:
            out.append("%s -a %s" % (seen, q(" ".join(c.words))))
        out.append("%s -l help -d 'print the options'" % seen)
    return "\n".join(out) + "\n"


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    out, command = sys.argv[1], sys.argv[2:]
    version, usage, commands = read(command)
    if out == "--table":
        for c in commands:
            for option in c.options:
                print("\t".join([c.name, option.name, option.argument or "", " ".join(option.words)]))
        return
    write(os.path.join(out, "man", "man1", "ticklog.1"), man_of_all(version, usage, commands))
    for c in commands:
        write(os.path.join(out, "man", "man1", "ticklog-%s.1" % c.name), man_of(c, version))
    write(os.path.join(out, "bash-completion", "completions", "ticklog"), bash(commands))
    write(os.path.join(out, "zsh", "site-functions", "_ticklog"), zsh(commands))
    write(os.path.join(out, "fish", "vendor_completions.d", "ticklog.fish"), fish(commands))


if __name__ == "__main__":
    main()
