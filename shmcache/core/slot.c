/* Writer slots. See slot.h; the order of recovery is argued at recover_slot. */
#include "slot.h"

#include <stdlib.h>

#include "feed.h"
#include "heap.h"
#include "lock.h"
#include "notes.h"
#include "relocate.h"
#include "ring.h"
#include "txn.h"

/* ---- recovery ---------------------------------------------------------------------------------*/

static void close_stripes_of(sc_arena *arena, uint64_t owner) {
    uint64_t exclusive = sc_load64(&arena->header->exclusive);
    bool in_force = exclusive == (owner | SC_IN_FORCE);
    for (uint64_t i = 0; i <= arena->stripe_mask; i++) {
        sc_stripe *stripe = &arena->stripes[i];
        bool owned = sc_load64(&stripe->owner) == owner;
        if (owned || in_force) sc_stripe_close(stripe);
        if (owned) sc_put64(&stripe->owner, 0);
    }
    if ((exclusive & ~SC_IN_FORCE) == owner) sc_put64_release(&arena->header->exclusive, 0);
}

/* Called with slot->recovery held. The order matters:
 *   1. the heap's log, since it may hold words of this slot's magazines: whoever gets the heap lock
 *      of a dead owner rolls it back;
 *   2. the inner log, being the younger, then the main log: contents are whole again;
 *   3. only now the stripes' sequences become even, so no reader sees the state between;
 *   4. the page that was being emptied is listed again, the magazines go back to the pages.
 * The stripes' mutexes are not needed: whoever gets one from this dead owner comes here first and
 * waits for slot->recovery. Each step can be cut short by another death and done again. */
static int recover_slot(sc_writer *writer, sc_slot *slot) {
    sc_arena *arena = writer->arena;
    int status = sc_heap_lock(writer);
    if (status != SC_OK) return status;
    sc_heap_unlock(writer);
    sc_log_recover(writer, slot, &slot->inner_log, slot->inner_entries);
    sc_log_recover(writer, slot, &slot->main_log, slot->main_entries);
    uint64_t index = (uint64_t)(slot - arena->slots);
    close_stripes_of(arena, slot->generation << 16 | (index + 1));
    if (slot->evacuating) sc_evacuation_end(writer, slot);
    sc_heap_flush_all(writer, slot);
    sc_put64(&slot->generation, slot->generation + 1);
    sc_put64(&slot->pid, 0);
    return SC_OK;
}

static int recovery_lock(sc_writer *writer, sc_slot *slot) {
    bool died;
    int status = sc_mutex_lock(writer, &slot->recovery, &died);
    if (status == SC_OK && died) sc_mutex_consistent(&slot->recovery); /* recovery starts over */
    return status;
}

int sc_slot_recover_owner(sc_writer *writer, uint64_t owner) {
    sc_arena *arena = writer->arena;
    uint64_t index = (owner & 0xffff) - 1;
    if (index >= arena->slot_count) return SC_OK; /* not a slot's: nothing to undo */
    sc_slot *slot = &arena->slots[index];
    int status = recovery_lock(writer, slot);
    if (status != SC_OK) return status;
    if (slot->generation == owner >> 16) status = recover_slot(writer, slot);
    sc_mutex_unlock(&slot->recovery);
    return status;
}

/* By its pid. When in doubt it lives: whoever meets one of its locks is told by the kernel. */
static bool slot_is_dead(const sc_slot *slot) {
    return sc_sys_is_dead(sc_load64(&slot->pid), sc_load64(&slot->start_time),
                          sc_load64(&slot->pid_namespace), sc_load64(&slot->nonce));
}

static int sweep(sc_writer *writer, uint32_t *recovered) {
    sc_arena *arena = writer->arena;
    int status = SC_OK;
    for (uint32_t i = 0; i < arena->slot_count && status == SC_OK; i++) {
        sc_slot *slot = &arena->slots[i];
        if (!slot_is_dead(slot)) continue;
        status = recovery_lock(writer, slot);
        if (status != SC_OK) break;
        if (slot_is_dead(slot)) {
            status = recover_slot(writer, slot);
            ++*recovered;
        }
        sc_mutex_unlock(&slot->recovery);
    }
    return status;
}

int sc_sweep_slots(sc_arena *arena, uint32_t *recovered) {
    sc_writer *writer;
    uint32_t count = 0;
    int status = sc_writer_checkout(arena, &writer);
    if (status != SC_OK) return status;
    status = sweep(writer, &count);
    sc_exclusive_help(writer);
    sc_writer_checkin(writer);
    if (status == SC_OK) status = sc_feed_sweep(arena);
    if (recovered) *recovered = count;
    return status;
}

void sc_slot_help_stripe(sc_arena *arena, uint64_t stripe) {
    sc_writer *writer;
    if (sc_writer_checkout(arena, &writer) != SC_OK) return;
    sc_exclusive_help(writer);
    if (sc_stripe_trylock(writer, stripe)) sc_stripe_unlock(writer, stripe);
    sc_writer_checkin(writer);
}

