//! Requests that were answered, so that one that comes again changes nothing.
//!
//! A page that got no answer asks again with the same key. The key is written in the transaction of what it names, so a
//! host that dies in between has either both or neither.

use crate::StoreError;
use crate::database::{Connection, query};
use crate::verdict::Asked;
use sha2::{Digest, Sha256};

/// How long keys are kept: longer than a page that lost its host goes on asking.
const KEPT_US: i64 = 7 * 24 * 60 * 60 * 1_000_000;

/// Whether a request is new.
pub(crate) enum Taken {
    /// It is; [`answered`] must follow in the same transaction.
    New,
    /// It was answered before, with this number if it had one.
    Before(Option<i64>),
}

/// Takes the key of a request. `request` says in full what is asked for; the same asked by somebody else is another.
pub(crate) async fn take(
    tx: &mut Connection,
    asked: &Asked,
    request: &str,
) -> Result<Taken, StoreError> {
    asked.check()?;
    let Some(key) = &asked.key else {
        return Ok(Taken::New);
    };
    let failed = || StoreError::database("look up a request");
    let digest = Sha256::digest(format!("{} {request}", asked.reviewer)).to_vec();
    query("DELETE FROM request_keys WHERE at_us < $1")
        .bind(asked.at_us.saturating_sub(KEPT_US))
        .execute(&mut *tx)
        .await
        .map_err(failed())?;
    let known = query("SELECT request, answer FROM request_keys WHERE request_key = $1")
        .bind(key)
        .fetch_optional(&mut *tx)
        .await
        .map_err(failed())?;
    if let Some(row) = known {
        if row.get::<Vec<u8>, _>("request") != digest {
            return Err(StoreError::KeyTaken);
        }
        return Ok(Taken::Before(row.get("answer")));
    }
    query("INSERT INTO request_keys (request_key, request, at_us) VALUES ($1, $2, $3)")
        .bind(key)
        .bind(digest)
        .bind(asked.at_us)
        .execute(tx)
        .await
        .map_err(failed())?;
    Ok(Taken::New)
}

/// Notes the number that a request came to.
pub(crate) async fn answered(
    tx: &mut Connection,
    asked: &Asked,
    answer: i64,
) -> Result<(), StoreError> {
    let Some(key) = &asked.key else {
        return Ok(());
    };
    query("UPDATE request_keys SET answer = $2 WHERE request_key = $1")
        .bind(key)
        .bind(answer)
        .execute(tx)
        .await
        .map_err(StoreError::database("note an answer"))?;
    Ok(())
}
