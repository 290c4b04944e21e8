#!/usr/bin/env python3
"""Writes the .meta file that Unity wants beside each file and folder of the package. A GUID is the MD5 of the package's name
and the path, so that it stays the same for ever.

    meta.py            writes them, and removes those of files that are gone
    meta.py --check    says what would change; exit 1 if anything would
"""
import hashlib
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
NAME = json.load(open(os.path.join(HERE, "package.json")))["name"]
# Libraries are copied, not committed, but Unity must know for which machine each is.
PLUGINS = {"Runtime/Plugins/x86_64/libticklog.so": "x86_64", "Runtime/Plugins/aarch64/libticklog.so": "ARM64"}
SKIPPED = {"bin", "obj"}

HEAD = "fileFormatVersion: 2\nguid: {guid}\n"
USER = "  externalObjects: {{}}\n  userData: \n  assetBundleName: \n  assetBundleVariant: \n".format()
FOLDER = "folderAsset: yes\nDefaultImporter:\n" + USER
SCRIPT = ("MonoImporter:\n  externalObjects: {}\n  serializedVersion: 2\n  defaultReferences: []\n  executionOrder: 0\n"
          "  icon: {instanceID: 0}\n  userData: \n  assetBundleName: \n  assetBundleVariant: \n")
PLUGIN = """PluginImporter:
  externalObjects: {{}}
  serializedVersion: 2
  iconMap: {{}}
  executionOrder: {{}}
  defineConstraints: []
  isPreloaded: 0
  isOverridable: 0
  isExplicitlyReferenced: 0
  validateReferences: 1
  platformData:
  - first:
      Any: 
    second:
      enabled: 0
      settings: {{}}
  - first:
      Editor: Editor
    second:
      enabled: {editor}
      settings:
        CPU: {cpu}
        DefaultValueInitialized: true
        OS: Linux
  - first:
      Standalone: Linux64
    second:
      enabled: 1
      settings:
        CPU: {cpu}
  userData: 
  assetBundleName: 
  assetBundleVariant: 
"""


def text(path, is_folder):
    head = HEAD.format(guid=hashlib.md5(f"{NAME}/{path}".encode()).hexdigest())
    if is_folder:
        return head + FOLDER
    if path in PLUGINS:
        return head + PLUGIN.format(cpu=PLUGINS[path], editor=int(PLUGINS[path] == "x86_64"))
    kind = {".cs": None, ".asmdef": "AssemblyDefinitionImporter", ".json": "PackageManifestImporter", ".md": "TextScriptImporter"}
    importer = kind.get(os.path.splitext(path)[1], "DefaultImporter")
    return head + (SCRIPT if importer is None else f"{importer}:\n{USER}")


def wanted():
    found = {}
    for folder, folders, files in os.walk(HERE):
        folders[:] = sorted(f for f in folders if not f.endswith("~") and not f.startswith(".") and f not in SKIPPED)
        for name in folders + sorted(files):
            path = os.path.relpath(os.path.join(folder, name), HERE)
            if not name.endswith((".meta", "~", ".so")) and not name.startswith("."):
                found[path + ".meta"] = text(path, name in folders)
    for path in PLUGINS:
        found[os.path.dirname(path) + ".meta"] = text(os.path.dirname(path), True)
        found[path + ".meta"] = text(path, False)
    return found


def main():
    check = sys.argv[1:] == ["--check"]
    metas, changed = wanted(), []
    for folder, folders, files in os.walk(HERE):
        folders[:] = [f for f in folders if f not in SKIPPED]
        for name in files:
            path = os.path.relpath(os.path.join(folder, name), HERE)
            if name.endswith(".meta") and path not in metas:
                changed.append(path)
                check or os.remove(os.path.join(HERE, path))
    for path, content in sorted(metas.items()):
        full = os.path.join(HERE, path)
        if not os.path.exists(full) or open(full).read() != content:
            changed.append(path)
            if not check:
                os.makedirs(os.path.dirname(full), exist_ok=True)
                open(full, "w").write(content)
    guids = {content.split("guid: ")[1].split("\n")[0] for content in metas.values()}
    assert len(guids) == len(metas), "two files have one GUID"
    if check and changed:
        print("meta.py would change:", *changed, sep="\n  ")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
