/* Transactions and their recovery. See txn.h. */
#include "txn.h"

#include <stdlib.h>

#include "dead.h"
#include "evict.h"
#include "heap.h"
#include "notes.h"
#include "tree.h"

/* ---- the log ----------------------------------------------------------------------------------*/

/* An overflow block: | next older block | unused | entries ... | */
static uint32_t overflow_entries(const sc_arena *arena) {
    return (uint32_t)((UINT64_C(1) << arena->page_shift) / sizeof(sc_log_entry)) - 1;
}

static sc_log_entry *overflow_block_entries(const sc_arena *arena, uint64_t block) {
    return (sc_log_entry *)sc_at(arena, block) + 1;
}

/* The overflow block that was used last: a long log is gone through block by block. */
typedef struct log_place {
    sc_log_entry *entries; /* NULL: none yet */
    uint32_t first;        /* index of its first entry */
} log_place;

/* Blocks of the overflow chain are newest first; the newest holds the highest indices. */
static void find_place(const sc_arena *arena, const sc_log *log, uint32_t index, log_place *place) {
    uint32_t per_block = overflow_entries(arena), blocks = 0;
    for (uint64_t block = log->overflow; block; block = *(uint64_t *)sc_at(arena, block))
        blocks++;
    uint32_t wanted = (index - (uint32_t)log->capacity) / per_block;
    uint64_t block = log->overflow;
    for (uint32_t i = blocks - 1; i > wanted; i--)
        block = *(uint64_t *)sc_at(arena, block);
    place->entries = overflow_block_entries(arena, block);
    place->first = (uint32_t)log->capacity + wanted * per_block;
}

static sc_log_entry *log_entry(const sc_arena *arena, const sc_log *log, sc_log_entry *entries,
                               uint32_t index, log_place *place) {
    if (index < log->capacity) return &entries[index];
    if (!place->entries || index - place->first >= overflow_entries(arena)) {
        find_place(arena, log, index, place);
    }
    return place->entries + (index - place->first);
}

sc_log_entry *sc_txn_entry_slow(sc_txn *txn, uint32_t index) {
    log_place place = {.entries = txn->overflow_block, .first = txn->overflow_base};
    sc_log_entry *entry = log_entry(txn->writer->arena, txn->log, txn->entries, index, &place);
    txn->overflow_block = place.entries;
    txn->overflow_base = place.first;
    return entry;
}

static uint32_t last_chunk_class(const sc_arena *arena) {
    return arena->classes.first_chunk + arena->classes.chunk_count - 1;
}

/* A log's memory comes back when the transaction ends: it may take what is kept for those who free,
 * and is worth evicting for. */
static bool log_refill(sc_txn *txn, uint32_t size_class) {
    sc_writer *writer = txn->writer;
    bool frees = writer->frees;
    writer->frees = true;
    bool refilled = sc_heap_refill(writer, size_class);
    if (!refilled && txn == &writer->main) {
        refilled = sc_make_room(writer, size_class) &&
                   (writer->slot->magazine[size_class].head || sc_heap_refill(writer, size_class));
    }
    writer->frees = frees;
    return refilled;
}

int sc_txn_reserve_slow(sc_txn *txn, uint32_t entries) {
    sc_arena *arena = txn->writer->arena;
    sc_slot *slot = txn->writer->slot;
    uint32_t size_class = last_chunk_class(arena);
    while (txn->count + entries > txn->capacity) {
        sc_magazine *magazine = &slot->magazine[size_class];
        if (!magazine->head && !log_refill(txn, size_class)) return SC_NO_MEMORY;
        uint64_t block = magazine->head;
        uint64_t *link = sc_at(arena, block);
        sc_put64(&txn->log->moving, block);
        sc_put64(&magazine->head, *link);
        sc_put64(&magazine->count, magazine->count - 1);
        sc_put64(link, txn->log->overflow);
        sc_put64(&txn->log->overflow, block);
        sc_put64(&txn->log->moving, 0);
        txn->overflow_block = overflow_block_entries(arena, block);
        txn->overflow_base = txn->capacity;
        txn->capacity += overflow_entries(arena);
    }
    return SC_OK;
}

