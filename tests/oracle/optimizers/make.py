#!/usr/bin/env python3
"""Writes what PyTorch's optimizers make of given gradients: optimizers.txt beside this script.

    parameters N...                    the sizes of the parameters; then their values
    gradients STEPS                    then the gradients of every step
    case NAME KEY=VALUE... : STEP...   then the parameters after each of these steps

Made with PyTorch 2.15 on a CPU; 1.13 gives the same within the test's tolerance.
"""
import os
import sys

import torch

HERE = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
SHAPES = [(5, 7), (5,), (3, 5), (3,)]  # Linear(7, 5); Linear(5, 3)
STEPS, KEPT = 20, [1, 2, 3, 10, 20]

CASES = [
    ("sgd", dict(lr=0.1)),
    ("sgd", dict(lr=0.1, weight_decay=0.01)),
    ("sgd", dict(lr=0.1, momentum=0.9)),
    ("sgd", dict(lr=0.05, momentum=0.9, dampening=0.3)),
    ("sgd", dict(lr=0.05, momentum=0.9, weight_decay=5e-4)),
    ("sgd", dict(lr=0.05, momentum=0.9, weight_decay=5e-4, nesterov=True)),
    ("sgd", dict(lr=0.02, momentum=0.5, dampening=-0.5, weight_decay=0.1)),
    ("sgd", dict(lr=0.05, momentum=0.9, weight_decay=0.5, nesterov=True, no_decay_bias=True)),
    ("sgd", dict(lr=0.05, weight_decay=0.5, no_decay_bias=True)),
    ("adam", dict()),
    ("adam", dict(lr=0.01, beta1=0.8, beta2=0.99, eps=1e-3)),
    ("adam", dict(lr=0.01, weight_decay=0.1)),
    ("adam", dict(lr=0.01, beta1=0.0, beta2=0.9)),
    ("adam", dict(lr=0.01, weight_decay=0.1, no_decay_bias=True)),
    ("adamw", dict()),
    ("adamw", dict(lr=0.01, weight_decay=0.0)),
    ("adamw", dict(lr=0.02, beta1=0.7, beta2=0.95, weight_decay=0.3)),
    ("adamw", dict(lr=0.02, weight_decay=0.3, no_decay_bias=True)),
]
# With gradients clipped, and the moving average instead of the parameters.
CASES += [
    ("sgd", dict(lr=0.1, momentum=0.9, clip=1.5)),
    ("adam", dict(lr=0.01, clip=0.5)),
    ("sgd", dict(lr=0.1, ema=0.9)),
    ("sgd", dict(lr=0.1, momentum=0.9, ema=0.6, ema_warmup=True)),
    ("adamw", dict(lr=0.02, clip=1.0, ema=0.95, ema_warmup=True)),
]
# With OneCycleLR over all steps, which cycles the momentum or the first beta.
CASES += [
    ("sgd", dict(lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True, base_momentum=0.85, max_momentum=0.95)),
    ("sgd", dict(lr=0.1, momentum=0.5, dampening=0.1, base_momentum=0.1, max_momentum=0.6)),
    ("adam", dict(lr=0.05, base_momentum=0.85, max_momentum=0.95)),
    ("adamw", dict(lr=0.05, beta1=0.5, beta2=0.9, base_momentum=0.3, max_momentum=0.7)),
]
CLASSES = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


def numbers(tensors):
    return "\n".join(" ".join(f"{x:.9g}" for x in t.detach().reshape(-1).tolist()) for t in tensors)


def make_optimizer(name, options, parameters):
    options = dict(options)
    if "beta1" in options:
        options["betas"] = (options.pop("beta1"), options.pop("beta2"))
    groups = parameters
    if options.pop("no_decay_bias", False):
        groups = [{"params": [p for p in parameters if p.dim() > 1]},
                  {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0}]
    return CLASSES[name](groups, **options)


class Average:
    """torch.optim.swa_utils.AveragedModel for lists; the warm-up is timm's ModelEmaV3's with use_warmup=True."""

    def __init__(self, parameters, decay, warmup):
        self.values, self.decay, self.warmup, self.steps = [p.detach().clone() for p in parameters], decay, warmup, 0

    def update(self, parameters):
        self.steps += 1
        step = max(0, self.steps - 1)
        decay = 0.0 if step <= 0 else min(1 - (1 + step / 1.0) ** -(2 / 3), self.decay) if self.warmup else self.decay
        for value, p in zip(self.values, parameters):
            value.lerp_(p.detach(), 1.0 - decay)


def run_case(out, name, options, start, gradients):
    parameters = [torch.nn.Parameter(p.clone()) for p in start]
    made = {key: value for key, value in options.items() if key not in ("clip", "ema", "ema_warmup", "base_momentum", "max_momentum")}
    optimizer = make_optimizer(name, made, parameters)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, options["lr"], STEPS, base_momentum=options["base_momentum"], max_momentum=options["max_momentum"]
    ) if "max_momentum" in options else None
    average = Average(parameters, options["ema"], options.get("ema_warmup", False)) if "ema" in options else None
    words = " ".join(f"{key}={float(value):.17g}" for key, value in options.items())
    out.append(f"case {name} {words} : " + " ".join(str(k) for k in KEPT))
    for step in range(STEPS):
        for p, g in zip(parameters, gradients[step]):
            p.grad = g.clone()
        if "clip" in options:
            torch.nn.utils.clip_grad_norm_(parameters, options["clip"])
        optimizer.step()
        if cycle is not None and step + 1 < STEPS:
            cycle.step()
        if average is not None:
            average.update(parameters)
        if step + 1 in KEPT:
            out.append(numbers(parameters if average is None else average.values))


def main():
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(42)
    start = [torch.randn(shape, generator=generator) for shape in SHAPES]
    gradients = [[torch.randn(shape, generator=generator) * 10 ** (-step / 7) for shape in SHAPES] for step in range(STEPS)]
    gradients[3][1].zero_()
    out = ["parameters " + " ".join(str(p.numel()) for p in start), numbers(start), f"gradients {STEPS}"]
    out += [numbers(step) for step in gradients]
    for name, options in CASES:
        run_case(out, name, options, start, gradients)
    with open(os.path.join(HERE, "optimizers.txt"), "w") as file:
        file.write("\n".join(out) + "\n")


main()
