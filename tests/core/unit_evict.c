/* Eviction: each of the eight policies does what its name says; the reserve is kept. */
#include <stdlib.h>

#include "unit.h"

enum { VALUE_BYTES = 400, HOT = 40 };

static int put(sc_arena *arena, const char *prefix, unsigned number, uint64_t expire_ms) {
    char name[32], value[VALUE_BYTES];
    snprintf(name, sizeof(name), "%s%u", prefix, number);
    fill_bytes(value, sizeof(value), number);
    sc_key key = key_of(0, name);
    sc_set_args args = {.value = value, .value_bytes = sizeof(value), .expire_ms = expire_ms};
    return sc_set(arena, &key, &args);
}

/* Is it there (and right)? A read leaves its mark, as for everybody. */
static bool is_there(bench *b, const char *prefix, unsigned number) {
    char name[32], value[VALUE_BYTES];
    snprintf(name, sizeof(name), "%s%u", prefix, number);
    fill_bytes(value, sizeof(value), number);
    sc_key key = key_of(0, name);
    int status = sc_get(b->arena, &key, &b->got.sink);
    if (status == SC_MISS) return false;
    CHECK_STATUS(status, SC_OK);
    CHECK(buffer_is(&b->got, value, sizeof(value)));
    return true;
}

static unsigned count_there(bench *b, const char *prefix, unsigned count) {
    unsigned there = 0;
    for (unsigned i = 0; i < count; i++)
        there += is_there(b, prefix, i);
    return there;
}

static uint64_t evicted(sc_arena *arena) {
    sc_statistics statistics;
    CHECK_STATUS(sc_get_statistics(arena, &statistics), SC_OK);
    return statistics.evicted;
}

/* Keys hot0.. are read all the while a stream of others, ten times what fits, passes by. */
static unsigned hot_survivors(uint32_t policy, bool touching) {
    bench b = bench_open(0);
    set_policy(b.arena, policy);
    uint64_t later = now_ms() + 3600000;
    for (unsigned i = 0; i < HOT; i++)
        CHECK_STATUS(put(b.arena, "hot", i, later), SC_OK);
    for (int warm = 0; warm < 50; warm++)
        count_there(&b, "hot", touching ? HOT : 0);
    unsigned stream = (unsigned)(10 * b.files.data_bytes / VALUE_BYTES);
    for (unsigned i = 0; i < stream; i++) {
        CHECK_STATUS(put(b.arena, "cold", i, later), SC_OK);
        if (touching && i % 2) is_there(&b, "hot", i / 2 % HOT);
    }
    CHECK(evicted(b.arena) > stream / 2);
    unsigned survivors = count_there(&b, "hot", HOT);
    bench_close(&b);
    return survivors;
}

static void expect_survivors(uint32_t policy, bool touching, unsigned least, unsigned most) {
    unsigned survivors = hot_survivors(policy, touching);
    CHECK(survivors >= least && survivors <= most, "policy %u, %stouched: %u of %u remain", policy,
          touching ? "" : "un", survivors, HOT);
}

static void recently_used_stay(void) {
    expect_survivors(SC_ALLKEYS_LRU, true, HOT * 9 / 10, HOT);
    expect_survivors(SC_VOLATILE_LRU, true, HOT * 9 / 10, HOT);
    expect_survivors(SC_ALLKEYS_LRU, false, 0, HOT / 10);
    expect_survivors(SC_VOLATILE_LRU, false, 0, HOT / 10);
}

static void frequently_used_stay(void) {
    expect_survivors(SC_ALLKEYS_LFU, true, HOT * 9 / 10, HOT);
    expect_survivors(SC_VOLATILE_LFU, true, HOT * 9 / 10, HOT);
}

static void random_does_not_care(void) {
    /* e^-10 of them remain when chance alone decides. */
    expect_survivors(SC_ALLKEYS_RANDOM, true, 0, HOT / 2);
    expect_survivors(SC_VOLATILE_RANDOM, true, 0, HOT / 2);
}

static void noeviction_refuses(void) {
    bench b = bench_open(0);
    set_policy(b.arena, SC_NOEVICTION);
    unsigned count = 0;
    while (put(b.arena, "k", count, now_ms() + 3600000) == SC_OK)
        count++;
    CHECK(count > 100);
    CHECK_STATUS(put(b.arena, "k", count, 0), SC_NO_MEMORY);
    CHECK(count_there(&b, "k", count) == count && evicted(b.arena) == 0);
    bench_close(&b);
}

/* Keys without a TTL are never evicted by a volatile policy, and when only they are left it is
 * full. */
static void volatile_spares_the_rest(void) {
    const uint32_t policies[] = {SC_VOLATILE_LRU, SC_VOLATILE_LFU, SC_VOLATILE_RANDOM,
                                 SC_VOLATILE_TTL};
    for (size_t p = 0; p < 4; p++) {
        bench b = bench_open(0);
        set_policy(b.arena, policies[p]);
        uint64_t later = now_ms() + 3600000;
        unsigned half = (unsigned)(b.files.data_bytes / VALUE_BYTES / 8);
        for (unsigned i = 0; i < half; i++)
            CHECK_STATUS(put(b.arena, "stay", i, 0), SC_OK);
        for (unsigned i = 0; i < 20 * half; i++)
            CHECK_STATUS(put(b.arena, "go", i, later), SC_OK);
        CHECK(evicted(b.arena) > half);
        CHECK(count_there(&b, "stay", half) == half);
        unsigned more = half;
        while (put(b.arena, "stay", more, 0) == SC_OK)
            more++;
        CHECK(count_there(&b, "stay", more) == more);
        CHECK(count_there(&b, "go", 20 * half) == 0, "policy %u", policies[p]);
        bench_close(&b);
    }
}

