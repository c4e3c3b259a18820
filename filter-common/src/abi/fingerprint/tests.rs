use super::*;
use crate::hash::mix;

fn seen(client: u64, name: u64, wire: u64) -> Seen {
    let mixed = |word| mix(mix(7, word), 9);
    Seen {
        now_ns: 100 + client,
        client: mixed(client),
        name,
        wire: mixed(wire),
        verdict: Verdict::PASS,
    }
}

#[test]
fn a_record_spans_its_hellos() {
    let mut record = FingerprintRecord::default();
    for client in 5..9 {
        record.note(&seen(client, 1, client % 2));
    }
    assert_eq!((record.first_ns, record.last_ns, record.wires.count_ones()), (105, 108, 2));
}

#[test]
fn a_client_that_comes_again_is_the_same() {
    let mut record = FingerprintRecord::default();
    record.note(&seen(5, 1, 1));
    let once = record.clients;
    (0..100).for_each(|_| record.note(&seen(5, 1, 1)));
    assert_eq!(record.clients, once);
    (0..100).for_each(|client| record.note(&seen(client, 1, 1)));
    assert_ne!(record.clients, once);
}

#[test]
fn every_hash_has_a_rank() {
    for client in [0, u64::MAX, 1 << 63, 63, 1 << 6] {
        let mut record = FingerprintRecord::default();
        record.note(&Seen { client, ..seen(0, 1, 1) });
        let ranks = record.clients.iter().filter(|rank| **rank != 0);
        assert_eq!(ranks.copied().collect::<std::vec::Vec<_>>().len(), 1, "{client:x}");
        assert!(record.clients.iter().all(|rank| *rank <= 58));
    }
}

#[test]
fn a_client_keeps_its_last_fingerprints_and_their_orders() {
    let mut client = ClientRecord::default();
    for name in 1..=5 {
        client.note(&seen(0, name, 1));
    }
    client.note(&seen(0, 3, 2));
    assert_eq!(client.names, [5, 2, 3, 4]);
    assert_eq!(client.wires.map(u64::count_ones), [1, 1, 2, 1]);
    assert_eq!((client.hellos, client.next), (6, 5));
}
