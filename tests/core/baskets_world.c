/* The baskets test: keys, choices, whole values and steps. */
#include <math.h>
#include <stdlib.h>

#include "baskets.h"
#include "find.h"

enum { LONGEST = 60000, HAND_KEYS = 4 };
#define HOUR_MS UINT64_C(3600000)

/* ---- choices ----------------------------------------------------------------------------------*/

/* A few hundred different ones: numbers, short and longer text, now and then far too long. */
sc_bytes pick_name(baskets *of) {
    char *room = of->scratch[0];
    uint64_t number = choose(&of->pick, choose(&of->pick, 2) ? 60 : 400);
    switch (choose(&of->pick, 6)) {
    case 0:
    case 1:
        return BYTES(room, (size_t)snprintf(room, 32, "%lld", (long long)number * 997 - 20000));
    case 2:
        memset(room, 0, 16);
        room[7] = (char)number;
        room[6] = (char)(number >> 8);
        return BYTES(room, 16);
    case 3: {
        size_t length = number % 8 ? 40 + number % 5 : number % 64 ? 500 + number % 3 : 9000;
        memset(room, 'n', length);
        memcpy(room + length - 2, &number, 2);
        return BYTES(room, length);
    }
    default:
        return BYTES(room, (size_t)snprintf(room, 32, "name %llu", (unsigned long long)number));
    }
}

sc_bytes pick_bytes(baskets *of) {
    static const uint32_t most[] = {8, 8, 20, 20, 60, 60, 100, 300, 700, 3000};
    char *room = of->scratch[1];
    if (choose(&of->pick, 3) == 0) {
        int64_t number = (int64_t)choose(&of->pick, 2000000) - 1000000;
        if (choose(&of->pick, 8) == 0) number = INT64_MIN + (int64_t)choose(&of->pick, 3);
        return BYTES(room, (size_t)snprintf(room, 32, "%lld", (long long)number));
    }
    size_t length = choose(&of->pick, most[choose(&of->pick, 10)]);
    if (choose(&of->pick, 200) == 0) length = choose(&of->pick, LONGEST);
    fill_bytes(room, length, choose(&of->pick, 65536));
    return BYTES(room, length);
}

double pick_score(baskets *of) {
    static const double special[] = {0.0, -0.0, INFINITY, -INFINITY, 0.5, 1e-300, 1e300, -7};
    uint64_t kind = choose(&of->pick, 3);
    if (kind == 0) return special[choose(&of->pick, 8)];
    double number = (double)choose(&of->pick, kind == 1 ? 6 : 100000);
    return choose(&of->pick, 4) ? number : number / 7;
}

sc_bytes pick_present(hand *at) {
    const row *row = &at->model->what.rows[0];
    if (!row->count || choose(&at->of->pick, 6) == 0) return pick_name(at->of);
    const cell *cell = &row->cells[choose(&at->of->pick, row->count)];
    memcpy(at->of->scratch[0], cell->name, cell->name_length);
    return BYTES(at->of->scratch[0], cell->name_length);
}

/* ---- what to expect ---------------------------------------------------------------------------*/

void complain(hand *at, const char *what, int status, int want) {
    const box *box = &at->model->what;
    char state[64] = "nothing";
    if (box->present)
        snprintf(state, sizeof(state), "type %d, %zu elements", box->type, box->rows[0].count);
    check_failed(__FILE__, __LINE__, what, ": db %u '%.40s' (%s): %s, not %s", at->key.db,
                 at->key.bytes, state, sc_status_text(status), sc_status_text(want));
}

bool was_refused(hand *at, int status) {
    if (status != SC_NO_MEMORY) return false;
    at->of->refused++;
    if (choose(&at->of->pick, 4) == 0 && !at->model->dead)
        box_compare(at->session, &at->key, &at->model->what);
    return true;
}

int expected(const hand *at, int type) {
    if (!at->model->what.present) return SC_MISS;
    return at->model->what.type == type ? SC_OK : SC_WRONG_TYPE;
}

void drop_if_empty(hand *at) {
    basket *model = at->model;
    if (model->what.type == SC_STREAM || model->what.rows[0].count) return;
    CHECK(!model->dead, "the last living field is not to go: the dead might still be there");
    box_clear(&model->what);
}

static char *reserve_in_sink(sc_sink *sink, size_t length) {
    return sink->reserve(sink, length);
}

