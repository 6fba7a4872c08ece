/* Sorted sets: by rank, and changing them. See containers.h; by member they are in map.c.
 *
 * As trees a sorted set is two: members with their scores, filed by hash, and ranked items (the
 * sortable score, then the member), sorted by their bytes. Packed it is the ranked items alone. */
#include <math.h>
#include <stdlib.h>

#include "map.h"

/* ---- ranked items -----------------------------------------------------------------------------*/

typedef struct ranked { /* a ranked item's bytes */
    sc_bytes bytes;
    char *own;
    char room[512];
} ranked;

static int ranked_make(ranked *ranked, double score, sc_bytes member) {
    uint64_t word = sc_score_sortable(score);
    uint64_t length = member.length + 8;
    ranked->own = length <= sizeof ranked->room ? ranked->room : malloc(length);
    if (!ranked->own) return SC_NO_MEMORY;
    memcpy(ranked->own, &word, 8);
    if (member.length) memcpy(ranked->own + 8, member.bytes, member.length);
    ranked->bytes = (sc_bytes){.bytes = ranked->own, .length = length};
    return SC_OK;
}

static void ranked_end(ranked *ranked) {
    if (ranked->own != ranked->room) free(ranked->own);
}

static int seek_ranked(const sc_place *place, sc_root *root, sc_bytes ranked, sc_path *path,
                       bool *equal) {
    if (!sc_place_root(place, SC_TREE_RANKS, root)) return SC_CORRUPT;
    return sc_path_seek(place->arena, root, ranked, path, equal);
}

/* ---- reading ----------------------------------------------------------------------------------*/

int sc_zset_rank(sc_session *session, const sc_key *key, sc_bytes member, uint64_t *rank,
                 double *score) {
    sc_place place;
    sc_root root;
    sc_path path;
    sc_item item;
    sc_word word;
    ranked wanted;
    bool equal;
    int status = sc_place_find(session, key, SC_ZSET, &place);
    if (status != SC_OK) return status;
    if (!sc_place_root(&place, SC_TREE_MAIN, &root)) return SC_CORRUPT;
    sc_word_make(place.arena, &word, member.bytes, member.length, root.form->mode);
    status = sc_map_seek(&place, &root, &word, member, &path, &item);
    if (status == SC_OK) status = sc_member_score(&place, &item, score);
    if (status != SC_OK) return status;
    *rank = path.index;
    if (place.packed) return SC_OK;
    status = ranked_make(&wanted, *score, member);
    if (status != SC_OK) return status;
    status = seek_ranked(&place, &root, wanted.bytes, &path, &equal);
    ranked_end(&wanted);
    *rank = path.before + path.index;
    return status == SC_OK && !equal ? SC_CORRUPT : status;
}

static int give_range(const sc_place *place, const sc_root *root, uint64_t from, uint64_t count,
                      bool reverse, uint32_t what, sc_items *items) {
    sc_path path;
    int status = sc_path_at(place->arena, root, reverse ? root->count - 1 - from : from, &path);
    while (status == SC_OK) {
        sc_item item;
        if (path.index >= path.leaf.head.count || !sc_item_load(&path.leaf, path.index, &item)) {
            return SC_CORRUPT;
        }
        int given = sc_give_ranked(place, &item.key, what, items);
        if (given != SC_OK) return given;
        if (!--count) return SC_OK;
        if (reverse) {
            if (path.index)
                path.index--;
            else
                status = sc_path_previous(place->arena, &path);
        } else if (++path.index == path.leaf.head.count) {
            status = sc_path_next(place->arena, &path);
        }
    }
    return status == SC_MISS ? SC_CORRUPT : status;
}

int sc_zset_range(sc_session *session, const sc_key *key, uint64_t from, uint64_t count,
                  bool reverse, uint32_t what, sc_items *items) {
    sc_place place;
    sc_root root;
    int status = sc_place_find(session, key, SC_ZSET, &place);
    if (status != SC_OK) return status;
    if (!sc_place_root(&place, SC_TREE_RANKS, &root)) return SC_CORRUPT;
    if (from >= root.count || !count) return SC_OK;
    if (count > root.count - from) count = root.count - from;
    return give_range(&place, &root, from, count, reverse, what, items);
}

static int rank_of(const sc_place *place, sc_bytes ranked, uint64_t *rank, bool *equal) {
    sc_root root;
    sc_path path;
    int status = seek_ranked(place, &root, ranked, &path, equal);
    if (status == SC_OK) *rank = path.before + path.index;
    return status;
}

int sc_zset_seek(sc_session *session, const sc_key *key, double score, bool including,
                 uint64_t *rank) {
    sc_place place;
    bool equal;
    *rank = 0;
    int status = sc_place_find(session, key, SC_ZSET, &place);
    if (status != SC_OK) return status;
    /* Behind all items of a score is before all of the next larger one. */
    uint64_t word = __builtin_bswap64(sc_score_sortable(score)) + including;
    word = __builtin_bswap64(word);
    return rank_of(&place, (sc_bytes){(const char *)&word, 8}, rank, &equal);
}

