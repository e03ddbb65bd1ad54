//! Where things lie: the project's root, `.rigel/` for everything fetched or made, and the development data beside it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The checkout this command works in.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    root: PathBuf,
}

impl Project {
    /// The project this program was built from, or, where that folder has moved, the one around the working directory.
    pub(crate) fn find() -> Result<Self> {
        let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let root = if built_from.join("Cargo.toml").is_file() {
            built_from.canonicalize()?
        } else {
            let here = std::env::current_dir().context("the working directory is gone")?;
            here.ancestors()
                .find(|folder| folder.join("host-tools/xtask").is_dir())
                .with_context(|| format!("{} is not inside a checkout of Rigel", here.display()))?
                .to_owned()
        };
        Ok(Self { root })
    }

    /// A project at `root`, for tests.
    #[cfg(test)]
    pub(crate) fn at(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path inside the checkout.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A path inside `.rigel/`, where everything fetched or made at run time lives.
    pub(crate) fn fetched(&self, relative: &str) -> PathBuf {
        self.root.join(".rigel").join(relative)
    }

    /// The development data beside the project; it may be absent.
    pub(crate) fn development_data(&self) -> PathBuf {
        self.root.join("../shared/data")
    }

    /// `path` as a user at the root would type it.
    pub(crate) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root)
            .unwrap_or(path)
            .display()
            .to_string()
    }
}
