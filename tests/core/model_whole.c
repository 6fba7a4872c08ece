/* The model's operations on whole databases, alone and as steps of a transaction. */
#include <stdlib.h>

#include "model.h"

typedef struct census {
    world *of;
    unsigned times[MODEL_KEYS];
} census;

static bool census_add(void *context, const char *key, uint32_t length) {
    census *all = context;
    all->times[world_number(all->of, key, length)]++;
    return true;
}

/* What has died since `before`, by the clock of whoever scans, may or may not be there. */
static void scan_db(world *of, sc_arena *arena, sc_tx *tx, uint32_t db, uint64_t before) {
    census all = {.of = of};
    uint64_t cursor = 0, count = 1 + choose(&of->pick, 100);
    do {
        int status = tx ? sc_tx_scan(tx, db, &cursor, count, census_add, &all)
                        : sc_scan(arena, db, &cursor, count, census_add, &all);
        CHECK_STATUS(status, SC_OK);
    } while (cursor != 0);
    uint64_t after = now_ms(), alive = 0;
    for (uint32_t number = 0; number < MODEL_KEYS; number++) {
        record *model = &of->keys[db][number];
        bool was = model->present && (!model->expire_ms || model->expire_ms > before);
        bool is = model->present && (!model->expire_ms || model->expire_ms > after);
        CHECK(all.times[number] <= was, "key %u of db %u", number, db);
        CHECK(all.times[number] >= (is && !may_vanish(of, model)), "key %u of db %u", number, db);
        alive += is;
    }
    uint64_t keys = tx ? sc_tx_db_keys(tx, db) : sc_db_keys(arena, db);
    if (of->policy == SC_NOEVICTION) CHECK(keys >= alive);
}

void world_step_scan(world *of) {
    uint32_t db = world_pick_db(of);
    scan_db(of, of->attached[choose(&of->pick, MODEL_ATTACHMENTS)], NULL, db, now_ms());
}

static void pick_random_key(world *of, sc_tx *tx) {
    uint32_t db = world_pick_db(of);
    int status = tx ? sc_tx_random_key(tx, db, &of->got.sink)
                    : sc_random_key(of->attached[0], db, &of->got.sink);
    if (status == SC_OK) {
        uint32_t number = world_number(of, of->got.bytes, of->got.length);
        CHECK(of->keys[db][number].present, "key %u of db %u", number, db);
        return;
    }
    CHECK_STATUS(status, SC_MISS);
    uint64_t now = now_ms();
    for (uint32_t number = 0; number < MODEL_KEYS; number++) {
        record *model = &of->keys[db][number];
        bool is = model->present && (!model->expire_ms || model->expire_ms > now);
        CHECK(!is || may_vanish(of, model), "there is key %u in db %u", number, db);
    }
}

void world_step_random_key(world *of) {
    pick_random_key(of, NULL);
}

static void model_flush(world *of, int32_t db) {
    for (int32_t i = 0; i < MODEL_DBS; i++) {
        for (uint32_t number = 0; number < MODEL_KEYS && (db == -1 || i == db); number++)
            record_clear(&of->keys[i][number]);
    }
}

static void model_swap(world *of, uint32_t a, uint32_t b) {
    for (uint32_t number = 0; number < MODEL_KEYS; number++) {
        record kept = of->keys[a][number];
        of->keys[a][number] = of->keys[b][number];
        of->keys[b][number] = kept;
    }
}

static int32_t pick_flushed(world *of) {
    return choose(&of->pick, 4) ? (int32_t)world_pick_db(of) : -1;
}

void world_step_flush(world *of) {
    int32_t db = pick_flushed(of);
    CHECK_STATUS(sc_flush_db(of->attached[choose(&of->pick, 2)], db), SC_OK);
    model_flush(of, db);
    for (int32_t i = 0; i < MODEL_DBS; i++)
        CHECK((db != -1 && i != db) || sc_db_keys(of->attached[0], (uint32_t)i) == 0, "db %d", i);
}

void world_step_swap(world *of) {
    uint32_t a = world_pick_db(of), b = world_pick_db(of);
    CHECK_STATUS(sc_swap_db(of->attached[choose(&of->pick, 2)], a, b), SC_OK);
    model_swap(of, a, b);
}

/* ---- whole databases in a transaction ---------------------------------------------------------*/

static void whole_operation(target *at, uint64_t began_ms) {
    world *of = at->of;
    switch (choose(&of->pick, 8)) {
    case 0: {
        int32_t db = pick_flushed(of);
        int status = sc_tx_flush_db(at->tx, db);
        if (target_refused(at, status)) return;
        CHECK_STATUS(status, SC_OK);
        model_flush(of, db);
        CHECK(sc_tx_db_keys(at->tx, db < 0 ? world_pick_db(of) : (uint32_t)db) == 0);
        return;
    }
    case 1: {
        uint32_t a = world_pick_db(of), b = world_pick_db(of);
        int status = sc_tx_swap_db(at->tx, a, b);
        if (target_refused(at, status)) return;
        CHECK_STATUS(status, SC_OK);
        model_swap(of, a, b);
        return;
    }
    case 2:
        scan_db(of, NULL, at->tx, world_pick_db(of), began_ms);
        return;
    case 3:
        pick_random_key(of, at->tx);
        return;
    default: {
        target one = world_pick_target(of, true);
        one.tx = at->tx;
        world_tx_operation(&one, 1);
    }
    }
}

static void keep_shelves(world *of, record (*kept)[MODEL_KEYS], bool back) {
    for (uint32_t db = 0; db < MODEL_DBS; db++) {
        for (uint32_t number = 0; number < MODEL_KEYS; number++) {
            record *model = &of->keys[db][number];
            if (!back) {
                kept[db][number] = record_copy(model);
                continue;
            }
            record_clear(model);
            *model = kept[db][number];
        }
    }
}

/* Every key that dies soon is dead before it begins: nothing in it depends on the clock. */
static void settle_all(world *of) {
    for (uint32_t i = 0; i < MODEL_DBS * MODEL_KEYS; i++) {
        uint32_t db = i / MODEL_KEYS, number = i % MODEL_KEYS;
        target at = {.of = of,
                     .arena = of->attached[0],
                     .key = world_key(of, db, number),
                     .model = &of->keys[db][number]};
        if (at.model->present) target_settle(&at);
    }
}

void world_step_whole(world *of) {
    record(*kept)[MODEL_KEYS] = NULL;
    target at = world_pick_target(of, true);
    settle_all(of);
    uint64_t began_ms = now_ms();
    int status = sc_tx_begin(at.arena, NULL, 0, &at.tx);
    if (target_refused(&at, status)) return;
    CHECK_STATUS(status, SC_OK);
    bool commit = choose(&of->pick, 3) != 0;
    if (!commit) {
        kept = calloc(MODEL_DBS, sizeof *kept);
        keep_shelves(of, kept, false);
    }
    for (uint64_t left = choose(&of->pick, 20); left > 0; left--)
        whole_operation(&at, began_ms);
    (commit ? sc_tx_commit : sc_tx_abort)(at.tx);
    if (!commit) keep_shelves(of, kept, true);
    free(kept);
}
