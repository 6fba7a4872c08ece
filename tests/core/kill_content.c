#include "kill_content.h"

#include <stdlib.h>

static const char *const type_names[SC_TYPES] = {"string", "list", "set", "zset", "hash", "stream"};

const char *type_name(int type) {
    return type_names[type];
}

/* ---- elements ---------------------------------------------------------------------------------*/

static sc_bytes name_of(char name[1200], unsigned i) {
    int length = snprintf(name, 64, i % 3 ? "element %u" : "%u", i);
    if (i % 50 != 49) return BYTES(name, (size_t)length);
    memset(name + length, 'n', 1100); /* too long for any leaf */
    return BYTES(name, (size_t)length + 1000);
}

static sc_bytes value_of(char value[3000], unsigned i) {
    size_t length = i % 40 == 39 ? 900 + i : i % 17 == 0 ? 300 : i % 30;
    if (i % 5 == 0) return BYTES(value, (size_t)snprintf(value, 32, "%d", (int)i * 1001 - 5000));
    fill_bytes(value, length, i);
    return BYTES(value, length);
}

static int put_element(sc_tx *tx, const sc_key *key, int type, unsigned i, unsigned value_from) {
    char name[1200], value[3000];
    sc_bytes n = name_of(name, i), v = value_of(value, value_from);
    uint64_t length;
    double score;
    int outcome;
    bool added;
    switch (type) {
    case SC_LIST:
        return sc_list_push(tx, key, v, false, false, &length);
    case SC_ZSET:
        return sc_zset_add(tx, key, n, value_from % 7 * 1.5, 0, &score, &outcome);
    case SC_STREAM:
        return sc_tree_put(tx, key, i % SC_STREAM_TREES, n, v, &added);
    case SC_HASH:
        return sc_map_put(tx, key, type, n, v, SC_PUT_KEEP_TTL, &added);
    default:
        return sc_map_put(tx, key, type, n, bytes_of(""), 0, &added);
    }
}

int tx_element_add(sc_tx *tx, const sc_key *key, int type, unsigned i) {
    return put_element(tx, key, type, i, i);
}

void element_add(sc_arena *arena, const char *name, int type, unsigned i) {
    sc_key key = key_of(0, name);
    CHECK_STATUS(ONE_WRITE(arena, &key, put_element(tx, &key, type, i, i)), SC_OK);
}

void element_change(sc_arena *arena, const char *name, int type, unsigned i) {
    sc_key key = key_of(0, name);
    char value[3000];
    sc_bytes v = value_of(value, i + 36);
    int status = type == SC_LIST ? ONE_WRITE(arena, &key, sc_list_replace(tx, &key, i, v))
                                 : ONE_WRITE(arena, &key, put_element(tx, &key, type, i, i + 36));
    CHECK_STATUS(status, SC_OK);
}

void element_drop(sc_arena *arena, const char *name, int type, unsigned i) {
    sc_key key = key_of(0, name);
    char text[1200];
    sc_bytes n = name_of(text, i);
    int status;
    if (type == SC_LIST)
        status = ONE_WRITE(arena, &key, sc_list_remove(tx, &key, i, 1));
    else if (type == SC_ZSET)
        status = ONE_WRITE(arena, &key, sc_zset_remove(tx, &key, n));
    else if (type == SC_STREAM)
        status = ONE_WRITE(arena, &key, sc_tree_remove(tx, &key, i % SC_STREAM_TREES, n));
    else
        status = ONE_WRITE(arena, &key, sc_map_remove(tx, &key, type, n));
    CHECK_STATUS(status, SC_OK);
}

int tx_store(sc_tx *tx, const sc_key *key, int type, unsigned count) {
    char (*names)[1200] = malloc(count * sizeof(*names));
    char (*values)[3000] = malloc(count * sizeof(*values));
    sc_bytes *items = malloc(2 * count * sizeof(*items));
    double *scores = malloc(count * sizeof(*scores));
    uint64_t used = 0;
    for (unsigned i = 0; i < count; i++) {
        items[used++] = name_of(names[i], i);
        if (type == SC_HASH) items[used++] = value_of(values[i], i);
        scores[i] = i % 7 * 1.5;
    }
    int status = sc_store(tx, key, type, items, used, type == SC_ZSET ? scores : NULL, 0);
    free(names);
    free(values);
    free(items);
    free(scores);
    return status;
}

/* ---- containers -------------------------------------------------------------------------------*/

