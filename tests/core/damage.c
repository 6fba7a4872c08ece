/* No bytes in the arena, however damaged, may crash or hang a reader.
 *
 *     damage [seed=N] [rounds=N] [first=N] [mode=0..3] [canary=1|2]
 *
 * A full arena is copied, damaged in some places and read in every way there is; each round ends
 * within its alarm, in a process of its own making. The modes take turns:
 *
 *   0  damaged, then attached (attaching may refuse it)
 *   1  attached, then damaged
 *   2  attached, and damaged on and on by a thread while it is read
 *   3  only the access segment is damaged: a writer must still work, with every value right
 *
 * canary=1 follows an offset without a check and canary=2 never ends: both must make the test fail,
 * or else it could not have found anything. */
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "damage.h"
#include "get.h"
#include "layout.h"

enum { NAMES = 700, LONGEST = 40000, ROUND_SECONDS = 20, ROUNDS_A_CHILD = 50, MODES = 4 };

/* Shared with the children: which round is on, and how often each answer was given. */
typedef struct board {
    _Atomic uint64_t round, answers[SC_NOT_FINITE + 1];
} board;

typedef struct specimen {
    segments files;
    uint8_t *data, *access;        /* what is attached to */
    uint8_t *sound, *sound_access; /* undamaged */
    targets targets;               /* in it */
    rng chance;
    uint64_t canary;
    board *shared;
} specimen;

/* ---- an arena with everything in it -----------------------------------------------------------*/

static sc_key name_of(unsigned i, char name[64]) {
    int length = snprintf(name, 64, "name %u", i);
    if (i % 11 == 0)
        length = snprintf(name, 64, "a name that is rather longer than the rest %u", i);
    return (sc_key){.bytes = name, .length = (uint32_t)length, .db = i % 7 ? 0 : i % 16};
}

static size_t length_of(unsigned i) {
    return i % 100 == 0 ? LONGEST - i : i % 20 == 0 ? 1000 + i * 8 : i % 9 * 10;
}

static void put_name(sc_arena *arena, unsigned i) {
    char name[64], text[24];
    static char value[LONGEST];
    sc_key key = name_of(i, name);
    sc_set_args args = {.value = value, .value_bytes = length_of(i)};
    if (i % 6 == 0) args.expire_ms = now_ms() + 3600000 + i;
    if (i % 13 == 0) args.expire_ms = now_ms() + 1;
    fill_bytes(value, args.value_bytes, i);
    if (i % 5 == 1) {
        args.value = text;
        args.value_bytes = (uint64_t)snprintf(text, sizeof(text), "%d", (int)i * 1000 - 100000);
    }
    int status = sc_set(arena, &key, &args);
    CHECK(status == SC_OK || status == SC_NO_MEMORY, "%s", sc_status_text(status));
}

static void make_sound(specimen *of) {
    sc_arena *arena = segments_attach(&of->files, true);
    make_containers(arena);
    for (unsigned i = 0; i < NAMES; i++)
        put_name(arena, i);
    for (unsigned i = 0; i < NAMES; i += 3) {
        char name[64];
        sc_key key = name_of(i, name);
        sc_delete(arena, &key);
    }
    CHECK_STATUS(sc_flush_db(arena, 7), SC_OK);
    CHECK_STATUS(sc_swap_db(arena, 1, 2), SC_OK);
    check_valid(arena);
    sc_arena_detach(arena);
    of->sound = malloc(of->files.data_bytes);
    of->sound_access = malloc(of->files.access_bytes);
    memcpy(of->sound, of->data, of->files.data_bytes);
    memcpy(of->sound_access, of->access, of->files.access_bytes);
    of->targets = find_targets(of->sound, of->files.data_bytes);
}

/* ---- damage -----------------------------------------------------------------------------------*/

static const sc_header *sound_header(const specimen *of) {
    return (const sc_header *)of->sound;
}

