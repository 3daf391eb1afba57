"""Whether a planted bug was found, and where. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

from parity.bugs.bug import Bug
from parity.bugs.files import Refusal
from parity.verdict import Departure, Verdict


@dataclass(frozen=True)
class Finding:
    """What the harness said of one wrong port."""

    bug: Bug
    verdict: Verdict | None
    refusal: Refusal | None

    @property
    def departure(self) -> Departure | None:
        """Where it departs first."""
        return self.verdict.first_departure if self.verdict else None

    @property
    def detected(self) -> bool:
        """The command would not have ended with exit code 0."""
        return self.verdict is None or not self.verdict.passed

    @property
    def stage(self) -> str:
        """The first stage that fails; '' where none does."""
        if self.refusal is not None:
            return self.refusal.stage or "refused"
        return self.departure.stage if self.departure else ""

    @property
    def layer(self) -> str:
        """The layer that is named; '' where none is."""
        if self.refusal is not None and self.bug.layer in self.refusal.text:
            return self.bug.layer
        return self.departure.layer if self.departure else ""

    @property
    def hint(self) -> int | None:
        """The porting bug that the hint names."""
        return self.departure.hint.bug if self.departure and self.departure.hint else None

    @property
    def text(self) -> str:
        """What was said, in a line or a few."""
        if self.refusal is not None:
            return self.refusal.text
        return self.departure.text if self.departure else "nothing departs"

    @property
    def at_stage(self) -> bool:
        """At the stage that is expected."""
        return self.stage == self.bug.stage

    @property
    def at_layer(self) -> bool:
        """At the layer that is expected, and in the words; true where none is."""
        named = not self.bug.layer or self.layer == self.bug.layer
        return named and self.bug.words in self.text

    @property
    def hint_right(self) -> bool | None:
        """None where no hint is expected."""
        if self.bug.expected_hint is None:
            return None
        return self.hint == self.bug.expected_hint

    @property
    def missed(self) -> tuple[str, ...]:
        """What is not as expected; a missing hint where one is expected counts too."""
        problems = []
        if not self.detected:
            problems.append("not detected")
        if not self.at_stage:
            problems.append(f"stage {self.stage or 'none'}, expected {self.bug.stage}")
        if not self.at_layer:
            wanted = " ".join(filter(None, [self.bug.layer, self.bug.words and f"with "
                                            f"{self.bug.words!r}"]))  # fmt: skip
            problems.append(f"layer {self.layer or 'none'}, expected {wanted}")
        if self.hint_right is False:
            problems.append(f"hint {self.hint or 'none'}, expected {self.bug.expected_hint}")
        return tuple(problems)
