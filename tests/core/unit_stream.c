/* Streams: ordered maps from bytes to bytes beside sorted arrays. */
#include <inttypes.h>
#include <stdlib.h>

#include "forms.h"

enum { MOST_NAME = 3000 };

typedef struct pair {
    bench b;
    sc_key key;
    box want;
    rng chance;
    gathered got;
    char name[MOST_NAME], value[MOST_NAME], limit[MOST_NAME];
} pair;

static void create(pair *at) {
    fill_bytes(at->want.meta, sizeof(at->want.meta), rng_next(&at->chance));
    CHECK_STATUS(ONE_WRITE(at->b.arena, &at->key, sc_stream_create(tx, &at->key, at->want.meta)),
                 SC_OK);
    char meta[SC_STREAM_META];
    memcpy(meta, at->want.meta, sizeof(meta));
    box_make(&at->want, SC_STREAM);
    memcpy(at->want.meta, meta, sizeof(meta));
}

static pair *pair_open(uint64_t data_bytes, int form) {
    pair *made = calloc(1, sizeof(*made));
    CHECK(made != NULL);
    made->b = bench_open_form(data_bytes, form);
    made->key = key_of(0, "stream");
    made->chance.state = (uint64_t)form;
    gathered_init(&made->got);
    create(made);
    return made;
}

static void check_whole(pair *at) {
    sc_session session;
    int status = SC_OK;
    sc_session_start(&session, at->b.arena);
    do { /* nobody else writes: one round is all */
        box_compare(&session, &at->key, &at->want);
    } while (sc_session_again(&session, &status));
    sc_session_end(&session);
}

static void pair_close(pair *at) {
    check_whole(at);
    box_clear(&at->want);
    gathered_free(&at->got);
    bench_close(&at->b);
    free(at);
}

/* Names as streams have them (big-endian pairs of numbers), and others: short, long, alike. */
static sc_bytes pick_name(pair *at, char *room) {
    uint64_t number = rng_below(&at->chance, 700);
    size_t length;
    if (rng_below(&at->chance, 4)) {
        memset(room, 0, 16);
        room[6] = (char)(number >> 8);
        room[7] = (char)number;
        room[15] = (char)rng_below(&at->chance, 3);
        return BYTES(room, 16);
    }
    if (rng_below(&at->chance, 3))
        return BYTES(room, (size_t)snprintf(room, 64, "consumer %" PRIu64, number % 50));
    length = rng_below(&at->chance, rng_below(&at->chance, 20) ? 40 : MOST_NAME);
    memset(room,
           "\0\xff"
           "a"[number % 3],
           length);
    if (length) room[length - 1] = (char)number;
    return BYTES(room, length);
}

static void put_random(pair *at) {
    uint32_t tree = (uint32_t)rng_below(&at->chance, SC_STREAM_TREES);
    sc_bytes name = pick_name(at, at->name);
    size_t bytes = rng_below(&at->chance, rng_below(&at->chance, 30) ? 150 : MOST_NAME);
    fill_bytes(at->value, bytes, rng_next(&at->chance));
    sc_bytes value = BYTES(at->value, bytes);
    bool added = false, there;
    row *row = &at->want.rows[tree];
    size_t place = row_place(row, name, &there);
    CHECK_STATUS(
        ONE_WRITE(at->b.arena, &at->key, sc_tree_put(tx, &at->key, tree, name, value, &added)),
        SC_OK);
    CHECK(added == !there);
    if (there)
        cell_set_value(&row->cells[place], value);
    else
        row_insert(row, place, name, value);
}

static void remove_random(pair *at) {
    uint32_t tree = (uint32_t)rng_below(&at->chance, SC_STREAM_TREES);
    row *row = &at->want.rows[tree];
    bool there;
    sc_bytes name = pick_name(at, at->name);
    if (row->count && rng_below(&at->chance, 2))
        name = cell_name(&row->cells[rng_below(&at->chance, row->count)]);
    size_t place = row_place(row, name, &there);
    CHECK_STATUS(ONE_WRITE(at->b.arena, &at->key, sc_tree_remove(tx, &at->key, tree, name)),
                 there ? SC_OK : SC_MISS);
    if (there) row_remove(row, place, 1);
}

/* Where least .. most begins and ends in a row. */
static size_t part_of(const row *row, sc_bytes least, sc_bytes most, size_t *from) {
    bool there;
    *from = row_place(row, least, &there);
    size_t to = row_place(row, most, &there);
    if (there) to++;
    return to > *from ? to - *from : 0;
}

static uint64_t pick_limit(pair *at) {
    return rng_below(&at->chance, 3) ? UINT64_MAX : rng_below(&at->chance, 20);
}

