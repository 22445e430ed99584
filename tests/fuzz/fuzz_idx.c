/* Any bytes as an IDX file of images and as one of labels. */
#include "data/idx.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All that a parsed file says is there can be read. */
static void look_at(const wki_idx *idx)
{
    uint64_t elements = (uint64_t)idx->count * (uint64_t)idx->height * (uint64_t)idx->width, sum = 0;
    if (idx->count < 1 || idx->height < 1 || idx->width < 1 || elements > WKI_IDX_LIMIT)
        abort();
    for (uint64_t i = 0; i < elements; i++)
        sum += idx->elements[i];
    if (sum > 255 * elements)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const wki_idx_kind kinds[] = {WKI_IDX_LABELS, WKI_IDX_IMAGES};
    wick_context *context;
    if (wick_context_new(&context) != WICK_OK)
        return 0;
    for (size_t i = 0; i < WKI_COUNT(kinds); i++) {
        wki_idx idx = {0};
        if (wki_idx_parse(context, "input", data, size, kinds[i], &idx) == WICK_OK)
            look_at(&idx);
        else if (idx.memory != NULL || wick_context_message(context)[0] == '\0')
            abort();
        wki_idx_release(&idx);
    }
    wick_context_free(context);
    return 0;
}
