"""Answers that were written without a look at the lists of mistakes, to find out what a check says of them.

``python -m examination``, run in tests/, prints the figures, and what was said of those that fell short.
"""

import re

from examination import first_gradients, first_layers, first_sliding, fourth_back, fourth_sliding, second, third

FIRST = [*first_sliding.SHEETS, *first_gradients.SHEETS, *first_layers.SHEETS]
SECOND = second.SHEETS
THIRD = third.SHEETS
FOURTH = [*fourth_sliding.SHEETS, *fourth_back.SHEETS]


# What is said of every answer that nothing explains.
COUNTED = re.compile(
    r"(On input \d+ of \d+:|With .*?:|Your result has shape .*?\.|Your result is right on .*? inputs\."
    r"|No entry is right\."
    r"|\d+ of \d+ entr(y|ies) (is|are) right\.|This shape, with other numbers,.*|On some of the inputs the shape .*?\.)"
)


def verdict(wrong, result):
    """What a check made of a wrong answer.

    passed     though wrong
    named      by a known mistake or by an edit, in words of what was done
    told       not by name, but what it says is what was done
    unnamed    neither
    misnamed   by another mistake than was made
    """
    if result.passed:
        return "passed"
    message = result.message.split("\nEntry")[0].removeprefix("Not yet. ")
    if result.misconceptions:
        return "named" if wrong.said.search(message) or "Number for number" in message else "misnamed"
    return "told" if wrong.said.search(COUNTED.sub("", message)) else "unnamed"
