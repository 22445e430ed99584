#include "format/bytes.h"
#include "format/zip.h"

#include <libdeflate.h>
#include <string.h>

enum { ALIGNMENT = 64, LOCAL_SIZE = 30, ZIP64_MOST = 4 + 3 * 8, PADDING_MOST = 4 + ALIGNMENT };

#define MAX32 UINT32_C(0xffffffff)

void wki_zip_writer_init(wki_zip_writer *writer, wick_context *context, wki_sink *sink, void *user)
{
    *writer = (wki_zip_writer){.context = context, .sink = sink, .user = user, .zip64_from = MAX32};
    wki_text_init(&writer->directory, context);
}

void wki_zip_writer_release(wki_zip_writer *writer)
{
    wki_text_release(&writer->directory);
}

static wick_status put_out(wki_zip_writer *writer, const void *bytes, size_t length)
{
    writer->offset += length;
    return length == 0 ? WICK_OK : writer->sink(writer->user, bytes, length);
}

static uint32_t narrow(const wki_zip_writer *writer, uint64_t number)
{
    return number >= writer->zip64_from ? MAX32 : (uint32_t)number;
}

/* The zip64 field: those of the numbers that need it; `packed` is size's value in the second place. */
static size_t zip64_field(const wki_zip_writer *writer, uint64_t size, uint64_t packed, uint64_t offset,
                          uint8_t out[ZIP64_MOST])
{
    uint8_t *at = out + 4;
    if (size >= writer->zip64_from) {
        at = wki_put(at, size, 8);
        at = wki_put(at, packed, 8);
    }
    if (offset >= writer->zip64_from)
        at = wki_put(at, offset, 8);
    size_t length = (size_t)(at - out);
    wki_put(wki_put(out, 1, 2), length - 4, 2);
    return length > 4 ? length : 0;
}

/* The extra field that moves the data, which would begin at `start` without it, to a multiple of 64. */
static size_t padding_field(uint64_t start, uint8_t out[PADDING_MOST])
{
    size_t padding = (size_t)(-(start + 4) % ALIGNMENT);
    memcpy(out, "FB", 2);
    wki_put(out + 2, padding, 2);
    memset(out + 4, 'Z', padding);
    return 4 + padding;
}

/* Signature, versions, flags, method, time: the first bytes of both headers. An entry without data has
 * nothing behind it. */
static uint8_t *put_front(uint8_t *at, const char *signature, int versions, size_t size)
{
    memcpy(at, signature, 4);
    at = wki_put(at + 4, 0, 2 * versions);
    at = wki_put(at, size > 0 ? 0x0808 : 0x0800, 2);
    return wki_put(at, 0, 6);
}

static void add_to_directory(wki_zip_writer *writer, const char *name, uint32_t crc, size_t size,
                             uint64_t offset)
{
    uint8_t header[46], zip64[ZIP64_MOST];
    size_t extra = zip64_field(writer, size, size, offset, zip64);
    uint8_t *at = put_front(header, "PK\1\2", 2, size);
    at = wki_put(at, crc, 4);
    at = wki_put(at, narrow(writer, size), 4);
    at = wki_put(at, narrow(writer, size), 4);
    at = wki_put(at, strlen(name), 2);
    at = wki_put(at, extra, 2);
    at = wki_put(at, 0, 8);
    at = wki_put(at, 0, 2);
    wki_put(at, narrow(writer, offset), 4);
    wki_text_append(&writer->directory, (const char *)header, sizeof(header));
    wki_text_puts(&writer->directory, name);
    wki_text_append(&writer->directory, (const char *)zip64, extra);
    writer->count++;
}

static wick_status put_descriptor(wki_zip_writer *writer, uint32_t crc, size_t size, bool wide)
{
    uint8_t descriptor[24];
    memcpy(descriptor, "PK\7\10", 4);
    uint8_t *at = wki_put(descriptor + 4, crc, 4);
    at = wki_put(at, size, wide ? 8 : 4);
    at = wki_put(at, size, wide ? 8 : 4);
    return put_out(writer, descriptor, (size_t)(at - descriptor));
}

wick_status wki_zip_writer_add(wki_zip_writer *writer, const char *name, const void *bytes, size_t size)
{
    uint8_t header[LOCAL_SIZE], zip64[ZIP64_MOST], padding[PADDING_MOST];
    uint64_t offset = writer->offset;
    size_t length = strlen(name);
    if (!wki_zip_name_ok(name, length))
        return wki_fail(writer->context, WICK_EINVAL, "an archive cannot have an entry of this name");
    size_t wide = zip64_field(writer, size, 0, offset, zip64);
    size_t padded = padding_field(offset + LOCAL_SIZE + length + wide, padding);
    uint8_t *at = put_front(header, "PK\3\4", 1, size);
    at = wki_put(at, 0, 8);
    at = wki_put(at, 0, 4);
    at = wki_put(at, length, 2);
    wki_put(at, wide + padded, 2);
    uint32_t crc = libdeflate_crc32(0, bytes, size);
    WKI_TRY(put_out(writer, header, sizeof(header)));
    WKI_TRY(put_out(writer, name, length));
    WKI_TRY(put_out(writer, zip64, wide));
    WKI_TRY(put_out(writer, padding, padded));
    WKI_TRY(put_out(writer, bytes, size));
    if (size > 0)
        WKI_TRY(put_descriptor(writer, crc, size, wide > 0));
    add_to_directory(writer, name, crc, size, offset);
    return writer->directory.status;
}

static wick_status put_end(wki_zip_writer *writer, uint64_t offset, uint64_t size)
{
    uint8_t end[56 + 20 + 22];
    uint64_t end64 = writer->offset;
    memcpy(end, "PK\6\6", 4);
    uint8_t *at = wki_put(end + 4, 44, 8);
    at = wki_put(at, 0x031e, 2); /* made by, needed: as PyTorch says */
    at = wki_put(at, 45, 2);
    at = wki_put(at, 0, 8);
    at = wki_put(at, writer->count, 8);
    at = wki_put(at, writer->count, 8);
    at = wki_put(at, size, 8);
    at = wki_put(at, offset, 8);
    memcpy(at, "PK\6\7\0\0\0\0", 8);
    at = wki_put(at + 8, end64, 8);
    at = wki_put(at, 1, 4);
    memcpy(at, "PK\5\6\0\0\0\0", 8);
    at = wki_put(at + 8, WKI_MIN(writer->count, 0xffff), 2);
    at = wki_put(at, WKI_MIN(writer->count, 0xffff), 2);
    at = wki_put(at, narrow(writer, size), 4);
    at = wki_put(at, narrow(writer, offset), 4);
    wki_put(at, 0, 2);
    return put_out(writer, end, sizeof(end));
}

wick_status wki_zip_writer_finish(wki_zip_writer *writer)
{
    uint64_t offset = writer->offset;
    WKI_TRY(writer->directory.status);
    WKI_TRY(put_out(writer, writer->directory.bytes, writer->directory.length));
    return put_end(writer, offset, writer->directory.length);
}
