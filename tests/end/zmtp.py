# SPDX-License-Identifier: MPL-2.0
"""zmtp.py speaks ZMTP 3.0 (NULL, as a DEALER) over a plain socket, so that a stranger can also
stop in the middle of a frame, never end a message, or say nothing at all. Each wait is bounded.
"""
import select
import socket
import struct
import time

WAIT_MAX_S = 20
GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + b"\0" + bytes(31)
MORE, LONG, COMMAND = 1, 2, 4


class Closed(Exception):
    """The other side closed the connection."""


class Silent(Exception):
    """Nothing came in time."""


def head(size, flags=0):
    if size > 255:
        return struct.pack(">BQ", flags | LONG, size)
    return struct.pack(">BB", flags, size)


def part(data, flags=0):
    return head(len(data), flags) + data


class Wire:
    """One connection. With [greet] False nothing is said at first."""

    def __init__(self, endpoint, greet=True):
        if endpoint.startswith("ipc://"):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(endpoint.removeprefix("ipc://"))
        else:
            host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
            self.socket = socket.create_connection((host, int(port)), WAIT_MAX_S)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        if greet:
            properties = b"\x0bSocket-Type" + struct.pack(">I", 6) + b"DEALER"
            self.write(GREETING + part(b"\x05READY" + properties, COMMAND))
            self.take(len(GREETING))
            flags, ready = self.take_part()
            assert flags & COMMAND and ready.startswith(b"\x05READY"), "ZMTP handshake"

    def write(self, data):
        """Bytes as they are; Closed if the other side no longer takes them."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Closed from error

    def send(self, frame, flags=0):
        self.write(part(frame, flags))

    def take(self, size, timeout_s=WAIT_MAX_S):
        end = time.monotonic() + timeout_s
        while len(self.buffer) < size:
            left_s = end - time.monotonic()
            if left_s < 0 or not select.select([self.socket], [], [], left_s)[0]:
                raise Silent
            try:
                data = self.socket.recv(1 << 20)
            except ConnectionResetError as error:
                raise Closed from error
            if not data:
                raise Closed
            self.buffer += data
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def take_part(self, timeout_s=WAIT_MAX_S):
        flags = self.take(1, timeout_s)[0]
        size = struct.unpack(">Q", self.take(8))[0] if flags & LONG else self.take(1)[0]
        return flags, self.take(size)

    def receive(self, timeout_s=WAIT_MAX_S):
        """One message of one frame."""
        while True:
            flags, data = self.take_part(timeout_s)
            if not flags & COMMAND:
                assert not flags & MORE, "a broker's message is one frame"
                return data

    def await_end(self, timeout_s=WAIT_MAX_S):
        """Waits until the other side closes; what still comes is thrown away. Returns whether
        nothing came."""
        silent = not self.buffer
        try:
            while True:
                self.take(1, timeout_s)
                silent = False
        except Closed:
            return silent

    def close(self):
        self.socket.close()
