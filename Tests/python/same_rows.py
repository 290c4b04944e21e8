"""Two run directories hold the same files with the same rows, whatever their compression. Exit code 1 if not."""
import os
import sys

import bcsv


def main(a, b):
    if sorted(os.listdir(a)) != sorted(os.listdir(b)):
        return 1
    for name in os.listdir(a):
        with open(os.path.join(a, name), "rb") as f, open(os.path.join(b, name), "rb") as g:
            one, other = f.read(), g.read()
        if one == other:
            continue
        f, g = bcsv.parse(one), bcsv.parse(other)
        if f.header_bytes != g.header_bytes or f.rows != g.rows:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
