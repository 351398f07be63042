//! The OpenAPI 3.1 document, made of the table of endpoints and of the types that operations take and answer.
//!
//! <https://spec.openapis.org/oas/v3.1.1.html>, read 2026-11-23.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::operation::Operation;
use super::refusal::{Failure, STATUSES};
use super::shape::{Schemas, Shape as _};
use super::{Answered, Ask, reply};
use crate::endpoints::{Action, ENDPOINTS, Endpoint, Role};

/// Answers with the document.
pub(super) fn handle(_: &Ask) -> Answered {
    reply(StatusCode::OK, &document())
}

/// The document.
#[must_use]
pub fn document() -> Value {
    let mut schemas = Schemas::default();
    let mut paths: Map<String, Value> = Map::new();
    let mut groups: Vec<&str> = Vec::new();
    for endpoint in ENDPOINTS {
        let Action::Api(api) = endpoint.action else { continue };
        let operation = api.operation();
        if !groups.contains(&operation.group) {
            groups.push(operation.group);
        }
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        path[endpoint.method.to_ascii_lowercase()] = described(endpoint, operation, &mut schemas);
    }
    let failure = Failure::schema(&mut schemas);
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Pilothouse administration",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Keys, limits, budgets, health, receipts, usage, alerts and audit of a Pilothouse gateway.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "servers": [{ "url": "/", "description": "The gateway that this document came from." }],
        "security": [{ "bearer": [] }, { "header": [] }],
        "tags": groups.iter().map(|group| json!({ "name": group })).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": schemas.into_value(),
            "responses": responses(&failure),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The admin token, or a key whose role suffices.",
                },
                "header": { "type": "apiKey", "in": "header", "name": "x-api-key", "description": "The same." },
            },
        },
    })
}

fn described(endpoint: &Endpoint, operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut parameters: Vec<Value> = Vec::new();
    if endpoint.path.contains("{id}") {
        parameters.push(json!({
            "name": "id", "in": "path", "required": true, "schema": { "type": "string", "maxLength": 256 },
            "description": "Its name or number: letters, digits, `-`, `_`, `.` and `:`.",
        }));
    }
    parameters.extend(operation.parameters.iter().map(|parameter| {
        json!({
            "name": parameter.name, "in": "query", "required": false, "description": parameter.about,
            "schema": parameter.kind.schema(),
        })
    }));
    let answer = (operation.answer)(schemas);
    let mut answers = Map::new();
    answers.insert(
        operation.status.to_string(),
        json!({ "description": operation.summary, "content": { "application/json": { "schema": answer } } }),
    );
    for status in refusals(endpoint, operation) {
        answers.insert(
            status.to_string(),
            json!({ "$ref": format!("#/components/responses/{}", name_of(status)) }),
        );
    }
    let mut described = json!({
        "operationId": operation.id,
        "tags": [operation.group],
        "summary": operation.summary,
        "description": format!("Takes the role `{}` or more.", role_word(endpoint.role)),
        "x-pilothouse-role": role_word(endpoint.role),
        "parameters": parameters,
        "responses": answers,
    });
    if let Some(request) = operation.request {
        described["requestBody"] = json!({
            "required": operation.needs_body,
            "content": { "application/json": { "schema": request(schemas) } },
        });
    }
    described
}

/// The refusals that an operation can give.
fn refusals(endpoint: &Endpoint, operation: &Operation) -> Vec<u16> {
    let is_change = endpoint.method != "GET";
    let fits = |status: u16| match status {
        404 => endpoint.path.contains("{id}"),
        405 => false,
        409 => is_change,
        413 | 415 => operation.request.is_some(),
        _ => true,
    };
    STATUSES.iter().map(|known| known.0).filter(|status| fits(*status)).collect()
}

fn name_of(status: u16) -> &'static str {
    STATUSES.iter().find(|known| known.0 == status).map_or("internal", |known| known.1)
}

fn responses(failure: &Value) -> Value {
    let all = STATUSES.iter().filter(|known| known.0 != 405).map(|(_, code, about)| {
        let content = json!({ "application/json": { "schema": failure } });
        ((*code).to_owned(), json!({ "description": about, "content": content }))
    });
    all.collect::<Map<_, _>>().into()
}

/// The word for a role, as `role` of a key has it.
pub(super) const fn role_word(role: Role) -> &'static str {
    match role {
        Role::Anyone => "none",
        Role::Caller => "caller",
        Role::Viewer => "viewer",
        Role::Lead => "lead",
        Role::Admin | Role::Operator => "admin",
    }
}
