"""What a comparison of whole trainings found, as one JSON file. Described in docs/curves.md."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from experiment.history import EpochRecord
from parity.curves import files
from parity.curves.comparison import Comparison

FORMAT = "cifar10-parity curves"
"""What tells the file from other JSON files."""

_ADVICE = "write it again with: python -m parity curves --out DIR"

Outcome = Literal["equivalent", "different", "not enough runs to decide"]
EnvelopeOutcome = Literal["inside", "outside"]


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """What was trained on."""

    sha256: str
    """Fingerprint of the full arrays, see `experiment.cifar10`."""
    official: bool
    synthetic: bool
    notice: str | None
    """What every plot must say; None for real pictures."""
    train_size: int
    test_size: int
    classes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Training:
    """One whole training from native initialisation."""

    seed: int
    epochs: tuple[EpochRecord, ...]


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One framework: where its numbers come from, and its trainings by seed."""

    framework: str
    """'PyTorch' or 'JAX'."""
    versions: dict[str, str]
    python: str
    platform: str
    device: str
    precision: dict[str, str]
    threads: int
    commits: tuple[str, ...]
    """Of all its trainings; one that ends in '+' had changed files."""
    code: dict[str, str]
    """Package -> beginning of the sha256 of its sources, the same in all its trainings."""
    started: tuple[str, str]
    """ISO date and time of the first and of the last training's start."""
    learning_rate: float
    trainings: tuple[Training, ...]


@dataclass(frozen=True, kw_only=True)
class SharedStart:
    """The first epoch from the same weights over the same batches, step by step."""

    seed: int
    outcome: EnvelopeOutcome
    text: str
    """The outcome in a sentence."""
    factor: float
    needed: float
    """The factor with which the port would have been inside; of the steps both sides took."""
    worst_step: int
    """From 1: where `needed` is largest."""
    first_outside: int | None
    """From 1: the first step beyond the envelope."""
    reference: tuple[float, ...]
    """Loss of every step, measured before it."""
    port: tuple[float, ...]
    noise: tuple[tuple[float, ...], ...]
    """The reference's losses from weights moved by one unit in the last place, run by run."""
    noise_needed: tuple[float, ...]
    """The factor that each noise run would need among the others: what right runs need."""
    envelope: tuple[float, ...]
    """By step: |port - reference| so far that is allowed."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One number a training, compared over the seeds; None where so few runs show nothing."""

    key: Literal["accuracy", "loss"]
    name: str
    """'final test accuracy'."""
    unit: str
    margin: float
    reference: tuple[float, ...]
    """By seed."""
    port: tuple[float, ...]
    mean_difference: float
    """Port minus reference, paired by seed."""
    spread: float | None
    """Standard deviation of the differences."""
    interval: tuple[float, ...]
    """Two ends, of confidence 1 - 2 alpha: inside +-margin is what TOST asks (without Holm). Or
    empty."""
    p_equivalent: float | None
    """TOST: small says that the difference is smaller than the margin."""
    p_equivalent_holm: float | None
    p_different: float | None
    """t-test: small says that there is a difference."""
    p_different_holm: float | None
    smallest_margin: float | None
    """With so many runs and this spread a right port shows it with power 0.8."""
    runs_needed: int | None
    """Runs with which a right port would show the margin with power 0.8, at this spread."""
    outcome: Outcome


@dataclass(frozen=True, kw_only=True)
class FalseAlarms:
    """How often the statistics err, resampled from the reference's own trainings."""

    resamples: int
    difference: float
    """Share in which a difference is claimed between the reference and itself."""
    equivalence: float
    """Share in which equivalence is claimed of a metric that lies at its margin."""
    alpha: float
    """Neither may be above it."""


@dataclass(frozen=True, kw_only=True)
class Native:
    """Whole trainings, each framework from its own initialisation."""

    outcome: Outcome
    text: str
    metrics: tuple[Metric, ...]
    false_alarms: FalseAlarms | None
    """None with fewer than three seeds."""


@dataclass(frozen=True, kw_only=True)
class ClassAccuracy:
    """Test accuracy of one class after the last epoch, by seed, as fractions."""

    name: str
    reference: tuple[float, ...]
    port: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Churn:
    """Share of the test pictures on which two trainings disagree."""

    port: tuple[float, ...]
    """Port against reference, by seed."""
    reference: tuple[float, ...]
    """Reference against reference with another seed, every pair of seeds."""


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What both frameworks say of one test picture."""

    index: int
    """In the test split."""
    label: int
    reference: int
    reference_probability: float
    """That the reference gives its own answer."""
    port: int
    port_probability: float

    @property
    def agrees(self) -> bool:
        """Whether both give the same answer, right or wrong."""
        return self.reference == self.port


@dataclass(frozen=True, kw_only=True)
class Wall:
    """Test pictures for a report: the disagreements first, each part in the split's order."""

    seed: int
    disagreements: int
    """On all test pictures; the wall may show fewer."""
    predictions: tuple[Prediction, ...]
    """At most 200."""


@dataclass(frozen=True, kw_only=True)
class PublishedRun:
    """The tutorial's curve, to lie under ours."""

    epochs: tuple[dict[str, float], ...]
    """epoch, train_loss, train_accuracy, test_loss (corrected), test_accuracy,
    printed_test_loss."""
    explanation: str


@dataclass(frozen=True, kw_only=True)
class Results:
    """One comparison, finished."""

    date: str
    """ISO date and time, UTC."""
    comparison: Comparison
    outcome: Outcome
    text: str
    """The answer in a sentence or two."""
    planted: tuple[str, ...]
    """What was planted into the port, in words; then this is a self-test and no measurement."""
    pictures: Pictures
    reference: Arm
    port: Arm
    shared: SharedStart
    native: Native
    classes: tuple[ClassAccuracy, ...]
    churn: Churn
    wall: Wall
    published: PublishedRun

    @property
    def exit_code(self) -> int:
        """0 for 'equivalent', else 1."""
        return 0 if self.outcome == "equivalent" else 1


def write(path: Path, results: Results) -> None:
    """Replace the file. Raises `OSError`."""
    files.write(path, FORMAT, results)


def read(path: Path) -> Results:
    """Raises `CurvesFileError` for a file that is missing, cut off, foreign or too new."""
    return files.read(path, FORMAT, Results, _ADVICE)


def without_paths(results: Results) -> Results:
    """As it may be committed: pictures in a folder are named by their digest alone."""
    words = ("auto", "cifar10", "synthetic")
    data = results.comparison.data if results.comparison.data in words else "a folder"
    return replace(results, comparison=replace(results.comparison, data=data))
