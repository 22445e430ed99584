#include "settings.h"

wick_status settings_use_machine(cli_app *app, const cli_machine_args *args)
{
    TRY(wick_context_set_threads(app->context, (int)args->threads));
    wick_status status = wick_context_set_device(app->context, args->device);
    return status == WICK_EINVAL ? app_blame_usage(app, status) : status;
}
