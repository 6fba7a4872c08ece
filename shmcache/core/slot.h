/* Writer slots: claiming one, checking a writer out for an operation, recovering the dead. */
#ifndef SC_SLOT_H
#define SC_SLOT_H

#include "internal.h"
#include "lock.h"

/* A writer of this process for one operation; SC_READ_ONLY, SC_NO_SLOT. Give it back with the
 * same thread. */
int sc_writer_checkout_slow(sc_arena *arena, sc_writer **out);
static inline bool sc_writer_valid(const sc_writer *writer) {
    return sc_load64(&writer->slot->generation) == writer->owner >> 16;
}
/* Is the writer free? Then it is ours. */
static inline bool sc_writer_try(sc_arena *arena, sc_writer *writer) {
    if (arena->hooks.serialized) {
        bool taken = writer->in_use;
        writer->in_use = true;
        return !taken;
    }
    return !__atomic_exchange_n(&writer->in_use, true, __ATOMIC_ACQUIRE);
}
static inline int sc_writer_checkout(sc_arena *arena, sc_writer **out) {
    sc_writer *first = atomic_load_explicit(&arena->writers, memory_order_acquire);
    if (SC_LIKELY(first && sc_writer_try(arena, first))) {
        *out = first;
        if (SC_LIKELY(sc_writer_valid(first))) return SC_OK;
        /* Recovered behind our back (its thread ended in a transaction): it stays in use for good.
         */
    }
    return sc_writer_checkout_slow(arena, out);
}
static inline void sc_writer_checkin(sc_writer *writer) {
    __atomic_store_n(&writer->in_use, false, __ATOMIC_RELEASE);
}

/* The sum over all slots and logs of the counter at `place` in sc_counters. */
int64_t sc_sum_counters(const sc_arena *arena, size_t place);

/* Recover the slot that `owner` (an owner word) names, if it is still that owner's. The caller
 * knows that the owner is dead: it got EOWNERDEAD. */
int sc_slot_recover_owner(sc_writer *writer, uint64_t owner);
/* A reader of a writable attachment found a stripe odd for long: lock it once, which recovers. */
void sc_slot_help_stripe(sc_arena *arena, uint64_t stripe);

void sc_slots_forget(sc_arena *arena);  /* in a fork's child: its parent's slots are not its own */
void sc_slots_release(sc_arena *arena); /* at detach */

#endif
