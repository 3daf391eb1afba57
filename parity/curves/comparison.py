"""The recipe of a comparison: what is trained and what counts as equal, fixed beforehand."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from experiment.errors import UserError
from experiment.recipe import MAX_SEED, Recipe
from parity.curves import files

FORMAT = "cifar10-parity comparison"
"""What tells comparison.json from other JSON files."""

SHARED_SEED = 0
"""Of the shared weights, and of the order of the epoch that is trained from them."""

_ADVICE = "choose another --out, or remove the folder to begin anew"


class ComparisonError(UserError):
    """A comparison that cannot be made, or another one than the folder's."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Everything that decides the outcome but the trainings themselves."""

    seeds: int = 6
    """Trainings of each framework, with seeds 0, 1, ..."""
    epochs: int = 3
    train_limit: int | None = None
    test_limit: int | None = None
    data: str = "auto"
    """As for the training commands."""
    device: Literal["auto", "cpu", "gpu"] = "auto"
    noise_runs: int = 5
    """Runs of the reference from weights moved by one unit in the last place."""
    alpha: float = 0.05
    """Chance of a wrong claim of equivalence, and of a wrong claim of difference."""
    accuracy_margin: float = 2.0
    """Final test accuracy, percentage points: a smaller difference counts as none."""
    loss_margin: float = 0.025
    """Mean over the epochs of the test loss, nats: a smaller difference counts as none."""
    envelope_factor: float = 16.0
    """How many times farther than the noise runs the port may go in the first epoch."""
    replicas: bool = False
    """Train all seeds of the port at once, in one program."""
    port_learning_rate: float | None = None
    """Self-test: the port trains with this learning rate."""
    port_drop_last: bool = False
    """Self-test: the port leaves the last, short batch of every epoch out."""
    port_is_reference: bool = False
    """Self-test: the reference stands in for the port, so both arms are the same."""

    def __post_init__(self) -> None:
        """Raise `ComparisonError` naming every field that is wrong."""
        problems = [
            f"{name}: found {getattr(self, name)!r}, expected a whole number from {low} to {high}"
            for name, low, high in (("seeds", 1, MAX_SEED), ("epochs", 1, MAX_SEED),
                                    ("noise_runs", 1, 1000))
            if not low <= getattr(self, name) <= high
        ]  # fmt: skip
        problems += [
            f"{name}: found {getattr(self, name)!r}, expected a number above 0"
            for name in ("accuracy_margin", "loss_margin", "envelope_factor")
            if not 0 < getattr(self, name) < float("inf")
        ]
        if not 0 < self.alpha < 0.5:
            problems.append(f"alpha: found {self.alpha!r}, expected a number from 0 to 0.5")
        if self.replicas and self.port_is_reference:
            problems.append("replicas: found true with the reference in the port's place")
        if problems:
            raise ComparisonError("no comparison can be made\n  " + "\n  ".join(problems))

    @property
    def planted(self) -> tuple[str, ...]:
        """What was planted into the port's arm, in words."""
        said = []
        if self.port_learning_rate is not None:
            said.append(
                f"learning rate {self.port_learning_rate:g} instead of {Recipe.learning_rate:g}"
            )
        if self.port_drop_last:
            said.append("the last, short batch of every epoch left out")
        if self.port_is_reference:
            said.append("the reference in the port's place: the same arm twice")
        return tuple(said)

    def recipe(self, seed: int, port: bool = False) -> Recipe:
        """What one training of the comparison is. Raises `RecipeError`."""
        recipe = Recipe(
            epochs=self.epochs, seed=seed, train_limit=self.train_limit, test_limit=self.test_limit
        )
        if port and self.port_learning_rate is not None:
            recipe = dataclasses.replace(recipe, learning_rate=self.port_learning_rate)
        return recipe


def read_comparison(path: Path) -> Comparison:
    """Raises `CurvesFileError` naming the file."""
    return files.read(path, FORMAT, Comparison, _ADVICE)


def fix(comparison: Comparison, path: Path) -> None:
    """Write the comparison down before the first training, or check that it is the file's.

    Raises `ComparisonError` with the differences where the file holds another one,
    `CurvesFileError` where it cannot be read, and `OSError`.
    """
    if not path.exists():
        files.write(path, FORMAT, comparison)
        return
    before = dataclasses.asdict(read_comparison(path))
    here = dataclasses.asdict(comparison)
    differences = [f"{k}: {v!r} here, {before[k]!r} there" for k, v in here.items()
                   if v != before[k]]  # fmt: skip
    if differences:
        raise ComparisonError(
            f"{path}: another comparison was begun in this folder\n  "
            + "\n  ".join(differences)
            + f"\n{_ADVICE[0].upper()}{_ADVICE[1:]}"
        )
