//! The body of a call that passes: JSON whole, forms as they come.
//!
//! A form must pass its model's name before anybody knows where it goes. SDKs send fields in the order in which they are
//! given, so that the file may stand first: what comes before the name is held, within the bound of bodies that are held, and
//! all that follows is never held. Behind the name the form is still read along, because a second name would be the one that
//! the vendor takes.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::exchange::Note;
use pilothouse_upstream::{Broken, Source, Upload};
use pilothouse_wire::head::{self, Head};
use pilothouse_wire::multipart::{Field, Form};
use pilothouse_wire::scan::Members;

use super::super::choose::Choice;
use super::super::read::{self, Held};
use super::Passing;
use crate::endpoints::{Pass, Verb};
use crate::job::Job;
use crate::plan::Plan;
use crate::shared::Worker;
use crate::told::number;

/// A body that was given.
pub(super) enum Given {
    /// None.
    Nothing,
    /// JSON, whole.
    Json { body: Held, members: Members, model: Option<String> },
    /// A form that is still coming.
    Form(Box<ComingForm>),
}

/// A form that is still coming.
pub(super) struct ComingForm {
    /// What has come.
    before: VecDeque<Bytes>,
    counted: Held,
    rest: Incoming,
    /// Reads along, where the form names a model.
    form: Option<Form>,
    length: Option<u64>,
}

/// Reads as much of a body as must be known.
pub(super) async fn read(
    worker: &Arc<Worker>,
    plan: &Plan,
    passing: &Passing<'_>,
    incoming: Incoming,
) -> Result<Given, Error> {
    if passing.verb() != Verb::Post {
        return Ok(Given::Nothing);
    }
    let kind = passing.told.all.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.trim_start().get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/")) {
        return form(worker, plan, passing, incoming, kind).await;
    }
    let body = read::body(worker, plan, passing.told, incoming).await?;
    if body.is_empty() {
        return Ok(Given::Nothing);
    }
    if !kind.is_empty() && !kind.trim_start().to_ascii_lowercase().starts_with("application/json") {
        let public = "this endpoint takes application/json or multipart/form-data; set the content type";
        return Err(Error::bad_request("content-type", public));
    }
    let (members, model) = {
        let head = Head::read(&body)?;
        let model = match head.get("model") {
            None | Some(b"null") => None,
            Some(_) => Some(head.model()?.into_owned()),
        };
        (head.into_members(), model)
    };
    Ok(Given::Json { body, members, model })
}

async fn form(
    worker: &Arc<Worker>,
    plan: &Plan,
    passing: &Passing<'_>,
    incoming: Incoming,
    kind: &str,
) -> Result<Given, Error> {
    let length = number::<u64>(passing.told.content_length);
    if length.is_some_and(|length| length > plan.upload_bytes_max) {
        return Err(too_large(plan.upload_bytes_max));
    }
    let no_form = || Error::bad_request("content-type", "this multipart content type has no boundary");
    let reader = Form::new(kind, "model").ok_or_else(no_form)?;
    let mut coming = ComingForm {
        before: VecDeque::new(),
        counted: Held::nothing(&worker.shared),
        rest: incoming,
        form: matches!(passing.pass, Pass::Model(_)).then_some(reader),
        length,
    };
    coming.read_name(plan).await?;
    Ok(Given::Form(Box::new(coming)))
}

impl ComingForm {
    /// Reads on until the model's name has come, or the form's end.
    async fn read_name(&mut self, plan: &Plan) -> Result<(), Error> {
        let Some(form) = &mut self.form else { return Ok(()) };
        while form.found().is_none() {
            let Some(frame) = self.rest.frame().await else { return form.finish() };
            let frame = frame.map_err(|error| broke_off().because(error))?;
            let Ok(data) = frame.into_data() else { continue };
            self.counted.grow(data.len() as u64, plan.inflight_bytes_max)?;
            form.push(&data)?;
            self.before.push_back(data);
            if form.found().is_none() && self.counted.counted() > plan.body_bytes_max {
                let max = plan.body_bytes_max;
                let public = format!(
                    "the form names no `model` within its first {max} bytes; put that field before the file, or raise \
                     body_bytes_max in [server]"
                );
                return Err(Error::new(Kind::TooLarge, public));
            }
        }
        Ok(())
    }

    fn field(&self) -> Option<&Field> {
        self.form.as_ref()?.found()
    }

