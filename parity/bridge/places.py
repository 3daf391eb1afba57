"""Both models on one map: every module under the path by which matching knows it.

PyTorch's dots become '/'. NNX's Sequential keeps its layers in a list 'layers', which PyTorch's
does not: that part of the path is dropped. Then the renames apply.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from parity.bridge.errors import RenameError
from parity.bridge.structure import ModuleSpec, Structure, TensorSpec

Rename = Callable[[str], str]


@dataclass(frozen=True)
class Tensor:
    """A tensor of a place: its name inside, its full name in its own model, and what it is.

    `full` is what its array is found under; a tied tensor is `shown` by its place's name for it.
    """

    local: str
    full: str
    spec: TensorSpec
    shown: str = ""

    def __str__(self) -> str:
        shape = "x".join(map(str, self.spec.shape)) or "scalar"
        tied = f", the same as {self.spec.shared_with}" if self.spec.shared_with else ""
        return f"{self.shown or self.full}: {self.spec.role}, {shape}, {self.spec.dtype}{tied}"


@dataclass
class Place:
    """One module on the map. `paths` has the path of each of its aliases too."""

    paths: list[str]
    module: ModuleSpec
    tensors: list[Tensor] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Where it is listed."""
        return self.paths[0]

    def __str__(self) -> str:
        return f"{self.module.path or 'the model itself'} ({self.module.kind})"


class Places:
    """All places of one model, in the model's order."""

    def __init__(self, places: Iterable[Place]) -> None:
        self.all = list(places)
        self.at = {path: place for place in self.all for path in place.paths}

    def below(self, place: Place) -> list[Place]:
        """The places inside a place."""
        prefix = f"{place.path}/" if place.path else ""
        return [p for p in self.all if p is not place and p.path.startswith(prefix)]

    def inside(self, place: Place) -> dict[str, ModuleSpec]:
        """The modules inside a place, by their paths from there."""
        start = len(place.path) + 1 if place.path else 0
        return {p.path[start:]: p.module for p in self.below(place)}

    def tensors_of(self, place: Place, whole: bool) -> list[Tensor]:
        """What the place holds itself, or with all that lies below it."""
        tensors = list(place.tensors)
        start = len(place.path) + 1 if place.path else 0
        for child in self.below(place) if whole else []:
            prefix = child.path[start:]
            tensors += [replace(t, local=f"{prefix}/{t.local}") for t in child.tensors]
        return tensors


def reference_places(structure: Structure, waived: Iterable[str]) -> Places:
    """The reference's map."""
    return _places(structure, waived, lambda path: path.replace(".", "/"))


def port_places(structure: Structure, waived: Iterable[str], renames: Mapping[str, str]) -> Places:
    """The port's map. Raises RenameError."""
    sequentials = [m.path for m in structure.modules if "flax.nnx.Sequential" in m.kinds]
    names = _Renamer(renames, sequentials)
    places = _places(structure, waived, names)
    names.check_all_used(structure)
    return places


class _Renamer:
    """Renames paths of the port: the first pattern that fits the path, or its beginning."""

    def __init__(self, renames: Mapping[str, str], sequentials: Iterable[str]) -> None:
        self._patterns = []
        for pattern, replacement in renames.items():
            try:
                self._patterns.append((re.compile(f"(?:{pattern})(?=/|$)"), pattern, replacement))
            except re.error as error:
                raise RenameError(f"rename {pattern!r} is no pattern: {error}") from error
        # The longest first: a Sequential may hold another.
        self._sequentials = sorted(sequentials, key=len, reverse=True)
        self._used: set[str] = set()

    def __call__(self, path: str) -> str:
        short = self._without_layers(path)
        for compiled, pattern, replacement in self._patterns:
            for spelling in (short, path):
                if match := compiled.match(spelling):
                    self._used.add(pattern)
                    try:
                        return (match.expand(replacement) + spelling[match.end() :]).strip("/")
                    except re.error as error:
                        text = f"rename {pattern!r} to {replacement!r}: {error}"
                        raise RenameError(text) from error
        return short

    def check_all_used(self, structure: Structure) -> None:
        for _, pattern, _ in self._patterns:
            if pattern not in self._used:
                raise RenameError(
                    f"rename {pattern!r} matches no path of the port",
                    port=[module.path for module in structure.modules if module.path],
                )

    def _without_layers(self, path: str) -> str:
        for sequential in self._sequentials:
            prefix = f"{sequential}/layers" if sequential else "layers"
            if path == prefix or path.startswith(f"{prefix}/"):
                path = (sequential + path[len(prefix) :]).strip("/")
        return path


def _places(structure: Structure, waived: Iterable[str], rename: Rename) -> Places:
    places: dict[str, Place] = {}
    modules = _without(structure, set(waived))
    for module in modules:
        paths = [rename(path) for path in (module.path, *module.aliases)]
        before = places.get(paths[0])
        if before and before.module.tensors and module.tensors:
            raise RenameError(
                f"the renames put two modules of the port on the path {paths[0]!r}",
                port=[str(before), str(Place(paths, module))],
            )
        if not before or module.tensors:
            places[paths[0]] = Place(paths, module, before.tensors if before else [])
    for module in modules:
        for spec in module.tensors:
            tensor = Tensor(spec.name, structure.full_name(module, spec), spec)
            _put(places, module, rename(module.path), rename, tensor)
    for path in [*places]:
        while path:  # a rename may lead to a path below one that the model does not have
            path, _, _ = path.rpartition("/")
            places.setdefault(path, Place([path], ModuleSpec(path, "no module")))
    return Places(places.values())


def _without(structure: Structure, waived: set[str]) -> list[ModuleSpec]:
    """The modules, waived tensors taken out."""
    return [
        replace(m, tensors=tuple(t for t in m.tensors if structure.full_name(m, t) not in waived))
        for m in structure.modules
    ]


def _put(
    places: dict[str, Place], module: ModuleSpec, home: str, rename: Rename, tensor: Tensor
) -> None:
    """Put the tensor where it belongs; a rename may give it another name, or another home."""
    path = rename(tensor.full)
    prefix = f"{home}/" if home else ""
    if path.startswith(prefix):
        local = path[len(prefix) :]
    else:
        home, _, local = path.rpartition("/")
    place = places.setdefault(home, Place([home], replace(module, path=home, tensors=())))
    if local in {t.local for t in place.tensors}:
        raise RenameError(
            f"the renames put two tensors of the port on the path {path!r}",
            port=[str(t) for t in place.tensors if t.local == local] + [str(tensor)],
        )
    place.tensors.append(replace(tensor, local=local))


def own(tensors: list[Tensor]) -> list[Tensor]:
    """Without those that are another tensor's second name."""
    return [t for t in tensors if not t.spec.shared_with]


def lines_of(tensors: list[Tensor]) -> list[str]:
    """A line a tensor, for an error."""
    return [str(t) for t in tensors]
