//! The times of a token: `exp`, `nbf` and `iat`, in seconds since the epoch, a fraction allowed.

use casement_domain::date::Moment;
use serde_json::{Map, Value};

use crate::limits;

/// What an app demands of the expiry of its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExpiryDemand {
    /// None is needed.
    None,
    /// There must be one.
    Any,
    /// There must be one within a day: as long as the token's id is remembered.
    Near,
}

/// The times of a token in seconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Times {
    expires: Option<f64>,
    not_before: Option<f64>,
    issued: Option<f64>,
}

impl Times {
    /// Reads the times of a token. A claim that is there but is no time is never treated as absent: `None`.
    pub(crate) fn of_claims(claims: &Map<String, Value>) -> Option<Self> {
        let time = |claim: &str| match claims.get(claim) {
            None => Some(None),
            Some(value) => {
                let seconds = value.as_f64();
                seconds.filter(|seconds| (0.0..=limits::CLAIM_SECONDS_MAX).contains(seconds)).map(Some)
            }
        };
        Some(Self { expires: time("exp")?, not_before: time("nbf")?, issued: time("iat")? })
    }

    /// Tells whether the times allow the token now, for an app that may demand an expiry, and one that is near.
    pub(crate) fn allow(self, now: Moment, demand: ExpiryDemand) -> bool {
        let now_seconds = seconds(now);
        let leeway = limits::CLOCK_LEEWAY_SECONDS;
        let is_enough = match demand {
            ExpiryDemand::None => true,
            ExpiryDemand::Any => self.expires.is_some(),
            ExpiryDemand::Near => {
                let latest = now_seconds + limits::ONCE_SECONDS_MAX + leeway;
                self.expires.is_some_and(|expires| expires <= latest)
            }
        };
        is_enough
            && self.ends_at().is_none_or(|ends_at| now < ends_at)
            && self.not_before.is_none_or(|not_before| now_seconds >= not_before - leeway)
            && self.issued.is_none_or(|issued| now_seconds >= issued - leeway)
    }

    /// Gives the moment from which the token is refused for its age: its expiry and the leeway.
    pub(crate) fn ends_at(self) -> Option<Moment> {
        let ends_ms = (self.expires? + limits::CLOCK_LEEWAY_SECONDS) * 1000.0;
        #[expect(clippy::cast_possible_truncation, reason = "claims end before the year 10000")]
        let ends_ms = ends_ms.ceil() as i64;
        Some(Moment::from_ms(ends_ms))
    }
}

fn seconds(moment: Moment) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds with a fraction, far below the 2^53 that are exact"
    )]
    let ms = moment.ms() as f64;
    ms / 1000.0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn right(claims: Value, demand: ExpiryDemand) -> bool {
        let times = Times::of_claims(claims.as_object().unwrap());
        times.is_some_and(|times| times.allow(Moment::from_ms(1_000_000), demand))
    }

    #[test]
    fn times_have_a_leeway_of_a_minute() {
        assert!(right(json!({"exp": 941}), ExpiryDemand::None));
        assert!(!right(json!({"exp": 940}), ExpiryDemand::None));
        assert!(right(json!({"nbf": 1060}), ExpiryDemand::None));
        assert!(!right(json!({"nbf": 1061}), ExpiryDemand::None));
        assert!(right(json!({"iat": 1060}), ExpiryDemand::None));
        assert!(!right(json!({"iat": 1061}), ExpiryDemand::None));
    }

    #[test]
    fn a_malformed_time_is_never_treated_as_absent() {
        for claim in ["exp", "nbf", "iat"] {
            for wrong in [json!("2000"), json!(null), json!(-1), json!([2000]), json!(true), json!(1e300)] {
                assert!(!right(json!({claim: wrong}), ExpiryDemand::None), "{claim} {wrong}");
            }
        }
        assert!(right(json!({"exp": 2000.5}), ExpiryDemand::None));
    }

    #[test]
    fn an_app_may_require_that_its_tokens_expire() {
        assert!(!right(json!({}), ExpiryDemand::Any));
        assert!(right(json!({"exp": 2000}), ExpiryDemand::Any));
        assert!(right(json!({}), ExpiryDemand::None));
    }

    #[test]
    fn a_token_that_serves_once_expires_within_a_day_and_the_leeway() {
        for (claims, is_right) in [
            (json!({}), false),
            (json!({"exp": 1001}), true),
            (json!({"exp": 1000 + 86_400 + 60}), true),
            (json!({"exp": 1000 + 86_400 + 61}), false),
            (json!({"exp": 253_402_300_799_i64}), false),
        ] {
            assert_eq!(right(claims.clone(), ExpiryDemand::Near), is_right, "{claims}");
        }
    }

    #[test]
    fn a_token_ends_at_the_first_moment_at_which_it_is_refused() {
        for expires in [1000.0, 1000.5, 1_000.000_4, 999.999_9] {
            let times = Times::of_claims(json!({"exp": expires}).as_object().unwrap()).unwrap();
            let end = times.ends_at().unwrap();
            assert!(!times.allow(end, ExpiryDemand::Any), "{expires}");
            assert!(times.allow(end.plus_ms(-1), ExpiryDemand::Any), "{expires}");
        }
    }
}
