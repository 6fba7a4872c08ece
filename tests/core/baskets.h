/* Containers (and strings in their places) beside naive arrays: every operation is done on both and
 * the answers compared.
 *
 * A step is a transaction on some keys, with some operations on each. While a key is held it cannot
 * be evicted, so within a step the two sides must agree exactly; only at its start a key that the
 * policy may take is allowed to be gone. Fields with a short time to live are waited for before
 * they are written, so that no outcome depends on speed. */
#ifndef BASKETS_H
#define BASKETS_H

#include "boxes.h"

enum { BASKETS = 40, BASKET_DBS = 2, BASKET_ATTACHMENTS = 3 };

typedef struct basket {
    box what;
    size_t dead; /* at most so many fields that died may still be counted */
} basket;

typedef struct baskets {
    segments files;
    sc_arena *attached[BASKET_ATTACHMENTS]; /* two writers and a reader */
    uint32_t policy;
    chooser pick;
    char *scratch[2]; /* names and values in the making */
    buffer got;
    gathered all;
    uint64_t steps, refused, operations[SC_TYPES]; /* refused: SC_NO_MEMORY */
    basket at[BASKET_DBS][BASKETS];
    char names[BASKETS][300];
} baskets;

baskets *baskets_open(uint32_t policy, uint64_t data_bytes, chooser pick);
void baskets_close(baskets *of);
void baskets_step(baskets *of);
/* Every basket compared, and the arena validated. */
void baskets_check(baskets *of);

/* ---- for the operations -----------------------------------------------------------------------*/
/* One key, in a transaction or read without a lock. */
typedef struct hand {
    baskets *of;
    sc_tx *tx; /* NULL: reads only */
    sc_session *session;
    sc_key key;
    basket *model;
} hand;

/* Some bytes for a name (with few different ones) or a value. */
sc_bytes pick_name(baskets *of);
sc_bytes pick_bytes(baskets *of);
double pick_score(baskets *of);
/* The name of one that is there, mostly, else any. */
sc_bytes pick_present(hand *at);
/* Full is an answer that every writing call may give; then nothing has changed. */
bool was_refused(hand *at, int status);
/* SC_MISS, SC_WRONG_TYPE, or SC_OK when the key holds this type. */
int expected(const hand *at, int type);
/* After the last element went. */
void drop_if_empty(hand *at);
void complain(hand *at, const char *what, int status, int want) __attribute__((noreturn));

/* One element by way of the process's hints, with hashes that often collide. Not in a transaction.
 */
int find_hinted(hand *at, int type, sc_bytes name, int64_t index, double *score);

void map_operation(hand *at, int type);
void map_reading(hand *at, int type);
void zset_operation(hand *at);
void zset_reading(hand *at);
void list_operation(hand *at);
void list_reading(hand *at);
void stream_operation(hand *at);
void stream_reading(hand *at);

#endif
