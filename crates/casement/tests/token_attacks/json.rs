//! JSON that two readers could understand differently, rightly signed.

use super::{Row, World};

pub fn rows(world: &World) -> Vec<Row> {
    let own = world.own.client_id.as_str();
    let sister = world.sister.client_id.as_str();
    let header = r#"{"alg":"HS256","typ":"JWT"}"#;
    let plain = format!(r#"{{"appId":"{own}"}}"#);
    let mut rows = Vec::new();
    for text in [
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","alg":"none"}"#,
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"HS256","typ":"JWT","typ":"JWT"}"#,
        r#"{"alg":"HS256","kid":"1","kid":"2"}"#,
        r#"{"alg":"HS256","\u0061lg":"HS256"}"#,
        r#"{"alg":"HS256","x":{"y":1,"y":2}}"#,
        r#"["alg","HS256"]"#,
        r#""HS256""#,
        "null",
        "",
        "{}",
        r#"{"alg":"HS256"}{}"#,
        r#"{"alg":"HS256"},"#,
        r#"{"alg":"HS256",}"#,
        r#"{'alg':'HS256'}"#,
        r#"{alg:"HS256"}"#,
        "{\"alg\":\"HS256\"}\0",
        "\u{feff}{\"alg\":\"HS256\"}",
        "{\"alg\":\"HS256\",\"x\":\"\t\"}",
        r#"{"alg":"HS256","x":"\ud800"}"#,
        r#"{"alg":"HS256","x":NaN}"#,
    ] {
        rows.push(Row::auth(format!("header {text:?}"), world.signed(text, &plain)));
    }
    let deep = format!(r#"{{"appId":"{own}","x":{}{}}}"#, "[".repeat(500), "]".repeat(500));
    let claims: [(&str, String); 26] = [
        ("appId twice, the own one last", format!(r#"{{"appId":"{sister}","appId":"{own}"}}"#)),
        ("appId twice, the own one first", format!(r#"{{"appId":"{own}","appId":"{sister}"}}"#)),
        ("the same appId twice", format!(r#"{{"appId":"{own}","appId":"{own}"}}"#)),
        ("appId twice, once escaped", format!(r#"{{"appId":"{own}","app\u0049d":"{sister}"}}"#)),
        ("exp twice", format!(r#"{{"appId":"{own}","exp":1,"exp":9999999999}}"#)),
        ("exp twice, the right one first", format!(r#"{{"appId":"{own}","exp":9999999999,"exp":1}}"#)),
        ("sub twice", format!(r#"{{"appId":"{own}","sub":"a","sub":"b"}}"#)),
        ("a claim of no meaning twice", format!(r#"{{"appId":"{own}","x":1,"x":1}}"#)),
        ("a duplicate within", format!(r#"{{"appId":"{own}","x":[{{"y":1,"y":1}}]}}"#)),
        ("claims in an array", format!(r#"[{{"appId":"{own}"}}]"#)),
        ("claims as a text", format!("{own:?}")),
        ("claims as null", "null".to_owned()),
        ("claims as a number", "1".to_owned()),
        ("claims as true", "true".to_owned()),
        ("no byte of claims", String::new()),
        ("no claim", "{}".to_owned()),
        ("two objects", format!("{plain}{plain}")),
        ("a letter after the claims", format!("{plain}x")),
        ("a comma at the end", plain.replace('}', ",}")),
        ("a comment", format!("{plain}//")),
        ("single quotes", plain.replace('"', "'")),
        ("a byte order mark", format!("\u{feff}{plain}")),
        ("U+0000 in a claim", format!(r#"{{"appId":"{own}","x":"\u0000"}}"#)),
        ("half a surrogate", format!(r#"{{"appId":"{own}","x":"\udc00"}}"#)),
        ("a number out of range", format!(r#"{{"appId":"{own}","x":1e400}}"#)),
        ("500 levels", deep),
    ];
    rows.extend(claims.into_iter().map(|(name, text)| Row::auth(name, world.signed(header, text))));
    let mut bytes = plain.clone().into_bytes();
    bytes.insert(2, 0xff);
    rows.push(Row::auth("claims that are no UTF-8", world.signed(header, bytes)));
    let wide: Vec<u8> = plain.encode_utf16().flat_map(u16::to_le_bytes).collect();
    rows.push(Row::auth("claims in UTF-16", world.signed(header, wide)));
    rows
}
