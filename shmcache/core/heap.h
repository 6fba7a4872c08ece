/* The heap: pages of equal blocks, and each writer's magazines of free blocks.
 *
 *   pages ---- under heap.lock ----> magazine of a slot ---- logged in its transaction ----> entry
 *         <--- flush, many at once --                   <--- carried out after commit -----
 *
 * Three families of classes: entries (8-byte steps, so that little is lost to rounding), chunks of
 * large values (page, page/2, page/4, page/8), and sub-table segments, which are never moved and
 * therefore have pages of their own. A page belongs to one class while any block of it is in use.
 *
 * Changes under heap.lock are recorded in the heap's own log (old words only), which whoever next
 * gets the lock of a dead owner rolls back: a refill or a flush is also all or nothing. */
#ifndef SC_HEAP_H
#define SC_HEAP_H

#include "internal.h"
#include "txn.h"

void sc_classes_fill(sc_classes *classes, uint32_t page_shift);
uint32_t sc_class_for_entry(const sc_arena *arena, uint64_t bytes);
uint32_t sc_class_for_table(const sc_arena *arena, uint32_t buckets); /* smallest that holds them */
static inline sc_page *sc_page_of(const sc_arena *arena, uint64_t offset) {
    return &arena->pages[(offset - arena->heap_offset) >> arena->page_shift];
}
/* Class of the page that holds `offset`; SC_MAX_CLASSES when the page is free or damaged. */
static inline uint32_t sc_class_of(const sc_arena *arena, uint64_t offset) {
    if (SC_UNLIKELY(!sc_in_heap(arena, offset, 8))) return SC_MAX_CLASSES;
    uint32_t stored = __atomic_load_n(&sc_page_of(arena, offset)->size_class, __ATOMIC_RELAXED);
    return stored && stored <= arena->classes.count ? stored - 1 : SC_MAX_CLASSES;
}

/* What a chunk of the `chunk`-th chunk class holds. */
static inline uint64_t sc_chunk_payload(const sc_arena *arena, uint32_t chunk) {
    return arena->classes.bytes[arena->classes.first_chunk + chunk] - sizeof(sc_chunk);
}

/* Pages that are kept for those who free more than they take: a removal may need a new leaf, an
 * EXPIRE a new head, and Redis refuses neither when memory is full. They may pass maxmemory too. */
static inline uint64_t sc_spare_pages(const sc_writer *writer) {
    uint64_t share = writer->arena->page_count / 128;
    if (writer->frees) return 0;
    return share < 4 ? 4 : share > 64 ? 64 : share;
}

int sc_heap_lock(sc_writer *writer);
void sc_heap_unlock(sc_writer *writer);

/* Take a block from the writer's magazine, refilling it from the pages: 0 when the heap has none.
 * Recorded in the transaction, which must have room for one entry. */
uint64_t sc_heap_take(sc_txn *txn, uint32_t size_class);
/* The same, put in front of the chain that `chain` (an ALLOC_CHAIN entry) records. The caller fills
 * the chunk then. */
uint64_t sc_heap_take_chunk(sc_txn *txn, uint32_t size_class, sc_log_entry *chain, uint64_t length,
                            uint64_t owner_hash);
/* A block into a magazine; not logged: callers are commit and recovery, which can start over. */
static inline void sc_magazine_push(sc_arena *arena, sc_slot *slot, uint32_t size_class,
                                    uint64_t block) {
    sc_magazine *magazine = &slot->magazine[size_class];
    sc_fill_fence();
    sc_put64(sc_at(arena, block), magazine->head);
    sc_put64(&magazine->head, block);
    sc_put64(&magazine->count, magazine->count + 1);
}
bool sc_heap_refill(sc_writer *writer, uint32_t size_class);
/* Give blocks back to their pages until at most `keep` are left. */
void sc_heap_flush(sc_writer *writer, sc_slot *slot, uint32_t size_class, uint64_t keep);
void sc_heap_flush_all(sc_writer *writer, sc_slot *slot);

/* A block that nothing refers to goes back to its page; under heap.lock, for dead.c. */
void sc_heap_return(sc_writer *writer, uint64_t block);

/* Page lists, under heap.lock: for relocate.c. */
void sc_heap_store(sc_writer *writer, uint64_t *word, uint64_t value);
void sc_page_unlist(sc_writer *writer, sc_page *page);
void sc_page_list(sc_writer *writer, sc_page *page);
void sc_page_set_evacuating(sc_writer *writer, sc_page *page, bool evacuating);
static inline bool sc_page_is_evacuating(const sc_arena *arena, uint64_t offset) {
    const sc_page *page = sc_page_of(arena, offset);
    return __atomic_load_n(&page->flags, __ATOMIC_RELAXED) & SC_PAGE_EVACUATING;
}
uint64_t sc_page_start(const sc_arena *arena, uint64_t page_index);

#endif
