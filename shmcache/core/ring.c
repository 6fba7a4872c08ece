/* A lossy ring of records for many producers and consumers. See ring.h. */
#include "ring.h"

/* Passing cells one by one that nobody stamped costs a look at all marks each: do no more in a call
 * than takes a millisecond. */
#define HOLES_A_CALL 512
#define APPEND_TRIES 4

static uint64_t marks_for(uint64_t cells) {
    uint64_t marks = cells / 64;
    return marks < 16 ? 16 : marks > 1024 ? 1024 : marks;
}

uint64_t sc_ring_bytes(uint64_t cells) {
    return sizeof(sc_ring_head) + marks_for(cells) * sizeof(sc_ring_mark) +
           cells * sizeof(sc_ring_cell);
}

void sc_ring_format(void *base, uint64_t cells, uint64_t generation) {
    sc_ring_head *head = base;
    head->generation = generation;
    head->cells = cells;
    head->marks = marks_for(cells);
    head->tail = head->settled = cells;
    __atomic_store_n(&head->magic, SC_RING_MAGIC, __ATOMIC_RELEASE);
}

int sc_ring_attach(sc_ring *ring, void *base, uint64_t cells, uint64_t generation, uint32_t flags) {
    sc_ring_head *head = base;
    uint64_t marks = marks_for(cells);
    if (sc_load64_acquire(&head->magic) != SC_RING_MAGIC || head->generation != generation ||
        head->cells != cells || head->marks != marks)
        return SC_LAYOUT;
    *ring = (sc_ring){.head = head, .mask = cells - 1, .flags = flags};
    ring->mark_count = (uint32_t)marks;
    ring->marks = (sc_ring_mark *)(void *)(head + 1);
    ring->cells = (sc_ring_cell *)(void *)(ring->marks + marks);
    return SC_OK;
}

/* A record fills at most a quarter of the ring, so that two cannot meet around it. */
uint32_t sc_ring_most(const sc_ring *ring) {
    uint64_t most = (ring->mask + 1) / 4 * sizeof(ring->cells->bytes) - SC_RING_LENGTH_BYTES;
    return most < UINT32_MAX ? (uint32_t)most : UINT32_MAX;
}

static inline uint64_t cells_for(uint64_t payload_bytes) {
    const uint64_t cell = sizeof((sc_ring_cell){0}.bytes);
    return (payload_bytes + SC_RING_LENGTH_BYTES + cell - 1) / cell;
}

static inline sc_ring_cell *cell_at(const sc_ring *ring, uint64_t position) {
    return &ring->cells[position & ring->mask];
}

static inline uint64_t stamp_of(uint64_t position, enum sc_ring_kind kind) {
    return position << SC_RING_STAMP_SHIFT | kind;
}

static inline bool before(uint64_t one, uint64_t other) {
    return (int64_t)(one - other) < 0;
}

/* Was the cell given to this position or a later one? What lies beyond the tail is damage. */
static bool is_taken(const sc_ring *ring, uint64_t stamp, uint64_t position) {
    uint64_t at = stamp & ~(uint64_t)SC_RING_KIND;
    if (before(at, stamp_of(position, 0))) return false;
    return before(at, stamp_of(sc_load64_acquire(&ring->head->tail), 0));
}

