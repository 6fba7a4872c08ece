"""The hottest commands, from parsed words to reply without Python.

Each answers exactly what the function of shmcache.commands answers; whatever is unusual (options,
wrong number of words, bad numbers) is left to that function: 0 is returned and nothing was done.
"""

cdef enum:
    NATIVE_GET
    NATIVE_SET
    NATIVE_MGET
    NATIVE_MSET
    NATIVE_DEL
    NATIVE_UNLINK
    NATIVE_EXISTS
    NATIVE_INCR
    NATIVE_DECR
    NATIVE_INCRBY
    NATIVE_DECRBY
    NATIVE_PING
    NATIVE_HGET
    NATIVE_HSET
    NATIVE_HDEL
    NATIVE_HINCRBY
    NATIVE_HGETALL
    NATIVE_HLEN
    NATIVE_SISMEMBER
    NATIVE_SADD
    NATIVE_SREM
    NATIVE_SPOP
    NATIVE_SCARD
    NATIVE_LINDEX
    NATIVE_LRANGE
    NATIVE_LLEN
    NATIVE_LPUSH
    NATIVE_RPUSH
    NATIVE_LPOP
    NATIVE_RPOP
    NATIVE_ZSCORE
    NATIVE_ZRANK
    NATIVE_ZRANGE
    NATIVE_ZCARD
    NATIVE_ZADD
    NATIVE_ZINCRBY
    NATIVE_ZREM
    NATIVE_ZPOPMIN
    NATIVE_ZPOPMAX
    NATIVE_COMMANDS

NATIVE_NAMES = (
    "get", "set", "mget", "mset", "del", "unlink", "exists", "incr", "decr", "incrby", "decrby",
    "ping", "hget", "hset", "hdel", "hincrby", "hgetall", "hlen", "sismember", "sadd", "srem",
    "spop", "scard", "lindex", "lrange", "llen", "lpush", "rpush", "lpop", "rpop", "zscore",
    "zrank", "zrange", "zcard", "zadd", "zincrby", "zrem", "zpopmin", "zpopmax",
)

cdef enum:
    # Longer requests are rare and would hold their stripes for long.
    NATIVE_WORDS = 1025
    # Longer times to live, in seconds or milliseconds, are left to the command's function to check.
    NATIVE_LONGEST = 0x7fffffff

# Bit 5 of each of eight bytes. (As a literal in an expression it would become a Python object.)
cdef uint64_t LOWER_CASE = 0x2020202020202020
cdef uint64_t ALL_BITS = <uint64_t>-1

cdef uint64_t HIGH_BITS = 0x8080808080808080
cdef uint64_t NINE_LETTERS = <uint64_t>1 << 63

# A name of up to 8 letters as one number, lower case, first letter in the low byte. Of those with 9
# there is one, which ends in r.
cdef uint64_t NAME_WORDS[NATIVE_COMMANDS]


cdef inline uint64_t name_word(const char *name, size_t length) noexcept:
    """A command's name as one number, 0 when it is too long to be a native one.

    Setting bit 5 makes letters lower case and turns nothing else into a letter.
    """
    cdef uint64_t word = 0
    cdef uint64_t mark = 0
    if length == 9 and name[8] | 0x20 == c"r":
        length = 8
        mark = NINE_LETTERS
    if length > 8 or length == 0:
        return 0
    memcpy(&word, name, length)
    if word & HIGH_BITS:
        return 0
    return (word | LOWER_CASE) & (ALL_BITS >> (8 * (8 - length))) | mark


cdef int fill_name_words() except -1:
    for i, name in enumerate(NATIVE_NAMES):
        encoded = name.encode()
        NAME_WORDS[i] = name_word(encoded, len(encoded))
    return 0


fill_name_words()


cdef inline int native_command(const span *name) noexcept:
    cdef uint64_t word = name_word(name.bytes, name.length)
    cdef int i
    for i in range(NATIVE_COMMANDS):
        if NAME_WORDS[i] == word:
            return i
    return -1


cdef inline int append_null(wire_buffer *out, int resp) except -1:
    if resp == 2:
        return append(out, b"$-1\r\n", 5)
    return append(out, b"_\r\n", 3)


cdef int native_ping(const span *words, uint32_t count, wire_buffer *out) except -1:
    if count == 1:
        append(out, b"+PONG\r\n", 7)
    elif count == 2:
        append_bulk(out, words[1].bytes, words[1].length)
    else:
        return 0
    return 1


