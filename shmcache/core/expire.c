/* Active expiry and the sweep of flushed databases. See expire.h. */
#include "expire.h"

#include "dead.h"
#include "evict.h"
#include "fields.h"
#include "heap.h"
#include "notes.h"
#include "relocate.h"
#include "slot.h"
#include "table.h"

#define SC_SWEEP_BATCH                                                                             \
    4 /* entries a lock hold deletes: twelve log entries each must fit the inner log */
#define SC_BUDGET_LOOKS 64

/* Delete the stripe's dead, a batch a transaction. `*earliest` becomes the expiry of the next one.
 */
static bool sweep_bucket(sc_writer *writer, uint64_t index, uint32_t bucket, bool retired,
                         uint32_t *batch, uint64_t *earliest) {
    sc_arena *arena = writer->arena;
    sc_stripe *stripe = &arena->stripes[index];
    uint64_t *slots = sc_bucket(arena, stripe->segment, bucket);
    for (int i = 0; slots && i < SC_BUCKET_SLOTS; i++) {
        if (!slots[i] || (!retired && !(slots[i] & SC_SLOT_TTL))) continue;
        sc_found found = {.slot = &slots[i], .word = slots[i]};
        if (!sc_view_load(arena, &found.view, SC_SLOT_OFFSET(slots[i]))) continue;
        if (!sc_view_is_dead(arena, &found.view)) {
            uint64_t expiry = sc_view_expire(arena, &found.view);
            if (expiry && expiry < *earliest) *earliest = expiry;
            continue;
        }
        if (*batch == SC_SWEEP_BATCH) return false;
        sc_txn_open(&writer->inner, index);
        sc_table_remove(&writer->inner, index, &found);
        sc_entry_free(&writer->inner, &found.view);
        if (found.view.expire_at) sc_txn_add(&writer->inner, &writer->inner.counters->expired, 1);
        sc_note_entry(&writer->inner, &found.view, SC_EVENT_EXPIRED);
        ++*batch;
    }
    return true;
}

/* One transaction; true when the stripe is done. */
static bool sweep_once(sc_writer *writer, uint64_t index, bool retired, uint64_t *deleted) {
    sc_stripe *stripe = &writer->arena->stripes[index];
    sc_txn_begin(&writer->inner);
    if (!sc_txn_trylock(&writer->inner, index)) {
        sc_txn_abort(&writer->inner);
        return true;
    }
    uint32_t batch = 0;
    uint64_t earliest = UINT64_MAX;
    bool done = true;
    for (uint32_t b = 0; stripe->buckets && b <= stripe->buckets && done; b++) {
        done = sweep_bucket(writer, index, b, retired, &batch, &earliest);
    }
    if (done && earliest != stripe->next_expiry) {
        sc_txn_store64(&writer->inner, &stripe->next_expiry, earliest);
    }
    if (done && batch) sc_table_shrink(&writer->inner, index);
    sc_txn_commit(&writer->inner);
    *deleted += batch;
    return done;
}

/* Stripes that have something due, in turn; a full round allows retired databases to be reused. */
static uint64_t sweep_range(sc_writer *writer, uint64_t from, uint64_t to, uint64_t limit) {
    sc_arena *arena = writer->arena;
    bool retired = sc_load64(&arena->header->retired_dbs) != 0;
    uint64_t now = sc_sys_now_ms(), deleted = 0;
    for (uint64_t i = from; i < to && deleted < limit; i++) {
        const sc_stripe *stripe = &arena->stripes[i];
        if (!sc_load32(&stripe->keys)) continue;
        uint64_t fields = sc_load64(&stripe->next_field_expiry);
        if (fields && fields <= now) deleted += sc_sweep_fields(writer, i, now);
        if (!retired && sc_load64(&stripe->next_expiry) > now) continue;
        while (deleted < limit && !sweep_once(writer, i, retired, &deleted)) {
        }
    }
    return deleted;
}

uint64_t sc_sweep_dead(sc_writer *writer, uint64_t limit) {
    return sweep_range(writer, 0, writer->arena->stripe_mask + 1, limit);
}

uint64_t sc_empty_retired(const sc_arena *arena) {
    uint64_t retired = sc_load64(&arena->header->retired_dbs), empty = 0;
    for (uint32_t db = 0; retired && db < SC_PHYSICAL_DBS; db++) {
        size_t place = offsetof(sc_counters, keys) + sizeof(int64_t) * db;
        if (retired >> db & 1 && !sc_sum_counters(arena, place)) empty |= UINT64_C(1) << db;
    }
    return empty;
}

/* Physical databases that are empty again may be handed out again. Nobody inserts under a retired
 * number: the mapping only changes while no writer holds a stripe. */
static void reuse_retired(sc_writer *writer) {
    uint64_t *retired = &writer->arena->header->retired_dbs;
    uint64_t empty = sc_empty_retired(writer->arena);
    if (!empty || sc_exclusive_lock(writer) != SC_OK) return;
    sc_put64(retired, *retired & ~empty);
    sc_exclusive_unlock(writer);
}

int sc_expire_cycle(sc_arena *arena, uint64_t budget_us, uint64_t *deleted) {
    sc_writer *writer;
    int status = sc_writer_checkout(arena, &writer);
    if (status != SC_OK) return status;
    uint64_t end = sc_sys_monotonic_us() + budget_us, count = 0;
    uint64_t stripes = arena->stripe_mask + 1;
    uint64_t from = atomic_load_explicit(&arena->sweep_cursor, memory_order_relaxed);
    for (uint64_t done = 0; done < stripes; done += SC_BUDGET_LOOKS) {
        if (from >= stripes) from = 0;
        uint64_t to = from + SC_BUDGET_LOOKS < stripes ? from + SC_BUDGET_LOOKS : stripes;
        count += sweep_range(writer, from, to, UINT64_MAX);
        from = to;
        if (sc_sys_monotonic_us() >= end) break;
    }
    atomic_store_explicit(&arena->sweep_cursor, from, memory_order_relaxed);
    reuse_retired(writer);
    sc_writer_checkin(writer);
    if (deleted) *deleted = count;
    return SC_OK;
}

int sc_reserve_cycle(sc_arena *arena, uint64_t budget_us) {
    sc_writer *writer;
    int status = sc_writer_checkout(arena, &writer);
    if (status != SC_OK) return status;
    sc_header *header = arena->header;
    uint64_t end = sc_sys_monotonic_us() + budget_us;
    writer->stuck_count = 0;
    while (sc_dead_free(writer)) {
        if (sc_sys_monotonic_us() >= end) break;
    }
    while (sc_load64(&header->heap.free_page_count) < sc_load64(&header->reserve_pages)) {
        if (!sc_evacuate_sparse_page(writer) && !sc_evict_one(writer)) break;
        if (sc_sys_monotonic_us() >= end) break;
    }
    sc_heap_flush_all(writer, writer->slot);
    sc_writer_checkin(writer);
    return SC_OK;
}

int sc_tick(sc_arena *arena) {
    if (!arena->writable) return SC_READ_ONLY;
    sc_clock_advance(arena, 1);
    return SC_OK;
}
