/* A folder of pictures as a data set. */
#include "data/dataset.h"
#include "data/folder_cache.h"
#include "data/folder_decode.h"
#include "data/picture_work.h"
#include "image/image_internal.h"
#include "tensor/tensor_internal.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct folder_reading {
    wick_context *context;
    const wick_dataset_options *options;
    wick_split split;
    wki_listing listing;
    wki_folder_form form;
    size_t begin, end; /* the half's files */
    uint8_t *pixels;   /* of all of them */
    bool damaged;      /* the cache's pixels are not what was written */
} folder_reading;

static size_t bytes_of(const folder_reading *r)
{
    return (size_t)(r->form.shape[0] * r->form.shape[1] * r->form.shape[2]);
}

/* ---- broken pictures ---- */

static size_t count_problems(const wki_listing *listing, size_t begin, size_t end)
{
    size_t count = 0;
    for (size_t i = begin; i < end; i++)
        count += listing->files[i].problem != NULL;
    return count;
}

static size_t count_broken(const folder_reading *r)
{
    return count_problems(&r->listing, r->begin, r->end);
}

/* "a: is broken; b: is empty; and 7 more", from the root on. */
static void name_problems(const wki_listing *listing, size_t begin, size_t end, wki_text *text)
{
    const size_t count = count_problems(listing, begin, end), root = strlen(listing->root);
    size_t named = 0;
    for (size_t i = begin; i < end && named < WKI_NAMED_PICTURES; i++) {
        const char *problem = listing->files[i].problem;
        if (problem == NULL)
            continue;
        if (strncmp(problem, listing->root, root) == 0)
            problem += root + strspn(problem + root, "/");
        wki_text_printf(text, "%s%s", named++ == 0 ? "" : "; ", problem);
    }
    if (count > named)
        wki_text_printf(text, "; and %zu more", count - named);
}

static const char *half_name(wick_split split)
{
    return split == WICK_TRAIN ? "training" : "test";
}

/* "4 of the training half's 15 pictures and 1 of the test half's 9 cannot be read; mend them, or leave them
 * out (--skip-broken): a: is broken; in the test half: b: is empty". */
static void describe_broken(const wki_listing *listing, wki_text *text)
{
    size_t begin[2], end[2], count[2];
    for (int half = WICK_TRAIN; half <= WICK_TEST; half++) {
        wki_listing_half(listing, (wick_split)half, &begin[half], &end[half]);
        count[half] = count_problems(listing, begin[half], end[half]);
        if (count[half] > 0)
            wki_text_printf(text, "%s%zu of the %s half's %zu%s",
                            half == WICK_TEST && count[WICK_TRAIN] > 0 ? " and " : "", count[half],
                            half_name((wick_split)half), end[half] - begin[half],
                            half == WICK_TEST && count[WICK_TRAIN] > 0 ? "" : " pictures");
    }
    wki_text_puts(text, " cannot be read; mend them, or leave them out (--skip-broken): ");
    name_problems(listing, begin[WICK_TRAIN], end[WICK_TRAIN], text);
    if (count[WICK_TRAIN] > 0 && count[WICK_TEST] > 0)
        wki_text_puts(text, "; in the test half: ");
    name_problems(listing, begin[WICK_TEST], end[WICK_TEST], text);
}

/* Reads all pictures whose problem is not known, of both halves, some at a time, for their problems alone. */
static wick_status look_at_all(folder_reading *r)
{
    enum { CHUNK_BYTES = 8 << 20 };
    const size_t count = r->listing.count, bytes = bytes_of(r);
    const size_t chunk = WKI_MIN(count, WKI_MAX(1, CHUNK_BYTES / bytes));
    void *pixels;
    wick_status status = WICK_OK;
    WKI_TRY(wki_alloc(r->context, chunk, bytes, "some pictures", &pixels));
    for (size_t at = 0; at < count && status == WICK_OK; at += chunk)
        status = wki_folder_decode(&r->listing, r->options, r->form.shape, 0, count, at,
                                   WKI_MIN(count, at + chunk), pixels);
    free(pixels);
    return status;
}

/* All that are broken are named at once, so that they can be mended at once. */
static wick_status fail_broken(folder_reading *r)
{
    wki_text text;
    char *line;
    WKI_TRY(look_at_all(r));
    wki_text_init(&text, r->context);
    wki_text_printf(&text, "%s: ", r->listing.root);
    describe_broken(&r->listing, &text);
    WKI_TRY(wki_text_finish(&text, &line));
    wick_status status = wki_fail(r->context, WICK_EFORMAT, "%s", line);
    free(line);
    return status;
}

static wick_status check_problems(folder_reading *r)
{
    if (count_broken(r) == 0)
        return WICK_OK;
    return r->options->skip_broken ? wki_listing_check_classes(&r->listing, r->split) : fail_broken(r);
}

