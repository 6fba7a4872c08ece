/* The feed: what was committed, by whichever door, in the order of each key. Part of sc.h.
 *
 * Writers make records of their changes (notes.h) as long as some reader wants them. A reader that
 * is too slow is lapped, and told so. Records begin with those of transactions that were committed
 * after sc_feed_want returned; there may be some of earlier ones. */
#ifndef SC_FEED_H
#define SC_FEED_H

#include "events.h"
#include "sc.h"

/* ---- writers ----------------------------------------------------------------------------------*/
/* What the transaction does from now on goes by this name (SC_EVENT_NONE: each step by its own),
 * and is told once for a key however many steps it takes. That a key came, died or was deleted is
 * told besides. */
void sc_tx_event(sc_tx *tx, uint32_t event);
/* The next step's changes are told even if the same were told before. */
void sc_tx_step(sc_tx *tx);
/* Tell of a change that takes no step: Redis tells of some that change nothing. SC_SYNTAX. */
int sc_tx_note(sc_tx *tx, const sc_key *key, uint32_t event);
const char *sc_event_name(uint32_t event);
char sc_event_class(uint32_t event); /* Redis's letter for it, 0 = none */

/* ---- readers ----------------------------------------------------------------------------------*/
typedef struct sc_feed sc_feed;
typedef struct sc_feed_item {
    uint32_t event, db;
    const char *key; /* SC_EVENT_FLUSHDB, _FLUSHALL, _SWAPDB: empty */
    uint32_t key_bytes;
    bool own; /* this process did it */
} sc_feed_item;
typedef bool (*sc_feed_emit)(void *context, const sc_feed_item *item);

/* A reader that stands at the end of the feed. SC_MISS: the arena is attached without one. */
int sc_feed_open(sc_arena *arena, sc_feed **out);
void sc_feed_close(sc_feed *feed);  /* its wish goes too */
void sc_feed_forget(sc_feed *feed); /* the same when the arena is detached already */

/* SC_FEED_WANT_CHANGES for a start. Who has no wish reads what others wished for. SC_READ_ONLY,
 * SC_NO_SLOT, SC_BUSY. Takes the whole arena for a moment. */
enum sc_feed_want {
    SC_FEED_WANT_CHANGES = 1,
    SC_FEED_WANT_NEW = 2, /* SC_EVENT_NEW as well */
    SC_FEED_SEVERAL = 4   /* in the arena: there is more than one wish */
};
int sc_feed_want(sc_feed *feed, uint32_t wants);

/* Records until there is none, or about `limit` items were given. SC_OK, or SC_LOST: some were not
 * seen, anything may have changed; call again for what comes after them. emit returning false stops
 * with SC_NO_MEMORY. */
int sc_feed_read(sc_feed *feed, uint64_t limit, sc_feed_emit emit, void *context);
/* A record's bytes as items: SC_LOST if it says that it could not hold them, or is no record. */
int sc_feed_give(const char *bytes, size_t length, sc_feed_emit emit, void *context,
                 uint64_t *given);
/* Sleep until another process has committed something that was not read yet; false: it has not, and
 * the time is over or sc_feed_rouse was called. For a thread beside the one that reads; what
 * serialises their calls (an interpreter lock) is given up while it sleeps. */
bool sc_feed_wait(sc_feed *feed, uint32_t timeout_ms);
void sc_feed_rouse(sc_feed *feed);
/* Forget the wishes of processes that are gone. For maintenance. */
int sc_feed_sweep(sc_arena *arena);

#endif
