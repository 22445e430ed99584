/* src/base: messages, memory, text, files, sums, threads. */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static int make_context(void **state)
{
    return wick_context_new((wick_context **)state) == WICK_OK ? 0 : -1;
}

static int free_context(void **state)
{
    wick_context_free(*state);
    return 0;
}

static const char *message(wick_context *context)
{
    return wick_context_message(context);
}

/* ---- status, messages ---- */

static void test_status_names(void **state)
{
    (void)state;
    assert_string_equal(wick_status_name(WICK_OK), "WICK_OK");
    assert_string_equal(wick_status_name(WICK_ENOTSUP), "WICK_ENOTSUP");
    assert_string_equal(wick_status_name((wick_status)99), "WICK_?");
    assert_string_equal(wick_status_text(WICK_ENOMEM), "out of memory");
    assert_string_equal(wick_status_text((wick_status)-1), "an unknown status");
    assert_int_equal(WICK_ENOTSUP, 13);
}

static void test_messages(void **state)
{
    wick_context *context = *state;
    assert_string_equal(message(context), "");
    assert_int_equal(wki_fail(context, WICK_ESHAPE, "%d is not %s", 3, "four"), WICK_ESHAPE);
    assert_string_equal(message(context), "3 is not four");
    assert_int_equal(wki_fail_in(context, WICK_EKEY, "layer %d", 7), WICK_EKEY);
    assert_string_equal(message(context), "layer 7: 3 is not four");
}

/* A name out of a file can hold what a terminal obeys. */
static void test_messages_are_harmless(void **state)
{
    wick_context *context = *state;
    wki_fail(context, WICK_EFORMAT, "a%sb", "\n\r\x1b[31m\x7f \xc2\x9b\xc3\xa9\xc2\xa0\xc2");
    assert_string_equal(message(context), "a???[31m? ??\xc3\xa9\xc2\xa0\xc2"
                                          "b");
    wki_fail_in(context, WICK_EFORMAT, "c\td");
    assert_memory_equal(message(context), "c?d: a???[31m?", 14);
}

static void test_a_message_that_is_too_long_is_cut(void **state)
{
    wick_context *context = *state;
    char text[2 * WKI_MESSAGE_SIZE];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    wki_fail(context, WICK_EIO, "%s", text);
    assert_int_equal(strlen(message(context)), WKI_MESSAGE_SIZE - 1);
    wki_fail_in(context, WICK_EIO, "%s", text);
    assert_int_equal(strlen(message(context)), WKI_MESSAGE_SIZE - 1);
    wki_fail_in(context, WICK_EIO, "y");
    assert_memory_equal(message(context), "y: xxx", 6);
    assert_int_equal(strlen(message(context)), WKI_MESSAGE_SIZE - 1);
}

/* ---- context ---- */

static void test_context_threads(void **state)
{
    wick_context *context = *state;
    int cores = wki_usable_cores();
    assert_true(cores >= 1);
    assert_int_equal(wick_context_threads(context), cores);
    assert_int_equal(wick_context_set_threads(context, WKI_MAX_THREADS), WICK_OK);
    assert_int_equal(wick_context_threads(context), WKI_MAX_THREADS);
    assert_int_equal(wick_context_set_threads(context, WKI_MAX_THREADS + 1), WICK_EINVAL);
    assert_int_equal(wick_context_set_threads(context, -1), WICK_EINVAL);
    assert_non_null(strstr(message(context), "-1"));
    assert_int_equal(wick_context_threads(context), WKI_MAX_THREADS);
    assert_int_equal(wick_context_set_threads(context, 0), WICK_OK);
    assert_int_equal(wick_context_threads(context), cores);
    assert_int_equal(wick_context_new(NULL), WICK_EINVAL);
}