int find_hinted(hand *at, int type, sc_bytes name, int64_t index, double *score) {
    uint64_t hash = sc_hash(at->key.bytes, at->key.length, 1) % 7;
    sc_wanted wanted = {.type = type, .name = name, .index = index, .score = score};
    wanted.hash = sc_hash_pair(hash, sc_hash(name.bytes, name.length, (uint64_t)index) % 31);
    if (type == SC_HASH || type == SC_LIST) wanted.sink = &at->of->got.sink;
    return sc_find_hinted(at->session->arena, &at->key, &wanted, reserve_in_sink);
}

/* ---- whole values -----------------------------------------------------------------------------*/

static void replace_by_string(hand *at) {
    sc_bytes value = pick_bytes(at->of);
    sc_set_args args = {.value = value.bytes, .value_bytes = value.length};
    int status = sc_tx_set(at->tx, &at->key, &args);
    if (was_refused(at, status)) return;
    CHECK_STATUS(status, SC_OK);
    box_make(&at->model->what, SC_STRING);
    at->model->dead = 0;
    row_insert(&at->model->what.rows[0], 0, value, bytes_of(""));
}

static void delete_key(hand *at) {
    int want = at->model->what.present ? SC_OK : SC_MISS;
    int status = sc_tx_delete(at->tx, &at->key);
    if (was_refused(at, status)) return;
    if (status != want) complain(at, "delete", status, want);
    box_clear(&at->model->what);
    at->model->dead = 0;
}

static void expire_key(hand *at) {
    uint64_t expire_ms = choose(&at->of->pick, 3) ? now_ms() + HOUR_MS : 0;
    if (choose(&at->of->pick, 12) == 0) expire_ms = 1;
    box *what = &at->model->what;
    int want = !what->present ? SC_MISS : expire_ms || what->expire_ms ? SC_OK : SC_UNCHANGED;
    int status = sc_tx_expire(at->tx, &at->key, expire_ms, 0);
    if (was_refused(at, status)) return;
    if (status != want) complain(at, "expire", status, want);
    if (status != SC_OK) return;
    what->expire_ms = expire_ms;
    if (expire_ms != 1) return;
    box_clear(what);
    at->model->dead = 0;
}

static void put_model(basket *to, const basket *from) {
    box copy = box_copy(&from->what);
    box_clear(&to->what);
    to->what = copy;
    to->dead = from->dead;
}

static void copy_key(hand *from, hand *to) {
    bool replace = choose(&from->of->pick, 2);
    int want = !from->model->what.present            ? SC_MISS
               : to->model->what.present && !replace ? SC_UNCHANGED
                                                     : SC_OK;
    int status = sc_tx_copy(from->tx, &from->key, &to->key, replace);
    if (was_refused(from, status)) return;
    if (status != want) complain(from, "copy", status, want);
    if (status == SC_OK && from->model != to->model) put_model(to->model, from->model);
}

static void rename_key(hand *from, hand *to) {
    int want = from->model->what.present ? SC_OK : SC_MISS;
    int status = sc_tx_rename(from->tx, &from->key, &to->key);
    if (was_refused(from, status)) return;
    if (status != want) complain(from, "rename", status, want);
    if (status != SC_OK || from->model == to->model) return;
    put_model(to->model, from->model);
    box_clear(&from->model->what);
    from->model->dead = 0;
}

/* ---- bulk -------------------------------------------------------------------------------------*/

/* What sc_store makes of the items, one after the other. */
static void store_in_model(box *to, int type, const sc_bytes *items, uint64_t count,
                           const double *scores) {
    row *row = &to->rows[0];
    uint64_t width = type == SC_HASH ? 2 : 1;
    for (uint64_t i = 0; i < count; i += width) {
        size_t there = type == SC_LIST ? SIZE_MAX : row_find(row, items[i]);
        if (there != SIZE_MAX) row_remove(row, there, 1);
        size_t place = type == SC_ZSET ? row_place_scored(row, scores[i], items[i]) : row->count;
        row_insert(row, place, items[i], width == 2 ? items[i + 1] : bytes_of(""));
        row->cells[place].score = type == SC_ZSET ? scores[i] : 0;
    }
}

static sc_bytes keep(sc_bytes bytes) {
    char *own = malloc(bytes.length + 1);
    memcpy(own, bytes.bytes, bytes.length);
    return BYTES(own, bytes.length);
}

