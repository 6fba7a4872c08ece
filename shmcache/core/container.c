/* Containers as entries. See container.h. Whole values (build, copy) are in whole.c. */
#include "container.h"

#include "evict.h"
#include "heap.h"

/* ---- forms ------------------------------------------------------------------------------------*/

#define SC_LEAF_USUAL 1016 /* with its neighbours' slack, a class of 1 KiB */

static const sc_form forms[SC_TYPES] = {
    [SC_LIST] = {SC_SEQUENCE, SC_NO_VALUES, SC_LEAF_MOST, 512, 0},
    [SC_SET] = {SC_HASHED, SC_NO_VALUES, SC_LEAF_USUAL, 256, 0},
    [SC_ZSET] = {SC_HASHED, SC_SCORES, SC_LEAF_USUAL, 256, 8},
    [SC_HASH] = {SC_HASHED, SC_ANY_VALUES, SC_LEAF_USUAL, 256, 256},
    [SC_STREAM] = {SC_ORDERED, SC_ANY_VALUES, SC_LEAF_MOST, 256, 512},
};
static const sc_form ranks_form = {SC_ORDERED, SC_NO_VALUES, SC_LEAF_USUAL, 264, 0};
static const sc_form packed_forms[SC_TYPES] = {
    [SC_LIST] = {SC_SEQUENCE, SC_NO_VALUES, SC_LEAF_MOST, 512, 0},
    [SC_SET] = {SC_HASHED, SC_NO_VALUES, SC_LEAF_MOST, 256, 0},
    [SC_ZSET] = {SC_ORDERED, SC_NO_VALUES, SC_LEAF_MOST, 264, 0},
    [SC_HASH] = {SC_HASHED, SC_ANY_VALUES, SC_LEAF_MOST, 256, 256},
};

const sc_form *sc_form_of(int type, uint32_t tree) {
    return type == SC_ZSET && tree == SC_TREE_RANKS ? &ranks_form : &forms[type];
}
const sc_form *sc_form_packed(int type) {
    return &packed_forms[type];
}

/* Flip so that the order of the words is that of the numbers: negative ones upside down. */
uint64_t sc_score_sortable(double score) {
    uint64_t word;
    if (score == 0) score = 0; /* no negative nought: it would sort apart */
    memcpy(&word, &score, sizeof word);
    word = word >> 63 ? ~word : word | UINT64_C(1) << 63;
    return __builtin_bswap64(word);
}
double sc_score_from_sortable(uint64_t word) {
    double score;
    word = __builtin_bswap64(word);
    word = word >> 63 ? word & ~(UINT64_C(1) << 63) : ~word;
    memcpy(&score, &word, sizeof score);
    return score;
}

/* ---- reading ----------------------------------------------------------------------------------*/

bool sc_place_root(const sc_place *place, uint32_t tree, sc_root *root) {
    const sc_view *view = &place->found.view;
    if (!place->packed) {
        const sc_tree *trees = sc_at(place->arena, view->offset + view->body_at);
        return sc_root_load(place->arena, &trees[tree], sc_form_of(place->type, tree), root);
    }
    sc_leaf leaf;
    root->offset = view->offset + sc_view_leaf_at(view);
    root->form = sc_form_packed(place->type);
    root->height = 0;
    if (!sc_leaf_load(place->arena, &leaf, root->offset, root->form->mode)) return false;
    root->count = leaf.head.count;
    return true;
}

static bool too_large_to_trust(const sc_place *place, const sc_part *part) {
    return part->length > SC_LARGE_VALUE && place->session && !sc_session_is_whole(place->session);
}

int sc_place_sink(const sc_place *place, const sc_part *part, sc_sink *sink) {
    if (SC_UNLIKELY(too_large_to_trust(place, part))) return SC_CORRUPT;
    return sc_part_sink(place->arena, part, sink);
}

