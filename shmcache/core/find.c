/* One element of a container, looked up and remembered. See find.h. */
#include "find.h"

#include <stdlib.h>

#include "map.h"

sc_element_hint *sc_element_hints_new(void) {
    sc_element_hint *hints = aligned_alloc(SC_CACHE_LINE, SC_ELEMENT_HINTS * sizeof *hints);
    if (hints) memset(hints, 0, SC_ELEMENT_HINTS * sizeof *hints);
    for (size_t i = 0; hints && i < SC_ELEMENT_HINTS; i++)
        hints[i].sequence = 1;
    return hints;
}

static int locate_index(const sc_place *place, const sc_root *root, int64_t index, sc_item *item) {
    sc_path path;
    if (index < 0) index += (int64_t)root->count;
    if (index < 0 || (uint64_t)index >= root->count) return SC_MISS;
    int status = sc_path_at(place->arena, root, (uint64_t)index, &path);
    if (status != SC_OK) return status;
    bool found = path.index < path.leaf.head.count && sc_item_load(&path.leaf, path.index, item);
    return found ? SC_OK : SC_CORRUPT;
}

static int locate_name(const sc_place *place, const sc_root *root, sc_bytes name, sc_item *item) {
    sc_word word;
    sc_path path;
    sc_word_make(place->arena, &word, name.bytes, name.length, root->form->mode);
    int status = sc_map_seek(place, root, &word, name, &path, item);
    bool dead = status == SC_OK && item->expire_ms && sc_is_past(item->expire_ms);
    return dead ? SC_MISS : status;
}

static int locate(sc_session *session, const sc_key *key, const sc_wanted *wanted, sc_place *place,
                  sc_item *item) {
    sc_root root;
    int status = sc_place_find(session, key, wanted->type, place);
    if (status != SC_OK) return status;
    if (!sc_place_root(place, SC_TREE_MAIN, &root)) return SC_CORRUPT;
    if (wanted->type == SC_LIST) return locate_index(place, &root, wanted->index, item);
    return locate_name(place, &root, wanted->name, item);
}

/* What holds the value: a list's element is its item's key. */
static const sc_part *value_of(const sc_wanted *wanted, const sc_item *item) {
    return wanted->type == SC_LIST ? &item->key : &item->value;
}

/* A packed sorted set has its scores in front of its members: not what a hint can point to. */
static bool is_plain(const sc_wanted *wanted, const sc_place *place, const sc_item *item) {
    const sc_part *value = value_of(wanted, item);
    if (item->expire_ms || (wanted->type == SC_ZSET && place->packed)) return false;
    if (item->key.how != SC_PLAIN || item->key.length > UINT16_MAX) return false;
    return wanted->type == SC_SET || (value->how == SC_PLAIN && value->length <= UINT16_MAX);
}

static void remember(sc_element_hint *hint, const sc_session *session, const sc_wanted *wanted,
                     const sc_place *place, const sc_item *item) {
    const sc_view *view = &place->found.view;
    const sc_part *value = value_of(wanted, item);
    hint->sequence = 1;
    if (session->count != 1 || view->key_at > UINT16_MAX || !is_plain(wanted, place, item)) return;
    hint->stripe = session->seen[0].stripe;
    hint->entry = view->offset;
    hint->key_at = (uint16_t)view->key_at;
    hint->type = (uint8_t)wanted->type;
    hint->name_length = (uint16_t)item->key.length;
    if (wanted->type == SC_LIST) {
        hint->name.index = wanted->index;
    } else {
        hint->name.at = item->key.at;
    }
    hint->value = value->at;
    hint->value_length = wanted->type == SC_SET ? 0 : (uint16_t)value->length;
    hint->sequence = session->seen[0].sequence;
}

int sc_find_slow(sc_arena *arena, const sc_key *key, const sc_wanted *wanted,
                 sc_element_hint *hint) {
    sc_session session;
    sc_place place;
    sc_item item;
    int status;
    sc_session_start(&session, arena);
    do {
        status = locate(&session, key, wanted, &place, &item);
        if (status == SC_OK && wanted->sink) {
            status = sc_place_sink(&place, value_of(wanted, &item), wanted->sink);
        }
        if (status == SC_OK && wanted->score)
            status = sc_member_score(&place, &item, wanted->score);
    } while (sc_session_again(&session, &status));
    if (status == SC_OK && hint) remember(hint, &session, wanted, &place, &item);
    sc_session_end(&session);
    return status;
}
