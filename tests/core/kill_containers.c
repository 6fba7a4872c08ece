/* The kill test's scenes with containers: every operation that changes one, packed and as a tree
 * and on the edge between the two, with long elements, and whole containers made, moved and freed.
 */
#include <stdlib.h>

#include "kill_content.h"

#define SCENE(function) static void function(sc_arena *arena, __attribute__((unused)) unsigned step)

/* ---- each type alike --------------------------------------------------------------------------*/

static int two_keys(sc_arena *arena, const char *from, const char *to, bool copy) {
    sc_key keys[] = {key_of(0, from), key_of(1, to)};
    sc_tx *tx;
    int status, attempts = 0;
    do {
        CHECK_STATUS(sc_tx_begin(arena, keys, 2, &tx), SC_OK);
        status =
            copy ? sc_tx_copy(tx, &keys[0], &keys[1], true) : sc_tx_rename(tx, &keys[0], &keys[1]);
    } while (sc_tx_end(tx, status, &attempts));
    return status;
}

static void delete_key(sc_arena *arena, const char *name) {
    sc_key key = key_of(0, name);
    CHECK_STATUS(sc_delete(arena, &key), SC_OK);
}

static void expire_key(sc_arena *arena, const char *name, uint64_t expire_ms) {
    sc_key key = key_of(0, name);
    CHECK_STATUS(sc_expire(arena, &key, expire_ms, 0), SC_OK);
}

static void store(sc_arena *arena, const char *name, int type, unsigned count) {
    sc_key key = key_of(0, name);
    CHECK_STATUS(ONE_WRITE(arena, &key, tx_store(tx, &key, type, count)), SC_OK);
}

/* Many operations of all kinds, taken back. */
static void abort_all(sc_arena *arena, const char *few, const char *many, int type) {
    sc_key keys[] = {key_of(0, few), key_of(0, many), key_of(1, "other")};
    sc_tx *tx;
    CHECK_STATUS(sc_tx_begin(arena, keys, 3, &tx), SC_OK);
    for (unsigned i = 300; i < 330; i++) {
        CHECK_STATUS(tx_element_add(tx, &keys[0], type, i), SC_OK);
        CHECK_STATUS(tx_element_add(tx, &keys[1], type, i), SC_OK);
    }
    CHECK_STATUS(sc_tx_copy(tx, &keys[0], &keys[2], true), SC_OK);
    CHECK_STATUS(sc_tx_rename(tx, &keys[1], &keys[0]), SC_OK);
    CHECK_STATUS(sc_tx_delete(tx, &keys[2]), SC_OK);
    sc_tx_abort(tx);
}

