//! What is installed, by `make install` and by Debian's package: the description, what is made of it, and how it is used,
//! upgraded and purged. With the debug binary, stripped.

use crate::common::{Output, Place, Procward, command, ids, is_root, need, output};
use crate::docs::document;
use crate::namespace::Namespace;
use procward::config::audit::{AUDIT_KEYS, EXEMPT_KEYS, RULE_KEYS};
use procward::config::raw::{CHECK_KEYS, CPU_KEYS};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const BINARY: &str = env!("CARGO_BIN_EXE_procward");
const SYSTEMD_ANALYZE: &str = "/usr/bin/systemd-analyze";

/// A command in the directory of the sources.
fn here(program: &str) -> Command {
    let mut command = command(program);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// The columns of install/files.
fn described() -> Vec<[String; 5]> {
    let text = document("install/files");
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let columns = lines.map(|line| {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        words.try_into().unwrap_or_else(|words| panic!("{words:?}"))
    });
    columns.collect()
}

/// All but the directories that hold others: path, and mode or where a link leads.
fn tree(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut left = vec![root.to_owned()];
    while let Some(directory) = left.pop() {
        let entries: Vec<_> = std::fs::read_dir(&directory).unwrap().flatten().collect();
        let about = directory.metadata().unwrap().permissions().mode() & 0o7777;
        let name = |path: &Path| path.strip_prefix(root).unwrap().display().to_string();
        if entries.is_empty() {
            found.insert(name(&directory), format!("{about:04o}"));
        } else {
            assert_eq!(about & 0o755, 0o755, "{directory:?}");
        }
        for entry in entries {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            if kind.is_dir() {
                left.push(path);
            } else if kind.is_symlink() {
                found.insert(
                    name(&path),
                    std::fs::canonicalize(&path).map_or_else(|e| e.to_string(), |to| name(&to)),
                );
            } else {
                let mode = path.metadata().unwrap().permissions().mode() & 0o7777;
                found.insert(name(&path), format!("{mode:04o}"));
            }
        }
    }
    found
}

fn make(target: &str, prefix: &str, root: &Path) -> Output {
    let said = output(here("make").args(["-s", target]).args([
        format!("PREFIX={prefix}"),
        format!("DESTDIR={}", root.display()),
        format!("BINARY={BINARY}"),
    ]));
    assert_eq!((said.code(), said.stderr()), (Some(0), String::new()));
    said
}

#[test]
fn what_is_described_is_installed_and_nothing_else() {
    need!(Path::new("/usr/bin/make").exists(), "make is not installed");
    for prefix in ["/usr", "/usr/local"] {
        let place = Place::new();
        let root = std::fs::canonicalize(place.path()).unwrap();
        make("install", prefix, &root);
        let below = prefix.trim_start_matches('/');
        let expected = described().into_iter().map(|[kind, mode, _, to, from]| {
            let to = match to.strip_prefix('/') {
                Some(fixed) => fixed.to_owned(),
                None if prefix == "/usr/local" => {
                    let to = to.replace("vendor-completions/_procward", "site-functions/_procward");
                    format!("{below}/{to}")
                }
                None => format!("{below}/{to}"),
            };
            (
                to,
                if kind == "link" {
                    format!("{below}/{from}")
                } else {
                    mode
                },
            )
        });
        let expected: BTreeMap<String, String> = expected.collect();
        assert_eq!(tree(&root), expected);
        let unit = root.join(below).join("lib/systemd/system/procward-check.service");
        let unit = std::fs::read_to_string(unit).unwrap();
        assert!(
            unit.contains(&format!("\nExecStart={prefix}/bin/procward check")),
            "{unit}"
        );

        // The administrator's, from now on.
        let config = root.join("etc/procward/procward.toml");
        std::fs::write(&config, "# mine\n").unwrap();
        std::fs::write(root.join("etc/procward/conf.d/mine.toml"), "").unwrap();
        make("install", prefix, &root);
        assert_eq!(std::fs::read_to_string(&config).unwrap(), "# mine\n");
        let said = make("uninstall", prefix, &root);
        let kept =
            ["conf.d", "procward.toml"].map(|name| format!("kept: {}/etc/procward/{name}\n", root.display()));
        assert_eq!(said.stdout(), kept.concat());
        let left = tree(&root);
        let files: Vec<&String> = left.keys().filter(|path| root.join(path).is_file()).collect();
        assert_eq!(
            files,
            ["etc/procward/conf.d/mine.toml", "etc/procward/procward.toml"]
        );
        assert!(!root.join(below).join("lib/procward").exists() && !root.join("var/lib/procward").exists());
    }
}

#[test]
fn every_file_of_contrib_and_every_document_is_installed() {
    let installed: Vec<String> = described().into_iter().map(|[.., from]| from).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = tree(&root.join("contrib")).into_keys();
    for file in files.map(|file| format!("contrib/{file}")) {
        // For whoever changes the rules.
        let test = file.ends_with(".test.yml");
        assert_eq!(installed.contains(&file), !test, "{file}");
    }
    for file in tree(&root.join("docs")).into_keys() {
        assert!(installed.contains(&format!("docs/{file}")), "{file}");
    }
}

#[test]
fn every_command_has_a_page_that_man_shows_without_a_warning() {
    need!(
        Path::new("/usr/bin/man").exists(),
        "man is not installed (man-db)"
    );
    let said = Procward::new()
        .args(["man", "no-such-page"])
        .run()
        .ends(3)
        .stdout();
    let names = said.trim_end().split("there are ").nth(1).expect("a list");
    let mut names: Vec<String> = names.split(", ").map(str::to_owned).collect();
    names.push("man/procward.toml.5".into());
    let pages = described().into_iter().filter(|[kind, ..]| kind == "man");
    let pages: Vec<String> = pages.map(|[.., from]| from).collect();
    assert_eq!(pages, names);
    let place = Place::new();
    for page in pages {
        let text = if page.contains('/') {
            document(&page).into_bytes()
        } else {
            Procward::new()
                .args(["man", &page])
                .run()
                .ends(0)
                .bytes()
                .to_vec()
        };
        let file = place.path().join("page");
        std::fs::write(&file, text).unwrap();
        let said = output(
            command("man")
                .args(["-l", "--warnings", "-E", "UTF-8"])
                .arg(&file),
        )
        .ends(0);
        assert!(said.stdout().contains("SEE ALSO"), "{page}");
    }
}

#[test]
fn every_key_of_the_configuration_is_in_its_manual_page_and_nothing_else() {
    let text = document("man/procward.toml.5");
    for (section, keys) in [
        ("\"SETTINGS FOR ALL\"", &["recheck"][..]),
        ("\"[[CHECK]]\"", &CHECK_KEYS),
        ("\"[CPU]\"", &CPU_KEYS),
        ("\"[AUDIT]\"", &AUDIT_KEYS),
        ("\"[[AUDIT.EXEMPT]]\"", &EXEMPT_KEYS),
        ("\"[[AUDIT.RULE]]\"", &RULE_KEYS),
    ] {
        let part = text.split(&format!(".SH {section}\n")).nth(1).expect(section);
        let part = part.split("\n.SH").next().unwrap();
        let tags = part.split(".TP\n.B ").skip(1);
        let tags: Vec<&str> = tags.map(|tag| tag.lines().next().unwrap()).collect();
        assert_eq!(tags, keys, "{section}");
    }
}

#[test]
fn what_the_manual_page_of_the_configuration_shows_is_right() {
    let text = document("man/procward.toml.5");
    let example = text
        .split("\n.EX\n")
        .nth(1)
        .and_then(|rest| rest.split("\n.EE\n").next())
        .expect("an example");
    let place = Place::new();
    let file = place.script("p.toml", example);
    let said = Procward::new()
        .args(["config", "check", "--config"])
        .arg(&file)
        .run()
        .ends(0);
    assert_eq!(said.stdout(), "2 checks, [cpu] and [audit], no fault\n");
}

#[test]
fn the_first_configuration_is_ok_here_for_root_and_for_a_user_without_rights() {
    need!(is_root(), "only root can become nobody");
    let file = Place::new();
    let text = document("install/procward.toml");
    let config = file.script("procward.toml", &text);
    let link = file.link("check_procward");
    let ok = "PROCS OK: 3 checks | init=1;;1:1;0 miners=0;;0;0 telnet_and_rsh=0;;0;0";
    let run = |within: &[&str]| {
        let run = Procward::at(&link)
            .within(within.to_vec())
            .env("PROCWARD_CONFIG", config.to_str().unwrap());
        assert_eq!(run.run().ends(0).first_line(), ok);
    };
    run(&["env"]);
    run(&["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]);
    // What is only proposed is right, too.
    let lines = text.lines().map(|line| {
        let proposed = line
            .strip_prefix('#')
            .filter(|rest| rest.starts_with(['[', 'n', 's', 'c', 'w']));
        proposed.unwrap_or(line).to_owned() + "\n"
    });
    let all = file.script("all.toml", &lines.collect::<String>());
    let said = Procward::new()
        .args(["config", "check", "--config"])
        .arg(&all)
        .run()
        .ends(0);
    assert!(said.stdout().starts_with("6 checks, "), "{}", said.stdout());
}

#[test]
fn completions_are_taken_by_the_shell() {
    let place = Place::new();
    let text = Procward::new()
        .args(["completions", "bash"])
        .run()
        .ends(0)
        .stdout();
    let file = place.script("completions", &text);
    let said = output(
        command("bash")
            .args(["-euc", ". \"$1\" && complete -p procward", "bash"])
            .arg(file),
    );
    said.ends(0).says(" procward\n");
}

#[test]
fn the_units_are_valid_and_hardened_and_hide_nothing() {
    need!(
        Path::new(SYSTEMD_ANALYZE).exists(),
        "systemd-analyze is not installed"
    );
    let place = Place::new();
    let units = described()
        .into_iter()
        .filter(|[.., to, _]| to.starts_with("lib/systemd/"));
    let units: Vec<PathBuf> = units
        .map(|[.., from]| {
            let text = document(&from).replace("/usr/bin/procward", &place.procward().display().to_string());
            place.script(Path::new(&from).file_name().unwrap().to_str().unwrap(), &text)
        })
        .collect();
    assert_eq!(units.len(), 4);
    for unit in &units {
        // A unit must not be executable.
        std::fs::set_permissions(unit, std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    let said = output(command(SYSTEMD_ANALYZE).args(["verify", "--man=no"]).args(&units)).ends(0);
    assert_eq!(said.stdout(), "");
    for unit in units.iter().filter(|unit| unit.extension().unwrap() == "service") {
        let rated = command(SYSTEMD_ANALYZE)
            .args(["security", "--no-pager", "--offline=true", "--threshold=20"])
            .arg(unit)
            .stderr(std::process::Stdio::null())
            .output()
            .unwrap();
        let rated = Output::of(rated);
        assert_eq!(rated.code(), Some(0), "{}", rated.stdout());
        let text = std::fs::read_to_string(unit).unwrap();
        for hides in [
            "ProtectProc=",
            "ProcSubset=",
            "PrivatePIDs=",
            "PrivateUsers=",
            "PrivateTmp=",
            "PrivateNetwork=",
            "ProtectHome=yes",
            "RootDirectory=",
            "InaccessiblePaths=",
        ] {
            assert!(
                !text.lines().any(|line| line.starts_with(hides)),
                "{hides} in {unit:?}"
            );
        }
        let both = "CAP_SYS_PTRACE CAP_DAC_READ_SEARCH";
        for line in [
            "User=procward".to_owned(),
            format!("AmbientCapabilities={both}"),
            format!("CapabilityBoundingSet={both}"),
        ] {
            assert!(text.lines().any(|there| there == line), "{line} in {unit:?}");
        }
    }
}

#[test]
fn the_mount_namespace_of_a_unit_changes_no_verdict() {
    need!(is_root(), "only root can make namespaces");
    let host = Namespace::new();
    host.must("mkdir /mnt/jail && mount --bind / /mnt/jail");
    host.start("chroot /mnt/jail /bin/sleep 1000");
    host.start("/usr/bin/tail -f /dev/null");
    host.wait_for("sleep", 1);
    host.wait_for("tail", 1);
    let specs = [
        "sleep,chroot=yes:1",
        "/usr/bin/tail,chroot=no:1",
        "tail,root=/,cwd=/:1",
        "chroot=yes:1",
    ];
    let check = |how: &str| {
        let program = host.place().procward();
        let script = format!("{how} {} check {}", program.display(), specs.join(" "));
        assert_eq!(host.sh(&script).ends(0).first_line(), "OK: 4 checks", "{how}");
    };
    check("");
    // As ProtectSystem=strict does it.
    check(
        "unshare -m --propagation slave sh -c 'mount --bind / / && mount -o remount,bind,ro / && exec \"$@\"' sh",
    );
}

/// A host of its own: everything that is written to it is gone with the namespace.
fn host() -> Namespace {
    let host = Namespace::new();
    host.must(
        "mount -t tmpfs -o size=2g tmpfs /mnt && mkdir /mnt/upper /mnt/work /mnt/root && \
         mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root && \
         for directory in proc dev sys tmp run; do mount --rbind /$directory /mnt/root/$directory || exit; done && \
         cd /mnt/root && pivot_root . mnt && cd / && umount -l /mnt",
    );
    host
}

/// The package of a version.
fn package(place: &Place, version: &str) -> PathBuf {
    let binary = place.path().join("stripped");
    if !binary.exists() {
        place.copy(BINARY, "stripped");
        output(command("strip").arg(&binary)).ends(0);
    }
    let said = output(
        here("scripts/build-deb")
            .args(["--version", version, "--binary"])
            .arg(&binary)
            .arg("--output")
            .arg(place.path())
            .env("DPKG_DEB_COMPRESSOR_TYPE", "gzip")
            .env("DPKG_DEB_COMPRESSOR_LEVEL", "1")
            .env("SOURCE_DATE_EPOCH", "1700000000"),
    );
    PathBuf::from(said.ends(0).stdout().trim_end())
}

/// What lacks for building and installing a package.
fn lacking() -> Vec<&'static str> {
    let tools = [
        "/usr/bin/dpkg-deb",
        "/usr/bin/lintian",
        "/usr/bin/strip",
        "/usr/sbin/adduser",
        "/usr/sbin/setcap",
    ];
    let mut lacking: Vec<&str> = tools
        .into_iter()
        .filter(|tool| !Path::new(tool).exists())
        .collect();
    if !is_root() {
        lacking.push("root");
    }
    if ids("mon").is_none() {
        lacking.push("the user mon");
    }
    lacking
}

#[test]
fn the_package_is_made_of_the_description_and_lintian_finds_no_error() {
    let lacking = lacking();
    need!(lacking.is_empty(), &format!("lacking: {}", lacking.join(", ")));
    let place = Place::new();
    let built = package(&place, "0.9.0");
    let root = place.directory("root");
    output(command("dpkg-deb").arg("-x").arg(&built).arg(&root)).ends(0);
    let root = std::fs::canonicalize(root).unwrap();
    let expected = described().into_iter().map(|[_, mode, _, to, from]| {
        let to = to
            .strip_prefix('/')
            .map_or_else(|| format!("usr/{to}"), str::to_owned);
        (to, if mode == "-" { format!("usr/{from}") } else { mode })
    });
    let mut expected: BTreeMap<String, String> = expected.collect();
    for debians in ["changelog.gz", "CHANGELOG.md.gz"] {
        expected.insert(format!("usr/share/doc/procward/{debians}"), "0644".into());
    }
    assert_eq!(tree(&root), expected);
    let field = |name: &str| {
        output(command("dpkg-deb").arg("-f").arg(&built).arg(name))
            .ends(0)
            .stdout()
    };
    assert_eq!(field("Version"), "0.9.0\n");
    assert!(
        field("Depends").starts_with("adduser, libcap2-bin, libc6 (>= "),
        "{}",
        field("Depends")
    );
    let said = output(
        command("lintian")
            .args(["--allow-root", "--fail-on", "error"])
            .arg(&built),
    );
    assert_eq!(said.code(), Some(0), "{}{}", said.stdout(), said.stderr());
    // The same, byte by byte, whenever it is built.
    let first = std::fs::read(&built).unwrap();
    std::fs::remove_file(&built).unwrap();
    assert!(first == std::fs::read(package(&place, "0.9.0")).unwrap());
}

/// check_procward of the package, as a user with the groups of a login.
fn plugin(host: &Namespace, user: &str, words: &[&str]) -> Output {
    let script = format!("/usr/lib/nagios/plugins/check_procward {}", words.join(" "));
    let mut enter = host.enter(user);
    enter.extend(["sh", "-c", &script].map(Into::into));
    output(command(&enter[0]).args(&enter[1..]))
}

/// All that a package could leave behind, but for caches, logs, and what dpkg itself remembers.
fn files_of(host: &Namespace) -> BTreeSet<String> {
    let list = host.must(
        "cd / && find etc usr var -xdev ! -path 'var/cache/*' ! -path 'var/lib/dpkg/*' ! -path 'var/log/*' | sort",
    );
    list.lines().map(str::to_owned).collect()
}

/// As a process that was started after the group was changed: who is in it is told by the host's own /etc/group.
fn as_mon(host: &Namespace, words: &str) -> Output {
    host.sh(&format!("setpriv --reuid=mon --regid=mon --init-groups {words}"))
}

#[test]
fn the_package_is_installed_used_upgraded_and_purged() {
    let lacking = lacking();
    need!(lacking.is_empty(), &format!("lacking: {}", lacking.join(", ")));
    let host = host();
    let [first, second] = ["0.9.0", "0.9.1"].map(|version| package(host.place(), version));
    let dpkg = |words: &str| host.must(&format!("DEBIAN_FRONTEND=noninteractive dpkg {words} 2>&1"));
    let before = files_of(&host);
    let grants_nothing = || host.sh("procward grant").ends(0);
    dpkg(&format!("-i {}", first.display()));
    assert_eq!(
        host.must("stat -c '%A %U:%G' /usr/bin/procward /usr/lib/procward/procward /var/lib/procward"),
        "-rwxr-xr-x root:root\n-rwxr-x--- root:procward\ndrwxrwx--T procward:procward\n"
    );
    assert_eq!(
        host.must("getcap /usr/lib/procward/procward"),
        "/usr/lib/procward/procward cap_dac_read_search,cap_sys_ptrace=p\n"
    );
    // The first thing that a newcomer sees.
    let said = plugin(&host, "root", &[]).ends(0);
    let fine = "PROCS OK: 3 checks | init=1;;1:1;0 miners=0;;0;0 telnet_and_rsh=0;;0;0";
    assert_eq!(
        said.stdout(),
        format!("{fine}\nchecks from /etc/procward/procward.toml\n")
    );
    assert_eq!(plugin(&host, "nobody", &[]).ends(0).first_line(), fine);

    host.start("/usr/bin/tail -f /dev/null");
    host.wait_for("tail", 1);
    let spec = "/usr/bin/tail:1";
    let check = format!("/usr/lib/nagios/plugins/check_procward {spec}");
    plugin(&host, "root", &[spec]).ends(0);
    as_mon(&host, &check).ends(3);
    let nobody = "no user is in the group procward: procward grant USER puts one there\n";
    assert_eq!(grants_nothing().stdout(), nobody);
    let gives = "procward's monitors and plugins that it runs see what root sees of every process: its program, \
                 directories, libraries and descriptors, and the names of its environment variables";
    let restart = "Restart what runs as mon: a daemon keeps the groups that it was started with\n";
    assert_eq!(
        as_mon(&host, "procward grant mon").ends(3).stdout(),
        "UNKNOWN: only root can do that: sudo procward grant mon\n"
    );
    assert_eq!(
        host.sh("procward grant mon pwtnosuch").ends(3).stdout(),
        "UNKNOWN: there is no user pwtnosuch: name the one that the monitor runs as, ps -eo user,args shows it\n"
    );
    assert_eq!(
        host.sh("procward grant root").ends(3).stdout(),
        "UNKNOWN: root sees everything already\n"
    );
    assert_eq!(grants_nothing().stdout(), nobody);
    let config = "/run/tail.toml";
    host.must(&format!(
        "printf '[[check]]\\nname = \"tail\"\\nselect = \"/usr/bin/tail\"\\n' > {config}"
    ));
    let trial = format!("procward config check --as mon --config {config}");
    host.sh(&trial)
        .ends(3)
        .says("one of:\n  group: procward grant mon\n");
    assert_eq!(
        host.sh("procward grant mon").ends(0).stdout(),
        format!("mon is in the group procward now: {gives}\n{restart}")
    );
    assert_eq!(
        host.sh("procward grant mon").ends(0).stdout(),
        format!("mon is in the group procward already: {gives}\n{restart}")
    );
    assert_eq!(grants_nothing().stdout(), "mon\n");
    as_mon(&host, &check).ends(0);
    as_mon(
        &host,
        &format!("/usr/lib/mon/mon-local.d/procward.monitor {spec}"),
    )
    .ends(0);
    as_mon(&host, &format!("/usr/lib/procward/mon.d/ps.monitor {spec}")).ends(0);
    as_mon(&host, &format!("procward check {spec}")).ends(3);
    plugin(&host, "nobody", &[spec]).ends(3);
    assert_eq!(
        host.sh(&trial).ends(0).stdout(),
        "1 check judged as mon, none needs more than mon's rights\n"
    );
    assert_eq!(
        host.must("man -w procward.toml check_procward"),
        "/usr/share/man/man5/procward.toml.5.gz\n/usr/share/man/man1/check_procward.1.gz\n"
    );

    // An upgrade keeps what the administrator wrote, and who is in the group.
    host.must("echo '# mine' >> /etc/procward/procward.toml && touch /etc/procward/conf.d/mine.toml");
    host.must("systemctl --quiet enable procward-check.timer 2>/dev/null");
    dpkg(&format!("-i {}", second.display()));
    host.must(
        "tail -n 1 /etc/procward/procward.toml | grep -x '# mine' && [ -e /etc/procward/conf.d/mine.toml ]",
    );
    as_mon(&host, &check).ends(0);

    assert_eq!(
        host.sh("procward grant --revoke mon").ends(0).stdout(),
        format!("mon is not in the group procward any more\n{restart}")
    );
    as_mon(&host, &check).ends(3);
    // Without what the file lends a grant is told to be worth nothing.
    host.must("setcap -r /usr/lib/procward/procward");
    host.sh("procward grant mon").ends(3).says(
        "UNKNOWN: it gives nothing here: /usr/lib/procward/procward lacks its capabilities: \
         setcap cap_sys_ptrace,cap_dac_read_search=p /usr/lib/procward/procward\n",
    );

    dpkg("-r procward");
    assert_eq!(host.must("ls /etc/procward"), "conf.d\nprocward.toml\n");
    host.must("[ -e /var/lib/procward/procward-0.state ] && [ ! -e /usr/bin/procward ]");
    host.must("[ ! -e /etc/systemd/system/timers.target.wants/procward-check.timer ]");
    // Whoever is in the group is no obstacle, and nothing sounds as if he were.
    host.must("gpasswd --add mon procward");
    let purged = dpkg("-P procward");
    assert!(!purged.contains("group"), "{purged}");
    let new: Vec<String> = files_of(&host).difference(&before).cloned().collect();
    assert_eq!(new, Vec::<String>::new());
    assert_eq!(
        host.must("getent passwd procward; getent group procward; dpkg-query -W procward 2>/dev/null; :"),
        ""
    );
}

#[test]
fn make_install_on_a_host_makes_the_user_and_lends_and_keeps_both_when_it_is_undone() {
    let mut lacking = lacking();
    if !Path::new("/usr/bin/make").exists() {
        lacking.push("make");
    }
    need!(lacking.is_empty(), &format!("lacking: {}", lacking.join(", ")));
    let host = host();
    let make = format!("make -s -C {} BINARY={BINARY}", env!("CARGO_MANIFEST_DIR"));
    host.must(&format!("{make} install"));
    host.start("/usr/bin/tail -f /dev/null");
    host.wait_for("tail", 1);
    let check = "/usr/local/lib/nagios/plugins/check_procward /usr/bin/tail:1";
    as_mon(&host, check).ends(3);
    host.must("procward grant mon");
    as_mon(&host, check).ends(0);
    // Anew, as an upgrade does it.
    host.must(&format!("{make} install"));
    as_mon(&host, check).ends(0);
    host.must(&format!("{make} uninstall"));
    assert_eq!(
        host.must(
            "find /usr/local /etc/procward -name '*procward*' | sort; getent group procward | cut -d: -f1,4"
        ),
        "/etc/procward\n/etc/procward/procward.toml\nprocward:mon\n"
    );
}

#[test]
fn a_grant_without_an_installation_is_told_with_what_makes_one() {
    need!(
        nix::unistd::Group::from_name("procward").ok().flatten().is_none(),
        "procward is installed here"
    );
    let sentence =
        "UNKNOWN: there is no group procward: procward's package makes it, and so does make install\n";
    for words in [&["grant"][..], &["grant", "mon"], &["grant", "--revoke", "mon"]] {
        assert_eq!(
            Procward::new().args(words.to_vec()).run().ends(3).stdout(),
            sentence
        );
    }
}
