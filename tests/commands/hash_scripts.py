"""Lines of hash and set commands, in scripts that are run from an empty start."""

from __future__ import annotations

HASHES = {
    "setting": """
        HSET h a 1 b 2
        HSET h a 3 c 4 c 5
        HSET h '' '' ' ' ' '
        HSET h a
        HSET h a 1 b
        HSET h
        HMSET h a 1 b
        HMSET h d 1 e 2
        HMSET h f
        HSETNX h a 9
        HSETNX h new 9
        HSETNX h a 9 b 9
        HGETALL h
        SET s x
        HSET s a 1
        HMSET s a 1
        HSETNX s a 1
        GET h
        INCR h
        EXPIRE h 100
        HSET h later 1
        TTL h
        SET h x
        TYPE h
        """,
    "reading": """
        HSET h a 1 b two c ''
        SET s x
        HGET h a
        HGET h nosuch
        HGET missing a
        HGET s a
        HGET h
        HMGET h a nosuch c a
        HMGET missing a b
        HMGET s a
        HMGET h
        HGETALL h
        HGETALL missing
        HGETALL s
        HKEYS h
        HKEYS missing
        HKEYS s
        HVALS h
        HVALS missing
        HVALS s
        HLEN h
        HLEN missing
        HLEN s
        HEXISTS h c
        HEXISTS h nosuch
        HEXISTS missing a
        HEXISTS s a
        HSTRLEN h b
        HSTRLEN h c
        HSTRLEN h nosuch
        HSTRLEN missing a
        HSTRLEN s a
        """,
    "deleting": """
        HSET h a 1 b 2 c 3
        HDEL h a a nosuch
        HDEL missing a
        HDEL h
        SET s x
        HDEL s a
        HDEL h b c
        EXISTS h
        """,
    "integers": """
        HINCRBY h n 5
        HINCRBY h n -7
        HGET h n
        HINCRBY h n 9223372036854775807
        HINCRBY h n 1
        HINCRBY h n 9223372036854775807
        HINCRBY h n -9223372036854775808
        HINCRBY h n -9223372036854775808
        HINCRBY h n 9223372036854775808
        HINCRBY h n 1.5
        HINCRBY h n ''
        HINCRBY h n 01
        HSET h text ten blank ' 1' zero 01 nothing '' plus +1
        HINCRBY h text 1
        HINCRBY h text x
        HINCRBY h blank 1
        HINCRBY h zero 1
        HINCRBY h nothing 1
        HINCRBY h plus 1
        SET s x
        HINCRBY s n 1
        HINCRBY s n x
        HINCRBY missing n x
        EXISTS missing
        """,
    "floats": """
        HINCRBYFLOAT h f 3.14
        HINCRBYFLOAT h f 3.0e3
        HINCRBYFLOAT h f -3003.14
        HINCRBYFLOAT h g 10.50
        HINCRBYFLOAT h g 0.1
        HINCRBYFLOAT h g 0x10
        HINCRBYFLOAT h g inf
        HINCRBYFLOAT h g -inf
        HINCRBYFLOAT h g nan
        HINCRBYFLOAT h g x
        HINCRBYFLOAT h g ' 1'
        HINCRBYFLOAT h g ''
        HSET h text ten inf inf large 1e4931 nothing '' blank '1 '
        HINCRBYFLOAT h text 1
        HINCRBYFLOAT h inf 1
        HINCRBYFLOAT h nothing 1
        HINCRBYFLOAT h blank 1
        HINCRBYFLOAT h large 1e4932
        SET s x
        HINCRBYFLOAT s f 1
        HINCRBYFLOAT s f x
        HINCRBYFLOAT missing f x
        EXISTS missing
        """,
    "random fields": """
        HSET h a 1
        SET s x
        HRANDFIELD h
        HRANDFIELD missing
        HRANDFIELD s
        HRANDFIELD h 1
        HRANDFIELD h 5
        HRANDFIELD h -3
        HRANDFIELD h 0
        HRANDFIELD h 1 WITHVALUES
        HRANDFIELD h -2 withvalues
        HRANDFIELD h 0 WITHVALUES
        HRANDFIELD missing 3
        HRANDFIELD missing -3 WITHVALUES
        HRANDFIELD s 3
        HRANDFIELD h x
        HRANDFIELD h 1.5
        HRANDFIELD h 1 foo
        HRANDFIELD h 1 WITHVALUES x
        HRANDFIELD missing 1 foo
        HRANDFIELD s 1 foo
        HRANDFIELD h 9223372036854775807
        HRANDFIELD h 9223372036854775808
        HRANDFIELD h -9223372036854775808
        HRANDFIELD missing -9223372036854775808
        HRANDFIELD h 9223372036854775807 WITHVALUES
        HRANDFIELD h -9223372036854775807 WITHVALUES
        HRANDFIELD missing -9223372036854775807 WITHVALUES
        HRANDFIELD h 4611686018427387903 WITHVALUES
        """,
    "scanning": """
        HSET h a 1
        SET s x
        HSCAN h 0
        HSCAN h 0 MATCH a*
        HSCAN h 0 MATCH b*
        HSCAN h 0 MATCH 1
        HSCAN h 0 COUNT 100 MATCH * COUNT 5
        HSCAN missing 0
        HSCAN missing 5 COUNT 2
        HSCAN missing 0 foo
        HSCAN missing x
        HSCAN missing x foo
        HSCAN s 0
        HSCAN s 0 foo
        HSCAN s x
        HSCAN h 0 foo
        HSCAN h 0 foo 1
        HSCAN h 0 COUNT
        HSCAN h 0 COUNT 0
        HSCAN h 0 COUNT -1
        HSCAN h 0 COUNT x
        HSCAN h 0 MATCH
        HSCAN h 0 TYPE hash
        HSCAN h -
        HSCAN h 18446744073709551616
        """,
    "encodings": """
        HSET h a 1
        OBJECT ENCODING h
        HSET h long 1234567890123456789012345678901234567890123456789012345678901234
        OBJECT ENCODING h
        HSET h long 12345678901234567890123456789012345678901234567890123456789012345
        OBJECT ENCODING h
        HDEL h long
        OBJECT ENCODING h
        HGETALL h
        """,
}