int sc_place_item(const sc_place *place, const sc_part *part, sc_items *items) {
    char text[21];
    sc_part own = *part;
    if (SC_UNLIKELY(part->how != SC_PLAIN)) {
        if (part->how == SC_NUMBER) sc_part_settle(&own, text);
        if (too_large_to_trust(place, part) || own.length > place->arena->data_bytes) {
            return SC_CORRUPT;
        }
    }
    char *out = items->add(items, own.length);
    if (SC_UNLIKELY(!out)) return SC_NO_MEMORY;
    return sc_part_copy(place->arena, &own, out) ? SC_OK : SC_CORRUPT;
}

uint64_t sc_container_length(const sc_arena *arena, const sc_view *view) {
    if (view->body_at) {
        const sc_tree *tree = sc_at(arena, view->offset + view->body_at);
        return sc_load64(&tree->count);
    }
    sc_leaf leaf;
    int type = view->head.encoding & SC_ENC_TYPE;
    if (!sc_leaf_load(arena, &leaf, view->offset + sc_view_leaf_at(view),
                      sc_form_packed(type)->mode)) {
        return 0;
    }
    return leaf.head.count;
}

#define SC_MEMORY_LEAVES 64 /* looked at for MEMORY USAGE; the rest is taken to be like them */

static uint64_t tree_memory(const sc_arena *arena, const sc_tree *tree, const sc_form *form) {
    sc_root root;
    sc_path path;
    uint64_t bytes = 0, items = 0;
    if (!sc_root_load(arena, tree, form, &root)) return 0;
    int status = sc_path_at(arena, &root, 0, &path);
    for (uint32_t i = 0; status == SC_OK && i < SC_MEMORY_LEAVES; i++) {
        uint32_t size_class = sc_class_of(arena, path.leaf.offset);
        sc_item item;
        if (size_class < SC_MAX_CLASSES) bytes += arena->classes.bytes[size_class];
        bytes += 8 * (1 + (uint64_t)sc_key_words(form));
        for (uint32_t at = 0; path.leaf.head.chained && at < path.leaf.head.count; at++) {
            if (!sc_item_load(&path.leaf, at, &item)) break;
            if (item.slot & SC_KEY_CHAIN) bytes += item.key.length + sizeof(sc_chunk);
            if (item.slot & SC_VALUE_CHAIN) bytes += item.value.length + sizeof(sc_chunk);
        }
        items += path.leaf.head.count;
        status = sc_path_next(arena, &path);
    }
    return items ? (uint64_t)((double)bytes / (double)items * (double)root.count) : 0;
}

uint64_t sc_container_memory(const sc_arena *arena, const sc_view *view) {
    uint64_t bytes = sc_entry_memory(arena, view);
    int type = view->head.encoding & SC_ENC_TYPE;
    if (!view->body_at) {
        sc_tree leaf = {.root = (view->offset + sc_view_leaf_at(view)) >> 3, .count = 0};
        sc_leaf loaded;
        sc_item item;
        if (!sc_leaf_load(arena, &loaded, leaf.root << 3, sc_form_packed(type)->mode)) return bytes;
        for (uint32_t i = 0; loaded.head.chained && i < loaded.head.count; i++) {
            if (!sc_item_load(&loaded, i, &item)) break;
            if (item.slot & SC_KEY_CHAIN) bytes += item.key.length + sizeof(sc_chunk);
            if (item.slot & SC_VALUE_CHAIN) bytes += item.value.length + sizeof(sc_chunk);
        }
        return bytes;
    }
    const sc_tree *trees = sc_at(arena, view->offset + view->body_at);
    uint32_t count = sc_trees_of(type);
    for (uint32_t i = 0; i < count; i++)
        bytes += tree_memory(arena, &trees[i], sc_form_of(type, i));
    return bytes;
}

/* ---- shapes -----------------------------------------------------------------------------------*/

static uint32_t limit_of(const sc_arena *arena, uint32_t which) {
    return sc_load32(&arena->header->packed_limits[which]);
}

