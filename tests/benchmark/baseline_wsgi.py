"""The yardstick as any WSGI server wants it."""

from tests.benchmark import baseline

application = baseline.create_app()
