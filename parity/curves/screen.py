"""A comparison's results for the terminal and for pages. NumPy only."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np

from parity.curves.results import Arm, FalseAlarms, Metric, Results
from parity.screen import WIDTH
from parity.stages.case import count

MARKS = ("<!-- curves: written by python -m parity curves -->", "<!-- curves: end -->")
"""The lines of a page between which the results stand."""

_BAR = "!" * WIDTH


def render(results: Results) -> str:
    """The whole result as plain text."""
    lines = [*_warnings(results), f"curves: {_title(results)}", ""]
    lines += _wrapped(f"Shared start: {results.shared.outcome}: {results.shared.text}.")
    if results.shared.noise_needed:
        most = max(results.shared.noise_needed)
        lines += _wrapped(f"The noise runs among one another need at most {most:.2g} times.")
    lines += ["", *_wrapped(f"Native start: {results.native.text}.")]
    for metric in results.native.metrics:
        lines += ["", *(f"  {line}" for line in _metric(metric, results.comparison.alpha))]
    if (alarms := results.native.false_alarms) is not None:
        lines += ["", *_wrapped(false_alarms(alarms))]
    lines += ["", *_wrapped(churn(results)), "", f"outcome: {results.outcome.upper()}"]
    return "\n".join(lines)


def page(results: Results, figures: str) -> str:
    """The results in Markdown; `figures` is where the PNGs are, from the page."""
    metrics = results.native.metrics
    rows = [
        ("", "PyTorch", results.port.framework, "difference",
         f"{100 - 200 * results.comparison.alpha:g} % interval", "margin",
         "smallest margin shown with power 0.8", "equivalent: p (Holm)", "different: p (Holm)",
         "outcome"),
        ("---", *["--:"] * 8, "---"),
        *(metric_cells(metric) for metric in metrics),
    ]  # fmt: skip
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    alarms = results.native.false_alarms
    said = [
        *(f"**{text}**" for text in _said(results)),
        f"**{results.outcome[0].upper()}{results.outcome[1:]}.** {results.text}",
        f"![loss and accuracy of both frameworks]({figures}/curves.png)",
        table,
    ]
    if alarms is not None:
        said.append(false_alarms(alarms))
    said += [
        churn(results),
        _class_table(results),
        f"![losses from the same weights, step by step]({figures}/divergence.png)",
        results.published.explanation,
        _where(results),
    ]
    return "\n\n".join(said) + "\n"


def _title(results: Results) -> str:
    c = results.comparison
    sizes = f"{results.pictures.train_size:,} + {results.pictures.test_size:,} pictures"
    runs = f"{count(c.seeds, 'seed')} x {count(c.epochs, 'epoch')}"
    return f"{runs} of {sizes}, {results.reference.device}"


def _said(results: Results) -> list[str]:
    said = [f"Self-test, planted into the port: {text}" for text in results.planted]
    if results.pictures.notice:
        said.append(results.pictures.notice)
    return said


def _warnings(results: Results) -> list[str]:
    said = _said(results)
    return [_BAR, *(f"!! {line}" for line in said), _BAR, ""] if said else []


def _metric(metric: Metric, alpha: float) -> list[str]:
    unit = metric.unit.partition(",")[0]
    lines = [
        f"{metric.name} ({metric.unit}): {metric.outcome}",
        f"  reference {_mean(metric.reference)}, port {_mean(metric.port)}",
        f"  difference {_number(metric.mean_difference, metric)}, "
        f"margin +-{metric.margin:g} {unit}",
    ]
    if metric.interval:
        low, high = (_number(end, metric) for end in metric.interval)
        lines[-1] += f", {1 - 2 * alpha:.0%} interval {low} to {high}"
        lines.append(
            f"  p after Holm: equivalent {_p(metric.p_equivalent_holm)}, "
            f"different {_p(metric.p_different_holm)} (alpha {alpha:g})"
        )
    if metric.smallest_margin is not None:
        lines.append(
            f"  power: with {len(metric.reference)} runs and this spread ({metric.spread:.3g}) a "
            f"margin of {metric.smallest_margin:.2g} can be shown"
        )
    if metric.runs_needed is not None:
        lines.append(f"  and for the margin of {metric.margin:g}, {metric.runs_needed} runs")
    return lines


def metric_cells(metric: Metric) -> tuple[str, ...]:
    """A metric as a row of a table."""
    interval = " to ".join(_number(end, metric) for end in metric.interval)
    smallest = "" if metric.smallest_margin is None else f"{metric.smallest_margin:.2g}"
    return (
        f"{metric.name} ({metric.unit})",
        _mean(metric.reference),
        _mean(metric.port),
        _number(metric.mean_difference, metric),
        interval,
        f"{metric.margin:g}",
        smallest,
        _p(metric.p_equivalent_holm),
        _p(metric.p_different_holm),
        metric.outcome,
    )


def false_alarms(alarms: FalseAlarms) -> str:
    """How often the tests err, in a sentence."""
    return (
        f"The same tests on {alarms.resamples:,} comparisons resampled from the reference's own "
        f"trainings: wrongly different {alarms.difference:.2%}, wrongly equivalent "
        f"{alarms.equivalence:.2%} (by design at most {alarms.alpha:.0%})."
    )


def churn(results: Results) -> str:
    """On how many pictures they disagree, in a sentence."""
    port = np.mean(results.churn.port)
    text = f"Churn: port and reference disagree on {port:.1%} of the test pictures"
    if results.churn.reference:
        text += ", the reference with itself, from another seed, on "
        text += f"{np.mean(results.churn.reference):.1%}"
    return f"{text}."


def _class_table(results: Results) -> str:
    head = ["test accuracy %", *(one.name for one in results.classes)]
    rows = [head, ["---", *["--:"] * len(results.classes)]]
    for arm, key in ((results.reference, "reference"), (results.port, "port")):
        values = (100 * np.mean(getattr(one, key)) for one in results.classes)
        rows.append([arm.framework, *(f"{value:.1f}" for value in values)])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _where(results: Results) -> str:
    kind = "official" if results.pictures.official else "not the official bytes"
    what = "the synthetic stand-in" if results.pictures.synthetic else f"CIFAR-10, {kind}"
    return (
        f"{_title(results)}; {what} (sha256 {results.pictures.sha256[:12]}). {results.date[:10]}; "
        f"{_arm(results.reference)}; {_arm(results.port)}."
    )


def _arm(arm: Arm) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in arm.versions.items())
    return f"{arm.framework}: {versions}, {count(arm.threads, 'thread')}"


def _mean(values: Sequence[float]) -> str:
    spread = f" (sd {np.std(values, ddof=1):.3g})" if len(values) > 1 else ""
    return f"{np.mean(values):.4g}{spread}"


def _number(value: float, metric: Metric) -> str:
    return f"{value:+.2f}" if metric.key == "accuracy" else f"{value:+.4f}"


def _p(p: float | None) -> str:
    return "" if p is None else f"{p:.2g}"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text[0].upper() + text[1:], WIDTH)
