"""Events, jobs and subscribers: their types are linked, and what they name has to exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from host.declaration.keys import attributes
from host.declaration.nodes import Action, Field, Job, Name, Resource, Retry, Subscriber, Webhook
from host.declaration.problems import Place, did_you_mean
from host.declaration.types import link_field
from host.declaration.workspace import ACCOUNT, HOST, Workspace, owner_of, short

_NOT_JSON: Final = ("file", "stream")
WRITES: Final = ("created", "updated", "deleted")  # the events that every resource has


def link_events(ws: Workspace, name: str) -> None:
    """Complete the events of one resource, and check what its actions emit."""
    resource, bare = ws.resources[name], short(name)
    events = {
        event: _linked_event(ws, owner_of(name), f"{bare}.events.{event}", fields)
        for event, fields in resource.events.items()
    }
    for event in resource.events:
        if event in WRITES:
            place = resource.place.of("events").name(event)
            message = f'every write emits "{event}" already: name the event otherwise'
            ws.problems.add("duplicate_name", place, f"{bare}.events", message)
    for key, action in resource.actions.items():
        for at, event in enumerate(action.emits):
            if event not in resource.events:
                message = f'unknown event "{event}"{did_you_mean(event, resource.events)}'
                ws.problems.add(
                    "unknown_event", action.place.of("emits", at), f"{bare}.actions.{key}.emits", message
                )
        if action.emits and (message := _cannot_emit(name, action) or _would_tell(resource, action)):
            ws.problems.add("conflict", action.place.of("emits"), f"{bare}.actions.{key}.emits", message)
        if action.job and (message := _cannot_be_later(action)):
            ws.problems.add("conflict", action.place.of("job"), f"{bare}.actions.{key}.job", message)
    ws.resources[name] = replace(resource, events=events)


def _cannot_be_later(action: Action) -> str:
    """Why an action cannot be carried out by a job, if it cannot."""
    if action.method == "GET":
        return "a GET answers at once: let the action have another method"
    if action.out is not None and action.out.type in _NOT_JSON:
        return "the result of a job is JSON: store the file, and let the action answer the row that has it"
    return "the answer is 202: leave `status` out" if "status" in action.place.keys else ""


def _cannot_emit(name: str, action: Action) -> str:
    """Why an action cannot emit events by declaration, if it cannot."""
    is_writing = action.write if action.write is not None else action.method != "GET"
    if action.detached or not is_writing:
        return "an event belongs to a transaction that writes, which this action has not"
    if action.target == "collection" and (action.out is None or action.out.type != name):
        return (
            f"an event is about a row: let the action answer one (`out: {short(name)}`), or call `ctx.emit`"
        )
    return ""


def _would_tell(resource: Resource, action: Action) -> str:
    """What the row would add to an event by its name, and nobody may be told."""
    for event in action.emits:
        for name in resource.events.get(event, {}):
            field = resource.fields.get(Name(name))
            if field is not None and field.secret:
                return (
                    f'"{name}" is a secret of the row, which would stand in {event}: name the value otherwise'
                )
    return ""


def _linked_event(ws: Workspace, plugin: str, path: str, fields: Mapping[str, Field]) -> Mapping[str, Field]:
    return {key: link_field(ws, it, plugin, f"{path}.{key}", "value") for key, it in fields.items()}


def link_job(ws: Workspace, name: str) -> None:
    """Complete one job."""
    job, path = ws.jobs[name], f"jobs.{short(name)}"
    body = link_field(ws, job.input, owner_of(name), f"{path}.in", "value") if job.input else None
    out = link_field(ws, job.out, owner_of(name), f"{path}.out", "out") if job.out else None
    if out is not None and out.type in _NOT_JSON:
        place = job.out.place if job.out is not None else job.place
        ws.problems.add("value", place, f"{path}.out", "the result of a job is JSON")
    if body is not None and body.type and body.type != "object":
        place = job.input.place if job.input is not None else job.place
        ws.problems.add("value", place, f"{path}.in", "the arguments of a job are an object")
    _check_numbers(ws, job, path)
    check_retry(ws, job.retry, path)
    ws.jobs[name] = replace(job, input=body, out=out)


def _check_numbers(ws: Workspace, job: Job, path: str) -> None:
    at_least = {"timeout": 1, "keep": 0, "concurrency": 1}
    for key, least in at_least.items():
        value = getattr(job, key)
        if value is not None and value < least:
            ws.problems.add("range", job.place.of(key), f"{path}.{key}", f"at least {least}")


def check_retry(ws: Workspace, retry: Retry, path: str) -> None:
    """Note what cannot be meant."""
    limits = {"times": (0, 100), "wait": (0, 86_400), "backoff": (1, 10), "jitter": (0, 100)}
    for key, (least, most) in limits.items():
        if not least <= getattr(retry, key) <= most:
            ws.problems.add("range", retry.place.of(key), f"{path}.retry.{key}", f"{least} to {most}")


def link_subscribers(ws: Workspace) -> None:
    """All subscribers, by the qualified name of their event, in the order of the plugins."""
    found: dict[str, list[Subscriber]] = {}
    for plugin, source in ws.plugins.items():
        for event, subscribers in source.declarations.subscribers.items():
            place = source.declarations.place.of("subscribers").name(event)
            if not _is_event(ws, event, plugin, place):
                continue
            for it in subscribers:
                _check_subscriber(ws, it, plugin, f"subscribers.{event}")
                if it.webhook is not None:
                    _check_sent(ws, it.webhook, event, f"subscribers.{event}.webhook.fields")
                _check_single(ws, it, found.get(event, ()), plugin, f"subscribers.{event}")
                found.setdefault(event, []).append(replace(it, plugin=plugin))
    ws.subscribers = {event: tuple(subscribers) for event, subscribers in found.items()}


def _is_event(ws: Workspace, event: str, plugin: str, place: Place) -> bool:
    """Whether there is such an event, of a plugin that this one knows."""
    name, _, word = event.rpartition(".")
    path = f"subscribers.{event}"
    resource = ws.resources.get(name)
    if resource is None or word not in events_of(name, resource):
        known = [f"{it}.{word}" for it in ws.resources for word in events_of(it, ws.resources[it])]
        message = f'unknown event "{event}"{did_you_mean(event, known)}'
        ws.problems.add("unknown_event", place, path, message)
        return False
    return ws.is_visible(name, plugin, place, path)


def _check_single(
    ws: Workspace, it: Subscriber, others: Sequence[Subscriber], plugin: str, path: str
) -> None:
    """A subscriber is known by its event and by what is called, so it stands there once."""
    own = (plugin, it.call, it.webhook.url if it.webhook is not None else None)
    if own in [(o.plugin, o.call, o.webhook.url if o.webhook is not None else None) for o in others]:
        what = it.call or f"the webhook {own[2]}"
        ws.problems.add("duplicate_name", it.place, path, f"{what} is a subscriber of this event already")


def _check_sent(ws: Workspace, webhook: Webhook, event: str, path: str) -> None:
    """What a webhook names has to be there, and may be told."""
    resource = ws.resources[event.rpartition(".")[0]]
    known = {**attributes(resource), **resource.events.get(Name(event.rpartition(".")[2]), {})}
    for at, name in enumerate(webhook.fields):
        found = known.get(name)
        if found is None or (isinstance(found, Field) and (found.secret or found.transient)):
            missing = f'there is no field "{name}"{did_you_mean(name, known)}'
            message = missing if found is None else f'"{name}" is told to nobody'
            ws.problems.add("webhook", webhook.place.of("fields", at), path, message)


def events_of(name: str, resource: Resource) -> tuple[str, ...]:
    """The events of a resource, by their last word."""
    return (*(WRITES if has_events(name, resource) else ()), *resource.events)


def has_events(name: str, resource: Resource) -> bool:
    """Whether writes are events: those of every plugin are, and accounts'; what is a log holds events itself."""
    return resource.log is None and (owner_of(name) != HOST or name == ACCOUNT)


def _check_subscriber(ws: Workspace, it: Subscriber, plugin: str, path: str) -> None:
    if (it.call is None) == (it.webhook is None):
        ws.problems.add("conflict", it.place, path, "a subscriber has either `call` or `webhook`")
    if it.when == "in_transaction" and it.webhook is not None:
        message = "a webhook waits on another server: it cannot be called in the transaction"
        ws.problems.add("conflict", it.place.of("when"), f"{path}.when", message)
    if it.webhook is not None:
        known = ws.plugins[plugin].manifest.settings
        for key in ("url", "secret"):
            setting = getattr(it.webhook, key)
            if setting not in known:
                message = f'there is no setting "{setting}" in plugin.yaml{did_you_mean(setting, known)}'
                ws.problems.add("webhook", it.webhook.place.of(key), f"{path}.webhook.{key}", message)
            elif key == "secret" and not known[setting].secret:
                message = f'the setting "{setting}" has to be `secret: true`'
                ws.problems.add("webhook", it.webhook.place.of(key), f"{path}.webhook.{key}", message)
    check_retry(ws, it.retry, path)
