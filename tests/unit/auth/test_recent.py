"""The bounded memory."""

import threading

from host.auth.recent import Recent


def test_oldest_value_goes_first() -> None:
    recent: Recent[str, int] = Recent(2)
    for number, key in enumerate("abac"):
        recent.put(key, number)
    assert (recent.get("a"), recent.get("b"), recent.get("c")) == (2, None, 3)


def test_forgotten_value_is_gone() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.put("a", 1)
    recent.forget("a")
    recent.forget("a")
    assert recent.get("a") is None


def test_threads_keep_the_bound() -> None:
    recent: Recent[int, int] = Recent(50)

    def fill(start: int) -> None:
        for number in range(start, start + 2000):
            recent.put(number, number)

    threads = [threading.Thread(target=fill, args=(at * 2000,)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(recent) == 50
