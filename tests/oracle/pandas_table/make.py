"""Writes pandas_table.txt: results of models, and the table that print(pandas.DataFrame(...)) makes of them.

    python3 make.py    (needs pandas)

A case is
    - NAME LOSS ACC TIME    a row; floats as Python's float.hex()
    | LINE                  of the table
    .
"""
import math
import os
import random

import pandas

HERE = os.path.dirname(os.path.abspath(__file__))
COLUMNS = ["model_name", "model_loss", "model_acc", "training_time"]
random.seed(42)
out = []


def case(*rows):
    frame = pandas.DataFrame([dict(zip(COLUMNS, row)) for row in rows])
    with pandas.option_context("display.width", None, "display.max_rows", None):
        text = frame.to_string()
    for name, *numbers in rows:
        out.append("- " + " ".join([name] + [float(x).hex() for x in numbers]))
    out.extend("| " + line for line in text.split("\n"))
    out.append(".")


V0, V1, V2 = ("FashionMNISTModelV%d" % i for i in range(3))
# The chapter's own.
case(
    (V0, 0.47663888335227966, 83.42651757188499, 26.74877341499996),
    (V1, 0.6850008368492126, 75.01996805111821, 20.041531),
    (V2, 0.31358689069747925, 88.56829073482429, 32.770459),
)
case((V0, 0.5, 50.0, 3.0))
case((V0, 0.5, 50.0, 3.0), ("net", 0.25, 100.0, 12.5))
case((V0, 2.3, 10.0, 0.1), (V1, float("nan"), 9.75, 0.0))
case((V0, float("nan"), 10.0, 0.1))
case((V0, float("inf"), 10.0, 0.1), (V2, 1.5, 10.25, 0.125))
case((V0, 1e-7, 100.0, 1e-3), (V1, 0.25, 10.0, 2.0))
case((V0, 1e-6, 99.9999999, 1234567.0), (V1, 0.25, 10.0, 2.0))
case((V0, 123456789.123, 0.0, 1234567890.5))
case((V0, 1e6, 1.0, 999999.9999999), (V2, 1.0, 1.0, 1.0))
case((V0, 0.0, 0.0, 0.0))
case(*[("m%d" % i, random.random() * 3, random.random() * 100, random.random() * 10**3) for i in range(12)])
case(*[("m%d" % i, i / 8, i / 4, float(i)) for i in range(101)])

with open(os.path.join(HERE, "pandas_table.txt"), "w") as file:
    file.write("# pandas %s\n" % pandas.__version__ + "\n".join(out) + "\n")
