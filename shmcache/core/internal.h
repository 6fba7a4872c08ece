/* What the core's files share: the process-local handle, and the only ways to touch the arena.
 *
 * Ways to touch shared memory
 *   sc_load64 / sc_load32    relaxed atomic loads: whatever another process may be changing
 *   sc_put64 / sc_put32      relaxed stores, in program order as far as a crash can see
 *   sc_txn_store64 (txn.h)   the same, recorded in the undo log first
 *   sc_copy, sc_equal        bytes that a writer may be changing; the sequence check decides later
 *                            whether what they saw was whole
 */
#ifndef SC_INTERNAL_H
#define SC_INTERNAL_H

#include <stdatomic.h>
#include <string.h>

#include "containers.h"
#include "layout.h"
#include "sc.h"
#include "sys.h"

#define SC_HOT static inline __attribute__((always_inline))
#define SC_LIKELY(x) __builtin_expect(!!(x), 1)
#define SC_UNLIKELY(x) __builtin_expect(!!(x), 0)

#if defined(__SANITIZE_THREAD__)
#define SC_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SC_TSAN 1
#endif
#endif

#ifdef SC_KILL_SWITCH
#define SC_KILL_POINT() sc_sys_kill_point()
#else
#define SC_KILL_POINT() ((void)0)
#endif

#define SC_POOL 16
#define SC_STUCK 16
typedef struct sc_candidate { /* a key that eviction has its eye on */
    uint64_t score;           /* the larger, the sooner it goes */
    uint64_t stripe;
    uint64_t word; /* its slot */
} sc_candidate;

/* ---- process-local structs
 * ---------------------------------------------------------------------*/
typedef struct sc_writer sc_writer;

/* The map of databases as a whole-arena transaction has changed it: what its own steps go by, and
 * everybody once it commits. */
typedef struct sc_remap {
    uint8_t database[SC_MAP_ROOM];
    uint64_t retired;
} sc_remap;

/* One attachment's view of a ring (ring.h): sizes of its own, which damage cannot move. */
typedef struct sc_ring {
    sc_ring_head *head;
    sc_ring_mark *marks;
    sc_ring_cell *cells;
    uint64_t mask; /* cells - 1 */
    uint32_t mark_count;
    uint32_t flags; /* SC_RING_* (ring.h) */
} sc_ring;
typedef struct sc_ring_producer {
    sc_ring_mark *mark; /* NULL = not joined */
    bool lost;          /* the record in the making has no room: writing it would harm another */
} sc_ring_producer;
typedef struct sc_ring_reader {
    uint64_t position;                 /* of the next record */
    uint64_t losses;                   /* as many as this reader was told of */
    uint64_t stuck_at, stuck_since_us; /* a place where it had to wait for a producer */
} sc_ring_reader;

/* What it will tell the feed; see notes.h. */
typedef struct sc_notes {
    uint8_t *bytes;      /* `few`, or the heap's */
    uint32_t used, room; /* bytes */
    uint32_t step;       /* where the notes of the step in progress begin */
    uint32_t mark;       /* of the last note */
    uint8_t named_as;    /* enum sc_event that steps go by, 0 = each by its own */
    bool many;           /* there were too many */
    uint64_t few[32];
} sc_notes;

/* One transaction in progress: an undo log of the slot, and the stripes it holds. */
typedef struct sc_txn {
    sc_writer *writer;
    sc_log *log;
    sc_log_entry *entries; /* the inline ones */
    sc_counters *counters; /* the slot's that go with this log */
    uint32_t count;        /* mirrors log->count */
    uint32_t capacity;     /* entries that have room by now, overflow included */
    bool has_frees;
    uint64_t now_ms; /* at which it judges what has expired; 0 = it did not have to yet */
    bool exclusive;  /* every stripe is ours, none is locked */
    uint32_t held_count, held_room;
    uint64_t *held; /* indices of locked (or, when exclusive, opened) stripes */
    uint64_t held_inline[8];
    sc_remap *remap;              /* the writer's; NULL: databases are what they were */
    sc_log_entry *overflow_block; /* entries of the overflow block that was used last */
    uint32_t overflow_base;       /* index of its first entry */
    sc_notes notes;
} sc_txn;

