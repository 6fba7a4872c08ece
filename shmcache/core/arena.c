/* Formatting, attaching, detaching. What a segment must look like follows from its size alone, so a
 * header is checked by computing it again: nothing read from the arena is used as a bound. */
#include <stdlib.h>

#include "bus.h"
#include "get.h"
#include "heap.h"
#include "lock.h"
#include "ring.h"
#include "slot.h"

typedef struct plan { /* the layout that follows from a data segment's size */
    uint64_t data_bytes, access_bytes;
    uint32_t page_shift, slot_count;
    uint64_t stripe_count, page_count;
    uint64_t slots_offset, stripes_offset, pages_offset, heap_offset;
    uint64_t marks_offset, marks_count;
    uint64_t feed_cells, bus_cells;
} plan;

static uint64_t align_up(uint64_t value, uint64_t to) {
    return (value + to - 1) & ~(to - 1);
}

static uint64_t clamp(uint64_t value, uint64_t low, uint64_t high) {
    return value < low ? low : value > high ? high : value;
}

/* A stripe for 64 KiB keeps its table at some hundred keys: rehashing one is microseconds. */
static uint64_t stripes_for(uint64_t data_bytes) {
    uint64_t stripes = 16;
    while (stripes < data_bytes >> 16 && stripes < UINT64_C(1) << 20)
        stripes *= 2;
    return stripes;
}

/* A power of two of cells in about `bytes`. */
static uint64_t ring_cells(uint64_t bytes, uint64_t least, uint64_t most) {
    uint64_t cells = least / sizeof(sc_ring_cell);
    while (cells * 2 * sizeof(sc_ring_cell) <= (bytes < most ? bytes : most))
        cells *= 2;
    return cells;
}

static void plan_make(plan *out, uint64_t data_bytes) {
    *out = (plan){.data_bytes = data_bytes};
    out->page_shift = data_bytes < SC_SMALL_ARENA ? SC_PAGE_SHIFT_SMALL : SC_PAGE_SHIFT;
    out->slot_count = (uint32_t)clamp(data_bytes >> 20, 16, 1024);
    out->stripe_count = stripes_for(data_bytes);
    out->slots_offset = align_up(sizeof(sc_header), SC_CACHE_LINE);
    out->stripes_offset = out->slots_offset + out->slot_count * sizeof(sc_slot);
    out->pages_offset = out->stripes_offset + out->stripe_count * sizeof(sc_stripe);
    uint64_t page = UINT64_C(1) << out->page_shift;
    /* Descriptors for all of the rest: a few more than pages remain behind them. */
    uint64_t most = (data_bytes - out->pages_offset) >> out->page_shift;
    out->heap_offset = align_up(out->pages_offset + most * sizeof(sc_page), page);
    out->page_count = (data_bytes - out->heap_offset) >> out->page_shift;
    out->marks_offset = align_up(sizeof(sc_access), SC_CACHE_LINE);
    out->marks_count = out->page_count << out->page_shift >> SC_GRANULE_SHIFT;
    out->access_bytes = align_up(out->marks_offset + out->marks_count * sizeof(uint16_t), 4096);
    /* The feed holds what was changed while its slowest consumer was away: 16 MiB are some 200,000
     * changes, a tenth of a second at full speed. The bus need only be wide enough for messages, of
     * which one may fill a quarter. */
    out->feed_cells = ring_cells(data_bytes / 64, UINT64_C(256) << 10, UINT64_C(16) << 20);
    out->bus_cells = ring_cells(data_bytes / 64, UINT64_C(1) << 20, UINT64_C(4) << 20);
}

static uint64_t abi_word(void) {
    return sizeof(pthread_mutex_t) | sizeof(sc_slot) << 8 | sizeof(sc_header) << 32;
}

uint64_t sc_min_data_bytes(void) {
    return SC_MIN_ARENA;
}

uint64_t sc_access_bytes(uint64_t data_bytes) {
    plan layout;
    if (data_bytes < SC_MIN_ARENA) return 0;
    plan_make(&layout, data_bytes);
    return layout.access_bytes;
}

