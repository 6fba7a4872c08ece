# Transactions: several keys changed together. Part of _arena.pyx.


cdef class Transaction:
    cdef sc_tx *ptr
    cdef Arena arena
    cdef list pairs   # (db, key), or None for everything

    def __cinit__(self, Arena arena, list pairs):
        self.ptr = NULL
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
        return self

    def __exit__(self, kind, error, traceback):
        cdef sc_tx *ptr = self.open()
        self.ptr = NULL
        if kind is None:
            sc_tx_commit(ptr)
        else:
            sc_tx_abort(ptr)

    cdef sc_tx *open(self) except NULL:
        if self.ptr == NULL:
            raise RuntimeError("the transaction is not open")
        return self.ptr

    def get(self, uint32_t db, bytes key):
        cdef bytes_sink sink = new_bytes_sink()
        cdef sc_key made = key_of(db, key)
        return sink_result(sc_tx_get(self.open(), &made, &sink.sink), &sink)

    def describe(self, uint32_t db, bytes key):
        cdef sc_info info
        cdef sc_key made = key_of(db, key)
        cdef int status = sc_tx_describe(self.open(), &made, &info)
        if status == SC_OK:
            return info_of(&info)
        if status != SC_MISS:
            fail(status)
        return None

    def set(self, uint32_t db, bytes key, bytes value, uint64_t expire_ms=0, uint32_t flags=0):
        cdef sc_key made = key_of(db, key)
        cdef sc_set_args args
        fill_set(&args, value, expire_ms, flags)
        return bool(set_result(sc_tx_set(self.open(), &made, &args)))

    def delete(self, uint32_t db, bytes key):
        cdef sc_key made = key_of(db, key)
        cdef int status = sc_tx_delete(self.open(), &made)
        if status != SC_OK and status != SC_MISS:
            fail(status)
        return status == SC_OK

    def expire(self, uint32_t db, bytes key, uint64_t expire_ms, uint32_t flags=0):
        cdef sc_key made = key_of(db, key)
        return expire_result(sc_tx_expire(self.open(), &made, expire_ms, flags))

    def copy(self, uint32_t from_db, bytes from_key, uint32_t to_db, bytes to_key,
             bint replace=False):
        cdef sc_key source = key_of(from_db, from_key)
        cdef sc_key target = key_of(to_db, to_key)
        return expire_result(sc_tx_copy(self.open(), &source, &target, replace))
