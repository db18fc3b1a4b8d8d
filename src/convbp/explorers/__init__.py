"""Pictures that answer: each explorer is a frozen state, a pure function state -> scene, and its controls."""

try:
    from convbp.explorers import equation_lab
    from convbp.explorers.affected_region_q import AffectedRegionQ
    from convbp.explorers.chain_of_layers import ChainOfLayers
    from convbp.explorers.channels import Channels
    from convbp.explorers.convention_switch import ConventionSwitch
    from convbp.explorers.delta_flow import DeltaFlow
    from convbp.explorers.dense_to_convolution import DenseToConvolution
    from convbp.explorers.draw_digit import DrawDigit
    from convbp.explorers.equation_lab import EquationLab
    from convbp.explorers.error_curve import ErrorCurve
    from convbp.explorers.error_falls import ErrorFalls
    from convbp.explorers.explorer import when_idle
    from convbp.explorers.forward_pass import ForwardPass
    from convbp.explorers.kernel_flip import KernelFlip
    from convbp.explorers.kernel_gradient import KernelGradient
    from convbp.explorers.live_training import LiveTraining
    from convbp.explorers.paths import Paths
    from convbp.explorers.pooling_route import PoolingRoute
    from convbp.explorers.sliding_window import SlidingWindow
    from convbp.explorers.stride_and_padding import StrideAndPadding
    from convbp.explorers.two_layer_question import TwoLayerQuestion
    from convbp.pictures import still
except ModuleNotFoundError as error:
    if (error.name or "").startswith("convbp"):
        raise
    raise ModuleNotFoundError(
        f"The pictures need {error.name}, which is not installed in this Python. In the folder of the course, "
        'pip install --editable ".[notebooks]" installs all they need; python3 course.py start does so by itself.',
        name=error.name,
    ) from error

when_idle(still.prepare)
when_idle(equation_lab.prepare, 1)

__all__ = [
    "AffectedRegionQ",
    "ChainOfLayers",
    "Channels",
    "ConventionSwitch",
    "DeltaFlow",
    "DenseToConvolution",
    "DrawDigit",
    "EquationLab",
    "ErrorCurve",
    "ErrorFalls",
    "ForwardPass",
    "KernelFlip",
    "KernelGradient",
    "LiveTraining",
    "Paths",
    "PoolingRoute",
    "SlidingWindow",
    "StrideAndPadding",
    "TwoLayerQuestion",
]
