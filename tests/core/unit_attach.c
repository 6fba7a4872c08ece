/* Formatting and attaching, everything that may be wrong with a segment, what the header keeps. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "layout.h"
#include "unit.h"

static int try_attach(const segments *files, bool writable) {
    sc_arena *arena = NULL;
    sc_segment_fds fds = fds_of(files);
    int status = sc_arena_attach(&fds, writable, NULL, &arena);
    if (status == SC_OK) sc_arena_detach(arena);
    return status;
}

static int try_format(const segments *files) {
    sc_segment_fds fds = fds_of(files);
    return sc_arena_format(&fds, "x", 1);
}

static void sizes(void) {
    uint64_t least = sc_min_data_bytes();
    CHECK(least > 0 && least <= UINT64_C(1) << 20);
    const uint64_t more[] = {least,    least + 1, least + 4095,      least * 2,
                             10000000, 16 << 20,  (16 << 20) + 4096, 40 << 20};
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
        bench b = bench_open(more[i]);
        sc_statistics statistics;
        CHECK_STATUS(sc_get_statistics(b.arena, &statistics), SC_OK);
        CHECK(statistics.data_bytes == more[i]);
        CHECK(statistics.access_bytes == sc_access_bytes(more[i]));
        CHECK(statistics.heap_bytes < more[i] && statistics.heap_bytes > more[i] / 4);
        CHECK_STATUS(set_text(b.arena, 0, "k", "v"), SC_OK);
        check_text(b.arena, 0, "k", "v");
        bench_close(&b);
    }
}

static void too_small(void) {
    segments files =
        segments_create_blank(sc_min_data_bytes() - 1, sc_access_bytes(sc_min_data_bytes()));
    CHECK(try_format(&files) != SC_OK);
    CHECK(try_attach(&files, false) != SC_OK);
    segments_close(&files);
    files = segments_create_blank(sc_min_data_bytes(), 100);
    CHECK(try_format(&files) != SC_OK);
    CHECK(try_attach(&files, true) != SC_OK);
    segments_close(&files);
    const uint64_t tiny[] = {0, 1, 7, 8, 100, 4096};
    for (size_t i = 0; i < sizeof(tiny) / sizeof(tiny[0]); i++) {
        files = segments_create_blank(tiny[i], tiny[i]);
        CHECK(try_format(&files) != SC_OK);
        int status = try_attach(&files, false);
        CHECK(status == SC_LAYOUT || status == SC_TRUNCATED, "%s", sc_status_text(status));
        segments_close(&files);
    }
}

static void never_formatted(void) {
    uint64_t bytes = sc_min_data_bytes();
    segments files = segments_create_blank(bytes, sc_access_bytes(bytes));
    CHECK_STATUS(try_attach(&files, false), SC_LAYOUT);
    CHECK_STATUS(try_attach(&files, true), SC_LAYOUT);
    segments_close(&files);
}

static void cut_short(void) {
    const uint64_t keep[] = {0, 8, 100, 4096, 100000};
    for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++) {
        for (int which = 0; which < 2; which++) {
            segments files = segments_create(sc_min_data_bytes());
            int fd = which ? files.data_fd : files.access_fd;
            uint64_t size = which ? files.data_bytes : files.access_bytes;
            CHECK(ftruncate(fd, (off_t)(keep[i] < size ? keep[i] : size - 1)) == 0);
            int status = try_attach(&files, which);
            CHECK(status == SC_TRUNCATED || (status == SC_LAYOUT && keep[i] <= 100), "%s",
                  sc_status_text(status));
            segments_close(&files);
        }
    }
}

/* Change a few bytes of a good header: each must be noticed. */
static void expect_refused(size_t offset, const void *bytes, size_t length, int want) {
    segments files = segments_create(sc_min_data_bytes());
    CHECK_STATUS(try_attach(&files, true), SC_OK);
    CHECK(pwrite(files.data_fd, bytes, length, (off_t)offset) == (ssize_t)length);
    CHECK_STATUS(try_attach(&files, false), want);
    CHECK_STATUS(try_attach(&files, true), want);
    segments_close(&files);
}

