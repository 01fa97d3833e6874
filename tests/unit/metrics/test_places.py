"""Where the processes of a site keep their numbers: beside its other data, or wherever they can."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from host.application import open_meters
from host.metrics import FileStore, MemoryStore
from host.settings import Settings, read_settings
from host.settings.metrics import MetricsSettings, shared_folder

SECRET = {"HOSTWRIGHT_SECRET": "s" * 40}


def settings_of(root: Path, **given: str) -> Settings:
    return read_settings(root, {**SECRET, **{f"HOSTWRIGHT_{name}": text for name, text in given.items()}})


def test_serving_processes_share_a_folder(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    assert (settings.metrics.folder, settings.sharing().metrics.folder) == (
        "",
        str(tmp_path / "var" / "metrics"),
    )
    assert isinstance(open_meters(settings).store, MemoryStore)
    store = open_meters(settings.sharing()).store
    assert isinstance(store, FileStore)
    store.close()


def test_folder_can_be_chosen(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, METRICS_FOLDER=str(tmp_path / "elsewhere")).sharing()
    assert settings.metrics.folder == str(tmp_path / "elsewhere")


def test_read_only_site_counts_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # whoever runs the tests may be allowed everything
    first, second = (shared_folder(MetricsSettings(), tmp_path / name) for name in ("a", "b"))
    assert first != second and "hostwright-metrics-" in first


def test_metrics_stop_nobody_from_serving(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "taken").write_text("")
    settings = settings_of(tmp_path, METRICS_FOLDER=str(tmp_path / "taken"))
    with caplog.at_level(logging.WARNING):
        assert isinstance(open_meters(settings).store, MemoryStore)
    assert "each process counts for itself: metrics cannot be kept in" in caplog.text


def test_nothing_is_made_where_metrics_are_off(tmp_path: Path) -> None:
    open_meters(settings_of(tmp_path, METRICS="off").sharing())
    assert not (tmp_path / "var").exists()
