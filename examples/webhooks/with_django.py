"""Receive Owlette's webhooks with Django: `WEBHOOK_SECRET=whsec_... python with_django.py`.

It is a whole project in one file. In a project of your own, `hook` is a view as any other.
"""

import os
import sys

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import execute_from_command_line
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from roost import WebhookEvent, WebhookReceiver, WebhookSignatureError

receiver = WebhookReceiver(os.environ["WEBHOOK_SECRET"])


def handle(event: WebhookEvent) -> None:
    print(event.event, event.site_id, event.data)


@csrf_exempt  # the signature tells who asks, which a form's token cannot
@require_POST
def hook(request: HttpRequest) -> HttpResponse:
    try:
        event = receiver.receive(request.headers, request.body)
    except WebhookSignatureError as error:
        return HttpResponse(error.reason, status=401)
    except ValueError as error:
        return HttpResponse(str(error), status=400)
    if event is None:
        return HttpResponse("told before")
    try:
        handle(event)
    except BaseException:
        receiver.forget(event)  # it is told again, as this one is answered with 500
        raise
    return HttpResponse("ok")


urlpatterns = [path("hooks/roost", hook)]
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["localhost", "127.0.0.1"])
app = WSGIHandler()

if __name__ == "__main__":
    execute_from_command_line([sys.argv[0], "runserver", "--noreload"])
