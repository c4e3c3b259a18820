//! Keeps what a package brings from running on the user's host.

use std::process::Command;

use crate::{exec, term};

/// `apt-get install` of `packages` that starts and restarts nothing.
///
/// Debian's packages ask `/usr/sbin/policy-rc.d` whether they may start a service.
/// The script answers no, and goes away however the installation ends; a script that
/// is there already is hidden behind ours in a mount namespace and stays as it is.
pub(crate) fn install_without_starting(packages: &[&str]) -> Command {
    let mut command = exec::command("sh");
    command.args(["-ec", INSTALL, "install"]).args(packages);
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        // Ubuntu's needrestart would restart services of the host.
        .env("NEEDRESTART_SUSPEND", "1");
    command
}

/// Keeps a service that was just installed from starting at the next boot.
pub(crate) fn keep_from_booting(service: &str) {
    let by_systemd = exec::find("systemctl").is_some()
        && exec::succeeds(exec::command("systemctl").args(["disable", service]));
    let by_rc = exec::find("update-rc.d").is_some()
        && exec::succeeds(exec::command("update-rc.d").args([service, "disable"]));
    if by_systemd || by_rc {
        term::status(&format!(
            "set-up: {service} is installed, not started, and won't start at boot \
             (systemctl enable {service} undoes that)"
        ));
    } else {
        term::status(&format!(
            "set-up: {service} is installed and not started; it may start at the next boot"
        ));
    }
}

/// `$POLICY` counts only as long as this shell lives, so that one left behind by
/// a kill -9 does no harm.
const INSTALL: &str = r#"
policy=/usr/sbin/policy-rc.d
ours=$(mktemp)
made=
trap 'rm -f "$ours" $made' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
printf '#!/bin/sh\n[ -d /proc/%s ] || exit 0\nexit 101\n' $$ >"$ours"
chmod 0755 "$ours"
export policy ours
install='apt-get -qq -y -o DPkg::Lock::Timeout=120 install --no-install-recommends "$@"'
if [ -e "$policy" ]; then
    unshare --mount sh -ec 'mount --bind "$ours" "$policy"; '"$install" install "$@"
else
    made=$policy
    cp -p "$ours" "$policy"
    sh -ec "$install" install "$@"
fi
"#;