int64_t sc_sum_counters(const sc_arena *arena, size_t place) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < arena->slot_count; i++) {
        const sc_slot *slot = &arena->slots[i];
        const char *both[] = {(const char *)&slot->main_counters,
                              (const char *)&slot->inner_counters};
        sum += sc_load64((const uint64_t *)(const void *)(both[0] + place));
        sum += sc_load64((const uint64_t *)(const void *)(both[1] + place));
    }
    return (int64_t)sum;
}

/* ---- claiming ---------------------------------------------------------------------------------*/

static void writer_bind(sc_writer *writer, sc_slot *slot) {
    uint64_t index = (uint64_t)(slot - writer->arena->slots);
    writer->slot = slot;
    writer->owner = slot->generation << 16 | (index + 1);
    sc_txn *txns[] = {&writer->main, &writer->inner};
    for (int i = 0; i < 2; i++) {
        txns[i]->writer = writer;
        txns[i]->log = i ? &slot->inner_log : &slot->main_log;
        txns[i]->entries = i ? slot->inner_entries : slot->main_entries;
        txns[i]->counters = i ? &slot->inner_counters : &slot->main_counters;
        txns[i]->held = txns[i]->held_inline;
        txns[i]->held_room = sizeof txns[i]->held_inline / sizeof *txns[i]->held_inline;
        txns[i]->notes.bytes = (uint8_t *)txns[i]->notes.few;
        txns[i]->notes.room = sizeof txns[i]->notes.few;
    }
}

/* With slot->recovery held. The pid is stored last: a slot without one is free, however far a
 * killed claimer got. */
static bool slot_claim(sc_writer *writer, sc_slot *slot) {
    if (slot->pid && (!slot_is_dead(slot) || recover_slot(writer, slot) != SC_OK)) return false;
    sc_put64(&slot->generation, slot->generation + 1);
    sc_put64(&slot->start_time, sc_sys_start_time(sc_sys_pid()));
    sc_put64(&slot->nonce, sc_sys_nonce());
    sc_put64(&slot->pid_namespace, sc_sys_pid_namespace());
    sc_put64(&slot->pid, sc_sys_pid());
    writer_bind(writer, slot);
    return true;
}

static bool claim_any(sc_writer *writer, bool recover_dead) {
    sc_arena *arena = writer->arena;
    for (uint32_t i = 0; i < arena->slot_count; i++) {
        sc_slot *slot = &arena->slots[i];
        if (sc_load64(&slot->pid) && !(recover_dead && slot_is_dead(slot))) continue;
        bool died;
        if (sc_mutex_trylock(&slot->recovery, &died) != SC_OK) continue;
        if (died) sc_mutex_consistent(&slot->recovery);
        bool claimed = slot_claim(writer, slot);
        sc_mutex_unlock(&slot->recovery);
        if (claimed) return true;
    }
    return false;
}

static int writer_new(sc_arena *arena, sc_writer **out) {
    sc_writer *writer = calloc(1, sizeof *writer);
    if (!writer) return SC_NO_MEMORY;
    writer->arena = arena;
    if (!claim_any(writer, false) && !claim_any(writer, true)) {
        free(writer);
        return SC_NO_SLOT;
    }
    writer->in_use = true;
    pthread_mutex_lock(&arena->writers_lock);
    writer->next = atomic_load(&arena->writers);
    atomic_store_explicit(&arena->writers, writer, memory_order_release);
    pthread_mutex_unlock(&arena->writers_lock);
    *out = writer;
    return SC_OK;
}

int sc_writer_checkout_slow(sc_arena *arena, sc_writer **out) {
    if (!arena->writable) return SC_READ_ONLY;
    sc_writer *writer = atomic_load_explicit(&arena->writers, memory_order_acquire);
    for (; writer; writer = writer->next) {
        if (!sc_writer_try(arena, writer)) continue;
        if (!sc_writer_valid(writer)) continue;
        *out = writer;
        return SC_OK;
    }
    return writer_new(arena, out);
}

void sc_slots_forget(sc_arena *arena) {
    atomic_store(&arena->writers, NULL); /* the structs are the parent's copies: a leak of bytes */
    pthread_mutex_init(&arena->writers_lock, NULL);
}

void sc_slots_release(sc_arena *arena) {
    sc_writer *writer = atomic_load(&arena->writers);
    while (writer) {
        sc_writer *next = writer->next;
        sc_slot *slot = writer->slot;
        if (sc_writer_valid(writer) && recovery_lock(writer, slot) == SC_OK) {
            if (sc_writer_valid(writer)) recover_slot(writer, slot);
            sc_mutex_unlock(&slot->recovery);
        }
        if (writer->feed.mark) sc_ring_leave(&arena->feed, &writer->feed);
        sc_notes_free(&writer->main.notes);
        sc_notes_free(&writer->inner.notes);
        free(writer);
        writer = next;
    }
    atomic_store(&arena->writers, NULL);
}
