/* Every struct that lives in shared memory, and nothing else.
 *
 *   data segment
 *   +--------------+ 0
 *   | sc_header    |  identity, sizes, keyspace map, heap lock and lists
 *   +--------------+ slots_offset
 *   | sc_slot[]    |  one a writing process: identity, undo logs, magazines, counters
 *   +--------------+ stripes_offset
 *   | sc_stripe[]  |  one a slice of the hash space: sequence, table directory | mutex, owner
 *   +--------------+ pages_offset
 *   | sc_page[]    |  one a heap page: size class, free list
 *   +--------------+ heap_offset (page aligned)
 *   | heap pages   |  entries, value chunks, sub-table segments, log overflow
 *   +--------------+ data_bytes
 *
 *   access segment (readers may write here; nothing in it is trusted)
 *   +--------------+ 0
 *   | sc_access    |  magic, per-process statistics slots
 *   +--------------+ marks_offset
 *   | uint16_t[]   |  one mark for each 64 bytes of heap
 *   +--------------+
 *
 *   feed segment: a ring of what was changed; writers may write here
 *   bus segment: a ring of published messages, and a register of who listens; everybody may write
 *   here, and nothing in it is trusted
 *
 * Rules. Offsets are bytes from the start of the data segment and 0 means "none": no pointer is
 * ever stored. A word that a crash could tear apart from its neighbours is 8 bytes and aligned, and
 * is changed through the undo log (txn.h) or the heap log (heap.h). Any change of a struct here
 * raises SC_LAYOUT_VERSION; the static_asserts below keep the two together.
 */
#ifndef SC_LAYOUT_H
#define SC_LAYOUT_H

#include <assert.h>
#include <pthread.h>
#include <stdint.h>

/* Every stripe was drained: from here on, and not before, an odd one is the exclusive owner's. */
#define SC_IN_FORCE (UINT64_C(1) << 63)

#define SC_MAGIC UINT64_C(0x31454843414d4853) /* "SHMACHE1", little-endian */
#define SC_ACCESS_MAGIC UINT64_C(0x314b52414d4d4853)
#define SC_LAYOUT_VERSION 3u

#define SC_CACHE_LINE 64
#define SC_DATABASES 16 /* what SELECT accepts */
/* One more, in which the daemon keeps what it must not lose: not flushed, swapped or evicted, and
 * not among the keys that are counted. */
#define SC_HIDDEN_DB 16
#define SC_LOGICAL_DBS 17

/* Physical databases. FLUSHDB gives a logical database a fresh physical number in one word-sized
 * store; the entries under the old number are dead from that instant and are swept later. */
#define SC_PHYSICAL_DBS 32
#define SC_MAP_ROOM 32 /* of the map from logical to physical: any number can be masked */

/* ---- index ------------------------------------------------------------------------------------
 *
 * A slot word of a sub-table:
 *
 *    63 | 62 ........ 36 | 35 ................. 0
 *    ttl|  tag, 27 bits  |  entry offset / 8, 36 bits      (0 = empty slot)
 *
 * The tag is the top 27 bits of the key's hash; the stripe is its low bits. The home bucket of a
 * key is (tag * buckets) >> 27, which is monotone in the tag: growing a table never reorders it,
 * and a scan cursor is simply a tag. A key lies in its home bucket or in the one after it. */
#define SC_TAG_BITS 27
#define SC_OFFSET_BITS 36
#define SC_BUCKET_SLOTS 8
#define SC_BUCKET_BYTES 64
#define SC_TABLE_SEGMENTS 6 /* a segment is at most one page */

/* ---- heap -------------------------------------------------------------------------------------*/
#define SC_PAGE_SHIFT_SMALL                                                                        \
    12 /* arenas under SC_SMALL_ARENA: tiny ones still need enough pages                           \
        */
#define SC_PAGE_SHIFT 14
#define SC_SMALL_ARENA (UINT64_C(16) << 20)
#define SC_MIN_ARENA (UINT64_C(512) << 10)
#define SC_MAX_ARENA (UINT64_C(8) << (SC_OFFSET_BITS))
#define SC_MAX_CLASSES 128
#define SC_GRANULE_SHIFT 6 /* one access mark for 64 bytes */

