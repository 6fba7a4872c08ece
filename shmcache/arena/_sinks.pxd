# cython: language_level=3
"""Where what is read goes: Python objects, or RESP in a buffer. Shared by the compiled modules.

A sink starts over as often as the engine asks: a lock-free read that was torn is repeated, and what
it gave is forgotten. Nothing here raises; a sink that cannot go on leaves the interpreter's error
set and says so to the engine.
"""

from cpython.bytes cimport PyBytes_AS_STRING
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef extern from "stdbool.h":
    ctypedef bint c_bool "bool"

cdef extern from "Python.h":
    PyObject *_PyBytes_New "PyBytes_FromStringAndSize"(const char *bytes, Py_ssize_t size)
    char *_PyBytes_Start "PyBytes_AS_STRING"(PyObject *value)
    PyObject *_PyFloat_New "PyFloat_FromDouble"(double value)
    int _PyList_Append "PyList_Append"(PyObject *list, PyObject *item)
    Py_ssize_t _PyList_Size "PyList_GET_SIZE"(PyObject *list)
    int _PyList_SetSlice "PyList_SetSlice"(PyObject *list, Py_ssize_t low, Py_ssize_t high,
                                           PyObject *items)

cdef extern from "sc.h":
    enum:
        SC_OK, SC_MISS, SC_UNCHANGED

cdef extern from "containers.h":
    enum:
        SC_STRING, SC_LIST, SC_SET, SC_ZSET, SC_HASH, SC_STREAM, SC_TYPES
        SC_FIELDS, SC_VALUES
        SC_PUT_NX, SC_PUT_XX, SC_PUT_KEEP_TTL
        SC_ZADD_NX, SC_ZADD_XX, SC_ZADD_GT, SC_ZADD_LT, SC_ZADD_INCR
    ctypedef struct sc_key:
        const char *bytes
        uint32_t length
        uint32_t db
    ctypedef struct sc_bytes:
        const char *bytes
        uint64_t length
    ctypedef struct sc_sink:
        char *(*reserve)(sc_sink *sink, size_t length) noexcept
    ctypedef struct sc_items:
        char *(*add)(sc_items *items, size_t length) noexcept
        c_bool (*score)(sc_items *items, double score) noexcept
    ctypedef struct sc_info:
        uint64_t expire_ms
        uint64_t value_bytes
        uint64_t memory
        uint64_t idle_ms
        uint32_t frequency
        uint8_t encoding
        uint8_t type
        uint8_t shape

cdef struct wire_span:
    const char *bytes
    size_t length

cdef struct wire_buffer:
    char *bytes      # malloc'ed, grown with realloc
    size_t length
    size_t capacity

cdef inline sc_key make_key(uint32_t db, const char *key, uint32_t key_bytes) noexcept:
    cdef sc_key made
    made.bytes = key
    made.length = key_bytes
    made.db = db
    return made

# ---- one value ---------------------------------------------------------------------------------

cdef struct bytes_sink:
    sc_sink sink
    PyObject *value   # a new reference, or NULL

cdef inline char *bytes_reserve(sc_sink *sink, size_t length) noexcept:
    cdef bytes_sink *own = <bytes_sink *>sink
    if own.value != NULL:
        Py_XDECREF(own.value)
    own.value = _PyBytes_New(NULL, <Py_ssize_t>length)
    return _PyBytes_Start(own.value) if own.value != NULL else NULL

cdef inline bytes_sink new_bytes_sink() noexcept:
    cdef bytes_sink sink
    sink.sink.reserve = bytes_reserve
    sink.value = NULL
    return sink

cdef inline PyObject *new_reference(object value) noexcept:
    """For callers whose next step is C: an object that Cython holds costs counting it twice."""
    Py_INCREF(value)
    return <PyObject *>value

cdef inline object sink_take(bytes_sink *sink):
    """The sink's bytes object; its reference becomes the caller's."""
    value = <object>sink.value
    Py_XDECREF(sink.value)
    sink.value = NULL
    return value

# ---- items -------------------------------------------------------------------------------------

cdef struct item_sink:
    sc_items items
    void (*restart)(item_sink *sink) noexcept   # forget everything that was given

cdef struct list_sink:
    item_sink base
    PyObject *values   # a list, borrowed

cdef inline int list_append(list_sink *own, PyObject *value) noexcept:
    """Steals the reference; an append makes no garbage collection, so no lock can be in its way."""
    cdef int failed = value == NULL or _PyList_Append(own.values, value) < 0
    Py_XDECREF(value)
    return not failed

cdef inline char *list_add(sc_items *items, size_t length) noexcept:
    cdef PyObject *value = _PyBytes_New(NULL, <Py_ssize_t>length)
    return _PyBytes_Start(value) if list_append(<list_sink *>items, value) else NULL

cdef inline c_bool list_score(sc_items *items, double score) noexcept:
    return list_append(<list_sink *>items, _PyFloat_New(score))

cdef inline void list_restart(item_sink *sink) noexcept:
    cdef list_sink *own = <list_sink *>sink
    cdef Py_ssize_t size = _PyList_Size(own.values)
    if size > 0:
        _PyList_SetSlice(own.values, 0, size, NULL)

cdef inline list_sink new_list_sink(list values) noexcept:
    """Appends bytes, and after a member of a sorted set its score, to a list that outlives it."""
    cdef list_sink sink
    sink.base.items.add = list_add
    sink.base.items.score = list_score
    sink.base.restart = list_restart
    sink.values = <PyObject *>values
    return sink

# What a read that gives single items calls: hands its room on from a sink of items.
cdef struct forward_sink:
    sc_sink sink
    item_sink *to

cdef inline char *forward_reserve(sc_sink *sink, size_t length) noexcept:
    cdef item_sink *to = (<forward_sink *>sink).to
    return to.items.add(&to.items, length)

cdef inline forward_sink new_forward_sink(item_sink *to) noexcept:
    cdef forward_sink sink
    sink.sink.reserve = forward_reserve
    sink.to = to
    return sink
