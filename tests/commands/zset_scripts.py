"""Lines of sorted-set and geo commands, in scripts that are run from an empty start."""

from __future__ import annotations

SORTED_SETS = {
    "zadd": """
        SET s 1
        ZADD k 1 a
        ZADD k 1 a 2 b 3 c
        ZADD k NX 5 a 5 d
        ZADD k XX 6 a 6 x
        ZADD k XX CH 7 a 6 b 6 x
        ZADD k GT 1 a 100 b
        ZADD k LT CH 1 a 1000 b
        ZADD k GT CH 200 b 1 c 9 e
        ZADD k gt xx ch 300 b 9 f
        ZADD k CH 300 b
        ZADD k INCR 1.5 a
        ZADD k XX INCR 1 nosuch
        ZADD k NX INCR 1 a
        ZADD k GT INCR -1 a
        ZADD k LT INCR -1 a
        ZADD nosuch XX 1 a
        ZADD nosuch XX INCR 1 a
        EXISTS nosuch
        ZADD k 1 a 2
        ZADD k
        ZADD k 1
        ZADD k NX
        ZADD k XX CH INCR
        ZADD k xx nx 1 a
        ZADD k gt nx 1 a
        ZADD k lt nx 1 a
        ZADD k gt lt 1 a
        ZADD k incr 1 a 2 b
        ZADD k incr incr ch ch 1 a
        ZADD k nan a
        ZADD k 1 a x b
        ZADD k ' 1' a
        ZADD k '1 ' a
        ZADD k '' a
        ZADD k 1_0 a
        ZADD k 1e400 a
        ZADD k 1e-400 a
        ZADD k 0x10 a
        ZADD k -0x1.8p1 b
        ZADD k 5e-324 c
        ZADD k inf d -inf e +Infinity f
        ZADD k incr -inf d
        ZADD k -0 z 0 z
        ZADD k CH 5 dup 6 dup
        ZADD s 1 a
        ZADD s x a
        ZADD s nx xx 1 a
        ZINCRBY k 1 a
        ZINCRBY k 0.1 new
        ZINCRBY k 0.2 new
        ZINCRBY k -inf d
        ZINCRBY k nan a
        ZINCRBY k x a
        ZINCRBY s 1 a
        ZINCRBY other 1e17 a
        ZINCRBY other 1 a
        ZINCRBY k -0 zero
        ZINCRBY k -0 zero
        ZADD k INCR -0 zero2
        ZUNION 1 k WEIGHTS -1 WITHSCORES
        ZUNIONSTORE other2 1 k WEIGHTS -1
        ZRANGE k 0 -1 WITHSCORES
        ZRANGE other 0 -1 WITHSCORES
        ZRANGE other2 0 -1 WITHSCORES
    """,
    "scores": """
        SET s 1
        ZADD k 1 a 0.1 b -inf c 1e22 d 123456.789012345 e -0 f 3 3
        ZSCORE k a
        ZSCORE k b
        ZSCORE k c
        ZSCORE k d
        ZSCORE k e
        ZSCORE k f
        ZSCORE k 3
        ZSCORE k nosuch
        ZSCORE nosuch a
        ZSCORE s a
        ZMSCORE k a nosuch b a
        ZMSCORE nosuch a b
        ZMSCORE s a
        ZMSCORE k
        ZCARD k
        ZCARD nosuch
        ZCARD s
        ZRANK k a
        ZRANK k c
        ZRANK k nosuch
        ZRANK nosuch a
        ZRANK s a
        ZREVRANK k a
        ZREVRANK k c
        ZREVRANK k nosuch
        ZREVRANK nosuch a
        ZREVRANK s a
        ZCOUNT k -inf +inf
        ZCOUNT k (0 1
        ZCOUNT k 0 (1
        ZCOUNT k 2 1
        ZCOUNT k (1 (1
        ZCOUNT k 0x1 inf
        ZCOUNT k '' ''
        ZCOUNT k ( (5
        ZCOUNT k nan 1
        ZCOUNT k 1 x
        ZCOUNT k '1 ' 2
        ZCOUNT k ' 1' 2
        ZCOUNT s 1 2
        ZCOUNT s 1 x
        ZCOUNT nosuch 1 2
        ZREM k a nosuch a
        ZREM nosuch a
        ZREM s a
        ZREM k b c d e f 3
        EXISTS k
        ZREM k
    """,
    "ranges": """
        SET s 1
        ZADD k 1 a 2 b 2 c 3 d 4 e
        EXPIRE k 1000
        ZRANGE k 0 -1
        ZRANGE k 0 -1 WITHSCORES
        ZRANGE k 0 -1 REV WITHSCORES
        ZRANGE k 1 2
        ZRANGE k -2 -1 REV
        ZRANGE k 3 1
        ZRANGE k 5 10
        ZRANGE k -100 100
        ZRANGE k 0 9223372036854775807
        ZRANGE k -9223372036854775808 9223372036854775807 withscores
        ZRANGE k 0 -1 WITHSCORES WITHSCORES
        ZRANGE k (1 3 BYSCORE
        ZRANGE k (1 3 BYSCORE WITHSCORES LIMIT 1 1
        ZRANGE k 3 (1 BYSCORE REV LIMIT 0 2 WITHSCORES
        ZRANGE k -inf inf BYSCORE LIMIT 1 -1
        ZRANGE k -inf inf BYSCORE LIMIT -1 2
        ZRANGE k -inf inf BYSCORE LIMIT 10 2
        ZRANGE k -inf inf BYSCORE LIMIT 0 0
        ZRANGE k -inf inf BYSCORE LIMIT 1 2 LIMIT 2 1
        ZRANGE k inf -inf BYSCORE REV LIMIT 2 -5
        ZRANGE k 0 -1 LIMIT 0 1
        ZRANGE k 0 -1 LIMIT 0 -1
        ZRANGE k 0 -1 LIMIT 1 x
        ZRANGE k 0 -1 LIMIT 1
        ZRANGE k 0 x
        ZRANGE k 1.5 2
        ZRANGE k a b BYLEX
        ZRANGE k a b BYSCORE
        ZRANGE k - + BYLEX WITHSCORES
        ZRANGE k - + BYLEX BYSCORE
        ZRANGE k 0 -1 REV REV
        ZRANGE k 0 -1 FOO
        ZRANGE s 0 -1
        ZRANGE s 5 1
        ZRANGE s 0 x
        ZRANGE nosuch 0 -1 WITHSCORES
        ZREVRANGE k 0 1
        ZREVRANGE k 0 -1 WITHSCORES
        ZREVRANGE k -2 -1
        ZREVRANGE k 0 -1 LIMIT 0 1
        ZREVRANGE k 0 -1 REV
        ZRANGEBYSCORE k 2 3
        ZRANGEBYSCORE k (2 +inf WITHSCORES LIMIT 0 1
        ZRANGEBYSCORE k 2 3 REV
        ZRANGEBYSCORE k 2 3 BYSCORE
        ZRANGEBYSCORE s 2 3
        ZREVRANGEBYSCORE k 3 2
        ZREVRANGEBYSCORE k +inf (2 LIMIT 1 1 WITHSCORES
        ZREVRANGEBYSCORE k 2 3
        ZREVRANGEBYSCORE k 2
        ZRANGESTORE d k 1 2
        ZRANGE d 0 -1 WITHSCORES
        ZRANGESTORE d k 3 2 BYSCORE REV LIMIT 0 1
        ZRANGE d 0 -1 WITHSCORES
        ZRANGESTORE k k 0 3
        TTL k
        ZRANGE k 0 -1
        ZRANGESTORE d k 0 -1 WITHSCORES
        ZRANGESTORE d s 0 -1
        ZRANGESTORE s k 0 -1
        TYPE s
        ZRANGESTORE s nosuch 0 -1
        EXISTS s
        ZRANGESTORE d k 10 20
        EXISTS d
    """,
    "ranges of bytes": """
        ZADD k 0 a 0 aa 0 b 0 c 0 '' 0 zz
        ZRANGE k - + BYLEX
        ZRANGE k [a (c BYLEX
        ZRANGE k (a [c BYLEX LIMIT 1 1
        ZRANGE k + - BYLEX REV
        ZRANGE k (c [a BYLEX REV LIMIT 1 5
        ZRANGE k [ [ BYLEX
        ZRANGE k ( + BYLEX
        ZRANGEBYLEX k - +
        ZRANGEBYLEX k + -
        ZRANGEBYLEX k - -
        ZRANGEBYLEX k + +
        ZRANGEBYLEX k [b [b
        ZRANGEBYLEX k (b [b
        ZRANGEBYLEX k - (aa LIMIT 1 -1
        ZRANGEBYLEX k - + LIMIT -1 5
        ZRANGEBYLEX k - + LIMIT 5 5
        ZRANGEBYLEX k - + LIMIT 6 5
        ZRANGEBYLEX k - + WITHSCORES
        ZRANGEBYLEX k '' +
        ZRANGEBYLEX k -x +
        ZRANGEBYLEX k a +
        ZREVRANGEBYLEX k + [b
        ZREVRANGEBYLEX k [b + LIMIT 0 1
        ZREVRANGEBYLEX k (b - LIMIT 1 1
        ZLEXCOUNT k - +
        ZLEXCOUNT k (a [b
        ZLEXCOUNT k [zzz +
        ZLEXCOUNT k a b
        ZLEXCOUNT nosuch - +
        ZADD mixed 5 a 4 b 3 c 2 d 1 e
        ZRANGEBYLEX mixed [b [d
        ZRANGEBYLEX mixed - [b
        ZREVRANGEBYLEX mixed [c [b
        ZRANGEBYLEX mixed [a + LIMIT 1 2
        ZLEXCOUNT mixed [b +
        ZREMRANGEBYLEX k [a (b
        ZREMRANGEBYLEX k - (
        ZREMRANGEBYLEX k a b
        ZRANGE k 0 -1
        ZREMRANGEBYLEX k - +
        EXISTS k
    """,
    "removing": """
        SET s 1
        ZADD k 1 a 2 b 3 c 4 d 5 e 6 f
        ZREMRANGEBYRANK k 0 0
        ZREMRANGEBYRANK k -1 -1
        ZREMRANGEBYRANK k 5 9
        ZREMRANGEBYRANK k 2 1
        ZREMRANGEBYRANK k x 1
        ZREMRANGEBYRANK s 0 1
        ZREMRANGEBYRANK nosuch 0 1
        ZREMRANGEBYSCORE k (2 3
        ZREMRANGEBYSCORE k 2 (2
        ZREMRANGEBYSCORE k a b
        ZREMRANGEBYSCORE s 1 2
        ZRANGE k 0 -1 WITHSCORES
        ZREMRANGEBYRANK k 0 -1
        EXISTS k
        ZREMRANGEBYLEX s - +
        ZREMRANGEBYLEX s x y
    """,
    "popping": """
        SET s 1
        ZADD k 1 a 2 b 3 c 4 d 5 e 6 f
        ZPOPMIN k
        ZPOPMAX k
        ZPOPMIN k 1
        ZPOPMAX k 2
        ZPOPMIN k 0
        ZPOPMIN k -1
        ZPOPMIN k x
        ZPOPMIN k 1 2
        ZPOPMIN s
        ZPOPMIN s 0
        ZPOPMIN nosuch
        ZPOPMIN nosuch 0
        ZPOPMAX k 100
        EXISTS k
        ZADD k 1 a 2 b 3 c 0.1 d
        ZMPOP 1 k MIN
        ZMPOP 2 nosuch k MAX COUNT 2
        ZMPOP 1 nosuch MIN
        ZMPOP 2 nosuch s MIN
        ZMPOP 2 k s MIN COUNT 10
        ZMPOP 2 k s MIN COUNT 10
        ZMPOP 0 k MIN
        ZMPOP -1 k MIN
        ZMPOP x k MIN
        ZMPOP 2 k MIN
        ZMPOP 1 k FOO
        ZMPOP 1 k MIN COUNT 0
        ZMPOP 1 k MIN COUNT x
        ZMPOP 1 k MIN COUNT
        ZMPOP 1 k MIN COUNT 1 COUNT 2
        ZMPOP 1 k MIN FOO
        ZMPOP 9223372036854775807 k MIN
    """,
    "algebra": """
        SET s 1
        ZADD a 1 x 2 y 3 z
        ZADD b 10 y 20 z 30 w
        ZADD c inf x -inf y
        SADD set y w q
        SADD numbers 1 2 3
        ZUNION 2 a b
        ZUNION 2 a b WITHSCORES
        ZUNION 2 a b WEIGHTS 2 0.5 WITHSCORES
        ZUNION 2 a b AGGREGATE MAX WEIGHTS 1 -1 WITHSCORES
        ZUNION 3 a set nosuch AGGREGATE min WITHSCORES
        ZUNION 2 c c WEIGHTS 1 -1 WITHSCORES
        ZUNION 2 a c WEIGHTS 1 0 WITHSCORES
        ZUNION 2 a a WITHSCORES
        ZUNION 2 numbers set withscores
        ZINTER 2 a b
        ZINTER 2 a b WITHSCORES
        ZINTER 3 a b set WITHSCORES WEIGHTS 1 2 3
        ZINTER 2 a b AGGREGATE MIN WITHSCORES
        ZINTER 2 a b AGGREGATE MAX WITHSCORES
        ZINTER 2 a nosuch
        ZINTER 2 c c WEIGHTS 1 -1 WITHSCORES
        ZINTER 2 c a WEIGHTS 0 1 AGGREGATE MIN WITHSCORES
        ZDIFF 2 a b
        ZDIFF 2 a b WITHSCORES
        ZDIFF 2 a set WITHSCORES
        ZDIFF 2 a a
        ZDIFF 1 a WITHSCORES
        ZDIFF 2 nosuch a
        ZDIFF 2 set a WITHSCORES
        ZINTERCARD 2 a b
        ZINTERCARD 2 a b LIMIT 1
        ZINTERCARD 2 a b LIMIT 0
        ZINTERCARD 2 a b LIMIT -1
        ZINTERCARD 2 a b LIMIT x
        ZINTERCARD 2 a b LIMIT
        ZINTERCARD 2 a b WITHSCORES
        ZINTERCARD 0 a
        ZUNION 0 a
        ZUNION -1 a
        ZUNION x a
        ZUNION 3 a b
        ZUNION 1 s
        ZUNION 1 s FOO
        ZUNION 2 a s WEIGHTS x y
        ZUNION 1 a WEIGHTS x
        ZUNION 1 a WEIGHTS 1 2
        ZUNION 2 a b WEIGHTS 1
        ZUNION 1 a AGGREGATE FOO
        ZUNION 1 a AGGREGATE
        ZUNION 1 a WITHSCORES WITHSCORES
        ZDIFF 1 a WEIGHTS 1
        ZDIFF 1 a AGGREGATE SUM
        ZUNIONSTORE d 2 a b
        ZRANGE d 0 -1 WITHSCORES
        ZUNIONSTORE d 1 a WITHSCORES
        ZUNIONSTORE d 0 a
        ZINTERSTORE d 0 a
        ZDIFFSTORE d 0 a
        ZINTERSTORE d 2 a b WEIGHTS 1e300 1e300
        ZRANGE d 0 -1 WITHSCORES
        ZINTERSTORE d 2 a nosuch
        EXISTS d
        EXPIRE a 1000
        ZDIFFSTORE a 2 a b
        TTL a
        ZRANGE a 0 -1 WITHSCORES
        ZUNIONSTORE s 1 b
        TYPE s
        ZDIFFSTORE s 1 nosuch
        EXISTS s
        ZUNIONSTORE b 2 b set
        ZRANGE b 0 -1 WITHSCORES
    """,
    "scanning and samples": """
        SET s 1
        ZADD k 1 a
        ZSCAN k 0
        ZSCAN k 0 MATCH b*
        ZSCAN k 0 match a* count 100
        ZSCAN k 0 COUNT 0
        ZSCAN k 0 COUNT x
        ZSCAN k 0 MATCH
        ZSCAN k 0 TYPE zset
        ZSCAN k 0 FOO 1
        ZSCAN k x
        ZSCAN nosuch x
        ZSCAN nosuch 0 FOO
        ZSCAN s 0
        ZSCAN s 0 FOO
        ZRANDMEMBER k
        ZRANDMEMBER k 0
        ZRANDMEMBER k 5
        ZRANDMEMBER k -3
        ZRANDMEMBER k 5 WITHSCORES
        ZRANDMEMBER k -2 withscores
        ZRANDMEMBER k 1 FOO
        ZRANDMEMBER k 1 WITHSCORES FOO
        ZRANDMEMBER k x
        ZRANDMEMBER k -9223372036854775808
        ZRANDMEMBER k -9223372036854775807 WITHSCORES
        ZRANDMEMBER nosuch
        ZRANDMEMBER nosuch 5
        ZRANDMEMBER nosuch -5 WITHSCORES
        ZRANDMEMBER s
        ZRANDMEMBER s 1
        ZRANDMEMBER s x
    """,
}