cdef int native_get(Arena arena, Connection c, wire_buffer *out) except -1:
    cdef const span *words = c.parser.args
    if c.parser.count != 2:
        return 0
    if arena.get_bulk(c.db, words[1].bytes, <uint32_t>words[1].length, out) == 0:
        append_null(out, c.resp)
    return 1


cdef int64_t relative_ms(const span *option, const span *number) noexcept:
    """The time to live that ``EX 10`` or ``PX 10`` asks for, 0 when it is something else."""
    cdef uint64_t word = name_word(option.bytes, option.length)
    cdef int64_t value = 0
    if not parse_number(number.bytes, number.length, &value):
        return 0
    if value <= 0 or value > NATIVE_LONGEST:
        return 0
    if word == 0x7865:  # "ex"
        return value * 1000
    if word == 0x7870:  # "px"
        return value
    return 0


cdef int native_set(Arena arena, Connection c, wire_buffer *out) except -1:
    cdef const span *words = c.parser.args
    cdef int64_t expire_ms = 0
    if c.parser.count == 5:
        expire_ms = relative_ms(&words[3], &words[4])
        if expire_ms == 0:
            return 0
        expire_ms += unix_ms()
    elif c.parser.count != 3:
        return 0
    arena.set_raw(c.db, words[1].bytes, <uint32_t>words[1].length, words[2].bytes,
                  words[2].length, expire_ms, 0)
    append(out, b"+OK\r\n", 5)
    return 1


cdef int native_mget(Arena arena, Connection c, wire_buffer *out) except -1:
    cdef const span *words = c.parser.args
    cdef uint32_t keys = c.parser.count - 1
    if keys < 1 or keys >= NATIVE_WORDS:
        return 0
    append_number(out, c'*', keys)
    arena.get_many_bulk(c.db, <const wire_span *>(words + 1), keys,
                        b"$-1\r\n" if c.resp == 2 else b"_\r\n", out)
    return 1


cdef int native_mset(Arena arena, Connection c, wire_buffer *out) except -1:
    cdef const span *words = c.parser.args
    cdef uint32_t count = c.parser.count
    if count < 3 or count % 2 == 0 or count > NATIVE_WORDS:
        return 0
    arena.set_many_raw(c.db, <const wire_span *>(words + 1), (count - 1) // 2)
    append(out, b"+OK\r\n", 5)
    return 1


cdef int native_delete(Arena arena, Connection c, wire_buffer *out) except -1:
    cdef const span *words = c.parser.args
    if c.parser.count != 2:
        return 0
    append_number(
        out, c':', arena.delete_raw(c.db, words[1].bytes, <uint32_t>words[1].length)
    )
    return 1


cdef int native_exists(Arena arena, Connection c, wire_buffer *out) except -1:
    cdef const span *words = c.parser.args
    if c.parser.count != 2:
        return 0
    append_number(
        out, c':', arena.exists_raw(c.db, words[1].bytes, <uint32_t>words[1].length)
    )
    return 1


cdef int native_incr(Arena arena, Connection c, int which, wire_buffer *out) except -1:
    cdef const span *words = c.parser.args
    cdef int64_t by = 1
    cdef int64_t result
    if which == NATIVE_INCR or which == NATIVE_DECR:
        if c.parser.count != 2:
            return 0
    elif c.parser.count != 3 or not parse_number(words[2].bytes, words[2].length, &by):
        return 0
    if which == NATIVE_DECR or which == NATIVE_DECRBY:
        if by == INT64_MIN:
            return 0
        by = -by
    result = arena.incr_raw(c.db, words[1].bytes, <uint32_t>words[1].length, by)
    append_number(out, c':', result)
    return 1


cdef int run_native(Arena arena, Connection c, int which, wire_buffer *out) except -1:
    """1 = answered, 0 = not for here."""
    if which == NATIVE_PING:
        return native_ping(c.parser.args, c.parser.count, out)
    if c.parser.count > 1 and c.parser.args[1].length > UINT32_MAX:
        return 0
    if which == NATIVE_GET:
        return native_get(arena, c, out)
    if which == NATIVE_SET:
        return native_set(arena, c, out)
    if which == NATIVE_MGET:
        return native_mget(arena, c, out)
    if which == NATIVE_MSET:
        return native_mset(arena, c, out)
    if which == NATIVE_DEL or which == NATIVE_UNLINK:
        return native_delete(arena, c, out)
    if which == NATIVE_EXISTS:
        return native_exists(arena, c, out)
    if which <= NATIVE_DECRBY:
        return native_incr(arena, c, which, out)
    return native_container(arena, c, which, out)
