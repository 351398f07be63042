//! A program without a language: what a generated file of code says before a syntax says how it looks.

use super::draw::Draw;
use super::words::{self, deed, name, sentence};

/// How deep blocks lie within each other.
const DEPTH_MAX: usize = 3;

/// Something with a value.
pub(crate) enum Expression {
    Name(String),
    Text(String),
    Number(String),
    /// `path` is joined as the language does it; arguments may be named.
    Call {
        path: Vec<String>,
        arguments: Vec<(Option<String>, Expression)>,
    },
    Both(Box<Expression>, &'static str, Box<Expression>),
    List(Vec<Expression>),
    Table(Vec<(String, Expression)>),
}

/// Something that is done.
pub(crate) enum Statement {
    Let(String, Expression),
    Do(Expression),
    If { condition: Expression, then: Vec<Statement>, otherwise: Vec<Statement> },
    For { name: String, over: Expression, body: Vec<Statement> },
    Return(Expression),
    Comment(String),
}

/// A function with what it takes.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) takes: Vec<String>,
    pub(crate) body: Vec<Statement>,
}

/// A type with functions.
pub(crate) struct Class {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) functions: Vec<Function>,
}

/// A type; `id` is the model that its first function calls. A brief one has one function without blocks.
pub(crate) fn class(draw: &mut Draw, id: Option<&'static str>, is_brief: bool) -> Class {
    let count = if is_brief { 1 } else { draw.between(1, 3) };
    let functions = (0..count).map(|index| function(draw, id.filter(|_| index == 0), is_brief)).collect();
    let title = format!("{}_{}_{}", draw.one_of(words::ADJECTIVES), name(draw), draw.one_of(words::NOUNS));
    Class { name: title, about: sentence(draw, 2), functions }
}

/// A function; `id` is the model that it calls.
fn function(draw: &mut Draw, id: Option<&'static str>, is_brief: bool) -> Function {
    let takes = (0..draw.between(1, 4)).map(|_| name(draw)).collect();
    let mut body = if is_brief { statements(draw, 2, 3, DEPTH_MAX) } else { statements(draw, 2, 7, 0) };
    if let Some(id) = id {
        let place = draw.below(body.len());
        body.insert(place, model_call(draw, id));
    }
    body.push(Statement::Return(expression(draw, 1)));
    Function { name: deed(draw), about: sentence(draw, 1), takes, body }
}

fn statements(draw: &mut Draw, least: usize, most: usize, depth: usize) -> Vec<Statement> {
    (0..draw.between(least, most)).map(|_| statement(draw, depth)).collect()
}

fn statement(draw: &mut Draw, depth: usize) -> Statement {
    let deepest = depth >= DEPTH_MAX;
    match draw.below(20) {
        0..=7 => Statement::Let(name(draw), expression(draw, 2)),
        8..=11 => Statement::Do(call(draw, 2)),
        12..=14 if !deepest => Statement::If {
            condition: compared(draw),
            then: statements(draw, 1, 3, depth + 1),
            otherwise: if draw.percent(35) { statements(draw, 1, 2, depth + 1) } else { Vec::new() },
        },
        15..=16 if !deepest => Statement::For {
            name: draw.one_of(words::NOUNS).to_owned(),
            over: call(draw, 1),
            body: statements(draw, 1, 4, depth + 1),
        },
        17 | 18 => Statement::Comment(sentence(draw, 1)),
        _ => Statement::Let(name(draw), table(draw, 1)),
    }
}

fn compared(draw: &mut Draw) -> Expression {
    let operator = draw.one_of(&["<", ">", "<=", ">=", "==", "!="]);
    Expression::Both(Box::new(call(draw, 0)), operator, Box::new(number(draw)))
}

fn expression(draw: &mut Draw, depth: usize) -> Expression {
    match draw.below(12) {
        0 | 1 => Expression::Name(name(draw)),
        2 | 3 => text(draw),
        4 => number(draw),
        5 if depth > 0 => {
            Expression::List((0..draw.between(1, 4)).map(|_| expression(draw, depth - 1)).collect())
        }
        6 if depth > 0 => table(draw, depth - 1),
        7 => {
            let operator = draw.one_of(&["+", "-", "*"]);
            Expression::Both(Box::new(Expression::Name(name(draw))), operator, Box::new(number(draw)))
        }
        _ if depth > 0 => call(draw, depth - 1),
        _ => Expression::Name(name(draw)),
    }
}

fn call(draw: &mut Draw, depth: usize) -> Expression {
    let mut path = vec![name(draw)];
    if draw.percent(30) {
        path.push(draw.one_of(words::NOUNS).to_owned());
    }
    path.push(deed(draw));
    let is_named = draw.percent(25);
    let arguments =
        (0..draw.below(4)).map(|_| (is_named.then(|| name(draw)), expression(draw, depth))).collect();
    Expression::Call { path, arguments }
}

fn table(draw: &mut Draw, depth: usize) -> Expression {
    Expression::Table((0..draw.between(1, 4)).map(|_| (name(draw), expression(draw, depth))).collect())
}

fn text(draw: &mut Draw) -> Expression {
    Expression::Text(match draw.below(5) {
        0 => draw.one_of(words::NOUNS).to_owned(),
        1 => {
            format!("{}/{}/{}", draw.one_of(words::NOUNS), draw.one_of(words::ADJECTIVES), draw.below(10_000))
        }
        2 => format!(
            "https://{}.example.com/v{}/{}",
            draw.one_of(words::NOUNS),
            draw.between(1, 4),
            name(draw)
        ),
        _ => sentence(draw, 1),
    })
}

fn number(draw: &mut Draw) -> Expression {
    Expression::Number(match draw.below(3) {
        0 => draw.below(10).to_string(),
        1 => draw.below(100_000).to_string(),
        _ => format!("{}.{}", draw.below(100), draw.between(1, 99)),
    })
}

/// A call as an SDK of the model's vendor has it, more or less.
fn model_call(draw: &mut Draw, id: &str) -> Statement {
    let owned = |text: &str| text.to_owned();
    let path: &[&str] = match () {
        () if id.contains("embedding") => &["client", "embeddings", "create"],
        () if id.contains("claude") => &["client", "messages", "create"],
        () if id.contains("gemini") => &["client", "models", "generate_content"],
        () if draw.percent(30) => &["client", "responses", "create"],
        () => &["client", "chat", "completions", "create"],
    };
    let message = Expression::Table(vec![
        (owned("role"), Expression::Text(owned("user"))),
        (owned("content"), Expression::Text(sentence(draw, 2))),
    ]);
    let mut arguments = vec![(Some(owned("model")), Expression::Text(owned(id)))];
    if draw.percent(50) {
        arguments.push((Some(owned("temperature")), Expression::Number(format!("0.{}", draw.between(1, 9)))));
    }
    if draw.percent(60) {
        arguments.push((Some(owned("max_tokens")), Expression::Number(draw.between(64, 8_000).to_string())));
    }
    arguments.push((Some(owned("messages")), Expression::List(vec![message])));
    let path = path.iter().map(|part| owned(part)).collect();
    Statement::Let(name(draw), Expression::Call { path, arguments })
}
