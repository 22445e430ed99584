/* Little-endian numbers, UTF-8, and strangers' names in messages. */
#ifndef WKI_BYTES_H
#define WKI_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint16_t wki_get16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t wki_get32(const uint8_t *at)
{
    return wki_get16(at) | (uint32_t)wki_get16(at + 2) << 16;
}

static inline uint64_t wki_get64(const uint8_t *at)
{
    return wki_get32(at) | (uint64_t)wki_get32(at + 4) << 32;
}

/* Writes the low `size` bytes of a number and returns the place after them. */
static inline uint8_t *wki_put(uint8_t *at, uint64_t number, int size)
{
    for (int i = 0; i < size; i++)
        at[i] = (uint8_t)(number >> (8 * i));
    return at + size;
}

enum { WKI_QUOTED = 100 };

/* A name out of a file as a message may show it: cut where it is long, '?' for every byte that is not
 * printable ASCII. Returns out. */
const char *wki_quote(const void *name, size_t length, char out[WKI_QUOTED]);

#endif
