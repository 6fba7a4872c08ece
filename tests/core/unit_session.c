/* Sessions: several reads of one instant, in the middle of transactions and beside writers; and how
 * transactions end. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "forms.h"

static int put(sc_arena *arena, const sc_key *key, const char *field, const char *value) {
    bool added;
    return ONE_WRITE(arena, key,
                     sc_map_put(tx, key, SC_HASH, bytes_of(field), bytes_of(value), 0, &added));
}

/* What is read in a transaction is what it wrote, and nobody else sees it before the end. */
static void a_transaction_sees_itself(void) {
    bench b = bench_open(0);
    sc_arena *reader = segments_attach(&b.files, false);
    sc_key key = key_of(0, "h");
    sc_tx *tx;
    bool added;
    uint64_t length = 0;
    CHECK_STATUS(put(b.arena, &key, "f", "old"), SC_OK);
    for (int commit = 0; commit < 2; commit++) {
        CHECK_STATUS(sc_tx_begin(b.arena, &key, 1, &tx), SC_OK);
        sc_session *session = sc_tx_session(tx);
        for (unsigned i = 0; i < 300; i++) {
            char name[16];
            snprintf(name, sizeof(name), "n%u", i);
            CHECK_STATUS(sc_map_put(tx, &key, SC_HASH, bytes_of(name), bytes_of("x"), 0, &added),
                         SC_OK);
            CHECK_STATUS(sc_length(session, &key, SC_HASH, &length), SC_OK);
            CHECK(length == i + 2, "%llu", (unsigned long long)length);
        }
        CHECK_STATUS(sc_map_put(tx, &key, SC_HASH, bytes_of("f"), bytes_of("new"), 0, &added),
                     SC_OK);
        CHECK_STATUS(sc_map_find(session, &key, SC_HASH, bytes_of("f"), &b.got.sink), SC_OK);
        CHECK(buffer_is(&b.got, "new", 3));
        (commit ? sc_tx_commit : sc_tx_abort)(tx);
        CHECK_STATUS(
            ONE_READ(reader, sc_map_find(session, &key, SC_HASH, bytes_of("f"), &b.got.sink)),
            SC_OK);
        CHECK(buffer_is(&b.got, commit ? "new" : "old", 3));
    }
    sc_arena_detach(reader);
    bench_close(&b);
}

/* A write that fails takes back what it did, and the rest of the transaction stands. */
static void a_failed_step_leaves_the_rest(void) {
    bench b = bench_open(0);
    sc_key keys[] = {key_of(0, "h"), key_of(0, "text")};
    enum { LARGE = 2 << 20 };
    char *large = calloc(1, LARGE);
    bool added;
    uint64_t length;
    sc_tx *tx;
    CHECK_STATUS(set_text(b.arena, 0, "text", "v"), SC_OK);
    CHECK_STATUS(sc_tx_begin(b.arena, keys, 2, &tx), SC_OK);
    CHECK_STATUS(sc_map_put(tx, &keys[0], SC_HASH, bytes_of("a"), bytes_of("1"), 0, &added), SC_OK);
    int status = sc_map_put(tx, &keys[0], SC_HASH, bytes_of("b"), BYTES(large, LARGE), 0, &added);
    CHECK(status == SC_NO_MEMORY || status == SC_VALUE_TOO_LONG, "%s", sc_status_text(status));
    CHECK_STATUS(sc_list_push(tx, &keys[1], bytes_of("e"), true, false, &length), SC_WRONG_TYPE);
    CHECK_STATUS(sc_map_put(tx, &keys[0], SC_HASH, bytes_of("c"), bytes_of("2"), 0, &added), SC_OK);
    sc_tx_commit(tx);
    CHECK_STATUS(ONE_READ(b.arena, sc_length(session, &keys[0], SC_HASH, &length)), SC_OK);
    CHECK(length == 2);
    check_text(b.arena, 0, "text", "v");
    free(large);
    bench_close(&b);
}

