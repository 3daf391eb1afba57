"""What is compared: two models, what goes in, how they are trained.

    # my_pair.py, for `python -m parity verify my_pair.py`
    from parity import Pair

    def reference(seed):            # PyTorch; imported here, so that only its own process does
        from my_torch import Net
        return Net()

    def port(seed):                 # Flax NNX
        from flax import nnx
        from my_flax import Net
        return Net(rngs=nnx.Rngs(seed))

    PAIR = Pair(
        name="my_net",
        reference=reference,
        port=port,
        inputs=lambda generator, n: generator.normal(size=(n, 20)),
    )

Importing this imports numpy only.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from experiment.errors import UserError
from parity.bridge.declarations import Flatten, Waiver
from parity.bridge.rules.rule import Rule


class PairError(UserError):
    """A pair that cannot be compared: what it declares is wrong, or something it calls fails."""


def unchanged(value: Any) -> Any:
    """The value as it is."""
    return value


def channels_last(value: Any) -> Any:
    """Pictures (n, c, h, w) -> (n, h, w, c), sequences (n, c, l) -> (n, l, c); in any nesting.

    For `Pair.port_inputs`. Arrays with fewer than three axes stay as they are.
    """
    return _each_array(value, lambda array: np.moveaxis(array, 1, -1))


def channels_first(value: Any) -> Any:
    """(n, h, w, c) -> (n, c, h, w), (n, l, c) -> (n, c, l); in any nesting. For `port_outputs`."""
    return _each_array(value, lambda array: np.moveaxis(array, -1, 1))


@dataclass(frozen=True, kw_only=True)
class Training:
    """One side's real training: its own loader and its own epoch, for a pair that has them."""

    batches: Callable[[int], Iterable[tuple[Any, Any]]]
    """Epoch (from 1) -> what the side's loader hands out, batch by batch: (inputs, targets) as
    NumPy arrays in canonical form, in the loader's dtype."""
    epoch: Callable[[Any, Any, int], Mapping[str, Any]]
    """(model, optimizer, epoch) -> what it recorded, by name; trains the model in place. 'losses'
    must be there, one a step."""
    evaluate: Callable[[Any], Mapping[str, Any]]
    """model -> what the side records of it on its test data, by name."""
    config: Callable[[], Mapping[str, Any]] = dict
    """Every number that decides the training, ready for JSON; the sides must be equal."""
    epochs: int = 2
    """Epochs of the trajectory."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two models that should compute the same, and what is needed to show it.

    `reference` side functions see PyTorch's tensors and modules, `port` side functions JAX's. All
    that crosses is NumPy in canonical form: PyTorch's names and layouts (pictures n, c, h, w).
    """

    name: str
    """Shown everywhere; captures of pairs with other names are not compared."""
    reference: Callable[[int], Any]
    """Seed -> the `torch.nn.Module`, freshly initialised (`torch.manual_seed(seed)` is done)."""
    port: Callable[[int], Any]
    """Seed -> the `flax.nnx.Module`, freshly initialised. Modes are switched by its `train()` and
    `eval()`; one that takes them as arguments is wrapped, see examples/README.md."""
    inputs: Callable[[np.random.Generator, int], Any]
    """(generator, n) -> the models' inputs for a batch of n: an array, a tuple of arrays
    (positional arguments) or a dict of arrays (keyword arguments), in canonical form. Floats are
    cast to the precision that is compared; integers stay."""
    targets: Callable[..., Any] | None = None
    """(generator, n) -> what the losses take beside the outputs; a function of three arguments is
    given the inputs too, for targets that are made of them."""
    reference_loss: Callable[[Any, Any], Any] | None = None
    """(outputs, targets) -> scalar tensor. Without losses the models' outputs are projected on
    fixed random numbers, so that there are gradients, and the stage loss is skipped."""
    port_loss: Callable[[Any, Any], Any] | None = None
    """(outputs, targets) -> scalar array; it sees the port's own outputs."""
    reference_optimizer: Callable[[Any, float], Any] | None = None
    """(model, learning rate) -> `torch.optim.Optimizer`; plain SGD where there is none."""
    port_optimizer: Callable[[Any, float], Any] | None = None
    """(model, learning rate) -> `nnx.Optimizer`, or an Optax transformation."""
    learning_rate: float = 0.01
    """Learning rate of the first steps; the harness lowers it once on the way."""
    batch_size: int = 8
    """Examples in a full batch."""
    short_batch_size: int = 3
    """Examples in the short batch that ends an epoch."""
    port_inputs: Callable[[Any], Any] = unchanged
    """Canonical inputs -> as the port takes them; `parity.channels_last` for pictures."""
    port_targets: Callable[[Any], Any] = unchanged
    """Canonical targets -> as the port's loss takes them."""
    port_outputs: Callable[[Any], Any] = unchanged
    """The port's outputs, as NumPy arrays -> canonical form; `parity.channels_first`."""
    renames: Mapping[str, str] = field(default_factory=dict)
    """Patterns on the port's paths and what the reference calls them; see
    `parity.bridge.matching.match`."""
    rules: tuple[Rule, ...] = ()
    """Rules for layers that the bridge does not know."""
    flattens: tuple[Flatten, ...] = ()
    """Linear layers whose inputs are pictures that the port flattens in the order H, W, C."""
    waivers: tuple[Waiver, ...] = ()
    """Parameters and buffers without counterpart, and why that is right."""
    reference_training: Training | None = None
    """The reference's real training, if the pair is to prove that too."""
    port_training: Training | None = None
    """The port's real training."""

    def __post_init__(self) -> None:
        """Raise `PairError` naming every field that is wrong."""
        problems = [
            *_name_problems(self.name),
            *_callable_problems(self),
            *_size_problems(self),
            *(f"{name}: found {kind}, expected {wanted}" for name, kind, wanted in _foreign(self)),
        ]
        for one, other in (("loss", None), ("optimizer", None), ("training", None)):
            sides = [f"{side}_{one}" for side in ("reference", "port")]
            given = [getattr(self, side) is not None for side in sides]
            if given[0] != given[1]:
                there, missing = sides if given[0] else sides[::-1]
                problems.append(f"{missing}: missing, and {there} is given; both or {other}")
        if problems:
            raise PairError(f"pair {self.name!r} cannot be compared\n  " + "\n  ".join(problems))


