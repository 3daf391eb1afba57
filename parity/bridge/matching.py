"""Which layer of the reference is which of the port: by path, then by type and shape.

Nothing is guessed. Two layers on one path must fit by a rule for their classes, or hold the same
names with the same shapes. What has no counterpart on its path is matched by type and shape where
only one pairing is possible, and the mapping's table says so. All else is an error that lists both
sides in full.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Dictionary

from parity.bridge.binder import Binder
from parity.bridge.binding import Binding
from parity.bridge.declarations import SLOT, Flatten, Waiver
from parity.bridge.errors import (
    AmbiguousError,
    BridgeError,
    FlattenError,
    TiedError,
    UnmatchedError,
    WaiverError,
)
from parity.bridge.mapping import Mapping
from parity.bridge.places import Place, Places, lines_of, own, port_places, reference_places
from parity.bridge.rules import RULES, Rule
from parity.bridge.structure import Structure
from parity.bridge.ties import follow_owners


def match(
    reference: Structure,
    port: Structure,
    renames: Dictionary[str, str] | None = None,
    rules: Iterable[Rule] = (),
    flattens: Iterable[Flatten] = (),
    waivers: Iterable[Waiver] = (),
) -> Mapping:
    """The map between two models.

    `renames` are patterns on the port's paths, from the path's beginning up to a '/' or its end,
    with the replacement that gives the reference's path: `{r"blocks/(\\d+)": r"layers/\\1"}`. The
    first that fits applies. `rules` come before ours. Tensors named by `waivers` are left as they
    are on either side.

    Raises BridgeError: UnmatchedError, AmbiguousError, MismatchError, NoCounterpartError,
    TiedError, RenameError, WaiverError, FlattenError or RuleError.
    """
    waivers, flattens = tuple(waivers), tuple(flattens)
    waived = _check_waivers(waivers, reference, port)
    ours = reference_places(reference, waived)
    theirs = port_places(port, waived, renames or {})
    follow_owners(ours, theirs)
    binder = Binder(ours, theirs, tuple(rules), RULES, _flattens(flattens, ours))
    matcher = _Matcher(ours, theirs, binder)
    bindings, by_shape = matcher.match()
    return Mapping(
        bindings, by_shape, waivers, flattens, dict(reference.left_out), dict(port.left_out)
    )


class _Matcher:
    def __init__(self, reference: Places, port: Places, binder: Binder) -> None:
        self._reference, self._port, self._binder = reference, port, binder
        self._bindings: dict[str, Binding] = {}  # by the reference's path
        self._refused: list[BridgeError] = []
        self._taken: dict[int, Place] = {}  # the port's place -> the reference's

    def match(self) -> tuple[tuple[Binding, ...], frozenset[str]]:
        units = self._units()
        alone = [unit for unit in units if not self._by_path(unit)]
        by_shape = self._by_shape(alone)
        self._check_leftovers([unit for unit in alone if unit.module.path not in by_shape])
        self._refused += self._binder.unused()
        _raise_all(self._refused)
        ordered = [unit.module.path for unit in units]
        bindings = tuple(self._bindings[path] for path in ordered)
        _check_shared(self._reference, self._port, bindings)
        self._check_covered(bindings)
        return bindings, frozenset(by_shape)

    def _units(self) -> list[Place]:
        """The reference's layers that hold anything; what lies in a whole layer belongs to it."""
        units, absorbed = [], set()
        for place in self._reference.all:
            if id(place) in absorbed:
                continue
            whole = self._binder.is_whole(place)
            if whole:
                absorbed |= {id(p) for p in self._reference.below(place)}
            if own(self._reference.tensors_of(place, whole)):
                units.append(place)
        return units

    def _by_path(self, unit: Place) -> bool:
        """Bind the unit to what the port has on its path. False where that is nothing."""
        whole = self._binder.is_whole(unit)
        found = {id(p): p for path in unit.paths if (p := self._port.at.get(path))}
        holding = [p for p in found.values() if own(self._port.tensors_of(p, whole))]
        if not holding:
            return False
        if len(holding) > 1:
            text = f"{unit} is one layer in several places, and in the port these are several"
            self._refused.append(TiedError(text, unit.paths, [str(p) for p in holding]))
            for place in holding:
                self._take(self._extent(unit, place), unit)
            return True
        place = holding[0]
        if other := self._taken.get(id(place)):
            text = f"{place} is one layer in several places, and in the reference these are several"
            self._refused.append(TiedError(text, [str(other), str(unit)], place.paths))
            return True
        try:
            self._bind(unit, place)
        except BridgeError as error:
            self._refused.append(error)
            self._take(self._extent(unit, place), unit)
        return True

    def _bind(self, unit: Place, place: Place) -> None:
        binding = self._binder.bind(unit, place)
        self._bindings[unit.module.path] = binding
        self._take(self._extent(unit, place), unit)

    def _extent(self, unit: Place, place: Place) -> list[Place]:
        """What of the port a unit takes with a place: all below it, for a whole layer."""
        return [place, *(self._port.below(place) if self._binder.is_whole(unit) else [])]

    def _take(self, places: Iterable[Place], unit: Place) -> None:
        self._taken |= {id(place): unit for place in places}

    def _by_shape(self, alone: list[Place]) -> set[str]:
        """Bind what is left where one pairing is possible; note where there are several."""
        free = [place for place in self._port.all if id(place) not in self._taken]
        fits = [(unit, place) for unit in alone for place in free if self._binder.fits(unit, place)]
        several = [
            (unit, place)
            for unit, place in fits
            if sum(u is unit for u, _ in fits) > 1 or sum(p is place for _, p in fits) > 1
        ]
        if several:
            ours = {str(unit): None for unit, _ in several}
            theirs = {str(place): None for _, place in several}
            text = "layers on different paths fit by type and shape, and not in one way only"
            advice = "rename the port's paths to the reference's"
            self._refused.append(AmbiguousError(text, list(ours), list(theirs), advice))
            for unit, place in several:
                self._take(self._extent(unit, place), unit)
        for unit, place in fits:
            if (unit, place) not in several:
                self._bind(unit, place)
        return {unit.module.path for unit, _ in fits}

    def _check_leftovers(self, alone: list[Place]) -> None:
        ours = [unit for unit in alone if not self._tied_there(unit, self._port)]
        free = [place for place in self._port.all if id(place) not in self._taken]
        theirs = [p for p in free if own(p.tensors) and not self._tied_there(p, self._reference)]
        lines = [
            line
            for unit in ours
            for line in lines_of(own(self._reference.tensors_of(unit, self._binder.is_whole(unit))))
        ]
        lines_there = [line for place in theirs for line in lines_of(own(place.tensors))]
        if lines or lines_there:
            text = "parameters or buffers without counterpart"
            advice = "rename the port's paths, bring a rule, or waive them by name with a reason"
            self._refused.append(UnmatchedError(text, lines, lines_there, advice))

    def _tied_there(self, place: Place, other: Places) -> bool:
        """Whether the other side has, on the same path, only tensors that are shared; noted."""
        found = other.at.get(place.path)
        if not found or not any(t.spec.shared_with for t in found.tensors):
            return False
        ours, theirs = (found, place) if other is self._reference else (place, found)
        text = f"{ours} and {theirs}: weights are shared on one side only"
        error = TiedError(text, lines_of(ours.tensors), lines_of(theirs.tensors))
        self._refused.append(error)
        return True

    def _check_covered(self, bindings: tuple[Binding, ...]) -> None:
        """Every tensor of either side is bound: what the steps before it should have ensured."""
        ours = {t.full for b in bindings for t in b.canonical.values()}
        theirs = {t.full for b in bindings for t in b.flax.values()}
        left = [t for p in self._reference.all for t in own(p.tensors) if t.full not in ours]
        left_there = [t for p in self._port.all for t in own(p.tensors) if t.full not in theirs]
        if left or left_there:
            text = "parameters or buffers that no rule carries"
            raise UnmatchedError(text, lines_of(left), lines_of(left_there))


