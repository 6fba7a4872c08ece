/* Hash fields that expire. See fields.h. */
#include "fields.h"

#include "map.h"
#include "table.h"

#define SC_FIELD_BATCH 64 /* fields that one transaction removes */

/* Where a hash in trees keeps when its first field expires; 0 = none does. */
static uint64_t *next_of_tree(const sc_arena *arena, const sc_view *view) {
    sc_tree *tree = sc_at(arena, view->offset + view->body_at);
    return (uint64_t *)(void *)(tree + 1);
}

/* The earliest expiry among a hash's fields, 0 without one; of a tree as its entry has it. */
static uint64_t earliest_of(const sc_arena *arena, const sc_view *view) {
    uint64_t earliest = 0;
    sc_leaf leaf;
    sc_item item;
    if (view->body_at) return sc_load64(next_of_tree(arena, view));
    if (sc_view_shape(view) != SC_LISTPACKEX) return 0;
    uint64_t place = view->offset + sc_view_leaf_at(view);
    if (!sc_leaf_load(arena, &leaf, place, SC_HASHED)) return 0;
    for (uint32_t i = 0; i < leaf.head.count; i++) {
        if (!sc_item_load(&leaf, i, &item)) break;
        if (item.expire_ms && (!earliest || item.expire_ms < earliest)) earliest = item.expire_ms;
    }
    return earliest;
}

static void note_in_stripe(sc_txn *txn, uint64_t index, uint64_t expire_ms) {
    sc_stripe *stripe = &txn->writer->arena->stripes[index];
    if (!expire_ms) return;
    if (stripe->next_field_expiry && stripe->next_field_expiry <= expire_ms) return;
    sc_txn_store64(txn, &stripe->next_field_expiry, expire_ms);
}

int sc_fields_note(sc_change *change, uint64_t expire_ms) {
    const sc_place *place = &change->place;
    if (!expire_ms) return SC_OK;
    int status = sc_txn_reserve(change->txn, 2);
    if (status != SC_OK) return status;
    note_in_stripe(change->txn, place->ref.stripe, expire_ms);
    if (place->packed) return SC_OK;
    uint64_t *next = next_of_tree(place->arena, &place->found.view);
    if (*next && *next <= expire_ms) return SC_OK;
    sc_txn_open(change->txn, place->ref.stripe);
    sc_txn_store64(change->txn, next, expire_ms);
    return SC_OK;
}

void sc_fields_linked(sc_txn *txn, uint64_t stripe, uint64_t offset) {
    sc_view view;
    const sc_arena *arena = txn->writer->arena;
    if (!sc_view_load(arena, &view, offset)) return;
    note_in_stripe(txn, stripe, earliest_of(arena, &view));
}

/* ---- sweeping ---------------------------------------------------------------------------------*/

/* Remove the hash's dead fields, a batch at most. *earliest: of those that stay. SC_UNCHANGED:
 * there are more. */
static int sweep_hash(sc_change *change, uint64_t now_ms, uint64_t *removed, uint64_t *earliest) {
    uint64_t rank = 0, batch = 0;
    *earliest = 0;
    while (change->exists) {
        sc_root root;
        sc_path path;
        sc_item item;
        if (!sc_place_root(&change->place, SC_TREE_MAIN, &root)) return SC_CORRUPT;
        if (rank >= root.count) return SC_OK;
        int status = sc_path_at(change->place.arena, &root, rank, &path);
        if (status != SC_OK) return status;
        for (; path.index < path.leaf.head.count; path.index++, rank++) {
            if (!sc_item_load(&path.leaf, path.index, &item)) return SC_CORRUPT;
            if (item.expire_ms && item.expire_ms <= now_ms) break;
            if (item.expire_ms && (!*earliest || item.expire_ms < *earliest)) {
                *earliest = item.expire_ms;
            }
        }
        if (path.index == path.leaf.head.count) continue;
        if (batch++ == SC_FIELD_BATCH) return SC_UNCHANGED;
        status = sc_map_take_out(change, &root, &path);
        if (status == SC_OK) status = sc_change_again(change);
        if (status != SC_OK) return status;
        sc_note_change(change->txn, &change->place.ref, SC_EVENT_HEXPIRED, SC_NOTE_ONCE);
        ++*removed;
    }
    return SC_OK;
}

