//! Stock daemons of Debian, many beside each other in one namespace, each started, stopped and reloaded as its unit does it,
//! with a configuration as small as it can be. What units add by way of a sandbox is left out: they run with all that the
//! program itself leaves them.

use crate::common::{ids, wait_for};
use crate::daemons::{NGINX, postgresql, start_apache, start_postfix};
use crate::namespace::Namespace;
use crate::restarts::{RSYSLOG, start_nginx};
use crate::run_by::{Sshd, start_cron};

/// A daemon that runs.
pub(crate) struct Service {
    pub(crate) name: &'static str,
    /// Its program, as the kernel names it.
    pub(crate) program: String,
    pid_file: String,
    start: String,
    stop: Option<String>,
    reload: Option<String>,
    /// What succeeds once it serves.
    serves: String,
}

/// The packages and accounts that are not there.
pub(crate) fn lacking() -> Vec<&'static str> {
    const PROGRAMS: [&str; 29] = [
        "/bin/bash",
        "/sbin/start-stop-daemon",
        "/usr/bin/dbus-daemon",
        "/usr/bin/dbus-send",
        "/usr/bin/dropbearkey",
        "/usr/bin/memcached",
        "/usr/bin/pg_createcluster",
        "/usr/bin/redis-server",
        "/usr/bin/ssh",
        "/usr/bin/ssh-keygen",
        "/usr/sbin/apache2",
        "/usr/sbin/atd",
        "/usr/sbin/cron",
        "/usr/sbin/dnsmasq",
        "/usr/sbin/dovecot",
        "/usr/sbin/dropbear",
        "/usr/sbin/haproxy",
        "/usr/sbin/lldpd",
        "/usr/sbin/mariadbd",
        "/usr/sbin/mosquitto",
        "/usr/sbin/named",
        "/usr/sbin/nginx",
        "/usr/sbin/php-fpm8.2",
        "/usr/sbin/postfix",
        "/usr/sbin/proftpd",
        "/usr/sbin/rsyslogd",
        "/usr/sbin/squid",
        "/usr/sbin/sshd",
        "/usr/sbin/unbound",
    ];
    let programs = PROGRAMS
        .into_iter()
        .chain(["/usr/sbin/tor", "/usr/sbin/varnishd"]);
    let mut lacking: Vec<&str> = programs
        .filter(|program| !std::path::Path::new(program).exists())
        .collect();
    if postgresql().is_none() {
        lacking.push("postgresql");
    }
    if ids("nobody").is_none() {
        lacking.push("the user nobody");
    }
    lacking
}

impl Service {
    /// A daemon in the foreground. `line` is run by a shell that writes down which process it is.
    fn foreground(name: &'static str, program: &str, line: &str, serves: &str) -> Service {
        let pid_file = format!("/run/pid/{name}");
        let start = format!(
            "setsid -f sh -c 'echo $$ > {pid_file}; exec {line}' </dev/null >/var/log/{name}.log 2>&1"
        );
        Service {
            name,
            program: program.into(),
            pid_file,
            start,
            stop: None,
            reload: None,
            serves: serves.into(),
        }
    }

    /// A daemon that puts itself into the background, and writes down which process it is.
    fn background(name: &'static str, program: &str, pid_file: &str, line: &str, serves: &str) -> Service {
        Service {
            pid_file: pid_file.into(),
            start: format!("{line} </dev/null >/var/log/{name}.log 2>&1"),
            ..Service::foreground(name, program, line, serves)
        }
    }

    /// One that a signal makes read its configuration anew.
    fn reloaded_by(self, signal: &str) -> Service {
        let reload = format!("kill -{signal} $(cat {})", self.pid_file);
        self.reloaded(&reload)
    }

    fn reloaded(mut self, line: &str) -> Service {
        self.reload = Some(line.into());
        self
    }

    /// One that is not ended by a signal alone.
    fn stopped(mut self, line: &str) -> Service {
        self.stop = Some(line.into());
        self
    }

