/* Entries and chunk chains. See entry.h for the interface, layout.h for the bytes. */
#include "entry.h"

#include "evict.h"
#include "heap.h"

#define SC_FIXED_MOST 24 /* header, expiry, chain: the value is cut as if all were there */

/* ---- keys -------------------------------------------------------------------------------------*/

bool sc_view_is_dead(const sc_arena *arena, const sc_view *view) {
    uint64_t retired = sc_load64(&arena->header->retired_dbs);
    if (SC_UNLIKELY(retired >> (view->head.flags & SC_ENTRY_DB) & 1)) return true;
    return view->expire_at && sc_is_past(sc_view_expire(arena, view));
}

/* ---- integers ---------------------------------------------------------------------------------*/

bool sc_parse_int64(const char *text, uint64_t length, int64_t *out) {
    if (length == 0 || length > 20) return false;
    bool negative = text[0] == '-';
    uint64_t at = negative, value = 0;
    if (at == length) return false;
    if (text[at] == '0') { /* only "0" itself: "-0" and "007" would not come back the same */
        *out = 0;
        return length == 1;
    }
    for (; at < length; at++) {
        uint32_t digit = (uint32_t)(unsigned char)text[at] - '0';
        if (digit > 9) return false;
        if (__builtin_mul_overflow(value, 10, &value)) return false;
        if (__builtin_add_overflow(value, digit, &value)) return false;
    }
    if (value > (uint64_t)INT64_MAX + negative) return false;
    *out = (int64_t)(negative ? 0 - value : value);
    return true;
}

uint32_t sc_format_int64(int64_t value, char out[21]) {
    char digits[20];
    uint32_t count = 0, at = 0;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0) out[at++] = '-';
    while (count)
        out[at++] = digits[--count];
    return at;
}

void sc_content_encode(sc_content *content, const char *value, uint64_t bytes, uint64_t expire_ms) {
    *content = (sc_content){.value = value, .value_bytes = bytes, .expire_ms = expire_ms};
    bool integer = sc_parse_int64(value, bytes, &content->integer);
    content->encoding = integer ? SC_ENC_INT : SC_ENC_RAW;
    if (integer) content->value_bytes = 0;
}

/* ---- cutting values into chunks ---------------------------------------------------------------*/

static uint64_t single_block_limit(const sc_arena *arena) {
    uint64_t eighth = UINT64_C(1) << arena->page_shift >> 3;
    return eighth < 1024 ? 1024 : eighth;
}

/* The value's first part that lies in the entry. The rest is a whole number of full chunks, but for
 * a key so long that not even the remainder fits beside it. Does not depend on the expiry, so that
 * one can come and go without recutting the value. */
uint64_t sc_value_inline_bytes(const sc_arena *arena, uint64_t key_bytes, uint64_t value_bytes) {
    uint64_t fixed = SC_FIXED_MOST + key_bytes;
    if (fixed + value_bytes <= single_block_limit(arena)) return value_bytes;
    uint64_t rest = value_bytes;
    for (uint32_t i = arena->classes.chunk_count; i-- > 0;)
        rest %= sc_chunk_payload(arena, i);
    return fixed + rest <= UINT64_C(1) << arena->page_shift ? rest : 0;
}

/* Chunks are taken from the value's end, the largest first, so that the chain grows at its front.
 */
static int build_chain(sc_txn *txn, const sc_ref *ref, const sc_content *content,
                       uint64_t inline_bytes, uint64_t *first) {
    sc_arena *arena = txn->writer->arena;
    uint64_t end = content->value_bytes;
    sc_log_entry *chain = sc_txn_append(txn, SC_LOG_ALLOC_CHAIN, 0);
    for (uint32_t i = arena->classes.chunk_count; i-- > 0;) {
        uint64_t payload = sc_chunk_payload(arena, i);
        while (end - inline_bytes >= payload || (i == 0 && end > inline_bytes)) {
            uint64_t length = end - inline_bytes < payload ? end - inline_bytes : payload;
            uint64_t block =
                sc_take_chunk(txn, arena->classes.first_chunk + i, chain, length, ref->hash);
            if (!block) return SC_NO_MEMORY;
            end -= length;
            sc_copy((char *)sc_at(arena, block) + sizeof(sc_chunk), content->value + end, length);
        }
    }
    *first = chain->word;
    return SC_OK;
}

/* ---- building ---------------------------------------------------------------------------------*/

static void fill_head(sc_arena *arena, uint64_t offset, const sc_entry *head, const sc_ref *ref,
                      const sc_content *content, uint64_t chain, uint64_t inline_bytes) {
    sc_view view = {.offset = offset, .head = *head};
    union {
        sc_entry entry;
        uint64_t word;
    } first = {.entry = *head};
    sc_view_places(&view);
    sc_fill_fence();
    char *base = sc_at(arena, offset);
    sc_put64((uint64_t *)(void *)base, first.word);
    if (view.expire_at) sc_put64(sc_at(arena, offset + view.expire_at), content->expire_ms);
    if (view.chain_at) sc_put64(sc_at(arena, offset + view.chain_at), chain);
    if (view.int_at) sc_put64(sc_at(arena, offset + view.int_at), (uint64_t)content->integer);
    sc_copy(base + view.key_at, ref->bytes, ref->length);
    if (inline_bytes) sc_copy(base + view.value_at, content->value, inline_bytes);
}

