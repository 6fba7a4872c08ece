# cython: language_level=3
"""What other compiled modules may call without a Python call in between.

Each method or function raises like the one of the same name in _arena.pyi. The interpreter lock is
held, and given up only while a lock of the arena is contended. Where values go, a sink says
(_sinks.pxd).
"""

from cpython.object cimport PyObject
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memset

from shmcache.arena._sinks cimport item_sink, sc_bytes, sc_info, sc_key, sc_sink, wire_buffer
from shmcache.arena._sinks cimport wire_span

cdef extern from "containers.h":
    ctypedef struct sc_arena:
        pass
    ctypedef struct sc_tx:
        pass
    ctypedef struct sc_session:
        pass

cdef extern from "find.h":
    uint64_t sc_hash_pair(uint64_t key_hash, uint64_t name_hash) noexcept

# One write to the container at a key, as a function of the transaction that holds it: an enum
# sc_status. `how` is what it is to write, and gets the result; it may be called several times.
ctypedef int (*write_step)(sc_tx *tx, const sc_key *key, void *how) noexcept

cdef class Reads:
    # The session to read in: `own`, just started, or somebody else's.
    cdef sc_session *session_for(self, sc_session *own) except NULL
    # SC_OK, SC_MISS or SC_UNCHANGED; `how` then has the result.
    cdef int carry_out(self, const sc_key *key, write_step step, void *how) except -1

cdef class Arena(Reads):
    cdef sc_arena *ptr
    cdef list feeds   # that are not closed

    cdef sc_arena *handle(self) except NULL
    cdef list many(self, uint32_t db, const wire_span *keys, uint32_t count)
    cdef tuple text_of(self, bint validate)
    cdef object get_raw(self, uint32_t db, const char *key, uint32_t key_bytes)
    # The same for a key object that carries its hash already (get.h says what that saves); gives a
    # new reference.
    cdef PyObject *get_hinted(self, uint32_t db, const char *key, uint32_t key_bytes,
                              uint64_t key_hash) except NULL
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

# ---- containers: 1 there is one, 0 there is not; `type` is an enum sc_type

# One element, by the hashes that its key's and its name's objects carry (pair_hash; find.h says
# what that saves). What Python sees of a hash's value and a list's element, as a new reference;
# None: there is none.
cdef PyObject *field_value(Arena arena, const sc_key *key, const wire_span *field,
                           uint64_t hash) except NULL
cdef PyObject *element_at(Arena arena, const sc_key *key, int64_t index,
                          uint64_t hash) except NULL
cdef int has_member(Arena arena, const sc_key *key, int type, const wire_span *member,
                    uint64_t hash) except -1
cdef int score_of(Arena arena, const sc_key *key, const wire_span *member, uint64_t hash,
                  double *score) except -1

cdef inline uint64_t pair_hash(Py_hash_t key_hash, Py_hash_t name_hash) noexcept:
    """0: one of them (-1) is not known."""
    if key_hash == -1 or name_hash == -1:
        return 0
    return sc_hash_pair(<uint64_t>key_hash, <uint64_t>name_hash)

cdef list field_values(Arena arena, const sc_key *key, const wire_span *fields, size_t count)

cdef int64_t read_length(Arena arena, const sc_key *key, int type) except -1
# A hash's value, or (`value` is NULL) whether there is such a field or member.
cdef int read_member(Arena arena, const sc_key *key, int type, const wire_span *field,
                     sc_sink *value) except -1
cdef int read_members(Arena arena, const sc_key *key, int type, uint32_t what,
                      item_sink *items) except -1
cdef int read_element(Arena arena, const sc_key *key, int64_t index, sc_sink *value) except -1
cdef int read_elements(Arena arena, const sc_key *key, int64_t start, int64_t stop,
                       item_sink *items) except -1
cdef int read_score(Arena arena, const sc_key *key, const wire_span *member,
                    double *score) except -1
cdef int read_rank(Arena arena, const sc_key *key, const wire_span *member, uint64_t *rank,
                   double *score) except -1
# As ZRANGE by rank: inclusive, negative from the end.
cdef int read_ranks(Arena arena, const sc_key *key, int64_t start, int64_t stop, bint reverse,
                    uint32_t what, item_sink *items) except -1

cdef struct change:
    int type
    uint32_t flags          # SC_PUT_* or SC_ZADD_*
    bint at_head            # the left end of a list, the highest of a sorted set
    bint must_exist
    const sc_bytes *items
    const double *scores    # of a sorted set's members
    size_t count            # of items, or how many to take
    int64_t by              # an increment
    item_sink *taken        # where popped elements go
    uint64_t result         # how many were added, removed or taken; a list's length; a sum
    uint64_t updated        # how many members that were there got a new score
    double score            # of the last member, afterwards

cdef inline change new_change(int type, const sc_bytes *items, size_t count) noexcept:
    cdef change how
    memset(&how, 0, sizeof(how))
    how.type = type
    how.items = items
    how.count = count
    return how

# Each returns what carry_out does.
cdef int write_members(Arena arena, const sc_key *key, change *how) except -1
cdef int remove_members(Arena arena, const sc_key *key, change *how) except -1
cdef int pop_members(Arena arena, const sc_key *key, change *how) except -1
cdef int push_elements(Arena arena, const sc_key *key, change *how) except -1
cdef int pop_elements(Arena arena, const sc_key *key, change *how) except -1
cdef int add_scored(Arena arena, const sc_key *key, change *how) except -1
cdef int pop_scored(Arena arena, const sc_key *key, change *how) except -1
# HINCRBY; SC_UNCHANGED: not a number, or the sum would not fit.
cdef int increment_field(Arena arena, const sc_key *key, change *how) except -1
