/* The page of several runs. */
#include "plot/report_parts.h"

#include <stdlib.h>
#include <string.h>

typedef struct runs_report {
    wki_page page;
    int64_t count;
    const wick_report *reports;
    const char *path;
    wick_curve *curves;
} runs_report;

/* Whether a run's folder lies below the page's; *below is then the rest of its path. */
static bool lies_below(const char *path, const char *folder, const char **below)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    if (length == 0) {
        *below = folder;
        return folder[0] != '/' && strncmp(folder, "..", 2) != 0;
    }
    *below = folder + length;
    return strncmp(folder, path, length) == 0 && folder[length] != '\0' && strstr(*below, "..") == NULL;
}

/* A relative path as a URL: everything but plain letters becomes %XX. "./" keeps a colon from being a
 * scheme. */
static void put_url(wki_page *page, const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./";
    wki_page_puts(page, "./");
    for (const char *c = path; *c != '\0'; c++)
        if (strchr(plain, *c) != NULL)
            wki_text_append(&page->html, c, 1);
        else
            wki_page_printf(page, "%%%02X", (unsigned char)*c);
}

/* Whether there is a page of a run's own. */
static bool has_page(wki_page *page, const char *folder)
{
    char *path;
    wick_status status = wki_join_path(page->context, folder, "report.html", &path);
    if (status != WICK_OK) {
        page->html.status = status; /* the page's failure, as if it were the text's */
        return false;
    }
    bool there = wki_file_exists(path);
    free(path);
    return there;
}

static void put_name(runs_report *report, const wick_run *run)
{
    wki_page *page = &report->page;
    const char *below, *folder = wick_run_folder(run);
    bool below_here = lies_below(report->path, folder, &below);
    bool linked = below_here && has_page(page, folder);
    if (linked) {
        wki_page_puts(page, "<a href=\"");
        put_url(page, below);
        wki_page_puts(page, "/report.html\">");
    }
    wki_page_text(page, wick_run_results(run)->model_name);
    wki_page_puts(page, linked ? "</a>" : "");
    wki_page_puts(page, "<br><span class=\"note\">");
    wki_page_text(page, below_here ? below : folder);
    wki_page_puts(page, "</span>");
}

/* ---- results ---- */

static double most_of(const runs_report *report, bool seconds)
{
    double most = 0;
    for (int64_t i = 0; i < report->count; i++) {
        const wick_results *results = wick_run_results(report->reports[i].run);
        double number = seconds ? results->train_time : results->accuracy;
        most = number > most ? number : most;
    }
    return most;
}

/* On a narrow page each row is a card, and each cell begins with its label. */
static void open_cell(wki_page *page, const char *label, const char *class)
{
    wki_page_printf(page, "<td class=\"%s\" data-label=\"", class);
    wki_page_text(page, label);
    wki_page_puts(page, "\">");
}

static void put_cell(wki_page *page, const char *label, double number, int decimals)
{
    open_cell(page, label, "number");
    wki_page_number(page, number, decimals);
    wki_page_puts(page, "</td>");
}

/* A number with a bar, whose whole is `whole`. */
static void put_bar(wki_page *page, const char *label, double number, double whole, bool best)
{
    double part = whole > 0 && number > 0 ? number / whole : 0;
    open_cell(page, label, best ? "bar differs" : "bar");
    wki_page_number(page, number, 2);
    wki_page_printf(page, "<span class=\"track\" style=\"--p: %.4f\"></span></td>",
                    part < 1 ? part : 1.0);
}

static void put_results(runs_report *report)
{
    wki_page *page = &report->page;
    double best = most_of(report, false), longest = most_of(report, true);
    wki_page_puts(
        page,
        "<section>\n<h2>Results</h2>\n<p class=\"note\">Accuracy is of all test images, the best in "
        "bold; "
        "model_acc and model_loss are means over batches.</p>\n<table class=\"cards\">\n<thead><tr>"
        "<th scope=\"col\">Run</th><th scope=\"col\">Accuracy (%)</th>"
        "<th scope=\"col\">Training time (s)</th><th scope=\"col\">model_acc</th>"
        "<th scope=\"col\">model_loss</th><th scope=\"col\">Parameters</th></tr></thead>\n<tbody>\n");
    for (int64_t i = 0; i < report->count; i++) {
        const wick_results *results = wick_run_results(report->reports[i].run);
        wki_page_puts(page, "<tr><th scope=\"row\">");
        put_name(report, report->reports[i].run);
        wki_page_puts(page, "</th>");
        put_bar(page, "Accuracy (%)", results->accuracy, 100, results->accuracy >= best);
        put_bar(page, "Training time (s)", results->train_time, longest, false);
        put_cell(page, "model_acc", results->model_acc, 2);
        put_cell(page, "model_loss", results->model_loss, 4);
        put_cell(page, "Parameters", (double)results->parameters, 0);
        wki_page_puts(page, "</tr>\n");
    }
    wki_page_puts(page, "</tbody></table>\n</section>\n");
}

