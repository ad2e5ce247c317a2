//! Standard responses: texts with placeholders that agents answer with.

use std::collections::BTreeMap;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde::{Deserialize, Serialize};

use super::Workspace;
use crate::actor::Actor;
use crate::case::{Case, reference_id};
use crate::date::Moment;
use crate::id::StandardResponseId;
use crate::limits;
use crate::rich_text::TextFormat;
use crate::version::Versioned;

/// A text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandardResponse {
    /// Its id.
    pub id: StandardResponseId,
    /// Its name, unique in any case.
    pub name: String,
    /// How the text is written.
    pub format: TextFormat,
    /// The text, with placeholders such as `{{customer.name}}`.
    pub text: String,
    /// Whether it may be used.
    pub enabled: bool,
    /// False once it is deleted.
    pub active: bool,
}

/// The placeholders.
pub const PLACEHOLDERS: [&str; 8] = [
    "customer.name",
    "customer.email",
    "case.refId",
    "case.name",
    "case.status",
    "case.priority",
    "case.dueDate",
    "agent.name",
];

/// What the placeholders stand for, in their order; `None`: nothing is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values([Option<String>; 8]);

impl Values {
    /// Gives the values for an answer on a case by whoever acts.
    pub fn of(case: &Versioned<Case>, workspace: &Workspace, actor: &Actor) -> Self {
        let (number, case) = (case.number, &case.value);
        let customer = &case.item.customer;
        let known = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Self([
            known(&customer.name),
            customer.email.as_deref().and_then(known),
            number.map(reference_id),
            known(&case.item.name),
            workspace.status(&case.item.status).map(|status| status.name.clone()),
            workspace.priority(&case.item.priority).map(|priority| priority.name.clone()),
            case.item.due.map(Moment::iso),
            known(&actor.name),
        ])
    }

    /// Gives the values as objects of keys, as templates name them.
    fn tree(&self) -> Value {
        let mut objects: BTreeMap<&str, BTreeMap<&str, Value>> = BTreeMap::new();
        for (placeholder, value) in PLACEHOLDERS.iter().zip(&self.0) {
            if let (Some((object, key)), Some(value)) = (placeholder.split_once('.'), value) {
                objects.entry(object).or_default().insert(key, Value::from(value.trim()));
            }
        }
        Value::from(objects)
    }
}

impl StandardResponse {
    /// Tells whether it may be used.
    pub fn is_usable(&self) -> bool {
        self.enabled && self.active
    }

    /// Gives the text with values in place of its placeholders. A value is text, whatever it holds: in HTML it is escaped,
    /// in Markdown each of its signs is.
    ///
    /// # Errors
    /// A value is not known, or the text would be too long; a sentence.
    pub fn render(&self, values: &Values) -> Result<String, String> {
        let used = placeholders(&self.text);
        let unknown: Vec<&str> = PLACEHOLDERS
            .iter()
            .zip(&values.0)
            .filter(|(name, value)| value.is_none() && used.iter().any(|used| used == *name))
            .map(|(name, _)| *name)
            .collect();
        if !unknown.is_empty() {
            return Err(format!("nothing is known for its placeholders {}", unknown.join(", ")));
        }
        let environment = environment(self.format);
        let template = environment.template_from_named_str(&self.name, &self.text);
        let rendered = template.and_then(|template| template.render(values.tree()));
        let text = rendered.map_err(|error| format!("can't be rendered: {error}"))?;
        if text.len() > limits::COMMENT_TEXT_BYTES_MAX {
            return Err(format!("would be longer than {} bytes", limits::COMMENT_TEXT_BYTES_MAX));
        }
        Ok(text)
    }
}

/// Checks the text of a standard response: plain placeholders, each a known one, and nothing else that a template can hold.
///
/// # Errors
/// What is wrong, in sentences.
pub fn check(format: TextFormat, text: &str) -> Result<(), Vec<String>> {
    let mut faults = Vec::new();
    if text.trim().is_empty() || text.len() > limits::STANDARD_RESPONSE_BYTES_MAX {
        faults.push(format!("must be 1 to {} bytes long", limits::STANDARD_RESPONSE_BYTES_MAX));
        return Err(faults);
    }
    for sign in ["{%", "{#"] {
        if text.contains(sign) {
            faults.push(format!("has {sign}: only placeholders in double braces have a meaning"));
        }
    }
    for placeholder in placeholders(text) {
        if !PLACEHOLDERS.contains(&placeholder) {
            let shown: String =
                placeholder.chars().filter(|character| !character.is_control()).take(64).collect();
            let known = PLACEHOLDERS.join(", ");
            faults.push(format!("has the unknown placeholder {shown:?}; the placeholders are {known}"));
        }
    }
    if faults.is_empty()
        && let Err(error) = environment(format).template_from_named_str("text", text)
    {
        faults.push(format!("is no template: {error}"));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Gives what stands in double braces, as often as it does.
fn placeholders(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("{{") {
        let Some((inside, next)) = after.split_once("}}") else { break };
        found.push(inside.trim_matches(['-', '+']).trim());
        rest = next;
    }
    found
}

fn environment(format: TextFormat) -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(limits::STANDARD_RESPONSE_FUEL));
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_formatter(move |output, _, value| {
        let text = value.to_string();
        let escaped = match format {
            TextFormat::Html => escaped_html(&text),
            TextFormat::Markdown => escaped_markdown(&text),
        };
        output.write_str(&escaped).map_err(minijinja::Error::from)
    });
    environment
}

