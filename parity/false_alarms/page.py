"""The tally as a page for people. NumPy only."""

from __future__ import annotations

from collections.abc import Iterable

from parity.capture.plan import LANES
from parity.false_alarms.tally import Tally
from parity.stages.names import STAGES

_HEAD = """\
# False alarms

<!-- written by python -m parity.false_alarms -->

A right port must never fail, or people stop believing the harness. These pairs are right; each was
verified with many seeds (weights, inputs, noise), every stage in both lanes of the CPU. A run in
which any stage fails is a false alarm.

"""


def page(tally: Tally, source: str) -> str:
    """Markdown. `source` is the tally's file, as the page should link it."""
    pairs = tally["pairs"]
    runs = sum(len(entry["seeds"]) for entry in pairs.values())
    failed = sum(len(entry["failed"]) for entry in pairs.values())
    return "".join(
        [
            _HEAD,
            f"**{failed} of {runs} runs were false alarms.** Pairs differ, so that their runs are "
            "not pooled:\na pair's line says what its own runs say of its rate.\n\n",
            _runs_table(pairs),
            *(_failures(pairs) if failed else []),
            "\n## How near the limits they came\n\n"
            "The largest tolerance that any seed needed, beside the allowed one; in float64 a "
            "normwise\nrelative error, in float32 multiples of the reference's own noise (see "
            "[verdict.md](verdict.md)).\nEmpty: nothing is measured there, or the stage was "
            "skipped.\n",
            *(_lane_table(pairs, lane) for lane in LANES if _measured(pairs, lane)),
            f"\n## Source\n\n[{source.rpartition('/')[2]}]({source}), with the seed and the tensor "
            "behind each number.\n",
            *_where(pairs),
        ]
    )


def _runs_table(pairs: Tally) -> str:
    rows = []
    for pair, entry in pairs.items():
        runs, failed = len(entry["seeds"]), len(entry["failed"])
        bound = f"{100 * _upper_bound(failed, runs):.1f} %"
        rows.append((f"`{pair}`", _ranges(entry["seeds"]), runs, failed, bound))
    return _table(("pair", "seeds", "runs", "false alarms", "rate below (95 % sure)"), rows)


def _failures(pairs: Tally) -> Iterable[str]:
    yield "\n| pair | lane | stage | seed | what departs |\n| --- | --- | --- | --: | --- |\n"
    for pair, entry in pairs.items():
        for stage, lanes in entry["stages"].items():
            for lane, found in lanes.items():
                for failure in found.get("failures", ()):
                    cells = (f"`{pair}`", lane, stage, failure["seed"], failure["summary"])
                    yield "| " + " | ".join(map(str, cells)) + " |\n"


def _lane_table(pairs: Tally, lane: str) -> str:
    stages = [stage for stage in ("self-checks", *STAGES) if stage in _measured(pairs, lane)]
    allowed = {
        stage: found["allowed"]
        for entry in pairs.values()
        for stage in stages
        if (found := entry["stages"].get(stage, {}).get(lane)) and found["needed"] is not None
    }
    rows = [("*allowed*", *(_number(allowed[stage]) for stage in stages))]
    for pair, entry in pairs.items():
        found = [entry["stages"].get(stage, {}).get(lane, {}).get("needed") for stage in stages]
        rows.append((f"`{pair}`", *map(_number, found)))
    return f"\n### {lane}\n\n" + _table(("pair", *stages), rows)


def _measured(pairs: Tally, lane: str) -> set[str]:
    """Stages with a number in that lane."""
    return {
        stage
        for entry in pairs.values()
        for stage, lanes in entry["stages"].items()
        if lanes.get(lane, {}).get("needed") is not None
    }


def _where(pairs: Tally) -> list[str]:
    """On what they ran, once where it is the same."""
    lines: dict[str, list[str]] = {}
    for pair, entry in pairs.items():
        where = entry["where"]
        versions = ", ".join(f"{name} {version}" for name, version in where["versions"].items())
        lines.setdefault(
            f"Python {where['python']}, {versions}; {where['device']}; {where['platform']}", []
        ).append(f"`{pair}` ({entry['last'][:10]})")
    return [f"\n{', '.join(names)}: {line}.\n" for line, names in lines.items()]


def _upper_bound(failed: int, runs: int) -> float:
    """One-sided 95 % bound of Clopper and Pearson (1934): the rate at which so few failures or
    fewer have a chance of 5 %. By bisection; with no failure it is 1 - 0.05 ** (1 / runs)."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(failed, runs, middle) > 0.05 else (low, middle)
    return high


def _at_most(failed: int, runs: int, rate: float) -> float:
    """The chance of at most `failed` failures in `runs`."""
    chance, total = (1 - rate) ** runs, 0.0
    for k in range(failed + 1):
        total += chance
        chance *= (runs - k) / (k + 1) * rate / (1 - rate)
    return total


def _ranges(seeds: list[int]) -> str:
    """'0-3, 5'."""
    groups: list[list[int]] = []
    for seed in seeds:
        if groups and seed == groups[-1][-1] + 1:
            groups[-1].append(seed)
        else:
            groups.append([seed])
    return ", ".join(str(g[0]) if len(g) == 1 else f"{g[0]}-{g[-1]}" for g in groups)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.1e}" if value and (value < 1e-3 or value >= 1e4) else f"{value:.3g}"


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = list(head)
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)
