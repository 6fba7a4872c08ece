/* Emptying sparse pages. See relocate.h.
 *
 * A block says by itself what it is part of: an entry holds its key, a chunk its owner's hash.
 * Under the owner's stripe lock the index then tells whether the block is live, and the one word
 * that refers to it is where the move is published. A block that nothing refers to is free, in a
 * magazine or not linked yet, and stays. */
#include "relocate.h"

#include "container.h"
#include "evict.h"
#include "heap.h"
#include "table.h"

#define SC_LIST_LOOKS 16 /* pages of a class's list to compare */

/* ---- choosing ---------------------------------------------------------------------------------*/

/* Does the class have a page's worth of blocks free, so that one page's live blocks fit elsewhere?
 */
static bool has_spare_page(const sc_arena *arena, uint32_t size_class) {
    uint32_t blocks = arena->classes.per_page[size_class];
    return blocks > 1 && sc_load64(&arena->header->heap.class_free[size_class]) >= blocks;
}

static bool any_spare_page(const sc_arena *arena) {
    for (uint32_t i = 0; i < arena->classes.first_table; i++) {
        if (has_spare_page(arena, i)) return true;
    }
    return false;
}

/* A page with a block in somebody's magazine, or in a stripe we hold ourselves, cannot be emptied:
 * do not try it again and again while the rest of the cache is evicted. */
static bool is_stuck(const sc_writer *writer, uint64_t index) {
    for (uint32_t i = 0; i < SC_STUCK && i < writer->stuck_count; i++) {
        if (writer->stuck[i] == index) return true;
    }
    return false;
}

static sc_page *emptiest_page(const sc_writer *writer, uint32_t size_class) {
    const sc_arena *arena = writer->arena;
    uint64_t index = arena->header->heap.partial[size_class];
    sc_page *best = NULL;
    for (int looks = 0; index && looks < SC_LIST_LOOKS; looks++) {
        sc_page *page = &arena->pages[index - 1];
        if ((!best || page->free_count > best->free_count) && !is_stuck(writer, index)) best = page;
        index = page->next;
    }
    return best;
}

/* Of the classes with a page to spare, the page that has most bytes free. */
static sc_page *choose_page(const sc_writer *writer) {
    const sc_arena *arena = writer->arena;
    sc_page *best = NULL;
    uint64_t most = 0;
    for (uint32_t i = 0; i < arena->classes.first_table; i++) {
        sc_page *page = has_spare_page(arena, i) ? emptiest_page(writer, i) : NULL;
        uint64_t bytes = page ? page->free_count * (uint64_t)arena->classes.bytes[i] : 0;
        if (bytes > most) {
            most = bytes;
            best = page;
        }
    }
    return best;
}

/* Blocks of a page, by their place in it. */
#define SC_PAGE_BLOCKS ((1 << SC_PAGE_SHIFT) / 16)
typedef struct block_set {
    uint64_t bits[SC_PAGE_BLOCKS / 64];
} block_set;
static bool set_has(const block_set *set, uint32_t index) {
    return set->bits[index / 64] >> (index % 64) & 1;
}

/* The blocks on the page's free list need no looking for an owner. */
static void note_free_blocks(const sc_arena *arena, const sc_page *page, uint32_t size_class,
                             block_set *free_blocks) {
    uint64_t start = sc_page_start(arena, (uint64_t)(page - arena->pages));
    uint64_t block = page->free_head, bytes = arena->classes.bytes[size_class];
    memset(free_blocks, 0, sizeof *free_blocks);
    for (uint32_t i = 0; block && i < arena->classes.per_page[size_class]; i++) {
        uint64_t index = (block - start) / bytes;
        if (block < start || index >= SC_PAGE_BLOCKS) return;
        free_blocks->bits[index / 64] |= UINT64_C(1) << (index % 64);
        block = *(uint64_t *)sc_at(arena, block);
    }
}

/* The page may be freed and given to another class as soon as the lock is dropped: what it was is
 * told along with it. */
static sc_page *evacuation_begin(sc_writer *writer, uint32_t *size_class, block_set *free_blocks) {
    sc_arena *arena = writer->arena;
    if (sc_heap_lock(writer) != SC_OK) return NULL;
    sc_page *page = choose_page(writer);
    if (page) {
        *size_class = page->size_class - 1u;
        note_free_blocks(arena, page, *size_class, free_blocks);
        sc_page_unlist(writer, page);
        sc_page_set_evacuating(writer, page, true);
        sc_heap_store(writer, &writer->slot->evacuating, (uint64_t)(page - arena->pages) + 1);
    }
    sc_heap_unlock(writer);
    return page;
}

