/* Walks over hashes, sets and sorted sets: all, scans while they change, picks at random. */
#include <stdlib.h>

#include "forms.h"

static const int map_types[] = {SC_HASH, SC_SET, SC_ZSET};
enum { MAP_TYPES = 3, NAMES = 4000 };

static sc_bytes name_of(char name[32], unsigned i) {
    return BYTES(name, (size_t)snprintf(name, 32, i % 3 ? "%u" : "m%06u", i));
}

static void put(bench *b, const sc_key *key, int type, unsigned i) {
    char name[32];
    bool added;
    int outcome;
    double score;
    sc_bytes member = name_of(name, i), value = type == SC_HASH ? member : bytes_of("");
    int status =
        type == SC_ZSET
            ? ONE_WRITE(b->arena, key, sc_zset_add(tx, key, member, i % 10, 0, &score, &outcome))
            : ONE_WRITE(b->arena, key, sc_map_put(tx, key, type, member, value, 0, &added));
    CHECK_STATUS(status, SC_OK);
}

static void drop(bench *b, const sc_key *key, int type, unsigned i) {
    char name[32];
    sc_bytes member = name_of(name, i);
    int status = type == SC_ZSET ? ONE_WRITE(b->arena, key, sc_zset_remove(tx, key, member))
                                 : ONE_WRITE(b->arena, key, sc_map_remove(tx, key, type, member));
    CHECK(status == SC_OK || status == SC_MISS, "%s", sc_status_text(status));
}

static unsigned number_of(const piece *name) {
    char text[32] = "", again[32];
    CHECK(name->length > 0 && name->length < sizeof(text), "%zu bytes", name->length);
    memcpy(text, name->bytes, name->length);
    unsigned i = (unsigned)strtoul(text + (text[0] == 'm'), NULL, 10);
    CHECK(i < NAMES && piece_is(name, name_of(again, i).bytes, name->length), "'%s'", text);
    return i;
}

static uint32_t everything_of(int type) {
    return type == SC_SET ? SC_FIELDS : SC_FIELDS | SC_VALUES;
}

/* Count each name that was gathered; its value or score is the one that belongs to it. */
static void count_names(const gathered *got, int type, unsigned *times) {
    size_t width = type == SC_HASH ? 2 : 1;
    CHECK(got->count % width == 0, "%zu items", got->count);
    for (size_t i = 0; i < got->count; i += width) {
        const piece *name = &got->piece[i];
        unsigned number = number_of(name);
        times[number]++;
        if (type == SC_HASH) CHECK(piece_is(name + 1, name->bytes, name->length), "%u", number);
        CHECK(name->scored == (type == SC_ZSET));
        if (type == SC_ZSET) CHECK(name->score == number % 10, "%u", number);
    }
}

/* ---- all --------------------------------------------------------------------------------------*/

static int all_of(bench *b, const sc_key *key, int type, uint32_t what, gathered *got) {
    return ONE_READ(b->arena,
                    (gathered_reset(got), sc_map_all(session, key, type, what, &got->items)));
}

static void all_of_each_size(void) {
    static unsigned times[NAMES];
    gathered got;
    gathered_init(&got);
    for (int form = 0; form < FORMS; form++) {
        for (int t = 0; t < MAP_TYPES; t++) {
            check_note("(form %d, type %d)", form, map_types[t]);
            bench b = bench_open_form(UINT64_C(2) << 20, form);
            sc_key key = key_of(0, "k");
            int type = map_types[t];
            for (unsigned i = 0; i < NAMES; i++) {
                put(&b, &key, type, i);
                if (i % 311 && i > 20) continue;
                memset(times, 0, sizeof(times));
                CHECK_STATUS(all_of(&b, &key, type, everything_of(type), &got), SC_OK);
                count_names(&got, type, times);
                for (unsigned j = 0; j < NAMES; j++)
                    CHECK(times[j] == (j <= i), "%u of %u came %u times", j, i, times[j]);
            }
            bench_close(&b);
        }
    }
    gathered_free(&got);
}

