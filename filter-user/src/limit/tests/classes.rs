//! Plans of services, held against a naive answer.

use super::strategy::settings;
use crate::limit::compile::{CompileError, MAX_CLASSES};
use crate::limit::{
    BookError, LimitAction, LimitBook, LimitSettings, NamedLimit, Origin, Protocol, Service, Unit,
};
use filter_common::abi::counter::Reason;
use filter_common::abi::limit::{ICMP, OTHER, Plan, Profile, TCP_NO_PORT, UDP_NO_PORT, UDP_PORTS};
use proptest::prelude::*;

fn toml(text: &str) -> LimitSettings {
    toml::from_str(text).unwrap()
}

fn steps(plan: Plan) -> Vec<u64> {
    let words = [plan.low, plan.high];
    let bytes = words.into_iter().flat_map(u64::to_le_bytes).map(u64::from);
    bytes.take_while(|step| *step != 0).collect()
}

/// What a packet asks for.
#[derive(Clone, Copy)]
enum Asked {
    Tcp(Option<u16>),
    Udp(Option<u16>),
    Icmp,
    Other,
}

impl Asked {
    fn of(number: u32) -> Self {
        match number {
            TCP_NO_PORT => Self::Tcp(None),
            UDP_NO_PORT => Self::Udp(None),
            ICMP => Self::Icmp,
            OTHER => Self::Other,
            port if port < UDP_PORTS => Self::Tcp(u16::try_from(port).ok()),
            port => Self::Udp(u16::try_from(port - UDP_PORTS).ok()),
        }
    }

    fn is_for(self, limit: &LimitSettings) -> bool {
        let tcp_only = matches!(limit.unit, Unit::Connections | Unit::Handshakes);
        let fits = !tcp_only || matches!(self, Self::Tcp(_));
        let whole = |service: &Service| (service.first, service.last) == (0, u16::MAX);
        let has = |service: &Service, port: Option<u16>| match port {
            Some(port) => (service.first..=service.last).contains(&port),
            None => whole(service),
        };
        let in_it = |service: &Service| match (service.protocol, self) {
            (Protocol::Any, _) | (Protocol::Icmp, Self::Icmp) => true,
            (Protocol::Tcp, Self::Tcp(port)) | (Protocol::Udp, Self::Udp(port)) => {
                has(service, port)
            }
            _ => false,
        };
        limit.action != LimitAction::Off && fits && limit.services.iter().any(in_it)
    }
}

/// The steps of a service, found by asking each limit.
fn naive(limits: &[NamedLimit], service: u32) -> Vec<u64> {
    let mut here: Vec<_> =
        limits.iter().filter(|limit| Asked::of(service).is_for(&limit.settings)).collect();
    here.sort_by_key(|limit| limit.number);
    let (together, clients): (Vec<_>, Vec<_>) =
        here.into_iter().partition(|limit| limit.settings.key.is_service());
    let number = |limit: &&NamedLimit| u64::from(limit.number);
    let acting = together.iter().filter(|limit| limit.settings.action != LimitAction::Shadow);
    let looks = acting.map(|limit| Plan::LOOK | number(limit));
    looks.chain(clients.iter().map(number)).chain(together.iter().map(number)).collect()
}

/// Each service at which something could change, and some others.
fn asked() -> Vec<u32> {
    let ports = [0_u32, 1, 2, 52, 53, 54, 79, 80, 81, 442, 443, 444, 445, 7999, 8000, 8100, 8101];
    let ports = ports.into_iter().chain([30_000, 65_534, 65_535]);
    let both = ports.flat_map(|port| [port, UDP_PORTS + port]);
    both.chain([TCP_NO_PORT, UDP_NO_PORT, ICMP, OTHER]).collect()
}

#[test]
fn no_limits_are_no_steps() {
    let book = LimitBook::default();
    for service in asked() {
        assert_eq!(book.compile().plan(service), Plan::default());
    }
    assert!(!book.compile().guarded);
}

#[test]
fn everybody_is_looked_at_first_and_charged_last() {
    let mut book = LimitBook::default();
    let together = "unit = 'packets'\nrate = '9/s'\nkey = 'service'\nservices = ['tcp/443']";
    let rows = [
        ("first", "unit = 'packets'\nrate = '9/s'\nservices = ['any']".to_owned()),
        ("all", together.to_owned()),
        ("counted", format!("{together}\naction = 'shadow'")),
        ("last", "unit = 'connections'\nrate = '9/s'\nservices = ['tcp/1-500']".to_owned()),
        ("gone", "unit = 'packets'\nrate = '9/s'\nservices = ['any']\naction = 'off'".to_owned()),
    ];
    for (name, text) in rows {
        book.put(name, toml(&text), Origin::Operator, None).unwrap();
    }
    let compiled = book.compile();
    assert_eq!(steps(compiled.plan(443)), [Plan::LOOK | 5, 4, 7, 5, 6]);
    assert_eq!(steps(compiled.plan(444)), [4, 7]);
    assert_eq!(steps(compiled.plan(UDP_PORTS + 443)), [4]);
    assert_eq!(
        compiled.profiles.iter().map(|(number, _)| *number).collect::<Vec<_>>(),
        [4, 5, 6, 7]
    );
    assert!(compiled.guarded);
}

