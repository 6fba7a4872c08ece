/* The stress test's containers. Each kind keeps something that a torn read, a half-seen transaction
 * or a lost change would break:
 *
 *   hashes   every field has the same value
 *   sets     two of them share out the same members, which move from one to the other
 *   lists    consecutive numbers: pushed at the right, popped at the left
 *   zsets    scores that add up to nought, in order, and members under the score that they are in
 *   streams  consecutive names, and beside them which is the last and how many there are
 *
 * A container may be missing (evicted, expired, deleted, renamed) but never be half of one. */
#include <math.h>
#include <stdlib.h>

#include "stress.h"

enum { EACH = 4, FIELDS = 40, MEMBERS = 120, DB = 6 };

static sc_key pick(worker *w, char kind, char name[16]) {
    snprintf(name, 16, "%c%llu", kind, (unsigned long long)rng_below(&w->chance, EACH));
    return key_of(DB, name);
}

/* ---- hashes -----------------------------------------------------------------------------------*/

static int put_fields(worker *w, sc_tx *tx, const sc_key *key) {
    char value[700], field[16];
    size_t length = rng_below(&w->chance, 10) ? rng_below(&w->chance, 40) : sizeof(value);
    fill_bytes(value, length, rng_next(&w->chance));
    uint64_t fields = 1 + rng_below(&w->chance, FIELDS), have = 0;
    int status = sc_length(sc_tx_session(tx), key, SC_HASH, &have);
    if (status == SC_OK && have > fields) fields = have;
    status = SC_OK;
    for (uint64_t i = 0; i < fields && status == SC_OK; i++) {
        bool added;
        snprintf(field, sizeof(field), i % 2 ? "field %llu" : "%llu", (unsigned long long)i);
        status = sc_map_put(tx, key, SC_HASH, bytes_of(field), BYTES(value, length), 0, &added);
    }
    return status;
}

static int read_fields(worker *w, sc_session *session, const sc_key *key) {
    gathered_reset(&w->all);
    int status = sc_map_all(session, key, SC_HASH, SC_VALUES, &w->all.items);
    if (status != SC_OK) return status;
    return sc_map_find(session, key, SC_HASH, bytes_of("0"), &w->got.sink);
}

static void judge_fields(worker *w) {
    CHECK(w->all.count > 0, "an empty hash");
    for (size_t i = 0; i < w->all.count; i++)
        CHECK(piece_is(&w->all.piece[i], w->got.bytes, w->got.length),
              "field %zu of %zu has %zu bytes, field '0' %zu", i, w->all.count,
              w->all.piece[i].length, w->got.length);
}

/* ---- sets -------------------------------------------------------------------------------------*/

static void pick_pair(worker *w, char names[2][16], sc_key keys[2]) {
    uint64_t number = rng_below(&w->chance, EACH);
    for (int i = 0; i < 2; i++) {
        snprintf(names[i], 16, "s%llu%c", (unsigned long long)number, "ab"[i]);
        keys[i] = key_of(DB, names[i]);
    }
}

static sc_bytes member(char name[32], uint64_t i) {
    return BYTES(name, (size_t)snprintf(name, 32, i % 2 ? "%llu" : "m%llu", (unsigned long long)i));
}

static int fill_set(sc_tx *tx, const sc_key *key) {
    int status = SC_OK;
    for (uint64_t i = 0; i < MEMBERS && status == SC_OK; i++) {
        char name[32];
        bool added;
        status = sc_map_put(tx, key, SC_SET, member(name, i), bytes_of(""), 0, &added);
    }
    return status;
}

static int move_members(worker *w, sc_tx *tx, const sc_key keys[2]) {
    uint64_t length;
    int from = (int)rng_below(&w->chance, 2), status = SC_OK;
    int first = sc_length(sc_tx_session(tx), &keys[0], SC_SET, &length);
    int second = sc_length(sc_tx_session(tx), &keys[1], SC_SET, &length);
    if (first == SC_MISS && second == SC_MISS) return fill_set(tx, &keys[0]);
    for (uint64_t left = 1 + rng_below(&w->chance, 20); left && status == SC_OK; left--) {
        bool added;
        status = sc_set_pop(tx, &keys[from], &w->got.sink);
        if (status != SC_OK) break;
        sc_bytes name = BYTES(w->got.bytes, w->got.length);
        status = sc_map_put(tx, &keys[!from], SC_SET, name, bytes_of(""), 0, &added);
        CHECK(status != SC_OK || added || w->of->evicting, "a member of both sets");
    }
    return status;
}

