#include "kill.h"

#include <stdlib.h>

#include "containers.h"

uint64_t kill_far_ms;

/* ---- content ----------------------------------------------------------------------------------*/

static int put(sc_arena *arena, uint32_t db, const char *name, size_t bytes, uint64_t expire_ms,
               uint32_t flags) {
    char *value = malloc(bytes + 1);
    fill_bytes(value, bytes, bytes + db);
    sc_key key = key_of(db, name);
    sc_set_args args = {
        .value = value, .value_bytes = bytes, .expire_ms = expire_ms, .flags = flags};
    int status = sc_set(arena, &key, &args);
    free(value);
    return status;
}

static void must_put(sc_arena *arena, uint32_t db, const char *name, size_t bytes) {
    CHECK_STATUS(put(arena, db, name, bytes, 0, 0), SC_OK);
}

void kill_common_content(sc_arena *arena) {
    char name[32];
    for (unsigned i = 0; i < 40; i++) {
        snprintf(name, sizeof(name), "common:%u", i);
        CHECK_STATUS(put(arena, i % 3, name, i * 17 % 500, i % 4 ? 0 : kill_far_ms + i, 0), SC_OK);
    }
    must_put(arena, 0, "small", 30);
    must_put(arena, 0, "small2", 30);
    must_put(arena, 1, "small", 60);
    must_put(arena, 0, "chained", 20000);
    must_put(arena, 1, "large", 60000);
    CHECK_STATUS(set_text(arena, 0, "int", "41"), SC_OK);
    CHECK_STATUS(put(arena, 0, "dying", 30, kill_far_ms, 0), SC_OK);
    CHECK_STATUS(put(arena, 0, "dying chained", 15000, kill_far_ms, 0), SC_OK);
    sc_key key = key_of(0, "dying int");
    CHECK_STATUS(set_text(arena, 0, "dying int", "7"), SC_OK);
    CHECK_STATUS(sc_expire(arena, &key, kill_far_ms, 0), SC_OK);
}

static void fill_until_full(sc_arena *arena, size_t bytes) {
    char name[32];
    for (unsigned i = 0;; i++) {
        snprintf(name, sizeof(name), "filler:%u", i);
        int status = put(arena, 0, name, bytes + i % 50, 0, 0);
        if (status == SC_NO_MEMORY) return;
        CHECK_STATUS(status, SC_OK);
    }
}

static void full_lru(sc_arena *arena) {
    fill_until_full(arena, 300);
    set_policy(arena, SC_ALLKEYS_LRU);
}

static void full_random(sc_arena *arena) {
    fill_until_full(arena, 2500);
    set_policy(arena, SC_ALLKEYS_RANDOM);
}

/* Every page partly used, none free: what comes next needs blocks to be moved. */
static void scattered(sc_arena *arena) {
    char name[32];
    fill_until_full(arena, 200);
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(name, sizeof(name), "filler:%u", i);
        sc_key key = key_of(0, name);
        if (i % 10) sc_delete(arena, &key);
    }
}

static void scattered_with_reserve(sc_arena *arena) {
    scattered(arena);
    sc_tuning tuning;
    sc_get_tuning(arena, &tuning);
    tuning.reserve_permille = 500;
    CHECK_STATUS(sc_set_tuning(arena, &tuning), SC_OK);
}

static void full_with_reserve(sc_arena *arena) {
    full_lru(arena);
    sc_tuning tuning;
    sc_get_tuning(arena, &tuning);
    tuning.reserve_permille = 200;
    CHECK_STATUS(sc_set_tuning(arena, &tuning), SC_OK);
}

static void many_expired(sc_arena *arena) {
    char name[32];
    uint64_t soon = now_ms() + 50;
    for (unsigned i = 0; i < 60; i++) {
        snprintf(name, sizeof(name), "expired:%u", i);
        CHECK_STATUS(put(arena, i % 2, name, i % 9 ? 20 : 6000, soon, 0), SC_OK);
    }
    wait_until_ms(soon + 1);
}

static void flushed(sc_arena *arena) {
    CHECK_STATUS(sc_flush_db(arena, 0), SC_OK);
    must_put(arena, 0, "after", 10);
}