static uint32_t set_shape(const sc_arena *arena, uint32_t shape, uint64_t count,
                          const sc_bytes *item) {
    int64_t number;
    if (shape == SC_INTSET && !sc_parse_int64(item->bytes, item->length, &number)) {
        shape = SC_LISTPACK;
    }
    if (shape == SC_INTSET) return count > limit_of(arena, SC_SET_INTS) ? SC_HASHTABLE : shape;
    bool large =
        count > limit_of(arena, SC_SET_ENTRIES) || item->length > limit_of(arena, SC_SET_VALUE);
    return large ? SC_HASHTABLE : shape;
}

/* list-max-listpack-size counts elements, or bytes in five sizes from 4 to 64 KiB. */
static uint32_t list_shape(const sc_arena *arena, uint64_t count, uint64_t bytes) {
    int32_t size = (int32_t)limit_of(arena, SC_LIST_SIZE);
    if (size >= 0) return count > (uint32_t)(size ? size : 1) ? SC_QUICKLIST : SC_LISTPACK;
    uint64_t most = UINT64_C(4096) << ((size < -5 ? 5 : -size) - 1);
    return bytes > most ? SC_QUICKLIST : SC_LISTPACK;
}

uint32_t sc_shape_for(const sc_arena *arena, int type, uint32_t shape, uint64_t count,
                      const sc_bytes *item, uint64_t bytes) {
    switch (type) {
    case SC_SET:
        return shape == SC_HASHTABLE ? shape : set_shape(arena, shape, count, item);
    case SC_HASH:
        return shape == SC_HASHTABLE || count > limit_of(arena, SC_HASH_ENTRIES) ||
                       item->length > limit_of(arena, SC_HASH_VALUE)
                   ? SC_HASHTABLE
                   : shape;
    case SC_ZSET:
        return shape == SC_SKIPLIST || count > limit_of(arena, SC_ZSET_ENTRIES) ||
                       item->length > limit_of(arena, SC_ZSET_VALUE)
                   ? SC_SKIPLIST
                   : shape;
    case SC_LIST:
        return shape == SC_QUICKLIST ? shape : list_shape(arena, count, bytes);
    default:
        return SC_STREAM_SHAPE;
    }
}

/* ---- a change of one container ----------------------------------------------------------------*/

static int settle_change(sc_change *change, int status) {
    const sc_view *view = &change->place.found.view;
    change->exists = status == SC_OK;
    if (status == SC_MISS) return SC_OK;
    if (status != SC_OK) return status;
    change->place.packed = (view->head.encoding & SC_ENC_PACKED) != 0;
    return sc_type_of(view->head.encoding) == change->place.type ? SC_OK : SC_WRONG_TYPE;
}

int sc_change_begin(sc_tx *tx, const sc_key *key, int type, sc_change *change) {
    sc_writer *writer = sc_tx_writer(tx);
    change->txn = &writer->main;
    change->mark = writer->main.count;
    change->exists = false;
    change->event = SC_EVENT_CHANGED;
    change->place.arena = writer->arena;
    change->place.session = NULL;
    change->place.type = type;
    int status = sc_tx_ref(writer, key, &change->place.ref);
    if (status != SC_OK) return status;
    status =
        settle_change(change, sc_op_find(change->txn, &change->place.ref, &change->place.found));
    if (status == SC_OK && change->exists) {
        sc_mark_access(writer->arena, change->place.found.view.offset);
    }
    return status;
}

int sc_removal_begin(sc_tx *tx, const sc_key *key, int type, sc_change *change) {
    int status = sc_change_begin(tx, key, type, change);
    sc_op_frees(change->txn, true);
    return status == SC_OK && !change->exists ? SC_MISS : status;
}

int sc_change_again(sc_change *change) {
    return settle_change(change, sc_op_find(change->txn, &change->place.ref, &change->place.found));
}

int sc_change_end(sc_change *change, int status) {
    sc_op_frees(change->txn, false);
    if (status != SC_OK && status != SC_MISS && status != SC_UNCHANGED) {
        sc_txn_undo_to(change->txn, change->mark);
    } else if (status == SC_OK && change->txn->count > change->mark) {
        sc_note_change(change->txn, &change->place.ref, change->event, SC_NOTE_ONCE);
    }
    return status;
}

