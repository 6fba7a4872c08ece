"""A client's connection: its socket, its parser, what waits to be sent."""


cdef class Connection:
    """One client's socket with its parser and what waits to be sent.

    :param descriptor: a connected socket; the connection owns it from :meth:`Frontend.add` on
    """

    cdef Frontend frontend
    cdef readonly int descriptor
    cdef public object client
    cdef public bint native
    cdef public Guard guard        # where not native: what may be all the same, or None
    cdef public bint blocked       # no further request is parsed or run
    cdef public list held          # what waits for EXEC; None: no MULTI, or the handler queues
    cdef public size_t held_bytes  # of all words that wait
    cdef public uint32_t db
    cdef public int resp
    cdef public int limit_class
    cdef readonly bint closing
    cdef readonly bint closed
    cdef readonly int64_t active_ns
    cdef readonly uint64_t received_bytes
    cdef readonly uint64_t sent_bytes
    cdef public CommandStats last_command
    cdef readonly RequestParser parser
    cdef readonly size_t waiting_peak
    cdef wire_buffer queue    # replies from queue_start on wait for the client to read
    cdef size_t queue_start
    cdef uint32_t watched     # epoll events asked for
    cdef bint listed          # in frontend.queued
    cdef bint goes_on         # in frontend.unblocked
    cdef list again           # a request to run before those received
    cdef str doom             # why it will be dropped at the next occasion
    cdef int64_t over_soft_ns # since when the soft output limit is exceeded, 0 = it is not

    def __init__(self, Frontend frontend not None, int descriptor):
        self.frontend = frontend
        self.descriptor = descriptor
        self.resp = 2
        self.parser = RequestParser(frontend.request_limits)
        self.active_ns = monotonic_ns()

    def __dealloc__(self):
        free(self.queue.bytes)

    @property
    def trusted(self):
        """False until a required AUTH: limits what the parser accepts."""
        return self.parser.trusted

    @trusted.setter
    def trusted(self, value):
        self.parser.trusted = value

    @property
    def query_bytes(self):
        """Received bytes of the request under way."""
        return self.parser.pending_bytes()

    @property
    def query_capacity(self):
        """Memory held for an unfinished request."""
        return self.parser.own_capacity

    @property
    def waiting_bytes(self):
        """Reply bytes that wait for the client to read."""
        return self.waiting()

    @property
    def waiting_capacity(self):
        """Memory held for them."""
        return self.queue.capacity

    @property
    def idle_ms(self):
        """Since it last sent or took something."""
        return (monotonic_ns() - self.active_ns) // 1000000

    def is_gone(self):
        """Whether the client has hung up, even if what it sent before is still to be read, or it
        is to be closed. A reply would be lost.
        """
        cdef pollfd asked
        if self.closing:
            return True
        asked.fd = self.descriptor
        asked.events = POLLRDHUP
        return poll(&asked, 1, 0) > 0

    @property
    def events(self):
        """What is waited for, as CLIENT LIST shows it."""
        return ("r" if self.watched & EPOLLIN else "") + ("w" if self.watched & EPOLLOUT else "")

    cdef inline size_t waiting(self) noexcept:
        return self.queue.length - self.queue_start

    cdef inline wire_buffer *sink(self) noexcept:
        """Where its next reply goes: behind everything that still waits."""
        if self.frontend.current is self and self.waiting() == 0:
            return &self.frontend.output
        return &self.queue

    cpdef int write(self, bytes data) except -1:
        """Send a reply or a message. Never blocks; ignored once the connection is closing."""
        if self.closing:
            return 0
        append(self.sink(), PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))
        if self.waiting():
            self.frontend.note_waiting(self)
        return 0

    def close(self, after_replies=False):
        """Close now, or when what was written is sent."""
        if self.closed:
            return
        if after_replies:
            self.closing = True
            self.frontend.list_for_flush(self)
        else:
            self.frontend.drop(self, None)

    def unblock(self, list again=None):
        """Go on with what was received while blocked, after the requests that others sent.

        :param again: a request to run before
        """
        if not self.blocked:
            return
        self.blocked = False
        self.again = again
        if not (self.closed or self.goes_on):
            self.goes_on = True
            self.frontend.unblocked.append(self)
            self.frontend.schedule()


cdef list copy_words(RequestParser parser):
    """The request that the parser has found."""
    cdef const span *words = parser.args
    cdef uint32_t i
    cdef list copies = []
    for i in range(parser.count):
        copies.append(words[i].bytes[: words[i].length])
    return copies


def send_to_all(dict connections not None, encoded):
    """Send a message to many connections.

    :param connections: they are its keys
    :param encoded: ``encoded(resp) -> bytes``, called once for each protocol that they speak
    :return: how many connections they are
    """
    cdef Connection connection
    cdef bytes two = None
    cdef bytes three = None
    for connection in connections:
        if connection.resp == 3:
            if three is None:
                three = encoded(3)
            connection.write(three)
        else:
            if two is None:
                two = encoded(2)
            connection.write(two)
    return len(connections)
