/* PNG, through libpng. Its errors come by longjmp: what has to be freed then stands in a png_reader,
 * which the function that calls setjmp has from its caller. */
#include "image/image_internal.h"
#include "tensor/tensor_internal.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIGNATURE_SIZE = 8,
    HEADER_SIZE = 33, /* the signature and the whole IHDR chunk */
    CHUNK_LIMIT = 1 << 20,
    /* DEFLATE cannot say more than 258 bytes in two bits. */
    DEFLATE_BEST_RATIO = 1032,
};

static const uint8_t png_signature[SIGNATURE_SIZE] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

typedef struct png_reader {
    const wki_image_source *source;
    size_t at; /* the next byte to read */
    png_structp png;
    png_infop info;
    wki_image_sink sink;
    uint8_t *pixels; /* a row, or all of them where they come interlaced */
    wick_status status;
} png_reader;

bool wki_is_png(const uint8_t *bytes, size_t length)
{
    return length >= SIGNATURE_SIZE && memcmp(bytes, png_signature, SIGNATURE_SIZE) == 0;
}

/* ---- what libpng calls ---- */

static void on_error(png_structp png, png_const_charp message)
{
    png_reader *reader = png_get_error_ptr(png);
    if (reader->status == WICK_OK)
        reader->status = wki_fail(reader->source->context, WICK_EFORMAT,
                                  "%s: is a broken PNG picture: %s", reader->source->name, message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static void on_read(png_structp png, png_bytep out, size_t length)
{
    png_reader *reader = png_get_io_ptr(png);
    if (length > reader->source->length - reader->at) {
        reader->status = wki_fail(reader->source->context, WICK_EFORMAT,
                                  "%s: is a PNG picture cut short after %zu bytes", reader->source->name,
                                  reader->source->length);
        png_longjmp(png, 1);
    }
    memcpy(out, reader->source->bytes + reader->at, length);
    reader->at += length;
}

static png_voidp on_malloc(png_structp png, png_alloc_size_t size)
{
    png_reader *reader = png_get_mem_ptr(png);
    void *memory = malloc(size);
    if (memory == NULL)
        reader->status =
            wki_fail(reader->source->context, WICK_ENOMEM, "%s: out of memory: no %zu bytes to read it",
                     reader->source->name, (size_t)size);
    return memory;
}

static void on_free(png_structp png, png_voidp memory)
{
    (void)png;
    free(memory);
}

/* ---- reading ---- */

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Looks at the sizes before libpng does: its words for a wrong one are not for people. */
static wick_status check_header(const wki_image_source *source)
{
    const uint8_t *bytes = source->bytes;
    if (source->length < HEADER_SIZE)
        return wki_fail(source->context, WICK_EFORMAT, "%s: is a PNG picture cut short after %zu bytes",
                        source->name, source->length);
    if (memcmp(bytes + 12, "IHDR", 4) != 0)
        return wki_fail(source->context, WICK_EFORMAT,
                        "%s: is a broken PNG picture: it does not begin with IHDR", source->name);
    return wki_image_check_size(source, big_endian(bytes + 16), big_endian(bytes + 20));
}

/* Whether so few bytes can hold all pixels. */
static bool can_hold(const wki_image_source *source, uint64_t row_bytes, uint64_t rows)
{
    return row_bytes * rows / DEFLATE_BEST_RATIO <= source->length;
}

/* Whether all colours of a palette are grey. */
static bool palette_is_grey(const png_reader *reader)
{
    png_colorp colours;
    int count = 0;
    if (png_get_PLTE(reader->png, reader->info, &colours, &count) == 0)
        return false;
    for (int i = 0; i < count; i++)
        if (colours[i].red != colours[i].green || colours[i].red != colours[i].blue)
            return false;
    return true;
}

/* Asks for 8 bits, grey or RGB, with or without alpha. Returns whether grey comes as RGB. */
static bool choose_form(png_reader *reader)
{
    bool grey_palette = png_get_color_type(reader->png, reader->info) == PNG_COLOR_TYPE_PALETTE &&
                        palette_is_grey(reader);
    png_set_expand(reader->png);
    png_set_scale_16(reader->png);
    return grey_palette;
}

/* Takes one row as it comes; a grey palette comes as RGB and is of one channel. */
static void take_row(const png_reader *reader, uint32_t y, uint8_t *row, int channels, bool grey_palette)
{
    bool alpha = channels == 2 || channels == 4;
    if (grey_palette)
        for (uint32_t x = 0; x < reader->sink.width; x++) {
            row[x * (alpha ? 2 : 1)] = row[x * (uint32_t)channels];
            if (alpha)
                row[x * 2 + 1] = row[x * 4 + 3];
        }
    if (alpha)
        wki_image_sink_alpha_row(&reader->sink, y, row, reader->source->black_background ? 0 : 255);
    else
        wki_image_sink_row(&reader->sink, y, row);
}

static wick_status read_rows(png_reader *reader, int passes, int channels, bool grey_palette)
{
    png_structp png = reader->png;
    uint32_t height = png_get_image_height(png, reader->info);
    size_t row_bytes = png_get_rowbytes(png, reader->info);
    size_t kept = passes > 1 ? height : 1;
    reader->pixels = calloc(kept, row_bytes);
    if (reader->pixels == NULL)
        return wki_fail(reader->source->context, WICK_ENOMEM,
                        "%s: out of memory: no %zu bytes to read it", reader->source->name,
                        kept * row_bytes);
    for (int pass = 0; pass < passes; pass++)
        for (uint32_t y = 0; y < height; y++) {
            uint8_t *row = reader->pixels + (passes > 1 ? y * row_bytes : 0);
            png_read_row(png, row, NULL);
            if (pass + 1 == passes)
                take_row(reader, y, row, channels, grey_palette);
        }
    png_read_end(png, NULL);
    return WICK_OK;
}

static wick_status read_picture(png_reader *reader)
{
    const wki_image_source *source = reader->source;
    png_structp png = reader->png;
    uint32_t width = png_get_image_width(png, reader->info),
             height = png_get_image_height(png, reader->info);
    if (!can_hold(source, png_get_rowbytes(png, reader->info), height))
        return wki_fail(source->context, WICK_EFORMAT,
                        "%s: is a broken PNG picture: its %zu bytes cannot hold %ux%u pixels",
                        source->name, source->length, width, height);
    bool grey_palette = choose_form(reader);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, reader->info);
    int channels = png_get_channels(png, reader->info);
    int made = channels <= 2 || grey_palette ? 1 : 3;
    if (source->shape != NULL) {
        source->shape[0] = made;
        source->shape[1] = height;
        source->shape[2] = width;
        return WICK_OK;
    }
    WKI_TRY(wki_image_sink_open(source, made, width, height, 1, &reader->sink));
    return read_rows(reader, passes, channels, grey_palette);
}

/* Everything that libpng may leave by longjmp. */
static void read_guarded(png_reader *reader)
{
    if (setjmp(png_jmpbuf(reader->png)) != 0)
        return;
    png_set_read_fn(reader->png, reader, on_read);
    /* Sizes are checked before; what is not pixels is not looked at. */
    png_set_user_limits(reader->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_chunk_malloc_max(reader->png, CHUNK_LIMIT);
    png_set_keep_unknown_chunks(reader->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_read_info(reader->png, reader->info);
    wick_status status = read_picture(reader);
    if (reader->status == WICK_OK)
        reader->status = status;
}

wick_status wki_png_read(const wki_image_source *source, wick_tensor **out)
{
    png_reader reader = {.source = source};
    WKI_TRY(check_header(source));
    reader.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &reader, on_error, on_warning, &reader,
                                          on_malloc, on_free);
    if (reader.png != NULL)
        reader.info = png_create_info_struct(reader.png);
    if (reader.info != NULL)
        read_guarded(&reader);
    else if (reader.status == WICK_OK)
        reader.status = wki_fail(source->context, WICK_ENOMEM, "%s: out of memory", source->name);
    png_destroy_read_struct(&reader.png, &reader.info, NULL);
    free(reader.pixels);
    if (reader.status != WICK_OK)
        wick_tensor_free(reader.sink.image);
    else if (source->shape == NULL)
        *out = reader.sink.image;
    return reader.status;
}
