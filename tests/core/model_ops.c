/* The operations of the model test. Each `do_` performs one on the arena, works out from the record
 * what must come, and brings the record up to date. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "layout.h"
#include "model.h"

#define HOUR_MS UINT64_C(3600000)

/* ---- choices ----------------------------------------------------------------------------------*/

uint32_t world_pick_db(world *of) {
    static const uint8_t dbs[] = {0, 0, 0, 0, 1, 1, 7, 15};
    return dbs[choose(&of->pick, sizeof(dbs))];
}

target world_pick_target(world *of, bool writing) {
    uint32_t db = world_pick_db(of), number = (uint32_t)choose(&of->pick, MODEL_KEYS);
    uint64_t writers = MODEL_ATTACHMENTS - 1;
    return (target){.of = of,
                    .arena = of->attached[choose(&of->pick, writing ? writers : MODEL_ATTACHMENTS)],
                    .key = world_key(of, db, number),
                    .model = &of->keys[db][number]};
}

static size_t pick_length(world *of) {
    static const uint32_t most[] = {20, 20, 100, 100, 100, 100, 600, 3000, 3000, 20000};
    if (choose(&of->pick, 100) == 0) return choose(&of->pick, 150000);
    return choose(&of->pick, most[choose(&of->pick, 10)]);
}

static size_t pick_value(world *of) {
    if (choose(&of->pick, 4) == 0) {
        int64_t number = (int64_t)choose(&of->pick, 2000000) - 1000000;
        if (choose(&of->pick, 8) == 0) number = INT64_MAX - (int64_t)choose(&of->pick, 3);
        return (size_t)snprintf(of->scratch, 32, "%" PRId64, number);
    }
    size_t length = pick_length(of);
    fill_bytes(of->scratch, length, choose(&of->pick, 65536));
    return length;
}

/* None mostly, else long, short or already over. Not short in a transaction: time stands still
 * there, for who has looked at it. */
static uint64_t pick_expiry(const target *at) {
    world *of = at->of;
    switch (choose(&of->pick, 10)) {
    case 0:
        return now_ms() + (at->tx ? HOUR_MS : 0) + choose(&of->pick, 4);
    case 1:
        return now_ms() - 1 - choose(&of->pick, 1000);
    case 2:
    case 3:
    case 4:
        return now_ms() + HOUR_MS + choose(&of->pick, 65536);
    default:
        return 0;
    }
}

static bool is_past(uint64_t expire_ms) {
    return expire_ms && expire_ms <= now_ms();
}

/* ---- what to expect ---------------------------------------------------------------------------*/

bool target_refused(target *at, int status) {
    if (status != SC_NO_MEMORY) return false;
    at->of->refused++;
    return true;
}

/* The answer fits a record that is there, or (when it may have been evicted meanwhile) one that is
 * not; in that case forget it. */
static bool fits(target *at, bool when_present, bool when_absent) {
    if (at->model->present ? when_present : when_absent) return true;
    if (!at->model->present || !may_vanish(at->of, at->model) || !when_absent) return false;
    record_clear(at->model);
    return true;
}

static void complain(target *at, const char *what, int status) {
    CHECK(false, "%s db %u '%.*s' (%s): %s", what, at->key.db, (int)at->key.length, at->key.bytes,
          at->model->present ? "present" : "absent", sc_status_text(status));
}

/* Where a time to live was kept or lost by an eviction in between, ask which. */
static uint64_t kept_expiry(target *at, uint64_t old) {
    if (!old || at->of->policy == SC_NOEVICTION) return old;
    sc_info info;
    int status = at->tx ? sc_tx_describe(at->tx, &at->key, &info)
                        : sc_describe(at->arena, &at->key, &info, false);
    CHECK(status == SC_OK || status == SC_MISS);
    CHECK(status == SC_MISS || info.expire_ms == old || info.expire_ms == 0);
    return status == SC_OK ? info.expire_ms : old;
}

/* ---- one key, written -------------------------------------------------------------------------*/

