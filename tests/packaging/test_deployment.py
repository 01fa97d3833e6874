"""The deployment files agree with the host and each other, as far as a machine without an engine shows."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from host.cli import COMMANDS
from host.cli.serve import serve
from host.cli.worker import worker
from host.settings import variables

DEFAULT = re.compile(r"\$\{[A-Z_]+:-([^}]*)\}")
VARIABLE = re.compile(r"\$\{([A-Z_]+)")


@pytest.fixture
def services(checkout: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((checkout / "compose.yaml").read_text())["services"]
    return found


def test_compose_file_has_every_part(services: dict[str, Any]) -> None:
    assert {"postgres", "redis", "web", "worker", "proxy"} <= set(services)


def test_compose_file_calls_existing_commands(services: dict[str, Any]) -> None:
    started = [each for each in services.values() if "profiles" not in each]
    commands = [each["command"] for each in started if "command" in each]
    assert {command[1] for command in commands if command[0] == "hostwright"} <= set(COMMANDS)


def test_compose_file_gives_known_options(services: dict[str, Any]) -> None:
    check_options([DEFAULT.sub(r"\1", word) for word in services["web"]["command"]])
    words = [DEFAULT.sub(r"\1", word) for word in services["worker"]["command"]]
    worker.make_context("worker", words[words.index("worker") + 1 :])


def test_image_gives_known_options(checkout: Path) -> None:
    words = re.findall(r"^CMD (.+)$", (checkout / "Dockerfile").read_text(), re.MULTILINE)
    check_options(json.loads(words[0]))


def check_options(words: list[str]) -> None:
    """Parse a command line as the command would, without running it; a wrong option is an error."""
    serve.make_context("serve", words[words.index("serve") + 1 :])


def test_compose_file_waits_for_declared_services(services: dict[str, Any]) -> None:
    awaited = {name for each in services.values() for name in each.get("depends_on", {})}
    assert awaited <= set(services)


def test_compose_file_mounts_existing_files(services: dict[str, Any], checkout: Path) -> None:
    mounts = [volume for each in services.values() for volume in each.get("volumes", [])]
    files = [mount.split(":")[0] for mount in mounts if mount.startswith("./")]
    assert [name for name in files if not (checkout / name).exists()] == []


def test_example_environment_names_every_variable(checkout: Path) -> None:
    wanted = set(VARIABLE.findall((checkout / "compose.yaml").read_text()))
    offered = re.findall(r"^([A-Z_]+)=", (checkout / ".env.example").read_text(), re.MULTILINE)
    assert wanted == set(offered)


def test_example_environment_names_only_settings(checkout: Path) -> None:
    optional = re.findall(r"^#(HOSTWRIGHT_[A-Z_]+)=", (checkout / ".env.example").read_text(), re.MULTILINE)
    assert [name for name in optional if "__" not in name and name not in variables()] == []


def test_image_copies_only_what_is_let_in(checkout: Path) -> None:
    ignored = (checkout / ".dockerignore").read_text().splitlines()
    lines = re.findall(
        r"^COPY (?:--chown=\w+ )?(?!--from)(.+) \S+$", (checkout / "Dockerfile").read_text(), re.MULTILINE
    )
    copied = {name for line in lines for name in line.split()}
    assert copied <= {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert [name for name in copied if not (checkout / name).exists()] == []
