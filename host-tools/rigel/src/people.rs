//! `rigel user` and `rigel token`: who may use the desk.

use crate::store_place::StorePlace;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use label_store::{CredentialForm, LabelStore, Role, now_us};
use std::io::{BufRead as _, Write as _};

use std::time::Duration;

/// Who the audit says did it.
const BY: &str = "command line";

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rigel user add ann                            asks for a password; Ann may judge labels
  rigel user add bea --role administrator       Bea may do everything
  rigel user role ann lead                      Ann may also decide what rigs offer
  rigel user lock ann                           ends her sessions and tokens; her verdicts stay
  pass show rigel/ann | rigel user password ann --stdin

While nobody has an account, the desk is open to whoever reaches it, and `rigel serve` listens on this machine's loopback only.
A desk that is running need not be stopped.")]
pub(crate) struct UserArguments {
    #[command(flatten)]
    place: StorePlace,
    #[command(subcommand)]
    action: UserAction,
}

#[derive(Debug, Subcommand)]
enum UserAction {
    /// Makes an account
    Add {
        /// 1 to 60 letters, digits, '.', '-', '_' or '@'
        name: String,
        #[arg(long, value_enum, default_value = "reviewer")]
        role: RoleName,
        /// Read the password from standard input instead of asking
        #[arg(long)]
        stdin: bool,
    },
    /// Lists accounts
    List,
    /// Gives an account another role
    Role {
        name: String,
        #[arg(value_enum)]
        role: RoleName,
    },
    /// Gives an account another password and ends its sessions
    Password {
        name: String,
        /// Read the password from standard input instead of asking
        #[arg(long)]
        stdin: bool,
    },
    /// Locks somebody out: sessions and tokens end at once
    Lock { name: String },
    /// Lets somebody in again
    Unlock { name: String },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleName {
    /// Judges labels
    Reviewer,
    /// And decides what rigs may offer
    Lead,
    /// And sees accounts and the audit
    Administrator,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Reviewer => Self::Reviewer,
            RoleName::Lead => Self::Lead,
            RoleName::Administrator => Self::Administrator,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rigel token add ann --purpose \"nightly export\" --days 90    prints the token, once
  curl -H \"Authorization: Bearer $(cat token)\" http://127.0.0.1:8080/api/summary
  rigel token list
  rigel token revoke 0123456789abcdef

A token may do what its account may do.")]
pub(crate) struct TokenArguments {
    #[command(flatten)]
    place: StorePlace,
    #[command(subcommand)]
    action: TokenAction,
}

#[derive(Debug, Subcommand)]
enum TokenAction {
    /// Makes a token and prints it; it cannot be shown again
    Add {
        /// Whose it is
        name: String,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        purpose: String,
        /// Days until it ends
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: u32,
    },
    /// Lists tokens
    List,
    /// Ends a token
    Revoke {
        /// As `rigel token list` shows it
        id: String,
    },
}

pub(crate) fn run_user(arguments: UserArguments) -> Result<()> {
    with_store(&arguments.place, async |store| {
        user(store, arguments.action).await
    })
}

pub(crate) fn run_token(arguments: TokenArguments) -> Result<()> {
    with_store(&arguments.place, async |store| {
        token(store, arguments.action).await
    })
}

fn with_store(place: &StorePlace, work: impl AsyncFnOnce(&LabelStore) -> Result<()>) -> Result<()> {
    if place.shared()?.is_none() && !place.data.is_dir() {
        bail!(
            "there is no folder {}: give the one that `rigel serve` uses with --data, or create it",
            place.data.display()
        );
    }
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(async {
            let store = place.open().await?;
            let done = work(&store).await;
            store.close().await;
            done
        })
}

async fn user(store: &LabelStore, action: UserAction) -> Result<()> {
    match action {
        UserAction::Add { name, role, stdin } => {
            store.free_user_name(&name).await?;
            let first = !store.has_users().await?;
            let hash = new_password(&name, stdin)?;
            store
                .add_user(&name, role.into(), &hash, BY, now_us())
                .await?;
            say(&format!("{name} has an account"));
            if first {
                say(
                    "From now on everybody has to sign in, programs with a token (`rigel token add`).",
                );
            }
        }
        UserAction::List => {
            for user in store.users().await? {
                let locked = if user.locked { "  locked" } else { "" };
                say(&format!("{:24} {}{locked}", user.name, user.role.name()));
            }
        }
        UserAction::Role { name, role } => {
            store.set_role(&name, role.into(), BY, now_us()).await?;
            say(&format!("{name} is a {}", Role::from(role).name()));
        }
        UserAction::Password { name, stdin } => {
            if store.user(&name).await?.is_none() {
                bail!("there is no account {name:?}");
            }
            let hash = new_password(&name, stdin)?;
            store.set_password(&name, &hash, BY, now_us()).await?;
            say(&format!(
                "{name} has another password and has to sign in anew"
            ));
        }
        UserAction::Lock { name } => {
            store.set_locked(&name, true, BY, now_us()).await?;
            say(&format!("{name} is locked out"));
        }
        UserAction::Unlock { name } => {
            store.set_locked(&name, false, BY, now_us()).await?;
            say(&format!("{name} may sign in again"));
        }
    }
    Ok(())
}

async fn token(store: &LabelStore, action: TokenAction) -> Result<()> {
    match action {
        TokenAction::Add {
            name,
            purpose,
            days,
        } => {
            if store.user(&name).await?.is_none() {
                bail!("there is no account {name:?}: make one with `rigel user add {name}`");
            }
            let (token, digest) =
                review::new_token().context("this machine gives no random numbers")?;
            let at_us = now_us();
            let life = Duration::from_hours(24) * days;
            let ends_us = at_us + i64::try_from(life.as_micros())?;
            store
                .add_credential(
                    &digest,
                    &name,
                    CredentialForm::Token,
                    &purpose,
                    (at_us, ends_us),
                )
                .await?;
            say(&token);
        }
        TokenAction::List => {
            let now = now_us();
            for token in store.tokens(now).await? {
                let days = (token.ends_us - now) / 86_400_000_000;
                say(&format!(
                    "{}  {:24} {days:5} days left  {}",
                    token.id, token.user, token.purpose
                ));
            }
        }
        TokenAction::Revoke { id } => {
            if !store.revoke_token(&id, BY, now_us()).await? {
                bail!("there is no token {id:?}: `rigel token list` shows them");
            }
            say(&format!("{id} is worth nothing from now on"));
        }
    }
    Ok(())
}

/// A password, asked for twice or read as one line, as its hash.
fn new_password(name: &str, stdin: bool) -> Result<String> {
    let password = if stdin {
        let mut line = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut line)
            .context("cannot read the password from standard input")?;
        line.trim_end_matches(['\n', '\r']).to_owned()
    } else {
        let ask = |prompt: String| {
            rpassword::prompt_password(prompt)
                .context("cannot ask for a password here; give it with --stdin")
        };
        let once = ask(format!("New password of {name}: "))?;
        if once != ask("Once more: ".to_owned())? {
            bail!("the two were not the same; nothing was changed");
        }
        once
    };
    Ok(review::hash_password(&password)?)
}

/// What the user asked to see; a pipe that was closed wants no more.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
