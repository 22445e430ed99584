/* src/data: the cache of a folder's pictures. It never gives other pixels than the pictures would. */
#include "data/folder_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>
#include <wick/wick.h>

#include "picture_folder.h"

#include "data_fixture.h"

enum { PICTURES = 40, BYTES = 6 * 7 };

static int set_up(void **state)
{
    if (make_fixture(state) != 0)
        return -1;
    const fixture *f = *state;
    setenv("XDG_CACHE_HOME", f->cache, 1);
    for (int i = 0; i < PICTURES; i++) {
        char name[64];
        snprintf(name, sizeof(name), "%c/%02d.png", 'a' + i % 2, i);
        put_png(f->folder, name, (uint8_t)(5 * i), 7, 6);
    }
    return 0;
}

/* The only cache file, or "". */
static void cache_file(const fixture *f, char path[1200])
{
    char folder[700];
    snprintf(folder, sizeof(folder), "%s/wick/folders", f->cache);
    path[0] = '\0';
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.') {
            assert_string_equal(path, "");
            snprintf(path, 1200, "%s/%s", folder, entry->d_name);
        }
    if (dir != NULL)
        closedir(dir);
}

static void expect_pixels(const fixture *f, const wick_dataset_options *options, wick_split split)
{
    const wick_dataset_options direct = {.no_cache = true, .skip_broken = options->skip_broken};
    wick_dataset *wanted = open_half(f, split, &direct), *got = open_half(f, split, options);
    assert_int_equal(wick_dataset_count(got), wick_dataset_count(wanted));
    for (int64_t i = 0; i < wick_dataset_count(wanted); i++) {
        wick_tensor *image;
        assert_int_equal(wick_dataset_get_pixels(got, i, &image), WICK_OK);
        assert_memory_equal(wick_tensor_u8(image), wick_dataset_pixels(wanted) + i * BYTES, BYTES);
        assert_int_equal(wick_dataset_labels(got)[i], wick_dataset_labels(wanted)[i]);
        wick_tensor_free(image);
    }
    wick_dataset_free(wanted);
    wick_dataset_free(got);
}

static void expect_both(const fixture *f, const wick_dataset_options *options)
{
    expect_pixels(f, options, WICK_TRAIN);
    expect_pixels(f, options, WICK_TEST);
}

/* A file that is written anew has the usual mode. (Its inode may be the old one's.) */
enum { MARK = 0604 };

static void mark(const char *path)
{
    assert_int_equal(chmod(path, MARK), 0);
}

static bool is_marked(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return (info.st_mode & 07777) == MARK;
}

static void read_once(void **state)
{
    const fixture *f = *state;
    const wick_dataset_options options = {0};
    char path[1200];
    wick_dataset_free(open_half(f, WICK_TRAIN, &(wick_dataset_options){.no_cache = true}));
    cache_file(f, path);
    assert_string_equal(path, "");
    expect_both(f, &options);
    cache_file(f, path);
    assert_string_not_equal(path, "");
    mark(path);
    expect_both(f, &options);
    assert_true(is_marked(path));
    /* Another picture, a picture more, a picture fewer: made anew. */
    put_png(f->folder, "a/00.png", 77, 7, 6);
    expect_both(f, &options);
    assert_false(is_marked(path));
    put_png(f->folder, "a/99.png", 78, 7, 6);
    expect_both(f, &options);
    char gone[700];
    snprintf(gone, sizeof(gone), "%s/b/01.png", f->folder);
    assert_int_equal(remove(gone), 0);
    expect_both(f, &options);
}

static void set_byte(const char *path, long at, int flip)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    fputc(byte ^ flip, file);
    assert_int_equal(fclose(file), 0);
}

static void damaged_files_are_made_anew(void **state)
{
    const fixture *f = *state;
    const wick_dataset_options options = {0};
    char path[1200];
    struct stat info;
    expect_both(f, &options);
    cache_file(f, path);
    assert_int_equal(stat(path, &info), 0);
    for (long at = 0; at < info.st_size; at += 1 + at / 9) {
        set_byte(path, at, 0x10);
        expect_both(f, &options);
    }
    for (long size = 0; size < info.st_size; size += 1 + size / 2) {
        assert_int_equal(truncate(path, size), 0);
        expect_both(f, &options);
    }
    assert_int_equal(truncate(path, info.st_size + 1), 0);
    expect_both(f, &options);
    assert_int_equal(stat(path, &info), 0);
}

