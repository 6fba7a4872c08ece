/* Sizes: every length around every block and chunk boundary, limits, full arenas, memory coming
 * back. */
#include <stdlib.h>

#include "unit.h"

static void round_trip(bench *b, const sc_key *key, char *value, size_t length) {
    fill_bytes(value, length, length);
    int status = set_bytes(b->arena, key, value, length);
    CHECK(status == SC_OK, "%zu bytes: %s", length, sc_status_text(status));
    CHECK_STATUS(sc_get(b->arena, key, &b->got.sink), SC_OK);
    CHECK(buffer_is(&b->got, value, length), "%zu bytes", length);
    sc_info info;
    CHECK_STATUS(sc_describe(b->arena, key, &info, false), SC_OK);
    CHECK(info.value_bytes == length && info.memory >= length + key->length);
}

static void every_length(void) {
    bench b = bench_open(UINT64_C(2) << 20);
    enum { LIMIT = 50000 };
    char *value = malloc(LIMIT);
    sc_key key = key_of(0, "k");
    for (size_t length = 0; length < LIMIT; length += length < 9000 ? 1 : 7)
        round_trip(&b, &key, value, length);
    free(value);
    bench_close(&b);
}

/* The same in an arena with large pages, where the key's length moves the boundaries too. */
static void lengths_in_large_pages(void) {
    bench b = bench_open(UINT64_C(20) << 20);
    enum { LIMIT = 80000 };
    char *value = malloc(LIMIT), name[300];
    memset(name, 'n', sizeof(name));
    for (uint32_t key_length = 1; key_length < 300; key_length += 57) {
        sc_key key = {.bytes = name, .length = key_length, .db = 1};
        for (size_t length = key_length; length < LIMIT; length += 61)
            round_trip(&b, &key, value, length);
    }
    free(value);
    bench_close(&b);
}

static void many_megabytes(void) {
    bench b = bench_open(UINT64_C(24) << 20);
    enum { LIMIT = 12 << 20 };
    char *value = malloc(LIMIT);
    sc_key key = key_of(0, "k");
    for (size_t length = 1 << 16; length <= LIMIT; length = length * 5 / 2 + 1)
        round_trip(&b, &key, value, length);
    fill_bytes(value, LIMIT, 2);
    CHECK_STATUS(set_bytes(b.arena, &key, value, LIMIT), SC_OK);
    rng chance = {.state = 4};
    for (int i = 0; i < 2000; i++) {
        uint64_t start = rng_below(&chance, LIMIT), length = 1 + rng_below(&chance, 5000);
        if (start + length > LIMIT) length = LIMIT - start;
        CHECK_STATUS(
            sc_get_range(b.arena, &key, (int64_t)start, (int64_t)(start + length - 1), &b.got.sink),
            SC_OK);
        CHECK(buffer_is(&b.got, value + start, length));
    }
    free(value);
    bench_close(&b);
}

static void longest_key(void) {
    bench b = bench_open(0);
    uint32_t most = sc_max_key_bytes(b.arena);
    CHECK(most >= 1024, "%u", most);
    sc_statistics statistics;
    CHECK_STATUS(sc_get_statistics(b.arena, &statistics), SC_OK);
    CHECK(statistics.max_key_bytes == most);
    char *name = malloc(most + 1), value[6000];
    memset(name, 'k', most + 1);
    for (uint32_t length = most - 70; length <= most; length++) {
        sc_key key = {.bytes = name, .length = length, .db = 2};
        for (size_t bytes = 0; bytes < sizeof(value); bytes += 1 + bytes / 3) {
            round_trip(&b, &key, value, bytes);
            CHECK_STATUS(sc_expire(b.arena, &key, now_ms() + 3600000, 0), SC_OK);
            CHECK_STATUS(sc_get(b.arena, &key, &b.got.sink), SC_OK);
            CHECK(buffer_is(&b.got, value, bytes));
        }
        CHECK_STATUS(sc_delete(b.arena, &key), SC_OK);
    }
    free(name);
    bench_close(&b);
}

