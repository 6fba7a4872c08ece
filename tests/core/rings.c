/* Rings under many producers and consumers at once, under SIGKILL, and under damage.
 *
 *     rings mode=threads|kill|damage [ms=N] [producers=N] [consumers=N] [cells=N] [seed=N]
 * [canary=1]
 *
 * Every record says who made it, as which, and is filled with what follows from that, so a consumer
 * sees at once when one is torn, comes twice, or comes in a wrong order. A consumer that was never
 * told of a loss must have seen every record. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "internal.h"
#include "harness.h"
#include "ring.h"

#define GENERATION 5
#define MOST_PRODUCERS 16
#define MOST_BYTES 900

typedef struct record {
    uint32_t producer, length;
    uint64_t number;
} record;

typedef struct world {
    sc_ring ring;
    uint64_t until_ms, seed;
    uint32_t producers, consumers;
    bool canary;
    uint64_t made[MOST_PRODUCERS]; /* records published by each, when it is through */
    uint32_t done;                 /* producers that are through */
} world;

static void ring_open(world *of, uint64_t cells, uint32_t flags) {
    segments files = segments_create_blank(sc_min_data_bytes(), sc_ring_bytes(cells));
    void *base = sc_sys_map(files.access_fd, sc_ring_bytes(cells), true);
    CHECK(base != NULL, "%s", strerror(errno));
    segments_close(&files);
    sc_ring_format(base, cells, GENERATION);
    CHECK_STATUS(sc_ring_attach(&of->ring, base, cells, GENERATION, flags), SC_OK);
}

static void fill_record(char *to, const record *head) {
    memcpy(to, head, sizeof *head);
    fill_bytes(to + sizeof *head, head->length, head->number * MOST_PRODUCERS + head->producer);
}

/* Returns the head of a record that is what it says. */
static record check_record(const buffer *got) {
    static _Thread_local char want[sizeof(record) + MOST_BYTES + 8];
    record head;
    CHECK(got->length >= sizeof head, "%zu bytes", got->length);
    memcpy(&head, got->bytes, sizeof head);
    CHECK(head.producer < MOST_PRODUCERS && head.length <= MOST_BYTES, "a torn head");
    fill_record(want, &head);
    CHECK(buffer_is(got, want, sizeof head + head.length), "record %llu of %u is torn",
          (unsigned long long)head.number, head.producer);
    return head;
}

/* ---- producing --------------------------------------------------------------------------------*/

static void produce_one(world *of, sc_ring_producer *producer, rng *chance, uint32_t index,
                        uint64_t number) {
    char bytes[sizeof(record) + MOST_BYTES + 8];
    record head = {index, (uint32_t)rng_below(chance, rng_below(chance, 8) ? 60 : MOST_BYTES),
                   number};
    uint32_t length = (uint32_t)sizeof head + head.length, cut = length / 2;
    uint64_t position;
    fill_record(bytes, &head);
    CHECK_STATUS(sc_ring_reserve(&of->ring, producer, length, &position), SC_OK);
    sc_ring_fill(&of->ring, producer, position, 0, bytes, cut);
    sc_ring_fill(&of->ring, producer, position, cut, bytes + cut, length - cut);
    if (of->ring.flags & SC_RING_HELD) sc_ring_settle(&of->ring, producer);
    if (rng_below(chance, 50) == 0) { /* one that is taken back, and does not count */
        sc_ring_void(&of->ring, position);
        sc_ring_settle(&of->ring, producer);
        if (producer->lost) sc_ring_publish(&of->ring, position);
        produce_one(of, producer, chance, index, number);
        return;
    }
    sc_ring_publish(&of->ring, position);
    if (of->canary) sc_ring_fill(&of->ring, producer, position, cut, "late", 4);
    sc_ring_settle(&of->ring, producer);
    sc_ring_wake(&of->ring);
}

/* `life`: how many producers of that index were killed before. */
static void produce(world *of, uint32_t index, uint64_t life) {
    rng chance = {.state = of->seed * 100 + index + life * 10000};
    sc_ring_producer producer;
    uint64_t number = life << 40;
    CHECK_STATUS(sc_ring_join(&of->ring, &producer), SC_OK);
    while (now_ms() < of->until_ms) {
        for (int i = 0; i < 20; i++)
            produce_one(of, &producer, &chance, index, number++);
        if (rng_below(&chance, 4) == 0) sc_sys_sleep_us(rng_below(&chance, 300));
    }
    sc_ring_leave(&of->ring, &producer);
    of->made[index] = number;
}

/* ---- consuming --------------------------------------------------------------------------------*/

