/* Many threads in many processes on few hot keys and many cold ones, with eviction and maintenance
 * going on: no torn value, no half-seen transaction, no lost increment, and a whole arena at the
 * end.
 *
 *     stress [seed=N] [ms=N] [processes=N] [threads=N] [bytes=N] [policy=N] [kill=MS]
 *
 * processes=0: threads of this process only (for ThreadSanitizer). With kill=MS the processes are
 * killed by SIGKILL at random moments, every MS milliseconds one, and replaced by others.
 *
 * How it is judged
 *   values    begin with key number, length and a checksum: mixed bytes of two values cannot pass
 *   pairs     "x<i>" and "y<i>" are only changed together, to the same value, and must be equal
 *             whenever sc_get_many sees both
 *   containers  see stress_containers.c
 *   anchor    "z" is in a database that is flushed again and again, always together with putting
 *             the key there anew: who has seen it once never misses it, unless keys are evicted
 *   counters  each process notes an increment as begun before the call and as done after it: in the
 *             end done <= counter <= begun, and equal where nobody was killed or evicted */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "stress.h"

enum { COLD = 2000, HOT = 8, PAIRS = 6, MOST_VALUE = 12000, MOST_PROCESSES = 16 };

/* ThreadSanitizer takes a lock in two mappings for two locks. */
#ifdef __SANITIZE_THREAD__
enum { TWO_MAPPINGS = 0 };
#else
enum { TWO_MAPPINGS = 1 };
#endif

/* ---- values that judge themselves -------------------------------------------------------------*/

typedef struct stamp {
    uint64_t key, length, sum;
} stamp;

static size_t make_value(worker *w, uint64_t key, bool large) {
    size_t body = rng_below(&w->chance, large ? MOST_VALUE : 300);
    char *bytes = w->value + sizeof(stamp);
    fill_bytes(bytes, body, rng_next(&w->chance));
    stamp mark = {.key = key, .length = sizeof(stamp) + body, .sum = sc_hash(bytes, body, key)};
    memcpy(w->value, &mark, sizeof(mark));
    return sizeof(stamp) + body;
}

static void judge_value(const buffer *got, uint64_t key) {
    stamp mark;
    CHECK(got->length >= sizeof(mark), "key %llx: %zu bytes", (unsigned long long)key, got->length);
    memcpy(&mark, got->bytes, sizeof(mark));
    CHECK(mark.key == key && mark.length == got->length, "key %llx: of key %llx, %llu bytes of %zu",
          (unsigned long long)key, (unsigned long long)mark.key, (unsigned long long)mark.length,
          got->length);
    const char *body = got->bytes + sizeof(mark);
    CHECK(mark.sum == sc_hash(body, got->length - sizeof(mark), key), "key %llx is torn",
          (unsigned long long)key);
}

bool went_well(worker *w, int status) {
    if (status == SC_NO_MEMORY) atomic_fetch_add(&w->of->shared->full, 1);
    if (status == SC_BUSY) atomic_fetch_add(&w->of->shared->busy, 1);
    return status != SC_NO_MEMORY && status != SC_BUSY;
}

/* ---- single keys ------------------------------------------------------------------------------*/

static uint64_t pick_single(worker *w, char name[16], sc_key *key) {
    bool hot = rng_below(&w->chance, 2);
    uint64_t number = hot ? rng_below(&w->chance, HOT) : HOT + rng_below(&w->chance, COLD);
    snprintf(name, 16, "k%llu", (unsigned long long)number);
    *key = key_of(number % 3, name);
    return number;
}

static void read_single(worker *w) {
    char name[16];
    sc_key key;
    uint64_t number = pick_single(w, name, &key);
    int status = w->hinted ? get_hinted(w->arena, &key, number % 501, &w->got)
                           : sc_get(w->arena, &key, &w->got.sink);
    if (!went_well(w, status) || status == SC_MISS) return;
    CHECK_STATUS(status, SC_OK);
    judge_value(&w->got, number);
}

