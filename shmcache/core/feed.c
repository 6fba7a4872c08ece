/* Reading the feed, and saying that somebody does. See feed.h. */
#include "feed.h"

#include <stdlib.h>

#include "notes.h"
#include "ops.h"
#include "ring.h"

#define SC_FEED_READ_BYTES 4096

typedef struct feed_record { /* the one that was read last */
    sc_sink sink;            /* to `bytes` */
    char *bytes;
    size_t length, room;
} feed_record;

struct sc_feed {
    sc_arena *arena;
    sc_ring_reader reader, watcher; /* of sc_feed_read, of sc_feed_wait */
    feed_record read, watched;
    uint32_t wish;    /* index + 1 of ours, 0 = none */
    uint64_t process; /* whose wish that is */
    _Atomic bool roused;
};

static char *record_reserve(sc_sink *sink, size_t length) {
    feed_record *to = (feed_record *)(void *)sink;
    if (length > to->room) {
        char *grown = realloc(to->bytes, length);
        if (!grown) return NULL;
        to->bytes = grown;
        to->room = length;
    }
    to->length = length;
    return to->bytes;
}

static bool record_init(feed_record *made) {
    *made = (feed_record){.sink = {record_reserve}};
    return record_reserve(&made->sink, SC_FEED_READ_BYTES) != NULL;
}

int sc_feed_open(sc_arena *arena, sc_feed **out) {
    if (!arena->feed.head) return SC_MISS;
    sc_feed *feed = calloc(1, sizeof *feed);
    if (!feed || !record_init(&feed->read) || !record_init(&feed->watched)) {
        sc_feed_close(feed);
        return SC_NO_MEMORY;
    }
    feed->arena = arena;
    feed->process = sc_sys_nonce();
    sc_ring_start(&arena->feed, &feed->reader);
    feed->watcher = feed->reader;
    *out = feed;
    return SC_OK;
}

void sc_feed_close(sc_feed *feed) {
    if (feed && feed->wish) sc_feed_want(feed, 0);
    sc_feed_forget(feed);
}

void sc_feed_forget(sc_feed *feed) {
    if (!feed) return;
    free(feed->read.bytes);
    free(feed->watched.bytes);
    free(feed);
}

/* ---- wishes -----------------------------------------------------------------------------------
 *
 * They change with the right to change every stripe in hand, so that whoever locked a stripe before
 * a wish was there has committed when sc_feed_want returns, and who locks one later sees it: no
 * change that comes after is missed. Dying in here leaves a dead process's wish, or more wanted
 * than is wished; the sweep finds both. */

static bool wish_is_dead(const sc_wish *wish) {
    uint64_t pid = sc_load64(&wish->pid);
    return pid && sc_sys_is_dead(pid, sc_load64(&wish->start_time), sc_load64(&wish->pid_namespace),
                                 sc_load64(&wish->nonce));
}

static uint32_t wanted_by_all(const sc_header *header) {
    uint32_t wanted = 0, wishes = 0;
    for (int i = 0; i < SC_FEED_WISHES; i++) {
        if (!sc_load64(&header->feed_wishes[i].pid)) continue;
        wanted |= (uint32_t)sc_load64(&header->feed_wishes[i].wants);
        wishes++;
    }
    return wanted | (wishes > 1 ? SC_FEED_SEVERAL : 0);
}

static sc_wish *free_wish(sc_header *header) {
    for (int i = 0; i < SC_FEED_WISHES; i++) {
        sc_wish *wish = &header->feed_wishes[i];
        if (!wish->pid || wish_is_dead(wish)) return wish;
    }
    return NULL;
}

static int wish_locked(sc_feed *feed, uint32_t wants) {
    sc_header *header = feed->arena->header;
    sc_wish *wish = feed->wish ? &header->feed_wishes[feed->wish - 1] : free_wish(header);
    if (!wish) return SC_NO_SLOT;
    if (!feed->wish) {
        sc_put64(&wish->pid, 0);
        sc_put64(&wish->start_time, sc_sys_start_time(sc_sys_pid()));
        sc_put64(&wish->nonce, sc_sys_nonce());
        sc_put64(&wish->pid_namespace, sc_sys_pid_namespace());
    }
    sc_put64(&wish->wants, wants);
    sc_put64(&wish->pid, wants ? sc_sys_pid() : 0);
    feed->wish = wants ? (uint32_t)(wish - header->feed_wishes) + 1 : 0;
    sc_put32(&header->feed_wanted, wanted_by_all(header));
    feed->arena->wishes = wants != 0;
    return SC_OK;
}

