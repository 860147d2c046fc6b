"""Processes that start at once: forked from one that has loaded other people's packages, and ours if it may.

Importing those takes most of a short command's time. All else is as in an interpreter that was just started, but for
the seed of Python's hashes, which forks share: what must not depend on it is asked of interpreters of their own.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from signal import SIGKILL
from threading import Event, Timer

ROOT = Path(__file__).parent.parent
LOOP = """
import atexit, gc, importlib, json, os, pkgutil, sys, threading, traceback
import execnet, flint, jinja2, junitparser, ml_dtypes, numpy, pandas, psutil, pyarrow.parquet, pydantic.json_schema
import pydantic.main, pydantic.types, rich.progress, tabulate, typer
places = sys.path[1:]
for package in map(importlib.import_module, sys.argv[1:]):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(found.name)
gc.freeze()  # what is not looked at stays shared
for line in sys.stdin:
    told = json.loads(line)
    child = os.fork()
    if not child:
        break
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    sys.exit()
os.chdir(told["cwd"])
os.environ.clear()
os.environ.update(told["environment"])
for stream, file in enumerate((os.devnull, told["stdout"], told["stderr"])):
    opened = os.open(file, os.O_RDWR)
    os.dup2(opened, stream)
    os.close(opened)
sys.argv[:] = ["-c", *told["arguments"]]
sys.path[:] = [told["cwd"], *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)), *places]
sys.path_importer_cache.clear()
status = 0
try:
    exec(told["code"], {"__name__": "__main__"})
except SystemExit as end:
    status = end.code or 0
except BaseException:
    traceback.print_exc()
    status = 1
threading._shutdown()  # from here on as Python ends, but for taking every module apart
atexit._run_exitfuncs()
sys.stdout.flush()
os._exit(status)
"""
OURS = ("harness.commands", "harness.runs", "harness.findings", "harness.baselines", "reports")


@cache
def origin(*packages: str) -> subprocess.Popen[str]:
    """The process that is forked, started when it is first needed; with packages of ours, if any are given."""
    process = subprocess.Popen(
        [sys.executable, "-c", LOOP, *packages],
        cwd=ROOT if packages else "/",
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    atexit.register(stopped, process)
    return process


def stopped(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def python(
    code: str,
    *arguments: str,
    cwd: Path,
    environment: Mapping[str, str],
    timeout: float,
    packages: tuple[str, ...] = (),
) -> subprocess.CompletedProcess[str]:
    """`python -c CODE …` in that folder and environment, with those of our packages imported already.

    After `timeout` seconds it is killed, and TimeoutExpired is raised.
    """
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "stdout"), Path(folder, "stderr")
        out.touch()
        err.touch()
        told = {
            "code": code, "arguments": arguments, "cwd": str(cwd), "environment": dict(environment), "stdout": str(out),
            "stderr": str(err),
        }  # fmt: skip
        status = carried_out(origin(*packages), told, timeout)
        return subprocess.CompletedProcess([*arguments], status, out.read_text(), err.read_text())


def carried_out(process: subprocess.Popen[str], told: Mapping[str, object], timeout: float) -> int:
    """Return the exit status. Raise TimeoutExpired if it takes longer than that."""
    assert process.stdin is not None and process.stdout is not None
    print(json.dumps(told), file=process.stdin, flush=True)
    late, child = Event(), int(process.stdout.readline())

    def kill() -> None:
        late.set()
        os.kill(child, SIGKILL)

    alarm = Timer(timeout, kill)
    alarm.start()
    status = int(process.stdout.readline())
    alarm.cancel()
    if late.is_set():
        raise subprocess.TimeoutExpired(str(told["arguments"]), timeout)
    return status
