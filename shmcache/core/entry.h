/* Entries and their chunk chains: building them outside any lock, reading them under a sequence. */
#ifndef SC_ENTRY_H
#define SC_ENTRY_H

#include "containers.h"
#include "hash.h"
#include "internal.h"
#include "txn.h"

/* A key as the index knows it. */
typedef struct sc_ref {
    const char *bytes;
    uint32_t length;
    uint8_t db; /* physical */
    uint64_t hash;
    uint64_t stripe;
    uint32_t tag;
} sc_ref;

#define SC_DB_MIX UINT64_C(0x9E3779B97F4A7C15)

SC_HOT void sc_ref_make_physical(const sc_arena *arena, sc_ref *ref, const char *bytes,
                                 uint32_t length, uint8_t db) {
    ref->bytes = bytes;
    ref->length = length;
    ref->db = db;
    ref->hash = sc_hash_inline(bytes, length, arena->hash_seed ^ (db * SC_DB_MIX));
    ref->stripe = ref->hash & arena->stripe_mask;
    ref->tag = (uint32_t)(ref->hash >> (64 - SC_TAG_BITS));
}
SC_HOT uint8_t sc_physical_db(const sc_arena *arena, uint32_t db) {
    const uint8_t *map = &arena->header->database[db & (SC_MAP_ROOM - 1)];
    return __atomic_load_n(map, __ATOMIC_RELAXED) & SC_ENTRY_DB;
}
SC_HOT void sc_ref_make(const sc_arena *arena, sc_ref *ref, const sc_key *key) {
    uint8_t db = sc_physical_db(arena, key->db);
    sc_ref_make_physical(arena, ref, key->bytes, key->length, db);
}
/* Does the key's logical database still map to the physical one that `ref` was made with? Settled
 * as long as a stripe is held, or, for a reader who asks under an even sequence, as long as that
 * stands. */
static inline bool sc_ref_current(const sc_arena *arena, const sc_key *key, const sc_ref *ref) {
    return SC_LIKELY(sc_physical_db(arena, key->db) == ref->db);
}

/* An entry's header and the places of its parts, from one load of its first word. */
typedef struct sc_view {
    uint64_t offset; /* of the entry */
    sc_entry head;
    /* relative to offset; 0 = not there */
    uint32_t expire_at, chain_at, int_at, body_at, key_at, value_at;
} sc_view;

/* What a container's entry holds in front of its key, once it is a tree: sc_tree for each of its
 * trees, then what else the type needs (a hash when its first field expires, a stream its bytes),
 * then a version: a random number at first, one more with each change. */
#define SC_STREAM_BODY (SC_STREAM_TREES * sizeof(sc_tree) + SC_STREAM_META + sizeof(uint64_t))
static inline uint32_t sc_trees_of(int type) {
    return type == SC_STREAM ? SC_STREAM_TREES : type == SC_ZSET ? 2 : 1;
}
static inline uint32_t sc_body_bytes(uint8_t encoding) {
    static const uint8_t bytes[16] = {
        [SC_LIST] = sizeof(sc_tree) + 8,       [SC_SET] = sizeof(sc_tree) + 8,
        [SC_ZSET] = 2 * sizeof(sc_tree) + 8,   [SC_HASH] = sizeof(sc_tree) + 16,
        [SC_STREAM] = (uint8_t)SC_STREAM_BODY,
    };
    return SC_UNLIKELY(encoding & SC_ENC_TREE) ? bytes[encoding & SC_ENC_TYPE] : 0;
}
static inline bool sc_is_container(uint8_t encoding) {
    if (SC_LIKELY(encoding < SC_ENC_PACKED)) return false;
    uint8_t type = encoding & SC_ENC_TYPE, form = encoding & (uint8_t)~SC_ENC_TYPE;
    if (type < SC_LIST || type > SC_STREAM) return false;
    return form == SC_ENC_TREE || (form == SC_ENC_PACKED && type != SC_STREAM);
}
static inline int sc_type_of(uint8_t encoding) {
    return sc_is_container(encoding) ? encoding & SC_ENC_TYPE : SC_STRING;
}

