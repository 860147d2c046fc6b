"""One worker process: its start, its requests and its replies. How it is killed stands in `watchdog.py`."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock, Timer
from typing import Any

import execnet

import backends
import harness
from harness.faults import Fault, Kind
from harness.workers import bootstrap, signals, wire
from harness.workers.request import Reply, Request
from harness.workers.watchdog import LOOK_EVERY, Watchdog, WorkerDiedError, late

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Environment variables that set the number of threads. Adapters read the first and limit their framework to it."""
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2"}
WONDERED_AFTER = 10.0
"""Seconds after which the user is told that a worker is still starting."""
_starting = Lock()


@dataclass(frozen=True)
class Limits:
    """The limits beyond which a worker is stopped: seconds for a block, GiB of memory, and seconds for its start."""

    seconds: float = 120.0
    gigabytes: float = 4.0
    start_seconds: float = 90.0


def environment(threads: int = 1) -> dict[str, str]:
    """Return the environment variables that are set for a worker process."""
    return QUIET | dict.fromkeys(THREADS, str(threads))


class Worker:
    """A framework's process under a given interpreter. One thread uses it; others may call `stop` alone."""

    def __init__(
        self,
        framework: str,
        interpreter: str,
        limits: Limits,
        folder: Path,
        modules: tuple[str, ...] = (),
        threads: int = 1,
    ) -> None:
        """Prepare a worker, which `open` starts.

        `folder`: the worker's own, for its log and as its current folder. `modules`: names of modules whose `BACKENDS`
        it registers too.
        """
        self.framework, self.interpreter, self.limits, self.folder = framework, interpreter, limits, folder
        self.modules, self.threads = modules, threads
        self._group: Any = None
        self._channel: Any = None
        self._watchdog: Any = None

    def open(self) -> dict[str, Any]:
        """Start the process and import the framework. Return what `worker.opened` says.

        Raise OSError if the interpreter does not start, and WorkerDiedError if the process ends or has to be ended.
        """
        self._group = execnet.Group()
        settings = "//".join(f"env:{name}={value}" for name, value in environment(self.threads).items())
        with _starting, signals.kept_from_children():  # execnet's groups share one counter for their ids
            spec = execnet.XSpec(f"popen//execmodel=main_thread_only//{settings}")
            spec.python = shlex.quote(self.interpreter)  # execnet splits it as a shell would
            gateway = self._group.makegateway(spec)
        self._watchdog = Watchdog(gateway._io.popen, self.limits.gigabytes)  # there is no public way to its exit status
        self._channel = gateway.remote_exec(bootstrap)
        packages = {package.__name__: str(package.__file__) for package in (backends, harness)}
        start = {
            "framework": self.framework, "folder": str(self.folder), "packages": packages, "modules": [*self.modules],
        }  # fmt: skip
        with self._told_of_waiting():
            said = self._exchanged(start, self.limits.start_seconds)
        self._watchdog.begin()
        return said

    @property
    def grown(self) -> bool:
        """Whether its memory has grown much since its start (see `Watchdog.grown`)."""
        return bool(self._watchdog.grown)

    def ask(self, request: Request) -> Reply:
        """Send a request and return the reply. Raise WorkerDiedError if the process ends or has to be ended."""
        return Reply.received(self._exchanged(request.plain(), self.limits.seconds))

    def _exchanged(self, message: Mapping[str, Any], allowed: float) -> dict[str, Any]:
        """Send a message and return what comes back within the allowed seconds."""
        try:
            return self._sent_and_received(message, allowed)
        except WorkerDiedError:
            self.stop()
            raise

    def _sent_and_received(self, message: Mapping[str, Any], allowed: float) -> dict[str, Any]:
        deadline = time.monotonic() + allowed
        following = partial(self._next, deadline, allowed)
        try:
            with self._watchdog.killing_after(allowed):
                wire.send(self._channel, message)
            reply: dict[str, Any] = wire.unpacked(following(), following)
            return reply
        except EOFError:
            raise WorkerDiedError(self._watchdog.status()) from None
        except OSError:  # the pipe closed while we were sending
            if time.monotonic() > deadline:
                raise late(allowed) from None
            raise WorkerDiedError(self._watchdog.status()) from None
        except self._channel.RemoteError as error:
            last = str(error).strip().splitlines()[-1]
            raise WorkerDiedError(Fault(Kind.WORKER_FAILED, last)) from None

    def _next(self, deadline: float, allowed: float) -> Any:
        """Return what the worker sends next. Raise WorkerDiedError if it exceeds its memory limit or the deadline."""
        while True:
            try:
                return self._channel.receive(timeout=LOOK_EVERY)
            except self._channel.TimeoutError:
                self._watchdog.look(deadline, allowed)

    @contextmanager
    def _told_of_waiting(self) -> Iterator[None]:
        """Tell the user on stderr if the body takes longer than `WONDERED_AFTER`."""
        sentence = f"waiting for {self.framework} to start, up to {self.limits.start_seconds:g} s\n"
        telling = Timer(WONDERED_AFTER, lambda: sys.stderr.write(sentence))
        telling.start()
        try:
            yield
        finally:
            telling.cancel()

    def stop(self) -> None:
        """Kill the process if it is alive. Any thread may call this. A worker holds nothing that a kill could lose."""
        if self._watchdog and self._watchdog.kill():
            self._group.terminate(timeout=1.0)
