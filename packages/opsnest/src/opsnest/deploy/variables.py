"""The environment variables that a load needs, by name: from what sources and destinations say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from opsnest.destinations import extra_of
from opsnest.loading import PLATFORMS

__all__ = ["Variable", "destination_variables", "files_url", "source_variables"]


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable that dlt reads a setting from.

    Attributes:
        name: its name.
        secret: whether its value is a secret.
        optional: whether it may be missing, as where one of two is enough.
    """

    name: str
    secret: bool = True
    optional: bool = False


#: What the credentials of a destination are made of, where they are not one connection string.
_PARTS: Final[dict[str, tuple[str, ...]]] = {
    "databricks": ("SERVER_HOSTNAME", "HTTP_PATH", "CATALOG", "ACCESS_TOKEN"),
    "s3": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "gcs": ("PROJECT_ID", "CLIENT_EMAIL", "PRIVATE_KEY"),
    "azure": ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY"),
}
_OPEN: Final = {"SERVER_HOSTNAME", "HTTP_PATH", "CATALOG"}
#: Where files go if no setting here tells: to the place that most have.
_USUAL: Final = "s3://"


def source_variables(platform: str) -> list[Variable]:
    """Return the variables for what the source of a platform has no value of its own for."""
    from dlt.common.configuration.specs.base_configuration import is_secret_hint  # noqa: PLC0415
    from dlt.common.typing import is_optional_type  # noqa: PLC0415 - slow to import

    from opsnest import sources  # noqa: PLC0415

    source: Any = getattr(sources, PLATFORMS[platform][0])
    spec: Any = source.ref.SPEC
    defaults = spec()
    found: list[Variable] = []
    for field, hint in spec.get_resolvable_fields().items():
        secret, optional = is_secret_hint(hint), is_optional_type(hint)
        if getattr(defaults, field, None) is None and (secret or not optional):
            name = f"SOURCES__{source.section}__{field}".upper()
            found.append(Variable(name, secret, optional))
    return found


def files_url(to: str) -> str:
    """Return where the destination for files has them; S3 if no setting here says so."""
    if to != "filesystem":
        return ""
    import dlt  # noqa: PLC0415 - slow to import

    url: object = dlt.config.get("destination.filesystem.bucket_url", str)
    return str(url or _USUAL)


def destination_variables(to: str, url: str = "") -> list[Variable]:
    """Return the variables with which a destination is reached.

    Args:
        to: the destination.
        url: where its files are, if it has any.
    """
    if to == "duckdb":
        return []
    begin = f"DESTINATION__{to.upper()}"
    if to == "filesystem":
        parts = _PARTS.get(extra_of(to, url), ())
        place = Variable(f"{begin}__BUCKET_URL", secret=False)
        return [place, *(Variable(f"{begin}__CREDENTIALS__{part}") for part in parts)]
    if to in _PARTS:
        return [
            Variable(f"{begin}__CREDENTIALS__{part}", secret=part not in _OPEN)
            for part in _PARTS[to]
        ]
    return [Variable(f"{begin}__CREDENTIALS")]