uint64_t sc_feed_bytes(uint64_t data_bytes) {
    plan layout;
    if (data_bytes < SC_MIN_ARENA) return 0;
    plan_make(&layout, data_bytes);
    return sc_ring_bytes(layout.feed_cells);
}

uint64_t sc_bus_bytes(uint64_t data_bytes) {
    plan layout;
    if (data_bytes < SC_MIN_ARENA) return 0;
    plan_make(&layout, data_bytes);
    return sc_bus_size(layout.bus_cells);
}

/* ---- mapping ----------------------------------------------------------------------------------*/

typedef struct maps {
    uint8_t *data, *access, *feed, *bus;
    uint64_t data_bytes, access_bytes, feed_bytes, bus_bytes;
} maps;

static int maps_measure(const sc_segment_fds *fds, plan *layout, maps *out) {
    if (sc_sys_size(fds->data, &out->data_bytes) || sc_sys_size(fds->access, &out->access_bytes) ||
        sc_sys_size(fds->feed, &out->feed_bytes) || sc_sys_size(fds->bus, &out->bus_bytes))
        return SC_SYSTEM;
    if (out->data_bytes < SC_MIN_ARENA || out->data_bytes > SC_MAX_ARENA) return SC_TRUNCATED;
    plan_make(layout, out->data_bytes);
    return SC_OK;
}

static bool maps_are_whole(const plan *layout, const maps *these) {
    return these->access_bytes >= layout->access_bytes &&
           these->feed_bytes >= sc_ring_bytes(layout->feed_cells) &&
           these->bus_bytes >= sc_bus_size(layout->bus_cells);
}

static void maps_close(const maps *these) {
    sc_sys_unmap(these->data, these->data_bytes);
    sc_sys_unmap(these->access, these->access_bytes);
    sc_sys_unmap(these->feed, these->feed_bytes);
    sc_sys_unmap(these->bus, these->bus_bytes);
}

static int maps_open(const sc_segment_fds *fds, bool writable, maps *these) {
    these->data = sc_sys_map(fds->data, these->data_bytes, writable);
    these->access = sc_sys_map(fds->access, these->access_bytes, true);
    these->feed = sc_sys_map(fds->feed, these->feed_bytes, writable);
    these->bus = sc_sys_map(fds->bus, these->bus_bytes, true);
    return these->data && these->access && these->feed && these->bus ? SC_OK : SC_SYSTEM;
}

/* ---- formatting -------------------------------------------------------------------------------*/

static void header_fill(sc_header *header, const plan *layout, const char *name, uint64_t seed) {
    header->layout_version = SC_LAYOUT_VERSION;
    header->header_bytes = sizeof(sc_header);
    header->abi = abi_word();
    header->generation = sc_sys_random64() | 1;
    header->data_bytes = layout->data_bytes;
    header->access_bytes = layout->access_bytes;
    header->hash_seed = seed;
    header->created_ms = sc_sys_now_ms();
    header->page_shift = layout->page_shift;
    header->slot_count = layout->slot_count;
    header->stripe_count = layout->stripe_count;
    header->page_count = layout->page_count;
    header->slots_offset = layout->slots_offset;
    header->stripes_offset = layout->stripes_offset;
    header->pages_offset = layout->pages_offset;
    header->heap_offset = layout->heap_offset;
    strncpy(header->name, name, sizeof header->name - 1);
    for (uint8_t db = 0; db < SC_LOGICAL_DBS; db++)
        header->database[db] = db;
    header->policy = SC_NOEVICTION;
    header->lfu_log_factor = 10;
    header->lfu_decay_minutes = 1;
    static const uint32_t limits[SC_PACKED_LIMITS] = {
        [SC_HASH_ENTRIES] = 512, [SC_HASH_VALUE] = 64,          [SC_SET_INTS] = 512,
        [SC_SET_ENTRIES] = 128,  [SC_SET_VALUE] = 64,           [SC_ZSET_ENTRIES] = 128,
        [SC_ZSET_VALUE] = 64,    [SC_LIST_SIZE] = (uint32_t)-2, [SC_HLL_BYTES] = 3000,
    };
    memcpy(header->packed_limits, limits, sizeof limits);
    header->eviction_samples = 5;
    header->heap.free_page_count = layout->page_count;
}

