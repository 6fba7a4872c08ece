/* A stripe's sub-table: finding, linking, unlinking, growing.
 *
 *   home bucket of a tag:  (tag * buckets) >> 27      (buckets is any number, not a power of two)
 *
 *   bucket  b        b+1      b+2           each 64 bytes, eight slots; buckets 0 .. n, where the
 *         [........][........][........]    last, n, only takes what overflows from n-1
 *
 * A key lies in its home bucket or the next one. When both are full, slots are pushed along, each
 * from its home to the bucket after it, until a free one takes up the slack; when that fails within
 * a few buckets (at about 9/10 full) the table is rebuilt a quarter larger. A rebuild reads only
 * the slots, since the tag is in them, and is published by storing the new segments' offsets. */
#ifndef SC_TABLE_H
#define SC_TABLE_H

#include "entry.h"
#include "internal.h"

#if defined(__SSE2__) && !defined(SC_TSAN)
#include <emmintrin.h>
#endif

#define SC_SLOT_TTL (UINT64_C(1) << 63)
#define SC_TAG_SHIFT SC_OFFSET_BITS
#define SC_TAG_MASK ((UINT64_C(1) << SC_TAG_BITS) - 1)
#define SC_SLOT_OFFSET(word) (((word) & ((UINT64_C(1) << SC_OFFSET_BITS) - 1)) << 3)
#define SC_SLOT_TAG(word) ((uint32_t)((word) >> SC_TAG_SHIFT & SC_TAG_MASK))

/* A table as one reader or writer sees it: loaded once, bounds checked. */
typedef struct sc_table {
    uint32_t buckets;
    uint64_t segment[SC_TABLE_SEGMENTS];
} sc_table;

static inline uint32_t sc_home(uint32_t buckets, uint32_t tag) {
    return (uint32_t)((uint64_t)tag * buckets >> SC_TAG_BITS);
}
static inline uint64_t sc_slot_word(uint64_t offset, uint32_t tag, bool ttl) {
    return offset >> 3 | (uint64_t)tag << SC_TAG_SHIFT | (ttl ? SC_SLOT_TTL : 0);
}

/* Bucket `index` (0 .. buckets) of a stripe; NULL when damage points outside the heap. */
SC_HOT uint64_t *sc_bucket(const sc_arena *arena, const uint64_t *segments, uint32_t index) {
    uint32_t segment = index >> arena->segment_shift;
    if (SC_UNLIKELY(segment >= SC_TABLE_SEGMENTS)) return NULL;
    uint64_t within = (uint64_t)(index & ((1u << arena->segment_shift) - 1)) * SC_BUCKET_BYTES;
    uint64_t offset = sc_load64(&segments[segment]) + within;
    if (SC_UNLIKELY(!sc_in_heap(arena, offset, SC_BUCKET_BYTES))) return NULL;
    return sc_at(arena, offset);
}

#if defined(__SSE2__) && !defined(SC_TSAN)
#define SC_SLOT_HIGH_TAG 0x7ffffff0 /* the tag within the upper half of a slot word */

/* A bit for each slot of the bucket with this tag. Torn slots are harmless: the sequence decides.
 */
SC_HOT uint32_t sc_bucket_matches(const uint64_t *slots, uint32_t tag) {
    const float *words = (const float *)(const void *)slots; /* damaged offsets may be unaligned */
    const __m128i mask = _mm_set1_epi32(SC_SLOT_HIGH_TAG);
    const __m128i wanted = _mm_set1_epi32((int)(tag << 4));
    uint32_t matches = 0;
    for (int half = 0; half < 2; half++) {
        __m128 high = _mm_shuffle_ps(_mm_loadu_ps(words + 8 * half),
                                     _mm_loadu_ps(words + 8 * half + 4), _MM_SHUFFLE(3, 1, 3, 1));
        __m128i equal = _mm_cmpeq_epi32(_mm_and_si128(_mm_castps_si128(high), mask), wanted);
        matches |= (uint32_t)_mm_movemask_ps(_mm_castsi128_ps(equal)) << (4 * half);
    }
    return matches;
}
#else
SC_HOT uint32_t sc_bucket_matches(const uint64_t *slots, uint32_t tag) {
    uint32_t matches = 0;
    for (int i = 0; i < SC_BUCKET_SLOTS; i++) {
        matches |= (uint32_t)(SC_SLOT_TAG(sc_load64(&slots[i])) == tag) << i;
    }
    return matches;
}
#endif

