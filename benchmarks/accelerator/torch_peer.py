"""Times the update of lower.py's programs by PyTorch's own layers, which call cuDNN on a GPU.

    python torch_peer.py                     # reads padding too: faster, but another result
    python torch_peer.py --packed            # reads the tokens alone, as textrnn does: the fair one
    python torch_peer.py --packed --no-tf32 --cell lstm --cell gru

Embedding, bidirectional layer, attention pooling with a mask, dense layer, cross-entropy, gradients
clipped by their norm, Adam. Needs torch and numpy, and nothing of this project. PyTorch has no
minimal cells; here they are an associative scan over time in PyTorch's operations.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

LAYERS = {"lstm": nn.LSTM, "gru": nn.GRU, "simple": nn.RNN}
CELLS = (*LAYERS, "mingru", "minlstm")
WARM_UP = 5


def scan(decay: Tensor, update: Tensor) -> Tensor:
    """The states of `h_t = decay_t h_{t-1} + update_t` along dim 0, from h = 0."""
    shift = 1
    while shift < len(decay):
        later = decay[shift:] * update[:-shift] + update[shift:]
        update = torch.cat([update[:shift], later])
        decay = torch.cat([decay[:shift], decay[shift:] * decay[:-shift]])
        shift *= 2
    return update


class Minimal(nn.Module):
    """Both directions of minGRU or minLSTM (Feng et al. 2024)."""

    def __init__(self, cell: str, units: int) -> None:
        super().__init__()
        self.gates = {"mingru": 2, "minlstm": 3}[cell]
        self.projections = nn.ModuleList(nn.Linear(units, self.gates * units) for _ in range(2))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:  # [T, B, E], [T, B, 1]
        directions = []
        for backward, project in enumerate(self.projections):
            first, *others = project(x).float().chunk(self.gates, -1)
            if self.gates == 2:
                z = torch.sigmoid(first)
                decay, update = 1 - z, z * others[0]
            else:
                forget, admit = torch.sigmoid(first), torch.sigmoid(others[0])
                decay = forget / (forget + admit)
                update = (1 - decay) * others[1]
            decay, update = torch.where(mask, decay, 1.0), torch.where(mask, update, 0.0)
            if backward:
                states = scan(decay.flip(0), update.flip(0)).flip(0)
            else:
                states = scan(decay, update)
            directions.append(states)
        return torch.cat(directions, -1)


class Model(nn.Module):
    """The classifier."""

    def __init__(self, cell: str, *, units: int, vocabulary: int, packed: bool) -> None:
        super().__init__()
        self.packed = packed
        self.embedding = nn.Embedding(vocabulary, units)
        layer = LAYERS.get(cell)
        self.rnn = layer(units, units, bidirectional=True) if layer else Minimal(cell, units)
        self.attend = nn.Linear(2 * units, 2 * units)
        self.query = nn.Parameter(0.05 * torch.randn(2 * units))
        self.dense = nn.Linear(2 * units, 2)

    def states(self, x: Tensor, mask: Tensor, lengths: Tensor) -> Tensor:
        if isinstance(self.rnn, Minimal):
            return self.rnn(x, mask[:, :, None])
        if not self.packed:
            return self.rnn(x)[0]
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)
        return nn.utils.rnn.pad_packed_sequence(self.rnn(packed)[0], total_length=len(x))[0]

    def forward(self, ids: Tensor, mask: Tensor, lengths: Tensor) -> Tensor:  # [T, B]
        states = self.states(self.embedding(ids), mask, lengths)
        scores = torch.tanh(self.attend(states)) @ self.query  # [T, B]
        shares = torch.softmax(torch.where(mask, scores.float(), float("-inf")), 0)
        return self.dense(torch.einsum("tb,tbh->bh", shares.to(states.dtype), states))


def make_step(cell: str, arguments: Any, device: torch.device) -> Callable[[], Tensor]:
    """One update of a model on fixed random texts."""
    rng = np.random.default_rng(0)
    batch, length = arguments.batch, arguments.length
    lengths = rng.integers(length // 2, length + 1, size=batch)
    lengths[0] = length
    numbers = rng.integers(2, arguments.vocabulary, size=(batch, length))
    numbers[np.arange(length)[None] >= lengths[:, None]] = 0
    ids = torch.tensor(numbers).t().contiguous().to(device)
    mask, targets = ids != 0, torch.arange(batch, device=device) % 2
    on_cpu = torch.tensor(lengths)  # pack_padded_sequence wants them there.
    torch.manual_seed(0)
    model: Any = Model(
        cell, units=arguments.units, vocabulary=arguments.vocabulary, packed=arguments.packed
    ).to(device)
    optimizer = torch.optim.Adam(model.parameters(), fused=device.type == "cuda")
    run = torch.compile(model) if arguments.compile else model

    def step() -> Tensor:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device.type, torch.bfloat16, enabled=arguments.bf16):
            logits = run(ids, mask, on_cpu)
        loss = F.cross_entropy(logits.float(), targets)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss

    return step


def main() -> None:
    """Time each cell and print a line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cell", action="append", choices=CELLS, dest="cells")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--units", type=int, default=128)
    parser.add_argument("--vocabulary", type=int, default=4096)
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--packed", action="store_true", help="Read the tokens alone.")
    parser.add_argument("--no-tf32", action="store_true")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--compile", action="store_true", help="Use torch.compile.")
    arguments = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cuda.matmul.allow_tf32 = not arguments.no_tf32
    torch.backends.cudnn.allow_tf32 = not arguments.no_tf32
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    name = torch.cuda.get_device_name() if device.type == "cuda" else "cpu"
    print("torch", torch.__version__, name, vars(arguments), flush=True)
    for cell in arguments.cells or CELLS:
        step = make_step(cell, arguments, device)
        for _ in range(WARM_UP):
            step()
        wait()
        times = []
        for _ in range(arguments.repeats):
            start = time.perf_counter()
            step()
            wait()
            times.append(time.perf_counter() - start)
        start = time.perf_counter()
        for _ in range(arguments.repeats):
            step()
        wait()
        streamed = (time.perf_counter() - start) / arguments.repeats
        print(
            f"{cell}: step {1000 * statistics.median(times):.2f} ms, "
            f"streamed {1000 * streamed:.2f} ms",
            flush=True,
        )


if __name__ == "__main__":
    main()
