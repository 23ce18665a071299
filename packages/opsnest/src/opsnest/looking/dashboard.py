"""dlt's dashboard, opened without dlt's own command, which asks for a commercial package first.

It is a marimo notebook in dlt's package. All that Opsnest knows of its insides is in here.
"""

from __future__ import annotations

import importlib
import importlib.util
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from opsnest.errors import ConfigurationError
from opsnest.looking.pipelines import where_it_wrote

__all__ = ["arguments", "dashboard"]

#: What the dashboard imports, by the package that brings it.
_NEEDED: Final = {"marimo": "marimo", "ibis": "ibis-framework"}
_HOME: Final = "dlt._workspace.helpers.dashboard"
#: How its notebook comes by a pipeline.
_ATTACH: Final = "utils.pipeline.get_pipeline("


def dashboard() -> Path:
    """Return the file of the dashboard, prepared to be run in this process.

    It then reads pipelines where they wrote, see `opsnest.looking.pipelines.attach`.

    Raises:
        ConfigurationError: a package for it is missing, or dlt's dashboard has changed.
    """
    for module, package in _NEEDED.items():
        if importlib.util.find_spec(module) is None:
            message = f"the dashboard needs {package}.\n  pip install 'opsnest[show]'"
            raise ConfigurationError(message)
    try:
        file = Path(str(importlib.import_module(f"{_HOME}.dlt_dashboard").__file__))
        if _ATTACH not in file.read_text(encoding="utf-8"):
            raise _changed()
        _let_it_read_where_pipelines_wrote(importlib.import_module(f"{_HOME}.utils.pipeline"))
        _let_it_do_without_network(importlib.import_module(f"{_HOME}.utils.home"))
    except (ImportError, AttributeError, OSError):
        raise _changed() from None
    return file


def _let_it_read_where_pipelines_wrote(helpers: Any) -> None:
    theirs = helpers.get_pipeline

    def get_pipeline(pipeline_name: str, pipelines_dir: str) -> Any:
        return where_it_wrote(theirs(pipeline_name, pipelines_dir))

    if theirs.__module__ == helpers.__name__:  # else it is ours already
        helpers.get_pipeline = get_pipeline


def _let_it_do_without_network(home: Any) -> None:
    """Leave the logo out of its header: it is on the internet, which would know of each look."""
    import marimo as mo  # noqa: PLC0415 - slow to import

    controls = home.header_controls
    home.home_header_row  # noqa: B018 - is there anything to replace?

    def header(dlt_profile_select: Any, right_control: Any = None) -> mo.Html:
        left, middle = controls(dlt_profile_select) or ("", "")
        right = "" if right_control is None else right_control
        return mo.hstack([left, middle, right], justify="space-between")

    home.home_header_row = header


def arguments(pipeline: str | None, folder: Path) -> list[str]:
    """Return the arguments of the dashboard.

    Args:
        pipeline: the pipeline to begin with; None for that which ran last.
        folder: where dlt keeps the pipelines.
    """
    chosen = ["--pipeline", pipeline] if pipeline else []
    return [*chosen, "--pipelines-dir", str(folder)]


def _changed() -> ConfigurationError:
    return ConfigurationError(
        f"dlt {version('dlt')} has another dashboard than the one that Opsnest knows how to open.\n"
        "  pip install --upgrade opsnest, or the dlt that it names: pip check tells which."
    )
