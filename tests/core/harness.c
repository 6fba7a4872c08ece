#include "harness.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "get.h"

/* ---- checks -----------------------------------------------------------------------------------*/
static char context[512], note[128];

void check_context(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(context, sizeof(context), format, arguments);
    va_end(arguments);
}

void check_note(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(note, sizeof(note), format, arguments);
    va_end(arguments);
}

void check_failed(const char *file, int line, const char *what, const char *format, ...) {
    va_list arguments;
    fflush(stdout);
    fprintf(stderr, "%s:%d: FAILED: %s", file, line, what);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n  again: %s %s\n", context, note);
    abort();
}

void check_status(const char *file, int line, const char *what, int got, int want) {
    if (got == want) return;
    check_failed(file, line, what, " is %s (errno %d), not %s", sc_status_text(got), errno,
                 sc_status_text(want));
}

pid_t fork_bound(void) {
    fflush(stdout);
    pid_t parent = getpid(), child = fork();
    CHECK(child >= 0, "fork: %s", strerror(errno));
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(1);
    }
    return child;
}

const char *option_text(int argc, char **argv, const char *name, const char *otherwise) {
    size_t length = strlen(name);
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], name, length) == 0 && argv[i][length] == '=')
            return argv[i] + length + 1;
    }
    return otherwise;
}

uint64_t option_u64(int argc, char **argv, const char *name, uint64_t otherwise) {
    const char *text = option_text(argc, argv, name, NULL);
    return text ? strtoull(text, NULL, 0) : otherwise;
}

/* ---- mappings between guards ------------------------------------------------------------------*/
#define GUARD_BYTES ((size_t)64 << 20)

void *__real_mmap(void *where, size_t bytes, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *where, size_t bytes);
void *__wrap_mmap(void *where, size_t bytes, int protection, int flags, int fd, off_t offset);
int __wrap_munmap(void *where, size_t bytes);

static size_t whole_pages(size_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (bytes + page - 1) / page * page;
}

void *__wrap_mmap(void *where, size_t bytes, int protection, int flags, int fd, off_t offset) {
    size_t whole = whole_pages(bytes) + 2 * GUARD_BYTES;
    uint8_t *zone =
        __real_mmap(where, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (zone == MAP_FAILED) return MAP_FAILED;
    void *got = __real_mmap(zone + GUARD_BYTES, bytes, protection, flags | MAP_FIXED, fd, offset);
    if (got == MAP_FAILED) {
        int why = errno;
        __real_munmap(zone, whole);
        errno = why;
    }
    return got;
}

int __wrap_munmap(void *where, size_t bytes) {
    return __real_munmap((uint8_t *)where - GUARD_BYTES, whole_pages(bytes) + 2 * GUARD_BYTES);
}

/* ---- the core's chance ------------------------------------------------------------------------*/
uint64_t __real_sc_sys_random64(void);
uint64_t __wrap_sc_sys_random64(void);
static rng core_chance;
static bool core_chance_fixed;

void fix_core_chance(uint64_t seed) {
    core_chance.state = seed;
    core_chance_fixed = true;
}

uint64_t __wrap_sc_sys_random64(void) {
    return core_chance_fixed ? rng_next(&core_chance) : __real_sc_sys_random64();
}

#ifdef __SANITIZE_THREAD__
/* ThreadSanitizer does not know this way of locking; it knows trylock. */
int __wrap_pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock,
                                   const struct timespec *until);
int __wrap_pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock,
                                   const struct timespec *until) {
    for (;;) {
        int error = pthread_mutex_trylock(mutex);
        struct timespec now, nap = {.tv_nsec = 20000};
        if (error != EBUSY) return error;
        clock_gettime(clock, &now);
        if (now.tv_sec > until->tv_sec ||
            (now.tv_sec == until->tv_sec && now.tv_nsec >= until->tv_nsec))
            return ETIMEDOUT;
        nanosleep(&nap, NULL);
    }
}
#endif

/* ---- segments ---------------------------------------------------------------------------------*/
static int memory_file(const char *name, uint64_t bytes) {
    int fd = memfd_create(name, MFD_CLOEXEC);
    CHECK(fd >= 0, "memfd_create: %s", strerror(errno));
    CHECK(ftruncate(fd, (off_t)bytes) == 0, "ftruncate: %s", strerror(errno));
    return fd;
}

segments segments_create_blank(uint64_t data_bytes, uint64_t access_bytes) {
    return (segments){
        .data_fd = memory_file("data", data_bytes),
        .access_fd = memory_file("access", access_bytes),
        .data_bytes = data_bytes,
        .access_bytes = access_bytes,
        .feed_fd = memory_file("feed", sc_feed_bytes(data_bytes)),
        .bus_fd = memory_file("bus", sc_bus_bytes(data_bytes)),
        .feed_bytes = sc_feed_bytes(data_bytes),
        .bus_bytes = sc_bus_bytes(data_bytes),
    };
}

segments segments_create(uint64_t data_bytes) {
    segments made = segments_create_blank(data_bytes, sc_access_bytes(data_bytes));
    sc_segment_fds fds = fds_of(&made);
    CHECK_STATUS(sc_arena_format(&fds, "test", 0x5eed), SC_OK);
    return made;
}

void segments_close(segments *these) {
    close(these->data_fd);
    close(these->access_fd);
    close(these->feed_fd);
    close(these->bus_fd);
}

/* What tests make of a value: a copy. */
typedef struct made {
    size_t length;
    char bytes[];
} made;