/* ---- notes ---- */

static wick_status note_form(const folder_reading *r, wick_dataset *dataset)
{
    const int64_t *shape = r->form.shape;
    if (r->form.sizes_differ)
        WKI_TRY(wki_dataset_note(dataset,
                                 "the pictures are of several sizes; all are made %lldx%lld "
                                 "(--image-size says otherwise)",
                                 (long long)shape[1], (long long)shape[2]));
    if (!r->listing.own_test) {
        size_t begin, end;
        wki_listing_half(&r->listing, WICK_TEST, &begin, &end);
        WKI_TRY(wki_dataset_note(dataset,
                                 "there is no test half: %zu of the %zu pictures are held out as one "
                                 "(--test-fraction)",
                                 end - begin, r->listing.count));
    }
    return WICK_OK;
}

static wick_status note_classes(const folder_reading *r, wick_dataset *dataset)
{
    const char *first = NULL;
    const int64_t missing = wki_listing_missing(&r->listing, &first);
    if (r->listing.class_count == 1)
        WKI_TRY(wki_dataset_note(dataset, "there is one class only, '%s': everything will be right",
                                 r->listing.classes[0]));
    if (missing == 0 || r->split != WICK_TEST)
        return WICK_OK;
    return wki_dataset_note(dataset, "the test half has no pictures of %lld of the %zu classes: '%s'%s",
                            (long long)missing, r->listing.class_count, first,
                            missing == 1 ? "" : " and others");
}

static wick_status note_broken(const folder_reading *r, wick_dataset *dataset)
{
    const size_t broken = count_broken(r);
    wki_text text;
    char *list;
    if (broken == 0)
        return WICK_OK;
    wki_text_init(&text, r->context);
    name_problems(&r->listing, r->begin, r->end, &text);
    WKI_TRY(wki_text_finish(&text, &list));
    wick_status status = wki_dataset_note(
        dataset, "left out %s %zu of the %s half's %zu pictures, which cannot be read: %s",
        broken == 1 ? "is" : "are", broken, half_name(r->split), r->end - r->begin, list);
    free(list);
    return status;
}

static wick_status note_all(const folder_reading *r, wick_dataset *dataset)
{
    WKI_TRY(note_form(r, dataset));
    WKI_TRY(note_classes(r, dataset));
    if (r->listing.ignored > 0)
        WKI_TRY(wki_dataset_note(dataset, "%lld %s left out, such as %s", (long long)r->listing.ignored,
                                 r->listing.ignored == 1 ? "file that is no PNG or JPEG picture is"
                                                         : "files that are no PNG or JPEG pictures are",
                                 r->listing.first_ignored));
    return note_broken(r, dataset);
}

/* ---- reading ---- */

static wick_status find_pictures(folder_reading *r)
{
    WKI_TRY(wki_folder_learn(&r->listing, r->options, &r->form));
    wki_listing_half(&r->listing, r->split, &r->begin, &r->end);
    return check_problems(r);
}

static wick_status read_pixels(folder_reading *r)
{
    const int64_t *shape = r->form.shape;
    void *memory;
    WKI_TRY(wki_alloc(r->context, r->end - r->begin, (size_t)(shape[0] * shape[1] * shape[2]),
                      "the pictures", &memory));
    r->pixels = memory;
    WKI_TRY(wki_folder_decode(&r->listing, r->options, shape, r->begin, r->end, r->begin, r->end,
                              r->pixels));
    return check_problems(r);
}

/* The labels and paths of those that could be read. */
static wick_status take_files(const folder_reading *r, wick_dataset *dataset)
{
    const wki_listing *listing = &r->listing;
    size_t put = 0;
    void *memory;
    WKI_TRY(
        wki_alloc(r->context, (size_t)dataset->count, sizeof(char *), "the pictures' paths", &memory));
    const char **paths = memory;
    for (size_t i = r->begin; i < r->end; i++)
        if (listing->files[i].problem == NULL) {
            dataset->labels[put] = listing->files[i].label;
            paths[put++] = listing->files[i].path;
        }
    wick_status status = wki_dataset_set_paths(dataset, paths);
    free(paths);
    return status;
}

/* A data set of the half's pictures that could be read, without pixels. */
static wick_status make_dataset(const folder_reading *r, wick_dataset **out)
{
    const wki_listing *listing = &r->listing;
    wick_dataset *dataset;
    char *name;
    size_t count = r->end - r->begin - count_broken(r);
    WKI_TRY(wki_base_name(r->context, listing->root, &name));
    wick_status status =
        wki_dataset_new(r->context, name, "ImageFolder", listing->root, (int64_t)count,
                        (int64_t)listing->class_count, (const char *const *)listing->classes, &dataset);
    free(name);
    WKI_TRY(status);
    dataset->split = r->split;
    memcpy(dataset->shape, r->form.shape, sizeof(dataset->shape));
    status = take_files(r, dataset);
    if (status == WICK_OK)
        status = note_all(r, dataset);
    if (status == WICK_OK)
        *out = dataset;
    else
        wick_dataset_free(dataset);
    return status;
}