/* An image at a time from the file, and the model that is trained on it is the same. */
static void streamed(void **state)
{
    const fixture *f = *state;
    const wick_dataset_options options = {.memory_limit = 1};
    wick_state_dict *dicts[2];
    expect_both(f, &options);
    for (int s = 0; s < 2; s++) {
        wick_dataset *dataset = open_half(f, WICK_TRAIN, s == 0 ? NULL : &options), *part;
        assert_true((wick_dataset_pixels(dataset) == NULL) == (s == 1));
        assert_int_equal(wick_dataset_subset(dataset, 5, (int64_t[]){9, 3, 3, 0, 31}, &part), WICK_OK);
        wick_module *model;
        wick_loss *loss;
        wick_optimizer *optimizer;
        wick_loader *loader;
        float mean, std;
        const wick_loader_options how = {.batch_size = 9,
                                         .shuffle = true,
                                         .transform = {.flip = 0.5, .rotate = 9},
                                         .mean = &mean,
                                         .std = &std};
        assert_int_equal(wick_dataset_measure(part, &mean, &std), WICK_OK);
        wick_manual_seed(f->context, 1);
        assert_int_equal(wick_model_by_name(f->context, "v0", (int64_t[]){1, 6, 7}, 10, 2, &model),
                         WICK_OK);
        assert_int_equal(wick_cross_entropy_loss(f->context, &loss), WICK_OK);
        assert_int_equal(wick_sgd(model, &(wick_sgd_options){.lr = 0.1}, &optimizer), WICK_OK);
        assert_int_equal(wick_loader_new(dataset, &how, &loader), WICK_OK);
        assert_int_equal(wick_train_step(model, loader, loss, optimizer, NULL, NULL), WICK_OK);
        assert_int_equal(wick_module_state_dict(model, &dicts[s]), WICK_OK);
        wick_loader_free(loader);
        wick_optimizer_free(optimizer);
        wick_loss_free(loss);
        wick_module_free(model);
        wick_dataset_free(part);
        wick_dataset_free(dataset);
    }
    for (int64_t i = 0; i < wick_state_dict_count(dicts[0]); i++)
        assert_memory_equal(wick_tensor_cdata(wick_state_dict_tensor(dicts[0], i)),
                            wick_tensor_cdata(wick_state_dict_tensor(dicts[1], i)),
                            (size_t)wick_tensor_numel(wick_state_dict_tensor(dicts[0], i)) * 4);
    wick_state_dict_free(dicts[0]);
    wick_state_dict_free(dicts[1]);
}

/* The file shrinks or is changed while it is in use. */
static void streamed_from_a_failing_file(void **state)
{
    const fixture *f = *state;
    const wick_dataset_options options = {.memory_limit = 1};
    char path[1200];
    for (int s = 0; s < 2; s++) {
        wick_tensor *images, *labels;
        wick_loader *loader;
        wick_dataset *dataset = open_half(f, WICK_TRAIN, &options);
        cache_file(f, path);
        struct stat info;
        assert_int_equal(stat(path, &info), 0);
        if (s == 0)
            assert_int_equal(truncate(path, 100), 0);
        else
            for (long at = 0; at < info.st_size; at++)
                set_byte(path, at, 1);
        assert_int_equal(wick_loader_new(dataset, &(wick_loader_options){.batch_size = 4}, &loader),
                         WICK_OK);
        assert_int_equal(wick_loader_begin(loader), WICK_OK);
        assert_int_equal(wick_loader_next(loader, &images, &labels), WICK_EIO);
        assert_non_null(strstr(wick_context_message(f->context), "is removed, and made anew"));
        assert_int_equal(access(path, F_OK), -1);
        wick_loader_free(loader);
        wick_dataset_free(dataset);
        expect_both(f, &options);
    }
}

