/* Transactions: together or not at all, several keys and databases, whole-arena, a stopped holder.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "layout.h"
#include "unit.h"

static sc_set_args text_args(const char *value) {
    return (sc_set_args){.value = value, .value_bytes = strlen(value)};
}

static void tx_set_text(sc_tx *tx, const sc_key *key, const char *value) {
    sc_set_args args = text_args(value);
    CHECK_STATUS(sc_tx_set(tx, key, &args), SC_OK);
}

static void tx_check(bench *b, sc_tx *tx, const sc_key *key, const char *want) {
    int status = sc_tx_get(tx, key, &b->got.sink);
    CHECK_STATUS(status, want ? SC_OK : SC_MISS);
    CHECK(!want || buffer_is(&b->got, want, strlen(want)), "'%s'", b->got.bytes);
}

static void commit_and_abort(bool commit) {
    bench b = bench_open(0);
    uint64_t later = now_ms() + 3600000;
    sc_key keys[] = {key_of(0, "a"), key_of(0, "b"), key_of(5, "a"), key_of(0, "new"),
                     key_of(0, "n")};
    sc_info info;
    CHECK_STATUS(set_text(b.arena, 0, "a", "old a"), SC_OK);
    CHECK_STATUS(set_text(b.arena, 0, "b", "old b"), SC_OK);
    CHECK_STATUS(set_text(b.arena, 0, "n", "12"), SC_OK);
    sc_tx *tx;
    CHECK_STATUS(sc_tx_begin(b.arena, keys, 5, &tx), SC_OK);
    tx_check(&b, tx, &keys[0], "old a");
    tx_check(&b, tx, &keys[2], NULL);
    tx_set_text(tx, &keys[0], "new a");
    tx_check(&b, tx, &keys[0], "new a"); /* its own changes are seen within */
    tx_set_text(tx, &keys[0], "newer a");
    CHECK_STATUS(sc_tx_delete(tx, &keys[1]), SC_OK);
    CHECK_STATUS(sc_tx_delete(tx, &keys[1]), SC_MISS);
    tx_check(&b, tx, &keys[1], NULL);
    tx_set_text(tx, &keys[2], "five");
    tx_set_text(tx, &keys[3], "new");
    CHECK_STATUS(sc_tx_expire(tx, &keys[3], later, 0), SC_OK);
    CHECK_STATUS(sc_tx_describe(tx, &keys[3], &info), SC_OK);
    CHECK(info.expire_ms == later && info.value_bytes == 3);
    tx_set_text(tx, &keys[4], "13");
    tx_set_text(tx, &keys[4], "not a number");
    tx_set_text(tx, &keys[4], "14");
    (commit ? sc_tx_commit : sc_tx_abort)(tx);
    if (commit) {
        check_text(b.arena, 0, "a", "newer a");
        check_missing(b.arena, 0, "b");
        check_text(b.arena, 5, "a", "five");
        check_text(b.arena, 0, "new", "new");
        check_text(b.arena, 0, "n", "14");
    } else {
        check_text(b.arena, 0, "a", "old a");
        check_text(b.arena, 0, "b", "old b");
        check_missing(b.arena, 5, "a");
        check_missing(b.arena, 0, "new");
        check_text(b.arena, 0, "n", "12");
    }
    CHECK(sc_db_keys(b.arena, 0) == 3 && sc_db_keys(b.arena, 5) == (commit ? 1 : 0));
    CHECK(sc_db_expires(b.arena, 0) == (commit ? 1 : 0));
    bench_close(&b);
}

static void commits(void) {
    commit_and_abort(true);
}

static void aborts(void) {
    commit_and_abort(false);
}

