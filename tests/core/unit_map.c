/* Hashes, sets and sorted sets by member, in each form: packed, as a tree, and over the limit
 * between the two. */
#include <inttypes.h>
#include <stdlib.h>

#include "forms.h"

static const int map_types[] = {SC_HASH, SC_SET, SC_ZSET};
enum { MAP_TYPES = 3 };

/* ---- one call, on one key ---------------------------------------------------------------------*/

static int put(bench *b, const sc_key *key, int type, sc_bytes field, sc_bytes value,
               uint32_t flags, bool *added) {
    double result;
    int outcome = 0, status;
    if (type != SC_ZSET)
        return ONE_WRITE(b->arena, key, sc_map_put(tx, key, type, field, value, flags, added));
    status = ONE_WRITE(b->arena, key,
                       sc_zset_add(tx, key, field, (double)value.length, 0, &result, &outcome));
    *added = outcome & SC_ZADD_ADDED;
    return status;
}

static int drop(bench *b, const sc_key *key, int type, sc_bytes field) {
    if (type == SC_ZSET) return ONE_WRITE(b->arena, key, sc_zset_remove(tx, key, field));
    return ONE_WRITE(b->arena, key, sc_map_remove(tx, key, type, field));
}

static int find(bench *b, const sc_key *key, int type, sc_bytes field) {
    sc_sink *value = type == SC_HASH ? &b->got.sink : NULL;
    return ONE_READ(b->arena, sc_map_find(session, key, type, field, value));
}

static uint64_t length_of(bench *b, const sc_key *key, int type) {
    uint64_t length = 0;
    int status = ONE_READ(b->arena, sc_length(session, key, type, &length));
    CHECK(status == SC_OK || status == SC_MISS, "%s", sc_status_text(status));
    CHECK((status == SC_OK) == (length > 0), "an empty one is there");
    return length;
}

static sc_bytes numbered(char name[32], unsigned i) {
    static const char *const forms[] = {"%u", "member:%u", "%08u", "-%u", "m%u/with a longer name"};
    return BYTES(name, (size_t)snprintf(name, 32, forms[i % 5], i));
}

static void put_numbered(bench *b, const sc_key *key, int type, unsigned i) {
    char name[32], value[64];
    bool added = false;
    size_t bytes = i % sizeof(value);
    fill_bytes(value, bytes, i);
    CHECK_STATUS(put(b, key, type, numbered(name, i), BYTES(value, bytes), 0, &added), SC_OK);
    CHECK(added, "%u", i);
}

static void check_numbered(bench *b, const sc_key *key, int type, unsigned i, bool there) {
    char name[32], value[64];
    CHECK_STATUS(find(b, key, type, numbered(name, i)), there ? SC_OK : SC_MISS);
    if (type != SC_HASH || !there) return;
    fill_bytes(value, i % sizeof(value), i);
    CHECK(buffer_is(&b->got, value, i % sizeof(value)), "%u", i);
}

/* ---- elements come and go ---------------------------------------------------------------------*/

static void come_and_go(bench *b, int type) {
    enum { COUNT = 3000 };
    sc_key key = key_of(0, "k");
    for (unsigned i = 0; i < COUNT; i++) {
        put_numbered(b, &key, type, i * 7 % COUNT);
        if (i % 100 == 0) check_numbered(b, &key, type, (i + 1) * 7 % COUNT, false);
    }
    CHECK(length_of(b, &key, type) == COUNT);
    check_valid(b->arena);
    for (unsigned i = 0; i < COUNT; i++)
        check_numbered(b, &key, type, i, true);
    char name[32];
    for (unsigned i = 0; i < COUNT; i += 2)
        CHECK_STATUS(drop(b, &key, type, numbered(name, i)), SC_OK);
    CHECK(length_of(b, &key, type) == COUNT / 2);
    check_valid(b->arena);
    for (unsigned i = 0; i < COUNT; i++)
        check_numbered(b, &key, type, i, i % 2);
    for (unsigned i = 1; i < COUNT; i += 2) {
        CHECK(sc_db_keys(b->arena, 0) == 1);
        CHECK_STATUS(drop(b, &key, type, numbered(name, i)), SC_OK);
        CHECK_STATUS(drop(b, &key, type, numbered(name, i)), SC_MISS);
    }
    CHECK(length_of(b, &key, type) == 0 && sc_db_keys(b->arena, 0) == 0);
}

static void maps_come_and_go(void) {
    for (int form = 0; form < FORMS; form++) {
        for (int t = 0; t < MAP_TYPES; t++) {
            bench b = bench_open_form(UINT64_C(2) << 20, form);
            check_note("(form %d, type %d)", form, map_types[t]);
            come_and_go(&b, map_types[t]);
            bench_close(&b);
        }
    }
}