static void store(hand *at) {
    enum { MOST = 300 };
    static const int types[] = {SC_LIST, SC_SET, SC_ZSET, SC_HASH};
    int type = types[choose(&at->of->pick, 4)];
    sc_bytes items[2 * MOST];
    double scores[2 * MOST];
    uint64_t count = choose(&at->of->pick, choose(&at->of->pick, 4) ? 20 : MOST);
    uint64_t expire_ms = choose(&at->of->pick, 4) ? 0 : now_ms() + HOUR_MS;
    if (type == SC_HASH) count *= 2;
    for (uint64_t i = 0; i < count; i++) {
        items[i] = keep(type == SC_HASH && i % 2 ? pick_bytes(at->of) : pick_name(at->of));
        scores[i] = pick_score(at->of);
    }
    int status =
        sc_store(at->tx, &at->key, type, items, count, type == SC_ZSET ? scores : NULL, expire_ms);
    if (!was_refused(at, status)) {
        CHECK_STATUS(status, SC_OK);
        box_clear(&at->model->what);
        at->model->dead = 0;
        if (count) {
            box_make(&at->model->what, type);
            at->model->what.expire_ms = expire_ms;
            store_in_model(&at->model->what, type, items, count, scores);
        }
    }
    for (uint64_t i = 0; i < count; i++)
        free((char *)(uintptr_t)items[i].bytes);
}

/* ---- a hand on some keys ----------------------------------------------------------------------*/

static void operate(hand *at) {
    int type = at->model->what.type;
    if (!at->model->what.present || type == SC_STRING || choose(&at->of->pick, 30) == 0)
        type = SC_LIST + (int)choose(&at->of->pick, SC_TYPES - SC_LIST);
    at->of->operations[type]++;
    if (type == SC_LIST)
        list_operation(at);
    else if (type == SC_STREAM)
        stream_operation(at);
    else if (type == SC_ZSET)
        zset_operation(at);
    else
        map_operation(at, type);
}

static void look(hand *at) {
    int type = at->model->what.type;
    if (!at->model->what.present || type == SC_STRING || choose(&at->of->pick, 30) == 0)
        type = SC_LIST + (int)choose(&at->of->pick, SC_TYPES - SC_LIST);
    if (type == SC_LIST)
        list_reading(at);
    else if (type == SC_STREAM)
        stream_reading(at);
    else if (type == SC_ZSET)
        zset_reading(at);
    else
        map_reading(at, type);
}

static bool may_vanish(const hand *at) {
    if (at->of->policy == SC_NOEVICTION) return false;
    return at->of->policy < SC_VOLATILE_LRU || at->model->what.expire_ms;
}

/* Is the key there as the model says? Where it may have been evicted, the model follows. */
static void settle(hand *at) {
    sc_info info;
    box *what = &at->model->what;
    int status = at->tx ? sc_tx_describe(at->tx, &at->key, &info)
                        : sc_describe(at->of->attached[2], &at->key, &info, false);
    if (status == SC_MISS) {
        if (what->present && !may_vanish(at)) complain(at, "describe", status, SC_OK);
        box_clear(what);
        at->model->dead = 0;
        return;
    }
    CHECK_STATUS(status, SC_OK);
    CHECK(what->present && info.type == what->type && info.expire_ms == what->expire_ms,
          "type %u, not %d", info.type, what->type);
    if (what->type == SC_STRING) return;
    size_t living = what->rows[0].count;
    CHECK(info.value_bytes >= living && info.value_bytes <= living + at->model->dead,
          "%llu elements, not %zu", (unsigned long long)info.value_bytes, living);
}

static void compare(hand *at) {
    uint64_t length;
    if (!at->model->dead) return box_compare(at->session, &at->key, &at->model->what);
    /* With dead fields the length may be more; all else is equal. */
    box living = box_copy(&at->model->what);
    CHECK_STATUS(sc_length(at->session, &at->key, SC_HASH, &length), SC_OK);
    for (size_t i = 0; i < living.rows[0].count; i++) {
        const cell *cell = &living.rows[0].cells[i];
        CHECK_STATUS(
            sc_map_find(at->session, &at->key, SC_HASH, cell_name(cell), &at->of->got.sink), SC_OK);
        CHECK(buffer_is(&at->of->got, cell->value, cell->value_length), "'%s'", cell->name);
    }
    gathered_reset(&at->of->all);
    CHECK_STATUS(sc_map_all(at->session, &at->key, SC_HASH, SC_FIELDS, &at->of->all.items), SC_OK);
    CHECK(at->of->all.count == living.rows[0].count, "%zu living fields", at->of->all.count);
    box_clear(&living);
}

