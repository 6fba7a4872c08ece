/* Lists beside an array of numbers: both ends, the middle, ranges, in each form. */
#include <inttypes.h>
#include <stdlib.h>

#include "forms.h"

/* A list and what it should hold: elements are made from numbers. */
typedef struct pair {
    bench b;
    sc_key key;
    unsigned *numbers;
    size_t count, most;
    rng chance;
    gathered got;
    char element[3000];
} pair;

static sc_bytes element_of(pair *at, unsigned i) {
    size_t length = i % 50 == 49 ? 700 + i % 2000 : i % 5 == 0 ? i % 120 : 0;
    if (length < 16) return BYTES(at->element, (size_t)snprintf(at->element, 32, "%d", (int)i * 7));
    fill_bytes(at->element, length, i);
    return BYTES(at->element, length);
}

static pair pair_open(int form, size_t most) {
    check_note("(form %d)", form);
    pair made = {.b = bench_open_form(UINT64_C(4) << 20, form), .most = most};
    made.key = key_of(0, "list");
    made.numbers = malloc(most * sizeof(*made.numbers));
    made.chance.state = (uint64_t)form + most;
    gathered_init(&made.got);
    return made;
}

static void check_element(pair *at, const piece *it, size_t index) {
    sc_bytes want = element_of(at, at->numbers[index]);
    CHECK(piece_is(it, want.bytes, want.length), "element %zu of %zu: '%.*s', not %u", index,
          at->count, (int)it->length, it->bytes, at->numbers[index]);
}

static void check_whole(pair *at) {
    uint64_t length = 0;
    int status = ONE_READ(at->b.arena, sc_length(session, &at->key, SC_LIST, &length));
    CHECK_STATUS(status, at->count ? SC_OK : SC_MISS);
    if (!at->count) return;
    CHECK(length == at->count, "%" PRIu64 ", not %zu", length, at->count);
    CHECK_STATUS(ONE_READ(at->b.arena, (gathered_reset(&at->got),
                                        sc_list_range(session, &at->key, 0, -1, &at->got.items))),
                 SC_OK);
    CHECK(at->got.count == at->count);
    for (size_t i = 0; i < at->count; i++)
        check_element(at, &at->got.piece[i], i);
}

static void pair_close(pair *at) {
    check_whole(at);
    free(at->numbers);
    gathered_free(&at->got);
    bench_close(&at->b);
}

/* ---- each call on both ------------------------------------------------------------------------*/

static void push(pair *at, unsigned number, bool left) {
    uint64_t length = 0;
    sc_bytes element = element_of(at, number);
    CHECK_STATUS(
        ONE_WRITE(at->b.arena, &at->key, sc_list_push(tx, &at->key, element, left, false, &length)),
        SC_OK);
    CHECK(at->count < at->most);
    if (left) memmove(at->numbers + 1, at->numbers, at->count * sizeof(*at->numbers));
    at->numbers[left ? 0 : at->count] = number;
    at->count++;
    CHECK(length == at->count, "%" PRIu64 ", not %zu", length, at->count);
}

static void forget(pair *at, size_t index, size_t count) {
    memmove(at->numbers + index, at->numbers + index + count,
            (at->count - index - count) * sizeof(*at->numbers));
    at->count -= count;
}

static void pop(pair *at, bool left) {
    int status = ONE_WRITE(at->b.arena, &at->key, sc_list_pop(tx, &at->key, left, &at->b.got.sink));
    CHECK_STATUS(status, at->count ? SC_OK : SC_MISS);
    if (!at->count) return;
    size_t index = left ? 0 : at->count - 1;
    piece got = {.bytes = at->b.got.bytes, .length = at->b.got.length};
    check_element(at, &got, index);
    forget(at, index, 1);
}

static void replace(pair *at, uint64_t index, unsigned number) {
    sc_bytes element = element_of(at, number);
    int status = ONE_WRITE(at->b.arena, &at->key, sc_list_replace(tx, &at->key, index, element));
    CHECK_STATUS(status, index < at->count ? SC_OK : SC_MISS);
    if (index < at->count) at->numbers[index] = number;
}