static void test_context_device(void **state)
{
    wick_context *context = *state;
    static const char *const wrong[] = {"gpu", "cuda:", "cuda:x", "cuda1", "CPU", ""};
    assert_string_equal(wick_context_device(context), "cpu");
    assert_int_equal(wick_context_set_device(context, "auto"), WICK_OK);
    assert_int_equal(wick_context_set_device(context, "cpu"), WICK_OK);
    for (size_t i = 0; i < WKI_COUNT(wrong); i++)
        assert_int_equal(wick_context_set_device(context, wrong[i]), WICK_EINVAL);
    assert_int_equal(wick_context_set_device(context, NULL), WICK_EINVAL);
    assert_int_equal(wick_context_set_device(context, "cuda:12"), WICK_EDEVICE);
    assert_int_equal(wick_context_set_device(context, "cuda"), WICK_EDEVICE);
    assert_non_null(strstr(message(context), "there is: cpu"));
    assert_string_equal(wick_context_device(context), "cpu");
}

static void test_context_interrupt(void **state)
{
    wick_context *context = *state;
    assert_false(wick_context_interrupted(context));
    wick_context_interrupt(context);
    assert_true(wick_context_interrupted(context));
    wick_context_clear_interrupt(context);
    assert_false(wick_context_interrupted(context));
}

/* ---- memory ---- */

static void test_alloc_is_aligned_and_zeroed(void **state)
{
    static const size_t sizes[] = {0, 1, 63, 64, 65, 1000};
    for (size_t i = 0; i < WKI_COUNT(sizes); i++) {
        void *memory;
        assert_int_equal(wki_alloc(*state, sizes[i], 3, "a test", &memory), WICK_OK);
        assert_int_equal((uintptr_t)memory % 64, 0);
        for (size_t k = 0; k < 3 * sizes[i]; k++)
            assert_int_equal(((uint8_t *)memory)[k], 0);
        free(memory);
    }
}

static void test_alloc_refuses_what_cannot_be_addressed(void **state)
{
    wick_context *context = *state;
    void *memory = context;
    assert_int_equal(wki_alloc(context, SIZE_MAX / 2, 3, "a test", &memory), WICK_ENOMEM);
    assert_non_null(strstr(message(context), "a test"));
    assert_int_equal(wki_alloc(context, SIZE_MAX, 1, "a test", &memory), WICK_ENOMEM);
    assert_int_equal(wki_alloc(context, PTRDIFF_MAX, 1, "a test", &memory), WICK_ENOMEM);
    if (access("/proc/meminfo", R_OK) == 0) {
        assert_int_equal(wki_alloc(context, PTRDIFF_MAX / 4, 1, "a test", &memory), WICK_ENOMEM);
        assert_non_null(strstr(wick_context_message(context), " bytes for a test: "));
        assert_non_null(strstr(wick_context_message(context), " are available"));
    }
    assert_ptr_equal(memory, context);
}

static void test_grow_keeps_what_was_there(void **state)
{
    int *numbers = NULL;
    size_t capacity = 0;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(
            wki_grow(*state, (void **)&numbers, &capacity, (size_t)i + 1, sizeof(*numbers), "numbers"),
            WICK_OK);
        assert_true(capacity > (size_t)i);
        numbers[i] = i;
    }
    size_t before = capacity;
    assert_int_equal(
        wki_grow(*state, (void **)&numbers, &capacity, SIZE_MAX / 2, sizeof(*numbers), "numbers"),
        WICK_ENOMEM);
    assert_int_equal(capacity, before);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(numbers[i], i);
    free(numbers);
}

static void test_products_and_sums_that_overflow(void **state)
{
    (void)state;
    uint64_t u;
    int64_t i;
    assert_true(wki_mul_u64(UINT64_C(1) << 32, UINT32_MAX, &u));
    assert_int_equal(u, (uint64_t)UINT32_MAX << 32);
    assert_false(wki_mul_u64(UINT64_C(1) << 32, UINT64_C(1) << 32, &u));
    assert_true(wki_add_u64(UINT64_MAX, 0, &u));
    assert_false(wki_add_u64(UINT64_MAX, 1, &u));
    assert_true(wki_mul_i64(INT64_MIN, 1, &i));
    assert_false(wki_mul_i64(INT64_MIN, -1, &i));
}