/* ---- odd bytes --------------------------------------------------------------------------------*/

static void odd_names(bench *b, int type) {
    sc_key key = key_of(3, "odd");
    bool added = false;
    for (size_t i = 0; i < odd_count(); i++) {
        sc_bytes name = odd_bytes(i), value = odd_bytes(odd_count() - 1 - i);
        CHECK_STATUS(find(b, &key, type, name), SC_MISS);
        CHECK_STATUS(put(b, &key, type, name, value, 0, &added), SC_OK);
        CHECK(added, "%zu", i);
        CHECK_STATUS(put(b, &key, type, name, value, 0, &added), SC_OK);
        CHECK(!added, "%zu is there twice", i);
    }
    CHECK(length_of(b, &key, type) == odd_count());
    check_valid(b->arena);
    for (size_t i = 0; i < odd_count(); i++) {
        sc_bytes want = odd_bytes(odd_count() - 1 - i);
        CHECK_STATUS(find(b, &key, type, odd_bytes(i)), SC_OK);
        if (type == SC_HASH) CHECK(buffer_is(&b->got, want.bytes, want.length), "%zu", i);
    }
    for (size_t i = 0; i < odd_count(); i++) { /* in their turn they replace each other */
        CHECK_STATUS(put(b, &key, type, odd_bytes(i), odd_bytes(i), 0, &added), SC_OK);
        CHECK(!added);
        CHECK_STATUS(find(b, &key, type, odd_bytes(i)), SC_OK);
        if (type == SC_HASH)
            CHECK(buffer_is(&b->got, odd_bytes(i).bytes, odd_bytes(i).length), "%zu", i);
    }
    check_valid(b->arena);
    for (size_t i = 0; i < odd_count(); i++) {
        CHECK_STATUS(drop(b, &key, type, odd_bytes(i)), SC_OK);
        CHECK_STATUS(find(b, &key, type, odd_bytes(i)), SC_MISS);
    }
    CHECK(sc_db_keys(b->arena, 3) == 0);
}

static void maps_of_odd_names(void) {
    for (int form = 0; form < FORMS; form++) {
        for (int t = 0; t < MAP_TYPES; t++) {
            bench b = bench_open_form(UINT64_C(4) << 20, form);
            check_note("(form %d, type %d)", form, map_types[t]);
            odd_names(&b, map_types[t]);
            bench_close(&b);
        }
    }
}

/* A value grows and shrinks in place, by itself and among others. */
static void values_of_every_length(void) {
    static char value[9000];
    for (int form = 0; form < FORMS; form++) {
        bench b = bench_open_form(UINT64_C(1) << 20, form);
        sc_key key = key_of(0, "h");
        bool added;
        for (size_t length = 0; length < sizeof(value); length += length < 3000 ? 7 : 211) {
            for (unsigned i = 0; i < 3; i++) {
                char name[8];
                size_t bytes = i == 1 ? length : length * 13 % 50;
                fill_bytes(value, bytes, length + i);
                snprintf(name, sizeof(name), "f%u", i);
                CHECK_STATUS(put(&b, &key, SC_HASH, bytes_of(name), BYTES(value, bytes), 0, &added),
                             SC_OK);
                CHECK_STATUS(find(&b, &key, SC_HASH, bytes_of(name)), SC_OK);
                CHECK(buffer_is(&b.got, value, bytes), "%zu bytes", bytes);
            }
        }
        CHECK(length_of(&b, &key, SC_HASH) == 3);
        bench_close(&b);
    }
}

/* ---- conditions -------------------------------------------------------------------------------*/

static void check_field(bench *b, const sc_key *key, const char *field, const char *value) {
    CHECK_STATUS(find(b, key, SC_HASH, bytes_of(field)), value ? SC_OK : SC_MISS);
    if (value) CHECK(buffer_is(&b->got, value, strlen(value)), "'%s'", b->got.bytes);
}

static int put_text(bench *b, const sc_key *key, const char *field, const char *value,
                    uint32_t flags, bool *added) {
    return put(b, key, SC_HASH, bytes_of(field), bytes_of(value), flags, added);
}

