"""Pictures that answer: each explorer is a frozen state, a pure function state -> scene, and its controls."""

try:
    from convbp.explorers.draw_digit import DrawDigit
    from convbp.explorers.live_training import LiveTraining
    from convbp.explorers.sliding_window import SlidingWindow
except ModuleNotFoundError as error:
    if error.name.startswith("convbp"):
        raise
    raise ModuleNotFoundError(
        f"The pictures need {error.name}, which is not installed in this Python. In the folder of the course, "
        'pip install --editable ".[notebooks]" installs all they need; python3 course.py start does so by itself.',
        name=error.name,
    ) from error

__all__ = ["DrawDigit", "LiveTraining", "SlidingWindow"]
