"""One question to an endpoint that speaks OpenAI's chat completions, and its answer, checked.

Called by actions that are declared `detached`: no transaction is open while the network is waited for. Nothing of what
the endpoint says on failure reaches the caller.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from host import Unavailable, UpstreamError

MOST_ITEMS = 200  # of a list in an answer


@dataclass(frozen=True)
class Reply:
    """The object that the model answered. Its methods raise UpstreamError where a key is not what was asked for."""

    fields: Mapping[str, Any]
    tokens: int

    def text(self, key: str) -> str:
        """A text that is not empty."""
        value = self.fields.get(key)
        if not isinstance(value, str) or not value.strip():
            raise _nonsense()
        return _sound(value)

    def texts(self, key: str) -> list[str]:
        """A list of texts."""
        value = self.fields.get(key)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise _nonsense()
        return [_sound(item) for item in value[:MOST_ITEMS]]

    def score(self, key: str) -> int:
        """A number from 0 to 100, rounded."""
        value = self.fields.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
            raise _nonsense()
        return round(value)

    def mapping(self, key: str) -> dict[str, Any]:
        """An object."""
        value = self.fields.get(key)
        if not isinstance(value, dict):
            raise _nonsense()
        return value


def ask(settings: Mapping[str, Any], instructions: str, data: Mapping[str, Any]) -> Reply:
    """Send the instructions and the user's data. Unavailable without an endpoint, UpstreamError when it fails."""
    if not settings["ai_base_url"]:
        raise Unavailable("the AI service is not configured")
    body = {
        "model": settings["ai_model"],
        "messages": [
            {"role": "system", "content": instructions},
            {"role": "user", "content": json.dumps(data, default=str, ensure_ascii=False)},
        ],
        "response_format": {"type": "json_object"},
    }
    return _read(_post(settings, body))


def _post(settings: Mapping[str, Any], body: Mapping[str, Any]) -> bytes:
    import httpx  # a tenth of a second that only those who ask pay

    seconds = settings["ai_answer_seconds"]
    deadline = time.monotonic() + seconds
    timeout = httpx.Timeout(seconds, connect=settings["ai_connect_seconds"])
    headers = {"Authorization": f"Bearer {settings['ai_api_key']}"} if settings["ai_api_key"] else {}
    url = settings["ai_base_url"].rstrip("/") + "/chat/completions"
    try:
        with httpx.stream("POST", url, json=body, headers=headers, timeout=timeout) as response:
            if response.status_code != 200:
                raise UpstreamError("the AI service failed")
            return _received(response, settings["ai_answer_bytes"], deadline)
    except httpx.TimeoutException:
        raise UpstreamError("the AI service took too long") from None
    except (httpx.HTTPError, httpx.InvalidURL):
        raise UpstreamError("the AI service cannot be reached") from None


def _received(response: Any, most: int, deadline: float) -> bytes:
    """The body, if it is short enough and there in time; a slow trickle counts as too late."""
    received = bytearray()
    for piece in response.iter_bytes():
        received += piece
        if len(received) > most:
            raise UpstreamError("the AI service answered too much")
        if time.monotonic() > deadline:
            raise UpstreamError("the AI service took too long")
    return bytes(received)


def _read(body: bytes) -> Reply:
    """The object in the first choice's message."""
    try:
        answer = json.loads(body)
        content = answer["choices"][0]["message"]["content"]
        fields = json.loads(content.strip().removeprefix("```json").removeprefix("```").removesuffix("```"))
        used = (answer.get("usage") or {}).get("total_tokens", 0)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise _nonsense() from None
    if not isinstance(fields, dict):
        raise _nonsense()
    return Reply(
        fields, used if isinstance(used, int) and not isinstance(used, bool) and 0 <= used < 2**63 else 0
    )


def _nonsense() -> UpstreamError:
    return UpstreamError("the AI service answered what cannot be used")


def _sound(text: str) -> str:
    """Without lone surrogates, which JSON may hold and UTF-8 may not."""
    return text.encode("utf-8", "replace").decode()