#[test]
fn a_step_too_many_is_refused_with_its_port() {
    let mut book = LimitBook::default();
    let client = toml("unit = 'packets'\nrate = '9/s'\nservices = ['udp/53-60']");
    for i in 0..13 {
        book.put(&format!("limit-{i}"), client.clone(), Origin::Operator, None).unwrap();
    }
    let all = toml("unit = 'packets'\nrate = '9/s'\nkey = 'service'\nservices = ['udp/57']");
    let before = book.clone();
    let error = book.put("all", all, Origin::Operator, None).unwrap_err().to_string();
    assert!(error.contains("udp/57") && error.contains("15 steps"), "{error}");
    assert_eq!(book, before);
    book.put("fourteenth", client, Origin::Operator, None).unwrap();
    assert_eq!(steps(book.compile().plan(UDP_PORTS + 60)).len(), 14);
}

#[test]
fn as_many_classes_as_there_can_be_and_one_more() {
    let mut book = LimitBook::default();
    // Each limit has ports of its own, and each two neighbours have one in common.
    let services = |i: usize| format!("['tcp/{}-{}', 'udp/{}']", 2 * i + 1, 2 * i + 3, i + 1);
    let limit = |i| format!("unit = 'packets'\nrate = '9/s'\nservices = {}", services(i));
    let mut refused = None;
    for i in 0..60 {
        let put = book.put(&format!("l{i}"), toml(&limit(i)), Origin::Operator, None);
        if let Err(error) = put {
            refused = Some(error);
            break;
        }
        assert!(book.compile().plans.len() <= MAX_CLASSES);
    }
    assert_eq!(refused, None, "120 classes fit");
    let many = (0..40).map(|i| format!("'udp/{}'", 2 * i + 1)).collect::<Vec<_>>().join(", ");
    let many = format!("unit = 'packets'\nrate = '9/s'\nservices = [{many}]");
    let error = book.put("many", toml(&many), Origin::Operator, None).unwrap_err();
    assert_eq!(error, BookError::Compile(CompileError::Classes));
}

#[test]
fn a_profile_says_what_its_limit_does() {
    let of = |number, text: &str| toml(text).profile(number);
    let plain = of(9, "unit = 'packets'\nrate = '100/s'\nburst = 50");
    assert_eq!((plain.v4_mask, plain.v6_mask), (u32::MAX, u64::MAX));
    assert_eq!((plain.flags, plain.reason()), (0, Reason::PACKET_LIMIT));
    let slow = of(9, "unit = 'handshakes'\nrate = '100/s'\nburst = 100\nkey = 'client/24/48'");
    assert_eq!((slow.v4_mask, slow.v6_mask), (0xffff_ff00, 0xffff_ffff_ffff_0000));
    assert_eq!((slow.flags, slow.reason()), (Profile::COARSE, Reason::HANDSHAKE_LIMIT));
    assert_eq!(slow.rate.unit_bits, 8);
    let quota = of(9, "unit = 'bytes'\nquota = '1GB/hour'\naction = 'reset'");
    assert_eq!((quota.rate.burst, quota.window), (1_000_000_000, 3_353));
    assert_eq!((quota.action, quota.reason()), (Profile::RESET, Reason::QUOTA));
    assert!(u64::from(quota.window) << 30 >= 3_600_000_000_000);
    let all = "unit = 'bytes'\nrate = '1GB/s'\nkey = 'service'\nservices = ['any']";
    let all = of(9, all);
    assert_eq!(all.flags, Profile::GUARDED | Profile::COARSE);
    assert_eq!((all.key, all.reason()), (Profile::TOGETHER, Reason::SERVICE_LIMIT));
    assert_eq!((all.rate.unit_bits, all.rate.burst), (0, 1_000_000_000));
    let throttle = of(1, "unit = 'packets'\nrate = '100/s'\nburst = 200\naction = 'shadow'");
    assert_eq!((throttle.action, throttle.reason()), (Profile::SHADOW, Reason::THROTTLE));
}

proptest! {
    #[test]
    fn each_service_has_the_steps_that_a_naive_look_finds(
        all in prop::collection::vec(settings(), 0..8),
    ) {
        let mut book = LimitBook::default();
        for (i, settings) in all.into_iter().enumerate() {
            let mut wanted: Vec<_> = book.profiles().values().cloned().collect();
            let limit = NamedLimit { number: 63, settings, origin: Origin::Operator };
            wanted.push(limit.clone());
            let longest = asked().into_iter().map(|service| naive(&wanted, service).len()).max();
            let put = book.put(&format!("l{i}"), limit.settings, Origin::Operator, None);
            prop_assert_eq!(put.is_ok(), longest <= Some(Plan::MAX_STEPS));
        }
        let limits: Vec<_> = book.profiles().values().cloned().collect();
        let compiled = book.compile();
        for service in asked() {
            prop_assert_eq!(steps(compiled.plan(service)), naive(&limits, service));
        }
        let guarded = limits.iter().any(|l| l.settings.is_on() && l.settings.guard);
        prop_assert_eq!(compiled.guarded, guarded);
    }

    #[test]
    fn what_is_compiled_does_not_depend_on_the_order_of_commands(
        all in prop::collection::vec(settings(), 1..6),
    ) {
        let numbered: Vec<_> = (10_u32..).zip(all).collect();
        let build = |rows: &mut dyn Iterator<Item = &(u32, LimitSettings)>| {
            let mut book = LimitBook::default();
            for (number, settings) in rows {
                let name = format!("l{number}");
                book.put(&name, settings.clone(), Origin::Config, Some(*number)).unwrap();
            }
            book.compile().clone()
        };
        let there = build(&mut numbered.iter());
        prop_assert_eq!(&there, &build(&mut numbered.iter().rev()));
    }
}
