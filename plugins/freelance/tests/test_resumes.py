"""Resumes, without the language model."""

from typing import Any

import pytest

from plugins.freelance.tests.house import User

FULL: dict[str, Any] = {
    "title": "Engineer",
    "personal_info": {
        "full_name": "Ada Lovelace", "email": "ada@example.org", "phone": "1", "location": "London", "github": "ada",
    },
    "summary": "Programmer of analytical engines " * 6,
    "experience": [
        {"company": "Engines", "position": "Programmer", "location": None, "start_date": "1842-01", "end_date": None,
         "description": "Wrote programs.", "achievements": ["Published 7 notes"]}
    ],
    "education": [
        {"institution": "Home", "degree": "None", "field": "Mathematics", "start_date": "1830", "end_date": "1835", "gpa": 3.9}
    ],
    "skills": ["Mathematics", "Bernoulli numbers", "Loops", "Notes", "French"],
    "certifications": [{"name": "First", "issuer": "History", "date": "1843", "credential_id": None}],
    "languages": [{"name": "English", "proficiency": "Native"}],
    "template": "classic",
}  # fmt: skip


def test_resume_comes_back_as_it_went(ann: User) -> None:
    resume = ann.resume(**FULL)
    assert {key: resume[key] for key in FULL} == FULL
    assert set(resume) == {*FULL, "_id", "id", "user_id", "created_at", "updated_at"}
    assert ann.get("/api/resumes") == [resume] and ann.get(f"/api/resumes/{resume['_id']}") == resume


def test_template_is_modern_by_default(ann: User) -> None:
    assert ann.resume()["template"] == "modern"


def test_unknown_nested_keys_are_ignored(ann: User) -> None:
    resume = ann.resume(skills=["x"], experience=[{"company": "c", "position": "p", "current": True}])
    assert "current" not in resume["experience"][0]


@pytest.mark.parametrize("missing", ["title", "personal_info", "experience", "education", "skills"])
def test_required_fields_of_a_resume(ann: User, missing: str) -> None:
    said = ann.send("POST", "/api/resumes", {key: value for key, value in FULL.items() if key != missing})
    assert said.status == 400 and missing in said.body["error"]


def test_put_replaces_a_section(ann: User) -> None:
    resume = ann.resume(**FULL)
    changed = ann.put(f"/api/resumes/{resume['_id']}", {"skills": ["One"], "title": "New"})
    assert (changed["skills"], changed["title"], changed["summary"]) == (["One"], "New", FULL["summary"])
    assert ann.delete(f"/api/resumes/{resume['_id']}") == {"message": "Resume deleted successfully"}


def test_duplicate_has_a_title_of_its_own(ann: User) -> None:
    resume = ann.resume(**FULL)
    copy = ann.post(f"/api/resumes/{resume['_id']}/duplicate")
    assert copy["title"] == "Engineer (Copy)" and copy["_id"] != resume["_id"]
    assert copy["experience"] == resume["experience"]


def test_templates_of_both_clients(ann: User) -> None:
    listed = {it["id"] for it in ann.get("/api/resumes/templates/list")}
    assert listed == {"modern", "professional", "classic", "creative", "minimal", "tech", "executive"}


def test_score_grows_with_what_is_there(ann: User) -> None:
    poor, good = (
        ann.post(f"/api/resumes/{it['_id']}/ats-score") for it in (ann.resume(), ann.resume(**FULL))
    )
    assert set(poor) == {"score", "maxScore", "feedback"} and poor["maxScore"] == 100
    assert 0 < poor["score"] < 20 and 90 <= good["score"] <= 100
    assert "List your experience." in poor["feedback"] and "List your experience." not in good["feedback"]


def test_score_looks_for_the_jobs_words(ann: User) -> None:
    path = f"/api/resumes/{ann.resume(**FULL)['_id']}/ats-score"
    fits, misses = (
        ann.post(path, {"job_description": text}) for text in ("bernoulli mathematics", "kubernetes")
    )
    assert fits["score"] > misses["score"]
    assert misses["feedback"][0] == "Use words of the job description: kubernetes."


def test_score_changes_nothing(ann: User) -> None:
    resume = ann.resume(**FULL)
    assert ann.post(f"/api/resumes/{resume['_id']}/ats-score") == ann.post(
        f"/api/resumes/{resume['_id']}/ats-score", {}
    )
    assert ann.get(f"/api/resumes/{resume['_id']}") == resume
