/* torch.nn.init, as nn.Linear and nn.Conv2d use it. The bounds are worked out in double in the order in
 * which Python does it, so that they round alike. https://pytorch.org/docs/stable/nn.init.html */
#include "nn/layer_kind.h"

#include <math.h>

/* kaiming_uniform_(weight, a=sqrt(5)): gain(leaky_relu, a) * sqrt(3 / fan_in). */
static double kaiming_uniform_bound(int64_t fan_in)
{
    double a = sqrt(5.0);
    double gain = sqrt(2.0 / (1.0 + a * a));
    double std = gain / sqrt((double)fan_in);
    return sqrt(3.0) * std;
}

wick_status wki_init_weight_bias(wick_module *module, int64_t fan_in)
{
    double bound = kaiming_uniform_bound(fan_in);
    WKI_TRY(wick_tensor_uniform(module->parameters[0].value, NULL, -bound, bound));
    if (module->parameters[1].value == NULL)
        return WICK_OK;
    bound = 1.0 / sqrt((double)fan_in);
    return wick_tensor_uniform(module->parameters[1].value, NULL, -bound, bound);
}

wick_status wki_module_affine(wick_module *module, int ndim, const int64_t *shape, bool no_bias)
{
    WKI_TRY(wki_module_parameter(module, 0, "weight", ndim, shape));
    float *weight = wick_tensor_f32(module->parameters[0].value);
    for (int64_t i = 0; i < wick_tensor_numel(module->parameters[0].value); i++)
        weight[i] = 1.0f;
    return no_bias ? WICK_OK : wki_module_parameter(module, 1, "bias", ndim, shape);
}
