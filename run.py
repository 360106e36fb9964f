#!/usr/bin/env python3
"""The product's two commands.

    python3 run.py            everything: web, worker, beat, PostgreSQL and Redis
    python3 run.py test       the tests and checks; more words go to pytest

Any other word is a management command: ``python3 run.py verify_invariants``. Needs Python 3.11 or
newer and nothing else; all it makes stays in .venv and .runtime.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
from typing import NoReturn

ROOT = pathlib.Path(__file__).resolve().parent
VENV = ROOT / ".venv"
OLDEST = (3, 11)
PANGO = ["libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"]
FONTS = ["fonts-liberation", "fonts-noto-cjk"]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def die(text: str) -> NoReturn:
    print("\n" + text.strip() + "\n", file=sys.stderr)
    raise SystemExit(1)


def say(text: str) -> None:
    print("[run] " + text, flush=True)


def insist_on_python() -> None:
    if sys.version_info >= OLDEST:
        return
    for name in ("python3.13", "python3.12", "python3.11", "python3.14"):
        path = shutil.which(name)
        if path:
            os.execv(path, [path, str(ROOT / "run.py"), *sys.argv[1:]])
    die("Python 3.11 or newer is needed; this is %s." % platform.python_version())


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def install_system_packages(packages: list[str], why: str) -> bool:
    """As root on Debian or Ubuntu install what is missing; return whether that was done."""
    if not (is_root() and shutil.which("apt-get")):
        return False
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    say("%s: %s" % (why, " ".join(command)))
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    nothing = subprocess.DEVNULL
    if subprocess.run(command, env=env, stdout=nothing, stderr=nothing).returncode == 0:
        return True
    # Slim images come with empty package lists.
    subprocess.run(["apt-get", "update", "-qq"], env=env)
    return subprocess.run(command, env=env, stdout=nothing).returncode == 0


def stamp_of(files: list[pathlib.Path]) -> str:
    digest = hashlib.sha256(("%s %s" % (sys.version, platform.machine())).encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def ensure_environment(*, with_tests: bool) -> pathlib.Path:
    """Make .venv from the hash-locked lists; do nothing when it was made from the same ones."""
    names = ["runtime", "test", "check"] if with_tests else ["runtime"]
    files = [ROOT / "requirements" / (name + ".txt") for name in names]
    stamps = {name: VENV / (".stamp-" + name) for name in ("all", "runtime")}
    stamp, wanted = stamps["all" if with_tests else "runtime"], stamp_of(files)
    python = VENV / "bin" / "python"
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    if not has_pip(python):
        make_venv()
    say("installing the locked packages (%s) ..." % ", ".join(names))
    command = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    command += ["--no-input", "--no-compile", "--require-hashes", "--only-binary=:all:"]
    for file in files:
        command += ["-r", str(file)]
    if subprocess.run(command).returncode:
        die("Installing the Python packages failed; the lines above say why.")
    stamp.write_text(wanted)
    if with_tests:
        stamps["runtime"].write_text(stamp_of(files[:1]))
    return python


def has_pip(python: pathlib.Path) -> bool:
    """Tell whether the environment is whole: one interrupted while it was made is not."""
    command, nothing = [str(python), "-m", "pip", "--version"], subprocess.DEVNULL
    return (
        python.exists() and subprocess.run(command, stdout=nothing, stderr=nothing).returncode == 0
    )


def make_venv() -> None:
    try:
        import ensurepip  # noqa: F401  Debian keeps it in a package of its own
    except ImportError:
        package = "python%d.%d-venv" % sys.version_info[:2]
        if not install_system_packages([package], "Python's venv module is missing"):
            die("Python's venv module is missing. Install it: sudo apt-get install " + package)
    say("creating .venv")
    shutil.rmtree(VENV, ignore_errors=True)
    if subprocess.run([sys.executable, "-m", "venv", str(VENV)]).returncode:
        die("Making .venv failed; the lines above say why.")


def pango_loads(python: pathlib.Path) -> bool:
    """WeasyPrint opens Pango at run time; ask the loader itself whether it is there."""
    probe = (
        "import ctypes, sys\n"
        "for names in (('libpango-1.0.so.0', 'libpango-1.0.dylib'),\n"
        "              ('libpangoft2-1.0.so.0', 'libpangoft2-1.0.dylib'),\n"
        "              ('libharfbuzz-subset.so.0', 'libharfbuzz-subset.0.dylib')):\n"
        "    for name in names:\n"
        "        try: ctypes.CDLL(name); break\n"
        "        except OSError: pass\n"
        "    else: sys.exit(1)\n"
    )
    return subprocess.run([str(python), "-c", probe]).returncode == 0


def fonts_are_there() -> bool:
    listing = shutil.which("fc-list")
    if not listing:
        return False
    found = subprocess.run([listing], stdout=subprocess.PIPE, text=True).stdout
    return "Liberation Sans" in found and "Noto Sans CJK" in found


def ensure_pdf_libraries(python: pathlib.Path) -> None:
    if pango_loads(python) and fonts_are_there():
        return
    packages = [*PANGO, "fontconfig", *FONTS]
    if install_system_packages(packages, "Pango and fonts for PDF slips are missing"):
        return
    if pango_loads(python):
        say("Some fonts of PDF files may be missing: install " + ", ".join(FONTS))
    else:
        say(
            "Pango is not installed: everything works except PDF files. To get them:\n"
            "        Debian, Ubuntu:  sudo apt-get install %s\n"
            "        Fedora:          sudo dnf install pango\n"
            "        macOS:           brew install pango" % " ".join(packages)
        )


def ensure_browser() -> None:
    if os.environ.get("CHROMIUM") or any(shutil.which(name) for name in BROWSERS):
        return
    if not install_system_packages(["chromium"], "Chromium for the browser tests is missing"):
        say("No Chromium here: the browser tests are not run. Install one, or set CHROMIUM.")


def main() -> None:
    # A script's `run.py &` would ignore Ctrl-C otherwise.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    insist_on_python()
    verb, rest = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("up", [])
    if verb in ("-h", "--help", "help"):
        print(__doc__)
        return
    python = ensure_environment(with_tests=verb == "test")
    ensure_pdf_libraries(python)
    os.chdir(ROOT)
    if verb == "test":
        ensure_browser()
        arguments = ["-m", "quickstart.testing", *rest]
    elif verb == "up":
        arguments = ["-m", "quickstart", *rest]
    else:
        arguments = ["manage.py", verb, *rest]
    os.execv(str(python), [str(python), *arguments])


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
