/* The page of one run. */
#include "plot/report_parts.h"

#include "plot/ticks.h"
#include "tensor/tensor_internal.h"

#include <stdlib.h>
#include <string.h>

#include <wick/train.h>

enum {
    PREDICTIONS = 10,
    ERRORS = 20,
    PAIRS = 10,
    CHANCES = 3, /* classes of a wrong prediction */
    IMAGE_SIDE = 112,
    MOST_MATRIX = 30, /* classes from which the matrix is a figure and no table */
};

typedef struct run_report {
    wki_page page;
    const wick_report *what;
    const wick_run_args *args;
    const wick_results *results;
    wick_tensor *probabilities, *predictions, *labels, *confusion;
    wick_class_report *classes;
    wick_error *errors;
    int64_t error_count;
    wick_confused_pair *pairs;
    int64_t pair_count;
} run_report;

static void release(run_report *report)
{
    wick_tensor_free(report->probabilities);
    wick_tensor_free(report->predictions);
    wick_tensor_free(report->labels);
    wick_tensor_free(report->confusion);
    free(report->classes);
    wick_free(report->errors);
    wick_free(report->pairs);
}

/* ---- what there is to tell ---- */

static wick_status check_logits(wick_context *context, const wick_report *what)
{
    char text[WKI_SHAPE_TEXT];
    const wick_tensor *logits = what->logits;
    if (what->data == NULL)
        return wki_fail(context, WICK_EINVAL, "a report with logits needs the data that they are of");
    int64_t count = wick_dataset_count(what->data), classes = wick_dataset_class_count(what->data);
    if (logits->dtype == WICK_FLOAT32 && logits->ndim == 2 && logits->shape[0] == count &&
        logits->shape[1] == classes)
        return WICK_OK;
    return wki_fail(context, WICK_ESHAPE,
                    "the logits are %s %s; %lld images of %lld classes need torch.float32 [%lld, %lld]",
                    wick_dtype_name(logits->dtype), wki_shape_text(logits->ndim, logits->shape, text),
                    (long long)count, (long long)classes, (long long)count, (long long)classes);
}

static wick_status judge(run_report *report)
{
    wick_context *context = report->page.context;
    const wick_dataset *data = report->what->data;
    void *memory;
    WKI_TRY(check_logits(context, report->what));
    int64_t count = wick_dataset_count(data), classes = wick_dataset_class_count(data);
    WKI_TRY(wick_tensor_softmax(report->what->logits, &report->probabilities));
    WKI_TRY(wick_tensor_argmax(report->probabilities, &report->predictions));
    WKI_TRY(
        wick_tensor_from(context, WICK_INT64, 1, &count, wick_dataset_labels(data), &report->labels));
    WKI_TRY(wick_confusion_matrix(report->labels, report->predictions, classes, &report->confusion));
    WKI_TRY(wki_alloc(context, (size_t)classes, sizeof(wick_class_report), "a report", &memory));
    report->classes = memory;
    WKI_TRY(wick_classification_report(report->confusion, report->classes));
    WKI_TRY(wick_wrong_predictions(report->probabilities, report->labels, &report->errors,
                                   &report->error_count));
    return wick_confused_pairs(report->confusion, &report->pairs, &report->pair_count);
}

static const char *class_of(const run_report *report, int64_t label)
{
    return wick_dataset_class(report->what->data, label);
}

static float chance_of(const run_report *report, int64_t index, int64_t label)
{
    return ((const float *)report->probabilities->data)[index * report->probabilities->shape[1] + label];
}

/* ---- the head ---- */

static void put_fact(wki_page *page, const char *name, double number, int decimals, const char *unit)
{
    wki_page_printf(page, "<div><dt>%s</dt><dd>", name);
    wki_page_number(page, number, decimals);
    wki_page_printf(page, "%s</dd></div>\n", unit);
}

static void put_head(run_report *report)
{
    wki_page *page = &report->page;
    const wick_results *results = report->results;
    wki_page_puts(page, "<header>\n<h1>");
    wki_page_text(page, results->model_name);
    wki_page_puts(page, " on ");
    wki_page_text(page, wki_last_part(report->args->data));
    wki_page_puts(
        page,
        "</h1>\n<p class=\"lead\">A run of wick: what was trained, what came of it, and what it still "
        "gets wrong.</p>\n</header>\n<dl class=\"facts\">\n");
    put_fact(page, "Accuracy", results->accuracy, 2, " %");
    put_fact(page, "model_acc", results->model_acc, 2, " %");
    put_fact(page, "model_loss", results->model_loss, 4, "");
    put_fact(page, "Training time", results->train_time, 2, " s");
    put_fact(page, "Parameters", (double)results->parameters, 0, "");
    wki_page_puts(
        page,
        "</dl>\n<p class=\"note\">Accuracy is the share of all test images that is right; model_acc and "
        "model_loss are means over batches, as the chapter's eval_model() makes them.</p>\n");
}