/* ---- text ---- */

static char *finished(wki_text *text)
{
    char *out = NULL;
    assert_int_equal(wki_text_finish(text, &out), WICK_OK);
    assert_non_null(out);
    return out;
}

static void test_text_is_put_together(void **state)
{
    wki_text text;
    wki_text_init(&text, *state);
    wki_text_puts(&text, "one ");
    wki_text_printf(&text, "%d%s", 2, " ");
    wki_text_append(&text, "threeXX", 5);
    char *out = finished(&text);
    assert_string_equal(out, "one 2 three");
    free(out);

    wki_text_init(&text, *state);
    out = finished(&text);
    assert_string_equal(out, "");
    free(out);
}

static void test_printf_of_every_length(void **state)
{
    /* Around the small buffer's size and the text's growth. */
    for (int length = 250; length < 520; length++) {
        wki_text text;
        wki_text_init(&text, *state);
        wki_text_printf(&text, "%*d", length, 7);
        wki_text_printf(&text, "%s", "!");
        char *out = finished(&text);
        assert_int_equal(strlen(out), length + 1);
        assert_string_equal(out + length - 1, "7!");
        free(out);
    }
}

static void test_text_after_a_failure_is_refused(void **state)
{
    wki_text text;
    char *out = NULL;
    wki_text_init(&text, *state);
    wki_text_puts(&text, "fine");
    wki_text_append(&text, "x", SIZE_MAX / 2); /* fails before it reads */
    assert_int_equal(text.status, WICK_ENOMEM);
    wki_text_puts(&text, " more");
    wki_text_printf(&text, "%300d", 1);
    assert_string_equal(text.bytes, "fine");
    assert_int_equal(wki_text_finish(&text, &out), WICK_ENOMEM);
    assert_null(out);
    assert_null(text.bytes);
}

static void test_json_strings(void **state)
{
    wki_text text;
    wki_text_init(&text, *state);
    wki_text_json(&text, "a\"b\\c\n\x01\x7f/\xc3\xa9");
    char *out = finished(&text);
    assert_string_equal(out, "\"a\\\"b\\\\c\\n\\u0001\\u007f/\xc3\xa9\"");
    free(out);
}

static void test_nearest_word(void **state)
{
    (void)state;
    static const char *const words[] = {"fashion-mnist", "mnist", "kmnist"};
    char longest[200];
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_string_equal(wki_nearest("mnst", words, 3), "mnist");
    assert_string_equal(wki_nearest("mnits", words, 3), "mnist"); /* two neighbours exchanged */
    assert_string_equal(wki_nearest("fahsion-mnsit", words, 3), "fashion-mnist");
    assert_null(wki_nearest("nmits", words, 3)); /* two changes of five letters are more than a third */
    assert_string_equal(wki_nearest("MNIST", words, 3), "mnist");
    assert_string_equal(wki_nearest("fashion_mnist", words, 3), "fashion-mnist");
    assert_string_equal(wki_nearest("kmnis", words, 3), "kmnist");
    assert_null(wki_nearest("cifar10", words, 3));
    assert_null(wki_nearest("", words, 3));
    assert_null(wki_nearest("mnist", words, 0));
    assert_null(wki_nearest(longest, words, 3));
    const char *const long_word[] = {longest};
    assert_null(wki_nearest("aaaa", long_word, 1));
}

