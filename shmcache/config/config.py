"""The options' present values, and the rules for changing them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from shmcache.config.lists import Directives
from shmcache.config.table import (
    MODULE_OPTIONS,
    OPTIONS,
    Change,
    Option,
    add_option,
    find_directive,
    find_option,
    remove_option,
)
from shmcache.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["Config", "OptionError"]


class OptionError(ConfigurationError):
    """CONFIG SET refused something; ``str()`` is Redis's whole error line.

    ``reason`` is what is wrong with the value, without the words around it.
    """

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(
            f"ERR CONFIG SET failed (possibly related to argument '{name}') - {reason}"
        )


class _UnknownOptionError(OptionError):
    def __str__(self) -> str:
        return f"ERR Unknown option or number of arguments for CONFIG SET - '{self.name}'"


class Config:
    """A value for every option. Reading is by name or former name, in any case.

    :ivar path: the configuration file, None when there was none
    """

    def __init__(
        self, defaults: Mapping[str, str] | None = None, *, path: str | None = None
    ) -> None:
        """Start with the defaults.

        :param defaults: texts of options whose default depends on the machine or the user
        :param path: the configuration file
        """
        self.path = path
        self._defaults = {name: option.default for name, option in OPTIONS.items()}
        for name, text in (defaults or {}).items():
            option = OPTIONS[name]
            self._defaults[name] = option.kind.parse_text(text, option.default)
        self._values = dict(self._defaults)

    @classmethod
    def from_texts(cls, texts: Mapping[str, str], *, path: str | None = None) -> Self:
        """Make a copy of the configuration that another process told with :meth:`texts`.

        :raises OptionError: a text means nothing
        """
        config = cls(path=path)
        config._values.update(config.parse(texts))
        return config

    def copy(self) -> Config:
        """Return a configuration that changes apart from this one."""
        other = Config(path=self.path)
        other._defaults = dict(self._defaults)
        other._values = dict(self._values)
        return other

    # reading

    def value(self, name: str) -> Any:
        """Return the parsed value of an option; its kind says of which type.

        :raises KeyError: there is no such option
        """
        option = find_option(name)
        if option is None:
            raise KeyError(name)
        return self._values[option.name]

    def integer(self, name: str) -> int:
        """Return the value of an option that is a number: count, bytes, permission bits."""
        value = self.value(name)
        assert isinstance(value, int), name
        return value

    def boolean(self, name: str) -> bool:
        """Return the value of a yes/no option."""
        value = self.value(name)
        assert isinstance(value, bool), name
        return value

    def text(self, name: str) -> str:
        """Return the value of an option that is a text or a choice."""
        value = self.value(name)
        assert isinstance(value, str), name
        return value

    def show(self, name: str) -> str:
        """Return an option's value as CONFIG GET shows it.

        :raises KeyError: there is no such option
        """
        option = find_option(name)
        if option is None:
            raise KeyError(name)
        return option.kind.show(self._values[option.name])

    def items(self) -> Iterator[tuple[str, str]]:
        """Yield (name, text) for all that CONFIG GET * shows, aliases under their own names."""
        for option in OPTIONS.values():
            if not option.hidden:
                text = option.kind.show(self._values[option.name])
                yield option.name, text
                if option.alias:
                    yield option.alias, text

    def texts(self) -> dict[str, str]:
        """Return every option's text by name: what :meth:`from_texts` takes."""
        return {name: option.kind.show(self._values[name]) for name, option in OPTIONS.items()}

    def default(self, name: str) -> Any:
        """Return the default value of an option."""
        return self._defaults[name]

    def set_default(self, name: str, text: str) -> None:
        """Give an option that nobody gave a default that depends on others."""
        option = OPTIONS[name]
        self._defaults[name] = self._values[name] = option.kind.parse_text(text, option.default)

    def is_default(self, option: Option) -> bool:
        """Tell whether an option has its default value."""
        return bool(self._values[option.name] == self._defaults[option.name])

    def differences(self, other: Config) -> dict[str, str]:
        """Return the texts that ``other`` has for options in which it differs from this one."""
        return {
            name: option.kind.show(other._values[name])
            for name, option in OPTIONS.items()
            if self._values[name] != other._values[name]
        }

    # changing

    def check(self, pairs: Iterable[tuple[str, str]], *, local: bool = False) -> dict[str, Any]:
        """Parse the arguments of a CONFIG SET and change nothing.

        :param pairs: names and texts, as the client sent them
        :param local: the client came over the Unix socket or loopback, which
            ``enable-protected-configs local`` lets pass
        :return: the new values by the options' present names, for :meth:`commit`
        :raises OptionError: unknown option, given twice, not changeable now, or a bad value
        """
        values: dict[str, Any] = {}
        for mixed_case, text in pairs:
            given = mixed_case.lower()
            option = find_option(given)
            if option is None or isinstance(option.kind, Directives):
                raise _UnknownOptionError(mixed_case, "unknown option")
            if option.change is Change.RESTART:
                raise OptionError(given, "can't set immutable config")
            if option.change is Change.PROTECTED and not self._allows_protected(local=local):
                raise OptionError(given, "can't set protected config")
            if option.name in values:
                raise OptionError(given, "duplicate parameter")
            values[option.name] = self._parse(given, option, text)
        return values

    def commit(self, values: Mapping[str, Any]) -> None:
        """Store what :meth:`check` or :meth:`parse` returned."""
        self._values.update(values)

    def parse(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Parse texts of any options, changeable or not, by name.

        :raises OptionError: a text means nothing
        """
        return {name: self._parse(name, OPTIONS[name], text) for name, text in texts.items()}

    def parse_directive(
        self, name: str, arguments: Sequence[str], *, first: bool
    ) -> dict[str, Any]:
        """Parse a line of a configuration file.

        :param arguments: what follows the name
        :param first: no line before it had this option: what accumulates starts anew
        :raises ValueError: unknown option or bad value; the message is Redis's reason
        """
        option = find_directive(name)
        if option is None:
            raise ValueError("Bad directive or wrong number of arguments")
        if option.name == MODULE_OPTIONS and find_option(name) is None:
            if not arguments:
                raise ValueError("Module config specified without value")
            arguments = [name.lower(), *arguments]
        old = () if first and option.kind.accumulates else self._values[option.name]
        return {option.name: option.kind.parse(arguments, old)}

    def add_option(self, option: Option, value: Any) -> None:
        """Have one more option, a module's."""
        add_option(option)
        self._defaults[option.name] = option.default
        self._values[option.name] = value

    def remove_option(self, name: str) -> None:
        """Have it no longer."""
        remove_option(name)
        del self._defaults[name], self._values[name]

    def _allows_protected(self, *, local: bool) -> bool:
        allowed = self.text("enable-protected-configs")
        return allowed == "yes" or (allowed == "local" and local)

    def _parse(self, given: str, option: Option, text: str) -> Any:
        old = () if option.kind.accumulates else self._values[option.name]
        try:
            return option.kind.parse_text(text, old)
        except ValueError as error:
            raise OptionError(given, str(error)) from error
