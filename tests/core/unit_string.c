/* Strings and integers: SET in all its variants, GET, ranges, INCR, APPEND, DEL, GETDEL. */
#include <inttypes.h>
#include <stdlib.h>

#include "layout.h"
#include "unit.h"

static sc_set_args text_args(const char *value, uint32_t flags) {
    return (sc_set_args){.value = value, .value_bytes = strlen(value), .flags = flags};
}

static void set_and_get(void) {
    bench b = bench_open(0);
    check_missing(b.arena, 0, "a");
    CHECK_STATUS(set_text(b.arena, 0, "a", "one"), SC_OK);
    check_text(b.arena, 0, "a", "one");
    CHECK_STATUS(set_text(b.arena, 0, "a", "another, longer than the first"), SC_OK);
    check_text(b.arena, 0, "a", "another, longer than the first");
    CHECK_STATUS(set_text(b.arena, 0, "a", ""), SC_OK);
    check_text(b.arena, 0, "a", "");
    CHECK(sc_db_keys(b.arena, 0) == 1);
    bench_close(&b);
}

static void empty_and_binary_keys(void) {
    bench b = bench_open(0);
    sc_key empty = {.bytes = "", .length = 0, .db = 0};
    CHECK_STATUS(sc_get(b.arena, &empty, &b.got.sink), SC_MISS);
    CHECK_STATUS(set_bytes(b.arena, &empty, "empty", 5), SC_OK);
    sc_key zeros[] = {{"\0", 1, 0}, {"\0\0", 2, 0}, {"a\0b", 3, 0}, {"a\0c", 3, 0}};
    for (size_t i = 0; i < 4; i++)
        CHECK_STATUS(set_bytes(b.arena, &zeros[i], (char *)&i, sizeof(i)), SC_OK);
    for (size_t i = 0; i < 4; i++) {
        CHECK_STATUS(sc_get(b.arena, &zeros[i], &b.got.sink), SC_OK);
        CHECK(buffer_is(&b.got, &i, sizeof(i)));
    }
    CHECK_STATUS(sc_get(b.arena, &empty, &b.got.sink), SC_OK);
    CHECK(buffer_is(&b.got, "empty", 5));
    CHECK(sc_db_keys(b.arena, 0) == 5);
    CHECK_STATUS(sc_delete(b.arena, &empty), SC_OK);
    CHECK_STATUS(sc_get(b.arena, &empty, &b.got.sink), SC_MISS);
    bench_close(&b);
}

static void set_conditions(void) {
    bench b = bench_open(0);
    sc_key key = key_of(0, "k");
    sc_set_args xx = text_args("xx", SC_SET_XX), nx = text_args("nx", SC_SET_NX);
    CHECK_STATUS(sc_set(b.arena, &key, &xx), SC_UNCHANGED);
    check_missing(b.arena, 0, "k");
    CHECK_STATUS(sc_set(b.arena, &key, &nx), SC_OK);
    check_text(b.arena, 0, "k", "nx");
    CHECK_STATUS(sc_set(b.arena, &key, &nx), SC_UNCHANGED);
    CHECK_STATUS(sc_set(b.arena, &key, &xx), SC_OK);
    check_text(b.arena, 0, "k", "xx");
    sc_set_args both = text_args("no", SC_SET_NX | SC_SET_XX);
    CHECK_STATUS(sc_set(b.arena, &key, &both), SC_SYNTAX);
    check_text(b.arena, 0, "k", "xx");
    bench_close(&b);
}

