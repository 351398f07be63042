//! How each language looks, as data: what a generated program becomes in it.
//!
//! In templates, `$1`, `$2` stand for what is put in. A program need not compile, but it must parse.

/// How blocks begin and end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blocks {
    /// Braces.
    Braces,
    /// A colon and indentation.
    Indented,
    /// The word `end`.
    Ended,
}

/// How arguments with names are passed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// `$1=value` and the like, among the others.
    Inline(&'static str),
    /// One object, of the syntax of tables.
    Object,
    /// One literal of a type: `Params{Model: …}`, `Params { model: … }`.
    Literal { open: &'static str, member: &'static str, close: &'static str },
    /// A chain: `Params.builder().model(…).build()`.
    Builder,
}

/// How names are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Snake,
    Camel,
    Pascal,
}

/// One language.
pub(crate) struct Syntax {
    pub(crate) blocks: Blocks,
    pub(crate) named: Named,
    /// Functions and members; variables.
    pub(crate) deeds: Case,
    pub(crate) names: Case,
    pub(crate) indent: &'static str,
    /// What the file opens with; `$1` is the name of something.
    pub(crate) head: &'static str,
    pub(crate) comment: &'static str,
    /// Behind each statement.
    pub(crate) end: &'static str,
    /// `$1` name, `$2` value.
    pub(crate) binding: &'static str,
    /// Put before a variable's name.
    pub(crate) sigil: &'static str,
    pub(crate) member: &'static str,
    pub(crate) quote: char,
    pub(crate) list: (&'static str, &'static str),
    pub(crate) table: (&'static str, &'static str, &'static str),
    /// Without what opens the block: `$1` condition.
    pub(crate) branch: &'static str,
    pub(crate) otherwise: &'static str,
    /// `$1` name, `$2` over what.
    pub(crate) each: &'static str,
    /// `$1` name, `$2` what it takes.
    pub(crate) function: &'static str,
    /// One of what it takes.
    pub(crate) parameter: &'static str,
    /// `$1` name.
    pub(crate) class: &'static str,
}

pub(crate) const PYTHON: Syntax = Syntax {
    blocks: Blocks::Indented,
    named: Named::Inline("$1=$2"),
    deeds: Case::Snake,
    names: Case::Snake,
    indent: "    ",
    head: "\"\"\"Everything about the $1.\"\"\"\nimport os\nfrom openai import OpenAI\nfrom $1.core import settings\n",
    comment: "# ",
    end: "",
    binding: "$1 = $2",
    sigil: "",
    member: ".",
    quote: '"',
    list: ("[", "]"),
    table: ("{", "\"$1\": $2", "}"),
    branch: "if $1",
    otherwise: "else",
    each: "for $1 in $2",
    function: "def $1(self, $2)",
    parameter: "$1",
    class: "class $1",
};

pub(crate) const TYPESCRIPT: Syntax = Syntax {
    blocks: Blocks::Braces,
    named: Named::Object,
    deeds: Case::Camel,
    names: Case::Camel,
    indent: "  ",
    head: "import OpenAI from \"openai\";\nimport { settings } from \"../$1/settings\";\n",
    comment: "// ",
    end: ";",
    binding: "const $1 = $2",
    sigil: "",
    member: ".",
    quote: '"',
    list: ("[", "]"),
    table: ("{ ", "$1: $2", " }"),
    branch: "if ($1)",
    otherwise: "else",
    each: "for (const $1 of $2)",
    function: "async $1($2): Promise<unknown>",
    parameter: "$1: string",
    class: "export class $1",
};

pub(crate) const JAVASCRIPT: Syntax = Syntax {
    head: "const { OpenAI } = require(\"openai\");\nconst settings = require(\"../$1/settings\");\n",
    function: "async $1($2)",
    parameter: "$1",
    class: "class $1",
    quote: '\'',
    ..TYPESCRIPT
};

pub(crate) const GO: Syntax = Syntax {
    named: Named::Literal { open: "Params{", member: "$1: $2", close: "}" },
    deeds: Case::Pascal,
    names: Case::Camel,
    indent: "\t",
    head: "package $1\n\nimport (\n\t\"context\"\n\n\t\"github.com/openai/openai-go\"\n)\n",
    end: "",
    binding: "$1 := $2",
    list: ("[]any{", "}"),
    table: ("map[string]any{", "\"$1\": $2", "}"),
    branch: "if $1",
    each: "for _, $1 := range $2",
    function: "func $1($2) any",
    parameter: "$1 string",
    class: "",
    ..TYPESCRIPT
};

pub(crate) const RUST: Syntax = Syntax {
    named: Named::Literal { open: "Request { ", member: "$1: $2", close: " }" },
    deeds: Case::Snake,
    names: Case::Snake,
    indent: "    ",
    head: "//! Everything about the $1.\n\nuse async_openai::Client;\nuse crate::$1::Settings;\n",
    binding: "let $1 = $2",
    list: ("vec![", "]"),
    table: ("json!({ ", "\"$1\": $2", " })"),
    branch: "if $1",
    each: "for $1 in $2",
    function: "pub fn $1(&self, $2) -> Value",
    parameter: "$1: &str",
    class: "impl $1",
    ..TYPESCRIPT
};

pub(crate) const JAVA: Syntax = Syntax {
    named: Named::Builder,
    indent: "    ",
    head: "package com.example.$1;\n\nimport com.openai.client.OpenAIClient;\nimport java.util.*;\n",
    binding: "var $1 = $2",
    list: ("List.of(", ")"),
    table: ("Map.of(", "\"$1\", $2", ")"),
    each: "for (var $1 : $2)",
    function: "public Object $1($2)",
    parameter: "String $1",
    class: "class $1",
    ..TYPESCRIPT
};

pub(crate) const KOTLIN: Syntax = Syntax {
    named: Named::Inline("$1 = $2"),
    indent: "    ",
    head: "package com.example.$1\n\nimport com.aallam.openai.client.OpenAI\n",
    end: "",
    binding: "val $1 = $2",
    list: ("listOf(", ")"),
    table: ("mapOf(", "\"$1\" to $2", ")"),
    each: "for ($1 in $2)",
    function: "fun $1($2): Any",
    parameter: "$1: String",
    class: "class $1",
    ..TYPESCRIPT
};

pub(crate) const CSHARP: Syntax = Syntax {
    named: Named::Inline("$1: $2"),
    deeds: Case::Pascal,
    indent: "    ",
    head: "using System.Collections.Generic;\nusing OpenAI.Chat;\n\nnamespace Example.Parts;\n",
    binding: "var $1 = $2",
    list: ("new List<object> { ", " }"),
    table: ("new Dictionary<string, object> { ", "[\"$1\"] = $2", " }"),
    each: "foreach (var $1 in $2)",
    function: "public object $1($2)",
    parameter: "string $1",
    class: "public class $1",
    ..TYPESCRIPT
};

pub(crate) const RUBY: Syntax = Syntax {
    blocks: Blocks::Ended,
    named: Named::Inline("$1: $2"),
    deeds: Case::Snake,
    names: Case::Snake,
    head: "# frozen_string_literal: true\n\nrequire \"openai\"\nrequire_relative \"$1\"\n",
    comment: "# ",
    end: "",
    binding: "$1 = $2",
    branch: "if $1",
    each: "$2.each do |$1|",
    function: "def $1($2)",
    parameter: "$1",
    class: "class $1",
    ..TYPESCRIPT
};

pub(crate) const PHP: Syntax = Syntax {
    named: Named::Inline("$1: $2"),
    indent: "    ",
    head: "<?php\n\nnamespace Example\\Parts;\n\nuse OpenAI\\Client;\n",
    binding: "$1 = $2",
    sigil: "$",
    member: "->",
    quote: '\'',
    table: ("[", "'$1' => $2", "]"),
    each: "foreach ($2 as $1)",
    function: "public function $1($2): mixed",
    parameter: "string $1",
    class: "class $1",
    ..TYPESCRIPT
};
