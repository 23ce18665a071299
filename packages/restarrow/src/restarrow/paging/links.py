"""The `Link` header, and links that leave out where they start. Pure."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

_QUOTES = " '\""
_BETWEEN_LINKS = re.compile(", *<")


def link_targets(header: str) -> dict[str, str]:
    """Return the URLs of a `Link` header by their relation, or by themselves if they have none.

    It reads as `requests` does, which dlt relies on: of several links with one relation the last
    one counts, a parameter without exactly one `=` ends the parameters, and relations are told
    apart by case.
    """
    header = header.strip(_QUOTES)
    targets: dict[str, str] = {}
    for part in _BETWEEN_LINKS.split(header) if header else ():
        url, _, rest = part.partition(";")
        link = {"url": url.strip("<> '\"")}
        for parameter in rest.split(";"):
            if parameter.count("=") != 1:
                break
            name, _, value = parameter.partition("=")
            link[name.strip(_QUOTES)] = value.strip(_QUOTES)
        targets[link.get("rel") or link["url"]] = link["url"]
    return targets


def resolve(link: str, asked: str) -> str:
    """Return a link as a whole URL, seen from the URL that was asked for."""
    return link if urlsplit(link).scheme else urljoin(asked, link)


def asked_url(base_url: str, path: str) -> str:
    """Return the URL that a path below a base URL stands for, without the parameters."""
    if urlsplit(path).scheme in {"http", "https"} or not base_url:
        return path
    return f"{base_url.rstrip('/')}/{path.lstrip('/')}" if path else base_url


def is_url(text: str) -> bool:
    """Tell whether a text can be taken apart as a URL."""
    try:
        urlsplit(text)
    except ValueError:
        return False
    return True
