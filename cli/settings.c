#include "settings.h"

wick_status settings_use_machine(cli_app *app, const cli_machine_args *args)
{
    TRY(wick_context_set_threads(app->context, (int)args->threads));
    wick_status status = wick_context_set_device(app->context, args->device);
    return status == WICK_EINVAL ? app_blame_usage(app, status) : status;
}

wick_status settings_check_model(cli_app *app, const char *model)
{
    static const int64_t image_shape[3] = {1, 28, 28};
    wick_module *module;
    wick_status status = wick_model_by_name(app->context, model, image_shape, 1, 1, &module);
    if (status == WICK_ENOENT)
        return app_blame_usage(app, status);
    TRY(status);
    wick_module_free(module);
    return WICK_OK;
}
