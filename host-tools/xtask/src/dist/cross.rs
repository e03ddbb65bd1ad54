//! Building for the rigs' processors: the compiler with the standard library for them, our programs, the runtime library.
//!
//! The target folder is its own (`target/rig`): the compiler may be another version than the workspace's.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::children::{Running, run_logged, shown};
use crate::layout::Project;
use crate::manifest::{OLDER_RUNTIME, Pinned};
use crate::progress::{Bar, seconds};
use crate::{build, install, libclang, package, programs, venv};

/// The rigs, as the compiler names them.
pub(crate) const TARGET: &str = "aarch64-unknown-linux-gnu";
/// A PC, as the compiler names it: what machines that need the kernel's test devices are emulated as.
pub(crate) const PC: &str = "x86_64-unknown-linux-gnu";
/// Their C tools' prefix in the distribution.
const TOOLS: &str = "aarch64-linux-gnu";
/// What a fresh Debian 12 lacks for it. The compiler and its library for arm64 come from one source package: they match.
const PACKAGES: [&str; 6] = [
    "gcc-aarch64-linux-gnu",
    "libc6-dev-arm64-cross",
    "rustc-web",
    "cargo-web",
    "libstd-rust-web-dev",
    "libstd-rust-web-dev:arm64",
];

/// A compiler that can build for [`TARGET`].
struct Compiler {
    cargo: PathBuf,
    rustc: PathBuf,
}

/// Installs the compiler, its library and the linker where they are missing.
pub(crate) fn prepare(project: &Project) -> Result<()> {
    compiler(project)?;
    venv::LINKER.ensure(project).map(|_| ())
}

/// Builds the rigs' programs (release) and returns the folder they are in; they have their line tables still.
pub(crate) fn programs(project: &Project) -> Result<PathBuf> {
    programs_for(project, &[TARGET])?;
    Ok(built(project, TARGET))
}

/// Where programs lie that were built for a processor.
pub(crate) fn built(project: &Project, target: &str) -> PathBuf {
    project.path("target/rig").join(target).join("release")
}

/// Builds the rigs' programs (release) for these processors, in one go: what compiling itself needs is made once for all, and
/// what the compiler does on one core alone for one processor it does beside the other's.
///
/// All programs, whichever is wanted: alone, a package may ask its dependencies for other features, and they would be built
/// again.
pub(crate) fn programs_for(project: &Project, targets: &[&str]) -> Result<()> {
    let compiler = compiler(project)?;
    let linker_python = venv::LINKER.ensure(project)?;
    libclang(project)?;
    let started = Instant::now();
    let target = project.path("target/rig");
    let mut command = Command::new(&compiler.cargo);
    command
        .args(["build", "--release", "--locked"])
        .args(targets.iter().map(|target| format!("--target={target}")))
        .args(build::FIRMWARE.map(|package| format!("--package={package}")))
        .current_dir(project.root())
        .env("RUSTC", &compiler.rustc)
        .env("CARGO_TARGET_DIR", &target)
        .env("RUSTFLAGS", remapped(project, "--remap-path-prefix"))
        .env(for_target("CFLAGS"), remapped(project, "-ffile-prefix-map"))
        .env(
            linker_variable(),
            project.path("host-tools/xtask/linker/zig-cc"),
        )
        .env("RIGEL_LINKER_PYTHON", linker_python)
        .env("ZIG_GLOBAL_CACHE_DIR", target.join("zig"))
        .env("ZIG_LOCAL_CACHE_DIR", target.join("zig"))
        .env(for_target("CC"), format!("{TOOLS}-gcc"))
        .env(for_target("AR"), format!("{TOOLS}-ar"));
    // Another toolchain's compiler must not slip in beside the one chosen.
    for variable in ["RUSTUP_TOOLCHAIN", "CARGO", "RUSTC_WRAPPER"] {
        command.env_remove(variable);
    }
    let status = Running::start("cargo", &mut command)?.wait_with(|| ())?;
    if !status.success() {
        bail!(
            "`{}` ended with {status}; what the compiler says is above",
            shown(&command)
        );
    }
    eprintln!(
        "{} for {}: built ({})",
        build::FIRMWARE.join(", "),
        targets.join(" and "),
        seconds(started.elapsed())
    );
    Ok(())
}

/// The library of this machine that reads C headers for the camera's bindings.
fn libclang(project: &Project) -> Result<()> {
    let mut pinned = Pinned::read(project, std::env::consts::ARCH)?;
    pinned.files.retain(|file| file.name == "libclang");
    install::install(
        project,
        &pinned.files,
        &pinned.packages,
        &mut package::fetch,
    )?;
    libclang::link_headers(project)
}

/// The rigs' model runtimes.
#[derive(Debug)]
pub(crate) struct Runtimes {
    /// What runs wherever it can.
    pub(crate) newer: PathBuf,
    /// For systems that it is too new for.
    pub(crate) older: PathBuf,
}

