/* Pages, size classes, magazines. See heap.h. */
#include "heap.h"

#include "evict.h"

#define SC_FLUSH_BATCH 16 /* blocks a lock hold gives back: fourteen logged words each at worst */

/* ---- classes ----------------------------------------------------------------------------------*/

static void add_class(sc_classes *classes, uint32_t bytes, uint32_t page) {
    uint32_t index = classes->count++;
    classes->bytes[index] = bytes;
    classes->per_page[index] = (uint16_t)(page / bytes);
    uint32_t keep = 2048 / bytes;
    classes->magazine[index] = (uint16_t)(keep < 1 ? 1 : keep > 32 ? 32 : keep);
}

static void add_entry_classes(sc_classes *classes, uint32_t page) {
    for (uint32_t bytes = 16; bytes <= 256; bytes += 8)
        add_class(classes, bytes, page);
    for (uint32_t bytes = 272; bytes <= 512; bytes += 16)
        add_class(classes, bytes, page);
    for (uint32_t bytes = 544; bytes <= 1024; bytes += 32)
        add_class(classes, bytes, page);
    for (uint32_t parts = page / 1024 - 1; parts >= 1; parts--) {
        uint32_t bytes = page / parts & ~7u;
        if (bytes > 1024) add_class(classes, bytes, page);
    }
    classes->entry_count = classes->count;
}

static void add_table_classes(sc_classes *classes, uint32_t page) {
    uint32_t buckets[SC_MAX_CLASSES], count = 0, last = UINT32_MAX;
    for (uint32_t parts = 1; page / SC_BUCKET_BYTES / parts >= 2; parts++) {
        uint32_t fits = page / SC_BUCKET_BYTES / parts;
        if (fits == last || (fits < 16 && fits > 6 && fits % 2)) continue;
        buckets[count++] = last = fits;
    }
    classes->first_table = classes->count;
    while (count)
        add_class(classes, buckets[--count] * SC_BUCKET_BYTES, page);
    classes->table_count = classes->count - classes->first_table;
}

void sc_classes_fill(sc_classes *classes, uint32_t page_shift) {
    uint32_t page = UINT32_C(1) << page_shift;
    classes->count = 0;
    add_entry_classes(classes, page);
    classes->first_chunk = classes->count;
    for (uint32_t parts = 8; parts >= 1; parts /= 2)
        add_class(classes, page / parts, page);
    classes->chunk_count = classes->count - classes->first_chunk;
    add_table_classes(classes, page);
    assert(classes->count <= SC_MAX_CLASSES);
}

static uint32_t smallest_class(const sc_classes *classes, uint32_t first, uint32_t count,
                               uint64_t bytes) {
    uint32_t low = first, high = first + count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (classes->bytes[middle] < bytes) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < first + count ? low : SC_MAX_CLASSES;
}

uint32_t sc_class_for_entry(const sc_arena *arena, uint64_t bytes) {
    if (bytes <= 16) return 0;
    if (bytes <= 256) return (uint32_t)(bytes + 7) / 8 - 2;
    return smallest_class(&arena->classes, 0, arena->classes.entry_count, bytes);
}

uint32_t sc_class_for_table(const sc_arena *arena, uint32_t buckets) {
    return smallest_class(&arena->classes, arena->classes.first_table, arena->classes.table_count,
                          (uint64_t)buckets * SC_BUCKET_BYTES);
}

uint64_t sc_page_start(const sc_arena *arena, uint64_t page_index) {
    return arena->heap_offset + (page_index << arena->page_shift);
}

/* ---- the lock and its log ---------------------------------------------------------------------*/

static void heap_rollback(sc_arena *arena) {
    sc_heap *heap = &arena->header->heap;
    while (heap->log_count) {
        const sc_log_entry *entry = &heap->log[heap->log_count - 1];
        sc_put64(sc_at(arena, entry->where), entry->word);
        sc_put64(&heap->log_count, heap->log_count - 1);
    }
}