static void ends_by_status(void) {
    const int commits[] = {SC_OK, SC_MISS, SC_UNCHANGED};
    const int aborts[] = {SC_WRONG_TYPE, SC_NOT_FINITE, SC_CORRUPT, SC_SYNTAX};
    bench b = bench_open(0);
    sc_key key = key_of(0, "h");
    sc_tx *tx;
    uint64_t length;
    bool added;
    for (int i = 0; i < 7; i++) {
        int attempts = 0;
        CHECK_STATUS(sc_tx_begin(b.arena, &key, 1, &tx), SC_OK);
        CHECK_STATUS(sc_map_put(tx, &key, SC_HASH, bytes_of("a"), bytes_of("1"), 0, &added), SC_OK);
        CHECK(!sc_tx_end(tx, i < 3 ? commits[i] : aborts[i - 3], &attempts));
        int status = ONE_READ(b.arena, sc_length(session, &key, SC_HASH, &length));
        CHECK_STATUS(status, i < 3 ? SC_OK : SC_MISS);
        if (i < 3) CHECK_STATUS(sc_delete(b.arena, &key), SC_OK);
    }
    bench_close(&b);
}

static void keys_that_were_not_named(void) {
    bench b = bench_open(0);
    sc_key key = key_of(0, "named");
    sc_tx *tx;
    bool added, found = false;
    CHECK_STATUS(sc_tx_begin(b.arena, &key, 1, &tx), SC_OK);
    for (unsigned i = 0; i < 50 && !found; i++) { /* some share the stripe: most do not */
        char name[16];
        snprintf(name, sizeof(name), "other %u", i);
        sc_key other = key_of(0, name);
        int status = sc_map_put(tx, &other, SC_SET, bytes_of("a"), bytes_of(""), 0, &added);
        CHECK(status == SC_OK || status == SC_SYNTAX, "%s", sc_status_text(status));
        found = status == SC_SYNTAX;
    }
    CHECK(found);
    sc_tx_abort(tx);
    bench_close(&b);
}

static void keys_too_long(void) {
    bench b = bench_open(0);
    uint32_t most = sc_max_key_bytes(b.arena);
    char *name = malloc(most + 1);
    memset(name, 'k', most + 1);
    bool added;
    uint64_t length = 0;
    for (int type = SC_SET; type <= SC_HASH; type += SC_HASH - SC_SET) {
        sc_key longest = {.bytes = name, .length = most},
               longer = {.bytes = name, .length = most + 1};
        for (unsigned i = 0; i < 300; i++) {
            char field[16];
            snprintf(field, sizeof(field), "f%u", i);
            CHECK_STATUS(
                ONE_WRITE(b.arena, &longest,
                          sc_map_put(tx, &longest, type, bytes_of(field), bytes_of(""), 0, &added)),
                SC_OK);
        }
        CHECK_STATUS(ONE_READ(b.arena, sc_length(session, &longest, type, &length)), SC_OK);
        CHECK(length == 300);
        CHECK_STATUS(ONE_READ(b.arena, sc_length(session, &longer, type, &length)), SC_MISS);
        CHECK_STATUS(sc_delete(b.arena, &longest), SC_OK);
    }
    free(name);
    bench_close(&b);
}

static uint64_t print_of(bench *b, const sc_key *key) {
    uint64_t print = 0;
    CHECK_STATUS(ONE_READ(b->arena, sc_fingerprint(session, key, &print)), SC_OK);
    return print;
}

/* Changed once or twice, by bytes as long as before: blocks come to lie where they were. */
static void fingerprints_tell_changes(void) {
    static char value[1000];
    const size_t lengths[] = {3, 40, 300, 1000};
    for (int form = 0; form < FORMS; form++) {
        bench b = bench_open_form(0, form);
        sc_key key = key_of(0, "h"), list = key_of(0, "l");
        uint64_t length, seed = 0;
        bool added;
        CHECK_STATUS(
            ONE_WRITE(b.arena, &list, sc_list_push(tx, &list, bytes_of("e"), true, false, &length)),
            SC_OK);
        for (unsigned i = 0; i < 160; i++) {
            size_t bytes = lengths[i % 4];
            for (unsigned changes = 1 + i / 4 % 2; changes; changes--) {
                fill_bytes(value, bytes, ++seed);
                sc_bytes v = BYTES(value, bytes), f = bytes_of("f");
                CHECK_STATUS(
                    ONE_WRITE(b.arena, &key, sc_map_put(tx, &key, SC_HASH, f, v, 0, &added)),
                    SC_OK);
                CHECK_STATUS(ONE_WRITE(b.arena, &list, sc_list_replace(tx, &list, 0, v)), SC_OK);
            }
            uint64_t hash_print = print_of(&b, &key), list_print = print_of(&b, &list);
            CHECK(print_of(&b, &key) == hash_print && print_of(&b, &list) == list_print);
            for (unsigned changes = 1 + i / 8 % 2; changes; changes--) {
                fill_bytes(value, bytes, ++seed);
                sc_bytes v = BYTES(value, bytes), f = bytes_of("f");
                CHECK_STATUS(
                    ONE_WRITE(b.arena, &key, sc_map_put(tx, &key, SC_HASH, f, v, 0, &added)),
                    SC_OK);
                CHECK_STATUS(ONE_WRITE(b.arena, &list, sc_list_replace(tx, &list, 0, v)), SC_OK);
            }
            CHECK(print_of(&b, &key) != hash_print, "a hash's value of %zu bytes", bytes);
            CHECK(print_of(&b, &list) != list_print, "an element of %zu bytes", bytes);
        }
        bench_close(&b);
    }
}

