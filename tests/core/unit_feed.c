/* The feed: every committed change under its name, and nothing of what was not committed. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "containers.h"
#include "feed.h"
#include "layout.h"
#include "unit.h"

typedef struct text { /* what a reader was given, as one line */
    char bytes[4096];
    size_t length;
    unsigned own;
} text;

static bool write_down(void *context, const sc_feed_item *item) {
    text *to = context;
    const char *name = item->event == SC_EVENT_CHANGED ? "changed" : sc_event_name(item->event);
    int length = snprintf(to->bytes + to->length, sizeof(to->bytes) - to->length, "%s%u:%.*s %s",
                          to->length ? ", " : "", item->db, (int)item->key_bytes, item->key, name);
    to->length += (size_t)length;
    to->own += item->own;
    return to->length < sizeof(to->bytes);
}

typedef struct feed_bench {
    bench b;
    sc_feed *feed;
} feed_bench;

static feed_bench open_wanting(uint32_t wants) {
    feed_bench made = {.b = bench_open(0)};
    CHECK_STATUS(sc_feed_open(made.b.arena, &made.feed), SC_OK);
    CHECK_STATUS(sc_feed_want(made.feed, wants), SC_OK);
    return made;
}

static void close_feed(feed_bench *of) {
    sc_feed_close(of->feed);
    CHECK(of->b.arena != NULL);
    bench_close(&of->b);
}

#define TOLD(of, want) told(__LINE__, of, want)
static void told(int line, feed_bench *of, const char *want) {
    text got = {.length = 0};
    CHECK_STATUS(sc_feed_read(of->feed, 1000, write_down, &got), SC_OK);
    CHECK(strcmp(got.bytes, want) == 0, "line %d: '%s', not '%s'", line, got.bytes, want);
}

static sc_bytes bytes_of(const char *value) {
    return (sc_bytes){value, strlen(value)};
}

static void strings_are_told(void) {
    feed_bench f = open_wanting(SC_FEED_WANT_CHANGES | SC_FEED_WANT_NEW);
    sc_arena *arena = f.b.arena;
    sc_key a = key_of(0, "a"), b = key_of(3, "b");
    int64_t number;
    uint64_t length, later = now_ms() + 3600000;
    CHECK_STATUS(set_text(arena, 0, "a", "1"), SC_OK);
    TOLD(&f, "0:a new, 0:a set");
    CHECK_STATUS(sc_incr(arena, &a, 5, &number), SC_OK);
    CHECK_STATUS(sc_append(arena, &b, "x", 1, &length), SC_OK);
    CHECK_STATUS(sc_expire(arena, &a, later, 0), SC_OK);
    CHECK_STATUS(sc_expire(arena, &a, later + 1, 0), SC_OK);
    CHECK_STATUS(sc_expire(arena, &a, 0, 0), SC_OK);
    CHECK_STATUS(sc_expire(arena, &a, 0, 0), SC_UNCHANGED);
    CHECK_STATUS(sc_get_delete(arena, &b, &f.b.got.sink), SC_OK);
    CHECK_STATUS(sc_delete(arena, &a), SC_OK);
    CHECK_STATUS(sc_delete(arena, &a), SC_MISS);
    TOLD(&f, "0:a incrby, 3:b new, 3:b append, 0:a expire, 0:a expire, 0:a persist, 3:b del, "
             "0:a del");
    sc_set_args args = {.value = "v", .value_bytes = 1, .expire_ms = later, .flags = SC_SET_XX};
    CHECK_STATUS(sc_set(arena, &a, &args), SC_UNCHANGED);
    args.flags = 0;
    CHECK_STATUS(sc_set(arena, &a, &args), SC_OK);
    args.expire_ms = 1;
    CHECK_STATUS(sc_set(arena, &a, &args), SC_OK);
    TOLD(&f, "0:a new, 0:a set, 0:a expire, 0:a set, 0:a expire, 0:a expired");
    CHECK_STATUS(sc_flush_db(arena, 3), SC_OK);
    CHECK_STATUS(sc_swap_db(arena, 1, 2), SC_OK);
    CHECK_STATUS(set_text(arena, 1, "a", "1"), SC_OK);
    CHECK_STATUS(sc_flush_db(arena, -1), SC_OK);
    TOLD(&f, "3: flushdb, 1: swapdb, 2: swapdb, 1:a new, 1:a set, 0: flushall");
    close_feed(&f);
}

