/* Notes of changes, and the record that a commit makes of them. See notes.h. */
#include "notes.h"

#include <stdlib.h>

#include "feed.h"
#include "ring.h"
#include "txn.h"

#define SC_NOTES_KEEP 65536 /* more room than this is not kept for the next transaction */

/* The logical database that a physical one is mapped to; SC_DATABASES if it was flushed. Stable
 * under a stripe's lock, like the map. */
static uint32_t logical_db(const sc_txn *txn, uint8_t physical) {
    const uint8_t *map = txn->remap ? txn->remap->database : txn->writer->arena->header->database;
    uint32_t db = 0;
    while (db < SC_DATABASES && map[db] != physical)
        db++;
    return db;
}

static const sc_note_head *note_at(const sc_notes *notes, uint32_t at) {
    return (const sc_note_head *)(const void *)(notes->bytes + at);
}

/* A step takes a few notes, so all of its own are looked at. */
static bool is_noted(const sc_notes *notes, const sc_note_head *head, const char *key) {
    for (uint32_t at = notes->step; at < notes->used;) {
        const sc_note_head *other = note_at(notes, at);
        at += sc_note_bytes(other->key_bytes);
        if (other->event == head->event && other->db == head->db &&
            other->key_bytes == head->key_bytes && memcmp(other + 1, key, head->key_bytes) == 0) {
            return true;
        }
    }
    return false;
}

/* Nobody can be told in detail: one note says so, in the place of all. */
static void give_up_detail(sc_txn *txn) {
    sc_note_head many = {.event = SC_EVENT_MANY, .mark = 0};
    memcpy(txn->notes.bytes, &many, sizeof many);
    txn->notes.used = sizeof many;
    txn->notes.step = 0;
    txn->notes.mark = 0;
    txn->notes.many = true;
}

static bool notes_grow(sc_txn *txn, uint32_t bytes) {
    sc_notes *notes = &txn->notes;
    uint32_t most = sc_ring_most(&txn->writer->arena->feed) - (uint32_t)sizeof(uint64_t);
    uint64_t wanted = (uint64_t)notes->used + bytes;
    if (wanted <= notes->room) return true;
    if (wanted > most) return false;
    uint64_t room = 2 * wanted < most ? 2 * wanted : most;
    bool own = notes->bytes != (uint8_t *)notes->few;
    uint8_t *grown = realloc(own ? notes->bytes : NULL, room);
    if (!grown) return false;
    if (!own) memcpy(grown, notes->few, notes->used);
    notes->bytes = grown;
    notes->room = (uint32_t)room;
    return true;
}

static void note_append(sc_txn *txn, const sc_note_head *head, const char *key) {
    sc_notes *notes = &txn->notes;
    uint32_t bytes = sc_note_bytes(head->key_bytes);
    if (!notes_grow(txn, bytes)) {
        give_up_detail(txn);
        return;
    }
    uint8_t *to = notes->bytes + notes->used;
    if (head->key_bytes) memset(to + bytes - 8, 0, 8);
    memcpy(to, head, sizeof *head);
    memcpy(to + sizeof *head, key, head->key_bytes);
    notes->used += bytes;
    notes->mark = head->mark;
}

void sc_note_take(sc_txn *txn, const char *key, uint32_t key_bytes, uint8_t physical_db,
                  uint32_t event, enum sc_note_rule rule) {
    const sc_arena *arena = txn->writer->arena;
    sc_notes *notes = &txn->notes;
    uint32_t db = logical_db(txn, physical_db);
    if (!arena->feed.head || db == SC_DATABASES || notes->many) return;
    if (notes->named_as == SC_EVENT_SILENT) return;
    if (event == SC_EVENT_NEW && !(arena->header->feed_wanted & SC_FEED_WANT_NEW)) return;
    bool named = rule != SC_NOTE_ALWAYS && notes->named_as;
    sc_note_head head = {.event = (uint8_t)(named ? notes->named_as : event),
                         .db = (uint8_t)db,
                         .key_bytes = (uint16_t)key_bytes,
                         .mark = txn->count};
    if ((named || rule == SC_NOTE_ONCE) && is_noted(notes, &head, key)) return;
    note_append(txn, &head, key);
}

