//! `palisade list`, and its shorthands for the lists `block` and `allow`.

pub(super) mod args;
mod export;
pub(super) mod import;
mod render;
mod target;

use super::output::{self, Output};
use super::show_done;
use crate::control::api::{
    AddEntries, CreateList, Done, ListDetail, ListInfo, RemoveEntries, SetList,
};
use crate::control::client::Client;
use anyhow::Result;
use args::{
    AddArguments, BuiltInCommand, CreateArguments, DelArguments, ListCommand, ListMode,
    SetArguments, ShowArguments,
};
use axum::http::Method;
use import::Import;
use serde::Serialize;

/// Entries that are shown if nothing is said.
const SHOWN: usize = 1000;

/// Entries that the daemon shows at most.
const SHOWN_AT_MOST: usize = 100_000;

/// Carries out a command on any list.
pub(super) async fn run(client: &Client, output: Output, command: ListCommand) -> Result<()> {
    let list = |name: &str| Lists { client, output, path: path_of(name) };
    match command {
        ListCommand::Ls => {
            let lists: Vec<ListInfo> = client.get("/v1/lists").await?;
            output.show(&lists, |lists| render::lists(lists))
        }
        ListCommand::Create(create) => list("").create(create).await,
        ListCommand::Show { list: named, show } => list(&named.name).show(&show).await,
        ListCommand::Set { list: named, set } => list(&named.name).set(set).await,
        ListCommand::Import { list: named, import } => {
            list(&named.name).import(Import::from(import)).await
        }
        ListCommand::Replace { list: named, replace } => {
            list(&named.name).import(Import::from(replace)).await
        }
        ListCommand::Export { list: named, file } => {
            export::export(client, output, &list(&named.name).path, file.as_deref()).await
        }
        ListCommand::Drop { list: named } => list(&named.name).order(Method::DELETE, "", &()).await,
        ListCommand::Add { list: named, add } => list(&named.name).add(add).await,
        ListCommand::Del { list: named, del } => list(&named.name).del(del).await,
    }
}

/// Carries out a command on a list that is there from the start.
pub(super) async fn run_built_in(
    client: &Client,
    output: Output,
    name: &str,
    command: BuiltInCommand,
) -> Result<()> {
    let list = Lists { client, output, path: path_of(name) };
    match command {
        BuiltInCommand::Add(add) => list.add(add).await,
        BuiltInCommand::Del(del) => list.del(del).await,
        BuiltInCommand::List(show) if output.is_json() => list.show_entries(&show).await,
        BuiltInCommand::List(show) => list.show(&show).await,
        BuiltInCommand::Import(import) => list.import(Import::from(import)).await,
        BuiltInCommand::Replace(replace) => list.import(Import::from(replace)).await,
    }
}

/// A list's name is checked when it is typed: it is plain, and needs no escapes.
fn path_of(name: &str) -> String {
    let slash = if name.is_empty() { "" } else { "/" };
    format!("/v1/lists{slash}{name}")
}

/// The lists, or one of them, by its path.
struct Lists<'a> {
    client: &'a Client,
    output: Output,
    path: String,
}

impl Lists<'_> {
    /// Has something done, and shows what came of it.
    async fn order(&self, method: Method, below: &str, request: &impl Serialize) -> Result<()> {
        let path = format!("{}{below}", self.path);
        let done: Done = self.client.send(method, &path, request).await?;
        show_done(self.output, &done)
    }

    async fn create(&self, create: CreateArguments) -> Result<()> {
        let CreateArguments { name, action, shadow, priority } = create;
        self.order(Method::POST, "", &CreateList { name, action, shadow, priority }).await
    }

    async fn set(&self, set: SetArguments) -> Result<()> {
        let SetArguments { action, mode, priority } = set;
        let shadow = mode.map(|mode| mode == ListMode::Shadow);
        self.order(Method::PATCH, "", &SetList { action, shadow, priority }).await
    }

    async fn add(&self, add: AddArguments) -> Result<()> {
        let AddArguments { prefixes, comment, shadow, lasts } = add;
        let request = AddEntries { prefixes, comment, shadow, lasts };
        self.order(Method::POST, "/entries", &request).await
    }

    async fn del(&self, del: DelArguments) -> Result<()> {
        let DelArguments { prefixes } = del;
        self.order(Method::DELETE, "/entries", &RemoveEntries { prefixes }).await
    }

    async fn detail(&self, limit: usize) -> Result<ListDetail> {
        Ok(self.client.get(&format!("{}?limit={limit}", self.path)).await?)
    }

    async fn show(&self, show: &ShowArguments) -> Result<()> {
        let detail = self.detail(show.limit.unwrap_or(SHOWN)).await?;
        self.output.show(&detail, render::detail)
    }

    /// Shows the entries alone, for programs.
    async fn show_entries(&self, show: &ShowArguments) -> Result<()> {
        let detail = self.detail(show.limit.unwrap_or(SHOWN_AT_MOST)).await?;
        self.output.show(&detail.entries, |_| render::detail(&detail))?;
        if let Some(more) = render::more(&detail) {
            output::problem(&more);
        }
        Ok(())
    }

    async fn import(&self, import: Import) -> Result<()> {
        import.send(self.client, self.output, &self.path).await
    }
}

#[cfg(test)]
mod tests;