#define SC_MAIN_LOG_ENTRIES 128
#define SC_INNER_LOG_ENTRIES 96
#define SC_HEAP_LOG_ENTRIES 256

/* ---- undo log: see txn.h ----------------------------------------------------------------------*/
typedef struct sc_log_entry {
    uint64_t where; /* offset of the word | kind in the low three bits */
    uint64_t word;  /* the word's old value, or the block */
} sc_log_entry;
static_assert(sizeof(sc_log_entry) == 16, "layout");

typedef struct sc_log {
    uint32_t count;    /* entries in force; written by the owner, or by who recovers it */
    uint32_t state;    /* enum sc_log_state */
    uint64_t moving;   /* block in transit between a magazine and a chain, 0 = none */
    uint64_t overflow; /* chain of page-sized blocks with the entries past the inline ones */
    uint64_t capacity; /* inline entries */
    uint64_t feed;     /* the record that goes with this commit: its position + 1, 0 = none */
    uint64_t reserved[3];
} sc_log;
static_assert(sizeof(sc_log) == 64, "layout");

enum sc_log_state { SC_LOG_IDLE = 0, SC_LOG_ACTIVE = 1, SC_LOG_COMMITTED = 2 };

/* A writer slot. Everything but `recovery` is written by the owning process alone while it lives
 * (one thread at a time: the slot is checked out for the length of an operation), and by the holder
 * of `recovery` once it is dead. */
typedef struct sc_magazine {
    uint64_t head;  /* stack of free blocks, linked through their first word */
    uint64_t count; /* a hint: recovery recounts it */
} sc_magazine;

/* A slot's share of the counts; the sum over all slots, and over both logs, is the count. Each log
 * has its own: a word that both recorded could not be rolled back in one without undoing the other.
 */
typedef struct sc_counters {
    int64_t keys[SC_PHYSICAL_DBS];
    int64_t expires[SC_PHYSICAL_DBS]; /* keys with a TTL */
    int64_t evicted, expired, reserved[6];
} sc_counters;

typedef struct sc_slot {
    pthread_mutex_t recovery; /* robust; held to claim, to recover and to release the slot */
    uint64_t generation;      /* +1 at each claim and each recovery; part of the owner word */
    uint64_t pid;             /* 0 = free */
    uint64_t start_time;      /* clock ticks after boot, tells a reused pid apart */
    uint64_t nonce;           /* tells process images apart across exec */
    uint64_t evacuating;      /* page index + 1 that the owner is emptying */
    uint64_t pid_namespace;   /* in which the pid is one */
    uint64_t reserved[5];

    sc_counters main_counters, inner_counters; /* see sc_counters */

    sc_magazine magazine[SC_MAX_CLASSES];

    sc_log main_log;
    sc_log_entry main_entries[SC_MAIN_LOG_ENTRIES];
    sc_log inner_log; /* evictions and relocations made in the middle of the main transaction */
    sc_log_entry inner_entries[SC_INNER_LOG_ENTRIES];
} sc_slot;
static_assert(sizeof(pthread_mutex_t) == 40, "layout: glibc x86-64/aarch64(48) changes it");
static_assert(sizeof(sc_slot) % SC_CACHE_LINE == 0, "layout: slots must not share a line");

/* A stripe. Line 0 is what readers load; written with the mutex held and the sequence odd.
 * Line 1 is the writers'. */
typedef struct sc_stripe {
    uint64_t sequence; /* odd while a writer changes what readers can see */
    uint32_t buckets;  /* home buckets; one more lies behind them as overflow; 0 = no table */
    uint32_t keys;     /* occupied slots, dead entries included */
    uint64_t segment[SC_TABLE_SEGMENTS];

    pthread_mutex_t mutex;      /* robust, process-shared */
    uint64_t owner;             /* generation << 16 | slot index + 1 of the holder; 0 = none */
    uint64_t next_expiry;       /* no entry expires before this (ms); a hint, may be too early */
    uint64_t next_field_expiry; /* the same for fields of hashes; 0 = none has an expiry */
} sc_stripe;
static_assert(sizeof(sc_stripe) == 2 * SC_CACHE_LINE, "layout");