static void broken_pictures_are_remembered(void **state)
{
    const fixture *f = *state;
    const wick_dataset_options options = {.skip_broken = true};
    char name[700];
    snprintf(name, sizeof(name), "%s/a/02.png", f->folder);
    assert_int_equal(truncate(name, 30), 0);
    expect_both(f, &options);
    expect_both(f, &options);
    const wick_dataset_options streamed_ones = {.skip_broken = true, .memory_limit = 1};
    expect_both(f, &streamed_ones);
    wick_dataset *dataset;
    wick_status train = wick_dataset_open(f->context, f->folder, NULL, WICK_TRAIN, &dataset);
    if (train == WICK_OK) {
        wick_dataset_free(dataset);
        assert_int_equal(wick_dataset_open(f->context, f->folder, NULL, WICK_TEST, &dataset),
                         WICK_EFORMAT);
    }
    assert_non_null(strstr(wick_context_message(f->context), "a/02.png: is a PNG picture cut short"));
}

/* What is wrong with them is said again from a cache, of the first three of each half. */
static void reasons_are_remembered(void **state)
{
    const fixture *f = *state;
    const wick_dataset_options options[2] = {{.skip_broken = true},
                                             {.skip_broken = true, .memory_limit = 1}};
    char name[700], first[1024];
    for (int i = 0; i < 30; i++) {
        snprintf(name, sizeof(name), "%s/%c/%02d.png", f->folder, 'a' + i % 2, i);
        assert_int_equal(truncate(name, 30), 0);
    }
    for (int half = WICK_TRAIN; half <= WICK_TEST; half++)
        for (int time = 0; time < 4; time++) {
            wick_dataset *dataset = open_half(f, (wick_split)half, &options[time % 2]);
            const char *note = wick_dataset_note(dataset, 1);
            assert_non_null(strstr(note, "is a PNG picture cut short"));
            assert_null(strstr(note, "cannot be read;"));
            assert_non_null(strstr(note, " more"));
            if (time == 0)
                snprintf(first, sizeof(first), "%s", note);
            assert_string_equal(note, first);
            wick_dataset_free(dataset);
        }
}

static void expect_limit(const fixture *f, const wick_dataset_options *options, const char *why)
{
    wick_dataset *dataset;
    char wanted[128];
    assert_int_equal(wick_dataset_open_with(f->context, f->folder, NULL, WICK_TRAIN, options, &dataset),
                     WICK_ELIMIT);
    snprintf(wanted, sizeof(wanted), "32 pictures come to %d bytes, more than the memory limit of %d",
             32 * BYTES, 32 * BYTES - 1);
    assert_non_null(strstr(wick_context_message(f->context), wanted));
    assert_non_null(strstr(wick_context_message(f->context), why));
}

/* Without a cache there is nothing that they could be streamed from. */
static void no_cache_and_no_memory(void **state)
{
    const fixture *f = *state;
    wick_dataset_options options = {.no_cache = true, .memory_limit = 32 * BYTES};
    char path[700];
    wick_dataset_free(open_half(f, WICK_TRAIN, &options));
    options.memory_limit--;
    expect_limit(f, &options, "which is ruled out here (--no-cache)");
    options.no_cache = false;
    snprintf(path, sizeof(path), "%s/a/00.png", f->folder);
    setenv("XDG_CACHE_HOME", path, 1);
    expect_limit(f, &options, "which cannot be written");
    options.memory_limit++;
    wick_dataset_free(open_half(f, WICK_TRAIN, &options));
    setenv("XDG_CACHE_HOME", f->cache, 1);
    options.memory_limit = 1;
    wick_dataset_free(open_half(f, WICK_TRAIN, &options));
    /* Broken pictures are why there is none. */
    wick_dataset *dataset;
    assert_int_equal(truncate(path, 30), 0);
    for (int half = WICK_TRAIN; half <= WICK_TEST; half++) {
        assert_int_equal(
            wick_dataset_open_with(f->context, f->folder, NULL, (wick_split)half, &options, &dataset),
            WICK_EFORMAT);
        assert_non_null(strstr(wick_context_message(f->context), "): a/00.png: is a PNG picture cut"));
    }
}

