//! Lists from files.

use super::args::{ImportArguments, ReplaceArguments};
use crate::cli::output::Output;
use crate::cli::show_done;
use crate::control::api::Done;
use crate::control::client::{Client, ClientError, Progress};
use crate::control::format::FormatChoice;
use anyhow::{Context, Error, Result};
use indicatif::{ProgressBar, ProgressStyle};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::AsyncRead;

/// A file that is sent to a list.
#[derive(Debug)]
pub(super) struct Import {
    file: PathBuf,
    format: FormatChoice,
    replace: bool,
    force: bool,
}

impl From<ImportArguments> for Import {
    fn from(import: ImportArguments) -> Self {
        let ImportArguments { file, format } = import;
        Self { file, format, replace: false, force: false }
    }
}

impl From<ReplaceArguments> for Import {
    fn from(replace: ReplaceArguments) -> Self {
        Self { replace: true, force: replace.force, ..Self::from(replace.import) }
    }
}

impl Import {
    /// Sends the file to the list at a path, and shows what came of it.
    pub(super) async fn send(self, client: &Client, output: Output, path: &str) -> Result<()> {
        let path = self.path(path);
        let outcome = if is_standard(&self.file) {
            upload(client, &path, tokio::io::stdin(), None).await
        } else {
            let opened = tokio::fs::File::open(&self.file).await;
            let file = opened.with_context(|| self.file.display().to_string())?;
            let kind = file.metadata().await?;
            upload(client, &path, file, kind.is_file().then_some(kind.len())).await
        };
        match outcome {
            Ok(done) => show_done(output, &done),
            Err(error) => Err(about(error, &self.file)),
        }
    }

    /// The request, below the list's path.
    pub(super) fn path(&self, list: &str) -> String {
        let format = escape(&self.format.to_string());
        let Self { replace, force, .. } = self;
        format!("{list}/import?format={format}&replace={replace}&force={force}")
    }
}

/// Escapes a value of a query.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // A `String` takes everything.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// Whether standard input or output is meant.
pub(in crate::cli) fn is_standard(file: &Path) -> bool {
    file == "-"
}

/// Names the file, unless it has nothing to do with the failure.
pub(in crate::cli) fn about(error: ClientError, file: &Path) -> Error {
    if !matches!(error, ClientError::Refused(_) | ClientError::Local(_)) {
        return error.into();
    }
    Error::from(error).context(name(file))
}

/// A file as it was typed.
pub(in crate::cli) fn name(file: &Path) -> String {
    if is_standard(file) { "standard input".into() } else { file.display().to_string() }
}

/// Sends what a source has, with a bar for its bytes if their number is known.
async fn upload(
    client: &Client,
    path: &str,
    source: impl AsyncRead + Send + Unpin + 'static,
    total_bytes: Option<u64>,
) -> Result<Done, ClientError> {
    let bar = total_bytes.map_or_else(ProgressBar::no_length, ProgressBar::new);
    bar.set_style(style(if total_bytes.is_some() { BAR } else { COUNT }));
    let teller = bar.clone();
    let tell = move |progress| match progress {
        Progress::Sent(bytes) => teller.inc(u64::try_from(bytes).unwrap_or_default()),
        Progress::Waiting => {
            teller.set_style(style(WAIT));
            teller.enable_steady_tick(Duration::from_millis(100));
        }
    };
    let outcome = client.upload(path, source, tell).await;
    bar.finish_and_clear();
    outcome
}

const BAR: &str = "{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {elapsed}";
const COUNT: &str = "{spinner} {bytes}, {bytes_per_sec}, {elapsed}";
const WAIT: &str = "{spinner} {bytes} sent, compiling, {elapsed}";

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
