/* The validator's part about containers: every leaf, node, chain and count, the order of what is
 * ordered, and that what is hashed is found where its hash says. See validate.c. */
#include <stdlib.h>

#include "validate.h"

/* One tree on its walk from left to right. */
typedef struct walk {
    sc_audit *check;
    const sc_form *form;
    uint64_t entry; /* offset, for the report */
    uint64_t items;
    bool any; /* `last` is a key that was met */
    char *last;
    uint64_t last_length, last_room;
    sc_root *ranks; /* of a sorted set's members: where each has to be too */
} walk;

#define SC_COMPLAIN(walk, format, ...)                                                             \
    sc_audit_problem((walk)->check, "container %llx: " format, (unsigned long long)(walk)->entry,  \
                     ##__VA_ARGS__)

/* ---- items ------------------------------------------------------------------------------------*/

static void check_part(walk *at, const sc_part *part, uint64_t leaf) {
    if (part->how != SC_CHAINED) return;
    if (!part->length) SC_COMPLAIN(at, "an empty chain in leaf %llx", (unsigned long long)leaf);
    sc_audit_chain(at->check, sc_bytes8(part->at), NULL, part->length, "item of leaf", leaf);
}

/* Text of a part in the walk's own memory; NULL when it is damaged. */
static char *copy_part(walk *at, const sc_part *part, uint64_t *length) {
    const sc_arena *arena = at->check->arena;
    *length = sc_part_length(part);
    if (*length > arena->data_bytes) return NULL;
    char *own = malloc(*length + 1);
    if (own && sc_part_copy(arena, part, own)) return own;
    free(own);
    return NULL;
}

/* The same text would be laid out in the same way: else it would not be found. */
static void check_spelling(walk *at, const sc_part *part, uint8_t mode, const char *text,
                           uint64_t length, uint64_t leaf) {
    sc_word word;
    sc_word_make(at->check->arena, &word, text, length, mode);
    if (word.number != (part->how == SC_NUMBER) ||
        (word.number &&
         (word.length != part->length || memcmp(word.bytes, part->at, word.length)))) {
        SC_COMPLAIN(at, "'%.*s' of leaf %llx is spelt in another way",
                    (int)(length < 40 ? length : 40), text, (unsigned long long)leaf);
    }
}

static void check_hash(walk *at, const sc_item *item, const char *text, uint64_t length,
                       uint64_t least, uint64_t bound, const sc_leaf *leaf) {
    sc_word word;
    sc_word_make(at->check->arena, &word, text, length, SC_HASHED);
    if (item->slot >> 16 != (word.hash & 0xffff)) {
        SC_COMPLAIN(at, "tag of '%.*s'", (int)(length < 40 ? length : 40), text);
    }
    if (word.hash < least || (bound && word.hash >= bound)) {
        SC_COMPLAIN(at, "'%.*s' lies in leaf %llx, which is not its hash's",
                    (int)(length < 40 ? length : 40), text, (unsigned long long)leaf->offset);
    }
}

/* Found under its own name, which is there once. */
static void check_found(walk *at, const sc_leaf *leaf, uint32_t index, const char *text,
                        uint64_t length) {
    sc_word word;
    sc_item found;
    sc_word_make(at->check->arena, &word, text, length, SC_HASHED);
    int where = sc_leaf_find(at->check->arena, leaf, &word, &found);
    if (where != (int)index) {
        SC_COMPLAIN(at, "'%.*s' is item %u of leaf %llx and found as %d",
                    (int)(length < 40 ? length : 40), text, index, (unsigned long long)leaf->offset,
                    where);
    }
}

static void check_rank(walk *at, const sc_item *item, const char *text, uint64_t length) {
    char *name = malloc(length + 8);
    if (!name) return;
    double score = sc_part_score(&item->value);
    uint64_t sortable = sc_score_sortable(score);
    if (score != score) SC_COMPLAIN(at, "a score that is no number");
    memcpy(name, &sortable, 8);
    memcpy(name + 8, text, length);
    sc_path path;
    bool equal = false;
    sc_bytes key = {.bytes = name, .length = length + 8};
    if (sc_path_seek(at->check->arena, at->ranks, key, &path, &equal) != SC_OK || !equal) {
        SC_COMPLAIN(at, "'%.*s' is not found by its score %.17g", (int)(length < 40 ? length : 40),
                    text, score);
    }
    free(name);
}

/* The walk's last key becomes this one, which has to be above it. */
static void check_order(walk *at, char *text, uint64_t length, uint64_t leaf) {
    uint64_t common = length < at->last_length ? length : at->last_length;
    int order = at->any ? memcmp(at->last, text, common) : -1;
    if (order > 0 || (order == 0 && at->last_length >= length)) {
        SC_COMPLAIN(at, "'%.*s' of leaf %llx is out of order", (int)(length < 40 ? length : 40),
                    text, (unsigned long long)leaf);
    }
    free(at->last);
    at->last = text;
    at->last_length = length;
    at->any = true;
}

typedef struct range { /* what a node says of a child: its items lie in here */
    uint64_t least[2], bound[2];
    bool bounded;
} range;

static int compare_words(const uint64_t *left, const uint64_t *right) {
    if (left[0] != right[0]) return left[0] < right[0] ? -1 : 1;
    return left[1] < right[1] ? -1 : left[1] > right[1];
}

/* A node compares the first sixteen bytes alone: up to them an item may equal the bound. */
static void check_prefix(walk *at, const range *within, const char *text, uint64_t length) {
    char first[16] = {0};
    uint64_t words[2];
    memcpy(first, text, length < 16 ? length : 16);
    memcpy(words, first, 16);
    words[0] = __builtin_bswap64(words[0]);
    words[1] = __builtin_bswap64(words[1]);
    if (compare_words(words, within->least) < 0 ||
        (within->bounded && compare_words(words, within->bound) > 0)) {
        SC_COMPLAIN(at, "'%.*s' lies outside what its node says", (int)(length < 40 ? length : 40),
                    text);
    }
}

static void check_key(walk *at, const sc_leaf *leaf, uint32_t index, const sc_item *item,
                      const range *within) {
    uint64_t length;
    char *text = copy_part(at, &item->key, &length);
    if (!text) {
        SC_COMPLAIN(at, "item %u of leaf %llx", index, (unsigned long long)leaf->offset);
        return;
    }
    uint8_t mode = leaf->head.mode;
    check_spelling(at, &item->key, mode, text, length, leaf->offset);
    if (mode == SC_HASHED) {
        check_hash(at, item, text, length, within->least[0], within->bounded ? within->bound[0] : 0,
                   leaf);
        check_found(at, leaf, index, text, length);
        if (at->ranks) check_rank(at, item, text, length);
    }
    if (mode == SC_ORDERED) {
        check_prefix(at, within, text, length);
        check_order(at, text, length, leaf->offset); /* keeps the text */
        return;
    }
    free(text);
}

/* ---- leaves -----------------------------------------------------------------------------------*/

/* By place, then by size: an empty one comes before the one that begins there too. */
static int compare_extents(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

/* No item reaches into another, into the slots or into the free room. */
static void check_places(walk *at, const sc_leaf *leaf, uint32_t *extents, uint32_t count) {
    uint32_t end = leaf->head.low;
    qsort(extents, count, sizeof *extents, compare_extents);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t from = extents[i] >> 16, bytes = extents[i] & 0xffff;
        if (from < end || from + bytes > leaf->head.limit) {
            SC_COMPLAIN(at,
                        "%u bytes at %u of leaf %llx lie where others do, or none may (%u to %u)",
                        bytes, from, (unsigned long long)leaf->offset, end, leaf->head.limit);
            return;
        }
        end = from + bytes;
    }
}

static void check_items(walk *at, const sc_leaf *leaf, const range *within) {
    uint32_t extents[SC_LEAF_ITEMS], count = leaf->head.count;
    for (uint32_t i = 0; i < count; i++) {
        sc_item item;
        if (!sc_item_load(leaf, i, &item)) {
            SC_COMPLAIN(at, "item %u of leaf %llx", i, (unsigned long long)leaf->offset);
            return;
        }
        extents[i] = item.at << 16 | item.bytes;
        bool chained = item.slot & (SC_KEY_CHAIN | SC_VALUE_CHAIN);
        if (chained && !leaf->head.chained) {
            SC_COMPLAIN(at, "leaf %llx has chains and does not say so",
                        (unsigned long long)leaf->offset);
        }
        check_part(at, &item.key, leaf->offset);
        if (leaf->head.values == SC_ANY_VALUES) {
            check_part(at, &item.value, leaf->offset);
            uint64_t length;
            char *text = copy_part(at, &item.value, &length);
            if (!text) SC_COMPLAIN(at, "value %u of %llx", i, (unsigned long long)leaf->offset);
            free(text);
        }
        check_key(at, leaf, i, &item, within);
    }
    check_places(at, leaf, extents, count);
}

/* `room`: bytes of the block behind the leaf's start. */
static void check_leaf(walk *at, uint64_t offset, uint32_t room, bool packed, const range *within) {
    sc_leaf leaf;
    if (!sc_leaf_load(at->check->arena, &leaf, offset, at->form->mode)) {
        SC_COMPLAIN(at, "leaf %llx is damaged", (unsigned long long)offset);
        return;
    }
    if (leaf.head.values != at->form->values || leaf.head.packed != packed ||
        leaf.head.limit > room || leaf.head.first + leaf.head.count > SC_LEAF_ITEMS ||
        !leaf.head.count || (leaf.head.first && at->form->mode != SC_SEQUENCE)) {
        SC_COMPLAIN(at, "leaf %llx says what it cannot be", (unsigned long long)offset);
        return;
    }
    at->items += leaf.head.count;
    check_items(at, &leaf, within);
}

/* ---- nodes ------------------------------------------------------------------------------------*/

static void child_range(const sc_node *node, uint32_t index, const range *within, range *child) {
    uint32_t words = node->head.key_words;
    *child = *within;
    for (uint32_t i = 0; i < words; i++) {
        if (index) child->least[i] = sc_load64(&node->key[index * words + i]);
        if (index + 1u < node->head.count) {
            child->bound[i] = sc_load64(&node->key[(index + 1) * words + i]);
            child->bounded = true;
        }
    }
}

static void check_branch(walk *at, uint64_t offset, uint32_t level, const range *within);

static void check_node(walk *at, uint64_t offset, uint32_t room, uint32_t level,
                       const range *within) {
    const sc_arena *arena = at->check->arena;
    sc_node node;
    uint8_t words = sc_key_words(at->form);
    if (!sc_node_load(arena, &node, offset, level, words) ||
        16u + node.head.capacity * 8u * (1 + words) > room) {
        SC_COMPLAIN(at, "node %llx is damaged", (unsigned long long)offset);
        return;
    }
    for (uint32_t i = 0; i < node.head.count; i++) {
        range child = {.bounded = false};
        uint64_t word = sc_load64(&node.child[i]), before = at->items;
        child_range(&node, i, within, &child);
        if (words && compare_words(child.least, within->least) < 0) {
            SC_COMPLAIN(at, "keys of node %llx are out of order", (unsigned long long)offset);
        }
        check_branch(at, sc_child_offset(word), level - 1, &child);
        if (at->items - before != sc_child_count(word)) {
            SC_COMPLAIN(at, "node %llx counts %llu items in child %u, there are %llu",
                        (unsigned long long)offset, (unsigned long long)sc_child_count(word), i,
                        (unsigned long long)(at->items - before));
        }
    }
}

static void check_branch(walk *at, uint64_t offset, uint32_t level, const range *within) {
    uint32_t size_class;
    if (!sc_audit_meet(at->check, offset, "tree of entry", at->entry, &size_class)) return;
    if (size_class >= at->check->arena->classes.entry_count) {
        SC_COMPLAIN(at, "block %llx is of no class for it", (unsigned long long)offset);
    }
    uint32_t room = at->check->arena->classes.bytes[size_class];
    if (level)
        check_node(at, offset, room, level, within);
    else
        check_leaf(at, offset, room, false, within);
}

/* ---- trees and packed leaves ------------------------------------------------------------------*/

static bool check_tree(sc_audit *check, const sc_view *view, uint32_t tree, sc_root *ranks) {
    const sc_tree *trees = sc_at(check->arena, view->offset + view->body_at);
    int type = view->head.encoding & SC_ENC_TYPE;
    sc_root root;
    walk at = {
        .check = check, .form = sc_form_of(type, tree), .entry = view->offset, .ranks = ranks};
    if (!sc_root_load(check->arena, &trees[tree], at.form, &root) || !root.offset != !root.count) {
        SC_COMPLAIN(&at, "tree %u", tree);
        return false;
    }
    range all = {.bounded = false};
    if (root.offset) check_branch(&at, root.offset, root.height, &all);
    if (at.items != root.count) {
        SC_COMPLAIN(&at, "tree %u has %llu items, it says %llu", tree, (unsigned long long)at.items,
                    (unsigned long long)root.count);
    }
    free(at.last);
    return true;
}

/* A sorted set's members are in two trees, as many in each; every one is looked up by its rank. */
static void check_zset(sc_audit *check, const sc_view *view) {
    const sc_tree *trees = sc_at(check->arena, view->offset + view->body_at);
    sc_root ranks;
    if (!check_tree(check, view, SC_TREE_RANKS, NULL) ||
        !sc_root_load(check->arena, &trees[SC_TREE_RANKS], sc_form_of(SC_ZSET, SC_TREE_RANKS),
                      &ranks)) {
        return;
    }
    check_tree(check, view, SC_TREE_MAIN, &ranks);
    if (trees[SC_TREE_MAIN].count != trees[SC_TREE_RANKS].count) {
        sc_audit_problem(check, "container %llx: %llu members, %llu ranks",
                         (unsigned long long)view->offset,
                         (unsigned long long)trees[SC_TREE_MAIN].count,
                         (unsigned long long)trees[SC_TREE_RANKS].count);
    }
}

static void check_packed(sc_audit *check, const sc_view *view) {
    int type = view->head.encoding & SC_ENC_TYPE;
    uint32_t leaf_at = sc_view_leaf_at(view), size_class = sc_class_of(check->arena, view->offset);
    uint32_t block = size_class < SC_MAX_CLASSES ? check->arena->classes.bytes[size_class] : 0;
    uint32_t room = view->head.value_bytes & ((UINT32_C(1) << SC_SHAPE_SHIFT) - 1);
    walk at = {.check = check, .form = sc_form_packed(type), .entry = view->offset};
    if (leaf_at + room > block) {
        SC_COMPLAIN(&at, "a leaf of %u bytes", room);
        return;
    }
    range all = {.bounded = false};
    check_leaf(&at, view->offset + leaf_at, room, true, &all);
    free(at.last);
}

/* ---- entries ----------------------------------------------------------------------------------*/

static bool shape_fits(const sc_view *view) {
    static const uint32_t of_type[SC_TYPES] = {
        [SC_LIST] = 1 << SC_LISTPACK | 1 << SC_QUICKLIST,
        [SC_SET] = 1 << SC_INTSET | 1 << SC_LISTPACK | 1 << SC_HASHTABLE,
        [SC_ZSET] = 1 << SC_LISTPACK | 1 << SC_SKIPLIST,
        [SC_HASH] = 1 << SC_LISTPACK | 1 << SC_LISTPACKEX | 1 << SC_HASHTABLE,
        [SC_STREAM] = 1 << SC_STREAM_SHAPE,
    };
    uint32_t shape = sc_view_shape(view);
    return shape < SC_SHAPES && of_type[view->head.encoding & SC_ENC_TYPE] >> shape & 1;
}

void sc_audit_container(sc_audit *check, const sc_view *view) {
    int type = view->head.encoding & SC_ENC_TYPE;
    bool packed = !view->body_at;
    if (type < SC_LIST || type > SC_STREAM || (packed && type == SC_STREAM) || view->chain_at ||
        !shape_fits(view)) {
        sc_audit_problem(check, "container %llx says what it cannot be",
                         (unsigned long long)view->offset);
        return;
    }
    if (packed) {
        check_packed(check, view);
    } else if (type == SC_ZSET) {
        check_zset(check, view);
    } else {
        uint32_t count = type == SC_STREAM ? SC_STREAM_TREES : 1;
        for (uint32_t i = 0; i < count; i++)
            check_tree(check, view, i, NULL);
    }
    if (type != SC_STREAM && !sc_container_length(check->arena, view)) {
        sc_audit_problem(check, "container %llx is empty", (unsigned long long)view->offset);
    }
}

/* ---- what is being freed ----------------------------------------------------------------------*/

static void meet_chunks(sc_audit *check, uint64_t block, uint64_t slot) {
    while (block && sc_audit_meet(check, block, "freed tree of slot", slot, NULL))
        block = sc_chunk_next(sc_at(check->arena, block));
}

static void meet_freed_leaf(sc_audit *check, uint64_t offset, uint64_t slot) {
    const sc_leaf_head *head = sc_at(check->arena, offset);
    sc_leaf leaf;
    if (!sc_leaf_load(check->arena, &leaf, offset, head->mode)) return;
    if (!leaf.head.packed) sc_audit_meet(check, offset, "freed tree of slot", slot, NULL);
    for (uint32_t i = 0; leaf.head.chained && i < leaf.head.count; i++) {
        sc_item item;
        if (!sc_item_load(&leaf, i, &item)) return;
        if (item.slot & SC_KEY_CHAIN) meet_chunks(check, sc_bytes8(item.key.at), slot);
        if (item.slot & SC_VALUE_CHAIN) meet_chunks(check, sc_bytes8(item.value.at), slot);
    }
}

static void meet_freed(sc_audit *check, uint64_t offset, uint64_t level, uint64_t slot) {
    if (!sc_in_heap(check->arena, offset, 16)) return;
    if (!level) {
        meet_freed_leaf(check, offset, slot);
        return;
    }
    const sc_node_head *head = sc_at(check->arena, offset);
    const uint64_t *child = sc_at(check->arena, offset + 16);
    uint32_t count = head->count;
    if (!sc_audit_meet(check, offset, "freed tree of slot", slot, NULL) ||
        !sc_in_heap(check->arena, offset, 16 + (uint64_t)count * 8)) {
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        meet_freed(check, sc_child_offset(sc_load64(&child[i])), level - 1, slot);
}

void sc_audit_freed_tree(sc_audit *check, uint64_t root_word, uint64_t slot) {
    uint64_t levels = root_word >> SC_CHILD_COUNT_SHIFT;
    if (!root_word) return;
    if (levels > SC_TREE_HEIGHT) {
        sc_audit_problem(check, "slot %llu frees what is no tree", (unsigned long long)slot);
        return;
    }
    meet_freed(check, sc_child_offset(root_word), levels, slot);
}
