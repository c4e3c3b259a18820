"""Sends UDP packets at a steady rate, for a bounded time.

Arguments: source address, destination address, packets per second, seconds.
Prints how many packets were sent.
"""

import socket
import sys
import time

source, destination, per_sec, seconds = sys.argv[1:]
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.bind((source, 0))
start = time.monotonic()
sent = 0
while (elapsed := time.monotonic() - start) < float(seconds):
    while sent < elapsed * int(per_sec):
        sender.sendto(b"x", (destination, 9))
        sent += 1
    time.sleep(0.0005)
print(sent)
