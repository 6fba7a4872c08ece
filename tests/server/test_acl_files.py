"""Users written down and read again, and files that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shmcache.config.lexer import decode
from shmcache.errors import ConfigurationError
from shmcache.server.acl.files import declared_users, read_declarations, save_users
from shmcache.server.acl.rules import RuleError, apply_rule, describe
from shmcache.server.acl.users import User

if TYPE_CHECKING:
    from pathlib import Path

_WORDS = (
    *(b"on", b"off", b"nopass", b">one", b"<one", b"#" + b"0" * 64, b"~*", b"~k*", b"%R~r", b"%~x"),
    *(
        b"%",
        b"&*",
        b"&c",
        b"+@all",
        b"-@read",
        b"+get",
        b"-config|set",
        b"+select|0",
        b"reset",
        b"",
    ),
    *(
        b"(~k",
        b"+get)",
        b"(~a +set)",
        b"()",
        b"(",
        b")",
        b"clearselectors",
        b"resetkeys",
        b"+bogus",
    ),
    *(b"resetchannels", b'~"', b"~'a", b'("~a\\"b" +get)', b"(%W~'x' -@all)", b"\0", b"~\xff\xc3"),
)
_words = st.one_of(st.sampled_from(_WORDS), st.binary(max_size=8))
_names = st.sampled_from([b"alice", b"bob", b"default", b"", b"a\tb", b"\xff"])
_lines = st.one_of(
    st.builds(
        lambda name, words: b" ".join([b"user", name, *words]),
        _names,
        st.lists(_words, max_size=6),
    ),
    st.binary(max_size=30),
    st.sampled_from([b"", b"   ", b"# comment", b"user", b"USER alice on", b"user  on"]),
)


def read_or_complain(path: Path) -> list[tuple[str, ...]] | None:
    try:
        return read_declarations(str(path), all_channels=False)
    except ConfigurationError as error:
        complaint = str(error)
    assert complaint.endswith("no change to the previously active ACL rules was performed")
    assert "\n" not in complaint
    return None


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(lines=st.lists(_lines, max_size=5))
def test_random_files(tmp_path: Path, lines: list[bytes]) -> None:
    """They are read, or refused with one line; what was read is written and read as the same."""
    path = tmp_path / "users.acl"
    path.write_bytes(b"\n".join(lines))
    declarations = read_or_complain(path)
    if declarations is None:
        return
    users = declared_users(declarations, all_channels=False)
    told = {user.name: describe(user) for user in users}
    save_users(str(path), users)
    again = declared_users(read_declarations(str(path), all_channels=False), all_channels=False)
    assert {user.name: describe(user) for user in again} == told
    for before, after in zip(users, again, strict=True):
        for mine, yours in zip(before.selectors, after.selectors, strict=True):
            for part in ("all_keys", "all_channels", "exceptions", "first_arguments"):
                assert getattr(mine, part) == getattr(yours, part)
            assert mine.keys.keys() == yours.keys.keys()
            assert mine.channels.keys() == yours.channels.keys()


@settings(max_examples=150, deadline=None)
@given(rules=st.lists(_words, max_size=8))
def test_random_rules(rules: list[bytes]) -> None:
    """A rule is applied, or refused and without any effect; nothing else can happen."""
    user = User(b"alice", all_channels=False)
    for rule in rules:
        before = describe(user)
        try:
            apply_rule(user, rule, all_channels=False)
        except RuleError:
            assert describe(user) == before


def test_a_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "users.acl"
    save_users(str(path), [User.make_default()])
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(path)
    save_users(str(link), [User.make_default()])
    assert path.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    assert [part.name for part in sorted(tmp_path.iterdir())] == ["link", "users.acl"]


def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shmcache.server.acl.files._MAX_FILE_BYTES", 10)
    path = tmp_path / "users.acl"
    path.write_bytes(b"user alice on")
    with pytest.raises(ConfigurationError, match="is too large"):
        read_declarations(decode(bytes(path)), all_channels=False)
