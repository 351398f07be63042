//! Files, uploads and batches that OpenAI and Anthropic hold for their callers.
//!
//! Shapes: <https://platform.openai.com/docs/api-reference/files>, `/uploads`, `/batch` and the published document;
//! <https://platform.claude.com/docs/en/api/files-create> and `/creating-message-batches`; read 2026-11-23.

use crate::answer::Answer;
use crate::chance::Chance;
use crate::models::Vendor;
use crate::multipart::{self, Part};
use crate::{anthropic, openai};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most things kept, and most bytes of all files.
const THINGS_MAX: usize = 4_096;
const BYTES_MAX: usize = 256 << 20;
/// The beta that Anthropic's files were in.
pub(crate) const FILES_BETA: &str = "files-api-2025-04-14";

/// A call about what is held: the collection, then the id and the part of it that is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) collection: &'static str,
    pub(crate) id: Option<String>,
    pub(crate) part: Option<&'static str>,
}

impl Held {
    /// The call at a path, with whether the method is one of its own.
    pub(crate) fn at(vendor: Vendor, method: &Method, path: &str) -> Option<(Held, bool)> {
        let (collection, rest) = match vendor {
            Vendor::OpenAi => [("files", "v1/files"), ("uploads", "v1/uploads"), ("batches", "v1/batches")]
                .iter()
                .find_map(|(name, prefix)| Some((*name, path.strip_prefix(prefix)?)))?,
            Vendor::Anthropic => [("files", "v1/files"), ("batches", "v1/messages/batches")]
                .iter()
                .find_map(|(name, prefix)| Some((*name, path.strip_prefix(prefix)?)))?,
            _ => return None,
        };
        let segments: Vec<&str> = rest.split('/').skip(1).collect();
        if !rest.is_empty() && !rest.starts_with('/') {
            return None;
        }
        let (get, post, delete) = (method == Method::GET, method == Method::POST, method == Method::DELETE);
        let openai = vendor == Vendor::OpenAi;
        let (part, fits) = match (collection, segments.as_slice()) {
            ("uploads", []) => (None, post),
            (_, []) => (None, get || post),
            ("files", [_]) => (None, get || delete),
            ("batches", [_]) => (None, get || (delete && !openai)),
            ("files", [_, "content"]) => (Some("content"), get),
            ("uploads", [_, "parts"]) => (Some("parts"), post),
            ("uploads", [_, "complete"]) => (Some("complete"), post),
            ("uploads" | "batches", [_, "cancel"]) => (Some("cancel"), post),
            ("batches", [_, "results"]) if !openai => (Some("results"), get),
            _ => return None,
        };
        Some((Held { collection, id: segments.first().map(|id| (*id).to_owned()), part }, fits))
    }
}

#[derive(Clone, Debug, Default)]
struct Thing {
    object: Value,
    data: Bytes,
    /// Ids of the parts of an upload; how often a batch was looked at.
    parts: Vec<String>,
    looks: u32,
}

#[derive(Debug, Default)]
struct Room {
    things: HashMap<(String, String), Thing>,
    bytes: usize,
    made: u64,
}

/// Everything that is held. Cheap to share.
#[derive(Debug, Default)]
pub(crate) struct Cellar(Mutex<Room>);

/// Who calls, when, and with what body.
pub(crate) struct Asking<'a> {
    pub(crate) vendor: Vendor,
    pub(crate) caller: &'a str,
    pub(crate) method: &'a Method,
    pub(crate) beta: &'a str,
    pub(crate) seed: u64,
    pub(crate) now_s: u64,
    pub(crate) body: &'a Bytes,
    pub(crate) boundary: Option<String>,
}

struct Refused(u16, &'static str, String);

impl Cellar {
    fn room(&self) -> MutexGuard<'_, Room> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        *self.room() = Room::default();
    }

    /// Answers a call.
    pub(crate) fn answer(&self, held: &Held, asking: &Asking<'_>) -> Answer {
        let mut room = self.room();
        let made = match held.collection {
            "files" => room.files(held, asking),
            "uploads" => room.uploads(held, asking),
            _ => room.batches(held, asking),
        };
        made.unwrap_or_else(|Refused(status, param, message)| match asking.vendor {
            Vendor::Anthropic => {
                let kind = if status == 404 { "not_found_error" } else { "invalid_request_error" };
                anthropic::error::Refusal::other(status, kind, message).answer()
            }
            _ if param.is_empty() => {
                openai::error::Refusal::other(status, "invalid_request_error", None, message).answer()
            }
            _ => openai::error::Refusal::plain(param, message).answer(),
        })
    }
}

fn no(status: u16, param: &'static str, message: impl Into<String>) -> Refused {
    Refused(status, param, message.into())
}

fn answered(object: &Value) -> Result<Answer, Refused> {
    Ok(Answer::json(200, object))
}

