"""Where the answers of an examination are collected."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple


class Wrong(NamedTuple):
    """What is wrong in plain words, and a pattern of what a check may say if it has understood that."""

    function: object
    mistake: str
    said: re.Pattern


@dataclass
class Sheet:
    """The answers to one exercise."""

    exercise: str
    right_ones: dict = field(default_factory=dict)
    wrong_ones: list = field(default_factory=list)

    def right(self, style):
        def collect(function):
            assert style not in self.right_ones
            self.right_ones[style] = function
            return function

        return collect

    def wrong(self, mistake, said):
        def collect(function):
            self.wrong_ones.append(Wrong(function, mistake, re.compile(said, re.I | re.S)))
            return function

        return collect