/* Somewhere in the sound arena that matters: a leaf, a node, a table, an entry's head, a chunk's, a
 * descriptor. */
static uint64_t pick_place(specimen *of, rng *chance) {
    if (rng_below(chance, 2)) return pick_target(&of->targets, of->sound, chance);
    const sc_header *header = sound_header(of);
    const sc_stripe *stripes = (const sc_stripe *)(of->sound + header->stripes_offset);
    const sc_stripe *stripe = &stripes[rng_below(chance, header->stripe_count)];
    uint64_t kind = rng_below(chance, 16);
    if (kind == 0) return rng_below(chance, sizeof(sc_header));
    if (kind == 1)
        return header->stripes_offset +
               rng_below(chance, header->pages_offset - header->stripes_offset);
    if (kind == 2)
        return header->pages_offset + rng_below(chance, header->heap_offset - header->pages_offset);
    if (kind == 3) return rng_below(chance, of->files.data_bytes);
    if (kind == 4 || !stripe->segment[0])
        return (uint64_t)((const uint8_t *)stripe - of->sound) + rng_below(chance, 64);
    uint64_t slots = (uint64_t)(stripe->buckets + 1) * SC_BUCKET_SLOTS;
    uint64_t at = stripe->segment[0] + rng_below(chance, slots) * 8;
    if (kind < 8 || at + 8 > of->files.data_bytes) return at % of->files.data_bytes;
    uint64_t word;
    memcpy(&word, of->sound + at, 8);
    uint64_t entry = (word & ((UINT64_C(1) << SC_OFFSET_BITS) - 1)) << 3;
    if (!entry || entry + 64 > of->files.data_bytes) return at;
    if (kind < 13) return entry + rng_below(chance, 24);
    /* Inside an entry there may be a chain's start: the first words of whatever it names. */
    memcpy(&word, of->sound + entry + 8 * (1 + rng_below(chance, 2)), 8);
    return word < of->files.data_bytes - 16 ? word + rng_below(chance, 16) : entry;
}

static uint64_t pick_word(specimen *of, rng *chance, uint64_t old) {
    uint64_t other;
    switch (rng_below(chance, 9)) {
    case 0:
        return old ^ UINT64_C(1) << rng_below(chance, 64);
    case 1:
        return rng_next(chance);
    case 2:
        return rng_below(chance, of->files.data_bytes) & ~UINT64_C(7);
    case 3:
        return rng_below(chance, of->files.data_bytes) >> 3;
    case 4:
        return 0;
    case 5:
        return UINT64_MAX;
    case 6:
        return of->files.data_bytes - 8 * rng_below(chance, 4);
    case 7:
        return old + rng_below(chance, 33) - 16;
    default:
        memcpy(&other, of->sound + pick_place(of, chance) / 8 * 8, 8);
        return other;
    }
}

static void damage_once(specimen *of, rng *chance) {
    uint64_t place = pick_place(of, chance), word;
    if (rng_below(chance, 2)) {
        __atomic_store_n(of->data + place, (uint8_t)rng_next(chance), __ATOMIC_RELAXED);
        return;
    }
    place = place / 8 * 8;
    word = __atomic_load_n((uint64_t *)(of->data + place), __ATOMIC_RELAXED);
    __atomic_store_n((uint64_t *)(of->data + place), pick_word(of, chance, word), __ATOMIC_RELAXED);
}

/* A stripe that looks as if its writer had died costs a reader its whole patience: allow that
 * seldom, or nothing else would be tried. */
static void calm_stripes(specimen *of) {
    const sc_header *header = sound_header(of);
    sc_stripe *stripes = (sc_stripe *)(of->data + header->stripes_offset);
    for (uint64_t i = 0; i < header->stripe_count; i++)
        __atomic_and_fetch(&stripes[i].sequence, ~UINT64_C(1), __ATOMIC_RELAXED);
}

