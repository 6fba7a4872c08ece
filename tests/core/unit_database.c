/* Databases: sixteen of them apart, FLUSHDB, FLUSHALL, SWAPDB, counts; the same in a transaction.
 */
#include "layout.h"
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

/* ---- in a transaction -------------------------------------------------------------------------*/

static sc_tx *begin_whole(sc_arena *arena) {
    sc_tx *tx;
    CHECK_STATUS(sc_tx_begin(arena, NULL, 0, &tx), SC_OK);
    return tx;
}

static void tx_put(sc_tx *tx, uint32_t db, const char *name, const char *value) {
    sc_key key = key_of(db, name);
    sc_set_args args = {.value = value, .value_bytes = strlen(value)};
    CHECK_STATUS(sc_tx_set(tx, &key, &args), SC_OK);
}

static void tx_check(bench *b, sc_tx *tx, uint32_t db, const char *name, const char *want) {
    sc_key key = key_of(db, name);
    CHECK_STATUS(sc_tx_get(tx, &key, &b->got.sink), want ? SC_OK : SC_MISS);
    CHECK(!want || buffer_is(&b->got, want, strlen(want)), "'%s'", b->got.bytes);
}

static bool count_name(void *context, const char *key, uint32_t length) {
    (void)key;
    (void)length;
    ++*(uint64_t *)context;
    return true;
}

static uint64_t tx_scanned(sc_tx *tx, uint32_t db) {
    uint64_t cursor = 0, found = 0;
    do {
        CHECK_STATUS(sc_tx_scan(tx, db, &cursor, 3, count_name, &found), SC_OK);
    } while (cursor != 0);
    CHECK(found == sc_tx_db_keys(tx, db));
    return found;
}

/* A step in the middle of others: those before it are undone by it, those after it see it. */
static void tx_flush(bool commit) {
    bench b = bench_open(0);
    sc_arena *other = segments_attach(&b.files, false);
    for (uint32_t db = 0; db < DATABASES; db++) {
        put_db(b.arena, db, "v");
        CHECK_STATUS(set_text(b.arena, db, "quiet", "here"), SC_OK);
    }
    sc_tx *tx = begin_whole(b.arena);
    tx_put(tx, 3, "before", "1");
    CHECK(tx_scanned(tx, 3) == 3);
    CHECK_STATUS(sc_tx_flush_db(tx, 3), SC_OK);
    CHECK(tx_scanned(tx, 3) == 0 && tx_scanned(tx, 2) == 2);
    CHECK_STATUS(sc_tx_random_key(tx, 3, &b.got.sink), SC_MISS);
    tx_check(&b, tx, 3, "k", NULL);
    tx_check(&b, tx, 3, "before", NULL);
    tx_put(tx, 3, "after", "2");
    tx_check(&b, tx, 3, "after", "2");
    CHECK(tx_scanned(tx, 3) == 1);
    CHECK_STATUS(sc_tx_random_key(tx, 3, &b.got.sink), SC_OK);
    CHECK(buffer_is(&b.got, "after", 5));
    check_text(other, 3, "quiet", "here"); /* nobody else sees any of it yet */
    (commit ? sc_tx_commit : sc_tx_abort)(tx);
    sc_arena *const both[] = {b.arena, other};
    for (int i = 0; i < 2; i++) {
        if (commit) {
            check_missing(both[i], 3, "k");
            check_missing(both[i], 3, "quiet");
            check_text(both[i], 3, "after", "2");
        } else {
            check_db(both[i], 3, "v", 3);
            check_missing(both[i], 3, "after");
        }
        check_missing(both[i], 3, "before");
        check_db(both[i], 4, "v", 4);
        CHECK(sc_db_keys(both[i], 3) == (commit ? 1 : 2));
    }
    sc_arena_detach(other);
    bench_close(&b);
}

static void tx_flush_commits(void) {
    tx_flush(true);
}

static void tx_flush_aborts(void) {
    tx_flush(false);
}

static void tx_swaps(void) {
    for (int commit = 0; commit < 2; commit++) {
        bench b = bench_open(0);
        put_db(b.arena, 1, "v");
        sc_tx *tx = begin_whole(b.arena);
        tx_put(tx, 2, "mine", "x");
        CHECK_STATUS(sc_tx_swap_db(tx, 1, 2), SC_OK);
        tx_check(&b, tx, 2, "k", "v1");
        tx_check(&b, tx, 1, "mine", "x");
        CHECK_STATUS(sc_tx_flush_db(tx, 2), SC_OK);
        CHECK_STATUS(sc_tx_swap_db(tx, 2, 2), SC_OK);
        tx_put(tx, 2, "late", "y");
        CHECK_STATUS(sc_tx_swap_db(tx, 2, 15), SC_OK);
        CHECK(tx_scanned(tx, 2) == 0 && tx_scanned(tx, 15) == 1 && tx_scanned(tx, 1) == 1);
        (commit ? sc_tx_commit : sc_tx_abort)(tx);
        if (commit) {
            check_text(b.arena, 1, "mine", "x");
            check_text(b.arena, 15, "late", "y");
        } else {
            check_db(b.arena, 1, "v", 1);
        }
        check_missing(b.arena, 2, commit ? "late" : "mine");
        CHECK(sc_db_keys(b.arena, 1) == 1 && sc_db_keys(b.arena, 15) == (uint64_t)commit);
        bench_close(&b);
    }
}

