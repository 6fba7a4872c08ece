/* The whole-arena validator: every structure is what it should be, and every block of every page is
 * in exactly one place: linked, on a page's free list, in a magazine, or in a log.
 *
 * Run after every fuzz step and every recovery. It trusts nothing, so it also serves to tell how an
 * arena is damaged. On a writable attachment other writers are kept out by a whole-arena
 * transaction; what they may hold in the middle of an operation outside any stripe is in their log,
 * and accounted for. */
#include <stdarg.h>
#include <stdlib.h>

#include "dead.h"
#include "validate.h"

#define SC_REPORT_MOST 200
#define SC_PASSES 5
#define SC_PASS_PAUSE_US 2000

typedef sc_audit audit;
#define problem sc_audit_problem
#define meet sc_audit_meet

void sc_audit_problem(audit *check, const char *format, ...) {
    if (check->problems++ >= SC_REPORT_MOST || !check->report) return;
    va_list arguments;
    va_start(arguments, format);
    vfprintf(check->report, format, arguments);
    va_end(arguments);
    fputc('\n', check->report);
}

/* ---- blocks -----------------------------------------------------------------------------------*/

static bool is_block_start(const audit *check, uint64_t block, uint32_t *size_class) {
    const sc_arena *arena = check->arena;
    *size_class = sc_class_of(arena, block);
    if (*size_class >= SC_MAX_CLASSES) return false;
    uint64_t within = (block - arena->heap_offset) & ((UINT64_C(1) << arena->page_shift) - 1);
    const sc_page *page = &arena->pages[(block - arena->heap_offset) >> arena->page_shift];
    uint64_t index = within / arena->classes.bytes[*size_class];
    return within % arena->classes.bytes[*size_class] == 0 && index < page->fresh;
}

bool sc_audit_meet(audit *check, uint64_t block, const char *what, uint64_t where,
                   uint32_t *size_class) {
    uint32_t own;
    if (!size_class) size_class = &own;
    if (!is_block_start(check, block, size_class)) {
        problem(check, "%s %llu refers to %llx, which is no block in use", what,
                (unsigned long long)where, (unsigned long long)block);
        return false;
    }
    uint64_t bit = (block - check->arena->heap_offset) >> 3;
    if (check->seen[bit >> 6] >> (bit & 63) & 1) {
        problem(check, "%s %llu refers to block %llx, which something else refers to as well", what,
                (unsigned long long)where, (unsigned long long)block);
        return false;
    }
    check->seen[bit >> 6] |= UINT64_C(1) << (bit & 63);
    return true;
}

static bool was_met(const audit *check, uint64_t block) {
    uint64_t bit = (block - check->arena->heap_offset) >> 3;
    return check->seen[bit >> 6] >> (bit & 63) & 1;
}

/* A stack of blocks linked through their first word; returns how many, ends at the first problem.
 */
static uint64_t meet_stack(audit *check, uint64_t head, const char *what, uint64_t where,
                           uint32_t size_class) {
    uint64_t count = 0;
    for (uint64_t block = head; block; block = *(uint64_t *)sc_at(check->arena, block)) {
        uint32_t own;
        if (!meet(check, block, what, where, &own)) break;
        if (own != size_class) {
            problem(check, "%s %llu holds block %llx of class %u, not %u", what,
                    (unsigned long long)where, (unsigned long long)block, own, size_class);
        }
        count++;
    }
    return count;
}

/* ---- pages ------------------------------------------------------------------------------------*/

