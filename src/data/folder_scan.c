/* Looking through a folder of class folders, as torchvision's ImageFolder does (os.walk with followlinks). */
#include "data/folder_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wick/random.h>

#define DEFAULT_TEST_FRACTION 0.2

/* A folder by what it is, whatever links lead to it. */
typedef struct folder_id {
    dev_t device;
    ino_t inode;
} folder_id;

static bool is_same(folder_id a, folder_id b)
{
    return a.device == b.device && a.inode == b.inode;
}

/* One half being looked through. */
typedef struct scan {
    wick_context *context;
    wki_listing *listing;
    wick_split half;
    int64_t label;
    folder_id *seen; /* the folders of the class in hand */
    size_t seen_count, seen_capacity;
} scan;

void wki_listing_release(wki_listing *listing)
{
    for (size_t i = 0; i < listing->class_count; i++)
        free(listing->classes[i]);
    for (size_t i = 0; i < listing->count; i++) {
        free(listing->files[i].path);
        free(listing->files[i].problem);
    }
    free(listing->classes);
    free(listing->files);
    free(listing->first_ignored);
    free(listing->root);
    *listing = (wki_listing){0};
}

/* ---- names in a folder ---- */

typedef struct name_list {
    char **at;
    size_t count, capacity;
} name_list;

static void names_release(name_list *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->at[i]);
    free(names->at);
    *names = (name_list){0};
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static wick_status add_name(wick_context *context, name_list *names, const char *name)
{
    if (names->count >= (size_t)WKI_MOST_PICTURES)
        return wki_fail(context, WICK_ELIMIT, "a folder of more than %d files", WKI_MOST_PICTURES);
    WKI_TRY(wki_grow(context, (void **)&names->at, &names->capacity, names->count + 1, sizeof(char *),
                     "the names of files"));
    WKI_TRY(wki_strdup(context, name, &names->at[names->count]));
    names->count++;
    return WICK_OK;
}

/* The names in a folder that are not hidden, sorted. On failure too, names_release(). */
static wick_status read_names(wick_context *context, const char *folder, name_list *names)
{
    wick_status status = WICK_OK;
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return wki_fail(context, WICK_EIO, "%s: cannot look into it: %s", folder, strerror(errno));
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (entry == NULL)
            break;
        if (entry->d_name[0] != '.')
            WKI_GOTO_OUT(add_name(context, names, entry->d_name));
    }
    if (errno != 0)
        status = wki_fail(context, WICK_EIO, "%s: cannot look into it: %s", folder, strerror(errno));
out:
    closedir(dir);
    if (status == WICK_OK && names->count > 1)
        qsort(names->at, names->count, sizeof(char *), by_bytes);
    return status;
}

static bool is_folder_at(const char *folder, const char *name)
{
    char path[4096];
    struct stat info;
    int length = snprintf(path, sizeof(path), "%s/%s", folder, name);
    return length > 0 && (size_t)length < sizeof(path) && stat(path, &info) == 0 &&
           S_ISDIR(info.st_mode);
}

bool wki_has_folders(const char *folder)
{
    bool has = false;
    DIR *dir = opendir(folder);
    for (const struct dirent *entry; dir != NULL && !has && (entry = readdir(dir)) != NULL;)
        has = entry->d_name[0] != '.' && is_folder_at(folder, entry->d_name);
    if (dir != NULL)
        closedir(dir);
    return has;
}

/* ---- what is a picture ---- */

static bool named_as_picture(const char *name)
{
    static const char *const endings[] = {".png", ".jpg", ".jpeg", ".jpe", ".jfif"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot != NULL && i < WKI_COUNT(endings); i++)
        if (strcasecmp(dot, endings[i]) == 0)
            return true;
    return false;
}

