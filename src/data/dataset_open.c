#include "data/dataset.h"
#include "data/folder_scan.h"
#include "data/idx.h"
#include "data/registry.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* ---- where the files are ---- */

/* The path of name.gz or of name in folder, freed with free(); NULL with WICK_OK if neither is there. */
static wick_status find_file(wick_context *context, const char *folder, const char *name, char **out)
{
    static const char *const endings[] = {".gz", ""};
    for (size_t i = 0; i < WKI_COUNT(endings); i++) {
        char file[64], *path;
        struct stat info;
        snprintf(file, sizeof(file), "%s%s", name, endings[i]);
        WKI_TRY(wki_join_path(context, folder, file, &path));
        if (stat(path, &info) == 0) {
            *out = path;
            return WICK_OK;
        }
        int error = errno;
        free(path);
        if (error != ENOENT && error != ENOTDIR)
            return wki_fail(context, WICK_EIO, "%s: cannot look for %s in it: %s", folder, file,
                            strerror(error));
    }
    *out = NULL;
    return WICK_OK;
}

/* The name of a file that a folder of the set has, for index 0 to 3; set may be NULL: MNIST's names. */
static const char *file_of(const wki_known_set *set, int index)
{
    if (set != NULL && set->cifar)
        return wki_cifar_file_name(set, (wick_split)(index / 2), 0);
    return wki_idx_file_name(set, (wick_split)(index / 2), (wki_part)(index % 2));
}

/* Whether one of the set's files is in folder: then all of them have to be. */
static wick_status has_files(wick_context *context, const char *folder, const wki_known_set *set,
                             bool *has)
{
    *has = false;
    for (int i = 0; i < 4 && !*has; i++) {
        char *path;
        WKI_TRY(find_file(context, folder, file_of(set, i), &path));
        *has = path != NULL;
        free(path);
    }
    return WICK_OK;
}

typedef struct folder_search {
    wick_context *context;
    const wki_known_set *set;
    wki_text looked; /* the folders without the files so far */
    char *found;
    char *pickled; /* a file of the set's version for Python that was met on the way, or NULL */
} folder_search;

/* Looks in folder, which is freed. In a folder that the user did not name, one that may not be looked
 * into is as good as one that is not there. */
static wick_status look_in(folder_search *search, char *folder, bool named)
{
    bool has;
    wick_status status = has_files(search->context, folder, search->set, &has);
    if (status == WICK_OK && has) {
        search->found = folder;
        return WICK_OK;
    }
    if (status == WICK_OK || (status == WICK_EIO && !named)) {
        wki_text_printf(&search->looked, "%s%s", search->looked.length == 0 ? "" : ", ", folder);
        status = search->looked.status;
    }
    free(folder);
    return status;
}

static bool is_pickle(const char *path)
{
    enum { PROTOCOL = 0x80 };
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return false;
    FILE *file = fopen(path, "rbe");
    int first = file == NULL ? EOF : fgetc(file);
    if (file != NULL)
        fclose(file);
    return first == PROTOCOL;
}

/* folder/place if that is a pickle; else *out is NULL. */
static wick_status find_pickle(wick_context *context, const char *folder, const char *place, char **out)
{
    WKI_TRY(wki_join_path(context, folder, place, out));
    if (is_pickle(*out))
        return WICK_OK;
    free(*out);
    *out = NULL;
    return WICK_OK;
}

/* The set's version for Python: in its folder below this one or, as for data_batch_1, in this one. */
static wick_status find_pickled(wick_context *context, const char *folder, const wki_known_set *set,
                                char **out)
{
    *out = NULL;
    if (set->pickled == NULL)
        return WICK_OK;
    const char *file = strrchr(set->pickled, '/') + 1;
    WKI_TRY(find_pickle(context, folder, set->pickled, out));
    return *out != NULL ? WICK_OK : find_pickle(context, folder, file, out);
}

