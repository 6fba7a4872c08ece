"""The web application: product pages out of SQLite, kept in the shared cache.

Every gunicorn worker imports this module and attaches to the same arena. What a worker reads or
stores is read and stored in place, by the worker itself; no message is sent anywhere.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from time import perf_counter_ns
from typing import TYPE_CHECKING

from redis.backoff import NoBackoff
from redis.retry import Retry

import shmcache
from demo.catalogue import Catalogue
from demo.figures import Figures
from support.traces import key_of

if TYPE_CHECKING:
    import redis

__all__ = ["CACHE_VARIABLE", "DATABASE_VARIABLE", "application"]

CACHE_VARIABLE = "SHMCACHE_DEMO_CACHE"
DATABASE_VARIABLE = "SHMCACHE_DEMO_DATABASE"

_PAGE = (Path(__file__).parent / "page.html").read_bytes()
_TTL_SECONDS = 600
_LARGEST_NUMBER = 2**31 - 1

Headers = list[tuple[str, str]]
Respond = Callable[[str, Headers], object]


class Shop:
    """Product pages by cache-aside: look in the cache, else make the page and leave it there."""

    def __init__(self, cache: redis.Redis, database: Path, figures: Figures) -> None:
        self._cache = cache
        self._database = database
        self._figures = figures
        self._thread = threading.local()  # an SQLite connection belongs to its thread

    def product_page(self, number: int) -> bytes | None:
        """Page of a product, None when there is no such product."""
        key = key_of(number)
        started = perf_counter_ns()
        page = self._cache.get(key)
        read_ns = perf_counter_ns() - started
        if isinstance(page, bytes):
            self._figures.hit(read_ns)
            return page
        started = perf_counter_ns()
        made = self._catalogue().product_page(number)
        self._figures.miss(read_ns, perf_counter_ns() - started)
        if made is not None:
            self._cache.set(key, made, ex=_TTL_SECONDS)
        return made

    def _catalogue(self) -> Catalogue:
        if not hasattr(self._thread, "catalogue"):
            self._thread.catalogue = Catalogue(self._database)
        catalogue: Catalogue = self._thread.catalogue
        return catalogue


def _number_in(path: str) -> int | None:
    text = path.removeprefix("/product/")
    if not (text.isascii() and text.isdecimal() and len(text) <= 10):
        return None
    number = int(text)
    return number if number <= _LARGEST_NUMBER else None


class Application:
    """WSGI: ``/`` the live figures, ``/figures.json`` the same as data, ``/product/NUMBER``."""

    def __init__(self, cache: redis.Redis, database: Path) -> None:
        self._figures = Figures(cache)
        self._shop = Shop(cache, database, self._figures)

    def __call__(self, environ: dict[str, str], respond: Respond) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith("/product/"):
            number = _number_in(path)
            page = None if number is None else self._shop.product_page(number)
            if page is not None:
                return _send(respond, "200 OK", "text/html; charset=utf-8", page)
        elif path == "/":
            return _send(respond, "200 OK", "text/html; charset=utf-8", _PAGE)
        elif path == "/figures.json":
            body = json.dumps(self._figures.snapshot()).encode()
            return _send(respond, "200 OK", "application/json", body)
        return _send(respond, "404 Not Found", "text/plain", b"There is no such page.\n")


def _send(respond: Respond, status: str, kind: str, body: bytes) -> Iterable[bytes]:
    headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
    respond(status, [*headers, ("Cache-Control", "no-store")])
    return (body,)


def application(environ: dict[str, str], respond: Respond) -> Iterable[bytes]:
    """What gunicorn calls; attaches at the first request of each worker."""
    return _instance()(environ, respond)


_lock = threading.Lock()
_made: Application | None = None


def _instance() -> Application:
    global _made  # noqa: PLW0603 - one application a process, made by its first request
    with _lock:
        if _made is None:
            # A page that waits for a daemon which is down helps nobody: no second try.
            once = Retry(NoBackoff(), retries=0)
            cache = shmcache.attach(os.environ[CACHE_VARIABLE], writable=True, retry=once)
            _made = Application(cache, Path(os.environ[DATABASE_VARIABLE]))
        return _made
