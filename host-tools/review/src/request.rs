//! Reading requests, and saying in words what is wrong with them.

use crate::error::ApiError;
use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use quality::DeskKind;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::marker::PhantomData;

/// A request's body, before [`read`] says what is wrong with it.
pub(crate) type Body<T> = Result<Json<Object<T>>, JsonRejection>;

/// A JSON object. Serde would take a list for it, of the fields in the order in which they happen to be declared.
#[derive(Debug)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Object<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(Fields(PhantomData))
    }
}

pub(crate) fn kind(name: &str) -> Result<DeskKind, ApiError> {
    DeskKind::from_name(name).ok_or_else(|| {
        let names = DeskKind::ALL.map(DeskKind::name);
        ApiError::Query(format!("a kind is one of {}", names.join(", ")))
    })
}

pub(crate) fn understood<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, ApiError> {
    match query {
        Ok(Query(query)) => Ok(query),
        Err(rejection) => Err(ApiError::Query(rejection.body_text())),
    }
}

pub(crate) fn read<T>(body: Body<T>) -> Result<T, ApiError> {
    match body {
        Ok(Json(Object(body))) => Ok(body),
        Err(rejection) => Err(ApiError::Body(rejection.status(), rejection.body_text())),
    }
}
