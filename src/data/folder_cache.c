#include "data/folder_cache.h"
#include "data/cache_prune.h"
#include "data/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTE_ORDER_MARK UINT64_C(0x0102030405060708)

enum { SUM_SIZE = 64, CHUNK_BYTES = 8 << 20, TEXT_LIMIT = 1 << 30 };

typedef struct cache_header {
    char magic[8];
    uint64_t byte_order, text_length, file_count;
    uint64_t shape[3];
    uint64_t sizes_differ;
} cache_header;

static const char magic[8] = {'W', 'I', 'C', 'K', 'P', 'I', 'X', '1'};

void wki_cache_release(wki_folder_cache *cache)
{
    if (cache->path != NULL && cache->fd >= 0)
        close(cache->fd);
    free(cache->path);
    free(cache->sound);
    free(cache->sums);
    /* One by one, as clang's analyser does not follow a struct's assignment. */
    cache->path = NULL;
    cache->sound = NULL;
    cache->sums = NULL;
    cache->fd = -1;
}

wick_status wki_cache_text(const wki_listing *listing, const wick_dataset_options *options, char **out)
{
    wki_text text;
    char *real = realpath(listing->root, NULL);
    wki_text_init(&text, listing->context);
    wki_text_printf(&text, "%s\n%lld %lld %lld %.17g\n", real == NULL ? listing->root : real,
                    (long long)options->channels, (long long)options->image_height,
                    (long long)options->image_width, options->test_fraction);
    free(real);
    for (size_t i = 0; i < listing->count; i++) {
        const wki_picture_file *file = &listing->files[i];
        wki_text_printf(&text, "%d %lld %llu %lld.%09lld %s\n", (int)file->half, (long long)file->label,
                        (unsigned long long)file->size, (long long)file->seconds,
                        (long long)file->nanoseconds, file->path);
    }
    return wki_text_finish(&text, out);
}

/* ---- reading ---- */

static wick_status no_match(wick_context *context)
{
    return wki_fail(context, WICK_EFORMAT, "the cache file is not of these pictures, or is damaged");
}

/* Whether the header fits the text, the files and the file's size. */
static bool fits(const cache_header *header, uint64_t size, const char *text, size_t file_count)
{
    uint64_t rest = sizeof(*header) + strlen(text) + (uint64_t)file_count * 5 + SUM_SIZE;
    if (memcmp(header->magic, magic, sizeof(magic)) != 0 || header->byte_order != BYTE_ORDER_MARK ||
        header->text_length != strlen(text) || header->file_count != file_count || size < rest)
        return false;
    for (int i = 0; i < 3; i++)
        if (header->shape[i] < 1 || header->shape[i] > UINT16_MAX)
            return false;
    return header->shape[0] <= 3 && header->sizes_differ <= 1;
}

/* The SHA-256 of all that is no pixels: of the digits of its parts'. */
static void sum_of(const cache_header *header, const char *text, const uint8_t *sound,
                   const uint32_t *sums, size_t file_count, char out[65])
{
    char parts[4 * 64 + 1];
    wki_sha256(header, sizeof(*header), parts);
    wki_sha256(text, strlen(text), parts + 64);
    wki_sha256(sound, file_count, parts + 128);
    wki_sha256(sums, file_count * sizeof(*sums), parts + 192);
    wki_sha256(parts, 256, out);
}

static wick_status read_tables(wick_context *context, int fd, uint64_t at, size_t file_count,
                               wki_folder_cache *out)
{
    void *sound, *sums;
    WKI_TRY(wki_alloc(context, file_count, 1, "a cache file", &sound));
    out->sound = sound;
    WKI_TRY(wki_alloc(context, file_count, sizeof(uint32_t), "a cache file", &sums));
    out->sums = sums;
    if (!wki_file_read_at(fd, at, sound, file_count) ||
        !wki_file_read_at(fd, at + file_count, sums, file_count * sizeof(uint32_t)))
        return no_match(context);
    return WICK_OK;
}

static wick_status check_text(wick_context *context, int fd, const char *text)
{
    char *there;
    void *memory;
    size_t length = strlen(text);
    WKI_TRY(wki_alloc(context, length, 1, "a cache file", &memory));
    there = memory;
    bool same =
        wki_file_read_at(fd, sizeof(cache_header), there, length) && memcmp(there, text, length) == 0;
    free(memory);
    return same ? WICK_OK : no_match(context);
}

/* Whether the pictures that could be read are as many as there are pixels, and the sum is right. */
static bool check_tables(int fd, uint64_t size, const cache_header *header, const char *text,
                         const wki_folder_cache *cache)
{
    char sum[65], stored[SUM_SIZE];
    uint64_t sound = 0, pixels = header->shape[0] * header->shape[1] * header->shape[2], bytes;
    for (uint64_t i = 0; i < header->file_count; i++) {
        if (cache->sound[i] > 1)
            return false;
        sound += cache->sound[i];
    }
    if (!wki_mul_u64(sound, pixels, &bytes) ||
        bytes != size - sizeof(*header) - header->text_length - header->file_count * 5 - SUM_SIZE)
        return false;
    sum_of(header, text, cache->sound, cache->sums, (size_t)header->file_count, sum);
    return wki_file_read_at(fd, size - SUM_SIZE, stored, SUM_SIZE) && memcmp(stored, sum, SUM_SIZE) == 0;
}

