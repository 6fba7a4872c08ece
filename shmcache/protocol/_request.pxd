# cython: language_level=3
"""The request parser as other compiled modules see it."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

cdef struct span:
    const char *bytes
    size_t length


cdef inline bint parse_number(const char *text, size_t length, int64_t *value) noexcept:
    """A 64-bit decimal as Redis's string2ll takes it: no blanks, no plus, no leading zeros."""
    cdef size_t i = 0
    cdef bint negative
    cdef uint64_t digit
    cdef uint64_t magnitude = 0
    cdef uint64_t limit = <uint64_t>1 << 63
    if length == 0 or length > 20:
        return False
    if length == 1 and text[0] == c'0':
        value[0] = 0
        return True
    negative = text[0] == c'-'
    if negative:
        i = 1
    else:
        limit -= 1
    if i == length or text[i] == c'0':
        return False
    while i < length:
        digit = <uint64_t><unsigned char>text[i] - c'0'
        if digit > 9 or magnitude > (limit - digit) // 10:
            return False
        magnitude = magnitude * 10 + digit
        i += 1
    value[0] = <int64_t>(0 - magnitude) if negative else <int64_t>magnitude
    return True


cdef class RequestLimits:
    cdef public size_t bulk_bytes      # proto-max-bulk-len


cdef class RequestParser:
    # The request that next_request() found; valid until its next call, or until bytes are added.
    cdef span *args
    cdef uint32_t count
    # False limits what is accepted before AUTH
    cdef public bint trusted

    cdef RequestLimits limits
    cdef uint32_t args_capacity
    cdef int64_t remaining             # arguments still missing of the request at `start`
    cdef int64_t bulk                  # length of the argument at `position`, -1 = not read yet
    cdef bint failed
    cdef char *window                  # what is being parsed: `own`, or what was lent
    cdef size_t filled                 # bytes in it
    cdef size_t position               # first byte not parsed yet
    cdef size_t start                  # first byte of the request under way
    cdef char *own                     # holds an unfinished request between calls, else NULL
    cdef size_t own_capacity

    # 1 = a request is in args/count, 0 = more bytes are needed; raises ProtocolError for ever after
    # the first error.
    cdef int next_request(self) except -1
    # Parse foreign memory in place (it may be written to); only when is_empty(). keep() must follow
    # before the memory is reused.
    cdef void lend(self, char *bytes, size_t length) noexcept
    # Hold on to the unfinished rest and give back memory that is not needed.
    cdef int keep(self) except -1
    # Room to receive into, at least `least` bytes, when a request is unfinished; then received().
    cdef char *room(self, size_t least, size_t *available) except NULL
    cdef void received(self, size_t length) noexcept
    cdef bint is_empty(self) noexcept
    cdef size_t pending_bytes(self) noexcept

    cdef int begin_multibulk(self) except -1
    cdef int read_bulk_length(self) except -1
    cdef int split_inline(self) except -1
    cdef int take_argument(self, size_t position, size_t length) except -1
    cdef int publish(self) except -1
    cdef int fail(self, str reason) except -1
