//! The C compiler's own headers for the fetched libclang.
//!
//! The crate `v4l` reads the kernel's video headers with libclang when it is built, and few machines have one. The wheel's
//! library brings no `stddef.h` and its like; it looks for them beside itself, so the headers of the machine's C compiler,
//! which linking Rust programs needs anyway, are linked there.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::children::create_folder;
use crate::install::remove;
use crate::layout::Project;

/// Where the library looks, below `.rigel/`: beside itself, by its major version.
const HEADERS: &str = "libclang/lib/clang/18/include";

/// Sees to it that the fetched libclang finds `stddef.h`; a compiler that has moved since is followed.
pub(crate) fn link_headers(project: &Project) -> Result<()> {
    let headers = headers_of("cc").or_else(|_| headers_of("gcc"))?;
    link(&headers, &project.fetched(HEADERS))
}

fn link(headers: &Path, at: &Path) -> Result<()> {
    if std::fs::read_link(at).is_ok_and(|linked| linked == headers) {
        return Ok(());
    }
    if let Some(folder) = at.parent() {
        create_folder(folder)?;
    }
    remove(at)?;
    std::os::unix::fs::symlink(headers, at)
        .with_context(|| format!("cannot link {} to {}", at.display(), headers.display()))
}

/// Where a C compiler keeps its own headers.
fn headers_of(compiler: &str) -> Result<PathBuf> {
    let output = Command::new(compiler)
        .arg("-print-file-name=include")
        .stdin(Stdio::null())
        .output()
        .with_context(|| {
            format!("the C compiler `{compiler}` does not start (on Debian or Ubuntu: apt-get install gcc libc6-dev)")
        })?;
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    if !folder.join("stddef.h").is_file() {
        bail!(
            "`{compiler} -print-file-name=include` names {}, which has no stddef.h: install gcc (apt-get install gcc libc6-dev)",
            folder.display()
        );
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compilers_headers_are_found_and_a_link_to_another_compiler_is_mended() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("lib/clang/18/include");
        link(Path::new("/gone/with/the/old/compiler"), &at).unwrap();
        let headers = headers_of("cc").unwrap();
        for _ in 0..2 {
            link(&headers, &at).unwrap();
            assert!(at.join("stddef.h").is_file());
        }
    }

    #[test]
    fn a_missing_compiler_is_told_with_what_to_install() {
        let error = headers_of("no-such-compiler").unwrap_err();
        assert!(format!("{error:#}").contains("apt-get install gcc"));
    }
}