static void set_with_old_value(void) {
    bench b = bench_open(0);
    sc_key key = key_of(0, "k");
    bool had = true;
    sc_set_args args = text_args("first", 0);
    args.old = &b.got.sink;
    args.had_old = &had;
    CHECK_STATUS(sc_set(b.arena, &key, &args), SC_OK);
    CHECK(!had);
    args.value = "next!";
    CHECK_STATUS(sc_set(b.arena, &key, &args), SC_OK);
    CHECK(had && buffer_is(&b.got, "first", 5));
    args.flags = SC_SET_NX; /* not set, but the old value is told */
    had = false;
    CHECK_STATUS(sc_set(b.arena, &key, &args), SC_UNCHANGED);
    CHECK(had && buffer_is(&b.got, "next!", 5));
    CHECK_STATUS(set_text(b.arena, 0, "k", "-17"), SC_OK);
    args.flags = SC_SET_XX;
    CHECK_STATUS(sc_set(b.arena, &key, &args), SC_OK);
    CHECK(had && buffer_is(&b.got, "-17", 3));
    key = key_of(0, "none");
    had = true;
    CHECK_STATUS(sc_set(b.arena, &key, &args), SC_UNCHANGED);
    CHECK(!had);
    bench_close(&b);
}

static char *refuse(sc_sink *sink, size_t length) {
    (void)sink, (void)length;
    return NULL;
}

static void sink_that_gives_up(void) {
    bench b = bench_open(0);
    sc_sink never = {.reserve = refuse};
    sc_key key = key_of(0, "k");
    CHECK_STATUS(set_text(b.arena, 0, "k", "value"), SC_OK);
    CHECK_STATUS(sc_get(b.arena, &key, &never), SC_NO_MEMORY);
    CHECK_STATUS(sc_get_range(b.arena, &key, 0, -1, &never), SC_NO_MEMORY);
    CHECK_STATUS(sc_get_delete(b.arena, &key, &never), SC_NO_MEMORY);
    check_text(b.arena, 0, "k", "value");
    bool had;
    sc_set_args args = text_args("lost", 0);
    args.old = &never;
    args.had_old = &had;
    CHECK_STATUS(sc_set(b.arena, &key, &args), SC_NO_MEMORY);
    check_text(b.arena, 0, "k", "value");
    CHECK_STATUS(sc_random_key(b.arena, 0, &never), SC_NO_MEMORY);
    bench_close(&b);
}

static uint8_t encoding_of(sc_arena *arena, const char *name) {
    sc_key key = key_of(0, name);
    sc_info info;
    CHECK_STATUS(sc_describe(arena, &key, &info, false), SC_OK);
    return info.encoding;
}

static const char *const integers[] = {
    "0",
    "1",
    "-1",
    "9",
    "10",
    "-10",
    "123456789",
    "2147483647",
    "2147483648",
    "4294967296",
    "-2147483648",
    "9223372036854775807",
    "-9223372036854775808",
};
static const char *const not_integers[] = {
    "",
    " 1",
    "1 ",
    "+1",
    "-0",
    "007",
    "-01",
    "1.0",
    "0x1",
    "1e3",
    "abc",
    "-",
    "--1",
    "1a",
    "9223372036854775808",
    "-9223372036854775809",
    "00",
    "123456789012345678901234567890",
};

static void integer_encoding(void) {
    bench b = bench_open(0);
    for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
        CHECK_STATUS(set_text(b.arena, 0, "n", integers[i]), SC_OK);
        check_text(b.arena, 0, "n", integers[i]);
        CHECK(encoding_of(b.arena, "n") == SC_ENC_INT, "'%s'", integers[i]);
    }
    for (size_t i = 0; i < sizeof(not_integers) / sizeof(not_integers[0]); i++) {
        CHECK_STATUS(set_text(b.arena, 0, "n", not_integers[i]), SC_OK);
        check_text(b.arena, 0, "n", not_integers[i]);
        CHECK(encoding_of(b.arena, "n") == SC_ENC_RAW, "'%s'", not_integers[i]);
        int64_t result = 77;
        sc_key key = key_of(0, "n");
        CHECK_STATUS(sc_incr(b.arena, &key, 1, &result), SC_NOT_INTEGER);
        check_text(b.arena, 0, "n", not_integers[i]);
    }
    bench_close(&b);
}

