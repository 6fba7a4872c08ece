/* Parts of strings: read in a session, and written where they lie. */
#include <stdlib.h>

#include "containers.h"
#include "layout.h"
#include "unit.h"

static int patch(sc_arena *arena, const sc_key *key, uint64_t from, const char *bytes,
                 uint64_t length, bool commit) {
    sc_tx *tx;
    CHECK_STATUS(sc_tx_begin(arena, key, 1, &tx), SC_OK);
    int status = sc_tx_patch(tx, key, from, (sc_bytes){bytes, length});
    (commit ? sc_tx_commit : sc_tx_abort)(tx);
    return status;
}

/* Strings of every form: in one block, with a short first chunk, of several pages. */
static const size_t sizes[] = {1, 7, 44, 45, 300, 1500, 4000, 5000, 20000, 100000, 300000};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static void anywhere(bool commit) {
    bench b = bench_open(4 << 20);
    rng random = {.state = 7 + commit};
    sc_key key = key_of(3, "some key");
    char *want = malloc(sizes[SIZES - 1]), bytes[SC_PATCH_MOST];
    for (size_t s = 0; s < SIZES; s++) {
        size_t size = sizes[s];
        fill_bytes(want, size, size);
        CHECK_STATUS(set_bytes(b.arena, &key, want, size), SC_OK);
        CHECK_STATUS(sc_expire(b.arena, &key, now_ms() + 3600000, 0), SC_OK);
        for (unsigned i = 0; i < 200; i++) {
            uint64_t most = size < sizeof(bytes) ? size : sizeof(bytes);
            uint64_t length = rng_below(&random, i % 4 ? (most < 20 ? most : 20) + 1 : most + 1);
            uint64_t from = rng_below(&random, size - length + 1);
            fill_bytes(bytes, length, i + size);
            CHECK_STATUS(patch(b.arena, &key, from, bytes, length, commit), SC_OK);
            if (commit) memcpy(want + from, bytes, length);
            CHECK_STATUS(sc_get(b.arena, &key, &b.got.sink), SC_OK);
            CHECK(buffer_is(&b.got, want, size), "%zu bytes, %llu from %llu", size,
                  (unsigned long long)length, (unsigned long long)from);
        }
        sc_info info;
        CHECK_STATUS(sc_describe(b.arena, &key, &info, false), SC_OK);
        CHECK(info.expire_ms != 0 && info.value_bytes == size);
        check_valid(b.arena);
    }
    free(want);
    bench_close(&b);
}

static void committed(void) {
    anywhere(true);
}

static void taken_back(void) {
    anywhere(false);
}

static void refusals(void) {
    bench b = bench_open(0);
    sc_key string = key_of(0, "s"), number = key_of(0, "n"), list = key_of(0, "l");
    sc_key missing = key_of(0, "missing");
    static char long_bytes[SC_PATCH_MOST + 1];
    uint64_t length;
    sc_tx *tx;
    CHECK_STATUS(set_text(b.arena, 0, "s", "0123456789"), SC_OK);
    CHECK_STATUS(set_text(b.arena, 0, "n", "12345"), SC_OK);
    CHECK_STATUS(sc_tx_begin(b.arena, &list, 1, &tx), SC_OK);
    CHECK_STATUS(sc_list_push(tx, &list, (sc_bytes){"x", 1}, true, false, &length), SC_OK);
    sc_tx_commit(tx);
    CHECK_STATUS(patch(b.arena, &missing, 0, "x", 1, true), SC_MISS);
    CHECK_STATUS(patch(b.arena, &number, 0, "x", 1, true), SC_UNCHANGED);
    CHECK_STATUS(patch(b.arena, &list, 0, "x", 1, true), SC_WRONG_TYPE);
    CHECK_STATUS(patch(b.arena, &string, 10, "x", 1, true), SC_UNCHANGED);
    CHECK_STATUS(patch(b.arena, &string, 9, "xy", 2, true), SC_UNCHANGED);
    CHECK_STATUS(patch(b.arena, &string, UINT64_MAX, "xy", 2, true), SC_UNCHANGED);
    CHECK_STATUS(patch(b.arena, &string, 0, long_bytes, sizeof(long_bytes), true), SC_UNCHANGED);
    check_text(b.arena, 0, "s", "0123456789");
    check_text(b.arena, 0, "n", "12345");
    CHECK_STATUS(patch(b.arena, &string, 10, "", 0, true), SC_OK);
    CHECK_STATUS(patch(b.arena, &string, 8, "xy", 2, true), SC_OK);
    check_text(b.arena, 0, "s", "01234567xy");
    bench_close(&b);
}

