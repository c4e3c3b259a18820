"""Asks for one page after the other on one connection, and says how it went.

Arguments: URL, certificate, source address, pause in milliseconds.
Prints "answer" for each page, and "silence" when none came in time; then it connects anew.
"""

import http.client
import ssl
import sys
import time
from urllib.parse import urlsplit

url, certificate, source, pause_ms = sys.argv[1:]
context = ssl.create_default_context(cafile=certificate)
# Not what Python would say by itself: this visitor has a fingerprint of its own.
context.set_ciphers("ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256")
context.set_alpn_protocols(["http/1.1"])


def connect():
    return http.client.HTTPSConnection(
        urlsplit(url).hostname, source_address=(source, 0), timeout=0.3, context=context
    )


connection = connect()
while True:
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
        print("answer")
        time.sleep(int(pause_ms) / 1000)
    except OSError:
        print("silence")
        connection.close()
        connection = connect()
    except http.client.HTTPException as error:
        sys.exit(f"not an answer: {error}")
