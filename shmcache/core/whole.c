/* Whole containers: built out of all their elements, unpacked, copied. See container.h. */
#include <stdlib.h>

#include "container.h"
#include "evict.h"
#include "heap.h"

/* ---- building ---------------------------------------------------------------------------------*/

typedef struct record { /* an element's place in its tree */
    uint64_t order;     /* its hash, or its sortable score */
    uint64_t index;
} record;

typedef struct bulk {
    sc_txn *txn;
    const sc_ref *ref;
    const sc_whole *whole;
    record *records; /* of the elements that are kept, sorted by hash */
    uint64_t kept;
    uint32_t shape;
} bulk;

static const sc_bytes *key_of(const sc_whole *whole, uint64_t index) {
    return &whole->items[whole->type == SC_HASH ? 2 * index : index];
}

static int by_order(const void *left, const void *right) {
    const record *a = left, *b = right;
    if (a->order != b->order) return a->order < b->order ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static int by_index(const void *left, const void *right) {
    uint64_t a = ((const record *)left)->index, b = ((const record *)right)->index;
    return a < b ? -1 : a > b;
}

static bool same_key(const sc_whole *whole, const record *left, const record *right) {
    const sc_bytes *a = key_of(whole, left->index), *b = key_of(whole, right->index);
    return a->length == b->length && (!a->length || !memcmp(a->bytes, b->bytes, a->length));
}

/* Records sorted by hash; of equal keys the last one stays. */
static void sort_and_drop(bulk *bulk) {
    uint64_t count = bulk->whole->count, kept = 0;
    record *records = bulk->records;
    qsort(records, count, sizeof *records, by_order);
    for (uint64_t i = 0; i < count; i++) {
        bool again = false;
        for (uint64_t j = i + 1; !again && j < count && records[j].order == records[i].order; j++)
            again = same_key(bulk->whole, &records[i], &records[j]);
        if (!again) records[kept++] = records[i];
    }
    bulk->kept = kept;
}

static int make_records(bulk *bulk) {
    const sc_whole *whole = bulk->whole;
    const sc_arena *arena = bulk->txn->writer->arena;
    bulk->records = malloc((whole->count + 1) * sizeof(record));
    if (!bulk->records) return SC_NO_MEMORY;
    for (uint64_t i = 0; i < whole->count; i++) {
        sc_word word = {.hash = i};
        const sc_bytes *key = key_of(whole, i);
        if (whole->type != SC_LIST) sc_word_make(arena, &word, key->bytes, key->length, SC_HASHED);
        bulk->records[i] = (record){.order = word.hash, .index = i};
    }
    bulk->kept = whole->count;
    if (whole->type != SC_LIST) sort_and_drop(bulk);
    return SC_OK;
}

static void choose_shape(bulk *bulk) {
    const sc_whole *whole = bulk->whole;
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < bulk->kept; i++) {
        uint64_t index = bulk->records[i].index;
        const sc_bytes *items[] = {key_of(whole, index), key_of(whole, index) + 1};
        for (int part = 0; part < (whole->type == SC_HASH ? 2 : 1); part++) {
            bytes += items[part]->length + 2;
            bulk->shape = sc_shape_for(bulk->txn->writer->arena, whole->type, bulk->shape,
                                       bulk->kept, items[part], bytes);
        }
    }
}

static int make_piece(const bulk *bulk, const sc_form *form, uint64_t index, sc_piece_room *room,
                      sc_piece *piece) {
    const sc_whole *whole = bulk->whole;
    const sc_bytes *key = key_of(whole, index);
    sc_bytes value = {0};
    if (whole->type == SC_HASH) value = key[1];
    if (whole->type == SC_ZSET) value = (sc_bytes){(const char *)&whole->scores[index], 8};
    sc_word word;
    sc_word_make(bulk->txn->writer->arena, &word, key->bytes, key->length, form->mode);
    return sc_piece_make(bulk->txn, form, bulk->ref->hash, &word, &value,
                         whole->expiries ? whole->expiries[index] : 0, room, piece);
}

