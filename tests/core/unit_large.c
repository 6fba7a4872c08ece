/* Trees of several levels: elements so long that few share a leaf, tens of thousands of them, come
 * and gone in random order. Element `i` is where its number says. */
#include <stdlib.h>

#include "forms.h"

enum { COUNT = 30000, LONG = 220 };

typedef struct tree {
    bench b;
    sc_key key;
    int type;
    unsigned *order; /* a permutation of 0 .. COUNT - 1 */
    gathered got;
    char bytes[LONG];
} tree;

static tree tree_open(int type, uint64_t data_bytes) {
    tree made = {.b = bench_open(data_bytes), .key = key_of(0, "large"), .type = type};
    char meta[SC_STREAM_META] = "";
    rng chance = {.state = (uint64_t)type};
    check_note("(type %d)", type);
    gathered_init(&made.got);
    made.order = malloc(COUNT * sizeof(*made.order));
    for (unsigned i = 0; i < COUNT; i++) {
        unsigned at = (unsigned)rng_below(&chance, i + 1);
        made.order[i] = made.order[at];
        made.order[at] = i;
    }
    if (type == SC_STREAM)
        CHECK_STATUS(ONE_WRITE(made.b.arena, &made.key, sc_stream_create(tx, &made.key, meta)),
                     SC_OK);
    return made;
}

static void tree_close(tree *at) {
    CHECK_STATUS(sc_delete(at->b.arena, &at->key), SC_OK);
    free(at->order);
    gathered_free(&at->got);
    bench_close(&at->b);
}

/* As long as its leaf takes, the same in the first thirty bytes. */
static sc_bytes name_of(tree *at, unsigned i) {
    memset(at->bytes, 'n', LONG);
    snprintf(at->bytes + 30, 16, "%08u", i);
    return BYTES(at->bytes, LONG);
}

static void add(tree *at, unsigned i) {
    sc_bytes name = name_of(at, i), empty = bytes_of("");
    double score;
    int outcome, status;
    bool added = false;
    if (at->type == SC_ZSET)
        status = ONE_WRITE(at->b.arena, &at->key,
                           sc_zset_add(tx, &at->key, name, i / 10, 0, &score, &outcome));
    else if (at->type == SC_STREAM)
        status =
            ONE_WRITE(at->b.arena, &at->key, sc_tree_put(tx, &at->key, 0, name, empty, &added));
    else
        status = ONE_WRITE(at->b.arena, &at->key,
                           sc_map_put(tx, &at->key, at->type, name, empty, 0, &added));
    CHECK_STATUS(status, SC_OK);
    CHECK(added || at->type == SC_ZSET, "%u", i);
}

static void drop(tree *at, unsigned i) {
    sc_bytes name = name_of(at, i);
    int status;
    if (at->type == SC_ZSET)
        status = ONE_WRITE(at->b.arena, &at->key, sc_zset_remove(tx, &at->key, name));
    else if (at->type == SC_STREAM)
        status = ONE_WRITE(at->b.arena, &at->key, sc_tree_remove(tx, &at->key, 0, name));
    else
        status = ONE_WRITE(at->b.arena, &at->key, sc_map_remove(tx, &at->key, at->type, name));
    CHECK_STATUS(status, SC_OK);
}

/* Elements whose number `step` divides are there and no others; each is found, at its rank. */
static void check_every(tree *at, unsigned step) {
    uint64_t length = 0, rank = 0;
    double score;
    CHECK_STATUS(ONE_READ(at->b.arena, sc_length(session, &at->key, at->type, &length)), SC_OK);
    CHECK(length == (COUNT + step - 1) / step, "%llu", (unsigned long long)length);
    for (unsigned i = 0; i < COUNT; i += step % 2 ? 1 : 7) {
        sc_bytes name = name_of(at, i);
        int want = i % step ? SC_MISS : SC_OK, status;
        if (at->type == SC_ZSET)
            status = ONE_READ(at->b.arena, sc_zset_rank(session, &at->key, name, &rank, &score));
        else if (at->type == SC_STREAM)
            status =
                ONE_READ(at->b.arena, sc_tree_get(session, &at->key, 0, name, &at->b.got.sink));
        else
            status = ONE_READ(at->b.arena, sc_map_find(session, &at->key, at->type, name, NULL));
        CHECK(status == want, "%u: %s", i, sc_status_text(status));
        if (at->type == SC_ZSET && status == SC_OK)
            CHECK(rank == i / step && score == i / 10, "%u has rank %llu", i,
                  (unsigned long long)rank);
    }
    check_valid(at->b.arena);
}

static void come_and_go(int type) {
    tree at = tree_open(type, UINT64_C(48) << 20);
    for (unsigned i = 0; i < COUNT; i++)
        add(&at, at.order[i]);
    check_every(&at, 1);
    for (unsigned i = 0; i < COUNT; i++) {
        if (at.order[i] % 9) drop(&at, at.order[i]);
    }
    check_every(&at, 9);
    for (unsigned i = 0; i < COUNT; i++) {
        if (at.order[i] % 9) add(&at, at.order[i]);
    }
    check_every(&at, 1);
    for (unsigned i = 0; i < COUNT; i++) /* from one end to the other, all but a few */
        if (i % 5000) drop(&at, i);
    check_every(&at, 5000);
    tree_close(&at);
}

static void large_hash(void) {
    come_and_go(SC_HASH);
}
static void large_set(void) {
    come_and_go(SC_SET);
}
static void large_zset(void) {
    come_and_go(SC_ZSET);
}
static void large_stream(void) {
    come_and_go(SC_STREAM);
}

/* ---- lists ------------------------------------------------------------------------------------*/

