/* Reading, resizing and converting pictures against PIL; pictures/make.py says how the records are
 * written. */
#include "tensor/tensor_internal.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <wick/image.h>

#include <cmocka.h>

enum { FILE_KIND = 1, RESIZED, CONVERTED, PADDED, KIND_COUNT };

typedef struct record_reader {
    wick_context *context;
    const uint8_t *bytes;
    size_t length, at;
    char name[64];
} record_reader;

static const uint8_t *take(record_reader *reader, size_t length)
{
    assert_true(length <= reader->length - reader->at);
    const uint8_t *bytes = reader->bytes + reader->at;
    reader->at += length;
    return bytes;
}

static uint32_t take_u32(record_reader *reader)
{
    const uint8_t *b = take(reader, 4);
    return (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

static wick_tensor *take_picture(record_reader *reader)
{
    wick_tensor *picture;
    int64_t shape[3];
    for (int i = 0; i < 3; i++)
        shape[i] = take_u32(reader);
    const uint8_t *pixels = take(reader, (size_t)(shape[0] * shape[1] * shape[2]));
    assert_int_equal(wick_tensor_from(reader->context, WICK_UINT8, 3, shape, pixels, &picture), WICK_OK);
    return picture;
}

static void expect_same(const record_reader *reader, const wick_tensor *got, const wick_tensor *wanted)
{
    char one[WKI_SHAPE_TEXT], two[WKI_SHAPE_TEXT];
    if (got->ndim != 3 || memcmp(got->shape, wanted->shape, 3 * sizeof(*got->shape)) != 0)
        fail_msg("%s: PIL gives %s, wick %s", reader->name, wki_shape_text(3, wanted->shape, one),
                 wki_shape_text(got->ndim, got->shape, two));
    const uint8_t *a = got->data, *b = wanted->data;
    for (int64_t i = 0; i < got->numel; i++)
        if (a[i] != b[i])
            fail_msg("%s: element %lld of %s: PIL gives %d, wick %d", reader->name, (long long)i,
                     wki_shape_text(3, wanted->shape, one), b[i], a[i]);
}

/* What wick makes of the record; *wanted is what PIL made. */
static wick_status make_file(record_reader *reader, wick_tensor **wanted, wick_tensor **got)
{
    size_t length = take_u32(reader);
    const uint8_t *bytes = take(reader, length);
    *wanted = take_picture(reader);
    return wick_image_read_memory(reader->context, reader->name, bytes, length, NULL, got);
}

static wick_status make_padded(record_reader *reader, const wick_tensor *before, wick_tensor **wanted,
                               wick_tensor **got)
{
    const wick_image_fit_options options = {.invert = WICK_INVERT_OFF, .pad = true};
    for (int64_t c = 0; c < before->shape[0]; c++)
        take_u32(reader);
    *wanted = take_picture(reader);
    return wick_image_fit(before, (*wanted)->shape, &options, got, NULL);
}

static wick_status make(record_reader *reader, uint32_t kind, wick_tensor **wanted, wick_tensor **got)
{
    if (kind == FILE_KIND)
        return make_file(reader, wanted, got);
    wick_tensor *before = take_picture(reader);
    wick_status status;
    if (kind == PADDED) {
        status = make_padded(reader, before, wanted, got);
    } else {
        *wanted = take_picture(reader);
        const int64_t *shape = (*wanted)->shape;
        status = kind == RESIZED ? wick_image_resize(before, shape[1], shape[2], got)
                                 : wick_image_convert(before, shape[0], got);
    }
    wick_tensor_free(before);
    return status;
}

static void pictures_are_those_of_pil(void **state)
{
    record_reader reader = {.context = *state};
    char path[4096];
    uint8_t *bytes;
    int seen[KIND_COUNT] = {0};
    const char *root = getenv("WICK_TEST_SOURCE");
    assert_non_null(root);
    snprintf(path, sizeof(path), "%s/oracle/pictures/pictures.bin", root);
    assert_int_equal(wki_file_read(reader.context, path, 1 << 20, &bytes, &reader.length), WICK_OK);
    reader.bytes = bytes;
    while (reader.at < reader.length) {
        uint32_t kind = take_u32(&reader), length = take_u32(&reader);
        assert_in_range(kind, FILE_KIND, PADDED);
        assert_true(length < sizeof(reader.name));
        memcpy(reader.name, take(&reader, length), length);
        reader.name[length] = '\0';
        wick_tensor *wanted = NULL, *got = NULL;
        if (make(&reader, kind, &wanted, &got) != WICK_OK)
            fail_msg("%s: %s", reader.name, wick_context_message(reader.context));
        expect_same(&reader, got, wanted);
        wick_tensor_free(wanted);
        wick_tensor_free(got);
        seen[kind]++;
    }
    free(bytes);
    assert_int_equal(seen[FILE_KIND], 24);
    assert_int_equal(seen[RESIZED], 32);
    assert_int_equal(seen[CONVERTED], 3);
    assert_int_equal(seen[PADDED], 7);
}

static int set_up(void **state)
{
    wick_context *context;
    if (wick_context_new(&context) != WICK_OK)
        return -1;
    *state = context;
    return 0;
}

static int tear_down(void **state)
{
    wick_context_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pictures_are_those_of_pil, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