/* A sorted set's element in its second tree: the score in front, so that bytes sort as it does. */
static int make_ranked(const bulk *bulk, const sc_form *form, uint64_t index, sc_piece_room *room,
                       sc_piece *piece) {
    const sc_bytes *member = key_of(bulk->whole, index);
    char own[512], *text = own;
    if (member->length + 8 > sizeof own) text = malloc(member->length + 8);
    if (!text) return SC_NO_MEMORY;
    uint64_t score = sc_score_sortable(bulk->whole->scores[index]);
    memcpy(text, &score, 8);
    if (member->length) memcpy(text + 8, member->bytes, member->length);
    sc_word word = {.bytes = text, .length = member->length + 8};
    int status = sc_piece_make(bulk->txn, form, bulk->ref->hash, &word, NULL, 0, room, piece);
    if (text != own) free(text);
    return status;
}

typedef int maker(const bulk *bulk, const sc_form *form, uint64_t index, sc_piece_room *room,
                  sc_piece *piece);

static int build_tree(const bulk *bulk, const sc_form *form, maker *make, sc_tree *tree) {
    sc_builder builder;
    sc_piece_room room;
    sc_piece piece;
    int status = sc_builder_start(&builder, bulk->txn, form, bulk->ref->hash);
    for (uint64_t i = 0; i < bulk->kept && status == SC_OK; i++) {
        status = make(bulk, form, bulk->records[i].index, &room, &piece);
        if (status == SC_OK) status = sc_builder_add(&builder, &piece, bulk->records[i].order);
    }
    if (status == SC_OK) status = sc_builder_finish(&builder, tree);
    sc_builder_end(&builder);
    return status;
}

static int compare_ranked(const void *left, const void *right, void *context) {
    const sc_whole *whole = context;
    const record *a = left, *b = right;
    if (a->order != b->order) return a->order < b->order ? -1 : 1;
    const sc_bytes *first = key_of(whole, a->index), *second = key_of(whole, b->index);
    uint64_t common = first->length < second->length ? first->length : second->length;
    int order = common ? memcmp(first->bytes, second->bytes, common) : 0;
    if (order) return order;
    return first->length < second->length ? -1 : first->length > second->length;
}

/* From here on the records are in the order of scores. */
static void sort_by_score(bulk *bulk) {
    for (uint64_t i = 0; i < bulk->kept; i++) {
        uint64_t score = sc_score_sortable(bulk->whole->scores[bulk->records[i].index]);
        bulk->records[i].order = __builtin_bswap64(score);
    }
    qsort_r(bulk->records, bulk->kept, sizeof(record), compare_ranked, (void *)bulk->whole);
}

static int build_trees(bulk *bulk, uint64_t *offset) {
    const sc_whole *whole = bulk->whole;
    struct {
        sc_tree trees[2];
        uint64_t version;
    } body = {0};
    int type = whole->type;
    int status = build_tree(bulk, sc_form_of(type, SC_TREE_MAIN), make_piece, &body.trees[0]);
    if (status == SC_OK && type == SC_ZSET) {
        sort_by_score(bulk);
        status = build_tree(bulk, sc_form_of(type, SC_TREE_RANKS), make_ranked, &body.trees[1]);
    }
    if (type == SC_HASH && whole->expiries) { /* the first word behind the tree */
        for (uint64_t i = 0; i < bulk->kept; i++) {
            uint64_t expiry = whole->expiries[bulk->records[i].index];
            if (expiry && (!body.trees[1].root || expiry < body.trees[1].root)) {
                body.trees[1].root = expiry;
            }
        }
    }
    if (status != SC_OK) return status;
    return sc_tree_entry(bulk->txn, bulk->ref, type, bulk->shape, &body, whole->expire_ms, offset);
}

