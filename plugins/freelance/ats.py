"""How well software that screens applications would read a resume: fixed rules, the same answer for the same resume."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MOST = 100
KEYWORDS = 25  # of a job description
KEYWORDS_SHARE = 0.4  # of the score, where there is a job description
_WORD = re.compile(r"[a-z][a-z0-9+#.-]*[a-z0-9+#]")
_COMMON = frozenset(
    re.findall(
        r"\w+",
        """about all also and any are as at be been being but by can could do does for from has have having he her his how
        if in into is it its job just more most must no nor not of on one only or other our out own role she should so some
        such team than that the their them then there these they this those to too up us use using very was we were what
        when where which while who will with work working would years you your""",
    )
)

Resume = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """One thing looked for: its points, how many of them it got, and what would get the rest."""

    points: int
    earned: int
    advice: str


def score(resume: Resume, job_description: str | None = None) -> tuple[int, list[str]]:
    """Points from 0 to 100, and advice in the order in which it would raise them."""
    found = [*_contact(resume), *_summary(resume), *_experience(resume), *_rest(resume)]
    earned = sum(finding.earned for finding in found)
    lacking = sorted((it for it in found if it.earned < it.points), key=lambda it: it.earned - it.points)
    advice = [finding.advice for finding in lacking]
    wanted = keywords(job_description or "")
    if not wanted:
        return earned, advice
    text = " ".join(_texts(resume)).lower()
    missing = [word for word in wanted if word not in text]
    matched = 1 - len(missing) / len(wanted)
    if missing:
        advice.insert(0, f"Use words of the job description: {', '.join(missing)}.")
    return round(earned * (1 - KEYWORDS_SHARE) + MOST * matched * KEYWORDS_SHARE), advice


def keywords(text: str) -> list[str]:
    """The words that a job description says most often, without those that every text has."""
    words = (word for word in _WORD.findall(text.lower()) if len(word) > 2 and word not in _COMMON)
    return [word for word, _ in sorted(Counter(words).items(), key=lambda it: (-it[1], it[0]))[:KEYWORDS]]


def _contact(resume: Resume) -> Iterator[Finding]:
    person = resume["personal_info"]
    for key, points, name in (
        ("full_name", 5, "name"),
        ("email", 5, "e-mail address"),
        ("phone", 5, "phone number"),
    ):
        yield _given(person.get(key), points, f"Add your {name}.")
    yield _given(person.get("location"), 3, "Add where you live.")
    links = person.get("linkedin") or person.get("github") or person.get("website")
    yield _given(links, 2, "Add a link to LinkedIn, GitHub or your website.")


def _summary(resume: Resume) -> Iterator[Finding]:
    words = len((resume.get("summary") or "").split())
    earned = 10 if 20 <= words <= 120 else 5 if words else 0
    yield Finding(10, earned, "Write a summary of 20 to 120 words.")


def _experience(resume: Resume) -> Iterator[Finding]:
    jobs = resume.get("experience") or []
    yield _given(jobs, 15, "List your experience.")
    yield _given(jobs and all(job.get("start_date") for job in jobs), 5, "Give every position its dates.")
    told = [job for job in jobs if job.get("description") or job.get("achievements")]
    yield _given(jobs and len(told) == len(jobs), 10, "Describe what you did in every position.")
    results = [
        text for job in jobs for text in (*(job.get("achievements") or ()), job.get("description") or "")
    ]
    measured = any(re.search(r"\d", text) for text in results)
    yield _given(measured, 10, "Name results in numbers: how many, how much, how fast.")


def _rest(resume: Resume) -> Iterator[Finding]:
    yield _given(resume.get("education"), 10, "List your education.")
    skills = len(resume.get("skills") or [])
    yield Finding(15, min(15, 3 * skills), "List at least five skills.")
    words = sum(len(text.split()) for text in _texts(resume))
    yield _given(100 <= words <= 1200, 5, "Write 100 to 1200 words in all.")


def _given(value: Any, points: int, advice: str) -> Finding:
    return Finding(points, points if value else 0, advice)


def _texts(value: Any) -> Iterator[str]:
    """Every text in the sections of a resume."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
