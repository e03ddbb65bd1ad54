//! A rig that runs, over the system's own `ssh`: its settings, keys and questions are the user's, not ours.
//!
//! One command looks, another one writes. The files come to it as an archive on its standard input, are unpacked beside
//! their places, and are put there by renaming once all of them have arrived.

use super::folder::KEY_FOLDER_MODE;
use super::plan::{Content, Plan, System, There, Wanted};
use crate::place;
use crate::rig_folder::KEY;
use anyhow::{Context, bail};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

/// A machine, and the root file system on it that is meant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remote<'a> {
    pub(crate) host: &'a str,
    pub(crate) root: &'a Path,
}

/// What the first command says of each path, and of the system. Fields are set apart by tabs.
const LOOK: &str = r#"
cd "$root" 2>/dev/null || { echo "no folder $root here" >&2; exit 90; }
[ -d etc ] || { echo "$root is no root file system: it has no etc/" >&2; exit 90; }
[ ! -r usr/lib/os-release ] || sed -n 's/^PRETTY_NAME="\{0,1\}\([^"]*\)"\{0,1\}$/name\t\1/p' usr/lib/os-release
[ ! -r etc/group ] || sed -n 's/^rigel:[^:]*:\([0-9]*\):.*/group\t\1/p' etc/group
for one in lib usr/lib usr/lib/aarch64-linux-gnu; do
    [ ! -e "$one/ld-linux-aarch64.so.1" ] || { printf 'arm64\t\n'; break; }
done
[ ! -x usr/bin/rigeld ] || printf 'firmware\t\n'
[ ! -r etc/rigel/board.toml ] || sed -n 's/^\(site\|rig\) = "\([^"]*\)".*/\1\t\2/p' etc/rigel/board.toml
look() {
    if [ -L "$1" ]; then printf 'link\t%s\n' "$(readlink "$1")"
    elif [ -f "$1" ]; then
        printf 'file\t%s\t%s\n' "$(stat -c '%a %g' "$1")" "$(sha256sum <"$1" | cut -c1-64)"
    elif [ -e "$1" ]; then printf 'other\t\n'
    else printf 'nothing\t\n'; fi
}
"#;