static void integers_at_random(void) {
    bench b = bench_open(0);
    rng chance = {.state = 11};
    sc_key key = key_of(0, "n");
    for (int i = 0; i < 20000; i++) {
        int64_t number = (int64_t)(rng_next(&chance) << rng_below(&chance, 64));
        number >>= rng_below(&chance, 64);
        char text[32];
        snprintf(text, sizeof(text), "%" PRId64, number);
        CHECK_STATUS(set_text(b.arena, 0, "n", text), SC_OK);
        check_text(b.arena, 0, "n", text);
        int64_t result;
        CHECK_STATUS(sc_incr(b.arena, &key, 0, &result), SC_OK);
        CHECK(result == number, "%s", text);
        check_text(b.arena, 0, "n", text);
    }
    bench_close(&b);
}

static void expect_incr(sc_arena *arena, const char *name, int64_t by, int64_t want) {
    sc_key key = key_of(0, name);
    int64_t result = ~want;
    CHECK_STATUS(sc_incr(arena, &key, by, &result), SC_OK);
    CHECK(result == want, "%" PRId64, result);
}

static void incr_edges(void) {
    bench b = bench_open(0);
    expect_incr(b.arena, "n", 5, 5);
    expect_incr(b.arena, "n", -7, -2);
    check_text(b.arena, 0, "n", "-2");
    expect_incr(b.arena, "top", INT64_MAX, INT64_MAX);
    expect_incr(b.arena, "bottom", INT64_MIN, INT64_MIN);
    sc_key top = key_of(0, "top"), bottom = key_of(0, "bottom");
    int64_t result = 42;
    CHECK_STATUS(sc_incr(b.arena, &top, 1, &result), SC_OVERFLOW);
    CHECK_STATUS(sc_incr(b.arena, &top, INT64_MAX, &result), SC_OVERFLOW);
    CHECK_STATUS(sc_incr(b.arena, &bottom, -1, &result), SC_OVERFLOW);
    CHECK_STATUS(sc_incr(b.arena, &bottom, INT64_MIN, &result), SC_OVERFLOW);
    check_text(b.arena, 0, "top", "9223372036854775807");
    check_text(b.arena, 0, "bottom", "-9223372036854775808");
    expect_incr(b.arena, "top", INT64_MIN, -1);
    expect_incr(b.arena, "bottom", INT64_MAX, -1);
    bench_close(&b);
}

static void expect_append(sc_arena *arena, const char *name, const char *tail, uint64_t want) {
    sc_key key = key_of(0, name);
    uint64_t length = 0;
    CHECK_STATUS(sc_append(arena, &key, tail, strlen(tail), &length), SC_OK);
    CHECK(length == want, "%" PRIu64, length);
}

static void append_grows(void) {
    bench b = bench_open(0);
    expect_append(b.arena, "s", "abc", 3);
    expect_append(b.arena, "s", "", 3);
    expect_append(b.arena, "s", "def", 6);
    check_text(b.arena, 0, "s", "abcdef");
    CHECK_STATUS(set_text(b.arena, 0, "n", "12"), SC_OK);
    expect_append(b.arena, "n", "3", 3);
    check_text(b.arena, 0, "n", "123");
    CHECK(encoding_of(b.arena, "n") == SC_ENC_APPENDED);
    expect_append(b.arena, "n", "x", 4);
    check_text(b.arena, 0, "n", "123x");
    expect_append(b.arena, "nothing", "", 0);
    check_text(b.arena, 0, "nothing", "");
    bench_close(&b);
}

static void append_through_all_sizes(void) {
    bench b = bench_open(0);
    sc_key key = key_of(0, "s");
    enum { LIMIT = 60000 };
    char *want = malloc(LIMIT + 1024);
    CHECK(want != NULL);
    rng chance = {.state = 5};
    uint64_t length = 0, told;
    while (length < LIMIT) {
        uint64_t more = rng_below(&chance, 1 + length / 8 % 1000);
        fill_bytes(want + length, more, length);
        CHECK_STATUS(sc_append(b.arena, &key, want + length, more, &told), SC_OK);
        length += more;
        CHECK(told == length);
        CHECK_STATUS(sc_get(b.arena, &key, &b.got.sink), SC_OK);
        CHECK(buffer_is(&b.got, want, length), "at %" PRIu64, length);
        fill_bytes(want + length, 1, length);
        CHECK_STATUS(sc_append(b.arena, &key, want + length++, 1, &told), SC_OK);
    }
    free(want);
    bench_close(&b);
}

