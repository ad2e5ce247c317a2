//! What a field's format takes: a value as it is kept, or the rules that it breaks.
//!
//! Pure of documents and requests: whether a value is required, may be set at all, or is the stored one is decided by
//! [`super::custom`].

use email_address::{EmailAddress, Options as EmailOptions};
use serde_json::{Number, Value};
use url::Url;

use super::whole;
use crate::date::{DateInput, Moment, Zone};
use crate::limits;
use crate::workspace::field::{
    Choices, DateRules, Field, FieldFormat, FieldRule, NumberRules, Options, TextRules,
};

/// Digits of a phone number: emergency numbers have three, the world's longest fifteen (E.164).
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 3..=15;

/// Why a field does not take a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// It is of another JSON type than the format has.
    WrongType(&'static str),
    /// It breaks a rule; the usual sentence.
    Broken(FieldRule, String),
}

/// Gives a value as it is kept: dates in ISO 8601 with milliseconds and `Z`, whole numbers without a fraction, anything
/// else as it was sent. `None`: it is empty (`""` or `[]`), which is no value. `stored` is what the document has: an
/// option of it may stay although it is switched off. A date without a zone is in `zone`.
///
/// # Errors
/// Every rule that the value breaks.
pub fn read(
    field: &Field,
    value: &Value,
    stored: Option<&Value>,
    zone: Zone,
) -> Result<Option<Value>, Vec<Unfit>> {
    let is_empty = match value {
        Value::String(text) => text.is_empty(),
        Value::Array(entries) => entries.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    };
    let kept = match &field.format {
        FieldFormat::Input(rules) | FieldFormat::Textarea(rules) => read_text(value, rules, |_| None),
        FieldFormat::Phone(rules) => read_text(value, rules, not_a_phone_number),
        FieldFormat::Email(rules) => read_text(value, rules, not_an_email_address),
        FieldFormat::Url(rules) => read_text(value, rules, not_a_web_address),
        FieldFormat::Number(rules) => read_number(value, rules),
        FieldFormat::Dropdown(options) | FieldFormat::Radio(options) => read_option(value, options),
        FieldFormat::MultiSelect(choices) => read_options(value, choices, stored),
        FieldFormat::Checkbox => match value {
            Value::Bool(_) => Ok(value.clone()),
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                Err(vec![Unfit::WrongType("must be true or false")])
            }
        },
        FieldFormat::DateTime(rules) => read_date(value, rules, zone),
    };
    let has_wrong_type =
        |unfit: &Vec<Unfit>| unfit.iter().any(|reason| matches!(reason, Unfit::WrongType(_)));
    match kept {
        Err(unfit) if !is_empty || has_wrong_type(&unfit) => Err(unfit),
        Ok(kept) if !is_empty => Ok(Some(kept)),
        // What is empty is no value, and only the rule of a required field asks for one.
        Ok(_) | Err(_) => Ok(None),
    }
}

fn read_text(
    value: &Value,
    rules: &TextRules,
    not_of_the_format: impl Fn(&str) -> Option<&'static str>,
) -> Result<Value, Vec<Unfit>> {
    let Value::String(text) = value else { return Err(vec![Unfit::WrongType("must be a string")]) };
    let mut broken = Vec::new();
    if let Some(sentence) = not_of_the_format(text) {
        broken.push(Unfit::Broken(FieldRule::Format, sentence.to_owned()));
    }
    let characters = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
    let is_short = rules.length_min.is_some_and(|min| characters < u64::from(min));
    let is_long = rules.length_max.is_some_and(|max| characters > u64::from(max));
    if is_short || is_long {
        let sentence = between(rules.length_min, rules.length_max, "characters long");
        broken.push(Unfit::Broken(FieldRule::Length, sentence));
    }
    if let Some(pattern) = &rules.pattern {
        if text.len() > limits::PATTERN_TEXT_BYTES_MAX {
            let sentence =
                format!("must be at most {} bytes long to be checked", limits::PATTERN_TEXT_BYTES_MAX);
            broken.push(Unfit::Broken(FieldRule::Length, sentence));
        } else if !pattern.matches(text) {
            let sentence = format!("must match the pattern {}", pattern.text());
            broken.push(Unfit::Broken(FieldRule::Pattern, sentence));
        }
    }
    if broken.is_empty() { Ok(value.clone()) } else { Err(broken) }
}