/* More flushes than there are numbers, within one transaction. */
static void tx_flushes_often(void) {
    for (int commit = 0; commit < 2; commit++) {
        bench b = bench_open(0);
        char name[16];
        for (uint32_t db = 0; db < DATABASES; db++)
            put_db(b.arena, db, "v");
        sc_tx *tx = begin_whole(b.arena);
        for (unsigned round = 0; round < 100; round++) {
            uint32_t db = round % 3;
            for (unsigned i = 0; i < 5; i++) {
                snprintf(name, sizeof(name), "k%u", i);
                tx_put(tx, db, name, "v");
            }
            CHECK_STATUS(sc_tx_flush_db(tx, round % 20 ? (int32_t)db : -1), SC_OK);
            CHECK(tx_scanned(tx, db) == 0, "round %u", round);
        }
        tx_put(tx, 7, "last", "v");
        (commit ? sc_tx_commit : sc_tx_abort)(tx);
        for (uint32_t db = 0; db < DATABASES; db++)
            CHECK(sc_db_keys(b.arena, db) == (commit ? db == 7 : 1), "db %u", db);
        check_valid(b.arena);
        tx = begin_whole(b.arena);
        CHECK_STATUS(sc_tx_flush_db(tx, -1), SC_OK);
        sc_tx_commit(tx);
        CHECK(sc_db_keys(b.arena, 7) == 0);
        bench_close(&b);
    }
}

static void needs_the_whole_arena(void) {
    bench b = bench_open(0);
    sc_key key = key_of(0, "k");
    uint64_t cursor = 0;
    sc_tx *tx;
    CHECK_STATUS(sc_tx_begin(b.arena, &key, 1, &tx), SC_OK);
    CHECK_STATUS(sc_tx_flush_db(tx, 0), SC_SYNTAX);
    CHECK_STATUS(sc_tx_swap_db(tx, 0, 1), SC_SYNTAX);
    CHECK_STATUS(sc_tx_scan(tx, 0, &cursor, 10, count_name, &cursor), SC_SYNTAX);
    CHECK_STATUS(sc_tx_random_key(tx, 0, &b.got.sink), SC_SYNTAX);
    sc_tx_commit(tx);
    tx = begin_whole(b.arena);
    CHECK_STATUS(sc_tx_flush_db(tx, 16), SC_SYNTAX);
    CHECK_STATUS(sc_tx_swap_db(tx, 0, 16), SC_SYNTAX);
    sc_tx_commit(tx);
    bench_close(&b);
}

/* What the daemon keeps for itself outlives whatever is done to the sixteen. */
static void hidden(void) {
    bench b = bench_open(0);
    char name[16], value[400];
    fill_bytes(value, sizeof(value), 3);
    set_policy(b.arena, SC_ALLKEYS_RANDOM);
    CHECK_STATUS(set_text(b.arena, SC_HIDDEN_DB, "kept", "safe"), SC_OK);
    for (uint32_t db = 0; db < DATABASES; db++)
        check_missing(b.arena, db, "kept");
    CHECK_STATUS(sc_flush_db(b.arena, -1), SC_OK);
    CHECK_STATUS(sc_flush_db(b.arena, SC_HIDDEN_DB), SC_SYNTAX);
    CHECK_STATUS(sc_swap_db(b.arena, 0, SC_HIDDEN_DB), SC_SYNTAX);
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(name, sizeof(name), "k%u", i);
        sc_key key = key_of(i % 3, name);
        CHECK_STATUS(set_bytes(b.arena, &key, value, sizeof(value)), SC_OK);
    }
    sc_statistics at;
    CHECK_STATUS(sc_get_statistics(b.arena, &at), SC_OK);
    CHECK(at.evicted > 1000 && at.keys == 5000 - at.evicted);
    check_text(b.arena, SC_HIDDEN_DB, "kept", "safe");
    CHECK(sc_db_keys(b.arena, SC_HIDDEN_DB) == 1);
    bench_close(&b);
}

const unit unit_database[] = {
    {"database/apart", apart},
    {"database/flush_one", flush_one},
    {"database/flush_all", flush_all},
    {"database/flush_often", flush_often},
    {"database/flushed_memory_comes_back", flushed_memory_comes_back},
    {"database/swap", swap},
    {"database/tx_flush_commits", tx_flush_commits},
    {"database/tx_flush_aborts", tx_flush_aborts},
    {"database/tx_swaps", tx_swaps},
    {"database/tx_flushes_often", tx_flushes_often},
    {"database/needs_the_whole_arena", needs_the_whole_arena},
    {"database/hidden", hidden},
    {NULL, NULL},
};
