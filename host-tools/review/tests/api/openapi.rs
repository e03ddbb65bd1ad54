//! Holds routes, requests and answers to `docs/reference/openapi.json`.
//!
//! Every request that a test makes through [`crate::desk::Desk`] comes by here. The description is read as strictly as
//! it is written: a status, a field or a word that it does not know fails the test, and so does a keyword of JSON Schema
//! that this reader does not know.

use crate::desk::{Answer, Desk};
use axum::http::StatusCode;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::LazyLock;

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/reference/openapi.json"
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
});

/// Fails where a request that was served, or its answer, is not as described.
pub(crate) fn hold(method: &str, path: &str, sent: &str, answer: &Answer) {
    let address = path.split('?').next().unwrap();
    let operation = operation(method, address);
    let told = format!("{method} {path}: {}", answer.status);
    let Some(operation) = operation else {
        let served = answer.status.is_success() && address.starts_with("/api/");
        assert!(!served, "{told}: openapi.json does not describe it");
        return;
    };
    let status = answer.status.as_str();
    let described = resolved(&operation["responses"][status]);
    assert!(described.is_object(), "{told}: not described");
    for (form, content) in described["content"].as_object().into_iter().flatten() {
        let is = answer.headers["content-type"].to_str().unwrap();
        assert!(is.starts_with(form.as_str()), "{told}: {is}");
        if form == "application/json" {
            let body: Value = serde_json::from_slice(&answer.body).unwrap();
            check(&content["schema"], &body, &told);
        }
    }
    for name in described["headers"]
        .as_object()
        .into_iter()
        .flat_map(Map::keys)
    {
        assert!(answer.headers.contains_key(name), "{told}: no {name}");
    }
    if answer.status == StatusCode::OK && !sent.is_empty() && method == "POST" {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let body = serde_json::from_str(sent).unwrap();
        check(schema, &body, &format!("{told}: the request"));
    }
}

fn operation(method: &str, address: &str) -> Option<&'static Value> {
    let fits = |template: &str| {
        let parts: Vec<_> = template.split('/').collect();
        let given: Vec<_> = address.split('/').collect();
        parts.len() == given.len()
            && parts.iter().zip(given).all(|(part, given)| {
                match part.strip_prefix('{').and_then(|part| part.split_once('}')) {
                    Some((_, end)) => given.ends_with(end),
                    None => *part == given,
                }
            })
    };
    let paths = DESCRIPTION["paths"].as_object().unwrap();
    // What is written out goes before what is named.
    let exact = paths.get(address);
    let found = exact.or_else(|| {
        paths
            .iter()
            .find(|(path, _)| fits(path))
            .map(|(_, item)| item)
    });
    found?.get(method.to_lowercase())
}