/* What Python 3 prints for repr(number). */
static void test_repr_is_pythons(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1.0, "1.0"},
        {10.0, "10.0"},
        {100.0, "100.0"},
        {-1200.0, "-1200.0"},
        {0.1, "0.1"},
        {1.0 / 3.0, "0.3333333333333333"},
        {2.0 / 3.0, "0.6666666666666666"},
        {83.42651757188499, "83.42651757188499"},
        {0.001, "0.001"},
        {0.0001, "0.0001"},
        {0.00012345, "0.00012345"},
        {0.00001, "1e-05"},
        {-0.000012345, "-1.2345e-05"},
        {123456789.125, "123456789.125"},
        {1e15, "1000000000000000.0"},
        {9007199254740993.0, "9007199254740992.0"},
        {9999999999999998.0, "9999999999999998.0"},
        {1e16, "1e+16"},
        {12345678901234567.0, "1.2345678901234568e+16"},
        {1e22, "1e+22"},
        {1e100, "1e+100"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {4.9406564584124654e-324, "5e-324"},
        {INFINITY, "Infinity"},
        {-INFINITY, "-Infinity"},
        {NAN, "NaN"},
    };
    char out[32];
    for (size_t i = 0; i < WKI_COUNT(cases); i++) {
        wki_repr(cases[i].number, out);
        assert_string_equal(out, cases[i].text);
    }
}

/* A small generator for tests, so that a failure can be had again from the seed that is printed. */
static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    uint64_t x = *seed;
    x ^= x >> 32;
    return x * UINT64_C(0xd6e8feb86659fd93);
}

static void test_repr_gives_the_number_back(void **state)
{
    (void)state;
    uint64_t seed = (uint64_t)time(NULL);
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = next_random(&seed);
        double number;
        char out[32];
        memcpy(&number, &bits, sizeof(number));
        if (!isfinite(number))
            continue;
        if (i % 2 == 0)
            number = (double)(int64_t)bits / 1e12;
        wki_repr(number, out);
        assert_true(strtod(out, NULL) == number);
        assert_true(strpbrk(out, ".e") != NULL);
        assert_true(strlen(out) <= 24);
    }
}

/* ---- files ---- */

typedef struct folder {
    wick_context *context;
    char path[64];
} folder;

static int make_folder(void **state)
{
    folder *at = calloc(1, sizeof(*at));
    strcpy(at->path, "/tmp/wick-base-XXXXXX");
    if (mkdtemp(at->path) == NULL || wick_context_new(&at->context) != WICK_OK)
        return -1;
    *state = at;
    return 0;
}

static int remove_folder(void **state)
{
    folder *at = *state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", at->path);
    int result = system(command);
    wick_context_free(at->context);
    free(at);
    return result;
}

/* folder/name, good until the next call but three. */
static const char *in(const folder *at, const char *name)
{
    static char paths[4][512];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", at->path, name);
    return path;
}

