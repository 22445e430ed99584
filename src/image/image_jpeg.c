/* JPEG, through libjpeg-turbo. Its errors come by longjmp: what has to be freed then stands in a
 * jpeg_reader, which the function that calls setjmp has from its caller. */
#include "image/image_internal.h"
#include "tensor/tensor_internal.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

enum {
    /* Of a progressive picture. Encoders make some ten; each costs a pass over all pixels. */
    MAX_SCANS = 100,
    MARKER_LIMIT = 65533,
    /* For what libjpeg takes at the largest number of pixels: coefficients of all of a progressive
       picture. */
    MEMORY_LIMIT = 1 << 30,
};

typedef struct jpeg_reader {
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf leave;
    const wki_image_source *source;
    struct jpeg_decompress_struct jpeg;
    wki_image_sink sink;
    uint8_t *row;
    wick_status status;
} jpeg_reader;

bool wki_is_jpeg(const uint8_t *bytes, size_t length)
{
    return length >= 3 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff;
}

/* ---- what libjpeg calls ---- */

static _Noreturn void leave(j_common_ptr jpeg, wick_status status)
{
    jpeg_reader *reader = (jpeg_reader *)jpeg->err;
    reader->status = status;
    longjmp(reader->leave, 1);
}

static void on_error(j_common_ptr jpeg)
{
    jpeg_reader *reader = (jpeg_reader *)jpeg->err;
    const wki_image_source *source = reader->source;
    char message[JMSG_LENGTH_MAX];
    if (reader->errors.msg_code == JERR_OUT_OF_MEMORY)
        leave(jpeg, wki_fail(source->context, WICK_ENOMEM, "%s: out of memory", source->name));
    if (reader->errors.msg_code == JERR_NO_BACKING_STORE)
        leave(jpeg,
              wki_fail(source->context, WICK_ELIMIT, "%s: is a JPEG picture that needs more than %d MiB",
                       source->name, MEMORY_LIMIT >> 20));
    reader->errors.format_message(jpeg, message);
    leave(jpeg, wki_fail(source->context, WICK_EFORMAT, "%s: is a broken JPEG picture: %s", source->name,
                         message));
}

/* libjpeg goes on with grey pixels where data are missing or wrong, and warns: such a picture is
 * refused. */
static void on_message(j_common_ptr jpeg, int level)
{
    jpeg_reader *reader = (jpeg_reader *)jpeg->err;
    const wki_image_source *source = reader->source;
    if (level >= 0)
        return;
    switch (reader->errors.msg_code) {
    case JWRN_EXTRANEOUS_DATA: /* a byte too many between two markers, which cameras write */
    case JWRN_JFIF_MAJOR:
    case JWRN_ADOBE_XFORM:
    case JWRN_TOO_MUCH_DATA:
        return;
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
        leave(jpeg, wki_fail(source->context, WICK_EFORMAT,
                             "%s: is a JPEG picture cut short or with a part missing", source->name));
    default:
        on_error(jpeg);
    }
}

static void on_progress(j_common_ptr jpeg)
{
    jpeg_reader *reader = (jpeg_reader *)jpeg->err;
    if (reader->jpeg.input_scan_number > MAX_SCANS)
        leave(jpeg,
              wki_fail(reader->source->context, WICK_ELIMIT,
                       "%s: is a JPEG picture of more than %d scans", reader->source->name, MAX_SCANS));
}

static void on_output(j_common_ptr jpeg)
{
    (void)jpeg;
}

/* ---- EXIF ---- */

/* The bytes of an EXIF block, a TIFF file, in either byte order. */
typedef struct exif_block {
    const uint8_t *bytes;
    uint32_t length;
    bool little;
} exif_block;

/* 0 past the end. */
static uint32_t exif_number(const exif_block *exif, uint32_t at, uint32_t size)
{
    uint32_t number = 0;
    if (at > exif->length || size > exif->length - at)
        return 0;
    for (uint32_t i = 0; i < size; i++)
        number = number << 8 | exif->bytes[at + (exif->little ? size - 1 - i : i)];
    return number;
}

/* The orientation that the first directory gives, or 1. */
static int exif_orientation(const exif_block *exif)
{
    enum { ENTRY_SIZE = 12, ORIENTATION = 0x0112, SHORT = 3 };
    uint32_t directory = exif_number(exif, 4, 4);
    uint32_t count = exif_number(exif, directory, 2);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t entry = directory + 2 + i * ENTRY_SIZE;
        if (exif_number(exif, entry, 2) != ORIENTATION || exif_number(exif, entry + 2, 2) != SHORT)
            continue;
        uint32_t value = exif_number(exif, entry + 8, 2);
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}