static int format_locks(uint8_t *base, const plan *layout) {
    sc_header *header = (sc_header *)(void *)base;
    sc_slot *slots = (sc_slot *)(void *)(base + layout->slots_offset);
    sc_stripe *stripes = (sc_stripe *)(void *)(base + layout->stripes_offset);
    int failed = sc_mutex_init(&header->exclusive_lock) | sc_mutex_init(&header->heap.lock);
    for (uint32_t i = 0; i < layout->slot_count; i++) {
        failed |= sc_mutex_init(&slots[i].recovery);
        slots[i].main_log.capacity = SC_MAIN_LOG_ENTRIES;
        slots[i].inner_log.capacity = SC_INNER_LOG_ENTRIES;
    }
    for (uint64_t i = 0; i < layout->stripe_count; i++) {
        failed |= sc_mutex_init(&stripes[i].mutex);
        stripes[i].next_expiry = UINT64_MAX;
    }
    return failed ? SC_SYSTEM : SC_OK;
}

static int format_maps(const maps *made, const plan *layout, const char *name, uint64_t hash_seed) {
    sc_header *header = (sc_header *)(void *)made->data;
    sc_access *access = (sc_access *)(void *)made->access;
    header_fill(header, layout, name, hash_seed);
    int status = format_locks(made->data, layout);
    if (status != SC_OK) return status;
    access->generation = header->generation;
    access->marks_offset = layout->marks_offset;
    access->marks_count = layout->marks_count;
    access->clock_time[0] = (uint32_t)(header->created_ms / 1000);
    __atomic_store_n(&access->magic, SC_ACCESS_MAGIC, __ATOMIC_RELEASE);
    sc_ring_format(made->feed, layout->feed_cells, header->generation);
    sc_bus_format(made->bus, layout->bus_cells, header->generation);
    __atomic_store_n(&header->magic, SC_MAGIC, __ATOMIC_RELEASE);
    return SC_OK;
}

int sc_arena_format(const sc_segment_fds *fds, const char *name, uint64_t hash_seed) {
    plan layout;
    maps made = {0};
    int status = maps_measure(fds, &layout, &made);
    if (status != SC_OK) return status;
    if (!maps_are_whole(&layout, &made)) return SC_TRUNCATED;
    status = maps_open(fds, true, &made);
    if (status == SC_OK) status = format_maps(&made, &layout, name, hash_seed);
    maps_close(&made);
    return status;
}

/* ---- attaching --------------------------------------------------------------------------------*/

static bool header_agrees(const sc_header *header, const plan *layout) {
    return header->header_bytes == sizeof(sc_header) && header->abi == abi_word() &&
           header->access_bytes == layout->access_bytes &&
           header->page_shift == layout->page_shift && header->slot_count == layout->slot_count &&
           header->stripe_count == layout->stripe_count &&
           header->page_count == layout->page_count &&
           header->slots_offset == layout->slots_offset &&
           header->stripes_offset == layout->stripes_offset &&
           header->pages_offset == layout->pages_offset &&
           header->heap_offset == layout->heap_offset;
}

static int verify(const maps *these, const plan *layout) {
    const sc_header *header = (const sc_header *)(const void *)these->data;
    const sc_access *access = (const sc_access *)(const void *)these->access;
    if (sc_load64_acquire(&header->magic) != SC_MAGIC) return SC_LAYOUT;
    if (header->layout_version != SC_LAYOUT_VERSION) return SC_LAYOUT;
    if (header->data_bytes > layout->data_bytes) return SC_TRUNCATED;
    if (header->data_bytes != layout->data_bytes || !header_agrees(header, layout)) {
        return SC_LAYOUT;
    }
    if (!maps_are_whole(layout, these)) return SC_TRUNCATED;
    if (sc_load64_acquire(&access->magic) != SC_ACCESS_MAGIC ||
        access->generation != header->generation || access->marks_count != layout->marks_count) {
        return SC_LAYOUT;
    }
    return SC_OK;
}

