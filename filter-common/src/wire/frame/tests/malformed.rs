use super::*;

type Row = (&'static str, Vec<u8>, Kind, Reason);

fn check(table: &[Row]) {
    for (description, frame, kind, reason) in table {
        let found = parsed(frame);
        assert_eq!((found.kind, found.reason), (*kind, *reason), "{description}");
    }
}

#[test]
fn bad_links_have_no_address() {
    let three = v4().vlan(SERVICE_VLAN).vlan(VLAN).vlan(VLAN).tcp(data());
    let unaddressed = Kind::Unaddressed;
    check(&[
        ("three tags", three.build(), unaddressed, Reason::VLAN_DEPTH),
        ("ARP", with(&v4(), 12, [0x08, 0x06]), unaddressed, Reason::NOT_IP),
        ("LLDP", with(&v4(), 12, [0x88, 0xcc]), unaddressed, Reason::NOT_IP),
        ("an 802.3 length", with(&v4(), 12, [0, 20]), unaddressed, Reason::NOT_IP),
        ("no bytes", Vec::new(), unaddressed, Reason::TRUNCATED),
    ]);
}

#[test]
fn bad_ip_headers_are_told_apart() {
    let (tcp4, tcp6) = (v4().tcp(data()), v6().tcp(data()));
    let (none, some) = (Kind::Unaddressed, Kind::Addressed);
    let short = with(&v4().payload(proto::TCP, &[]), 14, [0x46]);
    check(&[
        ("IHL of four", with(&tcp4, 14, [0x44]), none, Reason::IP_HEADER),
        ("IHL of zero", with(&tcp4, 14, [0x40]), none, Reason::IP_HEADER),
        ("version 5 as IPv4", with(&tcp4, 14, [0x55]), none, Reason::IP_HEADER),
        ("version 6 as IPv4", with(&tcp4, 14, [0x65]), none, Reason::IP_HEADER),
        ("version 4 as IPv6", with(&tcp6, 14, [0x40]), none, Reason::IP_HEADER),
        ("options beyond the frame", short, some, Reason::TRUNCATED),
        ("IPv4 longer than the frame", with(&tcp4, 16, [0, 48]), some, Reason::IP_LENGTH),
        ("IPv4 shorter than its header", with(&tcp4, 16, [0, 19]), some, Reason::IP_LENGTH),
        ("IPv6 longer than the frame", with(&tcp6, 18, [0, 28]), some, Reason::IP_LENGTH),
        ("the largest length", with(&tcp6, 18, [0xff; 2]), some, Reason::IP_LENGTH),
    ]);
}

#[test]
fn bad_extensions_keep_the_address() {
    let long = with(&extended(&[proto::DESTINATION]), 55, [200]);
    let beyond = with(&extended(&[proto::DESTINATION]).padding(99), 55, [9]);
    let authentication = with(&extended(&[proto::AUTHENTICATION]).padding(99), 55, [33]);
    let some = Kind::Addressed;
    check(&[
        ("seven", six().extension(proto::ROUTING, 0).build(), some, Reason::EXTENSION_DEPTH),
        ("longer than the frame", long, some, Reason::TRUNCATED),
        ("longer than the packet", beyond, some, Reason::IP_LENGTH),
        ("authentication too long", authentication, some, Reason::IP_LENGTH),
        ("encapsulated", v6().payload(proto::ESP, &[0; 40]).build(), some, Reason::NO_RULE),
        ("no next header", v6().build(), some, Reason::NO_RULE),
    ]);
}

#[test]
fn bad_transport_headers_keep_the_address() {
    let tcp = v4().tcp(data());
    let udp = v4().udp((5000, 53), PAYLOAD);
    let (addressed, bad) = (Kind::Addressed, Reason::TRANSPORT_HEADER);
    let claimed_by_padding = with(&tcp.clone().padding(20), 16, [0, 30]);
    check(&[
        ("TCP offset of four", with(&tcp, 46, [0x40]), addressed, bad),
        ("TCP offset of zero", with(&tcp, 46, [0]), addressed, bad),
        ("TCP offset beyond the segment", with(&tcp, 46, [0x70]), addressed, bad),
        ("TCP header in the padding", claimed_by_padding, addressed, bad),
        ("no TCP header", v4().payload(6, &[0; 19]).build(), addressed, Reason::TRUNCATED),
        ("UDP length of seven", with(&udp, 38, [0, 7]), addressed, bad),
        ("UDP longer than the packet", with(&udp, 38, [0, 16]), addressed, bad),
        ("UDP shorter than the packet", with(&udp, 38, [0, 8]), Kind::Udp, Reason::NO_RULE),
        ("UDP without a length", with(&udp, 38, [0, 0]), Kind::Udp, Reason::NO_RULE),
        ("no UDP header", v4().payload(17, &[0; 7]).build(), addressed, Reason::TRUNCATED),
        ("ICMP", v4().icmp(8, &[0; 4]).build(), addressed, Reason::NO_RULE),
    ]);
}
