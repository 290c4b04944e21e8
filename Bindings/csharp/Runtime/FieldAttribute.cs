// SPDX-License-Identifier: MIT
using System;

namespace TickLog
{
    /// <summary>What a structure's field is called in files, where its own name does not do.</summary>
    [AttributeUsage(AttributeTargets.Field)]
    public sealed class FieldAttribute : Attribute
    {
        /// <summary>null: the field's name.</summary>
        public string Name { get; set; }

        /// <summary>At most 31 bytes of UTF-8. Of a structure it is that of all fields that have none.</summary>
        public string Unit { get; set; }

        /// <summary>A `fixed byte` array holds a text: up to its first NUL, or all of it.</summary>
        public bool Text { get; set; }

        /// <summary>The field is not logged.</summary>
        public bool Ignore { get; set; }
    }
}
