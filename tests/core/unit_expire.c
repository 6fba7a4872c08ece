/* Time to live: who sets it, who keeps it, when a key is gone, who reclaims it. */
#include "unit.h"

#define HOUR_MS UINT64_C(3600000)

static uint64_t expiry_of(sc_arena *arena, const char *name) {
    sc_key key = key_of(0, name);
    sc_info info;
    CHECK_STATUS(sc_describe(arena, &key, &info, false), SC_OK);
    return info.expire_ms;
}

static int set_until(sc_arena *arena, const char *name, const char *value, uint64_t expire_ms,
                     uint32_t flags) {
    sc_key key = key_of(0, name);
    sc_set_args args = {
        .value = value, .value_bytes = strlen(value), .expire_ms = expire_ms, .flags = flags};
    return sc_set(arena, &key, &args);
}

static int expire_at(sc_arena *arena, const char *name, uint64_t expire_ms, uint32_t flags) {
    sc_key key = key_of(0, name);
    return sc_expire(arena, &key, expire_ms, flags);
}

static void set_and_keep(void) {
    bench b = bench_open(0);
    uint64_t later = now_ms() + HOUR_MS;
    CHECK_STATUS(set_until(b.arena, "k", "v", later, 0), SC_OK);
    CHECK(expiry_of(b.arena, "k") == later);
    CHECK(sc_db_expires(b.arena, 0) == 1);
    CHECK_STATUS(set_until(b.arena, "k", "w, longer", 0, SC_SET_KEEP_TTL), SC_OK);
    CHECK(expiry_of(b.arena, "k") == later);
    check_text(b.arena, 0, "k", "w, longer");
    CHECK_STATUS(set_until(b.arena, "k", "8", 0, SC_SET_KEEP_TTL), SC_OK);
    CHECK(expiry_of(b.arena, "k") == later);
    check_text(b.arena, 0, "k", "8");
    CHECK_STATUS(set_until(b.arena, "k", "v", 0, 0), SC_OK);
    CHECK(expiry_of(b.arena, "k") == 0);
    CHECK(sc_db_expires(b.arena, 0) == 0);
    CHECK_STATUS(set_until(b.arena, "new", "v", 0, SC_SET_KEEP_TTL), SC_OK);
    CHECK(expiry_of(b.arena, "new") == 0);
    CHECK_STATUS(set_until(b.arena, "k", "v", later, SC_SET_KEEP_TTL), SC_SYNTAX);
    bench_close(&b);
}

static void others_keep_it(void) {
    bench b = bench_open(0);
    uint64_t later = now_ms() + HOUR_MS, length;
    int64_t number;
    sc_key key = key_of(0, "k");
    CHECK_STATUS(set_until(b.arena, "k", "5", later, 0), SC_OK);
    CHECK_STATUS(sc_incr(b.arena, &key, 1, &number), SC_OK);
    CHECK(expiry_of(b.arena, "k") == later);
    check_text(b.arena, 0, "k", "6");
    CHECK_STATUS(sc_append(b.arena, &key, "abc", 3, &length), SC_OK);
    CHECK(expiry_of(b.arena, "k") == later);
    check_text(b.arena, 0, "k", "6abc");
    bench_close(&b);
}

static void expire_and_persist(void) {
    bench b = bench_open(0);
    uint64_t later = now_ms() + HOUR_MS;
    CHECK_STATUS(expire_at(b.arena, "k", later, 0), SC_MISS);
    CHECK_STATUS(expire_at(b.arena, "k", 0, 0), SC_MISS);
    const char *const values[] = {"v", "12", "", "a value of some length, in one block"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        CHECK_STATUS(set_text(b.arena, 0, "k", values[i]), SC_OK);
        CHECK_STATUS(expire_at(b.arena, "k", 0, 0), SC_UNCHANGED);
        CHECK_STATUS(expire_at(b.arena, "k", later, 0), SC_OK);
        CHECK(expiry_of(b.arena, "k") == later);
        check_text(b.arena, 0, "k", values[i]);
        CHECK_STATUS(expire_at(b.arena, "k", later + 5, 0), SC_OK);
        CHECK(expiry_of(b.arena, "k") == later + 5 && sc_db_expires(b.arena, 0) == 1);
        CHECK_STATUS(expire_at(b.arena, "k", 0, 0), SC_OK);
        CHECK(expiry_of(b.arena, "k") == 0 && sc_db_expires(b.arena, 0) == 0);
        check_text(b.arena, 0, "k", values[i]);
    }
    bench_close(&b);
}

