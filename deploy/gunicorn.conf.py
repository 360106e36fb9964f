"""The web server's settings, for the quick start, the image and a plain host (SD-11, SD-12)."""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Any

# The processes of one web server count together (/metrics/); set before any of them is started.
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="metrics-"))

bind = os.environ.get("BIND", "127.0.0.1:8000")
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))
timeout = 30  # seconds
graceful_timeout = 30  # seconds
keepalive = 5  # seconds
# Each worker is replaced now and then, not all at once.
max_requests = 5000
max_requests_jitter = 500
limit_request_line = 8190  # bytes
limit_request_field_size = 8190  # bytes
limit_request_fields = 60
# Only these may say that a request came by HTTPS.
forwarded_allow_ips = os.environ.get("PROXY_IPS", "127.0.0.1,::1")
# Heartbeats in memory: a slow disk is no reason to kill a worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
# One socket in the home directory would be shared by all instances of a machine.
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    """Let each process write what it counts, and notice when nobody looks for alerts."""
    from operators import watch

    watch.start()


def worker_exit(server: Any, worker: Any) -> None:
    """Write what was counted since the last time."""
    from django.db import DatabaseError

    from core import counts

    with contextlib.suppress(DatabaseError):
        counts.flush()


def child_exit(server: Any, worker: Any) -> None:
    """Forget the gauges of a process that ended."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:
    import shutil

    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
