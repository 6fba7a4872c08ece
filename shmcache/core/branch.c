/* Changing counted trees: one leaf's change, and what it means for the nodes above. See tree.h. */
#include "heap.h"
#include "lock.h"
#include "tree.h"

#define SC_SHIFT_WORDS 24 /* moved in place, each logged; beyond, a fresh node is cheaper */

/* ---- counts and words above a change ----------------------------------------------------------*/

static uint64_t *child_word(const sc_edit *edit, const sc_path *path, uint32_t level) {
    const sc_step *step = &path->step[level];
    return (uint64_t *)sc_at(edit->txn->writer->arena, step->node + 16) + step->index;
}

/* Add `delta` items to every count from `level` up to the tree's own. */
static int count_above(sc_edit *edit, const sc_path *path, uint32_t level, int64_t delta) {
    uint32_t height = path->root->height;
    if (!delta) return SC_OK;
    int status = sc_txn_reserve(edit->txn, height - level + 1);
    if (status != SC_OK) return status;
    for (; level < height; level++) {
        uint64_t *word = child_word(edit, path, level);
        sc_txn_store64(edit->txn, word, *word + ((uint64_t)delta << SC_CHILD_COUNT_SHIFT));
    }
    sc_txn_store64(edit->txn, &edit->tree->count, edit->tree->count + (uint64_t)delta);
    return SC_OK;
}

static int free_block(sc_edit *edit, uint64_t block) {
    int status = sc_txn_reserve(edit->txn, 1);
    if (status == SC_OK) sc_txn_free(edit->txn, block);
    return status;
}

/* ---- replacing some children of a node --------------------------------------------------------*/

typedef struct change {
    sc_edit *edit;
    sc_path *path;
    int64_t delta; /* items more or fewer in the whole tree */
} change;

static int put_root(change *change, uint32_t level, const sc_branch *branches, uint32_t count) {
    sc_edit *edit = change->edit;
    sc_branch top = {0};
    if (count == 1) top = branches[0];
    if (count > 1) {
        level++;
        int status = sc_node_write(edit->txn, change->path->root->form, edit->hash, level, branches,
                                   count, &top);
        if (status != SC_OK) return status;
    }
    int status = sc_txn_reserve(edit->txn, 2);
    if (status != SC_OK) return status;
    uint64_t offset = sc_child_offset(top.word);
    sc_txn_open(edit->txn, edit->stripe);
    sc_txn_store64(edit->txn, &edit->tree->root, offset ? sc_child_word(offset, level) : 0);
    sc_txn_store64(edit->txn, &edit->tree->count, edit->tree->count + (uint64_t)change->delta);
    return SC_OK;
}

static int put_children(change *change, uint32_t level, uint32_t index, uint32_t span,
                        const sc_branch *branches, uint32_t count);

static sc_branch branch_of(const sc_node *node, uint32_t index) {
    sc_branch branch = {.word = node->child[index]};
    for (uint32_t i = 0; i < node->head.key_words; i++)
        branch.key[i] = node->key[index * node->head.key_words + i];
    return branch;
}

