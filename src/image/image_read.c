/* Reading a picture: which format it is, and where its pixels go. */
#include "image/image_internal.h"
#include "tensor/tensor_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FILE_LIMIT (UINT64_C(256) << 20)
#define MAX_PIXELS (UINT64_C(64) << 20)

/* ---- what it is ---- */

typedef struct signature {
    size_t at;
    const char *bytes;
    const char *name;
} signature;

/* What people take for PNG or JPEG. */
static const signature others[] = {
    {0, "GIF8", "GIF"},       {8, "WEBP", "WebP"},        {0, "BM", "BMP"},
    {0, "II*", "TIFF"},       {0, "MM", "TIFF"},          {4, "ftypheic", "HEIC"},
    {4, "ftypmif1", "HEIF"},  {4, "ftypavif", "AVIF"},    {0, "%PDF", "PDF"},
    {0, "<svg", "SVG"},       {0, "\xff\x0a", "JPEG XL"}, {4, "JXL ", "JPEG XL"},
    {4, "jP  ", "JPEG 2000"}, {0, "\x1f\x8b", "gzip"},    {0, "P5", "PGM"},
    {0, "P6", "PPM"},
};

static bool is_text(const uint8_t *bytes, size_t length)
{
    size_t looked = WKI_MIN(length, 64);
    for (size_t i = 0; i < looked; i++)
        if (bytes[i] == 0x7f || (bytes[i] < 0x20 && strchr("\t\n\r\f", bytes[i]) == NULL) ||
            bytes[i] == 0)
            return false;
    return true;
}

static wick_status fail_format(const wki_image_source *source)
{
    if (source->length == 0)
        return wki_fail(source->context, WICK_EFORMAT, "%s: is empty, not a PNG or JPEG picture",
                        source->name);
    const char *seems = is_text(source->bytes, source->length) ? "text" : NULL;
    for (size_t i = 0; i < WKI_COUNT(others); i++) {
        size_t length = strlen(others[i].bytes);
        if (source->length >= others[i].at + length &&
            memcmp(source->bytes + others[i].at, others[i].bytes, length) == 0)
            seems = others[i].name;
    }
    return wki_fail(source->context, WICK_EFORMAT, "%s: is neither a PNG nor a JPEG picture%s%s",
                    source->name, seems == NULL ? "" : "; it seems to be ", seems == NULL ? "" : seems);
}

wick_status wki_image_check_size(const wki_image_source *source, uint64_t width, uint64_t height)
{
    uint64_t pixels;
    if (width == 0 || height == 0)
        return wki_fail(source->context, WICK_EFORMAT,
                        "%s: is a picture of %" PRIu64 "x%" PRIu64 " pixels", source->name, width,
                        height);
    if (!wki_mul_u64(width, height, &pixels) || pixels > source->max_pixels)
        return wki_fail(source->context, WICK_ELIMIT,
                        "%s: is a picture of %" PRIu64 "x%" PRIu64 " pixels; at most %" PRIu64
                        " pixels in all are read",
                        source->name, width, height, source->max_pixels);
    return WICK_OK;
}

static wick_status read_source(const wki_image_source *source, wick_tensor **out)
{
    if (wki_is_png(source->bytes, source->length))
        return wki_png_read(source, out);
    if (wki_is_jpeg(source->bytes, source->length))
        return wki_jpeg_read(source, out);
    return fail_format(source);
}

wick_status wki_image_read_shape(wick_context *context, const char *path, int64_t shape[3])
{
    wki_image_source source = {
        .context = context, .name = path, .max_pixels = MAX_PIXELS, .shape = shape};
    uint8_t *bytes;
    WKI_TRY(wki_file_read(context, path, FILE_LIMIT, &bytes, &source.length));
    source.bytes = bytes;
    wick_status status = read_source(&source, NULL);
    free(bytes);
    return status;
}