static bool begins_as_picture(const char *path)
{
    static const uint8_t png[4] = {0x89, 'P', 'N', 'G'}, jpeg[3] = {0xff, 0xd8, 0xff};
    uint8_t bytes[4] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    ssize_t got = read(fd, bytes, sizeof(bytes));
    close(fd);
    return got == (ssize_t)sizeof(bytes) &&
           (memcmp(bytes, png, sizeof(png)) == 0 || memcmp(bytes, jpeg, sizeof(jpeg)) == 0);
}

static wick_status ignore_file(wki_listing *listing, const char *path)
{
    if (listing->ignored++ > 0)
        return WICK_OK;
    return wki_strdup(listing->context, path, &listing->first_ignored);
}

/* ---- a class ---- */

/* path is from the root on and stays the caller's; info is NULL for a link that leads nowhere, which is a
 * picture that cannot be read. */
static wick_status add_file(scan *s, const char *path, size_t folder_size, const struct stat *info)
{
    wki_listing *listing = s->listing;
    if (listing->count >= (size_t)WKI_MOST_PICTURES)
        return wki_fail(s->context, WICK_ELIMIT, "%s: holds more than %d pictures", listing->root,
                        WKI_MOST_PICTURES);
    WKI_TRY(wki_grow(s->context, (void **)&listing->files, &listing->capacity, listing->count + 1,
                     sizeof(wki_picture_file), "a list of pictures"));
    wki_picture_file file = {.folder_size = folder_size, .label = s->label, .half = s->half};
    if (info != NULL) {
        file.size = (uint64_t)info->st_size;
        file.seconds = (int64_t)info->st_mtim.tv_sec;
        file.nanoseconds = (int64_t)info->st_mtim.tv_nsec;
    }
    WKI_TRY(wki_strdup(s->context, path, &file.path));
    listing->files[listing->count++] = file;
    return WICK_OK;
}

/* Whether this folder of the class is met for the first time: links may lead around in circles. */
static wick_status is_new_folder(scan *s, const char *path, const struct stat *info, bool *is_new)
{
    const folder_id id = {info->st_dev, info->st_ino};
    *is_new = false;
    for (size_t i = 0; i < s->seen_count; i++)
        if (is_same(s->seen[i], id))
            return WICK_OK;
    if (s->seen_count >= (size_t)WKI_MOST_FOLDERS)
        return wki_fail(s->context, WICK_ELIMIT, "%s/%s: is in a class of more than %d folders",
                        s->listing->root, path, WKI_MOST_FOLDERS);
    WKI_TRY(wki_grow(s->context, (void **)&s->seen, &s->seen_capacity, s->seen_count + 1,
                     sizeof(folder_id), "a list of folders"));
    s->seen[s->seen_count++] = id;
    *is_new = true;
    return WICK_OK;
}

static wick_status walk(scan *s, const char *folder, int depth);

/* What stands in a class folder under the path, which is from the root on. */
static wick_status look_at(scan *s, const char *path, size_t folder_size, int depth)
{
    const char *name = path + folder_size + 1;
    char *full;
    struct stat info;
    WKI_TRY(wki_join_path(s->context, s->listing->root, path, &full));
    bool there = stat(full, &info) == 0;
    bool file = there && S_ISREG(info.st_mode);
    bool picture = named_as_picture(name) ? file || !there : file && begins_as_picture(full);
    free(full);
    if (picture)
        return add_file(s, path, folder_size, there ? &info : NULL);
    if (!there || !S_ISDIR(info.st_mode))
        return ignore_file(s->listing, path);
    bool is_new;
    WKI_TRY(is_new_folder(s, path, &info, &is_new));
    return is_new ? walk(s, path, depth + 1) : WICK_OK;
}

static wick_status walk(scan *s, const char *folder, int depth)
{
    char *full, *path = NULL;
    name_list names = {0};
    if (depth > WKI_MOST_DEPTH)
        return wki_fail(s->context, WICK_ELIMIT, "%s/%s: is more than %d folders deep", s->listing->root,
                        folder, WKI_MOST_DEPTH);
    WKI_TRY(wki_join_path(s->context, s->listing->root, folder, &full));
    wick_status status = read_names(s->context, full, &names);
    free(full);
    for (size_t i = 0; status == WICK_OK && i < names.count; i++) {
        status = wki_join_path(s->context, folder, names.at[i], &path);
        if (status == WICK_OK) {
            status = look_at(s, path, strlen(folder), depth);
            free(path);
        }
    }
    names_release(&names);
    return status;
}

