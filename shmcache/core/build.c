/* New leaves, nodes and whole trees, in blocks that nobody sees yet. See tree.h. */
#include <stdlib.h>

#include "evict.h"
#include "heap.h"
#include "tree.h"

/* A block of at least `bytes`: its offset, and how much of it there is up to `most`. */
static int take_block(sc_txn *txn, uint32_t bytes, uint32_t most, uint64_t *offset,
                      uint32_t *capacity) {
    const sc_arena *arena = txn->writer->arena;
    int status = sc_txn_reserve(txn, 1);
    if (status != SC_OK) return status;
    uint32_t size_class = sc_class_for_entry(arena, bytes);
    *offset = sc_take(txn, size_class);
    if (!*offset) return SC_NO_MEMORY;
    *capacity = arena->classes.bytes[size_class] < most ? arena->classes.bytes[size_class] : most;
    return SC_OK;
}

int sc_leaf_build(sc_txn *txn, const sc_form *form, uint64_t hash, bool reversed,
                  const sc_piece *pieces, uint32_t count, uint32_t spare, sc_branch *out) {
    uint32_t bytes = 16 + sc_pieces_bytes(pieces, count, sc_slot_width(form->mode)), capacity;
    uint32_t wanted = bytes + (spare ? spare : bytes / 8 + 16);
    uint32_t most = bytes > form->most ? bytes : form->most; /* an odd split may be a bit larger */
    uint64_t offset;
    if (bytes > SC_LEAF_MOST) return SC_VALUE_TOO_LONG;
    int status = take_block(txn, wanted < most ? wanted : most, SC_LEAF_MOST, &offset, &capacity);
    if (status != SC_OK) return status;
    sc_leaf_write(txn->writer->arena, offset, form, false, reversed, capacity & ~7u, hash, pieces,
                  count);
    *out = (sc_branch){.word = sc_child_word(offset, count)};
    return SC_OK;
}

int sc_leaf_grow(sc_txn *txn, const sc_form *form, uint64_t hash, const sc_leaf *leaf,
                 uint32_t index, const sc_piece *piece, sc_branch *out) {
    sc_arena *arena = txn->writer->arena;
    uint32_t bytes = sc_leaf_stretched(leaf, index, piece), capacity;
    uint32_t wanted = bytes + (form->mode == SC_SEQUENCE ? bytes : bytes / 8 + 16);
    uint64_t offset;
    sc_leaf grown;
    if (!bytes || bytes > form->most) return SC_UNCHANGED;
    int status = take_block(txn, wanted < form->most ? wanted : form->most, SC_LEAF_MOST, &offset,
                            &capacity);
    if (status != SC_OK) return status;
    sc_leaf_stretch(arena, leaf, offset, capacity & ~7u, hash);
    if (!sc_leaf_load(arena, &grown, offset, form->mode)) return SC_CORRUPT;
    *out = (sc_branch){.word = sc_child_word(offset, leaf->head.count + 1u)};
    return sc_leaf_insert(txn, &grown, index, piece);
}

int sc_node_write(sc_txn *txn, const sc_form *form, uint64_t hash, uint32_t level,
                  const sc_branch *branches, uint32_t count, sc_branch *out) {
    sc_arena *arena = txn->writer->arena;
    uint32_t words = sc_key_words(form), stride = 8 * (1 + words), bytes = 16 + count * stride;
    uint32_t wanted = bytes + (count / 4 + 2) * stride, most = SC_NODE_MOST;
    uint64_t offset, items = 0;
    int status = take_block(txn, wanted < most ? wanted : most, most, &offset, &bytes);
    if (status != SC_OK) return status;
    uint32_t capacity = (bytes - 16) / stride;
    uint64_t *child = sc_at(arena, offset + 16), *key = child + capacity;
    for (uint32_t i = 0; i < count; i++) {
        sc_put64(&child[i], branches[i].word);
        items += sc_child_count(branches[i].word);
        for (uint32_t word = 0; word < words; word++)
            sc_put64(&key[i * words + word], branches[i].key[word]);
    }
    sc_put64(sc_at(arena, offset + 8), hash);
    union {
        sc_node_head head;
        uint64_t word;
    } first = {.head = {.count = count,
                        .capacity = capacity,
                        .level = level,
                        .key_words = words,
                        .kind = SC_KIND_NODE}};
    sc_fill_fence();
    sc_put64(sc_at(arena, offset), first.word);
    *out = (sc_branch){.word = sc_child_word(offset, items),
                       .key = {branches[0].key[0], branches[0].key[1]}};
    return SC_OK;
}

int sc_nodes_write(sc_txn *txn, const sc_form *form, uint64_t hash, uint32_t level,
                   sc_branch *branches, uint64_t *count) {
    uint32_t most = (SC_NODE_MOST - 16) / (8 * (1 + (uint32_t)sc_key_words(form)));
    uint64_t nodes = (*count + most - 1) / most, taken = 0;
    for (uint64_t i = 0; i < nodes; i++) { /* as even as can be */
        uint32_t part = (uint32_t)((*count - taken) / (nodes - i));
        sc_branch made;
        int status = sc_node_write(txn, form, hash, level, branches + taken, part, &made);
        if (status != SC_OK) return status;
        taken += part;
        branches[i] = made; /* i < taken: its place was read */
    }
    *count = nodes;
    return SC_OK;
}