/* ---- ending a log: by its owner and by recovery alike -------------------------------------------
 *
 * `slot` is whose log it is; `writer` is who acts, the owner itself or the recoverer. */

static bool is_magazine_head(const sc_arena *arena, const sc_slot *slot, uint64_t block) {
    uint32_t size_class = sc_class_of(arena, block);
    return size_class < SC_MAX_CLASSES && slot->magazine[size_class].head == block;
}

/* Does nothing when the block is the magazine's head: then a push was cut short just after it. */
static uint32_t push_once(sc_writer *writer, sc_slot *slot, uint64_t block) {
    uint32_t size_class = sc_class_of(writer->arena, block);
    if (SC_LIKELY(size_class < SC_MAX_CLASSES) && slot->magazine[size_class].head != block) {
        sc_magazine_push(writer->arena, slot, size_class, block);
    }
    return size_class;
}

/* After a push: a full magazine goes back to half, and a block of a page that is being emptied goes
 * back at once, so that it is not handed out again. */
static inline void trim(sc_writer *writer, sc_slot *slot, uint32_t size_class, uint64_t block) {
    if (SC_UNLIKELY(size_class >= SC_MAX_CLASSES)) return;
    uint64_t count = slot->magazine[size_class].count;
    uint64_t keep = writer->arena->classes.magazine[size_class];
    if (SC_UNLIKELY(count > 2 * keep)) {
        sc_heap_flush(writer, slot, size_class, keep);
    } else if (SC_UNLIKELY(sc_page_is_evacuating(writer->arena, block))) {
        sc_heap_flush(writer, slot, size_class, count ? count - 1 : 0);
    }
}

/* Chunks go from the chain that `entry->word` heads into magazines, one by one, each named by
 * `moving` on its way. */
static void free_chain(sc_writer *writer, sc_slot *slot, sc_log *log, sc_log_entry *entry) {
    while (entry->word) {
        uint64_t block = entry->word;
        sc_put64(&log->moving, block);
        sc_put64(&entry->word, sc_chunk_next(sc_at(writer->arena, block)));
        uint32_t size_class = push_once(writer, slot, block);
        sc_put64(&log->moving, 0);
        trim(writer, slot, size_class, block);
    }
}

/* A tree's blocks, always the last one first: cut short, it is a smaller tree. Of a damaged one the
 * rest is lost, and nothing worse. A large one is left to others. */
static __attribute__((noinline)) void free_tree(sc_writer *writer, sc_slot *slot, sc_log *log,
                                                sc_log_entry *entry) {
    if (sc_dead_add(writer, &entry->word)) return;
    while (entry->word) {
        sc_last last;
        if (!sc_tree_last(writer->arena, entry->word, &last)) {
            sc_put64(&entry->word, 0);
            return;
        }
        sc_put64(&log->moving, last.block);
        sc_tree_unhook(writer->arena, &entry->word, &last);
        if (!last.block) continue;
        uint32_t size_class = push_once(writer, slot, last.block);
        sc_put64(&log->moving, 0);
        trim(writer, slot, size_class, last.block);
    }
}

static void free_overflow(sc_writer *writer, sc_slot *slot, sc_log *log) {
    while (log->overflow) {
        uint64_t block = log->overflow;
        sc_put64(&log->moving, block);
        sc_put64(&log->overflow, *(uint64_t *)sc_at(writer->arena, block));
        uint32_t size_class = push_once(writer, slot, block);
        sc_put64(&log->moving, 0);
        trim(writer, slot, size_class, block);
    }
}

static void log_end(sc_writer *writer, sc_slot *slot, sc_log *log) {
    /* Idle before the overflow goes: its entries must not be looked at any more. */
    sc_put32(&log->count, 0);
    sc_put32(&log->state, SC_LOG_IDLE);
    if (SC_UNLIKELY(log->overflow)) free_overflow(writer, slot, log);
}

