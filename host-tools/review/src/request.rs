//! Reading requests, and saying in words what is wrong with them.

use crate::error::ApiError;
use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use label_core::LabelKind;

pub(crate) fn kind(name: &str) -> Result<LabelKind, ApiError> {
    LabelKind::from_name(name).ok_or_else(|| {
        let names = LabelKind::ALL.map(LabelKind::name);
        ApiError::Query(format!("a kind is one of {}", names.join(", ")))
    })
}

pub(crate) fn understood<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, ApiError> {
    match query {
        Ok(Query(query)) => Ok(query),
        Err(rejection) => Err(ApiError::Query(rejection.body_text())),
    }
}

pub(crate) fn read<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, ApiError> {
    match body {
        Ok(Json(body)) => Ok(body),
        Err(rejection) => Err(ApiError::Body(rejection.status(), rejection.body_text())),
    }
}