static int call_set(target *at, const sc_set_args *args) {
    return at->tx ? sc_tx_set(at->tx, &at->key, args) : sc_set(at->arena, &at->key, args);
}

static void expect_old(target *at, bool had_old) {
    if (!fits(at, had_old, !had_old)) complain(at, "old value of set", had_old);
    if (had_old)
        CHECK(buffer_is(&at->of->got, at->model->value, at->model->length),
              "old value of %zu bytes", at->of->got.length);
}

static void apply_set(target *at, const sc_set_args *args, bool was_past) {
    record *model = at->model;
    uint64_t expire_ms = args->expire_ms;
    if ((args->flags & SC_SET_KEEP_TTL) && model->present)
        expire_ms = kept_expiry(at, model->expire_ms);
    if (was_past)
        record_clear(model);
    else
        record_set(model, args->value, args->value_bytes, expire_ms);
}

static void do_set(target *at) {
    world *of = at->of;
    bool had_old = false, wants_old = choose(&of->pick, 4) == 0;
    sc_set_args args = {.value = of->scratch, .value_bytes = pick_value(of)};
    static const uint32_t flags[] = {
        0, 0, 0, SC_SET_NX, SC_SET_XX, SC_SET_KEEP_TTL, SC_SET_XX | SC_SET_KEEP_TTL, SC_SET_NX};
    args.flags = flags[choose(&of->pick, 8)];
    if (wants_old) {
        args.old = &of->got.sink;
        args.had_old = &had_old;
    }
    if (!(args.flags & SC_SET_KEEP_TTL)) args.expire_ms = pick_expiry(at);
    bool was_past = is_past(args.expire_ms);
    int status = call_set(at, &args);
    if (target_refused(at, status)) return;
    int present = args.flags & SC_SET_NX ? SC_UNCHANGED : SC_OK;
    int absent = args.flags & SC_SET_XX ? SC_UNCHANGED : SC_OK;
    if (!fits(at, status == present, status == absent)) complain(at, "set", status);
    if (wants_old) expect_old(at, had_old);
    if (status == SC_OK) apply_set(at, &args, was_past);
}

static void do_delete(target *at) {
    int status = at->tx ? sc_tx_delete(at->tx, &at->key) : sc_delete(at->arena, &at->key);
    if (at->tx && target_refused(at, status)) return; /* outside it must work in a full arena too */
    if (!fits(at, status == SC_OK, status == SC_MISS)) complain(at, "delete", status);
    if (status == SC_OK) record_clear(at->model);
}

static void do_get_delete(target *at) {
    int status = sc_get_delete(at->arena, &at->key, &at->of->got.sink);
    if (!fits(at, status == SC_OK, status == SC_MISS)) complain(at, "get_delete", status);
    if (status != SC_OK) return;
    CHECK(buffer_is(&at->of->got, at->model->value, at->model->length), "get_delete");
    record_clear(at->model);
}

static int expire_outcome(const record *model, uint64_t expire_ms, uint32_t flags) {
    uint64_t old = model->expire_ms;
    if (expire_ms == 0) return old ? SC_OK : SC_UNCHANGED;
    if ((flags & SC_EXPIRE_NX) && old) return SC_UNCHANGED;
    if ((flags & SC_EXPIRE_XX) && !old) return SC_UNCHANGED;
    if ((flags & SC_EXPIRE_GT) && (!old || expire_ms <= old)) return SC_UNCHANGED;
    if ((flags & SC_EXPIRE_LT) && old && expire_ms >= old) return SC_UNCHANGED;
    return SC_OK;
}

