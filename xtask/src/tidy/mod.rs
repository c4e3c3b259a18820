//! `cargo xtask tidy`: the house rules that Cargo can't check.
//!
//! Each rule is a pure function from files to findings.

use std::path::Path;

use anyhow::Result;

use crate::{term, workspace};

mod arrow;
mod link;
mod manifest;
mod prose;
mod size;
mod source;
mod unsafety;

/// A text file of the workspace.
pub(crate) struct File {
    /// Path from the workspace's root, with slashes.
    path: String,
    text: String,
}

impl File {
    fn is_a(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|own| own == extension)
    }
}

/// Something that breaks a rule, or nearly.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    /// Counted from one.
    line: usize,
    message: String,
    /// A warning is printed and fails nothing.
    fatal: bool,
}

impl Finding {
    fn new(file: &File, line: usize, message: impl Into<String>) -> Self {
        Self { path: file.path.clone(), line, message: message.into(), fatal: true }
    }

    fn warning(file: &File, line: usize, message: impl Into<String>) -> Self {
        Self { fatal: false, ..Self::new(file, line, message) }
    }
}

/// Prints every finding and says whether none was fatal.
pub(crate) fn run() -> Result<bool> {
    let root = workspace::root();
    let files = source::read(root)?;
    let findings = findings(&files, root);
    for finding in &findings {
        let kind = if finding.fatal { "error" } else { "warning" };
        term::line(&format!("{kind}: {}:{}: {}", finding.path, finding.line, finding.message));
    }
    let fatal = findings.iter().filter(|finding| finding.fatal).count();
    term::line(&format!("tidy: {} files, {fatal} errors", files.len()));
    Ok(fatal == 0)
}

fn findings(files: &[File], root: &Path) -> Vec<Finding> {
    let exists = |path: &Path| root.join(path).exists();
    let mut findings: Vec<Finding> =
        files.iter().flat_map(|file| RULES.iter().flat_map(|rule| rule(file))).collect();
    findings.extend(files.iter().flat_map(|file| link::broken(file, &exists)));
    findings
}

const RULES: &[fn(&File) -> Vec<Finding>] = &[
    arrow::forbidden,
    manifest::unexplained_dependencies,
    manifest::changelog_without_unreleased,
    prose::words,
    prose::machine_paths,
    size::too_long,
    size::vague_module,
    unsafety::without_opt_in,
];

#[cfg(test)]
fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}
