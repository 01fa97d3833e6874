"""`hostwright check` and `hostwright schema`, run as commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from host.cli import main

SITE = "grammar: 1\nsite: {name: Test, plugins: [demo]}\n"
GOOD = "grammar: 1\nresources: {note: {access: authenticated, fields: {body: text}}}\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "plugins" / "demo"
    folder.mkdir(parents=True)
    (tmp_path / "resources.yaml").write_text(SITE)
    (folder / "plugin.yaml").write_text("name: demo\nversion: 0.1.0\n")
    (folder / "resources.yaml").write_text(GOOD)
    return tmp_path


def declare(root: Path, text: str, code: str = "") -> None:
    (root / "plugins/demo/resources.yaml").write_text(text)
    (root / "plugins/demo/actions.py").write_text(code)


def run(root: Path, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, [*arguments, "--root", str(root)])
    return done.exit_code, done.output


def test_clean_site_is_counted(root: Path) -> None:
    assert run(root, "check") == (0, "1 resource in 1 plugin, no problems\n")


def test_problems_are_listed_and_counted(root: Path) -> None:
    declare(root, GOOD.replace("body: text", "body: txt, due: dat"))
    status, output = run(root, "check")
    assert status == 1
    assert output.splitlines() == [
        'plugins/demo/resources.yaml:2:58 note.fields.body: unknown type "txt"; did you mean "text"?',
        'plugins/demo/resources.yaml:2:68 note.fields.due: unknown type "dat"; did you mean "date"?',
        "2 problems",
    ]


def test_problems_are_json_for_editors(root: Path) -> None:
    declare(root, GOOD.replace("body: text", "body: txt"))
    status, output = run(root, "check", "--json")
    (problem,) = json.loads(output)["problems"]
    assert status == 1
    assert problem == {
        "file": "plugins/demo/resources.yaml", "line": 2, "column": 58, "path": "note.fields.body", "code": "unknown_type",
        "message": 'unknown type "txt"; did you mean "text"?',
    }  # fmt: skip


def test_functions_are_looked_up_without_running(root: Path) -> None:
    text = "grammar: 1\nendpoints: {a: {path: /api/a, access: public, call: actions.go}}\n"
    declare(
        root,
        text,
        "raise SystemExit('this is run')\ndef go(ctx: 'Context', data=5, *, x=1) -> None: return 1\n",
    )
    assert run(root, "check") == (0, "0 resources in 1 plugin, no problems\n")
    declare(root, text, "def go(ctx): ...\n")
    assert "is called with (ctx, data), but is written go(ctx)" in run(root, "check")[1]
    declare(root, text, "def goo(ctx, data): ...\n")
    assert 'there is no function "go" in actions; did you mean "goo"?' in run(root, "check")[1]
    declare(root, text, "def go(ctx, data) ...\n")
    assert '"actions.go" cannot be imported: SyntaxError' in run(root, "check")[1]
    assert run(root, "check", "--no-code")[0] == 0


def test_examples_of_rules_are_decided(root: Path) -> None:
    text = "grammar: 1\nrules: {{open: {{when: \"state == 'open'\", examples: [{{row: {{state: open}}, expect: {}}}]}}}}\n"
    text += "resources: {{note: {{access: open, fields: {{state: string}}}}}}\n"
    declare(root, text.format("allow"))
    assert run(root, "check")[0] == 0
    declare(root, text.format("deny"))
    status, output = run(root, "check")
    assert status == 1
    assert "plugins/demo/resources.yaml:2:52 rules.open.examples[0]: the rule allows this" in output


def test_registered_types_are_known(root: Path) -> None:
    declare(root, GOOD.replace("text", "money"))
    code = (
        "from dataclasses import replace\nfrom host.fields.kinds import kinds\nfrom host.hookspecs import hookimpl\n"
        "@hookimpl\ndef register_field_types(): return [replace(kinds()['decimal'], name='money')]\n"
    )
    (root / "plugins/demo/hooks.py").write_text(code)
    assert run(root, "check") == (0, "1 resource in 1 plugin, no problems\n")


def test_broken_hooks_are_one_problem_of_several(root: Path) -> None:
    declare(root, GOOD.replace("text", "txt"))
    (root / "plugins/demo/hooks.py").write_text("import nothing_like_it\n")
    status, output = run(root, "check")
    assert status == 1
    assert [line.split(":")[0] for line in output.splitlines()] == [
        "plugins/demo/hooks.py", "plugins/demo/resources.yaml", "2 problems",
    ]  # fmt: skip


def test_broken_plugin_that_is_not_enabled_is_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = root / "lib" / "ghost-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ghost\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[hostwright.plugins]\nghost = package_that_is_gone\n")
    monkeypatch.syspath_prepend(str(root / "lib"))
    status, output = run(root, "check")
    assert status == 0
    assert (
        "not enabled, and broken: package_that_is_gone/plugin.yaml:1:1 ghost: the entry point names" in output
    )


def test_folder_that_is_no_site_is_one_sentence(tmp_path: Path) -> None:
    status, output = run(tmp_path, "check")
    assert status == 1
    assert output == f"Error: there is no resources.yaml in {tmp_path}: this is not the folder of a site\n"


def test_schema_offers_installed_plugins(root: Path) -> None:
    status, output = run(root, "schema")
    assert status == 0
    assert "demo" in str(json.loads(output)["$defs"]["SiteInfo"]["properties"]["plugins"])


@pytest.mark.parametrize(("arguments", "limit"), [(["--help"], 0.5), (["check"], 1.0)])
def test_commands_start_quickly(root: Path, arguments: list[str], limit: float) -> None:
    script = "import time\nfrom host.cli import main\ntry: main()\nfinally: print(time.process_time())"
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    seconds = []
    for _ in range(2):  # the first one compiles
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            cwd=root,
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        )
        seconds.append(float(done.stdout.splitlines()[-1]))
    assert min(seconds) < limit


def loaded(root: Path, *arguments: str) -> set[str]:
    script = (
        "import sys\nfrom host.cli import main\ntry: main(sys.argv[1:])\nexcept SystemExit as it: assert not it.code\n"
        "print(*sys.modules)\n"
    )
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_help_loads_no_heavy_library(root: Path) -> None:
    heavy = {"sqlalchemy", "flask", "alembic", "marshmallow", "jwt", "yaml"}
    assert heavy.isdisjoint(loaded(root, "--help"))


def test_check_loads_neither_database_nor_web(root: Path) -> None:
    assert {"sqlalchemy", "flask", "marshmallow", "jwt", "host.settings"}.isdisjoint(loaded(root, "check"))
