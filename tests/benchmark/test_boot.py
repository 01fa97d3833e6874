"""Starting stays cheap: CPU seconds, which a busy machine inflates less than the clock on the wall."""

from pathlib import Path

from tests.benchmark import boot

MANY = 100


def test_help_is_instant(tmp_path: Path) -> None:
    assert boot.cpu_of(boot.hostwright("--help"), tmp_path) < 0.5


def test_check_is_quick(tmp_path: Path) -> None:
    assert boot.cpu_of(boot.hostwright("check"), boot.site_of(0, tmp_path / "site")) < 0.5


def test_serving_starts_quickly(tmp_path: Path) -> None:
    site = boot.site_of(0, tmp_path / "site")
    assert boot.cpu_of(boot.application(), site, boot.settings(tmp_path)) < 1.5


def test_each_resource_costs_little(tmp_path: Path) -> None:
    none, many = boot.site_of(0, tmp_path / "none"), boot.site_of(MANY, tmp_path / "many")
    boot.making(none, tmp_path)  # what is imported once
    assert (boot.making(many, tmp_path) - boot.making(none, tmp_path)) / MANY < 0.003
