"""`hostwright jobs`, on a database made by the migrations."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from host.cli import main
from host.cli.data import opened_data
from host.jobs.draining import drain
from tests.support.sites import write_site

YAML = """
    jobs:
      add: {call: actions.add, in: {type: object, fields: {left: {type: integer, required: true}}}, out: integer, run_as: system}
      fall: {call: actions.fall, run_as: system, retry: 0}
      secret: {call: actions.add, in: {type: object, fields: {left: integer}}, run_as: system, sealed: true}
"""
CODE = """
    def add(ctx, data):
        ctx.job.progress(50, "half")
        return data["left"] + 1

    def fall(ctx):
        raise RuntimeError("no")
"""


@pytest.fixture
def root(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_site(tmp_path / "site", YAML, CODE)
    monkeypatch.setenv("HOSTWRIGHT_DATABASE_URL", database_url)
    monkeypatch.setenv("HOSTWRIGHT_ROOT", str(folder))
    assert run("db", "upgrade").exit_code == 0
    return folder


def run(*arguments: str) -> Result:
    """Run a command."""
    return CliRunner().invoke(main, arguments)


def jobs(*arguments: str) -> list[dict[str, Any]]:
    """What the list shows."""
    return [json.loads(line) for line in run("jobs", "list", "--json", *arguments).stdout.splitlines()]


def work(root: Path) -> None:
    """Do what a worker would."""
    with opened_data(root) as (runtime, _):
        drain(runtime)


def test_job_is_run_shown_and_counted(root: Path) -> None:
    queued = run("jobs", "run", "demo.add", "--data", '{"left": 1}').stdout.strip()
    assert [(it["id"], it["state"]) for it in jobs()] == [(queued, "queued")]
    here = run("jobs", "run", "demo.add", "--data", '{"left": 2}', "--here")
    assert (here.exit_code, here.stdout.splitlines()[-1]) == (0, "3")
    assert [it["state"] for it in jobs()] == ["queued", "done"]
    work(root)
    shown = run("jobs", "show", queued, "--follow")
    assert (shown.exit_code, '"result": 2' in shown.stdout, '"tries": []' in shown.stdout) == (0, True, True)
    table = run("jobs", "stats").stdout.splitlines()
    assert table[0].split()[:2] == ["queue", "queued"]
    assert json.loads(run("jobs", "stats", "--json").stdout)["states"] == {"done": 2}
    assert "demo.add" in run("jobs", "list", "--state", "done").stdout
    assert run("jobs", "purge").stdout == "removed 0 jobs\n"
    assert run("jobs", "purge", "--days", "0").stdout == "removed 2 jobs\n"


def test_dead_letters_are_seen_and_replayed(root: Path) -> None:
    fallen = run("jobs", "run", "demo.fall", "--here")
    assert (fallen.exit_code, "the job is dead" in fallen.stderr) == (1, True)
    (dead,) = jobs("--state", "dead")
    assert json.loads(run("jobs", "show", dead["id"]).stdout)["tries"][0]["cause"]["message"] == "no"
    assert run("jobs", "cancel", dead["id"]).exit_code == 1
    assert run("jobs", "retry", dead["id"]).stdout == f"{dead['id']} waits again\n"
    assert run("jobs", "cancel", dead["id"]).stdout == f"{dead['id']} is cancelled\n"
    assert run("jobs", "retry", dead["id"]).exit_code == 0
    work(root)
    assert run("jobs", "retry", "--dead", "demo.fall").stdout == f"{dead['id']} waits again\n"
    work(root)
    assert run("jobs", "retry", "--dead", "all").stdout == f"{dead['id']} waits again\n"


MISTAKES = (
    (("run", "demo.ad"), 'did you mean "demo.add"'),
    (("run", "demo.add"), "the input is not valid"),
    (("run", "demo.add", "--data", "{"), "not JSON"),
    (("run", "demo.secret"), "do not belong on a command line"),
    (("show", "nothing"), "is no id of a job"),
    (("retry", "00000000-0000-7000-8000-000000000000"), "there is no such job"),
)


@pytest.mark.usefixtures("root")
def test_mistakes_are_told_in_a_sentence() -> None:
    for arguments, said in MISTAKES:
        told = run("jobs", *arguments)
        assert (told.exit_code != 0, said in told.stderr) == (True, True), (arguments, told.stderr)