/* The node's children with `span` of them replaced, in one fresh node or two. */
static int rebuild_node(change *change, uint32_t level, const sc_node *node, uint32_t index,
                        uint32_t span, const sc_branch *branches, uint32_t count) {
    sc_edit *edit = change->edit;
    sc_branch all[SC_NODE_BRANCHES + 4], made[2];
    uint32_t total = 0, made_count = 1;
    for (uint32_t i = 0; i < index; i++)
        all[total++] = branch_of(node, i);
    for (uint32_t i = 0; i < count; i++)
        all[total++] = branches[i];
    for (uint32_t i = index + span; i < node->head.count; i++)
        all[total++] = branch_of(node, i);
    uint32_t most = (SC_NODE_MOST - 16) / (8 * (1 + (uint32_t)node->head.key_words));
    uint32_t first = total;
    if (total > most) { /* at the end things arrive in order: leave little room behind them */
        first = index + count == total ? total - total / 8 : total / 2;
        made_count = 2;
    }
    const sc_form *form = change->path->root->form;
    int status = sc_node_write(edit->txn, form, edit->hash, level + 1, all, first, &made[0]);
    if (status == SC_OK && made_count == 2) {
        status = sc_node_write(edit->txn, form, edit->hash, level + 1, all + first, total - first,
                               &made[1]);
    }
    if (status == SC_OK) status = free_block(edit, node->offset);
    if (status != SC_OK) return status;
    if (level + 1 < change->path->root->height) { /* its key among its siblings stays */
        sc_node above;
        const sc_step *step = &change->path->step[level + 1];
        if (!sc_node_load(edit->txn->writer->arena, &above, step->node, level + 2,
                          (uint8_t)node->head.key_words)) {
            return SC_CORRUPT;
        }
        memcpy(made[0].key, branch_of(&above, step->index).key, sizeof made[0].key);
    }
    return put_children(change, level + 1, 0, 1, made, made_count);
}

/* The same in the node itself, each word logged. */
static int patch_node(change *change, uint32_t level, const sc_node *node, uint32_t index,
                      uint32_t span, const sc_branch *branches, uint32_t count) {
    sc_txn *txn = change->edit->txn;
    uint32_t words = node->head.key_words, tail = node->head.count - index - span;
    uint64_t moved[SC_SHIFT_WORDS + 4 + 8];
    uint64_t children = node->offset + 16;
    uint64_t keys = children + 8 * (uint64_t)node->head.capacity;
    uint32_t at = 0;
    sc_txn_open(txn, change->edit->stripe);
    for (uint32_t i = 0; i < count; i++)
        moved[at++] = branches[i].word;
    if (span != count) {
        memcpy(&moved[at], &node->child[index + span], 8 * (size_t)tail);
        at += tail;
    }
    int status = sc_txn_patch(txn, children + 8 * (uint64_t)index, moved, 8 * at);
    if (status != SC_OK || span == count) goto counts;
    at = 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t word = 0; word < words; word++)
            moved[at++] = branches[i].key[word];
    memcpy(&moved[at], &node->key[(index + span) * words], 8 * (size_t)(tail * words));
    at += tail * words;
    status = sc_txn_patch(txn, keys + 8 * (uint64_t)(index * words), moved, 8 * at);
    if (status == SC_OK) status = sc_txn_reserve(txn, 1);
    if (status != SC_OK) return status;
    union {
        sc_node_head head;
        uint64_t word;
    } first = {.head = node->head};
    first.head.count = node->head.count - span + count;
    sc_txn_store64(txn, sc_at(txn->writer->arena, node->offset), first.word);
counts:
    if (status != SC_OK) return status;
    return count_above(change->edit, change->path, level + 1, change->delta);
}

/* In place of `span` children from `index` on (relative to the path's own child when span is of it
 * alone) put `count` others. */
static int put_children(change *change, uint32_t level, uint32_t offset, uint32_t span,
                        const sc_branch *branches, uint32_t count) {
    sc_path *path = change->path;
    const sc_arena *arena = change->edit->txn->writer->arena;
    if (level == path->root->height) return put_root(change, level, branches, count);
    sc_node node;
    if (!sc_node_load(arena, &node, path->step[level].node, level + 1,
                      sc_key_words(path->root->form))) {
        return SC_CORRUPT;
    }
    uint32_t index = path->step[level].index - offset;
    uint32_t total = node.head.count - span + count, tail = node.head.count - index - span;
    if (total == 0) {
        int status = free_block(change->edit, node.offset);
        return status == SC_OK ? put_children(change, level + 1, 0, 1, NULL, 0) : status;
    }
    if (total == 1 && level + 1 == path->root->height) { /* the root is down to one child */
        sc_branch only = count ? branches[0] : branch_of(&node, index ? 0 : span);
        int status = free_block(change->edit, node.offset);
        return status == SC_OK ? put_root(change, level, &only, 1) : status;
    }
    uint32_t words = (count + (span == count ? 0 : tail)) * (1 + (uint32_t)node.head.key_words);
    if (total > node.head.capacity || words > SC_SHIFT_WORDS) {
        return rebuild_node(change, level, &node, index, span, branches, count);
    }
    return patch_node(change, level, &node, index, span, branches, count);
}

