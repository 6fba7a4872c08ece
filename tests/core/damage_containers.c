#include "damage.h"

#include <stdlib.h>

#include "find.h"
#include "layout.h"

/* ---- an arena with every container in it ------------------------------------------------------*/

static const unsigned sizes[] = {3, 60, 500, 1500};
enum { SIZES = 4, ITEMS_MOST = 100000, BYTES_MOST = 32 << 20 };

int container_type(unsigned i) {
    return SC_LIST + (int)(i % 5);
}

sc_key container_key(unsigned i, char name[32]) {
    snprintf(name, 32, "container %u", i);
    return key_of(i % 2, name);
}

static sc_bytes member(unsigned i, char name[600]) {
    size_t length = (size_t)snprintf(name, 32, i % 2 ? "%u" : "member %u", i * 7);
    if (i % 60 != 59) return BYTES(name, length);
    memset(name + length, 'm', 560);
    return BYTES(name, 500);
}

static int add(sc_tx *tx, const sc_key *key, int type, unsigned i) {
    char name[600], value[3000];
    size_t bytes = i % 70 == 69 ? sizeof(value) : i % 20;
    fill_bytes(value, bytes, i);
    sc_bytes n = member(i, name), v = BYTES(value, bytes);
    uint64_t length;
    double score;
    int outcome, status;
    bool added;
    if (type == SC_LIST) return sc_list_push(tx, key, i % 3 ? n : v, i % 2, false, &length);
    if (type == SC_ZSET) return sc_zset_add(tx, key, n, i % 11, 0, &score, &outcome);
    if (type == SC_STREAM) return sc_tree_put(tx, key, i % 8 ? 0 : i / 8 % 5, n, v, &added);
    status = sc_map_put(tx, key, type, n, type == SC_HASH ? v : bytes_of(""), 0, &added);
    if (status != SC_OK || type != SC_HASH || i % 9) return status;
    return sc_map_set_expiry(tx, key, n, now_ms() + (i % 2 ? 1 : 1000000));
}

void make_containers(sc_arena *arena) {
    for (unsigned i = 0; i < CONTAINERS; i++) {
        char name[32], meta[SC_STREAM_META] = "meta";
        sc_key key = container_key(i, name);
        int type = container_type(i), status = SC_OK;
        if (type == SC_STREAM) status = ONE_WRITE(arena, &key, sc_stream_create(tx, &key, meta));
        for (unsigned j = 0; j < sizes[i / 5 % SIZES] && status == SC_OK; j++)
            status = ONE_WRITE(arena, &key, add(tx, &key, type, j));
        CHECK(status == SC_OK || status == SC_NO_MEMORY, "%s", sc_status_text(status));
        if (i % 3 == 0 && status == SC_OK)
            CHECK_STATUS(sc_expire(arena, &key, now_ms() + 1000000, 0), SC_OK);
    }
}

/* ---- where to hit -----------------------------------------------------------------------------*/

static uint64_t word_at(const uint8_t *data, uint64_t at) {
    uint64_t word;
    memcpy(&word, data + at, 8);
    return word;
}

static bool is_leaf_or_node(uint64_t word) {
    union {
        uint64_t word;
        sc_leaf_head leaf;
        sc_node_head node;
    } head = {.word = word};
    if (head.leaf.kind == SC_KIND_NODE)
        return head.node.count && head.node.count <= head.node.capacity && head.node.capacity < 256;
    return head.leaf.kind == SC_KIND_LEAF && head.leaf.mode <= SC_ORDERED && head.leaf.count &&
           head.leaf.low <= head.leaf.limit && head.leaf.limit <= SC_LEAF_MOST;
}

targets find_targets(const uint8_t *data, uint64_t data_bytes) {
    targets found = {.at = malloc(data_bytes / 8 * sizeof(uint64_t))};
    const sc_header *header = (const sc_header *)(const void *)data;
    for (uint64_t at = header->heap_offset; at + SC_LEAF_MOST < data_bytes; at += 8) {
        if (is_leaf_or_node(word_at(data, at))) found.at[found.count++] = at;
    }
    CHECK(found.count > 50, "%zu leaves and nodes", found.count);
    return found;
}

