"""The application for any WSGI server: `gunicorn wsgi:application`. Settings come from the environment."""

import os
from pathlib import Path

from host.application import create_app
from host.settings import read_settings
from host.web.logs import configure

settings = read_settings(Path(os.environ.get("HOSTWRIGHT_ROOT", Path(__file__).parent))).sharing()
configure(settings.logs)
application = create_app(settings)