#define EACH_TYPE_SCENES(t, type)                                                                  \
    static void t##_content(sc_arena *arena) {                                                     \
        containers_of_type(arena, type);                                                           \
    }                                                                                              \
                                                                                                   \
    SCENE(t##_packed_add) {                                                                        \
        element_add(arena, #t " few", type, 10 + step);                                            \
    }                                                                                              \
    SCENE(t##_packed_change) {                                                                     \
        element_change(arena, #t " few", type, 2 + step);                                          \
    }                                                                                              \
    SCENE(t##_packed_drop) {                                                                       \
        element_drop(arena, #t " few", type, 5 - step);                                            \
    }                                                                                              \
    SCENE(t##_unpack) {                                                                            \
        element_add(arena, #t " edge", type, 300 + step);                                          \
    }                                                                                              \
    SCENE(t##_unpack_by_length) {                                                                  \
        element_add(arena, #t " few", type, 349);                                                  \
    }                                                                                              \
    SCENE(t##_tree_add) {                                                                          \
        element_add(arena, #t " many", type, 300 + step);                                          \
    }                                                                                              \
    SCENE(t##_tree_add_long) {                                                                     \
        element_add(arena, #t " many", type, 399 + step * 40);                                     \
    }                                                                                              \
    SCENE(t##_tree_change) {                                                                       \
        element_change(arena, #t " many", type, 3 + step * 29);                                    \
    }                                                                                              \
    SCENE(t##_tree_drop) {                                                                         \
        element_drop(arena, #t " many", type, 259 - step);                                         \
    }                                                                                              \
    SCENE(t##_tree_drop_first) {                                                                   \
        element_drop(arena, #t " many", type, type == SC_LIST ? 0 : step);                         \
    }                                                                                              \
    SCENE(t##_drop_last) {                                                                         \
        element_drop(arena, #t " one", type, 0);                                                   \
    }                                                                                              \
    SCENE(t##_delete_packed) {                                                                     \
        delete_key(arena, #t " few");                                                              \
    }                                                                                              \
    SCENE(t##_delete_tree) {                                                                       \
        delete_key(arena, #t " many");                                                             \
    }                                                                                              \
    SCENE(t##_set_over) {                                                                          \
        CHECK_STATUS(set_text(arena, 0, #t " many", "text"), SC_OK);                               \
    }                                                                                              \
    SCENE(t##_rename) {                                                                            \
        CHECK_STATUS(two_keys(arena, #t " many", "to", false), SC_OK);                             \
    }                                                                                              \
    SCENE(t##_rename_packed) {                                                                     \
        CHECK_STATUS(two_keys(arena, #t " few", "small", false), SC_OK);                           \
    }                                                                                              \
    SCENE(t##_copy) {                                                                              \
        CHECK_STATUS(two_keys(arena, #t " many", "small", true), SC_OK);                           \
    }                                                                                              \
    SCENE(t##_copy_packed) {                                                                       \
        CHECK_STATUS(two_keys(arena, #t " few", "to", true), SC_OK);                               \
    }                                                                                              \
    SCENE(t##_expire) {                                                                            \
        expire_key(arena, #t " many", kill_far_ms + step);                                         \
    }                                                                                              \
    SCENE(t##_expire_packed) {                                                                     \
        expire_key(arena, #t " few", kill_far_ms + step);                                          \
    }                                                                                              \
    SCENE(t##_expire_past) {                                                                       \
        expire_key(arena, #t " many", 1);                                                          \
    }                                                                                              \
    SCENE(t##_abort) {                                                                             \
        abort_all(arena, #t " few", #t " many", type);                                             \
    }

#define STORE_SCENES(t, type)                                                                      \
    SCENE(t##_new) {                                                                               \
        element_add(arena, "new", type, 2);                                                        \
    }                                                                                              \
    SCENE(t##_new_long) {                                                                          \
        element_add(arena, "new", type, type == SC_HASH ? 39 : 49);                                \
    }                                                                                              \
    SCENE(t##_new_over_expired) {                                                                  \
        element_add(arena, "expired", type, 3);                                                    \
    }                                                                                              \
    SCENE(t##_store) {                                                                             \
        store(arena, "new", type, 5);                                                              \
    }                                                                                              \
    SCENE(t##_store_tree) {                                                                        \
        store(arena, "new", type, 120);                                                            \
    }                                                                                              \
    SCENE(t##_store_over) {                                                                        \
        store(arena, #t " many", type, 60);                                                        \
    }                                                                                              \
    SCENE(t##_store_over_string) {                                                                 \
        store(arena, "chained", type, 5);                                                          \
    }                                                                                              \
    SCENE(t##_store_nothing) {                                                                     \
        store(arena, #t " many", type, 0);                                                         \
    }

EACH_TYPE_SCENES(list, SC_LIST)
EACH_TYPE_SCENES(set, SC_SET)
EACH_TYPE_SCENES(zset, SC_ZSET)
EACH_TYPE_SCENES(hash, SC_HASH)
EACH_TYPE_SCENES(stream, SC_STREAM)
STORE_SCENES(list, SC_LIST)
STORE_SCENES(set, SC_SET)
STORE_SCENES(zset, SC_ZSET)
STORE_SCENES(hash, SC_HASH)

static void with_expired(sc_arena *arena) {
    uint64_t soon = now_ms() + 20;
    element_add(arena, "expired", SC_LIST, 1);
    for (unsigned i = 0; i < 60; i++)
        element_add(arena, "expired too", SC_HASH, i);
    expire_key(arena, "expired", soon);
    expire_key(arena, "expired too", soon);
    wait_until_ms(soon + 1);
}

/* ---- one type alone ---------------------------------------------------------------------------*/

static void set_expiry(sc_arena *arena, const char *name, const char *field, uint64_t expire_ms) {
    sc_key key = key_of(0, name);
    CHECK_STATUS(ONE_WRITE(arena, &key, sc_map_set_expiry(tx, &key, bytes_of(field), expire_ms)),
                 SC_OK);
}
SCENE(field_ttl_packed) {
    set_expiry(arena, "hash few", "element 2", kill_far_ms + step);
}
SCENE(field_ttl_tree) {
    set_expiry(arena, "hash many", "element 200", kill_far_ms + step);
}
SCENE(field_ttl_changed) {
    set_expiry(arena, "hash many", "12", kill_far_ms + 500 + step);
}
SCENE(field_ttl_removed) {
    set_expiry(arena, "hash many", "12", 0);
}
SCENE(field_ttl_past) {
    set_expiry(arena, "hash many", "element 203", 1);
}

static void put_field(sc_arena *arena, const char *field, uint32_t flags) {
    sc_key key = key_of(0, "hash many");
    bool added;
    CHECK_STATUS(
        ONE_WRITE(arena, &key,
                  sc_map_put(tx, &key, SC_HASH, bytes_of(field), bytes_of("v"), flags, &added)),
        SC_OK);
}
SCENE(field_loses_its_ttl) {
    put_field(arena, "12", 0);
}
SCENE(field_keeps_its_ttl) {
    put_field(arena, "12", SC_PUT_KEEP_TTL);
}

static void pop(sc_arena *arena, const char *name) {
    sc_key key = key_of(0, name);
    buffer got;
    buffer_init(&got);
    CHECK_STATUS(ONE_WRITE(arena, &key, sc_set_pop(tx, &key, &got.sink)), SC_OK);
    buffer_free(&got);
}
SCENE(set_pop_one) {
    pop(arena, "set one");
}

SCENE(integers_add) {
    sc_key key = key_of(0, "integers");
    char text[16];
    bool added;
    snprintf(text, sizeof(text), "%u", step * step * 40);
    CHECK_STATUS(ONE_WRITE(arena, &key,
                           sc_map_put(tx, &key, SC_SET, bytes_of(text), bytes_of(""), 0, &added)),
                 SC_OK);
}

static void list_push(sc_arena *arena, const char *name, bool left, const char *element) {
    sc_key key = key_of(0, name);
    uint64_t length;
    CHECK_STATUS(
        ONE_WRITE(arena, &key, sc_list_push(tx, &key, bytes_of(element), left, false, &length)),
        SC_OK);
}
SCENE(list_push_left) {
    list_push(arena, "list many", true, step % 2 ? "an element" : "17");
}
SCENE(list_push_left_packed) {
    list_push(arena, "list few", true, step % 2 ? "element" : "17");
}

static void list_pop(sc_arena *arena, const char *name, bool left) {
    sc_key key = key_of(0, name);
    buffer got;
    buffer_init(&got);
    CHECK_STATUS(ONE_WRITE(arena, &key, sc_list_pop(tx, &key, left, &got.sink)), SC_OK);
    buffer_free(&got);
}
SCENE(list_pop_left) {
    list_pop(arena, "list many", true);
}
SCENE(list_pop_right) {
    list_pop(arena, "list many", false);
}
SCENE(list_pop_left_packed) {
    list_pop(arena, "list few", true);
}
SCENE(list_pop_all) {
    list_pop(arena, "list few", step % 2);
}

static void list_insert(sc_arena *arena, const char *name, uint64_t index) {
    sc_key key = key_of(0, name);
    CHECK_STATUS(ONE_WRITE(arena, &key, sc_list_insert(tx, &key, index, bytes_of("inserted"))),
                 SC_OK);
}
SCENE(list_insert_tree) {
    list_insert(arena, "list many", 100 + step);
}
SCENE(list_insert_packed) {
    list_insert(arena, "list few", 3);
}

static void list_cut(sc_arena *arena, uint64_t index, uint64_t count) {
    sc_key key = key_of(0, "list many");
    CHECK_STATUS(ONE_WRITE(arena, &key, sc_list_remove(tx, &key, index, count)), SC_OK);
}
SCENE(list_trim) {
    list_cut(arena, step ? 0 : 150, step ? 100 : UINT64_MAX);
}
SCENE(list_cut_middle) {
    list_cut(arena, 60, 120);
}
SCENE(list_cut_all) {
    list_cut(arena, 0, UINT64_MAX);
}

static void zset_cut(sc_arena *arena, const char *name, uint64_t from, uint64_t count) {
    sc_key key = key_of(0, name);
    CHECK_STATUS(ONE_WRITE(arena, &key, sc_zset_remove_range(tx, &key, from, count)), SC_OK);
}
SCENE(zset_cut_middle) {
    zset_cut(arena, "zset many", 30, 170);
}
SCENE(zset_cut_all) {
    zset_cut(arena, "zset many", 0, UINT64_MAX);
}
SCENE(zset_cut_packed) {
    zset_cut(arena, "zset few", 1, 3);
}

static void zset_incr(sc_arena *arena, const char *name) {
    sc_key key = key_of(0, name);
    double score;
    int outcome;
    CHECK_STATUS(ONE_WRITE(arena, &key,
                           sc_zset_add(tx, &key, bytes_of("element 2"), 2.5, SC_ZADD_INCR, &score,
                                       &outcome)),
                 SC_OK);
}
SCENE(zset_incr_tree) {
    zset_incr(arena, "zset many");
}
SCENE(zset_incr_packed) {
    zset_incr(arena, "zset few");
}

SCENE(stream_create_new) {
    sc_key key = key_of(0, "new");
    char meta[SC_STREAM_META] = "meta";
    CHECK_STATUS(ONE_WRITE(arena, &key, sc_stream_create(tx, &key, meta)), SC_OK);
}
SCENE(stream_meta_change) {
    sc_key key = key_of(0, "stream many");
    char meta[SC_STREAM_META];
    fill_bytes(meta, sizeof(meta), step);
    CHECK_STATUS(ONE_WRITE(arena, &key, sc_stream_set_meta(tx, &key, meta)), SC_OK);
}
static void stream_cut(sc_arena *arena, uint64_t limit, uint64_t want) {
    sc_key key = key_of(0, "stream many");
    uint64_t removed;
    CHECK_STATUS(ONE_WRITE(arena, &key,
                           sc_tree_remove_range(tx, &key, 0, bytes_of(""), bytes_of("\xff"), limit,
                                                &removed)),
                 SC_OK);
    CHECK(removed == want);
}
SCENE(stream_cut_some) {
    stream_cut(arena, 17, 17);
}
SCENE(stream_cut_all) {
    stream_cut(arena, UINT64_MAX, 52);
}

/* ---- maintenance, evictions, moves ------------------------------------------------------------*/

static void fill_until_full(sc_arena *arena, size_t bytes) {
    char name[32], value[4000];
    for (unsigned i = 0;; i++) {
        snprintf(name, sizeof(name), "filler:%u", i);
        sc_key key = key_of(0, name);
        fill_bytes(value, bytes, i);
        int status = set_bytes(arena, &key, value, bytes);
        if (status == SC_NO_MEMORY) return;
        CHECK_STATUS(status, SC_OK);
    }
}

static void full_of_containers(sc_arena *arena) {
    char name[32];
    containers_of_type(arena, SC_HASH);
    containers_of_type(arena, SC_ZSET);
    for (unsigned i = 0, status = SC_OK; status == SC_OK; i++) {
        snprintf(name, sizeof(name), "more %u", i / 50);
        sc_key key = key_of(0, name);
        int type = SC_LIST + (int)(i / 50 % 4);
        status = (unsigned)ONE_WRITE(arena, &key, tx_element_add(tx, &key, type, i % 50));
    }
    fill_until_full(arena, 300);
    set_policy(arena, SC_ALLKEYS_RANDOM);
}

static void flushed(sc_arena *arena) {
    containers_of_type(arena, SC_HASH);
    containers_of_type(arena, SC_ZSET);
    CHECK_STATUS(sc_flush_db(arena, 0), SC_OK);
}

/* Containers' blocks in many sparse pages, and none free. */
static void scattered(sc_arena *arena) {
    char name[32];
    containers_of_type(arena, SC_STREAM);
    for (unsigned i = 0; i < 10; i++) {
        snprintf(name, sizeof(name), "sparse %u", i);
        sc_key key = key_of(0, name);
        char meta[SC_STREAM_META] = "";
        if (i % 5 == 4)
            CHECK_STATUS(ONE_WRITE(arena, &key, sc_stream_create(tx, &key, meta)), SC_OK);
        for (unsigned j = 0; j < 60; j++)
            element_add(arena, name, SC_LIST + (int)(i % 5), j);
    }
    fill_until_full(arena, 200);
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(name, sizeof(name), "filler:%u", i);
        sc_key key = key_of(0, name);
        if (i % 10) sc_delete(arena, &key);
    }
    for (unsigned i = 0; i < 10; i += 2) {
        snprintf(name, sizeof(name), "sparse %u", i);
        delete_key(arena, name);
    }
    sc_tuning tuning;
    sc_get_tuning(arena, &tuning);
    tuning.reserve_permille = 500;
    CHECK_STATUS(sc_set_tuning(arena, &tuning), SC_OK);
}

/* ---- trees so large that others free them -----------------------------------------------------*/

static void with_large(sc_arena *arena) {
    store(arena, "large", SC_SET, 2500);
    containers_of_type(arena, SC_LIST);
}

static uint64_t used_bytes(sc_arena *arena) {
    sc_statistics at;
    CHECK_STATUS(sc_get_statistics(arena, &at), SC_OK);
    return at.used_bytes;
}

static void with_dead(sc_arena *arena) {
    with_large(arena);
    uint64_t before = used_bytes(arena);
    delete_key(arena, "large");
    CHECK(used_bytes(arena) + 5000 > before, "it was freed at once");
}

static void full_with_dead(sc_arena *arena) {
    with_large(arena);
    fill_until_full(arena, 200);
    delete_key(arena, "large");
}

SCENE(delete_large) {
    delete_key(arena, "large");
}
SCENE(set_over_large) {
    sc_key key = key_of(0, "large");
    CHECK_STATUS(set_bytes(arena, &key, "small", 5), SC_OK);
}
SCENE(need_what_is_dead) {
    store(arena, "new", SC_LIST, 400);
}

SCENE(expire_cycle) {
    uint64_t deleted;
    CHECK_STATUS(sc_expire_cycle(arena, 1000000, &deleted), SC_OK);
}
SCENE(reserve_cycle) {
    CHECK_STATUS(sc_reserve_cycle(arena, 1000000), SC_OK);
}
SCENE(evict_for_elements) {
    element_add(arena, "hash many", SC_HASH, 1000 + step);
}
SCENE(evict_for_a_copy) {
    CHECK_STATUS(two_keys(arena, "zset many", "to", true), SC_OK);
}
SCENE(evict_for_a_store) {
    store(arena, "new", SC_LIST, 150);
}

/* ---- the table --------------------------------------------------------------------------------*/

#define EACH_TYPE_ROWS(t)                                                                          \
    {#t " packed, add", t##_content, t##_packed_add, 4, EXACT},                                    \
        {#t " packed, change", t##_content, t##_packed_change, 3, EXACT},                          \
        {#t " packed, drop", t##_content, t##_packed_drop, 6, EXACT},                              \
        {#t " unpacked", t##_content, t##_unpack, 1, EXACT},                                       \
        {#t " unpacked by length", t##_content, t##_unpack_by_length, 1, EXACT},                   \
        {#t " tree, add", t##_content, t##_tree_add, 30, EXACT},                                   \
        {#t " tree, add long", t##_content, t##_tree_add_long, 2, EXACT},                          \
        {#t " tree, change", t##_content, t##_tree_change, 8, EXACT},                              \
        {#t " tree, drop", t##_content, t##_tree_drop, 40, EXACT},                                 \
        {#t " tree, drop first", t##_content, t##_tree_drop_first, 40, EXACT},                     \
        {#t " drop last", t##_content, t##_drop_last, 1, EXACT},                                   \
        {#t " delete packed", t##_content, t##_delete_packed, 1, EXACT},                           \
        {#t " delete tree", t##_content, t##_delete_tree, 1, EXACT},                               \
        {#t " set over", t##_content, t##_set_over, 1, EXACT},                                     \
        {#t " rename", t##_content, t##_rename, 1, EXACT},                                         \
        {#t " rename packed", t##_content, t##_rename_packed, 1, EXACT},                           \
        {#t " copy", t##_content, t##_copy, 1, EXACT},                                             \
        {#t " copy packed", t##_content, t##_copy_packed, 1, EXACT},                               \
        {#t " expire", t##_content, t##_expire, 2, EXACT},                                         \
        {#t " expire packed", t##_content, t##_expire_packed, 2, EXACT},                           \
        {#t " expire in the past", t##_content, t##_expire_past, 1, EXACT},                        \
        {#t " abort", t##_content, t##_abort, 1, EXACT},
#define STORE_ROWS(t)                                                                              \
    {#t " new", t##_content, t##_new, 1, EXACT},                                                   \
        {#t " new, long", t##_content, t##_new_long, 1, EXACT},                                    \
        {#t " new over expired", with_expired, t##_new_over_expired, 1, EXACT},                    \
        {#t " store", t##_content, t##_store, 1, EXACT},                                           \
        {#t " store tree", t##_content, t##_store_tree, 1, EXACT},                                 \
        {#t " store over", t##_content, t##_store_over, 1, EXACT},                                 \
        {#t " store over string", t##_content, t##_store_over_string, 1, EXACT},                   \
        {#t " store nothing", t##_content, t##_store_nothing, 1, EXACT},

const scene kill_container_scenes[] = {
    EACH_TYPE_ROWS(list) EACH_TYPE_ROWS(set) EACH_TYPE_ROWS(zset) EACH_TYPE_ROWS(hash)
        EACH_TYPE_ROWS(stream) STORE_ROWS(list) STORE_ROWS(set) STORE_ROWS(zset)
            STORE_ROWS(hash){"hash field ttl, packed", hash_content, field_ttl_packed, 2, EXACT},
    {"hash field ttl, tree", hash_content, field_ttl_tree, 2, EXACT},
    {"delete a large one", with_large, delete_large, 1, EXACT},
    {"set over a large one", with_large, set_over_large, 1, EXACT},
    {"free the dead", with_dead, reserve_cycle, 1, EXACT},
    {"free the dead for others", full_with_dead, need_what_is_dead, 1, EVICTS},
    {"hash field ttl changed", hash_content, field_ttl_changed, 1, EXACT},
    {"hash field ttl removed", hash_content, field_ttl_removed, 1, EXACT},
    {"hash field ttl in the past", hash_content, field_ttl_past, 1, EXACT},
    {"hash field loses its ttl", hash_content, field_loses_its_ttl, 1, EXACT},
    {"hash field keeps its ttl", hash_content, field_keeps_its_ttl, 1, EXACT},
    {"set pop", set_content, set_pop_one, 1, EXACT},
    {"set of integers, add", set_content, integers_add, 40, EXACT},
    {"list push left", list_content, list_push_left, 30, EXACT},
    {"list push left, packed", list_content, list_push_left_packed, 25, EXACT},
    {"list pop left", list_content, list_pop_left, 40, EXACT},
    {"list pop right", list_content, list_pop_right, 40, EXACT},
    {"list pop left, packed", list_content, list_pop_left_packed, 3, EXACT},
    {"list pop all", list_content, list_pop_all, 6, EXACT},
    {"list insert, tree", list_content, list_insert_tree, 10, EXACT},
    {"list insert, packed", list_content, list_insert_packed, 1, EXACT},
    {"list trim", list_content, list_trim, 2, EXACT},
    {"list cut in the middle", list_content, list_cut_middle, 1, EXACT},
    {"list cut, all", list_content, list_cut_all, 1, EXACT},
    {"zset cut in the middle", zset_content, zset_cut_middle, 1, EXACT},
    {"zset cut, all", zset_content, zset_cut_all, 1, EXACT},
    {"zset cut, packed", zset_content, zset_cut_packed, 1, EXACT},
    {"zset incr, tree", zset_content, zset_incr_tree, 3, EXACT},
    {"zset incr, packed", zset_content, zset_incr_packed, 3, EXACT},
    {"stream create", stream_content, stream_create_new, 1, EXACT},
    {"stream meta", stream_content, stream_meta_change, 1, EXACT},
    {"stream cut", stream_content, stream_cut_some, 1, EXACT},
    {"stream cut, all", stream_content, stream_cut_all, 1, EXACT},
    {"expire cycle over containers", with_expired, expire_cycle, 1, EXACT},
    {"expire cycle after flush of containers", flushed, expire_cycle, 1, EXACT},
    {"moving containers", scattered, reserve_cycle, 1, EXACT},
    {"evict containers for elements", full_of_containers, evict_for_elements, 12, EVICTS},
    {"evict containers for a copy", full_of_containers, evict_for_a_copy, 1, EVICTS},
    {"evict containers for a store", full_of_containers, evict_for_a_store, 1, EVICTS},
    {NULL, NULL, NULL, 0, EXACT},
};
