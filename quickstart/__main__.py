"""The quick start: servers, schema, demo shop, worker, beat and web, kept up until Ctrl-C."""

from __future__ import annotations

import fcntl
import os
import pathlib
import secrets
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import Callable

from quickstart import product, services
from quickstart.supervisor import STOP_SIGNALS, Child, Supervisor

STARTED = time.monotonic()


def say(text: str) -> None:
    print(f"[run {time.monotonic() - STARTED:5.1f}s] {text}", flush=True)


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    runtime = services.runtime_dir()
    lock = open(runtime / "lock", "a+")  # held until this process ends
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SystemExit(f"Already running here (see {runtime / 'lock'}).") from None
    host, port = address()
    insist_on_port(host, port)
    env = environment(runtime, port)
    for number in STOP_SIGNALS:
        signal.signal(number, interrupted)
    supervisor = Supervisor(say)
    code = 0
    try:
        start_servers(supervisor, runtime, env)
        remember(runtime, env)
        prepare(supervisor, env)
        # Only what changes the schema is told how the owner signs in.
        env.pop("DATABASE_OWNER_URL", None)
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


def address() -> tuple[str, int]:
    """Return the host and port asked for by HOST and PORT."""
    told = os.environ.get("PORT", "8000")
    if not (told.isascii() and told.isdigit() and 0 < int(told) < 65536):
        raise SystemExit(f"PORT is a number from 1 to 65535, not {told!r}.")
    return os.environ.get("HOST", "127.0.0.1"), int(told)


def insist_on_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SystemExit(
                f"Port {port} is taken ({error.strerror})."
                f" Choose another:  PORT={port + 1 if port < 65535 else 8000} python3 run.py"
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
        env["DATABASE_URL"] = postgres.url(role=services.APPLICATION)
        env["DATABASE_OWNER_URL"] = postgres.url()
        say(f"PostgreSQL up on 127.0.0.1:{postgres.port}")
    if "REDIS_URL" not in env:
        redis = services.Redis(runtime)
        redis.init()
        supervisor.start(Child("redis", redis.command(), redis.log, ready=redis.ready))
        env["REDIS_URL"] = redis.url()
        env.setdefault("CACHE_URL", redis.url(1))
        say(f"Redis up on 127.0.0.1:{redis.port}")


def remember(runtime: pathlib.Path, env: dict[str, str]) -> None:
    """Let `run.py shell`, `run.py import_orders` … join what runs here."""
    state = runtime / "env"
    state.touch(mode=0o600)
    names = ["DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "CACHE_URL"]
    names += ["SECRET_KEY", "SITE_URL"]
    state.write_text("".join(f"{name}={env[name]}\n" for name in names if name in env))


def prepare(supervisor: Supervisor, env: dict[str, str]) -> None:
    command = [sys.executable, "manage.py", "prepare"]
    if supervisor.run_once(command, env, services.ROOT):
        raise SystemExit("Preparing the database failed; the lines above say why.")
    say("schema migrated, demo shops loaded, static files collected")


def start_product(
    supervisor: Supervisor, runtime: pathlib.Path, env: dict[str, str], host: str, port: int
) -> None:
    logs = runtime / "logs"
    logs.mkdir(exist_ok=True)
    here = {"cwd": services.ROOT}

    def start(name: str, args: list[str], ready: Callable[[], bool] | None = None) -> None:
        supervisor.start(Child(name, args, logs / f"{name}.log", env, ready, popen=here))

    start("worker", product.worker())
    start("beat", product.beat())
    start("web", product.web(host, port), lambda: is_ready(host, port))


def is_ready(host: str, port: int) -> bool:
    """Ask the product itself whether it can work."""
    asked = "127.0.0.1" if host == "0.0.0.0" else host
    question = urllib.request.Request(
        f"http://{asked}:{port}/health/ready/", headers={"Host": "localhost"}
    )
    try:
        with urllib.request.urlopen(question, timeout=3) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def tell(runtime: pathlib.Path, port: int) -> None:
    say(f"ready:  open http://localhost:{port}")
    sign_ins = runtime / "demo-sign-ins.txt"
    if sign_ins.exists():
        for line in sign_ins.read_text().splitlines():
            say(f"        {line}")
    say(f"        logs in {runtime / 'logs'}; Ctrl-C stops everything")


if __name__ == "__main__":
    sys.exit(main())
