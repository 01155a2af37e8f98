//! Titles: what a daemon writes over `argv[0]` to tell its processes apart for ps, or the arguments that it starts
//! itself anew with.
//!
//! The few daemons below mark every process that is not their main one, and their marks are their own: such a mark
//! is taken at its word. Each was measured, see docs/main.md; of any other daemon a title says only that it has one.

use super::names::file_name;

/// What a title says of the process that bears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Main,
    Other,
}

/// How the processes of one daemon entitle themselves.
struct Daemon {
    /// What comm begins with.
    comm: &'static [u8],
    /// What each title begins with.
    title: &'static [u8],
    /// What the title of the main process holds besides; none where the main process bears no title.
    main: Option<&'static [u8]>,
}

const fn daemon(comm: &'static str, title: &'static str, main: Option<&'static str>) -> Daemon {
    Daemon {
        comm: comm.as_bytes(),
        title: title.as_bytes(),
        main: match main {
            Some(main) => Some(main.as_bytes()),
            None => None,
        },
    }
}

const DAEMONS: [Daemon; 9] = [
    // The child of cron or crond that waits for a job: /usr/sbin/CRON, CROND.
    daemon("cron", "CRON", None),
    daemon("gunicorn", "gunicorn: ", Some("master [")),
    daemon("nginx", "nginx: ", Some("master process")),
    daemon("php-fpm", "php-fpm: ", Some("master process")),
    daemon("postgres", "postgres: ", None),
    daemon("proftpd", "proftpd: ", Some("(accepting connections)")),
    daemon("pure-ftpd", "pure-ftpd (", Some("(SERVER)")),
    daemon("squid", "(squid-", None),
    // A connection's process is exec'ed anew and leads a session of its own, as a daemon does.
    daemon("sshd", "sshd: ", Some("[listener]")),
];

/// Daemons that start themselves anew for each connection, in a session of its own, and the argument that tells it.
const STARTED_ANEW: [(&[u8], &[u8]); 2] = [(b"dropbear", b"-2"), (b"sshd", b"-R")];

/// Whether the arguments of a process of this comm are worth reading.
pub(super) fn may_tell(comm: &[u8]) -> bool {
    DAEMONS.iter().any(|daemon| comm.starts_with(daemon.comm))
        || STARTED_ANEW.iter().any(|(name, _)| *name == comm)
}

/// What its arguments say of a process of this comm; none where they are no mark, or of a daemon that is not known.
pub(super) fn role(comm: &[u8], arguments: &[Vec<u8>]) -> Option<Role> {
    let is_anew = |(name, mark): &(&[u8], &[u8])| *name == comm && arguments.iter().any(|word| word == mark);
    if STARTED_ANEW.iter().any(is_anew) {
        return Some(Role::Other);
    }
    let title = without_directory(arguments.first()?);
    let daemon = DAEMONS
        .iter()
        .find(|daemon| comm.starts_with(daemon.comm) && title.starts_with(daemon.title))?;
    let is_main = daemon
        .main
        .is_some_and(|main| title.windows(main.len()).any(|part| part == main));
    Some(if is_main { Role::Main } else { Role::Other })
}

/// Whether `argv[0]` was overwritten by a title (`nfsd: worker`, `redis-server *:6379` is a name with an address).
pub(super) fn is_title(comm: &[u8], argv0: &[u8]) -> bool {
    let first = without_directory(argv0)
        .split(|b| *b == b' ')
        .next()
        .unwrap_or_default();
    first.ends_with(b":") || !(first.starts_with(comm) || file_name(argv0).starts_with(comm))
}

