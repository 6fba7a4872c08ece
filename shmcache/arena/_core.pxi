# What the binding uses of the core, of CPython and of the C library.

cdef extern from "Python.h":
    PyObject *Py_None
    PyObject *Py_True
    PyObject *Py_False
    PyObject *_PyLong_New "PyLong_FromUnsignedLongLong"(unsigned long long value)
    ctypedef struct PyThreadState:
        pass
    PyThreadState *PyEval_SaveThread() noexcept
    void PyEval_RestoreThread(PyThreadState *state) noexcept

cdef extern from "unistd.h":
    int usleep(unsigned int microseconds)

cdef extern from "stdio.h":
    FILE *open_memstream(char **bytes, size_t *size)

cdef extern from "sc.h":
    enum:
        SC_WRONG_TYPE, SC_NOT_INTEGER, SC_OVERFLOW, SC_NO_MEMORY
        SC_KEY_TOO_LONG, SC_VALUE_TOO_LONG, SC_BUSY, SC_READ_ONLY, SC_NO_SLOT, SC_CORRUPT
        SC_LAYOUT, SC_TRUNCATED, SC_SYSTEM, SC_SYNTAX, SC_NOT_FINITE, SC_LOST
        SC_SET_NX, SC_SET_XX, SC_SET_KEEP_TTL, SC_SET_APPENDED
        SC_EXPIRE_NX, SC_EXPIRE_XX, SC_EXPIRE_GT, SC_EXPIRE_LT
    ctypedef struct sc_hooks:
        void *(*block_enter)() noexcept
        void (*block_leave)(void *state) noexcept
        c_bool serialized
        size_t (*drop_made)(void *made) noexcept
    ctypedef struct sc_set_args:
        const char *value
        uint64_t value_bytes
        uint64_t expire_ms
        uint32_t flags
        sc_sink *old
        c_bool *had_old
    ctypedef struct sc_tuning:
        uint64_t maxmemory
        uint32_t policy, samples, lfu_log_factor, lfu_decay_minutes, reserve_permille
        uint32_t hash_max_listpack_entries, hash_max_listpack_value
        uint32_t set_max_intset_entries, set_max_listpack_entries, set_max_listpack_value
        uint32_t zset_max_listpack_entries, zset_max_listpack_value
        int32_t list_max_listpack_size
        uint32_t hll_sparse_max_bytes
    ctypedef struct sc_statistics:
        uint64_t generation, created_ms, data_bytes, access_bytes, feed_bytes, bus_bytes
        uint64_t heap_bytes, used_bytes, page_bytes, pages, free_pages, stripes, slots, slots_used, keys, index_bytes
        uint64_t hits, misses, retries, evicted, expired, max_key_bytes
    ctypedef c_bool (*sc_emit)(void *context, const char *key, uint32_t length) noexcept
    const char *sc_status_text(int status)
    enum:
        SC_LOST
    uint64_t sc_min_data_bytes()
    uint64_t sc_access_bytes(uint64_t data_bytes)
    uint64_t sc_feed_bytes(uint64_t data_bytes)
    uint64_t sc_bus_bytes(uint64_t data_bytes)
    ctypedef struct sc_segment_fds:
        int data, access, feed, bus
    int sc_arena_format(const sc_segment_fds *fds, const char *name, uint64_t hash_seed)
    int sc_arena_attach(const sc_segment_fds *fds, bint writable, const sc_hooks *hooks,
                        sc_arena **out)
    void sc_arena_detach(sc_arena *arena)
    bint sc_arena_writable(const sc_arena *arena)
    uint32_t sc_max_key_bytes(const sc_arena *arena)
    void sc_set_touching(sc_arena *arena, bint touching)
    bint sc_touching(const sc_arena *arena)
    int sc_get(sc_arena *arena, const sc_key *key, sc_sink *sink)
    int sc_get_range(sc_arena *arena, const sc_key *key, int64_t start, int64_t end, sc_sink *sink)
    int sc_get_many(sc_arena *arena, const sc_key *keys, size_t count, sc_sink **sinks,
                    int *statuses)
    int sc_describe(sc_arena *arena, const sc_key *key, sc_info *info, bint touch)
    int sc_scan(sc_arena *arena, uint32_t db, uint64_t *cursor, uint64_t count, sc_emit emit,
                void *context)
    int sc_random_key(sc_arena *arena, uint32_t db, sc_sink *sink)
    uint64_t sc_db_keys(sc_arena *arena, uint32_t db)
    uint64_t sc_db_expires(sc_arena *arena, uint32_t db)
    int sc_set(sc_arena *arena, const sc_key *key, const sc_set_args *args)
    int sc_incr(sc_arena *arena, const sc_key *key, int64_t by, int64_t *result)
    int sc_append(sc_arena *arena, const sc_key *key, const char *value, uint64_t length,
                  uint64_t *new_length)
    int sc_delete(sc_arena *arena, const sc_key *key)
    int sc_get_delete(sc_arena *arena, const sc_key *key, sc_sink *sink)
    int sc_expire(sc_arena *arena, const sc_key *key, uint64_t expire_ms, uint32_t flags)
    int sc_tx_begin(sc_arena *arena, const sc_key *keys, size_t count, sc_tx **out)
    int sc_tx_set(sc_tx *tx, const sc_key *key, const sc_set_args *args)
    int sc_tx_delete(sc_tx *tx, const sc_key *key)
    int sc_tx_expire(sc_tx *tx, const sc_key *key, uint64_t expire_ms, uint32_t flags)
    int sc_tx_set_access(sc_tx *tx, const sc_key *key, int64_t idle_ms, int frequency)
    int sc_tx_copy(sc_tx *tx, const sc_key *source, const sc_key *target, bint replace)
    int sc_tx_flush_db(sc_tx *tx, int32_t db)
    int sc_tx_swap_db(sc_tx *tx, uint32_t a, uint32_t b)
    uint64_t sc_tx_db_keys(sc_tx *tx, uint32_t db)
    int sc_tx_scan(sc_tx *tx, uint32_t db, uint64_t *cursor, uint64_t count, sc_emit emit,
                   void *context)
    int sc_tx_random_key(sc_tx *tx, uint32_t db, sc_sink *sink)
    void sc_tx_commit(sc_tx *tx)
    void sc_tx_abort(sc_tx *tx)
    int sc_flush_db(sc_arena *arena, int32_t db)
    int sc_swap_db(sc_arena *arena, uint32_t a, uint32_t b)
    void sc_get_tuning(sc_arena *arena, sc_tuning *tuning)
    int sc_set_tuning(sc_arena *arena, const sc_tuning *tuning)
    void sc_get_socket_path(sc_arena *arena, char *out)
    int sc_set_socket_path(sc_arena *arena, const char *path)
    void sc_get_name(sc_arena *arena, char *out)
    int sc_beat(sc_arena *arena, uint32_t process, uint64_t pid)
    void sc_get_beat(sc_arena *arena, uint32_t process, uint64_t *pid, uint64_t *beat_ms)
    int sc_sweep_slots(sc_arena *arena, uint32_t *recovered)
    int sc_expire_cycle(sc_arena *arena, uint64_t budget_us, uint64_t *deleted)
    int sc_reserve_cycle(sc_arena *arena, uint64_t budget_us)
    int sc_tick(sc_arena *arena)
    int sc_get_statistics(sc_arena *arena, sc_statistics *statistics)
    int sc_reset_statistics(sc_arena *arena)
    int sc_validate(sc_arena *arena, FILE *report)
    int sc_dump(sc_arena *arena, FILE *out)
    uint64_t sc_hash(const void *bytes, size_t length, uint64_t seed)