int sc_change_version(const sc_change *change) {
    int status = sc_txn_reserve(change->txn, 1);
    if (status != SC_OK) return status;
    uint64_t *version = sc_view_version(change->place.arena, &change->place.found.view);
    sc_txn_open(change->txn, change->place.ref.stripe);
    sc_txn_store64(change->txn, version, *version + 1);
    return SC_OK;
}

int sc_change_edit(const sc_change *change, uint32_t tree, sc_edit *edit) {
    const sc_view *view = &change->place.found.view;
    sc_tree *trees = sc_at(change->place.arena, view->offset + view->body_at);
    *edit = (sc_edit){.txn = change->txn,
                      .stripe = change->place.ref.stripe,
                      .hash = change->place.ref.hash,
                      .tree = &trees[tree]};
    return sc_change_version(change);
}

int sc_change_delete(sc_change *change) {
    int status = sc_txn_reserve(change->txn, SC_TABLE_LOG_MOST);
    if (status != SC_OK) return status;
    sc_op_unlink(change->txn, &change->place.ref, &change->place.found);
    sc_note_change(change->txn, &change->place.ref, change->event, SC_NOTE_ONCE);
    sc_note_change(change->txn, &change->place.ref, SC_EVENT_DEL, SC_NOTE_ALWAYS);
    return SC_OK;
}

int sc_change_shape(sc_change *change, uint32_t shape) {
    const sc_view *view = &change->place.found.view;
    if (sc_view_shape(view) == shape) return SC_OK;
    int status = sc_txn_reserve(change->txn, 1);
    if (status != SC_OK) return status;
    union {
        sc_entry entry;
        uint64_t word;
    } head = {.entry = view->head};
    head.entry.value_bytes &= (UINT32_C(1) << SC_SHAPE_SHIFT) - 1;
    head.entry.value_bytes |= shape << SC_SHAPE_SHIFT;
    sc_txn_open(change->txn, change->place.ref.stripe);
    sc_txn_store64(change->txn, sc_at(change->place.arena, view->offset), head.word);
    return sc_change_again(change);
}

int sc_change_link(sc_change *change, uint64_t offset, uint64_t expire_ms) {
    int status =
        sc_op_link(change->txn, &change->place.ref, &change->place.found, offset, expire_ms);
    return status == SC_OK ? sc_change_again(change) : status;
}

/* Link a new entry in the old one's place; what hung on the old one hangs on the new. */
static int relink(sc_change *change, uint64_t offset, uint64_t expire_ms) {
    sc_place *place = &change->place;
    if (!change->exists) return sc_change_link(change, offset, expire_ms);
    int status = sc_txn_reserve(change->txn, SC_TABLE_LOG_MOST);
    if (status != SC_OK) return status;
    sc_txn_open(change->txn, place->ref.stripe);
    sc_table_replace(change->txn, &place->ref, &place->found, offset, expire_ms);
    sc_txn_free(change->txn, place->found.view.offset);
    return sc_change_again(change);
}

/* ---- entries ----------------------------------------------------------------------------------*/

/* A block for an entry whose key and what lies before it are written; the leaf or body is not. */
static int take_entry(sc_txn *txn, const sc_ref *ref, sc_entry head, uint64_t expire_ms,
                      uint32_t leaf_bytes, sc_view *view, uint32_t *room) {
    sc_arena *arena = txn->writer->arena;
    head.key_bytes = (uint16_t)ref->length;
    head.flags = (uint8_t)(ref->db | (expire_ms ? SC_ENTRY_TTL : 0));
    *view = (sc_view){.head = head};
    sc_view_places(view);
    uint64_t fixed = leaf_bytes ? sc_view_leaf_at(view) : view->value_at;
    int status = sc_txn_reserve(txn, 1);
    if (status != SC_OK) return status;
    uint32_t size_class = sc_class_for_entry(arena, fixed + leaf_bytes);
    if (size_class >= SC_MAX_CLASSES) return SC_UNCHANGED; /* not beside so long a key */
    uint64_t block = sc_take(txn, size_class);
    if (!block) return SC_NO_MEMORY;
    uint64_t left = arena->classes.bytes[size_class] - fixed;
    *room = leaf_bytes ? (uint32_t)(left < SC_LEAF_MOST ? left : SC_LEAF_MOST) & ~7u : 0;
    view->offset = block;
    view->head.value_bytes |= *room;
    union {
        sc_entry entry;
        uint64_t word;
    } first = {.entry = view->head};
    sc_put64(sc_at(arena, block), first.word);
    if (view->expire_at) sc_put64(sc_at(arena, block + view->expire_at), expire_ms);
    sc_copy((char *)sc_at(arena, block) + view->key_at, ref->bytes, ref->length);
    return SC_OK;
}

