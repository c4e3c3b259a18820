//! Compiled limits on plain memory, in virtual time.

use super::strategy::count;
use crate::limit::transition::{continued, counts_like, differs};
use crate::limit::{Allowance, LimitBook, LimitSettings, Origin, Period, RatePer};
use crate::replay::HostTables;
use filter_common::abi::config::HostConfig;
use filter_common::abi::counter::{Reason, Verdict};
use filter_common::abi::limit::Profile;
use filter_common::gcra::Rate;
use proptest::prelude::*;

const SECOND_NS: u64 = 1_000_000_000;
const START_NS: u64 = 1_000 * SECOND_NS;

/// A host with one limit.
struct Host {
    tables: HostTables,
    number: u32,
}

impl Host {
    fn with(toml: &str) -> Self {
        let mut book = LimitBook::default();
        let settings = toml::from_str(toml).unwrap();
        let number = book.put("it", settings, Origin::Operator, None).unwrap().number;
        let mut tables = HostTables::default();
        tables.config.mode = HostConfig::ENFORCE;
        tables.config.limit_secrets = [7, 9];
        tables.set_limits(book.compile());
        Self { tables, number }
    }

    /// Changes the limit as the kernel's is changed.
    fn change(&mut self, settings: &LimitSettings, now_ns: u64) {
        let present = self.tables.limits.profiles[&self.number];
        let wanted = settings.profile(self.number);
        assert!(counts_like(&present, &wanted));
        let next = continued(&present, &wanted, now_ns);
        self.tables.limits.profiles.insert(self.number, next);
    }

    fn send(&self, frame: &[u8], now_ns: u64) -> Reason {
        self.tables.run(frame, now_ns).decision.reason
    }

    fn passes(&self, now_ns: u64) -> bool {
        let decision = self.tables.run(&datagram([192, 0, 2, 1], 53), now_ns).decision;
        decision.verdict == Verdict::PASS
    }
}

/// A frame from an address: an IPv4 header, and behind it a UDP header.
fn datagram(source: [u8; 4], port: u16) -> Vec<u8> {
    let udp = [[0, 77], port.to_be_bytes(), [0, 8], [0, 0]].concat();
    packet(source, 17, &udp)
}

/// A SYN from an address.
fn syn(source: [u8; 4], port: u16) -> Vec<u8> {
    let ports = [[0, 77], port.to_be_bytes()].concat();
    let rest = [0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0];
    packet(source, 6, &[ports.as_slice(), &rest].concat())
}

fn packet(source: [u8; 4], protocol: u8, payload: &[u8]) -> Vec<u8> {
    let len = u8::try_from(20 + payload.len()).unwrap();
    let mut frame = vec![0; 12];
    frame.extend([8, 0, 0x45, 0, 0, len, 0, 0, 0, 0, 64, protocol, 0, 0]);
    frame.extend(source);
    frame.extend([198, 51, 100, 7]);
    frame.extend(payload);
    frame
}

#[test]
fn a_burst_passes_at_once_and_then_the_rate() {
    let host = Host::with("unit = 'packets'\nrate = '10/s'\nburst = 5\nservices = ['udp']");
    let burst = (0..9).filter(|_| host.passes(START_NS)).count();
    assert_eq!(burst, 5);
    let later = (1..=1_000).filter(|i| host.passes(START_NS + i * 10_000_000)).count();
    assert!((99..=101).contains(&later), "{later} in ten seconds");
}

#[test]
fn services_and_clients_are_told_apart() {
    let host = Host::with("unit = 'packets'\nrate = '1/h'\nburst = 1\nservices = ['udp/53']");
    let send = |source, port| host.send(&datagram(source, port), START_NS);
    assert_eq!(send([192, 0, 2, 1], 53), Reason::NO_RULE);
    assert_eq!(send([192, 0, 2, 1], 53), Reason::PACKET_LIMIT);
    assert_eq!(send([192, 0, 2, 1], 54), Reason::NO_RULE);
    assert_eq!(send([192, 0, 2, 2], 53), Reason::NO_RULE);
    assert_eq!(host.send(&syn([192, 0, 2, 1], 53), START_NS), Reason::NO_RULE);
}

