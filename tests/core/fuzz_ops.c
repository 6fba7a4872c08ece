/* libFuzzer over the model: its bytes choose the operations, so that it looks for rare sequences
 * rather than for frequent ones. Answers are compared as in model.c.
 *
 *     fuzz_ops [libFuzzer options] [corpus directory] */
#include "model.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (size < 2) return 0;
    fix_core_chance(1);
    chooser pick = {.bytes = bytes + 1, .left = size - 1, .from_bytes = true};
    world *of = world_open(bytes[0] % SC_POLICIES, sc_min_data_bytes(), pick);
    for (unsigned steps = 0; of->pick.left > 0 && steps < 2000; steps++)
        world_step(of);
    world_check(of);
    world_close(of);
    return 0;
}
