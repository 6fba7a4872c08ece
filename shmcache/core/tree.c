/* Finding in counted trees. See tree.h. Changing is in branch.c, building in build.c. */
#include "tree.h"

/* ---- nodes ------------------------------------------------------------------------------------*/

bool sc_root_load(const sc_arena *arena, const sc_tree *tree, const sc_form *form, sc_root *root) {
    uint64_t word = sc_load64(&tree->root);
    root->offset = sc_child_offset(word);
    root->height = (uint32_t)(word >> SC_CHILD_COUNT_SHIFT);
    root->count = sc_load64(&tree->count);
    root->form = form;
    /* An item takes a slot of two bytes: more of them than that is damage, and would be a long
     * walk. */
    return root->height <= SC_TREE_HEIGHT && root->count <= arena->heap_bytes / 2;
}

bool sc_node_load(const sc_arena *arena, sc_node *node, uint64_t offset, uint32_t level,
                  uint8_t key_words) {
    if (SC_UNLIKELY(!sc_in_heap(arena, offset, sizeof(uint64_t)))) return false;
    union {
        uint64_t word;
        sc_node_head head;
    } first = {.word = sc_load64(sc_at(arena, offset))};
    uint32_t bytes = 16 + (uint32_t)first.head.capacity * 8 * (1 + key_words);
    node->offset = offset;
    node->head = first.head;
    node->child = sc_at(arena, offset + 16);
    node->key = node->child + first.head.capacity;
    return SC_LIKELY(first.head.kind == SC_KIND_NODE && first.head.level == level &&
                     first.head.key_words == key_words && first.head.count &&
                     first.head.count <= first.head.capacity && bytes <= SC_NODE_MOST &&
                     sc_in_heap(arena, offset, bytes));
}

/* ---- going down -------------------------------------------------------------------------------*/

/* What is looked for: a rank, a hash, or a key. */
typedef struct target {
    uint64_t rank; /* with SC_SEQUENCE, or by rank in any tree */
    uint64_t hash;
    sc_bytes key;
    uint64_t prefix[2];
} target;
typedef int chooser(const sc_arena *arena, const sc_root *root, const sc_node *node, target *wanted,
                    uint32_t *index);

static uint64_t count_before(const sc_node *node, uint32_t index) {
    uint64_t before = 0;
    for (uint32_t i = 0; i < index; i++)
        before += sc_child_count(sc_load64(&node->child[i]));
    return before;
}

static int choose_rank(const sc_arena *arena, const sc_root *root, const sc_node *node,
                       target *wanted, uint32_t *index) {
    (void)arena, (void)root;
    uint32_t last = node->head.count - 1u, i = 0;
    for (; i < last; i++) {
        uint64_t count = sc_child_count(sc_load64(&node->child[i]));
        if (wanted->rank < count) break;
        wanted->rank -= count;
    }
    *index = i;
    return SC_OK;
}

static int choose_hash(const sc_arena *arena, const sc_root *root, const sc_node *node,
                       target *wanted, uint32_t *index) {
    (void)arena, (void)root;
    const uint64_t *key = node->key;
    uint32_t least = 0, left = node->head.count;
    while (left > 1) { /* the last child whose key is not above; the first one's counts as nought */
        uint32_t half = left / 2;
        least = sc_load64(&key[least + half]) <= wanted->hash ? least + half : least;
        left -= half;
    }
    *index = least;
    return SC_OK;
}

/* -1, 0, 1: a child's key words against the wanted prefix. */
static int prefix_order(const sc_node *node, uint32_t index, const target *wanted) {
    uint64_t word = sc_load64(&node->key[2 * index]);
    if (word != wanted->prefix[0]) return word < wanted->prefix[0] ? -1 : 1;
    word = sc_load64(&node->key[2 * index + 1]);
    if (word != wanted->prefix[1]) return word < wanted->prefix[1] ? -1 : 1;
    return 0;
}