impl Room {
    fn id(&mut self, prefix: &str, asking: &Asking<'_>) -> String {
        self.made += 1;
        let mut chance = Chance::new(asking.seed, &[prefix.as_bytes(), &self.made.to_le_bytes()]);
        format!("{prefix}{}", chance.name(22))
    }

    fn put(&mut self, asking: &Asking<'_>, id: &str, thing: Thing) -> Result<(), Refused> {
        if self.things.len() >= THINGS_MAX || self.bytes + thing.data.len() > BYTES_MAX {
            return Err(no(400, "", "Storage quota exceeded."));
        }
        self.bytes += thing.data.len();
        self.things.insert((asking.caller.to_owned(), id.to_owned()), thing);
        Ok(())
    }

    fn get(&mut self, asking: &Asking<'_>, held: &Held) -> Result<&mut Thing, Refused> {
        let id = held.id.clone().unwrap_or_default();
        let missing = no(404, "", format!("No such {} object: {id}", held.collection.trim_end_matches('s')));
        self.things.get_mut(&(asking.caller.to_owned(), id)).ok_or(missing)
    }

    fn list(&self, asking: &Asking<'_>, kind: &str) -> Value {
        let mut data: Vec<Value> = self
            .things
            .iter()
            .filter(|((caller, _), thing)| caller == asking.caller && kind_of(&thing.object) == kind)
            .map(|(_, thing)| thing.object.clone())
            .collect();
        data.sort_by_key(|object| object["id"].to_string());
        json!({ "object": "list", "data": data, "has_more": false, "first_id": null, "last_id": null })
    }

    fn files(&mut self, held: &Held, asking: &Asking<'_>) -> Result<Answer, Refused> {
        if asking.vendor == Vendor::Anthropic && !asking.beta.contains(FILES_BETA) {
            return Err(no(400, "", "anthropic-beta: the files API needs its beta header"));
        }
        match (&held.id, *asking.method == Method::POST) {
            (None, true) => {
                let object = self.new_file(asking)?;
                answered(&object)
            }
            (None, false) => answered(&self.list(asking, "file")),
            (Some(id), _) if *asking.method == Method::DELETE => {
                self.get(asking, held)?;
                self.things.remove(&(asking.caller.to_owned(), id.clone()));
                answered(&match asking.vendor {
                    Vendor::Anthropic => json!({ "id": id, "type": "file_deleted" }),
                    _ => json!({ "id": id, "object": "file", "deleted": true }),
                })
            }
            (Some(_), _) => {
                let thing = self.get(asking, held)?.clone();
                if held.part.is_none() {
                    return answered(&thing.object);
                }
                Ok(Answer {
                    content_type: "application/octet-stream",
                    headers: vec![(
                        "content-disposition",
                        format!("attachment; filename={}", thing.object["filename"]),
                    )],
                    frames: vec![thing.data],
                    ..Answer::json(200, &Value::Null)
                })
            }
        }
    }

    fn new_file(&mut self, asking: &Asking<'_>) -> Result<Value, Refused> {
        let parts = parts(asking)?;
        let file = parts.iter().find(|p| p.name == "file" && p.filename.is_some());
        let file = file.ok_or_else(|| no(400, "file", "'file' is a required property"))?;
        let name = file.filename.clone().unwrap_or_default();
        if asking.vendor == Vendor::Anthropic {
            let id = self.id("file_", asking);
            let object = json!({ "id": id, "type": "file", "filename": name, "mime_type": file.content_type, "size_bytes": file.data.len(), "created_at": "2026-11-22T00:00:00Z", "downloadable": false });
            self.put(
                asking,
                &id,
                Thing { object: object.clone(), data: file.data.clone().into(), ..Thing::default() },
            )?;
            return Ok(object);
        }
        let purpose =
            parts.iter().find(|p| p.name == "purpose").map(|p| String::from_utf8_lossy(&p.data).into_owned());
        let known = ["assistants", "batch", "fine-tune", "vision", "user_data", "evals"];
        let purpose = purpose.filter(|p| known.contains(&p.as_str()));
        let purpose = purpose.ok_or_else(|| no(400, "purpose", "'purpose' is a required property"))?;
        if let Some(extra) = parts
            .iter()
            .find(|p| !["file", "purpose"].contains(&p.name.as_str()) && !p.name.starts_with("expires_after"))
        {
            return Err(no(400, "", format!("Unrecognized request argument supplied: {}", extra.name)));
        }
        self.keep_file(asking, &name, &purpose, file.data.clone().into())
    }

