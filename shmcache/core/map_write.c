/* Changing hashes and sets. See containers.h. */
#include "fields.h"
#include "map.h"

/* Where an element is in a container that is being changed. */
typedef struct spot {
    sc_root root;
    sc_path path;
    sc_item item;
    bool found, live;
} spot;

static int look(const sc_change *change, const sc_word *word, sc_bytes field, spot *spot) {
    if (!sc_place_root(&change->place, SC_TREE_MAIN, &spot->root)) return SC_CORRUPT;
    int status = sc_map_seek(&change->place, &spot->root, word, field, &spot->path, &spot->item);
    spot->found = status == SC_OK;
    spot->live = spot->found && !(spot->item.expire_ms && sc_is_past(spot->item.expire_ms));
    return status == SC_MISS ? SC_OK : status;
}

int sc_map_unpack(sc_change *change, uint32_t shape) {
    int status = sc_change_unpack(change);
    return status == SC_OK && shape > sc_view_shape(&change->place.found.view)
               ? sc_change_shape(change, shape)
               : status;
}

static uint32_t shape_with(const sc_change *change, uint32_t shape, uint64_t count, sc_bytes field,
                           sc_bytes value) {
    const sc_arena *arena = change->place.arena;
    int type = change->place.type;
    shape = sc_shape_for(arena, type, shape, count, &field, 0);
    return type == SC_HASH ? sc_shape_for(arena, type, shape, count, &value, 0) : shape;
}

/* The first element of a new container. */
static int create_map(sc_change *change, sc_bytes field, sc_bytes value) {
    int type = change->place.type;
    sc_bytes items[] = {field, value};
    sc_whole whole = {.type = type, .shape = sc_first_shape(type), .count = 1, .items = items};
    uint64_t offset;
    int status = sc_container_build(change->txn, &change->place.ref, &whole, &offset);
    return status == SC_OK ? sc_change_link(change, offset, 0) : status;
}

static int store_piece(sc_change *change, spot *spot, const sc_piece *piece) {
    if (change->place.packed) {
        return spot->found ? sc_packed_change(change, &spot->path, piece)
                           : sc_packed_add(change, &spot->path, piece);
    }
    sc_edit edit;
    int status = sc_change_edit(change, SC_TREE_MAIN, &edit);
    if (status != SC_OK) return status;
    return spot->found ? sc_tree_change(&edit, &spot->path, piece)
                       : sc_tree_add(&edit, &spot->path, piece);
}

/* One attempt; SC_UNCHANGED with *again when the container was converted meanwhile. */
static int put_field_once(sc_change *change, const sc_word *word, sc_bytes field, sc_bytes value,
                          uint32_t flags, bool *added, bool *again) {
    spot spot;
    sc_piece_room room;
    sc_piece piece;
    int type = change->place.type;
    int status = look(change, word, field, &spot);
    if (status != SC_OK) return status;
    if (flags & SC_PUT_NX && spot.live) return SC_UNCHANGED;
    if (flags & SC_PUT_XX && !spot.live) return SC_UNCHANGED;
    *added = !spot.live;
    if (type == SC_SET && spot.found) return SC_OK;
    uint32_t old = sc_view_shape(&change->place.found.view);
    uint32_t shape = shape_with(change, old, spot.root.count + (spot.found ? 0 : 1), field, value);
    if (change->place.packed && !sc_shape_is_small(shape)) {
        *again = true;
        return sc_map_unpack(change, shape);
    }
    uint32_t mark = change->txn->count;
    uint64_t expire_ms = flags & SC_PUT_KEEP_TTL && spot.live ? spot.item.expire_ms : 0;
    status = sc_piece_make(change->txn, spot.root.form, change->place.ref.hash, word, &value,
                           expire_ms, &room, &piece);
    if (status == SC_OK && spot.found) status = sc_item_free_chains(change->txn, &spot.item);
    if (status == SC_OK) status = store_piece(change, &spot, &piece);
    if (status == SC_UNCHANGED) {
        sc_txn_undo_to(change->txn, mark);
        *again = true;
        return sc_map_unpack(change, shape);
    }
    return status == SC_OK && shape != old ? sc_change_shape(change, shape) : status;
}

static int put_field(sc_change *change, sc_bytes field, sc_bytes value, uint32_t flags,
                     bool *added) {
    sc_word word;
    int status;
    bool again;
    sc_word_make(change->place.arena, &word, field.bytes, field.length, SC_HASHED);
    if (!change->exists) {
        *added = true;
        return flags & SC_PUT_XX ? SC_UNCHANGED : create_map(change, field, value);
    }
    do {
        again = false;
        status = put_field_once(change, &word, field, value, flags, added, &again);
    } while (again && status == SC_OK);
    return status;
}

int sc_map_put(sc_tx *tx, const sc_key *key, int type, sc_bytes field, sc_bytes value,
               uint32_t flags, bool *added) {
    sc_change change;
    bool is_new = false;
    int status = sc_change_begin(tx, key, type, &change);
    change.event = type == SC_SET ? SC_EVENT_SADD : SC_EVENT_HSET;
    if (status == SC_OK) status = put_field(&change, field, value, flags, &is_new);
    *added = is_new && status == SC_OK;
    return sc_change_end(&change, status);
}

/* ---- removing ---------------------------------------------------------------------------------*/