/// The rigs' model runtimes and the models, fetched where they are missing.
pub(crate) fn runtimes(project: &Project) -> Result<Runtimes> {
    let mut pinned = Pinned::read(project, "aarch64")?;
    pinned.files.push(pinned.fallback(OLDER_RUNTIME)?);
    // Only what rigs run: the rest of the list is for building and showing, and would replace this machine's own.
    let (is_runtime, is_model) = ("runtime/", "models/");
    pinned
        .files
        .retain(|file| file.path.starts_with(is_runtime) || file.path.starts_with(is_model));
    let mut path = |name: &str| -> Result<PathBuf> {
        let file = pinned.files.iter_mut().find(|file| file.name == name);
        let file = file.with_context(|| format!("assets.toml pins no {name} for aarch64"))?;
        // Beside this machine's own, which has the same name.
        file.path = format!("aarch64/{}", file.path);
        Ok(project.fetched(&file.path))
    };
    let runtimes = Runtimes {
        newer: path("litert-runtime")?,
        older: path(OLDER_RUNTIME)?,
    };
    install::install(
        project,
        &pinned.files,
        &pinned.packages,
        &mut package::fetch,
    )?;
    Ok(runtimes)
}

/// A C tool for the rigs' processor, such as `strip`.
pub(crate) fn tool(name: &str) -> Command {
    Command::new(format!("{TOOLS}-{name}"))
}

/// The workspace's own toolchain where it has the target, else the distribution's, installed where we may.
fn compiler(project: &Project) -> Result<Compiler> {
    let candidates = || {
        [("cargo", "rustc"), ("/usr/bin/cargo", "/usr/bin/rustc")].map(|(cargo, rustc)| Compiler {
            cargo: cargo.into(),
            rustc: rustc.into(),
        })
    };
    let usable = || candidates().into_iter().find(has_target);
    let linker = format!("{TOOLS}-gcc");
    if programs::find(&linker).is_some()
        && let Some(compiler) = usable()
    {
        return Ok(compiler);
    }
    if !programs::may_install() {
        bail!(
            "building for {TARGET} needs a compiler with its standard library, and a C compiler. On Debian 12:\n  \
             sudo dpkg --add-architecture arm64 && sudo apt-get update\n  sudo apt-get install {}",
            PACKAGES.join(" ")
        );
    }
    let bar = Bar::spinner("adding arm64 to the distribution's architectures");
    run_logged(
        "dpkg",
        Command::new("dpkg").args(["--add-architecture", "arm64"]),
        &project.fetched("logs/dpkg.log"),
        &bar,
    )?;
    bar.done("added");
    programs::install_after_update(project, &PACKAGES)?;
    usable().with_context(|| {
        format!(
            "{} are installed, but /usr/bin/rustc has no standard library for {TARGET}: are rustc-web and \
             libstd-rust-web-dev:arm64 of one version?",
            PACKAGES.join(", ")
        )
    })
}

fn has_target(compiler: &Compiler) -> bool {
    let answer = Command::new(&compiler.rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .env_remove("RUSTUP_TOOLCHAIN")
        .output();
    let Ok(answer) = answer else { return false };
    let folder = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    holds_library(Path::new(&folder))
}

/// Whether a standard library lies in the folder; rustc names the folder also where it was never installed.
fn holds_library(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|listing| {
        listing.flatten().map(|entry| entry.path()).any(|path| {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            stem.starts_with("libstd-") && path.extension().is_some_and(|kind| kind == "rlib")
        })
    })
}

/// No folder of the building machine in the program, nor in what only its build number is made of: the same sources give the
/// same bytes elsewhere. By this option of a compiler's.
fn remapped(project: &Project, option: &str) -> String {
    let [cargo_home, root] = folders(project);
    format!(
        "{option}={}=cargo {option}={}=rigel",
        cargo_home.display(),
        root.display()
    )
}

/// The building machine's own folders: the crates' and the project's.
fn folders(project: &Project) -> [PathBuf; 2] {
    let cargo_home = std::env::var_os("CARGO_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cargo"),
        PathBuf::from,
    );
    [cargo_home, project.root().to_owned()]
}

/// Refuses a program that names a folder of this machine: elsewhere it would have other bytes.
pub(super) fn names_no_folder_of_here(project: &Project, program: &Path) -> Result<()> {
    let bytes =
        std::fs::read(program).with_context(|| format!("cannot read {}", program.display()))?;
    for folder in folders(project) {
        let name = folder.as_os_str().as_encoded_bytes();
        if bytes.windows(name.len()).any(|part| part == name) {
            bail!(
                "{} names {}: built elsewhere it would have other bytes",
                program.display(),
                folder.display()
            );
        }
    }
    Ok(())
}

fn for_target(variable: &str) -> String {
    format!("{variable}_{}", TARGET.replace('-', "_"))
}

fn linker_variable() -> String {
    format!(
        "CARGO_TARGET_{}_LINKER",
        TARGET.replace('-', "_").to_uppercase()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_the_compiler_only_names_holds_no_library() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!holds_library(&folder.path().join("lib")));
        std::fs::write(folder.path().join("libcore-1.rlib"), "").unwrap();
        assert!(!holds_library(folder.path()));
        std::fs::write(folder.path().join("libstd-1.rlib"), "").unwrap();
        assert!(holds_library(folder.path()));
    }

    #[test]
    fn variables_are_named_as_cargo_and_cc_read_them() {
        assert_eq!(for_target("CC"), "CC_aarch64_unknown_linux_gnu");
        assert_eq!(
            linker_variable(),
            "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER"
        );
    }
}