wick_status wki_cache_check(wick_context *context, int fd, uint64_t size, const char *text,
                            size_t file_count, wki_folder_cache *out)
{
    cache_header header;
    if (size < sizeof(header) || !wki_file_read_at(fd, 0, &header, sizeof(header)) ||
        !fits(&header, size, text, file_count))
        return no_match(context);
    WKI_TRY(check_text(context, fd, text));
    WKI_TRY(read_tables(context, fd, size - SUM_SIZE - (uint64_t)file_count * 5, file_count, out));
    if (!check_tables(fd, size, &header, text, out))
        return no_match(context);
    for (int i = 0; i < 3; i++)
        out->form.shape[i] = (int64_t)header.shape[i];
    out->form.sizes_differ = header.sizes_differ != 0;
    out->pixels_at = sizeof(header) + header.text_length;
    return WICK_OK;
}

/* WICK_ENOENT if there is none. */
static wick_status open_there(wick_context *context, const char *text, size_t file_count,
                              wki_folder_cache *cache)
{
    struct stat info;
    cache->fd = open(cache->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (cache->fd < 0 || fstat(cache->fd, &info) != 0 || !S_ISREG(info.st_mode))
        return WICK_ENOENT;
    wick_status status =
        wki_cache_check(context, cache->fd, (uint64_t)info.st_size, text, file_count, cache);
    if (status == WICK_OK)
        wki_cache_touch(cache->fd);
    return status == WICK_EFORMAT ? WICK_ENOENT : status;
}

/* ---- writing ---- */

typedef struct cache_making {
    wki_listing *listing;
    const wick_dataset_options *options;
    wki_writer writer;
    cache_header header;
    uint8_t *sound, *pixels; /* pixels: of a chunk */
    uint32_t *sums;
} cache_making;

static wick_status write_chunk(cache_making *m, size_t begin, size_t end, size_t bytes)
{
    const int64_t shape[3] = {(int64_t)m->header.shape[0], (int64_t)m->header.shape[1],
                              (int64_t)m->header.shape[2]};
    WKI_TRY(
        wki_folder_decode(m->listing, m->options, shape, 0, m->listing->count, begin, end, m->pixels));
    for (size_t i = begin; i < end; i++) {
        const uint8_t *pixels = m->pixels + (i - begin) * bytes;
        m->sound[i] = m->listing->files[i].problem == NULL;
        if (!m->sound[i] && !m->options->skip_broken)
            return WICK_ENOENT;
        m->sums[i] = m->sound[i] ? libdeflate_crc32(0, pixels, bytes) : 0;
        if (m->sound[i])
            WKI_TRY(wki_writer_write(&m->writer, pixels, bytes));
    }
    return WICK_OK;
}

static wick_status write_all(cache_making *m, const char *text)
{
    char sum[65];
    const size_t count = m->listing->count;
    const size_t bytes = (size_t)(m->header.shape[0] * m->header.shape[1] * m->header.shape[2]);
    const size_t chunk = WKI_MIN(count, WKI_MAX(1, CHUNK_BYTES / bytes));
    void *memory;
    WKI_TRY(wki_alloc(m->listing->context, count, 1, "a cache file", &memory));
    m->sound = memory;
    WKI_TRY(wki_alloc(m->listing->context, count, sizeof(uint32_t), "a cache file", &memory));
    m->sums = memory;
    WKI_TRY(wki_alloc(m->listing->context, chunk, bytes, "some pictures", &memory));
    m->pixels = memory;
    WKI_TRY(wki_writer_write(&m->writer, &m->header, sizeof(m->header)));
    WKI_TRY(wki_writer_write(&m->writer, text, strlen(text)));
    for (size_t begin = 0; begin < count; begin += chunk)
        WKI_TRY(write_chunk(m, begin, WKI_MIN(count, begin + chunk), bytes));
    sum_of(&m->header, text, m->sound, m->sums, count, sum);
    WKI_TRY(wki_writer_write(&m->writer, m->sound, count));
    WKI_TRY(wki_writer_write(&m->writer, m->sums, count * sizeof(uint32_t)));
    return wki_writer_write(&m->writer, sum, SUM_SIZE);
}

static wick_status make(wki_listing *listing, const wick_dataset_options *options, const char *path,
                        const char *text)
{
    wki_folder_form form;
    cache_making m = {.listing = listing, .options = options};
    WKI_TRY(wki_folder_learn(listing, options, &form));
    memcpy(m.header.magic, magic, sizeof(magic));
    m.header.byte_order = BYTE_ORDER_MARK;
    m.header.text_length = strlen(text);
    m.header.file_count = listing->count;
    for (int i = 0; i < 3; i++)
        m.header.shape[i] = (uint64_t)form.shape[i];
    m.header.sizes_differ = form.sizes_differ;
    wick_status status = wki_writer_open(&m.writer, listing->context, path);
    if (status != WICK_OK)
        return status == WICK_ENOMEM ? status : WICK_ENOENT;
    status = write_all(&m, text);
    if (status == WICK_OK)
        status = wki_writer_commit(&m.writer) == WICK_OK ? WICK_OK : WICK_ENOENT;
    else
        wki_writer_abort(&m.writer);
    if (status == WICK_OK)
        wki_cache_prune(path);
    free(m.sound);
    free(m.sums);
    free(m.pixels);
    return status;
}

/* ---- both ---- */

/* $XDG_CACHE_HOME/wick/folders/SUM.wick; WICK_ENOENT if there can be none. */
static wick_status cache_path(wick_context *context, const wki_listing *listing,
                              const wick_dataset_options *options, char **out)
{
    char *cache, *folder, name[80], settings[5000], sum[65];
    char *real = realpath(listing->root, NULL);
    snprintf(settings, sizeof(settings), "%.4095s\n%lld %lld %lld %.17g",
             real == NULL ? listing->root : real, (long long)options->channels,
             (long long)options->image_height, (long long)options->image_width, options->test_fraction);
    free(real);
    wki_sha256(settings, strlen(settings), sum);
    snprintf(name, sizeof(name), "%s.wick", sum);
    WKI_TRY(wki_cache_folder(context, &cache));
    wick_status status = wki_join_path(context, cache, "folders", &folder);
    free(cache);
    WKI_TRY(status);
    status = wki_make_folders(context, folder);
    if (status == WICK_OK)
        status = wki_join_path(context, folder, name, out);
    else if (status != WICK_ENOMEM)
        status = WICK_ENOENT;
    free(folder);
    return status;
}

/* Broken pictures that are not to be skipped are to be named with what is wrong: they are read again. */
static bool is_of_use(const wki_folder_cache *cache, const wick_dataset_options *options, size_t count)
{
    bool all = true;
    for (size_t i = 0; i < count; i++)
        all = all && cache->sound[i] != 0;
    return all || options->skip_broken;
}

static wick_status find_or_make(wki_listing *listing, const wick_dataset_options *options,
                                const char *text, wki_folder_cache *cache)
{
    wick_context *context = listing->context;
    WKI_TRY(cache_path(context, listing, options, &cache->path));
    wick_status status = open_there(context, text, listing->count, cache);
    if (status == WICK_OK && is_of_use(cache, options, listing->count))
        return WICK_OK;
    if (status != WICK_OK && status != WICK_ENOENT)
        return status;
    char *path = cache->path;
    cache->path = NULL;
    if (cache->fd >= 0)
        close(cache->fd);
    wki_cache_release(cache);
    status = make(listing, options, path, text);
    cache->path = path;
    return status == WICK_OK ? open_there(context, text, listing->count, cache) : status;
}

static wick_status note_problem(const wki_listing *listing, wki_picture_file *file)
{
    wki_text text;
    wki_text_init(&text, listing->context);
    wki_text_printf(&text, "%s/%s: cannot be read", listing->root, file->path);
    return wki_text_finish(&text, &file->problem);
}

/* What is wrong with the pictures that the cache leaves out: it says which, and the first of each half, which
 * will be named, are read again for the reason. */
static wick_status note_problems(wki_listing *listing, const wki_folder_cache *cache)
{
    static const wick_dataset_options silent;
    const int64_t *shape = cache->form.shape;
    int seen[2] = {0};
    void *pixels;
    wick_status status = WICK_OK;
    WKI_TRY(
        wki_alloc(listing->context, 1, (size_t)(shape[0] * shape[1] * shape[2]), "a picture", &pixels));
    for (size_t i = 0; i < listing->count && status == WICK_OK; i++) {
        wki_picture_file *file = &listing->files[i];
        if (cache->sound[i])
            continue;
        if (file->problem == NULL && seen[file->half] < WKI_NAMED_PICTURES)
            status = wki_folder_decode(listing, &silent, shape, i, i + 1, i, i + 1, pixels);
        seen[file->half]++;
        if (status == WICK_OK && file->problem == NULL)
            status = note_problem(listing, file);
    }
    free(pixels);
    return status;
}

wick_status wki_cache_open(wki_listing *listing, const wick_dataset_options *options,
                           wki_folder_cache *out, bool *found)
{
    char *text;
    *out = (wki_folder_cache){.fd = -1};
    *found = false;
    WKI_TRY(wki_cache_text(listing, options, &text));
    wick_status status = WICK_ENOENT;
    if (strlen(text) < TEXT_LIMIT)
        status = find_or_make(listing, options, text, out);
    free(text);
    if (status == WICK_OK)
        status = note_problems(listing, out);
    *found = status == WICK_OK;
    if (!*found)
        wki_cache_release(out);
    return status == WICK_ENOENT || (status == WICK_EIO && !*found) ? WICK_OK : status;
}