/* A heap page's descriptor, all under the heap lock. */
typedef struct sc_page {
    uint16_t size_class; /* + 1; 0 = page is free */
    uint16_t flags;      /* SC_PAGE_* */
    uint16_t free_count; /* blocks on the free list and never handed out */
    uint16_t fresh;      /* blocks from this index on were never handed out */
    uint64_t free_head;  /* stack of free blocks, linked through their first word */
    uint32_t next, prev; /* page index + 1 in the class's list of partly free pages / free pages */
    uint64_t reserved;
} sc_page;
static_assert(sizeof(sc_page) == 32, "layout");
enum { SC_PAGE_LISTED = 1, SC_PAGE_EVACUATING = 2 };

typedef struct sc_heap {
    pthread_mutex_t lock;
    uint64_t owner;      /* as in a stripe; for people only */
    uint64_t log_count;  /* heap log entries in force */
    uint64_t free_pages; /* head, page index + 1 */
    uint64_t free_page_count;
    uint64_t used_bytes; /* in blocks outside the pages' free lists */
    uint64_t turnover;   /* bytes handed out since the start: drives the access clock */
    uint64_t never_used; /* pages from this index on were never handed out */
    uint64_t dead_trees; /* list of trees to be taken apart, see dead.h; a root word */
    uint64_t reserved[3];
    uint64_t partial[SC_MAX_CLASSES];    /* head of each class's list, page index + 1 */
    uint64_t class_free[SC_MAX_CLASSES]; /* free blocks in pages of this class */
    sc_log_entry log[SC_HEAP_LOG_ENTRIES];
} sc_heap;

/* A heartbeat of one of the daemon's processes; plain stores by that process. */
typedef struct sc_heartbeat {
    uint64_t pid;
    uint64_t beat_ms; /* CLOCK_REALTIME */
} sc_heartbeat;
enum { SC_BEAT_SUPERVISOR, SC_BEAT_FRONTEND, SC_BEAT_MAINTENANCE, SC_BEAT_PERSISTER, SC_BEATS };

/* Who wants to read the feed. Changed in whole-arena transactions only. */
typedef struct sc_wish {
    uint64_t pid;                              /* 0 = free */
    uint64_t start_time, nonce, pid_namespace; /* as a slot's */
    uint64_t wants;                            /* SC_FEED_* */
} sc_wish;
#define SC_FEED_WISHES 8

enum { /* sc_header.packed_limits, by Redis's options */
       SC_HASH_ENTRIES,
       SC_HASH_VALUE,
       SC_SET_INTS,
       SC_SET_ENTRIES,
       SC_SET_VALUE,
       SC_ZSET_ENTRIES,
       SC_ZSET_VALUE,
       SC_LIST_SIZE, /* as int32_t */
       SC_HLL_BYTES, /* for the commands: until when a HyperLogLog is sparse */
       SC_PACKED_LIMITS
};

