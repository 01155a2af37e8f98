//! What is wrong with a spec, and what to write. The rest is below.

mod meanings;
mod properties;
mod sentences;

use super::*;
use crate::snapshot::FileId;
use crate::snapshot::accounts::Table;

fn table() -> Table {
    let ids = || {
        [("root", 0), ("www-data", 33)]
            .into_iter()
            .map(|(name, id)| (name.to_string(), id))
            .collect()
    };
    let sshd = FileId {
        device: 1,
        inode: 2,
        owner: 0,
        links: 1,
    };
    Table {
        users: ids(),
        groups: ids(),
        files: [
            ("/usr/sbin/sshd".to_string(), sshd),
            ("/opt/app/.".to_string(), sshd),
        ]
        .into(),
    }
}

fn good(text: &str) -> Spec {
    parse(text, &table(), Dialect::Native).unwrap_or_else(|faults| panic!("{text}: {faults:#?}"))
}

/// The underlined text, the message and the help of every fault.
fn faults(text: &str, dialect: Dialect) -> Vec<(String, String, String)> {
    let faults = parse(text, &table(), dialect).expect_err(text);
    faults
        .into_iter()
        .map(|fault| {
            (
                text[fault.start..fault.end].to_string(),
                fault.message,
                fault.help,
            )
        })
        .collect()
}

macro_rules! faulty {
    ($($test:ident $dialect:ident $text:literal => [$($place:literal $message:literal $help:literal),* $(,)?];)*) => {
        mod faulty {
            use super::*;
            $(#[test]
            fn $test() {
                let wanted = [$(($place.to_string(), $message.to_string(), $help.to_string())),*];
                assert_eq!(faults($text, Dialect::$dialect), wanted);
            })*
        }
    };
}