/* ---- settings ---- */

static void put_number_row(wki_page *page, const char *name, int64_t number)
{
    char text[32];
    snprintf(text, sizeof(text), "%lld", (long long)number);
    wki_page_row(page, name, text);
}

static void put_class_row(wki_page *page, const wick_run_args *args)
{
    wki_page_printf(page, "<tr><th scope=\"row\">Classes</th><td>%lld: ", (long long)args->class_count);
    for (int64_t i = 0; i < args->class_count && i < 100; i++) {
        wki_page_puts(page, i == 0 ? "" : ", ");
        wki_page_text(page, args->classes[i]);
    }
    wki_page_puts(page, args->class_count > 100 ? ", …</td></tr>\n" : "</td></tr>\n");
}

/* Its name, or its text as it prints. */
static wick_status put_model_row(wki_page *page, const wick_run_args *args)
{
    char *lines;
    if (!wick_model_is_text(args->model)) {
        wki_page_row(page, "Model", args->model);
        put_number_row(page, "Hidden units", args->hidden_units);
        return WICK_OK;
    }
    WKI_TRY(wki_strdup(page->context, args->model, &lines));
    wki_page_puts(page, "<tr><th scope=\"row\">Model</th><td><pre><code>");
    wki_page_lines(page, lines);
    wki_page_puts(page, "</code></pre></td></tr>\n");
    free(lines);
    return WICK_OK;
}

static wick_status put_settings(run_report *report)
{
    wki_page *page = &report->page;
    const wick_run_args *args = report->args;
    char text[96];
    wki_page_puts(page, "<section>\n<h2>Settings</h2>\n<table class=\"settings\">\n<tbody>\n");
    WKI_TRY(put_model_row(page, args));
    wki_page_row(page, "Data", args->data);
    if (args->data_dir != NULL)
        wki_page_row(page, "Looked for in", args->data_dir);
    snprintf(text, sizeof(text), "%lld, %lld, %lld (channels, height, width)",
             (long long)args->image_shape[0], (long long)args->image_shape[1],
             (long long)args->image_shape[2]);
    wki_page_row(page, "Images", text);
    wki_data_setting data;
    for (int i = 0; wki_report_data_setting(args, i, &data); i++)
        if (data.set)
            wki_page_row(page, data.title, data.shown);
    if (args->limit > 0)
        put_number_row(page, "Of each half the first", args->limit);
    put_class_row(page, args);
    put_number_row(page, "Epochs", args->epochs);
    put_number_row(page, "Batch size", args->batch_size);
    wki_repr(args->lr, text);
    wki_page_row(page, args->how.optimizer == NULL ? "Learning rate (SGD)" : "Learning rate", text);
    wick_train_setting setting;
    for (int i = 0; wick_train_options_setting(&args->how, i, &setting); i++)
        if (setting.value != NULL)
            wki_page_row(page, setting.title, setting.value);
    snprintf(text, sizeof(text), "%llu", (unsigned long long)args->seed);
    wki_page_row(page, "Seed", text);
    wki_page_row(page, "Device", report->results->device);
    put_number_row(page, "Threads", report->results->threads);
    wki_page_row(page, "Folder", wick_run_folder(report->what->run));
    wki_page_puts(page, "</tbody>\n</table>\n</section>\n");
    return WICK_OK;
}

/* ---- curves ---- */

static wick_status draw_curves(void *user, wick_plotter *plotter, bool narrow, wick_figure **out)
{
    const run_report *report = user;
    const wick_curve curve = {
        .name = report->results->model_name,
        .epoch_count = report->results->epoch_count,
        .epochs = report->results->epochs,
        .step_count = report->what->step_count,
        .step_losses = report->what->step_losses,
        .step_stride = report->what->step_stride,
    };
    const wick_curves_plot plot = {.count = 1, .curves = &curve, .narrow = narrow};
    return wick_plot_curves(plotter, &plot, out);
}