static void wrong_identity(void) {
    uint64_t word = SC_MAGIC ^ 1;
    expect_refused(offsetof(sc_header, magic), &word, 8, SC_LAYOUT);
    uint32_t version = SC_LAYOUT_VERSION + 1;
    expect_refused(offsetof(sc_header, layout_version), &version, 4, SC_LAYOUT);
    word = 12345;
    expect_refused(offsetof(sc_header, abi), &word, 8, SC_LAYOUT);
    version = sizeof(sc_header) + 64;
    expect_refused(offsetof(sc_header, header_bytes), &version, 4, SC_LAYOUT);
    word = sc_min_data_bytes() * 2; /* the header of a larger one on a file cut short */
    expect_refused(offsetof(sc_header, data_bytes), &word, 8, SC_TRUNCATED);
}

static void anothers_access_segment(void) {
    segments one = segments_create(sc_min_data_bytes());
    segments two = segments_create(sc_min_data_bytes());
    segments mixed = one;
    mixed.access_fd = two.access_fd;
    CHECK_STATUS(try_attach(&mixed, false), SC_LAYOUT);
    mixed = one;
    mixed.feed_fd = two.feed_fd;
    CHECK_STATUS(try_attach(&mixed, true), SC_LAYOUT);
    mixed = one;
    mixed.bus_fd = two.bus_fd;
    CHECK_STATUS(try_attach(&mixed, false), SC_LAYOUT);
    mixed = one;
    mixed.feed_fd = one.bus_fd; /* a ring of the right generation and another size */
    CHECK_STATUS(try_attach(&mixed, false), SC_LAYOUT);
    segments swapped = one;
    swapped.data_fd = one.access_fd;
    swapped.access_fd = one.data_fd;
    CHECK(try_attach(&swapped, false) != SC_OK);
    segments_close(&one);
    segments_close(&two);
}

static void not_a_segment(void) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    segments pipes = {
        .data_fd = ends[0], .access_fd = ends[1], .feed_fd = ends[0], .bus_fd = ends[1]};
    CHECK(try_attach(&pipes, false) != SC_OK);
    segments closed = {.data_fd = -1, .access_fd = -1, .feed_fd = -1, .bus_fd = -1};
    errno = 0;
    CHECK_STATUS(try_attach(&closed, false), SC_SYSTEM);
    CHECK(errno == EBADF);
    close(ends[0]);
    close(ends[1]);
}

static FILE *for_reading(int fd) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    FILE *again = fopen(path, "r");
    CHECK(again != NULL);
    return again;
}

static void read_only_files(void) {
    segments files = segments_create(sc_min_data_bytes());
    sc_arena *writer = segments_attach(&files, true);
    CHECK_STATUS(set_text(writer, 0, "k", "v"), SC_OK);
    FILE *again = for_reading(files.data_fd), *feed = for_reading(files.feed_fd);
    segments reading = files;
    reading.data_fd = fileno(again);
    reading.feed_fd = fileno(feed);
    CHECK_STATUS(try_attach(&reading, true), SC_SYSTEM);
    sc_arena *reader = segments_attach(&reading, false);
    fclose(feed);
    fclose(again); /* the mapping outlives the descriptor */
    check_text(reader, 0, "k", "v");
    CHECK_STATUS(set_text(writer, 0, "k", "w"), SC_OK);
    check_text(reader, 0, "k", "w");
    sc_arena_detach(reader);
    sc_arena_detach(writer);
    segments_close(&files);
}

static void survives_detach(void) {
    segments files = segments_create(sc_min_data_bytes());
    sc_arena *arena = segments_attach(&files, true);
    CHECK_STATUS(set_text(arena, 3, "k", "v"), SC_OK);
    sc_arena_detach(arena);
    arena = segments_attach(&files, true);
    check_text(arena, 3, "k", "v");
    CHECK(sc_db_keys(arena, 3) == 1);
    check_valid(arena);
    sc_arena_detach(arena);
    segments_close(&files);
}

