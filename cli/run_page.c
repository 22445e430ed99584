#include "run_page.h"

#include <stdlib.h>

static wick_report report_of(const wick_run *run, const cli_steps *steps)
{
    return (wick_report){
        .run = run,
        .step_count = steps->losses == NULL ? 0 : steps->count,
        .step_losses = steps->losses,
        .step_stride = steps->stride,
    };
}

wick_status page_of_run(cli_app *app, const wick_run *run, const cli_steps *steps,
                        const wick_dataset *data, const wick_tensor *logits, const char *path)
{
    wick_report report = report_of(run, steps);
    char *own;
    report.data = data;
    report.logits = logits;
    if (path != NULL)
        return wick_report_write(app->context, &report, path);
    TRY(wick_run_path(run, "report.html", &own));
    wick_status status = wick_report_write(app->context, &report, own);
    wick_free(own);
    return status;
}

wick_status page_of_runs(cli_app *app, int count, wick_run *const *runs, const cli_steps *steps,
                         const char *path)
{
    wick_report *reports = calloc((size_t)count, sizeof(*reports));
    if (reports == NULL)
        return app_fail(app, WICK_ENOMEM, "out of memory");
    for (int i = 0; i < count; i++)
        reports[i] = report_of(runs[i], &steps[i]);
    wick_status status = wick_report_compare(app->context, count, reports, path);
    free(reports);
    return status;
}
