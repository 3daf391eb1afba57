"""TensorBoard files hold the history's numbers."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

from tensorboardX.proto.event_pb2 import Event, SessionLog

from experiment.history import EpochRecord, Metrics
from experiment.scalars import scalar_log

REPOSITORY = Path(__file__).parents[2]


def events(folder: Path) -> list[Event]:
    """Parse event files: records of length (8 bytes), its checksum (4), data, its checksum (4)."""
    found = []
    for file in sorted((folder / "tensorboard").iterdir()):
        content = file.read_bytes()
        while content:
            (length,) = struct.unpack("<Q", content[:8])
            found.append(Event.FromString(content[12 : 12 + length]))
            content = content[12 + length + 4 :]
    return found


def test_every_number_of_an_epoch_is_in_the_file(tmp_path: Path) -> None:
    record = EpochRecord.of(3, Metrics(1.5, 0.5), Metrics(1.25, 0.75), 100, 2.0)
    with scalar_log(tmp_path, resumed_after=2) as log:
        log(record)
    found = {
        (value.tag, event.step): value.simple_value
        for event in events(tmp_path)
        for value in event.summary.value
    }
    assert found == {
        ("train_loss", 3): 1.5, ("train_accuracy", 3): 0.5, ("test_loss", 3): 1.25,
        ("test_accuracy", 3): 0.75, ("seconds", 3): 2.0, ("images_per_second", 3): 50.0,
    }  # fmt: skip


def test_resuming_drops_what_was_logged_beyond_the_checkpoint(tmp_path: Path) -> None:
    with scalar_log(tmp_path, resumed_after=2):
        pass
    starts = [e for e in events(tmp_path) if e.session_log.status == SessionLog.START]
    assert [event.step for event in starts] == [3]


def test_nothing_is_written_unless_asked(tmp_path: Path) -> None:
    with scalar_log(None, resumed_after=0) as log:
        log(EpochRecord.of(1, Metrics(1, 1), Metrics(1, 1), 1, 1))
    assert not list(tmp_path.iterdir())


def test_pytorch_stays_out_of_the_process(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from experiment.scalars import scalar_log
with scalar_log(Path({str(tmp_path)!r}), 0): pass
print("torch" in sys.modules)
import torch
print(torch.ones(2).sum().item())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          check=True, cwd=REPOSITORY)  # fmt: skip
    assert done.stdout.split() == ["False", "2.0"]