/* Is the least item below this child above the wanted key? SC_OK no, SC_MISS yes. */
static int least_is_above(const sc_arena *arena, const sc_root *root, uint64_t offset,
                          uint32_t level, const target *wanted) {
    sc_node node;
    sc_leaf leaf;
    sc_item item;
    for (; level; level--) {
        if (!sc_node_load(arena, &node, offset, level, 2)) return SC_CORRUPT;
        offset = sc_child_offset(sc_load64(&node.child[0]));
    }
    if (!sc_leaf_load(arena, &leaf, offset, root->form->mode) || !leaf.head.count ||
        !sc_item_load(&leaf, 0, &item)) {
        return SC_CORRUPT;
    }
    return sc_part_compare(arena, &item.key, wanted->key) > 0 ? SC_MISS : SC_OK;
}

/* The last child whose least item is not above the key. Its first sixteen bytes tell most children
 * apart; among those that have the same, the items themselves are looked at. */
static int choose_key(const sc_arena *arena, const sc_root *root, const sc_node *node,
                      target *wanted, uint32_t *index) {
    uint32_t count = node->head.count, below = 0, upto = 0, least = 1, most = count;
    while (least < most) { /* children before `least` have a prefix below the wanted one */
        uint32_t middle = (least + most) / 2;
        if (prefix_order(node, middle, wanted) < 0)
            least = middle + 1;
        else
            most = middle;
    }
    below = least - 1;
    most = count;
    while (least < most) { /* ... and before this one not above it */
        uint32_t middle = (least + most) / 2;
        if (prefix_order(node, middle, wanted) <= 0)
            least = middle + 1;
        else
            most = middle;
    }
    upto = least - 1;
    while (below < upto) {
        uint32_t middle = (below + upto + 1) / 2;
        uint64_t child = sc_child_offset(sc_load64(&node->child[middle]));
        int status = least_is_above(arena, root, child, node->head.level - 1u, wanted);
        if (status == SC_CORRUPT) return status;
        if (status == SC_OK)
            below = middle;
        else
            upto = middle - 1;
    }
    *index = below;
    return SC_OK;
}

#define PREFETCHED_OF_LEAF 1024 /* all of most leaves */
#define PREFETCHED_FROM 20000   /* items: what is smaller tends to be in a cache */

/* Have a block come while it is not needed yet, all its lines at a time: in a tree that no cache
 * holds, a search would else wait for one line after the other. A prefetch may pass the heap's end;
 * it never faults. */
SC_HOT void prefetch_block(const sc_arena *arena, uint64_t offset, uint32_t bytes) {
    const char *at = sc_at(arena, offset);
    for (uint32_t i = 0; i < bytes; i += SC_CACHE_LINE)
        __builtin_prefetch(at + i);
}

SC_HOT int descend(const sc_arena *arena, const sc_root *root, target *wanted, chooser *choose,
                   bool counting, sc_path *path) {
    uint64_t offset = root->offset;
    uint8_t key_words = sc_key_words(root->form);
    path->root = root;
    path->index = 0;
    path->before = 0;
    if (!offset) return SC_MISS;
    for (uint32_t level = root->height; level; level--) {
        sc_node node;
        uint32_t index;
        if (SC_UNLIKELY(!sc_node_load(arena, &node, offset, level, key_words))) return SC_CORRUPT;
        int status = choose(arena, root, &node, wanted, &index);
        if (SC_UNLIKELY(status != SC_OK)) return status;
        if (counting) path->before += count_before(&node, index);
        path->step[level - 1] = (sc_step){.node = offset, .index = index};
        offset = sc_child_offset(sc_load64(&node.child[index]));
        if (SC_UNLIKELY(root->count > PREFETCHED_FROM)) {
            prefetch_block(arena, offset, level > 1 ? SC_NODE_MOST : PREFETCHED_OF_LEAF);
        }
    }
    return SC_LIKELY(sc_leaf_load(arena, &path->leaf, offset, root->form->mode)) ? SC_OK
                                                                                 : SC_CORRUPT;
}