/* Without a cache, which is what pictures are streamed from, the half has to go into memory. */
static wick_status check_memory(folder_reading *r)
{
    const size_t count = r->end - r->begin - count_broken(r);
    if (!wki_exceeds_memory(r->options, (int64_t)count, bytes_of(r)))
        return WICK_OK;
    if (!r->options->skip_broken && !r->options->no_cache &&
        count_problems(&r->listing, 0, r->listing.count) > 0)
        return fail_broken(r); /* which is why there is no cache */
    return wki_fail(r->context, WICK_ELIMIT,
                    "%s: the %s half's %zu pictures come to %.0f bytes, more than the memory limit of "
                    "%llu (--memory-limit); they would be streamed from a cache in the user's cache "
                    "folder, which %s: smaller images (--image-size, --channels), a larger limit or a "
                    "cache are wanted",
                    r->listing.root, half_name(r->split), count, (double)count * (double)bytes_of(r),
                    (unsigned long long)wki_memory_limit(r->options),
                    r->options->no_cache ? "is ruled out here (--no-cache)" : "cannot be written");
}

/* Without a cache: the pictures are read to memory. */
static wick_status open_directly(folder_reading *r, wick_dataset **out)
{
    wick_dataset *dataset;
    WKI_TRY(find_pictures(r));
    WKI_TRY(check_memory(r));
    WKI_TRY(read_pixels(r));
    WKI_TRY(make_dataset(r, &dataset));
    size_t bytes = bytes_of(r), put = 0;
    for (size_t i = r->begin; i < r->end; i++)
        if (r->listing.files[i].problem == NULL)
            memmove(r->pixels + put++ * bytes, r->pixels + (i - r->begin) * bytes, bytes);
    dataset->memory = r->pixels;
    dataset->pixels = r->pixels;
    r->pixels = NULL;
    *out = dataset;
    return WICK_OK;
}

/* ---- from the cache ---- */

static bool sums_are_right(const folder_reading *r, const wki_folder_cache *cache, const uint8_t *pixels)
{
    size_t bytes = bytes_of(r), row = 0;
    for (size_t i = r->begin; i < r->end; i++)
        if (cache->sound[i] && libdeflate_crc32(0, pixels + row++ * bytes, bytes) != cache->sums[i])
            return false;
    return true;
}

static wick_status load_pixels(folder_reading *r, const wki_folder_cache *cache, uint64_t at,
                               wick_dataset *dataset)
{
    void *memory;
    size_t count = (size_t)dataset->count, bytes = bytes_of(r);
    WKI_TRY(wki_alloc(r->context, count, bytes, "the pictures", &memory));
    dataset->memory = memory;
    dataset->pixels = memory;
    if (wki_file_read_at(cache->fd, at, memory, count * bytes) && sums_are_right(r, cache, memory))
        return WICK_OK;
    r->damaged = true;
    return wki_fail(r->context, WICK_EIO, "%s: this cache of pictures is damaged", cache->path);
}

static wick_status stream_pixels(const folder_reading *r, wki_folder_cache *cache, uint64_t at,
                                 wick_dataset *dataset)
{
    wki_pixel_files *stored = &dataset->stored;
    size_t row = 0;
    stored->is_cache = true;
    WKI_TRY(wki_pixel_files_init(r->context, stored, dataset->count));
    WKI_TRY(wki_pixel_files_add(r->context, stored, cache->path, cache->fd));
    cache->fd = -1;
    for (size_t i = r->begin; i < r->end; i++)
        if (cache->sound[i]) {
            stored->places[row].at = at + row * bytes_of(r);
            stored->places[row++].sum = cache->sums[i];
        }
    return WICK_OK;
}

static wick_status open_cached(folder_reading *r, wki_folder_cache *cache, wick_dataset **out)
{
    wick_dataset *dataset;
    uint64_t at = cache->pixels_at;
    r->form = cache->form;
    wki_listing_half(&r->listing, r->split, &r->begin, &r->end);
    WKI_TRY(check_problems(r));
    WKI_TRY(make_dataset(r, &dataset));
    for (size_t i = 0; i < r->begin; i++)
        at += cache->sound[i] ? bytes_of(r) : 0;
    wick_status status = wki_exceeds_memory(r->options, dataset->count, bytes_of(r))
                             ? stream_pixels(r, cache, at, dataset)
                             : load_pixels(r, cache, at, dataset);
    if (status == WICK_OK)
        *out = dataset;
    else
        wick_dataset_free(dataset);
    return status;
}

