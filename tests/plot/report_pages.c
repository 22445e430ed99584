/* report.html: what is on the page, that it is sound HTML, and that no name on it can do anything. */
#include "tensor/tensor_internal.h"

#include <dlfcn.h>
#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wick/report.h>

#include <cmocka.h>

#include "html_checks.h"

void *__real_dlopen(const char *name, int flags);
void *__wrap_dlopen(const char *name, int flags);

static bool no_library;

void *__wrap_dlopen(const char *name, int flags)
{
    return __real_dlopen(no_library ? "libthere-is-none.so.0" : name, flags);
}

enum { CLASSES = 4, IMAGES = 12, SIDE = 6, PATH = 256 };

/* What a class may be called by who makes the data. */
static const char *const hostile[CLASSES] = {
    "<script>alert(1)</script>",
    "\" onerror=\"alert(1)\" x='",
    "a & b &lt; </td></table>",
    "naïve 靴 \xe2\x80\xae",
};

typedef struct fixture {
    wick_context *context;
    char folder[64], page[PATH];
    wick_dataset *data;
    wick_tensor *logits;
    wick_run *run;
} fixture;

static void must(wick_context *context, wick_status status)
{
    if (status != WICK_OK)
        fail_msg("%s: %s", wick_status_name(status), wick_context_message(context));
}

static wick_run_args args_of(const char *const *classes, const char *data)
{
    return (wick_run_args){
        .model = "v2",
        .hidden_units = 7,
        .data = data,
        .image_shape = {1, SIDE, SIDE},
        .class_count = CLASSES,
        .classes = classes,
        .epochs = 2,
        .batch_size = 8,
        .lr = 0.05,
        .seed = 42,
        .limit = 40,
        .device = "cpu",
    };
}

static wick_run *make_run(fixture *f, const char *name, const wick_run_args *args, const char *model,
                          double accuracy)
{
    static const wick_epoch epochs[2] = {{0, 1.25, 61.3, 0.956, 65.5, 0.125},
                                         {1, 0.5, 80, (double)NAN, 81.25, 0.25}};
    const wick_results results = {.model_name = model,
                                  .model_loss = 0.4321,
                                  .model_acc = 66.5,
                                  .accuracy = accuracy,
                                  .train_time = 1234.5,
                                  .device = "cpu",
                                  .threads = 2,
                                  .seed = 42,
                                  .parameters = 8123};
    char path[PATH];
    wick_run *run;
    snprintf(path, sizeof(path), "%s/%s", f->folder, name);
    must(f->context, wick_run_create(f->context, path, false, args, &run));
    must(f->context, wick_run_add_epoch(run, &epochs[0]));
    must(f->context, wick_run_add_epoch(run, &epochs[1]));
    must(f->context, wick_run_finish(run, &results));
    return run;
}

/* Image i is of class i % 4. The first eight are taken for it, 8 for class 1 most surely, 9 and 10 less,
 * 11 right. */
static void make_data(fixture *f, const char *const *classes)
{
    const int64_t shape[2] = {IMAGES, CLASSES};
    uint8_t pixels[IMAGES * SIDE * SIDE];
    int64_t labels[IMAGES];
    for (size_t i = 0; i < sizeof(pixels); i++)
        pixels[i] = (uint8_t)(i * 37);
    for (int i = 0; i < IMAGES; i++)
        labels[i] = i % CLASSES;
    must(f->context, wick_dataset_from(f->context, IMAGES, 1, SIDE, SIDE, pixels, labels, CLASSES,
                                       classes, &f->data));
    must(f->context, wick_tensor_new(f->context, WICK_FLOAT32, 2, shape, &f->logits));
    float *rows = f->logits->data;
    for (int i = 0; i < IMAGES; i++)
        rows[i * CLASSES + i % CLASSES] = 2;
    rows[8 * CLASSES + 1] = 9;
    rows[9 * CLASSES + 3] = 4;
    rows[10 * CLASSES + 0] = 6;
}

