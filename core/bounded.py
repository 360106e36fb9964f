"""Work that a hostile text may make endless, in a process of its own with limits (reliability 2.5).

The process may come from a server that has the libraries loaded, so that it starts in a moment; it
knows nothing of the database and is killed when its time is up.
"""

from __future__ import annotations

import multiprocessing
import resource
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from typing import TypeVar

T = TypeVar("T")
Context = ForkServerContext | SpawnContext

AT_ONCE = 2  # in one web process; whoever comes then waits a moment for his turn


class Unfinished(Exception):
    """The work took too long, too much memory, or its process died; ``str()`` says which."""


class Bounded:
    """Runs functions of one module with limits. preload: modules a server loads beforehand.

    Without any the process starts from nothing: there is one such server, which is gone where a
    library it is to load is missing. seconds: for the work; wait: for one's turn. megabytes: of
    memory the process may ask for.
    """

    def __init__(
        self, *, preload: Sequence[str] = (), seconds: float, wait: float, megabytes: int
    ) -> None:
        self._context: Context = multiprocessing.get_context("spawn")
        if preload:
            self._context = multiprocessing.get_context("forkserver")
            self._context.set_forkserver_preload(list(preload))
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._seconds, self._wait, self._megabytes = seconds, wait, megabytes

    def run(self, work: Callable[..., T], *arguments: object) -> T:
        """Return what ``work`` returns; both must be picklable. Raises Unfinished, and OSError."""
        if not self._turns.acquire(timeout=self._wait):
            raise Unfinished("busy")
        try:
            return self._run(work, arguments)
        finally:
            self._turns.release()

    def _run(self, work: Callable[..., T], arguments: tuple[object, ...]) -> T:
        ours, theirs = self._context.Pipe(duplex=False)
        process = self._context.Process(
            target=_work, args=(theirs, self._megabytes, work, arguments), daemon=True
        )
        try:
            process.start()
        except OSError as none:  # not the work's own: there is no room for another process
            ours.close()
            raise Unfinished("no process") from none
        finally:
            theirs.close()
        try:
            if not ours.poll(self._seconds):
                raise Unfinished("too long")
            answer = ours.recv()
        except EOFError:
            raise Unfinished("died") from None
        finally:
            process.kill()
            process.join()
            ours.close()
        if isinstance(answer, OSError):
            raise answer
        if isinstance(answer, Unfinished):
            raise answer
        result: T = answer
        return result


def _work(
    answer: Connection, megabytes: int, work: Callable[..., T], arguments: tuple[object, ...]
) -> None:
    """Do the work within the memory allowed, and answer with the result or why there is none."""
    most = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    try:
        answer.send(work(*arguments))
    except OSError as missing:
        answer.send(OSError(str(missing)))
    except MemoryError:
        answer.send(Unfinished("too much memory"))
    except Exception as error:  # its text may hold what a buyer wrote
        answer.send(Unfinished(type(error).__name__))
