// SPDX-License-Identifier: MIT
using System;
using System.Runtime.InteropServices;

// The structures of ticklog.h, with its names: Tests/csharp.sh compares each size and offset with the header's.
#pragma warning disable 649 // filled by native code
#pragma warning disable 169 // reserved

namespace TickLog.Native
{
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct ticklog_config
    {
        public uint size;
        public ushort max_streams, max_runs;
        public byte* root;
        public IntPtr storage;
        public IntPtr random;
        public IntPtr random_context;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct ticklog_field
    {
        public byte* name;
        public byte* unit;
        public ushort type, count;
        public uint offset, size;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct ticklog_stream_config
    {
        public uint size;
        public ushort kind, type;
        public byte* name;
        public byte* unit;
        public byte* notes;
        public byte* type_name;
        public void* source;
        public uint source_size, field_count;
        public ticklog_field* fields;
        public ulong interval_ns, phase_ns;
        public uint queue_bytes, reserved;
        public IntPtr try_lock, unlock;
        public void* lock_context;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct ticklog_run_config
    {
        public uint size;
        public byte format, row_codec, file_codec, event_codec;
        public ulong tick_ns;
        public long epoch_ns;
        public byte* name;
        public byte short_names, no_tick_column, allow_wide, level, bcsv_version;
        public fixed byte reserved[3];
        public uint ring_bytes, note_bytes, buffer_bytes, window_bytes, packet_bytes, index_entries, flush_ms;
        public ulong roll_bytes, max_bytes;
        public void* metadata;
        public uint metadata_size, metadata_field_count;
        public ticklog_field* metadata_fields;
        public byte* metadata_type_name;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct ticklog_run_statistics
    {
        public uint size;
        public int last_error;
        public ulong ticks, offered, written, lost, pending;
        public fixed ulong lost_by_reason[8];
        public ulong rows, bytes, packets, syncs, storage_errors, longest_gap;
        public uint ring_bytes, ring_high_water;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct ticklog_stream_statistics
    {
        public uint size, index;
        public ulong offered, written, lost, pending;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct ticklog_text
    {
        public byte* bytes;
        public UIntPtr count;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct ticklog_table_config
    {
        public uint size, row_bytes;
        public ticklog_field* fields;
        public uint field_count;
        public byte row_codec, file_codec, level, bcsv_version;
        public uint packet_bytes, index_entries, text_bytes, buffer_bytes, window_bytes;
        public ulong creation_time;
        public IntPtr storage;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct ticklog_arrow_config
    {
        public uint size, flags;
        public byte* stream;
        public byte** columns;
        public uint column_count, batch_rows;
        public ulong first_row, row_count, from_tick, to_tick;
        public byte* message;
        public UIntPtr message_bytes;
        public uint threads, reserved;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct ticklog_arrow_write_config
    {
        public uint size, flags;
        public byte* format;
        public byte* row_codec;
        public byte* file_codec;
        public uint level, packet_bytes;
        public byte* message;
        public UIntPtr message_bytes;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct ArrowSchema
    {
        public byte* format;
        public byte* name;
        public byte* metadata;
        public long flags, n_children;
        public ArrowSchema** children;
        public ArrowSchema* dictionary;
        public IntPtr release;
        public IntPtr private_data;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct ArrowArray
    {
        public long length, null_count, offset, n_buffers, n_children;
        public void** buffers;
        public ArrowArray** children;
        public ArrowArray* dictionary;
        public IntPtr release;
        public IntPtr private_data;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct ArrowArrayStream
    {
        public IntPtr get_schema, get_next, get_last_error, release;
        public IntPtr private_data;
    }

    // The callbacks of the Arrow structures, and a stream's guard.
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal unsafe delegate int GetSchema(ArrowArrayStream* stream, ArrowSchema* schema);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal unsafe delegate int GetNext(ArrowArrayStream* stream, ArrowArray* array);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal unsafe delegate IntPtr GetLastError(ArrowArrayStream* stream);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal unsafe delegate void Release(void* structure);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal unsafe delegate int TryLock(void* context);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal unsafe delegate void Unlock(void* context);
}
