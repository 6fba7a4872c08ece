/* What the kill test's feed says: the record of a step is there if and only if the step was done.
 */
#ifndef KILL_FEED_H
#define KILL_FEED_H

#include "harness.h"

/* The part of the ring that a scene may change. */
enum { FED_BYTES = 64 << 10 };

typedef struct fed {
    sc_arena *arena; /* whose process has the wish; NULL: nobody wants the feed */
    struct sc_feed *wish;
    uint8_t *ring, *pictures[2];
    uint64_t position, losses; /* where the scene begins */
    unsigned steps;
    char **told; /* after so many steps: steps + 1 lines */
} fed;

void fed_open(fed *made, const segments *files, unsigned steps);
void fed_close(fed *of);
void fed_take_picture(const fed *of, bool wreck);
void fed_put_picture(const fed *of, bool wreck);
/* What is told now belongs to that many steps. */
void fed_learn(fed *of, unsigned steps);
/* After `done` steps and a death in the next one: the arena looks as before it, as after it. */
void fed_judge(const fed *of, unsigned done, bool is_old, bool is_new);

#endif
