/* Containers where memory is short: what does not fit changes nothing; evictions take whole
 * containers; the shapes that OBJECT ENCODING tells. */
#include <inttypes.h>
#include <stdlib.h>

#include "forms.h"

static sc_bytes numbered(char name[64], unsigned i, size_t length) {
    memset(name, 'x', 64);
    snprintf(name, 64, "%u", i);
    return BYTES(name, length);
}

static int add(sc_arena *arena, const sc_key *key, int type, unsigned i, sc_bytes value) {
    char name[64];
    sc_bytes member = numbered(name, i, type == SC_HASH ? 12 : 12 + value.length % 50);
    uint64_t length;
    double score;
    int outcome;
    bool added;
    if (type == SC_LIST)
        return ONE_WRITE(arena, key, sc_list_push(tx, key, value, i % 2, false, &length));
    if (type == SC_ZSET)
        return ONE_WRITE(arena, key, sc_zset_add(tx, key, member, i % 9, 0, &score, &outcome));
    if (type == SC_STREAM)
        return ONE_WRITE(arena, key, sc_tree_put(tx, key, i % 5, member, value, &added));
    return ONE_WRITE(arena, key, sc_map_put(tx, key, type, member, value, 0, &added));
}

static void create(sc_arena *arena, const sc_key *key, int type) {
    char meta[SC_STREAM_META] = "";
    if (type == SC_STREAM)
        CHECK_STATUS(ONE_WRITE(arena, key, sc_stream_create(tx, key, meta)), SC_OK);
}

static uint64_t length_of(sc_arena *arena, const sc_key *key, int type) {
    uint64_t length = 0;
    int status = ONE_READ(arena, sc_length(session, key, type, &length));
    CHECK(status == SC_OK || status == SC_MISS, "%s", sc_status_text(status));
    return length;
}

/* One container until nothing fits any more; then it is whole, can shrink, and grow again. */
static void one_fills_it(void) {
    static char value[300];
    for (int form = 0; form < FORMS; form++) {
        for (int type = SC_LIST; type < SC_TYPES; type++) {
            check_note("(form %d, type %d)", form, type);
            bench b = bench_open_form(0, form);
            sc_key key = key_of(0, "it");
            unsigned count = 0;
            int status;
            create(b.arena, &key, type);
            for (;; count++) {
                fill_bytes(value, sizeof(value), count);
                status = add(b.arena, &key, type, count, BYTES(value, count * 7 % sizeof(value)));
                if (status != SC_OK) break;
            }
            CHECK_STATUS(status, SC_NO_MEMORY);
            CHECK(count > 300, "only %u", count);
            check_valid(b.arena);
            for (unsigned i = 0; i < 50; i++) {
                uint64_t before = length_of(b.arena, &key, type);
                fill_bytes(value, sizeof(value), i);
                status = add(b.arena, &key, type, count + i, BYTES(value, sizeof(value)));
                CHECK(status == SC_OK || status == SC_NO_MEMORY, "%s", sc_status_text(status));
                uint64_t after = length_of(b.arena, &key, type);
                CHECK(status == SC_OK || after == before, "refused, and yet there");
            }
            check_valid(b.arena);
            CHECK_STATUS(sc_delete(b.arena, &key), SC_OK);
            create(b.arena, &key, type);
            for (unsigned i = 0; i < count * 9 / 10; i++) {
                fill_bytes(value, sizeof(value), i);
                CHECK_STATUS(add(b.arena, &key, type, i, BYTES(value, i * 7 % sizeof(value))),
                             SC_OK);
            }
            bench_close(&b);
        }
    }
}