static wick_status put_training(run_report *report)
{
    const wick_results *results = report->results;
    wki_page_puts(&report->page, "<section>\n<h2>Training</h2>\n");
    WKI_TRY(wki_page_figure(&report->page, draw_curves, report));
    wki_report_epochs(&report->page, "Losses and accuracies are means over batches.", results->epochs,
                      results->epoch_count);
    wki_page_puts(&report->page, "</section>\n");
    return WICK_OK;
}

/* ---- classes ---- */

static void put_cell(wki_page *page, double number, int decimals)
{
    wki_page_puts(page, "<td>");
    wki_page_number(page, number, decimals);
    wki_page_puts(page, "</td>");
}

static void put_class_table(run_report *report)
{
    wki_page *page = &report->page;
    wki_page_puts(
        page, "<div class=\"scroll\"><table>\n<caption>Precision: of what was taken for the class, how "
              "much is "
              "of it. Recall: of the class, how much was found.</caption>\n<thead><tr>"
              "<th scope=\"col\">Class</th><th scope=\"col\">Precision</th><th scope=\"col\">Recall</th>"
              "<th scope=\"col\">F1</th><th scope=\"col\">Images</th></tr></thead>\n<tbody>\n");
    for (int64_t i = 0; i < wick_dataset_class_count(report->what->data); i++) {
        const wick_class_report *class = &report->classes[i];
        wki_page_puts(page, "<tr><th scope=\"row\">");
        wki_page_text(page, class_of(report, i));
        wki_page_puts(page, "</th>");
        put_cell(page, class->precision, 4);
        put_cell(page, class->recall, 4);
        put_cell(page, class->f1, 4);
        put_cell(page, (double)class->support, 0);
        wki_page_puts(page, "</tr>\n");
    }
    wki_page_puts(page, "</tbody></table></div>\n");
}

static void put_matrix_head(run_report *report, int64_t classes)
{
    wki_page *page = &report->page;
    wki_page_printf(
        page,
        "<div class=\"scroll\"><table class=\"matrix%s\">\n<caption>Rows are the truth, columns what it "
        "was taken for; the shares are of a row.</caption>\n<thead><tr><td></td>",
        classes <= 12 ? " fit" : "");
    for (int64_t i = 0; i < classes; i++) {
        wki_page_puts(page, "<th scope=\"col\"><span>");
        wki_page_text(page, class_of(report, i));
        wki_page_puts(page, "</span></th>");
    }
    wki_page_puts(page, "</tr></thead>\n<tbody>\n");
}

static void put_matrix(run_report *report)
{
    wki_page *page = &report->page;
    int64_t classes = wick_dataset_class_count(report->what->data);
    const int64_t *cell = report->confusion->data;
    put_matrix_head(report, classes);
    for (int64_t r = 0; r < classes; r++) {
        int64_t all = report->classes[r].support;
        wki_page_puts(page, "<tr><th scope=\"row\">");
        wki_page_text(page, class_of(report, r));
        wki_page_puts(page, "</th>");
        for (int64_t c = 0; c < classes; c++, cell++) {
            double share = all == 0 ? 0 : (double)*cell / (double)all;
            wki_page_printf(
                page, "<td style=\"--p: %.3f\" class=\"%s%s\">%lld<small>%.1f %%</small></td>", share,
                r == c ? "right" : "", share > 0.64 ? " much" : "", (long long)*cell, 100 * share);
        }
        wki_page_puts(page, "</tr>\n");
    }
    wki_page_puts(page, "</tbody></table></div>\n");
}

static wick_status draw_confusion(void *user, wick_plotter *plotter, bool narrow, wick_figure **out)
{
    const run_report *report = user;
    (void)narrow;
    const wick_confusion_plot plot = {.confusion = report->confusion, .classes = report->args->classes};
    return wick_plot_confusion(plotter, &plot, out);
}

static void put_pairs(run_report *report)
{
    wki_page *page = &report->page;
    wki_page_puts(page, "<h3>Most often taken for each other</h3>\n");
    if (report->pair_count == 0) {
        wki_page_puts(page, "<p>No class was taken for another.</p>\n");
        return;
    }
    wki_page_puts(
        page, "<div class=\"scroll\"><table class=\"pairs\">\n<thead><tr><th scope=\"col\">Classes</th>"
              "<th scope=\"col\">Together</th><th scope=\"col\">First as second</th>"
              "<th scope=\"col\">Second as first</th></tr></thead>\n<tbody>\n");
    for (int64_t i = 0; i < report->pair_count && i < PAIRS; i++) {
        const wick_confused_pair *pair = &report->pairs[i];
        wki_page_puts(page, "<tr><td>");
        wki_page_text(page, class_of(report, pair->a));
        wki_page_puts(page, " – ");
        wki_page_text(page, class_of(report, pair->b));
        wki_page_puts(page, "</td>");
        put_cell(page, (double)(pair->a_as_b + pair->b_as_a), 0);
        put_cell(page, (double)pair->a_as_b, 0);
        put_cell(page, (double)pair->b_as_a, 0);
        wki_page_puts(page, "</tr>\n");
    }
    wki_page_puts(page, "</tbody></table></div>\n");
}