/* ---- one key ----------------------------------------------------------------------------------*/

#define SCENE(function) static void function(sc_arena *arena, __attribute__((unused)) unsigned step)
#define SET_SCENE(function, name, bytes, expire, flags, want)                                      \
    SCENE(function) {                                                                              \
        CHECK_STATUS(put(arena, 0, name, bytes, expire, flags), want);                             \
    }

SET_SCENE(set_new, "new", 50, 0, 0, SC_OK)
SET_SCENE(set_new_dying, "new", 50, kill_far_ms, 0, SC_OK)
SET_SCENE(set_new_chained, "new", 20000, 0, 0, SC_OK)
SET_SCENE(set_new_large, "new", 90000, kill_far_ms, 0, SC_OK)
SET_SCENE(set_same_size, "small", 30, 0, SC_SET_XX, SC_OK)
SET_SCENE(set_longer, "small", 200, 0, 0, SC_OK)
SET_SCENE(set_to_chained, "small", 30000, 0, 0, SC_OK)
SET_SCENE(set_from_chained, "chained", 12, 0, 0, SC_OK)
SET_SCENE(set_chained_again, "chained", 21000, kill_far_ms, 0, SC_OK)
SET_SCENE(set_over_int, "int", 25, 0, 0, SC_OK)
SET_SCENE(set_adds_ttl, "small", 30, kill_far_ms, 0, SC_OK)
SET_SCENE(set_drops_ttl, "dying", 30, 0, 0, SC_OK)
SET_SCENE(set_keeps_ttl, "dying", 90, 0, SC_SET_KEEP_TTL, SC_OK)
SET_SCENE(set_nx, "new", 10, 0, SC_SET_NX, SC_OK)
SET_SCENE(set_nx_refused, "small", 10, 0, SC_SET_NX, SC_UNCHANGED)
SET_SCENE(set_xx_refused, "new", 10, 0, SC_SET_XX, SC_UNCHANGED)
SET_SCENE(set_past, "small", 10, 1, 0, SC_OK)
SET_SCENE(set_past_chained, "dying chained", 10, 1, 0, SC_OK)
SET_SCENE(set_over_expired, "expired:0", 70, 0, 0, SC_OK)

SCENE(set_new_int) {
    CHECK_STATUS(set_text(arena, 0, "new", "123"), SC_OK);
}

SCENE(set_int_over_int) {
    CHECK_STATUS(set_text(arena, 0, "int", "-99"), SC_OK);
}

SCENE(set_int_over_chained) {
    CHECK_STATUS(set_text(arena, 0, "chained", "-99"), SC_OK);
}

SCENE(set_and_get) {
    buffer got;
    bool had = false;
    buffer_init(&got);
    sc_key key = key_of(0, "chained");
    sc_set_args args = {.value = "v", .value_bytes = 1, .old = &got.sink, .had_old = &had};
    CHECK_STATUS(sc_set(arena, &key, &args), SC_OK);
    CHECK(had && got.length == 20000);
    buffer_free(&got);
}

static void incr(sc_arena *arena, const char *name, int64_t want) {
    sc_key key = key_of(0, name);
    int64_t result = 0;
    CHECK_STATUS(sc_incr(arena, &key, 1, &result), SC_OK);
    CHECK(result == want);
}

SCENE(incr_old) {
    incr(arena, "int", 42);
}
SCENE(incr_new) {
    incr(arena, "new", 1);
}
SCENE(incr_dying) {
    incr(arena, "dying int", 8);
}
SCENE(incr_many) {
    incr(arena, "int", 42 + step);
}

static void append(sc_arena *arena, const char *name, size_t bytes) {
    char *tail = malloc(bytes + 1);
    uint64_t length;
    fill_bytes(tail, bytes, 3);
    sc_key key = key_of(0, name);
    CHECK_STATUS(sc_append(arena, &key, tail, bytes, &length), SC_OK);
    free(tail);
}

