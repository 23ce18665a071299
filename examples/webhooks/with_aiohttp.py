"""Receive Owlette's webhooks with aiohttp: `WEBHOOK_SECRET=whsec_... python with_aiohttp.py`."""

import os

from aiohttp import web

from roost import WebhookEvent, WebhookReceiver, WebhookSignatureError

receiver = WebhookReceiver(os.environ["WEBHOOK_SECRET"])


async def handle(event: WebhookEvent) -> None:
    print(event.event, event.site_id, event.data)


async def hook(request: web.Request) -> web.Response:
    try:
        event = receiver.receive(request.headers, await request.read())
    except WebhookSignatureError as error:
        return web.Response(text=error.reason, status=401)
    except ValueError as error:
        return web.Response(text=str(error), status=400)
    if event is None:
        return web.Response(text="told before")
    try:
        await handle(event)
    except BaseException:
        receiver.forget(event)  # it is told again, as this one is answered with 500
        raise
    return web.Response(text="ok")


app = web.Application()
app.router.add_post("/hooks/roost", hook)

if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1")
