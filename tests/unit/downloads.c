/* src/data/download.c and http.c, against a server on this machine that does all that servers do. */
#include "data/download.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "loopback_server.h"

enum { MIRRORS = 5 };

static const char *const file_names[SERVED_FILES] = {
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
};

typedef struct fixture {
    wick_context *context;
    char *folder;
    web_server server;
    wki_known_set set;
    char names[SERVED_FILES][64], sums[SERVED_FILES][65];
    char mirrors[MIRRORS][128];
    const char *list[MIRRORS + 1];
    int progress_calls;
    int64_t progress_done, progress_total;
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    static const char *const proxies[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                          "ALL_PROXY"};
    for (size_t i = 0; i < WKI_COUNT(proxies); i++)
        unsetenv(proxies[i]);
    if (f == NULL || wick_context_new(&f->context) != WICK_OK)
        return -1;
    f->folder = make_folder();
    f->set = (wki_known_set){.name = "small"};
    for (int i = 0; i < SERVED_FILES; i++) {
        served *file = &f->server.files[i];
        file->name = file_names[i];
        file->content =
            gzipped(i % 2 == 0 ? make_images(300 + (uint32_t)i, 28, 28) : make_labels(300, 10));
        wki_sha256(file->content.at, file->content.length, f->sums[i]);
        snprintf(f->names[i], sizeof(f->names[i]), "%.*s", (int)strlen(file_names[i]) - 3,
                 file_names[i]);
        f->set.files[i] = (wki_known_file){f->names[i], {{file->content.length, f->sums[i]}}};
    }
    start_server(&f->server);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    stop_server(&f->server);
    remove_folder(f->folder);
    wick_context_free(f->context);
    free(f);
    return 0;
}

static void count_progress(void *user, const char *file, int64_t done, int64_t total)
{
    fixture *f = user;
    if (strcmp(file, file_names[0]) == 0) {
        f->progress_calls++;
        assert_true(done > f->progress_done);
        f->progress_done = done;
        f->progress_total = total;
    }
}

static void interrupt(void *user, const char *file, int64_t done, int64_t total)
{
    fixture *f = user;
    (void)file;
    (void)done;
    (void)total;
    wick_context_interrupt(f->context);
}

/* Downloads from mirrors that answer in these ways, NULL-terminated, to f->folder. */
static wick_status get(fixture *f, const char *const *ways,
                       void (*progress)(void *, const char *, int64_t, int64_t))
{
    int count = 0;
    for (; ways[count] != NULL; count++) {
        assert_true(count < MIRRORS);
        snprintf(f->mirrors[count], sizeof(f->mirrors[count]), "http://127.0.0.1:%d/%s", f->server.port,
                 ways[count]);
        f->list[count] = f->mirrors[count];
    }
    f->list[count] = NULL;
    wick_download_options options = {
        .mirrors = f->list, .timeout_ms = 500, .progress = progress, .user = f};
    wick_status status = wki_download_set(f->context, &f->set, f->folder, &options);
    if (status == WICK_ENOTSUP) {
        print_message("skipped: %s\n", wick_context_message(f->context));
        skip();
    }
    return status;
}

#define GET(f, ...) get(f, (const char *const[]){__VA_ARGS__, NULL}, NULL)