static void expire_conditions(void) {
    bench b = bench_open(0);
    uint64_t later = now_ms() + HOUR_MS;
    CHECK_STATUS(set_text(b.arena, 0, "k", "v"), SC_OK);
    CHECK_STATUS(expire_at(b.arena, "k", later, SC_EXPIRE_XX), SC_UNCHANGED);
    CHECK_STATUS(expire_at(b.arena, "k", later, SC_EXPIRE_GT), SC_UNCHANGED); /* never is later */
    CHECK_STATUS(expire_at(b.arena, "k", later, SC_EXPIRE_NX), SC_OK);
    CHECK_STATUS(expire_at(b.arena, "k", later + 9, SC_EXPIRE_NX), SC_UNCHANGED);
    CHECK_STATUS(expire_at(b.arena, "k", later, SC_EXPIRE_GT), SC_UNCHANGED);
    CHECK_STATUS(expire_at(b.arena, "k", later, SC_EXPIRE_LT), SC_UNCHANGED);
    CHECK_STATUS(expire_at(b.arena, "k", later + 1, SC_EXPIRE_LT), SC_UNCHANGED);
    CHECK_STATUS(expire_at(b.arena, "k", later - 1, SC_EXPIRE_GT), SC_UNCHANGED);
    CHECK(expiry_of(b.arena, "k") == later);
    CHECK_STATUS(expire_at(b.arena, "k", later + 1, SC_EXPIRE_GT | SC_EXPIRE_XX), SC_OK);
    CHECK_STATUS(expire_at(b.arena, "k", later - 1, SC_EXPIRE_LT), SC_OK);
    CHECK_STATUS(expire_at(b.arena, "k", later, SC_EXPIRE_XX), SC_OK);
    CHECK(expiry_of(b.arena, "k") == later);
    CHECK_STATUS(expire_at(b.arena, "k", 0, 0), SC_OK);
    CHECK_STATUS(expire_at(b.arena, "k", later, SC_EXPIRE_LT), SC_OK);
    CHECK(expiry_of(b.arena, "k") == later);
    bench_close(&b);
}

static void the_past_deletes(void) {
    bench b = bench_open(0);
    CHECK_STATUS(set_text(b.arena, 0, "k", "v"), SC_OK);
    CHECK_STATUS(expire_at(b.arena, "k", 1, SC_EXPIRE_GT), SC_UNCHANGED);
    check_text(b.arena, 0, "k", "v");
    CHECK_STATUS(expire_at(b.arena, "k", 1, 0), SC_OK);
    check_missing(b.arena, 0, "k");
    CHECK_STATUS(expire_at(b.arena, "k", 1, 0), SC_MISS);
    CHECK_STATUS(set_text(b.arena, 0, "k", "v"), SC_OK);
    CHECK_STATUS(set_until(b.arena, "k", "w", now_ms() - 1, 0), SC_OK);
    check_missing(b.arena, 0, "k");
    CHECK_STATUS(set_until(b.arena, "other", "w", 1, 0), SC_OK);
    check_missing(b.arena, 0, "other");
    bench_close(&b);
}

static bool count_key(void *context, const char *key, uint32_t length) {
    (void)key, (void)length;
    ++*(unsigned *)context;
    return true;
}

static unsigned scan_count(sc_arena *arena) {
    uint64_t cursor = 0;
    unsigned count = 0;
    do {
        CHECK_STATUS(sc_scan(arena, 0, &cursor, 100, count_key, &count), SC_OK);
    } while (cursor != 0);
    return count;
}