typedef struct sc_header {
    /* identity: written once at creation, magic last */
    uint64_t magic;
    uint32_t layout_version;
    uint32_t header_bytes;
    uint64_t abi; /* sizes that a foreign C library could change */
    uint64_t generation;
    uint64_t data_bytes, access_bytes;
    uint64_t hash_seed;
    uint64_t created_ms;
    uint32_t page_shift, slot_count;
    uint64_t stripe_count, page_count;
    uint64_t slots_offset, stripes_offset, pages_offset, heap_offset;
    char name[64];
    char socket_path[112]; /* set by the supervisor, NUL-terminated */
    uint8_t pad0[64];

    /* hot for readers, rarely written: one line */
    /* logical -> physical; changed by whole-arena transactions only, while every stripe is odd:
     * stable under a stripe lock, and for a reader as long as its stripe's sequence is */
    uint8_t database[SC_MAP_ROOM] __attribute__((aligned(SC_CACHE_LINE)));
    uint64_t access_clock; /* low 16 bits go into the marks */
    uint64_t exclusive;    /* owner word of a whole-arena transaction (SC_IN_FORCE), else 0 */
    uint64_t retired_dbs;  /* bit set: physical database is being swept */
    uint32_t policy;       /* enum sc_policy */
    uint32_t feed_wanted;  /* enum sc_feed_want bits: what anybody wants; 0 = no records */

    /* configuration the daemon may change while everybody runs */
    uint64_t maxmemory; /* bytes of blocks; 0 = the whole heap */
    uint64_t reserve_pages;
    uint32_t lfu_log_factor, lfu_decay_minutes;
    uint32_t eviction_samples, pad2;
    sc_heartbeat heartbeat[SC_BEATS];

    uint32_t packed_limits[SC_PACKED_LIMITS]; /* until when containers are packed */

    sc_wish feed_wishes[SC_FEED_WISHES]; /* of the feed's readers; see feed.h */

    pthread_mutex_t exclusive_lock; /* robust; whole-arena transactions, one at a time */
    uint64_t reserved[3];

    sc_heap heap;
} sc_header;

/* ---- access segment ---------------------------------------------------------------------------*/
#define SC_STATS_SLOTS 256
#define SC_CLOCK_RING 1024 /* wall time of each 64th tick of the access clock */

/* One a process; written by it alone with plain relaxed adds. Its line is its own. */
typedef struct sc_stats {
    uint64_t pid; /* 0 = free */
    uint64_t hits, misses, retries, reserved[4];
} sc_stats;
static_assert(sizeof(sc_stats) == SC_CACHE_LINE, "layout");

typedef struct sc_access {
    uint64_t magic;
    uint64_t generation; /* equals the data segment's */
    uint64_t marks_offset, marks_count;
    uint64_t reserved[4];
    sc_stats retired; /* totals of processes that are gone */
    uint32_t clock_time[SC_CLOCK_RING];
    sc_stats stats[SC_STATS_SLOTS];
} sc_access;

/* ---- rings: see ring.h ------------------------------------------------------------------------
 *
 *   +---------------+ 0
 *   | sc_ring_head  |  identity | tail | asleep, wakes, losses, settled
 *   +---------------+
 *   | sc_ring_mark[]|  one a producer
 *   +---------------+
 *   | sc_ring_cell[]|  a power of two of them
 *   +---------------+
 *
 *   record: | stamp:64 | length:32 payload 52 bytes | stamp:64 | payload 56 bytes | ...
 *
 * A stamp is position << 3 | enum sc_ring_kind. A cell that was never written has stamp 0; the
 * first position is the number of cells, so 0 is no cell's. */
typedef struct sc_ring_cell {
    uint64_t stamp;
    uint8_t bytes[56];
} sc_ring_cell;
static_assert(sizeof(sc_ring_cell) == SC_CACHE_LINE, "layout");
enum sc_ring_kind {
    SC_RING_PENDING = 1, /* first cell: in the making, or waiting for its transaction */
    SC_RING_PUBLISHED,   /* first cell: to be read */
    SC_RING_VOIDED,      /* first cell: not to be read */
    SC_RING_MORE,        /* a further cell */
    SC_RING_KIND = 7,
};
#define SC_RING_STAMP_SHIFT 3
#define SC_RING_LENGTH_BYTES 4 /* before the payload, in the first cell */

/* A producer's mark, written by it alone while it lives. Busy between `from` != 0 and `from` = 0:
 * its record lies at `from` or later while `end` is 0, and fills [from, end) else. */
typedef struct sc_ring_mark {
    uint64_t pid; /* 0 = free */
    uint64_t start_time, pid_namespace, nonce;
    uint64_t from, end;
    uint64_t reserved[2];
} sc_ring_mark;
static_assert(sizeof(sc_ring_mark) == SC_CACHE_LINE, "layout");

