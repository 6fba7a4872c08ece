/* Words and parts: text in the form that leaves keep it in, and back.
 *
 * A word is text to be looked for or put in, a number recognised. A part is what lies in a leaf:
 * bytes in place, a number's bytes, or the start of a chain of chunks. */
#ifndef SC_PART_H
#define SC_PART_H

#include "entry.h"
#include "txn.h"

/* One part of an item: bytes in place, a number, or a chain. */
enum sc_how { SC_PLAIN, SC_NUMBER, SC_CHAINED };
typedef struct sc_part {
    const uint8_t *at;
    uint64_t length; /* of the bytes in place, or in the chain */
    enum sc_how how;
} sc_part;

/* A key or an element in the form that it is kept and compared in. */
typedef struct sc_word {
    const char *bytes;
    uint64_t length;
    uint64_t hash; /* with SC_HASHED */
    bool number;
    char packed[8];
} sc_word;

static inline uint32_t sc_load16(const uint8_t *at) {
    uint16_t value;
#ifdef SC_TSAN
    sc_copy(&value, at, sizeof value);
#else
    memcpy(&value, at, sizeof value);
#endif
    return value;
}
static inline uint8_t sc_load8(const uint8_t *at) {
    return __atomic_load_n(at, __ATOMIC_RELAXED);
}
static inline uint64_t sc_bytes8(const uint8_t *at) {
    uint64_t word;
    sc_copy(&word, at, sizeof word);
    return word;
}

/* Text as it will be kept. Numbers are recognised unless the leaf is ordered by bytes. */
void sc_word_make(const sc_arena *arena, sc_word *word, const char *bytes, uint64_t length,
                  uint8_t mode);

/* <0, 0, >0 as memcmp of a part and some bytes. */
int sc_part_compare(const sc_arena *arena, const sc_part *part, sc_bytes key);

/* ---- reading parts ----------------------------------------------------------------------------*/
uint64_t sc_part_length(const sc_part *part); /* as text */
/* `out` has room for sc_part_length; false on damage. */
bool sc_part_copy(const sc_arena *arena, const sc_part *part, char *out);
/* Make a number plain text in `text`, once: what lies in the arena may change in between. */
void sc_part_settle(sc_part *part, char text[21]);
int sc_part_sink(const sc_arena *arena, const sc_part *part, sc_sink *sink);
double sc_part_score(const sc_part *part);
/* The hash that a hashed tree files a key under. */
uint64_t sc_part_hash(const sc_arena *arena, const sc_part *key);

/* Bytes outside of leaves, as a chain of chunks. */
int sc_chain_build(sc_txn *txn, uint64_t owner_hash, const char *bytes, uint64_t length,
                   uint64_t *first);
bool sc_chain_copy(const sc_arena *arena, uint64_t block, uint64_t length, char *out);

#endif