int sc_feed_want(sc_feed *feed, uint32_t wants) {
    sc_writer *writer;
    if (feed->process != sc_sys_nonce()) feed->wish = 0; /* it is the parent's */
    if (!wants && !feed->wish) return SC_OK;
    int status = sc_writer_checkout(feed->arena, &writer);
    if (status != SC_OK) return status;
    status = sc_exclusive_lock(writer);
    if (status == SC_OK) {
        status = wish_locked(feed, wants);
        sc_exclusive_unlock(writer);
    }
    sc_writer_checkin(writer);
    feed->process = sc_sys_nonce();
    return status;
}

int sc_feed_sweep(sc_arena *arena) {
    sc_header *header = arena->header;
    sc_writer *writer;
    bool stale = sc_load32(&header->feed_wanted) != wanted_by_all(header);
    for (int i = 0; i < SC_FEED_WISHES && !stale; i++)
        stale = wish_is_dead(&header->feed_wishes[i]);
    if (!stale) return SC_OK;
    int status = sc_writer_checkout(arena, &writer);
    if (status != SC_OK) return status;
    status = sc_exclusive_lock(writer);
    if (status == SC_OK) {
        for (int i = 0; i < SC_FEED_WISHES; i++) {
            if (wish_is_dead(&header->feed_wishes[i])) sc_put64(&header->feed_wishes[i].pid, 0);
        }
        sc_put32(&header->feed_wanted, wanted_by_all(header));
        sc_exclusive_unlock(writer);
    }
    sc_writer_checkin(writer);
    return status;
}

/* ---- reading ----------------------------------------------------------------------------------*/

int sc_feed_give(const char *bytes, size_t length, sc_feed_emit emit, void *context,
                 uint64_t *given) {
    uint64_t process;
    if (length < sizeof process) return SC_LOST;
    memcpy(&process, bytes, sizeof process);
    size_t at = sizeof process;
    while (at < length) {
        sc_note_head head;
        if (length - at < sizeof head) return SC_LOST;
        memcpy(&head, bytes + at, sizeof head);
        size_t note_bytes = sc_note_bytes(head.key_bytes);
        if (length - at < note_bytes || head.db >= SC_DATABASES) return SC_LOST;
        if (head.event >= SC_EVENTS || head.event == SC_EVENT_MANY) return SC_LOST;
        sc_feed_item item = {.event = head.event,
                             .db = head.db,
                             .key = bytes + at + sizeof head,
                             .key_bytes = head.key_bytes,
                             .own = process == sc_sys_nonce()};
        if (!emit(context, &item)) return SC_NO_MEMORY;
        at += note_bytes;
        ++*given;
    }
    return SC_OK;
}

int sc_feed_read(sc_feed *feed, uint64_t limit, sc_feed_emit emit, void *context) {
    uint64_t given = 0;
    while (given < limit) {
        int status = sc_ring_read(&feed->arena->feed, &feed->reader, &feed->read.sink);
        if (status == SC_MISS) return SC_OK;
        if (status == SC_UNCHANGED) continue;
        if (status == SC_OK) {
            status = sc_feed_give(feed->read.bytes, feed->read.length, emit, context, &given);
        }
        if (status != SC_OK) return status;
    }
    return SC_OK;
}

/* Pass records of this process; true at one of another's, or a loss. */
static bool pass_own(sc_feed *feed) {
    const feed_record *watched = &feed->watched;
    uint64_t process;
    int status;
    do {
        status = sc_ring_read(&feed->arena->feed, &feed->watcher, &feed->watched.sink);
        if (status == SC_MISS) return false;
        if (status == SC_UNCHANGED) continue;
        if (status != SC_OK || watched->length < sizeof process) return true;
        memcpy(&process, watched->bytes, sizeof process);
    } while (status == SC_UNCHANGED || process == sc_sys_nonce());
    return true;
}

bool sc_feed_wait(sc_feed *feed, uint32_t timeout_ms) {
    sc_arena *arena = feed->arena;
    feed->watcher = feed->reader; /* while the interpreter lock is held: nobody reads now */
    void *state = arena->hooks.block_enter ? arena->hooks.block_enter() : NULL;
    uint64_t end = sc_sys_monotonic_us() + timeout_ms * UINT64_C(1000), now;
    bool found = pass_own(feed);
    while (!found && !atomic_exchange(&feed->roused, false) &&
           (now = sc_sys_monotonic_us()) < end) {
        sc_ring_wait(&arena->feed, &feed->watcher, (uint32_t)((end - now) / 1000) + 1);
        found = pass_own(feed);
    }
    if (arena->hooks.block_leave) arena->hooks.block_leave(state);
    return found;
}

void sc_feed_rouse(sc_feed *feed) {
    atomic_store(&feed->roused, true);
    if (feed->arena->feed.flags & SC_RING_WRITABLE) sc_ring_rouse(&feed->arena->feed);
}
