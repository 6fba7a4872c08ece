/* Access marks and eviction. See evict.h.
 *
 * Victims are sampled: a random stripe, a random bucket, the slots from there on; the marks say how
 * old each is. The best candidates are kept from one eviction to the next in a small pool (the idea
 * is Redis's, see antirez, "Random notes on improving the Redis LRU algorithm", 2016), which brings
 * sampling close to exact LRU without a list that every hit would have to reorder. */
#include "evict.h"

#include "expire.h"
#include "container.h"
#include "dead.h"
#include "heap.h"
#include "notes.h"
#include "relocate.h"
#include "slot.h"
#include "table.h"

#define SC_SAMPLE_STRIPES 16   /* empty stripes to skip before giving up */
#define SC_EVICT_ATTEMPTS 32   /* victims that may turn out locked, gone or touched */
#define SC_ROOM_EVICTIONS 8192 /* evictions to make room for one block */
#define SC_SWEEP_WAITS 100
#define SC_SWEEP_WAIT_US 200
#define SC_DEAD_SLICES 16 /* of dead trees, before it is seen whether there is room now */
#define SC_LFU_START 5
#define SC_OLDEST_TICK                                                                             \
    0xff00 /* marks further back look as if set by someone a tick ahead of us                      \
            */

/* maxmemory-samples counts keys that Redis would have to fetch. A slot and its mark are cheaper: we
 * look at four for each, which with the default of 5 keeps close to exact LRU. */
#define SC_LOOKS_PER_SAMPLE 4

/* ---- marks ------------------------------------------------------------------------------------*/

static uint8_t minutes_now(void) {
    return (uint8_t)(sc_sys_coarse_ms() / 60000);
}

static uint8_t decayed(const sc_arena *arena, uint16_t mark) {
    uint32_t period = sc_load32(&arena->header->lfu_decay_minutes);
    uint8_t counter = (uint8_t)mark;
    if (!period) return counter;
    uint32_t periods = (uint8_t)(minutes_now() - (mark >> 8)) / period;
    return periods > counter ? 0 : (uint8_t)(counter - periods);
}

/* Redis's logarithmic counter: the higher it stands, the less likely a hit raises it. */
void sc_mark_frequency(sc_arena *arena, uint16_t *place) {
    uint16_t mark = __atomic_load_n(place, __ATOMIC_RELAXED);
    uint32_t counter = decayed(arena, mark);
    uint32_t above = counter > SC_LFU_START ? counter - SC_LFU_START : 0;
    uint64_t odds = (uint64_t)above * sc_load32(&arena->header->lfu_log_factor) + 1;
    if (counter < 255 && (uint32_t)sc_random(arena) < UINT32_MAX / odds) counter++;
    uint16_t next = (uint16_t)(minutes_now() << 8 | counter);
    if (next != mark) __atomic_store_n(place, next, __ATOMIC_RELAXED);
}

void sc_mark_new(sc_arena *arena, uint64_t offset) {
    bool lfu = sc_policy_is_lfu(sc_load32(&arena->header->policy));
    uint16_t mark = lfu ? (uint16_t)(minutes_now() << 8 | SC_LFU_START)
                        : (uint16_t)sc_load64(&arena->header->access_clock);
    __atomic_store_n(sc_mark(arena, offset), mark, __ATOMIC_RELAXED);
}

void sc_mark_move(sc_arena *arena, uint64_t from, uint64_t to) {
    uint16_t mark = __atomic_load_n(sc_mark(arena, from), __ATOMIC_RELAXED);
    __atomic_store_n(sc_mark(arena, to), mark, __ATOMIC_RELAXED);
}

uint32_t sc_mark_counter(const sc_arena *arena, uint64_t offset) {
    return decayed(arena, __atomic_load_n(sc_mark(arena, offset), __ATOMIC_RELAXED));
}