static int read_pair(worker *w, sc_session *session, const sc_key keys[2]) {
    gathered_reset(&w->all);
    gathered_reset(&w->second);
    int status = sc_map_all(session, &keys[0], SC_SET, SC_FIELDS, &w->all.items);
    if (status != SC_OK && status != SC_MISS) return status;
    status = sc_map_all(session, &keys[1], SC_SET, SC_FIELDS, &w->second.items);
    return status == SC_MISS ? SC_OK : status;
}

static uint64_t member_number(const piece *name) {
    char text[32] = "", again[32];
    CHECK(name->length > 0 && name->length < sizeof(text), "a member of %zu bytes", name->length);
    memcpy(text, name->bytes, name->length);
    uint64_t i = strtoull(text + (text[0] == 'm'), NULL, 10);
    CHECK(i < MEMBERS && piece_is(name, again, member(again, i).length), "member '%s'", text);
    return i;
}

static void judge_pair(worker *w) {
    bool seen[MEMBERS] = {false};
    size_t total = w->all.count + w->second.count;
    for (size_t i = 0; i < total; i++) {
        bool first = i < w->all.count;
        uint64_t number =
            member_number(first ? &w->all.piece[i] : &w->second.piece[i - w->all.count]);
        CHECK(!seen[number] || w->of->evicting, "member %llu twice", (unsigned long long)number);
        seen[number] = true;
    }
    CHECK(w->of->evicting || total == 0 || total == MEMBERS, "%zu members", total);
}

/* ---- lists ------------------------------------------------------------------------------------*/

static uint64_t list_number(const void *bytes, size_t length) {
    char text[24] = "";
    CHECK(length >= 8, "an element of %zu bytes", length);
    memcpy(text, bytes, length < 20 ? length : 20);
    uint64_t number = strtoull(text, NULL, 10);
    const char *rest = bytes;
    for (size_t i = 20; i < length; i++)
        CHECK(rest[i] == (char)('a' + number % 26), "element %s is torn", text);
    return number;
}

static int change_list(worker *w, sc_tx *tx, const sc_key *key) {
    char element[1500];
    uint64_t next = 10000000, length = 0, count = 1 + rng_below(&w->chance, 30);
    int status = sc_list_at(sc_tx_session(tx), key, -1, &w->got.sink);
    if (status == SC_OK) next = list_number(w->got.bytes, w->got.length) + 1;
    bool pushing = status == SC_MISS || rng_below(&w->chance, 2);
    if (status != SC_OK && status != SC_MISS) return status;
    sc_length(sc_tx_session(tx), key, SC_LIST, &length);
    status = SC_OK;
    if (length > 500 && rng_below(&w->chance, 4) == 0) return sc_list_remove(tx, key, 0, 300);
    while (count-- && status == SC_OK) {
        if (!pushing) {
            status = sc_list_pop(tx, key, true, &w->got.sink);
            if (status == SC_MISS) return SC_OK;
            continue;
        }
        int bytes = snprintf(element, sizeof(element), "%llu", (unsigned long long)next);
        if (next % 3 == 0) { /* otherwise it is a number and nothing more */
            memset(element + bytes, ' ', (size_t)(20 - bytes));
            bytes = next % 50 ? 20 + (int)(next % 60) : 1200;
            memset(element + 20, 'a' + (int)(next % 26), (size_t)bytes - 20);
        }
        status = sc_list_push(tx, key, BYTES(element, (size_t)bytes), false, false, &length);
        next++;
    }
    return status;
}

static int read_list(worker *w, sc_session *session, const sc_key *key) {
    gathered_reset(&w->all);
    return sc_list_range(session, key, 0, -1, &w->all.items);
}

static void judge_list(worker *w) {
    uint64_t last = 0;
    for (size_t i = 0; i < w->all.count; i++) {
        uint64_t number = list_number(w->all.piece[i].bytes, w->all.piece[i].length);
        CHECK(i == 0 || number == last + 1, "%llu after %llu", (unsigned long long)number,
              (unsigned long long)last);
        last = number;
    }
    CHECK(w->all.count > 0, "an empty list");
}

/* ---- sorted sets ------------------------------------------------------------------------------*/

