/* The containers' public face: hashes, sets, lists, sorted sets and streams. Part of sc.h.
 *
 * Reads take a session: either a lock-free snapshot, or a transaction's. What is read in one
 * session, of however many keys, is of one instant once sc_session_again said so:
 *
 *     sc_session_start(&session, arena);
 *     do {
 *         ... forget what a former round gave ...
 *         status = sc_map_find(&session, ...);  any number of reads
 *     } while (sc_session_again(&session, &status));
 *     sc_session_end(&session);
 *
 * In a transaction sc_tx_session(tx) takes the session's place, and there is no loop. In the middle
 * of a round everything may be torn: an odd status, a count that does not fit. Writes take the
 * transaction; a write that fails takes back what it did and leaves the transaction as it was.
 *
 * A key that is missing gives SC_MISS, one of another type SC_WRONG_TYPE. A write creates the key
 * when it adds something, and deletes it with the last element (a stream's stays). */
#ifndef SC_CONTAINERS_H
#define SC_CONTAINERS_H

#include "sc.h"

enum sc_type { SC_STRING, SC_LIST, SC_SET, SC_ZSET, SC_HASH, SC_STREAM, SC_TYPES };

typedef struct sc_bytes {
    const char *bytes;
    uint64_t length;
} sc_bytes;

/* Where a read puts items, one after the other. */
typedef struct sc_items {
    /* Room for the next item's bytes; NULL gives up with SC_NO_MEMORY. */
    char *(*add)(struct sc_items *items, size_t length);
    /* A sorted set's score, after its member, if asked for with SC_VALUES; false gives up. */
    bool (*score)(struct sc_items *items, double score);
} sc_items;

typedef struct sc_seen { /* a stripe that the session looked at */
    const void *stripe;
    uint64_t sequence;
} sc_seen;
#define SC_SESSION_INLINE 8
typedef struct sc_session {
    sc_arena *arena;
    sc_tx *tx; /* NULL: lock-free */
    sc_seen *seen;
    uint32_t count, room;
    uint64_t tries, started_us; /* of waiting, see lock.h */
    int given_up;
    sc_seen inline_seen[SC_SESSION_INLINE];
} sc_session;

void sc_session_start(sc_session *session, sc_arena *arena);
/* Is another round needed? If not, *status is final (SC_BUSY when it took too long). */
bool sc_session_again(sc_session *session, int *status);
void sc_session_end(sc_session *session);
sc_session *sc_tx_session(sc_tx *tx);
/* Commit if `status` is SC_OK, SC_MISS or SC_UNCHANGED, else roll back. True: memory was short,
 * some of it was freed meanwhile, begin the same transaction again. */
bool sc_tx_end(sc_tx *tx, int status, int *attempts);
/* Like a copy and a deletion of the source, but a container is not copied. SC_MISS. */
int sc_tx_rename(sc_tx *tx, const sc_key *from, const sc_key *to);
/* Write bytes into the middle of a string, where it lies; its encoding is raw then. SC_UNCHANGED if
 * it is kept as an integer, if it is shorter than that, or if the bytes are more than can be. */
#define SC_PATCH_MOST 4096
int sc_tx_patch(sc_tx *tx, const sc_key *key, uint64_t from, sc_bytes bytes);

/* A string, and what is known of a key; neither leaves an access mark. */
int sc_session_get(sc_session *session, const sc_key *key, sc_sink *sink);
int sc_session_get_range(sc_session *session, const sc_key *key, int64_t start, int64_t end,
                         sc_sink *sink); /* as sc_get_range */
int sc_session_describe(sc_session *session, const sc_key *key, sc_info *info);

/* A number that changes with what the key holds, its expiry included; 0 (and SC_MISS) without a
 * key. */
int sc_fingerprint(sc_session *session, const sc_key *key, uint64_t *print);

/* Number of elements (a stream's entries; of a hash also fields that have expired). */
int sc_length(sc_session *session, const sc_key *key, int type, uint64_t *length);

/* ---- hashes, sets, and sorted sets by member
 * -------------------------------------------------------*/
enum { SC_FIELDS = 1, SC_VALUES = 2 }; /* of a hash; of a sorted set members and scores */

/* SC_MISS: no key or no such field. `value` (may be NULL) gets a hash's value. */
int sc_map_find(sc_session *session, const sc_key *key, int type, sc_bytes field, sc_sink *value);
int sc_map_all(sc_session *session, const sc_key *key, int type, uint32_t what, sc_items *items);
/* At least `count` elements from *cursor on, 0 at the beginning and again at the end. An element
 * that is there throughout is given exactly once. */
int sc_map_scan(sc_session *session, const sc_key *key, int type, uint64_t *cursor, uint64_t count,
                uint32_t what, sc_items *items);
/* `count` elements at random, all different (at most all there are) or each on its own. */
int sc_map_random(sc_session *session, const sc_key *key, int type, uint64_t count, bool distinct,
                  uint32_t what, sc_items *items);
/* When a hash's field dies: Unix ms, 0 = never. SC_MISS: no key or no such field. */
int sc_map_expiry(sc_session *session, const sc_key *key, sc_bytes field, uint64_t *expire_ms);

enum { SC_PUT_NX = 1, SC_PUT_XX = 2, SC_PUT_KEEP_TTL = 4 };
/* SC_OK: *added tells whether the field is new. SC_UNCHANGED: NX or XX forbade it. A hash's field
 * loses its TTL unless kept. */