static void check_page(audit *check, uint64_t index) {
    sc_arena *arena = check->arena;
    const sc_page *page = &arena->pages[index];
    uint32_t stored = __atomic_load_n(&page->size_class, __ATOMIC_RELAXED);
    if (!stored) {
        check->free_pages++;
        if (page->free_count || page->fresh || page->flags) {
            problem(check, "page %llu is free but has blocks", (unsigned long long)index);
        }
        return;
    }
    uint32_t size_class = stored - 1;
    if (size_class >= arena->classes.count) {
        problem(check, "page %llu has no class %u", (unsigned long long)index, size_class);
        return;
    }
    uint32_t blocks = arena->classes.per_page[size_class];
    if (page->fresh > blocks) problem(check, "page %llu: fresh", (unsigned long long)index);
    uint64_t listed = meet_stack(check, page->free_head, "free list of page", index, size_class);
    if (listed + blocks - page->fresh != page->free_count) {
        problem(check, "page %llu has %llu free blocks, its count says %u",
                (unsigned long long)index, (unsigned long long)(listed + blocks - page->fresh),
                page->free_count);
    }
    bool is_listed = page->flags & SC_PAGE_LISTED;
    check->listed_pages += is_listed;
    if (is_listed != (page->free_count > 0) && !(page->flags & SC_PAGE_EVACUATING)) {
        problem(check, "page %llu: %u free blocks and %slisted", (unsigned long long)index,
                page->free_count, is_listed ? "" : "not ");
    }
    check->class_free[size_class] += page->free_count;
    check->used_bytes += (uint64_t)(blocks - page->free_count) * arena->classes.bytes[size_class];
}

static void check_page_lists(audit *check) {
    const sc_arena *arena = check->arena;
    const sc_heap *heap = &arena->header->heap;
    uint64_t listed = 0, free_listed = 0;
    for (uint32_t i = 0; i < arena->classes.count; i++) {
        uint64_t before = 0;
        for (uint64_t at = heap->partial[i]; at && at <= arena->page_count;) {
            const sc_page *page = &arena->pages[at - 1];
            if (page->size_class != i + 1 || page->prev != before ||
                !(page->flags & SC_PAGE_LISTED) || ++listed > arena->page_count) {
                problem(check, "list of class %u is broken at page %llu", i,
                        (unsigned long long)(at - 1));
                break;
            }
            before = at;
            at = page->next;
        }
        if (check->class_free[i] != heap->class_free[i]) {
            problem(check, "class %u has %llu free blocks, the heap says %llu", i,
                    (unsigned long long)check->class_free[i],
                    (unsigned long long)heap->class_free[i]);
        }
    }
    if (listed != check->listed_pages) problem(check, "a listed page is on no list");
    for (uint64_t at = heap->free_pages; at && at <= arena->page_count;) {
        if (arena->pages[at - 1].size_class || ++free_listed > arena->page_count) {
            problem(check, "list of free pages is broken at %llu", (unsigned long long)(at - 1));
            break;
        }
        at = arena->pages[at - 1].next;
    }
    uint64_t never = arena->page_count - heap->never_used;
    if (free_listed + never != check->free_pages || heap->free_page_count != check->free_pages) {
        problem(check, "%llu free pages, %llu listed, %llu never used, the heap says %llu",
                (unsigned long long)check->free_pages, (unsigned long long)free_listed,
                (unsigned long long)never, (unsigned long long)heap->free_page_count);
    }
    if (heap->used_bytes != check->used_bytes) {
        problem(check, "%llu bytes in use, the heap says %llu",
                (unsigned long long)check->used_bytes, (unsigned long long)heap->used_bytes);
    }
    if (heap->log_count) problem(check, "the heap's log is not empty");
}

/* Trees that wait to be freed; met like any other block, so a list in a circle ends as well. */
static void check_dead_trees(audit *check) {
    const sc_arena *arena = check->arena;
    uint64_t word = sc_load64(&arena->header->heap.dead_trees);
    for (uint64_t i = 0; word; i++, word = sc_dead_next(arena, word)) {
        if (!(word >> SC_CHILD_COUNT_SHIFT) || i > arena->page_count << 10) {
            problem(check, "the list of dead trees is broken");
            return;
        }
        sc_audit_freed_tree(check, word, arena->slot_count); /* no slot's any more */
        if (check->problems) return;
    }
}

/* ---- slots ------------------------------------------------------------------------------------*/

static void meet_chain(audit *check, uint64_t first, const char *what, uint64_t where) {
    for (uint64_t block = first; block;) {
        uint32_t size_class;
        if (!meet(check, block, what, where, &size_class)) return;
        block = sc_chunk_next(sc_at(check->arena, block));
    }
}

/* What a living writer has in hand: blocks it took and has not linked, blocks it is about to free.
 */
