"""The short ways that read hashes, sets, lists and sorted sets: part of _inprocess.pyx."""

cdef inline bint take_key(const inprocess_call *call, sc_key *out) except -1:
    """The first argument. False: the long way."""
    cdef span key
    self = client_of(call)
    if not self.key(call.args[0], &key) or not self.ready():
        return False
    out[0] = make_key(self.db, key.bytes, <uint32_t>key.length)
    return True


cdef inline bint take_key_and_name(const inprocess_call *call, sc_key *key,
                                   span *name) except -1:
    """A key and a field or member, and nothing else."""
    return (positional(call, 2) and client_of(call).point(call.args[1], name)
            and take_key(call, key))


cdef inline uint64_t hash_of(const inprocess_call *call) noexcept:
    """Of a key and a name, if their objects carry theirs."""
    return core.pair_hash(inprocess_key_hash(call.args[0]), inprocess_key_hash(call.args[1]))


cdef inline object shown(InProcess self, object value):
    return value if self.decode == CODEC_BYTES else self.decoded(value)


cdef list all_shown(InProcess self, list values):
    """The same list, unless its bytes have to become text."""
    if self.decode == CODEC_BYTES:
        return values
    return [self.decoded(value) for value in values]


cdef PyObject *length_of(const inprocess_call *call, int kind) except? NULL:
    cdef sc_key key
    if not positional(call, 1) or not take_key(call, &key):
        return NULL
    return give(core.read_length(client_of(call).arena, &key, kind))


cdef PyObject *short_hlen "short_hlen"(const inprocess_call *call) except? NULL:
    return length_of(call, SC_HASH)


cdef PyObject *short_scard "short_scard"(const inprocess_call *call) except? NULL:
    return length_of(call, SC_SET)


cdef PyObject *short_llen "short_llen"(const inprocess_call *call) except? NULL:
    return length_of(call, SC_LIST)


cdef PyObject *short_zcard "short_zcard"(const inprocess_call *call) except? NULL:
    return length_of(call, SC_ZSET)


# ---- hashes and sets -------------------------------------------------------------------------------

cdef PyObject *short_hget "short_hget"(const inprocess_call *call) except? NULL:
    cdef sc_key key
    cdef span field
    cdef PyObject *value
    if not take_key_and_name(call, &key, &field):
        return NULL
    self = client_of(call)
    value = core.field_value(self.arena, &key, <const wire_span *>&field, hash_of(call))
    return value if self.decode == CODEC_BYTES else decoded_reference(self, value)


cdef PyObject *short_hmget "short_hmget"(const inprocess_call *call) except? NULL:
    """``hmget(name, [field, ...])`` and ``hmget(name, field, ...)``."""
    cdef sc_key key
    if call.names != NULL or call.count < 2:
        return NULL
    fields = <object>call.args[1]
    if call.count > 2 or type(fields) not in (list, tuple):
        fields = [<object>call.args[index] for index in range(1, call.count)]
    if not fields or not take_key(call, &key):
        return NULL
    self = client_of(call)
    values = values_of_fields(self, &key, tuple(fields))
    return NULL if values is None else give(all_shown(self, values))


cdef list values_of_fields(InProcess self, const sc_key *key, tuple fields):
    """None when one of the fields needs redis-py's encoder."""
    cdef span field
    cdef Py_ssize_t index, count = len(fields)
    cdef wire_span *spans = <wire_span *>PyMem_Malloc(count * sizeof(wire_span))
    if spans == NULL:
        raise MemoryError
    try:
        for index in range(count):
            if not self.point(PyTuple_GET_ITEM(fields, index), &field):
                return None
            spans[index].bytes = field.bytes
            spans[index].length = field.length
        return core.field_values(self.arena, key, spans, count)
    finally:
        PyMem_Free(spans)


cdef PyObject *short_hgetall "short_hgetall"(const inprocess_call *call) except? NULL:
    cdef sc_key key
    cdef list flat = []
    cdef list_sink sink
    cdef dict fields = {}
    cdef Py_ssize_t index
    if not positional(call, 1) or not take_key(call, &key):
        return NULL
    self = client_of(call)
    sink = new_list_sink(flat)
    core.read_members(self.arena, &key, SC_HASH, SC_FIELDS | SC_VALUES, &sink.base)
    flat = all_shown(self, flat)
    for index in range(0, len(flat) - 1, 2):
        fields[flat[index]] = flat[index + 1]
    return give(fields)


cdef PyObject *short_hexists "short_hexists"(const inprocess_call *call) except? NULL:
    cdef sc_key key
    cdef span field
    if not take_key_and_name(call, &key, &field):
        return NULL
    arena = client_of(call).arena
    found = core.has_member(arena, &key, SC_HASH, <const wire_span *>&field, hash_of(call))
    return give(True if found else False)


