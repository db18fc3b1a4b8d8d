"""The known wrong answers, each computed, each with what to say to whoever gives it.

For each exercise there is a `Task`: the right computation, with the places where it goes wrong as keyword-only steps,
and a list of `Misconception`. Most are known from readers of

    Jefkine Kafunah, "Backpropagation In Convolutional Neural Networks", DeepGrid, 2016 ("the article"),

some are the article's own misprints, and the rest is what every course on the subject sees.
"""

from convbp.misconceptions.chain import (
    delta_recursion,
    descent_step,
    output_delta,
    relu_delta,
    two_layer_question,
)
from convbp.misconceptions.gradients import (
    bias_gradient,
    kernel_gradient,
    multichannel_input_gradient,
    multichannel_kernel_gradient,
    strided_input_gradient,
)
from convbp.misconceptions.misconception import Misconception, Task
from convbp.misconceptions.pooling import average_routing, l2_routing, max_routing
from convbp.misconceptions.sliding import convolution, cross_correlation, full_convolution, region_q, rotation

TASKS = {
    "cross_correlation": cross_correlation,
    "convolution": convolution,
    "rot180": rotation,
    "full_convolution": full_convolution,
    "output_delta": output_delta,
    "relu_delta": relu_delta,
    "kernel_gradient": kernel_gradient,
    "bias_gradient": bias_gradient,
    "region_q": region_q,
    "delta_recursion": delta_recursion,
    "max_routing": max_routing,
    "average_routing": average_routing,
    "l2_routing": l2_routing,
    "strided_input_gradient": strided_input_gradient,
    "multichannel_input_gradient": multichannel_input_gradient,
    "multichannel_kernel_gradient": multichannel_kernel_gradient,
    "descent_step": descent_step,
    "two_layer_question": two_layer_question,
}

__all__ = ["TASKS", "Misconception", "Task"]
