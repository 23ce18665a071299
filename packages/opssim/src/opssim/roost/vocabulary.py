"""The words of Roost's OpenAPI file, and names to make rows from."""

from __future__ import annotations

from typing import Final

TEST_TYPES: Final = (
    "unit",
    "functional",
    "artillery",
    "artillery-api-spec",
    "integration",
    "api-spec-test",
    "ui-test",
    "grpc",
)
EVENT_TYPES: Final = ("analyze", "generate", "retrigger", "improve", "support")
STATUSES: Final = (
    "installing_dependencies",
    "in_progress",
    "failed",
    "aborted",
    "timeout",
    "completed",
    "in_queue",
    "aborting",
)
UNFINISHED: Final = frozenset({"in_queue", "installing_dependencies", "in_progress", "aborting"})
GIT_TYPES: Final = ("github", "gitlab", "bitbucket", "azure")
GIT_HOSTS: Final = {
    "github": "https://github.com",
    "gitlab": "https://gitlab.com",
    "bitbucket": "https://bitbucket.org",
    "azure": "https://dev.azure.com",
}
ORDERS: Final = {
    "creation_time": "time",
    "completion_time": "completion_time",
    "modification_time": "modification_time",
}
WINDOWS: Final = {"Last-1Day": 1, "Last-7Days": 7, "Last-14Days": 14, "Last-30Days": 30}

STATUS_DETAILS: Final = {
    "in_queue": "Waiting for a free worker",
    "installing_dependencies": "Installing dependencies",
    "in_progress": "Generating tests",
    "aborting": "Abort requested",
    "aborted": "Aborted by the user",
    "completed": "Test generation completed",
    "timeout": "Stopped: the time limit of the test was reached",
    "failed": "Compilation failed:\nerror: cannot find symbol »Währung«",
}
#: How events end, as often as they do.
OUTCOMES: Final = ("completed",) * 16 + ("failed", "failed", "timeout", "aborted")

METHOD_STATUSES: Final = (
    "successfully_executed",
    "successfully_executed",
    "successfully_executed",
    "successfully_generated",
    "compilation_error",
    "to_be_processed",
)

#: Language, test framework, file extension and the option that names the version.
STACKS: Final = (
    ("java", "JUnit5", "java", "java_version", "17"),
    ("python", "pytest", "py", "python_version", "3.12"),
    ("nodejs", "jest", "js", "node_version", "20"),
    ("go", "go-test", "go", "go_version", "1.22"),
    ("csharp", "nunit", "cs", "dotnet_version", "8.0"),
    ("cpp", "gtest", "cpp", "cpp_version", "20"),
)
MODELS: Final = (
    ("openai", "gpt-4"),
    ("azure_open_ai", "gpt-4o"),
    ("claude_ai_model", "claude-3-5-sonnet"),
    ("vertexai", "gemini-1.5-pro"),
    ("deepseek_ai", "deepseek-coder"),
    ("bedrock_ai", "llama3-70b-instruct"),
)
SERVICES: Final = (
    "orders",
    "payments",
    "checkout",
    "inventory",
    "billing",
    "search",
    "identity",
    "shipping",
    "rechnungswesen",
    "notifications",
)
#: Endings of test names: people call their tests as they please.
TITLES: Final = (
    "regression",
    "smoke",
    "nightly",
    "Überprüfung: Beträge €",
    "決済フロー",
    "🚀 release gate",
    'the "golden" path',
    "l'étape finale",
    "API contract",
    "edge cases",
)
LABELS: Final = ("payments", "core", "nightly", "größe-xl", "決済", "team:web", "P1", "flaky")
BRANCHES: Final = ("main", "develop", "release/2026.06", "feature/überweisung", "hotfix/1234")
FOLDERS: Final = ("service", "domain", "api", "util", "größen", "支払い", "web ui", "v2.1")
NOUNS: Final = ("Order", "Invoice", "Cart", "Token", "Stock", "Beleg", "Route", "Refund", "Größe")
VERBS: Final = ("create", "cancel", "compute", "validate", "merge", "load", "prüfe", "render")
ARGUMENTS: Final = ("", "Order order", "String id, int qty", "Map<String, List<Long>> m", "δ, ε")
PEOPLE: Final = (
    ("Ada", "Sample"),
    ("Jörg", "Müller-Weiß"),
    ("愛", "佐藤"),
    ("Zoë", "O'Neill"),
    ("Łukasz", "Żak"),
    ("Priya", "Raghunathan"),
    ("Nguyễn", "Thị Hà"),
    ("Sam", "Okafor"),
    ("María José", "Núñez"),
    ("Olga", "Ковалёва"),
    ("Lin", "Wei 🐼"),
    ("Tom", '"TJ" Jones'),
)
