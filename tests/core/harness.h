/* What every proof of the core uses: segments in memory, checks that say where, a sink, chance.
 *
 * The segments are memfds. Linked with --wrap=mmap,--wrap=munmap the harness puts every mapping of
 * the core between two inaccessible zones, so that a read past either end of a segment is a crash
 * rather than luck. */
#ifndef HARNESS_H
#define HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "sc.h"

/* ---- checks -----------------------------------------------------------------------------------*/
#define CHECK(condition, ...)                                                                      \
    ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition, " " __VA_ARGS__))
#define CHECK_STATUS(got, want) check_status(__FILE__, __LINE__, #got, (got), (want))

void check_failed(const char *file, int line, const char *what, const char *format, ...)
    __attribute__((noreturn, format(printf, 4, 5)));
void check_status(const char *file, int line, const char *what, int got, int want);
/* Printed with every failure: how to get the same run again. */
void check_context(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* And this: how far it had come. */
void check_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* `name=value` among the arguments, or the default. */
uint64_t option_u64(int argc, char **argv, const char *name, uint64_t otherwise);
const char *option_text(int argc, char **argv, const char *name, const char *otherwise);

/* fork, but the child dies with its parent: a test that fails leaves nobody behind. */
pid_t fork_bound(void);

/* ---- segments ---------------------------------------------------------------------------------*/
typedef struct segments {
    int data_fd, access_fd, feed_fd, bus_fd;
    uint64_t data_bytes, access_bytes, feed_bytes, bus_bytes;
} segments;
static inline sc_segment_fds fds_of(const segments *these) {
    return (sc_segment_fds){these->data_fd, these->access_fd, these->feed_fd, these->bus_fd};
}

segments segments_create(uint64_t data_bytes); /* formatted */
segments segments_create_blank(uint64_t data_bytes, uint64_t access_bytes);
void segments_close(segments *these);
sc_arena *segments_attach(const segments *these, bool writable);
/* Map a segment's file for the harness's own use. */
uint8_t *segments_map(int fd, uint64_t bytes);
/* Validate and print what is wrong. */
void check_valid(sc_arena *arena);
void set_policy(sc_arena *arena, uint32_t policy);

/* ---- keys and values --------------------------------------------------------------------------*/
static inline sc_key key_of(uint32_t db, const char *text) {
    return (sc_key){.bytes = text, .length = (uint32_t)strlen(text), .db = db};
}

/* A growing buffer as a sink; what the last read put there stays until the next. */
typedef struct buffer {
    sc_sink sink;
    char *bytes;
    size_t length, room;
    unsigned calls;
} buffer;
void buffer_init(buffer *to);
void buffer_free(buffer *to);
bool buffer_is(const buffer *it, const void *bytes, size_t length);

/* GET as the binding does it for a key with a hash of its own: what was kept of the value, or the
 * value, of which a copy is kept when it was asked for again. */
int get_hinted(sc_arena *arena, const sc_key *key, uint64_t hash, buffer *to);

int set_text(sc_arena *arena, uint32_t db, const char *key, const char *value);
int set_bytes(sc_arena *arena, const sc_key *key, const char *value, size_t length);
/* Is the key there with exactly this value? */
void check_text(sc_arena *arena, uint32_t db, const char *key, const char *value);
void check_missing(sc_arena *arena, uint32_t db, const char *key);
/* `length` bytes that `seed` determines. */
void fill_bytes(char *to, size_t length, uint64_t seed);

/* ---- chance and time --------------------------------------------------------------------------*/
typedef struct rng {
    uint64_t state;
} rng;
uint64_t rng_next(rng *from);
uint64_t rng_below(rng *from, uint64_t limit);
/* From now on the core's own choices follow from `seed` too, so that a run can be had again. */
void fix_core_chance(uint64_t seed);

/* Where decisions come from: chance, or a fuzzer's bytes (then 0 when they are used up). */
typedef struct chooser {
    rng chance;
    const uint8_t *bytes;
    size_t left;
    bool from_bytes;
} chooser;
uint64_t choose(chooser *from, uint64_t limit);

uint64_t now_ms(void);       /* CLOCK_REALTIME, as the core's expiry */
uint64_t monotonic_ms(void); /* for budgets */
void wait_until_ms(uint64_t when);

#endif
