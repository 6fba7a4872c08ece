/* Whole databases, and what the arena keeps for the daemon: tuning, socket path, heartbeats. */
#include "expire.h"
#include "heap.h"
#include "ops.h"

/* ---- counting ---------------------------------------------------------------------------------*/

static uint64_t sum_slots(const sc_arena *arena, size_t place) {
    int64_t sum = sc_sum_counters(arena, place);
    return sum > 0 ? (uint64_t)sum : 0;
}

static uint64_t physical_keys(const sc_arena *arena, uint8_t physical) {
    return sum_slots(arena, offsetof(sc_counters, keys) + sizeof(int64_t) * physical);
}

uint64_t sc_db_keys(sc_arena *arena, uint32_t db) {
    return physical_keys(arena, sc_physical_db(arena, db));
}

uint64_t sc_db_expires(sc_arena *arena, uint32_t db) {
    return sum_slots(arena, offsetof(sc_counters, expires) + 8u * sc_physical_db(arena, db));
}

uint64_t sc_tx_db_keys(sc_tx *tx, uint32_t db) {
    const sc_txn *txn = &sc_tx_writer(tx)->main;
    return physical_keys(txn->writer->arena, sc_txn_db(txn, db));
}

/* ---- flushing and swapping --------------------------------------------------------------------
 *
 * A flushed database gets an unused physical number; what lies under the old one is dead once the
 * transaction commits, and is swept later. Its own further steps find the fresh number, and nothing
 * under it. Where numbers have run out, because databases were flushed faster than swept, keys are
 * removed one by one, as DEL would. */

static uint64_t unused_dbs(const sc_txn *txn) {
    uint64_t retired = sc_load64(&txn->writer->arena->header->retired_dbs);
    uint64_t used = txn->remap ? txn->remap->retired : retired;
    for (uint32_t db = 0; db < SC_LOGICAL_DBS; db++)
        used |= UINT64_C(1) << sc_txn_db(txn, db);
    return ~used & ((UINT64_C(1) << SC_PHYSICAL_DBS) - 1);
}

/* With every stripe ours. The log may have their bits set: as they are empty, so what. */
static void take_back_retired(sc_txn *txn) {
    uint64_t *retired = &txn->writer->arena->header->retired_dbs;
    uint64_t empty = sc_empty_retired(txn->writer->arena);
    if (!empty) return;
    sc_put64(retired, *retired & ~empty);
    if (txn->remap) txn->remap->retired &= ~empty;
}

static bool is_flushed(const sc_txn *txn, int32_t db, uint32_t i) {
    return (db < 0 || (uint32_t)db == i) &&
           physical_keys(txn->writer->arena, sc_txn_db(txn, i)) > 0;
}

/* How many databases are to be flushed, and which of them has the fewest keys. */
static uint32_t flushed_count(const sc_txn *txn, int32_t db, uint32_t *least) {
    uint64_t fewest = UINT64_MAX;
    uint32_t count = 0;
    for (uint32_t i = 0; i < SC_DATABASES; i++) {
        if (!is_flushed(txn, db, i)) continue;
        uint64_t keys = physical_keys(txn->writer->arena, sc_txn_db(txn, i));
        count++;
        if (keys >= fewest) continue;
        fewest = keys;
        *least = i;
    }
    return count;
}

static int empty_stripe(sc_txn *txn, uint64_t index, uint8_t physical) {
    sc_arena *arena = txn->writer->arena;
    const sc_stripe *stripe = &arena->stripes[index];
    for (uint32_t b = 0; stripe->buckets && b <= stripe->buckets; b++) {
        uint64_t *slots = sc_bucket(arena, stripe->segment, b);
        for (int i = 0; slots && i < SC_BUCKET_SLOTS; i++) {
            sc_found found = {.slot = &slots[i], .word = slots[i]};
            if (!slots[i]) continue;
            if (!sc_view_load(arena, &found.view, SC_SLOT_OFFSET(slots[i]))) return SC_CORRUPT;
            if ((found.view.head.flags & SC_ENTRY_DB) != physical) continue;
            sc_txn_open(txn, index); /* first: making room for the log must not change it */
            int status = sc_txn_reserve(txn, SC_TABLE_LOG_MOST);
            if (status != SC_OK) return status;
            sc_table_remove(txn, index, &found);
            sc_entry_free(txn, &found.view);
        }
    }
    return SC_OK;
}

