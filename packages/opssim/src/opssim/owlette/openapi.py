"""The OpenAPI document of the simulated routes, made of their declarations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from opssim.core.store import JsonObject
from opssim.owlette.endpoint import VERSION, Endpoint
from opssim.owlette.problems import MEDIA_TYPE

_NAME: Final = re.compile(r"\{(\w+)\}")
_TEXT: Final = {"type": "string"}


def openapi_of(endpoints: Sequence[Endpoint]) -> JsonObject:
    """Return the document."""
    bodies = sorted({each.body for each in endpoints if each.body}, key=lambda kind: kind.__name__)
    references, components = msgspec.json.schema_components(
        bodies, ref_template="#/components/schemas/{name}"
    )
    schemas = dict(zip(bodies, references, strict=True))
    paths: dict[str, JsonObject] = {}
    for each in endpoints:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, schemas)
    problem: JsonObject = {
        "type": "object",
        "required": ["type", "title", "status", "code"],
        "properties": {
            "type": _TEXT,
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
            "code": _TEXT,
            "requestId": _TEXT,
            "errors": {"type": "object"},
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Owlette, simulated", "version": VERSION},
        "paths": paths,
        "components": {
            "schemas": {**components, "Problem": problem},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}],
    }


def _operation(endpoint: Endpoint, schemas: dict[Any, JsonObject]) -> JsonObject:
    name = re.sub(r"\W+", "_", f"{endpoint.method.lower()}_{endpoint.path}").strip("_")
    operation: JsonObject = {
        "operationId": name,
        "summary": endpoint.does,
        "parameters": _parameters(endpoint),
        "responses": {str(status): _response(endpoint, status) for status in endpoint.statuses()},
    }
    if endpoint.body is not None:
        operation["requestBody"] = {
            "required": any(each.required for each in msgspec.structs.fields(endpoint.body)),
            "content": {"application/json": {"schema": schemas[endpoint.body]}},
        }
    if endpoint.is_open:
        operation["security"] = []
    return operation


def _parameters(endpoint: Endpoint) -> list[JsonObject]:
    found = [_parameter(name, "path", _TEXT, needed=True) for name in _NAME.findall(endpoint.path)]
    if endpoint.site == "query":
        found.append(_parameter("siteId", "query", _TEXT, needed=True))
    for name, schema in endpoint.query.items():
        found.append(_parameter(name, "query", schema, needed=name in endpoint.needs))
    if endpoint.paging is not None:
        size = {"type": "integer", "minimum": 1, "maximum": endpoint.paging.most}
        found.append(_parameter("page_size", "query", size))
        found.append(_parameter("page_token", "query", _TEXT))
    if endpoint.idempotency:
        key = {"type": "string", "minLength": 1, "maxLength": 255}
        needed = endpoint.idempotency == "required"
        found.append(_parameter("Idempotency-Key", "header", key, needed=needed))
    if endpoint.of_roosts:
        version = {"type": "string", "enum": [VERSION]}
        found.append(_parameter("Roost-Version", "header", version))
    return found


def _parameter(name: str, where: str, schema: JsonObject, *, needed: bool = False) -> JsonObject:
    return {"name": name, "in": where, "required": needed, "schema": schema}


def _response(endpoint: Endpoint, status: int) -> JsonObject:
    if status < 300:
        kind = endpoint.media_type.partition(";")[0]
        schema: JsonObject = {"type": "object"} if kind == "application/json" else _TEXT
        return {"description": "done", "content": {kind: {"schema": schema}}}
    reference = {"$ref": "#/components/schemas/Problem"}
    kind = MEDIA_TYPE.partition(";")[0]
    return {"description": "refused", "content": {kind: {"schema": reference}}}
