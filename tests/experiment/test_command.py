"""How a command ends, and what --resume takes for granted."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from experiment.command import parse, run
from experiment.errors import EXIT_USER_ERROR, UserError
from experiment.interrupts import EXIT_INTERRUPTED, uninterrupted
from experiment.options import Options
from experiment.run_folder import RunFolder


def ends_with(error: BaseException | None) -> int:
    def train(options: Options, folder: RunFolder) -> None:
        if error is not None:
            raise error

    return run("x.train", "JAX", train, ["--out", "nowhere/at/all"])


def test_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert ends_with(None) == 0
    assert ends_with(UserError("the reason")) == EXIT_USER_ERROR == 2
    assert capsys.readouterr().err == "error: the reason\n"
    assert ends_with(KeyboardInterrupt()) == EXIT_INTERRUPTED == 130
    assert "nothing was written" in capsys.readouterr().err


def test_resume_needs_to_know_what(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("x.train", "JAX", lambda options, folder: None, ["--resume"]) == 2
    assert "--resume: expected --out" in capsys.readouterr().err


def test_full_disk_names_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert ends_with(OSError(28, "No space left on device", "runs/a/history.jsonl")) == 2
    assert "runs/a/history.jsonl: No space left on device" in capsys.readouterr().err


def test_fault_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        ends_with(ZeroDivisionError())


def test_options_reach_the_recipe() -> None:
    options = parse("x.train", ["--momentum", "0.9", "--nesterov", "--out", "a", "--epochs", "3"])
    assert (options.recipe.momentum, options.recipe.nesterov, options.recipe.epochs) == (
        0.9,
        True,
        3,
    )
    assert options.out == Path("a")


def test_ctrl_c_waits_for_what_belongs_together() -> None:
    steps = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        steps.append("finished")
    assert steps == ["finished"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