    fn keep_file(
        &mut self,
        asking: &Asking<'_>,
        name: &str,
        purpose: &str,
        data: Bytes,
    ) -> Result<Value, Refused> {
        let id = self.id("file-", asking);
        let object = json!({ "id": id, "object": "file", "bytes": data.len(), "created_at": asking.now_s, "filename": name, "purpose": purpose, "status": "processed", "sim_digest": multipart::hex(&data) });
        self.put(asking, &id, Thing { object: object.clone(), data, ..Thing::default() })?;
        Ok(object)
    }

    fn uploads(&mut self, held: &Held, asking: &Asking<'_>) -> Result<Answer, Refused> {
        match held.part {
            None => {
                let request = body(asking)?;
                for name in ["filename", "purpose", "bytes", "mime_type"] {
                    if request.get(name).is_none() {
                        return Err(no(400, name, format!("Missing required parameter: '{name}'.")));
                    }
                }
                let id = self.id("upload_", asking);
                let object = json!({ "id": id, "object": "upload", "bytes": request["bytes"], "created_at": asking.now_s, "filename": request["filename"], "purpose": request["purpose"], "status": "pending", "expires_at": asking.now_s + 3600 });
                self.put(asking, &id, Thing { object: object.clone(), ..Thing::default() })?;
                answered(&object)
            }
            Some("parts") => {
                let parts = parts(asking)?;
                let data = parts
                    .iter()
                    .find(|p| p.name == "data")
                    .ok_or_else(|| no(400, "data", "'data' is a required property"))?;
                let id = self.id("part_", asking);
                let upload = held.id.clone().unwrap_or_default();
                self.get(asking, held)?.parts.push(id.clone());
                let object = json!({ "id": id, "object": "upload.part", "created_at": asking.now_s, "upload_id": upload });
                self.put(
                    asking,
                    &id,
                    Thing { object: object.clone(), data: data.data.clone().into(), ..Thing::default() },
                )?;
                answered(&object)
            }
            Some("complete") => self.complete(held, asking),
            Some(_) => {
                let thing = self.get(asking, held)?;
                thing.object["status"] = json!("cancelled");
                answered(&thing.object)
            }
        }
    }

    fn complete(&mut self, held: &Held, asking: &Asking<'_>) -> Result<Answer, Refused> {
        let request = body(asking)?;
        let upload = self.get(asking, held)?.clone();
        let ids: Vec<String> = crate::shape::list(&request, "part_ids")
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        let mut data = Vec::new();
        for id in &ids {
            let part = self
                .things
                .get(&(asking.caller.to_owned(), id.clone()))
                .filter(|_| upload.parts.contains(id));
            let part =
                part.ok_or_else(|| no(400, "part_ids", format!("Part {id} was not found in this upload.")))?;
            data.extend_from_slice(&part.data);
        }
        if upload.object["bytes"].as_u64() != Some(data.len() as u64) {
            return Err(no(400, "bytes", "The number of bytes uploaded does not match the upload's."));
        }
        let (name, purpose) =
            (crate::shape::text(&upload.object, "filename"), crate::shape::text(&upload.object, "purpose"));
        let file = self.keep_file(asking, name, purpose, data.into())?;
        let thing = self.get(asking, held)?;
        thing.object["status"] = json!("completed");
        thing.object["file"] = file;
        answered(&thing.object)
    }

    fn batches(&mut self, held: &Held, asking: &Asking<'_>) -> Result<Answer, Refused> {
        let is_anthropic = asking.vendor == Vendor::Anthropic;
        match (&held.id, held.part, asking.method) {
            (None, _, &Method::POST) if is_anthropic => self.new_message_batch(asking),
            (None, _, &Method::POST) => self.new_batch(asking),
            (None, ..) => answered(&self.list(asking, if is_anthropic { "message_batch" } else { "batch" })),
            (Some(id), _, &Method::DELETE) => {
                self.get(asking, held)?;
                self.things.remove(&(asking.caller.to_owned(), id.clone()));
                answered(&json!({ "id": id, "type": "message_batch_deleted" }))
            }
            (Some(_), Some("results"), _) => {
                let thing = self.get(asking, held)?;
                Ok(Answer {
                    content_type: "application/x-jsonl",
                    frames: vec![thing.data.clone()],
                    ..Answer::json(200, &Value::Null)
                })
            }
            (Some(_), Some(_), _) => {
                let thing = self.get(asking, held)?;
                let (name, word) =
                    if is_anthropic { ("processing_status", "canceling") } else { ("status", "cancelling") };
                thing.object[name] = json!(word);
                answered(&thing.object)
            }
            (Some(_), None, _) if is_anthropic => {
                let thing = self.get(asking, held)?;
                thing.looks += 1;
                if thing.looks > 1 {
                    thing.object["processing_status"] = json!("ended");
                }
                answered(&thing.object)
            }
            (Some(_), None, _) => self.look_at_batch(held, asking),
        }
    }