static void containers_are_told(void) {
    feed_bench f = open_wanting(SC_FEED_WANT_CHANGES);
    sc_key s = key_of(0, "s"), l = key_of(0, "l"), z = key_of(0, "z"), to = key_of(0, "to");
    sc_key keys[] = {s, l, z, to}, moved = key_of(5, "to");
    sc_tx *tx;
    bool added;
    uint64_t length;
    double score;
    int outcome;
    CHECK_STATUS(sc_tx_begin(f.b.arena, keys, 4, &tx), SC_OK);
    CHECK_STATUS(sc_map_put(tx, &s, SC_SET, bytes_of("x"), bytes_of("x"), 0, &added), SC_OK);
    CHECK_STATUS(sc_map_put(tx, &s, SC_SET, bytes_of("y"), bytes_of("y"), 0, &added), SC_OK);
    sc_tx_step(tx);
    CHECK_STATUS(sc_map_put(tx, &s, SC_SET, bytes_of("y"), bytes_of("y"), 0, &added), SC_OK);
    CHECK_STATUS(sc_map_remove(tx, &s, SC_SET, bytes_of("x")), SC_OK);
    CHECK_STATUS(sc_map_remove(tx, &s, SC_SET, bytes_of("y")), SC_OK);
    CHECK_STATUS(sc_map_remove(tx, &s, SC_SET, bytes_of("y")), SC_MISS);
    CHECK_STATUS(sc_list_push(tx, &l, bytes_of("e"), true, false, &length), SC_OK);
    CHECK_STATUS(sc_list_push(tx, &l, bytes_of("e"), false, false, &length), SC_OK);
    sc_tx_event(tx, SC_EVENT_LTRIM);
    CHECK_STATUS(sc_list_remove(tx, &l, 1, 1), SC_OK);
    CHECK_STATUS(sc_list_remove(tx, &l, 0, 1), SC_OK);
    sc_tx_event(tx, SC_EVENT_NONE);
    CHECK_STATUS(sc_zset_add(tx, &z, bytes_of("m"), 1, 0, &score, &outcome), SC_OK);
    sc_tx_step(tx);
    CHECK_STATUS(sc_zset_add(tx, &z, bytes_of("m"), 1, 0, &score, &outcome), SC_OK);
    CHECK_STATUS(sc_zset_add(tx, &z, bytes_of("m"), 1, SC_ZADD_INCR, &score, &outcome), SC_OK);
    CHECK_STATUS(sc_tx_rename(tx, &z, &to), SC_OK);
    CHECK_STATUS(sc_tx_copy(tx, &to, &z, false), SC_OK);
    TOLD(&f, "");
    sc_tx_commit(tx);
    TOLD(&f, "0:s sadd, 0:s srem, 0:s del, 0:l lpush, 0:l rpush, 0:l ltrim, 0:l del, 0:z zadd, "
             "0:z zincr, 0:z rename_from, 0:to rename_to, 0:z copy_to");
    sc_key both[] = {to, moved};
    CHECK_STATUS(sc_tx_begin(f.b.arena, both, 2, &tx), SC_OK);
    CHECK_STATUS(sc_tx_rename(tx, &to, &moved), SC_OK);
    sc_tx_commit(tx);
    TOLD(&f, "0:to move_from, 5:to move_to");
    close_feed(&f);
}

/* What is undone was not, whether by an abort or by a step that failed. */
static void only_the_committed_is_told(void) {
    feed_bench f = open_wanting(SC_FEED_WANT_CHANGES | SC_FEED_WANT_NEW);
    sc_key keys[] = {key_of(0, "a"), key_of(0, "b")};
    sc_set_args small = {.value = "v", .value_bytes = 1}, large = {.value_bytes = 8 << 20};
    sc_tx *tx;
    large.value = calloc(1, large.value_bytes);
    CHECK_STATUS(sc_tx_begin(f.b.arena, keys, 2, &tx), SC_OK);
    CHECK_STATUS(sc_tx_set(tx, &keys[0], &small), SC_OK);
    sc_tx_abort(tx);
    TOLD(&f, "");
    CHECK_STATUS(sc_tx_begin(f.b.arena, keys, 2, &tx), SC_OK);
    CHECK_STATUS(sc_tx_set(tx, &keys[0], &small), SC_OK);
    int status = sc_tx_set(tx, &keys[1], &large);
    CHECK(status == SC_NO_MEMORY || status == SC_VALUE_TOO_LONG, "%s", sc_status_text(status));
    CHECK_STATUS(sc_tx_delete(tx, &keys[0]), SC_OK);
    sc_tx_commit(tx);
    TOLD(&f, "0:a new, 0:a set, 0:a del");
    free((void *)large.value);
    close_feed(&f);
}

