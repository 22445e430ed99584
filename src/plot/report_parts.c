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

static void size_value(const wick_run_args *args, wki_data_setting *out)
{
    out->set = args->resized;
    snprintf(out->value, sizeof(out->value), "%lldx%lld", (long long)args->image_shape[1],
             (long long)args->image_shape[2]);
}

static void channels_value(const wick_run_args *args, wki_data_setting *out)
{
    out->set = args->resized && (args->image_shape[0] == 1 || args->image_shape[0] == 3);
    snprintf(out->value, sizeof(out->value), "%lld", (long long)args->image_shape[0]);
}

static void fraction_value(const wick_run_args *args, wki_data_setting *out)
{
    out->set = args->test_fraction != 0;
    wki_repr(args->test_fraction, out->value);
}

static void broken_value(const wick_run_args *args, wki_data_setting *out)
{
    out->set = args->skip_broken;
    out->bare = true;
    snprintf(out->value, sizeof(out->value), "yes");
}

static void augment_value(const wick_run_args *args, wki_data_setting *out)
{
    out->set = args->augment != NULL;
    snprintf(out->value, sizeof(out->value), "%s", out->set ? args->augment : "");
}

/* Means and standard deviations of up to three channels, each with so many digits. */
static void put_normalization(const wick_run_args *args, int digits, const char *comma,
                              const char *colon, char out[256])
{
    char number[32];
    out[0] = '\0';
    for (int half = 0; half < 2; half++)
        for (int c = 0; c < 3 && c < args->image_shape[0]; c++) {
            strcat(out, c > 0 ? comma : half > 0 ? colon : "");
            snprintf(number, sizeof(number), "%.*g", digits,
                     (double)(half == 0 ? args->mean : args->std)[c]);
            strcat(out, number);
        }
}

static void normalize_value(const wick_run_args *args, wki_data_setting *out)
{
    out->set = args->normalized;
    put_normalization(args, 9, ",", ":", out->value);
    put_normalization(args, 3, ", ", ": ", out->shown);
}

static const struct data_setting {
    const char *flag, *title;
    void (*value)(const wick_run_args *args, wki_data_setting *out);
} data_settings[] = {
    {"image-size", "Images made", size_value},     {"channels", "Channels made", channels_value},
    {"test-fraction", "Held out", fraction_value}, {"skip-broken", "Broken left out", broken_value},
    {"augment", "Augmentation", augment_value},    {"normalize", "Normalised", normalize_value},
};

bool wki_report_data_setting(const wick_run_args *args, int index, wki_data_setting *out)
{
    if (index < 0 || (size_t)index >= WKI_COUNT(data_settings))
        return false;
    const struct data_setting *setting = &data_settings[index];
    *out = (wki_data_setting){.flag = setting->flag, .title = setting->title};
    setting->value(args, out);
    if (out->shown[0] == '\0')
        strcpy(out->shown, out->value);
    return true;
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
    wki_data_setting data;
    for (int i = 0; wki_report_data_setting(args, i, &data); i++) {
        if (data.set && data.bare)
            wki_text_printf(&text, " --%s", data.flag);
        else if (data.set)
            put_flag(&text, data.flag, data.value);
    }
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
