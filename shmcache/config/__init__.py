"""The configuration: redis.conf's syntax and option names, CONFIG GET/SET/REWRITE's semantics.

How the parts of the daemon use it:

* the supervisor calls :func:`load` with its command line and gets a :class:`Config`;
* it hands ``config.texts()`` to the front-end, which builds its own with :meth:`Config.from_texts`;
* both read typed values: ``config.integer("maxclients")``, ``config.boolean("protected-mode")``,
  ``config.text("requirepass")``, ``config.value("client-output-buffer-limit")``;
* CONFIG GET shows :meth:`Config.items` (aliases under their own names too, as Redis does);
* CONFIG SET is :meth:`Config.check`, which raises :class:`OptionError` with Redis's error line and
  changes nothing, then whatever has to be done, then :meth:`Config.commit`;
* CONFIG REWRITE is :func:`rewrite_file`.

Texts are ``str``; bytes that are not UTF-8 travel in them as surrogate escapes.
"""

from shmcache.config.config import Config, OptionError
from shmcache.config.loader import CommandLine, Loaded, load, parse_command_line
from shmcache.config.rewrite import replace_file, rewrite_file, rewrite_text
from shmcache.config.table import OPTIONS, Change, Option, find_option

__all__ = [
    "OPTIONS",
    "Change",
    "CommandLine",
    "Config",
    "Loaded",
    "Option",
    "OptionError",
    "find_option",
    "load",
    "parse_command_line",
    "replace_file",
    "rewrite_file",
    "rewrite_text",
]
