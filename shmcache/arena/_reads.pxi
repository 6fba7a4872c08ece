# Reads of containers. Part of _arena.pyx.
#
# A read goes round until what it saw was whole:
#
#     session = self.session_for(&own)
#     while True:
#         status = ... into sinks that start over ...
#         if whole(session, &own, &status):
#             break
#
# Nothing in the loop raises. In somebody else's session, a view's or a transaction's, there is one
# round; whether that was whole, its owner finds out.

cdef dict TYPES = {"list": SC_LIST, "set": SC_SET, "zset": SC_ZSET, "hash": SC_HASH,
                   "stream": SC_STREAM}
cdef uint64_t NO_LIMIT = <uint64_t>-1


cdef inline bint whole(sc_session *session, sc_session *own, int *status) noexcept:
    """Whether the round counts; then the session is over."""
    if session != own:
        return True
    if sc_session_again(own, status):
        PyErr_Clear()  # of a sink that was asked for more than there is, in a torn round
        return False
    sc_session_end(own)
    return True


cdef inline int settled(int status) except -1:
    """1 there is one, 0 there is not."""
    if status == SC_OK:
        return 1
    if status != SC_MISS:
        fail(status)
    return 0


cdef inline sc_bytes bytes_of(const wire_span *span) noexcept:
    cdef sc_bytes made
    made.bytes = span.bytes
    made.length = span.length
    return made


cdef int type_of(object kind) except -1:
    number = TYPES.get(kind)
    if number is None:
        raise ValueError(f"not a container: {kind!r}")
    return number


# ---- several members at once, in one round -------------------------------------------------------

cdef int append_object(PyObject *values, PyObject *value) noexcept:
    return SC_OK if _PyList_Append(values, value) == 0 else SC_NO_MEMORY


cdef int find_values(sc_session *session, const sc_key *key, const span_array *fields,
                     PyObject *values) noexcept:
    cdef bytes_sink sink
    cdef size_t i
    cdef int status
    for i in range(fields.count):
        sink = new_bytes_sink()
        status = sc_map_find(session, key, SC_HASH, fields.spans[i], &sink.sink)
        if status == SC_OK:
            status = append_object(values, sink.value)
        elif status == SC_MISS:
            status = append_object(values, Py_None)
        Py_XDECREF(sink.value)
        if status != SC_OK:
            return status
    return SC_OK


cdef int find_members(sc_session *session, const sc_key *key, const span_array *members,
                      PyObject *values) noexcept:
    cdef size_t i
    cdef int status
    for i in range(members.count):
        status = sc_map_find(session, key, SC_SET, members.spans[i], NULL)
        if status == SC_OK:
            status = append_object(values, Py_True)
        elif status == SC_MISS:
            status = append_object(values, Py_False)
        if status != SC_OK:
            return status
    return SC_OK


cdef int find_scores(sc_session *session, const sc_key *key, const span_array *members,
                     PyObject *values) noexcept:
    cdef list_sink sink
    cdef double score
    cdef size_t i
    cdef int status
    sink.values = values
    for i in range(members.count):
        score = 0
        status = sc_zset_score(session, key, members.spans[i], &score)
        if status == SC_OK:
            status = SC_OK if list_score(&sink.base.items, score) else SC_NO_MEMORY
        elif status == SC_MISS:
            status = append_object(values, Py_None)
        if status != SC_OK:
            return status
    return SC_OK


cdef int find_expiries(sc_session *session, const sc_key *key, const span_array *fields,
                       PyObject *values) noexcept:
    cdef list_sink sink
    cdef uint64_t expire_ms
    cdef size_t i
    cdef int status = sc_length(session, key, SC_HASH, &expire_ms)
    sink.values = values
    for i in range(fields.count):
        if status != SC_OK:
            return status
        expire_ms = 0
        status = sc_map_expiry(session, key, fields.spans[i], &expire_ms)
        if status == SC_OK:
            if not list_append(&sink, _PyLong_New(expire_ms)):
                status = SC_NO_MEMORY
        elif status == SC_MISS:
            status = append_object(values, Py_None)
    return status