SCENE(append_small) {
    append(arena, "small", 5);
}
SCENE(append_int) {
    append(arena, "int", 5);
}
SCENE(append_new) {
    append(arena, "new", 50);
}
SCENE(append_dying) {
    append(arena, "dying", 700);
}
SCENE(append_chained) {
    append(arena, "chained", 100);
}
SCENE(append_to_chained) {
    append(arena, "small", 20000);
}

static void drop(sc_arena *arena, const char *name) {
    sc_key key = key_of(0, name);
    CHECK_STATUS(sc_delete(arena, &key), SC_OK);
}

SCENE(delete_small) {
    drop(arena, "small");
}
SCENE(delete_int) {
    drop(arena, "int");
}
SCENE(delete_dying) {
    drop(arena, "dying");
}
SCENE(delete_chained) {
    drop(arena, "chained");
}

SCENE(get_delete) {
    buffer got;
    buffer_init(&got);
    sc_key key = key_of(0, "chained");
    CHECK_STATUS(sc_get_delete(arena, &key, &got.sink), SC_OK);
    CHECK(got.length == 20000);
    buffer_free(&got);
}

static void expire(sc_arena *arena, const char *name, uint64_t expire_ms) {
    sc_key key = key_of(0, name);
    CHECK_STATUS(sc_expire(arena, &key, expire_ms, 0), SC_OK);
}

SCENE(expire_new) {
    expire(arena, "small", kill_far_ms + 1);
}
SCENE(expire_new_chained) {
    expire(arena, "chained", kill_far_ms + 1);
}
SCENE(expire_int) {
    expire(arena, "int", kill_far_ms + 1);
}
SCENE(expire_changed) {
    expire(arena, "dying", kill_far_ms + 1);
}
SCENE(expire_past) {
    expire(arena, "chained", 1);
}
SCENE(persist) {
    expire(arena, "dying", 0);
}
SCENE(persist_chained) {
    expire(arena, "dying chained", 0);
}

/* ---- transactions -----------------------------------------------------------------------------*/

static void tx_put(sc_tx *tx, const sc_key *key, const char *value, size_t bytes, uint64_t expire) {
    sc_set_args args = {.value = value, .value_bytes = bytes, .expire_ms = expire};
    CHECK_STATUS(sc_tx_set(tx, key, &args), SC_OK);
}

static void mixed_transaction(sc_arena *arena, bool whole, bool commit) {
    static char large[12000];
    sc_key keys[] = {key_of(0, "small"),   key_of(0, "chained"),  key_of(0, "int"),
                     key_of(2, "new one"), key_of(1, "copied"),   key_of(0, "dying"),
                     key_of(1, "small"),   key_of(0, "dying int")};
    sc_tx *tx;
    CHECK_STATUS(sc_tx_begin(arena, keys, whole ? 0 : 8, &tx), SC_OK);
    tx_put(tx, &keys[0], "changed", 7, 0);
    CHECK_STATUS(sc_tx_delete(tx, &keys[1]), SC_OK);
    tx_put(tx, &keys[2], "5", 1, kill_far_ms);
    tx_put(tx, &keys[3], large, sizeof(large), 0);
    CHECK_STATUS(sc_tx_copy(tx, &keys[3], &keys[4], false), SC_OK);
    CHECK_STATUS(sc_tx_expire(tx, &keys[5], 0, 0), SC_OK);
    CHECK_STATUS(sc_tx_expire(tx, &keys[6], kill_far_ms, 0), SC_OK);
    CHECK_STATUS(sc_tx_copy(tx, &keys[7], &keys[0], true), SC_OK);
    tx_put(tx, &keys[3], "shorter", 7, 0);
    (commit ? sc_tx_commit : sc_tx_abort)(tx);
}

SCENE(tx_commit) {
    mixed_transaction(arena, false, true);
}
SCENE(tx_abort) {
    mixed_transaction(arena, false, false);
}
SCENE(tx_whole_commit) {
    mixed_transaction(arena, true, true);
}
SCENE(tx_whole_abort) {
    mixed_transaction(arena, true, false);
}

