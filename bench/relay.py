#!/usr/bin/env python3
"""A wire with a delay, for network.py: relay.py DEVICE DEVICE makes two tun devices, and what is sent into one comes out of the
other later. Each line on standard input says by how many milliseconds from then on. Needs root, and Linux."""

import collections
import contextlib
import fcntl
import os
import select
import struct
import subprocess
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
MOST_BYTES = (
    60_000  # of a packet, as the kernel's offloading makes them: a process per packet of 1,500 would not keep up
)


def make_device(name):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    subprocess.run(["ip", "link", "set", name, "mtu", str(MOST_BYTES), "txqueuelen", "10000"], check=True)
    return device


def main():
    ends = [make_device(name) for name in sys.argv[1:]]
    other = dict(zip(ends, ends[::-1]))
    delay_s = 0.0
    waiting = {end: collections.deque() for end in ends}  # when, what is to come out of it
    while True:
        due = min((queue[0][0] for queue in waiting.values() if queue), default=None)
        timeout = None if due is None else max(0.0, due - time.monotonic())
        ready, _, _ = select.select([sys.stdin, *ends], [], [], timeout)
        now = time.monotonic()
        for end in ready:
            if end is sys.stdin:
                line = sys.stdin.readline()
                if not line:
                    return
                delay_s = float(line) / 1000
                continue
            try:
                while True:
                    waiting[other[end]].append((now + delay_s, os.read(end, 65_536)))
            except BlockingIOError:
                pass
        for end, queue in waiting.items():
            while queue and queue[0][0] <= time.monotonic():
                with contextlib.suppress(OSError):  # a device that is down loses packets, as a wire does
                    os.write(end, queue.popleft()[1])


if __name__ == "__main__":
    main()
