"""See inside a PyTorch network: what goes through its layers, forward and backward, while it runs as it always does.

    from convbp.torch import capture

    with capture(model) as seen:
        loss(model(x), t).backward()
    seen                                # all layers, and the δ at each
    seen["features.3"]                  # what went in, kernel, δ at both ends, the gradients
    seen["features.3"].check()          # this package's own computation beside PyTorch's
    seen["features.3"].delta_flow()     # an explorer, on these numbers
    seen.plot()                         # where the δ vanish

It needs PyTorch, which nothing else in this package does: ``pip install ".[torch]"``.

    recording.py    the hooks, and what they keep
    layers.py       each kind of layer computed again, in float64
    checking.py     both sides compared, up to rounding
    seen.py         what a reader looks at
"""

from collections.abc import Iterator
from contextlib import contextmanager

try:
    import torch
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "convbp.torch: PyTorch is not installed; nothing else in this package needs it. "
        'Install it with: pip install ".[torch]"',
        name="torch",
    ) from error

from convbp.torch.checking import Check, Compared
from convbp.torch.recording import Recording
from convbp.torch.seen import Seen, SeenLayer

__all__ = ["Check", "Compared", "Seen", "SeenLayer", "capture"]


@contextmanager
def capture(model: torch.nn.Module) -> Iterator[Seen]:
    """See what goes through the layers of a model, in every forward and backward pass inside the with block.

    The model computes what it always does, to the bit. Seen are Conv2d, ConvTranspose2d, Linear, MaxPool2d, AvgPool2d,
    BatchNorm2d, ReLU, Tanh and Sigmoid; other layers are named and left alone. What went through stays in memory as
    long as ``seen`` does: a step or a few, not a training. All hooks are gone after the block, also after an error.

    Parameters
    ----------
    model : torch.nn.Module
        Or one layer of it.

    Yields
    ------
    Seen

    Raises
    ------
    TypeError
        If ``model`` is no module, or a compiled one.
    """
    if not isinstance(model, torch.nn.Module):
        raise TypeError(
            f"capture: model is a value of type {type(model).__name__}; expected a torch.nn.Module, the network or one "
            f"of its layers."
        )
    if hasattr(model, "_orig_mod"):
        raise TypeError(
            "capture: model is one that torch.compile has made, which runs past the hooks of its layers; expected the "
            "model that was compiled: capture(model._orig_mod)."
        )
    recording = Recording(model)
    with recording.running():
        yield Seen(recording)