static void damage(specimen *of) {
    uint64_t places = UINT64_C(1) << rng_below(&of->chance, 8);
    for (uint64_t i = 0; i < places; i++)
        damage_once(of, &of->chance);
    if (rng_below(&of->chance, 200)) calm_stripes(of);
}

static void restore(specimen *of) {
    memcpy(of->data, of->sound, of->files.data_bytes);
    memcpy(of->access, of->sound_access, of->files.access_bytes);
}

/* ---- reading everything -----------------------------------------------------------------------*/

typedef struct reading {
    specimen *of;
    sc_arena *arena;
    sc_sink sink;
    char *room;
    unsigned busy;
} reading;

static char *reserve_room(sc_sink *sink, size_t length) {
    reading *at = (reading *)((char *)sink - offsetof(reading, sink));
    CHECK(length <= at->of->files.data_bytes, "a value of %zu bytes", length);
    free(at->room); /* exactly as much, so that a byte too many is noticed */
    at->room = malloc(length ? length : 1);
    return at->room;
}

static char *reserve_in_sink(sc_sink *sink, size_t length) {
    return sink->reserve(sink, length);
}

static bool note_key(void *context, const char *key, uint32_t length) {
    (void)context;
    volatile char last = length ? key[length - 1] : 0;
    (void)last;
    return true;
}

/* Whatever it answers is right, but it must be an answer. */
static bool answered(reading *at, int status) {
    CHECK(status >= SC_OK && status <= SC_NOT_FINITE, "status %d", status);
    at->of->shared->answers[status]++;
    if (status == SC_BUSY) at->busy++;
    return at->busy < 2; /* each has cost a second */
}

static bool read_name(reading *at, unsigned i) {
    char name[64];
    sc_key key = name_of(i, name);
    sc_info info;
    sc_hint *again = NULL;
    return answered(at, sc_get(at->arena, &key, &at->sink)) &&
           answered(at,
                    sc_get_hinted(at->arena, &key, i % 401, &at->sink, reserve_in_sink, &again)) &&
           answered(at, sc_get_range(at->arena, &key, 5, -5, &at->sink)) &&
           answered(at, sc_get_range(at->arena, &key, 2000, 9000, &at->sink)) &&
           answered(at, sc_describe(at->arena, &key, &info, i % 2));
}

static bool container_answered(void *context, int status) {
    return answered(context, status);
}

static bool read_containers(reading *at) {
    for (unsigned i = 0; i < CONTAINERS; i++) {
        if (!read_container(at->arena, i, &at->of->chance, at->of->files.data_bytes,
                            container_answered, at))
            return false;
    }
    return true;
}

static bool read_many(reading *at, unsigned from) {
    enum { COUNT = 16 };
    char names[COUNT][64];
    sc_key keys[COUNT];
    sc_sink *sinks[COUNT];
    int statuses[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        keys[i] = name_of((from + i * 5) % NAMES, names[i]);
        sinks[i] = &at->sink;
    }
    return answered(at, sc_get_many(at->arena, keys, COUNT, sinks, statuses));
}

static bool scan_database(reading *at, uint32_t db) {
    uint64_t cursor = 0, calls = 0;
    int status;
    do {
        status = sc_scan(at->arena, db, &cursor, 50, note_key, NULL);
        if (!answered(at, status)) return false;
        CHECK(++calls < 100000, "the scan does not end: cursor %" PRIx64, cursor);
    } while (status == SC_OK && cursor != 0);
    sc_db_keys(at->arena, db);
    sc_db_expires(at->arena, db);
    return answered(at, sc_random_key(at->arena, db, &at->sink));
}

static void look_at_the_rest(reading *at) {
    sc_statistics statistics;
    sc_tuning tuning;
    char path[112];
    uint64_t pid, when;
    answered(at, sc_get_statistics(at->arena, &statistics));
    sc_get_tuning(at->arena, &tuning);
    sc_get_socket_path(at->arena, path);
    CHECK(memchr(path, 0, sizeof(path)), "a path without an end");
    for (uint32_t i = 0; i < SC_BEATS; i++)
        sc_get_beat(at->arena, i, &pid, &when);
    FILE *nowhere = fopen("/dev/null", "w");
    answered(at, sc_dump(at->arena, nowhere));
    answered(at, sc_validate(at->arena, nowhere));
    fclose(nowhere);
}