/* A value that never fits is refused and changes nothing, in every call that takes one. */
static void too_large_an_element(void) {
    enum { LARGE = 3 << 20 };
    char *large = calloc(1, LARGE);
    sc_bytes that = BYTES(large, LARGE), e = bytes_of("e");
    for (int form = 0; form < FORMS; form++) {
        bench b = bench_open_form(0, form);
        sc_key key = key_of(0, "it");
        uint64_t length;
        bool added;
        double score;
        int outcome;
        char meta[SC_STREAM_META] = "";
        const sc_bytes both[] = {e, that};
        for (int round = 0; round < 2; round++) {
            int status[12], n = 0;
            status[n++] =
                ONE_WRITE(b.arena, &key, sc_map_put(tx, &key, SC_HASH, e, that, 0, &added));
            status[n++] =
                ONE_WRITE(b.arena, &key, sc_map_put(tx, &key, SC_HASH, that, e, 0, &added));
            status[n++] = ONE_WRITE(b.arena, &key, sc_store(tx, &key, SC_HASH, both, 2, NULL, 0));
            if (round) CHECK_STATUS(sc_delete(b.arena, &key), SC_OK);
            if (round) CHECK_STATUS(add(b.arena, &key, SC_LIST, 1, e), SC_OK);
            status[n++] =
                ONE_WRITE(b.arena, &key, sc_list_push(tx, &key, that, false, false, &length));
            status[n++] =
                round ? ONE_WRITE(b.arena, &key, sc_list_replace(tx, &key, 0, that)) : SC_NO_MEMORY;
            status[n++] =
                round ? ONE_WRITE(b.arena, &key, sc_list_insert(tx, &key, 0, that)) : SC_NO_MEMORY;
            if (round) CHECK_STATUS(sc_delete(b.arena, &key), SC_OK);
            status[n++] =
                ONE_WRITE(b.arena, &key, sc_zset_add(tx, &key, that, 1, 0, &score, &outcome));
            CHECK_STATUS(ONE_WRITE(b.arena, &key, sc_stream_create(tx, &key, meta)), SC_OK);
            status[n++] = ONE_WRITE(b.arena, &key, sc_tree_put(tx, &key, 0, that, e, &added));
            status[n++] = ONE_WRITE(b.arena, &key, sc_tree_put(tx, &key, 0, e, that, &added));
            for (int i = 0; i < n; i++)
                CHECK(status[i] == SC_NO_MEMORY || status[i] == SC_VALUE_TOO_LONG, "call %d: %s", i,
                      sc_status_text(status[i]));
            CHECK(length_of(b.arena, &key, SC_STREAM) == 0);
            check_valid(b.arena);
            CHECK_STATUS(sc_delete(b.arena, &key), SC_OK);
            CHECK_STATUS(add(b.arena, &key, SC_HASH, 1, e), SC_OK);
        }
        bench_close(&b);
    }
    free(large);
}

/* When another key goes, it goes with all it holds. */
static void evicted_whole(void) {
    static char value[200];
    for (uint32_t policy = SC_ALLKEYS_LRU; policy <= SC_ALLKEYS_RANDOM; policy++) {
        for (int type = SC_LIST; type < SC_TYPES; type++) {
            check_note("(policy %u, type %d)", policy, type);
            bench b = bench_open(0);
            set_policy(b.arena, policy);
            for (unsigned i = 0; i < 12000; i++) {
                char name[32];
                snprintf(name, sizeof(name), "container %u", i / 60);
                sc_key key = key_of(0, name);
                sc_info info;
                fill_bytes(value, sizeof(value), i);
                sc_bytes bytes = BYTES(value, i % 30 ? 60 + i % 90 : 200);
                int status;
                do { /* it may be evicted itself, between the two or to make room for more of it */
                    if (sc_describe(b.arena, &key, &info, false) == SC_MISS)
                        create(b.arena, &key, type);
                    status = add(b.arena, &key, type, i, bytes);
                } while (status == SC_MISS);
                CHECK_STATUS(status, SC_OK);
                if (i % 1200 == 0) check_valid(b.arena);
            }
            sc_statistics statistics;
            CHECK_STATUS(sc_get_statistics(b.arena, &statistics), SC_OK);
            CHECK(statistics.evicted > 10, "%" PRIu64, statistics.evicted);
            uint64_t deleted;
            CHECK_STATUS(sc_reserve_cycle(b.arena, 100000), SC_OK);
            CHECK_STATUS(sc_expire_cycle(b.arena, 100000, &deleted), SC_OK);
            bench_close(&b);
        }
    }
}

