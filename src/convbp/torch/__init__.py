"""See inside a PyTorch network: what goes through its layers, forward and backward, while it runs as it always does.

    from convbp.torch import capture

    with capture(model) as seen:
        loss(model(x), t).backward()
    seen                                # all layers, and the δ at both ends of each
    seen["features.3"]                  # what went in, kernel, δ at both ends, the gradients
    seen["features.3"].check()          # this package's own computation beside PyTorch's
    seen["features.3"].delta_flow()     # an explorer, on these numbers
    seen.plot()                         # where the δ vanish

It needs PyTorch, which nothing else in this package does: ``pip install ".[torch]"``.

    recording.py    the hooks, and what they keep
    layers.py       each kind of layer computed again, in float64
    checking.py     both sides compared, up to rounding
    seen.py         what a reader looks at
    plot.py         the δ of all layers as curves
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

try:
    import torch
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "convbp.torch: PyTorch is not installed; nothing else in this package needs it. "
        'Install it with: pip install ".[torch]"',
        name="torch",
    ) from error

from convbp.shapes import shown
from convbp.torch.checking import Check, Compared
from convbp.torch.recording import Recording
from convbp.torch.seen import Seen, SeenLayer

__all__ = ["Check", "Compared", "Seen", "SeenLayer", "capture"]


@contextmanager
def capture(model: torch.nn.Module, *, only: str | Iterable[str] = ()) -> Iterator[Seen]:
    """See what goes through the layers of a model, in every forward and backward pass inside the with block.

    The model computes what it always does, to the bit; but without the short cuts that run past its layers, those of
    ``torch.compile`` and of a TransformerEncoder in evaluation. Seen is each module that has no modules inside it, or
    parameters of its own. Those that this package computes again are Conv2d, ConvTranspose2d, Linear, MaxPool2d,
    AvgPool2d, AdaptiveAvgPool2d, BatchNorm1d and 2d, LayerNorm, GroupNorm, ReLU, LeakyReLU, ReLU6, Tanh, Sigmoid, SiLU,
    GELU, Softmax, Identity, Flatten, and Dropout in evaluation. What went through stays in memory as long as ``seen``
    does: a step or a few, not a training. All hooks are gone after the block, also after an error.

    Parameters
    ----------
    model : torch.nn.Module
        Or one layer of it.
    only : str or iterable of str
        Which layers: names, in which * stands for anything, such as "features.*"; that of a larger part of the model
        stands for all in it. If left out, all.

    Yields
    ------
    Seen

    Raises
    ------
    TypeError
        If ``model`` is no module, or one that ``torch.jit`` has made; or ``only`` is no name and none are in it.
    ValueError
        If no layer has a name that ``only`` asks for.
    """
    if not isinstance(model, torch.nn.Module):
        raise TypeError(
            f"capture: model is a value of type {type(model).__name__}; expected a torch.nn.Module, the network or one "
            f"of its layers."
        )
    if isinstance(model, torch.jit.ScriptModule):
        raise TypeError(
            "capture: model is one that torch.jit has made, whose layers take no hooks; expected the model that it was "
            "made of."
        )
    model = getattr(model, "_orig_mod", model)  # as torch.compile has it
    patterns = _patterns(only)
    for pattern in patterns:
        if not Recording(model, (pattern,)).modules():
            names = list(Recording(model).modules())
            raise ValueError(
                f"capture: only has {pattern!r}, which is the name of no layer; expected names such as "
                f"{', '.join(map(repr, names[:3]))}, or with * for anything, such as 'features.*'."
            )
    recording = Recording(model, patterns)
    with recording.running():
        yield Seen(recording)


def _patterns(only: str | Iterable[str]) -> tuple[str, ...]:
    patterns = (only,) if isinstance(only, str) else tuple(only) if isinstance(only, Iterable) else (only,)
    for pattern in patterns:
        if not isinstance(pattern, str):
            raise TypeError(f"capture: only has {shown(pattern)}; expected names of layers, such as 'features.*'.")
    return patterns