static void undo_entry(sc_writer *writer, sc_slot *slot, sc_log *log, sc_log_entry *entry) {
    switch (entry->where & SC_LOG_KIND_MASK) {
    case SC_LOG_STORE:
        sc_put64(sc_at(writer->arena, entry->where), entry->word);
        break;
    case SC_LOG_ALLOC:
        push_once(writer, slot, entry->word);
        break;
    case SC_LOG_ALLOC_CHAIN:
        free_chain(writer, slot, log, entry);
        break;
    default:
        break; /* frees did not happen */
    }
}

static void log_undo_to(sc_writer *writer, sc_slot *slot, sc_log *log, sc_log_entry *entries,
                        uint32_t count) {
    log_place place = {.entries = NULL};
    while (log->count > count) {
        undo_entry(writer, slot, log,
                   log_entry(writer->arena, log, entries, log->count - 1, &place));
        sc_put32(&log->count, log->count - 1);
    }
}

static void log_rollback(sc_writer *writer, sc_slot *slot, sc_log *log, sc_log_entry *entries) {
    log_undo_to(writer, slot, log, entries, 0);
    log_end(writer, slot, log);
}

static inline void free_entry(sc_writer *writer, sc_slot *slot, sc_log *log, sc_log_entry *entry) {
    uint64_t kind = entry->where & SC_LOG_KIND_MASK;
    if (kind == SC_LOG_FREE) {
        uint32_t size_class = push_once(writer, slot, entry->word);
        sc_put64(&entry->where, SC_LOG_DONE);
        trim(writer, slot, size_class, entry->word);
    } else if (kind == SC_LOG_FREE_CHAIN) {
        free_chain(writer, slot, log, entry);
        sc_put64(&entry->where, SC_LOG_DONE);
    } else if (kind == SC_LOG_FREE_TREE) {
        free_tree(writer, slot, log, entry);
        sc_put64(&entry->where, SC_LOG_DONE);
    }
}

static void log_finish(sc_writer *writer, sc_slot *slot, sc_log *log, sc_log_entry *entries) {
    log_place place = {.entries = NULL};
    for (uint32_t i = 0; i < log->count; i++) {
        free_entry(writer, slot, log, log_entry(writer->arena, log, entries, i, &place));
    }
    log_end(writer, slot, log);
}

/* A block was between two places. Where it is already linked again, nothing is owed. */
static void settle_moving(sc_writer *writer, sc_slot *slot, sc_log *log, sc_log_entry *entries) {
    uint64_t block = log->moving;
    if (!block) return;
    /* The chain that moves is being built or taken back while active, being freed once committed;
     * entries of the other kind may name the same chunk, but only as it was. */
    uint64_t moves = log->state == SC_LOG_COMMITTED ? SC_LOG_FREE_CHAIN : SC_LOG_ALLOC_CHAIN;
    bool linked = is_magazine_head(writer->arena, slot, block) || log->overflow == block;
    log_place place = {.entries = NULL};
    for (uint32_t i = 0; i < log->count && !linked; i++) {
        sc_log_entry *entry = log_entry(writer->arena, log, entries, i, &place);
        uint64_t kind = entry->where & SC_LOG_KIND_MASK;
        linked = kind == moves && entry->word == block;
        if (kind == SC_LOG_FREE_TREE && log->state == SC_LOG_COMMITTED && entry->word) {
            sc_last last;
            linked |= sc_tree_last(writer->arena, entry->word, &last) && last.block == block;
        }
    }
    if (!linked) push_once(writer, slot, block);
    sc_put64(&log->moving, 0);
}

