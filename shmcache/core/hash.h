/* XXH3 (64 bits, seeded) for short keys, inline: what a GET pays for before it sees the table.
 *
 * Written from the published description of the algorithm
 * (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, by Yann Collet). Up to 16 bytes
 * are hashed here; anything longer is hash.c's, which shares these helpers. The secret is read at
 * constant places only, so the compiler folds it into immediates. */
#ifndef SC_HASH_H
#define SC_HASH_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are loaded as they lie");

#define SC_HASH_PRIME32_1 UINT64_C(0x9E3779B1)
#define SC_HASH_PRIME32_2 UINT64_C(0x85EBCA77)
#define SC_HASH_PRIME32_3 UINT64_C(0xC2B2AE3D)
#define SC_HASH_PRIME64_1 UINT64_C(0x9E3779B185EBCA87)
#define SC_HASH_PRIME64_2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define SC_HASH_PRIME64_3 UINT64_C(0x165667B19E3779F9)
#define SC_HASH_PRIME64_4 UINT64_C(0x85EBCA77C2B2AE63)
#define SC_HASH_PRIME64_5 UINT64_C(0x27D4EB2F165667C5)
#define SC_HASH_PRIME_MX1 UINT64_C(0x165667919E3779F9)
#define SC_HASH_PRIME_MX2 UINT64_C(0x9FB21C651E98DF25)

#define SC_HASH_SECRET_BYTES 192
static const uint8_t sc_hash_secret[SC_HASH_SECRET_BYTES] __attribute__((aligned(8))) = {
    0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c,
    0xde, 0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f,
    0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21,
    0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c,
    0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3, 0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3,
    0x71, 0x64, 0x48, 0x97, 0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8,
    0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d,
    0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31, 0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64,
    0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3, 0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb,
    0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3, 0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e,
    0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc, 0x8f, 0xf8, 0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce,
    0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb, 0xca, 0xbb, 0x4b, 0x40, 0x7e,
};

uint64_t sc_hash(const void *bytes, size_t length, uint64_t seed);

static inline uint64_t sc_hash_load64(const uint8_t *from) {
    uint64_t word;
    memcpy(&word, from, sizeof(word));
    return word;
}

static inline uint64_t sc_hash_load32(const uint8_t *from) {
    uint32_t word;
    memcpy(&word, from, sizeof(word));
    return word;
}

static inline uint64_t sc_hash_rotate(uint64_t word, int bits) {
    return word << bits | word >> (64 - bits);
}

/* Both halves of the 128-bit product, folded together. */
static inline uint64_t sc_hash_fold(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t sc_hash_finish(uint64_t hash) {
    hash = (hash ^ hash >> 37) * SC_HASH_PRIME_MX1;
    return hash ^ hash >> 32;
}

/* XXH64's finalizer, which XXH3 keeps for the shortest inputs. */
static inline uint64_t sc_hash_finish64(uint64_t hash) {
    hash = (hash ^ hash >> 33) * SC_HASH_PRIME64_2;
    hash = (hash ^ hash >> 29) * SC_HASH_PRIME64_3;
    return hash ^ hash >> 32;
}

static inline uint64_t sc_hash_0(uint64_t seed) {
    uint64_t flip = sc_hash_load64(sc_hash_secret + 56) ^ sc_hash_load64(sc_hash_secret + 64);
    return sc_hash_finish64(seed ^ flip);
}

static inline uint64_t sc_hash_1_3(const uint8_t *in, size_t length, uint64_t seed) {
    uint32_t mixed = (uint32_t)in[0] << 16 | (uint32_t)in[length >> 1] << 24 | in[length - 1] |
                     (uint32_t)length << 8;
    uint64_t flip = sc_hash_load32(sc_hash_secret) ^ sc_hash_load32(sc_hash_secret + 4);
    return sc_hash_finish64((flip + seed) ^ mixed);
}

static inline uint64_t sc_hash_4_8(const uint8_t *in, size_t length, uint64_t seed) {
    uint64_t mixed = sc_hash_load32(in) << 32 | sc_hash_load32(in + length - 4);
    uint64_t flip = sc_hash_load64(sc_hash_secret + 8) ^ sc_hash_load64(sc_hash_secret + 16);
    seed ^= (uint64_t)__builtin_bswap32((uint32_t)seed) << 32;
    uint64_t hash = (flip - seed) ^ mixed;
    hash ^= sc_hash_rotate(hash, 49) ^ sc_hash_rotate(hash, 24);
    hash *= SC_HASH_PRIME_MX2;
    hash = (hash ^ ((hash >> 35) + length)) * SC_HASH_PRIME_MX2;
    return hash ^ hash >> 28;
}

static inline uint64_t sc_hash_9_16(const uint8_t *in, size_t length, uint64_t seed) {
    uint64_t flip_low = sc_hash_load64(sc_hash_secret + 24) ^ sc_hash_load64(sc_hash_secret + 32);
    uint64_t flip_high = sc_hash_load64(sc_hash_secret + 40) ^ sc_hash_load64(sc_hash_secret + 48);
    uint64_t low = (flip_low + seed) ^ sc_hash_load64(in);
    uint64_t high = (flip_high - seed) ^ sc_hash_load64(in + length - 8);
    return sc_hash_finish(length + __builtin_bswap64(low) + high + sc_hash_fold(low, high));
}

/* sc_hash, with the branch for short keys in the caller. */
static inline __attribute__((always_inline)) uint64_t sc_hash_inline(const void *bytes,
                                                                     size_t length, uint64_t seed) {
    if (__builtin_expect(length > 16, 0)) return sc_hash(bytes, length, seed);
    if (length > 8) return sc_hash_9_16(bytes, length, seed);
    if (length > 3) return sc_hash_4_8(bytes, length, seed);
    return length > 0 ? sc_hash_1_3(bytes, length, seed) : sc_hash_0(seed);
}

#endif