/* Looks in folder, folder/NAME and where else in it the set may be. */
static wick_status look_in_both(folder_search *search, const char *folder)
{
    char *path;
    if (folder == NULL || folder[0] == '\0' || search->found != NULL)
        return WICK_OK;
    WKI_TRY(wki_strdup(search->context, folder, &path));
    WKI_TRY(look_in(search, path, true));
    if (search->found != NULL)
        return WICK_OK;
    WKI_TRY(wki_join_path(search->context, folder, search->set->name, &path));
    WKI_TRY(look_in(search, path, true));
    for (const char *const *place = search->set->places; *place != NULL && search->found == NULL;
         place++) {
        WKI_TRY(wki_join_path(search->context, folder, *place, &path));
        WKI_TRY(look_in(search, path, true));
    }
    if (search->found != NULL || search->pickled != NULL)
        return WICK_OK;
    return find_pickled(search->context, folder, search->set, &search->pickled);
}

/* Looks in the user's cache and where Debian's packages of data sets put them. */
static wick_status look_in_usual(folder_search *search)
{
    char *cache, *path;
    wick_status status = search->found == NULL ? wki_cache_folder(search->context, &cache) : WICK_ENOENT;
    if (status == WICK_OK) {
        status = wki_join_path(search->context, cache, search->set->name, &path);
        free(cache);
        if (status == WICK_OK)
            status = look_in(search, path, false);
    }
    if (status != WICK_OK && status != WICK_ENOENT)
        return status;
    if (search->found != NULL)
        return WICK_OK;
    WKI_TRY(wki_join_path(search->context, "/usr/share/datasets", search->set->name, &path));
    return look_in(search, path, false);
}

static wick_status fail_pickled(wick_context *context, const char *path, const wki_known_set *set)
{
    return wki_fail(
        context, WICK_EFORMAT,
        "%s: is of %s's version for Python, a pickle, which is not read; the binary version is "
        "wanted, whose archive unpacks to %s",
        path, set->name, set->places[0]);
}

static wick_status fail_missing(const folder_search *search)
{
    const wki_known_set *set = search->set;
    if (search->pickled != NULL)
        return fail_pickled(search->context, search->pickled, set);
    if (set->mirrors[0] == NULL)
        return wki_fail(
            search->context, WICK_ENOENT,
            "%s: its files (%s%s and so on) were not found in %s; unpack the published archive "
            "in one of them",
            set->name, file_of(set, 0), set->cifar ? "" : ".gz", search->looked.bytes);
    return wki_fail(
        search->context, WICK_ENOENT,
        "%s: its files (%s.gz and so on) were not found in %s; 'wick data get %s' downloads them",
        set->name, file_of(set, 0), search->looked.bytes, set->name);
}

static wick_status find_folder(wick_context *context, const wki_known_set *set, const char *data_dir,
                               char **out)
{
    folder_search search = {.context = context, .set = set};
    wki_text_init(&search.looked, context);
    wick_status status = look_in_both(&search, data_dir);
    if (status == WICK_OK)
        status = look_in_both(&search, getenv("WICK_DATA_DIR"));
    if (status == WICK_OK)
        status = look_in_usual(&search);
    if (status == WICK_OK && search.found == NULL)
        status = fail_missing(&search);
    wki_text_release(&search.looked);
    free(search.pickled);
    if (status == WICK_OK)
        *out = search.found;
    else
        free(search.found);
    return status;
}

/* ---- what they are ---- */

/* The known set that path's labels are of, by their SHA-256. Sums are made only of files whose size
 * fits. */
static wick_status known_by_labels(wick_context *context, const char *path, const char *name,
                                   const wki_known_set **out)
{
    struct stat info;
    char sha256[65];
    if (stat(path, &info) != 0 || !wki_known_size(name, (uint64_t)info.st_size))
        return WICK_OK;
    WKI_TRY(wki_file_sha256(context, path, sha256));
    *out = wki_known_by_sum(name, sha256);
    return WICK_OK;
}

wick_status wki_base_name(wick_context *context, const char *folder, char **out)
{
    char *real = realpath(folder, NULL);
    if (real == NULL && errno == ENOMEM)
        return wki_fail(context, WICK_ENOMEM, "%s: out of memory", folder);
    const char *path = real == NULL ? folder : real;
    const char *slash = strrchr(path, '/');
    wick_status status = wki_strdup(context, slash == NULL || slash[1] == '\0' ? path : slash + 1, out);
    free(real);
    return status;
}