int sc_zset_seek_lex(sc_session *session, const sc_key *key, sc_bytes member, bool including,
                     uint64_t *rank) {
    sc_place place;
    sc_root root;
    sc_path path;
    sc_item item;
    ranked wanted;
    double score;
    bool equal;
    *rank = 0;
    int status = sc_place_find(session, key, SC_ZSET, &place);
    if (status != SC_OK) return status;
    if (!sc_place_root(&place, SC_TREE_RANKS, &root)) return SC_CORRUPT;
    status = sc_path_at(place.arena, &root, 0, &path);
    if (status == SC_OK && !path.leaf.head.count) status = SC_CORRUPT;
    if (status == SC_OK && !sc_item_load(&path.leaf, 0, &item)) status = SC_CORRUPT;
    if (status == SC_OK) status = sc_ranked_score(place.arena, &item.key, &score);
    if (status == SC_OK) status = ranked_make(&wanted, score, member);
    if (status != SC_OK) return status;
    status = rank_of(&place, wanted.bytes, rank, &equal);
    ranked_end(&wanted);
    if (status == SC_OK && including && equal) ++*rank;
    return status;
}

/* ---- changing ---------------------------------------------------------------------------------*/

/* Put a ranked item among the others. SC_UNCHANGED: the leaf it is packed in has no room. */
static int add_ranked(sc_change *change, sc_bytes bytes) {
    sc_root root;
    sc_path path;
    sc_piece_room room;
    sc_piece piece;
    bool equal;
    int status = seek_ranked(&change->place, &root, bytes, &path, &equal);
    if (status == SC_MISS) status = SC_OK; /* into an empty tree */
    if (status != SC_OK) return status;
    sc_word word = {.bytes = bytes.bytes, .length = bytes.length};
    status = sc_piece_make(change->txn, root.form, change->place.ref.hash, &word, NULL, 0, &room,
                           &piece);
    if (status != SC_OK) return status;
    if (change->place.packed) return sc_packed_add(change, &path, &piece);
    sc_edit edit;
    status = sc_change_edit(change, SC_TREE_RANKS, &edit);
    return status == SC_OK ? sc_tree_add(&edit, &path, &piece) : status;
}

static int drop_ranked(sc_change *change, sc_bytes bytes) {
    sc_root root;
    sc_path path;
    sc_edit edit;
    bool equal;
    int status = seek_ranked(&change->place, &root, bytes, &path, &equal);
    if (status == SC_OK && !equal) status = SC_CORRUPT;
    if (status == SC_OK) status = sc_change_edit(change, SC_TREE_RANKS, &edit);
    return status == SC_OK ? sc_tree_drop(&edit, &path, 1) : status;
}

typedef struct member {
    sc_bytes bytes;
    sc_word word;
    sc_root root;
    sc_path path;
    sc_item item;
    bool found;
    double score;
} member;

static int find_member(const sc_change *change, member *member) {
    sc_place const *place = &change->place;
    if (!sc_place_root(place, SC_TREE_MAIN, &member->root)) return SC_CORRUPT;
    int status = sc_map_seek(place, &member->root, &member->word, member->bytes, &member->path,
                             &member->item);
    member->found = status == SC_OK;
    if (status == SC_OK) status = sc_member_score(place, &member->item, &member->score);
    return status == SC_MISS ? SC_OK : status;
}

/* A packed set's item takes another place; its only one is simply another. */
static int move_packed(sc_change *change, const member *member, sc_bytes bytes) {
    if (member->root.count > 1) {
        int status = sc_packed_drop(change, &member->path, 1);
        return status == SC_OK ? add_ranked(change, bytes) : status;
    }
    sc_piece_room room;
    sc_piece piece;
    sc_word word = {.bytes = bytes.bytes, .length = bytes.length};
    int status = sc_piece_make(change->txn, member->root.form, change->place.ref.hash, &word, NULL,
                               0, &room, &piece);
    if (status == SC_OK) status = sc_item_free_chains(change->txn, &member->item);
    return status == SC_OK ? sc_packed_change(change, &member->path, &piece) : status;
}

static int rescore(sc_change *change, const member *member, double score) {
    ranked before, after;
    int status = ranked_make(&after, score, member->bytes);
    if (status != SC_OK) return status;
    if (change->place.packed) {
        status = move_packed(change, member, after.bytes);
    } else if ((status = ranked_make(&before, member->score, member->bytes)) == SC_OK) {
        uint64_t at = sc_offset(change->place.arena, member->item.value.at);
        sc_txn_open(change->txn, change->place.ref.stripe);
        status = sc_txn_patch(change->txn, at, &score, sizeof score);
        if (status == SC_OK) status = drop_ranked(change, before.bytes);
        if (status == SC_OK) status = add_ranked(change, after.bytes);
        ranked_end(&before);
    }
    ranked_end(&after);
    return status;
}

