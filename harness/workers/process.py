"""One worker process: its start, its requests, and its end, for which there is a fault."""

from __future__ import annotations

import shlex
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Timer
from typing import Any

import execnet
import psutil

import backends
import harness
from harness.faults import Fault, Kind, from_plain, sentence, told
from harness.workers import bootstrap, signals, wire

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Environment variables that set the number of threads. Adapters read the first and limit their framework to it."""
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2"}
WONDERED_AFTER = 10.0
"""Seconds after which the user is told that a worker is still starting."""
LOOK_EVERY = 0.05
"""Seconds between two checks of a busy worker's memory."""
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


class WorkerDiedError(Exception):
    """The process is gone: `outcome` is crashed, timed out or out of memory.

    The engine also raises it for a worker that was not started: `outcome` is then absent or not run.
    """

    def __init__(self, fault: Fault) -> None:
        super().__init__(sentence(fault))
        self.fault, self.outcome, self.reason = fault, fault.outcome, sentence(fault)


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
        self._popen: Any = None
        self._pid = -1
        self._at_start = 0.0

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
        self._popen = gateway._io.popen  # there is no public way to its exit status
        self._pid = self._popen.pid
        self._channel = gateway.remote_exec(bootstrap)
        packages = {package.__name__: str(package.__file__) for package in (backends, harness)}
        start = {
            "framework": self.framework, "folder": str(self.folder), "packages": packages, "modules": [*self.modules],
        }  # fmt: skip
        with self._told_of_waiting():
            said = self.ask(start, self.limits.start_seconds)
        self._at_start = self._used()
        return said

    @property
    def grown(self) -> bool:
        """Whether its memory has grown since its start by more than half of what it may: compiled programs, caches."""
        return self._used() - self._at_start > (self.limits.gigabytes - self._at_start) / 2

    def ask(self, request: Mapping[str, Any], seconds: float | None = None) -> dict[str, Any]:
        """Send a request and return the reply, in which an answer is an array with its hash.

        `seconds`: the timeout, if not that of `limits`. Raise WorkerDiedError if the process ends or has to be ended.
        """
        allowed = self.limits.seconds if seconds is None else seconds
        deadline = time.monotonic() + allowed
        try:
            with self._killed_after(allowed):
                wire.send(self._channel, request)
            return answered(wire.unpacked(self._next(deadline, allowed), lambda: self._next(deadline, allowed)))
        except EOFError:
            raise self._ended(self._status()) from None
        except OSError:  # the pipe closed while we were sending
            if time.monotonic() > deadline:
                raise self._ended(Fault(Kind.NO_ANSWER_IN_TIME, allowed=allowed)) from None
            raise self._ended(self._status()) from None
        except self._channel.RemoteError as error:
            last = str(error).strip().splitlines()[-1]
            raise self._ended(Fault(Kind.WORKER_FAILED, last)) from None

    def _next(self, deadline: float, allowed: float) -> Any:
        """Return what the worker sends next. Raise WorkerDiedError if it exceeds its memory limit or the deadline."""
        while True:
            try:
                return self._channel.receive(timeout=LOOK_EVERY)
            except self._channel.TimeoutError:
                self._check_memory()
                if time.monotonic() > deadline:
                    raise self._ended(Fault(Kind.NO_ANSWER_IN_TIME, allowed=allowed)) from None

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

    @contextmanager
    def _killed_after(self, seconds: float) -> Iterator[None]:
        """Kill the process if the body takes longer than that: sending to a process that does not read never ends."""
        alarm = Timer(seconds, self._kill)
        alarm.start()
        try:
            yield
        finally:
            alarm.cancel()

    def _used(self) -> float:
        """Return the process's memory in GiB, or 0 if the process is gone, which the next receive notices."""
        try:
            return float(psutil.Process(self._pid).memory_info().rss / 2**30)
        except psutil.NoSuchProcess:
            return 0.0

    def _check_memory(self) -> None:
        used = self._used()
        if used > self.limits.gigabytes:
            raise self._ended(Fault(Kind.MEMORY_LIMIT, used=round(used, 1), allowed=self.limits.gigabytes))

    def _status(self) -> Fault:
        popen = self._popen
        if popen is None:
            return Fault(Kind.STOPPED)
        code = popen.wait(timeout=10)
        return Fault(Kind.KILLED, signal=signal.Signals(-code).name) if code < 0 else Fault(Kind.EXITED, code=code)

    def _ended(self, fault: Fault) -> WorkerDiedError:
        self.stop()
        return WorkerDiedError(fault)

    def _kill(self) -> None:
        if popen := self._popen:
            popen.kill()

    def stop(self) -> None:
        """Kill the process if it is alive. Any thread may call this. A worker holds nothing that a kill could lose."""
        popen, self._popen = self._popen, None
        if popen is not None:
            popen.kill()
            popen.wait()
            self._group.terminate(timeout=1.0)


def answered(reply: dict[str, Any]) -> dict[str, Any]:
    """Return the reply with the answer as an array, its dtype and its hash, or with the fault, in words as well."""
    if "fault" in reply:
        return told(from_plain(reply["fault"]))
    if "answer" not in reply:
        return reply
    try:
        answer = reply["answer"].array()
    except (TypeError, ValueError, ImportError) as error:
        return told(Fault(Kind.UNREADABLE, str(error)))
    return {**reply, "answer": answer, "dtype": answer.dtype.name, "sha256": reply["answer"].sha256}
