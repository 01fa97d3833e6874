"""A process that pushes a device's events in batches until all are accepted; whoever started it kills it at any moment.

python -m tests.drill.pusher ROOT URL ACCOUNT COUNT
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from host.actor import Actor
from host.sync.incoming import read_batch
from host.sync.points import SyncPoint
from host.sync.pushing import push
from host.testing.sites import Site
from tests.benchmark.sync import batch

AT_ONCE = 100


def main() -> None:
    """Push everything, in order."""
    root, url, account, count = sys.argv[1:]
    runtime = Site.open(Path(root), url).runtime
    found = SyncPoint.of(runtime, runtime.registry.model("site.event"))
    assert found is not None
    events = batch(int(count))
    print("ready", flush=True)
    for start in range(0, len(events), AT_ONCE):
        _, some = read_batch(found, events[start : start + AT_ONCE])
        with runtime.writing(replace(Actor(), id=account)) as ctx:
            outcome = push(ctx, found, some)
        assert not outcome.reasons, outcome.reasons


if __name__ == "__main__":
    main()
