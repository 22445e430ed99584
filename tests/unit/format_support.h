/* For the tests of src/format: bytes in memory, and archives that lie. */
#ifndef FORMAT_SUPPORT_H
#define FORMAT_SUPPORT_H

#include "base/base.h"
#include "format/bytes.h"
#include "format/zip.h"

#include <libdeflate.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct buffer {
    uint8_t *bytes;
    size_t length;
} buffer;

static inline void put(buffer *to, const void *bytes, size_t length)
{
    to->bytes = realloc(to->bytes, to->length + length + 1);
    assert_non_null(to->bytes);
    if (length > 0)
        memcpy(to->bytes + to->length, bytes, length);
    to->length += length;
}

static inline void put_number(buffer *to, uint64_t number, int size)
{
    uint8_t bytes[8];
    wki_put(bytes, number, size);
    put(to, bytes, (size_t)size);
}

static inline wick_status put_sink(void *user, const void *bytes, size_t length)
{
    put(user, bytes, length);
    return WICK_OK;
}

static inline void release(buffer *from)
{
    free(from->bytes);
    *from = (buffer){0};
}

/* A copy of exactly these bytes, so that the address sanitizer sees a read beyond them. */
static inline uint8_t *exact(const void *bytes, size_t length)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);
    assert_non_null(copy);
    if (length > 0)
        memcpy(copy, bytes, length);
    return copy;
}

/* A string that gcc knows to be one, where the sanitizer's checks make it think of NULL. */
static inline const char *shown(const char *string)
{
    return string == NULL ? "" : string;
}

static inline void assert_says(wick_context *context, const char *words)
{
    const char *message = shown(wick_context_message(context));
    if (strstr(message, shown(words)) == NULL)
        fail_msg("the message '%s' should have '%s'", message, shown(words));
    if (strchr(message, '\n') != NULL)
        fail_msg("the message '%s' is of several lines", message);
}

/* ---- pickles ---- */

/* A pickle in a string literal, its NULs too. */
#define PICKLE(bytes) bytes, sizeof(bytes) - 1

/* The pieces of a tensor: torch's names, a storage of float32 numbers, no hooks. */
#define STORAGE(class, key, numel)   "(X\7\0\0\0storagectorch\n" class "\n" key "X\3\0\0\0cpu" numel "tQ"
#define FLOATS                       STORAGE("FloatStorage", "X\1\0\0\0a", "K\x10")
#define REBUILD                      "ctorch._utils\n_rebuild_tensor_v2\n"
#define HOOKS                        "ccollections\nOrderedDict\n)R"
#define TENSOR(offset, size, stride) REBUILD "(" FLOATS offset size stride "\x89" HOOKS "tR"
#define PARAMETER                    "ctorch._utils\n_rebuild_parameter\n"

/* ---- archives ---- */

/* What a header says. */
typedef struct head {
    const char *name;
    size_t name_length;
    uint16_t flags, method;
    uint32_t time, crc, packed, size;
    uint64_t offset; /* in a central header: beyond the true one */
    uint8_t extra[64];
    size_t extra_length;
    uint16_t comment, disk;
} head;

/* An entry whose headers say the truth until a test changes them. */
typedef struct item {
    head local, central;
    buffer data, before, after; /* before: in front of the local header; after: behind the data */
} item;

static inline item make_item(const char *name, const void *data, size_t size, bool deflate)
{
    item made = {0};
    if (deflate) {
        struct libdeflate_compressor *deflater = libdeflate_alloc_compressor(6);
        size_t bound = libdeflate_deflate_compress_bound(deflater, size);
        made.data.bytes = malloc(bound + 1);
        made.data.length = libdeflate_deflate_compress(deflater, data, size, made.data.bytes, bound);
        libdeflate_free_compressor(deflater);
    } else {
        put(&made.data, data, size);
    }
    made.local = (head){.name = name,
                        .name_length = strlen(name),
                        .flags = 0x0800,
                        .method = deflate ? 8 : 0,
                        .time = 0x5a210000,
                        .crc = libdeflate_crc32(0, data, size),
                        .packed = (uint32_t)made.data.length,
                        .size = (uint32_t)size};
    made.central = made.local;
    return made;
}

static inline void release_item(item *one)
{
    release(&one->data);
    release(&one->before);
    release(&one->after);
}

static inline void put_head(buffer *to, const head *says, bool central)
{
    put(to, central ? "PK\1\2" : "PK\3\4", 4);
    put_number(to, 0x14, central ? 4 : 2);
    put_number(to, says->flags, 2);
    put_number(to, says->method, 2);
    put_number(to, says->time, 4);
    put_number(to, says->crc, 4);
    put_number(to, says->packed, 4);
    put_number(to, says->size, 4);
    put_number(to, says->name_length, 2);
    put_number(to, says->extra_length, 2);
    if (central) {
        put_number(to, says->comment, 2);
        put_number(to, says->disk, 2);
        put_number(to, 0, 6);
        put_number(to, says->offset, 4);
    }
    put(to, says->name, says->name_length);
    put(to, says->extra, says->extra_length);
}

/* What the end record says, beyond the truth. */
typedef struct end_lies {
    uint16_t disk, start_disk, count_here, count, comment;
    uint32_t size, offset;
} end_lies;

/* Puts the items, which stay the caller's, into an archive as zip programs write it. */
static inline buffer make_archive(const item *items, size_t count, const end_lies *lies)
{
    buffer out = {0}, directory = {0};
    static const end_lies none;
    lies = lies == NULL ? &none : lies;
    for (size_t i = 0; i < count; i++) {
        head central = items[i].central;
        put(&out, items[i].before.bytes, items[i].before.length);
        central.offset += out.length;
        put_head(&out, &items[i].local, false);
        put(&out, items[i].data.bytes, items[i].data.length);
        put(&out, items[i].after.bytes, items[i].after.length);
        put_head(&directory, &central, true);
    }
    uint64_t offset = out.length;
    put(&out, directory.bytes, directory.length);
    put(&out, "PK\5\6", 4);
    put_number(&out, lies->disk, 2);
    put_number(&out, lies->start_disk, 2);
    put_number(&out, count + lies->count + lies->count_here, 2);
    put_number(&out, count + lies->count, 2);
    put_number(&out, directory.length + lies->size, 4);
    put_number(&out, offset + lies->offset, 4);
    put_number(&out, lies->comment, 2);
    release(&directory);
    return out;
}

#endif
