"""What a supervisor sees of its workers."""

import os

import pytest

from host.jobs.slots import Slots
from host.jobs.supervisor import Losses

JOB = "01a1fef2-cb7b-7863-9c8b-04c119993dbf"


def test_idle_slot_is_empty() -> None:
    assert Slots(2).read(1) is None


def test_slot_tells_the_job() -> None:
    slots = Slots(2)
    with slots.occupied(1, JOB, 3, 60):
        found = slots.read(1)
        assert found is not None
        assert (found.job, found.attempt) == (JOB, 3)
        assert slots.read(0) is None
    assert slots.read(1) is None


def test_slot_is_empty_after_an_error() -> None:
    slots = Slots(1)
    with pytest.raises(ValueError, match="no"), slots.occupied(0, JOB, 1, 60):
        raise ValueError("no")
    assert slots.read(0) is None


@pytest.mark.filterwarnings(
    "ignore:.*fork:DeprecationWarning"
)  # the child does nothing that a thread could disturb
def test_slot_of_a_dead_child_still_tells() -> None:
    slots = Slots(1)
    child = os.fork()
    if child == 0:
        with slots.occupied(0, JOB, 2, 60):
            os._exit(1)
    os.waitpid(child, 0)
    found = slots.read(0)
    assert found is not None
    assert found.attempt == 2
    slots.clear(0)
    assert slots.read(0) is None


def test_losses_are_told_in_order() -> None:
    losses, slots = Losses(), Slots(1)
    assert losses.take() == []
    with slots.occupied(0, JOB, 2, 60):
        found = slots.read(0)
    assert found is not None
    losses.tell(found, "died")
    losses.tell(found, "timeout")
    assert losses.take() == [(JOB, 2, "died"), (JOB, 2, "timeout")]
    assert losses.take() == []
