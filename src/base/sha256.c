#include "base/base.h"

#include <nettle/sha2.h>
#include <stdlib.h>

enum { PIECE = 1 << 18 };

static void finish(struct sha256_ctx *sum, char out[65])
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(sum, sizeof(digest), digest);
    for (size_t i = 0; i < sizeof(digest); i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

void wki_sha256(const void *bytes, size_t length, char out[65])
{
    struct sha256_ctx sum;
    sha256_init(&sum);
    sha256_update(&sum, length, bytes);
    finish(&sum, out);
}

/* In pieces: the file may be larger than memory. */
static wick_status sum_file(wki_reader *reader, char out[65])
{
    struct sha256_ctx sum;
    void *piece;
    wick_status status = WICK_OK;
    WKI_TRY(wki_alloc(reader->context, PIECE, 1, "a file's sum", &piece));
    sha256_init(&sum);
    while (status == WICK_OK && reader->at < reader->length) {
        uint64_t size = WKI_MIN(reader->length - reader->at, (uint64_t)PIECE);
        status = wki_reader_read(reader, piece, size);
        if (status == WICK_OK)
            sha256_update(&sum, (size_t)size, piece);
    }
    free(piece);
    if (status == WICK_OK)
        finish(&sum, out);
    return status;
}

wick_status wki_file_sha256(wick_context *context, const char *path, char out[65])
{
    wki_reader reader;
    WKI_TRY(wki_reader_open(&reader, context, path));
    wick_status status = sum_file(&reader, out);
    wki_reader_close(&reader);
    return status;
}
