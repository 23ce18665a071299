"""Receive Owlette's webhooks with Flask: `WEBHOOK_SECRET=whsec_... flask --app with_flask run`."""

import os

from flask import Flask, request

from roost import WebhookEvent, WebhookReceiver, WebhookSignatureError

app = Flask(__name__)
receiver = WebhookReceiver(os.environ["WEBHOOK_SECRET"])


def handle(event: WebhookEvent) -> None:
    print(event.event, event.site_id, event.data)


@app.post("/hooks/roost")
def hook() -> tuple[str, int]:
    try:
        event = receiver.receive(request.headers, request.get_data())
    except WebhookSignatureError as error:
        return error.reason, 401
    except ValueError as error:
        return str(error), 400
    if event is None:
        return "told before", 200
    try:
        handle(event)
    except BaseException:
        receiver.forget(event)  # it is told again, as this one is answered with 500
        raise
    return "ok", 200
