/* src/image: every form of PNG and JPEG, and what is none. */
#include "image/image_internal.h"
#include "tensor/tensor_internal.h"

#include <setjmp.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <wick/image.h>

#include <cmocka.h>

#include "picture_maker.h"

static wick_tensor *read_good(wick_context *context, const file_bytes *file,
                              const wick_image_options *options)
{
    wick_tensor *image;
    if (wick_image_read_memory(context, "a.png", file->at, file->length, options, &image) != WICK_OK)
        fail_msg("%s", wick_context_message(context));
    return image;
}

static void expect_bad(wick_context *context, const void *bytes, size_t length,
                       const wick_image_options *options, wick_status status, const char *message)
{
    wick_tensor *image = NULL;
    assert_int_equal(wick_image_read_memory(context, "a.png", bytes, length, options, &image), status);
    assert_null(image);
    assert_string_equal(wick_context_message(context), message);
}

/* ---- every form of PNG ---- */

/* Sample number i of row y, of `bits` bits: no two neighbours are alike. */
static unsigned sample(const png_wish *wish, uint32_t y, uint32_t i)
{
    unsigned most = (1u << wish->bits) - 1;
    if (wish->type == PNG_COLOR_TYPE_PALETTE)
        return (i + 3 * y) % (unsigned)wish->palette_count;
    return (i * 2654435761u + y * 40503u + (i * y) * 977u) >> 7 & most;
}

static int samples_a_pixel(const png_wish *wish)
{
    switch (wish->type) {
    case PNG_COLOR_TYPE_GRAY_ALPHA:
        return 2;
    case PNG_COLOR_TYPE_RGB:
        return 3;
    case PNG_COLOR_TYPE_RGB_ALPHA:
        return 4;
    default:
        return 1;
    }
}

static void sample_row(const png_wish *wish, uint32_t y, uint8_t *bytes)
{
    uint32_t count = wish->width * (uint32_t)samples_a_pixel(wish);
    memset(bytes, 0, (count * (uint32_t)wish->bits + 7) / 8);
    for (uint32_t i = 0; i < count; i++) {
        unsigned value = sample(wish, y, i);
        uint32_t bit = i * (uint32_t)wish->bits;
        if (wish->bits == 16) {
            bytes[2 * i] = (uint8_t)(value >> 8);
            bytes[2 * i + 1] = (uint8_t)value;
        } else {
            bytes[bit / 8] |= (uint8_t)(value << (8 - (uint32_t)wish->bits - bit % 8));
        }
    }
}

static int to_8_bits(const png_wish *wish, unsigned value)
{
    unsigned most = (1u << wish->bits) - 1;
    return (int)((value * 255 + most / 2) / most);
}

/* The red, green, blue and alpha that pixel x of row y stands for. */
static void expected_pixel(const png_wish *wish, uint32_t y, uint32_t x, int rgba[4])
{
    uint32_t each = (uint32_t)samples_a_pixel(wish);
    unsigned first = sample(wish, y, x * each);
    rgba[3] = 255;
    if (wish->type == PNG_COLOR_TYPE_PALETTE) {
        rgba[0] = wish->palette[first].red;
        rgba[1] = wish->palette[first].green;
        rgba[2] = wish->palette[first].blue;
        if ((int)first < wish->alpha_count)
            rgba[3] = wish->alpha[first];
        return;
    }
    for (uint32_t c = 0; c < 3; c++)
        rgba[c] = to_8_bits(wish, sample(wish, y, x * each + (each >= 3 ? c : 0)));
    if (each == 2 || each == 4)
        rgba[3] = to_8_bits(wish, sample(wish, y, x * each + each - 1));
    if (wish->grey_key && first == 1)
        rgba[3] = 0;
}

