//! What people write, and what they are told.

use super::strategy::{count, period, service, settings};
use crate::limit::{
    Allowance, Amount, LimitKey, LimitSettings, Period, QuotaPer, RatePer, Service, Unit, Window,
};
use proptest::prelude::*;

fn read(toml: &str) -> Result<LimitSettings, String> {
    toml::from_str(toml).map_err(|error| error.message().to_owned())
}

#[test]
fn amounts_are_read_with_and_without_suffixes() {
    let rows = [
        ("100", 100, false),
        ("20k", 20_000, false),
        ("20 K", 20_000, false),
        ("1.5M", 1_500_000, false),
        ("1.50GB", 1_500_000_000, true),
        ("64KiB", 65_536, true),
        ("0.5Ki", 512, false),
        ("7B", 7, true),
        ("18446744073709551615", u64::MAX, false),
        ("2Ti", 1 << 41, false),
    ];
    for (text, units, in_bytes) in rows {
        assert_eq!(text.parse(), Ok(Amount { units: count(units), in_bytes }), "{text}");
    }
}

#[test]
fn amounts_that_are_none_say_why() {
    let rows = [
        ("-5", "negative"),
        ("0", "zero"),
        ("0.0k", "zero"),
        ("1.5", "whole"),
        ("1.0001k", "whole"),
        ("18446744073709551616", "too large"),
        ("99999999999999999999999999999999999999999999", "too large"),
        ("20000000T", "too large"),
        ("0.000000000000000000000000000000000000000000001T", "whole"),
        ("5m", "suffix"),
        ("5 apples", "suffix"),
        ("5kBB", "suffix"),
        ("", "no amount"),
        ("k", "no amount"),
        (".5k", "no amount"),
        ("5.", "no amount"),
        ("1.2.3", "no amount"),
        ("\u{0665}", "suffix"),
    ];
    for (text, expected) in rows {
        let said = text.parse::<Amount>().map_err(|error| error.to_string());
        assert!(said.as_ref().is_err_and(|said| said.contains(expected)), "{text}: {said:?}");
    }
}

#[test]
fn rates_and_quotas_are_read_and_written_shortly() {
    let rows = [
        ("100/s", 100, Period::Second, "100/s"),
        ("10MB/s", 10_000_000, Period::Second, "10M/s"),
        ("1.5k/minute", 1_500, Period::Minute, "1500/m"),
        ("5/h", 5, Period::Hour, "5/h"),
        ("1 / day", 1, Period::Day, "1/d"),
    ];
    for (text, units, period, short) in rows {
        let rate = RatePer { units: count(units), period };
        assert_eq!(text.parse(), Ok(rate), "{text}");
        assert_eq!(rate.to_string(), short);
    }
    let quota = QuotaPer { cap: count(10_000_000_000), window: Window::Day };
    assert_eq!("10GB/day".parse(), Ok(quota));
    assert_eq!(quota.to_string(), "10G/day");
    for text in ["100", "100/", "100/x", "/s", "100/s/s", "100/ms"] {
        assert!(text.parse::<RatePer>().is_err(), "{text}");
    }
    for text in ["100", "100/s", "100/week", "100/minute"] {
        assert!(text.parse::<QuotaPer>().is_err(), "{text}");
    }
}

#[test]
fn services_that_are_none_say_why() {
    let rows = [
        ("tcp/0", "between 1 and 65535"),
        ("tcp/65536", "between 1 and 65535"),
        ("tcp/+5", "between 1 and 65535"),
        ("udp/", "between 1 and 65535"),
        ("udp/9-", "between 1 and 65535"),
        ("udp/9-5", "ends before it begins"),
        ("icmp/8", "only tcp and udp have ports"),
        ("any/443", "only tcp and udp have ports"),
        ("sctp/443", "no service"),
        ("", "no service"),
        ("443", "no service"),
    ];
    for (text, expected) in rows {
        let said = text.parse::<Service>().unwrap_err().to_string();
        assert!(said.contains(expected), "{text}: {said}");
    }
    assert_eq!("tcp/any".parse(), "tcp".parse::<Service>());
    assert_ne!("tcp/1-65535".parse(), "tcp".parse::<Service>());
}

