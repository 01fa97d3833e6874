"""What asks a language model: a local server plays the endpoint, well and badly."""

import json
from typing import Any

import pytest

from plugins.freelance.tests.endpoint import Endpoint
from plugins.freelance.tests.house import House, User

GOOD = {
    "ats_score": 71.6,
    "missing_keywords": ["flask"],
    "suggestions": ["More"],
    "optimized_sections": {"summary": "Better"},
}
REVIEW = {"score": 80, "suggestions": ["a"], "missing_keywords": ["b"], "strengths": ["c"]}


@pytest.fixture
def eve(assisted: House) -> User:
    """A user of the site that has an endpoint."""
    return assisted.user()


def optimize(user: User) -> Any:
    body = {"resume_id": user.resume()["_id"], "job_description": "Flask"}
    return user.send("POST", "/api/resumes/optimize", body)


def test_optimize_answers_what_the_model_said(eve: User, endpoint: Endpoint) -> None:
    endpoint.says(GOOD, tokens=321)
    said = optimize(eve)
    assert said.status == 200
    assert said.body == {**GOOD, "ats_score": 72, "tokens_used": 321}


def test_endpoint_is_asked_in_its_protocol(eve: User, endpoint: Endpoint) -> None:
    endpoint.says(GOOD)
    optimize(eve)
    asked = endpoint.asked
    assert asked["path"] == "/v1/chat/completions"
    assert asked["headers"]["Authorization"] == "Bearer sk-tests"
    assert asked["body"]["model"] == "test-model"
    assert [it["role"] for it in asked["body"]["messages"]] == ["system", "user"]
    assert "Ada Lovelace" in asked["body"]["messages"][1]["content"]


def test_review_answers_lists(eve: User, endpoint: Endpoint) -> None:
    endpoint.says(f"```json\n{json.dumps(REVIEW)}\n```")
    for resume in ("I program.", {"skills": ["Python"]}):
        assert eve.post("/api/ai/optimize-resume", {"resume": resume, "job_description": "Flask"}) == REVIEW


def test_generate_answers_a_text(eve: User, endpoint: Endpoint) -> None:
    endpoint.says({"content": "Dear Sir"})
    assert eve.post("/api/ai/generate", {"task": "email", "tone": "warm", "input": "hello", "x": 1}) == {
        "content": "Dear Sir"
    }


def test_improve_section_answers_a_better_text(eve: User, endpoint: Endpoint) -> None:
    endpoint.says({"content": "Led a team.", "suggestions": ["Numbers"]})
    said = eve.post(
        f"/api/resumes/{eve.resume()['_id']}/improve-section",
        {"section": "summary", "content": "Was in a team."},
    )
    assert said == {
        "section": "summary",
        "original": "Was in a team.",
        "content": "Led a team.",
        "suggestions": ["Numbers"],
    }


NONSENSE = [
    b"", b"{", b"[]", b"null", b'{"choices": []}', b'{"choices": [{"message": {"content": null}}]}',
    b'{"choices": [{"message": {"content": "[]"}}]}', b'{"choices": [{"message": {"content": "I cannot"}}]}', b"[" * 10_000,
]  # fmt: skip


@pytest.mark.parametrize("body", NONSENSE)
def test_nonsense_is_a_bad_gateway(eve: User, endpoint: Endpoint, body: bytes) -> None:
    endpoint.sends(body)
    assert optimize(eve).status == 502


@pytest.mark.parametrize(
    "change",
    [{"ats_score": 101}, {"ats_score": "high"}, {"suggestions": "many"}, {"optimized_sections": None}],
)
def test_wrong_content_is_a_bad_gateway(eve: User, endpoint: Endpoint, change: dict[str, Any]) -> None:
    endpoint.says({**GOOD, **change})
    assert optimize(eve).status == 502


@pytest.mark.parametrize("status", [301, 401, 429, 500])
def test_failure_is_a_bad_gateway(eve: User, endpoint: Endpoint, status: int) -> None:
    endpoint.sends(b'{"error": "sk-tests is over its quota"}', status)
    said = optimize(eve)
    assert (said.status, said.body["error"]) == (502, "the AI service failed")


def test_long_answer_is_a_bad_gateway(eve: User, endpoint: Endpoint) -> None:
    endpoint.sends(b" " * 1_000_000)
    assert optimize(eve).body["error"] == "the AI service answered too much"


@pytest.mark.parametrize(
    "pace", [{"first": 3, "pieces": 0, "pause": 0}, {"first": 0, "pieces": 12, "pause": 0.25}]
)
def test_slow_answer_is_a_bad_gateway(eve: User, endpoint: Endpoint, pace: dict[str, Any]) -> None:
    endpoint.trickles(**pace)
    said = optimize(eve)
    assert (said.status, said.body["error"]) == (502, "the AI service took too long")


def test_others_write_while_the_model_thinks(eve: User, endpoint: Endpoint, assisted: House) -> None:
    other = assisted.user()
    endpoint.says(GOOD)
    answers = endpoint.answers

    def write_first(handler: Any) -> None:
        assert eve.client() and other.client()
        answers(handler)

    endpoint.answers = write_first
    assert optimize(eve).status == 200


def test_foreign_resume_is_not_found(eve: User, assisted: House) -> None:
    body = {"resume_id": assisted.user().resume()["_id"], "job_description": "Flask"}
    assert eve.send("POST", "/api/resumes/optimize", body).status == 404


def test_without_an_endpoint_it_is_unavailable(ann: User) -> None:
    assert optimize(ann).status == 503
    for path, body in (
        ("/api/ai/generate", {"task": "t", "input": "i"}),
        ("/api/ai/optimize-resume", {"resume": "r", "job_description": "j"}),
        (f"/api/resumes/{ann.resume()['_id']}/improve-section", {"section": "s", "content": "c"}),
    ):
        said = ann.send("POST", path, body)
        assert (said.status, said.body["message"]) == (503, "the AI service is not configured")


@pytest.mark.parametrize("path", ["/api/ai/generate", "/api/ai/optimize-resume", "/api/resumes/optimize"])
def test_assistant_wants_a_sound_body(ann: User, path: str) -> None:
    assert ann.send("POST", path, {"input": 5}).status == 400
    assert ann.house.nobody().send("POST", path, {}).status == 401
