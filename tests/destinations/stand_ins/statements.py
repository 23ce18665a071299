"""The statements that dlt hands to a driver, and whether the destination's dialect has them."""

from __future__ import annotations

from collections.abc import Sequence

import sqlglot
from sqlglot.errors import SqlglotError

__all__ = ["Statements"]


class Statements:
    """Keeps the statements of a load, as they are before any stand-in has rewritten them.

    Args:
        dialect: the name that sqlglot has for the dialect.
        verbs: what a statement may begin with that sqlglot does not parse.
    """

    def __init__(self, dialect: str, verbs: Sequence[str] = ()) -> None:
        self.dialect, self.verbs = dialect, tuple(verbs)
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        """Keep a statement."""
        self.texts.append(text)

    def check(self) -> None:
        """Parse all statements.

        Raises:
            AssertionError: there are none, or one is not of the dialect.
        """
        assert self.texts, f"no statement of {self.dialect} was seen"
        for text in self.texts:
            if text.lstrip().upper().startswith(self.verbs):
                continue
            try:
                # places of parameters are the driver's, not the dialect's
                sqlglot.parse(text.replace("%s", "NULL"), read=self.dialect)
            except SqlglotError as error:
                message = f"not of {self.dialect}: {text[:500]}"
                raise AssertionError(message) from error