    fn new_batch(&mut self, asking: &Asking<'_>) -> Result<Answer, Refused> {
        let request = body(asking)?;
        let of = |name: &str| crate::shape::text(&request, name);
        let file = self.things.get(&(asking.caller.to_owned(), of("input_file_id").to_owned())).cloned();
        let file = file.filter(|file| file.object["purpose"] == json!("batch"));
        let file = file
            .ok_or_else(|| no(400, "input_file_id", "The input file was not found or is not for batches."))?;
        if of("endpoint") != "/v1/chat/completions" || of("completion_window") != "24h" {
            return Err(no(
                400,
                "endpoint",
                "endpoint and completion_window must be ones that are supported",
            ));
        }
        let lines = String::from_utf8_lossy(&file.data).lines().filter(|l| !l.trim().is_empty()).count();
        let id = self.id("batch_", asking);
        let object = json!({ "id": id, "object": "batch", "endpoint": of("endpoint"), "errors": null, "input_file_id": of("input_file_id"), "completion_window": "24h", "status": "validating", "output_file_id": null, "error_file_id": null, "created_at": asking.now_s, "completed_at": null, "request_counts": { "total": lines, "completed": 0, "failed": 0 }, "metadata": request.get("metadata") });
        self.put(asking, &id, Thing { object: object.clone(), data: file.data, ..Thing::default() })?;
        answered(&object)
    }

    /// The first look finds a batch at work, the second one done.
    fn look_at_batch(&mut self, held: &Held, asking: &Asking<'_>) -> Result<Answer, Refused> {
        let thing = self.get(asking, held)?;
        thing.looks += 1;
        if thing.looks == 1 {
            thing.object["status"] = json!("in_progress");
        }
        if thing.looks != 2 {
            let object = thing.object.clone();
            return answered(&object);
        }
        let input = thing.data.clone();
        let lines: Vec<Value> =
            input.split(|b| *b == b'\n').filter_map(|l| serde_json::from_slice(l).ok()).collect();
        let results: Vec<String> = lines
            .iter()
            .map(|line| json!({ "id": "batch_req_1", "custom_id": line["custom_id"], "response": { "status_code": 200, "body": { "choices": [] } }, "error": null }).to_string())
            .collect();
        let output = self.keep_file(
            asking,
            "batch_output.jsonl",
            "batch_output",
            Bytes::from(results.join("\n") + "\n"),
        )?;
        let count = lines.len() as u64;
        let thing = self.get(asking, held)?;
        thing.object["status"] = json!("completed");
        thing.object["completed_at"] = json!(asking.now_s);
        thing.object["output_file_id"] = output["id"].clone();
        thing.object["model"] = lines.first().map_or(Value::Null, |line| line["body"]["model"].clone());
        thing.object["usage"] = json!({ "input_tokens": 100 * count, "input_tokens_details": { "cached_tokens": 0 }, "output_tokens": 10 * count, "output_tokens_details": { "reasoning_tokens": 0 }, "total_tokens": 110 * count });
        let object = thing.object.clone();
        answered(&object)
    }

    fn new_message_batch(&mut self, asking: &Asking<'_>) -> Result<Answer, Refused> {
        let request = body(asking)?;
        let requests = crate::shape::list(&request, "requests");
        if requests.is_empty() || requests.iter().any(|r| r["custom_id"].is_null() || r["params"].is_null()) {
            return Err(no(400, "", "requests: each needs custom_id and params"));
        }
        let id = self.id("msgbatch_", asking);
        let lines: Vec<String> = requests
            .iter()
            .map(|r| json!({ "custom_id": r["custom_id"], "result": { "type": "succeeded" } }).to_string())
            .collect();
        let object = json!({ "id": id, "type": "message_batch", "processing_status": "in_progress", "request_counts": { "processing": requests.len(), "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0 }, "created_at": "2026-11-22T00:00:00Z", "expires_at": "2026-11-23T00:00:00Z", "ended_at": null, "results_url": null });
        self.put(
            asking,
            &id,
            Thing { object: object.clone(), data: Bytes::from(lines.join("\n")), ..Thing::default() },
        )?;
        answered(&object)
    }
}

fn kind_of(object: &Value) -> &str {
    object.get("object").or_else(|| object.get("type")).and_then(Value::as_str).unwrap_or_default()
}

fn body(asking: &Asking<'_>) -> Result<Value, Refused> {
    serde_json::from_slice(asking.body)
        .map_err(|_| no(400, "", "We could not parse the JSON body of your request."))
}

fn parts(asking: &Asking<'_>) -> Result<Vec<Part>, Refused> {
    let boundary =
        asking.boundary.as_deref().ok_or_else(|| no(400, "", "the body must be multipart/form-data"))?;
    multipart::parts(asking.body, boundary)
        .map_err(|why| no(400, "", format!("Could not parse multipart form: {why}")))
}