static int add_member(sc_change *change, member *member, double score) {
    ranked fresh;
    int status = ranked_make(&fresh, score, member->bytes);
    if (status == SC_OK && !change->place.packed) {
        sc_piece_room room;
        sc_piece piece;
        sc_edit edit;
        sc_bytes value = {.bytes = (const char *)&score, .length = sizeof score};
        status = sc_piece_make(change->txn, member->root.form, change->place.ref.hash,
                               &member->word, &value, 0, &room, &piece);
        if (status == SC_OK) status = sc_change_edit(change, SC_TREE_MAIN, &edit);
        if (status == SC_OK) status = sc_tree_add(&edit, &member->path, &piece);
    }
    if (status == SC_OK) status = add_ranked(change, fresh.bytes);
    ranked_end(&fresh);
    return status;
}

static int create_zset(sc_change *change, sc_bytes member, double score) {
    sc_whole whole = {.type = SC_ZSET,
                      .shape = sc_first_shape(SC_ZSET),
                      .count = 1,
                      .items = &member,
                      .scores = &score};
    uint64_t offset;
    int status = sc_container_build(change->txn, &change->place.ref, &whole, &offset);
    return status == SC_OK ? sc_change_link(change, offset, 0) : status;
}

/* What ZADD's flags make of it: the score to be, or SC_UNCHANGED. */
static int decide_score(const member *member, uint32_t flags, double *score) {
    if (!member->found) {
        if (flags & SC_ZADD_XX) return SC_UNCHANGED;
        return isnan(*score) ? SC_NOT_FINITE : SC_OK;
    }
    if (flags & SC_ZADD_NX) return SC_UNCHANGED;
    if (flags & SC_ZADD_INCR) *score += member->score;
    if (isnan(*score)) return SC_NOT_FINITE;
    if (flags & SC_ZADD_GT && *score <= member->score) return SC_UNCHANGED;
    if (flags & SC_ZADD_LT && *score >= member->score) return SC_UNCHANGED;
    return SC_OK;
}

static int add_score_once(sc_change *change, member *member, double score, uint32_t flags,
                          double *result, int *outcome, bool *again) {
    *again = false;
    int status = find_member(change, member);
    if (status == SC_OK) status = decide_score(member, flags, &score);
    if (status != SC_OK) return status;
    *result = score;
    *outcome = !member->found ? SC_ZADD_ADDED : score != member->score ? SC_ZADD_UPDATED : 0;
    if (!*outcome) return SC_OK;
    uint32_t old = sc_view_shape(&change->place.found.view);
    uint32_t shape = sc_shape_for(change->place.arena, SC_ZSET, old,
                                  member->root.count + !member->found, &member->bytes, 0);
    *again = change->place.packed && !sc_shape_is_small(shape);
    if (*again) return sc_map_unpack(change, shape);
    uint32_t mark = change->txn->count;
    status = member->found ? rescore(change, member, score) : add_member(change, member, score);
    if (status == SC_UNCHANGED) {
        sc_txn_undo_to(change->txn, mark);
        status = sc_change_again(change);
        *again = true;
        return status == SC_OK ? sc_map_unpack(change, shape) : status;
    }
    return status == SC_OK && shape != old ? sc_change_shape(change, shape) : status;
}

static int add_score(sc_change *change, sc_bytes bytes, double score, uint32_t flags,
                     double *result, int *outcome) {
    member member = {.bytes = bytes};
    int status;
    bool again;
    if (!change->exists) {
        status = decide_score(&member, flags, &score);
        *result = score;
        *outcome = SC_ZADD_ADDED;
        return status == SC_OK ? create_zset(change, bytes, score) : status;
    }
    do {
        uint8_t mode = change->place.packed ? SC_ORDERED : SC_HASHED;
        sc_word_make(change->place.arena, &member.word, bytes.bytes, bytes.length, mode);
        status = add_score_once(change, &member, score, flags, result, outcome, &again);
    } while (status == SC_OK && again);
    return status;
}

int sc_zset_add(sc_tx *tx, const sc_key *key, sc_bytes member, double score, uint32_t flags,
                double *result, int *outcome) {
    sc_change change;
    uint32_t exclude = flags & (SC_ZADD_NX | SC_ZADD_GT | SC_ZADD_LT);
    *outcome = 0;
    if ((exclude & (exclude - 1)) || (flags & SC_ZADD_NX && flags & SC_ZADD_XX)) return SC_SYNTAX;
    if (isnan(score)) return SC_NOT_FINITE;
    int status = sc_change_begin(tx, key, SC_ZSET, &change);
    change.event = flags & SC_ZADD_INCR ? SC_EVENT_ZINCR : SC_EVENT_ZADD;
    if (status == SC_OK) status = add_score(&change, member, score, flags, result, outcome);
    if (status != SC_OK) *outcome = 0;
    return sc_change_end(&change, status);
}

