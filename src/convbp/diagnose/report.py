"""What a diagnosis has found, and how it reads."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What was found of one result.

    Attributes
    ----------
    right, of : int
        On how many cases it is right, of how many.
    condition : str
        Where it is wrong, in the words of the parameters; empty if it is right, wrong everywhere, or no words fit.
    names : tuple of str
        The known mistakes that give these numbers.
    said : str
        What there is to say of it.
    stopped : int
        On how many cases the function stopped, so that nothing is known of this result.
    """

    right: int
    of: int
    condition: str = ""
    names: tuple[str, ...] = ()
    said: str = ""
    stopped: int = 0

    @property
    def agrees(self) -> bool:
        """Whether it is right on all cases."""
        return self.right == self.of

    def __str__(self) -> str:
        if self.agrees:
            return "right."
        wrong = self.of - self.right - self.stopped
        count = (
            f"right on {self.right} of {self.of} cases"
            if self.right
            else f"wrong on {'all ' * (wrong == self.of)}{wrong} case{'s' * (wrong > 1)}"
        )
        if self.stopped:
            count = (f"{count}, " if self.right or wrong else "") + f"no result on {self.stopped}"
        condition = f"; wrong {self.condition}" if self.condition else ""
        return "\n    ".join([f"{count}{condition}.", *self.said.splitlines()])


@dataclass(frozen=True)
class Diagnosis:
    """What was found of all results; printing it says it in words.

    Attributes
    ----------
    operation : str
    findings : mapping of str to Finding
        By the name of the result, such as "dx".
    notes : tuple of str
        What was not tried, and what else was seen.
    """

    operation: str
    findings: Mapping[str, Finding]
    notes: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether something was compared, and all results are right on all cases."""
        return bool(self.findings) and all(finding.agrees for finding in self.findings.values())

    def assert_agrees(self) -> None:
        """Do nothing if all is right; for a test suite.

        Raises
        ------
        AssertionError
            With the whole diagnosis, line by line, if something is not. (pytest cuts off what it shows of
            ``assert found.agrees``.)
        """
        __tracebackhide__ = True  # pytest shows the line that called
        if not self.agrees:
            raise AssertionError(str(self))

    def __getitem__(self, name: str) -> Finding:
        return self.findings[name]

    def __repr__(self) -> str:
        lines = [f"{name}: {finding}" for name, finding in self.findings.items()]
        return "\n".join([f"diagnose.{self.operation}", *lines, *self.notes])
