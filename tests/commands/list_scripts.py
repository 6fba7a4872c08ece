"""Lines of list commands and of SORT, in scripts that are run from an empty start."""

from __future__ import annotations

LISTS = {
    "push and pop": """
        LPUSH a 1 2 3
        RPUSH a 4 5
        LPUSHX a 0
        RPUSHX a 6 7
        LPUSHX nosuch 1
        RPUSHX nosuch 1
        EXISTS nosuch
        LRANGE a 0 -1
        LLEN a
        LLEN nosuch
        LPOP a
        RPOP a
        LPOP a 2
        RPOP a 2
        LPOP a 0
        LPOP nosuch
        LPOP nosuch 0
        RPOP nosuch 3
        LPOP a -1
        LPOP a x
        LPOP nosuch x
        LPOP a 1 2
        RPOP a 9223372036854775808
        RPOP a 9223372036854775807
        EXISTS a
        LPUSH a
        SET s 1
        LPUSH s 1
        RPUSHX s 1
        LPOP s
        LPOP s 0
        RPOP s x
        LLEN s
    """,
    "index": """
        RPUSH a x y z "" 12345 -7
        LINDEX a 0
        LINDEX a -1
        LINDEX a 3
        LINDEX a 6
        LINDEX a -7
        LINDEX a x
        LINDEX nosuch x
        LINDEX nosuch 0
        LRANGE a 1 2
        LRANGE a -2 -1
        LRANGE a -100 100
        LRANGE a 2 1
        LRANGE a 6 9
        LRANGE a x 1
        LRANGE nosuch 0 1.5
        LRANGE nosuch 0 1
        LSET a 0 new
        LSET a -1 end
        LSET a 6 x
        LSET a -7 x
        LSET a x x
        LSET nosuch x x
        SET s 1
        LSET s x x
        LINDEX s x
        LINDEX s 0
        LRANGE s 0 -1
        LRANGE s x -1
        LRANGE a 0 -1
    """,
    "trim": """
        RPUSH a 0 1 2 3 4 5 6 7 8 9
        EXPIRE a 1000
        LTRIM a 1 -2
        LRANGE a 0 -1
        LTRIM a -100 5
        LRANGE a 0 -1
        LTRIM a 2 100
        LRANGE a 0 -1
        TTL a
        LTRIM a 3 2
        EXISTS a
        RPUSH a 1 2 3
        LTRIM a 3 9
        EXISTS a
        RPUSH a 1 2 3
        LTRIM a 0 -4
        EXISTS a
        RPUSH a 1 2 3
        LTRIM a -9223372036854775808 9223372036854775807
        LTRIM a 9223372036854775807 -9223372036854775808
        EXISTS a
        LTRIM nosuch 0 1
        LTRIM nosuch x 1
        SET s 1
        LTRIM s 0 1
        LTRIM s 0 x
    """,
    "insert and remove": """
        RPUSH a x y x z x y
        LINSERT a BEFORE x new
        LINSERT a after z new
        LINSERT a BEFORE nosuch new
        LINSERT nosuch BEFORE x new
        LINSERT a AROUND x new
        LINSERT nosuch AROUND x new
        LINSERT a AFTER y end
        LRANGE a 0 -1
        LREM a 1 x
        LREM a -1 x
        LREM a 0 new
        LREM a 5 nosuch
        LREM nosuch 0 x
        LREM nosuch x x
        LREM a 1.0 x
        LRANGE a 0 -1
        LREM a -9223372036854775807 y
        LREM a 9223372036854775807 z
        LRANGE a 0 -1
        LREM a 0 end
        LREM a 0 x
        EXISTS a
        SET s 1
        LREM s 0 x
        LREM s x x
        LINSERT s BEFORE x y
    """,
    "positions": """
        RPUSH a a b c 1 2 3 c c
        LPOS a c
        LPOS a nosuch
        LPOS nosuch c
        LPOS a c RANK 2
        LPOS a c RANK 4
        LPOS a c RANK -1
        LPOS a c RANK -3
        LPOS a c RANK -4
        LPOS a c COUNT 2
        LPOS a c COUNT 0
        LPOS a c COUNT 0 RANK 2
        LPOS a c COUNT 0 RANK -2
        LPOS a c COUNT 1 RANK 9223372036854775807
        LPOS a c RANK -1 COUNT 2
        LPOS a c MAXLEN 2
        LPOS a c MAXLEN 3
        LPOS a c COUNT 0 MAXLEN 7
        LPOS a c COUNT 0 MAXLEN 2 RANK -1
        LPOS a a COUNT 0 MAXLEN 7 RANK -1
        LPOS a a maxlen 0 rank -1
        LPOS nosuch c COUNT 0
        LPOS a c RANK 0
        LPOS a c RANK x
        LPOS a c RANK
        LPOS a c COUNT -1
        LPOS a c COUNT x
        LPOS a c MAXLEN -1
        LPOS a c FOO 1
        LPOS a c COUNT 1 RANK 1 COUNT 2
        SET s 1
        LPOS s c
        LPOS s c RANK 0
    """,
    "move": """
        RPUSH a 1 2 3 4
        LMOVE a b LEFT RIGHT
        LMOVE a b right left
        RPOPLPUSH a b
        LRANGE a 0 -1
        LRANGE b 0 -1
        LMOVE b b LEFT RIGHT
        LMOVE b b RIGHT LEFT
        LMOVE b b LEFT LEFT
        RPOPLPUSH b b
        LRANGE b 0 -1
        EXPIRE a 1000
        LMOVE a a LEFT RIGHT
        RPOPLPUSH a a
        LMOVE a a LEFT LEFT
        TTL a
        LMOVE a b LEFT LEFT
        EXISTS a
        LMOVE a b LEFT LEFT
        RPOPLPUSH a b
        SET s 1
        LMOVE a s LEFT LEFT
        LMOVE b s LEFT LEFT
        LMOVE s b LEFT LEFT
        RPOPLPUSH s s
        LMOVE a b UP LEFT
        LMOVE s b LEFT DOWN
        LRANGE b 0 -1
    """,
    "pop from several": """
        RPUSH a 1 2 3
        RPUSH b 4 5 6
        LMPOP 1 a LEFT
        LMPOP 2 nosuch a RIGHT
        LMPOP 3 a b nosuch left COUNT 10
        LMPOP 2 a b RIGHT count 2
        LMPOP 2 nosuch a LEFT
        LMPOP 2 b b LEFT COUNT 9223372036854775807
        EXISTS b
        LMPOP 0 a LEFT
        LMPOP -1 a LEFT
        LMPOP x a LEFT
        LMPOP 9223372036854775807 a LEFT
        LMPOP 2 a LEFT
        LMPOP 1 a b LEFT
        LMPOP 1 a UP
        LMPOP 1 a LEFT COUNT
        LMPOP 1 a LEFT COUNT 0
        LMPOP 1 a LEFT COUNT x
        LMPOP 1 a LEFT COUNT 1 COUNT 1
        LMPOP 1 a LEFT FOO 1
        SET s 1
        RPUSH a 1
        LMPOP 2 s a LEFT
        LMPOP 2 a s LEFT
    """,
}

