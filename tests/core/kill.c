/* Die at every store. For each scene and each N: a process performs the scene and is killed at its
 * N-th store to shared memory. Another then recovers, by one of three roads, and finds the arena
 * valid, every key as it was before the step or as it is after it, nothing else touched, and not a
 * block lost. And for some N: those who recover are killed in turn, at each of their own stores.
 *
 *     kill [which=strings|containers] [only=PART-OF-A-NAME] [most=N] [again=N] [seed=N] [n=N]
 *          [canary=1] [jobs=N] [feed=1]
 *
 * `most` bounds the trials of a long scene, which are then spread over it (0: none left out);
 * `again` says for how many N the recovery is killed too; `n` tries that N alone; with `canary`
 * nobody recovers, which must be noticed; `jobs` processes share the scenes. With `feed` somebody
 * wants the feed, and finds the step's record there if and only if the step was done.
 */
#include "kill.h"
#include "kill_feed.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "containers.h"

/* ---- what is in the arena, as sorted lines ----------------------------------------------------*/

typedef struct listing {
    char **lines;
    size_t count, room;
    uint64_t used_bytes;
} listing;

typedef struct lister {
    listing *to;
    sc_arena *arena;
    uint32_t db;
    buffer got;
} lister;

static bool list_key(void *context, const char *bytes, uint32_t length) {
    lister *at = context;
    sc_key key = {.bytes = bytes, .length = length, .db = at->db};
    sc_info info;
    CHECK_STATUS(sc_describe(at->arena, &key, &info, false), SC_OK);
    uint64_t sum;
    if (info.type == SC_STRING) {
        CHECK_STATUS(sc_get(at->arena, &key, &at->got.sink), SC_OK);
        CHECK(info.value_bytes == at->got.length);
        sum = sc_hash(at->got.bytes, at->got.length, 0);
    } else {
        sum = kill_container_sum(at->arena, &key, info.type);
    }
    listing *to = at->to;
    if (to->count == to->room) {
        to->room = to->room * 2 + 64;
        to->lines = realloc(to->lines, to->room * sizeof(*to->lines));
    }
    char *line;
    CHECK(asprintf(&line, "%u %.*s: %llu bytes, sum %016llx, dies %llu, encoding %u, shape %u",
                   at->db, (int)length, bytes, (unsigned long long)info.value_bytes,
                   (unsigned long long)sum, (unsigned long long)info.expire_ms, info.encoding,
                   info.shape) > 0);
    to->lines[to->count++] = line;
    return true;
}