/* A packed entry with these pieces, linked in the place of whatever is there. */
static int put_packed(sc_change *change, const sc_pieces *all, bool reversed, uint32_t spare) {
    const sc_place *place = &change->place;
    const sc_form *form = sc_form_packed(place->type);
    uint32_t bytes = 8 + sc_pieces_bytes(all->piece, all->count, sc_slot_width(form->mode)), room;
    if (bytes > SC_LEAF_MOST || all->count >= SC_LEAF_ITEMS) return SC_UNCHANGED;
    uint32_t wanted = bytes + spare < SC_LEAF_MOST ? bytes + spare : SC_LEAF_MOST;
    uint32_t shape =
        change->exists ? sc_view_shape(&place->found.view) : sc_first_shape(place->type);
    uint64_t expire_ms = change->exists ? sc_view_expire(place->arena, &place->found.view) : 0;
    sc_entry head = {.value_bytes = shape << SC_SHAPE_SHIFT,
                     .encoding = (uint8_t)(SC_ENC_PACKED | place->type)};
    sc_view view;
    int status = take_entry(change->txn, &place->ref, head, expire_ms, wanted, &view, &room);
    if (status != SC_OK) return status;
    sc_arena *arena = change->txn->writer->arena;
    sc_leaf_write(arena, view.offset + sc_view_leaf_at(&view), form, true, reversed, room, 0,
                  all->piece, all->count);
    if (change->exists)
        sc_mark_move(arena, place->found.view.offset, view.offset);
    else
        sc_mark_new(arena, view.offset);
    return relink(change, view.offset, expire_ms);
}

/* Room for some more of the same, as things tend to grow. */
static uint32_t spare_for(const sc_pieces *all) {
    uint32_t last = all->count ? all->piece[all->count - 1].length + 4 : 0;
    return all->count > 1 ? last + sc_pieces_bytes(all->piece, all->count, 0) / 8 : 0;
}

int sc_packed_add(sc_change *change, const sc_path *path, const sc_piece *piece) {
    sc_pieces all; /* large: not to be cleared for nothing */
    if (!change->exists) {
        all.piece[0] = *piece;
        all.count = 1;
        return put_packed(change, &all, false, 0);
    }
    const sc_leaf *leaf = &path->leaf;
    bool hashed = leaf->head.mode == SC_HASHED;
    uint32_t index = hashed ? leaf->head.count : path->index;
    if (sc_leaf_has_room(leaf, index, piece)) {
        sc_txn_open(change->txn, change->place.ref.stripe);
        return sc_leaf_insert(change->txn, leaf, index, piece);
    }
    int status = sc_pieces_gather(leaf, index, 0, piece, &all);
    if (status != SC_OK) return status;
    bool front = leaf->head.mode == SC_SEQUENCE && index == 0 && leaf->head.count > 1;
    return put_packed(change, &all, front, spare_for(&all));
}

int sc_packed_change(sc_change *change, const sc_path *path, const sc_piece *piece) {
    sc_pieces all;
    sc_txn_open(change->txn, change->place.ref.stripe);
    int status = sc_leaf_replace(change->txn, &path->leaf, path->index, piece);
    if (status != SC_UNCHANGED) return status;
    status = sc_pieces_gather(&path->leaf, path->index, 1, piece, &all);
    return status == SC_OK ? put_packed(change, &all, false, spare_for(&all)) : status;
}

