"""Writes small BCSV files from the format's description: every row and file codec, both headers, and what no sound
program writes. LZ4 blocks hold literals only.

    w = Writer(names, types, "zoh", "packet-lz4", version=(1, 5, 0))
    w.row(cells); w.flush(); data = w.close()
"""
import struct

import xxhash

import bcsv
import lz4block
from bcsv_rows import RowEncoder


def length(v, least=1):
    """A row length in the fewest bytes, but at least `least`: longer ones are legal."""
    n = max(least, (v.bit_length() + 3 + 7) // 8)
    return (v << 3 | n - 1).to_bytes(n, "little")


def file_header(names, types, row_codec, file_codec, version=(1, 5, 0), level=None, limit=65536, created=0, more_flags=0):
    """The header and schema; names are bytes."""
    flags = more_flags | {"flat": 0, "zoh": bcsv.ZOH, "delta": bcsv.DELTA}[row_codec]
    if file_codec.startswith("stream"):
        flags |= bcsv.STREAM
    if file_codec == "batch":
        flags |= bcsv.BATCH
    if level is None:
        level = 1 if file_codec in ("packet-lz4", "batch", "stream-lz4") else 0
    if version[:2] == (1, 3):
        head = b"BCSV" + struct.pack("<BBBBHHI", *version, level, flags, len(types), limit)
    else:
        head = b"BCSV" + struct.pack("<QBBBBHHI", created, *version, level, flags, len(types), limit)
    return head + bytes(types) + b"".join(struct.pack("<H", len(n)) for n in names) + b"".join(names)


class Writer:
    """`ble` is the least bytes of a row length. `gap` adds to the first row of packets from then on: rows that are
    missing. Otherwise as file_header and RowEncoder have it."""

    def __init__(self, names, types, row_codec, file_codec, ble=1, use_gradient=True, repeats=True, **header):
        self.data = bytearray(file_header(names, types, row_codec, file_codec, **header))
        self.limit = header.get("limit", 65536)
        self.file_codec, self.ble = file_codec, ble
        self.encoder = RowEncoder(types, row_codec, use_gradient, repeats)
        self.entries, self.body, self.rows, self.gap, self.first = [], None, 0, 0, 0
        self.start = len(self.data)

    def row(self, cells):
        if self.file_codec.startswith("stream"):
            row = self.encoder.encode(cells)
            if row and self.file_codec == "stream-lz4":
                row = lz4block.literals(row)
            self.data += length(len(row), self.ble) + row
            if row:
                self.data += struct.pack("<I", xxhash.xxh32_intdigest(row))
        else:
            if self.body is not None and len(self.body) >= self.limit:
                self.flush()
            if self.body is None:
                self.open()
            row = self.encoder.encode(cells)
            if row and self.file_codec == "packet-lz4":
                row = lz4block.literals(row)
            self.body += length(len(row), self.ble) + row
        self.rows += 1

    def open(self):
        """Begins a packet; one that is flushed at once is empty."""
        self.encoder.reset()
        self.body, self.first = bytearray(), self.rows + self.gap

    def flush(self):
        """Ends the packet, if there is one."""
        if self.body is None:
            return
        self.entries.append((len(self.data), self.first))
        head = bcsv.PACKET_MAGIC + struct.pack("<Q", self.first)
        payload = bytes(self.body) + bcsv.END
        self.data += head + struct.pack("<I", xxhash.xxh32_intdigest(head))
        if self.file_codec == "batch":
            block = lz4block.literals(payload)
            self.data += struct.pack("<II", len(payload), len(block)) + block
        else:
            self.data += payload
        self.data += struct.pack("<Q", xxhash.xxh64_intdigest(payload))
        self.body = None

    def close(self, footer=True, stride=1):
        """The whole file. stride 0: an index without entries."""
        self.flush()
        if footer and not self.file_codec.startswith("stream"):
            entries = self.entries[::stride] if stride else []
            self.data += bcsv.footer_bytes(entries, self.rows + self.gap)
        return bytes(self.data)
