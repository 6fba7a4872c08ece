/* Counted B+trees of leaves: finding by place, by hash and by key; changing, copying, freeing.
 *
 *             | node: child, child, ... |            a child word carries how many items are below
 *              /          |
 *       | node |       | node |                      all leaves are at the same depth
 *        /    |          |   |
 *     leaf   leaf      leaf  leaf
 *
 * A reader goes down by bounds-checked steps, as in leaf.h. A writer changes leaves in place where
 * that is cheap, else writes new blocks that nobody sees and swings the lowest parent's child word
 * that needs no new block. An empty tree has no root; a leaf or node that loses its last item or
 * child goes; a sparse leaf joins its neighbour. */
#ifndef SC_TREE_H
#define SC_TREE_H

#include "leaf.h"

#define SC_NODE_MOST 2040 /* bytes */
#define SC_NODE_BRANCHES 254

/* A tree as one reader or writer sees it. A packed container's leaf is a tree of no height. */
typedef struct sc_root {
    uint64_t offset; /* 0 = empty */
    uint64_t count;
    uint32_t height; /* levels of nodes */
    const sc_form *form;
} sc_root;

typedef struct sc_node {
    uint64_t offset;
    sc_node_head head;
    const uint64_t *child;
    const uint64_t *key;
} sc_node;

typedef struct sc_step {
    uint64_t node;
    uint32_t index;
} sc_step;

/* Where an item is, or would be. */
typedef struct sc_path {
    const sc_root *root;
    sc_step step[SC_TREE_HEIGHT]; /* the lowest node first */
    sc_leaf leaf;
    uint32_t index;  /* in the leaf; its count for behind the last */
    uint64_t before; /* items before the leaf */
} sc_path;

static inline uint64_t sc_child_offset(uint64_t word) {
    return (word & ((UINT64_C(1) << SC_OFFSET_BITS) - 1)) << 3;
}
static inline uint64_t sc_child_count(uint64_t word) {
    return word >> SC_CHILD_COUNT_SHIFT;
}
static inline uint64_t sc_child_word(uint64_t offset, uint64_t count) {
    return offset >> 3 | count << SC_CHILD_COUNT_SHIFT;
}
static inline uint8_t sc_key_words(const sc_form *form) {
    return form->mode == SC_SEQUENCE ? 0 : form->mode == SC_HASHED ? 1 : 2;
}
/* A tree's root as its entry holds it; false on damage. */
bool sc_root_load(const sc_arena *arena, const sc_tree *tree, const sc_form *form, sc_root *root);
bool sc_node_load(const sc_arena *arena, sc_node *node, uint64_t offset, uint32_t level,
                  uint8_t key_words);

/* ---- finding: SC_OK, SC_MISS in an empty tree, SC_CORRUPT -------------------------------------*/
/* The item at `rank`; behind the last one for the tree's count. */
int sc_path_at(const sc_arena *arena, const sc_root *root, uint64_t rank, sc_path *path);
/* The leaf that holds this hash, if any does; index 0. */
int sc_path_hash(const sc_arena *arena, const sc_root *root, uint64_t hash, sc_path *path);
/* Of an ordered tree: the first item whose key is not below `key`. */
int sc_path_seek(const sc_arena *arena, const sc_root *root, sc_bytes key, sc_path *path,
                 bool *equal);
/* The next or previous leaf: SC_MISS at the end. */
int sc_path_next(const sc_arena *arena, sc_path *path);
int sc_path_previous(const sc_arena *arena, sc_path *path);
/* Of a hashed tree: the least hash of the leaves behind this one; 0 when it is the last. */
int sc_path_bound(const sc_arena *arena, const sc_path *path, uint64_t *bound);
/* The word in a node (or the entry) that refers to `block`, a node or leaf of the tree; 0 = none.
 */
uint64_t sc_tree_refer(const sc_arena *arena, const sc_root *root, uint64_t root_word,
                       uint64_t block);

