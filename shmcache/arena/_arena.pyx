# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: binding=False, freethreading_compatible=False
"""The engine's binding: converts, calls, raises. Signatures and meaning are in _arena.pyi."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_Clear, PyErr_Occurred, PyErr_SetFromErrno
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.ref cimport PyObject, Py_INCREF, Py_XDECREF
from libc.stdint cimport INT64_MAX, INT64_MIN, int32_t, int64_t, uint32_t, uint64_t
from libc.stdio cimport FILE, fclose, snprintf
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy

from shmcache.arena._sinks cimport *

from collections import namedtuple

from shmcache import errors

include "_core.pxi"

from os import getpid as _getpid

include "_constants.pxi"

cdef int EMBEDDED_MOST = 44  # Redis's OBJECT ENCODING says embstr up to this length

include "_convert.pxi"
include "_reads.pxi"


cdef sc_segment_fds fds_of(int data_fd, int access_fd, int feed_fd, int bus_fd) noexcept:
    cdef sc_segment_fds fds
    fds.data = data_fd
    fds.access = access_fd
    fds.feed = feed_fd
    fds.bus = bus_fd
    return fds


cdef class Arena(Reads):
    def __cinit__(self, int data_fd, int access_fd, int feed_fd, int bus_fd, *,
                  bint writable=False):
        self.ptr = NULL
        self.feeds = []
        cdef sc_segment_fds fds = fds_of(data_fd, access_fd, feed_fd, bus_fd)
        cdef int status = sc_arena_attach(&fds, writable, &HOOKS, &self.ptr)
        if status != SC_OK:
            self.ptr = NULL
            fail(status)

    def __dealloc__(self):
        sc_arena_detach(self.ptr)

    cdef sc_arena *handle(self) except NULL:
        if self.ptr == NULL:
            raise ValueError("the arena is closed")
        return self.ptr

    cdef sc_session *session_for(self, sc_session *own) except NULL:
        sc_session_start(own, self.handle())
        return own

    cdef int carry_out(self, const sc_key *key, write_step step, void *how) except -1:
        return one_shot(self, key, step, how)

    def close(self):
        cdef sc_arena *ptr
        end_feeds(self)
        ptr = self.ptr
        self.ptr = NULL
        sc_arena_detach(ptr)

    @property
    def writable(self):
        return bool(sc_arena_writable(self.handle()))

    @property
    def max_key_bytes(self):
        return sc_max_key_bytes(self.handle())

    @property
    def touching(self):
        return bool(sc_touching(self.handle()))

    @touching.setter
    def touching(self, bint touching):
        sc_set_touching(self.handle(), touching)

    # ---- for compiled callers: see _arena.pxd

    cdef object get_raw(self, uint32_t db, const char *key, uint32_t key_bytes):
        cdef sc_key made = make_key(db, key, key_bytes)
        cdef bytes_sink sink
        cdef int status
        sink.sink.reserve = bytes_reserve
        sink.value = NULL
        if self.ptr == NULL:
            self.handle()
        status = sc_get_with(self.ptr, &made, &sink.sink, bytes_reserve, NULL)
        if status == SC_OK:
            return sink_take(&sink)
        return sink_result(status, &sink)

    cdef PyObject *get_hinted(self, uint32_t db, const char *key, uint32_t key_bytes,
                              uint64_t key_hash) except NULL:
        cdef sc_key made = make_key(db, key, key_bytes)
        cdef bytes_sink sink
        cdef int status
        cdef sc_hint *again = NULL
        cdef PyObject *kept
        if self.ptr == NULL:
            self.handle()
        kept = <PyObject *>sc_get_made(self.ptr, &made, key_hash)
        if kept != NULL:
            return new_reference(<object>kept)
        sink.sink.reserve = bytes_reserve
        sink.value = NULL
        status = sc_get_hinted(self.ptr, &made, key_hash, &sink.sink, bytes_reserve, &again)
        if again != NULL and status == SC_OK:
            if sc_hint_keep(self.ptr, again, sink.value, bytes_object_bytes(sink.value)):
                Py_INCREF(<object>sink.value)
        return sink.value if status == SC_OK else new_reference(sink_result(status, &sink))

    cdef int get_bulk(self, uint32_t db, const char *key, uint32_t key_bytes,
                      wire_buffer *out) except -1:
        cdef sc_key made = make_key(db, key, key_bytes)
        cdef bulk_sink sink
        cdef int status
        sink.sink.reserve = bulk_reserve
        sink.out = out
        sink.start = out.length
        status = sc_get_with(self.handle(), &made, &sink.sink, bulk_reserve, NULL)
        if status == SC_OK:
            return 1
        out.length = sink.start
        if status != SC_MISS:
            fail(status)
        return 0

    cdef int get_many_bulk(self, uint32_t db, const wire_span *keys, uint32_t count,
                           const char *null, wire_buffer *out) except -1:
        cdef uint32_t i
        cdef size_t null_bytes = len(null)
        values = self.many(db, keys, count)
        for i in range(count):
            value = values[i]
            if value is None:
                if not buffer_room(out, null_bytes):
                    raise MemoryError()
                memcpy(out.bytes + out.length, null, null_bytes)
                out.length += null_bytes
            elif put_bulk(out, <bytes>value) < 0:
                raise MemoryError()
        return 0

    cdef list many(self, uint32_t db, const wire_span *keys, uint32_t count):
        """MGET: a missing key, or one of another type, is None."""
        cdef size_t each = sizeof(sc_key) + sizeof(bytes_sink) + sizeof(sc_sink *) + sizeof(int)
        cdef char *room = <char *>PyMem_Malloc(count * each + 1)
        cdef sc_key *made = <sc_key *>room
        cdef bytes_sink *sinks = <bytes_sink *>(made + count)
        cdef sc_sink **pointers = <sc_sink **>(sinks + count)
        cdef int *statuses = <int *>(pointers + count)
        cdef uint32_t i
        cdef int status
        if room == NULL:
            raise MemoryError()
        for i in range(count):
            made[i] = make_key(db, keys[i].bytes, <uint32_t>keys[i].length)
            sinks[i].sink.reserve = bytes_reserve
            sinks[i].value = NULL
            pointers[i] = &sinks[i].sink
            statuses[i] = SC_MISS
        try:
            status = sc_get_many(self.handle(), made, count, pointers, statuses)
            if status != SC_OK:
                fail(status)
            return [sink_take(&sinks[i]) if statuses[i] == SC_OK else None for i in range(count)]
        finally:
            for i in range(count):
                Py_XDECREF(sinks[i].value)
            PyMem_Free(room)

    cdef int set_raw(self, uint32_t db, const char *key, uint32_t key_bytes, const char *value,
                     uint64_t value_bytes, uint64_t expire_ms, uint32_t flags) except -1:
        cdef sc_key made = make_key(db, key, key_bytes)
        cdef sc_set_args args
        cdef int status
        args.value = value
        args.value_bytes = value_bytes
        args.expire_ms = expire_ms
        args.flags = flags
        args.old = NULL
        args.had_old = NULL
        status = sc_set(self.handle(), &made, &args)
        return 1 if status == SC_OK else set_result(status)

    cdef int set_many_raw(self, uint32_t db, const wire_span *pairs,
                          uint32_t pair_count) except -1:
        cdef key_array array
        cdef sc_set_args args
        cdef sc_tx *tx = NULL
        cdef uint32_t i
        cdef int status
        keys_alloc(&array, pair_count)
        for i in range(pair_count):
            array.keys[i] = make_key(db, pairs[2 * i].bytes, <uint32_t>pairs[2 * i].length)
        args.expire_ms = 0
        args.flags = 0
        args.old = NULL
        args.had_old = NULL
        try:
            status = sc_tx_begin(self.handle(), array.keys, pair_count, &tx)
            if status != SC_OK:
                fail(status)
            for i in range(pair_count):
                args.value = pairs[2 * i + 1].bytes
                args.value_bytes = pairs[2 * i + 1].length
                status = sc_tx_set(tx, &array.keys[i], &args)
                if status != SC_OK:
                    sc_tx_abort(tx)
                    fail(status)
            sc_tx_commit(tx)
        finally:
            PyMem_Free(array.keys)
        return 0

    cdef int64_t incr_raw(self, uint32_t db, const char *key, uint32_t key_bytes,
                          int64_t by) except? -1:
        cdef sc_key made = make_key(db, key, key_bytes)
        cdef int64_t result = 0
        cdef int status = sc_incr(self.handle(), &made, by, &result)
        if status != SC_OK:
            fail(status)
        return result

    cdef int64_t append_raw(self, uint32_t db, const char *key, uint32_t key_bytes,
                            const char *value, uint64_t value_bytes) except -1:
        cdef sc_key made = make_key(db, key, key_bytes)
        cdef uint64_t length = 0
        cdef int status = sc_append(self.handle(), &made, value, value_bytes, &length)
        if status != SC_OK:
            fail(status)
        return <int64_t>length

    cdef int delete_raw(self, uint32_t db, const char *key, uint32_t key_bytes) except -1:
        cdef sc_key made = make_key(db, key, key_bytes)
        cdef int status = sc_delete(self.handle(), &made)
        if status != SC_OK and status != SC_MISS:
            fail(status)
        return status == SC_OK

    cdef int exists_raw(self, uint32_t db, const char *key, uint32_t key_bytes) except -1:
        cdef sc_info info
        return self.describe_raw(db, key, key_bytes, True, &info)

    cdef int describe_raw(self, uint32_t db, const char *key, uint32_t key_bytes, bint touch,
                          sc_info *info) except -1:
        cdef sc_key made = make_key(db, key, key_bytes)
        cdef int status = sc_describe(self.handle(), &made, info, touch)
        if status != SC_OK and status != SC_MISS:
            fail(status)
        return status == SC_OK

    cdef int expire_raw(self, uint32_t db, const char *key, uint32_t key_bytes,
                        uint64_t expire_ms, uint32_t flags) except -2:
        cdef sc_key made = make_key(db, key, key_bytes)
        return expire_result(sc_expire(self.handle(), &made, expire_ms, flags))

    # ---- reads

    def get(self, uint32_t db, bytes key):
        cdef sc_key made = key_of(db, key)
        return self.get_raw(db, made.bytes, made.length)

    def get_range(self, uint32_t db, bytes key, int64_t start, int64_t end):
        cdef sc_key made = key_of(db, key)
        cdef bytes_sink sink = new_bytes_sink()
        value = sink_result(sc_get_range(self.handle(), &made, start, end, &sink.sink), &sink)
        return b"" if value is None else value

    def get_many(self, uint32_t db, keys):
        cdef list held = list(keys)
        cdef uint32_t i, count = <uint32_t>len(held)
        cdef sc_key made
        cdef wire_span *spans = <wire_span *>PyMem_Malloc((count + 1) * sizeof(wire_span))
        if spans == NULL:
            raise MemoryError()
        try:
            for i in range(count):
                made = key_of(db, held[i])
                spans[i].bytes = made.bytes
                spans[i].length = made.length
            return self.many(db, spans, count)
        finally:
            PyMem_Free(spans)

    def describe(self, uint32_t db, bytes key, bint touch=False):
        cdef sc_key made = key_of(db, key)
        cdef sc_info info
        if self.describe_raw(db, made.bytes, made.length, touch, &info):
            return info_of(&info)
        return None

    def scan(self, uint32_t db, uint64_t cursor, uint64_t count=10):
        cdef list keys = []
        cdef int status
        check_db(db)
        status = sc_scan(self.handle(), db, &cursor, count, emit_key, <void *>keys)
        if status != SC_OK:
            fail(status)
        return cursor, keys

    def random_key(self, uint32_t db):
        cdef bytes_sink sink = new_bytes_sink()
        return sink_result(sc_random_key(self.handle(), db, &sink.sink), &sink)

    def db_keys(self, uint32_t db):
        return sc_db_keys(self.handle(), db)

    def db_expires(self, uint32_t db):
        return sc_db_expires(self.handle(), db)

    def read(self, keys, work):
        return read_in_view(self, keys, work)

    # ---- one-key writes

    def hash_set(self, uint32_t db, bytes key, pairs, uint32_t flags=0):
        return put_members(self, db, key, SC_HASH, pairs, flags)

    def hash_delete(self, uint32_t db, bytes key, fields):
        return take_out(self, db, key, SC_HASH, fields)

    def set_add(self, uint32_t db, bytes key, members):
        return put_members(self, db, key, SC_SET, members, 0)

    def set_remove(self, uint32_t db, bytes key, members):
        return take_out(self, db, key, SC_SET, members)

    def set_pop(self, uint32_t db, bytes key, size_t count):
        return pop_some(self, db, key, count, False, member_pop_step)

    def list_push(self, uint32_t db, bytes key, elements, *, bint left, bint must_exist=False):
        return push_some(self, db, key, elements, left, must_exist)

    def list_pop(self, uint32_t db, bytes key, size_t count, *, bint left):
        return pop_some(self, db, key, count, left, element_pop_step)

    def zset_add(self, uint32_t db, bytes key, bytes member, double score, uint32_t flags=0):
        return add_one_scored(self, db, key, member, score, flags)

    def zset_add_many(self, uint32_t db, bytes key, members, scores, uint32_t flags=0):
        return add_some_scored(self, db, key, members, scores, flags)

    def zset_remove(self, uint32_t db, bytes key, members):
        return take_out(self, db, key, SC_ZSET, members)

    def zset_pop(self, uint32_t db, bytes key, size_t count, *, bint highest):
        return in_pairs(pop_some(self, db, key, count, highest, scored_pop_step))

    def set(self, uint32_t db, bytes key, bytes value, uint64_t expire_ms=0, uint32_t flags=0):
        cdef sc_key made = key_of(db, key)
        cdef sc_set_args args
        fill_set(&args, value, expire_ms, flags)
        return bool(set_result(sc_set(self.handle(), &made, &args)))

    def set_get(self, uint32_t db, bytes key, bytes value, uint64_t expire_ms=0,
                uint32_t flags=0):
        cdef sc_key made = key_of(db, key)
        cdef bytes_sink sink = new_bytes_sink()
        cdef sc_set_args args
        cdef int status
        fill_set(&args, value, expire_ms, flags)
        args.old = &sink.sink
        status = sc_set(self.handle(), &made, &args)
        if status != SC_OK and status != SC_UNCHANGED:
            Py_XDECREF(sink.value)
            fail(status)
        return status == SC_OK, (sink_take(&sink) if sink.value != NULL else None)

    def incr(self, uint32_t db, bytes key, int64_t by=1):
        cdef sc_key made = key_of(db, key)
        return self.incr_raw(db, made.bytes, made.length, by)

    def append(self, uint32_t db, bytes key, bytes value):
        cdef sc_key made = key_of(db, key)
        if value is None:
            raise TypeError("a value must be bytes")
        return self.append_raw(db, made.bytes, made.length, PyBytes_AS_STRING(value),
                               PyBytes_GET_SIZE(value))

    def delete(self, uint32_t db, bytes key):
        cdef sc_key made = key_of(db, key)
        return bool(self.delete_raw(db, made.bytes, made.length))

    def get_delete(self, uint32_t db, bytes key):
        cdef sc_key made = key_of(db, key)
        cdef bytes_sink sink = new_bytes_sink()
        return sink_result(sc_get_delete(self.handle(), &made, &sink.sink), &sink)

    def expire(self, uint32_t db, bytes key, uint64_t expire_ms, uint32_t flags=0):
        cdef sc_key made = key_of(db, key)
        return expire_result(sc_expire(self.handle(), &made, expire_ms, flags))

    # ---- several keys, databases

    def transaction(self, keys, event=None):
        return Transaction(self, None if keys is None else list(keys), event)

    def feed(self):
        return Feed(self)

    def flush_db(self, int32_t db):
        cdef int status
        if db != -1:
            check_shown_db(db)
        status = sc_flush_db(self.handle(), db)
        if status != SC_OK:
            fail(status)

    def swap_db(self, uint32_t a, uint32_t b):
        cdef int status
        check_shown_db(a)
        check_shown_db(b)
        status = sc_swap_db(self.handle(), a, b)
        if status != SC_OK:
            fail(status)

    # ---- configuration in the arena

    def get_tuning(self):
        cdef sc_tuning tuning
        sc_get_tuning(self.handle(), &tuning)
        return Tuning(
            tuning.maxmemory, tuning.policy, tuning.samples, tuning.lfu_log_factor,
            tuning.lfu_decay_minutes, tuning.reserve_permille, tuning.hash_max_listpack_entries,
            tuning.hash_max_listpack_value, tuning.set_max_intset_entries,
            tuning.set_max_listpack_entries, tuning.set_max_listpack_value,
            tuning.zset_max_listpack_entries, tuning.zset_max_listpack_value,
            tuning.list_max_listpack_size, tuning.hll_sparse_max_bytes)

    def set_tuning(self, tuning):
        cdef sc_tuning own
        cdef int status
        (own.maxmemory, own.policy, own.samples, own.lfu_log_factor, own.lfu_decay_minutes,
         own.reserve_permille, own.hash_max_listpack_entries, own.hash_max_listpack_value,
         own.set_max_intset_entries, own.set_max_listpack_entries, own.set_max_listpack_value,
         own.zset_max_listpack_entries, own.zset_max_listpack_value,
         own.list_max_listpack_size, own.hll_sparse_max_bytes) = tuning
        status = sc_set_tuning(self.handle(), &own)
        if status != SC_OK:
            fail(status)

    @property
    def socket_path(self):
        cdef char path[112]
        sc_get_socket_path(self.handle(), path)
        return (<bytes>path).decode("utf-8", "surrogateescape")

    @socket_path.setter
    def socket_path(self, str path):
        cdef bytes encoded = path.encode("utf-8", "surrogateescape")
        cdef int status = sc_set_socket_path(self.handle(), encoded)
        if status == SC_SYNTAX:
            raise ValueError(f"socket path longer than 111 bytes: {path}")
        if status != SC_OK:
            fail(status)

    @property
    def name(self):
        cdef char name[64]
        sc_get_name(self.handle(), name)
        return (<bytes>name).decode("utf-8", "surrogateescape")

    def beat(self, uint32_t process):
        cdef int status = sc_beat(self.handle(), process, _getpid())
        if status != SC_OK:
            fail(status)

    def get_beat(self, uint32_t process):
        cdef uint64_t pid, beat_ms
        sc_get_beat(self.handle(), process, &pid, &beat_ms)
        return pid, beat_ms

    # ---- maintenance

    def sweep_slots(self):
        cdef uint32_t recovered = 0
        cdef int status = sc_sweep_slots(self.handle(), &recovered)
        if status != SC_OK:
            fail(status)
        return recovered

    def expire_cycle(self, uint64_t budget_us):
        cdef uint64_t deleted = 0
        cdef int status = sc_expire_cycle(self.handle(), budget_us, &deleted)
        if status != SC_OK:
            fail(status)
        return deleted

    def reserve_cycle(self, uint64_t budget_us):
        cdef int status = sc_reserve_cycle(self.handle(), budget_us)
        if status != SC_OK:
            fail(status)

    def tick(self):
        cdef int status = sc_tick(self.handle())
        if status != SC_OK:
            fail(status)

    def statistics(self):
        cdef sc_statistics s
        sc_get_statistics(self.handle(), &s)
        return Statistics(s.generation, s.created_ms, s.data_bytes, s.access_bytes, s.feed_bytes,
                          s.bus_bytes, s.heap_bytes, s.used_bytes, s.page_bytes, s.pages, s.free_pages, s.stripes, s.slots,
                          s.slots_used, s.keys, s.index_bytes, s.hits, s.misses, s.retries,
                          s.evicted, s.expired, s.max_key_bytes)

    def reset_statistics(self):
        cdef int status = sc_reset_statistics(self.handle())
        if status != SC_OK:
            fail(status)

    # ---- proofs and pictures

    def validate(self):
        text, status = self.text_of(True)
        if status not in (SC_OK, SC_CORRUPT):
            fail(status)
        return text.splitlines()

    def dump(self):
        return self.text_of(False)[0]

    cdef tuple text_of(self, bint validate):
        cdef char *room = NULL
        cdef size_t size = 0
        cdef int status
        cdef FILE *stream = open_memstream(&room, &size)
        if stream == NULL:
            raise MemoryError()
        if validate:
            status = sc_validate(self.handle(), stream)
        else:
            status = sc_dump(self.handle(), stream)
        fclose(stream)
        try:
            return PyBytes_FromStringAndSize(room, size).decode("utf-8", "replace"), status
        finally:
            free(room)


cdef int put_bulk(wire_buffer *out, bytes value) noexcept:
    cdef bulk_sink sink
    cdef char *room
    sink.sink.reserve = bulk_reserve
    sink.out = out
    sink.start = out.length
    room = bulk_reserve(&sink.sink, PyBytes_GET_SIZE(value))
    if room == NULL:
        return -1
    memcpy(room, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
    return 0


def hash64(bytes data not None, uint64_t seed=0):
    return sc_hash(PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), seed)


def format_arena(int data_fd, int access_fd, int feed_fd, int bus_fd, str name not None,
                 uint64_t hash_seed):
    cdef bytes encoded = name.encode("utf-8")
    cdef sc_segment_fds fds = fds_of(data_fd, access_fd, feed_fd, bus_fd)
    cdef int status = sc_arena_format(&fds, encoded, hash_seed)
    if status != SC_OK:
        fail(status)


def segment_sizes(uint64_t data_bytes):
    return SegmentSizes(data_bytes, sc_access_bytes(data_bytes), sc_feed_bytes(data_bytes),
                        sc_bus_bytes(data_bytes))


def min_data_bytes():
    return sc_min_data_bytes()


include "_writes.pxi"
include "_compiled.pxi"
include "_transaction.pxi"
include "_bus.pxi"
include "_feed.pxi"
