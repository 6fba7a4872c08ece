/* The bus: messages and the register of who listens. See bus.h. */
#include "bus.h"
#include "hash.h"

static uint64_t entries_for(uint64_t cells) {
    return cells / 16;
}

uint64_t sc_bus_size(uint64_t cells) {
    return sc_ring_bytes(cells) + sizeof(sc_bus_head) + entries_for(cells) * sizeof(sc_listener);
}

void sc_bus_format(void *base, uint64_t cells, uint64_t generation) {
    sc_ring_format(base, cells, generation); /* the register is zeroes */
}

int sc_bus_attach(sc_arena *arena, void *base, uint64_t cells) {
    int status = sc_ring_attach(&arena->bus, base, cells, arena->generation, SC_RING_WRITABLE);
    if (status != SC_OK) return status;
    arena->bus_head = (sc_bus_head *)(void *)((uint8_t *)base + sc_ring_bytes(cells));
    arena->listeners = (sc_listener *)(void *)(arena->bus_head + 1);
    arena->listener_count = (uint32_t)entries_for(cells);
    pthread_mutex_init(&arena->bus_lock, NULL);
    return SC_OK;
}

void sc_bus_detach(sc_arena *arena) {
    for (uint32_t i = 0; i < arena->listener_count; i++) {
        const sc_listener *it = &arena->listeners[i];
        if (sc_load64(&it->nonce) == sc_sys_nonce() && sc_load64(&it->owner) == arena->bus_owner)
            sc_bus_count(arena, i, 0);
    }
    sc_ring_leave(&arena->bus, &arena->bus_producer);
}

void sc_bus_forget(sc_arena *arena) {
    arena->bus_producer = (sc_ring_producer){0};
    arena->bus_owner = 0;
    pthread_mutex_init(&arena->bus_lock, NULL);
}

/* ---- messages ---------------------------------------------------------------------------------*/

static int bus_append(sc_arena *arena, const sc_message *head, const char *channel,
                      const char *text, uint32_t bytes) {
    const sc_ring *ring = &arena->bus;
    sc_ring_producer *producer = &arena->bus_producer;
    uint32_t before = (uint32_t)sizeof *head + head->channel_bytes;
    uint64_t position;
    if (!producer->mark) {
        int status = sc_ring_join(ring, producer);
        if (status != SC_OK) return status;
    }
    int status = sc_ring_reserve(ring, producer, before + bytes, &position);
    if (status != SC_OK) return status;
    sc_ring_fill(ring, producer, position, 0, head, sizeof *head);
    sc_ring_fill(ring, producer, position, sizeof *head, channel, head->channel_bytes);
    sc_ring_fill(ring, producer, position, before, text, bytes);
    sc_ring_publish(ring, position);
    sc_ring_settle(ring, producer);
    sc_ring_wake(ring);
    return producer->lost ? SC_LOST : SC_OK;
}

int sc_bus_publish(sc_arena *arena, const sc_message *head, const char *channel, const char *text,
                   uint64_t bytes) {
    uint64_t most = sc_ring_most(&arena->bus) - sizeof *head;
    if (head->channel_bytes > most || bytes > most - head->channel_bytes) return SC_VALUE_TOO_LONG;
    pthread_mutex_lock(&arena->bus_lock);
    int status = bus_append(arena, head, channel, text, (uint32_t)bytes);
    pthread_mutex_unlock(&arena->bus_lock);
    return status;
}

/* ---- the register -----------------------------------------------------------------------------*/

static uint64_t hash_of(uint32_t kind, const char *name, uint32_t length) {
    return sc_hash(name, length, kind);
}

static bool listener_is_dead(const sc_listener *it) {
    return sc_sys_is_dead(sc_load64(&it->pid), sc_load64(&it->start_time),
                          sc_load64(&it->pid_namespace), sc_load64(&it->nonce));
}

/* Asking the system about a process takes ten times as long as publishing, so what it said is kept
 * for a while. Whoever was killed meanwhile is noticed all the same, by its pid being gone. */
static bool lives(sc_arena *arena, const sc_listener *it) {
    uint64_t pid = sc_load64(&it->pid), nonce = sc_load64(&it->nonce), now = sc_sys_coarse_ms();
    sc_known_process *known = &arena->known[nonce % SC_KNOWN_PROCESSES];
    if (nonce == sc_sys_nonce()) return true;
    if (known->pid == pid && known->nonce == nonce && now - known->asked_ms < SC_KNOWN_FOR_MS)
        return known->lives && sc_sys_pid_exists(pid);
    *known = (sc_known_process){.pid = pid, .nonce = nonce, .asked_ms = now};
    known->lives = !listener_is_dead(it);
    return known->lives;
}