/* ---- freeing a tree that nobody can see any more, block by block (txn.c drives it)
 * --------------*/
typedef struct sc_last { /* the block that goes next, and what holds it */
    uint64_t block;      /* 0: none left */
    uint64_t node;       /* whose last child it is, 0 = not a child */
    uint8_t *pointer;    /* in a leaf, to its chain; NULL = the root or a child */
} sc_last;
/* `root_word` as in sc_tree.root. False on damage. */
bool sc_tree_last(const sc_arena *arena, uint64_t root_word, sc_last *last);
/* Let go of it; *root_word becomes 0 with the root. */
void sc_tree_unhook(const sc_arena *arena, uint64_t *root_word, const sc_last *last);

/* ---- changing: the stripe is locked, and opened here
 * -------------------------------------------*/
typedef struct sc_edit {
    sc_txn *txn;
    uint64_t stripe;
    uint64_t hash; /* of the key: what owns new blocks */
    sc_tree *tree;
} sc_edit;

/* A failed step may have logged changes: the caller undoes to where it began. The path is stale
 * afterwards in any case. */
int sc_tree_add(sc_edit *edit, sc_path *path, const sc_piece *piece);    /* before path->index */
int sc_tree_change(sc_edit *edit, sc_path *path, const sc_piece *piece); /* at path->index */
/* `count` items from path->index on, all of its leaf, with their chains. */
int sc_tree_drop(sc_edit *edit, sc_path *path, uint32_t count);

/* ---- whole trees: see build.c -----------------------------------------------------------------*/

/* Items in their tree's order, one after the other, into new blocks that nobody sees. */
typedef struct sc_builder {
    sc_txn *txn;
    const sc_form *form;
    uint64_t hash; /* of the key that will own the blocks */
    uint64_t items;
    uint8_t *bytes; /* of the pieces of the leaf to be */
    uint32_t used;
    sc_piece *pieces;
    uint32_t count, filled; /* pieces, and their bytes in a leaf */
    uint64_t first_hash, last_hash;
    struct sc_branch *branches;
    uint64_t branch_count, branch_room;
} sc_builder;
int sc_builder_start(sc_builder *builder, sc_txn *txn, const sc_form *form, uint64_t hash);
/* `item_hash` is the piece's, of a hashed tree. */
int sc_builder_add(sc_builder *builder, const sc_piece *piece, uint64_t item_hash);
int sc_builder_finish(sc_builder *builder, sc_tree *tree);
void sc_builder_end(sc_builder *builder); /* in any case, last */

/* A new child: its word, and the least key below it. */
typedef struct sc_branch {
    uint64_t word;
    uint64_t key[2];
} sc_branch;
/* Write nodes of `level` over `count` branches, which become the nodes' own. */
int sc_nodes_write(sc_txn *txn, const sc_form *form, uint64_t hash, uint32_t level,
                   sc_branch *branches, uint64_t *count);
int sc_node_write(sc_txn *txn, const sc_form *form, uint64_t hash, uint32_t level,
                  const sc_branch *branches, uint32_t count, sc_branch *out);
/* A leaf in a block of its own, with some room to spare. */
int sc_leaf_build(sc_txn *txn, const sc_form *form, uint64_t hash, bool reversed,
                  const sc_piece *pieces, uint32_t count, uint32_t spare, sc_branch *out);
/* What a node knows of a leaf whose first piece this is: nothing in a sequence, the hash, or the
 * key's first sixteen bytes. */
/* A copy of the leaf with one more item, in a larger block. SC_UNCHANGED: write it anew. */
int sc_leaf_grow(sc_txn *txn, const sc_form *form, uint64_t hash, const sc_leaf *leaf,
                 uint32_t index, const sc_piece *piece, sc_branch *out);
void sc_piece_key(const sc_arena *arena, const sc_form *form, const sc_piece *piece,
                  uint64_t key[2]);
uint64_t sc_piece_hash(const sc_arena *arena, const sc_form *form, const sc_piece *piece);

#endif
