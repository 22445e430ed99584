/* src/data: folders of pictures. What is found and in which order, what is made of it, and that neither
 * threads nor links change it. */
#include "data/data_internal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>
#include <wick/image.h>

#include "picture_folder.h"

#include "data_fixture.h"

static int set_up(void **state)
{
    if (make_fixture(state) != 0)
        return -1;
    const fixture *f = *state;
    setenv("XDG_CACHE_HOME", f->cache, 1);
    return 0;
}

/* The first pixel and the label of each image. */
static void expect_images(const wick_dataset *dataset, const char *wanted)
{
    char got[512] = "";
    size_t used = 0;
    const int64_t *shape = wick_dataset_image_shape(dataset);
    for (int64_t i = 0; i < wick_dataset_count(dataset); i++)
        used += (size_t)snprintf(got + used, sizeof(got) - used, "%d/%d ",
                                 wick_dataset_pixels(dataset)[i * shape[0] * shape[1] * shape[2]],
                                 (int)wick_dataset_labels(dataset)[i]);
    assert_string_equal(got, wanted);
}

/* Classes sorted by bytes; pictures by folder, then by name: sorted(os.walk()). */
static void in_torchvisions_order(void **state)
{
    const fixture *f = *state;
    put_png(f->folder, "train/b/z.png", 1, 4, 3);
    put_png(f->folder, "train/b/a/y.png", 2, 4, 3);
    put_png(f->folder, "train/b/a-b/x.png", 3, 4, 3);
    put_png(f->folder, "train/b/a/k/w.png", 4, 4, 3);
    put_png(f->folder, "train/b/A.PNG", 5, 4, 3);
    put_png(f->folder, "train/B c/10.png", 6, 4, 3);
    put_png(f->folder, "train/B c/9.jpg", 7, 4, 3); /* what it is, not what it is called */
    put_png(f->folder, "train/B c/none", 8, 4, 3);
    put_png(f->folder, "test/b/1.png", 9, 4, 3);
    wick_dataset *train = open_half(f, WICK_TRAIN, NULL), *test = open_half(f, WICK_TEST, NULL);
    expect_images(train, "6/0 7/0 8/0 5/1 1/1 2/1 3/1 4/1 ");
    expect_images(test, "9/1 ");
    assert_string_equal(wick_dataset_class(train, 0), "B c");
    assert_string_equal(wick_dataset_class(test, 1), "b");
    assert_string_equal(wick_dataset_class_name(train), "ImageFolder");
    assert_int_equal(wick_dataset_image_shape(train)[0], 1);
    assert_int_equal(wick_dataset_image_shape(train)[1], 3);
    assert_int_equal(wick_dataset_image_shape(train)[2], 4);
    assert_null(wick_dataset_note(train, 0));
    assert_non_null(strstr(wick_dataset_note(test, 0), "no pictures of 1 of the 2 classes: 'B c'"));
    assert_null(wick_dataset_note(test, 1));
    wick_dataset_free(train);
    wick_dataset_free(test);
}

/* What is made of a picture is what wick_image_fit() makes of it, whoever does it. */
static void fitted_by_any_number_of_threads(void **state)
{
    const fixture *f = *state;
    for (int i = 0; i < 40; i++) {
        char name[64];
        snprintf(name, sizeof(name), "%c/%02d.png", 'a' + i % 2, i);
        put_png(f->folder, name, (uint8_t)(3 * i), (uint32_t)(5 + i % 7), (uint32_t)(9 - i % 4));
    }
    const wick_dataset_options options = {.image_height = 6, .image_width = 8, .channels = 3};
    wick_dataset *first = NULL;
    for (int threads = 1; threads <= 8; threads++) {
        assert_int_equal(wick_context_set_threads(f->context, threads), WICK_OK);
        wick_dataset *dataset = open_half(f, WICK_TRAIN, &options);
        size_t bytes = (size_t)wick_dataset_count(dataset) * 3 * 6 * 8;
        assert_int_equal(wick_dataset_count(dataset), 32);
        if (first != NULL)
            assert_memory_equal(wick_dataset_pixels(dataset), wick_dataset_pixels(first), bytes);
        if (first == NULL)
            first = dataset;
        else
            wick_dataset_free(dataset);
    }
    const int64_t shape[3] = {3, 6, 8};
    wick_tensor *picture, *fitted;
    char path[512];
    int found = 0;
    for (int i = 0; i < 40; i += 2) { /* those of class a */
        snprintf(path, sizeof(path), "%s/a/%02d.png", f->folder, i);
        assert_int_equal(wick_image_read(f->context, path, NULL, &picture), WICK_OK);
        assert_int_equal(wick_image_fit(picture, shape,
                                        &(wick_image_fit_options){.invert = WICK_INVERT_OFF}, &fitted,
                                        NULL),
                         WICK_OK);
        for (int64_t k = 0; k < 16; k++)
            found += memcmp(wick_dataset_pixels(first) + k * 3 * 6 * 8, wick_tensor_u8(fitted),
                            3 * 6 * 8) == 0;
        wick_tensor_free(picture);
        wick_tensor_free(fitted);
    }
    assert_int_equal(found, 16); /* four are held out */
    wick_dataset_free(first);
}