ctypedef int (*find_many)(sc_session *session, const sc_key *key, const span_array *names,
                          PyObject *values) noexcept

cdef list find_all(Reads reads, uint32_t db, bytes key, names, find_many find):
    """What `find` says of each name, or None when it says there is no key."""
    cdef tuple held = tuple(names)
    cdef list values = []
    cdef sc_key made = key_of(db, key)
    cdef list_sink sink = new_list_sink(values)
    cdef span_array spans
    cdef sc_session own
    cdef sc_session *session
    cdef int status
    take_spans(&spans, held)
    try:
        session = reads.session_for(&own)
        while True:
            list_restart(&sink.base)
            status = find(session, &made, &spans, sink.values)
            if whole(session, &own, &status):
                break
    finally:
        drop_spans(&spans)
    return values if settled(status) else None


cdef list members_of(Reads reads, uint32_t db, bytes key, int type, uint32_t what):
    cdef list values = []
    cdef list_sink sink = new_list_sink(values)
    cdef sc_key made = key_of(db, key)
    cdef sc_session own
    cdef sc_session *session = reads.session_for(&own)
    cdef int status
    while True:
        list_restart(&sink.base)
        status = sc_map_all(session, &made, type, what, &sink.base.items)
        if whole(session, &own, &status):
            break
    settled(status)
    return values


cdef tuple scan_members(Reads reads, uint32_t db, bytes key, int type, uint64_t cursor,
                        uint64_t count, uint32_t what):
    cdef list values = []
    cdef list_sink sink = new_list_sink(values)
    cdef sc_key made = key_of(db, key)
    cdef uint64_t at
    cdef sc_session own
    cdef sc_session *session = reads.session_for(&own)
    cdef int status
    while True:
        at = cursor
        list_restart(&sink.base)
        status = sc_map_scan(session, &made, type, &at, count, what, &sink.base.items)
        if whole(session, &own, &status):
            break
    return (at, values) if settled(status) else (0, values)


cdef list random_members(Reads reads, uint32_t db, bytes key, int type, uint64_t count,
                         bint distinct, uint32_t what):
    cdef list values = []
    cdef list_sink sink = new_list_sink(values)
    cdef sc_key made = key_of(db, key)
    cdef sc_session own
    cdef sc_session *session = reads.session_for(&own)
    cdef int status
    while True:
        list_restart(&sink.base)
        status = sc_map_random(session, &made, type, count, distinct, what, &sink.base.items)
        if whole(session, &own, &status):
            break
    settled(status)
    return values


cdef list ranked_members(Reads reads, uint32_t db, bytes key, uint64_t first, uint64_t count,
                         bint reverse, uint32_t what):
    cdef list values = []
    cdef list_sink sink = new_list_sink(values)
    cdef sc_key made = key_of(db, key)
    cdef sc_session own
    cdef sc_session *session = reads.session_for(&own)
    cdef int status
    while True:
        list_restart(&sink.base)
        status = sc_zset_range(session, &made, first, count, reverse, what, &sink.base.items)
        if whole(session, &own, &status):
            break
    settled(status)
    return values


