"""Raw LZ4 blocks, written from the format's description: a decoder, and an encoder that finds no matches."""


def _count(block, i, count):
    """A length nibble and the bytes that go on with it: (length, offset behind it)."""
    if count == 15:
        while True:
            b = block[i]
            i += 1
            count += b
            if b != 255:
                break
    return count, i


def decode(block, history=b"", most=None):
    """Decodes a block whose matches may reach into `history`. ValueError if it breaks the format or holds more than
    `most` bytes."""
    out = bytearray(history)
    start, i, n = len(out), 0, len(block)
    most = None if most is None else start + most
    try:
        while True:
            token = block[i]
            count, i = _count(block, i + 1, token >> 4)
            if i + count > n:
                raise ValueError("literals behind the end of the LZ4 block")
            out += block[i:i + count]
            i += count
            if most is not None and len(out) > most:
                raise ValueError("LZ4 block is too long")
            if i == n:
                return bytes(out[start:])
            if i + 2 > n:
                raise ValueError("cut LZ4 offset")
            distance = block[i] | block[i + 1] << 8
            if distance == 0 or distance > len(out):
                raise ValueError("LZ4 offset %d of %d bytes" % (distance, len(out)))
            count, i = _count(block, i + 2, token & 15)
            count += 4
            if most is not None and len(out) + count > most:
                raise ValueError("LZ4 block is too long")
            at = len(out) - distance
            if distance >= count:
                out += out[at:at + count]
            else:
                out += (out[at:] * (count // distance + 1))[:count]
    except IndexError:
        raise ValueError("cut LZ4 block") from None


def literals(data):
    """A block that holds `data` as literals."""
    n = len(data)
    if n < 15:
        return bytes([n << 4]) + data
    n -= 15
    return b"\xf0" + b"\xff" * (n // 255) + bytes([n % 255]) + data