/* What the test is there to find, done on purpose. */
static void sing(reading *at) {
    const specimen *of = at->of;
    const sc_stripe *stripes = (const sc_stripe *)(of->data + sound_header(of)->stripes_offset);
    for (;;) {
        const sc_stripe *stripe =
            &stripes[rng_below(&at->of->chance, sound_header(of)->stripe_count)];
        volatile const uint64_t *word = (const uint64_t *)(of->data + stripe->segment[0]);
        if (of->canary == 1) (void)*word;
        if (of->canary == 1) damage_once(at->of, &at->of->chance);
    }
}

static void read_everything(specimen *of, sc_arena *arena) {
    reading at = {.of = of, .arena = arena, .sink = {.reserve = reserve_room}};
    if (of->canary) sing(&at);
    bool going = true;
    for (unsigned i = 0; i < NAMES + 20 && going; i++)
        going = read_name(&at, i);
    going = going && read_containers(&at);
    for (unsigned i = 0; i < NAMES && going; i += 7)
        going = read_many(&at, i);
    for (uint32_t db = 0; db < SC_DATABASES && going; db++)
        going = scan_database(&at, db);
    if (going) look_at_the_rest(&at);
    free(at.room);
}

/* ---- rounds -----------------------------------------------------------------------------------*/

typedef struct scribbler {
    specimen *of;
    rng chance;
    atomic_bool stop;
} scribbler;

/* Damages and heals by turns, so that the reader keeps finding things that are nearly right. */
static void *scribble(void *context) {
    scribbler *at = context;
    for (uint64_t i = 0; !atomic_load(&at->stop); i++) {
        damage_once(at->of, &at->chance);
        if (i % 8 == 0) calm_stripes(at->of);
        if (i % 200 == 0) memcpy(at->of->data, at->of->sound, at->of->files.data_bytes);
    }
    return NULL;
}

static void read_while_scribbled(specimen *of) {
    sc_arena *arena = segments_attach(&of->files, false);
    scribbler at = {.of = of, .chance = {.state = rng_next(&of->chance)}};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, scribble, &at) == 0);
    read_everything(of, arena);
    atomic_store(&at.stop, true);
    pthread_join(thread, NULL);
    restore(of);
    sc_arena_detach(arena);
}

static void write_beside_bad_marks(specimen *of) {
    sc_arena *arena = segments_attach(&of->files, true);
    set_policy(arena, 1 + (uint32_t)rng_below(&of->chance, SC_POLICIES - 1));
    uint64_t words = of->files.access_bytes / 8, deleted;
    buffer got;
    buffer_init(&got);
    for (unsigned i = 0; i < 3000; i++) {
        for (int j = 0; j < 4; j++) {
            uint64_t at = rng_below(&of->chance, words);
            ((uint64_t *)of->access)[at] = pick_word(of, &of->chance, ((uint64_t *)of->access)[at]);
        }
        put_name(arena, i % NAMES);
        unsigned asked = (unsigned)rng_below(&of->chance, NAMES);
        char name[64];
        sc_key key = name_of(asked, name);
        sc_info info;
        int status = sc_get(arena, &key, &got.sink);
        CHECK(status == SC_OK || status == SC_MISS, "%s", sc_status_text(status));
        if (status == SC_OK && asked % 5 != 1) {
            char *want = malloc(LONGEST);
            fill_bytes(want, length_of(asked), asked);
            CHECK(buffer_is(&got, want, length_of(asked)), "name %u", asked);
            free(want);
        }
        sc_describe(arena, &key, &info, true);
        CHECK_STATUS(sc_tick(arena), SC_OK);
        if (i % 50 == 0) CHECK_STATUS(sc_expire_cycle(arena, 1000, &deleted), SC_OK);
    }
    sc_statistics statistics;
    CHECK_STATUS(sc_get_statistics(arena, &statistics), SC_OK);
    CHECK_STATUS(sc_reserve_cycle(arena, 1000), SC_OK);
    check_valid(arena);
    buffer_free(&got);
    restore(
        of); /* before detaching, which writes: what it changes is restored again at the start */
    sc_arena_detach(arena);
}

