"""What joins the pipeline: when each kind of step is run, and what one that raises does."""

from __future__ import annotations

import pytest

from host.actor import ANONYMOUS, Actor
from host.errors import Forbidden, TooManyRequests
from host.web.http import Answer, Request, json_answer
from host.web.operations import Handler, Operation
from host.web.pipeline import Pipeline
from host.web.router import Router
from host.web.steps import Seen, Steps

SOMEBODY = Actor(id="a")


def ask(steps: Steps, path: str = "/here", actor: Actor = SOMEBODY) -> Answer:
    """The answer of a pipeline with one operation to a GET."""
    operation = Operation(
        id="get", method="GET", path="/here", kind="endpoint", plugin="test", summary="",
        handler=lambda request: json_answer({"from": "operation"}),
    )  # fmt: skip
    pipeline = Pipeline(Router([operation]), (lambda request: actor,), lambda request: None, steps=steps)
    request = Request("GET", path, "", lambda name: None, lambda size: b"", 0)
    return pipeline.handle(request)


def noting(said: list[str]) -> Steps:
    """One step of each kind that notes when it was run."""

    def around(request: Request, operation: Operation, proceed: Handler) -> Answer:
        said.append("before")
        answer = proceed(request)
        said.append("after")
        return answer

    return Steps(
        arrivals=(lambda request: said.append("arrival"),),  # type: ignore[func-returns-value]
        guards=(lambda request, operation: said.append(f"guard {operation.id} {request.actor.id}"),),
        around=(around,),
        departures=(lambda request, answer: said.append(f"departure {answer.status}"),),
        observers=(
            lambda seen: said.append(f"observer {seen.error.code if seen.error else seen.answer.status}"),
        ),
    )


def test_steps_run_in_order() -> None:
    said: list[str] = []
    ask(noting(said))
    assert said == ["arrival", "guard get a", "before", "after", "departure 200", "observer 200"]


def test_unknown_path_passes_the_outer_steps() -> None:
    said: list[str] = []
    ask(noting(said), "/nowhere")
    assert said == ["arrival", "departure 404", "observer not_found"]


def test_anonymous_caller_reaches_no_guard() -> None:
    said: list[str] = []
    ask(noting(said), actor=ANONYMOUS)
    assert said == ["arrival", "departure 401", "observer unauthenticated"]


def test_arrival_answers_in_place_of_all() -> None:
    said: list[str] = []
    first = Steps(arrivals=(lambda request: json_answer({}, 204),))
    assert ask(first + noting(said)).status == 204
    assert said == ["departure 204", "observer 204"]


def refusing(request: Request) -> None:
    raise TooManyRequests("slower")


def forbidding(request: Request, operation: Operation) -> None:
    raise Forbidden("not this")


@pytest.mark.parametrize(
    ("steps", "status"), [(Steps(arrivals=(refusing,)), 429), (Steps(guards=(forbidding,)), 403)]
)  # fmt: skip
def test_error_of_a_step_is_a_problem(steps: Steps, status: int) -> None:
    answer = ask(steps)
    assert (answer.status, answer.content_type) == (status, "application/problem+json")


def test_failing_observer_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail(seen: Seen) -> None:
        raise RuntimeError("of the observer")

    assert ask(Steps(observers=(fail,))).status == 200
    assert "an observer of request" in caplog.text


def test_first_wrapper_is_the_outermost() -> None:
    said: list[str] = []

    def named(name: str) -> Steps:
        def around(request: Request, operation: Operation, proceed: Handler) -> Answer:
            said.append(name)
            return proceed(request)

        return Steps(around=(around,))

    ask(named("outer") + named("inner"))
    assert said == ["outer", "inner"]