static void set_flags(void) {
    bench b = bench_open(0);
    sc_key key = key_of(0, "k");
    uint64_t later = now_ms() + 3600000;
    sc_info info;
    sc_tx *tx;
    CHECK_STATUS(sc_tx_begin(b.arena, &key, 1, &tx), SC_OK);
    sc_set_args args = text_args("v");
    args.flags = SC_SET_XX;
    CHECK_STATUS(sc_tx_set(tx, &key, &args), SC_UNCHANGED);
    args.flags = SC_SET_NX;
    args.expire_ms = later;
    CHECK_STATUS(sc_tx_set(tx, &key, &args), SC_OK);
    CHECK_STATUS(sc_tx_set(tx, &key, &args), SC_UNCHANGED);
    bool had = false;
    args = text_args("w");
    args.flags = SC_SET_KEEP_TTL;
    args.old = &b.got.sink;
    args.had_old = &had;
    CHECK_STATUS(sc_tx_set(tx, &key, &args), SC_OK);
    CHECK(had && buffer_is(&b.got, "v", 1));
    CHECK_STATUS(sc_tx_describe(tx, &key, &info), SC_OK);
    CHECK(info.expire_ms == later);
    CHECK_STATUS(sc_tx_expire(tx, &key, later - 1, SC_EXPIRE_GT), SC_UNCHANGED);
    CHECK_STATUS(sc_tx_expire(tx, &key, 0, 0), SC_OK);
    CHECK_STATUS(sc_tx_expire(tx, &key, 0, 0), SC_UNCHANGED);
    CHECK_STATUS(sc_tx_expire(tx, &key, 1, 0), SC_OK); /* in the past */
    CHECK_STATUS(sc_tx_expire(tx, &key, later, 0), SC_MISS);
    CHECK_STATUS(sc_tx_describe(tx, &key, &info), SC_MISS);
    sc_tx_commit(tx);
    check_missing(b.arena, 0, "k");
    bench_close(&b);
}

static void copies(void) {
    bench b = bench_open(0);
    uint64_t later = now_ms() + 3600000;
    enum { LARGE = 50000 };
    char *large = malloc(LARGE);
    fill_bytes(large, LARGE, 9);
    sc_key keys[] = {key_of(0, "from"),
                     key_of(0, "to"),
                     key_of(4, "from"),
                     key_of(0, "large"),
                     key_of(1, "a longer name than before"),
                     key_of(0, "n")};
    CHECK_STATUS(set_text(b.arena, 0, "from", "v"), SC_OK);
    CHECK_STATUS(sc_expire(b.arena, &keys[0], later, 0), SC_OK);
    CHECK_STATUS(set_bytes(b.arena, &keys[3], large, LARGE), SC_OK);
    CHECK_STATUS(set_text(b.arena, 0, "n", "-8"), SC_OK);
    sc_tx *tx;
    sc_info info;
    CHECK_STATUS(sc_tx_begin(b.arena, keys, 6, &tx), SC_OK);
    CHECK_STATUS(sc_tx_copy(tx, &keys[1], &keys[0], true), SC_MISS);
    CHECK_STATUS(sc_tx_copy(tx, &keys[0], &keys[1], false), SC_OK);
    CHECK_STATUS(sc_tx_copy(tx, &keys[3], &keys[1], false), SC_UNCHANGED);
    CHECK_STATUS(sc_tx_copy(tx, &keys[0], &keys[2], false), SC_OK);
    CHECK_STATUS(sc_tx_copy(tx, &keys[3], &keys[4], false), SC_OK);
    CHECK_STATUS(sc_tx_describe(tx, &keys[1], &info), SC_OK);
    CHECK(info.expire_ms == later);
    CHECK_STATUS(sc_tx_copy(tx, &keys[5], &keys[0], true), SC_OK);
    CHECK_STATUS(sc_tx_describe(tx, &keys[0], &info), SC_OK);
    CHECK(info.expire_ms == 0 && info.encoding == 2);
    sc_tx_commit(tx);
    check_text(b.arena, 0, "from", "-8");
    check_text(b.arena, 0, "to", "v");
    check_text(b.arena, 4, "from", "v");
    CHECK_STATUS(sc_get(b.arena, &keys[4], &b.got.sink), SC_OK);
    CHECK(buffer_is(&b.got, large, LARGE));
    CHECK(sc_db_expires(b.arena, 0) == 1 && sc_db_expires(b.arena, 4) == 1);
    free(large);
    bench_close(&b);
}

static void rename_in_one(void) {
    bench b = bench_open(0);
    sc_key keys[] = {key_of(0, "from"), key_of(0, "to")};
    CHECK_STATUS(set_text(b.arena, 0, "from", "v"), SC_OK);
    CHECK_STATUS(set_text(b.arena, 0, "to", "there before"), SC_OK);
    sc_tx *tx;
    CHECK_STATUS(sc_tx_begin(b.arena, keys, 2, &tx), SC_OK);
    CHECK_STATUS(sc_tx_copy(tx, &keys[0], &keys[1], true), SC_OK);
    CHECK_STATUS(sc_tx_delete(tx, &keys[0]), SC_OK);
    sc_tx_commit(tx);
    check_missing(b.arena, 0, "from");
    check_text(b.arena, 0, "to", "v");
    bench_close(&b);
}

