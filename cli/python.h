/* Printing as Python and PyTorch print. */
#ifndef CLI_PYTHON_H
#define CLI_PYTHON_H

#include "app.h"

/* repr(float): the shortest digits that give the same number back. */
void python_repr(double number, char out[32]);
/* "torch.Size([1, 28, 28])". Returns out. */
enum { SIZE_TEXT = 256 };
const char *python_size(int ndim, const int64_t *shape, char out[SIZE_TEXT]);
const char *python_tensor_size(const wick_tensor *tensor, char out[SIZE_TEXT]);

/* print(f"{before}{tensor}{after}"), lines after the first indented by indent more. */
wick_status say_tensor(const cli_app *app, const char *before, const wick_tensor *tensor, int indent,
                       const char *after);
/* {'model_acc': ..., 'model_loss': ..., 'model_name': ...} in three lines, as a notebook shows a dict.
 * */
void say_model_results(const cli_app *app, const char *model_name, double model_loss, double model_acc);
/* train_data.classes and train_data.class_to_idx as a notebook shows them: in one line if that is
 * short. */
void say_classes(const cli_app *app, const wick_dataset *dataset);
wick_status say_class_to_idx(cli_app *app, const wick_dataset *dataset);
/* str(dataset), lines after the first indented by indent more, without a newline at the end. */
void say_dataset(const cli_app *app, const wick_dataset *dataset, int indent);
/* train_data.targets. */
wick_status say_targets(const cli_app *app, const char *before, const wick_dataset *dataset);

#endif
