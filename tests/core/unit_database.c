/* Databases: sixteen of them apart, FLUSHDB, FLUSHALL, SWAPDB, counts. */
#include "unit.h"

enum { DATABASES = 16 };

static void put_db(sc_arena *arena, uint32_t db, const char *tag) {
    char value[32];
    snprintf(value, sizeof(value), "%s%u", tag, db);
    CHECK_STATUS(set_text(arena, db, "k", value), SC_OK);
}

static void check_db(sc_arena *arena, uint32_t db, const char *tag, uint32_t from) {
    char value[32];
    snprintf(value, sizeof(value), "%s%u", tag, from);
    check_text(arena, db, "k", value);
}

static void apart(void) {
    bench b = bench_open(0);
    for (uint32_t db = 0; db < DATABASES; db++) {
        check_missing(b.arena, db, "k");
        put_db(b.arena, db, "v");
    }
    for (uint32_t db = 0; db < DATABASES; db++) {
        check_db(b.arena, db, "v", db);
        CHECK(sc_db_keys(b.arena, db) == 1 && sc_db_expires(b.arena, db) == 0);
    }
    sc_key seventh = key_of(7, "k");
    CHECK_STATUS(sc_delete(b.arena, &seventh), SC_OK);
    for (uint32_t db = 0; db < DATABASES; db++)
        CHECK(sc_db_keys(b.arena, db) == (db != 7));
    bench_close(&b);
}

static void flush_one(void) {
    bench b = bench_open(0);
    for (uint32_t db = 0; db < DATABASES; db++)
        put_db(b.arena, db, "v");
    CHECK_STATUS(sc_flush_db(b.arena, 3), SC_OK);
    check_missing(b.arena, 3, "k");
    CHECK(sc_db_keys(b.arena, 3) == 0);
    for (uint32_t db = 0; db < DATABASES; db++) {
        if (db != 3) check_db(b.arena, db, "v", db);
    }
    put_db(b.arena, 3, "new");
    check_db(b.arena, 3, "new", 3);
    CHECK(sc_db_keys(b.arena, 3) == 1);
    bench_close(&b);
}

static void flush_all(void) {
    bench b = bench_open(0);
    for (int round = 0; round < 5; round++) {
        for (uint32_t db = 0; db < DATABASES; db++)
            put_db(b.arena, db, "v");
        CHECK_STATUS(sc_flush_db(b.arena, -1), SC_OK);
        for (uint32_t db = 0; db < DATABASES; db++) {
            check_missing(b.arena, db, "k");
            CHECK(sc_db_keys(b.arena, db) == 0);
        }
    }
    bench_close(&b);
}

/* More flushes than there are physical numbers, nobody sweeping in between. */
static void flush_often(void) {
    bench b = bench_open(0);
    for (unsigned round = 0; round < 200; round++) {
        uint32_t db = round % 3;
        put_db(b.arena, db, "v");
        CHECK(sc_db_keys(b.arena, db) == 1, "round %u", round);
        CHECK_STATUS(sc_flush_db(b.arena, (int32_t)db), SC_OK);
        check_missing(b.arena, db, "k");
        CHECK(sc_db_keys(b.arena, db) == 0, "round %u", round);
    }
    bench_close(&b);
}

static void flushed_memory_comes_back(void) {
    bench b = bench_open(0);
    sc_statistics empty, full, after;
    char name[16], value[100];
    fill_bytes(value, sizeof(value), 1);
    CHECK_STATUS(set_text(b.arena, 0, "k", "v"), SC_OK);
    CHECK_STATUS(sc_flush_db(b.arena, -1), SC_OK);
    uint64_t deleted;
    do {
        CHECK_STATUS(sc_expire_cycle(b.arena, 1000000, &deleted), SC_OK);
    } while (deleted > 0);
    CHECK_STATUS(sc_get_statistics(b.arena, &empty), SC_OK);
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "k%u", i);
        sc_key key = key_of(2, name);
        CHECK_STATUS(set_bytes(b.arena, &key, value, sizeof(value)), SC_OK);
    }
    CHECK_STATUS(sc_get_statistics(b.arena, &full), SC_OK);
    CHECK(full.used_bytes > empty.used_bytes + 100000);
    CHECK_STATUS(sc_flush_db(b.arena, 2), SC_OK);
    uint64_t total = 0;
    do {
        CHECK_STATUS(sc_expire_cycle(b.arena, 1000000, &deleted), SC_OK);
        total += deleted;
    } while (deleted > 0);
    CHECK(total == 1000, "%llu", (unsigned long long)total);
    CHECK_STATUS(sc_get_statistics(b.arena, &after), SC_OK);
    CHECK(after.used_bytes < empty.used_bytes + 60000, "%llu > %llu",
          (unsigned long long)after.used_bytes, (unsigned long long)empty.used_bytes);
    CHECK(after.keys == 0 && after.expired == empty.expired);
    bench_close(&b);
}

static void swap(void) {
    bench b = bench_open(0);
    uint64_t later = now_ms() + 3600000;
    put_db(b.arena, 1, "v");
    put_db(b.arena, 2, "v");
    CHECK_STATUS(set_text(b.arena, 2, "only", "two"), SC_OK);
    sc_key only = key_of(2, "only");
    CHECK_STATUS(sc_expire(b.arena, &only, later, 0), SC_OK);
    CHECK_STATUS(sc_swap_db(b.arena, 1, 2), SC_OK);
    check_db(b.arena, 1, "v", 2);
    check_db(b.arena, 2, "v", 1);
    check_text(b.arena, 1, "only", "two");
    check_missing(b.arena, 2, "only");
    CHECK(sc_db_keys(b.arena, 1) == 2 && sc_db_expires(b.arena, 1) == 1);
    CHECK(sc_db_keys(b.arena, 2) == 1 && sc_db_expires(b.arena, 2) == 0);
    CHECK_STATUS(sc_swap_db(b.arena, 1, 1), SC_OK);
    check_db(b.arena, 1, "v", 2);
    CHECK_STATUS(sc_swap_db(b.arena, 1, 9), SC_OK); /* with an empty one */
    check_missing(b.arena, 1, "k");
    check_db(b.arena, 9, "v", 2);
    bench_close(&b);
}

const unit unit_database[] = {
    {"database/apart", apart},
    {"database/flush_one", flush_one},
    {"database/flush_all", flush_all},
    {"database/flush_often", flush_often},
    {"database/flushed_memory_comes_back", flushed_memory_comes_back},
    {"database/swap", swap},
    {NULL, NULL},
};
