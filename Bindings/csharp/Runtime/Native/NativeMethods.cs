// SPDX-License-Identifier: MIT
using System;
using System.Runtime.InteropServices;
using System.Security;

namespace TickLog.Native
{
    /// <summary>The functions of ticklog.h, whose comments define them. Texts are UTF-8 with a NUL; a size_t is a UIntPtr.</summary>
    [SuppressUnmanagedCodeSecurity]
    internal static unsafe class NativeMethods
    {
        private const string Name = "ticklog";

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr ticklog_version();

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern uint ticklog_abi();

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr ticklog_status_text(int status);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr ticklog_posix_storage();

        // Logger

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern UIntPtr ticklog_logger_size(ticklog_config* config);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_logger_init(void* memory, UIntPtr bytes, ticklog_config* config, IntPtr* logger);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_add(LoggerHandle logger, ticklog_stream_config* config, IntPtr* stream);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern UIntPtr ticklog_run_size(LoggerHandle logger, ticklog_run_config* config);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_start(
            LoggerHandle logger, ticklog_run_config* config, void* memory, UIntPtr bytes, IntPtr* run);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_tick(RunHandle run, uint elapsed);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_emit(IntPtr stream, void* bytes, UIntPtr count);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_note(RunHandle run, byte level, byte* text);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_set_time(RunHandle run, ulong tick, long epoch_ns, uint uncertainty_ns, byte source);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_service(RunHandle run);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_flush(RunHandle run);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_stop(IntPtr run);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_statistics(RunHandle run, ticklog_run_statistics* statistics);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_statistics_of(RunHandle run, IntPtr stream, ticklog_stream_statistics* statistics);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr ticklog_run_name(RunHandle run);

        // Tables

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern UIntPtr ticklog_table_size(ticklog_table_config* config);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_table_create(
            ticklog_table_config* config, byte* path, void* memory, UIntPtr bytes, IntPtr* table);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_write_rows(TableHandle table, void* rows, UIntPtr count, UIntPtr* written);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_table_flush(TableHandle table);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_table_close(IntPtr table);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_table_abandon(IntPtr table);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern ulong ticklog_table_rows(TableHandle table);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_table_append_size(ticklog_table_config* config, byte* path, UIntPtr* bytes);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_table_append(
            ticklog_table_config* config, byte* path, void* memory, UIntPtr bytes, ulong* unverified, IntPtr* table);

        // Any file

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_arrow_open(byte* path, ticklog_arrow_config* config, ArrowArrayStream* stream);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_arrow_write(ArrowArrayStream* stream, byte* path, ticklog_arrow_write_config* config);

        // Reports

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_info_json(byte* path, IntPtr* text);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_meta_json(byte* path, IntPtr* text);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_validate_json(byte* path, IntPtr* text);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ticklog_repair_json(byte* path, byte* @out, uint flags, IntPtr* text);

        [DllImport(Name, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void ticklog_text_free(IntPtr text);
    }
}
