//! What a request tells the model, as lines that are the same in every dialect: who says what, which tool is called with what,
//! what it gave back, which tools there are. Thinking is left out: it is proved by signatures, which the fleet verifies.

use serde_json::{Value, json};

use super::Tongue;

/// Reads a request.
pub(crate) fn told(tongue: Tongue, body: &Value) -> Vec<String> {
    let mut lines = Lines::default();
    for tool in items(&body["tools"]).chain(items(&body["toolConfig"]["tools"])) {
        for tool in one_or(tool, &tool["functionDeclarations"]) {
            lines.tool(tool);
        }
    }
    match tongue {
        Tongue::Responses => {
            lines.say("system", &body["instructions"]);
            lines.say("user", &body["input"]);
            items(&body["input"]).for_each(|item| lines.item(item));
        }
        Tongue::Gemini => {
            for content in std::iter::once(&body["systemInstruction"]).chain(items(&body["contents"])) {
                let role = match content["role"].as_str() {
                    Some("model") => "assistant",
                    _ if content == &body["systemInstruction"] => "system",
                    _ => "user",
                };
                items(&content["parts"]).for_each(|part| lines.part(role, part));
            }
        }
        _ => {
            lines.content("system", &body["system"]);
            for message in items(&body["messages"]) {
                let role = message["role"].as_str().unwrap();
                let role = if role == "developer" { "system" } else { role };
                lines.content(role, &message["content"]);
                for call in items(&message["tool_calls"]) {
                    lines.call(&call["function"]["name"], &call["function"]["arguments"]);
                }
            }
        }
    }
    lines.0
}

#[derive(Default)]
struct Lines(Vec<String>);

impl Lines {
    /// Adds text; what one speaker says in a row is one line.
    fn say(&mut self, role: &str, text: &Value) {
        let Some(text) = text.as_str().filter(|text| !text.is_empty()) else { return };
        let head = format!("{}: ", if role == "tool" { "result" } else { role });
        match self.0.last_mut() {
            Some(last) if last.starts_with(&head) && role == "assistant" => last.push_str(text),
            _ => self.0.push(head + text),
        }
    }

    fn call(&mut self, name: &Value, arguments: &Value) {
        let arguments = match arguments.as_str() {
            Some(text) => serde_json::from_str(text).unwrap(),
            None => arguments.clone(),
        };
        self.0.push(format!("call: {} {arguments}", name.as_str().unwrap()));
    }

    fn tool(&mut self, tool: &Value) {
        let tool =
            [&tool["function"], &tool["toolSpec"], tool].into_iter().find(|one| one["name"].is_string());
        let tool = tool.unwrap();
        let found = ["parameters", "parametersJsonSchema", "input_schema"].map(|name| &tool[name]);
        let schema = found.into_iter().chain([&tool["inputSchema"]["json"]]).find(|one| one.is_object());
        let arguments: Vec<&String> = schema.unwrap()["properties"].as_object().unwrap().keys().collect();
        self.0.push(format!("tool: {} {} {arguments:?}", tool["name"], tool["description"]));
    }

    /// A message's content: text, or blocks.
    fn content(&mut self, role: &str, content: &Value) {
        self.say(role, content);
        for block in items(content) {
            let result = if block["type"] == "tool_result" { block } else { &block["toolResult"] };
            if result.is_object() {
                self.say("tool", &result["content"]);
                items(&result["content"]).for_each(|part| self.say("tool", &part["text"]));
            } else if block["type"] == "tool_use" || block["toolUse"].is_object() {
                let call = if block["toolUse"].is_object() { &block["toolUse"] } else { block };
                self.call(&call["name"], &call["input"]);
            } else {
                self.say(role, &block["text"]);
                self.media(block);
            }
        }
    }

    fn media(&mut self, block: &Value) {
        let places = [
            &block["image_url"]["url"],
            &block["image_url"],
            &block["source"]["url"],
            &block["source"]["data"],
            &block["image"]["source"]["bytes"],
            &block["fileData"]["fileUri"],
            &block["inlineData"]["data"],
        ];
        if let Some(place) = places.into_iter().find_map(Value::as_str) {
            let data = place.rsplit_once("base64,").map_or(place, |(_, data)| data);
            self.0.push(format!("image: {data}"));
        }
    }

    fn item(&mut self, item: &Value) {
        match item["type"].as_str().unwrap_or("message") {
            "message" => {
                let role = item["role"].as_str().unwrap();
                self.content(if role == "developer" { "system" } else { role }, &item["content"]);
            }
            "function_call" => self.call(&item["name"], &item["arguments"]),
            "function_call_output" => self.content("tool", &item["output"]),
            _ => {}
        }
    }

    fn part(&mut self, role: &str, part: &Value) {
        if part["thought"] == true {
            return;
        }
        let (call, result) = (&part["functionCall"], &part["functionResponse"]);
        if call.is_object() {
            self.call(&call["name"], call.get("args").unwrap_or(&json!({})));
        } else if result.is_object() {
            let mut values = result["response"].as_object().into_iter().flat_map(|one| one.values());
            self.say("tool", values.next().unwrap_or(&Value::Null));
        } else {
            self.say(role, &part["text"]);
            self.media(part);
        }
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The list's items, or the one thing where there is no list.
fn one_or<'a>(one: &'a Value, many: &'a Value) -> Vec<&'a Value> {
    many.as_array().map_or_else(|| vec![one], |many| many.iter().collect())
}