SETS = {
    "members": """
        SADD k a b c a
        SADD k a d
        SADD k '' ' ' 1 -1 01
        SADD k
        SET s x
        SADD s a
        SREM s a
        SREM k a a nosuch
        SREM missing a
        SREM k
        SISMEMBER k b
        SISMEMBER k nosuch
        SISMEMBER missing a
        SISMEMBER s a
        SISMEMBER k a b
        SMISMEMBER k b nosuch '' b
        SMISMEMBER missing a b
        SMISMEMBER s a
        SMISMEMBER k
        SCARD k
        SCARD missing
        SCARD s
        SMEMBERS k
        SMEMBERS missing
        SMEMBERS s
        SREM k b c d '' ' ' 1 -1
        SREM k 01
        EXISTS k
        """,
    "moving": """
        SADD a 1 2
        SADD b 3
        SET s x
        SMOVE a b 1
        SMOVE a b 1
        SMOVE a b 9
        SMOVE a a 2
        SMOVE a a 9
        SMOVE a s 2
        SMOVE a s 9
        SMOVE s a 2
        SMOVE missing s 2
        SMOVE missing a 2
        SMOVE missing missing 2
        SMOVE a new 2
        EXISTS a
        SMEMBERS new
        SMOVE b new 3
        SMEMBERS new
        SMEMBERS b
        SMOVE a b
        """,
    "popping": """
        SADD k a
        SET s x
        SPOP missing
        SPOP s
        SPOP k
        EXISTS k
        SADD k a
        SPOP k 0
        SPOP k -1
        SPOP k x
        SPOP k 9223372036854775808
        SPOP k 1 2
        SPOP missing 1 2
        SPOP missing 5
        SPOP missing -5
        SPOP missing x
        SPOP s 1
        SPOP s 0
        SPOP s -1
        SPOP k 5
        EXISTS k
        """,
    "random members": """
        SADD k a
        SET s x
        SRANDMEMBER k
        SRANDMEMBER missing
        SRANDMEMBER s
        SRANDMEMBER k 1
        SRANDMEMBER k 5
        SRANDMEMBER k -3
        SRANDMEMBER k 0
        SRANDMEMBER missing 5
        SRANDMEMBER missing -5
        SRANDMEMBER s 5
        SRANDMEMBER s x
        SRANDMEMBER missing x
        SRANDMEMBER k x
        SRANDMEMBER k 1 2
        SRANDMEMBER k 9223372036854775807
        SRANDMEMBER k 9223372036854775808
        SRANDMEMBER k -9223372036854775808
        SRANDMEMBER missing -9223372036854775807
        """,
    "scanning": """
        SADD k a
        SET s x
        SSCAN k 0
        SSCAN k 0 MATCH a*
        SSCAN k 0 MATCH b*
        SSCAN k 0 COUNT 100
        SSCAN missing 0
        SSCAN missing 0 foo
        SSCAN missing x
        SSCAN s 0
        SSCAN s 0 foo
        SSCAN k 0 foo
        SSCAN k 0 COUNT 0
        SSCAN k 0 COUNT
        SSCAN k 0 NOVALUES
        SSCAN k 0 TYPE set
        SSCAN k x
        """,
    "combining": """
        SADD a 1 2 3 x
        SADD b 2 3 4 y
        SADD c 3 5
        SET s x
        SINTER a b
        SINTER a b c
        SINTER a
        SINTER a a
        SINTER a missing
        SINTER missing s
        SINTER s missing
        SINTER a s
        SUNION a b c
        SUNION a missing
        SUNION missing
        SUNION a s
        SUNION s
        SDIFF a b
        SDIFF a c b
        SDIFF a a
        SDIFF a missing
        SDIFF missing a
        SDIFF missing s
        SDIFF a s
        SINTER
        SDIFF
        """,
    "counting what is common": """
        SADD a 1 2 3
        SADD b 2 3 4
        SET s x
        SINTERCARD 2 a b
        SINTERCARD 1 a
        SINTERCARD 2 a missing
        SINTERCARD 2 a b LIMIT 1
        SINTERCARD 2 a b limit 0
        SINTERCARD 2 a b LIMIT 10 LIMIT 1
        SINTERCARD 2 a b LIMIT
        SINTERCARD 2 a b LIMIT -1
        SINTERCARD 2 a b LIMIT x
        SINTERCARD 2 a b LIMIT 9223372036854775808
        SINTERCARD 2 a b foo
        SINTERCARD 2 a b foo 1
        SINTERCARD 1 a b
        SINTERCARD 0 a
        SINTERCARD -1 a
        SINTERCARD x a
        SINTERCARD 3 a b
        SINTERCARD 9223372036854775808 a
        SINTERCARD 2 a s
        SINTERCARD 2 missing s
        SINTERCARD 2
        COMMAND GETKEYS SINTERCARD 2 a b LIMIT 1
        """,
    "storing": """
        SADD a 1 2 3
        SADD b 2 3 4
        SET s x
        SINTERSTORE d a b
        SMEMBERS d
        SUNIONSTORE d a b
        SMEMBERS d
        SDIFFSTORE d a b
        SMEMBERS d
        EXPIRE d 100
        SDIFFSTORE d a b
        TTL d
        SINTERSTORE d a missing
        EXISTS d
        SUNIONSTORE s a
        TYPE s
        SET s x
        SUNIONSTORE s missing
        EXISTS s
        SET s x
        SUNIONSTORE d a s
        SINTERSTORE d missing s
        SDIFFSTORE d missing s
        EXISTS d
        SUNIONSTORE a a b
        SMEMBERS a
        SINTERSTORE a a b
        SMEMBERS a
        SDIFFSTORE a a b
        EXISTS a
        SUNIONSTORE d
        """,
    "encodings": """
        SADD k 1 2 3
        OBJECT ENCODING k
        SADD k -9223372036854775808 9223372036854775807
        OBJECT ENCODING k
        SADD k 9223372036854775808
        OBJECT ENCODING k
        SREM k 9223372036854775808
        OBJECT ENCODING k
        SADD new 01
        OBJECT ENCODING new
        SADD long 12345678901234567890123456789012345678901234567890123456789012345
        OBJECT ENCODING long
        SUNIONSTORE copy k
        OBJECT ENCODING copy
        """,
}