void sc_clock_advance(sc_arena *arena, uint64_t ticks) {
    uint64_t *clock = &arena->header->access_clock;
    uint64_t before = __atomic_fetch_add(clock, ticks, __ATOMIC_RELAXED), after = before + ticks;
    uint32_t now = (uint32_t)(sc_sys_coarse_ms() / 1000);
    if (after / 64 - before / 64 > SC_CLOCK_RING) before = after - 64 * SC_CLOCK_RING;
    for (uint64_t step = before / 64 + 1; step <= after / 64; step++) {
        __atomic_store_n(&arena->access->clock_time[step % SC_CLOCK_RING], now, __ATOMIC_RELAXED);
    }
}

/* The clock ticks with each 1024th of the heap handed out or evicted: finer than any sampled LRU
 * can tell, and it wraps only after the heap was turned over some thirty times. */
void sc_clock_turn(sc_arena *arena, uint64_t bytes) {
    uint64_t step = (arena->page_count << arena->page_shift) >> 10;
    uint64_t *turnover = &arena->header->heap.turnover;
    uint64_t before = __atomic_fetch_add(turnover, bytes, __ATOMIC_RELAXED);
    uint64_t ticks = (before + bytes) / step - before / step;
    if (ticks) sc_clock_advance(arena, ticks);
}

static uint32_t ticks_since(const sc_arena *arena, uint16_t mark) {
    uint16_t age = (uint16_t)((uint16_t)sc_load64(&arena->header->access_clock) - mark);
    return age > SC_OLDEST_TICK ? 0 : age; /* set by someone a tick ahead of what we read */
}

/* When the clock stood at a tick: between two ring entries by proportion. */
uint64_t sc_mark_idle_ms(const sc_arena *arena, uint64_t offset) {
    uint64_t clock = sc_load64(&arena->header->access_clock);
    uint32_t age = ticks_since(arena, __atomic_load_n(sc_mark(arena, offset), __ATOMIC_RELAXED));
    if (!age || age > clock) return 0;
    uint64_t tick = clock - age, step = tick / 64, now = sc_sys_now_ms();
    const uint32_t *ring = arena->access->clock_time;
    uint64_t from = (uint64_t)__atomic_load_n(&ring[step % SC_CLOCK_RING], __ATOMIC_RELAXED) * 1000;
    uint64_t to = now, span = clock + 1 - step * 64;
    if (step != clock / 64) {
        to = (uint64_t)__atomic_load_n(&ring[(step + 1) % SC_CLOCK_RING], __ATOMIC_RELAXED) * 1000;
        span = 64;
    }
    if (to < from || to > now) return 0;
    return now - (from + (to - from) * (tick - step * 64) / span);
}

/* The tick that stood at the beginning of the last ring step not younger than that. */
void sc_mark_set_idle(sc_arena *arena, uint64_t offset, uint64_t idle_ms) {
    uint64_t clock = sc_load64(&arena->header->access_clock), now = sc_sys_now_ms();
    uint64_t oldest = clock > SC_OLDEST_TICK ? clock - SC_OLDEST_TICK : 0, tick = clock;
    while (tick > oldest) {
        const uint32_t *time = &arena->access->clock_time[tick / 64 % SC_CLOCK_RING];
        uint64_t then = (uint64_t)__atomic_load_n(time, __ATOMIC_RELAXED) * 1000;
        if (then + idle_ms <= now) break;
        tick = tick - oldest > 64 ? tick - 64 : oldest;
    }
    uint16_t mark = (uint16_t)(idle_ms ? tick : clock);
    __atomic_store_n(sc_mark(arena, offset), mark, __ATOMIC_RELAXED);
}

void sc_mark_set_counter(sc_arena *arena, uint64_t offset, uint8_t counter) {
    uint16_t mark = (uint16_t)(minutes_now() << 8 | counter);
    __atomic_store_n(sc_mark(arena, offset), mark, __ATOMIC_RELAXED);
}

/* ---- candidates -------------------------------------------------------------------------------*/

static bool policy_is_volatile(uint32_t policy) {
    return policy >= SC_VOLATILE_LRU;
}