#[test]
fn a_prefix_is_one_client() {
    let text = "unit = 'connections'\nrate = '1/h'\nburst = 2\nkey = 'client/24/48'";
    let host = Host::with(&format!("{text}\nservices = ['tcp/80-90']"));
    let reasons = [1, 2, 3].map(|last| host.send(&syn([192, 0, 2, last], 85), START_NS));
    assert_eq!(reasons, [Reason::NO_RULE, Reason::NO_RULE, Reason::CONNECTION_LIMIT]);
    assert_eq!(host.send(&syn([192, 0, 3, 1], 85), START_NS), Reason::NO_RULE);
}

#[test]
fn everybody_together_shares_what_is_not_kept_for_the_proven() {
    let text = "unit = 'packets'\nrate = '1/h'\nburst = 6\nkey = 'service'\nservices = ['udp']";
    let passed = |text: &str| {
        let host = Host::with(text);
        (1..=20)
            .filter(|i| host.send(&datagram([10, 0, 0, *i], 9), START_NS) == Reason::NO_RULE)
            .count()
    };
    assert_eq!(passed(text), 3);
    assert_eq!(passed(&format!("{text}\nguard = false")), 6);
}

#[test]
fn a_quota_comes_back_when_its_window_ends_and_a_new_cap_keeps_what_was_used() {
    let quota = |cap| format!("unit = 'packets'\nquota = '{cap}/hour'\nservices = ['udp']");
    let mut host = Host::with(&quota(5));
    assert_eq!((0..9).filter(|_| host.passes(START_NS)).count(), 5);
    let more: LimitSettings = toml::from_str(&quota(7)).unwrap();
    host.change(&more, START_NS + SECOND_NS);
    assert_eq!((0..9).filter(|_| host.passes(START_NS + SECOND_NS)).count(), 2);
    let less: LimitSettings = toml::from_str(&quota(3)).unwrap();
    host.change(&less, START_NS + 2 * SECOND_NS);
    assert!(!host.passes(START_NS + 3_598 * SECOND_NS));
    assert_eq!((0..9).filter(|_| host.passes(START_NS + 3_602 * SECOND_NS)).count(), 3);
}

#[test]
fn profiles_that_differ_in_their_clocks_alone_are_the_same() {
    let settings: LimitSettings = toml::from_str("unit = 'packets'\nrate = '9/s'").unwrap();
    let fresh = settings.profile(9);
    let rate = Rate { origin_ns: 5, origin: 7, ..fresh.rate };
    let going = Profile { rate, ..fresh };
    assert!(!differs(&fresh, &going));
    assert_eq!(continued(&going, &fresh, START_NS), going);
    assert!(differs(&fresh, &Profile { action: Profile::SHADOW, ..fresh }));
    assert_eq!(continued(&Profile::default(), &fresh, START_NS), fresh);
}

/// A change, or packets, after some time.
#[derive(Clone, Debug)]
enum Event {
    Change { units: u64, period: Period, burst: u64 },
    Packets(u8),
}

fn events() -> impl Strategy<Value = Vec<(u64, Event)>> {
    let period = prop::sample::select(vec![Period::Second, Period::Minute, Period::Hour]);
    let change = (1_u64..200, period, 1_u64..50).prop_map(|(units, period, burst)| Event::Change {
        units,
        period,
        burst,
    });
    let event = prop_oneof![1 => change, 3 => (1_u8..40).prop_map(Event::Packets)];
    let wait = prop_oneof![0_u64..50_000_000, 0_u64..100 * SECOND_NS];
    prop::collection::vec((wait, event), 1..60)
}

/// What is in use, exactly, in billionths of a unit.
struct Model {
    used: u128,
    rate: RatePer,
    burst: u64,
    changes: u128,
    last_ns: u64,
}

const UNIT: u128 = 1_000_000_000;

impl Model {
    fn advance(&mut self, now_ns: u64) {
        let elapsed = u128::from(now_ns - self.last_ns);
        let units = u128::from(self.rate.units.get()) * UNIT;
        let back = elapsed * units / u128::from(self.rate.period.nanos());
        self.used = self.used.saturating_sub(back);
        self.last_ns = now_ns;
    }