uint64_t pick_target(const targets *from, const uint8_t *data, rng *chance) {
    uint64_t at = from->at[rng_below(chance, from->count)], word = word_at(data, at);
    switch (rng_below(chance, 4)) {
    case 0:
        return at + rng_below(chance, 8);
    case 1: /* slots, child words */
        return at + 8 + rng_below(chance, 64);
    case 2: /* the latest item's first bytes: its lengths */
        return at + (word >> 24 & 0xfff) + rng_below(chance, 4);
    default:
        return at + rng_below(chance, SC_LEAF_MOST);
    }
}

/* ---- reading everything -----------------------------------------------------------------------*/

typedef struct reader {
    sc_arena *arena;
    sc_key key;
    rng *chance;
    uint64_t longest, taken;
    char *room;
    sc_sink sink;
    sc_items items;
    size_t count;
} reader;

static char *take(reader *at, size_t length) {
    CHECK(length <= at->longest, "%zu bytes", length);
    at->taken += length;
    if (at->taken > BYTES_MOST || ++at->count > ITEMS_MOST) return NULL;
    free(at->room); /* exactly as much, so that a byte too many is noticed */
    at->room = malloc(length ? length : 1);
    return at->room;
}
static char *take_for_sink(sc_sink *sink, size_t length) {
    return take((reader *)(void *)((char *)sink - offsetof(reader, sink)), length);
}
static char *take_for_items(sc_items *items, size_t length) {
    return take((reader *)(void *)((char *)items - offsetof(reader, items)), length);
}
static bool take_score(sc_items *items, double score) {
    (void)items, (void)score;
    return true;
}

#define ASK(call)                                                                                  \
    do {                                                                                           \
        int status_ = ONE_READ(at->arena, (at->taken = 0, at->count = 0, (call)));                 \
        if (!answered(context, status_)) return false;                                             \
    } while (0)

static sc_bytes any_member(reader *at, char name[600]) {
    return member((unsigned)rng_below(at->chance, 1500), name);
}

static char *reserve_in_sink(sc_sink *sink, size_t length) {
    return sink->reserve(sink, length);
}

/* What was found before the damage is remembered, and what is there now may be anything. */
static int ask_hinted(reader *at, int type, sc_bytes name, int64_t index) {
    double score;
    sc_wanted wanted = {.type = type, .name = name, .index = index};
    wanted.hash = sc_hash_pair(sc_hash(at->key.bytes, at->key.length, 1) % 5,
                               sc_hash(name.bytes, name.length, (uint64_t)index) % 101);
    if (type == SC_ZSET) wanted.score = &score;
    if (type == SC_HASH || type == SC_LIST) wanted.sink = &at->sink;
    at->taken = at->count = 0;
    return sc_find_hinted(at->arena, &at->key, &wanted, reserve_in_sink);
}

static bool ask_map(reader *at, int type, answered_call answered, void *context) {
    char name[600];
    uint64_t expire_ms;
    const sc_key *key = &at->key;
    uint32_t both = SC_FIELDS | SC_VALUES;
    for (int i = 0; i < 20; i++) {
        sc_bytes field = any_member(at, name);
        ASK(sc_map_find(session, key, type, field, type == SC_HASH ? &at->sink : NULL));
        if (type == SC_HASH) ASK(sc_map_expiry(session, key, field, &expire_ms));
        if (!answered(context, ask_hinted(at, type, field, 0))) return false;
    }
    ASK(sc_map_all(session, key, type, both, &at->items));
    ASK(sc_map_random(session, key, type, 15, true, both, &at->items));
    ASK(sc_map_random(session, key, type, 700, true, SC_FIELDS, &at->items));
    ASK(sc_map_random(session, key, type, 15, false, both, &at->items));
    uint64_t cursor = 0, calls = 0;
    int status;
    do {
        uint64_t from = cursor;
        status =
            ONE_READ(at->arena, (at->taken = 0, at->count = 0, cursor = from,
                                 sc_map_scan(session, key, type, &cursor, 50, both, &at->items)));
        if (!answered(context, status)) return false;
        CHECK(++calls < 100000, "the scan does not end");
    } while (status == SC_OK && cursor);
    cursor = rng_next(at->chance);
    ASK(sc_map_scan(session, key, type, &cursor, 50, both, &at->items));
    return true;
}

