"""Puts a finished comparison together from the files of its folder. NumPy and SciPy only."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import numpy as np

from experiment.cifar10 import CLASSES
from experiment.published import PRINTED_TEST_LOSS, published_run
from experiment.results import FinishedRun
from parity.curves import agreement, native, shared
from parity.curves.comparison import SHARED_SEED, Comparison
from parity.curves.layout import Layout, Side
from parity.curves.records import Answers, Losses, Probe, read
from parity.curves.results import (
    Arm,
    Native,
    Outcome,
    Pictures,
    PublishedRun,
    Results,
    SharedStart,
    Training,
)
from parity.curves.trainings import MixedTrainingsError, finished, wanted

_EXPLANATION = (
    "The published run printed a test loss of 34.810 after epoch 10, which its author could not "
    "explain. It is a bug: the sum over the 313 test batches was divided by the 10 classes instead "
    "of by 313. Shown is the mean, the printed value x 10 / 313."
)


def collect(comparison: Comparison, layout: Layout, sides: Sequence[Side]) -> Results:
    """The results. Raises `UserError` naming a file that is missing, damaged or of another kind."""
    probes = [read(layout.probe(side), Probe) for side in sides]
    check_alike(layout, sides, probes)
    runs = [
        [finished(one, probe.surroundings) for one in wanted(comparison, layout, side)]
        for side, probe in zip(sides, probes, strict=True)
    ]
    arms = [_arm(comparison, *one) for one in zip(sides, probes, runs, strict=True)]
    start = _shared(comparison, layout, sides, probes)
    whole = native.judge(arms[0].trainings, arms[1].trainings, comparison)
    ours, theirs = (_answers(layout, one, p) for one, p in zip(sides, probes, strict=True))
    labels = np.asarray(probes[0].test_labels)
    outcome: Outcome = "different" if start.outcome == "outside" else whole.outcome
    return Results(
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        comparison=comparison,
        outcome=outcome,
        text=answer(start, whole),
        planted=comparison.planted,
        pictures=_pictures(probes[0]),
        reference=arms[0],
        port=arms[1],
        shared=start,
        native=whole,
        classes=agreement.classes(CLASSES, labels, ours.networks, theirs.networks),
        churn=agreement.churn(ours.networks, theirs.networks),
        wall=agreement.wall(labels, ours.networks[0], theirs.networks[0]),
        published=published(),
    )


def answer(start: SharedStart, whole: Native) -> str:
    """The two judgements in two sentences."""
    said = [f"Shared start: {start.outcome}: {start.text}", f"Native start: {whole.text}"]
    return ". ".join(said) + "."


def check_alike(layout: Layout, sides: Sequence[Side], probes: Sequence[Probe]) -> None:
    """Raise `MixedTrainingsError` where the two sides would not train on the same thing."""
    ours, theirs = (probe.surroundings for probe in probes)
    problems = []
    if ours.data_sha256 != theirs.data_sha256:
        problems.append(f"pictures: sha256 {ours.data_sha256} here, {theirs.data_sha256} there")
    if ours.device.partition(":")[0] != theirs.device.partition(":")[0]:
        problems.append(f"device: {ours.device} here, {theirs.device} there")
    if problems:
        names = " and ".join(str(layout.probe(side)) for side in sides)
        raise MixedTrainingsError(
            f"{names}: the two sides differ in more than the framework\n  "
            + "\n  ".join(problems)
            + "\nName the pictures with --data and the device with --device"
        )


def published() -> PublishedRun:
    """The tutorial's run, corrected."""
    return PublishedRun(
        epochs=tuple(
            {
                "epoch": float(record.epoch),
                "train_loss": record.train_loss,
                "train_accuracy": record.train_accuracy,
                "test_loss": record.test_loss,
                "test_accuracy": record.test_accuracy,
                "printed_test_loss": printed,
            }
            for record, printed in zip(published_run(), PRINTED_TEST_LOSS, strict=True)
        ),
        explanation=_EXPLANATION,
    )


def _shared(
    comparison: Comparison, layout: Layout, sides: Sequence[Side], probes: Sequence[Probe]
) -> SharedStart:
    paths = [layout.losses(sides[0], run) for run in range(1 + comparison.noise_runs)]
    paths.append(layout.losses(sides[1], 0))
    found = [read(path, Losses) for path in paths]
    for path, one in zip(paths, found, strict=True):
        probe = probes[1] if path == paths[-1] else probes[0]
        wrong = one.surroundings.differences(probe.surroundings)
        if one.weights_sha256 != found[0].weights_sha256:
            wrong.append("other shared weights")
        if wrong:
            raise MixedTrainingsError(
                f"{path}: made otherwise than the others\n  " + "\n  ".join(wrong)
            )
    reference, *noise = [one.losses for one in found[:-1]]
    return shared.judge(SHARED_SEED, reference, found[-1].losses, noise, comparison.envelope_factor)


def _answers(layout: Layout, side: Side, probe: Probe) -> Answers:
    found = read(layout.answers(side), Answers)
    if wrong := found.surroundings.differences(probe.surroundings):
        raise MixedTrainingsError(
            f"{layout.answers(side)}: made otherwise than the trainings\n  " + "\n  ".join(wrong)
        )
    return found


def _pictures(probe: Probe) -> Pictures:
    return Pictures(
        sha256=probe.surroundings.data_sha256,
        official=probe.official,
        synthetic=probe.synthetic,
        notice=probe.notice.splitlines()[0] if probe.notice else None,
        train_size=probe.train_size,
        test_size=probe.test_size,
        classes=tuple(CLASSES),
    )


def _arm(comparison: Comparison, side: Side, probe: Probe, runs: Sequence[FinishedRun]) -> Arm:
    about, started = probe.surroundings, [run.stored.provenance["started"] for run in runs]
    return Arm(
        framework=about.framework,
        versions=about.versions,
        python=about.python,
        platform=probe.platform,
        device=about.device,
        precision=about.precision,
        threads=about.threads,
        commits=tuple(sorted({_commit(run) for run in runs})),
        code=about.code,
        started=(min(started), max(started)),
        learning_rate=runs[0].stored.recipe.learning_rate,
        trainings=tuple(
            Training(seed=run.stored.recipe.seed, epochs=tuple(run.records)) for run in runs
        ),
    )


def _commit(run: FinishedRun) -> str:
    git = run.stored.provenance["git"]
    if git is None:
        return "unknown"
    return git["commit"] + ("+" if git["changed_files"] else "")