/* The count goes in last and out first: an entry with one is whole, as far as counting needs it. */
static bool listener_take(sc_arena *arena, sc_listener *it, uint64_t pid) {
    SC_KILL_POINT();
    if (!__atomic_compare_exchange_n(&it->pid, &pid, sc_sys_pid(), false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
        return false;
    sc_put32(&it->count, 0);
    sc_put64(&it->pid_namespace, sc_sys_pid_namespace());
    sc_put64(&it->start_time, sc_sys_start_time(sc_sys_pid()));
    sc_put64(&it->nonce, sc_sys_nonce());
    if (!arena->bus_owner) arena->bus_owner = sc_sys_random64() | 1;
    sc_put64(&it->owner, arena->bus_owner);
    return true;
}

static bool listener_find(sc_arena *arena, bool of_the_dead, uint32_t *place) {
    for (uint32_t i = 0; i < arena->listener_count; i++) {
        sc_listener *it = &arena->listeners[i];
        uint64_t pid = sc_load64(&it->pid);
        if (pid && !(of_the_dead && listener_is_dead(it))) continue;
        if (!listener_take(arena, it, pid)) continue;
        *place = i;
        return true;
    }
    return false;
}

static void raise_high(sc_arena *arena, uint32_t high) {
    uint32_t *word = &arena->bus_head->high, now = sc_load32(word);
    while (now < high) {
        SC_KILL_POINT();
        if (__atomic_compare_exchange_n(word, &now, high, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED))
            return;
    }
}

int sc_bus_enter(sc_arena *arena, uint32_t kind, const char *name, uint32_t length,
                 uint32_t *place) {
    if (!listener_find(arena, false, place) && !listener_find(arena, true, place)) {
        sc_put32(&arena->bus_head->unlisted, 1);
        return SC_NO_SLOT;
    }
    sc_listener *it = &arena->listeners[*place];
    raise_high(arena, *place + 1);
    sc_put64(&it->hash, hash_of(kind, name, length));
    sc_put32(&it->length, length);
    sc_put32(&it->kind, kind);
    SC_KILL_POINT();
    sc_copy(it->text, name, length < sizeof it->text ? length : sizeof it->text);
    SC_KILL_POINT();
    __atomic_store_n(&it->count, 1, __ATOMIC_RELEASE);
    return SC_OK;
}

void sc_bus_count(sc_arena *arena, uint32_t place, uint32_t count) {
    if (place >= arena->listener_count) return;
    sc_listener *it = &arena->listeners[place];
    if (sc_load64(&it->nonce) != sc_sys_nonce()) return;
    sc_put32(&it->count, count);
    if (count == 0) sc_put64_release(&it->pid, 0);
}

bool sc_bus_entries(sc_arena *arena, uint32_t kind, const char *name, uint32_t length,
                    sc_bus_emit emit, void *context) {
    uint32_t high = sc_load32(&arena->bus_head->high);
    uint64_t wanted = name ? hash_of(kind, name, length) : 0;
    char text[sizeof arena->listeners->text];
    if (high > arena->listener_count) high = arena->listener_count;
    for (uint32_t i = 0; i < high; i++) {
        const sc_listener *it = &arena->listeners[i];
        uint32_t count = __atomic_load_n(&it->count, __ATOMIC_ACQUIRE);
        uint64_t hash = sc_load64(&it->hash);
        if (!count || !sc_load64(&it->pid) || (name && hash != wanted)) continue;
        uint32_t its = sc_load32(&it->length), its_kind = sc_load32(&it->kind);
        if ((kind && its_kind != kind) || !lives(arena, it)) continue;
        uint32_t kept = its < sizeof text ? its : (uint32_t)sizeof text;
        sc_copy(text, it->text, kept);
        if (kept == its && hash_of(its_kind, text, its) != hash) continue; /* being changed */
        bool own = sc_load64(&it->nonce) == sc_sys_nonce();
        if (!emit(context, its_kind, own, count, text, kept, kept == its)) return false;
    }
    return true;
}

bool sc_bus_has_others(sc_arena *arena) {
    uint32_t high = sc_load32(&arena->bus_head->high);
    if (sc_load32(&arena->bus_head->unlisted)) return true;
    if (high > arena->listener_count) high = arena->listener_count;
    for (uint32_t i = 0; i < high; i++) {
        const sc_listener *it = &arena->listeners[i];
        if (!sc_load64(&it->pid) || sc_load64(&it->nonce) == sc_sys_nonce()) continue;
        if (lives(arena, it)) return true;
    }
    return false;
}
