//! What `listen=` asks for where it is no path: `22/tcp`, `127.0.0.1:25/tcp`, `[::1]:53/udp`, `*:80/tcp`, `8000-8999/tcp`.

use crate::snapshot::Endpoint;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

/// An address and ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Any, where none was written.
    address: Option<Address>,
    ports: RangeInclusive<u16>,
    udp: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Address {
    /// `*`: all addresses of the host, of IPv4, IPv6 or both.
    All,
    This(IpAddr),
}

impl Asked {
    /// Whether a socket listens so. One of `::` takes IPv4 as well, unless it was told not to, which /proc does not show.
    #[must_use]
    pub fn holds(&self, endpoint: &Endpoint) -> bool {
        let (address, port, udp) = match endpoint {
            Endpoint::Tcp(address, port) => (*address, *port, false),
            Endpoint::Udp(address, port) => (*address, *port, true),
            Endpoint::Unix(_) => return false,
        };
        let addressed = match self.address {
            None => true,
            Some(Address::All) => address.is_unspecified(),
            Some(Address::This(IpAddr::V4(Ipv4Addr::UNSPECIFIED))) => address.is_unspecified(),
            Some(Address::This(wanted)) => address == wanted,
        };
        addressed && udp == self.udp && self.ports.contains(&port)
    }
}

/// Why a value is none of these.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    /// What is wrong.
    pub message: String,
    /// A value that may be meant.
    pub instead: Option<String>,
}

/// Ports that people know by their names.
const SERVICES: [(&str, &str); 20] = [
    ("ssh", "22/tcp"),
    ("ftp", "21/tcp"),
    ("telnet", "23/tcp"),
    ("smtp", "25/tcp"),
    ("domain", "53/udp|53/tcp"),
    ("dns", "53/udp|53/tcp"),
    ("http", "80/tcp"),
    ("https", "443/tcp"),
    ("pop3", "110/tcp"),
    ("imap", "143/tcp"),
    ("imaps", "993/tcp"),
    ("submission", "587/tcp"),
    ("ntp", "123/udp"),
    ("snmp", "161/udp"),
    ("syslog", "514/udp"),
    ("ldap", "389/tcp"),
    ("mysql", "3306/tcp"),
    ("postgres", "5432/tcp"),
    ("postgresql", "5432/tcp"),
    ("redis", "6379/tcp"),
];

/// Reads one.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &str) -> Result<Asked, Wrong> {
    let Some((place, protocol)) = text.rsplit_once('/') else {
        return without_protocol(text);
    };
    let udp = match protocol {
        "tcp" => false,
        "udp" => true,
        _ => return other_protocol(text, place, protocol),
    };
    let (address, ports) = match place.rsplit_once(':') {
        // A whole address of IPv6 and no port, or one without brackets.
        Some((before, after)) if before.contains(':') && !before.starts_with('[') => {
            let instead = before
                .parse::<Ipv6Addr>()
                .ok()
                .map(|address| format!("[{address}]:{after}/{protocol}"));
            return wrong("an address of IPv6 stands in brackets".into(), instead);
        }
        Some((before, after)) => (Some(address(before, after, protocol)?), after),
        None => (None, place),
    };
    if ports.is_empty() {
        return wrong(format!("`{text}` has no port"), None);
    }
    Ok(Asked {
        address,
        ports: self::ports(text, place, ports, protocol)?,
        udp,
    })
}

fn address(before: &str, port: &str, protocol: &str) -> Result<Address, Wrong> {
    let written = |address: &str| format!("{address}:{port}/{protocol}");
    let inner = before.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match (before, inner, inner.unwrap_or(before).parse::<IpAddr>()) {
        ("*", ..) => Ok(Address::All),
        (_, Some(_), Ok(IpAddr::V6(address))) => Ok(Address::This(IpAddr::V6(address).to_canonical())),
        (_, None, Ok(IpAddr::V4(address))) => Ok(Address::This(IpAddr::V4(address))),
        (_, _, Ok(IpAddr::V4(address))) => {
            let instead = written(&address.to_string());
            wrong("an address of IPv4 stands without brackets".into(), Some(instead))
        }
        ("", ..) => wrong(
            "no address before the colon".into(),
            Some(format!("{port}/{protocol}")),
        ),
        ("localhost", ..) => wrong(
            "`localhost` is a name, and sockets have addresses".into(),
            Some([written("127.0.0.1"), written("[::1]")].join("|")),
        ),
        ("tcp" | "udp", ..) => wrong(
            format!("`{before}` is a protocol, and comes last"),
            Some(format!("{port}/{before}")),
        ),
        _ => wrong(format!("`{before}` is not an address"), None),
    }
}