    /// Who had used more than there is now, and more than a second gives back, has used what
    /// there is, once that is seen. `None` when it is too close to call.
    fn charged(&mut self, passed: bool) -> Option<()> {
        if passed {
            self.used += UNIT;
            return Some(());
        }
        let burst = u128::from(self.burst) * UNIT;
        let second = u128::from(self.rate.units.get()) * UNIT * (1 << 30);
        let most = burst + second / u128::from(self.rate.period.nanos());
        let is_clear = self.used.abs_diff(most) > self.slack();
        if self.used > most {
            self.used = burst;
        }
        is_clear.then_some(())
    }

    /// A tick is a 256th of a unit, and each change may cost one.
    const fn slack(&self) -> u128 {
        UNIT * (self.changes + 3) / 256
    }

    /// What must happen to a packet; `None` when it is too close to call.
    fn wants(&self) -> Option<bool> {
        let (burst, slack) = (u128::from(self.burst) * UNIT, self.slack());
        if self.used == 0 || self.used + UNIT + slack <= burst {
            return Some(true);
        }
        (self.used > slack && self.used + UNIT > burst + slack).then_some(false)
    }
}

proptest! {
    // A host has a hundred thousand services.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_change_of_rate_gives_nothing_away_and_locks_nobody_out(events in events()) {
        let mut host = Host::with("unit = 'packets'\nrate = '10/s'\nburst = 20\nservices = ['udp/53']");
        let mut settings: LimitSettings = toml::from_str("unit = 'packets'\nrate = '10/s'").unwrap();
        let rate = RatePer::per_sec(count(10));
        let mut model = Model { used: 0, rate, burst: 20, changes: 0, last_ns: START_NS };
        let mut now_ns = START_NS;
        for (wait_ns, event) in events {
            now_ns += wait_ns;
            model.advance(now_ns);
            match event {
                Event::Change { units, period, burst } => {
                    let rate = RatePer { units: count(units), period };
                    settings.allowance = Allowance::Rate { rate, burst: count(burst) };
                    host.change(&settings, now_ns);
                    (model.rate, model.burst, model.changes) = (rate, burst, model.changes + 1);
                }
                Event::Packets(packets) => for _ in 0..packets {
                    let passes = host.passes(now_ns);
                    if let Some(wanted) = model.wants() {
                        prop_assert_eq!(passes, wanted, "{} of {} used", model.used, model.burst);
                    }
                    if model.charged(passes).is_none() {
                        return Ok(());
                    }
                },
            }
        }
    }

    #[test]
    fn over_any_time_no_more_passes_than_bursts_and_what_came_back(events in events()) {
        let mut host = Host::with("unit = 'packets'\nrate = '10/s'\nburst = 20\nservices = ['udp/53']");
        let mut settings: LimitSettings = toml::from_str("unit = 'packets'\nrate = '10/s'").unwrap();
        let (mut rate, mut burst, mut passed) = (RatePer::per_sec(count(10)), 20_u64, 0_u128);
        // What may be in use beyond the burst of the moment is forgiven.
        let mut bursts = u128::from(burst);
        let (mut back, mut now_ns, mut changes) = (0_u128, START_NS, 0_u128);
        for (wait_ns, event) in events {
            now_ns += wait_ns;
            let units = u128::from(rate.units.get()) * UNIT;
            back += u128::from(wait_ns) * units / u128::from(rate.period.nanos());
            match event {
                Event::Change { units, period, burst: next } => {
                    rate = RatePer { units: count(units), period };
                    settings.allowance = Allowance::Rate { rate, burst: count(next) };
                    host.change(&settings, now_ns);
                    bursts += u128::from(next.saturating_sub(burst));
                    (burst, changes) = (next, changes + 1);
                }
                Event::Packets(packets) => {
                    passed += (0..packets).filter(|_| host.passes(now_ns)).count() as u128;
                }
            }
            let possible = bursts * UNIT + back + UNIT * (changes + 256) / 256;
            prop_assert!(passed * UNIT <= possible, "{passed} passed");
        }
    }
}
