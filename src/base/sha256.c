#include "base/base.h"

#include <nettle/sha2.h>
#include <stdlib.h>

void wki_sha256(const void *bytes, size_t length, char out[65])
{
    struct sha256_ctx sum;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&sum);
    sha256_update(&sum, length, bytes);
    sha256_digest(&sum, sizeof(digest), digest);
    for (size_t i = 0; i < sizeof(digest); i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

wick_status wki_file_sha256(wick_context *context, const char *path, char out[65])
{
    uint8_t *bytes;
    size_t length;
    WKI_TRY(wki_file_read(context, path, UINT64_MAX, &bytes, &length));
    wki_sha256(bytes, length, out);
    free(bytes);
    return WICK_OK;
}