/* In a file that is shorter than is said, or that cannot be read, nothing is found. */
static void files_that_end_early(void **state)
{
    const fixture *f = *state;
    const wick_dataset_options options = {0};
    char path[1200], *text;
    struct stat info;
    wki_listing listing = {0};
    expect_both(f, &options);
    cache_file(f, path);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(wki_listing_scan(f->context, f->folder, 0, &listing), WICK_OK);
    assert_int_equal(wki_cache_text(&listing, &options, &text), WICK_OK);
    const uint64_t size = (uint64_t)info.st_size;
    for (uint64_t keep = size; keep > 0; keep -= keep + 400 > size ? 1 : 1 + keep / 7) {
        assert_int_equal(truncate(path, (off_t)keep), 0);
        wki_folder_cache cache = {.fd = open(path, O_RDONLY)};
        wick_status status = wki_cache_check(f->context, cache.fd, size, text, listing.count, &cache);
        assert_int_equal(status, keep == size ? WICK_OK : WICK_EFORMAT);
        if (status == WICK_EFORMAT)
            assert_non_null(
                strstr(wick_context_message(f->context), "not of these pictures, or is damaged"));
        close(cache.fd);
        wki_cache_release(&cache);
    }
    wki_folder_cache none = {.fd = -1};
    assert_int_equal(wki_cache_check(f->context, -1, size, text, listing.count, &none), WICK_EFORMAT);
    wki_cache_release(&none);
    free(text);
    wki_listing_release(&listing);
}

/* Where no cache can be, or something else is in its place, it is done without. */
static void no_place_for_it(void **state)
{
    const fixture *f = *state;
    const wick_dataset_options options = {0};
    char path[1200];
    expect_both(f, &options);
    cache_file(f, path);
    assert_int_equal(remove(path), 0);
    assert_int_equal(mkdir(path, 0777), 0);
    expect_both(f, &options);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0666), 0);
    expect_both(f, &options);
    snprintf(path, sizeof(path), "%s/a/00.png", f->folder);
    setenv("XDG_CACHE_HOME", path, 1);
    expect_both(f, &options);
    setenv("XDG_CACHE_HOME", f->cache, 1);
}

