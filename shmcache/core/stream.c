/* Streams: some ordered maps and some bytes under one key. See containers.h. */
#include "container.h"

static char *meta_of(const sc_place *place) {
    const sc_view *view = &place->found.view;
    return (char *)sc_at(place->arena, view->offset + view->body_at) +
           SC_STREAM_TREES * sizeof(sc_tree);
}

/* ---- reading ----------------------------------------------------------------------------------*/

int sc_stream_meta(sc_session *session, const sc_key *key, char meta[SC_STREAM_META]) {
    sc_place place;
    int status = sc_place_find(session, key, SC_STREAM, &place);
    if (status == SC_OK) sc_copy(meta, meta_of(&place), SC_STREAM_META);
    return status;
}

static int find_pairs(sc_session *session, const sc_key *key, uint32_t tree, sc_place *place,
                      sc_root *root) {
    if (tree >= SC_STREAM_TREES) return SC_SYNTAX;
    int status = sc_place_find(session, key, SC_STREAM, place);
    if (status != SC_OK) return status;
    return sc_place_root(place, tree, root) ? SC_OK : SC_CORRUPT;
}

int sc_tree_get(sc_session *session, const sc_key *key, uint32_t tree, sc_bytes name,
                sc_sink *value) {
    sc_place place;
    sc_root root;
    sc_path path;
    sc_item item;
    bool equal = false;
    int status = find_pairs(session, key, tree, &place, &root);
    if (status == SC_OK) status = sc_path_seek(place.arena, &root, name, &path, &equal);
    if (status != SC_OK) return status;
    if (!equal) return SC_MISS;
    if (!sc_item_load(&path.leaf, path.index, &item)) return SC_CORRUPT;
    return value ? sc_place_sink(&place, &item.value, value) : SC_OK;
}

/* Go to the first item from `least` on, or (`back`) to the last one up to `most`. */
static int go_to(const sc_place *place, const sc_root *root, sc_bytes bound, bool back,
                 sc_path *path) {
    bool equal;
    int status = sc_path_seek(place->arena, root, bound, path, &equal);
    if (status != SC_OK) return status;
    if (back && !equal) {
        if (!path->index) return sc_path_previous(place->arena, path);
        path->index--;
        return SC_OK;
    }
    return path->index < path->leaf.head.count ? SC_OK : sc_path_next(place->arena, path);
}

static int go_on(const sc_place *place, bool back, sc_path *path) {
    if (back) {
        if (!path->index) return sc_path_previous(place->arena, path);
        path->index--;
        return SC_OK;
    }
    return ++path->index < path->leaf.head.count ? SC_OK : sc_path_next(place->arena, path);
}

int sc_tree_range(sc_session *session, const sc_key *key, uint32_t tree, sc_bytes least,
                  sc_bytes most, uint64_t limit, bool reverse, sc_items *items) {
    sc_place place;
    sc_root root;
    sc_path path;
    uint64_t given = 0;
    int status = find_pairs(session, key, tree, &place, &root);
    if (status != SC_OK) return status;
    status = limit ? go_to(&place, &root, reverse ? most : least, reverse, &path) : SC_MISS;
    while (status == SC_OK && given++ < limit) {
        sc_item item;
        if (given > root.count || !sc_item_load(&path.leaf, path.index, &item)) return SC_CORRUPT;
        int order = sc_part_compare(place.arena, &item.key, reverse ? least : most);
        if (reverse ? order < 0 : order > 0) return SC_OK;
        status = sc_place_item(&place, &item.key, items);
        if (status == SC_OK) status = sc_place_item(&place, &item.value, items);
        if (status == SC_OK) status = go_on(&place, reverse, &path);
    }
    return status == SC_MISS ? SC_OK : status;
}

/* How many items lie below `bound`, or (`including`) below or at it. */
static int count_below(const sc_place *place, const sc_root *root, sc_bytes bound, bool including,
                       uint64_t *count) {
    sc_path path;
    bool equal;
    *count = 0;
    int status = sc_path_seek(place->arena, root, bound, &path, &equal);
    if (status == SC_OK) *count = path.before + path.index + (including && equal);
    return status == SC_MISS ? SC_OK : status;
}

int sc_tree_count(sc_session *session, const sc_key *key, uint32_t tree, sc_bytes least,
                  sc_bytes most, uint64_t *count) {
    sc_place place;
    sc_root root;
    uint64_t first = 0, last = 0;
    *count = 0;
    int status = find_pairs(session, key, tree, &place, &root);
    if (status == SC_OK) status = count_below(&place, &root, least, false, &first);
    if (status == SC_OK) status = count_below(&place, &root, most, true, &last);
    if (status == SC_OK && last > first) *count = last - first;
    return status;
}

/* ---- changing ---------------------------------------------------------------------------------*/

int sc_stream_create(sc_tx *tx, const sc_key *key, const char meta[SC_STREAM_META]) {
    sc_change change;
    uint8_t body[SC_STREAM_BODY] = {0};
    uint64_t offset;
    int status = sc_change_begin(tx, key, SC_STREAM, &change);
    if (status == SC_OK && change.exists) return SC_UNCHANGED;
    memcpy(body + SC_STREAM_TREES * sizeof(sc_tree), meta, SC_STREAM_META);
    if (status == SC_OK) {
        status = sc_tree_entry(change.txn, &change.place.ref, SC_STREAM, SC_STREAM_SHAPE, body, 0,
                               &offset);
    }
    if (status == SC_OK) status = sc_change_link(&change, offset, 0);
    return sc_change_end(&change, status);
}

