/* Runs on disk: what is written is read again, and what is wrong is refused. */
#include "base/base.h"
#include "train/run_internal.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const classes[] = {"T-shirt/top", "a \"quoted\" one \\"};

static wick_run_args args_of(void)
{
    return (wick_run_args){.model = "v1",
                           .hidden_units = 3,
                           .data = "data/of mine",
                           .image_shape = {1, 4, 5},
                           .class_count = 2,
                           .classes = classes,
                           .epochs = 2,
                           .batch_size = 8,
                           .lr = 0.1,
                           .seed = UINT64_C(18446744073709551615),
                           .limit = 40,
                           .device = "cpu",
                           .threads = 2};
}

static const wick_epoch epochs[] = {
    {0, 1.0919914245605469, 61.34333333333333, 0.9563649296760559, 64.99600638977635, 0.125},
    {1, (double)NAN, 10, 1e-7, 100, 12345678.9},
};

static wick_results results_of(void)
{
    return (wick_results){.model_name = "FashionMNISTModelV1",
                          .model_loss = (double)NAN,
                          .model_acc = 75.01996805111821,
                          .accuracy = 75,
                          .train_time = 0.5,
                          .device = "cpu",
                          .threads = 2,
                          .seed = 42,
                          .parameters = 71};
}

typedef struct test_place {
    wick_context *context;
    char folder[64];
    char path[128]; /* folder/run */
} test_place;

static int set_up(void **state)
{
    test_place *place = calloc(1, sizeof(*place));
    *state = place;
    strcpy(place->folder, "/tmp/wick-run-XXXXXX");
    if (place == NULL || mkdtemp(place->folder) == NULL || wick_context_new(&place->context) != WICK_OK)
        return -1;
    snprintf(place->path, sizeof(place->path), "%s/deep/run", place->folder);
    return 0;
}

static int tear_down(void **state)
{
    test_place *place = *state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", place->folder);
    int status = system(command);
    wick_context_free(place->context);
    free(place);
    return status;
}

static void write_file(const test_place *place, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", place->path, name);
    assert_int_equal(wki_file_write(place->context, path, text, strlen(text)), WICK_OK);
}

static bool has_file(const test_place *place, const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", place->path, name);
    return wki_file_exists(path);
}

static wick_run *create(const test_place *place, bool exist_ok)
{
    wick_run *run;
    const wick_run_args args = args_of();
    if (wick_run_create(place->context, place->path, exist_ok, &args, &run) != WICK_OK)
        fail_msg("%s", wick_context_message(place->context));
    return run;
}

static void same_number(double a, double b)
{
    assert_true((isnan(a) && isnan(b)) || a == b);
}

static void same_epochs(const wick_results *results)
{
    assert_int_equal(results->epoch_count, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(results->epochs[i].epoch, epochs[i].epoch);
        same_number(results->epochs[i].train_loss, epochs[i].train_loss);
        same_number(results->epochs[i].train_acc, epochs[i].train_acc);
        same_number(results->epochs[i].test_loss, epochs[i].test_loss);
        same_number(results->epochs[i].test_acc, epochs[i].test_acc);
        same_number(results->epochs[i].seconds, epochs[i].seconds);
    }
}

static void a_run_comes_back_as_it_was_written(void **state)
{
    test_place *place = *state;
    const wick_run_args args = args_of();
    const wick_results results = results_of();
    wick_run *run = create(place, false), *again;
    assert_null(wick_run_results(run));
    assert_int_equal(wick_run_add_epoch(run, &epochs[0]), WICK_OK);
    assert_int_equal(wick_run_add_epoch(run, &epochs[1]), WICK_OK);
    assert_int_equal(wick_run_finish(run, &results), WICK_OK);
    same_epochs(wick_run_results(run));
    assert_int_equal(wick_run_open(place->context, place->path, &again), WICK_OK);
    const wick_run_args *read = wick_run_get_args(again);
    assert_string_equal(read->model, args.model);
    assert_string_equal(read->data, args.data);
    assert_null(read->data_dir);
    assert_string_equal(read->classes[1], classes[1]);
    assert_int_equal(read->hidden_units, 3);
    assert_int_equal(read->limit, 40);
    assert_memory_equal(read->image_shape, args.image_shape, sizeof(args.image_shape));
    assert_true(read->lr == 0.1 && read->seed == args.seed && read->threads == 2);
    const wick_results *got = wick_run_results(again);
    assert_non_null(got);
    assert_string_equal(got->model_name, results.model_name);
    same_number(got->model_loss, results.model_loss);
    assert_true(got->model_acc == results.model_acc && got->parameters == 71 && got->seed == 42);
    same_epochs(got);
    wick_run_free(again);
    wick_run_free(run);
}

