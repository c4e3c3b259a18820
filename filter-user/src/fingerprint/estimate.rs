//! How many clients and wire orders the program's sketches stand for.

use filter_common::abi::fingerprint::FingerprintRecord;

/// Distinct clients, by `HyperLogLog` with 64 registers: within 13 % for two thirds of all
/// counts, and exact as long as they are few.
///
/// *Source*: Flajolet and others, "`HyperLogLog`: the analysis of a near-optimal cardinality
/// estimation algorithm", 2007.
#[must_use]
pub fn clients(record: &FingerprintRecord) -> u64 {
    let ranks = record.clients.iter();
    let (mut sum, mut empty) = (0.0, 0_u8);
    for rank in ranks {
        sum += 2_f64.powi(-i32::from(*rank));
        empty += u8::from(*rank == 0);
    }
    let estimate = ALPHA * PLACES * PLACES / sum;
    if estimate <= 2.5 * PLACES && empty > 0 {
        return linear(empty);
    }
    rounded(estimate)
}

/// Distinct wire orders, by linear counting with 64 bits: about right up to a hundred. At 64
/// bits, 266, it counts no further.
#[must_use]
pub fn wire_orders(wires: u64) -> u64 {
    linear(u8::try_from(wires.count_zeros()).unwrap_or(0))
}

/// Registers, and bits.
const PLACES: f64 = 64.0;

/// The constant for 64 registers.
const ALPHA: f64 = 0.709;

/// Distinct things, each of which fell on one of 64 places, of which so many are empty.
///
/// *Source*: Whang and others, "A linear-time probabilistic counting algorithm", 1990.
fn linear(empty: u8) -> u64 {
    rounded(-PLACES * (f64::from(empty).max(1.0) / PLACES).ln())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
fn rounded(number: f64) -> u64 {
    number.round().max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use filter_common::abi::counter::Verdict;
    use filter_common::abi::fingerprint::Seen;
    use filter_common::hash::mix;

    fn recorded(clients: u64) -> FingerprintRecord {
        let mut record = FingerprintRecord::default();
        for client in 0..clients {
            let hash = mix(mix(mix(3, client), 5), 7);
            let seen =
                Seen { now_ns: 1, client: hash, name: 1, wire: hash, verdict: Verdict::PASS };
            record.note(&seen);
        }
        record
    }

    #[test]
    fn estimates_are_near_what_was_counted() {
        for clients in [0, 1, 2, 5, 10, 50, 200, 1_000, 20_000, 300_000] {
            let estimate = super::clients(&recorded(clients));
            let slack = if clients <= 2 { 0 } else { clients * 35 / 100 + 1 };
            assert!(estimate.abs_diff(clients) <= slack, "{estimate} for {clients}");
        }
    }

    #[test]
    fn wire_orders_are_counted_up_to_a_bound() {
        for orders in [0, 1, 2, 10, 60] {
            let estimate = wire_orders(recorded(orders).wires);
            assert!(estimate.abs_diff(orders) <= orders / 3, "{estimate} for {orders}");
        }
        assert_eq!(wire_orders(u64::MAX), 266);
    }
}
