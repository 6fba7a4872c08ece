/* Sorted sets by score and rank, beside a sorted array, in each form. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "forms.h"

/* A sorted set and what it should hold. */
typedef struct pair {
    bench b;
    sc_key key;
    row want;
    rng chance;
    gathered got;
} pair;

static pair pair_open(int form) {
    check_note("(form %d)", form);
    pair made = {.b = bench_open_form(UINT64_C(2) << 20, form)};
    made.key = key_of(0, "zset");
    made.chance.state = (uint64_t)form;
    gathered_init(&made.got);
    return made;
}

static void check_whole(pair *at) {
    box want = {.present = at->want.count > 0, .type = SC_ZSET, .rows = {at->want}};
    sc_session session;
    int status = SC_OK;
    sc_session_start(&session, at->b.arena);
    do { /* nobody else writes: one round is all */
        box_compare(&session, &at->key, &want);
    } while (sc_session_again(&session, &status));
    sc_session_end(&session);
}

static void pair_close(pair *at) {
    check_whole(at);
    row_remove(&at->want, 0, at->want.count);
    free(at->want.cells);
    gathered_free(&at->got);
    bench_close(&at->b);
}

static sc_bytes member_of(char name[64], unsigned i) {
    return BYTES(name,
                 (size_t)snprintf(name, 64, i % 4 ? "%u" : "a member of a longer name %u", i));
}

/* Some scores are shared by many, some are alone, some are special. */
static double pick_score(rng *chance) {
    static const double special[] = {0.0, 1e300, -1e300, 5e-324, 0.1, -0.1, INFINITY, -INFINITY};
    switch (rng_below(chance, 4)) {
    case 0:
        return special[rng_below(chance, 8)];
    case 1:
        return (double)rng_below(chance, 5);
    case 2:
        return (double)(int64_t)rng_next(chance) / 1000;
    default:
        return (double)rng_below(chance, 100000) - 50000;
    }
}

static void expect(pair *at, sc_bytes member, double score) {
    size_t there = row_find(&at->want, member);
    if (there != SIZE_MAX) row_remove(&at->want, there, 1);
    size_t place = row_place_scored(&at->want, score, member);
    row_insert(&at->want, place, member, bytes_of(""));
    at->want.cells[place].score = score;
}

static int add(pair *at, sc_bytes member, double score, uint32_t flags, double *result,
               int *outcome) {
    return ONE_WRITE(at->b.arena, &at->key,
                     sc_zset_add(tx, &at->key, member, score, flags, result, outcome));
}

static void add_random(pair *at) {
    char name[64];
    sc_bytes member = member_of(name, (unsigned)rng_below(&at->chance, 1500));
    size_t there = row_find(&at->want, member);
    double score = pick_score(&at->chance), result = NAN;
    int outcome = -1;
    CHECK_STATUS(add(at, member, score, 0, &result, &outcome), SC_OK);
    int same = there != SIZE_MAX && at->want.cells[there].score == score;
    int want = there == SIZE_MAX ? SC_ZADD_ADDED : same ? 0 : SC_ZADD_UPDATED;
    CHECK(outcome == want && result == score, "%d, %.17g", outcome, result);
    expect(at, member, score);
}

static void remove_random(pair *at) {
    char name[64];
    sc_bytes member = member_of(name, (unsigned)rng_below(&at->chance, 1500));
    size_t there = row_find(&at->want, member);
    CHECK_STATUS(ONE_WRITE(at->b.arena, &at->key, sc_zset_remove(tx, &at->key, member)),
                 there == SIZE_MAX ? SC_MISS : SC_OK);
    if (there != SIZE_MAX) row_remove(&at->want, there, 1);
}

static void remove_ranks(pair *at, uint64_t from, uint64_t count) {
    CHECK_STATUS(ONE_WRITE(at->b.arena, &at->key, sc_zset_remove_range(tx, &at->key, from, count)),
                 from < at->want.count ? SC_OK : SC_MISS);
    if (from >= at->want.count) return;
    uint64_t most = at->want.count - from;
    row_remove(&at->want, from, count < most ? count : most);
}

static void seek_random(pair *at) {
    double score = pick_score(&at->chance);
    for (int including = 0; including < 2; including++) {
        uint64_t rank = 0, want = 0;
        while (want < at->want.count && (at->want.cells[want].score < score ||
                                         (including && at->want.cells[want].score == score)))
            want++;
        int status =
            ONE_READ(at->b.arena, sc_zset_seek(session, &at->key, score, including, &rank));
        CHECK_STATUS(status, at->want.count ? SC_OK : SC_MISS);
        CHECK(!at->want.count || rank == want, "%.17g: %" PRIu64 ", not %" PRIu64, score, rank,
              want);
    }
}

