/* Containers as whole values: stored, copied, renamed, deleted, overwritten, evicted, refused. */
#include <inttypes.h>
#include <stdlib.h>

#include "forms.h"

/* ---- containers of any size -------------------------------------------------------------------*/

static sc_bytes name_of(char name[64], unsigned i) {
    return BYTES(name, (size_t)snprintf(name, 64, i % 3 ? "element %u" : "%u", i));
}

/* One with a long element now and then. */
static sc_bytes value_of(char value[4000], unsigned i) {
    size_t length = i % 40 == 39 ? 600 + i % 3000 : i % 70;
    fill_bytes(value, length, i);
    return BYTES(value, length);
}

static void add_cell(box *to, unsigned i) {
    char name[64], value[4000];
    sc_bytes n = name_of(name, i), v = value_of(value, i), none = bytes_of("");
    row *row = &to->rows[0];
    bool there = false;
    size_t at = row->count;
    if (to->type == SC_STREAM) {
        row = &to->rows[i % SC_STREAM_TREES];
        at = row_place(row, n, &there);
    }
    if (to->type == SC_ZSET) at = row_place_scored(row, i % 7, n);
    bool valued = to->type == SC_HASH || to->type == SC_STREAM;
    row_insert(row, at, to->type == SC_LIST ? v : n, valued ? v : none);
    row->cells[at].score = to->type == SC_ZSET ? i % 7 : 0;
}

static int add_element(sc_tx *tx, const sc_key *key, int type, unsigned i) {
    char name[64], value[4000];
    sc_bytes n = name_of(name, i), v = value_of(value, i);
    uint64_t length;
    double score;
    int outcome;
    bool added;
    if (type == SC_LIST) return sc_list_push(tx, key, v, false, false, &length);
    if (type == SC_ZSET) return sc_zset_add(tx, key, n, i % 7, 0, &score, &outcome);
    if (type == SC_STREAM) return sc_tree_put(tx, key, i % SC_STREAM_TREES, n, v, &added);
    return sc_map_put(tx, key, type, n, type == SC_HASH ? v : bytes_of(""), 0, &added);
}

/* In the arena and as a box. */
static box make(bench *b, const sc_key *key, int type, unsigned size) {
    box made = {.present = false};
    box_make(&made, type);
    memset(made.meta, 'm', sizeof(made.meta));
    if (type == SC_STREAM)
        CHECK_STATUS(ONE_WRITE(b->arena, key, sc_stream_create(tx, key, made.meta)), SC_OK);
    for (unsigned i = 0; i < size; i++) {
        add_cell(&made, i);
        CHECK_STATUS(ONE_WRITE(b->arena, key, add_element(tx, key, type, i)), SC_OK);
    }
    return made;
}

static void check_box(bench *b, const sc_key *key, const box *want) {
    sc_session session;
    int status = SC_OK;
    sc_session_start(&session, b->arena);
    do { /* nobody else writes: one round is all */
        box_compare(&session, key, want);
    } while (sc_session_again(&session, &status));
    sc_session_end(&session);
    sc_info info;
    status = sc_describe(b->arena, key, &info, false);
    CHECK_STATUS(status, want->present ? SC_OK : SC_MISS);
    if (!want->present) return;
    CHECK(info.type == want->type && info.expire_ms == want->expire_ms);
    CHECK(info.value_bytes == want->rows[0].count, "%" PRIu64, info.value_bytes);
}

static const unsigned sizes[] = {1, 3, 60, 900};
enum { SIZES = 4 };

typedef void (*with_container)(bench *b, const sc_key *key, box *made);

/* Each type in each size and form, in an arena of its own. */
static void with_each(with_container work) {
    for (int form = 0; form < FORMS; form++) {
        for (int type = SC_LIST; type < SC_TYPES; type++) {
            for (int s = 0; s < SIZES; s++) {
                check_note("(form %d, type %d, size %u)", form, type, sizes[s]);
                bench b = bench_open_form(UINT64_C(2) << 20, form);
                sc_key key = key_of(1, "it");
                box made = make(&b, &key, type, sizes[s]);
                check_box(&b, &key, &made);
                work(&b, &key, &made);
                check_box(&b, &key, &made);
                box_clear(&made);
                bench_close(&b);
            }
        }
    }
}

