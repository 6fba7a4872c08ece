# Conversions: statuses to exceptions, values to bytes and RESP bulks, keys to sc_key.

# ---- errors ------------------------------------------------------------------------------------

cdef dict _ERRORS = {
    SC_WRONG_TYPE: errors.WrongType, SC_NOT_INTEGER: errors.NotAnInteger,
    SC_OVERFLOW: errors.ValueOverflow, SC_NO_MEMORY: errors.OutOfMemory,
    SC_KEY_TOO_LONG: errors.KeyTooLong, SC_VALUE_TOO_LONG: errors.ValueTooLong,
    SC_BUSY: errors.ArenaBusy, SC_NO_SLOT: errors.ArenaBusy, SC_READ_ONLY: errors.ReadOnly,
    SC_CORRUPT: errors.CorruptArena, SC_LAYOUT: errors.LayoutMismatch,
    SC_TRUNCATED: errors.LayoutMismatch, SC_SYNTAX: ValueError,
    SC_NOT_FINITE: errors.NotFinite, SC_LOST: errors.MessagesLost,
}

cdef int fail(int status) except -1:
    if status == SC_NO_MEMORY and PyErr_Occurred() != NULL:
        return -1  # it was the interpreter's, in a sink
    if status == SC_SYSTEM:
        PyErr_SetFromErrno(OSError)
        return -1
    raise _ERRORS[status](sc_status_text(status).decode())

cdef inline size_t bytes_object_bytes(PyObject *value) noexcept:
    """Memory that a bytes object takes, about."""
    return <size_t>PyBytes_GET_SIZE(<object>value) + 33  # its head, and a NUL

# ---- the interpreter lock ----------------------------------------------------------------------

cdef size_t drop_bytes(void *made) noexcept:
    """Give up a bytes object that was kept with a hint."""
    cdef size_t taken = bytes_object_bytes(<PyObject *>made)
    Py_XDECREF(<PyObject *>made)
    return taken

cdef sc_hooks HOOKS
HOOKS.block_enter = <void *(*)() noexcept>PyEval_SaveThread
HOOKS.serialized = True  # by the GIL; the module does not declare itself free-threaded
HOOKS.drop_made = drop_bytes
HOOKS.block_leave = <void (*)(void *) noexcept>PyEval_RestoreThread

# ---- sinks -------------------------------------------------------------------------------------

cdef object sink_result(int status, bytes_sink *sink):
    """The value, None for a miss, or the error; nothing is leaked."""
    if status == SC_OK:
        return sink_take(sink)
    Py_XDECREF(sink.value)
    if status != SC_MISS:
        fail(status)
    return None

cdef struct bulk_sink:
    sc_sink sink
    wire_buffer *out
    size_t start      # where this bulk begins

cdef int buffer_room(wire_buffer *out, size_t more) noexcept:
    cdef size_t capacity = out.capacity
    cdef char *grown
    if out.length + more <= capacity:
        return 1
    capacity = (out.length + more) * 2
    grown = <char *>realloc(out.bytes, capacity)
    if grown == NULL:
        return 0
    out.bytes = grown
    out.capacity = capacity
    return 1

cdef char *bulk_reserve(sc_sink *sink, size_t length) noexcept:
    """Lays out "$<length>\\r\\n", room for the value, "\\r\\n"; starts over when called again."""
    cdef bulk_sink *own = <bulk_sink *>sink
    cdef wire_buffer *out = own.out
    cdef char digits[24]
    cdef size_t rest = length
    cdef int count = 0
    cdef char *at
    out.length = own.start
    if not buffer_room(out, length + 32):
        return NULL
    at = out.bytes + out.length
    at[0] = b"$"
    at += 1
    while True:
        digits[count] = <char>(48 + rest % 10)
        count += 1
        rest //= 10
        if rest == 0:
            break
    while count > 0:
        count -= 1
        at[0] = digits[count]
        at += 1
    at[0] = b"\r"
    at[1] = b"\n"
    at[2 + length] = b"\r"
    at[3 + length] = b"\n"
    out.length = <size_t>(at - out.bytes) + length + 4
    return at + 2

cdef inline int check_db(uint32_t db) except -1:
    if db > SC_HIDDEN_DB:
        raise ValueError("db must be 0 to 15, or HIDDEN_DB")
    return 0

cdef inline int check_shown_db(uint32_t db) except -1:
    if db >= SC_DATABASES:
        raise ValueError("db must be 0 to 15")
    return 0

