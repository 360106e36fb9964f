"""The address that a watcher inside the network asks for figures."""

from __future__ import annotations

import os

from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from core.http import is_internal
from core.metrics import FromTables


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with every figure, of all web processes together; to strangers it is not there."""
    if not is_internal(request):
        raise Http404
    counted: CollectorRegistry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    read = CollectorRegistry()
    read.register(FromTables())
    text = generate_latest(counted) + generate_latest(read)
    response = HttpResponse(text, content_type=CONTENT_TYPE_LATEST)
    response["Cache-Control"] = "no-store"
    return response
