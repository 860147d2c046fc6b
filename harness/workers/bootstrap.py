"""The first thing that runs in a worker: execnet sends this file's text to the interpreter, which need not know us.

Only our own two packages are brought along, by their place: putting our folder on the path would bring everything else
that is installed there, and the interpreter would no longer be what the user named.
"""

if __name__ == "__channelexec__":
    import importlib
    import importlib.util
    import os
    import signal
    import sys

    # Ctrl-C is the engine's to handle, which stops us itself; processes that a backend starts are to end as any others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))
    hello = channel  # type: ignore[name-defined]  # noqa: F821  # execnet puts it here
    start = hello.receive()
    # What a native library prints belongs in the worker's log, not in the reader's terminal.
    try:
        os.makedirs(start["folder"], exist_ok=True)  # noqa: PTH103
        log = os.open(os.path.join(start["folder"], "log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)  # noqa: PTH118
    except OSError:
        log = os.open(os.devnull, os.O_WRONLY)
    os.dup2(log, 2)
    # It leaves the folder that it was started in, and finds there what it was started with.
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
        said = str(error).encode(errors="backslashreplace").decode()  # a path in it may be no UTF-8, and is not sent
        hello.send({"absent": f"its interpreter cannot run a worker: {said}"})
    else:
        serve(hello, start["framework"], start["folder"])
