"""Lines of the commands on bits, in scripts that are run from an empty start."""

from __future__ import annotations

BITMAPS = {
    "bits": """
        SETBIT a 7 1
        SETBIT a 7 1
        SETBIT a 7 0
        SETBIT a 100 1
        GET a
        STRLEN a
        GETBIT a 100
        GETBIT a 99
        GETBIT a 1000
        GETBIT nosuch 3
        SETBIT b 20 0
        GET b
        SETBIT b 4294967296 1
        SETBIT b -1 1
        SETBIT b x 1
        SETBIT b 1 2
        SETBIT b 1 x
        SETBIT b 1 -1
        GETBIT b -1
        GETBIT b x
        GETBIT b 4294967295
        SET number 12345
        EXPIRE number 1000
        GETBIT number 2
        SETBIT number 0 0
        OBJECT ENCODING number
        TTL number
        GET number
        RPUSH l x
        SETBIT l 0 1
        GETBIT l 0
        GETBIT l x
    """,
    "count": """
        SET a foobar
        BITCOUNT a
        BITCOUNT a 0 0
        BITCOUNT a 1 1
        BITCOUNT a 1 -2
        BITCOUNT a -2 -1
        BITCOUNT a -100 100
        BITCOUNT a 3 2
        BITCOUNT a -1 -2
        BITCOUNT a -1 -2 FOO
        BITCOUNT a 0 -100
        BITCOUNT a 6 9
        BITCOUNT a 5 30 BIT
        BITCOUNT a 5 30 byte
        BITCOUNT a -30 -5 bit
        BITCOUNT a 7 7 BIT
        BITCOUNT a 9 14 BIT
        BITCOUNT a 40 1000 BIT
        BITCOUNT a 48 50 BIT
        BITCOUNT a 0 -1 FOO
        BITCOUNT a 0
        BITCOUNT a 0 x
        BITCOUNT a 0 1 BIT BIT
        BITCOUNT nosuch
        BITCOUNT nosuch 0
        BITCOUNT nosuch x y z
        BITCOUNT nosuch 0 9223372036854775807 BIT
        SET empty ""
        BITCOUNT empty 0 -1
        BITCOUNT empty x 1
        RPUSH l x
        BITCOUNT l
        BITCOUNT l x y
        BITCOUNT l 5 2
        SET number 12345
        BITCOUNT number 1 2
    """,
    "position": """
        SET a "\\xff\\xf0\\x00"
        BITPOS a 0
        BITPOS a 1
        BITPOS a 1 2
        BITPOS a 1 1
        BITPOS a 0 0 0
        BITPOS a 0 0 1
        BITPOS a 0 -1
        BITPOS a 1 -1 -1
        BITPOS a 1 5
        BITPOS a 0 5
        BITPOS a 0 3 1
        BITPOS a 0 0 -1 BIT
        BITPOS a 0 3 5 BIT
        BITPOS a 0 11 12 bit
        BITPOS a 1 12 23 BIT
        BITPOS a 1 11 23 BIT
        BITPOS a 0 13 13 BIT
        BITPOS a 1 -24 -1 BIT
        BITPOS a 0 1 -1 BYTE
        SET ones "\\xff\\xff"
        BITPOS ones 0
        BITPOS ones 0 0
        BITPOS ones 0 1
        BITPOS ones 0 2
        BITPOS ones 0 0 -1
        BITPOS ones 0 0 100
        BITPOS ones 0 0 -1 BIT
        BITPOS ones 1 3 9 BIT
        SET zeros "\\x00\\x00"
        BITPOS zeros 1
        BITPOS zeros 0 1
        BITPOS nosuch 0
        BITPOS nosuch 1
        BITPOS nosuch 0 x y
        BITPOS nosuch 1 5 -1
        BITPOS nosuch 2 x
        BITPOS a 2
        BITPOS a x
        BITPOS a 1 x
        BITPOS a 1 0 x
        BITPOS a 1 0 1 FOO
        BITPOS a 1 0 1 BIT BIT
        SET empty ""
        BITPOS empty 0
        BITPOS empty 1
        BITPOS empty 0 0
        BITPOS empty 0 0 -1
        RPUSH l x
        BITPOS l 1
        BITPOS l 1 x
        BITPOS l 3
    """,
    "operations": """
        SET a "\\xff\\x0f\\xaa"
        SET b "\\x01\\xff"
        SET c 12345
        BITOP AND d a b
        GET d
        BITOP OR d a b c nosuch
        GET d
        BITOP xor d a b c
        GET d
        BITOP NOT d a
        GET d
        OBJECT ENCODING d
        BITOP AND d a nosuch
        GET d
        BITOP AND d c
        OBJECT ENCODING d
        EXPIRE d 1000
        BITOP OR d d a
        TTL d
        BITOP XOR a a a
        GET a
        BITOP OR d nosuch nosuch
        EXISTS d
        BITOP NOT d nosuch
        BITOP NOT d a b
        BITOP NAND d a b
        BITOP AND d
        RPUSH l x
        BITOP AND d a l
        BITOP NOT l b
        TYPE l
    """,
    "fields": """
        BITFIELD a SET u8 0 255 GET u8 0 GET u4 0 GET i4 0 INCRBY i5 100 1 GET u5 100
        BITFIELD a INCRBY u2 100 1 OVERFLOW SAT INCRBY u2 102 1
        BITFIELD a INCRBY u2 100 1 OVERFLOW SAT INCRBY u2 102 1
        BITFIELD a INCRBY u2 100 1 OVERFLOW SAT INCRBY u2 102 1
        BITFIELD a OVERFLOW FAIL INCRBY u2 102 1 OVERFLOW WRAP INCRBY u2 102 1
        BITFIELD a SET i8 #1 -128 OVERFLOW SAT INCRBY i8 #1 -1 OVERFLOW FAIL INCRBY i8 #1 -1
        BITFIELD a SET i64 #0 -9223372036854775808 INCRBY i64 #0 -1 GET u63 1
        BITFIELD a OVERFLOW SAT SET i64 3 9223372036854775807 INCRBY i64 3 1
        BITFIELD a OVERFLOW SAT SET u8 0 -1 SET u8 8 300 SET i8 16 -200 SET i8 24 200
        BITFIELD a OVERFLOW SAT SET i8 0 -9223372036854775808 SET u8 0 -9223372036854775808
        BITFIELD a OVERFLOW FAIL SET u8 0 256 SET i8 0 128 SET i8 0 -129
        BITFIELD a GET u1 100000 GET i64 100000
        GET a
        OBJECT ENCODING a
        BITFIELD nosuch GET u8 0
        EXISTS nosuch
        BITFIELD new OVERFLOW FAIL INCRBY u1 30 2
        STRLEN new
        BITFIELD a
        BITFIELD a OVERFLOW WRAP
        BITFIELD a GET u64 0
        BITFIELD a GET i65 0
        BITFIELD a GET u0 0
        BITFIELD a GET x8 0
        BITFIELD a GET U8 0
        BITFIELD a GET u08 0
        BITFIELD a GET u8 -1
        BITFIELD a GET u8 x
        BITFIELD a GET u8 #x
        BITFIELD a GET u8 #-1
        BITFIELD a GET u8 4294967296
        BITFIELD a GET u8 #536870912
        BITFIELD a GET u8 4294967288
        BITFIELD a SET u8 0 x
        BITFIELD a SET u8 0
        BITFIELD a GET u8
        BITFIELD a FOO u8 0
        BITFIELD a OVERFLOW NONE
        BITFIELD a OVERFLOW
        BITFIELD a SET u8 0 1 GET u8 x
        BITFIELD_RO a GET u8 0 GET i8 #1
        BITFIELD_RO a SET u8 0 1
        BITFIELD_RO a OVERFLOW FAIL GET u8 0
        BITFIELD_RO a
        BITFIELD_RO nosuch GET u8 0
        SET number 77
        EXPIRE number 1000
        BITFIELD number GET u8 0
        OBJECT ENCODING number
        BITFIELD number INCRBY u8 8 1
        TTL number
        GET number
        RPUSH l x
        BITFIELD l GET u8 0
        BITFIELD l SET u8 0 1
        BITFIELD_RO l GET u8 x
        COMMAND GETKEYSANDFLAGS BITFIELD a GET u8 0 OVERFLOW FAIL
        COMMAND GETKEYSANDFLAGS BITFIELD a GET u8 0 SET u8 0 1
        COMMAND GETKEYSANDFLAGS BITFIELD a GET u8
        COMMAND GETKEYSANDFLAGS BITOP AND a b c
    """,
}
