/* src/data/idx.c: every way in which an IDX file, gzip'd or not, can be wrong. */
#include "data/idx.h"

#include <setjmp.h>

#include <cmocka.h>

#include "idx_maker.h"

static int make_context(void **state)
{
    return wick_context_new((wick_context **)state) == WICK_OK ? 0 : -1;
}

static int free_context(void **state)
{
    wick_context_free(*state);
    return 0;
}

/* Parses and frees file; what the message has to hold, if it must fail. */
static void expect(wick_context *context, bytes file, wki_idx_kind kind, wick_status status,
                   const char *part)
{
    wki_idx idx = {0};
    /* Exactly as long as it should be, so that a sanitizer sees a byte too far. */
    uint8_t *exact = must(malloc(file.length));
    memcpy(exact, file.at, file.length);
    wick_status got = wki_idx_parse(context, "some/file", exact, file.length, kind, &idx);
    const char *message = wick_context_message(context);
    if (got != status || (status != WICK_OK && strstr(message, part) == NULL))
        fail_msg("%s: %s, instead of %s with \"%s\"", wick_status_name(got), message,
                 wick_status_name(status), part);
    if (status != WICK_OK) {
        assert_null(idx.memory);
        assert_memory_equal(message, "some/file: ", 11);
        assert_null(strchr(message, '\n'));
    }
    wki_idx_release(&idx);
    free(exact);
    free(file.at);
}

static void expect_images(wick_context *context, bytes file, const char *part)
{
    expect(context, file, WKI_IDX_IMAGES, WICK_EFORMAT, part);
}

static void expect_labels(wick_context *context, bytes file, const char *part)
{
    expect(context, file, WKI_IDX_LABELS, WICK_EFORMAT, part);
}

/* ---- what is right ---- */

static void check_same(wick_context *context, bytes file, bytes plain, uint32_t count, uint32_t height,
                       uint32_t width)
{
    wki_idx idx;
    if (wki_idx_parse(context, "f", file.at, file.length, WKI_IDX_IMAGES, &idx) != WICK_OK)
        fail_msg("%s", wick_context_message(context));
    assert_int_equal(idx.count, count);
    assert_int_equal(idx.height, height);
    assert_int_equal(idx.width, width);
    assert_memory_equal(idx.elements, plain.at + 16, plain.length - 16);
    wki_idx_release(&idx);
    assert_null(idx.memory);
}

static void test_images(void **state)
{
    static const uint32_t sizes[][3] = {{1, 1, 1}, {3, 2, 5}, {700, 28, 28}, {1, 1000, 999}};
    for (size_t i = 0; i < WKI_COUNT(sizes); i++) {
        bytes plain = make_images(sizes[i][0], sizes[i][1], sizes[i][2]);
        check_same(*state, plain, plain, sizes[i][0], sizes[i][1], sizes[i][2]);
        for (int level = 0; level <= 12; level += 4) {
            bytes packed = gzip(plain, level);
            check_same(*state, packed, plain, sizes[i][0], sizes[i][1], sizes[i][2]);
            free(packed.at);
        }
        free(plain.at);
    }
}

/* Zeros pack as tightly as DEFLATE can, noise not at all: its blocks are stored ones. */
static void test_images_that_pack_well_or_badly(void **state)
{
    const uint32_t sizes[] = {2000, 28, 28};
    bytes plain = make_idx(0x803, 3, sizes, 2000 * 28 * 28);
    bytes packed = gzip(plain, 12);
    check_same(*state, packed, plain, 2000, 28, 28);
    free(packed.at);
    uint64_t noise = 1;
    for (size_t i = 16; i < plain.length; i++) {
        noise = noise * UINT64_C(6364136223846793005) + 1;
        plain.at[i] = (uint8_t)(noise >> 56);
    }
    packed = gzip(plain, 6);
    assert_true(packed.length > plain.length);
    check_same(*state, packed, plain, 2000, 28, 28);
    free(packed.at);
    free(plain.at);
}

static void test_labels(void **state)
{
    for (int packed = 0; packed < 2; packed++) {
        wki_idx idx;
        bytes file = make_labels(1000, 10);
        if (packed)
            file = gzipped(file);
        assert_int_equal(wki_idx_parse(*state, "f", file.at, file.length, WKI_IDX_LABELS, &idx),
                         WICK_OK);
        assert_int_equal(idx.count, 1000);
        assert_int_equal(idx.height, 1);
        assert_int_equal(idx.width, 1);
        for (int i = 0; i < 1000; i++)
            assert_int_equal(idx.elements[i], i % 10);
        wki_idx_release(&idx);
        free(file.at);
    }
}

/* ---- the header ---- */

