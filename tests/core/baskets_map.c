/* The baskets test: hashes, sets, and sorted sets by member and by rank. */
#include <math.h>
#include <stdlib.h>

#include "baskets.h"

static row *cells_of(hand *at) {
    return &at->model->what.rows[0];
}

/* ---- hashes and sets --------------------------------------------------------------------------*/

static int put_outcome(const hand *at, int type, uint32_t flags, size_t there) {
    int status = expected(at, type);
    if (status == SC_WRONG_TYPE) return status;
    if ((flags & SC_PUT_NX) && there != SIZE_MAX) return SC_UNCHANGED;
    if ((flags & SC_PUT_XX) && there == SIZE_MAX) return SC_UNCHANGED;
    return SC_OK;
}

static void put(hand *at, int type) {
    static const uint32_t all[] = {
        0, 0, 0, 0, SC_PUT_NX, SC_PUT_XX, SC_PUT_KEEP_TTL, SC_PUT_KEEP_TTL | SC_PUT_XX};
    uint32_t flags = all[choose(&at->of->pick, 8)];
    sc_bytes name = choose(&at->of->pick, 4) ? pick_name(at->of) : pick_present(at);
    sc_bytes value = type == SC_HASH ? pick_bytes(at->of) : bytes_of("");
    bool added = false, held = expected(at, type) == SC_OK;
    size_t there = held ? row_find(cells_of(at), name) : SIZE_MAX;
    int status = sc_map_put(at->tx, &at->key, type, name, value, flags, &added);
    if (was_refused(at, status)) return;
    int want = put_outcome(at, type, flags, there);
    if (status != want) complain(at, "put", status, want);
    if (status != SC_OK) return;
    CHECK(added == (there == SIZE_MAX), "put: added %d", added);
    if (!at->model->what.present) box_make(&at->model->what, type);
    if (there == SIZE_MAX) {
        row_insert(cells_of(at), cells_of(at)->count, name, value);
        return;
    }
    cell *cell = &cells_of(at)->cells[there];
    cell_set_value(cell, value);
    if (!(flags & SC_PUT_KEEP_TTL)) cell->expire_ms = 0;
}

/* A hash that would have nothing but dead fields: whether it is there is left open. */
static bool is_last_living(const hand *at, size_t there, bool dies) {
    const basket *model = at->model;
    return there != SIZE_MAX && model->what.rows[0].count == 1 && (model->dead || dies);
}

static void take_out(hand *at, int type) {
    sc_bytes name = pick_present(at);
    int want = expected(at, type);
    size_t there = want == SC_OK ? row_find(cells_of(at), name) : SIZE_MAX;
    if (is_last_living(at, there, false)) return;
    if (want == SC_OK && there == SIZE_MAX) want = SC_MISS;
    int status = type == SC_ZSET ? sc_zset_remove(at->tx, &at->key, name)
                                 : sc_map_remove(at->tx, &at->key, type, name);
    if (was_refused(at, status)) return;
    if (status != want) complain(at, "remove", status, want);
    if (status != SC_OK) return;
    row_remove(cells_of(at), there, 1);
    drop_if_empty(at);
}

static void set_expiry(hand *at) {
    static const uint64_t far[] = {0, 100000, 5000000};
    sc_bytes name = pick_present(at);
    int want = expected(at, SC_HASH);
    size_t there = want == SC_OK ? row_find(cells_of(at), name) : SIZE_MAX;
    uint64_t expire_ms = far[choose(&at->of->pick, 3)];
    if (expire_ms) expire_ms += now_ms();
    if (choose(&at->of->pick, 6) == 0) expire_ms = now_ms() - 5;
    if (is_last_living(at, there, expire_ms && expire_ms <= now_ms())) return;
    if (want == SC_OK && there == SIZE_MAX) want = SC_MISS;
    int status = sc_map_set_expiry(at->tx, &at->key, name, expire_ms);
    if (was_refused(at, status)) return;
    if (status != want) complain(at, "set_expiry", status, want);
    if (status != SC_OK) return;
    if (expire_ms && expire_ms <= now_ms()) {
        row_remove(cells_of(at), there, 1);
        at->model->dead++;
    } else {
        cells_of(at)->cells[there].expire_ms = expire_ms;
    }
}