static void do_expire(target *at) {
    static const uint32_t all[] = {0, 0, SC_EXPIRE_NX, SC_EXPIRE_XX, SC_EXPIRE_GT, SC_EXPIRE_LT};
    uint64_t expire_ms = pick_expiry(at);
    uint32_t flags = expire_ms ? all[choose(&at->of->pick, 6)] : 0;
    bool was_past = is_past(expire_ms);
    int status = at->tx ? sc_tx_expire(at->tx, &at->key, expire_ms, flags)
                        : sc_expire(at->arena, &at->key, expire_ms, flags);
    if (target_refused(at, status)) return;
    int present = expire_outcome(at->model, expire_ms, flags);
    if (!fits(at, status == present, status == SC_MISS)) complain(at, "expire", status);
    if (status != SC_OK) return;
    if (was_past)
        record_clear(at->model);
    else
        at->model->expire_ms = expire_ms;
}

/* Redis's rule: decimal, no sign but '-', no leading zeros, within 64 bits. */
static bool is_integer(const record *model, int64_t *number) {
    char again[32];
    if (!model->present || model->length == 0 || model->length > 20) return false;
    errno = 0;
    *number = strtoll(model->value, NULL, 10);
    snprintf(again, sizeof(again), "%" PRId64, *number);
    return errno == 0 && strlen(again) == model->length &&
           !memcmp(again, model->value, model->length);
}

static int incr_outcome(const record *model, int64_t by, int64_t *want) {
    int64_t old = 0;
    if (model->present && !is_integer(model, &old)) return SC_NOT_INTEGER;
    return __builtin_add_overflow(old, by, want) ? SC_OVERFLOW : SC_OK;
}

static void do_incr(target *at) {
    int64_t by = (int64_t)choose(&at->of->pick, 2001) - 1000, result = 0, want = 0;
    if (choose(&at->of->pick, 10) == 0) by = INT64_MIN;
    int status = sc_incr(at->arena, &at->key, by, &result);
    if (target_refused(at, status)) return;
    int present = incr_outcome(at->model, by, &want);
    bool as_present = status == present && (status != SC_OK || result == want);
    if (!fits(at, as_present, status == SC_OK && result == by)) complain(at, "incr", status);
    if (status != SC_OK) return;
    char text[32];
    uint64_t expire_ms = at->model->present ? kept_expiry(at, at->model->expire_ms) : 0;
    int length = snprintf(text, sizeof(text), "%" PRId64, result);
    record_set(at->model, text, (size_t)length, expire_ms);
}

static void do_append(target *at) {
    world *of = at->of;
    uint64_t told = 0;
    size_t more = pick_length(of);
    if (more > 5000) more %= 5000;
    fill_bytes(of->scratch, more, more);
    int status = sc_append(at->arena, &at->key, of->scratch, more, &told);
    if (target_refused(at, status) || status == SC_VALUE_TOO_LONG) return;
    size_t old = at->model->present ? at->model->length : 0;
    if (!fits(at, status == SC_OK && told == old + more, status == SC_OK && told == more))
        complain(at, "append", status);
    old = at->model->present ? at->model->length : 0;
    uint64_t expire_ms = at->model->present ? kept_expiry(at, at->model->expire_ms) : 0;
    char *joined = malloc(old + more + 1);
    if (old) memcpy(joined, at->model->value, old);
    memcpy(joined + old, of->scratch, more);
    bool existed = at->model->present;
    record_set(at->model, joined, old + more, expire_ms);
    at->model->appended = existed;
    free(joined);
}

/* ---- one key, read ----------------------------------------------------------------------------*/

static void do_get_range(target *at) {
    int64_t length = at->model->present ? (int64_t)at->model->length : 10;
    int64_t start = (int64_t)choose(&at->of->pick, 64) * (length + 20) / 64 - 5;
    int64_t end = (int64_t)choose(&at->of->pick, 64) * (length + 20) / 64 - 5;
    int status = sc_get_range(at->arena, &at->key, start, end, &at->of->got.sink);
    if (!fits(at, status == SC_OK, status == SC_MISS)) complain(at, "get_range", status);
    if (status != SC_OK) return;
    bool backwards = start < 0 && end < 0 && start > end;
    start = start < 0 ? (start + length < 0 ? 0 : start + length) : start;
    end = end < 0 ? (end + length < 0 ? 0 : end + length) : end;
    if (end >= length) end = length - 1;
    size_t want = backwards || start > end || length == 0 ? 0 : (size_t)(end - start + 1);
    CHECK(at->of->got.length == want, "%zu bytes, not %zu", at->of->got.length, want);
    CHECK(memcmp(at->of->got.bytes, at->model->value + (want ? start : 0), want) == 0);
}

