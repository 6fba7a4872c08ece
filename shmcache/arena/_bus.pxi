# Publish and subscribe through the bus segment.

CHANNEL, PATTERN, SHARD_CHANNEL = SC_CHANNEL, SC_PATTERN, SC_SHARD_CHANNEL
Listening = namedtuple("Listening", "kind name subscriptions own whole")


cdef inline sc_ring *bus_of(Arena arena) except NULL:
    return &(<sc_arena_fields *>arena.handle()).bus


cdef c_bool emit_listening(void *context, uint32_t kind, c_bool own, uint32_t count,
                           const char *name, uint32_t length, c_bool whole) noexcept:
    try:
        (<list>context).append(
            Listening(kind, name[:length], count, bool(own), bool(whole)))
        return True
    except BaseException:
        return False


def bus_publish(Arena arena not None, uint32_t kind, bytes channel not None,
                bytes message not None):
    cdef sc_message head
    cdef int status
    head.origin = sc_sys_nonce()
    head.channel_bytes = <uint32_t>PyBytes_GET_SIZE(channel)
    head.kind = kind
    status = sc_bus_publish(arena.handle(), &head, PyBytes_AS_STRING(channel),
                            PyBytes_AS_STRING(message), PyBytes_GET_SIZE(message))
    if status != SC_OK and status != SC_LOST:  # who listens is told of a loss
        fail(status)


def bus_enter(Arena arena not None, uint32_t kind, bytes name not None):
    cdef uint32_t place = 0
    if sc_bus_enter(arena.handle(), kind, PyBytes_AS_STRING(name),
                    <uint32_t>PyBytes_GET_SIZE(name), &place) != SC_OK:
        return -1
    return place


def bus_count(Arena arena not None, uint32_t place, uint32_t count):
    sc_bus_count(arena.handle(), place, count)


def bus_entries(Arena arena not None, uint32_t kind=0, bytes name=None):
    cdef list found = []
    cdef c_bool done
    if name is None:
        done = sc_bus_entries(arena.handle(), kind, NULL, 0, emit_listening, <void *>found)
    else:
        done = sc_bus_entries(arena.handle(), kind, PyBytes_AS_STRING(name),
                              <uint32_t>PyBytes_GET_SIZE(name), emit_listening, <void *>found)
    if not done:
        raise MemoryError()
    return found


def bus_has_others(Arena arena not None):
    return bool(sc_bus_has_others(arena.handle()))


def bus_rouse(Arena arena not None):
    sc_ring_rouse(bus_of(arena))


cdef class BusReader:
    cdef readonly Arena arena
    cdef sc_ring_reader reader

    def __init__(self, Arena arena not None):
        self.arena = arena
        sc_ring_start(bus_of(arena), &self.reader)

    def restart(self):
        sc_ring_start(bus_of(self.arena), &self.reader)

    def read(self):
        cdef const sc_ring *ring = bus_of(self.arena)
        cdef bytes_sink sink
        cdef int status = SC_UNCHANGED
        while True:
            sink = new_bytes_sink()
            status = sc_ring_read(ring, &self.reader, &sink.sink)
            if status == SC_UNCHANGED:
                Py_XDECREF(sink.value)
                continue
            record = sink_result(status, &sink)
            if record is None:
                return None
            message = message_of(record)
            if message is not None:
                return message

    def wait(self, uint32_t timeout_ms):
        cdef const sc_ring *ring = bus_of(self.arena)
        with nogil:
            sc_ring_wait(ring, &self.reader, timeout_ms)


cdef object message_of(bytes record):
    """(kind, whether this process sent it, channel, text); None for what is none."""
    cdef sc_message head
    cdef const char *start = PyBytes_AS_STRING(record)
    cdef uint64_t length = PyBytes_GET_SIZE(record)
    cdef uint64_t after
    if length < sizeof(head):
        return None
    memcpy(&head, start, sizeof(head))
    after = sizeof(head) + <uint64_t>head.channel_bytes
    if after > length:
        return None
    return (head.kind, head.origin == sc_sys_nonce(),
            PyBytes_FromStringAndSize(start + sizeof(head), head.channel_bytes),
            PyBytes_FromStringAndSize(start + after, <Py_ssize_t>(length - after)))