int sc_packed_drop(sc_change *change, const sc_path *path, uint32_t count) {
    sc_pieces all;
    const sc_leaf *leaf = &path->leaf;
    if (leaf->head.count == count) return sc_change_delete(change);
    if (count > leaf->head.count - path->index) return SC_CORRUPT;
    int status = sc_leaf_free_chains(change->txn, leaf, path->index, count);
    if (status != SC_OK) return status;
    sc_txn_open(change->txn, change->place.ref.stripe);
    status = sc_leaf_erase(change->txn, leaf, path->index, count);
    if (status != SC_UNCHANGED) return status;
    status = sc_pieces_gather(leaf, path->index, count, NULL, &all);
    return status == SC_OK ? put_packed(change, &all, false, 0) : status;
}

/* An entry with trees, not linked. */
int sc_tree_entry(sc_txn *txn, const sc_ref *ref, int type, uint32_t shape, const void *body,
                  uint64_t expire_ms, uint64_t *offset) {
    sc_entry head = {.value_bytes = shape << SC_SHAPE_SHIFT,
                     .encoding = (uint8_t)(SC_ENC_TREE | type)};
    sc_view view;
    uint32_t room;
    int status = take_entry(txn, ref, head, expire_ms, 0, &view, &room);
    if (status == SC_UNCHANGED) return SC_KEY_TOO_LONG;
    if (status != SC_OK) return status;
    sc_copy((char *)sc_at(txn->writer->arena, view.offset) + view.body_at, body,
            sc_body_bytes(head.encoding));
    sc_put64(sc_view_version(txn->writer->arena, &view), sc_random(txn->writer->arena));
    sc_fill_fence();
    sc_mark_new(txn->writer->arena, view.offset);
    *offset = view.offset;
    return SC_OK;
}

int sc_packed_entry(sc_txn *txn, const sc_ref *ref, int type, uint32_t shape, const sc_pieces *all,
                    uint64_t expire_ms, uint64_t *offset) {
    const sc_form *form = sc_form_packed(type);
    uint32_t bytes = 8 + sc_pieces_bytes(all->piece, all->count, sc_slot_width(form->mode)), room;
    sc_entry head = {.value_bytes = shape << SC_SHAPE_SHIFT,
                     .encoding = (uint8_t)(SC_ENC_PACKED | type)};
    sc_view view;
    if (bytes > SC_LEAF_MOST || all->count >= SC_LEAF_ITEMS) return SC_UNCHANGED;
    int status = take_entry(txn, ref, head, expire_ms, bytes, &view, &room);
    if (status != SC_OK) return status;
    sc_leaf_write(txn->writer->arena, view.offset + sc_view_leaf_at(&view), form, true, false, room,
                  0, all->piece, all->count);
    sc_mark_new(txn->writer->arena, view.offset);
    *offset = view.offset;
    return SC_OK;
}

int sc_container_rehead(sc_txn *txn, const sc_view *view, const sc_ref *ref, uint64_t expire_ms,
                        uint64_t *offset) {
    sc_arena *arena = txn->writer->arena;
    sc_entry head = {.value_bytes = view->head.value_bytes & ~((UINT32_C(1) << SC_SHAPE_SHIFT) - 1),
                     .encoding = view->head.encoding};
    uint32_t leaf_bytes = view->body_at ? 0 : view->head.value_bytes & 0xffff, room;
    const char *old = sc_at(arena, view->offset);
    sc_view fresh;
    int status = take_entry(txn, ref, head, expire_ms, leaf_bytes, &fresh, &room);
    if (status == SC_UNCHANGED) return SC_KEY_TOO_LONG;
    if (status != SC_OK) return status;
    char *block = sc_at(arena, fresh.offset);
    if (view->body_at) {
        sc_copy(block + fresh.body_at, old + view->body_at, sc_body_bytes(head.encoding));
    } else { /* the leaf as it is: it may have more room now, and says itself how much it uses */
        sc_copy(block + sc_view_leaf_at(&fresh), old + sc_view_leaf_at(view), leaf_bytes);
    }
    sc_fill_fence();
    sc_mark_move(arena, view->offset, fresh.offset);
    *offset = fresh.offset;
    return SC_OK;
}
