"""Users with restricted rights on a real redis-server and on the front-end: rules and refusals."""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from server.processes import FrontEnd

from differential.compare import require_same_contents, same_reply
from differential.exceptions import NEWER_COMMANDS, made_equal
from differential.families import (
    bitmaps,
    geo,
    hashes,
    hyperloglogs,
    lists,
    mixed,
    sets,
    sorted_sets,
    sorting,
    streams,
)
from differential.families.family import GENERIC, OF_OTHER_TYPES, SIMPLE
from differential.grammar import either, line_of, mostly
from differential.machine import sendable
from differential.sides import Pair, SocketSide
from differential.test_table import ALL_NAMES, as_dict
from shmcache.commands.spec import CATEGORIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from differential.families.family import Family
    from differential.wire import Tagged

EXAMPLES = int(os.environ.get("SHMCACHE_DIFFERENTIAL_EXAMPLES", "40"))
SESSIONS = max(EXAMPLES // 10, 1)
OK = ("simple", b"OK")
HASH = b"f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2"

USER_RULES = (
    *(b"on", b"off", b"ON", b"nopass", b"resetpass", b"reset", b">one", b">two", b"<one", b"<two"),
    *(b"#" + HASH, b"!" + HASH, b"#abc", b"!" + HASH.upper(), b"sanitize-payload", b"", b"bogus"),
    *(
        b"skip-sanitize-payload",
        b"clearselectors",
        b"(~s* +get)",
        b"(%R~r* +@read)",
        b"(&c* +@all)",
    ),
    *(b"(+get", b"~k*", b"~x)", b"(on)", b"()", b"(%W~* +set +config|get)", b")", b"(+@bogus)"),
)
SELECTOR_RULES = (
    *(b"allkeys", b"~*", b"resetkeys", b"~k*", b"~l?", b"%R~r*", b"%W~w*", b"%rw~b*", b"%R~w*"),
    *(b"%WR~k*", b"%RR~k", b"%X~k", b"%R", b"~a b", b"~", b"allchannels", b"&*", b"resetchannels"),
    *(b"&c*", b"&", b"&a\tb", b"allcommands", b"nocommands", b"+@all", b"-@all", b"+get", b"-get"),
    *(b"+SET", b"-set", b"+config", b"-config", b"+config|get", b"-config|set", b"+config|bogus"),
    *(b"+client|id", b"-client", b"+object|encoding", b"+select|0", b"+select|1", b"-select"),
    *(
        b"-select|0",
        b"+ping|x",
        b"+bogus",
        b"-bogus",
        b"+",
        b"-",
        b"+get|",
        b"+config|set|maxmemory",
    ),
    *(b"+|x", b"+@bogus", b"-@", b"+@Read", b"+mget", b"+rename", b"+publish", b"+psubscribe"),
)
CATEGORY_RULES = tuple(sign + name.encode() for sign in (b"+@", b"-@") for name in CATEGORIES)
RULES = st.lists(
    st.one_of(
        st.sampled_from(USER_RULES),
        st.sampled_from(SELECTOR_RULES),
        st.sampled_from(CATEGORY_RULES),
    ),
    max_size=10,
)
LINES = tuple(
    line.encode().split()
    for line in (
        *("GET k1", "GET r1", "GET w1", "GET b", "GET x", "SET k1 v", "SET w1 v", "SET r1 v"),
        *("SET k1 v GET", "SET w1 v GET", "MGET k1 r1", "MGET r1 w1", "MSET k1 1 w1 2", "DEL w1"),
        *("RENAME k1 w1", "RENAME r1 w1", "COPY r1 w1", "COPY w1 r1", "LMOVE l1 l2 LEFT LEFT"),
        *("SINTERSTORE w1 r1 k1", "ZUNIONSTORE w1 2 r1 r2", "ZUNIONSTORE w1 x r1", "SORT r1"),
        *("SORT r1 STORE w1", "SORT w1 STORE r1", "GEORADIUS r1 0 0 1 km STORE w1", "EXISTS w1"),
        *("XREAD STREAMS r1 r2 0 0", "XREAD STREAMS w1 0", "BITFIELD r1 GET u8 0", "TYPE w1"),
        *("BITFIELD w1 SET u8 0 1", "OBJECT ENCODING r1", "OBJECT HELP", "CONFIG GET port"),
        *("CONFIG SET hz 10", "CLIENT ID", "CLIENT LIST", "SELECT 0", "SELECT 1", "PING", "PING x"),
        *("PUBLISH c1 x", "PUBLISH d1 x", "SUBSCRIBE c1 d1", "SUBSCRIBE c1", "PSUBSCRIBE c*"),
        *(
            "PSUBSCRIBE c1",
            "UNSUBSCRIBE d1",
            "AUTH x",
            "HELLO 3",
            "RESET",
            "MULTI",
            "EXEC",
            "DBSIZE",
        ),
        *("KEYS *", "SCAN 0", "FLUSHALL", "WATCH w1", "WATCH k1", "ACL WHOAMI", "ACL LIST", "GET"),
        *("BOGUS", "CONFIG BOGUS", "CONFIG", "INFO", "MEMORY USAGE w1", "SHUTDOWN", "GETDEL k1"),
        *("SSUBSCRIBE c1 d1", "SSUBSCRIBE c1", "SPUBLISH c1 x", "SPUBLISH d1 x", "SUNSUBSCRIBE d1"),
        *("EVAL x 1 k1", "EVAL x 2 r1 w1", "EVAL_RO x 1 r1", "EVAL_RO x 1 w1", "EVALSHA x 9 r1"),
        *("FCALL x 1 w1", "FCALL_RO x 2 r1 k1", "FUNCTION LIST", "SCRIPT LOAD x", "EVAL x 0"),
        *("BLPOP k1 r1 0", "BLMPOP 0 2 k1 w1 LEFT", "BLMOVE r1 w1 LEFT LEFT 0", "BZPOPMIN w1 0"),
        *("XREADGROUP GROUP g c STREAMS k1 >", "XREADGROUP GROUP g c STREAMS r1 >", "MONITOR"),
        *("DUMP r1", "RESTORE w1 0 x", "DEBUG OBJECT x", "SLOWLOG GET", "CLIENT TRACKING ON"),
    )
)


@pytest.fixture(scope="module")
def own_front_end(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontEnd]:
    front_end = FrontEnd(tmp_path_factory.mktemp("acl"))
    yield front_end.wait_ready().drain()
    front_end.close()


class Sides:
    """An almighty client of each server."""

    def __init__(self, theirs: str, ours: str, resp: Literal[2, 3]) -> None:
        self.paths = (theirs, ours)
        self.resp = resp
        self.theirs, self.ours = SocketSide(theirs, resp), SocketSide(ours, resp)

    def ask(self, *words: bytes) -> tuple[Tagged, Tagged]:
        return self.theirs.execute(*words), self.ours.execute(*words)

    def same(self, *words: bytes) -> Tagged:
        """The reply, which is the same on both sides."""
        theirs, ours = self.ask(*words)
        assert as_7_2(theirs, b"u") == ours, words
        return ours

    def close(self) -> None:
        self.theirs.execute(b"ACL", b"DELUSER", b"u", b"v")
        self.ours.execute(b"ACL", b"DELUSER", b"u", b"v")
        self.theirs.close()
        self.ours.close()


@pytest.fixture
def sides(redis_path: str, own_front_end: FrontEnd, resp: Literal[2, 3]) -> Iterator[Sides]:
    sides = Sides(redis_path, own_front_end.path, resp)
    sides.theirs.execute(b"ACL", b"SETUSER", b"default", b"sanitize-payload")  # as 7.2 has it
    yield sides
    sides.close()


def as_7_2(reply: Tagged, user: bytes) -> Tagged:
    """7.0's refusals in 7.2's words, which name the user, and the key only to the curious."""
    if reply[0] not in {"error", "bulk"}:
        return reply
    kind, line = reply
    who = b"User %b has no permissions to " % user
    line = line.replace(b"NOPERM this user has no permissions to run ", b"NOPERM " + who + b"run ")
    line = line.replace(b"This user has no permissions to ", who)
    for what in (b"key", b"channel"):
        line = line.replace(
            b"NOPERM this user has no permissions to access one of the %bs used as arguments"
            % what,
            b"NOPERM No permissions to access a %b" % what,
        )
    return kind, line


def test_category_members(sides: Sides) -> None:
    """Of the commands that both know."""
    theirs, ours = sides.ask(b"ACL", b"CAT")
    assert theirs == ours
    for category in CATEGORIES:
        replies = sides.ask(b"ACL", b"CAT", category.encode())
        their_names, our_names = ({name.decode() for _, name in reply[1]} for reply in replies)
        assert our_names - NEWER_COMMANDS == their_names & set(ALL_NAMES), category


@pytest.mark.parametrize(
    "line",
    [
        *("ACL CAT bogus", "ACL CAT a b", "ACL GENPASS 0", "ACL GENPASS 4097", "ACL GENPASS x"),
        *("ACL GENPASS 1 2", "ACL LOG x", "ACL LOG 1 2", "ACL LOG RESET", "ACL LOG", "ACL LOG -1"),
        *("ACL DELUSER default", "ACL DELUSER u default", "ACL DELUSER nobody", "ACL BOGUS"),
        *("ACL GETUSER nobody", "ACL GETUSER default", "ACL WHOAMI", "ACL USERS", "ACL LIST"),
        *(
            "ACL LOAD",
            "ACL SAVE",
            "ACL",
            "ACL SETUSER",
            "ACL DRYRUN default",
            "ACL SETUSER u (+get",
        ),
        *("ACL DRYRUN nobody GET x", "ACL DRYRUN default GET x", "ACL DRYRUN default BOGUS x"),
        *("ACL DRYRUN default GET", "ACL DRYRUN default CONFIG BOGUS", "ACL DRYRUN default CONFIG"),
    ],
)
def test_replies(sides: Sides, line: str) -> None:
    sides.same(*line.encode().split())


def test_genpass_has_the_length_that_was_asked_for(sides: Sides) -> None:
    for bits in (b"1", b"4", b"5", b"128", b"4096"):
        theirs, ours = sides.ask(b"ACL", b"GENPASS", bits)
        assert ours[0] == theirs[0]
        assert len(ours[1]) == len(theirs[1])
        assert set(ours[1]) <= set(b"0123456789abcdef")
    assert len(sides.ours.execute(b"ACL", b"GENPASS")[1]) == 64


def commands_of(reply: Tagged) -> list[bytes]:
    """The rules on commands of ACL GETUSER's reply, the selectors' too."""
    user = as_dict(reply)
    found = [user[b"commands"][1]]
    return found + [as_dict(selector)[b"commands"][1] for selector in user[b"selectors"][1]]


def without_commands(reply: Tagged) -> object:
    """The rest. Since 7.2 a user is told to be sanitized from the start."""
    user = as_dict(reply)
    selectors = [as_dict(selector) for selector in user.pop(b"selectors")[1]]
    for each in (user, *selectors):
        del each[b"commands"]
    kind, flags = user.pop(b"flags")
    names = {flag[1] for flag in flags}
    if b"skip-sanitize-payload" not in names:
        names.add(b"sanitize-payload")
    return user, selectors, kind, names


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(batches=st.lists(RULES, min_size=1, max_size=4))
def test_random_rules(sides: Sides, batches: list[list[bytes]]) -> None:
    """Equal replies, and users who may do the same.

    Redis 7.0 makes up rules on commands that lead to the same, 7.2 keeps those that were given. So
    it is asked whether our rules make of a user what theirs make of him.
    """
    sides.ask(b"ACL", b"DELUSER", b"u", b"v")
    for rules in batches:
        sides.same(b"ACL", b"SETUSER", b"u", *rules)
        theirs, ours = sides.ask(b"ACL", b"GETUSER", b"u")
        if theirs[0] == "null":
            assert ours == theirs
            continue
        assert without_commands(theirs) == without_commands(ours)
        check_told_rules(sides)
        for line in LINES:
            sides.same(b"ACL", b"DRYRUN", b"u", *line)


def check_told_rules(sides: Sides) -> None:
    """Our ACL LIST makes the same user again on both sides."""
    (line,) = (line for _, line in sides.ours.execute(b"ACL", b"LIST")[1] if b"user u " in line)
    sides.ask(b"ACL", b"DELUSER", b"v")
    replies = sides.ask(b"ACL", b"SETUSER", b"v", *line.split(b" ")[2:])
    assert replies == (OK, OK)
    for side in (sides.theirs, sides.ours):
        users = [side.execute(b"ACL", b"GETUSER", name) for name in (b"u", b"v")]
        assert commands_of(users[0]) == commands_of(users[1])
        assert without_commands(users[0]) == without_commands(users[1])


# ---- sessions of a restricted user ---------------------------------------------------------------

FAMILIES = (
    *(hashes.HASHES, sets.SETS, lists.LISTS, sorted_sets.SORTED_SETS, streams.STREAMS),
    *(bitmaps.BITMAPS, hyperloglogs.HYPERLOGLOGS, geo.GEO, sorting.SORTING, mixed.MIXED),
)
SESSION_LINES = 150
KEY_RULES = (
    *(b"~*", b"~[ab]", b"~?", b"%R~*", b"%W~[bc]", b"~list", b"~set", b"~zset", b"~", b"%R~[a-m]*"),
    *(
        b"~z*",
        b"%W~li*",
        b"%R~te*",
        b"~a",
        b"%RW~hash*",
        b"~weight*",
        b"%W~*",
        b"~text",
        b"~stream",
    ),
)
COMMAND_RULES = (
    *(b"+@all", b"+@all", b"+@read", b"+@write", b"+@fast", b"-@slow", b"-@dangerous", b"-sort"),
    *(b"+sort", b"-set", b"+object|encoding", b"-object", b"+@keyspace", b"-rename", b"-del"),
)


def random_rules(source: Random) -> list[bytes]:
    """A user who may do something, but seldom everything."""
    rules = [b"reset", b"on", b"nopass", b"allchannels", *source.choices(COMMAND_RULES, k=3)]
    for _ in range(source.randint(0, 2)):
        inner = [*source.sample(KEY_RULES[1:], k=2), source.choice(COMMAND_RULES)]
        rules.append(b"(" + b" ".join(inner) + b")")
    keys = source.sample(KEY_RULES, k=source.randint(1, 4))
    return rules + ([b"~*"] if b"~*" in keys else keys)


def random_lines(family: Family, source: Random) -> list[list[bytes]]:
    own, generic, simple = map(line_of, (family.shapes, GENERIC, SIMPLE))
    line = mostly(own, either(generic, simple), 0.3)
    drawn = (line(source) for _ in range(SESSION_LINES))
    return [words for words in drawn if sendable(words) and made_equal(words) == [words]]


def log_in(path: str, resp: Literal[2, 3]) -> SocketSide:
    side = SocketSide(path, resp)
    assert side.execute(b"AUTH", b"u", b"any") == OK
    return side


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_sessions(sides: Sides, family: Family) -> None:
    """The same replies, and the same keys in the end."""
    refused, all_replies = 0, 0
    for number in range(SESSIONS):
        source = Random(f"{family.name} {number} {sides.resp}")
        prepared = [[b"FLUSHALL"], *OF_OTHER_TYPES, *family.preparations(source)]
        rules = random_rules(source)
        for line in (*prepared, [b"ACL", b"SETUSER", b"u", *rules]):
            sides.ask(*line)
        users = [log_in(path, sides.resp) for path in sides.paths]
        lines = random_lines(family, source)
        replies = [user.execute_many(lines) for user in users]
        for words, theirs, ours in zip(lines, *replies, strict=True):
            translated = as_7_2(theirs, b"u")
            assert same_reply(words, translated, ours), (words, rules, theirs, ours)
        for user in users:
            user.close()
        require_same_contents(Pair(sides.theirs, sides.ours))
        refused += sum(reply[1][:6] == b"NOPERM" for reply in replies[1] if reply[0] == "error")
        all_replies += len(lines)
    assert 0 < refused < all_replies
