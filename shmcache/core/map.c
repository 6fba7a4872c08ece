/* Hashes, sets, and sorted sets by member. See containers.h. */
#include "map.h"

#include <stdlib.h>

/* ---- finding one ------------------------------------------------------------------------------*/

/* A packed sorted set is in the order of scores: its members are looked at one by one. */
static int find_ranked(const sc_place *place, const sc_root *root, sc_bytes member, sc_path *path,
                       sc_item *item) {
    int status = sc_path_at(place->arena, root, 0, path);
    for (uint32_t i = 0; status == SC_OK && i < path->leaf.head.count; i++) {
        if (!sc_item_load(&path->leaf, i, item)) return SC_CORRUPT;
        if (item->key.length != member.length + 8) continue;
        sc_part own = item->key;
        if (own.how == SC_CHAINED) {
            if (!sc_ranked_is(place->arena, &own, member)) continue;
        } else {
            own.at += 8;
            own.length -= 8;
            if (sc_part_compare(place->arena, &own, member) != 0) continue;
        }
        path->index = i;
        return SC_OK;
    }
    return status == SC_OK ? SC_MISS : status;
}

bool sc_ranked_is(const sc_arena *arena, const sc_part *ranked, sc_bytes member) {
    char *text = malloc(ranked->length + 1);
    bool same = text && ranked->length == member.length + 8 && sc_part_copy(arena, ranked, text) &&
                !memcmp(text + 8, member.bytes, member.length);
    free(text);
    return same;
}

int sc_map_seek(const sc_place *place, const sc_root *root, const sc_word *word, sc_bytes field,
                sc_path *path, sc_item *item) {
    if (SC_UNLIKELY(root->form->mode == SC_ORDERED)) {
        return find_ranked(place, root, field, path, item);
    }
    int status = sc_path_hash(place->arena, root, word->hash, path);
    if (SC_UNLIKELY(status != SC_OK)) return status;
    int index = sc_leaf_find(place->arena, &path->leaf, word, item);
    if (index < 0) return SC_MISS;
    path->index = (uint32_t)index;
    return SC_OK;
}

static bool is_dead(const sc_item *item) {
    return SC_UNLIKELY(item->expire_ms != 0) && sc_is_past(item->expire_ms);
}

/* A live element of a found container. */
static int find_element(const sc_place *place, sc_bytes field, sc_path *path, sc_root *root,
                        sc_item *item) {
    sc_word word;
    if (SC_UNLIKELY(!sc_place_root(place, SC_TREE_MAIN, root))) return SC_CORRUPT;
    sc_word_make(place->arena, &word, field.bytes, field.length, root->form->mode);
    int status = sc_map_seek(place, root, &word, field, path, item);
    return status == SC_OK && is_dead(item) ? SC_MISS : status;
}

int sc_map_find(sc_session *session, const sc_key *key, int type, sc_bytes field, sc_sink *value) {
    sc_place place;
    sc_root root;
    sc_path path;
    sc_item item;
    int status = sc_place_find(session, key, type, &place);
    if (status == SC_OK) status = find_element(&place, field, &path, &root, &item);
    if (status == SC_OK && value) status = sc_place_sink(&place, &item.value, value);
    return status;
}

int sc_map_expiry(sc_session *session, const sc_key *key, sc_bytes field, uint64_t *expire_ms) {
    sc_place place;
    sc_root root;
    sc_path path;
    sc_item item;
    int status = sc_place_find(session, key, SC_HASH, &place);
    if (status == SC_OK) status = find_element(&place, field, &path, &root, &item);
    if (status == SC_OK) *expire_ms = item.expire_ms;
    return status;
}

int sc_zset_score(sc_session *session, const sc_key *key, sc_bytes member, double *score) {
    sc_place place;
    sc_root root;
    sc_path path;
    sc_item item;
    int status = sc_place_find(session, key, SC_ZSET, &place);
    if (status == SC_OK) status = find_element(&place, member, &path, &root, &item);
    if (status == SC_OK) status = sc_member_score(&place, &item, score);
    return status;
}

int sc_member_score(const sc_place *place, const sc_item *item, double *score) {
    if (!place->packed) {
        *score = sc_part_score(&item->value);
        return SC_OK;
    }
    return sc_ranked_score(place->arena, &item->key, score);
}

int sc_ranked_score(const sc_arena *arena, const sc_part *ranked, double *score) {
    uint64_t word;
    if (ranked->length < 8) return SC_CORRUPT;
    if (ranked->how != SC_CHAINED) {
        word = sc_bytes8(ranked->at);
    } else if (!sc_chain_copy(arena, sc_bytes8(ranked->at), 8, (char *)&word)) {
        return SC_CORRUPT;
    }
    *score = sc_score_from_sortable(word);
    return SC_OK;
}

/* ---- giving elements --------------------------------------------------------------------------*/

