/* The damage test's containers: made in the sound arena, aimed at, and read in every way. */
#ifndef DAMAGE_H
#define DAMAGE_H

#include "boxes.h"

enum { CONTAINERS = 24 };
sc_key container_key(unsigned i, char name[32]);
/* The type that it was given; damage may say something else. */
int container_type(unsigned i);
void make_containers(sc_arena *arena);

/* Where leaves and nodes begin, packed ones too, in a picture of a data segment. */
typedef struct targets {
    uint64_t *at;
    size_t count;
} targets;
targets find_targets(const uint8_t *data, uint64_t data_bytes);
uint64_t pick_target(const targets *from, const uint8_t *data, rng *chance);

/* Every reading call on container `i`, whatever its type; `answered` judges each status and says
 * whether to go on. */
typedef bool (*answered_call)(void *context, int status);
bool read_container(sc_arena *arena, unsigned i, rng *chance, uint64_t longest,
                    answered_call answered, void *context);

#endif