static void tuning(void) {
    bench b = bench_open(0);
    sc_tuning asked, got;
    sc_get_tuning(b.arena, &asked);
    CHECK(asked.policy == SC_NOEVICTION && asked.maxmemory == 0 && asked.samples > 0);
    for (uint32_t policy = 0; policy < SC_POLICIES; policy++) {
        asked = (sc_tuning){.maxmemory = 300000 + policy,
                            .policy = policy,
                            .samples = 5 + policy,
                            .lfu_log_factor = 10 + policy,
                            .lfu_decay_minutes = 1 + policy,
                            .reserve_permille = 20};
        CHECK_STATUS(sc_set_tuning(b.arena, &asked), SC_OK);
        sc_arena *reader = segments_attach(&b.files, false);
        sc_get_tuning(reader, &got);
        sc_arena_detach(reader);
        CHECK(got.maxmemory == asked.maxmemory && got.policy == asked.policy &&
              got.samples == asked.samples && got.lfu_log_factor == asked.lfu_log_factor &&
              got.lfu_decay_minutes == asked.lfu_decay_minutes);
        CHECK(got.reserve_permille <= 25, "%u", got.reserve_permille);
    }
    asked.policy = SC_POLICIES;
    CHECK_STATUS(sc_set_tuning(b.arena, &asked), SC_SYNTAX);
    sc_get_tuning(b.arena, &got);
    CHECK(got.policy == SC_POLICIES - 1);
    bench_close(&b);
}

static void socket_path_and_beats(void) {
    bench b = bench_open(0);
    char path[112], longest[113];
    sc_get_socket_path(b.arena, path);
    CHECK(path[0] == '\0');
    CHECK_STATUS(sc_set_socket_path(b.arena, "/run/shmcache/test.sock"), SC_OK);
    sc_get_socket_path(b.arena, path);
    CHECK(strcmp(path, "/run/shmcache/test.sock") == 0);
    memset(longest, 'p', sizeof(longest));
    longest[112] = '\0';
    CHECK_STATUS(sc_set_socket_path(b.arena, longest), SC_SYNTAX);
    longest[111] = '\0';
    CHECK_STATUS(sc_set_socket_path(b.arena, longest), SC_OK);
    sc_get_socket_path(b.arena, path);
    CHECK(strcmp(path, longest) == 0);
    uint64_t pid, when, start = now_ms();
    for (uint32_t process = 0; process < SC_BEATS; process++) {
        sc_get_beat(b.arena, process, &pid, &when);
        CHECK(pid == 0);
        CHECK_STATUS(sc_beat(b.arena, process, 100 + process), SC_OK);
    }
    for (uint32_t process = 0; process < SC_BEATS; process++) {
        sc_get_beat(b.arena, process, &pid, &when);
        CHECK(pid == 100 + process && when + 100 >= start && when <= now_ms());
    }
    CHECK(sc_beat(b.arena, SC_BEATS, 1) != SC_OK);
    bench_close(&b);
}

static void statistics_count(void) {
    bench b = bench_open(0);
    sc_statistics at;
    CHECK_STATUS(sc_reset_statistics(b.arena), SC_OK);
    CHECK_STATUS(set_text(b.arena, 0, "k", "v"), SC_OK);
    for (int i = 0; i < 7; i++)
        check_text(b.arena, 0, "k", "v");
    for (int i = 0; i < 3; i++)
        check_missing(b.arena, 0, "none");
    CHECK_STATUS(sc_get_statistics(b.arena, &at), SC_OK);
    CHECK(at.hits == 7 && at.misses == 3, "%llu %llu", (unsigned long long)at.hits,
          (unsigned long long)at.misses);
    CHECK(at.keys == 1 && at.used_bytes > 0 && at.used_bytes <= at.heap_bytes);
    CHECK(at.pages * at.page_bytes == at.heap_bytes && at.free_pages < at.pages);
    CHECK(at.stripes > 0 && at.created_ms <= now_ms() && at.generation != 0);
    /* Another process's reads count too, even once it is gone. */
    sc_arena *reader = segments_attach(&b.files, false);
    check_text(reader, 0, "k", "v");
    sc_arena_detach(reader);
    CHECK_STATUS(sc_get_statistics(b.arena, &at), SC_OK);
    CHECK(at.hits == 8, "%llu", (unsigned long long)at.hits);
    CHECK_STATUS(sc_reset_statistics(b.arena), SC_OK);
    CHECK_STATUS(sc_get_statistics(b.arena, &at), SC_OK);
    CHECK(at.hits == 0 && at.misses == 0 && at.keys == 1);
    bench_close(&b);
}