/* Python's order of sorted(os.walk()): by folder, then by name. */
static int by_folder_and_name(const void *left, const void *right)
{
    const wki_picture_file *a = left, *b = right;
    size_t common = WKI_MIN(a->folder_size, b->folder_size);
    int order = memcmp(a->path, b->path, common);
    if (order == 0 && a->folder_size != b->folder_size)
        order = a->folder_size < b->folder_size ? -1 : 1;
    return order != 0 ? order : strcmp(a->path + a->folder_size, b->path + b->folder_size);
}

/* All of a class folder of the half in hand; path is from the root on. */
static wick_status scan_class(scan *s, const char *path)
{
    size_t first = s->listing->count;
    struct stat info;
    bool is_new;
    char *full;
    WKI_TRY(wki_join_path(s->context, s->listing->root, path, &full));
    bool there = stat(full, &info) == 0;
    free(full);
    if (!there)
        return wki_fail(s->context, WICK_EIO, "%s/%s: cannot look at it: %s", s->listing->root, path,
                        strerror(errno));
    s->seen_count = 0;
    WKI_TRY(is_new_folder(s, path, &info, &is_new));
    WKI_TRY(walk(s, path, 1));
    size_t count = s->listing->count - first;
    if (count == 0)
        return wki_fail(s->context, WICK_EFORMAT,
                        "%s/%s: holds no PNG or JPEG picture; a class needs one or more",
                        s->listing->root, path);
    qsort(s->listing->files + first, count, sizeof(wki_picture_file), by_folder_and_name);
    return WICK_OK;
}

/* ---- the classes ---- */

