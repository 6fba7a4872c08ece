/* What a transaction will tell the feed (feed.h) once it is committed.
 *
 * A step that changes a key takes a note, if anybody wants to know: a load and a branch that is
 * never taken otherwise. Notes are the process's own until the commit, which makes one record of
 * all of them:
 *
 *   reserve a record of the ring, fill it      dies here: no change, and readers pass what is there
 *   log->feed = its position, settle           dies here: recovery rolls back and voids it
 *   state = COMMITTED                          dies here: recovery publishes it
 *   publish, log->feed = 0                     (twice is harmless)
 *   close and unlock the stripes, wake the readers
 *
 * So the change and its record are there both or neither; records of one key are in the order of
 * its lock, since room is taken while it is held; and who reads the new value finds the record
 * published, since that happens before the stripe's sequence is made even (release).
 *
 * A note: | event:8 | logical database:8 | key bytes:16 | log entries before it:32 | key, padded |
 * A record: | which process:64 | notes ... | */
#ifndef SC_NOTES_H
#define SC_NOTES_H

#include "entry.h"
#include "events.h"

typedef struct sc_note_head {
    uint8_t event;
    uint8_t db;
    uint16_t key_bytes;
    uint32_t mark; /* a step that is undone to fewer log entries takes its notes along */
} sc_note_head;
static_assert(sizeof(sc_note_head) == 8, "a record's layout");

static inline uint32_t sc_note_bytes(uint32_t key_bytes) {
    return (uint32_t)sizeof(sc_note_head) + ((key_bytes + 7) & ~7u);
}

/* Does anybody want to know? Asked under a stripe's lock only, see sc_feed_want. */
static inline bool sc_notes_wanted(const sc_txn *txn) {
    return SC_UNLIKELY(sc_load32(&txn->writer->arena->header->feed_wanted) != 0);
}

enum sc_note_rule {
    SC_NOTE_ALWAYS,
    SC_NOTE_NAMED, /* under the name that sc_tx_event gave, and then once for a key */
    SC_NOTE_ONCE   /* that too, and without a name once for a key in a step */
};
void sc_note_take(sc_txn *txn, const char *key, uint32_t key_bytes, uint8_t physical_db,
                  uint32_t event, enum sc_note_rule rule);
static inline void sc_note_change(sc_txn *txn, const sc_ref *ref, uint32_t event,
                                  enum sc_note_rule rule) {
    if (sc_notes_wanted(txn)) {
        sc_note_take(txn, ref->bytes, ref->length, ref->db, event, rule);
    }
}
/* Of an entry that goes; nothing of one whose database was flushed. */
static inline void sc_note_entry(sc_txn *txn, const sc_view *view, uint32_t event) {
    if (sc_notes_wanted(txn)) {
        const char *key = (const char *)txn->writer->arena->base + view->offset + view->key_at;
        sc_note_take(txn, key, view->head.key_bytes, view->head.flags & SC_ENTRY_DB, event,
                     SC_NOTE_ALWAYS);
    }
}
/* Of a logical database as a whole. */
void sc_note_take_db(sc_txn *txn, uint32_t db, uint32_t event);
static inline void sc_note_db(sc_txn *txn, uint32_t db, uint32_t event) {
    if (sc_notes_wanted(txn)) sc_note_take_db(txn, db, event);
}

static inline void sc_notes_forget(sc_notes *notes) {
    notes->used = notes->step = notes->mark = 0;
    notes->named_as = 0;
    notes->many = false;
}
/* Take back the notes of what was logged after `count` entries. */
void sc_notes_undo(sc_txn *txn, uint32_t count);
/* The log's record: written, pending and named by the log. Called just before the commit. */
void sc_notes_record(sc_txn *txn);
/* Publish or void the record that a log names. */
void sc_notes_settle(const sc_arena *arena, sc_log *log, bool committed);
/* After the stripes were unlocked. */
void sc_notes_told(sc_txn *txn);
void sc_notes_free(sc_notes *notes);

#endif