/* How many names are in the folder: a temporary file that stayed is one. */
static int entries(const folder *at)
{
    char command[128];
    int count = -1;
    snprintf(command, sizeof(command), "ls -A '%s' | wc -l", at->path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%d", &count), 1);
    pclose(pipe);
    return count;
}

static void assert_content(const folder *at, const char *name, const char *expected)
{
    uint8_t *bytes;
    size_t length;
    assert_int_equal(wki_file_read(at->context, in(at, name), 1 << 20, &bytes, &length), WICK_OK);
    assert_int_equal(length, strlen(expected));
    assert_string_equal((char *)bytes, expected);
    free(bytes);
}

static void test_file_is_written_and_read(void **state)
{
    folder *at = *state;
    assert_int_equal(wki_file_write(at->context, in(at, "one"), "hello", 5), WICK_OK);
    assert_content(at, "one", "hello");
    assert_int_equal(wki_file_write(at->context, in(at, "one"), "", 0), WICK_OK);
    assert_content(at, "one", "");
    assert_int_equal(entries(at), 1);
    assert_true(wki_file_exists(in(at, "one")));
    assert_false(wki_file_exists(in(at, "two")));
}

/* Writes of every size around the buffer's, read back. */
static void test_file_in_parts(void **state)
{
    folder *at = *state;
    enum { TOTAL = 300000 };
    uint64_t seed = (uint64_t)time(NULL);
    print_message("seed %llu\n", (unsigned long long)seed);
    uint8_t *wrote = malloc(TOTAL), *read;
    for (size_t i = 0; i < TOTAL; i++)
        wrote[i] = (uint8_t)next_random(&seed);
    wki_writer writer;
    assert_int_equal(wki_writer_open(&writer, at->context, in(at, "parts")), WICK_OK);
    for (size_t done = 0; done < TOTAL;) {
        size_t part = next_random(&seed) % (next_random(&seed) % 4 == 0 ? 150000 : 100);
        part = WKI_MIN(part, TOTAL - done);
        assert_int_equal(wki_writer_write(&writer, wrote + done, part), WICK_OK);
        done += part;
        assert_int_equal(writer.offset, done);
    }
    assert_false(wki_file_exists(in(at, "parts")));
    assert_int_equal(wki_writer_commit(&writer), WICK_OK);
    wki_writer_abort(&writer);
    size_t length;
    assert_int_equal(wki_file_read(at->context, in(at, "parts"), TOTAL, &read, &length), WICK_OK);
    assert_int_equal(length, TOTAL);
    assert_memory_equal(read, wrote, TOTAL);
    free(wrote);
    free(read);
}

static void test_reading_what_is_no_file(void **state)
{
    folder *at = *state;
    uint8_t *bytes = NULL;
    size_t length = 99;
    assert_int_equal(wki_file_read(at->context, in(at, "none"), 10, &bytes, &length), WICK_ENOENT);
    assert_non_null(strstr(message(at->context), in(at, "none")));
    assert_int_equal(wki_file_read(at->context, at->path, 10, &bytes, &length), WICK_EIO);
    assert_int_equal(wki_file_read(at->context, "/dev/zero", 10, &bytes, &length), WICK_EIO);
    assert_int_equal(mkfifo(in(at, "fifo"), 0600), 0);
    assert_int_equal(wki_file_read(at->context, in(at, "fifo"), 10, &bytes, &length), WICK_EIO);
    assert_null(bytes);
    assert_int_equal(length, 99);
}

static void test_reading_more_than_the_limit(void **state)
{
    folder *at = *state;
    uint8_t *bytes = NULL;
    size_t length;
    assert_int_equal(wki_file_write(at->context, in(at, "eleven"), "12345678901", 11), WICK_OK);
    assert_int_equal(wki_file_read(at->context, in(at, "eleven"), 10, &bytes, &length), WICK_ELIMIT);
    assert_null(bytes);
    assert_int_equal(wki_file_read(at->context, in(at, "eleven"), 11, &bytes, &length), WICK_OK);
    free(bytes);
}

static void test_abort_leaves_what_was_there(void **state)
{
    folder *at = *state;
    wki_writer writer;
    assert_int_equal(wki_file_write(at->context, in(at, "one"), "old", 3), WICK_OK);
    assert_int_equal(wki_writer_open(&writer, at->context, in(at, "one")), WICK_OK);
    assert_int_equal(wki_writer_write(&writer, "new", 3), WICK_OK);
    assert_int_equal(entries(at), 2);
    wki_writer_abort(&writer);
    wki_writer_abort(&writer);
    assert_content(at, "one", "old");
    assert_int_equal(entries(at), 1);
}

/* A file system that takes no more, as a full disk: the limit on a file's size. */
static void test_full_disk_leaves_what_was_there(void **state)
{
    folder *at = *state;
    struct rlimit before, small = {1000, 1000};
    enum { LENGTH = 200000 };
    char *bytes = calloc(1, LENGTH);
    assert_int_equal(wki_file_write(at->context, in(at, "one"), "old", 3), WICK_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    wick_status in_write = wki_file_write(at->context, in(at, "one"), bytes, LENGTH);
    wick_status in_commit = wki_file_write(at->context, in(at, "one"), bytes, 1001);
    wick_status fits = wki_file_write(at->context, in(at, "two"), bytes, 1000);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(in_write, WICK_EIO);
    assert_int_equal(in_commit, WICK_EIO);
    assert_int_equal(fits, WICK_OK);
    assert_non_null(strstr(message(at->context), in(at, "one")));
    assert_content(at, "one", "old");
    assert_int_equal(entries(at), 2);
    free(bytes);
}

static void test_writing_where_nothing_can_be(void **state)
{
    folder *at = *state;
    wki_writer writer;
    assert_int_equal(wki_file_write(at->context, in(at, "none/one"), "x", 1), WICK_ENOENT);
    assert_int_equal(wki_file_write(at->context, in(at, "one"), "x", 1), WICK_OK);
    assert_int_equal(wki_file_write(at->context, in(at, "one/two"), "x", 1), WICK_EIO);
    /* A folder or a device must not be renamed over, and is refused before the work is done. */
    assert_int_equal(mkdir(in(at, "folder"), 0777), 0);
    assert_int_equal(wki_writer_open(&writer, at->context, in(at, "folder")), WICK_EEXIST);
    assert_int_equal(mkfifo(in(at, "fifo"), 0600), 0);
    assert_int_equal(wki_writer_open(&writer, at->context, in(at, "fifo")), WICK_EEXIST);
    assert_non_null(strstr(message(at->context), in(at, "fifo")));
    wki_writer_abort(&writer);
    assert_int_equal(entries(at), 3);
}

static void test_a_new_file_has_the_rights_of_the_umask(void **state)
{
    folder *at = *state;
    struct stat info;
    mode_t before = umask(027);
    wick_status status = wki_file_write(at->context, in(at, "one"), "x", 1);
    mode_t after = umask(before);
    assert_int_equal(status, WICK_OK);
    assert_int_equal(after, 027);
    assert_int_equal(stat(in(at, "one"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
}

static bool is_link(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
}

/* A link stays, and what it leads to is written: there already or not, by a path that is relative to the
 * link's folder or not, through another link. */
static void test_links_are_followed(void **state)
{
    folder *at = *state;
    assert_int_equal(mkdir(in(at, "far"), 0777), 0);
    assert_int_equal(wki_file_write(at->context, in(at, "far/file"), "old", 3), WICK_OK);
    assert_int_equal(symlink("far/file", in(at, "relative")), 0);
    assert_int_equal(symlink(in(at, "relative"), in(at, "twice")), 0);
    assert_int_equal(symlink("../new", in(at, "far/dangling")), 0);
    assert_int_equal(wki_file_write(at->context, in(at, "relative"), "one", 3), WICK_OK);
    assert_content(at, "far/file", "one");
    assert_int_equal(wki_file_write(at->context, in(at, "twice"), "two", 3), WICK_OK);
    assert_content(at, "far/file", "two");
    assert_int_equal(wki_file_write(at->context, in(at, "far/dangling"), "three", 5), WICK_OK);
    assert_content(at, "new", "three");
    assert_true(is_link(in(at, "relative")) && is_link(in(at, "twice")));
    assert_true(is_link(in(at, "far/dangling")));
    assert_int_equal(entries(at), 4);
}

static void test_links_that_lead_nowhere(void **state)
{
    folder *at = *state;
    assert_int_equal(symlink("around", in(at, "around")), 0);
    assert_int_equal(symlink("none/file", in(at, "nowhere")), 0);
    assert_int_equal(symlink(at->path, in(at, "folder")), 0);
    assert_int_equal(wki_file_write(at->context, in(at, "around"), "x", 1), WICK_EIO);
    assert_non_null(strstr(message(at->context), "around: cannot write: Too many levels"));
    assert_int_equal(wki_file_write(at->context, in(at, "nowhere"), "x", 1), WICK_ENOENT);
    assert_non_null(strstr(message(at->context), "nowhere: cannot write"));
    assert_int_equal(wki_file_write(at->context, in(at, "folder"), "x", 1), WICK_EEXIST);
    assert_int_equal(entries(at), 3);
}

static void test_reading_in_pieces(void **state)
{
    folder *at = *state;
    char piece[5] = "";
    wki_reader reader;
    const char *path = in(at, "one");
    assert_int_equal(wki_file_write(at->context, path, "hello", 5), WICK_OK);
    assert_int_equal(wki_reader_open(&reader, at->context, path), WICK_OK);
    assert_int_equal(reader.length, 5);
    assert_int_equal(wki_reader_read(&reader, piece, 3), WICK_OK);
    assert_memory_equal(piece, "hel", 3);
    assert_true(wki_file_read_at(reader.fd, 1, piece, 4)); /* that moves nothing */
    assert_string_equal(piece, "ello");
    assert_false(wki_file_read_at(reader.fd, 1, piece, 5));
    assert_int_equal(truncate(path, 4), 0);
    assert_int_equal(wki_reader_read(&reader, piece, 2), WICK_EIO);
    assert_non_null(strstr(message(at->context), "one: shrank to 4 of its 5 bytes while it was read"));
    wki_reader_close(&reader);
    wki_reader_close(&reader);
    assert_int_equal(wki_reader_open(&reader, at->context, in(at, "none")), WICK_ENOENT);
    wki_reader_close(&reader);
}

static void test_two_writers_of_one_path(void **state)
{
    folder *at = *state;
    wki_writer first, second;
    assert_int_equal(wki_writer_open(&first, at->context, in(at, "one")), WICK_OK);
    assert_int_equal(wki_writer_open(&second, at->context, in(at, "one")), WICK_OK);
    assert_int_equal(wki_writer_write(&first, "first", 5), WICK_OK);
    assert_int_equal(wki_writer_write(&second, "second", 6), WICK_OK);
    assert_int_equal(wki_writer_commit(&second), WICK_OK);
    assert_content(at, "one", "second");
    assert_int_equal(wki_writer_commit(&first), WICK_OK);
    assert_content(at, "one", "first");
    assert_int_equal(entries(at), 1);
}

static void test_make_folders(void **state)
{
    folder *at = *state;
    assert_int_equal(wki_make_folders(at->context, in(at, "a/b//c/")), WICK_OK);
    assert_int_equal(wki_make_folders(at->context, in(at, "a/b/c")), WICK_OK);
    assert_int_equal(wki_make_folders(at->context, "/"), WICK_OK);
    assert_int_equal(wki_file_write(at->context, in(at, "a/b/c/file"), "x", 1), WICK_OK);
    assert_int_equal(wki_make_folders(at->context, in(at, "a/b/c/file")), WICK_EEXIST);
    assert_int_equal(wki_make_folders(at->context, in(at, "a/b/c/file/d")), WICK_EEXIST);
    assert_int_equal(wki_make_folders(at->context, ""), WICK_EINVAL);
    assert_int_equal(wki_make_folders(at->context, "/proc/wick"), WICK_ENOENT);
}

static void test_join_path(void **state)
{
    wick_context *context = *state;
    static const char *const cases[][3] = {
        {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"/", "b", "/b"}, {"", "b", "b"}, {"a/b", "", "a/b/"}};
    for (size_t i = 0; i < WKI_COUNT(cases); i++) {
        char *path;
        assert_int_equal(wki_join_path(context, cases[i][0], cases[i][1], &path), WICK_OK);
        assert_string_equal(path, cases[i][2]);
        free(path);
    }
}

/* FIPS 180-4's examples. */
static void test_sha256(void **state)
{
    folder *at = *state;
    enum { MILLION = 1000000 };
    static const struct {
        const char *text, *sum;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    char sum[65];
    for (size_t i = 0; i < WKI_COUNT(cases); i++) {
        wki_sha256(cases[i].text, strlen(cases[i].text), sum);
        assert_string_equal(sum, cases[i].sum);
    }
    char *million = malloc(MILLION);
    memset(million, 'a', MILLION);
    assert_int_equal(wki_file_write(at->context, in(at, "million"), million, MILLION), WICK_OK);
    free(million);
    assert_int_equal(wki_file_sha256(at->context, in(at, "million"), sum), WICK_OK);
    assert_string_equal(sum, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    assert_int_equal(wki_file_sha256(at->context, in(at, "none"), sum), WICK_ENOENT);
}

static void test_what_the_system_says_of_memory(void **state)
{
    (void)state;
    static const char text[] =
        "MemTotal:       24000000 kB\nMemAvailable:   12345 kB\nSwapFree: 0 kB\nOdd: many kB\n"
        "Huge: 99999999999999999999 kB\nCut:";
    assert_int_equal(wki_memory_said(text, "MemAvailable"), 12345 * 1024);
    assert_int_equal(wki_memory_said(text, "SwapFree"), 0);
    assert_int_equal(wki_memory_said(text, "MemFree"), UINT64_MAX);
    assert_int_equal(wki_memory_said(text, "Odd"), UINT64_MAX);
    assert_int_equal(wki_memory_said(text, "Huge"), UINT64_MAX);
    assert_int_equal(wki_memory_said(text, "Cut"), UINT64_MAX);
    assert_int_equal(wki_memory_said("", "MemAvailable"), UINT64_MAX);
}

int main(void)
{
#define WITH_CONTEXT(test) cmocka_unit_test_setup_teardown(test, make_context, free_context)
#define WITH_FOLDER(test)  cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_names),
        WITH_CONTEXT(test_messages),
        WITH_CONTEXT(test_messages_are_harmless),
        WITH_CONTEXT(test_a_message_that_is_too_long_is_cut),
        WITH_CONTEXT(test_context_threads),
        WITH_CONTEXT(test_context_device),
        WITH_CONTEXT(test_context_interrupt),
        WITH_CONTEXT(test_alloc_is_aligned_and_zeroed),
        WITH_CONTEXT(test_alloc_refuses_what_cannot_be_addressed),
        WITH_CONTEXT(test_grow_keeps_what_was_there),
        cmocka_unit_test(test_products_and_sums_that_overflow),
        cmocka_unit_test(test_what_the_system_says_of_memory),
        WITH_CONTEXT(test_text_is_put_together),
        WITH_CONTEXT(test_printf_of_every_length),
        WITH_CONTEXT(test_text_after_a_failure_is_refused),
        WITH_CONTEXT(test_json_strings),
        cmocka_unit_test(test_nearest_word),
        cmocka_unit_test(test_repr_is_pythons),
        cmocka_unit_test(test_repr_gives_the_number_back),
        WITH_FOLDER(test_file_is_written_and_read),
        WITH_FOLDER(test_file_in_parts),
        WITH_FOLDER(test_reading_what_is_no_file),
        WITH_FOLDER(test_reading_more_than_the_limit),
        WITH_FOLDER(test_abort_leaves_what_was_there),
        WITH_FOLDER(test_full_disk_leaves_what_was_there),
        WITH_FOLDER(test_writing_where_nothing_can_be),
        WITH_FOLDER(test_a_new_file_has_the_rights_of_the_umask),
        WITH_FOLDER(test_links_are_followed),
        WITH_FOLDER(test_links_that_lead_nowhere),
        WITH_FOLDER(test_reading_in_pieces),
        WITH_FOLDER(test_two_writers_of_one_path),
        WITH_FOLDER(test_make_folders),
        WITH_CONTEXT(test_join_path),
        WITH_FOLDER(test_sha256),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