cdef class Reads:
    cdef sc_session *session_for(self, sc_session *own) except NULL:
        raise TypeError(f"nothing can be read of a {type(self).__name__} of its own")

    cdef int carry_out(self, const sc_key *key, write_step step, void *how) except -1:
        raise TypeError(f"a {type(self).__name__} does not write")

    def length(self, uint32_t db, bytes key, kind):
        cdef sc_key made = key_of(db, key)
        cdef int type = type_of(kind)
        cdef uint64_t length = 0
        cdef sc_session own
        cdef sc_session *session = self.session_for(&own)
        cdef int status
        while True:
            status = sc_length(session, &made, type, &length)
            if whole(session, &own, &status):
                break
        return length if settled(status) else 0

    def fingerprint(self, uint32_t db, bytes key):
        cdef sc_key made = key_of(db, key)
        cdef uint64_t print = 0
        cdef sc_session own
        cdef sc_session *session = self.session_for(&own)
        cdef int status
        while True:
            status = sc_fingerprint(session, &made, &print)
            if whole(session, &own, &status):
                break
        return print if settled(status) else 0

    # ---- hashes

    def hash_get(self, uint32_t db, bytes key, bytes field):
        cdef sc_key made = key_of(db, key)
        cdef sc_bytes name = span_of(field)
        cdef bytes_sink sink = new_bytes_sink()
        cdef sc_session own
        cdef sc_session *session = self.session_for(&own)
        cdef int status
        while True:
            status = sc_map_find(session, &made, SC_HASH, name, &sink.sink)
            if whole(session, &own, &status):
                break
        return sink_result(status, &sink)

    def hash_get_many(self, uint32_t db, bytes key, fields):
        return find_all(self, db, key, fields, find_values)

    def hash_all(self, uint32_t db, bytes key):
        return members_of(self, db, key, SC_HASH, SC_FIELDS | SC_VALUES)

    def hash_fields(self, uint32_t db, bytes key):
        return members_of(self, db, key, SC_HASH, SC_FIELDS)

    def hash_values(self, uint32_t db, bytes key):
        return members_of(self, db, key, SC_HASH, SC_VALUES)

    def hash_scan(self, uint32_t db, bytes key, uint64_t cursor, uint64_t count):
        return scan_members(self, db, key, SC_HASH, cursor, count, SC_FIELDS | SC_VALUES)

    def hash_random(self, uint32_t db, bytes key, uint64_t count, *, bint distinct):
        return random_members(self, db, key, SC_HASH, count, distinct, SC_FIELDS | SC_VALUES)

    def hash_expiries(self, uint32_t db, bytes key, fields):
        return find_all(self, db, key, fields, find_expiries)

    # ---- sets

    def set_has(self, uint32_t db, bytes key, members):
        return find_all(self, db, key, members, find_members)

    def set_members(self, uint32_t db, bytes key):
        return members_of(self, db, key, SC_SET, SC_FIELDS)

    def set_scan(self, uint32_t db, bytes key, uint64_t cursor, uint64_t count):
        return scan_members(self, db, key, SC_SET, cursor, count, SC_FIELDS)

    def set_random(self, uint32_t db, bytes key, uint64_t count, *, bint distinct):
        return random_members(self, db, key, SC_SET, count, distinct, SC_FIELDS)

    # ---- lists

    def list_at(self, uint32_t db, bytes key, int64_t index):
        cdef sc_key made = key_of(db, key)
        cdef bytes_sink sink = new_bytes_sink()
        cdef sc_session own
        cdef sc_session *session = self.session_for(&own)
        cdef int status
        while True:
            status = sc_list_at(session, &made, index, &sink.sink)
            if whole(session, &own, &status):
                break
        return sink_result(status, &sink)

    def list_range(self, uint32_t db, bytes key, int64_t start, int64_t stop):
        cdef list values = []
        cdef list_sink sink = new_list_sink(values)
        cdef sc_key made = key_of(db, key)
        cdef sc_session own
        cdef sc_session *session = self.session_for(&own)
        cdef int status
        while True:
            list_restart(&sink.base)
            status = sc_list_range(session, &made, start, stop, &sink.base.items)
            if whole(session, &own, &status):
                break
        settled(status)
        return values

    # ---- sorted sets

    def zset_scores(self, uint32_t db, bytes key, members):
        return find_all(self, db, key, members, find_scores)

    def zset_rank(self, uint32_t db, bytes key, bytes member):
        cdef sc_key made = key_of(db, key)
        cdef sc_bytes name = span_of(member)
        cdef uint64_t rank = 0
        cdef double score = 0
        cdef sc_session own
        cdef sc_session *session = self.session_for(&own)
        cdef int status
        while True:
            status = sc_zset_rank(session, &made, name, &rank, &score)
            if whole(session, &own, &status):
                break
        return (rank, score) if settled(status) else None

    def zset_members(self, uint32_t db, bytes key, uint64_t first, uint64_t count,
                     bint reverse=False):
        return ranked_members(self, db, key, first, count, reverse, SC_FIELDS)

    def zset_range(self, uint32_t db, bytes key, uint64_t first, uint64_t count,
                   bint reverse=False):
        return in_pairs(
            ranked_members(self, db, key, first, count, reverse, SC_FIELDS | SC_VALUES)
        )

    def zset_seek(self, uint32_t db, bytes key, double score, bint including):
        cdef sc_key made = key_of(db, key)
        cdef uint64_t rank = 0
        cdef sc_session own
        cdef sc_session *session = self.session_for(&own)
        cdef int status
        while True:
            status = sc_zset_seek(session, &made, score, including, &rank)
            if whole(session, &own, &status):
                break
        return rank if settled(status) else 0

    def zset_seek_lex(self, uint32_t db, bytes key, bytes member, bint including):
        cdef sc_key made = key_of(db, key)
        cdef sc_bytes name = span_of(member)
        cdef uint64_t rank = 0
        cdef sc_session own
        cdef sc_session *session = self.session_for(&own)
        cdef int status
        while True:
            status = sc_zset_seek_lex(session, &made, name, including, &rank)
            if whole(session, &own, &status):
                break
        return rank if settled(status) else 0

    def zset_scan(self, uint32_t db, bytes key, uint64_t cursor, uint64_t count):
        at, flat = scan_members(self, db, key, SC_ZSET, cursor, count, SC_FIELDS | SC_VALUES)
        return at, in_pairs(flat)

    def zset_random(self, uint32_t db, bytes key, uint64_t count, *, bint distinct):
        return in_pairs(
            random_members(self, db, key, SC_ZSET, count, distinct, SC_FIELDS | SC_VALUES)
        )

    # ---- streams

    def stream_meta(self, uint32_t db, bytes key):
        cdef sc_key made = key_of(db, key)
        cdef char meta[SC_STREAM_META]
        cdef sc_session own
        cdef sc_session *session = self.session_for(&own)
        cdef int status
        while True:
            status = sc_stream_meta(session, &made, meta)
            if whole(session, &own, &status):
                break
        return PyBytes_FromStringAndSize(meta, SC_STREAM_META) if settled(status) else None

    def tree_get(self, uint32_t db, bytes key, uint32_t tree, bytes name):
        cdef sc_key made = key_of(db, key)
        cdef sc_bytes span = span_of(name)
        cdef bytes_sink sink = new_bytes_sink()
        cdef sc_session own
        cdef sc_session *session
        cdef int status
        check_tree(tree)
        session = self.session_for(&own)
        while True:
            status = sc_tree_get(session, &made, tree, span, &sink.sink)
            if whole(session, &own, &status):
                break
        return sink_result(status, &sink)

    def tree_range(self, uint32_t db, bytes key, uint32_t tree, bytes least, bytes most,
                   int64_t limit=-1, bint reverse=False):
        cdef list values = []
        cdef list_sink sink = new_list_sink(values)
        cdef sc_key made = key_of(db, key)
        cdef sc_bytes low = span_of(least)
        cdef sc_bytes high = span_of(most)
        cdef sc_session own
        cdef sc_session *session
        cdef int status
        check_tree(tree)
        session = self.session_for(&own)
        while True:
            list_restart(&sink.base)
            status = sc_tree_range(session, &made, tree, low, high, limit_of(limit), reverse,
                                   &sink.base.items)
            if whole(session, &own, &status):
                break
        settled(status)
        return in_pairs(values)

    def tree_count(self, uint32_t db, bytes key, uint32_t tree, bytes least, bytes most):
        cdef sc_key made = key_of(db, key)
        cdef sc_bytes low = span_of(least)
        cdef sc_bytes high = span_of(most)
        cdef uint64_t count = 0
        cdef sc_session own
        cdef sc_session *session
        cdef int status
        check_tree(tree)
        session = self.session_for(&own)
        while True:
            status = sc_tree_count(session, &made, tree, low, high, &count)
            if whole(session, &own, &status):
                break
        return count if settled(status) else 0


cdef inline int check_tree(uint32_t tree) except -1:
    if tree >= SC_STREAM_TREES:
        raise ValueError(f"a stream has {SC_STREAM_TREES} trees")
    return 0


cdef inline uint64_t limit_of(int64_t limit) noexcept:
    return NO_LIMIT if limit < 0 else <uint64_t>limit