cdef extern from "feed.h":
    enum:
        SC_EVENT_NONE, SC_EVENT_CHANGED, SC_EVENT_ZPOPMIN, SC_EVENT_ZPOPMAX, SC_EVENTS
        SC_EVENT_FLUSHALL, SC_EVENT_HINCRBY
        SC_FEED_WANT_CHANGES, SC_FEED_WANT_NEW
    ctypedef struct sc_feed:
        pass
    ctypedef struct sc_feed_item:
        uint32_t event, db
        const char *key
        uint32_t key_bytes
        c_bool own
    ctypedef c_bool (*sc_feed_emit)(void *context, const sc_feed_item *item) noexcept
    void sc_tx_event(sc_tx *tx, uint32_t event)
    void sc_tx_step(sc_tx *tx)
    int sc_tx_note(sc_tx *tx, const sc_key *key, uint32_t event)
    const char *sc_event_name(uint32_t event)
    char sc_event_class(uint32_t event)
    int sc_feed_open(sc_arena *arena, sc_feed **out)
    void sc_feed_close(sc_feed *feed)
    void sc_feed_forget(sc_feed *feed)
    int sc_feed_want(sc_feed *feed, uint32_t wants)
    int sc_feed_read(sc_feed *feed, uint64_t limit, sc_feed_emit emit, void *context)
    c_bool sc_feed_wait(sc_feed *feed, uint32_t timeout_ms)
    void sc_feed_rouse(sc_feed *feed)

