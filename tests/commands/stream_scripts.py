"""Command lines on streams, chosen by hand; each script begins without keys."""

STREAMS = {
    "adding": r"""
        XADD s 1-1 a 1
        XADD s 1-1 a 1
        XADD s 1-0 a 1
        XADD s 0-0 a 1
        XADD s 0 a 1
        XADD n 0-* a 1
        XADD n 0-* a 1
        XADD n 0-3 a 1
        XADD s 1-* a 2 b 3
        XADD s 1 a 2
        XADD s 2 a 2 a 2
        XADD s 1-* a 2
        XADD s 3-* "" ""
        XADD s 3-18446744073709551615 a b
        XADD s 4-abc a b
        XADD s 4-* a
        XADD s 4-*
        XADD s 4-1 a b c
        XADD s
        XADD s a b
        XADD s - a b
        XADD s + a b
        XADD s $ a b
        XADD s 18446744073709551616-1 a b
        XADD s 99999999999999999999999999-1 a b
        XADD s 04-01 a b
        XADD s 4--1 a b
        XADD new NOMKSTREAM * a b
        XADD new nomkstream 1-1 a b
        EXISTS new
        XADD s NOMKSTREAM 5-1 a b
        XADD s NOMKSTREAM
        XADD max 18446744073709551615-18446744073709551614 a b
        XADD max 18446744073709551615-* a b
        XADD max * a b
        XADD max 18446744073709551615-* a b
        SET x 1
        XADD x 1-1 a b
        XADD x 0-0 a b
        XLEN s
        XLEN x
        XLEN missing
        XRANGE s - +
        XRANGE n - +
        XRANGE max - +
        TYPE s
        OBJECT ENCODING s
    """,
    "trimming": r"""
        XADD s 1-0 f 1
        XADD s 2-0 f 2
        XADD s 3-0 f 3
        XADD s 4-0 f 4
        XADD s 5-0 f 5
        XADD s MAXLEN 3 6-0 f 6
        XRANGE s - +
        XADD s maxlen = 3 7-0 f 7
        XADD s MINID 6 8-0 f 8
        XADD s MINID = 6-1 9-0 f 9
        XRANGE s - +
        XADD s MAXLEN ~ 2 10-0 f 10
        XADD s MINID ~ 9 11-0 f 11
        XTRIM s MAXLEN ~ 1 LIMIT 2
        XTRIM s MAXLEN ~ 1 LIMIT 0
        XLEN s
        XTRIM s MAXLEN 2
        XTRIM s MAXLEN 2
        XTRIM s MINID 10
        XTRIM s MINID 0
        XTRIM s MINID 0-0
        XTRIM s MINID ~ 0-0
        XTRIM s MINID 10-18446744073709551615
        XTRIM s MAXLEN ~ 0
        XLEN s
        EXISTS s
        XINFO STREAM s
        XADD s MAXLEN 0 20-0 a b
        XINFO STREAM s
        XADD s MAXLEN 10 MINID 1 * a b
        XADD s MAXLEN 10 MAXLEN 10 * a b
        XADD s MAXLEN -1 * a b
        XADD s MAXLEN a * a b
        XADD s MAXLEN
        XADD s MAXLEN * a b
        XADD s MAXLEN ~ * a b
        XADD s MINID x * a b
        XADD s MINID - * a b
        XADD s LIMIT 3 * a b
        XADD s LIMIT 0 * a b
        XADD s MAXLEN 5 LIMIT 3 * a b
        XADD s MAXLEN ~ 5 LIMIT -3 * a b
        XADD s MAXLEN ~ 5 LIMIT x * a b
        XADD s LIMIT 3 MAXLEN ~ 5 30-1 a b
        XADD s MAXLEN ~ 5 LIMIT
        XADD s MAXLEN 5 ~ * a b
        XADD s MAXLEN 5 a b
        XTRIM s
        XTRIM s MAXLEN
        XTRIM s FOO 1
        XTRIM s LIMIT 1
        XTRIM s LIMIT 0 FOO
        XTRIM s MAXLEN 1 FOO
        XTRIM s MAXLEN 1 *
        XTRIM s NOMKSTREAM MAXLEN 1
        XTRIM s MAXLEN 1 LIMIT 1
        XTRIM missing MAXLEN 1
        XTRIM missing MAXLEN -1
        SET x 1
        XTRIM x MAXLEN 1
        XTRIM x MAXLEN x
    """,
    "ranges": r"""
        XADD s 1-1 a 1
        XADD s 1-2 a 2
        XADD s 2-0 a 3 b 4
        XADD s 3-5 a 4
        XRANGE s - +
        XRANGE s 1 1
        XRANGE s 1-2 2
        XRANGE s (1-1 +
        XRANGE s (1-1 (3-5
        XRANGE s ( +
        XRANGE s (- +
        XRANGE s - (+
        XRANGE s (18446744073709551615-18446744073709551615 +
        XRANGE s - (0-0
        XRANGE s - (0
        XRANGE s + -
        XRANGE s - + COUNT 2
        XRANGE s - + COUNT 0
        XRANGE s - + COUNT -1
        XRANGE s - + COUNT -7
        XRANGE s - + count 1 COUNT 3
        XRANGE s - + COUNT
        XRANGE s - + COUNT x
        XRANGE s - + FOO 1
        XRANGE s x +
        XRANGE s - x
        XRANGE s $ +
        XRANGE missing - + COUNT 0
        XRANGE missing - +
        XRANGE missing x +
        XREVRANGE s + -
        XREVRANGE s + - COUNT 1
        XREVRANGE s 2 1-2
        XREVRANGE s (3-5 (1
        XREVRANGE s 2 1 COUNT 0
        XREVRANGE s - +
        XREVRANGE missing + -
        XREVRANGE s + x
        XDEL s 1-2 1-2 9-9
        XDEL s 2 abc
        XDEL s (2
        XDEL missing abc
        XRANGE s - +
        SET x 1
        XRANGE x - +
        XRANGE x a b
        XREVRANGE x + - COUNT 0
        XDEL x abc
        XDEL s 1-1 2-0 3-5
        XLEN s
        XRANGE s - +
        XRANGE s - + COUNT 0
        XADD s 3-5 a b
        XADD s 3-6 a b
    """,
    "reading": r"""
        XADD s 1-1 a 1
        XADD s 1-2 a 2
        XADD s 2-0 a 3
        XADD t 5-5 b 1
        XREAD STREAMS s 0
        XREAD STREAMS s 1
        XREAD STREAMS s 1-1
        XREAD COUNT 1 STREAMS s 1-1
        XREAD COUNT 0 STREAMS s 0
        XREAD COUNT -4 STREAMS s 0
        XREAD COUNT x STREAMS s 0
        XREAD STREAMS s t 1-2 0
        XREAD STREAMS s t 9 0
        XREAD STREAMS s t 9 9
        XREAD STREAMS s t $ 0
        XREAD STREAMS s $
        XREAD STREAMS missing $
        XREAD STREAMS missing 0
        XREAD STREAMS s >
        XREAD STREAMS s abc
        XREAD STREAMS s -
        XREAD STREAMS s +
        XREAD STREAMS s s 0 1-1
        XREAD STREAMS s s t 0 1-1 0
        XREAD STREAMS s 18446744073709551615-18446744073709551615
        XREAD STREAMS s
        XREAD STREAMS
        XREAD COUNT 1
        XREAD COUNT 1 FOO s 0
        XREAD GROUP g c STREAMS s 0
        XREAD NOACK STREAMS s 0
        XREAD COUNT 1 COUNT 2 BLOCK 5 BLOCK 6 STREAMS s 0
        XREAD BLOCK x STREAMS s 0
        XREAD BLOCK -1 STREAMS s 0
        XREAD BLOCK 1.5 STREAMS s 0
        XREAD BLOCK
        XREAD BLOCK 10 STREAMS s 1
        XREAD count 2 streams s 0
        SET x 1
        XREAD STREAMS x 0
        XREAD STREAMS x abc
        XREAD STREAMS s x abc 0
        XREAD STREAMS x s 0 abc
        XREAD STREAMS x $
        XREAD STREAMS s x 0 $
    """,
    "setting the last ID": r"""
        XSETID s 1-1
        XADD s 2-2 a b
        XADD s 3-3 a b
        XSETID s 2
        XSETID s 3-2
        XSETID s 3-3
        XSETID s 200-3
        XADD s 200-3 a b
        XADD s 200-4 a b
        XSETID s 300-1 ENTRIESADDED 2
        XSETID s 300-1 ENTRIESADDED 3
        XSETID s 300-1 ENTRIESADDED 100
        XSETID s 300-1 ENTRIESADDED -1
        XSETID s 300-1 ENTRIESADDED x
        XSETID s 300-1 ENTRIESADDED
        XSETID s 300-1 MAXDELETEDID 400-1
        XSETID s 300-1 MAXDELETEDID 100-1 entriesadded 50
        XSETID s 300-1 MAXDELETEDID 0-0
        XSETID s 300-1 FOO 1
        XSETID s abc
        XSETID s -
        XSETID s *
        XINFO STREAM s
        XSETID missing 1-1
        XSETID missing abc
        SET x 1
        XSETID x 1-1
        XSETID x abc
    """,
}

