# What the binding uses of the core, of CPython and of the C library.

cdef extern from "Python.h":
    PyObject *_PyBytes_New "PyBytes_FromStringAndSize"(const char *bytes, Py_ssize_t size)
    char *_PyBytes_Start "PyBytes_AS_STRING"(PyObject *value)
    ctypedef struct PyThreadState:
        pass
    PyThreadState *PyEval_SaveThread() noexcept
    void PyEval_RestoreThread(PyThreadState *state) noexcept

cdef extern from "stdbool.h":
    ctypedef bint c_bool "bool"

cdef extern from "stdio.h":
    FILE *open_memstream(char **bytes, size_t *size)

cdef extern from "sc.h":
    enum:
        SC_OK, SC_MISS, SC_UNCHANGED, SC_WRONG_TYPE, SC_NOT_INTEGER, SC_OVERFLOW, SC_NO_MEMORY
        SC_KEY_TOO_LONG, SC_VALUE_TOO_LONG, SC_BUSY, SC_READ_ONLY, SC_NO_SLOT, SC_CORRUPT
        SC_LAYOUT, SC_TRUNCATED, SC_SYSTEM, SC_SYNTAX
        SC_SET_NX, SC_SET_XX, SC_SET_KEEP_TTL, SC_SET_APPENDED
        SC_EXPIRE_NX, SC_EXPIRE_XX, SC_EXPIRE_GT, SC_EXPIRE_LT
    ctypedef struct sc_key:
        const char *bytes
        uint32_t length
        uint32_t db
    ctypedef struct sc_sink:
        char *(*reserve)(sc_sink *sink, size_t length) noexcept
    ctypedef struct sc_hooks:
        void *(*block_enter)() noexcept
        void (*block_leave)(void *state) noexcept
        c_bool serialized
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
    ctypedef struct sc_statistics:
        uint64_t generation, created_ms, data_bytes, access_bytes, heap_bytes, used_bytes
        uint64_t page_bytes, pages, free_pages, stripes, slots, slots_used, keys, index_bytes
        uint64_t hits, misses, retries, evicted, expired, max_key_bytes
    ctypedef c_bool (*sc_emit)(void *context, const char *key, uint32_t length) noexcept
    const char *sc_status_text(int status)
    uint64_t sc_min_data_bytes()
    uint64_t sc_access_bytes(uint64_t data_bytes)
    int sc_arena_format(int data_fd, int access_fd, const char *name, uint64_t hash_seed)
    int sc_arena_attach(int data_fd, int access_fd, bint writable, const sc_hooks *hooks,
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
    int sc_tx_get(sc_tx *tx, const sc_key *key, sc_sink *sink)
    int sc_tx_describe(sc_tx *tx, const sc_key *key, sc_info *info)
    int sc_tx_set(sc_tx *tx, const sc_key *key, const sc_set_args *args)
    int sc_tx_delete(sc_tx *tx, const sc_key *key)
    int sc_tx_expire(sc_tx *tx, const sc_key *key, uint64_t expire_ms, uint32_t flags)
    int sc_tx_copy(sc_tx *tx, const sc_key *source, const sc_key *target, bint replace)
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

cdef extern from "get.h":
    int sc_get_with(sc_arena *arena, const sc_key *key, sc_sink *sink,
                    char *(*reserve)(sc_sink *sink, size_t length) noexcept, void *hint)
    int sc_get_hinted(sc_arena *arena, const sc_key *key, uint64_t key_hash, sc_sink *sink,
                      char *(*reserve)(sc_sink *sink, size_t length) noexcept)

cdef extern from "layout.h":
    enum:
        SC_ENC_INT, SC_ENC_RAW, SC_ENC_APPENDED
        SC_BEAT_SUPERVISOR, SC_BEAT_FRONTEND, SC_BEAT_MAINTENANCE, SC_BEAT_PERSISTER
