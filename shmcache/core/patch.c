/* A part of a string written where it lies: what SETBIT or SETRANGE change is not worth writing all
 * of a long string anew. */
#include "leaf.h"
#include "ops.h"

/* The part of `bytes` that lies in a block that holds `held` bytes of the value from `position` on;
 * what is behind it is left in `bytes`. */
static int patch_block(sc_txn *txn, uint64_t offset, uint64_t position, uint64_t held,
                       uint64_t *from, sc_bytes *bytes) {
    if (*from >= position + held) return SC_OK;
    uint64_t skip = *from - position;
    uint64_t part = held - skip < bytes->length ? held - skip : bytes->length;
    int status = sc_txn_patch(txn, offset + skip, bytes->bytes, (uint32_t)part);
    *bytes = (sc_bytes){bytes->bytes + part, bytes->length - part};
    *from += part;
    return status;
}

static int patch_value(sc_txn *txn, const sc_view *view, uint64_t from, sc_bytes bytes) {
    const sc_arena *arena = txn->writer->arena;
    uint64_t position =
        view->chain_at ? sc_value_inline_bytes(arena, view->head.key_bytes, view->head.value_bytes)
                       : view->head.value_bytes;
    int status = patch_block(txn, view->offset + view->value_at, 0, position, &from, &bytes);
    if (status != SC_OK || !bytes.length) return status;
    uint64_t block = sc_load64(sc_at(arena, view->offset + view->chain_at));
    while (status == SC_OK && bytes.length) {
        if (!sc_in_heap(arena, block, sizeof(sc_chunk))) return SC_CORRUPT;
        const sc_chunk *chunk = sc_at(arena, block);
        uint64_t held = sc_chunk_length(chunk);
        if (!held || !sc_in_heap(arena, block, sizeof *chunk + held)) return SC_CORRUPT;
        status = patch_block(txn, block + sizeof *chunk, position, held, &from, &bytes);
        position += held;
        block = sc_chunk_next(chunk);
    }
    return status;
}

static int patch_locked(sc_txn *txn, const sc_ref *ref, uint64_t from, sc_bytes bytes) {
    sc_arena *arena = txn->writer->arena;
    sc_found found;
    int status = sc_op_find(txn, ref, &found);
    if (status != SC_OK) return status;
    const sc_view *view = &found.view;
    uint64_t length = view->head.value_bytes;
    if (view->head.encoding == SC_ENC_INT) return SC_UNCHANGED;
    if (!sc_is_string(view)) return SC_WRONG_TYPE;
    if (bytes.length > SC_PATCH_MOST || bytes.length > length || from > length - bytes.length) {
        return SC_UNCHANGED;
    }
    status = sc_txn_reserve(txn, 1);
    if (status != SC_OK) return status;
    sc_txn_open(txn, ref->stripe);
    if (view->head.encoding != SC_ENC_APPENDED) {
        union {
            sc_entry entry;
            uint64_t word;
        } head = {.entry = view->head};
        head.entry.encoding = SC_ENC_APPENDED;
        sc_txn_store64(txn, sc_at(arena, view->offset), head.word);
    }
    sc_mark_access(arena, view->offset);
    return patch_value(txn, view, from, bytes);
}

int sc_tx_patch(sc_tx *tx, const sc_key *key, uint64_t from, sc_bytes bytes) {
    sc_writer *writer = sc_tx_writer(tx);
    sc_ref ref;
    uint32_t mark = writer->main.count;
    int status = sc_tx_ref_existing(writer, key, &ref);
    if (status == SC_OK) status = patch_locked(&writer->main, &ref, from, bytes);
    if (status != SC_OK) sc_txn_undo_to(&writer->main, mark);
    if (status == SC_OK) sc_note_change(&writer->main, &ref, SC_EVENT_SETRANGE, SC_NOTE_NAMED);
    return status;
}