static inline bool exchange(uint64_t *word, uint64_t from, uint64_t to) {
    SC_KILL_POINT();
    return __atomic_compare_exchange_n(word, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static void count_loss(const sc_ring *ring) {
    SC_KILL_POINT();
    __atomic_fetch_add(&ring->head->losses, 1, __ATOMIC_ACQ_REL);
}

/* ---- marks ------------------------------------------------------------------------------------*/

static bool mark_is_dead(const sc_ring_mark *mark, uint64_t pid, uint64_t started) {
    return sc_sys_is_dead(pid, started, sc_load64(&mark->pid_namespace), sc_load64(&mark->nonce));
}

/* Get a mark that is free or a dead producer's. Of two that try, the one whose exchange of the pid
 * succeeds has it. The start time goes first, since it would not fit the new pid. */
static bool mark_take(const sc_ring *ring, sc_ring_mark *mark) {
    uint64_t pid = sc_load64_acquire(&mark->pid), started = sc_load64(&mark->start_time);
    if (pid) {
        if (!mark_is_dead(mark, pid, started)) return false;
        if (!exchange(&mark->start_time, started, 0)) return false;
    }
    if (!exchange(&mark->pid, pid, sc_sys_pid())) return false;
    uint64_t from = sc_load64(&mark->from);
    if (from && sc_load64(&mark->end)) sc_ring_void(ring, from);
    sc_put64_release(&mark->from, 0);
    sc_put64(&mark->end, 0);
    sc_put64(&mark->pid_namespace, sc_sys_pid_namespace());
    sc_put64(&mark->nonce, sc_sys_nonce());
    sc_put64_release(&mark->start_time, sc_sys_start_time(sc_sys_pid()));
    return true;
}

static void mark_free(sc_ring_mark *mark) {
    sc_put64_release(&mark->from, 0);
    sc_put64(&mark->end, 0);
    sc_put64(&mark->start_time, 0);
    sc_put64_release(&mark->pid, 0);
}

int sc_ring_join(const sc_ring *ring, sc_ring_producer *out) {
    if (!(ring->flags & SC_RING_WRITABLE)) return SC_READ_ONLY;
    uint64_t start = sc_sys_pid();
    for (int dead_too = 0; dead_too < 2; dead_too++) {
        for (uint64_t i = 0; i < ring->mark_count; i++) {
            sc_ring_mark *mark = &ring->marks[(start + i) % ring->mark_count];
            if (sc_load64(&mark->pid) && !dead_too) continue;
            if (!mark_take(ring, mark)) continue;
            *out = (sc_ring_producer){.mark = mark};
            return SC_OK;
        }
    }
    return SC_NO_SLOT;
}

void sc_ring_leave(const sc_ring *ring, sc_ring_producer *producer) {
    (void)ring;
    if (producer->mark) mark_free(producer->mark);
    producer->mark = NULL;
}

/* Do the cells of [from, end) and those of an earlier [old_from, old_end) meet? */
static bool meet(const sc_ring *ring, uint64_t from, uint64_t end, uint64_t old_from,
                 uint64_t old_end) {
    if (old_end - old_from > ring->mask) return false; /* damage */
    return ((from - old_from) & ring->mask) < old_end - old_from ||
           ((old_from - from) & ring->mask) < end - from;
}

/* Is nobody of an earlier lap still writing in the cells of [from, end)? Looks at every mark, and
 * notes how far everything is written. */
static bool is_settled(const sc_ring *ring, uint64_t from, uint64_t end) {
    uint64_t lowest = sc_load64_acquire(&ring->head->tail);
    bool settled = true;
    for (uint32_t i = 0; i < ring->mark_count; i++) {
        sc_ring_mark *mark = &ring->marks[i];
        uint64_t other = sc_load64_acquire(&mark->from), other_end = sc_load64(&mark->end);
        if (!other) continue;
        if (before(other, from) && from - other > ring->mask / 2 && mark_take(ring, mark)) {
            mark_free(mark); /* a dead producer's: it would keep `settled` low for ever */
            continue;
        }
        if (before(other, lowest)) lowest = other;
        if (before(other, from) && other_end && meet(ring, from, end, other, other_end))
            settled = false;
    }
    sc_put64(&ring->head->settled, lowest);
    return settled;
}

/* ---- producers --------------------------------------------------------------------------------*/

static bool stamp_cells(const sc_ring *ring, uint64_t position, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) {
        sc_ring_cell *cell = cell_at(ring, position + i);
        uint64_t mine = stamp_of(position + i, i ? SC_RING_MORE : SC_RING_PENDING), old;
        do {
            old = sc_load64(&cell->stamp);
            if (is_taken(ring, old, position + i)) return false;
        } while (!exchange(&cell->stamp, old, mine));
    }
    return true;
}

int sc_ring_reserve(const sc_ring *ring, sc_ring_producer *producer, uint32_t bytes,
                    uint64_t *position) {
    if (bytes > sc_ring_most(ring)) return SC_VALUE_TOO_LONG;
    sc_ring_head *head = ring->head;
    sc_ring_mark *mark = producer->mark;
    uint64_t count = cells_for(bytes), from, end;
    sc_put64_release(&mark->from, sc_load64(&head->tail));
    SC_KILL_POINT();
    from = __atomic_fetch_add(&head->tail, count, __ATOMIC_ACQ_REL);
    end = from + count;
    sc_put64(&mark->end, end);
    sc_put64_release(&mark->from, from);
    producer->lost = !stamp_cells(ring, from, count);
    atomic_thread_fence(memory_order_release);
    uint64_t unsettled = from - sc_load64(&head->settled);
    if (!producer->lost && unsettled > ring->mask + 1 - count)
        producer->lost = !is_settled(ring, from, end);
    if (producer->lost) {
        sc_ring_void(ring, from);
    } else {
        sc_put32((uint32_t *)(void *)cell_at(ring, from)->bytes, bytes);
    }
    *position = from;
    return SC_OK;
}

void sc_ring_fill(const sc_ring *ring, const sc_ring_producer *producer, uint64_t position,
                  uint32_t offset, const void *bytes, uint32_t length) {
    const uint64_t cell_bytes = sizeof(ring->cells->bytes);
    const uint8_t *from = bytes;
    uint64_t at = (uint64_t)offset + SC_RING_LENGTH_BYTES;
    if (producer->lost) return;
    while (length) {
        uint64_t inside = at % cell_bytes, room = cell_bytes - inside;
        uint64_t part = length < room ? length : room;
        SC_KILL_POINT();
        sc_copy(cell_at(ring, position + at / cell_bytes)->bytes + inside, from, part);
        from += part;
        at += part;
        length -= (uint32_t)part;
    }
}

void sc_ring_settle(const sc_ring *ring, sc_ring_producer *producer) {
    (void)ring;
    sc_put64_release(&producer->mark->from, 0);
    sc_put64(&producer->mark->end, 0);
}

void sc_ring_publish(const sc_ring *ring, uint64_t position) {
    uint64_t *stamp = &cell_at(ring, position)->stamp;
    uint64_t published = stamp_of(position, SC_RING_PUBLISHED);
    if (exchange(stamp, stamp_of(position, SC_RING_PENDING), published)) return;
    if (sc_load64(stamp) != published) count_loss(ring);
}

void sc_ring_void(const sc_ring *ring, uint64_t position) {
    exchange(&cell_at(ring, position)->stamp, stamp_of(position, SC_RING_PENDING),
             stamp_of(position, SC_RING_VOIDED));
}

void sc_ring_rouse(const sc_ring *ring) {
    sc_ring_head *head = ring->head;
    sc_put32(&head->asleep, 0);
    SC_KILL_POINT();
    __atomic_fetch_add(&head->wakes, 1, __ATOMIC_SEQ_CST);
    sc_sys_futex_wake(&head->wakes);
}

void sc_ring_wake(const sc_ring *ring) {
    atomic_thread_fence(memory_order_seq_cst);
    if (sc_load32(&ring->head->asleep)) sc_ring_rouse(ring);
}

int sc_ring_append(const sc_ring *ring, sc_ring_producer *producer, const void *bytes,
                   uint32_t length) {
    uint64_t position = 0;
    for (int tries = 0; tries < APPEND_TRIES; tries++) {
        int status = sc_ring_reserve(ring, producer, length, &position);
        if (status != SC_OK) return status;
        if (!producer->lost) break;
    }
    sc_ring_fill(ring, producer, position, 0, bytes, length);
    sc_ring_publish(ring, position);
    sc_ring_settle(ring, producer);
    sc_ring_wake(ring);
    return producer->lost ? SC_LOST : SC_OK;
}

/* ---- consumers --------------------------------------------------------------------------------*/

void sc_ring_start(const sc_ring *ring, sc_ring_reader *reader) {
    uint64_t tail = sc_load64_acquire(&ring->head->tail);
    *reader = (sc_ring_reader){.position = tail};
    reader->losses = sc_load64_acquire(&ring->head->losses);
    if (!(ring->flags & SC_RING_HELD)) return;
    for (uint64_t position = tail - ring->mask - 1; position != tail; position++) {
        uint64_t stamp = sc_load64(&cell_at(ring, position)->stamp);
        if (stamp != stamp_of(position, SC_RING_PENDING)) continue;
        reader->position = position;
        return;
    }
}

enum verdict { WAIT, PASS };

/* A cell that is unstamped, or whose record is pending, at the reader's place: is somebody living
 * in the middle of writing it? */
static bool is_being_written(const sc_ring *ring, uint64_t position, bool pending,
                             bool ask_for_death) {
    for (uint32_t i = 0; i < ring->mark_count; i++) {
        const sc_ring_mark *mark = &ring->marks[i];
        uint64_t from = sc_load64_acquire(&mark->from), end = sc_load64(&mark->end);
        if (!from || before(position, from) || (end && !before(position, end))) continue;
        if (pending && end && from != position) continue;
        if (!ask_for_death) return true;
        if (!mark_is_dead(mark, sc_load64(&mark->pid), sc_load64(&mark->start_time))) return true;
    }
    return false;
}

/* What to do at a place where `stamp` does not say that there is something to read. Whether a
 * producer lives is asked for (some system calls) only when it kept us waiting. */
static enum verdict judge(const sc_ring *ring, sc_ring_reader *reader, uint64_t stamp) {
    uint64_t position = reader->position, *word = &cell_at(ring, position)->stamp;
    bool pending = stamp == stamp_of(position, SC_RING_PENDING);
    bool writing = is_being_written(ring, position, pending, false), impatient = false;
    if (writing) {
        uint64_t now = sc_sys_monotonic_us();
        if (reader->stuck_at != position) {
            reader->stuck_at = position;
            reader->stuck_since_us = now;
        }
        uint64_t waited = now - reader->stuck_since_us;
        if (waited < SC_RING_HOLE_MS * 1000) return WAIT;
        writing = is_being_written(ring, position, pending, true);
        impatient = waited >= SC_RING_PATIENCE_MS * 1000 && (ring->flags & SC_RING_WRITABLE);
        if (writing && !impatient) return WAIT;
    } else if (pending && ring->flags & SC_RING_HELD) {
        return WAIT; /* for its transaction, or for who recovers that */
    }
    if (sc_load64_acquire(word) != stamp) return WAIT; /* it came meanwhile: look again */
    if (writing) {
        if (!exchange(word, stamp, stamp_of(position, SC_RING_VOIDED))) return WAIT;
        reader->stuck_at = position + 1; /* the next cell is part of the same wait */
    }
    return PASS;
}

/* SC_MISS: the record is not whole (a later lap, or damage). */
static int copy_record(const sc_ring *ring, uint64_t position, uint64_t tail, sc_sink *sink,
                       uint64_t *count) {
    const uint64_t cell_bytes = sizeof(ring->cells->bytes);
    const sc_ring_cell *first = cell_at(ring, position);
    uint32_t length = sc_load32((const uint32_t *)(const void *)first->bytes);
    *count = cells_for(length);
    if (length > sc_ring_most(ring) || *count > tail - position) return SC_MISS;
    char *room = sink->reserve(sink, length);
    if (!room) return SC_NO_MEMORY;
    for (uint64_t at = SC_RING_LENGTH_BYTES, left = length; left;) {
        uint64_t inside = at % cell_bytes;
        uint64_t part = left < cell_bytes - inside ? left : cell_bytes - inside;
        sc_copy(room, cell_at(ring, position + at / cell_bytes)->bytes + inside, part);
        room += part;
        at += part;
        left -= part;
    }
    atomic_thread_fence(memory_order_acquire);
    for (uint64_t i = 0; i < *count; i++) {
        uint64_t want = stamp_of(position + i, i ? SC_RING_MORE : SC_RING_PUBLISHED);
        if (sc_load64(&cell_at(ring, position + i)->stamp) != want) return SC_MISS;
    }
    return SC_OK;
}

/* Look at the reader's cell once: a status to return, or SC_UNCHANGED to look at the next. */
static int look_at_cell(const sc_ring *ring, sc_ring_reader *reader, uint64_t tail, sc_sink *sink,
                        unsigned *holes) {
    uint64_t position = reader->position, count = 1;
    uint64_t stamp = sc_load64_acquire(&cell_at(ring, position)->stamp);
    if (stamp == stamp_of(position, SC_RING_PUBLISHED)) {
        int status = copy_record(ring, position, tail, sink, &count);
        if (status == SC_NO_MEMORY) return status;
        reader->position += status == SC_OK ? count : 1;
        return status == SC_OK ? SC_OK : SC_UNCHANGED;
    }
    bool passable = stamp >> SC_RING_STAMP_SHIFT == (position << 3) >> SC_RING_STAMP_SHIFT &&
                    stamp != stamp_of(position, SC_RING_PENDING);
    if (!passable) {
        ++*holes;
        if (judge(ring, reader, stamp) == WAIT) return SC_MISS;
    }
    reader->position++;
    return SC_UNCHANGED;
}

int sc_ring_read(const sc_ring *ring, sc_ring_reader *reader, sc_sink *sink) {
    uint64_t losses = sc_load64_acquire(&ring->head->losses), start = reader->position;
    unsigned holes = 0;
    if (losses != reader->losses) {
        reader->losses = losses;
        return SC_LOST;
    }
    for (uint64_t i = 0; i <= ring->mask && holes < HOLES_A_CALL; i++) {
        uint64_t tail = sc_load64_acquire(&ring->head->tail), behind = tail - reader->position;
        if (behind == 0) return reader->position == start ? SC_MISS : SC_UNCHANGED;
        if (behind > ring->mask + 1) {
            reader->position = tail - ring->mask - 1;
            return SC_LOST;
        }
        int status = look_at_cell(ring, reader, tail, sink, &holes);
        if (status == SC_MISS && reader->position != start) return SC_UNCHANGED;
        if (status != SC_UNCHANGED) return status;
    }
    return SC_UNCHANGED;
}

/* Might a read find something? */
static bool may_read(const sc_ring *ring, const sc_ring_reader *reader, bool *waits_for_producer) {
    uint64_t behind = sc_load64_acquire(&ring->head->tail) - reader->position;
    if (sc_load64(&ring->head->losses) != reader->losses || behind > ring->mask + 1) return true;
    if (behind == 0) return false;
    uint64_t stamp = sc_load64(&cell_at(ring, reader->position)->stamp);
    *waits_for_producer = true;
    return is_taken(ring, stamp, reader->position) &&
           stamp != stamp_of(reader->position, SC_RING_PENDING);
}

void sc_ring_wait(const sc_ring *ring, const sc_ring_reader *reader, uint32_t timeout_ms) {
    sc_ring_head *head = ring->head;
    uint32_t value = __atomic_load_n(&head->wakes, __ATOMIC_ACQUIRE);
    uint32_t slice = timeout_ms < SC_RING_SLICE_MS ? timeout_ms : SC_RING_SLICE_MS;
    bool waits_for_producer = !(ring->flags & SC_RING_WRITABLE);
    if (ring->flags & SC_RING_WRITABLE) {
        sc_put32(&head->asleep, 1);
        atomic_thread_fence(memory_order_seq_cst);
    }
    if (may_read(ring, reader, &waits_for_producer)) return;
    if (waits_for_producer && slice > SC_RING_HOLE_MS) slice = SC_RING_HOLE_MS;
    sc_sys_futex_wait(&head->wakes, value, slice);
}
