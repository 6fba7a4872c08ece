#include "model.h"

#include <stdlib.h>

enum { LONGEST_VALUE = 150000, SOON_MS = 10000 };

/* ---- keys -------------------------------------------------------------------------------------*/

/* Number 0 is the empty key, 1 the longest that is allowed, every fifth is long, the rest short. */
sc_key world_key(const world *of, uint32_t db, uint32_t number) {
    static char names[MODEL_KEYS][256];
    if (number == 1) {
        uint32_t most = sc_max_key_bytes(of->attached[0]);
        return (sc_key){.bytes = of->long_name, .length = most, .db = db};
    }
    char *name = names[number];
    if (number > 0 && !name[0]) {
        int length = snprintf(name, 16, "%u", number);
        if (number % 5 == 0) memset(name + length, 'l', number);
    }
    return key_of(db, name);
}

uint32_t world_number(const world *of, const char *key, size_t length) {
    if (length == 0) return 0;
    if (length == sc_max_key_bytes(of->attached[0]) && key[0] == 'L') return 1;
    char digits[8] = "";
    memcpy(digits, key, length < 4 ? length : 4);
    uint32_t number = (uint32_t)strtoul(digits, NULL, 10);
    CHECK(number > 1 && number < MODEL_KEYS, "'%.*s'", (int)length, key);
    sc_key whole = world_key(of, 0, number);
    CHECK(whole.length == length && memcmp(whole.bytes, key, length) == 0, "'%.*s'", (int)length,
          key);
    return number;
}

/* ---- records ----------------------------------------------------------------------------------*/

void record_clear(record *model) {
    free(model->value);
    *model = (record){.present = false};
}

void record_set(record *model, const char *value, size_t length, uint64_t expire_ms) {
    char *own = malloc(length + 1);
    CHECK(own != NULL);
    memcpy(own, value, length);
    own[length] = '\0';
    record_clear(model);
    *model = (record){.present = true, .value = own, .length = length, .expire_ms = expire_ms};
}

record record_copy(const record *model) {
    record copy = {.present = false};
    if (model->present) record_set(&copy, model->value, model->length, model->expire_ms);
    copy.appended = model->appended;
    return copy;
}

bool may_vanish(const world *of, const record *model) {
    if (of->policy == SC_NOEVICTION) return false;
    bool spares = of->policy >= SC_VOLATILE_LRU;
    return !spares || model->expire_ms != 0;
}

/* ---- comparing --------------------------------------------------------------------------------*/

/* Outside a transaction sometimes by way of the process's hints, with hashes that often collide. */
static int target_get(target *at, buffer *to) {
    if (at->tx) return sc_tx_get(at->tx, &at->key, &to->sink);
    if (choose(&at->of->pick, 2)) return sc_get(at->arena, &at->key, &to->sink);
    uint64_t hash = sc_hash(at->key.bytes, at->key.length, 0) % 97;
    return get_hinted(at->arena, &at->key, hash, to);
}

void target_sync(target *at) {
    record *model = at->model;
    uint64_t before = now_ms();
    int status = target_get(at, &at->of->got);
    uint64_t after = now_ms();
    bool dead = !model->present || (model->expire_ms && model->expire_ms <= before);
    bool dying = model->present && model->expire_ms && model->expire_ms <= after;
    if (status == SC_MISS) {
        CHECK(dead || dying || may_vanish(at->of, model), "db %u '%.*s' is gone", at->key.db,
              (int)at->key.length, at->key.bytes);
        if (dead || !dying) record_clear(model);
        return;
    }
    CHECK_STATUS(status, SC_OK);
    CHECK(!dead, "db %u '%.*s' should be gone", at->key.db, (int)at->key.length, at->key.bytes);
    CHECK(buffer_is(&at->of->got, model->value, model->length),
          "db %u '%.*s': %zu bytes '%.40s', not %zu '%.40s'", at->key.db, (int)at->key.length,
          at->key.bytes, at->of->got.length, at->of->got.bytes, model->length, model->value);
}

void target_settle(target *at) {
    record *model = at->model;
    if (!model->present || !model->expire_ms || model->expire_ms > now_ms() + SOON_MS) return;
    wait_until_ms(model->expire_ms);
    record_clear(model);
}

/* ---- the world --------------------------------------------------------------------------------*/

world *world_open(uint32_t policy, uint64_t data_bytes, chooser pick) {
    world *made = calloc(1, sizeof(*made));
    CHECK(made != NULL);
    made->files = segments_create(data_bytes);
    for (int i = 0; i < MODEL_ATTACHMENTS; i++)
        made->attached[i] = segments_attach(&made->files, i < MODEL_ATTACHMENTS - 1);
    made->policy = policy;
    made->pick = pick;
    set_policy(made->attached[0], policy);
    made->long_name = malloc(sc_max_key_bytes(made->attached[0]));
    memset(made->long_name, 'L', sc_max_key_bytes(made->attached[0]));
    made->scratch = malloc(LONGEST_VALUE);
    buffer_init(&made->got);
    return made;
}

void world_close(world *of) {
    for (uint32_t db = 0; db < MODEL_DBS; db++)
        for (uint32_t number = 0; number < MODEL_KEYS; number++)
            record_clear(&of->keys[db][number]);
    for (int i = 0; i < MODEL_ATTACHMENTS; i++)
        sc_arena_detach(of->attached[i]);
    segments_close(&of->files);
    buffer_free(&of->got);
    free(of->long_name);
    free(of->scratch);
    free(of);
}

void world_check(world *of) {
    check_valid(of->attached[0]);
    for (uint32_t db = 0; db < MODEL_DBS; db++) {
        for (uint32_t number = 0; number < MODEL_KEYS; number++) {
            target at = {.of = of,
                         .arena = of->attached[MODEL_ATTACHMENTS - 1],
                         .key = world_key(of, db, number),
                         .model = &of->keys[db][number]};
            target_sync(&at);
        }
    }
}