static void nobody_wants_it(void) {
    feed_bench f = open_wanting(SC_FEED_WANT_CHANGES);
    const sc_header *header = (const sc_header *)segments_map(f.b.files.data_fd, 4096);
    CHECK(header->feed_wanted == SC_FEED_WANT_CHANGES);
    CHECK_STATUS(set_text(f.b.arena, 0, "a", "1"), SC_OK);
    CHECK_STATUS(sc_feed_want(f.feed, 0), SC_OK);
    CHECK(header->feed_wanted == 0);
    CHECK_STATUS(set_text(f.b.arena, 0, "b", "1"), SC_OK);
    TOLD(&f, "0:a set");
    close_feed(&f);
}

static void the_dying_is_told(void) {
    feed_bench f = open_wanting(SC_FEED_WANT_CHANGES);
    uint64_t soon = now_ms() + 20, deleted = 0;
    sc_set_args args = {.value = "v", .value_bytes = 1, .expire_ms = soon};
    sc_key key = key_of(2, "soon"), over = key_of(0, "over"), gone = key_of(0, "gone");
    CHECK_STATUS(sc_set(f.b.arena, &key, &args), SC_OK);
    CHECK_STATUS(sc_set(f.b.arena, &over, &args), SC_OK);
    CHECK_STATUS(sc_set(f.b.arena, &gone, &args), SC_OK);
    TOLD(&f, "2:soon set, 2:soon expire, 0:over set, 0:over expire, 0:gone set, 0:gone expire");
    wait_until_ms(soon + 1);
    CHECK_STATUS(sc_delete(f.b.arena, &gone), SC_MISS);
    CHECK_STATUS(set_text(f.b.arena, 0, "over", "1"), SC_OK);
    TOLD(&f, "0:gone expired, 0:over expired, 0:over set");
    CHECK_STATUS(sc_expire_cycle(f.b.arena, 1000000, &deleted), SC_OK);
    CHECK(deleted == 1);
    TOLD(&f, "2:soon expired");
    /* of a flushed database nothing is left to tell */
    CHECK_STATUS(set_text(f.b.arena, 0, "over", "2"), SC_OK);
    CHECK_STATUS(sc_flush_db(f.b.arena, 0), SC_OK);
    CHECK_STATUS(sc_expire_cycle(f.b.arena, 1000000, &deleted), SC_OK);
    TOLD(&f, "0:over set, 0: flushdb");
    close_feed(&f);
}

static void victims_are_told(void) {
    feed_bench f = open_wanting(SC_FEED_WANT_CHANGES);
    char name[32], value[2000] = "";
    unsigned evicted = 0;
    set_policy(f.b.arena, SC_ALLKEYS_LRU);
    for (unsigned i = 0; i < 2000; i++) {
        text got = {.length = 0};
        sc_key key = key_of(0, name);
        key.length = (uint32_t)snprintf(name, sizeof(name), "key:%u", i);
        CHECK_STATUS(set_bytes(f.b.arena, &key, value, sizeof(value)), SC_OK);
        CHECK_STATUS(sc_feed_read(f.feed, 1000, write_down, &got), SC_OK);
        for (const char *at = got.bytes; (at = strstr(at, "evicted")); at++)
            evicted++;
    }
    sc_statistics statistics;
    CHECK_STATUS(sc_get_statistics(f.b.arena, &statistics), SC_OK);
    CHECK(evicted > 0 && evicted == statistics.evicted, "%u of %llu", evicted,
          (unsigned long long)statistics.evicted);
    close_feed(&f);
}

/* More than a record holds, and more than the ring. */
static void too_much_is_said_to_be_lost(void) {
    feed_bench f = open_wanting(SC_FEED_WANT_CHANGES);
    uint32_t most = sc_max_key_bytes(f.b.arena);
    char *name = malloc(most);
    text got = {.length = 0};
    memset(name, 'n', most);
    sc_key key = {.bytes = name, .length = most};
    sc_tx *tx;
    CHECK_STATUS(sc_tx_begin(f.b.arena, &key, 1, &tx), SC_OK);
    for (unsigned i = 0; i < 2000; i++)
        CHECK_STATUS(sc_tx_note(tx, &key, SC_EVENT_SET), SC_OK);
    sc_tx_commit(tx);
    CHECK_STATUS(sc_feed_read(f.feed, 10000, write_down, &got), SC_LOST);
    CHECK_STATUS(set_text(f.b.arena, 0, "a", "1"), SC_OK);
    TOLD(&f, "0:a set");
    for (unsigned i = 0; i < 100000; i++)
        CHECK_STATUS(set_text(f.b.arena, 0, "a", "1"), SC_OK);
    CHECK_STATUS(sc_feed_read(f.feed, 10000, write_down, &got), SC_LOST);
    free(name);
    close_feed(&f);
}

