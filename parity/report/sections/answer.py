"""The answer in one sentence, and what must be known before anything is read."""

from __future__ import annotations

from parity.bugs.scorecard import Scorecard
from parity.curves.results import Results
from parity.report.blocks import Block, Listing, Mark, Section, Text
from parity.report.inputs import Inputs
from parity.report.words import sentence
from parity.stages.names import SELF_CHECKS
from parity.verdict import Verdict


def answer(inputs: Inputs) -> Section:
    """Equivalent or not, and where it departs first."""
    text, mark = conclusion(inputs)
    blocks: list[Block] = [Text(text, mark)]
    lines = [*_of_verdict(inputs.verdict), *_of_curves(inputs.curves), *_of_bugs(inputs.scorecard)]
    if lines:
        blocks.append(Listing("What it rests on", tuple(lines)))
    return Section("answer", "The answer", tuple(blocks))


def conclusion(inputs: Inputs) -> tuple[str, Mark]:
    """One sentence, and whether it is good news."""
    verdict, curves = inputs.verdict, inputs.curves
    if verdict is not None and not verdict.passed:
        return f"Not equivalent: {_departure(verdict)}.", "bad"
    if curves is not None and curves.outcome == "different":
        return f"Not equivalent: {_different(verdict, curves)}.", "bad"
    if curves is not None and curves.shared.outcome == "outside":
        return f"Not equivalent: {curves.shared.text}.", "bad"
    if verdict is not None and not _compared(verdict):
        verdict = None
    if verdict is None and curves is None:
        return "Nothing here says whether the port is equivalent.", "warn"
    if verdict is None and curves is not None:
        if curves.outcome != "equivalent":
            return "Not enough trainings to decide whether the two are equivalent.", "warn"
        return f"Equivalent in their trainings: {_uncapital(curves.text)}", "good"
    assert verdict is not None
    compared = f"every stage of {verdict.pair} that was compared agrees"
    if curves is None:
        return f"Equivalent: {compared}; whole trainings were not compared.", "good"
    if curves.outcome == "equivalent":
        return f"Equivalent: {compared}, and whole trainings are equivalent.", "good"
    return (
        f"Equivalent step by step: {compared}; whole trainings: {curves.outcome}.",
        "good",
    )


def _different(verdict: Verdict | None, curves: Results) -> str:
    """Whole trainings that differ, although single steps may agree."""
    alpha = curves.comparison.alpha
    said = f"whole trainings differ, as right ports do in at most {alpha:.0%} of comparisons"
    if curves.shared.outcome == "outside":
        said = curves.shared.text
    if verdict is None or not _compared(verdict):
        return said
    return f"{said}, although every stage of {verdict.pair} that was compared agrees"


def _compared(verdict: Verdict) -> bool:
    """Whether a stage beyond the checks of the harness itself has passed."""
    return any(r.status in ("pass", "waived") and r.stage != SELF_CHECKS for r in verdict.results)


def notices(inputs: Inputs) -> tuple[str, ...]:
    """What stands above everything: data that is not real, mistakes that were planted."""
    found: list[str | None] = []
    if inputs.curves is not None:
        found += [f"Self-test, planted into the port: {text}" for text in inputs.curves.planted]
        found.append(inputs.curves.pictures.notice)
    if inputs.verdict is not None:
        found += [side.get("data_notice") for side in inputs.verdict.config.values()]
    return tuple(dict.fromkeys(text for text in found if text))


def _departure(verdict: Verdict) -> str:
    departure = verdict.first_departure
    if departure is None:
        failed = dict.fromkeys(r.stage for r in verdict.results if r.status == "fail")
        return f"{verdict.pair} fails at {', '.join(failed)}"
    return f"{verdict.pair} departs first at {departure.stage} ({departure.lane}): {departure.text}"


def _of_verdict(verdict: Verdict | None) -> list[str]:
    if verdict is None:
        return []
    lines = []
    departure = verdict.first_departure
    if departure is not None and departure.hint is not None:
        lines.append(f"Hint: {departure.hint.text}")
    if departure is not None:
        lines += [f"Suspect: {suspect.text}" for suspect in departure.suspects]
    for lane in verdict.lanes:
        results = [r for r in verdict.results if r.lane == lane]
        words = {"pass": "passed", "fail": "failed", "waived": "waived", "skipped": "skipped"}
        counts = {word: sum(r.status == status for r in results) for status, word in words.items()}
        said = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        lines.append(f"Stages in {lane}: {said}")
    return lines


def _of_curves(curves: Results | None) -> list[str]:
    if curves is None:
        return []
    return [
        f"Same weights, same batches: {curves.shared.outcome} the noise of the reference: "
        f"{curves.shared.text}",
        f"Whole trainings: {curves.native.text}",
    ]


def _of_bugs(card: Scorecard | None) -> list[str]:
    if card is None:
        return []
    found = sum(line.detected for line in card.lines)
    return [f"The harness itself: it finds {found} of {len(card.lines)} planted porting bugs"]


def _uncapital(text: str) -> str:
    """Inside a sentence; what is a name stays as it is."""
    first = text.split(" ", 1)[0]
    return sentence(text if first.isupper() or not first.istitle() else text[0].lower() + text[1:])
