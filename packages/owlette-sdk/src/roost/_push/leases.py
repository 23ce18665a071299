"""Leases of Linux: files whose bytes are proven to be what they were, without reading them again.

How it works. A read lease is granted on a file that nobody has open for writing, not even by way of
a mapping. Who opens it for writing from then on, or cuts it short, waits until the lease is given
up, which is done as soon as that is seen. So what was read under a lease that is still held when it
is read again is the same, and has the same hash. A lease that was lost is never taken again: what
was hashed before may not be what there is now. Where there are no leases, on other systems and on
file systems that may change from elsewhere, chunks are hashed again.

Source: fcntl(2), "Leases".
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

from roost._push.walk import LocalFile

if sys.platform == "linux":
    import fcntl

__all__ = ["Leases"]

#: Seconds between two looks at whether somebody waits: so long at most is an opening held up.
_LOOK_EVERY_S = 0.02
#: Leases at a time: each holds a file open.
_MOST = 100
#: File systems that change by way of this machine's kernel alone.
_LOCAL = frozenset({"ext2", "ext3", "ext4", "f2fs", "tmpfs", "xfs"})
_MOUNTS = Path("/proc/self/mountinfo")

#: The name is part of it: of another name of the same file, other hashes may be known from earlier.
_Key = tuple[str, int, int]


class Leases:
    """Leases on the large files of a push. Its methods may be called from any thread.

    Args:
        stop: ends looking after them, when it is set.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._lock = threading.Lock()
        self._opened: dict[_Key, int] = {}
        self._asked: set[_Key] = set()
        self._devices: frozenset[int] | None = None
        self._watching: threading.Thread | None = None

    def take(self, file: LocalFile) -> None:
        """Take the lease on a file, if there can be one: before its bytes are read."""
        key = _key_of(file)
        with self._lock:
            if key in self._asked:
                return
            self._asked.add(key)
            if len(self._opened) >= _MOST or self._stop.is_set():
                return
            if self._devices is None:
                self._devices = _local_devices(_MOUNTS)
            if file.stamp.device not in self._devices:
                return
            if (descriptor := _leased(file)) is None:
                return
            self._opened[key] = descriptor
            if self._watching is None:
                # a daemon, which does not keep a process alive that ends without closing anything
                self._watching = threading.Thread(
                    target=self._watch, name="roost-lease", daemon=True
                )
                self._watching.start()

    def holds(self, file: LocalFile) -> bool:
        """Tell whether a file is, up to now, what it was when the lease on it was taken."""
        descriptor = self._opened.get(_key_of(file))
        return descriptor is not None and _is_held(descriptor)

    def close(self) -> None:
        """Give all of them up, once `stop` is set."""
        if self._watching is not None:
            self._watching.join()
        with self._lock:
            while self._opened:
                descriptor = self._opened.popitem()[1]
                _give_up(descriptor)
                os.close(descriptor)

    def _watch(self) -> None:
        """Give up the leases on files that somebody waits for."""
        while not self._stop.wait(_LOOK_EVERY_S):
            # without the lock, for which all threads would wait; what is closed last of all is ours
            for descriptor in [*self._opened.values()]:
                if not _is_held(descriptor):
                    _give_up(descriptor)


def _key_of(file: LocalFile) -> _Key:
    return file.where, file.stamp.device, file.stamp.inode


def _local_devices(mounts: Path) -> frozenset[int]:
    """Return the devices of the file systems that change from here alone.

    Source: proc_pid_mountinfo(5).
    """
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return frozenset()
    devices: set[int] = set()
    for line in lines:
        about, _, system = line.partition(" - ")
        if system.split(" ", 1)[0] in _LOCAL:
            major, minor = about.split()[2].split(":")
            devices.add(os.makedev(int(major), int(minor)))
    return frozenset(devices)


if sys.platform == "linux":

    def _leased(file: LocalFile) -> int | None:
        """Open a file with a lease on it; None where it is another one, or there is no lease."""
        descriptor: int | None = None
        try:
            descriptor = os.open(file.where, os.O_RDONLY | os.O_CLOEXEC)
            status = os.fstat(descriptor)
            if (file.where, status.st_dev, status.st_ino) == _key_of(file):
                # the kernel signals who wants the file, by a signal that would end the process:
                # by one that nobody heeds instead, until it has no one to signal to
                fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
                fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
                fcntl.fcntl(descriptor, fcntl.F_SETOWN, 0)
                return descriptor
        except OSError:
            pass  # somebody writes to it, it is somebody else's, or there are no leases
        if descriptor is not None:
            os.close(descriptor)
        return None

    def _is_held(descriptor: int) -> bool:
        return fcntl.fcntl(descriptor, fcntl.F_GETLEASE) == fcntl.F_RDLCK

    def _give_up(descriptor: int) -> None:
        with suppress(OSError):
            # a process that was forked meanwhile would keep it otherwise
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)

else:

    def _leased(file: LocalFile) -> int | None:
        del file
        return None

    def _is_held(descriptor: int) -> bool:
        del descriptor
        return False

    def _give_up(descriptor: int) -> None:
        del descriptor
