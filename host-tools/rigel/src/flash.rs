//! `rigel flash`: a rig's own files onto a card, or onto a rig that runs.

mod folder;
mod plan;
mod ssh;

use crate::rig_folder::{self, BOARD, FIRST_BOOT_UNIT, Manifest};
use anyhow::Context;
use board::Board;
use clap::Args;
use plan::{Action, Plan, System};
use ssh::Remote;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rigel flash rigs/rig-7 --to /mnt/card                 shows what it would change on a card mounted there
  sudo rigel flash rigs/rig-7 --to /mnt/card --apply    writes it
  rigel flash rigs/rig-7 --ssh root@rig-7.lan --apply   onto a rig that runs
  rigel flash rigs/rig-7 --ssh desk@reader --to /mnt/card --apply
                                                        onto a card in another machine's reader

FOLDER is what `rigel provision` made. Without --apply nothing is written. Each file is written beside its place and renamed
there: a rig has the old one or the new one, also after a power cut. A second run finds nothing left to do.
Over SSH the system's own `ssh` is used, with its settings and keys; the user there is root or may use sudo without a password.")]
pub(crate) struct FlashArguments {
    /// Folder that `rigel provision` made
    folder: PathBuf,
    /// Where the rig's root file system is mounted
    #[arg(long, value_name = "ROOT", required_unless_present = "ssh")]
    to: Option<PathBuf>,
    /// Machine to write on over SSH; ROOT is then a folder there, / unless it is said
    #[arg(long, value_name = "USER@HOST")]
    ssh: Option<String>,
    /// Write what is shown
    #[arg(long)]
    apply: bool,
}

pub(crate) fn run(arguments: &FlashArguments) -> anyhow::Result<()> {
    let say = |text: &str| {
        let mut out = std::io::stdout();
        out.write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .context("cannot write to standard output")
    };
    let manifest = Manifest::read(&arguments.folder)?.with_context(|| {
        format!(
            "{} is empty or not there: `rigel provision` makes such a folder",
            arguments.folder.display()
        )
    })?;
    // A board that rigeld would refuse is not written.
    Board::read(&rig_folder::in_folder(&arguments.folder, BOARD))?;
    let wanted = plan::wanted(&arguments.folder, &manifest)?;

    let target = Target::of(arguments);
    let (system, there) = match target {
        Target::Folder(root) => {
            folder::check(root)?;
            (folder::system(root), folder::look(root, &wanted)?)
        }
        Target::Remote(remote) => remote.look(&wanted)?,
    };
    let plan = Plan::new(wanted, there, &system)?;
    say(&format!(
        "{}\n\n{}\n{}",
        heading(&manifest, target, &system),
        plan.table(),
        notes(&manifest, &system)
    ))?;
    let (create, change) = (plan.count(Action::Create), plan.count(Action::Change));
    if create + change == 0 {
        return say("Nothing to do: all of it is there.\n");
    }
    if !arguments.apply {
        return say(&format!(
            "{create} to create, {change} to change, {} to keep. Nothing is written yet: run it again with --apply.\n",
            plan.count(Action::Keep)
        ));
    }
    match target {
        Target::Folder(root) => folder::apply(root, &plan)?,
        Target::Remote(remote) => remote.apply(&plan)?,
    }
    say(&format!(
        "Written: {create} created, {change} changed.\n{}",
        next(target, &manifest, &system)
    ))
}

#[derive(Clone, Copy, Debug)]
enum Target<'a> {
    Folder(&'a Path),
    Remote(Remote<'a>),
}

impl<'a> Target<'a> {
    fn of(arguments: &'a FlashArguments) -> Self {
        let root = arguments.to.as_deref().unwrap_or(Path::new("/"));
        match &arguments.ssh {
            Some(host) => Self::Remote(Remote { host, root }),
            None => Self::Folder(root),
        }
    }

    /// Whether it is a rig that runs, and not a card.
    fn runs(self) -> bool {
        matches!(self, Self::Remote(remote) if remote.root == Path::new("/"))
    }
}

fn heading(manifest: &Manifest, target: Target<'_>, system: &System) -> String {
    let place = match target {
        Target::Folder(root) => root.display().to_string(),
        Target::Remote(remote) if target.runs() => remote.host.to_owned(),
        Target::Remote(remote) => format!("{}:{}", remote.host, remote.root.display()),
    };
    let name = system.name.as_deref().unwrap_or("an unknown system");
    format!(
        "rig {} of site {} ({}) → {place}, {name}",
        manifest.rig, manifest.site, manifest.board
    )
}

/// What the table does not show and the engineer would want to know before.
fn notes(manifest: &Manifest, system: &System) -> String {
    let mut text = String::new();
    if let (Some(site), Some(rig)) = (&system.site, &system.rig)
        && (site, rig) != (&manifest.site, &manifest.rig)
        // What a shipped board says until it is a rig's own.
        && (site.as_str(), rig.as_str()) != ("site", "rig")
    {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "Note: this is rig {rig} of site {site} until now, and would become rig {} of site {}.",
            manifest.rig, manifest.site
        );
    }
    if !system.arm64 {
        text.push_str("Note: this is no 64-bit ARM system, and rigeld runs on no other.\n");
    }
    if !system.firmware && manifest.package.is_none() {
        text.push_str(
            "Note: rigeld is not there, and no package comes with the folder: provision it with --package, or install the \
             package by hand.\n",
        );
    }
    if system.group.is_none() {
        text.push_str("Note: the key is root's alone until the package is installed, which gives it to rigeld.\n");
    }
    text
}

/// What is left to do.
fn next(target: Target<'_>, manifest: &Manifest, system: &System) -> String {
    let mut text = String::from("Next: ");
    let unit = Path::new(FIRST_BOOT_UNIT).file_name().unwrap_or_default();
    // Writing to a String cannot fail.
    let _ = match (target, system.firmware) {
        (Target::Remote(remote), true) if target.runs() => writeln!(
            text,
            "`ssh {0} systemctl restart rigeld`, then `ssh {0} rigeld check --board {BOARD}`.",
            remote.host
        ),
        (Target::Remote(remote), false) if target.runs() && manifest.package.is_some() => writeln!(
            text,
            "`ssh {0} 'systemctl daemon-reload && systemctl start {1}'` installs the package; so does the next boot.",
            remote.host,
            unit.display()
        ),
        _ => writeln!(
            text,
            "unmount the card, put it into the rig and start the rig; `rigeld check --board {BOARD}` there proves it."
        ),
    };
    text
}