    fn start(&self, host: &Namespace) {
        host.must(&format!("cd /; {}", self.start));
    }

    /// Ends it, and waits until its main process is gone.
    fn stop(&self, host: &Namespace) {
        let file = &self.pid_file;
        let stop = self.stop.as_deref().unwrap_or("kill $pid");
        host.must(&format!(
            "pid=$(head -n 1 {file} | tr -d ' ') && {stop} && for n in $(seq 1500); do [ -e /proc/$pid ] || exit 0; sleep 0.02; done; exit 1"
        ));
    }

    /// Waits until it serves. Some listen before they are in the background.
    fn wait(&self, host: &Namespace) {
        let (name, file, serves) = (self.name, &self.pid_file, &self.serves);
        let said = host.sh(&format!(
            "for n in $(seq 1500); do {{ [ -e /proc/$(head -n 1 {file} | tr -d ' ')/exe ] && {serves}; }} 2>/dev/null && exit 0; sleep 0.02; done; tail /var/log/{name}*; exit 1"
        ));
        assert_eq!(said.code(), Some(0), "{name} does not serve: {}", said.stdout());
    }

    /// Ends it, starts it anew, and has it read its configuration anew.
    pub(crate) fn restart(&self, host: &Namespace) {
        self.stop(host);
        self.start(host);
        self.wait(host);
        if let Some(reload) = &self.reload {
            host.must(reload);
            self.wait(host);
        }
    }
}

/// What succeeds once something listens on a port of 127.0.0.1.
fn port(number: u16) -> String {
    format!("bash -c 'exec 5<>/dev/tcp/127.0.0.1/{number}'")
}

/// What asks the system bus for something.
fn call(method: &str) -> String {
    let bus = "org.freedesktop.DBus";
    format!("dbus-send --system --print-reply --dest={bus} / {bus}.{method} >/dev/null")
}

/// Starts them all, and waits until they serve.
pub(crate) fn start(host: &Namespace) -> Vec<Service> {
    host.must(
        "mkdir -p /run/pid /run/dbus /run/lldpd; install -d -m 2775 -o postgres -g postgres /run/postgresql\n\
         install -d -o bind -g bind /run/named /mnt/named; install -d -o memcache -g memcache /run/memcached\n\
         install -d -m 2755 -o debian-tor -g debian-tor /run/tor; install -d -m 700 -o debian-tor /mnt/tor\n\
         install -d -o mysql -g mysql /run/mysqld /mnt/mysql; install -o proxy /dev/null /var/log/squid.cache\n\
         for place in /etc/postgresql /var/lib/postgresql; do mount -t tmpfs -o mode=755 tmpfs $place || exit; done\n\
         chown postgres: /etc/postgresql /var/lib/postgresql; install -d -o postgres /var/log/postgresql",
    );
    // These two take their time to make a database of nothing.
    std::thread::scope(|scope| {
        scope.spawn(|| host.must("pg_createcluster $(ls /usr/lib/postgresql | tail -n 1) main -- --no-sync"));
        scope.spawn(|| {
            host.must("mariadb-install-db --no-defaults --user=mysql --datadir=/mnt/mysql --skip-test-db")
        });
    });
    let services: Vec<Service> = [as_root(host), dropping(host), databases()]
        .into_iter()
        .flatten()
        .collect();
    for service in &services {
        service.start(host);
    }
    let services: Vec<Service> = [started(host), services].into_iter().flatten().collect();
    for service in &services {
        service.wait(host);
    }
    services
}