SCENE(tx_rename) {
    sc_key keys[] = {key_of(0, "chained"), key_of(0, "small")};
    sc_tx *tx;
    CHECK_STATUS(sc_tx_begin(arena, keys, 2, &tx), SC_OK);
    CHECK_STATUS(sc_tx_copy(tx, &keys[0], &keys[1], true), SC_OK);
    CHECK_STATUS(sc_tx_delete(tx, &keys[0]), SC_OK);
    sc_tx_commit(tx);
}

/* In the entry, over the borders of its parts, in a chunk, and as much as there can be. */
static void patch_transaction(sc_arena *arena, bool commit) {
    static const struct {
        const char *name;
        uint64_t from, length;
    } parts[] = {{"small", 3, 5},     {"dying", 0, 30},       {"common:7", 100, 1},
                 {"chained", 0, 400}, {"chained", 19990, 10}, {"chained", 700, 3},
                 {"large", 59000, 9}, {"large", 16000, 4096}};
    static char bytes[SC_PATCH_MOST];
    sc_key keys[8];
    for (size_t i = 0; i < 8; i++)
        keys[i] = key_of(i == 2 || i > 5, parts[i].name);
    sc_tx *tx;
    fill_bytes(bytes, sizeof(bytes), 99);
    CHECK_STATUS(sc_tx_begin(arena, keys, 8, &tx), SC_OK);
    for (size_t i = 0; i < 8; i++) {
        sc_bytes part = {bytes, parts[i].length};
        CHECK_STATUS(sc_tx_patch(tx, &keys[i], parts[i].from, part), SC_OK);
    }
    (commit ? sc_tx_commit : sc_tx_abort)(tx);
}

SCENE(patch_commit) {
    patch_transaction(arena, true);
}
SCENE(patch_abort) {
    patch_transaction(arena, false);
}

/* Longer than the log that lies in the slot. */
static void long_transaction(sc_arena *arena, bool commit) {
    enum { COUNT = 100 };
    static char names[COUNT][16];
    sc_key keys[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof(names[i]), i < 40 ? "common:%u" : "fresh:%u", i);
        keys[i] = key_of(i < 40 ? i % 3 : 6, names[i]);
    }
    sc_tx *tx;
    CHECK_STATUS(sc_tx_begin(arena, keys, COUNT, &tx), SC_OK);
    for (unsigned i = 0; i < COUNT; i++) {
        if (i < 40 && i % 2)
            CHECK_STATUS(sc_tx_delete(tx, &keys[i]), SC_OK);
        else
            tx_put(tx, &keys[i], names[i], strlen(names[i]), 0);
    }
    (commit ? sc_tx_commit : sc_tx_abort)(tx);
}

SCENE(tx_long_commit) {
    long_transaction(arena, true);
}
SCENE(tx_long_abort) {
    long_transaction(arena, false);
}

/* ---- databases, maintenance, growth -----------------------------------------------------------*/

SCENE(flush_one) {
    CHECK_STATUS(sc_flush_db(arena, 0), SC_OK);
}
SCENE(flush_all) {
    CHECK_STATUS(sc_flush_db(arena, -1), SC_OK);
}
SCENE(swap) {
    CHECK_STATUS(sc_swap_db(arena, 0, 2), SC_OK);
}

SCENE(flush_often) {
    if (step % 2)
        CHECK_STATUS(sc_flush_db(arena, 4), SC_OK);
    else
        must_put(arena, 4, "passing", 40);
}

/* Whole databases as steps among others. */
static void databases_transaction(sc_arena *arena, bool commit) {
    sc_key keys[] = {key_of(0, "new"), key_of(0, "small"), key_of(1, "new"), key_of(3, "last")};
    sc_tx *tx;
    CHECK_STATUS(sc_tx_begin(arena, NULL, 0, &tx), SC_OK);
    tx_put(tx, &keys[0], "before", 6, 0);
    CHECK_STATUS(sc_tx_flush_db(tx, 0), SC_OK);
    tx_put(tx, &keys[0], "after", 5, kill_far_ms);
    tx_put(tx, &keys[1], "after", 5, 0);
    CHECK_STATUS(sc_tx_swap_db(tx, 0, 1), SC_OK);
    CHECK_STATUS(sc_tx_delete(tx, &keys[2]), SC_OK);
    CHECK_STATUS(sc_tx_flush_db(tx, 2), SC_OK);
    tx_put(tx, &keys[3], "last", 4, 0);
    (commit ? sc_tx_commit : sc_tx_abort)(tx);
}

