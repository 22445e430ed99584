/* Makes a small data set of four IDX files: images of bright squares, a place for each class, with
 * noise. mkidx FOLDER [train=N] [test=N] [side=N] [classes=N] [labels=N] labels is how many labels the
 * training half has, train if not given. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct set_shape {
    int train, test, side, classes, labels;
} set_shape;

static uint32_t next(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

static void put_u32(FILE *file, uint32_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        fputc((int)(number >> shift & 255), file);
}

static FILE *create(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        exit(99);
    }
    return file;
}

static void put_image(FILE *file, const set_shape *shape, int label, uint32_t *state)
{
    int cells = 1;
    while (cells * cells < shape->classes)
        cells++;
    int top = label / cells * shape->side / cells, left = label % cells * shape->side / cells;
    int size = shape->side / cells;
    for (int y = 0; y < shape->side; y++)
        for (int x = 0; x < shape->side; x++) {
            bool bright = y >= top && y < top + size && x >= left && x < left + size;
            fputc((int)(next(state) % 64 + (bright ? 160 : 0)), file);
        }
}

static void put_half(const char *folder, const char *prefix, int images, int labels,
                     const set_shape *shape, uint32_t seed)
{
    char name[64];
    uint32_t state = seed;
    snprintf(name, sizeof(name), "%s-images-idx3-ubyte", prefix);
    FILE *image_file = create(folder, name);
    snprintf(name, sizeof(name), "%s-labels-idx1-ubyte", prefix);
    FILE *label_file = create(folder, name);
    put_u32(image_file, 0x803);
    put_u32(image_file, (uint32_t)images);
    put_u32(image_file, (uint32_t)shape->side);
    put_u32(image_file, (uint32_t)shape->side);
    put_u32(label_file, 0x801);
    put_u32(label_file, (uint32_t)labels);
    for (int i = 0; i < images || i < labels; i++) {
        int label = i < shape->classes ? i : (int)(next(&state) % (uint32_t)shape->classes);
        if (i < images)
            put_image(image_file, shape, label, &state);
        if (i < labels)
            fputc(label, label_file);
    }
    if (fclose(image_file) != 0 || fclose(label_file) != 0)
        exit(99);
}

int main(int argc, char **argv)
{
    set_shape shape = {.train = 200, .test = 50, .side = 28, .classes = 10, .labels = -1};
    if (argc < 2)
        return 99;
    for (int i = 2; i < argc; i++) {
        char name[16];
        int number;
        if (sscanf(argv[i], "%15[a-z]=%d", name, &number) != 2)
            return 99;
        int *place = strcmp(name, "train") == 0     ? &shape.train
                     : strcmp(name, "test") == 0    ? &shape.test
                     : strcmp(name, "side") == 0    ? &shape.side
                     : strcmp(name, "classes") == 0 ? &shape.classes
                     : strcmp(name, "labels") == 0  ? &shape.labels
                                                    : NULL;
        if (place == NULL)
            return 99;
        *place = number;
    }
    mkdir(argv[1], 0777);
    put_half(argv[1], "train", shape.train, shape.labels < 0 ? shape.train : shape.labels, &shape, 1);
    put_half(argv[1], "t10k", shape.test, shape.test, &shape, 2);
    return 0;
}