static void do_describe(target *at) {
    sc_info info;
    int64_t number;
    int status = at->tx ? sc_tx_describe(at->tx, &at->key, &info)
                        : sc_describe(at->arena, &at->key, &info, choose(&at->of->pick, 2));
    if (!fits(at, status == SC_OK, status == SC_MISS)) complain(at, "describe", status);
    if (status != SC_OK) return;
    CHECK(info.value_bytes == at->model->length && info.expire_ms == at->model->expire_ms,
          "%" PRIu64 " bytes, dies %" PRIu64, info.value_bytes, info.expire_ms);
    uint8_t want = at->model->appended              ? SC_ENC_APPENDED
                   : is_integer(at->model, &number) ? SC_ENC_INT
                                                    : SC_ENC_RAW;
    CHECK(info.encoding == want, "encoding %u of '%.30s'", info.encoding, at->model->value);
}

static void step_one_key(world *of) {
    static void (*const all[])(target *) = {
        do_set,    do_set,  do_set,    do_set,        do_set,      do_set,
        do_delete, do_incr, do_append, do_get_delete, do_describe, do_expire,
        do_expire, do_incr, do_delete, do_get_range,
    };
    uint64_t which = choose(&of->pick, sizeof(all) / sizeof(all[0]));
    bool writing = all[which] != do_describe && all[which] != do_get_range;
    target at = world_pick_target(of, writing);
    target_settle(&at);
    if (of->policy != SC_NOEVICTION || choose(&of->pick, 4) == 0) target_sync(&at);
    all[which](&at);
    if (choose(&of->pick, 4) == 0) target_sync(&at);
}

/* ---- several keys -----------------------------------------------------------------------------*/

enum { TX_KEYS = 8 };

static void do_copy(target *from, target *to) {
    bool replace = choose(&from->of->pick, 2);
    int status = sc_tx_copy(from->tx, &from->key, &to->key, replace);
    if (target_refused(from, status)) return;
    target_sync(from);
    record *source = from->model, *goal = to->model;
    if (!source->present) {
        CHECK(status == SC_MISS || (status != SC_OK && may_vanish(from->of, source)), "copy: %s",
              sc_status_text(status));
        return;
    }
    if (status == SC_MISS) return target_sync(from);
    if (!fits(to, status == (replace ? SC_OK : SC_UNCHANGED), status == SC_OK))
        complain(to, "copy", status);
    if (status != SC_OK) return;
    record_set(goal, source->value, source->length, source->expire_ms);
    goal->appended = source->appended;
}

void world_tx_operation(target *at, uint32_t count) {
    target *one = &at[choose(&at->of->pick, count)];
    if (one->of->policy != SC_NOEVICTION) target_sync(one);
    switch (choose(&at->of->pick, 8)) {
    case 0:
        do_delete(one);
        break;
    case 1:
        do_expire(one);
        break;
    case 2:
        do_describe(one);
        break;
    case 3: {
        target *other = &at[choose(&at->of->pick, count)];
        if (other->model != one->model) {
            target_sync(other);
            do_copy(one, other);
        }
        break;
    }
    case 4:
        target_sync(one);
        break;
    default:
        do_set(one);
        break;
    }
    target_settle(one);
}

static void tx_keys(world *of, target *at, sc_key *keys, uint32_t count) {
    uint64_t writer = choose(&of->pick, MODEL_ATTACHMENTS - 1);
    for (uint32_t i = 0; i < count; i++) {
        at[i] = world_pick_target(of, true);
        at[i].arena = of->attached[writer];
        target_settle(&at[i]);
        keys[i] = at[i].key;
    }
}