static size_t drop_made(void *it) {
    size_t taken = sizeof(made) + ((made *)it)->length;
    free(it);
    return taken;
}

static const sc_hooks hooks = {.drop_made = drop_made};

sc_arena *segments_attach(const segments *these, bool writable) {
    sc_arena *arena = NULL;
    sc_segment_fds fds = fds_of(these);
    CHECK_STATUS(sc_arena_attach(&fds, writable, &hooks, &arena), SC_OK);
    return arena;
}

uint8_t *segments_map(int fd, uint64_t bytes) {
    void *base = __real_mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(base != MAP_FAILED, "mmap: %s", strerror(errno));
    return base;
}

void check_valid(sc_arena *arena) {
    int status = sc_validate(arena, stderr);
    if (status == SC_OK) return;
    sc_dump(arena, stderr);
    CHECK_STATUS(status, SC_OK);
}

void set_policy(sc_arena *arena, uint32_t policy) {
    sc_tuning tuning;
    sc_get_tuning(arena, &tuning);
    tuning.policy = policy;
    CHECK_STATUS(sc_set_tuning(arena, &tuning), SC_OK);
}

/* ---- keys and values --------------------------------------------------------------------------*/
static char *buffer_reserve(sc_sink *sink, size_t length) {
    buffer *to = (buffer *)sink;
    to->calls++;
    if (length + 1 > to->room) {
        free(to->bytes);
        to->room = length + 1;
        to->bytes = malloc(to->room);
        CHECK(to->bytes != NULL, "%zu bytes", to->room);
    }
    to->length = length;
    to->bytes[length] = '\0';
    return to->bytes;
}

void buffer_init(buffer *to) {
    *to = (buffer){.sink = {.reserve = buffer_reserve}};
}

void buffer_free(buffer *to) {
    free(to->bytes);
    to->bytes = NULL;
    to->room = 0;
}

bool buffer_is(const buffer *it, const void *bytes, size_t length) {
    return it->length == length && (length == 0 || memcmp(it->bytes, bytes, length) == 0);
}

int set_bytes(sc_arena *arena, const sc_key *key, const char *value, size_t length) {
    sc_set_args args = {.value = value, .value_bytes = length};
    return sc_set(arena, key, &args);
}

static char *reserve_in_sink(sc_sink *sink, size_t length) {
    return sink->reserve(sink, length);
}

int get_hinted(sc_arena *arena, const sc_key *key, uint64_t hash, buffer *to) {
    const made *kept = sc_get_made(arena, key, hash);
    if (kept) {
        memcpy(to->sink.reserve(&to->sink, kept->length), kept->bytes, kept->length);
        return SC_OK;
    }
    sc_hint *again = NULL;
    int status = sc_get_hinted(arena, key, hash, &to->sink, reserve_in_sink, &again);
    if (status == SC_OK && again) {
        made *copy = malloc(sizeof *copy + to->length);
        CHECK(copy, "no memory");
        copy->length = to->length;
        memcpy(copy->bytes, to->bytes, to->length);
        if (!sc_hint_keep(arena, again, copy, sizeof *copy + to->length)) free(copy);
    }
    return status;
}

int set_text(sc_arena *arena, uint32_t db, const char *key, const char *value) {
    sc_key where = key_of(db, key);
    return set_bytes(arena, &where, value, strlen(value));
}

void check_text(sc_arena *arena, uint32_t db, const char *key, const char *value) {
    buffer got;
    buffer_init(&got);
    sc_key where = key_of(db, key);
    int status = sc_get(arena, &where, &got.sink);
    CHECK(status == SC_OK, "%s: %s", key, sc_status_text(status));
    CHECK(buffer_is(&got, value, strlen(value)), "%s is '%s', not '%s'", key, got.bytes, value);
    buffer_free(&got);
}

void check_missing(sc_arena *arena, uint32_t db, const char *key) {
    buffer got;
    buffer_init(&got);
    sc_key where = key_of(db, key);
    CHECK_STATUS(sc_get(arena, &where, &got.sink), SC_MISS);
    buffer_free(&got);
}

void fill_bytes(char *to, size_t length, uint64_t seed) {
    rng chance = {.state = seed * 2 + 1};
    for (size_t at = 0; at < length; at += 8) {
        uint64_t word = rng_next(&chance);
        memcpy(to + at, &word, length - at < 8 ? length - at : 8);
    }
}

/* ---- chance and time --------------------------------------------------------------------------*/
uint64_t rng_next(rng *from) { /* splitmix64 (Steele, Lea, Flood 2014) */
    uint64_t z = from->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

uint64_t rng_below(rng *from, uint64_t limit) {
    return limit ? rng_next(from) % limit : 0;
}

uint64_t choose(chooser *from, uint64_t limit) {
    if (!from->from_bytes) return rng_below(&from->chance, limit);
    uint64_t value = 0;
    for (uint64_t reach = 1; reach < limit && from->left > 0; reach <<= 8, from->left--)
        value = value << 8 | *from->bytes++;
    return limit ? value % limit : 0;
}

static uint64_t clock_ms(clockid_t clock) {
    struct timespec at;
    clock_gettime(clock, &at);
    return (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_nsec / 1000000;
}

uint64_t now_ms(void) {
    return clock_ms(CLOCK_REALTIME);
}

uint64_t monotonic_ms(void) {
    return clock_ms(CLOCK_MONOTONIC);
}

void wait_until_ms(uint64_t when) {
    while (now_ms() < when) {
        struct timespec nap = {.tv_nsec = 200000};
        nanosleep(&nap, NULL);
    }
}
