"""The Arrow functions of libticklog.so, through ctypes and pyarrow's import of the C interfaces."""
import ctypes
import os

import pyarrow as pa

SALVAGE, EVENTS, NO_DICTIONARY, BINARY, REPLACE = 1, 2, 4, 8, 1


class Schema(ctypes.Structure):
    pass


class Array(ctypes.Structure):
    pass


class Stream(ctypes.Structure):
    pass


Schema._fields_ = [
    ("format", ctypes.c_char_p), ("name", ctypes.c_char_p), ("metadata", ctypes.c_void_p), ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64), ("children", ctypes.POINTER(ctypes.POINTER(Schema))), ("dictionary", ctypes.POINTER(Schema)),
    ("release", ctypes.c_void_p), ("private_data", ctypes.c_void_p)]
Array._fields_ = [
    ("length", ctypes.c_int64), ("null_count", ctypes.c_int64), ("offset", ctypes.c_int64), ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64), ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(Array))), ("dictionary", ctypes.POINTER(Array)), ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p)]
Stream._fields_ = [
    ("get_schema", ctypes.c_void_p), ("get_next", ctypes.c_void_p), ("get_last_error", ctypes.c_void_p),
    ("release", ctypes.c_void_p), ("private_data", ctypes.c_void_p)]


class OpenConfig(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("stream", ctypes.c_char_p),
        ("columns", ctypes.POINTER(ctypes.c_char_p)), ("column_count", ctypes.c_uint32), ("batch_rows", ctypes.c_uint32),
        ("first_row", ctypes.c_uint64), ("row_count", ctypes.c_uint64), ("from_tick", ctypes.c_uint64),
        ("to_tick", ctypes.c_uint64), ("message", ctypes.c_char_p), ("message_bytes", ctypes.c_size_t)]


class WriteConfig(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("format", ctypes.c_char_p), ("row_codec", ctypes.c_char_p),
        ("file_codec", ctypes.c_char_p), ("level", ctypes.c_uint32), ("packet_bytes", ctypes.c_uint32),
        ("message", ctypes.c_char_p), ("message_bytes", ctypes.c_size_t)]


LIBRARY = ctypes.CDLL(os.environ["TICKLOG_SO"])
LIBRARY.ticklog_arrow_open.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.POINTER(Stream)]
LIBRARY.ticklog_arrow_write.argtypes = [ctypes.POINTER(Stream), ctypes.c_char_p, ctypes.c_void_p]


class Error(Exception):
    def __init__(self, status, text):
        super().__init__(f"{status}: {text}")
        self.status, self.text = status, text


def open_stream(path, flags=0, stream=None, columns=None, **more):
    """The raw structure; who gets it releases it."""
    made = Stream()
    config = OpenConfig(size=ctypes.sizeof(OpenConfig), flags=flags, stream=stream.encode() if stream else None, **more)
    if columns is not None:
        names = (ctypes.c_char_p * len(columns))(*[c.encode() for c in columns])
        config.columns, config.column_count = names, len(columns)
    room = ctypes.create_string_buffer(4096)
    config.message, config.message_bytes = ctypes.addressof(room), 4096
    status = LIBRARY.ticklog_arrow_open(os.fsencode(path), ctypes.byref(config), ctypes.byref(made))
    if status:
        assert not made.release, "a refused stream must be nothing"
        raise Error(status, room.value.decode())
    return made


def reader(path, flags=0, **more):
    made = open_stream(path, flags, **more)
    return pa.RecordBatchReader._import_from_c(ctypes.addressof(made))


def batches(path, flags=0, **more):
    """All batches up to the end or the error, and the error's text or None."""
    source, found = reader(path, flags, **more), []
    while True:
        try:
            found.append(source.read_next_batch())
            found[-1].validate(full=True)
        except StopIteration:
            return source.schema, found, None
        except (OSError, pa.ArrowException) as error:
            return source.schema, found, str(error)


def write(data, path, flags=0, format=None, row_codec=None, file_codec=None, level=0, packet_bytes=0):
    """`data`: what pyarrow makes a RecordBatchReader of, or a raw Stream."""
    made = data
    if not isinstance(data, Stream):
        if isinstance(data, pa.Table):
            data = data.to_reader()
        made = Stream()
        data._export_to_c(ctypes.addressof(made))
    config = WriteConfig(size=ctypes.sizeof(WriteConfig), flags=flags, level=level, packet_bytes=packet_bytes)
    for name, value in [("format", format), ("row_codec", row_codec), ("file_codec", file_codec)]:
        if value is not None:
            setattr(config, name, value.encode())
    room = ctypes.create_string_buffer(4096)
    config.message, config.message_bytes = ctypes.addressof(room), 4096
    status = LIBRARY.ticklog_arrow_write(ctypes.byref(made), os.fsencode(path), ctypes.byref(config))
    assert not made.release, "the stream is released whatever comes"
    if status:
        raise Error(status, room.value.decode())
