/* The engine's public face: what a binding or a test calls. No Python, no RESP, no commands.
 *
 * An sc_arena is one process's attachment. It may be used from many threads and survives fork (the
 * child gets writer slots of its own at its first write). Functions return an enum sc_status; only
 * SC_OK means that out-parameters were filled, unless said otherwise.
 *
 * Keys are (logical database, bytes); SC_HIDDEN_DB (layout.h) is one database more than SELECT
 * knows. Times are absolute Unix milliseconds; 0 = never. */
#ifndef SC_H
#define SC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum sc_status {
    SC_OK = 0,
    SC_MISS,           /* no such key (or expired) */
    SC_UNCHANGED,      /* a condition (NX, XX, GT ...) was not met; nothing was changed */
    SC_WRONG_TYPE,     /* the key holds another type */
    SC_NOT_INTEGER,    /* the value is not a 64-bit signed integer in decimal */
    SC_OVERFLOW,       /* the result would not fit a 64-bit signed integer */
    SC_NO_MEMORY,      /* full, and the policy lets nothing be evicted */
    SC_KEY_TOO_LONG,   /* longer than sc_max_key_bytes() */
    SC_VALUE_TOO_LONG, /* longer than 512 MiB or than the arena could ever hold */
    SC_BUSY,       /* a lock or a stripe stayed taken past the limit; try again or use the socket */
    SC_READ_ONLY,  /* attached without writable */
    SC_NO_SLOT,    /* every writer slot is taken by a living process */
    SC_CORRUPT,    /* a structure is damaged */
    SC_LAYOUT,     /* not an arena, or of another layout version or C library */
    SC_TRUNCATED,  /* a segment is shorter than its header says */
    SC_SYSTEM,     /* a system call failed: errno says why */
    SC_SYNTAX,     /* arguments that contradict each other */
    SC_NOT_FINITE, /* an increment of a score gives no number */
    SC_LOST,       /* records of a ring may have been missed (ring.h) */
};
const char *sc_status_text(int status);

enum sc_policy { /* Redis's maxmemory-policy */
                 SC_NOEVICTION,
                 SC_ALLKEYS_LRU,
                 SC_ALLKEYS_LFU,
                 SC_ALLKEYS_RANDOM,
                 SC_VOLATILE_LRU,
                 SC_VOLATILE_LFU,
                 SC_VOLATILE_RANDOM,
                 SC_VOLATILE_TTL,
                 SC_POLICIES
};

/* What Redis calls the ways to hold a container. */
enum sc_shape {
    SC_LISTPACK,
    SC_LISTPACKEX,
    SC_INTSET,
    SC_QUICKLIST,
    SC_HASHTABLE,
    SC_SKIPLIST,
    SC_STREAM_SHAPE,
    SC_SHAPES
};

typedef struct sc_arena sc_arena;
typedef struct sc_tx sc_tx;

typedef struct sc_key {
    const char *bytes;
    uint32_t length;
    uint32_t db; /* 0 .. 15, or SC_HIDDEN_DB */
} sc_key;

/* Where a read puts a value. `reserve` returns room for exactly `length` bytes, or NULL to give up
 * (SC_NO_MEMORY). It is called again when the read had to start over: the last call is the value.
 */
typedef struct sc_sink {
    char *(*reserve)(struct sc_sink *sink, size_t length);
} sc_sink;

/* Called around waits, so that a binding can give up its interpreter lock. */
typedef struct sc_hooks {
    void *(*block_enter)(void);
    void (*block_leave)(void *state);
    /* Calls on the arena are serialised by a lock that block_enter gives up (a GIL): checking a
     * writer out then needs no atomic exchange, which would be a tenth of a SET. */
    bool serialized;
    /* Give up what was made of a value and kept (get.h); returns the memory that it took. */
    size_t (*drop_made)(void *made);
} sc_hooks;

/* ---- segments ---------------------------------------------------------------------------------*/
uint64_t sc_min_data_bytes(void);
/* Sizes of the segments that go with a data segment of that size; 0 if there can be none. */
uint64_t sc_access_bytes(uint64_t data_bytes);
uint64_t sc_feed_bytes(uint64_t data_bytes);
uint64_t sc_bus_bytes(uint64_t data_bytes);
typedef struct sc_segment_fds {
    int data, access, feed, bus;
} sc_segment_fds;
/* Format zeroed segments of the right sizes. The data segment's magic is stored last. */
int sc_arena_format(const sc_segment_fds *fds, const char *name, uint64_t hash_seed);
/* Map and verify. SC_LAYOUT, SC_TRUNCATED, SC_SYSTEM say why not. */
int sc_arena_attach(const sc_segment_fds *fds, bool writable, const sc_hooks *hooks,
                    sc_arena **out);
