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
    assert!(error("\n[classify]\nrequire_socket = \"soon\"\n").contains("line 3"));
    let interfaces = error("\ninterfaces = [\"eth0\", \"a/b\"]\n");
    assert!(interfaces.contains("line 2") && interfaces.contains("a/b"), "{interfaces}");
}

#[test]
fn a_log_can_not_have_the_control_socket() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let load = |socket: &str, run: &str| {
        let log = format!("[[logs]]\nsocket = \"{socket}\"\nformat = \"haproxy\"\n");
        std::fs::write(file.path(), format!("[paths]\nrun = \"{run}\"\n{log}")).unwrap();
        Config::load(file.path()).map(|_| ()).map_err(|error| error.to_string())
    };
    let error = load("/run/palisade/control.sock", "/run/palisade").unwrap_err();
    assert!(error.contains("control socket"), "{error}");
    assert!(load("/srv//./control.sock", "/srv").is_err());
    assert_eq!(load("/run/palisade/log.sock", "/run/palisade"), Ok(()));
    assert_eq!(load("/run/palisade/control.sock", "/srv"), Ok(()));
}

#[test]
fn spans_of_no_time_or_an_age_are_refused() {
    assert!(parse_duration("0s").is_err());
    assert!(parse_duration("11years").is_err());
    assert_eq!(parse_duration("1h 30m"), Ok(Duration::from_mins(90)));
}

#[test]
fn a_policy_is_found_beside_the_configuration_and_its_faults_name_file_and_line() {
    let dir = tempfile::TempDir::new().unwrap();
    let config = dir.path().join("palisade.toml");
    std::fs::write(&config, "[classify]\npolicy = \"policy.toml\"\n").unwrap();
    let load = |text: &str| {
        std::fs::write(dir.path().join("policy.toml"), text).unwrap();
        let loaded = Config::load(&config).unwrap().classify.load_policy();
        loaded.map_err(|error| {
            let source = std::error::Error::source(&error).unwrap().to_string();
            format!("{error}: {source}")
        })
    };
    assert!(load("[services.default]\nenforce = true\n").unwrap().services["default"].enforce);
    let unknown = load("\n[services.api]\nport = 443\n").unwrap_err();
    assert!(unknown.contains("policy.toml") && unknown.contains("line 3"), "{unknown}");
    assert!(load("[services.api]\n").unwrap_err().contains("neither ports nor hosts"));
    std::fs::remove_file(dir.path().join("policy.toml")).unwrap();
    assert!(Config::load(&config).unwrap().classify.load_policy().is_err());
}
