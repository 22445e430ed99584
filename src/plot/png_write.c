/* PNG, https://www.w3.org/TR/png-3/, as far as figures need it: 8 bits a colour or a palette, no filter,
 * one piece of data. libdeflate packs a figure some times faster than zlib, which libpng would use, at
 * the same size. */
#include "plot/figure_files.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

enum { LEVEL = 6, MOST_COLORS = 256, TABLE = 1024 };

/* The colours that there are, by open addressing. */
typedef struct png_palette {
    uint32_t colors[TABLE]; /* colour + 1; 0: free */
    uint8_t places[TABLE];
    uint32_t ordered[MOST_COLORS];
    int count;
} png_palette;

/* The place of a colour in the palette, which is added if need be; -1 if there are too many. */
static int find_color(png_palette *palette, uint32_t color)
{
    uint32_t slot = color * UINT32_C(2654435761) >> 22;
    while (palette->colors[slot] != 0 && palette->colors[slot] != color + 1)
        slot = (slot + 1) % TABLE;
    if (palette->colors[slot] == 0) {
        if (palette->count == MOST_COLORS)
            return -1;
        palette->colors[slot] = color + 1;
        palette->places[slot] = (uint8_t)palette->count;
        palette->ordered[palette->count++] = color;
    }
    return palette->places[slot];
}

/* Whether a row has the same pixels as the one above it: it is then written as its difference from that
 * one, zeros, which packs far faster. Pixels of images drawn large make many such. */
static bool is_repeated(const uint32_t *row, int width, int y)
{
    return y > 0 && memcmp(row, row - width, (size_t)width * sizeof(*row)) == 0;
}

enum { FILTER_NONE = 0, FILTER_UP = 2 };

/* The rows, each behind the number of its filter: places in the palette if all colours fit in there. */
static bool fill_palette_rows(const uint32_t *pixels, int width, int height, png_palette *palette,
                              uint8_t *rows)
{
    uint32_t last = 0;
    int place = find_color(palette, 0);
    for (int y = 0; y < height; y++, pixels += width, rows += width + 1) {
        bool repeated = is_repeated(pixels, width, y);
        rows[0] = repeated ? FILTER_UP : FILTER_NONE;
        for (int x = 0; x < width && !repeated; x++) {
            uint32_t color = pixels[x] & 0xffffff;
            if (color != last)
                place = find_color(palette, color);
            if (place < 0)
                return false;
            last = color;
            rows[1 + x] = (uint8_t)place;
        }
        if (repeated)
            memset(rows + 1, 0, (size_t)width);
    }
    return true;
}

/* The same with three bytes a pixel. */
static void fill_rgb_rows(const uint32_t *pixels, int width, int height, uint8_t *rows)
{
    for (int y = 0; y < height; y++, pixels += width) {
        bool repeated = is_repeated(pixels, width, y);
        *rows++ = repeated ? FILTER_UP : FILTER_NONE;
        if (repeated) {
            memset(rows, 0, 3 * (size_t)width);
            rows += 3 * (size_t)width;
        }
        for (int x = 0; x < width && !repeated; x++) {
            *rows++ = (uint8_t)(pixels[x] >> 16);
            *rows++ = (uint8_t)(pixels[x] >> 8);
            *rows++ = (uint8_t)pixels[x];
        }
    }
}

static uint8_t *put_u32(uint8_t *at, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(number >> (24 - 8 * i));
    return at + 4;
}

/* Ends a chunk whose data are at + 8. Returns where the next begins. */
static uint8_t *end_chunk(uint8_t *at, const char *type, size_t length)
{
    put_u32(at, (uint32_t)length);
    memcpy(at + 4, type, 4);
    return put_u32(at + 8 + length, libdeflate_crc32(0, at + 4, length + 4));
}

static uint8_t *put_header(uint8_t *at, int width, int height, bool by_palette)
{
    static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    memcpy(at, signature, sizeof(signature));
    at += sizeof(signature);
    put_u32(at + 8, (uint32_t)width);
    put_u32(at + 12, (uint32_t)height);
    const uint8_t rest[5] = {8, by_palette ? 3 : 2, 0, 0, 0};
    memcpy(at + 16, rest, sizeof(rest));
    return end_chunk(at, "IHDR", 13);
}

/* How large a pixel is: 1/96 inch for `scale` of them. */
static uint8_t *put_density(uint8_t *at, int scale)
{
    uint32_t per_meter = (uint32_t)(96 * scale * 10000 + 127) / 254;
    put_u32(at + 8, per_meter);
    put_u32(at + 12, per_meter);
    at[16] = 1;
    return end_chunk(at, "pHYs", 9);
}

static uint8_t *put_palette(uint8_t *at, const png_palette *palette)
{
    for (int i = 0; i < palette->count; i++)
        for (int c = 0; c < 3; c++)
            at[8 + 3 * i + c] = (uint8_t)(palette->ordered[i] >> (16 - 8 * c));
    return end_chunk(at, "PLTE", 3 * (size_t)palette->count);
}

typedef struct png_picture {
    int width, height, scale;
    const png_palette *palette; /* NULL: rows are red, green and blue */
    const uint8_t *rows;
    size_t row_bytes; /* of all */
} png_picture;

static wick_status assemble(wick_context *context, const png_picture *picture, uint8_t **bytes,
                            size_t *length)
{
    void *memory;
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(LEVEL);
    if (compressor == NULL)
        return wki_fail(context, WICK_ENOMEM, "out of memory for a PNG file");
    size_t most = libdeflate_zlib_compress_bound(compressor, picture->row_bytes);
    wick_status status = wki_alloc(context, 1, most + 3 * MOST_COLORS + 128, "a PNG file", &memory);
    if (status == WICK_OK) {
        uint8_t *at = put_header(memory, picture->width, picture->height, picture->palette != NULL);
        if (picture->scale != 0)
            at = put_density(at, picture->scale);
        if (picture->palette != NULL)
            at = put_palette(at, picture->palette);
        at = end_chunk(
            at, "IDAT",
            libdeflate_zlib_compress(compressor, picture->rows, picture->row_bytes, at + 8, most));
        at = end_chunk(at, "IEND", 0);
        *bytes = memory;
        *length = (size_t)(at - *bytes);
    }
    libdeflate_free_compressor(compressor);
    return status;
}

wick_status wki_png_write(wick_context *context, const uint32_t *pixels, int width, int height,
                          int scale, uint8_t **bytes, size_t *length)
{
    void *rows;
    png_palette palette = {.count = 0};
    png_picture picture = {.width = width, .height = height, .scale = scale, .palette = &palette};
    picture.row_bytes = (size_t)height * ((size_t)width + 1);
    size_t most = (size_t)height * (3 * (size_t)width + 1);
    WKI_TRY(wki_alloc(context, 1, most, "a PNG file", &rows));
    if (!fill_palette_rows(pixels, width, height, &palette, rows)) {
        fill_rgb_rows(pixels, width, height, rows);
        picture.palette = NULL;
        picture.row_bytes = most;
    }
    picture.rows = rows;
    wick_status status = assemble(context, &picture, bytes, length);
    free(rows);
    return status;
}