/// Those that other tests start, too.
fn started(host: &Namespace) -> Vec<Service> {
    let nginx = start_nginx(host, NGINX);
    let apache = start_apache(host, "/usr/sbin/apache2", "", true);
    let sshd = Sshd::start(host, "-D").conf;
    start_cron(host, "root", "sleep 1000");
    host.must(
        "for place in atjobs atspool; do install -d -m 1770 -o daemon -g daemon /var/spool/cron/$place; done",
    );
    let postfix = start_postfix(host);
    // All that Debian's own has.
    host.must(&format!(
        "cp /usr/share/postfix/master.cf.dist {postfix}/master.cf\n\
         echo 'postlog unix-dgram n - n - 1 postlogd' >> {postfix}/master.cf; postfix -c {postfix} reload 2>&1"
    ));
    let rsyslog = host.write("rsyslog.conf", RSYSLOG);
    let atd = Service::foreground("atd", "/usr/sbin/atd", "/usr/sbin/atd -f", "[ -s /run/atd.pid ]");
    let rsyslog = Service::foreground(
        "rsyslog",
        "/usr/sbin/rsyslogd",
        &format!("/usr/sbin/rsyslogd -n -iNONE -f {rsyslog}"),
        "[ -S /run/log.sock ]",
    )
    .reloaded_by("HUP");
    for service in [&atd, &rsyslog] {
        service.start(host);
    }
    vec![
        Service::background(
            "nginx",
            "/usr/sbin/nginx",
            "/run/nginx.pid",
            &format!("/usr/sbin/nginx -c {nginx}"),
            "[ -s /run/nginx.pid ]",
        )
        .reloaded(&format!("/usr/sbin/nginx -s reload -c {nginx}")),
        Service::background(
            "apache2",
            "/usr/sbin/apache2",
            "/run/apache.pid",
            &format!("/usr/sbin/apache2 -f {apache}"),
            &port(8080),
        )
        .reloaded(&format!("/usr/sbin/apache2 -f {apache} -k graceful")),
        Service::background(
            "sshd",
            "/usr/sbin/sshd",
            "/run/sshd.pid",
            &format!("setsid -f /usr/sbin/sshd -D -f {sshd}"),
            &port(2222),
        )
        .reloaded_by("HUP"),
        Service::background(
            "cron",
            "/usr/sbin/cron",
            "/run/crond.pid",
            "setsid -f /usr/sbin/cron -f",
            "[ -s /run/crond.pid ]",
        ),
        Service::background(
            "postfix",
            "/usr/lib/postfix/sbin/master",
            "/mnt/queue/pid/master.pid",
            &format!("postfix -c {postfix} start"),
            &port(25),
        )
        .stopped(&format!("postfix -c {postfix} stop 2>&1"))
        .reloaded(&format!("postfix -c {postfix} reload 2>&1")),
        atd,
        rsyslog,
    ]
}

