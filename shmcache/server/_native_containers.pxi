"""The hottest commands on hashes, sets, lists and sorted sets. See _native.pxi."""

cdef enum:
    NATIVE_SCORES = 16   # more members of one ZADD are left to its function


cdef inline sc_key key_word(Connection c) noexcept:
    cdef const span *word = &c.parser.args[1]
    return make_key(c.db, word.bytes, <uint32_t>word.length)


cdef int native_length(Arena arena, Connection c, int type, wire_buffer *out) except -1:
    cdef sc_key key = key_word(c)
    if c.parser.count != 2:
        return 0
    append_number(out, c':', core.read_length(arena, &key, type))
    return 1


cdef int native_members(Arena arena, Connection c, wire_buffer *out) except -1:
    """HGETALL."""
    cdef sc_key key = key_word(c)
    cdef wire_items items = new_wire_items(out, c.resp, False)
    if c.parser.count != 2:
        return 0
    core.read_members(arena, &key, SC_HASH, SC_FIELDS | SC_VALUES, &items.base)
    if c.resp == 2:
        return head_items(&items, c'*', items.count)
    return head_items(&items, c'%', items.count // 2)


cdef int native_hget(Arena arena, Connection c, wire_buffer *out) except -1:
    cdef sc_key key = key_word(c)
    cdef const wire_span *field = <const wire_span *>&c.parser.args[2]
    cdef wire_value value = new_wire_value(out)
    if c.parser.count != 3:
        return 0
    if not core.read_member(arena, &key, SC_HASH, field, &value.sink):
        out.length = value.start
        append_null(out, c.resp)
    return 1


cdef int native_sismember(Arena arena, Connection c, wire_buffer *out) except -1:
    cdef sc_key key = key_word(c)
    cdef const wire_span *member = <const wire_span *>&c.parser.args[2]
    if c.parser.count != 3:
        return 0
    append_number(out, c':', core.read_member(arena, &key, SC_SET, member, NULL))
    return 1


cdef int native_lindex(Arena arena, Connection c, wire_buffer *out) except -1:
    cdef sc_key key = key_word(c)
    cdef const span *words = c.parser.args
    cdef wire_value value = new_wire_value(out)
    cdef int64_t index = 0
    if c.parser.count != 3 or not parse_number(words[2].bytes, words[2].length, &index):
        return 0
    if not core.read_element(arena, &key, index, &value.sink):
        out.length = value.start
        append_null(out, c.resp)
    return 1


cdef bint range_words(const span *words, int64_t *start, int64_t *stop) noexcept:
    return parse_number(words[2].bytes, words[2].length, start) and (
        parse_number(words[3].bytes, words[3].length, stop)
    )


cdef int native_lrange(Arena arena, Connection c, wire_buffer *out) except -1:
    cdef sc_key key = key_word(c)
    cdef wire_items items = new_wire_items(out, c.resp, False)
    cdef int64_t start = 0, stop = 0
    if c.parser.count != 4 or not range_words(c.parser.args, &start, &stop):
        return 0
    core.read_elements(arena, &key, start, stop, &items.base)
    return head_items(&items, c'*', items.count)


cdef int native_zrange(Arena arena, Connection c, wire_buffer *out) except -1:
    cdef sc_key key = key_word(c)
    cdef wire_items items = new_wire_items(out, c.resp, False)
    cdef int64_t start = 0, stop = 0
    if c.parser.count != 4 or not range_words(c.parser.args, &start, &stop):
        return 0
    core.read_ranks(arena, &key, start, stop, False, SC_FIELDS, &items.base)
    return head_items(&items, c'*', items.count)


cdef int native_zscore(Arena arena, Connection c, wire_buffer *out) except -1:
    cdef sc_key key = key_word(c)
    cdef double score = 0
    if c.parser.count != 3:
        return 0
    if core.read_score(arena, &key, <const wire_span *>&c.parser.args[2], &score):
        append_double(out, score, c.resp)
    else:
        append_null(out, c.resp)
    return 1


cdef int native_zrank(Arena arena, Connection c, wire_buffer *out) except -1:
    cdef sc_key key = key_word(c)
    cdef uint64_t rank = 0
    cdef double score = 0
    if c.parser.count != 3:
        return 0
    if core.read_rank(arena, &key, <const wire_span *>&c.parser.args[2], &rank, &score):
        append_number(out, c':', rank)
    else:
        append_null(out, c.resp)
    return 1


# ---- writes --------------------------------------------------------------------------------------

ctypedef int (*write_function)(Arena arena, const sc_key *key, change *how) except -1


cdef int native_write(Arena arena, Connection c, change *how, write_function write,
                      wire_buffer *out) except -1:
    """What takes everything behind the key, and answers with a number."""
    cdef sc_key key = key_word(c)
    if c.parser.count < 3 or c.parser.count > NATIVE_WORDS:
        return 0
    how.items = <const sc_bytes *>(c.parser.args + 2)
    how.count = c.parser.count - 2
    if how.type == SC_HASH and write == core.write_members and how.count % 2:
        return 0
    write(arena, &key, how)
    append_number(out, c':', how.result)
    return 1


cdef int native_hincrby(Arena arena, Connection c, wire_buffer *out) except -1:
    cdef sc_key key = key_word(c)
    cdef const span *words = c.parser.args
    cdef change how = new_change(SC_HASH, <const sc_bytes *>(words + 2), 1)
    if c.parser.count != 4 or not parse_number(words[3].bytes, words[3].length, &how.by):
        return 0
    if core.increment_field(arena, &key, &how) == SC_UNCHANGED:
        return 0
    append_number(out, c':', <int64_t>how.result)
    return 1


cdef int native_zadd(Arena arena, Connection c, wire_buffer *out) except -1:
    cdef sc_key key = key_word(c)
    cdef const span *words = c.parser.args
    cdef uint32_t count = (c.parser.count - 2) // 2
    cdef sc_bytes members[NATIVE_SCORES]
    cdef double scores[NATIVE_SCORES]
    cdef change how = new_change(SC_ZSET, members, count)
    cdef uint32_t i
    if c.parser.count < 4 or c.parser.count % 2 or count > NATIVE_SCORES:
        return 0
    for i in range(count):
        if not read_score(&words[2 + 2 * i], &scores[i]):
            return 0
        members[i] = (<const sc_bytes *>words)[3 + 2 * i]
    how.scores = scores
    core.add_scored(arena, &key, &how)
    append_number(out, c':', how.result)
    return 1


cdef int native_zincrby(Arena arena, Connection c, wire_buffer *out) except -1:
    cdef sc_key key = key_word(c)
    cdef const span *words = c.parser.args
    cdef change how = new_change(SC_ZSET, <const sc_bytes *>(words + 3), 1)
    cdef double by = 0
    if c.parser.count != 4 or not read_score(&words[2], &by):
        return 0
    how.scores = &by
    how.flags = SC_ZADD_INCR
    core.add_scored(arena, &key, &how)
    append_double(out, how.score, c.resp)
    return 1


cdef int native_pop(Arena arena, Connection c, change *how, write_function write,
                    wire_buffer *out) except -1:
    """One element or none."""
    cdef sc_key key = key_word(c)
    cdef wire_items items = new_wire_items(out, c.resp, False)
    if c.parser.count != 2:
        return 0
    how.count = 1
    how.taken = &items.base
    write(arena, &key, how)
    if items.count == 0:
        append_null(out, c.resp)
    return 1


cdef int native_zpop(Arena arena, Connection c, bint highest, wire_buffer *out) except -1:
    """The member and its score in an array, or an empty one."""
    cdef sc_key key = key_word(c)
    cdef wire_items items = new_wire_items(out, c.resp, False)
    cdef change how = new_change(SC_ZSET, NULL, 1)
    if c.parser.count != 2:
        return 0
    how.at_head = highest
    how.taken = &items.base
    core.pop_scored(arena, &key, &how)
    return head_items(&items, c'*', items.count)


cdef int native_change(Arena arena, Connection c, int which, wire_buffer *out) except -1:
    cdef change how = new_change(SC_LIST, NULL, 0)
    if which == NATIVE_LPUSH or which == NATIVE_RPUSH:
        how.at_head = which == NATIVE_LPUSH
        return native_write(arena, c, &how, core.push_elements, out)
    if which == NATIVE_LPOP or which == NATIVE_RPOP:
        how.at_head = which == NATIVE_LPOP
        return native_pop(arena, c, &how, core.pop_elements, out)
    if which == NATIVE_HSET or which == NATIVE_HDEL:
        how.type = SC_HASH
    elif which == NATIVE_ZREM:
        how.type = SC_ZSET
    else:
        how.type = SC_SET
    if which == NATIVE_SPOP:
        return native_pop(arena, c, &how, core.pop_members, out)
    if which == NATIVE_HSET or which == NATIVE_SADD:
        return native_write(arena, c, &how, core.write_members, out)
    try:
        return native_write(arena, c, &how, core.remove_members, out)
    except OutOfMemory:
        return 0  # the function takes them out one by one: a full cache can lose elements


cdef int native_container(Arena arena, Connection c, int which, wire_buffer *out) except -1:
    if c.parser.count < 2:
        return 0
    if which == NATIVE_HGET:
        return native_hget(arena, c, out)
    if which == NATIVE_HGETALL:
        return native_members(arena, c, out)
    if which == NATIVE_SISMEMBER:
        return native_sismember(arena, c, out)
    if which == NATIVE_LINDEX:
        return native_lindex(arena, c, out)
    if which == NATIVE_LRANGE:
        return native_lrange(arena, c, out)
    if which == NATIVE_ZSCORE:
        return native_zscore(arena, c, out)
    if which == NATIVE_ZRANK:
        return native_zrank(arena, c, out)
    if which == NATIVE_ZRANGE:
        return native_zrange(arena, c, out)
    if which == NATIVE_HLEN:
        return native_length(arena, c, SC_HASH, out)
    if which == NATIVE_LLEN:
        return native_length(arena, c, SC_LIST, out)
    if which == NATIVE_SCARD:
        return native_length(arena, c, SC_SET, out)
    if which == NATIVE_ZCARD:
        return native_length(arena, c, SC_ZSET, out)
    if which == NATIVE_HINCRBY:
        return native_hincrby(arena, c, out)
    if which == NATIVE_ZADD:
        return native_zadd(arena, c, out)
    if which == NATIVE_ZINCRBY:
        return native_zincrby(arena, c, out)
    if which == NATIVE_ZPOPMIN or which == NATIVE_ZPOPMAX:
        return native_zpop(arena, c, which == NATIVE_ZPOPMAX, out)
    return native_change(arena, c, which, out)
