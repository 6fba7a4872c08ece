/* Writer slots: one a writing thread, none left over, those of the dead given back. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static uint64_t slots_used(sc_arena *arena) {
    sc_statistics statistics;
    CHECK_STATUS(sc_get_statistics(arena, &statistics), SC_OK);
    return statistics.slots_used;
}

static void claimed_at_the_first_write(void) {
    bench b = bench_open(0);
    CHECK(slots_used(b.arena) == 0);
    check_missing(b.arena, 0, "k");
    CHECK(slots_used(b.arena) == 0, "reading needs none");
    CHECK_STATUS(set_text(b.arena, 0, "k", "v"), SC_OK);
    CHECK(slots_used(b.arena) == 1);
    for (int i = 0; i < 100; i++)
        CHECK_STATUS(set_text(b.arena, 0, "k", "v"), SC_OK);
    CHECK(slots_used(b.arena) == 1);
    sc_arena *other = segments_attach(&b.files, true);
    CHECK_STATUS(set_text(other, 0, "k", "w"), SC_OK);
    CHECK(slots_used(b.arena) == 2);
    sc_arena_detach(other);
    CHECK(slots_used(b.arena) == 1, "detaching gives it back");
    check_text(b.arena, 0, "k", "w");
    bench_close(&b);
}

/* Counts live in the slots; a slot that goes must leave its share behind. */
static void counts_outlive_their_slot(void) {
    bench b = bench_open(0);
    for (int round = 0; round < 20; round++) {
        sc_arena *other = segments_attach(&b.files, true);
        char name[16];
        snprintf(name, sizeof(name), "k%d", round);
        CHECK_STATUS(set_text(other, 1, name, "v"), SC_OK);
        if (round % 2) {
            snprintf(name, sizeof(name), "k%d", round - 1);
            sc_key key = key_of(1, name);
            CHECK_STATUS(sc_delete(other, &key), SC_OK);
        }
        sc_arena_detach(other);
        CHECK(sc_db_keys(b.arena, 1) == (uint64_t)(round / 2 + 1), "round %d", round);
    }
    bench_close(&b);
}

static void none_left(void) {
    bench b = bench_open(0);
    sc_statistics statistics;
    CHECK_STATUS(sc_get_statistics(b.arena, &statistics), SC_OK);
    size_t count = statistics.slots;
    CHECK(count >= 8);
    sc_arena **all = calloc(count + 1, sizeof(*all));
    for (size_t i = 0; i <= count; i++) {
        all[i] = segments_attach(&b.files, true);
        CHECK_STATUS(set_text(all[i], 0, "k", "v"), i < count ? SC_OK : SC_NO_SLOT);
    }
    CHECK(slots_used(b.arena) == count);
    check_text(all[count], 0, "k", "v"); /* reading goes on */
    sc_arena_detach(all[0]);
    CHECK_STATUS(set_text(all[count], 0, "k", "w"), SC_OK);
    for (size_t i = 1; i <= count; i++)
        sc_arena_detach(all[i]);
    free(all);
    CHECK(slots_used(b.arena) == 0);
    bench_close(&b);
}

static void the_dead_are_swept(void) {
    bench b = bench_open(0);
    CHECK_STATUS(set_text(b.arena, 0, "mine", "v"), SC_OK);
    for (int i = 0; i < 5; i++) {
        pid_t child = fork_bound();
        if (child == 0) {
            char name[16];
            snprintf(name, sizeof(name), "k%d", i);
            CHECK_STATUS(set_text(b.arena, 0, name, "v"), SC_OK);
            check_text(b.arena, 0, "mine", "v");
            _exit(0); /* without detaching */
        }
        int how;
        CHECK(waitpid(child, &how, 0) == child && how == 0);
    }
    CHECK(slots_used(b.arena) >= 2, "a child's slot is its own");
    uint32_t recovered;
    CHECK_STATUS(sc_sweep_slots(b.arena, &recovered), SC_OK);
    CHECK(recovered >= 1 && slots_used(b.arena) == 1, "%u", recovered);
    CHECK_STATUS(sc_sweep_slots(b.arena, &recovered), SC_OK);
    CHECK(recovered == 0);
    CHECK(sc_db_keys(b.arena, 0) == 6);
    bench_close(&b);
}

/* All slots taken by processes that are gone: the next writer recovers one by itself. */
static void the_dead_make_room(void) {
    bench b = bench_open(0);
    sc_statistics statistics;
    CHECK_STATUS(sc_get_statistics(b.arena, &statistics), SC_OK);
    pid_t child = fork_bound();
    if (child == 0) {
        for (size_t i = 0; i < statistics.slots; i++)
            CHECK_STATUS(set_text(segments_attach(&b.files, true), 0, "k", "v"), SC_OK);
        _exit(0);
    }
    int how;
    CHECK(waitpid(child, &how, 0) == child && how == 0);
    CHECK(slots_used(b.arena) == statistics.slots);
    CHECK_STATUS(set_text(b.arena, 0, "k", "mine"), SC_OK);
    check_text(b.arena, 0, "k", "mine");
    bench_close(&b);
}

