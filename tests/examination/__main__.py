"""Print the figures of the examination.

``python -m examination [-v] [-1] [-2] [-3] [-4] [exercise …]``, run in tests/; -v says what was said of each answer, a
number takes that set alone.
"""

import sys
from collections import Counter
from itertools import chain
from time import process_time

import numpy as np

from convbp import exercises
from examination import FIRST, FOURTH, SECOND, THIRD, verdict

SETS = {"-1": FIRST, "-2": SECOND, "-3": THIRD, "-4": FOURTH}


def main(arguments):
    chosen = [name for name in arguments if not name.startswith("-")]
    counts, times = Counter(), []
    sets = [some for option, some in SETS.items() if option in arguments] or SETS.values()
    for sheet in chain(*sets):
        if chosen and sheet.exercise not in chosen:
            continue
        exercise = getattr(exercises, sheet.exercise)
        for style, function in sheet.right_ones.items():
            passed = exercise.check(function).passed
            counts["right", "passed" if passed else "refused"] += 1
            if not passed:
                print(f"{sheet.exercise}, REFUSED: {style}\n{exercise.check(function)}\n")
        for wrong in sheet.wrong_ones:
            start = process_time()
            result = exercise.check(wrong.function)
            times.append(process_time() - start)
            said = verdict(wrong, result)
            counts["wrong", said] += 1
            if said not in ("named", "told") or "-v" in arguments:
                print(f"{sheet.exercise}, {said}: {wrong.mistake}\n    {result.message.split('Entry')[0].strip()}\n")
    for (kind, said), count in sorted(counts.items()):
        print(f"{kind:6} {said:10} {count:4}")
    median, first, longest = np.median(times), times[0], max(times)
    print(
        f"CPU of a check, the function's own included: median {median:.3f} s, first {first:.2f} s, most {longest:.2f} s"
    )


main(sys.argv[1:])