cdef inline sc_key key_of(uint32_t db, bytes key) except *:
    if key is None:
        raise TypeError("a key must be bytes")
    check_db(db)
    return make_key(db, PyBytes_AS_STRING(key), <uint32_t>PyBytes_GET_SIZE(key))

cdef tuple TYPE_NAMES = ("string", "list", "set", "zset", "hash", "stream")
cdef tuple SHAPE_NAMES = ("listpack", "listpackex", "intset", "quicklist", "hashtable", "skiplist",
                          "stream")

cdef object info_of(const sc_info *info):
    if info.type >= len(TYPE_NAMES) or info.shape >= len(SHAPE_NAMES):
        fail(SC_CORRUPT)
    if info.type != SC_STRING:
        encoding = SHAPE_NAMES[info.shape]
    elif info.encoding == SC_ENC_INT:
        encoding = "int"
    elif info.encoding == SC_ENC_RAW and info.value_bytes <= <uint64_t>EMBEDDED_MOST:
        encoding = "embstr"
    else:
        encoding = "raw"
    return Info(TYPE_NAMES[info.type], encoding, info.expire_ms, info.value_bytes, info.memory,
                info.idle_ms, info.frequency)

cdef inline int expire_result(int status) except -2:
    if status == SC_OK:
        return 1
    if status == SC_UNCHANGED:
        return 0
    if status == SC_MISS:
        return -1
    fail(status)
    return -2

cdef inline int set_result(int status) except -1:
    if status == SC_OK:
        return 1
    if status == SC_UNCHANGED:
        return 0
    fail(status)
    return -1

cdef c_bool emit_key(void *context, const char *key, uint32_t length) noexcept:
    try:
        (<list>context).append(PyBytes_FromStringAndSize(key, length))
    except MemoryError:
        return False
    return True

cdef struct key_array:
    sc_key *keys
    size_t count

cdef int keys_alloc(key_array *array, size_t count) except -1:
    array.count = count
    array.keys = <sc_key *>PyMem_Malloc((count + 1) * sizeof(sc_key))
    if array.keys == NULL:
        raise MemoryError()
    return 0

cdef int fill_set(sc_set_args *args, bytes value, uint64_t expire_ms, uint32_t flags) except -1:
    if value is None:
        raise TypeError("a value must be bytes")
    args.value = PyBytes_AS_STRING(value)
    args.value_bytes = PyBytes_GET_SIZE(value)
    args.expire_ms = expire_ms
    args.flags = flags
    args.old = NULL
    args.had_old = NULL
    return 0

# ---- sequences of bytes ------------------------------------------------------------------------

cdef enum:
    FEW_SPANS = 8   # that need no memory of their own

cdef struct span_array:
    sc_bytes *spans
    size_t count
    sc_bytes few[FEW_SPANS]

cdef inline sc_bytes span_of(bytes value) except *:
    cdef sc_bytes span
    if value is None:
        raise TypeError("expected bytes, not None")
    span.bytes = PyBytes_AS_STRING(value)
    span.length = PyBytes_GET_SIZE(value)
    return span

cdef int take_spans(span_array *array, tuple values) except -1:
    """Point into the values; a tuple, so that no other thread can take them away."""
    cdef size_t i
    array.count = len(values)
    array.spans = array.few
    if array.count > FEW_SPANS:
        array.spans = <sc_bytes *>PyMem_Malloc(array.count * sizeof(sc_bytes))
        if array.spans == NULL:
            raise MemoryError()
    try:
        for i in range(array.count):
            array.spans[i] = span_of(values[i])
    except:
        drop_spans(array)
        raise
    return 0

cdef inline void drop_spans(span_array *array) noexcept:
    if array.spans != array.few:
        PyMem_Free(array.spans)

cdef double *take_doubles(tuple values) except NULL:
    """To be given to PyMem_Free."""
    cdef Py_ssize_t i
    cdef double *made = <double *>PyMem_Malloc((len(values) + 1) * sizeof(double))
    if made == NULL:
        raise MemoryError()
    try:
        for i in range(len(values)):
            made[i] = values[i]
    except:
        PyMem_Free(made)
        raise
    return made

cdef list in_pairs(list flat):
    """Tuples of what comes two and two."""
    cdef Py_ssize_t i
    return [(flat[i], flat[i + 1]) for i in range(0, len(flat) - 1, 2)]
