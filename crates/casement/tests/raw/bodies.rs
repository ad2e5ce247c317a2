//! Bodies: too long, too deep, too many, compressed, in other encodings.

use super::{Kit, Row, Seen, answers, hold};

/// The bytes of `{}` as gzip has them.
const GZIP: [u8; 22] = [
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xab, 0xae, 0x05, 0x00, 0x43, 0xbf, 0xa6,
    0xa3, 0x02, 0x00, 0x00, 0x00,
];

fn json(kit: &Kit) -> Vec<Row> {
    let with = |text: &str| {
        format!(
            "{},{text}}}",
            kit.body.trim_end_matches('}').to_owned()
                + "}".repeat(kit.body.len() - kit.body.trim_end_matches('}').len() - 1).as_str()
        )
    };
    let bad = |name: &str, bytes: Vec<u8>| Row::new(name, kit.create_of(bytes), answers(&[400]));
    let good = |name: &str, text: String| Row::new(name, kit.create_of(text), answers(&[200])).makes(1);
    let nested = |depth: usize, open: &str, close: &str| {
        with(&format!("\"x\":{}{}", open.repeat(depth), close.repeat(depth)))
    };
    let bytes_in_name = |bytes: &[u8]| {
        let (before, after) = kit.body.split_once("Printer").unwrap();
        [before.as_bytes(), bytes, after.as_bytes()].concat()
    };
    let utf16 = |text: &str, big: bool| {
        let units =
            text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() });
        units.collect::<Vec<u8>>()
    };
    let mut rows = vec![
        good("31 arrays in an object", nested(31, "[", "]")),
        bad("32 arrays in an object", nested(32, "[", "]").into_bytes()),
        bad("33 arrays", nested(33, "[", "]").into_bytes()),
        bad("a hundred thousand arrays", nested(100_000, "[", "]").into_bytes()),
        bad("arrays that are never closed", "[".repeat(500_000).into_bytes()),
        bad("objects that are never closed", "{\"a\":".repeat(100_000).into_bytes()),
        bad("objects in objects", nested(5_000, "{\"a\":[", "]}").into_bytes()),
        good("9 000 values", with(&format!("\"x\":[{}1]", "1,".repeat(9_000)))),
        bad("10 001 values", with(&format!("\"x\":[{}1]", "1,".repeat(10_001))).into_bytes()),
        bad("half a million values", with(&format!("\"x\":[{}1]", "1,".repeat(500_000))).into_bytes()),
        bad(
            "half a million empty objects",
            with(&format!("\"x\":[{}1]", "{},".repeat(300_000))).into_bytes(),
        ),
        bad(
            "20 000 keys",
            with(&(0..20_000).map(|key| format!("\"k{key}\":1")).collect::<Vec<_>>().join(",")).into_bytes(),
        ),
        good("an unknown text of 900 KB", with(&format!("\"x\":\"{}\"", "y".repeat(900_000)))),
        bad("a name of 900 KB", kit.body.replace("Printer", &"y".repeat(900_000)).into_bytes()),
        bad("a name of escapes", kit.body.replace("Printer", &"\\u0041".repeat(100_000)).into_bytes()),
        bad("a key twice", with("\"name\":\"again\"").into_bytes()),
        bad("a key twice, once escaped", with("\"n\\u0061me\":\"again\"").into_bytes()),
        bad("an unknown key twice", with("\"x\":1,\"x\":1").into_bytes()),
        bad("a key twice within", with("\"x\":{\"y\":1,\"y\":2}").into_bytes()),
        bad("U+0000 in a text", kit.body.replace("Printer", "a\\u0000b").into_bytes()),
        bad("U+0000 in a key", with("\"a\\u0000\":1").into_bytes()),
        bad("U+0000 as a byte", bytes_in_name(&[0])),
        bad("a line end in a text", bytes_in_name(b"\n")),
        bad("half a surrogate", kit.body.replace("Printer", "\\ud800").into_bytes()),
        bad("the other half", kit.body.replace("Printer", "\\udc00").into_bytes()),
        bad("halves the wrong way round", kit.body.replace("Printer", "\\udc00\\ud800").into_bytes()),
        good("a surrogate pair", kit.body.replace("Printer", "\\ud83d\\udca9")),
        bad("a surrogate as UTF-8", bytes_in_name(&[0xed, 0xa0, 0x80])),
        bad("an overlong slash", bytes_in_name(&[0xc0, 0xaf])),
        bad("an overlong U+0000", bytes_in_name(&[0xc0, 0x80])),
        bad("a byte of Latin-1", bytes_in_name(&[0xe9])),
        bad("a character cut off", bytes_in_name(&[0xf0, 0x9f, 0x92])),
        bad("a character past the last", bytes_in_name(&[0xf4, 0x90, 0x80, 0x80])),
        bad("a byte order mark", format!("\u{feff}{}", kit.body).into_bytes()),
        bad("UTF-16, big end first", utf16(&kit.body, true)),
        bad("UTF-16, little end first", utf16(&kit.body, false)),
        bad("UTF-16 with its mark", utf16(&format!("\u{feff}{}", kit.body), false)),
        bad("UTF-32", kit.body.chars().flat_map(|one| u32::from(one).to_be_bytes()).collect()),
        bad("nothing", Vec::new()),
        bad("blanks", b"  \r\n\t ".to_vec()),
        bad("null", b"null".to_vec()),
        bad("an array", b"[]".to_vec()),
        bad("a text", b"\"{}\"".to_vec()),
        bad("two objects", format!("{}{}", kit.body, kit.body).into_bytes()),
        bad("an object and a bracket", format!("{}}}", kit.body).into_bytes()),
        bad("a comment", format!("{}/**/", kit.body).into_bytes()),
        bad("a comma too much", with("\"x\":1,").into_bytes()),
        bad("single quotes", b"{'a':1}".to_vec()),
        bad("keys without quotes", b"{a:1}".to_vec()),
    ];
    for number in [
        "1e400",
        "-1e400",
        "1e999999999999",
        "NaN",
        "Infinity",
        "-",
        "01",
        "1.",
        ".5",
        "+1",
        "0x10",
        "1_000",
        "1e",
        "--1",
    ] {
        rows.push(bad(&format!("the number {number}"), with(&format!("\"x\":{number}")).into_bytes()));
    }
    for (name, number) in [
        ("a number of 100 000 digits", "9".repeat(100_000)),
        ("a fraction of 100 000 digits", format!("0.{}", "1".repeat(100_000))),
        ("an exponent of 100 000 digits", format!("1e{}", "9".repeat(100_000))),
    ] {
        let bytes = with(&format!("\"dueDate\":{number}")).into_bytes();
        rows.push(bad(name, bytes));
    }
    rows
}