static void make(sc_arena *arena, int type, const char *suffix, unsigned count) {
    char name[32], field[1200], meta[SC_STREAM_META];
    snprintf(name, sizeof(name), "%s %s", type_names[type], suffix);
    sc_key key = key_of(0, name);
    fill_bytes(meta, sizeof(meta), count);
    if (type == SC_STREAM)
        CHECK_STATUS(ONE_WRITE(arena, &key, sc_stream_create(tx, &key, meta)), SC_OK);
    for (unsigned i = 0; i < count; i++)
        element_add(arena, name, type, i);
    for (unsigned i = 0; type == SC_HASH && i < count; i += 6) {
        sc_bytes n = name_of(field, i);
        CHECK_STATUS(ONE_WRITE(arena, &key, sc_map_set_expiry(tx, &key, n, kill_far_ms + i)),
                     SC_OK);
    }
}

void containers_of_type(sc_arena *arena, int type) {
    sc_tuning tuning;
    sc_get_tuning(arena, &tuning);
    tuning.hash_max_listpack_entries = LIMIT;
    tuning.set_max_listpack_entries = LIMIT;
    tuning.zset_max_listpack_entries = LIMIT;
    tuning.hash_max_listpack_value = 400;
    tuning.list_max_listpack_size = LIMIT;
    CHECK_STATUS(sc_set_tuning(arena, &tuning), SC_OK);
    make(arena, type, "few", 6);
    make(arena, type, "edge", LIMIT);
    make(arena, type, "many", 260);
    make(arena, type, "one", 1);
}

/* ---- a container as one number ----------------------------------------------------------------*/

typedef struct summing {
    gathered got;
    uint64_t sum;
} summing;

static void add_sum(summing *at, const void *bytes, size_t length) {
    at->sum = sc_hash(bytes, length, at->sum);
}

static void add_gathered(summing *at) {
    for (size_t i = 0; i < at->got.count; i++) {
        const piece *piece = &at->got.piece[i];
        add_sum(at, piece->bytes, piece->length);
        if (piece->scored) add_sum(at, &piece->score, sizeof(piece->score));
    }
    gathered_reset(&at->got);
}

static int sum_stream(sc_session *session, const sc_key *key, summing *at) {
    char meta[SC_STREAM_META], most[2000];
    memset(most, 0xff, sizeof(most));
    int status = sc_stream_meta(session, key, meta);
    if (status == SC_OK) add_sum(at, meta, sizeof(meta));
    for (uint32_t tree = 0; tree < SC_STREAM_TREES && status == SC_OK; tree++) {
        status = sc_tree_range(session, key, tree, bytes_of(""), BYTES(most, sizeof(most)),
                               UINT64_MAX, false, &at->got.items);
        add_gathered(at);
    }
    return status;
}

static int sum_expiries(sc_session *session, const sc_key *key, summing *at) {
    int status = SC_OK;
    for (size_t i = 0; i < at->got.count && status == SC_OK; i += 2) {
        uint64_t expire_ms = 0;
        sc_bytes name = BYTES(at->got.piece[i].bytes, at->got.piece[i].length);
        status = sc_map_expiry(session, key, name, &expire_ms);
        add_sum(at, &expire_ms, sizeof(expire_ms));
    }
    return status;
}

static int sum_once(sc_session *session, const sc_key *key, int type, summing *at) {
    uint32_t what = type == SC_SET ? SC_FIELDS : SC_FIELDS | SC_VALUES;
    at->sum = 0;
    gathered_reset(&at->got);
    if (type == SC_STREAM) return sum_stream(session, key, at);
    int status = type == SC_LIST ? sc_list_range(session, key, 0, -1, &at->got.items)
                                 : sc_map_all(session, key, type, what, &at->got.items);
    if (type == SC_HASH && status == SC_OK) status = sum_expiries(session, key, at);
    add_gathered(at);
    if (type != SC_ZSET || status != SC_OK) return status;
    status = sc_zset_range(session, key, 0, UINT64_MAX, false, what, &at->got.items);
    add_gathered(at);
    return status;
}

uint64_t kill_container_sum(sc_arena *arena, const sc_key *key, int type) {
    summing at = {.sum = 0};
    gathered_init(&at.got);
    CHECK_STATUS(ONE_READ(arena, sum_once(session, key, type, &at)), SC_OK);
    gathered_free(&at.got);
    return at.sum;
}