static void insert(pair *at, uint64_t index, unsigned number) {
    sc_bytes element = element_of(at, number);
    int status = ONE_WRITE(at->b.arena, &at->key, sc_list_insert(tx, &at->key, index, element));
    CHECK_STATUS(status, at->count && index <= at->count ? SC_OK : SC_MISS);
    if (status != SC_OK) return;
    memmove(at->numbers + index + 1, at->numbers + index,
            (at->count - index) * sizeof(*at->numbers));
    at->numbers[index] = number;
    at->count++;
}

static void remove_some(pair *at, uint64_t index, uint64_t count) {
    int status = ONE_WRITE(at->b.arena, &at->key, sc_list_remove(tx, &at->key, index, count));
    CHECK_STATUS(status, index < at->count ? SC_OK : SC_MISS);
    if (index >= at->count) return;
    forget(at, index, count > at->count - index ? at->count - index : count);
}

static void look_at(pair *at, int64_t index) {
    int status = ONE_READ(at->b.arena, sc_list_at(session, &at->key, index, &at->b.got.sink));
    int64_t from_start = index < 0 ? index + (int64_t)at->count : index;
    bool there = from_start >= 0 && from_start < (int64_t)at->count;
    CHECK_STATUS(status, there ? SC_OK : SC_MISS);
    piece got = {.bytes = at->b.got.bytes, .length = at->b.got.length};
    if (there) check_element(at, &got, (size_t)from_start);
}

static void look_at_range(pair *at, int64_t start, int64_t stop) {
    int64_t count = (int64_t)at->count, first = start < 0 ? start + count : start;
    int64_t last = stop < 0 ? stop + count : stop;
    if (first < 0) first = 0;
    if (last >= count) last = count - 1;
    int status =
        ONE_READ(at->b.arena, (gathered_reset(&at->got),
                               sc_list_range(session, &at->key, start, stop, &at->got.items)));
    CHECK_STATUS(status, count ? SC_OK : SC_MISS);
    size_t want = last < first ? 0 : (size_t)(last - first + 1);
    CHECK(at->got.count == want, "%zu of %zu from %" PRId64 " to %" PRId64, at->got.count, want,
          start, stop);
    for (size_t i = 0; i < want; i++)
        check_element(at, &at->got.piece[i], (size_t)first + i);
}

/* ---- tests ------------------------------------------------------------------------------------*/

static void queue(void) {
    enum { COUNT = 3000 };
    for (int form = 0; form < FORMS; form++) {
        for (int way = 0; way < 4; way++) {
            pair at = pair_open(form, COUNT);
            bool in = way & 1, out = way & 2;
            for (unsigned i = 0; i < COUNT; i++)
                push(&at, i, in);
            check_whole(&at);
            check_valid(at.b.arena);
            for (unsigned i = 0; i < COUNT; i++) {
                pop(&at, out);
                if (i % 500 == 0) check_valid(at.b.arena);
            }
            CHECK(sc_db_keys(at.b.arena, 0) == 0);
            pop(&at, out);
            pair_close(&at);
        }
    }
}

/* A few in, a few out, for long: what is taken from the front must not stay. */
static void rolling_queue(void) {
    for (int form = 0; form < FORMS; form++) {
        pair at = pair_open(form, 500);
        sc_statistics early, late;
        for (unsigned i = 0; i < 20000; i++) {
            push(&at, i, i / 5000 % 2);
            if (at.count > 100 + i % 200) pop(&at, !(i / 5000 % 2));
            if (i == 4000) CHECK_STATUS(sc_get_statistics(at.b.arena, &early), SC_OK);
        }
        CHECK_STATUS(sc_get_statistics(at.b.arena, &late), SC_OK);
        CHECK(late.used_bytes < early.used_bytes * 3 / 2 + 100000, "it grew to %" PRIu64,
              late.used_bytes);
        pair_close(&at);
    }
}

