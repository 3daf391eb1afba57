"""What a row says beyond its times: its share of the floor, its ten epochs. No framework here."""

from __future__ import annotations

from benchmarks import floor as floors
from benchmarks import plan
from benchmarks.plan import Task
from benchmarks.processes import WORKERS, WorkerProcess
from experiment.benchmark_results import Floor, Row, TenEpochs
from experiment.recipe import Recipe


def measured_floor(device: str, batches: tuple[int, ...]) -> Floor:
    """A large product and a large copy in each framework. Raises `WorkerError`."""
    measured: dict[str, dict[str, dict[str, float]]] = {}
    for precision in ("float32", "tf32") if device == "gpu" else ("float32",):
        measured[precision] = {}
        for framework in ("PyTorch", "JAX"):
            with WorkerProcess(WORKERS) as worker:
                measured[precision][framework] = worker.ask(
                    "floor", framework=framework, device=device, precision=precision
                )
    return floors.from_measured(measured["float32"], measured.get("tf32"), batches)


def row_of(task: Task, **fields: object) -> Row:
    """The task's row, with what is known of it."""
    values = {
        name: getattr(task, name)
        for name in ("key", "number", "kind", "title", "framework", "batch", "replicas",
                     "precision")
    }  # fmt: skip
    return Row(**{**values, **fields})


def shares(row: Row, floor: Floor | None) -> tuple[float | None, float | None]:
    """Least time by arithmetic and by bandwidth / median time; None where there is no floor."""
    if floor is None or row.batch is None:
        return None, None
    if row.kind == "evaluation":
        flop, moved = floors.forward_flop() * row.pictures, 0.0
    else:
        flop = floors.step_flop(row.batch) * row.steps * row.replicas
        moved = floors.step_bytes(row.batch) * row.steps * row.replicas
    arithmetic, bandwidth = floors.least_seconds(floor, flop, moved, row.precision == "tf32")
    return arithmetic / row.median, bandwidth / row.median if moved else None


def extrapolated(row: Row) -> TenEpochs | None:
    """Ten epochs computed from the first execution and the median step."""
    if row.first_seconds is None or row.batch is None:
        return None
    steps = Recipe.epochs * -(-plan.TRAIN_PICTURES // row.batch)
    seconds = row.first_seconds - row.median + steps * row.median / row.steps
    how = "first execution beyond a repeat, and the steps of ten epochs at the median"
    return TenEpochs(seconds=seconds, extrapolated=True, how=how)
