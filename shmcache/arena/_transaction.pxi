# Views of one instant, and transactions: several keys together. Part of _arena.pyx.


cdef class View(Reads):
    cdef sc_session *session   # NULL once what it showed has passed

    cdef sc_session *session_for(self, sc_session *own) except NULL:
        if self.session == NULL:
            raise RuntimeError("the view is over")
        return self.session

    def get(self, uint32_t db, bytes key):
        cdef sc_key made = key_of(db, key)
        cdef bytes_sink sink = new_bytes_sink()
        return sink_result(sc_session_get(self.session_for(NULL), &made, &sink.sink), &sink)

    def get_range(self, uint32_t db, bytes key, int64_t start, int64_t end):
        cdef sc_key made = key_of(db, key)
        cdef bytes_sink sink = new_bytes_sink()
        cdef int status = sc_session_get_range(self.session_for(NULL), &made, start, end,
                                               &sink.sink)
        value = sink_result(status, &sink)
        return b"" if value is None else value

    def describe(self, uint32_t db, bytes key):
        cdef sc_info info
        cdef sc_key made = key_of(db, key)
        if settled(sc_session_describe(self.session_for(NULL), &made, &info)):
            return info_of(&info)
        return None


cdef object read_in_view(Arena arena, keys, work):
    """What `work` returns or raises of one instant. See Arena.read in _arena.pyi."""
    cdef sc_session session
    cdef View view = View.__new__(View)
    cdef int status
    cdef object result = None
    cdef object error = None
    sc_session_start(&session, arena.handle())
    view.session = &session
    try:
        while True:
            error = None
            status = SC_OK
            try:
                result = work(view)
            except Exception as raised:
                error = raised
            if not sc_session_again(&session, &status):
                break
    finally:
        view.session = NULL
        sc_session_end(&session)
    if status == SC_OK:
        if error is not None:
            raise error
        return result
    if status != SC_BUSY or not arena.writable:
        fail(status)
    with arena.transaction(keys) as locked:
        return work(locked)


