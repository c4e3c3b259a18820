//! `palisade policy`.

use super::output::Output;
use super::render::{table, table_or, when};
use super::show_done;
use crate::classify::decision::cases::{Cases, Outcome};
use crate::classify::decision::policy::Policy;
use crate::config::{ConfigError, load_policy};
use crate::control::api::ReviewRow;
use crate::control::client::Client;
use anyhow::{Context, Result};
use axum::http::Method;
use clap::Subcommand;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What can be typed.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Show the policy in force, as a file would have it.
    Show,
    /// Show what was decided, grouped: in shadow, what would have been limited or blocked.
    Review,
    /// Read a policy as the daemon would, and say what is wrong with it.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Have the daemon read its policy again.
    Reload,
    /// Play named cases in virtual time, and say which don't come out as they should.
    ///
    /// Exit code 1 if one doesn't.
    Test {
        /// The cases.
        file: PathBuf,
        /// The policy under which they are played; the built-in one if none is named.
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
    },
}

/// Carries a command out.
pub(super) async fn run(
    client: &Client,
    output: Output,
    command: PolicyCommand,
) -> Result<ExitCode> {
    match command {
        PolicyCommand::Show => {
            let policy: Policy = client.get("/v1/policy").await?;
            let text = toml::to_string(&policy)?;
            output.show(&policy, |_| text.clone())?;
        }
        PolicyCommand::Review => {
            let rows: Vec<ReviewRow> = client.get("/v1/policy/review").await?;
            output.show(&rows, |rows| review(rows))?;
        }
        PolicyCommand::Check { file } => {
            load_policy(&file)?;
            output.remark(&format!("{} is fine", file.display()))?;
        }
        PolicyCommand::Reload => {
            let done = client.send(Method::POST, "/v1/policy/reload", &()).await?;
            show_done(output, &done)?;
        }
        PolicyCommand::Test { file, policy } => return test(output, &file, policy.as_deref()),
    }
    Ok(ExitCode::SUCCESS)
}

/// What became of an actor of a case.
#[derive(Debug, Serialize)]
struct Played {
    case: String,
    actor: String,
    passed: bool,
    /// The most that happened to an address.
    address: String,
    /// The most that happened to the fingerprint.
    fingerprint: String,
    /// When, in minutes from the beginning, and why.
    after_minutes: Option<u64>,
    reason: Option<String>,
    problem: Option<String>,
}

impl From<Outcome> for Played {
    fn from(outcome: Outcome) -> Self {
        let Outcome { case, actor, address, fingerprint, first, problem } = outcome;
        Self {
            case,
            actor,
            passed: problem.is_none(),
            address: address.name().into(),
            fingerprint: fingerprint.name().into(),
            after_minutes: first.as_ref().map(|first| first.minutes),
            reason: first.map(|first| first.decision.reason()),
            problem,
        }
    }
}

fn test(output: Output, file: &Path, policy: Option<&Path>) -> Result<ExitCode> {
    let policy = policy.map_or_else(|| Ok(Policy::default()), load_policy)?;
    let text = std::fs::read_to_string(file)
        .map_err(|source| ConfigError::Read { path: file.into(), source })?;
    let cases: Cases = toml::from_str(&text).with_context(|| format!("{}", file.display()))?;
    let played: Vec<Played> = cases.play(&policy)?.into_iter().map(Played::from).collect();
    output.show(&played, |played| results(played))?;
    let failed = played.iter().any(|actor| !actor.passed);
    Ok(ExitCode::from(u8::from(failed)))
}

fn results(played: &[Played]) -> String {
    let rows = played.iter().map(|actor| {
        let minutes =
            actor.after_minutes.map_or_else(String::new, |minutes| format!("{minutes} min"));
        vec![
            if actor.passed { "ok" } else { "FAILED" }.into(),
            actor.case.clone(),
            actor.actor.clone(),
            actor.address.clone(),
            actor.fingerprint.clone(),
            minutes,
            actor.problem.clone().or_else(|| actor.reason.clone()).unwrap_or_default(),
        ]
    });
    let header = ["", "case", "actor", "address", "fingerprint", "after", "why"];
    let failed = played.iter().filter(|actor| !actor.passed).count();
    let mut text = table_or(&header, rows, "there is no case in the file");
    let _ = write!(text, "\n{} as expected, {failed} not", played.len() - failed);
    text
}

fn review(rows: &[ReviewRow]) -> String {
    if rows.is_empty() {
        return "nothing was decided yet: no client has done what the policy acts upon".into();
    }
    let row = |row: &ReviewRow| {
        let said = if row.mode == "shadow" { "would " } else { "did " };
        let whose = row.label.as_ref().or(row.ja4.as_ref());
        vec![
            row.service.clone(),
            format!("{said}{}", row.action),
            format!("{}: {}", row.line, row.class),
            whose.cloned().unwrap_or_else(|| "no hello known".into()),
            row.subjects.to_string(),
            row.good.to_string(),
            row.examples.join(" "),
            when(row.last_unix_ms),
            row.reason.clone(),
        ]
    };
    let header = [
        "service",
        "what",
        "line: class",
        "who",
        "subjects",
        "of them good",
        "such as",
        "last",
        "reason",
    ];
    let shadow = rows.iter().filter(|row| row.mode == "shadow").map(|row| &row.service);
    let mut services: Vec<_> = shadow.cloned().collect();
    services.sort();
    services.dedup();
    let mut text = table(&header, rows.iter().map(row));
    if !services.is_empty() {
        let _ = write!(
            text,
            "\nonly counted so far; `enforce = true` under [services.NAME] in the policy has it \
             act, then `palisade policy reload`. In shadow: {}",
            services.join(", ")
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_that_fails_is_told_with_its_reason() {
        let played = |passed, problem| Played {
            case: "office".into(),
            actor: "people".into(),
            passed,
            address: "block".into(),
            fingerprint: "nothing".into(),
            after_minutes: Some(3),
            reason: None,
            problem,
        };
        let text = results(&[played(true, None), played(false, Some("address: Block".into()))]);
        assert!(text.contains("FAILED") && text.contains("1 as expected, 1 not"), "{text}");
        assert!(text.contains("address: Block"), "{text}");
    }
}