static int change_zset(worker *w, sc_tx *tx, const sc_key *key) {
    char name[32];
    double by = (double)rng_below(&w->chance, 1000), score;
    int outcome, status = SC_OK;
    uint64_t first = rng_below(&w->chance, MEMBERS), second = rng_below(&w->chance, MEMBERS);
    if (first == second) second = (first + 1) % MEMBERS;
    status = sc_zset_add(tx, key, member(name, first), by, SC_ZADD_INCR, &score, &outcome);
    if (status == SC_OK)
        status = sc_zset_add(tx, key, member(name, second), -by, SC_ZADD_INCR, &score, &outcome);
    if (status != SC_OK || rng_below(&w->chance, 8)) return status;
    /* One goes; its score goes to another. */
    status = sc_zset_score(sc_tx_session(tx), key, member(name, first), &by);
    if (status == SC_OK) status = sc_zset_remove(tx, key, member(name, first));
    if (status == SC_OK)
        status = sc_zset_add(tx, key, member(name, second), by, SC_ZADD_INCR, &score, &outcome);
    return status;
}

static int read_zset(worker *w, sc_session *session, const sc_key *key) {
    uint64_t rank;
    double score;
    gathered_reset(&w->all);
    gathered_reset(&w->second);
    int status =
        sc_zset_range(session, key, 0, UINT64_MAX, false, SC_FIELDS | SC_VALUES, &w->all.items);
    if (status != SC_OK) return status;
    status = sc_map_all(session, key, SC_ZSET, SC_FIELDS | SC_VALUES, &w->second.items);
    if (status != SC_OK || !w->all.count) return status;
    size_t one = rng_below(&w->chance, w->all.count);
    sc_bytes name = BYTES(w->all.piece[one].bytes, w->all.piece[one].length);
    status = sc_zset_rank(session, key, name, &rank, &score);
    if (status == SC_OK && (rank != one || score != w->all.piece[one].score)) {
        w->all.piece[one].score =
            NAN; /* of another instant, or wrong: the session will say which */
    }
    return status;
}

static void judge_zset(worker *w) {
    double sum = 0, last = -INFINITY, by_member = 0;
    for (size_t i = 0; i < w->all.count; i++) {
        const piece *it = &w->all.piece[i];
        member_number(it);
        CHECK(it->score >= last, "%.17g after %.17g", it->score, last);
        last = it->score;
        sum += last;
    }
    for (size_t i = 0; i < w->second.count; i++)
        by_member += w->second.piece[i].score;
    CHECK(w->all.count == w->second.count, "%zu ranks, %zu members", w->all.count, w->second.count);
    CHECK(sum == 0 && by_member == 0, "scores add up to %.17g and %.17g", sum, by_member);
}

/* ---- streams ----------------------------------------------------------------------------------*/

typedef struct notes {
    uint64_t last, entries;
    char rest[SC_STREAM_META - 16];
} notes;

static sc_bytes entry_name(char name[8], uint64_t number) {
    uint64_t word = __builtin_bswap64(number);
    memcpy(name, &word, 8);
    return BYTES(name, 8);
}

static int change_stream(worker *w, sc_tx *tx, const sc_key *key) {
    notes beside = {.last = 0};
    char meta[SC_STREAM_META], name[8], value[300];
    int status = sc_stream_meta(sc_tx_session(tx), key, meta);
    memcpy(&beside, meta, sizeof(beside));
    if (status == SC_MISS) {
        memset(&beside, 0, sizeof(beside));
        memcpy(meta, &beside, sizeof(meta));
        status = sc_stream_create(tx, key, meta);
    }
    for (uint64_t left = 1 + rng_below(&w->chance, 20); left && status == SC_OK; left--) {
        bool added;
        size_t length = rng_below(&w->chance, sizeof(value));
        memset(value, (char)++beside.last, length);
        beside.entries++;
        status =
            sc_tree_put(tx, key, 0, entry_name(name, beside.last), BYTES(value, length), &added);
    }
    if (status == SC_OK && beside.entries > 200) {
        uint64_t removed = 0;
        status = sc_tree_remove_range(tx, key, 0, bytes_of(""), entry_name(name, beside.last), 70,
                                      &removed);
        beside.entries -= removed;
    }
    memcpy(meta, &beside, sizeof(meta));
    return status == SC_OK ? sc_stream_set_meta(tx, key, meta) : status;
}