static void pop(hand *at) {
    int want = expected(at, SC_SET);
    int status = sc_set_pop(at->tx, &at->key, &at->of->got.sink);
    if (was_refused(at, status)) return;
    if (status != want) complain(at, "pop", status, want);
    if (status != SC_OK) return;
    size_t there = row_find(cells_of(at), BYTES(at->of->got.bytes, at->of->got.length));
    CHECK(there != SIZE_MAX, "pop gave '%s'", at->of->got.bytes);
    row_remove(cells_of(at), there, 1);
    drop_if_empty(at);
}

void map_operation(hand *at, int type) {
    uint64_t kind = choose(&at->of->pick, 10);
    if (kind < 6)
        put(at, type);
    else if (kind < 8)
        take_out(at, type);
    else if (type == SC_HASH)
        set_expiry(at);
    else
        pop(at);
}

/* ---- reading them -----------------------------------------------------------------------------*/

/* Each of what was gathered is there, with its value or score; marks how often. */
static void judge_gathered(hand *at, int type, uint32_t what, unsigned *times) {
    size_t width = type == SC_HASH && what == (SC_FIELDS | SC_VALUES) ? 2 : 1;
    gathered *all = &at->of->all;
    CHECK(all->count % width == 0);
    for (size_t i = 0; i < all->count; i += width) {
        piece *name = &all->piece[i];
        size_t there = row_find(cells_of(at), BYTES(name->bytes, name->length));
        CHECK(there != SIZE_MAX, "'%.*s' is not in it", (int)name->length, name->bytes);
        const cell *cell = &cells_of(at)->cells[there];
        if (width == 2) CHECK(piece_is(name + 1, cell->value, cell->value_length), "value");
        if (type == SC_ZSET && name->scored) CHECK(name->score == cell->score, "score");
        times[there]++;
    }
}

static void scan(hand *at, int type) {
    uint64_t cursor = 0, count = 1 + choose(&at->of->pick, 50), calls = 0;
    unsigned *times = calloc(cells_of(at)->count + 1, sizeof(*times));
    int want = expected(at, type), status;
    do {
        gathered_reset(&at->of->all);
        status = sc_map_scan(at->session, &at->key, type, &cursor, count, SC_FIELDS | SC_VALUES,
                             &at->of->all.items);
        if (status != want) complain(at, "scan", status, want);
        if (status == SC_OK) judge_gathered(at, type, SC_FIELDS | SC_VALUES, times);
        CHECK(++calls < 10000, "the scan does not end");
    } while (status == SC_OK && cursor);
    for (size_t i = 0; status == SC_OK && i < cells_of(at)->count; i++)
        CHECK(times[i] == 1, "'%s' came %u times", cells_of(at)->cells[i].name, times[i]);
    free(times);
}

static void pick_random(hand *at, int type) {
    uint64_t count = choose(&at->of->pick, 2) ? choose(&at->of->pick, 10)
                                              : choose(&at->of->pick, cells_of(at)->count + 5);
    bool distinct = choose(&at->of->pick, 2);
    unsigned *times = calloc(cells_of(at)->count + 1, sizeof(*times));
    uint32_t what = SC_FIELDS | SC_VALUES;
    size_t width = type == SC_HASH ? 2 : 1;
    gathered_reset(&at->of->all);
    int want = expected(at, type);
    int status =
        sc_map_random(at->session, &at->key, type, count, distinct, what, &at->of->all.items);
    if (status != want) complain(at, "random", status, want);
    if (status == SC_OK) {
        judge_gathered(at, type, what, times);
        size_t living = cells_of(at)->count;
        size_t most = living == 0 || (distinct && count > living) ? living : count;
        CHECK(at->of->all.count == most * width, "%zu of %zu picked", at->of->all.count, most);
        for (size_t i = 0; distinct && i < living; i++)
            CHECK(times[i] <= 1, "twice");
    }
    free(times);
}

