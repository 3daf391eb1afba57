"""Stage config: the numbers of the training, precision switches and dtypes.

Layer settings that differ are suspects, see `parity.suspects`: no fault of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parity.capture.capture_file import Capture
from parity.evidence import PROOF_LANE
from parity.stages.case import Case, count
from parity.verdict import Departure, Row, StageResult

_SWITCHES: tuple[tuple[str, str, dict[str, str]], ...] = (
    # side, what the switch's name ends with, lane -> the value that it must have
    # The proof lane needs none of them; a model that sets one otherwise sets it in the others too.
    ("port", "jax_default_matmul_precision", {"float64": "highest", "float32": "highest",
                                               "device": "highest", "tf32": "tensorfloat32"}),
    ("port", "jax_enable_x64", {"float64": "True"}),
    ("reference", "fp32_precision", {"float64": "ieee", "float32": "ieee", "device": "ieee",
                                     "tf32": "tf32"}),
)  # fmt: skip

X64 = "x64"
"""The port's self-check that float64 is really on."""


def judge(case: Case) -> StageResult:
    """Every setting that decides numbers, compared by name."""
    wrong = [*_recipe(case), *_switches(case), *_dtypes(case), *_x64(case)]
    departure = _departure(case, wrong)
    entries = len(case.evidence.truth.about.get("config", {}))
    settings = count(entries, "setting") if entries else "no recipe"
    summary = departure.text if departure else f"{settings}, switches, dtypes"
    return case.result("config", wrong, departure, summary, numbers=False)


def _recipe(case: Case) -> list[Row]:
    ours, theirs = (
        _flat(capture.about.get("config", {}))
        for capture in (case.evidence.reference, case.evidence.port)
    )
    return [
        _row(f"config.{name}", ours.get(name, "nothing"), theirs.get(name, "nothing"))
        for name in dict.fromkeys([*ours, *theirs])
        if ours.get(name, "nothing") != theirs.get(name, "nothing")
    ]


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, item in value.items():
        if isinstance(item, Mapping):
            found |= _flat(item, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = list(item) if isinstance(item, tuple) else item
    return found


def _switches(case: Case) -> list[Row]:
    rows = []
    for side, ending, by_lane in _SWITCHES:
        if (expected := by_lane.get(case.lane)) is None:
            continue
        capture = getattr(case.evidence, side)
        switches = {
            n: v for n, v in capture.about.get("precision", {}).items() if n.endswith(ending)
        }
        for name, value in (switches or {ending: "not recorded"}).items():
            if str(value) != expected:
                rows.append(_row(f"{side}'s {name}", expected, value, "lane needs"))
    return rows


def _dtypes(case: Case) -> list[Row]:
    """Outputs, gradients and parameters of either side are in the lane's precision."""
    expected = "float64" if case.lane == PROOF_LANE else "float32"
    rows = []
    for side, capture in (("reference", case.evidence.reference), ("port", case.evidence.port)):
        if found := _foreign_dtype(capture, expected):
            name, dtype = found
            rows.append(_row(f"{side}'s {name}", expected, dtype, "lane needs"))
    return rows


def _foreign_dtype(capture: Capture, expected: str) -> tuple[str, str] | None:
    """The first array that is a float of another precision."""
    for prefix in ("train/output", "gradient", "train/buffer", "update", "trajectory/losses"):
        for name in (prefix, *capture.names(prefix)):
            array = capture.arrays.get(name)
            if array is not None and array.dtype.kind == "f" and array.dtype.name != expected:
                return name, array.dtype.name
    return None


def _x64(case: Case) -> list[Row]:
    check = case.evidence.port.about.get("checks", {}).get(X64)
    if case.lane != PROOF_LANE or check is None or check.get("passed"):
        return []
    return [_row("port's x64", "on", check.get("detail", "off"), "lane needs")]


def _row(name: str, expected: Any, found: Any, whose: str = "reference") -> Row:
    return Row(
        name=name,
        what=name,
        status="departs",
        needed=float("inf"),
        fault=f"{whose} {expected}, found {found}",
    )


def _departure(case: Case, wrong: list[Row]) -> Departure | None:
    if not wrong:
        return None
    text = "; ".join(f"{row.what}: {row.fault}" for row in wrong)
    return case.departure("config", "setting", "", text, wrong[0])