typedef struct listener {
    world *of;
    sc_ring_reader reader;
    buffer got;
    uint64_t next[MOST_PRODUCERS], seen[MOST_PRODUCERS];
    uint64_t records, losses;
} listener;

static void listener_start(listener *it, world *of) {
    *it = (listener){.of = of};
    sc_ring_start(&of->ring, &it->reader);
    buffer_init(&it->got);
}

/* SC_MISS when there is nothing to read. */
static int take_one(listener *it) {
    int status = sc_ring_read(&it->of->ring, &it->reader, &it->got.sink);
    if (status == SC_LOST) it->losses++;
    if (status == SC_OK) {
        record head = check_record(&it->got);
        CHECK(head.number >= it->next[head.producer], "record %llu of %u after %llu",
              (unsigned long long)head.number, head.producer,
              (unsigned long long)it->next[head.producer]);
        it->next[head.producer] = head.number + 1;
        it->seen[head.producer]++;
        it->records++;
    }
    return status;
}

static void *consume(void *argument) {
    listener *it = argument;
    world *of = it->of;
    for (;;) {
        bool all_made = __atomic_load_n(&of->done, __ATOMIC_ACQUIRE) == of->producers;
        int status = take_one(it);
        CHECK(status == SC_OK || status == SC_MISS || status == SC_UNCHANGED || status == SC_LOST,
              "%s", sc_status_text(status));
        if (status != SC_MISS) continue;
        if (all_made) break;
        sc_ring_wait(&of->ring, &it->reader, 50);
    }
    for (uint32_t i = 0; i < of->producers && it->losses == 0; i++)
        CHECK(it->seen[i] == of->made[i], "%llu of %llu records of %u, and told of no loss",
              (unsigned long long)it->seen[i], (unsigned long long)of->made[i], i);
    buffer_free(&it->got);
    return NULL;
}

typedef struct worker {
    world *of;
    uint32_t index;
    pthread_t thread;
} worker;

