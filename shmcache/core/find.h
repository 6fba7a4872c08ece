/* One element of a container, for callers that have a hash of their own for the key and for what
 * they look for (Python's, which objects carry once a dict has seen them).
 *
 * As with get.h's hints, a table of the process remembers where such elements were: while the
 * stripe's sequence is what it was then, nobody has so much as opened the stripe since, so the item
 * is where it was and what it was. Key and name are compared byte by byte, since hashes collide; a
 * database that was flushed or swapped shows in the entry. Not found there, the element is looked
 * up by find.c, which remembers it if it lies in its leaf as plain bytes and does not expire by
 * itself.
 *
 * Finding an element so costs neither our own hashes nor the index, the tree and the leaf's slots:
 * half of an HGET. The table belongs to one attachment, and is not shared between threads that run
 * at the same time: the caller holds the interpreter lock. */
#ifndef SC_FIND_H
#define SC_FIND_H

#include "read.h"

#define SC_ELEMENT_HINTS 4096
#define SC_ELEMENT_WAYS 2

typedef struct sc_element_hint {
    uint64_t hash;     /* the caller's, of key and name */
    uint64_t sequence; /* the stripe's when it was found; odd: nothing is remembered */
    const sc_stripe *stripe;
    uint64_t entry; /* offset */
    union {
        const uint8_t *at;
        int64_t index; /* of a list's element */
    } name;
    const uint8_t *value; /* a hash's value, a list's element, a score */
    uint16_t key_at;      /* from the entry's start */
    uint16_t name_length, value_length;
    uint8_t type;
} sc_element_hint;
static_assert(sizeof(sc_element_hint) <= SC_CACHE_LINE, "one line to look at");

/* What is looked for, and where it goes. */
typedef struct sc_wanted {
    int type;      /* enum sc_type */
    sc_bytes name; /* of a field or member */
    int64_t index; /* of a list's element */
    uint64_t hash; /* of key and name, for the hints */
    sc_sink *sink; /* for a hash's value or a list's element; NULL: is it there? */
    double *score;
} sc_wanted;

static inline uint64_t sc_hash_pair(uint64_t key_hash, uint64_t name_hash) {
    return key_hash * SC_DB_MIX ^ name_hash;
}

/* `hint` may be NULL; else it is told where the element was, if that may be remembered. */
int sc_find_slow(sc_arena *arena, const sc_key *key, const sc_wanted *wanted,
                 sc_element_hint *hint);
sc_element_hint *sc_element_hints_new(void); /* nothing remembered; NULL without memory */

/* The hint for this hash, or the set's first, which is to make room for it. */
SC_HOT sc_element_hint *sc_element_hint_of(sc_element_hint *hints, uint64_t hash) {
    uint64_t set = (hash ^ hash >> 20 ^ hash >> 40) % (SC_ELEMENT_HINTS / SC_ELEMENT_WAYS);
    sc_element_hint *first = &hints[set * SC_ELEMENT_WAYS];
    return first[1].hash == hash ? &first[1] : first;
}

/* Is this what was asked for? What it points to may have changed: the sequence will tell. */
SC_HOT bool sc_element_is(const sc_arena *arena, const sc_element_hint *hint, const sc_key *key,
                          const sc_wanted *wanted) {
    const uint8_t *entry = sc_at(arena, hint->entry);
    union {
        uint64_t word;
        sc_entry entry;
    } head = {.word = sc_load64((const uint64_t *)(const void *)entry)};
    if (SC_UNLIKELY(hint->sequence & 1) || hint->type != wanted->type ||
        head.entry.key_bytes != key->length ||
        (head.entry.flags & SC_ENTRY_DB) != sc_physical_db(arena, key->db) ||
        !sc_equal(entry + hint->key_at, key->bytes, key->length)) {
        return false;
    }
    if (SC_UNLIKELY(head.entry.flags & SC_ENTRY_TTL) &&
        sc_is_past(sc_load64((const uint64_t *)(const void *)(entry + 8)))) {
        return false;
    }
    if (wanted->type == SC_LIST) return hint->name.index == wanted->index;
    return hint->name_length == wanted->name.length &&
           sc_equal(hint->name.at, wanted->name.bytes, wanted->name.length);
}

SC_HOT int sc_find_hinted(sc_arena *arena, const sc_key *key, const sc_wanted *wanted,
                          char *(*reserve)(sc_sink *, size_t)) {
    if (SC_UNLIKELY(!arena->element_hints)) arena->element_hints = sc_element_hints_new();
    if (SC_UNLIKELY(!arena->element_hints)) return sc_find_slow(arena, key, wanted, NULL);
    sc_element_hint *hint = sc_element_hint_of(arena->element_hints, wanted->hash);
    if (SC_UNLIKELY(hint->hash != wanted->hash)) {
        hint[1] = hint[0];
        *hint = (sc_element_hint){.hash = wanted->hash, .sequence = 1};
        return sc_find_slow(arena, key, wanted, hint);
    }
    if (SC_UNLIKELY(!sc_element_is(arena, hint, key, wanted))) {
        return sc_find_slow(arena, key, wanted, hint);
    }
    if (wanted->sink) {
        char *out = reserve(wanted->sink, hint->value_length);
        if (SC_UNLIKELY(!out)) return SC_NO_MEMORY;
        sc_copy(out, hint->value, hint->value_length);
    }
    if (wanted->score) sc_copy(wanted->score, hint->value, sizeof *wanted->score);
    atomic_thread_fence(memory_order_acquire);
    if (SC_UNLIKELY(sc_load64(&hint->stripe->sequence) != hint->sequence)) {
        return sc_find_slow(arena, key, wanted, hint);
    }
    sc_mark_access(arena, hint->entry);
    sc_count_read(arena, true);
    return SC_OK;
}

#endif