fn resolved(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(name) => DESCRIPTION.pointer(name.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

fn check(schema: &'static Value, value: &Value, told: &str) {
    if let Err(why) = fits(schema, value, true) {
        panic!("{told}: {why}");
    }
}

/// Whether the value is as the schema says; where `closed`, objects have no other fields than it names.
fn fits(schema: &'static Value, value: &Value, closed: bool) -> Result<(), String> {
    let schema = resolved(schema);
    let mut named = BTreeSet::new();
    name_fields(schema, &mut named);
    if let (true, Some(object), false) = (closed, value.as_object(), named.is_empty())
        && let Some(field) = object.keys().find(|field| !named.contains(field.as_str()))
    {
        return Err(format!("{field:?} is not described"));
    }
    for (keyword, rule) in schema.as_object().unwrap() {
        keyword_fits(keyword, rule, value)?;
    }
    Ok(())
}

fn name_fields(schema: &'static Value, into: &mut BTreeSet<&'static str>) {
    let schema = resolved(schema);
    for name in schema["properties"]
        .as_object()
        .into_iter()
        .flat_map(Map::keys)
    {
        into.insert(name);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        name_fields(part, into);
    }
}

fn keyword_fits(keyword: &str, rule: &'static Value, value: &Value) -> Result<(), String> {
    let ensure = |holds: bool| {
        holds
            .then_some(())
            .ok_or_else(|| format!("{value} is against {keyword} {rule}"))
    };
    let count = || rule.as_u64().unwrap() as usize;
    match keyword {
        "type" => ensure(match rule.as_array() {
            Some(types) => types.iter().any(|kind| is_of(kind, value)),
            None => is_of(rule, value),
        }),
        "enum" => ensure(rule.as_array().unwrap().contains(value)),
        "const" => ensure(rule == value),
        "minimum" => ensure(value.as_f64().is_none_or(|it| it >= rule.as_f64().unwrap())),
        "maximum" => ensure(value.as_f64().is_none_or(|it| it <= rule.as_f64().unwrap())),
        "minItems" => ensure(value.as_array().is_none_or(|it| it.len() >= count())),
        "maxItems" => ensure(value.as_array().is_none_or(|it| it.len() <= count())),
        "minLength" => ensure(value.as_str().is_none_or(|it| it.len() >= count())),
        "maxLength" => ensure(value.as_str().is_none_or(|it| it.len() <= count())),
        "items" => value
            .as_array()
            .into_iter()
            .flatten()
            .try_for_each(|item| fits(rule, item, true)),
        "prefixItems" => value
            .as_array()
            .into_iter()
            .flatten()
            .zip(rule.as_array().unwrap())
            .try_for_each(|(item, rule)| fits(rule, item, true)),
        "required" => ensure(value.as_object().is_none_or(|object| {
            let mut names = rule.as_array().unwrap().iter();
            names.all(|name| object.contains_key(name.as_str().unwrap()))
        })),
        "properties" => rule
            .as_object()
            .unwrap()
            .iter()
            .try_for_each(|(name, rule)| match value.get(name) {
                Some(field) => fits(rule, field, true).map_err(|why| format!("{name}: {why}")),
                None => Ok(()),
            }),
        "oneOf" => {
            let choices = rule.as_array().unwrap().iter();
            ensure(
                choices
                    .filter(|choice| fits(choice, value, true).is_ok())
                    .count()
                    == 1,
            )
        }
        "allOf" => rule
            .as_array()
            .unwrap()
            .iter()
            .try_for_each(|part| fits(part, value, false)),
        // Fields that are not named are refused everywhere; a key's letters are the host's to check.
        "additionalProperties" | "description" | "pattern" => Ok(()),
        other => Err(format!("this test does not know the keyword {other:?}")),
    }
}

fn is_of(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        other => panic!("no type of JSON: {other}"),
    }
}

#[test]
fn every_route_is_described_with_its_methods_and_nothing_else_is() {
    let source: String = [
        "lib.rs",
        "policy.rs",
        "exports.rs",
        "fleet.rs",
        "requests.rs",
        "second_look.rs",
    ]
    .map(|file| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/");
        std::fs::read_to_string(format!("{folder}{file}")).unwrap()
    })
    .concat();
    let mut served = BTreeSet::new();
    for route in source.split(".route(").skip(1) {
        let path = route.split('"').nth(1).unwrap();
        let ends = [
            "\n        .route(",
            "\n        .fallback(",
            "\n        .layer(",
            "\n}",
        ];
        let ends = ends.iter().filter_map(|end| route.find(end));
        let handlers = &route[..ends.min().unwrap_or(route.len())];
        let paths: Vec<_> = match path.strip_suffix("/{file}") {
            Some(start @ "/api/evidence") => ["jpg", "json"]
                .map(|form| format!("{start}/{{id}}.{form}"))
                .to_vec(),
            Some(start @ "/api/requests/{request}") => vec![format!("{start}/{{frame}}.jpg")],
            Some(start) => vec![format!("{start}/{{id}}.jpg")],
            // Asked for as a file, too.
            None if path == "/api/calibrations/{sha256}" => vec![format!("{path}.toml")],
            None => vec![path.to_owned()],
        };
        for method in ["get", "post", "put", "patch", "delete"] {
            if handlers.contains(&format!("{method}(")) {
                served.extend(paths.iter().map(|path| format!("{method} {path}")));
            }
        }
    }
    let paths = DESCRIPTION["paths"].as_object().unwrap();
    let described: BTreeSet<_> = paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(move |method| format!("{method} {path}"))
        })
        .collect();
    assert_eq!(
        described, served,
        "openapi.json on the left, the routers on the right"
    );
}

#[tokio::test]
async fn the_description_is_served_and_every_name_in_it_leads_somewhere() {
    fn references(value: &Value, into: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                into.extend(
                    fields
                        .get("$ref")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                );
                fields.values().for_each(|field| references(field, into));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, into)),
            _ => {}
        }
    }
    let desk = Desk::empty().await;
    let served = desk.get("/api/openapi.json").await.json();
    assert_eq!(served["openapi"], "3.1.0");
    let mut names = Vec::new();
    references(&served, &mut names);
    assert!(names.len() > 50);
    for name in names {
        assert!(
            served.pointer(name.trim_start_matches('#')).is_some(),
            "{name}"
        );
    }
}

#[test]
fn the_reader_of_the_description_finds_what_is_wrong() {
    let label = &DESCRIPTION["components"]["schemas"]["FrameRange"];
    assert!(fits(label, &serde_json::json!([1, 2]), true).is_ok());
    for wrong in [
        serde_json::json!([1]),
        serde_json::json!([1, -2]),
        serde_json::json!("1,2"),
    ] {
        assert!(fits(label, &wrong, true).is_err(), "{wrong}");
    }
    let mark = &DESCRIPTION["components"]["schemas"]["Mark"];
    let told = serde_json::json!({"frame": 1, "pts_us": 2, "utc_us": 3, "clock": "ntp"});
    assert!(fits(mark, &told, true).is_ok());
    for (field, value) in [
        ("clock", "sundial".into()),
        ("more", 1.into()),
        ("frame", Value::Null),
    ] {
        let mut wrong = told.clone();
        wrong[field] = value;
        assert!(fits(mark, &wrong, true).is_err(), "{wrong}");
    }
}
