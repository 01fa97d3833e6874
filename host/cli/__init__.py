"""The command `hostwright`. Each command is a module that is imported when it is called, so that `--help` is fast."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import click

from host.errors import DeclarationError, HostError

# The module and attribute of each command, with the line that `--help` shows of it.
COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "access": ("host.cli.access:access", "Tell what a change since a revision opens and closes."),
    "audit": ("host.cli.audit:audit", "Read the audit log, and clear old entries away."),
    "check": ("host.cli.check:check", "Check every declaration and list all problems."),
    "events": (
        "host.cli.events:events",
        "Read and replay events; see dead deliveries and webhooks.",
    ),
    "explain": (
        "host.cli.explain:explain_command",
        "Explain why an account may, or may not, do something to a row.",
    ),
    "db": ("host.cli.db:db", "Plan, make and run migrations."),
    "export": ("host.cli.transfer:export_command", "Write the rows of a resource to a file."),
    "files": ("host.cli.files:files", "List stored files, and clear away those without a row."),
    "import": ("host.cli.transfer:import_command", "Read the rows of a resource from a file."),
    "jobs": ("host.cli.jobs:jobs", "See, retry, cancel and run jobs."),
    "key": ("host.cli.key:key", "Make, list and revoke API keys."),
    "logs": ("host.cli.logs:logs", "List logs, and make the rows of their resources anew."),
    "new": ("host.cli.new:new", "Make the files of a new plugin or site."),
    "routes": ("host.cli.show:routes", "List every path and method with its operation and rule."),
    "run": ("host.cli.run:run", "Run the site here, with nothing to configure."),
    "schedules": (
        "host.cli.schedules:schedules",
        "See when jobs run by themselves; run, pause and resume one.",
    ),
    "scheduler": ("host.cli.scheduler:scheduler", "Fire schedules."),
    "search": ("host.cli.search:search", "Make the index of full-text search anew, or check it."),
    "serve": ("host.cli.serve:serve", "Serve the site with several processes."),
    "show": ("host.cli.show:show", "Show what a resource has become."),
    "user": ("host.cli.user:user", "Make, list and change accounts."),
    "schema": ("host.cli.schema:schema", "Print the JSON Schema of the language, for editors."),
    "worker": ("host.cli.worker:worker", "Carry jobs out."),
}

ARGUMENTS: Final = "hostwright.arguments"


class LazyGroup(click.Group):
    """A group that imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            from host.cli.plugins import (
                plugin_group,
            )  # reads the site, which no other command needs for its name

            return plugin_group(name, ctx.meta.get(ARGUMENTS, ()))
        module, _, attribute = COMMANDS[name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of these arguments; one that is named after a plugin is found by the site in `--root`."""
        ctx.meta[ARGUMENTS] = tuple(args)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> Any:  # whatever the command answers
        """Run a command; what the operator has to mend is told without a stack."""
        try:
            return super().invoke(ctx)
        except DeclarationError as error:
            click.echo(str(error), err=True)
            raise SystemExit(1) from None
        except HostError as error:
            raise click.ClickException(error.detail) from None


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hostwright")
def main() -> None:
    """Hostwright: a low-code plugin host."""
