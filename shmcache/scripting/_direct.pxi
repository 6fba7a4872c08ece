"""The hottest commands, straight from Lua's stack to the transaction, without dispatch.

Each does what the function of shmcache.commands does. Whatever is unusual (options, undeclared keys,
errors) is left to that: -1 is returned, and nothing was done.
"""

cdef enum:
    DIRECT_GET
    DIRECT_SET
    DIRECT_DEL
    DIRECT_INCR
    DIRECT_DECR
    DIRECT_INCRBY
    DIRECT_HGET
    DIRECT_HSET
    DIRECT_HDEL
    DIRECT_SADD
    DIRECT_SREM
    DIRECT_SISMEMBER
    DIRECT_LPUSH
    DIRECT_RPUSH
    DIRECT_LPOP
    DIRECT_RPOP
    DIRECT_ZADD
    DIRECT_ZREM
    DIRECT_EXPIRE
    DIRECT_PEXPIRE

# name: (kind, fewest words, most words, whether it writes)
DIRECT = {
    "get": (DIRECT_GET, 2, 2, False),
    "set": (DIRECT_SET, 3, 3, True),
    "del": (DIRECT_DEL, 2, 2, True),
    "incr": (DIRECT_INCR, 2, 2, True),
    "decr": (DIRECT_DECR, 2, 2, True),
    "incrby": (DIRECT_INCRBY, 3, 3, True),
    "hget": (DIRECT_HGET, 3, 3, False),
    "hset": (DIRECT_HSET, 4, MOST_WORDS, True),
    "hdel": (DIRECT_HDEL, 3, MOST_WORDS, True),
    "sadd": (DIRECT_SADD, 3, MOST_WORDS, True),
    "srem": (DIRECT_SREM, 3, MOST_WORDS, True),
    "sismember": (DIRECT_SISMEMBER, 3, 3, False),
    "lpush": (DIRECT_LPUSH, 3, MOST_WORDS, True),
    "rpush": (DIRECT_RPUSH, 3, MOST_WORDS, True),
    "lpop": (DIRECT_LPOP, 2, 2, True),
    "rpop": (DIRECT_RPOP, 2, 2, True),
    "zadd": (DIRECT_ZADD, 4, 4, True),
    "zrem": (DIRECT_ZREM, 3, MOST_WORDS, True),
    "expire": (DIRECT_EXPIRE, 3, 3, True),
    "pexpire": (DIRECT_PEXPIRE, 3, 3, True),
}


cdef inline int64_t clock_ns(int clock) noexcept:
    cdef timespec time
    clock_gettime(clock, &time)
    return <int64_t>time.tv_sec * 1000000000 + time.tv_nsec


cdef class Direct:
    """A command that has a direct way, and what counts its calls."""

    cdef int kind, fewest, most
    cdef bint writes
    cdef object stats

    def __init__(self, str name, stats):
        self.kind, self.fewest, self.most, self.writes = DIRECT[name]
        self.stats = stats


cdef bint whole_at(lua_State *L, int index, int64_t *number) except -1:
    """Whether an argument is a whole number of moderate size; it is stored if so."""
    cdef double value
    cdef bytes word
    if lua.lua_type(L, index) == LUA_TNUMBER:
        value = lua.lua_tonumber(L, index)
        if not -MODERATE < value < MODERATE or <double><int64_t>value != value:
            return False
        number[0] = <int64_t>value
        return True
    word = word_at(L, index)
    if word is None or not 0 < len(word) <= 15 or not word.isdigit() or word[:1] == b"0" != word:
        return False
    number[0] = int(word)
    return True


cdef object add_direct(Interpreter self, db, bytes key, int64_t by):
    """INCRBY; numbers of many digits are left to the long way."""
    cdef bytes old = self.transaction.get(db, key)
    cdef int64_t total = by
    if old is not None:
        if not 0 < len(old) <= 15 or not old.isdigit() or old[:1] == b"0" != old:
            return self.locked.incr(db, key, by)
        total += <int64_t>int(old)
    self.transaction.event("incrby")
    try:
        self.transaction.set(db, key, b"%d" % total, 0, SET_KEEP_TTL)
    finally:
        self.transaction.event(None)
    return total


