/* Makes a picture of what mkidx draws for a class: a bright square in its place.
 *
 *   mkpic FILE.png|FILE.jpg [class=N] [classes=N] [width=N] [height=N] [light=1] [color=1] [alpha=1]
 * [says=N]
 *
 * light: dark on light. color: RGB instead of grey. alpha: the ground is see-through. says: the PNG's
 * header says that it is N pixels wide and high, whatever is in it. */
#include <stdlib.h>
#include <string.h>

#include "../unit/picture_maker.h"

typedef struct picture {
    int class, classes, width, height, light, color, alpha, says;
} picture;

static picture wanted = {.classes = 10, .width = 28, .height = 28, .says = -1};

static bool in_square(uint32_t x, uint32_t y)
{
    uint32_t cells = 1, width = (uint32_t)wanted.width, height = (uint32_t)wanted.height;
    while (cells * cells < (uint32_t)wanted.classes)
        cells++;
    uint32_t column = (uint32_t)wanted.class % cells, row = (uint32_t)wanted.class / cells;
    return x >= column * width / cells && x < column * width / cells + width / cells &&
           y >= row * height / cells && y < row * height / cells + height / cells;
}

static void put_row(uint32_t y, uint8_t *bytes)
{
    int channels = wanted.color ? 3 : 1;
    for (uint32_t x = 0; x < (uint32_t)wanted.width; x++) {
        bool bright = in_square(x, y);
        for (int c = 0; c < channels; c++)
            *bytes++ = bright != (wanted.light != 0) ? 200 : 32;
        if (wanted.alpha)
            *bytes++ = bright ? 255 : 0;
    }
}

static void png_row(const png_wish *wish, uint32_t y, uint8_t *bytes)
{
    (void)wish;
    put_row(y, bytes);
}

static void jpeg_row(const jpeg_wish *wish, uint32_t y, uint8_t *bytes)
{
    (void)wish;
    put_row(y, bytes);
}

static file_bytes png_picture(void)
{
    int type = wanted.color ? (wanted.alpha ? PNG_COLOR_TYPE_RGB_ALPHA : PNG_COLOR_TYPE_RGB)
                            : (wanted.alpha ? PNG_COLOR_TYPE_GRAY_ALPHA : PNG_COLOR_TYPE_GRAY);
    const png_wish wish = {.width = (uint32_t)wanted.width,
                           .height = (uint32_t)wanted.height,
                           .bits = 8,
                           .type = type,
                           .row = png_row};
    file_bytes file = make_png(&wish);
    if (wanted.says >= 0)
        set_png_size(&file, (uint32_t)wanted.says, (uint32_t)wanted.says);
    return file;
}

static file_bytes jpeg_picture(void)
{
    const jpeg_wish wish = {.width = (uint32_t)wanted.width,
                            .height = (uint32_t)wanted.height,
                            .components = wanted.color ? 3 : 1,
                            .in = wanted.color ? JCS_RGB : JCS_GRAYSCALE,
                            .stored = wanted.color ? JCS_YCbCr : JCS_GRAYSCALE,
                            .row = jpeg_row};
    return make_jpeg(&wish);
}

static int *place_of(const char *name)
{
    static const struct {
        const char *name;
        int *place;
    } places[] = {{"class", &wanted.class},   {"classes", &wanted.classes}, {"width", &wanted.width},
                  {"height", &wanted.height}, {"light", &wanted.light},     {"color", &wanted.color},
                  {"alpha", &wanted.alpha},   {"says", &wanted.says}};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (strcmp(places[i].name, name) == 0)
            return places[i].place;
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 99;
    for (int i = 2; i < argc; i++) {
        char name[16];
        int number;
        if (sscanf(argv[i], "%15[a-z]=%d", name, &number) != 2 || place_of(name) == NULL)
            return 99;
        *place_of(name) = number;
    }
    file_bytes bytes = strstr(argv[1], ".jp") != NULL ? jpeg_picture() : png_picture();
    FILE *file = fopen(argv[1], "wb");
    bool good =
        file != NULL && fwrite(bytes.at, 1, bytes.length, file) == bytes.length && fclose(file) == 0;
    free(bytes.at);
    return good ? 0 : 99;
}