/* A damaged cache is removed and made once more. */
static wick_status open_with_cache(folder_reading *r, wick_dataset **out)
{
    wick_status status = WICK_OK;
    for (int tries = 0; tries == 0 || (tries == 1 && r->damaged); tries++) {
        wki_folder_cache cache;
        bool found;
        r->damaged = false;
        WKI_TRY(wki_cache_open(&r->listing, r->options, &cache, &found));
        if (!found)
            return open_directly(r, out);
        status = open_cached(r, &cache, out);
        if (r->damaged)
            (void)unlink(cache.path);
        wki_cache_release(&cache);
    }
    return status;
}

wick_status wki_folder_open(wick_context *context, const char *folder, wick_split split,
                            const wick_dataset_options *options, wick_dataset **out)
{
    folder_reading r = {.context = context, .options = options, .split = split};
    wick_status status = wki_listing_scan(context, folder, options->test_fraction, &r.listing);
    if (status == WICK_OK)
        status = options->no_cache ? open_directly(&r, out) : open_with_cache(&r, out);
    free(r.pixels);
    wki_listing_release(&r.listing);
    return status;
}

/* ---- fitting other data sets ---- */

typedef struct fitting {
    const wick_dataset *from;
    uint8_t *to;
    const int64_t *out; /* a shape */
} fitting;

static size_t numel(const int64_t shape[3])
{
    return (size_t)(shape[0] * shape[1] * shape[2]);
}

static wick_status fit_one(void *user, wick_context *own, size_t at)
{
    static const wick_image_fit_options as_it_is = {.invert = WICK_INVERT_OFF};
    const fitting *f = user;
    wick_tensor *image, *fitted = NULL;
    wick_status status = WICK_OK;
    WKI_TRY(wick_tensor_new(own, WICK_UINT8, 3, f->from->shape, &image));
    if (!wki_dataset_fetch(f->from, (int64_t)at, wick_tensor_u8(image)))
        status = wki_dataset_fetch_failed(f->from, own, (int64_t)at);
    if (status == WICK_OK)
        status = wick_image_fit(image, f->out, &as_it_is, &fitted, NULL);
    if (status == WICK_OK)
        memcpy(f->to + at * numel(f->out), fitted->data, numel(f->out));
    wick_tensor_free(fitted);
    wick_tensor_free(image);
    return status;
}

/* What is fitted is held in memory, so it has to go there. */
static wick_status check_fitted_size(const wick_dataset *dataset, const int64_t shape[3],
                                     const wick_dataset_options *options)
{
    if (!wki_exceeds_memory(options, dataset->count, numel(shape)))
        return WICK_OK;
    return wki_fail(
        dataset->context, WICK_ELIMIT,
        "%s: made [%lld, %lld, %lld] its %lld images come to %.0f bytes, more than the memory "
        "limit of %llu; a larger one (--memory-limit) is wanted, or smaller images "
        "(--image-size, --channels)",
        dataset->root, (long long)shape[0], (long long)shape[1], (long long)shape[2],
        (long long)dataset->count, (double)dataset->count * (double)numel(shape),
        (unsigned long long)wki_memory_limit(options));
}

wick_status wki_dataset_fit(wick_dataset *dataset, const wick_dataset_options *options)
{
    int64_t shape[3];
    void *memory;
    shape[0] = options->channels != 0 ? options->channels : dataset->shape[0];
    shape[1] = options->image_height != 0 ? options->image_height : dataset->shape[1];
    shape[2] = options->image_width != 0 ? options->image_width : dataset->shape[2];
    if (options->folders_alone || memcmp(shape, dataset->shape, sizeof(shape)) == 0)
        return WICK_OK;
    WKI_TRY(check_fitted_size(dataset, shape, options));
    WKI_TRY(wki_alloc(dataset->context, (size_t)dataset->count, numel(shape), "the images", &memory));
    fitting f = {dataset, memory, shape};
    const wki_picture_work work = {.end = (size_t)dataset->count,
                                   .one = fit_one,
                                   .user = &f,
                                   .progress = options->progress,
                                   .progress_user = options->user,
                                   .total = dataset->count};
    wick_status status = wki_picture_work_run(dataset->context, &work);
    if (status != WICK_OK) {
        free(memory);
        return status;
    }
    wki_pixel_files_release(&dataset->stored);
    free(dataset->memory);
    dataset->memory = memory;
    dataset->pixels = memory;
    memcpy(dataset->shape, shape, sizeof(shape));
    return WICK_OK;
}
