"""`jax.test_util.check_grads` to first order, with its defaults.

It compares a derivative with central differences of its own function along one random direction. Its tolerance is
1e-5 in float64.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from backends.peers import first_line

Function = Callable[..., Any]


def check_grads(function: Function, x: Any, pull: Function | None, push: Function | None) -> str:
    """Check `function` at x against the given derivative: `pull(x, cotangent)` or `push(x, tangent)`."""
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax

    jax.config.update("jax_enable_x64", True)
    from jax.test_util import check_grads as check

    value = on_host(function, np.shape(function(x.copy())))
    wrapped = with_pull(value, on_host(pull, x.shape)) if pull else with_push(value, push)
    try:
        check(wrapped, (jax.numpy.asarray(x),), order=1, modes=("rev",) if pull else ("fwd",))
    except Exception as error:  # what a derivative raises inside of it counts too
        return first_line(error)
    return ""


def on_host(function: Function, shape: tuple[int, ...]) -> Function:
    """Wrap NumPy's function as one of JAX's, which has to know the answer's shape first."""
    import jax

    def called(*values: Any) -> Any:
        return np.array(function(*(np.array(value) for value in values)), dtype=np.float64)

    return lambda *values: jax.pure_callback(called, jax.ShapeDtypeStruct(shape, np.float64), *values)


def with_pull(value: Function, pull: Function) -> Function:
    import jax

    wrapped = jax.custom_vjp(value)
    wrapped.defvjp(lambda x: (value(x), x), lambda x, cotangent: (pull(x, cotangent),))
    return wrapped


def with_push(value: Function, push: Function | None) -> Function:
    import jax

    assert push is not None
    given = push
    wrapped = jax.custom_jvp(value)

    def rule(points: Any, tangents: Any) -> Any:
        result = value(*points)
        return result, on_host(given, result.shape)(*points, *tangents)

    wrapped.defjvp(rule)
    return wrapped


VALUES: dict[str, Function] = {}
GRADIENTS = {"jax check_grads": check_grads}
