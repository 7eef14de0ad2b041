"""PyTorch's side of the benchmarks: a process that answers JSON lines on stdin with JSON lines on stdout.

{"prepare": name, "work": what, "threads": n}  -> {"ok": true} or {"cannot": reason}
{"sample": name, "seconds": s}                 -> {"seconds": of the fastest variant, "variants": of each}
{"median": name, "seconds": s}                 -> the same of the median instead of the best
{"release": name}                              -> {"ok": true}
{"peak": work, "layout": l, "steps": n, "threads": n} -> {"imported": bytes in memory before, "peak": at most meanwhile}

What there is to compute comes as data; work.ts says which kinds there are. A sample runs each variant (contiguous NCHW and
channels_last where both apply) for about s seconds and reports the fastest, timed here so that the pipe costs PyTorch
nothing.
"""

import json
import re
import statistics
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

from pytorch_networks import NETWORKS

# Operations that are run several times in a row, so that the clock does not weigh in.
TINY_RUNS = 1000


def fill(*shape, requires_grad=False):
    return torch.rand(shape).sub_(0.5).requires_grad_(requires_grad)


def images(batch, height, width, channels):
    """Of the shape that PyTorch wants, whatever their layout."""
    return fill(batch, channels, height, width)


def laid_out(tensor, layout, requires_grad=False):
    """The tensor in a memory format, as a leaf of its own."""
    return tensor.detach().contiguous(memory_format=layout).requires_grad_(requires_grad)


LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def per_layout(make):
    return {name: make(layout) for name, layout in LAYOUTS.items()}


def plain(run):
    """The only variant: computes without recording."""

    def quiet():
        with torch.no_grad():
            return run()

    return {"contiguous": quiet}


def matmul(work):
    a, b = fill(work["size"], work["size"]), fill(work["size"], work["size"])
    return plain(lambda: a @ b)


def dense(work):
    batch, inputs, units = work["batch"], work["inputs"], work["units"]
    x, weight, bias, dy = fill(batch, inputs), fill(units, inputs), fill(units), fill(batch, units)
    # The gradients are the products that autograd computes for F.linear.
    return plain(
        {
            "forward": lambda: F.linear(x, weight, bias),
            "input": lambda: dy @ weight,
            "weight": lambda: dy.t() @ x,
        }[work["direction"]]
    )


