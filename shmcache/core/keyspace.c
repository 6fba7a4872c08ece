/* What every type of key shares: deleting, expiring, describing, copying; transactions. */
#include <stdlib.h>

#include "container.h"
#include "fields.h"
#include "heap.h"

/* ---- steps on a locked stripe
 * -------------------------------------------------------------------*/

int sc_op_begin(sc_arena *arena, const sc_key *key, sc_writer **writer, sc_ref *ref) {
    int status = sc_check_key(arena, key);
    if (status == SC_OK) status = sc_writer_checkout(arena, writer);
    if (status != SC_OK) return status;
    for (;;) {
        sc_txn_begin(&(*writer)->main);
        sc_ref_make(arena, ref, key);
        status = sc_txn_lock(&(*writer)->main, ref->stripe);
        if (status == SC_OK && sc_ref_current(arena, key, ref)) return SC_OK;
        if (status != SC_OK) return sc_op_end(*writer, status);
        sc_txn_abort(&(*writer)->main);
    }
}

int sc_op_end(sc_writer *writer, int status) {
    if (SC_LIKELY(status == SC_OK)) {
        sc_txn_commit(&writer->main);
    } else {
        sc_txn_abort(&writer->main);
    }
    sc_writer_checkin(writer);
    return status;
}

#define SC_OP_ATTEMPTS 4
#define SC_OP_EVICTIONS 8

bool sc_op_again(sc_arena *arena, int status, int *attempts) {
    sc_writer *writer;
    if (SC_LIKELY(status != SC_NO_MEMORY) || ++*attempts > SC_OP_ATTEMPTS) return false;
    if (sc_writer_checkout(arena, &writer) != SC_OK) return false;
    bool evicted = false;
    for (int i = 0; i < SC_OP_EVICTIONS && sc_evict_one(writer); i++) {
        evicted = true;
    }
    sc_writer_checkin(writer);
    return evicted;
}

#define SC_LONG_TRANSACTION_MS 60000

/* Time stands still in a transaction, or a key could die between two of its steps. */
bool sc_op_is_dead(sc_txn *txn, const sc_view *view) {
    const sc_arena *arena = txn->writer->arena;
    if (SC_LIKELY(!view->expire_at)) return sc_view_is_dead(arena, view);
    uint64_t expire_ms = sc_view_expire(arena, view);
    /* What has longer to live than any transaction takes need not be asked of the precise clock. */
    bool far = expire_ms > sc_sys_coarse_ms() + SC_LONG_TRANSACTION_MS;
    if (!txn->now_ms && !far) txn->now_ms = sc_sys_now_ms();
    if (!far && expire_ms <= txn->now_ms) return true;
    return sc_load64(&arena->header->retired_dbs) >> (view->head.flags & SC_ENTRY_DB) & 1;
}

int sc_op_find(sc_txn *txn, const sc_ref *ref, sc_found *found) {
    const sc_arena *arena = txn->writer->arena;
    found->slot = NULL;
    int status = sc_table_find(arena, &arena->stripes[ref->stripe], ref, found);
    return status == SC_OK && sc_op_is_dead(txn, &found->view) ? SC_MISS : status;
}

/* A key that was not there before, or was dead. */
static __attribute__((noinline)) void note_arrival(sc_txn *txn, const sc_ref *ref,
                                                   const sc_found *found) {
    if (found->slot && !sc_op_is_dead(txn, &found->view)) return;
    if (found->slot) sc_note_change(txn, ref, SC_EVENT_EXPIRED, SC_NOTE_ALWAYS);
    sc_note_change(txn, ref, SC_EVENT_NEW, SC_NOTE_ALWAYS);
}

