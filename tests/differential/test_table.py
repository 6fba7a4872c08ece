"""COMMAND, COMMAND INFO and COMMAND DOCS against a real redis-server's, command by command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest

from differential.conftest import open_door
from differential.exceptions import NEWER_ARGUMENTS, NEWER_COMMANDS
from shmcache.commands.spec import CATEGORIES
from shmcache.commands.table import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from differential.sides import Pair, Side
    from differential.wire import Tagged

NOT_YET = set[str]()
FORBIDDEN_IN_SCRIPTS = {"blmove", "blpop", "brpop", "brpoplpush", "bzpopmax", "bzpopmin"}
"""Before 7.2, which has scripts run them as if their time were over."""
ALL_NAMES = sorted(
    name for command in COMMANDS.values() for name in (command.name, *command.subcommands)
)
ORACLE_NAMES = [name for name in ALL_NAMES if name not in NEWER_COMMANDS | NEWER_ARGUMENTS]
OWN_WORDS = (b"summary", b"complexity", b"notes", b"replaced_by")


@pytest.fixture(params=["model", "socket"])
def ours(request: pytest.FixtureRequest, resp: Literal[2, 3]) -> Iterator[Side]:
    """The table does not depend on the arena, so one of a kind will do."""
    side = open_door(request, resp)
    yield side
    side.close()


def as_dict(reply: Tagged) -> dict[bytes, Tagged]:
    """A map, or its flat form in RESP2."""
    kind, parts = reply
    if kind == "array":
        parts = list(zip(parts[::2], parts[1::2], strict=True))
    return {key[1]: value for key, value in parts}


def without_own_words(reply: Tagged) -> Any:
    """The reply without prose, and with flags, tips and history in one order."""
    kind, *content = reply
    if kind == "map" or (kind == "array" and content[0] and content[0][0] == ("bulk", b"notes")):
        return {
            name: without_own_words(value)
            for name, value in as_dict(reply).items()
            if name not in OWN_WORDS
        }
    if kind in {"array", "set"}:
        parts = [without_own_words(part) for part in content[0]]
        unordered = kind == "set" or all(part[0] == "simple" for part in content[0])
        return kind, sorted(parts, key=repr) if unordered else parts
    return reply


def test_every_command_is_one_of_the_oracle(pair: Pair) -> None:
    _, names = pair.theirs.execute(b"COMMAND", b"LIST", b"FILTERBY", b"PATTERN", b"*")
    theirs = {name.decode() for _, name in names}
    assert set(ALL_NAMES) - theirs == NEWER_COMMANDS
    ours_containers = {name for name, command in COMMANDS.items() if command.subcommands}
    missing = {name for name in theirs if name.partition("|")[0] in ours_containers}
    assert missing - set(ALL_NAMES) == NOT_YET


@pytest.mark.parametrize("name", ORACLE_NAMES)
def test_info(pair: Pair, name: str) -> None:
    theirs, ours = pair.ask([b"COMMAND", b"INFO", name.encode()])
    (their_facts,), (our_facts,) = theirs[1], ours[1]
    their_fields, our_fields = their_facts[1], our_facts[1]
    assert len(our_fields) == len(their_fields)
    for position in (0, 1, 3, 4, 5):
        assert our_fields[position] == their_fields[position], position
    for position in (2, 6, 7):
        assert our_fields[position][0] == their_fields[position][0]
        wanted = set(their_fields[position][1])
        if name in FORBIDDEN_IN_SCRIPTS:
            wanted.discard(("simple", b"noscript"))
        assert len(wanted) == len(our_fields[position][1])
        assert set(our_fields[position][1]) == wanted
    assert without_own_words(our_fields[8]) == without_own_words(their_fields[8])
    assert our_fields[9][0] == their_fields[9][0]
    subcommands = [facts[1][0][1].decode() for facts in our_fields[9][1]]
    assert subcommands == list(COMMANDS[name].subcommands if name in COMMANDS else ())


@pytest.mark.parametrize("name", ORACLE_NAMES)
def test_docs(pair: Pair, name: str) -> None:
    theirs, ours = pair.ask([b"COMMAND", b"DOCS", name.encode()])
    assert ours[0] == theirs[0]
    their_docs, our_docs = (as_dict(as_dict(reply)[name.encode()]) for reply in (theirs, ours))
    for field in (b"summary", b"complexity"):
        if field not in their_docs:
            continue
        assert our_docs[field][0] == "bulk"
        assert our_docs[field][1]
    their_parts, our_parts = (docs.pop(b"subcommands", None) for docs in (their_docs, our_docs))
    assert (our_parts is None) == (their_parts is None)
    their_history, our_history = (docs.pop(b"history", None) for docs in (their_docs, our_docs))
    assert _versions(our_history) == _versions(their_history)
    assert list(our_docs) == list(their_docs)
    for field in their_docs.keys() - set(OWN_WORDS):
        assert without_own_words(our_docs[field]) == without_own_words(their_docs[field]), field


def _versions(history: Tagged | None) -> Any:
    if history is None:
        return None
    kind, changes = history
    versions = [version for _, (version, _change) in changes]
    return kind, [version for version in versions if version[1] < b"7.2"]


def test_count_list_and_everything_agree(pair: Pair) -> None:
    ours = pair.ours
    count = ours.execute(b"COMMAND", b"COUNT")
    assert count == ("int", len(COMMANDS))
    for everything in (ours.execute(b"COMMAND"), ours.execute(b"COMMAND", b"INFO")):
        assert [facts[1][0][1].decode() for facts in everything[1]] == list(COMMANDS)
    assert list(as_dict(ours.execute(b"COMMAND", b"DOCS"))) == [name.encode() for name in COMMANDS]
    names = {name.decode() for _, name in ours.execute(b"COMMAND", b"LIST")[1]}
    theirs = {name.decode() for _, name in pair.theirs.execute(b"COMMAND", b"LIST")[1]}
    assert names - theirs == NEWER_COMMANDS
    assert names == set(ALL_NAMES)


@pytest.mark.parametrize("category", CATEGORIES)
def test_list_by_category(pair: Pair, category: str) -> None:
    words = [b"COMMAND", b"LIST", b"FILTERBY", b"ACLCAT", category.encode()]
    theirs, ours = ({name.decode() for _, name in reply[1]} for reply in pair.ask(words))
    assert ours - NEWER_COMMANDS == theirs & set(ALL_NAMES)


@pytest.mark.parametrize("pattern", ["GET*", "*|h?lp", "[sp]*sub*", "nosuch"])
def test_list_by_pattern(pair: Pair, pattern: str) -> None:
    words = [b"COMMAND", b"LIST", b"FILTERBY", b"PATTERN", pattern.encode()]
    theirs, ours = ({name.decode() for _, name in reply[1]} for reply in pair.ask(words))
    assert ours - NEWER_COMMANDS == theirs & set(ALL_NAMES)


@pytest.mark.parametrize(
    "name",
    [name for name, command in COMMANDS.items() if command.subcommands and name != "cluster"],
)
def test_help_has_redis_shape(pair: Pair, name: str) -> None:
    """The first line, the last two and the subcommands are Redis's, the rest is ours."""
    theirs, ours = (reply[1] for reply in pair.ask([name.encode(), b"HELP"]))
    assert ours[0] == theirs[0]
    assert ours[-2:] == (("simple", b"HELP"), ("simple", b"    Print this help."))
    assert {kind for kind, _ in ours} == {"simple"}
    titles = {line.split()[0].lower().decode() for _, line in ours[1:] if line[:1].isupper()}
    assert titles == {part.partition("|")[2] for part in COMMANDS[name].subcommands}