static void expect_range(bench *b, int64_t start, int64_t end, const char *want) {
    sc_key key = key_of(0, "k");
    CHECK_STATUS(sc_get_range(b->arena, &key, start, end, &b->got.sink), SC_OK);
    CHECK(buffer_is(&b->got, want, strlen(want)), "[%" PRId64 ",%" PRId64 "] is '%s'", start, end,
          b->got.bytes);
}

static void ranges(void) {
    bench b = bench_open(0);
    CHECK_STATUS(set_text(b.arena, 0, "k", "This is a string"), SC_OK);
    expect_range(&b, 0, 3, "This");
    expect_range(&b, -3, -1, "ing");
    expect_range(&b, 0, -1, "This is a string");
    expect_range(&b, 10, 100, "string");
    expect_range(&b, 5, 4, "");
    expect_range(&b, 16, 20, "");
    expect_range(&b, 15, 15, "g");
    expect_range(&b, -100, 0, "T");
    expect_range(&b, -100, -90, "T"); /* as Redis: both ends clamp to the first byte */
    expect_range(&b, INT64_MIN, INT64_MAX, "This is a string");
    expect_range(&b, INT64_MAX, INT64_MIN, "");
    CHECK_STATUS(set_text(b.arena, 0, "k", "-12345"), SC_OK);
    expect_range(&b, 0, 1, "-1");
    expect_range(&b, -2, -1, "45");
    CHECK_STATUS(set_text(b.arena, 0, "k", ""), SC_OK);
    expect_range(&b, 0, -1, "");
    sc_key none = key_of(0, "none");
    CHECK_STATUS(sc_get_range(b.arena, &none, 0, -1, &b.got.sink), SC_MISS);
    bench_close(&b);
}

static void delete_and_get_delete(void) {
    bench b = bench_open(0);
    sc_key key = key_of(0, "k");
    CHECK_STATUS(sc_delete(b.arena, &key), SC_MISS);
    CHECK_STATUS(sc_get_delete(b.arena, &key, &b.got.sink), SC_MISS);
    CHECK_STATUS(set_text(b.arena, 0, "k", "v"), SC_OK);
    CHECK_STATUS(sc_delete(b.arena, &key), SC_OK);
    CHECK_STATUS(sc_delete(b.arena, &key), SC_MISS);
    CHECK_STATUS(set_text(b.arena, 0, "k", "77"), SC_OK);
    CHECK_STATUS(sc_get_delete(b.arena, &key, &b.got.sink), SC_OK);
    CHECK(buffer_is(&b.got, "77", 2));
    check_missing(b.arena, 0, "k");
    CHECK(sc_db_keys(b.arena, 0) == 0);
    bench_close(&b);
}

static void many_at_once(void) {
    bench b = bench_open(0);
    sc_key keys[] = {key_of(0, "a"), key_of(0, "none"), key_of(1, "a"), key_of(0, "a"),
                     key_of(0, "n")};
    enum { COUNT = sizeof(keys) / sizeof(keys[0]) };
    CHECK_STATUS(set_text(b.arena, 0, "a", "zero"), SC_OK);
    CHECK_STATUS(set_text(b.arena, 1, "a", "one"), SC_OK);
    CHECK_STATUS(set_text(b.arena, 0, "n", "5"), SC_OK);
    buffer got[COUNT];
    sc_sink *sinks[COUNT];
    int statuses[COUNT];
    for (int i = 0; i < COUNT; i++) {
        buffer_init(&got[i]);
        sinks[i] = &got[i].sink;
        statuses[i] = -1;
    }
    CHECK_STATUS(sc_get_many(b.arena, keys, COUNT, sinks, statuses), SC_OK);
    const char *const want[COUNT] = {"zero", NULL, "one", "zero", "5"};
    for (int i = 0; i < COUNT; i++) {
        CHECK_STATUS(statuses[i], want[i] ? SC_OK : SC_MISS);
        CHECK(!want[i] || buffer_is(&got[i], want[i], strlen(want[i])));
        buffer_free(&got[i]);
    }
    CHECK_STATUS(sc_get_many(b.arena, keys, 0, sinks, statuses), SC_OK);
    bench_close(&b);
}

