"""The operations below `/api/ai`, which belong to no resource."""

from __future__ import annotations

from typing import Any

from host import Context

from . import chat, prompts

Row = dict[str, Any]


def generate(ctx: Context, data: Row) -> Row:
    """A text for a task, in a tone, from an input."""
    asked = {name: data[name] for name in ("task", "tone", "input")}
    return {"content": chat.ask(ctx.settings, prompts.GENERATE, asked).text("content")}


def review_resume(ctx: Context, data: Row) -> Row:
    """How well a resume fits a job description."""
    asked = {name: data[name] for name in ("resume", "job_description")}
    reply = chat.ask(ctx.settings, prompts.REVIEW, asked)
    lists = {name: reply.texts(name) for name in ("suggestions", "missing_keywords", "strengths")}
    return {"score": reply.score("score"), **lists}