static int set_up_with(fixture *f, const char *const *classes, const char *data)
{
    const wick_run_args args = args_of(classes, data);
    snprintf(f->folder, sizeof(f->folder), "wick-report-XXXXXX");
    if (wick_context_new(&f->context) != WICK_OK || mkdtemp(f->folder) == NULL)
        return -1;
    make_data(f, classes);
    f->run = make_run(f, "one", &args, "FashionMNISTModelV2", 75);
    snprintf(f->page, sizeof(f->page), "%s/one/report.html", f->folder);
    return 0;
}

static int set_up(void **state)
{
    static fixture f;
    f = (fixture){0};
    *state = &f;
    return set_up_with(&f, hostile, "data/of <b>mine</b> & 'yours'");
}

static int tear_down(void **state)
{
    fixture *f = *state;
    char command[PATH];
    wick_run_free(f->run);
    wick_tensor_free(f->logits);
    wick_dataset_free(f->data);
    wick_context_free(f->context);
    no_library = false;
    snprintf(command, sizeof(command), "rm -rf %s", f->folder);
    return system(command);
}

static char *read_page(fixture *f, const char *path)
{
    uint8_t *bytes;
    size_t length;
    must(f->context, wki_file_read(f->context, path, 1 << 26, &bytes, &length));
    assert_int_equal(strlen((char *)bytes), length);
    return (char *)bytes;
}

/* Writes the page and reads it. */
static char *write_page(fixture *f, const wick_report *report)
{
    must(f->context, wick_report_write(f->context, report, f->page));
    char *html = read_page(f, f->page);
    check_html(html);
    return html;
}

static wick_report report_of(const fixture *f)
{
    return (wick_report){.run = f->run, .data = f->data, .logits = f->logits};
}

static void expect_in(const char *text, const char *words)
{
    if (strstr(text, words) == NULL)
        fail_msg("the page does not say '%s'", words);
}

/* ---- one run ---- */

static void names_are_text(void **state)
{
    fixture *f = *state;
    const wick_report report = report_of(f);
    char *html = write_page(f, &report), *text = html_text(html);
    assert_int_equal(count_of(html, "<script"), 0);
    assert_int_equal(count_of(html, "<b>"), 0);
    expect_in(html, "Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
                    "'unsafe-inline'\"");
    for (int i = 0; i < 3; i++)
        expect_in(text, hostile[i]);
    /* What turns the direction of what follows is shown as what it is not. */
    expect_in(text, "naïve 靴 \xef\xbf\xbd");
    expect_in(text, "wick train --model v2 --data 'data/of <b>mine</b> & '\\''yours'\\''' "
                    "--hidden-units 7 --epochs 2 "
                    "--batch-size 8 --lr 0.05 --seed 42 --limit 40\n");
    free(text);
    free(html);
}

/* The numbers of the matrix, of the classes and of the pairs are those of the predictions. */
static void numbers_are_those_of_the_predictions(void **state)
{
    fixture *f = *state;
    const wick_report report = report_of(f);
    static const int cells[CLASSES][CLASSES] = {{2, 1, 0, 0}, {0, 2, 0, 1}, {1, 0, 2, 0}, {0, 0, 0, 3}};
    char *html = write_page(f, &report), *text = html_text(html);
    const char *at = strstr(html, "class=\"matrix");
    assert_non_null(at);
    for (int r = 0; r < CLASSES; r++)
        for (int c = 0; c < CLASSES; c++) {
            char wanted[128];
            at = strstr(at, "<td style=\"--p: ");
            assert_non_null(at);
            snprintf(wanted, sizeof(wanted),
                     "<td style=\"--p: %.3f\" class=\"%s%s\">%d<small>%.1f %%</small></td>",
                     cells[r][c] / 3.0, r == c ? "right" : "", cells[r][c] >= 2 ? " much" : "",
                     cells[r][c], cells[r][c] * 100 / 3.0);
            if (strncmp(at, wanted, strlen(wanted)) != 0)
                fail_msg("cell %d, %d is %.80s, not %s", r, c, at, wanted);
            at++;
        }
    assert_null(strstr(at, "<td style=\"--p: "));
    expect_in(text, "75.00 %");
    expect_in(text, "1,234.50 s");
    expect_in(text, "8,123");
    expect_in(text, "1.2500");
    expect_in(html, "<td>0.5000</td><td>80.00</td><td>–</td><td>81.25</td><td>0.25</td>");
    free(text);
    free(html);
}