/// `argv[0]` without the directory of its first word: a title may hold paths further on.
fn without_directory(argv0: &[u8]) -> &[u8] {
    let end = argv0.iter().position(|b| *b == b' ').unwrap_or(argv0.len());
    let start = argv0[..end]
        .iter()
        .rposition(|b| *b == b'/')
        .map_or(0, |at| at + 1);
    &argv0[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(comm: &str, arguments: &[&str]) -> Option<Role> {
        let arguments: Vec<Vec<u8>> = arguments.iter().map(|word| word.as_bytes().to_vec()).collect();
        role(comm.as_bytes(), &arguments)
    }

    #[test]
    fn titles_of_known_daemons_tell_the_main_process_from_the_others() {
        use Role::{Main, Other};
        for (comm, argv0, role) in [
            (
                "nginx",
                "nginx: master process /usr/sbin/nginx -c /a/b",
                Some(Main),
            ),
            ("nginx", "nginx: worker process is shutting down", Some(Other)),
            ("nginx", "nginx: cache loader process", Some(Other)),
            (
                "php-fpm8.2",
                "php-fpm: master process (/etc/php/fpm.conf)",
                Some(Main),
            ),
            ("php-fpm8.2", "php-fpm: pool www", Some(Other)),
            (
                "sshd",
                "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups",
                Some(Main),
            ),
            ("sshd", "sshd: [accepted]", Some(Other)),
            ("sshd", "sshd: master [priv]", Some(Other)),
            ("sshd", "/usr/sbin/sshd", None),
            ("gunicorn: maste", "gunicorn: master [app:app]", Some(Main)),
            ("gunicorn: worke", "gunicorn: worker [app:app]", Some(Other)),
            ("postgres", "postgres: 15/main: checkpointer ", Some(Other)),
            ("postgres", "/usr/lib/postgresql/15/bin/postgres", None),
            ("squid", "(squid-1)", Some(Other)),
            ("squid", "/usr/sbin/squid", None),
            ("cron", "/usr/sbin/CRON", Some(Other)),
            ("crond", "/usr/sbin/CROND", Some(Other)),
            ("cron", "/usr/sbin/cron", None),
            ("proftpd", "proftpd: (accepting connections)", Some(Main)),
            ("proftpd", "proftpd: connected: host (192.0.2.1:5)", Some(Other)),
            ("pure-ftpd", "pure-ftpd (SERVER)", Some(Main)),
            ("pure-ftpd", "pure-ftpd (IDLE)", Some(Other)),
            // Of another program.
            ("vim", "nginx: worker process", None),
        ] {
            assert_eq!(says(comm, &[argv0]), role, "{comm} {argv0}");
        }
    }

    #[test]
    fn a_daemon_that_starts_itself_anew_for_a_connection_says_so_in_its_arguments() {
        assert_eq!(
            says("dropbear", &["/usr/sbin/dropbear", "-F", "-2", "7"]),
            Some(Role::Other)
        );
        assert_eq!(says("dropbear", &["/usr/sbin/dropbear", "-F", "-p", "22"]), None);
        assert_eq!(says("sshd", &["/usr/sbin/sshd", "-D", "-R"]), Some(Role::Other));
        assert_eq!(says("sshd", &["/usr/sbin/sshd", "-D"]), None);
        assert_eq!(says("sort", &["sort", "-R"]), None);
        assert_eq!(says("sshd", &[]), None);
    }

    #[test]
    fn a_path_or_a_name_with_an_address_is_no_title() {
        let titled = |comm: &str, argv0: &str| is_title(comm.as_bytes(), argv0.as_bytes());
        for (comm, argv0, title) in [
            ("apache2", "/usr/sbin/apache2", false),
            ("redis-server", "redis-server 127.0.0.1:6379", false),
            ("redis-server", "redis-server unixsocket:/run/r.sock", false),
            ("my app", "/opt/my app/my app", false),
            ("my app", "my app", false),
            ("thing", "/opt/a directory/thing", false),
            ("systemd-timesyn", "/lib/systemd/systemd-timesyncd", false),
            ("myd", "myd: worker", true),
            ("myd", "myd: running [/run/myd]", true),
            ("mydaemon", "child of mine", true),
            ("myd", "", true),
        ] {
            assert_eq!(titled(comm, argv0), title, "{comm} {argv0}");
        }
    }
}