/* How many files there are in folder/small; -1 if there is no such folder. */
static int count_files(const fixture *f)
{
    char path[PATH_ROOM];
    path_to(path, f->folder, "small");
    DIR *folder = opendir(path);
    if (folder == NULL)
        return -1;
    int count = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static void check_file(const fixture *f, const char *name, bytes content)
{
    char path[PATH_ROOM], folder[PATH_ROOM];
    uint8_t *got;
    size_t length;
    path_to(folder, f->folder, "small");
    path_to(path, folder, name);
    if (wki_file_read(f->context, path, UINT64_MAX, &got, &length) != WICK_OK)
        fail_msg("%s", wick_context_message(f->context));
    assert_int_equal(length, content.length);
    assert_memory_equal(got, content.at, length);
    free(got);
}

static void check_all(const fixture *f)
{
    for (int i = 0; i < SERVED_FILES; i++)
        check_file(f, file_names[i], f->server.files[i].content);
    assert_int_equal(count_files(f), SERVED_FILES);
}

static void check_message(const fixture *f, const char *part)
{
    const char *message = wick_context_message(f->context);
    if (strstr(message, part) == NULL || strchr(message, '\n') != NULL)
        fail_msg("\"%s\" lacks \"%s\"", message, part);
}

/* ---- what goes well ---- */

static void test_right(void **state)
{
    fixture *f = *state;
    assert_int_equal(get(f, (const char *const[]){"right/", NULL}, count_progress), WICK_OK);
    check_all(f);
    assert_int_equal(atomic_load(&f->server.requests), 4);
    assert_true(f->progress_calls > 0);
    assert_int_equal(f->progress_done, f->server.files[0].content.length);
    assert_int_equal(f->progress_total, f->server.files[0].content.length);
    /* What is right is not asked for again; what is not is replaced. */
    assert_int_equal(GET(f, "right"), WICK_OK);
    assert_int_equal(atomic_load(&f->server.requests), 4);
    char path[PATH_ROOM];
    path_to(path, f->folder, "small");
    put_file(path, file_names[2], from_text("wrong"));
    assert_int_equal(GET(f, "right"), WICK_OK);
    assert_int_equal(atomic_load(&f->server.requests), 5);
    check_all(f);
}

static void test_ways_that_are_fine(void **state)
{
    fixture *f = *state;
    assert_int_equal(GET(f, "no-length"), WICK_OK);
    check_all(f);
    remove_folder(strdup(f->folder));
    assert_int_equal(GET(f, "redirect"), WICK_OK);
    check_all(f);
}

static void test_the_next_mirror_is_asked(void **state)
{
    fixture *f = *state;
    assert_int_equal(GET(f, "403", "short", "lies", "loop", "right"), WICK_OK);
    check_all(f);
    assert_int_equal(atomic_load(&f->server.requests), 4 * (1 + 1 + 1 + 6 + 1));
}

/* ---- what does not ---- */

typedef struct wrong_way {
    const char *way;
    wick_status status;
    const char *said;
} wrong_way;

static const wrong_way wrong_ways[] = {
    {"403", WICK_ENET, "/403 answered 403"},
    {"503", WICK_ENET, "/503 answered 503"},
    {"short", WICK_ENET, "bytes remaining to read"},
    {"stall", WICK_ENET, "/stall sent nothing for 0.5 s"},
    {"silent", WICK_ENET, "/silent sent nothing for 0.5 s"},
    {"loop", WICK_ENET, "Maximum (5) redirects followed"},
    {"to-file", WICK_ENET, "\"file\" not supported"},
    {"long", WICK_ENET, "sent more than the"},
    {"says-long", WICK_ENET, "sent more than the"},
    {"lies", WICK_EFORMAT, "sent another file: its SHA-256 is "},
    {"empty", WICK_EFORMAT,
     "its SHA-256 is e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855, not "},
};

/* Nothing was there: nothing is. */
static void test_wrong_ways_into_an_empty_folder(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < WKI_COUNT(wrong_ways); i++) {
        assert_int_equal(GET(f, wrong_ways[i].way), wrong_ways[i].status);
        check_message(f, "train-images-idx3-ubyte.gz: not downloaded: http://127.0.0.1:");
        check_message(f, wrong_ways[i].said);
        assert_int_equal(count_files(f), -1);
    }
}

