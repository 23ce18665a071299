"""What secrets look like: shapes that are told from anything else at sight, as a table.

Each has a pattern for text, and a looser one for encoded JSON that RE2 can run, where quotes,
slashes and line ends may be escaped, perhaps more than once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["ANYTHING", "PLACEHOLDER", "SHAPES", "Shape", "kind_of_name"]

#: Where a word may begin: also behind escapes in text that is JSON or part of a URL itself.
_START: Final = (
    r"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbfv])|(?<=\\u00[0-9A-Fa-f]{2})|(?<=%[0-9A-Fa-f]{2}))"
)

#: Names end with these; `password_changed_at` and `secret_id` are names of something else.
_PASSWORDS: Final = r"passw(?:or)?d|passwd|passphrase|pwd"
_SECRETS: Final = (
    r"secret|secret[_-]?(?:access[_-]?)?key|(?:api|access|private|account)[_-]?key"
    r"|(?:access|api|auth|bearer|bot|deploy|private|refresh|secret|session)[_-]?token"
)
_NAMES: Final = {
    "password": re.compile(rf"(?i:{_PASSWORDS})\Z", re.ASCII),
    "secret": re.compile(rf"(?i:{_SECRETS}|authorization)\Z", re.ASCII),
}

#: What stands for a value that is not there, our own marks among them.
_NONE: Final = (
    r"(?!(?i:\[(?:removed|secret|filtered|redacted)|redacted)|\$[{(]|%[{(]|\{\{|<|[*.]{3}|x{4})"
)
PLACEHOLDER: Final = re.compile(rf"(?!{_NONE})", re.ASCII)

#: RE2 does not take a vertical tab for white space, and JSON escapes it by its number.
_BLANK: Final = r"(?:[\s\x00-\x1f]|\\+(?:[nrtbfv]|u00[01][0-9A-Fa-f]))"
_WHITE: Final = rf"{_BLANK}*"
_EQUALS: Final = rf"\\*[\"']?{_WHITE}(?::|=>?){_WHITE}"
_LOOSE_VALUE: Final = r"(?:\\*[\"'](?:[^\"\\]|\\.){8}|[^\s\"']{8})"


@dataclass(frozen=True, slots=True)
class Shape:
    """What one kind of secret looks like.

    Attributes:
        kind: what it is, in words that take an s in the plural.
        text: the pattern; what its group `secret` matches is the secret, or else all of it.
        hint: a pattern for RE2 that encoded JSON, or text, has wherever it has the secret; "" if
            that for names is one for this as well.
        whole: whether it must begin where a word does, because it has little to be told by.
    """

    kind: str
    text: str
    hint: str
    whole: bool = False

    def pattern(self) -> re.Pattern[str]:
        """Return the pattern for text."""
        # escaped four times over at most: on long runs of them, time would grow with their square
        text = self.text.replace(r"\\*", r"\\{0,15}").replace(r"\\+(", r"\\{1,15}(")
        return re.compile((_START if self.whole else "") + text, re.ASCII)


def _assigned(kind: str, names: str) -> Shape:
    quoted = rf"(?P<quote>\\*[\"']){_NONE}(?P<secret>(?:(?!(?P=quote))(?:\\.|[^\n\\])){{8,}})"
    bare = rf"\\*[\"']?{_NONE}(?P<bare>(?![\x00-\x1f])(?:(?!\[removed)[^\s\"'\\<>,;&]){{8,}})"
    # where `pwd` is the working directory, a path follows
    text = rf"(?i:{names}){_EQUALS}(?![/~])(?:{quoted}(?P=quote)|{bare})"
    return Shape(kind, text, "")


_PEM: Final = r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
_SLACK_HOOK: Final = r"hooks\.slack(?:-gov)?\.com\\*/(?:services|workflows|triggers)\\*/"

SHAPES: Final = (
    # one that was cut off has no end, and goes on to that of the text
    Shape(
        "private key",
        _PEM + r"(?:[^-]|-(?!----))*+(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----)?",
        _PEM,
    ),
    Shape(
        "GitHub token",
        r"(?:gh[oprsu]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{36,})",
        r"(?:gh[oprsu]_[A-Za-z0-9]{9}|github_pat_)",
    ),
    Shape(
        "GitLab token", r"gl(?:pat|dt|rt|ptt)-[\w-]{20,}(?:\.[\w-]{2,})*", r"gl(?:pat|dt|rt|ptt)-\w"
    ),
    Shape("Slack token", r"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}", r"(?:xox[abeoprs]|xapp)-\w"),
    Shape("Slack webhook", _SLACK_HOOK + r"[\w/\\-]{16,}", _SLACK_HOOK),
    Shape("Google API key", r"AIza[\w-]{35}", r"AIza[\w-]{8}", whole=True),
    Shape(
        "Google token",
        r"(?:ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,})",
        r"(?:ya29\.|GOCSPX-)\w",
        whole=True,
    ),
    Shape("Stripe key", r"[rs]k_live_[A-Za-z0-9]{16,}", r"[rs]k_live_"),
    Shape("Anthropic key", r"sk-ant-[\w-]{20,}", r"sk-ant-\w", whole=True),
    Shape(
        "OpenAI key",
        r"sk-(?:[A-Za-z0-9]{32,}|(?:proj|svcacct|admin)-[\w-]{20,})",
        r"sk-(?:[A-Za-z0-9]{20}|(?:proj|svcacct|admin)-)",
        whole=True,
    ),
    Shape("SendGrid key", r"SG\.[\w-]{16,}\.[\w-]{16,}", r"SG\.[\w-]{9}", whole=True),
    Shape("npm token", r"npm_[A-Za-z0-9]{36}", r"npm_[A-Za-z0-9]{9}", whole=True),
    Shape("PyPI token", r"pypi-[\w-]{50,}", r"pypi-[\w-]{20}", whole=True),
    Shape("Hugging Face token", r"hf_[A-Za-z0-9]{30,}", r"hf_[A-Za-z0-9]{9}", whole=True),
    Shape("DigitalOcean token", r"do[opr]_v1_[0-9a-f]{40,}", r"do[opr]_v1_"),
    Shape("Databricks token", r"dapi[0-9a-f]{32}(?:-\d)?", r"dapi[0-9a-f]{9}", whole=True),
    Shape("Rootly key", r"rootly_[0-9a-f]{64}", r"rootly_[0-9a-f]{9}"),
    Shape("Owlette key", r"owk_[\w-]{16,}", r"owk_[\w-]{9}", whole=True),
    Shape("webhook secret", r"whsec_[\w+/=-]{16,}", r"whsec_[\w+/=-]"),
    Shape("Twilio key", r"SK[0-9a-f]{32}(?![0-9A-Za-z])", r"SK[0-9a-f]{9}", whole=True),
    Shape(
        "AWS access key id",
        r"A(?:KIA|SIA)[A-Z0-9]{16}(?![A-Za-z0-9])",
        r"A(?:KIA|SIA)[A-Z0-9]{9}",
        whole=True,
    ),
    Shape(
        "AWS secret key",
        rf"(?i:secret[_-]?(?:access[_-]?)?key|aws[_-]?secret){_EQUALS}\\*[\"']?"
        r"(?P<secret>(?:[A-Za-z0-9+]|\\*/){40})(?![A-Za-z0-9+/=])",
        "",
    ),
    Shape(
        "Azure key",
        r"(?i:AccountKey|SharedAccessKey)=(?P<secret>(?:[A-Za-z0-9+]|\\*/){40,}={0,2})",
        r"(?i:AccountKey|SharedAccessKey)=",
    ),
    Shape(
        "URL signature",
        r"(?:sig|(?i:x-(?:amz|goog)-signature))=(?P<secret>(?:[\w%+-]|\\*/){30,}={0,2})",
        r"(?:sig|(?i:x-(?:amz|goog)-signature))=[\w%+/\\-]{9}",
        whole=True,
    ),
    Shape("JWT", r"eyJ[\w-]{8,}(?:\.[\w-]{8,}){2,}", r"eyJ[\w-]{8,}\.[\w-]{8}", whole=True),
    Shape(
        "URL password",
        rf":\\*/\\*/[^\s/@:?#\"'<>\\]*:{_NONE}(?P<secret>[^\s/@?#\"'<>\\]+)@",
        r":\\*/\\*/[^\s/@:?#\"'<>\\]*:[^\s/@?#\"'<>\\]+@",
    ),
    Shape(
        "Authorization header",
        rf"(?i:authorization){_EQUALS}\\*[\"']?(?i:bearer|basic|token){_WHITE}{_NONE}"
        r"(?P<secret>(?:[\w.~+=:-]|\\*/){8,})",
        rf"(?i:authorization)\\*[\"']?{_WHITE}[:=,}}]",
    ),
    # on its own it may be prose: a digit tells
    Shape(
        "bearer token",
        rf"(?i:bearer){_BLANK}+(?=[\w.~+/-]*\d)(?P<secret>[\w.~+/-]{{20,}}=*)",
        rf"(?i:bearer){_BLANK}+[\w.~+/\\-]{{9}}",
        whole=True,
    ),
    _assigned("password", _PASSWORDS),
    _assigned("secret", _SECRETS),
)

#: Names of secrets, told by less of them, and a value behind; or such a name as a value: that of a
#: pair whose other value is the secret.
_NAMED: Final = (
    r"(?i:passw(?:or)?d|passphrase|pwd|secret|(?:api|ess|ate|unt|ret)[_-]?key|[a-z][_-]?token)"
    rf"(?:\\*\"{_WHITE}[,}}]|{_EQUALS}{_LOOSE_VALUE})"
)
#: Text that is hidden in encoded JSON: ASCII in escapes, bar `<`, `>`, `&` and `'`, which some
#: encoders always write so, and UTF-16.
_HIDDEN: Final = r"\\u00(?:2[0-589a-fA-F]|3[0-9abdfABDF]|[4-7])|\x00"

#: Encoded JSON, or text, that does not match this has no secret. It is for RE2, which knows nothing
#: of what stands before: so where words begin is left out.
ANYTHING: Final = "|".join([*(shape.hint for shape in SHAPES if shape.hint), _NAMED, _HIDDEN])


def kind_of_name(name: str) -> str | None:
    """Return what a member of an object is if its name says that it is secret."""
    return next((kind for kind, names in _NAMES.items() if names.search(name)), None)
