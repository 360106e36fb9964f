"""The quick start: servers, schema, demo shop, worker, beat and web, kept up until Ctrl-C."""

from __future__ import annotations

import fcntl
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from quickstart import services
from quickstart.supervisor import STOP_SIGNALS, Child, Supervisor

STARTED = time.monotonic()


def say(text: str) -> None:
    print(f"[run {time.monotonic() - STARTED:5.1f}s] {text}", flush=True)


def answers(url: str) -> bool:
    try:
        return bool(urllib.request.urlopen(url, timeout=3).status == 200)
    except (OSError, urllib.error.URLError):
        return False


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    runtime = services.runtime_dir()
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8000"))
    lock = open(runtime / "lock", "a+")  # held until this process ends
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SystemExit(f"Already running here (see {runtime / 'lock'}).") from None
    insist_on_port(host, port)
    env = environment(runtime, port)
    for number in STOP_SIGNALS:
        signal.signal(number, interrupted)
    supervisor = Supervisor(say)
    code = 0
    try:
        start_servers(supervisor, runtime, env)
        remember(runtime, env)
        manage(env, "prepare")
        say("schema migrated, demo shop loaded, static files collected")
        start_product(supervisor, runtime, env, host, port)
        tell(runtime, port)
        code = supervisor.run()
    except KeyboardInterrupt:
        code = 0
    finally:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        say("stopping ...")
        supervisor.stop_all()
        (runtime / "env").unlink(missing_ok=True)
        say("stopped")
    return code


def insist_on_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SystemExit(
                f"Port {port} is taken ({error.strerror})."
                f" Choose another:  PORT={port + 1} python3 run.py"
            ) from None


def environment(runtime: pathlib.Path, port: int) -> dict[str, str]:
    """Return the environment of all children; secrets are made once and kept in the runtime."""
    env = dict(os.environ, PYTHONUNBUFFERED="1", SELLERCENTRAL_RUNTIME_DIR=str(runtime))
    env.setdefault("DJANGO_SETTINGS_MODULE", "sellercentral.settings.dev")
    env.setdefault("SITE_URL", f"http://localhost:{port}")
    key = runtime / "secret-key"
    if not key.exists():
        key.touch(mode=0o600)
        key.write_text(secrets.token_urlsafe(50))
    env.setdefault("SECRET_KEY", key.read_text())
    return env


def start_servers(supervisor: Supervisor, runtime: pathlib.Path, env: dict[str, str]) -> None:
    if "DATABASE_URL" not in env:
        postgres = services.Postgres(runtime)
        postgres.init()
        supervisor.start(
            Child(
                "postgres",
                postgres.command(),
                postgres.log,
                ready=postgres.ready,
                stop=signal.SIGINT,  # "fast": SIGTERM waits for every client
                popen={"cwd": "/", **services.unprivileged()},
            )
        )
        postgres.ensure_database(services.DATABASE)
        env["DATABASE_URL"] = postgres.url()
        say(f"PostgreSQL up on 127.0.0.1:{postgres.port}")
    if "REDIS_URL" not in env:
        redis = services.Redis(runtime)
        redis.init()
        supervisor.start(Child("redis", redis.command(), redis.log, ready=redis.ready))
        env["REDIS_URL"] = redis.url()
        say(f"Redis up on 127.0.0.1:{redis.port}")


def remember(runtime: pathlib.Path, env: dict[str, str]) -> None:
    """Let `run.py shell`, `run.py import_orders` … join what runs here."""
    state = runtime / "env"
    state.touch(mode=0o600)
    names = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SITE_URL")
    state.write_text("".join(f"{name}={env[name]}\n" for name in names))


def manage(env: dict[str, str], *arguments: str) -> None:
    command = [sys.executable, "manage.py", *arguments]
    if subprocess.run(command, cwd=services.ROOT, env=env).returncode:
        raise SystemExit(f"manage.py {arguments[0]} failed; the lines above say why.")


def start_product(
    supervisor: Supervisor, runtime: pathlib.Path, env: dict[str, str], host: str, port: int
) -> None:
    logs = runtime / "logs"
    logs.mkdir(exist_ok=True)
    celery = [sys.executable, "-m", "celery", "-A", "sellercentral"]
    web = [sys.executable, "-m", "gunicorn", "sellercentral.wsgi", "--bind", f"{host}:{port}"]
    web += ["--worker-class", "gthread", "--workers", "2", "--threads", "4", "--no-control-socket"]
    web += ["--graceful-timeout", "8", "--log-level", "warning"]
    here = {"cwd": services.ROOT}
    worker = [*celery, "worker", "--loglevel", "INFO", "--concurrency", "2", "--without-gossip"]
    beat = [
        *celery,
        "beat",
        "--loglevel",
        "INFO",
        "--scheduler",
        "celery.beat:Scheduler",
        "--pidfile=",
    ]
    supervisor.start(Child("worker", worker, logs / "worker.log", env=env, popen=here))
    supervisor.start(Child("beat", beat, logs / "beat.log", env=env, popen=here))
    url = f"http://127.0.0.1:{port}/health/ready/"
    ready = lambda: answers(url)  # noqa: E731
    supervisor.start(Child("web", web, logs / "web.log", env=env, ready=ready, popen=here))


def tell(runtime: pathlib.Path, port: int) -> None:
    say(f"ready:  open http://localhost:{port}")
    sign_ins = runtime / "demo-sign-ins.txt"
    if sign_ins.exists():
        for line in sign_ins.read_text().splitlines():
            say(f"        {line}")
    say(f"        logs in {runtime / 'logs'}; Ctrl-C stops everything")


if __name__ == "__main__":
    sys.exit(main())