/* Whether it is UTF-8 without control characters: it will stand in messages, tables and JSON. */
static bool is_plain_name(const char *name)
{
    for (const char *c = name; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    return wki_utf8_valid(name, strlen(name));
}

static wick_status check_name(wick_context *context, const char *folder, const char *name)
{
    char plain[512];
    if (is_plain_name(name))
        return WICK_OK;
    snprintf(plain, sizeof(plain), "%s", name);
    for (char *c = plain; *c != '\0'; c++)
        *c = *c >= 0x20 && *c < 0x7f ? *c : '?';
    return wki_fail(context, WICK_EINVAL,
                    "%s: the name of its class folder '%s' is no plain text (UTF-8)", folder, plain);
}

static int by_letters(const void *a, const void *b)
{
    return strcasecmp(*(char *const *)a, *(char *const *)b);
}

static wick_status check_alike(wick_context *context, const char *folder, const name_list *classes)
{
    void *memory;
    WKI_TRY(wki_alloc(context, classes->count, sizeof(char *), "the names of classes", &memory));
    char **sorted = memory;
    wick_status status = WICK_OK;
    for (size_t i = 0; i < classes->count; i++)
        sorted[i] = classes->at[i];
    qsort(sorted, classes->count, sizeof(char *), by_letters);
    for (size_t i = 1; i < classes->count && status == WICK_OK; i++)
        if (strcasecmp(sorted[i - 1], sorted[i]) == 0)
            status = wki_fail(context, WICK_EINVAL,
                              "%s: two classes are of one name but for upper and lower case: '%s' and "
                              "'%s'",
                              folder, sorted[i - 1], sorted[i]);
    free(sorted);
    return status;
}

/* A folder and the class that it is. */
typedef struct class_id {
    folder_id id;
    size_t at;
} class_id;

static int order_of(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* Those of one folder beside each other, in the classes' order. */
static int by_id(const void *left, const void *right)
{
    const class_id *a = left, *b = right;
    if (a->id.device != b->id.device)
        return order_of(a->id.device, b->id.device);
    return a->id.inode != b->id.inode ? order_of(a->id.inode, b->id.inode) : order_of(a->at, b->at);
}

static wick_status find_id(wick_context *context, const char *folder, const char *name, folder_id *out)
{
    char *path;
    struct stat info = {0};
    WKI_TRY(wki_join_path(context, folder, name, &path));
    wick_status status = WICK_OK;
    if (stat(path, &info) != 0)
        status = wki_fail(context, WICK_EIO, "%s: cannot look at it: %s", path, strerror(errno));
    *out = (folder_id){info.st_dev, info.st_ino};
    free(path);
    return status;
}

static wick_status check_links(wick_context *context, const char *folder, const name_list *classes)
{
    void *memory;
    WKI_TRY(wki_alloc(context, classes->count, sizeof(class_id), "a list of folders", &memory));
    class_id *ids = memory;
    wick_status status = WICK_OK;
    for (size_t i = 0; i < classes->count; i++) {
        ids[i].at = i;
        WKI_GOTO_OUT(find_id(context, folder, classes->at[i], &ids[i].id));
    }
    qsort(ids, classes->count, sizeof(*ids), by_id);
    for (size_t i = 1; i < classes->count && status == WICK_OK; i++)
        if (is_same(ids[i - 1].id, ids[i].id))
            status = wki_fail(context, WICK_EINVAL, "%s: the classes '%s' and '%s' are one folder",
                              folder, classes->at[ids[i - 1].at], classes->at[ids[i].at]);
out:
    free(ids);
    return status;
}

/* The class folders in a folder, sorted; other files there are counted. */
static wick_status find_classes(wki_listing *listing, const char *folder, name_list *classes)
{
    wick_context *context = listing->context;
    name_list names = {0};
    wick_status status;
    WKI_GOTO_OUT(read_names(context, folder, &names));
    for (size_t i = 0; i < names.count; i++) {
        if (!is_folder_at(folder, names.at[i])) {
            WKI_GOTO_OUT(ignore_file(listing, names.at[i]));
            continue;
        }
        WKI_GOTO_OUT(check_name(context, folder, names.at[i]));
        WKI_GOTO_OUT(add_name(context, classes, names.at[i]));
    }
    if (classes->count == 0)
        status = wki_fail(context, WICK_EFORMAT,
                          "%s: holds no class folders; each class's pictures stand in a folder of "
                          "the class's name",
                          folder);
    else if (classes->count > (size_t)WKI_MOST_FOLDER_CLASSES)
        status = wki_fail(context, WICK_ELIMIT, "%s: holds more than %d classes", folder,
                          WKI_MOST_FOLDER_CLASSES);
    if (status == WICK_OK)
        status = check_alike(context, folder, classes);
    if (status == WICK_OK)
        status = check_links(context, folder, classes);
out:
    names_release(&names);
    return status;
}

/* ---- halves ---- */

/* The number of a class that the training half has. */
static wick_status find_class(const wki_listing *listing, const char *folder, const char *name,
                              int64_t *label)
{
    char *const *found =
        bsearch(&name, listing->classes, listing->class_count, sizeof(char *), by_bytes);
    if (found == NULL) {
        const char *near =
            wki_nearest(name, (const char *const *)listing->classes, listing->class_count);
        return wki_fail(listing->context, WICK_EFORMAT,
                        "%s/%s: the training half has no class of that name%s%s%s", folder, name,
                        near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
                        near == NULL ? "" : "'?");
    }
    *label = found - listing->classes;
    return WICK_OK;
}

/* One half: the class folders in root/sub, or in root where sub is "". */
static wick_status scan_half(wki_listing *listing, const char *sub, wick_split half)
{
    scan s = {.context = listing->context, .listing = listing, .half = half};
    name_list classes = {0};
    char *folder = NULL, *path;
    wick_status status;
    WKI_GOTO_OUT(sub[0] == '\0' ? wki_strdup(s.context, listing->root, &folder)
                                : wki_join_path(s.context, listing->root, sub, &folder));
    WKI_GOTO_OUT(find_classes(listing, folder, &classes));
    if (half == WICK_TRAIN) {
        listing->classes = classes.at;
        listing->class_count = classes.count;
    }
    for (size_t i = 0; i < classes.count; i++) {
        s.label = (int64_t)i;
        if (half == WICK_TEST)
            WKI_GOTO_OUT(find_class(listing, folder, classes.at[i], &s.label));
        WKI_GOTO_OUT(sub[0] == '\0' ? wki_strdup(s.context, classes.at[i], &path)
                                    : wki_join_path(s.context, sub, classes.at[i], &path));
        status = scan_class(&s, path);
        free(path);
        if (status != WICK_OK)
            break;
    }
out:
    if (half != WICK_TRAIN || listing->classes == NULL)
        names_release(&classes);
    free(s.seen);
    free(folder);
    return status;
}

/* How many of a class's n pictures are held out: one or more and never all, but of a single one none. */
static size_t held_out(size_t n, double fraction)
{
    double share = nearbyint((double)n * fraction);
    return n < 2 ? 0 : (size_t)WKI_MIN(WKI_MAX(share, 1.0), (double)(n - 1));
}

/* A picture's place in an order of its class by chance, which depends on its path alone. */
typedef struct drawn_place {
    uint64_t hash;
    size_t file;
} drawn_place;

static int compare_places(const void *a, const void *b)
{
    const drawn_place *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->file > y->file) - (x->file < y->file);
}

/* Holds out the first pictures of each class in that order: so where some are added to a folder or taken away, no more
 * than as many others change halves. */
static void split_classes(wki_listing *listing, drawn_place *places, double fraction)
{
    static const wki_hash_key key; /* the same order everywhere */
    for (size_t begin = 0, end; begin < listing->count; begin = end) {
        for (end = begin;
             end < listing->count && listing->files[end].label == listing->files[begin].label; end++)
            places[end - begin] = (drawn_place){
                wki_hash(&key, listing->files[end].path, strlen(listing->files[end].path)), end};
        qsort(places, end - begin, sizeof(*places), compare_places);
        for (size_t i = 0; i < held_out(end - begin, fraction); i++)
            listing->files[places[i].file].half = WICK_TEST;
    }
}

/* Puts the training half first, each half in the order it had. */
static wick_status part_halves(wki_listing *listing)
{
    void *memory;
    WKI_TRY(wki_alloc(listing->context, listing->count, sizeof(wki_picture_file), "a list of pictures",
                      &memory));
    wki_picture_file *files = memory;
    size_t put = 0;
    for (int half = WICK_TRAIN; half <= WICK_TEST; half++)
        for (size_t i = 0; i < listing->count; i++)
            if (listing->files[i].half == (wick_split)half)
                files[put++] = listing->files[i];
    free(listing->files);
    listing->files = files;
    listing->capacity = listing->count;
    return WICK_OK;
}

static wick_status hold_out(wki_listing *listing, double fraction)
{
    void *places;
    size_t begin, end;
    WKI_TRY(
        wki_alloc(listing->context, listing->count, sizeof(drawn_place), "a list of pictures", &places));
    split_classes(listing, places, fraction);
    free(places);
    WKI_TRY(part_halves(listing));
    wki_listing_half(listing, WICK_TEST, &begin, &end);
    if (begin == end)
        return wki_fail(listing->context, WICK_EFORMAT,
                        "%s: has no test half, and no class of two pictures that one could be held out "
                        "of",
                        listing->root);
    return WICK_OK;
}

void wki_listing_half(const wki_listing *listing, wick_split half, size_t *begin, size_t *end)
{
    size_t first_test = 0;
    while (first_test < listing->count && listing->files[first_test].half == WICK_TRAIN)
        first_test++;
    *begin = half == WICK_TRAIN ? 0 : first_test;
    *end = half == WICK_TRAIN ? first_test : listing->count;
}

wick_status wki_listing_check_classes(const wki_listing *listing, wick_split half)
{
    size_t begin, end;
    int64_t label = -1;
    bool sound = true;
    wki_listing_half(listing, half, &begin, &end);
    for (size_t i = begin;; i++) {
        if (i == end || listing->files[i].label != label) {
            if (!sound)
                return wki_fail(listing->context, WICK_EFORMAT,
                                "%s: none of the pictures of class '%s' can be read", listing->root,
                                listing->classes[label]);
            if (i == end)
                break;
            label = listing->files[i].label;
            sound = false;
        }
        sound = sound || listing->files[i].problem == NULL;
    }
    return WICK_OK;
}

int64_t wki_listing_missing(const wki_listing *listing, const char **first)
{
    size_t begin, end;
    int64_t missing = 0, next = 0;
    wki_listing_half(listing, WICK_TEST, &begin, &end);
    for (size_t i = begin; i <= end; i++) {
        int64_t label = i < end ? listing->files[i].label : (int64_t)listing->class_count;
        if (label > next && missing == 0)
            *first = listing->classes[next];
        missing += WKI_MAX(label - next, 0);
        next = WKI_MAX(next, label + 1);
    }
    return missing;
}

/* The folder in root of that name, in any capitals; NULL if there is none. */
static wick_status find_named(const wki_listing *listing, const name_list *names, const char *wanted,
                              const char **out)
{
    *out = NULL;
    for (size_t i = 0; i < names->count; i++) {
        if (strcasecmp(names->at[i], wanted) != 0 || !is_folder_at(listing->root, names->at[i]))
            continue;
        if (*out != NULL)
            return wki_fail(
                listing->context, WICK_EINVAL,
                "%s: the folders '%s' and '%s' are of one name but for upper and lower case; "
                "one of them can be a half",
                listing->root, *out, names->at[i]);
        *out = names->at[i];
    }
    return WICK_OK;
}

/* The folders of the two halves, NULL where there is none. Without a train/ "valid" is a class's name, as
 * "invalid" is. */
static wick_status find_halves(const wki_listing *listing, const name_list *names, const char **train,
                               const char **test)
{
    static const char *const test_names[] = {"test", "val", "validation", "valid"};
    *test = NULL;
    WKI_TRY(find_named(listing, names, "train", train));
    for (size_t i = 0; i < WKI_COUNT(test_names) && *test == NULL; i++)
        WKI_TRY(find_named(listing, names, test_names[i], test));
    if (*train != NULL || *test == NULL)
        return WICK_OK;
    if (strcasecmp(*test, "valid") != 0)
        return wki_fail(listing->context, WICK_EFORMAT, "%s: has a folder %s/ but no train/",
                        listing->root, *test);
    *test = NULL;
    return WICK_OK;
}

static wick_status scan_halves(wki_listing *listing, const char *train, const char *test,
                               double test_fraction)
{
    listing->own_test = test != NULL;
    if (listing->own_test && test_fraction != 0)
        return wki_fail(listing->context, WICK_EINVAL,
                        "%s: has a test half, %s/: no other part of it can be held out as one",
                        listing->root, test);
    WKI_TRY(scan_half(listing, train != NULL ? train : "", WICK_TRAIN));
    if (listing->own_test)
        return scan_half(listing, test, WICK_TEST);
    return hold_out(listing, test_fraction == 0 ? DEFAULT_TEST_FRACTION : test_fraction);
}

wick_status wki_listing_scan(wick_context *context, const char *root, double test_fraction,
                             wki_listing *out)
{
    const char *train, *test;
    name_list names = {0};
    wick_status status;
    *out = (wki_listing){.context = context};
    WKI_GOTO_OUT(wki_strdup(context, root, &out->root));
    WKI_GOTO_OUT(read_names(context, root, &names));
    WKI_GOTO_OUT(find_halves(out, &names, &train, &test));
    status = scan_halves(out, train, test, test_fraction);
out:
    names_release(&names);
    return status;
}