cdef extern from "get.h":
    int sc_get_with(sc_arena *arena, const sc_key *key, sc_sink *sink,
                    char *(*reserve)(sc_sink *sink, size_t length) noexcept, void *hint)
    ctypedef struct sc_hint:
        pass
    int sc_get_hinted(sc_arena *arena, const sc_key *key, uint64_t key_hash, sc_sink *sink,
                      char *(*reserve)(sc_sink *sink, size_t length) noexcept, sc_hint **again)
    void *sc_get_made(sc_arena *arena, const sc_key *key, uint64_t key_hash)
    c_bool sc_hint_keep(sc_arena *arena, sc_hint *hint, void *made, size_t bytes)

cdef extern from "layout.h":
    enum:
        SC_DATABASES, SC_HIDDEN_DB
        SC_ENC_INT, SC_ENC_RAW, SC_ENC_APPENDED
        SC_BEAT_SUPERVISOR, SC_BEAT_FRONTEND, SC_BEAT_MAINTENANCE, SC_BEAT_PERSISTER

cdef extern from "containers.h":
    enum:
        SC_ZADD_ADDED, SC_ZADD_UPDATED
        SC_STREAM_TREES, SC_STREAM_META
    void sc_session_start(sc_session *session, sc_arena *arena)
    c_bool sc_session_again(sc_session *session, int *status)
    void sc_session_end(sc_session *session)
    sc_session *sc_tx_session(sc_tx *tx)
    int sc_session_get(sc_session *session, const sc_key *key, sc_sink *sink)
    int sc_session_get_range(sc_session *session, const sc_key *key, int64_t start, int64_t end,
                             sc_sink *sink)
    int sc_session_describe(sc_session *session, const sc_key *key, sc_info *info)
    c_bool sc_tx_end(sc_tx *tx, int status, int *attempts)
    int sc_tx_patch(sc_tx *tx, const sc_key *key, uint64_t offset, sc_bytes bytes)
    int sc_tx_rename(sc_tx *tx, const sc_key *source, const sc_key *target)
    int sc_fingerprint(sc_session *session, const sc_key *key, uint64_t *print)
    int sc_length(sc_session *session, const sc_key *key, int type, uint64_t *length)
    int sc_map_find(sc_session *session, const sc_key *key, int type, sc_bytes field,
                    sc_sink *value)
    int sc_map_all(sc_session *session, const sc_key *key, int type, uint32_t what,
                   sc_items *items)
    int sc_map_scan(sc_session *session, const sc_key *key, int type, uint64_t *cursor,
                    uint64_t count, uint32_t what, sc_items *items)
    int sc_map_random(sc_session *session, const sc_key *key, int type, uint64_t count,
                      c_bool distinct, uint32_t what, sc_items *items)
    int sc_map_expiry(sc_session *session, const sc_key *key, sc_bytes field, uint64_t *expire_ms)
    int sc_map_put(sc_tx *tx, const sc_key *key, int type, sc_bytes field, sc_bytes value,
                   uint32_t flags, c_bool *added)
    int sc_map_remove(sc_tx *tx, const sc_key *key, int type, sc_bytes field)
    int sc_map_set_expiry(sc_tx *tx, const sc_key *key, sc_bytes field, uint64_t expire_ms)
    int sc_set_pop(sc_tx *tx, const sc_key *key, sc_sink *member)
    int sc_set_clear(sc_tx *tx, const sc_key *key)
    int sc_list_at(sc_session *session, const sc_key *key, int64_t index, sc_sink *value)
    int sc_list_range(sc_session *session, const sc_key *key, int64_t start, int64_t stop,
                      sc_items *items)
    int sc_list_push(sc_tx *tx, const sc_key *key, sc_bytes value, c_bool left,
                     c_bool must_exist, uint64_t *length)
    int sc_list_pop(sc_tx *tx, const sc_key *key, c_bool left, sc_sink *value)
    int sc_list_replace(sc_tx *tx, const sc_key *key, uint64_t index, sc_bytes value)
    int sc_list_insert(sc_tx *tx, const sc_key *key, uint64_t index, sc_bytes value)
    int sc_list_remove(sc_tx *tx, const sc_key *key, uint64_t index, uint64_t count)
    int sc_zset_score(sc_session *session, const sc_key *key, sc_bytes member, double *score)
    int sc_zset_rank(sc_session *session, const sc_key *key, sc_bytes member, uint64_t *rank,
                     double *score)
    int sc_zset_range(sc_session *session, const sc_key *key, uint64_t first, uint64_t count,
                      c_bool reverse, uint32_t what, sc_items *items)
    int sc_zset_seek(sc_session *session, const sc_key *key, double score, c_bool including,
                     uint64_t *rank)
    int sc_zset_seek_lex(sc_session *session, const sc_key *key, sc_bytes member,
                         c_bool including, uint64_t *rank)
    int sc_zset_add(sc_tx *tx, const sc_key *key, sc_bytes member, double score, uint32_t flags,
                    double *result, int *outcome)
    int sc_zset_remove(sc_tx *tx, const sc_key *key, sc_bytes member)
    int sc_zset_remove_range(sc_tx *tx, const sc_key *key, uint64_t first, uint64_t count)
    int sc_stream_create(sc_tx *tx, const sc_key *key, const char *meta)
    int sc_stream_meta(sc_session *session, const sc_key *key, char *meta)
    int sc_stream_set_meta(sc_tx *tx, const sc_key *key, const char *meta)
    int sc_tree_get(sc_session *session, const sc_key *key, uint32_t tree, sc_bytes name,
                    sc_sink *value)
    int sc_tree_range(sc_session *session, const sc_key *key, uint32_t tree, sc_bytes least,
                      sc_bytes most, uint64_t limit, c_bool reverse, sc_items *items)
    int sc_tree_count(sc_session *session, const sc_key *key, uint32_t tree, sc_bytes least,
                      sc_bytes most, uint64_t *count)
    int sc_tree_put(sc_tx *tx, const sc_key *key, uint32_t tree, sc_bytes name, sc_bytes value,
                    c_bool *added)
    int sc_tree_remove(sc_tx *tx, const sc_key *key, uint32_t tree, sc_bytes name)
    int sc_tree_remove_range(sc_tx *tx, const sc_key *key, uint32_t tree, sc_bytes least,
                             sc_bytes most, uint64_t limit, uint64_t *removed)
    int sc_store(sc_tx *tx, const sc_key *key, int type, const sc_bytes *items, uint64_t count,
                 const double *scores, uint64_t expire_ms)