#[test]
fn keys_have_two_lengths_or_none() {
    let key = |v4, v6| LimitKey::Client { v4, v6 };
    assert_eq!("client".parse(), Ok(key(32, 64)));
    assert_eq!("client/24/56".parse(), Ok(key(24, 56)));
    assert_eq!("service".parse(), Ok(LimitKey::Service));
    assert_eq!("fingerprint".parse(), Ok(LimitKey::Fingerprint));
    let pair = LimitKey::FingerprintOfClient { v4: 24, v6: 56 };
    assert_eq!("fingerprint+client/24/56".parse(), Ok(pair));
    assert_eq!(pair.to_string(), "fingerprint+client/24/56");
    assert_eq!(LimitKey::FINGERPRINT_OF_CLIENT.to_string(), "fingerprint+client");
    for text in ["client/24", "client/24/56/1", "client/300/64", "service/1", "fingerprint/1", ""] {
        assert!(text.parse::<LimitKey>().unwrap_err().to_string().contains("no key"), "{text}");
    }
}

#[test]
fn what_is_left_out_has_a_sensible_default() {
    let burst = |toml| match read(toml).unwrap().allowance {
        Allowance::Rate { burst, .. } => burst.get(),
        Allowance::Quota { .. } => 0,
    };
    assert_eq!(burst("unit = 'packets'\nrate = '100/s'"), 100);
    assert_eq!(burst("unit = 'packets'\nrate = '90/m'"), 1);
    assert_eq!(burst("unit = 'connections'\nrate = '1/d'"), 1);
    assert_eq!(burst("unit = 'bytes'\nrate = '1kB/s'"), 65_536);
    assert_eq!(burst("unit = 'bytes'\nrate = '10MB/s'"), 10_000_000);
    let all = read("unit = 'packets'\nrate = '1k/s'\nkey = 'service'\nservices = ['any']").unwrap();
    assert!(all.guard, "a rate of everybody together keeps room");
    let cap = "unit = 'packets'\nquota = '1k/day'\nkey = 'service'\nservices = ['any']";
    assert!(!read(cap).unwrap().guard);
}

#[test]
fn nonsense_is_refused_and_said_to_be() {
    let rows = [
        ("rate = '1/s'", "`unit` is missing"),
        ("unit = 'frogs'\nrate = '1/s'", "frogs"),
        ("unit = 'packets'", "neither `rate` nor `quota`"),
        ("unit = 'packets'\nrate = '1/s'\nquota = '5/day'", "not both"),
        ("unit = 'packets'\nquota = '5/day'\nburst = 5", "no `burst`"),
        ("unit = 'packets'\nrate = '10MB/s'", "`rate` is written in bytes"),
        ("unit = 'handshakes'\nrate = '1/s'\nburst = '5kB'", "`burst` is written in bytes"),
        ("unit = 'connections'\nquota = '1GB/day'", "`quota` is written in bytes"),
        ("unit = 'packets'\nrate = '0/s'", "zero"),
        ("unit = 'packets'\nrate = '-1/s'", "negative"),
        ("unit = 'packets'\nrate = 100", "invalid type"),
        ("unit = 'packets'\nrate = '1/s'\nburst = 0", "zero"),
        ("unit = 'packets'\nrate = '1/s'\nburst = -3", "negative"),
        ("unit = 'packets'\nrate = '1/s'\nburst = 1.5", "invalid type"),
        ("unit = 'packets'\nrate = '101M/s'", "more than the 100000000 packets a second"),
        ("unit = 'packets'\nrate = '9T/d'", "more than the 100000000 packets a second"),
        ("unit = 'bytes'\nrate = '101GB/s'", "more than the 100000000000 bytes a second"),
        ("unit = 'bytes'\nrate = '1MB/s'\nburst = 65535", "super-packet"),
        ("unit = 'packets'\nrate = '1/d'\nburst = 366", "more than a year"),
        ("unit = 'packets'\nrate = '1/s'\nburst = '18446744073709551615'", "more than a year"),
        ("unit = 'bytes'\nquota = '1.5TiB/day'", "can be counted"),
        ("unit = 'bytes'\nquota = '1kB/day'", "super-packet"),
        ("unit = 'packets'\nrate = '1/s'\nkey = 'client/0/64'", "between 1 and 32"),
        ("unit = 'packets'\nrate = '1/s'\nkey = 'client/33/64'", "between 1 and 32"),
        ("unit = 'packets'\nrate = '1/s'\nkey = 'client/32/0'", "between 1 and 64"),
        ("unit = 'packets'\nrate = '1/s'\nkey = 'client/32/65'", "walk around"),
        ("unit = 'packets'\nrate = '1/s'\nkey = 'service'", "needs `services`"),
        ("unit = 'packets'\nrate = '1/s'\nguard = true", "keeps room among everybody"),
        (
            "unit = 'bytes'\nquota = '1GB/day'\nkey = 'service'\nservices = ['any']\nguard = true",
            "a quota has no `guard`",
        ),
        ("unit = 'connections'\nrate = '1/s'\nservices = ['udp', 'icmp']", "are TCP's"),
        ("unit = 'connections'\nrate = '1/s'\naction = 'reset'", "needs a connection"),
        ("unit = 'packets'\nrate = '1/s'\naction = 'explode'", "unknown variant"),
        ("unit = 'packets'\nrate = '1/s'\nspeed = 5", "unknown field"),
    ];
    for (toml, expected) in rows {
        let said = read(toml).unwrap_err();
        assert!(said.contains(expected), "{toml:?}: {said}");
    }
    let many = format!("unit = 'packets'\nrate = '1/s'\nservices = {:?}", vec!["tcp/80"; 65]);
    assert!(read(&many).unwrap_err().contains("at most 64 services"));
}