static int remove_found(sc_change *change, member *member) {
    ranked gone;
    sc_edit edit;
    if (member->root.count == 1) return sc_change_delete(change);
    if (change->place.packed) return sc_packed_drop(change, &member->path, 1);
    int status = ranked_make(&gone, member->score, member->bytes);
    if (status != SC_OK) return status;
    status = sc_change_edit(change, SC_TREE_MAIN, &edit);
    if (status == SC_OK) status = sc_tree_drop(&edit, &member->path, 1);
    if (status == SC_OK) status = drop_ranked(change, gone.bytes);
    ranked_end(&gone);
    return status;
}

static int remove_member(sc_change *change, sc_bytes bytes) {
    member member = {.bytes = bytes};
    uint8_t mode = change->place.packed ? SC_ORDERED : SC_HASHED;
    sc_word_make(change->place.arena, &member.word, bytes.bytes, bytes.length, mode);
    int status = find_member(change, &member);
    if (status != SC_OK) return status;
    return member.found ? remove_found(change, &member) : SC_MISS;
}

int sc_zset_remove(sc_tx *tx, const sc_key *key, sc_bytes member) {
    sc_change change;
    int status = sc_removal_begin(tx, key, SC_ZSET, &change);
    change.event = SC_EVENT_ZREM;
    if (status == SC_OK) status = remove_member(&change, member);
    return sc_change_end(&change, status);
}

/* Remove a ranked item's member from the tree of members. */
static int forget_member(sc_change *change, const sc_part *ranked) {
    sc_edit edit;
    member member = {.score = 0};
    const sc_arena *arena = change->place.arena;
    char room[256];
    if (ranked->length < 8) return SC_CORRUPT;
    char *text = ranked->length <= sizeof room ? room : malloc(ranked->length);
    if (!text) return SC_NO_MEMORY;
    int status = sc_part_copy(arena, ranked, text) ? SC_OK : SC_CORRUPT;
    member.bytes = (sc_bytes){text + 8, ranked->length - 8};
    sc_word_make(arena, &member.word, member.bytes.bytes, member.bytes.length, SC_HASHED);
    if (status == SC_OK) status = find_member(change, &member);
    if (status == SC_OK && !member.found) status = SC_CORRUPT;
    if (status == SC_OK) status = sc_change_edit(change, SC_TREE_MAIN, &edit);
    if (status == SC_OK) status = sc_tree_drop(&edit, &member.path, 1);
    if (text != room) free(text);
    return status;
}

/* Remove members from a rank on: at most `count`, as many as are in the same leaf, not all. */
static int remove_ranks(sc_change *change, uint64_t rank, uint64_t count, uint64_t *removed) {
    sc_root root;
    sc_path path;
    sc_edit edit;
    if (!sc_place_root(&change->place, SC_TREE_RANKS, &root)) return SC_CORRUPT;
    int status = sc_path_at(change->place.arena, &root, rank, &path);
    if (status != SC_OK) return status;
    if (path.index >= path.leaf.head.count) return SC_CORRUPT;
    uint32_t here = path.leaf.head.count - path.index;
    if (count < here) here = (uint32_t)count;
    *removed = here;
    if (change->place.packed) return sc_packed_drop(change, &path, here);
    for (uint32_t i = 0; i < here && status == SC_OK; i++) {
        sc_item item;
        if (!sc_item_load(&path.leaf, path.index + i, &item)) return SC_CORRUPT;
        status = forget_member(change, &item.key);
    }
    if (status == SC_OK) status = sc_change_edit(change, SC_TREE_RANKS, &edit);
    return status == SC_OK ? sc_tree_drop(&edit, &path, here) : status;
}

int sc_zset_remove_range(sc_tx *tx, const sc_key *key, uint64_t from, uint64_t count) {
    sc_change change;
    int status = sc_removal_begin(tx, key, SC_ZSET, &change);
    change.event = SC_EVENT_ZREMRANGEBYRANK;
    if (status != SC_OK) return sc_change_end(&change, status);
    uint64_t length = sc_container_length(change.place.arena, &change.place.found.view);
    if (from >= length) return sc_change_end(&change, SC_MISS);
    if (count > length - from) count = length - from;
    if (count == length) return sc_change_end(&change, sc_change_delete(&change));
    while (count && status == SC_OK) {
        uint64_t removed = 0;
        status = remove_ranks(&change, from, count, &removed);
        count -= removed;
    }
    return sc_change_end(&change, status);
}