/* Under any wish there are records; more of them than are wished for cost nothing but time. */
static void check_wishes(audit *check, const sc_header *header) {
    for (int i = 0; i < SC_FEED_WISHES; i++) {
        const sc_wish *wish = &header->feed_wishes[i];
        if (wish->pid && wish->wants & ~header->feed_wanted) {
            problem(check, "wish %d for the feed is not granted", i);
        }
    }
}

static void check_log(audit *check, uint64_t index, const sc_log *log,
                      const sc_log_entry *entries) {
    if (log->overflow) {
        uint32_t last = check->arena->classes.first_chunk + check->arena->classes.chunk_count - 1;
        meet_stack(check, log->overflow, "log overflow of slot", index, last);
    }
    if (log->state == SC_LOG_IDLE) {
        if (log->count) problem(check, "slot %llu: idle log", (unsigned long long)index);
        if (log->feed) problem(check, "slot %llu: idle, but feed", (unsigned long long)index);
        return;
    }
    if (!check->arena->slots[index].pid) {
        problem(check, "slot %llu is free and its log is not", (unsigned long long)index);
    }
    for (uint32_t i = 0; i < log->count && i < log->capacity; i++) {
        uint64_t kind = entries[i].where & SC_LOG_KIND_MASK;
        bool pending = log->state == SC_LOG_COMMITTED;
        if (kind == (pending ? (uint64_t)SC_LOG_FREE : SC_LOG_ALLOC)) {
            meet(check, entries[i].word, "log of slot", index, NULL);
        } else if (kind == (pending ? (uint64_t)SC_LOG_FREE_CHAIN : SC_LOG_ALLOC_CHAIN)) {
            meet_chain(check, entries[i].word, "log of slot", index);
        } else if (pending && kind == SC_LOG_FREE_TREE) {
            sc_audit_freed_tree(check, entries[i].word, index);
        }
    }
}

static void check_slot(audit *check, uint64_t index) {
    const sc_slot *slot = &check->arena->slots[index];
    for (uint32_t i = 0; i < check->arena->classes.count; i++) {
        uint64_t count = meet_stack(check, slot->magazine[i].head, "magazine of slot", index, i);
        if (!slot->pid && count) {
            problem(check, "slot %llu is free and keeps blocks", (unsigned long long)index);
        }
    }
    check_log(check, index, &slot->main_log, slot->main_entries);
    check_log(check, index, &slot->inner_log, slot->inner_entries);
    for (int db = 0; db < SC_PHYSICAL_DBS; db++) {
        check->keys[db] -= slot->main_counters.keys[db] + slot->inner_counters.keys[db];
        check->expires[db] -= slot->main_counters.expires[db] + slot->inner_counters.expires[db];
    }
}

/* ---- stripes and entries ----------------------------------------------------------------------*/

/* Bytes in the chain; each chunk is met, fits its block and has the owner that it should. */
static uint64_t meet_owned(audit *check, uint64_t block, const uint64_t *hash, const char *what,
                           uint64_t where) {
    const sc_arena *arena = check->arena;
    uint64_t held = 0;
    while (block) {
        uint32_t size_class;
        if (!meet(check, block, what, where, &size_class)) return held;
        const sc_chunk *chunk = sc_at(arena, block);
        held += sc_chunk_length(chunk);
        if ((hash && chunk->owner_hash != *hash) ||
            sc_chunk_length(chunk) + sizeof(sc_chunk) > arena->classes.bytes[size_class]) {
            problem(check, "chunk %llx of %s %llx", (unsigned long long)block, what,
                    (unsigned long long)where);
        }
        block = sc_chunk_next(chunk);
    }
    return held;
}

void sc_audit_chain(audit *check, uint64_t first, const uint64_t *hash, uint64_t length,
                    const char *what, uint64_t where) {
    uint64_t held = meet_owned(check, first, hash, what, where);
    if (held != length) {
        problem(check, "%s %llx holds %llu bytes, it says %llu", what, (unsigned long long)where,
                (unsigned long long)held, (unsigned long long)length);
    }
}

