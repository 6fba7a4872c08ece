/* Taking dead trees apart. See dead.h. */
#include "dead.h"

#include "heap.h"
#include "tree.h"

#define SC_DEAD_LEAVES 32 /* fewer are freed by whoever has them to free: some microseconds */
#define SC_DEAD_BATCH 12  /* blocks a lock hold frees: up to seventeen logged words each */
static_assert(SC_DEAD_BATCH * 17 + 2 <= SC_HEAP_LOG_ENTRIES, "a hold fits the heap's log");

static bool has_root(const sc_arena *arena, uint64_t root_word) {
    return root_word >> SC_CHILD_COUNT_SHIFT && sc_in_heap(arena, sc_child_offset(root_word), 16);
}

static uint64_t *link_of(const sc_arena *arena, uint64_t root_word) {
    return (uint64_t *)sc_at(arena, sc_child_offset(root_word)) + 1;
}

uint64_t sc_dead_next(const sc_arena *arena, uint64_t root_word) {
    return has_root(arena, root_word) ? sc_load64(link_of(arena, root_word)) : 0;
}

static bool is_large(const sc_arena *arena, uint64_t root_word) {
    if (!has_root(arena, root_word)) return false;
    const sc_node_head *root = sc_at(arena, sc_child_offset(root_word));
    return root_word >> SC_CHILD_COUNT_SHIFT > 1 || root->count >= SC_DEAD_LEAVES;
}

bool sc_dead_add(sc_writer *writer, uint64_t *root_word) {
    sc_arena *arena = writer->arena;
    uint64_t *head = &arena->header->heap.dead_trees;
    if (!is_large(arena, *root_word) || sc_heap_lock(writer) != SC_OK) return false;
    sc_fill_fence(); /* a slow reader may still be in the tree */
    sc_heap_store(writer, link_of(arena, *root_word), *head);
    sc_heap_store(writer, head, *root_word);
    sc_heap_store(writer, root_word, 0);
    sc_heap_unlock(writer);
    return true;
}

/* A leaf's pointers to chains are not aligned: the one or two words around it are what changes. */
static void store_pointer(sc_writer *writer, uint8_t *at, uint64_t value) {
    uint64_t words[2], shift = (uintptr_t)at & 7;
    uint64_t *first = (uint64_t *)(void *)(at - shift);
    memcpy(words, first, shift ? 16 : 8);
    memcpy((uint8_t *)words + shift, &value, sizeof value);
    sc_heap_store(writer, first, words[0]);
    if (shift) sc_heap_store(writer, first + 1, words[1]);
}

/* What holds the block lets go of it: a pointer, its node, or the list if it is a root. */
static void let_go(sc_writer *writer, uint64_t root_word, const sc_last *last) {
    sc_arena *arena = writer->arena;
    if (last->pointer) {
        store_pointer(writer, last->pointer, sc_chunk_next(sc_at(arena, last->block)));
    } else if (last->node) {
        union {
            sc_node_head head;
            uint64_t word;
        } node = {.word = *(uint64_t *)sc_at(arena, last->node)};
        node.head.count--;
        sc_heap_store(writer, sc_at(arena, last->node), node.word);
    } else {
        sc_heap_store(writer, &arena->header->heap.dead_trees, *link_of(arena, root_word));
    }
}

/* Of a damaged list the rest is lost, and nothing worse. */
static bool free_last(sc_writer *writer) {
    sc_arena *arena = writer->arena;
    uint64_t root_word = arena->header->heap.dead_trees;
    sc_last last;
    if (!root_word) return false;
    if (!has_root(arena, root_word) || !sc_tree_last(arena, root_word, &last) ||
        sc_class_of(arena, last.block) == SC_MAX_CLASSES) {
        sc_heap_store(writer, &arena->header->heap.dead_trees, 0);
        return false;
    }
    let_go(writer, root_word, &last);
    sc_heap_return(writer, last.block);
    return true;
}

bool sc_dead_free(sc_writer *writer) {
    if (!sc_dead_wait(writer->arena) || sc_heap_lock(writer) != SC_OK) return false;
    sc_fill_fence();
    bool some = free_last(writer);
    for (int i = 1; some && i < SC_DEAD_BATCH && free_last(writer);)
        i++;
    sc_heap_unlock(writer);
    return some;
}