static void step_transaction(world *of) {
    target at[TX_KEYS];
    sc_key keys[TX_KEYS];
    record before[TX_KEYS];
    uint32_t count = 1 + (uint32_t)choose(&of->pick, TX_KEYS);
    bool whole = choose(&of->pick, 16) == 0, commit = choose(&of->pick, 3) != 0;
    tx_keys(of, at, keys, count);
    sc_tx *tx;
    int status = sc_tx_begin(at[0].arena, keys, whole ? 0 : count, &tx);
    if (target_refused(at, status)) return;
    CHECK_STATUS(status, SC_OK);
    for (uint32_t i = 0; i < count; i++) {
        at[i].tx = tx;
        target_sync(&at[i]);
        before[i] = record_copy(at[i].model);
    }
    for (uint64_t left = choose(&of->pick, 12); left > 0; left--)
        world_tx_operation(at, count);
    (commit ? sc_tx_commit : sc_tx_abort)(tx);
    for (uint32_t i = count; i-- > 0;) {
        at[i].tx = NULL;
        if (!commit) {
            record_clear(at[i].model);
            *at[i].model = record_copy(&before[i]);
        }
        record_clear(&before[i]);
    }
    for (uint32_t i = 0; i < count; i++)
        target_sync(&at[i]);
}

static void step_get_many(world *of) {
    enum { COUNT = 12 };
    target at[COUNT];
    sc_key keys[COUNT];
    buffer got[COUNT];
    sc_sink *sinks[COUNT];
    int statuses[COUNT];
    for (int i = 0; i < COUNT; i++) {
        at[i] = world_pick_target(of, false);
        target_settle(&at[i]);
        keys[i] = at[i].key;
        buffer_init(&got[i]);
        sinks[i] = &got[i].sink;
    }
    uint64_t count = choose(&of->pick, COUNT + 1);
    CHECK_STATUS(sc_get_many(at[0].arena, keys, count, sinks, statuses), SC_OK);
    for (uint64_t i = 0; i < COUNT; i++) {
        if (i < count) {
            if (!fits(&at[i], statuses[i] == SC_OK, statuses[i] == SC_MISS))
                complain(&at[i], "get_many", statuses[i]);
            if (statuses[i] == SC_OK)
                CHECK(buffer_is(&got[i], at[i].model->value, at[i].model->length), "get_many");
        }
        buffer_free(&got[i]);
    }
}

static void step_maintenance(world *of) {
    sc_arena *arena = of->attached[choose(&of->pick, MODEL_ATTACHMENTS - 1)];
    uint64_t deleted;
    uint32_t recovered;
    switch (choose(&of->pick, 5)) {
    case 0:
        CHECK_STATUS(sc_expire_cycle(arena, choose(&of->pick, 2000), &deleted), SC_OK);
        break;
    case 1:
        CHECK_STATUS(sc_reserve_cycle(arena, choose(&of->pick, 2000)), SC_OK);
        break;
    case 2:
        CHECK_STATUS(sc_sweep_slots(arena, &recovered), SC_OK);
        CHECK(recovered == 0);
        break;
    case 3:
        CHECK_STATUS(sc_tick(arena), SC_OK);
        break;
    default: {
        uint64_t which = choose(&of->pick, MODEL_ATTACHMENTS);
        sc_arena_detach(of->attached[which]);
        of->attached[which] = segments_attach(&of->files, which < MODEL_ATTACHMENTS - 1);
    }
    }
}

void world_step(world *of) {
    of->steps++;
    uint64_t kind = choose(&of->pick, 256);
    if (kind < 200)
        step_one_key(of);
    else if (kind < 225)
        step_transaction(of);
    else if (kind < 240)
        step_get_many(of);
    else if (kind < 245)
        step_maintenance(of);
    else if (kind < 250)
        world_step_scan(of);
    else if (kind < 253)
        world_step_random_key(of);
    else if (choose(&of->pick, 8) == 0)
        world_step_flush(of);
    else if (choose(&of->pick, 3) == 0)
        world_step_whole(of);
    else
        world_step_swap(of);
}
