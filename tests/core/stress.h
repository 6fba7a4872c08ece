/* What the stress test's files share: a worker, and what it does with containers. */
#ifndef STRESS_H
#define STRESS_H

#include <stdatomic.h>

#include "boxes.h"

enum { COUNTERS = 5 };

/* What the processes share besides the arena. */
typedef struct board {
    _Atomic uint64_t begun[COUNTERS], done[COUNTERS];
    _Atomic uint64_t operations, busy, full, killed, containers;
    _Atomic bool stop;
} board;

typedef struct plan {
    uint64_t seed, ms, processes, threads, policy, kill_ms;
    segments files;
    board *shared;
    bool evicting;
} plan;

typedef struct worker {
    const plan *of;
    bool hinted; /* alone on its attachment: may use the hints */
    sc_arena *arena;
    rng chance;
    buffer got, more;
    gathered all, second;
    char *value;
    bool anchored; /* has seen the anchor (stress.c) */
} worker;

/* Counts the answers that a full or busy arena may give; false when it was one of those. */
bool went_well(worker *w, int status);

void read_containers(worker *w);
void write_containers(worker *w);
/* All that there are, at the end. */
void judge_containers(worker *w);

#endif
