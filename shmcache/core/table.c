/* Sub-tables. See table.h. */
#include "table.h"

#include <stdlib.h>

#include "evict.h"
#include "heap.h"

#define SC_PUSH_MOST 8 /* buckets that an insert may push slots along */

static uint32_t segment_buckets(const sc_arena *arena) {
    return 1u << arena->segment_shift;
}

static uint64_t *bucket_of(const sc_arena *arena, const sc_table *table, uint32_t index) {
    return sc_bucket(arena, table->segment, index);
}

static uint64_t *free_slot(uint64_t *slots) {
    for (int i = 0; i < SC_BUCKET_SLOTS; i++) {
        if (!slots[i]) return &slots[i];
    }
    return NULL;
}

/* A store into a table: logged when readers can see it already. */
static void slot_store(sc_txn *txn, uint64_t *slot, uint64_t word) {
    if (txn) {
        sc_txn_store64(txn, slot, word);
    } else {
        sc_put64(slot, word);
    }
}

/* Free a slot of `bucket` by pushing one of the slots whose home it is into the next bucket, which
 * has room; NULL when none of them is at home here. */
static uint64_t *push_along(sc_txn *txn, const sc_arena *arena, const sc_table *table,
                            uint32_t bucket, uint64_t *room) {
    uint64_t *slots = bucket_of(arena, table, bucket);
    for (int i = 0; slots && i < SC_BUCKET_SLOTS; i++) {
        if (sc_home(table->buckets, SC_SLOT_TAG(slots[i])) != bucket) continue;
        slot_store(txn, room, slots[i]);
        slot_store(txn, &slots[i], 0);
        return &slots[i];
    }
    return NULL;
}

static bool can_push_along(const sc_arena *arena, const sc_table *table, uint32_t bucket) {
    const uint64_t *slots = bucket_of(arena, table, bucket);
    for (int i = 0; slots && i < SC_BUCKET_SLOTS; i++) {
        if (sc_home(table->buckets, SC_SLOT_TAG(slots[i])) == bucket) return true;
    }
    return false;
}

/* Make room in `bucket`, which is full. */
static uint64_t *room_by_pushing(sc_txn *txn, const sc_arena *arena, const sc_table *table,
                                 uint32_t bucket) {
    uint32_t last = bucket + SC_PUSH_MOST < table->buckets ? bucket + SC_PUSH_MOST : table->buckets;
    for (uint32_t end = bucket + 1; end <= last; end++) {
        if (!can_push_along(arena, table, end - 1)) return NULL;
        uint64_t *slots = bucket_of(arena, table, end);
        uint64_t *room = slots ? free_slot(slots) : NULL;
        if (!room) continue;
        for (uint32_t from = end; from-- > bucket && room;) {
            room = push_along(txn, arena, table, from, room);
        }
        return room;
    }
    return NULL;
}

static bool table_place(sc_txn *txn, const sc_arena *arena, const sc_table *table, uint64_t word) {
    uint32_t home = sc_home(table->buckets, SC_SLOT_TAG(word));
    uint64_t *first = bucket_of(arena, table, home);
    uint64_t *second = bucket_of(arena, table, home + 1);
    if (!first || !second) return false;
    uint64_t *slot = free_slot(first);
    if (!slot) slot = free_slot(second);
    if (!slot) slot = room_by_pushing(txn, arena, table, home + 1);
    if (!slot) return false;
    slot_store(txn, slot, word);
    return true;
}

/* ---- growing and shrinking --------------------------------------------------------------------*/

/* Allocate a table of at least `wanted` buckets, the overflow one included, zeroed. Nobody's entry
 * is worth evicting for a smaller table: only growing may. */
static int table_allocate(sc_txn *txn, uint32_t wanted, bool evict, sc_table *table) {
    sc_arena *arena = txn->writer->arena;
    uint32_t whole = segment_buckets(arena), total = 0;
    memset(table, 0, sizeof *table);
    for (uint32_t i = 0; total < wanted; i++) {
        if (i == SC_TABLE_SEGMENTS) return SC_NO_MEMORY;
        uint32_t rest = wanted - total;
        uint32_t size_class = sc_class_for_table(arena, rest < whole ? rest : whole);
        int status = sc_txn_reserve(txn, SC_TABLE_LOG_MOST);
        uint64_t block = 0;
        if (status == SC_OK) {
            block = evict ? sc_take(txn, size_class) : sc_heap_take(txn, size_class);
        }
        if (!block) return SC_NO_MEMORY;
        uint64_t *words = sc_at(arena, block);
        sc_fill_fence();
        for (uint32_t w = 0; w < arena->classes.bytes[size_class] / 8; w++) {
            __atomic_store_n(&words[w], 0, __ATOMIC_RELAXED);
        }
        table->segment[i] = block;
        total += arena->classes.bytes[size_class] / SC_BUCKET_BYTES;
    }
    table->buckets = total - 1;
    return SC_OK;
}

static void table_load(const sc_stripe *stripe, sc_table *table) {
    table->buckets = stripe->buckets;
    memcpy(table->segment, stripe->segment, sizeof table->segment);
}

