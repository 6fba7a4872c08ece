/* The names of changes, as Redis's keyspace notifications have them. Part of sc.h. */
#ifndef SC_EVENTS_H
#define SC_EVENTS_H

/* X(code, name, class): the class is the letter by which notify-keyspace-events asks for it, 0 for
 * what Redis does not tell of. CHANGED has no name: the key is another, and that is all there is to
 * say. MANY: so much changed at once that no record could hold it. SILENT: steps that are made by
 * this name are not told at all, since what follows them in the transaction tells enough. */
#define SC_EVENT_TABLE(X)                                                                          \
    X(CHANGED, "", 0)                                                                              \
    X(MANY, "", 0)                                                                                 \
    X(SILENT, "silent", 0)                                                                         \
    X(FLUSHDB, "flushdb", 0)                                                                       \
    X(FLUSHALL, "flushall", 0)                                                                     \
    X(SWAPDB, "swapdb", 0)                                                                         \
    X(NEW, "new", 'n')                                                                             \
    X(EXPIRED, "expired", 'x')                                                                     \
    X(EVICTED, "evicted", 'e')                                                                     \
    X(DEL, "del", 'g')                                                                             \
    X(EXPIRE, "expire", 'g')                                                                       \
    X(PERSIST, "persist", 'g')                                                                     \
    X(RENAME_FROM, "rename_from", 'g')                                                             \
    X(RENAME_TO, "rename_to", 'g')                                                                 \
    X(COPY_TO, "copy_to", 'g')                                                                     \
    X(MOVE_FROM, "move_from", 'g')                                                                 \
    X(MOVE_TO, "move_to", 'g')                                                                     \
    X(RESTORE, "restore", 'g')                                                                     \
    X(SET, "set", '$')                                                                             \
    X(SETRANGE, "setrange", '$')                                                                   \
    X(APPEND, "append", '$')                                                                       \
    X(INCRBY, "incrby", '$')                                                                       \
    X(INCRBYFLOAT, "incrbyfloat", '$')                                                             \
    X(SETBIT, "setbit", '$')                                                                       \
    X(PFADD, "pfadd", '$')                                                                         \
    X(LPUSH, "lpush", 'l')                                                                         \
    X(RPUSH, "rpush", 'l')                                                                         \
    X(LPOP, "lpop", 'l')                                                                           \
    X(RPOP, "rpop", 'l')                                                                           \
    X(LINSERT, "linsert", 'l')                                                                     \
    X(LSET, "lset", 'l')                                                                           \
    X(LREM, "lrem", 'l')                                                                           \
    X(LTRIM, "ltrim", 'l')                                                                         \
    X(SORTSTORE, "sortstore", 'l')                                                                 \
    X(HSET, "hset", 'h')                                                                           \
    X(HINCRBY, "hincrby", 'h')                                                                     \
    X(HINCRBYFLOAT, "hincrbyfloat", 'h')                                                           \
    X(HDEL, "hdel", 'h')                                                                           \
    X(HEXPIRE, "hexpire", 'h')                                                                     \
    X(HPERSIST, "hpersist", 'h')                                                                   \
    X(HEXPIRED, "hexpired", 'h')                                                                   \
    X(SADD, "sadd", 's')                                                                           \
    X(SREM, "srem", 's')                                                                           \
    X(SPOP, "spop", 's')                                                                           \
    X(SINTERSTORE, "sinterstore", 's')                                                             \
    X(SUNIONSTORE, "sunionstore", 's')                                                             \
    X(SDIFFSTORE, "sdiffstore", 's')                                                               \
    X(ZADD, "zadd", 'z')                                                                           \
    X(ZINCR, "zincr", 'z')                                                                         \
    X(ZREM, "zrem", 'z')                                                                           \
    X(ZPOPMIN, "zpopmin", 'z')                                                                     \
    X(ZPOPMAX, "zpopmax", 'z')                                                                     \
    X(ZREMRANGEBYSCORE, "zremrangebyscore", 'z')                                                   \
    X(ZREMRANGEBYRANK, "zremrangebyrank", 'z')                                                     \
    X(ZREMRANGEBYLEX, "zremrangebylex", 'z')                                                       \
    X(ZUNIONSTORE, "zunionstore", 'z')                                                             \
    X(ZINTERSTORE, "zinterstore", 'z')                                                             \
    X(ZDIFFSTORE, "zdiffstore", 'z')                                                               \
    X(ZRANGESTORE, "zrangestore", 'z')                                                             \
    X(GEOSEARCHSTORE, "geosearchstore", 'z')                                                       \
    X(GEORADIUSSTORE, "georadiusstore", 'z')                                                       \
    X(XADD, "xadd", 't')                                                                           \
    X(XDEL, "xdel", 't')                                                                           \
    X(XTRIM, "xtrim", 't')                                                                         \
    X(XSETID, "xsetid", 't')                                                                       \
    X(XGROUP_CREATE, "xgroup-create", 't')                                                         \
    X(XGROUP_DESTROY, "xgroup-destroy", 't')                                                       \
    X(XGROUP_SETID, "xgroup-setid", 't')                                                           \
    X(XGROUP_CREATECONSUMER, "xgroup-createconsumer", 't')                                         \
    X(XGROUP_DELCONSUMER, "xgroup-delconsumer", 't')

#define SC_EVENT_CODE(code, name, class) SC_EVENT_##code,
enum sc_event { SC_EVENT_NONE, SC_EVENT_TABLE(SC_EVENT_CODE) SC_EVENTS };
#undef SC_EVENT_CODE

#endif