/* In one leaf, in the order in which the elements were given, or by score. */
static int build_packed(bulk *bulk, uint64_t *offset) {
    const sc_form *form = sc_form_packed(bulk->whole->type);
    bool ranked = bulk->whole->type == SC_ZSET;
    uint8_t *bytes = malloc(SC_LEAF_MOST + SC_PIECE_MOST);
    sc_pieces all = {.count = 0};
    uint32_t used = 0;
    int status = bytes ? SC_OK : SC_NO_MEMORY;
    if (ranked)
        sort_by_score(bulk);
    else
        qsort(bulk->records, bulk->kept, sizeof(record), by_index);
    for (uint64_t i = 0; i < bulk->kept && status == SC_OK; i++) {
        sc_piece_room room;
        sc_piece *piece = &all.piece[all.count++];
        uint64_t index = bulk->records[i].index;
        status = ranked ? make_ranked(bulk, form, index, &room, piece)
                        : make_piece(bulk, form, index, &room, piece);
        if (status != SC_OK) break;
        piece->bytes = memcpy(bytes + used, room.bytes, piece->length);
        used += piece->length;
        if (used > SC_LEAF_MOST || all.count >= SC_LEAF_ITEMS) status = SC_UNCHANGED;
    }
    if (status == SC_OK) {
        status = sc_packed_entry(bulk->txn, bulk->ref, bulk->whole->type, bulk->shape, &all,
                                 bulk->whole->expire_ms, offset);
    }
    free(bytes);
    return status;
}

int sc_container_build(sc_txn *txn, const sc_ref *ref, const sc_whole *whole, uint64_t *offset) {
    bulk bulk = {.txn = txn, .ref = ref, .whole = whole, .shape = whole->shape};
    uint32_t mark = txn->count;
    int status = make_records(&bulk);
    if (status == SC_OK) {
        choose_shape(&bulk);
        status = SC_UNCHANGED;
        if (!whole->tree && sc_shape_is_small(bulk.shape)) status = build_packed(&bulk, offset);
        if (status == SC_UNCHANGED) {
            sc_txn_undo_to(txn, mark);
            free(bulk.records); /* in another order, or not made for trees */
            status = make_records(&bulk);
            if (status == SC_OK) status = build_trees(&bulk, offset);
        }
    }
    free(bulk.records);
    return status;
}

int sc_store(sc_tx *tx, const sc_key *key, int type, const sc_bytes *items, uint64_t count,
             const double *scores, uint64_t expire_ms) {
    sc_writer *writer = sc_tx_writer(tx);
    sc_txn *txn = &writer->main;
    uint32_t mark = txn->count;
    sc_ref ref;
    sc_found found;
    uint64_t offset;
    int status = sc_tx_ref(writer, key, &ref);
    if (status != SC_OK) return status;
    if (!count || (expire_ms && sc_is_past(expire_ms))) {
        status = sc_op_delete(txn, &ref);
        if (status == SC_MISS) status = SC_OK;
    } else {
        sc_whole whole = {.type = type,
                          .shape = sc_first_shape(type),
                          .count = type == SC_HASH ? count / 2 : count,
                          .items = items,
                          .scores = scores,
                          .expire_ms = expire_ms};
        status = sc_op_find(txn, &ref, &found);
        if (status == SC_MISS) status = SC_OK;
        if (status == SC_OK) status = sc_container_build(txn, &ref, &whole, &offset);
        if (status == SC_OK) status = sc_op_link(txn, &ref, &found, offset, expire_ms);
        if (status == SC_OK) sc_note_change(txn, &ref, SC_EVENT_CHANGED, SC_NOTE_NAMED);
    }
    if (status != SC_OK) sc_txn_undo_to(txn, mark);
    return status;
}

/* ---- unpacking --------------------------------------------------------------------------------*/

#define SC_UNPACKED_PARTS (2 * SC_LEAF_ITEMS)

typedef struct unpacked {
    sc_bytes items[SC_UNPACKED_PARTS];
    double scores[SC_LEAF_ITEMS];
    uint64_t expiries[SC_LEAF_ITEMS];
    uint32_t parts;
    bool expires;
} unpacked;

