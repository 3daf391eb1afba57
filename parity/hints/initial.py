"""Initialisations that people take for PyTorch's."""

from __future__ import annotations

import math

from parity.distributions import Sample
from parity.stages.case import Case
from parity.verdict import Departure, Hint

_TORCH = "variance_scaling(1 / 3, 'fan_in', 'uniform')"

_ERRORS = 4.0
"""A ratio may be so many standard errors off the one that a rule says."""

_SURE = 0.1
"""Relative: samples too small to know a ratio that well show no rule."""


def scale(case: Case, departure: Departure) -> Hint | None:
    """1, 2, 4: the standard deviation is that of another rule."""
    samples = _samples(case, departure)
    if samples is None or samples[0].constant or samples[1].constant:
        return None
    reference, port = samples
    # PyTorch's U(+-1/sqrt(fan_in)) has the standard deviation 1 / sqrt(3 fan_in).
    ratio = reference.std / port.std
    if _is(samples, math.sqrt(3)) and port.kurtosis > 2.2 and reference.kurtosis < 2.0:
        text = (
            f"the reference's std is {ratio:.3f} of the port's: lecun_normal; PyTorch's is {_TORCH}"
        )
        return Hint(bug=1, text=text)
    if _is(samples, math.sqrt(6)) and port.kurtosis < 2.2:
        text = f"{1 / ratio:.2f} times too wide: he_uniform; PyTorch's default is {_TORCH}"
        return Hint(bug=2, text=text)
    kind = case.layers.get(departure.layer, "")
    if kind.endswith("Embedding") and abs(reference.std - 1) < 0.05:
        return Hint(bug=4, text="PyTorch draws embeddings with standard deviation 1")
    return None


def transposed_fan_in(case: Case, departure: Departure) -> Hint | None:
    """5: a transposed convolution's fan-in counted from its input channels."""
    samples = _samples(case, departure)
    module = next(
        (
            m
            for m in (case.structure.modules if case.structure else ())
            if m.path == departure.layer
        ),
        None,
    )
    if samples is None or module is None or "torch.nn.ConvTranspose" not in " ".join(module.kinds):
        return None
    reference, port = samples
    inputs, outputs = (int(module.settings.get(f"{n}_channels", 1)) for n in ("in", "out"))
    expected = math.sqrt(outputs / module.settings.get("groups", 1) / inputs)
    if inputs == outputs or not reference.std or not _is(samples, expected):
        return None
    text = (
        f"the port's std is {port.std / reference.std:.3f} of the reference's, the root of out / "
        f"in channels ({outputs} / {inputs}): PyTorch's fan-in of a transposed convolution counts "
        "the channels that come out"
    )
    return Hint(bug=5, text=text)


def constant(case: Case, departure: Departure) -> Hint | None:
    """3, 6: zeros where PyTorch draws, or another constant."""
    samples = _samples(case, departure)
    if samples is None or not samples[1].constant:
        return None
    reference, port = samples
    if not reference.constant and port.mean == 0:
        return Hint(bug=3, text="zeros; PyTorch draws from U(-1/sqrt(fan_in), 1/sqrt(fan_in))")
    if reference.constant and abs(reference.mean - 0.25) < 1e-6 and abs(port.mean - 0.01) < 1e-6:
        return Hint(bug=6, text="0.01 is leaky ReLU's slope; PyTorch's PReLU starts at 0.25")
    return None


def _is(samples: tuple[Sample, Sample], expected: float) -> bool:
    """Whether the port's standard deviation is `expected` times the reference's, for all one knows:
    both are estimates."""
    reference, port = samples
    error = _ERRORS * math.hypot(reference.std_error, port.std_error)
    return error < _SURE and abs(math.log(port.std / reference.std / expected)) < error


def _samples(case: Case, departure: Departure) -> tuple[Sample, Sample] | None:
    row = departure.row
    if row is None or row.name not in case.truth or row.name not in case.port:
        return None
    ours, theirs = (
        Sample.of(side.arrays[row.name], side.about["init"][row.tensor])
        for side in (case.evidence.reference, case.evidence.port)
    )
    return ours, theirs
