"""Tests and test plans: the rows of `test_gpt`, which the API calls TestGptEntity."""

from __future__ import annotations

import random
import uuid
from datetime import datetime
from typing import Any

import msgspec

from opssim.core.clock import iso_utc
from opssim.core.store import JsonObject, encode
from opssim.roost import vocabulary
from opssim.roost.reports import Subject


def new_id(rng: random.Random) -> str:
    """Return a random UUID."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def new_secret(rng: random.Random, kind: str) -> str:
    """Return a secret that nobody can take for a real one, or overlook in a log."""
    return f"{kind}-sim-{rng.getrandbits(96):024x}"


def text_of(value: Any) -> str:
    """Return a value as the JSON text that a column holds."""
    return encode(value).decode()


def new_entity(
    rng: random.Random, *, user_id: str, app_id: str, created: datetime, updated: datetime
) -> JsonObject:
    """Return a test with everything that its creator may have filled in."""
    service = rng.choice(vocabulary.SERVICES)
    git_type = rng.choice(vocabulary.GIT_TYPES)
    branch = rng.choice(vocabulary.BRANCHES)
    test_type = rng.choice(vocabulary.TEST_TYPES)
    stack = rng.choice(vocabulary.STACKS)
    return {
        "id": new_id(rng),
        "user_id": user_id,
        "thirdparty_app_id": app_id,
        "test_name": f"{service}-{test_type} {rng.choice(vocabulary.TITLES)}",
        "git_info": text_of(_git_info(rng, service, git_type, branch)),
        "ai_model_info": text_of(_ai_model_info(rng)),
        "integration_info": text_of(_integration_info(rng)),
        "additional_info": text_of(_additional_info(rng, test_type, stack)),
        "ui_test_info": text_of({"url": f"https://{service}.example.com", "browser": "chromium"})
        if test_type == "ui-test"
        else None,
        "trigger_events": rng.choice(('["push","pr_create"]', '["push"]', "[]")),
        "created_on": iso_utc(created),
        "updated_on": iso_utc(updated),
        "deleted": int(rng.random() < 0.02),
        "test_timeout": rng.choice((0.5, 1, 1, 2, 4)),
        "webhook_error": "Hook already exists" if rng.random() < 0.05 else None,
        "test_framework": stack[1],
        "git_type": git_type,
        "source_repo": f"acme/{service}",
        "source_branch": branch,
        "connector_ids": text_of([new_id(rng)] if rng.random() < 0.2 else []),
        "git_ops": int(rng.random() < 0.8),
        "labels": new_labels(rng),
        "test_source": "jira_plugin" if rng.random() < 0.1 else None,
        "test_scope": rng.choice(("owner", "team", "organization")),
    }


def new_labels(rng: random.Random) -> str | None:
    """Return the text of a list of labels, or None for a test that never had any."""
    if rng.random() < 0.2:
        return None
    return text_of(sorted(rng.sample(vocabulary.LABELS, rng.randrange(4))))


def _git_info(rng: random.Random, service: str, git_type: str, branch: str) -> JsonObject:
    repo = {
        "key": service,
        "title": service,
        "id": str(rng.randrange(1000, 99999)),
        "owner": "acme",
        "default_branch": "main",
    }
    return {
        "type": "source",
        "host_type": git_type,
        "source_repo_pr": rng.random() < 0.3,
        "selected_path": "src/main",
        "max_depth": rng.randrange(1, 6),
        "source": {
            "access_token": new_secret(rng, "git"),
            "repository_type": "private",
            "selected_branch": branch,
            "selected_repo": repo,
        },
        "target": {
            "access_token": new_secret(rng, "git"),
            "selected_branch": branch,
            "selected_repo": repo,
        },
    }


def _ai_model_info(rng: random.Random) -> JsonObject:
    provider, model = rng.choice(vocabulary.MODELS)
    return {
        "selected_model": provider,
        "model": model,
        "ai_temperature": rng.choice((0, 0.2, 0.7)),
        "access_token": new_secret(rng, "sk"),
    }


def _integration_info(rng: random.Random) -> JsonObject:
    kind = rng.random()
    if kind < 0.25:
        return {
            "type": "jira",
            "jira_id": f"SHOP-{rng.randrange(1, 9999)}",
            "jira_host_name": "https://acme.example.net",
            "jira_email": "bot@example.com",
            "jira_password": new_secret(rng, "jira"),
        }
    if kind < 0.4:
        return {
            "type": "azure",
            "azure_org": "acme",
            "azure_project": "Shop",
            "azure_work_item_id": str(rng.randrange(1, 9999)),
            "azure_token": new_secret(rng, "azure"),
        }
    return {"type": "none"}


def _additional_info(
    rng: random.Random, test_type: str, stack: tuple[str, str, str, str, str]
) -> JsonObject:
    language, framework, _, version_key, version = stack
    info: JsonObject = {
        "test_type": test_type,
        "language": language,
        "iterations": str(rng.randrange(1, 4)),
        "user_language": "english",
        "test_framework": framework,
        "log_type": "none",
        "dependency_versions": {version_key: {"key": version, "title": f"{language} {version}"}},
        "custom_prompt": 'Prüfe auch Grenzfälle.\nUse "real" names' if rng.random() < 0.3 else "",
        "env_config": [{"key": "REGION", "value": "eu-central-1", "type": "text", "secret": False}],
    }
    if rng.random() < 0.5:
        secret = new_secret(rng, "env")
        info["env_config"].append(
            {"key": "DB_PASSWORD", "value": secret, "type": "text", "secret": True}
        )
    if rng.random() < 0.25:
        info["slackConfig"] = {
            "slackChannel": {"key": "C024BE91L", "title": "#qa"},
            "slackToken": new_secret(rng, "slack"),
        }
    if rng.random() < 0.15:
        info["msTeamsConfig"] = {
            "ms_teams_name": {"key": "qa", "title": "Qualität"},
            "ms_teams_channel": {"key": "general", "title": "Allgemein"},
            "ms_teams_access_token": new_secret(rng, "teams"),
        }
    if rng.random() < 0.15:
        info["log_type"] = "logstash"
        info["log_stash_url"] = "https://logs.example.net"
        info["log_stash_api_key"] = new_secret(rng, "logkey")
        info["log_stash_token"] = new_secret(rng, "logtoken")
    if rng.random() < 0.15:
        info["cloudWatchConfig"] = {
            "enabled": True,
            "cw_region": "eu-central-1",
            "cw_credentials": {
                "credentials_input_type": "input",
                "access_key_id": new_secret(rng, "awsid"),
                "secret_access_key": new_secret(rng, "aws"),
                "session_token": new_secret(rng, "awssession"),
            },
        }
    return info


def entity_key(data: JsonObject) -> str:
    """Return the id of a row."""
    return str(data["id"])


def entity_fields(data: JsonObject) -> JsonObject:
    """Return what the lists of tests filter and sort by."""
    info = msgspec.json.decode(data["additional_info"], type=JsonObject)
    return {
        "user_id": data["user_id"],
        "created": data["created_on"],
        "name": data["test_name"],
        "test_type": info.get("test_type"),
        "labels": labels_in(data["labels"]),
    }


def labels_in(text: str | None) -> frozenset[str]:
    """Return the labels of a row as a set."""
    return frozenset(msgspec.json.decode(text, type=list[str])) if text else frozenset()


def subject_of(entity: JsonObject) -> Subject:
    """Return what the reports of a test repeat of it."""
    model = msgspec.json.decode(entity["ai_model_info"], type=JsonObject).get("model")
    extensions = {stack[1]: stack[2] for stack in vocabulary.STACKS}
    return Subject(
        repo=entity["source_repo"] or "acme/unknown",
        branch=entity["source_branch"] or "main",
        git_type=entity["git_type"],
        model=str(model),
        extension=extensions.get(entity["test_framework"] or "", "txt"),
    )