/* How much a slot's key deserves to go; only VOLATILE_TTL looks at the entry itself. */
static uint64_t slot_score(sc_arena *arena, uint32_t policy, uint64_t word) {
    uint64_t offset = SC_SLOT_OFFSET(word);
    if (policy == SC_VOLATILE_TTL) {
        sc_view view;
        if (!sc_view_load(arena, &view, offset)) return 0;
        return UINT64_MAX - sc_view_expire(arena, &view);
    }
    if (policy == SC_ALLKEYS_RANDOM || policy == SC_VOLATILE_RANDOM) return sc_random(arena) | 1;
    uint16_t mark = __atomic_load_n(sc_mark(arena, offset), __ATOMIC_RELAXED);
    return 1 + (sc_policy_is_lfu(policy) ? 255u - decayed(arena, mark) : ticks_since(arena, mark));
}

/* Insert by score, the best last; the worst falls out of a full pool. */
static void pool_add(sc_writer *writer, uint64_t stripe, uint64_t word, uint64_t score) {
    sc_candidate *pool = writer->pool;
    for (uint32_t i = 0; i < writer->pool_count; i++) {
        if (pool[i].word == word && pool[i].stripe == stripe) return;
    }
    if (writer->pool_count == SC_POOL) {
        if (score <= pool[0].score) return;
        memmove(pool, pool + 1, (SC_POOL - 1) * sizeof *pool);
        writer->pool_count--;
    }
    uint32_t at = writer->pool_count++;
    for (; at > 0 && pool[at - 1].score > score; at--)
        pool[at] = pool[at - 1];
    pool[at] = (sc_candidate){.score = score, .stripe = stripe, .word = word};
}

/* The transaction that needs room holds this stripe: what lies in it cannot go, and would only
 * crowd out of the pool what can. */
static bool is_out_of_reach(const sc_writer *writer, uint64_t index) {
    if (!writer->main.exclusive) return sc_txn_holds(&writer->main, index);
    return sc_load64(&writer->arena->stripes[index].sequence) & 1;
}

static uint32_t sample_bucket(sc_writer *writer, uint64_t index, uint32_t bucket, uint32_t policy) {
    sc_arena *arena = writer->arena;
    const uint64_t *slots = sc_bucket(arena, arena->stripes[index].segment, bucket);
    uint32_t seen = 0;
    for (int i = 0; slots && i < SC_BUCKET_SLOTS; i++) {
        uint64_t word = sc_load64(&slots[i]);
        if (!word || !sc_in_heap(arena, SC_SLOT_OFFSET(word), 8)) continue;
        if (policy_is_volatile(policy) && !(word & SC_SLOT_TTL)) continue;
        pool_add(writer, index, word, slot_score(arena, policy, word));
        seen++;
    }
    return seen;
}

/* Buckets of one stripe from `bucket` on, wrapping, until `wanted` candidates were seen. */
static uint32_t sample_stripe(sc_writer *writer, uint64_t index, uint32_t bucket, uint32_t wanted,
                              uint32_t policy) {
    uint32_t buckets = sc_load32(&writer->arena->stripes[index].buckets), seen = 0;
    if (buckets > (uint32_t)SC_TABLE_SEGMENTS << writer->arena->segment_shift) return 0;
    for (uint32_t i = 0; i <= buckets && seen < wanted; i++) {
        seen += sample_bucket(writer, index, (bucket + i) % (buckets + 1), policy);
    }
    return seen;
}

static uint32_t sample(sc_writer *writer, uint32_t policy) {
    sc_arena *arena = writer->arena;
    uint32_t wanted = SC_LOOKS_PER_SAMPLE * sc_load32(&arena->header->eviction_samples), seen = 0;
    for (int i = 0; i < SC_SAMPLE_STRIPES && seen < wanted; i++) {
        uint64_t random = sc_random(arena);
        uint64_t index = random & arena->stripe_mask;
        if (!sc_load32(&arena->stripes[index].keys) || is_out_of_reach(writer, index)) continue;
        uint32_t buckets = sc_load32(&arena->stripes[index].buckets);
        seen += sample_stripe(writer, index, (uint32_t)(random >> 32) % (buckets + 1),
                              wanted - seen, policy);
    }
    return seen;
}

/* Sampling found nothing: few keys, or few with a TTL. Look at every stripe, from a random one on.
 */
