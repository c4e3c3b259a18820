//! An apt that knows nothing of the host's own packages, for what isn't to be installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{exec, progress};

/// Debian's archives beside the host's: other suites, no package installed.
pub(crate) struct Apt {
    folder: PathBuf,
}

impl Apt {
    /// Takes the mirrors that the host's apt uses, for these suites; all that apt writes
    /// goes into `folder`.
    ///
    /// # Errors
    ///
    /// If there is no apt, or it knows no mirror of Debian.
    pub(crate) fn beside_the_hosts(folder: &Path, suites: &[&str]) -> Result<Self> {
        for part in ["state/lists/partial", &format!("{ARCHIVES}/partial")] {
            let part = folder.join(part);
            fs::create_dir_all(&part).with_context(|| format!("can't make {}", part.display()))?;
        }
        let mirrors = exec::stdout_of(exec::command("apt-get").args([
            "indextargets",
            "--format",
            "$(REPO_URI)",
            "Created-By: Packages",
        ]))?;
        fs::write(folder.join("sources.list"), sources(&mirrors, suites)?)?;
        fs::write(folder.join("status"), "")?;
        fs::write(folder.join("apt.conf"), configuration(folder))?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// `apt-get` or another program of apt.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = exec::command(program);
        command.env("APT_CONFIG", self.folder.join("apt.conf"));
        command
    }

    /// Fetches packages with all that they depend on, and unpacks them into a folder.
    ///
    /// # Errors
    ///
    /// If the archives can't be asked, or lack one.
    pub(crate) fn unpack(&self, packages: &[&str], into: &Path) -> Result<()> {
        let name = format!("fetching {}", packages.join(" "));
        progress::quietly(&name, self.command("apt-get").args(["-qq", "update"]))?;
        let mut install = self.command("apt-get");
        install.args(["-qq", "-y", "--download-only", "install"]).args(packages);
        progress::quietly(&name, &mut install)?;
        let mut unpack = exec::command("sh");
        unpack.arg("-ec").arg(UNPACK).arg("unpack").arg(self.folder.join(ARCHIVES)).arg(into);
        progress::quietly("unpacking them", &mut unpack)?;
        Ok(())
    }
}

/// One line for each suite, on the mirrors of the host.
fn sources(mirrors: &str, suites: &[&str]) -> Result<String> {
    let mirror = |end: &str| {
        let mut mirrors = mirrors.lines().map(|uri| uri.trim_end_matches('/'));
        mirrors.find(|uri| uri.ends_with(end)).map(str::to_owned)
    };
    let Some(main) = mirror("/debian") else {
        bail!("apt's sources name no mirror of Debian's archives");
    };
    let security = mirror("/debian-security").unwrap_or_else(|| format!("{main}-security"));
    let line = |suite: &&str| {
        let uri = if suite.ends_with("-security") { &security } else { &main };
        format!("deb [arch=amd64 lang=none target=Packages signed-by={KEYS}] {uri} {suite} main\n")
    };
    Ok(suites.iter().map(line).collect())
}

/// Nothing of the host's lists, packages and sources; but its proxies, for instance.
fn configuration(apt: &Path) -> String {
    let apt = apt.display();
    format!(
        "Dir::Etc::sourcelist \"{apt}/sources.list\";\n\
         Dir::Etc::sourceparts \"/dev/null\";\n\
         Dir::State \"{apt}/state\";\n\
         Dir::State::status \"{apt}/status\";\n\
         Dir::Cache \"{apt}/cache\";\n\
         Acquire::Retries \"1\";\n\
         Acquire::http::Timeout \"20\";\n\
         Acquire::https::Timeout \"20\";\n\
         Acquire::Check-Valid-Until \"false\";\n\
         APT::Install-Recommends \"false\";\n\
         APT::Sandbox::User \"root\";\n"
    )
}

const ARCHIVES: &str = "cache/archives";

/// From the folder of packages to another one; nothing is configured.
const UNPACK: &str = r#"
for package in "$1"/*.deb; do dpkg-deb --extract "$package" "$2"; done
rm -f "$1"/*.deb
"#;

const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

#[cfg(test)]
mod tests {
    use super::*;

    const SUITES: [&str; 2] = ["sid", "trixie-security"];

    #[test]
    fn sources_are_on_the_mirrors_of_the_host() {
        let mirrors = "http://mirror.test/debian/\nhttp://safe.test/debian-security/\n";
        let lines = sources(mirrors, &SUITES).unwrap();
        assert_eq!(lines.lines().count(), SUITES.len());
        assert!(lines.contains(" http://mirror.test/debian sid main\n"));
        assert!(lines.contains(" http://safe.test/debian-security trixie-security main\n"));
    }

    #[test]
    fn security_is_beside_the_main_archive_if_it_is_not_named() {
        let mirrors = "http://other.test/node\nhttp://mirror.test/debian/\n";
        let lines = sources(mirrors, &SUITES).unwrap();
        assert!(lines.contains(" http://mirror.test/debian-security trixie-security main\n"));
    }

    #[test]
    fn without_a_mirror_of_debian_there_is_none() {
        assert!(sources("http://other.test/ubuntu/\n", &SUITES).is_err());
    }
}
