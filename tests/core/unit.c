/* What sc.h says, function by function and status by status.
 *
 *     unit [only=PART-OF-A-NAME]
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static const unit *const tables[] = {
    unit_string, unit_expire, unit_scan,   unit_database, unit_txn,     unit_memory,
    unit_evict,  unit_slot,   unit_attach, unit_map,      unit_walk,    unit_list,
    unit_zset,   unit_stream, unit_whole,  unit_full,     unit_session, unit_large,
    unit_patch,  unit_feed,   unit_ring,   unit_bus,
};

bench bench_open(uint64_t data_bytes) {
    bench made = {.files = segments_create(data_bytes ? data_bytes : sc_min_data_bytes())};
    made.arena = segments_attach(&made.files, true);
    buffer_init(&made.got);
    return made;
}

void bench_close(bench *of) {
    check_valid(of->arena);
    sc_arena_detach(of->arena);
    buffer_free(&of->got);
    segments_close(&of->files);
}

/* In a process of its own: one that fails does not hide the others. */
static bool passes(const unit *test) {
    uint64_t start = monotonic_ms();
    fflush(stdout);
    pid_t child = fork_bound();
    if (child == 0) {
        check_context("unit only=%s", test->name);
        test->run();
        exit(0);
    }
    int how = -1;
    CHECK(child > 0 && waitpid(child, &how, 0) == child);
    printf("%-4s %-40s %5llu ms\n", how ? "FAIL" : "ok", test->name,
           (unsigned long long)(monotonic_ms() - start));
    return how == 0;
}

int main(int argc, char **argv) {
    const char *only = option_text(argc, argv, "only", "");
    unsigned run = 0, failed = 0;
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        for (const unit *test = tables[t]; test->name; test++) {
            if (!strstr(test->name, only)) continue;
            run++;
            failed += !passes(test);
        }
    }
    printf("%u tests, %u failed\n", run, failed);
    return run > 0 && failed == 0 ? 0 : 1;
}
