/* Steps that one-key writes and transactions share: all on a txn that holds the key's stripe. */
#ifndef SC_OPS_H
#define SC_OPS_H

#include "notes.h"
#include "read.h"
#include "slot.h"
#include "txn.h"

/* Begin a one-key write: check out a writer, lock the key's stripe. */
int sc_op_begin(sc_arena *arena, const sc_key *key, sc_writer **writer, sc_ref *ref);
/* Commit on SC_OK, else roll back; give the writer back; return `status`. */
int sc_op_end(sc_writer *writer, int status);

/* Should a one-key write that ended with `status` be tried again? When memory was short under the
 * lock, where this writer's own stripe is closed to eviction, some keys are evicted now. */
bool sc_op_again(sc_arena *arena, int status, int *attempts);

/* Expired by the transaction's clock, or of a database that was flushed before it. */
bool sc_op_is_dead(sc_txn *txn, const sc_view *view);
/* The key's entry: SC_OK live, SC_MISS (found->slot is set if a dead entry is in the way). */
int sc_op_find(sc_txn *txn, const sc_ref *ref, sc_found *found);
/* Link an entry that was built, in the place of whatever sc_op_find found. */
int sc_op_link(sc_txn *txn, const sc_ref *ref, const sc_found *found, uint64_t offset,
               uint64_t expire_ms);
/* Notes nothing: what it means that the key goes is the caller's to say. */
void sc_op_unlink(sc_txn *txn, const sc_ref *ref, const sc_found *found);
int sc_op_check(const sc_set_args *args); /* SC_SYNTAX: options that contradict each other */
int sc_op_set(sc_txn *txn, const sc_ref *ref, const sc_set_args *args, uint64_t built);
/* The key goes, and a note of that is taken. */
int sc_op_delete(sc_txn *txn, const sc_ref *ref);
/* The same without a note. SC_MISS: there was none alive; *gone tells whether a dead one went. */
int sc_op_remove(sc_txn *txn, const sc_ref *ref, bool *gone);
int sc_op_expire(sc_txn *txn, const sc_ref *ref, uint64_t expire_ms, uint32_t flags);
void sc_op_describe(const sc_arena *arena, const sc_view *view, sc_info *info);
/* What SET stores: its encoding and expiry. */
void sc_op_content(const sc_set_args *args, sc_content *content);

/* The next steps free more than they take: for them there is memory when there is none. */
static inline void sc_op_frees(sc_txn *txn, bool frees) {
    txn->writer->frees = frees;
}

/* Which physical database a logical one is to the transaction's steps. */
static inline uint8_t sc_txn_db(const sc_txn *txn, uint32_t db) {
    return txn->remap ? txn->remap->database[db & (SC_MAP_ROOM - 1)] & SC_ENTRY_DB
                      : sc_physical_db(txn->writer->arena, db);
}

/* A transaction's writer, and its key: SC_SYNTAX if the key was not named at begin. The second form
 * is for steps that create nothing: a key too long for any entry is one that is not there. */
sc_writer *sc_tx_writer(sc_tx *tx);
int sc_tx_ref(sc_writer *writer, const sc_key *key, sc_ref *ref);
int sc_tx_ref_existing(sc_writer *writer, const sc_key *key, sc_ref *ref);
/* A step that failed takes its own changes back, to the log's `mark`; those before it stay. */
int sc_tx_step_end(sc_writer *writer, uint32_t mark, int status);

#endif
