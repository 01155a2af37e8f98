//! Names as paths and arguments have them.

/// The part after the last `/`.
#[must_use]
pub fn file_name(path: &[u8]) -> &[u8] {
    path.iter()
        .rposition(|b| *b == b'/')
        .map_or(path, |at| &path[at + 1..])
}

/// The whole of a name that the kernel cut to `comm`: in `argv[0]`, in the first word of a title that was written over
/// it, or, where `comm` is a script's, in the arguments that the kernel puts behind its interpreter.
#[must_use]
pub fn whole_names<'a>(comm: &[u8], arguments: &'a [Vec<u8>]) -> Vec<&'a [u8]> {
    let Some((argv0, rest)) = arguments.split_first() else {
        return Vec::new();
    };
    let first_word = argv0.split(|b| *b == b' ').next().unwrap_or_default();
    let of_path = |path: &'a [u8]| Some(file_name(path)).filter(|name| name.starts_with(comm));
    // Behind a title there are at most empty arguments; a title is not a name.
    let is_title = rest.iter().all(Vec::is_empty) && argv0.contains(&b' ');
    let mut names: Vec<&[u8]> = of_path(argv0)
        .map(|name| if is_title { without_title(comm, name) } else { name })
        .into_iter()
        .chain(of_path(first_word).map(|name| without_title(comm, name)))
        .chain(rest.iter().take(SHEBANG).find_map(|word| of_path(word)))
        .collect();
    names.dedup();
    names
}

/// An interpreter, one option, and an interpreter of the interpreter stand before the script at most.
const SHEBANG: usize = 3;

/// `systemd-userwork: waiting...` without what is not the name; `comm` itself may hold blanks.
fn without_title<'a>(comm: &[u8], name: &'a [u8]) -> &'a [u8] {
    let end = name[comm.len()..].iter().position(|b| b" :".contains(b));
    &name[..end.map_or(name.len(), |end| comm.len() + end)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_name_is_completed_from_the_arguments() {
        for (comm, arguments, want) in [
            (
                "systemd-timesyn",
                &["/lib/systemd/systemd-timesyncd"][..],
                &["systemd-timesyncd"][..],
            ),
            (
                "networkd-dispat",
                &["/usr/bin/python3", "/usr/bin/networkd-dispatcher", "-v"],
                &["networkd-dispatcher"],
            ),
            (
                "a-script-of-per",
                &["/usr/bin/perl", "-w", "/opt/a-script-of-perl"],
                &["a-script-of-perl"],
            ),
            (
                "systemd-userwor",
                &["systemd-userwork: waiting for /x"],
                &["systemd-userwork"],
            ),
            (
                "long-electron-a",
                &["/opt/long-electron-app --type=gpu --log=/a/b"],
                &["long-electron-app"],
            ),
            (
                "a program with ",
                &["/opt/a program with blanks", "-x"],
                &["a program with blanks"],
            ),
            (
                "some-connection",
                &["some-connection-daemon: bob secret", "", ""],
                &["some-connection-daemon"],
            ),
            ("memfd-sealed-91", &["/proc/self/fd/3"], &[]),
            ("x", &[], &[]),
        ] {
            let arguments: Vec<Vec<u8>> = arguments.iter().map(|a| a.as_bytes().to_vec()).collect();
            let names = whole_names(comm.as_bytes(), &arguments);
            let want: Vec<&[u8]> = want.iter().map(|name| name.as_bytes()).collect();
            assert_eq!(names, want, "{comm}");
        }
    }
}