wick_status wick_image_read_memory(wick_context *context, const char *name, const void *bytes,
                                   size_t length, const wick_image_options *options, wick_tensor **out)
{
    static const wick_image_options defaults = {0};
    if (context == NULL)
        return WICK_EINVAL;
    if (name == NULL || (bytes == NULL && length != 0) || out == NULL)
        return wki_fail(context, WICK_EINVAL, "name, bytes or out is NULL");
    if (options == NULL)
        options = &defaults;
    if (options->max_pixels < 0)
        return wki_fail(context, WICK_EINVAL, "max_pixels is below 0");
    const wki_image_source source = {
        .context = context,
        .name = name,
        .bytes = bytes,
        .length = length,
        .max_pixels = options->max_pixels == 0 ? MAX_PIXELS : (uint64_t)options->max_pixels,
        .black_background = options->black_background,
        .keep_stored = options->keep_stored,
    };
    return read_source(&source, out);
}

wick_status wick_image_read(wick_context *context, const char *path, const wick_image_options *options,
                            wick_tensor **out)
{
    uint8_t *bytes;
    size_t length;
    if (context == NULL)
        return WICK_EINVAL;
    if (path == NULL || out == NULL)
        return wki_fail(context, WICK_EINVAL, "path or out is NULL");
    WKI_TRY(wki_file_read(context, path, FILE_LIMIT, &bytes, &length));
    wick_status status = wick_image_read_memory(context, path, bytes, length, options, out);
    free(bytes);
    return status;
}

/* ---- where the pixels go ---- */

wick_status wki_image_sink_open(const wki_image_source *source, int channels, uint32_t width,
                                uint32_t height, int orientation, wki_image_sink *sink)
{
    /* EXIF's orientations: 5 to 8 have rows and columns exchanged; which of the two run backwards is for
     * each. */
    static const bool backward_columns[9] = {[2] = true, [3] = true, [7] = true, [8] = true};
    static const bool backward_rows[9] = {[3] = true, [4] = true, [6] = true, [7] = true};
    bool turned = orientation >= 5;
    const int64_t shape[3] = {channels, turned ? width : height, turned ? height : width};
    WKI_TRY(wick_tensor_new(source->context, WICK_UINT8, 3, shape, &sink->image));
    ptrdiff_t line = (ptrdiff_t)shape[2];
    sink->width = width;
    sink->origin = wick_tensor_u8(sink->image);
    sink->column = turned ? line : 1;
    sink->row = turned ? 1 : line;
    sink->plane = (ptrdiff_t)(shape[1] * shape[2]);
    if (backward_columns[orientation]) {
        sink->origin += sink->column * (ptrdiff_t)(width - 1);
        sink->column = -sink->column;
    }
    if (backward_rows[orientation]) {
        sink->origin += sink->row * (ptrdiff_t)(height - 1);
        sink->row = -sink->row;
    }
    return WICK_OK;
}

void wki_image_sink_row(const wki_image_sink *sink, uint32_t y, const uint8_t *pixels)
{
    int64_t width = sink->width, channels = sink->image->shape[0];
    for (int64_t c = 0; c < channels; c++) {
        uint8_t *out = sink->origin + c * sink->plane + (ptrdiff_t)y * sink->row;
        for (int64_t x = 0; x < width; x++)
            out[x * sink->column] = pixels[x * channels + c];
    }
}

void wki_image_sink_alpha_row(const wki_image_sink *sink, uint32_t y, const uint8_t *pixels,
                              uint8_t background)
{
    int64_t width = sink->width, channels = sink->image->shape[0];
    for (int64_t c = 0; c < channels; c++) {
        uint8_t *out = sink->origin + c * sink->plane + (ptrdiff_t)y * sink->row;
        for (int64_t x = 0; x < width; x++) {
            const uint8_t *pixel = pixels + x * (channels + 1);
            unsigned alpha = pixel[channels];
            out[x * sink->column] = wki_div_255(pixel[c] * alpha + background * (255 - alpha));
        }
    }
}
