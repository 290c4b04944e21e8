"""A reader of MCAP of the tests' own, which checks all that one record says of another."""
import struct
import zlib

import lz4.frame

MAGIC = b"\x89MCAP0\r\n"


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        assert 0 <= count <= len(self.data) - self.at, f"{count} bytes at {self.at} of {len(self.data)}"
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "little")

    def text(self):
        return self.take(self.number(4)).decode()

    def entries(self, key, value):
        inner, found = Reader(self.take(self.number(4))), {}
        while inner.at < len(inner.data):
            k = key(inner)
            assert k not in found, f"{k} twice"
            found[k] = value(inner)
        return found

    def texts(self):
        return self.entries(Reader.text, Reader.text)

    def done(self):
        assert self.at == len(self.data), f"{len(self.data) - self.at} bytes too many"


def u2(r):
    return r.number(2)


def u8(r):
    return r.number(8)


def records(data, start, end):
    """(offset, opcode, content) one after the other."""
    while start < end:
        assert end - start >= 9, f"offset {start}"
        opcode, length = data[start], int.from_bytes(data[start + 1:start + 9], "little")
        assert start + 9 + length <= end, f"offset {start}: {length} bytes"
        yield start, opcode, Reader(data[start + 9:start + 9 + length])
        start += 9 + length


class File:
    pass


def walk(data):
    assert data[:8] == MAGIC and data[-8:] == MAGIC
    footer = len(data) - 8 - 29
    assert data[footer] == 2 and int.from_bytes(data[footer + 1:footer + 9], "little") == 20
    summary, offsets, crc = struct.unpack("<QQI", data[footer + 9:-8])
    assert crc == zlib.crc32(data[summary:footer + 25]), "summary CRC"
    file = File()
    file.schemas, file.channels, file.messages, file.metadata, file.chunks = {}, {}, [], {}, []
    schema_bytes, channel_bytes, metadata_places = [], [], []
    indexes, chunk, has_ended = None, None, False

    def check_chunk():
        if chunk is not None:
            assert indexes == chunk["expected"], "message indexes"

    for at, opcode, r in records(data, 8, summary):
        raw = data[at:at + 9 + len(r.data)]
        assert not has_ended
        if at == 8:
            assert opcode == 1
            file.profile, file.library = r.text(), r.text()
        elif opcode == 3:
            number = r.number(2)
            assert number > 0 and number not in file.schemas
            file.schemas[number] = (r.text(), r.text(), r.text())
            schema_bytes.append(raw)
        elif opcode == 4:
            number, schema = r.number(2), r.number(2)
            assert number not in file.channels and schema in file.schemas
            file.channels[number] = (schema, r.text(), r.text(), r.texts())
            channel_bytes.append(raw)
        elif opcode == 12:
            name = r.text()
            file.metadata[name] = r.texts()
            metadata_places.append((at, len(raw), name))
        elif opcode == 6:
            check_chunk()
            start, end, size, crc = r.number(8), r.number(8), r.number(8), r.number(4)
            compression = r.text()
            stored = r.take(r.number(8))
            content = stored
            if compression == "lz4":
                info = lz4.frame.get_frame_info(stored)
                assert info["content_size"] == size and not info["block_linked"]
                content, read = lz4.frame.decompress(stored, return_bytes_read=True)
                assert read == len(stored)
            else:
                assert compression == ""
            assert len(content) == size and zlib.crc32(content) == crc, "chunk CRC"
            expected, times = {}, []
            for place, inner, m in records(content, 0, len(content)):
                assert inner == 5
                channel, sequence, log, publish = struct.unpack("<HIQQ", m.take(22))
                assert channel in file.channels and log == publish
                file.messages.append((channel, sequence, log, m.data[22:]))
                expected.setdefault(channel, []).append((log, place))
                times.append(log)
                m.at = len(m.data)
            assert (min(times), max(times)) == (start, end)
            chunk = {"at": at, "length": len(raw), "start": start, "end": end, "compression": compression, "stored": len(stored),
                     "size": size, "expected": expected, "places": {}, "behind": at + len(raw)}
            indexes = {}
            file.chunks.append(chunk)
        elif opcode == 7:
            number = r.number(2)
            assert number not in indexes
            entries = Reader(r.take(r.number(4)))
            indexes[number] = [(entries.number(8), entries.number(8)) for _ in range(len(entries.data) // 16)]
            entries.done()
            chunk["places"][number] = at
            chunk["behind"] = at + len(raw)
        elif opcode == 15:
            assert r.number(4) == zlib.crc32(data[:at]), "data CRC"
            has_ended = True
        else:
            raise AssertionError(f"opcode {opcode}")
        r.done()
    check_chunk()
    assert has_ended

    groups, order = [], []
    for at, opcode, r in records(data, offsets, footer):
        assert opcode == 14
        groups.append((r.number(1), r.number(8), r.number(8)))
        r.done()
    found, chunk_indexes, metadata_indexes, statistics = [], [], [], 0
    for at, opcode, r in records(data, summary, offsets):
        raw = data[at:at + 9 + len(r.data)]
        if found and found[-1][0] == opcode:
            found[-1] = (opcode, found[-1][1], found[-1][2] + len(raw))
        else:
            found.append((opcode, at, len(raw)))
        if opcode in (3, 4):
            order.append(raw)
            continue
        if opcode == 8:
            chunk_indexes.append((r.number(8), r.number(8), r.number(8), r.number(8), r.entries(u2, u8), r.number(8), r.text(),
                                  r.number(8), r.number(8)))
        elif opcode == 11:
            statistics += 1
            file.statistics = [r.number(s) for s in (8, 2, 4, 4, 4, 4, 8, 8)]
            file.counts = r.entries(u2, u8)
        elif opcode == 13:
            metadata_indexes.append((r.number(8), r.number(8), r.text()))
        else:
            raise AssertionError(f"opcode {opcode} in the summary")
        r.done()
    assert found == groups and len({g[0] for g in groups}) == len(groups), "summary offsets"
    assert order == schema_bytes + channel_bytes
    assert metadata_indexes == metadata_places
    assert chunk_indexes == [
        (c["start"], c["end"], c["at"], c["length"], c["places"], c["behind"] - c["at"] - c["length"], c["compression"], c["stored"],
         c["size"]) for c in file.chunks], "chunk indexes"
    times = [m[2] for m in file.messages]
    assert statistics == 1 and file.statistics == [
        len(times), len(file.schemas), len(file.channels), 0, len(file.metadata), len(file.chunks), min(times, default=0),
        max(times, default=0)], file.statistics
    counts = dict.fromkeys(file.channels, 0)
    for channel, sequence, _, _ in file.messages:
        assert sequence == counts[channel], "sequence"
        counts[channel] += 1
    assert counts == file.counts
    return file
