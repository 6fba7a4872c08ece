/* Reclaiming the dead: expired entries, and those of databases that were flushed. */
#ifndef SC_EXPIRE_H
#define SC_EXPIRE_H

#include "internal.h"

/* Delete up to `limit` dead entries wherever they are due, in transactions of the writer's inner
 * log that only try-lock. Returns how many. */
uint64_t sc_sweep_dead(sc_writer *writer, uint64_t limit);

/* Physical databases whose last entry was swept, a bit each. */
uint64_t sc_empty_retired(const sc_arena *arena);

#endif
