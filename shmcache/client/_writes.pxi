"""The short ways that write, in a writable client: part of _inprocess.pyx."""

cdef inline bint may_write(const inprocess_call *call) except -1:
    self = client_of(call)
    return self.writable and self.ready()


cdef PyObject *store(const inprocess_call *call, Py_ssize_t value_at,
                     const set_options *options) except? NULL:
    """True, or None when a condition was not met."""
    cdef span key
    cdef value_argument value
    cdef int done
    self = client_of(call)
    if not self.key(call.args[0], &key) or not take_value(self, call.args[value_at], &value):
        return NULL
    arena = self.arena
    try:
        done = arena.set_raw(self.db, key.bytes, <uint32_t>key.length, value.text.bytes,
                             value.text.length, options.expire_ms, options.flags)
    finally:
        Py_XDECREF(value.owned)
    return give(True if done else None)


cdef PyObject *short_set "short_set"(const inprocess_call *call) except? NULL:
    cdef set_options options
    if call.count != 2 or not may_write(call):
        return NULL
    options.expire_ms = 0
    options.flags = 0
    if call.names != NULL and not take_set_options(call, &options):
        return NULL
    return store(call, 1, &options)


cdef PyObject *short_mset "short_mset"(const inprocess_call *call) except? NULL:
    """``mset({key: value, ...})``."""
    if not positional(call, 1) or not PyDict_CheckExact(<object>call.args[0]) or not may_write(call):
        return NULL
    self = client_of(call)
    words = sendable_words(self, <dict>call.args[0])
    if not words or not set_many(self, words):
        return NULL
    return give(True)


cdef tuple sendable_words(InProcess self, dict mapping):
    """Keys and values in turn as bytes; None when one of them needs redis-py's encoder."""
    cdef span key
    cdef value_argument value
    words = []
    for name, argument in mapping.items():
        if not self.key(<PyObject *>name, &key):
            return None
        if not take_value(self, <PyObject *>argument, &value):
            return None
        try:
            words.append(name if PyBytes_CheckExact(name) else key.bytes[:key.length])
            if PyBytes_CheckExact(argument):
                words.append(argument)
            else:
                words.append(value.text.bytes[:value.text.length])
        finally:
            Py_XDECREF(value.owned)
    return tuple(words)


cdef bint set_many(InProcess self, tuple words) except -1:
    cdef wire_span *spans
    cdef Py_ssize_t index, count = len(words)
    spans = <wire_span *>PyMem_Malloc(count * sizeof(wire_span))
    if spans == NULL:
        raise MemoryError
    try:
        for index in range(count):
            spans[index].bytes = PyBytes_AS_STRING(words[index])
            spans[index].length = PyBytes_GET_SIZE(words[index])
        arena = self.arena
        arena.set_many_raw(self.db, spans, <uint32_t>(count // 2))
        return True
    finally:
        PyMem_Free(spans)


cdef PyObject *short_setnx "short_setnx"(const inprocess_call *call) except? NULL:
    cdef set_options options
    cdef PyObject *done
    if not positional(call, 2) or not may_write(call):
        return NULL
    options.expire_ms = 0
    options.flags = SET_NX
    done = store(call, 1, &options)
    if done != Py_None:
        return done
    Py_XDECREF(done)
    return give(False)


cdef PyObject *set_for(const inprocess_call *call, int64_t unit_ms) except? NULL:
    cdef set_options options
    options.flags = 0
    if not positional(call, 3) or not may_write(call):
        return NULL
    if not take_expiry(call.args[1], unit_ms, &options.expire_ms):
        return NULL
    return store(call, 2, &options)


cdef PyObject *short_setex "short_setex"(const inprocess_call *call) except? NULL:
    return set_for(call, 1000)


cdef PyObject *short_psetex "short_psetex"(const inprocess_call *call) except? NULL:
    return set_for(call, 1)


cdef PyObject *add(const inprocess_call *call, int sign) except? NULL:
    cdef span key
    cdef int64_t amount = 1
    if call.names != NULL or call.count < 1 or call.count > 2 or not may_write(call):
        return NULL
    if call.count == 2 and (not take_integer(call.args[1], &amount) or amount == INT64_MIN):
        return NULL
    self = client_of(call)
    if not self.key(call.args[0], &key):
        return NULL
    arena = self.arena
    return give(arena.incr_raw(self.db, key.bytes, <uint32_t>key.length, sign * amount))


cdef PyObject *short_incrby "short_incrby"(const inprocess_call *call) except? NULL:
    return add(call, 1)


cdef PyObject *short_decrby "short_decrby"(const inprocess_call *call) except? NULL:
    return add(call, -1)


cdef PyObject *short_append "short_append"(const inprocess_call *call) except? NULL:
    cdef span key
    cdef value_argument value
    cdef int64_t length
    if not positional(call, 2) or not may_write(call):
        return NULL
    self = client_of(call)
    if not self.key(call.args[0], &key) or not take_value(self, call.args[1], &value):
        return NULL
    arena = self.arena
    try:
        length = arena.append_raw(self.db, key.bytes, <uint32_t>key.length, value.text.bytes,
                                  value.text.length)
    finally:
        Py_XDECREF(value.owned)
    return give(length)


cdef PyObject *short_delete "short_delete"(const inprocess_call *call) except? NULL:
    cdef span key
    if not positional(call, 1) or not may_write(call):
        return NULL
    self = client_of(call)
    if not self.key(call.args[0], &key):
        return NULL
    arena = self.arena
    return give(arena.delete_raw(self.db, key.bytes, <uint32_t>key.length))


cdef PyObject *expire_in(const inprocess_call *call, int64_t unit_ms) except? NULL:
    cdef span key
    cdef int64_t expire_ms
    if not positional(call, 2) or not may_write(call):
        return NULL
    self = client_of(call)
    if not self.key(call.args[0], &key) or not take_expiry(call.args[1], unit_ms, &expire_ms):
        return NULL
    arena = self.arena
    return give(arena.expire_raw(self.db, key.bytes, <uint32_t>key.length, expire_ms, 0) == 1)


cdef PyObject *short_expire "short_expire"(const inprocess_call *call) except? NULL:
    return expire_in(call, 1000)


cdef PyObject *short_pexpire "short_pexpire"(const inprocess_call *call) except? NULL:
    return expire_in(call, 1)