static uint64_t used_bytes(bench *b) {
    sc_statistics statistics;
    CHECK_STATUS(sc_get_statistics(b->arena, &statistics), SC_OK);
    return statistics.used_bytes;
}

/* ---- deleted, overwritten, flushed ------------------------------------------------------------*/

static void delete_it(bench *b, const sc_key *key, box *made) {
    CHECK_STATUS(sc_delete(b->arena, key), SC_OK);
    CHECK_STATUS(sc_delete(b->arena, key), SC_MISS);
    box_clear(made);
    check_valid(b->arena);
}
static void deleted(void) {
    with_each(delete_it);
}

static void overwrite_it(bench *b, const sc_key *key, box *made) {
    int64_t number;
    uint64_t length;
    bool had = false;
    sc_set_args args = {.value = "text", .value_bytes = 4, .old = &b->got.sink, .had_old = &had};
    CHECK_STATUS(sc_get(b->arena, key, &b->got.sink), SC_WRONG_TYPE);
    CHECK_STATUS(sc_get_range(b->arena, key, 0, -1, &b->got.sink), SC_WRONG_TYPE);
    CHECK_STATUS(sc_incr(b->arena, key, 1, &number), SC_WRONG_TYPE);
    CHECK_STATUS(sc_append(b->arena, key, "x", 1, &length), SC_WRONG_TYPE);
    CHECK_STATUS(sc_get_delete(b->arena, key, &b->got.sink), SC_WRONG_TYPE);
    CHECK_STATUS(sc_set(b->arena, key, &args), SC_WRONG_TYPE);
    check_box(b, key, made);
    sc_sink *sinks[] = {&b->got.sink};
    int status = SC_OK;
    CHECK_STATUS(sc_get_many(b->arena, key, 1, sinks, &status), SC_OK);
    CHECK_STATUS(status, SC_MISS);
    args.old = NULL;
    args.had_old = NULL;
    args.flags = SC_SET_NX;
    CHECK_STATUS(sc_set(b->arena, key, &args), SC_UNCHANGED);
    check_box(b, key, made);
    args.flags = SC_SET_XX;
    CHECK_STATUS(sc_set(b->arena, key, &args), SC_OK);
    check_text(b->arena, key->db, key->bytes, "text");
    box_make(made, SC_STRING);
    CHECK_STATUS(sc_delete(b->arena, key), SC_OK);
    box_clear(made);
}
static void overwritten(void) {
    with_each(overwrite_it);
}

static void flush_it(bench *b, const sc_key *key, box *made) {
    uint64_t deleted_keys;
    CHECK_STATUS(sc_flush_db(b->arena, (int32_t)key->db), SC_OK);
    box_clear(made);
    check_box(b, key, made);
    CHECK_STATUS(sc_expire_cycle(b->arena, 10000000, &deleted_keys), SC_OK);
    CHECK(deleted_keys == 1, "%" PRIu64, deleted_keys);
}
static void flushed(void) {
    with_each(flush_it);
}

/* All that a container took comes back, whatever it held: else this runs full. */
static void nothing_is_lost(void) {
    for (int type = SC_LIST; type < SC_TYPES; type++) {
        bench b = bench_open(0);
        uint64_t before = 0;
        for (unsigned round = 0; round < 30; round++) {
            sc_key key = key_of(0, "it");
            box made = make(&b, &key, type, 150 + round);
            box_clear(&made);
            CHECK_STATUS(sc_delete(b.arena, &key), SC_OK);
            if (round == 5) before = used_bytes(&b);
        }
        CHECK(used_bytes(&b) < before + 60000, "%" PRIu64 " grew to %" PRIu64, before,
              used_bytes(&b));
        bench_close(&b);
    }
}

