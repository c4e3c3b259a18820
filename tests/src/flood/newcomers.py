"""Opens connections at a steady rate, each with one request on it.

Arguments: edge address, port, connections a second of each group, seconds, and the number
of the first stranger.
Every address of the first group is known: it is served once before the start, which
"ready" tells and a line on standard input gives. Those of strangers are used once.
"""

import asyncio
import json
import socket
import sys

EDGE = sys.argv[1]
PORT, RATE, SECONDS, FIRST = map(int, sys.argv[2:])
KNOWN = [f"198.18.0.{host}" for host in range(1, 51)]
PATIENCE = 3.0


def known(number):
    return KNOWN[number % len(KNOWN)]


def stranger(number):
    number += FIRST
    return f"198.{18 + number // 50_000}.{1 + number // 250 % 200}.{1 + number % 250}"


async def ask(source):
    loop = asyncio.get_running_loop()
    with socket.socket() as client:
        client.setblocking(False)
        client.bind((source, 0))
        await loop.sock_connect(client, (EDGE, PORT))
        await loop.sock_sendall(client, b"GET / HTTP/1.0\r\n\r\n")
        return (await loop.sock_recv(client, 4096)).startswith(b"HTTP/1.1 200")


async def served(source):
    try:
        return await asyncio.wait_for(ask(source), PATIENCE)
    except (OSError, asyncio.TimeoutError):
        return False


async def group(source):
    loop = asyncio.get_running_loop()
    start, tasks = loop.time(), []
    while (at := len(tasks) / RATE) < SECONDS:
        await asyncio.sleep(start + at - loop.time())
        tasks.append(asyncio.create_task(served(source(len(tasks)))))
    answers = await asyncio.gather(*tasks)
    return {"tried": len(answers), "served": sum(answers)}


async def main():
    if not all(await asyncio.gather(*map(served, KNOWN))):
        sys.exit("not every known client was served before the start")
    print("ready", flush=True)
    sys.stdin.readline()
    groups = await asyncio.gather(group(known), group(stranger))
    print(json.dumps(dict(zip(["known", "strangers"], groups))))


asyncio.run(main())