static void same_key_twice(void) {
    bench b = bench_open(0);
    sc_key keys[] = {key_of(0, "k"), key_of(0, "k"), key_of(1, "k")};
    sc_tx *tx;
    CHECK_STATUS(sc_tx_begin(b.arena, keys, 3, &tx), SC_OK);
    tx_set_text(tx, &keys[0], "v");
    tx_check(&b, tx, &keys[1], "v");
    CHECK_STATUS(sc_tx_copy(tx, &keys[0], &keys[2], false), SC_OK);
    sc_tx_commit(tx);
    check_text(b.arena, 1, "k", "v");
    bench_close(&b);
}

/* Undo logs overflow into blocks; a transaction may be far longer than what lies in the slot. */
enum { LONGEST = 2000 };

static void long_one(unsigned count, bool whole_arena, bool commit) {
    bench b = bench_open(UINT64_C(4) << 20);
    static char names[LONGEST][16];
    static sc_key keys[LONGEST];
    for (unsigned i = 0; i < count; i++) {
        snprintf(names[i], sizeof(names[i]), "k%u", i);
        keys[i] = key_of(0, names[i]);
        if (i % 2) CHECK_STATUS(set_text(b.arena, 0, names[i], "old"), SC_OK);
    }
    sc_tx *tx;
    CHECK_STATUS(sc_tx_begin(b.arena, keys, whole_arena ? 0 : count, &tx), SC_OK);
    for (unsigned i = 0; i < count; i++) {
        if (i % 3 == 0) {
            CHECK_STATUS(sc_tx_delete(tx, &keys[i]), i % 2 ? SC_OK : SC_MISS);
        } else {
            tx_set_text(tx, &keys[i], "between");
            tx_set_text(tx, &keys[i], names[i]);
        }
    }
    (commit ? sc_tx_commit : sc_tx_abort)(tx);
    for (unsigned i = 0; i < count; i++) {
        const char *want = commit ? (i % 3 ? names[i] : NULL) : (i % 2 ? "old" : NULL);
        if (want)
            check_text(b.arena, 0, names[i], want);
        else
            check_missing(b.arena, 0, names[i]);
    }
    bench_close(&b);
}

static void long_ones(void) {
    static const unsigned counts[] = {30, 300, LONGEST};
    for (int i = 0; i < 12; i++)
        long_one(counts[i / 4], i & 1, i & 2);
}

static void full_in_the_middle(void) {
    bench b = bench_open(0);
    sc_key keys[] = {key_of(0, "a"), key_of(0, "b")};
    uint64_t size = sc_min_data_bytes();
    char *large = calloc(1, size);
    CHECK_STATUS(set_text(b.arena, 0, "a", "old"), SC_OK);
    sc_tx *tx;
    CHECK_STATUS(sc_tx_begin(b.arena, keys, 2, &tx), SC_OK);
    tx_set_text(tx, &keys[0], "new");
    sc_set_args args = {.value = large, .value_bytes = size};
    int status = sc_tx_set(tx, &keys[1], &args);
    CHECK(status == SC_NO_MEMORY || status == SC_VALUE_TOO_LONG, "%s", sc_status_text(status));
    tx_check(&b, tx, &keys[0], "new"); /* only that call failed */
    tx_check(&b, tx, &keys[1], NULL);
    sc_tx_abort(tx);
    check_text(b.arena, 0, "a", "old");
    free(large);
    bench_close(&b);
}

