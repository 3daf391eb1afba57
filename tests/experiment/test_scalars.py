"""TensorBoard files hold the history's numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from tensorboardX import SummaryWriter

from experiment.history import EpochRecord, Metrics
from experiment.scalars import scalar_log


def test_every_number_of_an_epoch_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: dict[tuple[str, int], float] = {}

    def keep(writer: SummaryWriter, name: str, value: float, step: int) -> None:
        logged[name, step] = value

    monkeypatch.setattr(SummaryWriter, "add_scalar", keep)
    record = EpochRecord.of(3, Metrics(1.5, 0.5), Metrics(1.25, 0.75), 100, 2.0)
    with scalar_log(tmp_path, resumed_after=2) as log:
        log(record)
    assert logged == {
        ("train_loss", 3): 1.5, ("train_accuracy", 3): 0.5, ("test_loss", 3): 1.25,
        ("test_accuracy", 3): 0.75, ("seconds", 3): 2.0, ("images_per_second", 3): 50.0,
    }  # fmt: skip
    assert list((tmp_path / "tensorboard").iterdir())


def test_nothing_is_written_unless_asked(tmp_path: Path) -> None:
    with scalar_log(None, resumed_after=0) as log:
        log(EpochRecord.of(1, Metrics(1, 1), Metrics(1, 1), 1, 1))
    assert not list(tmp_path.iterdir())
