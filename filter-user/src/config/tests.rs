//! Configurations, good and bad.

mod limits;

use super::*;

fn error(text: &str) -> String {
    toml::from_str::<Config>(text).unwrap_err().to_string()
}

#[test]
fn an_empty_file_is_the_default_and_monitors() {
    let config: Config = toml::from_str("").unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.mode, HostMode::Monitor);
}

#[test]
fn errors_name_the_line() {
    assert!(error("mode = \"monitor\"\nmodus = 1\n").contains("line 2"));
    assert!(error("mode = \"maybe\"").contains("line 1"));
    assert!(error("\n\n[limits.packets]\nper_sec = 0\nburst = 1\n").contains("line 4"));
    assert!(error("\n[classify]\nverdict_for = \"soon\"\n").contains("line 3"));
    let interfaces = error("\ninterfaces = [\"eth0\", \"a/b\"]\n");
    assert!(interfaces.contains("line 2") && interfaces.contains("a/b"), "{interfaces}");
}

#[test]
fn spans_of_no_time_or_an_age_are_refused() {
    assert!(parse_duration("0s").is_err());
    assert!(parse_duration("11years").is_err());
    assert_eq!(parse_duration("1h 30m"), Ok(Duration::from_mins(90)));
}
