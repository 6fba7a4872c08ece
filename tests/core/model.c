/* Random operations beside a naive map, in the smallest arena there is: eviction, growth, running
 * full and moving pages all happen all the time. What is proved: every answer is the right one, no
 * value is ever wrong, and the arena is whole after every few steps.
 *
 *     model [seed=N] [steps=N] [policy=N] [bytes=N] [check=N] [seconds=N]
 *
 * Without `policy` all eight take turns; with `seconds` it goes on with new seeds until then. */
#include "model.h"

#include <time.h>

static void run(uint64_t seed, uint32_t policy, uint64_t steps, uint64_t bytes, uint64_t check) {
    check_context("model seed=%llu policy=%u steps=%llu bytes=%llu check=%llu",
                  (unsigned long long)seed, policy, (unsigned long long)steps,
                  (unsigned long long)bytes, (unsigned long long)check);
    chooser pick = {.chance = {.state = seed * 16 + policy}};
    fix_core_chance(seed);
    world *of = world_open(policy, bytes, pick);
    for (uint64_t i = 1; i <= steps; i++) {
        world_step(of);
        if (i % check == 0) check_valid(of->attached[0]);
        if (i % (check * 16) == 0) world_check(of);
    }
    world_check(of);
    sc_statistics at;
    CHECK_STATUS(sc_get_statistics(of->attached[0], &at), SC_OK);
    printf("seed %llu policy %u: %llu steps, refused %llu, evicted %llu, expired %llu\n",
           (unsigned long long)seed, policy, (unsigned long long)of->steps,
           (unsigned long long)of->refused, (unsigned long long)at.evicted,
           (unsigned long long)at.expired);
    if (steps >= 10000 && bytes == sc_min_data_bytes()) {
        CHECK(policy != SC_NOEVICTION || of->refused > 0, "it never ran full: nothing is proved");
        CHECK(policy == SC_NOEVICTION || at.evicted > 0, "it never evicted: nothing is proved");
    }
    world_close(of);
}

int main(int argc, char **argv) {
    uint64_t seed = option_u64(argc, argv, "seed", (uint64_t)time(NULL));
    uint64_t steps = option_u64(argc, argv, "steps", 20000);
    uint64_t only = option_u64(argc, argv, "policy", SC_POLICIES);
    uint64_t bytes = option_u64(argc, argv, "bytes", sc_min_data_bytes());
    uint64_t check = option_u64(argc, argv, "check", 500);
    uint64_t until = monotonic_ms() + 1000 * option_u64(argc, argv, "seconds", 0);
    do {
        for (uint32_t policy = 0; policy < SC_POLICIES; policy++) {
            if (only == SC_POLICIES || only == policy) run(seed, policy, steps, bytes, check);
        }
        seed++;
    } while (monotonic_ms() < until);
    return 0;
}
