"""What is read of a container, as RESP straight into a buffer."""

from cpython.exc cimport PyErr_Clear
from cpython.mem cimport PyMem_Free
from cpython.object cimport PyObject

cdef extern from "Python.h":
    double PyOS_string_to_double(const char *text, char **end, PyObject *overflow) except? -1

cdef enum:
    HEADER_MOST = 24     # bytes of a line with a number
    SCORE_MOST = 31      # bytes of a score that is read here

cdef double LARGEST_WHOLE = <double>(<int64_t>1 << 62)


cdef bint make_room(wire_buffer *buffer, size_t length) noexcept:
    try:
        reserve(buffer, length)
    except MemoryError:
        return False
    return True


cdef size_t lay_number(char *at, char kind, int64_t number) noexcept:
    """A line with a number, at most HEADER_MOST bytes of it; returns its length."""
    cdef char digits[HEADER_MOST]
    cdef uint64_t rest = <uint64_t>number if number >= 0 else 0 - <uint64_t>number
    cdef size_t count = 0
    cdef size_t length = 1
    while True:
        digits[count] = <char>(c'0' + rest % 10)
        count += 1
        rest //= 10
        if rest == 0:
            break
    at[0] = kind
    if number < 0:
        at[length] = c'-'
        length += 1
    while count > 0:
        count -= 1
        at[length] = digits[count]
        length += 1
    at[length] = c'\r'
    at[length + 1] = c'\n'
    return length + 2


cdef char *lay_bulk(wire_buffer *out, size_t length) noexcept:
    """Append a bulk whose bytes are still to be filled in, at what is returned."""
    cdef char *room
    if not make_room(out, length + HEADER_MOST + 2):
        return NULL
    out.length += lay_number(out.bytes + out.length, c'$', length)
    room = out.bytes + out.length
    room[length] = c'\r'
    room[length + 1] = c'\n'
    out.length += length + 2
    return room


cdef int append_double(wire_buffer *out, double value, int resp) except -1:
    cdef int64_t whole = 0
    cdef bint is_whole = -LARGEST_WHOLE <= value <= LARGEST_WHOLE
    if is_whole:
        whole = <int64_t>value
        is_whole = <double>whole == value and value != 0  # minus zero looks like no integer
    if is_whole and resp == 3:
        return append_number(out, c',', whole)
    text = b"%d" % whole if is_whole else <bytes>double_text(value)
    if resp == 2:
        return append_bulk(out, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
    append(out, b",", 1)
    append(out, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
    return append(out, b"\r\n", 2)


cdef bint read_score(const span *word, double *score) noexcept:
    """A decimal number; anything else that Redis knows as one (inf, hexadecimal) is not for here."""
    cdef char text[SCORE_MOST + 1]
    cdef char *end = NULL
    cdef int64_t whole = 0
    cdef size_t i
    if parse_number(word.bytes, word.length, &whole):
        score[0] = <double>whole
        return True
    if word.length > SCORE_MOST or word.length == 0:
        return False
    for i in range(word.length):
        text[i] = word.bytes[i]
        if not (c'0' <= text[i] <= c'9' or text[i] in (c'-', c'.', c'e')):
            return False
    text[word.length] = 0
    try:
        score[0] = PyOS_string_to_double(text, &end, NULL)
    except Exception:
        return False
    # what became nothing may have been too small to be a number
    return end == text + word.length and score[0] - score[0] == 0 and score[0] != 0


# ---- values and items as they come -----------------------------------------------------------------

cdef struct wire_value:
    sc_sink sink
    wire_buffer *out
    size_t start


cdef char *wire_value_reserve(sc_sink *sink, size_t length) noexcept:
    cdef wire_value *own = <wire_value *>sink
    own.out.length = own.start
    return lay_bulk(own.out, length)


cdef wire_value new_wire_value(wire_buffer *out) noexcept:
    cdef wire_value value
    value.sink.reserve = wire_value_reserve
    value.out = out
    value.start = out.length
    return value


cdef struct wire_items:
    item_sink base
    wire_buffer *out
    size_t start     # where they begin
    int64_t count    # of bulks and scores, or of pairs in arrays of their own
    int resp
    bint in_pairs


cdef char *wire_add(sc_items *items, size_t length) noexcept:
    cdef wire_items *own = <wire_items *>items
    own.count += 1
    if own.in_pairs:
        if not make_room(own.out, HEADER_MOST):
            return NULL
        own.out.length += lay_number(own.out.bytes + own.out.length, c'*', 2)
    return lay_bulk(own.out, length)


cdef c_bool wire_score(sc_items *items, double score) noexcept:
    cdef wire_items *own = <wire_items *>items
    if not own.in_pairs:
        own.count += 1
    try:
        append_double(own.out, score, own.resp)
    except MemoryError:
        return False
    return True


cdef void wire_restart(item_sink *sink) noexcept:
    cdef wire_items *own = <wire_items *>sink
    own.out.length = own.start
    own.count = 0


cdef wire_items new_wire_items(wire_buffer *out, int resp, bint in_pairs) noexcept:
    cdef wire_items items
    items.base.items.add = wire_add
    items.base.items.score = wire_score
    items.base.restart = wire_restart
    items.out = out
    items.start = out.length
    items.count = 0
    items.resp = resp
    items.in_pairs = in_pairs
    return items


cdef int head_items(wire_items *items, char kind, int64_t count) except -1:
    """Put the header before the items: how many there are was not known before."""
    cdef wire_buffer *out = items.out
    cdef char header[HEADER_MOST]
    cdef size_t length = lay_number(header, kind, count)
    reserve(out, length)
    memmove(out.bytes + items.start + length, out.bytes + items.start, out.length - items.start)
    memcpy(out.bytes + items.start, header, length)
    out.length += length
    return 1