static void look_up(hand *at, int type) {
    sc_bytes name = pick_present(at);
    int want = expected(at, type);
    size_t there = want == SC_OK ? row_find(cells_of(at), name) : SIZE_MAX;
    if (want == SC_OK && there == SIZE_MAX) want = SC_MISS;
    double score = NAN;
    bool hinted = !at->tx && choose(&at->of->pick, 2);
    int status = hinted ? find_hinted(at, type, name, 0, type == SC_ZSET ? &score : NULL)
                        : sc_map_find(at->session, &at->key, type, name, &at->of->got.sink);
    if (status != want) complain(at, "find", status, want);
    if (hinted && status == SC_OK && type == SC_ZSET)
        CHECK(score == cells_of(at)->cells[there].score, "hinted score %.17g", score);
    if (status != SC_OK || type != SC_HASH) return;
    const cell *cell = &cells_of(at)->cells[there];
    CHECK(buffer_is(&at->of->got, cell->value, cell->value_length), "value of '%s'", cell->name);
}

void map_reading(hand *at, int type) {
    uint64_t kind = choose(&at->of->pick, 8);
    if (kind == 0)
        scan(at, type);
    else if (kind == 1)
        pick_random(at, type);
    else
        look_up(at, type);
}

/* ---- sorted sets ------------------------------------------------------------------------------*/

static void place(hand *at, sc_bytes member, double score) {
    row *row = cells_of(at);
    size_t where = row_place_scored(row, score, member);
    row_insert(row, where, member, bytes_of(""));
    row->cells[where].score = score;
}

static int add_outcome(const hand *at, uint32_t flags, const double *old, double given,
                       double *result) {
    int status = expected(at, SC_ZSET);
    if (status == SC_WRONG_TYPE) return status;
    *result = given;
    if (!old) return flags & SC_ZADD_XX ? SC_UNCHANGED : SC_OK;
    if (flags & SC_ZADD_NX) return SC_UNCHANGED;
    if (flags & SC_ZADD_INCR) *result = *old + given;
    if (isnan(*result)) return SC_NOT_FINITE;
    if ((flags & SC_ZADD_GT) && *result <= *old) return SC_UNCHANGED;
    if ((flags & SC_ZADD_LT) && *result >= *old) return SC_UNCHANGED;
    return SC_OK;
}

static void add(hand *at) {
    static const uint32_t all[] = {0,
                                   0,
                                   0,
                                   0,
                                   0,
                                   SC_ZADD_NX,
                                   SC_ZADD_XX,
                                   SC_ZADD_GT,
                                   SC_ZADD_LT,
                                   SC_ZADD_INCR,
                                   SC_ZADD_INCR | SC_ZADD_XX,
                                   SC_ZADD_GT | SC_ZADD_XX};
    uint32_t flags = all[choose(&at->of->pick, 12)];
    sc_bytes member = choose(&at->of->pick, 4) ? pick_name(at->of) : pick_present(at);
    double given = pick_score(at->of), result = NAN, score = NAN, before = NAN;
    int outcome = -1;
    size_t there = expected(at, SC_ZSET) == SC_OK ? row_find(cells_of(at), member) : SIZE_MAX;
    if (there != SIZE_MAX) before = cells_of(at)->cells[there].score;
    int status = sc_zset_add(at->tx, &at->key, member, given, flags, &result, &outcome);
    if (was_refused(at, status)) return;
    int want = add_outcome(at, flags, there == SIZE_MAX ? NULL : &before, given, &score);
    if (status != want) complain(at, "zset_add", status, want);
    if (status != SC_OK) return;
    int expected_outcome = there == SIZE_MAX ? SC_ZADD_ADDED
                           : score == before ? 0
                                             : SC_ZADD_UPDATED;
    CHECK(outcome == expected_outcome && result == score, "zset_add: %d, %.17g", outcome, result);
    char *own = malloc(member.length + 1); /* it may be the cell's that goes */
    memcpy(own, member.bytes, member.length);
    if (!at->model->what.present) box_make(&at->model->what, SC_ZSET);
    if (there != SIZE_MAX) row_remove(cells_of(at), there, 1);
    place(at, BYTES(own, member.length), score);
    free(own);
}

