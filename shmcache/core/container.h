/* Containers as entries: found, kept in one leaf or in trees, converted, copied. Not in sc.h's
 * face.
 *
 * A packed container is one leaf inside its entry, in the order in which things arrived (a sorted
 * set's by score). It becomes trees when Redis's options of the type say so, or when the leaf would
 * be larger than SC_LEAF_MOST; it never goes back. What Redis would call its encoding is the
 * entry's shape. */
#ifndef SC_CONTAINER_H
#define SC_CONTAINER_H

#include "ops.h"
#include "tree.h"

enum { SC_TREE_MAIN = 0, SC_TREE_RANKS = 1 }; /* a sorted set's second tree */

/* The form of a type's tree, and of its packed leaf. */
const sc_form *sc_form_of(int type, uint32_t tree);
const sc_form *sc_form_packed(int type);

/* A container found, under a snapshot or a transaction. */
typedef struct sc_place {
    const sc_arena *arena;
    sc_session *session; /* NULL in a write */
    sc_ref ref;
    sc_found found;
    int type;
    bool packed;
} sc_place;

/* SC_OK, SC_MISS, SC_WRONG_TYPE, SC_CORRUPT, SC_BUSY. */
int sc_place_find(sc_session *session, const sc_key *key, int type, sc_place *place);
/* False on damage. Of a packed container every tree is its leaf. */
bool sc_place_root(const sc_place *place, uint32_t tree, sc_root *root);
/* Is what was read so far of one instant? Asked before much is done on the word of it. */
bool sc_session_is_whole(const sc_session *session);
/* Give a part to a sink or to items, unless it is large and torn. */
int sc_place_sink(const sc_place *place, const sc_part *part, sc_sink *sink);
int sc_place_item(const sc_place *place, const sc_part *part, sc_items *items);

/* ---- writing ----------------------------------------------------------------------------------*/
typedef struct sc_change {
    sc_txn *txn;
    sc_place place;
    uint32_t mark; /* the log's length at the start: a failed change goes back there */
    bool exists;
    uint32_t event; /* what to call it, enum sc_event */
} sc_change;
int sc_change_begin(sc_tx *tx, const sc_key *key, int type, sc_change *change);
/* The same for one that removes: it has memory when there is none. */
int sc_removal_begin(sc_tx *tx, const sc_key *key, int type, sc_change *change);
/* Take the change back unless it went well, and a note of what was changed; returns `status`. */
int sc_change_end(sc_change *change, int status);
/* Find the container again after its entry moved. */
int sc_change_again(sc_change *change);
/* Ready to change a tree; the container's version goes up. */
int sc_change_edit(const sc_change *change, uint32_t tree, sc_edit *edit);
int sc_change_version(const sc_change *change);
/* Link an entry that was built, in the place of whatever the key held. */
int sc_change_link(sc_change *change, uint64_t offset, uint64_t expire_ms);
/* Delete the key: its last element went. */
int sc_change_delete(sc_change *change);
/* Turn a packed container into trees. */
int sc_change_unpack(sc_change *change);
/* Raise the shape, if it is below. */
int sc_change_shape(sc_change *change, uint32_t shape);

/* In a packed container: put, replace or remove a piece, in place or in a new entry. SC_UNCHANGED:
 * there is no room, it has to be unpacked. */
int sc_packed_add(sc_change *change, const sc_path *path, const sc_piece *piece);
int sc_packed_change(sc_change *change, const sc_path *path, const sc_piece *piece);
int sc_packed_drop(sc_change *change, const sc_path *path, uint32_t count); /* chains and all */

/* A container's entry anew with another expiry, or key: same trees, same leaf. */
int sc_container_rehead(sc_txn *txn, const sc_view *view, const sc_ref *ref, uint64_t expire_ms,
                        uint64_t *offset);
int sc_container_copy(sc_txn *txn, const sc_view *view, const sc_ref *to, uint64_t *offset);
/* Bytes of everything, by a look at some of its leaves. */
uint64_t sc_container_memory(const sc_arena *arena, const sc_view *view);
uint64_t sc_container_length(const sc_arena *arena, const sc_view *view);

/* New entries, linked nowhere. SC_UNCHANGED: the pieces do not fit one leaf. */
int sc_packed_entry(sc_txn *txn, const sc_ref *ref, int type, uint32_t shape, const sc_pieces *all,
                    uint64_t expire_ms, uint64_t *offset);
int sc_tree_entry(sc_txn *txn, const sc_ref *ref, int type, uint32_t shape, const void *body,
                  uint64_t expire_ms, uint64_t *offset);
/* One with all these elements: see whole.c. */
typedef struct sc_whole {
    int type;
    uint32_t shape; /* at least this one */
    bool tree;      /* even if it would fit a leaf */
    uint64_t count; /* of elements */
    const sc_bytes *items;
    const double *scores;     /* of a sorted set */
    const uint64_t *expiries; /* of a hash's fields, or NULL */
    uint64_t expire_ms;
} sc_whole;
int sc_container_build(sc_txn *txn, const sc_ref *ref, const sc_whole *whole, uint64_t *offset);
static inline uint32_t sc_first_shape(int type) {
    return type == SC_SET ? SC_INTSET : type == SC_STREAM ? SC_STREAM_SHAPE : SC_LISTPACK;
}
static inline bool sc_shape_is_small(uint32_t shape) {
    return shape == SC_LISTPACK || shape == SC_LISTPACKEX || shape == SC_INTSET;
}

/* Until when a container stays packed, by the options in the header: may one with this many
 * elements, the longest so long, be called by its small name? */
uint32_t sc_shape_for(const sc_arena *arena, int type, uint32_t shape, uint64_t count,
                      const sc_bytes *item, uint64_t bytes);

/* The score in front of a member, so that memcmp sorts them. */
uint64_t sc_score_sortable(double score);
double sc_score_from_sortable(uint64_t word);

#endif
