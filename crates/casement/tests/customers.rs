//! Contract section 5 and 11.4: how the customer of a request is named, found, made and kept.

use serde_json::{Value, json};

use crate::harness::server::{ABSENT, Server};

/// A body without any customer but the one given, and e-mail and phone beside it.
fn body(server: &Server, user_info: Value, email: Value, phone: Value) -> Value {
    server.case_body(json!({"userInfo": user_info, "emailId": email, "phoneNumber": phone}))
}

async fn made(server: &Server, user_info: Value, email: Value, phone: Value) -> Value {
    server.post("createCase", body(server, user_info, email, phone)).await.document()["userInfo"].clone()
}

#[tokio::test]
async fn an_email_or_a_phone_is_needed_when_no_id_is_given() {
    let server = Server::start().await;
    let none = json!(ABSENT);
    for (user_info, email, phone) in [
        (json!({"_id": "u-1"}), none.clone(), none.clone()),
        (json!({}), json!("a@example.com"), none.clone()),
        (json!({}), none.clone(), json!("1")),
        (json!({"emailId": "b@example.com"}), none.clone(), none.clone()),
        (json!({"phoneNumber": "2"}), none.clone(), none.clone()),
        (json!({"_id": "", "emailId": "", "phoneNumber": "3"}), none.clone(), none.clone()),
    ] {
        made(&server, user_info, email, phone).await;
    }
    for (user_info, email, phone) in [
        (json!({}), none.clone(), none.clone()),
        (json!({"name": "John"}), json!(null), json!(null)),
        (json!({"_id": "", "emailId": "", "phoneNumber": null}), json!(""), json!("")),
        (json!({"_id": null}), none.clone(), none.clone()),
    ] {
        let found = server.refused("createCase", &body(&server, user_info, email, phone), 400).await;
        assert_eq!(found, ["emailId"]);
    }
}

#[tokio::test]
async fn a_wrong_email_is_told_once_and_not_missed_besides() {
    let server = Server::start().await;
    for (user_info, email, phone, field) in [
        (json!({}), json!(7), json!(ABSENT), "emailId"),
        (json!({}), json!(ABSENT), json!([]), "phoneNumber"),
        (json!({"emailId": 7}), json!(ABSENT), json!(ABSENT), "userInfo.emailId"),
        (json!({"phoneNumber": {}}), json!(ABSENT), json!(ABSENT), "userInfo.phoneNumber"),
        (json!({"_id": 7}), json!(ABSENT), json!(ABSENT), "userInfo._id"),
    ] {
        let found = server.refused("createCase", &body(&server, user_info, email, phone), 400).await;
        assert_eq!(found, [field]);
    }
}

#[tokio::test]
async fn the_texts_of_a_customer_have_their_lengths() {
    let server = Server::start().await;
    for (key, field, characters_max) in [
        ("_id", "userInfo._id", 64),
        ("name", "userInfo.name", 512),
        ("emailId", "userInfo.emailId", 320),
        ("phoneNumber", "userInfo.phoneNumber", 64),
    ] {
        let with = |characters: usize| {
            let mut user_info = json!({"_id": "u-1"});
            user_info[key] = json!("é".repeat(characters));
            body(&server, user_info, json!(ABSENT), json!(ABSENT))
        };
        server.post("createCase", with(characters_max)).await.document();
        assert_eq!(server.refused("createCase", &with(characters_max + 1), 400).await, [field]);
        assert_eq!(server.refused("createCase", &with(10_000), 400).await, [field]);
    }
    let beside = body(&server, json!({}), json!("x".repeat(321)), json!("1"));
    assert_eq!(server.refused("createCase", &beside, 400).await, ["emailId"]);
    let beside = body(&server, json!({}), json!("a@example.com"), json!("x".repeat(65)));
    assert_eq!(server.refused("createCase", &beside, 400).await, ["phoneNumber"]);
}

#[tokio::test]
async fn the_inner_email_and_phone_win_over_those_beside() {
    let server = Server::start().await;
    let inner = json!({"emailId": "inner@example.com", "phoneNumber": "1"});
    let user_info = made(&server, inner, json!("outer@example.com"), json!("2")).await;
    assert_eq!(
        (&user_info["emailId"], &user_info["phoneNumber"]),
        (&json!("inner@example.com"), &json!("1"))
    );
    let inner = json!({"emailId": "", "phoneNumber": null});
    let user_info = made(&server, inner, json!("outer@example.com"), json!("2")).await;
    assert_eq!(
        (&user_info["emailId"], &user_info["phoneNumber"]),
        (&json!("outer@example.com"), &json!("2"))
    );
}

#[tokio::test]
async fn a_given_id_decides_and_an_unknown_one_makes_the_customer() {
    let server = Server::start().await;
    let first =
        made(&server, json!({"_id": "u-1", "name": "John"}), json!("j@example.com"), json!(ABSENT)).await;
    assert_eq!(first, json!({"_id": "u-1", "name": "John", "emailId": "j@example.com"}));
    // Another id wins over the e-mail, which stays with its holder.
    let second = made(&server, json!({"_id": "u-2"}), json!("j@example.com"), json!(ABSENT)).await;
    assert_eq!(second, json!({"_id": "u-2", "name": "", "emailId": "j@example.com"}));
    let third = made(&server, json!({}), json!("j@example.com"), json!(ABSENT)).await;
    assert_eq!(third["_id"], "u-1");
    // The profile of the second has no e-mail of its own.
    let fourth = made(&server, json!({"_id": "u-2"}), json!(ABSENT), json!(ABSENT)).await;
    assert_eq!(fourth, json!({"_id": "u-2", "name": ""}));
}

