"""What the documents say of metrics is true of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from host.metrics import METRICS

DOCS = Path(__file__).parents[3] / "docs"
PARTS = ("", "_bucket", "_sum", "_count")


@pytest.mark.parametrize("name", ["observability.md", "operations.md"])
def test_documents_name_metrics_that_exist(name: str) -> None:
    known = {metric.name + part for metric in METRICS for part in PARTS}
    assert (
        set(
            re.findall(
                r"\bhostwright_(?:http|database|job|jobs|queue|schedule|outbox)\w*", (DOCS / name).read_text()
            )
        )
        <= known
    )


def test_rules_are_rules() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (DOCS / "observability.md").read_text(), re.DOTALL)
    scraping, rules = (yaml.safe_load(block) for block in blocks)
    assert scraping["scrape_configs"][0]["authorization"]
    for rule in rules["groups"][0]["rules"]:
        assert set(rule) <= {"alert", "expr", "for"} and rule["expr"].count("(") == rule["expr"].count(")")


def test_every_metric_is_watched_or_explained() -> None:
    text = (DOCS / "observability.md").read_text()
    assert not [metric.name for metric in METRICS if metric.name not in text]
