"""Bytes that grow, and RESP written into them."""


cdef inline size_t larger(size_t a, size_t b) noexcept:
    return a if a > b else b


cdef int reserve(wire_buffer *buffer, size_t length) except -1:
    """Make room for `length` more bytes."""
    cdef size_t wanted = buffer.length + length
    cdef char *grown
    if wanted > buffer.capacity:
        wanted = larger(wanted, 2 * buffer.capacity)
        grown = <char *>realloc(buffer.bytes, wanted)
        if grown == NULL:
            raise MemoryError
        buffer.bytes = grown
        buffer.capacity = wanted
    return 0


cdef inline int append(wire_buffer *buffer, const char *bytes, size_t length) except -1:
    if buffer.length + length > buffer.capacity:
        reserve(buffer, length)
    memcpy(buffer.bytes + buffer.length, bytes, length)
    buffer.length += length
    return 0


cdef int append_number(wire_buffer *buffer, char kind, int64_t number) except -1:
    """A line with a number: ``:5``, ``*3``."""
    cdef char text[32]
    cdef int at = 30
    cdef uint64_t rest = <uint64_t>number if number >= 0 else 0 - <uint64_t>number
    text[30] = c'\r'
    text[31] = c'\n'
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
    return append(buffer, text + at, 32 - at)


cdef int append_bulk(wire_buffer *buffer, const char *bytes, size_t length) except -1:
    append_number(buffer, c'$', length)
    append(buffer, bytes, length)
    return append(buffer, b"\r\n", 2)


cdef inline void release(wire_buffer *buffer) noexcept:
    free(buffer.bytes)
    buffer.bytes = NULL
    buffer.length = 0
    buffer.capacity = 0
