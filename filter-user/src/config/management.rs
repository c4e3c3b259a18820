//! Who is never locked out.

use serde::Deserialize;
use std::num::NonZeroU16;

/// Who is never locked out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Management {
    /// TCP ports of this host through which it is managed: who has a session on one is on the
    /// allowlist meanwhile; none: nobody is.
    pub ports: Vec<NonZeroU16>,
}

impl Default for Management {
    fn default() -> Self {
        Self { ports: NonZeroU16::new(22).into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn ssh_is_how_hosts_are_managed_unless_something_else_is_said() {
        let ports = |text: &str| -> Vec<u16> {
            let config: Config = toml::from_str(text).unwrap();
            config.management.ports.into_iter().map(Into::into).collect()
        };
        assert_eq!(ports(""), [22]);
        assert!(ports("[management]\nports = []").is_empty());
        assert_eq!(ports("[management]\nports = [2222, 8006]"), [2222, 8006]);
        let error = toml::from_str::<Config>("[management]\nports = [0]").unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