cdef extern from "find.h":
    ctypedef struct sc_element_hint:
        pass
    ctypedef struct sc_wanted:
        int type
        sc_bytes name
        int64_t index
        uint64_t hash
        sc_sink *sink
        double *score
    int sc_find_slow(sc_arena *arena, const sc_key *key, const sc_wanted *wanted,
                     sc_element_hint *hint)
    int sc_find_hinted(sc_arena *arena, const sc_key *key, const sc_wanted *wanted,
                       char *(*reserve)(sc_sink *sink, size_t length) noexcept)


cdef extern from "internal.h":
    ctypedef struct sc_ring_reader:
        uint64_t position
        uint64_t losses
    ctypedef struct sc_ring:
        pass
    ctypedef struct sc_arena_fields "sc_arena":
        sc_ring bus
    uint64_t sc_sys_nonce()

cdef extern from "bus.h":
    enum:
        SC_CHANNEL, SC_PATTERN, SC_SHARD_CHANNEL
    ctypedef struct sc_message:
        uint64_t origin
        uint32_t channel_bytes
        uint32_t kind
    ctypedef c_bool (*sc_bus_emit)(void *context, uint32_t kind, c_bool own, uint32_t count,
                                   const char *name, uint32_t length, c_bool whole) noexcept
    void sc_ring_start(const sc_ring *ring, sc_ring_reader *reader)
    int sc_ring_read(const sc_ring *ring, sc_ring_reader *reader, sc_sink *sink)
    void sc_ring_wait(const sc_ring *ring, const sc_ring_reader *reader, uint32_t timeout_ms) nogil
    void sc_ring_rouse(const sc_ring *ring)
    int sc_bus_publish(sc_arena *arena, const sc_message *head, const char *channel,
                       const char *text, uint64_t bytes)
    int sc_bus_enter(sc_arena *arena, uint32_t kind, const char *name, uint32_t length,
                     uint32_t *place)
    void sc_bus_count(sc_arena *arena, uint32_t place, uint32_t count)
    c_bool sc_bus_entries(sc_arena *arena, uint32_t kind, const char *name, uint32_t length,
                          sc_bus_emit emit, void *context)
    c_bool sc_bus_has_others(sc_arena *arena)
