"""The short ways that write hashes, sets, lists and sorted sets: part of _inprocess.pyx."""

cdef enum:
    FEW_ITEMS = 8   # that need no memory of their own

cdef struct item_array:
    sc_bytes *spans
    value_argument *arguments
    Py_ssize_t count
    sc_bytes few_spans[FEW_ITEMS]
    value_argument few_arguments[FEW_ITEMS]


cdef bint take_items(InProcess self, PyObject *const *arguments, Py_ssize_t count,
                     item_array *out) except -1:
    """Fields, members, values: what redis-py would send for them. False: the long way.

    To be given back by drop_items.
    """
    cdef Py_ssize_t index
    out.count = 0
    out.spans = out.few_spans
    out.arguments = out.few_arguments
    if count > FEW_ITEMS:
        out.spans = <sc_bytes *>PyMem_Malloc(count * (sizeof(sc_bytes) + sizeof(value_argument)))
        if out.spans == NULL:
            raise MemoryError
        out.arguments = <value_argument *>(out.spans + count)
    try:
        for index in range(count):
            if not take_value(self, arguments[index], &out.arguments[index]):
                drop_items(out)
                return False
            out.count += 1
            out.spans[index].bytes = out.arguments[index].text.bytes
            out.spans[index].length = out.arguments[index].text.length
    except:
        drop_items(out)
        raise
    return True


cdef inline void drop_items(item_array *items) noexcept:
    cdef Py_ssize_t index
    for index in range(items.count):
        Py_XDECREF(items.arguments[index].owned)
    if items.spans != items.few_spans:
        PyMem_Free(items.spans)


cdef inline bint take_written_key(const inprocess_call *call, sc_key *key) except -1:
    return client_of(call).writable and take_key(call, key)


ctypedef int (*write_function)(Arena arena, const sc_key *key, change *how) except -1


cdef bint write_items(const inprocess_call *call, write_function write, change *how,
                      PyObject *const *arguments, Py_ssize_t count) except -1:
    """False: the long way."""
    cdef sc_key key
    cdef item_array items
    self = client_of(call)
    if not take_written_key(call, &key) or not take_items(self, arguments, count, &items):
        return False
    arena = self.arena
    how.items = items.spans
    how.count = count
    try:
        write(arena, &key, how)
    finally:
        drop_items(&items)
    return True


cdef inline PyObject *write_rest(const inprocess_call *call, write_function write,
                                 change *how) except? NULL:
    """Everything behind the key; gives the resulting number."""
    if call.names != NULL or call.count < 2:
        return NULL
    if not write_items(call, write, how, call.args + 1, call.count - 1):
        return NULL
    return give(how.result)


# ---- hashes and sets -------------------------------------------------------------------------------

cdef PyObject *short_hset "short_hset"(const inprocess_call *call) except? NULL:
    """``hset(name, key, value)`` and ``hset(name, mapping={...})``."""
    cdef change how
    if call.names != NULL:
        return hset_mapping(call)
    if call.count != 3:
        return NULL
    how = new_change(SC_HASH, NULL, 0)
    return write_rest(call, core.write_members, &how)


cdef PyObject *hset_mapping(const inprocess_call *call) except? NULL:
    cdef change how = new_change(SC_HASH, NULL, 0)
    cdef tuple flat
    if call.count != 1 or PyTuple_GET_SIZE(<tuple>call.names) != 1:
        return NULL
    if <str>PyTuple_GET_ITEM(<tuple>call.names, 0) != "mapping":
        return NULL
    if not PyDict_CheckExact(<object>call.args[1]):
        return NULL
    flat = flattened(<dict>call.args[1])
    if not flat or not write_items(call, core.write_members, &how, items_of(flat), len(flat)):
        return NULL
    return give(how.result)


cdef tuple flattened(dict mapping):
    """Keys and values in turn, held fast: another thread may change the dict meanwhile."""
    flat = []
    for name, value in mapping.items():
        flat.append(name)
        flat.append(value)
    return tuple(flat)


cdef PyObject *remove(const inprocess_call *call, int kind) except? NULL:
    """Without memory for all at once: the long way, which takes out one after the other."""
    cdef change how = new_change(kind, NULL, 0)
    try:
        return write_rest(call, core.remove_members, &how)
    except OutOfMemory:
        return NULL


cdef PyObject *short_hdel "short_hdel"(const inprocess_call *call) except? NULL:
    return remove(call, SC_HASH)


cdef PyObject *short_hincrby "short_hincrby"(const inprocess_call *call) except? NULL:
    """Not a number, or too large a sum: the long way, to the error that says so."""
    cdef sc_key key
    cdef span field
    cdef sc_bytes name
    cdef change how = new_change(SC_HASH, &name, 1)
    how.by = 1
    if call.names != NULL or call.count < 2 or call.count > 3:
        return NULL
    if call.count == 3 and not take_integer(call.args[2], &how.by):
        return NULL
    self = client_of(call)
    if not self.point(call.args[1], &field) or not take_written_key(call, &key):
        return NULL
    name.bytes = field.bytes
    name.length = field.length
    arena = self.arena
    if core.increment_field(arena, &key, &how) == SC_UNCHANGED:
        return NULL
    return give(<int64_t>how.result)


