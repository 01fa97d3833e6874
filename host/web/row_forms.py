"""Creating and changing rows with files: the form is received first, and then the row's own handler finds it as its body."""

from __future__ import annotations

from typing import Any

from host.compiler.models import Attribute
from host.compiler.schemas import writable
from host.compiler.wires import CompiledWire
from host.service.runtime import Runtime
from host.web.form_values import values_of
from host.web.http import Answer, Request
from host.web.operations import Handler
from host.web.permissions import check_may_create, check_may_update, files_of, room_of
from host.web.uploads import MOST_TEXT, Slot, is_form, received_form


def form_slots(wire: CompiledWire, *, updating: bool) -> dict[str, Slot]:
    """Where the files of a form may go, by the names of its parts."""
    nodes = writable(wire, updating=updating)
    return {
        outer: Slot(name, node.field)
        for outer, name in wire.inner.items()
        if isinstance(node := nodes.get(name), Attribute) and node.is_file
    }


def form_limit(wire: CompiledWire, *, updating: bool) -> int:
    """The most bytes of a body with files in it."""
    slots = {slot.name: slot for slot in form_slots(wire, updating=updating).values()}
    return sum(int(slot.field.max) for slot in slots.values()) + MOST_TEXT


def taking_forms(runtime: Runtime, wire: CompiledWire, kind: Any, handler: Handler) -> Handler:
    """The handler of a create or update that also takes multipart/form-data, where the resource has files."""
    if kind not in ("create", "update") or not form_slots(wire, updating=kind == "update"):
        return handler
    updating = kind == "update"
    slots = form_slots(wire, updating=updating)

    def handle(request: Request) -> Answer:
        request.body_limit = MOST_TEXT  # of what is no form
        if not is_form(request):
            return handler(request)
        check = check_may_update if updating else check_may_create
        check(runtime, wire, request)
        with received_form(files_of(runtime), request, slots, room_of(runtime, request)) as form:
            request.form = values_of(form, wire, runtime.registry.kinds, updating=updating)
            return handler(request)

    return handle
