"""`hostwright scheduler`: fires schedules, and carries nothing out. Any number of them fire each planned time once."""

from __future__ import annotations

from pathlib import Path

import click

from host.application import assemble
from host.cli.metrics_server import MetricsServer
from host.cli.options import root_option
from host.cli.serve import check_database
from host.jobs.crew import Crew
from host.jobs.scheduling import Scheduler
from host.settings import read_settings
from host.web.logs import configure


@click.command()
@root_option
def scheduler(root: Path) -> None:
    """Fire schedules; `hostwright worker` carries their jobs out. Several of them fire each planned time once."""
    settings = read_settings(root).sharing()
    configure(settings.logs)
    check_database(settings)
    app = assemble(settings)
    loops = (*MetricsServer.loops(app), Scheduler(app.runtime).run)
    Crew(app.runtime, settings, 0, loops=loops, schedules=True).supervisor().run()