/* Another process holds "k" in the middle of a transaction and is stopped there, then killed. */
static void stopped_then_killed(void) {
    bench b = bench_open(0);
    int ready[2];
    CHECK(pipe(ready) == 0);
    CHECK_STATUS(set_text(b.arena, 0, "k", "old"), SC_OK);
    pid_t child = fork_bound();
    if (child == 0) {
        sc_key key = key_of(0, "k");
        sc_tx *tx;
        CHECK_STATUS(sc_tx_begin(b.arena, &key, 1, &tx), SC_OK);
        tx_set_text(tx, &key, "half done");
        CHECK(write(ready[1], "x", 1) == 1);
        for (;;)
            pause();
    }
    char byte;
    CHECK(read(ready[0], &byte, 1) == 1);
    sc_key key = key_of(0, "k");
    int status = sc_get(b.arena, &key, &b.got.sink);
    CHECK(status == SC_BUSY || (status == SC_OK && buffer_is(&b.got, "old", 3)), "%s",
          sc_status_text(status));
    CHECK_STATUS(set_text(b.arena, 0, "k", "mine"), SC_BUSY);
    uint32_t recovered = 9;
    CHECK_STATUS(sc_sweep_slots(b.arena, &recovered), SC_OK);
    CHECK(recovered == 0, "a stopped process is not dead");
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    CHECK_STATUS(sc_sweep_slots(b.arena, &recovered), SC_OK);
    CHECK(recovered == 1, "%u", recovered);
    check_text(b.arena, 0, "k", "old");
    CHECK_STATUS(set_text(b.arena, 0, "k", "mine"), SC_OK);
    check_text(b.arena, 0, "k", "mine");
    close(ready[0]);
    close(ready[1]);
    bench_close(&b);
}

/* Wait until somebody asks for the whole arena. */
static void wait_for_claim(const bench *b) {
    uint8_t *data = segments_map(b->files.data_fd, b->files.data_bytes);
    const uint64_t *word = &((const sc_header *)(const void *)data)->exclusive;
    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == 0)
        wait_until_ms(now_ms() + 1);
}

static pid_t hold_half_done(bench *b, const int go[2], const int ready[2]) {
    pid_t child = fork_bound();
    if (child != 0) return child;
    sc_key keys[] = {key_of(0, "k"), key_of(0, "l")};
    sc_tx *tx;
    char byte;
    CHECK_STATUS(sc_tx_begin(b->arena, keys, 2, &tx), SC_OK);
    tx_set_text(tx, &keys[0], "new");
    CHECK(write(ready[1], "x", 1) == 1 && read(go[0], &byte, 1) == 1);
    tx_set_text(tx, &keys[1], "new");
    sc_tx_commit(tx);
    _exit(0);
}

/* Whoever wants the whole arena waits for those in the middle of something; killed there, it must
 * not lay open what they have not finished. */
static void killed_while_waiting_for_everybody(void) {
    bench b = bench_open(0);
    int go[2], ready[2], how;
    char byte;
    uint32_t recovered;
    CHECK(pipe(go) == 0 && pipe(ready) == 0);
    CHECK_STATUS(set_text(b.arena, 0, "k", "old"), SC_OK);
    CHECK_STATUS(set_text(b.arena, 0, "l", "old"), SC_OK);
    pid_t holder = hold_half_done(&b, go, ready);
    CHECK(read(ready[0], &byte, 1) == 1);
    pid_t waiter = fork_bound();
    if (waiter == 0) {
        sc_tx *tx;
        sc_tx_begin(b.arena, NULL, 0, &tx);
        _exit(1);
    }
    wait_for_claim(&b);
    CHECK(kill(waiter, SIGKILL) == 0 && waitpid(waiter, NULL, 0) == waiter);
    CHECK_STATUS(sc_sweep_slots(b.arena, &recovered), SC_OK);
    sc_key key = key_of(0, "k");
    int status = sc_get(b.arena, &key, &b.got.sink);
    CHECK(status == SC_BUSY || (status == SC_OK && buffer_is(&b.got, "old", 3)), "%s '%s'",
          sc_status_text(status), b.got.bytes);
    CHECK(write(go[1], "x", 1) == 1 && waitpid(holder, &how, 0) == holder && how == 0);
    check_text(b.arena, 0, "k", "new");
    check_text(b.arena, 0, "l", "new");
    CHECK_STATUS(set_text(b.arena, 0, "l", "mine"), SC_OK);
    bench_close(&b);
}

const unit unit_txn[] = {
    {"txn/commits", commits},
    {"txn/aborts", aborts},
    {"txn/set_flags", set_flags},
    {"txn/copies", copies},
    {"txn/rename_in_one", rename_in_one},
    {"txn/same_key_twice", same_key_twice},
    {"txn/long_ones", long_ones},
    {"txn/full_in_the_middle", full_in_the_middle},
    {"txn/stopped_then_killed", stopped_then_killed},
    {"txn/killed_while_waiting_for_everybody", killed_while_waiting_for_everybody},
    {NULL, NULL},
};
