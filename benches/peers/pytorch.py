"""PyTorch's side of the benchmarks: a process that answers JSON lines on stdin with JSON lines on stdout.

{"prepare": job, "threads": n}  -> {"ok": true} or {"cannot": reason}
{"sample": job, "seconds": s}   -> {"seconds": time of one run, "variant": which of its layouts was that}
{"release": job}                -> {"ok": true}

A sample runs each variant (contiguous NCHW and channels_last where both apply) for about s seconds and reports the
fastest, timed here so that the pipe costs PyTorch nothing. Sizes are those of jobs.ts.
"""

import json
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


def fill(*shape, requires_grad=False):
    return torch.rand(shape).sub_(0.5).requires_grad_(requires_grad)


def laid_out(tensor, layout):
    """The tensor in a memory format, as a leaf of its own."""
    return tensor.detach().contiguous(memory_format=layout).requires_grad_(tensor.requires_grad)


def per_layout(make):
    return {
        "contiguous": make(torch.contiguous_format),
        "channels_last": make(torch.channels_last),
    }


def matmul(size):
    a, b = fill(size, size), fill(size, size)

    def run():
        with torch.no_grad():
            return a @ b

    return {"contiguous": run}


def conv(backward):
    def make(layout):
        x = laid_out(fill(64, 32, 32, 32, requires_grad=backward), layout)
        weight = laid_out(fill(32, 32, 3, 3, requires_grad=backward), layout)
        bias = fill(32, requires_grad=backward)
        dy = laid_out(fill(64, 32, 32, 32), layout)

        def run():
            if not backward:
                with torch.no_grad():
                    return F.conv2d(x, weight, bias, padding=1)
            return torch.autograd.grad(F.conv2d(x, weight, bias, padding=1), [x, weight, bias], dy)

        return run

    return per_layout(make)


def memory_bound(name, backward):
    def make(layout):
        x = laid_out(fill(64, 64, 32, 32, requires_grad=backward), layout)
        gamma, beta = fill(64, requires_grad=backward), fill(64, requires_grad=backward)
        call = {
            "relu": lambda: F.relu(x),
            "maxPool": lambda: F.max_pool2d(x, 2),
            "batchNorm": lambda: F.batch_norm(x, None, None, gamma, beta, training=True),
        }[name]
        wanted = [x, gamma, beta] if name == "batchNorm" else [x]
        dy = torch.rand_like(call().detach())

        def run():
            if not backward:
                with torch.no_grad():
                    return call()
            return torch.autograd.grad(call(), wanted, dy)

        return run

    return per_layout(make)


def training(network, optimizer_name, x, classes):
    def make(layout):
        torch.manual_seed(1)
        model = network()
        images = x
        if x.dim() == 4:
            model, images = model.to(memory_format=layout), x.contiguous(memory_format=layout)
        labels = torch.arange(len(x)) % classes
        parameters = list(model.parameters())
        if optimizer_name == "adam":
            optimizer = torch.optim.Adam(parameters, lr=1e-3, fused=True)
        else:
            optimizer = torch.optim.SGD(parameters, lr=1e-2)

        def run():
            optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            return loss.item()

        return run

    return per_layout(make) if x.dim() == 4 else {"contiguous": make(torch.contiguous_format)}


def inference(network, x):
    def make(layout):
        model, images = network().to(memory_format=layout).eval(), x.contiguous(memory_format=layout)

        def run():
            with torch.inference_mode():
                return model(images)

        return run

    return per_layout(make)


def mlp():
    return nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))


def mnist_cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(7 * 7 * 64, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip


def vgg_small():
    layers, channels = [], 3
    for filters in (64, 128, 256):
        for _ in range(2):
            layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU()]
            channels = filters
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * 4 * 256, 10))


def tiny_op():
    a, b = fill(16), fill(16)

    def run():
        with torch.no_grad():
            for _ in range(RUNS_PER_CALL["tiny-op"]):
                a + b

    return {"contiguous": run}


JOBS = {
    "matmul-256": lambda: matmul(256),
    "matmul-512": lambda: matmul(512),
    "matmul-1024": lambda: matmul(1024),
    "conv2d": lambda: conv(False),
    "conv2d-backward": lambda: conv(True),
    "relu": lambda: memory_bound("relu", False),
    "batch-norm": lambda: memory_bound("batchNorm", False),
    "batch-norm-backward": lambda: memory_bound("batchNorm", True),
    "max-pool2d": lambda: memory_bound("maxPool", False),
    "max-pool2d-backward": lambda: memory_bound("maxPool", True),
    "mlp-step": lambda: training(mlp, "sgd", fill(64, 784), 10),
    "cnn-step-sgd": lambda: training(mnist_cnn, "sgd", fill(64, 1, 28, 28), 10),
    "cnn-step-adam": lambda: training(mnist_cnn, "adam", fill(64, 1, 28, 28), 10),
    "cnn-inference": lambda: inference(mnist_cnn, fill(64, 1, 28, 28)),
    "vgg-step": lambda: training(vgg_small, "sgd", fill(64, 3, 32, 32), 10),
    "tiny-op": tiny_op,
}

# Jobs whose function runs them several times, so that the clock does not weigh in.
RUNS_PER_CALL = {"tiny-op": 1000}

prepared = {}


def best_time(run, seconds):
    """The fastest of the chunks of 20 ms or one run that fit in `seconds`, per run: what benny does for the others."""
    best, start = float("inf"), time.perf_counter()
    while True:
        count, chunk = 0, time.perf_counter()
        while True:
            run()
            count += 1
            now = time.perf_counter()
            if now - chunk >= 0.02:
                break
        best = min(best, (now - chunk) / count)
        if now - start >= seconds:
            return best


def answer(request):
    if "prepare" in request:
        job = request["prepare"]
        if job not in JOBS:
            return {"cannot": "not written for PyTorch"}
        torch.set_num_threads(request["threads"])
        prepared[job] = JOBS[job]()
        for run in prepared[job].values():
            run()
            run()
        return {"ok": True}
    if "release" in request:
        prepared.pop(request["release"], None)
        return {"ok": True}
    variants = prepared[request["sample"]]
    share = request["seconds"] / len(variants)
    times = {name: best_time(run, share) for name, run in variants.items()}
    best = min(times, key=times.get)
    return {"seconds": times[best] / RUNS_PER_CALL.get(request["sample"], 1), "variant": best}


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
