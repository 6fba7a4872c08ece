# Writes to one container. Part of _arena.pyx.
#
# A step is what is done to a container inside a transaction, all of C, so that it can be repeated:
# by Arena in a transaction of its own, by Transaction in the one that is open.


cdef int one_shot(Arena arena, const sc_key *key, write_step step, void *how) except -1:
    cdef sc_tx *tx = NULL
    cdef int attempts = 0
    cdef int status
    while True:
        status = sc_tx_begin(arena.handle(), key, 1, &tx)
        if status != SC_OK:
            break
        status = step(tx, key, how)
        if status == SC_NO_MEMORY and PyErr_Occurred() != NULL:
            sc_tx_abort(tx)
            return -1
        if not sc_tx_end(tx, status, &attempts):
            break
    return written(status)


cdef inline int written(int status) except -1:
    if status != SC_OK and status != SC_MISS and status != SC_UNCHANGED:
        fail(status)
    return status


# ---- steps: hashes and sets ------------------------------------------------------------------------

cdef int put_step(sc_tx *tx, const sc_key *key, void *pointer) noexcept:
    """Members of a set; fields and values of a hash in turn."""
    cdef change *how = <change *>pointer
    cdef size_t stride = 2 if how.type == SC_HASH else 1
    cdef size_t i = 0
    cdef c_bool added
    cdef int status
    how.result = 0
    while i < how.count:
        added = False
        # a set's member has no value: its own bytes are not looked at
        status = sc_map_put(tx, key, how.type, how.items[i], how.items[i + stride - 1], how.flags,
                            &added)
        if status != SC_OK and status != SC_UNCHANGED:
            return status
        how.result += added
        i += stride
    return SC_OK


cdef int remove_step(sc_tx *tx, const sc_key *key, void *pointer) noexcept:
    cdef change *how = <change *>pointer
    cdef size_t i
    cdef int status
    how.result = 0
    for i in range(how.count):
        if how.type == SC_ZSET:
            status = sc_zset_remove(tx, key, how.items[i])
        else:
            status = sc_map_remove(tx, key, how.type, how.items[i])
        if status == SC_OK:
            how.result += 1
        elif status != SC_MISS:
            return status
    return SC_OK


cdef int member_pop_step(sc_tx *tx, const sc_key *key, void *pointer) noexcept:
    """Members of a set, at random; all of them when there are no more."""
    cdef change *how = <change *>pointer
    cdef forward_sink sink = new_forward_sink(how.taken)
    cdef uint64_t length = 0
    cdef uint64_t i
    cdef int status = sc_length(sc_tx_session(tx), key, SC_SET, &length)
    how.taken.restart(how.taken)
    how.result = min(length, <uint64_t>how.count)
    if status != SC_OK or how.count == 0:
        return status
    if length <= how.count:
        status = sc_map_all(sc_tx_session(tx), key, SC_SET, SC_FIELDS, &how.taken.items)
        return sc_set_clear(tx, key) if status == SC_OK else status
    for i in range(how.result):
        status = sc_set_pop(tx, key, &sink.sink)
        if status != SC_OK:
            return status
    return SC_OK


cdef enum:
    INTEGER_MOST = 20   # bytes of a 64-bit integer in decimal

cdef struct digits_sink:
    sc_sink sink
    size_t length
    char bytes[INTEGER_MOST]

cdef char *digits_reserve(sc_sink *sink, size_t length) noexcept:
    cdef digits_sink *own = <digits_sink *>sink
    own.length = length
    return own.bytes if length <= INTEGER_MOST else NULL


cdef bint read_integer(const char *text, size_t length, int64_t *value) noexcept:
    """As Redis: no sign but -, no leading zero, nothing around it."""
    cdef bint negative = length > 0 and text[0] == c"-"
    cdef uint64_t most = <uint64_t>INT64_MAX + negative
    cdef uint64_t number = 0
    cdef size_t i = negative
    cdef unsigned char digit
    if i == length or length > INTEGER_MOST or (text[i] == c"0" and length > 1):
        return False
    while i < length:
        digit = <unsigned char>(text[i] - c"0")
        if digit > 9 or number > (most - digit) // 10:
            return False
        number = number * 10 + digit
        i += 1
    value[0] = <int64_t>(0 - number) if negative else <int64_t>number
    return True