static void encoding_is_raw_afterwards(void) {
    bench b = bench_open(0);
    sc_key key = key_of(0, "k");
    sc_info info;
    CHECK_STATUS(set_text(b.arena, 0, "k", "short"), SC_OK);
    CHECK_STATUS(sc_describe(b.arena, &key, &info, false), SC_OK);
    int before = info.encoding;
    CHECK_STATUS(patch(b.arena, &key, 1, "H", 1, false), SC_OK);
    CHECK_STATUS(sc_describe(b.arena, &key, &info, false), SC_OK);
    CHECK(info.encoding == before, "%d", info.encoding);
    CHECK_STATUS(patch(b.arena, &key, 1, "H", 1, true), SC_OK);
    CHECK_STATUS(sc_describe(b.arena, &key, &info, false), SC_OK);
    CHECK(info.encoding == SC_ENC_APPENDED, "%d", info.encoding);
    check_text(b.arena, 0, "k", "sHort");
    bench_close(&b);
}

/* In a session as without one: every range, and what was written in the same transaction. */
static void ranges_in_a_session(void) {
    bench b = bench_open(1 << 20);
    buffer alone;
    buffer_init(&alone);
    char value[9000];
    fill_bytes(value, sizeof(value), 1);
    sc_key keys[] = {key_of(0, "long"), key_of(0, "n"), key_of(0, "missing")};
    CHECK_STATUS(set_bytes(b.arena, &keys[0], value, sizeof(value)), SC_OK);
    CHECK_STATUS(set_text(b.arena, 0, "n", "-123"), SC_OK);
    static const int64_t places[] = {INT64_MIN, -9001, -9000, -4,   -1,   0,
                                     1,         3,     4000,  8999, 9000, INT64_MAX};
    sc_session session;
    for (size_t i = 0; i < 3 * 12 * 12; i++) {
        const sc_key *key = &keys[i % 3];
        int64_t start = places[i / 3 % 12], end = places[i / 36];
        int status, want = sc_get_range(b.arena, key, start, end, &alone.sink);
        sc_session_start(&session, b.arena);
        do {
            status = sc_session_get_range(&session, key, start, end, &b.got.sink);
        } while (sc_session_again(&session, &status));
        sc_session_end(&session);
        CHECK_STATUS(status, want);
        CHECK(status != SC_OK || buffer_is(&b.got, alone.bytes, alone.length));
    }
    sc_tx *tx;
    CHECK_STATUS(sc_tx_begin(b.arena, keys, 1, &tx), SC_OK);
    CHECK_STATUS(sc_tx_patch(tx, &keys[0], 4000, (sc_bytes){"new", 3}), SC_OK);
    sc_session *own = sc_tx_session(tx);
    CHECK_STATUS(sc_session_get_range(own, &keys[0], 4000, 4002, &b.got.sink), SC_OK);
    CHECK(buffer_is(&b.got, "new", 3));
    sc_tx_abort(tx);
    buffer_free(&alone);
    bench_close(&b);
}

const unit unit_patch[] = {
    {"patch/committed", committed},
    {"patch/taken_back", taken_back},
    {"patch/refusals", refusals},
    {"patch/encoding_is_raw_afterwards", encoding_is_raw_afterwards},
    {"patch/ranges_in_a_session", ranges_in_a_session},
    {NULL, NULL},
};
