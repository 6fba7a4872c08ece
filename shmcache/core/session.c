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
    int status;
    do { /* see read.h: the database is settled once a sequence is noted */
        sc_ref_make(arena, ref, key);
        status = note_stripe(session, &arena->stripes[ref->stripe]);
    } while (status == SC_OK && SC_UNLIKELY(!sc_ref_current(arena, key, ref)));
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

int sc_session_get_range(sc_session *session, const sc_key *key, int64_t start, int64_t end,
                         sc_sink *sink) {
    const sc_arena *arena = session->arena;
    sc_ref ref;
    sc_found found;
    int status = find_key(session, key, &ref, &found);
    if (status != SC_OK) return status;
    if (!sc_is_string(&found.view)) return SC_WRONG_TYPE;
    uint64_t from, count, length = sc_value_length(arena, &found.view);
    if (length > arena->data_bytes) return SC_CORRUPT;
    sc_value_clamp(start, end, length, &from, &count);
    if (count > SC_LARGE_VALUE && !sc_session_is_whole(session)) return SC_CORRUPT;
    return sc_value_emit_part(arena, &found.view, from, count, sink);
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

/* ---- has it changed? --------------------------------------------------------------------------*/

static int print_string(const sc_arena *arena, const sc_view *view, uint64_t seed,
                        uint64_t *print) {
    uint64_t length = view->head.value_bytes;
    if (view->head.encoding == SC_ENC_INT) {
        int64_t number = sc_view_int(arena, view);
        *print = sc_hash(&number, sizeof number, seed);
        return SC_OK;
    }
    if (length > arena->data_bytes) return SC_CORRUPT;
    char *value = malloc(length + 1);
    if (!value) return SC_NO_MEMORY;
    bool whole = sc_value_copy(arena, view, 0, length, value);
    if (whole) *print = sc_hash(value, length, seed);
    free(value);
    return whole ? SC_OK : SC_CORRUPT;
}

/* Chains come to lie where others were, so that a leaf can look as it did: what is in them counts.
 */
static bool print_chains(const sc_arena *arena, const sc_leaf *leaf, uint64_t *print) {
    for (uint32_t i = 0; leaf->head.chained && i < leaf->head.count; i++) {
        sc_item item;
        if (!sc_item_load(leaf, i, &item)) return false;
        const sc_part *const parts[] = {&item.key, &item.value};
        for (int p = 0; p < 2; p++) {
            if (parts[p]->how != SC_CHAINED) continue;
            if (parts[p]->length > arena->data_bytes) return false;
            uint64_t hash = sc_part_hash(arena, parts[p]);
            *print = sc_hash(&hash, sizeof hash, *print);
        }
    }
    return true;
}

/* A packed container's leaf changes with the container; trees have a version. */
static int print_container(const sc_arena *arena, const sc_view *view, uint64_t seed,
                           uint64_t *print) {
    sc_leaf leaf;
    uint8_t own[SC_LEAF_MOST];
    if (view->body_at) {
        uint64_t version = sc_load64(sc_view_version(arena, view));
        *print = sc_hash(&version, sizeof version, seed);
        return SC_OK;
    }
    uint8_t mode = sc_form_packed(view->head.encoding & SC_ENC_TYPE)->mode;
    if (!sc_leaf_load(arena, &leaf, view->offset + sc_view_leaf_at(view), mode)) return SC_CORRUPT;
    sc_copy(own, leaf.base, leaf.head.limit);
    *print = sc_hash(own, leaf.head.limit, seed);
    return print_chains(arena, &leaf, print) ? SC_OK : SC_CORRUPT;
}

int sc_fingerprint(sc_session *session, const sc_key *key, uint64_t *print) {
    sc_ref ref;
    sc_found found;
    int status = find_key(session, key, &ref, &found);
    *print = 0;
    if (status != SC_OK) return status;
    const sc_view *view = &found.view;
    if (view->head.value_bytes > SC_LARGE_VALUE && !sc_session_is_whole(session)) return SC_CORRUPT;
    uint64_t seed = sc_view_expire(session->arena, view) * SC_DB_MIX ^ view->head.encoding;
    status = sc_is_container(view->head.encoding)
                 ? print_container(session->arena, view, seed, print)
                 : print_string(session->arena, view, seed, print);
    *print |= 1;
    return status;
}
