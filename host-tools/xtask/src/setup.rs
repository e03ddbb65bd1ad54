//! `cargo xtask setup`: everything the other commands need, each thing once.

use std::ffi::OsString;
use std::fs::File;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::children::{create_folder, pause};
use crate::install::{self, Outcome};
use crate::layout::Project;
use crate::manifest::{OLDER_RUNTIME, Pinned};
use crate::page::{self, Built};
use crate::{libclang, package, programs, venv};

/// Arguments of `setup`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask setup                what the demo and the programs need
  cargo xtask setup --for test     and a broker, a browser and readers of exports for the end-to-end tests
  cargo xtask setup --for bench    and the Python environments of ruler and peer

Everything goes into .rigel/, checked by sha256; what is there and good is kept without asking the network.
Without root nothing is installed on the machine: ffmpeg then comes from a wheel, for the rest you are told what to do.")]
pub(crate) struct Arguments {
    /// What to get ready for
    #[arg(long = "for", value_enum, default_value_t = Purpose::Demo)]
    purpose: Purpose,
}

/// What a set-up is for.
#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum Purpose {
    /// Runtime, models, demo clip, ffmpeg, review page
    Demo,
    /// The same, the older runtime, a broker, a browser, and a Python environment that reads exports
    Test,
    /// Runtime, models, clip, ffmpeg, and Python environments for ruler and peer
    Bench,
}

/// The PATH for what we start: programs fetched without root lie in `.rigel/bin`.
pub(crate) fn path_for_children(project: &Project) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(project.fetched("bin")).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).unwrap_or(path)
}

/// The command.
pub(crate) fn run(project: &Project, arguments: &Arguments) -> Result<ExitCode> {
    prepare(project, arguments.purpose)?;
    if arguments.purpose == Purpose::Bench {
        venv::RULER.ensure(project)?;
        venv::PEER.ensure(project)?;
    }
    println!("ready");
    Ok(ExitCode::SUCCESS)
}

/// Gets everything ready for `purpose`, saying what was done.
pub(crate) fn prepare(project: &Project, purpose: Purpose) -> Result<()> {
    let _lock = lock(project)?;
    let pinned = Pinned::read(project, std::env::consts::ARCH)?;
    let outcomes = install::install(
        project,
        &pinned.files,
        &pinned.packages,
        &mut package::fetch,
    )?;
    let fetched = outcomes
        .iter()
        .filter(|outcome| **outcome != Outcome::Kept)
        .count();
    eprintln!(
        "runtime, models, clip and libclang: {fetched} fetched, {} kept",
        outcomes.len() - fetched
    );
    libclang::link_headers(project)?;
    prepare_ffmpeg(project, &pinned)?;
    if purpose == Purpose::Test {
        let wanted = [pinned.fallback(OLDER_RUNTIME)?];
        install::install(project, &wanted, &pinned.packages, &mut package::fetch)?;
        if venv::READERS.is_for_this_machine() {
            venv::READERS.ensure(project)?;
        } else {
            eprintln!(
                "readers of exports: no wheels for this machine; their tests say that they are skipped"
            );
        }
    }
    if purpose != Purpose::Bench
        && project.path("host-tools/review/web/package.json").is_file()
        && page::build(project)? == Built::Kept
    {
        eprintln!("review page: unchanged, kept");
    }
    if purpose == Purpose::Test {
        for (program, package, what_for) in [
            (
                "mosquitto",
                "mosquitto",
                "the end-to-end tests need a broker",
            ),
            (
                "pg_ctlcluster",
                "postgresql",
                "the store's tests need a database server",
            ),
            ("chromium", "chromium", "the page's tests need a browser"),
            (
                "chromedriver",
                "chromium-driver",
                "the page's tests drive the browser",
            ),
            ("strace", "strace", "chaos makes a slow disk with it"),
        ] {
            let path = programs::find_or_install(project, program, package).context(what_for)?;
            eprintln!("{program}: {}", path.display());
        }
    }
    Ok(())
}

/// ffmpeg of the machine, of the distribution, or the static one of a wheel.
fn prepare_ffmpeg(project: &Project, pinned: &Pinned) -> Result<()> {
    if let Some(path) = programs::find("ffmpeg") {
        eprintln!("ffmpeg: {}", path.display());
        return Ok(());
    }
    if programs::may_install() {
        match programs::find_or_install(project, "ffmpeg", "ffmpeg") {
            Ok(_) => return Ok(()),
            Err(error) => {
                eprintln!("ffmpeg: {error:#}\nffmpeg: taking the static one of a wheel instead");
            }
        }
    }
    let wanted = [pinned.fallback("ffmpeg")?];
    install::install(project, &wanted, &pinned.packages, &mut package::fetch)
        .context("ffmpeg is missing (with root: apt-get install ffmpeg)")?;
    eprintln!("ffmpeg: {}", project.shown(&project.fetched("bin/ffmpeg")));
    Ok(())
}

/// Two set-ups at once would fetch into each other's folders: the second waits.
pub(crate) fn lock(project: &Project) -> Result<File> {
    create_folder(&project.fetched(""))?;
    let path = project.fetched("setup.lock");
    let file = File::create(&path).with_context(|| {
        format!(
            "cannot write {}: does .rigel belong to another user?",
            path.display()
        )
    })?;
    if file.try_lock().is_err() {
        eprintln!("another set-up is running; waiting for it");
        while file.try_lock().is_err() {
            pause()?;
        }
    }
    Ok(file)
}