KEYSPACE = {
    "any type": """
        HSET h a 1
        SADD s 1
        RENAME h g
        RENAME h g
        RENAMENX h g
        RENAMENX g s
        RENAMENX g g
        RENAME g g
        RENAME g s
        HGETALL s
        COPY s t
        COPY s t
        COPY s t REPLACE
        COPY s s
        COPY s u DB 1
        EXPIRE s 100
        RENAME s v
        TTL v
        COPY v w
        TTL w
        MOVE w 1
        MOVE w 1
        MOVE t 0
        TYPE v
        SADD x 1
        SCAN 0 TYPE set
        SCAN 0 TYPE hash MATCH v
        SCAN 0 TYPE string
        SCAN 0 TYPE nosuch
        OBJECT REFCOUNT v
        OBJECT FREQ v
        OBJECT IDLETIME x
        OBJECT ENCODING missing
        MEMORY USAGE v
        MEMORY USAGE v SAMPLES 5
        MEMORY USAGE v SAMPLES x
        TOUCH v x missing
        EXISTS v x x missing
        PERSIST v
        DEL v x missing
        """,
    "strings only": """
        HSET h a 1
        GET h
        GETSET h x
        GETDEL h
        GETEX h
        GETEX h EX 10
        APPEND h x
        STRLEN h
        SETRANGE h 0 x
        GETRANGE h 0 1
        INCR h
        INCRBYFLOAT h 1
        SET h x GET
        SET h x NX
        SETNX h x
        MGET h
        MSETNX h x
        LCS h h
        HGETALL h
        SET h x KEEPTTL
        TYPE h
        SADD k a
        MSET k x
        TYPE k
        """,
}