fn not_a_phone_number(text: &str) -> Option<&'static str> {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let rest = text.strip_prefix('+').unwrap_or(text);
    let is_spelled_so =
        rest.chars().all(|character| character.is_ascii_digit() || " -./()".contains(character));
    let fits = is_spelled_so
        && PHONE_DIGITS.contains(&digits)
        && text.chars().count() <= limits::PHONE_CHARACTERS_MAX;
    (!fits).then_some("must be a phone number: 3 to 15 digits, perhaps a leading +, spaces and - . / ( )")
}

fn not_an_email_address(text: &str) -> Option<&'static str> {
    let options = EmailOptions::default().with_required_tld().without_domain_literal().without_display_text();
    let fits = text.chars().count() <= limits::EMAIL_CHARACTERS_MAX
        && EmailAddress::parse_with_options(text, options).is_ok();
    (!fits).then_some("must be an e-mail address")
}

fn not_a_web_address(text: &str) -> Option<&'static str> {
    // The parser mends a lot (spaces, backslashes, missing slashes); what it had to mend is no address.
    let begins =
        |prefix: &str| text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let is_plain = !text.chars().any(|character| character.is_whitespace() || character.is_control())
        && !text.contains('\\');
    let has_host = |url: Url| url.host_str().is_some_and(|host| !host.is_empty());
    let after_scheme = text.split_once("://").map_or("", |(_, rest)| rest);
    let fits = (begins("https://") || begins("http://"))
        && is_plain
        && !after_scheme.starts_with('/')
        && Url::parse(text).is_ok_and(has_host);
    (!fits).then_some("must be a web address that begins with http:// or https://")
}

fn read_number(value: &Value, rules: &NumberRules) -> Result<Value, Vec<Unfit>> {
    let Value::Number(number) = value else { return Err(vec![Unfit::WrongType("must be a number")]) };
    let kept = canonical_number(number);
    let mut broken = Vec::new();
    let size = kept.as_f64();
    // The limits are numbers that a float tells exactly, so that rounding the value can't lead to the wrong side.
    let below = rules.min.as_ref().is_some_and(|min| size < min.as_f64());
    let above = rules.max.as_ref().is_some_and(|max| size > max.as_f64());
    if below || above {
        broken.push(Unfit::Broken(FieldRule::Range, between(rules.min.as_ref(), rules.max.as_ref(), "")));
    }
    if let Some(decimals) = rules.decimals
        && decimals_of(&kept) > i64::from(decimals)
    {
        let sentence = match decimals {
            0 => "must be a whole number".to_owned(),
            1 => "must have at most 1 digit behind the point".to_owned(),
            more => format!("must have at most {more} digits behind the point"),
        };
        broken.push(Unfit::Broken(FieldRule::Decimals, sentence));
    }
    if broken.is_empty() { Ok(Value::Number(kept)) } else { Err(broken) }
}

/// Writes a number in one way: a whole one without a fraction.
pub fn canonical_number(number: &Number) -> Number {
    whole(number).map_or_else(|| number.clone(), Number::from)
}

/// Counts the digits behind the point of a number's shortest decimal form.
fn decimals_of(number: &Number) -> i64 {
    let text = number.to_string();
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
    let fraction = digits.split_once('.').map_or("", |(_, fraction)| fraction.trim_end_matches('0'));
    let exponent: i64 = exponent.parse().unwrap_or(0);
    (i64::try_from(fraction.len()).unwrap_or(i64::MAX) - exponent).max(0)
}

fn read_option(value: &Value, options: &Options) -> Result<Value, Vec<Unfit>> {
    let Value::String(name) = value else { return Err(vec![Unfit::WrongType("must be a string")]) };
    match not_an_option(name, options) {
        None => Ok(value.clone()),
        Some(sentence) => Err(vec![Unfit::Broken(FieldRule::Options, sentence)]),
    }
}