/* Pages full of containers' blocks are emptied by moving them, and nothing changes by that. */
static void moved_blocks(void) {
    enum { KEYS = 12, EACH = 150 };
    static char value[900];
    for (int type = SC_LIST; type < SC_TYPES; type++) {
        bench b = bench_open(0);
        sc_key keys[KEYS];
        char names[KEYS][16], text[64];
        for (unsigned k = 0; k < KEYS; k++) {
            snprintf(names[k], sizeof(names[k]), "c%u", k);
            keys[k] = key_of(0, names[k]);
            create(b.arena, &keys[k], type);
            for (unsigned i = 0; i < EACH; i++) {
                fill_bytes(value, sizeof(value), i);
                sc_bytes bytes = BYTES(value, i % 50 ? i % 60 : sizeof(value));
                CHECK_STATUS(add(b.arena, &keys[k], type, i, bytes), SC_OK);
            }
        }
        for (unsigned k = 0; k < KEYS; k++) {
            if (k % 3) CHECK_STATUS(sc_delete(b.arena, &keys[k]), SC_OK);
        }
        unsigned strings = 0; /* of a size that nothing else has: they need whole pages */
        for (int status = SC_OK; status == SC_OK; strings++) {
            snprintf(text, sizeof(text), "string %u", strings);
            sc_key key = key_of(0, text);
            status = set_bytes(b.arena, &key, value, 450 + strings % 3);
        }
        CHECK(strings > 100, "%u", strings);
        CHECK_STATUS(sc_reserve_cycle(b.arena, 1000000), SC_OK);
        check_valid(b.arena);
        for (unsigned k = 0; k < KEYS; k += 3) {
            uint64_t total = 0;
            gathered got;
            gathered_init(&got);
            if (type == SC_STREAM) {
                for (uint32_t tree = 0; tree < 5; tree++) {
                    CHECK_STATUS(ONE_READ(b.arena, (gathered_reset(&got),
                                                    sc_tree_range(session, &keys[k], tree,
                                                                  bytes_of(""), bytes_of("\xff"),
                                                                  UINT64_MAX, false, &got.items))),
                                 SC_OK);
                    total += got.count / 2;
                }
            } else {
                total = length_of(b.arena, &keys[k], type);
            }
            CHECK(total == EACH, "%" PRIu64, total);
            gathered_free(&got);
        }
        bench_close(&b);
    }
}

/* ---- shapes -----------------------------------------------------------------------------------*/

static int shape_of(bench *b, const sc_key *key) {
    sc_info info;
    CHECK_STATUS(sc_describe(b->arena, key, &info, false), SC_OK);
    return info.shape;
}

/* The first element that makes it another shape; 0 if none of `most` does. */
static unsigned changes_at(bench *b, int type, unsigned most, sc_bytes value, int from, int to) {
    sc_key key = key_of(0, "it");
    unsigned i = 0;
    while (++i <= most) {
        CHECK_STATUS(add(b->arena, &key, type, i, value), SC_OK);
        int shape = shape_of(b, &key);
        if (shape == to) break;
        CHECK(shape == from, "shape %d of %u elements", shape, i);
    }
    CHECK_STATUS(sc_delete(b->arena, &key), SC_OK);
    return i > most ? 0 : i;
}

static void shapes_follow_the_limits(void) {
    bench b = bench_open(UINT64_C(2) << 20);
    sc_tuning tuning;
    sc_bytes small = bytes_of("v");
    sc_get_tuning(b.arena, &tuning);
    tuning.hash_max_listpack_entries = 50;
    tuning.set_max_listpack_entries = 40;
    tuning.zset_max_listpack_entries = 30;
    tuning.list_max_listpack_size = 20;
    CHECK_STATUS(sc_set_tuning(b.arena, &tuning), SC_OK);
    CHECK(changes_at(&b, SC_HASH, 100, small, SC_LISTPACK, SC_HASHTABLE) == 51);
    CHECK(changes_at(&b, SC_SET, 100, small, SC_LISTPACK, SC_HASHTABLE) == 41);
    CHECK(changes_at(&b, SC_ZSET, 100, small, SC_LISTPACK, SC_SKIPLIST) == 31);
    CHECK(changes_at(&b, SC_LIST, 100, small, SC_LISTPACK, SC_QUICKLIST) == 21);
    bench_close(&b);
}

