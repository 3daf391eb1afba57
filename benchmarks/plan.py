"""What is measured, the most important first. No framework here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from experiment.benchmark_results import Kind

BATCHES = (32, 128, 512, 2048)
REPLICAS = (1, 4, 16, 64)
SOURCES = ("cache", "binary", "python", "tfds", "synthetic")
TEST_PICTURES = 10_000
TRAIN_PICTURES = 50_000

NO_GPU = "needs a GPU: --device gpu"


@dataclass(frozen=True, kw_only=True)
class Task:
    """A row to be measured by a worker."""

    key: str
    number: int
    kind: Kind
    title: str
    framework: Literal["PyTorch", "JAX", "NumPy"]
    trainer: str
    """Module and function that make what is repeated: 'benchmarks.torch_rows:on_device'."""
    batch: int = 32
    replicas: int = 1
    precision: Literal["float32", "tf32"] = "float32"
    gpu_only: bool = False
    counts_start: bool = False
    """Whether its start to the first step is measured, and its ten epochs."""


_TORCH, _JAX = "benchmarks.torch_rows", "benchmarks.jax_rows"


def _training(number: int, name: str, title: str, trainer: str, batch: int, **more: object) -> Task:
    framework: Literal["PyTorch", "JAX"] = "PyTorch" if trainer.startswith(_TORCH) else "JAX"
    return Task(
        key=f"{name}-{batch}", number=number, kind="training", title=title,
        framework=framework, trainer=trainer, batch=batch, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def side_by_side(batch: int) -> list[Task]:
    """The rows that take turns at one batch size."""
    first = batch == 32
    tasks = [
        _training(6, "jax_impl", "jax_impl as shipped", f"{_JAX}:as_shipped", batch,
                  counts_start=first),
        _training(2, "torch-device", "PyTorch eager, data on the device",
                  f"{_TORCH}:on_device", batch, counts_start=first),
        _training(4, "torch-tuned", "the best PyTorch we can write", f"{_TORCH}:tuned", batch),
        _training(3, "torch-compile", "torch.compile", f"{_TORCH}:compiled", batch),
        _training(5, "flax-first", "Flax as people first write it", f"{_JAX}:as_first_written",
                  batch),
    ]  # fmt: skip
    if first:
        tasks.append(_training(1, "torch-loader", "the tutorial: DataLoader, .item() every step",
                               f"{_TORCH}:from_loader", batch))  # fmt: skip
    return tasks


def in_tf32() -> list[Task]:
    """Both frameworks with TF32."""
    tf32 = {"precision": "tf32", "gpu_only": True}
    return [
        _training(7, "jax_impl-tf32", "jax_impl, TF32", f"{_JAX}:as_shipped", 32, **tf32),
        _training(7, "torch-tuned-tf32", "the best PyTorch, TF32", f"{_TORCH}:tuned", 32, **tf32),
    ]


def replicas(counts: tuple[int, ...]) -> list[Task]:
    """Several seeds in one program."""
    return [
        Task(key=f"replicas-{count}", number=8, kind="replicas", framework="JAX", batch=32,
             title=f"jax_impl, {count} in one program", trainer=f"{_JAX}:replicas", replicas=count)
        for count in counts
    ]  # fmt: skip


def evaluations() -> list[Task]:
    """The test pictures once."""
    return [
        Task(key="evaluation-jax_impl", number=9, kind="evaluation", title="evaluation, jax_impl",
             framework="JAX", trainer=f"{_JAX}:evaluation"),
        Task(key="evaluation-torch", number=9, kind="evaluation", title="evaluation, PyTorch",
             framework="PyTorch", trainer=f"{_TORCH}:evaluation"),
    ]  # fmt: skip


def loaders() -> list[Task]:
    """Start to the first batch."""
    return [
        Task(key=f"loader-{source}", number=10, kind="loader", framework="NumPy",
             title=f"loader, {source}", trainer=source)
        for source in SOURCES
    ]  # fmt: skip


def groups(batches: tuple[int, ...], counts: tuple[int, ...]) -> list[list[Task]]:
    """Rows by the group in which they take turns, the most important group first."""
    first = [side_by_side(32)] if 32 in batches else []
    others = [side_by_side(batch) for batch in batches if batch != 32]
    few = tuple(c for c in counts if c <= 4)
    many = tuple(c for c in counts if c > 4)
    found = [*first, evaluations(), replicas(few), in_tf32(), *others, loaders(), replicas(many)]
    return [group for group in found if group]
