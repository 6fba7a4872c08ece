"""Redis's file formats: values, and what frames them. Bytes in, bytes out; no arena, no I/O.

    values      what a key holds, as plain Python data
    source      numbers, lengths and strings of an RDB, read with bounds
    packed      listpack, ziplist, intset, zipmap: the compact forms inside them
    decode      RDB object -> value, every type of RDB 1 to 12
    encode      value -> RDB object
    streams     both directions for streams
    payload     what DUMP gives and RESTORE takes: an object, a version, a checksum

The formats are Redis's own, as its rdb.h, rdb.c, listpack.c, ziplist.c and t_stream.c define them.
"""
