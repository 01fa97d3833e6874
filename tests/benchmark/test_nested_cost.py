"""A team's list costs little more than a list of one's own."""

from pathlib import Path

from tests.benchmark import nested


def test_members_list_costs_little_more(tmp_path: Path) -> None:
    costs = nested.measured(f"sqlite:///{tmp_path / 'nested.sqlite3'}", tmp_path)
    assert [cost.name for cost in costs if cost.ratio > cost.most] == []
