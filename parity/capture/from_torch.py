"""The reference's capture: what PyTorch computes, in canonical form."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from parity.bridge.structure import Structure
from parity.bridge.torch_end import describe, export, load
from parity.capture import start, torch_checks, torch_init
from parity.capture.about import common_header, write_early
from parity.capture.capture_file import Capture
from parity.capture.loaders import loader_arrays
from parity.capture.plan import Job, noise_runs
from parity.capture.torch_device import describe_device, select
from parity.capture.torch_passes import Passes
from parity.capture.torch_steps import Steps
from parity.pair import Pair, PairError
from parity.user_code import call

Report = Callable[[str], None]


def capture(pair: Pair, job: Job, report: Report, oracle: Capture | None = None) -> Capture:
    """Run the reference as `job` says, from where the oracle started. Raises `UserError`."""
    device = select(job)
    model = build(pair, job.seed)
    structure = describe(model)
    if oracle is None:
        made = start.batches(pair, job.seed)
        weights = start.stirred(export(model), structure, job.seed)
    else:  # not made again: another machine or version may initialise and draw otherwise
        made, weights = start.batches_of_capture(oracle), oracle.under("weight")
    side = Side(pair, job, model, device, structure, weights, made)
    arrays = side.start_arrays()
    about = side.header(arrays)
    report("layers")
    passes = Passes(side)
    arrays |= passes.forward()
    about["timeline"], about["shapes"] = passes.timeline, passes.shapes
    about["outputs"] = passes.outputs
    steps = Steps(side)
    about["slots"] = steps.slot_names()
    if job.start:
        write_early(job.start, about, arrays)
    arrays |= passes.gradient()
    report("self-checks")
    about["checks"] |= torch_checks.run(side, arrays)
    report("each layer alone")
    arrays |= passes.forced(oracle.arrays if oracle else arrays)
    if not oracle:
        about["checks"] |= torch_checks.forced_on_itself(arrays)
    report("update steps")
    arrays |= steps.update()
    arrays |= steps.forced(oracle.arrays if oracle else arrays)
    report("trajectory")
    recorded, snapshots = steps.trajectory()
    arrays |= recorded
    own_training = job.lane == "float64" and pair.reference_training
    if own_training and not steps.repeats(recorded["trajectory/losses"]):
        raise PairError(
            f"pair {pair.name!r}: reference_training does not repeat itself: it draws random "
            "numbers (dropout, augmentation, a shuffle of its own), which the port cannot share; "
            "switch them off in the pair, or leave both trainings out of it"
        )
    about["steps"] = {"update": steps.numbers, "rates": steps.rates, "trajectory": snapshots}
    if job.lane == "float64":
        report("loader and initialisation")
        found, about["data"], about["sizes"] = loader_arrays(pair, pair.reference_training)
        arrays |= found
        sampled, about["init"] = torch_init.sample(pair, job.seed)
        arrays |= sampled
        report("how much the training amplifies")
        about["noise_runs"] = 1
        arrays |= {f"noise/0/{n}": a for n, a in Steps(side.moved(0)).trajectory()[0].items()}
    else:
        runs = about["noise_runs"] = noise_runs(sum(a.size for a in side.weights.values()))
        for run in range(runs):
            report(f"noise {run + 1} of {runs}")
            arrays |= {f"noise/{run}/{n}": a for n, a in side.moved(run).free_run().items()}
    about["checks"] |= torch_checks.start_is_untouched(side, about["start"])
    return Capture(about, arrays)


def build(pair: Pair, seed: int) -> torch.nn.Module:
    """The pair's reference, freshly initialised. Raises `PairError`."""
    torch.manual_seed(seed)
    model = call(pair, "reference", pair.reference, seed)
    if not isinstance(model, torch.nn.Module):
        raise PairError(
            f"pair {pair.name!r}: reference returned {type(model).__name__}, expected a "
            "torch.nn.Module"
        )
    return model


