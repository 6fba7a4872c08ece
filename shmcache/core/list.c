/* Lists. See containers.h. */
#include "container.h"

/* ---- reading ----------------------------------------------------------------------------------*/

int sc_list_at(sc_session *session, const sc_key *key, int64_t index, sc_sink *value) {
    sc_place place;
    sc_root root;
    sc_path path;
    sc_item item;
    int status = sc_place_find(session, key, SC_LIST, &place);
    if (status != SC_OK) return status;
    if (!sc_place_root(&place, SC_TREE_MAIN, &root)) return SC_CORRUPT;
    if (index < 0) index += (int64_t)root.count;
    if (index < 0 || (uint64_t)index >= root.count) return SC_MISS;
    status = sc_path_at(place.arena, &root, (uint64_t)index, &path);
    if (status != SC_OK) return status;
    if (path.index >= path.leaf.head.count || !sc_item_load(&path.leaf, path.index, &item)) {
        return SC_CORRUPT;
    }
    return sc_place_sink(&place, &item.key, value);
}

static int give_elements(const sc_place *place, const sc_root *root, uint64_t from, uint64_t count,
                         sc_items *items) {
    sc_path path;
    int status = sc_path_at(place->arena, root, from, &path);
    while (status == SC_OK) {
        for (uint32_t i = path.index; i < path.leaf.head.count; i++) {
            sc_item item;
            if (!sc_item_load(&path.leaf, i, &item)) return SC_CORRUPT;
            int given = sc_place_item(place, &item.key, items);
            if (given != SC_OK) return given;
            if (!--count) return SC_OK;
        }
        status = sc_path_next(place->arena, &path);
    }
    return status == SC_MISS ? SC_CORRUPT : status;
}

int sc_list_range(sc_session *session, const sc_key *key, int64_t start, int64_t stop,
                  sc_items *items) {
    sc_place place;
    sc_root root;
    int status = sc_place_find(session, key, SC_LIST, &place);
    if (status != SC_OK) return status;
    if (!sc_place_root(&place, SC_TREE_MAIN, &root)) return SC_CORRUPT;
    int64_t length = (int64_t)root.count;
    if (start < 0) start = start < -length ? 0 : start + length;
    if (stop < 0) stop = stop < -length ? -1 : stop + length;
    if (stop >= length) stop = length - 1;
    if (start > stop || start >= length) return SC_OK;
    return give_elements(&place, &root, (uint64_t)start, (uint64_t)(stop - start) + 1, items);
}

/* ---- writing ----------------------------------------------------------------------------------*/

/* Bytes of the elements, near enough to choose a shape by. */
static uint64_t about_bytes(const sc_change *change, const sc_root *root) {
    sc_leaf leaf;
    sc_node node;
    const sc_arena *arena = change->place.arena;
    if (root->height) {
        if (!sc_node_load(arena, &node, root->offset, root->height, 0)) return 0;
        return root->height > 1 ? UINT64_MAX / 2
                                : (uint64_t)node.head.count * SC_LEAF_MOST * 9 / 10;
    }
    if (!root->offset || !sc_leaf_load(arena, &leaf, root->offset, SC_SEQUENCE)) return 0;
    return leaf.head.limit - leaf.head.low + 2u * leaf.head.count;
}

static int create_list(sc_change *change, sc_bytes value) {
    sc_whole whole = {
        .type = SC_LIST, .shape = sc_first_shape(SC_LIST), .count = 1, .items = &value};
    uint64_t offset;
    int status = sc_container_build(change->txn, &change->place.ref, &whole, &offset);
    return status == SC_OK ? sc_change_link(change, offset, 0) : status;
}

static int unpack_list(sc_change *change, uint32_t shape) {
    int status = sc_change_unpack(change);
    return status == SC_OK && shape > sc_view_shape(&change->place.found.view)
               ? sc_change_shape(change, shape)
               : status;
}

/* Put an element before `index`, or (`replace`) in the place of the one there. */
static int put_element_once(sc_change *change, uint64_t index, bool replace, sc_bytes value,
                            bool *again) {
    sc_root root;
    sc_path path;
    sc_item item;
    sc_word word;
    sc_piece_room room;
    sc_piece piece;
    sc_place *place = &change->place;
    *again = false;
    if (!sc_place_root(place, SC_TREE_MAIN, &root)) return SC_CORRUPT;
    if (index > root.count || (replace && index == root.count)) return SC_MISS;
    int status = sc_path_at(place->arena, &root, index, &path);
    if (status != SC_OK) return status;
    uint32_t old = sc_view_shape(&place->found.view);
    uint64_t bytes = about_bytes(change, &root) + value.length + 2;
    uint32_t shape = sc_shape_for(place->arena, SC_LIST, old, root.count + !replace, &value, bytes);
    *again = place->packed && !sc_shape_is_small(shape);
    if (*again) return unpack_list(change, shape);
    uint32_t mark = change->txn->count;
    sc_word_make(place->arena, &word, value.bytes, value.length, SC_SEQUENCE);
    status = sc_piece_make(change->txn, root.form, place->ref.hash, &word, NULL, 0, &room, &piece);
    if (status == SC_OK && replace) {
        if (!sc_item_load(&path.leaf, path.index, &item)) return SC_CORRUPT;
        status = sc_item_free_chains(change->txn, &item);
    }
    if (status != SC_OK) return status;
    sc_edit edit;
    if (!place->packed) status = sc_change_edit(change, SC_TREE_MAIN, &edit);
    if (status != SC_OK) return status;
    if (replace) {
        status = place->packed ? sc_packed_change(change, &path, &piece)
                               : sc_tree_change(&edit, &path, &piece);
    } else {
        status = place->packed ? sc_packed_add(change, &path, &piece)
                               : sc_tree_add(&edit, &path, &piece);
    }
    if (status == SC_UNCHANGED) {
        sc_txn_undo_to(change->txn, mark);
        *again = true;
        return unpack_list(change, shape);
    }
    return status == SC_OK && shape != old ? sc_change_shape(change, shape) : status;
}