int sc_stream_set_meta(sc_tx *tx, const sc_key *key, const char meta[SC_STREAM_META]) {
    sc_change change;
    int status = sc_change_begin(tx, key, SC_STREAM, &change);
    if (status == SC_OK && !change.exists) return SC_MISS;
    if (status != SC_OK) return sc_change_end(&change, status);
    char *place = meta_of(&change.place);
    status = sc_change_version(&change);
    for (uint32_t at = 0; at < SC_STREAM_META && status == SC_OK; at += 8) {
        if (memcmp(place + at, meta + at, 8) == 0) continue;
        uint64_t offset = sc_offset(change.place.arena, place + at);
        status = sc_txn_patch(change.txn, offset, meta + at, 8);
    }
    return sc_change_end(&change, status);
}

static int put_pair(sc_change *change, uint32_t tree, sc_bytes name, sc_bytes value, bool *added) {
    sc_root root;
    sc_path path;
    sc_item item;
    sc_piece_room room;
    sc_piece piece;
    sc_edit edit;
    bool equal = false;
    if (!sc_place_root(&change->place, tree, &root)) return SC_CORRUPT;
    int status = sc_path_seek(change->place.arena, &root, name, &path, &equal);
    if (status != SC_OK && status != SC_MISS) return status;
    if (equal && !sc_item_load(&path.leaf, path.index, &item)) return SC_CORRUPT;
    sc_word word = {.bytes = name.bytes, .length = name.length};
    status = sc_piece_make(change->txn, root.form, change->place.ref.hash, &word, &value, 0, &room,
                           &piece);
    if (status == SC_OK && equal) status = sc_item_free_chains(change->txn, &item);
    if (status != SC_OK) return status;
    *added = !equal;
    status = sc_change_edit(change, tree, &edit);
    if (status != SC_OK) return status;
    return equal ? sc_tree_change(&edit, &path, &piece) : sc_tree_add(&edit, &path, &piece);
}

int sc_tree_put(sc_tx *tx, const sc_key *key, uint32_t tree, sc_bytes name, sc_bytes value,
                bool *added) {
    sc_change change;
    if (tree >= SC_STREAM_TREES) return SC_SYNTAX;
    int status = sc_change_begin(tx, key, SC_STREAM, &change);
    if (status == SC_OK && !change.exists) return SC_MISS;
    if (status == SC_OK) status = put_pair(&change, tree, name, value, added);
    return sc_change_end(&change, status);
}

/* Remove items from the path's on: at most `count`, as many as are in the same leaf. */
static int remove_pairs(sc_change *change, uint32_t tree, sc_path *path, uint64_t count,
                        uint64_t *removed) {
    sc_edit edit;
    if (path->index >= path->leaf.head.count) return SC_CORRUPT;
    uint32_t here = path->leaf.head.count - path->index;
    if (count < here) here = (uint32_t)count;
    *removed = here;
    int status = sc_change_edit(change, tree, &edit);
    return status == SC_OK ? sc_tree_drop(&edit, path, here) : status;
}

int sc_tree_remove(sc_tx *tx, const sc_key *key, uint32_t tree, sc_bytes name) {
    sc_change change;
    sc_root root;
    sc_path path;
    uint64_t removed;
    bool equal = false;
    if (tree >= SC_STREAM_TREES) return SC_SYNTAX;
    int status = sc_removal_begin(tx, key, SC_STREAM, &change);
    if (status == SC_OK && !sc_place_root(&change.place, tree, &root)) status = SC_CORRUPT;
    if (status == SC_OK) {
        status = sc_path_seek(change.place.arena, &root, name, &path, &equal);
        if (status == SC_OK && !equal) status = SC_MISS;
        if (status == SC_OK) status = remove_pairs(&change, tree, &path, 1, &removed);
    }
    return sc_change_end(&change, status);
}

static int remove_pairs_between(sc_change *change, uint32_t tree, sc_bytes least, sc_bytes most,
                                uint64_t limit, uint64_t *removed) {
    sc_root root;
    uint64_t first, last;
    if (!sc_place_root(&change->place, tree, &root)) return SC_CORRUPT;
    int status = count_below(&change->place, &root, least, false, &first);
    if (status == SC_OK) status = count_below(&change->place, &root, most, true, &last);
    if (status != SC_OK || last <= first) return status;
    uint64_t left = last - first < limit ? last - first : limit;
    while (status == SC_OK && left) {
        uint64_t some = 0;
        sc_path path;
        if (!sc_place_root(&change->place, tree, &root)) return SC_CORRUPT;
        status = sc_path_at(change->place.arena, &root, first, &path);
        if (status == SC_OK) status = remove_pairs(change, tree, &path, left, &some);
        left -= some;
        *removed += some;
    }
    return status;
}

int sc_tree_remove_range(sc_tx *tx, const sc_key *key, uint32_t tree, sc_bytes least, sc_bytes most,
                         uint64_t limit, uint64_t *removed) {
    sc_change change;
    *removed = 0;
    if (tree >= SC_STREAM_TREES) return SC_SYNTAX;
    int status = sc_removal_begin(tx, key, SC_STREAM, &change);
    if (status == SC_OK) status = remove_pairs_between(&change, tree, least, most, limit, removed);
    return sc_change_end(&change, status);
}