static void fields_or_values(void) {
    gathered got;
    gathered_init(&got);
    for (int form = 0; form < FORMS; form++) {
        bench b = bench_open_form(0, form);
        sc_key key = key_of(0, "h"), zset = key_of(0, "z");
        bool added;
        CHECK_STATUS(
            ONE_WRITE(b.arena, &key,
                      sc_map_put(tx, &key, SC_HASH, bytes_of("field"), bytes_of("42"), 0, &added)),
            SC_OK);
        CHECK_STATUS(all_of(&b, &key, SC_HASH, SC_FIELDS, &got), SC_OK);
        check_pieces(&got, "field", NULL);
        CHECK_STATUS(all_of(&b, &key, SC_HASH, SC_VALUES, &got), SC_OK);
        check_pieces(&got, "42", NULL);
        CHECK_STATUS(all_of(&b, &key, SC_HASH, SC_FIELDS | SC_VALUES, &got), SC_OK);
        check_pieces(&got, "field", "42", NULL);
        put(&b, &zset, SC_ZSET, 7);
        CHECK_STATUS(all_of(&b, &zset, SC_ZSET, SC_FIELDS, &got), SC_OK);
        check_pieces(&got, "7", NULL);
        CHECK(!got.piece[0].scored, "nobody asked for a score");
        bench_close(&b);
    }
    gathered_free(&got);
}

/* ---- scans ------------------------------------------------------------------------------------*/

enum { STEADY = 900 };

/* Between two steps of a scan something else changes: elements come and go, most at random. */
static void disturb(bench *b, const sc_key *key, int type, rng *chance, bool grow) {
    for (unsigned i = 0; i < 12; i++) {
        unsigned other = STEADY + (unsigned)rng_below(chance, NAMES - STEADY);
        if (rng_below(chance, 10) < (grow ? 9 : 1))
            put(b, key, type, other);
        else
            drop(b, key, type, other);
    }
}

static void scan_disturbed(bench *b, int type, rng *chance, bool grow) {
    static unsigned times[NAMES];
    sc_key key = key_of(0, "k");
    gathered got;
    uint64_t cursor = 0, calls = 0, count = 1 + rng_below(chance, 60);
    gathered_init(&got);
    memset(times, 0, sizeof(times));
    do {
        uint64_t from = cursor;
        CHECK_STATUS(ONE_READ(b->arena, (gathered_reset(&got), cursor = from,
                                         sc_map_scan(session, &key, type, &cursor, count,
                                                     everything_of(type), &got.items))),
                     SC_OK);
        size_t elements = got.count / (type == SC_HASH ? 2 : 1);
        CHECK(cursor == 0 || elements >= count, "%zu of %llu", elements, (unsigned long long)count);
        count_names(&got, type, times);
        disturb(b, &key, type, chance, grow);
        CHECK(++calls < 100000, "it does not end");
    } while (cursor != 0);
    for (unsigned i = 0; i < STEADY; i++)
        CHECK(times[i] == 1, "%u came %u times in %llu calls", i, times[i],
              (unsigned long long)calls);
    gathered_free(&got);
}

static void scans_while_it_changes(void) {
    rng chance = {.state = 11};
    for (int form = 0; form < FORMS; form++) {
        for (int t = 0; t < MAP_TYPES; t++) {
            check_note("(form %d, type %d)", form, map_types[t]);
            bench b = bench_open_form(UINT64_C(2) << 20, form);
            sc_key key = key_of(0, "k");
            for (unsigned i = 0; i < STEADY; i++)
                put(&b, &key, map_types[t], i);
            for (unsigned round = 0; round < 6; round++)
                scan_disturbed(&b, map_types[t], &chance, round % 2 == 0);
            bench_close(&b);
        }
    }
}

/* One that starts while it is packed and ends when it is a tree: what was there comes, and comes
 * once. */
static void scan_over_the_conversion(void) {
    for (int t = 0; t < MAP_TYPES; t++) {
        for (unsigned start = 1; start < 140; start += 9) {
            check_note("(start %u, type %d)", start, map_types[t]);
            bench b = bench_open_form(0, FORM_DEFAULT);
            sc_key key = key_of(0, "k");
            int type = map_types[t];
            uint64_t cursor = 0;
            static unsigned times[NAMES];
            gathered got;
            gathered_init(&got);
            memset(times, 0, sizeof(times));
            for (unsigned i = 0; i < start; i++)
                put(&b, &key, type, i);
            unsigned next = start;
            do {
                uint64_t from = cursor;
                CHECK_STATUS(ONE_READ(b.arena, (gathered_reset(&got), cursor = from,
                                                sc_map_scan(session, &key, type, &cursor, 5,
                                                            everything_of(type), &got.items))),
                             SC_OK);
                count_names(&got, type, times);
                for (unsigned i = 0; i < 40 && next < 800; i++)
                    put(&b, &key, type, next++);
            } while (cursor != 0);
            for (unsigned i = 0; i < start; i++)
                CHECK(times[i] == 1, "%u of %u came %u times", i, start, times[i]);
            gathered_free(&got);
            bench_close(&b);
        }
    }
}