static void *write_from_thread(void *context) {
    bench *b = context;
    for (int i = 0; i < 200; i++)
        CHECK_STATUS(set_text(b->arena, 0, "thread", "v"), SC_OK);
    return NULL;
}

static void threads_share_slots(void) {
    bench b = bench_open(0);
    for (int round = 0; round < 30; round++) {
        pthread_t threads[3];
        for (int i = 0; i < 3; i++)
            CHECK(pthread_create(&threads[i], NULL, write_from_thread, &b) == 0);
        for (int i = 0; i < 3; i++)
            CHECK(pthread_join(threads[i], NULL) == 0);
    }
    CHECK(slots_used(b.arena) <= 3, "threads that ended hold no slot");
    bench_close(&b);
}

/* A child that owns a slot, says so, and goes on once it is told to. */
typedef struct neighbour {
    pid_t pid;
    int go[2], ready[2];
} neighbour;

static neighbour neighbour_start(bench *b, void *(*live)(void *)) {
    neighbour made;
    CHECK(pipe(made.go) == 0 && pipe(made.ready) == 0);
    made.pid = fork_bound();
    if (made.pid == 0) {
        static bench own; /* static: the main thread's stack may end before the process */
        static neighbour self;
        static void *context[] = {&own, &self};
        own = *b;
        self = made;
        live(context);
        _exit(0);
    }
    char byte;
    CHECK(read(made.ready[0], &byte, 1) == 1);
    return made;
}

static void neighbour_end(neighbour *of) {
    int how;
    CHECK(write(of->go[1], "x", 1) == 1);
    CHECK(waitpid(of->pid, &how, 0) == of->pid && how == 0, "%x", how);
    for (int i = 0; i < 2; i++) {
        close(of->go[i]);
        close(of->ready[i]);
    }
}

static void *write_twice(void *context) {
    bench *b = ((void **)context)[0];
    neighbour *self = ((void **)context)[1];
    char byte;
    CHECK_STATUS(set_text(b->arena, 0, "neighbour", "first"), SC_OK);
    CHECK(write(self->ready[1], "x", 1) == 1 && read(self->go[0], &byte, 1) == 1);
    CHECK_STATUS(set_text(b->arena, 0, "neighbour", "second"), SC_OK);
    _exit(0);
}

static void *write_twice_from_another_thread(void *context) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, write_twice, context) == 0);
    pthread_exit(NULL); /* the process lives on, though /proc calls it a zombie */
}

static void expect_nobody_dead(bench *b) {
    uint32_t recovered = 9;
    CHECK_STATUS(sc_sweep_slots(b->arena, &recovered), SC_OK);
    CHECK(recovered == 0, "%u", recovered);
}

static void alive_without_its_main_thread(void) {
    bench b = bench_open(0);
    neighbour other = neighbour_start(&b, write_twice_from_another_thread);
    wait_until_ms(now_ms() + 20); /* for the main thread to be gone; otherwise less is proved */
    expect_nobody_dead(&b);
    neighbour_end(&other);
    check_text(b.arena, 0, "neighbour", "second");
    bench_close(&b);
}

/* A process that has no descriptor left cannot look at /proc. It must not take others for dead, nor
 * be taken for dead later. */
static void alive_without_descriptors(void) {
    bench b = bench_open(0);
    neighbour other = neighbour_start(&b, write_twice);
    sc_arena *second = segments_attach(&b.files, true);
    struct rlimit before, none;
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    CHECK_STATUS(set_text(b.arena, 0, "mine", "v"), SC_OK);
    expect_nobody_dead(&b);
    CHECK_STATUS(set_text(second, 0, "mine", "w"), SC_OK); /* claims a slot */
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    expect_nobody_dead(&b);
    neighbour_end(&other);
    check_text(b.arena, 0, "neighbour", "second");
    sc_arena_detach(second);
    bench_close(&b);
}

const unit unit_slot[] = {
    {"slot/claimed_at_the_first_write", claimed_at_the_first_write},
    {"slot/counts_outlive_their_slot", counts_outlive_their_slot},
    {"slot/none_left", none_left},
    {"slot/the_dead_are_swept", the_dead_are_swept},
    {"slot/the_dead_make_room", the_dead_make_room},
    {"slot/threads_share_slots", threads_share_slots},
    {"slot/alive_without_its_main_thread", alive_without_its_main_thread},
    {"slot/alive_without_descriptors", alive_without_descriptors},
    {NULL, NULL},
};
