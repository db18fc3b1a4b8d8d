"""Under which an equation that does not hold as printed happens to hold: changes of a random case that meet them."""

import numpy as np

from convbp.equations.cases import Layer


def only_first_weight(case: Layer):
    """The case with zeros in the kernel but for K(0, 0)."""
    kernel = np.zeros(case.kernel.shape, object)
    kernel[0, 0] = case.kernel(0, 0)
    return case.with_arrays(kernel=kernel)


def without_first_weight(case: Layer):
    """The case with K(0, 0) = 0."""
    kernel = case.kernel.array.copy()
    kernel[0, 0] = 0
    return case.with_arrays(kernel=kernel)


def one_bias(case: Layer):
    """The case with the same bias at every place."""
    return case.with_arrays(biases=np.full(case.biases.shape, case.bias, object))


def with_one_weight(case: Layer):
    """The case with a 1×1 kernel, the kernel's first entry; the output map is then as large as the inputs."""
    shape = case.inputs.shape
    stretched = {name: np.resize(getattr(case, name).array, shape) for name in ("delta", "biases")}
    return case.with_arrays(kernel=case.kernel.array[:1, :1], **stretched)


def odd_kernel(case: Layer):
    """The case with a kernel of odd lengths: its entries once more from the first on, where one is missing."""
    k1, k2 = case.kernel.shape
    return case.with_arrays(kernel=np.resize(case.kernel.array, (k1 | 1, k2 | 1)))


def one_place(case: Layer):
    """The case with a kernel as large as the inputs: there is one place for it, and one δ."""
    first = {name: getattr(case, name).array[:1, :1] for name in ("delta", "biases")}
    return case.with_arrays(kernel=np.resize(case.kernel.array, case.inputs.shape), **first)


def own_turn(name: str):
    """Make the array equal to its own rot180."""

    def meet(case: Layer):
        array = getattr(case, name)
        return case.with_arrays(**{name: array.array + array.rot180().array})

    return meet
