"""A table that shows itself, as text and as HTML."""

from collections.abc import Sequence
from html import escape

NONE = "–"  # where there is no number
LISTED = 12  # names in a sentence


def listed(names: Sequence[str]) -> str:
    """Some names in a sentence, and how many more there are."""
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return (", ".join(names[:LISTED]) or "none") + more


class Table:
    """Rows under a title, as text and as HTML: the first of the rows is the head, the notes stand below."""

    def _rows(self) -> list[Sequence[str]]:
        raise NotImplementedError

    def _title(self) -> str:
        raise NotImplementedError

    def _notes(self) -> list[str]:
        return []

    def __repr__(self) -> str:
        rows = self._rows()
        widths = [max(len(row[c]) for row in rows) for c in range(len(rows[0]))]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows if len(rows) > 1]
        return "\n".join([self._title(), *(f"  {line}" for line in lines), *self._notes()])

    def _repr_html_(self) -> str:
        head, *rows = ([escape(entry) for entry in row] for row in self._rows())
        body = "".join(f"<tr>{''.join(f'<td>{entry}</td>' for entry in row)}</tr>" for row in rows)
        notes = "".join(f"<p>{escape(note)}</p>" for note in self._notes())
        heads = "".join(f'<th scope="col">{entry}</th>' for entry in head)
        return (
            f"<table><caption>{escape(self._title())}</caption><thead><tr>{heads}</tr></thead>"
            f"<tbody>{body}</tbody></table>{notes}"
        )
