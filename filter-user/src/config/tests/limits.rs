//! `[limits.NAME]`.

use super::error;
use crate::config::Config;
use crate::limit::{LimitSettings, Origin, built_in};

fn limit(config: &str, name: &str) -> LimitSettings {
    toml::from_str::<Config>(config).unwrap().limits.get(name).unwrap().clone()
}

fn settings(toml: &str) -> LimitSettings {
    toml::from_str(toml).unwrap()
}

#[test]
fn the_built_in_limits_are_there_if_nobody_says_anything() {
    let config: Config = toml::from_str("").unwrap();
    let rows = [
        ("throttle", "unit = 'packets'\nrate = '100/s'\nburst = 200"),
        ("packets", "unit = 'packets'\nrate = '20k/s'\nburst = '40k'\nservices = ['any']"),
        ("connections", "unit = 'connections'\nrate = '100/s'\nburst = 400\nservices = ['any']"),
    ];
    for (name, expected) in rows {
        assert_eq!(config.limits.get(name), Some(&settings(expected)), "{name}");
    }
    assert!(config.limits.iter().all(|(_, _, origin)| origin == Origin::BuiltIn));
    let book = config.limits.book().unwrap();
    for (name, number, _) in built_in::all() {
        assert_eq!(book.get(name).unwrap().number, number);
    }
}

#[test]
fn a_table_is_a_limit_under_its_name() {
    let config = "[limits.web]\nunit = 'bytes'\nrate = '10MB/s'\nburst = '1MiB'\n\
                  key = 'service'\nservices = ['tcp/80', 'tcp/443']\naction = 'reset'\n\
                  [limits.day]\nunit = 'connections'\nquota = '500/day'\nkey = 'client/24/56'\n";
    let web = "unit = 'bytes'\nrate = '10M/s'\nburst = 1048576\nguard = true\n\
               key = 'service'\nservices = ['tcp/80', 'tcp/443']\naction = 'reset'\n";
    assert_eq!(limit(config, "web"), settings(web));
    let day = "unit = 'connections'\nquota = '500/day'\nkey = 'client/24/56'";
    assert_eq!(limit(config, "day"), settings(day));
    assert_eq!(limit(config, "packets"), limit("", "packets"));
    let config: Config = toml::from_str(config).unwrap();
    let origin = |name| config.limits.iter().find(|(found, ..)| *found == name).unwrap().2;
    assert_eq!([origin("web"), origin("packets")], [Origin::Config, Origin::BuiltIn]);
}

#[test]
fn a_built_in_limit_keeps_what_its_table_does_not_say() {
    let config = "[limits.packets]\nrate = '5/s'\n[limits.connections]\nrate = '1/s'\nburst = 3\n\
                  services = ['tcp/22']\n[limits.throttle]\nunit = 'bytes'\nrate = '1MB/s'\n";
    let packets = "unit = 'packets'\nrate = '5/s'\nburst = 5\nservices = ['any']";
    assert_eq!(limit(config, "packets"), settings(packets));
    let connections = "unit = 'connections'\nrate = '1/s'\nburst = 3\nservices = ['tcp/22']";
    assert_eq!(limit(config, "connections"), settings(connections));
    assert_eq!(limit(config, "throttle"), settings("unit = 'bytes'\nrate = '1MB/s'"));
}

#[test]
fn the_former_form_is_still_read() {
    let config = "[limits.packets]\nper_sec = 5\nburst = 9\nmode = 'shadow'\n\
                  [limits.connections]\nper_sec = 2\nburst = 3\n\
                  [limits.throttle]\nper_sec = 10\nburst = 20\nmode = 'off'\n\
                  [limits.profiles.slow]\nper_sec = 1\nburst = 5\n";
    let packets =
        "unit = 'packets'\nrate = '5/s'\nburst = 9\nservices = ['any']\naction = 'shadow'";
    assert_eq!(limit(config, "packets"), settings(packets));
    let connections = "unit = 'connections'\nrate = '2/s'\nburst = 3\nservices = ['any']";
    assert_eq!(limit(config, "connections"), settings(connections));
    let throttle = "unit = 'packets'\nrate = '10/s'\nburst = 20\naction = 'off'";
    assert_eq!(limit(config, "throttle"), settings(throttle));
    let slow = "unit = 'packets'\nrate = '1/s'\nburst = 5";
    assert_eq!(limit(config, "slow"), settings(slow));
}

#[test]
fn a_former_rate_says_both_halves() {
    assert!(error("[limits.packets]\nper_sec = 5\n").contains("burst"));
}

#[test]
fn a_limit_that_is_off_is_none() {
    let off = limit("[limits.packets]\nper_sec = 5\nburst = 5\nmode = 'off'\n", "packets");
    assert!(!off.is_on());
}

#[test]
fn bad_limits_are_refused_with_their_line() {
    let rows = [
        ("[limits.web]\nunit = 'frogs'\nrate = '1/s'\n", 2, "frogs"),
        ("[limits.web]\nunit = 'packets'\nrate = '1/week'\n", 3, "no rate such as"),
        ("[limits.web]\nunit = 'packets'\nrate = '0/s'\n", 3, "zero"),
        ("[limits.web]\nunit = 'packets'\nrate = '1/s'\nburst = -1\n", 4, "negative"),
        ("[limits.web]\nunit = 'packets'\nrate = '1/s'\nservices = ['tcp/99999']\n", 4, "65535"),
        ("[limits.web]\nunit = 'packets'\nrate = '1/s'\nkey = 'finger'\n", 4, "no key"),
        ("[limits.web]\nunit = 'packets'\nrate = '1/s'\nspeed = 9\n", 4, "unknown field"),
        ("\n[limits.web]\nrate = '1/s'\n", 2, "`unit` is missing"),
        ("\n[limits.web]\nunit = 'packets'\nrate = '200M/s'\n", 2, "can be counted"),
        ("\n\n[limits.web]\nunit = 'packets'\nper_sec = 1\nrate = '1/s'\n", 3, "`per_sec`"),
        ("\n\n[limits.packets]\nrate = '1/s'\nmode = 'off'\naction = 'off'\n", 3, "`mode`"),
        ("\n[limits.throttle]\nrate = '1/s'\nservices = ['any']\n", 2, "throttle"),
        ("\n[limits.'a/b']\nunit = 'packets'\nrate = '1/s'\n", 2, "a/b"),
        ("\n[limits]\nweb = 5\n", 3, "invalid type"),
        (
            "\n[limits.profiles.connections]\nper_sec = 1\nburst = 5\n",
            2,
            "connections is built in now",
        ),
        (
            "\n[limits.profiles.a]\nper_sec = 1\nburst = 5\n[limits.a]\nunit = 'packets'\nrate = '1/s'\n",
            2,
            "two limits a",
        ),
    ];
    for (toml, line, expected) in rows {
        let said = error(toml);
        let place = format!("line {line}");
        assert!(said.contains(&place) && said.contains(expected), "{toml:?}: {said}");
    }
}

#[test]
fn limits_that_do_not_fit_in_beside_one_another_are_refused() {
    let table =
        |i| format!("[limits.l{i}]\nunit = 'packets'\nrate = '1/s'\nservices = ['tcp/22']\n");
    let many: String = (0..13).map(table).collect();
    let said = error(&many);
    assert!(said.contains("line 1") && said.contains("tcp/22"), "{said}");
    let fewer: String = (0..12).map(table).collect();
    assert!(toml::from_str::<Config>(&fewer).is_ok());
    let off = format!("{many}[limits.packets]\nrate = '1/s'\naction = 'off'\n");
    assert!(toml::from_str::<Config>(&off).is_ok());
}
