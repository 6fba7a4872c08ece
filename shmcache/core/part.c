/* Words and parts. See part.h. */
#include "part.h"

#include <stdlib.h>

#include "evict.h"
#include "heap.h"

/* ---- words ------------------------------------------------------------------------------------*/

#define SC_NUMBER_MIX UINT64_C(0xD1B54A32D192ED03) /* 7 and the byte 7 have different hashes */

static uint32_t pack_number(int64_t number, char out[8]) {
    uint32_t bytes = 1;
    while (bytes < 8 &&
           (number < -(INT64_C(1) << (8 * bytes - 1)) || number >= INT64_C(1) << (8 * bytes - 1))) {
        bytes++;
    }
    memcpy(out, &number, 8);
    return bytes;
}

static int64_t unpack_number(const uint8_t *at, uint64_t bytes) {
    uint64_t word = 0;
    if (bytes == 0 || bytes > 8) return 0;
    sc_copy(&word, at, bytes);
    uint32_t unused = 64 - 8 * (uint32_t)bytes;
    return (int64_t)(word << unused) >> unused;
}

static bool may_be_number(const char *bytes, uint64_t length) {
    if (length == 0 || length > 20) return false;
    return (bytes[0] >= '0' && bytes[0] <= '9') || (bytes[0] == '-' && length > 1);
}

static uint64_t word_hash(const sc_arena *arena, const char *bytes, uint64_t length, bool number) {
    return sc_hash_inline(bytes, length, arena->hash_seed ^ (number ? SC_NUMBER_MIX : 0));
}

void sc_word_make(const sc_arena *arena, sc_word *word, const char *bytes, uint64_t length,
                  uint8_t mode) {
    int64_t number;
    word->bytes = bytes;
    word->length = length;
    word->number = mode != SC_ORDERED && SC_UNLIKELY(may_be_number(bytes, length)) &&
                   sc_parse_int64(bytes, length, &number);
    if (word->number) {
        word->length = pack_number(number, word->packed);
        word->bytes = word->packed;
    }
    if (mode == SC_HASHED) word->hash = word_hash(arena, word->bytes, word->length, word->number);
}

/* ---- parts ------------------------------------------------------------------------------------*/

bool sc_chain_copy(const sc_arena *arena, uint64_t block, uint64_t length, char *out) {
    while (length) {
        if (!sc_in_heap(arena, block, sizeof(sc_chunk))) return false;
        const sc_chunk *chunk = sc_at(arena, block);
        uint64_t held = sc_chunk_length(chunk);
        /* Every chunk advances, so a walk ends however the links run. */
        if (!held || !sc_in_heap(arena, block, sizeof(sc_chunk) + held)) return false;
        uint64_t part = held < length ? held : length;
        sc_copy(out, (const char *)chunk + sizeof(sc_chunk), part);
        out += part;
        length -= part;
        block = sc_chunk_next(chunk);
    }
    return true;
}

static int chain_compare(const sc_arena *arena, uint64_t block, uint64_t length, const char *bytes,
                         uint64_t bytes_length) {
    uint64_t left = length < bytes_length ? length : bytes_length;
    while (left) {
        char part[256];
        if (!sc_in_heap(arena, block, sizeof(sc_chunk))) return 1;
        const sc_chunk *chunk = sc_at(arena, block);
        uint64_t held = sc_chunk_length(chunk);
        if (!held || !sc_in_heap(arena, block, sizeof(sc_chunk) + held)) return 1;
        if (held > left) held = left;
        for (uint64_t at = 0; at < held; at += sizeof part) {
            uint64_t step = held - at < sizeof part ? held - at : sizeof part;
            sc_copy(part, (const char *)chunk + sizeof(sc_chunk) + at, step);
            int order = memcmp(part, bytes, step);
            if (order) return order;
            bytes += step;
        }
        left -= held;
        block = sc_chunk_next(chunk);
    }
    return length < bytes_length ? -1 : length > bytes_length;
}

int sc_part_compare(const sc_arena *arena, const sc_part *part, sc_bytes key) {
    if (SC_UNLIKELY(part->how == SC_CHAINED)) {
        return chain_compare(arena, sc_bytes8(part->at), part->length, key.bytes, key.length);
    }
    uint64_t common = part->length < key.length ? part->length : key.length;
#ifdef SC_TSAN
    char own[SC_LEAF_MOST];
    sc_copy(own, part->at, common);
    int order = memcmp(own, key.bytes, common);
#else
    int order = common ? memcmp(part->at, key.bytes, common) : 0;
#endif
    if (order) return order;
    return part->length < key.length ? -1 : part->length > key.length;
}