static void handle_fill(sc_arena *arena, const plan *layout, const maps *these) {
    uint8_t *base = these->data;
    arena->base = base;
    arena->header = (sc_header *)(void *)base;
    arena->slots = (sc_slot *)(void *)(base + layout->slots_offset);
    arena->stripes = (sc_stripe *)(void *)(base + layout->stripes_offset);
    arena->pages = (sc_page *)(void *)(base + layout->pages_offset);
    arena->access = (sc_access *)(void *)these->access;
    arena->marks = (uint16_t *)(void *)(these->access + layout->marks_offset);
    arena->data_bytes = layout->data_bytes;
    arena->access_bytes = these->access_bytes;
    arena->feed_bytes = these->feed_bytes;
    arena->bus_bytes = these->bus_bytes;
    arena->heap_offset = layout->heap_offset;
    arena->page_count = layout->page_count;
    arena->heap_bytes = layout->page_count << layout->page_shift;
    arena->stripe_mask = layout->stripe_count - 1;
    arena->marks_count = layout->marks_count;
    arena->hash_seed = arena->header->hash_seed;
    arena->generation = arena->header->generation;
    arena->page_shift = layout->page_shift;
    arena->segment_shift = layout->page_shift - 6;
    arena->slot_count = layout->slot_count;
    arena->max_key_bytes = (1u << layout->page_shift) - SC_KEY_SLACK;
    arena->touching = true;
    atomic_store(&arena->random, sc_sys_random64() | 1);
    pthread_mutex_init(&arena->writers_lock, NULL);
    sc_classes_fill(&arena->classes, layout->page_shift);
}

/* A statistics slot of our own; when all are taken, one shared with others: counts may be lost. */
static void stats_claim(sc_arena *arena) {
    uint64_t pid = sc_sys_pid();
    for (uint64_t i = 0; i < SC_STATS_SLOTS; i++) {
        sc_stats *stats = &arena->access->stats[(pid + i) % SC_STATS_SLOTS];
        uint64_t holder = sc_load64(&stats->pid);
        if (holder && sc_sys_start_time(holder)) continue;
        if (__atomic_compare_exchange_n(&stats->pid, &holder, pid, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED)) {
            arena->stats = stats; /* the counts of a dead holder go on in our hands */
            return;
        }
    }
    arena->stats = &arena->access->stats[pid % SC_STATS_SLOTS];
}

/* ---- fork: a child's attachments get slots of their own
 * ------------------------------------------*/

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t registry_once = PTHREAD_ONCE_INIT;
static sc_arena *registry;

static void before_fork(void) {
    pthread_mutex_lock(&registry_lock);
}
static void after_fork_parent(void) {
    pthread_mutex_unlock(&registry_lock);
}
static void after_fork_child(void) {
    for (sc_arena *arena = registry; arena; arena = arena->next_attached) {
        sc_slots_forget(arena);
        sc_bus_forget(arena);
        stats_claim(arena);
        atomic_store(&arena->random, sc_sys_random64() | 1);
    }
    pthread_mutex_init(&registry_lock, NULL);
}
static void registry_start(void) {
    pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}

static void registry_add(sc_arena *arena) {
    sc_sys_nonce(); /* its fork handler must run before ours */
    pthread_once(&registry_once, registry_start);
    pthread_mutex_lock(&registry_lock);
    arena->next_attached = registry;
    registry = arena;
    pthread_mutex_unlock(&registry_lock);
}

static void registry_remove(sc_arena *arena) {
    pthread_mutex_lock(&registry_lock);
    sc_arena **link = &registry;
    while (*link && *link != arena)
        link = &(*link)->next_attached;
    if (*link) *link = arena->next_attached;
    pthread_mutex_unlock(&registry_lock);
}

