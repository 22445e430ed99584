#include "notebook.h"
#include "python.h"

static wick_status print_model(const cli_notebook *notebook, const wick_module *model)
{
    char *text;
    TRY(wick_module_format(model, &text));
    say(notebook->app, "%s\n", text);
    wick_free(text);
    return WICK_OK;
}

/* The model's answer to a random image, rand or randn, of the data's shape. */
static wick_status print_answer(const cli_notebook *notebook, wick_module *model, bool normal)
{
    const int64_t *image_shape = wick_dataset_image_shape(notebook->pair.train_data);
    const int64_t shape[4] = {1, image_shape[0], image_shape[1], image_shape[2]};
    char size[SIZE_TEXT];
    wick_tensor *image = NULL, *output = NULL;
    TRY((normal ? wick_randn : wick_rand)(notebook->app->context, NULL, 4, shape, &image));
    if (normal)
        say(notebook->app, "\n%s\n", python_size(3, image_shape, size));
    wick_status status = wick_module_forward(model, image, &output);
    wick_tensor_free(image);
    TRY(status);
    status = say_tensor(notebook->app, "\n", output, 0, "\n");
    wick_tensor_free(output);
    return status;
}

static wick_status print_state_dict(const cli_notebook *notebook, const wick_module *model)
{
    wick_state_dict *dict;
    char *text;
    TRY(wick_module_state_dict(model, &dict));
    wick_status status = wick_state_dict_format(dict, &text);
    wick_state_dict_free(dict);
    TRY(status);
    say(notebook->app, "\n%s\n", text);
    wick_free(text);
    return WICK_OK;
}

/* Trains the model of that number and prints what eval_model() gives. */
static wick_status train(cli_notebook *notebook, int number, const cli_style *style,
                         const char *training_title, const char *results_title)
{
    cli_training *training = &notebook->models[number];
    notebook_section(notebook, training_title);
    TRY(training_run(notebook->app, training, &notebook->pair, style));
    TRY(training_finish(notebook->app, training, &notebook->pair));
    const wick_results *results = wick_run_results(training->run);
    if (results_title != NULL)
        notebook_section(notebook, results_title);
    else
        say(notebook->app, "\n");
    say_model_results(notebook->app, results->model_name, results->model_loss, results->model_acc);
    return WICK_OK;
}

wick_status notebook_model_0(cli_notebook *notebook)
{
    cli_training *training = &notebook->models[0];
    TRY(training_begin(notebook->app, training, &notebook->pair));
    TRY(print_model(notebook, training->model));
    TRY(print_answer(notebook, training->model, false));
    TRY(print_state_dict(notebook, training->model));
    return train(notebook, 0, &style_model_0,
                 "3.3 Creating a training loop and training a model on batches of data",
                 "4. Make predictions and get Model 0 results");
}

wick_status notebook_model_1(cli_notebook *notebook)
{
    cli_training *training = &notebook->models[1];
    notebook_section(notebook, "5. Setup device agnostic-code");
    say(notebook->app, "'%s'\n", wick_context_device(notebook->app->context));
    notebook_section(notebook, "6. Model 1: Building a better model with non-linearity");
    TRY(training_begin(notebook->app, training, &notebook->pair));
    TRY(print_model(notebook, training->model));
    return train(notebook, 1, &style_model_1, "6.2 Functionizing training and evaluation/testing loops",
                 NULL);
}

wick_status notebook_model_2(cli_notebook *notebook)
{
    cli_training *training = &notebook->models[2];
    notebook_section(notebook, "7. Model 2: Building a Convolutional Neural Network (CNN)");
    TRY(training_begin(notebook->app, training, &notebook->pair));
    TRY(print_model(notebook, training->model));
    TRY(print_answer(notebook, training->model, true));
    TRY(notebook_layers(notebook));
    return train(notebook, 2, &style_model_2,
                 "7.4 Training and testing model_2 using our training and test functions", NULL);
}
