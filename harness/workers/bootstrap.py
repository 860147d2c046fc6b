"""The first code that runs in a worker: execnet sends this file's text to the interpreter, which need not have ours.

Only our own two packages are loaded, each from its file. If our folder were put on `sys.path`, everything else that is
installed there could be imported too, and the worker would no longer be the interpreter that the user named.
"""

if __name__ == "__channelexec__":
    import importlib
    import importlib.util
    import os
    import signal
    import sys

    # The engine handles Ctrl-C and stops this worker itself. The signals are unblocked, since processes that a backend
    # starts inherit what is blocked, and they must end like any others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))
    hello = channel  # type: ignore[name-defined]  # noqa: F821  # execnet defines it
    start = hello.receive()
    # What a native library prints belongs in the worker's log, not in the user's terminal.
    try:
        os.makedirs(start["folder"], exist_ok=True)  # noqa: PTH103
        log = os.open(os.path.join(start["folder"], "log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)  # noqa: PTH118
    except OSError:
        log = os.open(os.devnull, os.O_WRONLY)
    os.dup2(log, 2)
    # The worker leaves the folder in which it was started, and must still find what relative paths name there.
    sys.path[:] = [os.path.abspath(place) for place in sys.path]  # noqa: PTH100
    try:
        for name, file in start["packages"].items():
            folder = [os.path.dirname(file)]  # noqa: PTH120
            spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=folder)
            assert spec is not None and spec.loader is not None
            sys.modules[name] = module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        from backends import add
        from harness.workers.worker import serve

        for name in start["modules"]:
            add(importlib.import_module(name).BACKENDS)
    except ImportError as error:
        said = str(error).encode(errors="backslashreplace").decode()  # a path in it may not encode as UTF-8
        hello.send({"absent": f"its interpreter cannot run a worker: {said}"})
    else:
        serve(hello, start["framework"], start["folder"])
