/* What map.c, its writes and zset.c share: elements by their key, and a sorted set's by rank. */
#ifndef SC_MAP_H
#define SC_MAP_H

#include "container.h"

/* The element with this key, dead or alive: SC_OK, SC_MISS, SC_CORRUPT. The path is where it is, or
 * would be. */
int sc_map_seek(const sc_place *place, const sc_root *root, const sc_word *word, sc_bytes field,
                sc_path *path, sc_item *item);
int sc_map_sample_all(const sc_place *place, const sc_root *root, uint64_t count, uint64_t live,
                      uint32_t what, sc_items *items);

bool sc_hash_expires(const sc_place *place);

/* Remove the path's element, and the key with the last one. */
int sc_map_take_out(sc_change *change, const sc_root *root, sc_path *path);

/* Make a packed container take what does not fit: SC_OK, look for the place again. */
int sc_map_unpack(sc_change *change, uint32_t shape);

/* A ranked item is a sorted set's in the order of scores: the sortable score, then the member. */
bool sc_ranked_is(const sc_arena *arena, const sc_part *ranked, sc_bytes member);
int sc_ranked_score(const sc_arena *arena, const sc_part *ranked, double *score);
int sc_give_ranked(const sc_place *place, const sc_part *ranked, uint32_t what, sc_items *items);
/* The score of a member that sc_map_seek found. */
int sc_member_score(const sc_place *place, const sc_item *item, double *score);

#endif
