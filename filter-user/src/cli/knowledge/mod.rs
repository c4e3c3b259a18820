//! `palisade knowledge`.

pub(super) mod args;
mod render;

use super::list::import::{about, is_standard, name};
use super::output::Output;
use super::show_done;
use crate::classify::knowledge::MAX_BYTES;
use crate::control::api::{ImportKnowledge, KnowledgeInfo};
use crate::control::client::Client;
use anyhow::{Context, Result, ensure};
use args::{ImportArguments, KnowledgeCommand};
use axum::http::Method;
use std::io;
use std::path::{Path, PathBuf};
use tokio::io::{AsyncRead, AsyncReadExt};

const PATH: &str = "/v1/knowledge";

/// Carries a command out.
pub(super) async fn run(client: &Client, output: Output, command: KnowledgeCommand) -> Result<()> {
    match command {
        KnowledgeCommand::Show => {
            let info: KnowledgeInfo = client.get(PATH).await?;
            output.show(&info, render::info)
        }
        KnowledgeCommand::Import(import) => {
            let file = import.file.clone();
            let request = request(import).await?;
            let done = client.send(Method::PUT, PATH, &request).await;
            show_done(output, &done.map_err(|error| about(error, &file))?)
        }
        KnowledgeCommand::Reset => {
            show_done(output, &client.send(Method::DELETE, PATH, &()).await?)
        }
    }
}

async fn request(import: ImportArguments) -> Result<ImportKnowledge> {
    let ImportArguments { file, signature, keys, force } = import;
    let text = read(&file).await.with_context(|| name(&file))?;
    let signature = match signature {
        Some(path) => Some(read(&path).await.with_context(|| name(&path))?),
        None if is_standard(&file) => None,
        None => read_beside(&file).await?,
    };
    Ok(ImportKnowledge { file: name(&file), text, signature, keys, force })
}

/// The signature beside a file, if there is one.
async fn read_beside(file: &Path) -> Result<Option<String>> {
    let mut path = file.as_os_str().to_owned();
    path.push(".minisig");
    let path = PathBuf::from(path);
    match read(&path).await {
        Ok(text) => Ok(Some(text)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error.context(name(&path))),
    }
}

fn is_missing(error: &anyhow::Error) -> bool {
    error.downcast_ref().is_some_and(|error: &io::Error| error.kind() == io::ErrorKind::NotFound)
}

async fn read(path: &Path) -> Result<String> {
    if is_standard(path) {
        return read_all(tokio::io::stdin()).await;
    }
    read_all(tokio::fs::File::open(path).await?).await
}

/// Reads a text that isn't longer than knowledge gets.
async fn read_all(source: impl AsyncRead + Unpin) -> Result<String> {
    let most = u64::try_from(MAX_BYTES)?;
    let mut text = String::new();
    source.take(most + 1).read_to_string(&mut text).await?;
    ensure!(text.len() <= MAX_BYTES, "it has more than {MAX_BYTES} bytes, which no knowledge has");
    Ok(text)
}

#[cfg(test)]
mod tests;