static void scans_by_wild_cursors(void) {
    rng chance = {.state = 5};
    for (int form = 0; form < FORMS; form++) {
        for (int t = 0; t < MAP_TYPES; t++) {
            check_note("(form %d, type %d)", form, map_types[t]);
            bench b = bench_open_form(UINT64_C(1) << 20, form);
            sc_key key = key_of(0, "k");
            gathered got;
            gathered_init(&got);
            for (unsigned i = 0; i < 500; i++)
                put(&b, &key, map_types[t], i);
            for (unsigned i = 0; i < 300; i++) {
                uint64_t cursor = rng_next(&chance) >> rng_below(&chance, 64), calls = 0;
                uint64_t count = rng_below(&chance, 3) ? rng_below(&chance, 20) : UINT64_MAX;
                do {
                    uint64_t from = cursor;
                    CHECK_STATUS(
                        ONE_READ(b.arena, (gathered_reset(&got), cursor = from,
                                           sc_map_scan(session, &key, map_types[t], &cursor, count,
                                                       SC_FIELDS, &got.items))),
                        SC_OK);
                    CHECK(++calls < 1000, "it does not end");
                } while (cursor != 0);
            }
            gathered_free(&got);
            bench_close(&b);
        }
    }
}

/* ---- at random --------------------------------------------------------------------------------*/

static void pick(bench *b, int type, uint64_t count, bool distinct, gathered *got) {
    sc_key key = key_of(0, "k");
    CHECK_STATUS(
        ONE_READ(b->arena, (gathered_reset(got), sc_map_random(session, &key, type, count, distinct,
                                                               everything_of(type), &got->items))),
        SC_OK);
}

static void picks_of(bench *b, int type, unsigned size) {
    static unsigned times[NAMES], now[NAMES];
    gathered got;
    size_t width = type == SC_HASH ? 2 : 1;
    gathered_init(&got);
    memset(times, 0, sizeof(times));
    pick(b, type, (uint64_t)size * 20, false, &got);
    CHECK(got.count == (size_t)size * 20 * width, "%zu", got.count);
    count_names(&got, type, times);
    for (unsigned i = 0; i < NAMES; i++) /* one in e^20 is missed */
        CHECK((times[i] > 0) == (i < size), "%u of %u was picked %u times", i, size, times[i]);
    const unsigned counts[] = {0, 1, size / 3, size / 2 + 1, size - 1, size, size + 1, 3 * size};
    for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
        memset(now, 0, sizeof(now));
        pick(b, type, counts[c], true, &got);
        size_t want = counts[c] < size ? counts[c] : size;
        CHECK(got.count == want * width, "%zu of %zu", got.count, want);
        count_names(&got, type, now);
        for (unsigned i = 0; i < NAMES; i++)
            CHECK(now[i] <= (i < size), "%u was picked %u times of %u", i, now[i], counts[c]);
    }
    gathered_free(&got);
}

static void picks_at_random(void) {
    const unsigned sizes[] = {1, 2, 3, 20, 130, 500, 1500};
    for (int form = 0; form < FORMS; form++) {
        for (int t = 0; t < MAP_TYPES; t++) {
            check_note("(form %d, type %d)", form, map_types[t]);
            bench b = bench_open_form(UINT64_C(1) << 20, form);
            sc_key key = key_of(0, "k");
            unsigned have = 0;
            for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
                while (have < sizes[s])
                    put(&b, &key, map_types[t], have++);
                picks_of(&b, map_types[t], have);
            }
            bench_close(&b);
        }
    }
}

/* No element is picked much more often than another. */
static void picks_are_fair(void) {
    enum { SIZE = 300, EACH = 200 };
    static unsigned times[NAMES];
    for (int form = 0; form < FORMS; form++) {
        bench b = bench_open_form(UINT64_C(1) << 20, form);
        sc_key key = key_of(0, "k");
        gathered got;
        gathered_init(&got);
        memset(times, 0, sizeof(times));
        for (unsigned i = 0; i < SIZE; i++)
            put(&b, &key, SC_SET, i);
        pick(&b, SC_SET, SIZE * EACH, false, &got);
        count_names(&got, SC_SET, times);
        for (unsigned i = 0; i < SIZE; i++) /* some seven standard deviations */
            CHECK(times[i] > EACH / 2 && times[i] < EACH * 3 / 2, "%u: %u times", i, times[i]);
        gathered_free(&got);
        bench_close(&b);
    }
}

