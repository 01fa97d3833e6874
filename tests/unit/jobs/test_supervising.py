"""A supervisor and its children, in a process of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.working import kill, until

SCRIPT = """
import os, signal, sys, time
from pathlib import Path
from host.jobs.slots import Slots
from host.jobs.supervisor import Losses, Role, Supervisor

folder = Path(sys.argv[1])
slots, losses = Slots(2), Losses()


def say(word):
    with (folder / "said").open("a") as file:
        file.write(f"{word} {os.getpid()}\\n")


def steady():
    say("steady")
    signal.pause()


def busy():
    with slots.occupied(0, "a-job", 1, SECONDS):
        if ENDS:
            signal.signal(signal.SIGTERM, lambda *_: say("ended") or sys.exit())
        else:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        say("busy")
        while True:
            time.sleep(60)


def told():
    stops = []
    signal.signal(signal.SIGTERM, lambda *_: LINGERS or stops.append(True))
    say("told")
    is_last = False
    while not is_last:
        is_last = bool(stops)  # what was lost until then is still told
        for lost in losses.take():
            say(f"lost {lost[0]} {lost[2]}")
        time.sleep(0.02)
    say("untold")


roles = [Role(name="told", work=told), Role(name="busy", work=busy, slot=0), Role(name="steady", work=steady, slot=1)]
supervisor = Supervisor(
    roles=roles, slots=slots, tell=losses.tell, stop_seconds=0.5, last_seconds=LAST_SECONDS, parent=PARENT
)
supervisor.run()
say("over")
"""


class Running:
    """The script, and what its processes have said."""

    def __init__(
        self,
        folder: Path,
        *,
        seconds: float = 60,
        ends: bool = True,
        last_seconds: float | None = None,
        parent: int | None = None,
    ) -> None:
        self.folder = folder
        given = {
            "SECONDS": seconds, "ENDS": ends, "PARENT": parent, "LINGERS": last_seconds is not None,
            "LAST_SECONDS": 20 if last_seconds is None else last_seconds,
        }  # fmt: skip
        text = "".join(f"{name} = {value}\n" for name, value in given.items()) + textwrap.dedent(SCRIPT)
        (folder / "script.py").write_text(text)
        environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
        self.process = subprocess.Popen([sys.executable, str(folder / "script.py"), str(folder)], env=environ)

    def said(self, word: str) -> list[int]:
        """The processes that said it."""
        file = self.folder / "said"
        lines = file.read_text().splitlines() if file.exists() else []
        return [int(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(word)]

    def wait_for(self, word: str, times: int = 1) -> list[int]:
        """Until it has been said so often."""
        found: list[int] = until(lambda: len(self.said(word)) >= times and self.said(word), word, 20)
        return found

    def end(self) -> None:
        """It and its children, in any case; they end with it."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start the script; what still runs when the test has failed is ended."""
    begun: list[Running] = []

    def begin(**given: Any) -> Running:
        begun.append(Running(tmp_path, **given))
        return begun[-1]

    yield begin
    for running in begun:
        running.end()


def over(running: Running) -> int:
    """Stop it; its status."""
    running.process.terminate()
    return running.process.wait(timeout=20)


def test_dead_child_is_replaced(run: Callable[..., Running]) -> None:
    running = run()
    [first] = running.wait_for("steady")
    kill(first)
    assert running.wait_for("steady", 2)[1] != first
    assert over(running) == 0


def test_job_of_a_dead_child_is_told(run: Callable[..., Running]) -> None:
    running = run()
    [first] = running.wait_for("busy")
    kill(first)
    running.wait_for("lost a-job died")
    assert over(running) == 0


def test_child_that_overruns_is_killed(run: Callable[..., Running]) -> None:
    running = run(seconds=0.5, ends=False)
    running.wait_for("lost a-job timeout")
    running.wait_for("busy", 2)
    assert over(running) == 0


def test_children_end_before_it_does(run: Callable[..., Running]) -> None:
    running = run()
    running.wait_for("busy")
    assert over(running) == 0
    assert len(running.said("ended")) == 1
    assert len(running.said("over")) == 1


def test_child_that_does_not_end_is_cut_off(run: Callable[..., Running]) -> None:
    running = run(ends=False)
    running.wait_for("busy")
    assert over(running) == 0
    assert len(running.said("lost a-job stopped")) == 1
    assert len(running.said("busy")) == 1


def test_child_without_a_slot_is_cut_off(run: Callable[..., Running]) -> None:
    running = run(last_seconds=0.5)
    running.wait_for("told")
    assert over(running) == 0
    assert running.said("untold") == []
    assert len(running.said("over")) == 1


def test_orphan_stops(run: Callable[..., Running]) -> None:
    running = run(parent=1)  # which is not its parent
    assert running.process.wait(timeout=20) == 0
    assert running.said("busy") == []


def test_interrupt_stops_it_as_well(run: Callable[..., Running]) -> None:
    running = run()
    running.wait_for("busy")
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(timeout=20) == 0
