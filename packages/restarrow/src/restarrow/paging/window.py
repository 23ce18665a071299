"""Pages under way: fetched by threads, kept until it is their turn, handed out in order.

How it works. The caller's thread does everything but the fetching itself: it asks for page n, sends
out what may be sent, and waits until page n is there. So nothing runs while the caller works
except what was sent before; a caller who is slow holds back the reading by itself. Three things
bound what is under way or waiting: the pace (how many requests at once), twice that in pages (once
if they may be beyond the end), and bytes. Page n itself is always allowed, so that a bound can slow
reading down but never stop it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue

from restarrow.errors import ConfigurationError
from restarrow.paging.guard import LoopPolicy
from restarrow.paging.pace import Pace
from restarrow.paging.plans import Ahead
from restarrow.types import Page, Request

#: How far ahead a page is looked for that was expected elsewhere.
_FAR = 128
#: Fetches one page: `Client.fetch`, or any function that can be called from several threads.
Fetch = Callable[[Request, int], Page]


@dataclass(frozen=True, slots=True)
class WindowPolicy:
    """How far to read ahead.

    Attributes:
        most: the most requests at once, and threads. 1 reads one by one, one page ahead.
        initial: how many requests to begin with.
        least: the fewest, however slow or unwilling the API is.
        adaptive: whether to move between least and most; otherwise it is always most.
        max_bytes: the most bytes of pages that wait for their turn, as far as the size of a page
            can be foreseen: a page is taken to be as large as the largest one so far.
        speculate: whether to fetch pages ahead that may be beyond the end of the list.
        grace: seconds to wait for requests that are under way when reading ends early.
        loops: what counts as a list that never ends.
    """

    most: int = 16
    initial: int = 4
    least: int = 1
    adaptive: bool = True
    max_bytes: int = 256 * 1024 * 1024
    speculate: bool = True
    grace: float = 5.0
    loops: LoopPolicy = field(default_factory=LoopPolicy)

    def __post_init__(self) -> None:
        """Refuse a window that would not let anything through."""
        if not 1 <= self.least <= self.most or self.initial < 1 or self.max_bytes < 1:
            msg = "a window needs 1 <= least <= most, initial >= 1 and max_bytes >= 1"
            raise ConfigurationError(msg)

    def pace(self) -> Pace:
        """Return the pace to begin with."""
        if not self.adaptive:
            return Pace(self.most, self.most, float(self.most))
        return Pace(self.least, self.most, float(min(max(self.initial, self.least), self.most)))


@dataclass(slots=True, eq=False)
class Job:
    """One page under way.

    Attributes:
        request: what to ask for.
        number: which page it is. It may change: a page that was expected as the fifth may be the
            sixth in the end.
        page: the page, once it is there.
        error: why it is not.
        seconds: how long it took.
        order: its place among all pages, by the time at which they were there.
    """

    request: Request
    number: int
    page: Page | None = None
    error: BaseException | None = None
    seconds: float = 0.0
    order: int = 0
    finished: bool = False
    dropped: bool = False
    future: Future[None] | None = None

    @property
    def size(self) -> int:
        """The bytes that the page holds."""
        return 0 if self.page is None else len(self.page.body)

    def numbered(self) -> Page:
        """Return the page under the number and request that it has now.

        Raises:
            BaseException: the page could not be had; whatever was raised.
        """
        if self.error is not None:
            raise self.error
        if self.page is None:
            msg = f"page {self.number} is not there yet"
            raise RuntimeError(msg)
        if self.page.number == self.number and self.page.request is self.request:
            return self.page
        return replace(self.page, number=self.number, request=self.request)


class Window:
    """The pages of one list that are under way. For one thread; `close` it in the end.

    Args:
        fetch: fetches one page.
        policy: how far to read ahead.
        throttled: tells how often the API has asked for fewer requests so far.
    """

    def __init__(
        self, fetch: Fetch, policy: WindowPolicy, throttled: Callable[[], int] | None = None
    ) -> None:
        self._fetch = fetch
        self._policy = policy
        self._throttled = throttled or _never
        self._pace = policy.pace()
        self._threads = ThreadPoolExecutor(policy.most, thread_name_prefix="restarrow-page")
        self._arrived: SimpleQueue[Job] = SimpleQueue()
        self._jobs: dict[int, Job] = {}
        self._head = 0
        self._requests: Sequence[Request] = ()
        self._certain = True
        self._under_way = 0
        self._held = 0
        self._largest = 0
        self._orders = 0
        self._stopped = threading.Event()

    @property
    def size(self) -> int:
        """The number of requests that may be under way now."""
        return self._pace.now

    def expect(self, head: int, requests: Sequence[Request], *, certain: bool = True) -> None:
        """Say which pages come next, and send out those that may be sent.

        Requests that are under way and still expected go on, even under another number; those
        that are not are dropped.

        Args:
            head: the number of the first of them.
            requests: their requests, in order.
            certain: whether they will all be needed.
        """
        if not certain and not self._policy.speculate:
            requests = requests[:1]
        same = isinstance(requests, Ahead) and requests.continues(self._requests, head - self._head)
        self._head, self._requests, self._certain = head, requests, certain
        self._reconcile(same=same)
        self._fill()

    def take(self, number: int) -> Job:
        """Wait for a page, and take it out. Whether it could be had is seen when it is opened."""
        while True:
            self._fill()
            job = self._jobs[number]
            if job.finished:
                break
            self._collect()
        del self._jobs[number]
        self._held -= job.size
        return job

    def close(self, abort: Callable[[], None] | None = None) -> None:
        """End all requests and threads.

        Args:
            abort: makes fetches return early. Without it, or if they do not return in spite of it,
                those under way are waited for during the grace, and then left to end by themselves.
        """
        self._stopped.set()
        for number in list(self._jobs):
            self._drop(number)
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._under_way and abort is not None:
            abort()
        deadline = time.monotonic() + self._policy.grace
        while self._under_way:
            try:
                self._arrived.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                return
            self._under_way -= 1
        self._threads.shutdown(wait=True)

    def _request(self, number: int) -> Request | None:
        at = number - self._head
        return self._requests[at] if 0 <= at < len(self._requests) else None

    def _reconcile(self, *, same: bool) -> None:
        """Make what is under way fit to what is expected."""
        lost: list[Job] = []
        for number, job in sorted(self._jobs.items()):
            at = number - self._head
            known = 0 <= at < len(self._requests)
            if not known or not (same or self._requests[at] == job.request):
                lost.append(job)
                del self._jobs[number]
        far = min(len(self._requests), _FAR) if lost else 0
        for number in range(self._head, self._head + far):
            request = self._request(number)
            found = next((job for job in lost if job.request == request), None)
            if found is not None and number not in self._jobs:
                lost.remove(found)
                found.number = number
                self._jobs[number] = found
        for job in lost:
            self._jobs[job.number] = job
            self._drop(job.number)

    def _fill(self) -> None:
        for number in range(self._head, self._head + min(self._reach(), len(self._requests))):
            job = self._jobs.get(number)
            if job is not None:
                if job.error is not None:
                    return  # what is behind a page that failed will not be needed
                continue
            if number != self._head and not self._room():
                return
            request = self._request(number)
            if request is None:
                return
            self._send(Job(request, number))

    def _reach(self) -> int:
        """Return how many pages may be under way or waiting. What may be in vain counts double."""
        ahead = 2 if self._certain and self._policy.most > 1 else 1
        return ahead * self._pace.now

    def _room(self) -> bool:
        return (
            self._under_way < self._pace.now
            and len(self._jobs) < self._reach()
            and self._held + (self._under_way + 1) * self._largest <= self._policy.max_bytes
        )

    def _send(self, job: Job) -> None:
        self._jobs[job.number] = job
        self._under_way += 1
        job.future = self._threads.submit(self._work, job)

    def _work(self, job: Job) -> None:
        """Fetch a page. In a thread of its own: it touches the job and the queue, nothing else."""
        began = time.perf_counter()
        try:
            if not (self._stopped.is_set() or job.dropped):
                job.page = self._fetch(job.request, job.number)
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            job.error = error
        job.seconds = time.perf_counter() - began
        self._arrived.put(job)

    def _collect(self) -> None:
        """Wait until a page arrives, and take note of all that have."""
        job = self._arrived.get()
        while True:
            self._note(job)
            try:
                job = self._arrived.get_nowait()
            except Empty:
                return

    def _note(self, job: Job) -> None:
        self._under_way -= 1
        job.finished = True
        self._orders += 1
        job.order = self._orders
        self._largest = max(self._largest, job.size)
        if self._policy.adaptive and job.page is not None:
            self._pace.finished(job.seconds, self._throttled())
        if job.dropped:
            job.page = None
        else:
            self._held += job.size

    def _drop(self, number: int) -> None:
        job = self._jobs.pop(number)
        job.dropped = True
        if job.finished:
            self._held -= job.size
        elif job.future is not None and job.future.cancel():
            self._under_way -= 1


def _never() -> int:
    return 0