int sc_op_link(sc_txn *txn, const sc_ref *ref, const sc_found *found, uint64_t offset,
               uint64_t expire_ms) {
    int status = sc_txn_reserve(txn, SC_TABLE_LOG_MOST);
    if (status != SC_OK) return status;
    sc_txn_open(txn, ref->stripe);
    if (SC_UNLIKELY(sc_type_of(sc_entry_load(txn->writer->arena, offset).encoding) == SC_HASH)) {
        sc_fields_linked(txn, ref->stripe, offset);
    }
    if (found->slot) {
        sc_table_replace(txn, ref, found, offset, expire_ms);
        sc_entry_free(txn, &found->view);
    } else {
        status = sc_table_insert(txn, ref, offset, expire_ms);
    }
    if (status == SC_OK && sc_notes_wanted(txn)) note_arrival(txn, ref, found);
    return status;
}

void sc_op_unlink(sc_txn *txn, const sc_ref *ref, const sc_found *found) {
    sc_txn_open(txn, ref->stripe);
    sc_table_remove(txn, ref->stripe, found);
    sc_entry_free(txn, &found->view);
    sc_table_shrink(txn, ref->stripe);
}

void sc_op_content(const sc_set_args *args, sc_content *content) {
    if (args->flags & SC_SET_APPENDED) {
        *content = (sc_content){.value = args->value,
                                .value_bytes = args->value_bytes,
                                .encoding = SC_ENC_APPENDED,
                                .expire_ms = args->expire_ms};
    } else {
        sc_content_encode(content, args->value, args->value_bytes, args->expire_ms);
    }
}

int sc_op_check(const sc_set_args *args) {
    uint32_t both = SC_SET_NX | SC_SET_XX;
    if ((args->flags & both) == both) return SC_SYNTAX;
    return args->flags & SC_SET_KEEP_TTL && args->expire_ms ? SC_SYNTAX : SC_OK;
}

static void note_set(sc_txn *txn, const sc_ref *ref, const sc_set_args *args) {
    bool named = txn->notes.named_as != 0;
    sc_note_change(txn, ref, SC_EVENT_SET, SC_NOTE_NAMED);
    if (args->expire_ms && !named) sc_note_change(txn, ref, SC_EVENT_EXPIRE, SC_NOTE_ALWAYS);
}

/* SET: `built` is the new entry when it could be prepared outside the lock. */
int sc_op_set(sc_txn *txn, const sc_ref *ref, const sc_set_args *args, uint64_t built) {
    sc_arena *arena = txn->writer->arena;
    sc_found found;
    int status = sc_op_find(txn, ref, &found);
    if (status != SC_OK && status != SC_MISS) return status;
    bool exists = status == SC_OK;
    if (args->had_old) *args->had_old = exists;
    if (exists && args->old) {
        status = sc_value_emit(arena, &found.view, args->old);
        if (status != SC_OK) return status;
    }
    if ((args->flags & SC_SET_NX && exists) || (args->flags & SC_SET_XX && !exists)) {
        return SC_UNCHANGED;
    }
    uint64_t expire_ms = args->expire_ms;
    if (args->flags & SC_SET_KEEP_TTL) {
        expire_ms = exists ? sc_view_expire(arena, &found.view) : 0;
    }
    if (expire_ms && sc_is_past(expire_ms)) {
        if (built) { /* goes back when the caller's transaction ends; nothing refers to it */
            sc_view view;
            if (sc_view_load(arena, &view, built)) sc_entry_free(txn, &view);
        }
        if (found.slot) sc_op_unlink(txn, ref, &found);
        if (sc_notes_wanted(txn)) { /* it came, and was gone */
            if (!exists) note_arrival(txn, ref, &found);
            note_set(txn, ref, args);
            sc_note_change(txn, ref, SC_EVENT_EXPIRED, SC_NOTE_ALWAYS);
        }
        return SC_OK;
    }
    if (!built) {
        sc_content content;
        sc_op_content(args, &content);
        content.expire_ms = expire_ms;
        status = sc_entry_build(txn, ref, &content, &built);
        if (status != SC_OK) return status;
    }
    status = sc_op_link(txn, ref, &found, built, expire_ms);
    if (status == SC_OK && sc_notes_wanted(txn)) note_set(txn, ref, args);
    return status;
}