fn sizes(kit: &Kit) -> Vec<Row> {
    let length = kit.body.len();
    let padded = |bytes: usize| format!("{}{}", kit.body, " ".repeat(bytes - length));
    let chunks = |body: &str, each: usize| {
        let mut bytes = String::new();
        for chunk in body.as_bytes().chunks(each) {
            bytes.push_str(&format!("{:x}\r\n{}\r\n", chunk.len(), String::from_utf8_lossy(chunk)));
        }
        bytes + "0\r\n\r\n"
    };
    let chunked = |body: String| kit.create_with("Transfer-Encoding: chunked\r\n", body);
    let mib = 1024 * 1024;
    let told = |length: &str| kit.create_with(&format!("Content-Length: {length}\r\n"), "");
    let encoded = |coding: &str, bytes: &[u8]| {
        kit.create_with(&format!("Content-Encoding: {coding}\r\nContent-Length: {}\r\n", bytes.len()), bytes)
    };
    let mut rows = vec![
        Row::new("1 MiB", kit.create_of(padded(mib)), answers(&[200])).makes(1),
        Row::new("1 MiB in chunks", chunked(chunks(&padded(mib), 10_000)), answers(&[200])).makes(1),
        Row::new("a byte over 1 MiB", kit.create_of(padded(mib + 1)), Seen::RefusedOrCut(413)),
        Row::new("a byte over 1 MiB in chunks", chunked(chunks(&padded(mib + 1), 10_000)), Seen::RefusedOrCut(413)),
        Row::new("8 MiB", kit.create_of(padded(8 * mib)), Seen::RefusedOrCut(413)),
        Row::new("8 MiB in chunks", chunked(chunks(&padded(8 * mib), 100_000)), Seen::RefusedOrCut(413)),
        Row::new("a told byte over 1 MiB", told("1048577"), Seen::Last(vec![413])),
        Row::new("a told exabyte", told("1152921504606846976"), Seen::Last(vec![413])),
        Row::new("the largest length", told("9223372036854775807"), Seen::Last(vec![413])),
        Row::new("a chunk of 2 GiB", chunked("80000000\r\n".to_owned() + &"x".repeat(2 * mib)), Seen::RefusedOrCut(413)),
        Row::new("a chunk of an exabyte", chunked("1000000000000000\r\n".to_owned() + &"x".repeat(2 * mib)), Seen::RefusedOrCut(413)),
        Row::new("a media type of another kind", kit.create_with(&format!("Content-Type: application/xml\r\nContent-Length: {length}\r\n"), &kit.body), answers(&[415])),
        Row::new("no plain media type", kit.create_with(&format!("Content-Type: application/json-seq\r\nContent-Length: {length}\r\n"), &kit.body), answers(&[415])),
        Row::new("two media types", kit.create_with(&format!("Content-Type: application/json\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n"), &kit.body), answers(&[415])),
        Row::new("a media type in another script", kit.create_with(&format!("Content-Type: \u{e9}\r\nContent-Length: {length}\r\n"), &kit.body), answers(&[415])),
        Row::new("a charset", kit.create_with(&format!("Content-Type: application/json; charset=utf-7\r\nContent-Length: {length}\r\n"), &kit.body), answers(&[200])).makes(1),
        Row::new("plain by name", encoded("identity", kit.body.as_bytes()), answers(&[200])).makes(1),
        Row::new("plain, then gzip", kit.create_with(&format!("Content-Encoding: identity\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n", GZIP.len()), GZIP), answers(&[415])),
        Row::new("gzip without a word", kit.create_of(GZIP), answers(&[400])),
        Row::new("a list in gzip", kit.request(&format!("POST {} HTTP/1.1", Kit::path("getCases")), "Host: localhost\r\n", &format!("Content-Encoding: gzip\r\nContent-Length: {}\r\n", GZIP.len()), GZIP), answers(&[415])),
        Row::new("an empty coding", encoded("", kit.body.as_bytes()), answers(&[415])),
    ];
    for coding in [
        "gzip",
        "GZIP",
        "x-gzip",
        "deflate",
        "br",
        "zstd",
        "compress",
        "gzip, gzip",
        "identity, gzip",
        "aes128gcm",
    ] {
        // A bomb is refused by its header: nothing unpacks it.
        rows.push(Row::new(format!("a body in {coding}"), encoded(coding, &GZIP), answers(&[415])));
    }
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_that_is_deep_long_or_broken_is_a_400() {
    hold(json).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_are_too_large_or_packed_are_refused_unread() {
    hold(sizes).await;
}
