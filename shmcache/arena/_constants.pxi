# Names and shapes that Python sees. Part of _arena.pyx.

HIDDEN_DB = SC_HIDDEN_DB
SET_NX = SC_SET_NX
SET_XX = SC_SET_XX
SET_KEEP_TTL = SC_SET_KEEP_TTL
SET_APPENDED = SC_SET_APPENDED
EXPIRE_NX = SC_EXPIRE_NX
EXPIRE_XX = SC_EXPIRE_XX
EXPIRE_GT = SC_EXPIRE_GT
EXPIRE_LT = SC_EXPIRE_LT
PUT_NX = SC_PUT_NX
PUT_XX = SC_PUT_XX
PUT_KEEP_TTL = SC_PUT_KEEP_TTL
ZADD_NX = SC_ZADD_NX
ZADD_XX = SC_ZADD_XX
ZADD_GT = SC_ZADD_GT
ZADD_LT = SC_ZADD_LT
ZADD_INCR = SC_ZADD_INCR
STREAM_META = SC_STREAM_META
STREAM_TREES = SC_STREAM_TREES
BEAT_SUPERVISOR = SC_BEAT_SUPERVISOR
BEAT_FRONTEND = SC_BEAT_FRONTEND
BEAT_MAINTENANCE = SC_BEAT_MAINTENANCE
BEAT_PERSISTER = SC_BEAT_PERSISTER
POLICIES = ("noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random",
            "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl")

Info = namedtuple("Info", "type encoding expire_ms value_bytes memory idle_ms frequency")
Tuning = namedtuple(
    "Tuning",
    "maxmemory policy samples lfu_log_factor lfu_decay_minutes reserve_permille "
    "hash_max_listpack_entries hash_max_listpack_value "
    "set_max_intset_entries set_max_listpack_entries set_max_listpack_value "
    "zset_max_listpack_entries zset_max_listpack_value list_max_listpack_size "
    "hll_sparse_max_bytes")
Statistics = namedtuple(
    "Statistics",
    "generation created_ms data_bytes access_bytes feed_bytes bus_bytes heap_bytes used_bytes "
    "page_bytes pages free_pages stripes slots slots_used keys index_bytes hits misses retries evicted expired "
    "max_key_bytes")
SegmentSizes = namedtuple("SegmentSizes", "data access feed bus")
