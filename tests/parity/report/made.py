"""Made-up verdicts, benchmarks and scorecards."""

from __future__ import annotations

import dataclasses

from experiment.benchmark_results import BenchmarkResults, Floor, Row
from parity.bugs.scorecard import Line, Scorecard
from parity.verdict import (
    LEVELS,
    Departure,
    Distribution,
    Layer,
    Spread,
    StageResult,
    Verdict,
)
from parity.verdict import Row as Compared

CODE = {"experiment": "d" * 16}


def verdict(pair: str = "cifar10_cnn", sha256: str = "", **changes: object) -> Verdict:
    """A verdict of two layers in two lanes that passes; what `changes` say otherwise."""
    side = {"framework": "JAX", "versions": {"jax": "1"}, "git": None, "code": CODE, "threads": 2}
    sides = {"reference": {**side, "framework": "PyTorch", "threads": 1}, "port": side}
    spread = Spread(count=9, mean=0.0, std=1.0, quantiles=tuple(LEVELS))
    found = Verdict(
        pair=pair, seed=0, nonce="n", date="2026-01-01", lanes=("float64", "float32"),
        results=tuple(
            StageResult(stage=stage, lane=lane, status="pass", summary="two layers",
                        tolerance=limit, needed=limit / 9, rows=rows(limit))
            for stage in ("forward", "gradient", "update")
            for lane, limit in (("float64", 1e-10), ("float32", 16.0))
        ),
        layers=tuple(Layer(path=p, kind="torch.nn.Linear", port_path=p) for p in ("fc1", "fc2")),
        skips=("state, float64: the reference has no buffers",),
        provenance={"float64": sides, "float32": sides},
        config={"reference": {"data_sha256": sha256, "data_notice": None}},
        sources={
            "reference": {"module": "a.model", "file": "model.py", "text": "import torch\nx = 1\n"},
            "port": {"module": "b.model", "file": "model.py", "text": "import jax\nx = 1\n"},
        },
        distributions=(Distribution(tensor="fc1.weight", reference=spread, port=spread),),
    )  # fmt: skip
    return dataclasses.replace(found, **changes)  # type: ignore[arg-type]


def rows(limit: float) -> tuple[Compared, ...]:
    """Each layer's worst tensor."""
    return tuple(
        Compared(name=layer, what=f"output of {layer}", layer=layer, shape=(2, 3), limit=limit,
                 introduced=limit / ten, introduced_ulps=ten, needed=limit / ten)
        for layer, ten in (("fc1", 10.0), ("fc2", 1000.0))
    )  # fmt: skip


def departing(text: str) -> Verdict:
    """A verdict that fails at fc2; `text` is what it says."""
    row = dataclasses.replace(rows(1e-10)[1], introduced=1e-3, status="departs")
    departure = Departure(stage="forward", lane="float64", place="output", text=text, layer="fc2",
                          row=row)  # fmt: skip
    failed = StageResult(
        stage="forward", lane="float64", status="fail", summary=text, tolerance=1e-10, needed=1e-3,
        rows=(row,), departure=departure,
    )  # fmt: skip
    return verdict("my_pair.py", results=(failed,))


def benchmarks() -> BenchmarkResults:
    """Two rows at two batches."""
    made = [
        Row(key=f"{key}-{batch}", number=n, kind="training", title=title, framework=framework,
            status="measured", batch=batch, steps=10, pictures=10 * batch,
            seconds=(0.1 * n * batch, 0.11 * n * batch), peak_host_bytes=n * 2**28)
        for n, key, title, framework in ((1, "jax_impl", "jax_impl as shipped", "JAX"),
                                         (2, "torch-device", "PyTorch eager", "PyTorch"))
        for batch in (32, 128)
    ]  # fmt: skip
    floor = Floor(flop_per_second=1e9, tf32_flop_per_second=None, bytes_per_second=1e9,
                  step_flop={32: 1e6, 128: 4e6}, step_bytes={32: 1.0, 128: 4.0})  # fmt: skip
    return BenchmarkResults(
        started="2026-01-01T00:00:00", finished=True, device="cpu",
        machine={"processor": "a processor", "cores": 2}, versions={"jax": "1"}, git=None,
        settings={"repeats": 2}, floor=floor, rows=tuple(made),
    )  # fmt: skip


def scorecard() -> Scorecard:
    """One bug, found."""
    line = Line(row=9, name="flatten-order", subject="mlp", detected=True, stage="forward",
                at_stage=True, layer="fc1", at_layer=True, layer_expected=True, hint=9,
                hint_right=True, text="", hint_text="", error=0.5, missed=())  # fmt: skip
    return Scorecard(schema=1, date="2026-01-01", seconds=9.0, where={"device": "cpu"},
                     right_ports={"mlp": ""}, lines=(line,))  # fmt: skip
