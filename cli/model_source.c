#include "model_source.h"

#include "classes.h"
#include "output_files.h"
#include "settings.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- what the model is for ---- */

static wick_status take_facts(cli_app *app, cli_source *source, const int64_t *image_shape,
                              int64_t class_count, const char *const *classes)
{
    memcpy(source->image_shape, image_shape, sizeof(source->image_shape));
    source->class_count = class_count;
    source->classes = calloc((size_t)class_count, sizeof(*source->classes));
    if (source->classes == NULL)
        return app_fail(app, WICK_ENOMEM, "out of memory");
    for (int64_t i = 0; i < class_count; i++)
        source->classes[i] = classes != NULL ? classes[i] : wick_dataset_class(source->dataset, i);
    return WICK_OK;
}

/* Of a file's model: by the name of the data, or from the data. */
static wick_status find_facts(cli_app *app, cli_source *source)
{
    wick_dataset_facts facts;
    if (wick_dataset_known_facts(source->data.data, &facts)) {
        TRY(data_shape(app, &source->data, facts.image_shape));
        return take_facts(app, source, facts.image_shape, facts.class_count, facts.classes);
    }
    TRY(source_dataset(app, source, WICK_TEST));
    return take_facts(app, source, wick_dataset_image_shape(source->dataset),
                      wick_dataset_class_count(source->dataset), NULL);
}

/* ---- the model ---- */

static wick_status load_weights(cli_app *app, cli_source *source)
{
    wick_state_dict *dict;
    TRY(wick_load(app->context, source->weights, &dict));
    wick_status status = wick_module_load_state_dict(source->model, dict);
    wick_state_dict_free(dict);
    if (status != WICK_OK)
        return app_fail(app, status, "%s: %s", source->weights, wick_context_message(app->context));
    return WICK_OK;
}

static wick_status open_file(cli_app *app, const char *path, const cli_source_args *args,
                             cli_source *source)
{
    if (args->model == NULL)
        return app_usage(
            app, "'%s' is no run's folder; of a file, say with --model which model it is of", path);
    TRY(model_choose(app, args->model, args->hidden_units != 0, &source->choice));
    source->weights = strdup(path);
    if (source->weights == NULL)
        return app_fail(app, WICK_ENOMEM, "out of memory");
    source->data.data = args->data != NULL ? args->data : "fashion-mnist";
    source->data.data_dir = args->data_dir;
    source->data.image_size = args->image_size;
    source->data.channels = args->channels;
    data_read_as(&source->data, args->skip_broken, args->memory_limit);
    TRY(data_normalize(app, args->normalize, 0, source->mean, source->std, &source->data));
    TRY(find_facts(app, source));
    TRY(data_normalize(app, args->normalize, source->image_shape[0], source->mean, source->std,
                       &source->data));
    TRY(model_make(app, &source->choice, source->image_shape,
                   args->hidden_units != 0 ? args->hidden_units : 10, source->class_count,
                   &source->model));
    return load_weights(app, source);
}

static wick_status open_run(cli_app *app, const char *folder, const cli_source_args *args,
                            cli_source *source)
{
    if (args->model != NULL || args->hidden_units != 0)
        return app_usage(
            app, "--model and --hidden-units are for a file; '%s' is a run's folder and knows its own",
            folder);
    TRY(data_of_file_alone(app, folder, args->image_size, args->channels, args->normalize));
    TRY(wick_run_open(app->context, folder, &source->run));
    const wick_run_args *run = wick_run_get_args(source->run);
    data_of_run(run, &source->data);
    data_read_as(&source->data, args->skip_broken, args->memory_limit);
    source->data.batch_size = source->data.limit = 0;
    if (args->data != NULL) {
        source->data.data = args->data;
        source->data.data_dir = NULL;
        source->data.test_fraction = 0;
    }
    if (args->data_dir != NULL)
        source->data.data_dir = args->data_dir;
    TRY(path_join(app, folder, "model.pth", &source->weights));
    TRY(take_facts(app, source, run->image_shape, run->class_count, run->classes));
    return wick_run_load_model(source->run, &source->model);
}

