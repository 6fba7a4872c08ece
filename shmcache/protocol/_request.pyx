# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""Requests out of a stream of bytes: RESP arrays of bulk strings, and inline commands.

Does no input or output. Accepts and refuses what redis-server 7.0 does, in the same words. Arguments
are pointers into the received bytes: nothing is copied unless a request is unfinished.

    window  |....handled....|*3 $3 SET $1 k $5 va|..room..|
                            ^ start        ^ position     ^ filled
"""

from libc.limits cimport INT_MAX
from libc.stdint cimport int64_t, uint32_t
from libc.stdlib cimport free, realloc
from libc.string cimport memchr, memcpy, memmove

from shmcache.errors import ProtocolError

# Redis: PROTO_INLINE_MAX_SIZE; also the longest "*n" and "$n" lines
cdef size_t LINE_BYTES = 64 * 1024
cdef int64_t UNTRUSTED_ARGUMENTS = 10
cdef int64_t UNTRUSTED_BULK_BYTES = 16384
# An argument array above this is given back after its request.
cdef uint32_t ARGS_KEPT = 64
# Smallest buffer for an unfinished request: one read of an ordinary client.
cdef size_t OWN_BYTES = 16 * 1024


cdef class RequestLimits:
    """Limits that all parsers of a server share and that may change while they work."""

    def __init__(self, bulk_bytes=512 * 1024 * 1024):
        self.bulk_bytes = bulk_bytes


cdef bint is_space(char c) noexcept:
    return c == c' ' or (c >= 9 and c <= 13)


cdef int hex_digit(char c) noexcept:
    if c >= c'0' and c <= c'9':
        return c - c'0'
    if c >= c'a' and c <= c'f':
        return c - c'a' + 10
    if c >= c'A' and c <= c'F':
        return c - c'A' + 10
    return -1


cdef char unescape(char c) noexcept:
    if c == c'n':
        return c'\n'
    if c == c'r':
        return c'\r'
    if c == c't':
        return c'\t'
    if c == c'b':
        return c'\b'
    if c == c'a':
        return c'\a'
    return c


cdef char *unquote_word(char *read, char *end, char *write, char **after) noexcept:
    """Decode the word at `read` to `write` (never ahead of `read`).

    Returns the end of what was written and the first byte after the word, or NULL when quotes are
    unbalanced: not closed, or closed in front of something other than a blank.
    """
    cdef char quote = 0
    cdef char c
    while True:
        c = read[0] if read < end else 0
        if quote:
            if c == 0:
                return NULL
            if c == quote:
                if read + 1 < end and read[1] != 0 and not is_space(read[1]):
                    return NULL
                read += 1
                break
            if quote == c'"' and c == c'\\' and read + 3 < end and read[1] == c'x' and (
                hex_digit(read[2]) >= 0 and hex_digit(read[3]) >= 0
            ):
                c = <char>(hex_digit(read[2]) * 16 + hex_digit(read[3]))
                read += 3
            elif quote == c'"' and c == c'\\' and read + 1 < end and read[1] != 0:
                c = unescape(read[1])
                read += 1
            elif quote == c"'" and c == c'\\' and read + 1 < end and read[1] == c"'":
                c = c"'"
                read += 1
        elif c == 0 or is_space(c):
            break
        elif c == c'"' or c == c"'":
            quote = c
            read += 1
            continue
        write[0] = c
        write += 1
        read += 1
    after[0] = read
    return write


cdef class RequestParser:
    """Finds requests in bytes that arrive in any pieces.

    In Python: :meth:`feed` bytes, then iterate over the requests, lists of bytes.

    :param limits: shared by the parsers of one server
    """

    def __cinit__(self, limits=None):
        self.limits = limits if limits is not None else RequestLimits()
        self.bulk = -1
        self.trusted = True

    def __dealloc__(self):
        free(self.own)
        free(self.args)

    # ---- the Python face -------------------------------------------------------------------------

    def feed(self, const unsigned char[::1] data):
        """Add received bytes."""
        cdef size_t available = 0
        cdef char *to
        if data.shape[0] == 0:
            return
        to = self.room(data.shape[0], &available)
        memcpy(to, &data[0], data.shape[0])
        self.received(data.shape[0])

    def __iter__(self):
        return self

    def __next__(self):
        """The next complete request.

        :raises ProtocolError: what arrived is no request; nothing can be parsed any more
        """
        if self.next_request() == 0:
            self.keep()
            raise StopIteration
        return [self.args[i].bytes[: self.args[i].length] for i in range(self.count)]

    @property
    def pending(self):
        """Bytes received that belong to no finished request."""
        return self.pending_bytes()

    @property
    def capacity(self):
        """Bytes of memory held for an unfinished request."""
        return self.own_capacity

    # ---- memory ----------------------------------------------------------------------------------

    cdef bint is_empty(self) noexcept:
        return self.own == NULL

    cdef size_t pending_bytes(self) noexcept:
        return self.filled - self.start

    cdef void lend(self, char *bytes, size_t length) noexcept:
        self.window = bytes
        self.filled = length
        self.position = 0
        self.start = 0

    cdef int keep(self) except -1:
        cdef size_t rest = self.filled - self.start
        cdef size_t available = 0
        cdef char *lent
        if rest == 0:
            if self.own != NULL:
                free(self.own)
                self.own = NULL
                self.own_capacity = 0
            self.window = NULL
            self.filled = 0
            self.position = 0
            self.start = 0
        elif self.own == NULL:
            lent = self.window + self.start
            self.position -= self.start
            self.start = 0
            self.window = NULL
            self.filled = 0
            memcpy(self.room(rest, &available), lent, rest)
            self.filled = rest
        elif self.start > 0:
            memmove(self.own, self.own + self.start, rest)
            self.position -= self.start
            self.start = 0
            self.filled = rest
        return 0

    cdef char *room(self, size_t least, size_t *available) except NULL:
        cdef size_t wanted = self.filled + least
        cdef size_t whole
        cdef char *grown
        if wanted > self.own_capacity:
            # The announced length only guides growth: memory follows the bytes that arrive.
            if self.bulk > 0:
                whole = self.position + <size_t>self.bulk + 2
                if wanted < whole:
                    wanted = min(whole, 2 * self.own_capacity + least)
            elif self.own_capacity > 0:
                wanted = max(wanted, 2 * self.own_capacity)
            wanted = max(wanted, OWN_BYTES)
            grown = <char *>realloc(self.own, wanted)
            if grown == NULL:
                raise MemoryError
            self.own = grown
            self.own_capacity = wanted
        self.window = self.own
        available[0] = self.own_capacity - self.filled
        return self.own + self.filled

    cdef void received(self, size_t length) noexcept:
        self.filled += length

    cdef int take_argument(self, size_t position, size_t length) except -1:
        """Note an argument; it becomes a pointer in publish(), as the window may still move."""
        cdef uint32_t capacity
        cdef span *grown
        if self.count == self.args_capacity:
            capacity = max(8, 2 * self.args_capacity)
            grown = <span *>realloc(self.args, capacity * sizeof(span))
            if grown == NULL:
                raise MemoryError
            self.args = grown
            self.args_capacity = capacity
        self.args[self.count].bytes = <const char *>(position - self.start)
        self.args[self.count].length = length
        self.count += 1
        return 0

    cdef int publish(self) except -1:
        """The request is whole: turn places into pointers."""
        cdef const char *base = self.window + self.start
        cdef uint32_t i
        for i in range(self.count):
            self.args[i].bytes = base + <size_t>self.args[i].bytes
        self.start = self.position
        return 1

    # ---- parsing ---------------------------------------------------------------------------------

    cdef int fail(self, str reason) except -1:
        self.failed = True
        raise ProtocolError(f"ERR Protocol error: {reason}")

    cdef int next_request(self) except -1:
        cdef int status
        if self.failed:
            self.fail("the connection is already in error")
        while True:
            if self.remaining == 0:
                if self.args_capacity > ARGS_KEPT:
                    free(self.args)
                    self.args = NULL
                    self.args_capacity = 0
                self.count = 0
                self.start = self.position
                if self.position == self.filled:
                    return 0
                if self.window[self.position] == c'*':
                    status = self.begin_multibulk()
                else:
                    status = self.split_inline()
                    if status and self.count:
                        return self.publish()
                if status == 0:
                    return 0
                if self.remaining == 0:
                    continue  # "*0", "*-1" and empty lines are no requests
            while self.remaining:
                if self.bulk < 0 and self.read_bulk_length() == 0:
                    return 0
                if self.filled - self.position < <size_t>self.bulk + 2:
                    return 0
                self.take_argument(self.position, self.bulk)
                self.position += self.bulk + 2
                self.bulk = -1
                self.remaining -= 1
            return self.publish()

    cdef int begin_multibulk(self) except -1:
        cdef char *line = self.window + self.position
        cdef size_t length = self.filled - self.position
        cdef char *cr
        cdef int64_t number = 0
        # one digit: the count of nearly every request
        if length >= 4 and line[2] == c'\r' and line[1] >= c'1' and line[1] <= c'9':
            self.remaining = line[1] - c'0'
            self.position += 4
            return 1
        cr = <char *>memchr(line, c'\r', length)
        if cr == NULL:
            if length > LINE_BYTES:
                self.fail("too big mbulk count string")
            return 0
        if <size_t>(cr - line) + 2 > length:
            return 0
        if not parse_number(line + 1, cr - line - 1, &number) or number > INT_MAX:
            self.fail("invalid multibulk length")
        if number > UNTRUSTED_ARGUMENTS and not self.trusted:
            self.fail("unauthenticated multibulk length")
        self.position += cr - line + 2
        self.remaining = max(number, 0)
        return 1

    cdef int read_bulk_length(self) except -1:
        cdef char *line = self.window + self.position
        cdef size_t length = self.filled - self.position
        cdef char *cr
        cdef int64_t number = 0
        if length >= 4 and line[0] == c'$' and line[2] == c'\r' and (
            line[1] >= c'0' and line[1] <= c'9'
        ):
            self.bulk = line[1] - c'0'
            self.position += 4
            return 1
        cr = <char *>memchr(line, c'\r', length)
        if cr == NULL:
            if length > LINE_BYTES:
                self.fail("too big bulk count string")
            return 0
        if <size_t>(cr - line) + 2 > length:
            return 0
        if line[0] != c'$':
            got = line[:1].decode("utf-8", "surrogateescape")
            self.fail(f"expected '$', got '{got}'")
        if not parse_number(line + 1, cr - line - 1, &number) or number < 0 or (
            <size_t>number > self.limits.bulk_bytes
        ):
            self.fail("invalid bulk length")
        if number > UNTRUSTED_BULK_BYTES and not self.trusted:
            self.fail("unauthenticated bulk length")
        self.position += cr - line + 2
        self.bulk = number
        return 1

    cdef int split_inline(self) except -1:
        """Split a line into words by the quoting rules of redis-cli, in place."""
        cdef char *line = self.window + self.position
        cdef size_t length = self.filled - self.position
        cdef char *newline = <char *>memchr(line, c'\n', length)
        cdef char *end
        cdef char *read = line
        cdef char *word_end
        if newline == NULL:
            if length > LINE_BYTES:
                self.fail("too big inline request")
            return 0
        end = newline
        if end > line and (end - 1)[0] == c'\r':
            end -= 1
        while True:
            while read < end and is_space(read[0]):
                read += 1
            if read == end or read[0] == 0:
                break
            line = read
            word_end = unquote_word(line, end, line, &read)
            if word_end == NULL:
                self.fail("unbalanced quotes in request")
            self.take_argument(line - self.window, word_end - line)
        self.position = newline + 1 - self.window
        return 1