/* ---- of one instant ---------------------------------------------------------------------------*/

enum { KEYS = 12, ROUNDS = 3000 };

typedef struct shared {
    segments files;
    sc_key keys[KEYS];
    char names[KEYS][16];
    atomic_bool stop;
} shared;

/* Each transaction gives every one of the keys the same new field value. */
static void *write_all(void *context) {
    shared *all = context;
    sc_arena *arena = segments_attach(&all->files, true);
    for (unsigned i = 0; !atomic_load(&all->stop); i++) {
        char value[40];
        int status, attempts = 0;
        sc_tx *tx;
        bool added;
        snprintf(value, sizeof(value), "%*u", (int)(i % 30) + 1, i);
        do {
            CHECK_STATUS(sc_tx_begin(arena, all->keys, KEYS, &tx), SC_OK);
            status = SC_OK;
            for (int k = 0; k < KEYS && status == SC_OK; k++)
                status = sc_map_put(tx, &all->keys[k], SC_HASH, bytes_of("f"), bytes_of(value), 0,
                                    &added);
        } while (sc_tx_end(tx, status, &attempts));
        CHECK_STATUS(status, SC_OK);
        struct timespec nap = {.tv_nsec = 50000}; /* or a reader would have no chance */
        nanosleep(&nap, NULL);
    }
    sc_arena_detach(arena);
    return NULL;
}

/* More keys than a session notes in place, all read again in another way in the same round. */
static int read_all(sc_session *session, shared *all, buffer got[KEYS]) {
    int status = SC_OK;
    for (int k = 0; k < KEYS && status == SC_OK; k++)
        status = sc_map_find(session, &all->keys[k], SC_HASH, bytes_of("f"), &got[k].sink);
    for (int k = 0; k < KEYS && status == SC_OK; k++) {
        uint64_t length = 0;
        status = sc_length(session, &all->keys[k], SC_HASH, &length);
    }
    return status;
}

static void many_keys_of_one_instant(void) {
    shared all = {.files = segments_create(UINT64_C(2) << 20)};
    sc_arena *arena = segments_attach(&all.files, true);
    pthread_t thread;
    buffer got[KEYS];
    for (int k = 0; k < KEYS; k++) {
        snprintf(all.names[k], sizeof(all.names[k]), "h%d", k);
        all.keys[k] = key_of((uint32_t)k % 3, all.names[k]);
        CHECK_STATUS(put(arena, &all.keys[k], "f", "0"), SC_OK);
        buffer_init(&got[k]);
    }
    sc_arena *reader = segments_attach(&all.files, false);
    CHECK(pthread_create(&thread, NULL, write_all, &all) == 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        CHECK_STATUS(ONE_READ(reader, read_all(session, &all, got)), SC_OK);
        for (int k = 1; k < KEYS; k++)
            CHECK(buffer_is(&got[k], got[0].bytes, got[0].length), "'%s' and '%s'", got[0].bytes,
                  got[k].bytes);
    }
    atomic_store(&all.stop, true);
    pthread_join(thread, NULL);
    for (int k = 0; k < KEYS; k++)
        buffer_free(&got[k]);
    check_valid(arena);
    sc_arena_detach(reader);
    sc_arena_detach(arena);
    segments_close(&all.files);
}

const unit unit_session[] = {
    {"session/a_transaction_sees_itself", a_transaction_sees_itself},
    {"session/a_failed_step_leaves_the_rest", a_failed_step_leaves_the_rest},
    {"session/ends_by_status", ends_by_status},
    {"session/keys_that_were_not_named", keys_that_were_not_named},
    {"session/keys_too_long", keys_too_long},
    {"session/fingerprints_tell_changes", fingerprints_tell_changes},
    {"session/many_keys_of_one_instant", many_keys_of_one_instant},
    {NULL, NULL},
};
