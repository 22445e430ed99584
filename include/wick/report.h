/* A page that shows a run: one HTML file with everything in it.
 *
 * Pictures are data URIs, styles stand in the page, there is no script, and a Content-Security-Policy
 * forbids whatever might come in by way of a name: a class called <script> is text. The page follows the
 * reader's light or dark setting, prints in light, and fits a telephone as well as a wide screen.
 */
#ifndef WICK_REPORT_H
#define WICK_REPORT_H

#include <wick/plot.h>
#include <wick/run.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is shown. All is borrowed for the call. */
typedef struct wick_report {
    const wick_run *run;      /* finished */
    const wick_dataset *data; /* the half that it was tested on; NULL: no images */
    const wick_tensor
        *logits; /* float32 [images, classes], of all its images in order; NULL: results alone */
    const float *step_losses; /* as in wick_curve; step_count 0: none */
    int64_t step_count, step_stride;
    int64_t predictions, errors; /* how many of each are shown at most; 0: 10 and 20 */
} wick_report;

/* Writes the page of a run to path: what it came to, the settings, its curves, each class and the
 * confusion matrix, some predictions drawn by the run's seed, the wrong ones surest first, the classes
 * most often taken for each other, and how to do it all again. Where nothing can be drawn
 * (wick_plotter_new()) the curves are left out. path is at every moment what it was or whole.
 * Errors: WICK_EINVAL (a run without results, logits without data), WICK_ESHAPE (logits that do not
 * fit the data), WICK_EIO, WICK_ENOMEM. */
WICK_API wick_status wick_report_write(wick_context *context, const wick_report *report,
                                       const char *path);
/* The page of several runs: their results and settings side by side, and their curves; of each report
 * the run and the steps are used. Runs in folders below that of path are linked to their own pages,
 * report.html. count is 1 or more. */
WICK_API wick_status wick_report_compare(wick_context *context, int64_t count,
                                         const wick_report *reports, const char *path);

#ifdef __cplusplus
}
#endif
#endif