static void range_random(pair *at) {
    uint64_t total = at->want.count, from = rng_below(&at->chance, total + 3);
    uint64_t count = rng_below(&at->chance, 4) ? rng_below(&at->chance, 50) : UINT64_MAX;
    bool reverse = rng_below(&at->chance, 2);
    int status = ONE_READ(at->b.arena, (gathered_reset(&at->got),
                                        sc_zset_range(session, &at->key, from, count, reverse,
                                                      SC_FIELDS | SC_VALUES, &at->got.items)));
    CHECK_STATUS(status, total ? SC_OK : SC_MISS);
    uint64_t want = from >= total ? 0 : count < total - from ? count : total - from;
    CHECK(at->got.count == want, "%zu of %" PRIu64, at->got.count, want);
    for (uint64_t i = 0; i < want; i++) {
        const cell *cell = &at->want.cells[reverse ? total - 1 - from - i : from + i];
        CHECK(piece_is(&at->got.piece[i], cell->name, cell->name_length) &&
                  at->got.piece[i].score == cell->score,
              "%" PRIu64 " of %" PRIu64, i, want);
    }
}

/* ---- tests ------------------------------------------------------------------------------------*/

static void beside_an_array(void) {
    for (int form = 0; form < FORMS; form++) {
        pair at = pair_open(form);
        for (unsigned i = 0; i < 9000; i++) {
            uint64_t kind = rng_below(&at.chance, i / 1500 % 2 ? 16 : 8);
            if (kind < 6)
                add_random(&at);
            else if (kind == 6)
                seek_random(&at);
            else if (kind == 7)
                range_random(&at);
            else
                remove_random(&at);
            if (kind == 9 && rng_below(&at.chance, 8) == 0)
                remove_ranks(&at, rng_below(&at.chance, at.want.count + 2),
                             rng_below(&at.chance, 30));
            if (i % 1000 == 0) {
                check_whole(&at);
                check_valid(at.b.arena);
            }
        }
        remove_ranks(&at, at.want.count, 1);
        remove_ranks(&at, at.want.count / 2, UINT64_MAX);
        check_whole(&at);
        remove_ranks(&at, 0, UINT64_MAX);
        CHECK(sc_db_keys(at.b.arena, 0) == 0, "an empty set is there");
        remove_ranks(&at, 0, 1);
        pair_close(&at);
    }
}

static void equal_scores_go_by_bytes(void) {
    for (int form = 0; form < FORMS; form++) {
        pair at = pair_open(form);
        double result;
        int outcome;
        for (size_t i = 0; i < odd_count(); i++) {
            CHECK_STATUS(add(&at, odd_bytes(i), i % 2 ? 0.0 : -0.0, 0, &result, &outcome), SC_OK);
            CHECK(outcome == SC_ZADD_ADDED, "%zu", i);
            expect(&at, odd_bytes(i), 0.0);
        }
        check_whole(&at);
        for (size_t i = 0; i < odd_count(); i++) {
            for (int including = 0; including < 2; including++) {
                bool there;
                uint64_t rank,
                    want = row_place(&at.want, odd_bytes(i), &there) + (uint64_t)including;
                CHECK(there);
                CHECK_STATUS(ONE_READ(at.b.arena, sc_zset_seek_lex(session, &at.key, odd_bytes(i),
                                                                   including, &rank)),
                             SC_OK);
                CHECK(rank == want, "%zu: %" PRIu64 ", not %" PRIu64, i, rank, want);
            }
            sc_bytes head = odd_bytes(i); /* and those that are not there: one byte less */
            if (!head.length) continue;
            head.length--;
            bool there;
            uint64_t rank, want = row_place(&at.want, head, &there);
            CHECK_STATUS(
                ONE_READ(at.b.arena, sc_zset_seek_lex(session, &at.key, head, false, &rank)),
                SC_OK);
            CHECK(rank == want, "before %zu: %" PRIu64 ", not %" PRIu64, i, rank, want);
        }
        pair_close(&at);
    }
}

static const double ladder[] = {-INFINITY,
                                -1.7976931348623157e308,
                                -1e300,
                                -9007199254740994.0,
                                -9007199254740992.0,
                                -1000000,
                                -65536,
                                -1.5,
                                -1,
                                -0.99999999999999989,
                                -0.1,
                                -2.2250738585072014e-308,
                                -5e-324,
                                0,
                                5e-324,
                                1e-310,
                                2.2250738585072014e-308,
                                0.1,
                                0.10000000000000002,
                                0.30000000000000004,
                                1,
                                1.0000000000000002,
                                2,
                                127,
                                128,
                                255,
                                256,
                                65535,
                                65536,
                                4294967296,
                                9007199254740992,
                                9007199254740994,
                                1e300,
                                1.7976931348623157e308,
                                INFINITY};