void sc_evacuation_end(sc_writer *writer, sc_slot *slot) {
    sc_arena *arena = writer->arena;
    if (sc_heap_lock(writer) != SC_OK) return;
    uint64_t index = slot->evacuating;
    if (index && index <= arena->page_count) {
        sc_page *page = &arena->pages[index - 1];
        if (page->size_class && page->flags & SC_PAGE_EVACUATING) {
            sc_page_set_evacuating(writer, page, false);
            if (page->free_count) sc_page_list(writer, page);
        }
    }
    sc_heap_store(writer, &slot->evacuating, 0);
    sc_heap_unlock(writer);
}

/* ---- moving -----------------------------------------------------------------------------------*/

/* The word that refers to a live block, and what to store there for another block. */
typedef struct reference {
    uint64_t stripe;
    uint64_t word; /* its offset, of any alignment */
    uint64_t keep; /* bits of the word that stay */
    bool whole;    /* the word is an offset, not an offset / 8 in its low bits */
} reference;

#define SC_LOW_OFFSET ((UINT64_C(1) << SC_OFFSET_BITS) - 1)

static bool refer_from_slot(sc_arena *arena, const sc_ref *ref, uint64_t block, reference *out) {
    sc_near near;
    sc_near_start(&near, arena, ref->stripe, ref->tag);
    for (uint64_t *slot; (slot = sc_near_next(&near));) {
        if (SC_SLOT_OFFSET(*slot) != block) continue;
        *out = (reference){
            .stripe = ref->stripe, .word = sc_offset(arena, slot), .keep = *slot & ~SC_LOW_OFFSET};
        return true;
    }
    return false;
}

/* The chunk's place in the chain that starts at what `word` says. Small chunks come first, and only
 * they share pages: few steps find one. */
static bool refer_from_chain(sc_arena *arena, uint64_t word, uint64_t block, reference *out) {
    uint64_t at = sc_bytes8(sc_at(arena, word));
    out->word = word;
    out->whole = true;
    for (uint32_t i = 0; i < 2 * arena->classes.chunk_count && at; i++) {
        if (at == block) return true;
        if (!sc_in_heap(arena, at, sizeof(sc_chunk))) return false;
        sc_chunk *chunk = sc_at(arena, at);
        out->word = sc_offset(arena, &chunk->link);
        out->whole = false;
        out->keep = chunk->link & ~SC_LOW_OFFSET;
        at = sc_chunk_next(chunk);
    }
    return false;
}

static bool refer_from_leaf(sc_arena *arena, const sc_leaf *leaf, uint64_t block, reference *out) {
    for (uint32_t i = 0; leaf->head.chained && i < leaf->head.count; i++) {
        sc_item item;
        if (!sc_item_load(leaf, i, &item)) return false;
        const sc_part *parts[] = {&item.key, &item.value};
        for (int part = 0; part < 2; part++) {
            if (!(item.slot & (part ? SC_VALUE_CHAIN : SC_KEY_CHAIN))) continue;
            if (refer_from_chain(arena, sc_offset(arena, parts[part]->at), block, out)) return true;
        }
    }
    return false;
}

#define SC_LEAF_LOOKS 4096 /* leaves of a container in which to look for a chunk */

static bool refer_from_tree(sc_arena *arena, const sc_tree *tree, const sc_form *form,
                            uint64_t block, bool is_chunk, reference *out) {
    sc_root root;
    sc_path path;
    if (!sc_root_load(arena, tree, form, &root) || !root.offset) return false;
    if (!is_chunk) {
        out->word = sc_tree_refer(arena, &root, sc_offset(arena, &tree->root), block);
        if (out->word) out->keep = sc_bytes8(sc_at(arena, out->word)) & ~SC_LOW_OFFSET;
        return out->word != 0;
    }
    int status = sc_path_at(arena, &root, 0, &path);
    for (uint32_t i = 0; status == SC_OK && i < SC_LEAF_LOOKS; i++) {
        if (refer_from_leaf(arena, &path.leaf, block, out)) return true;
        status = sc_path_next(arena, &path);
    }
    return false;
}

/* What hangs on one entry: a string's chunks; a container's nodes, leaves and items' chunks. */
static bool refer_from_entry(sc_arena *arena, const sc_view *view, uint64_t block, bool is_chunk,
                             reference *out) {
    int type = sc_type_of(view->head.encoding);
    if (view->chain_at) {
        return is_chunk && refer_from_chain(arena, view->offset + view->chain_at, block, out);
    }
    if (type == SC_STRING) return false;
    if (!view->body_at) {
        sc_leaf leaf;
        return is_chunk &&
               sc_leaf_load(arena, &leaf, view->offset + sc_view_leaf_at(view),
                            sc_form_packed(type)->mode) &&
               refer_from_leaf(arena, &leaf, block, out);
    }
    const sc_tree *trees = sc_at(arena, view->offset + view->body_at);
    for (uint32_t i = 0; i < sc_trees_of(type); i++) {
        if (refer_from_tree(arena, &trees[i], sc_form_of(type, i), block, is_chunk, out))
            return true;
    }
    return false;
}