static void too_long_a_key(void) {
    bench b = bench_open(0);
    uint32_t most = sc_max_key_bytes(b.arena);
    char *name = calloc(1, 70000);
    const uint32_t lengths[] = {most + 1, most + 2, 65535, 65536, 65537, 70000};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        sc_key key = {.bytes = name, .length = lengths[i], .db = 0}, short_key = key_of(0, "k");
        sc_key pair[] = {short_key, key};
        int64_t number;
        uint64_t length;
        sc_tx *tx;
        sc_info info;
        CHECK_STATUS(set_bytes(b.arena, &key, "v", 1), SC_KEY_TOO_LONG);
        CHECK_STATUS(sc_incr(b.arena, &key, 1, &number), SC_KEY_TOO_LONG);
        CHECK_STATUS(sc_append(b.arena, &key, "v", 1, &length), SC_KEY_TOO_LONG);
        /* Nothing can be stored under it, so to those that only look it is just not there. */
        int reads[] = {sc_get(b.arena, &key, &b.got.sink),
                       sc_delete(b.arena, &key),
                       sc_describe(b.arena, &key, &info, false),
                       sc_expire(b.arena, &key, 1, 0),
                       sc_get_delete(b.arena, &key, &b.got.sink),
                       sc_get_range(b.arena, &key, 0, -1, &b.got.sink)};
        for (size_t r = 0; r < sizeof(reads) / sizeof(reads[0]); r++)
            CHECK(reads[r] == SC_KEY_TOO_LONG || reads[r] == SC_MISS, "%zu %d", r, reads[r]);
        int begun = sc_tx_begin(b.arena, pair, 2, &tx);
        if (begun == SC_OK) {
            sc_set_args args = {.value = "v", .value_bytes = 1};
            CHECK_STATUS(sc_tx_set(tx, &key, &args), SC_KEY_TOO_LONG);
            CHECK_STATUS(sc_tx_copy(tx, &short_key, &key, true), SC_MISS);
            sc_tx_abort(tx);
        } else {
            CHECK_STATUS(begun, SC_KEY_TOO_LONG);
        }
    }
    CHECK(sc_db_keys(b.arena, 0) == 0);
    free(name);
    bench_close(&b);
}

static void too_long_a_value(void) {
    bench b = bench_open(0);
    set_policy(b.arena, SC_ALLKEYS_LRU);
    sc_key key = key_of(0, "k");
    CHECK_STATUS(set_text(b.arena, 0, "k", "v"), SC_OK);
    uint64_t size = b.files.data_bytes, length;
    char *value = calloc(1, size);
    CHECK_STATUS(set_bytes(b.arena, &key, value, size), SC_VALUE_TOO_LONG);
    CHECK_STATUS(set_bytes(b.arena, &key, value, (UINT64_C(512) << 20) + 1), SC_VALUE_TOO_LONG);
    CHECK_STATUS(sc_append(b.arena, &key, value, size, &length), SC_VALUE_TOO_LONG);
    check_text(b.arena, 0, "k", "v"); /* and nothing was evicted for it */
    free(value);
    bench_close(&b);
}

/* Fill up under noeviction with one size; every key acknowledged must be there with its value. */
static unsigned fill_up(bench *b, const char *prefix, size_t bytes) {
    char *value = malloc(bytes + 1), name[32];
    unsigned count = 0;
    for (;; count++) {
        snprintf(name, sizeof(name), "%s%u", prefix, count);
        sc_key key = key_of(0, name);
        fill_bytes(value, bytes, count);
        int status = set_bytes(b->arena, &key, value, bytes);
        if (status == SC_NO_MEMORY) break;
        CHECK_STATUS(status, SC_OK);
    }
    for (unsigned i = 0; i <= count; i++) {
        snprintf(name, sizeof(name), "%s%u", prefix, i);
        sc_key key = key_of(0, name);
        CHECK_STATUS(sc_get(b->arena, &key, &b->got.sink), i < count ? SC_OK : SC_MISS);
        fill_bytes(value, bytes, i);
        CHECK(i == count || buffer_is(&b->got, value, bytes));
    }
    free(value);
    return count;
}

static void drop_all(bench *b, const char *prefix, unsigned count) {
    char name[32];
    for (unsigned i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "%s%u", prefix, i);
        sc_key key = key_of(0, name);
        CHECK_STATUS(sc_delete(b->arena, &key), SC_OK);
    }
}

static void full_is_an_error_and_not_the_end(void) {
    bench b = bench_open(0);
    const size_t sizes[] = {10, 100, 1000, 3000, 5000, 20000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        unsigned count = fill_up(&b, "k", sizes[i]);
        check_valid(b.arena);
        sc_statistics statistics;
        CHECK_STATUS(sc_get_statistics(b.arena, &statistics), SC_OK);
        CHECK(statistics.used_bytes <= statistics.heap_bytes);
        CHECK(count * sizes[i] > 0 && statistics.evicted == 0);
        sc_key first = key_of(0, "k0");
        int64_t number;
        CHECK_STATUS(sc_incr(b.arena, &first, 1, &number), SC_NOT_INTEGER);
        drop_all(&b, "k", count);
        CHECK(sc_db_keys(b.arena, 0) == 0);
    }
    bench_close(&b);
}