static int compare_lines(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static listing list_arena(const segments *files) {
    listing made = {.count = 0};
    lister at = {.to = &made, .arena = segments_attach(files, false)};
    buffer_init(&at.got);
    for (at.db = 0; at.db < 16; at.db++) {
        uint64_t cursor = 0;
        size_t before = made.count;
        do {
            CHECK_STATUS(sc_scan(at.arena, at.db, &cursor, 1000, list_key, &at), SC_OK);
        } while (cursor != 0);
        CHECK(sc_db_keys(at.arena, at.db) >= made.count - before, "keys of db %u", at.db);
    }
    sc_statistics statistics;
    CHECK_STATUS(sc_get_statistics(at.arena, &statistics), SC_OK);
    made.used_bytes = statistics.used_bytes;
    buffer_free(&at.got);
    sc_arena_detach(at.arena);
    qsort(made.lines, made.count, sizeof(*made.lines), compare_lines);
    return made;
}

static void listing_free(listing *these) {
    for (size_t i = 0; i < these->count; i++)
        free(these->lines[i]);
    free(these->lines);
}

static const char *first_difference(const listing *a, const listing *b) {
    for (size_t i = 0; i < a->count || i < b->count; i++) {
        if (i >= a->count) return b->lines[i];
        if (i >= b->count || strcmp(a->lines[i], b->lines[i]) != 0) return a->lines[i];
    }
    return NULL;
}

static bool listing_has(const listing *these, const char *line) {
    return these->count && bsearch(&line, these->lines, these->count, sizeof(line), compare_lines);
}

/* ---- a scene in the making --------------------------------------------------------------------*/

static bool canary, with_feed;

typedef struct board {           /* shared with the child */
    unsigned done;               /* steps */
    uint64_t performing, stores; /* stores until the last step was done, and until detached */
} board;

typedef struct stage {
    const scene *of;
    segments files;
    uint8_t *data, *access;            /* the harness's own mapping */
    uint8_t *picture, *access_picture; /* before the scene */
    uint8_t *wreck, *access_wreck;     /* as the first victim left it */
    listing *states;                   /* steps + 1 */
    fed feed;
    board *shared;
    uint64_t trials, stores, most;
} stage;

static void take_picture(const stage *s, uint8_t *data, uint8_t *access) {
    memcpy(data, s->data, s->files.data_bytes);
    memcpy(access, s->access, s->files.access_bytes);
    fed_take_picture(&s->feed, data == s->wreck);
}

static void put_picture(const stage *s, const uint8_t *data, const uint8_t *access) {
    memcpy(s->data, data, s->files.data_bytes);
    memcpy(s->access, access, s->files.access_bytes);
    fed_put_picture(&s->feed, data == s->wreck);
}

static void stage_states(stage *s) {
    s->states = calloc(s->of->steps + 1, sizeof(*s->states));
    for (unsigned steps = 0; steps <= s->of->steps; steps++) {
        put_picture(s, s->picture, s->access_picture);
        sc_arena *arena = segments_attach(&s->files, true);
        for (unsigned step = 0; step < steps; step++)
            s->of->perform(arena, step);
        check_valid(arena);
        sc_arena_detach(arena);
        s->states[steps] = list_arena(&s->files);
        fed_learn(&s->feed, steps);
    }
}

static stage stage_open(const scene *of) {
    stage s = {.of = of, .files = segments_create(sc_min_data_bytes())};
    s.data = segments_map(s.files.data_fd, s.files.data_bytes);
    s.access = segments_map(s.files.access_fd, s.files.access_bytes);
    s.picture = malloc(s.files.data_bytes);
    s.wreck = malloc(s.files.data_bytes);
    s.access_picture = malloc(s.files.access_bytes);
    s.access_wreck = malloc(s.files.access_bytes);
    s.shared = mmap(NULL, sizeof(board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    sc_arena *arena = segments_attach(&s.files, true);
    kill_common_content(arena);
    if (of->prepare) of->prepare(arena);
    if (with_feed) fed_open(&s.feed, &s.files, of->steps);
    sc_arena_detach(arena);
    take_picture(&s, s.picture, s.access_picture);
    stage_states(&s);
    return s;
}

static void stage_close(stage *s) {
    for (unsigned i = 0; i <= s->of->steps; i++)
        listing_free(&s->states[i]);
    free(s->states);
    free(s->picture);
    free(s->wreck);
    free(s->access_picture);
    free(s->access_wreck);
    fed_close(&s->feed);
    munmap(s->shared, sizeof(board));
    segments_close(&s->files);
}

/* ---- victims ----------------------------------------------------------------------------------*/

/* True: it was killed at its `nth` store. False: it came to its end before. */
static bool end_of_child(pid_t child) {
    int how;
    CHECK(child > 0 && waitpid(child, &how, 0) == child);
    if (WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL) return true;
    CHECK(WIFEXITED(how) && WEXITSTATUS(how) == 0, "the victim itself failed: %x", how);
    return false;
}

static bool die_performing(stage *s, uint64_t nth) {
    s->shared->done = 0;
    pid_t child = fork_bound();
    if (child == 0) {
        sc_arena *arena = segments_attach(&s->files, true);
        sc_kill_arm(nth);
        for (unsigned step = 0; step < s->of->steps; step++) {
            s->of->perform(arena, step);
            s->shared->done = step + 1;
        }
        s->shared->performing = sc_kill_stores();
        sc_arena_detach(arena);
        s->shared->stores = sc_kill_stores();
        _exit(0);
    }
    return end_of_child(child);
}

/* The roads by which a dead writer is found: the sweep, a lock, a reader that waits. */
static void recover(sc_arena *arena, uint64_t road) {
    uint32_t recovered;
    sc_tx *tx;
    if (road == 1) {
        CHECK_STATUS(sc_tx_begin(arena, NULL, 0, &tx), SC_OK);
        sc_tx_abort(tx);
    }
    if (road == 2) {
        buffer got;
        buffer_init(&got);
        const char *const names[] = {"new", "small", "int", "chained", "dying"};
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            sc_key key = key_of(0, names[i]);
            int status = sc_get(arena, &key, &got.sink);
            CHECK(status == SC_OK || status == SC_MISS || status == SC_WRONG_TYPE, "%s",
                  sc_status_text(status));
        }
        buffer_free(&got);
    }
    CHECK_STATUS(sc_sweep_slots(arena, &recovered), SC_OK);
}

static bool die_recovering(stage *s, uint64_t nth) {
    pid_t child = fork_bound();
    if (child == 0) {
        sc_arena *arena = segments_attach(&s->files, true);
        sc_kill_arm(nth);
        recover(arena, nth % 2);
        sc_arena_detach(arena);
        s->shared->stores = sc_kill_stores();
        _exit(0);
    }
    return end_of_child(child);
}

/* ---- the verdict ------------------------------------------------------------------------------*/

static void judge_exact(const stage *s, const listing *now) {
    unsigned done = s->shared->done;
    const listing *old = &s->states[done];
    const listing *new = &s->states[done < s->of->steps ? done + 1 : done];
    const char *from_old = first_difference(now, old), *from_new = first_difference(now, new);
    CHECK(!from_old || !from_new, "neither old nor new after %u steps:\n  %s\n  %s", done, from_old,
          from_new);
    fed_judge(&s->feed, done, !from_old || done == s->of->steps, !from_new);
    uint64_t least = old->used_bytes < new->used_bytes ? old->used_bytes : new->used_bytes;
    uint64_t most = old->used_bytes < new->used_bytes ? new->used_bytes : old->used_bytes;
    CHECK(now->used_bytes >= least && now->used_bytes <= most, "%llu bytes used, not %llu or %llu",
          (unsigned long long)now->used_bytes, (unsigned long long)old->used_bytes,
          (unsigned long long)new->used_bytes);
}

static void judge_evicting(const stage *s, const listing *now) {
    for (size_t i = 0; i < now->count; i++) {
        bool known = false;
        for (unsigned step = 0; step <= s->of->steps && !known; step++)
            known = listing_has(&s->states[step], now->lines[i]);
        CHECK(known, "this never was: %s", now->lines[i]);
        CHECK(i == 0 || strcmp(now->lines[i], now->lines[i - 1]) != 0, "twice: %s", now->lines[i]);
    }
}

static void recover_and_judge(stage *s, uint64_t road) {
    if (!canary) {
        sc_arena *arena = segments_attach(&s->files, true);
        recover(arena, road);
        check_valid(arena);
        sc_arena_detach(arena);
    }
    listing now = list_arena(&s->files);
    if (s->of->rule == EXACT)
        judge_exact(s, &now);
    else
        judge_evicting(s, &now);
    listing_free(&now);
    s->trials++;
}

/* ---- all N ------------------------------------------------------------------------------------*/

static void kill_the_recovery(stage *s, uint64_t nth) {
    take_picture(s, s->wreck, s->access_wreck);
    CHECK(!die_recovering(s, 0));
    uint64_t stores = s->shared->stores, stride = 1 + (s->most ? 3 * stores / s->most : 0);
    for (uint64_t m = 1 + nth % stride; m <= stores; m += stride) {
        check_context("kill only='%s' n=%llu (recovery killed at %llu)", s->of->name,
                      (unsigned long long)nth, (unsigned long long)m);
        put_picture(s, s->wreck, s->access_wreck);
        if (!die_recovering(s, m)) break;
        if (m % 3 == 0) die_recovering(s, m / 2); /* and once more */
        recover_and_judge(s, m / 3 % 3);
    }
}

static bool kill_at(stage *s, uint64_t nth, bool again) {
    check_context("kill only='%s' n=%llu", s->of->name, (unsigned long long)nth);
    put_picture(s, s->picture, s->access_picture);
    if (!die_performing(s, nth)) return false;
    if (again) {
        kill_the_recovery(s, nth);
        put_picture(s, s->wreck, s->access_wreck);
        check_context("kill only='%s' n=%llu", s->of->name, (unsigned long long)nth);
    }
    recover_and_judge(s, nth % 3);
    return true;
}

/* Trials at each store from `from` on, or `most` of them spread over all, starting somewhere else
 * each run. Some of them, `again`, with the recovery killed too. */
static void kill_between(stage *s, uint64_t from, uint64_t to, uint64_t most, uint64_t again,
                         rng *chance) {
    uint64_t stores = to - from;
    double stride = most && stores > most ? (double)stores / (double)most : 1;
    double first = (double)from + (stride > 1 ? (double)rng_below(chance, (uint64_t)stride) : 0);
    double again_stride = again ? (double)stores / (double)again : 0;
    double next_again =
        again ? (double)(from + rng_below(chance, (uint64_t)again_stride + 1)) : 1e18;
    for (double at = first; at < (double)to; at += stride) {
        bool kill_again = at >= next_again;
        if (kill_again) next_again += again_stride;
        if (!kill_at(s, (uint64_t)at, kill_again)) break; /* this time it took fewer */
    }
}

static void kill_everywhere(stage *s, uint64_t most, uint64_t again, rng *chance) {
    put_picture(s, s->picture, s->access_picture);
    CHECK(!die_performing(s, 0));
    uint64_t performing = s->shared->performing;
    s->stores = s->shared->stores;
    kill_between(s, 1, performing + 1, most, again, chance);
    kill_between(s, performing + 1, s->stores + 1, most ? most / 20 : 0, again ? 1 : 0, chance);
}

static void play(const scene *of, uint64_t most, uint64_t again, uint64_t only, rng *chance) {
    check_context("kill only='%s'", of->name);
    uint64_t start = monotonic_ms();
    stage s = stage_open(of);
    s.most = most;
    if (only)
        kill_at(&s, only, again);
    else
        kill_everywhere(&s, most, again, chance);
    CHECK(s.trials > 0 || only, "nothing was killed");
    printf("ok %-30s %6llu stores, %6llu trials, %6llu ms\n", of->name,
           (unsigned long long)s.stores, (unsigned long long)s.trials,
           (unsigned long long)(monotonic_ms() - start));
    fflush(stdout);
    stage_close(&s);
}

typedef struct program {
    const char *only, *which;
    uint64_t most, again, nth, jobs;
    rng chance;
} program;

/* Every `jobs`-th of the chosen scenes, from number `job` on. */
static unsigned play_share(program *of, uint64_t job) {
    static const scene *const tables[] = {kill_scenes, kill_container_scenes};
    static const char *const names[] = {"strings", "containers"};
    unsigned chosen = 0;
    of->chance.state += job;
    for (int t = 0; t < 2; t++) {
        if (!strstr(names[t], of->which)) continue;
        for (const scene *scene = tables[t]; scene->name; scene++) {
            if (!strstr(scene->name, of->only)) continue;
            if (chosen++ % of->jobs == job) play(scene, of->most, of->again, of->nth, &of->chance);
        }
    }
    return chosen;
}

static void play_in_jobs(program *of) {
    pid_t children[16];
    CHECK(of->jobs <= 16);
    for (uint64_t job = 0; job < of->jobs; job++) {
        children[job] = fork_bound();
        if (children[job] == 0) {
            play_share(of, job);
            exit(0);
        }
    }
    int failed = 0;
    for (uint64_t job = 0; job < of->jobs; job++) {
        int how = -1;
        CHECK(waitpid(children[job], &how, 0) == children[job]);
        failed |= how;
    }
    exit(failed ? 1 : 0);
}

int main(int argc, char **argv) {
    program of = {
        .only = option_text(argc, argv, "only", ""),
        .which = option_text(argc, argv, "which", ""),
        .most = option_u64(argc, argv, "most", 1000),
        .again = option_u64(argc, argv, "again", 4),
        .nth = option_u64(argc, argv, "n", 0),
        .jobs = option_u64(argc, argv, "jobs", 1),
        .chance = {.state = option_u64(argc, argv, "seed", (uint64_t)time(NULL))},
    };
    canary = option_u64(argc, argv, "canary", 0);
    with_feed = option_u64(argc, argv, "feed", 0);
    kill_far_ms = now_ms() + UINT64_C(1000) * 3600 * 24;
    if (of.jobs > 1) play_in_jobs(&of);
    CHECK(play_share(&of, 0) > 0, "no scene is called '%s'", of.only);
    return 0;
}
