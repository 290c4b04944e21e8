// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;

namespace TickLog.Tests
{
    /// <summary>What the tests say things with.</summary>
    internal static class Check
    {
        internal static int Count;

        internal static void That(bool isTrue, string what)
        {
            Count++;
            if (!isTrue) throw new InvalidOperationException("not so: " + what);
        }

        internal static void Equal<T>(T expected, T found, string what)
        {
            That(EqualityComparer<T>.Default.Equals(expected, found), what + ": found " + found + ", expected " + expected);
        }

        internal static void Equal<T>(T[] expected, T[] found, string what)
        {
            Equal(expected.Length, found.Length, what + ", length");
            for (int index = 0; index < expected.Length; index++) Equal(expected[index], found[index], what + "[" + index + "]");
        }

        internal static E Throws<E>(Action action, string what)
            where E : Exception
        {
            Count++;
            try
            {
                action();
            }
            catch (E exception)
            {
                if (exception.GetType() != typeof(E)) throw new InvalidOperationException(what + ": threw " + exception);
                return exception;
            }
            throw new InvalidOperationException(what + ": threw nothing, expected " + typeof(E).Name);
        }

        internal static void Fails(Status status, Action action, string what)
        {
            var exception = Throws<TickLogException>(action, what);
            Equal(status, exception.Status, what + " (" + exception.Message + ")");
            That(exception.Message.Length > 0, what + ": a message");
        }
    }
}