int sc_path_at(const sc_arena *arena, const sc_root *root, uint64_t rank, sc_path *path) {
    target wanted = {.rank = rank};
    int status = descend(arena, root, &wanted, choose_rank, false, path);
    if (status != SC_OK) return status;
    path->index = (uint32_t)wanted.rank;
    path->before = rank - wanted.rank;
    return wanted.rank <= path->leaf.head.count ? SC_OK : SC_CORRUPT;
}

int sc_path_hash(const sc_arena *arena, const sc_root *root, uint64_t hash, sc_path *path) {
    target wanted = {.hash = hash};
    return descend(arena, root, &wanted, choose_hash, false, path);
}

static uint64_t prefix_word(const char *bytes, uint64_t length, uint64_t from) {
    uint64_t word = 0;
    if (length > from) memcpy(&word, bytes + from, length - from < 8 ? length - from : 8);
    return __builtin_bswap64(word);
}

int sc_path_seek(const sc_arena *arena, const sc_root *root, sc_bytes key, sc_path *path,
                 bool *equal) {
    target wanted = {
        .key = key,
        .prefix = {prefix_word(key.bytes, key.length, 0), prefix_word(key.bytes, key.length, 8)}};
    *equal = false;
    int status = descend(arena, root, &wanted, choose_key, true, path);
    if (status == SC_OK) path->index = sc_leaf_seek(arena, &path->leaf, key, equal);
    return status;
}

/* ---- going along ------------------------------------------------------------------------------*/

/* Down again from a node of the path, by first or last children. */
static int descend_side(const sc_arena *arena, sc_path *path, uint64_t offset, uint32_t level,
                        bool last) {
    uint8_t key_words = sc_key_words(path->root->form);
    for (; level; level--) {
        sc_node node;
        if (!sc_node_load(arena, &node, offset, level, key_words)) return SC_CORRUPT;
        uint32_t index = last ? node.head.count - 1u : 0;
        path->step[level - 1] = (sc_step){.node = offset, .index = index};
        offset = sc_child_offset(sc_load64(&node.child[index]));
    }
    return sc_leaf_load(arena, &path->leaf, offset, path->root->form->mode) && path->leaf.head.count
               ? SC_OK
               : SC_CORRUPT;
}

static int step_leaf(const sc_arena *arena, sc_path *path, bool back) {
    uint8_t key_words = sc_key_words(path->root->form);
    for (uint32_t level = 0; level < path->root->height; level++) {
        sc_step *step = &path->step[level];
        sc_node node;
        if (!sc_node_load(arena, &node, step->node, level + 1, key_words)) return SC_CORRUPT;
        if (back ? step->index == 0 : step->index + 1u >= node.head.count) continue;
        step->index = back ? step->index - 1 : step->index + 1;
        uint64_t child = sc_child_offset(sc_load64(&node.child[step->index]));
        return descend_side(arena, path, child, level, back);
    }
    return SC_MISS;
}

int sc_path_next(const sc_arena *arena, sc_path *path) {
    uint32_t passed = path->leaf.head.count;
    int status = step_leaf(arena, path, false);
    path->index = 0;
    path->before += passed;
    /* A damaged node may lead into the same leaves again and again: not more often than this. */
    return status == SC_OK && path->before >= path->root->count ? SC_CORRUPT : status;
}

int sc_path_previous(const sc_arena *arena, sc_path *path) {
    int status = step_leaf(arena, path, true);
    if (status != SC_OK) return status;
    if (path->leaf.head.count > path->before) return SC_CORRUPT;
    path->index = path->leaf.head.count - 1u;
    path->before -= path->leaf.head.count;
    return SC_OK;
}

int sc_path_bound(const sc_arena *arena, const sc_path *path, uint64_t *bound) {
    *bound = 0;
    for (uint32_t level = 0; level < path->root->height; level++) {
        sc_node node;
        const sc_step *step = &path->step[level];
        if (!sc_node_load(arena, &node, step->node, level + 1, 1)) return SC_CORRUPT;
        if (step->index + 1u >= node.head.count) continue;
        *bound = sc_load64(&node.key[step->index + 1]);
        return SC_OK;
    }
    return SC_OK;
}

