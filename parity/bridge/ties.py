"""Tied tensors belong to the layer that they belong to in the reference."""

from __future__ import annotations

from dataclasses import replace

from parity.bridge.places import Place, Places, Tensor, own


def follow_owners(ours: Places, theirs: Places) -> None:
    """Where two layers share a tensor on both sides, let the port's owner be the reference's.

    PyTorch's owner is the layer that was registered first, NNX's the one whose name sorts first;
    neither says anything of the model. Ties that differ stay as they are, for matching to refuse.
    """
    for place in theirs.all:
        for tensor in [t for t in place.tensors if t.spec.shared_with]:
            owner = _owner(theirs, tensor)
            if owner and _owned_there(ours, owner=place.path, other=owner.path):
                _swap(place, tensor, owner)


def _owner(places: Places, tensor: Tensor) -> Place | None:
    for place in places.all:
        if any(t.full == tensor.spec.shared_with for t in own(place.tensors)):
            return place
    return None


def _owned_there(ours: Places, owner: str, other: str) -> bool:
    """Whether the reference's layer `owner` owns what its layer `other` shares with it."""
    one, two = ours.at.get(owner), ours.at.get(other)
    if one is None or two is None:
        return False
    owned = {t.full for t in own(one.tensors)}
    return any(t.spec.shared_with in owned for t in two.tensors)


def _swap(place: Place, tensor: Tensor, owner: Place) -> None:
    """Its arrays stay under the name that NNX has for the tensor."""
    before = next(t for t in own(owner.tensors) if t.full == tensor.spec.shared_with)
    spec = replace(tensor.spec, shared_with="")
    place.tensors[place.tensors.index(tensor)] = replace(
        tensor, full=before.full, shown=tensor.full, spec=spec
    )
    spec = replace(before.spec, shared_with=before.full)
    owner.tensors[owner.tensors.index(before)] = replace(
        before, full=tensor.full, shown=before.full, spec=spec
    )
