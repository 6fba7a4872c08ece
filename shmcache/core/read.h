/* The lock-free read, as a loop that every reader shares.
 *
 *     sc_read_start_key(&read, arena, key, &ref);
 *     do {
 *         status = ... find, copy out: anything seen here may be torn ...
 *     } while (sc_read_again(&read, &status));
 *
 * The body runs under an even sequence and is repeated until the sequence did not change meanwhile;
 * `status` becomes SC_BUSY when that takes too long. The argument why this is enough is in lock.h.
 *
 * The key's physical database is looked up before there is a sequence, since the stripe depends on
 * it. So it is compared once more under the sequence: the map changes only while every stripe is
 * odd (FLUSHDB and SWAPDB open them all first), hence what was compared stays true as long as the
 * sequence stands. */
#ifndef SC_READ_H
#define SC_READ_H

#include "entry.h"
#include "evict.h"
#include "lock.h"
#include "table.h"

#define SC_LARGE_VALUE 65536 /* do not ask for this much room on the word of a torn length */

typedef struct sc_read {
    sc_arena *arena;
    const sc_stripe *stripe;
    uint64_t sequence;
    sc_patience patience;
    int given_up;
    const sc_key *key; /* whose stripe it is; NULL: a stripe by its index */
    sc_ref *ref;
} sc_read;

SC_HOT void sc_read_enter(sc_read *read) {
    for (;;) {
        read->sequence = sc_load64_acquire(&read->stripe->sequence);
        if (SC_LIKELY(!(read->sequence & 1))) {
            if (!read->key || sc_ref_current(read->arena, read->key, read->ref)) return;
            sc_ref_make(read->arena, read->ref, read->key);
            read->stripe = &read->arena->stripes[read->ref->stripe];
            continue;
        }
        read->given_up = sc_reader_wait(read->arena, read->stripe, &read->patience);
        if (read->given_up) return;
    }
}
SC_HOT void sc_read_start(sc_read *read, sc_arena *arena, uint64_t stripe) {
    *read = (sc_read){.arena = arena, .stripe = &arena->stripes[stripe]};
    sc_read_enter(read);
}
SC_HOT void sc_read_start_key(sc_read *read, sc_arena *arena, const sc_key *key, sc_ref *ref) {
    sc_ref_make(arena, ref, key);
    *read =
        (sc_read){.arena = arena, .stripe = &arena->stripes[ref->stripe], .key = key, .ref = ref};
    sc_read_enter(read);
}
/* Threads of one process may lose a count to each other; nobody waits for a statistic. */
SC_HOT void sc_count(uint64_t *counter) {
    __atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
}
SC_HOT bool sc_read_is_whole(const sc_read *read) {
    atomic_thread_fence(memory_order_acquire);
    return SC_LIKELY(sc_load64(&read->stripe->sequence) == read->sequence);
}
SC_HOT bool sc_read_again(sc_read *read, int *status) {
    if (SC_LIKELY(!read->given_up)) {
        if (SC_LIKELY(sc_read_is_whole(read))) return false;
        sc_count(&read->arena->stats->retries);
        read->given_up = sc_reader_wait(read->arena, read->stripe, &read->patience);
        if (!read->given_up) sc_read_enter(read);
    }
    if (read->given_up) *status = read->given_up;
    return !read->given_up;
}

/* Find a live entry: SC_OK, SC_MISS, SC_CORRUPT. */
SC_HOT int sc_find_live(const sc_arena *arena, const sc_ref *ref, sc_found *found) {
    int status = sc_table_find(arena, &arena->stripes[ref->stripe], ref, found);
    if (status == SC_OK && found->view.expire_at &&
        sc_is_past(sc_view_expire(arena, &found->view))) {
        return SC_MISS;
    }
    return status;
}

static inline void sc_count_read(sc_arena *arena, bool hit) {
    sc_count(hit ? &arena->stats->hits : &arena->stats->misses);
}

#endif