/* What was there stays, right or wrong, and nothing is added. */
static void test_wrong_ways_beside_files(void **state)
{
    fixture *f = *state;
    char path[PATH_ROOM];
    bytes old = from_text("an old file, and not the right one");
    sub_folder(path, f->folder, "small");
    put_file(path, file_names[1], from_text((const char *)old.at));
    bytes right = {.at = must(malloc(f->server.files[0].content.length)),
                   .length = f->server.files[0].content.length};
    memcpy(right.at, f->server.files[0].content.at, right.length);
    put_file(path, file_names[0], right);
    for (size_t i = 0; i < WKI_COUNT(wrong_ways); i++) {
        if (strcmp(wrong_ways[i].way, "silent") == 0)
            continue; /* as "stall", and takes its time */
        assert_int_equal(GET(f, wrong_ways[i].way), wrong_ways[i].status);
        check_message(f, "train-labels-idx1-ubyte.gz: not downloaded: ");
        assert_int_equal(count_files(f), 2);
        check_file(f, file_names[0], f->server.files[0].content);
        check_file(f, file_names[1], old);
    }
    free(old.at);
}

static void test_all_mirrors_are_named(void **state)
{
    fixture *f = *state;
    assert_int_equal(GET(f, "403", "503", "loop"), WICK_ENET);
    check_message(f, "/403 answered 403; http://127.0.0.1:");
    check_message(f, "/503 answered 503; http://127.0.0.1:");
    check_message(f, "/loop Maximum (5) redirects followed");
    assert_int_equal(GET(f, "lies", "503"), WICK_EFORMAT);
    check_message(f, "/lies sent another file: its SHA-256 is ");
    check_message(f, "/503 answered 503");
    assert_int_equal(get(f, (const char *const[]){NULL}, NULL), WICK_ENET);
    check_message(f, "there is no mirror to ask");
}