static bool table_refill(const sc_arena *arena, const sc_table *from, const sc_table *to) {
    for (uint32_t b = 0; from->buckets && b <= from->buckets; b++) {
        const uint64_t *slots = bucket_of(arena, from, b);
        for (int i = 0; slots && i < SC_BUCKET_SLOTS; i++) {
            if (slots[i] && !table_place(NULL, arena, to, slots[i])) return false;
        }
    }
    return true;
}

static void table_publish(sc_txn *txn, sc_stripe *stripe, const sc_table *table) {
    for (int i = 0; i < SC_TABLE_SEGMENTS; i++) {
        if (stripe->segment[i]) sc_txn_free(txn, stripe->segment[i]);
        if (stripe->segment[i] != table->segment[i]) {
            sc_txn_store64(txn, &stripe->segment[i], table->segment[i]);
        }
    }
    sc_txn_store32(txn, &stripe->buckets, table->buckets);
}

static void table_discard(sc_txn *txn, const sc_table *table) {
    for (int i = 0; i < SC_TABLE_SEGMENTS; i++) {
        if (table->segment[i]) sc_txn_free(txn, table->segment[i]);
    }
}

/* Rebuild with at least `wanted` buckets. */
static int table_rebuild(sc_txn *txn, sc_stripe *stripe, uint32_t wanted) {
    sc_table old, fresh;
    bool growing = wanted > stripe->buckets;
    table_load(stripe, &old);
    for (;;) {
        int status = table_allocate(txn, wanted, growing, &fresh);
        if (status != SC_OK) {
            if (sc_txn_reserve(txn, SC_TABLE_LOG_MOST) == SC_OK) table_discard(txn, &fresh);
            return status;
        }
        if (table_refill(txn->writer->arena, &old, &fresh)) break;
        table_discard(txn, &fresh);
        wanted += wanted / 4 + 1;
    }
    table_publish(txn, stripe, &fresh);
    return SC_OK;
}

static uint32_t grown(uint32_t total) {
    return total < 8 ? total + 1 + total / 2 : total + total / 5 + 1;
}

int sc_table_insert(sc_txn *txn, const sc_ref *ref, uint64_t offset, uint64_t expire_ms) {
    sc_arena *arena = txn->writer->arena;
    sc_stripe *stripe = &arena->stripes[ref->stripe];
    uint64_t word = sc_slot_word(offset, ref->tag, expire_ms != 0);
    int status = sc_txn_reserve(txn, SC_TABLE_LOG_MOST);
    if (status != SC_OK) return status;
    for (;;) {
        sc_table table;
        table_load(stripe, &table);
        if (table.buckets && table_place(txn, arena, &table, word)) break;
        status = table_rebuild(txn, stripe, table.buckets ? grown(table.buckets + 1) : 2);
        if (status != SC_OK) return status;
        status = sc_txn_reserve(txn, SC_TABLE_LOG_MOST);
        if (status != SC_OK) return status;
    }
    sc_txn_store32(txn, &stripe->keys, stripe->keys + 1);
    sc_txn_add(txn, &txn->counters->keys[ref->db], 1);
    if (expire_ms) {
        sc_txn_add(txn, &txn->counters->expires[ref->db], 1);
        if (expire_ms < stripe->next_expiry) sc_txn_store64(txn, &stripe->next_expiry, expire_ms);
    }
    return SC_OK;
}

void sc_table_replace(sc_txn *txn, const sc_ref *ref, const sc_found *found, uint64_t offset,
                      uint64_t expire_ms) {
    sc_stripe *stripe = &txn->writer->arena->stripes[ref->stripe];
    sc_txn_store64(txn, found->slot, sc_slot_word(offset, ref->tag, expire_ms != 0));
    int64_t change = (expire_ms != 0) - (found->view.expire_at != 0);
    if (change) sc_txn_add(txn, &txn->counters->expires[ref->db], change);
    if (expire_ms && expire_ms < stripe->next_expiry) {
        sc_txn_store64(txn, &stripe->next_expiry, expire_ms);
    }
}

void sc_table_remove(sc_txn *txn, uint64_t index, const sc_found *found) {
    sc_stripe *stripe = &txn->writer->arena->stripes[index];
    uint8_t db = found->view.head.flags & SC_ENTRY_DB;
    sc_txn_store64(txn, found->slot, 0);
    sc_txn_store32(txn, &stripe->keys, stripe->keys - 1);
    sc_txn_add(txn, &txn->counters->keys[db], -1);
    if (found->view.expire_at) sc_txn_add(txn, &txn->counters->expires[db], -1);
}

void sc_table_shrink(sc_txn *txn, uint64_t index) {
    sc_stripe *stripe = &txn->writer->arena->stripes[index];
    if (!sc_table_is_sparse(stripe->buckets, stripe->keys)) return;
    uint32_t wanted = stripe->keys / (SC_BUCKET_SLOTS / 2) + 2;
    if (wanted < stripe->buckets) table_rebuild(txn, stripe, wanted);
}