static int put_element(sc_change *change, uint64_t index, bool replace, sc_bytes value) {
    int status;
    bool again;
    do {
        status = put_element_once(change, index, replace, value, &again);
    } while (status == SC_OK && again);
    return status;
}

int sc_list_push(sc_tx *tx, const sc_key *key, sc_bytes value, bool left, bool must_exist,
                 uint64_t *length) {
    sc_change change;
    uint64_t before = 0;
    *length = 0;
    int status = sc_change_begin(tx, key, SC_LIST, &change);
    if (status != SC_OK) return sc_change_end(&change, status);
    change.event = left ? SC_EVENT_LPUSH : SC_EVENT_RPUSH;
    if (!change.exists) {
        if (must_exist) return SC_MISS;
        status = create_list(&change, value);
    } else {
        before = sc_container_length(change.place.arena, &change.place.found.view);
        status = put_element(&change, left ? 0 : before, false, value);
    }
    if (status == SC_OK) *length = before + 1;
    return sc_change_end(&change, status);
}

int sc_list_replace(sc_tx *tx, const sc_key *key, uint64_t index, sc_bytes value) {
    sc_change change;
    int status = sc_change_begin(tx, key, SC_LIST, &change);
    if (status == SC_OK && !change.exists) return SC_MISS;
    change.event = SC_EVENT_LSET;
    if (status == SC_OK) status = put_element(&change, index, true, value);
    return sc_change_end(&change, status);
}

int sc_list_insert(sc_tx *tx, const sc_key *key, uint64_t index, sc_bytes value) {
    sc_change change;
    int status = sc_change_begin(tx, key, SC_LIST, &change);
    if (status == SC_OK && !change.exists) return SC_MISS;
    change.event = SC_EVENT_LINSERT;
    if (status == SC_OK) status = put_element(&change, index, false, value);
    return sc_change_end(&change, status);
}

/* Remove elements from `index` on: at most `count`, as many as are in the same leaf. The one and
 * only is given to `value` first, if that is wanted. */
static int remove_elements(sc_change *change, uint64_t index, uint64_t count, sc_sink *value,
                           uint64_t *removed) {
    sc_root root;
    sc_path path;
    sc_item item;
    sc_edit edit;
    sc_place *place = &change->place;
    if (!sc_place_root(place, SC_TREE_MAIN, &root)) return SC_CORRUPT;
    int status = sc_path_at(place->arena, &root, index, &path);
    if (status != SC_OK) return status;
    if (path.index >= path.leaf.head.count || !sc_item_load(&path.leaf, path.index, &item)) {
        return SC_CORRUPT;
    }
    if (value) status = sc_place_sink(place, &item.key, value);
    if (status != SC_OK) return status;
    uint32_t here = path.leaf.head.count - path.index;
    if (count < here) here = (uint32_t)count;
    *removed = here;
    if (root.count == here) return sc_change_delete(change);
    if (place->packed) return sc_packed_drop(change, &path, here);
    status = sc_change_edit(change, SC_TREE_MAIN, &edit);
    return status == SC_OK ? sc_tree_drop(&edit, &path, here) : status;
}

int sc_list_pop(sc_tx *tx, const sc_key *key, bool left, sc_sink *value) {
    sc_change change;
    uint64_t removed;
    int status = sc_removal_begin(tx, key, SC_LIST, &change);
    change.event = left ? SC_EVENT_LPOP : SC_EVENT_RPOP;
    if (status == SC_OK) {
        uint64_t length = sc_container_length(change.place.arena, &change.place.found.view);
        status = length ? remove_elements(&change, left ? 0 : length - 1, 1, value, &removed)
                        : SC_CORRUPT;
    }
    return sc_change_end(&change, status);
}

int sc_list_remove(sc_tx *tx, const sc_key *key, uint64_t index, uint64_t count) {
    sc_change change;
    int status = sc_removal_begin(tx, key, SC_LIST, &change);
    change.event = SC_EVENT_LREM;
    if (status != SC_OK) return sc_change_end(&change, status);
    uint64_t length = sc_container_length(change.place.arena, &change.place.found.view);
    if (index >= length) return sc_change_end(&change, SC_MISS);
    if (count > length - index) count = length - index;
    if (count == length) return sc_change_end(&change, sc_change_delete(&change));
    while (status == SC_OK && count) {
        uint64_t removed = 0;
        status = remove_elements(&change, index, count, NULL, &removed);
        count -= removed;
    }
    return sc_change_end(&change, status);
}
