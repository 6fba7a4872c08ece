/* What the containers of the kill test hold, and one-key operations on them: element `i` of a
 * container is made from the number alone. */
#ifndef KILL_CONTENT_H
#define KILL_CONTENT_H

#include "boxes.h"
#include "kill.h"

enum { LIMIT = 24 }; /* elements until which the scenes' containers are packed */

/* Of a type: "TYPE few" (packed), "TYPE edge" (one more and it is unpacked), "TYPE many" (a tree
 * of many leaves, some elements long, of a hash some with a TTL), "TYPE one" (a single element). */
void containers_of_type(sc_arena *arena, int type);
const char *type_name(int type);

void element_add(sc_arena *arena, const char *name, int type, unsigned i);
/* Another value or score for the same element. */
void element_change(sc_arena *arena, const char *name, int type, unsigned i);
void element_drop(sc_arena *arena, const char *name, int type, unsigned i);
/* The same in a transaction of the caller's. */
int tx_element_add(sc_tx *tx, const sc_key *key, int type, unsigned i);
/* sc_store of elements 0 .. count - 1. */
int tx_store(sc_tx *tx, const sc_key *key, int type, unsigned count);

#endif