/* The two halves that are held out are apart, all of the folder, and the same again. */
static void held_out(void **state)
{
    const fixture *f = *state;
    bool seen[60] = {false};
    for (int i = 0; i < 60; i++) {
        char name[64];
        snprintf(name, sizeof(name), "%c/%02d.png", 'a' + i % 3, i);
        put_png(f->folder, name, (uint8_t)i, 2, 2);
    }
    put_png(f->folder, "d/one.png", 200, 2, 2); /* a single one is for training */
    const wick_dataset_options options = {.test_fraction = 0.3};
    wick_dataset *train = open_half(f, WICK_TRAIN, &options), *test = open_half(f, WICK_TEST, &options);
    wick_dataset *again = open_half(f, WICK_TEST, &options);
    assert_int_equal(wick_dataset_count(train), 43);
    assert_int_equal(wick_dataset_count(test), 18);
    assert_memory_equal(wick_dataset_pixels(test), wick_dataset_pixels(again), 18 * 4);
    for (int64_t i = 0; i < 42 + 18; i++) {
        const wick_dataset *half = i < 42 ? train : test;
        int64_t at = i < 42 ? i : i - 42;
        int value = wick_dataset_pixels(half)[at * 4];
        assert_true(value < 60);
        assert_false(seen[value]);
        seen[value] = true;
        assert_int_equal(wick_dataset_labels(half)[at], value % 3);
    }
    assert_int_equal(wick_dataset_pixels(train)[42 * 4], 200);
    assert_non_null(strstr(wick_dataset_note(train, 0), "18 of the 61"));
    wick_dataset_free(train);
    wick_dataset_free(test);
    wick_dataset_free(again);
}

/* The brightness of the pictures that are held out. */
static void note_held_out(const fixture *f, bool held[256])
{
    wick_dataset *test = open_half(f, WICK_TEST, NULL);
    memset(held, 0, 256 * sizeof(*held));
    for (int64_t i = 0; i < wick_dataset_count(test); i++)
        held[wick_dataset_pixels(test)[i * 4]] = true;
    wick_dataset_free(test);
}

static void put_bytes_in(const fixture *f, const char *name, const char *bytes)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", f->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(bytes, file);
    assert_int_equal(fclose(file), 0);
}

/* Each example's file, of what is left out and of parts too. */
static void paths(void **state)
{
    const fixture *f = *state;
    static const int64_t indices[] = {2, 0};
    wick_dataset *test, *part, *head;
    put_png(f->folder, "train/a/1.png", 1, 2, 2);
    put_png(f->folder, "train/b/deep/1.png", 2, 2, 2);
    put_png(f->folder, "test/b/1.png", 3, 2, 2);
    put_png(f->folder, "test/a/deep/er.png", 4, 2, 2);
    put_png(f->folder, "test/a/one.png", 5, 2, 2);
    put_bytes_in(f, "test/a/broken.png", "");
    for (int no_cache = 0; no_cache < 2; no_cache++) {
        const wick_dataset_options options = {.skip_broken = true, .no_cache = no_cache != 0};
        for (int again = 0; again < 2; again++) {
            test = open_half(f, WICK_TEST, &options);
            assert_int_equal(wick_dataset_count(test), 3);
            assert_string_equal(wick_dataset_path(test, 0), "test/a/one.png");
            assert_string_equal(wick_dataset_path(test, 1), "test/a/deep/er.png");
            assert_string_equal(wick_dataset_path(test, 2), "test/b/1.png");
            assert_null(wick_dataset_path(test, 3));
            assert_null(wick_dataset_path(test, -1));
            assert_int_equal(wick_dataset_subset(test, 2, indices, &part), WICK_OK);
            assert_int_equal(wick_dataset_head(test, 1, &head), WICK_OK);
            wick_dataset_free(test);
            assert_string_equal(wick_dataset_path(part, 0), "test/b/1.png");
            assert_string_equal(wick_dataset_path(part, 1), "test/a/one.png");
            assert_string_equal(wick_dataset_path(head, 0), "test/a/one.png");
            wick_dataset_free(part);
            wick_dataset_free(head);
        }
    }
}

