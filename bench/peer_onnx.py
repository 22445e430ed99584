"""ONNX Runtime, for bench/compare: reads one command a line from stdin, as JSON, and answers with one line of JSON.

Run by a Python that has onnxruntime, onnx and numpy. The model is the chapter's V2, with random weights.
"""
import json
import statistics
import sys
import time

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def make_model(hidden=10):
    random = numpy.random.default_rng(42)
    nodes, weights = [], []

    def weight(name, *shape):
        weights.append(numpy_helper.from_array((random.random(shape, numpy.float32) - 0.5) / 5, name))
        return name

    def add(kind, inputs, output, **attributes):
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    x, channels = "x", 1
    for block in (1, 2):
        for layer in (0, 2):
            name = f"conv_block_{block}.{layer}"
            x = add("Conv", [x, weight(name + ".weight", hidden, channels, 3, 3), weight(name + ".bias", hidden)],
                    name, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
            x = add("Relu", [x], name + ".relu")
            channels = hidden
        x = add("MaxPool", [x], f"pool_{block}", kernel_shape=[2, 2], strides=[2, 2])
    x = add("Flatten", [x], "flat")
    add("Gemm", [x, weight("classifier.weight", 10, hidden * 49), weight("classifier.bias", 10)], "logits", transB=1)
    graph = helper.make_graph(
        nodes, "FashionMNISTModelV2",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, 28, 28])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 10])], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model.SerializeToString()


def hello():
    return {"onnxruntime": onnxruntime.__version__, "python": sys.version.split()[0]}


def infer(batch, threads, seconds):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(make_model(), options, providers=["CPUExecutionProvider"])
    x = numpy.random.default_rng(1).random((batch, 1, 28, 28), numpy.float32)
    (logits,) = session.run(None, {"x": x})
    assert logits.shape == (batch, 10) and numpy.isfinite(logits).all()
    binding = session.io_binding()
    binding.bind_cpu_input("x", x)
    binding.bind_output("logits")
    # The faster of its two ways.
    ways = [lambda: session.run(None, {"x": x}), lambda: session.run_with_iobinding(binding)]
    return {"seconds": min(median_time(way, seconds / 2) for way in ways)}


def median_time(run, seconds):
    once = float("inf")
    for _ in range(30):
        before = time.perf_counter()
        run()
        once = min(once, time.perf_counter() - before)
    count = max(1, int(1e-3 / once))
    samples = []
    start = time.perf_counter()
    while len(samples) < 3 or (time.perf_counter() - start < seconds and len(samples) < 1000):
        before = time.perf_counter()
        for _ in range(count):
            run()
        samples.append((time.perf_counter() - before) / count)
    return statistics.median(samples)


for line in sys.stdin:
    command = json.loads(line)
    try:
        answer = {"hello": hello, "infer": infer}[command.pop("do")](**command)
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}".split("\n")[0]}
    print(json.dumps(answer), flush=True)