static bool ask_list(reader *at, answered_call answered, void *context) {
    const sc_key *key = &at->key;
    for (int i = 0; i < 20; i++) {
        int64_t index = (int64_t)rng_below(at->chance, 3000) - 1500;
        ASK(sc_list_at(session, key, index, &at->sink));
        if (!answered(context, ask_hinted(at, SC_LIST, bytes_of(""), index))) return false;
    }
    ASK(sc_list_range(session, key, 0, -1, &at->items));
    ASK(sc_list_range(session, key, 100, 200, &at->items));
    ASK(sc_list_range(session, key, -50, -1, &at->items));
    return true;
}

static bool ask_zset(reader *at, answered_call answered, void *context) {
    char name[600];
    const sc_key *key = &at->key;
    double score;
    uint64_t rank;
    for (int i = 0; i < 20; i++) {
        sc_bytes field = any_member(at, name);
        ASK(sc_zset_score(session, key, field, &score));
        ASK(sc_zset_rank(session, key, field, &rank, &score));
        ASK(sc_zset_seek(session, key, i, i % 2, &rank));
        ASK(sc_zset_seek_lex(session, key, field, i % 2, &rank));
    }
    uint32_t both = SC_FIELDS | SC_VALUES;
    ASK(sc_zset_range(session, key, 0, UINT64_MAX, false, both, &at->items));
    ASK(sc_zset_range(session, key, 10, 100, true, both, &at->items));
    return true;
}

static bool ask_stream(reader *at, answered_call answered, void *context) {
    char name[600], other[600], meta[SC_STREAM_META];
    const sc_key *key = &at->key;
    uint64_t count;
    ASK(sc_stream_meta(session, key, meta));
    for (uint32_t i = 0; i < 20; i++) {
        sc_bytes least = any_member(at, name), most = any_member(at, other);
        ASK(sc_tree_get(session, key, i % 5, least, &at->sink));
        ASK(sc_tree_count(session, key, i % 5, least, most, &count));
        ASK(sc_tree_range(session, key, i % 5, least, most, 20, i % 2, &at->items));
    }
    ASK(sc_tree_range(session, key, 0, bytes_of(""), bytes_of("\xff"), UINT64_MAX, false,
                      &at->items));
    return true;
}

static bool ask_all(reader *at, answered_call answered, void *context) {
    sc_info info;
    uint64_t length;
    if (!answered(context, sc_describe(at->arena, &at->key, &info, false))) return false;
    if (!answered(context, sc_get(at->arena, &at->key, &at->sink))) return false;
    for (int type = SC_LIST; type < SC_TYPES; type++)
        ASK(sc_length(session, &at->key, type, &length));
    return ask_map(at, SC_HASH, answered, context) && ask_map(at, SC_SET, answered, context) &&
           ask_map(at, SC_ZSET, answered, context) && ask_list(at, answered, context) &&
           ask_zset(at, answered, context) && ask_stream(at, answered, context);
}

bool read_container(sc_arena *arena, unsigned i, rng *chance, uint64_t longest,
                    answered_call answered, void *context) {
    char name[32];
    reader at = {.arena = arena,
                 .chance = chance,
                 .longest = longest,
                 .sink = {.reserve = take_for_sink},
                 .items = {.add = take_for_items, .score = take_score}};
    at.key = container_key(i, name);
    bool going = ask_all(&at, answered, context);
    free(at.room);
    return going;
}
