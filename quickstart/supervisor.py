"""Start children in order, keep them up, stop them in reverse order, never leave one behind."""

from __future__ import annotations

import os
import pathlib
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

GRACE = 12  # seconds a child may take to stop
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(eq=False)
class Child:
    """One process to keep. stop: the signal by which it ends in its own orderly way."""

    name: str
    args: list[str]
    log: pathlib.Path
    env: dict[str, str] | None = None
    ready: Callable[[], bool] | None = None
    stop: signal.Signals = signal.SIGTERM
    popen: dict[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    starts: list[float] = field(default_factory=list)


class Supervisor:
    """Keeps children and a watchdog.

    The watchdog lives in a session of its own and reads a pipe; when this process dies in whatever
    way, the pipe closes and the watchdog stops every process group it was told about.
    """

    def __init__(self, say: Callable[[str], None] = print) -> None:
        self.say = say
        self.children: list[Child] = []
        self.stopping = False
        self._set_watchdog()

    def start(self, child: Child, timeout: float = 120) -> None:
        """Start a child and wait until it is ready, for so many seconds at most.

        Raises SystemExit with a sentence when it ends or is not ready in time.
        """
        if child not in self.children:
            self.children.append(child)
        child.starts.append(time.monotonic())
        with open(child.log, "ab", 0) as out:
            child.process = subprocess.Popen(
                child.args,
                env=child.env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that Ctrl-C reaches only the supervisor
                **child.popen,
            )
        self._tell(f"+ {child.process.pid} {int(child.stop)}")
        end = time.monotonic() + timeout
        while child.ready is not None and not self.stopping and not child.ready():
            if child.process.poll() is not None:
                code = child.process.returncode
                _signal_group(child.process, signal.SIGKILL)
                self.forget(child)
                raise SystemExit(f"{child.name} ended at once (exit {code}); see {child.log}")
            if time.monotonic() > end:
                raise SystemExit(f"{child.name} is not ready after {timeout} s; see {child.log}")
            time.sleep(0.05)

    def forget(self, child: Child) -> None:
        """Let go of a child that has ended: its number may soon be that of somebody else."""
        assert child.process is not None
        self._tell(f"- {child.process.pid}")

    def run_once(self, args: list[str], env: dict[str, str], cwd: pathlib.Path) -> int:
        """Run a command to its end, watched like a child; return its exit status."""
        process = subprocess.Popen(args, env=env, cwd=cwd, start_new_session=True)
        self._tell(f"+ {process.pid} {int(signal.SIGTERM)}")
        try:
            return process.wait()
        finally:
            if process.poll() is None:
                _signal_group(process, signal.SIGKILL)
                process.wait()
            self._tell(f"- {process.pid}")

    def run(self) -> int:
        """Keep the children up until a signal to stop comes; return the exit status."""
        # A handler may not touch threading.Event or Queue: their locks are not re-entrant, and the
        # process would hang when the signal comes inside wait(). A byte in a pipe is safe.
        read_end, write_end = os.pipe()
        os.set_blocking(write_end, False)
        got: list[int] = []

        def on_signal(number: int, _frame: object) -> None:
            got.append(number)
            try:
                os.write(write_end, b"x")
            except BlockingIOError:
                got.append(number)  # the pipe is full of earlier ones: it wakes anyway

        for number in STOP_SIGNALS:
            signal.signal(number, on_signal)
        while not got:
            select.select([read_end], [], [], 0.5)
            if self._watchdog.poll() is not None:
                os.close(self._pipe)
                self._set_watchdog()
            for child in self.children:
                if not got and not self._look_after(child):
                    return 1
        return 0

    def stop_all(self) -> None:
        """Stop the children in reverse order, each by its own signal; kill what lingers."""
        if self.stopping:
            return
        self.stopping = True
        for child in reversed(self.children):
            if child.process is not None:
                self._stop(child, child.process)
        os.close(self._pipe)
        self._watchdog.wait(30)

    def _look_after(self, child: Child) -> bool:
        """Start a child that ended again; return False when it keeps ending."""
        assert child.process is not None
        code = child.process.poll()
        if code is None:
            return True
        _signal_group(child.process, signal.SIGKILL)
        self.forget(child)
        recent = [at for at in child.starts if at > time.monotonic() - 60]
        if len(recent) >= 5:
            told = f"{child.name} ended {len(recent)} times within a minute (exit {code})"
            self.say(f"{told}; giving up, see {child.log}")
            return False
        self.say(f"{child.name} ended (exit {code}); starting it again")
        time.sleep(min(0.2 * 2 ** len(recent), 5))
        try:
            self.start(child)
        except SystemExit as told:
            self.say(str(told))  # the next look counts it as one more end
        return True

    def _stop(self, child: Child, process: subprocess.Popen[bytes]) -> None:
        if process.returncode is not None:
            return  # ended, and cleared away, when it was last looked at
        if process.poll() is None:
            try:
                process.send_signal(child.stop)
            except ProcessLookupError:
                self.say(f"{child.name} was gone already")
        end = time.monotonic() + GRACE
        while process.poll() is None and time.monotonic() < end:
            time.sleep(0.03)
        if not _group_is_gone(process.pid):
            if process.poll() is None:
                self.say(f"{child.name} did not stop in {GRACE} s; killing it")
            _signal_group(process, signal.SIGKILL)
            process.wait()
        self._tell(f"- {process.pid}")

    def _set_watchdog(self) -> None:
        """Start a watchdog that knows what runs: at first nothing, later what outlived another."""
        read_end, self._pipe = os.pipe()
        for child in self.children:
            if child.process is not None and child.process.returncode is None:
                self._tell(f"+ {child.process.pid} {int(child.stop)}")
        self._watchdog = subprocess.Popen(
            [sys.executable, "-S", "-E", "-c", WATCHDOG], stdin=read_end, start_new_session=True
        )
        os.close(read_end)

    def _tell(self, line: str) -> None:
        try:
            os.write(self._pipe, (line + "\n").encode())
        except BrokenPipeError:
            self.say("the watchdog is gone")


def _group_is_gone(group: int) -> bool:
    """Tell whether no process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal what is left of a process and its children, if anything."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return


WATCHDOG = r"""
import os, signal, sys, time
for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(s, signal.SIG_IGN)
alive = {}
for line in sys.stdin:
    word = line.split()
    if word[0] == '+':
        alive[int(word[1])] = int(word[2])
    else:
        alive.pop(int(word[1]), None)

def there(pid):
    try:
        with open('/proc/%d/stat' % pid) as f:
            if f.read().rpartition(')')[2].split()[0] == 'Z':
                return False
    except OSError:
        pass
    try:
        os.killpg(pid, 0)
        return True
    except ProcessLookupError:
        return False
    except PermissionError:
        return True

for pid, number in reversed(list(alive.items())):
    try:
        os.kill(pid, number)
    except OSError:
        continue
    for _ in range(80):
        if not there(pid):
            break
        time.sleep(.1)
    if there(pid):
        try:
            os.killpg(pid, signal.SIGKILL)
        except OSError:
            pass
"""