GEO = {
    "places": """
        SET s 1
        GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
        GEOADD k NX 1 2 Palermo 1 2 new
        GEOADD k XX CH 1.5 2.5 new 3 4 nosuch
        GEOADD k ch 1.5 2.5 new
        GEOADD k -180 -85.05112878 sw 180 85.05112878 ne 0 0 null
        GEOADD k 200 100 x
        GEOADD k 1 86 x
        GEOADD k 1 inf x
        GEOADD k x 100 x
        GEOADD k 1 nan x
        GEOADD k 1 2 ok 1 95 bad
        GEOADD k nx xx 1 2 x
        GEOADD k nx ch nx
        GEOADD k 1 2 x 3
        GEOADD k 1 2
        GEOADD s 1 2 x
        GEOADD s 1 200 x
        ZRANGE k 0 -1 WITHSCORES
        GEODIST k Palermo Catania
        GEODIST k Palermo Catania KM
        GEODIST k Palermo Catania ft
        GEODIST k Palermo Catania mi
        GEODIST k sw ne
        GEODIST k Palermo Palermo
        GEODIST k Palermo Catania foo
        GEODIST k Palermo nosuch
        GEODIST k Palermo nosuch foo
        GEODIST nosuch a b
        GEODIST k Palermo Catania m x
        GEODIST s a b
        GEOHASH k Palermo nosuch Catania sw ne null
        GEOHASH k
        GEOHASH nosuch a
        GEOHASH s a
        GEOHASH s
        GEOPOS s
        GEOPOS k Palermo nosuch Catania sw ne null
        GEOPOS k
        GEOPOS nosuch a b
        GEOPOS s a
        ZADD w 1.5 a -3 b inf c -inf d 4503599627370495 e 4503599627370496 f 1e300 g 1e19 h -1e10 i
        GEOPOS w a b c d e f g h i
        GEOHASH w a b c d e f g h i
        GEOADD tiny 1e-7 -1e-9 a
        GEOPOS tiny a
    """,
    "radius": """
        SET s 1
        GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania 14.25 40.83 Napoli
        GEOADD k 12.49 41.9 Roma 2.35 48.85 Paris -74 40.7 'New York' 151.2 -33.86 Sydney
        GEORADIUS k 15 37 200 km
        GEORADIUS k 15 37 200 km WITHDIST WITHCOORD WITHHASH ASC
        GEORADIUS k 15 37 500 KM DESC
        GEORADIUS k 15 37 500 KM COUNT 2
        GEORADIUS k 15 37 50000 mi COUNT 2 DESC WITHDIST
        GEORADIUS k 15 37 500 km COUNT 2 ANY
        GEORADIUS k 15 37 500 km ANY COUNT 2 ASC
        GEORADIUS k 15 37 0 m
        GEORADIUS k 13.361389 38.115556 0 m
        GEORADIUS k 15 37 inf km ASC
        GEORADIUS k 15 37 x km
        GEORADIUS k 15 37 -1 km
        GEORADIUS k 15 37 1 foo
        GEORADIUS k 15 237 1 km
        GEORADIUS k 15 37 200 km COUNT 0
        GEORADIUS k 15 37 200 km COUNT x
        GEORADIUS k 15 37 200 km COUNT
        GEORADIUS k 15 37 200 km ANY
        GEORADIUS k 15 37 200 km FOO
        GEORADIUS s 15 37 200 km
        GEORADIUS s x y 200 km
        GEORADIUS nosuch 15 37 200 km
        GEORADIUS nosuch 15 37 200 km FOO
        GEORADIUS k 15 37 200 km STORE
        GEORADIUS k 15 37 200 km STORE d WITHDIST
        GEORADIUS k 15 37 200 km STORE d
        ZRANGE d 0 -1 WITHSCORES
        GEORADIUS k 15 37 200 km STORE x STOREDIST d COUNT 1
        EXISTS x
        ZRANGE d 0 -1 WITHSCORES
        GEORADIUS k 15 37 1 m STORE d
        EXISTS d
        GEORADIUS k 15 37 200 km STORE s
        TYPE s
        GEORADIUS nosuch 15 37 200 km STORE s
        EXISTS s
        GEORADIUS_RO k 15 37 200 km DESC WITHDIST
        GEORADIUS_RO k 15 37 200 km STORE d
        GEORADIUSBYMEMBER k Palermo 200 km
        GEORADIUSBYMEMBER k Palermo 1000 km ASC WITHDIST
        GEORADIUSBYMEMBER k Palermo 1000 km STOREDIST d
        ZRANGE d 0 -1
        GEORADIUSBYMEMBER k nosuch 1 km
        GEORADIUSBYMEMBER k nosuch x foo
        GEORADIUSBYMEMBER nosuch x foo bar
        GEORADIUSBYMEMBER nosuch x foo bar baz
        GEORADIUSBYMEMBER k Palermo x km
        GEORADIUSBYMEMBER_RO k Palermo 200 km WITHHASH
        GEORADIUSBYMEMBER_RO k Palermo 200 km STORE d
        SET text 1
        GEORADIUSBYMEMBER text Palermo 1 km
    """,
    "search": """
        SET s 1
        GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania 14.25 40.83 Napoli
        GEOADD k 12.49 41.9 Roma 2.35 48.85 Paris -74 40.7 'New York' 151.2 -33.86 Sydney
        GEOSEARCH k FROMMEMBER Palermo BYRADIUS 200 km ASC WITHDIST
        GEOSEARCH k FROMLONLAT 15 37 BYBOX 400 400 km DESC WITHCOORD
        GEOSEARCH k FROMLONLAT 15 37 BYBOX 400 1000 km ASC WITHHASH WITHDIST
        GEOSEARCH k BYBOX 3000 3000 km COUNT 3 FROMLONLAT 10 45
        GEOSEARCH k BYBOX 40000 20000 km FROMMEMBER Paris DESC
        GEOSEARCH k FROMMEMBER Palermo FROMMEMBER Catania BYRADIUS 1 km
        GEOSEARCH k FROMMEMBER Palermo BYRADIUS 1 km BYRADIUS 1000 km ASC
        GEOSEARCH k FROMMEMBER nosuch BYRADIUS 200 km
        GEOSEARCH k FROMMEMBER Palermo FROMLONLAT 1 2 BYRADIUS 200 km
        GEOSEARCH k FROMLONLAT 1 2 FROMMEMBER Palermo BYRADIUS 200 km
        GEOSEARCH k FROMMEMBER Palermo BYRADIUS 1 km BYBOX 1 1 km
        GEOSEARCH k FROMMEMBER Palermo BYBOX 1 1 km BYRADIUS 1 km
        GEOSEARCH k FROMMEMBER Palermo ASC DESC COUNT 1
        GEOSEARCH k BYRADIUS 1 km COUNT 1 ASC
        GEOSEARCH k FROMLONLAT 15 37 BYBOX -400 400 km
        GEOSEARCH k FROMLONLAT 15 37 BYBOX x 400 km
        GEOSEARCH k FROMLONLAT 15 37 BYBOX 1 y km
        GEOSEARCH k FROMLONLAT 15 37 BYBOX 1 1 foo
        GEOSEARCH k FROMLONLAT 15 37 BYRADIUS x km
        GEOSEARCH k FROMLONLAT 15 95 BYRADIUS 1 km
        GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 1 km STORE d
        GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 1 km STOREDIST
        GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 1 km ANY
        GEOSEARCH k FROMLONLAT 15 37
        GEOSEARCH nosuch FROMMEMBER x BYBOX 1 1 km
        GEOSEARCH nosuch FROMMEMBER x FROMLONLAT 1 1 BYBOX 1 1 km
        GEOSEARCH s FROMMEMBER x BYBOX 1 1 km
        GEOSEARCHSTORE d k FROMLONLAT 15 37 BYRADIUS 300 km STOREDIST
        ZRANGE d 0 -1 WITHSCORES
        GEOSEARCHSTORE d k FROMLONLAT 15 37 BYRADIUS 300 km ASC COUNT 1
        ZRANGE d 0 -1 WITHSCORES
        GEOSEARCHSTORE '' k FROMLONLAT 15 37 BYRADIUS 300 km
        ZCARD ''
        GEOSEARCHSTORE d k FROMLONLAT 15 37 BYRADIUS 300 km WITHDIST
        GEOSEARCHSTORE d k BYRADIUS 300 km ASC COUNT 1
        GEOSEARCHSTORE d k FROMLONLAT 15 37 BYRADIUS 0 km
        EXISTS d
        GEOSEARCHSTORE d s FROMLONLAT 15 37 BYRADIUS 0 km
        GEOSEARCHSTORE d nosuch FROMLONLAT 15 37 BYRADIUS 0 foo
        GEOSEARCHSTORE s nosuch FROMLONLAT 15 37 BYRADIUS 0 km
        EXISTS s
    """,
}
