"""Put finished runs beside the published one, as files to commit.

    python -m experiment.results runs/torch runs/jax --page docs/results.md --about "which pictures"

writes training.json (histories, versions, devices, dates) and training.png (the curves) into the
folder docs/results beside the page, and the table into the page, between its marks. --name gives
files and marks another name than training. What the documents say of a run comes from these files.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiment import figures
from experiment.errors import EXIT_USER_ERROR, UserError
from experiment.history import EpochRecord, History
from experiment.published import published_run
from experiment.storage import write_atomically
from experiment.stored_run import StoredRun, read_stored_run


class ResultsError(UserError):
    """A folder that is no finished run, or runs that cannot stand side by side."""


@dataclasses.dataclass(frozen=True)
class FinishedRun:
    """A run that trained all its epochs."""

    stored: StoredRun
    records: list[EpochRecord]

    @property
    def framework(self) -> str:
        """'PyTorch' or 'JAX'."""
        return self.stored.provenance["framework"]


def read_finished_run(folder: Path) -> FinishedRun:
    """Raises `ResultsError` naming the folder where there is no run, or an unfinished one."""
    stored = read_stored_run(folder)
    if stored is None:
        raise ResultsError(f"{folder}: no run is in it; expected a folder that a training wrote")
    records = History(folder / "history.jsonl").read()
    if len(records) != stored.recipe.epochs:
        raise ResultsError(
            f"{folder}: found {len(records)} finished epochs, expected {stored.recipe.epochs}; "
            "continue it with --resume"
        )
    return FinishedRun(stored, records)


def check_comparable(runs: Sequence[FinishedRun]) -> None:
    """Raise `ResultsError` where recipe or pictures differ, or a framework comes twice."""
    first = runs[0]
    for run in runs[1:]:
        differences = run.stored.recipe.differences(first.stored.recipe)
        if run.stored.provenance["data"]["sha256"] != first.stored.provenance["data"]["sha256"]:
            differences.append("data: other pictures")
        if run.framework in [other.framework for other in runs if other is not run]:
            differences.append(f"framework: {run.framework} twice, expected one run of each")
        if differences:
            raise ResultsError("runs that cannot stand side by side\n  " + "\n  ".join(differences))


def as_json(runs: Sequence[FinishedRun], about: str) -> dict[str, Any]:
    """What is committed of the runs: no path and no command line of the machine they ran on."""
    kept = ("framework", "versions", "python", "device", "threads", "precision", "git", "started")
    return {
        "written": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "about": about,
        "recipe": json.loads(runs[0].stored.recipe.to_json()),
        "data": {
            key: runs[0].stored.provenance["data"][key]
            for key in ("sha256", "official", "synthetic")
        },
        "runs": [
            {
                **{key: run.stored.provenance[key] for key in kept},
                "history": [dataclasses.asdict(record) for record in run.records],
            }
            for run in runs
        ],
    }


def as_table(runs: Mapping[str, Sequence[EpochRecord]]) -> str:
    """A Markdown table, an epoch a row: train and test accuracy, train and test loss of each."""
    columns = {"published": published_run(), **runs}
    measures = ("train acc %", "test acc %", "train loss", "test loss")
    head = ["epoch", *(f"{measure}<br>{name}" for measure in measures for name in columns)]
    rows = [head, ["--:"] * len(head)]
    for place in range(max(map(len, columns.values()))):
        cells = [str(place + 1)]
        for measure in measures:
            for records in columns.values():
                cells.append(_cell(records[place], measure) if place < len(records) else "")
        rows.append(cells)
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def _cell(record: EpochRecord, measure: str) -> str:
    split, kind = measure.split()[:2]
    if kind == "acc":
        return f"{100 * getattr(record, f'{split}_accuracy'):.1f}"
    return f"{getattr(record, f'{split}_loss'):.3f}"


def table_marks(name: str) -> tuple[str, str]:
    """The lines of a page between which the table of the results `name` stands."""
    return f"<!-- {name}: written by python -m experiment.results -->", f"<!-- {name}: end -->"


def fill_page(page: str, table: str, marks: tuple[str, str], where: str) -> str:
    """The page with `table` between its marks. Raises `ResultsError` where it lacks them."""
    before, begin, rest = page.partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not begin or not end:
        raise ResultsError(f"{where}: expected the lines\n{marks[0]}\n{marks[1]}")
    return f"{before}{begin}\n\n{table}\n{end}{after}"


def write_results(folders: Sequence[Path], page: Path, name: str, about: str) -> None:
    """Write `name`.json and `name`.png beside `page`, and the table into it.

    Raises `ResultsError` and `OSError`; then nothing or only whole files were written.
    """
    runs = [read_finished_run(folder) for folder in folders]
    check_comparable(runs)
    records = {run.framework: run.records for run in runs}
    text = fill_page(page.read_text(), as_table(records), table_marks(name), str(page))
    out = page.with_suffix("")
    out.mkdir(parents=True, exist_ok=True)
    figures.draw_curves(out / f"{name}.png", records, runs[0].stored.provenance["data"]["notice"])
    write_atomically(
        out / f"{name}.json", (json.dumps(as_json(runs, about), indent=1) + "\n").encode()
    )
    write_atomically(page, text.encode())


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit code, 0 or 2."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        prog="python -m experiment.results",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("runs", nargs="+", type=Path, help="folders of finished runs")
    parser.add_argument("--page", type=Path, required=True, help="page to write the table into")
    parser.add_argument("--name", default="training", help="of the files, and of the page's marks")
    parser.add_argument("--about", default="", help="a sentence on the pictures")
    options = parser.parse_args(argv)
    try:
        write_results(options.runs, options.page, options.name, options.about)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USER_ERROR
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
        return EXIT_USER_ERROR
    print(f"wrote {options.page} and {options.name}.json, .png in {options.page.with_suffix('')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
