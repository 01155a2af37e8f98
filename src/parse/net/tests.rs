use super::*;
use proptest::prelude::*;

const TCP: &[u8] = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     \n   0: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1072 1 00000000d900d7d5 100 0 0 10 0                      \n   1: 0100007F:0019 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1073 1 00000000d900d7d5 100 0 0 10 0                      \n   2: 0100007F:96B6 0100007F:E2B7 06 00000000:00000000 03:0000176E 00000000     0        0 0 3 000000001d060d8e                                      \n   3: 0100007F:96B8 0100007F:E2B7 01 00000000:00000000 00:00000000 00000000  1000        0 1090 3 000000001d060d8e 20 4 0 10 -1                     \n";
const TCP6: &[u8] = b"  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: 00000000000000000000000000000000:98D3 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11949086 2 00000000ac09c98c 100 0 0 10 0\n   1: 00000000000000000000000001000000:0277 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 5 2 00000000ac09c98c 100 0 0 10 0\n   2: 0000000000000000FFFF00000100007F:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 6 2 00000000ac09c98c 100 0 0 10 0\n";
const UDP: &[u8] = b"   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops            \n10968: 0100007F:8A97 0100007F:98D4 01 00000000:00000000 00:00000000 00000000     0        0 11949095 2 000000000c7415ce 0      \n14613: 0100007F:98D4 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 11949094 2 00000000121d7095 0      \n";
const UNIX: &[u8] = b"Num       RefCount Protocol Flags    Type St Inode Path\n000000001a2489f7: 00000002 00000000 00000000 0002 01 11949099 /tmp/b.sock\n00000000ecc79b7d: 00000003 00000000 00000000 0001 03  1069\n0000000036d6103b: 00000003 00000000 00000000 0001 03  1068 /run/dbus/system_bus_socket\n00000000162bd3e1: 00000002 00000000 00010000 0005 01 11949100 @pwtc\n0000000016000000: 00000002 00000000 00000000 0002 03 77 /run/connected\n0000000017000000: 00000002 00000000 00010000 0001 01 78\n00000000704143c2: 00000002 00000000 00010000 0001 01 11949098 @pwt\nx y@z\n";
const PACKET: &[u8] = b"sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n00000000b8f3d2c1 3      3    0003   2     1 0      0      11949200\n";
const NETLINK: &[u8] = b"sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n000000008e3f04c2 0   0          00000000 0        0        0     2        0        4       \n00000000048b6787 15  812        00000000 0        0        0     2        0        553     \n";