static int orientation_of(const jpeg_reader *reader)
{
    static const char name[6] = "Exif\0";
    if (reader->source->keep_stored)
        return 1;
    for (jpeg_saved_marker_ptr m = reader->jpeg.marker_list; m != NULL; m = m->next) {
        if (m->marker != JPEG_APP0 + 1 || m->data_length < sizeof(name) + 8 ||
            memcmp(m->data, name, 6) != 0)
            continue;
        const exif_block exif = {m->data + 6, m->data_length - 6, m->data[6] == 'I'};
        return exif_orientation(&exif);
    }
    return 1;
}

/* ---- reading ---- */

/* CMYK as PIL makes RGB of it. Adobe's programs store it inverted. */
static void cmyk_to_rgb(uint8_t *row, uint32_t width, bool inverted)
{
    for (uint32_t x = 0; x < width; x++) {
        const uint8_t *in = row + 4 * (size_t)x;
        unsigned key = inverted ? in[3] : 255u - in[3];
        uint8_t rgb[3];
        for (int c = 0; c < 3; c++)
            rgb[c] = wki_div_255((inverted ? in[c] : 255u - in[c]) * key);
        memcpy(row + 3 * (size_t)x, rgb, 3);
    }
}

/* Sets the colour space that the pixels shall come in; returns how many channels the picture has. */
static int choose_form(struct jpeg_decompress_struct *jpeg)
{
    switch (jpeg->jpeg_color_space) {
    case JCS_GRAYSCALE:
        jpeg->out_color_space = JCS_GRAYSCALE;
        return 1;
    case JCS_CMYK:
    case JCS_YCCK:
        jpeg->out_color_space = JCS_CMYK;
        return 3;
    default:
        jpeg->out_color_space = JCS_RGB;
        return 3;
    }
}

static wick_status read_picture(jpeg_reader *reader)
{
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    WKI_TRY(wki_image_check_size(reader->source, jpeg->image_width, jpeg->image_height));
    int channels = choose_form(jpeg);
    int64_t *shape = reader->source->shape;
    if (shape != NULL) {
        bool turned = orientation_of(reader) >= 5;
        shape[0] = channels;
        shape[1] = turned ? jpeg->image_width : jpeg->image_height;
        shape[2] = turned ? jpeg->image_height : jpeg->image_width;
        return WICK_OK;
    }
    jpeg_start_decompress(jpeg);
    WKI_TRY(wki_image_sink_open(reader->source, channels, jpeg->output_width, jpeg->output_height,
                                orientation_of(reader), &reader->sink));
    void *memory;
    WKI_TRY(wki_alloc(reader->source->context, jpeg->output_width, (size_t)jpeg->output_components,
                      "a row of a picture", &memory));
    reader->row = memory;
    while (jpeg->output_scanline < jpeg->output_height) {
        uint32_t y = jpeg->output_scanline;
        jpeg_read_scanlines(jpeg, &reader->row, 1);
        if (jpeg->out_color_space == JCS_CMYK)
            cmyk_to_rgb(reader->row, jpeg->output_width, jpeg->saw_Adobe_marker);
        wki_image_sink_row(&reader->sink, y, reader->row);
    }
    jpeg_finish_decompress(jpeg);
    return WICK_OK;
}

/* Everything that libjpeg may leave by longjmp. */
static void read_guarded(jpeg_reader *reader)
{
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    if (setjmp(reader->leave) != 0)
        return;
    jpeg_create_decompress(jpeg);
    jpeg->mem->max_memory_to_use = MEMORY_LIMIT;
    jpeg->progress = &reader->progress;
    jpeg_mem_src(jpeg, reader->source->bytes, reader->source->length);
    jpeg_save_markers(jpeg, JPEG_APP0 + 1, MARKER_LIMIT);
    jpeg_read_header(jpeg, TRUE);
    reader->status = read_picture(reader);
}

wick_status wki_jpeg_read(const wki_image_source *source, wick_tensor **out)
{
    jpeg_reader reader = {.source = source};
    reader.jpeg.err = jpeg_std_error(&reader.errors);
    reader.errors.error_exit = on_error;
    reader.errors.emit_message = on_message;
    reader.errors.output_message = on_output;
    reader.progress.progress_monitor = on_progress;
    read_guarded(&reader);
    jpeg_destroy_decompress(&reader.jpeg);
    free(reader.row);
    if (reader.status != WICK_OK)
        wick_tensor_free(reader.sink.image);
    else if (source->shape == NULL)
        *out = reader.sink.image;
    return reader.status;
}