/* A folder's data set has the classes of a known one if it is named like it or has its labels, of one
 * half or the other; else as many as the labels of both halves need. */
static wick_status learn_classes(wick_context *context, const char *folder, const wki_known_set **known,
                                 int64_t *class_count)
{
    int64_t largest = 0;
    for (int split = WICK_TRAIN; split <= WICK_TEST && *known == NULL; split++) {
        const char *name = wki_idx_file_name(*known, (wick_split)split, WKI_LABELS);
        char *path;
        wki_idx idx = {0};
        WKI_TRY(find_file(context, folder, name, &path));
        if (path == NULL)
            continue;
        wick_status status = known_by_labels(context, path, name, known);
        if (status == WICK_OK && *known == NULL)
            status = wki_idx_read(context, path, WKI_IDX_LABELS, &idx);
        free(path);
        WKI_TRY(status);
        for (int64_t i = 0; i < idx.count; i++)
            largest = WKI_MAX(largest, idx.elements[i]);
        wki_idx_release(&idx);
    }
    *class_count = *known != NULL ? (*known)->class_count : largest + 1;
    return WICK_OK;
}

/* ---- reading ---- */

/* A half of a data set on its way in. */
typedef struct half_reading {
    wick_context *context;
    const char *folder;
    wick_split split;
    const wick_dataset_options *options;
    const wki_known_set *known; /* whose classes it has, or NULL */
    bool by_name;               /* opened as known->name: the counts must be its too */
    int64_t class_count;
    char *files[2];
    wki_idx images, labels;
} half_reading;

static wick_status find_files(half_reading *reading)
{
    for (int part = 0; part < 2; part++) {
        const char *name = wki_idx_file_name(reading->known, reading->split, (wki_part)part);
        WKI_TRY(find_file(reading->context, reading->folder, name, &reading->files[part]));
        if (reading->files[part] == NULL)
            return wki_fail(reading->context, WICK_ENOENT, "%s: there is no %s.gz and no %s in it",
                            reading->folder, name, name);
    }
    return WICK_OK;
}

static wick_status check_counts(const half_reading *reading)
{
    const wki_idx *images = &reading->images, *labels = &reading->labels;
    const wki_known_set *known = reading->known;
    if (images->count != labels->count)
        return wki_fail(reading->context, WICK_EFORMAT, "%s holds %lld images, but %s %lld labels",
                        reading->files[WKI_IMAGES], (long long)images->count, reading->files[WKI_LABELS],
                        (long long)labels->count);
    if (reading->by_name && (images->count != known->counts[reading->split] ||
                             images->height != known->height || images->width != known->width))
        return wki_fail(reading->context, WICK_EFORMAT,
                        "%s: holds %lld images of %lldx%lld; %s's holds %lld of %lldx%lld",
                        reading->files[WKI_IMAGES], (long long)images->count, (long long)images->height,
                        (long long)images->width, known->name, (long long)known->counts[reading->split],
                        (long long)known->height, (long long)known->width);
    return WICK_OK;
}

/* A set whose images are turned about the diagonal has square ones. */
static wick_status check_square(const half_reading *reading)
{
    const wki_idx *images = &reading->images;
    if (reading->known == NULL || !reading->known->lying || images->height == images->width)
        return WICK_OK;
    return wki_fail(reading->context, WICK_EFORMAT, "%s: holds images of %lldx%lld; %s's are square",
                    reading->files[WKI_IMAGES], (long long)images->height, (long long)images->width,
                    reading->known->name);
}

static wick_status check_labels(const half_reading *reading)
{
    for (int64_t i = 0; i < reading->labels.count; i++)
        if (reading->labels.elements[i] >= reading->class_count)
            return wki_fail(
                reading->context, WICK_EFORMAT,
                "%s: label %d at index %lld is out of range: there are %lld classes, 0 to %lld",
                reading->files[WKI_LABELS], reading->labels.elements[i], (long long)i,
                (long long)reading->class_count, (long long)reading->class_count - 1);
    return WICK_OK;
}