int sc_op_remove(sc_txn *txn, const sc_ref *ref, bool *gone) {
    sc_found found;
    int status = sc_op_find(txn, ref, &found);
    *gone = false;
    if (!found.slot) return status;
    sc_op_frees(txn, true);
    int reserved = sc_txn_reserve(txn, SC_TABLE_LOG_MOST);
    sc_op_frees(txn, false);
    if (reserved != SC_OK) return reserved;
    sc_op_unlink(txn, ref, &found);
    *gone = true;
    return status;
}

int sc_op_delete(sc_txn *txn, const sc_ref *ref) {
    bool gone;
    int status = sc_op_remove(txn, ref, &gone);
    if (gone) {
        uint32_t event = status == SC_OK ? SC_EVENT_DEL : SC_EVENT_EXPIRED;
        sc_note_change(txn, ref, event, SC_NOTE_ALWAYS);
    }
    return status;
}

static bool expire_allowed(uint64_t old, uint64_t new, uint32_t flags) {
    if (flags & SC_EXPIRE_NX && old) return false;
    if (flags & SC_EXPIRE_XX && !old) return false;
    if (flags & SC_EXPIRE_GT && (!old || new <= old)) return false;
    if (flags & SC_EXPIRE_LT && old && new >= old) return false;
    return true;
}

int sc_op_expire(sc_txn *txn, const sc_ref *ref, uint64_t expire_ms, uint32_t flags) {
    sc_arena *arena = txn->writer->arena;
    sc_found found;
    int status = sc_op_find(txn, ref, &found);
    if (status != SC_OK) return status;
    uint64_t old = sc_view_expire(arena, &found.view);
    if (!expire_ms && !old) return SC_UNCHANGED;
    if (expire_ms && !expire_allowed(old, expire_ms, flags)) return SC_UNCHANGED;
    status = sc_txn_reserve(txn, SC_TABLE_LOG_MOST);
    if (status != SC_OK) return status;
    if (expire_ms && sc_is_past(expire_ms)) {
        sc_op_unlink(txn, ref, &found);
        sc_note_change(txn, ref, SC_EVENT_DEL, SC_NOTE_ALWAYS);
        return SC_OK;
    }
    if (expire_ms && old) { /* the field is there: one word changes */
        sc_stripe *stripe = &arena->stripes[ref->stripe];
        sc_txn_open(txn, ref->stripe);
        sc_txn_store64(txn, sc_at(arena, found.view.offset + found.view.expire_at), expire_ms);
        if (expire_ms < stripe->next_expiry) sc_txn_store64(txn, &stripe->next_expiry, expire_ms);
        sc_note_change(txn, ref, SC_EVENT_EXPIRE, SC_NOTE_NAMED);
        return SC_OK;
    }
    uint64_t offset;
    sc_op_frees(txn, true); /* the old head goes */
    status = sc_is_container(found.view.head.encoding)
                 ? sc_container_rehead(txn, &found.view, ref, expire_ms, &offset)
                 : sc_entry_rehead(txn, &found.view, expire_ms, &offset);
    sc_op_frees(txn, false);
    if (status == SC_OK) status = sc_txn_reserve(txn, SC_TABLE_LOG_MOST);
    if (status != SC_OK) return status;
    sc_txn_open(txn, ref->stripe);
    sc_table_replace(txn, ref, &found, offset, expire_ms);
    sc_txn_free(txn, found.view.offset); /* what hangs on it lives on in the new head */
    sc_note_change(txn, ref, expire_ms ? SC_EVENT_EXPIRE : SC_EVENT_PERSIST, SC_NOTE_NAMED);
    return SC_OK;
}