int sc_map_take_out(sc_change *change, const sc_root *root, sc_path *path) {
    if (root->count == 1) return sc_change_delete(change);
    if (change->place.packed) return sc_packed_drop(change, path, 1);
    sc_edit edit;
    int status = sc_change_edit(change, SC_TREE_MAIN, &edit);
    return status == SC_OK ? sc_tree_drop(&edit, path, 1) : status;
}

static int take_field(sc_change *change, spot *spot) {
    return sc_map_take_out(change, &spot->root, &spot->path);
}

static uint32_t removal_event(int type, bool live) {
    if (type == SC_SET) return SC_EVENT_SREM;
    return live ? SC_EVENT_HDEL : SC_EVENT_HEXPIRED;
}

int sc_map_remove(sc_tx *tx, const sc_key *key, int type, sc_bytes field) {
    sc_change change;
    spot spot;
    sc_word word;
    int status = sc_removal_begin(tx, key, type, &change);
    if (status == SC_OK) {
        sc_word_make(change.place.arena, &word, field.bytes, field.length, SC_HASHED);
        status = look(&change, &word, field, &spot);
    }
    if (status == SC_OK && !spot.found) status = SC_MISS;
    if (status == SC_OK) change.event = removal_event(type, spot.live);
    if (status == SC_OK) status = take_field(&change, &spot);
    status = sc_change_end(&change, status);
    return status == SC_OK && !spot.live ? SC_MISS : status; /* it is gone now, but was before */
}

int sc_set_pop(sc_tx *tx, const sc_key *key, sc_sink *member) {
    sc_change change;
    spot spot;
    int status = sc_removal_begin(tx, key, SC_SET, &change);
    change.event = SC_EVENT_SPOP;
    if (status == SC_OK) {
        bool whole = sc_place_root(&change.place, SC_TREE_MAIN, &spot.root) && spot.root.count;
        status = whole ? SC_OK : SC_CORRUPT;
    }
    if (status == SC_OK) {
        uint64_t rank = sc_random(change.txn->writer->arena) % spot.root.count;
        status = sc_path_at(change.place.arena, &spot.root, rank, &spot.path);
    }
    if (status == SC_OK && !sc_item_load(&spot.path.leaf, spot.path.index, &spot.item)) {
        status = SC_CORRUPT;
    }
    if (status == SC_OK) status = sc_place_sink(&change.place, &spot.item.key, member);
    if (status == SC_OK) status = take_field(&change, &spot);
    return sc_change_end(&change, status);
}

int sc_set_clear(sc_tx *tx, const sc_key *key) {
    sc_change change;
    int status = sc_removal_begin(tx, key, SC_SET, &change);
    change.event = SC_EVENT_SPOP;
    if (status == SC_OK) status = sc_change_delete(&change);
    return sc_change_end(&change, status);
}

/* ---- fields that expire -----------------------------------------------------------------------*/

/* The item as it is, but for its expiry. */
static void with_expiry(const sc_path *path, const sc_item *item, uint64_t expire_ms,
                        sc_piece_room *room, sc_piece *piece) {
    uint32_t bytes = item->bytes - (item->expire_ms ? 8 : 0);
    memcpy(room->bytes, path->leaf.base + item->at, bytes);
    if (expire_ms) memcpy(room->bytes + bytes, &expire_ms, 8);
    uint32_t slot = item->slot & ~(uint32_t)(SC_ITEM_AT | SC_ITEM_TTL);
    *piece = (sc_piece){.bytes = room->bytes,
                        .length = bytes + (expire_ms ? 8 : 0),
                        .slot = slot | (expire_ms ? SC_ITEM_TTL : 0)};
}

static int set_expiry(sc_change *change, const sc_word *word, sc_bytes field, uint64_t expire_ms) {
    spot spot;
    sc_piece_room room;
    sc_piece piece;
    for (;;) {
        int status = look(change, word, field, &spot);
        if (status != SC_OK) return status;
        if (!spot.live) return SC_MISS;
        with_expiry(&spot.path, &spot.item, expire_ms, &room, &piece);
        uint32_t mark = change->txn->count;
        status = store_piece(change, &spot, &piece);
        if (status == SC_UNCHANGED) {
            sc_txn_undo_to(change->txn, mark);
            status = sc_map_unpack(change, SC_LISTPACKEX);
            if (status != SC_OK) return status;
            continue;
        }
        if (status != SC_OK) return status;
        if (expire_ms && sc_view_shape(&change->place.found.view) == SC_LISTPACK) {
            status = sc_change_shape(change, SC_LISTPACKEX);
        }
        return status == SC_OK ? sc_fields_note(change, expire_ms) : status;
    }
}

int sc_map_set_expiry(sc_tx *tx, const sc_key *key, sc_bytes field, uint64_t expire_ms) {
    sc_change change;
    sc_word word;
    int status = sc_change_begin(tx, key, SC_HASH, &change);
    if (status == SC_OK && !change.exists) return SC_MISS;
    change.event = expire_ms ? SC_EVENT_HEXPIRE : SC_EVENT_HPERSIST;
    if (status == SC_OK) {
        sc_word_make(change.place.arena, &word, field.bytes, field.length, SC_HASHED);
        status = set_expiry(&change, &word, field, expire_ms);
    }
    return sc_change_end(&change, status);
}
