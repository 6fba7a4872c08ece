# cython: language_level=3, binding=False, boundscheck=False, wraparound=False, cdivision=True
"""The client's hottest commands, each one C call from the interpreter to the arena.

Every method here has two ways. The *short* one takes positional arguments of exactly ``bytes``,
``str`` and ``int``, talks to the arena and returns what redis-py would. Whatever else comes (other
types, rare options, no arena, a stripe that stayed locked) goes the *long* way: the method of that
name in redis-py, which ends in ``execute_command``. So redis-py alone decides what odd arguments
mean, and a short way may refuse anything: it returns NULL and sets no exception.

The methods are not members of :class:`InProcess`; :func:`install` makes them anew for each class.
CPython calls a C method by its specialised path only when the object's type is exactly the
descriptor's; through an inherited descriptor a call takes half as long again.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_CheckExact, PyDict_Next, PyDict_Size
from cpython.exc cimport PyErr_Clear, PyErr_Occurred
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.long cimport PyLong_CheckExact
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from cpython.unicode cimport PyUnicode_AsUTF8String, PyUnicode_CheckExact, PyUnicode_Decode
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport INT64_MIN, int64_t, uint32_t, uint64_t

from shmcache.arena cimport _arena as core
from shmcache.arena._arena cimport Arena, change, new_change
from shmcache.arena._sinks cimport (
    SC_FIELDS, SC_HASH, SC_LIST, SC_MISS, SC_SET, SC_STRING, SC_UNCHANGED, SC_VALUES,
    SC_ZADD_INCR, SC_ZSET, list_sink, make_key, new_list_sink,
    new_reference as give, sc_bytes, sc_info, sc_key, wire_span,
)

from shmcache.errors import ArenaBusy, OutOfMemory, ShmcacheError

cdef extern from "Python.h":
    PyObject *Py_None
    PyObject *Py_False
    PyObject *Py_True
    bint PyUnicode_IS_COMPACT_ASCII(PyObject *text)
    Py_ssize_t PyUnicode_GET_LENGTH(PyObject *text)
    const char *PyUnicode_DATA(PyObject *text)
    int64_t as_int64 "PyLong_AsLongLong"(PyObject *number) noexcept
    PyObject **items_of "PySequence_Fast_ITEMS"(object sequence) noexcept
    ctypedef struct PyMethodDef:
        const char *ml_name

cdef extern from "<time.h>":
    enum:
        CLOCK_MONOTONIC_COARSE
        CLOCK_REALTIME

cdef extern from "_inprocess.h":
    ctypedef struct inprocess_call:
        PyObject *self
        PyObject *const *args
        Py_ssize_t count
        PyObject *names

    int INPROCESS_METHOD_COUNT
    PyMethodDef inprocess_methods[]
    object inprocess_describe(object owner, int method)
    bint inprocess_is_short(PyObject *descriptor, int method) noexcept
    PyObject *inprocess_forward(PyObject *function, const inprocess_call *call) except NULL
    Py_hash_t inprocess_key_hash(PyObject *key) noexcept
    int64_t inprocess_clock_ms(int clock) noexcept
    Py_ssize_t inprocess_format(int64_t value, char *out) noexcept

cdef enum:
    # How many calls may pass between two looks at the clock, and how often the arena is looked
    # after: that its arena was replaced, a client notices after a second and so many calls.
    CALLS_PER_LOOK = 64
    LOOK_EVERY_MS = 1000
    FORMER_KEPT_MS = 10000  # more than any read waits
    MAX_KEY_BYTES = 0xffff  # sc_entry.key_bytes; a longer key goes the long way to its error
    SET_NX = 1
    SET_XX = 2

cdef int64_t MAX_EXPIRY = <int64_t>1 << 40  # beyond, the long way decides what is too large

cdef enum codec:
    CODEC_BYTES
    CODEC_UTF8
    CODEC_OTHER

cdef struct span:
    const char *bytes
    Py_ssize_t length


cdef class InProcess:
    """What the short ways need to know of a client: its arena, its database, its codec."""

    cdef Arena arena          # None: every command goes the long way
    # The arena before, kept for a while: another thread may be reading it, having given up the
    # interpreter lock to wait for a stripe, and get_one holds no reference of its own.
    cdef Arena former
    cdef int64_t replaced_ms
    cdef uint32_t db
    cdef int calls_left       # until the next look at the clock; 0 while the short way is closed
    cdef bint writable
    cdef bint diverted        # a response callback was replaced: everything goes the long way
    cdef bint text_is_utf8    # a str argument may be taken as its UTF-8 bytes
    cdef codec decode
    cdef type score_pair      # in which members come with their scores; None: the long way
    cdef int64_t looked_ms
    cdef bytes encoding
    cdef bytes encoding_errors

    def _bind_arena(self, Arena arena, int db):
        """Use ``arena`` (None: none) and logical database ``db`` from now on."""
        cdef int64_t now = inprocess_clock_ms(CLOCK_MONOTONIC_COARSE)
        if arena is not self.arena and self.arena is not None:
            self.former = self.arena
            self.replaced_ms = now
        elif now - self.replaced_ms > FORMER_KEPT_MS:
            self.former = None
        self.arena = arena
        self.db = db
        self.writable = arena is not None and arena.writable
        self.calls_left = 0
        self.looked_ms = now

    def _bind_codec(self, str encoding, str encoding_errors, bint decode_responses):
        """Use redis-py's three settings of that name from now on."""
        is_utf8 = encoding.lower().replace("_", "-") in ("utf-8", "utf8")
        self.encoding = encoding.encode()
        self.encoding_errors = encoding_errors.encode()
        self.text_is_utf8 = is_utf8 and encoding_errors == "strict"
        self.decode = CODEC_BYTES
        if decode_responses:
            self.decode = CODEC_UTF8 if is_utf8 else CODEC_OTHER

    def _bind_score_pair(self, type score_pair):
        """Give members and scores in this type, list or tuple; None: let redis-py make them."""
        self.score_pair = score_pair

    def _divert(self):
        """Send every command the long way from now on."""
        self.diverted = True
        self.calls_left = 0

    def _look_after_arena(self):
        """Called about once a second while the client is in use; may bind another arena."""

    def _without_arena(self, method, args, names):
        """Call redis-py's ``method`` through the socket."""
        raise NotImplementedError

    def _translate(self, error):
        """Return the exception that redis-py's user should see for one of the engine's."""
        return error

    cdef inline bint ready(self) except -1:
        """Whether the short way is open."""
        if self.calls_left > 0:
            self.calls_left -= 1
            return True
        return self.look()

    cdef bint look(self) except -1:
        cdef int64_t now
        if self.arena is None or self.diverted:
            return False
        now = inprocess_clock_ms(CLOCK_MONOTONIC_COARSE)
        if now - self.looked_ms >= LOOK_EVERY_MS:
            self.looked_ms = now
            self._look_after_arena()
            if self.arena is None:
                return False
        self.calls_left = CALLS_PER_LOOK
        return True

    cdef inline bint point(self, PyObject *argument, span *out) noexcept:
        """Point ``out`` at the bytes to send for an argument, inside the object itself."""
        if PyBytes_CheckExact(<object>argument):
            out.bytes = PyBytes_AS_STRING(<object>argument)
            out.length = PyBytes_GET_SIZE(<object>argument)
            return True
        if PyUnicode_CheckExact(<object>argument) and self.text_is_utf8:
            if PyUnicode_IS_COMPACT_ASCII(argument):
                out.bytes = PyUnicode_DATA(argument)
                out.length = PyUnicode_GET_LENGTH(argument)
                return True
        return False

    cdef inline bint key(self, PyObject *argument, span *out) noexcept:
        return self.point(argument, out) and out.length <= MAX_KEY_BYTES

    cdef object decoded(self, object value):
        cdef char *text
        if value is None:
            return None
        text = PyBytes_AS_STRING(value)
        if self.decode == CODEC_UTF8:
            return PyUnicode_DecodeUTF8(text, PyBytes_GET_SIZE(value), self.encoding_errors)
        return PyUnicode_Decode(text, PyBytes_GET_SIZE(value), self.encoding, self.encoding_errors)


