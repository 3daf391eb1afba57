"""A run goes on from its last good checkpoint and says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiment.checkpoints import CheckpointError, DamagedCheckpointError, read_last_good

FOLDER = Path("run/checkpoint")


class Shelf:
    """Checkpoints after some epochs, some of them damaged."""

    def __init__(self, epochs: list[int], damaged: set[int]) -> None:
        self.epochs, self.damaged = epochs, damaged
        self.notes: list[str] = []
        self.discarded: list[int] = []

    def read(self, epoch: int) -> str:
        if epoch in self.damaged:
            raise DamagedCheckpointError(f"bit rot in {epoch}")
        return f"state {epoch}"

    def last_good(self) -> tuple[int, str] | None:
        return read_last_good(
            FOLDER, self.epochs, self.read, self.discarded.append, self.notes.append
        )


def test_newest_is_taken_silently() -> None:
    shelf = Shelf([3, 4], damaged=set())
    assert shelf.last_good() == (4, "state 4")
    assert shelf.notes == []
    assert shelf.discarded == []


def test_damaged_one_is_reported_discarded_and_the_one_before_taken() -> None:
    shelf = Shelf([3, 4], damaged={4})
    assert shelf.last_good() == (3, "state 3")
    assert "after epoch 4" in shelf.notes[0]
    assert "bit rot" in shelf.notes[0]
    assert "going on from the last good one, after epoch 3" in shelf.notes[0]
    assert shelf.discarded == [4]


def test_none_where_there_is_none() -> None:
    assert Shelf([], damaged=set()).last_good() is None


def test_all_damaged_is_an_error_that_names_each() -> None:
    shelf = Shelf([3, 4], damaged={3, 4})
    with pytest.raises(CheckpointError, match=r"(?s)bit rot in 4.*bit rot in 3"):
        shelf.last_good()
    assert shelf.discarded == []