cdef PyObject *short_sadd "short_sadd"(const inprocess_call *call) except? NULL:
    cdef change how = new_change(SC_SET, NULL, 0)
    return write_rest(call, core.write_members, &how)


cdef PyObject *short_srem "short_srem"(const inprocess_call *call) except? NULL:
    return remove(call, SC_SET)


# ---- lists ---------------------------------------------------------------------------------------

cdef PyObject *push(const inprocess_call *call, bint left) except? NULL:
    cdef change how = new_change(SC_LIST, NULL, 0)
    how.at_head = left
    return write_rest(call, core.push_elements, &how)


cdef PyObject *short_lpush "short_lpush"(const inprocess_call *call) except? NULL:
    return push(call, True)


cdef PyObject *short_rpush "short_rpush"(const inprocess_call *call) except? NULL:
    return push(call, False)


cdef PyObject *pop(const inprocess_call *call, bint left) except? NULL:
    """``lpop(name)`` and ``lpop(name, count)``."""
    cdef sc_key key
    cdef change how
    cdef list taken = []
    cdef list_sink sink
    cdef int64_t count = 1
    cdef int status
    if call.names != NULL or call.count < 1 or call.count > 2:
        return NULL
    if call.count == 2 and (not take_integer(call.args[1], &count) or count <= 0):
        return NULL
    if not take_written_key(call, &key):
        return NULL
    self = client_of(call)
    arena = self.arena
    sink = new_list_sink(taken)
    how = new_change(SC_LIST, NULL, count)
    how.at_head = left
    how.taken = &sink.base
    try:
        status = core.pop_elements(arena, &key, &how)
    except OutOfMemory:
        return NULL
    if status == SC_MISS:
        return give(None)
    return give(shown(self, taken[0]) if call.count == 1 else all_shown(self, taken))


cdef PyObject *short_lpop "short_lpop"(const inprocess_call *call) except? NULL:
    return pop(call, True)


cdef PyObject *short_rpop "short_rpop"(const inprocess_call *call) except? NULL:
    return pop(call, False)


# ---- sorted sets ---------------------------------------------------------------------------------

cdef inline bint take_score(PyObject *argument, double *out) noexcept:
    """An exact float or int; no number at all, and what is too large, goes the long way."""
    cdef int64_t integer
    if PyFloat_CheckExact(<object>argument):
        out[0] = PyFloat_AS_DOUBLE(<object>argument)
        return out[0] == out[0]
    if take_integer(argument, &integer):
        out[0] = <double>integer
        return True
    return False


cdef PyObject *short_zadd "short_zadd"(const inprocess_call *call) except? NULL:
    """``zadd(name, {member: score, ...})``."""
    cdef change how = new_change(SC_ZSET, NULL, 0)
    cdef dict mapping
    cdef Py_ssize_t position = 0
    cdef PyObject *member
    cdef PyObject *number
    cdef double score
    if not positional(call, 2) or not PyDict_CheckExact(<object>call.args[1]):
        return NULL
    mapping = <dict>call.args[1]
    if PyDict_Size(mapping) != 1:
        return zadd_many(call, mapping)
    PyDict_Next(mapping, &position, &member, &number)
    held = <object>member  # another thread may change the dict meanwhile
    if not take_score(number, &score):
        return NULL
    how.scores = &score
    return give(how.result) if write_items(call, core.add_scored, &how, &member, 1) else NULL


cdef PyObject *zadd_many(const inprocess_call *call, dict mapping) except? NULL:
    cdef change how = new_change(SC_ZSET, NULL, 0)
    cdef tuple members = tuple(mapping)
    cdef tuple scores = tuple(mapping.values())
    cdef Py_ssize_t index, count = len(members)
    cdef double *doubles
    if count == 0 or len(scores) != count:
        return NULL
    doubles = <double *>PyMem_Malloc(count * sizeof(double))
    if doubles == NULL:
        raise MemoryError
    try:
        for index in range(count):
            if not take_score(PyTuple_GET_ITEM(scores, index), &doubles[index]):
                return NULL
        how.scores = doubles
        if not write_items(call, core.add_scored, &how, items_of(members), count):
            return NULL
    finally:
        PyMem_Free(doubles)
    return give(how.result)


cdef PyObject *short_zincrby "short_zincrby"(const inprocess_call *call) except? NULL:
    cdef change how = new_change(SC_ZSET, NULL, 0)
    cdef double by
    if not positional(call, 3) or not take_score(call.args[1], &by):
        return NULL
    how.flags = SC_ZADD_INCR
    how.scores = &by
    if not write_items(call, core.add_scored, &how, call.args + 2, 1):
        return NULL
    return give(how.score)