impl Remote<'_> {
    /// Looks at the system and at what lies where the wanted files are to be.
    pub(crate) fn look(self, wanted: &[Wanted]) -> anyhow::Result<(System, Vec<There>)> {
        let mut script = format!("root={}\n{LOOK}", quoted(&self.root.to_string_lossy()));
        for one in wanted {
            // Writing to a String cannot fail.
            let _ = writeln!(script, "look {}", quoted(below_root(&one.path)));
        }
        let output = self.run(&script, &[])?;
        let mut system = System::default();
        let mut there = Vec::new();
        for line in output.lines() {
            let (what, rest) = line.split_once('\t').unwrap_or((line, ""));
            match what {
                "name" => system.name = Some(rest.to_owned()),
                "group" => system.group = rest.parse().ok(),
                "site" => system.site = Some(rest.to_owned()),
                "rig" => system.rig = Some(rest.to_owned()),
                "arm64" => system.arm64 = true,
                "firmware" => system.firmware = true,
                "nothing" => there.push(There::Nothing),
                "link" => there.push(There::Link {
                    to: rest.to_owned(),
                }),
                "other" => there.push(There::Other("a folder or a device".to_owned())),
                "file" => there.push(
                    file(rest).with_context(|| format!("{} says {line:?} of a file", self.host))?,
                ),
                // A greeting that the user's shell prints.
                _ => {}
            }
        }
        if there.len() != wanted.len() {
            bail!(
                "{} told of {} files and was asked for {}: does its shell print something of its own?",
                self.host,
                there.len(),
                wanted.len()
            );
        }
        Ok((system, there))
    }

    /// Writes what changes.
    pub(crate) fn apply(self, plan: &Plan) -> anyhow::Result<()> {
        let archive = archive(plan).context("cannot pack the files")?;
        self.run(&apply_script(self.root, plan), &archive)
            .map(|_| ())
            .with_context(|| {
                format!(
                    "what is changed on {} is not known: run it again without --apply to see",
                    self.host
                )
            })
    }

    /// Runs a script there as root, with `input` on its standard input; what it prints.
    fn run(self, script: &str, input: &[u8]) -> anyhow::Result<String> {
        let script = quoted(script);
        // The user's own shell reads this line, whichever it is; sh reads the script.
        let command = format!(
            "if [ \"$(id -u)\" = 0 ]; then sh -c {script}; elif sudo -n true 2>/dev/null; then sudo -n sh -c {script}; else \
             exit 91; fi"
        );
        let mut ssh = Command::new("ssh")
            // No terminal; and what begins with a dash is no option.
            .args(["-T", "--", self.host])
            .arg(format!("sh -c {}", quoted(&command)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot run `ssh`: install the OpenSSH client")?;
        let (mut stdin, mut stdout) = (ssh.stdin.take(), ssh.stdout.take());
        let mut stderr = ssh.stderr.take();
        let (printed, said) = std::thread::scope(|scope| {
            // All three streams are served at once. A machine that hangs up early is told by its status.
            scope.spawn(move || stdin.take().map(|mut to| to.write_all(input)));
            let said = scope.spawn(move || {
                let mut text = String::new();
                let _ = stderr.as_mut().map(|from| from.read_to_string(&mut text));
                text
            });
            let mut text = String::new();
            let read = stdout.as_mut().map(|from| from.read_to_string(&mut text));
            (
                read.transpose().map(|_| text),
                said.join().unwrap_or_default(),
            )
        });
        let status = ssh.wait().context("cannot wait for `ssh`")?;
        if status.success() {
            return printed.with_context(|| format!("cannot read what {} answers", self.host));
        }
        bail!("{}", self.explain(status, said.trim()))
    }

    /// Why it failed and what to do.
    fn explain(self, status: ExitStatus, said: &str) -> String {
        let host = self.host;
        match status.code() {
            Some(255) => format!(
                "ssh cannot reach {host}: {said}. Try `ssh {host} true`; when that works, this does"
            ),
            Some(91) => format!(
                "the user at {host} may not act as root without a password: log in as root, or let the user run sudo without one"
            ),
            Some(90) => format!("{host}: {said}"),
            _ => format!("{host}: {said} (the command ended with {status})"),
        }
    }
}

/// `mode group`, a tab, the digest.
fn file(text: &str) -> Option<There> {
    let (about, sha256) = text.split_once('\t')?;
    let mut about = about.split(' ');
    Some(There::File {
        mode: u32::from_str_radix(about.next()?, 8).ok()?,
        group: about.next()?.parse().ok()?,
        sha256: sha256.to_owned(),
    })
}

fn below_root(path: &str) -> &str {
    path.trim_start_matches('/')
}

/// A text in single quotes, as any shell reads it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Where a file waits before it is put in its place.
fn waits(path: &str) -> String {
    place::waiting_name(Path::new(below_root(path)))
        .to_string_lossy()
        .into_owned()
}

/// What changes, under the names under which it waits.
fn archive(plan: &Plan) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for step in plan.changes() {
        let mut header = tar::Header::new_gnu();
        header.set_uid(0);
        header.set_gid(0);
        let waits = waits(&step.wanted.path);
        match &step.wanted.content {
            Content::File { bytes, mode, .. } => {
                header.set_size(bytes.len() as u64);
                header.set_mode(*mode);
                archive.append_data(&mut header, waits, bytes.as_slice())?;
            }
            Content::Link { to } => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_size(0);
                header.set_mode(0o777);
                archive.append_link(&mut header, waits, to)?;
            }
        }
    }
    archive.into_inner()
}

fn apply_script(root: &Path, plan: &Plan) -> String {
    let mut waiting = Vec::new();
    let mut groups = String::new();
    let mut put = String::new();
    let mut parents = String::new();
    let key_folder = Path::new(below_root(KEY)).parent();
    for step in plan.changes() {
        let path = below_root(&step.wanted.path);
        let waits = quoted(&waits(path));
        // Writing to a String cannot fail.
        if let Some(group) = step.group {
            let _ = writeln!(groups, "chgrp {group} {waits}");
        }
        let _ = writeln!(put, "mv -f -T {waits} {}", quoted(path));
        if let Some(parent) = Path::new(path).parent() {
            let folder = quoted(&parent.to_string_lossy());
            let is_of_keys = Some(parent) == key_folder;
            let mode = if is_of_keys { KEY_FOLDER_MODE } else { 0o755 };
            let group = match plan.group.filter(|_| is_of_keys) {
                Some(group) => format!(" && chgrp {group} {folder}"),
                None => String::new(),
            };
            let _ = writeln!(
                parents,
                "[ -d {folder} ] || {{ mkdir -p {folder} && chmod {mode:o} {folder}{group}; }}"
            );
        }
        waiting.push(waits);
    }
    let (root, waiting) = (quoted(&root.to_string_lossy()), waiting.join(" "));
    // Folders are for all to enter; files are for nobody until they have their modes.
    format!(
        "set -eu\n\
         cd {root}\n\
         trap 'rm -f {traps}' EXIT\n\
         trap 'exit 1' HUP INT TERM\n\
         umask 022\n\
         {parents}\
         umask 077\n\
         rm -f {waiting}\n\
         tar -x -p --no-same-owner -f -\n\
         for one in {waiting}; do\n\
         [ -e \"$one\" ] || [ -L \"$one\" ] || {{ echo \"not all files have arrived\" >&2; exit 90; }}\n\
         done\n\
         {groups}\
         sync\n\
         {put}\
         sync\n",
        traps = waiting.replace('\'', r"'\''"),
    )
}