/* Wrong predictions come surest first, with the probability of what they are. */
static void errors_are_in_their_order(void **state)
{
    fixture *f = *state;
    wick_report report = report_of(f);
    char *html = write_page(f, &report);
    const char *from = strstr(html, "<h2>Wrong predictions, surest first</h2>");
    const char *to = strstr(html, "<h2>Some predictions</h2>");
    assert_non_null(from);
    assert_non_null(to);
    const char *first = strstr(from, "image 8<"), *second = strstr(from, "image 10<"),
               *third = strstr(from, "image 9<");
    assert_true(from < first && first < second && second < third && third < to);
    char *text = html_text(html);
    expect_in(text, "3 of the test images are taken for what they are not; these 3 most surely");
    expect_in(text, "99.88 %");
    free(text);
    free(html);
    report.errors = 1;
    report.predictions = 2;
    html = write_page(f, &report);
    assert_int_equal(count_of(html, "<li class=\"miss\">") + count_of(html, "<li><img"), 3);
    free(html);
}

/* The curves for light and dark, wide and narrow, each with what it shows in words. */
static void curves_fit_the_reader(void **state)
{
    fixture *f = *state;
    static const float losses[] = {2, 1.5f, 1.25f, 1, 0.9f, 0.8f};
    wick_report report = report_of(f);
    report.step_count = WKI_COUNT(losses);
    report.step_losses = losses;
    char *html = write_page(f, &report);
    static const char *const forms[] = {"light wide", "dark wide", "light narrow", "dark narrow"};
    for (size_t i = 0; i < WKI_COUNT(forms); i++) {
        char tag[128];
        snprintf(tag, sizeof(tag), "<img class=\"%s\" width=\"%s\" height=\"", forms[i],
                 i < 2 ? "960" : "400");
        assert_int_equal(count_of(html, tag), 1);
    }
    assert_int_equal(count_of(html, "alt=\"Loss and accuracy by epoch: FashionMNISTModelV2, 2 epochs"),
                     4);
    size_t with = strlen(html);
    free(html);
    report.step_count = 0;
    html = write_page(f, &report);
    assert_true(strlen(html) < with);
    free(html);
}

static void without_libraries_the_rest_is_there(void **state)
{
    fixture *f = *state;
    const wick_report report = report_of(f);
    no_library = true;
    char *html = write_page(f, &report);
    assert_int_equal(count_of(html, "class=\"plot\""), 0);
    expect_in(html, "There is no figure here");
    expect_in(html, "class=\"matrix");
    expect_in(html, "data:image/png;base64,");
    free(html);
}

static void results_alone_are_a_page(void **state)
{
    fixture *f = *state;
    const wick_report report = {.run = f->run};
    char *html = write_page(f, &report);
    assert_int_equal(count_of(html, "class=\"matrix"), 0);
    assert_int_equal(count_of(html, "data:image/png"), 0);
    expect_in(html, "<h2>Training</h2>");
    free(html);
}

/* No wrong prediction, no pair. */
static void a_perfect_model(void **state)
{
    fixture *f = *state;
    const wick_report report = report_of(f);
    float *rows = f->logits->data;
    rows[8 * CLASSES + 1] = rows[9 * CLASSES + 3] = rows[10 * CLASSES + 0] = 0;
    char *html = write_page(f, &report);
    expect_in(html, "There are none: every test image was taken for what it is.");
    expect_in(html, "No class was taken for another.");
    free(html);
}

static void the_same_run_gives_the_same_page(void **state)
{
    fixture *f = *state;
    const wick_report report = report_of(f);
    char *one = write_page(f, &report), *two = write_page(f, &report);
    assert_string_equal(one, two);
    free(one);
    free(two);
}

