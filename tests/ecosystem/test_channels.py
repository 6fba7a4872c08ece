"""channels_redis: both of its layers, as Django Channels uses them."""

from __future__ import annotations

import asyncio

import pytest
from channels.exceptions import ChannelFull
from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer

PATIENCE_SECONDS = 20


def layer_of(kind: type, path: str) -> RedisChannelLayer:
    layer: RedisChannelLayer = kind(hosts=[{"address": f"unix://{path}"}], capacity=3)
    return layer


@pytest.mark.parametrize("kind", [RedisChannelLayer, RedisPubSubChannelLayer])
def test_groups(path: str, kind: type) -> None:
    async def scenario() -> None:
        layer = layer_of(kind, path)
        names = [await layer.new_channel() for _ in range(3)]
        for name in names[:2]:
            await layer.group_add("room", name)
        await layer.group_send("room", {"type": "chat", "text": "hello"})
        await layer.send(names[2], {"type": "private"})
        async with asyncio.timeout(PATIENCE_SECONDS):
            received = [await layer.receive(name) for name in names]
        assert received == [{"type": "chat", "text": "hello"}] * 2 + [{"type": "private"}]
        await layer.group_discard("room", names[0])
        await layer.group_send("room", {"type": "chat", "text": "again"})
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await layer.receive(names[1]) == {"type": "chat", "text": "again"}
        await layer.flush()

    asyncio.run(scenario())


def test_waiting_receivers_are_woken(path: str) -> None:
    async def scenario() -> None:
        layer = layer_of(RedisChannelLayer, path)
        name = await layer.new_channel()
        async with asyncio.timeout(PATIENCE_SECONDS):
            waiting = asyncio.create_task(layer.receive(name))
            await asyncio.sleep(0)
            await layer.send(name, {"type": "late"})
            assert await waiting == {"type": "late"}
        await layer.flush()

    asyncio.run(scenario())


def test_capacity(path: str) -> None:
    async def scenario() -> None:
        layer = layer_of(RedisChannelLayer, path)
        for number in range(3):
            await layer.send("bounded", {"type": "n", "n": number})
        with pytest.raises(ChannelFull):
            await layer.send("bounded", {"type": "n", "n": 3})
        await layer.flush()

    asyncio.run(scenario())