typedef struct sc_ring_head {
    uint64_t magic;
    uint64_t generation; /* equals the data segment's */
    uint64_t cells, marks;
    uint64_t reserved0[4];
    uint64_t tail; /* position of the next record; its own line, since every producer adds to it */
    uint64_t reserved1[7];
    uint32_t asleep; /* somebody may be sleeping on `wakes` */
    uint32_t wakes;
    uint64_t losses;  /* records that were lost before they could be published */
    uint64_t settled; /* nobody is writing below this position */
    uint64_t reserved2[5];
} sc_ring_head;
static_assert(sizeof(sc_ring_head) == 3 * SC_CACHE_LINE, "layout");
#define SC_RING_MAGIC UINT64_C(0x31474e49524d4853)

/* Behind the bus's ring: who listens to what, for counting (bus.h). */
typedef struct sc_bus_head {
    uint32_t high;     /* entries from here on were never used */
    uint32_t unlisted; /* the register was full once: somebody may listen who is not in it */
    uint64_t reserved[7];
} sc_bus_head;
static_assert(sizeof(sc_bus_head) == SC_CACHE_LINE, "layout");

typedef struct sc_listener {
    uint64_t pid; /* 0 = free */
    uint64_t start_time, pid_namespace, nonce;
    uint64_t owner; /* tells attachments of one process apart */
    uint64_t hash;  /* of the name */
    uint32_t kind, length;
    uint32_t count; /* subscriptions; 0 = not, or not yet */
    char text[68];  /* the name, or its beginning */
} sc_listener;
static_assert(sizeof(sc_listener) == 2 * SC_CACHE_LINE, "layout");

/* ---- entries and chunks -----------------------------------------------------------------------
 *
 *   entry: | value_bytes:32 | key_bytes:16 | encoding:8 | database:5 flags:3 |
 *          | expire_ms:64 |                     if SC_ENTRY_TTL
 *          | first chunk:64 |                   if SC_ENTRY_CHAIN
 *          | int64 |                            if the encoding is SC_ENC_INT
 *          | sc_tree and what its type adds |   if the encoding is SC_ENC_TREE | type
 *          | key ... | value ... |              the value's first part, all of it without a chain
 *          | key ... | pad to 8 | leaf |        if the encoding is SC_ENC_PACKED | type
 *
 *   chunk: | length:28 next/8:36 | owner's hash:64 | value part ... |
 *
 * The key is contiguous, so an entry's key is at most a page less SC_KEY_SLACK. The chunks of a
 * chain grow: the odd remainder lies in the entry itself, then the small chunks, then whole pages.
 */
typedef struct sc_entry {
    uint32_t value_bytes;
    uint16_t key_bytes;
    uint8_t encoding; /* enum sc_encoding */
    uint8_t flags;    /* physical database in the low five bits, SC_ENTRY_* above */
} sc_entry;
static_assert(sizeof(sc_entry) == 8, "layout");
enum { SC_ENTRY_DB = 0x1f, SC_ENTRY_TTL = 0x20, SC_ENTRY_CHAIN = 0x40 };
/* The byte that tells a block's kind is at the same place in an entry, a leaf and a node. */
enum sc_encoding {
    SC_ENC_RAW = 1,
    SC_ENC_INT = 2,
    SC_ENC_APPENDED = 3,  /* raw bytes that APPEND or SETRANGE made: OBJECT ENCODING says "raw" */
    SC_ENC_PACKED = 0x10, /* | enum sc_type: a container in one leaf, inside the entry */
    SC_ENC_TREE = 0x20,   /* | enum sc_type: a container in trees of leaves */
    SC_ENC_TYPE = 0x0f,
    SC_KIND_LEAF = 0x40,
    SC_KIND_NODE = 0x41,
};
/* A container's value_bytes: enum sc_shape (what Redis would call its encoding) above, and the
 * bytes of a packed one's leaf below. */
#define SC_SHAPE_SHIFT 24
#define SC_KEY_SLACK 64