faulty! {
    a_yes_no_key_is_not_a_name Native "exe.deleted:0" => [
        "exe.deleted" "`exe.deleted` is a key, not a name" "write `exe.deleted=yes:0`, or `name=exe.deleted:0` for a program of that name",
    ];
    another_key_is_not_a_name Native "user:1" => [
        "user" "`user` is a key, not a name" "write `user=VALUE:1`, or `name=user:1` for a program of that name",
    ];
    listen_is_not_a_name Native "listen:1" => [
        "listen" "`listen` is a key, not a name" "write `listen=VALUE:1`, or `name=listen:1` for a program of that name",
    ];
    listen_without_a_value Native "sshd,listen" => [
        "listen" "`listen` is not a term: a bare word stands only in the first place" "write `sshd,listen=VALUE`",
    ];
    a_port_behind_a_colon Native "listen:22/tcp" => [
        "22/tcp" "`22/tcp` is not a range" "write `listen=22/tcp:1-`",
    ];
    a_port_without_a_protocol Native "sshd,listen=22:1" => [
        "22" "`22` has no protocol" "write `sshd,listen=22/tcp:1`",
    ];
    a_port_by_name Native "listen=ssh:1" => [
        "ssh" "`ssh` is a name, and a port is a number" "write `listen=22/tcp:1`",
    ];
    a_port_that_there_is_not Native "listen=70000/tcp" => [
        "70000/tcp" "70000 is not a port: they go from 1 to 65535" "write a port and its protocol, `22/tcp` or `53/udp`, with an address before it, `127.0.0.1:25/tcp`, `[::1]:53/udp` or `*:80/tcp`, or a path, `/run/x.sock` or `@name`",
    ];
    ports_and_protocols_all_at_once Native "listen=22|tcp/22|22/sctp|::1:53/udp,user=nosuch:1" => [
        "22" "`22` has no protocol" "write `listen=22/tcp|tcp/22|22/sctp|::1:53/udp,user=nosuch:1`",
        "tcp/22" "`tcp` is a protocol, and comes last" "write `listen=22|22/tcp|22/sctp|::1:53/udp,user=nosuch:1`",
        "22/sctp" "`sctp` is none of the protocols that can be told: tcp and udp" "write `listen=22|tcp/22|22/tcp|::1:53/udp,user=nosuch:1`",
        "::1:53/udp" "an address of IPv6 stands in brackets" "write `listen=22|tcp/22|22/sctp|[::1]:53/udp,user=nosuch:1`",
        "nosuch" "no user `nosuch`" "write a user of this host, or a number",
    ];
    an_address_without_a_protocol Native "listen=127.0.0.1:25" => [
        "127.0.0.1" "`127.0.0.1` has no protocol, and what follows the last colon is the range" "write `listen=127.0.0.1:25/tcp:1-`",
    ];
    an_address_of_ipv6_without_anything Native "listen=::1:53" => [
        "::1" "`::1` has no protocol, and what follows the last colon is the range" "write `listen=[::1]:53/tcp:1-`",
    ];
    no_range_behind_a_port Native "listen=22/tcp:x" => [
        "x" "`x` is not a range" "write N, MIN-, -MAX or MIN-MAX; where the colon belongs to the value, write `listen=\"22/tcp:x\":1-`",
    ];
    a_socket_is_of_a_kind Native "socket=inet" => [
        "inet" "`socket` is never `inet`" "write one of tcp udp raw packet icmp unix netlink other",
    ];
    listen_takes_no_comparison Native "listen<1024/tcp:0" => [
        "<" "`listen` takes no `<`" "write `listen` with `=` `!=` `~` `!~`",
    ];
    a_state_is_not_a_name Native "zombie:0" => [
        "zombie" "`zombie` is a state, not a name" "write `state=zombie:0`, or `name=zombie:0` for a program of that name",
    ];
    a_category_behind_a_list_is_not_a_term Native "selinux.level=s0:c1,x:0" => [
        "x" "`x` is not a term: a bare word stands only in the first place" "write `selinux.level=s0:c1,name=x:0`, or quote the comma where it belongs to a value",
    ];
    a_name_of_a_level Native "selinux.level=SystemLow:0" => [
        "SystemLow" "`SystemLow` is not a level" "write it as the kernel does: `s0`, `s0:c1,c3` or `s0-s0:c0.c1023`; a part of it is found with `selinux.level~EXPRESSION`",
    ];
    a_label_in_place_of_a_type Native "selinux.type=\"system_u:system_r:init_t:s0\":0" => [
        "\"system_u:system_r:init_t:s0\"" "`selinux.type=system_u:system_r:init_t:s0` can never match" "it holds no colon; a whole label is `label=\"system_u:system_r:init_t:s0\":0`",
    ];
    a_mode_in_the_name_of_a_profile Native "apparmor.profile=web (enforce):1" => [
        "web (enforce)" "`enforce` is a mode, and no part of a profile's name" "write `apparmor.profile=web,apparmor.mode=enforce:1`",
    ];
    a_stack_with_wildcards Native "apparmor.profile=a*//&b:1" => [
        "a*//&b" "a stack is written without wildcards" "write a term for each profile: `apparmor.profile=a*,apparmor.profile=b`",
    ];
    a_mode_misspelt Native "apparmor.mode=enforced:0" => [
        "enforced" "`apparmor.mode` is never `enforced`" "write `apparmor.mode=enforce:0`",
    ];
    a_security_module_is_no_key Native "selinux=init_t:1" => [
        "selinux" "key `selinux` is not known" "write `selinux.type=init_t:1`",
    ];
    a_range_behind_a_label_that_went_wrong Native "label=a:b:c:none" => [
        "none" "`none` is not a range" "write `label=a:b:c:0`",
    ];
    a_range_behind_a_label_in_a_word Native "smack=User:1:1" => [
        "User:1" "a colon outside quotes in a value" "write `smack=\"User:1\":1`, or `smack=\"User:1:1\":1-`",
    ];
    nothing_behind_a_label Native "label=a:b:" => [
        ":" "nothing after the colon" "write `label=a:b:1-`, or `label=a:b:0` for what must not run",
    ];
    a_capability_misspelt Native "caps.effective=CAP_NET_RAWW:0" => [
        "CAP_NET_RAWW" "`CAP_NET_RAWW` is not a capability" "write `caps.effective=net_raw:0`",
    ];
    a_set_of_capabilities_misspelt Native "caps.permitted=root-equivalent:0" => [
        "root-equivalent" "`root-equivalent` is not a capability" "write `caps.permitted=root_equivalent:0`",
    ];
    a_capability_of_nobody Native "caps.permitted=xyzzy:0" => [
        "xyzzy" "`xyzzy` is not a capability" "write a name of capabilities(7), or root_equivalent, all or none",
    ];
    a_capability_is_no_pattern Native "caps.permitted=net_*:0" => [
        "net_*" "`net_*` is not a capability" "write a name of capabilities(7), or root_equivalent, all or none",
    ];
    capabilities_are_not_compared Native "caps.permitted~net:0" => [
        "~" "`caps.permitted` takes no `~`" "write `caps.permitted` with `=` `!=`",
    ];
    a_key_of_ps_for_capabilities Native "caps=net_raw:0" => [
        "caps" "key `caps` is not known" "write `caps.effective=net_raw:0`",
    ];
    a_mode_of_seccomp_misspelt Native "seccomp=filtered:0" => [
        "filtered" "`seccomp` is never `filtered`" "write `seccomp=filter:0`",
    ];
    a_mode_of_seccomp_by_number Native "seccomp=2:0" => [
        "2" "`seccomp` is never `2`" "write one of none strict filter",
    ];
    a_umask_with_a_digit_too_large Native "umask=0282:0" => [
        "0282" "`0282` is no umask" "write octal digits as umask(1) prints them: `umask=0022`",
    ];
    a_umask_beyond_all Native "umask=1777:0" => [
        "1777" "`1777` is no umask" "write octal digits as umask(1) prints them: `umask=0022`",
    ];
    a_tracer_below_none Native "tracer<0:0" => [
        "0" "`tracer<0` can never match" "`tracer` is never below 0: write a larger number",
    ];
    an_argument_that_begins_with_a_colon Native "Xorg,arg=:0" => [
        "arg=" "no value for `arg`" r#"write `Xorg,arg=":0":1-`, or `Xorg,arg="":0` for an empty value"#,
    ];
    a_comma_before_the_name Native ",x:1" => [
        "" "nothing on one side of a comma" "leave the comma out, or quote it",
    ];
    an_age_below_none Native "age<0s:0" => [
        "0s" "`age<0s` can never match" "`age` is never below 0: write a larger number",
    ];
    a_niceness_beyond_all Native "x,nice>19:0" => [
        "19" "`nice>19` can never match" "`nice` is never above 19: write a smaller number",
    ];
    a_range_with_three_numbers Native "x:1-1-5" => [
        "1-1-5" "`1-1-5` is not a range" "write `x:1-1` or `x:1-5`",
    ];
    a_word_for_a_range Native "x:none" => [
        "none" "`none` is not a range" "write `x:0`",
    ];
    dots_in_a_range Native "x:1..5" => [
        "1..5" "`1..5` is not a range" "write `x:1-5`",
    ];
    a_comparison_for_a_range Native "x:>3" => [
        ">3" "`>3` is not a range" "write `x:4-`",
    ];
    nothing_behind_the_colon Native "x:" => [
        ":" "nothing after the colon" "write `x:1-`, or `x:0` for what must not run",
    ];
    a_reversed_range Native "sshd:5-1" => [
        "5-1" "the range `5-1` is reversed, no count lies in it" "write `sshd:1-5`",
    ];
    a_range_alone Native "5-1" => [
        "5-1" "`5-1` is a range without a selector" "write `NAME:1-5`",
    ];
    a_range_behind_nothing Native ":1" => [
        ":1" "a range without a selector" "write `NAME:1`",
    ];
    a_lone_dash Native "x:-" => [
        "-" "the range `-` has no bound" "write `x:0-`",
    ];
    a_range_too_large Native "x:18446744073709551616" => [
        "18446744073709551616" "the number 18446744073709551616 is too large for a range" "write a smaller number",
    ];
    a_user_behind_the_range Native "x:1-1:root" => [
        "root" "`root` is not a range" "write `x:1-1`, or `x,user=root:1-1` for processes of one user",
    ];
    a_term_behind_the_range Native "x:1,user=root" => [
        "1,user=root" "`1,user=root` is not a range" "the range comes last: write `x,user=root:1`",
    ];
    a_key_and_a_colon Native "user:root" => [
        "root" "`root` is not a range" "write `user=root:1-`",
    ];
    a_colon_in_a_name Native "a:b:1-2" => [
        "a:b" "a colon outside quotes in a name" r#"write `"a:b":1-2`"#,
    ];
    a_colon_in_brackets Native "[kworker/0:1]" => [
        "1]" "`1]` is not a range" r#"write N, MIN-, -MAX or MIN-MAX; where the colon belongs to the value, write `["kworker/0:1"]:1-`"#,
    ];
    a_colon_and_a_range_in_brackets Native "[kworker/0:1]:1" => [
        "[kworker/0:1]" "a colon outside quotes in a name" r#"write `["kworker/0:1"]:1`"#,
    ];
    a_colon_in_a_value Native "arg=http://x:80" => [
        "http://x" "a colon outside quotes in a value" r#"write `arg="http://x":80`, or `arg="http://x:80":1-`"#,
    ];
    a_colon_in_an_expression Native "cmdline~a:b" => [
        "b" "`b` is not a range" r#"write N, MIN-, -MAX or MIN-MAX; where the colon belongs to the value, write `cmdline~"a:b":1-`"#,
    ];
    a_comma_in_an_expression Native "cmdline~a{1,2}b:0" => [
        "a{1,2}b" "a comma outside quotes in an expression" r#"write `cmdline~"a{1,2}b":0`"#,
    ];
    two_specs_in_one_argument Native "x:1-1 y:2-3" => [
        "y:2-3" "two specs in one argument" "give them as two arguments: 'x:1-1' 'y:2-3'",
    ];
    three_specs_in_one_argument Native "x:1-1 y:2-3 z" => [
        "y:2-3 z" "several specs in one argument" "give them as 3 arguments: 'x:1-1' 'y:2-3' 'z'",
    ];
    braces Native "{x,y}:1-1" => [
        "{x,y}" "braces are not expanded" "write `name=x|y:1-1` for any of them, or two specs: 'x:1-1' 'y:1-1'",
    ];
    braces_in_a_name Native "php{7,8}-fpm,user=root:1-" => [
        "php{7,8}-fpm" "braces are not expanded" "write `name=php7-fpm|php8-fpm,user=root:1-` for any of them, or two specs: 'php7-fpm,user=root:1-' 'php8-fpm,user=root:1-'",
    ];
    an_empty_value Native "name=,user=root" => [
        "name=" "no value for `name`" r#"write `name="",user=root` for an empty value"#,
    ];
    an_empty_user Native "user=:0" => [
        "user=" "no value for `user`" "write `user=VALUE:0`",
    ];
    an_empty_alternative Native "name=a|:0" => [
        "a|" "nothing on one side of `|`" r#"leave the `|` out, quote it, or write `""` for an empty value"#,
    ];
    an_empty_term Native "sshd,,user=root" => [
        "" "nothing on one side of a comma" "leave the comma out, or quote it",
    ];
    no_spec_at_all Native " " => [
        " " "an empty spec selects nothing" "write a name, as in `sshd:1-`",
    ];
    a_bare_alternative Native "gzip|xz:0" => [
        "gzip|xz" "a bare word holds no `|`" "write `name=gzip|xz:0`",
    ];
    a_word_behind_a_term Native "user=root,sshd" => [
        "sshd" "`sshd` is not a term: a bare word stands only in the first place" "write `user=root,name=sshd`, or quote the comma where it belongs to a value",
    ];
    a_key_behind_a_term Native "sshd,main" => [
        "main" "`main` is not a term: a bare word stands only in the first place" "write `sshd,main=yes`",
    ];
    an_unclosed_quote Native "name=it's" => [
        "'s" "the quote ' is never closed" r#"close it, or put a quote that is meant between quotes of the other kind: "'""#,
    ];
    an_unknown_key Native "frobnicate=1" => [
        "frobnicate" "key `frobnicate` is not known" "`procward keys` lists the keys",
    ];
    a_key_that_is_near_to_none Native "foo=bar" => [
        "foo" "key `foo` is not known" "`procward keys` lists the keys",
    ];
    a_misspelt_key Native "usr=root" => [
        "usr" "key `usr` is not known" "write `user=root`",
    ];
    a_key_of_another_program Native "uid=0:0" => [
        "uid" "key `uid` is not known" "write `user=0:0`",
    ];
    no_key Native "=sshd" => [
        "=sshd" "no key before `=`" "write `name=sshd`",
    ];
    blanks_round_an_operator Native "name = sshd" => [
        "name = sshd" "blanks round `=`" "write `name=sshd`",
    ];
    blanks_round_an_alternative Native "user=root | www-data" => [
        "root " "blanks round `|`" "write `user=root|www-data`",
        " www-data" "blanks round `|`" "write `user=root|www-data`",
    ];
    two_equal_signs Native "name==sshd" => [
        "==" "`==` is no operator" "write `name=sshd`",
    ];
    an_arrow Native "age=>5m" => [
        "=>" "`=>` is no operator" "write `age>=5m`",
    ];
    a_long_comm Native "comm=averyveryverylongname:1" => [
        "averyveryverylongname" "`comm=averyveryverylongname` can never match: the kernel keeps 15 bytes" "write `name=averyveryverylongname:1`",
    ];
    a_glob_for_a_long_comm Native "comm=averyveryveryl*ng:1" => [
        "averyveryveryl*ng" "`comm=averyveryveryl*ng` can never match: the kernel keeps 15 bytes" "write `name=averyveryveryl*ng:1`",
    ];
    an_unknown_user Native "user=nosuch" => [
        "nosuch" "no user `nosuch`" "write a user of this host, or a number",
    ];
    an_unknown_group Native "group=nosuch" => [
        "nosuch" "no group `nosuch`" "write a group of this host, or a number",
    ];
    a_user_pattern Native "user=www*" => [
        "www*" "a user is a name or a number, not a pattern" "write names with `|`, as in `user=a|b`, or compare numbers, as in `user<1000`",
    ];
    a_user_expression Native "user~www" => [
        "~" "`user` takes no `~`" "write `user` with `=` `!=` `<` `<=` `>` `>=`",
    ];
    a_user_name_compared Native "user<root:0" => [
        "root" "`<` compares numbers, and `root` is a name" "write `user<0:0`",
    ];
    an_id_that_is_none Native "uid.any=4294967295:0" => [
        "4294967295" "no user has the number 4294967295" "write a number below 4294967295",
    ];
    a_relative_program Native "exe=sshd:1" => [
        "sshd" "`sshd` is not a full path: `exe=` can never match it" "write the full path, or `exe=*/sshd`",
    ];
    a_relative_program_glob Native "exe=sshd*" => [
        "sshd*" "`sshd*` can never match: a program's path begins with `/`" "write `exe=*/sshd*`",
    ];
    a_name_with_a_path Native "name=/usr/sbin/sshd:1" => [
        "/usr/sbin/sshd" "`/usr/sbin/sshd` is a path, and `name` is a name" "write `exe=/usr/sbin/sshd:1`",
    ];
    a_unit_without_suffix Native "unit=postfix" => [
        "postfix" "`unit=postfix` can never match" "a unit has its suffix: write `unit=postfix.service`",
    ];
    a_slice_for_a_unit Native "unit=user.slice" => [
        "user.slice" "`unit=user.slice` can never match" "a slice has a key of its own: write `slice=user.slice`",
    ];
    a_slice_without_suffix Native "slice=user" => [
        "user" "`slice=user` can never match" "a slice has its suffix: write `slice=user.slice`",
    ];
    a_terminal_with_its_directory Native "tty=/dev/pts/0" => [
        "/dev/pts/0" "`tty=/dev/pts/0` can never match" "a terminal is named as ps does: write `tty=pts/0`",
    ];
    a_number_expression Native "threads~5" => [
        "~" "`threads` takes no `~`" "write `threads` with `=` `!=` `<` `<=` `>` `>=`",
    ];
    a_text_compared Native "name<5" => [
        "<" "`name` takes no `<`" "write `name` with `=` `!=` `~` `!~`",
    ];
    a_text_for_a_number Native "threads>many" => [
        "many" "`many` is not a number" "write `threads>` and a whole number",
    ];
    a_negative_number Native "pid=-1:0" => [
        "-1" "`pid` is never negative" "write a number from 0 on",
    ];
    a_pid_beyond_all Native "pid=4294967296:0" => [
        "4294967296" "no process has the number 4294967296" "write a number up to 4194304, the most that the kernel gives",
    ];
    a_number_of_a_session_beyond_all Native "session=4194305" => [
        "4194305" "no process has the number 4194305" "write a number up to 4194304, the most that the kernel gives",
    ];
    a_parent_beyond_all Native "ppid!=2147483648" => [
        "2147483648" "no process has the number 2147483648" "write a number up to 4194304, the most that the kernel gives",
    ];
    a_tracer_beyond_all Native "tracer=1|5000000" => [
        "5000000" "no process has the number 5000000" "write a number up to 4194304, the most that the kernel gives",
    ];
    a_nice_value_out_of_bounds Native "nice=30" => [
        "30" "`nice` is never 30" "write a number from -20 to 19",
    ];
    a_size_with_a_b Native "rss>5GB" => [
        "5GB" "`5GB` is not a size" "write `rss>5G`",
    ];
    a_size_with_a_fraction Native "rss>1.5G" => [
        "1.5G" "`1.5G` is not a size" "write one whole number of bytes, or with `K`, `M` or `G`: `512M`",
    ];
    a_duration_in_weeks Native "age>1w" => [
        "1w" "`1w` is not a duration" "write one whole number with `s`, `m`, `h` or `d`: `90s`, `5m`, `2h`, `3d`",
    ];
    a_duration_in_words Native "age>5min" => [
        "5min" "`5min` is not a duration" "write `age>5m`",
    ];
    a_size_too_large Native "rss>99999999999G" => [
        "99999999999G" "the size 99999999999G is too large" "write a smaller one",
    ];
    true_for_yes Native "main=true" => [
        "true" "`true` is neither yes nor no" "write `main=yes`",
    ];
    neither_yes_nor_no Native "main=maybe" => [
        "maybe" "`maybe` is neither yes nor no" "write `main=yes` or `main=no`",
    ];
    a_scope_that_is_none Native "scope=guest" => [
        "guest" "`guest` is not a scope" "write `scope=host`, `scope=container` or `scope=all`",
    ];
    a_scope_denied Native "scope!=host" => [
        "!=" "`scope` takes no `!=`" "write `scope` with `=`",
    ];
    a_state_misspelt Native "state=zombi" => [
        "zombi" "`zombi` is not a state" "write `state=zombie`",
    ];
    a_faulty_expression Native r#"name~"(a,b)(":0"# => [
        "(" "faulty expression: unclosed group" "what follows `~` is a regular expression; a glob goes after `=`",
    ];
    a_glob_for_an_expression Native "name~*foo" => [
        "*foo" "faulty expression: repetition operator missing expression" "what follows `~` is a regular expression; a glob goes after `=`",
    ];
    an_unclosed_bracket Native "name=[abc:0" => [
        "[abc" "the `[` of a glob is never closed" r#"write `\[` for the character itself"#,
    ];
    a_reversed_bracket Native "name=[z-a]:0" => [
        "[z-a]" "the range `z-a` of a glob is reversed" "write `a-z`",
    ];
    a_bracket_beyond_ascii Native "name=[é]:0" => [
        "[é]" "`[…]` of a glob takes ASCII characters only" "write the alternatives with `|`",
    ];
    a_blank_from_a_web_page Native "telnetd\u{a0}:0" => [
        "\u{a0}" "a blank that is none of the keyboard's, U+00A0" "write `telnetd :0`",
    ];
    an_invisible_character Native "tel\u{200b}netd:0" => [
        "\u{200b}" "an invisible character, U+200B" "write `telnetd:0`",
    ];
    a_filler_that_is_a_letter Native "tel\u{3164}netd:0" => [
        "\u{3164}" "an invisible character, U+3164" "write `telnetd:0`",
    ];
    a_tab_in_a_name Native "telnetd\trshd:0" => [
        "telnetd\trshd" "a blank outside quotes in a name" "write `\"telnetd\trshd\":0`, or write `name=telnetd|rshd:0` for either",
    ];
    a_tab_in_a_value Native "name=telnetd\trshd:0" => [
        "telnetd\trshd" "a tab or a line break outside quotes in a value" "write `name=\"telnetd\trshd\":0`",
    ];
    a_line_break_in_a_value Native "user=root,name=a\nb|c:0" => [
        "a\nb" "a tab or a line break outside quotes in a value" "write `user=root,name=\"a\nb\"|c:0`",
    ];
    quotes_from_a_word_processor Native "cmdline=\u{201c}a b\u{201d}:0" => [
        "\u{201c}" "a typographic quote, U+201C" "write `cmdline=\"a b\":0`",
    ];
    a_bar_from_a_report_of_nagios Native "name=gzip\u{a6}xz:0" => [
        "\u{a6}" "a broken bar, which reports have where `|` would end them, U+00A6" "write `name=gzip|xz:0`",
    ];
    a_byte_that_no_text_holds Native "name='a\0':0" => [
        "'a\0'" "no process has a NUL in any text" "leave it out",
    ];
    a_unit_for_a_name Native "cron.service:0" => [
        "cron.service" "`cron.service` is a unit, and `name` is a name" "write `unit=cron.service:0`",
    ];
    a_timer_for_a_unit Native "unit=apt.timer:0" => [
        "apt.timer" "`unit=apt.timer` can never match" "only services, scopes, sockets, mounts and swaps have processes: write `unit=apt.service:0`",
    ];
    two_names_in_one_word Native "telnetd rshd:0" => [
        "telnetd rshd" "a blank outside quotes in a name" "write `\"telnetd rshd\":0`, or write `name=telnetd|rshd:0` for either",
    ];
    arguments_in_a_word Native "sshd -D:0" => [
        "sshd -D" "`sshd -D` is a command line, and not a name" "write `sshd,cmdline=\"sshd -D*\":0`, or write `\"sshd -D\":0` for a name with a blank",
    ];
    an_exclamation_mark Native "!xmrig:0" => [
        "!xmrig" "`!xmrig` is not a term" "write `name!=xmrig:0`, or with the range 0 for what must not run",
    ];
    an_anchored_expression_for_a_glob Native "name=^xmrig$:0" => [
        "^xmrig$" "`^xmrig$` looks like a regular expression, and `=` takes a glob" "write `name~^xmrig$:0`, or write `name=\"^xmrig$\":0` for these very characters",
    ];
    an_anchored_word Native "^/usr/bin/nc$:0" => [
        "^/usr/bin/nc$" "`^/usr/bin/nc$` looks like a regular expression, and `=` takes a glob" "write `name~^/usr/bin/nc$:0`, or write `\"^/usr/bin/nc$\":0` for these very characters",
    ];
    a_dotted_expression_for_a_glob Native "cmdline=.*xmrig.*:0" => [
        ".*xmrig.*" "`.*xmrig.*` looks like a regular expression, and `=` takes a glob" "write `cmdline~.*xmrig.*:0`, or write `cmdline=\".*xmrig.*\":0` for these very characters",
    ];
    alternatives_in_brackets Native "name=(telnetd|rshd):0" => [
        "(telnetd" "`(telnetd` looks like a regular expression, and `=` takes a glob" "write `name~(telnetd|rshd):0`, or write `name=\"(telnetd\"|rshd):0` for these very characters",
        "rshd)" "`rshd)` looks like a regular expression, and `=` takes a glob" "write `name~(telnetd|rshd):0`, or write `name=(telnetd|\"rshd)\":0` for these very characters",
    ];
    a_glob_of_a_path_for_a_name Native "name=*/in.telnetd:0" => [
        "*/in.telnetd" "`*/in.telnetd` is a path, and `name` is a name" "write `exe=*/in.telnetd:0`",
    ];
    a_word_for_a_command_line Native "cmdline=xmrig:0" => [
        "xmrig" "`cmdline=xmrig` means a whole command line of one word" "write `cmdline=*xmrig*:0`, or write `cmdline=\"xmrig\":0` where there are no arguments",
    ];
    an_expression_longer_than_a_comm Native "comm~^averyveryverylongname:0" => [
        "^averyveryverylongname" "`comm~^averyveryverylongname` can never match: the kernel keeps 15 bytes" "write `name~^averyveryverylongname:0`",
    ];
    a_cgroup_without_its_slash Native "cgroup=system.slice/*:0" => [
        "system.slice/*" "`cgroup=system.slice/*` can never match" "a cgroup's path begins with `/`: write `cgroup=/system.slice/*:0`",
    ];
    a_question_mark_for_no_terminal Native "tty=?:0" => [
        "?" "`tty=?` can never match" "what has no terminal is `tty!=*:0`",
    ];
    a_short_id_of_a_container Native "container=3f9a1b2c4d5e:1" => [
        "3f9a1b2c4d5e" "`container=3f9a1b2c4d5e` can never match" "the id of a container has 64 digits: write `container=3f9a1b2c4d5e*:1`",
    ];
    a_directory_for_a_program Native "/usr/sbin/:0" => [
        "/usr/sbin/" "`/usr/sbin/` is a directory, and no program" "for every program in it write `/usr/sbin/*:0`",
    ];
    a_directory_on_disk_for_a_program Native "exe=/opt/app:0" => [
        "/opt/app" "`/opt/app` is a directory, and no program" "for every program in it write `exe=/opt/app/*:0`",
    ];
    two_users_at_once Native "user=root,user=www-data:0" => [
        "user=www-data" "`user=root` and `user=www-data` exclude each other" "both must hold; write `user=root|www-data` for either",
    ];
    yes_and_no Native "[nfsd],kthread=no:0" => [
        "kthread=no" "`kthread=yes` and `kthread=no` exclude each other" "both must hold; write `kthread=yes|no` for either",
    ];
    the_program_of_a_zombie Native "state=zombie,exe=/usr/sbin/sshd:0" => [
        "exe=/usr/sbin/sshd" "`state=zombie` and `exe=/usr/sbin/sshd` exclude each other: a zombie has no `exe`" "leave one of them out",
    ];
    the_arguments_of_a_kernel_thread Native "arg=-x,kthread=yes:0" => [
        "arg=-x" "`kthread=yes` and `arg=-x` exclude each other: a kernel thread has no `arg`" "leave one of them out",
    ];
    the_state_of_kernel_threads_alone Native "state=idle:0" => [
        "state=idle" "`state=idle` without `kthread=yes`: only kernel threads are idle" "write `state=idle,kthread=yes`",
    ];
    a_host_name PsMonitor "localhost" => [
        "localhost" "no range in `localhost`: a host name, and `;;` missing in mon.cf" "end the monitor line in mon.cf with ;; or mon appends host names; for a process of that name write `localhost:1-`",
    ];
    all_faults_in_one_run Native "unknown=1,usr=root,rss>5GB,main=true,user=nosuch,scope=x,state=zombi:9-1" => [
        "unknown" "key `unknown` is not known" "`procward keys` lists the keys",
        "usr" "key `usr` is not known" "write `unknown=1,user=root,rss>5GB,main=true,user=nosuch,scope=x,state=zombi:9-1`",
        "5GB" "`5GB` is not a size" "write `unknown=1,usr=root,rss>5G,main=true,user=nosuch,scope=x,state=zombi:9-1`",
        "true" "`true` is neither yes nor no" "write `unknown=1,usr=root,rss>5GB,main=yes,user=nosuch,scope=x,state=zombi:9-1`",
        "nosuch" "no user `nosuch`" "write a user of this host, or a number",
        "x" "`x` is not a scope" "write `scope=host`, `scope=container` or `scope=all`",
        "zombi" "`zombi` is not a state" "write `unknown=1,usr=root,rss>5GB,main=true,user=nosuch,scope=x,state=zombie:9-1`",
        "9-1" "the range `9-1` is reversed, no count lies in it" "write `unknown=1,usr=root,rss>5GB,main=true,user=nosuch,scope=x,state=zombi:1-9`",
    ];
}

