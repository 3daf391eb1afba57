"""Throughput and memory side by side."""

from __future__ import annotations

from experiment.benchmark_results import BenchmarkResults, Row
from parity.report.blocks import Block, Cell, Figure, Missing, Section, Table, Text, cells, numbers
from parity.report.charts import Bar, BarChart, Line, LineChart, Role
from parity.report.words import sentence

COMMAND = "python -m benchmarks --out benchmarks.json"
BATCH = 32
"""The recipe's: its rows are drawn as bars."""

_ROLES: dict[str, Role] = {"JAX": "port", "PyTorch": "reference"}
_AGAINST = ("torch-device", "torch-tuned", "torch-compile", "torch-loader", "flax-first")


def speed(found: tuple[BenchmarkResults, ...]) -> Section:
    """Bars and a table for each device that was measured."""
    blocks = [block for results in found for block in _of_device(results)]
    if not blocks:
        blocks = [Missing("No benchmarks were given.", COMMAND)]
    if found and not any(results.device != "cpu" for results in found):
        blocks.append(Text("On a GPU: not measured."))
    return Section("speed", "Throughput and memory", tuple(blocks))


def _of_device(results: BenchmarkResults) -> list[Block]:
    rows = [row for row in results.rows if row.kind == "training" and row.seconds]
    blocks: list[Block] = [Text(_where(results))]
    if not results.finished:
        blocks.append(Text("These benchmarks were interrupted: rows are missing.", "warn"))
    blocks += [Text(sentence(text)) for text in (*_ratios(results), *results.notes)]
    if rows:
        blocks.append(_figure(results, rows))
    return [*blocks, _table(results)]


def _where(results: BenchmarkResults) -> str:
    machine = results.machine
    return (
        f"Measured {results.started[:10]} on {results.device}: {machine.get('processor')}, "
        f"{machine.get('cores')} cores. Rows took turns; medians, and the range of the repeats."
    )


def _ratios(results: BenchmarkResults) -> list[str]:
    said = []
    for slow in _AGAINST:
        row = results.row(f"{slow}-{BATCH}")
        ratio = results.speedup(f"jax_impl-{BATCH}", f"{slow}-{BATCH}")
        if row is not None and ratio is not None:
            said.append(f"{row.title}: {ratio:.2f}")
    return [f"Batch {BATCH}: how many times as fast jax_impl is. {'; '.join(said)}"] if said else []


def _figure(results: BenchmarkResults, rows: list[Row]) -> Figure:
    small = [row for row in rows if row.batch == BATCH] or rows
    charts = [
        BarChart(title=f"One training step, batch {small[0].batch}", label="microseconds",
                 bars=tuple(map(_time, small))),
        BarChart(title="Largest host memory of the process", label="MiB",
                 bars=tuple(_memory(row) for row in small if row.peak_host_bytes)),
    ]  # fmt: skip
    by_batch = _by_batch(results, rows)
    fastest = min(small, key=lambda row: row.us_per_step)
    return Figure(
        name=f"speed-{'cpu' if results.device == 'cpu' else 'gpu'}",
        caption="JAX in the port's colour, PyTorch in the reference's. Lower is better.",
        alt=f"Bars of {len(small)} trainings: the fastest is {fastest.title} with "
        f"{fastest.us_per_step:,.0f} microseconds a step. The table below has all.",
        charts=(*charts, by_batch) if len({row.batch for row in rows}) > 1 else tuple(charts),
        notice=None,
    )


def _time(row: Row) -> Bar:
    return Bar(
        name=row.title,
        role=_ROLES.get(row.framework, "noise"),
        value=row.us_per_step,
        low=1e6 * min(row.seconds) / row.steps,
        high=1e6 * max(row.seconds) / row.steps,
        text=f"{row.us_per_step:,.0f}",
    )


def _memory(row: Row) -> Bar:
    size = (row.peak_host_bytes or 0) / 2**20
    role = _ROLES.get(row.framework, "noise")
    return Bar(name=row.title, role=role, value=size, text=f"{size:,.0f} MiB")


def _by_batch(results: BenchmarkResults, rows: list[Row]) -> LineChart:
    lines = []
    for title in dict.fromkeys(row.title for row in rows):
        mine = sorted((r for r in rows if r.title == title), key=lambda row: row.batch or 0)
        lines.append(
            Line(name=title, role=_ROLES.get(mine[0].framework, "noise"),
                 x=tuple(float(row.batch or 0) for row in mine),
                 y=tuple(row.us_per_step for row in mine),
                 dashed=title not in ("jax_impl as shipped", "PyTorch eager, data on the device"))
        )  # fmt: skip
    if results.floor is not None:
        flop, batches = results.floor.step_flop, sorted(results.floor.step_flop)
        least = tuple(1e6 * flop[batch] / results.floor.flop_per_second for batch in batches)
        lines.append(Line(name="arithmetic floor", role="published", x=tuple(map(float, batches)),
                          y=least, dashed=True))  # fmt: skip
    return LineChart(title="One training step by batch", x_label="batch", y_label="microseconds",
                     lines=tuple(lines), log=True, log_x=True)  # fmt: skip


def _table(results: BenchmarkResults) -> Table:
    head = ("row", "batch", "time of a repeat, s", "us / step", "pictures / s", "spread",
            "first step, cold, s", "warm, s", "ten epochs, s", "host memory, MiB",
            "device memory, MiB")  # fmt: skip
    rows = tuple(map(_line, results.rows))
    return Table(f"Every row, {results.device} (~: extrapolated)", head, rows, folded=True)


def _line(row: Row) -> tuple[Cell, ...]:
    name = cells(row.title, "" if row.batch is None else str(row.batch))
    if not row.seconds:
        # An interrupted run leaves rows that were set up and never timed; they have no reason.
        never = "not measured: interrupted before its first repeat"
        why = f"{row.status}: {row.reason.splitlines()[0][:160]}" if row.reason else never
        return (*name, Cell(why), *cells(*[""] * 8))
    ten = row.ten_epochs
    step = row.kind in ("training", "replicas")
    return (
        *name,
        *numbers(
            f"{row.median:.3g}",
            f"{row.us_per_step:,.0f}" if step else "",
            f"{row.pictures_per_second:,.0f}" if row.kind != "loader" else "",
            f"{row.spread:.0%}",
            _seconds(row.first_step_cold),
            _seconds(row.first_step_warm),
            f"{'~' if ten.extrapolated else ''}{ten.seconds:.1f}" if ten else "",
            _mebibytes(row.peak_host_bytes),
            _mebibytes(row.peak_device_bytes),
        ),
    )


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _mebibytes(value: int | None) -> str:
    return "" if value is None else f"{value / 2**20:,.0f}"
