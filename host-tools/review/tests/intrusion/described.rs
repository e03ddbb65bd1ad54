//! Every operation of the description, with something real to be about.

use crate::desk_of_people::{Desk, Shown};
use axum::http::Method;
use serde_json::{Value, json};

/// A request that can be made.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    /// As described.
    pub(crate) template: String,
    /// Names of what stands in the query.
    pub(crate) query: Vec<String>,
}

impl Operation {
    /// The address of something that is there.
    pub(crate) fn address(&self) -> String {
        self.with("")
    }

    /// The same with one of its names in braces replaced by something else.
    pub(crate) fn with(&self, other: &str) -> String {
        let about = |name: &str| match (name, self.template.as_str()) {
            (_, path) if path.starts_with("/api/pictures") => "rig-sim:7340033:6",
            ("clip", _) => "rig-sim:7340033:1",
            ("rig", _) => "rig-sim",
            ("batch" | "step" | "look" | "request" | "frame" | "export", _) => "1",
            ("sha256", _) => "5e5e",
            (_, path) if path.contains("proposals") => "rig-sim:blink:demote",
            _ => "rig-sim:7340033:10:0",
        };
        let mut parts = self.template.split('{');
        let mut address = parts.next().unwrap().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').unwrap();
            address += if other.is_empty() { about(name) } else { other };
            address += rest;
        }
        address
    }

    pub(crate) fn has_names(&self) -> bool {
        self.template.contains('{')
    }

    pub(crate) fn reads(&self) -> bool {
        self.method == Method::GET
    }

    /// For the door, and for signs of life.
    pub(crate) fn is_for_all(&self) -> bool {
        matches!(self.template.as_str(), "/api/session" | "/healthz")
    }
}

/// All but the one whose answer has no end.
pub(crate) fn operations() -> Vec<Operation> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/reference/openapi.json"
    );
    let description: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut all = Vec::new();
    for (template, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let named = operation["parameters"].as_array().into_iter().flatten();
            all.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                template: template.clone(),
                query: named
                    .filter(|parameter| parameter["in"] == "query")
                    .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
                    .collect(),
            });
        }
    }
    assert!(all.len() > 45, "{}", all.len());
    all.retain(|operation| operation.template != "/api/events");
    all
}

/// All that can be changed from outside.
pub(crate) async fn standing(desk: &Desk, administrator: &str) -> Value {
    let shown = Shown::Cookie(administrator);
    let mut all = Vec::new();
    for path in [
        "/api/labels",
        "/api/users",
        "/api/leases",
        "/api/audit",
        "/api/sampling",
        "/api/exports",
        "/api/clips/rig-sim:7340033:1/tracks",
    ] {
        all.push(desk.get(path, shown).await.json);
    }
    let policy = desk.get("/api/policy", shown).await.json;
    all.push(policy["steps"].clone());
    all.push(policy["rules"].clone());
    json!(all)
}
