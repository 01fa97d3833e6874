"""Generated against hand-written endpoints, in server CPU time per request: `make bench`.

Wall time is noisy on a shared machine, so this counts the user and system time that a server's whole process
tree (and PostgreSQL's) spends on a batch. Both sides run on the same server at the same time; batches
alternate between them and the medians of the rounds are compared. The load comes from a second process.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from tests.benchmark import nested, processes, sides
from tests.integration import postgres

CONNECTIONS = 4
BATCHES = {"list": 200, "get": 500, "create": 200, "patch": 200}
NESTED = 200  # requests of one batch
EXPECTED = {"list": 200, "get": 200, "create": 201, "patch": 200}
TARGETS = {
    "sqlite": {"list": 5.5, "get": 3.0, "create": 1.5, "patch": 1.5},
    "postgresql": {"list": 4.0, "get": 2.5, "create": 1.3, "patch": 1.3},
}
LARGEST_WORKER = 90  # MB
SIDES = {"generated": sides.generated, "hand-written": sides.hand_written}


@dataclass(frozen=True)
class Result:
    """The medians of one operation on one server and database, in microseconds of CPU per request."""

    server: str
    database: str
    operation: str
    generated: float
    hand_written: float

    @property
    def ratio(self) -> float:
        return self.hand_written / self.generated

    @property
    def target(self) -> float:
        return TARGETS[self.database][self.operation]


@dataclass(frozen=True)
class Outcome:
    """A contest: the results, and the megabytes (PSS) of the largest generated worker after it."""

    results: list[Result]
    memory: float


@dataclass(frozen=True)
class Contestant:
    """A side being served, with the processes that work for it."""

    site: sides.Site | nested.Filled
    server: processes.Server
    helpers: tuple[int, ...]

    def clocks(self) -> dict[int, float]:
        roots = (self.server.pid, *self.helpers)
        return {pid: processes.cpu_seconds([pid]) for root in roots for pid in processes.tree(root)}


class Load:
    """The load generator's process."""

    def __init__(self) -> None:
        command = [sys.executable, str(Path(__file__).with_name("load.py"))]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def send(self, contestant: Contestant, operation: str, count: int) -> dict[str, Any]:
        order = {
            "port": contestant.server.port,
            "headers": contestant.site.headers,
            "requests": contestant.site.requests(operation),
            "connections": CONNECTIONS,
            "count": count,
            "expect": EXPECTED.get(operation, 200),
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the load generator gave up")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        self.process.communicate()


def measure(load: Load, contestant: Contestant, operation: str, count: int) -> float:
    """Return the CPU microseconds per request of one batch."""
    before = contestant.clocks()
    requests = load.send(contestant, operation, count)["requests"]
    after = contestant.clocks()
    return sum(clock - before.get(pid, 0.0) for pid, clock in after.items()) / requests * 1e6


def compare(load: Load, contestants: dict[str, Contestant], rounds: int) -> dict[tuple[str, str], float]:
    """Return the median of each operation of each side over interleaved rounds, after one that warms up."""
    samples: dict[tuple[str, str], list[float]] = {}
    for number in range(rounds + 1):
        for operation in BATCHES:
            for name, contestant in contestants.items():
                figure = measure(load, contestant, operation, BATCHES[operation])
                if number:
                    samples.setdefault((name, operation), []).append(figure)
    return {key: statistics.median(figures) for key, figures in samples.items()}


def nested_contest(kind: str, server: str, rounds: int) -> list[nested.Cost]:
    """Serve a team's lists and an owner's plain one, and compare them."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hostwright-bench-")))
        addresses, helpers = stack.enter_context(databases(kind, folder))
        site = nested.filled(addresses["generated"], folder)
        analyse(addresses["generated"])
        running = stack.enter_context(processes.serving(server, site.target, site.environment, folder))
        load = Load()
        stack.callback(load.close)
        samples: dict[str, list[float]] = {name: [] for name in site.paths}
        for number in range(rounds + 1):
            for name, figures in samples.items():
                figure = measure(load, Contestant(site, running, helpers), name, NESTED)
                figures += [figure] if number else []
        return nested.costs(samples)


@contextmanager
def databases(kind: str, folder: Path) -> Iterator[tuple[dict[str, str], tuple[int, ...]]]:
    """Give each side an empty database, and name the processes that work for it."""
    if kind == "sqlite":
        yield {name: f"sqlite:///{folder / name}.sqlite3" for name in SIDES}, ()
        return
    with postgres.running_server(settings=("autovacuum=off",)) as server:
        yield {name: server.create(name) for name in SIDES}, (server.pid,)


def contest(kind: str, server: str, rounds: int) -> Outcome:
    """Fill both databases, serve both sides and compare them."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hostwright-bench-")))
        addresses, helpers = stack.enter_context(databases(kind, folder))
        contestants = {}
        for name, fill in SIDES.items():
            site = fill(addresses[name], folder)
            analyse(addresses[name])
            running = stack.enter_context(processes.serving(server, site.target, site.environment, folder))
            contestants[name] = Contestant(site, running, helpers)
        load = Load()
        stack.callback(load.close)
        medians = compare(load, contestants, rounds)
        workers = processes.tree(contestants["generated"].server.pid)[1:]
        memory = max(processes.proportional_memory(pid) for pid in workers) / 1e6
        results = [
            Result(
                server, kind, operation, medians["generated", operation], medians["hand-written", operation]
            )
            for operation in BATCHES
        ]
        return Outcome(results, memory)


def analyse(address: str) -> None:
    """Let the planner know the rows, as PostgreSQL's autovacuum does, which is off while measuring."""
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE"))
    engine.dispose()


def table(results: list[Result]) -> str:
    """Return the results as a Markdown table."""
    lines = [
        "| server | database | operation | generated µs | hand-written µs | ratio | wanted |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    for each in results:
        figures = f"{each.generated:.0f} | {each.hand_written:.0f} | {each.ratio:.1f} | {each.target}"
        lines.append(f"| {each.server} | {each.database} | {each.operation} | {figures} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--server", choices=["gunicorn", "granian"], action="append")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--check", action="store_true", help="fail when a ratio misses its target")
    options = parser.parse_args()
    outcomes = [
        contest(kind, server, options.rounds)
        for kind in options.database or ["sqlite", "postgresql"]
        for server in options.server or ["gunicorn", "granian"]
    ]
    results = [result for outcome in outcomes for result in outcome.results]
    memory = max(outcome.memory for outcome in outcomes)
    print(f"{processes.machine()}; {options.rounds} rounds, {processes.WORKERS} workers.\n\n{table(results)}")
    print(f"\nThe largest generated worker holds {memory:.0f} MB (PSS); at most {LARGEST_WORKER} are wanted.")
    teams = [
        (kind, server, nested_contest(kind, server, options.rounds))
        for kind in options.database or ["sqlite", "postgresql"]
        for server in options.server or ["gunicorn", "granian"]
    ]
    for kind, server, costs in teams:
        print(f"\n{server}, {kind}:\n\n{nested.table(costs)}")
    missed: list[object] = [each for each in results if each.ratio < each.target]
    missed += [each for _, _, costs in teams for each in costs if each.ratio > each.most]
    if options.check and (missed or memory > LARGEST_WORKER):
        raise SystemExit(f"{len(missed)} ratios miss their target")


if __name__ == "__main__":
    main()