/// Those whose main process stays root.
fn as_root(host: &Namespace) -> Vec<Service> {
    let dovecot = host.write(
        "dovecot.conf",
        "base_dir = /run/dovecot\nstate_dir = /mnt\nlog_path = /var/log/dovecot\nprotocols = imap\nssl = no\n\
         listen = *\nmail_location = mbox:/mnt/mail\npassdb {\n driver = pam\n}\nuserdb {\n driver = passwd\n}\n",
    );
    let squid = host.write(
        "squid.conf",
        "http_port 3128\nvisible_hostname host.example\npid_filename /run/squid.pid\naccess_log none\n\
         cache_log /var/log/squid.cache\ncoredump_dir /mnt\nshutdown_lifetime 0 seconds\npinger_enable on\n",
    );
    let haproxy = host.write(
        "haproxy.cfg",
        "global\n nbthread 1\n chroot /mnt\n user haproxy\n group haproxy\ndefaults\n mode http\n timeout client 1s\n\
         timeout server 1s\n timeout connect 1s\nfrontend f\n bind :8082\n",
    );
    let php = host.write(
        "fpm.conf",
        "[global]\nerror_log = /dev/null\n[shop]\nuser = www-data\nlisten = /run/php.sock\npm = static\n\
         pm.max_children = 2\n",
    );
    let key = host.path().join("dropbear.key").display().to_string();
    host.must(&format!("dropbearkey -t ed25519 -f {key} >/dev/null 2>&1"));
    vec![
        Service::foreground(
            "dovecot",
            "/usr/sbin/dovecot",
            &format!("/usr/sbin/dovecot -F -c {dovecot}"),
            &port(143),
        )
        .reloaded(&format!("doveadm -c {dovecot} reload")),
        // Root with the group that its unit gives it.
        Service::foreground(
            "squid",
            "/usr/sbin/squid",
            &format!("setpriv --regid=proxy --clear-groups /usr/sbin/squid --foreground -sYC -f {squid}"),
            &port(3128),
        )
        .reloaded_by("HUP"),
        Service::foreground(
            "haproxy",
            "/usr/sbin/haproxy",
            &format!("/usr/sbin/haproxy -Ws -f {haproxy} -p /run/haproxy.pid"),
            &port(8082),
        )
        .reloaded_by("USR2"),
        Service::foreground(
            "php-fpm",
            "/usr/sbin/php-fpm8.2",
            &format!("/usr/sbin/php-fpm8.2 --nodaemonize --fpm-config {php}"),
            "[ -S /run/php.sock ]",
        )
        .reloaded_by("USR2"),
        Service::foreground(
            "dropbear",
            "/usr/sbin/dropbear",
            &format!("/usr/sbin/dropbear -F -r {key} -p 2223"),
            &port(2223),
        ),
    ]
}

/// Those that are started as root and give it up by themselves, all or some of it.
fn dropping(host: &Namespace) -> Vec<Service> {
    let named = host.write(
        "named.conf",
        "options { directory \"/mnt/named\"; listen-on port 5301 { any; }; listen-on-v6 { none; }; recursion no; };\n\
         controls { };\n",
    );
    let unbound = host.write(
        "unbound.conf",
        "server:\n chroot: \"\"\n directory: \"/mnt\"\n username: unbound\n pidfile: \"\"\n use-syslog: no\n\
         interface: 127.0.0.1@5302\n",
    );
    let tor = host.write("torrc", "DataDirectory /mnt/tor\nSocksPort 9050\n");
    let proftpd = host.write(
        "proftpd.conf",
        "ServerName test\nServerType standalone\nDefaultAddress 0.0.0.0\nPort 21\nUser proftpd\nGroup nogroup\n\
         PidFile /run/proftpd.pid\nScoreboardFile /run/proftpd.scoreboard\nTransferLog none\nWtmpLog off\n\
         SystemLog /var/log/proftpd\nUseReverseDNS off\n",
    );
    let mosquitto = host.write(
        "mosquitto.conf",
        "listener 1883 127.0.0.1\nallow_anonymous true\nuser mosquitto\n",
    );
    let vcl = host.write("default.vcl", "vcl 4.1;\nbackend default none;\n");
    vec![
        Service::foreground(
            "dbus",
            "/usr/bin/dbus-daemon",
            "dbus-daemon --system --address=unix:path=/run/dbus/system_bus_socket --nofork --nopidfile --syslog-only",
            &call("GetId"),
        )
        .reloaded(&call("ReloadConfig")),
        Service::foreground(
            "named",
            "/usr/sbin/named",
            &format!("/usr/sbin/named -f -u bind -c {named}"),
            &port(5301),
        )
        .reloaded_by("HUP"),
        Service::foreground(
            "unbound",
            "/usr/sbin/unbound",
            &format!("/usr/sbin/unbound -d -p -c {unbound}"),
            &port(5302),
        )
        .reloaded_by("HUP"),
        Service::foreground(
            "dnsmasq",
            "/usr/sbin/dnsmasq",
            "/usr/sbin/dnsmasq --keep-in-foreground --conf-file=/dev/null --user=dnsmasq --port=5303 \
             --listen-address=127.0.0.1 --bind-interfaces --pid-file= --no-resolv --no-hosts",
            &port(5303),
        )
        .reloaded_by("HUP"),
        Service::foreground(
            "tor",
            "/usr/bin/tor",
            &format!(
                "/usr/bin/tor --defaults-torrc /usr/share/tor/tor-service-defaults-torrc -f {tor} --RunAsDaemon 0"
            ),
            &port(9050),
        )
        .reloaded_by("HUP"),
        Service::foreground(
            "memcached",
            "/usr/bin/memcached",
            "/usr/share/memcached/scripts/systemd-memcached-wrapper /etc/memcached.conf",
            &port(11211),
        ),
        Service::background(
            "proftpd",
            "/usr/sbin/proftpd",
            "/run/proftpd.pid",
            &format!("/usr/sbin/proftpd -c {proftpd}"),
            &port(21),
        )
        .reloaded_by("HUP"),
        Service::foreground(
            "mosquitto",
            "/usr/sbin/mosquitto",
            &format!("/usr/sbin/mosquitto -c {mosquitto}"),
            &port(1883),
        )
        .reloaded_by("HUP"),
        Service::foreground(
            "varnish",
            "/usr/sbin/varnishd",
            &format!(
                "/usr/sbin/varnishd -F -n /mnt/varnish -j unix,user=vcache -a :6081 -T 127.0.0.1:6082 -f {vcl} \
                 -S none -s malloc,16m"
            ),
            &port(6081),
        ),
        Service::foreground("lldpd", "/usr/sbin/lldpd", "/usr/sbin/lldpd -d", "[ -S /run/lldpd.socket ]"),
    ]
}