cdef PyObject *short_sismember "short_sismember"(const inprocess_call *call) except? NULL:
    cdef sc_key key
    cdef span member
    if not take_key_and_name(call, &key, &member):
        return NULL
    arena = client_of(call).arena
    return give(core.has_member(arena, &key, SC_SET, <const wire_span *>&member, hash_of(call)))


cdef PyObject *short_smembers "short_smembers"(const inprocess_call *call) except? NULL:
    cdef sc_key key
    cdef list members = []
    cdef list_sink sink
    if not positional(call, 1) or not take_key(call, &key):
        return NULL
    self = client_of(call)
    sink = new_list_sink(members)
    core.read_members(self.arena, &key, SC_SET, SC_FIELDS, &sink.base)
    return give(set(all_shown(self, members)))


# ---- lists ---------------------------------------------------------------------------------------

cdef PyObject *short_lindex "short_lindex"(const inprocess_call *call) except? NULL:
    cdef sc_key key
    cdef int64_t index
    cdef PyObject *value
    if not positional(call, 2) or not take_integer(call.args[1], &index):
        return NULL
    if not take_key(call, &key):
        return NULL
    self = client_of(call)
    hash = core.pair_hash(inprocess_key_hash(call.args[0]), index if index != -1 else INT64_MIN)
    value = core.element_at(self.arena, &key, index, hash)
    return value if self.decode == CODEC_BYTES else decoded_reference(self, value)


cdef PyObject *short_lrange "short_lrange"(const inprocess_call *call) except? NULL:
    cdef sc_key key
    cdef int64_t start, stop
    cdef list elements = []
    cdef list_sink sink
    if not positional(call, 3) or not take_integer(call.args[1], &start):
        return NULL
    if not take_integer(call.args[2], &stop) or not take_key(call, &key):
        return NULL
    self = client_of(call)
    sink = new_list_sink(elements)
    core.read_elements(self.arena, &key, start, stop, &sink.base)
    return give(all_shown(self, elements))


# ---- sorted sets ---------------------------------------------------------------------------------

cdef PyObject *short_zscore "short_zscore"(const inprocess_call *call) except? NULL:
    cdef sc_key key
    cdef span member
    cdef double score = 0
    if not take_key_and_name(call, &key, &member):
        return NULL
    arena = client_of(call).arena
    if not core.score_of(arena, &key, <const wire_span *>&member, hash_of(call), &score):
        return give(None)
    return give(score)


cdef PyObject *short_zrank "short_zrank"(const inprocess_call *call) except? NULL:
    cdef sc_key key
    cdef span member
    cdef uint64_t rank = 0
    cdef double score = 0
    if not take_key_and_name(call, &key, &member):
        return NULL
    arena = client_of(call).arena
    if not core.read_rank(arena, &key, <const wire_span *>&member, &rank, &score):
        return give(None)
    return give(rank)


cdef bint takes_scores(const inprocess_call *call, bint *with_scores) noexcept:
    """Whether the keywords are ``withscores`` or none at all."""
    cdef PyObject *value
    with_scores[0] = False
    if call.names == NULL:
        return True
    if PyTuple_GET_SIZE(<tuple>call.names) != 1:
        return False
    value = call.args[call.count]
    with_scores[0] = value == Py_True
    if value != Py_True and value != Py_False:
        return False
    return <str>PyTuple_GET_ITEM(<tuple>call.names, 0) == "withscores"


cdef PyObject *short_zrange "short_zrange"(const inprocess_call *call) except? NULL:
    """``zrange(name, start, end)`` and ``zrange(name, start, end, withscores=True)``."""
    cdef sc_key key
    cdef int64_t start, stop
    cdef bint with_scores
    cdef list flat = []
    cdef list_sink sink
    if call.count != 3 or not takes_scores(call, &with_scores):
        return NULL
    if not take_integer(call.args[1], &start) or not take_integer(call.args[2], &stop):
        return NULL
    self = client_of(call)
    if (with_scores and self.score_pair is None) or not take_key(call, &key):
        return NULL
    sink = new_list_sink(flat)
    core.read_ranks(self.arena, &key, start, stop, False,
                    SC_FIELDS | SC_VALUES if with_scores else SC_FIELDS, &sink.base)
    return give(scored_pairs(self, flat) if with_scores else all_shown(self, flat))


cdef list scored_pairs(InProcess self, list flat):
    """What redis-py makes of members and scores in turn."""
    cdef Py_ssize_t index
    cdef bint as_lists = self.score_pair is list
    cdef list pairs = []
    for index in range(0, len(flat) - 1, 2):
        member = shown(self, flat[index])
        pairs.append([member, flat[index + 1]] if as_lists else (member, flat[index + 1]))
    return pairs