fn ports(text: &str, place: &str, ports: &str, protocol: &str) -> Result<RangeInclusive<u16>, Wrong> {
    let before = place.strip_suffix(ports).unwrap_or_default();
    let written = |ports: &str| Some(format!("{before}{ports}/{protocol}"));
    if ports == "*" {
        return wrong("a port is a number, not a pattern".into(), written("1-65535"));
    }
    if let Some((_, port)) = SERVICES.iter().find(|(name, _)| *name == ports) {
        let number = port.split('/').next().unwrap_or_default();
        return wrong(
            format!("`{ports}` is a name, and a port is a number"),
            written(number),
        );
    }
    if before.is_empty() && (text.starts_with("tcp/") || text.starts_with("udp/")) {
        return wrong(format!("`{text}` has no port"), None);
    }
    if before.is_empty() && ports.parse::<IpAddr>().is_ok() {
        return wrong(format!("`{text}` has no port"), None);
    }
    let (low, high) = ports.split_once('-').unwrap_or((ports, ports));
    let number = |digits: &str| {
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        match digits.parse::<u16>() {
            Ok(port) if plain && port > 0 => Ok(port),
            _ if plain => wrong(format!("{digits} is not a port: they go from 1 to 65535"), None),
            _ => wrong(format!("`{ports}` is not a port"), None),
        }
    };
    let (low, high) = (number(low)?, number(high)?);
    if low > high {
        return wrong(
            format!("the ports `{ports}` are reversed"),
            written(&format!("{high}-{low}")),
        );
    }
    Ok(low..=high)
}

fn wrong<T>(message: String, instead: Option<String>) -> Result<T, Wrong> {
    Err(Wrong { message, instead })
}

fn other_protocol(text: &str, place: &str, protocol: &str) -> Result<Asked, Wrong> {
    if let Some(path) = disguised_path(text) {
        return path;
    }
    let (message, instead) = if matches!(place, "tcp" | "udp") {
        (
            format!("`{place}` is a protocol, and comes last"),
            format!("{protocol}/{place}"),
        )
    } else {
        let udp = protocol.to_ascii_lowercase().starts_with("udp");
        (
            format!("`{protocol}` is none of the protocols that can be told: tcp and udp"),
            format!("{place}/{}", if udp { "udp" } else { "tcp" }),
        )
    };
    let instead = parse(&instead).is_ok().then_some(instead);
    wrong(message, instead)
}

/// A port, an address, a name, or a path in disguise.
fn without_protocol(text: &str) -> Result<Asked, Wrong> {
    if let Some(path) = disguised_path(text) {
        return path;
    }
    if let Some((_, port)) = SERVICES.iter().find(|(name, _)| *name == text) {
        return wrong(
            format!("`{text}` is a name, and a port is a number"),
            Some((*port).into()),
        );
    }
    if is_address(text) {
        return wrong(format!("`{text}` has neither port nor protocol"), None);
    }
    let text = match text.rsplit_once(':') {
        Some((port, protocol @ ("tcp" | "udp"))) => {
            return wrong(
                format!("`{text}` has a colon before its protocol"),
                Some(format!("{port}/{protocol}")),
            );
        }
        _ => text,
    };
    let instead = format!("{text}/tcp");
    match parse(&instead) {
        Ok(_) => wrong(format!("`{text}` has no protocol"), Some(instead)),
        Err(Wrong {
            instead: Some(instead),
            ..
        }) => wrong(format!("`{text}` has no protocol"), Some(instead)),
        Err(_) => wrong(format!("`{text}` is neither a port nor a path"), None),
    }
}

fn is_address(text: &str) -> bool {
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.unwrap_or(text).parse::<IpAddr>().is_ok()
}

/// `unix:/run/x.sock` as others write it, and what ends as a socket's file does.
fn disguised_path<T>(text: &str) -> Option<Result<T, Wrong>> {
    if let Some(path) = text.strip_prefix("unix:") {
        let message = format!("`{text}` begins with a kind, and a path says it already");
        return Some(wrong(message, path.starts_with('/').then(|| path.to_owned())));
    }
    text.ends_with(".sock").then(|| {
        let path = format!("/*{}", text.trim_start_matches('*'));
        wrong(format!("`{text}` is not a full path"), Some(path))
    })
}

/// What is meant where a port stands in the place of the range: `127.0.0.1:25`, `tcp:22`.
#[must_use]
pub fn with_port(text: &str, port: &str) -> Option<String> {
    let meant = match text {
        "tcp" | "udp" => format!("{port}/{text}"),
        _ if !is_address(text) && text != "*" => return None,
        _ => format!("{text}:{port}/tcp"),
    };
    match parse(&meant) {
        Ok(_) => Some(meant),
        Err(wrong) => wrong.instead,
    }
}

#[cfg(test)]
mod tests;
