# What _arena.pxd offers of containers to other compiled modules. Part of _arena.pyx.


cdef inline sc_wanted wanted_of(int type, const wire_span *name, uint64_t hash,
                               sc_sink *sink) noexcept:
    cdef sc_wanted wanted
    wanted.type = type
    wanted.name = bytes_of(name)
    wanted.index = 0
    wanted.hash = hash
    wanted.sink = sink
    wanted.score = NULL
    return wanted


cdef inline int find_one(Arena arena, const sc_key *key, const sc_wanted *wanted) except -1:
    """An enum sc_status; without hashes as without hints."""
    if arena.ptr == NULL:
        arena.handle()
    if wanted.hash:
        return sc_find_hinted(arena.ptr, key, wanted, bytes_reserve)
    return sc_find_slow(arena.ptr, key, wanted, NULL)


cdef PyObject *field_value(Arena arena, const sc_key *key, const wire_span *field,
                           uint64_t hash) except NULL:
    cdef bytes_sink sink = new_bytes_sink()
    cdef sc_wanted wanted = wanted_of(SC_HASH, field, hash, &sink.sink)
    cdef int status = find_one(arena, key, &wanted)
    return sink.value if status == SC_OK else new_reference(sink_result(status, &sink))


cdef PyObject *element_at(Arena arena, const sc_key *key, int64_t index,
                          uint64_t hash) except NULL:
    cdef bytes_sink sink = new_bytes_sink()
    cdef wire_span nothing = wire_span(NULL, 0)
    cdef sc_wanted wanted = wanted_of(SC_LIST, &nothing, hash, &sink.sink)
    cdef int status
    wanted.index = index
    status = find_one(arena, key, &wanted)
    return sink.value if status == SC_OK else new_reference(sink_result(status, &sink))


cdef int has_member(Arena arena, const sc_key *key, int type, const wire_span *member,
                    uint64_t hash) except -1:
    cdef sc_wanted wanted = wanted_of(type, member, hash, NULL)
    cdef int status = find_one(arena, key, &wanted)
    return 1 if status == SC_OK else settled(status)


cdef int score_of(Arena arena, const sc_key *key, const wire_span *member, uint64_t hash,
                  double *score) except -1:
    cdef sc_wanted wanted = wanted_of(SC_ZSET, member, hash, NULL)
    cdef int status
    wanted.score = score
    status = find_one(arena, key, &wanted)
    return 1 if status == SC_OK else settled(status)


cdef list field_values(Arena arena, const sc_key *key, const wire_span *fields, size_t count):
    cdef list values = []
    cdef list_sink sink = new_list_sink(values)
    cdef span_array spans
    cdef sc_session session
    cdef int status
    spans.spans = <sc_bytes *>fields
    spans.count = count
    sc_session_start(&session, arena.handle())
    while True:
        list_restart(&sink.base)
        status = find_values(&session, key, &spans, sink.values)
        if whole(&session, &session, &status):
            break
    settled(status)
    return values


cdef int64_t read_length(Arena arena, const sc_key *key, int type) except -1:
    cdef uint64_t length = 0
    cdef sc_session session
    cdef int status
    sc_session_start(&session, arena.handle())
    while True:
        status = sc_length(&session, key, type, &length)
        if whole(&session, &session, &status):
            break
    return <int64_t>length if settled(status) else 0


cdef int read_member(Arena arena, const sc_key *key, int type, const wire_span *field,
                     sc_sink *value) except -1:
    cdef sc_bytes name = bytes_of(field)
    cdef sc_session session
    cdef int status
    sc_session_start(&session, arena.handle())
    while True:
        status = sc_map_find(&session, key, type, name, value)
        if whole(&session, &session, &status):
            break
    return settled(status)


cdef int read_members(Arena arena, const sc_key *key, int type, uint32_t what,
                      item_sink *items) except -1:
    cdef sc_session session
    cdef int status
    sc_session_start(&session, arena.handle())
    while True:
        items.restart(items)
        status = sc_map_all(&session, key, type, what, &items.items)
        if whole(&session, &session, &status):
            break
    return settled(status)


