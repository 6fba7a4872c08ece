"""Command lines chosen by hand, in scripts that are run from an empty start."""

from __future__ import annotations

import shlex

SCRIPTS = {
    "set options": """
        SET a 1
        SET a 2 NX
        SET a 3 XX
        SET b 3 XX
        SET b 3 NX GET
        SET b 4 NX GET
        SET b 5 XX GET
        SET c 5 XX GET
        SET a 6 NX XX
        SET a 6 nx nx
        SET a 6 EX 100 PX 100
        SET a 6 EX 100 EX 200
        SET a 6 EX 100 KEEPTTL
        SET a 6 KEEPTTL EX 100
        SET a 6 KEEPTTL KEEPTTL
        SET a 6 PERSIST
        SET a 6 EX
        SET a 6 EX 0
        SET a 6 EX -1
        SET a 6 PX 0
        SET a 6 EX abc
        SET a 6 EX 9223372036854775807
        SET a 6 EX 9223372036854775
        SET a 6 EX 9223372036854776
        SET a 6 PX 9223372036854775807
        SET a 6 PX 9223372036854775806
        SET a 6 EXAT 0
        SET a 6 EXAT -5
        SET a 6 EXAT 9223372036854776
        SET a 6 EXAT 1
        EXISTS a
        SET a 7 GET EXAT 1
        SET a 7 EX 1000
        SET a 8
        TTL a
        SET a 9 PXAT 4102444800000
        SET a 10 KEEPTTL
        PEXPIRETIME a
        SET a 11 GET KEEPTTL XX
        SET a 12 EX 0 NX XX
        SET a 12 EX 0 FOO
        SET a
        SET
        SETEX a 0 x
        SETEX a -1 x
        SETEX a 1.5 x
        SETEX a 9223372036854775807 x
        PSETEX a 0 x
        PSETEX a 9223372036854775807 x
        SETEX a 1000 x
        SETNX a y
        SETNX z y
    """,
    "getex": """
        GETEX missing EX 0
        GETEX missing EX abc
        GETEX missing EX 10 PERSIST
        SET a v
        GETEX a EX 0
        GETEX a EX abc
        GETEX a EX 10 PX 10
        GETEX a EX 1000
        TTL a
        GETEX a
        TTL a
        GETEX a PERSIST
        TTL a
        GETEX a PERSIST PERSIST
        GETEX a NX
        GETEX a KEEPTTL
        GETEX a GET
        GETEX a EXAT 1
        EXISTS a
        SET a v
        GETEX a PXAT 1
        EXISTS a
        GETEX
        GETDEL a
        GETDEL a b
        SET a v
        GETDEL a
        GETSET a w
        GETSET a x
        EXPIRE a 1000
        GETSET a y
        TTL a
    """,
    "integers": """
        SET n 9223372036854775807
        INCR n
        DECR n
        INCRBY n 1
        INCRBY n 1
        INCRBY n -9223372036854775808
        SET n -9223372036854775808
        DECR n
        DECRBY n -9223372036854775808
        DECRBY m -9223372036854775808
        DECRBY m 9223372036854775807
        DECRBY m 2
        INCRBY m 9223372036854775808
        INCRBY m -9223372036854775809
        SET s "10 "
        INCR s
        SET s " 10"
        INCR s
        SET s 010
        INCR s
        SET s -0
        INCR s
        SET s ""
        INCR s
        SET s 1.0
        INCR s
        SET s 99999999999999999999
        INCR s
        SET e 10
        EXPIRE e 1000
        INCR e
        TTL e
        OBJECT ENCODING e
        INCRBY e abc
        INCRBY e
        APPEND e 5
        INCR e
    """,
    "floats": """
        SET f 10.50
        INCRBYFLOAT f 0.1
        INCRBYFLOAT f -5
        SET f 5.0e3
        INCRBYFLOAT f 2.0e2
        INCRBYFLOAT f nan
        INCRBYFLOAT f inf
        INCRBYFLOAT f abc
        INCRBYFLOAT f ""
        INCRBYFLOAT f " 1"
        INCRBYFLOAT f 1e400
        INCRBYFLOAT f -1e400
        INCRBYFLOAT f 0x10
        INCRBYFLOAT g 3
        INCRBYFLOAT g 0.1
        INCRBYFLOAT g 1e-18
        INCRBYFLOAT g 1e-17
        INCRBYFLOAT z -0
        INCRBYFLOAT y -0.000000000000000000001
        SET i inf
        INCRBYFLOAT i 1
        INCRBYFLOAT i -inf
        SET e ""
        INCRBYFLOAT e 1
        SET t 1.5
        EXPIRE t 1000
        INCRBYFLOAT t 1
        TTL t
        INCRBYFLOAT big 1e4000
        INCRBYFLOAT big 1e4932
        INCRBYFLOAT big 1e4932
    """,
    "ranges": """
        SET s "Hello World"
        GETRANGE s 0 4
        GETRANGE s -5 -1
        GETRANGE s 0 -1
        GETRANGE s 5 3
        GETRANGE s -1 -5
        GETRANGE s -100 -50
        GETRANGE s -100 100
        GETRANGE s 11 20
        GETRANGE s 9223372036854775807 9223372036854775807
        GETRANGE s -9223372036854775808 9223372036854775807
        GETRANGE s a 1
        GETRANGE s 1 a
        GETRANGE missing 0 -1
        GETRANGE missing a b
        SUBSTR s 0 1
        SETRANGE s 6 Redis
        SETRANGE s 15 !
        GET s
        SETRANGE s -1 x
        SETRANGE s 536870912 x
        SETRANGE s 536870907 ""
        SETRANGE s 9223372036854775807 x
        SETRANGE s abc x
        SETRANGE new 5 ""
        EXISTS new
        SETRANGE new -1 ""
        SETRANGE new 5 x
        GET new
        STRLEN new
        STRLEN missing
        SETRANGE n 0 12
        INCR n
        APPEND app ""
        EXISTS app
        APPEND app 1
        APPEND app 2
        INCR app
        EXPIRE app 1000
        APPEND app 3
        SETRANGE app 0 9
        TTL app
    """,
    "lcs": """
        MSET a ohmytext b mynewtext
        LCS a b
        LCS a b LEN
        LCS a b IDX
        LCS a b IDX MINMATCHLEN 4
        LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN
        LCS a b IDX WITHMATCHLEN MINMATCHLEN -3
        LCS a b LEN IDX
        LCS a b LEN WITHMATCHLEN
        LCS a b WITHMATCHLEN
        LCS a b MINMATCHLEN
        LCS a b MINMATCHLEN abc
        LCS a b FOO
        LCS a missing IDX
        LCS missing missing LEN
        LCS missing missing
        LCS a a IDX
        LCS a
        MSET x abcbdab y bdcaba
        LCS x y
        LCS y x
        LCS x y IDX WITHMATCHLEN
        LCS y x IDX
    """,
    "multi": """
        MSET
        MSET a
        MSET a 1 b
        MSETNX a 1 b
        MSET a 1 a 2
        GET a
        MSETNX a 1 b 2
        MSETNX c 1 d 2 c 3
        MGET a b c d c
        MGET
        EXPIRE a 1000
        MSET a 3
        TTL a
        EXISTS a a a missing
        TOUCH a a missing
        DEL a a missing
        UNLINK c d c
        DBSIZE
        DBSIZE x
        DEL
        EXISTS
    """,
    "expire": """
        SET a 1
        EXPIRE a 1000
        TTL a
        PTTL a
        EXPIRETIME a
        PEXPIRETIME a
        PERSIST a
        PERSIST a
        PERSIST missing
        TTL a
        TTL missing
        PTTL missing
        EXPIRETIME missing
        PEXPIRETIME a
        EXPIRE a 1000 XX
        EXPIRE a 1000 NX
        EXPIRE a 2000 NX
        EXPIREAT a 4102444800 GT
        EXPIREAT a 4102444800 GT
        EXPIREAT a 4102444800 LT
        EXPIREAT a 4102444799 LT
        EXPIREAT a 4102444799 XX GT
        EXPIREAT a 4102444900 XX GT
        PERSIST a
        EXPIREAT a 4102444800 GT
        EXPIREAT a 4102444800 LT
        EXPIRE a 10 NX XX
        EXPIRE a 10 NX GT
        EXPIRE a 10 NX LT
        EXPIRE a 10 GT LT
        EXPIRE a 10 NX XX GT LT
        EXPIRE a 10 FOO
        EXPIRE a 10 NX FOO
        EXPIRE a abc FOO
        EXPIRE a abc
        EXPIRE a abc NX GT
        EXPIRE a 9223372036854775807
        EXPIRE a 9223372036854775
        EXPIRE a -9223372036854775
        EXISTS a
        EXPIRE missing 9223372036854775807
        EXPIRE missing 10
        SET a 1
        EXPIRE a -9223372036854775808
        PEXPIRE a 9223372036854775807
        PEXPIRE a -9223372036854775808
        EXISTS a
        SET a 1
        EXPIREAT a 0
        EXISTS a
        SET a 1
        PEXPIREAT a 0
        EXISTS a
        SET a 1
        EXPIRE a 0
        EXISTS a
        SET a 1 EX 1000
        EXPIRE a -1 XX LT
        EXISTS a
        SET a 1
        EXPIRE a -1 GT
        EXISTS a
        EXPIRE a -1 LT
        EXISTS a
        SET a 1 EX 1000
        EXPIRE a 0 NX
        EXISTS a
        EXPIREAT a 9223372036854776
        PEXPIREAT a 9000000000000000000
        PTTL a
        EXPIRE a
        TTL
    """,
    "rename, copy, move": """
        RENAME missing x
        RENAME missing missing
        RENAMENX missing missing
        SET a 1 EX 1000
        RENAME a a
        RENAMENX a a
        RENAME a b
        TTL b
        EXISTS a
        SET a 2
        RENAMENX a b
        RENAMENX a c
        RENAME c b
        TTL b
        GET b
        COPY b b
        COPY b b DB 0
        COPY b b DB 1
        COPY b b DB 1
        COPY b b DB 1 REPLACE
        COPY b b REPLACE
        COPY b d
        COPY b d
        COPY b d REPLACE REPLACE
        COPY missing d REPLACE
        COPY missing missing
        COPY b d DB
        COPY b d DB 16
        COPY b d DB -1
        COPY b d DB abc
        COPY b d DB 4294967296
        COPY b d FOO
        COPY b d DB 3 DB 2
        MOVE b 0
        MOVE b 1
        MOVE d 5
        MOVE d 5
        MOVE missing 5
        MOVE b 16
        MOVE b -1
        MOVE b abc
        MOVE b 99999999999
        SWAPDB 0 5
        GET d
        SWAPDB 0 0
        SWAPDB 0 16
        SWAPDB 0 -1
        SWAPDB abc 0
        SWAPDB 0 abc
        SWAPDB 16 abc
        SWAPDB 99999999999 0
        FLUSHDB
        FLUSHDB ASYNC
        FLUSHDB sync
        FLUSHDB FOO
        FLUSHDB SYNC SYNC
        FLUSHALL FOO
        FLUSHALL async
        RANDOMKEY
        RANDOMKEY x
    """,
    "object": r"""
        SET a 1
        SET b abc
        SET c "01234567890123456789012345678901234567890123"
        SET d "012345678901234567890123456789012345678901234"
        SET e 12345678901234567890
        SET f " 1"
        SET g 9223372036854775807
        SET h ""
        OBJECT ENCODING a
        OBJECT ENCODING b
        OBJECT ENCODING c
        OBJECT ENCODING d
        OBJECT ENCODING e
        OBJECT ENCODING f
        OBJECT ENCODING g
        OBJECT ENCODING h
        OBJECT ENCODING missing
        OBJECT IDLETIME a
        OBJECT IDLETIME missing
        OBJECT FREQ a
        OBJECT FREQ missing
        OBJECT REFCOUNT b
        OBJECT REFCOUNT missing
        OBJECT HELP
        OBJECT HELP x
        OBJECT ENCODING
        OBJECT ENCODING a b
        OBJECT
        OBJECT FOO
        object foo
        oBjEcT "f\no"
        MEMORY USAGE a
        MEMORY USAGE a SAMPLES 0
        MEMORY USAGE a SAMPLES 5 SAMPLES 6
        MEMORY USAGE a SAMPLES -1
        MEMORY USAGE a SAMPLES abc
        MEMORY USAGE a SAMPLES
        MEMORY USAGE a FOO
        MEMORY USAGE missing
        MEMORY USAGE missing FOO
        MEMORY USAGE
        MEMORY HELP
        MEMORY
        MEMORY FOO
        TYPE a
        TYPE missing
    """,
    "keys and scan": r"""
        MSET one 1 two 2 three 3 {tag} 4 "a b" 5
        KEYS *
        KEYS t*
        KEYS t??
        KEYS [ot]*
        KEYS [^o]*
        KEYS [a-p]*
        KEYS [p-a]*
        KEYS \\*
        KEYS ""
        KEYS "a b"
        KEYS
        KEYS a b
        SCAN
        SCAN abc
        SCAN "0 "
        SCAN -
        SCAN 0 COUNT
        SCAN 0 COUNT 0
        SCAN 0 COUNT -1
        SCAN 0 COUNT abc
        SCAN 0 MATCH
        SCAN 0 FOO BAR
        SCAN 0 FOO
        SCAN 0 TYPE
        SCAN 0 COUNT 0 FOO
        SCAN 99999999999999999999999
        SCAN abc FOO
    """,
    "unknown": r"""
        FOO
        foo bar baz
        FOO "with\nnewline" "and\r"
        "" x
        "GET " x
        GET
        GET a b
        get
        COMMAND FOO
        COMMAND COUNT x
        COMMAND GETKEYS
        COMMAND GETKEYS GET
        COMMAND GETKEYS FOO bar
        COMMAND GETKEYS PING bar
        COMMAND GETKEYS OBJECT ENCODING
        COMMAND GETKEYS OBJECT FOO bar
        COMMAND GETKEYS OBJECT ENCODING a
        COMMAND GETKEYS MSET a 1 b 2
        COMMAND GETKEYS RENAME a b
        COMMAND GETKEYS DEL a b c
        COMMAND GETKEYS SET a b EX 10
        COMMAND GETKEYSANDFLAGS RENAME a b
        COMMAND GETKEYSANDFLAGS SET a b
        COMMAND GETKEYSANDFLAGS SET a GET
        COMMAND GETKEYSANDFLAGS MGET a GET
        COMMAND GETKEYSANDFLAGS SET a b GET
        COMMAND LIST FOO
        COMMAND LIST FILTERBY
        COMMAND LIST FILTERBY FOO x
        COMMAND LIST FILTERBY MODULE x
        COMMAND LIST FILTERBY ACLCAT nosuch
        COMMAND LIST FILTERBY PATTERN nosuch*
        COMMAND INFO nosuch
        COMMAND DOCS nosuch
    """,
}


def lines_of(script: str) -> list[list[bytes]]:
    lines = (shlex.split(line) for line in script.strip().splitlines())
    return [[word.encode().replace(rb"\n", b"\n") for word in line] for line in lines]
