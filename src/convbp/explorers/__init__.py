"""Pictures that answer: each explorer is a frozen state, a pure function state -> scene, and its controls."""

from convbp.explorers.sliding_window import SlidingWindow

__all__ = ["SlidingWindow"]
