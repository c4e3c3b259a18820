# Opens connections to itself and tells what each of their servers waits for: the client's
# port, the sequence number that comes next, and the server's own. Ends with its input.
import socket
import sys

PORT, FIRST, COUNT = (int(argument) for argument in sys.argv[1:])
REPAIR, QUEUE, SEQUENCE = 19, 20, 21
RECEIVE, SEND = 1, 2

listener = socket.create_server(("127.0.0.1", PORT), backlog=COUNT)
held = []
for port in range(FIRST, FIRST + COUNT):
    client = socket.create_connection(("127.0.0.1", PORT), source_address=("127.0.0.1", port))
    server, _ = listener.accept()
    server.setsockopt(socket.IPPROTO_TCP, REPAIR, 1)
    numbers = []
    for queue in (RECEIVE, SEND):
        server.setsockopt(socket.IPPROTO_TCP, QUEUE, queue)
        numbers.append(server.getsockopt(socket.IPPROTO_TCP, SEQUENCE) & 0xFFFFFFFF)
    server.setsockopt(socket.IPPROTO_TCP, REPAIR, -1)
    held += [client, server]
    print(port, *numbers, flush=True)
sys.stdin.read()