struct Silent;
impl Accounts for Silent {
    fn uid(&self, _: &str) -> Result<Option<u32>, String> {
        Err("timed out".into())
    }
    fn gid(&self, _: &str) -> Result<Option<u32>, String> {
        Err("timed out".into())
    }
    fn user_name(&self, _: u32) -> Option<String> {
        None
    }
    fn group_name(&self, _: u32) -> Option<String> {
        None
    }
    fn file(&self, _: &str) -> Result<Option<FileId>, String> {
        Err("timed out".into())
    }
}

#[test]
fn a_silent_name_service_is_a_fault_of_names_alone() {
    let faults = parse("user=alice", &Silent, Dialect::Native).unwrap_err();
    assert_eq!(
        faults[0].message,
        "the name service gave no answer for user `alice`: timed out"
    );
    assert_eq!(
        faults[0].help,
        "write its number, which needs no name service: `user=N`"
    );
    assert!(parse("/usr/sbin/sshd,user=1000", &Silent, Dialect::Native).is_ok());
}

/// Every fault that says `write SPEC` gives a spec without that fault.
#[test]
fn what_the_help_says_to_write_can_be_read() {
    let texts = [
        "x:none",
        "exe.deleted:0",
        "zombie:0",
        "Xorg,arg=:0",
        "{x,y}:1-1",
        "gzip|xz:0",
        "name = sshd",
        "age=>5m",
        "a:b:1",
    ];
    for text in texts {
        for (_, _, help) in faults(text, Dialect::Native) {
            let right = help.split('`').nth(1).expect("a spelling");
            assert!(parse(right, &table(), Dialect::Native).is_ok(), "{text}: {right}");
        }
    }
}

#[test]
fn a_long_spec_full_of_faults_is_told_of_in_bounds() {
    let faults = faults(&["a"; 8000].join(","), Dialect::Native);
    assert_eq!(faults.len(), 51);
    assert!(
        faults
            .iter()
            .any(|(_, message, _)| message == "there are more faults")
    );
}

#[test]
fn what_looks_odd_may_be_meant() {
    for text in [
        "'^a$':0",
        "\"cron.service\":0",
        "\"sshd -D\":0",
        "'!x':0",
        "name=\"*/x\":0",
        "cmdline='xmrig':0",
        "cmdline=/usr/sbin/cron:1",
        "name=.*:0",
        "name=python3.*:1",
        "name=(sd-pam):1-",
        "name='a\u{a0}b':1",
        "comm~^abc:1",
        "container=3f9a*:1",
        "user=root,user!=www-data:1",
        "user=root|www-data,user=www-data:1",
        "gid.any=0,gid.any=33:0",
        "state=zombie,exe!=/usr/sbin/sshd:0",
        "kthread=yes,state=idle:1-",
        "name=a,name=b:0",
    ] {
        good(text);
    }
    assert!(parse("my proc:1-2", &table(), Dialect::PsMonitor).is_ok());
}
