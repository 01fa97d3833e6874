"""Resumes: duplication, templates, the score by fixed rules, and what the language model does with them."""

from __future__ import annotations

from typing import Any

from host import Context

from . import ats, chat, prompts
from .templates import RESUMES, listed

Row = dict[str, Any]
SECTIONS = ("personal_info", "summary", "experience", "education", "skills", "certifications", "languages")


def duplicate(ctx: Context, resume: Row, data: Row) -> Row:
    """A copy under a title of its own."""
    copied = {name: resume[name] for name in (*SECTIONS, "template")}
    return ctx.records("resume").create({**copied, "title": f"{resume['title'][:248]} (Copy)"})


def templates(ctx: Context, data: Row) -> list[Row]:
    """The layouts that clients offer."""
    return listed(RESUMES)


def ats_score(ctx: Context, resume: Row, data: Row) -> Row:
    """The score and what would raise it."""
    score, feedback = ats.score(resume, data.get("job_description"))
    return {"score": score, "maxScore": ats.MOST, "feedback": feedback}


def improve_section(ctx: Context, resume: Row, data: Row) -> Row:
    """A better text for one section, written by the model."""
    asked = {"section": data["section"], "text": data["content"], "resume_title": resume["title"]}
    reply = chat.ask(ctx.settings, prompts.IMPROVE, asked)
    content, suggestions = reply.text("content"), reply.texts("suggestions")
    return {
        "section": data["section"],
        "original": data["content"],
        "content": content,
        "suggestions": suggestions,
    }


def optimize(ctx: Context, data: Row) -> Row:
    """How to fit a resume to a job description; the model is asked outside of any transaction."""
    with ctx.reading() as reading:
        resume = reading.records("resume").get(data["resume_id"])
    asked = {"resume": {name: resume[name] for name in SECTIONS}, "job_description": data["job_description"]}
    reply = chat.ask(ctx.settings, prompts.OPTIMIZE, asked)
    return {
        "ats_score": reply.score("ats_score"),
        "missing_keywords": reply.texts("missing_keywords"),
        "suggestions": reply.texts("suggestions"),
        "optimized_sections": reply.mapping("optimized_sections"),
        "tokens_used": reply.tokens,
    }
