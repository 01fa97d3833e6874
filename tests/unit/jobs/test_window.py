"""How many jobs wait in Redis."""

from host.jobs.window import LEAST, MOST, Window


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_window_begins_small() -> None:
    assert Window(3, Clock()).room(0) == 3 * LEAST


def test_half_full_queue_is_left_alone() -> None:
    window = Window(2, Clock())
    assert [window.room(length) for length in (0, 3, 4, 5, 8)] == [8, 5, 4, 0, 0]


def test_window_grows_while_workers_empty_it() -> None:
    clock = Clock()
    window = Window(1, clock)
    sizes = []
    for _ in range(6):
        sizes.append(window.room(0))
        window.filled(is_full=True)
        clock.now += 0.1
    assert sizes == [4, 8, 16, 32, 32, 32]
    assert max(sizes) == MOST


def test_window_shrinks_when_workers_take_their_time() -> None:
    clock = Clock()
    window = Window(1, clock)
    for _ in range(4):
        window.room(0)
        window.filled(is_full=True)
        clock.now += 0.1
    clock.now += 2
    assert window.room(1) == LEAST - 1


def test_slow_dispatcher_does_not_shrink_it() -> None:
    clock = Clock()
    window = Window(1, clock)
    window.filled(is_full=True)
    clock.now += 0.1
    assert window.room(0) == 2 * LEAST
    window.filled(is_full=True)
    clock.now += 5
    assert window.room(0) == 2 * LEAST


def test_single_jobs_do_not_make_it_grow() -> None:
    clock = Clock()
    window = Window(1, clock)
    for _ in range(5):
        assert window.room(0) == LEAST
        window.filled(is_full=False)
        clock.now += 0.1