static wick_status put_classes(run_report *report)
{
    wki_page *page = &report->page;
    wki_page_puts(page, "<section>\n<h2>Class by class</h2>\n");
    put_class_table(report);
    wki_page_puts(page, "<h3>Confusion matrix</h3>\n");
    if (wick_dataset_class_count(report->what->data) <= MOST_MATRIX)
        put_matrix(report);
    else
        WKI_TRY(wki_page_figure(page, draw_confusion, report));
    put_pairs(report);
    wki_page_puts(page, "</section>\n");
    return WICK_OK;
}

/* ---- predictions ---- */

/* The most probable classes of an image. Returns how many. */
static int rank_chances(const run_report *report, int64_t index, int64_t order[CHANCES + 1])
{
    int count = 0;
    for (int64_t i = 0; i < report->probabilities->shape[1]; i++) {
        int at = count;
        for (; at > 0 && chance_of(report, index, order[at - 1]) < chance_of(report, index, i); at--)
            order[at] = order[at - 1];
        order[at] = i;
        count = WKI_MIN(count + 1, CHANCES);
    }
    return count;
}

static void put_chance(run_report *report, int64_t index, int64_t label, bool truth)
{
    wki_page *page = &report->page;
    double chance = (double)chance_of(report, index, label);
    wki_page_printf(page, "<li%s style=\"--p: %.3f\"><span>", truth ? " class=\"truth\"" : "",
                    chance >= 0 && chance <= 1 ? chance : 0.0);
    wki_page_text(page, class_of(report, label));
    wki_page_puts(page, "</span><span>");
    wki_page_number(page, 100 * chance, 2);
    wki_page_puts(page, " %</span></li>");
}

/* The most probable classes and, if it is not among them, the truth. */
static void put_chances(run_report *report, int64_t index, int64_t truth)
{
    int64_t order[CHANCES + 1];
    int count = rank_chances(report, index, order);
    bool seen = false;
    wki_page_puts(&report->page, "<ul class=\"chances\">");
    for (int i = 0; i < count; i++) {
        put_chance(report, index, order[i], order[i] == truth);
        seen = seen || order[i] == truth;
    }
    if (!seen)
        put_chance(report, index, truth, true);
    wki_page_puts(&report->page, "</ul>");
}

static wick_status put_tile(run_report *report, int64_t index)
{
    wki_page *page = &report->page;
    char alt[64];
    int64_t truth = ((const int64_t *)report->labels->data)[index];
    int64_t prediction = ((const int64_t *)report->predictions->data)[index];
    bool right = truth == prediction;
    snprintf(alt, sizeof(alt), "Test image %lld", (long long)index);
    wki_page_puts(page, right ? "<li>" : "<li class=\"miss\">");
    WKI_TRY(wki_page_image(page, report->what->data, index, IMAGE_SIDE, alt));
    wki_page_printf(page, "<div><span class=\"verdict\">%s ", right ? "✓" : "✗");
    wki_page_text(page, class_of(report, prediction));
    wki_page_puts(page, "</span>");
    if (!right) {
        wki_page_puts(page, "<br>is: ");
        wki_page_text(page, class_of(report, truth));
    }
    wki_page_printf(page, "<br><span class=\"note\">image %lld", (long long)index);
    const char *path = wick_dataset_path(report->what->data, index);
    if (path != NULL) {
        wki_page_puts(page, ", ");
        wki_page_text(page, path);
    }
    wki_page_puts(page, "</span></div>");
    put_chances(report, index, truth);
    wki_page_puts(page, "</li>\n");
    return WICK_OK;
}

