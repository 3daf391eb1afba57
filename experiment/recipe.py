"""The recipe: every number that decides what a training computes.

The network and the procedure are those of the published PyTorch tutorial run; the fields that a
command can set are its hyperparameters. Both frameworks take the same `Recipe` and no other number.
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from experiment.errors import UserError

MAX_SEED = 2**31 - 1
"""Largest seed that PyTorch, JAX (32-bit mode) and NumPy all take unchanged."""


class RecipeError(UserError):
    """A recipe that cannot be trained, or a recipe file that is not one."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Hyperparameters of one training."""

    epochs: int = 10
    """Passes over the training pictures."""
    batch_size: int = 32
    """Pictures in a batch; the last, shorter batch of an epoch is kept."""
    learning_rate: float = 0.01
    """Learning rate of stochastic gradient descent."""
    momentum: float = 0.0
    """Momentum, with the semantics of torch.optim.SGD (no dampening)."""
    nesterov: bool = False
    """Nesterov momentum, as torch.optim.SGD computes it; needs a momentum."""
    weight_decay: float = 0.0
    """L2 penalty on every parameter, biases too, added to the gradient as torch.optim.SGD does."""
    seed: int = 4
    """Seed of the native initialisation and of every epoch's order of the pictures."""
    train_limit: int | None = None
    """Train on the first N training pictures only."""
    test_limit: int | None = None
    """Test on the first N test pictures only."""
    precision: Literal["float32", "tf32"] = "float32"
    """float32 is strict: TF32 is off in both frameworks. tf32 turns it on in both (GPU only)."""

    # What follows is the same in every run; it is written down so that a recipe file says it all.
    channels: ClassVar[tuple[int, int, int]] = (64, 64, 128)
    """Output channels of the three 3x3 convolutions (no padding, ReLU, 2x2 max-pooling after)."""
    hidden: ClassVar[int] = 256
    """Width of the fully connected layer between the flattened pictures and the logits."""
    classes: ClassVar[int] = 10
    """Number of logits."""
    pixel_divisor: ClassVar[int] = 255
    """Pictures are uint8 / 255: in [0, 1], neither normalised nor augmented."""
    initialisation: ClassVar[str] = "U(-1/sqrt(fan_in), 1/sqrt(fan_in))"
    """PyTorch's default for weights and biases of nn.Conv2d and nn.Linear."""
    loss: ClassVar[str] = "cross_entropy, mean over the batch"
    """The objective."""
    optimizer: ClassVar[str] = "sgd"
    """The optimizer."""
    order: ClassVar[str] = "shuffled every epoch, last batch kept"
    """See `experiment.batches`."""
    epoch_loss: ClassVar[str] = "mean of the batches' losses"
    """A short batch weighs as much as a full one, as in the published run."""

    def __post_init__(self) -> None:
        """Raise `RecipeError` naming every field that is wrong."""
        problems = [
            *_whole_number_problems("epochs", self.epochs, 1),
            *_whole_number_problems("batch_size", self.batch_size, 1),
            *_rate_problems("learning_rate", self.learning_rate),
            *_rate_problems("momentum", self.momentum, below=1.0),
            *_rate_problems("weight_decay", self.weight_decay),
            *_whole_number_problems("seed", self.seed, 0, MAX_SEED),
        ]
        for name in ("train_limit", "test_limit"):
            if getattr(self, name) is not None:
                problems += _whole_number_problems(name, getattr(self, name), 1)
        if not isinstance(self.nesterov, bool):
            problems.append(f"nesterov: found {self.nesterov!r}, expected true or false")
        elif self.nesterov and self.momentum == 0:
            problems.append("nesterov: found true with momentum 0, expected a momentum above 0")
        if self.precision not in ("float32", "tf32"):
            problems.append(f"precision: found {self.precision!r}, expected 'float32' or 'tf32'")
        if problems:
            raise RecipeError("the recipe cannot be trained\n  " + "\n  ".join(problems))

    def check_fits(self, train_size: int) -> None:
        """Raise `RecipeError` if a batch does not fit into `train_size` training pictures."""
        if self.batch_size > train_size:
            raise RecipeError(
                f"batch_size: found {self.batch_size}, expected at most the {train_size} training "
                "pictures; choose a smaller --batch-size or a larger --train-limit"
            )

    def to_json(self) -> str:
        """The recipe as a JSON object, one field a line."""
        return json.dumps({**dataclasses.asdict(self), **_fixed_values()}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str = "recipe") -> Recipe:
        """Read what `to_json` wrote.

        `where` names the text in errors. Raises `RecipeError` for text that is not JSON, missing or
        unknown fields, wrong values, or a fixed field with another value than this version's.
        """
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise RecipeError(f"{where}: not JSON ({error}); expected a recipe.json") from error
        settable, fixed = {f.name for f in dataclasses.fields(cls)}, _fixed_values()
        if not isinstance(values, dict):
            raise RecipeError(f"{where}: found {type(values).__name__}, expected a JSON object")
        expected = settable | fixed.keys()
        problems = [f"{name}: missing" for name in expected - values.keys()]
        problems += [f"{name}: unknown field" for name in values.keys() - expected]
        if problems:
            raise RecipeError(f"{where}: not a recipe\n  " + "\n  ".join(sorted(problems)))
        problems = [
            f"{name}: found {values[name]!r}, this version has {value!r}"
            for name, value in fixed.items()
            if values[name] != value
        ]
        if problems:
            raise RecipeError(f"{where}: written for another network\n  " + "\n  ".join(problems))
        try:
            return cls(**{name: values[name] for name in settable})
        except RecipeError as error:
            raise RecipeError(f"{where}: {error}") from error

    def differences(self, other: Recipe) -> list[str]:
        """One line for every field in which the two differ: 'name: mine here, theirs there'."""
        mine, theirs = dataclasses.asdict(self), dataclasses.asdict(other)
        return [f"{k}: {v!r} here, {theirs[k]!r} there" for k, v in mine.items() if v != theirs[k]]


def _fixed_values() -> dict[str, Any]:
    """What is the same in every recipe, as JSON has it."""
    fixed = {
        name: getattr(Recipe, name)
        for name, kind in Recipe.__annotations__.items()
        if kind.startswith("ClassVar")
    }
    return json.loads(json.dumps(fixed))


def _whole_number_problems(name: str, value: Any, low: int, high: int | None = None) -> list[str]:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if whole and low <= value and (high is None or value <= high):
        return []
    span = f"at least {low}" if high is None else f"from {low} to {high}"
    return [f"{name}: found {value!r}, expected a whole number {span} ({_option(name)})"]


def _rate_problems(name: str, value: Any, below: float = math.inf) -> list[str]:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and math.isfinite(value) and 0 <= value < below:
        return []
    span = "0 or more" if below == math.inf else f"at least 0 and below {below:g}"
    return [f"{name}: found {value!r}, expected a finite number, {span} ({_option(name)})"]


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