static void check_pixels(const png_wish *wish, const wick_tensor *image, int channels, int background)
{
    assert_int_equal(image->ndim, 3);
    assert_int_equal(image->shape[0], channels);
    assert_int_equal(image->shape[1], wish->height);
    assert_int_equal(image->shape[2], wish->width);
    const uint8_t *got = image->data;
    for (uint32_t y = 0; y < wish->height; y++)
        for (uint32_t x = 0; x < wish->width; x++) {
            int rgba[4];
            expected_pixel(wish, y, x, rgba);
            for (int c = 0; c < channels; c++) {
                int wanted = (rgba[c] * rgba[3] + background * (255 - rgba[3]) + 127) / 255;
                size_t at = ((size_t)c * wish->height + y) * wish->width + x;
                if (got[at] != wanted)
                    fail_msg("type %d, %d bits, %ux%u%s: channel %d of (%u, %u) is %d, not %d",
                             wish->type, wish->bits, wish->width, wish->height,
                             wish->interlaced ? ", interlaced" : "", c, x, y, got[at], wanted);
            }
        }
}

/* In several sizes, interlaced and not, on white and on black. */
static void check_png(wick_context *context, png_wish wish, int channels)
{
    static const uint32_t sizes[][2] = {{1, 1}, {1, 9}, {9, 1}, {3, 2}, {17, 11}, {33, 8}};
    const wick_image_options black = {.black_background = true};
    wish.row = sample_row;
    for (size_t i = 0; i < 2 * WKI_COUNT(sizes); i++) {
        wish.width = sizes[i / 2][0];
        wish.height = sizes[i / 2][1];
        wish.interlaced = i % 2 == 1;
        file_bytes file = make_png(&wish);
        wick_tensor *white_image = read_good(context, &file, NULL),
                    *black_image = read_good(context, &file, &black);
        check_pixels(&wish, white_image, channels, 255);
        check_pixels(&wish, black_image, channels, 0);
        wick_tensor_free(white_image);
        wick_tensor_free(black_image);
        free(file.at);
    }
}

static void png_of_every_form(void **state)
{
    for (int bits = 1; bits <= 16; bits *= 2) {
        check_png(*state, (png_wish){.bits = bits, .type = PNG_COLOR_TYPE_GRAY}, 1);
        check_png(*state, (png_wish){.bits = bits, .type = PNG_COLOR_TYPE_GRAY, .grey_key = true}, 1);
    }
    for (int bits = 8; bits <= 16; bits *= 2) {
        check_png(*state, (png_wish){.bits = bits, .type = PNG_COLOR_TYPE_GRAY_ALPHA}, 1);
        check_png(*state, (png_wish){.bits = bits, .type = PNG_COLOR_TYPE_RGB}, 3);
        check_png(*state, (png_wish){.bits = bits, .type = PNG_COLOR_TYPE_RGB_ALPHA}, 3);
    }
}

static void png_with_a_palette(void **state)
{
    for (int bits = 1; bits <= 8; bits *= 2)
        for (int form = 0; form < 4; form++) {
            bool grey = form % 2 == 1;
            png_wish wish = {.bits = bits,
                             .type = PNG_COLOR_TYPE_PALETTE,
                             .palette_count = bits == 8 ? 200 : 1 << bits};
            for (int i = 0; i < wish.palette_count; i++) {
                uint8_t v = (uint8_t)(i * 37 + 11);
                wish.palette[i] =
                    grey ? (png_color){v, v, v} : (png_color){v, (uint8_t)(3 * v), (uint8_t)~v};
                wish.alpha[i] = (uint8_t)(i * 101);
            }
            wish.alpha_count = form >= 2 ? (wish.palette_count + 1) / 2 : 0;
            check_png(*state, wish, grey ? 1 : 3);
        }
}

/* ---- sizes ---- */

static file_bytes png_of_size(uint32_t width, uint32_t height)
{
    const png_wish wish = {
        .width = 4, .height = 4, .bits = 8, .type = PNG_COLOR_TYPE_RGB, .row = sample_row};
    file_bytes file = make_png(&wish);
    set_png_size(&file, width, height);
    return file;
}