/* A ranked item's member: what follows the score. */
static int give_ranked_member(const sc_place *place, const sc_part *ranked, sc_items *items) {
    sc_part member = *ranked;
    if (ranked->length < 8) return SC_CORRUPT;
    member.length -= 8;
    if (ranked->how != SC_CHAINED) {
        member.at += 8;
        return sc_place_item(place, &member, items);
    }
    if (ranked->length > place->arena->data_bytes) return SC_CORRUPT;
    char *text = malloc(ranked->length);
    if (!text) return SC_NO_MEMORY;
    int status = sc_part_copy(place->arena, ranked, text) ? SC_OK : SC_CORRUPT;
    char *out = status == SC_OK ? items->add(items, member.length) : NULL;
    if (out)
        memcpy(out, text + 8, member.length);
    else if (status == SC_OK)
        status = SC_NO_MEMORY;
    free(text);
    return status;
}

int sc_give_ranked(const sc_place *place, const sc_part *ranked, uint32_t what, sc_items *items) {
    double score;
    int status = what & SC_FIELDS ? give_ranked_member(place, ranked, items) : SC_OK;
    if (status != SC_OK || !(what & SC_VALUES)) return status;
    status = sc_ranked_score(place->arena, ranked, &score);
    return status == SC_OK && !items->score(items, score) ? SC_NO_MEMORY : status;
}

static int give_element(const sc_place *place, const sc_item *item, uint32_t what,
                        sc_items *items) {
    if (place->type == SC_ZSET && place->packed) {
        return sc_give_ranked(place, &item->key, what, items);
    }
    int status = what & SC_FIELDS ? sc_place_item(place, &item->key, items) : SC_OK;
    if (status != SC_OK || !(what & SC_VALUES)) return status;
    if (place->type == SC_ZSET) {
        return items->score(items, sc_part_score(&item->value)) ? SC_OK : SC_NO_MEMORY;
    }
    return place->type == SC_HASH ? sc_place_item(place, &item->value, items) : SC_OK;
}

/* The items of a path's leaf from its index on, those filed under a hash below `from` left out. */
static int give_leaf(const sc_place *place, const sc_path *path, uint64_t from, uint32_t what,
                     sc_items *items, uint64_t *given) {
    for (uint32_t i = path->index; i < path->leaf.head.count; i++) {
        sc_item item;
        if (!sc_item_load(&path->leaf, i, &item)) return SC_CORRUPT;
        if (is_dead(&item)) continue;
        if (from && sc_part_hash(place->arena, &item.key) < from) continue;
        int status = give_element(place, &item, what, items);
        if (status != SC_OK) return status;
        ++*given;
    }
    return SC_OK;
}

int sc_map_all(sc_session *session, const sc_key *key, int type, uint32_t what, sc_items *items) {
    sc_place place;
    sc_root root;
    sc_path path;
    uint64_t given = 0;
    int status = sc_place_find(session, key, type, &place);
    if (status != SC_OK) return status;
    if (!sc_place_root(&place, SC_TREE_MAIN, &root)) return SC_CORRUPT;
    status = sc_path_at(place.arena, &root, 0, &path);
    while (status == SC_OK) {
        status = give_leaf(&place, &path, 0, what, items, &given);
        if (status == SC_OK) status = sc_path_next(place.arena, &path);
        if (given > root.count) return SC_CORRUPT;
    }
    return status == SC_MISS ? SC_OK : status;
}

/* A cursor is a hash: all elements filed below it were given. Leaves may have been split or joined
 * since, so the first one may begin below it. */
int sc_map_scan(sc_session *session, const sc_key *key, int type, uint64_t *cursor, uint64_t count,
                uint32_t what, sc_items *items) {
    sc_place place;
    sc_root root;
    sc_path path;
    uint64_t given = 0, from = *cursor, reached = from;
    int status = sc_place_find(session, key, type, &place);
    if (status == SC_MISS) *cursor = 0;
    if (status != SC_OK) return status;
    if (!sc_place_root(&place, SC_TREE_MAIN, &root)) return SC_CORRUPT;
    if (place.packed) { /* all at once: it may be a tree by the next call */
        *cursor = 0;
        status = sc_path_at(place.arena, &root, 0, &path);
        return status == SC_OK ? give_leaf(&place, &path, 0, what, items, &given) : status;
    }
    status = sc_path_hash(place.arena, &root, from, &path);
    while (status == SC_OK) {
        status = give_leaf(&place, &path, from, what, items, &given);
        if (status == SC_OK) status = sc_path_bound(place.arena, &path, cursor);
        if (status == SC_OK && *cursor && *cursor <= reached) return SC_CORRUPT;
        if (status != SC_OK || !*cursor || given >= count) break;
        reached = *cursor; /* it always gets further, however damaged the tree is */
        from = 0;
        status = sc_path_next(place.arena, &path);
    }
    if (status == SC_MISS) *cursor = 0;
    return status == SC_MISS ? SC_OK : status;
}

/* ---- at random --------------------------------------------------------------------------------*/