cdef inline InProcess client_of(const inprocess_call *call):
    return <InProcess>call.self


cdef inline bint positional(const inprocess_call *call, Py_ssize_t count) noexcept:
    return call.names == NULL and call.count == count


include "_arguments.pxi"
include "_reads.pxi"
include "_writes.pxi"
include "_container_reads.pxi"
include "_container_writes.pxi"


# ---- the long way ---------------------------------------------------------------------------------

cdef PyObject *inprocess_long_way "inprocess_long_way"(const inprocess_call *call,
                                                       int method) except NULL:
    """What the short way refused, or failed at with an exception that is still set."""
    client = <object>call.self
    if PyErr_Occurred() == NULL:
        function = (<tuple>client._long_ways)[method]
        return inprocess_forward(<PyObject *>function, call)
    try:
        pending()
    except ArenaBusy:
        args, names = unpacked(call)
        return give(client._without_arena(inprocess_methods[method].ml_name.decode(), args, names))
    except ShmcacheError as error:
        raise client._translate(error) from None


cdef int pending() except -1:
    """Let Cython see the exception that is already set."""
    return -1


cdef tuple unpacked(const inprocess_call *call):
    args = tuple([<object>call.args[index] for index in range(call.count)])
    if call.names == NULL:
        return args, {}
    names = <tuple>call.names
    values = [<object>call.args[call.count + index] for index in range(len(names))]
    return args, dict(zip(names, values))


def install(owner):
    """Give ``owner``, a subclass of InProcess and redis.Redis, the methods of this module.

    A method that ``owner`` or one of its bases overrides stays overridden. When one of them
    overrides ``execute_command``, for tracing say, it is to see every command: redis-py's own
    methods come back.
    """
    assert issubclass(owner, InProcess)
    mro = owner.__mro__
    if not getattr(owner, "_long_ways", None):
        owner._long_ways = tuple([redis_method(mro, method) for method in all_methods()])
    traced = not getattr(owner.execute_command, "_routes_in_process", False)
    for method in all_methods():
        name = inprocess_methods[method].ml_name.decode()
        defined = next((vars(base)[name] for base in mro if name in vars(base)))
        if traced and inprocess_is_short(<PyObject *>defined, method):
            setattr(owner, name, owner._long_ways[method])
        elif not traced and (
            defined is owner._long_ways[method] or inprocess_is_short(<PyObject *>defined, method)
        ):
            setattr(owner, name, inprocess_describe(owner, method))


def all_methods():
    return range(INPROCESS_METHOD_COUNT)


NATIVE_METHODS = tuple([inprocess_methods[method].ml_name.decode() for method in all_methods()])


cdef object redis_method(tuple mro, int method):
    name = inprocess_methods[method].ml_name.decode()
    return next((vars(base)[name] for base in mro if name in vars(base)))