wick_status source_open(cli_app *app, const char *operand, const cli_source_args *args,
                        cli_source *source)
{
    TRY(is_folder(operand) ? open_run(app, operand, args, source)
                           : open_file(app, operand, args, source));
    model_set_tta(source->model, args->tta);
    if (source->run != NULL)
        note_flips(app, model_tta(source->model), wick_run_get_args(source->run)->augment);
    return WICK_OK;
}

void source_release(cli_source *source)
{
    wick_module_free(source->model);
    wick_dataset_free(source->dataset);
    wick_run_free(source->run);
    free(source->classes);
    free(source->weights);
    model_release(&source->choice);
    memset(source, 0, sizeof(*source));
}

/* ---- the data ---- */

static wick_status check_fits(cli_app *app, const cli_source *source)
{
    const int64_t *shape = wick_dataset_image_shape(source->dataset);
    if (source->classes == NULL)
        return WICK_OK;
    if (memcmp(shape, source->image_shape, sizeof(source->image_shape)) != 0)
        return app_fail(app, WICK_ESHAPE,
                        "%s: its model is for images of [%" PRId64 ", %" PRId64 ", %" PRId64
                        "], but those of the data set '%s' are [%" PRId64 ", %" PRId64 ", %" PRId64 "]",
                        source->weights, source->image_shape[0], source->image_shape[1],
                        source->image_shape[2], source->data.data, shape[0], shape[1], shape[2]);
    const wick_run_args *run = source->run == NULL ? NULL : wick_run_get_args(source->run);
    return classes_check(app, source->weights, source->class_count, run == NULL ? NULL : run->classes,
                         run != NULL && strcmp(source->data.data, run->data) == 0, source->data.data,
                         source->dataset);
}

wick_status source_dataset(cli_app *app, cli_source *source, wick_split split)
{
    if (source->dataset != NULL && wick_dataset_split(source->dataset) == split)
        return WICK_OK;
    wick_dataset *dataset;
    TRY(dataset_open(app, &source->data, split, &dataset));
    wick_dataset *before = source->dataset;
    source->dataset = dataset;
    wick_status status = check_fits(app, source);
    /* The names may be those of the half that was open before. */
    for (int64_t i = 0;
         status == WICK_OK && before != NULL && source->classes != NULL && i < source->class_count; i++)
        if (source->classes[i] == wick_dataset_class(before, i))
            source->classes[i] = wick_dataset_class(dataset, i);
    if (status == WICK_OK) {
        wick_dataset_free(before);
    } else {
        source->dataset = before;
        wick_dataset_free(dataset);
    }
    return status;
}

/* The mean brightness along the edges of the first images. */
static wick_status edges_of_data(const wick_dataset *dataset, double *mean)
{
    enum { LOOKED_AT = 64 };
    int64_t count = wick_dataset_count(dataset) < LOOKED_AT ? wick_dataset_count(dataset) : LOOKED_AT;
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        wick_tensor *image;
        double edges;
        TRY(wick_dataset_get_pixels(dataset, i, &image));
        wick_status status = wick_image_edge_brightness(image, &edges);
        wick_tensor_free(image);
        TRY(status);
        sum += edges;
    }
    *mean = count == 0 ? 0 : sum / (double)count;
    return WICK_OK;
}

wick_status source_is_light(cli_app *app, cli_source *source, bool *light)
{
    wick_dataset_facts facts;
    double edges = 0;
    if (!wick_dataset_known_facts(source->data.data, &facts)) {
        wick_status status = source_dataset(app, source, WICK_TEST);
        if (status == WICK_OK)
            TRY(edges_of_data(source->dataset, &edges));
        app->message[0] = '\0';
        app->usage = false;
    }
    *light = edges > 127;
    return WICK_OK;
}
