"""Both sides' capture processes: started, watched, and ended together. NumPy only.

PyTorch's captures run one after another, and so do JAX's; the two lines run at once, each with its
share of the cores.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from experiment.errors import EXIT_USER_ERROR, UserError
from parity.capture.plan import GPU_LANES
from parity.pair import PairError

LAST_LINES = 20
"""Lines of a crashed process's output that the user is shown."""

PATIENCE = 600.0
"""Seconds without a word from a capture process after which it counts as hung."""

START = "start.safetensors"
"""What both sides start from, written before the first capture is done."""

PROGRESS = "progress: "
"""How a capture process begins a line that is no output of the pair's. Alone it is a sign of life,
of a process that waits."""

ERROR = "error: "
"""How a command begins the text of a user's error; it is the last that the command says."""

_LAST_WORDS_SECONDS = 2.0
"""How long a process's output is awaited after it has ended: what it started may hold the pipe."""

Report = Callable[[str], None]


class CaptureProcessError(UserError):
    """A capture process crashed or hung."""


@dataclass
class Task:
    """One capture process: what it runs, and what it said."""

    framework: str
    lane: str
    arguments: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    module: tuple[str, ...] = ("parity", "capture")
    """What Python runs: a module, and its first arguments."""
    kind: str = "capture process"
    shown: str = ""
    """Beginning of lines of the output that are reported, too."""
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))
    error: list[str] = field(default_factory=list)
    """The last line that begins as an error does, and all that followed."""
    heard: float = 0.0
    process: subprocess.Popen[str] | None = None
    listener: threading.Thread | None = None

    @property
    def name(self) -> str:
        """For people."""
        return f"{'PyTorch' if self.framework == 'torch' else 'JAX'}, {self.lane}"


def tasks(
    pair_arguments: Sequence[str],
    lanes: Sequence[str],
    folder: Path,
    seed: int,
    nonce: str,
    cores: int,
) -> tuple[list[list[Task]], dict[tuple[str, str], Path]]:
    """The two lines of tasks, and the files that they write by (framework, lane)."""
    files = {
        (f, lane): folder / f"{f}-{lane}.safetensors" for f in ("torch", "jax") for lane in lanes
    }
    oracle = files["torch", "float64"]
    lines: list[list[Task]] = []
    for framework in ("torch", "jax"):
        line = []
        for lane in lanes:
            arguments = [*pair_arguments, "--framework", framework, "--lane", lane]
            arguments += ["--out", str(files[framework, lane]), "--seed", str(seed)]
            arguments += ["--nonce", nonce, "--threads", str(max(1, cores // 2))]
            if lane == "float64":
                arguments += ["--start", str(folder / START)]
            if (framework, lane) != ("torch", "float64"):
                arguments += ["--oracle", str(oracle)]
            line.append(Task(framework, lane, arguments, environment(framework, lane, cores)))
        lines.append(line)
    return lines, files


def run(lines: Sequence[Sequence[Task]], report: Report, patience: float = PATIENCE) -> None:
    """Run the lines at once, each from its first task to its last.

    Raises `CaptureProcessError` with the last lines of one that crashed or hung, and `PairError`
    with the error that one ended with; the others are then ended.
    """
    waiting = [deque(line) for line in lines]
    at_work: dict[int, Task] = {}
    running: list[Task] = []
    with _ended_with_us(running):
        while at_work or any(waiting):
            for number, line in enumerate(waiting):
                if line and number not in at_work:
                    at_work[number] = line.popleft()
                    running.append(at_work[number])
                    _start(at_work[number], report)
            for number, task in list(at_work.items()):
                if _is_done(task, patience):
                    del at_work[number]
                    running.remove(task)
            time.sleep(0.05)


def _start(task: Task, report: Report) -> None:
    task.process = subprocess.Popen(
        [sys.executable, "-m", *task.module, *task.arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        env={**os.environ, **task.environment},
        start_new_session=True,  # so that what a pair starts ends with it
    )
    task.heard = time.monotonic()
    task.listener = threading.Thread(target=_listen, args=(task, report), daemon=True)
    task.listener.start()


def _listen(task: Task, report: Report) -> None:
    assert task.process is not None
    assert task.process.stdout is not None
    with task.process.stdout as pipe:
        for text in pipe:
            task.heard = time.monotonic()
            line = text.rstrip("\n")
            if line.startswith(PROGRESS):
                if said := line.removeprefix(PROGRESS):
                    report(f"{task.name}: {said}")
                continue
            if task.shown and line.startswith(task.shown):
                report(f"{task.name}: {line}")
            if line.startswith(ERROR):
                task.error = [line.removeprefix(ERROR)]
            elif task.error:
                task.error.append(line)
            if line:
                task.lines.append(line)


def _is_done(task: Task, patience: float) -> bool:
    """Whether the process ended well. Raises where it did not, or is silent for too long."""
    assert task.process is not None
    code = task.process.poll()
    if code is None:
        if time.monotonic() - task.heard > patience:
            raise CaptureProcessError(
                f"{task.name}: the {task.kind} hung: not a word for {patience:.0f} s, and it "
                f"was ended. {_last(task)}"
            )
        return False
    if code == 0:
        return True
    if task.listener is not None:  # its last words may still be on their way
        task.listener.join(_LAST_WORDS_SECONDS)
    if code == EXIT_USER_ERROR and task.error:
        raise PairError(f"{task.name}: " + "\n".join(task.error).rstrip())
    raise CaptureProcessError(f"{task.name}: the {task.kind} crashed ({_how(code)}). {_last(task)}")


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    name = signal.Signals(-code).name
    outside = "; it was ended from outside, as where memory is short" if name == "SIGKILL" else ""
    return f"signal {name}{outside}"


def _last(task: Task) -> str:
    shown = "".join(f"\n  {line}" for line in task.lines)
    return f"Its last lines of output:{shown}" if shown else "It wrote nothing."


@contextlib.contextmanager
def _ended_with_us(running: Sequence[Task]) -> Iterator[None]:
    """However this ends, but for a SIGKILL, no process is left behind."""
    before = {number: signal.getsignal(number) for number in _ends()}
    for number in before:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for task in running:
            if task.process is not None and task.process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(task.process.pid, signal.SIGKILL)
                task.process.wait()
            if task.listener is not None:
                task.listener.join(_LAST_WORDS_SECONDS)


def _ends() -> list[signal.Signals]:
    """Signals that would end this process at once, and leave the others behind."""
    if threading.current_thread() is not threading.main_thread():
        return []
    known = [getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP")]
    return [n for n in known if n is not None and signal.getsignal(n) is signal.SIG_DFL]


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def environment(framework: str, lane: str, cores: int) -> dict[str, str]:
    """Settings that a framework reads when it starts."""
    found = {"PYTHONPATH": os.pathsep.join(filter(None, [str(Path.cwd()), *sys.path]))}
    if framework == "jax":
        found["NPROC"] = str(cores - cores // 2)  # XLA's CPU threads; PyTorch has the others
    found["PYTHONUNBUFFERED"] = "1"  # or a crash would swallow its last words
    if lane in GPU_LANES:
        # Both share one GPU, and JAX alone would take three quarters of its memory.
        found["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
        found["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # products that repeat bit for bit
    return found