void sc_op_describe(const sc_arena *arena, const sc_view *view, sc_info *info) {
    bool container = sc_is_container(view->head.encoding);
    *info = (sc_info){
        .expire_ms = sc_view_expire(arena, view),
        .value_bytes = container ? sc_container_length(arena, view) : sc_value_length(arena, view),
        .memory = container ? sc_container_memory(arena, view) : sc_entry_memory(arena, view),
        .idle_ms = sc_mark_idle_ms(arena, view->offset),
        .frequency = sc_mark_counter(arena, view->offset),
        .encoding = view->head.encoding,
        .type = (uint8_t)sc_type_of(view->head.encoding),
        .shape = container ? (uint8_t)sc_view_shape(view) : 0,
    };
}

/* ---- one key ----------------------------------------------------------------------------------*/

int sc_describe(sc_arena *arena, const sc_key *key, sc_info *info, bool touch) {
    if (sc_check_key(arena, key) != SC_OK) return SC_MISS;
    sc_ref ref;
    sc_found found;
    int status;
    sc_read read;
    sc_read_start_key(&read, arena, key, &ref);
    do {
        status = sc_find_live(arena, &ref, &found);
        if (status == SC_OK) sc_op_describe(arena, &found.view, info);
    } while (sc_read_again(&read, &status));
    if (touch) { /* what TOUCH, EXISTS, STRLEN and their like do, unlike OBJECT */
        if (status == SC_OK) sc_mark_access(arena, found.view.offset);
        sc_count_read(arena, status == SC_OK);
    }
    return status;
}

int sc_delete(sc_arena *arena, const sc_key *key) {
    if (sc_check_key(arena, key) != SC_OK) return arena->writable ? SC_MISS : SC_READ_ONLY;
    sc_writer *writer;
    sc_ref ref;
    int status = sc_op_begin(arena, key, &writer, &ref);
    if (status != SC_OK) return status;
    status = sc_op_delete(&writer->main, &ref);
    /* A dead entry in the way was removed: that is to be kept, whatever we answer. */
    sc_op_end(writer, status == SC_MISS ? SC_OK : status);
    return status;
}

int sc_expire(sc_arena *arena, const sc_key *key, uint64_t expire_ms, uint32_t flags) {
    if (sc_check_key(arena, key) != SC_OK) return arena->writable ? SC_MISS : SC_READ_ONLY;
    sc_writer *writer;
    sc_ref ref;
    int status, attempts = 0;
    do {
        status = sc_op_begin(arena, key, &writer, &ref);
        if (status != SC_OK) return status;
        status = sc_op_end(writer, sc_op_expire(&writer->main, &ref, expire_ms, flags));
    } while (sc_op_again(arena, status, &attempts));
    return status;
}

/* ---- transactions -----------------------------------------------------------------------------*/

/* An sc_tx is the writer whose main transaction it is. */
sc_writer *sc_tx_writer(sc_tx *tx) {
    return (sc_writer *)(void *)tx;
}