static void check_value(audit *check, const sc_view *view, uint64_t hash) {
    const sc_arena *arena = check->arena;
    uint64_t length = view->head.value_bytes;
    uint64_t held = sc_value_inline_bytes(arena, view->head.key_bytes, length);
    if (!view->chain_at) {
        if (held != length) problem(check, "entry %llx: chain", (unsigned long long)view->offset);
        return;
    }
    uint64_t first = sc_load64(sc_at(arena, view->offset + view->chain_at));
    sc_audit_chain(check, first, &hash, length - held, "chain of entry", view->offset);
}

static void check_twin(audit *check, uint64_t index, const sc_ref *ref, uint64_t word) {
    sc_found found;
    int status = sc_table_find(check->arena, &check->arena->stripes[index], ref, &found);
    if (status != SC_OK) {
        problem(check, "stripe %llu: a key is not found", (unsigned long long)index);
    } else if (found.word != word) {
        problem(check, "stripe %llu: a key is there twice", (unsigned long long)index);
    }
}

static void check_entry(audit *check, uint64_t index, uint32_t bucket, uint64_t word) {
    sc_arena *arena = check->arena;
    sc_view view;
    sc_ref ref;
    uint32_t size_class;
    uint64_t offset = SC_SLOT_OFFSET(word);
    if (!meet(check, offset, "slot of stripe", index, &size_class)) return;
    if (size_class >= arena->classes.entry_count || !sc_view_load(arena, &view, offset) ||
        view.value_at > arena->classes.bytes[size_class] ||
        (!sc_is_string(&view) && !sc_is_container(view.head.encoding))) {
        problem(check, "entry %llx is damaged", (unsigned long long)offset);
        return;
    }
    uint8_t db = view.head.flags & SC_ENTRY_DB;
    sc_ref_make_physical(arena, &ref, (const char *)sc_at(arena, offset) + view.key_at,
                         view.head.key_bytes, db);
    uint32_t home = sc_home(arena->stripes[index].buckets, ref.tag);
    if (ref.stripe != index || ref.tag != SC_SLOT_TAG(word) ||
        (bucket != home && bucket != home + 1)) {
        problem(check, "entry %llx lies in the wrong place", (unsigned long long)offset);
        return;
    }
    if (!(word & SC_SLOT_TTL) != !view.expire_at) {
        problem(check, "entry %llx: TTL bit", (unsigned long long)offset);
    }
    if (view.expire_at && sc_view_expire(arena, &view) < arena->stripes[index].next_expiry) {
        problem(check, "entry %llx expires before its stripe says", (unsigned long long)offset);
    }
    check->keys[db]++;
    check->expires[db] += view.expire_at != 0;
    if (sc_is_string(&view))
        check_value(check, &view, ref.hash);
    else
        sc_audit_container(check, &view);
    check_twin(check, index, &ref, word);
}

static void check_segments(audit *check, uint64_t index) {
    const sc_arena *arena = check->arena;
    const sc_stripe *stripe = &arena->stripes[index];
    uint64_t total = 0;
    for (int i = 0; i < SC_TABLE_SEGMENTS && stripe->segment[i]; i++) {
        uint32_t size_class;
        if (!meet(check, stripe->segment[i], "table of stripe", index, &size_class)) return;
        if (size_class < arena->classes.first_table) {
            problem(check, "stripe %llu: segment class", (unsigned long long)index);
        }
        total += arena->classes.bytes[size_class] / SC_BUCKET_BYTES;
    }
    if (total && total != stripe->buckets + 1u) {
        problem(check, "stripe %llu has %llu buckets, it says %u", (unsigned long long)index,
                (unsigned long long)total, stripe->buckets + 1);
    }
}

static void check_stripe(audit *check, uint64_t index) {
    const sc_arena *arena = check->arena;
    const sc_stripe *stripe = &arena->stripes[index];
    if (stripe->sequence & 1) problem(check, "stripe %llu is odd", (unsigned long long)index);
    check_segments(check, index);
    uint32_t count = 0;
    for (uint32_t b = 0; stripe->buckets && b <= stripe->buckets; b++) {
        const uint64_t *slots = sc_bucket(arena, stripe->segment, b);
        if (!slots) {
            problem(check, "stripe %llu: bucket %u", (unsigned long long)index, b);
            return;
        }
        for (int i = 0; i < SC_BUCKET_SLOTS; i++) {
            if (!slots[i]) continue;
            count++;
            check_entry(check, index, b, slots[i]);
        }
    }
    if (count != stripe->keys) {
        problem(check, "stripe %llu has %u keys, it says %u", (unsigned long long)index, count,
                stripe->keys);
    }
}

