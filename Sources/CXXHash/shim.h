/* xxHash as a header. XXH_INLINE_ALL renames its functions by macros, which Swift cannot import: hence these names. */
#ifndef TICKLOG_CXXHASH_SHIM_H
#define TICKLOG_CXXHASH_SHIM_H

#define XXH_NO_XXH3
#define XXH_INLINE_ALL
#include <xxhash.h>

static inline uint32_t cxxhash32(const void *bytes, size_t count) { return XXH32(bytes, count, 0); }
static inline uint64_t cxxhash64(const void *bytes, size_t count) { return XXH64(bytes, count, 0); }

typedef XXH64_state_t cxxhash64_state;

static inline void cxxhash64_reset(cxxhash64_state *state) { (void)XXH64_reset(state, 0); }
static inline void cxxhash64_update(cxxhash64_state *state, const void *bytes, size_t count)
{
    (void)XXH64_update(state, bytes, count);
}
static inline uint64_t cxxhash64_digest(const cxxhash64_state *state) { return XXH64_digest(state); }

/* memcpy and memset, which xxhash.h brings along; Swift has no name for them on all targets. */
static inline void cxxhash_copy(void *to, const void *from, size_t count) { memcpy(to, from, count); }
static inline void cxxhash_zero(void *to, size_t count) { memset(to, 0, count); }

#endif
