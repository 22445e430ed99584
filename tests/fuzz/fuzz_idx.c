/* Any bytes as an IDX file of images and as one of labels; a gzip file also with its sums mended, so that
 * changed contents get past them. What is read can be written, plain and gzip'd, and reads the same again. */
#include "data/idx.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_INFLATED = 1 << 20 };

static void check(bool right)
{
    if (!right)
        abort();
}

/* ---- what is read ---- */

static void put_32(uint8_t *at, int64_t number)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(number >> (24 - 8 * i));
}

static void check_same(wick_context *context, const uint8_t *file, size_t length, wki_idx_kind kind,
                       const wki_idx *idx)
{
    wki_idx again;
    check(wki_idx_parse(context, "again", file, length, kind, &again) == WICK_OK);
    check(again.count == idx->count && again.height == idx->height && again.width == idx->width);
    check(memcmp(again.elements, idx->elements, (size_t)(idx->count * idx->height * idx->width)) == 0);
    wki_idx_release(&again);
}

static void check_gzipped(wick_context *context, const uint8_t *file, size_t length, wki_idx_kind kind,
                          const wki_idx *idx)
{
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(1);
    check(compressor != NULL);
    size_t room = libdeflate_gzip_compress_bound(compressor, length);
    uint8_t *packed = malloc(room);
    check(packed != NULL);
    size_t packed_length = libdeflate_gzip_compress(compressor, file, length, packed, room);
    check_same(context, packed, packed_length, kind, idx);
    free(packed);
    libdeflate_free_compressor(compressor);
}

static void check_round_trip(wick_context *context, wki_idx_kind kind, const wki_idx *idx)
{
    const int64_t sizes[3] = {idx->count, idx->height, idx->width};
    size_t elements = (size_t)(idx->count * idx->height * idx->width), header = 4 + 4 * (size_t)kind;
    uint8_t *file = malloc(header + elements);
    check(file != NULL);
    put_32(file, 0x800 + kind);
    for (size_t i = 0; i < (size_t)kind; i++)
        put_32(file + 4 + 4 * i, sizes[i]);
    memcpy(file + header, idx->elements, elements);
    check_same(context, file, header + elements, kind, idx);
    check_gzipped(context, file, header + elements, kind, idx);
    free(file);
}

static void parse(wick_context *context, const uint8_t *data, size_t size)
{
    static const wki_idx_kind kinds[] = {WKI_IDX_LABELS, WKI_IDX_IMAGES};
    for (size_t i = 0; i < WKI_COUNT(kinds); i++) {
        wki_idx idx = {0};
        if (wki_idx_parse(context, "input", data, size, kinds[i], &idx) != WICK_OK) {
            const char *message = wick_context_message(context);
            check(idx.memory == NULL && strncmp(message, "input: ", 7) == 0);
            check(strchr(message, '\n') == NULL);
            continue;
        }
        check(idx.count >= 1 && idx.height >= 1 && idx.width >= 1);
        check((uint64_t)idx.count * (uint64_t)idx.height * (uint64_t)idx.width <= WKI_IDX_LIMIT);
        if (idx.count * idx.height * idx.width < MOST_INFLATED)
            check_round_trip(context, kinds[i], &idx);
        wki_idx_release(&idx);
    }
}

/* ---- gzip's sums ---- */

/* Where the deflated bytes begin, or size. RFC 1952's header. */
static size_t skip_header(const uint8_t *data, size_t size)
{
    enum { HEADER_SUM = 2, EXTRA = 4, NAME = 8, COMMENT = 16 };
    size_t at = 10;
    if (size < 18)
        return size;
    if (data[3] & EXTRA)
        at += 2 + (size_t)data[10] + 256 * (size_t)data[11];
    for (int text = NAME; text <= COMMENT; text *= 2) {
        if ((data[3] & text) == 0)
            continue;
        while (at < size && data[at] != 0)
            at++;
        at++;
    }
    if (data[3] & HEADER_SUM)
        at += 2;
    return WKI_MIN(at, size);
}

/* Puts the right sums behind the deflated bytes and returns the length with them, or 0. */
static size_t mend(uint8_t *bytes, size_t size)
{
    size_t start = skip_header(bytes, size), used, got, length = 0;
    uint8_t *memory = malloc(MOST_INFLATED);
    struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
    check(memory != NULL && inflater != NULL);
    if (libdeflate_deflate_decompress_ex(inflater, bytes + start, size - start, memory, MOST_INFLATED,
                                         &used, &got) == LIBDEFLATE_SUCCESS) {
        uint32_t crc = libdeflate_crc32(0, memory, got);
        uint8_t *sums = bytes + start + used;
        for (int i = 0; i < 4; i++) {
            sums[i] = (uint8_t)(crc >> 8 * i);
            sums[4 + i] = (uint8_t)(got >> 8 * i);
        }
        length = start + used + 8;
    }
    libdeflate_free_decompressor(inflater);
    free(memory);
    return length;
}

static void parse_mended(wick_context *context, const uint8_t *data, size_t size)
{
    uint8_t *bytes = malloc(size + 8);
    check(bytes != NULL);
    memcpy(bytes, data, size);
    size_t length = mend(bytes, size);
    if (length > 0)
        parse(context, bytes, length);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wick_context *context;
    if (wick_context_new(&context) != WICK_OK)
        return 0;
    parse(context, data, size);
    if (size >= 2 && data[0] == 0x1f && data[1] == 0x8b)
        parse_mended(context, data, size);
    wick_context_free(context);
    return 0;
}