static void an_unfinished_run_keeps_its_epochs(void **state)
{
    test_place *place = *state;
    const wick_results results = results_of();
    wick_run *run = create(place, false);
    assert_int_equal(wick_run_add_epoch(run, &epochs[0]), WICK_OK);
    wick_run_free(run);
    assert_int_equal(wick_run_open(place->context, place->path, &run), WICK_OK);
    assert_null(wick_run_results(run));
    assert_int_equal(wick_run_add_epoch(run, &epochs[1]), WICK_OK);
    assert_int_equal(wick_run_finish(run, &results), WICK_OK);
    same_epochs(wick_run_results(run));
    wick_run_free(run);
}

static void a_folder_that_is_taken_is_refused(void **state)
{
    test_place *place = *state;
    const wick_run_args args = args_of();
    wick_run *other = NULL;
    wick_run *run = create(place, false);
    assert_int_equal(wick_run_add_epoch(run, &epochs[0]), WICK_OK);
    assert_int_equal(wick_run_create(place->context, place->path, false, &args, &other), WICK_EBUSY);
    wick_run_free(run);
    assert_int_equal(wick_run_create(place->context, place->path, false, &args, &other), WICK_EEXIST);
    assert_true(has_file(place, "results.csv"));
    run = create(place, true);
    assert_false(has_file(place, "results.csv"));
    assert_true(has_file(place, "args.json"));
    wick_run_free(run);
}

/* A folder from a stranger could have links that lead elsewhere. */
static void links_are_not_written_through(void **state)
{
    static const char *const names[] = {"args.json", "model.pth", "checkpoint.pth", "steps.csv",
                                        "report.html"};
    test_place *place = *state;
    const wick_run_args args = args_of();
    char link[4096], elsewhere[4096];
    snprintf(elsewhere, sizeof(elsewhere), "%s.elsewhere", place->path);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        wick_run *run = create(place, true);
        wick_run_free(run);
        snprintf(link, sizeof(link), "%s/%s", place->path, names[i]);
        unlink(link);
        assert_int_equal(symlink(elsewhere, link), 0);
        assert_int_equal(wick_run_create(place->context, place->path, true, &args, &run), WICK_EIO);
        assert_non_null(strstr(wick_context_message(place->context), link));
        assert_non_null(strstr(wick_context_message(place->context), "symbolic link"));
        assert_int_equal(wick_run_create(place->context, place->path, false, &args, &run), WICK_EIO);
        assert_int_equal(wick_run_resume(place->context, place->path, &run), WICK_EIO);
        assert_int_not_equal(access(elsewhere, F_OK), 0);
        assert_int_equal(unlink(link), 0);
    }
}