/* ---- keys of pieces ---------------------------------------------------------------------------*/

uint64_t sc_piece_hash(const sc_arena *arena, const sc_form *form, const sc_piece *piece) {
    sc_item item;
    return sc_piece_item(form, piece, &item) ? sc_part_hash(arena, &item.key) : 0;
}

void sc_piece_key(const sc_arena *arena, const sc_form *form, const sc_piece *piece,
                  uint64_t key[2]) {
    sc_item item;
    char text[16] = {0};
    key[0] = key[1] = 0;
    if (form->mode == SC_HASHED) key[0] = sc_piece_hash(arena, form, piece);
    if (form->mode != SC_ORDERED || !sc_piece_item(form, piece, &item)) return;
    uint64_t length = item.key.length < sizeof text ? item.key.length : sizeof text;
    item.key.length = length;
    if (!sc_part_copy(arena, &item.key, text)) return;
    for (int word = 0; word < 2; word++) {
        memcpy(&key[word], text + 8 * word, 8);
        key[word] = __builtin_bswap64(key[word]);
    }
}

/* ---- trees out of items in order --------------------------------------------------------------*/

#define SC_BUILDER_BYTES (SC_LEAF_MOST + SC_PIECE_MOST)

int sc_builder_start(sc_builder *builder, sc_txn *txn, const sc_form *form, uint64_t hash) {
    *builder = (sc_builder){.txn = txn, .form = form, .hash = hash, .branch_room = 16};
    builder->bytes = malloc(SC_BUILDER_BYTES);
    builder->pieces = malloc(SC_LEAF_ITEMS * sizeof(sc_piece));
    builder->branches = malloc(builder->branch_room * sizeof(sc_branch));
    return builder->bytes && builder->pieces && builder->branches ? SC_OK : SC_NO_MEMORY;
}

void sc_builder_end(sc_builder *builder) {
    free(builder->bytes);
    free(builder->pieces);
    free(builder->branches);
}

static int flush_leaf(sc_builder *builder) {
    sc_branch made;
    if (builder->branch_count == builder->branch_room) {
        uint64_t room = builder->branch_room * 2;
        sc_branch *grown = realloc(builder->branches, room * sizeof *grown);
        if (!grown) return SC_NO_MEMORY;
        builder->branches = grown;
        builder->branch_room = room;
    }
    int status = sc_leaf_build(builder->txn, builder->form, builder->hash, false, builder->pieces,
                               builder->count, 0, &made);
    if (status != SC_OK) return status;
    if (builder->form->mode == SC_HASHED) {
        made.key[0] = builder->first_hash;
    } else {
        sc_piece_key(builder->txn->writer->arena, builder->form, builder->pieces, made.key);
    }
    builder->branches[builder->branch_count++] = made;
    builder->count = builder->used = builder->filled = 0;
    return SC_OK;
}

/* A leaf is left with a ninth of its room, for what comes later; a list's is filled. Items of one
 * hash stay together. */
int sc_builder_add(sc_builder *builder, const sc_piece *piece, uint64_t item_hash) {
    const sc_form *form = builder->form;
    uint32_t most = form->mode == SC_SEQUENCE ? form->most : form->most * 8u / 9;
    uint32_t bytes = piece->length + sc_slot_width(form->mode);
    bool full = 16 + builder->filled + bytes > most || builder->count + 1 >= SC_LEAF_ITEMS;
    bool together = form->mode == SC_HASHED && item_hash == builder->last_hash;
    if (builder->count && full && !together) {
        int status = flush_leaf(builder);
        if (status != SC_OK) return status;
    }
    if (!builder->count) builder->first_hash = item_hash;
    builder->last_hash = item_hash;
    uint8_t *place = builder->bytes + builder->used;
    memcpy(place, piece->bytes, piece->length);
    builder->pieces[builder->count++] =
        (sc_piece){.bytes = place, .length = piece->length, .slot = piece->slot};
    builder->used += piece->length;
    builder->filled += bytes;
    builder->items++;
    return SC_OK;
}

int sc_builder_finish(sc_builder *builder, sc_tree *tree) {
    int status = builder->count ? flush_leaf(builder) : SC_OK;
    uint32_t height = 0;
    while (status == SC_OK && builder->branch_count > 1) {
        status = sc_nodes_write(builder->txn, builder->form, builder->hash, ++height,
                                builder->branches, &builder->branch_count);
    }
    if (status != SC_OK) return status;
    uint64_t top = builder->branch_count ? sc_child_offset(builder->branches[0].word) : 0;
    *tree = (sc_tree){.root = top ? sc_child_word(top, height) : 0, .count = builder->items};
    return SC_OK;
}
