"""Whether a rule fits two layers, and the words for it when it does not.

It is found by applying the rule to arrays of the reference's shapes: what comes out must be what
the port holds, name by name and shape by shape.
"""

from __future__ import annotations

import numpy as np

from parity.bridge.binding import Binding
from parity.bridge.errors import (
    AmbiguousError,
    BridgeError,
    FlattenError,
    MismatchError,
    RuleError,
    TiedError,
    UnmatchedError,
)
from parity.bridge.places import Place, Tensor, lines_of, own


def check_fit(binding: Binding, ours: list[Tensor], theirs: list[Tensor], where: str) -> None:
    """Raise unless the rule makes of the reference's tensors just what the port holds."""
    expected = _shapes_there(binding, own(ours), where)
    found = {t.local: t.spec.shape for t in own(theirs)}
    if expected.keys() != found.keys():
        if any(t.spec.shared_with for t in [*ours, *theirs]):
            text = f"{where} hold weights that are shared on one side only"
            raise TiedError(text, lines_of(ours), lines_of(theirs))
        missing = expected.keys() - found.keys()
        raise UnmatchedError(
            f"{where} do not hold the same tensors",
            [str(t) for t in own(ours) if _made_of(binding, ours, t, where) & missing],
            [str(t) for t in own(theirs) if t.local not in expected],
        )
    wrong = [name for name in found if found[name] != expected[name]]
    if wrong:
        lines = [f"{name}: expected {expected[name]}, found {found[name]}" for name in wrong]
        text = "\n".join([f"{where}: the shapes do not fit ({binding.how})", *lines])
        raise MismatchError(text, lines_of(ours), lines_of(theirs))
    if {t.spec.role for t in own(ours)} != {t.spec.role for t in own(theirs)}:
        text = f"{where}: parameters on one side are buffers on the other"
        raise MismatchError(text, lines_of(ours), lines_of(theirs))


def _shapes_there(binding: Binding, ours: list[Tensor], where: str) -> dict[str, tuple[int, ...]]:
    arrays = {t.local: np.zeros(t.spec.shape, np.int8) for t in ours}
    try:
        there = binding.rule.to_flax(arrays, binding.site)
    except KeyError as error:
        unknown = [str(t) for t in ours if t.local in error.args] or lines_of(ours)
        text = f"{where}: the rule ({binding.how}) has no place for {error}"
        raise UnmatchedError(text, unknown, lines_of(list(binding.flax.values()))) from error
    except ValueError as error:
        text = f"{where}: the rule ({binding.how}) does not fit: {error}"
        raise MismatchError(text, lines_of(ours), lines_of(list(binding.flax.values()))) from error
    return {name: array.shape for name, array in there.items()}


def _made_of(binding: Binding, ours: list[Tensor], tensor: Tensor, where: str) -> set[str]:
    """The port's tensors that are not made when one of the reference's is left out."""
    rest = [t for t in own(ours) if t is not tensor]
    everything = _shapes_there(binding, own(ours), where).keys()
    return set(everything - _shapes_there(binding, rest, where).keys())


def check_round_trip(binding: Binding, ours: list[Tensor]) -> None:
    """Try the pair's own rule on numbers that are all different."""
    if binding.lossy:
        return
    count = 0.0
    arrays = {}
    for t in ours:
        arrays[t.full] = np.arange(count, count + np.prod(t.spec.shape)).reshape(t.spec.shape)
        count += arrays[t.full].size
    try:
        back = binding.to_canonical(binding.to_flax(arrays))
    except (KeyError, ValueError) as error:
        text = f"the pair's rule for {binding.site.reference.path} fails: {error!r}"
        raise RuleError(text) from error
    wrong = [str(t) for t in ours if not np.array_equal(back[t.full], arrays[t.full])]
    if wrong:
        raise RuleError("to_canonical of the pair's rule does not undo its to_flax for", wrong)


def no_rule(reference: Place, port: Place, ours: list[Tensor], theirs: list[Tensor]) -> BridgeError:
    """Why two layers without a rule are not bound: what could be meant, or that nothing fits."""
    kinds = f"there is no rule from {reference.module.kind} to {port.module.kind}"
    if any(t.spec.shared_with for t in [*ours, *theirs]):
        text = f"{reference} and {port}: weights are shared on one side only, or {kinds}"
        return TiedError(text, lines_of(ours), lines_of(theirs))
    candidates = [line for t in ours for line in _readings(t, theirs)]
    advice = "bring a rule with the pair, or give the port's tensors PyTorch's names and layouts"
    if candidates:
        text = "\n".join([f"{reference} and {port}: {kinds}; possible readings:", *candidates])
        return AmbiguousError(text, lines_of(ours), lines_of(theirs), advice)
    text = f"{reference} and {port}: {kinds}, and no shapes fit"
    return MismatchError(text, lines_of(ours), lines_of(theirs), advice)


def _readings(tensor: Tensor, theirs: list[Tensor]) -> list[str]:
    shape = tensor.spec.shape
    lines = []
    for other in theirs:
        if other.spec.shape == shape:
            lines.append(f"  {other.full} is {tensor.full} as it is")
        if len(shape) > 1 and other.spec.shape == shape[::-1]:
            lines.append(f"  {other.full} is {tensor.full} transposed")
        elif len(shape) > 1 and sorted(other.spec.shape) == sorted(shape):
            lines.append(f"  {other.full} is {tensor.full} with its axes in another order")
    return lines


def check_flatten(place: Place, ours: list[Tensor], shape: tuple[int, int, int]) -> None:
    weights = [t for t in ours if t.local == "weight" and len(t.spec.shape) == 2]
    if not weights or weights[0].spec.shape[1] != np.prod(shape):
        raise FlattenError(
            f"Flatten({place.path!r}, {shape}): expected there a weight with "
            f"{' * '.join(map(str, shape))} = {np.prod(shape)} columns",
            lines_of(ours),
        )
