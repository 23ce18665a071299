"""The typed async SDK for the Owlette API, which is yet to be written.

This release holds the name and nothing else: importing it works, and there is nothing to call.
"""

from __future__ import annotations

__all__: list[str] = []