int sc_heap_lock(sc_writer *writer) {
    sc_heap *heap = &writer->arena->header->heap;
    bool died;
    int status = sc_mutex_lock_blocked(writer, &heap->lock, &died);
    if (status != SC_OK) {
        sc_writer_unblock(writer);
        return status;
    }
    if (SC_UNLIKELY(died)) {
        heap_rollback(writer->arena);
        sc_mutex_consistent(&heap->lock);
    }
    sc_put64(&heap->owner, writer->owner);
    return SC_OK;
}

void sc_heap_unlock(sc_writer *writer) {
    sc_heap *heap = &writer->arena->header->heap;
    sc_put64(&heap->log_count, 0);
    sc_put64(&heap->owner, 0);
    sc_mutex_unlock(&heap->lock);
    sc_writer_unblock(writer);
}

void sc_heap_store(sc_writer *writer, uint64_t *word, uint64_t value) {
    sc_heap *heap = &writer->arena->header->heap;
    assert(heap->log_count < SC_HEAP_LOG_ENTRIES);
    sc_log_entry *entry = &heap->log[heap->log_count];
    sc_put64(&entry->where, sc_offset(writer->arena, word));
    sc_put64(&entry->word, *word);
    sc_put64(&heap->log_count, heap->log_count + 1);
    sc_put64(word, value);
}

/* ---- pages and their lists --------------------------------------------------------------------*/

typedef union page_state { /* the first word of a descriptor */
    struct {
        uint16_t size_class, flags, free_count, fresh;
    };
    uint64_t word;
} page_state;

typedef union page_links { /* its third */
    struct {
        uint32_t next, prev;
    };
    uint64_t word;
} page_links;

static page_state get_state(const sc_page *page) {
    return (page_state){.word = *(const uint64_t *)(const void *)page};
}
static void set_state(sc_writer *writer, sc_page *page, page_state state) {
    sc_heap_store(writer, (uint64_t *)(void *)page, state.word);
}
static void set_links(sc_writer *writer, sc_page *page, uint32_t next, uint32_t prev) {
    sc_heap_store(writer, (uint64_t *)(void *)&page->next,
                  (page_links){.next = next, .prev = prev}.word);
}

void sc_page_list(sc_writer *writer, sc_page *page) {
    sc_arena *arena = writer->arena;
    page_state state = get_state(page);
    uint64_t *head = &arena->header->heap.partial[state.size_class - 1];
    uint32_t index = (uint32_t)(page - arena->pages) + 1;
    set_links(writer, page, (uint32_t)*head, 0);
    if (*head) {
        sc_page *second = &arena->pages[*head - 1];
        set_links(writer, second, second->next, index);
    }
    sc_heap_store(writer, head, index);
    state.flags |= SC_PAGE_LISTED;
    set_state(writer, page, state);
}

void sc_page_unlist(sc_writer *writer, sc_page *page) {
    sc_arena *arena = writer->arena;
    page_state state = get_state(page);
    if (page->prev) {
        sc_page *before = &arena->pages[page->prev - 1];
        set_links(writer, before, page->next, before->prev);
    } else {
        sc_heap_store(writer, &arena->header->heap.partial[state.size_class - 1], page->next);
    }
    if (page->next) {
        sc_page *after = &arena->pages[page->next - 1];
        set_links(writer, after, after->next, page->prev);
    }
    state.flags &= (uint16_t)~SC_PAGE_LISTED;
    set_state(writer, page, state);
}

void sc_page_set_evacuating(sc_writer *writer, sc_page *page, bool evacuating) {
    page_state state = get_state(page);
    state.flags =
        (uint16_t)((state.flags & ~SC_PAGE_EVACUATING) | (evacuating ? SC_PAGE_EVACUATING : 0));
    set_state(writer, page, state);
}

