"""MULTI without Python where it is hot: queueing, and an EXEC of commands of one step each.

Whatever is unusual (unknown commands, wrong numbers of words, errors, other commands) is left to
shmcache.server.transactions, which does everything: nothing has been done then.
"""

cdef enum:
    PLAIN_NOT
    PLAIN_GET
    PLAIN_SET
    PLAIN_DEL
    PLAIN_HSET
    PLAIN_SADD
    PLAIN_LPUSH
    PLAIN_RPUSH
    PLAIN_MULTI  # these two are never queued
    PLAIN_EXEC

PLAIN_NAMES = {
    "get": PLAIN_GET, "set": PLAIN_SET, "del": PLAIN_DEL, "hset": PLAIN_HSET, "sadd": PLAIN_SADD,
    "lpush": PLAIN_LPUSH, "rpush": PLAIN_RPUSH, "multi": PLAIN_MULTI, "exec": PLAIN_EXEC,
}


cdef class Queueable:
    """A command that waits for EXEC: what its queueing and its running need at hand."""

    cdef readonly object entry
    cdef int arity
    cdef int plain
    cdef CommandStats stats

    def __init__(self, entry, int arity, CommandStats stats not None):
        self.entry = entry
        self.arity = arity
        self.plain = PLAIN_NAMES.get(stats.name, PLAIN_NOT)
        self.stats = stats

    cdef bint is_plain(self, Py_ssize_t words) noexcept:
        """Whether so many words are one step at one key."""
        if self.plain == PLAIN_GET or self.plain == PLAIN_DEL:
            return words == 2
        if self.plain == PLAIN_SET:
            return words == 3
        if self.plain == PLAIN_HSET:
            return words >= 4 and words % 2 == 0
        return PLAIN_SADD <= self.plain <= PLAIN_RPUSH and words >= 3


cdef bint take_part(Frontend frontend, Connection connection, Queueable known,
                    list words) except -1:
    """Do a transaction's next step; False: it is not for here, and nothing was done."""
    cdef Py_ssize_t count = len(words)
    if count != known.arity if known.arity >= 0 else count < -known.arity:
        return False
    if known.plain < PLAIN_MULTI:
        return connection.held is not None and enqueue(frontend, connection, known, words)
    if known.plain == PLAIN_EXEC:
        return connection.held is not None and execute_plainly(frontend, connection)
    if connection.held is not None:
        return False
    connection.client.begin_transaction()
    connection.write(b"+OK\r\n")
    return True


cdef bint execute_plainly(Frontend frontend, Connection connection) except -1:
    """EXEC of commands that all have a short way and do not fail."""
    cdef int64_t started_ns = frontend.now_ns
    cdef int64_t each_ns
    cdef list commands = connection.held
    cdef Queueable known
    cdef dict watched = connection.client.watched
    cdef list keys = plain_keys(frontend, commands, connection.db)
    if not keys or connection.client.queue.failed:
        return False
    keys.extend(watched)
    encoded = run_plainly(frontend, commands, keys, connection.db, connection.resp, watched)
    if encoded is None:
        return False
    connection.client.end_transaction()
    connection.write(encoded)
    each_ns = (monotonic_ns() - started_ns) // len(commands)
    for _entry, words in commands:
        known = frontend.queueable[words[0]]
        known.stats.count(each_ns)
        if <uint64_t>each_ns >= frontend.slow_from_ns:
            frontend.on_slow(connection.client, words, each_ns, known.stats)
    frontend.commands += len(commands)
    return True


cdef bint enqueue(Frontend frontend, Connection connection, Queueable known,
                  list words) except -1:
    connection.held.append((known.entry, words))
    connection.last_command = known.stats
    for word in words:
        connection.held_bytes += PyBytes_GET_SIZE(word)
    if connection.held_bytes > frontend.query_limit_bytes:
        frontend.doom(connection, "query limit")
        return True
    append(connection.sink(), b"+QUEUED\r\n", 9)
    if connection.waiting():
        frontend.note_waiting(connection)
    return True


cdef list plain_keys(Frontend frontend, list commands, uint32_t db):
    """The keys of commands that are all plain; None if one is not."""
    cdef Queueable known
    cdef list words
    cdef list keys = []
    cdef Py_ssize_t longest = frontend.arena.max_key_bytes
    for _entry, words in commands:
        known = frontend.queueable.get(words[0])
        if known is None or not known.is_plain(len(words)):
            return None
        if PyBytes_GET_SIZE(words[1]) > longest:
            return None
        keys.append((db, words[1]))
    return keys


cdef int run_plain(object transaction, uint32_t db, Queueable known, list words, int resp,
                   wire_buffer *out) except -1:
    cdef bytes key = words[1]
    cdef bytes value
    if known.plain == PLAIN_SET:
        transaction.set(db, key, words[2])
        return append(out, b"+OK\r\n", 5)
    if known.plain == PLAIN_GET:
        value = transaction.get(db, key)
        if value is None:
            return append_null(out, resp)
        return append_bulk(out, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
    if known.plain == PLAIN_DEL:
        return append_number(out, c':', transaction.delete(db, key))
    if known.plain == PLAIN_HSET:
        return append_number(out, c':', transaction.hash_set(db, key, words[2:]))
    if known.plain == PLAIN_SADD:
        return append_number(out, c':', transaction.set_add(db, key, words[2:]))
    return append_number(out, c':', transaction.list_push(
        db, key, words[2:], left=known.plain == PLAIN_LPUSH
    ))


cdef bytes run_plainly(Frontend frontend, list commands, list keys, uint32_t db, int resp,
                       dict watched):
    cdef wire_buffer out
    cdef list words
    memset(&out, 0, sizeof(out))
    append_number(&out, c'*', len(commands))
    try:
        with frontend.arena.transaction(keys) as transaction:
            for (number, key), seen in watched.items():
                if transaction.fingerprint(number, key) != seen:
                    return None
            for _entry, words in commands:
                run_plain(transaction, db, frontend.queueable[words[0]], words, resp, &out)
        return out.bytes[: out.length]
    except ShmcacheError:
        return None  # all of it was taken back
    finally:
        free(out.bytes)