static void check_list(tree *at, const unsigned *numbers, uint64_t count) {
    CHECK_STATUS(ONE_READ(at->b.arena, (gathered_reset(&at->got),
                                        sc_list_range(session, &at->key, 0, -1, &at->got.items))),
                 SC_OK);
    CHECK(at->got.count == count, "%zu", at->got.count);
    for (uint64_t i = 0; i < count; i++)
        CHECK(piece_is(&at->got.piece[i], name_of(at, numbers[i]).bytes, LONG), "element %llu",
              (unsigned long long)i);
    check_valid(at->b.arena);
}

static void large_list(void) {
    tree at = tree_open(SC_LIST, UINT64_C(48) << 20);
    unsigned *numbers = malloc(2 * COUNT * sizeof(*numbers));
    rng chance = {.state = 3};
    uint64_t count = 0, length;
    for (unsigned i = 0; i < COUNT; i++) {
        uint64_t index = i % 3 ? count : rng_below(&chance, count + 1);
        sc_bytes element = name_of(&at, i);
        int status =
            count ? ONE_WRITE(at.b.arena, &at.key, sc_list_insert(tx, &at.key, index, element))
                  : ONE_WRITE(at.b.arena, &at.key,
                              sc_list_push(tx, &at.key, element, true, false, &length));
        CHECK_STATUS(status, SC_OK);
        memmove(numbers + index + 1, numbers + index, (count++ - index) * sizeof(*numbers));
        numbers[index] = i;
    }
    check_list(&at, numbers, count);
    while (count > 100) {
        uint64_t index = rng_below(&chance, count), most = 1 + rng_below(&chance, 400);
        if (most > count - index) most = count - index;
        CHECK_STATUS(ONE_WRITE(at.b.arena, &at.key, sc_list_remove(tx, &at.key, index, most)),
                     SC_OK);
        memmove(numbers + index, numbers + index + most, (count - index - most) * sizeof(*numbers));
        count -= most;
        if (count % 16 == 0) check_list(&at, numbers, count);
    }
    check_list(&at, numbers, count);
    free(numbers);
    tree_close(&at);
}

/* Deep trees copied, renamed, stored, cut in their middle. */
static void large_wholes(void) {
    tree at = tree_open(SC_ZSET, UINT64_C(96) << 20);
    sc_key to = key_of(1, "copy"), keys[] = {at.key, to};
    uint64_t length = 0;
    sc_tx *tx;
    sc_bytes *items = malloc(COUNT * sizeof(*items));
    double *scores = malloc(COUNT * sizeof(*scores));
    char *all = malloc((size_t)COUNT * LONG);
    for (unsigned i = 0; i < COUNT; i++) {
        memcpy(all + (size_t)i * LONG, name_of(&at, at.order[i]).bytes, LONG);
        items[i] = BYTES(all + (size_t)i * LONG, LONG);
        scores[i] = at.order[i] / 10;
    }
    CHECK_STATUS(
        ONE_WRITE(at.b.arena, &at.key, sc_store(tx, &at.key, SC_ZSET, items, COUNT, scores, 0)),
        SC_OK);
    check_every(&at, 1);
    CHECK_STATUS(sc_tx_begin(at.b.arena, keys, 2, &tx), SC_OK);
    CHECK_STATUS(sc_tx_copy(tx, &at.key, &to, false), SC_OK);
    CHECK_STATUS(sc_zset_remove_range(tx, &at.key, 100, COUNT - 200), SC_OK);
    sc_tx_commit(tx);
    CHECK_STATUS(ONE_READ(at.b.arena, sc_length(session, &at.key, SC_ZSET, &length)), SC_OK);
    CHECK(length == 200, "%llu", (unsigned long long)length);
    check_valid(at.b.arena);
    CHECK_STATUS(sc_tx_begin(at.b.arena, keys, 2, &tx), SC_OK);
    CHECK_STATUS(sc_tx_rename(tx, &to, &at.key), SC_OK);
    sc_tx_commit(tx);
    check_every(&at, 1);
    free(items);
    free(scores);
    free(all);
    tree_close(&at);
}

static uint64_t used_bytes(tree *at) {
    sc_statistics now;
    CHECK_STATUS(sc_get_statistics(at->b.arena, &now), SC_OK);
    return now.used_bytes;
}

/* Whoever deletes leaves the blocks to maintenance, or to whoever needs them first. */
static void freed_later(void) {
    tree at = tree_open(SC_ZSET, 16 << 20);
    uint64_t empty = used_bytes(&at);
    for (int round = 0; round < 3; round++) {
        for (unsigned i = 0; i < COUNT / 2; i++)
            add(&at, at.order[i]);
        uint64_t full = used_bytes(&at);
        CHECK(full > empty + 5000000);
        CHECK_STATUS(sc_delete(at.b.arena, &at.key), SC_OK);
        CHECK(used_bytes(&at) > full - 10000);
        check_valid(at.b.arena);
        if (round == 2) break; /* what is left is for the next to find room in */
        CHECK_STATUS(sc_reserve_cycle(at.b.arena, 10000000), SC_OK);
        CHECK(used_bytes(&at) < empty + 100000, "%llu", (unsigned long long)used_bytes(&at));
    }
    static char value[10000];
    char name[16];
    for (unsigned i = 0; i < 1300; i++) {
        snprintf(name, sizeof(name), "k%u", i);
        sc_key key = key_of(1, name);
        CHECK_STATUS(set_bytes(at.b.arena, &key, value, sizeof(value)), SC_OK);
    }
    add(&at, 0);
    tree_close(&at);
}

const unit unit_large[] = {
    {"large/freed_later", freed_later}, {"large/hash", large_hash},
    {"large/set", large_set},           {"large/zset", large_zset},
    {"large/stream", large_stream},     {"large/list", large_list},
    {"large/wholes", large_wholes},     {NULL, NULL},
};