def conv2d(work):
    size, kernel, stride, filters = work["size"], work["kernel"], work["stride"], work["filters"]
    padding, direction = (kernel - 1) // 2, work["direction"]

    def make(layout):
        recorded = direction == "all"
        x = laid_out(images(work["batch"], size, size, work["channels"]), layout, recorded)
        weight = laid_out(fill(filters, work["channels"], kernel, kernel), layout, recorded)
        bias = fill(filters, requires_grad=recorded)

        def forward():
            return F.conv2d(x, weight, bias, stride=stride, padding=padding)

        dy = laid_out(torch.rand_like(forward()), layout)
        wanted = [direction == "input", direction == "weight", False]

        def run():
            if direction == "all":
                return torch.autograd.grad(forward(), [x, weight, bias], dy)
            with torch.no_grad():
                if direction == "forward":
                    return forward()
                return torch.ops.aten.convolution_backward(
                    dy, x, weight, [filters], [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1, wanted
                )

        return run

    return per_layout(make)


def memory_bound(work):
    op, shape, recorded = work["op"], work["shape"], work["direction"] == "all"

    def make(layout):
        x = images(*shape) if layout is not None else fill(*shape)
        x = laid_out(x, layout or torch.contiguous_format, recorded)
        other = torch.rand_like(x.detach())
        channels = shape[-1]
        gamma, beta = fill(channels, requires_grad=recorded), fill(channels, requires_grad=recorded)
        labels = torch.arange(shape[0]) % channels
        call = {
            "relu": lambda: F.relu(x),
            "gelu": lambda: F.gelu(x),
            "sigmoid": lambda: torch.sigmoid(x),
            "tanh": lambda: torch.tanh(x),
            "add": lambda: x + other,
            "mul": lambda: x * other,
            "maxPool2d": lambda: F.max_pool2d(x, 2),
            "batchNorm": lambda: F.batch_norm(x, None, None, gamma, beta, training=True),
            "layerNorm": lambda: F.layer_norm(x, [channels], gamma, beta),
            "softmax": lambda: F.softmax(x, -1),
            "softmaxCrossEntropy": lambda: F.cross_entropy(x, labels),
            "dropout": lambda: F.dropout(x, 0.5, training=True),
        }[op]
        wanted = [x, gamma, beta] if op in ("batchNorm", "layerNorm") else [x]
        dy = torch.rand_like(call().detach())

        def run():
            if recorded:
                return torch.autograd.grad(call(), wanted, dy)
            with torch.no_grad():
                return call()

        return run

    # Where only numbers count, and not where they lie, one layout is enough.
    if op in ("maxPool2d", "batchNorm", "relu"):
        return per_layout(make)
    return {"contiguous": make(None)}


def batch_of(work):
    shape = [work["batch"], *work["input"]]
    return images(*shape) if len(shape) == 4 else fill(*shape)


def make_optimizer(work, parameters, **kind):
    rate = work["learningRate"]
    if work["optimizer"] == "adam":
        return torch.optim.Adam(parameters, lr=rate, **kind)
    return torch.optim.SGD(parameters, lr=rate, momentum=0.9 if work["optimizer"] == "momentum" else 0, **kind)


def update(work):
    def make(**kind):
        if isinstance(work["parameters"], int):
            parameters = [nn.Parameter(fill(work["parameters"]))]
        else:
            parameters = list(NETWORKS[work["parameters"]]().parameters())
        for parameter in parameters:
            parameter.grad = torch.rand_like(parameter).mul_(1e-3)
        return make_optimizer(work, parameters, **kind).step

    return {"fused": make(fused=True), "default": make()}


def training_step(work, x, layout):
    torch.manual_seed(1)
    model, xs = NETWORKS[work["network"]](), x
    if x.dim() == 4:
        model, xs = model.to(memory_format=layout), x.contiguous(memory_format=layout)
    labels = torch.arange(len(xs)) % work["classes"]
    optimizer = make_optimizer(work, list(model.parameters()), fused=True)

    def run():
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(xs), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return run


def step(work):
    x = batch_of(work)
    if x.dim() == 4:
        return per_layout(lambda layout: training_step(work, x, layout))
    return {"contiguous": training_step(work, x, None)}


def inference(work):
    x = batch_of(work)

    def make(layout):
        model, xs = NETWORKS[work["network"]]().to(memory_format=layout).eval(), x.contiguous(memory_format=layout)

        def run():
            with torch.inference_mode():
                return model(xs)

        return run

    return per_layout(make)


def tiny(work):
    a, b = fill(work["size"]), fill(work["size"])

    def run():
        for _ in range(TINY_RUNS):
            a + b

    return plain(run)


KINDS = {
    "matmul": matmul, "dense": dense, "conv2d": conv2d, "update": update, "step": step, "inference": inference,
    "tiny": tiny,
}  # fmt: skip

prepared = {}


def variants_of(work):
    """name -> function that does the work once."""
    return KINDS.get(work["op"], memory_bound)(work)


def chunk_times(run, seconds):
    """For about `seconds`, chunks of 20 ms or one run: the mean time of a run in each. It is what benny does for the others."""
    times, start = [], time.perf_counter()
    while True:
        count, chunk = 0, time.perf_counter()
        while True:
            run()
            count += 1
            now = time.perf_counter()
            if now - chunk >= 0.02:
                break
        times.append((now - chunk) / count)
        if now - start >= seconds:
            return times


def prepare(name, work, threads):
    torch.set_num_threads(threads)
    variants = variants_of(work)
    for run in variants.values():
        run()
        run()
    prepared[name] = (work, variants)
    return {"ok": True}


def sample(name, seconds, of=min):
    work, variants = prepared[name]
    share, runs = seconds / len(variants), TINY_RUNS if work["op"] == "tiny" else 1
    times = {variant: of(chunk_times(run, share)) / runs for variant, run in variants.items()}
    return {"seconds": min(times.values()), "variants": times}


def resident(field):
    """Bytes of this process: VmRSS are now in memory, VmHWM were at most."""
    with open("/proc/self/status") as status:
        return 1024 * int(re.search(rf"{field}:\s*(\d+)", status.read()).group(1))


def peak(work, layout, steps, threads):
    torch.set_num_threads(threads)
    imported = resident("VmRSS")
    run = training_step(work, batch_of(work), LAYOUTS[layout])
    for _ in range(steps):
        run()
    return {"imported": imported, "peak": resident("VmHWM")}


def answer(request):
    if "prepare" in request:
        return prepare(request["prepare"], request["work"], request["threads"])
    if "release" in request:
        prepared.pop(request["release"], None)
        return {"ok": True}
    if "peak" in request:
        return peak(request["peak"], request["layout"], request["steps"], request["threads"])
    if "median" in request:
        return sample(request["median"], request["seconds"], statistics.median)
    return sample(request["sample"], request["seconds"])


def main():
    print(json.dumps({"version": torch.__version__}), flush=True)
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line))
        except Exception as error:  # the other side shows it beside the job
            reply = {"cannot": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