/* ---- leaves -----------------------------------------------------------------------------------*/

static bool is_last_leaf(const sc_arena *arena, const sc_path *path, bool front) {
    for (uint32_t level = 0; level < path->root->height; level++) {
        sc_node node;
        uint32_t index = path->step[level].index;
        if (!sc_node_load(arena, &node, path->step[level].node, level + 1,
                          sc_key_words(path->root->form))) {
            return false;
        }
        if (index != (front ? 0 : node.head.count - 1u)) return false;
    }
    return true;
}

/* Where to cut pieces that no longer fit one leaf: about half of the bytes on either side. */
static uint32_t middle_of(const sc_pieces *all, uint32_t width) {
    uint32_t half = sc_pieces_bytes(all->piece, all->count, width) / 2, bytes = 0, at = 0;
    while (at + 1 < all->count && bytes + (all->piece[at].length + width) / 2 < half)
        bytes += all->piece[at++].length + width;
    return at ? at : 1;
}

/* The hash that half of them lie below (Hoare, "Algorithm 65: FIND", 1961). Reorders them. */
static uint64_t median(uint64_t *hashes, uint32_t count) {
    uint32_t from = 0, to = count - 1, middle = count / 2;
    while (from < to) {
        uint64_t pivot = hashes[(from + to) / 2];
        uint32_t low = from, high = to;
        for (;;) {
            while (hashes[low] < pivot)
                low++;
            while (hashes[high] > pivot)
                high--;
            if (low >= high) break;
            uint64_t swap = hashes[low];
            hashes[low++] = hashes[high];
            hashes[high--] = swap;
        }
        if (middle <= high)
            to = high;
        else
            from = high + 1;
    }
    return hashes[middle];
}

/* A hash that parts them into two halves, neither empty; 0 when all are the same. */
static uint64_t parting_hash(const uint64_t *hashes, uint32_t count) {
    uint64_t own[SC_LEAF_ITEMS + 1], above = 0;
    memcpy(own, hashes, count * sizeof *own);
    uint64_t bound = median(own, count);
    for (uint32_t i = 0; i < count; i++) {
        if (hashes[i] < bound) return bound;
        if (hashes[i] > bound && (!above || hashes[i] < above)) above = hashes[i];
    }
    return above;
}

/* Part the pieces of a hashed leaf by their hashes, each half in the order it was. */
static int part_hashed(const sc_edit *edit, const sc_form *form, const sc_pieces *all,
                       sc_pieces *left, sc_pieces *right, uint64_t *bound) {
    uint64_t hashes[SC_LEAF_ITEMS + 1];
    for (uint32_t i = 0; i < all->count; i++)
        hashes[i] = sc_piece_hash(edit->txn->writer->arena, form, &all->piece[i]);
    *bound = parting_hash(hashes, all->count);
    left->count = right->count = 0;
    for (uint32_t i = 0; i < all->count; i++) {
        sc_pieces *half = hashes[i] < *bound ? left : right;
        half->piece[half->count++] = all->piece[i];
    }
    return *bound ? SC_OK : SC_VALUE_TOO_LONG;
}

