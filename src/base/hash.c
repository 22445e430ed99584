/* SipHash-2-4 (Aumasson and Bernstein, 2012): a hash under a secret key, so that whoever makes a file cannot
 * choose names that all fall into one slot of a table. */
#include "base/base.h"

#include <string.h>
#include <sys/random.h>

void wki_hash_key_new(wki_hash_key *key)
{
    /* Without a source of randomness, which Linux has from its start on, the clock and the place in memory
     * must do: a table is then right all the same, only not as hard to slow down. */
    if (getrandom(key->halves, sizeof(key->halves), GRND_NONBLOCK) != (ssize_t)sizeof(key->halves)) {
        double seconds = wki_seconds();
        memcpy(&key->halves[0], &seconds, sizeof(seconds));
        key->halves[1] = (uint64_t)(uintptr_t)key;
    }
}

static inline uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline uint64_t little_endian(const uint8_t *bytes, size_t count)
{
    uint64_t x = 0;
    for (size_t i = 0; i < count; i++)
        x |= (uint64_t)bytes[i] << 8 * i;
    return x;
}

static inline void sip_rounds(uint64_t v[4], int rounds)
{
    for (int i = 0; i < rounds; i++) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

static inline void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_rounds(v, 2);
    v[0] ^= word;
}

uint64_t wki_hash(const wki_hash_key *key, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    uint64_t v[4] = {
        key->halves[0] ^ UINT64_C(0x736f6d6570736575), /* "somepseudorandomlygeneratedbytes" */
        key->halves[1] ^ UINT64_C(0x646f72616e646f6d), key->halves[0] ^ UINT64_C(0x6c7967656e657261),
        key->halves[1] ^ UINT64_C(0x7465646279746573)};
    size_t rest = length;
    for (; rest >= 8; rest -= 8, at += 8)
        sip_word(v, little_endian(at, 8));
    sip_word(v, little_endian(at, rest) | (uint64_t)length << 56);
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