/* A free page for a class; NULL when there is none. */
static sc_page *page_assign(sc_writer *writer, uint32_t size_class) {
    sc_arena *arena = writer->arena;
    sc_heap *heap = &arena->header->heap;
    sc_page *page;
    if (heap->free_page_count <= sc_spare_pages(writer)) return NULL;
    if (heap->free_pages) {
        page = &arena->pages[heap->free_pages - 1];
        sc_heap_store(writer, &heap->free_pages, page->next);
    } else if (heap->never_used < arena->page_count) {
        page = &arena->pages[heap->never_used];
        sc_heap_store(writer, &heap->never_used, heap->never_used + 1);
    } else {
        return NULL;
    }
    uint16_t blocks = arena->classes.per_page[size_class];
    sc_heap_store(writer, &heap->free_page_count, heap->free_page_count - 1);
    sc_heap_store(writer, &heap->class_free[size_class], heap->class_free[size_class] + blocks);
    sc_heap_store(writer, &page->free_head, 0);
    set_state(writer, page,
              (page_state){.size_class = (uint16_t)(size_class + 1), .free_count = blocks});
    sc_page_list(writer, page);
    return page;
}

static void page_release(sc_writer *writer, sc_page *page) {
    sc_arena *arena = writer->arena;
    sc_heap *heap = &arena->header->heap;
    page_state state = get_state(page);
    uint32_t size_class = state.size_class - 1u;
    if (state.flags & SC_PAGE_LISTED) sc_page_unlist(writer, page);
    sc_heap_store(writer, &heap->class_free[size_class],
                  heap->class_free[size_class] - arena->classes.per_page[size_class]);
    set_state(writer, page, (page_state){.word = 0});
    set_links(writer, page, (uint32_t)heap->free_pages, 0);
    sc_heap_store(writer, &heap->free_pages, (uint64_t)(page - arena->pages) + 1);
    sc_heap_store(writer, &heap->free_page_count, heap->free_page_count + 1);
}

/* ---- magazines --------------------------------------------------------------------------------*/

/* Move up to `wanted` blocks of a listed page onto the magazine. */
static void page_draw(sc_writer *writer, sc_page *page, sc_magazine *magazine, uint32_t wanted) {
    sc_arena *arena = writer->arena;
    sc_heap *heap = &arena->header->heap;
    page_state state = get_state(page);
    uint32_t size_class = state.size_class - 1u;
    uint64_t bytes = arena->classes.bytes[size_class];
    uint64_t start = sc_page_start(arena, (uint64_t)(page - arena->pages));
    uint64_t head = magazine->head, free_head = page->free_head;
    uint32_t drawn = 0;
    for (; drawn < wanted && state.free_count; drawn++, state.free_count--) {
        uint64_t block = free_head;
        if (block) {
            free_head = *(uint64_t *)sc_at(arena, block);
        } else {
            block = start + state.fresh++ * bytes;
        }
        sc_heap_store(writer, sc_at(arena, block), head);
        head = block;
    }
    sc_heap_store(writer, &page->free_head, free_head);
    set_state(writer, page, state);
    if (!state.free_count) sc_page_unlist(writer, page);
    sc_heap_store(writer, &magazine->head, head);
    sc_heap_store(writer, &magazine->count, magazine->count + drawn);
    sc_heap_store(writer, &heap->class_free[size_class], heap->class_free[size_class] - drawn);
    sc_heap_store(writer, &heap->used_bytes, heap->used_bytes + drawn * bytes);
    sc_clock_turn(arena, drawn * bytes);
}

bool sc_heap_refill(sc_writer *writer, uint32_t size_class) {
    sc_arena *arena = writer->arena;
    sc_heap *heap = &arena->header->heap;
    if (sc_heap_lock(writer) != SC_OK) return false;
    uint64_t limit = sc_load64(&arena->header->maxmemory);
    bool allowed =
        !limit || writer->frees || heap->used_bytes + arena->classes.bytes[size_class] <= limit;
    sc_page *page = NULL;
    if (allowed) {
        uint64_t listed = heap->partial[size_class];
        page = listed ? &arena->pages[listed - 1] : page_assign(writer, size_class);
    }
    if (page) {
        page_draw(writer, page, &writer->slot->magazine[size_class],
                  arena->classes.magazine[size_class]);
    }
    sc_heap_unlock(writer);
    return page != NULL;
}