def _each_array(value: Any, change: Callable[[np.ndarray], np.ndarray]) -> Any:
    if isinstance(value, Mapping):
        return {key: _each_array(item, change) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return tuple(_each_array(item, change) for item in value)
    if value is None:
        return None
    array = np.asarray(value)
    return change(array) if array.ndim >= 3 else array


def _name_problems(name: Any) -> list[str]:
    if isinstance(name, str) and name.strip() and name.isprintable():
        return []
    return [f"name: found {name!r}, expected a line of text"]


def _callable_problems(pair: Pair) -> list[str]:
    required = ("reference", "port", "inputs", "port_inputs", "port_targets", "port_outputs")
    optional = ("targets", "reference_loss", "port_loss", "reference_optimizer", "port_optimizer")
    wrong = [name for name in required if not callable(getattr(pair, name))]
    wrong += [
        n for n in optional if getattr(pair, n) is not None and not callable(getattr(pair, n))
    ]
    return [f"{name}: found {getattr(pair, name)!r}, expected a function" for name in wrong]


def _size_problems(pair: Pair) -> list[str]:
    problems = []
    for name in ("batch_size", "short_batch_size"):
        size = getattr(pair, name)
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            problems.append(f"{name}: found {size!r}, expected a whole number, at least 1")
    if not problems and pair.short_batch_size >= pair.batch_size:
        problems.append(
            f"short_batch_size: found {pair.short_batch_size}, expected less than the "
            f"{pair.batch_size} of batch_size"
        )
    rate = pair.learning_rate
    if not isinstance(rate, int | float) or not np.isfinite(rate) or rate <= 0:
        problems.append(f"learning_rate: found {rate!r}, expected a finite number above 0")
    return problems


def _foreign(pair: Pair) -> list[tuple[str, str, str]]:
    """Fields that hold objects of another class than they should."""
    wrong = []
    for name, kind in (("rules", Rule), ("flattens", Flatten), ("waivers", Waiver)):
        items = getattr(pair, name)
        if not isinstance(items, tuple | list):
            wrong.append((name, repr(items), f"a tuple of {kind.__name__}"))
        else:
            wrong += [(name, repr(i), kind.__name__) for i in items if not isinstance(i, kind)]
    for name in ("reference_training", "port_training"):
        value = getattr(pair, name)
        if value is not None and not dataclasses.is_dataclass(value):
            wrong.append((name, repr(value), "Training"))
    if not isinstance(pair.renames, Mapping):
        wrong.append(("renames", repr(pair.renames), "a dict of patterns"))
    return wrong
