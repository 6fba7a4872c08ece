/* Containers in each form, and the bytes that are most likely to be mistaken: for the unit tests.
 */
#ifndef FORMS_H
#define FORMS_H

#include "boxes.h"
#include "unit.h"

enum {
    FORM_DEFAULT, /* Redis's limits: packed, then a tree */
    FORM_TREE,    /* nothing may be packed */
    FORM_PACKED,  /* packed until it does not fit any more */
    FORMS
};
bench bench_open_form(uint64_t data_bytes, int form);
void set_form(sc_arena *arena, int form);

/* Some dozens of byte strings, all different: empty, zeros, numbers, what only looks like a number,
 * long ones. */
size_t odd_count(void);
sc_bytes odd_bytes(size_t index);

#endif