static void shapes_by_long_values(void) {
    static char value[100];
    bench b = bench_open(0);
    sc_key key = key_of(0, "it");
    memset(value, 'v', sizeof(value));
    bool added;
    CHECK_STATUS(add(b.arena, &key, SC_HASH, 1, BYTES(value, 64)), SC_OK);
    CHECK(shape_of(&b, &key) == SC_LISTPACK);
    CHECK_STATUS(add(b.arena, &key, SC_HASH, 1, BYTES(value, 65)), SC_OK);
    CHECK(shape_of(&b, &key) == SC_HASHTABLE);
    CHECK_STATUS(add(b.arena, &key, SC_HASH, 1, BYTES(value, 1)), SC_OK);
    CHECK(shape_of(&b, &key) == SC_HASHTABLE, "there is no way back");
    CHECK_STATUS(sc_delete(b.arena, &key), SC_OK);
    sc_bytes longer = BYTES(value, 65);
    CHECK_STATUS(
        ONE_WRITE(b.arena, &key, sc_map_put(tx, &key, SC_SET, longer, bytes_of(""), 0, &added)),
        SC_OK);
    CHECK(shape_of(&b, &key) == SC_HASHTABLE);
    bench_close(&b);
}

static void shapes_of_integers(void) {
    bench b = bench_open(UINT64_C(1) << 20);
    sc_key key = key_of(0, "set");
    bool added;
    for (unsigned i = 0; i < 513; i++) {
        char text[32];
        snprintf(text, sizeof(text), "%d", (int)i - 100);
        CHECK_STATUS(
            ONE_WRITE(b.arena, &key,
                      sc_map_put(tx, &key, SC_SET, bytes_of(text), bytes_of(""), 0, &added)),
            SC_OK);
        CHECK(shape_of(&b, &key) == (i < 512 ? SC_INTSET : SC_HASHTABLE), "%u integers: shape %d",
              i + 1, shape_of(&b, &key));
    }
    CHECK_STATUS(sc_delete(b.arena, &key), SC_OK);
    const char *const members[] = {"1", "2", "007"};
    for (int i = 0; i < 3; i++) {
        CHECK_STATUS(
            ONE_WRITE(b.arena, &key,
                      sc_map_put(tx, &key, SC_SET, bytes_of(members[i]), bytes_of(""), 0, &added)),
            SC_OK);
        CHECK(shape_of(&b, &key) == (i < 2 ? SC_INTSET : SC_LISTPACK));
    }
    bench_close(&b);
}

static void shape_with_ttls(void) {
    bench b = bench_open(0);
    sc_key key = key_of(0, "hash");
    char name[64];
    CHECK_STATUS(add(b.arena, &key, SC_HASH, 1, bytes_of("v")), SC_OK);
    CHECK(shape_of(&b, &key) == SC_LISTPACK);
    sc_bytes field = numbered(name, 1, 12);
    CHECK_STATUS(ONE_WRITE(b.arena, &key, sc_map_set_expiry(tx, &key, field, now_ms() + 1000000)),
                 SC_OK);
    CHECK(shape_of(&b, &key) == SC_LISTPACKEX);
    bench_close(&b);
}

const unit unit_full[] = {
    {"full/one_fills_it", one_fills_it},
    {"full/too_large_an_element", too_large_an_element},
    {"full/evicted_whole", evicted_whole},
    {"full/moved_blocks", moved_blocks},
    {"shape/follows_the_limits", shapes_follow_the_limits},
    {"shape/by_long_values", shapes_by_long_values},
    {"shape/of_integers", shapes_of_integers},
    {"shape/with_ttls", shape_with_ttls},
    {NULL, NULL},
};