/* No memory stays behind in a size class: after all was deleted any other size finds the same room
 * again, round after round. */
static void memory_moves_between_sizes(void) {
    bench b = bench_open(UINT64_C(2) << 20);
    const size_t sizes[] = {30, 9000, 400, 100000, 2500, 120};
    enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };
    unsigned first[SIZES];
    for (unsigned round = 0; round < 3; round++) {
        for (size_t i = 0; i < SIZES; i++) {
            unsigned count = fill_up(&b, "k", sizes[i]);
            if (round == 0) first[i] = count;
            CHECK((double)count >= 0.95 * first[i] - 1, "round %u: %u of %zu bytes, first %u",
                  round, count, sizes[i], first[i]);
            drop_all(&b, "k", count);
        }
    }
    bench_close(&b);
}

static void large_values_fill_it(void) {
    bench b = bench_open(UINT64_C(4) << 20);
    sc_statistics statistics;
    CHECK_STATUS(sc_get_statistics(b.arena, &statistics), SC_OK);
    unsigned count = fill_up(&b, "k", 30000);
    double share = (double)count * 30000 / (double)statistics.heap_bytes;
    CHECK(share > 0.9, "%u values, %.3f of the heap", count, share);
    bench_close(&b);
}

static void maxmemory_is_kept(void) {
    bench b = bench_open(UINT64_C(2) << 20);
    sc_tuning tuning;
    sc_statistics statistics;
    sc_get_tuning(b.arena, &tuning);
    tuning.maxmemory = 500000;
    CHECK_STATUS(sc_set_tuning(b.arena, &tuning), SC_OK);
    unsigned count = fill_up(&b, "k", 1000);
    CHECK(count > 200 && count < 500, "%u", count);
    CHECK_STATUS(sc_get_statistics(b.arena, &statistics), SC_OK);
    CHECK(statistics.used_bytes <= 510000, "%llu", (unsigned long long)statistics.used_bytes);
    tuning.maxmemory = 0;
    CHECK_STATUS(sc_set_tuning(b.arena, &tuning), SC_OK);
    CHECK(fill_up(&b, "k", 1000) > count);
    bench_close(&b);
}

static void full_overwrite_and_append(void) {
    bench b = bench_open(0);
    unsigned count = fill_up(&b, "k", 2000);
    char value[4000];
    fill_bytes(value, sizeof(value), 77);
    sc_key key = key_of(0, "k0"), other = key_of(0, "k1");
    /* What fails leaves the old value; and a smaller one may go in place of a larger. */
    int status = set_bytes(b.arena, &key, value, sizeof(value));
    CHECK_STATUS(sc_get(b.arena, &key, &b.got.sink), SC_OK);
    if (status == SC_NO_MEMORY) {
        fill_bytes(value, 2000, 0);
        CHECK(buffer_is(&b.got, value, 2000));
    } else {
        CHECK_STATUS(status, SC_OK);
        CHECK(buffer_is(&b.got, value, sizeof(value)));
    }
    uint64_t length = 2000, told;
    while ((status = sc_append(b.arena, &other, value, 1000, &told)) == SC_OK)
        length = told;
    CHECK_STATUS(status, SC_NO_MEMORY);
    CHECK_STATUS(sc_get(b.arena, &other, &b.got.sink), SC_OK);
    CHECK(b.got.length == length);
    for (unsigned i = 2; i < count; i++) {
        char name[32];
        snprintf(name, sizeof(name), "k%u", i);
        sc_key that = key_of(0, name);
        CHECK_STATUS(sc_get(b.arena, &that, &b.got.sink), SC_OK);
        fill_bytes(value, 2000, i);
        CHECK(buffer_is(&b.got, value, 2000));
    }
    bench_close(&b);
}

const unit unit_memory[] = {
    {"memory/every_length", every_length},
    {"memory/lengths_in_large_pages", lengths_in_large_pages},
    {"memory/many_megabytes", many_megabytes},
    {"memory/longest_key", longest_key},
    {"memory/too_long_a_key", too_long_a_key},
    {"memory/too_long_a_value", too_long_a_value},
    {"memory/full_is_an_error_and_not_the_end", full_is_an_error_and_not_the_end},
    {"memory/memory_moves_between_sizes", memory_moves_between_sizes},
    {"memory/large_values_fill_it", large_values_fill_it},
    {"memory/maxmemory_is_kept", maxmemory_is_kept},
    {"memory/full_overwrite_and_append", full_overwrite_and_append},
    {NULL, NULL},
};
