"""The processes of a comparison, shared out over the cores. NumPy only."""

from __future__ import annotations

import os
from collections.abc import Sequence

from parity.capture.processes import Task, environment
from parity.curves.comparison import Comparison
from parity.curves.layout import Layout, Side
from parity.curves.trainings import DROP_LAST, REPLICAS, Wanted

_MODULE = ("parity.curves.process",)


class Schedule:
    """Lines of processes that run at once, each line on cores of its own."""

    def __init__(self, comparison: Comparison, layout: Layout, jobs: int) -> None:
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        share = max(1, len(cores) // jobs)
        self._shares = [
            [cores[(line * share + i) % len(cores)] for i in range(share)] if cores else []
            for line in range(jobs)
        ]
        self._threads = share if cores else max(1, (os.cpu_count() or 1) // jobs)
        self._comparison, self._layout = comparison, layout

    def jobs(self, job: str, sides: Sequence[Side]) -> list[list[Task]]:
        """The same job of some sides."""
        arguments = ["--folder", str(self._layout.folder)]
        return self._lines([(side, job, [job, *arguments], []) for side in sides])

    def trainings(self, wanted: Sequence[Wanted]) -> list[list[Task]]:
        """Training commands, each resuming what is in its folder."""
        comparison = self._comparison
        entries: list[tuple[Side, str, list[str], list[str]]] = []
        folder = ["--folder", str(self._layout.folder)]
        for side in {one.side for one in wanted if one.replica}:
            dropped = [DROP_LAST] if comparison.port_drop_last else []
            entries.append((side, "all seeds", [REPLICAS, *folder, *dropped], []))
        for one in wanted:
            if one.replica:
                continue
            recipe = one.recipe
            options = ["--out", str(one.path), "--resume", "--data", comparison.data]
            options += ["--device", comparison.device, "--seed", str(one.seed)]
            options += ["--epochs", str(recipe.epochs)]
            options += ["--learning-rate", repr(recipe.learning_rate)]
            for name in ("train_limit", "test_limit"):
                if (limit := getattr(recipe, name)) is not None:
                    options += [f"--{name.replace('_', '-')}", str(limit)]
            words = ["train", *([DROP_LAST] if one.drop_last else [])]
            entries.append((one.side, f"seed {one.seed}", words, ["--", *options]))
        return self._lines(entries)

    def _lines(self, entries: Sequence[tuple[Side, str, list[str], list[str]]]) -> list[list[Task]]:
        """One after another onto the shortest line; a line keeps its order."""
        lines: list[list[Task]] = [[] for _ in self._shares]
        for place, (side, name, words, after) in enumerate(entries):
            # Shifted by one a round, so that no line gets one framework alone.
            line = (place + place // len(lines)) % len(lines)
            cores = ",".join(map(str, self._shares[line]))
            arguments = [
                *words,
                "--side",
                side.name,
                *(["--cores", cores] if cores else []),
                *after,
            ]
            lines[line].append(Task(side.framework, name, arguments, self._environment(side),
                                    module=_MODULE, kind="process", shown="Epoch: "))  # fmt: skip
        return lines

    def _environment(self, side: Side) -> dict[str, str]:
        lane = "float32" if self._comparison.device == "cpu" else "device"
        found = environment(side.framework, lane, 2 * self._threads)
        return found | {"OMP_NUM_THREADS": str(self._threads)}
