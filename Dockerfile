# The wheel is built once and installed with the pinned requirements; the image that runs has no build tools, no sources
# and no root.
FROM python:3.13-slim AS build
WORKDIR /build
COPY requirements requirements
RUN python -m venv /opt/hostwright \
 && /opt/hostwright/bin/pip install --no-cache-dir --require-hashes -r requirements/runtime.lock \
 && pip install --no-cache-dir --require-hashes -r requirements/build.lock
COPY pyproject.toml README.md CHANGELOG.md LICENSE ./
COPY host host
COPY plugins plugins
COPY migrations migrations
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir dist . \
 && /opt/hostwright/bin/pip install --no-cache-dir --no-deps dist/*.whl

FROM python:3.13-slim
RUN useradd --system --uid 10001 --create-home --home-dir /srv/hostwright hostwright
COPY --from=build /opt/hostwright /opt/hostwright
WORKDIR /srv/hostwright
# The site: its table of contents, its own migrations, and `var/` for what it writes.
COPY --chown=hostwright resources.yaml ./
COPY --chown=hostwright migrations migrations
RUN mkdir var && chown hostwright var
ENV PATH=/opt/hostwright/bin:$PATH PYTHONUNBUFFERED=1
USER hostwright
EXPOSE 8000
VOLUME /srv/hostwright/var
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/live', timeout=2)"]
CMD ["hostwright", "serve", "--host", "0.0.0.0", "--port", "8000"]
