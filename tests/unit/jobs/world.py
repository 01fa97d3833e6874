"""A site with one job of each kind, for the tests of this folder."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from host.actor import SYSTEM, Actor
from host.jobs.draining import Ran
from tests.support.sites import Core

YAML = """
    resources:
      note:
        fields: {title: {type: string, required: true, unique: true}, author: {type: uuid, set: server}, day: date}
        access: {read: author == me.id, create: authenticated}
        operations: [list, get, create]
    types:
      named: {type: object, fields: {title: {type: string, required: true}}}
      counted: {type: object, fields: {count: {type: integer, required: true}, day: date}}
    jobs:
      write: {call: actions.write, in: named, out: note, retry: {times: 2, wait: 100, backoff: 3, jitter: 10}}
      count: {call: actions.count, out: counted, run_as: caller}
      count_all: {call: actions.count, out: counted, run_as: system}
      nothing: {call: actions.nothing, run_as: system}
      urgent: {call: actions.nothing, run_as: system, priority: 5}
      elsewhere: {call: actions.nothing, run_as: system, queue: slow}
      once: {call: actions.write, in: named, unique: true, run_as: system}
      mine: {call: actions.nothing, unique: true}
      narrow: {call: actions.nothing, run_as: system, concurrency: 2}
      fall: {call: actions.break_off, in: named, run_as: system, retry: {times: 1, wait: 0, jitter: 0}, keep: 40}
      refuse: {call: actions.refuse, run_as: system, retry: 0}
      odd: {call: actions.odd, run_as: system}
      untrue: {call: actions.untrue, out: counted, run_as: system}
      slow: {call: actions.slow, run_as: system, timeout: 1, retry: 0}
      secret: {call: actions.tell, in: {type: object, fields: {link: string}}, run_as: system, sealed: true, retry: 0}
      steps: {call: actions.in_steps, in: named, run_as: system, transaction: steps, retry: {times: 3, wait: 0}}
      show: {call: actions.show, run_as: system, transaction: steps}
      show_whole: {call: actions.show, run_as: system}
      chain: {call: actions.chain, run_as: system}
      loose: {call: actions.loose, transaction: steps, run_as: system}
"""
CODE = """
    import time

    SEEN = []
    FAIL = []

    def write(ctx, data):
        SEEN.append((ctx.actor.id, ctx.job.attempt, ctx.origin.request_id))
        return ctx.records("note").create({"title": data["title"], "author": ctx.actor.id})

    def count(ctx):
        return {"count": ctx.records("note").count()}

    def nothing(ctx): ...

    def break_off(ctx, data):
        ctx.records("note").create({"title": data["title"]})
        raise RuntimeError("the password is tulip")

    def refuse(ctx):
        from host import Conflict
        raise Conflict("not today")

    def odd(ctx):
        ctx.records("note").create({"title": "odd"})
        return object()

    def untrue(ctx):
        return {"count": "many"}

    def slow(ctx):
        ctx.records("note").create({"title": "slow"})
        end = time.monotonic() + (FAIL or [5])[0]
        while time.monotonic() < end:
            try:
                sum(range(1000))
            except Exception:
                pass

    def tell(ctx, data):
        SEEN.append(data["link"])
        if FAIL:
            raise RuntimeError(data["link"])
        return {"sent": True}

    def in_steps(ctx, data):
        def first(short):
            SEEN.append("first")
            return short.records("note").create({"title": data["title"]})["id"]
        def second(short):
            SEEN.append("second")
            short.records("note").create({"title": data["title"] + " again"})
            if FAIL:
                raise RuntimeError(FAIL.pop())
            return [1, 2]
        return {"first": ctx.step("first", first), "second": ctx.step("second", second)}

    def show(ctx):
        ctx.job.progress(40, "halfway")
        for call in FAIL:
            call(ctx)
        time.sleep(0.3)
        ctx.job.progress(60)
        return ctx.job.id

    def chain(ctx):
        ctx.jobs.enqueue("nothing")

    def loose(ctx):
        ctx.jobs.enqueue("nothing")
"""


def code(core: Core) -> Any:
    """The module of the plugin that this site imported."""
    return core.site.runtime.calls["demo:actions.write"].__globals__


def emptied(core: Core, *resources: str) -> Core:
    """The site without rows of these resources."""
    with core.writing() as ctx:
        for name in resources:
            ctx.execute(sa.delete(ctx.table(name)))
    return core


def reset(core: Core) -> Core:
    """The site without jobs and notes."""
    emptied(core, "host.job_failure", "host.job_step", "host.job", "demo.note")
    code(core)["SEEN"].clear()
    code(core)["FAIL"].clear()
    return core


def enqueue(core: Core, name: str, data: Any = None, actor: Actor = SYSTEM, **more: Any) -> str:
    """A job, committed."""
    with core.site.runtime.writing(actor, "request-1", "demo") as ctx:
        return ctx.jobs.enqueue(name, data, **more)


def job(core: Core, key: str) -> dict[str, Any]:
    """Its row."""
    return core.native("host.job", key)


def failures(core: Core, key: str) -> list[dict[str, Any]]:
    """Its failed tries."""
    with core.reading() as ctx:
        found: list[dict[str, Any]] = ctx.records("host.job_failure").find_all(sort="id", job=key)
        return found


def titles(core: Core) -> list[str]:
    """Of the notes that there are."""
    with core.reading() as ctx:
        return sorted(row["title"] for row in ctx.records("demo.note").find_all())


def outcomes(ran: list[Ran]) -> list[str]:
    """What became of each."""
    return [it.outcome for it in ran]


def change(core: Core, key: str, **values: Any) -> None:
    """Change the row behind everybody's back."""
    with core.writing() as ctx:
        table = ctx.table("host.job")
        ctx.execute(table.update().where(table.c.id == key).values(**values))


def instant(text: str) -> datetime:
    """An aware instant."""
    return datetime.fromisoformat(text)