static void *produce_in_thread(void *argument) {
    worker *it = argument;
    produce(it->of, it->index, 0);
    __atomic_fetch_add(&it->of->done, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void run_threads(world *of) {
    worker workers[MOST_PRODUCERS];
    listener *listeners = calloc(of->consumers, sizeof *listeners);
    pthread_t *threads = calloc(of->consumers, sizeof *threads);
    uint64_t records = 0, losses = 0;
    for (uint32_t i = 0; i < of->consumers; i++) {
        listener_start(&listeners[i], of);
        CHECK(pthread_create(&threads[i], NULL, consume, &listeners[i]) == 0);
    }
    for (uint32_t i = 0; i < of->producers; i++) {
        workers[i] = (worker){.of = of, .index = i};
        CHECK(pthread_create(&workers[i].thread, NULL, produce_in_thread, &workers[i]) == 0);
    }
    for (uint32_t i = 0; i < of->producers; i++)
        pthread_join(workers[i].thread, NULL);
    for (uint32_t i = 0; i < of->consumers; i++) {
        pthread_join(threads[i], NULL);
        records += listeners[i].records;
        losses += listeners[i].losses;
    }
    CHECK(records > 0);
    printf("%llu records read, %llu losses told\n", (unsigned long long)records,
           (unsigned long long)losses);
    free(threads);
    free(listeners);
}

/* ---- SIGKILL at any moment --------------------------------------------------------------------*/

static pid_t spawn(world *of, uint32_t index, uint64_t life) {
    pid_t child = fork_bound();
    if (child == 0) {
        of->until_ms = UINT64_MAX;
        produce(of, index, life);
    }
    return child;
}

static void run_kill(world *of) {
    rng chance = {.state = of->seed};
    pid_t children[MOST_PRODUCERS];
    listener it;
    uint64_t killed = 0, last_ms = now_ms();
    listener_start(&it, of);
    for (uint32_t i = 0; i < of->producers; i++)
        children[i] = spawn(of, i, 0);
    while (now_ms() < of->until_ms) {
        uint64_t before = it.records;
        for (int i = 0; i < 500; i++) {
            if (take_one(&it) == SC_MISS) sc_ring_wait(&of->ring, &it.reader, 5);
        }
        if (it.records > before) last_ms = now_ms();
        CHECK(now_ms() - last_ms < 20000, "no record for 20 s");
        uint32_t victim = (uint32_t)rng_below(&chance, of->producers);
        kill(children[victim], SIGKILL);
        CHECK(waitpid(children[victim], NULL, 0) == children[victim]);
        killed++;
        children[victim] = spawn(of, victim, killed);
    }
    for (uint32_t i = 0; i < of->producers; i++) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
    CHECK(it.records > 0 && killed > 0);
    printf("%llu records read, %llu losses told, %llu killed\n", (unsigned long long)it.records,
           (unsigned long long)it.losses, (unsigned long long)killed);
    buffer_free(&it.got);
}

/* ---- damage -----------------------------------------------------------------------------------*/

static void damage_some(world *of, rng *chance, uint64_t bytes) {
    uint8_t *base = (uint8_t *)of->ring.head;
    static const uint64_t odd[] = {0, 1, UINT64_MAX, UINT64_C(1) << 63, UINT64_C(1) << 61, 4096};
    uint64_t near = sizeof(sc_ring_head) + of->ring.mark_count * sizeof(sc_ring_mark);
    for (uint64_t i = rng_below(chance, 6) + 1; i > 0; i--) {
        uint64_t at = rng_below(chance, rng_below(chance, 2) ? near : bytes) & ~UINT64_C(7), word;
        memcpy(&word, base + at, 8);
        switch (rng_below(chance, 4)) {
        case 0:
            word = rng_next(chance);
            break;
        case 1:
            word = odd[rng_below(chance, sizeof odd / sizeof *odd)];
            break;
        case 2:
            word ^= UINT64_C(1) << rng_below(chance, 64);
            break;
        default:
            word += rng_below(chance, 2000) - 1000;
            break;
        }
        memcpy(base + at, &word, 8);
    }
}

/* Whatever the bytes are, every call comes back and stays within the segment and its own words. */
static void run_damage(world *of) {
    rng chance = {.state = of->seed};
    uint64_t bytes = sc_ring_bytes(of->ring.mask + 1), rounds = 0;
    char text[MOST_BYTES] = {0};
    buffer got;
    buffer_init(&got);
    for (; now_ms() < of->until_ms; rounds++) {
        check_note("round %llu", (unsigned long long)rounds);
        alarm(20);
        sc_ring_producer producer = {0};
        sc_ring_reader reader;
        bool joined = sc_ring_join(&of->ring, &producer) == SC_OK;
        sc_ring_start(&of->ring, &reader);
        for (int step = 0; step < 30; step++) {
            if (rng_below(&chance, 3) == 0) damage_some(of, &chance, bytes);
            if (joined) {
                int status = sc_ring_append(&of->ring, &producer, text,
                                            (uint32_t)rng_below(&chance, sizeof text));
                CHECK(status == SC_OK || status == SC_LOST, "%s", sc_status_text(status));
            }
            for (int i = 0; i < 20; i++) {
                int status = sc_ring_read(&of->ring, &reader, &got.sink);
                CHECK(status == SC_OK || status == SC_MISS || status == SC_UNCHANGED ||
                          status == SC_LOST,
                      "%s", sc_status_text(status));
                CHECK(status != SC_OK || got.length <= sc_ring_most(&of->ring));
            }
            if (rng_below(&chance, 20) == 0) sc_ring_wait(&of->ring, &reader, 1);
        }
        if (joined) sc_ring_leave(&of->ring, &producer);
        if (rng_below(&chance, 3) == 0) { /* and a damaged ring heals when it is made anew */
            memset(of->ring.head, 0, bytes);
            sc_ring_format(of->ring.head, of->ring.mask + 1, GENERATION);
        }
    }
    alarm(0);
    buffer_free(&got);
    CHECK(rounds > 0);
    printf("%llu rounds\n", (unsigned long long)rounds);
}

int main(int argc, char **argv) {
    world it = {0};
    const char *mode = option_text(argc, argv, "mode", "threads");
    uint64_t cells = option_u64(argc, argv, "cells", 1024);
    it.seed = option_u64(argc, argv, "seed", now_ms());
    it.producers = (uint32_t)option_u64(argc, argv, "producers", 3);
    it.consumers = (uint32_t)option_u64(argc, argv, "consumers", 2);
    it.canary = option_u64(argc, argv, "canary", 0);
    it.until_ms = now_ms() + option_u64(argc, argv, "ms", 2000);
    check_context("rings mode=%s seed=%llu cells=%llu", mode, (unsigned long long)it.seed,
                  (unsigned long long)cells);
    CHECK(it.producers > 0 && it.producers <= MOST_PRODUCERS);
    bool held = option_u64(argc, argv, "held", 0);
    ring_open(&it, cells, SC_RING_WRITABLE | (held ? SC_RING_HELD : 0));
    if (strcmp(mode, "kill") == 0) {
        run_kill(&it);
    } else if (strcmp(mode, "damage") == 0) {
        run_damage(&it);
    } else {
        run_threads(&it);
    }
    return 0;
}
