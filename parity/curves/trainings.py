"""The whole trainings of a comparison: which are there, which go on, which are missing. NumPy only.

A finished training is reused only where everything is as it would be now: recipe, pictures, native
initialisation, versions, device, precision, threads and the code that trains. Where anything
differs the comparison is refused, so that trainings of two kinds are never mixed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from experiment.errors import UserError
from experiment.history import History
from experiment.options import NATIVE
from experiment.recipe import Recipe
from experiment.results import FinishedRun, read_finished_run
from experiment.stored_run import StoredRun, read_stored_run
from parity.curves.comparison import Comparison
from parity.curves.layout import Layout, Side
from parity.curves.records import Surroundings

DROP_LAST = "--drop-last"
"""In the command line of a training whose short batches were left out."""
REPLICAS = "replicas"
"""In the command line of trainings that were made together."""

_ADVICE = (
    "Trainings of two kinds are never mixed: remove the folder to train it anew, or choose "
    "another --out"
)


class MixedTrainingsError(UserError):
    """A training in the comparison's folder that is not one of the comparison's."""


@dataclass(frozen=True)
class Wanted:
    """One training of the comparison."""

    side: Side
    seed: int
    path: Path
    recipe: Recipe
    drop_last: bool
    replica: bool
    """Whether it is trained together with the other seeds."""


def wanted(comparison: Comparison, layout: Layout, side: Side) -> list[Wanted]:
    """The side's trainings, by seed."""
    return [
        Wanted(
            side,
            seed,
            layout.training(side, seed),
            comparison.recipe(seed, side.is_port),
            side.is_port and comparison.port_drop_last,
            side.is_port and comparison.replicas,
        )
        for seed in range(comparison.seeds)
    ]


State = Literal["missing", "begun", "finished"]


def state(training: Wanted, here: Surroundings) -> State:
    """How far the training is.

    Raises `MixedTrainingsError` naming the folder and every difference where another kind of
    training is in it, and `UserError` where a file of it is damaged.
    """
    stored = read_stored_run(training.path)
    if stored is None:
        return "missing"
    if found := differences(training, stored, here):
        raise MixedTrainingsError(
            f"{training.path}: its training is not one of this comparison\n  "
            + "\n  ".join(found)
            + f"\n{_ADVICE}"
        )
    done = len(History(training.path / "history.jsonl").read())
    return "finished" if done == stored.recipe.epochs else "begun"


def differences(training: Wanted, stored: StoredRun, here: Surroundings) -> list[str]:
    """One line for everything in which the stored training is not the wanted one."""
    found = training.recipe.differences(stored.recipe)
    sessions: list[dict[str, Any]] = [stored.provenance, *stored.provenance.get("resumed", [])]
    for session in sessions:
        found += [line for line in _session_differences(session, here) if line not in found]
    found += _values(("framework", "python"), stored.provenance, vars(here))
    data, init = stored.provenance["data"], stored.provenance["init"]
    if data["sha256"] != here.data_sha256:
        found.append(f"pictures: sha256 {here.data_sha256} here, {data['sha256']} there")
    if init["source"] != NATIVE:
        found.append(f"initial weights: native here, {init['source']} there")
    for word, here_too, what in (
        (DROP_LAST, training.drop_last, "short batches left out"),
        (REPLICAS, training.replica, "all seeds in one program"),
    ):
        for there in {word in session.get("command_line", []) for session in sessions}:
            if there != here_too:
                found.append(f"{what}: {here_too} here, {there} there")
    return found


def finished(training: Wanted, here: Surroundings) -> FinishedRun:
    """The training's records. Raises `UserError` where it is not finished, or another one."""
    if state(training, here) == "missing":
        raise MixedTrainingsError(f"{training.path}: no training is in it, although it just ran")
    return read_finished_run(training.path)


def _session_differences(session: Mapping[str, Any], here: Surroundings) -> list[str]:
    return _values(("versions", "device", "precision", "threads", "code"), session, vars(here))


def _values(names: tuple[str, ...], there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    return [
        f"{name}: {here[name]} here, {there.get(name)} there"
        for name in names
        if there.get(name) != here[name]
    ]
