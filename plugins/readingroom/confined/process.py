"""The inside of a confined process: takes away what decoding does not need, and answers until its parent is gone."""

from __future__ import annotations

import os
import resource
import signal
import socket
from collections.abc import Callable

from readingroom.confined import landlock, privileges, sockets

FILES_OPEN = 64

FAILED = 70
"""How a process ends whose answer failed in a way that nobody foresaw; one that cannot even start ends with 1."""


def serve(
    answer: Callable[[socket.socket], None], *, memory: int, seconds: int, clock: int = 0, written: int = 0
) -> None:
    """Have each question on the socket that is standard input answered; never returns.

    `memory` in bytes of address space; `seconds` of the processor for one answer, and `clock` by the clock, as many if
    it is not given; `written`, bytes in one file. Nobody catches the signal that ends a long answer (SIGXCPU, SIGALRM):
    decoders do not come back to Python to be asked.
    """
    line = socket.socket(fileno=os.dup(0))
    # Whatever reads or prints must not get between the messages.
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    _confine(memory, written)
    try:
        while line.recv(1, socket.MSG_PEEK):
            spent = resource.getrusage(resource.RUSAGE_SELF)
            processor = int(spent.ru_utime + spent.ru_stime) + seconds + 1
            resource.setrlimit(resource.RLIMIT_CPU, (processor, resource.getrlimit(resource.RLIMIT_CPU)[1]))
            signal.alarm(clock or seconds)
            answer(line)
            signal.alarm(0)
    except (EOFError, OSError):
        pass
    except BaseException:
        os._exit(FAILED)
    os._exit(0)


def _confine(memory: int, written: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (written, written))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES_OPEN, FILES_OPEN))
    landlock.shut()
    sockets.shut()
    privileges.drop()
    os.nice(5)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    # Orthanc's threads hand their mask on.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM, signal.SIGXCPU})
