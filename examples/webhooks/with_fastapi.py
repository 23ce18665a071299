"""Receive Owlette's webhooks with FastAPI: `WEBHOOK_SECRET=whsec_... uvicorn with_fastapi:app`."""

import os

from fastapi import FastAPI, HTTPException, Request

from roost import WebhookEvent, WebhookReceiver, WebhookSignatureError

app = FastAPI()
receiver = WebhookReceiver(os.environ["WEBHOOK_SECRET"])


async def handle(event: WebhookEvent) -> None:
    print(event.event, event.site_id, event.data)


@app.post("/hooks/roost")
async def hook(request: Request) -> dict[str, str]:
    try:
        event = receiver.receive(request.headers, await request.body())
    except WebhookSignatureError as error:
        raise HTTPException(401, error.reason) from None
    except ValueError as error:
        raise HTTPException(400, str(error)) from None
    if event is None:
        return {"status": "told before"}
    try:
        await handle(event)
    except BaseException:
        receiver.forget(event)  # it is told again, as this one is answered with 500
        raise
    return {"status": "ok"}
