// SPDX-License-Identifier: MIT
// As much of System.Memory as the package needs, to compile what is behind TICKLOG_SPAN.
namespace System
{
    public unsafe struct Span<T>
    {
        public int Length { get { return 0; } }
    }

    public unsafe struct ReadOnlySpan<T>
    {
        public ReadOnlySpan(void* pointer, int length)
        {
        }

        public void CopyTo(Span<T> values)
        {
        }
    }
}