static void put_conditions(void) {
    for (int form = 0; form < FORMS; form++) {
        bench b = bench_open_form(0, form);
        sc_key key = key_of(0, "h");
        bool added;
        CHECK_STATUS(put_text(&b, &key, "f", "1", SC_PUT_XX, &added), SC_UNCHANGED);
        CHECK(sc_db_keys(b.arena, 0) == 0, "a refused write left a key");
        CHECK_STATUS(put_text(&b, &key, "f", "1", SC_PUT_NX, &added), SC_OK);
        CHECK(added);
        CHECK_STATUS(put_text(&b, &key, "f", "2", SC_PUT_NX, &added), SC_UNCHANGED);
        check_field(&b, &key, "f", "1");
        CHECK_STATUS(put_text(&b, &key, "f", "3", SC_PUT_XX, &added), SC_OK);
        CHECK(!added);
        check_field(&b, &key, "f", "3");
        CHECK_STATUS(put_text(&b, &key, "g", "3", SC_PUT_XX, &added), SC_UNCHANGED);
        check_field(&b, &key, "g", NULL);
        CHECK(length_of(&b, &key, SC_HASH) == 1);
        bench_close(&b);
    }
}

/* ---- a field's time to live -------------------------------------------------------------------*/

static uint64_t expiry_of(bench *b, const sc_key *key, const char *field) {
    uint64_t expire_ms = 1;
    int status = ONE_READ(b->arena, sc_map_expiry(session, key, bytes_of(field), &expire_ms));
    CHECK(status == SC_OK || status == SC_MISS, "%s", sc_status_text(status));
    return status == SC_OK ? expire_ms : UINT64_MAX;
}

static int expire_field(bench *b, const sc_key *key, const char *field, uint64_t expire_ms) {
    return ONE_WRITE(b->arena, key, sc_map_set_expiry(tx, key, bytes_of(field), expire_ms));
}

static void fields_expire(void) {
    for (int form = 0; form < FORMS; form++) {
        bench b = bench_open_form(0, form);
        sc_key key = key_of(0, "h");
        uint64_t far = now_ms() + 3600000;
        bool added;
        CHECK_STATUS(expire_field(&b, &key, "f", far), SC_MISS);
        CHECK(sc_db_keys(b.arena, 0) == 0);
        CHECK_STATUS(put_text(&b, &key, "f", "value", 0, &added), SC_OK);
        CHECK_STATUS(put_text(&b, &key, "g", "12", 0, &added), SC_OK);
        CHECK(expiry_of(&b, &key, "f") == 0 && expiry_of(&b, &key, "x") == UINT64_MAX);
        CHECK_STATUS(expire_field(&b, &key, "x", far), SC_MISS);
        CHECK_STATUS(expire_field(&b, &key, "f", far), SC_OK);
        CHECK(expiry_of(&b, &key, "f") == far && expiry_of(&b, &key, "g") == 0);
        CHECK_STATUS(expire_field(&b, &key, "f", far + 5), SC_OK);
        CHECK(expiry_of(&b, &key, "f") == far + 5);
        check_field(&b, &key, "f", "value");
        CHECK_STATUS(put_text(&b, &key, "f", "kept", SC_PUT_KEEP_TTL, &added), SC_OK);
        CHECK(expiry_of(&b, &key, "f") == far + 5);
        check_field(&b, &key, "f", "kept");
        CHECK_STATUS(expire_field(&b, &key, "f", 0), SC_OK);
        CHECK(expiry_of(&b, &key, "f") == 0);
        CHECK_STATUS(expire_field(&b, &key, "f", far), SC_OK);
        CHECK_STATUS(put_text(&b, &key, "f", "lost", 0, &added), SC_OK);
        CHECK(!added && expiry_of(&b, &key, "f") == 0);
        check_valid(b.arena);
        bench_close(&b);
    }
}

static void dead_fields_are_missing(void) {
    for (int form = 0; form < FORMS; form++) {
        bench b = bench_open_form(0, form);
        sc_key key = key_of(0, "h");
        gathered all;
        bool added;
        gathered_init(&all);
        for (unsigned i = 0; i < 40; i++)
            put_numbered(&b, &key, SC_HASH, i);
        CHECK_STATUS(put_text(&b, &key, "f", "v", 0, &added), SC_OK);
        uint64_t soon = now_ms() + 30;
        CHECK_STATUS(expire_field(&b, &key, "f", soon), SC_OK);
        wait_until_ms(soon + 1);
        check_field(&b, &key, "f", NULL);
        CHECK(expiry_of(&b, &key, "f") == UINT64_MAX);
        CHECK_STATUS(expire_field(&b, &key, "f", soon + 1000000), SC_MISS);
        CHECK_STATUS(ONE_READ(b.arena, (gathered_reset(&all),
                                        sc_map_all(session, &key, SC_HASH, SC_FIELDS, &all.items))),
                     SC_OK);
        CHECK(all.count == 40, "%zu", all.count);
        CHECK_STATUS(drop(&b, &key, SC_HASH, bytes_of("f")), SC_MISS);
        CHECK_STATUS(put_text(&b, &key, "f", "v", 0, &added), SC_OK);
        CHECK_STATUS(expire_field(&b, &key, "f", 1), SC_OK);
        check_field(&b, &key, "f", NULL);
        CHECK_STATUS(put_text(&b, &key, "f", "v", SC_PUT_XX, &added), SC_UNCHANGED);
        CHECK_STATUS(put_text(&b, &key, "f", "again", SC_PUT_NX, &added), SC_OK);
        CHECK(added && expiry_of(&b, &key, "f") == 0);
        check_field(&b, &key, "f", "again");
        CHECK(length_of(&b, &key, SC_HASH) == 41);
        gathered_free(&all);
        bench_close(&b);
    }
}