static int compare_stripes(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static int lock_in_order(sc_txn *txn, uint64_t *stripes, size_t count) {
    qsort(stripes, count, sizeof *stripes, compare_stripes);
    for (size_t i = 0; i < count; i++) {
        if (i && stripes[i] == stripes[i - 1]) continue;
        int status = sc_txn_lock(txn, stripes[i]);
        if (status != SC_OK) return status;
    }
    return SC_OK;
}

/* Lock the keys' stripes; SC_UNCHANGED when a database was remapped before they were held. */
static int lock_keys(sc_txn *txn, const sc_key *keys, size_t count) {
    sc_arena *arena = txn->writer->arena;
    uint64_t *stripes = malloc(count * sizeof *stripes);
    if (!stripes) return SC_NO_MEMORY;
    uint8_t before[SC_MAP_ROOM];
    sc_ref ref;
    for (size_t i = 0; i < count; i++) {
        sc_ref_make(arena, &ref, &keys[i]);
        before[keys[i].db & (SC_MAP_ROOM - 1)] = ref.db;
        stripes[i] = ref.stripe;
    }
    int status = lock_in_order(txn, stripes, count);
    free(stripes);
    for (size_t i = 0; i < count && status == SC_OK; i++) {
        ref.db = before[keys[i].db & (SC_MAP_ROOM - 1)];
        if (!sc_ref_current(arena, &keys[i], &ref)) status = SC_UNCHANGED;
    }
    return status;
}

/* More robust mutexes than this at a time and the kernel would not hand all of them on at death
 * (ROBUST_LIST_LIMIT is 2048): lock everything instead, which takes one. */
#define SC_MOST_STRIPES 1024

static int lock_everything(sc_writer *writer) {
    int status = sc_exclusive_lock(writer);
    if (status == SC_OK) writer->main.exclusive = true;
    return status;
}

int sc_tx_begin(sc_arena *arena, const sc_key *keys, size_t count, sc_tx **out) {
    sc_writer *writer;
    if (count == 1 && sc_check_key(arena, keys) == SC_OK) {
        sc_ref ref;
        int begun = sc_op_begin(arena, keys, &writer, &ref);
        if (begun == SC_OK) *out = (sc_tx *)(void *)writer;
        return begun;
    }
    int status = sc_writer_checkout(arena, &writer);
    if (status != SC_OK) return status;
    do {
        sc_txn_begin(&writer->main);
        bool everything = count == 0 || count > SC_MOST_STRIPES;
        status = everything ? lock_everything(writer) : lock_keys(&writer->main, keys, count);
        if (status != SC_OK) sc_txn_abort(&writer->main);
    } while (status == SC_UNCHANGED);
    if (status != SC_OK) {
        sc_writer_checkin(writer);
        return status;
    }
    *out = (sc_tx *)(void *)writer;
    return SC_OK;
}

/* The transaction's key: SC_SYNTAX if it was not named at begin. Under a whole-arena transaction no
 * mutex keeps this writer's own evictions out of the stripe, its being open does; and databases are
 * what its earlier steps made them. */
int sc_tx_ref(sc_writer *writer, const sc_key *key, sc_ref *ref) {
    int status = sc_check_key(writer->arena, key);
    if (status != SC_OK) return status;
    if (writer->main.exclusive) {
        uint8_t db = sc_txn_db(&writer->main, key->db);
        sc_ref_make_physical(writer->arena, ref, key->bytes, key->length, db);
        sc_txn_open(&writer->main, ref->stripe);
        return SC_OK;
    }
    sc_ref_make(writer->arena, ref, key);
    return sc_txn_holds(&writer->main, ref->stripe) ? SC_OK : SC_SYNTAX;
}

/* For steps that create nothing: a key too long for any entry is one that is not there. */
int sc_tx_ref_existing(sc_writer *writer, const sc_key *key, sc_ref *ref) {
    int status = sc_tx_ref(writer, key, ref);
    return status == SC_KEY_TOO_LONG ? SC_MISS : status;
}

int sc_tx_note(sc_tx *tx, const sc_key *key, uint32_t event) {
    sc_ref ref;
    sc_writer *writer = sc_tx_writer(tx);
    int status = sc_tx_ref_existing(writer, key, &ref);
    if (status == SC_OK) sc_note_change(&writer->main, &ref, event, SC_NOTE_ALWAYS);
    return status;
}

int sc_tx_step_end(sc_writer *writer, uint32_t mark, int status) {
    if (status != SC_OK && status != SC_MISS) sc_txn_undo_to(&writer->main, mark);
    return status;
}

int sc_tx_get(sc_tx *tx, const sc_key *key, sc_sink *sink) {
    sc_writer *writer = sc_tx_writer(tx);
    sc_ref ref;
    sc_found found;
    int status = sc_tx_ref_existing(writer, key, &ref);
    if (status == SC_OK) status = sc_op_find(&writer->main, &ref, &found);
    if (status == SC_OK) {
        sc_mark_access(writer->arena, found.view.offset);
        status = sc_value_emit(writer->arena, &found.view, sink);
    }
    return status;
}

int sc_tx_describe(sc_tx *tx, const sc_key *key, sc_info *info) {
    sc_writer *writer = sc_tx_writer(tx);
    sc_ref ref;
    sc_found found;
    int status = sc_tx_ref_existing(writer, key, &ref);
    if (status == SC_OK) status = sc_op_find(&writer->main, &ref, &found);
    if (status == SC_OK) sc_op_describe(writer->arena, &found.view, info);
    return status;
}

int sc_tx_set(sc_tx *tx, const sc_key *key, const sc_set_args *args) {
    sc_writer *writer = sc_tx_writer(tx);
    sc_ref ref;
    uint32_t mark = writer->main.count;
    int status = sc_tx_ref(writer, key, &ref);
    if (status == SC_OK) status = sc_op_check(args);
    if (status == SC_OK) status = sc_op_set(&writer->main, &ref, args, 0);
    return sc_tx_step_end(writer, mark, status);
}

int sc_tx_delete(sc_tx *tx, const sc_key *key) {
    sc_writer *writer = sc_tx_writer(tx);
    sc_ref ref;
    uint32_t mark = writer->main.count;
    int status = sc_tx_ref_existing(writer, key, &ref);
    if (status == SC_OK) status = sc_op_delete(&writer->main, &ref);
    return sc_tx_step_end(writer, mark, status);
}

int sc_tx_expire(sc_tx *tx, const sc_key *key, uint64_t expire_ms, uint32_t flags) {
    sc_writer *writer = sc_tx_writer(tx);
    sc_ref ref;
    uint32_t mark = writer->main.count;
    int status = sc_tx_ref_existing(writer, key, &ref);
    if (status == SC_OK) status = sc_op_expire(&writer->main, &ref, expire_ms, flags);
    return sc_tx_step_end(writer, mark, status);
}

int sc_tx_set_access(sc_tx *tx, const sc_key *key, int64_t idle_ms, int frequency) {
    sc_writer *writer = sc_tx_writer(tx);
    sc_arena *arena = writer->arena;
    sc_ref ref;
    sc_found found;
    int status = sc_tx_ref_existing(writer, key, &ref);
    if (status == SC_OK) status = sc_op_find(&writer->main, &ref, &found);
    if (status != SC_OK) return status;
    bool lfu = sc_policy_is_lfu(sc_load32(&arena->header->policy));
    if (frequency >= 0 && lfu) {
        sc_mark_set_counter(arena, found.view.offset, (uint8_t)frequency);
    } else if (idle_ms >= 0 && !lfu) {
        sc_mark_set_idle(arena, found.view.offset, (uint64_t)idle_ms);
    }
    return SC_OK;
}

bool sc_tx_end(sc_tx *tx, int status, int *attempts) {
    if (status == SC_OK || status == SC_MISS || status == SC_UNCHANGED) {
        sc_tx_commit(tx);
        return false;
    }
    sc_arena *arena = sc_tx_writer(tx)->arena;
    sc_tx_abort(tx);
    return sc_op_again(arena, status, attempts);
}

/* Whose thread ended in the middle was rolled back by others, and the slot may be another's by now;
 * in a fork's child it is the parent's. Then there is nothing here to end. */
static bool still_ours(const sc_writer *writer) {
    return sc_writer_valid(writer) && sc_load64(&writer->slot->nonce) == sc_sys_nonce();
}

void sc_tx_commit(sc_tx *tx) {
    sc_writer *writer = sc_tx_writer(tx);
    if (!still_ours(writer)) return;
    sc_txn_commit(&writer->main);
    sc_writer_checkin(writer);
}

void sc_tx_abort(sc_tx *tx) {
    sc_writer *writer = sc_tx_writer(tx);
    if (!still_ours(writer)) return;
    sc_txn_abort(&writer->main);
    sc_writer_checkin(writer);
}
