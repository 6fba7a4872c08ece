/* Making room: access marks, victims by policy, and allocation that evicts when it must. */
#ifndef SC_EVICT_H
#define SC_EVICT_H

#include "internal.h"
#include "txn.h"

/* sc_heap_take and sc_heap_take_chunk, making room as far as the policy allows: 0 when it does not.
 * Victims' stripes are only try-locked, so this is safe whatever stripes the transaction holds. */
uint64_t sc_take(sc_txn *txn, uint32_t size_class);
uint64_t sc_take_chunk(sc_txn *txn, uint32_t size_class, sc_log_entry *chain, uint64_t length,
                       uint64_t owner_hash);
/* Evict, compact and sweep until a block of the class can be had; not in an inner transaction. */
bool sc_make_room(sc_writer *writer, uint32_t size_class);
/* Evict one key by the policy; false when there is none that may go. */
bool sc_evict_one(sc_writer *writer);

/* ---- access marks -----------------------------------------------------------------------------
 *
 * One 16-bit mark for 64 bytes of heap, in the access segment:
 *   LRU policies   the low bits of header.access_clock at the last access
 *   LFU policies   | minutes of the last decay, 8 bits | logarithmic counter, 8 bits |
 * A mark is only written when it changes: readers of a hot key share its cache line clean. */
static inline bool sc_policy_is_lfu(uint32_t policy) {
    return policy == SC_ALLKEYS_LFU || policy == SC_VOLATILE_LFU;
}
SC_HOT uint16_t *sc_mark(const sc_arena *arena, uint64_t offset) {
    uint64_t granule = (offset - arena->heap_offset) >> SC_GRANULE_SHIFT;
    return &arena->marks[SC_LIKELY(granule < arena->marks_count) ? granule : 0];
}
void sc_mark_frequency(sc_arena *arena, uint16_t *mark);
SC_HOT void sc_mark_access(sc_arena *arena, uint64_t offset) {
    if (SC_UNLIKELY(!arena->touching)) return;
    uint16_t *mark = sc_mark(arena, offset);
    if (SC_UNLIKELY(sc_policy_is_lfu(sc_load32(&arena->header->policy)))) {
        sc_mark_frequency(arena, mark);
        return;
    }
    uint16_t clock = (uint16_t)sc_load64(&arena->header->access_clock);
    if (__atomic_load_n(mark, __ATOMIC_RELAXED) != clock) {
        __atomic_store_n(mark, clock, __ATOMIC_RELAXED);
    }
}
/* Move the access clock: by ticks, or by what was handed out or evicted. Remembers when, for OBJECT
 * IDLETIME. Not logged: a tick lost or doubled by a crash is nobody's loss. */
void sc_clock_advance(sc_arena *arena, uint64_t ticks);
void sc_clock_turn(sc_arena *arena, uint64_t bytes);
void sc_mark_new(sc_arena *arena, uint64_t offset);
void sc_mark_move(sc_arena *arena, uint64_t from, uint64_t to);
void sc_mark_set_idle(sc_arena *arena, uint64_t offset, uint64_t idle_ms);
void sc_mark_set_counter(sc_arena *arena, uint64_t offset, uint8_t counter);
uint32_t sc_mark_counter(const sc_arena *arena, uint64_t offset); /* LFU, decayed, 0-255 */
uint64_t sc_mark_idle_ms(const sc_arena *arena, uint64_t offset);

#endif