/* Which pictures are held out is known: it depends on their paths from the folder on, and on nothing else. */
static void held_out_everywhere(void **state)
{
    const fixture *f = *state;
    char path[600];
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof(path), "%c/%02d.png", 'a' + i % 2, i);
        put_png(f->folder, path, (uint8_t)i, 2, 2);
    }
    wick_dataset *test = open_half(f, WICK_TEST, NULL);
    char held[200] = "";
    for (int64_t i = 0; i < wick_dataset_count(test); i++)
        snprintf(held + strlen(held), sizeof(held) - strlen(held), "%s ", wick_dataset_path(test, i));
    assert_string_equal(held, "a/00.png a/02.png b/05.png b/11.png ");
    wick_dataset_free(test);
}

/* Pictures that come and go leave almost all others in their half. */
static void held_out_stay(void **state)
{
    const fixture *f = *state;
    bool before[256], after[256];
    char path[600];
    for (int i = 0; i < 100; i++) {
        snprintf(path, sizeof(path), "%c/%02d.png", 'a' + i % 2, i);
        put_png(f->folder, path, (uint8_t)i, 2, 2);
    }
    note_held_out(f, before);
    for (int added = 1; added <= 5; added++) {
        snprintf(path, sizeof(path), "a/5%d-new.png", added); /* in the middle of the others */
        put_png(f->folder, path, (uint8_t)(100 + added), 2, 2);
        note_held_out(f, after);
        int changed = 0, held = 0;
        for (int i = 0; i < 100; i++) {
            changed += before[i] != after[i];
            held += before[i];
        }
        assert_int_equal(held, 20);
        assert_in_range(changed, 0, added);
    }
    for (int added = 1; added <= 5; added++) {
        snprintf(path, sizeof(path), "%s/a/5%d-new.png", f->folder, added);
        assert_int_equal(unlink(path), 0);
    }
    note_held_out(f, after);
    assert_memory_equal(before, after, sizeof(before));
}

static void expect_refused(const fixture *f, const wick_dataset_options *options, wick_status status,
                           const char *part)
{
    wick_dataset *dataset;
    wick_status got = wick_dataset_open_with(f->context, f->folder, NULL, WICK_TRAIN, options, &dataset);
    if (got != status || strstr(wick_context_message(f->context), part) == NULL)
        fail_msg("%s: %s, instead of %s", wick_status_name(got), wick_context_message(f->context), part);
}

static void bad_options(void **state)
{
    const fixture *f = *state;
    put_png(f->folder, "a/1.png", 0, 2, 2);
    expect_refused(f, &(wick_dataset_options){.image_height = 3}, WICK_EINVAL, "size is 3x0");
    expect_refused(f, &(wick_dataset_options){.image_height = -3, .image_width = -3}, WICK_EINVAL,
                   "size");
    expect_refused(f, &(wick_dataset_options){.channels = 2}, WICK_EINVAL, "channels are 2");
    expect_refused(f, &(wick_dataset_options){.test_fraction = 1}, WICK_EINVAL, "fraction is 1");
    expect_refused(f, &(wick_dataset_options){.test_fraction = NAN}, WICK_EINVAL, "fraction");
    expect_refused(f, NULL, WICK_EFORMAT, "no class of two pictures");
    char path[512];
    snprintf(path, sizeof(path), "%s/a\nb", f->folder);
    mkdir(path, 0777);
    expect_refused(f, NULL, WICK_EINVAL, "'a?b' is no plain text");
    rmdir(path);
    snprintf(path, sizeof(path), "%s/a\xff", f->folder);
    mkdir(path, 0777);
    expect_refused(f, NULL, WICK_EINVAL, "is no plain text");
}

static void make_folder_in(const fixture *f, const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", f->folder, name);
    assert_int_equal(mkdir(path, 0777), 0);
}

