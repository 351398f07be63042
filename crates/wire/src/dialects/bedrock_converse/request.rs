//! Converse requests, read and written.

pub(super) mod decode;
pub(super) mod encode;
mod fields;
mod messages;
mod tools;

/// Where the fields that are the model's own are kept whole: what is read of them is read twice.
const FIELDS: &str = "@additionalModelRequestFields";
/// Where the effort stands as it was asked for: a model's own fields may ask for one too.
const EFFORT: &str = "@effort";
/// Before names of those fields that are not read.
const FIELD: &str = "additionalModelRequestFields.";
/// Before names inside `inferenceConfig` that are not read.
const INFERENCE: &str = "inferenceConfig.";
/// Before names inside `toolConfig` that are not read.
const TOOL_CONFIG: &str = "toolConfig.";
/// Before names inside `outputConfig` that are not read.
const OUTPUT: &str = "outputConfig.";

/// Whether a model is one of Amazon's Nova.
fn is_nova(model: &str) -> bool {
    model.contains("nova")
}
