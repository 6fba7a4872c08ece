"""What a call's arguments would be on the wire: part of _inprocess.pyx."""

cdef struct value_argument:
    span text
    PyObject *owned  # what `text` points into if not the argument itself; to be given back
    char digits[24]


cdef bint take_value(InProcess self, PyObject *argument, value_argument *out) except -1:
    """The bytes that redis-py would send for a value. False: the long way."""
    cdef int64_t number
    out.owned = NULL
    if self.point(argument, &out.text):
        return True
    if take_integer(argument, &number):
        out.text.bytes = out.digits
        out.text.length = inprocess_format(number, out.digits)
        return True
    if PyUnicode_CheckExact(<object>argument) and self.text_is_utf8:
        encoded = PyUnicode_AsUTF8String(<object>argument)
        out.owned = give(encoded)
        out.text.bytes = PyBytes_AS_STRING(encoded)
        out.text.length = PyBytes_GET_SIZE(encoded)
        return True
    return False


cdef inline bint take_integer(PyObject *argument, int64_t *out) noexcept:
    """An exact int that fits 64 bits; bool and larger ones go the long way."""
    if not PyLong_CheckExact(<object>argument):
        return False
    out[0] = as_int64(argument)
    if out[0] == -1 and PyErr_Occurred() != NULL:
        PyErr_Clear()
        return False
    return True


cdef inline bint take_expiry(PyObject *argument, int64_t unit_ms,
                             int64_t *expire_ms) noexcept:
    """A time to live as the time of death; anything doubtful goes the long way to its error."""
    cdef int64_t amount
    if not take_integer(argument, &amount) or amount <= 0 or amount > MAX_EXPIRY:
        return False
    expire_ms[0] = inprocess_clock_ms(CLOCK_REALTIME) + amount * unit_ms
    return True


cdef struct set_options:
    int64_t expire_ms
    uint32_t flags


cdef bint take_set_options(const inprocess_call *call, set_options *out) except -1:
    """SET's keyword options: at most one of ex and px, and at most one of nx and xx."""
    cdef Py_ssize_t index
    cdef PyObject *value
    cdef str name
    for index in range(PyTuple_GET_SIZE(<tuple>call.names)):
        name = <str>PyTuple_GET_ITEM(<tuple>call.names, index)
        value = call.args[call.count + index]
        if name == "ex" or name == "px":
            if value == Py_None:
                continue
            if out.expire_ms or not take_expiry(value, 1000 if name == "ex" else 1, &out.expire_ms):
                return False
        elif name == "nx" or name == "xx":
            if value == Py_False:
                continue
            if out.flags or value != Py_True:
                return False
            out.flags = SET_NX if name == "nx" else SET_XX
        else:
            return False
    return True
