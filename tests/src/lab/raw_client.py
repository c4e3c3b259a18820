# A TCP client made of raw frames: it shakes hands, and then sends exactly what it is told.
# Arguments: its own address, the server's, the server's hardware address and port, its own port,
# whether to send the last part of the handshake by itself, and how long to wait at the end.
# Standard input: a JSON list of segments, each {"at", "data", "ack", "flags", "spoil", "wait"}.
# Standard output: JSON, what the server acknowledged and whether it ended the connection.
import json, socket, struct, sys, time

me, server, mac, port, own, bare, last = sys.argv[1:]
port, own, bare, last = int(port), int(own), bare == "1", float(last)
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
wire.bind(("eth0", 0))
mine = wire.getsockname()[4]
source, destination = socket.inet_aton(me), socket.inet_aton(server)

def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total >> 16) + (total & 0xFFFF)
    return ~total & 0xFFFF

def send(sequence, acknowledgement, flags, data=b"", spoil=False, options=b""):
    words = 5 + len(options) // 4
    urgent = 1 if flags & 0x20 else 0
    def header(total):
        fixed = (own, port, sequence & 0xFFFFFFFF, acknowledgement & 0xFFFFFFFF, words << 4, flags)
        return struct.pack("!HHIIBBHHH", *fixed, 0xFFFF, total, urgent) + options
    pseudo = source + destination + struct.pack("!BBH", 0, 6, words * 4 + len(data))
    segment = header(checksum(pseudo + header(0) + data) ^ (0x5555 if spoil else 0)) + data
    def network(total):
        fixed = (0x45, 0, 20 + len(segment), 1, 0x4000, 64, 6, total)
        return struct.pack("!BBHHHBBH", *fixed) + source + destination
    frame = bytes.fromhex(mac) + mine + b"\x08\0" + network(checksum(network(0))) + segment
    wire.send(frame)

def answers(seconds):
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        wire.settimeout(left)
        try:
            frame = wire.recv(65535)
        except TimeoutError:
            return
        if frame[23] != 6 or frame[26:30] != destination or frame[30:34] != source:
            continue
        tcp = frame[14 + (frame[14] & 15) * 4:]
        if struct.unpack("!HH", tcp[:4]) != (port, own):
            continue
        yield struct.unpack("!II", tcp[4:12]) + (tcp[13],)

start = 0x7FFFFF00
send(start - 1, 0, 0x02, options=b"\x02\x04\x05\xb4")
theirs = next(number for number, ack, flags in answers(2) if flags & 0x12 == 0x12) + 1
if bare:
    send(start, theirs, 0x10)
acknowledged, ended = 0, False

def listen(seconds):
    global acknowledged, ended
    for _, ack, flags in answers(seconds):
        if flags & 0x10 and not flags & 0x04:
            acknowledged = max(acknowledged, (ack - start) & 0xFFFFFFFF if ack != start - 1 else 0)
        ended |= bool(flags & 0x05)

for segment in json.load(sys.stdin):
    ack = theirs + segment.get("ack", 0)
    flags, spoil = segment.get("flags", 0x18), segment.get("spoil", False)
    send(start + segment["at"], ack, flags, bytes.fromhex(segment["data"]), spoil)
    if wait := segment.get("wait", 0):
        listen(wait)
listen(last)
print(json.dumps({"acknowledged": acknowledged, "ended": ended}))
