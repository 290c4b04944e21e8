#!/usr/bin/env python3
"""Reads a recipe as BitBake would, as far as the recipes of Yocto/meta-ticklog go.

    recipe.py body RECIPE TASK NAME=VALUE...      the task's shell code, with all variables in their places
    recipe.py value RECIPE VARIABLE NAME=VALUE... a variable
    recipe.py split RECIPE FOLDER NAME=VALUE...   which package each file below FOLDER goes to: a line each; fails if it is none

NAME=VALUE are BitBake's own variables, and those of the recipe that are made of Python code."""
import fnmatch
import os
import re
import sys

# Of bitbake.conf, bash-completion.bbclass and systemd.bbclass.
DEFAULTS = {
    "PACKAGES": "${PN}-src ${PN}-dbg ${PN}-staticdev ${PN}-dev ${PN}-doc ${PN}-locale ${PN}",
    "SOLIBS": ".so.*",
    "SOLIBSDEV": ".so",
    "COMMON_LICENSE_DIR": "common-licenses",
    "datadir": "${prefix}/share",
    "FILES:${PN}": "${bindir}/* ${sbindir}/* ${libexecdir}/* ${libdir}/lib*${SOLIBS} ${sysconfdir} ${localstatedir} "
                   "${datadir}/${BPN} ${libdir}/${BPN}/*",
    "FILES:${PN}-doc": "${datadir}/doc ${datadir}/man ${datadir}/info",
    "FILES:${PN}-dev": "${includedir} ${libdir}/lib*${SOLIBSDEV} ${libdir}/*.la ${libdir}/*.o ${libdir}/pkgconfig "
                       "${datadir}/pkgconfig ${datadir}/aclocal ${libdir}/cmake ${datadir}/cmake",
    "FILES:${PN}-staticdev": "${libdir}/*.a ${libdir}/${BPN}/*.a",
    "FILES:${PN}-bash-completion": "${datadir}/bash-completion ${sysconfdir}/bash_completion.d",
    "sbindir": "${prefix}/sbin", "libexecdir": "${prefix}/libexec", "includedir": "${prefix}/include", "localstatedir": "/var",
}


class Recipe:
    def __init__(self, path, given):
        name, self.version = os.path.basename(path)[:-len(".bb")].split("_")
        self.values = {**DEFAULTS, "PN": name, "BPN": name, "PV": self.version, "BP": f"{name}-{self.version}"}
        self.tasks = {}
        with open(path) as file:
            text = file.read()
        text = re.sub(r"\\\n", "", text[:text.find("\ndo_")] if "\ndo_" in text else text) + \
            (text[text.find("\ndo_"):] if "\ndo_" in text else "")
        for match in re.finditer(r'^(\w+)\(\) \{\n(.*?)^\}|^([\w:${}.\[\]-]+?)\s*(\?\?=|\?=|:=|\+=|=\+|=)\s*"([^"]*)"|^inherit ([^\n]*)$',
                                 text, re.MULTILINE | re.DOTALL):
            task, body, name, how, value, classes = match.groups()
            if task:
                self.tasks[task] = body
            elif classes:
                if "bash-completion" in classes:
                    self.values["PACKAGES"] += " ${PN}-bash-completion"
            elif how == "+=":
                self.values[name] = self.values.get(name, "") + " " + value
            elif how == "=+":
                self.values[name] = value + " " + self.values.get(name, "")
            elif how in ("=", ":=") or name not in self.values:
                self.values[name] = value
        self.values.update(given)
        self.values = {self.expand(name) if "${@" not in name else name: value for name, value in self.values.items()}

    def expand(self, text):
        for _ in range(20):
            name = re.search(r"\$\{(@?[\w-]+)", text)
            if not name:
                return text
            if name[1] not in self.values:
                sys.exit(f"{name[0]}}}: found a variable that nobody gave a value")
            text = text.replace("${" + name[1] + "}", self.values[name[1]])
        sys.exit(f"{text}: expands without an end")

    def split(self, folder):
        packages = self.expand(self.values["PACKAGES"]).split()
        globs = {package: self.expand(self.values.get("FILES:" + package, "")).split() for package in packages}
        for unit in self.values.get("SYSTEMD_SERVICE:" + self.values["PN"], "").split():
            globs[self.values["PN"]].append(self.expand("${systemd_system_unitdir}/") + unit)
        found, lost = [], []
        for root, folders, files in os.walk(folder):
            for file in files + [name for name in folders if os.path.islink(os.path.join(root, name))]:
                path = os.path.join(root, file)[len(folder):]
                for package in packages:
                    if any(fnmatch.fnmatch(path, glob) and path.count("/") == glob.count("/") or path.startswith(glob + "/")
                           for glob in globs[package]):
                        found.append((package, path))
                        break
                else:
                    lost.append(path)
        if lost:
            sys.exit(f"installed, but in no package: {lost}")
        return sorted(found)


def main():
    what, path, name, *given = sys.argv[1:]
    recipe = Recipe(path, dict(pair.split("=", 1) for pair in given))
    if what == "body":
        print(recipe.expand(recipe.tasks[name]))
    elif what == "value":
        print(recipe.expand(recipe.values[name]))
    else:
        for package, file in recipe.split(name.rstrip("/")):
            print(package, file)


main()
