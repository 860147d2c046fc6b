"""Kernels of torch with a backward of their own, as people write them: `PYTHONPATH=tests/brought`."""

from __future__ import annotations

from typing import Any

from backends.torch import Torch


def right(s: Any, g: Any, axis: int) -> Any:
    return s * (g - (g * s).sum(axis, keepdim=True))


def without_sum(s: Any, g: Any, axis: int) -> Any:
    return s * g


class Function(Torch):
    """An `autograd.Function` in the old style, its context in `forward`."""

    framework, operations = "brought_torch", ("softmax", "jacobian", "jacobian_row", "vjp", "jvp", "hvp")
    backward = staticmethod(right)

    def __init__(self) -> None:
        super().__init__()
        torch, formula = self.torch, self.backward

        class Softmax(torch.autograd.Function):  # type: ignore[misc,name-defined]
            @staticmethod
            def forward(ctx: Any, x: Any, axis: int) -> Any:
                s, ctx.axis = torch.softmax(x, axis), axis
                ctx.save_for_backward(s)
                return s

            @staticmethod
            def backward(ctx: Any, g: Any) -> Any:
                (s,) = ctx.saved_tensors
                return formula(s, g, ctx.axis), None

        self.kernel = Softmax.apply

    def softmax(self, logits: Any, axis: int) -> Any:
        return self.kernel(logits, axis)


class WrongFunction(Function):
    variant = "wrong"
    backward = staticmethod(without_sum)


class CustomOp(Function):
    """A `torch.library.custom_op` with `register_autograd`."""

    variant = "custom_op"
    operations = ("softmax", "jacobian", "jacobian_row", "vjp", "hvp")  # torch gives its forward mode as 0

    def __init__(self) -> None:
        Torch.__init__(self)
        torch, formula = self.torch, self.backward

        def softmax(x: torch.Tensor, axis: int) -> torch.Tensor:
            return torch.softmax(x, axis).clone()

        softmax.__annotations__ = {"x": torch.Tensor, "axis": int, "return": torch.Tensor}

        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.axis = inputs[1]
            ctx.save_for_backward(output)

        def backward(ctx: Any, g: Any) -> Any:
            (s,) = ctx.saved_tensors
            return formula(s, g, ctx.axis), None

        self.kernel = torch.library.custom_op(f"brought::softmax_{self.variant}", softmax, mutates_args=())
        self.kernel.register_autograd(backward, setup_context=setup_context)


class WrongOp(CustomOp):
    variant = "wrong_op"
    backward = staticmethod(without_sum)


class Broken(Function):
    """Raises in its backward, for a reason of its own."""

    variant = "broken"

    @staticmethod
    def backward(s: Any, g: Any, axis: int) -> Any:
        raise RuntimeError("there is no kernel for this device")


BACKENDS = (Function, WrongFunction, CustomOp, WrongOp, Broken)
