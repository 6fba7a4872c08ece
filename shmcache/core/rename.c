/* A key's value under another key: COPY, RENAME and MOVE, whatever its type. */
#include <stdlib.h>

#include "container.h"

static int copy_container(sc_txn *txn, const sc_view *view, const sc_ref *to,
                          const sc_found *target) {
    uint64_t offset;
    int status = sc_container_copy(txn, view, to, &offset);
    return status == SC_OK
               ? sc_op_link(txn, to, target, offset, sc_view_expire(txn->writer->arena, view))
               : status;
}

static int copy_found(sc_txn *txn, const sc_found *from, const sc_ref *to, const sc_found *target) {
    sc_arena *arena = txn->writer->arena;
    const sc_view *view = &from->view;
    if (sc_is_container(view->head.encoding)) return copy_container(txn, view, to, target);
    sc_content content = {.encoding = view->head.encoding,
                          .value_bytes = view->head.value_bytes,
                          .integer = view->int_at ? sc_view_int(arena, view) : 0,
                          .expire_ms = sc_view_expire(arena, view)};
    char *value = malloc(content.value_bytes + 1);
    if (!value) return SC_NO_MEMORY;
    content.value = value;
    uint64_t offset;
    int status = sc_value_copy(arena, view, 0, content.value_bytes, value) ? SC_OK : SC_CORRUPT;
    if (status == SC_OK) status = sc_entry_build(txn, to, &content, &offset);
    free(value);
    return status == SC_OK ? sc_op_link(txn, to, target, offset, content.expire_ms) : status;
}

/* What a key held before does not live on in it: to Redis it is another. */
static void note_taken_over(sc_txn *txn, const sc_ref *target, bool replaced, uint32_t event) {
    if (replaced) sc_note_change(txn, target, SC_EVENT_NEW, SC_NOTE_ALWAYS);
    sc_note_change(txn, target, event, SC_NOTE_ALWAYS);
}

int sc_tx_copy(sc_tx *tx, const sc_key *from, const sc_key *to, bool replace) {
    sc_writer *writer = sc_tx_writer(tx);
    sc_ref source, target;
    sc_found found, existing;
    uint32_t mark = writer->main.count;
    int status = sc_tx_ref_existing(writer, from, &source);
    if (status == SC_OK) status = sc_op_find(&writer->main, &source, &found);
    if (status == SC_OK) status = sc_tx_ref(writer, to, &target);
    if (status != SC_OK) return status;
    status = sc_op_find(&writer->main, &target, &existing);
    if (status == SC_OK && !replace) return SC_UNCHANGED;
    bool replaced = status == SC_OK;
    if (status == SC_OK || status == SC_MISS) {
        status = copy_found(&writer->main, &found, &target, &existing);
    }
    if (status == SC_OK) note_taken_over(&writer->main, &target, replaced, SC_EVENT_COPY_TO);
    return sc_tx_step_end(writer, mark, status);
}

/* The source's entry goes; what hangs on it hangs on the target's now. */
static int move_container(sc_txn *txn, const sc_ref *source, const sc_found *from,
                          const sc_ref *target, const sc_found *existing) {
    uint64_t offset, expire_ms = sc_view_expire(txn->writer->arena, &from->view);
    sc_op_frees(txn, true);
    int status = sc_container_rehead(txn, &from->view, target, expire_ms, &offset);
    if (status == SC_OK) status = sc_op_link(txn, target, existing, offset, expire_ms);
    if (status == SC_OK) status = sc_txn_reserve(txn, SC_TABLE_LOG_MOST);
    if (status != SC_OK) return status;
    sc_found again; /* linking the target may have moved the source's slot */
    status = sc_op_find(txn, source, &again);
    if (status != SC_OK) return status == SC_MISS ? SC_CORRUPT : status;
    sc_txn_open(txn, source->stripe);
    sc_table_remove(txn, source->stripe, &again);
    sc_txn_free(txn, again.view.offset);
    sc_table_shrink(txn, source->stripe);
    return SC_OK;
}

static void note_renamed(sc_txn *txn, const sc_ref *source, const sc_ref *target, bool replaced) {
    bool moved = source->db != target->db;
    if (replaced) sc_note_change(txn, target, SC_EVENT_NEW, SC_NOTE_ALWAYS);
    sc_note_change(txn, source, moved ? SC_EVENT_MOVE_FROM : SC_EVENT_RENAME_FROM, SC_NOTE_ALWAYS);
    sc_note_change(txn, target, moved ? SC_EVENT_MOVE_TO : SC_EVENT_RENAME_TO, SC_NOTE_ALWAYS);
}

int sc_tx_rename(sc_tx *tx, const sc_key *from, const sc_key *to) {
    sc_writer *writer = sc_tx_writer(tx);
    sc_ref source, target;
    sc_found found, existing;
    uint32_t mark = writer->main.count;
    int status = sc_tx_ref_existing(writer, from, &source);
    if (status == SC_OK) status = sc_op_find(&writer->main, &source, &found);
    if (status == SC_OK) status = sc_tx_ref(writer, to, &target);
    if (status != SC_OK) return status;
    if (target.hash == source.hash && target.db == source.db && target.length == source.length &&
        memcmp(target.bytes, source.bytes, target.length) == 0) {
        return SC_OK;
    }
    status = sc_op_find(&writer->main, &target, &existing);
    bool gone, replaced = status == SC_OK;
    if (status == SC_MISS) status = SC_OK;
    if (status == SC_OK && sc_is_container(found.view.head.encoding)) {
        status = move_container(&writer->main, &source, &found, &target, &existing);
    } else if (status == SC_OK) {
        sc_op_frees(&writer->main, true);
        status = copy_found(&writer->main, &found, &target, &existing);
        if (status == SC_OK) status = sc_op_remove(&writer->main, &source, &gone);
    }
    sc_op_frees(&writer->main, false);
    if (status == SC_OK) note_renamed(&writer->main, &source, &target, replaced);
    return sc_tx_step_end(writer, mark, status);
}