/* volatile-ttl takes those first that have the least time left. */
static void nearest_death_goes_first(void) {
    bench b = bench_open(0);
    set_policy(b.arena, SC_VOLATILE_TTL);
    uint64_t later = now_ms() + 3600000;
    unsigned stream = (unsigned)(6 * b.files.data_bytes / VALUE_BYTES);
    for (unsigned i = 0; i < HOT; i++)
        CHECK_STATUS(put(b.arena, "late", i, later * 2), SC_OK);
    for (unsigned i = 0; i < stream; i++)
        CHECK_STATUS(put(b.arena, "soon", i, later + i), SC_OK);
    CHECK(evicted(b.arena) > stream / 2);
    CHECK(count_there(&b, "late", HOT) >= HOT * 9 / 10);
    bench_close(&b);
}

/* Expired entries go before any living one has to. */
static void counters_tell(void) {
    bench b = bench_open(0);
    set_policy(b.arena, SC_ALLKEYS_RANDOM);
    unsigned stream = (unsigned)(4 * b.files.data_bytes / VALUE_BYTES);
    for (unsigned i = 0; i < stream; i++)
        CHECK_STATUS(put(b.arena, "k", i, 0), SC_OK);
    CHECK(evicted(b.arena) + sc_db_keys(b.arena, 0) == stream);
    CHECK(count_there(&b, "k", stream) == sc_db_keys(b.arena, 0));
    CHECK_STATUS(sc_reset_statistics(b.arena), SC_OK);
    CHECK(evicted(b.arena) == 0);
    bench_close(&b);
}

static void the_reserve_is_kept_free(void) {
    bench b = bench_open(UINT64_C(4) << 20);
    sc_tuning tuning;
    sc_get_tuning(b.arena, &tuning);
    tuning.policy = SC_ALLKEYS_LRU;
    tuning.reserve_permille = 50;
    CHECK_STATUS(sc_set_tuning(b.arena, &tuning), SC_OK);
    unsigned stream = (unsigned)(2 * b.files.data_bytes / VALUE_BYTES);
    for (unsigned i = 0; i < stream; i++)
        CHECK_STATUS(put(b.arena, "k", i, 0), SC_OK);
    sc_statistics statistics;
    for (int round = 0; round < 50; round++)
        CHECK_STATUS(sc_reserve_cycle(b.arena, 100000), SC_OK);
    CHECK_STATUS(sc_get_statistics(b.arena, &statistics), SC_OK);
    CHECK(statistics.free_pages * 1000 >= statistics.pages * 45, "%llu of %llu",
          (unsigned long long)statistics.free_pages, (unsigned long long)statistics.pages);
    count_there(&b, "k", stream);
    bench_close(&b);
}

/* After the mix of sizes has changed altogether, live data still fill the arena. */
static void no_calcification(void) {
    bench b = bench_open(UINT64_C(4) << 20);
    set_policy(b.arena, SC_ALLKEYS_LRU);
    char *value = calloc(1, 100000);
    const size_t sizes[] = {60, 5000, 300, 60000, 1200};
    sc_statistics statistics;
    CHECK_STATUS(sc_get_statistics(b.arena, &statistics), SC_OK);
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        unsigned stream = (unsigned)(3 * statistics.heap_bytes / (sizes[s] + 40));
        for (unsigned i = 0; i < stream; i++) {
            char name[32];
            snprintf(name, sizeof(name), "%zu:%u", s, i);
            sc_key key = key_of(0, name);
            int status = set_bytes(b.arena, &key, value, sizes[s]);
            CHECK(status == SC_OK, "%zu bytes, the %uth: %s", sizes[s], i, sc_status_text(status));
        }
        CHECK_STATUS(sc_get_statistics(b.arena, &statistics), SC_OK);
        double share = (double)statistics.used_bytes / (double)statistics.heap_bytes;
        CHECK(share > 0.85, "values of %zu bytes use %.3f", sizes[s], share);
    }
    free(value);
    bench_close(&b);
}

const unit unit_evict[] = {
    {"evict/recently_used_stay", recently_used_stay},
    {"evict/frequently_used_stay", frequently_used_stay},
    {"evict/random_does_not_care", random_does_not_care},
    {"evict/noeviction_refuses", noeviction_refuses},
    {"evict/volatile_spares_the_rest", volatile_spares_the_rest},
    {"evict/nearest_death_goes_first", nearest_death_goes_first},
    {"evict/counters_tell", counters_tell},
    {"evict/the_reserve_is_kept_free", the_reserve_is_kept_free},
    {"evict/no_calcification", no_calcification},
    {NULL, NULL},
};
