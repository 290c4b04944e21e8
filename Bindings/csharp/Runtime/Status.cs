// SPDX-License-Identifier: MIT
namespace TickLog
{
    /// <summary>What a call of the library answered: the numbers of ticklog.h, whose comments say what each means.</summary>
    public enum Status
    {
        Ok = 0,

        Null = -1,
        BadSize = -2,
        NoMemory = -3,
        Misaligned = -4,
        Overlap = -5,
        BadHandle = -6,
        BadArgument = -7,
        BadName = -8,
        NameTooLong = -9,
        DuplicateName = -10,
        BadType = -11,
        BadField = -12,
        BelowTick = -13,
        NotMultiple = -14,
        BadTick = -15,
        TooMany = -16,
        BadStorage = -17,
        Unsupported = -18,

        Closed = -20,
        RunOpen = -21,
        NoEntropy = -22,
        RingFull = -23,
        Busy = -24,
        Full = -25,
        End = -26,

        Io = -30,
        NoSpace = -31,
        Exists = -32,
        NotFound = -33,
        Denied = -34,

        WrongFormat = -40,
        Damaged = -41,
        TooLarge = -42,

        TimedOut = -50,
        Disconnected = -51,
    }
}
