/* Folders of PNG files for tests: made in $TMPDIR, and removed. */
#ifndef PICTURE_FOLDER_H
#define PICTURE_FOLDER_H

#include <ftw.h>
#include <sys/stat.h>

#include "picture_maker.h"

/* A new folder; freed with remove_folder(). */
static inline char *make_folder(void)
{
    const char *base = getenv("TMPDIR");
    char *path = malloc(512);
    snprintf(path, 512, "%s/wick-test.XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(path) == NULL)
        abort();
    return path;
}

static inline int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

static inline void remove_folder(char *path)
{
    nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(path);
}

/* Pixel (x, y) is the first one, which is at the grey value's place in the PNG's wish, plus 16 y + x. */
static inline void gradient_row(const png_wish *wish, uint32_t y, uint8_t *bytes)
{
    for (uint32_t x = 0; x < wish->width; x++)
        bytes[x] = (uint8_t)(wish->alpha[0] + 16 * y + x);
}

/* folder/name: a grey PNG of that size with that first pixel. Folders on its way are made. */
static inline void put_png(const char *folder, const char *name, uint8_t first, uint32_t width,
                           uint32_t height)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    for (char *c = path + strlen(folder) + 1; (c = strchr(c, '/')) != NULL; *c++ = '/') {
        *c = '\0';
        mkdir(path, 0777);
    }
    const png_wish wish = {.width = width,
                           .height = height,
                           .bits = 8,
                           .type = PNG_COLOR_TYPE_GRAY,
                           .alpha = {first},
                           .row = gradient_row};
    file_bytes file = make_png(&wish);
    FILE *out = fopen(path, "wb");
    if (out == NULL || fwrite(file.at, 1, file.length, out) != file.length || fclose(out) != 0)
        abort();
    free(file.at);
}

#endif