typedef struct sc_chunk {
    uint64_t link; /* length << 36 | next >> 3 */
    uint64_t owner_hash;
} sc_chunk;
static_assert(sizeof(sc_chunk) == 16, "layout");

/* ---- containers -------------------------------------------------------------------------------
 *
 * Items lie in leaves, leaves hang in a tree that counts them. A leaf is a slotted page:
 *
 *   | sc_leaf_head:64 | owner's hash:64 | slot 0, slot 1, ... -> free <- ... item 1, item 0 |
 *                       (not if packed)                      low^                      limit^
 *
 * A slot is a 16-bit word, the item's place in the low eleven bits and SC_ITEM_* above; in a hashed
 * leaf 32 bits, the upper half taken from the item's hash. What an item is depends on the leaf:
 *
 *   sequence   the element's bytes. Elements lie in the order of their slots, so that a length is
 *              the distance to the place before. Reversed: the last element is in slot 0.
 *   hashed     | key length | value length, if values vary | key | value | expire_ms:64, if TTL |
 *              in the order of arrival; found by the hash in the slots
 *   ordered    the same, sorted by the key's bytes
 *
 * Lengths are base-128, low group first. A number in shortest decimal form may be kept as its 1 to
 * 8 low bytes (KEY_INT, VALUE_INT); a long key or value lies in a chain of its own, whose first
 * chunk's offset stands in its place, eight bytes (KEY_CHAIN, VALUE_CHAIN).
 *
 *   node: | sc_node_head:64 | owner's hash:64 | child[capacity] | key words[capacity] |
 *
 * A child is offset / 8 in the low 36 bits and the number of items below it above. Key words, of
 * the child's least item or less: none in a sequence, the hash in a hashed tree, the key's first
 * sixteen bytes (big-endian words, so that they compare as bytes do) in an ordered one. */
typedef struct sc_leaf_head {
    uint64_t first : 12; /* slots before this one are of elements taken from the front */
    uint64_t count : 12;
    uint64_t low : 12;   /* start of the lowest item */
    uint64_t limit : 12; /* end of the highest: bytes of the leaf in use */
    uint64_t kind : 8;   /* SC_KIND_LEAF */
    uint64_t mode : 2;   /* enum sc_leaf_mode */
    uint64_t values : 2; /* enum sc_leaf_values */
    uint64_t packed : 1; /* inside an entry: no owner's hash */
    uint64_t reversed : 1;
    uint64_t chained : 1; /* some item has, or had, a chain */
    uint64_t spare : 1;
} sc_leaf_head;
static_assert(sizeof(sc_leaf_head) == 8, "layout");
enum sc_leaf_mode { SC_SEQUENCE, SC_HASHED, SC_ORDERED };
enum sc_leaf_values { SC_NO_VALUES, SC_ANY_VALUES, SC_SCORES /* eight bytes each */ };
enum {
    SC_ITEM_AT = 0x07ff,
    SC_KEY_INT = 0x0800,
    SC_VALUE_INT = 0x1000,
    SC_KEY_CHAIN = 0x2000,
    SC_VALUE_CHAIN = 0x4000,
    SC_ITEM_TTL = 0x8000
};
#define SC_LEAF_MOST 2040 /* places have eleven bits */

typedef struct sc_node_head {
    uint64_t count : 16;
    uint64_t capacity : 16;
    uint64_t level : 8; /* 1: children are leaves */
    uint64_t key_words : 8;
    uint64_t kind : 8; /* SC_KIND_NODE */
    uint64_t spare : 8;
} sc_node_head;
static_assert(sizeof(sc_node_head) == 8, "layout");
#define SC_CHILD_COUNT_SHIFT SC_OFFSET_BITS
#define SC_TREE_HEIGHT 10

/* A tree as its entry holds it; the entry is under its key's stripe, and so is all that hangs on
 * it. */
typedef struct sc_tree {
    uint64_t
        root; /* offset / 8 of a node or leaf, levels of nodes above the leaves << 36; 0 = empty */
    uint64_t count;
} sc_tree;
static_assert(sizeof(sc_tree) == 16, "layout");

#endif