cdef class Transaction(View):
    cdef Arena arena
    cdef sc_tx *ptr
    cdef list pairs   # (db, key), or None for everything
    cdef uint32_t named_as

    def __cinit__(self, Arena arena, list pairs, event=None):
        self.ptr = NULL
        self.named_as = event_code(event)
        self.session = NULL
        self.arena = arena
        self.pairs = pairs

    def __dealloc__(self):
        if self.ptr != NULL:
            sc_tx_abort(self.ptr)

    def __enter__(self):
        cdef key_array array
        cdef size_t i = 0
        cdef int status
        if self.ptr != NULL:
            raise RuntimeError("the transaction has begun already")
        keys_alloc(&array, len(self.pairs) if self.pairs is not None else 0)
        try:
            if self.pairs is not None:
                for db, key in self.pairs:
                    array.keys[i] = key_of(db, key)
                    i += 1
            status = sc_tx_begin(self.arena.handle(), array.keys, i, &self.ptr)
        finally:
            PyMem_Free(array.keys)
        if status != SC_OK:
            self.ptr = NULL
            fail(status)
        self.session = sc_tx_session(self.ptr)
        if self.named_as:
            sc_tx_event(self.ptr, self.named_as)
        return self

    def __exit__(self, kind, error, traceback):
        cdef sc_tx *ptr = self.open()
        self.ptr = NULL
        self.session = NULL
        if kind is None:
            sc_tx_commit(ptr)
        else:
            sc_tx_abort(ptr)

    cdef sc_tx *open(self) except NULL:
        if self.ptr == NULL:
            raise RuntimeError("the transaction is not open")
        return self.ptr

    cdef sc_tx *step(self) except NULL:
        """To change something."""
        cdef sc_tx *tx = self.open()
        sc_tx_step(tx)
        return tx

    def event(self, name):
        sc_tx_event(self.open(), event_code(name))

    def notify(self, uint32_t db, bytes key, name):
        cdef sc_key made = key_of(db, key)
        written(sc_tx_note(self.open(), &made, event_code(name)))

    cdef sc_session *session_for(self, sc_session *own) except NULL:
        self.open()
        return self.session

    cdef int carry_out(self, const sc_key *key, write_step step, void *how) except -1:
        return written(step(self.step(), key, how))

    def set(self, uint32_t db, bytes key, bytes value, uint64_t expire_ms=0, uint32_t flags=0):
        cdef sc_key made = key_of(db, key)
        cdef sc_set_args args
        fill_set(&args, value, expire_ms, flags)
        return bool(set_result(sc_tx_set(self.step(), &made, &args)))

    def patch(self, uint32_t db, bytes key, uint64_t offset, bytes value):
        cdef sc_key made = key_of(db, key)
        cdef int status = sc_tx_patch(self.step(), &made, offset, span_of(value))
        if status != SC_OK and status != SC_MISS and status != SC_UNCHANGED:
            fail(status)
        return status == SC_OK

    def delete(self, uint32_t db, bytes key):
        cdef sc_key made = key_of(db, key)
        cdef int status = sc_tx_delete(self.step(), &made)
        if status != SC_OK and status != SC_MISS:
            fail(status)
        return status == SC_OK

    def expire(self, uint32_t db, bytes key, uint64_t expire_ms, uint32_t flags=0):
        cdef sc_key made = key_of(db, key)
        return expire_result(sc_tx_expire(self.step(), &made, expire_ms, flags))

    def set_access(self, uint32_t db, bytes key, int64_t idle_ms=-1, int frequency=-1):
        cdef sc_key made = key_of(db, key)
        return bool(settled(sc_tx_set_access(self.open(), &made, idle_ms, frequency)))

    def copy(self, uint32_t from_db, bytes from_key, uint32_t to_db, bytes to_key,
             bint replace=False):
        cdef sc_key source = key_of(from_db, from_key)
        cdef sc_key target = key_of(to_db, to_key)
        return expire_result(sc_tx_copy(self.step(), &source, &target, replace))

    def rename(self, uint32_t from_db, bytes from_key, uint32_t to_db, bytes to_key):
        cdef sc_key source = key_of(from_db, from_key)
        cdef sc_key target = key_of(to_db, to_key)
        return bool(settled(sc_tx_rename(self.step(), &source, &target)))

    # ---- whole databases

    def flush_db(self, int32_t db):
        if db != -1:
            check_shown_db(db)
        settled(sc_tx_flush_db(self.open(), db))

    def swap_db(self, uint32_t a, uint32_t b):
        check_shown_db(a)
        check_shown_db(b)
        settled(sc_tx_swap_db(self.open(), a, b))

    def db_keys(self, uint32_t db):
        check_db(db)
        return sc_tx_db_keys(self.open(), db)

    def scan(self, uint32_t db, uint64_t cursor, uint64_t count=10):
        cdef list keys = []
        check_db(db)
        settled(sc_tx_scan(self.open(), db, &cursor, count, emit_key, <void *>keys))
        return cursor, keys

    def random_key(self, uint32_t db):
        cdef bytes_sink sink = new_bytes_sink()
        check_db(db)
        return sink_result(sc_tx_random_key(self.open(), db, &sink.sink), &sink)

    # ---- whole values

    def store(self, uint32_t db, bytes key, kind, items, scores=(), uint64_t expire_ms=0):
        cdef sc_key made = key_of(db, key)
        cdef int type = type_of(kind)
        cdef tuple held = tuple(items)
        cdef tuple numbers = tuple(scores)
        cdef double *doubles
        cdef span_array spans
        cdef sc_tx *tx = self.step()
        if type == SC_STREAM:
            raise ValueError("a stream is not stored whole")
        if type == SC_HASH and len(held) % 2:
            raise ValueError("a field without a value")
        if type == SC_ZSET and len(held) != len(numbers):
            raise ValueError("members and scores differ in number")
        doubles = take_doubles(numbers)
        try:
            take_spans(&spans, held)
            try:
                written(sc_store(tx, &made, type, spans.spans, spans.count, doubles, expire_ms))
            finally:
                drop_spans(&spans)
        finally:
            PyMem_Free(doubles)

    # ---- hashes and sets

    def hash_set(self, uint32_t db, bytes key, pairs, uint32_t flags=0):
        return put_members(self, db, key, SC_HASH, pairs, flags)

    def hash_delete(self, uint32_t db, bytes key, fields):
        return take_out(self, db, key, SC_HASH, fields)

    def hash_expire(self, uint32_t db, bytes key, bytes field, uint64_t expire_ms):
        cdef sc_key made = key_of(db, key)
        return bool(settled(sc_map_set_expiry(self.step(), &made, span_of(field), expire_ms)))

    def set_add(self, uint32_t db, bytes key, members):
        return put_members(self, db, key, SC_SET, members, 0)

    def set_remove(self, uint32_t db, bytes key, members):
        return take_out(self, db, key, SC_SET, members)

    def set_pop(self, uint32_t db, bytes key, size_t count):
        return pop_some(self, db, key, count, False, member_pop_step)

    # ---- lists

    def list_push(self, uint32_t db, bytes key, elements, *, bint left, bint must_exist=False):
        return push_some(self, db, key, elements, left, must_exist)

    def list_pop(self, uint32_t db, bytes key, size_t count, *, bint left):
        return pop_some(self, db, key, count, left, element_pop_step)

    def list_replace(self, uint32_t db, bytes key, uint64_t index, bytes element):
        cdef sc_key made = key_of(db, key)
        return bool(settled(sc_list_replace(self.step(), &made, index, span_of(element))))

    def list_insert(self, uint32_t db, bytes key, uint64_t index, bytes element):
        cdef sc_key made = key_of(db, key)
        if not settled(sc_list_insert(self.step(), &made, index, span_of(element))):
            raise IndexError("no such place in the list")
        return self.length(db, key, "list")

    def list_remove(self, uint32_t db, bytes key, uint64_t index, uint64_t count):
        cdef sc_key made = key_of(db, key)
        cdef uint64_t length = self.length(db, key, "list")
        if index >= length or count == 0:
            return 0
        settled(sc_list_remove(self.step(), &made, index, count))
        return min(count, length - index)

    # ---- sorted sets

    def zset_add(self, uint32_t db, bytes key, bytes member, double score, uint32_t flags=0):
        return add_one_scored(self, db, key, member, score, flags)

    def zset_add_many(self, uint32_t db, bytes key, members, scores, uint32_t flags=0):
        return add_some_scored(self, db, key, members, scores, flags)

    def zset_remove(self, uint32_t db, bytes key, members):
        return take_out(self, db, key, SC_ZSET, members)

    def zset_remove_range(self, uint32_t db, bytes key, uint64_t first, uint64_t count):
        cdef sc_key made = key_of(db, key)
        cdef uint64_t length = self.length(db, key, "zset")
        if first >= length or count == 0:
            return 0
        settled(sc_zset_remove_range(self.step(), &made, first, count))
        return min(count, length - first)

    def zset_pop(self, uint32_t db, bytes key, size_t count, *, bint highest):
        return in_pairs(pop_some(self, db, key, count, highest, scored_pop_step))

    # ---- streams

    def stream_create(self, uint32_t db, bytes key, bytes meta):
        cdef sc_key made = key_of(db, key)
        written(sc_stream_create(self.step(), &made, meta_of(meta)))

    def stream_set_meta(self, uint32_t db, bytes key, bytes meta):
        cdef sc_key made = key_of(db, key)
        settled(sc_stream_set_meta(self.step(), &made, meta_of(meta)))

    def tree_put(self, uint32_t db, bytes key, uint32_t tree, bytes name, bytes value):
        cdef sc_key made = key_of(db, key)
        cdef c_bool added = False
        check_tree(tree)
        if not settled(sc_tree_put(self.step(), &made, tree, span_of(name), span_of(value),
                                   &added)):
            raise KeyError("no such stream")
        return bool(added)

    def tree_remove(self, uint32_t db, bytes key, uint32_t tree, bytes name):
        cdef sc_key made = key_of(db, key)
        check_tree(tree)
        return bool(settled(sc_tree_remove(self.step(), &made, tree, span_of(name))))

    def tree_remove_range(self, uint32_t db, bytes key, uint32_t tree, bytes least, bytes most,
                          int64_t limit=-1):
        cdef sc_key made = key_of(db, key)
        cdef uint64_t removed = 0
        check_tree(tree)
        settled(sc_tree_remove_range(self.step(), &made, tree, span_of(least), span_of(most),
                                     limit_of(limit), &removed))
        return removed


cdef const char *meta_of(bytes meta) except NULL:
    if meta is None or len(meta) != SC_STREAM_META:
        raise ValueError(f"a stream keeps {SC_STREAM_META} bytes")
    return PyBytes_AS_STRING(meta)