static void another_process_is_told_apart(void) {
    feed_bench f = open_wanting(SC_FEED_WANT_CHANGES);
    text got = {.length = 0};
    CHECK_STATUS(set_text(f.b.arena, 0, "mine", "1"), SC_OK);
    CHECK(!sc_feed_wait(f.feed, 0), "only this process did something");
    pid_t child = fork_bound();
    if (child == 0) {
        CHECK_STATUS(set_text(f.b.arena, 0, "theirs", "1"), SC_OK);
        _exit(0);
    }
    CHECK(sc_feed_wait(f.feed, 10000));
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK_STATUS(sc_feed_read(f.feed, 1000, write_down, &got), SC_OK);
    CHECK(strcmp(got.bytes, "0:mine set, 0:theirs set") == 0 && got.own == 1, "%s", got.bytes);
    sc_feed_rouse(f.feed);
    CHECK(!sc_feed_wait(f.feed, 10000));
    close_feed(&f);
}

static bool count_only(void *context, const sc_feed_item *item) {
    uint64_t *bytes = context;
    for (uint32_t i = 0; i < item->key_bytes; i++)
        *bytes += (uint8_t)item->key[i];
    return true;
}

/* Records are bytes that any writer may have damaged. */
static void damaged_records_harm_nobody(void) {
    static const uint8_t sound[] = {
        1,   0,   0,   0, 0, 0, 0, 0, SC_EVENT_SET, 2, 3, 0, 9, 0, 0, 0,
        'k', 'e', 'y', 0, 0, 0, 0, 0, SC_EVENT_DEL, 0, 0, 0, 0, 0, 0, 0};
    rng chance = {.state = 7};
    uint64_t given = 0, sum = 0, lost = 0;
    CHECK_STATUS(sc_feed_give((const char *)sound, sizeof(sound), count_only, &sum, &given), SC_OK);
    CHECK(given == 2 && sum == 'k' + 'e' + 'y');
    for (unsigned round = 0; round < 20000; round++) {
        size_t length = rng_below(&chance, sizeof(sound) + 1);
        char *bytes = malloc(length ? length : 1); /* exactly so long: a step beyond is seen */
        memcpy(bytes, sound, length);
        for (uint64_t n = rng_below(&chance, 4); n && length; n--)
            bytes[rng_below(&chance, length)] = (char)rng_next(&chance);
        int status = sc_feed_give(bytes, length, count_only, &sum, &given);
        CHECK(status == SC_OK || status == SC_LOST, "%s", sc_status_text(status));
        lost += status == SC_LOST;
        free(bytes);
    }
    CHECK(lost > 1000);
}

/* The wish of a process that is gone costs nobody anything for long; a child has not its parent's.
 */
static void a_dead_wish_is_forgotten(void) {
    bench b = bench_open(0);
    const sc_header *header = (const sc_header *)segments_map(b.files.data_fd, 4096);
    pid_t child = fork_bound();
    if (child == 0) {
        sc_feed *feed;
        CHECK_STATUS(sc_feed_open(b.arena, &feed), SC_OK);
        CHECK_STATUS(sc_feed_want(feed, SC_FEED_WANT_CHANGES), SC_OK);
        pid_t grandchild = fork_bound();
        if (grandchild == 0) {
            sc_feed_close(feed);
            _exit(0);
        }
        CHECK(waitpid(grandchild, NULL, 0) == grandchild);
        _exit(0);
    }
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK(header->feed_wanted == SC_FEED_WANT_CHANGES);
    CHECK_STATUS(sc_sweep_slots(b.arena, NULL), SC_OK);
    CHECK(header->feed_wanted == 0);
    bench_close(&b);
}

const unit unit_feed[] = {
    {"feed: strings", strings_are_told},
    {"feed: containers", containers_are_told},
    {"feed: only the committed", only_the_committed_is_told},
    {"feed: nobody wants it", nobody_wants_it},
    {"feed: expiry", the_dying_is_told},
    {"feed: eviction", victims_are_told},
    {"feed: too much", too_much_is_said_to_be_lost},
    {"feed: another process", another_process_is_told_apart},
    {"feed: damaged records", damaged_records_harm_nobody},
    {"feed: dead wish", a_dead_wish_is_forgotten},
    {NULL, NULL},
};
