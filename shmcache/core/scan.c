/* Iteration: SCAN and RANDOMKEY.
 *
 * A cursor is (stripe << 28 | tag). Tables are ordered by tag whatever their size, so "everything
 * from this tag on" means the same before and after a table grew: keys that stay are emitted
 * exactly once, and no state is kept between calls. */
#include <stdlib.h>

#include "ops.h"

#define SC_CURSOR_TAG_BITS (SC_TAG_BITS + 1)
#define SC_RANDOM_TRIES 256

/* Where keys are looked for: in the arena, lock-free, or inside a whole-arena transaction, which
 * sees what its earlier steps did. */
typedef struct source {
    sc_arena *arena;
    sc_txn *txn; /* NULL: lock-free */
    uint32_t db;
} source;

static uint8_t physical_db(const source *from) {
    return from->txn ? sc_txn_db(from->txn, from->db) : sc_physical_db(from->arena, from->db);
}

static bool key_is_dead(const source *from, const sc_view *view) {
    return from->txn ? sc_op_is_dead(from->txn, view) : sc_view_is_dead(from->arena, view);
}

typedef struct batch { /* keys copied out of one bucket, emitted once the sequence held */
    char *bytes;
    size_t used, room;
    uint32_t count;
    uint32_t length[2 * SC_BUCKET_SLOTS];
} batch;

static bool batch_add(const sc_arena *arena, batch *keys, const sc_view *view) {
    uint32_t length = view->head.key_bytes;
    if (keys->used + length >= keys->room) { /* never NULL, even for the empty key alone */
        size_t room = (keys->used + length) * 2 + 64;
        char *grown = realloc(keys->bytes, room);
        if (!grown) return false;
        keys->bytes = grown;
        keys->room = room;
    }
    sc_copy(keys->bytes + keys->used, (char *)sc_at(arena, view->offset) + view->key_at, length);
    keys->used += length;
    keys->length[keys->count++] = length;
    return true;
}

static int gather(const source *from, const sc_stripe *stripe, uint32_t buckets, uint32_t home,
                  uint32_t from_tag, batch *keys) {
    const sc_arena *arena = from->arena;
    uint8_t db = physical_db(from);
    for (uint32_t bucket = home; bucket <= home + 1; bucket++) {
        const uint64_t *slots = sc_bucket(arena, stripe->segment, bucket);
        if (!slots) return SC_CORRUPT;
        for (int i = 0; i < SC_BUCKET_SLOTS; i++) {
            uint64_t word = sc_load64(&slots[i]);
            sc_view view;
            if (!word || SC_SLOT_TAG(word) < from_tag) continue;
            if (sc_home(buckets, SC_SLOT_TAG(word)) != home) continue;
            if (!sc_view_load(arena, &view, SC_SLOT_OFFSET(word))) return SC_CORRUPT;
            if ((view.head.flags & SC_ENTRY_DB) != db || key_is_dead(from, &view)) continue;
            if (!batch_add(arena, keys, &view)) return SC_NO_MEMORY;
        }
    }
    return SC_OK;
}

static int look_in_bucket(const source *from, const sc_stripe *stripe, uint32_t tag, batch *keys,
                          uint64_t *next) {
    uint32_t buckets = sc_load32(&stripe->buckets);
    *next = UINT64_C(1) << SC_TAG_BITS;
    keys->used = keys->count = 0;
    if (!buckets) return SC_OK;
    /* Torn, or damaged: no bound on the next tag. */
    if (buckets > (uint32_t)SC_TABLE_SEGMENTS << from->arena->segment_shift) return SC_CORRUPT;
    uint64_t home = sc_home(buckets, tag);
    *next = (((home + 1) << SC_TAG_BITS) + buckets - 1) / buckets;
    return gather(from, stripe, buckets, (uint32_t)home, tag, keys);
}

/* The keys of the home bucket that `tag` falls into; *next becomes the first tag of the one after.
 */
static int read_bucket(const source *from, uint64_t index, uint32_t tag, batch *keys,
                       uint64_t *next) {
    if (from->txn) return look_in_bucket(from, &from->arena->stripes[index], tag, keys, next);
    int status;
    sc_read read;
    sc_read_start(&read, from->arena, index);
    do {
        status = look_in_bucket(from, read.stripe, tag, keys, next);
    } while (sc_read_again(&read, &status));
    return status;
}

static int emit_batch(const batch *keys, sc_emit emit, void *context) {
    const char *key = keys->bytes;
    for (uint32_t i = 0; i < keys->count; i++) {
        if (!emit(context, key, keys->length[i])) return SC_NO_MEMORY;
        key += keys->length[i];
    }
    return SC_OK;
}