GROUPS = {
    "making groups": r"""
        XGROUP CREATE s g $
        XGROUP CREATE s g $ MKSTREAM
        XGROUP CREATE s g $ MKSTREAM
        XGROUP CREATE s g 0
        XGROUP CREATE s h 5-5 ENTRIESREAD 3
        XGROUP CREATE s i - MKSTREAM
        XGROUP CREATE s i abc
        XGROUP CREATE new i abc MKSTREAM
        EXISTS new
        XGROUP CREATE s i 0 ENTRIESREAD -1
        XGROUP CREATE s j 0 ENTRIESREAD -2
        XGROUP CREATE s j 0 ENTRIESREAD x
        XGROUP CREATE s j 0 ENTRIESREAD
        XGROUP CREATE s j 0 FOO
        XGROUP CREATE s j 0 MKSTREAM MKSTREAM ENTRIESREAD 5
        XGROUP CREATE s k 0 MKSTREAM mkstream ENTRIESREAD 5 MKSTREAM
        XGROUP CREATE s
        XGROUP CREATE s j
        XGROUP CREATE s "" 0
        XINFO GROUPS s
        XINFO STREAM s FULL
        XGROUP SETID s g 7
        XGROUP SETID s g +
        XGROUP SETID s g -
        XGROUP SETID s g 7 ENTRIESREAD 9
        XGROUP SETID s g 7 ENTRIESREAD 9 ENTRIESREAD 8
        XGROUP SETID s g 7 MKSTREAM
        XGROUP SETID s g abc
        XGROUP SETID s nogroup 7
        XGROUP SETID s nogroup abc
        XGROUP SETID missing g 7
        XINFO GROUPS s
        XGROUP SETID s g $
        XGROUP DESTROY s h
        XGROUP DESTROY s h
        XGROUP DESTROY missing h
        XGROUP DESTROY s
        XGROUP CREATECONSUMER s g a
        XGROUP CREATECONSUMER s g a
        XGROUP CREATECONSUMER s g ""
        XGROUP CREATECONSUMER s nogroup a
        XGROUP CREATECONSUMER missing g a
        XGROUP CREATECONSUMER s g
        XINFO GROUPS s
        XGROUP DELCONSUMER s g a
        XGROUP DELCONSUMER s g a
        XGROUP DELCONSUMER s nogroup a
        XGROUP DELCONSUMER missing g a
        XGROUP FOO s g
        XGROUP
        SET x 1
        XGROUP CREATE x g 0
        XGROUP CREATE x g abc MKSTREAM
        XGROUP CREATE x g 0 FOO
        XGROUP SETID x g 0
        XGROUP DESTROY x g
        XGROUP CREATECONSUMER x g a
        XGROUP DELCONSUMER x g a
        XINFO GROUPS x
        XINFO GROUPS missing
        XINFO CONSUMERS x g
        XINFO CONSUMERS missing g
        XINFO CONSUMERS s nogroup
        XINFO CONSUMERS s g
        XINFO STREAM x
        XINFO STREAM missing
        XINFO STREAM s FOO
        XINFO STREAM s FULL COUNT
        XINFO STREAM s FULL FOO 1
        XINFO STREAM s FULL COUNT x
        XINFO STREAM s FULL COUNT -1
        XINFO STREAM missing FULL COUNT x
        XINFO FOO s
        XINFO
    """,
    "reading in a group": r"""
        XADD s 1-1 a 1
        XADD s 1-2 a 2
        XADD s 2-0 a 3
        XADD s 3-0 a 4
        XADD t 1-0 b 1
        XGROUP CREATE s g 0
        XGROUP CREATE t g $
        XREADGROUP GROUP g a COUNT 1 STREAMS s >
        XREADGROUP GROUP g a STREAMS s 0
        XREADGROUP GROUP g b COUNT 2 STREAMS s >
        XINFO GROUPS s
        XGROUP CREATECONSUMER t g b
        XREADGROUP GROUP g b STREAMS s t > >
        XREADGROUP GROUP g b STREAMS s t > >
        XREADGROUP GROUP g b STREAMS s t 0 0
        XREADGROUP GROUP g b STREAMS s t > 0
        XREADGROUP GROUP g b COUNT 1 STREAMS s 1-2
        XREADGROUP GROUP g b STREAMS s 18446744073709551615-18446744073709551615
        XPENDING s g
        XPENDING s g - + 10
        XPENDING s g - + 10 b
        XADD s 4-0 a 5
        XADD s 5-0 a 6
        XREADGROUP GROUP g c COUNT 1 NOACK STREAMS s >
        XREADGROUP GROUP g c NOACK STREAMS s 0
        XREADGROUP GROUP g c BLOCK 0 STREAMS s >
        XPENDING s g
        XINFO STREAM s FULL
        XDEL s 1-2
        XREADGROUP GROUP g b STREAMS s 0
        XACK s g 1-1 1-1 1-2 7-7
        XACK s g abc
        XACK s g 2-0 abc
        XACK s nogroup abc
        XACK missing g abc
        XPENDING s g
        XACK s g 2-0 3-0 5-0
        XPENDING s g
        XREADGROUP GROUP g b STREAMS s 0
        XGROUP SETID s g 0
        XREADGROUP GROUP g d STREAMS s >
        XGROUP SETID s g 0
        XREADGROUP GROUP g e COUNT 2 STREAMS s >
        XPENDING s g - + 10
        XINFO CONSUMERS s g
        XINFO STREAM s FULL COUNT 1
        XINFO STREAM s FULL COUNT 0
        XGROUP DELCONSUMER s g d
        XPENDING s g
        XGROUP DELCONSUMER s g e
        XINFO STREAM s FULL
        XGROUP DESTROY s g
        XINFO STREAM s FULL
        XREADGROUP GROUP g a STREAMS s >
        XREADGROUP GROUP g a STREAMS missing >
        XREADGROUP GROUP g a STREAMS t missing > >
        XREADGROUP GROUP g a STREAMS t $
        XREADGROUP GROUP g a STREAMS t abc
        XREADGROUP GROUP g a COUNT x STREAMS t >
        XREADGROUP GROUP g a FOO STREAMS t >
        XREADGROUP GROUP g a BLOCK -1 STREAMS t >
        XREADGROUP COUNT 1 COUNT 1 STREAMS t >
        XREADGROUP GROUP g a COUNT 1
        XREADGROUP COUNT 1 NOACK STREAMS t >
        XREADGROUP GROUP streams a STREAMS t >
        SET x 1
        XREADGROUP GROUP g a STREAMS x >
        XREADGROUP GROUP g a STREAMS t x abc >
        XACK x g 1-1
        XPENDING x g
    """,
    "pending": r"""
        XADD s 1-1 a 1
        XADD s 2-1 a 1
        XADD s 3-1 a 1
        XADD s 4-1 a 1
        XGROUP CREATE s g 0
        XPENDING s g
        XPENDING s g - + 10
        XREADGROUP GROUP g a COUNT 2 STREAMS s >
        XREADGROUP GROUP g b COUNT 2 STREAMS s >
        XPENDING s g
        XPENDING s g - + 3
        XPENDING s g (1-1 (4-1 10
        XPENDING s g - + 10 b
        XPENDING s g - + 10 nobody
        XPENDING s g - + 0
        XPENDING s g - + -5
        XPENDING s g - + x
        XPENDING s g x + 1
        XPENDING s g - x 1
        XPENDING s g (18446744073709551615-18446744073709551615 + 1
        XPENDING s g - (0-0 1
        XPENDING s g IDLE 0 - + 10
        XPENDING s g idle 100000 - + 10 a
        XPENDING s g IDLE x - + 10
        XPENDING s g IDLE -1 - + 10
        XPENDING s g IDLE 0 - +
        XPENDING s g IDLE 0 - + 10 b c
        XPENDING s g - + 10 b c
        XPENDING s g - + 10 b c d
        XPENDING s g - + 10 b c d e
        XPENDING s g -
        XPENDING s g - +
        XPENDING s
        XPENDING s nogroup
        XPENDING s nogroup x + 1
        XPENDING missing g
        XPENDING missing g - + 10
    """,
    "claiming": r"""
        XADD s 1-1 a 1
        XADD s 2-1 a 2
        XADD s 3-1 a 3
        XADD s 4-1 a 4
        XGROUP CREATE s g 0
        XREADGROUP GROUP g a COUNT 3 STREAMS s >
        XGROUP CREATECONSUMER s g b
        XCLAIM s g b 0 1-1
        XCLAIM s g b 0 1-1 JUSTID
        XCLAIM s g b 0 9-9
        XCLAIM s g b 0 4-1
        XCLAIM s g b 0 4-1 9-9 FORCE
        XCLAIM s g b 1000000 2-1
        XCLAIM s g b 0 2-1 IDLE 1000000 RETRYCOUNT 7
        XPENDING s g IDLE 500000 - + 10
        XCLAIM s g a 500000 1-1 2-1 3-1 4-1 justid
        XCLAIM s g a 0 3-1 TIME 1000
        XPENDING s g IDLE 1000000000 - + 10
        XCLAIM s g a 0 3-1 TIME 99999999999999 RETRYCOUNT -3
        XCLAIM s g a 0 3-1 IDLE -5
        XCLAIM s g a 0 3-1 IDLE x
        XCLAIM s g a 0 3-1 TIME x
        XCLAIM s g a 0 3-1 RETRYCOUNT x
        XCLAIM s g a 0 3-1 RETRYCOUNT 0 LASTID 3-5
        XCLAIM s g a 0 3-1 LASTID x
        XCLAIM s g a 0 3-1 LASTID
        XCLAIM s g a 0 3-1 FOO
        XCLAIM s g a 0 3-1 IDLE
        XCLAIM s g a 0 FORCE JUSTID
        XCLAIM s g a 0 FORCE
        XCLAIM s g a x 3-1
        XCLAIM s g a -1 3-1
        XCLAIM s g a 0
        XCLAIM s g a 0 - JUSTID
        XCLAIM s nogroup a x 3-1
        XCLAIM missing g a x 3-1
        XPENDING s g - + 10
        XDEL s 2-1
        XCLAIM s g b 0 2-1
        XPENDING s g
        XINFO STREAM s FULL
        XAUTOCLAIM s g b 0 -
        XAUTOCLAIM s g b 0 - JUSTID
        XAUTOCLAIM s g a 0 - COUNT 1
        XAUTOCLAIM s g a 0 3-1 COUNT 1
        XAUTOCLAIM s g a 0 (3-1 COUNT 1
        XAUTOCLAIM s g a 1000000 0 COUNT 1
        XAUTOCLAIM s g a -1 0
        XDEL s 3-1
        XAUTOCLAIM s g b 0 0 COUNT 1
        XAUTOCLAIM s g b 0 2 COUNT 1
        XAUTOCLAIM s g b 0 3 COUNT 1
        XAUTOCLAIM s g b 0 0
        XAUTOCLAIM s g b x 0
        XAUTOCLAIM s g b 0 x
        XAUTOCLAIM s g b 0 (18446744073709551615-18446744073709551615
        XAUTOCLAIM s g b 0 0 COUNT 0
        XAUTOCLAIM s g b 0 0 COUNT x
        XAUTOCLAIM s g b 0 0 COUNT 9223372036854775807
        XAUTOCLAIM s g b 0 0 COUNT
        XAUTOCLAIM s g b 0 0 FOO
        XAUTOCLAIM s nogroup b 0 0
        XAUTOCLAIM s nogroup b x 0
        XAUTOCLAIM missing g b 0 0
        XPENDING s g - + 10
        XINFO STREAM s FULL
        SET x 1
        XCLAIM x g a 0 1-1
        XCLAIM x g a x 1-1
        XAUTOCLAIM x g a 0 0
    """,
    "lag": r"""
        XGROUP CREATE s g $ MKSTREAM
        XINFO GROUPS s
        XADD s 1-0 a 1
        XADD s 2-0 a 1
        XADD s 3-0 a 1
        XADD s 4-0 a 1
        XADD s 5-0 a 1
        XINFO GROUPS s
        XGROUP CREATE s h 0
        XGROUP CREATE s i 3-0
        XGROUP CREATE s j $
        XGROUP CREATE s k 1-0
        XGROUP CREATE s l 9-0
        XINFO GROUPS s
        XREADGROUP GROUP g a COUNT 1 STREAMS s >
        XREADGROUP GROUP h a COUNT 2 STREAMS s >
        XREADGROUP GROUP i a COUNT 1 STREAMS s >
        XREADGROUP GROUP k a COUNT 1 STREAMS s >
        XINFO GROUPS s
        XDEL s 4-0
        XINFO GROUPS s
        XREADGROUP GROUP g a COUNT 1 STREAMS s >
        XREADGROUP GROUP h a COUNT 2 STREAMS s >
        XINFO GROUPS s
        XREADGROUP GROUP g a STREAMS s >
        XREADGROUP GROUP k a STREAMS s >
        XINFO GROUPS s
        XTRIM s MAXLEN 1
        XINFO GROUPS s
        XGROUP SETID s g 0
        XGROUP SETID s h 5-0
        XGROUP SETID s i 2-0 ENTRIESREAD 2
        XINFO GROUPS s
        XREADGROUP GROUP i a STREAMS s >
        XINFO GROUPS s
        XDEL s 5-0
        XINFO GROUPS s
        XADD s 6-0 a 1
        XINFO GROUPS s
        XREADGROUP GROUP g a STREAMS s >
        XINFO GROUPS s
        XTRIM s MAXLEN 0
        XSETID s 7-0 ENTRIESADDED 20
        XINFO GROUPS s
        XSETID s 7-0 ENTRIESADDED 9223372036854775807
        XGROUP SETID s g 0 ENTRIESREAD 9223372036854775807
        XINFO GROUPS s
        XADD s 8-0 a 1
        XADD s 8-1 a 1
        XREADGROUP GROUP g a COUNT 1 STREAMS s >
        XREADGROUP GROUP h a STREAMS s >
        XINFO GROUPS s
        XINFO STREAM s
    """,
    "in a life with other commands": r"""
        XADD s 1-1 a 1
        XGROUP CREATE s g 0
        XREADGROUP GROUP g a STREAMS s >
        EXPIRE s 1000
        XADD s 2-1 a 2
        XACK s g 1-1
        TTL s
        COPY s t
        XADD t 3-1 a 3
        XREADGROUP GROUP g b STREAMS t >
        XINFO STREAM s FULL
        XINFO STREAM t FULL
        RENAME t u
        XINFO STREAM u FULL
        GET u
        LPUSH u x
        HSET u a b
        XDEL s 1-1 2-1
        EXISTS s
        TTL s
        DEL s
        XINFO STREAM s
        XADD s 1-1 a 1
        XINFO GROUPS s
        TTL s
        SET u 1
        XLEN u
    """,
}