static void play_round(specimen *of, uint64_t mode) {
    sc_arena *arena = NULL;
    restore(of);
    if (mode == 2) return read_while_scribbled(of);
    if (mode == 3) return write_beside_bad_marks(of);
    if (mode == 1) {
        arena = segments_attach(&of->files, false);
        read_everything(of, arena); /* so that there are hints to what is damaged then */
    }
    damage(of);
    if (mode == 0) {
        sc_segment_fds fds = fds_of(&of->files);
        int status = sc_arena_attach(&fds, false, NULL, &arena);
        if (status != SC_OK) return;
    }
    read_everything(of, arena);
    restore(of);
    sc_arena_detach(arena);
}

static void play_rounds(specimen *of, uint64_t seed, uint64_t first, uint64_t last, uint64_t only) {
    for (uint64_t i = first; i < last; i++) {
        uint64_t mode = only < MODES ? only : i % 16 == 15 ? 3 : i % 8 == 7 ? 2 : i % 2;
        atomic_store(&of->shared->round, i);
        of->chance.state = seed * 1000003 + i;
        alarm(of->canary ? 2 : ROUND_SECONDS);
        play_round(of, mode);
    }
}

int main(int argc, char **argv) {
    uint64_t seed = option_u64(argc, argv, "seed", (uint64_t)time(NULL));
    uint64_t rounds = option_u64(argc, argv, "rounds", 1000);
    uint64_t first = option_u64(argc, argv, "first", 0);
    uint64_t only = option_u64(argc, argv, "mode", MODES);
    static specimen of; /* static: what it owns until the end is not a leak */
    of.files = segments_create(sc_min_data_bytes());
    of.canary = option_u64(argc, argv, "canary", 0);
    of.data = segments_map(of.files.data_fd, of.files.data_bytes);
    of.access = segments_map(of.files.access_fd, of.files.access_bytes);
    make_sound(&of);
    of.shared =
        mmap(NULL, sizeof(board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(of.shared != MAP_FAILED);
    for (uint64_t from = first; from < first + rounds; from += ROUNDS_A_CHILD) {
        uint64_t to =
            from + ROUNDS_A_CHILD < first + rounds ? from + ROUNDS_A_CHILD : first + rounds;
        pid_t child = fork_bound();
        if (child == 0) {
            play_rounds(&of, seed, from, to, only);
            _exit(0);
        }
        int how;
        CHECK(child > 0 && waitpid(child, &how, 0) == child);
        check_context("damage seed=%" PRIu64 " first=%" PRIu64 " rounds=1 mode=%" PRIu64, seed,
                      of.shared->round, only);
        CHECK(!WIFSIGNALED(how), "%s by damage",
              WTERMSIG(how) == SIGALRM ? "hung" : strsignal(WTERMSIG(how)));
        CHECK(how == 0, "it failed or was caught by a sanitizer");
    }
    _Atomic uint64_t *answers = of.shared->answers;
    printf("seed %" PRIu64 ": %" PRIu64 " rounds, answers: %" PRIu64 " ok, %" PRIu64
           " missing, %" PRIu64 " corrupt, %" PRIu64 " busy\n",
           seed, rounds, answers[SC_OK], answers[SC_MISS], answers[SC_CORRUPT], answers[SC_BUSY]);
    CHECK(rounds < 100 || answers[SC_CORRUPT] > rounds, "the damage was never met");
    return 0;
}