static int empty_db(sc_txn *txn, uint32_t db) {
    uint8_t physical = sc_txn_db(txn, db);
    int status = SC_OK;
    sc_op_frees(txn, true);
    for (uint64_t i = 0; i <= txn->writer->arena->stripe_mask && status == SC_OK; i++)
        status = empty_stripe(txn, i, physical);
    sc_op_frees(txn, false);
    return status;
}

static void renumber(sc_txn *txn, int32_t db) {
    uint64_t unused = unused_dbs(txn);
    for (uint32_t i = 0; i < SC_DATABASES; i++) {
        if (!is_flushed(txn, db, i)) continue;
        txn->remap->retired |= UINT64_C(1) << txn->remap->database[i];
        txn->remap->database[i] = (uint8_t)__builtin_ctzll(unused);
        unused &= unused - 1;
    }
}

/* `by_hand`: may keys be removed one by one? Else SC_UNCHANGED when numbers are too few. */
static int flush_step(sc_txn *txn, int32_t db, bool by_hand) {
    uint32_t least = 0;
    if (!txn->exclusive || db >= SC_DATABASES) return SC_SYNTAX;
    take_back_retired(txn);
    for (;;) {
        uint32_t wanted = flushed_count(txn, db, &least);
        if (!wanted) return SC_OK;
        if (wanted <= (uint32_t)__builtin_popcountll(unused_dbs(txn))) break;
        int status = by_hand ? empty_db(txn, least) : SC_UNCHANGED;
        if (status != SC_OK) return status;
    }
    int status = sc_txn_remap(txn);
    if (status == SC_OK) renumber(txn, db);
    return status;
}

static void note_flush(sc_txn *txn, int32_t db) {
    sc_note_db(txn, db < 0 ? 0 : (uint32_t)db, db < 0 ? SC_EVENT_FLUSHALL : SC_EVENT_FLUSHDB);
}

int sc_tx_flush_db(sc_tx *tx, int32_t db) {
    sc_txn *txn = &sc_tx_writer(tx)->main;
    uint32_t mark = txn->count;
    int status = flush_step(txn, db, true);
    if (status != SC_OK) sc_txn_undo_to(txn, mark);
    if (status == SC_OK) note_flush(txn, db);
    return status;
}

int sc_tx_swap_db(sc_tx *tx, uint32_t a, uint32_t b) {
    sc_txn *txn = &sc_tx_writer(tx)->main;
    if (!txn->exclusive || a >= SC_DATABASES || b >= SC_DATABASES) return SC_SYNTAX;
    int status = sc_txn_remap(txn);
    if (status != SC_OK) return status;
    uint8_t *database = txn->remap->database, first = database[a];
    database[a] = database[b];
    database[b] = first;
    sc_note_db(txn, a, SC_EVENT_SWAPDB);
    sc_note_db(txn, b, SC_EVENT_SWAPDB);
    return SC_OK;
}

int sc_flush_db(sc_arena *arena, int32_t db) {
    for (int attempt = 0; attempt < 64; attempt++) {
        sc_tx *tx;
        int status = sc_tx_begin(arena, NULL, 0, &tx);
        if (status != SC_OK) return status;
        /* Sixteen full databases are one more than there are spare numbers. */
        bool none_to_sweep = !sc_load64(&arena->header->retired_dbs);
        status = flush_step(&sc_tx_writer(tx)->main, db, none_to_sweep);
        if (status == SC_OK) {
            note_flush(&sc_tx_writer(tx)->main, db);
            sc_tx_commit(tx);
            return SC_OK;
        }
        sc_tx_abort(tx);
        if (status != SC_UNCHANGED) return status;
        /* Flushed more often than swept: sweep now. */
        status = sc_expire_cycle(arena, UINT64_C(1000000), NULL);
        if (status != SC_OK) return status;
    }
    return SC_BUSY;
}

int sc_swap_db(sc_arena *arena, uint32_t a, uint32_t b) {
    sc_tx *tx;
    int status = sc_tx_begin(arena, NULL, 0, &tx);
    if (status != SC_OK) return status;
    status = sc_tx_swap_db(tx, a, b);
    (status == SC_OK ? sc_tx_commit : sc_tx_abort)(tx);
    return status;
}