/* The same bytes, found again whatever lies around them in the leaf. */
static void ttls_of_many_fields(void) {
    for (int form = 0; form < FORMS; form++) {
        bench b = bench_open_form(UINT64_C(1) << 20, form);
        sc_key key = key_of(0, "h");
        uint64_t far = now_ms() + 3600000;
        char name[32];
        enum { COUNT = 600 };
        for (unsigned i = 0; i < COUNT; i++)
            put_numbered(&b, &key, SC_HASH, i);
        for (unsigned i = 0; i < COUNT; i++) {
            sc_bytes field = numbered(name, i);
            if (i % 3) continue;
            CHECK_STATUS(ONE_WRITE(b.arena, &key, sc_map_set_expiry(tx, &key, field, far + i)),
                         SC_OK);
        }
        check_valid(b.arena);
        for (unsigned i = 0; i < COUNT; i++) {
            sc_bytes field = numbered(name, i);
            uint64_t expire_ms = 1;
            check_numbered(&b, &key, SC_HASH, i, true);
            CHECK_STATUS(ONE_READ(b.arena, sc_map_expiry(session, &key, field, &expire_ms)), SC_OK);
            CHECK(expire_ms == (i % 3 ? 0 : far + i), "%u: %" PRIu64, i, expire_ms);
            int status = ONE_WRITE(b.arena, &key, sc_map_set_expiry(tx, &key, field, 0));
            CHECK(status == SC_OK || status == SC_UNCHANGED, "%s", sc_status_text(status));
        }
        bench_close(&b);
    }
}

/* ---- other types ------------------------------------------------------------------------------*/

static void make_of_type(bench *b, const sc_key *key, int type) {
    uint64_t length;
    bool added;
    char meta[SC_STREAM_META] = "";
    int status = SC_OK;
    if (type == SC_STRING)
        status = set_bytes(b->arena, key, "text", 4);
    else if (type == SC_LIST)
        status =
            ONE_WRITE(b->arena, key, sc_list_push(tx, key, bytes_of("e"), false, false, &length));
    else if (type == SC_STREAM)
        status = ONE_WRITE(b->arena, key, sc_stream_create(tx, key, meta));
    else
        status = put(b, key, type, bytes_of("e"), bytes_of("v"), 0, &added);
    CHECK_STATUS(status, SC_OK);
}

static void map_refuses(bench *b, const sc_key *key, int type) {
    uint64_t length, cursor = 0;
    bool added;
    sc_bytes e = bytes_of("e");
    sc_items *items = NULL; /* nothing is to be given */
    CHECK_STATUS(ONE_READ(b->arena, sc_length(session, key, type, &length)), SC_WRONG_TYPE);
    CHECK_STATUS(find(b, key, type, e), SC_WRONG_TYPE);
    CHECK_STATUS(ONE_READ(b->arena, sc_map_all(session, key, type, SC_FIELDS, items)),
                 SC_WRONG_TYPE);
    CHECK_STATUS(ONE_READ(b->arena, sc_map_scan(session, key, type, &cursor, 9, SC_FIELDS, items)),
                 SC_WRONG_TYPE);
    CHECK_STATUS(ONE_READ(b->arena, sc_map_random(session, key, type, 2, true, SC_FIELDS, items)),
                 SC_WRONG_TYPE);
    CHECK_STATUS(put(b, key, type, e, e, 0, &added), SC_WRONG_TYPE);
    CHECK_STATUS(drop(b, key, type, e), SC_WRONG_TYPE);
    if (type == SC_HASH) {
        CHECK_STATUS(ONE_READ(b->arena, sc_map_expiry(session, key, e, &length)), SC_WRONG_TYPE);
        CHECK_STATUS(ONE_WRITE(b->arena, key, sc_map_set_expiry(tx, key, e, 9)), SC_WRONG_TYPE);
    }
    if (type == SC_SET)
        CHECK_STATUS(ONE_WRITE(b->arena, key, sc_set_pop(tx, key, &b->got.sink)), SC_WRONG_TYPE);
}

