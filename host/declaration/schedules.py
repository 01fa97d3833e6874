"""Schedules: the job they run has to be one that runs for nobody, and their times have to come one day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from host.declaration.nodes import Job, Schedule
from host.declaration.problems import did_you_mean
from host.declaration.values import fault
from host.declaration.workspace import HOST, Workspace, owner_of, short

FIELDS: Final = 5
LONGEST_JITTER: Final = 24 * 3600
_SHAPE: Final = "minute, hour, day of the month, month, day of the week: `0 2 * * *`"


def link_schedule(ws: Workspace, name: str) -> None:
    """Complete one schedule: its job by its qualified name."""
    schedule, path = ws.schedules[name], f"schedules.{short(name)}"
    found = _job(ws, schedule, owner_of(name), path)
    if (wrong := cron_fault(schedule.cron)) is not None:
        ws.problems.add("cron", schedule.place.of("cron"), f"{path}.cron", wrong)
    if not is_zone(schedule.zone):
        message = f'unknown time zone "{schedule.zone}"; write it as Europe/Berlin'
        ws.problems.add("zone", schedule.place.of("zone"), f"{path}.zone", message)
    if not 0 <= schedule.jitter <= LONGEST_JITTER:
        place = schedule.place.of("jitter")
        ws.problems.add("range", place, f"{path}.jitter", f"0 to {LONGEST_JITTER}")
    ws.schedules[name] = replace(schedule, job=found)


def cron_fault(text: str) -> str | None:
    """What is wrong with a cron expression, in words; None for one that has a next time."""
    from cronsim import CronSim, CronSimError  # only wanted where something is scheduled

    if len(text.split()) != FIELDS:
        return f'"{text}" has to have {FIELDS} fields: {_SHAPE}'
    try:
        next(CronSim(text, datetime(2024, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        return f'"{text}" is no time: {str(error).lower()}; the fields are {_SHAPE}'
    except StopIteration:
        return f'"{text}" never comes'
    return None


def is_zone(name: str) -> bool:
    """Whether there is a time zone of this name."""
    from zoneinfo import ZoneInfo  # reads a database of zones, seldom needed

    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def _job(ws: Workspace, schedule: Schedule, plugin: str, path: str) -> str:
    """The qualified name of the job: one of the same plugin, or of the host."""
    name = schedule.job if "." in schedule.job else f"{plugin}.{schedule.job}"
    place = schedule.place.of("job")
    job = ws.jobs.get(name)
    if job is None or owner_of(name) not in (plugin, HOST):
        known = [
            it if owner_of(it) == HOST else short(it) for it in ws.jobs if owner_of(it) in (plugin, HOST)
        ]
        message = f'unknown job "{schedule.job}"{did_you_mean(schedule.job, known)}'
        ws.problems.add("unknown_job", place, f"{path}.job", message)
        return name
    if job.run_as != "system":
        message = f"nobody asks for what a schedule starts: {name} has to say `run_as: system`"
        ws.problems.add("conflict", place, f"{path}.job", message)
    _check_data(ws, schedule, job, path)
    return name


def _check_data(ws: Workspace, schedule: Schedule, job: Job, path: str) -> None:
    place = schedule.place.of("data")
    if job.input is None:
        wrong = f"{schedule.job} takes no arguments" if schedule.data else None
    else:
        said = fault(job.input, dict(schedule.data)) if job.input.fields else None
        wrong = f"the data {said}" if said else None
    if wrong:
        ws.problems.add("value", place, f"{path}.data", wrong)
