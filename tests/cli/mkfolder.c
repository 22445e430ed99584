/* Makes a folder of pictures: coloured shapes on noise, PNG and JPEG, of several sizes.
 *
 *   mkfolder FOLDER [train=N] [test=N] [seed=S] [grey=1]
 *
 * N pictures a class, of the classes circle, cross and square, in FOLDER/train/CLASS and FOLDER/test/CLASS;
 * without test= in FOLDER/CLASS. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../unit/picture_maker.h"

typedef struct shape {
    int class, channels, width, height;
    double x, y, radius;
    int colour[3], ground[3];
} shape;

static uint64_t state = 1;
static shape drawn;

/* splitmix64. */
static uint32_t draw(uint32_t below)
{
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (uint32_t)((z ^ z >> 31) >> 32) % below;
}

static bool inside(double x, double y)
{
    double dx = x < drawn.x ? drawn.x - x : x - drawn.x, dy = y < drawn.y ? drawn.y - y : y - drawn.y;
    double r = drawn.radius;
    if (drawn.class == 0)
        return dx * dx + dy * dy < r * r;
    if (drawn.class == 1)
        return (dx < r / 3 && dy < r) || (dy < r / 3 && dx < r);
    return dx < r && dy < r;
}

static void put_row(uint32_t y, uint8_t *bytes)
{
    for (int x = 0; x < drawn.width; x++)
        for (int c = 0; c < drawn.channels; c++) {
            int value = (inside(x, y) ? drawn.colour : drawn.ground)[c] + (int)draw(41) - 20;
            *bytes++ = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
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

static file_bytes make(bool jpeg)
{
    const png_wish png = {.width = (uint32_t)drawn.width,
                          .height = (uint32_t)drawn.height,
                          .bits = 8,
                          .type = drawn.channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY,
                          .row = png_row};
    const jpeg_wish jpg = {.width = png.width,
                           .height = png.height,
                           .components = drawn.channels,
                           .in = drawn.channels == 3 ? JCS_RGB : JCS_GRAYSCALE,
                           .stored = drawn.channels == 3 ? JCS_YCbCr : JCS_GRAYSCALE,
                           .row = jpeg_row};
    return jpeg ? make_jpeg(&jpg) : make_png(&png);
}

static void choose(int class, int channels)
{
    drawn = (shape){.class = class, .channels = channels};
    drawn.width = 24 + (int)draw(24);
    drawn.height = 24 + (int)draw(24);
    int least = drawn.width < drawn.height ? drawn.width : drawn.height;
    drawn.radius = least * (0.32 + draw(100) / 1000.0);
    drawn.x = drawn.radius + draw(1000) / 1000.0 * (drawn.width - 2 * drawn.radius);
    drawn.y = drawn.radius + draw(1000) / 1000.0 * (drawn.height - 2 * drawn.radius);
    for (int c = 0; c < 3; c++) {
        drawn.ground[c] = (int)draw(90);
        drawn.colour[c] = 150 + (int)draw(100);
    }
}

static bool write_picture(const char *path, bool jpeg)
{
    file_bytes bytes = make(jpeg);
    FILE *file = fopen(path, "wb");
    bool good =
        file != NULL && fwrite(bytes.at, 1, bytes.length, file) == bytes.length && fclose(file) == 0;
    free(bytes.at);
    return good;
}

static void make_folder(const char *path)
{
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        exit(99);
}

static void write_half(const char *folder, const char *half, int count, int channels)
{
    static const char *const classes[3] = {"circle", "cross", "square"};
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, half);
    make_folder(path);
    for (int class = 0; class < 3; class ++) {
        snprintf(path, sizeof(path), "%s/%s/%s", folder, half, classes[class]);
        make_folder(path);
        for (int i = 0; i < count; i++) {
            bool jpeg = i % 3 == 2;
            choose(class, channels);
            snprintf(path, sizeof(path), "%s/%s/%s/%04d.%s", folder, half, classes[class], i,
                     jpeg ? "jpg" : "png");
            if (!write_picture(path, jpeg))
                exit(99);
        }
    }
}

int main(int argc, char **argv)
{
    int train = 10, test = 0, seed = 1, grey = 0;
    for (int i = 2; i < argc; i++)
        if (sscanf(argv[i], "train=%d", &train) != 1 && sscanf(argv[i], "test=%d", &test) != 1 &&
            sscanf(argv[i], "seed=%d", &seed) != 1 && sscanf(argv[i], "grey=%d", &grey) != 1)
            return 99;
    if (argc < 2)
        return 99;
    state = (uint64_t)seed;
    make_folder(argv[1]);
    write_half(argv[1], test > 0 ? "train" : ".", train, grey ? 1 : 3);
    if (test > 0)
        write_half(argv[1], "test", test, grey ? 1 : 3);
    return 0;
}
