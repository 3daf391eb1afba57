"""Capture processes: whichever way they or their command end, it is said, and none stays behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from parity import PairError
from parity.capture.processes import CaptureProcessError, Task, run

REPOSITORY = Path(__file__).parents[3]

SLEEPER = """
def sleeping(seed):
    import os, pathlib, time

    print("about to sleep", flush=True)
    pathlib.Path("pid.txt").write_text(str(os.getpid()))
    time.sleep(600)

PAIR = changed(reference=sleeping)
"""


@pytest.fixture
def verifying(pair_file, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `python -m parity verify` on a changed pair in a folder of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(more: str, *arguments: str) -> subprocess.Popen[str]:
        pair_file(tmp_path, more)
        (tmp_path / "verdict.json").write_text('{"passed": true}')
        process = subprocess.Popen(
            [sys.executable, "-m", "parity", "verify", "my_pair.py", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def descendants_of(folder: Path) -> list[str]:
    """Processes that work in a folder, by what /proc says of them."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").resolve() == folder.resolve():
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                found += [entry.name] if state != "Z" else []
        except OSError:  # it has just ended, or is another user's
            continue
    return found


def sleeping_pid(folder: Path, wait_until) -> int:
    file = folder / "pid.txt"
    wait_until(lambda: file.exists() and file.read_text() != "")
    return int(file.read_text())


def failed_verdict(folder: Path) -> str:
    verdict = json.loads((folder / "verdict.json").read_text())
    assert (verdict["passed"], verdict["exit_code"], verdict["results"]) == (False, 2, [])
    return verdict["error"]


def test_killed_capture_is_named_with_its_last_lines(verifying, tmp_path, wait_until):
    process = verifying(SLEEPER)
    os.kill(sleeping_pid(tmp_path, wait_until), signal.SIGKILL)
    said = process.communicate()[1]
    assert process.returncode == 2
    for text in ("PyTorch, float64: the capture process crashed", "SIGKILL", "about to sleep"):
        assert text in said
        assert text in failed_verdict(tmp_path)
    assert "Traceback" not in said
    assert not descendants_of(tmp_path)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ended_command_takes_its_captures_along(verifying, tmp_path, wait_until, number, code):
    process = verifying(SLEEPER)
    sleeping_pid(tmp_path, wait_until)
    process.send_signal(number)
    said = process.communicate()[1]
    assert process.returncode == code
    assert "Traceback" not in said
    assert not descendants_of(tmp_path)
    assert "has not ended" in failed_verdict(tmp_path)


@pytest.mark.slow
def test_waiting_capture_ends_when_the_command_is_killed(verifying, tmp_path, wait_until):
    process = verifying(SLEEPER)
    sleeper = sleeping_pid(tmp_path, wait_until)
    assert process.stderr is not None
    line = process.stderr.readline()
    while "JAX, float64: starting" not in line:
        line = process.stderr.readline()
    process.kill()
    process.wait()
    # The one that sleeps in the pair's own code only notices when it next says something.
    wait_until(lambda: descendants_of(tmp_path) == [str(sleeper)])
    os.kill(sleeper, signal.SIGKILL)


@pytest.mark.slow
def test_hung_capture_is_named_and_the_waiting_one_is_not(verifying, tmp_path):
    process = verifying(SLEEPER, "--patience", "15")
    said = process.communicate()[1]
    assert process.returncode == 2
    assert "PyTorch, float64: the capture process hung: not a word for 15 s" in said
    assert "about to sleep" in said
    assert not descendants_of(tmp_path)


def test_users_error_comes_once_and_whole(verifying, tmp_path):
    process = verifying(
        "def failing(seed):\n"
        "    print('error: none yet')\n"
        "    raise LookupError('\\n'.join(f'line {i}' for i in range(60)))\n\n"
        "PAIR = changed(reference=failing)\n"
    )
    said = process.communicate()[1]
    assert process.returncode == 2
    assert said.count("reference failed: LookupError") == 1
    error = said.partition("error: ")[2]
    assert error.startswith("PyTorch, float64: pair 'small': reference failed: LookupError: line 0")
    assert "line 59" in error
    assert "my_pair.py:" in error
    assert "progress" not in said
    assert "Traceback" not in said


def test_gpu_lanes_without_gpu_fail_before_any_capture(verifying, tmp_path):
    began = time.monotonic()
    process = verifying("", "--device", "gpu")
    said = process.communicate()[1]
    assert process.returncode == 2
    assert "PyTorch sees no CUDA GPU" in said
    assert "JAX sees no GPU" in said
    assert "--device cpu" in said
    assert "layers" not in said, f"a capture was begun, {time.monotonic() - began:.0f} s"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--stages", "forward,nonsense"], "'nonsense'"),
        (["--out", "/dev/null/verdict.json"], "/dev/null"),
    ],
)
def test_wrong_options_are_told_at_once(verifying, arguments, text):
    process = verifying(SLEEPER, *arguments)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 2
    assert text in said
    assert "Traceback" not in said


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Watch a program as a capture process is watched; what it reported."""

    def watch(program: str, patience: float = 30) -> list[str]:
        original, said = subprocess.Popen, []

        def instead(command, **options):
            return original([sys.executable, "-c", program], **options)

        monkeypatch.setattr(subprocess, "Popen", instead)
        run([[Task("torch", "float64", [])]], said.append, patience)
        return said

    return watch


def test_progress_is_passed_on_and_signs_of_life_are_not(watched):
    program = "print('progress: one'); print('progress: '); print('noise'); print('progress: two')"
    assert watched(program) == ["PyTorch, float64: one", "PyTorch, float64: two"]


def test_process_that_prints_a_lot_does_not_block(watched):
    assert watched("print('x' * 200 * 100000); [print(i) for i in range(100000)]") == []


def test_crash_shows_the_last_lines_alone(watched):
    with pytest.raises(CaptureProcessError) as caught:
        watched("[print('line', i) for i in range(50)]; import os; os._exit(3)")
    said = str(caught.value)
    assert "crashed (exit code 3)" in said
    assert "line 49" in said
    assert "line 29" not in said


def test_hang_shows_the_last_lines(watched):
    program = "import time; print('last word', flush=True); time.sleep(60)"
    with pytest.raises(CaptureProcessError, match=r"hung: not a word for 2 s[^$]*last word"):
        watched(program, patience=2)


def test_silent_crash(watched):
    with pytest.raises(CaptureProcessError, match="It wrote nothing"):
        watched("import os; os._exit(1)")


def test_error_of_the_users(watched):
    with pytest.raises(PairError, match=r"^PyTorch, float64: what\n  where\n\n  and why$"):
        watched("print('error: what\\n  where\\n\\n  and why'); raise SystemExit(2)")