static void expect_size(wick_context *context, uint32_t width, uint32_t height, wick_status status,
                        const char *message)
{
    file_bytes file = png_of_size(width, height);
    expect_bad(context, file.at, file.length, NULL, status, message);
    free(file.at);
}

static void sizes_are_looked_at_first(void **state)
{
    expect_size(*state, 0, 0, WICK_EFORMAT, "a.png: is a picture of 0x0 pixels");
    expect_size(*state, 4, 0, WICK_EFORMAT, "a.png: is a picture of 4x0 pixels");
    expect_size(*state, 100000, 100000, WICK_ELIMIT,
                "a.png: is a picture of 100000x100000 pixels; at most 67108864 pixels in all are read");
    expect_size(
        *state, UINT32_MAX, UINT32_MAX, WICK_ELIMIT,
        "a.png: is a picture of 4294967295x4294967295 pixels; at most 67108864 pixels in all are read");
    expect_size(*state, 8192, 8193, WICK_ELIMIT,
                "a.png: is a picture of 8192x8193 pixels; at most 67108864 pixels in all are read");
}

/* Deflate makes at most 1,032 bytes of one: what a file cannot hold is refused before memory is taken
 * for it. */
static void pixels_that_are_not_there(void **state)
{
    char message[128];
    file_bytes file = png_of_size(8192, 8192);
    snprintf(message, sizeof(message),
             "a.png: is a broken PNG picture: its %zu bytes cannot hold 8192x8192 pixels", file.length);
    expect_bad(*state, file.at, file.length, NULL, WICK_EFORMAT, message);
    free(file.at);
    wick_tensor *image = NULL;
    file = png_of_size(4, 40);
    assert_int_equal(wick_image_read_memory(*state, "a.png", file.at, file.length, NULL, &image),
                     WICK_EFORMAT);
    assert_ptr_equal(strstr(wick_context_message(*state), "a.png: is a broken PNG picture: "),
                     wick_context_message(*state));
    free(file.at);
}

static void zero_row(const png_wish *wish, uint32_t y, uint8_t *bytes)
{
    (void)y;
    memset(bytes, 0, wish->width);
}

/* A megabyte of pixels in a kilobyte is no bomb, but the caller may say what is one. */
static void the_limit_is_the_callers(void **state)
{
    const png_wish wish = {.width = 1000, .height = 1000, .bits = 8, .row = zero_row};
    const wick_image_options exact = {.max_pixels = 1000000}, less = {.max_pixels = 999999},
                             wrong = {.max_pixels = -1};
    file_bytes file = make_png(&wish);
    assert_true(file.length < 2000);
    wick_tensor_free(read_good(*state, &file, &exact));
    expect_bad(*state, file.at, file.length, &less, WICK_ELIMIT,
               "a.png: is a picture of 1000x1000 pixels; at most 999999 pixels in all are read");
    expect_bad(*state, file.at, file.length, &wrong, WICK_EINVAL, "max_pixels is below 0");
    free(file.at);
}

/* ---- JPEG ---- */

/* Slow waves in every component: they survive the compression within a few grey levels. */
static int wave(uint32_t y, uint32_t x, int component)
{
    return (int)(60 + 3 * x + 2 * y + 40 * (unsigned)component) % 256;
}

static void wave_row(const jpeg_wish *wish, uint32_t y, uint8_t *bytes)
{
    for (uint32_t x = 0; x < wish->width; x++)
        for (int c = 0; c < wish->components; c++)
            bytes[x * (uint32_t)wish->components + (uint32_t)c] = (uint8_t)wave(y, x, c);
}

