"""The folder that a training leaves behind, and its rules for starting and resuming.

recipe.json          the recipe; written last of the first three, so it marks a run that began
provenance.json      versions, device, precision switches, data, git commit, command line
NOTICE-...txt        only where the pictures are the synthetic stand-in: why, what to do
samples.png          twenty training pictures with their labels
history.jsonl        one line an epoch
checkpoint/          the framework's own format, the last two epochs
weights.safetensors  canonical weights after the last finished epoch
curves.png           loss and accuracy over the epochs, beside the published run
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from experiment import figures
from experiment.cifar10 import CLASSES, Cifar10
from experiment.history import EpochRecord, History
from experiment.options import Options
from experiment.storage import TEMPORARY_SUFFIX, write_atomically
from experiment.stored_run import RunFolderError, StoredRun, read_stored_run
from experiment.weights import write_weights

# What a run writes before recipe.json: alone, they are the rest of a run that never began.
_NOTICE = "NOTICE-SYNTHETIC-DATA.txt"
_BEFORE_THE_RECIPE = ("provenance.json", "samples.png", _NOTICE)


class RunFolder:
    """One run's folder. Nothing is written before `begin`."""

    def __init__(self, options: Options, framework: str) -> None:
        """Check that `framework` may train by these options into their folder.

        Raises `RunFolderError` for a folder that is not empty without --resume, for one with
        another recipe (every difference is listed), for one that no run has begun in, and for one
        that another process is training in.
        """
        stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
        self.path = options.out or Path("runs") / f"{framework.lower()}-{stamp}"
        self.framework = framework
        self.recipe = options.recipe
        self.stored = stored = read_stored_run(self.path)
        self.history = History(self.path / "history.jsonl")
        self.checkpoint = self.path / "checkpoint"
        self.has_begun = stored is not None
        if stored is None:
            self._check_unused(options.resume)
        else:
            self._check_same_run(options, stored)
            # Now, not in `begin`: reading checkpoints clears away what a crash left half written,
            # and in a run that is alive that would be its next checkpoint.
            self._lock()

    @property
    def threads(self) -> int | None:
        """CPU threads of the run so far; None for a new run."""
        return self.stored.provenance["threads"] if self.stored else None

    def begin(self, provenance: dict[str, Any], data: Cifar10) -> list[str]:
        """Create the folder and write what is known before the first step.

        Returns what differs from the run so far, for the screen. Raises `RunFolderError` for other
        data or another framework than the run's so far, and for a folder that cannot be written.
        """
        notes = self._continue_from(provenance) if self.stored else []
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if self.stored is None:
                self._lock()
                # Another process may have begun here since this one looked.
                self._check_unused(resume=False)
            self._write_json("provenance.json", provenance)
            if data.notice:
                write_atomically(self.path / _NOTICE, f"{data.notice}\n".encode())
            figures.draw_samples(
                self.path / "samples.png", data.train_images, data.train_labels, CLASSES,
                data.notice,
            )  # fmt: skip
            write_atomically(self.path / "recipe.json", self.recipe.to_json().encode())
            self.has_begun = True
        except OSError as error:
            raise RunFolderError(
                f"{self.path}: cannot be written ({error.strerror or error}); expected a folder, "
                "or a name for one, on a disk with room. Choose another --out"
            ) from error
        return notes

    def keep_weights(self, arrays: Mapping[str, np.ndarray], epoch: int) -> None:
        """Write canonical weights as they are after `epoch`. Raises `OSError`."""
        about: dict[str, str | int] = {"framework": self.framework, "epoch": epoch}
        write_weights(self.path / "weights.safetensors", arrays, about)

    def draw_curves(self, records: list[EpochRecord], notice: str | None) -> None:
        """Write curves.png. Raises `OSError`."""
        figures.draw_curves(self.path / "curves.png", {self.framework: records}, notice)

    def _check_unused(self, resume: bool) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise RunFolderError(
                f"{self.path}: found a file, expected a folder or a new name; choose another --out"
            )
        if not self.path.exists():
            return
        foreign = sorted(
            entry.name
            for entry in self.path.iterdir()
            if entry.name not in _BEFORE_THE_RECIPE
            and not (entry.name.startswith(".") and entry.name.endswith(TEMPORARY_SUFFIX))
        )
        if foreign:
            what = ", ".join(foreign[:5]) + (", ..." if len(foreign) > 5 else "")
            advice = "expected the folder of an earlier run" if resume else "choose another"
            raise RunFolderError(
                f"{self.path}: not empty, and no run to resume is in it (found {what}); "
                f"{advice} --out"
            )

    def _check_same_run(self, options: Options, stored: StoredRun) -> None:
        if not options.resume:
            raise RunFolderError(
                f"{self.path}: not empty, a run is in it; continue it with --resume "
                "or choose another --out"
            )
        if self.framework != stored.provenance["framework"]:
            raise RunFolderError(
                f"{self.path}: found a {stored.provenance['framework']} run, expected one of "
                f"{self.framework}; resume it with the other command, or start from its weights "
                "with --init in another --out"
            )
        differences = options.recipe.differences(
            dataclasses.replace(stored.recipe, epochs=options.recipe.epochs)
        )
        if options.init != stored.provenance["init"]["source"]:
            differences.append(
                f"init: {options.init!r} here, {stored.provenance['init']['source']!r} there"
            )
        if differences:
            raise RunFolderError(
                f"{self.path}: the run in it has another recipe\n  "
                + "\n  ".join(differences)
                + "\nLeave these options out to continue it, or choose another --out"
            )
        if options.recipe.epochs < stored.recipe.epochs:
            raise RunFolderError(
                f"{self.path}: the run in it has another recipe\n  "
                f"epochs: {options.recipe.epochs} here, {stored.recipe.epochs} there\n"
                "--resume can train longer, not shorter"
            )

    def check_nothing_finished(self) -> None:
        """Raise `RunFolderError` where epochs are finished although there is no checkpoint.

        Starting from the beginning would overwrite their history and weights.
        """
        if finished := self.history.read():
            raise RunFolderError(
                f"{self.checkpoint}: found no checkpoint, expected one after epoch "
                f"{len(finished)} as in history.jsonl; restore it, or start a new run in another "
                "--out (--init weights.safetensors keeps the weights)"
            )

    def _lock(self) -> None:
        """Keep others out of the folder for as long as this object, or its process, lives."""
        try:
            import fcntl
        except ImportError:  # Windows has no such locks
            return
        descriptor = os.open(self.path, os.O_RDONLY)
        weakref.finalize(self, os.close, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunFolderError(
                f"{self.path}: another process is training in it; wait for it to end, "
                "or choose another --out"
            ) from error

    def _continue_from(self, provenance: dict[str, Any]) -> list[str]:
        assert self.stored is not None
        before = self.stored.provenance
        for what, key in (("initial weights", "init"), ("data", "data")):
            mine, theirs = provenance[key]["sha256"], before[key]["sha256"]
            if mine not in (None, theirs):
                raise RunFolderError(
                    f"{self.path}: other {what} than those of the run in it: found sha256 {mine} "
                    f"({provenance[key]['source']}), expected {theirs} ({before[key]['source']}); "
                    f"resume with the {what} that the run began with"
                )
        kept = ("versions", "device", "precision", "threads", "code")
        here = {key: provenance[key] for key in kept}
        provenance["resumed"] = [
            *before.get("resumed", []),
            {**here, "started": provenance["started"], "command_line": provenance["command_line"]},
        ]
        notes = [f"{k}: {v} here, {before.get(k)} before" for k, v in here.items()
                 if v != before.get(k)]  # fmt: skip
        provenance.update({key: before[key] for key in before if key != "resumed"})
        return notes

    def _write_json(self, name: str, content: dict[str, Any]) -> None:
        write_atomically(self.path / name, (json.dumps(content, indent=2) + "\n").encode())