#[tokio::test]
async fn without_an_id_the_customer_is_found_by_email_then_by_phone_and_else_made() {
    let server = Server::start().await;
    made(&server, json!({"_id": "u-mail", "name": "M"}), json!("M@Example.com"), json!(ABSENT)).await;
    made(&server, json!({"_id": "u-phone", "name": "P"}), json!(ABSENT), json!("1")).await;
    let by_email = made(&server, json!({}), json!("m@eXample.com"), json!("1")).await;
    assert_eq!(
        by_email,
        json!({"_id": "u-mail", "name": "M", "emailId": "m@eXample.com", "phoneNumber": "1"})
    );
    let by_phone = made(&server, json!({}), json!("new@example.com"), json!("1")).await;
    assert_eq!(by_phone["_id"], "u-phone");
    let fresh = made(&server, json!({}), json!("fresh@example.com"), json!("2")).await;
    assert!(fresh["_id"].as_str().unwrap().starts_with("u-"));
    assert_eq!(made(&server, json!({}), json!(ABSENT), json!("2")).await["_id"], fresh["_id"]);
    // Only ASCII letters are folded.
    let umlaut = made(&server, json!({}), json!("ä@example.com"), json!(ABSENT)).await;
    assert_ne!(made(&server, json!({}), json!("Ä@example.com"), json!(ABSENT)).await["_id"], umlaut["_id"]);
}

#[tokio::test]
async fn empty_values_of_a_profile_are_filled_and_full_ones_stay() {
    let server = Server::start().await;
    made(&server, json!({"_id": "u-1"}), json!(ABSENT), json!(ABSENT)).await;
    made(&server, json!({"_id": "u-1", "name": "John"}), json!("j@example.com"), json!("1")).await;
    let asked =
        made(&server, json!({"_id": "u-1", "name": "Jack"}), json!("k@example.com"), json!("2")).await;
    assert_eq!(asked, json!({"_id": "u-1", "name": "Jack", "emailId": "k@example.com", "phoneNumber": "2"}));
    let profile = made(&server, json!({"_id": "u-1"}), json!(ABSENT), json!(ABSENT)).await;
    assert_eq!(
        profile,
        json!({"_id": "u-1", "name": "John", "emailId": "j@example.com", "phoneNumber": "1"})
    );
    // An e-mail that was not taken over names nobody.
    assert_ne!(made(&server, json!({}), json!("k@example.com"), json!(ABSENT)).await["_id"], "u-1");
}

#[tokio::test]
async fn a_document_keeps_the_snapshot_of_its_request() {
    let server = Server::start().await;
    let user_info = json!({"_id": "u-1", "name": "John"});
    let first = server.create_case(json!({"userInfo": user_info})).await;
    server.create_case(json!({"userInfo": {"_id": "u-1", "name": "Jack"}})).await;
    assert_eq!(server.listed_case(&first["_id"]).await.unwrap()["userInfo"], first["userInfo"]);
}

#[tokio::test]
async fn given_parts_of_a_customer_overlay_the_stored_snapshot() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let stored = json!({"_id": "u-customer", "name": "John", "emailId": "john.doe@example.com", "phoneNumber": "9023980000"});
    assert_eq!(case["userInfo"], stored);
    let renamed = server.update_case(&case, json!({"userInfo": {"name": "Jack"}})).await["userInfo"].clone();
    assert_eq!((&renamed["name"], &renamed["emailId"]), (&json!("Jack"), &stored["emailId"]));
    let same =
        server.update_case(&case, json!({"userInfo": {"_id": "u-customer", "phoneNumber": "5"}})).await;
    assert_eq!((&same["userInfo"]["phoneNumber"], &same["userInfo"]["name"]), (&json!("5"), &json!("Jack")));
    let nothing = server.update_case(&case, json!({"userInfo": {"emailId": "", "phoneNumber": ""}})).await;
    assert_eq!(nothing["timestampValue"], same["timestampValue"]);
}

#[tokio::test]
async fn another_id_in_an_update_resolves_the_customer_anew() {
    let server = Server::start().await;
    made(&server, json!({"_id": "u-2", "name": "Zoe"}), json!("zoe@example.com"), json!(ABSENT)).await;
    let case = server.create_case(json!({})).await;
    let known = server.update_case(&case, json!({"userInfo": {"_id": "u-2"}})).await;
    assert_eq!(known["userInfo"], json!({"_id": "u-2", "name": "Zoe", "emailId": "zoe@example.com"}));
    let unknown = server.update_case(&case, json!({"userInfo": {"_id": "u-3", "name": "New"}})).await;
    assert_eq!(unknown["userInfo"], json!({"_id": "u-3", "name": "New"}));
    assert_eq!(made(&server, json!({"_id": "u-3"}), json!(ABSENT), json!(ABSENT)).await["name"], "New");
}