static void check_wave(wick_context *context, jpeg_wish wish, bool cmyk)
{
    enum { NEAR = 6 };
    wish.width = 24;
    wish.height = 16;
    wish.row = wave_row;
    file_bytes file = make_jpeg(&wish);
    wick_tensor *image = read_good(context, &file, NULL);
    int channels = wish.components == 1 ? 1 : 3;
    assert_int_equal(image->shape[0], channels);
    assert_int_equal(image->shape[1], wish.height);
    assert_int_equal(image->shape[2], wish.width);
    const uint8_t *got = image->data;
    for (int c = 0; c < channels; c++)
        for (uint32_t y = 0; y < wish.height; y++)
            for (uint32_t x = 0; x < wish.width; x++) {
                int v = got[((uint32_t)c * wish.height + y) * wish.width + x], wanted = wave(y, x, c);
                if (cmyk) /* as Adobe's programs store it: 255 is no ink */
                    wanted = wanted * wave(y, x, 3) / 255;
                if (abs(v - wanted) > NEAR)
                    fail_msg("space %d: channel %d of (%u, %u) is %d, not about %d", wish.stored, c, x,
                             y, v, wanted);
            }
    wick_tensor_free(image);
    free(file.at);
}

static void jpeg_of_every_form(void **state)
{
    check_wave(*state, (jpeg_wish){.components = 1, .in = JCS_GRAYSCALE, .stored = JCS_GRAYSCALE},
               false);
    check_wave(*state, (jpeg_wish){.components = 3, .in = JCS_RGB, .stored = JCS_YCbCr}, false);
    check_wave(*state,
               (jpeg_wish){.components = 3, .in = JCS_RGB, .stored = JCS_YCbCr, .progressive = true},
               false);
    check_wave(*state, (jpeg_wish){.components = 3, .in = JCS_RGB, .stored = JCS_RGB}, false);
    check_wave(*state, (jpeg_wish){.components = 4, .in = JCS_CMYK, .stored = JCS_CMYK}, true);
    check_wave(*state, (jpeg_wish){.components = 4, .in = JCS_CMYK, .stored = JCS_YCCK}, true);
}

static void jpeg_limits(void **state)
{
    const jpeg_wish many = {.width = 16,
                            .height = 16,
                            .components = 3,
                            .in = JCS_RGB,
                            .stored = JCS_YCbCr,
                            .many_scans = true,
                            .row = wave_row};
    const wick_image_options few = {.max_pixels = 255};
    file_bytes file = make_jpeg(&many);
    expect_bad(*state, file.at, file.length, NULL, WICK_ELIMIT,
               "a.png: is a JPEG picture of more than 100 scans");
    expect_bad(*state, file.at, file.length, &few, WICK_ELIMIT,
               "a.png: is a picture of 16x16 pixels; at most 255 pixels in all are read");
    free(file.at);
}

/* ---- EXIF ---- */

/* An EXIF block of one entry, the orientation, in either byte order. Returns its length. */
static unsigned make_exif(uint8_t *bytes, bool little, int orientation)
{
    static const uint8_t big[] = {'E', 'x',  'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1,
                                  1,   0x12, 0,   3,   0, 0, 0,   1,   0, 0,  0, 0, 0, 0, 0, 0};
    static const uint8_t small[] = {'E',  'x', 'i', 'f', 0, 0, 'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0,
                                    0x12, 1,   3,   0,   1, 0, 0,   0,   0,  0, 0, 0, 0, 0, 0, 0};
    memcpy(bytes, little ? small : big, sizeof(big));
    bytes[little ? 24 : 25] = (uint8_t)orientation;
    return sizeof(big);
}

/* Where the pixel stored at (x, y) of w x h is to be seen. */
static void seen_at(int orientation, uint32_t w, uint32_t h, uint32_t x, uint32_t y, uint32_t *sx,
                    uint32_t *sy)
{
    const uint32_t places[9][2] = {
        [1] = {x, y}, [2] = {w - 1 - x, y}, [3] = {w - 1 - x, h - 1 - y}, [4] = {x, h - 1 - y},
        [5] = {y, x}, [6] = {h - 1 - y, x}, [7] = {h - 1 - y, w - 1 - x}, [8] = {y, w - 1 - x}};
    *sx = places[orientation][0];
    *sy = places[orientation][1];
}