static int give_at(const sc_place *place, const sc_root *root, uint64_t rank, uint32_t what,
                   sc_items *items) {
    sc_path path;
    sc_item item;
    int status = sc_path_at(place->arena, root, rank, &path);
    if (status != SC_OK) return status;
    if (path.index >= path.leaf.head.count || !sc_item_load(&path.leaf, path.index, &item)) {
        return SC_CORRUPT;
    }
    return is_dead(&item) ? SC_MISS : give_element(place, &item, what, items);
}

/* May some of a hash's fields have TTLs? */
bool sc_hash_expires(const sc_place *place) {
    const sc_view *view = &place->found.view;
    if (place->packed) return sc_view_shape(view) != SC_LISTPACK;
    const sc_tree *tree = sc_at(place->arena, view->offset + view->body_at);
    return sc_load64((const uint64_t *)(const void *)(tree + 1)) != 0;
}

/* How many fields are alive; all of them, but for hashes with TTLs. */
static uint64_t count_live(const sc_place *place, const sc_root *root) {
    sc_path path;
    uint64_t live = 0;
    if (place->type != SC_HASH || !sc_hash_expires(place)) return root->count;
    int status = sc_path_at(place->arena, root, 0, &path);
    while (status == SC_OK && live <= root->count) {
        for (uint32_t i = 0; i < path.leaf.head.count; i++) {
            sc_item item;
            live += sc_item_load(&path.leaf, i, &item) && !is_dead(&item);
        }
        status = sc_path_next(place->arena, &path);
    }
    return live;
}

/* Ranks without repetition: of n elements choose k by Floyd's method (Bentley and Floyd, "A sample
 * of brilliance", 1987), remembered in a small open hash table. */
static int sample_distinct(const sc_place *place, const sc_root *root, uint64_t count,
                           uint32_t what, sc_items *items) {
    uint64_t room = 16, total = root->count, given = 0;
    while (room < 2 * count)
        room *= 2;
    uint64_t *chosen = calloc(room, sizeof *chosen); /* rank + 1 */
    if (!chosen) return SC_NO_MEMORY;
    int status = SC_OK;
    for (uint64_t top = total - count; top < total && status == SC_OK; top++) {
        uint64_t rank = sc_random(place->session->arena) % (top + 1);
        for (int attempt = 0; attempt < 2; attempt++, rank = top) {
            uint64_t at = rank * SC_DB_MIX & (room - 1);
            while (chosen[at] && chosen[at] != rank + 1)
                at = (at + 1) & (room - 1);
            if (chosen[at]) continue;
            chosen[at] = rank + 1;
            break;
        }
    }
    for (uint64_t at = 0; at < room && status == SC_OK; at++) {
        if (!chosen[at]) continue;
        status = give_at(place, root, chosen[at] - 1, what, items);
        if (status == SC_MISS) status = SC_OK;
        given++;
    }
    (void)given;
    free(chosen);
    return status;
}

#define SC_ALIVE_TRIES                                                                             \
    100 /* then a walk finds one: a hash may be full of fields that have expired */

int sc_map_random(sc_session *session, const sc_key *key, int type, uint64_t count, bool distinct,
                  uint32_t what, sc_items *items) {
    sc_place place;
    sc_root root;
    int status = sc_place_find(session, key, type, &place);
    if (status != SC_OK) return status;
    if (!sc_place_root(&place, SC_TREE_MAIN, &root)) return SC_CORRUPT;
    uint64_t live = count_live(&place, &root);
    if (live > root.count) return SC_CORRUPT;
    if (!live || !count) return SC_OK;
    if (distinct && (count >= live || live != root.count)) {
        return sc_map_sample_all(&place, &root, count, live, what, items);
    }
    if (distinct) return sample_distinct(&place, &root, count, what, items);
    for (uint64_t i = 0; i < count && status == SC_OK; i++) {
        status = SC_MISS;
        for (int tries = 0; tries < SC_ALIVE_TRIES && status == SC_MISS; tries++)
            status = give_at(&place, &root, sc_random(session->arena) % root.count, what, items);
        if (status == SC_MISS) status = sc_map_sample_all(&place, &root, 1, live, what, items);
    }
    return status;
}

/* `count` of the live elements by one walk over all, each with the odds that are left to it. */
int sc_map_sample_all(const sc_place *place, const sc_root *root, uint64_t count, uint64_t live,
                      uint32_t what, sc_items *items) {
    sc_path path;
    int status = sc_path_at(place->arena, root, 0, &path);
    while (status == SC_OK && count && live) {
        for (uint32_t i = 0; i < path.leaf.head.count && count && live; i++) {
            sc_item item;
            if (!sc_item_load(&path.leaf, i, &item)) return SC_CORRUPT;
            if (is_dead(&item)) continue;
            if (count >= live || sc_random(place->session->arena) % live < count) {
                int given = give_element(place, &item, what, items);
                if (given != SC_OK) return given;
                count--;
            }
            live--;
        }
        status = sc_path_next(place->arena, &path);
    }
    return status == SC_MISS ? SC_OK : status;
}