fn not_an_option(name: &str, options: &Options) -> Option<String> {
    match options.options.iter().find(|option| option.name == name) {
        Some(option) if option.active => None,
        Some(_) => Some(format!("can't take the option {name:?}, which is switched off")),
        None => Some(format!("must be one of the options; {name:?} is none of them")),
    }
}

fn read_options(value: &Value, choices: &Choices, stored: Option<&Value>) -> Result<Value, Vec<Unfit>> {
    let Value::Array(entries) = value else {
        return Err(vec![Unfit::WrongType("must be an array of strings")]);
    };
    let mut broken = Vec::new();
    let kept = stored.and_then(Value::as_array);
    for (place, entry) in entries.iter().enumerate() {
        let Value::String(name) = entry else {
            return Err(vec![Unfit::WrongType("must be an array of strings")]);
        };
        if entries.iter().take(place).any(|former| former == entry) {
            broken.push(Unfit::Broken(FieldRule::Count, format!("has the option {name:?} twice")));
        } else if let Some(sentence) = not_an_option(name, &choices.options)
            && !kept.is_some_and(|kept| kept.contains(entry))
        {
            broken.push(Unfit::Broken(FieldRule::Options, sentence));
        }
    }
    let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
    let is_few = choices.count_min.is_some_and(|min| count < u64::from(min));
    let is_many = choices.count_max.is_some_and(|max| count > u64::from(max));
    if is_few || is_many {
        let sentence = of_count(choices.count_min, choices.count_max);
        broken.push(Unfit::Broken(FieldRule::Count, sentence));
    }
    if broken.is_empty() { Ok(value.clone()) } else { Err(broken) }
}

fn read_date(value: &Value, rules: &DateRules, zone: Zone) -> Result<Value, Vec<Unfit>> {
    match value {
        Value::String(_) | Value::Number(_) => {}
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            return Err(vec![Unfit::WrongType("must be an ISO 8601 date or milliseconds since the epoch")]);
        }
    }
    let Some(moment) = moment_of(value, zone) else {
        let sentence = "must be an ISO 8601 date or milliseconds since the epoch, of the years 0001 to 9999";
        return Err(vec![Unfit::Broken(FieldRule::Format, sentence.to_owned())]);
    };
    if rules.first.is_some_and(|first| moment < first) || rules.last.is_some_and(|last| moment > last) {
        let (first, last) = (rules.first.map(Moment::iso), rules.last.map(Moment::iso));
        return Err(vec![Unfit::Broken(FieldRule::Range, between(first, last, ""))]);
    }
    Ok(Value::String(moment.iso()))
}

/// Gives the moment that a value of a date field means; `None` where it means none.
pub fn moment_of(value: &Value, zone: Zone) -> Option<Moment> {
    let date = match value {
        Value::String(text) => DateInput::parse(text),
        Value::Number(number) => whole(number).map(|ms| DateInput::Instant(Moment::from_ms(ms))),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    date.and_then(|date| date.moment(zone))
}

/// Gives the texts of a value: itself or its entries. One that means a date is none, whatever its field's format.
pub fn texts_of(value: &Value) -> impl Iterator<Item = &str> {
    let searched = Some(value).filter(|value| moment_of(value, Zone::UTC).is_none());
    let entries = searched.into_iter();
    let entries =
        entries.flat_map(|value| value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice));
    entries.filter_map(Value::as_str)
}

/// Says between which limits a value must lie.
fn between<T: std::fmt::Display>(min: Option<T>, max: Option<T>, unit: &str) -> String {
    let sentence = match (min, max) {
        (Some(min), Some(max)) => format!("must be {min} to {max} {unit}"),
        (Some(min), None) => format!("must be at least {min} {unit}"),
        (None, Some(max)) => format!("must be at most {max} {unit}"),
        (None, None) => "is out of range".to_owned(),
    };
    sentence.trim_end().to_owned()
}

fn of_count(min: Option<u32>, max: Option<u32>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("must have {min} to {max} options"),
        (Some(min), None) => format!("must have at least {min} options"),
        (None, Some(max)) => format!("must have at most {max} options"),
        (None, None) => "has a wrong number of options".to_owned(),
    }
}