/* ---- who refers to a block --------------------------------------------------------------------*/

static uint64_t refer_below(const sc_arena *arena, const sc_root *root, uint64_t offset,
                            uint32_t level, uint64_t block) {
    sc_node node;
    if (!sc_node_load(arena, &node, offset, level, sc_key_words(root->form))) return 0;
    for (uint32_t i = 0; i < node.head.count; i++) {
        uint64_t child = sc_child_offset(node.child[i]);
        if (child == block) return sc_offset(arena, &node.child[i]);
    }
    for (uint32_t i = 0; level > 1 && i < node.head.count; i++) {
        uint64_t found = refer_below(arena, root, sc_child_offset(node.child[i]), level - 1, block);
        if (found) return found;
    }
    return 0;
}

uint64_t sc_tree_refer(const sc_arena *arena, const sc_root *root, uint64_t root_word,
                       uint64_t block) {
    if (root->offset == block) return root_word;
    return root->height ? refer_below(arena, root, root->offset, root->height, block) : 0;
}

/* ---- freeing ----------------------------------------------------------------------------------*/

static bool last_of_leaf(const sc_arena *arena, uint64_t offset, sc_last *last) {
    sc_leaf leaf;
    sc_item item;
    const sc_leaf_head *head = sc_at(arena, offset);
    last->block = offset;
    last->pointer = NULL;
    if (!sc_leaf_load(arena, &leaf, offset, head->mode)) return false;
    if (leaf.head.packed) last->block = 0; /* part of its entry, which goes by itself */
    for (uint32_t i = 0; leaf.head.chained && i < leaf.head.count; i++) {
        if (!sc_item_load(&leaf, i, &item)) return false;
        const sc_part *parts[] = {&item.key, &item.value};
        for (int part = 0; part < 2; part++) {
            if (!(item.slot & (part ? SC_VALUE_CHAIN : SC_KEY_CHAIN))) continue;
            uint64_t block = sc_bytes8(parts[part]->at);
            if (!block) continue;
            last->block = block;
            last->pointer = (uint8_t *)sc_at(arena, sc_offset(arena, parts[part]->at));
            return sc_in_heap(arena, block, sizeof(sc_chunk));
        }
    }
    return true;
}

bool sc_tree_last(const sc_arena *arena, uint64_t root_word, sc_last *last) {
    uint64_t offset = sc_child_offset(root_word);
    *last = (sc_last){0};
    for (uint64_t level = root_word >> SC_CHILD_COUNT_SHIFT; level; level--) {
        if (!sc_in_heap(arena, offset, 16)) return false;
        const sc_node_head *head = sc_at(arena, offset);
        uint64_t bytes = 16 + (uint64_t)head->capacity * 8;
        if (head->kind != SC_KIND_NODE || head->level != level || head->count > head->capacity ||
            !sc_in_heap(arena, offset, bytes)) {
            return false;
        }
        if (!head->count) {
            last->block = offset;
            return true;
        }
        const uint64_t *child = sc_at(arena, offset + 16);
        last->node = offset;
        offset = sc_child_offset(child[head->count - 1]);
    }
    return sc_in_heap(arena, offset, 8) && last_of_leaf(arena, offset, last);
}

void sc_tree_unhook(const sc_arena *arena, uint64_t *root_word, const sc_last *last) {
    if (last->pointer) {
        uint64_t next = sc_chunk_next(sc_at(arena, last->block));
        SC_KILL_POINT();
        sc_copy(last->pointer, &next, sizeof next); /* one store, wherever it lies */
        atomic_signal_fence(memory_order_seq_cst);
    } else if (last->node && last->block) {
        union {
            sc_node_head head;
            uint64_t word;
        } first = {.word = *(uint64_t *)sc_at(arena, last->node)};
        first.head.count--;
        sc_put64(sc_at(arena, last->node), first.word);
    } else {
        sc_put64(root_word, 0);
    }
}
