"""The outer shape of a page of a list: its envelope and headers. The generated list operations answer with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from host.compiler.wires import CompiledWire
from host.service.reading import Page
from host.web.http import Request


def enveloped(wire: CompiledWire, page: Page) -> Any:
    """The body of a page in the wire's shape."""
    shape = wire.declared.list
    if shape.form == "array":
        return page.rows
    if is_bare(wire):
        return {shape.key: page.rows}
    body: Mapping[str, Any] = {shape.key or "items": page.rows, "next": page.next}
    if shape.pages == "number":
        body = {
            shape.key or "items": page.rows,
            "page": page.number,
            "page_size": page.size,
            "total": page.total,
        }
    elif page.total is not None:
        body = {**body, "total": page.total}
    return body


def is_bare(wire: CompiledWire) -> bool:
    """Whether a list is rows under a key and nothing else: what else there is to say stands in headers."""
    return wire.declared.list.key is not None and wire.declared.page.unpaged is not None


def page_headers(wire: CompiledWire, request: Request, page: Page) -> list[tuple[str, str]]:
    """`Link` to the page behind, and the total where the body has no place for it."""
    headers = []
    if page.next is not None:
        name = "page" if page.number is not None else "cursor"
        former = (f"{name}=", "offset=") if wire.declared.list.pages == "offset" else (f"{name}=",)
        kept = [part for part in request.query.split("&") if part and not part.startswith(former)]
        query = "&".join([*kept, f"{name}={page.next}"]).replace("<", "%3C").replace(">", "%3E")
        headers.append(("Link", f'<{request.path}?{query}>; rel="next"'))
    if page.total is not None and (wire.declared.list.form == "array" or is_bare(wire)):
        headers.append(("X-Total-Count", str(page.total)))
    return headers
