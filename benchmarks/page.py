"""The results as a table and a plot in the documents. No framework here."""

from __future__ import annotations

from pathlib import Path

from experiment.benchmark_results import BenchmarkResults, Row, write
from experiment.results import fill_page
from experiment.storage import write_atomically

COMPARED = (
    ("jax_impl-32", "torch-device-32"),
    ("jax_impl-32", "torch-tuned-32"),
    ("jax_impl-32", "torch-compile-32"),
    ("jax_impl-32", "torch-loader-32"),
    ("jax_impl-32", "flax-first-32"),
    ("jax_impl-tf32-32", "torch-tuned-tf32-32"),
    ("replicas-4", "replicas-1"),
    ("replicas-16", "replicas-1"),
)
"""Rows of one run that are set against each other: the fast, the slow."""


def marks(device: str) -> tuple[str, str]:
    """The lines of the page between which the table for 'cpu' or 'gpu' stands."""
    return (
        f"<!-- benchmarks {device}: written by python -m benchmarks -->",
        f"<!-- benchmarks {device}: end -->",
    )


def publish(page: Path, results: BenchmarkResults) -> None:
    """Write results and plot beside the page, and the table into it.

    Raises `ResultsError` where the page lacks the marks, and `OSError`.
    """
    device = "cpu" if results.device == "cpu" else "gpu"
    text = fill_page(page.read_text(), markdown(results), marks(device), str(page))
    folder = page.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / f"benchmarks-{device}.json", results)
    draw(folder / f"benchmarks-{device}.png", results)
    write_atomically(page, text.encode())


def markdown(results: BenchmarkResults) -> str:
    """Tables: trainings, everything else, ratios; and where it ran."""
    parts = [_trainings(results), _others(results), _ratios(results), _where(results)]
    return "\n".join(part for part in parts if part)


def _table(head: list[str], rows: list[list[str]]) -> str:
    ruler = ["---", *["--:"] * (len(head) - 1)]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in (head, ruler, *rows))


def _trainings(results: BenchmarkResults) -> str:
    head = ["", "batch", "us / step", "pictures / s", "spread", "start to first step,<br>cold",
            "warm", "ten epochs", "host memory", "device memory", "arithmetic<br>floor",
            "bandwidth<br>floor"]  # fmt: skip
    rows = [_training(row) for row in results.rows if row.kind in ("training", "replicas")]
    return _table(head, rows)


def _training(row: Row) -> list[str]:
    name = [row.title, str(row.batch)]
    if not row.seconds:
        return [*name, row.status, *[""] * 9]
    ten = row.ten_epochs
    return [
        *name,
        f"{row.us_per_step:,.0f}",
        f"{row.pictures_per_second:,.0f}",
        f"{row.spread:.0%}",
        _seconds(row.first_step_cold),
        _seconds(row.first_step_warm),
        f"{'~' if ten.extrapolated else ''}{ten.seconds:.1f} s" if ten else "",
        _bytes(row.peak_host_bytes),
        _bytes(row.peak_device_bytes),
        _share(row.arithmetic_share),
        _share(row.bandwidth_share),
    ]


def _others(results: BenchmarkResults) -> str:
    rows = [
        [row.title, f"{row.median:.2f} s" if row.seconds else row.status,
         f"{row.spread:.0%}" if row.seconds else _first_line(row.reason)]
        for row in results.rows if row.kind in ("evaluation", "loader")
    ]  # fmt: skip
    return _table(["", "median", "spread"], rows) if rows else ""


def _ratios(results: BenchmarkResults) -> str:
    rows = []
    for fast, slow in COMPARED:
        ratio = results.speedup(fast, slow)
        if ratio is not None:
            rows.append([f"`{fast}` against `{slow}`", f"{ratio:.2f}"])
    return _table(["as fast, pictures per second", "times"], rows) if rows else ""


def _where(results: BenchmarkResults) -> str:
    versions = ", ".join(f"{name} {v}" for name, v in sorted(results.versions.items()))
    machine, settings = results.machine, results.settings
    floor = results.floor
    speeds = (
        f"Floor: {floor.flop_per_second / 1e9:,.0f} GFLOP/s, "
        f"{floor.bytes_per_second / 1e9:,.1f} GB/s. "
        if floor
        else ""
    )
    return (
        f"{results.started[:10]}, {results.device}, {machine['processor']}, "
        f"{machine['cores']} cores, Python {machine['python']}; {versions}. {speeds}"
        f"{settings['repeats']} repeats of {settings['pictures_per_repeat']:,} pictures, "
        f"{settings['pictures']}; load average at the start "
        f"{settings['load_average_at_start']:.1f}. ~: extrapolated.\n"
        + "".join(f"\n{note}\n" for note in results.notes)
    )


def _first_line(reason: str) -> str:
    return reason.splitlines()[0][:120] if reason else ""


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"


def _bytes(value: int | None) -> str:
    return "" if value is None else f"{value / 2**20:,.0f} MiB"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def draw(path: Path, results: BenchmarkResults) -> None:
    """Microseconds of a step against the batch, both axes logarithmic. Raises `OSError`."""
    import io

    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    lines: dict[str, list[Row]] = {}
    for row in results.rows:
        if row.kind == "training" and row.precision == "float32" and row.seconds:
            lines.setdefault(row.title, []).append(row)
    for title, rows in lines.items():
        rows.sort(key=lambda row: row.batch or 0)
        axes.loglog([row.batch for row in rows], [row.us_per_step for row in rows],
                    marker="o", label=title)  # fmt: skip
    if results.floor is not None:
        batches = sorted(results.floor.step_flop)
        least = [1e6 * results.floor.step_flop[b] / results.floor.flop_per_second for b in batches]
        axes.loglog(batches, least, "--", color="#888888", label="arithmetic floor")
    axes.set_xlabel("batch")
    axes.set_ylabel("microseconds per training step")
    axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize=8)
    axes.set_title(f"one training step, {results.device}")
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110, metadata={"Software": None})
    write_atomically(path, content.getvalue())
