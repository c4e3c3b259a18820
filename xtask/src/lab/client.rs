//! Clients that ask once, and what they are told.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::server::{CERTIFICATE, NAME};
use super::{Lab, Site};

/// What a client got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The page.
    Page,
    /// Nothing at all: its packets or the replies vanished.
    Silence,
}

/// How a client says hello in TLS, which is what its fingerprint is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// As the tool does by itself: a fingerprint that is known to be a tool's.
    Stock,
    /// With a choice of ciphers of its own: a fingerprint that nobody knows. This stands
    /// for the browsers that a lab can't have.
    Unknown,
}

/// Asks once with curl, by the family of the `source` address.
///
/// # Errors
///
/// If curl fails in another way than by silence: then the lab is at fault.
pub(crate) fn curl(lab: &Lab, site: Site, source: &str, manner: Manner) -> Result<Answer> {
    let family = if source.contains(':') { "-6" } else { "-4" };
    let mut curl = site.command("curl");
    curl.args(["-q", family, "-sS", "--interface", source, "--max-time", PATIENCE_S])
        .arg("--cacert")
        .arg(lab.folder().join(CERTIFICATE))
        .args(["-o", "/dev/null", "-w", "%{http_code}", &url()]);
    if manner == Manner::Unknown {
        curl.args(OWN_CIPHERS);
    }
    let output = curl.output().context("can't start curl")?;
    match (output.status.code(), output.stdout.as_slice()) {
        (Some(0), b"200") => Ok(Answer::Page),
        (Some(CURL_TIMED_OUT), _) => Ok(Answer::Silence),
        _ => bail!("curl: {}: {}", output.status, String::from_utf8_lossy(&output.stderr)),
    }
}

/// Asks up to `most` times with Python's requests, each time on a new connection, until
/// there is no answer; says how many came, and how it ended.
///
/// # Errors
///
/// If the script fails in another way than by silence.
pub(crate) fn bot(lab: &Lab, site: Site, source: &str, most: u32) -> Result<(usize, Answer)> {
    let mut bot = script(site, include_str!("script/bot.py"), lab.folder());
    let output = bot.args([source, &most.to_string()]).output().context("can't start python3")?;
    if !output.status.success() {
        bail!("the bot failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let answers = said.lines().filter(|line| *line == "answer").count();
    let silent = said.lines().any(|line| line == "silence");
    Ok((answers, if silent { Answer::Silence } else { Answer::Page }))
}

/// A script in the distribution's Python, apart from the user's own modules; its first
/// arguments are the edge's URL and certificate.
pub(super) fn script(site: Site, text: &str, folder: &Path) -> Command {
    let mut python = site.command("/usr/bin/python3");
    python.args(["-I", "-u", "-c", text, &url()]).arg(folder.join(CERTIFICATE));
    python
}

fn url() -> String {
    format!("https://{NAME}/")
}

/// Long against an answer here (some milliseconds), short for who watches.
const PATIENCE_S: &str = "1.5";

/// curl's exit code for `--max-time`.
const CURL_TIMED_OUT: i32 = 28;

const OWN_CIPHERS: [&str; 4] = [
    "--ciphers",
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256",
    "--tls13-ciphers",
    "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256",
];
