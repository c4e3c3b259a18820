//! Who may say what is known of clients.

use crate::classify::knowledge::PublicKey;
use serde::Deserialize;

/// Who may say what is known of clients.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Knowledge {
    /// Keys of which one must have signed what is imported; none: whoever may command the daemon
    /// may import what he likes.
    pub keys: Vec<PublicKey>,
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn a_bad_key_is_refused_with_its_line() {
        let good = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
        let text = format!("[knowledge]\nkeys = [\"{good}\"]\n");
        let config: Config = toml::from_str(&text).unwrap();
        assert_eq!(config.knowledge.keys[0].id(), "E7620F1842B4E81F");
        for bad in [&good[1..], "", "untrusted comment: minisign public key E7620F1842B4E81F"] {
            let error = toml::from_str::<Config>(&text.replace(good, bad)).unwrap_err();
            let error = error.to_string();
            assert!(error.contains("line 2") && error.contains("minisign.pub"), "{error}");
        }
    }
}