static void tx_step(hand *hands, uint64_t count) {
    hand *at = &hands[choose(&hands->of->pick, count)];
    hand *other = &hands[choose(&hands->of->pick, count)];
    uint64_t kind = choose(&hands->of->pick, 100);
    if (kind < 75) {
        uint64_t burst = choose(&at->of->pick, 8) ? 1 : choose(&at->of->pick, 150);
        while (burst--)
            operate(at);
    } else if (kind < 85) {
        look(at);
    } else if (kind < 88) {
        expire_key(at);
    } else if (kind < 90) {
        copy_key(at, other);
    } else if (kind < 93) {
        rename_key(at, other);
    } else if (kind < 95) {
        delete_key(at);
    } else if (kind < 97) {
        store(at);
    } else if (kind < 98) {
        replace_by_string(at);
    } else {
        compare(at);
    }
}

static hand take(baskets *of, bool in_tx) {
    uint32_t db = (uint32_t)choose(&of->pick, BASKET_DBS);
    uint32_t number = (uint32_t)choose(&of->pick, choose(&of->pick, 2) ? 8 : BASKETS);
    (void)in_tx;
    return (hand){.of = of, .key = key_of(db, of->names[number]), .model = &of->at[db][number]};
}

static void step_transaction(baskets *of) {
    hand hands[HAND_KEYS];
    sc_key keys[HAND_KEYS];
    basket before[HAND_KEYS];
    uint64_t count = 1 + choose(&of->pick, HAND_KEYS), operations = 1 + choose(&of->pick, 8);
    bool whole = choose(&of->pick, 24) == 0, commit = choose(&of->pick, 5) != 0;
    for (uint64_t i = 0; i < count; i++) {
        hands[i] = take(of, true);
        keys[i] = hands[i].key;
    }
    sc_tx *tx;
    CHECK_STATUS(sc_tx_begin(of->attached[choose(&of->pick, 2)], keys, whole ? 0 : count, &tx),
                 SC_OK);
    for (uint64_t i = 0; i < count; i++) {
        hands[i].tx = tx;
        hands[i].session = sc_tx_session(tx);
        settle(&hands[i]);
        before[i] = (basket){.what = box_copy(&hands[i].model->what), .dead = hands[i].model->dead};
    }
    while (operations--)
        tx_step(hands, count);
    for (uint64_t i = 0; i < count; i++)
        settle(&hands[i]);
    (commit ? sc_tx_commit : sc_tx_abort)(tx);
    for (uint64_t i = count; i-- > 0;) {
        if (!commit) put_model(hands[i].model, &before[i]);
        box_clear(&before[i].what);
    }
}

/* Without a lock, by each of the attachments. */
static void step_read(baskets *of) {
    hand at = take(of, false);
    sc_session session;
    int status = SC_OK;
    settle(&at);
    sc_session_start(&session, of->attached[choose(&of->pick, BASKET_ATTACHMENTS)]);
    at.session = &session;
    bool all = choose(&of->pick, 16) == 0;
    do {
        if (all && !at.model->dead)
            compare(&at);
        else
            look(&at);
    } while (sc_session_again(&session, &status));
    CHECK_STATUS(status, SC_OK);
    sc_session_end(&session);
}

/* ---- the rest of the world --------------------------------------------------------------------*/

/* Now everything is packed as long as it can be, now nothing is, now something between. */
static void step_tuning(baskets *of) {
    sc_tuning tuning;
    sc_get_tuning(of->attached[0], &tuning);
    uint32_t elements[] = {0, 3, 20, 128, 100000}, bytes[] = {0, 10, 64, 64, 100000};
    tuning.hash_max_listpack_entries = elements[choose(&of->pick, 5)];
    tuning.hash_max_listpack_value = bytes[choose(&of->pick, 5)];
    tuning.set_max_intset_entries = elements[choose(&of->pick, 5)];
    tuning.set_max_listpack_entries = elements[choose(&of->pick, 5)];
    tuning.set_max_listpack_value = bytes[choose(&of->pick, 5)];
    tuning.zset_max_listpack_entries = elements[choose(&of->pick, 5)];
    tuning.zset_max_listpack_value = bytes[choose(&of->pick, 5)];
    tuning.list_max_listpack_size = (int32_t[]){-1, -2, -5, 10, 100}[choose(&of->pick, 5)];
    CHECK_STATUS(sc_set_tuning(of->attached[0], &tuning), SC_OK);
}