/// Those that their unit starts as their user, and PostgreSQL.
fn databases() -> Vec<Service> {
    let postgres = postgresql().expect("postgresql");
    let version = postgres
        .trim_start_matches("/usr/lib/postgresql/")
        .trim_end_matches("/bin");
    let cluster =
        |what: &str| format!("pg_ctlcluster --skip-systemctl-redirect -m fast {version} main {what}");
    vec![
        Service::foreground(
            "redis",
            "/usr/bin/redis-check-rdb",
            "setpriv --reuid=redis --regid=redis --init-groups /usr/bin/redis-server --save \"\" --port 6379 \
             --bind 127.0.0.1",
            &port(6379),
        ),
        // AmbientCapabilities=CAP_IPC_LOCK is in its unit.
        Service::foreground(
            "mariadb",
            "/usr/sbin/mariadbd",
            "setpriv --reuid=mysql --regid=mysql --init-groups --inh-caps=-all,+ipc_lock --ambient-caps=-all,+ipc_lock \
             /usr/sbin/mariadbd --no-defaults --datadir=/mnt/mysql --socket=/run/mysqld/mysqld.sock \
             --bind-address=127.0.0.1",
            &port(3306),
        ),
        Service::background(
            "postgresql",
            &format!("{postgres}/postgres"),
            "/var/lib/postgresql/*/main/postmaster.pid",
            &cluster("start"),
            &port(5432),
        )
        .stopped(&format!("{} >/dev/null", cluster("stop")))
        .reloaded(&format!("{} >/dev/null", cluster("reload"))),
    ]
}

/// Holds what a client would: a login, and connections that nothing is said on.
pub(crate) fn connect(host: &Namespace) {
    let root = host.path().display();
    host.start(&format!(
        "ssh -F none -p 2222 -i {root}/user -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
         root@127.0.0.1 'exec sleep 2000'"
    ));
    for port in [2222, 2223, 25, 143, 21, 5432, 6379, 3306] {
        host.start(&format!(
            "bash -c 'exec 5<>/dev/tcp/127.0.0.1/{port} && exec sleep 2000'"
        ));
    }
    wait_for("the login", 20, || {
        (!host
            .sh("pgrep -f '^sleep 2000$' -P $(pgrep -d, -x sshd)")
            .stdout()
            .is_empty())
        .then_some(())
    });
}
