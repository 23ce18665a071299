"""All of it, on a simulated Owlette: push, watch the canary, break a machine, roll back.

    opssim serve owlette          # in another terminal; copy the lines that it says to export
    python whole_workflow.py FOLDER

FOLDER is one to push, such as the one that `opssim` has made. A webhook on this machine is told of
everything on the way.
"""

import asyncio
import json
import os
import shutil
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

from roost import (
    DeploymentDetail,
    DeploymentFailedError,
    DeployOptions,
    PushOptions,
    RollbackOptions,
    Roost,
    WebhookReceiver,
    WebhookSignatureError,
)

URL = os.environ["OWLETTE_API_URL"]
SITE = os.environ["OWLETTE_SITE"]
ROOST = "rst_whole_workflow"
EVENTS = ["version.published", "deployment.completed", "deployment.failed", "version.rolled_back"]


class Hook:
    """A receiver of webhooks: tells what it is told, and lets others wait for it.

    Attributes:
        url: where it is told.
        receiver: set when the secret is known, which is before anything is told.
    """

    def __init__(self) -> None:
        self.receiver: WebhookReceiver | None = None
        self._told: set[str] = set()
        self._changed = threading.Condition()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(hook.take(dict(self.headers.items()), body))
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/owlette"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Take what came, and return the status to answer with."""
        if self.receiver is None:
            return 503
        try:
            event = self.receiver.receive(headers, body)
        except WebhookSignatureError:
            return 401
        if event is not None:
            print(f"  webhook: {event.event}")
            with self._changed:
                self._told.add(event.event)
                self._changed.notify_all()
        return 200

    def wait(self, event: str) -> None:
        """Wait until an event was told."""
        with self._changed:
            if not self._changed.wait_for(lambda: event in self._told, timeout=20):
                sys.exit(f"nobody was told of {event}")

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def break_machine(machine: str) -> None:
    """Let a machine fail from now on, which only a simulated one can be told."""
    body = json.dumps({"machine": machine, "site": SITE}).encode()
    with urllib.request.urlopen(f"{URL}/_sim/actions/break_machine", body):  # noqa: S310
        print(f"{machine} is broken")


def show(rollout: DeploymentDetail) -> None:
    """Tell how far a rollout is."""
    every = rollout["canaryStatus"] + rollout["fleetStatus"]
    states = ", ".join(f"{each['machineId']} {each['status']}" for each in every)
    print(f"  {rollout['stage']}: {states}")


async def push(client: Roost, folder: Path, targets: list[str]) -> str:
    """Publish a folder, which starts a rollout to the targets, and return the version."""
    options = PushOptions(SITE, name="The whole workflow", targets=targets)
    result = await client.roosts.push(folder, ROOST, options)
    new = f"{result.stats.uploaded_chunks} of {result.stats.unique_chunks} chunks were new"
    print(f"published version {result.version_number}: {new}")
    return result.version_id


async def run(client: Roost, folder: Path, hook: Hook) -> None:
    identity = await client.account.whoami()
    print(f"key of {identity.email}, role {identity.role}")
    machines = [each.id for each in await client.machines.list(SITE)][:3]
    subscription = await client.webhooks.subscribe(SITE, hook.url, EVENTS)
    hook.receiver = WebhookReceiver(subscription["signingSecret"])

    good = await push(client, folder, machines)
    await client.deployments.wait(
        ROOST, good, site_id=SITE, timeout=60, interval=0.1, on_change=show
    )
    again = await client.roosts.deploy(ROOST, DeployOptions(SITE, dry_run=True))
    print(f"a deploy would go to {', '.join(again.canary)} first")

    for machine in machines:
        break_machine(machine)
    (folder / "index.html").write_text("<!doctype html>\n<title>the next one</title>\n")
    bad = await push(client, folder, machines)
    try:
        await client.deployments.wait(
            ROOST, bad, site_id=SITE, timeout=60, interval=0.1, on_change=show
        )
    except DeploymentFailedError as error:
        print(error)
    back = await client.roosts.rollback(ROOST, RollbackOptions(SITE))
    print(f"back to version {back.current_version_number}")
    for event in EVENTS:
        await asyncio.to_thread(hook.wait, event)


async def main(folder: str) -> None:
    hook = Hook()
    try:
        async with Roost(token=os.environ["OWLETTE_TOKEN"], api_url=URL) as client:
            with TemporaryDirectory() as copy:  # the second version has a file that differs
                await run(client, Path(shutil.copytree(folder, Path(copy, "wall"))), hook)
    finally:
        hook.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