static void test_magic(void **state)
{
    const uint32_t sizes[] = {1, 1, 1};
    expect_images(*state, make_labels(20, 10),
                  "holds labels (magic 0x00000801) where images (0x00000803) belong");
    expect_labels(*state, make_images(2, 3, 3),
                  "holds images (magic 0x00000803) where labels (0x00000801) belong");
    expect_images(*state, gzipped(make_labels(20, 10)), "holds labels");
    expect_labels(*state, gzipped(make_images(300, 28, 28)), "holds images");
    expect_images(*state, make_idx(0x804, 3, sizes, 1), "starts with 0x00000804 instead of 0x00000803");
    expect_labels(*state, make_idx(0x901, 1, sizes, 1), "starts with 0x00000901 instead of 0x00000801");
    expect_images(*state, make_idx(0x01000803, 3, sizes, 1), "starts with 0x01000803");
    expect_images(*state, from_text("<html><body>not found</body></html>"),
                  "is not an IDX file of images");
    expect_images(*state, gzipped(from_text("<html><body>not found</body></html>")),
                  "is not an IDX file");
    /* More zeros than are looked at before memory is taken. */
    expect_images(*state, gzipped(make_idx(0, 3, sizes, 1 << 20)), "starts with 0x00000000");
}

static void test_empty(void **state)
{
    expect_images(*state, from_text(""), "is empty");
    expect_labels(*state, from_text(""), "is empty");
    expect_labels(*state, gzipped(from_text("")), "is empty");
    expect_images(*state, make_idx(0x803, 3, (const uint32_t[]){0, 28, 28}, 0), "holds nothing");
    expect_images(*state, make_idx(0x803, 3, (const uint32_t[]){5, 0, 28}, 0), "5 images of 0x28");
    expect_images(*state, make_idx(0x803, 3, (const uint32_t[]){5, 28, 0}, 0), "5 images of 28x0");
    expect_labels(*state, make_idx(0x801, 1, (const uint32_t[]){0}, 0), "holds nothing");
}

static void test_sizes_that_overflow(void **state)
{
    static const uint32_t sizes[][3] = {
        {UINT32_MAX, UINT32_MAX, UINT32_MAX},
        {UINT32_MAX, UINT32_MAX, 1},
        {1u << 31, 1, 1},
        {1u << 31, 1u << 31, 4},
        {1, 1u << 16, 1u << 15},
        {UINT32_MAX, UINT32_MAX, 2},
        {UINT32_MAX, 641, 6700417}, /* 2^64 - 1 */
    };
    for (size_t i = 0; i < WKI_COUNT(sizes); i++) {
        bytes file = make_idx(0x803, 3, sizes[i], 100);
        expect(*state, gzip(file, 6), WKI_IDX_IMAGES, WICK_ELIMIT, "at most 2147483648 bytes");
        expect(*state, file, WKI_IDX_IMAGES, WICK_ELIMIT, "at most 2147483648 bytes");
    }
    expect(*state, make_idx(0x801, 1, (const uint32_t[]){UINT32_MAX}, 100), WKI_IDX_LABELS, WICK_ELIMIT,
           "4294967295 labels");
}

/* ---- lengths ---- */

static void test_every_truncation(void **state)
{
    bytes plain = make_images(3, 4, 5);
    bytes packed = gzip(plain, 6);
    for (size_t length = 1; length < plain.length; length++) {
        bytes part = {.at = must(malloc(length)), .length = length};
        memcpy(part.at, plain.at, length);
        expect_images(*state, part, "is truncated");
    }
    for (size_t length = 1; length < packed.length; length++) {
        bytes part = {.at = must(malloc(length)), .length = length};
        memcpy(part.at, packed.at, length);
        expect_images(*state, part, "truncated");
    }
    free(plain.at);
    free(packed.at);
}

static void test_truncated_past_the_peek(void **state)
{
    bytes packed = gzipped(make_images(700, 28, 28));
    packed.length -= packed.length / 10;
    expect_images(*state, packed, "is truncated or damaged: its gzip data does not end as it should");
}

static void test_trailing_bytes(void **state)
{
    bytes more = from_text("xy"), plain = make_images(3, 4, 5), packed = gzip(plain, 6),
          labels = make_labels(7, 3);
    expect_images(*state, join(plain, more),
                  "has 2 bytes too many: after its 3 images of 4x5 it should end, at 76");
    expect_labels(*state, join(labels, more),
                  "has 2 bytes too many: after its 7 labels it should end, at 15");
    expect_images(*state, join(packed, more), "has 2 bytes too many: others follow at byte");
    expect_images(*state, join(packed, packed), "a second gzip member starts at byte");
    bytes zeros = {.at = must(calloc(512, 1)), .length = 512};
    expect_images(*state, join(packed, zeros), "has 512 bytes too many");
    expect_images(*state, gzipped(join(plain, more)), "inflates to more than the 76 bytes");
    free(more.at);
    free(plain.at);
    free(packed.at);
    free(labels.at);
    free(zeros.at);
}

