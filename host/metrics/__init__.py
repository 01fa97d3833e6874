"""What an operator watches: counted where it happens, added up over the processes of a machine when somebody asks.

`web` counts requests, `jobs` counts tries; what the database knows is asked for by `web.gauges` at that moment.
"""

from host.metrics.definitions import METRICS, Metric
from host.metrics.exposition import OPEN_METRICS, PLAIN, exposition
from host.metrics.meters import Meters
from host.metrics.store import FileStore, MemoryStore, Store

__all__ = [
    "METRICS",
    "OPEN_METRICS",
    "PLAIN",
    "FileStore",
    "MemoryStore",
    "Meters",
    "Metric",
    "Store",
    "exposition",
]