uint64_t sc_heap_take(sc_txn *txn, uint32_t size_class) {
    sc_arena *arena = txn->writer->arena;
    sc_magazine *magazine = &txn->writer->slot->magazine[size_class];
    if (SC_UNLIKELY(!magazine->head) && !sc_heap_refill(txn->writer, size_class)) return 0;
    uint64_t block = magazine->head;
    sc_txn_append(txn, SC_LOG_ALLOC, block);
    sc_put64(&magazine->head, *(uint64_t *)sc_at(arena, block));
    sc_put64(&magazine->count, magazine->count - 1);
    return block;
}

uint64_t sc_heap_take_chunk(sc_txn *txn, uint32_t size_class, sc_log_entry *chain, uint64_t length,
                            uint64_t owner_hash) {
    sc_arena *arena = txn->writer->arena;
    sc_magazine *magazine = &txn->writer->slot->magazine[size_class];
    if (!magazine->head && !sc_heap_refill(txn->writer, size_class)) return 0;
    uint64_t block = magazine->head;
    sc_chunk *chunk = sc_at(arena, block);
    sc_put64(&txn->log->moving, block);
    sc_put64(&magazine->head, chunk->link);
    sc_put64(&magazine->count, magazine->count - 1);
    sc_fill_fence();
    sc_put64(&chunk->link, sc_chunk_link(length, chain->word));
    sc_put64(&chunk->owner_hash, owner_hash);
    sc_put64(&chain->word, block);
    sc_put64(&txn->log->moving, 0);
    return block;
}

static void page_return(sc_writer *writer, uint64_t block) {
    sc_arena *arena = writer->arena;
    sc_heap *heap = &arena->header->heap;
    sc_page *page = sc_page_of(arena, block);
    page_state state = get_state(page);
    uint32_t size_class = state.size_class - 1u;
    sc_heap_store(writer, sc_at(arena, block), page->free_head);
    sc_heap_store(writer, &page->free_head, block);
    state.free_count++;
    set_state(writer, page, state);
    sc_heap_store(writer, &heap->class_free[size_class], heap->class_free[size_class] + 1);
    if (state.free_count == arena->classes.per_page[size_class]) {
        page_release(writer, page);
    } else if (!(state.flags & (SC_PAGE_LISTED | SC_PAGE_EVACUATING))) {
        sc_page_list(writer, page);
    }
}

void sc_heap_return(sc_writer *writer, uint64_t block) {
    sc_heap *heap = &writer->arena->header->heap;
    uint64_t bytes = writer->arena->classes.bytes[sc_class_of(writer->arena, block)];
    page_return(writer, block);
    sc_heap_store(writer, &heap->used_bytes, heap->used_bytes - bytes);
}

static void flush_batch(sc_writer *writer, sc_slot *slot, uint32_t size_class, uint64_t keep) {
    sc_arena *arena = writer->arena;
    sc_heap *heap = &arena->header->heap;
    sc_magazine *magazine = &slot->magazine[size_class];
    uint64_t block = magazine->head;
    uint32_t given = 0;
    for (; block && given < SC_FLUSH_BATCH; given++) {
        if (keep && magazine->count - given <= keep) break;
        uint64_t next = *(uint64_t *)sc_at(arena, block);
        page_return(writer, block);
        block = next;
    }
    sc_heap_store(writer, &magazine->head, block);
    sc_heap_store(writer, &magazine->count,
                  !block || magazine->count < given ? 0 : magazine->count - given);
    sc_heap_store(writer, &heap->used_bytes,
                  heap->used_bytes - given * (uint64_t)arena->classes.bytes[size_class]);
}

void sc_heap_flush(sc_writer *writer, sc_slot *slot, uint32_t size_class, uint64_t keep) {
    sc_magazine *magazine = &slot->magazine[size_class];
    while (magazine->head && (!keep || magazine->count > keep)) {
        if (sc_heap_lock(writer) != SC_OK) return;
        flush_batch(writer, slot, size_class, keep);
        sc_heap_unlock(writer);
    }
}

void sc_heap_flush_all(sc_writer *writer, sc_slot *slot) {
    for (uint32_t i = 0; i < writer->arena->classes.count; i++)
        sc_heap_flush(writer, slot, i, 0);
}