static uint32_t sample_everywhere(sc_writer *writer, uint32_t policy) {
    sc_arena *arena = writer->arena;
    int64_t possible = 0;
    size_t counts =
        policy_is_volatile(policy) ? offsetof(sc_counters, expires) : offsetof(sc_counters, keys);
    for (size_t db = 0; db < SC_PHYSICAL_DBS; db++) {
        possible += sc_sum_counters(arena, counts + sizeof(int64_t) * db);
    }
    uint64_t start = sc_random(arena);
    uint32_t seen = 0;
    for (uint64_t i = 0; possible > 0 && i <= arena->stripe_mask && seen < SC_POOL; i++) {
        uint64_t index = (start + i) & arena->stripe_mask;
        if (sc_load32(&arena->stripes[index].keys) && !is_out_of_reach(writer, index)) {
            seen += sample_stripe(writer, index, 0, SC_POOL - seen, policy);
        }
    }
    return seen;
}

/* ---- evicting ---------------------------------------------------------------------------------*/

static bool find_slot(sc_arena *arena, const sc_candidate *candidate, sc_found *found) {
    sc_near near;
    sc_near_start(&near, arena, candidate->stripe, SC_SLOT_TAG(candidate->word));
    for (uint64_t *slot; (slot = sc_near_next(&near));) {
        if (*slot != candidate->word) continue;
        *found = (sc_found){.slot = slot, .word = *slot};
        return sc_view_load(arena, &found->view, SC_SLOT_OFFSET(*slot));
    }
    return false;
}

static uint64_t value_memory(const sc_arena *arena, const sc_view *view) {
    return sc_is_container(view->head.encoding) ? sc_container_memory(arena, view)
                                                : sc_entry_memory(arena, view);
}

static void evict_found(sc_writer *writer, uint64_t stripe, const sc_found *found) {
    sc_clock_turn(writer->arena, value_memory(writer->arena, &found->view));
    sc_txn_open(&writer->inner, stripe);
    sc_table_remove(&writer->inner, stripe, found);
    sc_entry_free(&writer->inner, &found->view);
    sc_txn_add(&writer->inner, &writer->inner.counters->evicted, 1);
    sc_note_entry(&writer->inner, &found->view, SC_EVENT_EVICTED);
}

/* A table that eviction has left nearly empty gives its memory back, as far as a smaller one can be
 * had without evicting more. */
static void shrink_table(sc_writer *writer, uint64_t index) {
    const sc_stripe *stripe = &writer->arena->stripes[index];
    if (!sc_table_is_sparse(sc_load32(&stripe->buckets), sc_load32(&stripe->keys))) return;
    sc_txn_begin(&writer->inner);
    if (sc_txn_trylock(&writer->inner, index)) {
        sc_txn_open(&writer->inner, index);
        sc_table_shrink(&writer->inner, index);
    }
    sc_txn_commit(&writer->inner);
}

static bool is_hidden(const sc_arena *arena, const sc_view *view) {
    return (view->head.flags & SC_ENTRY_DB) == sc_physical_db(arena, SC_HIDDEN_DB);
}

/* False when the candidate is locked, hidden, gone, or was touched since it was sampled. */
static bool evict_candidate(sc_writer *writer, const sc_candidate *candidate, uint32_t policy) {
    sc_found found;
    bool random = policy == SC_ALLKEYS_RANDOM || policy == SC_VOLATILE_RANDOM;
    sc_txn_begin(&writer->inner);
    bool evicted = sc_txn_trylock(&writer->inner, candidate->stripe) &&
                   find_slot(writer->arena, candidate, &found) &&
                   !is_hidden(writer->arena, &found.view) &&
                   (random || slot_score(writer->arena, policy, found.word) >= candidate->score);
    if (evicted) {
        evict_found(writer, candidate->stripe, &found);
        sc_txn_commit(&writer->inner);
        shrink_table(writer, candidate->stripe);
    } else {
        sc_txn_abort(&writer->inner);
    }
    return evicted;
}

