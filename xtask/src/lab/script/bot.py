"""A bot: python-requests as it is, with a new connection for each request.

Arguments: URL, certificate, source address, most requests.
Prints "answer" for each page and stops at the first "silence".
"""

import sys

import requests
from requests.adapters import HTTPAdapter

url, certificate, source, most = sys.argv[1:]


class FromSource(HTTPAdapter):
    """Sends from one of the site's addresses; everything else is left alone."""

    def init_poolmanager(self, *arguments, **options):
        super().init_poolmanager(*arguments, source_address=(source, 0), **options)


for _ in range(int(most)):
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", FromSource())
        try:
            session.get(url, verify=certificate, timeout=1.0).raise_for_status()
            print("answer")
        except (requests.Timeout, requests.ConnectionError) as error:
            if "timed out" not in str(error):
                raise
            print("silence")
            break
