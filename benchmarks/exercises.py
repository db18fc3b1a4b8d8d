"""Time the checks of the exercises: ``python benchmarks/exercises.py [name ...]``.

For each exercise a right answer and a wrong one that nothing explains, which is what is looked for longest: the first
check of each in a session, the median of ten more, and the reader's function alone. Milliseconds of processor time.
"""

import sys
from statistics import median
from time import process_time

import numpy as np

from convbp import exercises


def timed(function, *arguments):
    start = process_time()
    function(*arguments)
    return 1000 * (process_time() - start)


def times(exercise, answer):
    """Of the first check, of later ones, and of the answer itself on all inputs, once more on the first."""
    first = timed(exercise.check, answer)
    later = median(timed(exercise.check, answer) for _ in range(10))
    inputs = [*exercise.inputs, exercise.inputs[0]]
    return first, later, median(timed(lambda: [answer(*one.values()) for one in inputs]) for _ in range(10))


def main(names):
    print(f"{'':28}{'right':>24}{'wrong':>24}")
    print(f"{'':28}" + 2 * f"{'first':>8}{'later':>8}{'itself':>8}")
    for exercise in exercises.ALL:
        if names and exercise.name not in names:
            continue

        def unexplained(*given, exercise=exercise):
            result = np.asarray(exercise.answer(*given), float)
            return result + np.sin(1.7 * np.arange(result.size) + 1).reshape(result.shape)

        numbers = (*times(exercise, exercise.answer), *times(exercise, unexplained))
        print(f"{exercise.name:28}" + "".join(f"{number:8.1f}" for number in numbers), flush=True)


main(sys.argv[1:])