/* ---- curves ---- */

static wick_status draw_curves(void *user, wick_plotter *plotter, bool narrow, wick_figure **out)
{
    const runs_report *report = user;
    const wick_curves_plot plot = {.count = report->count, .curves = report->curves, .narrow = narrow};
    return wick_plot_curves(plotter, &plot, out);
}

/* A curve is called by its model, and where several runs have the same by its folder. */
static const char *curve_name(const runs_report *report, int64_t index)
{
    const char *below, *name = wick_run_results(report->reports[index].run)->model_name;
    for (int64_t i = 0; i < report->count; i++)
        if (i != index && strcmp(wick_run_results(report->reports[i].run)->model_name, name) == 0) {
            const char *folder = wick_run_folder(report->reports[index].run);
            return lies_below(report->path, folder, &below) ? below : folder;
        }
    return name;
}

static wick_status put_curves(runs_report *report)
{
    void *memory;
    WKI_TRY(wki_alloc(report->page.context, (size_t)report->count, sizeof(wick_curve), "the curves",
                      &memory));
    report->curves = memory;
    for (int64_t i = 0; i < report->count; i++) {
        const wick_results *results = wick_run_results(report->reports[i].run);
        report->curves[i] = (wick_curve){.name = curve_name(report, i),
                                         .epoch_count = results->epoch_count,
                                         .epochs = results->epochs,
                                         .step_count = report->reports[i].step_count,
                                         .step_losses = report->reports[i].step_losses,
                                         .step_stride = report->reports[i].step_stride};
    }
    wki_page_puts(&report->page, "<section>\n<h2>Training</h2>\n");
    WKI_TRY(wki_page_figure(&report->page, draw_curves, report));
    for (int64_t i = 0; i < report->count; i++)
        wki_report_epochs(&report->page, report->curves[i].name, report->curves[i].epochs,
                          report->curves[i].epoch_count);
    wki_page_puts(&report->page, "</section>\n");
    return WICK_OK;
}

/* ---- settings ---- */

enum { SETTING_TEXT = 512 };

typedef struct setting {
    const char *name;
    void (*text)(const wick_run *run, char *out, size_t size);
} setting;

static void model_text(const wick_run *run, char *out, size_t size)
{
    /* A text has many lines: here it is one, cut at the end. */
    size_t length = 0;
    for (const char *c = wick_run_get_args(run)->model; *c != '\0' && length + 1 < size; c++) {
        bool space = *c == '\n' || *c == ' ';
        if (!space || (length > 0 && out[length - 1] != ' '))
            out[length++] = space ? ' ' : *c;
    }
    out[length] = '\0';
}

static void units_text(const wick_run *run, char *out, size_t size)
{
    const wick_run_args *args = wick_run_get_args(run);
    if (wick_model_is_text(args->model))
        snprintf(out, size, "-");
    else
        snprintf(out, size, "%lld", (long long)args->hidden_units);
}

static void data_text(const wick_run *run, char *out, size_t size)
{
    snprintf(out, size, "%s", wick_run_get_args(run)->data);
}

static void limit_text(const wick_run *run, char *out, size_t size)
{
    int64_t limit = wick_run_get_args(run)->limit;
    if (limit == 0)
        snprintf(out, size, "all");
    else
        snprintf(out, size, "the first %lld", (long long)limit);
}

static void epochs_text(const wick_run *run, char *out, size_t size)
{
    snprintf(out, size, "%lld", (long long)wick_run_get_args(run)->epochs);
}

static void batch_text(const wick_run *run, char *out, size_t size)
{
    snprintf(out, size, "%lld", (long long)wick_run_get_args(run)->batch_size);
}

static void rate_text(const wick_run *run, char *out, size_t size)
{
    char repr[32];
    wki_repr(wick_run_get_args(run)->lr, repr);
    snprintf(out, size, "%s", repr);
}

static void seed_text(const wick_run *run, char *out, size_t size)
{
    snprintf(out, size, "%llu", (unsigned long long)wick_run_get_args(run)->seed);
}

static void device_text(const wick_run *run, char *out, size_t size)
{
    const wick_results *results = wick_run_results(run);
    snprintf(out, size, "%s, %d threads", results->device, results->threads);
}

static const setting settings[] = {
    {"Model", model_text},        {"Hidden units", units_text},
    {"Data", data_text},          {"Images of each half", limit_text},
    {"Epochs", epochs_text},      {"Batch size", batch_text},
    {"Learning rate", rate_text}, {"Seed", seed_text},
    {"Device", device_text},
};

/* Setting k of a run: those of the table, behind them what was made of its images, and then the options of its training.
 * name is NULL behind the last; text is "" for what is as in the chapter. */
