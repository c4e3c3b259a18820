//! A bot is known by its handshake, and the office passes.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::{Stage, Step, rise};
use crate::demo::POLICY_FILE;
use crate::lab::client::{self, Answer, Manner};
use crate::lab::{OFFICE_V4, OFFICE_V6, Site, elsewhere, host};
use crate::{clock, term};

pub(super) const STEP: Step = Step {
    name: "bot-dropped",
    title: "A bot is known by its TLS handshake, and dropped",
    what: "The office's prefixes go on the allowlist. A policy says that whoever comes with an HTTP \
           library is a bot here, and that this isn't only counted. Then a bot, Python's requests as it is, asks \
           from elsewhere; afterwards the same bot and curl ask from the office. (Tools that share a \
           library share a fingerprint, so the bot may be known by another tool's name.)",
    promise: "The bot is fingerprinted, classified and dropped, and the reason can be asked for; \
              the office passes with any tool: allow always wins.",
    play,
};

fn play(stage: &mut Stage) -> Result<String> {
    stage.filter.run(&["allow", "add", OFFICE[0], OFFICE[1], "--comment", "the office"])?;
    fs::write(stage.lab.folder().join(POLICY_FILE), POLICY)?;
    stage.filter.run(&["policy", "reload"])?;
    let before = stage.filter.status()?;
    let known = fingerprints(stage)?;
    let (answered, known) = bot_until_dropped(stage, &known)?;
    let how = match &known {
        Known::Label(how) => {
            let verdict = verdict_on_bot(stage)?;
            ask_for_the_reason(stage)?;
            let dropped = rise(&before, &stage.filter.status()?, "drop", "client-verdict")?;
            let (source, left) = (verdict.source, verdict.expires_in_s);
            format!("{how}; a verdict of the {source} holds for {left} s more, {dropped} packets")
        }
        Known::Rule(how) => {
            let ended = rise(&before, &stage.filter.status()?, "drop", "hello-rule")?;
            format!("{how}; the rule has ended {ended} connections with their ClientHello")
        }
    };
    office_passes(stage)?;
    let when = match answered {
        0 => "before its first answer".to_owned(),
        _ => format!("after {answered} answers"),
    };
    Ok(format!("{how}; dropped {when}; in the office the same bot and curl got all their pages"))
}

/// No patience with libraries.
const POLICY: &str = include_str!("../policy.toml");

/// How the bot was known.
enum Known {
    /// By the built-in list.
    Label(String),
    /// By a rule that the operator has made.
    Rule(String),
}

/// Lets the bot ask until it hears nothing; gives its answers, and how it was known.
///
/// The built-in list of tools may not know this host's combination of Python and OpenSSL.
/// Then an operator would do what is done here: block the fingerprint that was recorded.
fn bot_until_dropped(stage: &Stage, known: &BTreeSet<String>) -> Result<(usize, Known)> {
    let (answered, end) = ask(stage, ASKS)?;
    let bots = bots_fingerprint(stage, known)?;
    let ja4 = &bots.ja4;
    let label = bots.label.as_deref().filter(|label| !label.is_empty());
    if let (Answer::Silence, Some(label)) = (end, label) {
        return Ok((answered, Known::Label(format!("JA4 {ja4}, known as {label}"))));
    }
    ensure!(end == Answer::Page, "the bot was dropped, but its JA4 {ja4} has no label");
    let note = "The built-in list doesn't know this host's Python by its JA4, so the operator \
                blocks the JA4 that the daemon has recorded:";
    term::paragraph("   ", note);
    term::line(&format!("   palisade fingerprint block {ja4}"));
    stage.filter.run(&["fingerprint", "block", ja4, "--comment", "the demo's bot"])?;
    let (more, end) = ask(stage, ASKS)?;
    ensure!(end == Answer::Silence, "the bot is still served, with its JA4 {ja4} blocked");
    let how = format!("JA4 {ja4}, unknown to the built-in list, blocked by hand");
    Ok((answered + more, Known::Rule(how)))
}

fn ask(stage: &Stage, most: u32) -> Result<(usize, Answer)> {
    client::bot(&stage.lab, Site::Elsewhere, &elsewhere(host::BOT), most)
}

/// The part of `palisade --json fingerprint list` that matters here.
#[derive(Deserialize)]
struct Fingerprint {
    ja4: String,
    /// Empty if the built-in list doesn't know it.
    #[serde(default)]
    label: Option<String>,
}

fn fingerprints(stage: &Stage) -> Result<BTreeSet<String>> {
    let listed: Vec<Fingerprint> = stage.filter.ask(&["fingerprint", "list"])?;
    Ok(listed.into_iter().map(|fingerprint| fingerprint.ja4).collect())
}

/// The one fingerprint that wasn't there before the bot was.
fn bots_fingerprint(stage: &Stage, known: &BTreeSet<String>) -> Result<Fingerprint> {
    clock::poll("the bot's fingerprint being recorded", RECORDED, || {
        let listed: Vec<Fingerprint> = stage.filter.ask(&["fingerprint", "list"])?;
        let mut new = listed.into_iter().filter(|found| !known.contains(&found.ja4));
        match (new.next(), new.next()) {
            (first, None) => Ok(first),
            (_, Some(_)) => bail!("more than one new fingerprint was recorded"),
        }
    })
}

/// The part of `palisade --json verdict list` that matters here.
#[derive(Deserialize)]
struct Verdict {
    client: String,
    action: String,
    source: String,
    expires_in_s: u64,
}

fn verdict_on_bot(stage: &Stage) -> Result<Verdict> {
    let verdicts: Vec<Verdict> = stage.filter.ask(&["verdict", "list"])?;
    let client = format!("{}/32", elsewhere(host::BOT));
    let verdict = verdicts.into_iter().find(|verdict| verdict.client == client);
    let verdict = verdict.with_context(|| format!("there is no verdict on {client}"))?;
    ensure!(verdict.action == "block", "the verdict on {client} is {}", verdict.action);
    Ok(verdict)
}

fn ask_for_the_reason(stage: &Stage) -> Result<()> {
    let question = ["explain", &elsewhere(host::BOT)];
    let explanation: serde_json::Value = stage.filter.ask(&question)?;
    let effect = explanation["effect"].as_str().unwrap_or("nothing");
    ensure!(effect == "drop", "palisade explain says {effect} about the bot");
    term::line(&format!("   palisade {}", question.join(" ")));
    term::quote(&stage.filter.run(&question)?);
    Ok(())
}

fn office_passes(stage: &Stage) -> Result<()> {
    let (answered, end) = client::bot(&stage.lab, Site::Office, OFFICE_V4, ASKS)?;
    ensure!(end == Answer::Page, "the bot in the office was dropped after {answered} answers");
    for source in [OFFICE_V4, OFFICE_V6] {
        let answer = client::curl(&stage.lab, Site::Office, source, Manner::Stock)?;
        ensure!(answer == Answer::Page, "curl in the office, from {source}, was not served");
    }
    Ok(())
}

const OFFICE: [&str; 2] = ["198.51.100.0/24", "2001:db8:2::/64"];

/// Requests after which a bot that is still served wasn't recognised. Each takes some
/// milliseconds; a verdict takes less than one.
const ASKS: u32 = 10;

const RECORDED: Duration = Duration::from_secs(5);
