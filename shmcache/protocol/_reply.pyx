# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The replies that are Python's own types, as bytes; all others are left to the caller."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_Next, PyDict_Size
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.object cimport PyObject
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memchr, memcpy

cdef extern from "Python.h":
    long long PyLong_AsLongLongAndOverflow(object number, int *overflow) except? -1
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    void *PyUnicode_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)

cdef enum:
    LEAST_ROOM = 512
    NUMBER_ROOM = 24 # a kind, 20 digits and a sign, the line's end


cdef class _Wire:
    """Bytes that grow, and what writes the replies that this module does not know."""

    cdef char *bytes
    cdef size_t length, room
    cdef bint resp3
    cdef object write_other

    def __cinit__(self, bint resp3, write_other):
        self.resp3 = resp3
        self.write_other = write_other

    def __dealloc__(self):
        free(self.bytes)


cdef int grow(_Wire wire, size_t length) except -1:
    """Make room for `length` more bytes."""
    cdef size_t wanted = wire.length + length
    cdef char *grown
    if wanted < 2 * wire.room:
        wanted = 2 * wire.room
    if wanted < LEAST_ROOM:
        wanted = LEAST_ROOM
    grown = <char *>realloc(wire.bytes, wanted)
    if grown == NULL:
        raise MemoryError
    wire.bytes = grown
    wire.room = wanted
    return 0


cdef inline int put_bytes(_Wire wire, const char *bytes, size_t length) except -1:
    if wire.room - wire.length < length:
        grow(wire, length)
    memcpy(wire.bytes + wire.length, bytes, length)
    wire.length += length
    return 0


cdef int put_number(_Wire wire, char kind, int64_t number) except -1:
    """A line with a number: ``:5``, ``*3``."""
    cdef char text[NUMBER_ROOM]
    cdef int at = NUMBER_ROOM - 2
    cdef uint64_t rest = <uint64_t>number
    text[at] = c'\r'
    text[at + 1] = c'\n'
    if number < 0:
        rest = 0 - rest
    while True:
        at -= 1
        text[at] = <char>(c'0' + rest % 10)
        rest //= 10
        if rest == 0:
            break
    if number < 0:
        at -= 1
        text[at] = c'-'
    at -= 1
    text[at] = kind
    return put_bytes(wire, text + at, NUMBER_ROOM - at)


cdef inline int put_bulk(_Wire wire, bytes reply) except -1:
    cdef size_t length = PyBytes_GET_SIZE(reply)
    put_number(wire, c'$', length)
    put_bytes(wire, PyBytes_AS_STRING(reply), length)
    return put_bytes(wire, b"\r\n", 2)


cdef int put_int(_Wire wire, reply) except -1:
    cdef int overflow = 0
    cdef long long number = PyLong_AsLongLongAndOverflow(reply, &overflow)
    if overflow:
        return put_other(wire, reply)
    return put_number(wire, c':', number)


cdef int put_str(_Wire wire, str reply) except -1:
    """A simple string; one that is no line of ASCII is left to the caller."""
    cdef size_t length = PyUnicode_GET_LENGTH(reply)
    cdef const char *text
    if not PyUnicode_IS_COMPACT_ASCII(reply):
        return put_other(wire, reply)
    text = <const char *>PyUnicode_DATA(reply)
    if memchr(text, c'\n', length) != NULL or memchr(text, c'\r', length) != NULL:
        return put_other(wire, reply)
    put_bytes(wire, b"+", 1)
    put_bytes(wire, text, length)
    return put_bytes(wire, b"\r\n", 2)


cdef int put_map(_Wire wire, dict reply) except -1:
    cdef Py_ssize_t position = 0
    cdef PyObject *key
    cdef PyObject *value
    cdef Py_ssize_t size = PyDict_Size(reply)
    if wire.resp3:
        put_number(wire, c'%', size)
    else:
        put_number(wire, c'*', 2 * size)
    while PyDict_Next(reply, &position, &key, &value):
        put(wire, <object>key)
        put(wire, <object>value)
    return 0


cdef int put_other(_Wire wire, reply) except -1:
    cdef list out = []
    cdef bytes joined
    wire.write_other(reply, out, 3 if wire.resp3 else 2)
    joined = b"".join(out)
    return put_bytes(wire, PyBytes_AS_STRING(joined), PyBytes_GET_SIZE(joined))


cdef int put(_Wire wire, reply) except -1:
    cdef Py_ssize_t index
    kind = type(reply)
    if kind is bytes:
        return put_bulk(wire, reply)
    if kind is int:
        return put_int(wire, reply)
    if kind is list:
        put_number(wire, c'*', PyList_GET_SIZE(reply))
        for index in range(PyList_GET_SIZE(reply)):
            put(wire, <object>PyList_GET_ITEM(reply, index))
        return 0
    if reply is None:
        return put_bytes(wire, b"_\r\n", 3) if wire.resp3 else put_bytes(wire, b"$-1\r\n", 5)
    if kind is tuple:
        put_number(wire, c'*', PyTuple_GET_SIZE(reply))
        for index in range(PyTuple_GET_SIZE(reply)):
            put(wire, <object>PyTuple_GET_ITEM(reply, index))
        return 0
    if kind is str:
        return put_str(wire, reply)
    if kind is dict:
        return put_map(wire, reply)
    if kind is bool:
        if wire.resp3:
            return put_bytes(wire, b"#t\r\n" if reply else b"#f\r\n", 4)
        return put_bytes(wire, b":1\r\n" if reply else b":0\r\n", 4)
    return put_other(wire, reply)


def encode_reply(reply, int resp, write_other):
    """The bytes of a reply.

    :param write_other: ``write_other(reply, out, resp)`` appends the bytes of a reply to a list, if
        it is none of bytes, int (of 64 bits), str (a line of ASCII), bool, None, list, tuple, dict
    """
    cdef _Wire wire = _Wire(resp == 3, write_other)
    put(wire, reply)
    return PyBytes_FromStringAndSize(wire.bytes, wire.length)
