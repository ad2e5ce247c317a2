//! Hostile texts: whatever they are, what is shown is inert. `hostile.txt` has one a line, with `\n`, `\t`, `\x00` and the like
//! for what can't stand in a line, and `\\` for a backslash.
//!
//! The check is another than the cleaning: it has lists of its own, and looks at what a browser makes of the result.

use casement_domain::rich_text::{TextFormat, Unclean, clean, render};
use html5ever::tendril::TendrilSink;
use html5ever::{local_name, ns, parse_fragment};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use proptest::prelude::*;

const HOSTILE: &str = include_str!("hostile.txt");

const ELEMENTS: [&str; 27] = [
    "a",
    "blockquote",
    "br",
    "code",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "hr",
    "img",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "span",
    "strong",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
];

/// Tells what could do harm in HTML as a browser reads it.
fn harm(html: &str) -> Vec<String> {
    let name = html5ever::QualName::new(None, ns!(html), local_name!("body"));
    let dom = parse_fragment(RcDom::default(), Default::default(), name, Vec::new(), true).one(html);
    let mut found = Vec::new();
    let mut waiting: Vec<Handle> = dom.document.children.borrow().iter().flat_map(children).collect();
    while let Some(node) = waiting.pop() {
        match &node.data {
            NodeData::Text { .. } => {}
            NodeData::Element { name, attrs, template_contents, .. } => {
                let element = &*name.local;
                if name.ns != ns!(html) || !(ELEMENTS.contains(&element) || element == "wbr") {
                    found.push(format!("<{element}>"));
                }
                if template_contents.borrow().is_some() {
                    found.push("a template".to_owned());
                }
                for attribute in attrs.borrow().iter() {
                    let (key, value) = (&*attribute.name.local, &*attribute.value);
                    if !is_harmless(element, key, value) {
                        found.push(format!("<{element} {key}={value:?}>"));
                    }
                }
            }
            NodeData::Document
            | NodeData::Doctype { .. }
            | NodeData::Comment { .. }
            | NodeData::ProcessingInstruction { .. } => found.push("no element and no text".to_owned()),
        }
        waiting.extend(children(&node));
    }
    found
}

fn children(node: &Handle) -> Vec<Handle> {
    node.children.borrow().clone()
}

fn is_harmless(element: &str, key: &str, value: &str) -> bool {
    let is_small = |text: &str| text.len() < 10 && text.chars().all(|character| character.is_ascii_digit());
    let is_path = || {
        value.starts_with("/api/v1/streams/")
            && value.contains("/attachments/")
            && value.chars().all(|character| character.is_ascii_alphanumeric() || "/-_".contains(character))
    };
    match (element, key) {
        ("a", "rel") => value == "noopener noreferrer nofollow",
        ("a", "href") => {
            // As browsers do: control characters and spaces around go, and so do tabs and line breaks within.
            let seen: String = value
                .trim_matches(|character: char| character <= ' ')
                .chars()
                .filter(|character| !"\t\r\n".contains(*character))
                .collect();
            let scheme = seen.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
            scheme.is_some_and(|scheme| ["http", "https", "mailto"].contains(&scheme.as_str())) || is_path()
        }
        ("img", "src") => is_path(),
        ("img", "alt") => true,
        ("ol", "start") | ("td" | "th", "colspan" | "rowspan") => is_small(value),
        ("td" | "th", "align") => ["left", "center", "right"].contains(&value),
        ("span", "data-type") => value == "mention",
        ("span", "data-id") => {
            value.chars().all(|character| character.is_ascii_alphanumeric() || "-_".contains(character))
        }
        _ => false,
    }
}

/// Gives the text of a line.
fn unescaped(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        let (character, length) = match after.as_bytes() {
            [b'n', ..] => ('\n', 1),
            [b't', ..] => ('\t', 1),
            [b'x', ..] => match after.get(1..3).and_then(|code| u8::from_str_radix(code, 16).ok()) {
                Some(code) => (char::from(code), 3),
                None => ('\\', 0),
            },
            _ => ('\\', 0),
        };
        text.push(character);
        rest = &after[length..];
    }
    text + rest
}

/// Checks what a text becomes, in each format. One that is refused is inert too.
fn check(text: &str) {
    for format in [TextFormat::Html, TextFormat::Markdown] {
        if let Ok(html) = render(format, text) {
            let found = harm(&html);
            assert!(found.is_empty(), "{format:?} {text:?} became {html:?}: {found:?}");
            assert_eq!(clean(&html).as_deref(), Ok(html.as_str()), "{format:?} {text:?}");
        }
    }
}

#[test]
fn every_hostile_text_comes_out_inert() {
    assert!(HOSTILE.lines().count() >= 300);
    for line in HOSTILE.lines() {
        let text = unescaped(line);
        check(&text);
        for around in ["<p>{}</p>", "> {}", "<table><tr><td>{}", "<ul><li>{}<b>", "**a** {}\n\n{}", "`{}` {}"]
        {
            check(&around.replace("{}", &text));
        }
    }
}

#[test]
fn the_check_finds_harm_in_nearly_every_hostile_text_that_was_not_cleaned() {
    let mut options = comrak::Options::default();
    options.render.r#unsafe = true;
    options.extension.autolink = true;
    let harmless: Vec<&str> = HOSTILE
        .lines()
        .filter(|line| {
            let text = unescaped(line);
            harm(&text).is_empty() && harm(&comrak::markdown_to_html(&text, &options)).is_empty()
        })
        .collect();
    let count = HOSTILE.lines().count();
    assert!(harmless.len() * 20 < count, "{} of {count}: {harmless:#?}", harmless.len());
}

