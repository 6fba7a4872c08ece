# The feed: what was committed, for those who want to know. Part of _arena.pyx.


EVERY_DB = -1   # of a change of all databases

cdef dict EVENT_CODES = {
    sc_event_name(code).decode(): code for code in range(SC_EVENT_CHANGED + 1, SC_EVENTS)
}
EVENT_CODES[""] = SC_EVENT_CHANGED

cdef tuple EVENT_NAMES = tuple(sc_event_name(code).decode() for code in range(SC_EVENTS))

EVENT_CLASSES = {
    name: chr(sc_event_class(code)) for name, code in EVENT_CODES.items() if sc_event_class(code)
}


cdef uint32_t event_code(name) except? 0:
    if name is None:
        return SC_EVENT_NONE
    return EVENT_CODES[name]


cdef c_bool emit_change(void *context, const sc_feed_item *item) noexcept:
    try:
        (<list>context).append((
            EVERY_DB if item.event == SC_EVENT_FLUSHALL else <int>item.db,
            PyBytes_FromStringAndSize(item.key, item.key_bytes),
            EVENT_NAMES[item.event],
            item.own,
        ))
    except MemoryError:
        return False
    return True


cdef inline void leave_others_time() noexcept:
    cdef PyThreadState *state = PyEval_SaveThread()
    usleep(1000)
    PyEval_RestoreThread(state)


cdef int end_feeds(Arena arena) except -1:
    while arena.ptr != NULL and arena.feeds:
        arena.feeds[0].close()
    return 0


cdef class Feed:
    cdef Arena arena
    cdef sc_feed *ptr
    cdef readonly bint lost
    cdef int waiting   # threads

    def __cinit__(self, Arena arena):
        cdef int status
        self.arena = arena
        self.lost = False
        status = sc_feed_open(arena.handle(), &self.ptr)
        if status != SC_OK:
            self.ptr = NULL
            fail(status)

        arena.feeds.append(self)

    def __dealloc__(self):
        sc_feed_forget(self.ptr)   # only with its arena, which knows it until it is closed

    cdef sc_feed *handle(self) except NULL:
        self.arena.handle()
        if self.ptr == NULL:
            raise ValueError("the feed is closed")
        return self.ptr

    def close(self):
        cdef sc_feed *ptr = self.ptr
        self.ptr = NULL
        if ptr == NULL:
            return
        self.arena.feeds.remove(self)
        while self.waiting:
            sc_feed_rouse(ptr)
            leave_others_time()
        sc_feed_close(ptr)

    def want(self, bint changes, bint new=False):
        cdef uint32_t wants = 0
        cdef int status
        if changes:
            wants = SC_FEED_WANT_CHANGES | (SC_FEED_WANT_NEW if new else 0)
        status = sc_feed_want(self.handle(), wants)
        if status != SC_OK:
            fail(status)

    def read(self, uint64_t limit=1000):
        cdef list items = []
        cdef int status = sc_feed_read(self.handle(), limit, emit_change, <void *>items)
        self.lost = status == SC_LOST
        if status != SC_OK and status != SC_LOST:
            fail(status)
        return items

    def wait(self, double timeout):
        cdef sc_feed *ptr = self.handle()
        cdef c_bool found
        self.waiting += 1
        found = sc_feed_wait(ptr, <uint32_t>min(max(timeout, 0) * 1000, 1000000))
        self.waiting -= 1
        return bool(found)

    def rouse(self):
        sc_feed_rouse(self.handle())