static int scan(const source *from, uint64_t *cursor, uint64_t count, sc_emit emit, void *context) {
    const sc_arena *arena = from->arena;
    uint64_t index = *cursor >> SC_CURSOR_TAG_BITS;
    uint64_t tag = *cursor & ((UINT64_C(1) << SC_CURSOR_TAG_BITS) - 1), seen = 0;
    batch keys = {0};
    int status = SC_OK;
    /* Empty buckets count a little, so that a call is bounded in a sparse database as well. */
    for (uint64_t looks = 0; index <= arena->stripe_mask && status == SC_OK; looks++) {
        if (seen >= count || looks > 16 * count + 1024) break;
        if (tag >> SC_TAG_BITS) {
            index++;
            tag = 0;
            continue;
        }
        uint64_t next;
        status = read_bucket(from, index, (uint32_t)tag, &keys, &next);
        if (status == SC_OK) status = emit_batch(&keys, emit, context);
        seen += keys.count;
        tag = next;
    }
    free(keys.bytes);
    if (tag >> SC_TAG_BITS) {
        index++;
        tag = 0;
    }
    *cursor = index > arena->stripe_mask ? 0 : index << SC_CURSOR_TAG_BITS | tag;
    return status;
}

int sc_scan(sc_arena *arena, uint32_t db, uint64_t *cursor, uint64_t count, sc_emit emit,
            void *context) {
    source from = {.arena = arena, .db = db};
    return scan(&from, cursor, count, emit, context);
}

int sc_tx_scan(sc_tx *tx, uint32_t db, uint64_t *cursor, uint64_t count, sc_emit emit,
               void *context) {
    sc_writer *writer = sc_tx_writer(tx);
    source from = {.arena = writer->arena, .txn = &writer->main, .db = db};
    return writer->main.exclusive ? scan(&from, cursor, count, emit, context) : SC_SYNTAX;
}

/* One live key of a random bucket, by reservoir; SC_MISS when it has none. */
static int random_from(const source *from, uint64_t index, batch *keys, sc_sink *sink) {
    sc_arena *arena = from->arena;
    uint64_t next, random = sc_random(arena);
    uint32_t tag = (uint32_t)(random & SC_TAG_MASK);
    uint32_t buckets = sc_load32(&arena->stripes[index].buckets);
    if (!buckets) return SC_MISS;
    uint32_t home = sc_home(buckets, tag);
    tag = (uint32_t)((((uint64_t)home << SC_TAG_BITS) + buckets - 1) / buckets);
    int status = read_bucket(from, index, tag, keys, &next);
    if (status != SC_OK) return status;
    uint64_t pick = (random >> 32) % (2 * SC_BUCKET_SLOTS);
    if (pick >= keys->count)
        return SC_MISS; /* as likely as an empty slot: keys stay equally likely */
    const char *key = keys->bytes;
    for (uint64_t i = 0; i < pick; i++)
        key += keys->length[i];
    char *out = sink->reserve(sink, keys->length[pick]);
    if (!out) return SC_NO_MEMORY;
    memcpy(out, key, keys->length[pick]);
    return SC_OK;
}

typedef struct first_key {
    sc_sink *sink;
    int status;
} first_key;

static bool take_first(void *context, const char *key, uint32_t length) {
    first_key *first = context;
    if (first->status != SC_MISS) return true;
    char *out = first->sink->reserve(first->sink, length);
    first->status = out ? SC_OK : SC_NO_MEMORY;
    if (out) memcpy(out, key, length);
    return true;
}

static int random_key(const source *from, sc_sink *sink) {
    sc_arena *arena = from->arena;
    batch keys = {0};
    int status = SC_MISS;
    for (int i = 0; i < SC_RANDOM_TRIES && status == SC_MISS; i++) {
        status = random_from(from, sc_random(arena) & arena->stripe_mask, &keys, sink);
    }
    free(keys.bytes);
    if (status != SC_MISS) return status;
    /* Few keys among many stripes: the first one after a random place, all the way round. */
    uint64_t start = (sc_random(arena) & arena->stripe_mask) << SC_CURSOR_TAG_BITS;
    first_key first = {.sink = sink, .status = SC_MISS};
    for (int round = 0; round < 2 && first.status == SC_MISS; round++) {
        uint64_t cursor = round ? 0 : start;
        do {
            status = scan(from, &cursor, 16, take_first, &first);
        } while (status == SC_OK && first.status == SC_MISS && cursor);
        if (status != SC_OK) return status;
    }
    return first.status;
}

int sc_random_key(sc_arena *arena, uint32_t db, sc_sink *sink) {
    source from = {.arena = arena, .db = db};
    return sc_db_keys(arena, db) ? random_key(&from, sink) : SC_MISS;
}

int sc_tx_random_key(sc_tx *tx, uint32_t db, sc_sink *sink) {
    sc_writer *writer = sc_tx_writer(tx);
    source from = {.arena = writer->arena, .txn = &writer->main, .db = db};
    if (!writer->main.exclusive) return SC_SYNTAX;
    return sc_tx_db_keys(tx, db) ? random_key(&from, sink) : SC_MISS;
}