/* ---- times to live ----------------------------------------------------------------------------*/

static void expire_it(bench *b, const sc_key *key, box *made) {
    made->expire_ms = now_ms() + 1000000;
    CHECK_STATUS(sc_expire(b->arena, key, made->expire_ms, 0), SC_OK);
    check_box(b, key, made);
    CHECK(sc_db_expires(b->arena, key->db) == 1);
    made->expire_ms += 7;
    CHECK_STATUS(sc_expire(b->arena, key, made->expire_ms, SC_EXPIRE_GT), SC_OK);
    check_box(b, key, made);
    for (unsigned i = 1000; i < 1100; i++) { /* it survives changes, conversions too */
        CHECK_STATUS(ONE_WRITE(b->arena, key, add_element(tx, key, made->type, i)), SC_OK);
        add_cell(made, i);
    }
    check_box(b, key, made);
    made->expire_ms = 0;
    CHECK_STATUS(sc_expire(b->arena, key, 0, 0), SC_OK);
    check_box(b, key, made);
    CHECK(sc_db_expires(b->arena, key->db) == 0);
    uint64_t soon = now_ms() + 20;
    CHECK_STATUS(sc_expire(b->arena, key, soon, 0), SC_OK);
    wait_until_ms(soon + 1);
    box_clear(made);
    check_box(b, key, made);
    /* In a dead one's place comes a new one, of another type. */
    int other = made->type == SC_SET ? SC_LIST : SC_SET;
    CHECK_STATUS(ONE_WRITE(b->arena, key, add_element(tx, key, other, 2)), SC_OK);
    box_make(made, other);
    add_cell(made, 2);
}
static void expiring(void) {
    with_each(expire_it);
}

/* ---- copies and renames -----------------------------------------------------------------------*/

static int copy_or_rename(bench *b, const sc_key *from, const sc_key *to, bool copy, bool replace) {
    sc_key keys[] = {*from, *to};
    sc_tx *tx;
    int status, attempts = 0;
    do {
        CHECK_STATUS(sc_tx_begin(b->arena, keys, 2, &tx), SC_OK);
        status = copy ? sc_tx_copy(tx, from, to, replace) : sc_tx_rename(tx, from, to);
    } while (sc_tx_end(tx, status, &attempts));
    return status;
}

static void copy_it(bench *b, const sc_key *key, box *made) {
    sc_key to = key_of(2, "the copy, which has a longer name than the one it is made from");
    made->expire_ms = made->rows[0].count % 2 ? now_ms() + 1000000 : 0;
    if (made->expire_ms) CHECK_STATUS(sc_expire(b->arena, key, made->expire_ms, 0), SC_OK);
    CHECK_STATUS(copy_or_rename(b, key, &to, true, false), SC_OK);
    check_box(b, &to, made);
    CHECK_STATUS(copy_or_rename(b, key, &to, true, false), SC_UNCHANGED);
    CHECK_STATUS(copy_or_rename(b, key, &to, true, true), SC_OK);
    check_box(b, &to, made);
    check_valid(b->arena);
    for (unsigned i = 2000; i < 2100; i++) /* from now on they are two */
        CHECK_STATUS(ONE_WRITE(b->arena, &to, add_element(tx, &to, made->type, i)), SC_OK);
    check_box(b, key, made);
    sc_key other = key_of(2, "text"), none = key_of(2, "none");
    CHECK_STATUS(set_text(b->arena, 2, "text", "v"), SC_OK);
    CHECK_STATUS(copy_or_rename(b, key, &other, true, true), SC_OK);
    check_box(b, &other, made);
    CHECK_STATUS(copy_or_rename(b, &none, &other, true, true), SC_MISS);
    check_box(b, &other, made);
    CHECK_STATUS(set_text(b->arena, 2, "none", "short"), SC_OK);
    CHECK_STATUS(copy_or_rename(b, &none, &other, true, true), SC_OK);
    check_text(b->arena, 2, "text", "short");
    CHECK_STATUS(sc_delete(b->arena, &to), SC_OK);
}
static void copied(void) {
    with_each(copy_it);
}

