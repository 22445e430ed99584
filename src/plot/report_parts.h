/* Parts of pages that one run's and several runs' have in common. */
#ifndef WKI_REPORT_PARTS_H
#define WKI_REPORT_PARTS_H

#include "plot/page.h"

#include <wick/report.h>

/* WICK_EINVAL for a run without results, and for steps without losses. */
wick_status wki_report_check(wick_context *context, const wick_report *report);
/* The last part of a path: what a data set's folder is called. */
const char *wki_last_part(const char *path);
/* What was made of the images, as wick train's flags have it. */
typedef struct wki_data_setting {
    const char *flag, *title;
    bool set, bare; /* a bare flag takes no value */
    char value[256];
    char shown[256]; /* the same to be read */
} wki_data_setting;
/* Setting `index`, from 0 on; false if there are not so many. */
bool wki_report_data_setting(const wick_run_args *args, int index, wki_data_setting *out);
/* The command that trains such a model. As text. Owned: free(). */
wick_status wki_report_command(wick_context *context, const wick_run_args *args, char **out);
/* The rows of an epoch table, head and foot with it. */
void wki_report_epochs(wki_page *page, const char *caption, const wick_epoch *epochs, int64_t count);

#endif