/* Every function must see the key as gone, with no one having reclaimed it. */
static void gone_for_everyone(void) {
    bench b = bench_open(0);
    uint64_t soon = now_ms() + 20, length;
    const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    for (size_t i = 0; i < 8; i++)
        CHECK_STATUS(set_until(b.arena, names[i], "5", soon, 0), SC_OK);
    wait_until_ms(soon);
    sc_info info;
    int64_t number;
    sc_key a = key_of(0, "a"), c = key_of(0, "c"), d = key_of(0, "d"), e = key_of(0, "e");
    check_missing(b.arena, 0, "a");
    CHECK_STATUS(sc_get_range(b.arena, &a, 0, -1, &b.got.sink), SC_MISS);
    CHECK_STATUS(sc_describe(b.arena, &a, &info, true), SC_MISS);
    CHECK(scan_count(b.arena) == 0);
    CHECK_STATUS(sc_random_key(b.arena, 0, &b.got.sink), SC_MISS);
    CHECK_STATUS(sc_delete(b.arena, &a), SC_MISS);
    CHECK_STATUS(set_until(b.arena, "b", "x", 0, SC_SET_XX), SC_UNCHANGED);
    CHECK_STATUS(set_until(b.arena, "b", "x", 0, SC_SET_NX), SC_OK);
    CHECK(expiry_of(b.arena, "b") == 0);
    CHECK_STATUS(sc_incr(b.arena, &c, 1, &number), SC_OK);
    CHECK(number == 1 && expiry_of(b.arena, "c") == 0);
    CHECK_STATUS(sc_append(b.arena, &d, "x", 1, &length), SC_OK);
    CHECK(length == 1 && expiry_of(b.arena, "d") == 0);
    CHECK_STATUS(sc_get_delete(b.arena, &e, &b.got.sink), SC_MISS);
    CHECK_STATUS(expire_at(b.arena, "f", soon + HOUR_MS, 0), SC_MISS);
    CHECK_STATUS(expire_at(b.arena, "f", 0, 0), SC_MISS);
    CHECK_STATUS(set_until(b.arena, "g", "x", 0, SC_SET_KEEP_TTL), SC_OK);
    CHECK(expiry_of(b.arena, "g") == 0);
    CHECK(scan_count(b.arena) == 4);
    bench_close(&b);
}

static void the_cycle_reclaims(void) {
    bench b = bench_open(0);
    sc_statistics before, after;
    enum { COUNT = 300 };
    uint64_t soon = now_ms() + 30, deleted, total = 0;
    char name[16];
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof(name), "k%d", i);
        CHECK_STATUS(set_until(b.arena, name, "some value", i % 3 ? soon : soon + HOUR_MS, 0),
                     SC_OK);
    }
    wait_until_ms(soon);
    CHECK_STATUS(sc_get_statistics(b.arena, &before), SC_OK);
    do {
        CHECK_STATUS(sc_expire_cycle(b.arena, 1000000, &deleted), SC_OK);
        total += deleted;
    } while (deleted > 0);
    CHECK(total == COUNT - COUNT / 3, "%llu", (unsigned long long)total);
    CHECK(sc_db_keys(b.arena, 0) == COUNT / 3 && sc_db_expires(b.arena, 0) == COUNT / 3);
    CHECK_STATUS(sc_get_statistics(b.arena, &after), SC_OK);
    CHECK(after.expired - before.expired == total && after.evicted == before.evicted);
    CHECK(after.keys == COUNT / 3);
    bench_close(&b);
}

const unit unit_expire[] = {
    {"expire/set_and_keep", set_and_keep},
    {"expire/others_keep_it", others_keep_it},
    {"expire/expire_and_persist", expire_and_persist},
    {"expire/expire_conditions", expire_conditions},
    {"expire/the_past_deletes", the_past_deletes},
    {"expire/gone_for_everyone", gone_for_everyone},
    {"expire/the_cycle_reclaims", the_cycle_reclaims},
    {NULL, NULL},
};
