#!/usr/bin/env python3
"""Writes the learning rates that torch.optim.lr_scheduler gives, step by step: schedules.txt beside this script.

    case KIND LR TOTAL KEY=VALUE...   then the learning rates of all TOTAL steps

Made with PyTorch 2.15; 1.13 gives the same within the test's tolerance.
"""
import os
import sys

import torch
from torch.optim import lr_scheduler

HERE = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
CASES = [
    ("constant", 0.1, 5, {}),
    ("constant", 0.1, 12, dict(warmup_steps=7, warmup_factor=0.3)),
    ("step", 0.1, 31, dict(step_size=7)),
    ("step", 0.4, 40, dict(step_size=3, gamma=0.7, warmup_steps=5)),
    ("multistep", 0.1, 30, dict(milestones="3,10,25")),
    ("multistep", 0.2, 20, dict(milestones="4,4,9", gamma=0.5, warmup_steps=2)),
    ("cosine", 0.1, 50, {}),
    ("cosine", 0.3, 1, {}),
    ("cosine", 0.05, 97, dict(min_lr=0.001)),
    ("cosine", 0.05, 60, dict(min_lr=0.001, warmup_steps=11, warmup_factor=0.001)),
    ("onecycle", 0.4, 100, {}),
    ("onecycle", 0.1, 37, dict(pct_start=0.2, div_factor=10.0, final_div_factor=100.0)),
    ("onecycle", 0.1, 15, dict(pct_start=0.9)),
    ("onecycle", 0.4, 50, dict(warmup_steps=8)),
]


def rates(make, optimizer, steps):
    scheduler, out = make(optimizer), []
    for _ in range(steps):
        out.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(out) < steps:
            scheduler.step()
    return out


def main():
    out = []
    for kind, lr, total, o in CASES:
        warmup, factor, gamma = o.get("warmup_steps", 0), o.get("warmup_factor", 0.01), o.get("gamma", 0.1)
        left = total - warmup
        make = {
            "constant": lambda opt: lr_scheduler.ConstantLR(opt, factor=1.0),
            "step": lambda opt: lr_scheduler.StepLR(opt, o.get("step_size"), gamma),
            "multistep": lambda opt: lr_scheduler.MultiStepLR(opt, [int(m) for m in o["milestones"].split(",")], gamma),
            "cosine": lambda opt: lr_scheduler.CosineAnnealingLR(opt, left, o.get("min_lr", 0.0)),
            "onecycle": lambda opt: lr_scheduler.OneCycleLR(
                opt, lr, left, pct_start=o.get("pct_start", 0.3), div_factor=o.get("div_factor", 25.0),
                final_div_factor=o.get("final_div_factor", 1e4), cycle_momentum=False),
        }[kind]
        optimizer = lambda rate: torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)
        after = rates(make, optimizer(lr), left)
        before = rates(lambda opt: lr_scheduler.LinearLR(opt, factor, 1.0, warmup), optimizer(after[0]), warmup) if warmup else []
        words = " ".join(f"{key}={value}" for key, value in o.items())
        out += [f"case {kind} {lr} {total} {words}".rstrip(), " ".join(repr(x) for x in before + after)]
    with open(os.path.join(HERE, "schedules.txt"), "w") as file:
        file.write("\n".join(out) + "\n")


main()