/* The path's leaf is full: two take its place. */
static int split_leaf(change *change, const sc_pieces *all) {
    sc_edit *edit = change->edit;
    sc_path *path = change->path;
    const sc_form *form = path->root->form;
    const sc_arena *arena = edit->txn->writer->arena;
    sc_branch made[2];
    sc_pieces left, right;
    uint64_t bound[2] = {0};
    uint32_t width = sc_slot_width(form->mode);
    int status = SC_OK;
    if (form->mode == SC_HASHED) {
        status = part_hashed(edit, form, all, &left, &right, bound);
        if (status != SC_OK) return status;
    } else {
        left.count = middle_of(all, width);
        right.count = all->count - left.count;
        memcpy(left.piece, all->piece, left.count * sizeof(sc_piece));
        memcpy(right.piece, &all->piece[left.count], right.count * sizeof(sc_piece));
        sc_piece_key(arena, form, right.piece, bound);
    }
    status = sc_leaf_build(edit->txn, form, edit->hash, false, left.piece, left.count, 0, &made[0]);
    if (status == SC_OK) {
        status = sc_leaf_build(edit->txn, form, edit->hash, false, right.piece, right.count, 0,
                               &made[1]);
    }
    if (status == SC_OK) status = free_block(edit, path->leaf.offset);
    if (status != SC_OK) return status;
    memcpy(made[1].key, bound, sizeof bound);
    if (path->root->height) {
        sc_node node;
        if (!sc_node_load(arena, &node, path->step[0].node, 1, sc_key_words(form))) {
            return SC_CORRUPT;
        }
        memcpy(made[0].key, branch_of(&node, path->step[0].index).key, sizeof made[0].key);
    } else {
        memset(made[0].key, 0, sizeof made[0].key);
    }
    return put_children(change, 0, 0, 1, made, 2);
}

/* A leaf of its own for an item that comes behind the last one, or (of a list) before the first. */
static int put_beside(change *change, const sc_piece *piece, bool front) {
    sc_edit *edit = change->edit;
    const sc_form *form = change->path->root->form;
    sc_branch made[2];
    uint32_t old = front ? 1 : 0;
    int status = sc_leaf_build(edit->txn, form, edit->hash, front, piece, 1, form->most / 4u,
                               &made[1 - old]);
    if (status != SC_OK) return status;
    sc_piece_key(edit->txn->writer->arena, form, piece, made[1 - old].key);
    memset(made[old].key, 0, sizeof made[old].key);
    if (change->path->root->height) {
        sc_node node;
        if (!sc_node_load(edit->txn->writer->arena, &node, change->path->step[0].node, 1,
                          sc_key_words(form))) {
            return SC_CORRUPT;
        }
        made[old] = branch_of(&node, change->path->step[0].index);
    } else {
        made[old].word = sc_child_word(change->path->leaf.offset, change->path->leaf.head.count);
    }
    return put_children(change, 0, 0, 1, made, 2);
}

/* Put another leaf in the place of the path's. */
static int put_leaf(change *change, sc_branch made) {
    sc_edit *edit = change->edit;
    int status = free_block(edit, change->path->leaf.offset);
    if (status != SC_OK) return status;
    if (change->path->root->height) {
        sc_node node;
        if (!sc_node_load(edit->txn->writer->arena, &node, change->path->step[0].node, 1,
                          sc_key_words(change->path->root->form))) {
            return SC_CORRUPT;
        }
        memcpy(made.key, branch_of(&node, change->path->step[0].index).key, sizeof made.key);
    }
    return put_children(change, 0, 0, 1, &made, 1);
}

static int rebuild_leaf(change *change, const sc_pieces *all, bool reversed, uint32_t spare) {
    sc_branch made;
    int status = sc_leaf_build(change->edit->txn, change->path->root->form, change->edit->hash,
                               reversed, all->piece, all->count, spare, &made);
    return status == SC_OK ? put_leaf(change, made) : status;
}

static int grow_leaf(change *change, uint32_t index, const sc_piece *piece) {
    sc_branch made;
    int status = sc_leaf_grow(change->edit->txn, change->path->root->form, change->edit->hash,
                              &change->path->leaf, index, piece, &made);
    return status == SC_OK ? put_leaf(change, made) : status;
}

