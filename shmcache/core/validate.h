/* What the validator's files share. */
#ifndef SC_VALIDATE_H
#define SC_VALIDATE_H

#include "container.h"
#include "heap.h"

typedef struct sc_audit {
    sc_arena *arena;
    FILE *report;
    uint64_t problems;
    uint64_t *seen; /* a bit for each 8 bytes of heap: a block that starts there was met */
    int64_t keys[SC_PHYSICAL_DBS], expires[SC_PHYSICAL_DBS];
    uint64_t class_free[SC_MAX_CLASSES];
    uint64_t used_bytes, free_pages, listed_pages;
} sc_audit;

void sc_audit_problem(sc_audit *check, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Account for a block; false if it is none or was met before. `what` says who refers to it. */
bool sc_audit_meet(sc_audit *check, uint64_t block, const char *what, uint64_t where,
                   uint32_t *size_class);
/* A chain of chunks: met, whole, and `length` bytes long. `hash` is of the key that owns it; NULL
 * where the chunks may still name the key that a container had before it was renamed. */
void sc_audit_chain(sc_audit *check, uint64_t first, const uint64_t *hash, uint64_t length,
                    const char *what, uint64_t where);

/* A container's entry: its shape, its leaf or trees, and all that hangs on them. */
void sc_audit_container(sc_audit *check, const sc_view *view);
/* A tree that is being freed: nothing but whether its blocks are accounted for. */
void sc_audit_freed_tree(sc_audit *check, uint64_t root_word, uint64_t slot);

#endif