cdef int push_direct(Interpreter self, lua_State *L, Direct known, bytes key, list rest,
                     int64_t number) except -1:
    """Carry a command out and push its reply."""
    cdef object tx = self.transaction
    cdef object db = self.db
    cdef int kind = known.kind
    if kind == DIRECT_GET or kind == DIRECT_HGET:
        value = tx.get(db, key) if kind == DIRECT_GET else tx.hash_get(db, key, rest[0])
        return push_null(L, script_resp) if value is None else push_bytes(L, value)
    if kind == DIRECT_LPOP or kind == DIRECT_RPOP:
        popped = tx.list_pop(db, key, 1, left=kind == DIRECT_LPOP)
        return push_bytes(L, popped[0]) if popped else push_null(L, script_resp)
    if kind == DIRECT_SET:
        tx.set(db, key, rest[0])
        return push_field(L, b"ok", b"OK")
    if kind == DIRECT_DEL:
        result = tx.delete(db, key)
    elif kind == DIRECT_INCR or kind == DIRECT_DECR or kind == DIRECT_INCRBY:
        result = add_direct(self, db, key, number)
    elif kind == DIRECT_HSET:
        result = tx.hash_set(db, key, rest)
    elif kind == DIRECT_HDEL:
        result = tx.hash_delete(db, key, rest)
    elif kind == DIRECT_SADD:
        result = tx.set_add(db, key, rest)
    elif kind == DIRECT_SREM:
        result = tx.set_remove(db, key, rest)
    elif kind == DIRECT_SISMEMBER:
        result = tx.set_has(db, key, rest)[0]
    elif kind == DIRECT_LPUSH or kind == DIRECT_RPUSH:
        result = tx.list_push(db, key, rest, left=kind == DIRECT_LPUSH)
    elif kind == DIRECT_ZADD:
        result = tx.zset_add(db, key, rest[1], <double>number)[0]
    elif kind == DIRECT_ZREM:
        result = tx.zset_remove(db, key, rest)
    else:
        result = tx.expire(db, key, number) == 1
    lua.lua_pushnumber(L, <double>result)
    return 0


cdef int run_direct(Interpreter self, lua_State *L, Direct known) except -2:
    """1 = done and its reply pushed, -1 = not for here."""
    cdef int words = lua.lua_gettop(L)
    cdef int kind = known.kind
    cdef int i
    cdef int64_t number = 1
    cdef int64_t started_ns
    cdef bytes key
    cdef list rest = []
    if words < known.fewest or words > known.most or (kind == DIRECT_HSET and words % 2):
        return -1
    key = word_at(L, 2)
    if key is None or (self.keys is not None and (self.db, key) not in self.keys):
        return -1
    for i in range(3, words + 1):
        word = word_at(L, i)
        if word is None:
            return -1
        rest.append(word)
    if kind in (DIRECT_INCRBY, DIRECT_ZADD, DIRECT_EXPIRE, DIRECT_PEXPIRE):
        if not whole_at(L, 3, &number):
            return -1
        if kind == DIRECT_EXPIRE or kind == DIRECT_PEXPIRE:
            if number <= 0:
                return -1
            number = number * (1000 if kind == DIRECT_EXPIRE else 1)
            number += clock_ns(CLOCK_REALTIME) // 1000000
    elif kind == DIRECT_DECR:
        number = -1
    started_ns = clock_ns(CLOCK_MONOTONIC)
    try:
        push_direct(self, L, known, key, rest, number)
    except ShmcacheError:
        lua.lua_settop(L, words)
        return -1  # a step that fails has done nothing: the long way tells of it
    if known.writes:
        self.wrote = True
    known.stats.record(clock_ns(CLOCK_MONOTONIC) - started_ns)
    return 1
