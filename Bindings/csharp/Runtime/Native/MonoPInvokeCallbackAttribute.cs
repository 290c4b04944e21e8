// SPDX-License-Identifier: MIT
using System;

namespace TickLog.Native
{
    /// <summary>
    /// Marks a static method that native code calls. IL2CPP looks for an attribute of this name, of any assembly, and
    /// makes the method callable.
    /// </summary>
    [AttributeUsage(AttributeTargets.Method)]
    internal sealed class MonoPInvokeCallbackAttribute : Attribute
    {
        public MonoPInvokeCallbackAttribute(Type type)
        {
            Type = type;
        }

        public Type Type { get; }
    }
}