static uint32_t leaf_bytes(const sc_form *form, const sc_pieces *all) {
    return 16 + sc_pieces_bytes(all->piece, all->count, sc_slot_width(form->mode));
}

static int first_leaf(change *change, const sc_piece *piece) {
    sc_branch made;
    sc_edit *edit = change->edit;
    int status =
        sc_leaf_build(edit->txn, change->path->root->form, edit->hash, false, piece, 1, 0, &made);
    return status == SC_OK ? put_root(change, 0, &made, 1) : status;
}

int sc_tree_add(sc_edit *edit, sc_path *path, const sc_piece *piece) {
    const sc_form *form = path->root->form;
    const sc_arena *arena = edit->txn->writer->arena;
    change change = {.edit = edit, .path = path, .delta = 1};
    if (!path->root->offset) return first_leaf(&change, piece);
    if (path->root->count >= UINT64_C(1) << (63 - SC_CHILD_COUNT_SHIFT)) return SC_VALUE_TOO_LONG;
    bool at_end = path->index == path->leaf.head.count, at_front = path->index == 0;
    uint32_t index = form->mode == SC_HASHED ? path->leaf.head.count : path->index;
    if (sc_leaf_has_room(&path->leaf, index, piece)) {
        sc_txn_open(edit->txn, edit->stripe);
        int status = sc_leaf_insert(edit->txn, &path->leaf, index, piece);
        return status == SC_OK ? count_above(edit, path, 0, 1) : status;
    }
    sc_pieces all;
    int status = grow_leaf(&change, index, piece);
    if (status != SC_UNCHANGED) return status;
    status = sc_pieces_gather(&path->leaf, index, 0, piece, &all);
    if (status != SC_OK) return status;
    bool front = form->mode == SC_SEQUENCE && at_front && path->leaf.head.count > 1;
    uint32_t bytes = leaf_bytes(form, &all);
    if (bytes <= form->most && all.count < SC_LEAF_ITEMS) {
        bool end = form->mode != SC_HASHED && (at_end || front);
        return rebuild_leaf(&change, &all, front, end ? bytes : 0);
    }
    if (form->mode != SC_HASHED && at_end && is_last_leaf(arena, path, false)) {
        return put_beside(&change, piece, false);
    }
    if (front && is_last_leaf(arena, path, true)) return put_beside(&change, piece, true);
    return split_leaf(&change, &all);
}

int sc_tree_change(sc_edit *edit, sc_path *path, const sc_piece *piece) {
    const sc_form *form = path->root->form;
    change change = {.edit = edit, .path = path};
    sc_txn_open(edit->txn, edit->stripe);
    int status = sc_leaf_replace(edit->txn, &path->leaf, path->index, piece);
    if (status != SC_UNCHANGED) return status;
    sc_pieces all;
    status = sc_pieces_gather(&path->leaf, path->index, 1, piece, &all);
    if (status != SC_OK) return status;
    if (leaf_bytes(form, &all) <= form->most) return rebuild_leaf(&change, &all, false, 0);
    return split_leaf(&change, &all);
}