/* The pixels as they were read, or where they are. */
static wick_status give_pixels(half_reading *reading, wick_dataset *dataset)
{
    wki_idx *images = &reading->images;
    wki_pixel_files *stored = &dataset->stored;
    const bool lying = reading->known != NULL && reading->known->lying;
    const size_t bytes = wki_dataset_image_bytes(dataset);
    if (images->in_file) {
        stored->lying = lying;
        WKI_TRY(wki_pixel_files_init(reading->context, stored, dataset->count));
        WKI_TRY(wki_pixel_files_add(reading->context, stored, reading->files[WKI_IMAGES], images->fd));
        images->in_file = false;
        for (int64_t i = 0; i < dataset->count; i++)
            stored->places[i].at = images->at + (uint64_t)i * bytes;
        return WICK_OK;
    }
    dataset->memory = images->memory;
    dataset->pixels = images->elements;
    uint8_t *pixels = images->memory + (images->elements - images->memory);
    images->memory = NULL;
    for (int64_t i = 0; lying && i < dataset->count; i++)
        wki_stand_up(pixels + (size_t)i * bytes, dataset->shape[1]);
    return WICK_OK;
}

/* Moves what was read to a new data set. */
static wick_status make_dataset(half_reading *reading, wick_dataset **out)
{
    const wki_known_set *known = reading->known;
    wick_dataset *dataset;
    char *name = NULL;
    if (!reading->by_name)
        WKI_TRY(wki_base_name(reading->context, reading->folder, &name));
    wick_status status = wki_dataset_new(reading->context, name != NULL ? name : known->name,
                                         known != NULL ? known->class_name : "IDX", reading->folder,
                                         reading->images.count, reading->class_count,
                                         known != NULL ? known->classes : NULL, &dataset);
    free(name);
    WKI_TRY(status);
    dataset->split = reading->split;
    memcpy(dataset->shape, (int64_t[]){1, reading->images.height, reading->images.width},
           sizeof(dataset->shape));
    status = give_pixels(reading, dataset);
    if (status != WICK_OK) {
        wick_dataset_free(dataset);
        return status;
    }
    for (int64_t i = 0; i < dataset->count; i++)
        dataset->labels[i] = reading->labels.elements[i];
    memcpy(dataset->files, reading->files, sizeof(reading->files));
    memset(reading->files, 0, sizeof(reading->files));
    *out = dataset;
    return WICK_OK;
}

static wick_status read_folder(half_reading *reading, wick_dataset **out)
{
    WKI_TRY(find_files(reading));
    WKI_TRY(learn_classes(reading->context, reading->folder, &reading->known, &reading->class_count));
    WKI_TRY(
        wki_idx_read(reading->context, reading->files[WKI_LABELS], WKI_IDX_LABELS, &reading->labels));
    WKI_TRY(wki_idx_open_images(reading->context, reading->files[WKI_IMAGES],
                                wki_memory_limit(reading->options), &reading->images));
    WKI_TRY(check_counts(reading));
    WKI_TRY(check_square(reading));
    WKI_TRY(check_labels(reading));
    return make_dataset(reading, out);
}

/* known: by_name, or by the names of its files; NULL: neither. */
static wick_status open_folder(wick_context *context, const char *folder, const wki_known_set *known,
                               bool by_name, wick_split split, const wick_dataset_options *options,
                               wick_dataset **out)
{
    half_reading reading = {.context = context,
                            .folder = folder,
                            .split = split,
                            .options = options,
                            .known = known,
                            .by_name = by_name};
    if (known != NULL && known->cifar)
        return wki_cifar_open(context, folder, known, by_name, split, options, out);
    if (known == NULL) {
        char *base;
        WKI_TRY(wki_base_name(context, folder, &base));
        reading.known = wki_known_find(base);
        if (reading.known != NULL && (reading.known->own_names || reading.known->cifar))
            reading.known = NULL;
        free(base);
    }
    wick_status status = read_folder(&reading, out);
    wki_idx_release(&reading.images);
    wki_idx_release(&reading.labels);
    free(reading.files[0]);
    free(reading.files[1]);
    return status;
}

