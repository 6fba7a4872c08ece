# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The front-end's inner loop: sockets to requests to replies, without Python where it is hot.

Connections live in an epoll set of their own, which the asyncio loop watches as one descriptor. A
wake-up serves every ready connection: receive once, run all whole requests, send once. Against one
asyncio transport a connection this saves a fifth of the processor time of a request that is not
pipelined, and what waits to be sent is ours to count and to limit.

    socket -> input (shared; a parser keeps an unfinished rest) -> run -> output (shared) -> socket
                                                                    `-> queue, while the socket is full

The hottest commands are run by _native.pxi, all others by the handler given to Frontend. Everything
happens in the loop's thread.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.errno cimport EAGAIN, EINTR, errno
from libc.stdint cimport INT64_MIN, UINT32_MAX, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcmp, memcpy, memmove, memset
from posix.time cimport CLOCK_MONOTONIC, CLOCK_REALTIME, clock_gettime, timespec
from posix.unistd cimport close

from shmcache.arena cimport _arena as core
from shmcache.arena._arena cimport Arena, change, new_change
from shmcache.arena._sinks cimport (
    SC_FIELDS, SC_HASH, SC_LIST, SC_SET, SC_UNCHANGED, SC_VALUES, SC_ZADD_INCR, SC_ZSET, c_bool,
    item_sink, make_key, sc_bytes, sc_items, sc_key, sc_sink, wire_buffer, wire_span,
)
from shmcache.protocol._request cimport RequestLimits, RequestParser, parse_number, span

import logging
import os

from shmcache.errors import OutOfMemory, ProtocolError, ShmcacheError
from shmcache.protocol.doubles import double_text

_log = logging.getLogger("shmcache.server")

include "_system.pxi"
include "_buffer.pxi"
include "_statistics.pxi"
include "_connection.pxi"


cdef class Frontend:
    """All connections of one process.

    :param loop: an asyncio loop; only its thread may use this object
    :param arena: where the native commands work; None to have none
    :param handler: ``handler(client, words) -> CommandStats | None`` runs any other command and
        writes the reply; the returned statistics count the call
    :param error_line: ``error_line(client, stats, exception) -> bytes``: the reply to an exception
    :param on_closed: ``on_closed(client, reason)`` is called once a connection is closed; reason is
        None (by us), ``eof``, ``error``, ``output limit`` or ``query limit``
    :param stats: the CommandStats of each of NATIVE_NAMES
    """

    cdef public bint native_allowed  # False: the handler gets every command
    cdef public object after_command # called after every command, before the connection's next
    cdef public object on_slow       # on_slow(client, words, nanoseconds, stats) after a slow one
    cdef uint64_t slow_from_ns
    cdef readonly dict connections
    cdef readonly set waiting        # connections whose replies wait for the client to read
    cdef readonly RequestLimits request_limits
    cdef public size_t query_limit_bytes
    cdef readonly dict queueable     # command names, as they come, to what MULTI makes wait
    cdef public int64_t commands
    cdef public int64_t reads
    cdef public int64_t writes
    cdef public uint64_t received_bytes
    cdef public uint64_t sent_bytes
    cdef public size_t largest_query
    cdef public size_t largest_output
    cdef Arena arena
    cdef object loop
    cdef object handler
    cdef object error_line
    cdef object on_closed
    cdef list native_stats
    cdef int64_t now_ns              # when the last command ended
    cdef int epoll
    cdef epoll_event ready[EVENTS]
    cdef Connection current          # whose requests are being run
    cdef wire_buffer output          # its replies, unless earlier ones still wait in its queue
    cdef char *input
    cdef list queued                 # connections to flush or to drop before the wake-up ends
    cdef list unblocked              # connections whose received requests are to be run
    cdef list dropped                # keeps what `ready` may still point to
    cdef bint working
    cdef bint flush_scheduled
    cdef output_limit limits[LIMIT_CLASSES]

    def __cinit__(self):
        self.epoll = -1

    def __init__(self, loop, Arena arena, handler, error_line, on_closed, dict stats):
        self.loop = loop
        self.arena = arena
        self.handler = handler
        self.error_line = error_line
        self.on_closed = on_closed
        self.native_stats = [<CommandStats?>stats[name] for name in NATIVE_NAMES]
        self.native_allowed = True
        self.slow_from_ns = ALL_BITS
        self.connections = {}
        self.waiting = set()
        self.queueable = {}
        self.request_limits = RequestLimits()
        self.query_limit_bytes = 1 << 30
        self.queued = []
        self.unblocked = []
        self.dropped = []
        self.input = <char *>malloc(INPUT_BYTES)
        if self.input == NULL:
            raise MemoryError
        self.epoll = epoll_create1(EPOLL_CLOEXEC)
        if self.epoll < 0:
            raise OSError(errno, os.strerror(errno))
        loop.add_reader(self.epoll, self.wake)

    def __dealloc__(self):
        free(self.input)
        free(self.output.bytes)
        if self.epoll >= 0:
            close(self.epoll)

    @property
    def slow_ns(self):
        """From how many nanoseconds on `on_slow` is told of a command; -1 = never."""
        return <int64_t>self.slow_from_ns

    @slow_ns.setter
    def slow_ns(self, int64_t nanoseconds):
        self.slow_from_ns = ALL_BITS if nanoseconds < 0 else nanoseconds

    @property
    def current_client(self):
        """Whose requests are being run; None between them."""
        return None if self.current is None else self.current.client

    def set_output_limit(self, int limit_class, size_t hard_bytes, size_t soft_bytes,
                         int64_t soft_seconds):
        """client-output-buffer-limit of a class: 0 normal, 1 replica, 2 pub/sub."""
        if not 0 <= limit_class < LIMIT_CLASSES:
            raise ValueError(limit_class)
        self.limits[limit_class] = output_limit(
            hard_bytes, soft_bytes, soft_seconds * 1000000000
        )

    def add(self, Connection connection not None):
        """Serve a connection.

        :raises OSError: its descriptor cannot be watched
        """
        cdef epoll_event event
        event.events = EPOLLIN
        event.data.ptr = <void *>connection
        if epoll_ctl(self.epoll, EPOLL_CTL_ADD, connection.descriptor, &event) < 0:
            raise OSError(errno, os.strerror(errno))
        connection.watched = EPOLLIN
        self.connections[connection.descriptor] = connection

    def check_output_limit(self, Connection connection not None):
        """Drop a connection whose client has not read for too long."""
        if connection.waiting():
            self.note_waiting(connection)

    def stop(self):
        """Send what can be sent at once and close everything."""
        if self.epoll < 0:
            return
        self.flush()
        for connection in list(self.connections.values()):
            self.drop(connection, None)
        self.loop.remove_reader(self.epoll)
        close(self.epoll)
        self.epoll = -1

    # ---- a wake-up ------------------------------------------------------------------------------

    def wake(self):
        """Serve every connection that is ready; the loop calls this."""
        cdef int count = epoll_wait(self.epoll, self.ready, EVENTS, 0)
        cdef int i
        cdef Connection connection
        self.working = True
        try:
            for i in range(count):
                connection = <Connection>self.ready[i].data.ptr
                if not connection.closed:
                    self.serve(connection, self.ready[i].events)
            self.finish()
        finally:
            self.working = False
            self.dropped.clear()

    def serve_others(self):
        """Serve all but the current connection once, in the middle of its request."""
        serve_between(self)

    cdef int finish(self) except -1:
        """Go on with the unblocked, and send what was written to others than the current client."""
        cdef list batch
        while self.unblocked or self.queued:
            batch = self.unblocked
            self.unblocked = []
            for connection in batch:
                self.go_on(connection)
            self.flush_queued()
        return 0

    cdef int go_on(self, Connection connection) except -1:
        """Run what was received while a connection was blocked."""
        connection.goes_on = False
        if connection.closed:
            return 0
        try:
            self.now_ns = monotonic_ns()
            self.run_requests(connection)
        except Exception:
            _log.exception("connection dropped")
            self.drop(connection, "error")
        return 0

    cdef int serve(self, Connection connection, uint32_t events) except -1:
        try:
            if events & EPOLLOUT:
                self.send_queue(connection)
                self.settle(connection)
            if connection.closing:
                if events & (EPOLLHUP | EPOLLERR):
                    self.drop(connection, "eof")
            elif events & ~EPOLLOUT:
                self.receive(connection)
        except Exception:
            _log.exception("connection dropped")
            self.drop(connection, "error")
        return 0

    cdef int receive(self, Connection connection) except -1:
        cdef RequestParser parser = connection.parser
        cdef bint shared = parser.is_empty()
        cdef size_t available = INPUT_BYTES
        cdef char *to = self.input
        cdef ssize_t got
        if not shared:
            to = parser.room(RECEIVE_AT_LEAST, &available)
        got = recv(connection.descriptor, to, available, MSG_DONTWAIT)
        if got <= 0:
            if got == 0:
                self.drop(connection, "eof")
            elif errno != EAGAIN and errno != EINTR:
                self.drop(connection, "error")
            return 0
        if shared:
            parser.lend(to, got)
        else:
            parser.received(got)
        self.now_ns = connection.active_ns = monotonic_ns()
        self.reads += 1
        self.received_bytes += got
        connection.received_bytes += got
        return self.run_requests(connection)

    cdef int run_requests(self, Connection connection) except -1:
        cdef RequestParser parser = connection.parser
        self.current = connection
        try:
            try:
                if connection.again is not None and not connection.blocked:
                    self.run_again(connection)
                while not (connection.closing or connection.blocked) and parser.next_request():
                    self.run(connection)
                    if self.output.length > SEND_EARLY_BYTES:
                        self.send_output(connection)
            except ProtocolError as error:
                connection.write(self.error_line(connection.client, None, error))
                connection.closing = True
            if connection.closing:
                parser.lend(NULL, 0)  # the rest is not wanted
            else:
                parser.keep()
                self.largest_query = larger(self.largest_query, parser.pending_bytes())
                if parser.pending_bytes() > self.query_limit_bytes:
                    self.doom(connection, "query limit")
            self.send_output(connection)
        finally:
            self.current = None
            self.output.length = 0
        if connection.closing or connection.waiting():
            self.settle(connection)
        return 0

    cdef int run(self, Connection connection) except -1:
        """Run the request that the parser has found."""
        cdef CommandStats stats = None
        cdef int which
        if connection.native and self.native_allowed:
            which = native_command(connection.parser.args)
            if which >= 0:
                stats = self.call_native(connection, which)
        elif connection.guard is not None and self.native_allowed:
            which = native_command(connection.parser.args)
            if which >= 0 and connection.guard.allows(
                which, connection.parser.args, connection.parser.count
            ):
                stats = self.call_native(connection, which)
        if stats is None:
            stats = self.call_handler(connection, copy_words(connection.parser))
        return self.ended(connection, stats, None)

    cdef int run_again(self, Connection connection) except -1:
        """Run a request that was held back."""
        cdef list words = connection.again
        connection.again = None
        return self.ended(connection, self.call_handler(connection, words), words)

    cdef inline int ended(self, Connection connection, CommandStats stats, list words) except -1:
        """A request was run; `words` are None if they are those that the parser has found."""
        cdef int64_t ended_ns = monotonic_ns()
        cdef int64_t spent_ns = ended_ns - self.now_ns
        self.now_ns = ended_ns
        if stats is not None:
            stats.count(spent_ns)
            self.commands += 1
            connection.last_command = stats
        if self.after_command is not None or <uint64_t>spent_ns >= self.slow_from_ns:
            self.call_hooks(connection, stats, words, spent_ns)
        return 0

    cdef int call_hooks(self, Connection connection, CommandStats stats, list words,
                        int64_t spent_ns) except -1:
        """Tell who wants to know of commands; their failures are not the client's."""
        try:
            if stats is not None and <uint64_t>spent_ns >= self.slow_from_ns:
                if words is None:
                    words = copy_words(connection.parser)
                self.on_slow(connection.client, words, spent_ns, stats)
            if self.after_command is not None:
                self.after_command()
        except Exception:
            _log.exception("after a command")
        self.now_ns = monotonic_ns()
        return 0

    def count(self, client, list words, int64_t nanoseconds, CommandStats stats not None):
        """Count a command that was not run by a request of its own, such as one that waited."""
        stats.count(nanoseconds)
        self.commands += 1
        if <uint64_t>nanoseconds >= self.slow_from_ns:
            self.on_slow(client, words, nanoseconds, stats)

    cdef CommandStats call_native(self, Connection connection, int which):
        cdef wire_buffer *out = connection.sink()
        cdef size_t before = out.length
        cdef CommandStats stats = <CommandStats>self.native_stats[which]
        try:
            if not run_native(self.arena, connection, which, out):
                return None
        except Exception as error:
            out.length = before
            connection.write(self.error_line(connection.client, stats, error))
        if connection.waiting():
            self.note_waiting(connection)
        return stats

    cdef CommandStats call_handler(self, Connection connection, list words):
        cdef Queueable known
        try:
            if self.native_allowed and (
                connection.held is not None or (connection.native and len(words) == 1)
            ):
                known = self.queueable.get(words[0])
                if known is not None and take_part(self, connection, known, words):
                    return known.stats if known.plain >= PLAIN_MULTI else None
            return self.handler(connection.client, words)
        except Exception as error:
            connection.write(self.error_line(connection.client, None, error))
            return None

    # ---- sending --------------------------------------------------------------------------------

    cdef ssize_t send_some(self, Connection connection, const char *bytes, size_t length) noexcept:
        """How much of it the socket took; the connection is doomed when it fails."""
        cdef ssize_t sent = send(connection.descriptor, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL)
        if sent < 0:
            if errno != EAGAIN and errno != EINTR:
                connection.doom = "error"
                connection.closing = True
            return 0
        self.writes += 1
        self.sent_bytes += sent
        connection.sent_bytes += sent
        return sent

    cdef int send_output(self, Connection connection) except -1:
        """Send the shared output buffer; what the socket does not take goes into the queue."""
        cdef wire_buffer *output = &self.output
        cdef size_t sent
        if output.length == 0:
            return 0
        if not connection.closed:
            sent = self.send_some(connection, output.bytes, output.length)
            if sent < output.length and connection.doom is None:
                self.keep_unsent(connection, sent)
        output.length = 0
        if output.capacity > OUTPUT_KEPT_BYTES:
            release(output)
        return 0

    cdef int keep_unsent(self, Connection connection, size_t sent) except -1:
        cdef wire_buffer *output = &self.output
        if output.length - sent >= ADOPT_BYTES:
            release(&connection.queue)
            connection.queue = output[0]
            connection.queue_start = sent
            output.bytes = NULL
            output.length = output.capacity = 0
        else:
            connection.queue.length = connection.queue_start = 0
            append(&connection.queue, output.bytes + sent, output.length - sent)
        self.note_waiting(connection)
        return 0

    cdef int send_queue(self, Connection connection) except -1:
        cdef wire_buffer *queue = &connection.queue
        cdef size_t rest = connection.waiting()
        if rest == 0 or connection.closed:
            return 0
        connection.queue_start += self.send_some(
            connection, queue.bytes + connection.queue_start, rest
        )
        rest = connection.waiting()
        if rest == 0:
            release(queue)
            connection.queue_start = 0
            connection.over_soft_ns = 0
            connection.active_ns = monotonic_ns()
        elif connection.queue_start > rest:
            memmove(queue.bytes, queue.bytes + connection.queue_start, rest)
            queue.length = rest
            connection.queue_start = 0
        return 0

    cdef int note_waiting(self, Connection connection) except -1:
        """Something is in its queue: see that it gets sent, and that it does not grow for ever."""
        cdef size_t waiting = connection.waiting()
        cdef output_limit *limit = &self.limits[connection.limit_class]
        cdef int64_t now_ns
        self.largest_output = larger(self.largest_output, waiting)
        connection.waiting_peak = larger(connection.waiting_peak, waiting)
        self.list_for_flush(connection)
        if limit.hard_bytes and waiting > limit.hard_bytes:
            return self.doom(connection, "output limit")
        if limit.soft_bytes == 0 or waiting <= limit.soft_bytes:
            connection.over_soft_ns = 0
        else:
            now_ns = monotonic_ns()
            if connection.over_soft_ns == 0:
                connection.over_soft_ns = now_ns
            elif now_ns - connection.over_soft_ns > limit.soft_ns:
                return self.doom(connection, "output limit")
        if waiting > SEND_EARLY_BYTES and not connection.watched & EPOLLOUT and (
            connection is not self.current
        ):
            self.send_queue(connection)
        return 0

    cdef int list_for_flush(self, Connection connection) except -1:
        if not connection.listed:
            connection.listed = True
            self.queued.append(connection)
            self.schedule()
        return 0

    cdef int schedule(self) except -1:
        """See that finish() is called soon."""
        if not self.working and not self.flush_scheduled:
            self.flush_scheduled = True
            self.loop.call_soon(self.flush)
        return 0

    def flush(self):
        """Do what came up outside a wake-up: go on with the unblocked, send, drop who has to go."""
        self.flush_scheduled = False
        if self.epoll >= 0:
            self.finish()

    cdef int flush_queued(self) except -1:
        cdef Connection connection
        cdef list batch
        while self.queued:
            batch = self.queued
            self.queued = []
            for connection in batch:
                connection.listed = False
                try:
                    if not connection.watched & EPOLLOUT:
                        self.send_queue(connection)
                    self.settle(connection)
                except Exception:
                    _log.exception("connection dropped")
                    self.drop(connection, "error")
        return 0

    # ---- endings --------------------------------------------------------------------------------

    cdef int settle(self, Connection connection) except -1:
        """Drop the connection if it is time, else watch for what it needs next."""
        cdef epoll_event event
        cdef bint waits = connection.waiting() > 0
        if connection.closed:
            return 0
        if connection.doom is not None:
            return self.drop(connection, connection.doom)
        if connection.closing and not waits:
            return self.drop(connection, None)
        event.events = (0 if connection.closing else EPOLLIN) | (EPOLLOUT if waits else 0)
        if event.events != connection.watched:
            event.data.ptr = <void *>connection
            if epoll_ctl(self.epoll, EPOLL_CTL_MOD, connection.descriptor, &event) < 0:
                return self.drop(connection, "error")
            connection.watched = event.events
            if waits:
                self.waiting.add(connection)
            else:
                self.waiting.discard(connection)
        return 0

    cdef int doom(self, Connection connection, str reason) except -1:
        """Drop it soon: whoever is writing to it may be walking over a table that it is in."""
        if connection.doom is None:
            connection.doom = reason
            connection.closing = True
            self.list_for_flush(connection)
        return 0

    cdef int drop(self, Connection connection, str reason) except -1:
        """Close now."""
        cdef epoll_event event
        if connection.closed:
            return 0
        connection.closed = connection.closing = True
        connection.native = False
        connection.guard = None
        self.connections.pop(connection.descriptor, None)
        self.waiting.discard(connection)
        epoll_ctl(self.epoll, EPOLL_CTL_DEL, connection.descriptor, &event)
        close(connection.descriptor)
        release(&connection.queue)
        connection.queue_start = 0
        if self.working:
            self.dropped.append(connection)
        try:
            self.on_closed(connection.client, reason)
        except Exception:
            _log.exception("after closing a connection")
        return 0


include "_between.pxi"
include "_wire_items.pxi"
include "_native_containers.pxi"
include "_native.pxi"
include "_guard.pxi"
include "_queue.pxi"