#[test]
fn the_edges_of_what_makes_sense_do() {
    let rows = [
        "unit = 'packets'\nrate = '100M/s'\nburst = '3000T'",
        "unit = 'packets'\nrate = '1/h'\nburst = 8760",
        "unit = 'bytes'\nrate = '100GB/s'\nburst = '3000000T'",
        "unit = 'bytes'\nquota = '1099511627775/hour'",
        "unit = 'bytes'\nrate = '1MB/s'\nburst = '64KiB'",
        "unit = 'connections'\nrate = '1/d'\nservices = ['udp', 'tcp/1']\nkey = 'client/1/1'",
        "unit = 'handshakes'\nquota = '1/day'\nkey = 'service'\nservices = ['tcp']\naction = 'reset'",
    ];
    for toml in rows {
        let settings = read(toml).unwrap();
        let rate = settings.profile(9).rate;
        assert!(rate.burst != 0 && (settings.is_quota() || rate.factor != 0), "{toml}");
    }
}

#[test]
fn units_that_nobody_knows_are_named() {
    assert!("parsecs".parse::<Unit>().unwrap_err().to_string().contains("parsecs"));
    assert_eq!("handshakes".parse(), Ok(Unit::Handshakes));
}

proptest! {
    #[test]
    fn what_is_written_is_read(settings in settings()) {
        let json = serde_json::to_string(&settings).unwrap();
        prop_assert_eq!(serde_json::from_str::<LimitSettings>(&json).unwrap(), settings.clone());
        let text = toml::to_string(&settings).unwrap();
        prop_assert_eq!(toml::from_str::<LimitSettings>(&text).unwrap(), settings);
    }

    #[test]
    fn rates_of_any_size_are_read_as_written(units in 1_u64.., period in period()) {
        let rate = RatePer { units: count(units), period };
        prop_assert_eq!(rate.to_string().parse(), Ok(rate));
    }

    #[test]
    fn services_are_read_as_written(service in service()) {
        prop_assert_eq!(service.to_string().parse(), Ok(service));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[-0-9a-zA-Z./ ]{0,20}|.{0,20}") {
        let _ = text.parse::<Amount>();
        let _ = text.parse::<RatePer>();
        let _ = text.parse::<QuotaPer>();
        let _ = text.parse::<Service>();
        let _ = text.parse::<LimitKey>();
    }
}
