"""Reads one article after the other, dressed as a browser down to its hello.

Arguments: URL, certificate, articles, source address, which browser.
Ends when it is through, or when it isn't answered any more.
"""

import hashlib
import socket
import sys
from urllib.parse import urlsplit

from curl_cffi import CurlOpt, requests

url, certificate, articles, source, browser = sys.argv[1:]
LETTERS = str.maketrans("0123456789", "ghijklmnop")


def slug(number):
    """The name of an article, without a number: nothing is counted up."""
    return hashlib.sha256(str(number).encode()).hexdigest()[:12].translate(LETTERS)


# libcurl would ask a name server as well, and there is none.
host = urlsplit(url).hostname
names = {CurlOpt.RESOLVE: [f"{host}:443:{socket.gethostbyname(host)}"]}
dress = {"impersonate": browser, "curl_options": names}
with requests.Session(verify=certificate, interface=source, **dress) as session:
    for number in range(int(articles)):
        try:
            answer = session.get(f"{url}articles/{slug(number)}", timeout=2)
        except requests.RequestsError as error:
            sys.exit(f"cut off after {number} articles: {error}")
        answer.raise_for_status()
print(f"read {articles} articles")