static inline sc_entry sc_entry_load(const sc_arena *arena, uint64_t offset) {
    union {
        uint64_t word;
        sc_entry entry;
    } head = {.word = sc_load64(sc_at(arena, offset))};
    return head.entry;
}
static inline void sc_view_places(sc_view *view) {
    uint32_t at = 8;
    view->expire_at = view->head.flags & SC_ENTRY_TTL ? at : 0;
    at += view->head.flags & SC_ENTRY_TTL ? 8 : 0;
    view->chain_at = view->head.flags & SC_ENTRY_CHAIN ? at : 0;
    at += view->head.flags & SC_ENTRY_CHAIN ? 8 : 0;
    view->int_at = view->head.encoding == SC_ENC_INT ? at : 0;
    at += view->head.encoding == SC_ENC_INT ? 8 : 0;
    uint32_t body = sc_body_bytes(view->head.encoding);
    view->body_at = body ? at : 0;
    at += body;
    view->key_at = at;
    view->value_at = at + view->head.key_bytes;
}
/* False when the entry's fixed part and key do not lie in the heap: damage, or a write in progress.
 */
static inline bool sc_view_load(const sc_arena *arena, sc_view *view, uint64_t offset) {
    if (!sc_in_heap(arena, offset, 8)) return false;
    view->offset = offset;
    view->head = sc_entry_load(arena, offset);
    sc_view_places(view);
    return sc_in_heap(arena, offset, view->value_at);
}
static inline uint64_t sc_view_expire(const sc_arena *arena, const sc_view *view) {
    return view->expire_at ? sc_load64(sc_at(arena, view->offset + view->expire_at)) : 0;
}
static inline int64_t sc_view_int(const sc_arena *arena, const sc_view *view) {
    return (int64_t)sc_load64(sc_at(arena, view->offset + view->int_at));
}
/* Where a container in trees has its version. */
static inline uint64_t *sc_view_version(const sc_arena *arena, const sc_view *view) {
    uint32_t at = view->body_at + sc_body_bytes(view->head.encoding) - 8;
    return (uint64_t *)sc_at(arena, view->offset + at);
}
/* Where a packed container's leaf lies. */
static inline uint32_t sc_view_leaf_at(const sc_view *view) {
    return (view->value_at + 7) & ~7u;
}
static inline uint32_t sc_view_shape(const sc_view *view) {
    return view->head.value_bytes >> SC_SHAPE_SHIFT;
}
static inline bool sc_is_string(const sc_view *view) {
    return view->head.encoding >= SC_ENC_RAW && view->head.encoding <= SC_ENC_APPENDED;
}
/* Dead: expired, or of a database that was flushed. */
bool sc_view_is_dead(const sc_arena *arena, const sc_view *view);

/* What an entry is to hold. */
typedef struct sc_content {
    const char *value; /* with RAW */
    uint64_t value_bytes;
    int64_t integer; /* with INT */
    uint8_t encoding;
    uint64_t expire_ms;
} sc_content;
/* INT if the bytes are the canonical decimal form of a 64-bit integer, else RAW. */
void sc_content_encode(sc_content *content, const char *value, uint64_t bytes, uint64_t expire_ms);
bool sc_parse_int64(const char *text, uint64_t length, int64_t *out);
uint32_t sc_format_int64(int64_t value, char out[21]);

/* Allocate and fill; evicts when it must. The entry is not linked anywhere but the log. */
int sc_entry_build(sc_txn *txn, const sc_ref *ref, const sc_content *content, uint64_t *offset);
/* A new head block with another expiry (and, with `ref`, another key), and the same chain. */
int sc_entry_rehead(sc_txn *txn, const sc_view *view, uint64_t expire_ms, uint64_t *offset);
/* After unlinking: the entry's blocks go when the transaction commits. */
void sc_entry_free(sc_txn *txn, const sc_view *view);

/* Copy value bytes [from, from + length) to `out`; false on damage. Bounded whatever the bytes say.
 */
bool sc_value_copy(const sc_arena *arena, const sc_view *view, uint64_t from, uint64_t length,
                   char *out);
/* Give the value as GET returns it to a sink: SC_OK, SC_NO_MEMORY, SC_CORRUPT, SC_WRONG_TYPE. */
int sc_value_emit(const sc_arena *arena, const sc_view *view, sc_sink *sink);
/* GETRANGE's indices: inclusive, negative from the end. An empty range has a count of 0. */
void sc_value_clamp(int64_t start, int64_t end, uint64_t length, uint64_t *from, uint64_t *count);
/* A part that lies within the value: SC_OK, SC_NO_MEMORY, SC_CORRUPT. */
int sc_value_emit_part(const sc_arena *arena, const sc_view *view, uint64_t from, uint64_t count,
                       sc_sink *sink);
uint64_t sc_value_length(const sc_arena *arena, const sc_view *view);
uint64_t sc_entry_memory(const sc_arena *arena, const sc_view *view);
/* Smallest block that the head needs, and how a value is cut into chunks. */
uint64_t sc_value_inline_bytes(const sc_arena *arena, uint64_t fixed_bytes, uint64_t value_bytes);

#endif