static const char *setting_text(const wick_run *run, int k, char text[SETTING_TEXT])
{
    const int own = (int)WKI_COUNT(settings);
    const wick_run_args *args = wick_run_get_args(run);
    wick_train_setting option;
    wki_data_setting data;
    if (k < own) {
        settings[k].text(run, text, SETTING_TEXT);
        return settings[k].name;
    }
    int made = 0;
    for (; wki_report_data_setting(args, made, &data); made++)
        if (made == k - own) {
            snprintf(text, SETTING_TEXT, "%s", data.set ? data.shown : "");
            return data.title;
        }
    if (!wick_train_options_setting(&args->how, k - own - made, &option))
        return NULL;
    snprintf(text, SETTING_TEXT, "%s", option.value == NULL ? "" : option.value);
    return option.title;
}

static bool differs(const runs_report *report, int k)
{
    char first[SETTING_TEXT], other[SETTING_TEXT];
    setting_text(report->reports[0].run, k, first);
    for (int64_t i = 1; i < report->count; i++) {
        setting_text(report->reports[i].run, k, other);
        if (strcmp(first, other) != 0)
            return true;
    }
    return false;
}

/* What is the same in all runs. Returns how many settings are not. */
static int put_common(runs_report *report)
{
    wki_page *page = &report->page;
    int different = 0;
    wki_page_puts(page, "<table class=\"settings\">\n<tbody>\n");
    const char *name;
    char text[SETTING_TEXT];
    for (int k = 0; (name = setting_text(report->reports[0].run, k, text)) != NULL; k++) {
        if (differs(report, k))
            different++;
        else if (text[0] != '\0')
            wki_page_row(page, name, text);
    }
    wki_page_puts(page, "</tbody>\n</table>\n");
    return different;
}

static void put_differences(runs_report *report)
{
    wki_page *page = &report->page;
    wki_page_puts(
        page,
        "<h3>What differs</h3>\n<table class=\"cards words\">\n<thead><tr><th scope=\"col\">Run</th>");
    const char *name;
    char text[SETTING_TEXT];
    for (int k = 0; (name = setting_text(report->reports[0].run, k, text)) != NULL; k++)
        if (differs(report, k))
            wki_page_printf(page, "<th scope=\"col\">%s</th>", name);
    wki_page_puts(page, "</tr></thead>\n<tbody>\n");
    for (int64_t i = 0; i < report->count; i++) {
        wki_page_puts(page, "<tr><th scope=\"row\">");
        put_name(report, report->reports[i].run);
        wki_page_puts(page, "</th>");
        for (int k = 0; (name = setting_text(report->reports[i].run, k, text)) != NULL; k++) {
            if (!differs(report, k))
                continue;
            open_cell(page, name, "text");
            wki_page_text(page, text[0] != '\0' ? text : "no");
            wki_page_puts(page, "</td>");
        }
        wki_page_puts(page, "</tr>\n");
    }
    wki_page_puts(page, "</tbody></table>\n");
}

static void put_settings(runs_report *report)
{
    wki_page_puts(&report->page, report->count == 1
                                     ? "<section>\n<h2>Settings</h2>\n"
                                     : "<section>\n<h2>Settings</h2>\n<h3>The same in all runs</h3>\n");
    if (put_common(report) > 0)
        put_differences(report);
    wki_page_puts(&report->page, "</section>\n");
}

/* ---- again ---- */

static wick_status put_again(runs_report *report)
{
    wki_page *page = &report->page;
    wki_page_puts(page, "<section>\n<h2>Again</h2>\n<pre><code>");
    for (int64_t i = 0; i < report->count; i++) {
        char *command;
        WKI_TRY(wki_report_command(page->context, wick_run_get_args(report->reports[i].run), &command));
        wki_page_lines(page, command);
        free(command);
    }
    wki_page_puts(page, "</code></pre>\n</section>\n");
    return WICK_OK;
}

static wick_status put_all(runs_report *report)
{
    wki_page_printf(&report->page, "<header>\n<h1>%lld %s compared</h1>\n</header>\n",
                    (long long)report->count, report->count == 1 ? "run" : "runs");
    put_results(report);
    WKI_TRY(put_curves(report));
    put_settings(report);
    return put_again(report);
}

wick_status wick_report_compare(wick_context *context, int64_t count, const wick_report *reports,
                                const char *path)
{
    char title[64];
    if (context == NULL)
        return WICK_EINVAL;
    if (count < 1 || reports == NULL || path == NULL)
        return wki_fail(context, WICK_EINVAL, "reports or path is NULL, or there are no reports");
    for (int64_t i = 0; i < count; i++)
        WKI_TRY(wki_report_check(context, &reports[i]));
    runs_report report = {.count = count, .reports = reports, .path = path};
    snprintf(title, sizeof(title), "%lld runs compared", (long long)count);
    wick_status status = wki_page_open(&report.page, context, title);
    if (status == WICK_OK)
        status = put_all(&report);
    status = wki_page_close(&report.page, status, path);
    free(report.curves);
    return status;
}