bool sc_evict_one(sc_writer *writer) {
    uint32_t policy = sc_load32(&writer->arena->header->policy);
    if (policy == SC_NOEVICTION || policy >= SC_POLICIES) return false;
    bool everywhere = false;
    for (int attempt = 0; attempt < SC_EVICT_ATTEMPTS; attempt++) {
        if (!sample(writer, policy) && !writer->pool_count) {
            if (everywhere || !sample_everywhere(writer, policy)) return false;
            everywhere = true;
        }
        if (!writer->pool_count) continue;
        sc_candidate best = writer->pool[--writer->pool_count];
        if (evict_candidate(writer, &best, policy)) return true;
    }
    return false;
}

/* ---- making room ------------------------------------------------------------------------------*/

static bool room_in_sight(sc_writer *writer, uint32_t size_class) {
    const sc_header *header = writer->arena->header;
    if (writer->slot->magazine[size_class].head) return true;
    uint64_t limit = sc_load64(&header->maxmemory);
    uint64_t bytes = writer->arena->classes.bytes[size_class];
    bool full = limit && sc_load64(&header->heap.used_bytes) + bytes > limit;
    if (full && !writer->frees) return false;
    return sc_load64(&header->heap.partial[size_class]) ||
           sc_load64(&header->heap.free_page_count) > sc_spare_pages(writer);
}

/* Expired entries are nobody's: they go first, under every policy; looked for once a millisecond.
 */
static bool sweep_dead(sc_writer *writer) {
    uint64_t now = sc_sys_coarse_ms();
    if (writer->swept_ms == now) return false;
    writer->swept_ms = now;
    return sc_sweep_dead(writer, UINT64_MAX) > 0;
}

/* A flushed database is being swept, by us or by others who still have its blocks in hand: memory
 * is on its way, and refusing a write right after FLUSHALL would surprise. */
static bool wait_for_sweep(sc_writer *writer, uint32_t *waits) {
    if (!sc_load64(&writer->arena->header->retired_dbs) || ++*waits > SC_SWEEP_WAITS) return false;
    if (!sc_sweep_dead(writer, UINT64_MAX)) sc_sys_sleep_us(SC_SWEEP_WAIT_US);
    return true;
}

/* What was deleted already goes before anything else does. */
static bool free_dead(sc_writer *writer) {
    bool some = false;
    for (int i = 0; i < SC_DEAD_SLICES && sc_dead_free(writer); i++)
        some = true;
    return some;
}

bool sc_make_room(sc_writer *writer, uint32_t size_class) {
    bool swept = false;
    uint32_t waits = 0;
    writer->stuck_count = 0;
    for (uint32_t evicted = 0; evicted < SC_ROOM_EVICTIONS; evicted++) {
        if (evicted % 16 == 0) sc_heap_flush_all(writer, writer->slot);
        if (room_in_sight(writer, size_class)) return true;
        if (free_dead(writer)) continue;
        if (sc_evacuate_sparse_page(writer)) continue;
        if (sc_evict_one(writer)) continue;
        if (wait_for_sweep(writer, &waits)) continue;
        if (swept || !sweep_dead(writer)) {
            sc_heap_flush_all(writer, writer->slot);
            return room_in_sight(writer, size_class) ||
                   (sc_evacuate_sparse_page(writer) && room_in_sight(writer, size_class));
        }
        swept = true;
    }
    return false;
}

uint64_t sc_take(sc_txn *txn, uint32_t size_class) {
    if (size_class >= SC_MAX_CLASSES) return 0;
    /* Making room is itself work of the inner log: what runs there takes what there is. */
    if (txn == &txn->writer->inner) return sc_heap_take(txn, size_class);
    for (;;) {
        uint64_t block = sc_heap_take(txn, size_class);
        if (SC_LIKELY(block) || !sc_make_room(txn->writer, size_class)) return block;
    }
}

uint64_t sc_take_chunk(sc_txn *txn, uint32_t size_class, sc_log_entry *chain, uint64_t length,
                       uint64_t owner_hash) {
    for (;;) {
        uint64_t block = sc_heap_take_chunk(txn, size_class, chain, length, owner_hash);
        if (SC_LIKELY(block) || !sc_make_room(txn->writer, size_class)) return block;
    }
}