static void write_single(worker *w) {
    char name[16];
    sc_key key;
    uint64_t number = pick_single(w, name, &key);
    bool had = false, asks = rng_below(&w->chance, 4) == 0;
    sc_set_args args = {.value = w->value,
                        .value_bytes = make_value(w, number, rng_below(&w->chance, 16) == 0)};
    if (rng_below(&w->chance, 3) == 0) args.expire_ms = now_ms() + 1 + rng_below(&w->chance, 50);
    if (asks) {
        args.old = &w->got.sink;
        args.had_old = &had;
    }
    int status = sc_set(w->arena, &key, &args);
    if (!went_well(w, status)) return;
    CHECK_STATUS(status, SC_OK);
    if (asks && had) judge_value(&w->got, number);
}

static void change_single(worker *w) {
    char name[16];
    sc_key key;
    uint64_t number = pick_single(w, name, &key);
    int status;
    switch (rng_below(&w->chance, 4)) {
    case 0:
        status = sc_delete(w->arena, &key);
        break;
    case 1:
        status = sc_expire(w->arena, &key, now_ms() + rng_below(&w->chance, 100), 0);
        break;
    case 2:
        status = sc_expire(w->arena, &key, 0, 0);
        break;
    default:
        status = sc_get_delete(w->arena, &key, &w->got.sink);
        if (status == SC_OK) judge_value(&w->got, number);
    }
    if (went_well(w, status))
        CHECK(status == SC_OK || status == SC_MISS || status == SC_UNCHANGED, "%s",
              sc_status_text(status));
}

/* ---- pairs ------------------------------------------------------------------------------------*/

static uint64_t pick_pair(worker *w, char names[2][16], sc_key keys[2]) {
    uint64_t number = rng_below(&w->chance, PAIRS);
    for (int i = 0; i < 2; i++) {
        snprintf(names[i], 16, "%c%llu", "xy"[i], (unsigned long long)number);
        keys[i] = key_of(4, names[i]);
    }
    return number | UINT64_C(1) << 32;
}

static void read_pair(worker *w) {
    char names[2][16];
    sc_key keys[2];
    int statuses[2];
    uint64_t number = pick_pair(w, names, keys);
    sc_sink *sinks[2] = {&w->got.sink, &w->more.sink};
    int status = sc_get_many(w->arena, keys, 2, sinks, statuses);
    if (!went_well(w, status)) return;
    CHECK_STATUS(status, SC_OK);
    CHECK(statuses[0] == statuses[1] || w->of->evicting, "half a pair");
    if (statuses[0] == SC_OK) judge_value(&w->got, number);
    if (statuses[1] == SC_OK) judge_value(&w->more, number);
    if (statuses[0] == SC_OK && statuses[1] == SC_OK)
        CHECK(buffer_is(&w->got, w->more.bytes, w->more.length), "the halves of a pair differ");
}

static int fill_pair(worker *w, sc_tx *tx, const sc_key keys[2], uint64_t number) {
    size_t length = make_value(w, number, rng_below(&w->chance, 8) == 0);
    sc_set_args args = {.value = w->value, .value_bytes = length};
    int status = SC_OK;
    for (int i = 0; i < 2 && status == SC_OK; i++)
        status = sc_tx_set(tx, &keys[i], &args);
    return status;
}

static void write_pair(worker *w) {
    char names[2][16];
    sc_key keys[2];
    uint64_t number = pick_pair(w, names, keys), kind = rng_below(&w->chance, 8);
    bool whole = rng_below(&w->chance, 64) == 0;
    sc_tx *tx;
    int status = sc_tx_begin(w->arena, keys, whole ? 0 : 2, &tx);
    if (!went_well(w, status)) return;
    CHECK_STATUS(status, SC_OK);
    if (kind == 0) {
        for (int i = 0; i < 2 && (status == SC_OK || status == SC_MISS); i++)
            status = sc_tx_delete(tx, &keys[i]);
    } else {
        status = fill_pair(w, tx, keys, number);
    }
    bool good = status == SC_OK || status == SC_MISS;
    if (!good) CHECK(!went_well(w, status), "%s", sc_status_text(status));
    (good && kind != 1 ? sc_tx_commit : sc_tx_abort)(tx);
}