static int attach_rings(sc_arena *arena, const plan *layout, const maps *these, bool writable) {
    uint32_t feed_flags = SC_RING_HELD | (writable ? SC_RING_WRITABLE : 0);
    int status = sc_ring_attach(&arena->feed, these->feed, layout->feed_cells, arena->generation,
                                feed_flags);
    if (status != SC_OK) return status;
    return sc_bus_attach(arena, these->bus, layout->bus_cells);
}

static int attach_maps(const sc_segment_fds *fds, bool writable, sc_arena *arena) {
    plan layout;
    maps these = {0};
    int status = maps_measure(fds, &layout, &these);
    if (status != SC_OK) return status;
    if (these.access_bytes < sizeof(sc_access) || these.feed_bytes < sizeof(sc_ring_head) ||
        these.bus_bytes < sizeof(sc_ring_head))
        return SC_TRUNCATED;
    status = maps_open(fds, writable, &these);
    if (status == SC_OK) status = verify(&these, &layout);
    if (status == SC_OK) {
        handle_fill(arena, &layout, &these);
        status = attach_rings(arena, &layout, &these, writable);
    }
    if (status != SC_OK) maps_close(&these);
    return status;
}

int sc_arena_attach(const sc_segment_fds *fds, bool writable, const sc_hooks *hooks,
                    sc_arena **out) {
    sc_arena *arena = calloc(1, sizeof *arena);
    if (!arena) return SC_NO_MEMORY;
    int status = attach_maps(fds, writable, arena);
    if (status != SC_OK) {
        free(arena);
        return status;
    }
    arena->writable = writable;
    if (hooks) arena->hooks = *hooks;
    stats_claim(arena);
    registry_add(arena);
    *out = arena;
    return SC_OK;
}

void sc_arena_detach(sc_arena *arena) {
    if (!arena) return;
    registry_remove(arena);
    sc_slots_release(arena);
    sc_bus_detach(arena);
    if (sc_load64(&arena->stats->pid) == sc_sys_pid()) sc_put64(&arena->stats->pid, 0);
    sc_sys_unmap(arena->base, arena->data_bytes);
    sc_sys_unmap(arena->access, arena->access_bytes);
    sc_sys_unmap(arena->feed.head, arena->feed_bytes);
    sc_sys_unmap(arena->bus.head, arena->bus_bytes);
    sc_hints_free(arena);
    free(arena->element_hints);
    free(arena);
}

bool sc_arena_writable(const sc_arena *arena) {
    return arena->writable;
}

uint32_t sc_max_key_bytes(const sc_arena *arena) {
    return arena->max_key_bytes;
}

void sc_set_touching(sc_arena *arena, bool touching) {
    arena->touching = touching;
}

bool sc_touching(const sc_arena *arena) {
    return arena->touching;
}

const char *sc_status_text(int status) {
    static const char *const texts[] = {
        [SC_OK] = "ok",
        [SC_MISS] = "no such key",
        [SC_UNCHANGED] = "a condition was not met",
        [SC_WRONG_TYPE] = "the key holds another type",
        [SC_NOT_INTEGER] = "the value is not an integer",
        [SC_OVERFLOW] = "the result would overflow",
        [SC_NO_MEMORY] = "the arena is full and nothing may be evicted",
        [SC_KEY_TOO_LONG] = "the key is too long",
        [SC_VALUE_TOO_LONG] = "the value is too long",
        [SC_BUSY] = "a lock stayed taken past the limit",
        [SC_READ_ONLY] = "attached for reading only",
        [SC_NO_SLOT] = "every writer slot is taken by a living process",
        [SC_CORRUPT] = "a structure in the arena is damaged",
        [SC_LAYOUT] = "not an arena, or made by an incompatible version",
        [SC_TRUNCATED] = "a segment is smaller than its header says",
        [SC_SYSTEM] = "a system call failed",
        [SC_SYNTAX] = "contradicting arguments",
        [SC_NOT_FINITE] = "the resulting score is not a number",
        [SC_LOST] = "records of a ring were missed",
    };
    unsigned known = sizeof texts / sizeof *texts;
    return (unsigned)status < known ? texts[status] : "unknown status";
}
