"""Django: its own cache backend, django-redis, and sessions in either."""

from __future__ import annotations

from typing import TYPE_CHECKING

import django
import pytest
from django.conf import settings
from django.contrib.sessions.backends.cache import SessionStore
from django.core.cache import caches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.cache.backends.base import BaseCache


@pytest.fixture
def configured(path: str) -> Iterator[None]:
    if not settings.configured:
        settings.configure()
        django.setup()
    location = f"unix://{path}?db=3"
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": location,
        },
        "django-redis": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": location,
            "KEY_PREFIX": "other",
        },
    }
    caches.settings = caches.configure_settings(None)
    yield
    for name in settings.CACHES:
        caches[name].close()
        delattr(caches._connections, name)


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("name", ["default", "django-redis"])
class TestCache:
    @pytest.fixture
    def cache(self, name: str) -> BaseCache:
        cache: BaseCache = caches[name]
        return cache

    def test_values(self, cache: BaseCache) -> None:
        cache.set("a", {"any": ["thing", 1.5]}, timeout=60)
        assert cache.get("a") == {"any": ["thing", 1.5]}
        assert cache.add("a", 2) is False
        assert cache.get_or_set("b", lambda: 3) == 3
        cache.set_many({"c": 1, "d": 2})
        assert cache.get_many(["a", "c", "d", "nothing"]).keys() >= {"a", "c", "d"}
        assert cache.incr("c", 10) == 11
        assert cache.touch("c", 30)
        assert "c" in cache
        cache.delete_many(["c", "d"])
        assert cache.get("c", "gone") == "gone"
        cache.set("versioned", 1, version=2)
        assert cache.get("versioned") is None
        assert cache.incr_version("versioned", version=2) == 3
        cache.clear()
        assert cache.get("a") is None

    def test_what_expired_is_gone(self, cache: BaseCache) -> None:
        cache.set("short", 1, timeout=0)
        assert cache.get("short") is None


@pytest.mark.usefixtures("configured")
def test_what_only_django_redis_has() -> None:
    cache = caches["django-redis"]
    for number in range(25):
        cache.set(f"item:{number}", number, timeout=None)
    assert cache.ttl("item:1") is None
    assert len(cache.keys("item:*")) == 25
    assert min(cache.iter_keys("item:2*", itersize=3)) == "item:2"
    assert cache.delete_pattern("item:1*") == 11
    assert cache.expire("item:2", timeout=60)
    assert 0 < cache.ttl("item:2") <= 60
    with cache.lock("lock", timeout=10, blocking_timeout=1):
        assert cache.lock("lock", blocking=False).acquire() is False
    assert cache.lock("lock", blocking=False).acquire() is True


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("name", ["default", "django-redis"])
def test_sessions(name: str) -> None:
    settings.SESSION_CACHE_ALIAS = name
    session = SessionStore()
    session["user"] = 7
    session.save()
    again = SessionStore(session.session_key)
    assert again["user"] == 7
    again.flush()
    assert "user" not in SessionStore(session.session_key)