void sc_arena_detach(sc_arena *arena);
bool sc_arena_writable(const sc_arena *arena);
uint32_t sc_max_key_bytes(const sc_arena *arena);
/* Should this attachment's reads leave access marks? (CLIENT NO-TOUCH) Default true. */
void sc_set_touching(sc_arena *arena, bool touching);
bool sc_touching(const sc_arena *arena);

/* ---- reads: lock-free, any attachment ---------------------------------------------------------*/
typedef struct sc_info {
    uint64_t expire_ms;   /* 0 = never */
    uint64_t value_bytes; /* as the string that GET returns; a container's elements */
    uint64_t memory;      /* bytes of heap, index slot included */
    uint64_t idle_ms;     /* by the access marks */
    uint32_t frequency;   /* LFU counter, 0-255 */
    uint8_t encoding;     /* of a string: enum sc_encoding */
    uint8_t type;         /* enum sc_type (containers.h) */
    uint8_t shape;        /* of a container: enum sc_shape, what OBJECT ENCODING says */
} sc_info;

int sc_get(sc_arena *arena, const sc_key *key, sc_sink *sink);
int sc_get_range(sc_arena *arena, const sc_key *key, int64_t start, int64_t end, sc_sink *sink);
/* All values as of one instant. statuses[i] is SC_OK or SC_MISS; sinks[i] for each. */
int sc_get_many(sc_arena *arena, const sc_key *keys, size_t count, sc_sink **sinks, int *statuses);
int sc_describe(sc_arena *arena, const sc_key *key, sc_info *info, bool touch);
/* Calls `emit` for each live key of `db` from `*cursor` on, at least `count` index slots' worth;
 * *cursor becomes 0 at the end. Keys present throughout a whole iteration are emitted exactly once,
 * whatever grows meanwhile. emit returning false stops with SC_NO_MEMORY. */
typedef bool (*sc_emit)(void *context, const char *key, uint32_t length);
int sc_scan(sc_arena *arena, uint32_t db, uint64_t *cursor, uint64_t count, sc_emit emit,
            void *context);
int sc_random_key(sc_arena *arena, uint32_t db, sc_sink *sink);
uint64_t sc_db_keys(sc_arena *arena, uint32_t db);
uint64_t sc_db_expires(sc_arena *arena, uint32_t db);

/* ---- one-key writes ---------------------------------------------------------------------------*/
enum {
    SC_SET_NX = 1,
    SC_SET_XX = 2,
    SC_SET_KEEP_TTL = 4,
    SC_SET_APPENDED = 8 /* keep as raw bytes, as APPEND and SETRANGE do */
};
typedef struct sc_set_args {
    const char *value;
    uint64_t value_bytes;
    uint64_t expire_ms; /* 0 = never; in the past: the key is deleted */
    uint32_t flags;     /* SC_SET_* */
    sc_sink *old;       /* SET ... GET: gets the old value; WRONG_TYPE if it is not a string */
    bool *had_old;
} sc_set_args;
int sc_set(sc_arena *arena, const sc_key *key, const sc_set_args *args);
/* Add to an integer; a missing key counts as 0 and keeps no TTL. */
int sc_incr(sc_arena *arena, const sc_key *key, int64_t by, int64_t *result);
int sc_append(sc_arena *arena, const sc_key *key, const char *value, uint64_t bytes,
              uint64_t *new_length);
int sc_delete(sc_arena *arena, const sc_key *key); /* SC_MISS if there was none */
int sc_get_delete(sc_arena *arena, const sc_key *key, sc_sink *sink);
enum { SC_EXPIRE_NX = 1, SC_EXPIRE_XX = 2, SC_EXPIRE_GT = 4, SC_EXPIRE_LT = 8 };
/* Set (or with 0 remove: PERSIST) the time of death. SC_MISS, SC_UNCHANGED. */
int sc_expire(sc_arena *arena, const sc_key *key, uint64_t expire_ms, uint32_t flags);

/* ---- transactions: several keys, applied wholly or not at all, seen together
 * --------------------*/
/* Lock the stripes of all keys, in index order. With count 0: the whole arena. Between begin and
 * commit/abort the calling thread must not call other functions on the arena. */
int sc_tx_begin(sc_arena *arena, const sc_key *keys, size_t count, sc_tx **out);
int sc_tx_get(sc_tx *tx, const sc_key *key, sc_sink *sink);
int sc_tx_describe(sc_tx *tx, const sc_key *key, sc_info *info);
int sc_tx_set(sc_tx *tx, const sc_key *key, const sc_set_args *args);
int sc_tx_delete(sc_tx *tx, const sc_key *key);
int sc_tx_expire(sc_tx *tx, const sc_key *key, uint64_t expire_ms, uint32_t flags);
/* Let a key look as if it was last read `idle_ms` ago, or under an LFU policy so often; as far back
 * as the access clock goes. -1: leave that. A policy of the other kind ignores it. */