/* ---- the anchor -------------------------------------------------------------------------------*/

enum { ANCHOR_DB = 9, OTHER_DB = 10 };

static void read_anchor(worker *w) {
    sc_key key = key_of(ANCHOR_DB, "z");
    int status = w->hinted && rng_below(&w->chance, 2)
                     ? get_hinted(w->arena, &key, UINT64_C(1) << 40, &w->got)
                     : sc_get(w->arena, &key, &w->got.sink);
    if (!went_well(w, status)) return;
    if (status == SC_MISS) {
        CHECK(!w->anchored || w->of->evicting, "a flush was seen without what came with it");
        return;
    }
    CHECK_STATUS(status, SC_OK);
    judge_value(&w->got, ANCHOR_DB);
    w->anchored = true;
}

static void write_anchor(worker *w) {
    bool elsewhere = rng_below(&w->chance, 2); /* filled under another name first */
    sc_key key = key_of(elsewhere ? OTHER_DB : ANCHOR_DB, "z");
    sc_set_args args = {.value = w->value, .value_bytes = make_value(w, ANCHOR_DB, false)};
    sc_tx *tx;
    int status = sc_tx_begin(w->arena, NULL, 0, &tx);
    if (!went_well(w, status)) return;
    CHECK_STATUS(status, SC_OK);
    if (elsewhere) status = sc_tx_flush_db(tx, OTHER_DB);
    if (status == SC_OK) status = sc_tx_flush_db(tx, ANCHOR_DB);
    if (status == SC_OK) status = sc_tx_set(tx, &key, &args);
    if (status == SC_OK && elsewhere) status = sc_tx_swap_db(tx, ANCHOR_DB, OTHER_DB);
    if (status != SC_OK) CHECK(!went_well(w, status), "%s", sc_status_text(status));
    (status == SC_OK ? sc_tx_commit : sc_tx_abort)(tx);
}

/* ---- counters ---------------------------------------------------------------------------------*/

static void increment(worker *w) {
    uint64_t number = rng_below(&w->chance, COUNTERS);
    char name[16];
    snprintf(name, sizeof(name), "n%llu", (unsigned long long)number);
    sc_key key = key_of(5, name);
    int64_t result;
    atomic_fetch_add(&w->of->shared->begun[number], 1);
    int status = sc_incr(w->arena, &key, 1, &result);
    if (!went_well(w, status)) return;
    CHECK_STATUS(status, SC_OK);
    atomic_fetch_add(&w->of->shared->done[number], 1);
}

/* ---- maintenance and scans --------------------------------------------------------------------*/

static bool judge_name(void *context, const char *key, uint32_t length) {
    (void)context;
    CHECK(length >= 2 && length < 16 && strchr("kxynhslzt", key[0]), "'%.*s'", (int)length, key);
    return true;
}

static void maintain(worker *w) {
    uint64_t deleted, cursor = 0;
    uint32_t recovered;
    int status;
    switch (rng_below(&w->chance, 6)) {
    case 0:
        status = sc_expire_cycle(w->arena, 300, &deleted);
        break;
    case 1:
        status = sc_reserve_cycle(w->arena, 300);
        break;
    case 2:
        status = sc_sweep_slots(w->arena, &recovered);
        break;
    case 3:
        status = sc_tick(w->arena);
        break;
    case 4:
        status = sc_random_key(w->arena, 0, &w->got.sink);
        if (status == SC_OK) judge_name(NULL, w->got.bytes, (uint32_t)w->got.length);
        if (status == SC_MISS) status = SC_OK;
        break;
    default:
        do {
            status = sc_scan(w->arena, 0, &cursor, 50, judge_name, NULL);
        } while (status == SC_OK && cursor != 0);
    }
    if (went_well(w, status)) CHECK_STATUS(status, SC_OK);
}

/* ---- workers ----------------------------------------------------------------------------------*/