static int read_stream(worker *w, sc_session *session, const sc_key *key) {
    gathered_reset(&w->all);
    int status = sc_stream_meta(session, key, w->value);
    if (status != SC_OK) return status;
    return sc_tree_range(session, key, 0, bytes_of(""), bytes_of("\xff"), UINT64_MAX, false,
                         &w->all.items);
}

static void judge_stream(worker *w) {
    notes beside;
    memcpy(&beside, w->value, sizeof(beside));
    CHECK(w->all.count == 2 * beside.entries, "%zu entries, not %llu", w->all.count / 2,
          (unsigned long long)beside.entries);
    for (size_t i = 0; i < w->all.count; i += 2) {
        char name[8];
        uint64_t number = beside.last - (w->all.count - 2 - i) / 2;
        CHECK(piece_is(&w->all.piece[i], entry_name(name, number).bytes, 8), "entry %zu", i / 2);
        const piece *value = &w->all.piece[i + 1];
        for (size_t j = 0; j < value->length; j++)
            CHECK(value->bytes[j] == (char)number, "the value of entry %zu is torn", i / 2);
    }
}

/* ---- all of them ------------------------------------------------------------------------------*/

typedef struct kind {
    char letter;
    int (*change)(worker *w, sc_tx *tx, const sc_key *key);
    int (*read)(worker *w, sc_session *session, const sc_key *key);
    void (*judge)(worker *w);
} kind;

static const kind kinds[] = {{'h', put_fields, read_fields, judge_fields},
                             {'s', move_members, read_pair, judge_pair},
                             {'l', change_list, read_list, judge_list},
                             {'z', change_zset, read_zset, judge_zset},
                             {'t', change_stream, read_stream, judge_stream}};
enum { KINDS = 5 };

static size_t pick_keys(worker *w, const kind *of, char names[2][16], sc_key keys[2]) {
    if (of->letter == 's') {
        pick_pair(w, names, keys);
        return 2;
    }
    keys[0] = pick(w, of->letter, names[0]);
    keys[1] = pick(w, of->letter, names[1]);
    return 1;
}

static void judge_one(worker *w, const kind *of, const sc_key keys[2]) {
    int status = ONE_READ(w->arena, of->read(w, session, keys));
    if (!went_well(w, status) || status == SC_MISS) return;
    CHECK_STATUS(status, SC_OK);
    of->judge(w);
}

void read_containers(worker *w) {
    const kind *of = &kinds[rng_below(&w->chance, KINDS)];
    char names[2][16];
    sc_key keys[2];
    pick_keys(w, of, names, keys);
    judge_one(w, of, keys);
}

/* What happens to whole keys: none of it may break what they keep. */
static int change_whole(worker *w, sc_tx *tx, const sc_key keys[2]) {
    switch (rng_below(&w->chance, 6)) {
    case 0:
        return sc_tx_rename(tx, &keys[0], &keys[1]);
    case 1:
        return sc_tx_copy(tx, &keys[0], &keys[1], true);
    case 2:
        return sc_tx_delete(tx, &keys[0]);
    case 3:
        return sc_tx_expire(tx, &keys[0], now_ms() + rng_below(&w->chance, 100), 0);
    default:
        return sc_tx_expire(tx, &keys[0], 0, 0);
    }
}

void write_containers(worker *w) {
    const kind *of = &kinds[rng_below(&w->chance, KINDS)];
    char names[2][16];
    sc_key keys[2];
    bool whole = of->letter != 's' && rng_below(&w->chance, 12) == 0;
    bool abort = rng_below(&w->chance, 16) == 0;
    size_t count = pick_keys(w, of, names, keys);
    int status, attempts = 0;
    sc_tx *tx;
    for (bool again = true; again;) {
        status = sc_tx_begin(w->arena, keys, whole ? 2 : count, &tx);
        if (!went_well(w, status)) return;
        CHECK_STATUS(status, SC_OK);
        status = whole ? change_whole(w, tx, keys) : of->change(w, tx, keys);
        if (abort) return sc_tx_abort(tx);
        again = sc_tx_end(tx, status, &attempts);
    }
    if (!went_well(w, status)) return;
    CHECK(status == SC_OK || status == SC_MISS || status == SC_UNCHANGED, "%s%s: %s", names[0],
          whole ? " as a whole" : "", sc_status_text(status));
    atomic_fetch_add(&w->of->shared->containers, 1);
}

void judge_containers(worker *w) {
    for (int i = 0; i < KINDS * EACH * 20; i++)
        read_containers(w);
}
