/* A naive keyspace beside the arena: every operation is done on both and the answers compared.
 *
 * The model is an array: database by key number. Without eviction the two must agree exactly; with
 * it, a key that the policy may take is allowed to be gone, but never to be wrong. Keys with a
 * short time to live are waited for before they are written, so that no outcome depends on speed.
 */
#ifndef MODEL_H
#define MODEL_H

#include "harness.h"

enum { MODEL_DBS = 16, MODEL_KEYS = 200, MODEL_ATTACHMENTS = 3 };

typedef struct record {
    bool present;
    uint64_t expire_ms;
    char *value;
    size_t length;
    bool appended; /* made by APPEND: raw, even if it looks like a number */
} record;

typedef struct world {
    segments files;
    sc_arena *attached[MODEL_ATTACHMENTS]; /* two writers and a reader */
    uint32_t policy;
    chooser pick;
    char *long_name;
    char *scratch; /* a value in the making */
    buffer got;
    uint64_t steps, refused; /* refused: SC_NO_MEMORY */
    record keys[MODEL_DBS][MODEL_KEYS];
} world;

world *world_open(uint32_t policy, uint64_t data_bytes, chooser pick);
void world_close(world *of);
/* One operation (perhaps a whole transaction) on both sides. */
void world_step(world *of);
/* Every key of every database compared, and the arena validated. */
void world_check(world *of);

/* ---- for model_ops.c and model_whole.c
 * --------------------------------------------------------------------------*/
/* An operation's key, in the arena or inside a transaction. */
typedef struct target {
    world *of;
    sc_arena *arena;
    sc_tx *tx; /* NULL: outside */
    sc_key key;
    record *model;
} target;

uint32_t world_pick_db(world *of);
target world_pick_target(world *of, bool writing);
/* Full is an answer that any writing call may give; then nothing has changed. */
bool target_refused(target *at, int status);
void world_tx_operation(target *at, uint32_t count); /* on one of `count` targets */
void world_step_scan(world *of);
void world_step_random_key(world *of);
void world_step_flush(world *of);
void world_step_swap(world *of);
void world_step_whole(world *of);

sc_key world_key(const world *of, uint32_t db, uint32_t number);
uint32_t world_number(const world *of, const char *key, size_t length);
void record_set(record *model, const char *value, size_t length, uint64_t expire_ms);
void record_clear(record *model);
record record_copy(const record *model);
/* May eviction have taken it? */
bool may_vanish(const world *of, const record *model);
/* Compare one key; a vanished one is dropped from the model. */
void target_sync(target *at);
/* If it dies soon, wait until it is dead: afterwards nothing about it depends on the clock. */
void target_settle(target *at);

#endif
