"""The short ways that read: part of _inprocess.pyx."""

cdef PyObject *short_get "short_get"(const inprocess_call *call) except? NULL:
    if not positional(call, 1):
        return NULL
    return get_one(<InProcess>call.self, call.args[0])


cdef inline PyObject *get_one(InProcess self, PyObject *argument) except? NULL:
    """GET. Counts no reference to the arena: see InProcess.former."""
    cdef span key
    cdef Py_hash_t key_hash
    cdef PyObject *value
    if not self.key(argument, &key) or not self.ready():
        return NULL
    key_hash = inprocess_key_hash(argument)
    if key_hash != -1:
        value = self.arena.get_hinted(self.db, key.bytes, <uint32_t>key.length, <size_t>key_hash)
    else:
        value = give(self.arena.get_raw(self.db, key.bytes, <uint32_t>key.length))
    if self.decode != CODEC_BYTES:
        return decoded_reference(self, value)
    return value


cdef PyObject *decoded_reference(InProcess self, PyObject *value) except NULL:
    try:
        return give(self.decoded(<object>value))
    finally:
        Py_XDECREF(value)


cdef PyObject *short_mget "short_mget"(const inprocess_call *call) except? NULL:
    """``mget([key, ...])`` and ``mget(key, ...)``."""
    self = client_of(call)
    if call.names != NULL or call.count == 0 or not self.ready():
        return NULL
    keys = <object>call.args[0]
    if call.count > 1 or type(keys) not in (list, tuple):
        keys = [<object>call.args[index] for index in range(call.count)]
    values = get_many(self, tuple(keys))
    if values is None:
        return NULL
    if self.decode != CODEC_BYTES:
        values = [self.decoded(value) for value in values]
    return give(values)


cdef list get_many(InProcess self, tuple keys):
    """None when there are no keys, or one of them needs redis-py's encoder.

    :param keys: a tuple, which no other thread can change
    """
    cdef wire_span *spans
    cdef span key
    cdef Py_ssize_t index, count = len(keys)
    if count == 0:
        return None
    spans = <wire_span *>PyMem_Malloc(count * sizeof(wire_span))
    if spans == NULL:
        raise MemoryError
    try:
        for index in range(count):
            if not self.key(PyTuple_GET_ITEM(keys, index), &key):
                return None
            spans[index].bytes = key.bytes
            spans[index].length = key.length
        arena = self.arena
        return arena.many(self.db, spans, <uint32_t>count)
    finally:
        PyMem_Free(spans)


cdef enum found:
    LONG_WAY = -2
    MISSING = 0
    PRESENT = 1


cdef int describe(const inprocess_call *call, sc_info *info, bint touch) except -1:
    """An enum found: the key's entry, for the commands that answer from it alone."""
    cdef span key
    self = client_of(call)
    if not positional(call, 1) or not self.key(call.args[0], &key) or not self.ready():
        return LONG_WAY
    arena = self.arena
    return arena.describe_raw(self.db, key.bytes, <uint32_t>key.length, touch, info)


cdef PyObject *short_exists "short_exists"(const inprocess_call *call) except? NULL:
    cdef sc_info info
    cdef int state = describe(call, &info, False)
    return NULL if state == LONG_WAY else give(state)


cdef PyObject *short_strlen "short_strlen"(const inprocess_call *call) except? NULL:
    cdef sc_info info
    cdef int state = describe(call, &info, True)
    if state == LONG_WAY or (state == PRESENT and info.type != SC_STRING):
        return NULL
    return give(info.value_bytes if state == PRESENT else 0)


cdef PyObject *time_to_live(const inprocess_call *call, int64_t unit_ms) except? NULL:
    cdef sc_info info
    cdef int64_t left
    cdef int state = describe(call, &info, False)
    if state == LONG_WAY:
        return NULL
    if state == MISSING:
        return give(-2)
    if info.expire_ms == 0:
        return give(-1)
    left = max(<int64_t>info.expire_ms - inprocess_clock_ms(CLOCK_REALTIME), <int64_t>0)
    return give((left + unit_ms // 2) // unit_ms)


cdef PyObject *short_ttl "short_ttl"(const inprocess_call *call) except? NULL:
    return time_to_live(call, 1000)


cdef PyObject *short_pttl "short_pttl"(const inprocess_call *call) except? NULL:
    return time_to_live(call, 1)