static void describe_and_tick(void) {
    bench b = bench_open(0);
    sc_key key = key_of(0, "k");
    sc_info info;
    CHECK_STATUS(sc_describe(b.arena, &key, &info, false), SC_MISS);
    CHECK_STATUS(set_text(b.arena, 0, "k", "some text"), SC_OK);
    CHECK_STATUS(sc_describe(b.arena, &key, &info, false), SC_OK);
    CHECK(info.value_bytes == 9 && info.expire_ms == 0 && info.encoding == 1);
    CHECK(info.memory > 10 && info.memory < 100, "%llu", (unsigned long long)info.memory);
    CHECK(info.idle_ms < 60000, "%llu", (unsigned long long)info.idle_ms);
    for (int i = 0; i < 5; i++)
        CHECK_STATUS(sc_tick(b.arena), SC_OK);
    check_text(b.arena, 0, "k", "some text");
    bench_close(&b);
}

static void frequencies(void) {
    bench b = bench_open(0);
    set_policy(b.arena, SC_ALLKEYS_LFU);
    char value[200]; /* small ones might share a mark, which stands for 64 bytes */
    memset(value, 'v', sizeof(value));
    value[sizeof(value) - 1] = '\0';
    CHECK_STATUS(set_text(b.arena, 0, "often", value), SC_OK);
    CHECK_STATUS(set_text(b.arena, 0, "seldom", value), SC_OK);
    for (int i = 0; i < 5000; i++)
        check_text(b.arena, 0, "often", value);
    sc_key often = key_of(0, "often"), seldom = key_of(0, "seldom");
    sc_info one, other;
    CHECK_STATUS(sc_describe(b.arena, &often, &one, false), SC_OK);
    CHECK_STATUS(sc_describe(b.arena, &seldom, &other, false), SC_OK);
    CHECK(one.frequency > other.frequency + 5, "%u %u", one.frequency, other.frequency);
    CHECK(one.frequency <= 255);
    bench_close(&b);
}

static void dump_prints(void) {
    bench b = bench_open(0);
    CHECK_STATUS(set_text(b.arena, 0, "k", "v"), SC_OK);
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    CHECK_STATUS(sc_dump(b.arena, out), SC_OK);
    fclose(out);
    CHECK(length > 200 && strstr(text, "test"), "%s", text);
    free(text);
    bench_close(&b);
}

const unit unit_attach[] = {
    {"attach/sizes", sizes},
    {"attach/too_small", too_small},
    {"attach/never_formatted", never_formatted},
    {"attach/cut_short", cut_short},
    {"attach/wrong_identity", wrong_identity},
    {"attach/anothers_access_segment", anothers_access_segment},
    {"attach/not_a_segment", not_a_segment},
    {"attach/read_only_files", read_only_files},
    {"attach/survives_detach", survives_detach},
    {"attach/tuning", tuning},
    {"attach/socket_path_and_beats", socket_path_and_beats},
    {"attach/statistics_count", statistics_count},
    {"attach/describe_and_tick", describe_and_tick},
    {"attach/frequencies", frequencies},
    {"attach/dump_prints", dump_prints},
    {NULL, NULL},
};
