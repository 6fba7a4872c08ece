/* XXH3 (64 bits, seeded) for any length; hash.h has the short ones and names the source.
 *
 *     bytes      how
 *     0 .. 16    hash.h
 *     17 .. 128  pairs of 16 bytes from both ends inwards
 *     .. 240     16 bytes at a time, a second round over the secret shifted by 3
 *     more       eight lanes over 64-byte stripes, scrambled every 1024 bytes */
#include "hash.h"

#include "sc.h"

#define LANES 8
#define STRIPE_BYTES 64
#define STRIPES_A_BLOCK ((SC_HASH_SECRET_BYTES - STRIPE_BYTES) / 8)

/* Where in the secret each use starts; all from the specification. */
#define SHIFTED_SECRET 3
#define TAIL_SECRET (136 - 17)
#define SCRAMBLE_SECRET (SC_HASH_SECRET_BYTES - STRIPE_BYTES)
#define LAST_STRIPE_SECRET (SCRAMBLE_SECRET - 7)
#define MERGE_SECRET 11

static inline uint64_t mix_16(const uint8_t *in, const uint8_t *secret, uint64_t seed) {
    return sc_hash_fold(sc_hash_load64(in) ^ (sc_hash_load64(secret) + seed),
                        sc_hash_load64(in + 8) ^ (sc_hash_load64(secret + 8) - seed));
}

static uint64_t hash_17_128(const uint8_t *in, size_t length, uint64_t seed) {
    uint64_t hash = length * SC_HASH_PRIME64_1;
    for (size_t pair = (length - 1) / 32 + 1; pair-- > 0;) {
        const uint8_t *secret = sc_hash_secret + pair * 32;
        hash += mix_16(in + pair * 16, secret, seed);
        hash += mix_16(in + length - (pair + 1) * 16, secret + 16, seed);
    }
    return sc_hash_finish(hash);
}

static uint64_t hash_129_240(const uint8_t *in, size_t length, uint64_t seed) {
    uint64_t hash = length * SC_HASH_PRIME64_1;
    for (size_t at = 0; at < 128; at += 16)
        hash += mix_16(in + at, sc_hash_secret + at, seed);
    hash = sc_hash_finish(hash);
    for (size_t at = 128; at + 16 <= length; at += 16)
        hash += mix_16(in + at, sc_hash_secret + at - 128 + SHIFTED_SECRET, seed);
    hash += mix_16(in + length - 16, sc_hash_secret + TAIL_SECRET, seed);
    return sc_hash_finish(hash);
}

static void seed_secret(uint8_t secret[SC_HASH_SECRET_BYTES], uint64_t seed) {
    for (size_t at = 0; at < SC_HASH_SECRET_BYTES; at += 16) {
        uint64_t low = sc_hash_load64(sc_hash_secret + at) + seed;
        uint64_t high = sc_hash_load64(sc_hash_secret + at + 8) - seed;
        memcpy(secret + at, &low, sizeof(low));
        memcpy(secret + at + 8, &high, sizeof(high));
    }
}

static inline void add_stripe(uint64_t lanes[LANES], const uint8_t *in, const uint8_t *secret) {
    for (size_t lane = 0; lane < LANES; lane++) {
        uint64_t word = sc_hash_load64(in + lane * 8);
        uint64_t keyed = word ^ sc_hash_load64(secret + lane * 8);
        lanes[lane ^ 1] += word;
        lanes[lane] += (uint64_t)(uint32_t)keyed * (keyed >> 32);
    }
}

static void scramble(uint64_t lanes[LANES], const uint8_t *secret) {
    for (size_t lane = 0; lane < LANES; lane++) {
        uint64_t word = lanes[lane] ^ lanes[lane] >> 47;
        lanes[lane] = (word ^ sc_hash_load64(secret + lane * 8)) * SC_HASH_PRIME32_1;
    }
}

static uint64_t merge(const uint64_t lanes[LANES], const uint8_t *secret, uint64_t hash) {
    for (size_t lane = 0; lane < LANES; lane += 2)
        hash += sc_hash_fold(lanes[lane] ^ sc_hash_load64(secret + lane * 8),
                             lanes[lane + 1] ^ sc_hash_load64(secret + lane * 8 + 8));
    return sc_hash_finish(hash);
}

static uint64_t hash_long(const uint8_t *in, size_t length, uint64_t seed) {
    uint64_t lanes[LANES] = {
        SC_HASH_PRIME32_3, SC_HASH_PRIME64_1, SC_HASH_PRIME64_2, SC_HASH_PRIME64_3,
        SC_HASH_PRIME64_4, SC_HASH_PRIME32_2, SC_HASH_PRIME64_5, SC_HASH_PRIME32_1,
    };
    uint8_t secret[SC_HASH_SECRET_BYTES];
    seed_secret(secret, seed);
    /* The last byte always belongs to the stripe that ends the input, hence length - 1. */
    size_t stripes = (length - 1) / STRIPE_BYTES;
    for (size_t stripe = 0; stripe < stripes; stripe++) {
        size_t in_block = stripe % STRIPES_A_BLOCK;
        add_stripe(lanes, in + stripe * STRIPE_BYTES, secret + in_block * 8);
        if (in_block == STRIPES_A_BLOCK - 1) scramble(lanes, secret + SCRAMBLE_SECRET);
    }
    add_stripe(lanes, in + length - STRIPE_BYTES, secret + LAST_STRIPE_SECRET);
    return merge(lanes, secret + MERGE_SECRET, length * SC_HASH_PRIME64_1);
}

uint64_t sc_hash(const void *bytes, size_t length, uint64_t seed) {
    if (length <= 16) return sc_hash_inline(bytes, length, seed);
    if (length <= 128) return hash_17_128(bytes, length, seed);
    return length <= 240 ? hash_129_240(bytes, length, seed) : hash_long(bytes, length, seed);
}