void sc_log_recover(sc_writer *writer, sc_slot *slot, sc_log *log, sc_log_entry *entries) {
    if (log->state == SC_LOG_IDLE) sc_put32(&log->count, 0);
    if (log->feed) sc_notes_settle(writer->arena, log, log->state == SC_LOG_COMMITTED);
    settle_moving(writer, slot, log, entries);
    if (log->state == SC_LOG_ACTIVE) {
        log_rollback(writer, slot, log, entries);
    } else if (log->state == SC_LOG_COMMITTED) {
        log_finish(writer, slot, log, entries);
    } else {
        log_end(writer, slot, log);
    }
}

/* ---- stripes of a transaction
 * -------------------------------------------------------------------*/

static int held_add(sc_txn *txn, uint64_t stripe) {
    if (SC_UNLIKELY(txn->held_count == txn->held_room)) {
        uint32_t room = txn->held_room * 2;
        uint64_t *grown = malloc(room * sizeof *grown);
        if (!grown) return SC_NO_MEMORY;
        memcpy(grown, txn->held, txn->held_count * sizeof *grown);
        if (txn->held != txn->held_inline) free(txn->held);
        txn->held = grown;
        txn->held_room = room;
    }
    txn->held[txn->held_count++] = stripe;
    return SC_OK;
}

int sc_txn_lock(sc_txn *txn, uint64_t stripe) {
    int status = sc_stripe_lock(txn->writer, stripe, txn->held_count > 0);
    if (status != SC_OK) return status;
    status = held_add(txn, stripe);
    if (status != SC_OK) sc_stripe_unlock(txn->writer, stripe);
    return status;
}

bool sc_txn_trylock(sc_txn *txn, uint64_t stripe) {
    if (txn->writer->main.exclusive) { /* all are ours; those it has opened must stay so */
        if (sc_load64(&txn->writer->arena->stripes[stripe].sequence) & 1) return false;
        txn->exclusive = true;
        return held_add(txn, stripe) == SC_OK;
    }
    if (!sc_stripe_trylock(txn->writer, stripe)) return false;
    if (held_add(txn, stripe) == SC_OK) return true;
    sc_stripe_unlock(txn->writer, stripe);
    return false;
}

bool sc_txn_holds(const sc_txn *txn, uint64_t stripe) {
    if (txn->exclusive) return true;
    for (uint32_t i = 0; i < txn->held_count; i++) {
        if (txn->held[i] == stripe) return true;
    }
    return false;
}

void sc_txn_open(sc_txn *txn, uint64_t stripe) {
    sc_stripe_open(&txn->writer->arena->stripes[stripe]);
}

static void close_all(sc_txn *txn) {
    sc_arena *arena = txn->writer->arena;
    if (SC_UNLIKELY(txn->exclusive) && txn == &txn->writer->main) {
        for (uint64_t i = 0; i <= arena->stripe_mask; i++)
            sc_stripe_close(&arena->stripes[i]);
        return;
    }
    for (uint32_t i = 0; i < txn->held_count; i++)
        sc_stripe_close(&arena->stripes[txn->held[i]]);
}

static void unlock_all(sc_txn *txn) {
    if (!txn->exclusive) {
        while (txn->held_count)
            sc_stripe_unlock(txn->writer, txn->held[--txn->held_count]);
    } else if (txn == &txn->writer->main) {
        sc_exclusive_unlock(txn->writer);
    }
    txn->held_count = 0;
    txn->exclusive = false;
    if (SC_UNLIKELY(txn->held != txn->held_inline)) {
        free(txn->held);
        txn->held = txn->held_inline;
        txn->held_room = sizeof txn->held_inline / sizeof *txn->held_inline;
    }
}

/* ---- begin and end
 * ------------------------------------------------------------------------------*/

static void txn_forget(sc_txn *txn) {
    txn->count = 0;
    txn->capacity = (uint32_t)txn->log->capacity;
    txn->overflow_block = NULL;
    txn->has_frees = false;
    txn->now_ms = 0;
    sc_notes_forget(&txn->notes);
}

