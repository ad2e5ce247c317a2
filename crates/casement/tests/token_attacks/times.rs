//! Times that are none, and times that forbid.

use super::{NOW_S, Row, World};

/// What is no time, as JSON.
const NO_TIMES: [&str; 25] = [
    "null",
    "true",
    "false",
    "\"\"",
    "\"0\"",
    "\"9999999999\"",
    "\"2036-11-22T10:00:00Z\"",
    "\"1e10\"",
    "[]",
    "[9999999999]",
    "{}",
    "{\"$date\":9999999999}",
    "-1",
    "-0.5",
    "-9999999999",
    "-1e300",
    "1e300",
    "1e308",
    "253402300800",
    "253402300799.5",
    "1795341600000000",
    "9223372036854775808",
    "18446744073709551616",
    "1e400",
    "-1e400",
];

/// What is not even a number of JSON.
const NO_NUMBERS: [&str; 10] = [
    "NaN",
    "Infinity",
    "-Infinity",
    "0x7fffffff",
    "+9999999999",
    "09999999999",
    "9999999999.",
    ".5",
    "1e",
    "1_000",
];

pub fn rows(world: &World) -> Vec<Row> {
    let app = world.own.client_id.as_str();
    let header = r#"{"alg":"HS256","typ":"JWT"}"#;
    let signed =
        |claim: &str, text: &str| world.signed(header, format!(r#"{{"appId":"{app}","{claim}":{text}}}"#));
    let mut rows = Vec::new();
    for claim in ["exp", "nbf", "iat"] {
        for text in NO_TIMES.into_iter().chain(NO_NUMBERS) {
            rows.push(Row::auth(format!("{claim} is {text}"), signed(claim, text)));
        }
    }
    let forbidding = [
        ("exp", 0),
        ("exp", 1),
        ("exp", NOW_S - 60),
        ("exp", NOW_S - 61),
        ("exp", NOW_S - 86_400),
        ("nbf", NOW_S + 61),
        ("nbf", NOW_S + 86_400),
        ("nbf", 253_402_300_799),
        ("iat", NOW_S + 61),
        ("iat", NOW_S + 86_400),
        ("iat", 253_402_300_799),
    ];
    for (claim, seconds) in forbidding {
        rows.push(Row::auth(format!("{claim} at {seconds}"), signed(claim, &seconds.to_string())));
    }
    rows.push(Row::auth("exp a hair too early", signed("exp", &format!("{}.0", NOW_S - 60))));
    rows.push(Row::auth("nbf a hair too late", signed("nbf", &format!("{}.5", NOW_S + 60))));
    rows.push(Row::auth("exp in milliseconds", signed("exp", &(NOW_S * 1000).to_string())));
    rows
}