#[test]
fn texts_that_cost_parsers_much_are_cleaned_or_refused() {
    // Less than a comment may have: the libraries are slow without optimisation.
    const BYTES: usize = 6 * 1024;
    let filled = |unit: &str| unit.repeat(BYTES / unit.len());
    let numbered = |unit: fn(usize) -> String| {
        let mut text = String::new();
        for number in 0.. {
            let next = unit(number);
            if text.len() + next.len() > BYTES {
                break;
            }
            text.push_str(&next);
        }
        text
    };
    let mut texts: Vec<String> = [
        "<div>",
        "<b>",
        "<ul>",
        "<ul><li>",
        "<blockquote>",
        "<table><tr><td>",
        "<p>",
        "<a href=https://a>",
        "<svg>",
        "<b><p>",
        "<table><b>",
        "</p>",
        "</b>",
        "<pre>\n",
        ">",
        "> ",
        "- ",
        "* a\n",
        "1. ",
        "[",
        "![",
        "](",
        "[a](",
        "*a_",
        "**a",
        "~~",
        "`",
        "``` ",
        "|",
        "|a",
        "| a\n|-\n",
        "<",
        "<!--",
        "<a",
        "<a ",
        "&",
        "&#x41;",
        "\\",
        "www.a.b ",
        "a@b.c ",
        "http://a ",
        "<b><i><u><s>",
        "<ul><table><td></ul></table>",
        "<h1><h2>",
        "<select><option>",
        "<math><mi>",
        "<script>",
        "<style>",
        "<textarea>",
        "\n",
        "\t",
        "# a\n",
        "a\n===\n",
        "\u{a0}",
        "\u{202e}",
        "[a]: b\n",
        "<li>",
        "<td>",
        "<span data-type=mention data-id=a>",
        "<form><form>",
        "<template>",
    ]
    .map(filled)
    .to_vec();
    texts.push(numbered(|number| format!("<b a={number}>")));
    texts.push(format!(
        "<p>{}</p>{}",
        &numbered(|number| format!("<b a={number}>"))[..BYTES / 2],
        "<p>x".repeat(BYTES / 8)
    ));
    texts.push(format!("<a {}>x</a>", numbered(|number| format!("a{number} "))));
    texts.push(format!("<a {}>x</a>", numbered(|number| format!("a{number}=\">\""))));
    texts.push(format!("<a {}>x</a>", numbered(|number| format!("a{number}/"))));
    texts.push(format!("{}\n{}\n{}", "|a".repeat(1_500), "|-".repeat(1_500), "|a\n".repeat(3_000)));
    texts.push(numbered(|number| format!("[{number}]: a\n")) + &"[1]".repeat(10));
    texts.push(numbered(|number| format!("{}a\n", " ".repeat(number % 200) + "- ")));
    texts.push("*".repeat(BYTES / 2) + "a" + &"*".repeat(BYTES / 2));
    for text in texts {
        check(&text);
    }
}

#[test]
fn nesting_is_refused_past_the_limit() {
    let most = casement_domain::limits::RICH_TEXT_NESTING_MAX;
    let nested = |depth: usize| "<blockquote>".repeat(depth) + "x";
    assert!(render(TextFormat::Html, &nested(most)).is_ok());
    assert_eq!(render(TextFormat::Html, &nested(most + 1)), Err(Unclean::TooDeep));
    assert!(render(TextFormat::Markdown, &(">".repeat(most - 1) + "x")).is_ok());
    assert_eq!(render(TextFormat::Markdown, &(">".repeat(most) + "x")), Err(Unclean::TooDeep));
}

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<p>",
        "</p>",
        "<b>",
        "</b>",
        "<i>",
        "</i>",
        "<a href=https://a>",
        "</a>",
        "<a href=javascript:x>",
        "<ul>",
        "</ul>",
        "<ol>",
        "<li>",
        "</li>",
        "<table>",
        "</table>",
        "<tr>",
        "</tr>",
        "<td>",
        "</td>",
        "<tbody>",
        "<pre>",
        "</pre>",
        "<code>",
        "\n",
        " ",
        "x",
        "&amp;",
        "&#13;",
        "&nbsp;",
        "<h1>",
        "</h1>",
        "<h2>",
        "<blockquote>",
        "</blockquote>",
        "<br>",
        "<hr>",
        "<svg>",
        "</svg>",
        "<math>",
        "<style>",
        "</style>",
        "<script>",
        "</script>",
        "<img src=/api/v1/streams/s/attachments/a>",
        "<span data-type=mention data-id=a>",
        "</span>",
        "<div>",
        "</div>",
        "<!--",
        "-->",
        "<template>",
        "</template>",
        "<select>",
        "<form>",
        "<textarea>",
        "<title>",
        "<noscript>",
        "**",
        "_",
        "> ",
        "- ",
        "`",
        "[x](y)",
        "|",
        "|-|",
        "<",
        "\"",
        "'",
        "<foreignObject>",
        "<mtext>",
        "<annotation-xml>",
        "<desc>",
        "<![CDATA[",
        "]]>",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_mixture_comes_out_inert_and_settled(text in pieces()) {
        check(&text);
        prop_assert_ne!(render(TextFormat::Html, &text), Err(Unclean::Unsettled));
    }
}