static void in_the_middle(void) {
    enum { MOST = 2500 };
    for (int form = 0; form < FORMS; form++) {
        pair at = pair_open(form, MOST + 10);
        unsigned next = 0;
        insert(&at, 0, next);
        push(&at, next++, false);
        for (unsigned i = 0; i < 6000; i++) {
            uint64_t where = rng_below(&at.chance, at.count + 3);
            bool full = at.count >= MOST, empty = at.count < 10;
            uint64_t kind = rng_below(&at.chance, i < 3000 ? 8 : 12);
            if ((kind < 6 && !full) || empty)
                insert(&at, where, next++);
            else if (kind < 8)
                replace(&at, where, next++);
            else if (kind < 11)
                remove_some(&at, where, 1);
            else
                remove_some(&at, where, rng_below(&at.chance, 60));
            if (!at.count) push(&at, next++, true);
            if (i % 300 == 0) {
                check_whole(&at);
                check_valid(at.b.arena);
            }
        }
        remove_some(&at, at.count, 1);
        remove_some(&at, at.count / 2, UINT64_MAX);
        check_whole(&at);
        remove_some(&at, 0, UINT64_MAX);
        CHECK(sc_db_keys(at.b.arena, 0) == 0, "an empty list is there");
        remove_some(&at, 0, 1);
        replace(&at, 0, 1);
        pair_close(&at);
    }
}

/* What LTRIM does: both ends go, far and near. */
static void trimmed(void) {
    for (int form = 0; form < FORMS; form++) {
        pair at = pair_open(form, 3000);
        for (unsigned round = 0; round < 12; round++) {
            while (at.count < 2000)
                push(&at, (unsigned)at.count * 3 + round, at.count % 2);
            uint64_t from = rng_below(&at.chance, 1200), keep = 1 + rng_below(&at.chance, 500);
            remove_some(&at, from + keep, UINT64_MAX);
            if (from) remove_some(&at, 0, from);
            CHECK(at.count == keep);
            check_whole(&at);
            check_valid(at.b.arena);
        }
        pair_close(&at);
    }
}

static void indices_and_ranges(void) {
    const size_t sizes[] = {1, 2, 7, 130, 900};
    for (int form = 0; form < FORMS; form++) {
        pair at = pair_open(form, 1000);
        look_at(&at, 0);
        look_at_range(&at, 0, -1);
        for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
            while (at.count < sizes[s])
                push(&at, (unsigned)at.count + 13, at.count % 3 == 0);
            int64_t count = (int64_t)at.count;
            const int64_t edges[] = {0,         1,          count / 2, count - 1, count,
                                     count + 1, -1,         -2,        -count,    -count - 1,
                                     INT64_MAX, -INT64_MAX, INT64_MIN, count / 3, -count / 3};
            for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
                look_at(&at, edges[i]);
                for (size_t j = 0; j < sizeof(edges) / sizeof(edges[0]); j++)
                    look_at_range(&at, edges[i], edges[j]);
            }
        }
        pair_close(&at);
    }
}

static void odd_elements(void) {
    for (int form = 0; form < FORMS; form++) {
        bench b = bench_open_form(UINT64_C(4) << 20, form);
        sc_key key = key_of(0, "odd");
        uint64_t length = 0;
        gathered got;
        gathered_init(&got);
        for (size_t i = 0; i < odd_count(); i++)
            CHECK_STATUS(ONE_WRITE(b.arena, &key,
                                   sc_list_push(tx, &key, odd_bytes(i), false, false, &length)),
                         SC_OK);
        CHECK(length == odd_count());
        for (size_t i = 0; i < odd_count(); i++) { /* each beside another neighbour */
            sc_bytes element = odd_bytes(odd_count() - 1 - i);
            CHECK_STATUS(ONE_WRITE(b.arena, &key, sc_list_replace(tx, &key, i, element)), SC_OK);
            CHECK_STATUS(ONE_READ(b.arena, sc_list_at(session, &key, (int64_t)i, &b.got.sink)),
                         SC_OK);
            CHECK(buffer_is(&b.got, element.bytes, element.length), "element %zu", i);
        }
        CHECK_STATUS(ONE_READ(b.arena, (gathered_reset(&got),
                                        sc_list_range(session, &key, 0, -1, &got.items))),
                     SC_OK);
        check_valid(b.arena);
        for (size_t i = 0; i < odd_count(); i++) {
            sc_bytes want = odd_bytes(odd_count() - 1 - i);
            CHECK(piece_is(&got.piece[i], want.bytes, want.length), "element %zu", i);
            bool left = i % 2;
            CHECK_STATUS(ONE_WRITE(b.arena, &key, sc_list_pop(tx, &key, left, &b.got.sink)), SC_OK);
        }
        CHECK(sc_db_keys(b.arena, 0) == 0);
        gathered_free(&got);
        bench_close(&b);
    }
}