/* Names of class folders: UTF-8 is fine, what would be odd in a message or in JSON is not. */
static void names(void **state)
{
    static const char *const bad[][2] = {
        {"\x7f", "'?'"},         {"a\tb", "'a?b'"},           {"\xc3", "'?'"},
        {"\xc0\x80z", "'?\?z'"}, {"\xed\xa0\x80", "'?\?\?'"}, {"\xf4\x90\x80\x80", "'?\?\?\?'"}};
    const fixture *f = *state;
    put_png(f->folder, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80/1.png", 1, 2, 2);
    put_png(f->folder, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80/2.png", 2, 2, 2);
    wick_dataset *train = open_half(f, WICK_TRAIN, NULL);
    assert_string_equal(wick_dataset_class(train, 0), "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    wick_dataset_free(train);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char path[512];
        make_folder_in(f, bad[i][0]);
        expect_refused(f, NULL, WICK_EINVAL, bad[i][1]);
        expect_refused(f, NULL, WICK_EINVAL, "is no plain text (UTF-8)");
        snprintf(path, sizeof(path), "%s/%s", f->folder, bad[i][0]);
        rmdir(path);
    }
}

/* What is a picture: by its name, or by how it begins. */
static void what_is_a_picture(void **state)
{
    const fixture *f = *state;
    put_png(f->folder, "a/1.png", 1, 2, 2);
    put_png(f->folder, "a/2", 2, 2, 2);
    put_png(f->folder, "a/3.txt", 3, 2, 2);
    put_bytes_in(f, "a/short", "\x89PN");
    put_bytes_in(f, "a/other", "\x89PNg....");
    put_bytes_in(f, "a/note.txt", "\xff\xd8\xfe....");
    const wick_dataset_options options = {.skip_broken = true};
    wick_dataset *train = open_half(f, WICK_TRAIN, &options), *test = open_half(f, WICK_TEST, &options);
    assert_int_equal(wick_dataset_count(train) + wick_dataset_count(test), 3);
    assert_non_null(
        strstr(wick_dataset_note(train, 1), "one class only, 'a': everything will be right"));
    assert_non_null(strstr(wick_dataset_note(train, 2), "3 files that are no PNG or JPEG pictures"));
    wick_dataset_free(train);
    wick_dataset_free(test);
    const wick_dataset_options coloured = {.channels = 3, .skip_broken = true};
    train = open_half(f, WICK_TRAIN, &coloured);
    assert_int_equal(wick_dataset_image_shape(train)[0], 3);
    assert_int_equal(wick_dataset_image_shape(train)[1], 2);
    wick_dataset_free(train);
    put_bytes_in(f, "a/picture", "\xff\xd8\xff....");
    expect_refused(f, NULL, WICK_EFORMAT, "a/picture: is a broken JPEG picture");
}

static void halves(void **state)
{
    const fixture *f = *state;
    put_png(f->folder, "train/round/1.png", 1, 2, 2);
    put_png(f->folder, "train/square/1.png", 2, 2, 2);
    put_png(f->folder, "val/round/1.png", 3, 2, 2);
    wick_dataset *test = open_half(f, WICK_TEST, NULL);
    expect_images(test, "3/0 ");
    wick_dataset_free(test);
    wick_dataset *dataset;
    const struct {
        const char *name, *message;
    } cases[] = {
        {"val/rounds", "val/rounds: the training half has no class of that name; did you mean 'round'?"},
        {"val/hexagonal", "val/hexagonal: the training half has no class of that name"}};
    for (size_t i = 0; i < 2; i++) {
        char path[512];
        make_folder_in(f, cases[i].name);
        assert_int_equal(wick_dataset_open(f->context, f->folder, NULL, WICK_TEST, &dataset),
                         WICK_EFORMAT);
        if (strstr(wick_context_message(f->context), cases[i].message) == NULL)
            fail_msg("%s", wick_context_message(f->context));
        snprintf(path, sizeof(path), "%s/%s", f->folder, cases[i].name);
        rmdir(path);
    }
    expect_refused(f, &(wick_dataset_options){.test_fraction = 0.5}, WICK_EINVAL,
                   "has a test half, val/: no other part");
    char train[512];
    snprintf(train, sizeof(train), "%s/train", f->folder);
    nftw(train, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    expect_refused(f, NULL, WICK_EFORMAT, "has a folder val/ but no train/");
}

/* The halves' folders by the names that they have elsewhere, in any capitals. */
static void names_of_halves(void **state)
{
    static const struct {
        const char *train, *test, *refused;
    } cases[] = {{"Train", "Test", NULL},
                 {"TRAIN", "vAL", NULL},
                 {"train", "Validation", NULL},
                 {"train", "valid", NULL},
                 {"training", "Val", "has a folder Val/ but no train/"},
                 {"trains", "validation", "has a folder validation/ but no train/"}};
    const fixture *f = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const fixture inner = {.context = f->context, .folder = make_folder()};
        char name[64];
        snprintf(name, sizeof(name), "%s/a/1.png", cases[i].train);
        put_png(inner.folder, name, 1, 2, 2);
        snprintf(name, sizeof(name), "%s/a/1.png", cases[i].test);
        put_png(inner.folder, name, 3, 2, 2);
        if (cases[i].refused != NULL) {
            expect_refused(&inner, NULL, WICK_EFORMAT, cases[i].refused);
        } else {
            wick_dataset *test = open_half(&inner, WICK_TEST, NULL);
            expect_images(test, "3/0 ");
            wick_dataset_free(test);
        }
        remove_folder(inner.folder);
    }
}

/* Without a train/ "valid" is a class; of two folders of one name neither is taken. */
static void names_of_no_halves(void **state)
{
    const fixture *f = *state;
    put_png(f->folder, "valid/1.png", 1, 2, 2);
    put_png(f->folder, "valid/2.png", 2, 2, 2);
    put_png(f->folder, "invalid/1.png", 3, 2, 2);
    wick_dataset *train = open_half(f, WICK_TRAIN, NULL);
    assert_string_equal(wick_dataset_class(train, 1), "valid");
    wick_dataset_free(train);
    make_folder_in(f, "Train");
    make_folder_in(f, "train");
    expect_refused(f, NULL, WICK_EINVAL, "the folders 'Train' and 'train' are of one name but for");
}

/* What is broken is named of both halves at once, three of each; but the half alone decides. */
static void broken_in_both_halves(void **state)
{
    const fixture *f = *state;
    for (int i = 0; i < 6; i++) {
        char name[64];
        snprintf(name, sizeof(name), "train/a/%d.png", i);
        put_png(f->folder, name, (uint8_t)i, 2, 2);
        snprintf(name, sizeof(name), "test/a/%d.png", i);
        put_png(f->folder, name, (uint8_t)i, 2, 2);
    }
    put_bytes_in(f, "test/a/2.png", "text");
    wick_dataset_free(open_half(f, WICK_TRAIN, NULL));
    for (int i = 0; i < 5; i++) {
        char name[64];
        snprintf(name, sizeof(name), "train/a/%d.png", i);
        put_bytes_in(f, name, "text");
    }
    for (int no_cache = 0; no_cache < 2; no_cache++) {
        const wick_dataset_options sizes[2] = {
            {.no_cache = no_cache != 0},
            {.no_cache = no_cache != 0, .image_height = 3, .image_width = 3, .channels = 1}};
        for (int i = 0; i < 2; i++) {
            expect_refused(f, &sizes[i], WICK_EFORMAT,
                           ": 5 of the training half's 6 pictures and 1 of the test half's 6 cannot be "
                           "read; mend them, or leave them out (--skip-broken): train/a/0.png: is");
            expect_refused(f, &sizes[i], WICK_EFORMAT,
                           "; and 2 more; in the test half: test/a/2.png: is");
        }
    }
}

/* Of two pictures one is held out, whatever the share, and of one none. */
static void shares(void **state)
{
    const fixture *f = *state;
    put_png(f->folder, "a/1.png", 1, 2, 2);
    put_png(f->folder, "a/2.png", 2, 2, 2);
    put_png(f->folder, "b/1.png", 3, 2, 2);
    for (int i = 0; i < 2; i++) {
        const wick_dataset_options options = {.test_fraction = i == 0 ? 0.001 : 0.999};
        wick_dataset *test = open_half(f, WICK_TEST, &options);
        assert_int_equal(wick_dataset_count(test), 1);
        wick_dataset_free(test);
    }
}

/* Links to class folders, on another disk too; two to one folder are refused. */
static void linked_classes(void **state)
{
    const fixture *f = *state;
    char *other = make_folder(), *memory = NULL, link[600];
    put_png(f->folder, "m/1.png", 1, 2, 2);
    put_png(f->folder, "m/2.png", 2, 2, 2);
    put_png(other, "1.png", 3, 2, 2);
    for (int i = 0; i < 2; i++) {
        snprintf(link, sizeof(link), "%s/%s", f->folder, i == 0 ? "a" : "z");
        if (i == 0)
            assert_int_equal(symlink(other, link), 0);
        else if (access("/dev/shm", W_OK) == 0) {
            memory = strdup("/dev/shm/wick-test.XXXXXX");
            assert_non_null(mkdtemp(memory));
            put_png(memory, "1.png", 4, 2, 2);
            assert_int_equal(symlink(memory, link), 0);
        }
    }
    wick_dataset *train = open_half(f, WICK_TRAIN, NULL);
    assert_int_equal(wick_dataset_count(train), memory != NULL ? 3 : 2);
    wick_dataset_free(train);
    snprintf(link, sizeof(link), "%s/b", f->folder);
    assert_int_equal(symlink(other, link), 0);
    expect_refused(f, NULL, WICK_EINVAL, "the classes 'a' and 'b' are one folder");
    remove_folder(other);
    if (memory != NULL)
        remove_folder(memory);
}

static void too_many_folders(void **state)
{
    const fixture *f = *state;
    put_png(f->folder, "a/1.png", 1, 2, 2);
    for (int i = 0; i < 10000; i++) {
        char name[32];
        snprintf(name, sizeof(name), "a/%d", i);
        make_folder_in(f, name);
    }
    expect_refused(f, NULL, WICK_ELIMIT, "is in a class of more than 10000 folders");
}

/* Folders within folders without end, and links that multiply what there is. */
static void deep_and_wide(void **state)
{
    const fixture *f = *state;
    char path[512] = "a", full[600], link[600];
    for (int i = 0; i < 8; i++) {
        snprintf(full, sizeof(full), "a/%d/p.png", i);
        put_png(f->folder, full, (uint8_t)i, 2, 2);
        for (int k = 0; k < 8; k++) {
            snprintf(link, sizeof(link), "%s/a/%d/to%d", f->folder, i, k);
            snprintf(full, sizeof(full), "../%d", k);
            assert_int_equal(symlink(full, link), 0);
        }
    }
    put_png(f->folder, "b/1.png", 0, 2, 2);
    wick_dataset *train = open_half(f, WICK_TRAIN, NULL), *test = open_half(f, WICK_TEST, NULL);
    assert_int_equal(wick_dataset_count(train) + wick_dataset_count(test), 9);
    wick_dataset_free(train);
    wick_dataset_free(test);
    for (int i = 0; i < 20; i++)
        strcat(path, "/x");
    snprintf(full, sizeof(full), "%s/1.png", path);
    put_png(f->folder, full, 1, 2, 2);
    expect_refused(f, NULL, WICK_ELIMIT, "16 folders deep");
}

static void subsets(void **state)
{
    const fixture *f = *state;
    for (int i = 0; i < 5; i++) {
        char name[64];
        snprintf(name, sizeof(name), "train/%c/%d.png", 'a' + i % 2, i);
        put_png(f->folder, name, (uint8_t)i, 2, 2);
    }
    put_png(f->folder, "test/a/1.png", 0, 2, 2);
    wick_dataset *all = open_half(f, WICK_TRAIN, NULL), *some = NULL;
    expect_images(all, "0/0 2/0 4/0 1/1 3/1 ");
    assert_int_equal(wick_dataset_subset(all, 3, (int64_t[]){4, 0, 4}, &some), WICK_OK);
    wick_dataset_free(all);
    expect_images(some, "3/1 0/0 3/1 ");
    wick_tensor *image;
    assert_int_equal(wick_dataset_get_pixels(some, 2, &image), WICK_OK);
    assert_int_equal(wick_tensor_u8(image)[0], 3);
    wick_tensor_free(image);
    assert_int_equal(wick_dataset_get_pixels(some, 3, &image), WICK_EINVAL);
    assert_int_equal(wick_dataset_subset(some, 1, (int64_t[]){3}, &all), WICK_EINVAL);
    assert_int_equal(wick_dataset_subset(some, 0, (int64_t[]){0}, &all), WICK_EINVAL);
    wick_dataset_free(some);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(in_torchvisions_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fitted_by_any_number_of_threads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(held_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(held_out_everywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(held_out_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(paths, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_options, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_a_picture, set_up, tear_down),
        cmocka_unit_test_setup_teardown(halves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_of_halves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_of_no_halves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(broken_in_both_halves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shares, set_up, tear_down),
        cmocka_unit_test_setup_teardown(linked_classes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_many_folders, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deep_and_wide, set_up, tear_down),
        cmocka_unit_test_setup_teardown(subsets, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