/* The class of an entry's own block. Large values share few classes, at a cost of some 64th of the
 * value: otherwise a cache of them would keep a page, nearly empty, for each of the many
 * remainders. A multiple of 64 bytes gives each an access mark of its own. */
static uint32_t head_class(const sc_arena *arena, const sc_entry *head, uint64_t inline_bytes) {
    sc_view view = {.head = *head};
    sc_view_places(&view);
    uint64_t bytes = view.value_at + inline_bytes, page = UINT64_C(1) << arena->page_shift;
    if (view.chain_at) {
        uint64_t step = UINT64_C(1) << (63 - __builtin_clzll(head->value_bytes / 32 | 64));
        uint64_t rounded = (bytes + step - 1) & ~(step - 1);
        bytes = rounded < page / 4 ? rounded : bytes < page / 4 ? page / 4 : bytes;
    }
    return sc_class_for_entry(arena, bytes);
}

int sc_entry_build(sc_txn *txn, const sc_ref *ref, const sc_content *content, uint64_t *offset) {
    sc_arena *arena = txn->writer->arena;
    uint64_t heap_bytes = arena->page_count << arena->page_shift;
    if (content->value_bytes > (UINT64_C(512) << 20) ||
        content->value_bytes > heap_bytes - heap_bytes / 8) {
        return SC_VALUE_TOO_LONG;
    }
    uint64_t chain = 0;
    uint64_t inline_bytes = sc_value_inline_bytes(arena, ref->length, content->value_bytes);
    int status = sc_txn_reserve(txn, 2);
    if (status == SC_OK && inline_bytes < content->value_bytes) {
        status = build_chain(txn, ref, content, inline_bytes, &chain);
    }
    if (status != SC_OK) return status;
    sc_entry head = {.value_bytes = (uint32_t)content->value_bytes,
                     .key_bytes = (uint16_t)ref->length,
                     .encoding = content->encoding,
                     .flags = (uint8_t)(ref->db | (content->expire_ms ? SC_ENTRY_TTL : 0) |
                                        (chain ? SC_ENTRY_CHAIN : 0))};
    uint64_t block = sc_take(txn, head_class(arena, &head, inline_bytes));
    if (!block) return SC_NO_MEMORY;
    fill_head(arena, block, &head, ref, content, chain, inline_bytes);
    sc_mark_new(arena, block);
    *offset = block;
    return SC_OK;
}

int sc_entry_rehead(sc_txn *txn, const sc_view *view, uint64_t expire_ms, uint64_t *offset) {
    sc_arena *arena = txn->writer->arena;
    uint64_t inline_bytes =
        sc_value_inline_bytes(arena, view->head.key_bytes, view->head.value_bytes);
    sc_entry head = view->head;
    head.flags = (uint8_t)((head.flags & ~SC_ENTRY_TTL) | (expire_ms ? SC_ENTRY_TTL : 0));
    int status = sc_txn_reserve(txn, 1);
    if (status != SC_OK) return status;
    uint64_t block = sc_take(txn, head_class(arena, &head, inline_bytes));
    if (!block) return SC_NO_MEMORY;
    const char *old = sc_at(arena, view->offset);
    sc_ref ref = {.bytes = old + view->key_at, .length = head.key_bytes};
    sc_content content = {.value = old + view->value_at,
                          .integer = view->int_at ? sc_view_int(arena, view) : 0,
                          .expire_ms = expire_ms};
    uint64_t chain = view->chain_at ? sc_load64(sc_at(arena, view->offset + view->chain_at)) : 0;
    fill_head(arena, block, &head, &ref, &content, chain, inline_bytes);
    sc_mark_move(arena, view->offset, block);
    *offset = block;
    return SC_OK;
}

/* Trees, and what hangs on leaves, before the block that they start in. */
static __attribute__((noinline)) void free_container(sc_txn *txn, const sc_view *view) {
    if (!view->body_at) {
        sc_txn_free_tree(txn, (view->offset + sc_view_leaf_at(view)) >> 3);
        return;
    }
    const sc_tree *trees = sc_at(txn->writer->arena, view->offset + view->body_at);
    for (uint32_t i = 0; i < sc_trees_of(view->head.encoding & SC_ENC_TYPE); i++)
        sc_txn_free_tree(txn, trees[i].root);
}

void sc_entry_free(sc_txn *txn, const sc_view *view) {
    sc_arena *arena = txn->writer->arena;
    if (SC_UNLIKELY(sc_is_container(view->head.encoding))) free_container(txn, view);
    sc_txn_free(txn, view->offset);
    if (view->chain_at) {
        sc_txn_free_chain(txn, sc_load64(sc_at(arena, view->offset + view->chain_at)));
    }
}

/* ---- reading ----------------------------------------------------------------------------------*/

