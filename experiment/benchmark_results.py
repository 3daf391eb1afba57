"""What the benchmarks measured, as one JSON file. Described in docs/performance.md."""

from __future__ import annotations

import dataclasses
import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from experiment.errors import UserError
from experiment.storage import write_atomically

SCHEMA = 1
"""Version of the file."""

FORMAT = "cifar10-parity benchmark"
"""What tells the file from other JSON files."""

_ADVICE = "write it again with: python -m benchmarks --out FILE"


class BenchmarkResultsError(UserError):
    """A file that holds no results of the benchmarks, or not all of them."""


Kind = Literal["training", "replicas", "evaluation", "loader"]
Status = Literal["measured", "not measured", "failed"]


@dataclass(frozen=True, kw_only=True)
class TenEpochs:
    """Seconds of the recipe's ten epochs on 50,000 pictures, compilation included."""

    seconds: float
    extrapolated: bool
    """Whether it was computed: first execution + steps in ten epochs x median time of a step."""
    how: str
    """In words."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One thing that was timed, several times over."""

    key: str
    """Its name in the file: 'jax_impl-32'."""
    number: int
    """Which of the ten kinds of rows it is, see docs/performance.md."""
    kind: Kind
    title: str
    """For people: 'jax_impl as shipped'."""
    framework: Literal["PyTorch", "JAX", "NumPy"]
    status: Status
    reason: str = ""
    """Why it was not measured, or how it failed."""
    precision: Literal["float32", "tf32"] = "float32"
    batch: int | None = None
    replicas: int = 1
    """Trainings in one program, each with a seed of its own."""
    steps: int = 0
    """Steps (training), batches (evaluation) or starts (loader) of one repeat, of each replica."""
    pictures: int = 0
    """Pictures of one repeat, of all replicas together."""
    first_seconds: float | None = None
    """The first execution, which compiles; no repeat."""
    seconds: tuple[float, ...] = ()
    """Wall time of each repeat, in the order in which the rows took turns."""
    first_step_cold: float | None = None
    """From the start of Python to the end of the first training step, compile cache empty."""
    first_step_warm: float | None = None
    """The same with the compile cache of a run before; the median of several starts."""
    ten_epochs: TenEpochs | None = None
    peak_host_bytes: int | None = None
    """Largest resident memory of the row's process until its last repeat."""
    peak_device_bytes: int | None = None
    """Largest memory that the framework had in use on the GPU."""
    arithmetic_share: float | None = None
    """Least time that the row's arithmetic takes on this device / median time."""
    bandwidth_share: float | None = None
    """Least time that moving the row's arrays takes on this device / median time."""

    @property
    def median(self) -> float:
        """Median wall time of a repeat, seconds. Raises `ValueError` where nothing was measured."""
        if not self.seconds:
            raise ValueError(f"{self.key}: nothing was measured")
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """Largest minus smallest repeat, as a share of the median."""
        return (max(self.seconds) - min(self.seconds)) / self.median

    @property
    def us_per_step(self) -> float:
        """Microseconds of a step (of all replicas together)."""
        return 1e6 * self.median / self.steps

    @property
    def pictures_per_second(self) -> float:
        """Of all replicas together."""
        return self.pictures / self.median


@dataclass(frozen=True, kw_only=True)
class Floor:
    """The least time that any program could take, measured on the spot."""

    flop_per_second: float
    """Of one large float32 matrix product, the faster framework's best."""
    tf32_flop_per_second: float | None
    """The same in TF32; None without a GPU."""
    bytes_per_second: float
    """Of one large copy, bytes read and written, the faster framework's best."""
    step_flop: Mapping[int, float]
    """Batch -> floating-point operations of one training step."""
    step_bytes: Mapping[int, float]
    """Batch -> bytes that one training step has to move."""


@dataclass(frozen=True, kw_only=True)
class BenchmarkResults:
    """One run of the benchmarks."""

    started: str
    """ISO date and time, UTC."""
    finished: bool
    """Whether every row that was planned is in it; false while the benchmarks run."""
    device: str
    """'cpu' or 'gpu: NVIDIA H100'."""
    machine: Mapping[str, Any]
    """python, platform, processor, cores, memory_bytes, and the threads of each framework."""
    versions: Mapping[str, str]
    git: Mapping[str, Any] | None
    settings: Mapping[str, Any]
    """What the command was asked: steps, repeats, batches, budget_minutes, pictures."""
    floor: Floor | None = None
    rows: tuple[Row, ...] = ()
    """The most important first."""
    notes: tuple[str, ...] = field(default=())
    """Sentences that belong beside the numbers."""

    def row(self, key: str) -> Row | None:
        """The row of that name."""
        return next((row for row in self.rows if row.key == key), None)

    def speedup(self, fast: str, slow: str) -> float | None:
        """How many times the row `fast` is as fast as `slow`; None where one is not measured.

        Rows take turns, so each repeat of one is divided by the same repeat of the other, per
        picture, and the median of these ratios counts.
        """
        a, b = self.row(fast), self.row(slow)
        if a is None or b is None or not a.seconds or not b.seconds:
            return None
        ratios = [theirs / ours for ours, theirs in zip(a.seconds, b.seconds, strict=False)]
        return statistics.median(ratios) * a.pictures / b.pictures


def write(path: Path, results: BenchmarkResults) -> None:
    """Replace the file. Raises `OSError`."""
    content = {"format": FORMAT, "schema": SCHEMA, **dataclasses.asdict(results)}
    write_atomically(path, (json.dumps(content, indent=1) + "\n").encode())


def read(path: Path) -> BenchmarkResults:
    """Raises `BenchmarkResultsError` for a file that is missing, cut off, foreign or too new."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BenchmarkResultsError(f"{path}: no such file; {_ADVICE}") from error
    except OSError as error:
        raise BenchmarkResultsError(f"{path}: {error.strerror}") from error
    except ValueError as error:  # not JSON, or not even text
        raise BenchmarkResultsError(
            f"{path}: not JSON, or cut off ({error}); expected results of the benchmarks; {_ADVICE}"
        ) from error
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise BenchmarkResultsError(
            f'{path}: expected "format": "{FORMAT}", as the benchmarks write it; {_ADVICE}'
        )
    if (schema := content.pop("schema", None)) != SCHEMA:
        raise BenchmarkResultsError(
            f"{path}: schema: found {schema!r}, expected {SCHEMA}; {_ADVICE}"
        )
    try:
        return _parsed(content)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise BenchmarkResultsError(
            f"{path}: not the fields that the benchmarks write ({error}); {_ADVICE}"
        ) from error


def _parsed(content: dict[str, Any]) -> BenchmarkResults:
    floor = content.pop("floor")
    return BenchmarkResults(
        floor=_floor(floor) if floor is not None else None,
        rows=tuple(map(_row, content.pop("rows"))),
        notes=tuple(content.pop("notes")),
        **content,
    )


def _floor(values: dict[str, Any]) -> Floor:
    for name in ("step_flop", "step_bytes"):
        values[name] = {int(batch): value for batch, value in values[name].items()}
    return Floor(**values)


def _row(values: dict[str, Any]) -> Row:
    ten = values.pop("ten_epochs")
    return Row(
        ten_epochs=TenEpochs(**ten) if ten is not None else None,
        seconds=tuple(map(float, values.pop("seconds"))),
        **values,
    )