static wick_status check_folder(wick_context *context, const char *name)
{
    struct stat info;
    if (stat(name, &info) == 0) {
        if (S_ISDIR(info.st_mode))
            return WICK_OK;
        return wki_fail(context, WICK_EIO,
                        "%s: is a file; a data set is a folder of pictures or of IDX files", name);
    }
    if (errno != ENOENT && errno != ENOTDIR)
        return wki_fail(context, WICK_EIO, "%s: cannot look at it: %s", name, strerror(errno));
    if (strchr(name, '/') != NULL)
        return wki_fail(context, WICK_ENOENT, "%s: there is no such folder", name);
    return wki_known_missing(context, name, ", or a folder of pictures or of IDX files");
}

static wick_status check_options(wick_context *context, const wick_dataset_options *options)
{
    enum { MOST_SIDE = 65535 };
    if ((options->image_height == 0) != (options->image_width == 0) || options->image_height < 0 ||
        options->image_width < 0 || options->image_height > MOST_SIDE ||
        options->image_width > MOST_SIDE)
        return wki_fail(context, WICK_EINVAL,
                        "the images' size is %lldx%lld; each must be 1 to %d, or both 0",
                        (long long)options->image_height, (long long)options->image_width, MOST_SIDE);
    if (options->channels != 0 && options->channels != 1 && options->channels != 3)
        return wki_fail(context, WICK_EINVAL, "the images' channels are %lld; it must be 1 or 3",
                        (long long)options->channels);
    if (!(options->test_fraction >= 0 && options->test_fraction < 1))
        return wki_fail(context, WICK_EINVAL, "the test fraction is %g; it must be between 0 and 1",
                        options->test_fraction);
    return WICK_OK;
}

/* The known set whose files, by names that no other has, are in the folder; NULL if there is none. */
static wick_status known_by_names(wick_context *context, const char *folder, const wki_known_set **out)
{
    *out = NULL;
    for (int i = 0; *out == NULL && wki_known_at(i) != NULL; i++) {
        const wki_known_set *set = wki_known_at(i);
        bool has = false;
        if (set->own_names || set->cifar)
            WKI_TRY(has_files(context, folder, set, &has));
        if (has)
            *out = set;
    }
    return WICK_OK;
}

/* ---- folders that are no data set ---- */

/* Adds "NAME in PLACE" to sets if that set is in the folder's place. */
static wick_status note_set(wick_context *context, const char *folder, const wki_known_set *set,
                            const char *place, wki_text *sets)
{
    char *path;
    bool has = false;
    WKI_TRY(wki_join_path(context, folder, place, &path));
    wick_status status = has_files(context, path, set, &has);
    free(path);
    if (status == WICK_OK && has) {
        wki_text_printf(sets, "%s%s in %s", sets->length == 0 ? "" : ", ", set->name, place);
        status = sets->status;
    }
    return status;
}

/* A folder that holds known sets in the folders where they are usually kept is none itself. */
static wick_status refuse_root(wick_context *context, const char *folder)
{
    wki_text sets;
    wick_status status = WICK_OK;
    wki_text_init(&sets, context);
    for (int i = 0; status == WICK_OK && wki_known_at(i) != NULL; i++) {
        const wki_known_set *set = wki_known_at(i);
        for (const char *const *place = set->places; status == WICK_OK && *place != NULL; place++)
            status = note_set(context, folder, set, *place, &sets);
    }
    if (status == WICK_OK && sets.length > 0)
        status =
            wki_fail(context, WICK_ENOENT,
                     "%s: is no data set but holds some: %s; name one, as --data %.*s --data-dir %s",
                     folder, sets.bytes, (int)strcspn(sets.bytes, " "), sets.bytes, folder);
    wki_text_release(&sets);
    return status;
}

static wick_status refuse_pickled(wick_context *context, const char *folder)
{
    for (int i = 0; wki_known_at(i) != NULL; i++) {
        char *path;
        WKI_TRY(find_pickled(context, folder, wki_known_at(i), &path));
        if (path == NULL)
            continue;
        wick_status status = fail_pickled(context, path, wki_known_at(i));
        free(path);
        return status;
    }
    return WICK_OK;
}

