/* IDX files for tests: made in memory, gzip'd, written to a folder of the test's own. */
#ifndef IDX_MAKER_H
#define IDX_MAKER_H

#include <fcntl.h>
#include <ftw.h>
#include <libdeflate.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct bytes {
    uint8_t *at;
    size_t length;
} bytes;

static inline void *must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

static inline void put_32(uint8_t *at, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(number >> (24 - 8 * i));
}

/* A header of ndim sizes, and room for room bytes of zeros after it. */
static inline bytes make_idx(uint32_t magic, int ndim, const uint32_t *sizes, size_t room)
{
    bytes file = {.length = 4 + 4 * (size_t)ndim + room};
    file.at = must(calloc(file.length + 1, 1));
    put_32(file.at, magic);
    for (int i = 0; i < ndim; i++)
        put_32(file.at + 4 + 4 * i, sizes[i]);
    return file;
}

/* Images whose pixels are all different from their neighbours'; labels 0, 1, ..., classes - 1, 0, ... */
static inline bytes make_images(uint32_t count, uint32_t height, uint32_t width)
{
    size_t pixels = (size_t)count * height * width;
    bytes file = make_idx(0x803, 3, (const uint32_t[]){count, height, width}, pixels);
    for (size_t i = 0; i < pixels; i++)
        file.at[16 + i] = (uint8_t)(i * 7 + i / 256);
    return file;
}

static inline bytes make_labels(uint32_t count, int classes)
{
    bytes file = make_idx(0x801, 1, &count, count);
    for (size_t i = 0; i < count; i++)
        file.at[8 + i] = (uint8_t)(i % (size_t)classes);
    return file;
}

static inline bytes join(bytes a, bytes b)
{
    bytes both = {.at = must(malloc(a.length + b.length + 1)), .length = a.length + b.length};
    memcpy(both.at, a.at, a.length);
    memcpy(both.at + a.length, b.at, b.length);
    return both;
}

static inline bytes gzip(bytes plain, int level)
{
    struct libdeflate_compressor *compressor = must(libdeflate_alloc_compressor(level));
    size_t room = libdeflate_gzip_compress_bound(compressor, plain.length);
    bytes packed = {.at = must(malloc(room))};
    packed.length = libdeflate_gzip_compress(compressor, plain.at, plain.length, packed.at, room);
    libdeflate_free_compressor(compressor);
    if (packed.length == 0)
        abort();
    return packed;
}

/* gzip'd, and the plain bytes freed. */
static inline bytes gzipped(bytes plain)
{
    bytes packed = gzip(plain, 6);
    free(plain.at);
    return packed;
}

static inline bytes from_text(const char *text)
{
    bytes copy = {.at = (uint8_t *)must(strdup(text)), .length = strlen(text)};
    return copy;
}

enum { PATH_ROOM = 4096 };

/* folder/name. */
static inline void path_to(char out[PATH_ROOM], const char *folder, const char *name)
{
    int length = snprintf(out, PATH_ROOM, "%s/%s", folder, name);
    if (length < 0 || length >= PATH_ROOM)
        abort();
}

/* ---- folders ---- */

/* A new folder, readable by all, in $TMPDIR or /tmp; freed with remove_folder(). */
static inline char *make_folder(void)
{
    const char *base = getenv("TMPDIR");
    char *path = must(malloc(PATH_ROOM));
    path_to(path, base != NULL ? base : "/tmp", "wick-test.XXXXXX");
    must(mkdtemp(path));
    if (chmod(path, 0755) != 0)
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

/* Writes folder/name and frees the bytes. */
static inline void put_file(const char *folder, const char *name, bytes file)
{
    char path[PATH_ROOM];
    path_to(path, folder, name);
    FILE *out = must(fopen(path, "wb"));
    if ((file.length > 0 && fwrite(file.at, 1, file.length, out) != file.length) || fclose(out) != 0)
        abort();
    free(file.at);
}

/* Makes folder/name. */
static inline void sub_folder(char out[PATH_ROOM], const char *folder, const char *name)
{
    path_to(out, folder, name);
    if (mkdir(out, 0755) != 0)
        abort();
}

#endif
