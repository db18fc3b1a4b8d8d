"""Exercises that check themselves, and recognise the mistake.

    from convbp import exercises
    exercises.kernel_gradient                       what is asked for
    exercises.kernel_gradient.check(my_function)    or a number, or an array: the result for .example
    exercises.kernel_gradient.hint()                one step at a time
    exercises.kernel_gradient.solution()
    exercises.progress()                            which are done

All of it stays in this session: nothing is stored, and nothing is sent anywhere.
"""

from convbp.exercises.catalogue import (
    average_routing,
    bias_gradient,
    convolution,
    cross_correlation,
    delta_recursion,
    descent_step,
    full_convolution,
    kernel_gradient,
    l2_routing,
    max_routing,
    multichannel_input_gradient,
    multichannel_kernel_gradient,
    output_delta,
    region_q,
    relu_delta,
    rot180,
    strided_input_gradient,
    two_layer_question,
)
from convbp.exercises.exercise import Exercise, Note
from convbp.exercises.result import Result

ALL = (
    cross_correlation,
    convolution,
    rot180,
    output_delta,
    kernel_gradient,
    bias_gradient,
    region_q,
    full_convolution,
    relu_delta,
    delta_recursion,
    max_routing,
    average_routing,
    l2_routing,
    strided_input_gradient,
    multichannel_input_gradient,
    multichannel_kernel_gradient,
    descent_step,
    two_layer_question,
)


def progress(*some: Exercise) -> Note:
    """Say which exercises are done in this session.

    Parameters
    ----------
    *some : Exercise
        Of which; of all, if none is named.

    Returns
    -------
    Note

    >>> progress(rot180)
    0 of 1 done. Not tried: rot180.
    """
    some = some or ALL
    groups = {"Done": [], "Tried": [], "Not tried": []}
    for exercise in some:
        groups["Done" if exercise.done else "Tried" if exercise.tried else "Not tried"].append(exercise.name)
    lists = [f"{word}: {', '.join(names)}." for word, names in groups.items() if names]
    return Note(" ".join([f"{len(groups['Done'])} of {len(some)} done.", *lists]))


__all__ = ["ALL", "Exercise", "Result", "progress", *(exercise.name for exercise in ALL)]