/* ---- tuning -----------------------------------------------------------------------------------*/

void sc_get_tuning(sc_arena *arena, sc_tuning *tuning) {
    const sc_header *header = arena->header;
    uint64_t reserve = sc_load64(&header->reserve_pages);
    *tuning = (sc_tuning){
        .maxmemory = sc_load64(&header->maxmemory),
        .policy = sc_load32(&header->policy),
        .samples = sc_load32(&header->eviction_samples),
        .lfu_log_factor = sc_load32(&header->lfu_log_factor),
        .lfu_decay_minutes = sc_load32(&header->lfu_decay_minutes),
        .hash_max_listpack_entries = sc_load32(&header->packed_limits[SC_HASH_ENTRIES]),
        .hash_max_listpack_value = sc_load32(&header->packed_limits[SC_HASH_VALUE]),
        .set_max_intset_entries = sc_load32(&header->packed_limits[SC_SET_INTS]),
        .set_max_listpack_entries = sc_load32(&header->packed_limits[SC_SET_ENTRIES]),
        .set_max_listpack_value = sc_load32(&header->packed_limits[SC_SET_VALUE]),
        .zset_max_listpack_entries = sc_load32(&header->packed_limits[SC_ZSET_ENTRIES]),
        .zset_max_listpack_value = sc_load32(&header->packed_limits[SC_ZSET_VALUE]),
        .list_max_listpack_size = (int32_t)sc_load32(&header->packed_limits[SC_LIST_SIZE]),
        .hll_sparse_max_bytes = sc_load32(&header->packed_limits[SC_HLL_BYTES]),
        .reserve_permille =
            (uint32_t)((reserve * 1000 + arena->page_count / 2) / arena->page_count),
    };
}

int sc_set_tuning(sc_arena *arena, const sc_tuning *tuning) {
    if (!arena->writable) return SC_READ_ONLY;
    if (tuning->policy >= SC_POLICIES || !tuning->samples || tuning->reserve_permille > 500) {
        return SC_SYNTAX;
    }
    sc_header *header = arena->header;
    sc_put64(&header->maxmemory, tuning->maxmemory);
    sc_put32(&header->policy, tuning->policy);
    sc_put32(&header->eviction_samples, tuning->samples < 64 ? tuning->samples : 64);
    sc_put32(&header->lfu_log_factor, tuning->lfu_log_factor);
    sc_put32(&header->lfu_decay_minutes, tuning->lfu_decay_minutes);
    const uint32_t limits[SC_PACKED_LIMITS] = {
        [SC_HASH_ENTRIES] = tuning->hash_max_listpack_entries,
        [SC_HASH_VALUE] = tuning->hash_max_listpack_value,
        [SC_SET_INTS] = tuning->set_max_intset_entries,
        [SC_SET_ENTRIES] = tuning->set_max_listpack_entries,
        [SC_SET_VALUE] = tuning->set_max_listpack_value,
        [SC_ZSET_ENTRIES] = tuning->zset_max_listpack_entries,
        [SC_ZSET_VALUE] = tuning->zset_max_listpack_value,
        [SC_LIST_SIZE] = (uint32_t)tuning->list_max_listpack_size,
        [SC_HLL_BYTES] = tuning->hll_sparse_max_bytes,
    };
    for (int i = 0; i < SC_PACKED_LIMITS; i++)
        sc_put32(&header->packed_limits[i], limits[i]);
    sc_put64(&header->reserve_pages, arena->page_count * tuning->reserve_permille / 1000);
    return SC_OK;
}

/* ---- what the daemon leaves for others --------------------------------------------------------*/

void sc_get_socket_path(sc_arena *arena, char out[112]) {
    sc_copy(out, arena->header->socket_path, sizeof arena->header->socket_path);
    out[111] = 0;
}

int sc_set_socket_path(sc_arena *arena, const char *path) {
    if (!arena->writable) return SC_READ_ONLY;
    char text[sizeof arena->header->socket_path] = {0};
    size_t length = strlen(path);
    if (length >= sizeof text) return SC_SYNTAX;
    memcpy(text, path, length);
    sc_copy(arena->header->socket_path, text, sizeof text);
    return SC_OK;
}

