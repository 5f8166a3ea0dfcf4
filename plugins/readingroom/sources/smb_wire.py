"""Questions and answers over one SMB connection: message ids, credits, chains of requests in one packet.

smbprotocol signs in; from then on the connection is ours alone. Used by one thread at a time.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence

from smbprotocol.tree import TreeConnect

from readingroom.sources.line import LineLost
from readingroom.sources.smb_packets import FROM_SERVER, HEADER, PROTOCOL, RELATED, SIGNED, Answer, Question
from readingroom.sources.smb_seal import SEALED_PROTOCOL, Seal
from readingroom.sources.smb_status import LOST_STATUSES, SmbRefusal

WANTED_CREDITS = 256
"""Requests of 64 KB each that a server should let us have under way: two windows of 2 MB and a chain beside them."""

LONGEST = 16 * 1024 * 1024 + 4096
"""Bytes of one packet; a length in its head has three bytes."""

RECEIVED = 64 * 1024
_PENDING = 0x103
_UNASKED = 0xFFFFFFFFFFFFFFFF
_NEXT = slice(20, 24)


class SmbWire:
    """A signed-in connection to a share."""

    def __init__(self, tree: TreeConnect, patience: float) -> None:
        session, connection = tree.session, tree.session.connection
        self.seal = Seal(tree)
        self.lock = threading.RLock()
        self.max_read: int = connection.max_read_size
        self.max_answer: int = connection.max_transact_size
        self._charges = bool(connection.supports_multi_credit)
        self._session_id: int = session.session_id
        self._tree_id: int = tree.tree_connect_id
        window = connection.sequence_window
        self._next_id: int = window["low"]
        self._credits: int = window["high"] - window["low"]
        self._under_way: set[int] = set()
        self._unwanted: set[int] = set()
        self._answers: dict[int, Answer] = {}
        self._rest = b""
        self._socket: socket.socket = connection.transport._sock  # there is no other way to it
        self._socket.settimeout(patience)

    def send(self, *questions: Question) -> list[int]:
        """Ask; several questions are a chain, each about the file that the first opens. Raises LineLost."""
        charges = [question.charge if self._charges else 1 for question in questions]
        while self._credits < sum(charges):
            if not self._under_way:
                raise LineLost("the server lets us ask nothing more")
            self._receive()
        flags = SIGNED if self.seal.signs else 0
        packet, ids = b"", []
        for number, (question, charge) in enumerate(zip(questions, charges, strict=True)):
            message_id = self._next_id
            is_last = number == len(questions) - 1
            size = HEADER.size + len(question.body)
            padding = 0 if is_last else -size % 8
            wanted = charge + (16 if self._credits < WANTED_CREDITS else 0)
            head = HEADER.pack(
                PROTOCOL, 64, charge if self._charges else 0, 0, question.command, wanted,
                flags | (RELATED if number else 0), 0 if is_last else size + padding,
                message_id, 0, self._tree_id, self._session_id, b"",
            )  # fmt: skip
            message = head + question.body + bytes(padding)
            packet += self.seal.signed(message, message_id) if flags else message
            ids.append(message_id)
            self._next_id += charge
            self._credits -= charge
        self._under_way.update(ids)
        if self.seal.encrypts:
            packet = self.seal.sealed(packet)
        try:
            self._socket.sendall(len(packet).to_bytes(4, "big") + packet)
        except OSError as error:
            raise self._lost("the connection was closed") from error
        return ids

    def take(self, message_id: int) -> Answer:
        """The answer to that question, whatever it is. Raises LineLost for silence or a broken line."""
        while message_id not in self._answers:
            self._receive()
        answer = self._answers.pop(message_id)
        if answer.status in LOST_STATUSES:
            raise self._lost(f"the server ended the session ({answer.status:#x})")
        return answer

    def good(self, message_id: int) -> Answer:
        """The answer to that question. Raises SmbRefusal for any but a good one, LineLost."""
        answer = self.take(message_id)
        if answer.status:
            raise SmbRefusal(answer.status)
        return answer

    def forget(self, message_ids: Sequence[int]) -> None:
        """These answers are no longer wanted; nobody waits for them."""
        for message_id in message_ids:
            if self._answers.pop(message_id, None) is None and message_id in self._under_way:
                self._unwanted.add(message_id)

    def close(self) -> None:
        """End the connection, without a word to the server: the line may be the broken part."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes whoever waits on it
        except OSError:
            pass  # it was not connected any more
        # The number of a closed socket may be a new file's at once: not while somebody reads from it.
        if self.lock.acquire(blocking=False):
            self._socket.close()
            self.lock.release()

    def _lost(self, why: str) -> LineLost:
        self._socket.close()
        return LineLost(why)

    def _receive(self) -> None:
        message = self._packet()
        was_sealed = message[:4] == SEALED_PROTOCOL
        if was_sealed:
            message = self.seal.opened(message)
        while message:
            if len(message) < HEADER.size or message[:4] != PROTOCOL:
                raise self._lost("the server sent something that is no SMB")
            step = int.from_bytes(message[_NEXT], "little")
            if step and not HEADER.size <= step < len(message):
                raise self._lost("the server sent something that is no SMB")
            one, message = (message[:step], message[step:]) if step else (message, b"")
            self._sort(one, was_sealed)

    def _sort(self, message: bytes, was_sealed: bool) -> None:
        _, _, _, status, _, granted, flags, _, message_id, *_ = HEADER.unpack_from(message)
        if message_id == _UNASKED:
            return  # a lock of ours is broken: we have none
        if message_id not in self._under_way or not flags & FROM_SERVER:
            raise self._lost("the server answered what nobody asked")
        if not was_sealed:
            self.seal.check(message, flags, status, message_id)
        self._credits += granted
        if status == _PENDING:
            return  # it will take a while; the answer comes under the same id
        self._under_way.discard(message_id)
        if message_id in self._unwanted:
            self._unwanted.discard(message_id)
        else:
            self._answers[message_id] = Answer(status, memoryview(message))

    def _packet(self) -> bytes:
        try:
            have = self._rest or self._socket.recv(RECEIVED)
            while 0 < len(have) < 4:
                more = self._socket.recv(RECEIVED)
                have = have + more if more else b""
            if not have:
                raise self._lost("the server closed the connection")
            size = int.from_bytes(have[:4], "big")
            if size > LONGEST:
                raise self._lost("the server sent something that is no SMB")
            packet, self._rest = have[4 : 4 + size], have[4 + size :]
            if len(packet) == size:
                return packet
            whole = bytearray(size)
            whole[: len(packet)] = packet
            view, at = memoryview(whole), len(packet)
            while at < size:
                count = self._socket.recv_into(view[at:])
                if not count:
                    raise self._lost("the server closed the connection")
                at += count
            return bytes(whole)
        except TimeoutError as error:
            raise self._lost("no answer in time") from error
        except OSError as error:
            raise self._lost("the connection was closed") from error
