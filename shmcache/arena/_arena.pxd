# cython: language_level=3
"""What other compiled modules may call without a Python call in between.

Each method raises like the one of the same name in _arena.pyi. The interpreter lock is held, and given
up only while a lock of the arena is contended.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

cdef extern from "sc.h":
    ctypedef struct sc_arena:
        pass
    ctypedef struct sc_tx:
        pass
    ctypedef struct sc_info:
        uint64_t expire_ms
        uint64_t value_bytes
        uint64_t memory
        uint64_t idle_ms
        uint32_t frequency
        uint8_t encoding

cdef struct wire_span:
    const char *bytes
    size_t length

cdef struct wire_buffer:
    char *bytes      # malloc'ed, grown with realloc
    size_t length
    size_t capacity

cdef class Arena:
    cdef sc_arena *ptr

    cdef sc_arena *handle(self) except NULL
    cdef list many(self, uint32_t db, const wire_span *keys, uint32_t count)
    cdef tuple text_of(self, bint validate)
    cdef object get_raw(self, uint32_t db, const char *key, uint32_t key_bytes)
    # The same for a key object that carries its hash already (get.h says what that saves).
    cdef object get_hinted(self, uint32_t db, const char *key, uint32_t key_bytes,
                           uint64_t key_hash)
    # Appends "$3\r\nabc\r\n": 1; a miss appends nothing: 0.
    cdef int get_bulk(self, uint32_t db, const char *key, uint32_t key_bytes,
                      wire_buffer *out) except -1
    # Appends a bulk, or `null`, for each key, all as of one instant.
    cdef int get_many_bulk(self, uint32_t db, const wire_span *keys, uint32_t count,
                           const char *null, wire_buffer *out) except -1
    # 1 set, 0 a condition was not met
    cdef int set_raw(self, uint32_t db, const char *key, uint32_t key_bytes, const char *value,
                     uint64_t value_bytes, uint64_t expire_ms, uint32_t flags) except -1
    # MSET: key, value, key, value ...; all at one instant
    cdef int set_many_raw(self, uint32_t db, const wire_span *pairs, uint32_t pair_count) except -1
    cdef int64_t incr_raw(self, uint32_t db, const char *key, uint32_t key_bytes,
                          int64_t by) except? -1
    cdef int64_t append_raw(self, uint32_t db, const char *key, uint32_t key_bytes,
                            const char *value, uint64_t value_bytes) except -1
    # 1 deleted, 0 there was none
    cdef int delete_raw(self, uint32_t db, const char *key, uint32_t key_bytes) except -1
    # 1 / 0
    cdef int exists_raw(self, uint32_t db, const char *key, uint32_t key_bytes) except -1
    cdef int describe_raw(self, uint32_t db, const char *key, uint32_t key_bytes, bint touch,
                          sc_info *info) except -1
    # 1 changed, 0 a condition was not met, -1 no such key
    cdef int expire_raw(self, uint32_t db, const char *key, uint32_t key_bytes, uint64_t expire_ms,
                        uint32_t flags) except -2
