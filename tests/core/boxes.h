/* What the proofs of containers share: calls wrapped as one transaction or one session, a collector
 * of what reads give, and a container as a plain array ("box") to compare with. */
#ifndef BOXES_H
#define BOXES_H

#include "containers.h"
#include "harness.h"

/* The status of `call`, which writes through `tx`, in a transaction of its own on one key. */
#define ONE_WRITE(arena, key, call)                                                                \
    ({                                                                                             \
        sc_tx *tx;                                                                                 \
        int status_, attempts_ = 0;                                                                \
        do {                                                                                       \
            CHECK_STATUS(sc_tx_begin(arena, key, 1, &tx), SC_OK);                                  \
            status_ = (call);                                                                      \
        } while (sc_tx_end(tx, status_, &attempts_));                                              \
        status_;                                                                                   \
    })
/* The status of `call`, which reads through `session`, without a lock. It may run several times. */
#define ONE_READ(arena, call)                                                                      \
    ({                                                                                             \
        sc_session one_, *session = &one_;                                                         \
        int status_;                                                                               \
        sc_session_start(session, arena);                                                          \
        do {                                                                                       \
            status_ = (call);                                                                      \
        } while (sc_session_again(session, &status_));                                             \
        sc_session_end(session);                                                                   \
        status_;                                                                                   \
    })

static inline sc_bytes bytes_of(const char *text) {
    return (sc_bytes){.bytes = text, .length = strlen(text)};
}
#define BYTES(array, size) ((sc_bytes){.bytes = (array), .length = (size)})

/* ---- what a read gave -------------------------------------------------------------------------*/
typedef struct piece {
    char *bytes; /* an allocation of exactly its length, so that a byte too many is noticed */
    size_t length;
    double score;
    bool scored;
} piece;
typedef struct gathered {
    sc_items items;
    piece *piece;
    size_t count, room;
    size_t most; /* gives up instead of taking more; no limit unless set */
    size_t longest;
} gathered;
void gathered_init(gathered *to);
void gathered_reset(gathered *to);
void gathered_free(gathered *to);
bool piece_is(const piece *it, const void *bytes, size_t length);
/* Piece `index` is this text. */
void check_piece(const gathered *of, size_t index, const char *text);
/* The pieces are exactly these texts, in this order; NULL ends the list. */
void check_pieces(const gathered *of, const char *first, ...) __attribute__((sentinel));

/* ---- a box ------------------------------------------------------------------------------------*/
typedef struct cell {
    char *name, *value;
    size_t name_length, value_length;
    double score;
    uint64_t expire_ms; /* of a hash's field */
} cell;
typedef struct row {
    cell *cells;
    size_t count, room;
} row;
typedef struct box {
    bool present;
    int type; /* enum sc_type; a string's value is the only cell's name */
    uint64_t expire_ms;
    row rows[SC_STREAM_TREES]; /* all but streams use the first alone */
    char meta[SC_STREAM_META];
} box;
void box_clear(box *of);
box box_copy(const box *of);
/* In the place of whatever is there. */
void box_make(box *of, int type);

/* SIZE_MAX when there is none. */
size_t row_find(const row *in, sc_bytes name);
void row_insert(row *in, size_t at, sc_bytes name, sc_bytes value);
void row_remove(row *in, size_t at, size_t count);
void cell_set_value(cell *of, sc_bytes value);
static inline sc_bytes cell_name(const cell *of) {
    return (sc_bytes){.bytes = of->name, .length = of->name_length};
}
/* memcmp's order, the shorter first. */
int compare_bytes(sc_bytes left, sc_bytes right);
/* Where `name` is or belongs in a row that is sorted by names. */
size_t row_place(const row *in, sc_bytes name, bool *there);
/* The same by score, then by name. */
size_t row_place_scored(const row *in, double score, sc_bytes name);

/* Read all of `key` in every way there is and compare. */
void box_compare(sc_session *session, const sc_key *key, const box *with);

#endif