static void rename_it(bench *b, const sc_key *key, box *made) {
    sc_key to = key_of(2, "another name, which is longer"), none = key_of(3, "none");
    box nothing = {.present = false};
    CHECK_STATUS(copy_or_rename(b, &none, key, false, false), SC_MISS);
    check_box(b, key, made);
    CHECK_STATUS(copy_or_rename(b, key, key, false, false), SC_OK);
    check_box(b, key, made);
    made->expire_ms = made->rows[0].count % 2 ? now_ms() + 1000000 : 0;
    if (made->expire_ms) CHECK_STATUS(sc_expire(b->arena, key, made->expire_ms, 0), SC_OK);
    CHECK_STATUS(copy_or_rename(b, key, &to, false, false), SC_OK);
    check_box(b, key, &nothing);
    check_box(b, &to, made);
    check_valid(b->arena);
    for (unsigned i = 2000; i < 2040; i++) { /* its blocks know their new owner */
        CHECK_STATUS(ONE_WRITE(b->arena, &to, add_element(tx, &to, made->type, i)), SC_OK);
        add_cell(made, i);
    }
    check_valid(b->arena);
    CHECK_STATUS(set_text(b->arena, key->db, key->bytes, "in the way"), SC_OK);
    CHECK_STATUS(copy_or_rename(b, &to, key, false, false), SC_OK);
    check_box(b, &to, &nothing);
    check_valid(b->arena);
}
static void renamed(void) {
    with_each(rename_it);
}

static void rename_over(bench *b, const sc_key *key, box *made) {
    sc_key other = key_of(0, "over");
    for (int type = SC_LIST; type < SC_TYPES; type++) {
        box over = make(b, &other, type, 100);
        box_clear(&over);
        CHECK_STATUS(copy_or_rename(b, key, &other, false, false), SC_OK);
        check_box(b, &other, made);
        CHECK_STATUS(copy_or_rename(b, &other, key, false, false), SC_OK);
        check_valid(b->arena);
    }
}
static void renamed_over_others(void) {
    with_each(rename_over);
}

static void renamed_strings(void) {
    const size_t lengths[] = {0, 20, 5000, 100000};
    char *value = malloc(100000);
    for (int i = 0; i < 4; i++) {
        bench b = bench_open(UINT64_C(2) << 20);
        sc_key from = key_of(0, "from"), to = key_of(1, "to");
        fill_bytes(value, lengths[i], 1);
        CHECK_STATUS(set_bytes(b.arena, &from, value, lengths[i]), SC_OK);
        CHECK_STATUS(sc_expire(b.arena, &from, now_ms() + 1000000, 0), SC_OK);
        CHECK_STATUS(copy_or_rename(&b, &from, &to, false, false), SC_OK);
        check_missing(b.arena, 0, "from");
        CHECK_STATUS(sc_get(b.arena, &to, &b.got.sink), SC_OK);
        CHECK(buffer_is(&b.got, value, lengths[i]) && sc_db_expires(b.arena, 1) == 1);
        CHECK_STATUS(set_text(b.arena, 0, "from", "-5"), SC_OK);
        CHECK_STATUS(copy_or_rename(&b, &from, &to, false, false), SC_OK);
        check_text(b.arena, 1, "to", "-5");
        CHECK(sc_db_expires(b.arena, 1) == 0);
        bench_close(&b);
    }
    free(value);
}

/* ---- aborted ----------------------------------------------------------------------------------*/