static void pops_give_each_once(void) {
    enum { SIZE = 700 };
    static unsigned times[NAMES];
    for (int form = 0; form < FORMS; form++) {
        bench b = bench_open_form(UINT64_C(1) << 20, form);
        sc_key key = key_of(0, "k");
        memset(times, 0, sizeof(times));
        for (unsigned i = 0; i < SIZE; i++)
            put(&b, &key, SC_SET, i);
        for (unsigned i = 0; i < SIZE; i++) {
            CHECK_STATUS(ONE_WRITE(b.arena, &key, sc_set_pop(tx, &key, &b.got.sink)), SC_OK);
            piece name = {.bytes = b.got.bytes, .length = b.got.length};
            CHECK(++times[number_of(&name)] == 1, "twice");
            if (i % 100 == 0) check_valid(b.arena);
        }
        CHECK_STATUS(ONE_WRITE(b.arena, &key, sc_set_pop(tx, &key, &b.got.sink)), SC_MISS);
        CHECK(sc_db_keys(b.arena, 0) == 0);
        bench_close(&b);
    }
}

/* Where most fields are dead the living are still found, and only they. */
static void dead_fields_are_walked_past(void) {
    static unsigned times[NAMES];
    for (int form = 0; form < FORMS; form++) {
        bench b = bench_open_form(UINT64_C(1) << 20, form);
        sc_key key = key_of(0, "k");
        char name[32];
        gathered got;
        gathered_init(&got);
        for (unsigned i = 0; i < 400; i++) {
            put(&b, &key, SC_HASH, i);
            sc_bytes field = name_of(name, i);
            if (i % 20)
                CHECK_STATUS(ONE_WRITE(b.arena, &key, sc_map_set_expiry(tx, &key, field, 1)),
                             SC_OK);
        }
        memset(times, 0, sizeof(times));
        CHECK_STATUS(all_of(&b, &key, SC_HASH, SC_FIELDS | SC_VALUES, &got), SC_OK);
        count_names(&got, SC_HASH, times);
        uint64_t cursor = 0;
        do {
            uint64_t from = cursor;
            CHECK_STATUS(ONE_READ(b.arena, (gathered_reset(&got), cursor = from,
                                            sc_map_scan(session, &key, SC_HASH, &cursor, 7,
                                                        SC_FIELDS | SC_VALUES, &got.items))),
                         SC_OK);
            count_names(&got, SC_HASH, times);
        } while (cursor != 0);
        pick(&b, SC_HASH, 20, true, &got);
        count_names(&got, SC_HASH, times);
        pick(&b, SC_HASH, 300, false, &got);
        CHECK(got.count == 600, "%zu", got.count);
        for (unsigned i = 0; i < 400; i++)
            CHECK(times[i] == (i % 20 ? 0 : 3), "%u came %u times", i, times[i]);
        gathered_free(&got);
        bench_close(&b);
    }
}

/* However few are alive, picks find them. */
static void one_living_field_of_many(void) {
    for (int form = 0; form < FORMS; form++) {
        bench b = bench_open_form(UINT64_C(1) << 20, form);
        sc_key key = key_of(0, "k");
        char name[32];
        gathered got;
        gathered_init(&got);
        for (unsigned i = 0; i < 3000; i++) {
            put(&b, &key, SC_HASH, i);
            sc_bytes field = name_of(name, i);
            if (i != 1234)
                CHECK_STATUS(ONE_WRITE(b.arena, &key, sc_map_set_expiry(tx, &key, field, 1)),
                             SC_OK);
        }
        for (int distinct = 0; distinct < 2; distinct++) {
            pick(&b, SC_HASH, 5, distinct, &got);
            CHECK(got.count == (distinct ? 2 : 10), "%zu", got.count);
            CHECK(number_of(&got.piece[0]) == 1234);
        }
        gathered_free(&got);
        bench_close(&b);
    }
}

const unit unit_walk[] = {
    {"walk/all_of_each_size", all_of_each_size},
    {"walk/fields_or_values", fields_or_values},
    {"walk/scans_while_it_changes", scans_while_it_changes},
    {"walk/scan_over_the_conversion", scan_over_the_conversion},
    {"walk/scans_by_wild_cursors", scans_by_wild_cursors},
    {"walk/picks_at_random", picks_at_random},
    {"walk/picks_are_fair", picks_are_fair},
    {"walk/pops_give_each_once", pops_give_each_once},
    {"walk/dead_fields_are_walked_past", dead_fields_are_walked_past},
    {"walk/one_living_field_of_many", one_living_field_of_many},
    {NULL, NULL},
};