/* ---- the whole --------------------------------------------------------------------------------*/

/* Everything was met by now; a block in use that was not is lost. */
static void check_lost(audit *check, uint64_t index) {
    const sc_arena *arena = check->arena;
    const sc_page *page = &arena->pages[index];
    /* Read once: a damaged arena may be changing under us. */
    uint32_t stored = __atomic_load_n(&page->size_class, __ATOMIC_RELAXED);
    if (!stored || stored > arena->classes.count) return;
    uint64_t bytes = arena->classes.bytes[stored - 1], start = sc_page_start(arena, index);
    uint32_t fresh = __atomic_load_n(&page->fresh, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < fresh && i < arena->classes.per_page[stored - 1]; i++) {
        if (!was_met(check, start + i * bytes)) {
            problem(check, "block %llx (class %u) is lost", (unsigned long long)(start + i * bytes),
                    stored - 1);
        }
    }
}

/* Each logical database has a physical one to itself, which is not being swept. */
static void check_databases(audit *check) {
    const sc_arena *arena = check->arena;
    uint64_t used = sc_load64(&arena->header->retired_dbs);
    for (uint32_t db = 0; db < SC_LOGICAL_DBS; db++) {
        uint64_t bit = UINT64_C(1) << sc_physical_db(arena, db);
        if (used & bit) problem(check, "database %u shares its physical number", db);
        used |= bit;
    }
}

static void check_all(audit *check) {
    const sc_arena *arena = check->arena;
    check_databases(check);
    for (uint64_t i = 0; i < arena->page_count; i++)
        check_page(check, i);
    check_page_lists(check);
    check_dead_trees(check);
    check_wishes(check, check->arena->header);
    for (uint64_t i = 0; i < arena->slot_count; i++)
        check_slot(check, i);
    for (uint64_t i = 0; i <= arena->stripe_mask; i++)
        check_stripe(check, i);
    for (uint64_t i = 0; i < arena->page_count; i++)
        check_lost(check, i);
    for (int db = 0; db < SC_PHYSICAL_DBS; db++) {
        if (check->keys[db] || check->expires[db]) {
            problem(check, "database %d: the slots' counts are off by %lld keys, %lld with TTL", db,
                    (long long)check->keys[db], (long long)check->expires[db]);
        }
    }
}

/* One pass over everything, under a whole-arena transaction where that is possible. */
static int validate_once(sc_arena *arena, FILE *report, audit *check, uint64_t *seen) {
    sc_tx *tx = NULL;
    int status = arena->writable ? sc_tx_begin(arena, NULL, 0, &tx) : SC_OK;
    if (status != SC_OK) return status;
    *check = (audit){.arena = arena, .report = report, .seen = seen};
    check_all(check);
    if (tx) sc_tx_abort(tx);
    return check->problems ? SC_CORRUPT : SC_OK;
}

/* Writers that hold no stripe go on meanwhile: they take blocks for what they prepare, and free
 * what they replaced. A pass that such a step cut in two sees a block in both places or in none;
 * the next pass does not. Damage stays, and is what the last pass reports. */
int sc_validate(sc_arena *arena, FILE *report) {
    audit *check = calloc(1, sizeof *check);
    uint64_t words = (arena->page_count << arena->page_shift >> 3) / 64 + 1;
    uint64_t *seen = calloc(words, sizeof *seen);
    int status = check && seen ? SC_CORRUPT : SC_NO_MEMORY;
    for (int pass = 1; pass <= SC_PASSES && status == SC_CORRUPT; pass++) {
        if (pass > 1) sc_sys_sleep_us(SC_PASS_PAUSE_US);
        memset(seen, 0, words * sizeof *seen);
        status = validate_once(arena, pass == SC_PASSES ? report : NULL, check, seen);
    }
    free(seen);
    free(check);
    return status;
}