static void abort_all(bench *b, const sc_key *key, box *made) {
    sc_key other = key_of(0, "other"), keys[] = {*key, other};
    sc_bytes items[] = {bytes_of("a"), bytes_of("b")};
    for (int way = 0; way < 6; way++) {
        sc_tx *tx;
        CHECK_STATUS(sc_tx_begin(b->arena, keys, 2, &tx), SC_OK);
        for (unsigned i = 3000; i < 3150; i++)
            CHECK_STATUS(add_element(tx, key, made->type, i), SC_OK);
        if (way == 1) CHECK_STATUS(sc_tx_delete(tx, key), SC_OK);
        if (way == 2) CHECK_STATUS(sc_tx_rename(tx, key, &other), SC_OK);
        if (way == 3) CHECK_STATUS(sc_tx_copy(tx, key, &other, true), SC_OK);
        if (way == 4) CHECK_STATUS(sc_store(tx, key, SC_LIST, items, 2, NULL, 0), SC_OK);
        if (way == 5) CHECK_STATUS(sc_tx_expire(tx, key, 1, 0), SC_OK);
        sc_tx_abort(tx);
        check_box(b, key, made);
        check_valid(b->arena);
    }
}
static void aborted(void) {
    with_each(abort_all);
}

/* ---- stored -----------------------------------------------------------------------------------*/

static int store_box(bench *b, const sc_key *key, const box *what) {
    const row *row = &what->rows[0];
    bool pairs = what->type == SC_HASH;
    sc_bytes *items = calloc(row->count * 2 + 1, sizeof(*items));
    double *scores = calloc(row->count + 1, sizeof(*scores));
    uint64_t count = 0;
    for (size_t i = 0; i < row->count; i++) {
        const cell *cell = &row->cells[(i * 7919 + 3) % row->count]; /* 7919 is no divisor */
        if (what->type == SC_LIST) cell = &row->cells[i];
        scores[i] = cell->score;
        items[count++] = cell_name(cell);
        if (pairs) items[count++] = BYTES(cell->value, cell->value_length);
    }
    int status = ONE_WRITE(b->arena, key,
                           sc_store(tx, key, what->type, items, count,
                                    what->type == SC_ZSET ? scores : NULL, what->expire_ms));
    free(items);
    free(scores);
    return status;
}

static void stored(void) {
    const unsigned counts[] = {1, 2, 30, 127, 128, 129, 512, 513, 3000};
    for (int form = 0; form < FORMS; form++) {
        for (int type = SC_LIST; type < SC_STREAM; type++) {
            bench b = bench_open_form(UINT64_C(4) << 20, form);
            sc_key key = key_of(0, "it");
            for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
                box want = {.present = false};
                box_make(&want, type);
                want.expire_ms = c % 2 ? now_ms() + 1000000 : 0;
                for (unsigned i = 0; i < counts[c]; i++)
                    add_cell(&want, i);
                CHECK_STATUS(store_box(&b, &key, &want), SC_OK);
                check_box(&b, &key, &want);
                check_valid(b.arena);
                for (unsigned i = 4000; i < 4080; i++) {
                    CHECK_STATUS(ONE_WRITE(b.arena, &key, add_element(tx, &key, type, i)), SC_OK);
                    add_cell(&want, i);
                }
                check_box(&b, &key, &want);
                if (c % 3 == 0) CHECK_STATUS(set_text(b.arena, 0, "it", "in the way"), SC_OK);
                box_clear(&want);
            }
            CHECK_STATUS(ONE_WRITE(b.arena, &key, sc_store(tx, &key, type, NULL, 0, NULL, 0)),
                         SC_OK);
            CHECK(sc_db_keys(b.arena, 0) == 0, "nothing at all deletes the key");
            CHECK_STATUS(ONE_WRITE(b.arena, &key, sc_store(tx, &key, type, NULL, 0, NULL, 0)),
                         SC_OK);
            bench_close(&b);
        }
    }
}

