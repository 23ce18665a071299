"""The words that rows are made of, with the letters and signs that real ones contain."""

from __future__ import annotations

#: First and last names; every pair may meet.
FIRST_NAMES = (
    "Ada", "Jürgen", "Łukasz", "Zoë", "Nguyễn", "José", "Ólafur", "小龍", "さくら", "Amélie",
    "Grace", "Dmitri", "Priya", "Søren", "Chinonso", "Leila", "Tomáš", "Ingrid", "Kofi", "Mateo",
)  # fmt: skip
LAST_NAMES = (
    "Müller", "O'Brien", "Żółć", "Sample", "García Márquez", "李", "田中", "van den Berg",
    "Þórsdóttir", "Okafor", "Dvořák", "Smith", "Nørgård", "Patel", "D'Angelo", "Çelik", "Moreau",
)  # fmt: skip
TIME_ZONES = (
    "America/Los_Angeles", "Europe/Zurich", "Asia/Tokyo", "America/New_York", "Asia/Kolkata",
    "Europe/London", "Australia/Sydney", "America/Sao_Paulo",
)  # fmt: skip

SERVICES = (
    "Checkout API", "Payments Gateway", "Identity", "Search", "Suche (Zürich)", "Notifications",
    "Ledger", "Inventory", "注文サービス", "Recommendations", "Web Frontend", "Mobile BFF",
    "Fraud Detection", "Invoice Rendering", "Data Warehouse Loader", "Feature Flags",
    "Media Transcoder", "Partner Webhooks", "Email Relay", "Session Store", "Pricing Engine",
    "Étiquettes", "Log Pipeline", "Edge Proxy", "Customer “360”", "Shipping Quotes",
    "Tax Calculator", "Chat Support", "GraphQL Router", "Billing Cron",
)  # fmt: skip
TEAMS = (
    "Payments", "Platform", "Identität & Zugriff", "Data", "SRE", "Mobile", "Growth", "Logistik",
    "カスタマーサポート", "Security", "Web", "Partner Integrations",
)  # fmt: skip
ENVIRONMENTS = ("Production", "Staging", "Development", "EU Sovereign")
FUNCTIONALITIES = ("Login", "Checkout", "Search", "Refunds", "Reporting", "Onboarding")
INCIDENT_TYPES = ("Availability", "Security", "Data Loss", "Performance", "Third Party")
SEVERITIES = (
    ("SEV0", "critical", "The business stands still"),
    ("SEV1", "critical", "Critical customer impact"),
    ("SEV2", "high", "A large part of the customers is affected"),
    ("SEV3", "medium", "Noticed by some customers"),
    ("SEV4", "low", "Noticed by nobody yet"),
)
URGENCIES = ("High", "Medium", "Low")
COLORS = ("#FCF2CF", "#D7F5E1", "#E9E2FF", "#FAE6E8", "#FAEEE6")
MANAGERS = ("web", "admin_web", "api", "terraform", "pulumi", "backstage", "catalog_sync")

#: Titles of incidents and alerts; {0} is a service, {1} a number.
TITLES = (
    "{0}: p99 latency above {1} ms",
    "{0} answers {1}% of requests with 503",
    "🔥 {0} is down in eu-west-1",
    "Zahlungsausfall in Zürich: „{0}“ antwortet nicht",
    "東京リージョンで {0} が停止しています ({1} 件)",
    'Customers see "500 Internal Server Error" from {0}',
    "{0}: queue depth {1} and rising\nsince the last deploy",
    "Certificate of {0} expires in {1} hours",
    "Disk {1}% full on the primary of {0}",
    "{0} → cache stampede \\ retry storm",
    "Deploy of {0} rolled back after {1} failed checks",
    "Requête lente: {0} dépasse {1} s",
    "{0}:\tunexpected NULLs in {1} rows; owner's checks failed",
)
SUMMARIES = (
    "A deploy raised the error rate; it was rolled back.",
    "Upstream provider outage. See the status page — nothing to do on our side.",
    'The on-call engineer restarted the pods.\n\n* cause: "connection pool exhausted"\n* fix: TBD',
    "Ursache: abgelaufenes Zertifikat. Lösung: erneuert. 👍",
    "原因調査中",
    "",
    None,
)
MITIGATIONS = ("rolled back", "failed over to eu-central-1", "Schalter umgelegt", "重启了服务")
RESOLUTIONS = ("fix deployed", "provider recovered", "endgültig behoben ✅", "config corrected")
CANCELLATIONS = ("false alarm", "duplicate", "Übung beendet")
ALERT_SOURCES = (
    "datadog", "pagerduty", "grafana", "sentry", "alertmanager", "cloud_watch", "manual",
    "generic_webhook", "new_relic", "heartbeat",
)  # fmt: skip
REGIONS = ("eu-west-1", "us-east-1", "ap-northeast-1", "südwest-2")
