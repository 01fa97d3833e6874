"""The templates that clients offer, by id. They name a layout or a kind of text; the client draws or writes it."""

from __future__ import annotations

from collections.abc import Mapping

CONTRACTS: Mapping[str, tuple[str, str]] = {
    "freelance": ("Freelance agreement", "Work for one client as an independent contractor."),
    "employment": ("Employment contract", "A position with salary, hours and notice."),
    "nda": ("Non-disclosure agreement", "What both sides keep to themselves."),
    "service": ("Service agreement", "A service that is delivered regularly."),
    "consulting": ("Consulting agreement", "Advice for a fee."),
}

# Both generations of the client: the first offered professional and tech, the later one classic and executive.
RESUMES: Mapping[str, tuple[str, str]] = {
    "modern": ("Modern", "Two columns and a touch of colour."),
    "professional": ("Professional", "Sober and dense, for large companies."),
    "classic": ("Classic", "One column in a serif face."),
    "creative": ("Creative", "A bold head and room for a portfolio."),
    "minimal": ("Minimal", "Much white space, nothing else."),
    "tech": ("Tech", "Skills first, monospaced details."),
    "executive": ("Executive", "Achievements first, for leading positions."),
}


def listed(templates: Mapping[str, tuple[str, str]]) -> list[dict[str, str]]:
    """The templates as the type `template` has them."""
    return [{"id": key, "name": name, "description": text} for key, (name, text) in templates.items()]
