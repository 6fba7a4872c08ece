/* libFuzzer over the containers' model: its bytes choose the operations, so that it looks for rare
 * sequences rather than for frequent ones. Answers are compared as in baskets.c.
 *
 *     fuzz_baskets [libFuzzer options] [corpus directory] */
#include "baskets.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (size < 2) return 0;
    fix_core_chance(1);
    chooser pick = {.bytes = bytes + 1, .left = size - 1, .from_bytes = true};
    baskets *of = baskets_open(bytes[0] % SC_POLICIES, sc_min_data_bytes(), pick);
    for (unsigned steps = 0; of->pick.left > 0 && steps < 1000; steps++)
        baskets_step(of);
    baskets_check(of);
    baskets_close(of);
    return 0;
}