    /// The form as it goes to the vendor: with the model's own name, where the client used another.
    pub(super) fn into_upload(mut self: Box<Self>, choice: &Choice, max: u64, job: &mut Job) -> Upload {
        let model = &choice.resolution.target.model;
        let renamed = self.field().filter(|field| field.value != **model).cloned();
        let mut length = self.length;
        if let Some(field) = renamed.filter(|_| choice.resolution.is_renamed) {
            replace(&mut self.before, &field, model);
            length = length.map(|length| length - (field.range.end - field.range.start) + model.len() as u64);
            job.edited(Note::code("set:model"));
        }
        let came = self.counted.counted();
        Upload::new(Box::new(ComingBody { form: self, came, max }), length)
    }
}

/// Puts the model's name where the field's value stands.
fn replace(pieces: &mut VecDeque<Bytes>, field: &Field, model: &str) {
    let whole: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).collect();
    let whole = Bytes::from(whole);
    // The field was found in these pieces, so that its place is in a body that memory holds.
    let [start, end] =
        [field.range.start, field.range.end].map(|at| usize::try_from(at).unwrap_or(whole.len()));
    let parts = [whole.slice(..start), Bytes::copy_from_slice(model.as_bytes()), whole.slice(end..)];
    pieces.clear();
    pieces.extend(parts.into_iter().filter(|part| !part.is_empty()));
}

/// What is left of a form, on its way to the vendor.
struct ComingBody {
    form: Box<ComingForm>,
    came: u64,
    max: u64,
}

impl Source for ComingBody {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        let coming = &mut *self.form;
        if let Some(piece) = coming.before.pop_front() {
            if coming.before.is_empty() {
                coming.counted.release();
            }
            return Poll::Ready(Some(Ok(piece)));
        }
        loop {
            if coming.rest.is_end_stream() {
                return Poll::Ready(self.end());
            }
            let Some(frame) = ready!(Pin::new(&mut coming.rest).poll_frame(cx)) else {
                return Poll::Ready(self.end());
            };
            let Ok(frame) = frame else { return Poll::Ready(Some(Err(of(&broke_off())))) };
            let Ok(data) = frame.into_data() else { continue };
            self.came += data.len() as u64;
            if self.came > self.max {
                return Poll::Ready(Some(Err(of(&too_large(self.max)))));
            }
            if let Some(Err(error)) = coming.form.as_mut().map(|form| form.push(&data)) {
                return Poll::Ready(Some(Err(of(&error))));
            }
            return Poll::Ready(Some(Ok(data)));
        }
    }
}

impl ComingBody {
    fn end(&self) -> Option<Result<Bytes, Broken>> {
        self.form.form.as_ref().and_then(|form| form.finish().err()).map(|error| Err(of(&error)))
    }
}

fn of(error: &Error) -> Broken {
    Broken::new(error.kind, error.public.clone())
}

fn broke_off() -> Error {
    Error::new(Kind::BadRequest, "the request body broke off before its end")
}

fn too_large(max: u64) -> Error {
    let public = format!("the upload exceeds {max} bytes; raise upload_bytes_max in [server]");
    Error::new(Kind::TooLarge, public)
}

impl Given {
    /// The model that is named.
    pub(super) fn model(&self) -> Option<&str> {
        match self {
            Self::Nothing => None,
            Self::Json { model, .. } => model.as_deref(),
            Self::Form(form) => form.field().map(|field| field.value.as_str()),
        }
    }

    /// A text among the members of JSON.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let Self::Json { body, members, .. } = self else { return None };
        members.get(body, name).and_then(pilothouse_wire::scan::text_value).map(std::borrow::Cow::into_owned)
    }

    /// How many bytes it has, or is said to have.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::Json { body, .. } => body.len() as u64,
            Self::Form(form) => form.length.unwrap_or(0),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// The bytes of JSON.
    pub(super) fn bytes_of(&self) -> &[u8] {
        match self {
            Self::Json { body, .. } => body,
            _ => &[],
        }
    }

    /// The edits that JSON needs.
    pub(super) fn edits(&self, choice: &Choice, job: &mut Job) -> head::Edits {
        let mut edits = head::Edits::new();
        let Self::Json { body, members, model: Some(model) } = self else { return edits };
        let wanted = &choice.resolution.target.model;
        if choice.resolution.is_renamed && model != &**wanted {
            edits.extend(Head::over(body, members).set_model(wanted));
            job.edited(Note::code("set:model"));
        }
        edits
    }
}