int sc_tx_set_access(sc_tx *tx, const sc_key *key, int64_t idle_ms, int frequency);
/* Copy, TTL included, whatever the type. SC_UNCHANGED if `to` exists and not `replace`. */
int sc_tx_copy(sc_tx *tx, const sc_key *from, const sc_key *to, bool replace);
void sc_tx_commit(sc_tx *tx);
void sc_tx_abort(sc_tx *tx);
/* Steps on whole databases, for transactions on the whole arena (SC_SYNTAX in others). They see
 * what earlier steps did, and later steps see a flushed database empty; nobody else does before the
 * commit. The memory of what is flushed comes back after it. */
int sc_tx_flush_db(sc_tx *tx, int32_t db); /* -1: all, but the hidden one */
int sc_tx_swap_db(sc_tx *tx, uint32_t a, uint32_t b);
uint64_t sc_tx_db_keys(sc_tx *tx, uint32_t db);
int sc_tx_scan(sc_tx *tx, uint32_t db, uint64_t *cursor, uint64_t count, sc_emit emit,
               void *context);
int sc_tx_random_key(sc_tx *tx, uint32_t db, sc_sink *sink);

/* ---- databases --------------------------------------------------------------------------------*/
int sc_flush_db(sc_arena *arena, int32_t db); /* -1: all, at one instant */
int sc_swap_db(sc_arena *arena, uint32_t a, uint32_t b);

/* ---- configuration that lives in the arena ----------------------------------------------------*/
typedef struct sc_tuning {
    uint64_t maxmemory; /* bytes; 0 = the whole heap */
    uint32_t policy;    /* enum sc_policy */
    uint32_t samples;   /* maxmemory-samples */
    uint32_t lfu_log_factor, lfu_decay_minutes;
    uint32_t reserve_permille; /* of the heap that maintenance keeps free */
    /* until when containers are packed, by Redis's options of that name */
    uint32_t hash_max_listpack_entries, hash_max_listpack_value;
    uint32_t set_max_intset_entries, set_max_listpack_entries, set_max_listpack_value;
    uint32_t zset_max_listpack_entries, zset_max_listpack_value;
    int32_t list_max_listpack_size; /* elements, or -1 .. -5: 4 .. 64 KiB */
    uint32_t hll_sparse_max_bytes;
} sc_tuning;
void sc_get_tuning(sc_arena *arena, sc_tuning *tuning);
int sc_set_tuning(sc_arena *arena, const sc_tuning *tuning);
void sc_get_socket_path(sc_arena *arena, char out[112]);
int sc_set_socket_path(sc_arena *arena, const char *path);
void sc_get_name(sc_arena *arena, char out[64]);
int sc_beat(sc_arena *arena, uint32_t process, uint64_t pid);
void sc_get_beat(sc_arena *arena, uint32_t process, uint64_t *pid, uint64_t *beat_ms);

/* ---- maintenance: any writer may call these, the daemon does
 * ------------------------------------*/
/* Recover every slot whose process is dead; returns how many through *recovered. */
int sc_sweep_slots(sc_arena *arena, uint32_t *recovered);
/* Delete expired entries and those of flushed databases, for at most `budget_us`. */
int sc_expire_cycle(sc_arena *arena, uint64_t budget_us, uint64_t *deleted);
/* Take deleted containers apart; evict and compact until the reserve is free; for at most
 * `budget_us`. */
int sc_reserve_cycle(sc_arena *arena, uint64_t budget_us);
/* Move the access clock by wall time (call about once a second). */
int sc_tick(sc_arena *arena);

typedef struct sc_statistics {
    uint64_t generation, created_ms, data_bytes, access_bytes, feed_bytes, bus_bytes;
    uint64_t heap_bytes, used_bytes, page_bytes;
    uint64_t pages, free_pages, stripes, slots, slots_used;
    uint64_t keys, index_bytes, hits, misses, retries, evicted, expired;
    uint64_t max_key_bytes;
} sc_statistics;
int sc_get_statistics(sc_arena *arena, sc_statistics *statistics);
int sc_reset_statistics(sc_arena *arena);

/* ---- proofs and pictures
 * ------------------------------------------------------------------------*/
/* Check every structure and that every block is accounted for exactly once. Needs quiet: writers
 * are kept out by a whole-arena transaction if the arena is writable. Problems go to `report` (may
 * be NULL), one a line; returns SC_OK or SC_CORRUPT. */
int sc_validate(sc_arena *arena, FILE *report);
/* Header, slots, stripes and heap use as text, for people. Reads only. */
int sc_dump(sc_arena *arena, FILE *out);

/* XXH3, 64 bits, seeded (Yann Collet,
 * https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md). */
uint64_t sc_hash(const void *bytes, size_t length, uint64_t seed);

#ifdef SC_KILL_SWITCH
/* Test builds: die by SIGKILL at the n-th store to shared memory from now on; 0 = never.
 * sc_kill_stores() tells how many stores were counted since the last arming. */
void sc_kill_arm(uint64_t nth);
uint64_t sc_kill_stores(void);
#endif
#endif
