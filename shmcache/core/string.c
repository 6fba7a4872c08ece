/* Strings and integers: reads without a lock, one-key writes. */
#include <stdlib.h>

#include "get.h"
#include "ops.h"

/* ---- reads ------------------------------------------------------------------------------------*/

static inline int emit_found(const sc_read *read, const sc_found *found, sc_sink *sink) {
    if (SC_UNLIKELY(found->view.head.value_bytes > SC_LARGE_VALUE) && !sc_read_is_whole(read)) {
        return SC_MISS; /* torn: the loop starts over */
    }
    return sc_value_emit(read->arena, &found->view, sink);
}

int sc_get(sc_arena *arena, const sc_key *key, sc_sink *sink) {
    return sc_get_with(arena, key, sink, sink->reserve, NULL);
}

sc_hint *sc_hints_new(void) {
    sc_hint *hints = aligned_alloc(SC_CACHE_LINE, SC_HINTS * sizeof *hints);
    if (hints) memset(hints, 0, SC_HINTS * sizeof *hints);
    for (size_t i = 0; hints && i < SC_HINTS; i++)
        hints[i].sequence = 1;
    return hints;
}

void sc_hint_drop(sc_arena *arena, sc_hint *hint) {
    void *made = hint->made;
    hint->made = NULL;
    arena->made_bytes -= arena->hooks.drop_made(made);
}

void sc_hints_free(sc_arena *arena) {
    for (size_t i = 0; arena->hints && i < SC_HINTS; i++) {
        if (arena->hints[i].made) sc_hint_drop(arena, &arena->hints[i]);
    }
    free(arena->hints);
}

int sc_get_slow(sc_arena *arena, const sc_key *key, sc_sink *sink) {
    if (SC_UNLIKELY(sc_check_key(arena, key) != SC_OK)) return SC_MISS;
    sc_ref ref;
    sc_found found;
    int status;
    sc_read read;
    sc_read_start_key(&read, arena, key, &ref);
    do {
        status = sc_find_live(arena, &ref, &found);
        if (SC_LIKELY(status == SC_OK)) status = emit_found(&read, &found, sink);
    } while (sc_read_again(&read, &status));
    if (SC_LIKELY(status == SC_OK)) sc_mark_access(arena, found.view.offset);
    if (status == SC_OK || status == SC_MISS) sc_count_read(arena, status == SC_OK);
    return status;
}

static int emit_range(const sc_read *read, const sc_view *view, int64_t start, int64_t end,
                      sc_sink *sink) {
    const sc_arena *arena = read->arena;
    if (!sc_is_string(view)) return SC_WRONG_TYPE;
    uint64_t from, count, length = sc_value_length(arena, view);
    if (length > arena->data_bytes) return SC_CORRUPT;
    sc_value_clamp(start, end, length, &from, &count);
    if (count > SC_LARGE_VALUE && !sc_read_is_whole(read)) return SC_MISS;
    return sc_value_emit_part(arena, view, from, count, sink);
}

int sc_get_range(sc_arena *arena, const sc_key *key, int64_t start, int64_t end, sc_sink *sink) {
    if (sc_check_key(arena, key) != SC_OK) return SC_MISS;
    sc_ref ref;
    sc_found found;
    int status;
    sc_read read;
    sc_read_start_key(&read, arena, key, &ref);
    do {
        status = sc_find_live(arena, &ref, &found);
        if (status == SC_OK) status = emit_range(&read, &found.view, start, end, sink);
    } while (sc_read_again(&read, &status));
    if (status == SC_OK) sc_mark_access(arena, found.view.offset);
    if (status == SC_OK || status == SC_MISS) sc_count_read(arena, status == SC_OK);
    return status;
}

/* One pass over all keys; the sequences are kept so that the caller can check them together. */
static int get_pass(sc_arena *arena, sc_ref *refs, size_t count, sc_sink **sinks, int *statuses,
                    sc_read *reads, uint64_t *offsets) {
    for (size_t i = 0; i < count; i++) {
        sc_found found;
        sc_read_enter(&reads[i]);
        if (reads[i].given_up) return reads[i].given_up;
        statuses[i] = reads[i].key ? sc_find_live(arena, &refs[i], &found) : SC_MISS;
        if (statuses[i] == SC_OK) statuses[i] = emit_found(&reads[i], &found, sinks[i]);
        if (statuses[i] == SC_NO_MEMORY) return SC_NO_MEMORY;
        if (statuses[i] == SC_WRONG_TYPE) statuses[i] = SC_MISS; /* as MGET answers */
        offsets[i] = statuses[i] == SC_OK ? found.view.offset : 0;
    }
    return SC_OK;
}

static bool all_whole(sc_read *reads, size_t count, size_t *changed) {
    for (size_t i = 0; i < count; i++) {
        if (sc_read_is_whole(&reads[i])) continue;
        *changed = i;
        return false;
    }
    return true;
}