static void range_random(pair *at) {
    uint32_t tree = (uint32_t)rng_below(&at->chance, SC_STREAM_TREES);
    const row *row = &at->want.rows[tree];
    sc_bytes least = pick_name(at, at->name), most = pick_name(at, at->limit);
    uint64_t limit = pick_limit(at), counted = 0;
    bool reverse = rng_below(&at->chance, 2);
    size_t from, all = part_of(row, least, most, &from), want = all < limit ? all : limit;
    CHECK_STATUS(ONE_READ(at->b.arena, (gathered_reset(&at->got),
                                        sc_tree_range(session, &at->key, tree, least, most, limit,
                                                      reverse, &at->got.items))),
                 SC_OK);
    CHECK(at->got.count == 2 * want, "%zu of %zu", at->got.count, 2 * want);
    for (size_t i = 0; i < want; i++) {
        const cell *cell = &row->cells[reverse ? from + all - 1 - i : from + i];
        CHECK(piece_is(&at->got.piece[2 * i], cell->name, cell->name_length), "name %zu", i);
        CHECK(piece_is(&at->got.piece[2 * i + 1], cell->value, cell->value_length), "value %zu", i);
    }
    CHECK_STATUS(
        ONE_READ(at->b.arena, sc_tree_count(session, &at->key, tree, least, most, &counted)),
        SC_OK);
    CHECK(counted == all, "%" PRIu64 " of %zu", counted, all);
}

static void remove_range_random(pair *at) {
    uint32_t tree = (uint32_t)rng_below(&at->chance, SC_STREAM_TREES);
    row *row = &at->want.rows[tree];
    sc_bytes least = pick_name(at, at->name), most = pick_name(at, at->limit);
    uint64_t limit = rng_below(&at->chance, 8) ? rng_below(&at->chance, 12) : UINT64_MAX;
    uint64_t removed = 77;
    size_t from, all = part_of(row, least, most, &from), want = all < limit ? all : limit;
    CHECK_STATUS(ONE_WRITE(at->b.arena, &at->key,
                           sc_tree_remove_range(tx, &at->key, tree, least, most, limit, &removed)),
                 SC_OK);
    CHECK(removed == want, "%" PRIu64 " of %zu", removed, want);
    row_remove(row, from, want);
}

static void beside_arrays(void) {
    for (int form = 0; form < 2; form++) {
        pair *at = pair_open(UINT64_C(4) << 20, form);
        for (unsigned i = 0; i < 12000; i++) {
            uint64_t kind = rng_below(&at->chance, i / 3000 % 2 ? 16 : 10);
            if (kind < 7)
                put_random(at);
            else if (kind < 9)
                range_random(at);
            else if (kind < 15)
                remove_random(at);
            else
                remove_range_random(at);
            if (i % 1500 == 0) {
                check_whole(at);
                check_valid(at->b.arena);
            }
        }
        for (uint32_t tree = 0; tree < SC_STREAM_TREES; tree++) {
            while (at->want.rows[tree].count) {
                row *row = &at->want.rows[tree];
                sc_bytes name = cell_name(&row->cells[row->count / 3]);
                CHECK_STATUS(
                    ONE_WRITE(at->b.arena, &at->key, sc_tree_remove(tx, &at->key, tree, name)),
                    SC_OK);
                row_remove(row, row->count / 3, 1);
            }
            check_valid(at->b.arena);
        }
        CHECK(sc_db_keys(at->b.arena, 0) == 1, "an empty stream stays");
        put_random(at);
        pair_close(at);
    }
}

/* As XADD and XTRIM do: at the end in, at the front out, for long. */
static void append_and_trim(void) {
    pair *at = pair_open(UINT64_C(1) << 20, FORM_DEFAULT);
    row *row = &at->want.rows[0];
    static const char last[16] = "\x7f\xff\xff";
    for (unsigned i = 0; i < 15000; i++) {
        char name[16] = {0};
        bool added = false;
        uint64_t removed;
        for (int j = 0; j < 4; j++)
            name[7 - j] = (char)(i >> 8 * j);
        size_t bytes = i % 100 == 0 ? 2000 : i % 60;
        fill_bytes(at->value, bytes, i);
        sc_bytes field = BYTES(name, 16), value = BYTES(at->value, bytes);
        CHECK_STATUS(
            ONE_WRITE(at->b.arena, &at->key, sc_tree_put(tx, &at->key, 0, field, value, &added)),
            SC_OK);
        CHECK(added);
        row_insert(row, row->count, field, value);
        if (row->count < 1000) continue;
        uint64_t limit = 1 + i % 7 * 30;
        CHECK_STATUS(ONE_WRITE(at->b.arena, &at->key,
                               sc_tree_remove_range(tx, &at->key, 0, bytes_of(""), BYTES(last, 16),
                                                    limit, &removed)),
                     SC_OK);
        CHECK(removed == limit);
        row_remove(row, 0, limit);
        if (i % 50 == 0) check_whole(at);
    }
    pair_close(at);
}