SORTS = {
    "numbers": """
        RPUSH a 3 1.5 -2 1e3 0x10 inf -inf .5 3 0003
        SORT a
        SORT a DESC
        SORT a LIMIT 2 3
        SORT a LIMIT -2 3
        SORT a LIMIT 8 100
        SORT a LIMIT 10 1
        SORT a LIMIT 3 0
        SORT a LIMIT 3 -1
        SORT a LIMIT 3 -9223372036854775808
        SORT a LIMIT 9223372036854775807 9223372036854775807
        SORT a desc asc
        SORT a ALPHA
        SORT a ALPHA DESC LIMIT 0 3
        SORT_RO a limit 1 2
        RPUSH b " 7" "" "1\\x00junk" 4
        SORT b
        RPUSH b "4 "
        SORT b
        RPUSH c 1 x
        SORT c
        SORT c ALPHA
        RPUSH n 1 nan
        SORT n
        SORT nosuch
        SORT_RO nosuch
    """,
    "kinds": """
        SADD set 3 1 2 11
        SORT set
        SORT set DESC LIMIT 0 2
        SORT set ALPHA
        SORT set BY nosort STORE d
        LRANGE d 0 -1
        ZADD z 1 c 2 a 3 b
        SORT z ALPHA
        SORT z
        SORT z BY nosort
        SORT z BY nosort DESC
        SORT z BY nosort LIMIT 1 1
        SORT z BY nosort DESC LIMIT 0 2
        SORT z BY nosort DESC GET # STORE d
        LRANGE d 0 -1
        RPUSH l x y z
        SORT l BY nosort
        SORT l BY nosort DESC
        SORT l BY nosort DESC LIMIT 1 1
        SORT l BY nosort LIMIT 1 5
        SORT l BY nosort LIMIT 5 5
        SORT l BY w_* BY constant
        SET s 1
        SORT s
        SORT s FOO
        HSET h f 1
        SORT_RO h
        DEL z
    """,
    "patterns": """
        RPUSH a 1 2 3 4
        MSET w_1 3 w_2 1 w_3 2
        HSET h_1 f 30 g one
        HSET h_2 f 10
        HSET h_3 f 20 g three
        SORT a BY w_*
        SORT a BY w_* DESC
        SORT a BY h_*->f
        SORT a BY h_*->f DESC GET # GET h_*->g
        SORT a BY h_*->nosuch DESC
        SORT a BY h_*
        SORT a BY w_*->f
        SORT a BY *->
        SORT a BY w_* GET w_*
        SORT a BY w_* GET # GET nosuch_* GET w_* GET constant
        SORT a GET h_*
        SORT a GET w_*->f
        SORT a GET h_*->
        SORT a GET #x
        SORT a GET x*
        SORT a BY nosort GET w_*
        SORT a BY w_* LIMIT 1 2 GET #
        SET w_4 x
        SORT a BY w_*
        SORT a BY w_* ALPHA
        SORT a BY w_* ALPHA DESC
        SORT_RO a BY w_* ALPHA LIMIT 1 2 GET w_*
    """,
    "store": """
        RPUSH a 3 1 2
        SORT a STORE d
        LRANGE d 0 -1
        TYPE d
        EXPIRE d 100
        SORT a DESC STORE d
        TTL d
        LRANGE d 0 -1
        SORT a GET # GET w_* STORE d
        LRANGE d 0 -1
        SORT a STORE a
        LRANGE a 0 -1
        SORT a LIMIT 5 1 STORE d
        EXISTS d
        SET d string
        SORT nosuch STORE d
        EXISTS d
        SET d string
        SORT a STORE d STORE e
        TYPE d
        LRANGE e 0 -1
        RPUSH b x
        SORT b STORE e
        LRANGE e 0 -1
        SORT_RO a STORE d
    """,
    "syntax": """
        RPUSH a 1
        SORT a FOO
        SORT a LIMIT 1
        SORT a LIMIT 1 x
        SORT a LIMIT x 1
        SORT a BY
        SORT a GET
        SORT a STORE
        SORT
        SORT_RO
        COMMAND GETKEYSANDFLAGS SORT a BY b GET c STORE d STORE e
        COMMAND GETKEYSANDFLAGS SORT a LIMIT store STORE STORE x
        COMMAND GETKEYSANDFLAGS SORT a GET STORE STORE y
        COMMAND GETKEYS SORT a STORE
        COMMAND GETKEYS SORT_RO a STORE b
        COMMAND GETKEYS LMPOP 2 a b LEFT
        COMMAND GETKEYS LMPOP x a b LEFT
        COMMAND GETKEYS LMOVE a b LEFT LEFT
    """,
}