static bool copy_from_chain(const sc_arena *arena, const sc_view *view, uint64_t position,
                            uint64_t from, uint64_t length, char *out) {
    uint64_t block = sc_load64(sc_at(arena, view->offset + view->chain_at));
    while (length) {
        if (!sc_in_heap(arena, block, sizeof(sc_chunk))) return false;
        const sc_chunk *chunk = sc_at(arena, block);
        uint64_t held = sc_chunk_length(chunk);
        /* Every chunk advances, so a walk ends however the links run. */
        if (!held || !sc_in_heap(arena, block, sizeof(sc_chunk) + held)) return false;
        if (from < position + held) {
            uint64_t skip = from - position;
            uint64_t part = held - skip < length ? held - skip : length;
            sc_copy(out, (const char *)chunk + sizeof(sc_chunk) + skip, part);
            out += part;
            from += part;
            length -= part;
        }
        position += held;
        block = sc_chunk_next(chunk);
    }
    return true;
}

bool sc_value_copy(const sc_arena *arena, const sc_view *view, uint64_t from, uint64_t length,
                   char *out) {
    uint64_t inline_bytes =
        view->chain_at ? sc_value_inline_bytes(arena, view->head.key_bytes, view->head.value_bytes)
                       : view->head.value_bytes;
    if (!sc_in_heap(arena, view->offset, view->value_at + inline_bytes)) return false;
    if (from < inline_bytes) {
        uint64_t part = inline_bytes - from < length ? inline_bytes - from : length;
        sc_copy(out, (const char *)sc_at(arena, view->offset) + view->value_at + from, part);
        out += part;
        from += part;
        length -= part;
    }
    if (!length) return true;
    return view->chain_at && copy_from_chain(arena, view, inline_bytes, from, length, out);
}

uint64_t sc_value_length(const sc_arena *arena, const sc_view *view) {
    if (view->head.encoding != SC_ENC_INT) return view->head.value_bytes;
    char text[21];
    return sc_format_int64(sc_view_int(arena, view), text);
}

int sc_value_emit(const sc_arena *arena, const sc_view *view, sc_sink *sink) {
    if (view->head.encoding == SC_ENC_INT) {
        char text[21];
        uint32_t length = sc_format_int64(sc_view_int(arena, view), text);
        char *out = sink->reserve(sink, length);
        if (!out) return SC_NO_MEMORY;
        memcpy(out, text, length);
        return SC_OK;
    }
    if (SC_UNLIKELY(!sc_is_string(view))) return SC_WRONG_TYPE;
    uint64_t length = view->head.value_bytes;
    if (SC_UNLIKELY(length > arena->data_bytes)) return SC_CORRUPT;
    char *out = sink->reserve(sink, length);
    if (!out) return SC_NO_MEMORY;
    if (SC_LIKELY(!view->chain_at)) {
        if (SC_UNLIKELY(!sc_in_heap(arena, view->offset, view->value_at + length))) {
            return SC_CORRUPT;
        }
        sc_copy(out, (const char *)sc_at(arena, view->offset) + view->value_at, length);
        return SC_OK;
    }
    return sc_value_copy(arena, view, 0, length, out) ? SC_OK : SC_CORRUPT;
}

void sc_value_clamp(int64_t start, int64_t end, uint64_t length, uint64_t *from, uint64_t *count) {
    int64_t size = (int64_t)length;
    *from = *count = 0;
    if (start < 0 && end < 0 && start > end) return;
    if (start < 0) start = start < -size ? 0 : start + size;
    if (end < 0) end = end < -size ? 0 : end + size;
    if (end >= size) end = size - 1;
    if (start > end || size == 0) return;
    *from = (uint64_t)start;
    *count = (uint64_t)(end - start) + 1;
}

int sc_value_emit_part(const sc_arena *arena, const sc_view *view, uint64_t from, uint64_t count,
                       sc_sink *sink) {
    char *out = sink->reserve(sink, count);
    if (!out) return SC_NO_MEMORY;
    if (!count) return SC_OK;
    if (view->head.encoding == SC_ENC_INT) {
        char text[21];
        sc_format_int64(sc_view_int(arena, view), text);
        memcpy(out, text + from, count);
        return SC_OK;
    }
    return sc_value_copy(arena, view, from, count, out) ? SC_OK : SC_CORRUPT;
}

uint64_t sc_entry_memory(const sc_arena *arena, const sc_view *view) {
    uint32_t size_class = sc_class_of(arena, view->offset);
    uint64_t bytes = sizeof(uint64_t); /* the index slot */
    if (size_class < SC_MAX_CLASSES) bytes += arena->classes.bytes[size_class];
    if (!view->chain_at) return bytes;
    uint64_t inline_bytes =
        sc_value_inline_bytes(arena, view->head.key_bytes, view->head.value_bytes);
    uint64_t rest = view->head.value_bytes - inline_bytes;
    for (uint32_t i = arena->classes.chunk_count; i-- > 0;) {
        bytes +=
            rest / sc_chunk_payload(arena, i) * (sc_chunk_payload(arena, i) + sizeof(sc_chunk));
        rest %= sc_chunk_payload(arena, i);
    }
    return rest ? bytes + rest + sizeof(sc_chunk) : bytes;
}
