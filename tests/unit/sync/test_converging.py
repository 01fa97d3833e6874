"""Whatever devices do, they end with the same rows: a bounded run with a fixed seed; tests/drill has the long one."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from host.testing.sites import Site
from tests.support.devices import YAML, Devices
from tests.support.sites import Core, write_site

BOUNDED = settings(
    max_examples=18, stateful_step_count=25, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


def test_devices_see_the_same_rows(tmp_path: Path) -> None:
    core = Core(
        Site.make(write_site(tmp_path, YAML.replace("POLICY", "last_writer")), f"sqlite:///{tmp_path}/a.db")
    )
    machine = type("Bounded", (Devices,), {"core": core})
    try:
        run_state_machine_as_test(machine, settings=BOUNDED)
    finally:
        core.site.close()