/* A leaf this empty joins its neighbour, if both then leave room in one. */
static int join_leaf(change *change, const sc_pieces *all, bool *joined) {
    const sc_form *form = change->path->root->form;
    const sc_arena *arena = change->edit->txn->writer->arena;
    sc_node node;
    sc_leaf other;
    sc_pieces both;
    const sc_step *step = &change->path->step[0];
    if (!sc_node_load(arena, &node, step->node, 1, sc_key_words(form))) return SC_CORRUPT;
    if (node.head.count < 2) return SC_OK;
    bool with_next = step->index + 1u < node.head.count;
    uint32_t beside = with_next ? step->index + 1 : step->index - 1;
    if (!sc_leaf_load(arena, &other, sc_child_offset(node.child[beside]), form->mode)) {
        return SC_CORRUPT;
    }
    int count = sc_leaf_pieces(&other, both.piece + (with_next ? all->count : 0));
    if (count < 0) return SC_CORRUPT;
    memcpy(both.piece + (with_next ? 0 : count), all->piece, all->count * sizeof(sc_piece));
    both.count = all->count + (uint32_t)count;
    if (leaf_bytes(form, &both) > form->most * 3u / 4 || both.count >= SC_LEAF_ITEMS) return SC_OK;
    sc_branch made;
    sc_edit *edit = change->edit;
    int status =
        sc_leaf_build(edit->txn, form, edit->hash, false, both.piece, both.count, 0, &made);
    if (status == SC_OK) status = free_block(edit, change->path->leaf.offset);
    if (status == SC_OK) status = free_block(edit, other.offset);
    if (status != SC_OK) return status;
    memcpy(made.key, branch_of(&node, with_next ? step->index : beside).key, sizeof made.key);
    *joined = true;
    return put_children(change, 0, with_next ? 0 : 1, 2, &made, 1);
}

static int drop_leaf(sc_edit *edit, sc_path *path) {
    change change = {.edit = edit, .path = path, .delta = -(int64_t)path->leaf.head.count};
    int status = sc_txn_reserve(edit->txn, 1);
    if (status != SC_OK) return status;
    sc_txn_free_tree(edit->txn, sc_child_word(path->leaf.offset, 0)); /* it, and its chains */
    return put_children(&change, 0, 0, 1, NULL, 0);
}

/* Is it worth to see whether the leaf could join its neighbour? Queues shrink at their ends, where
 * leaves go of themselves. */
static bool may_join(const sc_path *path, uint32_t removed) {
    const sc_leaf_head *head = &path->leaf.head;
    uint32_t left = head->count - removed;
    bool at_end =
        head->mode == SC_SEQUENCE && (path->index == 0 || path->index + removed == head->count);
    return path->root->height && !at_end && head->limit > 128 &&
           left * path->leaf.width < path->root->form->most / 8u;
}

/* To size up all items that stay would be most of a removal. The one that goes tells of the others:
 * where they differ, a small one will go in its turn. */
static bool looks_sparse(const sc_path *path, uint32_t left) {
    sc_item item;
    if (!sc_item_load(&path->leaf, path->index, &item)) return true;
    return left * (path->leaf.width + item.bytes) < path->root->form->most * 3u / 8;
}

int sc_tree_drop(sc_edit *edit, sc_path *path, uint32_t count) {
    const sc_form *form = path->root->form;
    const sc_leaf *leaf = &path->leaf;
    change change = {.edit = edit, .path = path, .delta = -(int64_t)count};
    if (count > leaf->head.count - path->index) return SC_CORRUPT;
    if (leaf->head.count == count) return drop_leaf(edit, path);
    int status = sc_leaf_free_chains(edit->txn, leaf, path->index, count);
    sc_pieces all;
    if (status == SC_OK && may_join(path, count) && looks_sparse(path, leaf->head.count - count)) {
        bool joined = false;
        uint32_t mark = edit->txn->count;
        status = sc_pieces_gather(leaf, path->index, count, NULL, &all);
        if (status == SC_OK && leaf_bytes(form, &all) < form->most / 4u) {
            status = join_leaf(&change, &all, &joined);
        }
        if (joined && status == SC_OK) return status;
        if (status == SC_NO_MEMORY) { /* then it stays sparse */
            sc_txn_undo_to(edit->txn, mark);
            status = SC_OK;
        }
    }
    if (status != SC_OK) return status;
    sc_txn_open(edit->txn, edit->stripe);
    status = sc_leaf_erase(edit->txn, leaf, path->index, count);
    if (status == SC_OK) return count_above(edit, path, 0, -(int64_t)count);
    if (status != SC_UNCHANGED) return status;
    status = sc_pieces_gather(leaf, path->index, count, NULL, &all);
    return status == SC_OK ? rebuild_leaf(&change, &all, false, 0) : status;
}