def _raise_all(refused: list[BridgeError]) -> None:
    """One error that says everything; of the common class, or BridgeError where there are more."""
    if len(refused) == 1:
        raise refused[0]
    if refused:
        classes = {type(error) for error in refused}
        raise (classes.pop() if len(classes) == 1 else BridgeError).of(refused)


def _check_shared(reference: Places, port: Places, bindings: tuple[Binding, ...]) -> None:
    """What two names of the reference share, the same two of the port must share."""
    owner = {t.full: b for b in bindings for t in (*b.canonical.values(), *b.flax.values())}
    for b in bindings:
        place = reference.at.get(b.site.reference.path.replace(".", "/"))
        ours = [t for t in (place.tensors if place else []) if t.spec.shared_with]
        theirs = [t for p in port.all if p.module is b.site.port for t in p.tensors]
        theirs = [t for t in theirs if t.spec.shared_with]
        if ours and theirs:
            here = {id(owner.get(t.spec.shared_with)) for t in ours}
            there = {id(owner.get(t.spec.shared_with)) for t in theirs}
            if here != there:
                text = f"{b.site.reference.path} shares its weights with another layer in the port"
                raise TiedError(text, lines_of(ours), lines_of(theirs))


def _check_waivers(
    waivers: tuple[Waiver, ...], reference: Structure, port: Structure
) -> frozenset[str]:
    names = [{name for name, _ in side.tensors()} for side in (reference, port)]
    for waiver in waivers:
        if not waiver.reason.strip():
            raise WaiverError(f"the waiver of {waiver.name!r} gives no reason")
        if waiver.name.startswith(SLOT):
            continue  # of the optimizers, which the bridge does not see
        if waiver.name not in names[0] | names[1]:
            text = f"the waiver of {waiver.name!r} names no parameter and no buffer"
            raise WaiverError(text, sorted(names[0]), sorted(names[1]))
    return frozenset(waiver.name for waiver in waivers)


def _flattens(flattens: tuple[Flatten, ...], reference: Places) -> dict[str, tuple[int, int, int]]:
    shapes = {}
    for flatten in flattens:
        path = flatten.path.replace(".", "/")
        if path not in reference.at:
            text = f"Flatten({flatten.path!r}): the reference has no layer of that path"
            raise FlattenError(text, [p.path for p in reference.all if p.tensors])
        shapes[reference.at[path].path] = flatten.shape
    return shapes
