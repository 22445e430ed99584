/* PyTorch's computer vision chapter in C: the data, three models, training, comparison,
 * predictions, the confusion matrix, saving and loading, in the chapter's order. Build it with: cc
 * chapter.c $(pkg-config --cflags --libs wick) */
#include <stdio.h>
#include <stdlib.h>
#include <wick/wick.h>

enum { BATCH_SIZE = 32, HIDDEN_UNITS = 10, EPOCHS = 3 };

static wick_context *ctx;

/* Every call says how it went, and the context says why. */
static void check(wick_status status)
{
    if (status != WICK_OK) {
        fprintf(stderr, "chapter: %s\n", wick_context_message(ctx));
        exit(1);
    }
}

/* 3.3 and 6.2: train and test for some epochs; returns the seconds it took. */
static double train(wick_module *model, wick_loader *train_loader, wick_loader *test_loader)
{
    wick_loss *loss_fn;
    wick_optimizer *optimizer;
    check(wick_cross_entropy_loss(ctx, &loss_fn));
    check(wick_sgd(model, &(wick_sgd_options){.lr = 0.1}, &optimizer));
    wick_manual_seed(ctx, 42);
    double start = wick_timer();
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        wick_metrics on_train, on_test;
        check(wick_train_step(model, train_loader, loss_fn, optimizer, NULL, &on_train));
        check(wick_test_step(model, test_loader, loss_fn, NULL, &on_test));
        printf("Epoch: %d\n-------\n", epoch);
        printf("Train loss: %.5f | Train acc: %.2f%%\n", on_train.loss, on_train.accuracy);
        printf("Test loss: %.5f | Test acc: %.2f%%\n\n", on_test.loss, on_test.accuracy);
    }
    double seconds = wick_timer() - start;
    printf("Train time on %s: %.3f seconds\n\n", wick_context_device(ctx), seconds);
    wick_optimizer_free(optimizer);
    wick_loss_free(loss_fn);
    return seconds;
}

/* 4: evaluate on the test set. */
static wick_metrics evaluate(wick_module *model, wick_loader *loader, wick_tensor **logits,
                             wick_tensor **labels)
{
    wick_loss *loss_fn;
    wick_metrics metrics;
    check(wick_cross_entropy_loss(ctx, &loss_fn));
    check(wick_eval_model(model, loader, loss_fn, NULL, &metrics, logits, labels));
    wick_loss_free(loss_fn);
    return metrics;
}

static void print_tensor(const wick_tensor *tensor)
{
    char *text;
    check(wick_tensor_format(tensor, 0, &text));
    puts(text);
    wick_free(text);
}

int main(void)
{
    if (wick_context_new(&ctx) != WICK_OK)
        return 1;

    /* 1. Get a data set. */
    wick_dataset *train_data, *test_data;
    check(wick_dataset_open(ctx, "fashion-mnist", NULL, WICK_TRAIN, &train_data));
    check(wick_dataset_open(ctx, "fashion-mnist", NULL, WICK_TEST, &test_data));
    wick_tensor *image;
    int64_t label;
    check(wick_dataset_get(train_data, 0, &image, &label));
    printf("%lld training and %lld test images; the first is class %lld, '%s'\n",
           (long long)wick_dataset_count(train_data), (long long)wick_dataset_count(test_data),
           (long long)label, wick_dataset_class(train_data, label));

    /* 2. Prepare loaders. */
    wick_loader *train_loader, *test_loader;
    check(wick_loader_new(train_data, &(wick_loader_options){.batch_size = BATCH_SIZE, .shuffle = true},
                          &train_loader));
    check(wick_loader_new(test_data, &(wick_loader_options){.batch_size = BATCH_SIZE}, &test_loader));
    printf("%lld training batches of %d, %lld test batches\n\n",
           (long long)wick_loader_length(train_loader), BATCH_SIZE,
           (long long)wick_loader_length(test_loader));

    /* 3. to 7. A baseline, a non-linear model, and a convolutional network. */
    int64_t classes = wick_dataset_class_count(train_data);
    wick_module *models[3];
    wick_metrics results[3];
    double seconds[3];
    wick_tensor *logits = NULL, *labels = NULL;
    for (int i = 0; i < 3; i++) {
        wick_manual_seed(ctx, 42);
        if (i == 0)
            check(wick_fashion_mnist_model_v0(ctx, 28 * 28, HIDDEN_UNITS, classes, &models[i]));
        else if (i == 1)
            check(wick_fashion_mnist_model_v1(ctx, 28 * 28, HIDDEN_UNITS, classes, &models[i]));
        else
            check(wick_fashion_mnist_model_v2(ctx, 1, HIDDEN_UNITS, classes, &models[i]));
        char *text;
        check(wick_module_format(models[i], &text));
        puts(text);
        wick_free(text);
        seconds[i] = train(models[i], train_loader, test_loader);
        results[i] = evaluate(models[i], test_loader, i == 2 ? &logits : NULL, i == 2 ? &labels : NULL);
    }

    /* 8. Compare. */
    printf("%-20s %10s %10s %13s\n", "model_name", "model_loss", "model_acc", "training_time");
    for (int i = 0; i < 3; i++)
        printf("%-20s %10.6f %10.6f %13.6f\n", wick_module_class_name(models[i]), results[i].loss,
               results[i].accuracy, seconds[i]);

    /* 9. Predictions for one image: [1, 28, 28] gets a batch dimension. */
    wick_tensor *batch, *probabilities;
    check(wick_tensor_unsqueeze(image, 0, &batch));
    check(wick_make_predictions(models[2], batch, &probabilities));
    print_tensor(probabilities);

    /* 10. Confusion matrix: rows are the truth. */
    wick_tensor *predictions, *confusion;
    check(wick_tensor_argmax(logits, &predictions));
    check(wick_confusion_matrix(labels, predictions, classes, &confusion));
    print_tensor(confusion);

    /* 11. Save, load into a new instance, and evaluate again. */
    wick_state_dict *saved, *loaded;
    wick_module *loaded_model;
    check(wick_module_state_dict(models[2], &saved));
    check(wick_save(saved, "03_pytorch_computer_vision_model_2.pth"));
    check(wick_load(ctx, "03_pytorch_computer_vision_model_2.pth", &loaded));
    check(wick_fashion_mnist_model_v2(ctx, 1, HIDDEN_UNITS, classes, &loaded_model));
    check(wick_module_load_state_dict(loaded_model, loaded));
    wick_metrics again = evaluate(loaded_model, test_loader, NULL, NULL);
    printf("The loaded model's loss is close to the saved one's: %s\n",
           wick_isclose(results[2].loss, again.loss, 1e-5, 1e-8) ? "True" : "False");

    wick_tensor *tensors[] = {image, batch, probabilities, logits, labels, predictions, confusion};
    for (size_t i = 0; i < sizeof(tensors) / sizeof(tensors[0]); i++)
        wick_tensor_free(tensors[i]);
    wick_state_dict_free(saved);
    wick_state_dict_free(loaded);
    wick_module_free(loaded_model);
    for (int i = 0; i < 3; i++)
        wick_module_free(models[i]);
    wick_loader_free(train_loader);
    wick_loader_free(test_loader);
    wick_dataset_free(train_data);
    wick_dataset_free(test_data);
    wick_context_free(ctx);
    return 0;
}
