//! Lists to files.

use super::import::{about, is_standard};
use super::target::Target;
use crate::cli::output::Output;
use crate::cli::show_done;
use crate::control::api::Done;
use crate::control::client::{Client, ClientError};
use anyhow::{Context, Result};
use std::io::{self, BufWriter};
use std::path::Path;

/// Writes a list's entries to a file, or to standard output.
pub(super) async fn export(
    client: &Client,
    output: Output,
    list: &str,
    file: Option<&Path>,
) -> Result<()> {
    let path = format!("{list}/export");
    let Some(file) = file.filter(|file| !is_standard(file)) else {
        return print(client, &path).await;
    };
    let target = Target::new(file).with_context(|| file.display().to_string())?;
    let written = match write(client, &path, &target).await {
        Ok(written) => target.keep().map(|()| written).map_err(ClientError::Local),
        Err(error) => {
            target.abandon();
            Err(error)
        }
    };
    let written = written.map_err(|error| about(error, file))?;
    let notes = vec![format!("{written} bytes in {}", file.display())];
    show_done(output, &Done { changed: 0, notes })
}

/// Writes to standard output, until whoever reads it has enough.
async fn print(client: &Client, path: &str) -> Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    match client.download(path, &mut out).await {
        Err(ClientError::Local(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => Ok(outcome.map(|_| ())?),
    }
}

async fn write(client: &Client, path: &str, target: &Target) -> Result<u64, ClientError> {
    let mut out = BufWriter::new(target.open().map_err(ClientError::Local)?);
    let written = client.download(path, &mut out).await?;
    let file = out.into_inner().map_err(|error| ClientError::Local(error.into_error()))?;
    // Pipes and devices can't be synced.
    if file.metadata().is_ok_and(|kind| kind.is_file()) {
        file.sync_all().map_err(ClientError::Local)?;
    }
    Ok(written)
}