static wick_status put_predictions(run_report *report)
{
    wki_page *page = &report->page;
    wick_context *context = page->context;
    int64_t there = wick_dataset_count(report->what->data);
    int64_t count = report->what->predictions > 0 ? report->what->predictions : PREDICTIONS;
    wick_generator *generator;
    wick_tensor *order = NULL;
    WKI_TRY(wick_generator_new(context, &generator));
    wick_generator_manual_seed(generator, report->args->seed);
    wick_status status = wick_randperm(context, generator, there, &order);
    wick_generator_free(generator);
    WKI_TRY(status);
    wki_page_puts(page, "<section>\n<h2>Some predictions</h2>\n<p class=\"note\">Test images by chance, "
                        "each with its most "
                        "probable classes.</p>\n<ul class=\"tiles\">\n");
    for (int64_t i = 0; i < count && i < there && status == WICK_OK; i++)
        status = put_tile(report, ((const int64_t *)order->data)[i]);
    wick_tensor_free(order);
    wki_page_puts(page, "</ul>\n</section>\n");
    return status;
}

static wick_status put_errors(run_report *report)
{
    wki_page *page = &report->page;
    int64_t count = report->what->errors > 0 ? report->what->errors : ERRORS;
    count = WKI_MIN(count, report->error_count);
    wki_page_puts(page, "<section>\n<h2>Wrong predictions, surest first</h2>\n");
    if (count == 0) {
        wki_page_puts(page,
                      "<p>There are none: every test image was taken for what it is.</p>\n</section>\n");
        return WICK_OK;
    }
    wki_page_puts(page, "<p class=\"note\">");
    wki_page_number(page, (double)report->error_count, 0);
    wki_page_printf(page,
                    " of the test images are taken for what they are not; these %lld most surely. Is "
                    "the model wrong, "
                    "or the label?</p>\n<ul class=\"tiles\">\n",
                    (long long)count);
    for (int64_t i = 0; i < count; i++)
        WKI_TRY(put_tile(report, report->errors[i].index));
    wki_page_puts(page, "</ul>\n</section>\n");
    return WICK_OK;
}

/* ---- again ---- */

static wick_status put_again(run_report *report)
{
    wki_page *page = &report->page;
    const char *folder = wick_run_folder(report->what->run);
    char *command, *lines;
    wki_text text;
    WKI_TRY(wki_report_command(page->context, report->args, &command));
    wki_text_init(&text, page->context);
    wki_text_printf(&text, "%s\n", command);
    free(command);
    wki_text_puts(&text, "wick eval ");
    wki_shell_word(&text, folder);
    wki_text_puts(&text, "\nwick predict ");
    wki_shell_word(&text, folder);
    wki_text_puts(&text, " picture.png");
    WKI_TRY(wki_text_finish(&text, &lines));
    wki_page_puts(
        page,
        "<section>\n<h2>Again</h2>\n<p>The same training, to the last bit and on any number of threads; "
        "then its model on the test images, and on a picture of your own:</p>\n<pre><code>");
    wki_page_lines(page, lines);
    free(lines);
    wki_page_puts(page,
                  "</code></pre>\n<p>The weights in PyTorch:</p>\n<pre><code>"
                  "model.load_state_dict(torch.load(&quot;model.pth&quot;, weights_only=True))"
                  "</code></pre>\n<p>Beside this page: <a href=\"args.json\">args.json</a>, "
                  "<a href=\"results.csv\">results.csv</a>, <a href=\"results.json\">results.json</a>, "
                  "<a href=\"model.pth\">model.pth</a>.</p>\n</section>\n");
    return WICK_OK;
}

/* ---- the page ---- */

static wick_status put_all(run_report *report)
{
    put_head(report);
    WKI_TRY(put_training(report));
    if (report->what->logits != NULL) {
        WKI_TRY(put_classes(report));
        WKI_TRY(put_errors(report));
        WKI_TRY(put_predictions(report));
    }
    WKI_TRY(put_settings(report));
    return put_again(report);
}

static wick_status write_report(run_report *report, const char *path)
{
    char title[256];
    wick_status status = WICK_OK;
    if (report->what->logits != NULL)
        WKI_TRY(judge(report));
    snprintf(title, sizeof(title), "%.80s on %.160s", report->results->model_name,
             wki_last_part(report->args->data));
    status = wki_page_open(&report->page, report->page.context, title);
    if (status == WICK_OK)
        status = put_all(report);
    return wki_page_close(&report->page, status, path);
}

wick_status wick_report_write(wick_context *context, const wick_report *report, const char *path)
{
    if (context == NULL)
        return WICK_EINVAL;
    if (report == NULL || path == NULL)
        return wki_fail(context, WICK_EINVAL, "report or path is NULL");
    WKI_TRY(wki_report_check(context, report));
    run_report work = {.page = {.context = context},
                       .what = report,
                       .args = wick_run_get_args(report->run),
                       .results = wick_run_results(report->run)};
    wick_status status = write_report(&work, path);
    release(&work);
    return status;
}
