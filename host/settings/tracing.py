"""Whether traces are exported: by the standard variables of OpenTelemetry, which its own packages read for everything else."""

from __future__ import annotations

from collections.abc import Mapping

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def exports_traces(environ: Mapping[str, str]) -> bool:
    """Whether somebody is there to take them, and nothing says no."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    wanted = {word.strip() for word in environ.get("OTEL_TRACES_EXPORTER", "").split(",") if word.strip()}
    if wanted:
        return "otlp" in wanted
    return any(environ.get(name) for name in ENDPOINTS)
