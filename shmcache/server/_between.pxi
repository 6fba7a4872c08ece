"""Other clients are served in the middle of a request that takes long: a script asks for it."""


cdef int serve_between(Frontend frontend) except -1:
    """Serve every connection that is ready but the current one.

    The current request's words and replies stay where they are: what is received and answered
    meanwhile has buffers of its own.
    """
    cdef Connection held = frontend.current
    cdef Connection connection
    cdef wire_buffer output = frontend.output
    cdef char *lent = frontend.input
    cdef bint working = frontend.working
    cdef epoll_event ready[EVENTS_BETWEEN]
    cdef int count
    cdef int i
    cdef char *own = <char *>malloc(INPUT_BYTES)
    if own == NULL:
        raise MemoryError
    memset(&frontend.output, 0, sizeof(frontend.output))
    frontend.input = own
    frontend.current = None
    frontend.working = True  # what is dropped meanwhile may still be among `ready`
    try:
        count = epoll_wait(frontend.epoll, ready, EVENTS_BETWEEN, 0)
        for i in range(count):
            connection = <Connection>ready[i].data.ptr
            if not connection.closed and connection is not held:
                frontend.serve(connection, ready[i].events)
        frontend.finish()
    finally:
        free(frontend.output.bytes)
        free(own)
        frontend.output = output
        frontend.input = lent
        frontend.current = held
        frontend.working = working
        if not working:
            frontend.dropped.clear()
    return 0
