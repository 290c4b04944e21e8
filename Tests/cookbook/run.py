"""Runs docs/COOKBOOK.md: its blocks of sh and python, in order and in the current folder. What they print must be what the
next block of text says.

    run.py PAGE PYTHON     PYTHON: has ticklog, pandas, polars, pyarrow, duckdb
"""
import os
import re
import signal
import subprocess
import sys


def run(command):
    """Ends with all that it has started."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        out, err = process.communicate(timeout=120)
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def main() -> int:
    page, python = sys.argv[1:]
    text = open(page).read()
    recipe, printed, failed, ran = "", "", 0, 0
    for match in re.finditer(r"^## ([^\n]*)$|^```(\w+)\n(.*?)^```$", text, re.M | re.S):
        title, kind, body = match.groups()
        if title:
            if printed:
                failed += 1
                print(f"FAILED  {recipe}: prints what the page does not tell:\n{printed}")
            recipe, printed = title, ""
        elif kind in ("sh", "python"):
            command = ["bash", "-euo", "pipefail", "-c", body] if kind == "sh" else [python, "-c", body]
            ran += 1
            try:
                done = run(command)
            except subprocess.TimeoutExpired:
                failed += 1
                print(f"FAILED  {recipe}: does not end")
                continue
            printed += done.stdout
            if done.returncode != 0:
                failed += 1
                print(f"FAILED  {recipe}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
                printed = ""
        elif kind == "text":
            if printed != body:
                failed += 1
                print(f"FAILED  {recipe}: expected\n{body}found\n{printed}")
            printed = ""
    recipes = len(re.findall(r"^## [1-9]", text, re.M))
    print(f"{recipes} recipes, {ran} blocks, {failed} failed")
    return failed != 0 or recipes < 12 or ran < recipes


sys.exit(main())
