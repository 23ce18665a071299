"""The organisation behind the API: its people, tests, test plans and events."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Final

from opssim.core.clock import Clock, iso_utc
from opssim.core.stamps import StampForm
from opssim.core.store import JsonObject, Row, Table, encode
from opssim.roost import vocabulary
from opssim.roost.entities import entity_fields, entity_key, new_entity, new_id, new_labels
from opssim.roost.events import (
    Origin,
    event_fields,
    finish,
    new_event,
    origin_of,
    past_event,
)
from opssim.roost.runs import Executions, Run
from opssim.roost.secret_paths import SECRET_COLUMNS, secrets_in

TESTS: Final = "tests"
TEST_PLANS: Final = "test_plans"
EVENTS: Final = "events"

#: Generated rows lie within this time before the clock's start,
_PAST: Final = timedelta(days=730)
#: and those that have ended are at least this old, as the newest events have not.
_RECENT: Final = timedelta(hours=1)
#: One in so many events has a huge report, if the quirk asks for them.
_HUGE_EVERY: Final = 50
#: What `touch` makes of an event that nobody waits for.
_NEXT: Final = {
    "in_queue": "installing_dependencies",
    "installing_dependencies": "in_progress",
    "in_progress": "completed",
    "aborting": "aborted",
}


class Workspace:
    """Everything that the endpoints read and change.

    Args:
        random: what all rows follow from.
        tests: tests; there is one test plan for every five of them.
        events: events, the newest of which have not ended.
        huge_reports: whether some of the events have very long reports.
        run_seconds: how long a triggered event takes.
        fail_every: which of the triggered events fail; None lets all succeed.
        clock: what stamps the changes.
        form: how the stamps of rows are written.
    """

    def __init__(
        self,
        *,
        random: Random,
        tests: int,
        events: int,
        huge_reports: bool,
        run_seconds: float,
        fail_every: int | None,
        clock: Clock,
        form: StampForm,
    ) -> None:
        if events and not tests:
            msg = f"{events} events without a test: an event belongs to a test, so ask for some"
            raise ValueError(msg)
        self.clock = clock
        self.form = form
        self.tables = {
            TESTS: Table(TESTS, key=entity_key, fields=entity_fields, form=form),
            TEST_PLANS: Table(TEST_PLANS, key=entity_key, fields=entity_fields, form=form),
            EVENTS: Table(EVENTS, key=entity_key, fields=event_fields, form=form),
        }
        self.random = random
        self.executions = Executions(run_seconds)
        self._run_seconds = run_seconds
        self._fail_every = fail_every
        self._triggered = 0
        self._runs: dict[str, Run] = {}
        self._origins: list[Origin] = []
        self.app_id = new_id(self.random)
        self.users = [
            {"id": new_id(self.random), "first_name": first, "last_name": last}
            | {"email": f"user{number}@example.com"}
            for number, (first, last) in enumerate(vocabulary.PEOPLE, start=1)
        ]
        self._user_json = {
            user["id"]: encode({user["id"]: {k: v for k, v in user.items() if k != "id"}})[1:-1]
            for user in self.users
        }
        self.token = self._token()
        self._fill(TESTS, tests)
        self._fill(TEST_PLANS, -(-tests // 5))
        self._fill_events(events, huge_reports=huge_reports)

    @property
    def owner_id(self) -> str:
        """The user whose token it is."""
        return self.users[0]["id"]

    def users_json(self, ids: set[str]) -> bytes:
        """Return the `users` of an envelope: those of its rows, by id."""
        parts = [self._user_json[user] for user in sorted(ids) if user in self._user_json]
        return b"{" + b",".join(parts) + b"}"

    def find_entity(self, entity_id: str) -> Row | None:
        """Return a test or a test plan."""
        return self.table_of(entity_id).get(entity_id)

    def table_of(self, entity_id: str) -> Table:
        """Return the table that a test or a test plan is in."""
        plans = self.tables[TEST_PLANS]
        return plans if entity_id in plans else self.tables[TESTS]

    def name_of(self, test_id: str) -> str:
        """Return the name of a test, or an empty one."""
        row = self.find_entity(test_id)
        return row.fields["name"] if row else ""

    def secrets(self) -> frozenset[str]:
        """Return the token and every secret in the rows, those that a client sent included."""
        texts = {
            (column, data[column])
            for table in self.tables.values()
            for data in (row.data() for row in table)
            for column in SECRET_COLUMNS
            if data[column]
        }
        found = {secret for column, text in texts for secret in secrets_in(column, text)}
        return frozenset(found | {self.token})

    # What happens to the rows

    def insert(self, table: str, count: int) -> None:
        """Add new tests or test plans, or events that wait in the queue."""
        for _ in range(count):
            now = self.clock.now()
            user_id = self._any_user()
            if table == EVENTS:
                origin = self.random.choice(self._origins)
                event = new_event(self.random, origin, user_id=user_id, begun=now)
                self.tables[EVENTS].insert(event)
            else:
                self.add_entity(
                    table,
                    new_entity(
                        self.random, user_id=user_id, app_id=self.app_id, created=now, updated=now
                    ),
                )

    def touch(self, table: str, count: int) -> None:
        """Change rows: unfinished events first take their next step, others get new labels."""
        rows = self.tables[table]
        keys = rows.keys()
        if table == EVENTS:
            waiting = [
                row.key
                for row in rows
                if row.fields["status"] in vocabulary.UNFINISHED and row.key not in self._runs
            ]
            chosen = waiting[:count]
            left = sorted(set(keys) - set(chosen) - self._runs.keys())
        else:
            chosen, left = [], sorted(keys)
        chosen += self.random.sample(left, min(count - len(chosen), len(left)))
        change = self._next_step if table == EVENTS else self._relabel
        for key in chosen:
            rows.update(key, change)

    def delete(self, table: str, key: str) -> None:
        """Remove a row; new events belong to other tests from now on, as long as there are any."""
        self.tables[table].delete(key)
        if table == TESTS:
            left = [origin for origin in self._origins if origin.test_id != key]
            self._origins = left or self._origins

    def add_entity(self, table: str, entity: JsonObject) -> Row:
        """Add a test or a test plan, so that events can be triggered for it."""
        if table == TESTS:
            self._origins.append(origin_of(entity))
        return self.tables[table].insert(entity)

    def trigger(self, entity: JsonObject, retrigger: JsonObject | None) -> Row:
        """Begin an event that ends by itself."""
        self._triggered += 1
        fails = bool(self._fail_every) and self._triggered % (self._fail_every or 1) == 0
        begun = self.clock.now()
        event = new_event(
            self.random,
            origin_of(entity),
            user_id=self.owner_id,
            begun=begun,
            retrigger=retrigger,
        )
        self._runs[event["id"]] = Run(begun, "failed" if fails else "completed")
        return self.tables[EVENTS].insert(event)

    def abort(self, event: Row) -> Row:
        """Begin to abort an unfinished event."""
        now = self.clock.now()
        run = self._runs.setdefault(event.key, Run(now, "aborted"))
        run.aborted = run.aborted or now
        self.advance()
        return self.tables[EVENTS].get(event.key) or event

    def advance(self) -> None:
        """Let the runs be where they ought to be by now."""
        if not self._runs:
            return
        now = self.clock.now()
        for event_id, run in list(self._runs.items()):
            status, ended = run.state(now, self._run_seconds)
            row = self.tables[EVENTS].get(event_id)
            if row is not None and row.fields["status"] != status:
                self.tables[EVENTS].update(event_id, self._change_to(status, now, ended))
            if ended is not None:
                del self._runs[event_id]

    def _change_to(
        self, status: str, now: datetime, ended: datetime | None
    ) -> Callable[[JsonObject], None]:
        def change(event: JsonObject) -> None:
            if ended is not None:
                self._finish(event, status, ended, now)
                return
            event["status"] = status
            event["status_details"] = vocabulary.STATUS_DETAILS[status]
            event["modification_time"] = iso_utc(now)

        return change

    def _finish(self, event: JsonObject, status: str, ended: datetime, noticed: datetime) -> None:
        row = self.find_entity(event["test_id"])
        # what has been deleted meanwhile is no reason for a run not to end
        origin = origin_of(row.data()) if row else self._origins[0]
        finish(self.random, event, origin, status=status, ended=ended, noticed=noticed)

    def _next_step(self, event: JsonObject) -> None:
        now = self.clock.now()
        status = _NEXT.get(event["status"])
        if status in {"completed", "aborted"}:
            self._finish(event, status, now, now)
        elif status is not None:
            self._change_to(status, now, None)(event)
        else:
            event["labels"] = new_labels(self.random)
            event["modification_time"] = iso_utc(now)

    def _relabel(self, entity: JsonObject) -> None:
        entity["labels"] = new_labels(self.random)
        entity["updated_on"] = iso_utc(self.clock.now())

    # How the rows come about

    def _fill(self, table: str, count: int) -> None:
        start = self.clock.start
        for number in range(count):
            # never after its share of the time, so that no event is older than its test
            part = max(0.0, number - self.random.random()) / count
            created = start - _RECENT - _PAST * (1 - part)
            updated = created + (start - created) * self.random.random() ** 2
            self.add_entity(
                table,
                new_entity(
                    self.random,
                    user_id=self._any_user(),
                    app_id=self.app_id,
                    created=created,
                    updated=updated,
                ),
            )

    def _fill_events(self, count: int, *, huge_reports: bool) -> None:
        start = self.clock.start
        unfinished = min(5, count // 20)
        past = count - unfinished
        for number in range(past):
            part = (number + self.random.random()) / past
            # a test has events from its creation on, and tests are made evenly over the time
            origin = self._origins[int(self.random.random() * part * len(self._origins))]
            self.tables[EVENTS].insert(
                past_event(
                    self.random,
                    origin,
                    user_id=self._any_user(),
                    begun=start - _RECENT - _PAST * (1 - part),
                    until=start,
                    huge=huge_reports and number % _HUGE_EVERY == 7,
                )
            )
        for number in range(unfinished):
            statuses = ("in_progress", "in_progress", "installing_dependencies", "in_queue")
            event = new_event(
                self.random,
                self.random.choice(self._origins),
                user_id=self._any_user(),
                begun=start - timedelta(minutes=7 * (unfinished - number)),
                status=statuses[min(number, 3)],
            )
            self.tables[EVENTS].insert(event)

    def _any_user(self) -> str:
        return self.random.choice(self.users)["id"]

    def _token(self) -> str:
        """Return what looks like the JSON Web Token of the owner."""
        issued = int(self.clock.start.timestamp())
        parts = (
            encode({"alg": "HS256", "typ": "JWT"}),
            encode({"id": self.owner_id, "app": self.app_id, "iat": issued, "exp": issued + 86400}),
            self.random.randbytes(32),
        )
        return ".".join(base64.urlsafe_b64encode(p).decode().rstrip("=") for p in parts)