static int unpack_part(const sc_arena *arena, const sc_part *part, uint32_t skip, unpacked *out) {
    uint64_t length = sc_part_length(part);
    char *text = malloc(length + 1);
    if (!text) return SC_NO_MEMORY;
    out->items[out->parts++] = (sc_bytes){.bytes = text, .length = length};
    if (length < skip || !sc_part_copy(arena, part, text)) return SC_CORRUPT;
    if (skip) { /* a sorted set's score in front of the member */
        uint64_t score;
        memcpy(&score, text, 8);
        out->scores[out->parts - 1] = sc_score_from_sortable(score);
        memmove(text, text + skip, length - skip);
        out->items[out->parts - 1].length = length - skip;
    }
    return SC_OK;
}

static int take_apart(const sc_place *place, const sc_leaf *leaf, unpacked *out) {
    int status = SC_OK;
    for (uint32_t i = 0; i < leaf->head.count && status == SC_OK; i++) {
        sc_item item;
        if (!sc_item_load(leaf, i, &item)) return SC_CORRUPT;
        out->expiries[i] = item.expire_ms;
        out->expires |= item.expire_ms != 0;
        status = unpack_part(place->arena, &item.key, place->type == SC_ZSET ? 8 : 0, out);
        if (status == SC_OK && place->type == SC_HASH) {
            status = unpack_part(place->arena, &item.value, 0, out);
        }
    }
    return status;
}

int sc_change_unpack(sc_change *change) {
    sc_place *place = &change->place;
    const sc_view *view = &place->found.view;
    unpacked *all = calloc(1, sizeof *all);
    sc_leaf leaf;
    uint64_t offset;
    if (!all) return SC_NO_MEMORY;
    bool loaded = sc_leaf_load(place->arena, &leaf, view->offset + sc_view_leaf_at(view),
                               sc_form_packed(place->type)->mode);
    int status = loaded ? take_apart(place, &leaf, all) : SC_CORRUPT;
    if (status == SC_OK) {
        uint64_t expire_ms = sc_view_expire(place->arena, view);
        sc_whole whole = {.type = place->type,
                          .shape = sc_view_shape(view),
                          .tree = true,
                          .count = leaf.head.count,
                          .items = all->items,
                          .scores = all->scores,
                          .expiries = all->expires ? all->expiries : NULL,
                          .expire_ms = expire_ms};
        status = sc_container_build(change->txn, &place->ref, &whole, &offset);
        if (status == SC_OK) status = sc_change_link(change, offset, expire_ms);
    }
    for (uint32_t i = 0; i < all->parts; i++)
        free((char *)all->items[i].bytes);
    free(all);
    return status;
}

/* ---- copying ----------------------------------------------------------------------------------*/

static int copy_chain(sc_txn *txn, uint64_t hash, const sc_part *part, uint64_t *first) {
    char *bytes = malloc(part->length + 1);
    if (!bytes) return SC_NO_MEMORY;
    const sc_arena *arena = txn->writer->arena;
    int status =
        sc_chain_copy(arena, sc_bytes8(part->at), part->length, bytes) ? SC_OK : SC_CORRUPT;
    if (status == SC_OK) status = sc_chain_build(txn, hash, bytes, part->length, first);
    free(bytes);
    return status;
}

/* Give a copied leaf, which nobody sees yet, chains of its own. */
static int copy_chains(sc_txn *txn, uint64_t hash, uint64_t offset, uint8_t mode) {
    sc_arena *arena = txn->writer->arena;
    sc_leaf leaf;
    sc_item item;
    if (!sc_leaf_load(arena, &leaf, offset, mode)) return SC_CORRUPT;
    for (uint32_t i = 0; leaf.head.chained && i < leaf.head.count; i++) {
        if (!sc_item_load(&leaf, i, &item)) return SC_CORRUPT;
        const sc_part *parts[] = {&item.key, &item.value};
        for (int part = 0; part < 2; part++) {
            uint64_t first;
            if (!(item.slot & (part ? SC_VALUE_CHAIN : SC_KEY_CHAIN))) continue;
            int status = copy_chain(txn, hash, parts[part], &first);
            if (status != SC_OK) return status;
            sc_copy(sc_at(arena, sc_offset(arena, parts[part]->at)), &first, sizeof first);
        }
    }
    return SC_OK;
}

