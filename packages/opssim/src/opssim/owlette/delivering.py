"""Delivers what is queued for webhooks: signed, again and again until it is taken or given up."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

from opssim.core.store import JsonObject
from opssim.owlette.posting import Posted, post
from opssim.owlette.telling import QUEUE, sign
from opssim.owlette.world import World

_ATTEMPTS: Final = 10
_AT_ONCE: Final = 8
_FACTOR: Final = 3
_LONGEST_S: Final = 3600.0
_JITTER: Final = 0.2
_AGAIN: Final = frozenset({408, 425, 429})


class Deliveries:
    """Works the queue off.

    Args:
        world: where the queue is.
        first_delay_s: seconds before a delivery that failed is tried again; then three times as
            long each time, up to an hour.
    """

    def __init__(self, world: World, first_delay_s: float) -> None:
        self._world = world
        self._delay_s = first_delay_s
        self._random = random.Random(7)

    def work(self) -> bool:
        """Send what is due, and tell whether anything was."""
        now = self._world.stamp()
        due: list[tuple[str, str, JsonObject]] = []
        for key, queued in list(self._world.database.items(QUEUE)):
            delivery = self._world.database.get(queued["place"], queued["id"])
            if delivery is None or delivery["state"] != "pending":
                self._world.database.delete(QUEUE, key)
            elif delivery["nextAttemptAt"] <= now:
                due.append((key, queued["place"], delivery))
        with ThreadPoolExecutor(_AT_ONCE) as threads:  # a slow receiver does not hold up others
            sending = [threads.submit(self._send, *each) for each in due]
        for each in sending:
            each.result()  # what went wrong is not to go unseen
        return bool(due)

    def _send(self, key: str, place: str, delivery: JsonObject) -> None:
        webhooks, _, _ = place.rpartition(f"/{delivery['webhookId']}/")
        webhook = self._world.database.get(webhooks, delivery["webhookId"])
        if webhook is None or webhook["deletedAt"] is not None:
            self._world.database.delete(QUEUE, key)
            return
        body: bytes = delivery["request"]["body"].encode()
        headers = {
            "Content-Type": "application/json",
            "Roost-Event": delivery["event"],
            "Roost-Delivery": delivery["toldAs"],
            "Roost-Signature": sign(body, webhook["signingSecret"], int(time.time())),
        }
        answer = post(webhook["url"], body, headers)  # outside of any transaction: it takes time
        with self._world.database.transaction():
            webhook = self._world.database.get(webhooks, delivery["webhookId"]) or webhook
            delivery["request"] |= {"url": webhook["url"], "headers": headers}
            self._note(delivery, answer)
            webhook["lastDeliveryAt"] = self._world.stamp()
            webhook["lastDeliveryStatus"] = delivery["state"]
            failed = delivery["state"] == "failed"
            webhook["failureCount"] = webhook["failureCount"] + 1 if failed else 0
            self._world.database.put(webhooks, webhook["id"], webhook)
            self._world.database.put(place, delivery["id"], delivery)
            if delivery["state"] != "pending":
                self._world.database.delete(QUEUE, key)

    def _note(self, delivery: JsonObject, answer: Posted) -> None:
        """Write down what came of an attempt, and when the next one is."""
        delivery["attempt"] += 1
        delivery["lastStatus"] = answer.status
        delivery["lastError"] = answer.error or None
        delivery["response"] = None
        if answer.status is not None:
            delivery["response"] = {
                "status": answer.status,
                "headers": dict(answer.headers),
                "body": answer.body,
                "durationMs": answer.milliseconds,
            }
        status = answer.status
        is_taken = status is not None and 200 <= status < 300
        may_repeat = status is None or status in _AGAIN or status >= 500
        delivery["nextAttemptAt"] = None
        if not is_taken and may_repeat and delivery["attempt"] < _ATTEMPTS:
            delay = self._delay_s * _FACTOR ** (delivery["attempt"] - 1)
            delay = min(delay, _LONGEST_S) * self._random.uniform(1 - _JITTER, 1 + _JITTER)
            delivery["nextAttemptAt"] = self._world.stamp(timedelta(seconds=delay))
            return
        delivery["state"] = "succeeded" if is_taken else "failed"
        delivery["completedAt"] = self._world.stamp()
        if may_repeat and not is_taken:
            delivery["lastError"] = "retry_exhausted"
