/* GET's hot path, whole, for inlining where values are made (the binding): one function from the
 * key's bytes to the value's, no call in between for keys of up to 16 bytes.
 *
 * It is sc_get's loop (read.h) with the usual case unrolled: found at the first attempt, a string
 * in one block. Anything else, a torn read included, goes to sc_get_slow, which starts over. */
#ifndef SC_GET_H
#define SC_GET_H

#include "read.h"

int sc_get_slow(sc_arena *arena, const sc_key *key, sc_sink *sink);
sc_hint *sc_hints_new(void); /* zeroed; NULL without memory */
void sc_hints_free(sc_arena *arena);
void sc_hint_drop(sc_arena *arena, sc_hint *hint); /* what was made and kept */

/* The upper half of an entry's first word, for a key of this length in this database whose value is
 * raw bytes in the entry itself: everything the usual case needs to know, in one comparison. */
#define SC_HIGH_TTL ((uint32_t)SC_ENTRY_TTL << 24)
#define SC_HIGH_LOOSE (SC_HIGH_TTL | (uint32_t)(SC_ENC_RAW ^ SC_ENC_APPENDED) << 16)
static_assert((SC_ENC_RAW & ~(SC_ENC_RAW ^ SC_ENC_APPENDED)) == 1 && !(SC_ENC_INT & 1), "one bit");
SC_HOT uint32_t sc_high_wanted(const sc_ref *ref) {
    return ref->length | UINT32_C(1) << 16 | (uint32_t)ref->db << 24;
}

/* Offset (relative to the heap) of the first entry with this tag in a bucket or the one behind it;
 * UINT64_MAX when there is none, or the second bucket lies in another segment. */
SC_HOT uint64_t sc_probe(const sc_arena *arena, const sc_stripe *stripe, const sc_ref *ref) {
    uint32_t buckets = sc_load32(&stripe->buckets), home = sc_home(buckets, ref->tag);
    uint32_t segment = home >> arena->segment_shift;
    if (SC_UNLIKELY(!buckets || segment >= SC_TABLE_SEGMENTS)) return UINT64_MAX;
    uint32_t within = home & ((1u << arena->segment_shift) - 1);
    uint64_t start = sc_load64(&stripe->segment[segment]) - arena->heap_offset;
    start += (uint64_t)within * SC_BUCKET_BYTES;
    if (SC_UNLIKELY(start > arena->heap_bytes - 2 * SC_BUCKET_BYTES || start & 7))
        return UINT64_MAX;
    const uint64_t *slots = sc_at(arena, arena->heap_offset + start);
    uint32_t matches = sc_bucket_matches(slots, ref->tag);
    if (!matches) {
        if (SC_UNLIKELY(within + 1 == 1u << arena->segment_shift)) return UINT64_MAX;
        slots += SC_BUCKET_SLOTS;
        matches = sc_bucket_matches(slots, ref->tag);
        if (!matches) return UINT64_MAX;
    }
    return SC_SLOT_OFFSET(sc_load64(&slots[__builtin_ctz(matches)])) - arena->heap_offset;
}

/* A plain string's value, in its entry. */
typedef struct sc_plain {
    const char *value;
    uint64_t length;
} sc_plain;

/* Is the entry at `place` this key's, alive, and its value raw bytes within it? */
SC_HOT bool sc_plain_at(const sc_arena *arena, uint64_t place, const sc_ref *ref, sc_plain *out) {
    const char *entry = sc_at(arena, arena->heap_offset + place);
    uint64_t head = sc_load64((const uint64_t *)(const void *)entry);
    uint32_t high = (uint32_t)(head >> 32);
    uint32_t ttl_bytes = high & SC_HIGH_TTL ? 8 : 0;
    uint64_t value_at = 8 + ttl_bytes + (uint64_t)ref->length;
    out->length = (uint32_t)head;
    out->value = entry + value_at;
    if (SC_UNLIKELY((high & ~SC_HIGH_LOOSE) != sc_high_wanted(ref) ||
                    out->length > SC_LARGE_VALUE ||
                    place + value_at + out->length > arena->heap_bytes ||
                    !sc_equal(entry + 8 + ttl_bytes, ref->bytes, ref->length))) {
        return false;
    }
    return !ttl_bytes || !sc_is_past(sc_load64((const uint64_t *)(const void *)(entry + 8)));
}

/* Give out the value of the entry at `place`, if it is this key's: SC_OK, or SC_CORRUPT for
 * anything unusual. The caller checks the sequence. */
SC_HOT int sc_emit_plain(const sc_arena *arena, uint64_t place, const sc_ref *ref, sc_sink *sink,
                         char *(*reserve)(sc_sink *, size_t)) {
    sc_plain plain;
    if (SC_UNLIKELY(!sc_plain_at(arena, place, ref, &plain))) return SC_CORRUPT;
    char *out = reserve(sink, plain.length);
    if (SC_UNLIKELY(!out)) return SC_NO_MEMORY;
    sc_copy(out, plain.value, plain.length);
    return SC_OK;
}

SC_HOT int sc_get_found(sc_arena *arena, uint64_t place) {
    sc_mark_access(arena, arena->heap_offset + place);
    sc_count_read(arena, true);
    return SC_OK;
}

