//! Multipart forms, read as strictly as the providers' own readers do (RFC 7578).

use crate::chance::digest;
use http::HeaderMap;
use serde_json::{Map, Value, json};

/// Fields that hold a number or a truth value as text.
const SCALARS: &[&str] =
    &["n", "stream", "temperature", "output_compression", "partial_images", "size_bytes"];

/// One part of a form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) filename: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) data: Vec<u8>,
}

/// The boundary, if the headers announce a form.
pub(crate) fn boundary(headers: &HeaderMap) -> Option<String> {
    let kind = headers.get("content-type")?.to_str().ok()?;
    let rest = kind.strip_prefix("multipart/form-data")?;
    let value = rest.split(';').find_map(|p| p.trim().strip_prefix("boundary="))?;
    Some(value.trim_matches('"').to_owned())
}

/// Cuts a body into its parts; an error says what is wrong with it.
pub(crate) fn parts(body: &[u8], boundary: &str) -> Result<Vec<Part>, &'static str> {
    let delimiter = format!("--{boundary}");
    let mut rest = body.strip_prefix(delimiter.as_bytes()).ok_or("no delimiter at the beginning")?;
    let inner = format!("\r\n{delimiter}");
    let mut out = Vec::new();
    loop {
        if let Some(behind) = rest.strip_prefix(b"--") {
            return if behind.trim_ascii().is_empty() { Ok(out) } else { Err("bytes behind the end") };
        }
        rest = rest.strip_prefix(b"\r\n").ok_or("a delimiter without its line end")?;
        let head_end =
            memchr::memmem::find(rest, b"\r\n\r\n").ok_or("a part without an end of its headers")?;
        let head = std::str::from_utf8(&rest[..head_end]).map_err(|_| "headers that are not UTF-8")?;
        rest = &rest[head_end + 4..];
        let end =
            memchr::memmem::find(rest, inner.as_bytes()).ok_or("a part without a delimiter behind it")?;
        out.push(part(head, rest[..end].to_vec())?);
        rest = &rest[end + inner.len()..];
    }
}

fn part(head: &str, data: Vec<u8>) -> Result<Part, &'static str> {
    let header = |wanted: &str| {
        head.split("\r\n").find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    };
    let disposition = header("content-disposition").ok_or("a part without content-disposition")?;
    let parameter = |wanted: &str| {
        let value = disposition.split(';').find_map(|p| p.trim().strip_prefix(wanted)?.strip_prefix('='))?;
        Some(value.trim_matches('"').to_owned())
    };
    let name = parameter("name").ok_or("a part without a name")?;
    let content_type = header("content-type").map(str::to_owned);
    Ok(Part { name, filename: parameter("filename"), content_type, data })
}

/// A form as the request that it stands for: files by their name, type, size and digest.
pub(crate) fn request(parts: &[Part]) -> Value {
    let mut out = Map::new();
    for part in parts {
        let value = match &part.filename {
            Some(filename) => json!({
                "filename": filename,
                "type": part.content_type,
                "bytes": part.data.len(),
                "digest": hex(&part.data),
            }),
            None => {
                let text = String::from_utf8_lossy(&part.data).into_owned();
                let scalar =
                    serde_json::from_str(&text).ok().filter(|v: &Value| v.is_boolean() || v.is_number());
                scalar.filter(|_| SCALARS.contains(&part.name.as_str())).unwrap_or(Value::String(text))
            }
        };
        match (part.name.strip_suffix("[]"), out.get_mut(part.name.trim_end_matches("[]"))) {
            (Some(_), Some(Value::Array(list))) => list.push(value),
            (Some(name), _) => drop(out.insert(name.to_owned(), Value::Array(vec![value]))),
            // A repeated field is what no provider agrees on.
            (None, Some(_)) => drop(out.insert(part.name.clone(), json!({ "repeated": true }))),
            (None, None) => drop(out.insert(part.name.clone(), value)),
        }
    }
    Value::Object(out)
}

/// A digest of a file, as the log shows it.
pub(crate) fn hex(data: &[u8]) -> String {
    digest(0, &[data])[..8].iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--b\r\nContent-Disposition: form-data; name=\"image[]\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\r\n--\r\n--b\r\ncontent-disposition: form-data; name=\"n\"\r\n\r\n2\r\n--b--\r\n";

    #[test]
    fn forms_become_the_requests_that_they_stand_for() {
        let request = request(&parts(BODY.as_bytes(), "b").unwrap());
        assert_eq!((&request["model"], &request["n"]), (&json!("m"), &json!(2)));
        assert_eq!(
            (&request["image"][0]["bytes"], &request["image"][0]["type"]),
            (&json!(4), &json!("image/png"))
        );
    }

    #[test]
    fn forms_that_are_not_as_they_must_be_are_refused() {
        for cut in [3, 40, BODY.len() - 6] {
            assert!(parts(&BODY.as_bytes()[..cut], "b").is_err(), "{cut}");
        }
        assert!(parts(BODY.as_bytes(), "c").is_err());
    }
}
