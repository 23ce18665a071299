"""Memory: what is given back to the system, and when garbage is looked for."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
from contextlib import suppress

import pytest

from restarrow.memory import collect_rarely, collect_young

_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc_trim")
_RESIDENT = """
def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmRSS"))
"""


def _run(code: str, **environment: str) -> str:
    """Run code in a process of its own, and return what it prints."""
    every = {**os.environ, **environment}
    code = textwrap.dedent(_RESIDENT) + textwrap.dedent(code)
    return subprocess.check_output([sys.executable, "-c", code], text=True, env=every).strip()


@_LINUX
def test_what_threads_have_freed_goes_back_to_the_system() -> None:
    code = """
    import threading
    import pyarrow
    from restarrow.memory import allocate_within_reach, give_back

    def work():
        arrays = [pyarrow.array(values) for _ in range(1000)]
        kept.append(arrays[::50])  # amid what is freed

    allocate_within_reach()
    values, kept = list(range(1000, 3000)), []
    pyarrow.array(values)  # imports what it needs
    empty = resident()
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    full = resident()
    give_back()
    print(pyarrow.default_memory_pool().backend_name, full - empty > 60, resident() - empty < 40)
    """
    assert _run(code) == "system True True"


def test_an_allocator_that_the_user_has_chosen_stays() -> None:
    code = """
    import pyarrow
    from restarrow.memory import allocate_within_reach
    before = pyarrow.default_memory_pool().backend_name
    allocate_within_reach()
    print(before == pyarrow.default_memory_pool().backend_name)
    """
    assert _run(code, ARROW_DEFAULT_MEMORY_POOL="mimalloc") == "True"


@pytest.mark.parametrize("enabled", [True, False])
def test_garbage_is_collected_as_before_in_the_end(enabled: bool) -> None:
    was_enabled = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        with suppress(ValueError), collect_rarely():
            assert not gc.isenabled()
            int("x")
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if was_enabled else gc.disable)()


def test_garbage_is_collected_when_asked_for() -> None:
    class Ring:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            gone.append(True)

    gone: list[bool] = []
    with collect_rarely():
        Ring()
        assert not gone
        collect_young()
        assert gone == [True]
