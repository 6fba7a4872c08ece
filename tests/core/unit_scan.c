/* Iteration: complete, exactly once, whatever grows, shrinks or moves meanwhile; random keys. */
#include <stdlib.h>

#include "unit.h"

enum { KEYS = 3000 };

/* How often each numbered key "k<i>" was emitted. */
typedef struct seen {
    unsigned times[2 * KEYS];
    unsigned others;
} seen;

static bool mark_seen(void *context, const char *key, uint32_t length) {
    seen *all = context;
    char text[16] = "";
    CHECK(length < sizeof(text));
    memcpy(text, key, length);
    unsigned long number = text[0] == 'k' ? strtoul(text + 1, NULL, 10) : 2 * KEYS;
    if (number < 2 * KEYS)
        all->times[number]++;
    else
        all->others++;
    return true;
}

static void put_number(sc_arena *arena, uint32_t db, unsigned number) {
    char name[16], value[16];
    snprintf(name, sizeof(name), "k%u", number);
    snprintf(value, sizeof(value), "v%u", number);
    CHECK_STATUS(set_text(arena, db, name, value), SC_OK);
}

static void drop_number(sc_arena *arena, uint32_t db, unsigned number) {
    char name[16];
    snprintf(name, sizeof(name), "k%u", number);
    sc_key key = key_of(db, name);
    CHECK_STATUS(sc_delete(arena, &key), SC_OK);
}

static void whole_and_once(void) {
    bench b = bench_open(UINT64_C(4) << 20);
    for (unsigned i = 0; i < KEYS; i++)
        put_number(b.arena, i % 2, i);
    const uint64_t counts[] = {1, 7, 100, 100000};
    for (size_t c = 0; c < 4; c++) {
        for (uint32_t db = 0; db < 3; db++) {
            seen all = {.others = 0};
            uint64_t cursor = 0, calls = 0;
            do {
                CHECK_STATUS(sc_scan(b.arena, db, &cursor, counts[c], mark_seen, &all), SC_OK);
                CHECK(++calls < 1000000);
            } while (cursor != 0);
            for (unsigned i = 0; i < KEYS; i++)
                CHECK(all.times[i] == (db < 2 && i % 2 == db), "key %u: %u", i, all.times[i]);
            CHECK(all.others == 0);
        }
    }
    bench_close(&b);
}

/* Between two calls of the scan the arena grows (or shrinks) by some keys; those that are there
 * from the first call to the last must come exactly once. */
static void once_while_changing(bool growing) {
    bench b = bench_open(UINT64_C(4) << 20);
    unsigned stay = 200, moving = growing ? stay : 2 * KEYS;
    for (unsigned i = 0; i < moving; i++)
        put_number(b.arena, 0, i);
    seen all = {.others = 0};
    uint64_t cursor = 0;
    do {
        CHECK_STATUS(sc_scan(b.arena, 0, &cursor, 10, mark_seen, &all), SC_OK);
        for (unsigned i = 0; i < 100; i++) {
            if (growing && moving < 2 * KEYS) put_number(b.arena, 0, moving++);
            if (!growing && moving > stay) drop_number(b.arena, 0, --moving);
        }
    } while (cursor != 0);
    CHECK(growing ? moving > 1000 : moving < 2 * KEYS, "the scan was over too soon: %u", moving);
    for (unsigned i = 0; i < 2 * KEYS; i++)
        CHECK(i < stay ? all.times[i] == 1 : all.times[i] <= 1, "key %u: %u", i, all.times[i]);
    bench_close(&b);
}

static void once_while_growing(void) {
    once_while_changing(true);
}

static void once_while_shrinking(void) {
    once_while_changing(false);
}

/* Overwriting moves entries to other blocks; it must not make them come again. */
static void once_while_overwriting(void) {
    bench b = bench_open(UINT64_C(4) << 20);
    for (unsigned i = 0; i < KEYS; i++)
        put_number(b.arena, 0, i);
    seen all = {.others = 0};
    uint64_t cursor = 0;
    rng chance = {.state = 3};
    do {
        CHECK_STATUS(sc_scan(b.arena, 0, &cursor, 20, mark_seen, &all), SC_OK);
        for (unsigned i = 0; i < 50; i++)
            put_number(b.arena, 0, (unsigned)rng_below(&chance, KEYS));
    } while (cursor != 0);
    for (unsigned i = 0; i < KEYS; i++)
        CHECK(all.times[i] == 1, "key %u: %u", i, all.times[i]);
    bench_close(&b);
}

static bool stop_at_once(void *context, const char *key, uint32_t length) {
    (void)context, (void)key, (void)length;
    return false;
}

static void emit_may_stop(void) {
    bench b = bench_open(0);
    uint64_t cursor = 0;
    CHECK_STATUS(sc_scan(b.arena, 0, &cursor, 10, stop_at_once, NULL), SC_OK); /* nothing there */
    put_number(b.arena, 0, 1);
    cursor = 0;
    CHECK_STATUS(sc_scan(b.arena, 0, &cursor, 1000000, stop_at_once, NULL), SC_NO_MEMORY);
    bench_close(&b);
}

static void any_cursor_is_safe(void) {
    bench b = bench_open(0);
    for (unsigned i = 0; i < 100; i++)
        put_number(b.arena, 0, i);
    rng chance = {.state = 1};
    for (int i = 0; i < 5000; i++) {
        uint64_t cursor = rng_next(&chance) >> rng_below(&chance, 64);
        seen all = {.others = 0};
        CHECK_STATUS(sc_scan(b.arena, 0, &cursor, 10, mark_seen, &all), SC_OK);
    }
    uint64_t cursor = UINT64_MAX;
    seen all = {.others = 0};
    CHECK_STATUS(sc_scan(b.arena, 0, &cursor, 10, mark_seen, &all), SC_OK);
    bench_close(&b);
}

static void random_keys(void) {
    bench b = bench_open(0);
    CHECK_STATUS(sc_random_key(b.arena, 0, &b.got.sink), SC_MISS);
    put_number(b.arena, 3, 0);
    CHECK_STATUS(sc_random_key(b.arena, 0, &b.got.sink), SC_MISS);
    CHECK_STATUS(sc_random_key(b.arena, 3, &b.got.sink), SC_OK);
    CHECK(buffer_is(&b.got, "k0", 2));
    for (unsigned i = 1; i < 50; i++)
        put_number(b.arena, 3, i);
    seen all = {.others = 0};
    for (unsigned i = 0; i < 5000; i++) {
        CHECK_STATUS(sc_random_key(b.arena, 3, &b.got.sink), SC_OK);
        mark_seen(&all, b.got.bytes, (uint32_t)b.got.length);
    }
    for (unsigned i = 0; i < 50; i++) /* that one never comes has a chance of 1e-40 when even */
        CHECK(all.times[i] > 0, "key %u", i);
    CHECK(all.others == 0);
    bench_close(&b);
}

const unit unit_scan[] = {
    {"scan/whole_and_once", whole_and_once},
    {"scan/once_while_growing", once_while_growing},
    {"scan/once_while_shrinking", once_while_shrinking},
    {"scan/once_while_overwriting", once_while_overwriting},
    {"scan/emit_may_stop", emit_may_stop},
    {"scan/any_cursor_is_safe", any_cursor_is_safe},
    {"scan/random_keys", random_keys},
    {NULL, NULL},
};
