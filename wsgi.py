"""The application for any WSGI server: `gunicorn wsgi:application`. Settings come from the environment."""

from host.application import create_app

application = create_app()
