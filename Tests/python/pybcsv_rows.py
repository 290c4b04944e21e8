"""Reads BCSV files with pybcsv's row Reader and writes what it found to a pickle: run in a process of its own, with a
time limit, because some of pybcsv's calls do not return on files without a footer.

    pybcsv_rows.py OUT FILE...
"""
import pickle
import sys

import pybcsv


def rows(path):
    reader = pybcsv.Reader()
    if not reader.open(path):
        raise OSError("pybcsv does not open " + path)
    layout = reader.layout()
    names = layout.get_column_names()
    types = [t.value for t in layout.get_column_types()]
    result = []
    while (row := reader.read_row()) is not None:
        result.append(list(row))
    reader.close()
    return names, types, result


if __name__ == "__main__":
    found = {path: rows(path) for path in sys.argv[2:]}
    with open(sys.argv[1], "wb") as f:
        pickle.dump(found, f)
