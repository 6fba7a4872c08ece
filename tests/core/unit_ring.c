/* Rings: order, laps, holes left by the dead, losses, damage. Many at once: rings.c. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "internal.h"
#include "ring.h"
#include "unit.h"

#define CELLS 4096
#define GENERATION 77

typedef struct loop { /* a ring in memory that forked children share, a producer and a reader */
    sc_ring ring;
    sc_ring_producer producer;
    sc_ring_reader reader;
    buffer got;
    void *base;
    int fd;
} loop;

static loop loop_open(uint32_t flags) {
    loop made = {0};
    segments files = segments_create_blank(sc_min_data_bytes(), sc_ring_bytes(CELLS));
    made.fd = files.access_fd;
    made.base = segments_map(made.fd, sc_ring_bytes(CELLS));
    close(files.data_fd);
    close(files.feed_fd);
    close(files.bus_fd);
    sc_ring_format(made.base, CELLS, GENERATION);
    CHECK_STATUS(sc_ring_attach(&made.ring, made.base, CELLS, GENERATION, flags), SC_OK);
    CHECK_STATUS(sc_ring_join(&made.ring, &made.producer), SC_OK);
    sc_ring_start(&made.ring, &made.reader);
    buffer_init(&made.got);
    return made;
}

static void loop_close(loop *of) {
    sc_ring_leave(&of->ring, &of->producer);
    buffer_free(&of->got);
    close(of->fd);
}

static int read_one(loop *of) {
    int status;
    do {
        status = sc_ring_read(&of->ring, &of->reader, &of->got.sink);
    } while (status == SC_UNCHANGED);
    return status;
}

static void say(loop *of, const char *text) {
    CHECK_STATUS(sc_ring_append(&of->ring, &of->producer, text, (uint32_t)strlen(text)), SC_OK);
}

static void hear(loop *of, const char *text) {
    CHECK_STATUS(read_one(of), SC_OK);
    CHECK(buffer_is(&of->got, text, strlen(text)), "'%s', not '%s'", of->got.bytes, text);
}

static void in_order(void) {
    loop it = loop_open(SC_RING_WRITABLE);
    CHECK_STATUS(read_one(&it), SC_MISS);
    say(&it, "one");
    say(&it, "");
    say(&it, "three");
    hear(&it, "one");
    hear(&it, "");
    hear(&it, "three");
    CHECK_STATUS(read_one(&it), SC_MISS);
    sc_ring_reader late;
    sc_ring_start(&it.ring, &late);
    CHECK_STATUS(sc_ring_read(&it.ring, &late, &it.got.sink), SC_MISS);
    loop_close(&it);
}

static void every_length(void) {
    loop it = loop_open(SC_RING_WRITABLE);
    uint32_t most = sc_ring_most(&it.ring);
    char *bytes = malloc(most + 1);
    fill_bytes(bytes, most + 1, 9);
    for (uint32_t length = 0; length <= most; length += length < 300 ? 1 : most / 7) {
        uint64_t at;
        CHECK_STATUS(sc_ring_reserve(&it.ring, &it.producer, length, &at), SC_OK);
        uint32_t cut = length / 3; /* in two parts, the second first */
        sc_ring_fill(&it.ring, &it.producer, at, cut, bytes + cut, length - cut);
        sc_ring_fill(&it.ring, &it.producer, at, 0, bytes, cut);
        sc_ring_publish(&it.ring, at);
        sc_ring_settle(&it.ring, &it.producer);
        CHECK_STATUS(read_one(&it), SC_OK);
        CHECK(buffer_is(&it.got, bytes, length), "%u bytes", length);
    }
    uint64_t at;
    CHECK_STATUS(sc_ring_reserve(&it.ring, &it.producer, most + 1, &at), SC_VALUE_TOO_LONG);
    free(bytes);
    loop_close(&it);
}