void sc_txn_begin(sc_txn *txn) {
    txn_forget(txn);
    if (txn == &txn->writer->main) txn->writer->frees = false;
    sc_put32(&txn->log->state, SC_LOG_ACTIVE);
}

/* The map's words go into the log while there is room for them, long before they change: the commit
 * that changes them must not fail. */
int sc_txn_remap(sc_txn *txn) {
    sc_arena *arena = txn->writer->arena;
    sc_header *header = arena->header;
    if (txn->remap) return SC_OK;
    const uint64_t *words = (const uint64_t *)(const void *)header->database;
    int status = sc_txn_reserve(txn, SC_MAP_ROOM / 8 + 1);
    if (status != SC_OK) return status;
    for (uint32_t i = 0; i < SC_MAP_ROOM / 8; i++)
        sc_txn_append(txn, sc_offset(arena, &words[i]) | SC_LOG_STORE, words[i]);
    sc_txn_append(txn, sc_offset(arena, &header->retired_dbs) | SC_LOG_STORE, header->retired_dbs);
    txn->remap = &txn->writer->remap;
    txn->remap->retired = header->retired_dbs;
    memcpy(txn->remap->database, header->database, SC_MAP_ROOM);
    return SC_OK;
}

/* Every stripe becomes odd first: a reader that looked its database up in the old map, or sees the
 * new one before all is committed, finds its sequence changed. See read.h. */
static __attribute__((noinline)) void publish_map(sc_txn *txn) {
    sc_arena *arena = txn->writer->arena;
    uint64_t words[SC_MAP_ROOM / 8];
    memcpy(words, txn->remap->database, sizeof words);
    for (uint64_t i = 0; i <= arena->stripe_mask; i++)
        sc_stripe_open(&arena->stripes[i]);
    for (uint32_t i = 0; i < SC_MAP_ROOM / 8; i++)
        sc_put64((uint64_t *)(void *)arena->header->database + i, words[i]);
    sc_put64(&arena->header->retired_dbs, txn->remap->retired);
    txn->remap = NULL;
}

void sc_txn_commit(sc_txn *txn) {
    sc_writer *writer = txn->writer;
    sc_log *log = txn->log;
    bool told = SC_UNLIKELY(txn->notes.used != 0);
    if (SC_UNLIKELY(txn->remap)) publish_map(txn);
    if (told) sc_notes_record(txn);
    sc_put32(&log->state, SC_LOG_COMMITTED);
    if (told && log->feed) sc_notes_settle(writer->arena, log, true);
    close_all(txn);
    unlock_all(txn);
    if (told) sc_notes_told(txn);
    if (txn->has_frees) {
        for (uint32_t i = 0; i < txn->count; i++) {
            free_entry(writer, writer->slot, log, sc_txn_entry(txn, i));
        }
    }
    log_end(writer, writer->slot, log);
    txn_forget(txn);
}

void sc_txn_abort(sc_txn *txn) {
    sc_writer *writer = txn->writer;
    txn->remap = NULL;
    log_rollback(writer, writer->slot, txn->log, txn->entries);
    close_all(txn);
    unlock_all(txn);
    txn_forget(txn);
}

void sc_txn_undo_to(sc_txn *txn, uint32_t count) {
    sc_writer *writer = txn->writer;
    log_undo_to(writer, writer->slot, txn->log, txn->entries, count);
    txn->count = count;
    sc_notes_undo(txn, count);
}

void sc_txn_free(sc_txn *txn, uint64_t block) {
    txn->has_frees = true;
    sc_txn_append(txn, SC_LOG_FREE, block);
}

void sc_txn_free_chain(sc_txn *txn, uint64_t first_chunk) {
    if (!first_chunk) return;
    txn->has_frees = true;
    sc_txn_append(txn, SC_LOG_FREE_CHAIN, first_chunk);
}

void sc_txn_free_tree(sc_txn *txn, uint64_t root_word) {
    if (!root_word) return;
    txn->has_frees = true;
    sc_txn_append(txn, SC_LOG_FREE_TREE, root_word);
}
