/* CRC-32C (polynomial 0x1EDC6F41, reflected), by a table and by the processor's instruction. These are the steps alone:
 * the complement before and behind is the caller's. */
#ifndef TICKLOG_CCRC32C_SHIM_H
#define TICKLOG_CCRC32C_SHIM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A CRC is linear: that of a byte is the exclusive or of those of its bits. */
#define CRC32C_BYTE(i)                                                                                                        \
    (((i) & 1 ? 0xF26B8303u : 0) ^ ((i) & 2 ? 0xE13B70F7u : 0) ^ ((i) & 4 ? 0xC79A971Fu : 0) ^ ((i) & 8 ? 0x8AD958CFu : 0) ^  \
     ((i) & 16 ? 0x105EC76Fu : 0) ^ ((i) & 32 ? 0x20BD8EDEu : 0) ^ ((i) & 64 ? 0x417B1DBCu : 0) ^                             \
     ((i) & 128 ? 0x82F63B78u : 0))
#define CRC32C_4(i) CRC32C_BYTE(i), CRC32C_BYTE((i) + 1), CRC32C_BYTE((i) + 2), CRC32C_BYTE((i) + 3)
#define CRC32C_16(i) CRC32C_4(i), CRC32C_4((i) + 4), CRC32C_4((i) + 8), CRC32C_4((i) + 12)
#define CRC32C_64(i) CRC32C_16(i), CRC32C_16((i) + 16), CRC32C_16((i) + 32), CRC32C_16((i) + 48)

static const uint32_t crc32c_bytes[256] = {CRC32C_64(0), CRC32C_64(64), CRC32C_64(128), CRC32C_64(192)};

static inline uint32_t crc32c_by_table(uint32_t crc, const void *bytes, size_t count)
{
    const uint8_t *at = (const uint8_t *)bytes;
    while (count-- > 0) crc = crc32c_bytes[(crc ^ *at++) & 255] ^ crc >> 8;
    return crc;
}

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

static inline int crc32c_has_instruction(void)
{
    /* Asking takes microseconds in a virtual machine. Several threads may ask at once and find the same. */
    static int known; /* 0: not yet; 1: no; 2: yes */
    int answer = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (answer == 0) {
        unsigned a, b, c = 0, d;
        /* Leaf 1: PCLMULQDQ is bit 1 of ECX, SSE4.2 bit 20. */
        answer = __get_cpuid(1, &a, &b, &c, &d) && (c & (1u << 1)) && (c & (1u << 20)) ? 2 : 1;
        __atomic_store_n(&known, answer, __ATOMIC_RELAXED);
    }
    return answer == 2;
}

static inline uint64_t crc32c_word(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

/* Three lanes of `lane` bytes side by side, since the instruction takes three cycles and one can begin in each. The lanes
 * are joined by moving the first by two lanes and the second by one: far is x^(16 lane - 33) mod P, near x^(8 lane - 33). */
__attribute__((target("sse4.2,pclmul"))) static inline uint32_t crc32c_three(
    uint32_t crc, const uint8_t *at, size_t lane, uint32_t far, uint32_t near)
{
    uint64_t a = crc, b = 0, c = 0;
    for (size_t i = 0; i < lane; i += 8) {
        a = _mm_crc32_u64(a, crc32c_word(at + i));
        b = _mm_crc32_u64(b, crc32c_word(at + lane + i));
        c = _mm_crc32_u64(c, crc32c_word(at + 2 * lane + i));
    }
    __m128i moved_a = _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)a), _mm_cvtsi64_si128((int64_t)far), 0);
    __m128i moved_b = _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)b), _mm_cvtsi64_si128((int64_t)near), 0);
    uint64_t moved = (uint64_t)_mm_cvtsi128_si64(_mm_xor_si128(moved_a, moved_b));
    return (uint32_t)(_mm_crc32_u64(0, moved) ^ c);
}

__attribute__((target("sse4.2,pclmul"))) static inline uint32_t crc32c_by_instruction(
    uint32_t crc, const void *bytes, size_t count)
{
    const uint8_t *at = (const uint8_t *)bytes;
    for (; count >= 3 * 1024; at += 3 * 1024, count -= 3 * 1024) crc = crc32c_three(crc, at, 1024, 0xA51B6135u, 0x170076FAu);
    for (; count >= 3 * 128; at += 3 * 128, count -= 3 * 128) crc = crc32c_three(crc, at, 128, 0xB9E02B86u, 0x0D3B6092u);
    uint64_t wide = crc;
    for (; count >= 8; at += 8, count -= 8) wide = _mm_crc32_u64(wide, crc32c_word(at));
    crc = (uint32_t)wide;
    for (; count > 0; at += 1, count -= 1) crc = _mm_crc32_u8(crc, *at);
    return crc;
}

#elif defined(__aarch64__)

#if defined(__linux__)
#include <sys/auxv.h>
static inline int crc32c_has_instruction(void) { return (getauxval(AT_HWCAP) & (1u << 7)) != 0; }
#else
static inline int crc32c_has_instruction(void) { return 1; }
#endif

__attribute__((target("crc"))) static inline uint32_t crc32c_by_instruction(uint32_t crc, const void *bytes, size_t count)
{
    const uint8_t *at = (const uint8_t *)bytes;
    for (; count >= 8; at += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        crc = __builtin_arm_crc32cd(crc, word);
    }
    for (; count > 0; at += 1, count -= 1) crc = __builtin_arm_crc32cb(crc, *at);
    return crc;
}

#else

static inline int crc32c_has_instruction(void) { return 0; }
static inline uint32_t crc32c_by_instruction(uint32_t crc, const void *bytes, size_t count)
{
    return crc32c_by_table(crc, bytes, count);
}

#endif

#endif
