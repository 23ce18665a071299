"""The pages of the sources are what their catalogues say."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsnest.catalogue import CATALOGUES, Catalogue
from opsnest.catalogue.page import page, write_pages
from opsnest.loading import PLATFORMS

PAGES = Path(__file__).parent.parent / "docs" / "sources"

each_catalogue = pytest.mark.parametrize("catalogue", CATALOGUES.values(), ids=list(CATALOGUES))


def test_each_platform_has_a_catalogue_and_each_catalogue_a_page() -> None:
    assert set(CATALOGUES) == set(PLATFORMS)
    assert {path.stem for path in PAGES.glob("*.md")} == set(CATALOGUES)
    assert {each.source for each in CATALOGUES.values()} == {
        name for name, *_ in PLATFORMS.values()
    }


@each_catalogue
def test_the_page_is_up_to_date(catalogue: Catalogue) -> None:
    found = (PAGES / f"{catalogue.platform}.md").read_text()

    assert found == page(catalogue), "run `make pages`"


@each_catalogue
def test_the_page_names_every_list_setting_and_secret(catalogue: Catalogue) -> None:
    text = page(catalogue)

    for entry in catalogue.entries:
        assert f"| `{entry.name}` | `{entry.method} {entry.path}` |" in text
        assert all(f"`{path}`" in text for path in entry.secrets)
    assert all(f"| `{name}` |" in text for name, *_ in catalogue.settings)
    assert all(advice in text for _, advice in catalogue.troubles)
    assert catalogue.settings
    assert catalogue.troubles


def test_pages_are_written_into_a_folder(tmp_path: Path) -> None:
    write_pages(tmp_path / "pages")

    assert {path.name for path in (tmp_path / "pages").iterdir()} == {
        f"{platform}.md" for platform in CATALOGUES
    }


@each_catalogue
def test_what_a_page_links_to_is_there(catalogue: Catalogue) -> None:
    assert (PAGES.parent / "errors.md").exists()
    assert "](../errors.md)" in page(catalogue)
