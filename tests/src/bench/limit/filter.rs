//! The whole filter with limits and without, for one client.

use crate::bench::measure::{Tell, cpu_ns};
use crate::frame::source::PLAIN_V4;
use crate::kernel::KernelFilter;
use crate::rules;
use anyhow::{Result, ensure};
use filter_user::limit::built_in;

/// A filter for each case.
pub(super) struct Filters(Vec<(&'static str, KernelFilter, u32)>);

/// The case that the others are held against.
pub(super) const UNLIMITED: &str = "repeat/filter-unlimited";

/// Packets in one turn of one case.
const REPEAT: u32 = 1 << 18;
const WARM_UP: u32 = 1 << 14;

const DROP: u32 = 1;
const PASS: u32 = 2;

/// Limits as a configuration has them, by their names.
type Limits = &'static [(&'static str, &'static str)];

/// Case, action, and limits. The rates are such that one client can't reach them, or has at
/// its second packet; bursts are what chooses the clock.
const CASES: [(&str, u32, Limits); 5] = [
    (UNLIMITED, PASS, &[]),
    ("repeat/filter", PASS, &[(built_in::PACKETS, COARSE)]),
    ("repeat/filter-precise", PASS, &[(built_in::PACKETS, PRECISE)]),
    (
        "repeat/filter-built-in",
        PASS,
        &[(built_in::PACKETS, COARSE), (built_in::CONNECTIONS, CONNECTIONS)],
    ),
    ("repeat/filter/drop", DROP, &[(built_in::PACKETS, STRICT)]),
];

/// As many seconds of packets as by default.
const COARSE: &str = "unit = 'packets'\nrate = '100000000/s'\nburst = 200000000\n\
    services = ['any']";
const PRECISE: &str = "unit = 'packets'\nrate = '100000000/s'\nburst = 50000000\n\
    services = ['any']";
const CONNECTIONS: &str = "unit = 'connections'\nrate = '100/s'\nburst = 400\n\
    services = ['any']";
const STRICT: &str = "unit = 'packets'\nrate = '1/h'\nburst = 1\nservices = ['any']";

impl Filters {
    pub(super) fn load() -> Result<Self> {
        let filter = |(case, action, limits): (_, _, Limits)| {
            let mut rules = rules::nothing();
            for (name, toml) in limits {
                rules.limit(name, toml);
            }
            let mut filter = KernelFilter::load()?;
            filter.fill(&rules)?;
            Ok((case, filter, action))
        };
        CASES.into_iter().map(filter).collect::<Result<_>>().map(Self)
    }

    /// One turn of each case.
    pub(super) fn turns(&mut self, tell: &mut Tell) -> Result<()> {
        let frame = PLAIN_V4.packet().udp((5000, 443), &[0x2a; 64]).build();
        for (case, filter, action) in &mut self.0 {
            filter.program.run(&frame, WARM_UP)?;
            let started = cpu_ns();
            let outcome = filter.program.run(&frame, REPEAT)?;
            let took = u32::try_from(cpu_ns() - started)?;
            ensure!(outcome.action == *action, "{case}: action {}", outcome.action);
            let ns = f64::from(took) / f64::from(REPEAT);
            tell((*case).to_owned(), UNLIMITED.to_owned(), ns);
        }
        Ok(())
    }
}