/* A disk that is full at every place in turn: the pixels are the same, and no half of a file is left. */
static void no_room_for_it(void **state)
{
    const fixture *f = *state;
    const wick_dataset_options options = {.image_height = 80, .image_width = 70};
    struct rlimit before, limit;
    char path[1200];
    wick_dataset *dataset;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    for (rlim_t room = 0; room < 220000; room += 20000) {
        limit = (struct rlimit){room, before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        wick_status status =
            wick_dataset_open_with(f->context, f->folder, NULL, WICK_TRAIN, &options, &dataset);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(status, WICK_OK);
        wick_dataset_free(dataset);
        cache_file(f, path);
        assert_string_equal(path, "");
    }
    signal(SIGXFSZ, handler);
    wick_dataset_free(open_half(f, WICK_TRAIN, &options));
    cache_file(f, path);
    assert_string_not_equal(path, "");
}

/* Pictures of more than is written at once. */
static void large_pictures(void **state)
{
    const fixture *f = *state;
    const wick_dataset_options options = {.image_height = 1800, .image_width = 1600, .channels = 3};
    char name[700];
    for (int i = 3; i < PICTURES; i++) {
        snprintf(name, sizeof(name), "%s/%c/%02d.png", f->folder, 'a' + i % 2, i);
        assert_int_equal(remove(name), 0);
    }
    wick_dataset *made = open_half(f, WICK_TEST, &options), *found = open_half(f, WICK_TEST, &options);
    assert_int_equal(wick_dataset_count(made), 1);
    assert_memory_equal(wick_dataset_pixels(made), wick_dataset_pixels(found), (size_t)3 * 1800 * 1600);
    wick_dataset_free(made);
    wick_dataset_free(found);
}

/* ---- what is not used any more ---- */

enum { HOUR = 60 * 60, DAY = 24 * HOUR };

static void set_age(const char *path, time_t age)
{
    const struct timespec then = {.tv_sec = time(NULL) - age}, times[2] = {then, then};
    assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static time_t age_of(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return time(NULL) - info.st_mtim.tv_sec;
}

static void opening_counts_as_use(void **state)
{
    const fixture *f = *state;
    const wick_dataset_options in_memory = {0}, streamed_ones = {.memory_limit = 1};
    char path[1200];
    wick_dataset_free(open_half(f, WICK_TRAIN, &in_memory));
    cache_file(f, path);
    mark(path);
    for (int s = 0; s < 2; s++) {
        set_age(path, 29 * DAY);
        wick_dataset_free(open_half(f, WICK_TEST, s == 0 ? &in_memory : &streamed_ones));
        assert_in_range(age_of(path) + HOUR, 0, 2 * HOUR);
    }
    assert_true(is_marked(path));
}

#define SUM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* Beside a new cache file, which of these are removed. */
static const struct {
    const char *name;
    time_t age;
    bool stays, is_link, is_folder;
} beside[] = {
    {SUM ".wick", 30 * DAY + HOUR, false, false, false},
    {"a" SUM ".wick", 99 * DAY, true, false, false},
    {"1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.wick", 30 * DAY - HOUR, true,
     false, false},
    {"2123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.wick", -99 * DAY, true, false,
     false},
    {"3123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.wick", 99 * DAY, true, true,
     false},
    {"4123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.wick", 99 * DAY, true, false,
     true},
    {"5123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef.wick", 99 * DAY, true, false,
     false},
    {"6123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde.wick", 99 * DAY, true, false,
     false},
    {SUM ".wick.123-0.tmp", DAY + HOUR, false, false, false},
    {SUM ".wick.123-1.tmp", DAY - HOUR, true, false, false},
    {SUM ".wick.123-2", 99 * DAY, true, false, false},
    {SUM ".wicktmp", 99 * DAY, true, false, false},
    {SUM ".wickx.tmp", 99 * DAY, true, false, false},
    {SUM ".png", 99 * DAY, true, false, false},
    {SUM, 99 * DAY, true, false, false},
    {"notes.txt", 99 * DAY, true, false, false},
    {"x.tmp", 99 * DAY, true, false, false},
    {".wick", 99 * DAY, true, false, false},
};

static void put_beside(const char *folder)
{
    for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
        char path[1400];
        snprintf(path, sizeof(path), "%s/%s", folder, beside[i].name);
        if (beside[i].is_folder)
            assert_int_equal(mkdir(path, 0777), 0);
        else if (beside[i].is_link)
            assert_int_equal(symlink("notes.txt", path), 0);
        else
            assert_int_equal(close(open(path, O_WRONLY | O_CREAT, 0666)), 0);
        set_age(path, beside[i].age);
    }
}

static void unused_files_are_removed(void **state)
{
    const fixture *f = *state;
    const wick_dataset_options options = {0};
    char path[1200], folder[1200], name[1400];
    struct stat info;
    wick_dataset_free(open_half(f, WICK_TRAIN, &options));
    cache_file(f, path);
    memcpy(folder, path, sizeof(folder));
    *strrchr(folder, '/') = '\0';
    put_beside(folder);
    /* Reading a cache that is there removes nothing. */
    set_age(path, 99 * DAY);
    wick_dataset_free(open_half(f, WICK_TRAIN, &options));
    for (int made = 0; made < 2; made++) {
        for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
            snprintf(name, sizeof(name), "%s/%s", folder, beside[i].name);
            if ((lstat(name, &info) == 0) != (beside[i].stays || made == 0))
                fail_msg("%s is %s", beside[i].name,
                         beside[i].stays ? "gone" : "there, or gone too soon");
        }
        put_png(f->folder, "a/00.png", 77, 7, 6);
        expect_both(f, &options);
    }
    assert_int_equal(access(path, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(read_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damaged_files_are_made_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(streamed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(streamed_from_a_failing_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(broken_pictures_are_remembered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reasons_are_remembered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_cache_and_no_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_that_end_early, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_place_for_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_room_for_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(large_pictures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(opening_counts_as_use, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unused_files_are_removed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
