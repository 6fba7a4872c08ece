/* Compaction: emptying sparse pages by moving their blocks, so that memory never stays with a size
 * class that no longer needs it. */
#ifndef SC_RELOCATE_H
#define SC_RELOCATE_H

#include "internal.h"

/* Pick the emptiest page whose live blocks fit elsewhere in its class and empty it. True if a page
 * became free. Uses the writer's inner transaction; only try-locks stripes. */
bool sc_evacuate_sparse_page(sc_writer *writer);
/* Put the page that `slot` was emptying back on its list, whatever state it is in. */
void sc_evacuation_end(sc_writer *writer, sc_slot *slot);

#endif