static void count_pass(sc_arena *arena, size_t count, const int *statuses,
                       const uint64_t *offsets) {
    for (size_t i = 0; i < count; i++) {
        sc_count_read(arena, statuses[i] == SC_OK);
        if (statuses[i] == SC_OK) sc_mark_access(arena, offsets[i]);
    }
}

int sc_get_many(sc_arena *arena, const sc_key *keys, size_t count, sc_sink **sinks, int *statuses) {
    uint8_t *room = malloc(count * (sizeof(sc_ref) + sizeof(sc_read) + sizeof(uint64_t)) + 1);
    if (!room) return SC_NO_MEMORY;
    sc_read *reads = (sc_read *)(void *)room;
    sc_ref *refs = (sc_ref *)(void *)(reads + count);
    uint64_t *offsets = (uint64_t *)(void *)(refs + count);
    for (size_t i = 0; i < count; i++) {
        sc_ref_make(arena, &refs[i], &keys[i]);
        reads[i] = (sc_read){.arena = arena, .stripe = &arena->stripes[refs[i].stripe]};
        if (sc_check_key(arena, &keys[i]) == SC_OK) {
            reads[i].key = &keys[i];
            reads[i].ref = &refs[i];
        }
    }
    sc_patience patience = {0};
    size_t changed = 0;
    int status = get_pass(arena, refs, count, sinks, statuses, reads, offsets);
    while (status == SC_OK && !all_whole(reads, count, &changed)) {
        status = sc_reader_wait(arena, reads[changed].stripe, &patience);
        if (status == SC_OK) status = get_pass(arena, refs, count, sinks, statuses, reads, offsets);
    }
    if (status == SC_OK) count_pass(arena, count, statuses, offsets);
    free(room);
    return status;
}

/* ---- writes -----------------------------------------------------------------------------------*/

/* What can be built before the lock is taken: everything that does not depend on the old entry. */
static bool can_prepare(const sc_set_args *args) {
    return !(args->flags & (SC_SET_NX | SC_SET_XX | SC_SET_KEEP_TTL)) && !args->old;
}

static int set_once(sc_arena *arena, const sc_key *key, const sc_set_args *args) {
    sc_writer *writer;
    sc_ref ref;
    int status = sc_check_key(arena, key);
    if (status == SC_OK) status = sc_op_check(args);
    if (status == SC_OK) status = sc_writer_checkout(arena, &writer);
    if (status != SC_OK) return status;
    uint64_t built = 0;
    for (;;) {
        sc_txn_begin(&writer->main);
        sc_ref_make(arena, &ref, key);
        if (can_prepare(args)) {
            sc_content content;
            sc_op_content(args, &content);
            status = sc_entry_build(&writer->main, &ref, &content, &built);
        }
        if (status == SC_OK) status = sc_txn_lock(&writer->main, ref.stripe);
        if (status != SC_OK || sc_ref_current(arena, key, &ref)) break;
        sc_txn_abort(&writer->main); /* the database was flushed or swapped meanwhile */
    }
    if (status == SC_OK) status = sc_op_set(&writer->main, &ref, args, built);
    return sc_op_end(writer, status);
}

int sc_set(sc_arena *arena, const sc_key *key, const sc_set_args *args) {
    int status, attempts = 0;
    do {
        status = set_once(arena, key, args);
    } while (sc_op_again(arena, status, &attempts));
    return status;
}

static int integer_of(const sc_arena *arena, const sc_view *view, int64_t *value) {
    if (view->head.encoding == SC_ENC_INT) {
        *value = sc_view_int(arena, view);
        return SC_OK;
    }
    if (!sc_is_string(view)) return SC_WRONG_TYPE;
    char text[20];
    uint64_t length = view->head.value_bytes;
    if (length > sizeof text || !sc_value_copy(arena, view, 0, length, text)) {
        return SC_NOT_INTEGER;
    }
    return sc_parse_int64(text, length, value) ? SC_OK : SC_NOT_INTEGER;
}