static char *refuse(sc_sink *sink, size_t length) {
    (void)sink, (void)length;
    return NULL;
}

static void list_refusals(void) {
    for (int form = 0; form < FORMS; form++) {
        bench b = bench_open_form(0, form);
        sc_key key = key_of(0, "k"), text = key_of(0, "text");
        sc_sink never = {.reserve = refuse};
        sc_bytes e = bytes_of("e");
        uint64_t length = 0;
        CHECK_STATUS(ONE_WRITE(b.arena, &key, sc_list_push(tx, &key, e, true, true, &length)),
                     SC_MISS);
        CHECK(sc_db_keys(b.arena, 0) == 0);
        CHECK_STATUS(ONE_WRITE(b.arena, &key, sc_list_push(tx, &key, e, true, false, &length)),
                     SC_OK);
        CHECK_STATUS(ONE_WRITE(b.arena, &key, sc_list_push(tx, &key, e, true, true, &length)),
                     SC_OK);
        CHECK(length == 2);
        CHECK_STATUS(ONE_WRITE(b.arena, &key, sc_list_pop(tx, &key, true, &never)), SC_NO_MEMORY);
        CHECK_STATUS(ONE_READ(b.arena, sc_list_at(session, &key, 0, &never)), SC_NO_MEMORY);
        CHECK_STATUS(ONE_READ(b.arena, sc_length(session, &key, SC_LIST, &length)), SC_OK);
        CHECK(length == 2, "taken, and given to nobody");
        CHECK_STATUS(set_text(b.arena, 0, "text", "v"), SC_OK);
        CHECK_STATUS(ONE_READ(b.arena, sc_list_at(session, &text, 0, &b.got.sink)), SC_WRONG_TYPE);
        CHECK_STATUS(ONE_READ(b.arena, sc_list_range(session, &text, 0, 1, NULL)), SC_WRONG_TYPE);
        CHECK_STATUS(ONE_WRITE(b.arena, &text, sc_list_push(tx, &text, e, true, false, &length)),
                     SC_WRONG_TYPE);
        CHECK_STATUS(ONE_WRITE(b.arena, &text, sc_list_push(tx, &text, e, true, true, &length)),
                     SC_WRONG_TYPE);
        CHECK_STATUS(ONE_WRITE(b.arena, &text, sc_list_pop(tx, &text, true, &b.got.sink)),
                     SC_WRONG_TYPE);
        CHECK_STATUS(ONE_WRITE(b.arena, &text, sc_list_replace(tx, &text, 0, e)), SC_WRONG_TYPE);
        CHECK_STATUS(ONE_WRITE(b.arena, &text, sc_list_insert(tx, &text, 0, e)), SC_WRONG_TYPE);
        CHECK_STATUS(ONE_WRITE(b.arena, &text, sc_list_remove(tx, &text, 0, 1)), SC_WRONG_TYPE);
        check_text(b.arena, 0, "text", "v");
        bench_close(&b);
    }
}

const unit unit_list[] = {
    {"list/queue", queue},
    {"list/rolling_queue", rolling_queue},
    {"list/in_the_middle", in_the_middle},
    {"list/trimmed", trimmed},
    {"list/indices_and_ranges", indices_and_ranges},
    {"list/odd_elements", odd_elements},
    {"list/refusals", list_refusals},
    {NULL, NULL},
};