static int sweep_entry(sc_writer *writer, uint64_t stripe, const sc_view *view, uint64_t now_ms,
                       uint64_t *removed) {
    sc_arena *arena = writer->arena;
    sc_change change = {
        .txn = &writer->inner, .mark = writer->inner.count, .event = SC_EVENT_HEXPIRED};
    change.place = (sc_place){.arena = arena, .type = SC_HASH};
    sc_ref_make_physical(arena, &change.place.ref,
                         (const char *)sc_at(arena, view->offset + view->key_at),
                         view->head.key_bytes, view->head.flags & SC_ENTRY_DB);
    int status = change.place.ref.stripe == stripe ? sc_change_again(&change) : SC_CORRUPT;
    if (status != SC_OK || !change.exists) return status;
    uint64_t earliest;
    status = sweep_hash(&change, now_ms, removed, &earliest);
    if (status != SC_OK || !change.exists || change.place.packed) return status;
    status = sc_txn_reserve(&writer->inner, 1);
    if (status != SC_OK) return status;
    sc_txn_open(&writer->inner, stripe);
    sc_txn_store64(&writer->inner, next_of_tree(arena, &change.place.found.view), earliest);
    return SC_OK;
}

/* The first hash of a stripe with a field that is due; *earliest: of the others' fields. */
static bool find_due(const sc_arena *arena, uint64_t index, uint64_t now_ms, sc_view *due,
                     uint64_t *earliest) {
    const sc_stripe *stripe = &arena->stripes[index];
    *earliest = 0;
    for (uint32_t bucket = 0; stripe->buckets && bucket <= stripe->buckets; bucket++) {
        const uint64_t *slots = sc_bucket(arena, stripe->segment, bucket);
        for (int i = 0; slots && i < SC_BUCKET_SLOTS; i++) {
            sc_view view;
            if (!slots[i] || !sc_view_load(arena, &view, SC_SLOT_OFFSET(slots[i]))) continue;
            if (sc_type_of(view.head.encoding) != SC_HASH) continue;
            uint64_t expiry = sc_view_is_dead(arena, &view) ? 0 : earliest_of(arena, &view);
            if (expiry && expiry <= now_ms) {
                *due = view;
                return true;
            }
            if (expiry && (!*earliest || expiry < *earliest)) *earliest = expiry;
        }
    }
    return false;
}

/* One hash, in one transaction; false when the stripe has no more that is due, or is busy. */
static bool sweep_next(sc_writer *writer, uint64_t index, uint64_t now_ms, uint64_t *removed) {
    sc_view view;
    uint64_t earliest, some = 0;
    int status = SC_OK;
    sc_txn_begin(&writer->inner);
    bool more = sc_txn_trylock(&writer->inner, index);
    if (!more) {
        sc_txn_abort(&writer->inner);
        return false;
    }
    more = find_due(writer->arena, index, now_ms, &view, &earliest);
    if (more) {
        status = sweep_entry(writer, index, &view, now_ms, &some);
    } else {
        sc_txn_store64(&writer->inner, &writer->arena->stripes[index].next_field_expiry, earliest);
    }
    if (status != SC_OK && status != SC_UNCHANGED) { /* memory is short: another time */
        sc_txn_abort(&writer->inner);
        return false;
    }
    sc_txn_commit(&writer->inner);
    *removed += some;
    return more;
}

uint64_t sc_sweep_fields(sc_writer *writer, uint64_t stripe, uint64_t now_ms) {
    uint64_t removed = 0;
    while (sweep_next(writer, stripe, now_ms, &removed)) {
    }
    return removed;
}