static void what_is_refused(void **state)
{
    fixture *f = *state;
    const wick_run_args args = args_of(hostile, "data");
    wick_report report = report_of(f);
    char path[PATH];
    wick_run *unfinished;
    const int64_t shape[2] = {IMAGES, CLASSES - 1};
    wick_tensor *few;
    char *before = write_page(f, &report);
    assert_int_equal(wick_report_write(NULL, &report, f->page), WICK_EINVAL);
    assert_int_equal(wick_report_write(f->context, NULL, f->page), WICK_EINVAL);
    assert_int_equal(wick_report_write(f->context, &report, NULL), WICK_EINVAL);
    report.data = NULL;
    assert_int_equal(wick_report_write(f->context, &report, f->page), WICK_EINVAL);
    assert_string_equal(wick_context_message(f->context),
                        "a report with logits needs the data that they are of");
    must(f->context, wick_tensor_new(f->context, WICK_FLOAT32, 2, shape, &few));
    report = (wick_report){.run = f->run, .data = f->data, .logits = few};
    assert_int_equal(wick_report_write(f->context, &report, f->page), WICK_ESHAPE);
    assert_string_equal(
        wick_context_message(f->context),
        "the logits are torch.float32 [12, 3]; 12 images of 4 classes need torch.float32 [12, 4]");
    report = (wick_report){.run = f->run, .step_count = 1};
    assert_int_equal(wick_report_write(f->context, &report, f->page), WICK_EINVAL);
    snprintf(path, sizeof(path), "%s/unfinished", f->folder);
    must(f->context, wick_run_create(f->context, path, false, &args, &unfinished));
    report = (wick_report){.run = unfinished};
    assert_int_equal(wick_report_write(f->context, &report, f->page), WICK_EINVAL);
    report = report_of(f);
    snprintf(path, sizeof(path), "%s/none/report.html", f->folder);
    assert_int_equal(wick_report_write(f->context, &report, path), WICK_ENOENT);
    assert_int_equal(wick_report_compare(f->context, 0, &report, f->page), WICK_EINVAL);
    /* What was there is there. */
    char *after = read_page(f, f->page);
    assert_string_equal(before, after);
    free(before);
    free(after);
    wick_tensor_free(few);
    wick_run_free(unfinished);
}

/* ---- several runs ---- */

static void runs_side_by_side(void **state)
{
    fixture *f = *state;
    wick_run_args args = args_of(hostile, "data/of <b>mine</b> & 'yours'");
    char page[PATH];
    args.lr = 0.1;
    wick_run *two = make_run(f, "two: \"quoted\"", &args, "FashionMNISTModelV2", 91.25);
    wick_run *three = make_run(f, "three", &args, "FashionMNISTModelV0", 12.5);
    const wick_report reports[3] = {{.run = f->run}, {.run = two}, {.run = three}};
    snprintf(page, sizeof(page), "%s/two: \"quoted\"/report.html", f->folder);
    must(f->context, wick_report_write(f->context, &reports[1], page));
    snprintf(page, sizeof(page), "%s/report.html", f->folder);
    must(f->context, wick_report_compare(f->context, 3, reports, page));
    char *html = read_page(f, page), *text = html_text(html);
    check_html(html);
    expect_in(text, "3 runs compared");
    /* The best is marked; the only one with a page of its own is linked, in the results and in the
     * settings. */
    expect_in(html, "class=\"bar differs\" data-label=\"Accuracy (%)\">91.25<");
    assert_int_equal(count_of(html, "bar differs"), 1);
    assert_int_equal(
        count_of(html, "<a href=\"./two%3A%20%22quoted%22/report.html\">FashionMNISTModelV2</a>"), 2);
    assert_int_equal(count_of(html, "<a href"), 2);
    expect_in(text, "two: \"quoted\"");
    /* What differs stands for each run, what does not once. */
    assert_int_equal(count_of(html, "data-label=\"Learning rate\""), 3);
    assert_int_equal(count_of(html, "data-label=\"Seed\""), 0);
    expect_in(html, "<th scope=\"row\">Seed</th><td>42</td>");
    assert_int_equal(count_of(text, "wick train --model v2"), 3);
    free(text);
    free(html);
    wick_run_free(two);
    wick_run_free(three);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_are_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(numbers_are_those_of_the_predictions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(errors_are_in_their_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(curves_fit_the_reader, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_libraries_the_rest_is_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(results_alone_are_a_page, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_perfect_model, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_run_gives_the_same_page, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(runs_side_by_side, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
