"""Finds the rule for two layers: the pair's own, that they are alike, or one of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping

from parity.bridge.binding import Binding
from parity.bridge.errors import BridgeError, NoCounterpartError, RuleError
from parity.bridge.fit import check_fit, check_flatten, check_round_trip, no_rule
from parity.bridge.places import Place, Places, Tensor, lines_of, own
from parity.bridge.rules.rule import Rule, Site

_AS_IT_IS = Rule("*", "*", lambda arrays, site: dict(arrays), lambda arrays, site: dict(arrays))


class Binder:
    """Binds layers of two models with the pair's rules and ours."""

    def __init__(
        self,
        reference: Places,
        port: Places,
        pair_rules: tuple[Rule, ...],
        rules: tuple[Rule, ...],
        flattens: Mapping[str, tuple[int, int, int]],
    ) -> None:
        self._reference, self._port = reference, port
        self._pair_rules, self._rules = pair_rules, rules
        self._flattens = flattens
        self._tried: set[int] = set()

    def is_whole(self, place: Place) -> bool:
        """Whether the reference's layer is bound together with all that lies below it."""
        for rules in (self._pair_rules, self._rules):
            kinds = {rule.reference for rule in rules if rule.reference in place.module.kinds}
            if kinds:
                nearest = min(kinds, key=place.module.kinds.index)
                return any(rule.whole for rule in rules if rule.reference == nearest)
        return False

    def fits(self, reference: Place, port: Place) -> bool:
        """Whether the two can be bound without being on one path: of one type and shape."""
        rule = _nearest(self._pair_rules + self._rules, reference, port)
        if rule and rule.port == "*":
            rule = None  # it takes anything below a path, so without the path it says nothing
        if not rule and not (_same_name(reference, port) and self._alike(reference, port)):
            return False
        try:
            self.bind(reference, port)
        except BridgeError:
            return False
        return True

    def bind(self, reference: Place, port: Place) -> Binding:
        """The binding of the two. Raises BridgeError where there is none."""
        rule = _nearest(self._pair_rules, reference, port)
        if rule:
            self._tried.add(id(rule))
            binding = self._by_rule(rule, "the pair's rule", reference, port)
            check_round_trip(binding, self._tensors(reference, rule.whole))
            return binding
        if self._alike(reference, port):
            whole = self.is_whole(reference)
            return self._binding(reference, port, _AS_IT_IS, whole, "same names and shapes")
        rule = _nearest(self._rules, reference, port)
        if not rule:
            raise no_rule(reference, port, *self._sides(reference, port))
        port_kind = port.module.kind if rule.port == "*" else rule.port
        return self._by_rule(rule, f"{rule.reference} -> {port_kind}", reference, port)

    def unused(self) -> list[BridgeError]:
        """What to say of the pair's rules that were for no two layers."""
        advice = "write both classes as they are listed, or leave the rule out"
        return [
            RuleError(
                f"the pair's rule from {rule.reference!r} to {rule.port!r} is for no two layers "
                "that belong together; their classes are",
                _kinds(self._reference),
                _kinds(self._port),
                advice,
            )
            for rule in self._pair_rules
            if id(rule) not in self._tried
        ]

    def _tensors(self, reference: Place, whole: bool) -> list[Tensor]:
        return own(self._reference.tensors_of(reference, whole))

    def _sides(self, reference: Place, port: Place) -> tuple[list[Tensor], list[Tensor]]:
        whole = self.is_whole(reference)
        return (
            self._reference.tensors_of(reference, whole),
            self._port.tensors_of(port, whole),
        )

    def _alike(self, reference: Place, port: Place) -> bool:
        ours, theirs = (
            {t.local: (t.spec.shape, t.spec.role) for t in own(side)}
            for side in self._sides(reference, port)
        )
        return ours == theirs

    def _by_rule(self, rule: Rule, how: str, reference: Place, port: Place) -> Binding:
        binding = self._binding(reference, port, rule, rule.whole, how)
        ours = self._reference.tensors_of(reference, rule.whole)
        theirs = self._port.tensors_of(port, rule.whole)
        where = f"{reference} and {port}"
        if reason := rule.refuse(binding.site):
            raise NoCounterpartError(f"{where}: {reason}", lines_of(ours), lines_of(theirs))
        check_fit(binding, ours, theirs, where)
        return binding

    def _binding(self, reference: Place, port: Place, rule: Rule, whole: bool, how: str) -> Binding:
        site = Site(
            reference.module,
            port.module,
            self._reference.inside(reference) if whole else {},
            self._port.inside(port) if whole else {},
        )
        ours = own(self._reference.tensors_of(reference, whole))
        theirs = own(self._port.tensors_of(port, whole))
        flatten = self._flattens.get(reference.path)
        if flatten:
            check_flatten(reference, ours, flatten)
        return Binding(
            site,
            rule,
            how,
            {t.local: t for t in ours},
            {t.local: t for t in theirs},
            flatten,
        )


def _nearest(rules: tuple[Rule, ...], reference: Place, port: Place) -> Rule | None:
    """The rule for the most specific classes, the earlier one of two alike."""
    ours, theirs = reference.module.kinds, (*port.module.kinds, "*")
    fitting = [r for r in rules if r.reference in ours and r.port in theirs]
    return min(fitting, key=lambda r: (ours.index(r.reference), theirs.index(r.port)), default=None)


def _kinds(places: Places) -> list[str]:
    """The classes of the layers that hold anything."""
    return sorted({p.module.kind for p in places.all if p.tensors})


def _same_name(reference: Place, port: Place) -> bool:
    """Whether the classes are called the same: torch.nn.Conv2d and parity.layers.Conv are."""
    names = (place.module.kind.rpartition(".")[2] for place in (reference, port))
    ours, theirs = (re.sub(r"[123]d$", "", name) for name in names)
    return ours == theirs