/* Scores far apart and close together, in order whatever their sign and size. */
static void scores_in_order(void) {
    enum { COUNT = sizeof(ladder) / sizeof(ladder[0]) };
    for (int form = 0; form < FORMS; form++) {
        pair at = pair_open(form);
        char name[64];
        double result;
        int outcome;
        for (unsigned i = 0; i < COUNT; i++) {
            unsigned which = i * 11 % COUNT;
            CHECK_STATUS(add(&at, member_of(name, which), ladder[which], 0, &result, &outcome),
                         SC_OK);
            CHECK(result == ladder[which] && outcome == SC_ZADD_ADDED);
            expect(&at, member_of(name, which), ladder[which]);
        }
        check_whole(&at);
        for (unsigned i = 0; i < COUNT; i++) {
            uint64_t rank = 0;
            CHECK_STATUS(
                ONE_READ(at.b.arena, sc_zset_seek(session, &at.key, ladder[i], false, &rank)),
                SC_OK);
            CHECK(rank == i, "%.17g: %" PRIu64, ladder[i], rank);
            CHECK_STATUS(
                ONE_READ(at.b.arena, sc_zset_seek(session, &at.key, ladder[i], true, &rank)),
                SC_OK);
            CHECK(rank == i + 1, "%.17g: %" PRIu64, ladder[i], rank);
        }
        pair_close(&at);
    }
}

/* ---- ZADD's options ---------------------------------------------------------------------------*/

typedef struct option_case {
    const char *text;
    uint32_t flags;
    double old; /* NAN: the member is not there */
    double given;
    int status;
    int outcome;
    double result;
} option_case;

static const option_case option_cases[] = {
    {"NX over an old one", SC_ZADD_NX, 1, 2, SC_UNCHANGED, 0, 1},
    {"NX new", SC_ZADD_NX, NAN, 2, SC_OK, SC_ZADD_ADDED, 2},
    {"XX new", SC_ZADD_XX, NAN, 2, SC_UNCHANGED, 0, NAN},
    {"XX over an old one", SC_ZADD_XX, 1, 2, SC_OK, SC_ZADD_UPDATED, 2},
    {"XX with the same", SC_ZADD_XX, 2, 2, SC_OK, 0, 2},
    {"GT greater", SC_ZADD_GT, 1, 2, SC_OK, SC_ZADD_UPDATED, 2},
    {"GT less", SC_ZADD_GT, 1, 0.5, SC_UNCHANGED, 0, 1},
    {"GT equal", SC_ZADD_GT, 1, 1, SC_UNCHANGED, 0, 1},
    {"GT new", SC_ZADD_GT, NAN, 1, SC_OK, SC_ZADD_ADDED, 1},
    {"LT less", SC_ZADD_LT, 1, 0.5, SC_OK, SC_ZADD_UPDATED, 0.5},
    {"LT greater", SC_ZADD_LT, 1, 2, SC_UNCHANGED, 0, 1},
    {"LT new", SC_ZADD_LT, NAN, 7, SC_OK, SC_ZADD_ADDED, 7},
    {"XX GT new", SC_ZADD_XX | SC_ZADD_GT, NAN, 7, SC_UNCHANGED, 0, NAN},
    {"INCR new", SC_ZADD_INCR, NAN, 7, SC_OK, SC_ZADD_ADDED, 7},
    {"INCR", SC_ZADD_INCR, 1.5, 7, SC_OK, SC_ZADD_UPDATED, 8.5},
    {"INCR by 0", SC_ZADD_INCR, 1.5, 0, SC_OK, 0, 1.5},
    {"INCR NX", SC_ZADD_INCR | SC_ZADD_NX, 1.5, 1, SC_UNCHANGED, 0, 1.5},
    {"INCR XX new", SC_ZADD_INCR | SC_ZADD_XX, NAN, 1, SC_UNCHANGED, 0, NAN},
    {"INCR GT down", SC_ZADD_INCR | SC_ZADD_GT, 1.5, -1, SC_UNCHANGED, 0, 1.5},
    {"INCR GT up", SC_ZADD_INCR | SC_ZADD_GT, 1.5, 1, SC_OK, SC_ZADD_UPDATED, 2.5},
    {"INCR LT up", SC_ZADD_INCR | SC_ZADD_LT, 1.5, 1, SC_UNCHANGED, 0, 1.5},
    {"INCR to infinity", SC_ZADD_INCR, 1.5, INFINITY, SC_OK, SC_ZADD_UPDATED, INFINITY},
    {"INCR no number", SC_ZADD_INCR, INFINITY, -INFINITY, SC_NOT_FINITE, 0, INFINITY},
    {"NAN new", 0, NAN, NAN, SC_NOT_FINITE, 0, NAN},
    {"NAN", 0, 1, NAN, SC_NOT_FINITE, 0, 1},
    {"INCR by NAN", SC_ZADD_INCR, 1, NAN, SC_NOT_FINITE, 0, 1},
};