/* The header and what it is the header of disagree. */
static void test_other_length_inflated(void **state)
{
    bytes file = make_images(700, 28, 28);
    put_32(file.at + 4, 701);
    expect_images(*state, gzip(file, 6), "is truncated: it inflates to 548816 of the 549600 bytes");
    put_32(file.at + 4, 699);
    expect_images(*state, gzipped(file),
                  "inflates to more than the 548032 bytes its IDX header promises");
    file = make_images(3, 4, 5);
    put_32(file.at + 4, 4);
    expect_images(*state, gzip(file, 6), "truncated");
    put_32(file.at + 4, 2);
    expect_images(*state, gzipped(file), "inflates to more than the 56 bytes");
}

/* A hundred bytes that promise 1.6 GB, and keep the promise of none. */
static void test_a_promise_too_large_for_the_file(void **state)
{
    bytes file = make_idx(0x803, 3, (const uint32_t[]){1, 40000, 40000}, 64);
    expect_images(*state, gzip(file, 6), "cannot inflate to the 1600000016 its IDX header promises");
    expect_images(*state, file, "has 80 of the 1600000016 bytes of 1 images of 40000x40000");
}

/* ---- damage ---- */

static void test_checksum(void **state)
{
    static const char *const said[] = {"its gzip data or its checksum (CRC-32) is wrong",
                                       "does not end as it should"};
    for (size_t i = 0; i < 8; i++) {
        bytes packed = gzipped(make_images(700, 28, 28));
        packed.at[packed.length - 8 + i] ^= 1;
        expect_images(*state, packed, said[i / 4]);
    }
}

/* Whatever byte is changed: it is noticed, or it was one of those of the gzip header that say nothing.
 * */
static void test_every_changed_byte(void **state)
{
    bytes plain = make_images(3, 4, 5), packed = gzip(plain, 6);
    int fine = 0;
    for (size_t i = 0; i < packed.length; i++) {
        for (int bit = 0; bit < 8; bit++) {
            wki_idx idx;
            packed.at[i] ^= (uint8_t)(1 << bit);
            if (wki_idx_parse(*state, "f", packed.at, packed.length, WKI_IDX_IMAGES, &idx) == WICK_OK) {
                assert_memory_equal(idx.elements, plain.at + 16, plain.length - 16);
                wki_idx_release(&idx);
                fine++;
            }
            packed.at[i] ^= (uint8_t)(1 << bit);
        }
    }
    /* The time (4 bytes), the flags of the packer, the system, and a flag or two. */
    assert_in_range(fine, 6 * 8, 7 * 8);
    free(plain.at);
    free(packed.at);
}

static void test_gzip_headers(void **state)
{
    bytes packed = gzipped(make_images(3, 4, 5));
    packed.at[2] = 7; /* a method other than DEFLATE */
    expect_images(*state, packed, "is truncated or damaged");
    expect_images(*state, from_text("\x1f\x8b"), "2 bytes are too few for a gzip file");
    expect_images(*state, from_text("\x1f"), "is truncated: 1 of the 16 bytes of an IDX header");
    expect_images(*state, from_text("\x1fzzz"), "it starts with 0x1f7a7a7a");
}

/* ---- files ---- */

static void expect_read(wick_context *context, const char *folder, const char *name, wick_status status,
                        const char *part)
{
    char path[PATH_ROOM];
    wki_idx idx = {0};
    path_to(path, folder, name);
    assert_int_equal(wki_idx_read(context, path, WKI_IDX_LABELS, &idx), status);
    if (status == WICK_OK) {
        assert_int_equal(idx.count, 50);
        assert_int_equal(idx.elements[49], 9);
    } else {
        assert_non_null(strstr(wick_context_message(context), part));
        assert_non_null(strstr(wick_context_message(context), path));
    }
    wki_idx_release(&idx);
}

static void test_files(void **state)
{
    char *folder = make_folder(), path[PATH_ROOM];
    put_file(folder, "plain", make_labels(50, 10));
    put_file(folder, "packed", gzipped(make_labels(50, 10)));
    put_file(folder, "wrong", from_text("wrong"));
    put_file(folder, "huge", from_text(""));
    path_to(path, folder, "huge");
    assert_int_equal(truncate(path, (off_t)(WKI_IDX_LIMIT + 1)), 0);
    expect_read(*state, folder, "plain", WICK_OK, "");
    expect_read(*state, folder, "packed", WICK_OK, "");
    expect_read(*state, folder, "wrong", WICK_EFORMAT, "is not an IDX file");
    expect_read(*state, folder, "missing", WICK_ENOENT, "No such file");
    expect_read(*state, folder, ".", WICK_EIO, "is a folder");
    expect_read(*state, folder, "huge", WICK_EFORMAT, "it starts with 0x00000000");
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_images_that_pack_well_or_badly),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_magic),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_sizes_that_overflow),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_truncated_past_the_peek),
        cmocka_unit_test(test_trailing_bytes),
        cmocka_unit_test(test_other_length_inflated),
        cmocka_unit_test(test_a_promise_too_large_for_the_file),
        cmocka_unit_test(test_checksum),
        cmocka_unit_test(test_every_changed_byte),
        cmocka_unit_test(test_gzip_headers),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, make_context, free_context);
}
