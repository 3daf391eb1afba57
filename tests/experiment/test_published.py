"""The published run, its test loss corrected."""

from __future__ import annotations

import pytest

from experiment.published import published_run


def test_last_epoch_is_as_published_with_the_mean_test_loss() -> None:
    last = published_run()[-1]
    assert last.epoch == 10
    assert last.train_accuracy == pytest.approx(0.608)
    assert last.test_accuracy == pytest.approx(0.610)
    assert last.train_loss == 1.120
    assert last.test_loss == pytest.approx(1.112, abs=5e-4)  # printed as 34.810


def test_first_line_is_the_tutorials_with_the_mean_test_loss() -> None:
    assert published_run()[0].line() == (
        "Epoch: 1, Train_acc:14.4%, Train_loss:2.273, Test_acc:22.1%, Test_loss:2.115"
    )