/* The shape alone, which a folder of pictures is asked for first, is that of the picture. */
static void check_shape(wick_context *context, const file_bytes *file, const int64_t *wanted)
{
    char path[] = "/tmp/wick-image-XXXXXX";
    int64_t shape[3];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, file->at, file->length), file->length);
    close(fd);
    assert_int_equal(wki_image_read_shape(context, path, shape), WICK_OK);
    assert_memory_equal(shape, wanted, sizeof(shape));
    remove(path);
}

static void check_orientation(wick_context *context, int orientation, bool little, uint32_t w,
                              uint32_t h)
{
    uint8_t exif[64];
    const wick_image_options stored = {.keep_stored = true};
    jpeg_wish wish = {.width = w,
                      .height = h,
                      .components = 1,
                      .in = JCS_GRAYSCALE,
                      .stored = JCS_GRAYSCALE,
                      .row = wave_row,
                      .exif = exif,
                      .exif_length = make_exif(exif, little, orientation)};
    file_bytes file = make_jpeg(&wish);
    wick_tensor *turned = read_good(context, &file, NULL),
                *as_stored = read_good(context, &file, &stored);
    assert_int_equal(as_stored->shape[2], w);
    assert_int_equal(turned->shape[2], orientation >= 5 ? h : w);
    assert_int_equal(turned->shape[1], orientation >= 5 ? w : h);
    for (uint32_t y = 0; y < h; y++)
        for (uint32_t x = 0; x < w; x++) {
            uint32_t sx, sy;
            seen_at(orientation, w, h, x, y, &sx, &sy);
            assert_int_equal(((uint8_t *)turned->data)[sy * turned->shape[2] + sx],
                             ((uint8_t *)as_stored->data)[y * w + x]);
        }
    check_shape(context, &file, turned->shape);
    wick_tensor_free(turned);
    wick_tensor_free(as_stored);
    free(file.at);
}

static void exif_turns_the_picture(void **state)
{
    for (int orientation = 1; orientation <= 8; orientation++) {
        check_orientation(*state, orientation, true, 24, 16);
        check_orientation(*state, orientation, false, 7, 11);
        check_orientation(*state, orientation, true, 1, 5);
        check_orientation(*state, orientation, false, 5, 1);
    }
}

/* A block that lies about where things are changes nothing. */
static void bad_exif_is_passed_over(void **state)
{
    static const struct {
        int at;
        uint8_t value;
    } changes[] = {{25, 9}, {25, 0}, {13, 0xff}, {10, 0xff}, {14, 0xff}, {19, 4}, {0, 'X'}, {17, 0x13}};
    uint8_t exif[64];
    for (size_t i = 0; i <= WKI_COUNT(changes); i++) {
        unsigned length = make_exif(exif, false, 6);
        if (i < WKI_COUNT(changes))
            exif[changes[i].at] = changes[i].value;
        else
            length = 20;
        const jpeg_wish wish = {.width = 8,
                                .height = 3,
                                .components = 1,
                                .in = JCS_GRAYSCALE,
                                .stored = JCS_GRAYSCALE,
                                .row = wave_row,
                                .exif = exif,
                                .exif_length = length};
        file_bytes file = make_jpeg(&wish);
        wick_tensor *image = read_good(*state, &file, NULL);
        /* 14: a directory of 65,281 entries, the first of which is right. */
        bool turned = i < WKI_COUNT(changes) && changes[i].at == 14;
        assert_int_equal(image->shape[2], turned ? 3 : 8);
        wick_tensor_free(image);
        free(file.at);
    }
}

/* ---- what is none ---- */

