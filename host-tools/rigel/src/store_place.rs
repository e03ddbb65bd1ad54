//! Where the labels are kept: a file of the data folder, or a Postgres database that several programs share.

use anyhow::{Context as _, bail};
use clap::Args;
use label_store::LabelStore;
use std::path::PathBuf;

/// The variable that says it where `--store` does not.
const VARIABLE: &str = "RIGEL_STORE";

#[derive(Debug, Args)]
pub(crate) struct StorePlace {
    /// Folder of the desk's own files, and of the labels (rigel.sqlite) unless --store is given
    #[arg(long, value_name = "DIR", default_value = "rigel-data", global = true)]
    pub(crate) data: PathBuf,
    /// Keep the labels in this Postgres database: postgres://USER@HOST:PORT/DATABASE. The password belongs in ~/.pgpass,
    /// `PGPASSWORD`, or the whole address in `RIGEL_STORE`, never here
    #[arg(long, value_name = "ADDRESS", global = true)]
    store: Option<String>,
}

fn is_address(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

/// Whether an address that everybody on this machine can read says a password.
fn has_password(address: &str) -> bool {
    let rest = address.split_once("://").map_or("", |(_, rest)| rest);
    let before_path = rest.split(['/', '?']).next().unwrap_or_default();
    let user = before_path.rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || address.contains("password=")
}

impl StorePlace {
    /// The address of the database, where there is one.
    pub(crate) fn shared(&self) -> anyhow::Result<Option<String>> {
        // What was given is not repeated in errors: a password may stand in it.
        if self.store.as_deref().is_some_and(has_password) {
            bail!(
                "everybody on this machine can read a password on the command line: put it in ~/.pgpass or PGPASSWORD, or \
                 the whole address in {VARIABLE}"
            );
        }
        let said = self.store.clone().or_else(|| std::env::var(VARIABLE).ok());
        let said = said.filter(|text| !text.is_empty());
        if said.as_deref().is_some_and(|text| !is_address(text)) {
            bail!("--store and {VARIABLE} take postgres://USER@HOST:PORT/DATABASE");
        }
        Ok(said)
    }

    /// Opens the store; folder and file are made where they are missing.
    pub(crate) async fn open(&self) -> anyhow::Result<LabelStore> {
        if let Some(address) = self.shared()? {
            return LabelStore::open_postgres(&address).await.context(
                "is the server up, does the database exist (createdb), and may this user make a schema in it?",
            );
        }
        std::fs::create_dir_all(&self.data)
            .with_context(|| format!("cannot create {}", self.data.display()))?;
        Ok(LabelStore::open(&self.file()).await?)
    }

    /// Whether there is anything to open.
    pub(crate) fn exists(&self) -> anyhow::Result<bool> {
        Ok(self.shared()?.is_some() || self.file().is_file())
    }

    /// Opens what is there already.
    pub(crate) async fn open_existing(&self) -> anyhow::Result<LabelStore> {
        if !self.exists()? {
            bail!(
                "there are no labels in {}: name the folder that `rigel serve --data` uses, or the store that it uses with --store",
                self.data.display()
            );
        }
        self.open().await
    }

    fn file(&self) -> PathBuf {
        self.data.join("rigel.sqlite")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_on_the_command_line_is_seen() {
        assert!(!has_password("postgres://rigel@db.lan:5432/rigel"));
        assert!(!has_password("postgres:///rigel?host=/run/postgresql"));
        assert!(has_password("postgres://rigel:secret@db.lan/rigel"));
        assert!(has_password("postgres://db.lan/rigel?password=secret"));
    }
}