/* `hint`, if any, is told where the key was. */
SC_HOT int sc_get_with(sc_arena *arena, const sc_key *key, sc_sink *sink,
                       char *(*reserve)(sc_sink *, size_t), sc_hint *hint) {
    if (SC_UNLIKELY(key->length > arena->max_key_bytes)) return SC_MISS;
    sc_ref ref;
    sc_ref_make(arena, &ref, key);
    const sc_stripe *stripe = &arena->stripes[ref.stripe];
    uint64_t sequence = sc_load64_acquire(&stripe->sequence);
    if (SC_UNLIKELY(sequence & 1)) return sc_get_slow(arena, key, sink);
    uint64_t place = sc_probe(arena, stripe, &ref);
    if (SC_UNLIKELY(place > arena->heap_bytes - 16)) return sc_get_slow(arena, key, sink);
    int status = sc_emit_plain(arena, place, &ref, sink, reserve);
    if (SC_UNLIKELY(status != SC_OK)) return sc_get_slow(arena, key, sink);
    bool current = sc_ref_current(arena, key, &ref); /* see read.h */
    atomic_thread_fence(memory_order_acquire);
    if (SC_UNLIKELY(!current || sc_load64(&stripe->sequence) != sequence)) {
        return sc_get_slow(arena, key, sink);
    }
    if (hint) {
        if (hint->made) sc_hint_drop(arena, hint);
        hint->sequence = sequence;
        hint->where = ref.stripe << SC_OFFSET_BITS | place >> 3;
    }
    return sc_get_found(arena, place);
}

/* The hint for this hash, or the set's first, which is to make room for it. */
SC_HOT sc_hint *sc_hint_find(sc_hint *hints, uint64_t key_hash) {
    uint64_t set = (key_hash ^ key_hash >> 20) % (SC_HINTS / SC_HINT_WAYS);
    sc_hint *first = &hints[set * SC_HINT_WAYS];
    return first[1].key_hash == key_hash ? &first[1] : first;
}

SC_HOT uint64_t sc_hint_place(const sc_hint *hint) {
    return (hint->where & ((UINT64_C(1) << SC_OFFSET_BITS) - 1)) << 3;
}
/* Nobody has so much as opened the stripe since the hint was set. */
SC_HOT bool sc_hint_holds(const sc_arena *arena, const sc_hint *hint) {
    const sc_stripe *stripe = &arena->stripes[hint->where >> SC_OFFSET_BITS];
    atomic_thread_fence(memory_order_acquire);
    return SC_LIKELY(sc_load64(&stripe->sequence) == hint->sequence);
}

/* GET for a key object that carries a hash already, as Python's do once a dict has seen them. A
 * small table of the process remembers where such keys were; while the stripe's sequence is what it
 * was then, nobody has so much as opened the stripe since, so the entry is the key's still: our own
 * hash, the table and its bucket need not be looked at. A flush or swap of databases changes the
 * physical number, which is compared with the entry's. The table belongs to one attachment, and is
 * not shared between threads that run at the same time: the caller holds the interpreter lock.
 *
 * What the caller made of the value may be kept with the hint (`again` is set when it is asked for
 * the second time, see sc_hint_keep) and is then given by sc_get_made: the value itself is neither
 * read nor copied. It is the key's for the same reason as the entry is. */
SC_HOT int sc_get_hinted(sc_arena *arena, const sc_key *key, uint64_t key_hash, sc_sink *sink,
                         char *(*reserve)(sc_sink *, size_t), sc_hint **again) {
    if (SC_UNLIKELY(!arena->hints)) {
        arena->hints = sc_hints_new();
        if (!arena->hints) return sc_get_with(arena, key, sink, reserve, NULL);
    }
    sc_hint *hint = sc_hint_find(arena->hints, key_hash);
    if (SC_UNLIKELY(hint->key_hash != key_hash)) {
        if (hint[1].made) sc_hint_drop(arena, &hint[1]);
        hint[1] = hint[0];
        *hint = (sc_hint){.key_hash = key_hash, .sequence = 1};
        return sc_get_with(arena, key, sink, reserve, hint);
    }
    sc_ref ref = {.bytes = key->bytes, .length = key->length, .db = sc_physical_db(arena, key->db)};
    if (SC_UNLIKELY(hint->sequence & 1) ||
        sc_emit_plain(arena, sc_hint_place(hint), &ref, sink, reserve) != SC_OK ||
        !sc_hint_holds(arena, hint)) {
        return sc_get_with(arena, key, sink, reserve, hint);
    }
    if (!hint->made) *again = hint;
    return sc_get_found(arena, sc_hint_place(hint));
}

/* What was kept of this key's value, if that is what it still is; else NULL. */
SC_HOT void *sc_get_made(sc_arena *arena, const sc_key *key, uint64_t key_hash) {
    if (SC_UNLIKELY(!arena->hints)) return NULL;
    sc_hint *hint = sc_hint_find(arena->hints, key_hash);
    if (hint->key_hash != key_hash || !hint->made) return NULL;
    sc_ref ref = {.bytes = key->bytes, .length = key->length, .db = sc_physical_db(arena, key->db)};
    sc_plain plain;
    if (SC_UNLIKELY(hint->sequence & 1) ||
        SC_UNLIKELY(!sc_plain_at(arena, sc_hint_place(hint), &ref, &plain)) ||
        SC_UNLIKELY(!sc_hint_holds(arena, hint))) {
        return NULL;
    }
    sc_get_found(arena, sc_hint_place(hint));
    return hint->made;
}

/* Keep what was made of the value that sc_get_hinted has just given out with this hint: false when
 * there is no room for so many bytes. hooks.drop_made is called for it once. */
SC_HOT bool sc_hint_keep(sc_arena *arena, sc_hint *hint, void *made, size_t bytes) {
    if (arena->made_bytes + bytes > SC_MADE_MOST) return false;
    arena->made_bytes += bytes;
    hint->made = made;
    return true;
}

#endif