static void a_bad_argument_leaves_no_folder(void **state)
{
    test_place *place = *state;
    wick_run *run = NULL;
    const wick_run_args good = args_of();
    const char *const nothing[] = {"one", NULL};
    for (int i = 0; i < 10; i++) {
        wick_run_args args = good;
        switch (i) {
        case 0:
            args.model = NULL;
            break;
        case 1:
            args.data = "";
            break;
        case 2:
            args.device = "c\npu";
            break;
        case 3:
            args.hidden_units = -1;
            break;
        case 4:
            args.image_shape[2] = 0;
            break;
        case 5:
            args.class_count = 0;
            break;
        case 6:
            args.classes = nothing;
            break;
        case 7:
            args.batch_size = 0;
            break;
        case 8:
            args.lr = (double)NAN;
            break;
        default:
            args.threads = 1025;
            break;
        }
        if (wick_run_create(place->context, place->path, false, &args, &run) != WICK_EINVAL)
            fail_msg("case %d was not refused", i);
        assert_true(strlen(wick_context_message(place->context)) > 0);
        assert_false(wki_file_exists(place->path));
    }
    assert_int_equal(wick_run_create(NULL, place->path, false, &good, &run), WICK_EINVAL);
    assert_int_equal(wick_run_create(place->context, NULL, false, &good, &run), WICK_EINVAL);
    assert_int_equal(wick_run_create(place->context, "", false, &good, &run), WICK_EINVAL);
    assert_null(run);
}