cdef int read_element(Arena arena, const sc_key *key, int64_t index, sc_sink *value) except -1:
    cdef sc_session session
    cdef int status
    sc_session_start(&session, arena.handle())
    while True:
        status = sc_list_at(&session, key, index, value)
        if whole(&session, &session, &status):
            break
    return settled(status)


cdef int read_elements(Arena arena, const sc_key *key, int64_t start, int64_t stop,
                       item_sink *items) except -1:
    cdef sc_session session
    cdef int status
    sc_session_start(&session, arena.handle())
    while True:
        items.restart(items)
        status = sc_list_range(&session, key, start, stop, &items.items)
        if whole(&session, &session, &status):
            break
    return settled(status)


cdef int read_score(Arena arena, const sc_key *key, const wire_span *member,
                    double *score) except -1:
    cdef sc_bytes name = bytes_of(member)
    cdef sc_session session
    cdef int status
    sc_session_start(&session, arena.handle())
    while True:
        status = sc_zset_score(&session, key, name, score)
        if whole(&session, &session, &status):
            break
    return settled(status)


cdef int read_rank(Arena arena, const sc_key *key, const wire_span *member, uint64_t *rank,
                   double *score) except -1:
    cdef sc_bytes name = bytes_of(member)
    cdef sc_session session
    cdef int status
    sc_session_start(&session, arena.handle())
    while True:
        status = sc_zset_rank(&session, key, name, rank, score)
        if whole(&session, &session, &status):
            break
    return settled(status)


cdef int range_by_rank(sc_session *session, const sc_key *key, int64_t start, int64_t stop,
                       bint reverse, uint32_t what, item_sink *items) noexcept:
    cdef uint64_t length = 0
    cdef int status
    if start < 0 or stop < 0:
        status = sc_length(session, key, SC_ZSET, &length)
        if status != SC_OK:
            return status
        start = max(start + <int64_t>length, <int64_t>0) if start < 0 else start
        stop = stop + <int64_t>length if stop < 0 else stop
    if stop < start:  # still an error on another type
        return sc_length(session, key, SC_ZSET, &length)
    length = <uint64_t>stop - <uint64_t>start + 1  # at most 2 ** 63
    return sc_zset_range(session, key, start, length, reverse, what, &items.items)


cdef int read_ranks(Arena arena, const sc_key *key, int64_t start, int64_t stop, bint reverse,
                    uint32_t what, item_sink *items) except -1:
    cdef sc_session session
    cdef int status
    sc_session_start(&session, arena.handle())
    while True:
        items.restart(items)
        status = range_by_rank(&session, key, start, stop, reverse, what, items)
        if whole(&session, &session, &status):
            break
    return settled(status)


cdef int write_members(Arena arena, const sc_key *key, change *how) except -1:
    return one_shot(arena, key, put_step, how)


cdef int remove_members(Arena arena, const sc_key *key, change *how) except -1:
    return one_shot(arena, key, remove_step, how)


cdef int pop_members(Arena arena, const sc_key *key, change *how) except -1:
    return one_shot(arena, key, member_pop_step, how)


cdef int push_elements(Arena arena, const sc_key *key, change *how) except -1:
    return one_shot(arena, key, push_step, how)


cdef int pop_elements(Arena arena, const sc_key *key, change *how) except -1:
    return one_shot(arena, key, element_pop_step, how)


cdef int add_scored(Arena arena, const sc_key *key, change *how) except -1:
    return one_shot(arena, key, scored_step, how)


cdef int pop_scored(Arena arena, const sc_key *key, change *how) except -1:
    return one_shot(arena, key, scored_pop_step, how)


cdef int increment_field(Arena arena, const sc_key *key, change *how) except -1:
    return one_shot(arena, key, increment_step, how)