/* The occupied slots where entries with a tag may lie, for those who look for a slot by something
 * else than a key. With the stripe held. */
typedef struct sc_near {
    const sc_arena *arena;
    const sc_stripe *stripe;
    uint32_t bucket, last, at;
} sc_near;
static inline void sc_near_start(sc_near *near, const sc_arena *arena, uint64_t stripe,
                                 uint32_t tag) {
    near->arena = arena;
    near->stripe = &arena->stripes[stripe];
    near->bucket = sc_home(near->stripe->buckets, tag);
    near->last = near->stripe->buckets ? near->bucket + 1 : 0;
    near->at = 0;
}
static inline uint64_t *sc_near_next(sc_near *near) {
    for (; near->last && near->bucket <= near->last; near->bucket++, near->at = 0) {
        uint64_t *slots = sc_bucket(near->arena, near->stripe->segment, near->bucket);
        while (slots && near->at < SC_BUCKET_SLOTS) {
            uint64_t *slot = &slots[near->at++];
            if (*slot) return slot;
        }
    }
    return NULL;
}

typedef struct sc_found {
    uint64_t *slot;
    uint64_t word;
    sc_view view;
} sc_found;

/* Is `word` the slot of this key? */
SC_HOT bool sc_slot_matches(const sc_arena *arena, uint64_t word, const sc_ref *ref,
                            sc_view *view) {
    return SC_SLOT_TAG(word) == ref->tag && word &&
           sc_view_load(arena, view, SC_SLOT_OFFSET(word)) && view->head.key_bytes == ref->length &&
           (view->head.flags & SC_ENTRY_DB) == ref->db &&
           sc_equal(sc_at(arena, view->offset + view->key_at), ref->bytes, ref->length);
}

/* SC_OK, SC_MISS, or SC_CORRUPT, which to a reader may as well mean a write in progress. Finds dead
 * entries too. */
SC_HOT int sc_table_find(const sc_arena *arena, const sc_stripe *stripe, const sc_ref *ref,
                         sc_found *found) {
    uint32_t buckets = sc_load32(&stripe->buckets);
    if (!buckets) return SC_MISS;
    uint32_t home = sc_home(buckets, ref->tag);
    for (uint32_t bucket = home; bucket <= home + 1; bucket++) {
        uint64_t *slots = sc_bucket(arena, stripe->segment, bucket);
        if (SC_UNLIKELY(!slots)) return SC_CORRUPT;
        for (uint32_t match = sc_bucket_matches(slots, ref->tag); match; match &= match - 1) {
            uint64_t *slot = &slots[__builtin_ctz(match)];
            uint64_t word = sc_load64(slot);
            if (!sc_slot_matches(arena, word, ref, &found->view)) continue;
            found->slot = slot;
            found->word = word;
            return SC_OK;
        }
    }
    return SC_MISS;
}

/* With the stripe held and open. `view` is of the entry at `offset`, which is not in the table. */
int sc_table_insert(sc_txn *txn, const sc_ref *ref, uint64_t offset, uint64_t expire_ms);
/* Put another entry of the same key in a slot's place. */
void sc_table_replace(sc_txn *txn, const sc_ref *ref, const sc_found *found, uint64_t offset,
                      uint64_t expire_ms);
void sc_table_remove(sc_txn *txn, uint64_t stripe, const sc_found *found);
static inline bool sc_table_is_sparse(uint32_t buckets, uint32_t keys) {
    return buckets >= 4 && keys < (uint64_t)buckets * SC_BUCKET_SLOTS / 4;
}
/* Shrink a table that is less than a quarter full; fails silently when there is no block for it. */
void sc_table_shrink(sc_txn *txn, uint64_t stripe);
/* Stores that the functions above log at most, for sc_txn_reserve. */
#define SC_TABLE_LOG_MOST 64

#endif
