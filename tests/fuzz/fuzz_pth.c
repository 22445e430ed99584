/* Any bytes as a file of torch.save, or, if they do not begin as a zip archive, as the pickle of one.
 * What loads can be saved and loads equal again. */
#include "format/bytes.h"
#include "format/pth.h"
#include "tensor/tensor_internal.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool right)
{
    if (!right)
        abort();
}

static wick_status to_text(void *user, const void *bytes, size_t length)
{
    wki_text_append(user, bytes, length);
    return ((wki_text *)user)->status;
}

/* ---- what loads ---- */

static void check_same(const wick_state_dict *a, const wick_state_dict *b)
{
    check(wick_state_dict_count(a) == wick_state_dict_count(b));
    for (int64_t i = 0; i < wick_state_dict_count(a); i++) {
        const wick_tensor *x = wick_state_dict_tensor(a, i), *y = wick_state_dict_tensor(b, i);
        check(strcmp(wick_state_dict_key(a, i), wick_state_dict_key(b, i)) == 0);
        check(x->dtype == y->dtype && x->ndim == y->ndim && x->numel == y->numel);
        for (int k = 0; k < x->ndim; k++)
            check(x->shape[k] == y->shape[k]);
        check(memcmp(x->data, y->data, (size_t)x->numel * wick_dtype_size(x->dtype)) == 0);
    }
}

/* Expanded tensors may come to 64 MiB; saving those would only take time. */
static bool is_small(const wick_state_dict *dict)
{
    uint64_t numel = 0;
    for (int64_t i = 0; i < wick_state_dict_count(dict); i++)
        numel += (uint64_t)wick_state_dict_tensor(dict, i)->numel;
    return numel < 1 << 18;
}

static void check_round_trip(wick_context *context, const wick_state_dict *dict)
{
    wki_text saved, again;
    wick_state_dict *other;
    wki_text_init(&saved, context);
    wki_text_init(&again, context);
    check(wki_pth_write(dict, "archive", to_text, &saved) == WICK_OK);
    check(wick_load_memory(context, "saved", saved.bytes, saved.length, &other) == WICK_OK);
    check_same(dict, other);
    check(wki_pth_write(other, "archive", to_text, &again) == WICK_OK);
    check(saved.length == again.length && memcmp(saved.bytes, again.bytes, saved.length) == 0);
    wki_text_release(&saved);
    wki_text_release(&again);
    wick_state_dict_free(other);
}

static void load(wick_context *context, const void *bytes, size_t length)
{
    wick_state_dict *dict = NULL;
    if (wick_load_memory(context, "input", bytes, length, &dict) == WICK_OK) {
        if (is_small(dict))
            check_round_trip(context, dict);
        wick_state_dict_free(dict);
        return;
    }
    const char *message = wick_context_message(context);
    check(dict == NULL && strncmp(message, "input: ", 7) == 0 && strchr(message, '\n') == NULL);
}

/* ---- what is tried ---- */

static void put(wki_zip_writer *zip, const char *name, const void *bytes, size_t length)
{
    check(wki_zip_writer_add(zip, name, bytes, length) == WICK_OK);
}

/* The bytes as a pickle, with storages 0, 1, 2 and 3 of 64, 8, 0 and 10 bytes. */
static void load_pickle(wick_context *context, const uint8_t *data, size_t size)
{
    wki_text archive;
    wki_zip_writer zip;
    uint8_t numbers[64];
    for (size_t i = 0; i < sizeof(numbers); i++)
        numbers[i] = (uint8_t)(i * 37);
    wki_text_init(&archive, context);
    wki_zip_writer_init(&zip, context, to_text, &archive);
    put(&zip, "m/data.pkl", data, size);
    put(&zip, "m/data/0", numbers, 64);
    put(&zip, "m/data/1", numbers, 8);
    put(&zip, "m/data/2", numbers, 0);
    put(&zip, "m/data/3", numbers, 10);
    put(&zip, "m/version", "3\n", 2);
    check(wki_zip_writer_finish(&zip) == WICK_OK);
    load(context, archive.bytes, archive.length);
    wki_zip_writer_release(&zip);
    wki_text_release(&archive);
}

static bool sum(const uint8_t *data, size_t packed, size_t unpacked, bool deflated, uint32_t *crc)
{
    if (!deflated) {
        *crc = libdeflate_crc32(0, data, packed);
        return true;
    }
    if (unpacked > 1 << 20)
        return false;
    uint8_t *memory = malloc(unpacked + 1);
    struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
    check(memory != NULL && inflater != NULL);
    bool right = libdeflate_deflate_decompress(inflater, data, packed, memory, unpacked, NULL) ==
                 LIBDEFLATE_SUCCESS;
    if (right)
        *crc = libdeflate_crc32(0, memory, unpacked);
    libdeflate_free_decompressor(inflater);
    free(memory);
    return right;
}

/* Puts the right CRC-32 into the headers of the entry whose central header is at `central`. */
static void mend_entry(uint8_t *bytes, size_t length, size_t central)
{
    uint8_t *header = bytes + central;
    size_t packed = wki_get32(header + 20), unpacked = wki_get32(header + 24),
           local = wki_get32(header + 42);
    uint32_t crc;
    if (local > length || length - local < 30)
        return;
    size_t data = local + 30 + wki_get16(bytes + local + 26) + wki_get16(bytes + local + 28);
    if (data > length || packed > length - data ||
        !sum(bytes + data, packed, unpacked, wki_get16(header + 10) == 8, &crc))
        return;
    wki_put(header + 16, crc, 4);
    if ((bytes[local + 6] & 8) == 0)
        wki_put(bytes + local + 14, crc, 4);
    else if (length - data - packed >= 8)
        wki_put(bytes + data + packed + 4, crc, 4);
}

/* An archive whose sums were mended first, so that changed contents get past them. */
static void load_mended(wick_context *context, const uint8_t *data, size_t size)
{
    uint8_t *bytes = malloc(size);
    check(bytes != NULL);
    memcpy(bytes, data, size);
    for (size_t i = 0; i + 46 <= size; i++)
        if (memcmp(bytes + i, "PK\1\2", 4) == 0)
            mend_entry(bytes, size, i);
    load(context, bytes, size);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wick_context *context;
    if (wick_context_new(&context) != WICK_OK)
        return 0;
    load(context, data, size);
    if (size >= 2 && memcmp(data, "PK", 2) == 0)
        load_mended(context, data, size);
    else
        load_pickle(context, data, size);
    wick_context_free(context);
    return 0;
}