static void pending_is_waited_for(void) {
    loop it = loop_open(SC_RING_WRITABLE | SC_RING_HELD);
    uint64_t first, second;
    CHECK_STATUS(sc_ring_reserve(&it.ring, &it.producer, 1, &first), SC_OK);
    sc_ring_fill(&it.ring, &it.producer, first, 0, "1", 1);
    sc_ring_settle(&it.ring, &it.producer);
    CHECK_STATUS(sc_ring_reserve(&it.ring, &it.producer, 1, &second), SC_OK);
    sc_ring_settle(&it.ring, &it.producer);
    say(&it, "3");
    CHECK_STATUS(read_one(&it), SC_MISS);
    sc_ring_reader late; /* who comes now will be told of what is published from now on */
    sc_ring_start(&it.ring, &late);
    CHECK(late.position == first);
    sc_ring_void(&it.ring, second);
    sc_ring_void(&it.ring, second);
    CHECK_STATUS(read_one(&it), SC_MISS);
    sc_ring_publish(&it.ring, first);
    sc_ring_publish(&it.ring, first);
    hear(&it, "1");
    hear(&it, "3");
    CHECK_STATUS(read_one(&it), SC_MISS);
    loop_close(&it);
}

static void published_after_a_whole_lap(void) {
    loop it = loop_open(SC_RING_WRITABLE | SC_RING_HELD);
    uint64_t first;
    CHECK_STATUS(sc_ring_reserve(&it.ring, &it.producer, 1, &first), SC_OK);
    sc_ring_settle(&it.ring, &it.producer);
    for (int i = 0; i < CELLS + 10; i++)
        say(&it, "x");
    CHECK_STATUS(read_one(&it), SC_LOST);
    while (read_one(&it) == SC_OK) {
    }
    sc_ring_publish(&it.ring, first); /* nobody can see it: everybody must be told, now */
    CHECK_STATUS(read_one(&it), SC_LOST);
    CHECK_STATUS(read_one(&it), SC_MISS);
    loop_close(&it);
}

static void lapped_reader_is_told(void) {
    loop it = loop_open(SC_RING_WRITABLE);
    char text[40];
    for (int i = 0; i < 3 * CELLS; i++) {
        snprintf(text, sizeof(text), "%d", i);
        say(&it, text);
    }
    CHECK_STATUS(read_one(&it), SC_LOST);
    for (int i = 2 * CELLS; i < 3 * CELLS; i++) {
        snprintf(text, sizeof(text), "%d", i);
        hear(&it, text);
    }
    CHECK_STATUS(read_one(&it), SC_MISS);
    loop_close(&it);
}