/* Of equal members the last counts; of a list's elements each. */
static void stored_twice(void) {
    sc_bytes members[] = {bytes_of("a"), bytes_of("b"),    bytes_of("a"),
                          bytes_of("7"), bytes_of("zzzz"), bytes_of("7")};
    double scores[] = {1, 2, 3, 4, 5, -6};
    sc_bytes pairs[] = {bytes_of("a"), bytes_of("1"), bytes_of("b"), bytes_of("2"), bytes_of("a"),
                        bytes_of("3"), bytes_of("7"), bytes_of("4"), bytes_of("7"), bytes_of("-6")};
    gathered got;
    gathered_init(&got);
    for (int form = 0; form < FORMS; form++) {
        bench b = bench_open_form(0, form);
        sc_key key = key_of(0, "it");
        uint64_t length = 0;
        CHECK_STATUS(ONE_WRITE(b.arena, &key, sc_store(tx, &key, SC_SET, members, 6, NULL, 0)),
                     SC_OK);
        CHECK_STATUS(ONE_READ(b.arena, sc_length(session, &key, SC_SET, &length)), SC_OK);
        CHECK(length == 4, "%" PRIu64, length);
        check_valid(b.arena);
        CHECK_STATUS(ONE_WRITE(b.arena, &key, sc_store(tx, &key, SC_LIST, members, 6, NULL, 0)),
                     SC_OK);
        CHECK_STATUS(ONE_READ(b.arena, (gathered_reset(&got),
                                        sc_list_range(session, &key, 0, -1, &got.items))),
                     SC_OK);
        check_pieces(&got, "a", "b", "a", "7", "zzzz", "7", NULL);
        CHECK_STATUS(ONE_WRITE(b.arena, &key, sc_store(tx, &key, SC_ZSET, members, 6, scores, 0)),
                     SC_OK);
        CHECK_STATUS(
            ONE_READ(b.arena, (gathered_reset(&got),
                               sc_zset_range(session, &key, 0, 9, false, SC_FIELDS, &got.items))),
            SC_OK);
        check_pieces(&got, "7", "b", "a", "zzzz", NULL);
        CHECK_STATUS(ONE_WRITE(b.arena, &key, sc_store(tx, &key, SC_HASH, pairs, 10, NULL, 0)),
                     SC_OK);
        CHECK_STATUS(
            ONE_READ(b.arena, sc_map_find(session, &key, SC_HASH, bytes_of("a"), &b.got.sink)),
            SC_OK);
        CHECK(buffer_is(&b.got, "3", 1));
        CHECK_STATUS(
            ONE_READ(b.arena, sc_map_find(session, &key, SC_HASH, bytes_of("7"), &b.got.sink)),
            SC_OK);
        CHECK(buffer_is(&b.got, "-6", 2));
        CHECK_STATUS(ONE_READ(b.arena, sc_length(session, &key, SC_HASH, &length)), SC_OK);
        CHECK(length == 3, "%" PRIu64, length);
        bench_close(&b);
    }
    gathered_free(&got);
}

static void stored_in_the_past(void) {
    sc_bytes member = bytes_of("a");
    bench b = bench_open(0);
    sc_key key = key_of(0, "it");
    CHECK_STATUS(set_text(b.arena, 0, "it", "v"), SC_OK);
    CHECK_STATUS(ONE_WRITE(b.arena, &key, sc_store(tx, &key, SC_SET, &member, 1, NULL, 1)), SC_OK);
    CHECK(sc_db_keys(b.arena, 0) == 0);
    check_missing(b.arena, 0, "it");
    bench_close(&b);
}

const unit unit_whole[] = {
    {"whole/deleted", deleted},
    {"whole/overwritten", overwritten},
    {"whole/flushed", flushed},
    {"whole/nothing_is_lost", nothing_is_lost},
    {"whole/expiring", expiring},
    {"whole/copied", copied},
    {"whole/renamed", renamed},
    {"whole/renamed_over_others", renamed_over_others},
    {"whole/renamed_strings", renamed_strings},
    {"whole/aborted", aborted},
    {"whole/stored", stored},
    {"whole/stored_twice", stored_twice},
    {"whole/stored_in_the_past", stored_in_the_past},
    {NULL, NULL},
};