static void odd_names_and_values(void) {
    pair *at = pair_open(UINT64_C(4) << 20, FORM_DEFAULT);
    for (size_t i = 0; i < odd_count(); i++) {
        uint32_t tree = (uint32_t)i % SC_STREAM_TREES;
        sc_bytes name = odd_bytes(i), value = odd_bytes(odd_count() - 1 - i);
        bool added = false, there;
        if (name.length > 1000) name.length = 1000 - i;
        CHECK_STATUS(
            ONE_WRITE(at->b.arena, &at->key, sc_tree_put(tx, &at->key, tree, name, value, &added)),
            SC_OK);
        CHECK(added);
        row_insert(&at->want.rows[tree], row_place(&at->want.rows[tree], name, &there), name,
                   value);
    }
    check_whole(at);
    pair_close(at);
}

static void stream_whole_life(void) {
    pair *at = pair_open(0, FORM_DEFAULT);
    char meta[SC_STREAM_META];
    sc_info info;
    uint64_t length = 1;
    CHECK_STATUS(ONE_READ(at->b.arena, sc_length(session, &at->key, SC_STREAM, &length)), SC_OK);
    CHECK(length == 0);
    CHECK_STATUS(ONE_WRITE(at->b.arena, &at->key, sc_stream_create(tx, &at->key, at->want.meta)),
                 SC_UNCHANGED);
    put_random(at);
    memset(at->want.meta, 'm', sizeof(at->want.meta));
    CHECK_STATUS(ONE_WRITE(at->b.arena, &at->key, sc_stream_set_meta(tx, &at->key, at->want.meta)),
                 SC_OK);
    check_whole(at);
    CHECK_STATUS(sc_expire(at->b.arena, &at->key, now_ms() + 1000000, 0), SC_OK);
    put_random(at);
    check_whole(at);
    CHECK_STATUS(sc_describe(at->b.arena, &at->key, &info, false), SC_OK);
    CHECK(info.type == SC_STREAM && info.shape == SC_STREAM_SHAPE && info.expire_ms);
    CHECK_STATUS(sc_delete(at->b.arena, &at->key), SC_OK);
    CHECK_STATUS(ONE_READ(at->b.arena, sc_stream_meta(session, &at->key, meta)), SC_MISS);
    box_clear(&at->want);
    create(at);
    pair_close(at);
}

static void stream_refusals(void) {
    bench b = bench_open(0);
    sc_key none = key_of(0, "none"), text = key_of(0, "text");
    char meta[SC_STREAM_META] = "";
    sc_bytes n = bytes_of("n");
    uint64_t count;
    bool added;
    CHECK_STATUS(set_text(b.arena, 0, "text", "v"), SC_OK);
    const sc_key *const keys[] = {&none, &text};
    const int wants[] = {SC_MISS, SC_WRONG_TYPE};
    for (int i = 0; i < 2; i++) {
        const sc_key *key = keys[i];
        int want = wants[i];
        CHECK_STATUS(ONE_READ(b.arena, sc_stream_meta(session, key, meta)), want);
        CHECK_STATUS(ONE_WRITE(b.arena, key, sc_stream_set_meta(tx, key, meta)), want);
        CHECK_STATUS(ONE_READ(b.arena, sc_tree_get(session, key, 0, n, &b.got.sink)), want);
        CHECK_STATUS(ONE_READ(b.arena, sc_tree_range(session, key, 0, n, n, 9, false, NULL)), want);
        CHECK_STATUS(ONE_READ(b.arena, sc_tree_count(session, key, 0, n, n, &count)), want);
        CHECK_STATUS(ONE_WRITE(b.arena, key, sc_tree_put(tx, key, 0, n, n, &added)), want);
        CHECK_STATUS(ONE_WRITE(b.arena, key, sc_tree_remove(tx, key, 0, n)), want);
        CHECK_STATUS(ONE_WRITE(b.arena, key, sc_tree_remove_range(tx, key, 0, n, n, 1, &count)),
                     want);
    }
    CHECK_STATUS(ONE_WRITE(b.arena, &text, sc_stream_create(tx, &text, meta)), SC_WRONG_TYPE);
    CHECK(sc_db_keys(b.arena, 0) == 1);
    check_text(b.arena, 0, "text", "v");
    bench_close(&b);
}

const unit unit_stream[] = {
    {"stream/beside_arrays", beside_arrays},
    {"stream/append_and_trim", append_and_trim},
    {"stream/odd_names_and_values", odd_names_and_values},
    {"stream/whole_life", stream_whole_life},
    {"stream/refusals", stream_refusals},
    {NULL, NULL},
};