static int copy_leaf(sc_txn *txn, uint64_t hash, const sc_form *form, uint64_t offset,
                     sc_branch *out) {
    sc_arena *arena = txn->writer->arena;
    sc_leaf leaf;
    if (!sc_leaf_load(arena, &leaf, offset, form->mode)) return SC_CORRUPT;
    int status = sc_txn_reserve(txn, 1);
    if (status != SC_OK) return status;
    uint64_t block = sc_take(txn, sc_class_for_entry(arena, leaf.head.limit));
    if (!block) return SC_NO_MEMORY;
    sc_copy(sc_at(arena, block), leaf.base, leaf.head.limit);
    sc_put64(sc_at(arena, block + 8), hash);
    *out = (sc_branch){.word = sc_child_word(block, leaf.head.count)};
    return copy_chains(txn, hash, block, form->mode);
}

static int copy_node(sc_txn *txn, uint64_t hash, const sc_form *form, uint64_t offset,
                     uint32_t level, sc_branch *out) {
    sc_node node;
    sc_branch branches[SC_NODE_BRANCHES];
    uint8_t words = sc_key_words(form);
    if (!level) return copy_leaf(txn, hash, form, offset, out);
    if (!sc_node_load(txn->writer->arena, &node, offset, level, words)) return SC_CORRUPT;
    for (uint32_t i = 0; i < node.head.count; i++) {
        int status =
            copy_node(txn, hash, form, sc_child_offset(node.child[i]), level - 1, &branches[i]);
        if (status != SC_OK) return status;
        memcpy(branches[i].key, &node.key[(size_t)i * words], words * sizeof(uint64_t));
    }
    return sc_node_write(txn, form, hash, level, branches, node.head.count, out);
}

static int copy_tree(sc_txn *txn, uint64_t hash, const sc_form *form, sc_tree *tree) {
    sc_root root;
    sc_branch top = {0};
    if (!sc_root_load(txn->writer->arena, tree, form, &root)) return SC_CORRUPT;
    if (!root.offset) return SC_OK;
    int status = copy_node(txn, hash, form, root.offset, root.height, &top);
    tree->root = sc_child_word(sc_child_offset(top.word), root.height);
    return status;
}

int sc_container_copy(sc_txn *txn, const sc_view *view, const sc_ref *to, uint64_t *offset) {
    const sc_arena *arena = txn->writer->arena;
    int type = view->head.encoding & SC_ENC_TYPE;
    uint64_t expire_ms = sc_view_expire(arena, view);
    if (!view->body_at) {
        sc_view copied;
        int status = sc_container_rehead(txn, view, to, expire_ms, offset);
        if (status != SC_OK) return status;
        if (!sc_view_load(arena, &copied, *offset)) return SC_CORRUPT;
        return copy_chains(txn, to->hash, *offset + sc_view_leaf_at(&copied),
                           sc_form_packed(type)->mode);
    }
    union {
        sc_tree trees[SC_STREAM_TREES];
        uint8_t bytes[SC_STREAM_BODY];
    } body;
    uint32_t count = sc_trees_of(type);
    sc_copy(&body, (const char *)sc_at(arena, view->offset) + view->body_at,
            sc_body_bytes(view->head.encoding));
    for (uint32_t i = 0; i < count; i++) {
        int status = copy_tree(txn, to->hash, sc_form_of(type, i), &body.trees[i]);
        if (status != SC_OK) return status;
    }
    return sc_tree_entry(txn, to, type, sc_view_shape(view), &body, expire_ms, offset);
}