static void reader_may_not_write(void) {
    bench b = bench_open(0);
    CHECK_STATUS(set_text(b.arena, 0, "k", "v"), SC_OK);
    sc_arena *reader = segments_attach(&b.files, false);
    CHECK(!sc_arena_writable(reader) && sc_arena_writable(b.arena));
    check_text(reader, 0, "k", "v");
    sc_key key = key_of(0, "k");
    int64_t number;
    uint64_t length, deleted;
    uint32_t recovered;
    sc_tx *tx;
    CHECK_STATUS(set_text(reader, 0, "k", "w"), SC_READ_ONLY);
    CHECK_STATUS(sc_incr(reader, &key, 1, &number), SC_READ_ONLY);
    CHECK_STATUS(sc_append(reader, &key, "x", 1, &length), SC_READ_ONLY);
    CHECK_STATUS(sc_delete(reader, &key), SC_READ_ONLY);
    CHECK_STATUS(sc_get_delete(reader, &key, &b.got.sink), SC_READ_ONLY);
    CHECK_STATUS(sc_expire(reader, &key, 1, 0), SC_READ_ONLY);
    CHECK_STATUS(sc_tx_begin(reader, &key, 1, &tx), SC_READ_ONLY);
    CHECK_STATUS(sc_flush_db(reader, 0), SC_READ_ONLY);
    CHECK_STATUS(sc_swap_db(reader, 0, 1), SC_READ_ONLY);
    CHECK_STATUS(sc_sweep_slots(reader, &recovered), SC_READ_ONLY);
    CHECK_STATUS(sc_expire_cycle(reader, 100, &deleted), SC_READ_ONLY);
    CHECK_STATUS(sc_reserve_cycle(reader, 100), SC_READ_ONLY);
    CHECK_STATUS(sc_tick(reader), SC_READ_ONLY);
    CHECK_STATUS(sc_beat(reader, 0, 1), SC_READ_ONLY);
    CHECK_STATUS(sc_set_socket_path(reader, "/x"), SC_READ_ONLY);
    sc_tuning tuning;
    sc_get_tuning(reader, &tuning);
    CHECK_STATUS(sc_set_tuning(reader, &tuning), SC_READ_ONLY);
    CHECK_STATUS(sc_validate(reader, stderr), SC_OK);
    check_text(reader, 0, "k", "v");
    sc_arena_detach(reader);
    bench_close(&b);
}

static void status_texts(void) {
    for (int status = SC_OK; status <= SC_SYNTAX; status++) {
        const char *text = sc_status_text(status);
        CHECK(text && *text, "%d", status);
        for (int other = SC_OK; other < status; other++)
            CHECK(strcmp(text, sc_status_text(other)) != 0, "%d %d", status, other);
    }
    CHECK(sc_status_text(-1) && sc_status_text(1000));
}

const unit unit_string[] = {
    {"string/set_and_get", set_and_get},
    {"string/empty_and_binary_keys", empty_and_binary_keys},
    {"string/set_conditions", set_conditions},
    {"string/set_with_old_value", set_with_old_value},
    {"string/sink_that_gives_up", sink_that_gives_up},
    {"string/integer_encoding", integer_encoding},
    {"string/integers_at_random", integers_at_random},
    {"string/incr_edges", incr_edges},
    {"string/append_grows", append_grows},
    {"string/append_through_all_sizes", append_through_all_sizes},
    {"string/ranges", ranges},
    {"string/delete_and_get_delete", delete_and_get_delete},
    {"string/many_at_once", many_at_once},
    {"string/reader_may_not_write", reader_may_not_write},
    {"string/status_texts", status_texts},
    {NULL, NULL},
};
