"""What is done beside the workers."""

import logging
from pathlib import Path
from threading import Event, Thread

import pytest

from host.jobs.keeper import Duty, Keeper
from host.jobs.waking import Ear
from host.settings import Settings


def test_duty_waits_for_its_time() -> None:
    done: list[int] = []
    duty = Duty("it", lambda: done.append(1), 60)
    duty.attend()
    duty.attend()
    assert done == [1]


def test_failing_duty_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    answers = iter([OSError("away"), OSError("away"), 7])

    def do() -> int:
        found = next(answers)
        if isinstance(found, OSError):
            raise found
        return found

    duty = Duty("the thing", do, 0)
    with caplog.at_level(logging.WARNING, "hostwright"):
        assert [duty.attend(), duty.attend(), duty.attend()] == [None, None, 7]
    assert caplog.messages == ["the thing: OSError: away", "the thing: works again"]


@pytest.fixture
def ear(tmp_path: Path) -> Ear:
    return Ear(Settings(root=tmp_path, secret="x" * 32), None)


def test_keeper_ends_when_nobody_wants_it(ear: Ear) -> None:
    ear.listen()
    done: list[str] = []
    left = iter([True, True, False])
    duties = [
        Duty("often", lambda: done.append("often"), 0),
        Duty("seldom", lambda: done.append("seldom"), 60),
    ]
    Keeper(
        fill=Duty("fill", lambda: True, 0), duties=duties, ear=ear, is_wanted=lambda: next(left), watches_signals=False
    ).run()  # fmt: skip
    ear.close()
    assert done == ["often", "seldom", "often", "often"]  # once more at the end


def test_failing_loop_ends_the_keeper(ear: Ear, caplog: pytest.LogCaptureFixture) -> None:
    ear.listen()

    def loop(_stop: Event) -> None:
        raise LookupError

    keeper = Keeper(
        fill=Duty("fill", lambda: False, 0), duties=[], ear=ear, loops=[loop], watches_signals=False
    )
    running = Thread(target=keeper.run)
    running.start()
    running.join(timeout=10)
    ear.close()
    assert not running.is_alive()
    assert "a loop beside the workers failed" in caplog.text