SCENE(tx_databases_commit) {
    databases_transaction(arena, true);
}
SCENE(tx_databases_abort) {
    databases_transaction(arena, false);
}

/* Until no number is left for a database to be renamed to. */
SCENE(tx_flush_often) {
    sc_key keys[] = {key_of(4, "a"), key_of(4, "b")};
    sc_tx *tx;
    CHECK_STATUS(sc_tx_begin(arena, NULL, 0, &tx), SC_OK);
    for (int round = 0; round < 20; round++) {
        tx_put(tx, &keys[0], "passing", 7, 0);
        tx_put(tx, &keys[1], "passing", 7, kill_far_ms);
        CHECK_STATUS(sc_tx_flush_db(tx, round ? 4 : -1), SC_OK);
    }
    tx_put(tx, &keys[1], "staying", 7, 0);
    sc_tx_commit(tx);
}

SCENE(expire_cycle) {
    uint64_t deleted;
    CHECK_STATUS(sc_expire_cycle(arena, 1000000, &deleted), SC_OK);
}

SCENE(reserve_cycle) {
    CHECK_STATUS(sc_reserve_cycle(arena, 1000000), SC_OK);
}

SCENE(tick) {
    CHECK_STATUS(sc_tick(arena), SC_OK);
}

SCENE(validate) {
    CHECK_STATUS(sc_validate(arena, stderr), SC_OK);
}

SCENE(growth) {
    char name[32];
    snprintf(name, sizeof(name), "growth:%u", step);
    must_put(arena, 9, name, 8);
}

SCENE(shrink_to_nothing) {
    char name[32];
    snprintf(name, sizeof(name), "common:%u", step);
    sc_key key = key_of(step % 3, name);
    CHECK_STATUS(sc_delete(arena, &key), SC_OK);
}

SCENE(evict_for_chained) {
    must_put(arena, 0, "new", 20000);
}

SCENE(evict_for_many) {
    char name[32];
    snprintf(name, sizeof(name), "more:%u", step);
    must_put(arena, 7, name, 300 + step * 20);
}

SCENE(evict_in_transaction) {
    static char value[8000];
    sc_key keys[] = {key_of(11, "a"), key_of(11, "b"), key_of(11, "c")};
    sc_tx *tx;
    CHECK_STATUS(sc_tx_begin(arena, keys, 3, &tx), SC_OK);
    for (int i = 0; i < 3; i++)
        tx_put(tx, &keys[i], value, sizeof(value), 0);
    sc_tx_commit(tx);
}

SCENE(move_for_chained) {
    must_put(arena, 0, "new", 40000);
}

