"""The RQ queue between dispatchers and workers."""

from collections.abc import Iterator

import pytest

from host.jobs.queues import Entry, Handover, open_redis
from host.jobs.worker import RowWorker
from tests.support.redis import RedisServer, running_redis

ENTRIES = [
    Entry("01a1fef2-cb7b-7863-9c8b-04c119993dbf", 1),
    Entry("01a1fef2-cb7b-7863-9c8b-04c119993db0", 12),
]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with running_redis() as found:
        yield found


@pytest.fixture
def handover(server: RedisServer) -> Iterator[Handover]:
    with open_redis(server.url) as client:
        client.flushall()
        yield Handover(client, "site", ["mails", "default"])


@pytest.mark.parametrize("text", ["", "-", "a-", "-1", "a-b", "a-1.5", "a-٣"])
def test_foreign_entries_are_none(text: str) -> None:
    assert Entry.parse(text) is None


def test_entry_is_row_and_attempt() -> None:
    assert [Entry.parse(str(entry)) for entry in ENTRIES] == ENTRIES


def test_entries_wait_in_order(handover: Handover) -> None:
    handover.push(ENTRIES)
    assert handover.length() == 2
    assert handover.waiting() == ENTRIES


def test_keys_have_the_prefix_and_the_group(handover: Handover, server: RedisServer) -> None:
    handover.push(ENTRIES)
    keys = server.client().keys("*")
    assert all(key.startswith("site:") for key in keys)
    assert "site:queue:default+mails" in keys


def test_groups_do_not_share_a_queue(handover: Handover) -> None:
    handover.push(ENTRIES)
    assert Handover(handover.redis, "site", []).length() == 0
    assert Handover(handover.redis, "other", ["mails", "default"]).length() == 0
    assert Handover(handover.redis, "site", ["default", "mails"]).length() == 2


def test_worker_takes_what_was_pushed(handover: Handover, server: RedisServer) -> None:
    taken: list[Entry] = []
    handover.push(ENTRIES)
    RowWorker.of(handover, taken.append).work(burst=True)
    assert taken == ENTRIES
    assert server.client().keys("*") == ["site:queues"]


def test_worker_passes_over_foreign_entries(handover: Handover) -> None:
    taken: list[Entry] = []
    handover.queue.enqueue("os.getpid", job_id="foreign")
    handover.push(ENTRIES[:1])
    RowWorker.of(handover, taken.append).work(burst=True)
    assert taken == ENTRIES[:1]


def test_popped_entry_lies_between(handover: Handover) -> None:
    handover.push(ENTRIES)
    handover.redis.lmove(handover.queue.key, f"{handover.queue.key}:intermediate")
    assert handover.between() == {str(ENTRIES[0])}
    handover.taken(str(ENTRIES[0]))
    assert handover.between() == set()