static void options(void) {
    enum { CASES = sizeof(option_cases) / sizeof(option_cases[0]) };
    for (int form = 0; form < FORMS; form++) {
        pair at = pair_open(form);
        for (unsigned others = 0; others < 200; others += 40) {
            for (unsigned i = 0; i < CASES; i++) {
                const option_case *one = &option_cases[i];
                sc_bytes member = bytes_of("the member");
                double result = NAN, score = NAN;
                int outcome = 0;
                if (!isnan(one->old)) {
                    CHECK_STATUS(add(&at, member, one->old, 0, &result, &outcome), SC_OK);
                    expect(&at, member, one->old);
                }
                outcome = 0;
                int status = add(&at, member, one->given, one->flags, &result, &outcome);
                CHECK(status == one->status, "%s: %s", one->text, sc_status_text(status));
                if (status == SC_OK)
                    CHECK(outcome == one->outcome && result == one->result, "%s: %d, %.17g",
                          one->text, outcome, result);
                status = ONE_READ(at.b.arena, sc_zset_score(session, &at.key, member, &score));
                CHECK(status == (isnan(one->result) ? SC_MISS : SC_OK), "%s", one->text);
                if (status == SC_OK) {
                    CHECK(score == one->result, "%s: %.17g", one->text, score);
                    CHECK_STATUS(
                        ONE_WRITE(at.b.arena, &at.key, sc_zset_remove(tx, &at.key, member)), SC_OK);
                }
                size_t there = row_find(&at.want, member);
                if (there != SIZE_MAX) row_remove(&at.want, there, 1);
            }
            for (unsigned i = 0; i < 40; i++)
                add_random(&at);
        }
        pair_close(&at);
    }
}

static void zset_refusals(void) {
    for (int form = 0; form < FORMS; form++) {
        pair at = pair_open(form);
        sc_key text = key_of(0, "text");
        sc_bytes m = bytes_of("m");
        double score;
        uint64_t rank;
        int outcome;
        CHECK_STATUS(ONE_READ(at.b.arena, sc_zset_score(session, &at.key, m, &score)), SC_MISS);
        CHECK_STATUS(ONE_READ(at.b.arena, sc_zset_rank(session, &at.key, m, &rank, &score)),
                     SC_MISS);
        CHECK_STATUS(ONE_READ(at.b.arena, sc_zset_seek_lex(session, &at.key, m, true, &rank)),
                     SC_MISS);
        CHECK_STATUS(add(&at, m, 1, SC_ZADD_NX | SC_ZADD_XX, &score, &outcome), SC_SYNTAX);
        CHECK_STATUS(add(&at, m, 1, SC_ZADD_XX, &score, &outcome), SC_UNCHANGED);
        CHECK(sc_db_keys(at.b.arena, 0) == 0, "a refused write left a key");
        CHECK_STATUS(set_text(at.b.arena, 0, "text", "v"), SC_OK);
        CHECK_STATUS(ONE_READ(at.b.arena, sc_zset_score(session, &text, m, &score)), SC_WRONG_TYPE);
        CHECK_STATUS(ONE_READ(at.b.arena, sc_zset_rank(session, &text, m, &rank, &score)),
                     SC_WRONG_TYPE);
        CHECK_STATUS(ONE_READ(at.b.arena, sc_zset_range(session, &text, 0, 1, false, 3, NULL)),
                     SC_WRONG_TYPE);
        CHECK_STATUS(ONE_READ(at.b.arena, sc_zset_seek(session, &text, 1, true, &rank)),
                     SC_WRONG_TYPE);
        CHECK_STATUS(ONE_READ(at.b.arena, sc_zset_seek_lex(session, &text, m, true, &rank)),
                     SC_WRONG_TYPE);
        CHECK_STATUS(
            ONE_WRITE(at.b.arena, &text, sc_zset_add(tx, &text, m, 1, 0, &score, &outcome)),
            SC_WRONG_TYPE);
        CHECK_STATUS(ONE_WRITE(at.b.arena, &text, sc_zset_remove(tx, &text, m)), SC_WRONG_TYPE);
        CHECK_STATUS(ONE_WRITE(at.b.arena, &text, sc_zset_remove_range(tx, &text, 0, 1)),
                     SC_WRONG_TYPE);
        CHECK_STATUS(sc_delete(at.b.arena, &text), SC_OK);
        pair_close(&at);
    }
}

const unit unit_zset[] = {
    {"zset/beside_an_array", beside_an_array},
    {"zset/equal_scores_go_by_bytes", equal_scores_go_by_bytes},
    {"zset/scores_in_order", scores_in_order},
    {"zset/options", options},
    {"zset/refusals", zset_refusals},
    {NULL, NULL},
};
