//! What the fuzzer found, minimised, each under the name of what was wrong.

use casement_proofs::targets::Target;

#[test]
fn a_number_between_two_others_is_read_the_same_again_after_it_was_written() {
    for number in ["1.84467440737095446744073752e+19", "92233720368547705807"] {
        Target::GetTasks.check(format!("{{\"x\":{number}}}").as_bytes());
    }
}

#[test]
fn a_date_with_an_annotation_in_brackets_is_no_date() {
    Target::Date.check(b"2025-07-29T03:00+05:30[zsia025-07-2=ata]");
}

#[test]
fn an_offset_with_a_fraction_of_a_second_is_no_date() {
    Target::Date.check(b"99981231T23-231559.1");
}

#[test]
fn the_year_0000_is_no_year_also_where_it_is_the_year_0001_in_utc() {
    Target::Date.check(b"0000-12-31T23:59:59.999-23:59");
    Target::GetTasks.check(br#"{"startDate": "0000-12-31T23:59:59.999-23:59"}"#);
}

#[test]
fn a_claim_that_is_given_twice_is_never_half_believed() {
    Target::Token.check(br#"c{"iss":"<app>","nbf":1748519000,"nbf":9748519000}"#);
}
