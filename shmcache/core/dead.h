/* Large trees that nobody can reach any more, waiting to be taken apart.
 *
 *   heap.dead_trees --> root block --> root block --> 0     (each link is a root word, as in
 * sc_tree.root, in the place of the block's owner's hash)
 *
 * To free millions of blocks takes longer than the one who deleted their key should wait. So a
 * commit only puts the root on this list. The maintenance process takes the trees apart, a few
 * blocks a hold of the heap lock, and so does whoever needs memory before it looks for any other.
 *
 * All of it happens under the heap lock and through its log (heap.h): the list, what the trees'
 * nodes say is left of them, and the pages that take the blocks back change together, and the hold
 * that a death cuts short is rolled back by the next. The slot's log entry that named a tree is
 * emptied in the hold that puts it on the list: one of the two has it, never both. */
#ifndef SC_DEAD_H
#define SC_DEAD_H

#include "internal.h"

/* Put the tree on the list and make *root_word, which lies in the arena, 0. False: it is small
 * enough to be freed at once, or the heap is locked past the limit. */
bool sc_dead_add(sc_writer *writer, uint64_t *root_word);
/* Free a few blocks; false when there are none. */
bool sc_dead_free(sc_writer *writer);
/* The next root word on the list after this one. */
uint64_t sc_dead_next(const sc_arena *arena, uint64_t root_word);
static inline bool sc_dead_wait(const sc_arena *arena) {
    return sc_load64(&arena->header->heap.dead_trees) != 0;
}

#endif