fn escaped_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Escapes every sign that Markdown could take for its own: it stands for itself then. A line break would begin a block.
fn escaped_markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\n' | '\r' | '\t' => escaped.push(' '),
            sign if sign.is_ascii_punctuation() => {
                escaped.push('\\');
                escaped.push(sign);
            }
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rich_text::render;

    fn response(format: TextFormat, text: &str) -> StandardResponse {
        StandardResponse {
            id: StandardResponseId::from_text("sr-1"),
            name: "Hello".to_owned(),
            format,
            text: text.to_owned(),
            enabled: true,
            active: true,
        }
    }

    fn values(name: &str) -> Values {
        let text = |text: &str| Some(text.to_owned());
        Values([
            text(name),
            None,
            text("CS000100"),
            text("Printer"),
            text("Open"),
            text("High"),
            None,
            text("Ann"),
        ])
    }

    #[test]
    fn placeholders_get_their_values() {
        let text =
            "Dear {{customer.name}}, {{ case.refId }} ({{case.status}}/{{case.priority}}).\n{{agent.name}}";
        for format in [TextFormat::Html, TextFormat::Markdown] {
            assert_eq!(check(format, text), Ok(()));
            let rendered = response(format, text).render(&values("Jo"));
            assert_eq!(rendered.as_deref(), Ok("Dear Jo, CS000100 (Open/High).\nAnn"));
        }
    }

    #[test]
    fn a_value_that_is_not_known_is_named() {
        let text = "{{customer.email}} {{case.dueDate}} {{customer.name}}";
        let refused = response(TextFormat::Html, text).render(&values("Jo")).unwrap_err();
        assert!(refused.contains("customer.email, case.dueDate"), "{refused}");
    }

    #[test]
    fn a_value_comes_out_as_text_whatever_it_holds() {
        for name in [
            "{{case.refId}} {% for x in y %}",
            "<b>x</b><script>alert(1)</script>",
            "**x** _y_ `z` [a](https://b.c) ![d](e) ~~f~~ | # 1. - + > \\",
            "&amp; &#60; \"'",
            "<!-- x --> <https://a.b> www.example.com",
        ] {
            for (format, text) in [
                (TextFormat::Html, "<p>{{customer.name}}</p>"),
                (TextFormat::Markdown, "{{customer.name}}"),
                (TextFormat::Markdown, "> - {{customer.name}}"),
            ] {
                let rendered = response(format, text).render(&values(name)).unwrap();
                let html = render(format, &rendered).unwrap();
                let mut shown = String::new();
                let mut rest = html.as_str();
                while let Some((text, tag)) = rest.split_once('<') {
                    shown.push_str(text);
                    let (tag, after) = tag.split_once('>').unwrap();
                    let is_ours =
                        ["p", "/p", "blockquote", "/blockquote", "ul", "/ul", "li", "/li"].contains(&tag);
                    assert!(is_ours, "{name:?} {html:?}");
                    rest = after;
                }
                shown.push_str(rest);
                let shown = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
                assert_eq!(shown.trim(), name.trim(), "{html:?}");
            }
        }
    }

    #[test]
    fn only_known_placeholders_are_taken() {
        for (text, expected) in [
            ("{{customer.phone}}", "unknown placeholder \"customer.phone\""),
            ("{{ customer.name | upper }}", "unknown placeholder"),
            ("{{ 'x' * 1000000000 }}", "unknown placeholder"),
            ("{% for x in [1] %}{% endfor %}", "only placeholders"),
            ("{# x #}", "only placeholders"),
            ("{{customer.name", "is no template"),
            ("{{customer.name}", "is no template"),
            ("{{}}", "unknown placeholder"),
            (" ", "bytes long"),
        ] {
            let faults = check(TextFormat::Html, text).unwrap_err();
            assert!(faults.iter().any(|fault| fault.contains(expected)), "{text}: {faults:?}");
        }
        let long = "x".repeat(limits::STANDARD_RESPONSE_BYTES_MAX + 1);
        assert!(check(TextFormat::Html, &long).is_err());
    }
}