fn read(table: Table, bytes: &[u8]) -> Sockets {
    parse(table, bytes).unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn path(text: &[u8]) -> Result<Option<Endpoint>, Why> {
    Ok(Some(Endpoint::Unix(text.to_vec())))
}

#[test]
fn what_listens_has_an_address_and_a_port_and_what_is_connected_has_none() {
    let sockets = read(Table::Tcp, TCP);
    assert_eq!(sockets[&1072], Ok(Some(Endpoint::Tcp(ip("0.0.0.0"), 2024))));
    assert_eq!(sockets[&1073], Ok(Some(Endpoint::Tcp(ip("127.0.0.1"), 25))));
    assert_eq!(sockets[&1090], Ok(None));
    assert_eq!(
        sockets.len(),
        3,
        "a connection that waits to be forgotten is nobody's"
    );
}

#[test]
fn ipv4_in_the_clothes_of_ipv6_is_taken_for_what_it_is() {
    let sockets = read(Table::Tcp6, TCP6);
    assert_eq!(sockets[&11949086], Ok(Some(Endpoint::Tcp(ip("::"), 39123))));
    assert_eq!(sockets[&5], Ok(Some(Endpoint::Tcp(ip("::1"), 631))));
    assert_eq!(sockets[&6], Ok(Some(Endpoint::Tcp(ip("127.0.0.1"), 8080))));
}

#[test]
fn a_connected_udp_socket_takes_datagrams_from_nobody_else() {
    let sockets = read(Table::Udp, UDP);
    assert_eq!(sockets[&11949095], Ok(None));
    assert_eq!(
        sockets[&11949094],
        Ok(Some(Endpoint::Udp(ip("127.0.0.1"), 39124)))
    );
    let lite = read(Table::UdpLite, UDP);
    assert_eq!(lite[&11949094], Ok(Some(Endpoint::Udp(ip("127.0.0.1"), 39124))));
    assert_eq!(read(Table::Raw, UDP)[&11949094], Ok(None));
}

#[test]
fn unix_sockets_listen_or_are_bound_under_a_name() {
    let sockets = read(Table::Unix, UNIX);
    assert_eq!(sockets[&11949099], path(b"/tmp/b.sock"));
    assert_eq!(sockets[&11949100], path(b"@pwtc"));
    // Somebody is connected to it, which others may be as well.
    assert_eq!(sockets[&77], path(b"/run/connected"));
    for other in [1069, 1068, 78] {
        assert_eq!(sockets[&other], Ok(None), "{other}");
    }
    assert_eq!(sockets[&11949098], path(b"@pwt\nx y@z"), "a newline in a name");
}

#[test]
fn other_tables_tell_inodes() {
    assert_eq!(read(Table::Packet, PACKET), [(11949200, Ok(None))].into());
    assert_eq!(
        read(Table::Netlink, NETLINK),
        [(4, Ok(None)), (553, Ok(None))].into()
    );
}

#[test]
fn a_name_with_a_forged_line_makes_the_socket_that_it_names_doubtful_and_none_listen() {
    let header = "Num       RefCount Protocol Flags    Type St Inode Path\n";
    let mut text = format!("{header}0000: 00000002 00000000 00010000 0001 01 21 /run/real\n").into_bytes();
    text.extend(b"0000: 00000002 00000000 00010000 0001 01 666 @\n");
    text.extend(b"0000: 00000002 00000000 00010000 0001 01 21 /run/forged\n");
    text.extend(b"0000: 00000002 00000000 00000000 0001 01 22 /run/victim\n");
    text.extend(b"0000: 00000002 00000000 00010000 0001 01 22 /run/victim\n");
    text.extend("0000: 00000002 00000000 00010000 0001 01 23 /run/\u{202e}\u{7}x\n".as_bytes());
    let sockets = read(Table::Unix, &text);
    assert_eq!(sockets[&21], Err(Why::Malformed));
    assert_eq!(sockets[&22], Err(Why::Malformed));
    assert_eq!(sockets[&666], path(b"@"));
    assert_eq!(sockets[&23], path("/run/\u{202e}\u{7}x".as_bytes()));
}

#[test]
fn bytes_that_are_no_text_stay_in_a_name() {
    let text = b"Num Inode\n0: 00000002 00000000 00010000 0001 01 9 /a\xff\xfe \x1b[31m\n\n b\n";
    assert_eq!(read(Table::Unix, text)[&9], path(b"/a\xff\xfe \x1b[31m\n\n b"));
}

#[test]
fn what_is_no_table_is_none_and_an_empty_one_has_its_header() {
    for table in Table::ALL {
        assert_eq!(parse(table, b""), None, "{table:?}");
        assert_eq!(parse(table, b"something else\n"), None, "{table:?}");
        assert_eq!(parse(table, b" sl st inode\n"), Some(Sockets::new()), "{table:?}");
    }
    for broken in [
        &b"sl inode\n 0: 00000000:07E8 00000000:0000\n"[..],
        b"sl inode\n 0: 000000:07E8 00000000:0000 0A 0 0 0 0 0 5\n",
        b"sl inode\n 0: 00000000:07E8 00000000:0000 0A 0 0 0 0 0 x\n",
        b"sl inode\n 0: 0000000\xff:07E8 00000000:0000 0A 0 0 0 0 0 5\n",
    ] {
        assert_eq!(parse(Table::Tcp, broken), None);
    }
}

#[test]
fn those_that_listen_come_first_and_the_rest_need_not_be_read() {
    let end = |text: &[u8], from: &[u8]| {
        let at = text
            .windows(from.len())
            .position(|window| window == from)
            .unwrap();
        text[..at].to_vec()
    };
    assert!(!is_past_listeners(Table::Tcp, b""));
    assert!(!is_past_listeners(Table::Tcp, b"  sl  loc"));
    assert!(!is_past_listeners(Table::Tcp, &end(TCP, b"   0:")));
    assert!(!is_past_listeners(Table::Tcp, &end(TCP, b"   1:")));
    assert!(!is_past_listeners(Table::Tcp, &end(TCP, b"6B6 01")));
    assert!(is_past_listeners(Table::Tcp, &end(TCP, b"   3:")));
    assert!(is_past_listeners(Table::Tcp, TCP));
    assert!(!is_past_listeners(Table::Udp, UDP));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        for table in Table::ALL {
            let _ = parse(table, &bytes);
            let _ = is_past_listeners(table, &bytes);
        }
    }

    #[test]
    fn any_name_is_read_back(name in "[^\0\n]{1,100}") {
        let text = format!("Num Inode\n0: 00000002 00000000 00010000 0001 01 9 {name}\n");
        prop_assert_eq!(&read(Table::Unix, text.as_bytes())[&9], &path(name.as_bytes()));
    }
}