/* The name of a picture right in the folder, or "". */
static void find_picture(const char *folder, char out[256])
{
    static const char *const endings[] = {".png", ".jpg", ".jpeg"};
    DIR *dir = opendir(folder);
    out[0] = '\0';
    for (const struct dirent *entry; dir != NULL && out[0] == '\0' && (entry = readdir(dir)) != NULL;) {
        const char *dot = entry->d_name[0] == '.' ? NULL : strrchr(entry->d_name, '.');
        for (size_t i = 0; dot != NULL && i < WKI_COUNT(endings); i++)
            if (strcasecmp(dot, endings[i]) == 0)
                snprintf(out, 256, "%s", entry->d_name);
    }
    if (dir != NULL)
        closedir(dir);
}

static wick_status fail_without_data(wick_context *context, const char *folder)
{
    char picture[256];
    find_picture(folder, picture);
    if (picture[0] != '\0')
        return wki_fail(context, WICK_ENOENT,
                        "%s: holds pictures, such as %s, but no folders of them; each class wants a "
                        "folder of its own, as CLASS/%s",
                        folder, picture, picture);
    return wki_fail(context, WICK_ENOENT,
                    "%s: holds neither IDX files (train-images-idx3-ubyte and so on), nor CIFAR's "
                    "binary files (data_batch_1.bin and so on), nor folders of pictures, one for each "
                    "class",
                    folder);
}

/* IDX files, those of a set that has names of its own, or else pictures. */
static wick_status open_any_folder(wick_context *context, const char *folder, wick_split split,
                                   const wick_dataset_options *options, wick_dataset **out)
{
    bool has_idx;
    const wki_known_set *set = NULL;
    WKI_TRY(check_folder(context, folder));
    WKI_TRY(has_files(context, folder, NULL, &has_idx));
    if (!has_idx)
        WKI_TRY(known_by_names(context, folder, &set));
    if (has_idx || set != NULL)
        return open_folder(context, folder, set, false, split, options, out);
    WKI_TRY(refuse_root(context, folder));
    WKI_TRY(refuse_pickled(context, folder));
    return wki_has_folders(folder) ? wki_folder_open(context, folder, split, options, out)
                                   : fail_without_data(context, folder);
}

static wick_status open_known(wick_context *context, const wki_known_set *known, const char *data_dir,
                              wick_split split, const wick_dataset_options *options, wick_dataset **out)
{
    char *folder;
    WKI_TRY(find_folder(context, known, data_dir, &folder));
    wick_status status = open_folder(context, folder, known, true, split, options, out);
    free(folder);
    return status;
}

wick_status wick_dataset_open_with(wick_context *context, const char *name, const char *data_dir,
                                   wick_split split, const wick_dataset_options *options,
                                   wick_dataset **out)
{
    static const wick_dataset_options defaults;
    wick_dataset *dataset;
    if (name == NULL || name[0] == '\0' || out == NULL)
        return wki_fail(context, WICK_EINVAL, "%s is %s",
                        out == NULL ? "the place for the data set" : "the data set's name",
                        out == NULL || name == NULL ? "NULL" : "empty");
    if (split != WICK_TRAIN && split != WICK_TEST)
        return wki_fail(context, WICK_EINVAL, "the split is %d; it must be WICK_TRAIN or WICK_TEST",
                        (int)split);
    options = options == NULL ? &defaults : options;
    WKI_TRY(check_options(context, options));
    const wki_known_set *known = wki_known_find(name);
    if (known == NULL)
        WKI_TRY(open_any_folder(context, name, split, options, &dataset));
    else
        WKI_TRY(open_known(context, known, data_dir, split, options, &dataset));
    wick_status status = wki_dataset_fit(dataset, options);
    if (status == WICK_OK)
        *out = dataset;
    else
        wick_dataset_free(dataset);
    return status;
}

wick_status wick_dataset_open(wick_context *context, const char *name, const char *data_dir,
                              wick_split split, wick_dataset **out)
{
    return wick_dataset_open_with(context, name, data_dir, split, NULL, out);
}