void sc_get_name(sc_arena *arena, char out[64]) {
    sc_copy(out, arena->header->name, sizeof arena->header->name);
    out[63] = 0;
}

int sc_beat(sc_arena *arena, uint32_t process, uint64_t pid) {
    if (!arena->writable) return SC_READ_ONLY;
    if (process >= SC_BEATS) return SC_SYNTAX;
    sc_put64(&arena->header->heartbeat[process].pid, pid);
    sc_put64(&arena->header->heartbeat[process].beat_ms, sc_sys_now_ms());
    return SC_OK;
}

void sc_get_beat(sc_arena *arena, uint32_t process, uint64_t *pid, uint64_t *beat_ms) {
    *pid = *beat_ms = 0;
    if (process >= SC_BEATS) return;
    *pid = sc_load64(&arena->header->heartbeat[process].pid);
    *beat_ms = sc_load64(&arena->header->heartbeat[process].beat_ms);
}

/* ---- statistics -------------------------------------------------------------------------------*/

static uint64_t sum_reads(const sc_arena *arena, size_t place) {
    const char *base = (const char *)arena->access;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < SC_STATS_SLOTS; i++) {
        const char *stats = (const char *)&arena->access->stats[i];
        sum += sc_load64((const uint64_t *)(const void *)(stats + place));
    }
    const char *retired = base + offsetof(sc_access, retired) + place;
    return sum + sc_load64((const uint64_t *)(const void *)retired);
}

static uint64_t index_bytes(const sc_arena *arena) {
    uint64_t buckets = 0;
    for (uint64_t i = 0; i <= arena->stripe_mask; i++) {
        uint32_t own = sc_load32(&arena->stripes[i].buckets);
        buckets += own ? own + 1 : 0;
    }
    return buckets * SC_BUCKET_BYTES + (arena->stripe_mask + 1) * sizeof(sc_stripe);
}

int sc_get_statistics(sc_arena *arena, sc_statistics *out) {
    const sc_header *header = arena->header;
    *out = (sc_statistics){
        .generation = arena->generation,
        .created_ms = header->created_ms,
        .data_bytes = arena->data_bytes,
        .access_bytes = arena->access_bytes,
        .feed_bytes = arena->feed_bytes,
        .bus_bytes = arena->bus_bytes,
        .heap_bytes = arena->page_count << arena->page_shift,
        .used_bytes = sc_load64(&header->heap.used_bytes),
        .page_bytes = UINT64_C(1) << arena->page_shift,
        .pages = arena->page_count,
        .free_pages = sc_load64(&header->heap.free_page_count),
        .stripes = arena->stripe_mask + 1,
        .slots = arena->slot_count,
        .index_bytes = index_bytes(arena),
        .hits = sum_reads(arena, offsetof(sc_stats, hits)),
        .misses = sum_reads(arena, offsetof(sc_stats, misses)),
        .retries = sum_reads(arena, offsetof(sc_stats, retries)),
        .evicted = sum_slots(arena, offsetof(sc_counters, evicted)),
        .expired = sum_slots(arena, offsetof(sc_counters, expired)),
        .max_key_bytes = arena->max_key_bytes,
    };
    for (uint32_t i = 0; i < arena->slot_count; i++) {
        out->slots_used += sc_load64(&arena->slots[i].pid) != 0;
    }
    for (uint32_t db = 0; db < SC_DATABASES; db++)
        out->keys += sc_db_keys(arena, db);
    return SC_OK;
}

int sc_reset_statistics(sc_arena *arena) {
    if (!arena->writable) return SC_READ_ONLY;
    for (uint32_t i = 0; i <= SC_STATS_SLOTS; i++) {
        sc_stats *stats = i < SC_STATS_SLOTS ? &arena->access->stats[i] : &arena->access->retired;
        sc_put64(&stats->hits, 0);
        sc_put64(&stats->misses, 0);
        sc_put64(&stats->retries, 0);
    }
    for (uint32_t i = 0; i < arena->slot_count; i++) {
        sc_counters *both[] = {&arena->slots[i].main_counters, &arena->slots[i].inner_counters};
        for (int log = 0; log < 2; log++) {
            sc_put64((uint64_t *)&both[log]->evicted, 0);
            sc_put64((uint64_t *)&both[log]->expired, 0);
        }
    }
    return SC_OK;
}