void sc_note_take_db(sc_txn *txn, uint32_t db, uint32_t event) {
    sc_note_head head = {.event = (uint8_t)event, .db = (uint8_t)db, .mark = txn->count};
    if (txn->writer->arena->feed.head && !txn->notes.many) note_append(txn, &head, "");
}

void sc_notes_undo(sc_txn *txn, uint32_t count) {
    sc_notes *notes = &txn->notes;
    uint32_t at = 0;
    if (notes->mark <= count) return;
    notes->mark = 0;
    while (at < notes->used && note_at(notes, at)->mark <= count) {
        notes->mark = note_at(notes, at)->mark;
        at += sc_note_bytes(note_at(notes, at)->key_bytes);
    }
    notes->used = at;
    if (notes->step > at) notes->step = at;
}

/* ---- the record -------------------------------------------------------------------------------*/

void sc_notes_record(sc_txn *txn) {
    sc_writer *writer = txn->writer;
    sc_arena *arena = writer->arena;
    const sc_notes *notes = &txn->notes;
    uint64_t position, process = sc_sys_nonce();
    if (!writer->feed.mark && sc_ring_join(&arena->feed, &writer->feed) != SC_OK) return;
    uint32_t bytes = (uint32_t)sizeof process + notes->used;
    if (sc_ring_reserve(&arena->feed, &writer->feed, bytes, &position) != SC_OK) return;
    sc_ring_fill(&arena->feed, &writer->feed, position, 0, &process, sizeof process);
    sc_ring_fill(&arena->feed, &writer->feed, position, sizeof process, notes->bytes, notes->used);
    sc_put64(&txn->log->feed, position + 1);
    sc_ring_settle(&arena->feed, &writer->feed);
}

void sc_notes_settle(const sc_arena *arena, sc_log *log, bool committed) {
    uint64_t position = log->feed - 1;
    if (arena->feed.head) {
        if (committed)
            sc_ring_publish(&arena->feed, position);
        else
            sc_ring_void(&arena->feed, position);
    }
    sc_put64(&log->feed, 0);
}

/* A reader in this process waits for those of others only (sc_feed_wait), so if nobody else reads
 * there is nobody to wake. */
void sc_notes_told(sc_txn *txn) {
    const sc_arena *arena = txn->writer->arena;
    bool alone = arena->wishes && !(sc_load32(&arena->header->feed_wanted) & SC_FEED_SEVERAL);
    if (!alone) sc_ring_wake(&arena->feed);
    if (SC_UNLIKELY(txn->notes.room > SC_NOTES_KEEP)) sc_notes_free(&txn->notes);
}

void sc_notes_free(sc_notes *notes) {
    if (notes->bytes != (uint8_t *)notes->few) free(notes->bytes);
    notes->bytes = (uint8_t *)notes->few;
    notes->room = sizeof notes->few;
}

/* ---- names ------------------------------------------------------------------------------------*/

void sc_tx_event(sc_tx *tx, uint32_t event) {
    sc_notes *notes = &((sc_writer *)(void *)tx)->main.notes;
    notes->named_as = (uint8_t)event;
    notes->step = notes->used;
}

void sc_tx_step(sc_tx *tx) {
    sc_notes *notes = &((sc_writer *)(void *)tx)->main.notes;
    if (!notes->named_as) notes->step = notes->used;
}

#define SC_EVENT_NAME(code, name, class) name,
static const char *const event_names[] = {"", SC_EVENT_TABLE(SC_EVENT_NAME)};
#define SC_EVENT_CLASS(code, name, class) class,
static const char event_classes[] = {0, SC_EVENT_TABLE(SC_EVENT_CLASS)};

const char *sc_event_name(uint32_t event) {
    return event < SC_EVENTS ? event_names[event] : "";
}

char sc_event_class(uint32_t event) {
    return event < SC_EVENTS ? event_classes[event] : 0;
}
