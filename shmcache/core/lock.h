/* Every lock of the arena, their order, and the sequence numbers that stripes publish with.
 *
 * Order (a thread holding one may take only those further down)
 *
 *   rank | lock              | guards                                   | taken by
 *   -----+-------------------+------------------------------------------+----------------------
 *     1  | exclusive_lock    | the right to change any stripe           | whole-arena transactions
 *     2  | stripe.mutex      | the stripe's words, its entries' blocks  | writers; several in index
 *        |                   |                                          | order, others only by try
 *     3  | slot.recovery     | a slot's identity; the logs of a dead one| claim, release, recovery
 *     4  | heap.lock         | pages, class lists, heap log             | refill and flush; a leaf
 *
 * All are robust and process-shared. Who gets EOWNERDEAD first undoes what the dead owner left
 * (slot.h), then marks the mutex consistent. A stripe's `owner` says whose slot to look at.
 *
 * Why readers need no lock (Boehm, "Can seqlocks get along with programming language memory
 * models?", 2012). A writer holding the mutex makes the sequence odd, then a release fence, then
 * its relaxed stores, then stores the next even number with release. A reader loads the sequence
 * with acquire, reads, then an acquire fence, then loads the sequence again. If the reader saw any
 * of the writer's stores, the two fences order the odd store before the second load, so the number
 * differs and the read is thrown away. If it saw the even number, acquire/release give it all the
 * stores. The same holds for a block that was freed and filled anew outside any lock while a slow
 * reader was still in it: it was unlinked under an odd sequence of the reader's stripe, and whoever
 * fills it issues a release fence first (sc_fill_fence), so a reader that saw the new bytes also
 * sees the changed sequence. */
#ifndef SC_LOCK_H
#define SC_LOCK_H

#include "internal.h"

int sc_mutex_init(pthread_mutex_t *mutex);

/* Lock. EOWNERDEAD is reported through *died, and the mutex is held and still inconsistent. The
 * interpreter lock is given up while waiting. */
int sc_mutex_lock(sc_writer *writer, pthread_mutex_t *mutex, bool *died);
/* The same, but a wait leaves the interpreter lock given up until sc_writer_unblock: for the heap
 * lock, which everybody needs, and which nobody is to hold while waiting for an interpreter. */
int sc_mutex_lock_blocked(sc_writer *writer, pthread_mutex_t *mutex, bool *died);
int sc_mutex_trylock(pthread_mutex_t *mutex, bool *died); /* SC_BUSY */
void sc_mutex_consistent(pthread_mutex_t *mutex);
void sc_mutex_unlock(pthread_mutex_t *mutex);

/* A stripe's mutex: recovers a dead owner, waits out a whole-arena transaction, sets `owner`.
 * Whoever holds a lower stripe already (`holding`) passes: the whole-arena transaction, which
 * drains them in the same order, is still waiting for that one. */
int sc_stripe_lock(sc_writer *writer, uint64_t index, bool holding);
bool sc_stripe_trylock(sc_writer *writer, uint64_t index);
void sc_stripe_unlock(sc_writer *writer, uint64_t index);

/* The right to change every stripe. Writers that hold a stripe finish; new ones wait. */
int sc_exclusive_lock(sc_writer *writer);
void sc_exclusive_unlock(sc_writer *writer);
/* Finish a whole-arena transaction whose owner died, without waiting for a living one. */
void sc_exclusive_help(sc_writer *writer);

/* Publication. Open: from here on readers of the stripe retry. Idempotent. */
static inline void sc_stripe_open(sc_stripe *stripe) {
    uint64_t sequence = sc_load64(&stripe->sequence);
    if (!(sequence & 1)) {
        sc_put64(&stripe->sequence, sequence + 1);
        atomic_thread_fence(memory_order_release);
    }
}
static inline void sc_stripe_close(sc_stripe *stripe) {
    uint64_t sequence = sc_load64(&stripe->sequence);
    if (sequence & 1) sc_put64_release(&stripe->sequence, sequence + 1);
}

/* Before the first byte goes into a block that a reader may still be looking at. */
static inline void sc_fill_fence(void) {
    atomic_thread_fence(memory_order_release);
}

/* A reader met an odd or changed sequence: spin, then sleep in growing steps. SC_BUSY past the
 * limit. */
typedef struct sc_patience {
    uint32_t tries;
    uint64_t started_us;
} sc_patience;
int sc_reader_wait(sc_arena *arena, const sc_stripe *stripe, sc_patience *patience);

/* Give the interpreter lock back, if a wait took it away. */
void sc_writer_unblock(sc_writer *writer);

#endif
