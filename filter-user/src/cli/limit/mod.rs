//! `palisade limit`.

pub(super) mod args;
mod render;

use super::output::Output;
use super::show_done;
use crate::control::api::{Done, LimitInfo, SetLimit, TopEntry};
use crate::control::client::{Client, ClientError};
use anyhow::Result;
use args::{LimitCommand, SetArguments, TopArguments};
use axum::http::Method;

pub(super) use render::guards;

/// Carries out a command on limit profiles.
pub(super) async fn run(client: &Client, output: Output, command: LimitCommand) -> Result<()> {
    match command {
        LimitCommand::Ls => output.show(&limits(client).await?, |limits| render::limits(limits)),
        LimitCommand::Show { name: None } => {
            output.show(&limits(client).await?, |limits| render::details(limits))
        }
        LimitCommand::Show { name: Some(name) } => {
            output.show(&limit(client, &name).await?, render::detail)
        }
        LimitCommand::Set { name, set } => {
            let (path, request) = (path_of(&name), SetLimit::from(*set));
            let done: Done = client.send(Method::PUT, &path, &request).await?;
            show_done(output, &done)
        }
        LimitCommand::Del { name } => {
            let done: Done = client.send(Method::DELETE, &path_of(&name), &()).await?;
            show_done(output, &done)
        }
        LimitCommand::Top(top) => {
            let entries: Vec<TopEntry> = client.get(&top_path(&top)).await?;
            output.show(&entries, |entries| render::top(entries))
        }
    }
}

async fn limits(client: &Client) -> Result<Vec<LimitInfo>, ClientError> {
    client.get("/v1/limits").await
}

async fn limit(client: &Client, name: &str) -> Result<LimitInfo> {
    let found = limits(client).await?.into_iter().find(|limit| limit.name == name);
    found.ok_or_else(|| {
        anyhow::anyhow!("there is no limit profile {name:?}; `palisade limit ls` shows them")
    })
}

/// A profile's name is checked when it is typed: it is plain, and needs no escapes.
fn path_of(name: &str) -> String {
    format!("/v1/limits/{name}")
}

fn top_path(top: &TopArguments) -> String {
    let profile = top.profile.as_ref().map(|name| format!("&profile={name}"));
    format!("/v1/limits/top?n={}{}", top.count, profile.unwrap_or_default())
}

impl From<SetArguments> for SetLimit {
    fn from(set: SetArguments) -> Self {
        let SetArguments { unit, rate, burst, quota, key, services, action, guard } = set;
        let services = (!services.is_empty()).then(|| services.into_iter().flatten().collect());
        let guard = guard.map(|guard| guard == args::Switch::On);
        Self { unit, rate, burst, quota, key, services, action, guard }
    }
}

#[cfg(test)]
mod tests;
