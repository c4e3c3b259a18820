//! Python's own client, and those that `PyPI` has; among them one that plays browsers.

use super::{Build, Kind};
use crate::setup::Need;

/// A fetch that says hello as a browser does.
macro_rules! curl_cffi {
    ($browser:literal) => {
        concat!(
            r#""$TOOLS/venv/bin/python" -I -c '
import os
from curl_cffi import requests
how = {"verify": os.environ["CERT"], "impersonate": ""#,
            $browser,
            r#""}
print(requests.get(os.environ["URL"], **how).text)
'"#
        )
    };
}

pub(super) const ALL: &[Kind] = &[
    Kind::new(
        "Python urllib",
        PYTHON,
        "/usr/bin/python3 --version",
        r#"/usr/bin/python3 -I -c '
import os, ssl, urllib.request
context = ssl.create_default_context(cafile=os.environ["CERT"])
print(urllib.request.urlopen(os.environ["URL"], context=context).read())
'"#,
    ),
    Kind::new(
        "requests",
        VENV,
        r#""$TOOLS/venv/bin/python" -c 'import requests; print(requests.__version__)'"#,
        r#""$TOOLS/venv/bin/python" -I -c '
import os, requests
print(requests.get(os.environ["URL"], verify=os.environ["CERT"]).text)
'"#,
    )
    .built(Build::Pypi { package: "requests", module: "requests" }),
    Kind::new(
        "httpx",
        VENV,
        r#""$TOOLS/venv/bin/python" -c 'import httpx; print(httpx.__version__)'"#,
        r#""$TOOLS/venv/bin/python" -I -c '
import os, ssl, httpx
context = ssl.create_default_context(cafile=os.environ["CERT"])
print(httpx.Client(http2=True, verify=context).get(os.environ["URL"]).text)
'"#,
    )
    .built(Build::Pypi { package: "httpx[http2]", module: "httpx, h2" }),
    Kind::new(
        "aiohttp",
        VENV,
        r#""$TOOLS/venv/bin/python" -c 'import aiohttp; print(aiohttp.__version__)'"#,
        r#""$TOOLS/venv/bin/python" -I -c '
import asyncio, os, ssl, aiohttp
async def main():
    context = ssl.create_default_context(cafile=os.environ["CERT"])
    async with aiohttp.ClientSession() as session:
        async with session.get(os.environ["URL"], ssl=context) as answer:
            print(await answer.text())
asyncio.run(main())
'"#,
    )
    .built(Build::Pypi { package: "aiohttp", module: "aiohttp" }),
    Kind::new("curl_cffi as Chrome", VENV, CURL_CFFI_VERSION, curl_cffi!("chrome"))
        .built(CURL_CFFI),
    Kind::new("curl_cffi as Firefox", VENV, CURL_CFFI_VERSION, curl_cffi!("firefox"))
        .built(CURL_CFFI),
    Kind::new("curl_cffi as Safari", VENV, CURL_CFFI_VERSION, curl_cffi!("safari"))
        .built(CURL_CFFI),
];

const PYTHON: &[Need] = &[Need::program("python3", "python3")];
const VENV: &[Need] = &[Need::python_module("python3-venv", "ensurepip")];

const CURL_CFFI: Build = Build::Pypi { package: "curl_cffi", module: "curl_cffi" };
const CURL_CFFI_VERSION: &str =
    r#""$TOOLS/venv/bin/python" -c 'import curl_cffi; print(curl_cffi.__version__)'"#;
