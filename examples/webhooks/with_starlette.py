"""Receive Owlette's webhooks with Starlette.

`WEBHOOK_SECRET=whsec_... uvicorn with_starlette:app`
"""

import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from roost import WebhookEvent, WebhookReceiver, WebhookSignatureError

receiver = WebhookReceiver(os.environ["WEBHOOK_SECRET"])


async def handle(event: WebhookEvent) -> None:
    print(event.event, event.site_id, event.data)


async def hook(request: Request) -> PlainTextResponse:
    try:
        event = receiver.receive(request.headers, await request.body())
    except WebhookSignatureError as error:
        return PlainTextResponse(error.reason, 401)
    except ValueError as error:
        return PlainTextResponse(str(error), 400)
    if event is None:
        return PlainTextResponse("told before")
    try:
        await handle(event)
    except BaseException:
        receiver.forget(event)  # it is told again, as this one is answered with 500
        raise
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/hooks/roost", hook, methods=["POST"])])
