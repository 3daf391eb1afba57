"""Measure the plan's groups one after another; in a group the rows take turns."""

from __future__ import annotations

import contextlib
import dataclasses
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import plan
from benchmarks.derived import extrapolated, measured_floor, row_of, shares
from benchmarks.plan import Task
from benchmarks.processes import WORKERS, WorkerError, WorkerProcess
from benchmarks.starts import Sources, first_steps
from experiment.benchmark_results import BenchmarkResults, Row, TenEpochs
from experiment.recipe import Recipe

PAUSE = 0.2
"""Seconds between turns: threads of the row before may still spin, waiting for work."""

_START_REPEATS = 3


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the command was asked."""

    device: str
    pictures: int
    """Of one repeat of a training row, of each replica."""
    repeats: int
    batches: tuple[int, ...]
    replicas: tuple[int, ...]
    budget_minutes: float
    ten_epochs: bool
    only: tuple[str, ...] = ()
    """Beginnings of the keys to measure; empty measures all."""


class Run:
    """A run of the benchmarks; `keep` is called with the results whenever there are more."""

    def __init__(
        self,
        settings: Settings,
        results: BenchmarkResults,
        keep: Callable[[BenchmarkResults], None],
        say: Callable[[str], None],
    ) -> None:
        self.settings, self.results, self.keep, self.say = settings, results, keep, say
        self.deadline = time.monotonic() + 60 * settings.budget_minutes

    def all(self) -> BenchmarkResults:
        """Measure everything that the time allows. Raises `UserError` where nothing runs."""
        self._update(floor=measured_floor(self.settings.device, self.settings.batches))
        self._say_floor()
        for group in plan.groups(self.settings.batches, self.settings.replicas):
            tasks = [task for task in group if self._wanted(task)]
            if not tasks:
                continue
            if tasks[0].kind == "loader":
                self._loaders(tasks)
            else:
                self._take_turns(tasks)
            self._starts([task for task in tasks if task.counts_start])
        self._update(finished=True)
        return self.results

    def _say_floor(self) -> None:
        found = self.results.floor
        assert found is not None
        self.say(
            f"floor: {found.flop_per_second / 1e9:,.0f} GFLOP/s, "
            f"{found.bytes_per_second / 1e9:,.1f} GB/s"
        )

    def _wanted(self, task: Task) -> bool:
        only = self.settings.only
        return not only or any(task.key.startswith(start) for start in only)

    def _late(self) -> bool:
        return time.monotonic() > self.deadline

    def _update(self, **fields: object) -> None:
        self.results = dataclasses.replace(self.results, **fields)  # type: ignore[arg-type]
        self.keep(self.results)

    def _put(self, row: Row) -> None:
        rows = {old.key: old for old in self.results.rows} | {row.key: row}
        self._update(rows=tuple(rows.values()))

    # rows ---------------------------------------------------------------------------------------

    def _take_turns(self, tasks: list[Task]) -> None:
        with contextlib.ExitStack() as stack:
            workers = {}
            for task in tasks:
                worker = self._prepared(task, stack)
                if worker is not None:
                    workers[task.key] = worker
            for _ in range(self.settings.repeats):
                for key in list(workers):
                    if not self._late() and not self._repeated(key, workers[key]):
                        del workers[key]
            for key, worker in workers.items():
                self._close(key, worker)
        for task in tasks:
            self._report(task.key)

    def _prepared(self, task: Task, stack: contextlib.ExitStack) -> WorkerProcess | None:
        if task.gpu_only and self.settings.device != "gpu":
            self._put(row_of(task, status="not measured", reason=plan.NO_GPU))
            return None
        if self._late():
            self._put(row_of(task, status="not measured", reason="the time budget was spent"))
            return None
        worker = stack.enter_context(WorkerProcess(WORKERS))
        size = self._size(task)
        try:
            first = worker.ask(
                "prepare",
                task=dataclasses.asdict(task),
                pictures=size,
                device=self.settings.device,
            )
        except WorkerError as error:
            self._put(row_of(task, status="failed", reason=str(error)))
            return None
        steps = -(-size // task.batch)
        self._put(
            row_of(task, status="measured", first_seconds=first["seconds"], steps=steps,
                 pictures=size * task.replicas)
        )  # fmt: skip
        return worker

    def _size(self, task: Task) -> int:
        """Pictures of a repeat; full batches, at least two of them."""
        if task.kind == "evaluation":
            return plan.TEST_PICTURES
        return max(self.settings.pictures // task.batch, 2) * task.batch

    def _repeated(self, key: str, worker: WorkerProcess) -> bool:
        row = self.results.row(key)
        assert row is not None
        time.sleep(PAUSE)
        try:
            seconds = worker.ask("repeat")["seconds"]
        except WorkerError as error:
            self._put(dataclasses.replace(row, status="failed", reason=str(error)))
            return False
        self._put(dataclasses.replace(row, seconds=(*row.seconds, seconds)))
        return True

    def _close(self, key: str, worker: WorkerProcess) -> None:
        """What is known once the repeats are done: memory, shares of the floor."""
        row = self.results.row(key)
        assert row is not None
        if not row.seconds:
            reason = "the time budget was spent"
            self._put(dataclasses.replace(row, status="not measured", reason=reason))
            return
        memory = worker.ask("memory")
        arithmetic, bandwidth = shares(row, self.results.floor)
        ten = extrapolated(row) if row.kind == "training" else None
        self._put(
            dataclasses.replace(
                row,
                peak_host_bytes=memory["host"],
                peak_device_bytes=memory["device"],
                arithmetic_share=arithmetic,
                bandwidth_share=bandwidth,
                ten_epochs=ten,
            )
        )

    def _report(self, key: str) -> None:
        row = self.results.row(key)
        assert row is not None
        if not row.seconds:
            self.say(f"{key:24s} {row.status}: {row.reason.splitlines()[-1][:160]}")
            return
        self.say(
            f"{key:24s} {row.us_per_step:12,.0f} us/step  {row.pictures_per_second:12,.0f} "
            f"pictures/s  spread {row.spread:4.0%}  first {row.first_seconds or 0:6.2f} s"
        )

    # starts -------------------------------------------------------------------------------------

    def _starts(self, tasks: list[Task]) -> None:
        for task in tasks:
            row = self.results.row(task.key)
            if row is None or not row.seconds or self._late():
                continue
            cold, warm = first_steps(task.key, self.settings.device, _START_REPEATS)
            middle = statistics.median(warm)
            self.say(f"{task.key:24s} first step after {cold:.1f} s cold, {middle:.1f} s warm")
            self._put(dataclasses.replace(row, first_step_cold=cold, first_step_warm=middle))
            if self.settings.ten_epochs:
                self._ten_epochs(task)

    def _ten_epochs(self, task: Task) -> None:
        row = self.results.row(task.key)
        assert row is not None
        with WorkerProcess(WORKERS) as worker:
            seconds = worker.ask(
                "prepare",
                task=dataclasses.asdict(task),
                pictures=plan.TRAIN_PICTURES,
                device=self.settings.device,
            )["seconds"]
            for _ in range(Recipe.epochs - 1):
                if self._late():
                    return
                seconds += worker.ask("repeat")["seconds"]
        how = "ten epochs in a fresh process, compilation included, without start and evaluation"
        ten = TenEpochs(seconds=seconds, extrapolated=False, how=how)
        self.say(f"{task.key:24s} ten epochs {seconds:.1f} s")
        self._put(dataclasses.replace(row, ten_epochs=ten))

    def _loaders(self, tasks: list[Task]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            sources = Sources(Path(folder))
            for task in tasks:
                if self._late():
                    reason = "the time budget was spent"
                    self._put(row_of(task, status="not measured", reason=reason, batch=None))
                    continue
                self._put(self._loaded(task, sources))
                self._report(task.key)

    def _loaded(self, task: Task, sources: Sources) -> Row:
        try:
            first = sources.first_batch(task.trainer)
            seconds = tuple(sources.first_batch(task.trainer) for _ in range(_START_REPEATS))
        except WorkerError as error:
            return row_of(task, status="not measured", reason=str(error), batch=None)
        return row_of(task, status="measured", batch=None, steps=1, pictures=Recipe.batch_size,
                    first_seconds=first, seconds=seconds)  # fmt: skip
