/* Leaves: slotted pages of items, and the chains of what is too long for them. layout.h draws them.
 *
 * A reader may see a leaf that is being rewritten: places are checked against the leaf's limit
 * before they are followed, and the sequence decides afterwards whether what was seen is whole.
 *
 * A writer changes a leaf in place where few words do it, all of them logged; the bytes of a new
 * item go where no item was when the transaction began (below `low`), so they need no log, and the
 * room of a removed item is used again only by a rebuild into a fresh block. */
#ifndef SC_LEAF_H
#define SC_LEAF_H

#include "part.h"

#if defined(__SSE2__) && !defined(SC_TSAN)
#include <emmintrin.h>
#endif

#define SC_LEAF_ITEMS 1024 /* no leaf has more: slots take two bytes */
#define SC_ITEM_HEAD 10    /* two lengths at most */

/* What a tree's leaves hold, and how large they may get. */
typedef struct sc_form {
    uint8_t mode, values;
    uint16_t most;       /* bytes of a leaf */
    uint16_t key_inline; /* longest key and value that lie in the leaf itself */
    uint16_t value_inline;
} sc_form;

typedef struct sc_leaf {
    uint64_t offset;
    const uint8_t *base;
    sc_leaf_head head;
    uint32_t slots_at, width;
} sc_leaf;

typedef struct sc_item {
    uint32_t slot;      /* flags, and the tag above */
    uint32_t at, bytes; /* its extent in the leaf */
    sc_part key, value;
    uint64_t expire_ms; /* 0 = never */
} sc_item;

/* An item ready to be put into a leaf. */
typedef struct sc_piece {
    const uint8_t *bytes;
    uint32_t length;
    uint32_t slot; /* flags, and the tag above */
} sc_piece;

static inline uint32_t sc_slot_width(uint8_t mode) {
    return mode == SC_HASHED ? 4 : 2;
}
static inline uint32_t sc_leaf_slots_at(bool packed) {
    return packed ? 8 : 16;
}

/* False: not a leaf of this form, or not in the heap. */
SC_HOT bool sc_leaf_load(const sc_arena *arena, sc_leaf *leaf, uint64_t offset, uint8_t mode) {
    if (SC_UNLIKELY(!sc_in_heap(arena, offset, sizeof(uint64_t)))) return false;
    union {
        uint64_t word;
        sc_leaf_head head;
    } first = {.word = sc_load64(sc_at(arena, offset))};
    leaf->offset = offset;
    leaf->base = sc_at(arena, offset);
    leaf->head = first.head;
    leaf->slots_at = sc_leaf_slots_at(first.head.packed);
    leaf->width = sc_slot_width(mode);
    uint32_t slots_end =
        leaf->slots_at + (uint32_t)(first.head.first + first.head.count) * leaf->width;
    return SC_LIKELY(first.head.kind == SC_KIND_LEAF && first.head.mode == mode &&
                     slots_end <= first.head.low && first.head.low <= first.head.limit &&
                     first.head.limit <= SC_LEAF_MOST &&
                     sc_in_heap(arena, offset, first.head.limit));
}
/* The slot of an item by its place in order. */
SC_HOT uint32_t sc_leaf_slot_index(const sc_leaf *leaf, uint32_t index) {
    uint32_t first = leaf->head.first, count = leaf->head.count;
    return leaf->head.reversed ? first + count - 1 - index : first + index;
}
SC_HOT uint32_t sc_leaf_slot(const sc_leaf *leaf, uint32_t slot_index) {
    const uint8_t *at = leaf->base + leaf->slots_at + slot_index * leaf->width;
    if (leaf->width == 2) return sc_load16(at);
    return sc_load32((const uint32_t *)(const void *)at);
}

/* False for an item that reaches beyond its leaf. */
bool sc_item_load(const sc_leaf *leaf, uint32_t index, sc_item *item);

/* The item with this key, of a hashed leaf: its index, or -1. */
int sc_leaf_find(const sc_arena *arena, const sc_leaf *leaf, const sc_word *word, sc_item *item);
/* Of an ordered leaf: how many items have a key below `key`; *equal: the next one has it. */
uint32_t sc_leaf_seek(const sc_arena *arena, const sc_leaf *leaf, sc_bytes key, bool *equal);
/* ---- building ---------------------------------------------------------------------------------*/

/* Room for one item's bytes in place. */
#define SC_PIECE_MOST (SC_ITEM_HEAD + 512 + 512 + 8)
typedef struct sc_piece_room {
    uint8_t bytes[SC_PIECE_MOST];
} sc_piece_room;

/* Lay an item out; what is long goes into chains, allocated in `txn` for the owner `hash`. `value`
 * may be NULL where there are none. */
int sc_piece_make(sc_txn *txn, const sc_form *form, uint64_t owner_hash, const sc_word *key,
                  const sc_bytes *value, uint64_t expire_ms, sc_piece_room *room, sc_piece *piece);
/* The items of a leaf as pieces that point into it; -1 on damage. `pieces` has SC_LEAF_ITEMS. */
int sc_leaf_pieces(const sc_leaf *leaf, sc_piece *pieces);
/* A piece read back as the item it is, of a hashed or ordered leaf. */
bool sc_piece_item(const sc_form *form, const sc_piece *piece, sc_item *item);
uint32_t sc_pieces_bytes(const sc_piece *pieces, uint32_t count, uint32_t width);
/* A leaf's pieces with `removed` of them from `index` on replaced by at most one. SC_CORRUPT. */
typedef struct sc_pieces {
    sc_piece piece[SC_LEAF_ITEMS + 1];
    uint32_t count;
} sc_pieces;
int sc_pieces_gather(const sc_leaf *leaf, uint32_t index, uint32_t removed, const sc_piece *added,
                     sc_pieces *out);
/* Fill a block that nobody else can see. */
void sc_leaf_write(sc_arena *arena, uint64_t offset, const sc_form *form, bool packed,
                   bool reversed, uint32_t capacity, uint64_t owner_hash, const sc_piece *pieces,
                   uint32_t count);

/* In place, logged, with the stripe open: SC_OK, SC_NO_MEMORY (the log's), or SC_UNCHANGED when the
 * leaf has to be rebuilt instead. `leaf` is as it was before. */
int sc_leaf_insert(sc_txn *txn, const sc_leaf *leaf, uint32_t index, const sc_piece *piece);
int sc_leaf_replace(sc_txn *txn, const sc_leaf *leaf, uint32_t index, const sc_piece *piece);
int sc_leaf_erase(sc_txn *txn, const sc_leaf *leaf, uint32_t index, uint32_t count);
/* The same leaf, garbage and all, at the end of a larger block that nobody else can see. */
void sc_leaf_stretch(sc_arena *arena, const sc_leaf *leaf, uint64_t offset, uint32_t capacity,
                     uint64_t owner_hash);
/* How large a block it takes to insert the piece that way; 0 when it cannot be. */
uint32_t sc_leaf_stretched(const sc_leaf *leaf, uint32_t index, const sc_piece *piece);
/* Could sc_leaf_insert do it? */
bool sc_leaf_has_room(const sc_leaf *leaf, uint32_t index, const sc_piece *piece);

/* Log and store bytes of published memory, word by word. */
int sc_txn_patch(sc_txn *txn, uint64_t offset, const void *bytes, uint32_t length);
/* Free what an item's parts have outside of the leaf, once committed. */
int sc_item_free_chains(sc_txn *txn, const sc_item *item);
int sc_leaf_free_chains(sc_txn *txn, const sc_leaf *leaf, uint32_t index, uint32_t count);

#endif