cdef int increment_step(sc_tx *tx, const sc_key *key, void *pointer) noexcept:
    """HINCRBY. What it cannot do, it leaves as it was: SC_UNCHANGED."""
    cdef change *how = <change *>pointer
    cdef digits_sink old
    cdef sc_bytes new
    cdef char text[INTEGER_MOST + 4]
    cdef int64_t value = 0
    cdef c_bool added
    cdef int status
    old.sink.reserve = digits_reserve
    old.length = 0
    status = sc_map_find(sc_tx_session(tx), key, SC_HASH, how.items[0], &old.sink)
    if status == SC_NO_MEMORY or (
        status == SC_OK and not read_integer(old.bytes, old.length, &value)
    ):
        return SC_UNCHANGED
    if status != SC_OK and status != SC_MISS:
        return status
    if (how.by > 0 and value > INT64_MAX - how.by) or (how.by < 0 and value < INT64_MIN - how.by):
        return SC_UNCHANGED
    value += how.by
    how.result = <uint64_t>value
    new.bytes = text
    new.length = snprintf(text, sizeof(text), "%lld", <long long>value)
    sc_tx_event(tx, SC_EVENT_HINCRBY)
    status = sc_map_put(tx, key, SC_HASH, how.items[0], new, SC_PUT_KEEP_TTL, &added)
    sc_tx_event(tx, SC_EVENT_NONE)
    return status


# ---- steps: lists ------------------------------------------------------------------------------------

cdef int push_step(sc_tx *tx, const sc_key *key, void *pointer) noexcept:
    cdef change *how = <change *>pointer
    cdef size_t i
    cdef int status
    how.result = 0
    for i in range(how.count):
        status = sc_list_push(tx, key, how.items[i], how.at_head, how.must_exist, &how.result)
        if status != SC_OK:
            return status
    return SC_OK


cdef int element_pop_step(sc_tx *tx, const sc_key *key, void *pointer) noexcept:
    cdef change *how = <change *>pointer
    cdef forward_sink sink = new_forward_sink(how.taken)
    cdef int status
    how.result = 0
    how.taken.restart(how.taken)
    if how.count == 0:  # still an error on another type, and a miss
        return sc_length(sc_tx_session(tx), key, SC_LIST, &how.result)
    while how.result < how.count:
        status = sc_list_pop(tx, key, how.at_head, &sink.sink)
        if status == SC_MISS and how.result > 0:
            return SC_OK
        if status != SC_OK:
            return status
        how.result += 1
    return SC_OK


# ---- steps: sorted sets ------------------------------------------------------------------------------

cdef int scored_step(sc_tx *tx, const sc_key *key, void *pointer) noexcept:
    """SC_UNCHANGED: a flag forbade the last one."""
    cdef change *how = <change *>pointer
    cdef size_t i
    cdef int outcome
    cdef int status = SC_OK
    how.result = 0
    how.updated = 0
    for i in range(how.count):
        outcome = 0
        status = sc_zset_add(tx, key, how.items[i], how.scores[i], how.flags, &how.score, &outcome)
        if status == SC_OK:
            how.result += outcome == SC_ZADD_ADDED
            how.updated += outcome == SC_ZADD_UPDATED
        elif status != SC_UNCHANGED:
            return status
    return status


