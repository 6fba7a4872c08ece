/* The bus: messages between attachments, and the register of who listens. Rings: unit_ring.c. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus.h"
#include "internal.h"
#include "unit.h"

static int publish(sc_arena *arena, const char *channel, const char *text, uint64_t bytes) {
    sc_message head = {.origin = sc_sys_nonce(), .kind = SC_CHANNEL};
    head.channel_bytes = (uint32_t)strlen(channel);
    return sc_bus_publish(arena, &head, channel, text, bytes);
}

static void everybody_publishes(void) {
    bench b = bench_open(0);
    sc_arena *reader = segments_attach(&b.files, false);
    sc_ring_reader at;
    sc_ring_start(&b.arena->bus, &at);
    CHECK_STATUS(publish(reader, "c", "text", 4), SC_OK);
    CHECK_STATUS(sc_ring_read(&b.arena->bus, &at, &b.got.sink), SC_OK);
    sc_message head;
    CHECK(b.got.length == sizeof head + 5);
    memcpy(&head, b.got.bytes, sizeof head);
    CHECK(head.origin == sc_sys_nonce() && head.kind == SC_CHANNEL && head.channel_bytes == 1);
    CHECK(memcmp(b.got.bytes + sizeof head, "ctext", 5) == 0);
    CHECK_STATUS(publish(reader, "c", "text", UINT64_C(1) << 40), SC_VALUE_TOO_LONG);
    CHECK_STATUS(publish(reader, "c", "text", sc_ring_most(&reader->bus)), SC_VALUE_TOO_LONG);
    sc_arena_detach(reader);
    bench_close(&b);
}

typedef struct tally {
    uint32_t entries, subscriptions, own, cut;
} tally;

static bool add(void *context, uint32_t kind, bool own, uint32_t count, const char *name,
                uint32_t length, bool whole) {
    tally *sum = context;
    char copy[sizeof((sc_listener){0}.text)];
    CHECK(length <= sizeof copy);
    memcpy(copy, name, length); /* is there so much? */
    sum->entries += kind != 0;
    sum->subscriptions += count;
    sum->own += own;
    sum->cut += !whole;
    return true;
}

static tally count(sc_arena *arena, uint32_t kind, const char *name) {
    tally sum = {0};
    uint32_t length = name ? (uint32_t)strlen(name) : 0;
    CHECK(sc_bus_entries(arena, kind, name, length, add, &sum));
    return sum;
}

static uint32_t enter(sc_arena *arena, uint32_t kind, const char *name) {
    uint32_t place;
    CHECK_STATUS(sc_bus_enter(arena, kind, name, (uint32_t)strlen(name), &place), SC_OK);
    return place;
}

static void the_register(void) {
    bench b = bench_open(0);
    sc_arena *other = segments_attach(&b.files, false);
    char longest[500];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    uint32_t news = enter(b.arena, SC_CHANNEL, "news");
    enter(other, SC_CHANNEL, "news");
    enter(other, SC_PATTERN, "news");
    enter(other, SC_CHANNEL, longest);
    sc_bus_count(b.arena, news, 5);
    CHECK(count(b.arena, SC_CHANNEL, "news").subscriptions == 6);
    CHECK(count(b.arena, SC_PATTERN, "news").subscriptions == 1);
    CHECK(count(b.arena, SC_SHARD_CHANNEL, "news").subscriptions == 0);
    CHECK(count(b.arena, SC_CHANNEL, longest).cut == 1);
    CHECK(count(b.arena, 0, NULL).entries == 4 && count(b.arena, 0, NULL).own == 4);
    CHECK(!sc_bus_has_others(b.arena)); /* this very process */
    sc_arena_detach(other);             /* takes its own along, and no others */
    CHECK(count(b.arena, 0, NULL).entries == 1);
    sc_bus_count(b.arena, news, 0);
    sc_bus_count(b.arena, 1u << 30, 1);
    CHECK(count(b.arena, 0, NULL).entries == 0);
    bench_close(&b);
}

static void a_full_register_is_the_deads_to_give(void) {
    bench b = bench_open(0);
    int ready[2];
    CHECK(pipe(ready) == 0);
    pid_t child = fork_bound();
    if (child == 0) {
        uint32_t place;
        while (sc_bus_enter(b.arena, SC_CHANNEL, "c", 1, &place) == SC_OK) {
        }
        if (write(ready[1], "x", 1) != 1) _exit(1);
        pause();
    }
    char byte;
    CHECK(read(ready[0], &byte, 1) == 1);
    uint32_t place;
    CHECK(count(b.arena, SC_CHANNEL, "c").subscriptions == b.arena->listener_count);
    CHECK(sc_bus_has_others(b.arena));
    CHECK_STATUS(sc_bus_enter(b.arena, SC_CHANNEL, "d", 1, &place), SC_NO_SLOT);
    kill(child, SIGKILL);
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK(count(b.arena, SC_CHANNEL, "c").subscriptions == 0);
    CHECK_STATUS(sc_bus_enter(b.arena, SC_CHANNEL, "d", 1, &place), SC_OK);
    CHECK(count(b.arena, SC_CHANNEL, "d").subscriptions == 1);
    close(ready[0]);
    close(ready[1]);
    bench_close(&b);
}

/* Damage makes counts wrong and names odd; it breaks nothing. */
static void damaged(void) {
    bench b = bench_open(0);
    rng chance = {.state = 99};
    uint64_t bytes = sizeof(sc_bus_head) + b.arena->listener_count * sizeof(sc_listener);
    uint8_t *base = (uint8_t *)b.arena->bus_head;
    uint64_t limit = monotonic_ms() + 500;
    while (monotonic_ms() < limit) {
        for (int i = 0; i < 10; i++) {
            uint64_t at = rng_below(&chance, rng_below(&chance, 2) ? 1024 : bytes - 8) & ~7ull;
            uint64_t word = rng_below(&chance, 2) ? rng_next(&chance) : rng_below(&chance, 300);
            memcpy(base + at, &word, 8);
        }
        tally sum = {0};
        char name[100];
        uint32_t place, length = (uint32_t)rng_below(&chance, sizeof name);
        fill_bytes(name, length, rng_next(&chance));
        if (sc_bus_enter(b.arena, SC_CHANNEL, name, length, &place) == SC_OK)
            sc_bus_count(b.arena, place, (uint32_t)rng_below(&chance, 2));
        sc_bus_entries(b.arena, 0, name, length, add, &sum);
        sc_bus_has_others(b.arena);
    }
    memset(base, 0, bytes);
    bench_close(&b);
}

const unit unit_bus[] = {
    {"bus/everybody_publishes", everybody_publishes},
    {"bus/the_register", the_register},
    {"bus/a_full_register_is_the_deads_to_give", a_full_register_is_the_deads_to_give},
    {"bus/damaged", damaged},
    {NULL, NULL},
};
