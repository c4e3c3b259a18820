"""Counts the UDP packets that arrive, until there are no more.

Arguments: address to listen on, seconds of silence that mean the end.
Prints "ready", and at the end how many packets came.
"""

import socket
import sys

address, quiet = sys.argv[1:]
sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
# Room for whole bursts (33 is SO_RCVBUFFORCE): what is lost here would look like the
# filter's work.
sink.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)
sink.bind((address, 9))
print("ready")
arrived = 0
while True:
    try:
        sink.recv(16)
    except TimeoutError:
        break
    arrived += 1
    sink.settimeout(float(quiet))
print(arrived)
