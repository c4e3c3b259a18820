//! Policies as operators write them.

use super::*;
use filter_common::abi::client::ClientKey;

fn parsed(text: &str) -> Policy {
    toml::from_str(text).unwrap()
}

#[test]
fn the_default_is_sound_and_survives_its_file() {
    let policy = Policy::default();
    assert_eq!(policy.check(), Ok(()));
    assert_eq!(parsed(&toml::to_string(&policy).unwrap()), policy);
    assert_eq!(parsed(""), policy);
    assert!(!Service::default().enforce);
}

#[test]
fn the_first_line_that_fits_decides() {
    let policy = parsed(
        r#"
        [services.api]
        ports = [8443]
        [[lines]]
        name = "scanners at the api"
        services = ["api"]
        classes = ["tool", "library"]
        signals = ["not-found"]
        action = "block"
        [[lines]]
        name = "rest"
        score = 50
        action = "limit"
        "#,
    );
    assert_eq!(policy.check(), Ok(()));
    let line = |service, class, score, fired: &[&str]| {
        policy.line(service, class, score, fired).map(|line| line.name.as_str())
    };
    assert_eq!(line("api", Class::Tool, 50, &["not-found"]), Some("scanners at the api"));
    assert_eq!(line("www", Class::Tool, 50, &["not-found"]), Some("rest"));
    assert_eq!(line("api", Class::Browser, 50, &["not-found"]), Some("rest"));
    assert_eq!(line("api", Class::Tool, 49, &["regular"]), None);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let check = |text| parsed(text).check();
    assert_eq!(check("ladder = []"), Err(PolicyError::Ladder));
    let ladder = "ladder = [{ action = \"block\", minutes = 0 }]";
    assert_eq!(check(ladder), Err(PolicyError::Ladder));
    let everybody = "[[lines]]\nname = \"x\"\naction = \"block\"";
    assert_eq!(check(everybody), Err(PolicyError::Everybody("x".into())));
    let unknown = "[[lines]]\nname = \"x\"\naction = \"block\"\nsignals = [\"y\"]";
    assert!(matches!(check(unknown), Err(PolicyError::Signal { signal, .. }) if signal == "y"));
    assert!(toml::from_str::<Policy>("thresholds = 5").is_err());
}

#[test]
fn logins_are_told_by_path_method_and_status() {
    let service = Service::default();
    let login = |method, path, status| {
        let request = Request { method, path, status, ..Request::default() };
        let (client, what) = (ClientKey { high: 0, low: 0 }, What::Request(request));
        service.login(&Seen { client, service: "", tls: None, at_ms: 0, what })
    };
    assert_eq!(login("POST", "/login?next=/", 401), Some(Login::Failed));
    assert_eq!(login("POST", "/login", 302), Some(Login::Passed));
    assert_eq!(login("GET", "/login", 200), None);
    assert_eq!(login("GET", "/login/basic", 401), Some(Login::Failed));
    assert_eq!(login("POST", "/login", 502), None);
    assert_eq!(login("POST", "/items", 401), None);
}

#[test]
fn a_service_is_found_by_host_before_port_and_else_it_is_the_default() {
    let text = "[services.api]\nhosts = [\"api.example.com\", \"*.api.example.com\"]\n\
                [services.alt]\nports = [8443]\n\
                [services.both]\nports = [443]\nhosts = [\"shop.example.com\"]\n\
                [services.default]\nenforce = true\n";
    let policy: Policy = toml::from_str(text).unwrap();
    policy.check().unwrap();
    let cases = [
        (443, Some("api.example.com"), "api"),
        (8443, Some("API.example.com:8443"), "api"),
        (443, Some("eu.api.example.com."), "api"),
        (443, Some("notapi.example.com"), "default"),
        (8443, Some("other.example.com"), "alt"),
        (8443, None, "alt"),
        (443, Some("shop.example.com"), "both"),
        (444, Some("shop.example.com"), "default"),
        (443, Some("é"), "default"),
    ];
    for (port, host, service) in cases {
        assert_eq!(policy.service_of(port, host), service, "{port} {host:?}");
    }
    assert!(policy.default_service().enforce);
}

#[test]
fn services_have_names_and_places_and_lines_name_those_that_there_are() {
    let error = |text: &str| toml::from_str::<Policy>(text).unwrap().check().unwrap_err();
    assert_eq!(error("[services.api]"), PolicyError::Nowhere("api".into()));
    assert_eq!(error("[services.\"a/b\"]\nports = [1]"), PolicyError::Name("a/b".into()));
    let line = "[[lines]]\nname = \"x\"\nservices = [\"y\"]\nscore = 1\naction = \"block\"";
    assert!(matches!(error(line), PolicyError::Service { .. }));
}
