#include "data/idx.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of a plain file on disk, whose length has to be what its header says: as long as files can be. */
#define ANY_LENGTH ((uint64_t)INT64_MAX)

enum {
    /* Room for the whole of a first stored block, 65,535 bytes at most, and some more. */
    PEEK_SIZE = 1 << 17,
    GZIP_SHORTEST = 18, /* a header of 10 bytes and a trailer of 8 */
    /* DEFLATE cannot say more than 258 bytes in two bits. */
    DEFLATE_BEST_RATIO = 1032,
    MAGIC_LABELS = 0x801,
    MAGIC_IMAGES = 0x803,
};

static uint32_t big_endian_32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static uint32_t little_endian_32(const uint8_t *bytes)
{
    return (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
}

static size_t header_size(wki_idx_kind kind)
{
    return 4 + 4 * (size_t)kind;
}

static uint64_t limit_of(wki_idx_kind kind)
{
    return kind == WKI_IDX_IMAGES ? WKI_IDX_LIMIT : WKI_IDX_LABELS_LIMIT;
}

static const char *kind_name(wki_idx_kind kind)
{
    return kind == WKI_IDX_IMAGES ? "images" : "labels";
}

/* ---- the header ---- */

static wick_status check_magic(wick_context *context, const char *path, uint32_t magic,
                               wki_idx_kind kind)
{
    wki_idx_kind other = kind == WKI_IDX_IMAGES ? WKI_IDX_LABELS : WKI_IDX_IMAGES;
    uint32_t wanted = kind == WKI_IDX_IMAGES ? MAGIC_IMAGES : MAGIC_LABELS;
    if (magic == wanted)
        return WICK_OK;
    if (magic == MAGIC_IMAGES || magic == MAGIC_LABELS)
        return wki_fail(context, WICK_EFORMAT, "%s: holds %s (magic 0x%08x) where %s (0x%08x) belong",
                        path, kind_name(other), magic, kind_name(kind), wanted);
    return wki_fail(context, WICK_EFORMAT,
                    "%s: is not an IDX file of %s: it starts with 0x%08x instead of 0x%08x", path,
                    kind_name(kind), magic, wanted);
}

static wick_status refuse_sizes(wick_context *context, const char *path, const uint64_t sizes[3],
                                wki_idx_kind kind, uint64_t limit)
{
    char most[112];
    snprintf(most, sizeof(most), "; a file of at most %llu bytes is read%s", (unsigned long long)limit,
             limit == WKI_IDX_LIMIT ? ", or a longer one that is not gzip'd" : "");
    return wki_fail(context, WICK_ELIMIT, "%s: its header says %llu %s of %llux%llu%s", path,
                    (unsigned long long)sizes[0], kind_name(kind), (unsigned long long)sizes[1],
                    (unsigned long long)sizes[2], limit == ANY_LENGTH ? "; no file is that long" : most);
}

/* Reads the sizes, and from them how many bytes the whole file has: no more than the limit. */
static wick_status read_header(wick_context *context, const char *path, const uint8_t *bytes,
                               size_t length, wki_idx_kind kind, uint64_t limit, wki_idx *out,
                               uint64_t *whole)
{
    uint64_t sizes[3] = {1, 1, 1};
    if (length == 0)
        return wki_fail(context, WICK_EFORMAT, "%s: is empty; an IDX file of %s was expected", path,
                        kind_name(kind));
    if (length >= 4)
        WKI_TRY(check_magic(context, path, big_endian_32(bytes), kind));
    if (length < header_size(kind))
        return wki_fail(context, WICK_EFORMAT,
                        "%s: is truncated: %zu of the %zu bytes of an IDX header of %s", path, length,
                        header_size(kind), kind_name(kind));
    for (size_t i = 0; i < (size_t)kind; i++)
        sizes[i] = big_endian_32(bytes + 4 + 4 * i);
    if (sizes[0] == 0 || sizes[1] == 0 || sizes[2] == 0)
        return wki_fail(context, WICK_EFORMAT, "%s: holds nothing: its header says %llu %s of %llux%llu",
                        path, (unsigned long long)sizes[0], kind_name(kind),
                        (unsigned long long)sizes[1], (unsigned long long)sizes[2]);
    uint64_t elements;
    /* Each has 32 bits. */
    if (!wki_mul_u64(sizes[0] * sizes[1], sizes[2], &elements) ||
        !wki_add_u64(elements, header_size(kind), whole) || *whole > limit)
        return refuse_sizes(context, path, sizes, kind, limit);
    out->count = (int64_t)sizes[0];
    out->height = (int64_t)sizes[1];
    out->width = (int64_t)sizes[2];
    return WICK_OK;
}

/* "60000 images of 28x28", "60000 labels". Returns out. */
static const char *promise(const wki_idx *idx, wki_idx_kind kind, char out[96])
{
    if (kind == WKI_IDX_LABELS)
        snprintf(out, 96, "%lld labels", (long long)idx->count);
    else
        snprintf(out, 96, "%lld images of %lldx%lld", (long long)idx->count, (long long)idx->height,
                 (long long)idx->width);
    return out;
}

/* Looks at a plain IDX file of which the first `got` bytes of `length` are there, all of the header at
 * least. */
static wick_status check_start(wick_context *context, const char *path, const uint8_t *bytes, size_t got,
                               uint64_t length, wki_idx_kind kind, uint64_t limit, wki_idx *out)
{
    uint64_t whole = 0;
    char text[96];
    WKI_TRY(read_header(context, path, bytes, got, kind, limit, out, &whole));
    if (length < whole)
        return wki_fail(context, WICK_EFORMAT, "%s: is truncated: it has %llu of the %llu bytes of %s",
                        path, (unsigned long long)length, (unsigned long long)whole,
                        promise(out, kind, text));
    if (length > whole)
        return wki_fail(context, WICK_EFORMAT,
                        "%s: has %llu bytes too many: after its %s it should end, at %llu", path,
                        (unsigned long long)(length - whole), promise(out, kind, text),
                        (unsigned long long)whole);
    return WICK_OK;
}

/* Looks at a whole plain IDX file. */
static wick_status check_plain(wick_context *context, const char *path, const uint8_t *bytes,
                               size_t length, wki_idx_kind kind, uint64_t limit, wki_idx *out)
{
    return check_start(context, path, bytes, length, length, kind, limit, out);
}

/* ---- gzip ---- */

static bool is_gzip(const uint8_t *bytes, size_t length)
{
    return length >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

/* What a failure of libdeflate's to inflate what should come to `whole` bytes means. The last four bytes
 * of a sound file are its length inflated. */
static wick_status inflate_failed(wick_context *context, const char *path, const uint8_t *bytes,
                                  size_t length, uint64_t whole, enum libdeflate_result result)
{
    if (result == LIBDEFLATE_INSUFFICIENT_SPACE)
        return wki_fail(context, WICK_EFORMAT,
                        "%s: inflates to more than the %llu bytes its IDX header promises", path,
                        (unsigned long long)whole);
    if (whole != 0 && little_endian_32(bytes + length - 4) == whole)
        return wki_fail(context, WICK_EFORMAT,
                        "%s: is damaged: its gzip data or its checksum (CRC-32) is wrong", path);
    return wki_fail(context, WICK_EFORMAT,
                    "%s: is truncated or damaged: its gzip data does not end as it should", path);
}

/* The length inflated that the trailer of a gzip file names, modulo 2^32, if these bytes can come to
 * it. */
static wick_status trailer_size(wick_context *context, const char *path, const uint8_t *bytes,
                                size_t length, uint64_t *whole)
{
    uint64_t size = little_endian_32(bytes + length - 4);
    if (size > WKI_IDX_LIMIT || size / DEFLATE_BEST_RATIO > length)
        return inflate_failed(context, path, bytes, length, 0, LIBDEFLATE_BAD_DATA);
    *whole = size;
    return WICK_OK;
}

/* Learns how long a gzip'd IDX file will be, before memory is taken for it. libdeflate inflates whole
 * buffers only, but having no window of its own it leaves in the buffer what it wrote until the room ran
 * out. That is not promised, so the start seen this way is a hint: where it shows nothing the trailer is
 * believed, and the file is looked at once more when all of it is there. The hint is what keeps a
 * truncated file, whose last four bytes are any number, and a small file that would inflate to gigabytes
 * from costing memory. */
static wick_status peek_gzip(wick_context *context, struct libdeflate_decompressor *inflater,
                             const char *path, const uint8_t *bytes, size_t length, wki_idx_kind kind,
                             uint64_t *whole)
{
    static const uint8_t nothing[4];
    wki_idx idx;
    void *peek;
    size_t used, got = PEEK_SIZE;
    WKI_TRY(wki_alloc(context, PEEK_SIZE, 1, "the start of a gzip'd file", &peek));
    enum libdeflate_result result =
        libdeflate_gzip_decompress_ex(inflater, bytes, length, peek, PEEK_SIZE, &used, &got);
    wick_status status;
    if (result == LIBDEFLATE_SUCCESS)
        status = read_header(context, path, peek, got, kind, limit_of(kind), &idx, whole);
    else if (result != LIBDEFLATE_INSUFFICIENT_SPACE)
        status = inflate_failed(context, path, bytes, length, 0, result);
    else if (memcmp(peek, nothing, sizeof(nothing)) == 0)
        status = trailer_size(context, path, bytes, length, whole);
    else
        status = read_header(context, path, peek, PEEK_SIZE, kind, limit_of(kind), &idx, whole);
    free(peek);
    if (status == WICK_OK && *whole / DEFLATE_BEST_RATIO > length)
        return wki_fail(
            context, WICK_EFORMAT,
            "%s: is truncated or damaged: its %zu bytes cannot inflate to the %llu its IDX header "
            "promises",
            path, length, (unsigned long long)*whole);
    return status;
}

static wick_status inflate_whole(wick_context *context, struct libdeflate_decompressor *inflater,
                                 const char *path, const uint8_t *bytes, size_t length, uint8_t *memory,
                                 uint64_t whole)
{
    size_t used, got;
    enum libdeflate_result result =
        libdeflate_gzip_decompress_ex(inflater, bytes, length, memory, (size_t)whole, &used, &got);
    if (result != LIBDEFLATE_SUCCESS)
        return inflate_failed(context, path, bytes, length, whole, result);
    if (used != length)
        return wki_fail(
            context, WICK_EFORMAT, "%s: has %zu bytes too many: %s at byte %zu, after the gzip data",
            path, length - used,
            is_gzip(bytes + used, length - used) ? "a second gzip member starts" : "others follow",
            used);
    if (got != whole)
        return wki_fail(context, WICK_EFORMAT,
                        "%s: is truncated: it inflates to %zu of the %llu bytes its IDX "
                        "header promises",
                        path, got, (unsigned long long)whole);
    return WICK_OK;
}

/* Images that are inflated are held in memory: these have to go there. */
static wick_status check_memory(wick_context *context, const char *path, wki_idx_kind kind,
                                uint64_t whole, uint64_t memory_limit)
{
    uint64_t elements = whole - WKI_MIN(whole, (uint64_t)header_size(kind));
    if (elements <= memory_limit)
        return WICK_OK;
    return wki_fail(context, WICK_ELIMIT,
                    "%s: inflates to %llu bytes of pixels, more than the memory limit of %llu; unpacked "
                    "(gunzip) it is read as it is used, with a larger limit (--memory-limit) as it is",
                    path, (unsigned long long)elements, (unsigned long long)memory_limit);
}

static wick_status read_gzip(wick_context *context, const char *path, const uint8_t *bytes,
                             size_t length, wki_idx_kind kind, uint64_t memory_limit, wki_idx *out)
{
    uint64_t whole = 0;
    void *memory = NULL;
    if (length < GZIP_SHORTEST)
        return wki_fail(context, WICK_EFORMAT, "%s: is truncated: %zu bytes are too few for a gzip file",
                        path, length);
    struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
    if (inflater == NULL)
        return wki_fail(context, WICK_ENOMEM, "%s: out of memory to inflate it", path);
    wick_status status = peek_gzip(context, inflater, path, bytes, length, kind, &whole);
    if (status == WICK_OK)
        status = check_memory(context, path, kind, whole, memory_limit);
    if (status == WICK_OK)
        status = wki_alloc(context, (size_t)whole, 1, "an IDX file", &memory);
    if (status == WICK_OK)
        status = inflate_whole(context, inflater, path, bytes, length, memory, whole);
    if (status == WICK_OK)
        status = check_plain(context, path, memory, (size_t)whole, kind, limit_of(kind), out);
    libdeflate_free_decompressor(inflater);
    if (status != WICK_OK)
        free(memory);
    else
        out->memory = memory;
    return status;
}

/* ---- the whole of it ---- */

wick_status wki_idx_parse(wick_context *context, const char *path, const uint8_t *bytes, size_t length,
                          wki_idx_kind kind, wki_idx *out)
{
    wki_idx idx = {0};
    if (is_gzip(bytes, length)) {
        WKI_TRY(read_gzip(context, path, bytes, length, kind, UINT64_MAX, &idx));
    } else {
        void *memory;
        WKI_TRY(check_plain(context, path, bytes, length, kind, limit_of(kind), &idx));
        WKI_TRY(wki_alloc(context, length, 1, "an IDX file", &memory));
        memcpy(memory, bytes, length);
        idx.memory = memory;
    }
    idx.elements = idx.memory + header_size(kind);
    *out = idx;
    return WICK_OK;
}

/* A file's first bytes: enough for its header. */
typedef struct file_start {
    uint8_t bytes[4 + 4 * WKI_IDX_IMAGES];
    size_t length;
    bool packed;
} file_start;

/* Refuses what the header of a plain file says cannot be, before all of it is read. */
static wick_status look_at_start(wki_reader *reader, wki_idx_kind kind, file_start *start, wki_idx *out)
{
    uint64_t limit = kind == WKI_IDX_IMAGES ? ANY_LENGTH : limit_of(kind);
    start->length = (size_t)WKI_MIN(reader->length, (uint64_t)sizeof(start->bytes));
    WKI_TRY(wki_reader_read(reader, start->bytes, start->length));
    start->packed = is_gzip(start->bytes, start->length);
    return start->packed ? WICK_OK
                         : check_start(reader->context, reader->path, start->bytes, start->length,
                                       reader->length, kind, limit, out);
}

/* The whole file in memory, whose start was read. */
static wick_status read_rest(wki_reader *reader, const file_start *start, uint8_t **bytes)
{
    void *memory;
    WKI_TRY(wki_alloc(reader->context, (size_t)reader->length, 1, "an IDX file", &memory));
    memcpy(memory, start->bytes, start->length);
    wick_status status =
        wki_reader_read(reader, (uint8_t *)memory + start->length, reader->length - start->length);
    if (status == WICK_OK)
        *bytes = memory;
    else
        free(memory);
    return status;
}

static wick_status read_packed(wki_reader *reader, const file_start *start, wki_idx_kind kind,
                               uint64_t memory_limit, wki_idx *out)
{
    uint8_t *bytes;
    if (reader->length > limit_of(kind))
        return wki_fail(reader->context, WICK_ELIMIT, "%s: is %llu bytes long; at most %llu are read",
                        reader->path, (unsigned long long)reader->length,
                        (unsigned long long)limit_of(kind));
    WKI_TRY(read_rest(reader, start, &bytes));
    wick_status status =
        read_gzip(reader->context, reader->path, bytes, (size_t)reader->length, kind, memory_limit, out);
    free(bytes);
    return status;
}

/* Takes the reader's fd over where the images are to stay in the file. */
static wick_status read_file(wki_reader *reader, wki_idx_kind kind, uint64_t memory_limit, wki_idx *out)
{
    file_start start;
    WKI_TRY(look_at_start(reader, kind, &start, out));
    if (start.packed) {
        WKI_TRY(read_packed(reader, &start, kind, memory_limit, out));
    } else if (reader->length - header_size(kind) > memory_limit) {
        out->in_file = true;
        out->at = header_size(kind);
        out->fd = reader->fd;
        reader->fd = -1;
        return WICK_OK;
    } else {
        WKI_TRY(read_rest(reader, &start, &out->memory));
    }
    out->elements = out->memory + header_size(kind);
    return WICK_OK;
}

static wick_status read_or_open(wick_context *context, const char *path, wki_idx_kind kind,
                                uint64_t memory_limit, wki_idx *out)
{
    wki_idx idx = {0};
    wki_reader reader;
    WKI_TRY(wki_reader_open(&reader, context, path));
    wick_status status = read_file(&reader, kind, memory_limit, &idx);
    wki_reader_close(&reader);
    if (status == WICK_OK)
        *out = idx;
    return status;
}

wick_status wki_idx_read(wick_context *context, const char *path, wki_idx_kind kind, wki_idx *out)
{
    return read_or_open(context, path, kind, UINT64_MAX, out);
}

wick_status wki_idx_open_images(wick_context *context, const char *path, uint64_t memory_limit,
                                wki_idx *out)
{
    return read_or_open(context, path, WKI_IDX_IMAGES, memory_limit, out);
}

void wki_idx_release(wki_idx *idx)
{
    if (idx->in_file)
        close(idx->fd);
    free(idx->memory);
    *idx = (wki_idx){0};
}
