"""What of an answer may be kept: all of it, bar fields that are known to hold secrets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from opsnest.catalogue import Entry
from opsnest.json_values import is_object
from opsnest.rows import drop, from_text
from opsnest.secret_scan import holds, mask

__all__ = ["Keeping"]


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is taken out of the answers of some lists before they are kept.

    Args:
        entries: the lists that the answers have rows of.
        rows_of: finds their rows in a decoded answer, and what comes along with them.
    """

    entries: Sequence[Entry]
    rows_of: Callable[[Any], Iterable[Any]]

    def bare(self, payload: Any, body: bytes) -> bytes:
        """Remove the fields that are known to hold secrets from an answer, and return it encoded.

        They are left out of rows as well, so what is left makes the same rows.

        Args:
            payload: the decoded answer, which is changed.
            body: the answer as it came.
        """
        secrets = [path.split(".") for entry in self.entries for path in entry.secrets]
        names = {path[-1].partition("[")[0] for path in secrets} | {path[0] for path in secrets}
        if not any(f'"{name}"'.encode() in body for name in names):
            return body
        texts = self._texts()
        for row in self.rows_of(payload):
            _strip(row, secrets, texts)
        return json.dumps(payload, separators=(",", ":")).encode()

    def masked(self, bare: bytes) -> bytes:
        """Return an answer with the secrets of known shapes in it replaced."""
        return json.dumps(mask(json.loads(bare)), separators=(",", ":")).encode()

    def holds(self, bare: bytes) -> bool:
        """Tell whether there is a secret in an answer all the same."""
        payload = json.loads(bare)
        # the names in JSON that comes as a text tell what is secret
        for row in self.rows_of(payload):
            for column in self._texts():
                if is_object(row) and isinstance(row.get(column), str):
                    row[column] = from_text(row[column])
        return holds(payload)

    def _texts(self) -> set[str]:
        return {column for entry in self.entries for column in entry.json_text}


def _strip(row: Any, secrets: Sequence[list[str]], texts: set[str]) -> None:
    """Remove the secrets of a row, also within JSON that comes as a text."""
    if not is_object(row):
        return
    for column in texts & {path[0] for path in secrets}:
        if not isinstance(row.get(column), str):
            continue
        decoded = from_text(row[column])
        if not is_object(decoded):
            row[column] = None  # as it is in the table: it cannot be told what is secret
            continue
        for path in secrets:
            if path[0] == column:
                drop({column: decoded}, path)
        row[column] = json.dumps(decoded)
    for path in secrets:
        drop(row, path)