static void remove_range(hand *at) {
    size_t have = cells_of(at)->count;
    uint64_t from = choose(&at->of->pick, have + 2), count = choose(&at->of->pick, 30);
    if (choose(&at->of->pick, 8) == 0) count = UINT64_MAX;
    int want = expected(at, SC_ZSET);
    if (want == SC_OK && from >= have) want = SC_MISS;
    int status = sc_zset_remove_range(at->tx, &at->key, from, count);
    if (was_refused(at, status)) return;
    if (status != want) complain(at, "zset_remove_range", status, want);
    if (status != SC_OK) return;
    row_remove(cells_of(at), from, count < have - from ? count : have - from);
    drop_if_empty(at);
}

void zset_operation(hand *at) {
    uint64_t kind = choose(&at->of->pick, 12);
    if (kind < 8)
        add(at);
    else if (kind < 11)
        take_out(at, SC_ZSET);
    else
        remove_range(at);
}

static void range(hand *at) {
    size_t have = cells_of(at)->count;
    uint64_t from = choose(&at->of->pick, have + 2), count = choose(&at->of->pick, 60);
    bool reverse = choose(&at->of->pick, 2);
    int want = expected(at, SC_ZSET);
    gathered_reset(&at->of->all);
    int status = sc_zset_range(at->session, &at->key, from, count, reverse, SC_FIELDS | SC_VALUES,
                               &at->of->all.items);
    if (status != want) complain(at, "zset_range", status, want);
    if (status != SC_OK) return;
    size_t most = from >= have ? 0 : count < have - from ? count : have - from;
    CHECK(at->of->all.count == most, "%zu members of %zu", at->of->all.count, most);
    for (size_t i = 0; i < most; i++) {
        const cell *cell = &cells_of(at)->cells[reverse ? have - 1 - from - i : from + i];
        CHECK(piece_is(&at->of->all.piece[i], cell->name, cell->name_length) &&
                  at->of->all.piece[i].score == cell->score,
              "member %zu", i);
    }
}

static void seek(hand *at) {
    double score = pick_score(at->of);
    bool including = choose(&at->of->pick, 2);
    uint64_t rank = 0, want_rank = 0;
    int want = expected(at, SC_ZSET);
    int status = sc_zset_seek(at->session, &at->key, score, including, &rank);
    if (status != want) complain(at, "zset_seek", status, want);
    if (status != SC_OK) return;
    const row *row = cells_of(at);
    while (want_rank < row->count && (row->cells[want_rank].score < score ||
                                      (including && row->cells[want_rank].score == score)))
        want_rank++;
    CHECK(rank == want_rank, "rank %llu, not %llu", (unsigned long long)rank,
          (unsigned long long)want_rank);
}

static void rank_of(hand *at) {
    sc_bytes member = pick_present(at);
    int want = expected(at, SC_ZSET);
    size_t there = want == SC_OK ? row_find(cells_of(at), member) : SIZE_MAX;
    uint64_t rank = 0;
    double score = 0;
    if (want == SC_OK && there == SIZE_MAX) want = SC_MISS;
    int status = sc_zset_rank(at->session, &at->key, member, &rank, &score);
    if (status != want) complain(at, "zset_rank", status, want);
    if (status == SC_OK) CHECK(rank == there && score == cells_of(at)->cells[there].score, "rank");
}

void zset_reading(hand *at) {
    uint64_t kind = choose(&at->of->pick, 8);
    if (kind < 2)
        range(at);
    else if (kind < 4)
        seek(at);
    else if (kind < 6)
        rank_of(at);
    else
        map_reading(at, SC_ZSET);
}
