/* The arena as text, for people. Reads only, and trusts nothing: it is what one looks at when the
 * daemon hangs or a process was killed. */
#include <inttypes.h>

#include "heap.h"
#include "table.h"

static const char *const policy_names[SC_POLICIES] = {
    "noeviction",   "allkeys-lru",  "allkeys-lfu",     "allkeys-random",
    "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl",
};

static void dump_ring(FILE *out, const char *name, const sc_ring *ring) {
    const sc_ring_head *head = ring->head;
    uint32_t producers = 0;
    for (uint32_t i = 0; i < ring->mark_count; i++)
        producers += sc_load64(&ring->marks[i].pid) != 0;
    fprintf(out, "%-14s %" PRIu64 " cells, at %" PRIu64 ", %u producers, %" PRIu64 " lost\n", name,
            ring->mask + 1, sc_load64(&head->tail), producers, sc_load64(&head->losses));
}

static void dump_header(const sc_arena *arena, const sc_header *header, FILE *out) {
    char name[sizeof header->name + 1] = {0}, path[sizeof header->socket_path + 1] = {0};
    memcpy(name, header->name, sizeof header->name);
    memcpy(path, header->socket_path, sizeof header->socket_path);
    uint32_t policy = sc_load32(&header->policy);
    fprintf(out, "arena          %s  (layout %u, generation %016" PRIx64 ")\n", name,
            header->layout_version, header->generation);
    fprintf(out, "socket         %s\n", path);
    fprintf(out,
            "segments       %" PRIu64 " + %" PRIu64 " bytes, feed %" PRIu64 ", bus %" PRIu64 "\n",
            arena->data_bytes, arena->access_bytes, arena->feed_bytes, arena->bus_bytes);
    dump_ring(out, "feed", &arena->feed);
    dump_ring(out, "bus", &arena->bus);
    fprintf(out, "policy         %s, maxmemory %" PRIu64 "\n",
            policy < SC_POLICIES ? policy_names[policy] : "?", sc_load64(&header->maxmemory));
    fprintf(out, "access clock   %" PRIu64 "\n", sc_load64(&header->access_clock));
    uint64_t exclusive = sc_load64(&header->exclusive);
    if (exclusive) fprintf(out, "locked by      slot %" PRIu64 "\n", (exclusive & 0xffff) - 1);
    static const char *const beats[SC_BEATS] = {"supervisor", "front-end", "maintenance",
                                                "persister"};
    uint64_t now = sc_sys_now_ms();
    for (int i = 0; i < SC_BEATS; i++) {
        uint64_t pid = sc_load64(&header->heartbeat[i].pid);
        uint64_t beat = sc_load64(&header->heartbeat[i].beat_ms);
        if (!pid) continue;
        fprintf(out, "%-14s pid %" PRIu64 ", %" PRIu64 " ms ago\n", beats[i], pid,
                now > beat ? now - beat : 0);
    }
}

static void dump_databases(sc_arena *arena, FILE *out) {
    for (uint32_t db = 0; db < SC_DATABASES; db++) {
        uint64_t keys = sc_db_keys(arena, db);
        if (!keys) continue;
        fprintf(out, "db%-12u %" PRIu64 " keys, %" PRIu64 " with a TTL\n", db, keys,
                sc_db_expires(arena, db));
    }
}

static void dump_slots(const sc_arena *arena, FILE *out) {
    static const char *const states[] = {"idle", "ACTIVE", "COMMITTED"};
    for (uint32_t i = 0; i < arena->slot_count; i++) {
        const sc_slot *slot = &arena->slots[i];
        uint64_t pid = sc_load64(&slot->pid);
        if (!pid) continue;
        uint32_t state = sc_load32(&slot->main_log.state);
        bool alive = sc_sys_start_time(pid) == sc_load64(&slot->start_time);
        fprintf(out, "slot %-4u      pid %" PRIu64 "%s, log %s (%u entries)\n", i, pid,
                alive ? "" : " (dead)", state < 3 ? states[state] : "?",
                sc_load32(&slot->main_log.count));
    }
}

