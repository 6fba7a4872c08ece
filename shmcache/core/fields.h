/* Hash fields that expire: when the next one does, and removing those that did.
 *
 * Reads and writes take a field whose time is past for missing. The maintenance process removes it:
 * each stripe knows when to look, and a tree's entry knows whether it is worth looking there. */
#ifndef SC_FIELDS_H
#define SC_FIELDS_H

#include "container.h"

/* A field of the container that is being changed got this expiry (0: none). */
int sc_fields_note(sc_change *change, uint64_t expire_ms);
/* A hash is being linked: its stripe may have to be looked at sooner. One log entry at most. */
void sc_fields_linked(sc_txn *txn, uint64_t stripe, uint64_t offset);
/* Remove fields of a stripe's hashes whose time is past; returns how many. Inner transactions. */
uint64_t sc_sweep_fields(sc_writer *writer, uint64_t stripe, uint64_t now_ms);

#endif