static int incr_locked(sc_txn *txn, const sc_ref *ref, int64_t by, int64_t *result) {
    sc_arena *arena = txn->writer->arena;
    sc_found found;
    int64_t value = 0;
    int status = sc_op_find(txn, ref, &found);
    bool exists = status == SC_OK;
    if (exists) status = integer_of(arena, &found.view, &value);
    if (status != SC_OK && status != SC_MISS) return status;
    if (__builtin_add_overflow(value, by, &value)) return SC_OVERFLOW;
    *result = value;
    if (exists && SC_LIKELY(found.view.head.encoding == SC_ENC_INT)) {
        sc_txn_open(txn, ref->stripe);
        sc_txn_store64(txn, sc_at(arena, found.view.offset + found.view.int_at), (uint64_t)value);
        sc_mark_access(arena, found.view.offset);
        sc_note_change(txn, ref, SC_EVENT_INCRBY, SC_NOTE_NAMED);
        return SC_OK;
    }
    sc_content content = {.encoding = SC_ENC_INT, .integer = value};
    if (exists) content.expire_ms = sc_view_expire(arena, &found.view);
    uint64_t offset;
    status = sc_entry_build(txn, ref, &content, &offset);
    if (status == SC_OK) status = sc_op_link(txn, ref, &found, offset, content.expire_ms);
    if (status == SC_OK) sc_note_change(txn, ref, SC_EVENT_INCRBY, SC_NOTE_NAMED);
    return status;
}

int sc_incr(sc_arena *arena, const sc_key *key, int64_t by, int64_t *result) {
    sc_writer *writer;
    sc_ref ref;
    int status, attempts = 0;
    do {
        status = sc_op_begin(arena, key, &writer, &ref);
        if (status != SC_OK) return status;
        status = sc_op_end(writer, incr_locked(&writer->main, &ref, by, result));
    } while (sc_op_again(arena, status, &attempts));
    return status;
}

/* The old value and the new bytes, joined; NULL when they cannot be. */
static char *joined(const sc_arena *arena, const sc_view *view, const char *value, uint64_t bytes,
                    uint64_t *total) {
    uint64_t old = sc_value_length(arena, view);
    char *text = malloc(old + bytes + 1);
    if (!text) return NULL;
    if (view->head.encoding == SC_ENC_INT) {
        char digits[21];
        memcpy(text, digits, sc_format_int64(sc_view_int(arena, view), digits));
    } else if (!sc_value_copy(arena, view, 0, old, text)) {
        free(text);
        return NULL;
    }
    memcpy(text + old, value, bytes);
    *total = old + bytes;
    return text;
}

static int append_locked(sc_txn *txn, const sc_ref *ref, const char *value, uint64_t bytes,
                         uint64_t *new_length) {
    sc_arena *arena = txn->writer->arena;
    sc_found found;
    sc_content content;
    int status = sc_op_find(txn, ref, &found);
    if (status != SC_OK && status != SC_MISS) return status;
    char *text = NULL;
    *new_length = bytes;
    if (status == SC_OK) {
        if (!sc_is_string(&found.view)) return SC_WRONG_TYPE;
        if (sc_value_length(arena, &found.view) + bytes > UINT64_C(512) << 20) {
            return SC_VALUE_TOO_LONG;
        }
        text = joined(arena, &found.view, value, bytes, new_length);
        if (!text) return SC_NO_MEMORY;
        content = (sc_content){.value = text,
                               .value_bytes = *new_length,
                               .encoding = SC_ENC_APPENDED,
                               .expire_ms = sc_view_expire(arena, &found.view)};
    } else {
        sc_content_encode(&content, value, bytes, 0);
    }
    uint64_t offset;
    status = sc_entry_build(txn, ref, &content, &offset);
    if (status == SC_OK) status = sc_op_link(txn, ref, &found, offset, content.expire_ms);
    free(text);
    if (status == SC_OK) sc_note_change(txn, ref, SC_EVENT_APPEND, SC_NOTE_NAMED);
    return status;
}

int sc_append(sc_arena *arena, const sc_key *key, const char *value, uint64_t bytes,
              uint64_t *new_length) {
    sc_writer *writer;
    sc_ref ref;
    int status, attempts = 0;
    do {
        status = sc_op_begin(arena, key, &writer, &ref);
        if (status != SC_OK) return status;
        status = sc_op_end(writer, append_locked(&writer->main, &ref, value, bytes, new_length));
    } while (sc_op_again(arena, status, &attempts));
    return status;
}

int sc_get_delete(sc_arena *arena, const sc_key *key, sc_sink *sink) {
    if (sc_check_key(arena, key) != SC_OK) return arena->writable ? SC_MISS : SC_READ_ONLY;
    sc_writer *writer;
    sc_ref ref;
    sc_found found;
    int status = sc_op_begin(arena, key, &writer, &ref);
    if (status != SC_OK) return status;
    status = sc_op_find(&writer->main, &ref, &found);
    if (status == SC_OK) status = sc_value_emit(arena, &found.view, sink);
    if (status == SC_OK) {
        status = sc_txn_reserve(&writer->main, SC_TABLE_LOG_MOST);
        if (status == SC_OK) sc_op_unlink(&writer->main, &ref, &found);
        if (status == SC_OK) sc_note_change(&writer->main, &ref, SC_EVENT_DEL, SC_NOTE_ALWAYS);
    }
    sc_count_read(arena, status == SC_OK);
    return sc_op_end(writer, status);
}