/* A child that does not come further than `steps` of an append. */
static void die_while_appending(loop *of, int steps, uint32_t length) {
    pid_t child = fork_bound();
    if (child == 0) {
        sc_ring_producer own;
        uint64_t at;
        if (sc_ring_join(&of->ring, &own) != SC_OK) _exit(1);
        if (steps == 0) { /* marked and with room, but not one cell stamped */
            sc_put64(&own.mark->from, sc_load64(&of->ring.head->tail));
            __atomic_fetch_add(&of->ring.head->tail, 2, __ATOMIC_ACQ_REL);
        } else {
            sc_ring_reserve(&of->ring, &own, length, &at);
        }
        kill(getpid(), SIGKILL);
    }
    int how;
    CHECK(waitpid(child, &how, 0) == child);
    CHECK(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
}

static void wait_for(loop *of, const char *text) {
    uint64_t limit = monotonic_ms() + 5000;
    int status;
    while ((status = read_one(of)) == SC_MISS && monotonic_ms() < limit)
        sc_ring_wait(&of->ring, &of->reader, 1000);
    CHECK_STATUS(status, SC_OK);
    CHECK(buffer_is(&of->got, text, strlen(text)), "'%s', not '%s'", of->got.bytes, text);
}

static void holes_of_the_dead_are_passed(void) {
    for (int held = 0; held < 2; held++) {
        loop it = loop_open(SC_RING_WRITABLE | (held ? SC_RING_HELD : 0));
        for (int steps = 0; steps < 2; steps++) {
            say(&it, "before");
            die_while_appending(&it, steps, 500);
            say(&it, "after");
            wait_for(&it, "before");
            wait_for(&it, "after");
            CHECK_STATUS(read_one(&it), SC_MISS);
        }
        uint32_t marks = 0; /* the dead ones' are taken again when there are no others */
        sc_ring_producer all[CELLS];
        while (sc_ring_join(&it.ring, &all[marks]) == SC_OK)
            marks++;
        CHECK(marks == it.ring.mark_count - 1, "%u", marks);
        loop_close(&it);
    }
}

static void stopped_producer_loses_its_record(void) {
    loop it = loop_open(SC_RING_WRITABLE);
    sc_ring_producer slow;
    uint64_t at;
    CHECK_STATUS(sc_ring_join(&it.ring, &slow), SC_OK);
    CHECK_STATUS(sc_ring_reserve(&it.ring, &slow, 100, &at), SC_OK);
    say(&it, "after");
    CHECK_STATUS(read_one(&it), SC_MISS);
    it.reader.stuck_since_us -= SC_RING_PATIENCE_MS * 1000;
    hear(&it, "after");
    sc_ring_publish(&it.ring, at);
    CHECK_STATUS(read_one(&it), SC_LOST);
    CHECK_STATUS(read_one(&it), SC_MISS);
    loop_close(&it);
}

static void late_bytes_harm_no_later_record(void) {
    loop it = loop_open(SC_RING_WRITABLE);
    sc_ring_producer slow;
    uint64_t at;
    CHECK_STATUS(sc_ring_join(&it.ring, &slow), SC_OK);
    CHECK_STATUS(sc_ring_reserve(&it.ring, &slow, 300, &at), SC_OK);
    char text[40];
    int lost = 0, heard = 0;
    it.reader.position =
        at + CELLS; /* of interest is the lap that comes over the slow one's cells */
    for (int i = 0; i < CELLS + 50; i++) {
        snprintf(text, sizeof(text), "record %d", i);
        int status = sc_ring_append(&it.ring, &it.producer, text, (uint32_t)strlen(text));
        CHECK(status == SC_OK || status == SC_LOST);
        lost += status == SC_LOST;
    }
    char rubbish[300];
    memset(rubbish, '#', sizeof(rubbish));
    sc_ring_fill(&it.ring, &slow, at, 0, rubbish, sizeof(rubbish));
    sc_ring_publish(&it.ring, at);
    sc_ring_settle(&it.ring, &slow);
    for (int status; (status = read_one(&it)) != SC_MISS;) {
        if (status == SC_LOST) continue;
        CHECK_STATUS(status, SC_OK);
        CHECK(strncmp(it.got.bytes, "record ", 7) == 0, "'%s'", it.got.bytes);
        heard++;
    }
    CHECK(heard > 40 && lost <= 4, "%d heard, %d lost", heard, lost);
    loop_close(&it);
}

static void sleepers_are_woken(void) {
    loop it = loop_open(SC_RING_WRITABLE);
    for (int round = 0; round < 200; round++) {
        pid_t child = fork_bound();
        if (child == 0) {
            sc_ring_producer own;
            if (sc_ring_join(&it.ring, &own) != SC_OK) _exit(1);
            sc_ring_append(&it.ring, &own, "hello", 5);
            _exit(0);
        }
        uint64_t since = monotonic_ms();
        wait_for(&it, "hello");
        CHECK(monotonic_ms() - since < 5000);
        CHECK(waitpid(child, NULL, 0) == child);
    }
    CHECK(it.ring.head->asleep <= 1);
    loop_close(&it);
}

static void another_ring(void) {
    loop it = loop_open(SC_RING_WRITABLE);
    sc_ring other;
    CHECK_STATUS(sc_ring_attach(&other, it.base, CELLS * 2, GENERATION, 0), SC_LAYOUT);
    CHECK_STATUS(sc_ring_attach(&other, it.base, CELLS, GENERATION + 1, 0), SC_LAYOUT);
    CHECK_STATUS(sc_ring_attach(&other, it.base, CELLS, GENERATION, 0), SC_OK);
    sc_ring_producer none;
    CHECK_STATUS(sc_ring_join(&other, &none), SC_READ_ONLY);
    loop_close(&it);
}

const unit unit_ring[] = {
    {"ring/in_order", in_order},
    {"ring/every_length", every_length},
    {"ring/pending_is_waited_for", pending_is_waited_for},
    {"ring/published_after_a_whole_lap", published_after_a_whole_lap},
    {"ring/lapped_reader_is_told", lapped_reader_is_told},
    {"ring/holes_of_the_dead_are_passed", holes_of_the_dead_are_passed},
    {"ring/stopped_producer_loses_its_record", stopped_producer_loses_its_record},
    {"ring/late_bytes_harm_no_later_record", late_bytes_harm_no_later_record},
    {"ring/sleepers_are_woken", sleepers_are_woken},
    {"ring/another_ring", another_ring},
    {NULL, NULL},
};