const scene kill_scenes[] = {
    {"set new", NULL, set_new, 1, EXACT},
    {"set new, integer", NULL, set_new_int, 1, EXACT},
    {"set new with a ttl", NULL, set_new_dying, 1, EXACT},
    {"set new, chained", NULL, set_new_chained, 1, EXACT},
    {"set new, large, with a ttl", NULL, set_new_large, 1, EXACT},
    {"set over the same size, XX", NULL, set_same_size, 1, EXACT},
    {"set longer", NULL, set_longer, 1, EXACT},
    {"set chained over small", NULL, set_to_chained, 1, EXACT},
    {"set small over chained", NULL, set_from_chained, 1, EXACT},
    {"set chained over chained", NULL, set_chained_again, 1, EXACT},
    {"set text over integer", NULL, set_over_int, 1, EXACT},
    {"set integer over integer", NULL, set_int_over_int, 1, EXACT},
    {"set integer over chained", NULL, set_int_over_chained, 1, EXACT},
    {"set adds a ttl", NULL, set_adds_ttl, 1, EXACT},
    {"set drops a ttl", NULL, set_drops_ttl, 1, EXACT},
    {"set keeps a ttl", NULL, set_keeps_ttl, 1, EXACT},
    {"set NX", NULL, set_nx, 1, EXACT},
    {"set NX refused", NULL, set_nx_refused, 1, EXACT},
    {"set XX refused", NULL, set_xx_refused, 1, EXACT},
    {"set in the past", NULL, set_past, 1, EXACT},
    {"set in the past over chained", NULL, set_past_chained, 1, EXACT},
    {"set over an expired one", many_expired, set_over_expired, 1, EXACT},
    {"set with GET", NULL, set_and_get, 1, EXACT},
    {"incr", NULL, incr_old, 1, EXACT},
    {"incr new", NULL, incr_new, 1, EXACT},
    {"incr with a ttl", NULL, incr_dying, 1, EXACT},
    {"incr ten times", NULL, incr_many, 10, EXACT},
    {"append", NULL, append_small, 1, EXACT},
    {"append to an integer", NULL, append_int, 1, EXACT},
    {"append new", NULL, append_new, 1, EXACT},
    {"append with a ttl", NULL, append_dying, 1, EXACT},
    {"append to chained", NULL, append_chained, 1, EXACT},
    {"append makes it chained", NULL, append_to_chained, 1, EXACT},
    {"delete", NULL, delete_small, 1, EXACT},
    {"delete integer", NULL, delete_int, 1, EXACT},
    {"delete with a ttl", NULL, delete_dying, 1, EXACT},
    {"delete chained", NULL, delete_chained, 1, EXACT},
    {"get and delete", NULL, get_delete, 1, EXACT},
    {"expire", NULL, expire_new, 1, EXACT},
    {"expire chained", NULL, expire_new_chained, 1, EXACT},
    {"expire integer", NULL, expire_int, 1, EXACT},
    {"expire changed", NULL, expire_changed, 1, EXACT},
    {"expire in the past", NULL, expire_past, 1, EXACT},
    {"persist", NULL, persist, 1, EXACT},
    {"persist chained", NULL, persist_chained, 1, EXACT},
    {"transaction, commit", NULL, tx_commit, 1, EXACT},
    {"transaction, abort", NULL, tx_abort, 1, EXACT},
    {"whole arena, commit", NULL, tx_whole_commit, 1, EXACT},
    {"whole arena, abort", NULL, tx_whole_abort, 1, EXACT},
    {"rename", NULL, tx_rename, 1, EXACT},
    {"patch, commit", NULL, patch_commit, 1, EXACT},
    {"patch, abort", NULL, patch_abort, 1, EXACT},
    {"long transaction, commit", NULL, tx_long_commit, 1, EXACT},
    {"long transaction, abort", NULL, tx_long_abort, 1, EXACT},
    {"flush one", NULL, flush_one, 1, EXACT},
    {"flush all", NULL, flush_all, 1, EXACT},
    {"flush often", NULL, flush_often, 70, EXACT},
    {"swap", NULL, swap, 1, EXACT},
    {"databases in a transaction", NULL, tx_databases_commit, 1, EXACT},
    {"databases in a transaction, aborted", NULL, tx_databases_abort, 1, EXACT},
    {"flush often in a transaction", NULL, tx_flush_often, 1, EXACT},
    {"expire cycle", many_expired, expire_cycle, 1, EXACT},
    {"expire cycle after flush", flushed, expire_cycle, 1, EXACT},
    {"tick", NULL, tick, 1, EXACT},
    {"validate", NULL, validate, 1, EXACT},
    {"growth", NULL, growth, 250, EXACT},
    {"delete many", NULL, shrink_to_nothing, 40, EXACT},
    {"moving for a chained one", scattered, move_for_chained, 1, EXACT},
    {"reserve by moving", scattered_with_reserve, reserve_cycle, 1, EXACT},
    {"reserve by evicting", full_with_reserve, reserve_cycle, 1, EVICTS},
    {"evict for a new one", full_lru, set_new, 1, EVICTS},
    {"evict for a chained one", full_lru, evict_for_chained, 1, EVICTS},
    {"evict for many", full_lru, evict_for_many, 30, EVICTS},
    {"evict chained for small", full_random, set_new, 1, EVICTS},
    {"evict in a transaction", full_random, evict_in_transaction, 1, EVICTS},
    {NULL, NULL, NULL, 0, EXACT},
};
