"""The two headers of W3C Trace Context, read strictly: whatever is not exactly right counts as not sent.

They come from strangers and only ever serve to find things that belong together.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

LONGEST_STATE: Final = 512
MOST_MEMBERS: Final = 32
KNOWN_FLAGS: Final = 0x03  # sampled, and random ids
_TRACEPARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[!-~]{0,200})?")
_NO_TRACE: Final = "0" * 32
_NO_SPAN: Final = "0" * 16
_KEY: Final = r"[a-z0-9][a-z0-9_\-*/]{0,255}(?:@[a-z0-9][a-z0-9_\-*/]{0,13})?"
_MEMBER: Final = re.compile(_KEY + r"=[ -+\--<>-~]{0,255}[!-+\--<>-~]")


class Parent(NamedTuple):
    """What `traceparent` says of the caller."""

    trace_id: str
    span_id: str
    flags: str


def parse_traceparent(text: str | None) -> Parent | None:
    """The caller's trace; None for none, and for one that the standard does not allow."""
    found = _TRACEPARENT.fullmatch(text) if text else None
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == "ff" or trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    if version == "00" and more is not None:  # only later versions may say more
        return None
    return Parent(trace_id, span_id, f"{int(flags, 16) & KNOWN_FLAGS:02x}")


def parse_tracestate(text: str | None) -> str:
    """What other systems want passed on; empty when it is too much or not in order."""
    if not text or len(text) > LONGEST_STATE:
        return ""
    members = [member for part in text.split(",") if (member := part.strip(" \t"))]
    if len(members) > MOST_MEMBERS or not all(map(_MEMBER.fullmatch, members)):
        return ""
    keys = [member.partition("=")[0] for member in members]
    return ",".join(members) if len(set(keys)) == len(keys) else ""
