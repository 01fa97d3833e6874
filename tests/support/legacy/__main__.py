"""`python tests/support/legacy` runs the code on standard input with the models at hand and prints what it leaves in `out`."""

import json
import os
import sys
from pathlib import Path
from typing import Any


def database(url: str) -> dict[str, Any]:
    """Django's words for an address of the tests."""
    if url.startswith("sqlite"):
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": url.removeprefix("sqlite:///")}
    from psycopg import conninfo

    found = conninfo.conninfo_to_dict(url)
    return {
        "ENGINE": "django.db.backends.postgresql", "NAME": found["dbname"], "USER": found.get("user", ""),
        "PASSWORD": found.get("password", ""), "HOST": found.get("host", ""), "PORT": found.get("port", ""),
    }  # fmt: skip


def set_up() -> None:
    """Configure the project."""
    import django
    from django.conf import settings

    sys.path.insert(0, str(Path(__file__).parents[1]))
    settings.configure(
        DATABASES={"default": database(os.environ["DATABASE_URL"])},
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "legacy.apps.Legacy"],
        AUTH_USER_MODEL="investigation.User",
        PASSWORD_HASHERS=["legacy.hashers.Quick"],
        MIGRATION_MODULES={
            "auth": None,
            "contenttypes": None,
        },  # all tables at once: they refer to each other
        TIME_ZONE="Europe/Paris",
        USE_TZ=True,
        MEDIA_ROOT=os.environ.get("MEDIA_ROOT", ""),
        SILENCED_SYSTEM_CHECKS=["fields.E210"],  # Pillow is not asked for
    )
    django.setup(set_prefix=False)


def make_tables() -> None:
    """Every table of the project, as `manage.py migrate --run-syncdb` makes them."""
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)


def main() -> None:
    """Run the code on standard input."""
    set_up()
    from django.db import models

    from legacy import models as own

    names: dict[str, Any] = {**vars(models), **vars(own), "make_tables": make_tables, "out": None}
    exec(compile(sys.stdin.read(), "<legacy>", "exec"), names)
    print(json.dumps(names["out"], default=str))


main()