static void map_misses(bench *b, const sc_key *key, int type) {
    uint64_t length, cursor = 0;
    sc_bytes e = bytes_of("e");
    CHECK_STATUS(ONE_READ(b->arena, sc_length(session, key, type, &length)), SC_MISS);
    CHECK_STATUS(find(b, key, type, e), SC_MISS);
    CHECK_STATUS(ONE_READ(b->arena, sc_map_all(session, key, type, SC_FIELDS, NULL)), SC_MISS);
    CHECK_STATUS(ONE_READ(b->arena, sc_map_scan(session, key, type, &cursor, 9, SC_FIELDS, NULL)),
                 SC_MISS);
    CHECK_STATUS(ONE_READ(b->arena, sc_map_random(session, key, type, 2, true, SC_FIELDS, NULL)),
                 SC_MISS);
    CHECK_STATUS(drop(b, key, type, e), SC_MISS);
    if (type == SC_SET)
        CHECK_STATUS(ONE_WRITE(b->arena, key, sc_set_pop(tx, key, &b->got.sink)), SC_MISS);
}

static void maps_know_their_type(void) {
    for (int form = 0; form < FORMS; form++) {
        bench b = bench_open_form(0, form);
        for (int held = SC_STRING; held < SC_TYPES; held++) {
            sc_key key = key_of(0, "k");
            for (int t = 0; t < MAP_TYPES; t++)
                map_misses(&b, &key, map_types[t]);
            make_of_type(&b, &key, held);
            for (int t = 0; t < MAP_TYPES; t++) {
                if (map_types[t] != held) map_refuses(&b, &key, map_types[t]);
            }
            sc_info info;
            CHECK_STATUS(sc_describe(b.arena, &key, &info, false), SC_OK);
            CHECK(info.type == held, "%u", info.type);
            CHECK_STATUS(sc_delete(b.arena, &key), SC_OK);
        }
        bench_close(&b);
    }
}

static char *refuse(sc_sink *sink, size_t length) {
    (void)sink, (void)length;
    return NULL;
}

static void readers_that_give_up(void) {
    for (int form = 0; form < FORMS; form++) {
        for (int t = 0; t < MAP_TYPES; t++) {
            bench b = bench_open_form(0, form);
            sc_key key = key_of(0, "k");
            int type = map_types[t];
            check_note("(form %d, type %d)", form, type);
            sc_sink never = {.reserve = refuse};
            gathered few;
            uint64_t cursor = 0;
            gathered_init(&few);
            few.most = 3;
            for (unsigned i = 0; i < 50; i++)
                put_numbered(&b, &key, type, i);
            sc_bytes name = bytes_of("5");
            if (type == SC_HASH)
                CHECK_STATUS(ONE_READ(b.arena, sc_map_find(session, &key, type, name, &never)),
                             SC_NO_MEMORY);
            CHECK_STATUS(
                ONE_READ(b.arena, (gathered_reset(&few),
                                   sc_map_all(session, &key, type, SC_FIELDS, &few.items))),
                SC_NO_MEMORY);
            CHECK_STATUS(
                ONE_READ(b.arena, (gathered_reset(&few), sc_map_scan(session, &key, type, &cursor,
                                                                     40, SC_FIELDS, &few.items))),
                SC_NO_MEMORY);
            CHECK_STATUS(ONE_READ(b.arena, (gathered_reset(&few),
                                            sc_map_random(session, &key, type, 20, false, SC_FIELDS,
                                                          &few.items))),
                         SC_NO_MEMORY);
            if (type == SC_SET)
                CHECK_STATUS(ONE_WRITE(b.arena, &key, sc_set_pop(tx, &key, &never)), SC_NO_MEMORY);
            CHECK(length_of(&b, &key, type) == 50, "taken, and given to nobody");
            gathered_free(&few);
            bench_close(&b);
        }
    }
}

const unit unit_map[] = {
    {"map/come_and_go", maps_come_and_go},
    {"map/odd_names", maps_of_odd_names},
    {"map/values_of_every_length", values_of_every_length},
    {"map/put_conditions", put_conditions},
    {"map/fields_expire", fields_expire},
    {"map/dead_fields_are_missing", dead_fields_are_missing},
    {"map/ttls_of_many_fields", ttls_of_many_fields},
    {"map/types", maps_know_their_type},
    {"map/readers_that_give_up", readers_that_give_up},
    {NULL, NULL},
};