struct sc_writer {
    sc_arena *arena;
    sc_slot *slot;
    uint64_t owner; /* generation << 16 | slot index + 1 */
    bool in_use;    /* checked out; see sc_writer_try */
    bool blocked;   /* block_enter was called and block_leave is owed */
    bool frees;     /* the transaction is to free more than it takes: see sc_spare_pages */
    void *block_state;
    sc_txn main, inner;
    sc_remap remap;             /* in force if main says so */
    sc_candidate pool[SC_POOL]; /* the best victims seen so far, best last */
    uint32_t pool_count;
    uint64_t stuck[SC_STUCK]; /* pages that could not be emptied lately, index + 1 */
    uint32_t stuck_count;
    sc_session session;    /* of the transaction in progress, for reads in it */
    sc_ring_producer feed; /* joined at its first record */
    uint64_t swept_ms;     /* when dead entries were last looked for to make room */
    sc_writer *next;
};

typedef struct sc_classes {
    uint32_t count;
    uint32_t entry_count, first_chunk, chunk_count, first_table, table_count;
    uint32_t bytes[SC_MAX_CLASSES];
    uint16_t per_page[SC_MAX_CLASSES];
    uint16_t magazine[SC_MAX_CLASSES]; /* blocks a writer may keep at hand */
} sc_classes;

/* Where a key was last found, for keys whose caller has a hash of its own at hand, and what the
 * caller made of its value (get.h). */
#define SC_HINTS 8192
#define SC_HINT_WAYS 2          /* a set is a cache line */
#define SC_MADE_MOST (4u << 20) /* bytes of made things that an attachment keeps */
typedef struct sc_hint {
    uint64_t key_hash; /* the caller's */
    uint64_t sequence; /* the stripe's when it was found */
    uint64_t where;    /* index of the stripe << 36 | offset of the entry in the heap / 8 */
    void *made;        /* NULL = nothing is kept */
} sc_hint;
static_assert(sizeof(sc_hint) * SC_HINT_WAYS == SC_CACHE_LINE, "a set is a cache line");

/* What the system said about a process that listens (bus.c). */
#define SC_KNOWN_PROCESSES 64
#define SC_KNOWN_FOR_MS 1000
typedef struct sc_known_process {
    uint64_t pid, nonce, asked_ms;
    bool lives;
} sc_known_process;

/* Sizes and places are copied here at attach, checked once, and never read from the arena again:
 * damage cannot move them. */
struct sc_arena {
    uint8_t *base;
    sc_header *header;
    sc_slot *slots;
    sc_stripe *stripes;
    sc_page *pages;
    sc_access *access;
    uint16_t *marks;
    sc_stats *stats;
    sc_ring feed; /* what was changed: writable if the arena is */
    sc_ring bus;  /* pub/sub: everybody's, trusted by nobody */
    sc_bus_head *bus_head;
    sc_listener *listeners;
    uint32_t listener_count;
    pthread_mutex_t bus_lock; /* process-local: publishing */
    sc_ring_producer bus_producer;
    uint64_t bus_owner; /* this attachment's, in the register; 0 = not chosen yet */
    sc_known_process known[SC_KNOWN_PROCESSES];
    uint64_t data_bytes, access_bytes, feed_bytes, bus_bytes, heap_offset, heap_bytes, page_count,
        stripe_mask, marks_count;
    uint64_t hash_seed, generation;
    uint32_t page_shift, segment_shift, slot_count;
    uint32_t max_key_bytes;
    bool writable;
    bool wishes; /* this process reads the feed, and its own records as they are made */
    uint32_t fork_generation;
    sc_hooks hooks;
    sc_classes classes;
    sc_arena *next_attached; /* this process's attachments, for fork */
    _Atomic(sc_writer *) writers;
    pthread_mutex_t writers_lock; /* process-local: adding to the list */
    _Atomic uint64_t random;
    _Atomic uint64_t sweep_cursor; /* stripe that the next expiry cycle starts at */
    size_t made_bytes;             /* of what is kept in hints */
    sc_hint *hints; /* SC_HINTS of them, in sets of SC_HINT_WAYS, or NULL until the first use */
    struct sc_element_hint *element_hints; /* SC_ELEMENT_HINTS of them (find.h), or NULL */
    bool touching;                         /* reads leave access marks */
};

/* ---- touching shared memory
 * --------------------------------------------------------------------*/