class Side:
    """The reference with what it starts from; every run begins with `reset`."""

    def __init__(
        self,
        pair: Pair,
        job: Job,
        model: torch.nn.Module,
        device: torch.device,
        structure: Structure,
        weights: Mapping[str, np.ndarray],
        made: Mapping[str, tuple[Any, Any]],
    ) -> None:
        self.pair, self.job, self.device, self.structure = pair, job, device, structure
        self.dtype = getattr(torch, job.dtype.name)
        torch.set_default_dtype(self.dtype)
        self.model = model.to(device=device, dtype=self.dtype)
        self.weights = {n: start.cast(a, job.dtype) for n, a in weights.items()}
        self.made = made

    def reset(self) -> None:
        """Load the starting weights and buffers, and forget gradients."""
        load(self.model, self.weights)
        self.model.zero_grad(set_to_none=True)

    def reset_buffers(self) -> None:
        """Load the starting buffers alone, and forget gradients."""
        state = self.model.state_dict(keep_vars=True)
        for name, spec in self.structure.tensors():
            if spec.role == "buffer":
                state[name].data.copy_(torch.from_numpy(self.weights[name]))
        self.model.zero_grad(set_to_none=True)

    def batch(self, name: str) -> tuple[Any, Any]:
        """Inputs and targets of a batch on the device, fresh copies."""
        inputs, targets = self.made[name]
        return self.to_device(inputs), self.to_device(targets)

    def to_device(self, value: Any) -> Any:
        """NumPy arrays, nested, as tensors in the lane's precision: copies."""
        if isinstance(value, dict):
            return {key: self.to_device(item) for key, item in value.items()}
        if isinstance(value, tuple):
            return tuple(self.to_device(item) for item in value)
        if value is None:
            return None
        return torch.from_numpy(np.array(start.cast(value, self.job.dtype))).to(self.device)

    def start_arrays(self) -> dict[str, np.ndarray]:
        """What both sides start from, as a capture names it."""
        arrays = {f"weight/{name}": a for name, a in self.weights.items()}
        given = start.batch_arrays(self.made)
        return arrays | {n: start.cast(a, self.job.dtype) for n, a in given.items()}

    def header(self, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """What the capture's header says from the beginning."""
        training = self.pair.reference_training
        about = common_header(self.pair, self.job, "reference", training, self.model)
        about |= {
            "framework": "PyTorch",
            "start": start.start_digest(arrays),
            "structure": self.structure.as_dict(),
            "python": platform.python_version(),
            "noise_runs": 0,
        }
        return about | describe_device(self.device)

    def moved(self, run: int) -> Side:
        """The same side with weights and inputs moved by one unit in the last place."""
        weights = {
            n: start.moved_by_an_ulp(a, n, run) if a.dtype == self.job.dtype else a
            for n, a in self.weights.items()
        }
        made = {}
        for name, (inputs, targets) in self.made.items():
            made[name] = (_moved(inputs, name, run, self.job.dtype), targets)
        return Side(self.pair, self.job, self.model, self.device, self.structure, weights, made)

    def free_run(self) -> dict[str, np.ndarray]:
        """All that is computed without teacher forcing."""
        passes, steps = Passes(self), Steps(self)
        arrays = passes.forward() | passes.gradient() | steps.update()
        losses, snapshots = steps.trajectory()
        # Of the trajectory only the losses and the end are compared with noise.
        last = f"trajectory/{snapshots[-1]}/parameter/"
        kept = {n: a for n, a in losses.items() if n == "trajectory/losses" or n.startswith(last)}
        return arrays | kept


def _moved(value: Any, name: str, run: int, dtype: np.dtype) -> Any:
    if isinstance(value, dict):
        return {key: _moved(item, f"{name}/{key}", run, dtype) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_moved(item, f"{name}/{i}", run, dtype) for i, item in enumerate(value))
    return start.moved_by_an_ulp(start.cast(value, dtype), name, run)