static void check_open(const test_place *place, wick_status wanted, const char *message)
{
    wick_run *run = NULL;
    wick_status status = wick_run_open(place->context, place->path, &run);
    wick_run_free(run);
    assert_int_equal(status, wanted);
    if (wanted != WICK_OK && strstr(wick_context_message(place->context), message) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", message, wick_context_message(place->context));
}

static void what_is_no_run_is_refused(void **state)
{
    test_place *place = *state;
    check_open(place, WICK_ENOENT, "there is no such folder");
    assert_int_equal(wki_make_folders(place->context, place->path), WICK_OK);
    check_open(place, WICK_ENOENT, "there is no args.json in it");
    write_file(place, "args.json", "[]");
    check_open(place, WICK_EFORMAT, "must be a JSON object");
    write_file(place, "args.json", "{\n \"model\": \"v0\",\n}");
    check_open(place, WICK_EFORMAT, "line 3, column 1: ");
    write_file(place, "args.json", "{\"model\": \"v0\", \"hidden_units\": 1.5}");
    check_open(place, WICK_EFORMAT, "line 1, column 33: \"hidden_units\" must be a whole number");
    wick_run *run = create(place, true);
    wick_run_free(run);
    write_file(place, "results.csv", "epoch\n");
    check_open(place, WICK_EFORMAT, "results.csv: line 1: must be epoch,train_loss");
    const char *const rows[] = {"0,1,2,3,4\n",   "0,1,2,3,4,5",    "0,1,2,3,4,5,6\n",
                                "x,1,2,3,4,5\n", "0, 1,2,3,4,5\n", "-1,1,2,3,4,5\n"};
    for (size_t i = 0; i < WKI_COUNT(rows); i++) {
        char text[256];
        snprintf(text, sizeof(text),
                 "epoch,train_loss,train_acc,test_loss,test_acc,seconds\n0,1,2,3,4,5\n%s", rows[i]);
        write_file(place, "results.csv", text);
        check_open(place, WICK_EFORMAT, "results.csv: line 3: must be six numbers");
    }
    write_file(place, "results.json", "{\"model_name\": \"V\\u0000\"}");
    check_open(place, WICK_EFORMAT, "results.json: line 1, ");
}

/* A message's line and column are those of the value, whatever stands before it. */
static void a_place_is_found_behind_anything(void **state)
{
    test_place *place = *state;
    wick_results results;
    static const char text[] =
        "{ \"x\\\"epochs\": [{\"epochs\": \"]}\\\\\"}, [], {}, -1.5e3],\n"
        "  \"model_name\": \"m\", \"model_loss\": 1, \"model_acc\": 2, \"accuracy\": 3,\n"
        "  \"train_time\": null, \"device\": \"cpu\", \"threads\": 1, \"seed\": \"7\",\n"
        "  \"parameters\": 5, \"epochs\" : [ {\"epoch\": 0, \"train_loss\": 1, \"train_acc\": 1,\n"
        "    \"test_loss\": 1, \"test_acc\": 1, \"seconds\": 1}, {\"epoch\": 1,\n"
        "    \"train_loss\":\t[1]}]}";
    assert_int_equal(wki_results_parse(place->context, "r", text, strlen(text), &results), WICK_EFORMAT);
    assert_string_equal(
        wick_context_message(place->context),
        "r: line 6, column 19: \"epochs\"[1] \"train_loss\" must be a number, not an array");
    assert_null(results.model_name);
}

static void results_are_json(void **state)
{
    test_place *place = *state;
    wick_results results = results_of(), read;
    char *text;
    results.epochs = epochs;
    results.epoch_count = 2;
    results.seed = UINT64_C(1) << 63;
    assert_int_equal(wick_results_format(place->context, &results, &text), WICK_OK);
    assert_non_null(strstr(text, "\"model_loss\": null,"));
    assert_non_null(strstr(text, "\"model_acc\": 75.01996805111821,"));
    assert_non_null(strstr(text, "\"seed\": \"9223372036854775808\","));
    assert_int_equal(wki_results_parse(place->context, "r", text, strlen(text), &read), WICK_OK);
    assert_true(read.seed == results.seed);
    same_epochs(&read);
    wki_results_release(&read);
    wick_free(text);
    assert_int_equal(wick_results_format(place->context, NULL, &text), WICK_EINVAL);
    assert_int_equal(wick_results_format(NULL, &results, &text), WICK_EINVAL);
}

static void a_comparison_is_csv_too(void **state)
{
    test_place *place = *state;
    wick_results one = results_of(), two = results_of();
    const wick_results *const both[] = {&one, &two};
    char *text;
    two.model_name = "a, \"b\"";
    two.model_loss = 0.25;
    assert_int_equal(wick_compare_csv(place->context, 2, both, &text), WICK_OK);
    assert_string_equal(text, "model_name,model_loss,model_acc,training_time\n"
                              "FashionMNISTModelV1,NaN,75.01996805111821,0.5\n"
                              "\"a, \"\"b\"\"\",0.25,75.01996805111821,0.5\n");
    wick_free(text);
    assert_int_equal(wick_compare_csv(place->context, 0, both, &text), WICK_EINVAL);
    two.model_name = NULL;
    assert_int_equal(wick_compare_format(place->context, 2, both, &text), WICK_EINVAL);
}

static void a_model_is_saved_and_loaded(void **state)
{
    test_place *place = *state;
    const wick_run_args args = args_of();
    wick_run *run = create(place, false);
    wick_module *model, *loaded = NULL;
    wick_state_dict *one, *two;
    assert_int_equal(wick_run_load_model(run, &loaded), WICK_ENOENT);
    assert_int_equal(wick_model_by_name(place->context, "v1", args.image_shape, 3, 2, &model), WICK_OK);
    assert_int_equal(wick_run_save_model(run, model), WICK_OK);
    assert_int_equal(wick_run_load_model(run, &loaded), WICK_OK);
    assert_int_equal(wick_module_state_dict(model, &one), WICK_OK);
    assert_int_equal(wick_module_state_dict(loaded, &two), WICK_OK);
    assert_int_equal(wick_state_dict_count(one), 4);
    for (int64_t i = 0; i < 4; i++) {
        const wick_tensor *a = wick_state_dict_tensor(one, i), *b = wick_state_dict_tensor(two, i);
        assert_memory_equal(wick_tensor_cdata(a), wick_tensor_cdata(b),
                            (size_t)wick_tensor_numel(a) * sizeof(float));
    }
    wick_state_dict_free(one);
    wick_state_dict_free(two);
    wick_module_free(model);
    wick_module_free(loaded);
    wick_run_free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_run_comes_back_as_it_was_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unfinished_run_keeps_its_epochs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_is_taken_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_are_not_written_through, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bad_argument_leaves_no_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_run_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_place_is_found_behind_anything, set_up, tear_down),
        cmocka_unit_test_setup_teardown(results_are_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_comparison_is_csv_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_model_is_saved_and_loaded, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
