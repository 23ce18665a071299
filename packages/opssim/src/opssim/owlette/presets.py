"""Presets: what a site has ready to be used again. Three kinds, one set of endpoints each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from msgspec import UNSET, UnsetType

from opssim.owlette.endpoint import Answer, Body, Call, Endpoint, Handler
from opssim.owlette.grammar import new_id
from opssim.owlette.problems import invalid, not_found


class Preset(Body):
    """A preset: the members depend on its kind, and those that are not known are kept."""

    name: str | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of presets.

    Attributes:
        identifier: what an id is called in answers.
        needs: the members that have to be there.
    """

    name: str
    identifier: str
    needs: tuple[str, ...]

    def show_all(self, call: Call) -> Answer:
        """List the presets."""
        return Answer({"items": call.world.database.documents(self._place(call))})

    def show(self, call: Call) -> Answer:
        """Return a preset."""
        return Answer(self._found(call))

    def create(self, call: Call) -> Answer:
        """Make a preset."""
        missing = [name for name in self.needs if not call.sent.get(name)]
        if missing:
            raise invalid({f"body.{name}": ["required"] for name in missing})
        preset: dict[str, Any] = {
            "id": new_id("preset_"),
            **{name: value for name, value in call.sent.items() if name != "id"},
            "createdBy": call.caller.uid,
            "createdAt": call.world.stamp(),
            "updatedAt": call.world.stamp(),
        }
        call.world.database.put(self._place(call), preset["id"], preset)
        return Answer({self.identifier: preset["id"], "siteId": call.site_id}, 201)

    def patch(self, call: Call) -> Answer:
        """Change a preset."""
        preset = self._found(call)
        if not call.sent:
            raise invalid({"body": ["must not be empty"]})
        kept = {name: preset[name] for name in ("id", "createdBy", "createdAt")}
        changed = {**preset, **call.sent, **kept, "updatedAt": call.world.stamp()}
        call.world.database.put(self._place(call), preset["id"], changed)
        answer: dict[str, Any] = {self.identifier: preset["id"], "siteId": call.site_id}
        if self.identifier == "presetId":
            answer["isBuiltInOverride"] = bool(preset.get("isBuiltIn"))
        return Answer(answer)

    def remove(self, call: Call) -> Answer:
        """Delete a preset."""
        preset = self._found(call)
        call.world.database.delete(self._place(call), preset["id"])
        answer = {self.identifier: preset["id"], "siteId": call.site_id, "deleted": True}
        return Answer(answer)

    def _place(self, call: Call) -> str:
        return call.place("presets", self.name)

    def _found(self, call: Call) -> dict[str, Any]:
        preset = call.world.database.get(self._place(call), call.path["presetId"])
        if preset is None:
            raise not_found("preset")
        return preset

    def endpoints(self) -> Iterator[Endpoint]:
        """Yield the endpoints of this kind."""
        base = f"/api/sites/{{siteId}}/presets/{self.name}"
        one = f"{base}/{{presetId}}"
        reads: tuple[tuple[str, Handler, str], ...] = (
            (base, self.show_all, f"List the presets of {self.name}"),
            (one, self.show, f"Get a preset of {self.name}"),
        )
        for path, handler, does in reads:
            yield Endpoint(
                method="GET",
                path=path,
                handler=handler,
                does=does,
                site="path",
                scope=("site", "read"),
            )
        changes: tuple[tuple[str, str, Handler, str, int, type[Body] | None], ...] = (
            ("POST", base, self.create, "Make", 201, Preset),
            ("PATCH", one, self.patch, "Change", 200, Preset),
            ("DELETE", one, self.remove, "Delete", 200, None),
        )
        for method, path, handler, verb, status, body in changes:
            yield Endpoint(
                method=method,
                path=path,
                handler=handler,
                does=f"{verb} a preset of {self.name}",
                site="path",
                scope=("site", "write"),
                capability="PRESET_MANAGE",
                idempotency="optional",
                body=body,
                answers=(status,),
            )


_KINDS: Final = (
    _Kind("schedule", "presetId", ("name",)),
    _Kind("reboot", "presetId", ("name",)),
    _Kind("distribution", "presetId", ("name",)),
    _Kind(
        "deployment-template",
        "templateId",
        ("name", "installer_name", "installer_url", "silent_flags"),
    ),
)

ENDPOINTS: Final = tuple(endpoint for kind in _KINDS for endpoint in kind.endpoints())
