def crc64(data: bytes | bytearray | memoryview, start: int = 0) -> int:
    """The checksum of ``data``, going on from that of what came before it."""
