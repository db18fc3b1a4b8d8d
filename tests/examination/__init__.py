"""Answers that were written without a look at the lists of mistakes, to find out what a check says of them.

``python -m examination``, run in tests/, prints the figures, and what was said of those that fell short.
"""

from examination import first_gradients, first_layers, first_sliding, second

FIRST = [*first_sliding.SHEETS, *first_gradients.SHEETS, *first_layers.SHEETS]
SECOND = second.SHEETS


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
    understood = wrong.said.search(result.message.split("\nEntry")[0])
    if result.misconceptions:
        return "named" if understood or "Number for number" in result.message else "misnamed"
    return "told" if understood and "No entry is right" not in result.message else "unnamed"
