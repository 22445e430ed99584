/* Makes PNG and JPEG files in memory, through libpng and libjpeg, for tests of reading them. */
#ifndef PICTURE_MAKER_H
#define PICTURE_MAKER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

typedef struct file_bytes {
    uint8_t *at;
    size_t length;
} file_bytes;

static inline void put_u32(uint8_t *at, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(number >> (24 - 8 * i));
}

/* Makes a PNG's header say that size, whatever is in it; its CRC is right. */
static inline void set_png_size(file_bytes *file, uint32_t width, uint32_t height)
{
    uint32_t crc = 0xffffffff;
    put_u32(file->at + 16, width);
    put_u32(file->at + 20, height);
    for (int i = 12; i < 29; i++) {
        crc ^= file->at[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    put_u32(file->at + 29, ~crc);
}

/* What a PNG is to be. row gives the packed bytes of row y. */
typedef struct png_wish {
    uint32_t width, height;
    int bits, type;
    bool interlaced;
    int palette_count, alpha_count;
    png_color palette[256];
    uint8_t alpha[256];
    bool grey_key; /* pixels of value 1 are see-through */
    void (*row)(const struct png_wish *wish, uint32_t y, uint8_t *bytes);
} png_wish;

static inline void put_bytes(png_structp png, png_bytep bytes, size_t length)
{
    file_bytes *file = png_get_io_ptr(png);
    file->at = realloc(file->at, file->length + length);
    memcpy(file->at + file->length, bytes, length);
    file->length += length;
}

static inline void flush_nothing(png_structp png)
{
    (void)png;
}

static inline file_bytes make_png(const png_wish *wish)
{
    file_bytes file = {NULL, 0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_set_write_fn(png, &file, put_bytes, flush_nothing);
    png_set_IHDR(png, info, wish->width, wish->height, wish->bits, wish->type,
                 wish->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (wish->palette_count > 0)
        png_set_PLTE(png, info, wish->palette, wish->palette_count);
    const png_color_16 key = {.gray = 1};
    if (wish->alpha_count > 0 || wish->grey_key)
        png_set_tRNS(png, info, wish->alpha, wish->alpha_count, &key);
    png_write_info(png, info);
    uint8_t *row = calloc(1, png_get_rowbytes(png, info) + 8);
    int passes = wish->interlaced ? png_set_interlace_handling(png) : 1;
    for (int pass = 0; pass < passes; pass++)
        for (uint32_t y = 0; y < wish->height; y++) {
            wish->row(wish, y, row);
            png_write_row(png, row);
        }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    free(row);
    return file;
}

typedef struct jpeg_wish {
    uint32_t width, height;
    int components;
    J_COLOR_SPACE in, stored;
    bool progressive, many_scans;
    const uint8_t *exif; /* an APP1 marker's bytes, or NULL */
    unsigned exif_length;
    void (*row)(const struct jpeg_wish *wish, uint32_t y, uint8_t *bytes);
} jpeg_wish;

enum { MANY_SCANS = 1 + 3 * 63 };

/* Every coefficient in a scan of its own. */
static inline void script_many(jpeg_scan_info *scans)
{
    jpeg_scan_info *scan = scans;
    *scan++ = (jpeg_scan_info){3, {0, 1, 2}, 0, 0, 0, 0};
    for (int c = 0; c < 3; c++)
        for (int k = 1; k < 64; k++)
            *scan++ = (jpeg_scan_info){1, {c}, k, k, 0, 0};
}

static inline file_bytes make_jpeg(const jpeg_wish *wish)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jpeg_scan_info scans[MANY_SCANS];
    file_bytes file = {NULL, 0};
    unsigned long length = 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &file.at, &length);
    jpeg.image_width = wish->width;
    jpeg.image_height = wish->height;
    jpeg.input_components = wish->components;
    jpeg.in_color_space = wish->in;
    jpeg_set_defaults(&jpeg);
    jpeg_set_colorspace(&jpeg, wish->stored);
    jpeg_set_quality(&jpeg, 100, TRUE);
    if (wish->progressive)
        jpeg_simple_progression(&jpeg);
    if (wish->many_scans) {
        script_many(scans);
        jpeg.scan_info = scans;
        jpeg.num_scans = MANY_SCANS;
    }
    jpeg_start_compress(&jpeg, TRUE);
    if (wish->exif != NULL)
        jpeg_write_marker(&jpeg, JPEG_APP0 + 1, wish->exif, wish->exif_length);
    uint8_t *row = calloc(wish->width, (size_t)wish->components);
    while (jpeg.next_scanline < jpeg.image_height) {
        wish->row(wish, jpeg.next_scanline, row);
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    free(row);
    file.length = length;
    return file;
}

#endif
