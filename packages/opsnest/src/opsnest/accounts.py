"""Tell accounts apart, without a word of what their credentials are."""

from __future__ import annotations

from hashlib import blake2b

__all__ = ["account_of"]


def account_of(*whose: str) -> str:
    """Return what tells answers to one account from those to another, and not what it is made of.

    Args:
        whose: where the API is, and the key or the name that it is asked with.
    """
    return blake2b("\n".join(whose).encode(), digest_size=8, person=b"opsnest-account").hexdigest()