int sc_map_put(sc_tx *tx, const sc_key *key, int type, sc_bytes field, sc_bytes value,
               uint32_t flags, bool *added);
int sc_map_remove(sc_tx *tx, const sc_key *key, int type, sc_bytes field);
/* 0 = never. A time in the past is stored like any other: the field is dead. */
int sc_map_set_expiry(sc_tx *tx, const sc_key *key, sc_bytes field, uint64_t expire_ms);
/* Take a member of a set at random; take all of them. */
int sc_set_pop(sc_tx *tx, const sc_key *key, sc_sink *member);
int sc_set_clear(sc_tx *tx, const sc_key *key);

/* ---- lists ------------------------------------------------------------------------------------*/
/* Indices may be negative, from the end. SC_MISS: no key or no such element. */
int sc_list_at(sc_session *session, const sc_key *key, int64_t index, sc_sink *value);
int sc_list_range(sc_session *session, const sc_key *key, int64_t start, int64_t stop,
                  sc_items *items); /* inclusive, as LRANGE */
int sc_list_push(sc_tx *tx, const sc_key *key, sc_bytes value, bool left, bool must_exist,
                 uint64_t *length);
int sc_list_pop(sc_tx *tx, const sc_key *key, bool left, sc_sink *value);
int sc_list_replace(sc_tx *tx, const sc_key *key, uint64_t index, sc_bytes value);
/* Before the element at `index`; the length to append. */
int sc_list_insert(sc_tx *tx, const sc_key *key, uint64_t index, sc_bytes value);
int sc_list_remove(sc_tx *tx, const sc_key *key, uint64_t index, uint64_t count);

/* ---- sorted sets, by rank ---------------------------------------------------------------------*/
int sc_zset_score(sc_session *session, const sc_key *key, sc_bytes member, double *score);
int sc_zset_rank(sc_session *session, const sc_key *key, sc_bytes member, uint64_t *rank,
                 double *score);
/* `count` members from rank `from` on; in reverse, `from` counts from the highest. */
int sc_zset_range(sc_session *session, const sc_key *key, uint64_t from, uint64_t count,
                  bool reverse, uint32_t what, sc_items *items);
/* How many members have a score below `score`, or (`including`) below or equal. */
int sc_zset_seek(sc_session *session, const sc_key *key, double score, bool including,
                 uint64_t *rank);
/* The same by the order of bytes, for sets whose scores are all the same. */
int sc_zset_seek_lex(sc_session *session, const sc_key *key, sc_bytes member, bool including,
                     uint64_t *rank);

enum { SC_ZADD_NX = 1, SC_ZADD_XX = 2, SC_ZADD_GT = 4, SC_ZADD_LT = 8, SC_ZADD_INCR = 16 };
enum { SC_ZADD_ADDED = 1, SC_ZADD_UPDATED = 2 };
/* SC_UNCHANGED: a flag forbade it. SC_NOT_FINITE: an increment that gives no number. *result is the
 * member's score afterwards, *outcome SC_ZADD_ADDED or _UPDATED, or 0 when it had that score. */
int sc_zset_add(sc_tx *tx, const sc_key *key, sc_bytes member, double score, uint32_t flags,
                double *result, int *outcome);
int sc_zset_remove(sc_tx *tx, const sc_key *key, sc_bytes member);
int sc_zset_remove_range(sc_tx *tx, const sc_key *key, uint64_t from, uint64_t count);

/* ---- streams ----------------------------------------------------------------------------------
 *
 * A stream is SC_STREAM_TREES ordered maps from bytes to bytes, sorted as memcmp sorts, and some
 * bytes beside them; what they mean is the caller's. sc_length counts tree 0. */
#define SC_STREAM_TREES 5
#define SC_STREAM_META 96
int sc_stream_create(sc_tx *tx, const sc_key *key, const char meta[SC_STREAM_META]);
int sc_stream_meta(sc_session *session, const sc_key *key, char meta[SC_STREAM_META]);
int sc_stream_set_meta(sc_tx *tx, const sc_key *key, const char meta[SC_STREAM_META]);
int sc_tree_get(sc_session *session, const sc_key *key, uint32_t tree, sc_bytes name,
                sc_sink *value);
/* Names and values in turn, from `least` to `most` inclusive, at most `limit` pairs. */
int sc_tree_range(sc_session *session, const sc_key *key, uint32_t tree, sc_bytes least,
                  sc_bytes most, uint64_t limit, bool reverse, sc_items *items);
int sc_tree_count(sc_session *session, const sc_key *key, uint32_t tree, sc_bytes least,
                  sc_bytes most, uint64_t *count);
int sc_tree_put(sc_tx *tx, const sc_key *key, uint32_t tree, sc_bytes name, sc_bytes value,
                bool *added);
int sc_tree_remove(sc_tx *tx, const sc_key *key, uint32_t tree, sc_bytes name);
int sc_tree_remove_range(sc_tx *tx, const sc_key *key, uint32_t tree, sc_bytes least, sc_bytes most,
                         uint64_t limit, uint64_t *removed);

/* ---- whole values -----------------------------------------------------------------------------*/
/* Put a new container in the place of whatever the key held: a set's members, a list's elements, a
 * hash's fields and values in turn, a sorted set's members with `scores`. The last of equal members
 * counts. Nothing at all deletes the key. */
int sc_store(sc_tx *tx, const sc_key *key, int type, const sc_bytes *items, uint64_t count,
             const double *scores, uint64_t expire_ms);

#endif
