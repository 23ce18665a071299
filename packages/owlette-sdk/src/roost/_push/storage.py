"""Chunks to and from the storage: tried again, and by the way that the caller's client goes."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from typing import Literal
from urllib.parse import urlsplit

from roost._direct import Body, is_proxied
from roost._errors import RoostTransportError, TransferError
from roost._hooks import RequestDetails, shown_url
from roost._push.urls import UrlBook
from roost._push.workers import Workers
from roost._retry import decide
from roost._transport import Answer
from roost.client import RoostClient

__all__ = ["Storage"]

log: logging.Logger = logging.getLogger("roost")

#: How often a URL that the storage refuses is asked for anew.
_MOST_RENEWALS = 3
_OF_CHUNKS = {"content-type": "application/octet-stream"}


class Storage:
    """Sends chunks to their URLs, and fetches them. The API's key is not known here.

    Args:
        http: the client, for its transport, its patience and its hooks.
        workers: the threads.
        urls: where URLs come from.
    """

    def __init__(self, http: RoostClient, workers: Workers, urls: UrlBook) -> None:
        self._http = http
        self._workers = workers
        self._urls = urls
        self._proxied: dict[str, bool] = {}

    async def put(self, digest: str, body: Body) -> None:
        """Upload a chunk.

        Args:
            digest: its hash.
            body: its bytes, which threads ask for; its errors are passed on.

        Raises:
            TransferError: the storage does not take it.
            RoostTransportError: the storage does not answer.
        """
        await self._transfer("PUT", digest, body, 0)

    async def get(self, digest: str, size: int) -> bytes:
        """Download a chunk, and prove that it is the one.

        Raises:
            TransferError: the storage does not have it, or has something else.
            RoostTransportError: the storage does not answer.
        """
        answer = await self._transfer("GET", digest, None, size)
        if len(answer.body) != size or await self._workers.read(_hash_of, answer.body) != digest:
            msg = "the storage has other bytes under this hash: push the version again"
            raise TransferError(msg, digest=digest, status=None)
        return answer.body

    async def _transfer(
        self,
        method: Literal["GET", "PUT"],
        digest: str,
        body: Body | None,
        size: int,
    ) -> Answer:
        attempt, renewals = 1, 0
        while True:
            url = await self._urls.get(digest)
            failure: TransferError | RoostTransportError
            try:
                answer = await self._once(method, url, body, size, attempt)
            except RoostTransportError as error:
                verdict = decide(self._http.retry, attempt, status=None)
                failure = error
            else:
                if 200 <= answer.status < 300:
                    self._urls.done(digest)
                    return answer
                if answer.status in {401, 403} and renewals < _MOST_RENEWALS:
                    renewals += 1
                    self._urls.refuse(digest, url)
                    continue
                verdict = decide(
                    self._http.retry, attempt, status=answer.status, headers=answer.headers
                )
                failure = _refusal(method, digest, answer.status)
            if verdict.wait_s is None:
                raise failure
            log.info("chunk %s: %s; trying again in %.1f s", digest, failure, verdict.wait_s)
            await asyncio.sleep(verdict.wait_s)
            attempt += 1

    async def _once(
        self, method: str, url: str, body: Body | None, size: int, attempt: int
    ) -> Answer:
        headers = _OF_CHUNKS if body is not None else {}
        if not self._goes_direct(url):
            content = None if body is None else await self._workers.read(_joined, body)
            return await self._http.signed(
                method, url, content=content, headers=headers, timeout=self._http.timeout
            )

        def sent() -> Answer:
            return self._workers.sender.send(method, url, headers, body, most=size + 65_536)

        details = RequestDetails(method, shown_url(url), attempt, 0)
        try:
            answer = await self._workers.send(sent)
        except RoostTransportError as error:
            details.error = str(error)
            self._http.note(details)
            raise
        details.elapsed_s, details.status = answer.elapsed_s, answer.status
        self._http.note(details)
        return answer

    def _goes_direct(self, url: str) -> bool:
        if self._http.has_transport:
            return False
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"}:
            return False  # httpx says what is wrong with it
        if parts.netloc not in self._proxied:
            self._proxied[parts.netloc] = is_proxied(url)
        return not self._proxied[parts.netloc]


def _joined(body: Body) -> bytes:
    return b"".join(body.pieces())


def _hash_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _refusal(method: str, digest: str, status: int) -> TransferError:
    if method == "GET" and status == 404:
        what = "the storage does not have it (404): push the version again"
    else:
        what = f"the storage answers {method} with {status}"
    return TransferError(what, digest=digest, status=status)
