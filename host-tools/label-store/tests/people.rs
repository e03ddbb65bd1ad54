//! Accounts, what lets people in, and who works on what.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a failure here is a failed test"
)]

use label_store::{CredentialForm, LabelStore, Role, StoreError};
use tempfile::TempDir;

const HASH: &str = "$argon2id$a-hash";

async fn store() -> (TempDir, LabelStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = LabelStore::open(&folder.path().join("test.sqlite"))
        .await
        .unwrap();
    (folder, store)
}

async fn with_ann() -> (TempDir, LabelStore) {
    let (folder, store) = store().await;
    assert!(!store.has_users().await.unwrap());
    store
        .add_user("ann", Role::Reviewer, HASH, "test", 10)
        .await
        .unwrap();
    assert!(store.has_users().await.unwrap());
    (folder, store)
}

#[tokio::test]
async fn an_account_is_made_once_and_changed_with_a_line_in_the_audit_each() {
    let (_folder, store) = with_ann().await;
    let again = store.add_user("ann", Role::Lead, HASH, "test", 11).await;
    assert!(matches!(again, Err(StoreError::UserExists(_))), "{again:?}");
    for bad in ["", "an n", "a/b", "<script>", &"x".repeat(61)] {
        let refused = store.add_user(bad, Role::Lead, HASH, "test", 11).await;
        assert!(matches!(refused, Err(StoreError::UserName(_))), "{bad:?}");
    }
    store.set_role("ann", Role::Lead, "bea", 12).await.unwrap();
    let nobody = store.set_role("cid", Role::Lead, "bea", 12).await;
    assert!(matches!(nobody, Err(StoreError::NoSuchUser(_))));
    let (ann, hash) = store.user("ann").await.unwrap().unwrap();
    assert_eq!(
        (ann.role, ann.locked, hash.as_str()),
        (Role::Lead, false, HASH)
    );
    let lines: Vec<_> = store
        .audit(10)
        .await
        .unwrap()
        .into_iter()
        .map(|line| (line.at_us, line.who, line.what, line.about))
        .collect();
    let line = |at, who: &str, what: &str| (at, who.to_owned(), what.to_owned(), "ann".to_owned());
    assert_eq!(
        lines,
        [
            line(12, "bea", "made a lead"),
            line(10, "test", "made an account for a reviewer")
        ]
    );
}

#[tokio::test]
async fn what_lets_people_in_ends_with_its_time_the_password_and_the_lock() {
    let (_folder, store) = with_ann().await;
    let (session, token) = ([1; 32], [2; 32]);
    let add = async |digest, form| {
        store
            .add_credential(digest, "ann", form, "a script", (100, 200))
            .await
            .unwrap();
    };
    let holder = async |digest, form, now| {
        let found = store.holder(digest, form, now).await.unwrap();
        found.map(|user| user.name)
    };
    add(&session, CredentialForm::Session).await;
    add(&token, CredentialForm::Token).await;
    assert_eq!(
        holder(&session, CredentialForm::Session, 199)
            .await
            .as_deref(),
        Some("ann")
    );
    assert_eq!(holder(&session, CredentialForm::Session, 200).await, None);
    assert_eq!(
        holder(&session, CredentialForm::Token, 150).await,
        None,
        "a cookie is no token"
    );
    store
        .set_password("ann", "$argon2id$another", "test", 150)
        .await
        .unwrap();
    assert_eq!(holder(&session, CredentialForm::Session, 150).await, None);
    assert!(holder(&token, CredentialForm::Token, 150).await.is_some());
    store.set_locked("ann", true, "test", 160).await.unwrap();
    assert_eq!(holder(&token, CredentialForm::Token, 160).await, None);
    store.set_locked("ann", false, "test", 170).await.unwrap();
    assert_eq!(
        holder(&token, CredentialForm::Token, 170).await,
        None,
        "a lock ends tokens for good"
    );
}

#[tokio::test]
async fn a_token_is_listed_without_what_it_shows_and_revoked_by_its_id() {
    let (_folder, store) = with_ann().await;
    let digest = [0xab; 32];
    store
        .add_credential(&digest, "ann", CredentialForm::Token, "export", (1, 500))
        .await
        .unwrap();
    let tokens = store.tokens(2).await.unwrap();
    let [token] = tokens.as_slice() else {
        panic!("{tokens:?}")
    };
    assert_eq!(
        (
            token.id.as_str(),
            token.user.as_str(),
            token.purpose.as_str()
        ),
        ("abababababababab", "ann", "export")
    );
    assert!(
        !store
            .revoke_token("0000000000000000", "bea", 3)
            .await
            .unwrap()
    );
    assert!(store.revoke_token(&token.id, "bea", 3).await.unwrap());
    assert!(store.tokens(4).await.unwrap().is_empty());
    let holder = store
        .holder(&digest, CredentialForm::Token, 4)
        .await
        .unwrap();
    assert_eq!(holder, None);
}

#[tokio::test]
async fn an_item_is_one_persons_until_given_back_or_over() {
    let (_folder, store) = store().await;
    let take = async |who, now| store.lease("item", who, (now, now + 100)).await.unwrap();
    assert_eq!(take("ann", 0).await.holder, "ann");
    assert_eq!(take("bea", 50).await.holder, "ann");
    let renewed = take("ann", 60).await;
    assert_eq!((renewed.holder.as_str(), renewed.until_us), ("ann", 160));
    store.release("item", "bea").await.unwrap();
    let held = store.leases(70).await.unwrap();
    assert_eq!(held, [renewed], "nobody gives back another's");
    assert!(store.leases(160).await.unwrap().is_empty());
    assert_eq!(take("bea", 160).await.holder, "bea");
    store.release("item", "bea").await.unwrap();
    assert!(store.leases(161).await.unwrap().is_empty());
}