static void other_files_are_named(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *message;
    } files[] = {
        {"", 0, "a.png: is empty, not a PNG or JPEG picture"},
        {"hello\n", 6, "a.png: is neither a PNG nor a JPEG picture; it seems to be text"},
        {"GIF89a\1\0", 8, "a.png: is neither a PNG nor a JPEG picture; it seems to be GIF"},
        {"RIFF\1\2\3\4WEBPVP8 ", 16, "a.png: is neither a PNG nor a JPEG picture; it seems to be WebP"},
        {"BM\1\0\0\0", 6, "a.png: is neither a PNG nor a JPEG picture; it seems to be BMP"},
        {"II*\0\0\0\0\0", 8, "a.png: is neither a PNG nor a JPEG picture; it seems to be TIFF"},
        {"\0\0\0\x18"
         "ftypheic",
         12, "a.png: is neither a PNG nor a JPEG picture; it seems to be HEIC"},
        {"<svg xmlns=''>", 14, "a.png: is neither a PNG nor a JPEG picture; it seems to be SVG"},
        {"\0\1\2", 3, "a.png: is neither a PNG nor a JPEG picture"},
        {"\x89PNG\r\n\x1a\n", 8, "a.png: is a PNG picture cut short after 8 bytes"},
        {"\xff\xd8\xff", 3, "a.png: is a JPEG picture cut short or with a part missing"},
    };
    for (size_t i = 0; i < WKI_COUNT(files); i++)
        expect_bad(*state, files[i].bytes, files[i].length, NULL, WICK_EFORMAT, files[i].message);
}

static void files_that_cannot_be_read(void **state)
{
    wick_context *context = *state;
    wick_tensor *image;
    assert_int_equal(wick_image_read(context, "/none/such.png", NULL, &image), WICK_ENOENT);
    assert_string_equal(wick_context_message(context),
                        "/none/such.png: cannot open: No such file or directory");
    assert_int_equal(wick_image_read(context, "/", NULL, &image), WICK_EIO);
    assert_string_equal(wick_context_message(context), "/: is a folder, not a file");
    assert_int_equal(wick_image_read(context, NULL, NULL, &image), WICK_EINVAL);
    assert_int_equal(wick_image_read(NULL, "x", NULL, &image), WICK_EINVAL);
    assert_int_equal(wick_image_read_memory(context, "x", "", 0, NULL, NULL), WICK_EINVAL);
    assert_int_equal(wick_image_read_memory(NULL, "x", "", 0, NULL, &image), WICK_EINVAL);
    assert_int_equal(wick_image_read_memory(context, NULL, "", 0, NULL, &image), WICK_EINVAL);
    assert_int_equal(wick_image_read_memory(context, "x", NULL, 1, NULL, &image), WICK_EINVAL);
    assert_int_equal(wick_image_read_memory(context, "x", NULL, 0, NULL, &image), WICK_EFORMAT);
}

/* Each beginning of a file, in memory of just that length, is refused, with one line. */
static void check_cut_short(wick_context *context, const file_bytes *file, size_t whole)
{
    for (size_t length = 0; length < whole; length++) {
        wick_tensor *image = NULL;
        uint8_t *copy = malloc(length + 1);
        memcpy(copy, file->at, length);
        copy = realloc(copy, length > 0 ? length : 1);
        if (wick_image_read_memory(context, "a", copy, length, NULL, &image) != WICK_EFORMAT)
            fail_msg("the first %zu of %zu bytes are not refused", length, file->length);
        assert_null(image);
        assert_null(strchr(wick_context_message(context), '\n'));
        free(copy);
    }
}

/* Each byte in turn is another: whatever comes of it is either a picture or a failure of the file. */
static void check_flipped(wick_context *context, const file_bytes *file)
{
    for (size_t i = 0; i < file->length; i++)
        for (int bit = 0; bit < 8; bit += 3) {
            wick_tensor *image = NULL;
            file->at[i] ^= (uint8_t)(1 << bit);
            wick_status status =
                wick_image_read_memory(context, "a", file->at, file->length, NULL, &image);
            assert_true(status == WICK_OK || status == WICK_EFORMAT || status == WICK_ELIMIT);
            assert_true((status == WICK_OK) == (image != NULL));
            wick_tensor_free(image);
            file->at[i] ^= (uint8_t)(1 << bit);
        }
}

