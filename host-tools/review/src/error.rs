//! What an API request can come to, and which status that is.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use label_store::{Role, StoreError};
use std::time::Duration;

/// Why a request was not served. The text is sent; what a database said is only logged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// The address names no label.
    #[error("a label is named rig:boot:seq:n, or desk:number")]
    LabelId,
    /// The address names no verdicts given at once.
    #[error("a batch of verdicts is named by a number")]
    BatchId,
    /// The address names no clip.
    #[error("a clip is named rig:boot:clip")]
    ClipId,
    /// The address names no picture.
    #[error("a picture is named rig:boot:seq")]
    PictureId,
    /// The address names no second look.
    #[error("a second look is named by a number")]
    LookId,
    /// A query parameter is missing or not understood.
    #[error("{0}")]
    Query(String),
    /// There is nothing at this address.
    #[error("there is no {0} here")]
    NotFound(&'static str),
    /// The address is there, the method is not.
    #[error("this address does not take that method")]
    Method,
    /// Another site's page sent it.
    #[error("verdicts are only taken from this page or from a program, not from another site")]
    CrossSite,
    /// The host name is not ours.
    #[error("this host does not answer to that name; see `names` in docs/reference/http.md")]
    Host,
    /// The body is not JSON, or too long, or cut short.
    #[error("{1}")]
    Body(StatusCode, String),
    /// JSON, but not a verdict.
    #[error("{0}")]
    Verdict(String),
    /// Nobody in particular asks, and this desk has accounts.
    #[error("sign in first: at the page, or with a token (`rigel token add`)")]
    SignIn,
    /// Which of the two was wrong is not told.
    #[error("the name or the password is wrong, or the account is locked")]
    Password,
    /// Too many wrong passwords.
    #[error("too many wrong passwords for this name: try again in {} s", .0.as_secs().max(1))]
    TooFast(Duration),
    /// Not with this role.
    #[error("this takes the role {}", .0.name())]
    Role(Role),
    /// The system gave no random bytes.
    #[error("this machine gives no random numbers")]
    Secret(#[source] std::io::Error),
    /// A proposal that the data no longer speak for.
    #[error("this is not proposed any more: the data or a decision changed; look again")]
    Outdated,
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ApiError {
    /// The one place where a trouble becomes a number.
    fn status(&self) -> StatusCode {
        match self {
            Self::LabelId
            | Self::BatchId
            | Self::ClipId
            | Self::PictureId
            | Self::LookId
            | Self::Query(_) => StatusCode::BAD_REQUEST,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::CrossSite | Self::Role(_) => StatusCode::FORBIDDEN,
            Self::SignIn | Self::Password => StatusCode::UNAUTHORIZED,
            Self::TooFast(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Host => StatusCode::MISDIRECTED_REQUEST,
            Self::Body(status, _) => *status,
            Self::Verdict(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Outdated => StatusCode::CONFLICT,
            Self::Store(error) => match error {
                StoreError::NoSuchLabel(_)
                | StoreError::NoSuchClip(_)
                | StoreError::NoSuchLook(_)
                | StoreError::NoSuchRig(_)
                | StoreError::NoSuchRequest(_)
                | StoreError::NoSuchBatch(_) => StatusCode::NOT_FOUND,
                StoreError::Verdict(_)
                | StoreError::Sampling(_)
                | StoreError::Policy(_)
                | StoreError::Purge(_)
                | StoreError::Calibration(_) => StatusCode::UNPROCESSABLE_ENTITY,
                StoreError::NotACandidate(_)
                | StoreError::Blind(_)
                | StoreError::NotAsked
                | StoreError::NoCase(_)
                | StoreError::Involved
                | StoreError::Decided(_)
                | StoreError::Held(_)
                | StoreError::NoAnswer(_)
                | StoreError::Removed(_)
                | StoreError::NothingToUndo(_)
                | StoreError::NothingToRedo(_)
                | StoreError::NoEdit(_)
                | StoreError::KeyTaken
                | StoreError::AskedEnough(_)
                | StoreError::EnoughExports
                | StoreError::Purged(_)
                | StoreError::SaidSince(_) => StatusCode::CONFLICT,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            },
            Self::Secret(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What the other side is told.
    fn text(&self) -> String {
        match self {
            Self::Store(_) if self.status().is_server_error() => {
                "the label store is in trouble; the host's log says more".to_owned()
            }
            other => other.to_string(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        if status.is_server_error() {
            tracing::error!(error = &self as &dyn std::error::Error, "a request failed");
        }
        let mut response =
            (status, Json(serde_json::json!({ "error": self.text() }))).into_response();
        if let Self::TooFast(wait) = self {
            let seconds = HeaderValue::from(wait.as_secs().max(1));
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}
