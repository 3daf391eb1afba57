"""The history is complete after every epoch and survives a crash at any moment."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from experiment.history import (
    EpochRecord,
    History,
    HistoryError,
    Metrics,
    NonFiniteLossError,
    check_finite,
    check_sound,
    pass_metrics,
)


def record(epoch: int) -> EpochRecord:
    return EpochRecord.of(
        epoch, Metrics(2.2734, 0.1441), Metrics(2.115, 0.221), train_size=500, seconds=2.0
    )


def test_line_has_the_form_of_the_tutorial() -> None:
    assert record(1).line() == (
        "Epoch: 1, Train_acc:14.4%, Train_loss:2.273, Test_acc:22.1%, Test_loss:2.115"
    )


def test_file_has_one_json_object_an_epoch_with_fractions(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    history.append(record(1))
    history.append(record(2))
    first, second = map(json.loads, history.path.read_text().splitlines())
    assert list(first) == [
        "epoch", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "seconds",
        "images_per_second",
    ]  # fmt: skip
    assert (first["epoch"], second["epoch"]) == (1, 2)
    assert first["train_accuracy"] == 0.1441
    assert first["images_per_second"] == 250.0


def test_reads_what_it_wrote(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    assert history.read() == []
    history.append(record(1))
    assert history.read() == [record(1)]


def test_line_cut_off_by_a_crash_is_left_out(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    history.append(record(1))
    with history.path.open("a") as file:
        file.write('{"epoch": 2, "train_lo')
    assert history.read() == [record(1)]
    assert history.keep_until(1) == [record(1)]
    history.append(record(2))
    assert history.read() == [record(1), record(2)]


def test_epochs_beyond_the_checkpoint_are_dropped(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    for epoch in (1, 2, 3):
        history.append(record(epoch))
    assert history.keep_until(2) == [record(1), record(2)]
    assert history.read() == [record(1), record(2)]


def test_missing_epoch_is_an_error(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    history.append(record(2))
    with pytest.raises(HistoryError, match=r"found epochs \[2\], expected 1 to 2"):
        history.keep_until(2)


@pytest.mark.parametrize("line", ["nonsense", '{"epoch": 1}', "[1]"])
def test_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    history = History(tmp_path / "history.jsonl")
    history.append(record(1))
    with history.path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(HistoryError, match="line 2: not a record"):
        history.read()


def test_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(HistoryError, match="not text"):
        History(tmp_path / "history.jsonl").read()


def test_epoch_whose_last_step_broke_the_weights_is_not_kept() -> None:
    good = {"a": np.ones(2, np.float32), "b": np.zeros(3, np.float32)}
    check_sound(3, Metrics(1.0, 0.5), good)
    broken = {**good, "b": np.array([0, np.nan, 0], np.float32)}
    with pytest.raises(NonFiniteLossError, match=r"last step of epoch 3.*NaN or Inf in b"):
        check_sound(3, Metrics(1.0, 0.5), broken)
    with pytest.raises(NonFiniteLossError, match="test loss is inf"):
        check_sound(3, Metrics(float("inf"), 0.5), good)


def test_short_batch_weighs_as_much_as_a_full_one() -> None:
    losses = np.array([1.0, 4.0], np.float32)  # of 32 and of 16 pictures, say
    assert pass_metrics(losses, correct=12, size=48) == Metrics(2.5, 0.25)


def test_mean_is_taken_in_float64() -> None:
    losses = np.full(3, 0.1, np.float32)
    assert pass_metrics(losses, 0, 1).loss == np.float64(np.float32(0.1))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_non_finite_loss_names_epoch_and_step(value: float) -> None:
    losses = np.array([1.0, 2.0, value, value], np.float32)
    with pytest.raises(NonFiniteLossError, match="epoch 4, step 67"):
        check_finite(losses, epoch=4, first_step=65)
    check_finite(losses[:2], epoch=4, first_step=65)
