"""Numbers as Prometheus reads them, in its own text format or as OpenMetrics."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from host.metrics.definitions import METRICS, Metric

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric as Family

OPEN_METRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PLAIN: Final = "text/plain; version=0.0.4; charset=utf-8"
Parts = dict[tuple[str, ...], dict[str, float]]  # by labels, then by part


@dataclass(frozen=True)
class _Collected:
    """What the library takes for a registry."""

    families: tuple[Family, ...]

    def collect(self) -> Iterable[Family]:
        return self.families


def exposition(values: Mapping[str, float], form: str) -> bytes:
    """The numbers, by key, in one of the two forms."""
    from prometheus_client import exposition as plain
    from prometheus_client.openmetrics import exposition as open_metrics

    write = open_metrics.generate_latest if form == OPEN_METRICS else plain.generate_latest
    return write(_Collected(tuple(_families(values))))


def _families(values: Mapping[str, float]) -> Iterable[Family]:
    found: dict[str, Parts] = defaultdict(lambda: defaultdict(dict))
    for key, value in values.items():
        name, part, *labels = orjson.loads(key)
        found[name][tuple(labels)][part] = value
    for metric in METRICS:
        if metric.name in found:
            yield _family(metric, found[metric.name])


def _family(metric: Metric, parts: Parts) -> Family:
    from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    if metric.kind == "histogram":
        histogram = HistogramMetricFamily(metric.name, metric.doc, labels=metric.labels)
        for labels, known in sorted(parts.items()):
            histogram.add_metric(labels, _cumulative(metric, known), known.get("sum", 0.0))
        return histogram
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(metric.name, metric.doc, labels=metric.labels)
    for labels, known in sorted(parts.items()):
        family.add_metric(labels, known[""])
    return family


def _cumulative(metric: Metric, known: Mapping[str, float]) -> list[tuple[str, float]]:
    total, told = 0.0, []
    for number, bound in enumerate((*metric.buckets, math.inf)):
        total += known.get(str(number), 0.0)
        told.append(("+Inf" if bound == math.inf else repr(bound), total))
    return told