static bool refer_from_owner(sc_arena *arena, uint64_t hash, uint64_t block, bool is_chunk,
                             reference *out) {
    sc_near near;
    uint32_t tag = (uint32_t)(hash >> (64 - SC_TAG_BITS));
    out->stripe = hash & arena->stripe_mask;
    sc_near_start(&near, arena, out->stripe, tag);
    for (uint64_t *slot; (slot = sc_near_next(&near));) {
        sc_view view;
        if (SC_SLOT_TAG(*slot) != tag) continue;
        if (!sc_view_load(arena, &view, SC_SLOT_OFFSET(*slot))) continue;
        if (refer_from_entry(arena, &view, block, is_chunk, out)) return true;
    }
    return false;
}

static void publish_move(sc_writer *writer, uint32_t size_class, uint64_t block, uint64_t target,
                         const reference *from) {
    sc_arena *arena = writer->arena;
    sc_fill_fence();
    sc_copy(sc_at(arena, target), sc_at(arena, block), arena->classes.bytes[size_class]);
    sc_mark_move(arena, block, target);
    sc_txn_open(&writer->inner, from->stripe);
    uint64_t word = from->whole ? target : (from->keep | target >> 3);
    sc_txn_patch(&writer->inner, from->word, &word,
                 sizeof word); /* two entries: the log has them */
    sc_txn_free(&writer->inner, block);
    sc_txn_commit(&writer->inner);
}

/* Find out who refers to the block, with the stripe locked. What it is, the byte says that an
 * entry, a leaf and a node have in the same place; a chunk, being shorter than 4 KiB, has a nought
 * there, as a free block has. Leaves, nodes and chunks name their owner in their second word (after
 * a RENAME still the old one: then they stay where they are). */
static bool lock_and_refer(sc_writer *writer, uint32_t size_class, uint64_t block, reference *out) {
    sc_arena *arena = writer->arena;
    uint8_t kind = sc_entry_load(arena, block).encoding;
    bool is_chunk = size_class >= arena->classes.first_chunk || kind == 0;
    if (is_chunk || kind == SC_KIND_LEAF || kind == SC_KIND_NODE) {
        uint64_t hash = sc_load64(&((const sc_chunk *)sc_at(arena, block))->owner_hash);
        return sc_txn_trylock(&writer->inner, hash & arena->stripe_mask) &&
               refer_from_owner(arena, hash, block, is_chunk, out);
    }
    sc_view view;
    sc_ref ref;
    char key[1 << SC_PAGE_SHIFT]; /* somebody may be filling the block: hash what was copied */
    if (!sc_view_load(arena, &view, block) || view.head.key_bytes > sizeof key) return false;
    sc_copy(key, (const char *)sc_at(arena, block) + view.key_at, view.head.key_bytes);
    sc_ref_make_physical(arena, &ref, key, view.head.key_bytes, view.head.flags & SC_ENTRY_DB);
    return sc_txn_trylock(&writer->inner, ref.stripe) && refer_from_slot(arena, &ref, block, out);
}

static void move_block(sc_writer *writer, uint32_t size_class, uint64_t block) {
    reference from = {0};
    sc_txn_begin(&writer->inner);
    uint64_t target = 0;
    /* Live and locked, a block keeps its page's class: now is when to make sure of it. */
    if (lock_and_refer(writer, size_class, block, &from) &&
        sc_class_of(writer->arena, block) == size_class) {
        target = sc_heap_take(&writer->inner, size_class);
    }
    if (target) {
        publish_move(writer, size_class, block, target, &from);
    } else {
        sc_txn_abort(&writer->inner);
    }
}

bool sc_evacuate_sparse_page(sc_writer *writer) {
    sc_arena *arena = writer->arena;
    if (!any_spare_page(arena)) return false;
    uint32_t size_class = 0;
    block_set free_blocks;
    sc_page *page = evacuation_begin(writer, &size_class, &free_blocks);
    if (!page) return false;
    uint64_t start = sc_page_start(arena, (uint64_t)(page - arena->pages));
    uint64_t free_before = sc_load64(&arena->header->heap.free_page_count);
    /* Our own spare blocks may lie in this page. */
    sc_heap_flush(writer, writer->slot, size_class, 0);
    uint32_t fresh = __atomic_load_n(&page->fresh, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < fresh && sc_page_is_evacuating(arena, start); i++) {
        if (set_has(&free_blocks, i)) continue;
        move_block(writer, size_class, start + (uint64_t)i * arena->classes.bytes[size_class]);
    }
    sc_heap_flush(writer, writer->slot, size_class, 0);
    sc_evacuation_end(writer, writer->slot);
    if (sc_load64(&arena->header->heap.free_page_count) > free_before) return true;
    writer->stuck[writer->stuck_count++ % SC_STUCK] = (uint64_t)(page - arena->pages) + 1;
    return false;
}