static void test_nobody_listens(void **state)
{
    fixture *f = *state;
    char url[64];
    int unused = socket(AF_INET, SOCK_STREAM,
                        0); /* bound, so that nobody else gets the port, but not listening */
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    assert_int_equal(bind(unused, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(unused, (struct sockaddr *)&address, &length), 0);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", ntohs(address.sin_port));
    const wick_download_options options = {.mirrors = (const char *const[]){url, "file:///etc/", NULL}};
    wick_status status = wki_download_set(f->context, &f->set, f->folder, &options);
    close(unused);
    if (status == WICK_ENOTSUP)
        skip();
    assert_int_equal(status, WICK_ENET);
    check_message(f, "Failed to connect");
    check_message(f, "file:///etc/ Protocol \"file\" not supported");
}

static void test_interrupted(void **state)
{
    fixture *f = *state;
    assert_int_equal(get(f, (const char *const[]){"right", "right", NULL}, interrupt), WICK_EINTR);
    assert_string_equal(wick_context_message(f->context), "train-images-idx3-ubyte.gz: interrupted");
    assert_int_equal(atomic_load(&f->server.requests), 1);
    assert_int_equal(count_files(f), -1);
    assert_int_equal(GET(f, "right"), WICK_EINTR);
    assert_int_equal(atomic_load(&f->server.requests), 1);
    wick_context_clear_interrupt(f->context);
    assert_int_equal(GET(f, "right"), WICK_OK);
    check_all(f);
}

/* A limit on the length of files stands in for a full disk. */
static void test_disk_full(void **state)
{
    fixture *f = *state;
    char path[PATH_ROOM];
    struct rlimit old, small;
    bytes before = from_text("what was there");
    sub_folder(path, f->folder, "small");
    put_file(path, file_names[0], from_text((const char *)before.at));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){.rlim_cur = 100, .rlim_max = old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    wick_status status = GET(f, "right", "right");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(status, WICK_EIO);
    check_message(f, "File too large");
    assert_int_equal(atomic_load(&f->server.requests), 1);
    assert_int_equal(count_files(f), 1);
    check_file(f, file_names[0], before);
    free(before.at);
}

static void test_no_place_for_the_folder(void **state)
{
    fixture *f = *state;
    put_file(f->folder, "small", from_text("a file"));
    assert_int_equal(GET(f, "right"), WICK_EEXIST);
    check_message(f, "is not a folder");
    assert_int_equal(atomic_load(&f->server.requests), 0);
}

/* ---- arguments ---- */

static void test_arguments(void **state)
{
    fixture *f = *state;
    assert_int_equal(wick_dataset_download(f->context, "mnit", f->folder, NULL), WICK_ENOENT);
    check_message(f,
                  "there is no data set 'mnit'; known are fashion-mnist, mnist, kmnist, emnist-letters, "
                  "emnist-balanced, emnist-digits, cifar10, cifar100; did you mean 'mnist'?");
    assert_int_equal(wick_dataset_download(f->context, NULL, f->folder, NULL), WICK_EINVAL);
    const wick_download_options negative = {.timeout_ms = -1};
    assert_int_equal(wick_dataset_download(f->context, "mnist", f->folder, &negative), WICK_EINVAL);
    check_message(f, "timeout_ms is -1");
    unsetenv("HOME");
    unsetenv("XDG_CACHE_HOME");
    assert_int_equal(wick_dataset_download(f->context, "mnist", NULL, NULL), WICK_ENOENT);
    check_message(f, "neither XDG_CACHE_HOME nor HOME is set");
}

static void test_cache(void **state)
{
    fixture *f = *state;
    char url[64], path[PATH_ROOM];
    setenv("XDG_CACHE_HOME", f->folder, 1);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/right/", f->server.port);
    const wick_download_options options = {.mirrors = (const char *const[]){url, NULL}};
    wick_status status = wki_download_set(f->context, &f->set, NULL, &options);
    unsetenv("XDG_CACHE_HOME");
    if (status == WICK_ENOTSUP)
        skip();
    assert_int_equal(status, WICK_OK);
    path_to(path, f->folder, "wick/small/t10k-labels-idx1-ubyte.gz");
    assert_true(wki_file_exists(path));
}

/* Every known set: files of the right names, with sums and sizes, from mirrors that are folders. */
static void test_registry(void **state)
{
    (void)state;
    for (int s = 0; wick_dataset_known(s) != NULL; s++) {
        const wki_known_set *set = wki_known_find(wick_dataset_known(s));
        assert_non_null(set);
        if (set->mirrors[0] == NULL) /* published as an archive */
            continue;
        for (int i = 0; i < SERVED_FILES; i++) {
            char name[64];
            snprintf(name, sizeof(name), "%s.gz", set->files[i].name);
            assert_string_equal(name, file_names[i]);
            for (int k = 0; k < WKI_KNOWN_SUMS; k++) {
                const wki_known_sum *sum = &set->files[i].sums[k];
                assert_true((sum->size > 0) == (sum->sha256 != NULL));
                if (sum->sha256 == NULL)
                    continue;
                assert_int_equal(strlen(sum->sha256), 64);
                assert_int_equal(strspn(sum->sha256, "0123456789abcdef"), 64);
                assert_ptr_equal(wki_known_by_sum(set->files[i].name, sum->sha256), set);
                assert_true(wki_known_size(set->files[i].name, sum->size));
            }
            assert_non_null(set->files[i].sums[0].sha256);
        }
        for (int m = 0; set->mirrors[m] != NULL; m++)
            assert_int_equal(set->mirrors[m][strlen(set->mirrors[m]) - 1], '/');
    }
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(test_right),
        WITH_SERVER(test_ways_that_are_fine),
        WITH_SERVER(test_the_next_mirror_is_asked),
        WITH_SERVER(test_wrong_ways_into_an_empty_folder),
        WITH_SERVER(test_wrong_ways_beside_files),
        WITH_SERVER(test_all_mirrors_are_named),
        WITH_SERVER(test_nobody_listens),
        WITH_SERVER(test_interrupted),
        WITH_SERVER(test_disk_full),
        WITH_SERVER(test_no_place_for_the_folder),
        WITH_SERVER(test_arguments),
        WITH_SERVER(test_cache),
        cmocka_unit_test(test_registry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