cdef int scored_pop_step(sc_tx *tx, const sc_key *key, void *pointer) noexcept:
    """Members and scores in turn, from that end on."""
    cdef change *how = <change *>pointer
    cdef uint64_t length = 0
    cdef int status = SC_OK
    how.taken.restart(how.taken)
    if how.count == 1 and not how.at_head:
        length = 1  # a sorted set that is there has a lowest member
    else:
        status = sc_length(sc_tx_session(tx), key, SC_ZSET, &length)
    how.result = min(length, <uint64_t>how.count)
    if status != SC_OK or how.result == 0:
        return status
    status = sc_zset_range(sc_tx_session(tx), key, 0, how.result, how.at_head,
                           SC_FIELDS | SC_VALUES, &how.taken.items)
    if status != SC_OK:
        return status
    sc_tx_event(tx, SC_EVENT_ZPOPMAX if how.at_head else SC_EVENT_ZPOPMIN)
    status = sc_zset_remove_range(tx, key, length - how.result if how.at_head else 0, how.result)
    sc_tx_event(tx, SC_EVENT_NONE)
    return status


# ---- the methods that Arena and Transaction share --------------------------------------------------

cdef object put_members(Reads self, uint32_t db, bytes key, int type, items, uint32_t flags):
    cdef sc_key made = key_of(db, key)
    cdef tuple held = tuple(items)
    cdef span_array spans
    cdef change how
    if type == SC_HASH and len(held) % 2:
        raise ValueError("a field without a value")
    take_spans(&spans, held)
    try:
        how = new_change(type, spans.spans, spans.count)
        how.flags = flags
        self.carry_out(&made, put_step, &how)
    finally:
        drop_spans(&spans)
    return how.result


cdef object take_out(Reads self, uint32_t db, bytes key, int type, items):
    cdef sc_key made = key_of(db, key)
    cdef tuple held = tuple(items)
    cdef span_array spans
    cdef change how
    take_spans(&spans, held)
    try:
        how = new_change(type, spans.spans, spans.count)
        self.carry_out(&made, remove_step, &how)
    finally:
        drop_spans(&spans)
    return how.result


cdef list pop_some(Reads self, uint32_t db, bytes key, size_t count, bint at_head,
                   write_step step):
    cdef list values = []
    cdef list_sink sink = new_list_sink(values)
    cdef sc_key made = key_of(db, key)
    cdef change how = new_change(0, NULL, count)
    how.at_head = at_head
    how.taken = &sink.base
    self.carry_out(&made, step, &how)
    return values


cdef object push_some(Reads self, uint32_t db, bytes key, elements, bint left, bint must_exist):
    cdef sc_key made = key_of(db, key)
    cdef tuple held = tuple(elements)
    cdef span_array spans
    cdef change how
    take_spans(&spans, held)
    try:
        how = new_change(SC_LIST, spans.spans, spans.count)
        how.at_head = left
        how.must_exist = must_exist
        self.carry_out(&made, push_step, &how)
    finally:
        drop_spans(&spans)
    return how.result


cdef object add_one_scored(Reads self, uint32_t db, bytes key, bytes member, double score,
                           uint32_t flags):
    cdef sc_key made = key_of(db, key)
    cdef sc_bytes name = span_of(member)
    cdef change how = new_change(SC_ZSET, &name, 1)
    how.scores = &score
    how.flags = flags
    if self.carry_out(&made, scored_step, &how) == SC_UNCHANGED:
        return None
    return how.result > 0, how.updated > 0, how.score


cdef tuple add_some_scored(Reads self, uint32_t db, bytes key, members, scores, uint32_t flags):
    cdef sc_key made = key_of(db, key)
    cdef tuple held = tuple(members)
    cdef tuple numbers = tuple(scores)
    cdef double *doubles
    cdef span_array spans
    cdef change how
    if len(held) != len(numbers):
        raise ValueError("members and scores differ in number")
    doubles = take_doubles(numbers)
    try:
        take_spans(&spans, held)
        try:
            how = new_change(SC_ZSET, spans.spans, spans.count)
            how.scores = doubles
            how.flags = flags
            self.carry_out(&made, scored_step, &how)
        finally:
            drop_spans(&spans)
    finally:
        PyMem_Free(doubles)
    return how.result, how.updated