static void dump_stripes(const sc_arena *arena, FILE *out) {
    uint64_t keys = 0, most = 0, buckets = 0, odd = 0, held = 0;
    for (uint64_t i = 0; i <= arena->stripe_mask; i++) {
        const sc_stripe *stripe = &arena->stripes[i];
        uint32_t own = sc_load32(&stripe->keys);
        keys += own;
        if (own > most) most = own;
        buckets += sc_load32(&stripe->buckets);
        odd += sc_load64(&stripe->sequence) & 1;
        held += sc_load64(&stripe->owner) != 0;
    }
    fprintf(out, "stripes        %" PRIu64 ", %" PRIu64 " keys, %" PRIu64 " in the fullest\n",
            arena->stripe_mask + 1, keys, most);
    fprintf(out, "tables         %" PRIu64 " buckets, %.1f %% full\n", buckets,
            buckets ? 100.0 * (double)keys / (double)(buckets * SC_BUCKET_SLOTS) : 0.0);
    fprintf(out, "in a write     %" PRIu64 " stripes odd, %" PRIu64 " held\n", odd, held);
}

/* Entries of each kind: strings, and the containers packed and as trees. */
typedef struct kinds {
    uint64_t looked_at, strings, packed[SC_TYPES], trees[SC_TYPES];
} kinds;
#define SC_DUMP_ENTRIES 1000000 /* looked at; more would take seconds */

static void count_entry(const sc_arena *arena, uint64_t word, kinds *all) {
    sc_view view;
    if (!word || !sc_view_load(arena, &view, SC_SLOT_OFFSET(word))) return;
    int type = sc_type_of(view.head.encoding);
    all->looked_at++;
    if (type == SC_STRING)
        all->strings++;
    else if (view.body_at)
        all->trees[type]++;
    else
        all->packed[type]++;
}

static void count_stripe(const sc_arena *arena, const sc_stripe *stripe, kinds *all) {
    uint32_t buckets = sc_load32(&stripe->buckets);
    for (uint32_t b = 0; buckets && b <= buckets; b++) {
        const uint64_t *slots = sc_bucket(arena, stripe->segment, b);
        if (!slots) return;
        for (int i = 0; i < SC_BUCKET_SLOTS; i++)
            count_entry(arena, sc_load64(&slots[i]), all);
    }
}

static void dump_kinds(const sc_arena *arena, FILE *out) {
    static const char *const names[SC_TYPES] = {"strings",     "lists",  "sets",
                                                "sorted sets", "hashes", "streams"};
    kinds all = {0};
    uint64_t i = 0;
    for (; i <= arena->stripe_mask && all.looked_at < SC_DUMP_ENTRIES; i++)
        count_stripe(arena, &arena->stripes[i], &all);
    if (!all.looked_at) return;
    fprintf(out, "entries        %" PRIu64 " strings%s\n", all.strings,
            i <= arena->stripe_mask ? ", of the first million" : "");
    for (int type = SC_LIST; type < SC_TYPES; type++) {
        if (!all.packed[type] && !all.trees[type]) continue;
        fprintf(out, "  %-12s %" PRIu64 " packed, %" PRIu64 " trees\n", names[type],
                all.packed[type], all.trees[type]);
    }
}

static void dump_heap(const sc_arena *arena, FILE *out) {
    const sc_heap *heap = &arena->header->heap;
    uint64_t pages[SC_MAX_CLASSES] = {0};
    for (uint64_t i = 0; i < arena->page_count; i++) {
        uint32_t size_class = __atomic_load_n(&arena->pages[i].size_class, __ATOMIC_RELAXED);
        if (size_class && size_class <= arena->classes.count) pages[size_class - 1]++;
    }
    fprintf(out,
            "heap           %" PRIu64 " pages of %u, %" PRIu64 " free, %" PRIu64
            " bytes in blocks\n",
            arena->page_count, 1u << arena->page_shift, sc_load64(&heap->free_page_count),
            sc_load64(&heap->used_bytes));
    for (uint32_t i = 0; i < arena->classes.count; i++) {
        if (!pages[i]) continue;
        const char *kind = i >= arena->classes.first_table   ? "table"
                           : i >= arena->classes.first_chunk ? "chunk"
                                                             : "entry";
        fprintf(out, "  %s %6u   %" PRIu64 " pages, %" PRIu64 " blocks free\n", kind,
                arena->classes.bytes[i], pages[i], sc_load64(&heap->class_free[i]));
    }
}

int sc_dump(sc_arena *arena, FILE *out) {
    dump_header(arena, arena->header, out);
    dump_databases(arena, out);
    dump_slots(arena, out);
    dump_stripes(arena, out);
    dump_kinds(arena, out);
    dump_heap(arena, out);
    return SC_OK;
}