static inline uint64_t sc_load64(const uint64_t *word) {
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}
static inline uint32_t sc_load32(const uint32_t *word) {
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}
static inline uint64_t sc_load64_acquire(const uint64_t *word) {
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* A killed process's stores become visible in program order up to the kill (a processor retires in
 * order), so for recovery only the compiler must be kept from reordering: a signal fence. */
static inline void sc_put64(uint64_t *word, uint64_t value) {
    SC_KILL_POINT();
    atomic_signal_fence(memory_order_seq_cst);
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
    atomic_signal_fence(memory_order_seq_cst);
}
static inline void sc_put32(uint32_t *word, uint32_t value) {
    SC_KILL_POINT();
    atomic_signal_fence(memory_order_seq_cst);
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
    atomic_signal_fence(memory_order_seq_cst);
}
static inline void sc_put64_release(uint64_t *word, uint64_t value) {
    SC_KILL_POINT();
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
    atomic_signal_fence(memory_order_seq_cst);
}

/* Bytes under a seqlock: read while they may change, and judged by the sequence afterwards. Under
 * ThreadSanitizer they go word by word through relaxed atomics, which is what they mean. */
#ifdef SC_TSAN
static inline void sc_copy(void *to, const void *from, size_t length) {
    uint8_t *target = to;
    const uint8_t *source = from;
    for (size_t i = 0; i < length; i++) {
        __atomic_store_n(target + i, __atomic_load_n(source + i, __ATOMIC_RELAXED),
                         __ATOMIC_RELAXED);
    }
}
static inline bool sc_equal(const void *shared, const void *own, size_t length) {
    const uint8_t *left = shared, *right = own;
    for (size_t i = 0; i < length; i++) {
        if (__atomic_load_n(left + i, __ATOMIC_RELAXED) != right[i]) return false;
    }
    return true;
}
#else
static inline void sc_copy(void *to, const void *from, size_t length) {
    memcpy(to, from, length);
}
static inline uint64_t sc_word_at(const uint8_t *from) {
    uint64_t word;
    memcpy(&word, from, sizeof word);
    return word;
}
/* Keys are short: two words, overlapping, beat a call of memcmp. */
SC_HOT bool sc_equal(const void *shared, const void *own, size_t length) {
    const uint8_t *left = shared, *right = own;
    if (SC_UNLIKELY(length < 8)) return memcmp(left, right, length) == 0;
    uint64_t differ = sc_word_at(left + length - 8) ^ sc_word_at(right + length - 8);
    if (SC_LIKELY(length <= 16)) return (differ | (sc_word_at(left) ^ sc_word_at(right))) == 0;
    return differ == 0 && memcmp(left, right, length - 8) == 0;
}
#endif

static inline void *sc_at(const sc_arena *arena, uint64_t offset) {
    return arena->base + offset;
}
static inline uint64_t sc_offset(const sc_arena *arena, const void *place) {
    return (uint64_t)((const uint8_t *)place - arena->base);
}
/* Is [offset, offset + bytes) inside the heap? Everything a reader follows is asked this first. */
static inline bool sc_in_heap(const sc_arena *arena, uint64_t offset, uint64_t bytes) {
    return offset >= arena->heap_offset && bytes <= arena->data_bytes &&
           offset <= arena->data_bytes - bytes && (offset & 7) == 0;
}

/* A small, fast generator for sampling (xorshift64*, Marsaglia 2003, Vigna 2016). */
static inline uint64_t sc_random(sc_arena *arena) {
    uint64_t x = atomic_load_explicit(&arena->random, memory_order_relaxed);
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    atomic_store_explicit(&arena->random, x, memory_order_relaxed);
    return x * UINT64_C(0x2545F4914F6CDD1D);
}

/* Is `expire_ms` in the past? The cheap clock answers unless it is close. */
static inline bool sc_is_past(uint64_t expire_ms) {
    uint64_t coarse = sc_sys_coarse_ms();
    if (expire_ms <= coarse) return true;
    if (expire_ms > coarse + SC_COARSE_LAG_MS) return false;
    return expire_ms <= sc_sys_now_ms();
}

static inline int sc_check_key(const sc_arena *arena, const sc_key *key) {
    return SC_LIKELY(key->length <= arena->max_key_bytes) ? SC_OK : SC_KEY_TOO_LONG;
}

#endif