static void *work(void *context) {
    worker *w = context;
    buffer_init(&w->got);
    buffer_init(&w->more);
    gathered_init(&w->all);
    gathered_init(&w->second);
    w->value = malloc(sizeof(stamp) + MOST_VALUE);
    while (!atomic_load(&w->of->shared->stop)) {
        uint64_t kind = rng_below(&w->chance, 150);
        if (kind >= 140)
            rng_below(&w->chance, 40) ? read_anchor(w) : write_anchor(w);
        else if (kind >= 120)
            read_containers(w);
        else if (kind >= 100)
            write_containers(w);
        else if (kind < 35)
            read_single(w);
        else if (kind < 60)
            write_single(w);
        else if (kind < 68)
            change_single(w);
        else if (kind < 80)
            read_pair(w);
        else if (kind < 88)
            write_pair(w);
        else if (kind < 98)
            increment(w);
        else
            maintain(w);
        atomic_fetch_add(&w->of->shared->operations, 1);
    }
    buffer_free(&w->got);
    buffer_free(&w->more);
    gathered_free(&w->all);
    gathered_free(&w->second);
    free(w->value);
    return NULL;
}

/* `threads` workers on one attachment, the last of them on an attachment of its own. */
static void work_in_threads(const plan *of, uint64_t seed) {
    sc_arena *arena = segments_attach(&of->files, true),
             *second = segments_attach(&of->files, true);
    pthread_t threads[64];
    worker workers[64];
    for (uint64_t i = 0; i < of->threads; i++) {
        bool second_one = TWO_MAPPINGS && i == of->threads - 1;
        workers[i] = (worker){.of = of,
                              .hinted = i == 0 || second_one,
                              .arena = second_one ? second : arena,
                              .chance = {.state = seed * 1000 + i}};
        CHECK(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
    }
    if (of->processes == 0) {
        wait_until_ms(now_ms() + of->ms);
        atomic_store(&of->shared->stop, true);
    }
    for (uint64_t i = 0; i < of->threads; i++)
        pthread_join(threads[i], NULL);
    sc_arena_detach(second);
    sc_arena_detach(arena);
}

static pid_t start_process(const plan *of, uint64_t seed) {
    pid_t child = fork_bound();
    CHECK(child >= 0, "fork: %s", strerror(errno));
    if (child == 0) {
        work_in_threads(of, seed);
        exit(0);
    }
    return child;
}

static void collect(const plan *of, pid_t child, bool was_killed) {
    int how;
    CHECK(waitpid(child, &how, 0) == child);
    if (was_killed && WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL) {
        atomic_fetch_add(&of->shared->killed, 1);
        return;
    }
    CHECK(WIFEXITED(how) && WEXITSTATUS(how) == 0, "a process ended with %x", how);
}

static void nap_ms(rng *chance, uint64_t about) {
    uint64_t us = rng_below(chance, 2000 * about + 1);
    struct timespec nap = {.tv_sec = (time_t)(us / 1000000),
                           .tv_nsec = (long)(us % 1000000) * 1000};
    nanosleep(&nap, NULL);
}

static void work_in_processes(const plan *of) {
    pid_t children[MOST_PROCESSES];
    rng chance = {.state = of->seed};
    uint64_t until = monotonic_ms() + of->ms, seed = of->seed * 100;
    for (uint64_t i = 0; i < of->processes; i++)
        children[i] = start_process(of, seed++);
    while (of->kill_ms && monotonic_ms() < until) {
        nap_ms(&chance, of->kill_ms);
        uint64_t victim = rng_below(&chance, of->processes);
        kill(children[victim], SIGKILL);
        collect(of, children[victim], true);
        children[victim] = start_process(of, seed++);
    }
    while (monotonic_ms() < until)
        nap_ms(&chance, 20);
    atomic_store(&of->shared->stop, true);
    for (uint64_t i = 0; i < of->processes; i++)
        collect(of, children[i], false);
}

/* ---- the end ----------------------------------------------------------------------------------*/

static void judge_counters(const plan *of, sc_arena *arena) {
    buffer got;
    buffer_init(&got);
    for (unsigned i = 0; i < COUNTERS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%u", i);
        sc_key key = key_of(5, name);
        int status = sc_get(arena, &key, &got.sink);
        uint64_t value = status == SC_OK ? strtoull(got.bytes, NULL, 10) : 0;
        uint64_t begun = of->shared->begun[i], done = of->shared->done[i];
        CHECK(value <= begun, "%s is %llu of %llu", name, (unsigned long long)value,
              (unsigned long long)begun);
        CHECK(of->evicting || value >= done, "%s is %llu, %llu were acknowledged", name,
              (unsigned long long)value, (unsigned long long)done);
    }
    buffer_free(&got);
}

static void judge_everything(const plan *of) {
    sc_arena *arena = segments_attach(&of->files, true);
    uint32_t recovered;
    CHECK_STATUS(sc_sweep_slots(arena, &recovered), SC_OK);
    sc_statistics at;
    CHECK_STATUS(sc_get_statistics(arena, &at), SC_OK);
    CHECK(at.slots_used == 1, "%llu slots left over", (unsigned long long)at.slots_used);
    check_valid(arena);
    judge_counters(of, arena);
    worker judge = {.of = of, .arena = arena, .chance = {.state = 1}};
    buffer_init(&judge.got);
    buffer_init(&judge.more);
    gathered_init(&judge.all);
    gathered_init(&judge.second);
    judge.value = malloc(SC_STREAM_META);
    judge_containers(&judge);
    for (int i = 0; i < 3 * (HOT + COLD); i++) {
        read_single(&judge);
        read_pair(&judge);
    }
    buffer_free(&judge.got);
    buffer_free(&judge.more);
    gathered_free(&judge.all);
    gathered_free(&judge.second);
    free(judge.value);
    board *all = of->shared;
    printf("seed %llu: %llu operations, %llu of containers, busy %llu, full %llu, evicted %llu, "
           "killed %llu\n",
           (unsigned long long)of->seed, (unsigned long long)all->operations,
           (unsigned long long)all->containers, (unsigned long long)all->busy,
           (unsigned long long)all->full, (unsigned long long)at.evicted,
           (unsigned long long)all->killed);
    /* A writer that got no processor for a whole second while it held a stripe is no fault. */
    CHECK(all->operations > 0 && all->containers > 0 && all->busy * 1000 <= all->operations,
          "locks stayed taken");
    sc_arena_detach(arena);
}

int main(int argc, char **argv) {
    plan of = {
        .seed = option_u64(argc, argv, "seed", (uint64_t)time(NULL)),
        .ms = option_u64(argc, argv, "ms", 2000),
        .processes = option_u64(argc, argv, "processes", 2),
        .threads = option_u64(argc, argv, "threads", 3),
        .policy = option_u64(argc, argv, "policy", SC_NOEVICTION),
        .kill_ms = option_u64(argc, argv, "kill", 0),
        .files = segments_create(option_u64(argc, argv, "bytes", UINT64_C(32) << 20)),
    };
    CHECK(of.processes <= MOST_PROCESSES && of.threads >= 1 && of.threads <= 64);
    of.evicting = of.policy != SC_NOEVICTION;
    check_context("stress seed=%llu ms=%llu processes=%llu threads=%llu bytes=%llu policy=%llu "
                  "kill=%llu",
                  (unsigned long long)of.seed, (unsigned long long)of.ms,
                  (unsigned long long)of.processes, (unsigned long long)of.threads,
                  (unsigned long long)of.files.data_bytes, (unsigned long long)of.policy,
                  (unsigned long long)of.kill_ms);
    of.shared =
        mmap(NULL, sizeof(board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(of.shared != MAP_FAILED);
    sc_arena *arena = segments_attach(&of.files, true);
    set_policy(arena, (uint32_t)of.policy);
    sc_arena_detach(arena);
    if (of.processes)
        work_in_processes(&of);
    else
        work_in_threads(&of, of.seed);
    judge_everything(&of);
    return 0;
}