uint64_t sc_part_length(const sc_part *part) {
    if (SC_LIKELY(part->how != SC_NUMBER)) return part->length;
    char text[21];
    return sc_format_int64(unpack_number(part->at, part->length), text);
}

bool sc_part_copy(const sc_arena *arena, const sc_part *part, char *out) {
    if (SC_LIKELY(part->how == SC_PLAIN)) {
        sc_copy(out, part->at, part->length);
        return true;
    }
    if (part->how == SC_CHAINED) {
        return sc_chain_copy(arena, sc_bytes8(part->at), part->length, out);
    }
    char text[21];
    uint32_t length = sc_format_int64(unpack_number(part->at, part->length), text);
    memcpy(out, text, length);
    return true;
}

void sc_part_settle(sc_part *part, char text[21]) {
    uint32_t length = sc_format_int64(unpack_number(part->at, part->length), text);
    *part = (sc_part){.at = (const uint8_t *)text, .length = length, .how = SC_PLAIN};
}

int sc_part_sink(const sc_arena *arena, const sc_part *part, sc_sink *sink) {
    char text[21];
    sc_part own = *part;
    if (SC_UNLIKELY(part->how == SC_NUMBER)) sc_part_settle(&own, text);
    if (SC_UNLIKELY(own.length > arena->data_bytes)) return SC_CORRUPT;
    char *out = sink->reserve(sink, own.length);
    if (!out) return SC_NO_MEMORY;
    return sc_part_copy(arena, &own, out) ? SC_OK : SC_CORRUPT;
}

double sc_part_score(const sc_part *part) {
    double score;
    sc_copy(&score, part->at, sizeof score);
    return score;
}

uint64_t sc_part_hash(const sc_arena *arena, const sc_part *key) {
    if (SC_LIKELY(key->how != SC_CHAINED)) {
        char own[SC_LEAF_MOST];
        sc_copy(own, key->at, key->length);
        return word_hash(arena, own, key->length, key->how == SC_NUMBER);
    }
    char *own = malloc(key->length + 1);
    uint64_t hash = 0;
    if (own && sc_chain_copy(arena, sc_bytes8(key->at), key->length, own)) {
        hash = word_hash(arena, own, key->length, false);
    }
    free(own);
    return hash;
}

/* ---- building chains --------------------------------------------------------------------------*/

static uint64_t one_block_limit(const sc_arena *arena) {
    uint64_t eighth = UINT64_C(1) << arena->page_shift >> 3;
    return (eighth < 1024 ? 1024 : eighth) - sizeof(sc_chunk);
}

/* Chunks are taken from the end, the largest first; the odd rest comes to lie in front, in a block
 * of its size. */
int sc_chain_build(sc_txn *txn, uint64_t owner_hash, const char *bytes, uint64_t length,
                   uint64_t *first) {
    sc_arena *arena = txn->writer->arena;
    uint64_t heap_bytes = arena->page_count << arena->page_shift, end = length;
    if (length > UINT64_C(512) << 20 || length > heap_bytes - heap_bytes / 8) {
        return SC_VALUE_TOO_LONG;
    }
    int status = sc_txn_reserve(txn, 1);
    if (status != SC_OK) return status;
    sc_log_entry *chain = sc_txn_append(txn, SC_LOG_ALLOC_CHAIN, 0);
    uint32_t chunk = arena->classes.chunk_count;
    while (end) {
        uint32_t size_class;
        uint64_t part = end;
        if (end <= one_block_limit(arena)) {
            size_class = sc_class_for_entry(arena, sizeof(sc_chunk) + end);
        } else {
            while (chunk > 1 && sc_chunk_payload(arena, chunk - 1) > end)
                chunk--;
            size_class = arena->classes.first_chunk + chunk - 1;
            if (sc_chunk_payload(arena, chunk - 1) < end) part = sc_chunk_payload(arena, chunk - 1);
        }
        uint64_t block = sc_take_chunk(txn, size_class, chain, part, owner_hash);
        if (!block) return SC_NO_MEMORY;
        end -= part;
        sc_copy((char *)sc_at(arena, block) + sizeof(sc_chunk), bytes + end, part);
    }
    *first = chain->word;
    return SC_OK;
}
