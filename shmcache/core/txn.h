/* Transactions: the undo log that makes a killed writer's work wholly applied or wholly absent.
 *
 * A log entry is (where | kind, word):
 *
 *   STORE        the word at `where` held `word`
 *   ALLOC        block `word` is leaving the magazine for this transaction
 *   ALLOC_CHAIN  so is each chunk of the chain that starts at `word`
 *   FREE         block `word` goes to the magazine once committed
 *   FREE_CHAIN   so does each chunk of the chain that starts at `word`
 *   FREE_TREE    so do all blocks of the tree whose root word (sc_tree.root) `word` was
 *   DONE         a FREE that was carried out
 *
 * Life of a log:   IDLE --begin--> ACTIVE --commit--> COMMITTED --frees done--> IDLE
 *                                    `--abort or death: roll back, newest first--> IDLE
 *
 * The one store that makes a transaction happen is `state = COMMITTED`. Before it, recovery
 * restores every word and gives the blocks back; after it, recovery makes the stripes' sequences
 * even and carries out the frees that are left. Both can be cut short and started over: restoring a
 * word twice is harmless, and a block on its way between a chain and a magazine is named by
 * `moving`, or recognised by being the magazine's head already.
 *
 * What a commit tells the feed is a record of a ring that `feed` names from just before that store
 * until just after it, so that recovery publishes or voids it (notes.h).
 *
 * A slot has two logs, so that evicting or moving somebody else's entry in the middle of a
 * transaction is a transaction of its own: `inner` begins and ends while `main` is active, and is
 * recovered first. */
#ifndef SC_TXN_H
#define SC_TXN_H

#include "internal.h"
#include "lock.h"

enum sc_log_kind {
    SC_LOG_STORE = 0,
    SC_LOG_ALLOC = 1,
    SC_LOG_ALLOC_CHAIN = 2,
    SC_LOG_FREE = 3,
    SC_LOG_FREE_CHAIN = 4,
    SC_LOG_DONE = 5,
    SC_LOG_FREE_TREE = 6,
    SC_LOG_KIND_MASK = 7,
};

void sc_txn_begin(sc_txn *txn);
/* Give a whole-arena transaction a map of databases of its own to change (txn->remap). Commit makes
 * it everybody's; SC_NO_MEMORY. */
int sc_txn_remap(sc_txn *txn);
/* Publish, unlock, free. */
void sc_txn_commit(sc_txn *txn);
/* Take back what was logged since `count` entries: a step that failed half-way. */
void sc_txn_undo_to(sc_txn *txn, uint32_t count);
/* Roll back, unlock. */
void sc_txn_abort(sc_txn *txn);

/* Lock a stripe for this transaction; the try form is for out-of-order takers. */
int sc_txn_lock(sc_txn *txn, uint64_t stripe);
bool sc_txn_trylock(sc_txn *txn, uint64_t stripe);
bool sc_txn_holds(const sc_txn *txn, uint64_t stripe);
/* Make a held stripe's changes invisible until commit. Needed before the first store to it. */
void sc_txn_open(sc_txn *txn, uint64_t stripe);

/* Room for `entries` more: call before each step that logs; SC_NO_MEMORY. */
int sc_txn_reserve_slow(sc_txn *txn, uint32_t entries);
static inline int sc_txn_reserve(sc_txn *txn, uint32_t entries) {
    return SC_LIKELY(txn->count + entries <= txn->capacity) ? SC_OK
                                                            : sc_txn_reserve_slow(txn, entries);
}
sc_log_entry *sc_txn_entry_slow(sc_txn *txn, uint32_t index);
static inline sc_log_entry *sc_txn_entry(sc_txn *txn, uint32_t index) {
    return SC_LIKELY(index < txn->log->capacity) ? &txn->entries[index]
                                                 : sc_txn_entry_slow(txn, index);
}

/* Append an entry; the count is stored last, so a half-written entry is never in force. */
static inline sc_log_entry *sc_txn_append(sc_txn *txn, uint64_t where, uint64_t word) {
    sc_log_entry *entry = sc_txn_entry(txn, txn->count);
    sc_put64(&entry->where, where);
    sc_put64(&entry->word, word);
    sc_put32(&txn->log->count, ++txn->count);
    return entry;
}
static inline void sc_txn_store64(sc_txn *txn, uint64_t *word, uint64_t value) {
    sc_txn_append(txn, sc_offset(txn->writer->arena, word) | SC_LOG_STORE, *word);
    sc_put64(word, value);
}
/* Half a word: the whole word is what is logged, so both halves must be under the same lock. */
static inline void sc_txn_store32(sc_txn *txn, uint32_t *half, uint32_t value) {
    uint64_t *word = (uint64_t *)((uintptr_t)half & ~(uintptr_t)7);
    sc_txn_append(txn, sc_offset(txn->writer->arena, word) | SC_LOG_STORE, *word);
    sc_put32(half, value);
}
static inline void sc_txn_add(sc_txn *txn, int64_t *counter, int64_t by) {
    sc_txn_store64(txn, (uint64_t *)counter, (uint64_t)(*counter + by));
}

static inline uint64_t sc_chunk_next(const sc_chunk *chunk) {
    return (sc_load64(&chunk->link) & ((UINT64_C(1) << SC_OFFSET_BITS) - 1)) << 3;
}
static inline uint64_t sc_chunk_length(const sc_chunk *chunk) {
    return sc_load64(&chunk->link) >> SC_OFFSET_BITS;
}
static inline uint64_t sc_chunk_link(uint64_t length, uint64_t next) {
    return length << SC_OFFSET_BITS | next >> 3;
}

/* Blocks. A freed block stays readable (and linked, for readers) until the commit is published. */
void sc_txn_free(sc_txn *txn, uint64_t block);
void sc_txn_free_chain(sc_txn *txn, uint64_t first_chunk);
/* A tree, or the chains of a packed leaf. However large it is, nobody waits: it goes after the
 * stripes were published. */
void sc_txn_free_tree(sc_txn *txn, uint64_t root_word);

/* Recovery: end whatever `log` was in the middle of. The slot's owner is dead. */
void sc_log_recover(sc_writer *writer, sc_slot *slot, sc_log *log, sc_log_entry *entries);

#endif
