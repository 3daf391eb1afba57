"""Why a model cannot be carried across, said to the user with both sides in full."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from experiment.errors import UserError


class BridgeError(UserError):
    """Base of all that the bridge refuses. `reference` and `port` hold each side's part of it."""

    def __init__(
        self, text: str, reference: Sequence[str] = (), port: Sequence[str] = (), advice: str = ""
    ) -> None:
        self.reference, self.port = tuple(reference), tuple(port)
        sides = [_side("reference", reference), _side("port", port)] if reference or port else []
        super().__init__("\n".join(filter(None, [text, *sides, advice])))

    @classmethod
    def of(cls, errors: Sequence[BridgeError]) -> BridgeError:
        """Several in one, each with its text and sides."""
        error = cls("\n\n".join(map(str, errors)))
        error.reference = tuple(line for e in errors for line in e.reference)
        error.port = tuple(line for e in errors for line in e.port)
        return error


class UnmatchedError(BridgeError):
    """Parameters or buffers of one side have no counterpart on the other."""


class AmbiguousError(BridgeError):
    """More than one way to match fits; the bridge does not choose."""


class MismatchError(BridgeError):
    """Two modules were matched and their tensors do not fit each other."""


class NoCounterpartError(BridgeError):
    """The port's layer has no place for what the reference's layer holds."""


class TiedError(BridgeError):
    """Weights are shared on one side only: the sides learn different things."""


class RenameError(BridgeError):
    """A rename is no pattern, matches nothing, or puts two modules on one path."""


class WaiverError(BridgeError):
    """A waiver names nothing, or gives no reason."""


class FlattenError(BridgeError):
    """A flatten declaration does not fit the layer that it names."""


class RuleError(BridgeError):
    """A rule that the pair brings does not do what it says."""


class LoadError(BridgeError):
    """Arrays do not fit the model that they are loaded into."""


def check_names(what: str, expected: Iterable[str], found: Iterable[str]) -> None:
    """Raise LoadError unless both name the same arrays."""
    missing, unexpected = set(expected) - set(found), set(found) - set(expected)
    if missing or unexpected:
        raise LoadError(
            f"the arrays do not fit {what}: "
            f"missing: {_listed(missing)}; of no use there: {_listed(unexpected)}"
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _side(side: str, lines: Sequence[str]) -> str:
    return "\n".join([f"{side}:", *(f"  {line}" for line in lines or ["nothing"])])
