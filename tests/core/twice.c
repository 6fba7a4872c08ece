/* The arena mapped at two addresses in one process, both reading and writing: no pointer is stored
 * anywhere, and locks and logs work from either mapping.
 *
 *     twice [ms=N] [seed=N] */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "harness.h"

enum { KEYS = 300, LONGEST = 9000, MAPPINGS = 3 };

static void name_key(unsigned i, char name[16], sc_key *key) {
    snprintf(name, 16, "k%u", i);
    *key = key_of(i % 2, name);
}

/* What one wrote the other reads, changes, and the first reads again. */
static void by_turns(sc_arena *const at[MAPPINGS]) {
    buffer got;
    buffer_init(&got);
    char *value = malloc(LONGEST), name[16];
    for (unsigned i = 0; i < 3 * KEYS; i++) {
        sc_key key;
        name_key(i % KEYS, name, &key);
        size_t length = i * 31 % LONGEST;
        fill_bytes(value, length, i);
        CHECK_STATUS(set_bytes(at[i % MAPPINGS], &key, value, length), SC_OK);
        CHECK_STATUS(sc_get(at[(i + 1) % MAPPINGS], &key, &got.sink), SC_OK);
        CHECK(buffer_is(&got, value, length));
        if (i % 5 == 0) CHECK_STATUS(sc_delete(at[(i + 2) % MAPPINGS], &key), SC_OK);
        CHECK_STATUS(sc_get(at[i % MAPPINGS], &key, &got.sink), i % 5 ? SC_OK : SC_MISS);
    }
    int64_t result;
    sc_key counter = key_of(0, "counter");
    for (int64_t i = 1; i <= 100; i++) {
        CHECK_STATUS(sc_incr(at[i % MAPPINGS], &counter, 1, &result), SC_OK);
        CHECK(result == i);
    }
    CHECK_STATUS(sc_delete(at[0], &counter), SC_OK);
    for (int i = 0; i < MAPPINGS; i++)
        check_valid(at[i]);
    free(value);
    buffer_free(&got);
}

static void transactions(sc_arena *const at[MAPPINGS]) {
    sc_key keys[] = {key_of(0, "left"), key_of(3, "right")};
    for (unsigned i = 0; i < 200; i++) {
        char value[16];
        snprintf(value, sizeof(value), "v%u", i);
        sc_set_args args = {.value = value, .value_bytes = strlen(value)};
        sc_tx *tx;
        CHECK_STATUS(sc_tx_begin(at[i % MAPPINGS], keys, i % 7 ? 2 : 0, &tx), SC_OK);
        CHECK_STATUS(sc_tx_set(tx, &keys[0], &args), SC_OK);
        CHECK_STATUS(sc_tx_copy(tx, &keys[0], &keys[1], true), SC_OK);
        sc_tx_commit(tx);
        check_text(at[(i + 1) % MAPPINGS], 0, "left", value);
        check_text(at[(i + 2) % MAPPINGS], 3, "right", value);
    }
    CHECK_STATUS(sc_swap_db(at[0], 3, 4), SC_OK);
    check_text(at[1], 4, "right", "v199");
    CHECK_STATUS(sc_flush_db(at[1], -1), SC_OK);
    check_missing(at[2], 4, "right");
}

typedef struct worker {
    sc_arena *arena;
    rng chance;
    atomic_bool *stop;
    atomic_uint_fast64_t *sum;
} worker;

static void *work(void *context) {
    worker *at = context;
    buffer got;
    buffer_init(&got);
    char name[16], value[600];
    sc_key counter = key_of(9, "sum");
    while (!atomic_load(at->stop)) {
        sc_key key;
        unsigned i = (unsigned)rng_below(&at->chance, KEYS);
        name_key(i, name, &key);
        int status = sc_get(at->arena, &key, &got.sink);
        CHECK(status == SC_OK || status == SC_MISS, "%s", sc_status_text(status));
        for (size_t j = 1; status == SC_OK && j < got.length; j++)
            CHECK(got.bytes[j] == got.bytes[0], "torn");
        size_t length = rng_below(&at->chance, sizeof(value));
        memset(value, 'a' + (int)(i + length) % 26, length);
        CHECK_STATUS(set_bytes(at->arena, &key, value, length), SC_OK);
        int64_t result;
        CHECK_STATUS(sc_incr(at->arena, &counter, 1, &result), SC_OK);
        atomic_fetch_add(at->sum, 1);
    }
    buffer_free(&got);
    return NULL;
}

static void together(sc_arena *const at[MAPPINGS], uint64_t ms, uint64_t seed) {
    enum { THREADS = 2 * MAPPINGS };
    pthread_t threads[THREADS];
    worker workers[THREADS];
    atomic_bool stop = false;
    atomic_uint_fast64_t sum = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (worker){
            .arena = at[i % MAPPINGS], .chance = {.state = seed + i}, .stop = &stop, .sum = &sum};
        CHECK(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
    }
    wait_until_ms(now_ms() + ms);
    atomic_store(&stop, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    char want[24];
    snprintf(want, sizeof(want), "%llu", (unsigned long long)sum);
    check_text(at[0], 9, "sum", want);
    for (int i = 0; i < MAPPINGS; i++)
        check_valid(at[i]);
    printf("%s operations\n", want);
}

int main(int argc, char **argv) {
    uint64_t ms = option_u64(argc, argv, "ms", 1000);
    uint64_t seed = option_u64(argc, argv, "seed", (uint64_t)time(NULL));
    check_context("twice ms=%llu seed=%llu", (unsigned long long)ms, (unsigned long long)seed);
    segments files = segments_create(UINT64_C(8) << 20);
    sc_arena *at[MAPPINGS];
    for (int i = 0; i < MAPPINGS; i++)
        at[i] = segments_attach(&files, true);
    by_turns(at);
    transactions(at);
    together(at, ms, seed);
    sc_arena_detach(at[1]); /* one mapping goes, the others work on */
    CHECK_STATUS(set_text(at[0], 0, "after", "v"), SC_OK);
    check_text(at[2], 0, "after", "v");
    check_valid(at[2]);
    sc_arena_detach(at[0]);
    sc_arena_detach(at[2]);
    segments_close(&files);
    return 0;
}