static void broken_pictures_are_refused(void **state)
{
    for (int i = 0; i < 5; i++) {
        const png_wish png = {.width = 9,
                              .height = 7,
                              .bits = 8,
                              .type = PNG_COLOR_TYPE_RGB_ALPHA,
                              .interlaced = i == 1,
                              .row = sample_row};
        const jpeg_wish jpeg = {.width = 17,
                                .height = 9,
                                .components = i == 4 ? 4 : 3,
                                .in = i == 4 ? JCS_CMYK : JCS_RGB,
                                .stored = i == 4 ? JCS_YCCK : JCS_YCbCr,
                                .progressive = i == 3,
                                .row = wave_row};
        file_bytes file = i < 2 ? make_png(&png) : make_jpeg(&jpeg);
        /* The last two bytes of a JPEG say only that it ends. */
        check_cut_short(*state, &file, i < 2 ? file.length : file.length - 2);
        check_flipped(*state, &file);
        free(file.at);
    }
}

/* ---- memory ---- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { CAN_LIMIT_MEMORY = 0 };
#else
enum { CAN_LIMIT_MEMORY = 1 };
#endif

static void read_in_little_memory(const file_bytes *file)
{
    wick_context *context;
    wick_tensor *image = NULL;
    const struct rlimit limit = {64 << 20, 64 << 20};
    if (wick_context_new(&context) != WICK_OK || setrlimit(RLIMIT_AS, &limit) != 0)
        _exit(98);
    wick_status status = wick_image_read_memory(context, "a", file->at, file->length, NULL, &image);
    _exit(image != NULL || wick_context_message(context)[0] == '\0' ? 97 : (int)status);
}

static void expect_in_little_memory(const file_bytes *file, wick_status wanted)
{
    pid_t child = fork();
    int state;
    assert_true(child >= 0);
    if (child == 0)
        read_in_little_memory(file);
    assert_int_equal(waitpid(child, &state, 0), child);
    assert_true(WIFEXITED(state));
    assert_int_equal(WEXITSTATUS(state), wanted);
}

static void memory_is_bounded(void **state)
{
    (void)state;
    if (!CAN_LIMIT_MEMORY)
        skip();
    file_bytes huge = png_of_size(100000, 100000), full = png_of_size(8000, 8000);
    expect_in_little_memory(&huge, WICK_ELIMIT);
    expect_in_little_memory(&full, WICK_EFORMAT);
    /* A true bomb within the limit: 64 million zeros in 64 kilobytes. */
    const png_wish bomb = {.width = 8000, .height = 8000, .bits = 8, .row = zero_row};
    file_bytes zeros = make_png(&bomb);
    assert_true(zeros.length < 100000);
    expect_in_little_memory(&zeros, WICK_ENOMEM);
    free(huge.at);
    free(full.at);
    free(zeros.at);
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
        cmocka_unit_test(png_of_every_form),
        cmocka_unit_test(png_with_a_palette),
        cmocka_unit_test(pixels_that_are_not_there),
        cmocka_unit_test(sizes_are_looked_at_first),
        cmocka_unit_test(the_limit_is_the_callers),
        cmocka_unit_test(jpeg_of_every_form),
        cmocka_unit_test(jpeg_limits),
        cmocka_unit_test(exif_turns_the_picture),
        cmocka_unit_test(bad_exif_is_passed_over),
        cmocka_unit_test(other_files_are_named),
        cmocka_unit_test(files_that_cannot_be_read),
        cmocka_unit_test(broken_pictures_are_refused),
        cmocka_unit_test(memory_is_bounded),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
