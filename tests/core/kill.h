/* The scenes of the kill test: what is in the arena before, and what is then done step by step. */
#ifndef KILL_H
#define KILL_H

#include "harness.h"

enum scene_rule {
    EXACT,  /* every key as before the step or as after it */
    EVICTS, /* other keys may also be gone */
};

typedef struct scene {
    const char *name;
    /* On top of the common content, before the picture that every trial starts from is taken. */
    void (*prepare)(sc_arena *arena);
    void (*perform)(sc_arena *arena, unsigned step);
    unsigned steps;
    enum scene_rule rule;
} scene;

extern const scene kill_scenes[]; /* ends with a NULL name */
extern const scene kill_container_scenes[];
void kill_common_content(sc_arena *arena);
extern uint64_t kill_far_ms; /* a time to live's end that no run lives to see */

/* A container's content as one number, in the order in which it is read. */
uint64_t kill_container_sum(sc_arena *arena, const sc_key *key, int type);

#endif
