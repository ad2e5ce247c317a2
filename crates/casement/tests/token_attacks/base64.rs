//! Spellings of base64url beside the one: a token has one text, or it could be told apart from itself.

use super::{Row, World};
use crate::harness::forge::{encoded, hmac_of};
use crate::harness::token::secret_of;

/// Signs parts as they are spelled.
fn spelled(world: &World, head: &str, claims: &str) -> String {
    let message = format!("{head}.{claims}");
    let signature = hmac_of(aws_lc_rs::hmac::HMAC_SHA256, secret_of(&world.own), &message);
    format!("{message}.{}", encoded(signature))
}

/// Sets bits that no byte has: the same bytes by another last digit.
fn with_left_over_bits(part: &str) -> String {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    assert_ne!(part.len() % 4, 0, "a part without bits to spare");
    let last = DIGITS.find(part.chars().last().unwrap()).unwrap();
    format!("{}{}", &part[..part.len() - 1], &DIGITS[last + 1..last + 2])
}

pub fn rows(world: &World) -> Vec<Row> {
    // Texts whose lengths leave bits to spare: 1 or 2 bytes past a group of three.
    let head = encoded(r#"{"alg":"HS256","typ":"JWT"}  "#);
    let app = world.own.client_id.as_str();
    let mut text = format!(r#"{{"appId":"{app}","x":"???>>>~~~"}}"#);
    while text.len() % 3 != 1 {
        text.push(' ');
    }
    let claims = encoded(&text);
    let standard = |part: &str| part.replace('-', "+").replace('_', "/");
    let token = spelled(world, &head, &claims);
    let signature = token.rsplit('.').next().unwrap();
    let signed = |head: &str, claims: &str| spelled(world, head, claims);
    let ended = |ending: &str| format!("{head}.{claims}.{ending}");
    assert!(claims.contains(['-', '_']), "{claims}");
    // The same bytes, so that only the spelling can be at fault.
    let rows = vec![
        ("a padded header", signed(&format!("{head}="), &claims)),
        ("padded claims", signed(&head, &format!("{claims}=="))),
        ("claims with half of their padding", signed(&head, &format!("{claims}="))),
        ("a padded signature", ended(&format!("{signature}="))),
        ("a signature with too much padding", ended(&format!("{signature}=="))),
        ("a percent sign for the padding", ended(&format!("{signature}%3D"))),
        ("claims in the standard alphabet", signed(&head, &standard(&claims))),
        ("a header with bits left over", signed(&with_left_over_bits(&head), &claims)),
        ("claims with bits left over", signed(&head, &with_left_over_bits(&claims))),
        ("a signature with bits left over", ended(&with_left_over_bits(signature))),
        ("a blank in the header", signed(&head.replacen('h', "h ", 1), &claims)),
        ("a blank in the claims", signed(&head, &format!("{} {}", &claims[..4], &claims[4..]))),
        ("a tab in the signature", ended(&format!("{}\t{}", &signature[..4], &signature[4..]))),
        ("a digit too many in the claims", signed(&head, &format!("{claims}AAA"))),
        ("a digit too many in the signature", ended(&format!("{signature}A"))),
        ("an encoded dot", token.replacen('.', "%2E", 1)),
        ("a letter that is no digit", signed(&head, &format!("{}!{}", &claims[..4], &claims[4..]))),
        ("claims that are not encoded at all", signed(&head, &text)),
    ];
    rows.into_iter().map(|(name, token)| Row::auth(name, token)).collect()
}

#[tokio::test]
async fn the_one_spelling_of_a_token_works() {
    let world = World::make().await;
    let head = encoded(r#"{"alg":"HS256","typ":"JWT"}  "#);
    let claims = encoded(format!(r#"{{"appId":"{}","x":"???>>>~~~"}}"#, world.own.client_id));
    let token = spelled(&world, &head, &claims);
    assert_eq!(world.server.call("getCases").header("auth", &token).send().await.status, 200);
}
