#include "plot/report_parts.h"

#include <stdlib.h>
#include <string.h>

wick_status wki_report_check(wick_context *context, const wick_report *report)
{
    if (report->run == NULL || report->step_count < 0 || report->step_stride < 0 ||
        (report->step_count > 0 && report->step_losses == NULL))
        return wki_fail(context, WICK_EINVAL, "the run of a report, or its steps, are missing");
    if (wick_run_results(report->run) == NULL)
        return wki_fail(context, WICK_EINVAL, "%s: has no results to report",
                        wick_run_folder(report->run));
    return WICK_OK;
}

const char *wki_last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL || slash[1] == '\0' ? path : slash + 1;
}

static void put_flag(wki_text *text, const char *flag, const char *value)
{
    wki_text_printf(text, " --%s ", flag);
    wki_shell_word(text, value);
}

static void put_count(wki_text *text, const char *flag, int64_t value)
{
    wki_text_printf(text, " --%s %lld", flag, (long long)value);
}

wick_status wki_report_command(wick_context *context, const wick_run_args *args, char **out)
{
    char lr[32];
    wki_text text;
    wki_text_init(&text, context);
    wki_text_puts(&text, "wick train");
    put_flag(&text, "model", args->model);
    put_flag(&text, "data", args->data);
    if (args->data_dir != NULL)
        put_flag(&text, "data-dir", args->data_dir);
    if (!wick_model_is_text(args->model))
        put_count(&text, "hidden-units", args->hidden_units);
    put_count(&text, "epochs", args->epochs);
    put_count(&text, "batch-size", args->batch_size);
    wki_repr(args->lr, lr);
    put_flag(&text, "lr", lr);
    wki_text_printf(&text, " --seed %llu", (unsigned long long)args->seed);
    if (args->limit > 0)
        put_count(&text, "limit", args->limit);
    wick_train_setting setting;
    for (int i = 0; wick_train_options_setting(&args->how, i, &setting); i++) {
        if (setting.value != NULL && setting.bare)
            wki_text_printf(&text, " --%s", setting.flag);
        else if (setting.value != NULL)
            put_flag(&text, setting.flag, setting.value);
    }
    return wki_text_finish(&text, out);
}

static void put_cell(wki_page *page, double number, int decimals)
{
    wki_page_puts(page, "<td>");
    wki_page_number(page, number, decimals);
    wki_page_puts(page, "</td>");
}

void wki_report_epochs(wki_page *page, const char *caption, const wick_epoch *epochs, int64_t count)
{
    wki_page_puts(page, "<div class=\"scroll\"><table>\n<caption>");
    wki_page_text(page, caption);
    const char *half = count > 0 && epochs[0].validation ? "Validation" : "Test";
    wki_page_printf(
        page,
        "</caption>\n<thead><tr><th scope=\"col\">Epoch</th><th scope=\"col\">Train loss</th>"
        "<th scope=\"col\">Train acc. (%%)</th><th scope=\"col\">%s loss</th>"
        "<th scope=\"col\">%s acc. (%%)</th><th scope=\"col\">Seconds</th></tr></thead>\n<tbody>\n",
        half, half);
    for (int64_t i = 0; i < count; i++) {
        const wick_epoch *epoch = &epochs[i];
        wki_page_printf(page, "<tr><td>%lld</td>", (long long)epoch->epoch);
        put_cell(page, epoch->train_loss, 4);
        put_cell(page, epoch->train_acc, 2);
        put_cell(page, epoch->test_loss, 4);
        put_cell(page, epoch->test_acc, 2);
        put_cell(page, epoch->seconds, 2);
        wki_page_puts(page, "</tr>\n");
    }
    wki_page_puts(page, "</tbody></table></div>\n");
}