static void step_maintenance(baskets *of) {
    sc_arena *arena = of->attached[choose(&of->pick, 2)];
    uint64_t deleted, which;
    switch (choose(&of->pick, 6)) {
    case 0:
        CHECK_STATUS(sc_expire_cycle(arena, choose(&of->pick, 2000), &deleted), SC_OK);
        break;
    case 1:
        CHECK_STATUS(sc_reserve_cycle(arena, choose(&of->pick, 2000)), SC_OK);
        break;
    case 2:
        CHECK_STATUS(sc_tick(arena), SC_OK);
        break;
    case 3:
        which = choose(&of->pick, BASKET_ATTACHMENTS);
        sc_arena_detach(of->attached[which]);
        of->attached[which] = segments_attach(&of->files, which < 2);
        break;
    default:
        step_tuning(of);
    }
}

static void step_flush(baskets *of) {
    uint32_t db = (uint32_t)choose(&of->pick, BASKET_DBS);
    if (choose(&of->pick, 2)) {
        CHECK_STATUS(sc_swap_db(of->attached[0], 0, 1), SC_OK);
        for (int i = 0; i < BASKETS; i++) {
            basket kept = of->at[0][i];
            of->at[0][i] = of->at[1][i];
            of->at[1][i] = kept;
        }
        return;
    }
    CHECK_STATUS(sc_flush_db(of->attached[1], (int32_t)db), SC_OK);
    for (int i = 0; i < BASKETS; i++) {
        box_clear(&of->at[db][i].what);
        of->at[db][i].dead = 0;
    }
}

void baskets_step(baskets *of) {
    of->steps++;
    uint64_t kind = choose(&of->pick, 128);
    if (kind < 100)
        step_transaction(of);
    else if (kind < 124)
        step_read(of);
    else if (kind < 127)
        step_maintenance(of);
    else if (choose(&of->pick, 16) == 0)
        step_flush(of);
}

void baskets_check(baskets *of) {
    check_valid(of->attached[0]);
    for (uint32_t db = 0; db < BASKET_DBS; db++) {
        for (int i = 0; i < BASKETS; i++) {
            hand at = {.of = of, .key = key_of(db, of->names[i]), .model = &of->at[db][i]};
            settle(&at);
            sc_session session;
            int status = SC_OK;
            sc_session_start(&session, of->attached[2]);
            at.session = &session;
            do {
                compare(&at);
            } while (sc_session_again(&session, &status));
            sc_session_end(&session);
        }
    }
}

baskets *baskets_open(uint32_t policy, uint64_t data_bytes, chooser pick) {
    baskets *made = calloc(1, sizeof(*made));
    CHECK(made != NULL);
    made->files = segments_create(data_bytes);
    for (int i = 0; i < BASKET_ATTACHMENTS; i++)
        made->attached[i] = segments_attach(&made->files, i < 2);
    made->policy = policy;
    made->pick = pick;
    set_policy(made->attached[0], policy);
    for (int i = 0; i < BASKETS; i++) {
        int length = snprintf(made->names[i], sizeof(made->names[i]), "basket %d ", i);
        if (i % 6 == 5) memset(made->names[i] + length, 'l', (size_t)(i * 7));
    }
    for (int i = 0; i < 2; i++)
        made->scratch[i] = malloc(LONGEST);
    buffer_init(&made->got);
    gathered_init(&made->all);
    return made;
}

void baskets_close(baskets *of) {
    for (uint32_t db = 0; db < BASKET_DBS; db++) {
        for (int i = 0; i < BASKETS; i++)
            box_clear(&of->at[db][i].what);
    }
    for (int i = 0; i < BASKET_ATTACHMENTS; i++)
        sc_arena_detach(of->attached[i]);
    segments_close(&of->files);
    buffer_free(&of->got);
    gathered_free(&of->all);
    free(of->scratch[0]);
    free(of->scratch[1]);
    free(of);
}
