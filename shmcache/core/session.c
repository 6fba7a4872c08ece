/* Sessions: reads of several keys as of one instant, lock-free or in a transaction. */
#include <stdlib.h>

#include "container.h"

void sc_session_start(sc_session *session, sc_arena *arena) {
    session->arena = arena;
    session->tx = NULL;
    session->seen = session->inline_seen;
    session->count = 0;
    session->room = SC_SESSION_INLINE;
    session->tries = session->started_us = 0;
    session->given_up = SC_OK;
}

void sc_session_end(sc_session *session) {
    if (session->seen != session->inline_seen) free(session->seen);
}

sc_session *sc_tx_session(sc_tx *tx) {
    sc_writer *writer = sc_tx_writer(tx);
    sc_session_start(&writer->session, writer->arena);
    writer->session.tx = tx;
    return &writer->session;
}

static int wait_for(sc_session *session, const sc_stripe *stripe) {
    sc_patience patience = {.tries = (uint32_t)session->tries, .started_us = session->started_us};
    int status = sc_reader_wait(session->arena, stripe, &patience);
    session->tries = patience.tries;
    session->started_us = patience.started_us;
    if (status != SC_OK) session->given_up = status;
    return status;
}

static int grow_seen(sc_session *session) {
    uint32_t room = session->room * 2;
    sc_seen *grown = malloc(room * sizeof *grown);
    if (!grown) return SC_NO_MEMORY;
    memcpy(grown, session->seen, session->count * sizeof *grown);
    sc_session_end(session);
    session->seen = grown;
    session->room = room;
    return SC_OK;
}

/* Note the stripe's sequence before anything in it is looked at for the first time. */
static int note_stripe(sc_session *session, const sc_stripe *stripe) {
    for (uint32_t i = 0; i < session->count; i++) {
        if (session->seen[i].stripe == stripe) return SC_OK;
    }
    uint64_t sequence = sc_load64_acquire(&stripe->sequence);
    while (SC_UNLIKELY(sequence & 1)) {
        int status = wait_for(session, stripe);
        if (status != SC_OK) return status;
        sequence = sc_load64_acquire(&stripe->sequence);
    }
    if (SC_UNLIKELY(session->count == session->room) && grow_seen(session) != SC_OK) {
        return SC_NO_MEMORY;
    }
    session->seen[session->count++] = (sc_seen){.stripe = stripe, .sequence = sequence};
    return SC_OK;
}

static const sc_stripe *changed_stripe(const sc_session *session) {
    atomic_thread_fence(memory_order_acquire);
    for (uint32_t i = 0; i < session->count; i++) {
        const sc_stripe *stripe = session->seen[i].stripe;
        if (sc_load64(&stripe->sequence) != session->seen[i].sequence) return stripe;
    }
    return NULL;
}

bool sc_session_is_whole(const sc_session *session) {
    return session->tx || !changed_stripe(session);
}

bool sc_session_again(sc_session *session, int *status) {
    if (session->tx) return false;
    if (SC_LIKELY(!session->given_up)) {
        const sc_stripe *stripe = changed_stripe(session);
        if (SC_LIKELY(!stripe)) return false;
        sc_count(&session->arena->stats->retries);
        wait_for(session, stripe);
        session->count = 0;
    }
    if (session->given_up) *status = session->given_up;
    return !session->given_up;
}

/* ---- finding ----------------------------------------------------------------------------------*/

static int find_key(sc_session *session, const sc_key *key, sc_ref *ref, sc_found *found) {
    sc_arena *arena = session->arena;
    if (session->tx) {
        sc_writer *writer = sc_tx_writer(session->tx);
        int status = sc_tx_ref_existing(writer, key, ref);
        return status == SC_OK ? sc_op_find(&writer->main, ref, found) : status;
    }
    if (SC_UNLIKELY(sc_check_key(arena, key) != SC_OK)) return SC_MISS;
    if (session->given_up) return session->given_up;
    sc_ref_make(arena, ref, key);
    int status = note_stripe(session, &arena->stripes[ref->stripe]);
    return status == SC_OK ? sc_find_live(arena, ref, found) : status;
}

int sc_place_find(sc_session *session, const sc_key *key, int type, sc_place *place) {
    int status = find_key(session, key, &place->ref, &place->found);
    sc_count_read(session->arena, status == SC_OK);
    if (SC_UNLIKELY(status != SC_OK)) return status;
    uint8_t encoding = place->found.view.head.encoding;
    place->arena = session->arena;
    place->session = session;
    place->type = type;
    place->packed = (encoding & SC_ENC_PACKED) != 0;
    if (SC_UNLIKELY(sc_type_of(encoding) != type)) return SC_WRONG_TYPE;
    sc_mark_access(session->arena, place->found.view.offset);
    return SC_OK;
}

int sc_session_get(sc_session *session, const sc_key *key, sc_sink *sink) {
    sc_ref ref;
    sc_found found;
    int status = find_key(session, key, &ref, &found);
    if (status != SC_OK) return status;
    if (found.view.head.value_bytes > SC_LARGE_VALUE && !sc_session_is_whole(session)) {
        return SC_CORRUPT;
    }
    return sc_value_emit(session->arena, &found.view, sink);
}

int sc_session_describe(sc_session *session, const sc_key *key, sc_info *info) {
    sc_ref ref;
    sc_found found;
    int status = find_key(session, key, &ref, &found);
    if (status == SC_OK) sc_op_describe(session->arena, &found.view, info);
    return status;
}

int sc_length(sc_session *session, const sc_key *key, int type, uint64_t *length) {
    sc_place place;
    *length = 0;
    int status = sc_place_find(session, key, type, &place);
    if (status == SC_OK) *length = sc_container_length(session->arena, &place.found.view);
    return status;
}
